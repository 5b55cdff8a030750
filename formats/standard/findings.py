"""Mistakes of a batch on their way to becoming `Problem` values with row, column and message."""

from __future__ import annotations

from msgspec import Struct

from formats.masking import mask_account, mask_id, mask_name, mask_text
from formats.reasons import Reason
from formats.records import Problem, Severity
from formats.standard.table import PAYMENT_BY_ATTRIBUTE, Kind

_LONGEST_SHOWN_AMOUNT = 12
_AMOUNT_CHARACTERS = frozenset("0123456789.,+-")


class Fault(Struct, frozen=True):
    """What is wrong with one value, said once and used for every row that has it."""

    code: str
    wanted: str
    severity: Severity = Severity.SETS_ASIDE
    reason: Reason = Reason.FIELD_INVALID
    hint: str = ""


class Finding(Struct, frozen=True):
    """A fault at one record of a chunk (0-based) and one field."""

    index: int
    attribute: str
    fault: Fault
    found: str


class Places(Struct, frozen=True):
    """How this source names its places: `row 12`, column `D 账号`.

    `headers` maps attributes to the header that the author wrote, `labels` to what a
    message calls it where that is more (the letter of a sheet's column).
    """

    source: str
    unit: str
    headers: dict[str, str]
    labels: dict[str, str] = {}

    def header(self, attribute: str) -> str:
        field = PAYMENT_BY_ATTRIBUTE.get(attribute)
        return self.headers.get(attribute) or (field.english if field else attribute)

    def label(self, attribute: str) -> str:
        return self.labels.get(attribute) or self.header(attribute)

    def problem(self, line: int, attribute: str, fault: Fault, found: str, payment_id: str = "") -> Problem:
        """The problem for one row; `found` must be masked already."""
        where = f"{self.unit} {line} {self.label(attribute)}".rstrip()
        return Problem(
            code=fault.code,
            message=f"{where}: found {found}, wanted {fault.wanted}",
            severity=fault.severity,
            reason=fault.reason if fault.severity is Severity.SETS_ASIDE else Reason.NONE,
            source=self.source,
            line=line,
            column=self.header(attribute) if attribute else "",
            record="payment",
            found=found,
            wanted=fault.wanted,
            hint=fault.hint,
            payment_id=payment_id,
        )

    def whole(self, code: str, message: str, hint: str = "", line: int | None = None) -> Problem:
        """A problem of the batch as a whole: it refuses."""
        return Problem(code=code, message=message, source=self.source, line=line, hint=hint)


def masked(attribute: str, value: str) -> str:
    """What of a value may stand in a message, by the kind of its field."""
    if not value:
        return "nothing"
    kind, choices = PAYMENT_BY_ATTRIBUTE[attribute].kind, PAYMENT_BY_ATTRIBUTE[attribute].choices
    if value in choices:
        return value
    if kind in (Kind.ACCOUNT, Kind.CARD_NUMBER):
        return mask_account(value)
    if kind is Kind.ID_NUMBER:
        return mask_id(value)
    if kind is Kind.NAME:
        return mask_name(value)
    if kind is Kind.AMOUNT and len(value) <= _LONGEST_SHOWN_AMOUNT and _AMOUNT_CHARACTERS.issuperset(value):
        return value
    return mask_text(value)
