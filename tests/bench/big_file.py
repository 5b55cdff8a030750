"""A file of any size, written and read in one process, and what memory that took at most.

    python -m tests.bench.big_file fixed|nacha|xml|schema|camt053|statement RECORDS

What is written is read at once, block by block: nothing is on disk, and the memory is that of both.
`schema` checks what is written instead of reading it; `camt053` and `statement` are statements, as a bank
writes them, that are read only. Prints JSON.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from msgspec import Struct

from formats import CHUNK_RECORDS, Codec, FileIdentity, RecordChunk
from formats.language.layout import parse_layout, read_layout
from formats.registry import Registry, compile_layout
from formats.xml.codec import compile_xml
from formats.xml.schema import read_schema
from tests.bench import bench_fixed, bench_nacha, bench_statements, bench_xml
from tests.bench.measure import peak_bytes


class BigFile(Struct, frozen=True):
    """What became of it. `peak_bytes` is of the whole process, interpreter and libraries included."""

    records: int
    size_bytes: int
    peak_bytes: int
    cpu_seconds: float


class Chunks:
    """Chunks made when they are asked for, as often as they are."""

    def __init__(self, records: int, columns: Callable[[range], dict[str, list[Any]]]) -> None:
        self._records, self._columns = records, columns

    def __iter__(self) -> Iterator[RecordChunk]:
        for start in range(1, self._records + 1, CHUNK_RECORDS):
            items = range(start, min(start + CHUNK_RECORDS, self._records + 1))
            yield RecordChunk(record="payment", count=len(items), columns=self._columns(items), lines=items)


class Stream(io.RawIOBase):
    """Blocks as a stream."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._rest = b""
        self.size_bytes = 0

    def read(self, size: int = -1) -> bytes:
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return b""
            self._rest = block
        found, self._rest = self._rest[:size], self._rest[size:]
        self.size_bytes += len(found)
        return found


def fixed_columns(items: range) -> dict[str, list[Any]]:
    """Results of 256 bytes in GB18030; every twentieth failed."""
    count = len(items)
    return {
        "attempt.reference": [f"{item:020d}" for item in items],
        "payment.account": ["6231990000001208674"] * count,
        "payment.payee_name": ["王小明"] * count,
        "payment.bank_code": ["102100099996"] * count,
        "payment.bank_name": ["测试农村商业银行股份有限公司"] * count,
        "payment.region": ["岱庙街道"] * count,
        "outcome.amount": [item % 500_000 + 1 for item in items],
        "outcome.code": ["49" if item % 20 == 0 else "AAAAAAA" for item in items],
        "outcome.serial": ["000000000001"] * count,
        "outcome.bank_text": ["户名不符" if item % 20 == 0 else "" for item in items],
    }


def measured(kind: str, records: int) -> BigFile:
    """Write and read it here."""
    before = time.process_time()
    size_bytes = _KINDS[kind](records)
    return BigFile(records, size_bytes, peak_bytes(), time.process_time() - before)


def measured_apart(kind: str, records: int) -> BigFile:
    """The same in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.big_file", kind, str(records)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return BigFile(**json.loads(done.stdout))


def _fixed(records: int) -> int:
    codec = compile_layout(parse_layout(bench_fixed.LAYOUT, "bench"))
    return _through(codec, bench_fixed.make_identity(records), Chunks(records, fixed_columns))


def _nacha(records: int) -> int:
    total_minor = sum(100 + item % 90_000 for item in range(1, records + 1))
    chunks = Chunks(records, lambda items: bench_nacha.columns_of(items, 10))
    return _through(Registry().get("nacha-request"), bench_nacha.make_identity(records, total_minor), chunks)


def _xml(records: int) -> int:
    codec = compile_xml(read_layout(bench_xml.LAYOUTS / "iso20022-pain002-result.toml"))
    return _through(codec, bench_xml.make_identity(records), Chunks(records, bench_xml.result_columns))


def _schema(records: int) -> int:
    codec = compile_xml(read_layout(bench_xml.LAYOUTS / "iso20022-pain001-request.toml"))
    blocks = codec.encode(bench_xml.make_identity(records), Chunks(records, bench_xml.request_columns))
    return sum(map(len, read_schema(bench_xml.SCHEMA).checked(blocks, "request")))


def _camt053(records: int) -> int:
    return _read(bench_statements.camt_codec(), bench_statements.camt_blocks(records), records)


def _statement(records: int) -> int:
    return _read(bench_statements.delimited_codec(), bench_statements.delimited_blocks(records), records)


_KINDS: dict[str, Callable[[int], int]] = {
    "fixed": _fixed,
    "nacha": _nacha,
    "xml": _xml,
    "schema": _schema,
    "camt053": _camt053,
    "statement": _statement,
}


def _read(codec: Codec, blocks: Iterable[bytes], records: int) -> int:
    stream = Stream(blocks)
    decoder = codec.decode(stream)  # type: ignore[arg-type]
    count = sum(chunk.count for chunk in decoder if chunk.record == "statement")
    if count != records or decoder.problems:
        raise AssertionError(f"{count} of {records} bookings read: {decoder.problems[:3]}")
    return stream.size_bytes


def _through(codec: Codec, identity: FileIdentity, chunks: Chunks) -> int:
    stream = Stream(codec.encode(identity, chunks))
    decoder = codec.decode(stream)  # type: ignore[arg-type]
    count = sum(chunk.count for chunk in decoder)
    if count != identity.count or decoder.problems:
        raise AssertionError(f"{count} of {identity.count} records read back: {decoder.problems[:3]}")
    return stream.size_bytes


if __name__ == "__main__":
    found = measured(sys.argv[1], int(sys.argv[2]))
    print(json.dumps({name: getattr(found, name) for name in found.__struct_fields__}))
