"""Public keys on the curve of SM2 (GB/T 32918.5), and what a signature covers besides the bytes.

Only what needs no secret: points, their encodings, and the digest Z of the signer's identity
with which every SM2 hash begins (GB/T 32918.2, section 5.5).
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from keys import tlv
from keys.digests import digest_of
from keys.errors import KeyUnavailable, SignatureMalformed

SM2_CURVE_OID: Final = "1.2.156.10197.1.301"
EC_PUBLIC_KEY_OID: Final = "1.2.840.10045.2.1"
DEFAULT_SIGNER_ID: Final = b"1234567812345678"
"""GM/T 0009: the identity where nothing else was agreed."""
COORDINATE_BYTES: Final = 32

P: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A: Final = P - 3
B: Final = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
GENERATOR: Final = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)

_ALGORITHM = bytes.fromhex("301306072a8648ce3d020106082a811ccf5501822d")
"""AlgorithmIdentifier: an EC public key on the curve of SM2."""
_SIGNER_ID_LIMIT_BYTES = 8191
"""Its length in bits is written in two octets."""


class Sm2PublicKey(Struct, frozen=True):
    """A point on the curve; raises `KeyUnavailable` where it is none."""

    point: bytes
    """x and y, 32 bytes each, big-endian."""

    def __post_init__(self) -> None:
        if len(self.point) != 2 * COORDINATE_BYTES or not _is_on_curve(self.point):
            raise KeyUnavailable("the SM2 public key is no point on the curve")

    @property
    def key_size(self) -> int:
        """In bits."""
        return 256

    def spki_der(self) -> bytes:
        """SubjectPublicKeyInfo."""
        return tlv.wrap(tlv.SEQUENCE, _ALGORITHM + tlv.wrap(tlv.BIT_STRING, b"\0\x04" + self.point))

    def identity_digest(self, signer_id: bytes) -> bytes:
        """Z: SM3 over the signer's identity, the curve and the point."""
        if len(signer_id) > _SIGNER_ID_LIMIT_BYTES:
            raise KeyUnavailable(f"a signer id of {len(signer_id)} bytes, at most {_SIGNER_ID_LIMIT_BYTES}")
        curve = b"".join(number.to_bytes(COORDINATE_BYTES, "big") for number in (A, B, *GENERATOR))
        return digest_of("sm3", (8 * len(signer_id)).to_bytes(2, "big"), signer_id, curve, self.point)


def decode_point(octets: bytes) -> Sm2PublicKey:
    """A point as GM/T 0009 and SEC 1 write it, compressed or not; raises `KeyUnavailable`."""
    if octets[:1] == b"\x04":
        return Sm2PublicKey(octets[1:])
    if octets[:1] in {b"\x02", b"\x03"} and len(octets) == 1 + COORDINATE_BYTES:
        x = int.from_bytes(octets[1:], "big")
        y = pow(x**3 + A * x + B, (P + 1) // 4, P)
        if y % 2 != octets[0] % 2:
            y = P - y
        return Sm2PublicKey(octets[1:] + y.to_bytes(COORDINATE_BYTES, "big"))
    raise KeyUnavailable("the SM2 public key is no point on the curve")


def parse_sm2_spki(der: bytes) -> Sm2PublicKey | None:
    """The key in a SubjectPublicKeyInfo; None where it is of another kind.

    Raises `KeyUnavailable` where it is of this kind and no point on the curve.
    """
    try:
        (whole,) = tlv.read_elements(der)
        algorithm, key = whole.children()
        oids = [tlv.decode_oid(each) for each in algorithm.children()]
    except (SignatureMalformed, ValueError):
        return None
    if oids != [EC_PUBLIC_KEY_OID, SM2_CURVE_OID]:
        return None
    if key.identifier != tlv.BIT_STRING or key.content[:1] != b"\0":
        raise KeyUnavailable("the SM2 public key is no point on the curve")
    return decode_point(key.content[1:])


def _is_on_curve(point: bytes) -> bool:
    x = int.from_bytes(point[:COORDINATE_BYTES], "big")
    y = int.from_bytes(point[COORDINATE_BYTES:], "big")
    return x < P and y < P and (y * y - (x**3 + A * x + B)) % P == 0
