"""A JSON schema of layout files, for editors: made from the language's own tables, shipped with the layouts.

Editors that read it (taplo, Even Better TOML) complete keys, show what they mean and mark what is misspelled
while the file is written. Text blocks (`table`, `structure`) are beyond a schema: `bankgate layout check`
reads them. `python -m formats.tools.schema` writes the shipped file.
"""

from __future__ import annotations

from typing import Any

import msgspec

from formats.charset import ENCODING_LABELS, RareForm
from formats.codec import Purpose
from formats.language.layout import ENVELOPE_KEYS, FRAMING_KEYS, REQUIRED_KEYS, SYNTAX_FRAMING, SYNTAX_KEYS
from formats.language.model import LINE_ENDS, RETURNS, TOLERANCES, Syntax
from formats.registry import SHIPPED_FOLDER

SCHEMA_NAME = "layout.schema.json"
SHIPPED_SCHEMA = SHIPPED_FOLDER / SCHEMA_NAME

_TYPES: dict[type, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    list: {"type": "array", "items": {"type": "string"}},
    dict: {"type": "object"},
}
_SAYS = {
    "layout": "name of the layout, and of its file",
    "version": "version of the layout, raised with every change",
    "purpose": "what its files are for",
    "sources": "where the table comes from: the paper, its date, its page",
    "syntax": "how a file is laid out in bytes",
    "framing": "how records become a file",
    "structure": "records and literal lines in their order, nested by indentation, each with its occurrence",
    "answers": "for acknowledgements and results: the request layout that they answer",
    "decimals": "of the currency's minor unit: 2 unless said otherwise",
    "silence": "what it means that a payment is not listed",
    "returns": "what the amount of a return is of: each part that came back, or all parts so far",
    "key": "position, where nothing in a line finds the payment again but its place",
    "record": "one table for each record of `structure`",
    "codes": "what the bank's codes mean; what is not listed is unmapped, hence unknown",
    "characters": "what the bank permits in texts, and what is written in place of the rest",
    "frame": "header and signature blocks before the body",
    "namespaces": "XML: the first is written, all are read",
    "table": "a line a field: place, kind, name in the paper, meaning, two or more blanks between them",
    "xml": "options of XML files",
    "choose": "several layouts under one name: which one a file is in",
}
_FRAMING_SAYS = {
    "encoding": "encoding of the file; widths are bytes of it",
    "eol": "what ends a line",
    "final_eol": "false: the last line has no line end",
    "rare_form": "how the 25 characters renewed by GB 18030-2022 are written",
    "byte_order_mark": "true writes one before UTF-8",
    "comment": "lines that begin so are read over, and never written",
    "tolerate": "what may be read over, each told",
    "delimiter": "delimited: between two fields",
    "after_last": "delimited: true for one after the last field too",
    "quote": "delimited: a quotation mark, doubled inside",
    "after_each_field": "fixed: a separator that the widths do not count",
    "record_multiple": "fixed without line ends: records are filled to a multiple of so many bytes",
    "fill_lines": "fixed: lines added up to a multiple",
}
_FRAMING_WORDS: dict[str, list[str]] = {
    "encoding": list(ENCODING_LABELS),
    "eol": list(LINE_ENDS),
    "rare_form": [form.value for form in RareForm],
}


def schema() -> dict[str, Any]:
    """The schema as plain values."""
    entries = {name: _entry(kind, _SAYS[name]) for name, kind in ENVELOPE_KEYS.items()}
    entries["purpose"]["enum"] = [word.value for word in Purpose]
    entries["syntax"]["enum"] = [word.value for word in Syntax]
    entries["decimals"] |= {"minimum": 0, "maximum": 4}
    entries["silence"]["enum"] = ["credited"]
    entries["returns"]["enum"] = list(RETURNS)
    entries["key"]["enum"] = ["position"]
    entries["framing"] |= {"properties": _framing(), "additionalProperties": False}
    entries["record"] |= {"additionalProperties": _table(record_bytes=int)}
    entries["codes"] |= {
        "properties": {"outcome": _table(source=str, implied=str), "file": _table(source=str)},
        "additionalProperties": False,
    }
    entries["characters"] |= {
        "properties": {"permitted": _TYPES[str], "substitute": _TYPES[str]},
        "additionalProperties": False,
    }
    frame = _table(signature=str, signed=str, required=bool, record_bytes=int)
    frame["properties"]["signature"] = {"enum": ["line", "wrapped", "absent"]}
    frame["properties"]["signed"] = {"enum": ["body", "header"]}
    entries["frame"] |= frame
    entries["choose"] = _entry(str, _SAYS["choose"])
    choice = ("layout", "version", "purpose", "answers", "sources", "choose")
    tables = sorted(entries.keys() - set(choice))
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Bankgate layout",
        "type": "object",
        "properties": entries,
        "additionalProperties": False,
        "required": ["layout", "version", "purpose"],
        "if": {"required": ["choose"]},
        "then": {"properties": dict.fromkeys(tables, False)},
        "else": {"required": list(REQUIRED_KEYS), "allOf": [*map(_of_syntax, Syntax)]},
    }


def _entry(kind: type, says: str) -> dict[str, Any]:
    return {**_TYPES[kind], "description": says}


def _framing() -> dict[str, Any]:
    found = {name: _entry(kind, _FRAMING_SAYS[name]) for name, kind in FRAMING_KEYS.items()}
    for name, words in _FRAMING_WORDS.items():
        found[name]["enum"] = words
    found["tolerate"]["items"] = {"enum": list(TOLERANCES)}
    found["fill_lines"] |= {
        "properties": {"to": _TYPES[int], "line": _TYPES[str]},
        "required": ["to", "line"],
        "additionalProperties": False,
    }
    return found


def _of_syntax(syntax: Syntax) -> dict[str, Any]:
    """What may stand in files of one syntax only."""
    elsewhere = {key for keys in SYNTAX_KEYS.values() for key in keys} - set(SYNTAX_KEYS[syntax])
    framing = dict.fromkeys(sorted(FRAMING_KEYS.keys() - SYNTAX_FRAMING[syntax]), False)
    then: dict[str, Any] = dict.fromkeys(sorted(elsewhere), False)
    if "framing" not in elsewhere:
        then["framing"] = {"properties": framing}
    return {"if": {"properties": {"syntax": {"const": syntax.value}}}, "then": {"properties": then}}


def _table(**more: type) -> dict[str, Any]:
    """A table with a text block, and what else it may have."""
    entries = {name: dict(_TYPES[kind]) for name, kind in more.items()}
    return {
        "type": "object",
        "properties": {"table": _entry(str, _SAYS["table"])} | entries,
        "required": ["table"],
        "additionalProperties": False,
    }


def schema_bytes() -> bytes:
    """The schema as it ships."""
    return msgspec.json.format(msgspec.json.encode(schema()), indent=2) + b"\n"


if __name__ == "__main__":
    SHIPPED_SCHEMA.write_bytes(schema_bytes())
