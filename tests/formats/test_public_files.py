"""Public bank files against docs/standards.md, and their totals recomputed a second time, by hand."""

from __future__ import annotations

import io
from pathlib import Path

from lxml import etree

from tests.formats.public_files import PAGE, codec_for, examine, page, public_files, raw_of


def test_the_page_says_what_is_found(samples: Path) -> None:
    assert page(samples) == PAGE.read_text("utf-8")


def test_where_it_is_claimed_the_same_bytes_are_written(samples: Path) -> None:
    claimed = {
        finding.path.rpartition("/")[2]: finding.same
        for path, layout in public_files(samples)
        if (finding := examine(samples, path, layout)).same is not None
    }
    assert claimed == dict.fromkeys(
        (
            "cor-example.ach",
            "ppd-credit.ach",
            "ppd-mixedDebitCredit.ach",
            "two-micro-deposits.ach",
            "PPD-200-batches-100000-entries.ach.gz",
        ),
        True,
    )


def test_nacha_totals_by_slices(samples: Path) -> None:
    """The plainest of readers: slices of lines, and nothing of ours."""
    for path, layout in public_files(samples):
        raw = raw_of(path)
        if (
            not layout.startswith("nacha")
            or len(raw.splitlines()) < 5
            or examine(samples, path, layout).totals != "agree"
        ):
            continue
        lines = [line.decode("ascii") for line in raw.splitlines() if not line.startswith(b"9999")]
        entries = [line for line in lines if line[0] == "6"]
        control = next(line for line in lines if line[0] == "9")
        debits = sum(int(line[29:39]) for line in entries if line[2] in "56789")
        credits = sum(int(line[29:39]) for line in entries if line[2] in "01234")
        counted = len(entries) + sum(line[0] == "7" for line in lines)
        entry_hash = sum(int(line[3:11]) for line in entries) % 10**10
        stated = (int(control[13:21]), int(control[21:31]), int(control[31:43]), int(control[43:55]))
        assert (counted, entry_hash, debits, credits) == stated, path
        facts = codec_for(layout, raw).decode(io.BytesIO(raw))
        assert sum(chunk.count for chunk in facts) == len(entries)


def test_cnab_totals_by_slices(samples: Path) -> None:
    for path, layout in public_files(samples):
        if not layout.startswith("cnab"):
            continue
        lines = [line.decode("latin-1") for line in path.read_bytes().splitlines()]
        trailer = lines[-1]
        stated = int(trailer[17:23]), int(trailer[23:29])
        counted = sum(line[7] == "1" for line in lines), len(lines)
        verdict = examine(samples, path, layout).totals
        assert (verdict == "agree") == (stated == counted) or verdict == "not reached", path


def test_pain_totals_by_counting_elements(samples: Path) -> None:
    for path, layout in public_files(samples):
        verdict = examine(samples, path, layout).totals
        if "pain001" not in layout or verdict == "not reached":
            continue
        root = etree.parse(str(path)).getroot()
        stated = root.findtext("{*}CstmrCdtTrfInitn/{*}GrpHdr/{*}NbOfTxs")
        counted = len(root.findall("{*}CstmrCdtTrfInitn/{*}PmtInf/{*}CdtTrfTxInf"))
        assert (verdict == "agree") == (stated == str(counted)), path
