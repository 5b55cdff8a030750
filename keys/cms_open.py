"""Opens envelopes: EnvelopedData (RFC 5652, GM/T 0010) and AuthEnvelopedData (RFC 5083).

What an envelope is, and for whom, stands in it in clear, and mistakes there are told. From the
moment a private key is used there is one error, `DecryptionFailed`, whatever went wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from keys import tlv
from keys.armour import open_armour
from keys.cms_forms import EnvelopeForm
from keys.cms_oids import AUTH_ENVELOPED_DATA, DATA, ENVELOPED_DATA, GM_DATA, GM_ENVELOPED_DATA
from keys.cms_recipients import read_recipients, unwrap_content_key
from keys.content_ciphers import CIPHER_OIDS, TAG_BYTES, ContentCipher, ContentDecryptor
from keys.errors import SealError, SignatureMalformed
from keys.signer import Decrypter
from keys.stages import ByteSink
from keys.tlv import ByteSource, Element, SeekableSource, TlvReader
from keys.tlv_fields import Fields

_KINDS = {
    ENVELOPED_DATA: {0: {0}, 2: {0}, 3: {0}},
    AUTH_ENVELOPED_DATA: {0: {0}},
    GM_ENVELOPED_DATA: {0: {0}, 1: {1}, 2: {0, 1}},
}
"""Content types with their versions, and what versions recipients have then, as far as they are
named by issuer and number. GM/T 0010 says 1 for both; some go on writing what RFC 5652 says."""
_ORIGINATOR = tlv.CONTEXT_0


class Opened(Struct, frozen=True):
    """How an envelope was opened. Who made it is not known."""

    key_id: str
    """Our key that opened it."""
    cipher: str


def decrypt(
    source: SeekableSource, decrypters: Sequence[Decrypter], sink: ByteSink, form: EnvelopeForm
) -> Opened:
    """Open an envelope (DER, BER, PEM or Base64); the content goes to `sink`.

    The sink gets bytes before anything is known about them: nobody may use them until this has
    returned, and they must be thrown away when it raises. Raises `SignatureMalformed` for what
    is no envelope, `KeyUnavailable` for one that is not for us, `SealError` for a cipher that is
    not accepted, and `DecryptionFailed`.
    """
    return _EnvelopeReader(open_armour(source)).open(decrypters, sink, form)


class _EnvelopeReader:
    """Reads one envelope once, from front to back."""

    def __init__(self, source: ByteSource) -> None:
        self._reader = reader = TlvReader(source)
        reader.enter(tlv.SEQUENCE)
        kind = tlv.decode_oid(reader.element(tlv.OBJECT_IDENTIFIER))
        if kind not in _KINDS:
            raise SignatureMalformed("not CMS: the content type is no envelope")
        self._authenticated = kind == AUTH_ENVELOPED_DATA
        reader.enter(tlv.CONTEXT_0)
        reader.enter(tlv.SEQUENCE)
        version = tlv.decode_integer(reader.element(tlv.INTEGER))
        if version not in _KINDS[kind]:
            raise SignatureMalformed(f"an envelope of version {version}")
        if reader.next_identifier() == _ORIGINATOR:
            reader.element(_ORIGINATOR)
        self._recipients = read_recipients(reader.element(tlv.SET), _KINDS[kind][version])
        reader.enter(tlv.SEQUENCE)
        if tlv.decode_oid(reader.element(tlv.OBJECT_IDENTIFIER)) not in {DATA, GM_DATA}:
            raise SignatureMalformed("what is in the envelope is not plain data")
        self._cipher, self._nonce = self._read_cipher(reader.element(tlv.SEQUENCE))

    def open(self, decrypters: Sequence[Decrypter], sink: ByteSink, form: EnvelopeForm) -> Opened:
        if form.ciphers and self._cipher.name not in form.ciphers:
            raise SealError(
                f"encrypted with {self._cipher.name}, wanted {', '.join(form.ciphers)}",
                "the profile lists which ciphers are accepted",
            )
        content_key, decrypter = unwrap_content_key(
            self._recipients, decrypters, form, self._cipher.key_bytes
        )
        decryptor = ContentDecryptor(self._cipher, content_key, self._nonce)
        for block in self._reader.octets(tlv.PRIMITIVE_CONTEXT_0):
            sink.write(decryptor.update(block))
        self._reader.leave()
        sink.write(decryptor.finish(self._read_tail()))
        return Opened(decrypter.key_id, self._cipher.name)

    def _read_cipher(self, element: Element) -> tuple[ContentCipher, bytes]:
        fields = Fields(element)
        oid = tlv.decode_oid(fields.take())
        if oid not in CIPHER_OIDS or CIPHER_OIDS[oid].authenticated is not self._authenticated:
            raise SealError(f"content cipher {oid} is too weak or not supported")
        cipher = CIPHER_OIDS[oid]
        nonce = _read_gcm_nonce(fields) if cipher.authenticated else fields.take(tlv.OCTET_STRING).content
        fields.finish()
        if len(nonce) != cipher.nonce_bytes:
            raise SignatureMalformed(f"an initial value of {len(nonce)} bytes, wanted {cipher.nonce_bytes}")
        return cipher, nonce

    def _read_tail(self) -> bytes:
        """The tag, where there is one; the end of the structure."""
        reader = self._reader
        tag = b""
        if self._authenticated:
            if reader.next_identifier() == tlv.CONTEXT_1:
                raise SignatureMalformed("authenticated attributes beside the content are not supported")
            tag = tlv.join_octets(reader.element(tlv.OCTET_STRING))
        elif reader.next_identifier() == tlv.CONTEXT_1:
            reader.element(tlv.CONTEXT_1)
        for _ in range(3):
            reader.leave()
        reader.finish()
        return tag


def _read_initial_value(fields: Fields) -> bytes:
    return fields.take(tlv.OCTET_STRING).content


def _read_gcm_nonce(fields: Fields) -> bytes:
    parameters = Fields(fields.take())
    nonce = parameters.take(tlv.OCTET_STRING).content
    # RFC 5084, section 3.2: 12 where it is left out. Short tags are easier to guess.
    tag_bytes = tlv.decode_integer(parameters.take()) if parameters.next_is(tlv.INTEGER) else 12
    parameters.finish()
    if tag_bytes != TAG_BYTES:
        raise SealError(f"a tag of {tag_bytes} bytes, wanted {TAG_BYTES}")
    return nonce
