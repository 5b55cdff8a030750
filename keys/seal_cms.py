"""CMS as steps of a seal: signed around the content or beside it, and envelopes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from keys.algorithms import ALGORITHMS, Transport
from keys.armour import Armour, ArmourWriter, apply_armour
from keys.cms_forms import EnvelopeForm, MessageDigest, SignedForm, Sm2Oid
from keys.cms_open import decrypt
from keys.cms_seal import EnvelopeWriter
from keys.cms_sign import DetachedSigner, SignedWriter
from keys.cms_verify import verify_attached, verify_detached
from keys.content_ciphers import CONTENT_CIPHERS
from keys.errors import SignatureMalformed
from keys.seal_parts import Blob, Proof, SealKeys, counterpart, encrypters
from keys.stages import ByteSink, Stage


def _one_of(names: Iterable[str]) -> Meta:
    """A text that is one of these."""
    return Meta(pattern=rf"^({'|'.join(names)})\Z", description=f"one of {', '.join(names)}")


Algorithm = Annotated[str, _one_of(ALGORITHMS)]
CipherName = Annotated[str, _one_of(CONTENT_CIPHERS)]
SignerId = Annotated[str, Meta(max_length=1000, description="text of at most 1000 characters")]


class SignParameters(Struct, frozen=True, kw_only=True):
    """How a signature in CMS is made. `algorithms`: a key that signs for each; empty: the usual one."""

    algorithms: list[Algorithm] = []
    national: bool = False
    attributes: bool = True
    signing_time: bool = True
    message_digest: MessageDigest = MessageDigest.PLAIN
    signature: Literal["der", "raw"] = "der"
    sm2_oid: Sm2Oid = Sm2Oid.WITH_SM3
    signer_id: SignerId = "1234567812345678"
    armour: Armour = Armour.DER

    def form(self) -> SignedForm:
        return SignedForm(
            national=self.national,
            attributes=self.attributes,
            signing_time=self.signing_time,
            message_digest=self.message_digest,
            raw_signature=self.signature == "raw",
            sm2_oid=self.sm2_oid,
            signer_id=self.signer_id.encode(),
        )


class VerifyParameters(Struct, frozen=True, kw_only=True):
    """What is accepted of a signature in CMS. `algorithms` empty: all that are strong enough.

    `sha1_until`: the first day (UTC) on which SHA-1 is refused of this bank too.
    """

    algorithms: list[Algorithm] = []
    message_digest: MessageDigest = MessageDigest.PLAIN
    signature: Literal["der", "raw"] = "der"
    signer_id: SignerId = "1234567812345678"
    sha1_until: date | None = None

    def form(self) -> SignedForm:
        until = self.sha1_until
        # SHA-1 is accepted beside the listed algorithms, not in place of them.
        listed = (*self.algorithms, "rsa-pkcs1-sha1") if self.algorithms and until else self.algorithms
        return SignedForm(
            message_digest=self.message_digest,
            raw_signature=self.signature == "raw",
            signer_id=self.signer_id.encode(),
            algorithms=tuple(listed),
            sha1_until=None if until is None else datetime.combine(until, time(), UTC),
        )


class CmsSign(SignParameters, frozen=True, kw_only=True):
    """SignedData with the content inside."""

    name: ClassVar = "cms-sign"
    roles: ClassVar[tuple[str, ...]] = ("sign",)
    detached: ClassVar = False

    def stages(self, size_bytes: int, keys: SealKeys) -> list[Stage]:
        writer = SignedWriter(size_bytes, keys.signers(self.algorithms), keys.at, self.form())
        return _armoured(writer, self.armour)

    def signature_of(self, stages: Sequence[Stage]) -> bytes:
        return b""

    def mirrored(self) -> CmsVerify:
        return counterpart(self, CmsVerify)


class CmsSignDetached(SignParameters, frozen=True, kw_only=True):
    """SignedData beside the file."""

    name: ClassVar = "cms-sign-detached"
    roles: ClassVar[tuple[str, ...]] = ("sign",)
    detached: ClassVar = True

    def stages(self, size_bytes: int, keys: SealKeys) -> list[Stage]:
        return [DetachedSigner(size_bytes, keys.signers(self.algorithms), keys.at, self.form())]

    def signature_of(self, stages: Sequence[Stage]) -> bytes:
        (stage,) = stages
        assert isinstance(stage, DetachedSigner)
        return apply_armour(stage.signature(), self.armour)

    def mirrored(self) -> CmsVerifyDetached:
        return counterpart(self, CmsVerifyDetached)


class CmsEncrypt(Struct, frozen=True, kw_only=True):
    """An envelope around the content. `transport` empty: OAEP with SHA-256, or SM2."""

    name: ClassVar = "cms-encrypt"
    roles: ClassVar[tuple[str, ...]] = ("encrypt",)
    detached: ClassVar = False

    national: bool = False
    cipher: CipherName = "aes-256-gcm"
    transport: Transport | None = None
    wrapped_key: Literal["der", "raw"] = "der"
    armour: Armour = Armour.DER

    def stages(self, size_bytes: int, keys: SealKeys) -> list[Stage]:
        form = EnvelopeForm(
            national=self.national,
            cipher=self.cipher,
            transport=self.transport,
            raw_cipher=self.wrapped_key == "raw",
        )
        return _armoured(EnvelopeWriter(size_bytes, encrypters(keys, self.transport), form), self.armour)

    def signature_of(self, stages: Sequence[Stage]) -> bytes:
        return b""

    def mirrored(self) -> CmsDecrypt:
        return CmsDecrypt(ciphers=[self.cipher])


class CmsVerify(VerifyParameters, frozen=True, kw_only=True):
    """Checks SignedData with the content inside, and takes the content out."""

    name: ClassVar = "cms-verify"
    roles: ClassVar[tuple[str, ...]] = ("verify",)
    detached: ClassVar = False
    proves: ClassVar = True

    def open(self, content: Blob, signature: bytes, keys: SealKeys, sink: ByteSink) -> Proof:
        with content.open() as source:
            return Proof(self.name, verify_attached(source, keys.trust(), keys.at, sink, self.form()))

    def mirrored(self) -> CmsSign:
        return counterpart(self, CmsSign)


class CmsVerifyDetached(VerifyParameters, frozen=True, kw_only=True):
    """Checks SignedData that came beside the file."""

    name: ClassVar = "cms-verify-detached"
    roles: ClassVar[tuple[str, ...]] = ("verify",)
    detached: ClassVar = True
    proves: ClassVar = True

    def open(self, content: Blob, signature: bytes, keys: SealKeys, sink: ByteSink) -> Proof:
        if not signature:
            raise SignatureMalformed("the signature beside the file is missing")
        with content.open() as source:
            return Proof(self.name, verify_detached(source, signature, keys.trust(), keys.at, self.form()))

    def mirrored(self) -> CmsSignDetached:
        return counterpart(self, CmsSignDetached)


class CmsDecrypt(Struct, frozen=True, kw_only=True):
    """Opens an envelope. Which ciphers and transports are accepted; empty: all."""

    name: ClassVar = "cms-decrypt"
    roles: ClassVar[tuple[str, ...]] = ("decrypt",)
    detached: ClassVar = False
    proves: ClassVar = False

    ciphers: list[CipherName] = []
    transports: list[Transport] = []

    def open(self, content: Blob, signature: bytes, keys: SealKeys, sink: ByteSink) -> Proof:
        form = EnvelopeForm(ciphers=tuple(self.ciphers), transports=tuple(self.transports))
        with content.open() as source:
            return Proof(self.name, opened=decrypt(source, keys.decrypters(), sink, form))

    def mirrored(self) -> CmsEncrypt:
        cipher = self.ciphers[0] if self.ciphers else "aes-256-gcm"
        transport = self.transports[0] if self.transports else None
        return CmsEncrypt(cipher=cipher, transport=transport)


def _armoured(stage: Stage, armour: Armour) -> list[Stage]:
    return [stage] if armour is Armour.DER else [stage, ArmourWriter(stage.size_bytes, armour)]
