"""Recipients of envelopes: who may open one, and how the content key travels to them.

KeyTransRecipientInfo of RFC 5652, section 6.2.1, and of GM/T 0010; how RSA-OAEP names its
digests is in RFC 4055, section 4.1.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence

from cryptography import x509
from msgspec import Struct

from keys import tlv
from keys.algorithms import MGF1_OID, OID_OF_DIGEST, SHA1_OID, Transport
from keys.cms_forms import EnvelopeForm
from keys.cms_oids import RSA_ENCRYPTION, RSA_OAEP, SM2_CURVE, SM2_ENCRYPT, SPECIFIED_LABEL
from keys.cms_write import issuer_and_serial
from keys.errors import DecryptionFailed, KeyUnavailable, SealError, SignatureMalformed
from keys.public import certified_key
from keys.signer import Decrypter, Encrypter
from keys.sm2 import raw_cipher
from keys.tlv import Element
from keys.tlv_fields import Fields, only_child, read_name_and_serial

_RECIPIENTS_LIMIT = 64
_OAEP_DIGESTS = {
    Transport.RSA_OAEP_SHA1: SHA1_OID,
    Transport.RSA_OAEP_SHA256: OID_OF_DIGEST["sha256"],
    Transport.RSA_OAEP_SHA384: OID_OF_DIGEST["sha384"],
    Transport.RSA_OAEP_SHA512: OID_OF_DIGEST["sha512"],
}
_OAEP_OF_DIGEST = {oid: transport for transport, oid in _OAEP_DIGESTS.items()}
_NULL = tlv.wrap(tlv.NULL, b"")


class Recipient(Struct, frozen=True):
    """One way into an envelope, not tried yet."""

    issuer_and_serial: tuple[bytes, int] | None
    subject_key_id: bytes | None
    """One of the two names the certificate."""
    transport: Transport
    wrapped: bytes


def encode_recipient(encrypter: Encrypter, content_key: bytes, form: EnvelopeForm) -> bytes:
    """One RecipientInfo with the content key for the holder of one certificate."""
    issuer, serial = issuer_and_serial(encrypter.certificate_der)
    wrapped = encrypter.wrap(content_key)
    if encrypter.transport is Transport.SM2 and form.raw_cipher:
        wrapped = raw_cipher(wrapped)
    fields = [
        # GM/T 0010, section 9.2 says 1 where RFC 5652 says 0.
        tlv.encode_integer(1 if form.national else 0),
        tlv.wrap(tlv.SEQUENCE, issuer + tlv.encode_integer(serial)),
        _transport_identifier(encrypter.transport),
        tlv.wrap(tlv.OCTET_STRING, wrapped),
    ]
    return tlv.wrap(tlv.SEQUENCE, b"".join(fields))


def read_recipients(element: Element, versions: Collection[int]) -> list[Recipient]:
    """Those recipients whose key travels in a way that is known here; others are for others.

    `versions`: those of recipients who are named by issuer and number.
    """
    children = element.children()
    if not 0 < len(children) <= _RECIPIENTS_LIMIT:
        raise SignatureMalformed(f"{len(children)} recipients, wanted 1 to {_RECIPIENTS_LIMIT}")
    recipients = [_read_recipient(child, versions) for child in children if child.identifier == tlv.SEQUENCE]
    return [recipient for recipient in recipients if recipient is not None]


def unwrap_content_key(
    recipients: Sequence[Recipient], decrypters: Sequence[Decrypter], form: EnvelopeForm, key_bytes: int
) -> tuple[bytes, Decrypter]:
    """The content key, and by whose key it came out.

    A wrapped key that does not open gives a random one: the content will not open then, and
    nobody learns which of the two it was (RFC 3218, section 2.3.2). Raises `KeyUnavailable`
    where no recipient is ours, `SealError` for a transport that is not accepted.
    """
    for recipient in recipients:
        for decrypter in decrypters:
            if _is_for(recipient, decrypter):
                if form.transports and recipient.transport not in form.transports:
                    wanted = ", ".join(form.transports)
                    raise SealError(
                        f"the key travels by {recipient.transport.value}, wanted {wanted}",
                        "the profile lists which transports are accepted",
                    )
                return _unwrap(recipient, decrypter, key_bytes), decrypter
    ours = ", ".join(decrypter.key_id for decrypter in decrypters) or "none"
    raise KeyUnavailable(
        f"the envelope is for other certificates than ours; keys to decrypt: {ours}",
        "tell the sender which certificate to encrypt to",
    )


def _unwrap(recipient: Recipient, decrypter: Decrypter, key_bytes: int) -> bytes:
    stand_in = secrets.token_bytes(key_bytes)
    try:
        content_key = decrypter.unwrap(recipient.transport, recipient.wrapped)
    except DecryptionFailed:
        return stand_in
    return content_key if len(content_key) == key_bytes else stand_in


def _is_for(recipient: Recipient, decrypter: Decrypter) -> bool:
    certificate = x509.load_der_x509_certificate(decrypter.certificate_der)
    if recipient.issuer_and_serial is not None:
        return recipient.issuer_and_serial == issuer_and_serial(decrypter.certificate_der)
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.SubjectKeyIdentifier):
            return extension.value.digest == recipient.subject_key_id
    return False


def _read_recipient(element: Element, versions: Collection[int]) -> Recipient | None:
    fields = Fields(element)
    version = tlv.decode_integer(fields.take())
    identifier = fields.take()
    named = key_id = None
    if identifier.identifier == tlv.PRIMITIVE_CONTEXT_0:
        key_id = identifier.content
    else:
        named = read_name_and_serial(identifier)
    if version not in ({2} if key_id is not None else versions):
        raise SignatureMalformed(f"a recipient info of version {version} does not fit its identifier")
    transport = _read_transport(fields.take())
    wrapped = tlv.join_octets(fields.take())
    fields.finish()
    return None if transport is None else Recipient(named, key_id, transport, wrapped)


def _read_transport(element: Element) -> Transport | None:
    fields = Fields(element)
    oid = tlv.decode_oid(fields.take())
    if oid == RSA_OAEP:
        return _read_oaep(fields)
    if oid == RSA_ENCRYPTION:
        fields.finish_null()
        return Transport.RSA_PKCS1
    if oid in {SM2_ENCRYPT, SM2_CURVE}:
        return Transport.SM2
    return None


def _read_oaep(fields: Fields) -> Transport | None:
    """What is left out is SHA-1, MGF1 with SHA-1, and an empty label."""
    digest = mask_digest = SHA1_OID
    if not fields.next_is(tlv.SEQUENCE):
        fields.finish_null()
        return Transport.RSA_OAEP_SHA1
    parameters = Fields(fields.take())
    fields.finish()
    if parameters.next_is(tlv.CONTEXT_0):
        digest = _read_oid(only_child(parameters.take()))
    if parameters.next_is(tlv.CONTEXT_1):
        mask = Fields(only_child(parameters.take()))
        if tlv.decode_oid(mask.take()) != MGF1_OID:
            return None
        mask_digest = _read_oid(mask.take())
        mask.finish()
    if parameters.next_is(tlv.CONTEXT_2):
        label = Fields(only_child(parameters.take()))
        if tlv.decode_oid(label.take()) != SPECIFIED_LABEL or label.take(tlv.OCTET_STRING).content:
            return None
        label.finish()
    parameters.finish()
    return _OAEP_OF_DIGEST.get(digest) if digest == mask_digest else None


def _read_oid(element: Element) -> str:
    fields = Fields(element)
    oid = tlv.decode_oid(fields.take())
    fields.finish_null()
    return oid


def _transport_identifier(transport: Transport) -> bytes:
    if transport is Transport.SM2:
        return tlv.wrap(tlv.SEQUENCE, tlv.encode_oid(SM2_ENCRYPT))
    if transport is Transport.RSA_PKCS1:
        return tlv.wrap(tlv.SEQUENCE, tlv.encode_oid(RSA_ENCRYPTION) + _NULL)
    parameters = b""
    if transport is not Transport.RSA_OAEP_SHA1:
        # SHA-1 is the default, and DER leaves defaults out.
        digest = tlv.wrap(tlv.SEQUENCE, tlv.encode_oid(_OAEP_DIGESTS[transport]) + _NULL)
        mask = tlv.wrap(tlv.SEQUENCE, tlv.encode_oid(MGF1_OID) + digest)
        parameters = tlv.wrap(tlv.CONTEXT_0, digest) + tlv.wrap(tlv.CONTEXT_1, mask)
    return tlv.wrap(tlv.SEQUENCE, tlv.encode_oid(RSA_OAEP) + tlv.wrap(tlv.SEQUENCE, parameters))


def require_receiving(certificate: x509.Certificate) -> None:
    """Raises `KeyUnavailable` where the key usage allows no encryption to the certificate."""
    for extension in certificate.extensions:
        usage = extension.value
        if isinstance(usage, x509.KeyUsage) and not (
            usage.key_encipherment or usage.data_encipherment or usage.key_agreement
        ):
            raise KeyUnavailable(
                f"{certificate.subject.rfc4514_string()}: its key usage allows no encryption",
                "ask for the certificate that is meant for encryption",
            )
    certified_key(certificate)
