"""Signatures on curves: the DER of two numbers, or the two numbers side by side."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec

from keys import tlv
from keys.errors import SignatureInvalid, SignatureMalformed
from keys.public import PublicKey
from keys.sm2_public import Sm2PublicKey


def to_raw(signature_der: bytes, key: PublicKey) -> bytes:
    """r and s, each as wide as a coordinate of the key's curve; an RSA signature as it is.

    Raises `SignatureInvalid` where it is not exactly one DER of two numbers that fit.
    """
    if not isinstance(key, Sm2PublicKey | ec.EllipticCurvePublicKey):
        return signature_der
    width = (key.key_size + 7) // 8
    numbers = decode_pair(signature_der)
    try:
        return b"".join(number.to_bytes(width, "big") for number in numbers)
    except OverflowError:
        raise SignatureInvalid("a number of the signature is too large for the curve") from None


def to_der(signature_raw: bytes, key: PublicKey) -> bytes:
    """DER of what `to_raw` gave; raises `SignatureInvalid` for another length."""
    if not isinstance(key, Sm2PublicKey | ec.EllipticCurvePublicKey):
        return signature_raw
    width = (key.key_size + 7) // 8
    if len(signature_raw) != 2 * width:
        raise SignatureInvalid(f"a raw signature of {len(signature_raw)} bytes, wanted {2 * width}")
    return encode_pair(
        int.from_bytes(signature_raw[:width], "big"), int.from_bytes(signature_raw[width:], "big")
    )


def encode_pair(first: int, second: int) -> bytes:
    return tlv.wrap(tlv.SEQUENCE, tlv.encode_integer(first) + tlv.encode_integer(second))


def decode_pair(der: bytes) -> tuple[int, int]:
    """The two numbers; raises `SignatureInvalid` for anything but their one DER."""
    try:
        (whole,) = tlv.read_elements(der)
        first, second = (tlv.decode_integer(number) for number in whole.children())
    except (SignatureMalformed, ValueError):
        raise SignatureInvalid("the signature is not two numbers in DER") from None
    if min(first, second) < 0 or encode_pair(first, second) != der:
        raise SignatureInvalid("the signature is not two numbers in DER")
    return first, second
