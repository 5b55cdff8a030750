"""Judge the signature of what a bank sent, before anything of it is parsed.

Only `verify` makes a `VerifiedFile`, and only that is parsed.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Struct

from formats import Problem
from gateway import evidence
from gateway.configuration.profile import Inbound, Profile
from gateway.installation import Installation, canonical
from gateway.ledger.database import Transaction
from gateway.ledger.received import (
    ReceivedRow,
    is_our_own,
    judge_again,
    move_received,
    reopen_received,
)
from gateway.ledger.spool import is_destroyed
from gateway.states import ReceivedState
from gateway.store.sealing import SpoolBlob, open_file
from keys.errors import SealError

_REFUSED = "refused"
"""Code of the one problem of a file that was refused here, and not by a person."""


class VerifiedFile(Struct, frozen=True, kw_only=True):
    """A received file whose signature held (or whose profile says in words why it has none).

    `content_name` is the spool file with the bytes that were signed.
    """

    received: ReceivedRow
    inbound: Inbound
    content_name: str
    verdict: str


def verify(installation: Installation, profile: Profile, received: ReceivedRow) -> VerifiedFile | None:
    """Judge a received file's signature at its time of receipt; None where it is refused.

    A file that was verified before (`verified`, `held`) is judged again: what is parsed is
    always what the signature covers.
    """
    recognised = profile.recognise(received.name)
    if recognised is None:
        _refuse(installation, received, "the profile has no pattern for this name any more")
        return None
    inbound = recognised[0]
    with installation.ledger.read() as transaction:
        ours = is_our_own(transaction, received.sha256)
    if ours is not None:
        _refuse(installation, received, f"these are our own bytes, sent as {ours}")
        return None
    try:
        content_name, verdict = _check_signature(installation, profile, inbound, received)
    except SealError as error:
        _refuse(installation, received, str(error))
        return None
    if received.state is ReceivedState.RECEIVED:
        with installation.ledger.write() as transaction:
            move_received(
                transaction,
                received.received_pk,
                ReceivedState.RECEIVED,
                ReceivedState.VERIFIED,
                verdict=verdict,
            )
            evidence.record(
                transaction,
                installation.clock.now(),
                "received file verified",
                bank=received.bank,
                received=received.received_pk,
                sha256=received.sha256,
                verdict=verdict,
            )
    return VerifiedFile(received=received, inbound=inbound, content_name=content_name, verdict=verdict)


def reconsider(transaction: Transaction, at: datetime, received: ReceivedRow, name: str) -> None:
    """The very bytes of a file that was refused came again, under `name`: nothing of a bank is dropped.

    What was refused here is judged anew, for what was wanting may be there now: the certificate in
    the ring, the pattern in the profile. What persons refused is put to them again, never decided
    over their heads. Of bytes that were destroyed after their term nothing is decided any more.
    """
    if received.state is not ReceivedState.REFUSED or is_destroyed(transaction, received.spool_name):
        return
    if is_refused_here(received.problems):
        judge_again(transaction, received)
        kind = "received file judged again"
    else:
        reopen_received(transaction, received.received_pk)
        kind = "received file shown again"
    evidence.record(
        transaction,
        at,
        kind,
        bank=received.bank,
        received=received.received_pk,
        sha256=received.sha256,
        why=f"the bank sent the same bytes again, as {name}",
    )


def is_refused_here(problems: str) -> bool:
    """Whether the last to refuse a file was `verify`, and not a person."""
    told = msgspec.json.decode(problems, type=list[Problem])
    return [problem.code for problem in told] == [_REFUSED]


def _check_signature(
    installation: Installation, profile: Profile, inbound: Inbound, received: ReceivedRow
) -> tuple[str, str]:
    """(spool name of the signed content, verdict as JSON). Raises `SealError`."""
    signature = b""
    if received.signature_spool_name:
        with installation.spool.open(received.signature_spool_name) as stream:
            signature = stream.read()
    data = SpoolBlob(installation.spool, received.spool_name, received.size_bytes, received.sha256)
    at = datetime.fromisoformat(received.received_at)
    return open_file(installation, profile, inbound, data, signature, at)


def _refuse(installation: Installation, received: ReceivedRow, why: str) -> None:
    problem = Problem(
        code=_REFUSED,
        source=received.name,
        message=f"{received.name}: {why}",
        hint="ask the bank; nothing in the file was believed",
    )
    with installation.ledger.write() as transaction:
        move_received(
            transaction,
            received.received_pk,
            received.state,
            ReceivedState.REFUSED,
            problems=canonical([problem]),
        )
        evidence.record(
            transaction,
            installation.clock.now(),
            "received file refused",
            bank=received.bank,
            received=received.received_pk,
            sha256=received.sha256,
            why=why,
        )
