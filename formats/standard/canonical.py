"""The canonical form of a batch: JSON Lines with keys in the order of the table.

Empty values are left out, amounts have two decimals, LF after each line, UTF-8 without
escapes beyond JSON's own. The same batch gives the same bytes, so this is what is signed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from operator import attrgetter

from formats.codec import CHUNK_RECORDS
from formats.errors import EncodeError
from formats.records import Batch, Payment, Problem
from formats.standard.amounts import format_yuan
from formats.standard.envelope import envelope_texts
from formats.standard.jsonl_source import ENCODER, PaymentLine
from formats.standard.table import PAYMENT_FIELDS

_VALUES = attrgetter(*(field.attribute for field in PAYMENT_FIELDS))
_AMOUNT_PLACE = next(place for place, field in enumerate(PAYMENT_FIELDS) if field.attribute == "amount_minor")


def canonical_batch_bytes(batch: Batch, payments: Iterable[Payment]) -> Iterator[bytes]:
    """The batch in blocks of whole lines. Raises `EncodeError` where a text is no Unicode text."""
    yield envelope_line(batch)
    remaining = iter(payments)
    while block := list(islice(remaining, CHUNK_RECORDS)):
        yield payment_lines(block)


def envelope_line(batch: Batch) -> bytes:
    return _encoded([envelope_texts(batch)])


def payment_lines(payments: list[Payment]) -> bytes:
    return text_lines(map(payment_texts, payments))


def payment_texts(payment: Payment) -> list[str]:
    """One payment's values in the order of the table, as a file says them."""
    values = list(_VALUES(payment))
    values[_AMOUNT_PLACE] = format_yuan(values[_AMOUNT_PLACE])
    return values


def text_lines(rows: Iterable[list[str]]) -> bytes:
    """Rows of texts in the order of the table, as lines."""
    return _encoded([PaymentLine(*row) for row in rows])


def _encoded(values: list[object]) -> bytes:
    try:
        return ENCODER.encode_lines(values)
    except UnicodeError:
        raise EncodeError([Problem(code="text_invalid", message="a text is no Unicode text")]) from None
