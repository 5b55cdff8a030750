"""What came back of one payment in all, where a bank tells of parts of it, one after the other.

A bank may state each part, or all that came back so far; its layout says which (`returns`). Where it
does not, a second amount is nobody's to interpret. Never more comes back than was credited, and a
payment is never paid again for a part: two persons close it. Pure: no ledger.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

EACH, TOTAL = "each", "total"
"""A layout's `returns`: the amount of each part; the amount of all parts so far."""


class Return(Struct, frozen=True):
    """A record that says that money came back. `serial` is "" and `day` None where it does not say."""

    returned_minor: int
    serial: str
    day: str | None


def returned_together(returns: str, credited_minor: int, told: Sequence[Return], now: Return) -> int | None:
    """Minor units that came back up to now, as much as before where it is told again; None: unclear.

    `told` are the earlier records of the payment in their order, at least one, each with all that had
    come back then; `now` is one more, as the bank words it.
    """
    before, said = told[-1].returned_minor, now.returned_minor
    if before == said == credited_minor:
        # All of it cannot come back twice.
        return before
    if returns == EACH:
        return _with_part(credited_minor, told, now)
    if now in told:
        return before
    return said if returns == TOTAL and before <= said <= credited_minor else None


def _with_part(credited_minor: int, told: Sequence[Return], now: Return) -> int | None:
    before = 0
    for one in told:
        part = one.returned_minor - before
        before = one.returned_minor
        if now.serial and one.serial == now.serial:
            return told[-1].returned_minor if part == now.returned_minor else None
        if not now.serial and (one.day, part) == (now.day, now.returned_minor):
            # The same once more, or as much again on the same day: nothing tells which.
            return None
    together = before + now.returned_minor
    return together if together <= credited_minor else None
