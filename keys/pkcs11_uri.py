"""Names of keys in tokens: PKCS#11 URIs (RFC 7512), as the ring and the command line have them.

`pkcs11:token=bankgate;object=rural-sign?module-path=/usr/lib/softhsm/libsofthsm2.so`

The library stands in the URI too, so that one text names a key wholly. A PIN never does.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote_to_bytes

from msgspec import Struct

from keys.errors import KeyUnavailable

PKCS11_SCHEME = "pkcs11:"
_HINT = "write it as pkcs11:token=LABEL;object=LABEL?module-path=/path/of/the/library.so"
_TOKEN_NAMES = ("token", "serial", "manufacturer", "model")
_KEY_NAMES = ("object", "id", "type")
_PIN_NAMES = ("pin-value", "pin-source")


class TokenName(Struct, frozen=True):
    """Which token, and through which library; "" is not asked for. At least one text is there."""

    module: Path
    label: str = ""
    serial: str = ""
    manufacturer: str = ""
    model: str = ""

    def __str__(self) -> str:
        label = f" {self.label!r}" if self.label else ""
        others = {"serial": self.serial, "manufacturer": self.manufacturer, "model": self.model}
        return f"token{label}" + "".join(f" of {name} {text!r}" for name, text in others.items() if text)


class TokenKeyName(Struct, frozen=True):
    """A key in a token, by label, by id, or by both."""

    token: TokenName
    label: str = ""
    id: bytes = b""

    def __str__(self) -> str:
        label = f" {self.label!r}" if self.label else ""
        return f"key{label}" + (f" of id {self.id.hex()}" if self.id else "")


def parse_uri(uri: str) -> TokenKeyName:
    """Raises `KeyUnavailable` for what is no such URI, and for one with a PIN in it."""
    if not uri.startswith(PKCS11_SCHEME):
        raise KeyUnavailable("not a PKCS#11 URI", _HINT)
    path, _, query = uri.removeprefix(PKCS11_SCHEME).partition("?")
    asked = _attributes(path, ";", (*_TOKEN_NAMES, *_KEY_NAMES))
    ways = _attributes(query, "&", ("module-path",))
    if asked.get("type", b"private") != b"private":
        raise KeyUnavailable("type in the PKCS#11 URI is not private", "a private key is wanted here")
    module = Path(_text(ways, "module-path"))
    if not module.is_absolute():
        raise KeyUnavailable("module-path in the PKCS#11 URI is not an absolute path", _HINT)
    token = TokenName(
        module,
        _text(asked, "token"),
        _text(asked, "serial"),
        _text(asked, "manufacturer"),
        _text(asked, "model"),
    )
    key = TokenKeyName(token, _text(asked, "object"), asked.get("id", b""))
    if not any(name in asked for name in _TOKEN_NAMES):
        raise KeyUnavailable("the PKCS#11 URI names no token", _HINT)
    if not key.label and not key.id:
        raise KeyUnavailable("the PKCS#11 URI names no key, neither object nor id", _HINT)
    return key


def _attributes(text: str, separator: str, known: tuple[str, ...]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for part in text.split(separator) if text else []:
        name, equals, value = part.partition("=")
        if name in _PIN_NAMES:
            # Not repeated: it may be the PIN itself.
            raise KeyUnavailable(
                f"{name} does not belong into a PKCS#11 URI here", 'name the place: pin = { file = "..." }'
            )
        if name not in known or not equals or name in found:
            raise KeyUnavailable(
                f"the PKCS#11 URI has {name[:40]!r}, which is not known here or stands twice", _HINT
            )
        found[name] = unquote_to_bytes(value)
    return found


def _text(found: dict[str, bytes], name: str) -> str:
    try:
        return found.get(name, b"").decode("utf-8")
    except UnicodeDecodeError:
        raise KeyUnavailable(f"{name} in the PKCS#11 URI is not UTF-8", _HINT) from None
