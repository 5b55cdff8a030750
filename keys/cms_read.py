"""SignedData (RFC 5652, GM/T 0010) as it comes from others: DER or BER, read once, from front to back.

Here bytes become parts; whether anybody may sign, and whether the signatures fit, is decided
in `keys/cms_verify.py`. Anything that is not exactly as the standard has it is `SignatureMalformed`;
a weak or unknown algorithm is `SignatureInvalid`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from cryptography import x509
from msgspec import Struct

from keys import tlv
from keys.algorithms import (
    ALGORITHMS,
    MGF1_OID,
    RSA_ENCRYPTION_OID,
    RSA_PSS_OID,
    SHA1_OID,
    SHA1_WITH_RSA_OID,
    SIGNATURE_OIDS,
    Algorithm,
    Scheme,
    digest_named,
)
from keys.certificates import parse_certificate
from keys.cms_forms import Sm2Oid
from keys.cms_oids import (
    CONTENT_TYPE,
    DATA,
    GM_DATA,
    GM_SIGNED_DATA,
    MESSAGE_DIGEST,
    SIGNED_DATA,
    SIGNING_TIME,
)
from keys.errors import SignatureInvalid, SignatureMalformed
from keys.tlv import ByteSource, Element, TlvReader
from keys.tlv_fields import Fields, only_child, read_name_and_serial

_SIGNERS_LIMIT = 16
_CERTIFICATES_LIMIT = 64
_SALT_LIMIT_BYTES = 2048
_DEFAULT_SALT_BYTES = 20
"""RFC 4055, section 3.1: in DER this length is left out."""
_TIME = re.compile(rb"[0-9]{14}Z")


class SignedAttributes(Struct, frozen=True):
    message_digest: bytes
    signing_time: datetime | None
    der: bytes
    """The SET in DER, over which the signature is."""


class SignerInfo(Struct, frozen=True):
    """One signature, not verified."""

    issuer_and_serial: tuple[bytes, int] | None
    subject_key_id: bytes | None
    """One of the two names the certificate."""
    digest: str
    algorithm: Algorithm
    attributes: SignedAttributes | None
    signature: bytes


class SignedParts(Struct, frozen=True):
    """What stands behind the content."""

    certificates: list[x509.Certificate]
    signer_infos: list[SignerInfo]


class SignedDataReader:
    """Reads one SignedData: first `digests`, then exhaust `content`, then `finish`."""

    def __init__(self, source: ByteSource, sha1_permitted: bool = False) -> None:
        self._sha1_permitted = sha1_permitted
        self._reader = reader = TlvReader(source)
        reader.enter(tlv.SEQUENCE)
        kind = tlv.decode_oid(reader.element(tlv.OBJECT_IDENTIFIER))
        if kind not in {SIGNED_DATA, GM_SIGNED_DATA}:
            raise SignatureMalformed("not CMS: the content type is not SignedData")
        reader.enter(tlv.CONTEXT_0)
        reader.enter(tlv.SEQUENCE)
        self._version = tlv.decode_integer(reader.element(tlv.INTEGER))
        algorithms = reader.element(tlv.SET).children()
        self.digests = sorted({self._read_digest(algorithm) for algorithm in algorithms})
        """Names of all digests that signers may have taken; all are strong."""
        reader.enter(tlv.SEQUENCE)
        self._content_type = tlv.decode_oid(reader.element(tlv.OBJECT_IDENTIFIER))
        if self._content_type not in {DATA, GM_DATA}:
            raise SignatureMalformed("what is signed is not plain data")
        # RFC 5652, section 5.1: 3 around a content type of others. GM/T 0010, section 8.1: always 1.
        self._foreign_content = kind == SIGNED_DATA and self._content_type != DATA
        self.attached = not reader.at_end()
        """Whether the content is inside."""

    def content(self) -> Iterator[bytes]:
        """The content in blocks; nothing where the signature is detached."""
        if self.attached:
            self._reader.enter(tlv.CONTEXT_0)
            yield from self._reader.octets()
            self._reader.leave()
        self._reader.leave()

    def skip_content(self) -> None:
        """Go past the content."""
        if self.attached:
            self._reader.enter(tlv.CONTEXT_0)
            self._reader.skip_octets()
            self._reader.leave()
        self._reader.leave()

    def finish(self) -> SignedParts:
        """Certificates and signer infos; nothing may follow them."""
        reader = self._reader
        certificates: list[x509.Certificate] = []
        if reader.next_identifier() == tlv.CONTEXT_0:
            certificates = _read_certificates(reader.element(tlv.CONTEXT_0))
        if reader.next_identifier() == tlv.CONTEXT_1:
            reader.element(tlv.CONTEXT_1)
        elements = reader.element(tlv.SET).children()
        for _ in range(3):
            reader.leave()
        reader.finish()
        if not 0 < len(elements) <= _SIGNERS_LIMIT:
            raise SignatureMalformed(f"{len(elements)} signatures, wanted 1 to {_SIGNERS_LIMIT}")
        signer_infos = [self._read_signer_info(element) for element in elements]
        by_key_id = any(info.subject_key_id is not None for info in signer_infos)
        wanted_version = 3 if by_key_id or self._foreign_content else 1
        if self._version != wanted_version:
            raise SignatureMalformed(f"SignedData of version {self._version}, wanted {wanted_version}")
        return SignedParts(certificates, signer_infos)

    def _read_signer_info(self, element: Element) -> SignerInfo:
        fields = Fields(element)
        version = tlv.decode_integer(fields.take())
        issuer_and_serial, subject_key_id = _read_signer_identifier(fields.take())
        if version != (1 if subject_key_id is None else 3):
            raise SignatureMalformed(f"a signer info of version {version} does not fit its identifier")
        digest = self._read_digest(fields.take())
        if digest not in self.digests:
            raise SignatureMalformed(f"digest {digest} is not announced before the content")
        attributes = None
        if fields.next_is(tlv.CONTEXT_0):
            attributes = _read_attributes(fields.take(), self._content_type)
        algorithm = _read_signature_algorithm(fields.take(), digest)
        signature = tlv.join_octets(fields.take())
        if fields.next_is(tlv.CONTEXT_1):
            fields.take().children()
        fields.finish()
        return SignerInfo(issuer_and_serial, subject_key_id, digest, algorithm, attributes, signature)

    def _read_digest(self, element: Element) -> str:
        fields = Fields(element)
        oid = tlv.decode_oid(fields.take())
        fields.finish_null()
        return "sha1" if self._sha1_permitted and oid == SHA1_OID else digest_named(oid)


def looks_like_attributes(content: bytes) -> bool:
    """Whether content could be signed attributes that somebody passes off as a file.

    A signature over attributes is one over their bytes too; with the attributes stripped it
    would verify over that "file" (RFC 5652 errata and CVE reports know the attack).
    """
    if content[:1] != bytes([tlv.SET]):
        return False
    try:
        (attributes,) = tlv.read_elements(content)
        types = {tlv.decode_oid(Fields(attribute).take()) for attribute in attributes.children()}
    except (SignatureMalformed, ValueError):
        return False
    return MESSAGE_DIGEST in types


def _read_certificates(element: Element) -> list[x509.Certificate]:
    children = element.children()
    if len(children) > _CERTIFICATES_LIMIT:
        raise SignatureMalformed(f"{len(children)} certificates; at most {_CERTIFICATES_LIMIT}")
    return [parse_certificate(child.raw) for child in children]


def _read_signer_identifier(element: Element) -> tuple[tuple[bytes, int] | None, bytes | None]:
    if element.identifier == tlv.PRIMITIVE_CONTEXT_0:
        return None, element.content
    return read_name_and_serial(element), None


def _read_attributes(element: Element, wanted_type: str) -> SignedAttributes:
    values: dict[str, list[Element]] = {}
    for attribute in element.children():
        fields = Fields(attribute)
        oid = tlv.decode_oid(fields.take())
        if oid in values:
            raise SignatureMalformed(f"signed attribute {oid} stands there twice")
        values[oid] = fields.take(tlv.SET).children()
        fields.finish()
    content_type = tlv.decode_oid(_single_value(values, CONTENT_TYPE))
    if content_type != wanted_type:
        raise SignatureInvalid(f"the signed content type is {content_type}, wanted {wanted_type}")
    message_digest = tlv.join_octets(_single_value(values, MESSAGE_DIGEST))
    signing_time = _read_time(_single_value(values, SIGNING_TIME)) if SIGNING_TIME in values else None
    der = tlv.to_der(Element(tlv.SET, element.content, b""))
    return SignedAttributes(message_digest, signing_time, der)


def _single_value(values: dict[str, list[Element]], oid: str) -> Element:
    found = values.get(oid, [])
    if len(found) != 1:
        raise SignatureMalformed(f"signed attribute {oid} has {len(found)} values, wanted 1")
    return found[0]


def _read_time(element: Element) -> datetime:
    text = element.content
    if element.identifier == tlv.UTC_TIME:
        # RFC 5652, section 11.3: 50 and above is the last century.
        text = (b"19" if text[:1] >= b"5" else b"20") + text
    elif element.identifier != tlv.GENERALIZED_TIME:
        raise SignatureMalformed(f"found tag {element.identifier:02X} where a time is wanted")
    try:
        if not _TIME.fullmatch(text):
            raise ValueError
        return datetime.strptime(text.decode("ascii"), "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise SignatureMalformed("the signing time is not a time in UTC with seconds") from None


def _read_digest(element: Element) -> str:
    fields = Fields(element)
    oid = tlv.decode_oid(fields.take())
    fields.finish_null()
    return digest_named(oid)


def _read_signature_algorithm(element: Element, digest: str) -> Algorithm:
    """`digest` was read, and is permitted."""
    fields = Fields(element)
    oid = tlv.decode_oid(fields.take())
    if oid == RSA_PSS_OID:
        algorithm = _read_pss_parameters(fields.take(), digest)
        fields.finish()
    else:
        algorithm = _plain_algorithm(oid, digest)
        fields.finish_null()
    if algorithm.digest != digest:
        raise SignatureInvalid(f"signature algorithm {algorithm.name} does not go with digest {digest}")
    return algorithm


def _plain_algorithm(oid: str, digest: str) -> Algorithm:
    """By an identifier without parameters."""
    if oid == RSA_ENCRYPTION_OID and digest != "sm3":
        return Algorithm(Scheme.RSA_PKCS1, digest)
    if oid == SHA1_WITH_RSA_OID and digest == "sha1":
        return Algorithm(Scheme.RSA_PKCS1, digest)
    if oid in list(Sm2Oid):
        return ALGORITHMS["sm2-sm3"]
    if oid in SIGNATURE_OIDS:
        return SIGNATURE_OIDS[oid]
    raise SignatureInvalid(f"signature algorithm {oid} is too weak or not supported")


def _read_pss_parameters(element: Element, digest: str) -> Algorithm:
    """RFC 4055, section 3.1. A digest that is left out would be SHA-1, so none may be."""
    fields = Fields(element)
    found = _read_digest(only_child(fields.take(tlv.CONTEXT_0)))
    mask_fields = Fields(only_child(fields.take(tlv.CONTEXT_1)))
    mask_oid = tlv.decode_oid(mask_fields.take())
    mask_digest = _read_digest(mask_fields.take())
    mask_fields.finish()
    salt_bytes = _DEFAULT_SALT_BYTES
    if fields.next_is(tlv.CONTEXT_2):
        salt_bytes = tlv.decode_integer(only_child(fields.take()))
    if fields.next_is(tlv.CONTEXT_3) and tlv.decode_integer(only_child(fields.take())) != 1:
        raise SignatureInvalid("PSS parameters with another trailer than 1")
    fields.finish()
    if mask_oid != MGF1_OID or {found, mask_digest} != {digest}:
        raise SignatureInvalid(f"PSS parameters do not go with digest {digest}")
    if not 0 <= salt_bytes <= _SALT_LIMIT_BYTES:
        raise SignatureInvalid(f"a PSS salt of {salt_bytes} bytes")
    return Algorithm(Scheme.RSA_PSS, digest, salt_bytes)
