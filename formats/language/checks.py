"""What must agree across a layout, told with its line. Called by `layout` only.

Structure is checked in `checks_structure.py`, what is computed in `checks_totals.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from formats.charset import ENCODING_LABELS, XML_ENCODINGS, Charset, RareForm, canonical_encoding
from formats.codec import Purpose
from formats.language.checks_structure import check_structure
from formats.language.checks_totals import check_totals
from formats.language.meanings import ANSWER_FAMILIES, KINDS_OF_SHAPE, MEANINGS, ROW_FAMILIES, shape_of
from formats.language.model import (
    LINE_ENDS,
    Binding,
    Blank,
    Constant,
    Count,
    Field,
    Frame,
    Framing,
    Kind,
    Layout,
    Record,
    Sum,
    Syntax,
)
from formats.language.source import LayoutSource, did_you_mean
from formats.language.tree import Tree
from formats.reasons import Status

SEPARATORS = "|,;\t^~!$&@"
"""What may stand between fields: nothing that occurs in numbers, dates or signs."""

QUOTES = "\"'"

_CREDITED_IN_ISO = ("ACSC", "ACCC")
_ISO_20022 = "urn:iso:std:iso:20022:"


def check_layout(source: LayoutSource, layout: Layout) -> None:
    """Add every disagreement to `source.problems`."""
    _check_framing(source, layout)
    _check_substitutions(source, layout)
    for record, field in all_fields(layout):
        _check_field(source, layout, record, field)
    if layout.frame is not None:
        _check_frame(source, layout, layout.frame)
    if layout.syntax is not Syntax.XML:
        tree = Tree(layout.structure)
        check_structure(source, layout, tree)
        check_totals(source, layout, tree)
        for record in layout.records:
            _check_repeated_meanings(source, record)
    _check_key(source, layout)
    _check_codes(source, layout)
    _check_silence(source, layout)
    if layout.returns and layout.purpose is not Purpose.RESULT:
        source.add("returns", source.line_of("returns"), f"returns in a {layout.purpose.value}")
    if layout.purpose is Purpose.REQUEST:
        _check_request(source, layout)
    elif layout.purpose is Purpose.STATEMENT:
        _check_statement(source, layout)
    elif not layout.answers:
        hint = 'answers = "NAME-OF-REQUEST"'
        source.add("answers-missing", None, "an answer that answers nothing", hint=hint)


def all_fields(layout: Layout) -> Iterator[tuple[Record | None, Field]]:
    """Every field once: of variants, only what the others have not."""
    seen: set[int] = set()
    for record in layout.records:
        for field in record.fields:
            if field.line not in seen:
                yield record, field
            seen.add(field.line)
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
    _check_line_ends(source, layout, framing, line)
    separator = framing.delimiter if layout.syntax is Syntax.DELIMITED else framing.after_each_field
    wanted = layout.syntax is Syntax.DELIMITED or bool(separator)
    if wanted and (len(separator) != 1 or separator not in SEPARATORS):
        hint = f"one of {' '.join(SEPARATORS)}"
        source.add("delimiter", line, f"{separator!r} cannot separate fields", hint=hint)
    elif separator and not Charset(framing.encoding).ascii_as_is and separator in "@^~$|":
        source.add("delimiter", line, f"{separator!r} is a letter in {framing.encoding}")
    if framing.quote and (framing.quote not in QUOTES or len(framing.quote) > 1):
        source.add("quote", line, f"{framing.quote!r} cannot quote", hint="\" or '")
    forms = [form.value for form in RareForm]
    if framing.rare_form not in forms:
        source.add("rare-form", line, f"no such form: {framing.rare_form}", hint=f"one of {', '.join(forms)}")


def _check_line_ends(source: LayoutSource, layout: Layout, framing: Framing, line: int | None) -> None:
    if framing.eol not in LINE_ENDS:
        hint = f"one of {', '.join(LINE_ENDS)}"
        source.add("eol-unknown", line, f"no such line end: {framing.eol}", hint=hint)
    if framing.eol == "none":
        if layout.syntax is Syntax.DELIMITED or framing.fill_to or framing.comment or framing.tolerate:
            hint = "only records of a fixed width need none"
            source.add("eol", line, "lines without line ends", hint=hint)
        if any(node.literal is not None for top in layout.structure for node in top.walk()):
            source.add("eol", line, "literal lines without line ends")
        if framing.record_multiple != 1 and framing.after_each_field:
            source.add("eol", line, "record_multiple, and a separator after each field")
    elif framing.record_multiple != 1:
        source.add("eol", line, "record_multiple with line ends", hint='eol = "none"')
    if framing.record_multiple < 1 or framing.record_multiple > 4096:
        source.add("record-multiple", line, f"record_multiple {framing.record_multiple}", hint="1 to 4096")
    if framing.fill_to and not (1 < framing.fill_to <= 1000 and len(framing.fill_line) == 1):
        hint = "one character, to a multiple of 2 to 1000 lines"
        source.add("fill-lines", line, "fill_lines not understood", hint=hint)
    if "any-eol" in framing.tolerate and framing.eol == "cr":
        source.add("tolerance", line, "any-eol with eol = cr", hint="declare lf or crlf")


def _check_frame(source: LayoutSource, layout: Layout, frame: Frame) -> None:
    """A header block says things of the file, in ASCII, and begins with a constant."""
    framed = replace(layout, framing=frame.framing, syntax=Syntax.FIXED)
    for index, field in enumerate(frame.record.fields):
        _check_field(source, framed, frame.record, field)
        meaning = field.meaning
        family = meaning.name.partition(".")[0] if isinstance(meaning, Binding) else "file"
        if not isinstance(meaning, Constant | Blank | Binding) or family not in (
            "file",
            "agreement",
            "profile",
        ):
            hint = "constants, file.x, agreement.x and profile.x"
            source.add("frame", field.line, f"{field.title} in a header block", hint=hint)
        if index == 0 and not (isinstance(meaning, Constant) and meaning.selects):
            hint = '!"{H:"'
            source.add("frame", field.line, "a header block that cannot be told", hint=hint)


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
    _check_room(source, layout, field)
    if isinstance(meaning, Binding):
        _check_binding(source, layout, field, meaning)
    elif isinstance(meaning, Constant):
        _check_constant(source, layout, field, meaning)
    if kind.near and not _is_date(kind.near):
        hint = "a date that stands before it, as file.bank_day"
        source.add("pattern", field.line, f"the year of {kind.near}, which is no date of the file", hint=hint)
    is_number = kind.name in (Kind.MONEY, Kind.YUAN, Kind.NUMBER)
    if field.optional and is_number and field.width and field.width.fill == "0" and not field.until_blank:
        hint = "is 0 absent, or nought?"
        source.add("optional-zeros", field.line, "an optional number filled with zeros", hint=hint)
    if kind.sign and layout.syntax is Syntax.XML:
        source.add("kind-argument", field.line, "a sign in XML", hint="bind statement.direction")
    _check_decimals(source, layout, field)


def _is_date(name: str) -> bool:
    shape = shape_of(name)
    return name.startswith("file.") and shape is not None and shape.value in ("date", "instant")


def _check_decimals(source: LayoutSource, layout: Layout, field: Field) -> None:
    kind = field.kind
    if kind is None or kind.name not in (Kind.MONEY, Kind.YUAN):
        return
    if kind.decimals not in (0, 2, 3, 5):
        source.add("decimals", field.line, f"{kind.decimals} decimals", hint="0, 2, 3 or 5")
    elif kind.name is Kind.MONEY and kind.decimals == 0 and layout.decimals != 0:
        hint = (
            "money.2 where the paper counts fen, yuan.0 for whole yuan; decimals = 0 for a currency without"
        )
        source.add("decimals", field.line, "money.0: fen or yuan?", hint=hint)


def _check_room(source: LayoutSource, layout: Layout, field: Field) -> None:
    """A fixed field must have room for the least value of its kind."""
    kind, width = field.kind, field.width
    if kind is None or width is None or isinstance(field.meaning, Constant | Blank):
        return
    least = len(kind.pattern) or 1 + len(kind.suffix.encode()) + bool(
        kind.sign and kind.sign != "overpunch"
    ) + (kind.decimals + 1) * (kind.name is Kind.YUAN and kind.decimals > 0)
    if width.bytes_ < least:
        message = f"{width.bytes_} bytes for {kind.name.value}"
        source.add("width", field.line, message, hint=f"at least {least}")
    if kind.name is Kind.MONEY and width.bytes_ <= kind.decimals - layout.decimals:
        source.add("width", field.line, f"{width.bytes_} bytes for {kind.decimals} decimals")


def _check_binding(source: LayoutSource, layout: Layout, field: Field, meaning: Binding) -> None:
    name, family = meaning.name, meaning.name.partition(".")[0]
    shape = shape_of(name)
    if family == "outcome" and "fee" in name:
        message = f"{name}: an outcome has no place for a fee"
        source.add("fee-in-outcome", field.line, message, hint="bind fee.amount")
        return
    if shape is None:
        of_family = [known for known in MEANINGS if known.partition(".")[0] == family]
        hint = f"{did_you_mean(name, of_family or MEANINGS)} see docs/layouts.md".strip()
        source.add("meaning-unknown", field.line, f"no such meaning: {name}", hint=hint)
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
    fixed_parts = field.parts > 1 and not field.repeat
    if meaning.is_slice and (shape.value != "text" or meaning.last < meaning.first or fixed_parts):
        hint = "a part of a text, as payment.bank_code[1-8]"
        source.add("slice", field.line, f"{name}[{meaning.first}-{meaning.last}]", hint=hint)
    if field.values and shape.value != "text":
        source.add("selection", field.line, f"{name} cannot tell a record", hint="a text can")


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
        message = f"{text!r} is {len(raw)} bytes, wanted at most {field.width.bytes_}"
        source.add("constant", field.line, message)
    is_number = kind is not None and kind.name in (Kind.DIGITS, Kind.NUMBER)
    if kind is not None and is_number and not (text.isascii() and text.isdigit()):
        source.add("constant", field.line, f"{text!r} as {kind.name.value}")


def _check_repeated_meanings(source: LayoutSource, record: Record) -> None:
    """One value in one place of a record; parts of it, or a repeat, in several."""
    seen: dict[str, Field] = {}
    for field in record.fields:
        if not isinstance(field.meaning, Binding):
            continue
        name = field.meaning.name
        if name.partition(".")[0] not in ROW_FAMILIES:
            continue
        other = seen.setdefault(name, field)
        assert isinstance(other.meaning, Binding), "only bindings are kept"
        both_parts = other.meaning.is_slice and field.meaning.is_slice
        same_repeat = other.line == field.line
        is_slice = other.meaning.is_slice or field.meaning.is_slice
        goes_on = field.repeat and not is_slice and field.kind == other.kind
        if other is not field and not both_parts and not same_repeat and not goes_on:
            source.add("meaning-twice", field.line, f"{name} is bound in line {other.line} too")


def _check_key(source: LayoutSource, layout: Layout) -> None:
    keys = [(record, field) for record, field in all_fields(layout) if field.key]
    first = keys[0] if keys else None
    for record, field in keys[1:]:
        assert first is not None, "there is one before"
        one, other = first[1].meaning, field.meaning
        same = isinstance(one, Binding) and isinstance(other, Binding) and one.name == other.name
        if not same or (record is not None and first[0] is not None and record.name == first[0].name):
            hint = f"the first is in line {first[1].line}"
            source.add("key-twice", field.line, f"a second key: {field.title}", hint=hint)
    tree = Tree(layout.structure)
    has_payments = layout.syntax is Syntax.XML or "payment" in tree.rows
    wanted = layout.purpose in (Purpose.REQUEST, Purpose.RESULT)
    if layout.by_position:
        _check_position(source, layout, [field for _, field in keys])
    elif not keys and has_payments and wanted:
        hint = "mark attempt.reference or a number with key"
        source.add("key-missing", None, "no field is the key", hint=hint)
    for record, field in keys:
        place = None if record is None else tree.places.get(record.name)
        if place is not None and (place.row is None or place.row.name == "fee"):
            message = f"a key in record {place.node.name}"
            source.add("key", field.line, message, hint="the key stands in payment")


def _check_position(source: LayoutSource, layout: Layout, keys: list[Field]) -> None:
    """A place in the file is a key only with what is echoed, and only where every payment is listed."""
    line = source.line_of("key")
    for field in keys:
        source.add("key-twice", field.line, f"{field.title} as key beside the position")
    bound = {field.meaning.name for _, field in all_fields(layout) if isinstance(field.meaning, Binding)}
    if layout.purpose is Purpose.RESULT and not {"payment.account", "outcome.amount"} <= bound:
        hint = "bind <payment.account and outcome.amount"
        source.add("key-position", line, "the position as key, without account and amount", hint=hint)
    if layout.silence:
        hint = "a position cannot be told from a record that is missing"
        source.add("silence-key", line, "the position as key where silence means credited", hint=hint)


def _check_codes(source: LayoutSource, layout: Layout) -> None:
    bound = {
        field.meaning.name: field for _, field in all_fields(layout) if isinstance(field.meaning, Binding)
    }
    has_code = "outcome.code" in bound or bool(layout.implied_code)
    if "outcome.code" in bound and not layout.outcome_codes:
        line = bound["outcome.code"].line
        source.add("codes-missing", line, "outcome.code without a table", hint="[codes.outcome]")
    if layout.purpose is Purpose.RESULT and not has_code:
        source.add("codes-missing", None, "a result without outcome.code", hint="bind the bank's return code")
    if layout.purpose is Purpose.ACKNOWLEDGEMENT and not ("file.code" in bound and layout.file_codes):
        source.add("codes-missing", None, "an acknowledgement without file.code and [codes.file]")
    if layout.outcome_codes and not has_code:
        where = source.line_of("codes", "outcome")
        source.add("codes-unused", where, "a code table, but outcome.code is not bound")
    if layout.file_codes and "file.code" not in bound:
        where = source.line_of("codes", "file")
        source.add("codes-unused", where, "a code table, but file.code is not bound")
    if layout.implied_code:
        _check_implied(source, layout, "outcome.code" in bound)
    if any(_ISO_20022 in namespace for namespace in layout.namespaces):
        for code in layout.outcome_codes:
            if code.status is Status.CREDITED and code.code.partition("/")[0] not in _CREDITED_IN_ISO:
                hint = "ACCP, ACSP, ACTC and PDNG are in progress"
                source.add(
                    "code-iso", code.line, f"{code.code} as credited: only ACSC and ACCC are", hint=hint
                )
    _check_blank_codes(source, layout)


def _check_blank_codes(source: LayoutSource, layout: Layout) -> None:
    """A blank may mean something only where the bank wrote it, not where a record or line is missing."""
    blank = next((code for code in layout.outcome_codes if not code.code), None)
    if blank is None:
        return
    tree = Tree(layout.structure)
    for record, field in all_fields(layout):
        if not (isinstance(field.meaning, Binding) and field.meaning.name == "outcome.code"):
            continue
        place = None if record is None else tree.places.get(record.name)
        if place is not None and place.node is not place.row and place.node.minimum == 0:
            message = f"blank as {blank.status.value}, in a record that may be missing"
            source.add("code-padded", field.line, message, hint="absence never supplies a code")


def _check_implied(source: LayoutSource, layout: Layout, bound: bool) -> None:
    line = source.line_of("codes", "outcome", "implied")
    code = next((one for one in layout.outcome_codes if one.code == layout.implied_code), None)
    if bound:
        source.add("code-implied", line, "an implied code, but outcome.code is bound")
    elif code is None:
        message = f"{layout.implied_code} is not in the table"
        source.add("code-implied", line, message, hint="list it with its status")
    elif code.status is Status.CREDITED:
        meanings = [field.meaning for _, field in all_fields(layout)]
        if not any(isinstance(one, Count) for one in meanings) or not any(
            isinstance(one, Sum) and not one.fields for one in meanings
        ):
            hint = "bind = count(payment) and = sum(..) of the file"
            source.add("code-implied", line, "success by the kind of file, without its totals", hint=hint)


def _check_silence(source: LayoutSource, layout: Layout) -> None:
    """`silence = "credited"`: only failures are listed, and the file proves that it is all of them."""
    meanings = {
        field.meaning.text: field
        for _, field in all_fields(layout)
        if isinstance(field.meaning, Count | Sum) and "silent" in field.meaning.text
    }
    line = source.line_of("silence")
    if not layout.silence:
        for field in meanings.values():
            hint = 'silence = "credited", where only failures are returned'
            source.add("silence", field.line, "payments that are not listed, and no silence", hint=hint)
        return
    if layout.purpose is not Purpose.RESULT or layout.syntax is Syntax.XML:
        source.add("silence", line, f"silence in a {layout.purpose.value} of {layout.syntax.value}")
    if not {"count(silent)", "sum(silent)"} <= meanings.keys():
        hint = "the bank's own count and sum of successes: = count(silent), = sum(silent)"
        source.add("silence", line, "silence means credited, and nothing proves it", hint=hint)
    key = layout.key_field()
    if key is not None and not (isinstance(key.meaning, Binding) and key.meaning.name == "attempt.reference"):
        hint = "a position cannot be told from a record that is missing"
        source.add("silence-key", key.line, "the position as key where silence means credited", hint=hint)


def _check_request(source: LayoutSource, layout: Layout) -> None:
    bound = {field.meaning.name for _, field in all_fields(layout) if isinstance(field.meaning, Binding)}
    for name in ("payment.account", "payment.amount"):
        if name not in bound:
            source.add("meaning-missing", None, f"a request without {name}")
    if layout.answers:
        source.add("answers", source.line_of("answers"), "a request answers nothing")


def _check_statement(source: LayoutSource, layout: Layout) -> None:
    bound = {field.meaning.name for _, field in all_fields(layout) if isinstance(field.meaning, Binding)}
    for name in ("statement.amount", "statement.direction"):
        if name not in bound:
            source.add("meaning-missing", None, f"a statement without {name}")
