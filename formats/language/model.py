"""What a checked layout is: the table of a bank's paper as immutable values.

`language.layout` reads TOML into these; `flat.fixed`, `flat.delimited` and `xml.codec` compile them.
Nothing here reads files or makes bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct

from formats.characters import Alphabet, Substitution
from formats.codec import Purpose
from formats.reasons import Reason, Status
from formats.records import AcknowledgementVerdict
from formats.reference import MAXIMUM_WIDTH, highest_sequence


class Syntax(StrEnum):
    """How a file is laid out in bytes."""

    FIXED = "fixed"
    DELIMITED = "delimited"
    XML = "xml"


class Kind(StrEnum):
    """What stands in a field. `MONEY` implies its decimals, `YUAN` writes the point."""

    TEXT = "text"
    DIGITS = "digits"
    NUMBER = "number"
    MONEY = "money"
    YUAN = "yuan"
    DATE = "date"
    TIME = "time"
    DATETIME = "datetime"
    BLANK = "blank"


class FieldKind(Struct, frozen=True, kw_only=True):
    """A kind with its arguments, as in `yuan.2 suffix "元"` or `text <=35`.

    `maximum` and `exact` count bytes in fixed and delimited files and characters in XML.
    `pattern` is a date or time pattern made of YYYY YY MM DD DDD HH mm SS and other signs, where
    minutes are `MM` too when they follow `HH`. `near` is the meaning from which a date without a
    year takes it. `sign` is "" where amounts are never negative, else `leading`, `trailing` or
    `overpunch`. `check` names the rule of a check digit that the whole value must satisfy.
    """

    name: Kind
    decimals: int = 0
    pattern: str = ""
    suffix: str = ""
    comma: bool = False
    thousands: bool = False
    sign: str = ""
    near: str = ""
    check: str = ""
    maximum: int | None = None
    exact: int | None = None


class Width(Struct, frozen=True, kw_only=True):
    """The place of a field in a fixed record: bytes of the encoding, 0-based offset."""

    bytes_: int
    right: bool = False
    fill: str = " "
    offset: int = 0


class Constant(Struct, frozen=True, tag=True):
    """Always this text; `selects` also tells the record by it."""

    text: str
    selects: bool = False


class Blank(Struct, frozen=True, tag=True):
    """Blank when written; checked to be blank when read, unless `ignored`."""

    ignored: bool = False


class Binding(Struct, frozen=True, tag=True):
    """Written from a meaning and read into it. `echo`: comes back to be compared with ours.

    `first` and `last` are the characters of the value that stand here, 1-based, both included;
    0 and 0 for all of it.
    """

    name: str
    echo: bool = False
    first: int = 0
    last: int = 0

    @property
    def is_slice(self) -> bool:
        """Whether only a part of the value stands here."""
        return self.first > 0


class Condition(Struct, frozen=True):
    """`where status in credited`: the meaning, the permitted values, and whether negated."""

    name: str
    values: tuple[str, ...]
    negated: bool = False


SILENT = "silent"
"""In `= count(silent)` and `= sum(silent)`: the payments of our file that the answer does not list."""


class Count(Struct, frozen=True, tag=True):
    """`= count(payment where status in credited)`: records, rows or scopes, in the scope it stands in."""

    records: tuple[str, ...]
    condition: Condition | None = None
    text: str = ""


class Sum(Struct, frozen=True, tag=True):
    """`= sum(outcome.amount where status in credited)`, in minor units.

    With `fields`, each the name of a record and the title of a field of it, the digits there are
    added up: a hash total, usually with a `modulus`.
    """

    name: str
    condition: Condition | None = None
    text: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    modulus: int = 0


class Lines(Struct, frozen=True, tag=True):
    """`= lines / 10`: lines of the scope, fill lines of the file included, over a divisor."""

    divisor: int = 1
    text: str = "lines"


class Number(Struct, frozen=True, tag=True):
    """`= number`: 1, 2, 3 ... over the records of its kind in the file.

    `= number(batch)` is the number of the scope that it stands in, in the scope around that, where
    it may be of several kinds; `= number(a b)` counts records of these names within the scope.
    """

    of: tuple[str, ...] = ()
    text: str = "number"


class Has(Struct, frozen=True, tag=True):
    """`= has(addenda return)`: 1 where the payment has such a record beside this one, else 0."""

    records: tuple[str, ...]
    text: str = ""


class Check(Struct, frozen=True, tag=True):
    """`= check.aba(RDFI)`: the check digit of other fields of the record, by title."""

    scheme: str
    titles: tuple[str, ...]
    text: str = ""


class Length(Struct, frozen=True, tag=True):
    """`= length`: bytes of the record, without those that only fill it up."""

    text: str = "length"


class Parts(Struct, frozen=True, tag=True):
    """`= parts`: how many parts the repeats of a number that varies have in the record."""

    text: str = "parts"


Total = Count | Sum | Lines
Meaning = Constant | Blank | Binding | Count | Sum | Lines | Number | Has | Check | Length | Parts


class Marker(Struct, frozen=True):
    """`[payment 1..*]`: this element repeats and opens a record. No `maximum`: unlimited."""

    name: str
    minimum: int
    maximum: int | None


class Field(Struct, frozen=True, kw_only=True):
    """One line of a table.

    `values` are those by which the record is told (`!item.kind in 22 32`), beside a constant that
    selects. A field inside `repeat` stands `parts` times, this being number `part` from 0; with
    `until_blank` a later one may be blank; `repeat` is the line of a repeat of a number that varies, 0
    elsewhere: a record has as many parts as it needs. `filler`: blank bytes that fill a block, which no
    line of the table says.

    `kind` and `meaning` are None on an XML line that only opens an element. `depth` is
    the level of indentation from 0, always 0 outside XML. `line` is 1-based in the layout.
    `title` is the name in the bank's paper, and what a `Problem` calls the field.
    """

    place: str
    line: int
    kind: FieldKind | None = None
    title: str = ""
    meaning: Meaning | None = None
    key: bool = False
    optional: bool = False
    marker: Marker | None = None
    remark: str = ""
    depth: int = 0
    width: Width | None = None
    values: tuple[str, ...] = ()
    part: int = 0
    parts: int = 1
    until_blank: bool = False
    repeat: int = 0
    filler: bool = False

    @property
    def selects(self) -> bool:
        """Whether the record is told by this field."""
        return bool(self.values) or (isinstance(self.meaning, Constant) and self.meaning.selects)

    @property
    def room(self) -> int:
        """How much of a text of digits fits: bytes, in XML characters; at most 20, as for a reference."""
        kind = self.kind
        limits = (self.width and self.width.bytes_, kind and kind.maximum, kind and kind.exact)
        return min([MAXIMUM_WIDTH, *(limit for limit in limits if limit)])


ROW_NAMES = ("payment", "fee", "notice", "statement")
"""What repeats and comes in chunks: one row of a chunk each, with all the records below it."""


class Node(Struct, frozen=True, kw_only=True):
    """One line of `structure`: a record by name, a literal line, or a scope with lines below it.

    A `literal` that ends in `*` and is longer stands for any line that starts so
    (`prefix` is then set): read over, never written. No `maximum`: unlimited.
    `any_order`: `any`, whose children come in any order.
    """

    line: int
    name: str = ""
    literal: str | None = None
    prefix: bool = False
    minimum: int = 1
    maximum: int | None = 1
    any_order: bool = False
    children: tuple[Node, ...] = ()

    @property
    def is_row(self) -> bool:
        """Whether its values come in chunks."""
        return self.name in ROW_NAMES and self.maximum != 1

    def walk(self) -> Iterator[Node]:
        """The node and all below it, from top to bottom."""
        yield self
        for child in self.children:
            yield from child.walk()


class Repetition(Struct, frozen=True):
    """`repeat 0..13` in one variant of a record: the fields of one part, and how many parts are there."""

    fields: tuple[Field, ...]
    parts: int


class Record(Struct, frozen=True, kw_only=True):
    """A table with its name. `bytes_` is the width of a fixed record without line end.

    A table with an overlay, or with a repeat of a number that varies, becomes several of one name, each with
    what tells its `variant`. `length_bytes` are its bytes without those that only fill blocks.
    """

    name: str
    fields: tuple[Field, ...]
    line: int
    bytes_: int = 0
    length_bytes: int = 0
    variant: str = ""
    repetitions: tuple[Repetition, ...] = ()

    @property
    def parts(self) -> int:
        """Parts of all repeats of a number that varies."""
        return sum(repetition.parts for repetition in self.repetitions)

    @property
    def label(self) -> str:
        """What tells it from every other record of the layout."""
        return f"{self.name} {self.variant}" if self.variant else self.name

    @property
    def overlay(self) -> str:
        """The values of its overlays alone, however many parts it has."""
        return " ".join(word for word in self.variant.split() if not word.startswith("parts="))


LINE_ENDS = {"lf": b"\n", "crlf": b"\r\n", "cr": b"\r", "none": b""}

TOLERANCES = ("short", "long", "any-eol", "final-eol", "blank-lines", "ctrl-z")
"""What may be read over, each told: a line that lacks trailing blanks, or has more of them; LF, CRLF
or CR whatever is declared; a last line without line end; empty lines; a Ctrl-Z as last byte."""


class Framing(Struct, frozen=True, kw_only=True):
    """How records become a file.

    `rare_form` is how the 25 code points renewed by GB 18030-2022 are written (see
    `charset.RareForm`). `final_eol` false writes, and accepts, a last line without line end.
    `byte_order_mark` writes one before UTF-8; one that comes is read over anyway.
    `record_multiple` pads each record of a file without line ends with blanks to a multiple of so
    many bytes, and keeps parts of a repeat that varies within one such block.
    `fill_to` and `fill_line`: lines after the end, up to a multiple of so many.
    `comment` begins lines that are read over anywhere, never written. `tolerate` are names of
    `TOLERANCES`.
    """

    encoding: str = "utf-8"
    eol: str = "lf"
    delimiter: str = ""
    after_last: bool = False
    after_each_field: str = ""
    final_eol: bool = True
    rare_form: str = "standard"
    byte_order_mark: bool = False
    quote: str = ""
    record_multiple: int = 1
    fill_to: int = 0
    fill_line: str = ""
    comment: str = ""
    tolerate: tuple[str, ...] = ()

    @property
    def line_end(self) -> bytes:
        """The bytes after each record."""
        return LINE_ENDS.get(self.eol, b"\n")


class Frame(Struct, frozen=True, kw_only=True):
    """Blocks before a file's body: a header of one fixed record, and a signature.

    `signature`: how its block is written, `line`, `wrapped` or `absent`; `required`: a file without
    one is refused. `signed` are the bytes that it covers: `body`, or `header` for header and body.
    """

    record: Record
    framing: Framing
    signature: str = "absent"
    signed: str = "body"
    required: bool = False


class OutcomeCode(Struct, frozen=True, kw_only=True):
    """A line of `[codes.outcome]`; `code` is "" where the table says `blank`."""

    code: str
    status: Status
    reason: Reason
    line: int


class FileCode(Struct, frozen=True, kw_only=True):
    """A line of `[codes.file]`: what the bank says of the file as a whole."""

    code: str
    verdict: AcknowledgementVerdict
    reason: Reason
    line: int


RETURNS = ("each", "total")
"""The amount of a return is that of each part of a payment that came back, or of all parts so far."""


class Layout(Struct, frozen=True, kw_only=True):
    """A checked layout. `digest` is over the source and the version of the language.

    `structure` and `records` serve fixed and delimited files, `table` and `namespaces`
    XML. `options` is the `[xml]` table as written, for the XML compiler to check.
    `answers` names the request layout that this one answers. `permitted` is the inside of a
    character class, "" where every character of the encoding may be written. `decimals` are those
    of the currency's minor unit. `silence` is what it means that a payment is not listed ("" for
    nothing), `returns` what the amount of a return is of (`RETURNS`, "" where nobody says);
    `by_position` that a payment is found by its place in the file; `implied_code` the code of every
    record of a file that holds one kind of outcome.
    """

    name: str
    version: str
    purpose: Purpose
    syntax: Syntax
    framing: Framing
    source_name: str
    digest: str
    sources: tuple[str, ...] = ()
    answers: str = ""
    structure: tuple[Node, ...] = ()
    records: tuple[Record, ...] = ()
    table: tuple[Field, ...] = ()
    namespaces: tuple[str, ...] = ()
    options: dict[str, str | int | bool | list[str]] = {}
    outcome_codes: tuple[OutcomeCode, ...] = ()
    outcome_codes_source: str = ""
    file_codes: tuple[FileCode, ...] = ()
    file_codes_source: str = ""
    decimals: int = 2
    silence: str = ""
    returns: str = ""
    by_position: bool = False
    frame: Frame | None = None
    implied_code: str = ""
    permitted: str = ""
    substitutions: tuple[Substitution, ...] = ()

    @property
    def alphabet(self) -> Alphabet:
        """What the bank permits in texts."""
        return Alphabet(self.permitted, self.substitutions)

    def record(self, name: str) -> Record:
        """The (first) record of that name; KeyError where there is none."""
        for record in self.records:
            if record.name == name:
                return record
        raise KeyError(name)

    def shown_records(self) -> tuple[Record, ...]:
        """The records as a person reads them: of a repeat that varies only the one with all parts."""
        most: dict[str, int] = {}
        for record in self.records:
            most[record.name] = max(record.parts, most.get(record.name, 0))
        return tuple(record for record in self.records if record.parts == most[record.name])

    def payment_texts(self) -> dict[str, str]:
        """The texts of payments that the layout writes: meaning to the field's name in the paper."""
        return {
            field.meaning.name: field.title
            for field in self._fields()
            if isinstance(field.meaning, Binding)
            and field.meaning.name.startswith("payment.")
            and field.kind is not None
            and field.kind.name is Kind.TEXT
        }

    def highest_sequence(self) -> int:
        """The highest sequence number that every field which holds one, or a reference, has room for."""
        highest = highest_sequence(MAXIMUM_WIDTH)
        for field in self._fields():
            name = field.meaning.name if isinstance(field.meaning, Binding) else ""
            if name == "attempt.reference":
                highest = min(highest, highest_sequence(field.room))
            elif name == "file.sequence":
                highest = min(highest, 10**field.room - 1)
        return highest

    def key_field(self) -> Field | None:
        """The field of the payment record (or XML table) that finds our attempt again."""
        return next((field for field in self._fields() if field.key), None)

    def _fields(self) -> Iterator[Field]:
        yield from self.table
        for record in self.records:
            yield from record.fields
        if self.frame is not None:
            yield from self.frame.record.fields
