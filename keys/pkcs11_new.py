"""Makes a key pair in a token: the private half is made there and never comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from keys import tlv
from keys.errors import KeyUnavailable
from keys.pkcs11 import Token, TokenKey
from keys.pkcs11_module import binding
from keys.pkcs11_public import P256_OID, P384_OID, public_key_of
from keys.pkcs11_uri import TokenKeyName

if TYPE_CHECKING:
    from pkcs11 import Session

TOKEN_KEY_KINDS: Final = ("rsa-2048", "rsa-3072", "rsa-4096", "ec-p256", "ec-p384")
_CURVES: Final = {"ec-p256": P256_OID, "ec-p384": P384_OID}


def new_token_key(token: Token, name: TokenKeyName, kind: str, *, receives: bool = False) -> TokenKey:
    """A new key pair of one of `TOKEN_KEY_KINDS`, stored under the name's label and id.

    It signs; with `receives` it opens envelopes instead or too. It is not extractable. Raises
    `KeyUnavailable`, so too where the token has something of that label or id.
    """
    if kind not in TOKEN_KEY_KINDS:
        raise KeyUnavailable(
            f"no key of kind {kind!r} is made in a token", f"there are {', '.join(TOKEN_KEY_KINDS)}"
        )
    with token.writing() as session:
        _require_absent(session, token, name)
        public = _generate(session, name, kind, receives)
        return TokenKey(token, name, public_key_of(public))


def _require_absent(session: Session, token: Token, name: TokenKeyName) -> None:
    attribute = binding().Attribute
    for wanted in ({attribute.LABEL: name.label} if name.label else {}, {attribute.ID: name.id}):
        if any(wanted.values()) and next(iter(session.get_objects(wanted)), None) is not None:
            raise KeyUnavailable(
                f"{token.name} has an object like {name} already, and nothing is overwritten",
                "take another label and another id",
            )


def _generate(session: Session, name: TokenKeyName, kind: str, receives: bool) -> Any:
    package = binding()
    attribute = package.Attribute
    abilities = package.MechanismFlag.SIGN | package.MechanismFlag.VERIFY
    if receives:
        abilities |= package.MechanismFlag.DECRYPT | package.MechanismFlag.ENCRYPT
    stored = {
        "label": name.label or None,
        "id": name.id or None,
        "store": True,
        "capabilities": abilities,
        "private_template": {attribute.SENSITIVE: True, attribute.EXTRACTABLE: False},
    }
    if kind in _CURVES:
        curve = {attribute.EC_PARAMS: tlv.encode_oid(_CURVES[kind])}
        domain = session.create_domain_parameters(package.KeyType.EC, curve, local=True)
        return domain.generate_keypair(**stored)[0]
    return session.generate_keypair(package.KeyType.RSA, int(kind.removeprefix("rsa-")), **stored)[0]
