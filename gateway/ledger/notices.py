"""What banks told that is no outcome: appended, read back in its order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from formats import Notice, SealedText
from gateway.ledger.database import Transaction

NoticeValues = tuple[
    str, str, str, int, "int | None", "int | None", int, "int | None", str, "bytes | None",
]  # fmt: skip
"""bank, code, about, file_pk, item, payment_pk, received_pk, line, recorded_at, text"""


def append_notices(transaction: Transaction, rows: list[NoticeValues]) -> None:
    transaction.many(
        "INSERT INTO notice (bank, code, about, file_pk, item, payment_pk, received_pk, line, recorded_at,"
        " text) VALUES (?,?,?,?,?,?,?,?,?,?)",
        rows,
    )


def told_notices(transaction: Transaction, file_pk: int) -> list[tuple[int | None, str, bytes | None]]:
    """(item, code, sealed values) of the notices about one of our files."""
    rows = transaction.all(
        "SELECT item, code, text FROM notice WHERE file_pk = :file ORDER BY notice_pk", file=file_pk
    )
    return [(row.item, row.code, row.text) for row in rows]


def notices(
    transaction: Transaction, *, batch_pk: int | None = None, payment_pk: int | None = None, since: int = 0
) -> Iterator[Notice]:
    """Notices in the order in which they were recorded; memory is constant."""
    rows = transaction.stream(
        "SELECT notice_pk, notice.bank, notice.code, about, notice.recorded_at, received.sha256, line,"
        " batch.batch_id, batch.source_platform, COALESCE(payment.payment_id, '') AS payment_id,"
        " file.name AS file_name, notice.item, text"
        " FROM notice JOIN file USING (file_pk) JOIN received USING (received_pk)"
        " JOIN lane USING (lane_pk) JOIN batch USING (batch_pk)"
        " LEFT JOIN payment ON payment.payment_pk = notice.payment_pk"
        " WHERE notice_pk > :since AND (:batch IS NULL OR lane.batch_pk = :batch)"
        " AND (:payment IS NULL OR notice.payment_pk = :payment) ORDER BY notice_pk",
        batch=batch_pk,
        payment=payment_pk,
        since=since,
    )
    for row in rows:
        yield Notice(
            cursor=row.notice_pk,
            bank=row.bank,
            code=row.code,
            about=tuple(filter(None, row.about.split(","))),
            recorded_at=datetime.fromisoformat(row.recorded_at),
            evidence_sha256=row.sha256,
            evidence_line=row.line,
            batch_id=row.batch_id,
            source_platform=row.source_platform,
            payment_id=row.payment_id,
            file_name=row.file_name,
            item=row.item,
            text=None if row.text is None else SealedText(row.text),
        )
