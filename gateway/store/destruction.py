"""Destroy the personal data of one batch, or one stored file that belongs to none.

The intention is committed, with the digests of everything that goes; then the files go; then
the end is committed, together with the sealed texts in the ledger. Killed anywhere it goes on
at the next turn. Whether it may be done is decided in `retention`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from gateway import evidence
from gateway.installation import Installation
from gateway.ledger.card_lists import card_list_by_key, end_card_list
from gateway.ledger.database import Transaction
from gateway.ledger.retention import (
    Destroyed,
    Destruction,
    StoredBatch,
    begin_destruction,
    begun_destructions,
    content_names,
    destroy_statement_texts,
    destroy_texts,
    destroyed_files,
    enclosing_signatures,
    end_destruction,
    forget_exhibit,
    keep_signature,
    kept_names,
    numbers_of,
)
from gateway.sending.make import folder_of
from keys.proof import proof_of

_BLOCK_BYTES = 1 << 20
_PROOF = "-proof"


class Ended(Struct, frozen=True, kw_only=True):
    """What is gone. `texts` are sealed words of banks in the ledger."""

    object: str
    files: int
    size_bytes: int
    texts: int


def destroy_batch(
    installation: Installation, batch: StoredBatch, present: Iterable[str], since: str, days: int
) -> Ended:
    """Everything that names somebody in a batch; signatures, digests and counts stay.

    `present` are the names in the spool, `since` and `days` what the term was counted by.
    """
    with installation.ledger.read() as transaction:
        names = set(content_names(transaction, batch.batch_pk))
        kept = kept_names(transaction, batch.batch_pk)
        folders = [f"{folder_of(*number)}/" for number in numbers_of(transaction, batch.batch_pk)]
        signatures = enclosing_signatures(transaction, batch.batch_pk)
    names |= _leftovers(names, kept, folders, present)
    proofs = [(key, proof) for key, name in signatures if (proof := _keep_proof(installation, name))]
    files = [_measure(installation, name) for name in sorted(names)]
    now = installation.clock.now()
    about = {"platform": batch.source_platform, "batch": batch.batch_id}
    with installation.ledger.write() as transaction:
        key = begin_destruction(transaction, batch.object, batch.batch_pk, files, now)
        for received_pk, (name, sha256) in proofs:
            keep_signature(transaction, received_pk, name, sha256)
        told = about | {"since": since, "days": days}
        evidence.record(transaction, now, "personal data to be destroyed", **told, **_digests(files))
    return _finish(
        installation,
        Destruction(
            destruction_pk=key, object=batch.object, batch_pk=batch.batch_pk, begun_at=now.isoformat()
        ),
    )


def destroy_loose(
    installation: Installation, name: str, spool_names: Sequence[str], since: str, days: int
) -> Ended:
    """Stored files that belong to no batch; `name` is what they are called in the journal."""
    files = [_measure(installation, spool_name) for spool_name in spool_names]
    now = installation.clock.now()
    with installation.ledger.write() as transaction:
        key = begin_destruction(transaction, name, None, files, now)
        told = {"about": name, "since": since, "days": days}
        evidence.record(transaction, now, "personal data to be destroyed", **told, **_digests(files))
    return _finish(
        installation,
        Destruction(destruction_pk=key, object=name, batch_pk=None, begun_at=now.isoformat()),
    )


def finish_begun(installation: Installation) -> list[Ended]:
    """What a dead process had begun."""
    with installation.ledger.read() as transaction:
        begun = begun_destructions(transaction)
    return [_finish(installation, destruction) for destruction in begun]


def _finish(installation: Installation, destruction: Destruction) -> Ended:
    with installation.ledger.read() as transaction:
        files = destroyed_files(transaction, destruction.destruction_pk)
    installation.spool.destroy(file.spool_name for file in files)
    now = installation.clock.now()
    texts = 0
    with installation.ledger.write() as transaction:
        kind, _, key = destruction.object.partition(":")
        body: dict[str, Any] = {"about": destruction.object}
        if destruction.batch_pk is not None:
            platform, _, batch = key.partition("/")
            gone = destroy_texts(transaction, destruction.batch_pk)
            texts = gone.count
            body = {"platform": platform, "batch": batch, "texts": texts, "texts_sha256": gone.sha256}
        elif kind == "exhibit":
            forget_exhibit(transaction, key)
        elif kind == "received":
            destroy_statement_texts(transaction, int(key))
        elif kind == "card-list":
            _end_list(transaction, int(key), now)
        end_destruction(transaction, destruction.destruction_pk, now)
        evidence.record(transaction, now, "personal data destroyed", **body, **_digests(files))
    installation.log.info("personal data destroyed", object=destruction.object, files=len(files), texts=texts)
    return Ended(
        object=destruction.object,
        files=len(files),
        size_bytes=sum(file.size_bytes for file in files),
        texts=texts,
    )


def _end_list(transaction: Transaction, list_pk: int, at: datetime) -> None:
    """One that nobody replaced, and that was too old to count."""
    row = card_list_by_key(transaction, list_pk)
    assert row is not None
    if row.ended_at is None:
        end_card_list(transaction, list_pk, at)


def _leftovers(names: set[str], kept: set[str], folders: Sequence[str], present: Iterable[str]) -> set[str]:
    """What lies beside a batch's files: changes that were noted, what a crash left of making or opening."""
    beside = (*folders, *(f"{name}-" for name in names if name.startswith("in/")))
    return {name for name in present if name not in kept and name.startswith(beside)}


def _keep_proof(installation: Installation, name: str) -> tuple[str, str] | None:
    """Store a received file's signature without its content; (stored name, SHA-256)."""
    if not installation.spool.exists(name):
        return None
    with installation.spool.open(name) as source:
        signature = proof_of(source)
    if signature is None:
        return None
    with installation.spool.create(name + _PROOF) as sink:
        sink.write(signature)
    return name + _PROOF, sink.sha256


def _measure(installation: Installation, name: str) -> Destroyed:
    """Size and digest of the sealed bytes, as a backup's manifest tells them."""
    digest, size_bytes = hashlib.sha256(), 0
    try:
        with installation.spool.open_sealed(name) as source:
            while block := source.read(_BLOCK_BYTES):
                digest.update(block)
                size_bytes += len(block)
    except FileNotFoundError:
        return Destroyed(spool_name=name, sha256="", size_bytes=0)
    return Destroyed(spool_name=name, sha256=digest.hexdigest(), size_bytes=size_bytes)


def _digests(files: Sequence[Destroyed]) -> dict[str, Any]:
    """How many files, and one digest over the lines `SHA-256, two spaces, name, LF`, sorted by name."""
    lines = "".join(f"{file.sha256}  {file.spool_name}\n" for file in files)
    return {
        "files": len(files),
        "size_bytes": sum(file.size_bytes for file in files),
        "files_sha256": hashlib.sha256(lines.encode()).hexdigest(),
    }
