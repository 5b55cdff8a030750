"""Every bench still runs: a figure that nobody can measure again is none. Small, and no time is judged."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.heavy
@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", ["fixed", "xml", "nacha", "statements", "settle", "safety", "rules", "end"])
def test_it_runs(part: str) -> None:
    """`keys` and `sftp` have one size only: `make bench` runs them."""
    sizes = [f"--{of}=2000" for of in ("records", "outcomes", "payments")]
    ended = subprocess.run(
        [sys.executable, "-m", "tests.bench", "--only", part, *sizes],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "us/" in ended.stdout
