"""Heads of the journal: signed, put to an anchor outside the machine, and compared with it.

A head says how far the journal had come, with which hash, and each bank's highest sequence.
A ledger that disagrees with a head at its anchor was restored, cut or exchanged: then nothing
leaves for any bank until a person has reconciled with it (`held`, cause `behind`), and no
sequence that the anchor knows of is given again. A fault of the anchor itself stops nothing.
Formats are in `docs/audit.md`. Not here: when this is done (`runner`), and what is
known without asking the anchor (`anchor_status`).
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable

import msgspec
from msgspec import Struct

from channels.channel import Channel
from channels.errors import ChannelError
from gateway import evidence
from gateway.audit.heads import HEAD_FORMAT, HEAD_LIMIT_BYTES, Head, head_file, instant, read_head
from gateway.installation import Installation
from gateway.ledger.anchor import (
    HeadRow,
    anchor_fault,
    differences,
    event_hash_of,
    head_names,
    insert_head,
    last_event,
    last_head,
    mark_delivered,
    note_difference,
    note_fault,
    sequences,
)
from gateway.ledger.database import Transaction
from gateway.store.behind import doubt_files, hold_every_bank, leave_out_numbers
from keys.certified import certificate_text, verify_certified
from keys.errors import KeyUnavailable, SealError
from keys.statement import sign_statement

_LOOKS_LIMIT = 50
"""Heads fetched in one comparison; the newest come first, and one disagreement is enough."""


class AnchorTurn(Struct, frozen=True, kw_only=True):
    """How one talk with the anchor ended. `found` are new disagreements, each held for."""

    found: list[str] = []
    fault: str = ""
    hint: str = ""
    delivered: str = ""
    warning: str = ""


_Act = Callable[[Installation, Channel, str], AnchorTurn]


def compare(installation: Installation) -> AnchorTurn:
    """Look what the anchor knows; a ledger that disagrees is put on hold, for every bank."""
    return _talk(installation, _compare)


def publish(installation: Installation) -> AnchorTurn:
    """Sign the journal's head where it has grown, and put the newest head to the anchor."""
    warning = sign_head(installation)
    with installation.ledger.read() as transaction:
        head = last_head(transaction)
    if head is None or head.delivered_at is not None:
        return AnchorTurn(warning=warning)
    turn = _talk(installation, lambda here, channel, folder: _deliver(here, channel, folder, head))
    return msgspec.structs.replace(turn, warning=warning)


def try_again(installation: Installation) -> None:
    """Forget that the anchor refused us: a person has mended the cause."""
    _note(installation, "", refused=False)


def sign_head(installation: Installation) -> str:
    """Sign the journal's head unless that was done; a warning where the ring has no key for it."""
    now = installation.clock.now()
    try:
        signer = installation.keyring.journal_signer(now)
    except KeyUnavailable as error:
        return f"the journal's head is not signed: {error}"
    configuration = installation.configuration
    with installation.ledger.write() as transaction:
        event, before = last_event(transaction), last_head(transaction)
        if event is None or (before is not None and before.event_pk == event[0]):
            return ""
        head = Head(
            format=HEAD_FORMAT,
            instance=configuration.instance,
            environment=configuration.environment,
            event=event[0],
            hash=event[1],
            sequences=sequences(transaction),
            at=now.isoformat(),
            key_id=signer.key_id,
            algorithm=signer.algorithm,
            certificate=certificate_text(signer),
        )
        statement = head.to_bytes()
        insert_head(
            transaction, *event, head.name, statement, sign_statement(signer, statement), now.isoformat()
        )
    return ""


def _talk(installation: Installation, act: _Act) -> AnchorTurn:
    """One connection to the anchor; any fault of it is noted and tried again, a refusal by a person only."""
    anchor, opener = installation.configuration.anchor, installation.open_anchor
    if anchor is None or opener is None:
        return AnchorTurn()
    with installation.ledger.read() as transaction:
        fault, refused = anchor_fault(transaction)
    if refused:
        return AnchorTurn(fault=fault, hint="mend the cause, then: bankgate audit anchor")
    try:
        with opener() as channel:
            turn = act(installation, channel, anchor.folder)
    except (ChannelError, KeyUnavailable) as error:
        transient = isinstance(error, ChannelError) and error.transient
        _note(installation, f"anchor {anchor.place}: {error}", refused=not transient)
        return AnchorTurn(fault=f"anchor {anchor.place}: {error}", hint=error.hint)
    _note(installation, turn.fault, refused=False)
    return turn


def _note(installation: Installation, fault: str, *, refused: bool) -> None:
    with installation.ledger.read() as transaction:
        if anchor_fault(transaction) == (fault, refused):
            return
    with installation.ledger.write() as transaction:
        note_fault(transaction, fault, refused, installation.clock.now())


def _compare(installation: Installation, channel: Channel, folder: str) -> AnchorTurn:
    pattern = re.compile(re.escape(installation.configuration.instance) + r"-[0-9]{12}-[0-9a-f]{16}\.head")
    listed = [entry.name for entry in channel.list(folder) if pattern.fullmatch(entry.name)]
    with installation.ledger.read() as transaction:
        known, told = head_names(transaction), differences(transaction)
    # The number stands in front of the hash and has a fixed width: the newest comes last.
    listed.sort(reverse=True)
    strange = [name for name in listed if name not in known and name not in told]
    looked = sorted({*strange, *[name for name in listed[:1] if name not in told]}, reverse=True)
    for name in looked[:_LOOKS_LIMIT]:
        content = io.BytesIO()
        channel.get(_path(folder, name), content, HEAD_LIMIT_BYTES)
        head, message = _disagreement(installation, name, content.getvalue())
        if message:
            _hold_all(installation, head, message, {name, *strange})
            return AnchorTurn(found=[message])
    return AnchorTurn()


def _disagreement(installation: Installation, name: str, content: bytes) -> tuple[Head | None, str]:
    """The head where it is verified, and what it says against the ledger, or ""."""
    configuration = installation.configuration
    try:
        head, statement, signature = read_head(content)
        at = instant(head.at)
        trust = installation.keyring.journal_trust()
        verify_certified(statement, signature, head.certificate, head.algorithm, trust, at)
    except (ValueError, SealError) as error:
        return None, f"head {name} at the anchor cannot be verified: {error}"
    ours = (configuration.instance, configuration.environment, name)
    if (head.instance, head.environment, head.name) != ours:
        return None, f"head {name} at the anchor belongs to another name or environment"
    with installation.ledger.read() as transaction:
        return head, _contradiction(transaction, head)


def _contradiction(transaction: Transaction, head: Head) -> str:
    """What a verified head says that the ledger does not know, or ""."""
    event = last_event(transaction)
    ends = 0 if event is None else event[0]
    if head.event > ends:
        return f"the anchor knows event {head.event}, the ledger ends with event {ends}"
    if event_hash_of(transaction, head.event) != head.hash:
        return f"event {head.event} of the ledger is another than the one the anchor knows"
    ours = sequences(transaction)
    ahead = [f"{bank} {number}" for bank, number in head.sequences.items() if ours.get(bank, 0) < number]
    if ahead:
        return f"the anchor knows higher sequences than the ledger: {', '.join(sorted(ahead))}"
    return ""


def _hold_all(installation: Installation, head: Head | None, message: str, names: Iterable[str]) -> None:
    """Nothing leaves for any bank; each head is told of once, so that a person's clearing lasts."""
    now = installation.clock.now()
    with installation.ledger.write() as transaction:
        for name in sorted(names):
            note_difference(transaction, name, message, now)
        hold_every_bank(installation, transaction, message, now)
        doubt_files(transaction, message, now)
        known = {} if head is None else head.sequences
        raised = leave_out_numbers(installation, transaction, known)
        evidence.record(
            transaction, now, "ledger behind its anchor", why=message, sequences=known, raised_to=raised
        )
    installation.log.error("ledger behind its anchor", why=message)


def _deliver(installation: Installation, channel: Channel, folder: str, head: HeadRow) -> AnchorTurn:
    """Put a head under a temporary name, then rename; the same head twice is once."""
    content = head_file(head.statement, head.signature)
    final = _path(folder, head.name)
    if channel.stat(final) is None:
        temporary = f"{final}.part"
        channel.remove(temporary)
        channel.put(temporary, io.BytesIO(content), len(content))
        channel.rename(temporary, final)
    else:
        found = io.BytesIO()
        channel.get(final, found, HEAD_LIMIT_BYTES)
        if not _same(found.getvalue(), head):
            where = "look who writes to the anchor, and move that file away"
            return AnchorTurn(fault=f"another file lies at the anchor under the name {head.name}", hint=where)
    with installation.ledger.write() as transaction:
        mark_delivered(transaction, head.head_pk, installation.clock.now())
    return AnchorTurn(delivered=head.name)


def _same(content: bytes, head: HeadRow) -> bool:
    """Whether it is this head: the same event with the same hash, perhaps signed another time."""
    try:
        found, _, _ = read_head(content)
    except ValueError:
        return False
    return (found.event, found.hash) == (head.event_pk, head.hash)


def _path(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
