"""A bank's seal, run in the spool: what we made becomes what the bank gets, and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import BinaryIO

from msgspec import Struct

from gateway.configuration.profile import Inbound, Profile
from gateway.installation import Installation, canonical
from gateway.ledger.received import is_our_own
from gateway.store.spool import Spool
from keys.certificates import Certificate, Trust
from keys.errors import SealError
from keys.keyring import Keyring
from keys.pgp import PgpCertificate, PgpKey, PgpTrust
from keys.seal import Sealed, seal, unseal
from keys.seal_parts import Blob, Proof
from keys.signer import Decrypter, Signer
from keys.stages import ByteSink


class SpoolBlob(Struct, frozen=True):
    """A finished file of the spool."""

    spool: Spool
    name: str
    size_bytes: int
    sha256: str

    def open(self) -> BinaryIO:
        return self.spool.open(self.name)


class BankKeys(Struct, frozen=True):
    """The keys between us and one bank, for one instant."""

    keyring: Keyring
    bank: str
    at: datetime

    def signers(self, algorithms: Sequence[str]) -> list[Signer]:
        return [self.keyring.signer(self.bank, self.at, name) for name in algorithms or [""]]

    def recipients(self) -> list[Certificate]:
        return [self.keyring.recipient(self.bank, self.at)]

    def decrypters(self) -> list[Decrypter]:
        return self.keyring.decrypters(self.bank, self.at)

    def trust(self) -> Trust:
        return self.keyring.trust(self.bank)

    def pgp_keys(self) -> list[PgpKey]:
        return self.keyring.pgp_keys(self.bank, self.at)

    def pgp_recipients(self) -> list[PgpCertificate]:
        return [self.keyring.pgp_recipient(self.bank, self.at)]

    def pgp_trust(self) -> PgpTrust:
        return self.keyring.pgp_trust(self.bank)


_OUR_KEYS: dict[str, Callable[[BankKeys], object]] = {
    "sign": lambda keys: keys.signers([]),
    "encrypt": lambda keys: keys.recipients(),
}
"""By the role that a step asks for."""


class Seen(Struct, frozen=True, omit_defaults=True):
    """What the ledger keeps of a seal that held: what each step found, or why nobody signed."""

    steps: tuple[Proof, ...] = ()
    unsigned: str = ""


def require_seal_keys(installation: Installation, profile: Profile) -> None:
    """Raises `KeyUnavailable` before a number is taken for a file that could not be sealed."""
    keys = BankKeys(installation.keyring, profile.bank, installation.clock.now())
    for step in profile.seal.out_steps():
        for role in step.roles:
            if role in _OUR_KEYS:
                _OUR_KEYS[role](keys)


def seal_file(installation: Installation, profile: Profile, plain: SpoolBlob, prefix: str) -> Sealed:
    """Sign and encrypt as the profile says, now; what is made lies in the spool under `prefix`.

    Signatures and nonces are random: it is done once for a file. Raises `SealError`.
    """
    keys = BankKeys(installation.keyring, profile.bank, installation.clock.now())
    return seal(plain, profile.seal.out_steps(), keys, _SpoolScratch(installation.spool, prefix))


def open_file(
    installation: Installation,
    profile: Profile,
    inbound: Inbound,
    data: SpoolBlob,
    signature: bytes,
    received_at: datetime,
) -> tuple[str, str]:
    """(spool name of what the bank says, what is known of it as JSON). Raises `SealError`.

    Judged at the time of receipt. Our own bytes are refused, however deep they lie.
    """
    keys = BankKeys(installation.keyring, profile.bank, received_at)
    scratch = _SpoolScratch(installation.spool, f"{data.name}-")
    steps = profile.seal.in_steps(inbound.seal or [])

    def inspect(content: Blob) -> None:
        with installation.ledger.read() as transaction:
            ours = is_our_own(transaction, content.sha256)
        if ours is not None:
            raise SealError(f"the signed content is our own bytes, sent as {ours}")

    opened = unseal(data, signature, steps, keys, scratch, inspect)
    assert isinstance(opened.content, SpoolBlob)
    return opened.content.name, canonical(Seen(opened.proofs, inbound.unsigned_reason))


class _SpoolScratch:
    """What steps make, as files of the spool whose names begin with a prefix."""

    def __init__(self, spool: Spool, prefix: str) -> None:
        self._spool = spool
        self._prefix = prefix

    def fill(self, name: str, write: Callable[[ByteSink], object]) -> SpoolBlob:
        stored = self._prefix + name
        with self._spool.create(stored) as sink:
            write(sink)
        return SpoolBlob(self._spool, stored, sink.size_bytes, sink.sha256)

    def drop(self, name: str) -> None:
        self._spool.remove(self._prefix + name)
