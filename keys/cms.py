"""CMS (RFC 5652, GM/T 0010): signatures over the bytes of files, and envelopes around them.

    sign_detached       source -> signature
    sign_attached       source -> sink, DER with definite lengths, in one pass
    verify_detached     source and signature -> Verdict
    verify_attached     source -> sink, and a Verdict
    encrypt             source -> sink, DER, in one pass
    decrypt             source -> sink

Everything is streamed: memory does not grow with the content. This is the face; the work is in
`cms_sign`, `cms_verify`, `cms_seal` and `cms_open`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from keys.cms_forms import USUAL_FORM, EnvelopeForm, SignedForm
from keys.cms_open import decrypt
from keys.cms_seal import EnvelopeWriter
from keys.cms_sign import DetachedSigner, SignedWriter, sign_source
from keys.cms_verify import Cosigner, Verdict, verify_attached, verify_detached
from keys.signer import Encrypter, Signer
from keys.stages import ByteSink, Stage
from keys.tlv import BLOCK_BYTES, ByteSource

__all__ = [
    "Cosigner",
    "DetachedSigner",
    "EnvelopeForm",
    "EnvelopeWriter",
    "SignedForm",
    "SignedWriter",
    "Verdict",
    "decrypt",
    "encrypt",
    "sign_attached",
    "sign_detached",
    "verify_attached",
    "verify_detached",
]


def sign_detached(
    source: ByteSource,
    signer: Signer | Sequence[Signer],
    signing_time: datetime | None,
    form: SignedForm = USUAL_FORM,
) -> bytes:
    """A signature in DER over everything that is left in `source`.

    Raises `KeyUnavailable` where a signer has no certificate.
    """
    return sign_source(source, _listed(signer), signing_time, form)


def sign_attached(
    source: ByteSource,
    size_bytes: int,
    signer: Signer | Sequence[Signer],
    signing_time: datetime | None,
    sink: ByteSink,
    form: SignedForm = USUAL_FORM,
) -> None:
    """Write SignedData with the `size_bytes` of `source` inside, in DER, in one pass.

    Raises `SealError` where the source is longer or shorter than announced; what the sink then
    holds is no signature.
    """
    _pass_through(source, SignedWriter(size_bytes, _listed(signer), signing_time, form), sink)


def encrypt(
    source: ByteSource,
    size_bytes: int,
    encrypters: Sequence[Encrypter],
    sink: ByteSink,
    form: EnvelopeForm,
) -> None:
    """Write an envelope around the `size_bytes` of `source`, in DER, in one pass.

    Who made it is not told: sign inside, or around it. Raises `SealError` as `sign_attached`.
    """
    _pass_through(source, EnvelopeWriter(size_bytes, encrypters, form), sink)


def _pass_through(source: ByteSource, stage: Stage, sink: ByteSink) -> None:
    stage.start(sink)
    while block := source.read(BLOCK_BYTES):
        stage.write(block)
    stage.finish()


def _listed(signer: Signer | Sequence[Signer]) -> Sequence[Signer]:
    return [signer] if isinstance(signer, Signer) else signer
