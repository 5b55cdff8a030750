"""Reads an XML layout: chunks of records, then what the file says of itself.

A status on three levels: the most specific one wins. A record without a status of its own
takes the group's, or the file's, with its reasons where it states none itself. Where no
record is listed, the status of the file (else of its only group) is the fact `file.code`, and
`file.level` says where it stood: `file`, `group`, or `payment` where records are listed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from lxml import etree

from formats.codec import Purpose
from formats.errors import DecodeError
from formats.language.model import Binding, Blank, Constant, Count, Kind, Layout, Sum
from formats.masking import mask_number
from formats.records import FileIdentity, Problem, RecordChunk
from formats.xml.codes import CodeTables, join_parts
from formats.xml.columns import END_OF_VALUE, VALUES_JOIN, ColumnError, ColumnReader, Columns
from formats.xml.guard import refuse
from formats.xml.header import HeaderReader
from formats.xml.identity import identity_value
from formats.xml.plan import Leaf, Level, Plan
from formats.xml.stream import Part, RecordStream
from formats.xml.totals import amount_of
from formats.xml.values import MAXIMUM_AMOUNT_DIGITS, ValueFault, read_column

MAXIMUM_PROBLEMS = 1000
"""Problems of records kept; the file is for a person from the first one on."""

_BLANKS = " \t\r\n"
_TEXTS = ("outcome.bank_text", "file.text")
_CURRENCY = "file.currency"
_BOOKED_IN = "statement.currency"
_STRIPPED = ("attempt", "file", "group", "agreement", "profile")


class _Status:
    """What a level above the records says: status, reasons and text."""

    def __init__(self, status: str = "", reasons: str = "", text: str = "") -> None:
        self.status, self.reasons, self.text = status, reasons, text

    @property
    def code(self) -> str:
        return join_parts(self.status, self.reasons)


class _Totals:
    """What the declared totals of one scope should be, by their text, and its records and rows."""

    def __init__(self) -> None:
        self.records = self.rows = 0
        self.values: dict[str, int] = {}


class XmlDecoder:
    """One file being read; see `formats.codec.Decoder`. Iterate once."""

    def __init__(
        self, layout: Layout, plan: Plan, tables: CodeTables, source: BinaryIO, identity: FileIdentity | None
    ) -> None:
        self.facts: dict[str, Any] = {"declared": {}}
        if layout.returns:
            self.facts["returns"] = layout.returns
        self.problems: list[Problem] = []
        self._layout = layout
        self._plan = plan
        self._tables = tables
        self._identity = identity
        self._beside = plan.attributes_beside(Level.RECORD)
        self._leaves = tuple(
            leaf
            for leaf in plan.at(Level.RECORD)
            if not (leaf.repeats and isinstance(leaf.meaning, Constant))
        )
        self._columns = Columns(plan, self._leaves)
        self._stream = RecordStream(layout, plan, source, self._columns)
        self._reader: ColumnReader | None = None
        self._group_reader: HeaderReader | None = None
        self._group: etree._Element | None = None
        self._group_values: dict[int, Any] = {}
        self._empty_groups: dict[str, _Status] = {}
        self._file_totals, self._group_totals = _Totals(), _Totals()
        self._file_values: dict[int, Any] | None = None
        self._file_status, self._group_status = _Status(), _Status()
        self._mapped: dict[str, tuple[Any, Any]] = {}
        self._summed = {
            leaf.meaning.text: leaf.meaning for leaf in plan.leaves if isinstance(leaf.meaning, Count | Sum)
        }

    def __iter__(self) -> Iterator[RecordChunk]:
        for part in self._stream.parts():
            yield from self._take(part)
        self._begin()
        self._finish()

    # Levels above the records

    def _begin(self) -> None:
        """Read the file's header: everything before the first record is complete."""
        if self._file_values is not None:
            return
        namespace, name = self._stream.namespace, self._layout.name
        values = HeaderReader(name, self._plan.at(Level.FILE), namespace).read(self._stream.root)
        self._file_values = values
        self._file_status = self._status(self._plan.at(Level.FILE), values)
        self._group_reader = HeaderReader(name, self._plan.at(Level.GROUP), namespace)
        if self._plan.record:
            self._reader = ColumnReader(self._plan, self._columns, namespace)
        for leaf in self._plan.at(Level.FILE):
            self._fact(leaf, values[leaf.line])

    def _status(self, leaves: tuple[Leaf, ...], values: dict[int, Any]) -> _Status:
        parts = [str(values[leaf.line] or "") for leaf in leaves if leaf.is_code]
        texts = [values[leaf.line] for leaf in leaves if leaf.name in _TEXTS]
        status, reasons = [*parts, "", ""][:2]
        return _Status(status, reasons, "; ".join(filter(None, texts)))

    def _open_group(self, element: etree._Element) -> None:
        self._group = element
        assert self._group_reader is not None
        leaves = self._plan.at(Level.GROUP)
        self._group_values = self._group_reader.read(element)
        self._group_status = self._status(leaves, self._group_values)
        self._group_totals = _Totals()
        for leaf in leaves:
            if not leaf.is_code and leaf.name not in _TEXTS:
                self._fact(leaf, self._group_values[leaf.line])

    def _close_group(self, count: int) -> None:
        for leaf in self._plan.at(Level.GROUP):
            if leaf.is_total:
                self._check_total(leaf, self._group_values[leaf.line], self._group_totals)
        if not count and len(self._empty_groups) < 2:
            self._empty_groups.setdefault(self._group_status.code, self._group_status)
        self._group = None
        self._group_status = _Status()

    def _fact(self, leaf: Leaf, value: Any) -> None:
        """Keep a bound value; check a constant, and what the identity already says."""
        meaning = leaf.meaning
        if isinstance(meaning, Constant):
            if value is not None and value != "" and str(value) != meaning.text:
                self._add("constant-differs", leaf, f"found another text, wanted {meaning.text}")
            elif not value and not leaf.optional:
                self._add("field-missing", leaf, "found nothing, wanted a constant")
        elif isinstance(meaning, Blank):
            if value and not meaning.ignored:
                self._add("constant-differs", leaf, "found a value, wanted nothing")
        elif isinstance(meaning, Count | Sum):
            if value is not None:
                self.facts["declared"].setdefault(meaning.text, value)
        elif value is None or value == "":
            if not leaf.optional:
                self._add("field-missing", leaf, "found nothing, wanted a value")
        elif not leaf.is_code:
            self._bind(leaf, value)

    def _bind(self, leaf: Leaf, value: Any) -> None:
        known = self.facts.setdefault(leaf.name, value)
        if known != value:
            self._add("fact-differs", leaf, f"two values of {leaf.name}")
        if self._identity is None or leaf.name.partition(".")[0] not in ("agreement", "profile"):
            return
        wanted = identity_value(self._identity, leaf.name, self._layout.purpose)
        if wanted not in ("", value):
            self._add("constant-differs", leaf, f"found another value of {leaf.name} than ours")

    # Records

    def _take(self, part: Part) -> Iterator[RecordChunk]:
        self._begin()
        if part.is_group and self._group is not part.element:
            self._open_group(part.element)
        count = 0
        if self._reader is not None:
            try:
                if part.run is None:
                    count, texts, rows = self._reader.read(part.element, part.open_records)
                else:
                    count = len(part.run.rows)
                    rows = list(part.run.counts) if self._plan.detail else []
                    texts = self._columns.texts(part.run.columns(), several=part.run.several)
            except ColumnError as error:
                row = None if error.row is None else self._file_totals.rows + error.row
                raise self._record_error(error.leaf, row, error.message) from None
            if count:
                yield from self._chunk(count, texts, rows)
        self._stream.taken(part, count)
        if part.is_group and part.closed:
            self._close_group(self._group_totals.rows)

    def _chunk(self, count: int, texts: dict[int, list[str]], rows: list[int]) -> Iterator[RecordChunk]:
        first = self._file_totals.rows + 1
        lines = range(first, first + count)
        columns: dict[str, list[Any]] = {}
        currencies: set[str] = set()
        for leaf in self._leaves:
            values = self._typed(leaf, texts[leaf.line])
            self._check_record_values(leaf, values, first)
            if leaf.name == _CURRENCY:
                # Each amount of a record says it: one that differs hides behind no other.
                currencies.update(*(value.split(VALUES_JOIN["outcome.bank_text"]) for value in set(values)))
            elif leaf.name and not leaf.is_code:
                known = columns.get(leaf.name)
                if known is not None and leaf.name == _BOOKED_IN:
                    self._check_same(leaf, known, values, first)
                columns[leaf.name] = self._merged(known, values)
        self._check_beside(texts, first)
        if any(leaf.is_code for leaf in self._leaves):
            self._add_outcomes(columns, texts, count)
        self._add_totals(columns, count, rows)
        self._take_currency(currencies)
        if self._group is not None and self._plan.row == "statement":
            columns |= {
                leaf.name: [self._group_values[leaf.line]] * count
                for leaf in self._plan.at(Level.GROUP)
                if leaf.name.startswith("group.")
            }
        yield from self._by_record(columns, count, lines)

    def _check_beside(self, texts: dict[int, list[str]], first: int) -> None:
        """An amount says its currency, wherever the table has a place for it."""
        for value, attribute in self._beside:
            if "" not in texts[attribute.line]:
                continue
            for row, (text, beside) in enumerate(zip(texts[value.line], texts[attribute.line], strict=True)):
                if text and not beside:
                    self._add("field-missing", attribute, "found nothing, wanted a value", first + row)

    def _check_same(self, leaf: Leaf, known: list[Any], values: list[Any], first: int) -> None:
        """What a detail says again, its record has said: amounts of a booking are in its currency."""
        for row, (one, other) in enumerate(zip(known, values, strict=True) if known != values else ()):
            if one and other and one != other:
                self._add("record-differs", leaf, f"found {other}, wanted {one}", first + row)

    def _add_totals(self, columns: dict[str, list[Any]], count: int, rows: list[int]) -> None:
        """Take the rows into the totals; a record with several details counts once."""
        firsts: list[bool] | None = None
        records = count
        if rows:
            records = len(rows)
            firsts = [place == 0 for number in rows for place in range(number)]
            start = self._file_totals.records
            entries = [start + place for place, number in enumerate(rows, start=1) for _ in range(number)]
            columns["statement.entry"] = entries
        for text, meaning in self._summed.items():
            amount = amount_of(meaning, columns, count, firsts)
            for totals in (self._file_totals, self._group_totals):
                totals.values[text] = totals.values.get(text, 0) + amount
        for totals in (self._file_totals, self._group_totals):
            totals.records += records
            totals.rows += count

    def _by_record(self, columns: dict[str, list[Any]], count: int, lines: range) -> Iterator[RecordChunk]:
        """The rows; of a statement those apart that say what became of a payment."""
        row = self._plan.row
        if row != "statement":
            yield RecordChunk(record=row, count=count, columns=columns, lines=lines)
            return
        plain = {name: values for name, values in columns.items() if not name.startswith("outcome.")}
        yield RecordChunk(record=row, count=count, columns=plain, lines=lines)
        codes = columns.get("outcome.code", [""] * count)
        columns["outcome.amount"] = columns.get("statement.detail_amount", [None] * count)
        chosen = [place for place, code in enumerate(codes) if code]
        if chosen:
            yield RecordChunk(
                record="payment",
                count=len(chosen),
                columns={name: [values[place] for place in chosen] for name, values in columns.items()},
                lines=[lines[place] for place in chosen],
            )

    def _merged(self, known: list[Any] | None, values: list[Any]) -> list[Any]:
        if known is None:
            return values
        return [old or new for old, new in zip(known, values, strict=True)]

    def _typed(self, leaf: Leaf, texts: list[str]) -> list[Any]:
        try:
            if leaf.repeats and leaf.kind.name in (Kind.YUAN, Kind.MONEY):
                return self._sums(leaf, texts)
            if leaf.name.partition(".")[0] in _STRIPPED:
                texts = _stripped(texts)
            return read_column(leaf.kind, texts)
        except ValueFault as fault:
            message = f"found {fault.found}, wanted {fault.wanted}"
            raise self._record_error(leaf, self._file_totals.rows + fault.row, message) from None

    def _sums(self, leaf: Leaf, texts: list[str]) -> list[int | None]:
        """Several charges of one record are one amount."""
        if END_OF_VALUE not in "".join(texts):
            return read_column(leaf.kind, texts)
        sums: list[int | None] = []
        for row, text in enumerate(texts):
            try:
                amounts = [
                    value for value in read_column(leaf.kind, text.split(END_OF_VALUE)) if value is not None
                ]
            except ValueFault as fault:
                raise ValueFault(row, fault.found, fault.wanted) from None
            total = sum(amounts)
            if total >= 10**MAXIMUM_AMOUNT_DIGITS:
                raise ValueFault(row, "several amounts", f"a sum of at most {MAXIMUM_AMOUNT_DIGITS} digits")
            sums.append(total if amounts else None)
        return sums

    def _check_record_values(self, leaf: Leaf, values: list[Any], first: int) -> None:
        meaning = leaf.meaning
        if isinstance(meaning, Binding):
            if leaf.optional or ("" not in values and None not in values):
                return
            for row, value in enumerate(values):
                if value in ("", None):
                    self._add("field-missing", leaf, "found nothing, wanted a value", first + row)
        elif isinstance(meaning, Constant):
            permitted = {meaning.text, ""} if leaf.optional else {meaning.text}
            for row, value in enumerate(values) if set(values) - permitted else ():
                if value not in permitted:
                    self._add("constant-differs", leaf, f"wanted {meaning.text}", first + row)
        elif isinstance(meaning, Blank) and not meaning.ignored and any(values):
            self._add("constant-differs", leaf, "found a value, wanted nothing", first)

    def _add_outcomes(self, columns: dict[str, list[Any]], texts: dict[int, list[str]], count: int) -> None:
        """The code of each record, from its own parts and the levels above, and what it means."""
        parts = [_stripped(texts[leaf.line]) for leaf in self._leaves if leaf.is_code]
        statuses = parts[0]
        reasons = parts[1] if len(parts) > 1 else [""] * count
        if "" in statuses:
            above = self._group_status if self._group_status.status else self._file_status
            reasons = [
                own or ("" if status else above.reasons)
                for status, own in zip(statuses, reasons, strict=True)
            ]
            columns["outcome.bank_text"] = [
                own or ("" if status else above.text)
                for status, own in zip(statuses, columns.get("outcome.bank_text", [""] * count), strict=True)
            ]
            statuses = [status or above.status for status in statuses]
        codes = [
            f"{status}/{reason}" if reason else status
            for status, reason in zip(statuses, reasons, strict=True)
        ]
        mapped = self._mapped
        for code in set(codes) - mapped.keys():
            if len(mapped) > 10_000:
                mapped.clear()
                mapped.update({each: self._tables.outcome(each) for each in set(codes)})
            mapped[code] = self._tables.outcome(code)
        columns["outcome.code"] = codes
        columns["outcome.status"] = [mapped[code][0] for code in codes]
        columns["outcome.reason"] = [mapped[code][1] for code in codes]

    def _take_currency(self, currencies: set[str]) -> None:
        """One file, one currency: amounts in another one must not be added up."""
        found = currencies - {""}
        known = self.facts.get(_CURRENCY)
        if known is not None:
            found.add(known)
        if len(found) > 1:
            raise self._record_error(None, self._file_totals.rows - 1, "amounts in two currencies")
        for currency in found:
            self.facts[_CURRENCY] = currency

    # The end

    def _finish(self) -> None:
        count = self._file_totals.rows
        for leaf in self._plan.at(Level.FILE):
            if leaf.is_total and self._file_values is not None:
                self._check_total(leaf, self._file_values[leaf.line], self._file_totals)
        self._finish_code(count)
        wanted = self._plan.minimum_records
        if count < wanted:
            raise refuse("no-records", f"{count} records, wanted at least {wanted}", name=self._layout.name)
        if not count and not self._may_be_empty():
            raise refuse("no-records", "neither a record nor a status of the file", name=self._layout.name)
        currency = self.facts.get("file.currency")
        if self._identity is not None and currency not in (None, self._identity.currency):
            self._add(
                "constant-differs", None, f"found currency {currency}, wanted {self._identity.currency}"
            )

    def _may_be_empty(self) -> bool:
        """Whether it says something without a record: a status, or whose account nothing was booked on."""
        if self._layout.purpose is Purpose.STATEMENT:
            return bool(self.facts.get("group.account"))
        return self._layout.purpose is Purpose.REQUEST or "file.code" in self.facts

    def _finish_code(self, count: int) -> None:
        """`file.code`, from the most specific level that speaks of all payments."""
        if self._layout.purpose is Purpose.REQUEST:
            return
        status, level = self._file_status, "file"
        if not count and any(self._empty_groups):
            if len(self._empty_groups) > 1:
                self._add("groups-differ", None, "groups without records that have different statuses")
            else:
                status, level = next(iter(self._empty_groups.values())), "group"
        elif count and any(self._empty_groups):
            self._add("groups-differ", None, "a group with a status and no records beside one with records")
        if status.code:
            self.facts["file.code"] = status.code
            if self._tables.maps_files:
                self.facts["file.verdict"], self.facts["file.reason"] = self._tables.file(status.code)
        if status.text:
            self.facts["file.text"] = status.text
        if count or status.code:
            self.facts["file.level"] = "payment" if count else level

    def _check_total(self, leaf: Leaf, declared: int | None, totals: _Totals) -> None:
        if declared is None:
            return
        meaning = leaf.meaning
        assert isinstance(meaning, Count | Sum), "a total"
        actual = totals.values.get(meaning.text, 0)
        if declared != actual:
            unit = " minor units" if isinstance(meaning, Sum) else ""
            self._add("total-differs", leaf, f"declared {mask_number(declared)}{unit}, found {actual}")

    def _add(self, code: str, leaf: Leaf | None, message: str, line: int | None = None) -> None:
        if len(self.problems) >= MAXIMUM_PROBLEMS:
            return
        where = (f" payment {line}" if line else "") + (f" {leaf.title}" if leaf else "")
        self.problems.append(
            Problem(
                code=code,
                message=f"{self._layout.name}{where}: {message}",
                source=self._layout.name,
                line=line,
                column=leaf.title if leaf else "",
                record="payment" if line else "",
            )
        )

    def _record_error(self, leaf: Leaf | None, row: int | None, message: str) -> DecodeError:
        """`row` is 0-based in the file."""
        line = None if row is None else row + 1
        where = f" payment {line}" if line else ""
        title = f" {leaf.title}" if leaf else ""
        problem = Problem(
            code="field-invalid",
            message=f"{self._layout.name}{where}{title}: {message}",
            source=self._layout.name,
            line=line,
            column=leaf.title if leaf else "",
            record="payment",
        )
        return DecodeError([problem])


def _stripped(texts: list[str]) -> list[str]:
    """Without the blanks that pretty-printing leaves around a value."""
    joined = "".join(texts)
    if not any(blank in joined for blank in _BLANKS):
        return texts
    return [text.strip(_BLANKS) for text in texts]
