"""SM2 (GB/T 32918) with keys in memory, by the library of the extra `[gm]`.

The library is asked for only where it is used: a site without SM2 does not need it. Secrets
are handled by the library alone; the one exception is `derive_public_key`, for key files that
leave the public key out.
"""

from __future__ import annotations

import secrets
from types import ModuleType
from typing import Final

from keys import tlv
from keys.algorithms import Algorithm, Transport
from keys.errors import NO_FIT, DecryptionFailed, KeyUnavailable, SignatureInvalid
from keys.sm2_public import COORDINATE_BYTES, GENERATOR, A, N, P, Sm2PublicKey

SECRET_BYTES: Final = 32
_DIGEST_BYTES = 32
_POINT_BYTES = 1 + 2 * COORDINATE_BYTES


class Sm2PrivateKey:
    """A secret number and its point; raises `KeyUnavailable` where they do not belong together.

    The secret is never shown, not even by `repr`.
    """

    def __init__(self, secret: bytes, public_key: Sm2PublicKey | None = None) -> None:
        if len(secret) != SECRET_BYTES or not 0 < int.from_bytes(secret, "big") < N - 1:
            raise KeyUnavailable("the SM2 private key is out of range")
        self.secret = secret
        self._public_key = public_key or derive_public_key(secret)
        self._require_pair()

    def __repr__(self) -> str:
        return "Sm2PrivateKey()"

    @classmethod
    def generate(cls) -> Sm2PrivateKey:
        point, secret = _library().sm2_key_generate()
        return cls(secret, Sm2PublicKey(point))

    def public_key(self) -> Sm2PublicKey:
        return self._public_key

    @property
    def key_size(self) -> int:
        """In bits."""
        return 256

    def _require_pair(self) -> None:
        digest = secrets.token_bytes(_DIGEST_BYTES)
        library = _library()
        signature = library.sm2_sign_sm3_digest(self.secret, digest)
        if not library.sm2_verify_sm3_digest(self._public_key.point, digest, signature):
            raise KeyUnavailable("the SM2 private key and its public key do not belong together")


class Sm2Key:
    """Signs and decrypts with an SM2 key in memory."""

    def __init__(self, private_key: Sm2PrivateKey) -> None:
        self._private_key = private_key
        self.public_key = private_key.public_key()

    def sign_digest(self, algorithm: Algorithm, digest: bytes) -> bytes:
        return bytes(_library().sm2_sign_sm3_digest(self._private_key.secret, digest))

    def unwrap(self, transport: Transport, wrapped: bytes) -> bytes:
        library = _library()
        if transport is not Transport.SM2:
            raise DecryptionFailed
        try:
            return bytes(library.sm2_decrypt(self._private_key.secret, _cipher_der(wrapped)))
        except library.GmsslInnerError:
            raise DecryptionFailed from None


def verify_sm2(public_key: Sm2PublicKey, signature: bytes, digest: bytes) -> None:
    """Verify a signature; raises `SignatureInvalid`, for anything but the one DER of two numbers too."""
    library = _library()
    try:
        holds = library.sm2_verify_sm3_digest(public_key.point, digest, signature)
    except library.GmsslInnerError:
        raise SignatureInvalid(NO_FIT) from None
    if not holds:
        raise SignatureInvalid(NO_FIT)


def sm2_encrypt(public_key: Sm2PublicKey, clear: bytes) -> bytes:
    """Up to 255 bytes, encrypted: the DER of GM/T 0009 (x, y, C3, C2)."""
    return bytes(_library().sm2_encrypt(public_key.point, clear))


def raw_cipher(cipher_der: bytes) -> bytes:
    """The DER of `sm2_encrypt` as C1 || C3 || C2, C1 an uncompressed point."""
    x, y, check, text = tlv.read_elements(cipher_der)[0].children()
    point = b"".join(tlv.decode_integer(each).to_bytes(COORDINATE_BYTES, "big") for each in (x, y))
    return b"\x04" + point + check.content + text.content


def derive_public_key(secret: bytes) -> Sm2PublicKey:
    """The point of a secret number, where a key file holds no point.

    Plain arithmetic, whose time tells something about the secret to whoever can measure this
    one process while it reads the file; signing and decrypting never come here.
    """
    scalar = int.from_bytes(secret, "big")
    total: tuple[int, int] | None = None
    for bit in bin(scalar)[2:]:
        total = _add(total, total)
        if bit == "1":
            total = _add(total, GENERATOR)
    if total is None:
        raise KeyUnavailable("the SM2 private key is out of range")
    return Sm2PublicKey(b"".join(number.to_bytes(COORDINATE_BYTES, "big") for number in total))


def _add(one: tuple[int, int] | None, other: tuple[int, int] | None) -> tuple[int, int] | None:
    """Sum of two points; None is the point at infinity."""
    if one is None or other is None:
        return one or other
    (x1, y1), (x2, y2) = one, other
    if x1 == x2 and (y1 + y2) % P == 0:
        return None
    if one == other:
        slope = (3 * x1 * x1 + A) * pow(2 * y1, -1, P) % P
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, P) % P
    x3 = (slope * slope - x1 - x2) % P
    return x3, (slope * (x1 - x3) - y1) % P


def _cipher_der(wrapped: bytes) -> bytes:
    """The DER of GM/T 0009, of itself or of C1 || C3 || C2."""
    if wrapped[:1] != b"\x04":
        return wrapped
    x, y = wrapped[1 : 1 + COORDINATE_BYTES], wrapped[1 + COORDINATE_BYTES : _POINT_BYTES]
    check = wrapped[_POINT_BYTES : _POINT_BYTES + _DIGEST_BYTES]
    text = wrapped[_POINT_BYTES + _DIGEST_BYTES :]
    numbers = b"".join(tlv.encode_integer(int.from_bytes(number, "big")) for number in (x, y))
    octets = tlv.wrap(tlv.OCTET_STRING, check) + tlv.wrap(tlv.OCTET_STRING, text)
    return tlv.wrap(tlv.SEQUENCE, numbers + octets)


def _library() -> ModuleType:
    """The package behind the extra; raises `KeyUnavailable` where it is not installed."""
    try:
        import gmssl_pyx
    except ImportError:
        raise KeyUnavailable(
            "SM2 needs a package that is not installed", "pip install 'bankgate[gm]'"
        ) from None
    module: ModuleType = gmssl_pyx
    return module
