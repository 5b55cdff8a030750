"""A batch that a program hands over as objects: the same checks, over `Payment` values.

The digest is that of the canonical JSON Lines bytes, made while the payments pass.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from itertools import islice

from formats.codec import CHUNK_RECORDS
from formats.errors import EncodeError
from formats.records import Batch, Payment, Problem, Severity
from formats.standard.canonical import envelope_line, payment_lines
from formats.standard.envelope import check_batch
from formats.standard.examine import RowBlock
from formats.standard.findings import Fault, Finding, Places
from formats.standard.numbers import LARGEST_AMOUNT_MINOR
from formats.standard.table import PAYMENT_FIELDS

_NOT_TEXT = Fault("value_not_text", "text", Severity.REFUSES)
_ATTRIBUTES = [field.attribute for field in PAYMENT_FIELDS if field.attribute != "amount_minor"]


class ObjectSource:
    """Implements `RowSource` over an iterable, which is walked once."""

    def __init__(self, batch: Batch, payments: Iterable[Payment]) -> None:
        check_batch("", batch)
        self.problems: list[Problem] = []
        self.whole = False
        self.batch = batch
        headers = {field.attribute: field.attribute for field in PAYMENT_FIELDS}
        self.places = Places("", "payment", headers)
        self._payments = iter(payments)
        self._digest = hashlib.sha256(envelope_line(batch))
        self._seen = 0

    def blocks(self) -> Iterator[RowBlock]:
        while payments := list(islice(self._payments, CHUNK_RECORDS)):
            yield self._block(payments)
        self.whole = True

    def digest(self) -> str:
        for _ in self.blocks():
            pass
        return self._digest.hexdigest()

    def close(self) -> None:
        self._payments = iter(())

    def _block(self, payments: list[Payment]) -> RowBlock:
        findings: list[Finding] = []
        columns = {name: _texts(name, payments, findings) for name in _ATTRIBUTES}
        given = [payment.amount_minor for payment in payments]
        amounts = [_amount(amount) for amount in given]
        columns["amount_minor"] = list(map(str, given))
        first = self._seen + 1
        self._seen += len(payments)
        if not findings and None not in amounts:
            try:
                self._digest.update(payment_lines(payments))
            except EncodeError:
                # The checks name each such text; what cannot be written has no digest of its own.
                self._digest.update(b"unwritable")
        return RowBlock(
            rows=len(payments),
            columns=columns,
            lines=range(first, first + len(payments)),
            findings=findings,
            amounts=amounts,
        )


def _texts(name: str, payments: list[Payment], findings: list[Finding]) -> list[str]:
    values = [getattr(payment, name) for payment in payments]
    if set(map(type, values)) == {str}:
        return values
    for index, value in enumerate(values):
        if not isinstance(value, str):
            found = f"a value of type {type(value).__name__}"
            findings.append(Finding(index, name, _NOT_TEXT, found))
    # A plain `str` of an enumeration's member, which is a text too.
    return [str(value) if isinstance(value, str) else "" for value in values]


def _amount(amount: object) -> int | None:
    if type(amount) is int and 0 <= amount <= LARGEST_AMOUNT_MINOR:
        return amount
    return None
