"""A draft layout from the table of a bank's paper: a beginning that a person confirms line by line.

Whatever is guessed is marked by `# ?` behind it and names what was guessed; what cannot be guessed is
`???`. No layout loads with either (`layout.py`): a draft that nobody has read can neither make a file nor
settle one. Codes are proposals behind `#?`, and mean nothing, that is unmapped, until the mark is gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from formats.codec import Purpose
from formats.documents import aligned
from formats.draft_kinds import UNKNOWN, KindGuess, guess_kind
from formats.draft_meanings import (
    Part,
    guess_constant,
    guess_meaning,
    guess_part,
    is_mark,
    propose_codes,
)
from formats.layout import GUESSED
from formats.layout_model import Syntax
from formats.paper import Paper, PaperRow, PaperTable

PROPOSED = "#?"
"""The mark before a code that means nothing yet."""

_ENCODINGS = (
    ("gb18030", r"GB\s*-?18030"),
    ("gbk", r"GBK"),
    ("gb2312", r"GB\s*-?2312"),
    ("utf-8", r"UTF-?8"),
)
_LINE_ENDS = (("crlf", r"CRLF|\\r\\n|回车换行|0D0A|0x0D0x0A"), ("lf", r"\bLF\b|\\n|换行|0x0A"))
_DELIMITER = re.compile(
    r"(?:分隔符?|分割符?|隔开|delimiter|separat\w+)[^|,;\t~^]{0,12}[\"'“‘(]?([|,;~^])|[\"'“‘(]([|;~^])[\"'”’)][^。]{0,8}(?:分隔|分割|隔开)",
    re.IGNORECASE,
)
_YES = re.compile(r"^(?:M|Y|YES|1|√|是|必输|必填|必选|必|TRUE|REQUIRED|MANDATORY)$", re.IGNORECASE)
_NO = re.compile(r"^(?:O|N|NO|0|×|否|选输|选填|可选|非必输|非必填|FALSE|OPTIONAL)$", re.IGNORECASE)
_CONDITIONAL = re.compile(r"^(?:C|条件|条件必输|CONDITIONAL)$", re.IGNORECASE)
_START = re.compile(r"(\d+)")


class DraftOrder(Struct, frozen=True, kw_only=True):
    """What the person says beforehand; "" where the paper shall say it, or a guess."""

    name: str
    purpose: Purpose
    source: str
    answers: str = ""
    syntax: str = ""
    encoding: str = ""
    eol: str = ""
    delimiter: str = ""


class Draft(Struct, frozen=True, kw_only=True):
    """The text of the layout, how many lines hold guesses, and what is to be asked."""

    text: str
    guesses: int
    questions: tuple[str, ...]
    codes: str = ""
    """The codes that the paper lists, as the conformance kit reads them; "" where it lists none."""


class _Line(Struct):
    """One line of a table, in cells, before they are aligned."""

    place: str
    kind: str
    title: str
    meaning: str
    remark: str
    start: str = ""


class _Written(Struct):
    """What was written so far of a draft."""

    guesses: int = 0
    questions: list[str] = []

    def ask(self, where: str, question: str) -> None:
        self.questions.append(f"{where}: {question}")


def draft_layout(paper: Paper, order: DraftOrder) -> Draft:
    """The draft of one layout from all tables of a paper."""
    written = _Written(questions=[])
    syntax, syntax_line = _syntax(paper, order, written)
    parts = _parts(paper.tables)
    framing = _framing(paper, order, syntax, written)
    records = [_record(name, table, order, syntax, written) for name, _, table in parts]
    head = [
        f'layout  = "{order.name}"',
        'version = "1"',
        f'purpose = "{order.purpose.value}"',
        *([f'answers = "{order.answers}"'] if order.answers else []),
        f'sources = ["{_one_line(order.source)}"]',
        syntax_line,
        framing,
        "",
        "structure = '''",
        *_structure(parts, written),
        "'''",
    ]
    codes = _codes(paper, order, written)
    if not any(" key" in line for record in records for line in record):
        written.ask("payment", "which field finds a payment again? none is the key")
    opening = [
        f"# A draft of {_one_line(order.source)}.",
        "# A remark with a question mark: a guess. Compare the line with the paper, then take the mark away.",
        "# Three question marks: what could not be guessed. The layout loads when none of either is left.",
        *(f"# Ask: {_one_line(question)}" for question in written.questions),
        "",
    ]
    lines = [*opening, *head, *(line for record in records for line in ("", *record)), *codes]
    return Draft(
        text="\n".join(lines) + "\n",
        guesses=written.guesses,
        questions=tuple(written.questions),
        codes=_listed(paper, order),
    )


def _one_line(text: str) -> str:
    """A text that stands in a remark or between quotation marks, and ends neither that nor its block."""
    return re.sub(r'[\s"\\#]+', " ", _printable(text)).strip()


def _printable(text: str) -> str:
    return "".join(one if one.isprintable() else " " for one in text).replace("'", "’")


# The file.


def _syntax(paper: Paper, order: DraftOrder, written: _Written) -> tuple[Syntax, str]:
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


def _framing(paper: Paper, order: DraftOrder, syntax: Syntax, written: _Written) -> str:
    """One line; what neither the order nor the paper says is a guess."""
    guessed = []
    words = "\n".join(paper.texts)
    encoding = order.encoding or _said(words, _ENCODINGS)
    if not encoding:
        encoding = "gb18030"
        guessed.append("encoding")
    eol = order.eol or _said(words, _LINE_ENDS)
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


def _said(words: str, known: Sequence[tuple[str, str]]) -> str:
    return next((name for name, pattern in known if re.search(pattern, words, re.IGNORECASE)), "")


def _parts(tables: Sequence[PaperTable]) -> list[tuple[str, Part, PaperTable]]:
    """The tables with the names of their records; a name that is taken gets a number."""
    found: list[tuple[str, Part, PaperTable]] = []
    for place, table in enumerate(tables):
        part = guess_part(table, place, len(tables))
        taken = [name for name, _, _ in found]
        name = part.value if part.value not in taken else f"{part.value}_{place + 1}"
        found.append((name, part, table))
    return found


def _structure(parts: Sequence[tuple[str, Part, PaperTable]], written: _Written) -> Iterator[str]:
    """The records in the order of the paper; how often one comes is a guess, but of header and trailer."""
    for name, part, _ in parts:
        if part is Part.PAYMENT:
            written.guesses += 1
            yield f"{name} {'1..*' if name == Part.PAYMENT else '0..1'}    {GUESSED} occurrence"
        else:
            yield name


# A record.


def _record(name: str, table: PaperTable, order: DraftOrder, syntax: Syntax, written: _Written) -> list[str]:
    part = next(part for part in Part if name.startswith(part.value))
    lines: list[_Line] = []
    has_key = False
    offset = 1
    for row in table.rows:
        guess = guess_kind(row)
        line = _field(row, guess, part, order.purpose, syntax, has_key=has_key)
        has_key = has_key or line.meaning.endswith("key")
        offset = _check_start(row, guess, offset, line, syntax, written)
        written.guesses += GUESSED in line.remark
        for question in guess.questions:
            written.ask(f"{name} {row.name} ({row.place})", question)
        if UNKNOWN in (line.meaning, line.kind) and not guess.questions:
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


def _record_bytes(lines: Sequence[_Line], size_bytes: int, written: _Written) -> str:
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
        kind = _fitting(guess.kind, meaning)
        if meaning != UNKNOWN:
            guessed.append("meaning")
    meaning += _optional(row, meaning, constant, guessed)
    width = guess.width_bytes
    place = "-"
    if syntax is Syntax.FIXED:
        suffix = guess.place_suffix if not constant else ""
        place = f"{width}{suffix}" if width else UNKNOWN
    elif width and kind == "text":
        kind = f"text <={width}"
    mark = f"{GUESSED} {', '.join(dict.fromkeys(guessed))}" if guessed else ""
    remark = _one_line(row.remark)
    behind = f"{mark}; {remark}" if mark and remark else mark or (f"# {remark}" if remark else "")
    return _Line(place, kind, _title(row.name), meaning, behind)


def _fitting(kind: str, meaning: str) -> str:
    """A kind that can carry the meaning: digits that are counted are a number, an account is none."""
    name = meaning.partition("  ")[0]
    if name.startswith("=") or name in ("attempt.item", "file.sequence"):
        return kind if kind.startswith(("money", "yuan", UNKNOWN)) else "number"
    is_amount = name.endswith(".amount")
    if kind == "number" and not is_amount:
        return "blank" if name == "blank" else "digits"
    return "blank" if name == "blank" else kind


def _optional(row: PaperRow, meaning: str, constant: str, guessed: list[str]) -> str:
    """`optional` where the paper says that the field may be empty."""
    may_be_empty = bool(_NO.match(row.required) or _YES.match(row.may_be_empty))
    conditional = bool(_CONDITIONAL.match(row.required))
    plain = meaning.partition("  ")[0]
    if constant or plain in ("blank", UNKNOWN) or plain.startswith("=") or meaning.endswith("key"):
        return ""
    if plain in ("payment.account", "payment.payee_name", "payment.amount", "outcome.amount", "outcome.code"):
        return ""
    if conditional:
        guessed.append("optional")
    return "  optional" if may_be_empty or conditional else ""


def _title(name: str) -> str:
    """The name as a cell: blanks made one, no signs that the language takes for itself."""
    return _one_line(name) or "-"


def _check_start(
    row: PaperRow, guess: KindGuess, offset: int, line: _Line, syntax: Syntax, written: _Written
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


# Codes.


def _codes(paper: Paper, order: DraftOrder, written: _Written) -> list[str]:
    """Proposals for what the paper's codes mean, none of them in force."""
    if order.purpose not in (Purpose.RESULT, Purpose.ACKNOWLEDGEMENT):
        return []
    is_result = order.purpose is Purpose.RESULT
    proposals = propose_codes(_code_rows(paper))
    cells = [
        (
            f"{PROPOSED} {one.code}",
            one.status if is_result else UNKNOWN,
            one.reason,
            f"# paper: {_one_line(one.words)}",
        )
        for one in proposals
    ]
    for one in proposals:
        if UNKNOWN in (one.status, one.reason):
            written.ask(f"code {one.code}", f'what does "{one.words}" mean?')
    written.guesses += len(proposals)
    if not proposals:
        written.ask("codes", "which codes does the bank write, and what does each mean?")
    return [
        "",
        f"# A code means nothing before its `{PROPOSED}` is taken away: it is unmapped, hence unknown.",
        f"[codes.{_code_table(order)}]",
        "table = '''",
        *aligned([("*", "unmapped", "", ""), *cells]),
        "'''",
    ]


def _code_table(order: DraftOrder) -> str:
    return "outcome" if order.purpose is Purpose.RESULT else "file"


def _code_rows(paper: Paper) -> list[PaperRow]:
    """The fields that hold codes of the bank."""
    return [
        row
        for table in paper.tables
        for row in table.rows
        if guess_meaning(row, Part.PAYMENT, Purpose.RESULT) == "outcome.code" and not is_mark(row)
    ]


def _listed(paper: Paper, order: DraftOrder) -> str:
    """The paper's codes with its words, a line each."""
    proposals = propose_codes(_code_rows(paper)) if order.purpose is not Purpose.REQUEST else []
    if not proposals:
        return ""
    lines = aligned([(one.code, _one_line(one.words)) for one in proposals])
    return "\n".join([f"[{_code_table(order)}]", *lines]) + "\n"
