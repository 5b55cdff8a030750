"""A planned file's bytes: encoded, read back, signed once, stored; then it is `sealed`.

What is sent later, and sent again, is what is stored here: signatures are random, a second
one would make another file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from formats import Codec, FileIdentity, items_of_sequence
from formats.errors import SchemaError
from gateway import evidence
from gateway.configuration.profile import Profile
from gateway.errors import IntegrityError
from gateway.installation import Installation
from gateway.ledger.files import move_file
from gateway.ledger.lanes import DuePayment, LaneRow
from gateway.ledger.parts import PartRow, insert_parts
from gateway.settlement.items import Changes, Items, LanePayments, write_items
from gateway.states import FileState
from gateway.store.sealing import SpoolBlob, seal_file
from gateway.store.spool import Columns
from keys.errors import ContentTooLarge


class Planned(Struct, frozen=True):
    """A file that exists in the ledger and nowhere else yet. `pins` are digests of what it is made with."""

    file_pk: int
    identity: FileIdentity
    lane: LaneRow
    payments: list[DuePayment]
    pins: str


class FileTooLarge(Exception):
    """The made bytes are over the bank's limit: fewer records are tried."""


class Measured(Struct, frozen=True):
    """Size and digest of what was stored."""

    size_bytes: int
    sha256: str


def folder_of(bank: str, sequence: int) -> str:
    """Where the spool keeps a file's parts."""
    return f"out/{bank}/{sequence:010d}"


def make_file(installation: Installation, profile: Profile, codec: Codec, planned: Planned) -> None:
    """Encode, read back, sign, store: then the file is `sealed`."""
    spool = installation.spool
    folder = folder_of(planned.identity.bank, planned.identity.sequence)
    names = {alias.name: alias.written for alias in profile.aliases}
    payments = LanePayments(spool, planned.lane.spool_name, planned.payments, codec, names)
    items_name = f"{folder}/items"
    changes = Changes(spool, f"{folder}/changes")
    with changes.open() as note:
        write_items(spool, items_name, payments, note)
    plain = f"{folder}/plain"
    with spool.create(plain) as sink:
        for block in _valid(installation, codec, planned, codec.encode(planned.identity, payments)):
            sink.write(block)
    _require_size(profile, planned.identity, sink.size_bytes)
    _read_back(installation, codec, planned, plain, items_name)
    plain_sha256 = sink.sha256
    parts = _parts(installation, profile, planned.identity, folder, Measured(sink.size_bytes, plain_sha256))
    with installation.ledger.write() as transaction:
        insert_parts(transaction, planned.file_pk, parts)
        move_file(
            transaction,
            planned.file_pk,
            FileState.PLANNED,
            FileState.SEALED,
            items_name=items_name,
            plain_sha256=plain_sha256,
        )
        evidence.record(
            transaction,
            installation.clock.now(),
            "file sealed",
            bank=planned.identity.bank,
            file=planned.identity.name,
            parts={part.name: part.sha256 for part in parts},
            aliases=changes.counts["alias"],
            substituted=changes.counts["substituted"],
        )


def _valid(
    installation: Installation, codec: Codec, planned: Planned, blocks: Iterable[bytes]
) -> Iterator[bytes]:
    """The blocks, by the schema that the bank's profile names. Raises `IntegrityError`."""
    schema = installation.configuration.request_schemas.get(planned.identity.bank)
    if schema is None:
        yield from blocks
        return
    try:
        yield from schema.checked(blocks, codec.name)
    except SchemaError as error:
        raise IntegrityError(
            f"file {planned.identity.name}: {error}",
            hint=f"layout {codec.name} or schema {schema.name} is wrong; nothing was sent",
        ) from error


def _read_back(
    installation: Installation, codec: Codec, planned: Planned, plain: str, items_name: str
) -> None:
    """Read the made bytes with the bank's eyes and compare each record with what was meant."""
    read = 0
    with installation.spool.open(plain) as stream, installation.spool.open_columns(items_name) as reader:
        items = Items(reader, len(planned.payments))
        decoder = codec.decode(stream, planned.identity)
        for chunk in decoder:
            numbers = range(read + 1, read + chunk.count + 1)
            expected = items.expected(numbers)
            if (
                chunk.columns["payment.account"] != expected.accounts
                or chunk.columns["payment.payee_name"] != expected.names
                or chunk.columns["payment.amount"] != expected.amounts
                or _items_read(chunk.columns, planned.identity.sequence) != list(numbers)
            ):
                raise IntegrityError(
                    f"file {planned.identity.name}: the made bytes do not say what was meant, near item"
                    f" {numbers[0]}",
                    hint=f"layout {codec.name} is wrong; nothing was sent",
                )
            read += chunk.count
    if read != len(planned.payments) or decoder.problems:
        raise IntegrityError(
            f"file {planned.identity.name}: {read} of {len(planned.payments)} payments read back",
            hint=f"layout {codec.name} is wrong; nothing was sent",
        )


def _items_read(columns: Columns, sequence: int) -> list[int | None]:
    if "attempt.item" in columns:
        return list(columns["attempt.item"])
    return items_of_sequence(columns["attempt.reference"], sequence)


def _parts(
    installation: Installation, profile: Profile, identity: FileIdentity, folder: str, plain: Measured
) -> list[PartRow]:
    """Seal once and store each part; in the order in which they will become visible."""
    names = profile.part_names(identity.name)
    source = SpoolBlob(installation.spool, f"{folder}/plain", plain.size_bytes, plain.sha256)
    try:
        sealed = seal_file(installation, profile, source, f"{folder}/")
    except ContentTooLarge as error:
        raise FileTooLarge(f"file of {identity.count} payments: {error}") from error
    data = sealed.data
    assert isinstance(data, SpoolBlob)
    _require_size(profile, identity, data.size_bytes)
    if data.name != source.name:
        # Nobody reads it again: what the bank got is what is kept.
        installation.spool.remove(source.name)
    parts: list[tuple[str, str, str, Measured]] = []
    if names.signature:
        stored = f"{folder}/signature"
        parts.append(("signature", names.signature, stored, _store(installation, stored, sealed.signature)))
    parts.append(("data", names.data, data.name, Measured(data.size_bytes, data.sha256)))
    if names.flag:
        content = profile.flag_content(
            name=names.data,
            size_bytes=data.size_bytes,
            sha256=data.sha256,
            count=identity.count,
            total_minor=identity.total_minor,
        )
        stored = f"{folder}/flag"
        parts.append(("flag", names.flag, stored, _store(installation, stored, content)))
    return [
        PartRow(
            rank=rank,
            part=part,
            name=name,
            spool_name=stored,
            size_bytes=measured.size_bytes,
            sha256=measured.sha256,
        )
        for rank, (part, name, stored, measured) in enumerate(parts, start=1)
    ]


def _require_size(profile: Profile, identity: FileIdentity, size_bytes: int) -> None:
    """Raises `FileTooLarge`. What the bank takes is what it gets: envelopes and Base64 count."""
    limit = profile.limits.file_bytes
    if limit is not None and size_bytes > limit:
        raise FileTooLarge(
            f"file of {identity.count} payments has {size_bytes} bytes, the bank takes {limit}"
        )


def _store(installation: Installation, name: str, content: bytes) -> Measured:
    with installation.spool.create(name) as sink:
        sink.write(content)
    return Measured(sink.size_bytes, sink.sha256)
