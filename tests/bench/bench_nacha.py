"""NACHA against compiled `construct`, in one run: `python -m tests.bench.bench_nacha`.

Entries of 94 bytes in batches of 10,000, without addenda and with one at every tenth; all totals of
batches and file, hashes and counts on. The baseline is the compiled `Struct` of an entry and of an
addenda with adapters, its dicts prebuilt, lines sequenced by a plain loop; it adds nothing up.
"""

from __future__ import annotations

import gc
import io
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import construct

from formats.records import FileIdentity, RecordChunk
from formats.registry import Registry
from tests.bench.measure import Ratio, compare

CHUNK = 1024
BATCH = 10_000
SLOW_PART = 10
NESTED_READ_WANTED = 3.5
"""Rows that have records below them may cost twice as much."""

_ENTRY = [
    ("mark", 1), ("code", 2), ("rdfi", 8), ("digit", 1), ("account", 17), ("amount", 10), ("reference", 15),
    ("name", 22), ("discretionary", 2), ("addenda", 1), ("odfi", 8), ("trace", 7),
]  # fmt: skip
_ADDENDA = [("mark", 1), ("type", 2), ("text", 80), ("sequence", 4), ("entry", 7)]
_NUMBERS = ("amount", "addenda", "trace", "sequence", "entry")
_PROFILE = {
    "destination": "231380104", "origin": "121042882", "file_modifier": "A", "destination_name": "BANK",
    "origin_name": "OFFICE", "service_class": "220", "company_name": "OFFICE", "company_id": "1210428820",
    "entry_class": "PPD", "description": "SUBSIDY", "originator": "1", "odfi": "12104288",
    "trace_odfi": "12104288", "transaction_code": "22",
}  # fmt: skip
_BANKS = ("231380104", "091400606", "053200019")


class _Text(construct.Adapter):
    def _decode(self, obj: bytes, context: Any, path: Any) -> str:
        return obj.rstrip(b" ").decode("ascii")

    def _encode(self, obj: str, context: Any, path: Any) -> bytes:
        raw = obj.encode("ascii")
        width = self.subcon.sizeof()
        if len(raw) > width:
            raise construct.StringError("too long")
        return raw.ljust(width)


class _Number(construct.Adapter):
    def _decode(self, obj: bytes, context: Any, path: Any) -> int:
        return int(obj)

    def _encode(self, obj: int, context: Any, path: Any) -> bytes:
        return b"%0*d" % (self.subcon.sizeof(), obj)


def _struct(fields: list[tuple[str, int]]) -> Any:
    parts = [
        name / (_Number if name in _NUMBERS else _Text)(construct.Bytes(width)) for name, width in fields
    ]
    return construct.Struct(*parts, construct.Const(b"\n")).compile()


def columns_of(items: range, share: int) -> dict[str, list[Any]]:
    """Payments for these items; each `share`-th has an addenda, with 0 none."""
    return {
        "attempt.item": list(items),
        "payment.bank_code": [_BANKS[item % 3] for item in items],
        "payment.account": [f"{item:012d}" for item in items],
        "payment.amount": [100 + item % 90_000 for item in items],
        "payment.payee_name": [f"PAYEE {item % 977}" for item in items],
        "payment.summary": [f"NOVEMBER {item}" if share and item % share == 0 else "" for item in items],
        "group.item": [item // BATCH for item in items],
    }


class Chunks:
    """Chunks made beforehand."""

    def __init__(self, records: int, share: int) -> None:
        spans = [range(start, min(start + CHUNK, records)) for start in range(0, records, CHUNK)]
        self._chunks = [
            RecordChunk(
                record="payment",
                count=len(span),
                columns=columns_of(range(span.start + 1, span.stop + 1), share),
            )
            for span in spans
        ]
        self.total_minor = sum(sum(chunk.columns["payment.amount"]) for chunk in self._chunks)

    def __iter__(self) -> Iterator[RecordChunk]:
        return iter(self._chunks)


def make_identity(records: int, total_minor: int) -> FileIdentity:
    """The file's identity."""
    return FileIdentity(
        bank="bench",
        sequence=7,
        name="BENCH.ACH",
        message_id="1",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        bank_day=date(2026, 1, 2),
        count=records,
        total_minor=total_minor,
        profile=_PROFILE,
    )


def run(records: int = 200_000) -> list[Ratio]:
    """Both ways, over entries alone and over entries of which every tenth has an addenda."""
    return [
        *_both_ways(records, 0, "entries", 7),
        *_both_ways(records, 10, "tenth addenda", NESTED_READ_WANTED),
    ]


def _both_ways(records: int, share: int, what: str, read_wanted: float) -> list[Ratio]:
    codec = Registry().get("nacha-request")
    chunks = Chunks(records, share)
    identity = make_identity(records, chunks.total_minor)
    encoded = b"".join(codec.encode(identity, chunks))
    structs = {b"6": _struct(_ENTRY), b"7": _struct(_ADDENDA)}
    few = max(1, records // SLOW_PART)
    lines = [line + b"\n" for line in encoded[: few * 115].split(b"\n") if line[:1] in structs][:few]
    pairs = [(structs[line[:1]], line) for line in lines]
    dicts = [(struct, struct.parse(line)) for struct, line in pairs]
    if b"".join(struct.build(values) for struct, values in dicts) != b"".join(lines):
        sys.exit("construct and the layout disagree")
    entries = sum(line[:1] == b"6" for line in lines)
    gc.freeze()
    write = compare(
        lambda: [struct.build(values) for struct, values in dicts],
        lambda: sum(map(len, codec.encode(identity, chunks))),
    )
    read = compare(
        lambda: [struct.parse(line) for struct, line in pairs],
        lambda: _drain(codec, encoded, records),
    )
    gc.unfreeze()
    return [
        Ratio(
            name=f"NACHA {way}, {what}",
            baseline="construct, compiled",
            baseline_microseconds=slow / entries * 1e6,
            our_microseconds=fast / records * 1e6,
            unit="entry",
            wanted=wanted,
        )
        for way, wanted, (slow, fast) in (("write", 8, write), ("read", read_wanted, read))
    ]


def _drain(codec: Any, encoded: bytes, records: int) -> None:
    decoder = codec.decode(io.BytesIO(encoded))
    if sum(chunk.count for chunk in decoder) != records or decoder.problems:
        sys.exit("the file was not read back whole")


if __name__ == "__main__":
    for ratio in run(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000):
        print(ratio.line())
