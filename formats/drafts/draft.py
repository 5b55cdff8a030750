"""A draft layout from the table of a bank's paper: a beginning that a person confirms line by line.

Whatever is guessed is marked by `# ?` behind it and names what was guessed; what cannot be guessed is
`???`. No layout loads with either (`language.layout`): a draft that nobody has read can neither make a
file nor settle one. Codes are proposals behind `#?`, and mean nothing, that is unmapped, until the mark
is gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from formats.codec import Purpose
from formats.drafts.codes import PROPOSED, CodeField, code_lines, listed_codes_of
from formats.drafts.kinds import KindGuess, amount_question, amount_words, guess_kind
from formats.drafts.meanings import Part, guess_constant, guess_meaning, guess_part, is_mark
from formats.drafts.paper import Paper, PaperRow, PaperTable
from formats.drafts.parts import (
    ENCODINGS,
    Draft,
    DraftOrder,
    Written,
    ask_of_texts,
    assembled,
    fitting,
    one_line,
    optional_words,
    said_of,
    title_of,
)
from formats.drafts.xml_draft import draft_xml, is_of_xml
from formats.language.layout import GUESSED, UNKNOWN
from formats.language.model import Syntax
from formats.tools.documents import aligned

__all__ = ["PROPOSED", "Draft", "DraftOrder", "draft_layout"]

_LINE_ENDS = (("crlf", r"CRLF|\\r\\n|回车换行|0D0A|0x0D0x0A"), ("lf", r"\bLF\b|\\n|换行|0x0A"))
_DELIMITER = re.compile(
    r"(?:分隔符?|分割符?|隔开|delimiter|separat\w+)[^|,;\t~^]{0,12}[\"'“‘(]?([|,;~^])|[\"'“‘(]([|;~^])[\"'”’)][^。]{0,8}(?:分隔|分割|隔开)",
    re.IGNORECASE,
)
_START = re.compile(r"(\d+)")


class _Line(Struct):
    """One line of a table, in cells, before they are aligned."""

    place: str
    kind: str
    title: str
    meaning: str
    remark: str
    start: str = ""


def draft_layout(paper: Paper, order: DraftOrder) -> Draft:
    """The draft of one layout from all tables of a paper."""
    if order.syntax == Syntax.XML or (not order.syntax and is_of_xml(paper)):
        return draft_xml(paper, order)
    written = Written(questions=[], amount_words=amount_words(paper.sentences))
    syntax, syntax_line = _syntax(paper, order, written)
    parts = _parts(paper.tables)
    framing = _framing(paper, order, syntax, written)
    records = [_record(name, table, order, syntax, written) for name, _, table in parts]
    body = [
        syntax_line,
        framing,
        "",
        "structure = '''",
        *_structure(parts, written),
        "'''",
        *(line for record in records for line in ("", *record)),
    ]
    fields = [CodeField(row, part) for _, part, table in parts for row in table.rows]
    body += code_lines(fields, order, written)
    if not any(" key" in line for record in records for line in record):
        written.ask("payment", "which field finds a payment again? none is the key")
    ask_of_texts(paper, written)
    return assembled(order, written, body, listed_codes_of(fields, order))


# The file.


def _syntax(paper: Paper, order: DraftOrder, written: Written) -> tuple[Syntax, str]:
    """Fixed or delimited, and the line that says so; a guess where neither the order nor the paper does."""
    starts = any(row.start for table in paper.tables for row in table.rows)
    if order.syntax:
        syntax, mark = Syntax(order.syntax), ""
    elif _delimiter(paper, order):
        syntax, mark = Syntax.DELIMITED, ""
    else:
        syntax, mark = Syntax.FIXED, "" if starts else f"  {GUESSED} syntax"
    if mark:
        written.guesses += 1
        written.ask("the file", "are its fields of fixed width, or is there a separator? --syntax says it")
    return syntax, f'syntax  = "{syntax.value}"{mark}'


def _delimiter(paper: Paper, order: DraftOrder) -> str:
    found = next(filter(None, (_DELIMITER.search(text) for text in paper.texts)), None)
    return order.delimiter or ("" if found is None else found[1] or found[2])


def _framing(paper: Paper, order: DraftOrder, syntax: Syntax, written: Written) -> str:
    """One line; what neither the order nor the paper says is a guess."""
    guessed = []
    words = "\n".join(paper.texts)
    encoding = order.encoding or said_of(words, ENCODINGS)
    if not encoding:
        encoding = "gb18030"
        guessed.append("encoding")
    eol = order.eol or said_of(words, _LINE_ENDS)
    if not eol:
        eol = "lf"
        guessed.append("eol")
    entries = [f'encoding = "{encoding}"', f'eol = "{eol}"']
    if syntax is Syntax.DELIMITED:
        delimiter = _delimiter(paper, order)
        if not delimiter:
            written.ask("the file", "what separates its fields? --delimiter says it")
        entries += [f'delimiter = "{delimiter or UNKNOWN}"', "after_last = false"]
        guessed.append("after_last")
    mark = ""
    if guessed:
        written.guesses += 1
        mark = f"  {GUESSED} {', '.join(guessed)}"
    return f"framing = {{ {', '.join(entries)} }}{mark}"


def _parts(tables: Sequence[PaperTable]) -> list[tuple[str, Part, PaperTable]]:
    """The tables with the names of their records; a name that is taken gets a number."""
    found: list[tuple[str, Part, PaperTable]] = []
    for place, table in enumerate(tables):
        part = guess_part(table, place, len(tables))
        taken = [name for name, _, _ in found]
        name = part.value if part.value not in taken else f"{part.value}_{place + 1}"
        found.append((name, part, table))
    return found


def _structure(parts: Sequence[tuple[str, Part, PaperTable]], written: Written) -> Iterator[str]:
    """The records in the order of the paper; how often one comes is a guess, but of header and trailer."""
    for name, part, _ in parts:
        if part is Part.PAYMENT:
            written.guesses += 1
            yield f"{name} {'1..*' if name == Part.PAYMENT else '0..1'}    {GUESSED} occurrence"
        else:
            yield name


# A record.


def _record(name: str, table: PaperTable, order: DraftOrder, syntax: Syntax, written: Written) -> list[str]:
    part = next(part for part in Part if name.startswith(part.value))
    lines: list[_Line] = []
    has_key = False
    offset = 1
    for row in table.rows:
        guess = guess_kind(row, written.amount_words)
        line = _field(row, guess, part, order.purpose, syntax, has_key=has_key)
        has_key = has_key or line.meaning.endswith("key")
        offset = _check_start(row, guess, offset, line, syntax, written)
        written.guesses += GUESSED in line.remark
        for question in guess.questions:
            written.ask(f"{name} {row.name} ({row.place})", question)
        if line.kind == UNKNOWN and not guess.is_amount:
            written.ask(f"{name} {row.name} ({row.place})", amount_question(0, False, False))
        elif line.meaning == UNKNOWN and not guess.questions:
            written.ask(f"{name} {row.name} ({row.place})", "what does it mean?")
        lines.append(line)
    if (
        syntax is Syntax.FIXED
        and name != Part.PAYMENT
        and not any(line.meaning.startswith("!") for line in lines)
    ):
        written.ask(name, "by what is this record told from others? no field is marked by !")
    cells = [(line.place, line.kind, line.title, line.meaning, line.start, line.remark) for line in lines]
    size = [_record_bytes(lines, offset - 1, written)] if syntax is Syntax.FIXED else []
    return [f"[record.{name}]", *size, "table = '''", *aligned(cells), "'''"]


def _record_bytes(lines: Sequence[_Line], size_bytes: int, written: Written) -> str:
    """The sum of the widths; the paper's own word where it prints where every field starts."""
    if all(line.start for line in lines):
        return f"record_bytes = {size_bytes}"
    written.guesses += 1
    return f"record_bytes = {size_bytes}  {GUESSED} record_bytes"


def _field(
    row: PaperRow, guess: KindGuess, part: Part, purpose: Purpose, syntax: Syntax, *, has_key: bool
) -> _Line:
    """One line of the table, with what in it is a guess."""
    guessed = list(guess.guessed)
    constant = guess_constant(row, part)
    if constant:
        meaning = f'{"!" if is_mark(row) else ""}"{constant}"'
        kind = "digits" if constant.isdigit() else "text"
        guessed = ["constant"]
    else:
        meaning = guess_meaning(row, part, purpose)
        if has_key and meaning.endswith("key"):
            meaning = UNKNOWN
        kind = fitting(guess.kind, meaning)
        if meaning != UNKNOWN:
            guessed.append("meaning")
    meaning += optional_words(row, meaning, constant, guessed)
    width = guess.width_bytes
    place = "-"
    if syntax is Syntax.FIXED:
        suffix = guess.place_suffix if not constant else ""
        place = f"{width}{suffix}" if width else UNKNOWN
    elif width and kind == "text":
        kind = f"text <={width}"
    mark = f"{GUESSED} {', '.join(dict.fromkeys(guessed))}" if guessed else ""
    remark = one_line(row.remark)
    behind = f"{mark}; {remark}" if mark and remark else mark or (f"# {remark}" if remark else "")
    return _Line(place, kind, title_of(row.name), meaning, behind)


def _check_start(
    row: PaperRow, guess: KindGuess, offset: int, line: _Line, syntax: Syntax, written: Written
) -> int:
    """Hold the paper's own start against the widths before it; where it agrees it is asserted."""
    match = _START.search(row.start)
    if syntax is not Syntax.FIXED:
        return offset
    if match is not None and guess.width_bytes is not None:
        said = int(match[1])
        if said == offset:
            line.start = f"@{said}"
        elif said != offset - 1 or offset == 1:
            written.ask(
                f"{row.name} ({row.place})", f"the paper begins it at {said}, the widths above at {offset}"
            )
            offset = said
    return offset + (guess.width_bytes or 0)
