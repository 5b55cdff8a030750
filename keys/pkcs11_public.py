"""Public keys as tokens hold them, beside their private halves."""

from __future__ import annotations

from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from keys import tlv
from keys.errors import KeyUnavailable
from keys.pkcs11 import Handle, Token
from keys.pkcs11_module import binding
from keys.pkcs11_uri import TokenKeyName
from keys.public import PublicKey

P256_OID: Final = "1.2.840.10045.3.1.7"
P384_OID: Final = "1.3.132.0.34"
_CURVES: Final[dict[bytes, ec.EllipticCurve]] = {
    tlv.encode_oid(P256_OID): ec.SECP256R1(),
    tlv.encode_oid(P384_OID): ec.SECP384R1(),
}


def find_public_key(token: Token, name: TokenKeyName) -> PublicKey:
    """The public key of the same label and id as a private one; raises `KeyUnavailable`."""

    def look(private: Handle, pin: str | None) -> PublicKey:
        attribute, kinds = binding().Attribute, binding().ObjectClass
        wanted = {attribute.CLASS: kinds.PUBLIC_KEY}
        wanted |= {attribute.LABEL: name.label} if name.label else {}
        wanted |= {attribute.ID: name.id} if name.id else {}
        found = list(private.session.get_objects(wanted))
        if len(found) != 1:
            raise KeyUnavailable(
                f"{token.name} has {len(found) or 'no'} public {name}, wanted one",
                "put the public key into the token beside the private one",
            )
        return public_key_of(found[0])

    return token.use(name, look)


def public_key_of(public: Any) -> PublicKey:
    """The key in a public key object; raises `KeyUnavailable` for what is neither RSA nor a known curve."""
    package = binding()
    attribute = package.Attribute
    if public.key_type is package.KeyType.RSA:
        exponent, modulus = (
            int.from_bytes(public[each], "big") for each in (attribute.PUBLIC_EXPONENT, attribute.MODULUS)
        )
        return rsa.RSAPublicNumbers(exponent, modulus).public_key()
    curve = _CURVES.get(public[attribute.EC_PARAMS]) if public.key_type is package.KeyType.EC else None
    if curve is None:
        raise KeyUnavailable("the public key in the token is neither RSA nor on P-256 or P-384")
    # The point comes as the DER of an octet string (PKCS#11, section 2.3.3).
    point = tlv.read_elements(public[attribute.EC_POINT])[0].content
    return ec.EllipticCurvePublicKey.from_encoded_point(curve, point)
