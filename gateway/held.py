"""What waits for a person, and the ways out of it.

Every item has a name (`batch:...`, `payment:...`, `file:...`, `received:...`, `bank:...`),
says what it is and which decisions end it, and how many persons each needs. A decision is
carried out in the transaction that records the last signature it needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from msgspec import Struct

from formats import Problem, Reason, Status
from gateway import evidence
from gateway.decisions import Statement, deciders, decision_counts, record_decision
from gateway.errors import DecisionRefused, NotPermitted, Unknown
from gateway.installation import Installation
from gateway.ledger import Transaction
from gateway.ledger_files import (
    FileRow,
    bank_holds,
    clear_bank_hold,
    file_by_key,
    files_in,
    move_file,
    parts_of,
    payment_keys_of,
    release_attempts,
    reopen_lane,
    set_attention,
)
from gateway.ledger_intake import (
    BatchRow,
    append_gateway_outcome,
    batch_by_key,
    batches,
    move_batch,
    move_payment,
    withdraw_payments,
)
from gateway.ledger_payments import PaymentRow, find_payment, held_payments, state_totals
from gateway.ledger_received import ReceivedRow, move_received, received_by_key, received_in
from gateway.money import yuan
from gateway.release import release_by_persons
from gateway.settle import may_be_accepted, problems_digest
from gateway.states import BatchState, Disposition, FileState, ReceivedState


class Way(Struct, frozen=True):
    """One decision that ends an item, how many persons it needs and who has signed already."""

    decision: str
    persons_needed: int
    persons: list[str]
    meaning: str


class HeldItem(Struct, frozen=True, kw_only=True):
    """Something that waits. `problems` are complete and masked."""

    object: str
    message: str
    ways: list[Way]
    problems: list[Problem] = []


_ROW_KEY = re.compile("[0-9]{1,18}")
"""What an integer key of SQLite takes, in the digits that `int` takes."""

Act = Callable[[Installation, Transaction, Any, list[str]], None]


class _Decision(Struct, frozen=True):
    persons_needed: int
    meaning: str
    act: Act


def held_items(installation: Installation) -> Iterator[HeldItem]:
    """Everything that waits for a person, batches first."""
    with installation.ledger.read() as transaction:
        for batch in batches(transaction):
            if batch.state is BatchState.SUBMITTED:
                yield _item(
                    installation,
                    transaction,
                    _batch_name(batch),
                    batch,
                    "not released: no signature of its platform",
                )
        for payment in held_payments(transaction):
            batch = batch_by_key(transaction, payment.batch_pk)
            name = f"payment:{batch.source_platform}/{payment.payment_id}"
            label = " ".join(payment.reason.label)
            yield _item(
                installation, transaction, name, payment, f"{yuan(payment.amount_minor)} held: {label}"
            )
        for file in files_in(transaction, None):
            if file.attention is not None:
                yield _item(
                    installation, transaction, _file_name(file), file, f"{file.state}: {file.attention}"
                )
            elif file.state is FileState.UNCERTAIN:
                yield _item(
                    installation, transaction, _file_name(file), file, "uncertain: the next run looks for it"
                )
        for received in received_in(transaction, None, ReceivedState.HELD, ReceivedState.REFUSED):
            problems = msgspec.json.decode(received.problems, type=list[Problem])
            name = f"received:{received.received_pk}"
            message = f"{received.bank} {received.name} {received.state}"
            yield msgspec.structs.replace(
                _item(installation, transaction, name, received, message), problems=problems
            )
        for bank, cause, message in bank_holds(transaction):
            yield _item(installation, transaction, f"bank:{bank}", bank, f"{cause}: {message}")


def anything_held(installation: Installation) -> bool:
    """Whether `held_items` gives anything, without looking further than the first."""
    return next((True for _ in held_items(installation)), False)


def statement_for(installation: Installation, about: str, decision: str, person: str) -> Statement:
    """What a person signs to decide this about an object as it is now."""
    with installation.ledger.read() as transaction:
        target = _find(transaction, about)
        _permitted(installation, target, decision, about)
        return Statement(
            object=about,
            decision=decision,
            person=person,
            at=installation.clock.now().isoformat(),
            about=_seen(transaction, target, about),
        )


def decide(installation: Installation, statement: Statement, signature: bytes) -> bool:
    """Record a signed decision; True when it was the last one needed and was carried out.

    Raises `DecisionRefused` where the signature or the person does not count, or the object
    is not any more what the person saw.
    """
    with installation.ledger.write() as transaction:
        target = _find(transaction, statement.object)
        chosen = _permitted(installation, target, statement.decision, statement.object)
        if _seen(transaction, target, statement.object) != statement.about:
            raise DecisionRefused(
                f"{statement.object} has changed since {statement.person} looked",
                hint="look again, then sign",
            )
        persons = record_decision(installation, transaction, statement, signature)
        if len(persons) < chosen.persons_needed:
            return False
        chosen.act(installation, transaction, target, persons)
        return True


def _item(
    installation: Installation, transaction: Transaction, name: str, target: object, message: str
) -> HeldItem:
    seen = _seen(transaction, target, name)
    subject = Statement(object=name, decision="", person="", at="", about=seen).subject
    return HeldItem(
        object=name,
        message=message,
        ways=[
            Way(word, chosen.persons_needed, deciders(transaction, subject, word), chosen.meaning)
            for word, chosen in _ways(installation, target).items()
        ],
    )


def _batch_name(batch: BatchRow) -> str:
    return f"batch:{batch.source_platform}/{batch.batch_id}"


def _file_name(file: FileRow) -> str:
    return f"file:{file.bank}/{file.name}"


def _find(transaction: Transaction, name: str) -> object:
    """The object of that name. Raises `Unknown`."""
    kind, _, key = name.partition(":")
    owner, _, rest = key.partition("/")
    found: list[Any] = []
    if kind == "batch":
        found = [row for row in batches(transaction) if (row.source_platform, row.batch_id) == (owner, rest)]
    elif kind == "payment":
        found = list(find_payment(transaction, rest, owner))
    elif kind == "file":
        found = [row for row in files_in(transaction, owner) if row.name == rest]
    elif kind == "received" and _ROW_KEY.fullmatch(key):
        row = received_by_key(transaction, int(key))
        found = [] if row is None else [row]
    elif kind == "bank":
        found = [bank for bank, _, _ in bank_holds(transaction) if bank == key]
    if not found:
        raise Unknown(f"nothing is called {name!r}", hint="`bankgate held` lists what waits, with names")
    return found[0]


def _seen(transaction: Transaction, target: object, name: str) -> dict[str, Any]:
    """What a person sees of an object: enough that a decision fits nothing else.

    Files and banks may come to the same point again: `carried_out` counts the decisions that
    were carried out before, so that each time needs signatures of its own.
    """
    if isinstance(target, BatchRow):
        totals = state_totals(transaction, target.batch_pk)
        return {
            "content_sha256": target.content_sha256,
            "declared_count": target.declared_count,
            "declared_total_minor": target.declared_total_minor,
            "totals": [[str(total.state), total.count, total.instructed_minor] for total in totals],
        }
    if isinstance(target, PaymentRow):
        return {
            "payment_id": target.payment_id,
            "amount_minor": target.amount_minor,
            "state": str(target.state),
            "reason": str(target.reason),
        }
    before = {"carried_out": _carried_out(transaction, name)}
    if isinstance(target, FileRow):
        return before | {
            "state": str(target.state),
            "attention": target.attention or "",
            "parts": [part.sha256 for part in parts_of(transaction, target.file_pk)],
        }
    if isinstance(target, ReceivedRow):
        return before | {
            "state": str(target.state),
            "sha256": target.sha256,
            "problems_sha256": problems_digest(target.problems),
        }
    return before | {"hold": [list(row) for row in bank_holds(transaction) if row[0] == target]}


def _carried_out(transaction: Transaction, name: str) -> int:
    """How many decisions about a file, received file or bank had all the signatures they needed."""
    ways = {word: way for group in _WAYS_BY_KIND[name.partition(":")[0]] for word, way in group.items()}
    return sum(
        persons >= ways[word].persons_needed
        for word, persons in decision_counts(transaction, name)
        if word in ways
    )


def _ways(installation: Installation, target: object) -> dict[str, _Decision]:
    """The decisions that an object's present state permits."""
    if isinstance(target, BatchRow):
        ways = _BATCH_WAYS if target.state is BatchState.SUBMITTED else {}
        platform = installation.configuration.platforms.get(target.source_platform)
        signed_only = platform is not None and platform.require_signature
        return {name: way for name, way in ways.items() if not (signed_only and name == "release")}
    if isinstance(target, PaymentRow):
        return _PAYMENT_WAYS if target.disposition is Disposition.HELD else {}
    if isinstance(target, FileRow):
        nothing_to_clear = target.state in _ONLY_TO_CLEAR and target.attention is None
        return {} if nothing_to_clear else _FILE_WAYS.get(target.state, {})
    if isinstance(target, ReceivedRow):
        ways = _RECEIVED_WAYS.get(target.state, {})
        return ways if may_be_accepted(target.problems) else {k: v for k, v in ways.items() if k != "accept"}
    return _BANK_WAYS


def _permitted(installation: Installation, target: object, decision: str, name: str) -> _Decision:
    ways = _ways(installation, target)
    if decision not in ways:
        known = ", ".join(ways) or "none: nothing is to be decided"
        raise NotPermitted(f"{name} does not take the decision {decision!r}", hint=f"possible: {known}")
    return ways[decision]


def _release(
    installation: Installation, transaction: Transaction, batch: BatchRow, persons: list[str]
) -> None:
    release_by_persons(installation, transaction, batch, persons)


def _withdraw_batch(
    installation: Installation, transaction: Transaction, batch: BatchRow, _persons: list[str]
) -> None:
    now = installation.clock.now()
    move_batch(transaction, batch.batch_pk, BatchState.SUBMITTED, BatchState.WITHDRAWN, now, "{}")
    withdraw_payments(transaction, batch.batch_pk, now)
    evidence.record(transaction, now, "batch withdrawn", batch=batch.batch_id, platform=batch.source_platform)


def _accept_payment(
    _installation: Installation, transaction: Transaction, payment: PaymentRow, _persons: list[str]
) -> None:
    move_payment(transaction, payment.payment_pk, Disposition.HELD, Disposition.ACCEPTED, Reason.NONE)
    reopen_lane(transaction, payment.lane_pk)


def _withdraw_payment(
    installation: Installation, transaction: Transaction, payment: PaymentRow, _persons: list[str]
) -> None:
    move_payment(transaction, payment.payment_pk, Disposition.HELD, Disposition.WITHDRAWN, Reason.WITHDRAWN)
    now = installation.clock.now()
    append_gateway_outcome(transaction, payment.payment_pk, Status.WITHDRAWN, Reason.WITHDRAWN, now)


def _file_arrived(
    installation: Installation, transaction: Transaction, file: FileRow, persons: list[str]
) -> None:
    now = installation.clock.now()
    move_file(
        transaction,
        file.file_pk,
        FileState.UNCERTAIN,
        FileState.SENT,
        attention=None,
        sent_at=now.isoformat(),
    )
    evidence.record(transaction, now, "file sent", file=file.name, by=persons)


def _file_lost(
    installation: Installation, transaction: Transaction, file: FileRow, persons: list[str]
) -> None:
    move_file(transaction, file.file_pk, FileState.UNCERTAIN, FileState.REJECTED, attention=None)
    release_attempts(transaction, file.file_pk)
    evidence.record(transaction, installation.clock.now(), "file not at the bank", file=file.name, by=persons)


def _redispatch(
    installation: Installation, transaction: Transaction, file: FileRow, persons: list[str]
) -> None:
    file = file_by_key(transaction, file.file_pk)
    if file.attention is None:
        raise NotPermitted(f"file {file.name} gave its payments back already")
    set_attention(transaction, file.file_pk, None)
    release_attempts(transaction, file.file_pk)
    evidence.record(transaction, installation.clock.now(), "file redispatched", file=file.name, by=persons)


def _withdraw_file(
    installation: Installation, transaction: Transaction, file: FileRow, persons: list[str]
) -> None:
    """Take back what a rejected file would have paid; its payments end as withdrawn."""
    keys = payment_keys_of(transaction, file.file_pk, 1, file.payment_count).values()
    _redispatch(installation, transaction, file, persons)
    now = installation.clock.now()
    for payment_pk in keys:
        move_payment(transaction, payment_pk, Disposition.ACCEPTED, Disposition.WITHDRAWN, Reason.WITHDRAWN)
        append_gateway_outcome(transaction, payment_pk, Status.WITHDRAWN, Reason.WITHDRAWN, now)


def _clear_file(
    installation: Installation, transaction: Transaction, file: FileRow, persons: list[str]
) -> None:
    set_attention(transaction, file.file_pk, None)
    evidence.record(transaction, installation.clock.now(), "file cleared", file=file.name, by=persons)


def _void_file(
    installation: Installation, transaction: Transaction, file: FileRow, persons: list[str]
) -> None:
    move_file(transaction, file.file_pk, FileState.SEALED, FileState.VOIDED, attention=None)
    release_attempts(transaction, file.file_pk)
    evidence.record(transaction, installation.clock.now(), "file voided", file=file.name, by=persons)


def _accept_received(
    _installation: Installation, transaction: Transaction, received: ReceivedRow, _persons: list[str]
) -> None:
    transaction.run(
        "UPDATE received SET accepted_problems = 1 WHERE received_pk = :pk AND state = 'held'",
        pk=received.received_pk,
    )


def _refuse_received(
    _installation: Installation, transaction: Transaction, received: ReceivedRow, _persons: list[str]
) -> None:
    move_received(transaction, received.received_pk, ReceivedState.HELD, ReceivedState.REFUSED)


def _judge_again(
    _installation: Installation, transaction: Transaction, received: ReceivedRow, _persons: list[str]
) -> None:
    move_received(
        transaction,
        received.received_pk,
        ReceivedState.REFUSED,
        ReceivedState.RECEIVED,
        problems="[]",
        accepted_problems=0,
    )


def _clear_bank(installation: Installation, transaction: Transaction, bank: str, persons: list[str]) -> None:
    clear_bank_hold(transaction, bank)
    evidence.record(transaction, installation.clock.now(), "bank hold cleared", bank=bank, by=persons)


_BATCH_WAYS = {
    "release": _Decision(2, "its payments may leave", _release),
    "withdraw": _Decision(1, "taken back as a whole", _withdraw_batch),
}
_PAYMENT_WAYS = {
    "accept": _Decision(2, "it is paid as it stands", _accept_payment),
    "withdraw": _Decision(1, "taken back", _withdraw_payment),
}
_ONLY_TO_CLEAR = (FileState.SENT, FileState.ACKNOWLEDGED, FileState.SETTLED, FileState.VOIDED)
_CLEARED = {"clear": _Decision(1, "looked into, and settled with the bank", _clear_file)}
_FILE_WAYS: dict[FileState, dict[str, _Decision]] = {
    FileState.UNCERTAIN: {
        "arrived": _Decision(2, "the bank confirms in writing that it has the file", _file_arrived),
        "not-received": _Decision(
            2, "the bank confirms in writing that it never had the file: its payments go again", _file_lost
        ),
    },
    FileState.REJECTED: {
        "redispatch": _Decision(2, "its payments go into a new file", _redispatch),
        "withdraw": _Decision(2, "its payments are taken back", _withdraw_file),
    },
    **dict.fromkeys(_ONLY_TO_CLEAR, _CLEARED),
    FileState.SEALED: {
        "clear": _Decision(1, "the cause is mended: try again", _clear_file),
        "void": _Decision(1, "its payments go into a new file", _void_file),
    },
}
_RECEIVED_WAYS: dict[ReceivedState, dict[str, _Decision]] = {
    ReceivedState.HELD: {
        "accept": _Decision(2, "believed in spite of the problems shown", _accept_received),
        "refuse": _Decision(1, "not believed; ask the bank for another", _refuse_received),
    },
    ReceivedState.REFUSED: {
        "judge-again": _Decision(1, "the bank's right certificate is enrolled now", _judge_again),
    },
}
_BANK_WAYS = {"clear": _Decision(1, "the cause is mended: exchange files again", _clear_bank)}
_WAYS_BY_KIND = {
    "file": tuple(_FILE_WAYS.values()),
    "received": tuple(_RECEIVED_WAYS.values()),
    "bank": (_BANK_WAYS,),
}
