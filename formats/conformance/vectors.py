"""Golden vectors: a file of the bank, and beside it as JSON what it means.

    vectors/LAYOUT/NAME.txt      the bytes, exactly as the bank gives or takes them; any ending
    vectors/LAYOUT/NAME.json     what they say

The JSON (`Expected`) says either what is read, or by which code the file is refused. A vector is
written by hand, from the bank's paper; `draft` is made by the kit and counts for nothing until a
person has held it against the paper and taken the mark away.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from formats.codec import Codec
from formats.conformance.content import Content, Reading, Refusal, read
from formats.records import FileIdentity, Problem
from formats.reference import parse_reference

VECTORS = "vectors"
MAXIMUM_VECTOR_BYTES = 1 << 20
"""A golden file is short: each of its bytes is changed in turn."""

_CHINA = timezone(timedelta(hours=8))
USUAL = FileIdentity(
    bank="example-bank",
    sequence=7,
    name="EXAMPLE-0007",
    message_id="M0007",
    created_at=datetime(2026, 1, 2, 9, 30, tzinfo=_CHINA),
    bank_day=date(2026, 1, 2),
    count=0,
    total_minor=0,
    original_name="EXAMPLE-0006",
    original_message_id="M0006",
)
"""What a file is taken to be where neither it nor its JSON says so."""

_TEXT_FACTS = ("name", "message_id", "currency", "original_name", "original_message_id", "code", "text")


class RefusedAs(Struct, frozen=True, forbid_unknown_fields=True):
    """The first problem of a file that is not taken; `line` where the file has lines."""

    code: str
    line: int | None = None


class Meaningless(Struct, frozen=True, forbid_unknown_fields=True):
    """Bytes, 1-based and both included, that the bank's paper says mean nothing, and why."""

    first: int
    last: int
    why: str


class RowTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Many rows in few words: `columns` once, a list of cells a row, and in `same` what stands in all.

    A null is a cell that says nothing.
    """

    columns: list[str]
    rows: list[list[Any]]
    same: dict[str, Any] = {}

    def __post_init__(self) -> None:
        uneven = [number for number, row in enumerate(self.rows, 1) if len(row) != len(self.columns)]
        if uneven:
            raise ValueError(f"row {uneven[0]} of a table has not {len(self.columns)} cells")

    def unfolded(self) -> list[dict[str, Any]]:
        return [self.same | dict(zip(self.columns, row, strict=True)) for row in self.rows]


class Expected(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The JSON of a vector. `identity` is what neither file nor default says of the file.

    `records` are rows by record, `problems` the codes of what does not add up. `rewritten` is
    true where the codec writes the same bytes again, else why it does not. `only_read`: the file is
    read, compared and written again, and no other file is made of it, as too many would be.
    """

    note: str = ""
    draft: bool = False
    only_read: bool = False
    identity: dict[str, Any] = {}
    records: dict[str, list[dict[str, Any]] | RowTable] = {}
    facts: dict[str, Any] = {}
    problems: list[str] = []
    refused: RefusedAs | None = None
    rewritten: bool | str = True
    meaningless: list[Meaningless] = []


class Vector(Struct, frozen=True, kw_only=True):
    """A golden file. `reading` is what the codec makes of it, `identity` what it was read with."""

    path: Path
    raw: bytes
    expected: Expected
    identity: FileIdentity
    reading: Reading

    @property
    def name(self) -> str:
        return f"{self.path.parent.name}/{self.path.name}"

    @property
    def content(self) -> Content | None:
        """What the file says, where it is one that is taken."""
        return self.reading if isinstance(self.reading, Content) else None


def load_vectors(folder: Path, codec: Codec) -> tuple[list[Vector], list[Problem]]:
    """Every vector of a layout, and what is wrong with their files. [] where there is no folder."""
    vectors: list[Vector] = []
    problems: list[Problem] = []
    files = sorted(path for path in folder.glob("*") if path.is_file()) if folder.is_dir() else []
    texts = {path.stem: path for path in files if path.suffix == ".json"}
    for path in files:
        if path.suffix == ".json" or path.name.startswith("."):
            continue
        text = texts.pop(path.stem, None)
        vector = _load(path, text, codec, problems)
        if vector is not None:
            vectors.append(vector)
    for stem, path in sorted(texts.items()):
        hint = f"put the bank's file beside it, as {stem}.txt"
        problems.append(_problem("vector-file", path, "the JSON of a file that is not there", hint))
    return vectors, problems


def _load(path: Path, text: Path | None, codec: Codec, problems: list[Problem]) -> Vector | None:
    if text is None:
        hint = f"write {path.stem}.json; `bankgate layout check --draft` makes one to begin with"
        problems.append(_problem("vector-meaning", path, "nothing says what the file means", hint))
        return None
    if path.stat().st_size > MAXIMUM_VECTOR_BYTES:
        hint = "keep a few records of each kind"
        problems.append(_problem("vector-size", path, f"over {MAXIMUM_VECTOR_BYTES} bytes", hint))
        return None
    try:
        expected = msgspec.json.decode(text.read_bytes(), type=Expected)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        hint = "its keys are in docs/conformance.md"
        problems.append(_problem("vector-json", text, f"not understood: {error}", hint))
        return None
    if expected.draft:
        hint = "hold it against the bank's paper, then take the line away"
        problems.append(_problem("vector-draft", text, "a draft that nobody has looked at", hint))
        return None
    raw = path.read_bytes()
    try:
        identity = identity_of(read(codec, raw), expected.identity)
    except (msgspec.ValidationError, ValueError) as error:
        problems.append(
            _problem("vector-json", text, f"identity not understood: {error}", "see FileIdentity")
        )
        return None
    reading = read(codec, raw, identity)
    return Vector(path=path, raw=raw, expected=expected, identity=identity, reading=reading)


def draft_of(codec: Codec, raw: bytes) -> Expected:
    """What the codec makes of a file, to be held against the bank's paper by a person."""
    reading = read(codec, raw)
    if isinstance(reading, Content):
        records: dict[str, list[dict[str, Any]] | RowTable] = {**reading.records}
        return Expected(draft=True, records=records, facts=reading.facts, problems=reading.problems)
    if isinstance(reading, Refusal):
        return Expected(draft=True, refused=RefusedAs(reading.problem.code, reading.problem.line))
    return Expected(draft=True, note=f"the codec fails with {reading.kind}")


def identity_of(reading: Reading, changes: dict[str, Any]) -> FileIdentity:
    """What a file says of itself, over what is usual; `changes` have the last word.

    Raises `msgspec.ValidationError` and ValueError where `changes` are no fields of an identity.
    """
    values: dict[str, Any] = msgspec.to_builtins(USUAL)
    if isinstance(reading, Content):
        values |= _said(reading)
    unknown = changes.keys() - values.keys()
    if unknown:
        raise ValueError(f"no such field: {', '.join(sorted(unknown))}")
    for name in ("agreement", "profile"):
        changes = {**changes, name: values[name] | changes.get(name, {})}
    return msgspec.convert(values | changes, FileIdentity)


def _said(content: Content) -> dict[str, Any]:
    facts = content.facts
    payments = content.records.get("payment", [])
    values: dict[str, Any] = {
        "count": facts.get("file.count", len(payments)),
        "total_minor": facts.get("file.total", sum(row.get("payment.amount", 0) for row in payments)),
        "agreement": _family(facts, "agreement."),
        # What a scope says may come from the profile when it is written.
        "profile": _family(facts, "profile.") | _family(facts, "group."),
    }
    values |= {name: facts[f"file.{name}"] for name in _TEXT_FACTS if f"file.{name}" in facts}
    values |= {name: facts[f"file.{name}"] for name in ("sequence", "bank_day") if f"file.{name}" in facts}
    reference = payments[0].get("attempt.reference", "") if payments else ""
    if (parsed := parse_reference(reference)) and "file.sequence" not in facts:
        values["sequence"] = parsed[0]
    values["created_at"] = _created_at(facts)
    return values


def _family(facts: dict[str, Any], prefix: str) -> dict[str, str]:
    return {name.removeprefix(prefix): value for name, value in facts.items() if name.startswith(prefix)}


def _created_at(facts: dict[str, Any]) -> str:
    """One instant of what a file may say in two fields."""
    usual = USUAL.created_at.isoformat()
    day, clock = str(facts.get("file.created_on", "")), str(facts.get("file.created_at", ""))
    if "T" in clock:
        instant = datetime.fromisoformat(clock)
        return (instant if instant.tzinfo else instant.replace(tzinfo=_CHINA)).isoformat()
    if "-" in clock:
        day, clock = clock, ""
    return f"{day or usual[:10]}T{(clock or usual[11:19]).ljust(8, '0') if clock else usual[11:19]}+08:00"


def _problem(code: str, path: Path, message: str, hint: str) -> Problem:
    name = f"{path.parent.name}/{path.name}"
    return Problem(code=code, message=f"{name}: {message}", source=name, hint=hint)
