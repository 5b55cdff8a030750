"""The layout language: TOML into a checked `Layout`, every mistake reported together.

The language is described in `docs/layouts.md`. This module reads the envelope; tables are
read in `table.py`, and what must agree across a layout is in `checks.py`.
Layouts come from disk and decide about money: a layout with any mistake is not loaded.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path
from typing import Any

from formats.characters import Substitution, read_permitted, read_substitution
from formats.codec import Purpose
from formats.errors import LayoutError
from formats.language.checks import check_layout
from formats.language.codes import read_file_codes, read_outcome_codes
from formats.language.model import RETURNS, TOLERANCES, Field, Frame, Framing, Layout, Record, Syntax
from formats.language.source import LayoutSource
from formats.language.structure import read_structure
from formats.language.table import read_records, read_xml_table, split_cells, told_by_numbers
from formats.records import Problem

LANGUAGE_VERSION = "2"
"""Enters the digest of every layout: raised when the same text would make other bytes."""

MAXIMUM_SOURCE_BYTES = 1_000_000

GUESSED = "# ?"
"""Behind a line of a draft: something in it is a guess that nobody has confirmed."""

_TOML_LINE = re.compile(r"\(at line (\d+)")

UNKNOWN = "???"
"""In a draft: what could not be guessed."""

_FOLLOWERS = (
    "offset",
    "record-bytes",
    "codes-missing",
    "codes-unused",
    "meaning-missing",
    "key-missing",
    "total",
)

ENVELOPE_KEYS: dict[str, type] = {
    "layout": str,
    "version": str,
    "purpose": str,
    "sources": list,
    "syntax": str,
    "framing": dict,
    "structure": str,
    "answers": str,
    "decimals": int,
    "silence": str,
    "returns": str,
    "key": str,
    "record": dict,
    "codes": dict,
    "characters": dict,
    "frame": dict,
    "namespaces": list,
    "table": str,
    "xml": dict,
}
REQUIRED_KEYS = ("layout", "version", "purpose", "syntax")
FRAMING_KEYS: dict[str, type] = {
    "encoding": str,
    "eol": str,
    "delimiter": str,
    "after_last": bool,
    "after_each_field": str,
    "final_eol": bool,
    "rare_form": str,
    "byte_order_mark": bool,
    "quote": str,
    "record_multiple": int,
    "fill_lines": dict,
    "comment": str,
    "tolerate": list,
}
SYNTAX_KEYS = {
    Syntax.FIXED: ("framing", "structure", "record"),
    Syntax.DELIMITED: ("framing", "structure", "record"),
    Syntax.XML: ("namespaces", "table", "xml", "framing"),
}
_LINES_FRAMING = {"encoding", "eol", "final_eol", "rare_form", "byte_order_mark", "comment", "tolerate"}
SYNTAX_FRAMING = {
    Syntax.FIXED: _LINES_FRAMING | {"after_each_field", "record_multiple", "fill_lines"},
    Syntax.DELIMITED: _LINES_FRAMING | {"delimiter", "after_last", "quote"},
    Syntax.XML: {"encoding", "byte_order_mark"},
}


def read_layout(path: Path) -> Layout:
    """Read and check a layout file (UTF-8). Raises `LayoutError` with every mistake, `OSError`."""
    raw = path.read_bytes()
    source = LayoutSource("", path.name)
    if len(raw) > MAXIMUM_SOURCE_BYTES:
        source.add("layout-size", None, f"{len(raw)} bytes, wanted at most {MAXIMUM_SOURCE_BYTES}")
        raise LayoutError(source.problems)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        source.add("layout-encoding", None, f"byte {error.start + 1} is not UTF-8")
        raise LayoutError(source.problems) from error
    return parse_layout(text, path.name)


def parse_layout(text: str, name: str) -> Layout:
    """Check a layout given as text; `name` is what its mistakes are told under."""
    text = text.replace("\r\n", "\n")
    source = LayoutSource(text, name)
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # Numbers of thousands of digits and deep nesting are no TOMLDecodeError.
        source.add("toml", _toml_line(text, str(error)), f"not TOML: {error}", hint=_toml_hint(str(error)))
        raise LayoutError(source.problems) from error
    layout = _read_document(source, document)
    _refuse_guesses(source)
    if layout is not None:
        check_layout(source, layout)
    if source.problems or layout is None:
        raise LayoutError(sorted(_first_told(source), key=lambda problem: problem.line or 0))
    return layout


def _first_told(source: LayoutSource) -> list[Problem]:
    """The mistakes, of a draft without those that may only follow from what it leaves open."""
    lines = source.text.split("\n")
    first = [problem for problem in source.problems if problem.code not in _FOLLOWERS]
    is_open = any(UNKNOWN in lines[problem.line - 1] for problem in first if problem.line)
    return first if is_open else source.problems


def _toml_line(text: str, error: str) -> int:
    """The line that the parser names; of a block without an end the line where it begins."""
    found = _TOML_LINE.search(error)
    if found is not None:
        return int(found[1])
    lines = text.rstrip("\n").split("\n")
    opened = [number for number, line in enumerate(lines, 1) if "'''" in line]
    return opened[-1] if "'''" in error and opened else len(lines)


def _toml_hint(error: str) -> str:
    missing = "a table ends with a line '''; here, or in a table before it, that line is missing"
    return missing if "'''" in error else ""


def _refuse_guesses(source: LayoutSource) -> None:
    """A draft is no layout: each of its guesses is told until a person has confirmed it."""
    for number, line in enumerate(source.text.split("\n"), 1):
        _, mark, guess = line.partition(GUESSED)
        if mark:
            what = guess.partition(";")[0].strip() or "something"
            hint = f"compare the line with the bank's paper, then take `{GUESSED}` away"
            source.add("unconfirmed", number, f"a guess that nobody has confirmed: {what}", hint=hint)


def _read_document(source: LayoutSource, document: dict[str, Any]) -> Layout | None:
    _check_keys(source, document, ENVELOPE_KEYS)
    for key in REQUIRED_KEYS:
        if key not in document:
            source.add("key-missing", None, f"no {key}", hint=f'write {key} = "..."')
    syntax = _one_of(source, document, "syntax", Syntax)
    purpose = _one_of(source, document, "purpose", Purpose)
    if syntax is None or purpose is None:
        return None
    for key in ("framing", "structure", "record", "namespaces", "table", "xml"):
        if key in document and key not in SYNTAX_KEYS[syntax]:
            source.add("key-syntax", source.line_of(key), f"{key} has no meaning in {syntax.value} files")
    outcome_codes, outcome_source = _codes(source, document, "outcome")
    file_codes, file_source = _codes(source, document, "file")
    framing = _framing(source, document.get("framing", {}), syntax)
    permitted, substitutions = _characters(source, document.get("characters", {}))
    digest = hashlib.sha256(f"{LANGUAGE_VERSION}\n{source.text}".encode()).hexdigest()
    return Layout(
        name=_text(document, "layout"),
        version=_text(document, "version"),
        purpose=purpose,
        syntax=syntax,
        framing=framing,
        source_name=source.name,
        digest=digest,
        sources=_texts(source, document, "sources"),
        answers=_text(document, "answers"),
        structure=() if syntax is Syntax.XML else read_structure(source, document.get("structure")),
        records=() if syntax is Syntax.XML else _records(source, document.get("record"), syntax, framing),
        table=_table(source, document, syntax),
        namespaces=_texts(source, document, "namespaces"),
        options=document["xml"] if isinstance(document.get("xml"), dict) else {},
        outcome_codes=read_outcome_codes(source, outcome_codes, bool(outcome_source))
        if outcome_codes
        else (),
        outcome_codes_source=outcome_source,
        file_codes=read_file_codes(source, file_codes, bool(file_source)) if file_codes else (),
        file_codes_source=file_source,
        decimals=_number(source, document, "decimals", 2),
        silence=_silence(source, document),
        returns=_returns(source, document),
        by_position=_by_position(source, document, syntax),
        frame=_frame(source, document),
        implied_code=_implied_code(document),
        permitted=permitted,
        substitutions=substitutions,
    )


def _check_keys(source: LayoutSource, table: dict[str, Any], keys: dict[str, type], *path: str) -> None:
    for key, value in table.items():
        line = source.line_of(*path, key) or source.line_of(*path)
        where = ".".join((*path, key))
        if key not in keys:
            source.add("key-unknown", line, f"no such key: {where}", hint=f"one of {', '.join(keys)}")
        elif type(value) is not keys[key]:
            source.add("key-type", line, f"{where} is not a {keys[key].__name__}")


def _one_of(source: LayoutSource, document: dict[str, Any], key: str, words: Any) -> Any:
    value = document.get(key)
    if value is None:
        return None
    permitted = [word.value for word in words]
    if value in permitted:
        return words(value)
    source.add(
        f"{key}-unknown",
        source.line_of(key),
        f"no such {key}: {value}",
        hint=f"one of {', '.join(permitted)}",
    )
    return None


def _text(document: dict[str, Any], key: str) -> str:
    value = document.get(key, "")
    return value if isinstance(value, str) else ""


def _texts(source: LayoutSource, document: dict[str, Any], key: str) -> tuple[str, ...]:
    values = document.get(key, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        source.add("key-type", source.line_of(key), f"{key} is not a list of texts")
        return ()
    return tuple(values)


def _framing(source: LayoutSource, table: object, syntax: Syntax) -> Framing:
    if not isinstance(table, dict):
        return Framing()
    line = source.line_of("framing")
    known: dict[str, Any] = {}
    options: dict[str, Any] = table
    for key, value in options.items():
        if key not in SYNTAX_FRAMING[syntax]:
            hint = f"one of {', '.join(sorted(SYNTAX_FRAMING[syntax]))}"
            source.add(
                "key-unknown", line, f"framing.{key} has no meaning in {syntax.value} files", hint=hint
            )
        elif type(value) is not FRAMING_KEYS[key]:
            source.add("key-type", line, f"framing.{key} is not a {FRAMING_KEYS[key].__name__}")
        elif key == "fill_lines":
            known |= _fill_lines(source, line, value)
        elif key == "tolerate":
            known[key] = _tolerances(source, line, value)
        else:
            known[key] = value
    return Framing(**known)


def _fill_lines(source: LayoutSource, line: int | None, value: Any) -> dict[str, Any]:
    if value.keys() == {"to", "line"} and type(value["to"]) is int and type(value["line"]) is str:
        return {"fill_to": value["to"], "fill_line": value["line"]}
    source.add("fill-lines", line, "fill_lines not understood", hint='fill_lines = { to = 10, line = "9" }')
    return {}


def _tolerances(source: LayoutSource, line: int | None, words: Any) -> tuple[str, ...]:
    for word in words:
        if word not in TOLERANCES:
            source.add("tolerance", line, f"nothing called {word}", hint=f"one of {', '.join(TOLERANCES)}")
    return tuple(word for word in words if word in TOLERANCES)


def _number(source: LayoutSource, document: dict[str, Any], key: str, absent: int) -> int:
    value = document.get(key, absent)
    if type(value) is int and 0 <= value <= 4:
        return value
    source.add(f"{key}-range", source.line_of(key), f"{key} {value}", hint="0 to 4")
    return absent


def _silence(source: LayoutSource, document: dict[str, Any]) -> str:
    value = _text(document, "silence")
    if value not in ("", "credited"):
        hint = "credited, where only failures are returned"
        source.add("silence", source.line_of("silence"), f"silence means {value}", hint=hint)
    return value


def _returns(source: LayoutSource, document: dict[str, Any]) -> str:
    value = _text(document, "returns")
    if value not in ("", *RETURNS):
        hint = (
            "each, where the amount of a return is that of one part; total, where it is of all parts so far"
        )
        source.add("returns", source.line_of("returns"), f"returns tell {value}", hint=hint)
    return value


def _by_position(source: LayoutSource, document: dict[str, Any], syntax: Syntax) -> bool:
    value = _text(document, "key")
    if value not in ("", "position") or (value and syntax is Syntax.XML):
        hint = "position, where nothing in a line finds the payment again"
        source.add("key", source.line_of("key"), f"key = {value}", hint=hint)
    return value == "position"


def _frame(source: LayoutSource, document: dict[str, Any]) -> Frame | None:
    """`[frame]`: the blocks before the body."""
    table = document.get("frame")
    if not isinstance(table, dict):
        return None
    keys = {"table": str, "signature": str, "signed": str, "required": bool, "record_bytes": int}
    _check_keys(source, table, keys, "frame")
    for key, words in (("signature", ("line", "wrapped", "absent")), ("signed", ("body", "header"))):
        if table.get(key, words[0]) not in words:
            hint = f"one of {', '.join(words)}"
            source.add("frame", source.line_of("frame", key), f"{key} = {table[key]}", hint=hint)
    records = read_records(source, "frame", table.get("table"), Syntax.FIXED, ("frame",))
    if not records:
        return None
    asserted = table.get("record_bytes", records[0].bytes_)
    if asserted != records[0].bytes_:
        message = f"the header block is {records[0].bytes_} bytes wide, but {asserted} asserted"
        source.add("record-bytes", source.line_of("frame", "record_bytes"), message)
    return Frame(
        record=records[0],
        framing=Framing(encoding="ascii", eol="none"),
        signature=table.get("signature", "absent"),
        signed=table.get("signed", "body"),
        required=table.get("required") is True,
    )


def _implied_code(document: dict[str, Any]) -> str:
    codes = document.get("codes", {})
    outcome = codes.get("outcome", {}) if isinstance(codes, dict) else {}
    return _text(outcome, "implied") if isinstance(outcome, dict) else ""


def _records(source: LayoutSource, tables: object, syntax: Syntax, framing: Framing) -> tuple[Record, ...]:
    if not isinstance(tables, dict) or not tables:
        source.add("record-missing", None, "no record", hint="[record.payment] with a table")
        return ()
    records: list[Record] = []
    for name, table in tables.items():
        line = source.line_of("record", name) or 0
        if not isinstance(table, dict):
            source.add("key-type", line, f"record.{name} is not a table")
            continue
        _check_keys(source, table, {"table": str, "record_bytes": int}, "record", name)
        variants = read_records(source, name, table.get("table"), syntax, framing=framing)
        records += variants
        width = variants[0].length_bytes if variants else 0
        asserted = table.get("record_bytes", width)
        if asserted != width:
            place = source.line_of("record", name, "record_bytes")
            source.add(
                "record-bytes",
                place,
                f"record.{name} is {width} bytes wide, but {asserted} asserted",
                hint="separators after fields are not counted",
            )
    if framing.eol == "none" and len({record.bytes_ for record in records}) > 1:
        # Nothing but the record itself says where the next one begins.
        records = [told_by_numbers(record, framing) for record in records]
    return tuple(records)


def _table(source: LayoutSource, document: dict[str, Any], syntax: Syntax) -> tuple[Field, ...]:
    if syntax is not Syntax.XML:
        return ()
    return read_xml_table(source, document.get("table"))


def _characters(source: LayoutSource, table: object) -> tuple[str, tuple[Substitution, ...]]:
    """`[characters]`: what may be written, and what is written in place of what may not."""
    if not isinstance(table, dict):
        return "", ()
    _check_keys(source, table, {"permitted": str, "substitute": str}, "characters")
    permitted, strange = read_permitted(_text(table, "permitted"))
    for word in strange:
        line = source.line_of("characters", "permitted")
        source.add("permitted", line, f"not understood: {word}", hint="A-Z, one character, U+00B7, or space")
    substitutions: list[Substitution] = []
    block = source.block(table["substitute"], "characters", "substitute") if "substitute" in table else []
    for line, content in block:
        cells, _ = split_cells(content)
        found = read_substitution(cells, line) if cells else []
        if found is None:
            hint = "a character and what is written for it, or a range for a range"
            source.add("substitution", line, f"not understood: {content.strip()}", hint=hint)
        substitutions += found or []
    return permitted, tuple(substitutions)


def _codes(source: LayoutSource, document: dict[str, Any], name: str) -> tuple[object, str]:
    """The text of a code table (None where there is none) and its citation."""
    tables = document.get("codes", {})
    if not isinstance(tables, dict):
        return None, ""
    for other in tables.keys() - {"outcome", "file"}:
        if name == "outcome":
            source.add("key-unknown", source.line_of("codes", other), f"no such table: codes.{other}")
    table = tables.get(name)
    if not isinstance(table, dict):
        return None, ""
    _check_keys(source, table, {"table": str, "source": str, "implied": str}, "codes", name)
    return table.get("table", ""), _text(table, "source")
