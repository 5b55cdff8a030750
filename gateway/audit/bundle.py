"""The bundle that an audit exports and verifies: its tables, its manifest, its bytes.

Nothing of the ledger is here: a verifier needs this page of columns, `heads` and `evidence`
alone. Every table is told twice, as JSON Lines and as CSV. The format is in `docs/audit.md`.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

FORMAT = "bankgate-audit-1"
MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig"
_BLOCK_BYTES = 1 << 20


class BatchLine(Struct, frozen=True, forbid_unknown_fields=True):
    """`release` is JSON text: by which signature, or which persons, it was released."""

    batch: int
    platform: str
    batch_id: str
    content_sha256: str
    declared_count: int
    declared_total_minor: int
    currency: str
    state: str
    submitted_at: str
    released_at: str | None
    release: str | None
    left_out_count: int
    left_out_minor: int


class PaymentLine(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """`replaces` is the payment that this one replaces."""

    payment: int
    batch: int
    payment_id: str
    amount_minor: int
    department: str
    programme: str
    period: str
    account_kind: str
    payee_kind: str
    bank: str
    disposition: str
    reason: str
    replaces: int | None


class FileLine(Struct, frozen=True, forbid_unknown_fields=True):
    """`pins` and `evidence` are JSON text: digests of what it was made with; how it arrived."""

    file: int
    batch: int
    bank: str
    sequence: int
    name: str
    message_id: str
    state: str
    payment_count: int
    total_minor: int
    currency: str
    bank_day: str
    agreement: str
    created_at: str
    sent_at: str | None
    pins: str
    evidence: str | None


class PartLine(Struct, frozen=True, forbid_unknown_fields=True):
    file: int
    rank: int
    part: str
    name: str
    size_bytes: int
    sha256: str


class AttemptLine(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    file: int
    item: int
    payment: int
    live: int


class ReceivedLine(Struct, frozen=True, forbid_unknown_fields=True):
    """`verdict` is JSON text: whose signature held."""

    received: int
    bank: str
    sha256: str
    signature_sha256: str
    name: str
    kind: str
    layout: str
    size_bytes: int
    state: str
    received_at: str
    file: int | None
    verdict: str | None
    accepted_problems: int


class AcknowledgementLine(Struct, frozen=True, forbid_unknown_fields=True):
    acknowledgement: int
    file: int
    received: int
    verdict: str
    reason: str
    code: str
    recorded_at: str


class OutcomeLine(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """`payment` to `value_date`, then `recorded_at`, is the order in which an event digests them.

    `decided` is the object of the decision that it rests on, null where a bank's file or the
    gateway said it.
    """

    outcome: int
    payment: int
    file: int | None
    item: int | None
    received: int | None
    line: int | None
    stated: str
    status: str
    reason: str
    credited_minor: int | None
    returned_minor: int | None
    code: str
    serial: str
    value_date: str | None
    recorded_at: str
    decided: str | None


class FeeLine(Struct, frozen=True, forbid_unknown_fields=True):
    """`file` is null for what stands in a statement only."""

    fee: int
    bank: str
    kind: str
    amount_minor: int
    file: int | None
    item: int | None
    payment: int | None
    received: int
    line: int | None
    recorded_at: str


class NoticeLine(Struct, frozen=True, forbid_unknown_fields=True):
    """`bank` to `recorded_at` is the order in which an event digests them; `about` names what was told."""

    notice: int
    bank: str
    code: str
    about: str
    file: int
    item: int | None
    payment: int | None
    received: int
    line: int | None
    recorded_at: str


class EntryLine(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """One booking of a statement, or one payment in it. `bank` to `recorded_at` is the order in which
    an event digests them. `account` is masked.
    """

    entry: int
    bank: str
    account: str
    statement: str
    received: int
    line: int
    direction: str
    amount_minor: int | None
    entry_minor: int | None
    currency: str
    booked_on: str | None
    value_date: str | None
    booked: int
    kind: str
    serial: str
    code: str
    file: int | None
    item: int | None
    payment: int | None
    recorded_at: str


class RecoveryLine(Struct, frozen=True, forbid_unknown_fields=True):
    """Money asked back. `ending` is "", `whole` or `given_up`; `decided` the object of the decision."""

    recovery: int
    payment: int
    amount_minor: int
    ground: str
    exhibit: str
    marked_at: str
    ending: str
    closed_at: str | None
    decided: str


class ReceiptLine(Struct, frozen=True, forbid_unknown_fields=True):
    """A part of it that came back; `struck_at` where persons said that it was noted by mistake."""

    receipt: int
    recovery: int
    amount_minor: int
    voucher_sha256: str
    noted_at: str
    struck_at: str | None
    decided: str


class DecisionLine(Struct, frozen=True, forbid_unknown_fields=True):
    """`statement` is the exact text that was signed."""

    number: int
    object: str
    decision: str
    person: str
    key_id: str
    statement: str
    signature: str
    recorded_at: str


class PersonLine(Struct, frozen=True, forbid_unknown_fields=True):
    """`public_key` is Base64 of its SubjectPublicKeyInfo."""

    key_id: str
    person: str
    algorithm: str
    public_key: str


class EventLine(Struct, frozen=True, forbid_unknown_fields=True):
    """`body` is null where the export does not show it."""

    event: int
    recorded_at: str
    kind: str
    body_sha256: str
    hash: str
    body: str | None


class HeadLine(Struct, frozen=True, forbid_unknown_fields=True):
    """`statement` is the exact text that was signed."""

    event: int
    name: str
    statement: str
    signature: str
    delivered_at: str | None


TABLES: dict[str, type[Struct]] = {
    "batches": BatchLine,
    "payments": PaymentLine,
    "files": FileLine,
    "file_parts": PartLine,
    "attempts": AttemptLine,
    "received": ReceivedLine,
    "acknowledgements": AcknowledgementLine,
    "outcomes": OutcomeLine,
    "fees": FeeLine,
    "notices": NoticeLine,
    "entries": EntryLine,
    "recoveries": RecoveryLine,
    "receipts": ReceiptLine,
    "decisions": DecisionLine,
    "persons": PersonLine,
    "events": EventLine,
    "heads": HeadLine,
}


class Listed(Struct, frozen=True, forbid_unknown_fields=True):
    """One file of the bundle. `rows` is null for a sealed one."""

    rows: int | None
    sha256: str
    size_bytes: int


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is in the bundle, and the journal's end when it was made.

    `selection` names the batch or the period, or is empty for everything. `algorithm`,
    `certificate` and `key_id` are the signature's own, "" where there is none.
    """

    format: str
    instance: str
    environment: str
    exported_at: str
    selection: dict[str, str]
    event: int
    hash: str
    sequences: dict[str, int]
    files: dict[str, Listed]
    key_id: str
    algorithm: str
    certificate: str

    def to_bytes(self) -> bytes:
        """The exact bytes that are signed: JSON with sorted keys, no line break."""
        return msgspec.json.encode(self, order="sorted")


def parse_manifest(content: bytes) -> Manifest:
    """Raises `ValueError` where it has another form than `to_bytes` gives."""
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from None
    if manifest.to_bytes() != content or manifest.format != FORMAT:
        raise ValueError(f"not in the form of {FORMAT}")
    return manifest


class BundleFile:
    """A new file of mode 0600 that is digested while it is written."""

    def __init__(self, path: Path) -> None:
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        self._digest = hashlib.sha256()
        self._size_bytes = 0
        self._pending = bytearray()

    def write(self, block: bytes) -> None:
        self._pending += block
        if len(self._pending) >= _BLOCK_BYTES:
            self._flush()

    def close(self, rows: int | None) -> Listed:
        self._flush()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return Listed(rows, self._digest.hexdigest(), self._size_bytes)

    def _flush(self) -> None:
        self._file.write(self._pending)
        self._digest.update(self._pending)
        self._size_bytes += len(self._pending)
        self._pending.clear()


def digest_of(path: Path) -> tuple[str, int]:
    """(lower-case hex SHA-256, size in bytes) of a file."""
    digest, size_bytes = hashlib.sha256(), 0
    with path.open("rb") as source:
        while block := source.read(_BLOCK_BYTES):
            digest.update(block)
            size_bytes += len(block)
    return digest.hexdigest(), size_bytes


def write_table(folder: Path, name: str, lines: Iterable[Struct]) -> dict[str, Listed]:
    """Write a table in both forms, in the order given; constant memory."""
    encoder = msgspec.json.Encoder()
    plain, commas = BundleFile(folder / f"{name}.jsonl"), BundleFile(folder / f"{name}.csv")
    commas.write(csv_line(TABLES[name].__struct_fields__))
    rows = 0
    for line in lines:
        plain.write(encoder.encode(line) + b"\n")
        commas.write(csv_line(msgspec.structs.astuple(line)))
        rows += 1
    return {f"{name}.jsonl": plain.close(rows), f"{name}.csv": commas.close(rows)}


def csv_line(values: Iterable[Any]) -> bytes:
    """RFC 4180 with LF; null is an empty field."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue().encode()
