"""Whatever the bytes: a `BatchError` or problems, never another exception; and memory stays."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from formats.errors import BatchError
from formats.records import Payment
from formats.standard import open_batch, write_batch
from tests.standard.samples import batch_of, csv_text, payment, read

CSV = csv_text(
    [",".join(["P1", "1.00", "rural-credit", "60000000123", "card", "张三", "1"])], 1, "1.00"
).encode()
JSON = (
    b'{"batch_id":"B","source_platform":"y","declared_count":1,"declared_total":"1"}\n'
    b'{"payment_id":"P1","amount":"1.00"}\n'
)
damages = [b'"', b"\n", b",", b"\r", b"\0", b'\\ud800"', b"{", b"1e5"]
pieces = st.binary(max_size=6) | st.sampled_from(damages)
splices = st.lists(st.tuples(st.integers(0, len(CSV)), st.integers(0, 9), pieces), max_size=5)
beginnings = st.sampled_from([b"", CSV, JSON, b"{", b"PK\x03\x04", b"batch_id,"])


def never_another_exception(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    try:
        reader = open_batch(path)
    except BatchError:
        return
    _, problems, lines = read(reader)
    assert len(reader.digest_sha256) == 64
    assert problems or lines


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=beginnings, rest=st.binary(max_size=200))
def test_any_bytes(tmp_path: Path, start: bytes, rest: bytes) -> None:
    never_another_exception(tmp_path / "batch", start + rest)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(original=st.sampled_from([CSV, JSON]), changes=splices)
def test_any_damage(tmp_path: Path, original: bytes, changes: list[tuple[int, int, bytes]]) -> None:
    content = original
    for place, length, instead in changes:
        content = content[:place] + instead + content[place + length :]
    never_another_exception(tmp_path / "batch", content)


def peak_of_reading(path: Path) -> int:
    tracemalloc.start()
    try:
        with open_batch(path) as reader:
            for chunk in reader:
                assert chunk.problems == []
            assert reader.final_problems == []
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.heavy
@pytest.mark.parametrize("file_format", ["csv", "jsonl"])
def test_200_000_payments_are_read_in_the_memory_of_a_few_chunks(tmp_path: Path, file_format: str) -> None:
    count = 200_000

    def payments() -> Iterator[Payment]:
        return (payment(order, amount_minor=100) for order in range(count))

    batch = batch_of([], declared_count=count, declared_total_minor=100 * count)
    write_batch(tmp_path / "batch", batch, payments(), file_format)
    # 16 bytes a payment to find repeated ids, more while the end compares them.
    assert peak_of_reading(tmp_path / "batch") < 60 * count + 16_000_000
