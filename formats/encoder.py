"""Chunks into the bytes of a fixed or delimited file, and every payment that does not fit."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from formats.codec import Purpose
from formats.codes import OutcomeCodes
from formats.compiler import Column, Plan, RecordPlan, Role, file_values
from formats.errors import EncodeError
from formats.layout_model import Count, Sum
from formats.masking import mask_account, mask_name, mask_text
from formats.records import FileIdentity, Problem, RecordChunk, Severity
from formats.reference import make_references
from formats.totals import Tally

MAXIMUM_PROBLEMS = 10_000
"""Problems that one `EncodeError` carries at most."""

_REFERENCE = "attempt.reference"
_CODE = "outcome.code"
_REQUEST_TOTALS = (
    Count("payment", text="count(payment)"),
    Sum("payment.amount", text="sum(payment.amount)"),
)
"""Compared with the identity in every request, whether or not the file states them."""


class Encoder:
    """Writes the files of one plan. Immutable."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._layout = plan.layout
        self._is_request = plan.layout.purpose is Purpose.REQUEST
        self._codes = OutcomeCodes(plan.layout.outcome_codes)
        self._repeated = [node for node in plan.layout.structure if node.repeats]

    def columns(self, record: str) -> frozenset[str]:
        """Meanings that a chunk must have; a reference that we make ourselves is not among them."""
        plan = self._plan.records.get(record)
        if plan is None:
            return frozenset()
        made = {_REFERENCE} if self._is_request else set()
        return plan.needed() - made

    def problems(self, chunk: RecordChunk, identity: FileIdentity | None) -> list[Problem]:
        """Every value of a chunk that cannot be written."""
        found = [] if identity is None else self._identity_problems(identity)
        plan = self._plan.records.get(chunk.record)
        if plan is None or chunk.record not in {node.record for node in self._repeated}:
            wanted = ", ".join(node.record for node in self._repeated)
            return [*found, self._problem("record-unknown", f"record {chunk.record}", wanted or "no records")]
        columns = self._complete(plan, chunk)
        for column in plan.columns:
            if column.role is not Role.RECORD or column.name not in columns:
                continue
            found += self._column_problems(chunk, column, columns[column.name])
        return found

    def encode(self, identity: FileIdentity, chunks: Iterable[RecordChunk]) -> Iterator[bytes]:
        """The file in blocks; see `Codec.encode`."""
        problems = self._identity_problems(identity)
        if problems:
            raise EncodeError(problems)
        declared = self._declared(identity, chunks)
        blocks = self._blocks(identity, chunks, declared)
        if self._layout.framing.final_eol:
            yield from blocks
            return
        pending = b""
        for block in blocks:
            if pending:
                yield pending
            pending = block
        yield pending.removesuffix(self._layout.framing.line_end)

    def _blocks(
        self, identity: FileIdentity, chunks: Iterable[RecordChunk], declared: dict[str, int]
    ) -> Iterator[bytes]:
        values = file_values(identity) | declared
        totals = [*self._plan.totals, *(_REQUEST_TOTALS if self._is_request else ())]
        tally = Tally(totals, self._layout, self._codes)
        line_end = self._layout.framing.line_end
        if self._layout.framing.byte_order_mark:
            yield BOM_UTF8
        for node in self._layout.structure:
            if node.literal is not None:
                if not node.prefix:
                    yield self._plan.charset.encode(node.literal) + line_end
            elif not node.repeats:
                plan = self._plan.records[node.record]
                yield (self._template(plan, values) % ()).encode("latin-1")
            else:
                plan = self._plan.records[node.record]
                writer = _ChunkWriter(plan, self._template(plan, values))
                for chunk in chunks:
                    if chunk.record == node.record:
                        yield self._write(writer, chunk, identity, tally, chunks)
                self._check_occurrence(node.record, writer.written, node.minimum, node.maximum)
        self._check_totals(declared, tally)

    def _write(
        self,
        writer: _ChunkWriter,
        chunk: RecordChunk,
        identity: FileIdentity,
        tally: Tally,
        chunks: Iterable[RecordChunk],
    ) -> bytes:
        columns = self._complete(writer.plan, chunk, identity, writer.written)
        block = writer.write(columns, chunk.count)
        if block is None:
            raise EncodeError(self._all_problems(chunks, identity, writer.plan, columns, chunk))
        tally.add(chunk.record, columns, chunk.count)
        return block

    def _complete(
        self,
        plan: RecordPlan,
        chunk: RecordChunk,
        identity: FileIdentity | None = None,
        written: int = 0,
    ) -> dict[str, list[Any]]:
        """The chunk's columns with what is derived: references, codes, absent optional columns.

        ValueError where the caller left out a column or made one of another length.
        """
        columns = dict(chunk.columns)
        for name, values in columns.items():
            if len(values) != chunk.count:
                raise ValueError(f"{chunk.record} {name}: {len(values)} values in a chunk of {chunk.count}")
        for column in plan.columns:
            if column.role is not Role.RECORD or column.name in columns:
                continue
            if column.name == _CODE and "outcome.status" in columns:
                reasons = columns.get("outcome.reason", [""] * chunk.count)
                columns[_CODE] = list(self._codes.write(columns["outcome.status"], reasons))
            elif column.name == _REFERENCE and self._is_request:
                if identity is not None:
                    columns[_REFERENCE] = self._references(column, chunk, identity, written)
            elif column.field.optional:
                columns[column.name] = [None] * chunk.count
            else:
                raise ValueError(f"a chunk of {chunk.record} without {column.name}")
        return columns

    def _references(
        self, column: Column, chunk: RecordChunk, identity: FileIdentity, written: int
    ) -> list[str]:
        items = chunk.columns.get("attempt.item") or range(written + 1, written + chunk.count + 1)
        try:
            return make_references(identity.sequence, items, column.field.room)
        except OverflowError as error:
            problem = self._problem("reference-overflow", str(error), "a wider field", column=column.title)
            raise EncodeError([problem]) from error

    def _template(self, plan: RecordPlan, values: dict[str, Any]) -> str:
        """The `%`-template of a record: what does not change in this file is written into it."""
        parts = []
        for piece, column in zip(plan.pieces, plan.columns, strict=False):
            parts.append(piece)
            if column.cells is None:
                parts.append(column.text.replace("%", "%%"))
            elif column.role in (Role.RECORD, Role.NUMBER):
                parts.append(column.cells.template)
            else:
                parts.append(self._scalar(plan, column, values.get(column.name)).replace("%", "%%"))
        return "".join((*parts, plan.pieces[-1]))

    def _scalar(self, plan: RecordPlan, column: Column, value: Any) -> str:
        assert column.cells is not None, "constants are not written by value"
        slots = column.cells.write([value])
        if slots is None:
            raise EncodeError([self._value_problem(plan.name, column, value)])
        return column.cells.template % tuple(slot[0] for slot in slots)

    def _declared(self, identity: FileIdentity, chunks: Iterable[RecordChunk]) -> dict[str, int]:
        """The totals that stand in the file, before its records are written."""
        known: dict[str, int] = {}
        if self._is_request:
            known = {"count(payment)": identity.count, "sum(payment.amount)": identity.total_minor}
        missing = [total for total in self._plan.totals if total.text not in known]
        passes = len(self._repeated) + bool(missing)
        if passes > 1 and iter(chunks) is chunks:
            raise TypeError("chunks must be re-iterable: this layout takes more than one pass over them")
        tally = Tally(missing, self._layout, self._codes)
        if missing:
            for chunk in chunks:
                plan = self._plan.records.get(chunk.record)
                if plan is not None:
                    tally.add(chunk.record, self._complete(plan, chunk), chunk.count)
        return tally.values | known

    def _check_occurrence(self, record: str, count: int, minimum: int, maximum: int | None) -> None:
        if count < minimum:
            raise EncodeError(
                [self._problem("too-few", f"{count} records of {record}", f"at least {minimum}")]
            )
        if maximum is not None and count > maximum:
            raise EncodeError(
                [self._problem("too-many", f"{count} records of {record}", f"at most {maximum}")]
            )

    def _check_totals(self, declared: dict[str, int], tally: Tally) -> None:
        found = [
            self._problem("total-differs", f"{name} {value}", f"{declared[name]} as declared")
            for name, value in tally.values.items()
            if value != declared[name]
        ]
        if found:
            raise EncodeError(found)

    def _all_problems(
        self,
        chunks: Iterable[RecordChunk],
        identity: FileIdentity,
        plan: RecordPlan,
        columns: dict[str, list[Any]],
        failed: RecordChunk,
    ) -> list[Problem]:
        """Every problem of every chunk, or at least of the one that failed."""
        found: list[Problem] = []
        for chunk in [failed] if iter(chunks) is chunks else chunks:
            found += self.problems(chunk, None)
            if len(found) >= MAXIMUM_PROBLEMS:
                break
        if not found:
            for column in plan.columns:
                if column.name in columns and column.role is Role.RECORD:
                    found += self._column_problems(failed, column, columns[column.name])
        return found[:MAXIMUM_PROBLEMS]

    def _identity_problems(self, identity: FileIdentity) -> list[Problem]:
        values = file_values(identity)
        found: dict[str, Problem] = {}
        for plan in self._plan.records.values():
            for column in plan.columns:
                if column.role is not Role.FILE or column.cells is None:
                    continue
                if column.cells.fault(values.get(column.name)) is not None:
                    problem = self._value_problem(plan.name, column, values.get(column.name))
                    found.setdefault(f"{plan.name} {column.index}", problem)
        return list(found.values())

    def _column_problems(self, chunk: RecordChunk, column: Column, values: Sequence[Any]) -> list[Problem]:
        cells = column.cells
        if cells is None or (cells.write(values) is not None and None not in values):
            return []
        no_code = column.name == _CODE  # a blank may mean success, so that it is written as "" only
        payment_ids = chunk.columns.get("payment.payment_id")
        found = []
        for row, value in enumerate(values):
            if cells.fault(value) is None and not (no_code and value is None):
                continue
            problem = self._value_problem(
                chunk.record,
                column,
                value,
                line=chunk.lines[row] if row < len(chunk.lines) else None,
                payment_id=payment_ids[row] if payment_ids else "",
            )
            found.append(problem)
        return found

    def _value_problem(
        self, record: str, column: Column, value: Any, *, line: int | None = None, payment_id: str = ""
    ) -> Problem:
        assert column.cells is not None, "constants have no problem"
        fault = column.cells.fault(value)
        code, wanted = (
            ("no-code", "a code for this status and reason") if fault is None else (fault.code, fault.wanted)
        )
        found = mask_value(column.name, value)
        where = f"{self._layout.name} {record}" + ("" if line is None else f" {line}")
        problem = self._problem(code, found, wanted, column=column.title)
        changes: dict[str, Any] = {"line": line, "payment_id": payment_id, "record": record}
        if fault is not None:
            changes["reason"] = fault.reason
        if payment_id or line is not None:
            changes["severity"] = Severity.SETS_ASIDE
        message = f"{where} {column.title}: found {found}, wanted {wanted}"
        return replace(problem, **changes, message=message)

    def _problem(self, code: str, found: str, wanted: str, *, column: str = "") -> Problem:
        return Problem(
            code=code,
            message=f"{self._layout.name}: found {found}, wanted {wanted}",
            source=self._layout.name,
            column=column,
            found=found,
            wanted=wanted,
        )


class _ChunkWriter:
    """Writes chunks of one record by one template; counts what it wrote."""

    def __init__(self, plan: RecordPlan, template: str) -> None:
        self.plan = plan
        self.written = 0
        self._template = template
        self._repeated = (0, "")
        self._columns = [column for column in plan.columns if column.role in (Role.RECORD, Role.NUMBER)]

    def write(self, columns: dict[str, list[Any]], count: int) -> bytes | None:
        """The bytes of a chunk; None where a value does not fit."""
        slots: list[Sequence[Any]] = []
        numbers = range(self.written + 1, self.written + count + 1)
        for column in self._columns:
            assert column.cells is not None, "constants are in the template"
            values = columns[column.name] if column.role is Role.RECORD else list(numbers)
            if column.name == _CODE and None in values:
                return None
            written = column.cells.write(values)
            if written is None:
                return None
            slots += written
        items = columns.get("attempt.item")
        counted = any(column.role is Role.NUMBER for column in self._columns)
        if counted and items is not None and list(items) != list(numbers):
            raise ValueError("attempt.item does not count from 1 through the file")
        self.written += count
        arguments: list[Any] = [None] * (len(slots) * count)
        for index, slot in enumerate(slots):
            arguments[index :: len(slots)] = slot
        return (self._template_of(count) % tuple(arguments)).encode("latin-1")

    def _template_of(self, count: int) -> str:
        if self._repeated[0] != count:
            self._repeated = (count, self._template * count)
        return self._repeated[1]


def mask_value(name: str, value: Any) -> str:
    """A value fit for a message: amounts and dates as they are, the rest masked."""
    if not isinstance(value, str):
        return "nothing" if value is None else str(value)
    if "account" in name:
        return mask_account(value)
    if name.endswith("name") and name.startswith("payment."):
        return mask_name(value)
    return mask_text(value)
