"""Memory does not grow with the batch or the file: measured in processes of their own."""

from __future__ import annotations

import pytest

from tests.bench.bench_end import MEBIBYTE, EndToEnd, measure
from tests.bench.big_file import measured_apart

PERMITTED_GROWTH_MEBIBYTES = 48
"""For 150,000 more payments. A list of the rows' problems, names or keys would take more:
one object of 400 bytes a payment is 57 MiB. What does grow is 16 bytes a row for repeated ids."""

PERMITTED_FILE_BYTES = 150_000_000
"""Of the process that writes and reads a file of any size, interpreter and libraries included."""

PERMITTED_FILE_GROWTH_BYTES = 6 << 20
"""For 100,000 more records: an integer in a list would take 3 MiB, a text or a tuple more than this."""


@pytest.mark.parametrize("kind", ["fixed", "nacha", "xml", "schema", "camt053", "statement"])
def test_six_times_the_records_take_no_more_memory(kind: str) -> None:
    small, large = measured_apart(kind, 20_000), measured_apart(kind, 120_000)
    assert large.size_bytes > 5 * small.size_bytes
    assert large.peak_bytes - small.peak_bytes <= PERMITTED_FILE_GROWTH_BYTES
    assert large.peak_bytes < PERMITTED_FILE_BYTES


@pytest.mark.heavy
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("kind", "records", "least_bytes"),
    [
        ("fixed", 10_000_000, 2_560_000_000),
        ("nacha", 2_000_000, 200_000_000),
        ("xml", 2_000_000, 700_000_000),
        ("schema", 5_400_000, 2**31),
        ("camt053", 1_000_000, 500_000_000),
        ("statement", 10_000_000, 1_000_000_000),
    ],
)
def test_a_file_of_any_size_takes_little_memory(kind: str, records: int, least_bytes: int) -> None:
    """Ten million records; and what counts bytes or lines in 31 bits would break."""
    file = measured_apart(kind, records)
    assert file.size_bytes >= least_bytes
    assert file.peak_bytes < PERMITTED_FILE_BYTES


@pytest.mark.heavy
@pytest.mark.timeout(1800)
def test_four_times_the_payments_take_no_more_memory() -> None:
    small, large = measure(50_000), measure(200_000)
    assert (small.whole, large.whole) == (True, True)
    grown = (large.peak_bytes - small.peak_bytes) / MEBIBYTE
    assert grown <= PERMITTED_GROWTH_MEBIBYTES, _by_stage(small, large)


def _by_stage(small: EndToEnd, large: EndToEnd) -> dict[str, tuple[int, int]]:
    """MiB of each stage, for the message."""
    return {
        one.name: (one.peak_bytes // MEBIBYTE, other.peak_bytes // MEBIBYTE)
        for one, other in zip(small.stages, large.stages, strict=True)
    }
