"""CMS SignedData (RFC 5652): signatures over the bytes of files, detached or with them inside.

    sign_detached       source -> signature, DER
    sign_attached       source -> sink, DER with definite lengths, in one pass
    verify_detached     source and signature -> Verdict
    verify_attached     source -> sink, and a Verdict

Everything is streamed: memory does not grow with the content. What is signed is always the
bytes of the file. Verification takes any bytes and ends in a `Verdict` or a `SealError`:
every signature that is in the structure must verify and be by somebody who may sign here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from cryptography import x509
from msgspec import Struct

from keys import tlv
from keys.certificates import Trust, certificate_sha256, serial_hex
from keys.cms_read import SignedDataReader, SignedParts, SignerInfo, looks_like_attributes, remove_armour
from keys.cms_write import (
    certificate_issuer,
    content_digest,
    encode_attributes,
    encode_frame,
    encode_signer_info,
    usual_signature_bytes,
)
from keys.digests import new_digest
from keys.errors import KeyUnavailable, SealError, SignatureInvalid, SignatureMalformed, SignerUntrusted
from keys.private import make_verifier
from keys.public import certified_key
from keys.signer import Signer, Verifier
from keys.tlv import BLOCK_BYTES, ByteSource

_ATTRIBUTES_LIMIT_BYTES = 64 * 1024
"""Content up to this is looked at for being somebody's signed attributes."""
_TRIES_LIMIT = 64
"""Signatures made until one has the usual length; half of them do."""


class ByteSink(Protocol):
    """Anything to write to, in order."""

    def write(self, block: bytes, /) -> object: ...


class Verdict(Struct, frozen=True):
    """A signature that verified, by somebody who may sign."""

    certificate_sha256: str
    """Of the first signer's certificate; hex."""
    subject: str
    """RFC 4514."""
    serial: str
    """Upper-case hex, as OpenSSL prints it."""
    algorithm: str
    """As `Signer.algorithm`."""
    digest: str
    """Of the content, with the algorithm's digest; hex."""
    signing_time: datetime | None
    """What the signer claims. Nothing was judged by it."""
    key_id: str
    """The pin or root in the keyring by which the signer was accepted."""
    cosigners: tuple[str, ...] = ()
    """SHA-256 (hex) of the certificates of further signers, all of them verified too."""


def sign_detached(source: ByteSource, signer: Signer, signing_time: datetime | None) -> bytes:
    """A signature in DER over everything that is left in `source`.

    Raises `KeyUnavailable` where the signer has no certificate.
    """
    _require_certificate(signer)
    hasher = new_digest(content_digest(signer))
    while block := source.read(BLOCK_BYTES):
        hasher.update(block)
    attributes = encode_attributes(hasher.digest(), signing_time)
    signer_info = encode_signer_info(signer, attributes, _sign(signer, attributes))
    before, after = encode_frame(signer, len(signer_info), None)
    return before + after + signer_info


def sign_attached(
    source: ByteSource,
    size_bytes: int,
    signer: Signer,
    signing_time: datetime | None,
    sink: ByteSink,
) -> None:
    """Write SignedData with the `size_bytes` of `source` inside, in DER, in one pass.

    The lengths in front of the content count the signature behind it. An EC signature varies
    by an octet or two, so it is made again until it has its usual length (two tries on
    average). Raises `SealError` where the source is longer or shorter than announced; what
    the sink then holds is no signature.
    """
    _require_certificate(signer)
    signature_bytes = usual_signature_bytes(signer)
    digest_bytes = len(new_digest(content_digest(signer)).digest())
    stand_in = encode_attributes(bytes(digest_bytes), signing_time)
    signer_info_bytes = len(encode_signer_info(signer, stand_in, bytes(signature_bytes)))
    before, after = encode_frame(signer, signer_info_bytes, size_bytes)
    sink.write(before)
    attributes = encode_attributes(_copy(source, size_bytes, signer, sink), signing_time)
    signature = _sign_to_length(signer, attributes, signature_bytes)
    sink.write(after + encode_signer_info(signer, attributes, signature))


def verify_detached(source: ByteSource, signature: bytes, trust: Trust, at: datetime) -> Verdict:
    """Verify a signature (DER, BER, PEM or Base64) over everything that is left in `source`.

    `at` is our time of receipt. Raises `SignatureMalformed`, `SignatureInvalid`, or
    `SignerUntrusted`.
    """
    reader = SignedDataReader(tlv.BytesSource(remove_armour(signature)))
    if reader.attached:
        raise SignatureMalformed("the signature beside the file has a content of its own")
    for _ in reader.content():
        pass
    parts = reader.finish()
    content = _Content(reader.digests)
    while block := source.read(BLOCK_BYTES):
        content.update(block)
    return _judge(parts, content, trust, at)


def verify_attached(source: ByteSource, trust: Trust, at: datetime, sink: ByteSink) -> Verdict:
    """Verify SignedData (DER or BER) with its content inside, which goes to `sink`.

    The sink gets bytes before anything is known about them: nobody may use them until this
    has returned, and they must be thrown away when it raises. Raises as `verify_detached`.
    """
    reader = SignedDataReader(source)
    if not reader.attached:
        raise SignatureMalformed("a signature without content; the file must stand beside it")
    content = _Content(reader.digests)
    for block in reader.content():
        content.update(block)
        sink.write(block)
    return _judge(reader.finish(), content, trust, at)


class _Content:
    """Running digests of the content, and its beginning while it is short."""

    def __init__(self, digests: Iterable[str]) -> None:
        self._hashers = {name: new_digest(name) for name in digests}
        self._head: bytearray | None = bytearray()

    def update(self, block: bytes) -> None:
        for hasher in self._hashers.values():
            hasher.update(block)
        if self._head is not None:
            self._head += block
            if len(self._head) > _ATTRIBUTES_LIMIT_BYTES:
                self._head = None

    def digest(self, name: str) -> bytes:
        return self._hashers[name].digest()

    def may_be_attributes(self) -> bool:
        return self._head is not None and looks_like_attributes(bytes(self._head))


def _judge(parts: SignedParts, content: _Content, trust: Trust, at: datetime) -> Verdict:
    """Every signature must hold; one that does not spoils the file, whoever else signed it."""
    verdicts = [_judge_one(info, parts, content, trust, at) for info in parts.signer_infos]
    first, *further = verdicts
    cosigners = tuple(verdict.certificate_sha256 for verdict in further)
    return Verdict(
        first.certificate_sha256,
        first.subject,
        first.serial,
        first.algorithm,
        first.digest,
        first.signing_time,
        first.key_id,
        cosigners,
    )


def _judge_one(
    info: SignerInfo, parts: SignedParts, content: _Content, trust: Trust, at: datetime
) -> Verdict:
    certificate = _find_certificate(info, parts.certificates or trust.pinned, trust)
    key_id = trust.accept(certificate, parts.certificates, at)
    _verify(info, content, _make_verifier(certificate, info))
    return Verdict(
        certificate_sha256(certificate),
        certificate.subject.rfc4514_string(),
        serial_hex(certificate),
        info.algorithm.name,
        content.digest(info.digest).hex(),
        info.attributes.signing_time if info.attributes else None,
        key_id,
    )


def _verify(info: SignerInfo, content: _Content, verifier: Verifier) -> None:
    digest = content.digest(info.digest)
    if info.attributes is not None:
        if info.attributes.message_digest != digest:
            raise SignatureInvalid("the content is not what was signed: its digest differs")
        hasher = verifier.hasher()
        hasher.update(info.attributes.der)
        digest = hasher.digest()
    elif content.may_be_attributes():
        raise SignatureInvalid("the content is a set of signed attributes, taken from another signature")
    verifier.verify_digest(info.signature, digest)


def _make_verifier(certificate: x509.Certificate, info: SignerInfo) -> Verifier:
    try:
        return make_verifier(certified_key(certificate), info.algorithm)
    except KeyUnavailable as error:
        raise SignatureInvalid(f"{info.algorithm.name} with this certificate: {error}", error.hint) from None


def _find_certificate(
    info: SignerInfo, candidates: Sequence[x509.Certificate], trust: Trust
) -> x509.Certificate:
    for certificate in candidates:
        if _is_named(certificate, info):
            return certificate
    raise SignerUntrusted(
        f"the certificate of a signer is neither in the signature nor pinned for {trust.owner}",
        "ask the bank to send its certificate along, or pin it",
    )


def _is_named(certificate: x509.Certificate, info: SignerInfo) -> bool:
    if info.issuer_and_serial is not None:
        return (certificate_issuer(certificate), certificate.serial_number) == info.issuer_and_serial
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.SubjectKeyIdentifier):
            return extension.value.digest == info.subject_key_id
    return False


def _require_certificate(signer: Signer) -> None:
    if not signer.certificate_der:
        raise KeyUnavailable(
            f"key {signer.key_id} has no certificate, so it cannot sign CMS",
            "name the certificate in its entry of the keyring",
        )


def _sign(signer: Signer, attributes: bytes) -> bytes:
    hasher = signer.hasher()
    hasher.update(attributes)
    return signer.sign_digest(hasher.digest())


def _sign_to_length(signer: Signer, attributes: bytes, signature_bytes: int) -> bytes:
    for _ in range(_TRIES_LIMIT):
        signature = _sign(signer, attributes)
        if len(signature) == signature_bytes:
            return signature
    raise SealError(
        f"key {signer.key_id} makes no signature of {signature_bytes} bytes",
        "a signer that always gives the same signature cannot be used here; sign detached",
    )


def _copy(source: ByteSource, size_bytes: int, signer: Signer, sink: ByteSink) -> bytes:
    """Pass the content on; its digest."""
    hasher = new_digest(content_digest(signer))
    copied = 0
    for block in _blocks(source):
        copied += len(block)
        if copied > size_bytes:
            break
        hasher.update(block)
        sink.write(block)
    if copied != size_bytes:
        raise SealError(f"{copied} bytes or more to sign, {size_bytes} were announced")
    return hasher.digest()


def _blocks(source: ByteSource) -> Iterator[bytes]:
    while block := source.read(BLOCK_BYTES):
        yield block
