"""What is computed in a layout: totals in their scopes, numbers, check digits, counts of children."""

from __future__ import annotations

from formats.check_digits import IBAN, SCHEMES
from formats.language.meanings import Shape, shape_of
from formats.language.model import (
    SILENT,
    Binding,
    Check,
    Condition,
    Count,
    Field,
    Has,
    Kind,
    Layout,
    Length,
    Lines,
    Node,
    Number,
    Parts,
    Record,
    Sum,
    Syntax,
)
from formats.language.source import LayoutSource
from formats.language.tree import FILE_SCOPE, Place, Tree
from formats.reasons import Reason, Status

_CONDITION_WORDS: dict[str, frozenset[str]] = {
    "outcome.status": frozenset(word.value for word in Status),
    "outcome.reason": frozenset(word.value for word in Reason if word.value),
}
_FORM = "kind number"


def check_totals(source: LayoutSource, layout: Layout, tree: Tree) -> None:
    """Add every mistake to `source.problems`."""
    seen: set[int] = set()
    for record in layout.records:
        place = tree.places.get(record.name)
        if place is None:
            continue
        for field in record.fields:
            if field.line not in seen:
                _Checker(source, layout, tree, record, place, field).check()
            seen.add(field.line)


class _Checker:
    """One computed field."""

    def __init__(
        self, source: LayoutSource, layout: Layout, tree: Tree, record: Record, place: Place, field: Field
    ) -> None:
        self._source, self._layout, self._tree = source, layout, tree
        self._record, self._place, self._field = record, place, field

    def check(self) -> None:
        meaning = self._field.meaning
        if isinstance(meaning, Count):
            self._count(meaning)
        elif isinstance(meaning, Sum):
            self._sum(meaning)
        elif isinstance(meaning, Lines):
            self._lines(meaning)
        elif isinstance(meaning, Number):
            self._number(meaning)
        elif isinstance(meaning, Has):
            self._children(meaning.records)
            self._wants_number("a flag")
        elif isinstance(meaning, Check):
            self._check_digit(meaning)
        elif isinstance(meaning, Length):
            self._wants_number("a length")
            if self._layout.syntax is not Syntax.FIXED:
                self._add("total", "a length in a delimited file")
            self._wants_room(max(one.length_bytes for one in self._variants()))
        elif isinstance(meaning, Parts):
            self._wants_number("a number of parts")
            if not self._record.repetitions:
                self._add("total", "a number of parts, and no repeat that varies", "repeat 0..5")
            self._wants_room(max(one.parts for one in self._variants()))

    def _add(self, code: str, message: str, hint: str = "") -> None:
        self._source.add(code, self._field.line, message, hint=hint)

    def _wants_number(self, what: str) -> None:
        kind = self._field.kind
        if kind is not None and kind.name not in (Kind.NUMBER, Kind.DIGITS):
            self._add("kind-meaning", f"{what} in {kind.name.value}", _FORM)
        if kind is not None and kind.sign:
            self._add("kind-argument", f"a sign on {what}")

    def _variants(self) -> list[Record]:
        return [record for record in self._layout.records if record.name == self._record.name]

    def _wants_room(self, number: int) -> None:
        width = self._field.width
        if width is not None and len(str(number)) > width.bytes_:
            message = f"{width.bytes_} bytes for {self._field.title}, which is {number}"
            self._add("width", message, f"at least {len(str(number))}")

    def _count(self, meaning: Count) -> None:
        self._wants_number("a count")
        if meaning.records == (SILENT,):
            return
        if self._place.row is not None:
            self._children(meaning.records)
            if meaning.condition is not None:
                self._add("total", "a condition on the records of one payment")
            return
        counted = self._tree.names_in(self._place.scope)
        for name in meaning.records:
            if name not in counted or (self._occurs_once(name) and len(meaning.records) == 1):
                scope = self._place.scope or "the file"
                message = f"count of {name}, which does not repeat in {scope}"
                self._add("total", message, "count a record, a row or a scope below")
        if meaning.condition is not None:
            rows = [name for name in meaning.records if name in self._tree.rows]
            if rows != list(meaning.records):
                self._add("total", "a condition on what is no row", "count(payment where ...)")
            else:
                self._condition(meaning.condition, rows)

    def _occurs_once(self, name: str) -> bool:
        node = next((part for top in self._tree.structure for part in top.walk() if part.name == name), None)
        scopes = self._tree.scopes.get(name)
        if name in self._tree.rows:
            return False
        place = self._tree.places.get(name)
        if place is not None:
            scopes = place.scopes
            if place.row is not None:
                return False
        depth = len(self._place.scopes)
        return node is not None and node.maximum == 1 and len(scopes or ()) == depth

    def _sum(self, meaning: Sum) -> None:
        kind = self._field.kind
        if meaning.fields:
            self._hash(meaning)
            return
        if self._place.row is not None:
            self._add("meaning-scope", "a total in a record that repeats", "a header or trailer")
            return
        if meaning.name != SILENT and shape_of(meaning.name) is not Shape.AMOUNT:
            self._add("total", f"sum of {meaning.name}, which is no amount")
        if kind is not None and kind.name not in (Kind.MONEY, Kind.YUAN):
            self._add("kind-meaning", f"a sum in {kind.name.value}", "kind yuan.2 or money.2")
        if meaning.name == SILENT:
            return
        rows = [row for row in self._rows() if self._row_binds(row, meaning.name)]
        if not rows:
            self._add("total", f"sum of {meaning.name}, which no record has")
        elif meaning.condition is not None:
            self._condition(meaning.condition, rows)

    def _hash(self, meaning: Sum) -> None:
        self._wants_number("a hash total")
        for name, title in meaning.fields:
            fields = [
                field
                for record in self._layout.records
                if record.name == name
                for field in record.fields
                if field.title == title
            ]
            if not fields or name not in self._tree.names_in(self._place.scope):
                meant = f"{name}.{title}".lower()
                hint = "sum(RECORD.TITLE), or a meaning as payment.amount"
                if shape_of(meant) is Shape.AMOUNT:
                    hint = f"did you mean sum({meant})? names of meanings are in lower case"
                self._add("total", f"sum of {name}.{title}, which is no field here", hint)
            elif any(field.kind is None or field.kind.name is not Kind.DIGITS for field in fields):
                self._add("total", f"{title} is not of kind digits")

    def _rows(self) -> list[str]:
        inside = self._tree.names_in(self._place.scope)
        return [row for row in self._tree.rows if row in inside]

    def _row_binds(self, row: str, name: str) -> bool:
        names = {node.name for node in self._tree.row_records(row)}
        return any(_binds(record, name) for record in self._layout.records if record.name in names)

    def _condition(self, condition: Condition, rows: list[str]) -> None:
        needed = "outcome.code" if condition.name in ("outcome.status", "outcome.reason") else condition.name
        for row in rows:
            if not self._row_binds(row, needed) and not (
                needed == "outcome.code" and self._layout.implied_code
            ):
                table = " and its table [codes.outcome]" if needed == "outcome.code" else ""
                hint = f"bind {needed}{table} in {row}, or take the condition away"
                self._add("total", f"a condition on {condition.name}, which {row} has not", hint)
        words = _CONDITION_WORDS.get(condition.name)
        for value in condition.values:
            if words is not None and value not in words:
                hint = f"one of {', '.join(sorted(words))}"
                self._add("total", f"no such {condition.name}: {value}", hint)

    def _lines(self, meaning: Lines) -> None:
        self._wants_number("a number of lines")
        if self._place.row is not None:
            self._add("meaning-scope", "a number of lines in a record that repeats")
        elif not all(node.minimum == node.maximum == 1 for node in self._behind()):
            hint = "it is counted when everything else is written"
            self._add("total", "a number of lines before the end of its scope", hint)
        if meaning.divisor < 1:
            self._add("total", "lines / 0")

    def _behind(self) -> list[Node]:
        """What stands after the record in its scope."""
        nodes = self._tree.structure
        for top in self._tree.structure:
            for node in top.walk():
                if node.name == self._place.scope and self._place.scope != FILE_SCOPE:
                    nodes = node.children
        names = [node.name for node in nodes]
        if self._record.name not in names:
            return list(nodes)
        return list(nodes[names.index(self._record.name) + 1 :])

    def _number(self, meaning: Number) -> None:
        kind = self._field.kind
        if kind is not None and kind.name is not Kind.NUMBER:
            self._add("kind-meaning", f"a running number in {kind.name.value}", _FORM)
        if self._field.key and self._layout.purpose.value != "request":
            self._add(
                "key-position", "the position in an answer as key", "bind attempt.item to what the bank wrote"
            )
        if set(meaning.of) & set(self._place.scopes):
            for name in meaning.of:
                if name not in self._tree.scopes:
                    self._add("total", f"number of {name}, which is no scope")
            return
        inside = self._tree.names_in(self._place.scope)
        for name in meaning.of:
            if name not in inside or name not in self._tree.places:
                hint = "a scope around this record, or records of its scope"
                self._add("total", f"number of {name}", hint)

    def _children(self, names: tuple[str, ...]) -> None:
        row = self._place.row
        known = set() if row is None else {node.name for node in row.walk() if not node.children}
        for name in names:
            if name not in known or name == self._record.name:
                self._add(
                    "total", f"{name} is no record beside {self._record.name}", "records of its payment"
                )

    def _check_digit(self, meaning: Check) -> None:
        if meaning.scheme not in SCHEMES or meaning.scheme == IBAN:
            known = ", ".join(name for name in SCHEMES if name != IBAN)
            self._add("check", f"no such check digit: {meaning.scheme}", f"one of {known}")
        fields = {field.title: field for field in self._record.fields if field.line != self._field.line}
        for title in meaning.titles:
            if title not in fields:
                self._add("check", f"no field {title} in {self._record.name}")
            elif (kind := fields[title].kind) is None or kind.name not in (Kind.DIGITS, Kind.TEXT):
                self._add("check", f"{title} is not of kind digits")


def _binds(record: Record, name: str) -> bool:
    return any(isinstance(field.meaning, Binding) and field.meaning.name == name for field in record.fields)
