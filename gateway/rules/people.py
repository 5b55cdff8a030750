"""Payments together with their sealed rows: names, IDs and accounts for those who may see them masked.

Rows are read lane by lane, a frame at a time, in step with the ledger; nothing is looked up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import groupby

from formats import CHUNK_RECORDS
from gateway.errors import IntegrityError
from gateway.installation import Installation
from gateway.ledger.people import PlacedPayment

Person = dict[str, str]
"""What the sealed row says, by column without its `payment.`; empty where it was destroyed."""


def with_people(
    installation: Installation, payments: Iterable[PlacedPayment], wanted: Collection[str]
) -> Iterator[tuple[PlacedPayment, Person]]:
    """Each payment with the wanted columns of its row. `payments` come lane by lane, by position.

    Raises `IntegrityError` where a row is not the payment's.
    """
    columns = {f"payment.{name}": name for name in ("payment_id", *wanted)}
    for spool_name, group in groupby(payments, key=lambda payment: payment.spool_name):
        if not spool_name:
            yield from ((payment, {}) for payment in group)
            continue
        with installation.spool.open_columns(spool_name) as lane:
            for frame, of_frame in groupby(group, key=lambda payment: payment.position // CHUNK_RECORDS):
                found = lane.columns(frame, columns)
                for payment in of_frame:
                    row = payment.position % CHUNK_RECORDS
                    if found["payment.payment_id"][row] != payment.payment_id:
                        raise IntegrityError(
                            f"lane {spool_name} does not hold the payments that the ledger says",
                            hint="restore spool and ledger from the same backup",
                        )
                    yield payment, {name: found[key][row] for key, name in columns.items() if key in found}
