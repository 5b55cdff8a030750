"""What our layouts find in public bank files: one line of docs/standards.md a file.

`BANKGATE_SAMPLES=folder python -m tests.formats.public_files` writes the page. The files stay where
they are; the page holds counts, places and kinds of findings, never a name or an account.
"""

from __future__ import annotations

import gzip
import io
import os
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from msgspec import Struct

from formats.codec import Codec, Purpose
from formats.errors import DecodeError
from formats.language.layout import parse_layout
from formats.records import FileIdentity, Problem, RecordChunk
from formats.registry import SHIPPED_FOLDER, compile_layout

PAGE = Path(__file__).parents[2] / "docs" / "standards.md"
RETURNS = (
    "cor-example.ach",
    "return-WEB.ach",
    "return-PPD-custom-reason-code.ach",
    "bh-ed-ad-bh-ed-ad-ed-ad.ach",
)
_TOTALS = ("total-differs", "number-differs", "fill-lines", "child-differs")
_HEAD = """<!-- Made by `python -m tests.formats.public_files` from public files; do not edit. -->
# Public files

Every NACHA, CNAB 240, pain and camt file of a folder of public examples, read by the layouts that ship,
with every check on. The files are not part of the project; `BANKGATE_SAMPLES` names their folder, and a test
holds this page against them. **Totals** are recomputed from the records. **Written again** says whether the
same bytes come out (a last line end apart); that is claimed for a file in which nothing is odd and
nothing was read over.

| file | layout | rows | totals | written again | found |
|---|---|---|---|---|---|
"""


class Finding(Struct, frozen=True):
    """What was found in one file. `same`: the bytes written again, None where that is not claimed."""

    path: str
    layout: str
    rows: dict[str, int]
    totals: str
    same: bool | None
    found: str

    def line(self) -> str:
        """One line of the table."""
        rows = ", ".join(f"{count} {record}" for record, count in self.rows.items()) or "none"
        again = {True: "the same bytes", False: "OTHER BYTES", None: "not claimed"}[self.same]
        found = self.found or "nothing odd"
        return f"| `{self.path}` | `{self.layout}` | {rows} | {self.totals} | {again} | {found} |"


def public_files(samples: Path) -> Iterator[tuple[Path, str]]:
    """Every file with the layout that reads it."""
    for path in sorted((samples / "nacha").rglob("*")):
        if path.suffix in (".ach", ".txt", ".gz"):
            yield path, "nacha-result" if path.name in RETURNS else "nacha-request"
    for path in sorted((samples / "cnab240").rglob("*")):
        if path.is_file():
            answers = path.suffix == ".ret"
            yield path, "cnab240-payment-result" if answers else "cnab240-payment-request"
    for kind, layout in (
        ("pain001", "iso20022-pain001-v03-request"),
        ("pain002", "iso20022-pain002-v03-result"),
        ("camt053", "iso20022-camt053-statement"),
        ("camt054", "iso20022-camt054-statement"),
    ):
        for path in sorted((samples / "iso20022" / kind).glob("*.xml")):
            yield path, layout


def raw_of(path: Path) -> bytes:
    """A file's bytes, unpacked."""
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def codec_for(layout: str, raw: bytes) -> Codec:
    """The layout with the file's own line end, which papers leave to the transmission."""
    text = (SHIPPED_FOLDER / f"{layout}.toml").read_text("utf-8")
    written, other = ('eol = "crlf"', 'eol = "lf"') if b"\r\n" not in raw else ('eol = "lf"', 'eol = "crlf"')
    return compile_layout(parse_layout(text.replace(written, other), layout))


def examine(samples: Path, path: Path, layout: str) -> Finding:
    """Read one file, recompute its totals, write it again."""
    raw = raw_of(path)
    codec = codec_for(layout, raw)
    place = str(path.relative_to(samples))
    decoder = codec.decode(io.BytesIO(raw))
    try:
        chunks = list(decoder)
    except DecodeError as refusal:
        return Finding(
            place, layout, {}, "not reached", None, f"refused: {_words(refusal.problems[0], layout)}"
        )
    rows: Counter[str] = Counter()
    for chunk in chunks:
        rows[chunk.record] += chunk.count
    tolerated = decoder.facts.get("tolerated", {})
    wrong = [problem for problem in decoder.problems if problem.code in _TOTALS]
    others = [problem for problem in decoder.problems if problem.code not in _TOTALS]
    declared = bool(decoder.facts["declared"])
    totals = "agree" if declared else "none declared"
    if wrong:
        totals = "the file's own fault: " + "; ".join(dict.fromkeys(_words(one, layout) for one in wrong[:3]))
    found = [f"{name.replace('-', ' ')} {one['count']} times" for name, one in tolerated.items()]
    found += list(dict.fromkeys(_words(one, layout) for one in others))[:3]
    odd = bool(decoder.problems) or set(tolerated) - {"final-eol"} or place.endswith(".xml") or not rows
    same = None if odd else _written_again(codec, raw, chunks, decoder.facts)
    return Finding(place, layout, dict(rows), totals, same, "; ".join(found))


def _written_again(codec: Codec, raw: bytes, chunks: list[RecordChunk], facts: dict[str, Any]) -> bool:
    made = b"".join(codec.encode(_identity(codec, chunks, facts), chunks))
    return made.rstrip(b"\r\n") == raw.rstrip(b"\r\n")


def _identity(codec: Codec, chunks: list[RecordChunk], facts: dict[str, Any]) -> FileIdentity:
    """What the file says of itself."""
    payments = [chunk for chunk in chunks if chunk.record == "payment"]
    day, clock = facts.get("file.created_on", date(2020, 1, 1)), facts.get("file.created_at", time())
    created = clock if isinstance(clock, datetime) else datetime.combine(day, clock or time())
    request = codec.purpose is Purpose.REQUEST
    amount = "payment.amount" if request else "outcome.amount"
    return FileIdentity(
        bank="public",
        sequence=1,
        name="public",
        message_id=str(facts.get("file.message_id", "")),
        created_at=created,
        bank_day=facts.get("file.bank_day") or day,
        count=sum(chunk.count for chunk in payments),
        total_minor=sum(sum(filter(None, chunk.columns.get(amount, ()))) for chunk in payments),
        profile={name[8:]: value for name, value in facts.items() if name.startswith("profile.")},
    )


def _words(problem: Problem, layout: str) -> str:
    """A problem without the layout's name, in one line of a table."""
    return problem.message.removeprefix(layout).removeprefix(":").strip().replace("|", "/")


def page(samples: Path) -> str:
    """docs/standards.md."""
    lines = [examine(samples, path, layout).line() for path, layout in public_files(samples)]
    return _HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(Path(os.environ["BANKGATE_SAMPLES"])), "utf-8")
