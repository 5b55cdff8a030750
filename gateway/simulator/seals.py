"""The bank's side of a seal: it undoes what the gateway's profile does, and does what that undoes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from msgspec import Struct

from gateway.configuration.profile import Inbound, Profile
from gateway.simulator.store import Blob, Store
from keys.algorithms import ALGORITHMS
from keys.certificates import Certificate, Trust
from keys.errors import KeyUnavailable, SignatureInvalid
from keys.pgp import PgpAnchor, PgpCertificate, PgpKey, PgpTrust
from keys.public import fits
from keys.seal import Sealed, seal, unseal
from keys.signer import Decrypter, Signer
from keys.stages import ByteSink

_Key = TypeVar("_Key")


class BankSeals(Struct, frozen=True, kw_only=True):
    """The bank's keys, and the certificates that it accepts of the gateway."""

    accepts: Trust
    signs: tuple[Signer, ...]
    """The first one where the profile names no algorithm."""
    opens: tuple[Decrypter, ...] = ()
    encrypts_to: tuple[Certificate, ...] = ()
    pgp_key: PgpKey | None = None
    pgp_encrypts_to: PgpCertificate | None = None
    """The gateway's, whose signatures are accepted too."""

    def open(
        self, profile: Profile, data: Blob, signature: Blob | None, at: datetime, store: Store, name: str
    ) -> Blob:
        """What the gateway sealed; kept under `name` where that is not `data`. Raises `SealError`."""
        steps = [step.mirrored() for step in reversed(profile.seal.out_steps())]
        if any(step.detached for step in steps) and signature is None:
            raise SignatureInvalid(f"{name}: no signature came with it")
        beside = b"" if signature is None else _read(signature)
        keys, scratch = KeysAt(self, at), StoreScratch(store, name)
        return unseal(data, beside, steps, keys, scratch, lambda blob: None).content

    def seal(
        self, profile: Profile, inbound: Inbound, content: Blob, at: datetime, store: Store, name: str
    ) -> Sealed:
        """An answer as the profile expects it; what is made is kept under names that begin with `name`."""
        steps = [step.mirrored() for step in reversed(profile.seal.in_steps(inbound.seal or []))]
        return seal(content, steps, KeysAt(self, at), StoreScratch(store, name))


class KeysAt(Struct, frozen=True):
    """The bank's keys at one instant, as the steps ask for them."""

    seals: BankSeals
    at: datetime

    def signers(self, algorithms: Sequence[str]) -> list[Signer]:
        return [self._signer(name) for name in algorithms] or [self.seals.signs[0]]

    def recipients(self) -> list[Certificate]:
        return list(self.seals.encrypts_to)

    def decrypters(self) -> list[Decrypter]:
        return list(self.seals.opens)

    def trust(self) -> Trust:
        return self.seals.accepts

    def pgp_keys(self) -> list[PgpKey]:
        return _there([self.seals.pgp_key])

    def pgp_recipients(self) -> list[PgpCertificate]:
        return _there([self.seals.pgp_encrypts_to])

    def pgp_trust(self) -> PgpTrust:
        anchors = [PgpAnchor("gateway", certificate) for certificate in self.pgp_recipients()]
        return PgpTrust("gateway", self.seals.accepts.environment, anchors)

    def _signer(self, algorithm: str) -> Signer:
        for signer in self.seals.signs:
            if fits(signer.public_key, ALGORITHMS[algorithm]):
                return signer.using(ALGORITHMS[algorithm])
        raise KeyUnavailable(f"the bank has no key for {algorithm}")


def _there(found: list[_Key | None]) -> list[_Key]:
    present = [each for each in found if each is not None]
    if not present:
        raise KeyUnavailable("the bank has no OpenPGP keys")
    return present


class StoreScratch:
    """Names of one seal in the bank's store. Nothing is removed: a bank keeps what it made."""

    def __init__(self, store: Store, name: str) -> None:
        self._store = store
        self._name = name

    def fill(self, name: str, write: Callable[[ByteSink], object]) -> Blob:
        return self._store.fill(f"{name}-{self._name}", write)

    def drop(self, name: str) -> None:
        pass


def _read(blob: Blob) -> bytes:
    with blob.open() as source:
        return source.read()
