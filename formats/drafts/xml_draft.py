"""A draft of an XML layout, from a paper whose table names paths or tags.

Papers name elements in three ways: whole paths (`Document/GrpHdr/MsgId`), tags with a column for the level,
or tags behind signs that show how deep they are (`+<GrpHdr>`, `++<MsgId>`, blanks). The tree is taken from
the paper; what repeats, what is a payment, and what every element means are guesses, marked as in any draft.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from formats.codec import Purpose
from formats.drafts.codes import CodeField, code_lines, listed_codes_of
from formats.drafts.kinds import amount_question, amount_words, contradicts_point, guess_kind
from formats.drafts.meanings import Part, guess_constant, guess_meaning
from formats.drafts.paper import Paper, PaperRow
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
from formats.language.layout import GUESSED, UNKNOWN
from formats.tools.documents import aligned

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_DEPTH_SIGNS = re.compile(r"^[\s+>*·.─├└│|\-]*")
_NAMESPACE = re.compile(r"urn:[A-Za-z0-9][A-Za-z0-9:._-]*[A-Za-z0-9]")
_OCCURS = re.compile(r"\[?\s*(\d+)\s*(?:\.\.|-|~|,)\s*(\d+|[nN*]|unbounded)\s*\]?|\[?\s*(\d+|[nN*])\s*\]?")
_LEVEL = re.compile(r"\d+")

_KINDS = (
    (r"Max(\d+)(?:Text|AlphaNumeric.*)?", "text <={0}"),
    (r"(?:Max)?(\d+)NumericText|Max(\d+)Numeric", "digits <={0}"),
    (r"Exact(\d+)NumericText", "digits {0}"),
    (r"Exact(\d+)(?:Text|AlphaNumericText)", "text {0}"),
    (r"ISODateTime", "datetime"),
    (r"ISODate", "date"),
    (r"ISOTime", "time"),
    (r".*CurrencyAndAmount|DecimalNumber", "yuan.2"),
    (r"Number", "number"),
    (r"(?:Active.*)?CurrencyCode", "text 3"),
    (r".*(?:Code|Identifier|Indicator|Text|Id)", "text <=35"),
)
"""Types of ISO 20022 and of the message sets made after it. Their amounts have a point."""

_ISO = (
    (r"OrgnlEndToEndId|EndToEndId|OrgnlTxId|TxId", "attempt.reference  key"),
    (r"OrgnlMsgId", "file.original_message_id"),
    (r"MsgId", "file.message_id"),
    (r"CreDtTm", "file.created_at"),
    (r"NbOfTxs|OrgnlNbOfTxs", "= count(payment)"),
    (r"CtrlSum|OrgnlCtrlSum", "= sum(payment.amount)"),
    (r"(?:.*/)?ReqdExctnDt(?:/Dt)?", "file.bank_day"),
    (r"PmtInfId", "group.reference"),
    (r"(?:.*/)?(?:InstdAmt|IntrBkSttlmAmt)", "payment.amount"),
    (r"(?:.*/)?@Ccy", "file.currency"),
    (r"(?:.*/)?DbtrAcct/.*", "agreement.payer_account"),
    (r"(?:.*/)?DbtrAgt/.*", "agreement.payer_bank_code"),
    (r"(?:.*/)?(?:Dbtr|InitgPty)/(?:Pty/)?Nm", "agreement.payer_name"),
    (r"(?:.*/)?CdtrAcct/.*", "payment.account"),
    (r"(?:.*/)?CdtrAgt/.*", "payment.bank_code"),
    (r"(?:.*/)?Cdtr/(?:Pty/)?Nm", "payment.payee_name"),
    (r"(?:.*/)?Ustrd", "payment.summary"),
    (r"TxSts", "outcome.code"),
    (r"(?:.*/)?AddtlInf", "outcome.bank_text"),
)
"""Paths of ISO 20022: the last one to four elements of a path are compared, the last one first."""


class _Place(Struct):
    """A line of the paper in the tree; `steps` from the root, an attribute last with its `@`."""

    row: PaperRow
    steps: tuple[str, ...]
    has_children: bool = False


def is_of_xml(paper: Paper) -> bool:
    """Whether most lines name an element, and some show that it stands inside another."""
    rows = [row for table in paper.tables for row in table.rows]
    tagged = [row for row in rows if row.tag.strip()]
    nested = any("/" in row.tag or "<" in row.tag or row.level or _depth_of(row.tag) for row in tagged)
    return nested and 2 * len(tagged) > len(rows)


def draft_xml(paper: Paper, order: DraftOrder) -> Draft:
    """The draft of one XML layout from all tables of a paper."""
    written = Written(questions=[], amount_words=amount_words(paper.sentences))
    places = _places(paper, written)
    marks = _marks(places, written)
    lines = _lines(places, marks, order, written)
    body = [*_envelope(paper, order, written), "", "table = '''", *lines, "'''"]
    record = _payment_steps(marks)
    fields = [CodeField(place.row, _part_of(place, record)) for place in places]
    body += code_lines(fields, order, written)
    if not any(" key" in line for line in lines):
        written.ask("payment", "which element finds a payment again? none is the key")
    ask_of_texts(paper, written)
    return assembled(order, written, body, listed_codes_of(fields, order))


def _envelope(paper: Paper, order: DraftOrder, written: Written) -> Iterator[str]:
    words = "\n".join([*paper.texts, *(row.remark for table in paper.tables for row in table.rows)])
    yield 'syntax  = "xml"'
    encoding = order.encoding or said_of(words, ENCODINGS)
    if not encoding:
        written.guesses += 1
    yield f'framing = {{ encoding = "{encoding or "utf-8"}" }}' + (
        "" if encoding else f"  {GUESSED} encoding"
    )
    names = list(dict.fromkeys(_NAMESPACE.findall(words)))
    if not names:
        written.ask("the file", "what is the namespace of its root element (xmlns)?")
    listed = ", ".join(f'"{name}"' for name in names or [UNKNOWN])
    yield f"namespaces = [{listed}]"


# The tree.


def _depth_of(tag: str) -> int:
    """How deep signs before a tag say that it is: blanks two by two, other signs one by one."""
    signs = _DEPTH_SIGNS.match(tag)
    before = signs[0] if signs else ""
    marks = re.sub(r"\s", "", before)
    return len(marks) if marks else len(before) // 2


def _elements(tag: str) -> list[str] | None:
    """The names in a tag or path, without angle brackets and prefixes; None where it names none."""
    plain = _DEPTH_SIGNS.sub("", tag).replace("<", "").replace(">", "").strip().strip("/")
    plain = re.sub(r"(?<!/)@", "/@", plain)
    found = []
    for step in filter(None, plain.split("/")):
        name = step.strip().removeprefix("@").rpartition(":")[2]
        if _NAME.fullmatch(name) is None:
            return None
        found.append(f"@{name}" if step.strip().startswith("@") else name)
    return found or None


def _places(paper: Paper, written: Written) -> list[_Place]:
    """Every line of the paper at its place, those that name no element asked about."""
    places: list[_Place] = []
    open_steps: list[tuple[int, tuple[str, ...]]] = []
    for row in (row for table in paper.tables for row in table.rows):
        steps = _elements(row.tag)
        if steps is None:
            written.ask(f"{row.name} ({row.place})", "which element is it? its tag is no name and no path")
            continue
        level = _LEVEL.search(row.level)
        depth = int(level[0]) if level else _depth_of(row.tag)
        root = places[0].steps[0] if places else steps[0]
        whole = tuple(steps)
        if not (len(steps) > 1 and steps[0] == root):
            while open_steps and open_steps[-1][0] >= depth:
                open_steps.pop()
            whole = (*(open_steps[-1][1] if open_steps else ()), *steps)
            if places and whole[0] != root:
                whole = (root, *whole)
        open_steps.append((depth, whole))
        places.append(_Place(row, whole))
    for place in places:
        size = len(place.steps)
        place.has_children = any(
            other.steps[:size] == place.steps and len(other.steps) > size and other.steps[size][0] != "@"
            for other in places
        )
    return places


def _occurs(row: PaperRow) -> tuple[int, int | None] | None:
    """How often the paper says an element comes; None for no word of it."""
    match = _OCCURS.fullmatch(row.occurs)
    if match is None:
        return None
    if match[3]:
        return (int(match[3]), int(match[3])) if match[3].isdigit() else (0, None)
    return int(match[1]), int(match[2]) if match[2].isdigit() else None


def _marks(places: Sequence[_Place], written: Written) -> dict[tuple[str, ...], str]:
    """Markers by path: what repeats and holds account and amount is a payment, around it stands a group."""
    repeating = [
        place.steps
        for place in places
        if place.has_children and (occurs := _occurs(place.row)) is not None and occurs[1] != 1
    ]
    paths = [place.steps for place in places]
    record = next((steps for steps in reversed(repeating) if _has_payment(steps, paths)), None)
    if record is None:
        record = _common(paths)
        written.ask("the file", "which element is one payment? mark it [payment 1..*], and what is around it")
    if not record or len(record) < 2:
        return {}
    marks = {record: "payment 1..*"}
    around = [steps for steps in repeating if record[: len(steps)] == steps and steps != record]
    if around and len(around[-1]) == len(record) - 1:
        marks[around[-1]] = "group 1..*"
    return marks


def _payment_steps(marks: dict[tuple[str, ...], str]) -> tuple[str, ...]:
    return next((steps for steps, mark in marks.items() if mark.startswith("payment")), ())


def _part_of(place: _Place, record: tuple[str, ...]) -> Part:
    inside = bool(record) and place.steps[: len(record)] == record
    return Part.PAYMENT if inside else Part.HEADER


def _has_payment(steps: tuple[str, ...], paths: Sequence[tuple[str, ...]]) -> bool:
    inside = ["/".join(path[len(steps) :]) for path in paths if path[: len(steps)] == steps]
    return any("Acct" in path or "Acc" in path for path in inside) and any("Am" in path for path in inside)


def _common(paths: Sequence[tuple[str, ...]]) -> tuple[str, ...] | None:
    """The innermost element around an amount and an account."""
    found: tuple[str, ...] | None = None
    for path in paths:
        for size in range(2, len(path)):
            if _has_payment(path[:size], paths) and (found is None or size > len(found)):
                found = path[:size]
    return found


# The lines.


def _lines(
    places: Sequence[_Place], marks: dict[tuple[str, ...], str], order: DraftOrder, written: Written
) -> list[str]:
    cells: list[tuple[str, ...]] = []
    known: set[tuple[str, ...]] = set()
    has_key = False
    record = _payment_steps(marks)
    for place in places:
        for opened in _above(place, places, known):
            cells.append(_container(opened, known, marks, _row_at(opened, places), written))
        if place.has_children:
            if place.steps not in known:
                cells.append(_container(place.steps, known, marks, place.row, written))
                known.add(place.steps)
            continue
        line = _leaf(place, known, order, _part_of(place, record), written, has_key=has_key)
        has_key = has_key or line[3].endswith("key")
        cells.append(line)
    return aligned(cells)


def _row_at(steps: tuple[str, ...], places: Sequence[_Place]) -> PaperRow | None:
    return next((place.row for place in places if place.steps == steps), None)


def _above(place: _Place, places: Sequence[_Place], known: set[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """Elements around a line that no line of the paper opened, where several lines stand in them."""
    for size in range(1, len(place.steps)):
        steps = place.steps[:size]
        within = [other for other in places if other.steps[:size] == steps and other.steps != steps]
        if steps in known or (size > 1 and len(within) < 2):
            continue
        if place.steps[size].startswith("@") and size == len(place.steps) - 1:
            continue
        known.add(steps)
        yield steps


def _parent(steps: tuple[str, ...], known: set[tuple[str, ...]]) -> int:
    """How many steps the innermost opened element around this one has."""
    return max((size for size in range(1, len(steps)) if steps[:size] in known), default=0)


def _depth(steps: tuple[str, ...], known: set[tuple[str, ...]]) -> int:
    return sum(steps[:size] in known for size in range(1, len(steps)))


def _container(
    steps: tuple[str, ...],
    known: set[tuple[str, ...]],
    marks: dict[tuple[str, ...], str],
    row: PaperRow | None,
    written: Written,
) -> tuple[str, ...]:
    """A line that opens an element; how often it comes is a guess where it says who is paid."""
    mark, remark = marks.get(steps, ""), ""
    if mark:
        written.guesses += 1
        remark = f"{GUESSED} occurrence"
    elif row is not None and (occurs := _occurs(row)) is not None and occurs != (1, 1):
        name = re.sub("[^a-z0-9]", "_", steps[-1].lower())
        mark = f"{name} {occurs[0]}..{'*' if occurs[1] is None else occurs[1]}"
    words = one_line(row.name) if row is not None and row.name != row.tag else ""
    remark = remark or (f"# {words}" if words else "")
    path = "/".join(steps[_parent(steps, known) :])
    return ("  " * _depth(steps, known) + path, f"[{mark}]" if mark else "", "", "", "", remark)


def _leaf(
    place: _Place,
    known: set[tuple[str, ...]],
    order: DraftOrder,
    part: Part,
    written: Written,
    *,
    has_key: bool,
) -> tuple[str, ...]:
    """A line with a value, in cells: place, kind, title, meaning, marker, remark."""
    row = place.row
    opened = _parent(place.steps, known)
    path = "/".join(place.steps[opened:])
    kind, guessed, questions = _kind(row, written.amount_words)
    constant = guess_constant(row, part)
    if constant:
        meaning, guessed = f'"{constant}"', ["constant"]
    else:
        meaning = _meaning(place, part, order.purpose)
        if has_key and meaning.endswith("key"):
            meaning = UNKNOWN
        kind = _with_kind(kind, meaning)
        guessed += ["meaning"] if meaning != UNKNOWN else []
    meaning += optional_words(row, meaning, constant, guessed) or _absent(row, meaning, constant)
    for question in questions:
        written.ask(f"{path} ({row.place})", question)
    if kind == UNKNOWN and not questions:
        written.ask(f"{path} ({row.place})", amount_question(0, False, False))
    elif meaning == UNKNOWN and not questions:
        written.ask(f"{path} ({row.place})", "what does it mean?")
    occurs = _occurs(row)
    marker = "[text 0..*]" if occurs is not None and occurs[1] != 1 else ""
    mark = f"{GUESSED} {', '.join(dict.fromkeys(guessed))}" if guessed else ""
    written.guesses += bool(mark)
    remark = one_line(row.remark)
    behind = f"{mark}; {remark}" if mark and remark else mark or (f"# {remark}" if remark else "")
    return ("  " * _depth(place.steps, known) + path, kind, title_of(row.name), meaning, marker, behind)


def _absent(row: PaperRow, meaning: str, constant: str) -> str:
    """`optional` where the paper says that the element may be missing."""
    occurs = _occurs(row)
    plain = meaning.partition("  ")[0]
    may_be = occurs is not None and occurs[0] == 0 and not constant
    return "  optional" if may_be and "." in plain and not meaning.endswith(("key", "optional")) else ""


def _kind(row: PaperRow, around: str) -> tuple[str, list[str], list[str]]:
    """Kind, what of it is guessed, what is asked: a type of ISO 20022 says it, else words as in any paper."""
    for pattern, kind in _KINDS:
        match = re.fullmatch(pattern, row.type.strip())
        if match is not None and kind == "yuan.2" and contradicts_point(row, around):
            return UNKNOWN, ["kind"], [amount_question(0, True, True)]
        if match is not None:
            sizes = [size for size in match.groups() if size]
            return kind.format(*sizes) if sizes else kind, [], []
    guess = guess_kind(row, around)
    kind = guess.kind
    if kind in ("text", "number") and guess.width_bytes:
        kind = f"{'text' if kind == 'text' else 'digits'} <={guess.width_bytes}"
    questions = [question for question in guess.questions if "how long" not in question]
    return kind, [word for word in guess.guessed if word != "padding"], questions


def _with_kind(kind: str, meaning: str) -> str:
    """A kind that can carry the meaning; its length stays."""
    plain, _, size = kind.partition(" <=")
    fits = fitting("number" if plain == "digits" else plain, meaning)
    return f"{fits} <={size}" if size and fits in ("text", "digits") else fits


def _meaning(place: _Place, part: Part, purpose: Purpose) -> str:
    """By its path in ISO 20022, else by its name as in any paper."""
    for size in range(1, min(len(place.steps), 5)):
        tail = "/".join(place.steps[-size:])
        for pattern, meaning in _ISO:
            if re.fullmatch(pattern, tail) and (known := _for_part(meaning, part, purpose)) != UNKNOWN:
                return known
    row = place.row
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", place.steps[-1].removeprefix("@"))
    return guess_meaning(
        PaperRow(place=row.place, name=row.name, other_name=f"{row.other_name} {words}"), part, purpose
    )


def _for_part(meaning: str, part: Part, purpose: Purpose) -> str:
    """A payment's meaning stands in a payment only; in an answer our own values are echoes."""
    family = meaning.partition(".")[0]
    if part is Part.HEADER and family in ("payment", "attempt", "outcome"):
        return UNKNOWN
    if purpose is Purpose.REQUEST:
        return UNKNOWN if family == "outcome" else meaning
    if meaning.startswith("payment.amount"):
        return "outcome.amount"
    return f"<{meaning}" if family == "payment" else meaning.replace("payment.amount", "outcome.amount")
