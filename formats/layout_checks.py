"""What must agree across a layout, told with its line. Called by `layout.py` only."""

from __future__ import annotations

from collections.abc import Iterator

from formats.charset import ENCODING_LABELS, XML_ENCODINGS, Charset, RareForm, canonical_encoding
from formats.codec import Purpose
from formats.layout_model import (
    Binding,
    Blank,
    Condition,
    Constant,
    Count,
    Field,
    Kind,
    Layout,
    Number,
    Record,
    Sum,
    Syntax,
)
from formats.layout_source import LayoutSource
from formats.meanings import ANSWER_FAMILIES, KINDS_OF_SHAPE, Shape, shape_of
from formats.reasons import Reason, Status

CHUNK_RECORD_NAMES = ("payment", "fee", "notice")
"""Records whose values come and go in chunks; all others occur once."""

SEPARATORS = "|,;\t^~!$&@"
"""What may stand between fields: nothing that occurs in numbers, dates or signs."""

_PER_RECORD_FAMILIES = ("payment", "attempt", "outcome", "fee", "notice")
_CONDITION_WORDS: dict[str, frozenset[str]] = {
    "outcome.status": frozenset(word.value for word in Status),
    "outcome.reason": frozenset(word.value for word in Reason if word.value),
}


def check_layout(source: LayoutSource, layout: Layout) -> None:
    """Add every disagreement to `source.problems`."""
    _check_framing(source, layout)
    _check_substitutions(source, layout)
    for record, field in _all_fields(layout):
        _check_field(source, layout, record, field)
    if layout.syntax is not Syntax.XML:
        _check_structure(source, layout)
        for record in layout.records:
            _check_repeated_meanings(source, record)
    _check_key(source, layout)
    _check_codes(source, layout)
    if layout.purpose is Purpose.REQUEST:
        _check_request(source, layout)
    elif not layout.answers:
        source.add(
            "answers-missing", None, "an answer that answers nothing", hint='answers = "NAME-OF-REQUEST"'
        )


def _all_fields(layout: Layout) -> Iterator[tuple[Record | None, Field]]:
    for record in layout.records:
        for field in record.fields:
            yield record, field
    for field in layout.table:
        yield None, field


def _check_framing(source: LayoutSource, layout: Layout) -> None:
    framing, line = layout.framing, source.line_of("framing")
    if canonical_encoding(framing.encoding) is None:
        labels = ", ".join(sorted(ENCODING_LABELS))
        source.add("encoding-unknown", line, f"no such encoding: {framing.encoding}", hint=f"one of {labels}")
        return
    if layout.syntax is Syntax.XML and framing.encoding not in XML_ENCODINGS:
        labels = ", ".join(sorted(XML_ENCODINGS))
        source.add("encoding-unknown", line, f"{framing.encoding} in XML", hint=f"one of {labels}")
    if framing.byte_order_mark and framing.encoding != "utf-8":
        source.add("byte-order-mark", line, f"a byte order mark in {framing.encoding}", hint="UTF-8 has one")
    if framing.eol not in ("lf", "crlf"):
        source.add("eol-unknown", line, f"no such line end: {framing.eol}", hint="lf or crlf")
    separator = framing.delimiter if layout.syntax is Syntax.DELIMITED else framing.after_each_field
    wanted = layout.syntax is Syntax.DELIMITED or bool(separator)
    if wanted and (len(separator) != 1 or separator not in SEPARATORS):
        source.add(
            "delimiter", line, f"{separator!r} cannot separate fields", hint=f"one of {' '.join(SEPARATORS)}"
        )
    elif separator and not Charset(framing.encoding).ascii_as_is and separator in "@^~$|":
        source.add("delimiter", line, f"{separator!r} is a letter in {framing.encoding}")
    forms = [form.value for form in RareForm]
    if framing.rare_form not in forms:
        source.add("rare-form", line, f"no such form: {framing.rare_form}", hint=f"one of {', '.join(forms)}")


def _check_substitutions(source: LayoutSource, layout: Layout) -> None:
    """A substitution makes something permitted of something that is not, in one step."""
    alphabet = layout.alphabet
    seen: dict[str, int] = {}
    for one in layout.substitutions:
        if one.character in seen:
            message = f"{one.character} is substituted in line {seen[one.character]} too"
            source.add("substitution", one.line, message)
        seen.setdefault(one.character, one.line)
        if layout.permitted and alphabet.permits(one.character):
            source.add("substitution", one.line, f"{one.character} is permitted, and substituted")
        if not alphabet.permits(one.written) or any(
            other.character in one.written for other in layout.substitutions
        ):
            message = f"{one.written} for {one.character} may not be written itself"
            source.add("substitution", one.line, message, hint="add it to permitted")


def _check_field(source: LayoutSource, layout: Layout, record: Record | None, field: Field) -> None:
    meaning, kind = field.meaning, field.kind
    if meaning is None or kind is None:
        return
    _check_room(source, field)
    if isinstance(meaning, Binding):
        _check_binding(source, layout, field, meaning)
    elif isinstance(meaning, Constant):
        _check_constant(source, layout, field, meaning)
    elif isinstance(meaning, Number):
        if kind.name is not Kind.NUMBER:
            source.add(
                "kind-meaning", field.line, f"a running number in {kind.name.value}", hint="kind number"
            )
        if field.key and layout.purpose is not Purpose.REQUEST:
            source.add(
                "key-position",
                field.line,
                "the position in an answer as key",
                hint="bind attempt.item to what the bank wrote",
            )
    elif isinstance(meaning, Count):
        _check_count(source, layout, field, meaning)
    elif isinstance(meaning, Sum):
        _check_sum(source, layout, field, meaning)
    if (
        field.optional
        and kind.name in (Kind.MONEY, Kind.YUAN, Kind.NUMBER)
        and field.width
        and field.width.fill == "0"
    ):
        source.add(
            "optional-zeros",
            field.line,
            "an optional number filled with zeros",
            hint="is 0 absent, or nought?",
        )


def _check_room(source: LayoutSource, field: Field) -> None:
    """A fixed field must have room for the least value of its kind."""
    kind, width = field.kind, field.width
    if kind is None or width is None or isinstance(field.meaning, Constant | Blank):
        return
    least = len(kind.pattern) or 1 + len(kind.suffix.encode()) + 3 * (
        kind.name is Kind.YUAN and kind.decimals > 0
    )
    if width.bytes_ < least:
        source.add(
            "width", field.line, f"{width.bytes_} bytes for {kind.name.value}", hint=f"at least {least}"
        )


def _check_binding(source: LayoutSource, layout: Layout, field: Field, meaning: Binding) -> None:
    name, family = meaning.name, meaning.name.partition(".")[0]
    shape = shape_of(name)
    if family == "outcome" and "fee" in name:
        source.add(
            "fee-in-outcome", field.line, f"{name}: an outcome has no place for a fee", hint="bind fee.amount"
        )
        return
    if shape is None:
        source.add("meaning-unknown", field.line, f"no such meaning: {name}", hint="see docs/layouts.md")
        return
    if field.kind is not None and field.kind.name not in KINDS_OF_SHAPE[shape]:
        words = ", ".join(sorted(kind.value for kind in KINDS_OF_SHAPE[shape]))
        source.add("kind-meaning", field.line, f"{name} as {field.kind.name.value}", hint=f"kind {words}")
    request = layout.purpose is Purpose.REQUEST
    if request and family in ANSWER_FAMILIES:
        source.add("meaning-purpose", field.line, f"{name} in a request", hint="it stands in answers only")
    if not request and family == "payment" and not meaning.echo:
        source.add("meaning-purpose", field.line, f"{name} in an answer", hint=f"an echo: <{name}")
    if meaning.echo and family != "payment":
        source.add("echo", field.line, f"<{name}", hint="only payment.x is echoed")


def _check_constant(source: LayoutSource, layout: Layout, field: Field, meaning: Constant) -> None:
    text, kind = meaning.text, field.kind
    if not text or text != text.strip() or not text.isprintable():
        source.add("constant", field.line, f"{text!r} as a constant", hint="blank, if it is nothing")
        return
    if not layout.alphabet.permits(text):
        source.add("constant", field.line, f"{text!r} has a character that [characters] does not permit")
    if canonical_encoding(layout.framing.encoding) is None or layout.syntax is Syntax.XML:
        return
    try:
        raw = Charset(layout.framing.encoding).encode(text)
    except UnicodeEncodeError:
        source.add("constant", field.line, f"{text!r} cannot be written in {layout.framing.encoding}")
        return
    separator = layout.framing.delimiter or layout.framing.after_each_field
    if separator and separator in text:
        source.add("constant", field.line, f"{text!r} contains the delimiter")
    if field.width is not None and len(raw) > field.width.bytes_:
        source.add(
            "constant", field.line, f"{text!r} is {len(raw)} bytes, wanted at most {field.width.bytes_}"
        )
    if (
        kind is not None
        and kind.name in (Kind.DIGITS, Kind.NUMBER)
        and not (text.isascii() and text.isdigit())
    ):
        source.add("constant", field.line, f"{text!r} as {kind.name.value}")


def _check_count(source: LayoutSource, layout: Layout, field: Field, meaning: Count) -> None:
    if field.kind is not None and field.kind.name is not Kind.NUMBER:
        source.add("kind-meaning", field.line, f"a count in {field.kind.name.value}", hint="kind number")
    if layout.syntax is Syntax.XML:
        return
    if meaning.record not in {node.record for node in layout.structure if node.repeats}:
        source.add(
            "total",
            field.line,
            f"count of {meaning.record}, which does not repeat",
            hint="count a record of the structure",
        )
        return
    _check_condition(source, layout, field, meaning.condition, [meaning.record])


def _check_sum(source: LayoutSource, layout: Layout, field: Field, meaning: Sum) -> None:
    if shape_of(meaning.name) is not Shape.AMOUNT:
        source.add("total", field.line, f"sum of {meaning.name}, which is no amount")
    if field.kind is not None and field.kind.name not in (Kind.MONEY, Kind.YUAN):
        source.add(
            "kind-meaning", field.line, f"a sum in {field.kind.name.value}", hint="kind yuan.2 or money.2"
        )
    if layout.syntax is Syntax.XML:
        return
    records = [record.name for record in layout.records if _binds(record, meaning.name)]
    if not records:
        source.add("total", field.line, f"sum of {meaning.name}, which no record has")
        return
    _check_condition(source, layout, field, meaning.condition, records)


def _check_condition(
    source: LayoutSource, layout: Layout, field: Field, condition: Condition | None, records: list[str]
) -> None:
    if condition is None:
        return
    needed = "outcome.code" if condition.name in ("outcome.status", "outcome.reason") else condition.name
    for name in records:
        if any(record.name == name and not _binds(record, needed) for record in layout.records):
            source.add("total", field.line, f"a condition on {condition.name}, which record {name} has not")
    words = _CONDITION_WORDS.get(condition.name)
    for value in condition.values:
        if words is not None and value not in words:
            source.add(
                "total",
                field.line,
                f"no such {condition.name}: {value}",
                hint=f"one of {', '.join(sorted(words))}",
            )


def _binds(record: Record, name: str) -> bool:
    return any(isinstance(field.meaning, Binding) and field.meaning.name == name for field in record.fields)


def _check_structure(source: LayoutSource, layout: Layout) -> None:
    if not layout.structure:
        source.add("structure-empty", source.line_of("structure"), "a structure without lines")
    seen: set[str] = set()
    tables = {record.name: record for record in layout.records}
    for node in layout.structure:
        if not node.record:
            continue
        if node.record not in tables:
            source.add(
                "record-missing", node.line, f"no table for {node.record}", hint=f"[record.{node.record}]"
            )
        if node.record in seen:
            source.add("structure-twice", node.line, f"{node.record} occurs in two places")
        seen.add(node.record)
        if node.repeats and node.record in tables:
            _check_repeating(source, tables[node.record])
        if node.repeats and node.record not in CHUNK_RECORD_NAMES:
            source.add(
                "structure-repeat",
                node.line,
                f"{node.record} repeats",
                hint=f"only {', '.join(CHUNK_RECORD_NAMES)} do",
            )
        if not node.repeats and node.record in tables:
            _check_once(source, tables[node.record])
    for name, record in tables.items():
        if name not in seen:
            source.add("record-unused", record.line, f"record {name} is not in the structure")
    _check_telling(source, layout, tables)


def _check_repeating(source: LayoutSource, record: Record) -> None:
    for field in record.fields:
        if isinstance(field.meaning, Count | Sum):
            source.add(
                "meaning-scope", field.line, "a total in a record that repeats", hint="a header or trailer"
            )


def _check_once(source: LayoutSource, record: Record) -> None:
    for field in record.fields:
        meaning = field.meaning
        if isinstance(meaning, Binding) and meaning.name.partition(".")[0] in _PER_RECORD_FAMILIES:
            source.add("meaning-scope", field.line, f"{meaning.name} in a record that occurs once")
        if isinstance(meaning, Number):
            source.add("meaning-scope", field.line, "a running number in a record that occurs once")


def _check_telling(source: LayoutSource, layout: Layout, tables: dict[str, Record]) -> None:
    """A record must be told from what may follow it: by a literal, or a selecting constant."""
    nodes = layout.structure
    for index, node in enumerate(nodes[:-1]):
        if not node.record or node.record not in tables or node.minimum == node.maximum:
            continue
        for later in nodes[index + 1 :]:
            if later.record in tables and not _tells(
                tables[node.record], tables[later.record], layout.syntax
            ):
                source.add(
                    "structure-ambiguous",
                    later.line,
                    f"{later.record} cannot be told from {node.record}",
                    hint='give each a selecting constant !"..." at the same place',
                )
            if later.minimum > 0:
                break


def _tells(first: Record, second: Record, syntax: Syntax) -> bool:
    selectors = _selectors(first, syntax)
    others = _selectors(second, syntax)
    return any(others.get(place, text) != text for place, text in selectors.items())


def _selectors(record: Record, syntax: Syntax) -> dict[tuple[int, int], str]:
    selectors = {}
    for index, field in enumerate(record.fields):
        if isinstance(field.meaning, Constant) and field.meaning.selects:
            place = (field.width.offset, field.width.bytes_) if field.width else (index, 0)
            selectors[place] = field.meaning.text
    return selectors


def _check_repeated_meanings(source: LayoutSource, record: Record) -> None:
    seen: dict[str, int] = {}
    for field in record.fields:
        if not isinstance(field.meaning, Binding):
            continue
        name = field.meaning.name
        if name.partition(".")[0] in _PER_RECORD_FAMILIES and name in seen:
            source.add("meaning-twice", field.line, f"{name} is bound in line {seen[name]} too")
        seen.setdefault(name, field.line)


def _check_key(source: LayoutSource, layout: Layout) -> None:
    keys = [field for _, field in _all_fields(layout) if field.key]
    for field in keys[1:]:
        source.add(
            "key-twice",
            field.line,
            f"a second key: {field.title}",
            hint=f"the first is in line {keys[0].line}",
        )
    has_payments = layout.syntax is Syntax.XML or any(record.name == "payment" for record in layout.records)
    if not keys and has_payments and layout.purpose is not Purpose.ACKNOWLEDGEMENT:
        source.add(
            "key-missing", None, "no field is the key", hint="mark attempt.reference or a number with key"
        )
    for record in layout.records:
        if record.name != "payment" and any(field.key for field in record.fields):
            source.add("key", record.line, f"a key in record {record.name}", hint="the key stands in payment")


def _check_codes(source: LayoutSource, layout: Layout) -> None:
    bound = {
        field.meaning.name: field for _, field in _all_fields(layout) if isinstance(field.meaning, Binding)
    }
    if "outcome.code" in bound and not layout.outcome_codes:
        source.add(
            "codes-missing",
            bound["outcome.code"].line,
            "outcome.code without a table",
            hint="[codes.outcome]",
        )
    if layout.purpose is Purpose.RESULT and "outcome.code" not in bound:
        source.add("codes-missing", None, "a result without outcome.code", hint="bind the bank's return code")
    if layout.purpose is Purpose.ACKNOWLEDGEMENT and not ("file.code" in bound and layout.file_codes):
        source.add("codes-missing", None, "an acknowledgement without file.code and [codes.file]")
    if layout.outcome_codes and "outcome.code" not in bound:
        source.add(
            "codes-unused", source.line_of("codes", "outcome"), "a code table, but outcome.code is not bound"
        )
    if layout.file_codes and "file.code" not in bound:
        source.add(
            "codes-unused", source.line_of("codes", "file"), "a code table, but file.code is not bound"
        )


def _check_request(source: LayoutSource, layout: Layout) -> None:
    bound = {field.meaning.name for _, field in _all_fields(layout) if isinstance(field.meaning, Binding)}
    for name in ("payment.account", "payment.amount"):
        if name not in bound:
            source.add("meaning-missing", None, f"a request without {name}")
    if layout.answers:
        source.add("answers", source.line_of("answers"), "a request answers nothing")
