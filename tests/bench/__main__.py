"""`make bench`: every speed as a ratio to a baseline of the same run, then the main path.

    python -m tests.bench [--records N] [--outcomes N] [--payments N]
                          [--only fixed|xml|nacha|statements|keys|sftp|settle|safety|rules|end]

Prints; never fails because of time. What the figures mean stands in docs/performance.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
from collections.abc import Callable

from tests.bench import (
    bench_end,
    bench_fixed,
    bench_keys,
    bench_nacha,
    bench_rules,
    bench_safety,
    bench_settle,
    bench_sftp,
    bench_statements,
    bench_xml,
)
from tests.bench.measure import Ratio

SAFETY_PART = 5
"""The way is gone six times for `safety`, over so much less."""
_NOISE = (
    "CPU time of this process, baseline and ours by turns, best of three. On a machine that others use"
    " single figures move by a third; ratios by about a tenth."
)


def main() -> None:
    """Run the chosen benches, one after the other."""
    options = _options()
    ratios: dict[str, Callable[[], list[Ratio]]] = {
        "fixed": lambda: bench_fixed.run(options.records),
        "xml": lambda: bench_xml.run(options.records),
        "nacha": lambda: bench_nacha.run(options.records),
        "statements": lambda: bench_statements.run(options.records),
        "keys": bench_keys.run,
        "sftp": bench_sftp.run,
        "settle": lambda: bench_settle.run(options.outcomes),
        "safety": lambda: bench_safety.run(options.payments // SAFETY_PART),
        "rules": lambda: bench_rules.run(options.payments),
    }
    print(f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores, ", end="")
    print(f"load {os.getloadavg()[0]:.1f}; {options.records} records of 256 bytes and 12 fields")
    print(_NOISE)
    print(f"  {'what':28} {'baseline':30} {'baseline':>10} {'ours':>10} {'':9} {'ratio':>6}")
    for name, run in ratios.items():
        if options.only in (None, name):
            if name == "sftp" and shutil.which("sshd") is None and not os.path.exists("/usr/sbin/sshd"):
                print("  sftp: left out, there is no sshd (apt-get install openssh-server)")
                continue
            for ratio in run():
                print(ratio.line(), flush=True)
    if options.only in (None, "end"):
        bench_end.report(bench_end.measure(options.payments))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--records", type=int, default=200_000, metavar="N", help="for fixed, xml, nacha, statements"
    )
    parser.add_argument("--outcomes", type=int, default=200_000, metavar="N", help="for settle")
    parser.add_argument(
        "--payments", type=int, default=100_000, metavar="N", help="for end; a fifth for safety"
    )
    parser.add_argument(
        "--only",
        choices=("fixed", "xml", "nacha", "statements", "keys", "sftp", "settle", "safety", "rules", "end"),
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
