"""`bankgate audit export`: what an auditor or the data-sharing platform gets, as a signed bundle.

Pseudonymous: ids, amounts, digests and states, never a name, an ID, an account or a bank's
words. Everything is read in one view of the ledger and streamed; the order is that of the
ledger's keys, so two exports of one state differ in their times and signatures only.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import msgspec
from msgspec import Struct

from formats import CHUNK_RECORDS, Problem
from gateway.audit.bundle import FORMAT, MANIFEST, SIGNATURE, BundleFile, Listed, Manifest, write_table
from gateway.audit.tables import Selection, Tables
from gateway.errors import InputRefused
from gateway.evidence import FIRST_HASH
from gateway.installation import Installation
from gateway.ledger.anchor import last_event, sequences
from gateway.ledger.database import Transaction
from gateway.store.folders import make_private
from gateway.store.locks import keeping_files
from keys.certified import certificate_text
from keys.envelope import Recipient
from keys.errors import KeyUnavailable
from keys.signer import Signer
from keys.statement import sign_statement

_UNFINISHED = ".unfinished"
_LISTED_BATCHES = 10
_ENVELOPE_ROWS = 16_000
"""Payments in one envelope, which is made in memory."""
_IDENTITY_COLUMNS = (
    "payment_id", "account", "beneficiary_name", "beneficiary_id", "payee_name", "payee_id",
    "household_id", "custodian_name", "custodian_id", "social_card_number",
)  # fmt: skip


class Exported(Struct, frozen=True, kw_only=True):
    """What was written. `warning` says where the bundle is weaker than it could be.

    `notes` tell whose identities were asked for and are not there any more, and that nothing fits.
    """

    folder: Path
    rows: dict[str, int]
    events: int
    warning: str = ""
    notes: list[str] = []


def export(
    installation: Installation, folder: Path, selection: Selection, recipient: Recipient | None = None
) -> Exported:
    """Write the bundle to `folder`, which must not exist, or be empty. All of it, or nothing."""
    folder = folder.absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        problem = Problem(code="output", message=f"{folder} exists already", source=str(folder))
        raise InputRefused([problem], hint="name a new folder")
    draft = folder.with_name(folder.name + _UNFINISHED)
    shutil.rmtree(draft, ignore_errors=True)
    make_private(draft)
    try:
        with _identities_stay(installation, recipient), installation.ledger.read() as transaction:
            tables = Tables(installation.keyring, transaction, selection)
            manifest, signer, warning = _write(installation, transaction, draft, tables, recipient)
            notes = [] if recipient is None else _notes(tables.destroyed_batches())
            if not selection.everything and tables.nothing:
                notes.append("no batch fits the selection: the bundle has none")
        content = manifest.to_bytes()
        _write_file(draft / MANIFEST, content)
        if signer is not None:
            _write_file(draft / SIGNATURE, sign_statement(signer, content))
        if folder.exists():
            folder.rmdir()
        os.rename(draft, folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    rows = {
        name.removesuffix(".jsonl"): listed.rows or 0
        for name, listed in manifest.files.items()
        if name.endswith(".jsonl")
    }
    return Exported(folder=folder, rows=rows, events=manifest.event, warning=warning, notes=notes)


def _identities_stay(installation: Installation, recipient: Recipient | None) -> AbstractContextManager[None]:
    """Nobody destroys them while they are written."""
    return nullcontext() if recipient is None else keeping_files(installation)


def _notes(names: list[str]) -> list[str]:
    if not names:
        return []
    listed = ", ".join(names[:_LISTED_BATCHES]) + (", ..." if len(names) > _LISTED_BATCHES else "")
    return [
        f"identities of {len(names)} batches were destroyed when their term was over, and are not in the"
        f" bundle: {listed}"
    ]


def _write(
    installation: Installation,
    transaction: Transaction,
    folder: Path,
    tables: Tables,
    recipient: Recipient | None,
) -> tuple[Manifest, Signer | None, str]:
    files: dict[str, Listed] = {}
    for name, lines in tables.all():
        files |= write_table(folder, name, lines)
    if recipient is not None:
        files |= _write_identities(installation, transaction, folder, tables, recipient)
    now = installation.clock.now()
    signer: Signer | None = None
    warning = ""
    try:
        signer = installation.keyring.journal_signer(now)
    except KeyUnavailable as error:
        warning = f"the bundle is not signed: {error}"
    end = last_event(transaction)
    manifest = Manifest(
        format=FORMAT,
        instance=installation.configuration.instance,
        environment=installation.configuration.environment,
        exported_at=now.isoformat(),
        selection=tables.selection.told(),
        event=0 if end is None else end[0],
        hash=FIRST_HASH if end is None else end[1],
        sequences=sequences(transaction),
        files=dict(sorted(files.items())),
        key_id="" if signer is None else signer.key_id,
        algorithm="" if signer is None else signer.algorithm,
        certificate="" if signer is None else certificate_text(signer),
    )
    return manifest, signer, warning


def _write_file(path: Path, content: bytes) -> None:
    file = BundleFile(path)
    file.write(content)
    file.close(None)


def _write_identities(
    installation: Installation, transaction: Transaction, folder: Path, tables: Tables, recipient: Recipient
) -> dict[str, Listed]:
    """Who each payment that the selection is about is for, in envelopes that only the recipient opens."""
    files: dict[str, Listed] = {}
    for number, rows in enumerate(_identities(installation, transaction, tables), start=1):
        name = f"identities-{number:05d}.p7m"
        file = BundleFile(folder / name)
        file.write(recipient.envelop(b"".join(rows)))
        files[name] = file.close(len(rows))
    return files


def _identities(
    installation: Installation, transaction: Transaction, tables: Tables
) -> Iterator[list[bytes]]:
    """Lines of JSON, as many as go into one envelope at a time."""
    lanes = transaction.all(
        "SELECT lane_pk, source_platform, spool_name FROM lane JOIN batch USING (batch_pk)"
        f" WHERE {tables.chosen} AND batch_pk NOT IN (SELECT batch_pk FROM destruction"
        "  WHERE batch_pk IS NOT NULL) ORDER BY lane_pk"
    )
    encoder = msgspec.json.Encoder()
    wanted = {f"payment.{name}": name for name in _IDENTITY_COLUMNS}
    rows: list[bytes] = []
    for lane in lanes:
        asked = tables.positions(lane.lane_pk)
        if asked is not None and not asked:
            continue
        with installation.spool.open_columns(lane.spool_name) as reader:
            for index in range(reader.count):
                columns = reader.columns(index, wanted)
                names = ["platform", *[wanted[name] for name in columns]]
                for place, values in enumerate(zip(*columns.values(), strict=True), index * CHUNK_RECORDS):
                    if asked is not None and place not in asked:
                        continue
                    row = dict(zip(names, (lane.source_platform, *values), strict=True))
                    rows.append(encoder.encode(row) + b"\n")
                if len(rows) >= _ENVELOPE_ROWS:
                    yield rows
                    rows = []
    if rows:
        yield rows
