"""Makes envelopes: EnvelopedData (RFC 5652, GM/T 0010) and AuthEnvelopedData (RFC 5083), in DER.

The content passes through; a random content key is wrapped for each recipient before the
first byte. An envelope does not tell who made it: sign inside, or around it.
"""

from __future__ import annotations

from collections.abc import Sequence

from keys import tlv
from keys.cms_forms import EnvelopeForm
from keys.cms_oids import AUTH_ENVELOPED_DATA, DATA, ENVELOPED_DATA, GM_DATA, GM_ENVELOPED_DATA
from keys.cms_recipients import encode_recipient
from keys.cms_write import nest_headers
from keys.content_ciphers import CONTENT_CIPHERS, TAG_BYTES, ContentCipher, ContentEncryptor
from keys.errors import KeyUnavailable
from keys.signer import Encrypter
from keys.stages import ByteSink, Measure


class EnvelopeWriter:
    """A stage that writes one envelope around the content. Raises `KeyUnavailable` without recipients."""

    def __init__(self, content_bytes: int, encrypters: Sequence[Encrypter], form: EnvelopeForm) -> None:
        if not encrypters:
            raise KeyUnavailable("an envelope without recipients", "name at least one certificate")
        cipher = CONTENT_CIPHERS[form.cipher]
        if form.national and cipher.authenticated:
            raise KeyUnavailable(
                "GM/T 0010 has no envelope with GCM", 'take cipher = "sm4-cbc", or national = false'
            )
        self._encryptor = ContentEncryptor(cipher)
        self._measure = Measure(content_bytes)
        recipients = [encode_recipient(each, self._encryptor.key, form) for each in encrypters]
        self._authenticated = cipher.authenticated
        self._before = _encode_before(
            form.national, cipher, self._encryptor.nonce, recipients, cipher.sealed_bytes(content_bytes)
        )
        tail_bytes = len(tlv.header(tlv.OCTET_STRING, TAG_BYTES)) + TAG_BYTES if cipher.authenticated else 0
        self.size_bytes = len(self._before) + cipher.sealed_bytes(content_bytes) + tail_bytes

    def start(self, sink: ByteSink) -> None:
        self._sink = sink
        sink.write(self._before)

    def write(self, block: bytes, /) -> None:
        self._measure.take(block)
        self._sink.write(self._encryptor.update(block))

    def finish(self) -> None:
        self._measure.finish()
        self._sink.write(self._encryptor.finish())
        if self._authenticated:
            self._sink.write(tlv.wrap(tlv.OCTET_STRING, self._encryptor.tag))


def _encode_before(
    national: bool, cipher: ContentCipher, nonce: bytes, recipients: Sequence[bytes], sealed_bytes: int
) -> bytes:
    """All that stands before the ciphertext."""
    # RFC 5083 and RFC 5652 say 0 here; GM/T 0010, section 9.1 says 1.
    version = tlv.encode_integer(1 if national else 0)
    recipient_infos = tlv.wrap(tlv.SET, b"".join(sorted(recipients)))
    content_type = tlv.encode_oid(GM_DATA if national else DATA)
    parameters = tlv.wrap(tlv.OCTET_STRING, nonce)
    if cipher.authenticated:
        # RFC 5084, section 3.2: the tag's length has another default.
        parameters = tlv.wrap(tlv.SEQUENCE, parameters + tlv.encode_integer(TAG_BYTES))
    algorithm = tlv.wrap(tlv.SEQUENCE, tlv.encode_oid(cipher.oid) + parameters)
    header = tlv.header(tlv.PRIMITIVE_CONTEXT_0, sealed_bytes)
    content_info_bytes = len(content_type) + len(algorithm) + len(header) + sealed_bytes
    inner = version + recipient_infos + tlv.header(tlv.SEQUENCE, content_info_bytes)
    inner += content_type + algorithm + header
    tail_bytes = len(tlv.header(tlv.OCTET_STRING, TAG_BYTES)) + TAG_BYTES if cipher.authenticated else 0
    envelope_bytes = len(inner) + sealed_bytes + tail_bytes
    kind = AUTH_ENVELOPED_DATA if cipher.authenticated else ENVELOPED_DATA
    outer = tlv.encode_oid(GM_ENVELOPED_DATA if national else kind)
    headers = nest_headers(envelope_bytes, [tlv.SEQUENCE, tlv.CONTEXT_0])
    whole = tlv.header(tlv.SEQUENCE, len(outer) + len(headers) + envelope_bytes)
    return whole + outer + headers + inner
