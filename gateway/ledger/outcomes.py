"""Outcomes, fee findings and acknowledgements: appended, read back in their order."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from datetime import date, datetime
from operator import itemgetter
from typing import Any

from msgspec import Struct

from formats import FeeFinding, FeeKind, Outcome, Reason, SealedText, Status
from gateway.errors import IntegrityError
from gateway.ledger.database import Transaction
from gateway.settlement.partial_returns import Return

OutcomeValues = tuple[
    int, int, int, int, "int | None", str, str, str, "int | None", "int | None", str, str, "str | None", str,
    "bytes | None",
]  # fmt: skip
"""payment_pk, file_pk, item, received_pk, line, stated, status, reason, credited_minor,
returned_minor, code, serial, value_date, recorded_at, bank_text"""


Words = tuple[str, "int | None", str]
"""What a bank said of a payment: status, credited minor units, its code."""


class LatestOutcome(Struct, frozen=True):
    """The current outcome of a payment."""

    status: Status
    reason: Reason
    credited_minor: int | None
    returned_minor: int | None
    value_date: str | None
    file_pk: int | None = None
    """The file whose answer, or about which a decision, it is."""
    decided: bool = False
    """Persons said it, not the bank."""

    def says(self, other: LatestOutcome) -> bool:
        """Whether both say the same of the payment."""
        return (self.status, self.reason, self.credited_minor, self.returned_minor, self.value_date) == (
            other.status,
            other.reason,
            other.credited_minor,
            other.returned_minor,
            other.value_date,
        )


def append_outcomes(transaction: Transaction, rows: list[OutcomeValues]) -> None:
    transaction.many(
        "INSERT INTO outcome (payment_pk, file_pk, item, received_pk, line, stated, status, reason,"
        " credited_minor, returned_minor, code, serial, value_date, recorded_at, bank_text)"
        " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        rows,
    )


def append_decided_outcome(
    transaction: Transaction,
    payment_pk: int,
    item: tuple[int, int] | None,
    outcome: tuple[Status, Reason],
    amounts: tuple[int | None, int | None],
    decided: str,
    at: datetime,
) -> None:
    """An outcome that persons state. `item` is (file, item) of the live attempt, `amounts` are
    credited and returned minor units, `decided` is the subject of their decision.
    """
    transaction.run(
        "INSERT INTO outcome (payment_pk, file_pk, item, stated, status, reason, credited_minor,"
        " returned_minor, code, serial, recorded_at, decided) VALUES (:payment, :file, :item, :status,"
        " :status, :reason, :credited, :returned, '', '', :at, :decided)",
        payment=payment_pk,
        file=None if item is None else item[0],
        item=None if item is None else item[1],
        status=outcome[0],
        reason=outcome[1],
        credited=amounts[0],
        returned=amounts[1],
        at=at.isoformat(),
        decided=decided,
    )


def append_fee_findings(transaction: Transaction, rows: list[tuple[object, ...]]) -> None:
    """bank, kind, amount_minor, file_pk, item, payment_pk, received_pk, line, label, recorded_at."""
    transaction.many(
        "INSERT INTO fee_finding (bank, kind, amount_minor, file_pk, item, payment_pk, received_pk, line,"
        " label, recorded_at) VALUES (?,?,?,?,?,?,?,?,?,?)",
        rows,
    )


def charged_items(transaction: Transaction, file_pk: int) -> set[tuple[str, int, int]]:
    """(kind, minor units, item) of the findings about single items of a file."""
    rows = transaction.stream(
        "SELECT kind, amount_minor, item FROM fee_finding WHERE file_pk = :pk AND item IS NOT NULL",
        pk=file_pk,
    )
    return {(row.kind, row.amount_minor, row.item) for row in rows}


def payment_keys(transaction: Transaction, file_pk: int, count: int) -> array[int]:
    """payment_pk by item; index 0 is unused. Raises `IntegrityError` where items are not 1..count."""
    found = transaction.tuples(
        "SELECT COUNT(*), MIN(item), MAX(item) FROM attempt WHERE file_pk = ?", (file_pk,)
    )
    if found != [(count, 1, count)]:
        raise IntegrityError(
            f"file {file_pk} of the ledger has other items than 1 to {count}", hint="restore a backup"
        )
    rows = transaction.tuples("SELECT payment_pk FROM attempt WHERE file_pk = ? ORDER BY item", (file_pk,))
    return array("q", (0, *map(itemgetter(0), rows)))


_LATEST = "status, reason, credited_minor, returned_minor, value_date, file_pk, decided"


def latest_outcome(transaction: Transaction, payment_pk: int) -> LatestOutcome | None:
    """The current outcome of a payment, if it has one."""
    row = transaction.one(
        f"SELECT {_LATEST} FROM outcome WHERE payment_pk = :pk ORDER BY outcome_pk DESC LIMIT 1",
        pk=payment_pk,
    )
    return None if row is None else _latest(row)


def first_told_at(transaction: Transaction, payment_pk: int) -> datetime:
    """When the first outcome of a payment that has one was recorded (UTC)."""
    row = transaction.one(
        "SELECT recorded_at FROM outcome WHERE payment_pk = :pk ORDER BY outcome_pk LIMIT 1",
        pk=payment_pk,
    )
    assert row is not None
    return datetime.fromisoformat(row.recorded_at)


def short_outcome(transaction: Transaction, payment_pk: int) -> LatestOutcome | None:
    """What a payment in doubt was credited for all that is known, or None where an amount is not known.

    It is the bank's present word; where that contradicts what persons had settled, or speaks of another
    account or name than the payee's, theirs.
    """
    latest = latest_outcome(transaction, payment_pk)
    if latest is None or latest.reason is Reason.AMOUNT_DIFFERS:
        return latest
    row = transaction.one(
        f"SELECT {_LATEST} FROM outcome WHERE payment_pk = :pk AND reason = :short"
        " ORDER BY outcome_pk DESC LIMIT 1",
        pk=payment_pk,
        short=Reason.PAID_SHORT,
    )
    overridden = latest.reason in (Reason.CONTRADICTED, Reason.CREDITED_ELSEWHERE)
    return _latest(row) if row is not None and overridden else None


def said_before_decisions(transaction: Transaction, file_pk: int) -> dict[int, set[Words]]:
    """What the bank had said of the payments of a file about which persons decided, by payment_pk."""
    rows = transaction.all(
        "SELECT said.payment_pk, said.stated, said.credited_minor, said.code FROM outcome AS decided"
        " JOIN outcome AS said ON said.payment_pk = decided.payment_pk AND said.file_pk = decided.file_pk"
        " AND said.received_pk IS NOT NULL"
        " WHERE decided.file_pk = :file AND decided.decided IS NOT NULL",
        file=file_pk,
    )
    found: dict[int, set[Words]] = {}
    for row in rows:
        found.setdefault(row.payment_pk, set()).add((row.stated, row.credited_minor, row.code))
    return found


def latest_outcomes(transaction: Transaction, file_pk: int) -> dict[int, LatestOutcome]:
    """The current outcome of each payment of a file that has one, by payment_pk."""
    rows = transaction.stream(
        f"SELECT payment_pk, {_LATEST} FROM outcome"
        " WHERE payment_pk IN (SELECT payment_pk FROM attempt WHERE file_pk = :pk)"
        " ORDER BY outcome_pk",
        pk=file_pk,
    )
    return {row.payment_pk: _latest(row) for row in rows}


def returns_told(transaction: Transaction, file_pk: int) -> dict[int, list[Return]]:
    """What was told of money that came back of a file's payments, in its order, by payment_pk."""
    rows = transaction.stream(
        "SELECT payment_pk, returned_minor, serial, value_date FROM outcome"
        " WHERE payment_pk IN (SELECT payment_pk FROM attempt WHERE file_pk = :pk)"
        " AND returned_minor IS NOT NULL ORDER BY outcome_pk",
        pk=file_pk,
    )
    found: dict[int, list[Return]] = {}
    for row in rows:
        found.setdefault(row.payment_pk, []).append(Return(row.returned_minor, row.serial, row.value_date))
    return found


def _latest(row: Any) -> LatestOutcome:
    return LatestOutcome(
        Status(row.status),
        Reason(row.reason),
        row.credited_minor,
        row.returned_minor,
        row.value_date,
        row.file_pk,
        row.decided is not None,
    )


def unsettled_items(transaction: Transaction, file_pk: int) -> int:
    """Items of a file whose payment has no outcome yet, or an unknown one."""
    row = transaction.one(
        "SELECT COUNT(*) AS number FROM attempt LEFT JOIN outcome AS latest ON latest.outcome_pk ="
        " (SELECT MAX(outcome_pk) FROM outcome WHERE outcome.payment_pk = attempt.payment_pk)"
        " WHERE attempt.file_pk = :pk AND (latest.status IS NULL OR latest.status = 'unknown')",
        pk=file_pk,
    )
    assert row is not None
    return int(row.number)


def told_by(transaction: Transaction, file_pk: int, received_pk: int) -> set[int]:
    """The payment_pk of every payment of a file of which one received file told."""
    rows = transaction.stream(
        # By the file's payments: outcomes are not indexed by the file that told them.
        "SELECT DISTINCT outcome.payment_pk FROM attempt JOIN outcome"
        " ON outcome.payment_pk = attempt.payment_pk AND outcome.received_pk = :received"
        " WHERE attempt.file_pk = :file",
        file=file_pk,
        received=received_pk,
    )
    return {row.payment_pk for row in rows}


def was_rejected(transaction: Transaction, file_pk: int) -> bool:
    """Whether the bank has said before that it rejected the file as a whole."""
    row = transaction.one(
        "SELECT 1 FROM acknowledgement WHERE file_pk = :file AND verdict = 'rejected' LIMIT 1", file=file_pk
    )
    return row is not None


def was_accepted(transaction: Transaction, file_pk: int) -> bool:
    """Whether the bank has said that it took the file as a whole."""
    row = transaction.one(
        "SELECT 1 FROM acknowledgement WHERE file_pk = :file AND verdict IN ('accepted', 'complete') LIMIT 1",
        file=file_pk,
    )
    return row is not None


def append_acknowledgement(
    transaction: Transaction,
    file_pk: int,
    received_pk: int,
    verdict: str,
    reason: str,
    code: str,
    bank_text: bytes | None,
    at: datetime,
) -> None:
    transaction.run(
        "INSERT INTO acknowledgement (file_pk, received_pk, verdict, reason, code, bank_text, recorded_at)"
        " VALUES (:file, :received, :verdict, :reason, :code, :text, :at)",
        file=file_pk,
        received=received_pk,
        verdict=verdict,
        reason=reason,
        code=code,
        text=bank_text,
        at=at.isoformat(),
    )


_OUTCOME_QUERY = """
    SELECT outcome.outcome_pk, batch.batch_id, payment.payment_id, batch.source_platform,
        outcome.status, outcome.reason, outcome.stated, payment.amount_minor, outcome.credited_minor,
        outcome.returned_minor, outcome.recorded_at, COALESCE(lane.bank, '') AS bank, outcome.code,
        outcome.serial, outcome.bank_text, outcome.value_date, COALESCE(file.name, '') AS file_name,
        outcome.item, COALESCE(received.sha256, '') AS evidence_sha256, outcome.line
    FROM outcome
    JOIN payment USING (payment_pk)
    JOIN batch USING (batch_pk)
    LEFT JOIN lane ON lane.lane_pk = payment.lane_pk
    LEFT JOIN file ON file.file_pk = outcome.file_pk
    LEFT JOIN received ON received.received_pk = outcome.received_pk
"""


def outcomes(
    transaction: Transaction,
    *,
    batch_pk: int | None = None,
    since: int = 0,
    only_current: bool = False,
    statuses: tuple[Status, ...] = (),
    payment_pk: int | None = None,
) -> Iterator[Outcome]:
    """Outcomes in the order in which they were recorded; memory is constant."""
    conditions = ["outcome.outcome_pk > :since"]
    if batch_pk is not None:
        conditions.append("payment.batch_pk = :batch")
    if payment_pk is not None:
        conditions.append("payment.payment_pk = :payment")
    if statuses:
        conditions.append("outcome.status IN (" + ",".join(f"'{status.value}'" for status in statuses) + ")")
    if only_current:
        conditions.append(
            "outcome.outcome_pk = (SELECT MAX(later.outcome_pk) FROM outcome AS later"
            " WHERE later.payment_pk = outcome.payment_pk)"
        )
    query = f"{_OUTCOME_QUERY} WHERE {' AND '.join(conditions)} ORDER BY outcome.outcome_pk"
    values: dict[str, object] = {"since": since}
    if batch_pk is not None:
        values["batch"] = batch_pk
    if payment_pk is not None:
        values["payment"] = payment_pk
    for (
        cursor, batch_id, payment_id, platform, status, reason, stated, amount_minor, credited_minor,
        returned_minor, recorded_at, bank, code, serial, bank_text, value_date, file_name, item, sha256, line,
    ) in transaction.stream(query, **values):  # fmt: skip
        yield Outcome(
            cursor=cursor,
            batch_id=batch_id,
            payment_id=payment_id,
            source_platform=platform,
            status=Status(status),
            reason=Reason(reason),
            stated_status=None if stated == status else Status(stated),
            amount_minor=amount_minor,
            credited_minor=credited_minor,
            returned_minor=returned_minor,
            recorded_at=datetime.fromisoformat(recorded_at),
            bank=bank,
            bank_code=code,
            bank_serial=serial,
            bank_text=None if bank_text is None else SealedText(bank_text),
            value_date=None if value_date is None else date.fromisoformat(value_date),
            file_name=file_name,
            item=item,
            evidence_sha256=sha256,
            evidence_line=line,
        )


def decided_outcomes(transaction: Transaction, payment_pk: int) -> list[tuple[int, str, str]]:
    """(cursor, subject of the decision, status) of each outcome of a payment that persons stated."""
    rows = transaction.all(
        "SELECT outcome_pk, decided, status FROM outcome WHERE payment_pk = :pk AND decided IS NOT NULL"
        " ORDER BY outcome_pk",
        pk=payment_pk,
    )
    return [(row.outcome_pk, row.decided, row.status) for row in rows]


def fee_findings(
    transaction: Transaction, batch_pk: int | None = None, payment_pk: int | None = None
) -> Iterator[FeeFinding]:
    """Findings in the order in which they were recorded: all, or of a batch, or of a payment."""
    # A finding about a payment names the file in which it went: those are found without looking at all.
    of_payment = (
        " AND fee_finding.payment_pk = :payment"
        " AND fee_finding.file_pk IN (SELECT file_pk FROM attempt WHERE attempt.payment_pk = :payment)"
    )
    rows = transaction.stream(
        "SELECT fee_pk, fee_finding.bank, fee_finding.kind, fee_finding.amount_minor,"
        " fee_finding.recorded_at,"
        " COALESCE(file.name, '') AS file_name, received.sha256, fee_finding.line,"
        " COALESCE(payment.payment_id, '') AS payment_id, fee_finding.item, label FROM fee_finding"
        " LEFT JOIN file ON file.file_pk = fee_finding.file_pk JOIN received USING (received_pk)"
        " LEFT JOIN lane USING (lane_pk)"
        " LEFT JOIN payment ON payment.payment_pk = fee_finding.payment_pk"
        " WHERE (:batch IS NULL OR lane.batch_pk = :batch)"
        f"{'' if payment_pk is None else of_payment} ORDER BY fee_pk",
        batch=batch_pk,
        **({} if payment_pk is None else {"payment": payment_pk}),
    )
    for row in rows:
        yield FeeFinding(
            cursor=row.fee_pk,
            bank=row.bank,
            kind=FeeKind(row.kind),
            amount_minor=row.amount_minor,
            recorded_at=datetime.fromisoformat(row.recorded_at),
            file_name=row.file_name,
            evidence_sha256=row.sha256,
            evidence_line=row.line,
            payment_id=row.payment_id,
            item=row.item,
            label=None if row.label is None else SealedText(row.label),
        )
