"""What one bank record means for one payment: pure functions over columns, no ledger.

Input is a chunk of a decoded result and what we wrote for the same items; output is a
verdict for each record, in columns. The rules stand in the order of their weight: an echo
that is not ours, then an amount that is not ours, then what the bank says.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

from msgspec import Struct

from formats import FeeKind, Reason, RecordChunk, Status
from formats.names import normalize_names
from gateway.settlement.items import Expected

_MOVED_MONEY = (Status.CREDITED, Status.DISCREPANT, Status.RETURNED)


class Stated(Struct, frozen=True, gc=False, array_like=True):
    """What the evidence says of one payment. Amounts in minor units, None where not said."""

    status: Status
    reason: Reason
    credited_minor: int | None
    returned_minor: int | None
    short_minor: int
    """Less than instructed by so much: money that somebody kept."""


class Verdicts(Struct, frozen=True):
    """What the evidence says of each record of a chunk; `short` is sparse: (minor units, row)."""

    statuses: list[Status]
    reasons: list[Reason]
    credited_minor: list[int | None]
    returned_minor: list[int | None]
    short: list[tuple[int, int]]


class Columns(Struct, frozen=True):
    """The columns of a result chunk that matter, with blanks where the layout has none."""

    statuses: list[Status]
    reasons: list[Reason]
    amounts: list[int | None]
    accounts: list[str] | None
    names: list[str] | None
    codes: list[str]
    serials: list[str]
    texts: list[str]
    value_dates: list[date | None]
    fees: list[int | None]


def result_columns(chunk: RecordChunk) -> Columns:
    """Take a result chunk apart."""
    columns, count = chunk.columns, chunk.count

    def column(name: str, absent: Any) -> list[Any]:
        return columns.get(name) or [absent] * count

    return Columns(
        statuses=columns["outcome.status"],
        reasons=columns["outcome.reason"],
        amounts=column("outcome.amount", None),
        accounts=columns.get("payment.account"),
        names=columns.get("payment.payee_name"),
        codes=column("outcome.code", ""),
        serials=column("outcome.serial", ""),
        texts=column("outcome.bank_text", ""),
        value_dates=column("outcome.value_date", None),
        fees=column("fee.amount", 0),
    )


def foreign_echoes(columns: Columns, expected: Expected, *, blank_is_foreign: bool) -> list[bool]:
    """For each record whether it echoes another account or name than we wrote.

    A blank echo says nothing, which is enough beside a reference, and not beside a position.
    """
    accounts = _differs(columns.accounts, expected.accounts, blank_is_foreign)
    names = columns.names
    if names is None or names == expected.names:
        return accounts
    normal = normalize_names(names), normalize_names(expected.names)
    return [
        account or name for account, name in zip(accounts, _differs(*normal, blank_is_foreign), strict=True)
    ]


def other_accounts(columns: Columns, expected: Expected, *, blank_is_foreign: bool) -> list[bool]:
    """For each record whether it echoes another account than we wrote."""
    return _differs(columns.accounts, expected.accounts, blank_is_foreign)


def _differs(echoed: list[str] | None, written: list[str], blank_is_foreign: bool) -> list[bool]:
    if echoed is None or echoed == written:
        return [False] * len(written)
    return [
        one != other and (blank_is_foreign or one != "") for one, other in zip(echoed, written, strict=True)
    ]


def judge(columns: Columns, expected: Expected, foreign: list[bool]) -> Verdicts:
    """A verdict for each record.

    Most records say that what was instructed was credited. Nothing is to be judged there, so
    only the others are looked at one by one.
    """
    verdicts = Verdicts(
        statuses=list(columns.statuses),
        reasons=list(columns.reasons),
        credited_minor=list(columns.amounts),
        returned_minor=[None] * len(columns.statuses),
        short=[],
    )
    rows = zip(columns.statuses, columns.amounts, expected.amounts, foreign, strict=True)
    for row, (status, amount, instructed, other) in enumerate(rows):
        if other or amount != instructed or status is not Status.CREDITED:
            stated = _judge_one(status, columns.reasons[row], amount, instructed, other)
            verdicts.statuses[row], verdicts.reasons[row] = stated.status, stated.reason
            verdicts.credited_minor[row] = stated.credited_minor
            verdicts.returned_minor[row] = stated.returned_minor
            if stated.short_minor:
                verdicts.short.append((stated.short_minor, row))
    return verdicts


def _judge_one(status: Status, reason: Reason, amount: int | None, instructed: int, foreign: bool) -> Stated:
    """The verdict of a record that says anything but "credited, as instructed"."""
    moved = amount if status in _MOVED_MONEY else None
    if foreign:
        return Stated(Status.DISCREPANT, Reason.CREDITED_ELSEWHERE, moved, None, 0)
    if status is Status.RETURNED:
        return _judge_return(amount, instructed)
    if amount is not None and amount != instructed and _amount_speaks(status, amount):
        short = max(0, instructed - amount) if status is Status.CREDITED else 0
        return Stated(Status.DISCREPANT, Reason.AMOUNT_DIFFERS, amount, None, short)
    return Stated(status, reason, moved, None, 0)


def _amount_speaks(status: Status, amount: int) -> bool:
    """Whether an amount beside a status says that money moved: zero beside a failure does not."""
    return status in (Status.CREDITED, Status.DISCREPANT) or (status is Status.FAILED and amount != 0)


def _judge_return(amount: int | None, instructed: int) -> Stated:
    """Given back in full, or not surely: a part that stayed would be paid twice by a reissue."""
    if amount is None:
        return Stated(Status.UNKNOWN, Reason.RETURNED, None, None, 0)
    if amount > instructed:
        # More than was paid: how much really came back is not known.
        return Stated(Status.DISCREPANT, Reason.CONTRADICTED, instructed, None, 0)
    if amount != instructed:
        return Stated(Status.DISCREPANT, Reason.AMOUNT_DIFFERS, instructed, amount, 0)
    return Stated(Status.RETURNED, Reason.RETURNED, instructed, amount, 0)


def charges_beside(
    columns: Columns, verdicts: Verdicts, bearers: list[str], free_bearers: Collection[str]
) -> list[tuple[FeeKind, int, int]]:
    """(kind, minor units, row) of what the bank kept or charged beside its outcomes.

    An outcome is never changed by it. A bearer of charges other than the free ones is a
    finding without an amount.
    """
    return [
        *((FeeKind.FEE_COLUMN, fee, row) for row, fee in enumerate(columns.fees) if fee),
        *((FeeKind.SHORT_CREDIT, short_minor, row) for short_minor, row in verdicts.short),
        *(
            (FeeKind.CHARGE_BEARER, 0, row)
            for row, bearer in enumerate(bearers)
            if bearer and bearer not in free_bearers
        ),
    ]
