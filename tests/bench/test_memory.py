"""The gateway's memory does not grow with the batch: measured in a process of its own."""

from __future__ import annotations

import pytest

from tests.bench.bench_end import MEBIBYTE, EndToEnd, measure

PERMITTED_GROWTH_MEBIBYTES = 48
"""For 150,000 more payments. A list of the rows' problems, names or keys would take more:
one object of 400 bytes a payment is 57 MiB. What does grow is 16 bytes a row for repeated ids."""


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
