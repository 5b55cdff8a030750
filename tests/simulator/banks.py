"""The demonstration's three banks as models in memory, with real codecs and real signatures."""

from __future__ import annotations

import functools
import io
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from formats.codec import Codec, Decoder
from formats.records import FileIdentity, Payment, RecordChunk
from formats.registry import Registry
from gateway.configuration.config import Configuration, load_configuration
from gateway.configuration.profile import Inbound, Profile
from gateway.demonstration.payments import Order, make_payments
from gateway.demonstration.people import BANKS
from gateway.demonstration.profile_texts import profile_text
from gateway.demonstration.settings_texts import (
    NATIONAL_BANKS,
    agreement_numbers,
    agreement_text,
    gateway_text,
)
from gateway.simulator.bank import Arrival, SimulatedBank
from gateway.simulator.forms import Desk
from gateway.simulator.moments import Moment, Posting
from gateway.simulator.scenario import DrawnBy, Kind, Scenario
from gateway.simulator.seals import BankSeals, KeysAt, StoreScratch
from gateway.simulator.settings import read_desk
from gateway.simulator.store import Blob, MemoryBlob, MemoryStore
from keys.authority import Authority, Identity
from keys.certificate_make import SIGNING_AND_RECEIVING
from keys.certificates import Anchor, AnchorKind, Trust
from keys.private import make_decrypter
from keys.seal import seal, unseal
from keys.signer import Signer

NOW = datetime(2026, 9, 1, 2, 0, tzinfo=UTC)
START = Moment(look=0, at=NOW)
BANK_NAMES = [bank.bank for bank in BANKS]
REGISTRY = Registry()
CHUNK = 100


@functools.cache
def configuration(*, statements: bool = False) -> Configuration:
    """The demonstration's own configuration."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bankgate.toml").write_text(gateway_text(), "utf-8")
        (folder / "profiles").mkdir()
        (folder / "agreements").mkdir()
        for bank in BANKS:
            text = profile_text(bank, 2222, statements=statements)
            (folder / "profiles" / f"{bank.bank}.toml").write_text(text, "utf-8")
        for number, department, bank in agreement_numbers(BANKS):
            text = agreement_text(number, department, bank, NOW.date())
            (folder / "agreements" / f"{bank.bank}-{number:02d}.toml").write_text(text, "utf-8")
        return load_configuration(folder / "bankgate.toml")


def profile(bank: str) -> Profile:
    return configuration().profiles[bank]


@functools.cache
def _authority() -> Authority:
    valid = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
    return Authority.create("CN=Test CA", *valid)


@functools.cache
def identity(name: str, kind: str = "ec-p256") -> Identity:
    valid = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
    return _authority().issue(f"CN={name}", *valid, kind, SIGNING_AND_RECEIVING)


def signer(name: str, kind: str = "ec-p256") -> Signer:
    return identity(name, kind).signer(name)


@functools.cache
def trust() -> Trust:
    return Trust("the other side", "test", [Anchor("ca", _authority().certificate, AnchorKind.ROOT)])


def seals(bank: str, own: str, other: str) -> BankSeals:
    """The keys of `own` against `other`: SM2 that also receives where the bank's profile has it."""
    if bank not in NATIONAL_BANKS:
        return BankSeals(accepts=trust(), signs=(signer(own),))
    mine = identity(own, "sm2")
    return BankSeals(
        accepts=trust(),
        signs=(signer(own, "sm2"),),
        opens=(make_decrypter(mine.private_key, own, mine.certificate_der),),
        encrypts_to=(identity(other, "sm2").certificate,),
    )


@functools.cache
def desk(bank: str, *, statements: bool = False) -> Desk:
    return read_desk(configuration(statements=statements).profiles[bank])


def make_bank(
    bank: str,
    *kinds: Kind,
    share_per_mille: int = 200,
    seed: int = 1,
    drawn_by: DrawnBy = DrawnBy.REFERENCE,
) -> SimulatedBank:
    scenario = Scenario(
        kinds=frozenset(kinds or {Kind.ALL_WELL}),
        seed=seed,
        share_per_mille=share_per_mille,
        drawn_by=drawn_by,
    )
    return SimulatedBank(desk(bank), seals(bank, "bank", "gateway"), MemoryStore(), scenario)


@functools.cache
def payments(bank: str, count: int) -> tuple[Payment, ...]:
    """The first payments of a demonstration batch that one bank has to pay."""
    found = (payment for payment in make_payments(Order(count=count * 6)) if payment.bank == bank)
    return tuple(payment for payment, _ in zip(found, range(count), strict=False))


@functools.cache
def make_content(bank: str, sequence: int, count: int, chunk: int = CHUNK) -> tuple[str, bytes]:
    """Name and bytes of a request of the first payments, not sealed yet."""
    made = payments(bank, count)
    assert len(made) == count
    own = profile(bank)
    agreement = next(group[0] for (_, name), group in configuration().agreements.items() if name == bank)
    day = date(2026, 9, 1)
    texts = agreement.name_texts()
    name = own.file_name(sequence=sequence, bank_day=day, created_at=NOW, texts=texts)
    identity = FileIdentity(
        bank=bank,
        sequence=sequence,
        name=name,
        message_id=f"BG{sequence:012d}",
        created_at=NOW.astimezone(own.time_zone),
        bank_day=day,
        count=count,
        total_minor=sum(payment.amount_minor for payment in made),
        agreement=agreement.texts(),
        profile=own.values,
    )
    codec = REGISTRY.get(own.layouts.request)
    return name, b"".join(codec.encode(identity, _chunks(codec, made, chunk)))


@functools.cache
def make_request(bank: str, sequence: int = 1, count: int = 150, chunk: int = CHUNK) -> Arrival:
    """A sealed request of the first payments, as the gateway would make it."""
    name, content = make_content(bank, sequence, count, chunk)
    return sealed_arrival(bank, name, content)


def sealed_arrival(bank: str, name: str, content: bytes) -> Arrival:
    """Any bytes, sealed as the gateway seals for this bank."""
    scratch = StoreScratch(MemoryStore(), name)
    keys = KeysAt(seals(bank, "gateway", "bank"), NOW)
    sealed = seal(MemoryBlob(content), profile(bank).seal.out_steps(), keys, scratch)
    beside = MemoryBlob(sealed.signature) if sealed.signature else None
    return Arrival(name=name, data=sealed.data, signature=beside)


def _chunks(codec: Codec, made: tuple[Payment, ...], size: int) -> list[RecordChunk]:
    chunks = []
    for start in range(0, len(made), size):
        part = made[start : start + size]
        columns: dict[str, list[Any]] = {"attempt.item": list(range(start + 1, start + 1 + len(part)))}
        for meaning in codec.columns("payment"):
            name = meaning.removeprefix("payment.")
            if meaning == "payment.amount":
                columns[meaning] = [payment.amount_minor for payment in part]
            elif meaning == "payment.payee_name":
                columns[meaning] = [payment.payee_name or payment.beneficiary_name for payment in part]
            elif meaning.startswith("payment."):
                columns[meaning] = [getattr(payment, name) for payment in part]
        chunks.append(RecordChunk(record="payment", count=len(part), columns=columns))
    return chunks


class Answer:
    """One complete answer: its kind, name, and content after its signature held."""

    def __init__(self, bank: str, data: Posting, postings: list[Posting]) -> None:
        own = profile(bank)
        recognised = own.recognise(data.name)
        assert recognised is not None, data.name
        self.inbound: Inbound = recognised[0]
        self.name = data.name
        self.due = data.due
        self.content = _verified(bank, self.inbound, data, postings)
        assert self.inbound.layout is not None
        self.decoder: Decoder = REGISTRY.get(self.inbound.layout).decode(io.BytesIO(self.content))
        self.chunks = list(self.decoder)

    @property
    def kind(self) -> str:
        return self.inbound.kind

    def column(self, meaning: str, record: str = "payment") -> list[Any]:
        """A column over all chunks of a record."""
        return [
            value
            for chunk in self.chunks
            if chunk.record == record
            for value in chunk.columns.get(meaning, [None] * chunk.count)
        ]

    def items(self) -> list[int]:
        """Item numbers by the key, whatever the bank keys by."""
        references = self.column("attempt.reference")
        if references and references[0]:
            return [int(reference[-8:]) for reference in references]
        return self.column("attempt.item")


def answers(bank: str, postings: list[Posting]) -> list[Answer]:
    """Every answer of the postings, verified and read, in their order."""
    return [Answer(bank, posting, postings) for posting in data_postings(bank, postings)]


def results(bank: str, postings: list[Posting]) -> list[Answer]:
    return [answer for answer in answers(bank, postings) if answer.kind == "result"]


def data_postings(bank: str, postings: list[Posting]) -> Iterator[Posting]:
    """The data files, without signatures and flags."""
    own = profile(bank)
    for posting in postings:
        if own.recognise(posting.name) is not None:
            yield posting


def read(blob: Blob) -> bytes:
    with blob.open() as source:
        return source.read()


def _verified(bank: str, inbound: Inbound, data: Posting, postings: list[Posting]) -> bytes:
    beside = b""
    if name := inbound.detached_signature_name(data.name):
        beside = next(
            read(posting.content) for posting in postings if posting.name == name and posting.due == data.due
        )
    steps = profile(bank).seal.in_steps(inbound.seal or [])
    keys = KeysAt(seals(bank, "gateway", "bank"), NOW)
    scratch = StoreScratch(MemoryStore(), data.name)
    return read(unseal(data.content, beside, steps, keys, scratch, lambda blob: None).content)
