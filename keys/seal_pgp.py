"""OpenPGP as steps of a seal. Signing and encrypting is one step where it is one message."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from keys.errors import SignatureMalformed
from keys.pgp import PgpKey, open_message, seal_message, sign_beside, verify_beside
from keys.pgp_library import LIMIT_BYTES, read_limited
from keys.seal_parts import Blob, Proof, SealKeys
from keys.stages import ByteSink

OUR_KEY, THEIR_CERTIFICATE = "pgp-key", "pgp-certificate"
"""Roles of the ring: one key of ours signs and decrypts, one certificate of theirs the other two."""


class _Written(Struct, frozen=True, kw_only=True):
    """`armour`: as text, in place of bytes."""

    armour: bool = False


class PgpSign(_Written, frozen=True, kw_only=True):
    """A signed message with the content inside."""

    name: ClassVar = "pgp-sign"
    roles: ClassVar[tuple[str, ...]] = (OUR_KEY,)
    detached: ClassVar = False
    limit_bytes: ClassVar[int | None] = LIMIT_BYTES

    def transform(self, content: Blob, keys: SealKeys, sink: ByteSink) -> bytes:
        sink.write(seal_message(_read(content), _signer(keys), [], keys.at, armoured=self.armour))
        return b""

    def mirrored(self) -> PgpVerify:
        return PgpVerify()


class PgpEncrypt(_Written, frozen=True, kw_only=True):
    """An encrypted message around the content, which says nothing of who made it."""

    name: ClassVar = "pgp-encrypt"
    roles: ClassVar[tuple[str, ...]] = (THEIR_CERTIFICATE,)
    detached: ClassVar = False
    limit_bytes: ClassVar[int | None] = LIMIT_BYTES

    def transform(self, content: Blob, keys: SealKeys, sink: ByteSink) -> bytes:
        recipients = keys.pgp_recipients()
        sink.write(seal_message(_read(content), None, recipients, keys.at, armoured=self.armour))
        return b""

    def mirrored(self) -> PgpDecrypt:
        return PgpDecrypt()


class PgpSignEncrypt(_Written, frozen=True, kw_only=True):
    """One message, signed and encrypted."""

    name: ClassVar = "pgp-sign-encrypt"
    roles: ClassVar[tuple[str, ...]] = (OUR_KEY, THEIR_CERTIFICATE)
    detached: ClassVar = False
    limit_bytes: ClassVar[int | None] = LIMIT_BYTES

    def transform(self, content: Blob, keys: SealKeys, sink: ByteSink) -> bytes:
        recipients = keys.pgp_recipients()
        sink.write(seal_message(_read(content), _signer(keys), recipients, keys.at, armoured=self.armour))
        return b""

    def mirrored(self) -> PgpDecryptVerify:
        return PgpDecryptVerify()


class PgpSignDetached(_Written, frozen=True, kw_only=True):
    """A signature beside the file."""

    name: ClassVar = "pgp-sign-detached"
    roles: ClassVar[tuple[str, ...]] = (OUR_KEY,)
    detached: ClassVar = True
    limit_bytes: ClassVar[int | None] = LIMIT_BYTES

    def transform(self, content: Blob, keys: SealKeys, sink: ByteSink) -> bytes:
        return sign_beside(_read(content), _signer(keys), armoured=self.armour)

    def mirrored(self) -> PgpVerifyDetached:
        return PgpVerifyDetached()


class PgpVerify(Struct, frozen=True, kw_only=True):
    """Checks a signed message, and takes the content out."""

    name: ClassVar = "pgp-verify"
    roles: ClassVar[tuple[str, ...]] = (THEIR_CERTIFICATE,)
    detached: ClassVar = False
    proves: ClassVar = True

    def open(self, content: Blob, signature: bytes, keys: SealKeys, sink: ByteSink) -> Proof:
        opened, verdict = open_message(_read(content), [], keys.pgp_trust(), keys.at)
        sink.write(opened)
        return Proof(self.name, verdict)

    def mirrored(self) -> PgpSign:
        return PgpSign()


class PgpDecrypt(Struct, frozen=True, kw_only=True):
    """Opens an encrypted message; a signature in it is not looked at."""

    name: ClassVar = "pgp-decrypt"
    roles: ClassVar[tuple[str, ...]] = (OUR_KEY,)
    detached: ClassVar = False
    proves: ClassVar = False

    def open(self, content: Blob, signature: bytes, keys: SealKeys, sink: ByteSink) -> Proof:
        opened, _ = open_message(_read(content), keys.pgp_keys(), None, keys.at)
        sink.write(opened)
        return Proof(self.name)

    def mirrored(self) -> PgpEncrypt:
        return PgpEncrypt()


class PgpDecryptVerify(Struct, frozen=True, kw_only=True):
    """Opens one message that is encrypted and signed."""

    name: ClassVar = "pgp-decrypt-verify"
    roles: ClassVar[tuple[str, ...]] = (OUR_KEY, THEIR_CERTIFICATE)
    detached: ClassVar = False
    proves: ClassVar = True

    def open(self, content: Blob, signature: bytes, keys: SealKeys, sink: ByteSink) -> Proof:
        opened, verdict = open_message(_read(content), keys.pgp_keys(), keys.pgp_trust(), keys.at)
        sink.write(opened)
        return Proof(self.name, verdict)

    def mirrored(self) -> PgpSignEncrypt:
        return PgpSignEncrypt()


class PgpVerifyDetached(Struct, frozen=True, kw_only=True):
    """Checks a signature that came beside the file."""

    name: ClassVar = "pgp-verify-detached"
    roles: ClassVar[tuple[str, ...]] = (THEIR_CERTIFICATE,)
    detached: ClassVar = True
    proves: ClassVar = True

    def open(self, content: Blob, signature: bytes, keys: SealKeys, sink: ByteSink) -> Proof:
        if not signature:
            raise SignatureMalformed("the signature beside the file is missing")
        return Proof(self.name, verify_beside(_read(content), signature, keys.pgp_trust(), keys.at))

    def mirrored(self) -> PgpSignDetached:
        return PgpSignDetached()


def _signer(keys: SealKeys) -> PgpKey:
    """Of the keys in force the one that began last."""
    return keys.pgp_keys()[0]


def _read(content: Blob) -> bytes:
    with content.open() as source:
        return read_limited(source)
