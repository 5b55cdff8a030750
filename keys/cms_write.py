"""SignedData (RFC 5652, GM/T 0010) in DER: the parts around the content, built with pyasn1.

The content itself never passes through here, only its digest.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from pyasn1.codec.der.encoder import encode
from pyasn1.type import namedtype, tag, univ, useful

from keys import tlv
from keys.algorithms import (
    MGF1_OID,
    OID_OF_DIGEST,
    OID_OF_SIGNATURE,
    RSA_ENCRYPTION_OID,
    RSA_PSS_OID,
    Algorithm,
    Scheme,
)
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
from keys.digests import DIGEST_BYTES
from keys.signer import Signer

_UTC_TIME_YEARS = range(1950, 2050)
"""RFC 5652, section 11.3: UTCTime in these years, GeneralizedTime outside them."""


class _AlgorithmIdentifier(univ.Sequence):  # type: ignore[misc]  # pyasn1 has no types
    componentType = namedtype.NamedTypes(
        namedtype.NamedType("algorithm", univ.ObjectIdentifier()),
        namedtype.OptionalNamedType("parameters", univ.Any()),
    )


class _Attribute(univ.Sequence):  # type: ignore[misc]
    componentType = namedtype.NamedTypes(
        namedtype.NamedType("type", univ.ObjectIdentifier()),
        namedtype.NamedType("values", univ.SetOf(componentType=univ.Any())),
    )


class _IssuerAndSerialNumber(univ.Sequence):  # type: ignore[misc]
    # The name goes in as the certificate has it: encoded anew it might differ.
    componentType = namedtype.NamedTypes(
        namedtype.NamedType("issuer", univ.Any()),
        namedtype.NamedType("serialNumber", univ.Integer()),
    )


class _SignerInfo(univ.Sequence):  # type: ignore[misc]
    componentType = namedtype.NamedTypes(
        namedtype.NamedType("version", univ.Integer()),
        namedtype.NamedType("sid", _IssuerAndSerialNumber()),
        namedtype.NamedType("digestAlgorithm", _AlgorithmIdentifier()),
        namedtype.OptionalNamedType("signedAttrs", univ.Any()),
        namedtype.NamedType("signatureAlgorithm", _AlgorithmIdentifier()),
        namedtype.NamedType("signature", univ.OctetString()),
    )


class _PssParameters(univ.Sequence):  # type: ignore[misc]
    componentType = namedtype.NamedTypes(
        namedtype.NamedType("hash", _AlgorithmIdentifier().subtype(explicitTag=tag.Tag(0x80, 0x20, 0))),
        namedtype.NamedType("mask", _AlgorithmIdentifier().subtype(explicitTag=tag.Tag(0x80, 0x20, 1))),
        namedtype.NamedType("salt", univ.Integer().subtype(explicitTag=tag.Tag(0x80, 0x20, 2))),
    )


def encode_attributes(digest: bytes, signing_time: datetime | None, content_type: str = DATA) -> bytes:
    """Signed attributes as a DER SET: what is signed. Content type, digest, time if any."""
    attributes = univ.SetOf(componentType=_Attribute())
    values = [
        (CONTENT_TYPE, encode(univ.ObjectIdentifier(content_type))),
        (MESSAGE_DIGEST, encode(univ.OctetString(digest))),
    ]
    if signing_time is not None:
        values.append((SIGNING_TIME, encode_time(signing_time)))
    for oid, value in values:
        attribute = _Attribute()
        attribute["type"] = oid
        attribute["values"].append(value)
        attributes.append(attribute)
    return bytes(encode(attributes))


def encode_signer_info(
    signer: Signer, attributes: bytes | None, signature: bytes, sm2_oid: Sm2Oid = Sm2Oid.WITH_SM3
) -> bytes:
    """One SignerInfo; `attributes` as made by `encode_attributes`, or none."""
    issuer, serial = issuer_and_serial(signer.certificate_der)
    signer_info = _SignerInfo()
    signer_info["version"] = 1
    signer_info["sid"]["issuer"] = issuer
    signer_info["sid"]["serialNumber"] = serial
    signer_info["digestAlgorithm"] = _digest_identifier(signer.mechanism)
    if attributes is not None:
        # SET OF becomes [0] IMPLICIT: only the first octet differs.
        signer_info["signedAttrs"] = bytes([tlv.CONTEXT_0]) + attributes[1:]
    signer_info["signatureAlgorithm"] = _signature_identifier(signer.mechanism, sm2_oid)
    signer_info["signature"] = signature
    return bytes(encode(signer_info))


def encode_frame(
    signers: Sequence[Signer], signer_infos_bytes: int, content_bytes: int | None, national: bool = False
) -> tuple[bytes, bytes]:
    """What stands before and after the content; the signer infos themselves follow the second.

    Without `content_bytes` the signature is detached. The certificates are the signers' and their chains.
    """
    version = encode(univ.Integer(1))
    digests = {bytes(encode(_digest_identifier(signer.mechanism))) for signer in signers}
    data_oid = encode(univ.ObjectIdentifier(GM_DATA if national else DATA))
    content_headers = (
        b"" if content_bytes is None else nest_headers(content_bytes, [tlv.OCTET_STRING, tlv.CONTEXT_0])
    )
    clear_bytes = content_bytes or 0
    certificates = {der for signer in signers for der in (signer.certificate_der, *signer.chain_der)}
    after = tlv.wrap(tlv.CONTEXT_0, b"".join(sorted(certificates)))
    after += tlv.header(tlv.SET, signer_infos_bytes)
    content_info_bytes = len(data_oid) + len(content_headers) + clear_bytes
    inner = version + tlv.wrap(tlv.SET, b"".join(sorted(digests)))
    inner += tlv.header(tlv.SEQUENCE, content_info_bytes) + data_oid + content_headers
    signed_data_bytes = len(inner) + clear_bytes + len(after) + signer_infos_bytes
    outer_oid = encode(univ.ObjectIdentifier(GM_SIGNED_DATA if national else SIGNED_DATA))
    headers = nest_headers(signed_data_bytes, [tlv.SEQUENCE, tlv.CONTEXT_0])
    whole = tlv.header(tlv.SEQUENCE, len(outer_oid) + len(headers) + signed_data_bytes)
    return bytes(whole + outer_oid + headers + inner), after


def usual_signature_bytes(signer: Signer, raw: bool = False) -> int:
    """Length of the signature: always for RSA and raw, in about half of the signatures on curves.

    The two numbers of a signature on a curve take one octet more where their highest bit is
    set; the usual case is one with and one without it.
    """
    key = signer.public_key
    coordinate_bytes = (key.key_size + 7) // 8
    if isinstance(key, rsa.RSAPublicKey):
        return coordinate_bytes
    if raw:
        return 2 * coordinate_bytes
    # On P-521 the highest octet has one bit, so no octet is ever added.
    added_octets = 1 if key.key_size % 8 == 0 else 0
    numbers_bytes = 2 * (2 + coordinate_bytes) + added_octets
    return len(tlv.header(tlv.SEQUENCE, numbers_bytes)) + numbers_bytes


def nest_headers(content_bytes: int, identifiers: list[int]) -> bytes:
    """Headers around content of that length; the innermost identifier comes first in the list."""
    headers = b""
    for identifier in identifiers:
        headers = tlv.header(identifier, content_bytes + len(headers)) + headers
    return headers


def issuer_and_serial(certificate_der: bytes) -> tuple[bytes, int]:
    """The name as the certificate has it, and the number; what names a certificate in CMS."""
    certificate = x509.load_der_x509_certificate(certificate_der)
    return certificate_issuer(certificate), certificate.serial_number


def certificate_issuer(certificate: x509.Certificate) -> bytes:
    """The issuer's name exactly as the certificate has it."""
    fields = tlv.read_elements(certificate.tbs_certificate_bytes)[0].children()
    # version [0] is left out of version 1 certificates; then serial, signature, issuer.
    start = 1 if fields[0].identifier == tlv.CONTEXT_0 else 0
    return fields[start + 2].raw


def _digest_identifier(algorithm: Algorithm) -> _AlgorithmIdentifier:
    # RFC 5754, section 2: parameters are left out.
    return _identifier(OID_OF_DIGEST[algorithm.digest])


def _signature_identifier(algorithm: Algorithm, sm2_oid: Sm2Oid) -> _AlgorithmIdentifier:
    if algorithm.scheme is Scheme.SM2:
        return _identifier(sm2_oid.value)
    if algorithm.scheme is Scheme.RSA_PKCS1:
        return _identifier(RSA_ENCRYPTION_OID, encode(univ.Null("")))
    if algorithm.scheme is Scheme.RSA_PSS:
        return _identifier(RSA_PSS_OID, _pss_parameters(algorithm))
    return _identifier(OID_OF_SIGNATURE[algorithm.name])


def _pss_parameters(algorithm: Algorithm) -> bytes:
    digest = _digest_identifier(algorithm)
    parameters = _PssParameters()
    parameters["hash"]["algorithm"] = OID_OF_DIGEST[algorithm.digest]
    parameters["mask"]["algorithm"] = MGF1_OID
    parameters["mask"]["parameters"] = encode(digest)
    parameters["salt"] = DIGEST_BYTES[algorithm.digest]
    return bytes(encode(parameters))


def _identifier(oid: str, parameters: bytes | None = None) -> _AlgorithmIdentifier:
    identifier = _AlgorithmIdentifier()
    identifier["algorithm"] = oid
    if parameters is not None:
        identifier["parameters"] = parameters
    return identifier


def encode_time(instant: datetime) -> bytes:
    """UTCTime or GeneralizedTime in DER, whole seconds."""
    instant = instant.astimezone(UTC)
    if instant.year in _UTC_TIME_YEARS:
        return bytes(encode(useful.UTCTime(f"{instant:%y%m%d%H%M%SZ}")))
    return bytes(encode(useful.GeneralizedTime(f"{instant:%Y%m%d%H%M%SZ}")))
