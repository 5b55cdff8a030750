"""What ends soon, what is missing, and what nobody uses, in a ring beside its configuration.

A key that ends is no matter as long as another one of its role and owner takes over without a
gap: what is watched is the role, not the key.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from gateway.configuration.key_needs import Need
from gateway.errors import ExitCode
from keys.keyring_listed import CRL, Listed

LIST_HORIZON = timedelta(days=1)
"""Revocation lists that end within it are told."""


class KeyState(StrEnum):
    """What is found about one role and owner, or one key."""

    MISSING = "missing"
    """No key of that role and owner is in force now."""
    ENDS = "ends"
    """None will be in force some day within the horizon."""
    REPLACED = "replaced"
    """A key ends within the horizon, and another one goes on."""
    UNUSED = "unused"
    """Nothing that is configured asks for it."""


class KeyFinding(Struct, frozen=True, kw_only=True):
    """One finding. `urgent`: whoever watches the exit code is told."""

    state: KeyState
    role: str
    owner: str
    key_id: str
    """Of the key that ends or is not used; "" where there is none."""
    ends_at: datetime | None
    days: int | None
    """Whole days from now until `ends_at`; negative: ended."""
    urgent: bool
    message: str
    hint: str


class KeyReport(Struct, frozen=True, kw_only=True):
    """Everything that was found; the most urgent first."""

    environment: str
    looked_at: datetime
    horizon_days: int
    keys: int
    findings: list[KeyFinding]

    @property
    def exit_code(self) -> ExitCode:
        """`KEYS_MISSING` before `KEYS_ENDING` before `DONE`."""
        urgent = {finding.state for finding in self.findings if finding.urgent}
        if KeyState.MISSING in urgent:
            return ExitCode.KEYS_MISSING
        return ExitCode.KEYS_ENDING if KeyState.ENDS in urgent else ExitCode.DONE


def check_keys(
    needs: Sequence[Need], listed: Sequence[Listed], environment: str, at: datetime, horizon_days: int
) -> KeyReport:
    """Look at every need from `at` until `horizon_days` later, and at every key that has none."""
    horizon = at + timedelta(days=horizon_days)
    findings = [finding for need in needs for finding in _look(need, listed, at, horizon)]
    lists = [row for row in listed if row.role == CRL]
    findings += [finding for row in lists for finding in _look_at_list(row, at)]
    findings += _unused(needs, [row for row in listed if row.role != CRL])
    order = list(KeyState)
    findings.sort(key=lambda finding: (not finding.urgent, order.index(finding.state)))
    return KeyReport(
        environment=environment,
        looked_at=at,
        horizon_days=horizon_days,
        keys=len({row.key_id for row in listed}),
        findings=findings,
    )


def covered_until(rows: Sequence[Listed], at: datetime) -> datetime | None:
    """Until when, from `at` on, some row is always in force; `at` itself: none is. None: no end."""
    end = at
    while True:
        alive = [row for row in rows if row.in_force(end)]
        if not alive:
            return end
        ends = [row.valid_until for row in alive if row.valid_until is not None]
        if len(ends) < len(alive):
            return None
        end = max(ends)


def _look(need: Need, listed: Sequence[Listed], at: datetime, horizon: datetime) -> Iterator[KeyFinding]:
    rows = [row for row in listed if (row.role, row.owner) == (need.role, need.owner)]
    end = covered_until(rows, at)
    if end == at:
        yield _missing(need, rows, at)
        return
    if end is not None and end <= horizon:
        yield _ends(need, rows, at, end)
    for row in rows:
        if row.in_force(at) and row.valid_until is not None and row.valid_until <= horizon:
            others = [other for other in rows if other.in_force(row.valid_until)]
            if others:
                yield _replaced(need, row, others[-1], at)


def _look_at_list(row: Listed, at: datetime) -> Iterator[KeyFinding]:
    """Lists live for days: the horizon of keys would always alarm."""
    assert row.valid_until is not None
    ended = row.valid_until <= at
    if not ended and row.valid_until > at + LIST_HORIZON:
        return
    yield KeyFinding(
        state=KeyState.MISSING if ended else KeyState.ENDS,
        role=row.role,
        owner=row.owner,
        key_id=row.key_id,
        ends_at=row.valid_until,
        days=(row.valid_until - at).days,
        urgent=True,
        message=f"revocation list {row.kind} of {row.key_id} {'ended' if ended else 'ends'}"
        f" {row.valid_until:%Y-%m-%d %H:%M}: from then on no signature under that CA counts",
        hint="fetch it anew from the CA, into the same file",
    )


def _missing(need: Need, rows: Sequence[Listed], at: datetime) -> KeyFinding:
    wanted = f"no key of role {need.role}" + (f" for {need.owner}" if need.owner else "")
    # A person whose keys have all ended has left: nobody waits for him.
    left = need.role == "person" and bool(rows) and all(_has_ended(row, at) for row in rows)
    found = ", ".join(_why_not(row, at) for row in rows) or "the ring has none"
    return KeyFinding(
        state=KeyState.MISSING,
        role=need.role,
        owner=need.owner,
        key_id=rows[-1].key_id if rows else "",
        ends_at=None,
        days=None,
        urgent=need.urgent and not left,
        message=f"{wanted} is in force: {found} ({need.purpose})",
        hint="nothing, where that person has left" if left else "add an entry to the ring",
    )


def _ends(need: Need, rows: Sequence[Listed], at: datetime, end: datetime) -> KeyFinding:
    last = next(row for row in rows if row.valid_until == end)
    days = (end - at).days
    return KeyFinding(
        state=KeyState.ENDS,
        role=need.role,
        owner=need.owner,
        key_id=last.key_id,
        ends_at=end,
        days=days,
        urgent=need.urgent,
        message=f"{last.key_id} ends in {_days(days)}, {end:%Y-%m-%d}, and nothing follows ({need.purpose})",
        hint="put the next one into the ring beside it, before that day",
    )


def _replaced(need: Need, row: Listed, successor: Listed, at: datetime) -> KeyFinding:
    assert row.valid_until is not None
    days = (row.valid_until - at).days
    return KeyFinding(
        state=KeyState.REPLACED,
        role=need.role,
        owner=need.owner,
        key_id=row.key_id,
        ends_at=row.valid_until,
        days=days,
        urgent=False,
        message=f"{row.key_id} ends in {_days(days)}, {row.valid_until:%Y-%m-%d}; {successor.key_id} goes on",
        hint="",
    )


def _unused(needs: Sequence[Need], listed: Sequence[Listed]) -> Iterator[KeyFinding]:
    wanted = {(need.role, need.owner) for need in needs}
    for row in {row.key_id: row for row in listed}.values():
        if (row.role, row.owner) not in wanted:
            owner = f" for {row.owner}" if row.owner else ""
            yield KeyFinding(
                state=KeyState.UNUSED,
                role=row.role,
                owner=row.owner,
                key_id=row.key_id,
                ends_at=row.valid_until,
                days=None,
                urgent=False,
                message=f"{row.key_id}: nothing in the configuration asks for role {row.role}{owner}",
                hint="take it out of the ring, or mend its owner's name",
            )


def _has_ended(row: Listed, at: datetime) -> bool:
    return row.valid_until is not None and row.valid_until <= at


def _why_not(row: Listed, at: datetime) -> str:
    if row.valid_from is not None and at < row.valid_from:
        return f"{row.key_id} begins {row.valid_from:%Y-%m-%d}"
    return f"{row.key_id} ended {row.valid_until:%Y-%m-%d}"


def _days(days: int) -> str:
    return f"{days} day" + "s" * (days != 1)
