"""Codes of a layout that no file can hold, or that look like patterns: each is warned of.

A code is compared as it stands. `E0*`, `otherwise` or full-width digits match nothing else, a code that is
wider than its field never comes: whoever wrote such a line believes that more is mapped than is.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from formats.conformance.limits import width_of
from formats.conformance.report import PartReport
from formats.language.checks import all_fields
from formats.language.model import Binding, FileCode, Layout, OutcomeCode, Syntax

_DEFAULTS = frozenset(("otherwise", "else", "default", "others", "other", "any", "其他", "其它", "其余"))
_AS_IT_STANDS = "a code is compared as it stands; what is not listed is unmapped, and a person looks"


def warn_of_spelling(layout: Layout, report: PartReport) -> None:
    """Tell each code of both tables that can never come as it is written."""
    for name, codes in (("outcome.code", layout.outcome_codes), ("file.code", layout.file_codes)):
        room = _room(layout, name)
        for code in codes:
            for message, hint in _strange(code, room, layout.framing.encoding):
                where = f"{layout.source_name} line {code.line}: code {code.code!r}: {message}"
                report.add(
                    "code-spelling", where, hint=hint, source=layout.source_name, line=code.line, warns=True
                )


def _room(layout: Layout, name: str) -> int | None:
    """Bytes of the field that holds the code; None where no one field does. XML joins codes of several."""
    fields = [
        field
        for _, field in all_fields(layout)
        if isinstance(field.meaning, Binding) and field.meaning.name == name
    ]
    rooms = [width_of(field) for field in fields]
    if layout.syntax is Syntax.XML or not rooms or None in rooms:
        return None
    return max(room for room in rooms if room is not None)


def _strange(code: OutcomeCode | FileCode, room: int | None, encoding: str) -> Iterator[tuple[str, str]]:
    text = code.code
    if text.strip() != text:
        yield "blanks around it", "blanks that fill a field are no part of its code: write it without"
    elif unicodedata.normalize("NFKC", text) != text:
        yield "full-width signs", f"did you mean {unicodedata.normalize('NFKC', text)}? {_AS_IT_STANDS}"
    elif len(text) > 1 and (set(text) & set("*%") or text.lower() in _DEFAULTS):
        yield "it looks like a pattern", _AS_IT_STANDS
    elif room is not None and len(text.encode(encoding, "replace")) > room:
        yield f"wider than its field of {room}", "compare it with the bank's paper"
