"""Made-up payments and identities for the tests of formats. No person is real."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from formats.codec import Codec
from formats.records import FileIdentity, Problem, RecordChunk

AGREEMENT = {
    "business_no": "000017",
    "unit_no": "SD0902",
    "payer_account": "9020001234567890",
    "payer_name": "测试区财政局",
    "payer_bank": "测试农商行",
}
ACCOUNT_ONE = "6231990000001208674"
ACCOUNT_TWO = "90200015550000123456789"


def identity(count: int = 2, total_minor: int = 150_050, **changes: Any) -> FileIdentity:
    """The file of sequence 7 for a made-up bank."""
    values: dict[str, Any] = {
        "bank": "test-bank",
        "sequence": 7,
        "name": "DF20260102.TXT",
        "message_id": "M0007",
        "created_at": datetime(2026, 1, 2, 9, 30, tzinfo=UTC),
        "bank_day": date(2026, 1, 2),
        "count": count,
        "total_minor": total_minor,
        "agreement": AGREEMENT,
    }
    return FileIdentity(**(values | changes))


def request_chunk(**changes: list[Any]) -> RecordChunk:
    """Two payments: 1,500.00 and 0.50 yuan; the second name has `|` as a byte and a rare character."""
    columns: dict[str, list[Any]] = {
        "payment.account": [ACCOUNT_ONE, ACCOUNT_TWO],
        "payment.payee_name": ["阿依古丽·买买提", "東䶮"],
        "payment.amount": [150_000, 50],
        "payment.bank_name": ["测试农商行", ""],
        "payment.province": ["测试省", ""],
        "payment.city": ["", ""],
        "payment.region": ["", "东区"],
        "payment.summary": ["低保", "养老"],
    }
    columns |= changes
    count = len(next(iter(columns.values())))
    return RecordChunk(record="payment", count=count, columns=columns, lines=range(1, count + 1))


def encode(codec: Codec, chunks: Iterable[RecordChunk], **changes: Any) -> bytes:
    """The whole file."""
    values = {"original_name": "DF20260102.TXT"} | changes
    return b"".join(codec.encode(identity(**values), list(chunks)))


def decode(
    codec: Codec, raw: bytes, expected: FileIdentity | None = None
) -> tuple[dict[str, dict[str, list[Any]]], dict[str, Any], list[Problem]]:
    """Columns of the whole file by record, facts, problems."""
    decoder = codec.decode(io.BytesIO(raw), expected)
    columns: dict[str, dict[str, list[Any]]] = {}
    for chunk in decoder:
        for name, values in chunk.columns.items():
            assert len(values) == chunk.count
            columns.setdefault(chunk.record, {}).setdefault(name, []).extend(values)
    return columns, decoder.facts, decoder.problems
