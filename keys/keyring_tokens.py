"""The tokens that a ring names: each is one for all its keys, so that it is logged in to once."""

from __future__ import annotations

from pathlib import Path

from keys.pkcs11 import Token, TokenKey
from keys.pkcs11_pins import RefusedPins
from keys.pkcs11_uri import TokenKeyName
from keys.public import PublicKey
from keys.secret_sources import SecretSource

_REFUSED_SUFFIX = ".refused-pins"
"""After the ring's name: where refused PINs are remembered."""


class Tokens:
    """Nothing is opened before a key is used."""

    def __init__(self, ring: Path) -> None:
        self._refused = RefusedPins(ring.with_name(ring.name + _REFUSED_SUFFIX))
        self._tokens: list[Token] = []

    def key(self, name: TokenKeyName, pin: SecretSource | None, public_key: PublicKey) -> TokenKey:
        """The key of that name. Where its PIN is read from is looked at now: `KeyUnavailable`."""
        if pin is not None:
            pin.read()
        return TokenKey(self._token(name, pin), name, public_key)

    def _token(self, name: TokenKeyName, pin: SecretSource | None) -> Token:
        for token in self._tokens:
            if (token.name, token.pin) == (name.token, pin):
                return token
        token = Token(name.token, pin, self._refused)
        self._tokens.append(token)
        return token
