"""SM2 private keys as files: PKCS#8, encrypted PKCS#8 and SEC 1, in PEM.

The cryptography package does not know the curve, so what it does for other keys is done here:
PBES2 with PBKDF2 (RFC 8018), as OpenSSL and GmSSL write it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES, SM4
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.padding import PKCS7
from msgspec import Struct

from keys import tlv
from keys.errors import KeyUnavailable, SignatureMalformed
from keys.sm2 import SECRET_BYTES, Sm2PrivateKey
from keys.sm2_public import EC_PUBLIC_KEY_OID, SM2_CURVE_OID, decode_point
from keys.tlv import Element

_PBES2_OID = "1.2.840.113549.1.5.13"
_PBKDF2_OID = "1.2.840.113549.1.5.12"
_HMAC_SHA256_OID = "1.2.840.113549.2.9"
_AES_256_CBC_OID = "2.16.840.1.101.3.4.1.42"
_ITERATIONS = 600_000
_ITERATIONS_LIMIT = 10_000_000
_BLOCK_BYTES = 16
_SALT_BYTES = 16

_PSEUDORANDOM: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "1.2.840.113549.2.7": hashes.SHA1,
    _HMAC_SHA256_OID: hashes.SHA256,
    "1.2.840.113549.2.10": hashes.SHA384,
    "1.2.840.113549.2.11": hashes.SHA512,
    "1.2.156.10197.1.401.2": hashes.SM3,
}
"""HMAC with SHA-1 is what a PBKDF2 without parameters means; nothing known speaks against it."""
_CIPHERS: dict[str, tuple[type[AES] | type[SM4], int]] = {
    "2.16.840.1.101.3.4.1.2": (AES, 16),
    "2.16.840.1.101.3.4.1.22": (AES, 24),
    _AES_256_CBC_OID: (AES, 32),
    "1.2.156.10197.1.104.2": (SM4, 16),
}
"""CBC ciphers with the bytes of their keys."""


class _Encryption(Struct, frozen=True):
    """Parameters of PBES2."""

    salt: bytes
    iterations: int
    pseudorandom: str
    cipher: str
    initial: bytes


def read_sm2_pem(content: bytes, path: object, password: bytes | None) -> Sm2PrivateKey:
    """The key in a PEM file; raises `KeyUnavailable`. `path` is for messages."""
    encrypted = b"-----BEGIN ENCRYPTED PRIVATE KEY-----" in content
    if encrypted is (password is None):
        wanted = "is encrypted and no password is given" if encrypted else "is not encrypted"
        raise KeyUnavailable(f"{path} {wanted}", "compare the password entry with the file")
    try:
        if encrypted:
            return _parse_pkcs8(_decrypt(tlv.unwrap_pem(content, b"ENCRYPTED PRIVATE KEY"), password or b""))
        if b"-----BEGIN EC PRIVATE KEY-----" in content:
            return _parse_sec1(tlv.unwrap_pem(content, b"EC PRIVATE KEY"), curve_known=False)
        return _parse_pkcs8(tlv.unwrap_pem(content, b"PRIVATE KEY"))
    except (SignatureMalformed, ValueError, IndexError):
        raise KeyUnavailable(
            f"{path} does not open", "not a PEM private key, or the password is another"
        ) from None


def sm2_private_pem(private_key: Sm2PrivateKey, password: bytes | None = None) -> bytes:
    """PKCS#8 in PEM, encrypted where there is a password."""
    algorithm = tlv.wrap(tlv.SEQUENCE, tlv.encode_oid(EC_PUBLIC_KEY_OID) + tlv.encode_oid(SM2_CURVE_OID))
    inner = tlv.wrap(tlv.OCTET_STRING, _sec1(private_key))
    der = tlv.wrap(tlv.SEQUENCE, tlv.encode_integer(0) + algorithm + inner)
    if password is None:
        return tlv.wrap_pem(der, "PRIVATE KEY")
    return tlv.wrap_pem(_encrypt(der, password), "ENCRYPTED PRIVATE KEY")


def _sec1(private_key: Sm2PrivateKey) -> bytes:
    """RFC 5915, without the curve, which stands outside."""
    point = tlv.wrap(tlv.BIT_STRING, b"\0\x04" + private_key.public_key().point)
    secret = tlv.wrap(tlv.OCTET_STRING, private_key.secret)
    return tlv.wrap(tlv.SEQUENCE, tlv.encode_integer(1) + secret + tlv.wrap(tlv.CONTEXT_1, point))


def _parse_pkcs8(der: bytes) -> Sm2PrivateKey:
    (whole,) = tlv.read_elements(der)
    version, algorithm, key, *_ = whole.children()
    oids = [tlv.decode_oid(each) for each in algorithm.children()]
    if tlv.decode_integer(version) not in {0, 1} or oids != [EC_PUBLIC_KEY_OID, SM2_CURVE_OID]:
        raise ValueError
    return _parse_sec1(key.content, curve_known=True)


def _parse_sec1(der: bytes, curve_known: bool) -> Sm2PrivateKey:
    (whole,) = tlv.read_elements(der)
    version, secret, *optional = whole.children()
    if tlv.decode_integer(version) != 1 or secret.identifier != tlv.OCTET_STRING:
        raise ValueError
    inner = {each.identifier: each.children()[0] for each in optional}
    curve = inner.get(tlv.CONTEXT_0)
    if (curve is None and not curve_known) or (curve and tlv.decode_oid(curve) != SM2_CURVE_OID):
        raise ValueError
    point = inner.get(tlv.CONTEXT_1)
    public_key = decode_point(point.content[1:]) if point is not None else None
    return Sm2PrivateKey(secret.content.rjust(SECRET_BYTES, b"\0"), public_key)


def _decrypt(der: bytes, password: bytes) -> bytes:
    (whole,) = tlv.read_elements(der)
    algorithm, sealed = whole.children()
    decryptor = _cipher(_read_encryption(algorithm), password).decryptor()
    padded = decryptor.update(sealed.content) + decryptor.finalize()
    unpadder = PKCS7(8 * _BLOCK_BYTES).unpadder()
    return unpadder.update(padded) + unpadder.finalize()


def _encrypt(der: bytes, password: bytes) -> bytes:
    encryption = _Encryption(
        secrets.token_bytes(_SALT_BYTES),
        _ITERATIONS,
        _HMAC_SHA256_OID,
        _AES_256_CBC_OID,
        secrets.token_bytes(_BLOCK_BYTES),
    )
    padder = PKCS7(8 * _BLOCK_BYTES).padder()
    encryptor = _cipher(encryption, password).encryptor()
    sealed = encryptor.update(padder.update(der) + padder.finalize()) + encryptor.finalize()
    return tlv.wrap(tlv.SEQUENCE, _write_encryption(encryption) + tlv.wrap(tlv.OCTET_STRING, sealed))


def _cipher(encryption: _Encryption, password: bytes) -> Cipher[modes.CBC]:
    cipher, key_bytes = _CIPHERS[encryption.cipher]
    hash_algorithm = _PSEUDORANDOM[encryption.pseudorandom]()
    derived = PBKDF2HMAC(hash_algorithm, key_bytes, encryption.salt, encryption.iterations)
    return Cipher(cipher(derived.derive(password)), modes.CBC(encryption.initial))


def _read_encryption(algorithm: Element) -> _Encryption:
    oid, parameters = algorithm.children()
    derivation, cipher = parameters.children()
    derivation_oid, derivation_parameters = derivation.children()
    cipher_oid, initial = cipher.children()
    if (tlv.decode_oid(oid), tlv.decode_oid(derivation_oid)) != (_PBES2_OID, _PBKDF2_OID):
        raise ValueError
    salt, iterations, *optional = derivation_parameters.children()
    named = [each for each in optional if each.identifier == tlv.SEQUENCE]
    pseudorandom = tlv.decode_oid(named[0].children()[0]) if named else "1.2.840.113549.2.7"
    count = tlv.decode_integer(iterations)
    if pseudorandom not in _PSEUDORANDOM or tlv.decode_oid(cipher_oid) not in _CIPHERS:
        raise ValueError
    if not 0 < count <= _ITERATIONS_LIMIT:
        raise ValueError
    return _Encryption(salt.content, count, pseudorandom, tlv.decode_oid(cipher_oid), initial.content)


def _write_encryption(encryption: _Encryption) -> bytes:
    null = tlv.wrap(tlv.NULL, b"")
    pseudorandom = tlv.wrap(tlv.SEQUENCE, tlv.encode_oid(encryption.pseudorandom) + null)
    derivation_parameters = tlv.wrap(
        tlv.SEQUENCE,
        tlv.wrap(tlv.OCTET_STRING, encryption.salt)
        + tlv.encode_integer(encryption.iterations)
        + pseudorandom,
    )
    derivation = tlv.wrap(tlv.SEQUENCE, tlv.encode_oid(_PBKDF2_OID) + derivation_parameters)
    initial = tlv.wrap(tlv.OCTET_STRING, encryption.initial)
    cipher = tlv.wrap(tlv.SEQUENCE, tlv.encode_oid(encryption.cipher) + initial)
    parameters = tlv.wrap(tlv.SEQUENCE, derivation + cipher)
    return tlv.wrap(tlv.SEQUENCE, tlv.encode_oid(_PBES2_OID) + parameters)
