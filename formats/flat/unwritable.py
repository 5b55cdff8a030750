"""What of a record cannot be written, told with its place, what was found (masked) and what is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from formats.codec import Purpose
from formats.flat.compiler import Column, Plan, Role, RowPlan, file_values
from formats.flat.field_cells import Fault
from formats.flat.row_fit import RowFit
from formats.flat.slots import Columns, of_rows, slots, spread_values
from formats.masking import mask_account, mask_name, mask_text
from formats.records import FileIdentity, Problem, RecordChunk, Severity

REFERENCE = "attempt.reference"
CODE = "outcome.code"


class Unwritable:
    """Problems of one plan. Immutable."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._layout = plan.layout
        self._is_request = plan.layout.purpose is Purpose.REQUEST

    def of_identity(self, identity: FileIdentity) -> list[Problem]:
        values = file_values(identity)
        found: dict[str, Problem] = {}
        for plans in self._plan.records.values():
            for plan in plans:
                for column in plan.columns:
                    if column.role is not Role.FILE or column.cells is None:
                        continue
                    if column.cells.fault(values.get(column.name)) is not None:
                        problem = self.of_value(plan.name, column, values.get(column.name))
                        found.setdefault(f"{plan.name} {column.index}", problem)
        return list(found.values())

    def of_chunk(
        self, row: RowPlan, chunk: RecordChunk, columns: Columns, identity: FileIdentity | None
    ) -> list[Problem]:
        near = {} if identity is None else file_values(identity)
        found: list[Problem] = []
        for slot in slots(row, columns, chunk.count):
            values = spread_values(slot.plan, of_rows(columns, slot.rows, chunk.count))
            for column in slot.plan.columns:
                known = values.get(column.index)
                if known is None or self._waits(column, known, identity):
                    continue
                found += self._of_column(chunk, column, known, slot.rows)
        for unfit in RowFit(row, near).of(columns, chunk.count):
            found.append(self._of_row(chunk, unfit.column, unfit.value, unfit.row, unfit.fault))
        return found

    def of_value(
        self,
        record: str,
        column: Column,
        value: Any,
        *,
        line: int | None = None,
        payment_id: str = "",
        fault: Fault | None = None,
    ) -> Problem:
        assert column.cells is not None, "constants have no problem"
        fault = fault or column.cells.fault(value)
        code, wanted = (
            ("no-code", "a code for this status and reason") if fault is None else (fault.code, fault.wanted)
        )
        found = mask_value(column.name, value)
        where = f"{self._layout.name} {record}" + ("" if line is None else f" {line}")
        problem = self.of_layout(code, found, wanted, column=column.title)
        changes: dict[str, Any] = {"line": line, "payment_id": payment_id, "record": record}
        if fault is not None:
            changes["reason"] = fault.reason
        if payment_id or line is not None:
            changes["severity"] = Severity.SETS_ASIDE
        message = f"{where} {column.title}: found {found}, wanted {wanted}"
        return replace(problem, **changes, message=message)

    def of_layout(self, code: str, found: str, wanted: str, *, column: str = "") -> Problem:
        return Problem(
            code=code,
            message=f"{self._layout.name}: found {found}, wanted {wanted}",
            source=self._layout.name,
            column=column,
            found=found,
            wanted=wanted,
        )

    def _waits(self, column: Column, values: Sequence[Any], identity: FileIdentity | None) -> bool:
        """Whether a value is not known yet: a reference, or what the profile will say."""
        if column.name == REFERENCE and self._is_request:
            return True
        return identity is None and column.name.startswith(("item.", "group.")) and not any(values)

    def _of_column(
        self, chunk: RecordChunk, column: Column, values: Sequence[Any], rows: Sequence[int]
    ) -> list[Problem]:
        cells = column.cells
        if cells is None or (cells.write(values) is not None and None not in values):
            return []
        no_code = column.name == CODE  # a blank may mean success, so that it is written as "" only
        return [
            self._of_row(chunk, column, value, row, cells.fault(value))
            for row, value in zip(rows, values, strict=True)
            if cells.fault(value) is not None or (no_code and value is None)
        ]

    def _of_row(
        self, chunk: RecordChunk, column: Column, value: Any, row: int, fault: Fault | None
    ) -> Problem:
        payment_ids = chunk.columns.get("payment.payment_id")
        return self.of_value(
            chunk.record,
            column,
            value,
            line=chunk.lines[row] if row < len(chunk.lines) else None,
            payment_id=payment_ids[row] if payment_ids else "",
            fault=fault,
        )


def mask_value(name: str, value: Any) -> str:
    """A value fit for a message: amounts and dates as they are, the rest masked."""
    if not isinstance(value, str):
        return "nothing" if value is None else str(value)
    if "account" in name:
        return mask_account(value)
    if name.endswith("name") and name.startswith("payment."):
        return mask_name(value)
    return mask_text(value)
