"""Makes SignedData (RFC 5652, GM/T 0010): detached, or around content that passes through.

One signer or several; each signs the same content. What is signed is always the bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from keys.algorithms import Scheme
from keys.cms_forms import USUAL_FORM, MessageDigest, SignedForm
from keys.cms_oids import DATA, GM_DATA
from keys.cms_write import encode_attributes, encode_frame, encode_signer_info, usual_signature_bytes
from keys.digests import DIGEST_BYTES, Hasher, new_digest
from keys.errors import KeyUnavailable, SealError
from keys.signature_forms import to_raw
from keys.signer import Signer
from keys.stages import ByteSink, Measure, Tap
from keys.tlv import BLOCK_BYTES, ByteSource

_TRIES_LIMIT: Final = 64
"""Signatures made until one has the usual length; half of them do."""


class SignedWriter:
    """A stage that writes SignedData with the content inside, in DER, in one pass.

    The lengths in front of the content count the signatures behind it. A signature on a curve
    varies by an octet or two, so it is made again until it has its usual length (two tries on
    average). Raises `KeyUnavailable` where a signer has no certificate.
    """

    def __init__(
        self,
        content_bytes: int,
        signers: Sequence[Signer],
        signing_time: datetime | None,
        form: SignedForm = USUAL_FORM,
    ) -> None:
        self._signing = ContentSigning(signers, signing_time, form)
        self._measure = Measure(content_bytes)
        infos_bytes = sum(self._signing.usual_info_bytes())
        self._before, self._after = encode_frame(
            self._signing.signers, infos_bytes, content_bytes, form.national
        )
        self.size_bytes = len(self._before) + content_bytes + len(self._after) + infos_bytes

    def start(self, sink: ByteSink) -> None:
        self._sink = sink
        sink.write(self._before)

    def write(self, block: bytes, /) -> None:
        self._measure.take(block)
        self._signing.update(block)
        self._sink.write(block)

    def finish(self) -> None:
        self._measure.finish()
        self._sink.write(self._after + b"".join(sorted(self._signing.signer_infos(usual_length=True))))


class DetachedSigner(Tap):
    """A stage through which content passes unchanged; its signature is there afterwards."""

    def __init__(
        self,
        content_bytes: int,
        signers: Sequence[Signer],
        signing_time: datetime | None,
        form: SignedForm = USUAL_FORM,
    ) -> None:
        self._signing = ContentSigning(signers, signing_time, form)
        super().__init__(content_bytes, self._signing.update)

    def signature(self) -> bytes:
        """SignedData in DER without content, once all of it has passed."""
        return self._signing.detached()


def sign_source(
    source: ByteSource, signers: Sequence[Signer], signing_time: datetime | None, form: SignedForm
) -> bytes:
    """A detached signature in DER over everything that is left in `source`."""
    signing = ContentSigning(signers, signing_time, form)
    while block := source.read(BLOCK_BYTES):
        signing.update(block)
    return signing.detached()


class ContentSigning:
    """The running digests of one content, and what its signers make of them."""

    def __init__(self, signers: Sequence[Signer], signing_time: datetime | None, form: SignedForm) -> None:
        self.signers = [_require_certificate(_identify(signer, form)) for signer in signers]
        self._form = form
        self._signing_time = signing_time if form.signing_time else None
        self._hashers: dict[object, Hasher] = {}
        for signer in self.signers:
            if self._key(signer) not in self._hashers:
                self._hashers[self._key(signer)] = self._new_hasher(signer)

    def update(self, block: bytes) -> None:
        for hasher in self._hashers.values():
            hasher.update(block)

    def detached(self) -> bytes:
        """SignedData without the content."""
        infos = sorted(self.signer_infos(usual_length=False))
        before, after = encode_frame(self.signers, sum(map(len, infos)), None, self._form.national)
        return before + after + b"".join(infos)

    def signer_infos(self, usual_length: bool) -> list[bytes]:
        """One for each signer; `usual_length`: as long as `usual_info_bytes` says."""
        return [self._signer_info(signer, usual_length) for signer in self.signers]

    def usual_info_bytes(self) -> list[int]:
        """Length of each signer's info, the signature having its usual length."""
        return [
            len(
                encode_signer_info(
                    signer,
                    self._attributes(bytes(DIGEST_BYTES[signer.mechanism.digest])),
                    bytes(usual_signature_bytes(signer, self._form.raw_signature)),
                    self._form.sm2_oid,
                )
            )
            for signer in self.signers
        ]

    def _signer_info(self, signer: Signer, usual_length: bool) -> bytes:
        digest = self._hashers[self._key(signer)].digest()
        attributes = self._attributes(digest)
        if attributes is not None:
            hasher = signer.hasher()
            hasher.update(attributes)
            digest = hasher.digest()
        signature = self._sign(signer, digest, usual_length)
        return encode_signer_info(signer, attributes, signature, self._form.sm2_oid)

    def _sign(self, signer: Signer, digest: bytes, usual_length: bool) -> bytes:
        wanted_bytes = usual_signature_bytes(signer, self._form.raw_signature)
        for _ in range(_TRIES_LIMIT):
            signature = signer.sign_digest(digest)
            if self._form.raw_signature:
                signature = to_raw(signature, signer.public_key)
            if not usual_length or len(signature) == wanted_bytes:
                return signature
        raise SealError(
            f"key {signer.key_id} makes no signature of {wanted_bytes} bytes",
            "a signer that always gives the same signature cannot be used here; sign detached",
        )

    def _attributes(self, digest: bytes) -> bytes | None:
        if not self._form.attributes:
            return None
        return encode_attributes(digest, self._signing_time, GM_DATA if self._form.national else DATA)

    def _with_identity(self, signer: Signer) -> bool:
        """Whether the digest of the content begins with the signer's identity."""
        form = self._form
        wanted = not form.attributes or form.message_digest is MessageDigest.IDENTITY
        return signer.mechanism.scheme is Scheme.SM2 and wanted

    def _key(self, signer: Signer) -> object:
        """Signers of one key share a digest."""
        if self._with_identity(signer):
            return signer.certificate_der
        return signer.mechanism.digest

    def _new_hasher(self, signer: Signer) -> Hasher:
        return signer.hasher() if self._with_identity(signer) else new_digest(signer.mechanism.digest)


def _identify(signer: Signer, form: SignedForm) -> Signer:
    if signer.mechanism.scheme is not Scheme.SM2:
        return signer
    return signer.using(replace(signer.mechanism, signer_id=form.signer_id))


def _require_certificate(signer: Signer) -> Signer:
    if not signer.certificate_der:
        raise KeyUnavailable(
            f"key {signer.key_id} has no certificate, so it cannot sign CMS",
            "name the certificate in its entry of the keyring",
        )
    return signer
