"""Writes an XML layout: the file around its records from the identity, records from columns.

Elements are written in the order of the layout's table. An element that may be absent is
written where something inside it has a value; constants alone do not open one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec.structs import replace

from formats.charset import Charset
from formats.codec import Purpose
from formats.errors import EncodeError
from formats.language.model import Blank, Constant, Count, Kind, Layout, Number, Sum
from formats.masking import mask_text
from formats.reasons import Reason
from formats.records import FileIdentity, Problem, RecordChunk, Severity
from formats.reference import MAXIMUM_WIDTH, make_references
from formats.xml.codes import CodeTables, split_parts
from formats.xml.identity import identity_value
from formats.xml.plan import Element, Leaf, Level, Plan
from formats.xml.render import render_around, render_rows
from formats.xml.totals import amount_of
from formats.xml.values import Fault, escape, write_column

_FILE_FAMILIES = ("file", "agreement", "profile", "group")


class XmlWriter:
    """The writing half of a codec. Immutable."""

    def __init__(self, layout: Layout, plan: Plan, tables: CodeTables) -> None:
        self._layout = layout
        self._plan = plan
        self._tables = tables
        self._charset = Charset(layout.framing.encoding, alphabet=layout.alphabet)
        self._is_utf8 = self._charset.codec == "utf-8"
        self._inner, self._record = _inner_elements(plan)
        self._leaves = plan.at(Level.RECORD)

    def columns(self) -> frozenset[str]:
        """The meanings that a record needs, or may have; a reference that we make is not among them."""
        names = {leaf.name for leaf in self._leaves}
        if "attempt.reference" in names and self._layout.purpose is Purpose.REQUEST:
            names.remove("attempt.reference")
        return frozenset(name for name in names if name and name.partition(".")[0] not in _FILE_FAMILIES)

    def problems(self, chunk: RecordChunk, identity: FileIdentity | None) -> list[Problem]:
        """Every value of the chunk that cannot be written."""
        return self._record_texts(_numbered(chunk, 0), identity)[1]

    def encode(self, identity: FileIdentity, chunks: Iterable[RecordChunk]) -> Iterator[bytes]:
        """The bytes of the file, a block for each chunk; see `Codec.encode`."""
        before, after = self._around(identity, chunks)
        mark = "\ufeff" if self._layout.framing.byte_order_mark else ""
        declaration = f'{mark}<?xml version="1.0" encoding="{self._charset.label.upper()}"?>\n'
        yield self._encoded(declaration + before)
        count = total = 0
        record = self._record
        iterator = iter(chunks)
        for chunk in iterator:
            if chunk.record != self._plan.row or record is None:
                raise self._refusal(f"a chunk of {chunk.record} in a file that has no such record")
            texts, problems = self._record_texts(_numbered(chunk, count), identity)
            if problems:
                raise EncodeError([*problems, *self._later_problems(iterator, identity)])
            yield self._encoded(render_rows(record, texts, chunk.count))
            count += chunk.count
            total += sum(chunk.columns.get("payment.amount", ()))
        self._check_totals(identity, count, total)
        yield self._encoded(after)

    def _later_problems(self, chunks: Iterator[RecordChunk], identity: FileIdentity) -> list[Problem]:
        return [problem for chunk in chunks for problem in self.problems(chunk, identity)]

    def _check_totals(self, identity: FileIdentity, count: int, total: int) -> None:
        """A request declares what it carries; an answer declares what it answers."""
        if self._layout.purpose is not Purpose.REQUEST:
            return
        if count != identity.count:
            raise self._refusal(f"{count} records, but the file is to have {identity.count}")
        if total != identity.total_minor:
            raise self._refusal(f"records of {total} fen, but the file is to have {identity.total_minor}")

    def _refusal(self, message: str, leaf: Leaf | None = None) -> EncodeError:
        problem = Problem(
            code="file-not-written",
            message=f"{self._layout.name}: {message}",
            source=self._layout.name,
            column=leaf.title if leaf else "",
        )
        return EncodeError([problem])

    def _around(self, identity: FileIdentity, chunks: Iterable[RecordChunk]) -> tuple[str, str]:
        """The file before and after its records."""
        leaves = [leaf for leaf in self._plan.leaves if leaf.level is not Level.RECORD]
        totals = self._totals(leaves, identity, chunks)
        texts: dict[int, str | list[str]] = {}
        for leaf in leaves:
            if isinstance(leaf.meaning, Constant):
                texts[leaf.line] = escape(leaf.meaning.text)
            elif isinstance(leaf.meaning, Blank):
                texts[leaf.line] = ""
            else:
                texts[leaf.line] = self._file_texts(leaf, identity, totals)
        before, after = render_around(self._plan.root, self._inner, texts)
        if self._plan.group and self._inner is not None and self._record is not None:
            opened, closed = render_around(self._inner, self._record, texts)
            before, after = before + opened, closed + after
        name = f"<{self._plan.root.name}"
        namespace = escape(self._layout.namespaces[0])
        return before.replace(name, f'{name} xmlns="{namespace}"', 1), after

    def _file_texts(self, leaf: Leaf, identity: FileIdentity, totals: dict[int, int]) -> list[str]:
        """A column of one text for a value that occurs once."""
        if leaf.line in totals:
            value: Any = totals[leaf.line]
        elif leaf.level is Level.GROUP and (leaf.is_code or leaf.name in ("outcome.bank_text", "file.text")):
            # A status of the group is read; what we write stands at the file or at the record.
            value = ""
        elif leaf.is_code:
            value = split_parts(identity.code)[leaf.part]
        else:
            value = identity_value(identity, leaf.name, self._layout.purpose)
        if value in (None, "") and not leaf.optional:
            raise self._refusal(f"line {leaf.line} {leaf.title}: nothing for {leaf.name}", leaf)
        texts, faults = write_column(leaf.kind, leaf.name, [value or (None if value == "" else value)])
        faults += self._not_permitted(leaf, [value])
        for fault in faults:
            raise self._refusal(f"{leaf.title}: found {fault.found}, wanted {fault.wanted}", leaf)
        return texts

    def _totals(
        self, leaves: list[Leaf], identity: FileIdentity, chunks: Iterable[RecordChunk]
    ) -> dict[int, int]:
        """Declared totals by line: from the identity of a request, else by a pass of their own."""
        declared = [leaf for leaf in leaves if leaf.is_total]
        if self._layout.purpose is Purpose.REQUEST:
            return {
                leaf.line: identity.count if isinstance(leaf.meaning, Count) else identity.total_minor
                for leaf in declared
            }
        totals = {leaf.line: 0 for leaf in declared}
        for chunk in chunks if declared else ():
            for leaf in declared:
                assert isinstance(leaf.meaning, Count | Sum), "a total"
                totals[leaf.line] += amount_of(leaf.meaning, self._with_words(chunk), chunk.count, None)
        return totals

    def _with_words(self, chunk: RecordChunk) -> dict[str, list[Any]]:
        """The chunk's columns with the statuses of its codes, where it brings codes only."""
        if "outcome.status" in chunk.columns or "outcome.code" not in chunk.columns:
            return chunk.columns
        words = [self._tables.outcome(code or "") for code in chunk.columns["outcome.code"]]
        return {**chunk.columns, "outcome.status": [status for status, _ in words]}

    def _record_texts(
        self, chunk: RecordChunk, identity: FileIdentity | None
    ) -> tuple[dict[int, str | list[str]], list[Problem]]:
        """Texts by line, and the problems in the order of records."""
        texts: dict[int, str | list[str]] = {}
        problems: list[tuple[int, Problem]] = []
        codes = self._codes(chunk) if any(leaf.is_code for leaf in self._leaves) else []
        for leaf in self._leaves:
            meaning = leaf.meaning
            if isinstance(meaning, Constant):
                texts[leaf.line] = escape(meaning.text)
                continue
            if isinstance(meaning, Blank):
                texts[leaf.line] = ""
                continue
            if leaf.name.partition(".")[0] in _FILE_FAMILIES:
                known = "" if identity is None else identity_value(identity, leaf.name, self._layout.purpose)
                column, faults = write_column(leaf.kind, leaf.name, [known or None])
                for fault in faults:
                    raise self._refusal(f"{leaf.title}: found {fault.found}, wanted {fault.wanted}", leaf)
                texts[leaf.line] = column[0]
                continue
            values = self._values(leaf, chunk, identity, codes)
            if values is None:
                continue
            texts[leaf.line], faults = write_column(leaf.kind, leaf.name, values)
            faults += self._absent(leaf, texts[leaf.line]) + self._unencodable(leaf, texts[leaf.line])
            faults += self._not_permitted(leaf, values)
            problems += [(fault.row, self._problem(leaf, chunk, fault)) for fault in faults]
        problems.sort(key=lambda pair: pair[0])
        return texts, [problem for _, problem in problems]

    def _codes(self, chunk: RecordChunk) -> list[tuple[str, str]]:
        return [split_parts(code or "") for code in self._tables.written(chunk)]

    def _values(
        self, leaf: Leaf, chunk: RecordChunk, identity: FileIdentity | None, codes: list[tuple[str, str]]
    ) -> list[Any] | None:
        """The column for a line; None where only a file's identity could supply it."""
        if leaf.is_code:
            return [parts[leaf.part] for parts in codes]
        name = "attempt.item" if isinstance(leaf.meaning, Number) else leaf.name
        column = chunk.columns.get(name)
        if column is not None:
            return column
        if name == "attempt.reference" and "attempt.item" in chunk.columns and identity is not None:
            width = min(leaf.kind.maximum or leaf.kind.exact or MAXIMUM_WIDTH, MAXIMUM_WIDTH)
            try:
                return list(make_references(identity.sequence, chunk.columns["attempt.item"], width))
            except OverflowError as error:
                raise self._refusal(str(error), leaf) from error
        if name.startswith(("attempt.", "item.")) and identity is None:
            return None
        if name.startswith("item.") and identity is not None:
            return [identity.profile.get(name.removeprefix("item.")) or None] * chunk.count
        return [None] * chunk.count

    def _absent(self, leaf: Leaf, texts: str | list[str]) -> list[Fault]:
        required = not leaf.optional
        if leaf.is_code and leaf.part == 0 and not leaf.detail:
            required = True
        if not required or "" not in texts:
            return []
        reason = Reason.AMOUNT_INVALID if leaf.name == "payment.amount" else Reason.FIELD_INVALID
        return [Fault(row, "nothing", "a value", reason) for row, text in enumerate(texts) if not text]

    def _unencodable(self, leaf: Leaf, texts: str | list[str]) -> list[Fault]:
        """UTF-8 has every character that XML has; other encodings may not."""
        if self._is_utf8 or isinstance(texts, str) or self._bytes("".join(texts)) is not None:
            return []
        is_name = leaf.name == "payment.payee_name"
        reason = Reason.NAME_NOT_ENCODABLE if is_name else Reason.FIELD_INVALID
        wanted = f"characters of {self._charset.label}"
        return [
            Fault(row, mask_text(text), wanted, reason)
            for row, text in enumerate(texts)
            if self._bytes(text) is None
        ]

    def _not_permitted(self, leaf: Leaf, values: list[Any]) -> list[Fault]:
        """Texts with a character that the bank does not take."""
        forbidden = self._charset.alphabet.forbidden
        if forbidden is None or leaf.kind.name not in (Kind.TEXT, Kind.DIGITS):
            return []
        if not forbidden.search("".join(filter(None, values))):
            return []
        is_name = leaf.name == "payment.payee_name"
        reason = Reason.NAME_NOT_ENCODABLE if is_name else Reason.FIELD_INVALID
        return [
            Fault(row, mask_text(value), "characters that the bank permits", reason)
            for row, value in enumerate(values)
            if value and forbidden.search(value)
        ]

    def _bytes(self, text: str) -> bytes | None:
        try:
            return text.encode("utf-8") if self._is_utf8 else self._charset.encode(text)
        except UnicodeEncodeError:
            return None

    def _encoded(self, text: str) -> bytes:
        raw = self._bytes(text)
        if raw is None:
            raise self._refusal(f"the file's own words have characters that {self._charset.label} has not")
        return raw

    def _problem(self, leaf: Leaf, chunk: RecordChunk, fault: Fault) -> Problem:
        line = chunk.lines[fault.row] if fault.row < len(chunk.lines) else fault.row + 1
        payment_ids = chunk.columns.get("payment.payment_id", ())
        return Problem(
            code="field-not-written",
            message=(
                f"{self._layout.name} payment {line} {leaf.title}: found {fault.found}, wanted {fault.wanted}"
            ),
            severity=Severity.SETS_ASIDE,
            reason=fault.reason,
            source=self._layout.name,
            line=line,
            column=leaf.title,
            record="payment",
            found=fault.found,
            wanted=fault.wanted,
            payment_id=payment_ids[fault.row] if payment_ids else "",
        )


def _numbered(chunk: RecordChunk, before: int) -> RecordChunk:
    """The chunk with its items, which count from 1 through the file where it does not say them."""
    if "attempt.item" in chunk.columns or "attempt.reference" in chunk.columns:
        return chunk
    items = list(range(before + 1, before + chunk.count + 1))
    return replace(chunk, columns={**chunk.columns, "attempt.item": items})


def _inner_elements(plan: Plan) -> tuple[Element | None, Element | None]:
    """The element that the file is written around, and the one of a record."""
    element = plan.root
    for name in plan.way[1:]:
        element = _child(element, name)
    inner = _child(element, plan.group) if plan.group else None
    if not plan.record:
        return inner, None
    record = _child(inner or element, plan.record)
    return inner or record, record


def _child(element: Element, name: str) -> Element:
    for child in element.children:
        if isinstance(child, Element) and child.name == name:
            return child
    raise KeyError(name)
