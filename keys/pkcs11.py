"""Keys in tokens and HSMs, by PKCS#11: what they sign and decrypt never leaves the device's key out.

A `Token` is opened at its first use, logs in once, and stays open. A wrong PIN is presented
once and never again (`keys.pkcs11_pins`); a lost session is opened anew, once for each use.
SM2 is not here: PKCS#11 has no mechanism for it, and those of vendors differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from msgspec import Struct

from keys import tlv
from keys.algorithms import OID_OF_DIGEST, Algorithm, Scheme, Transport
from keys.digests import DIGEST_BYTES
from keys.errors import DecryptionFailed, KeyUnavailable, SignatureInvalid
from keys.pkcs11_module import binding, module_at
from keys.pkcs11_pins import RefusedPins
from keys.pkcs11_uri import TokenKeyName, TokenName
from keys.public import PublicKey
from keys.signature_forms import to_der
from keys.verifier import make_verifier

if TYPE_CHECKING:
    from pkcs11 import Session
    from pkcs11 import Token as Device

_Result = TypeVar("_Result")
Handle = Any
"""The binding's object of a private key: what it can do is known at run time only."""
Act = Callable[[Handle, str | None], _Result]
"""Uses a key; with a PIN where the key asks for one at every use."""

_LOST: Final = (
    "CryptokiNotInitialized",
    "DeviceError",
    "DeviceRemoved",
    "FunctionFailed",
    "GeneralError",
    "KeyHandleInvalid",
    "ObjectHandleInvalid",
    "OperationActive",
    "PKCS11Error",
    "SessionClosed",
    "SessionHandleInvalid",
    "TokenNotPresent",
    "UserNotLoggedIn",
)
"""After these the session is opened anew. `PKCS11Error` itself is what the binding makes of
errors that it does not know, a library that was finalized among them."""
_NOT_OFFERED: Final = (
    "ArgumentsBad",
    "FunctionNotSupported",
    "KeyTypeInconsistent",
    "MechanismInvalid",
    "MechanismParamInvalid",
)
_WRONG_PIN: Final = ("PinIncorrect", "PinInvalid", "PinLenRange")
_REMEDY: Final = {
    "PinLocked": "unlock it with the token's own tool and the security officer's PIN",
    "PinExpired": "set a new PIN with the token's own tool",
    "UserPinNotInitialized": "set a PIN with the token's own tool",
    "TokenNotPresent": "is it plugged in, is its service running?",
    "DeviceRemoved": "is it plugged in, is its service running?",
}


class PinSource(Protocol):
    """Where a PIN comes from: a `SecretSource`, or whoever is asked for it. `str` names the place."""

    def read(self) -> bytes: ...


class _Held(Struct, frozen=True):
    """A key that was found in the open session."""

    handle: Handle
    asks_each_time: bool
    """CKA_ALWAYS_AUTHENTICATE: keys of legal signatures on cards have it."""


class Token:
    """One token: found, logged in to, asked for keys. Shared by all keys in it, and by threads."""

    def __init__(self, name: TokenName, pin: PinSource | None, refused: RefusedPins) -> None:
        """`pin` None: the token is used without a login. Nothing is opened yet."""
        self.name = name
        self.pin = pin
        self._refused = refused
        self._module = module_at(name.module)
        self._session: Session | None = None
        self._generation = 0
        self._keys: dict[TokenKeyName, _Held] = {}

    def __repr__(self) -> str:
        return f"Token({str(self.name)!r})"

    def use(self, key: TokenKeyName, act: Act[_Result]) -> _Result:
        """What `act` gives for the token's private key; tried once more after a lost session.

        Raises `KeyUnavailable` for everything that the device says, without any secret.
        """
        with self._module.lock:
            try:
                return self._tried(key, act)
            except binding().PKCS11Error as error:
                if type(error).__name__ not in _LOST:
                    raise self._unavailable(key, error) from None
            try:
                self._module.restart(self._generation)
                return self._tried(key, act)
            except binding().PKCS11Error as error:
                raise self._unavailable(key, error) from None

    def _tried(self, key: TokenKeyName, act: Act[_Result]) -> _Result:
        if self._session is None or self._generation != self._module.generation:
            # An old session is left as it is: closing it would log out everybody in this process.
            self._keys.clear()
            self._session, self._generation = None, self._module.generation
            self._session = self._open()
        if key not in self._keys:
            self._keys[key] = self._find(self._session, key)
        held = self._keys[key]
        if not held.asks_each_time or self.pin is None:
            return act(held.handle, None)
        with self._presenting(self._session.token.serial) as pin:
            return act(held.handle, pin)

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session in which keys can be made. Raises `KeyUnavailable`, within the block too."""
        with self._module.lock:
            try:
                yield self._open(writing=True)
            except binding().PKCS11Error as error:
                raise self._unavailable(None, error) from None

    def _open(self, *, writing: bool = False) -> Session:
        device = self._device()
        if self.pin is None:
            return device.open(rw=writing)
        flags = binding().TokenFlag
        if device.flags & flags.USER_PIN_LOCKED:
            raise KeyUnavailable(f"{self.name} is locked", _REMEDY["PinLocked"])
        if device.flags & flags.USER_PIN_FINAL_TRY:
            raise KeyUnavailable(
                f"{self.name} would lock after one more wrong PIN, so none is presented",
                "log in once by hand, with the token's own tool",
            )
        with self._presenting(device.serial) as pin:
            try:
                return device.open(rw=writing, user_pin=pin)
            except binding().UserAlreadyLoggedIn:
                # Somebody in this process is: logins belong to the process.
                return device.open(rw=writing)

    @contextmanager
    def _presenting(self, serial: bytes) -> Iterator[str]:
        """The PIN, for one try: a refusal is written down before anybody can try again."""
        assert self.pin is not None
        pin = self.pin.read()
        with self._refused.trying(serial, pin) as attempt:
            try:
                yield _text(pin)
            except binding().PKCS11Error as error:
                if type(error).__name__ not in _WRONG_PIN:
                    raise
                attempt.refused()
                raise KeyUnavailable(
                    f"{self.name} refused the PIN from {self.pin}; it is not presented again",
                    "put the right PIN there: after a few wrong ones the token locks",
                ) from None

    def _device(self) -> Device:
        asked = self.name
        found = []
        for slot in self._module.library().get_slots(token_present=True):
            try:
                device = slot.get_token()
            except (binding().TokenNotPresent, binding().TokenNotRecognised):
                continue
            if (
                asked.label in ("", device.label)
                and asked.serial.encode() in (b"", device.serial)
                and asked.manufacturer in ("", device.manufacturer_id)
                and asked.model in ("", device.model)
            ):
                found.append(device)
        if len(found) != 1:
            raise KeyUnavailable(
                f"{asked.module} shows {len(found) or 'no'} {asked}, wanted one",
                "name one by its serial too" if found else _REMEDY["TokenNotPresent"],
            )
        return found[0]

    def _find(self, session: Session, key: TokenKeyName) -> _Held:
        attribute, kinds = binding().Attribute, binding().ObjectClass
        wanted = {attribute.CLASS: kinds.PRIVATE_KEY}
        if key.label:
            wanted[attribute.LABEL] = key.label
        if key.id:
            wanted[attribute.ID] = key.id
        found = list(session.get_objects(wanted))
        if len(found) != 1:
            raise KeyUnavailable(
                f"{self.name} has {len(found) or 'no'} private {key}, wanted one",
                "name it by object and id" if found else "look into it with pkcs11-tool --list-objects",
            )
        return _Held(found[0], _asks_each_time(found[0]))

    def _unavailable(self, key: TokenKeyName | None, error: Exception) -> KeyUnavailable:
        kind = type(error).__name__
        place = f"{self.name}" + (f", {key}" if key is not None else "")
        if kind in _NOT_OFFERED:
            return KeyUnavailable(
                f"{place}: the device does not do this ({kind})",
                "agree another algorithm with the bank; what the token does: pkcs11-tool --list-mechanisms",
            )
        return KeyUnavailable(f"{self.name}, {key}: {kind}", _REMEDY.get(kind, "try the token's own tool"))


class TokenKey:
    """A `SigningKey` and `DecryptionKey` in a token; its public half is known from the certificate."""

    def __init__(self, token: Token, name: TokenKeyName, public_key: PublicKey) -> None:
        self.public_key = public_key
        self._token = token
        self._name = name

    def __repr__(self) -> str:
        return f"TokenKey({str(self._token.name)!r}, {str(self._name)!r})"

    def sign_digest(self, algorithm: Algorithm, digest: bytes) -> bytes:
        """As `SigningKey.sign_digest`. A signature that does not verify is never given out."""
        raw = self._token.use(self._name, lambda key, pin: _sign(key, pin, algorithm, digest))
        try:
            signature = to_der(raw, self.public_key)
            make_verifier(self.public_key, algorithm).verify_digest(signature, digest)
        except SignatureInvalid:
            raise KeyUnavailable(
                f"{self._token.name}: {self._name} is not the key of the certificate beside it",
                "compare object and certificate in the entry of the ring",
            ) from None
        return signature

    def unwrap(self, transport: Transport, wrapped: bytes) -> bytes:
        """As `DecryptionKey.unwrap`."""
        opened = self._token.use(self._name, lambda key, pin: _decrypt(key, pin, transport, wrapped))
        if opened is None:
            raise DecryptionFailed
        return opened


def _asks_each_time(handle: Handle) -> bool:
    package = binding()
    try:
        return bool(handle[package.Attribute.ALWAYS_AUTHENTICATE])
    except (package.AttributeTypeInvalid, package.AttributeSensitive):
        return False


def _sign(key: Handle, pin: str | None, algorithm: Algorithm, digest: bytes) -> bytes:
    package = binding()
    _require(key, package.SignMixin, "sign")
    mechanisms = package.Mechanism
    if algorithm.scheme is Scheme.RSA_PKCS1:
        signature = key.sign(_digest_info(algorithm.digest, digest), mechanism=mechanisms.RSA_PKCS, pin=pin)
    elif algorithm.scheme is Scheme.RSA_PSS:
        name, mask = _hash_names(algorithm.digest)
        parameters = (mechanisms[name], package.MGF[mask], DIGEST_BYTES[algorithm.digest])
        signature = key.sign(digest, mechanism=mechanisms.RSA_PKCS_PSS, mechanism_param=parameters, pin=pin)
    elif algorithm.scheme is Scheme.ECDSA:
        signature = key.sign(digest, mechanism=mechanisms.ECDSA, pin=pin)
    else:
        raise KeyUnavailable(
            "PKCS#11 has no mechanism for SM2", "see docs/keys.md for devices with an interface of their own"
        )
    return bytes(signature)


def _decrypt(key: Handle, pin: str | None, transport: Transport, wrapped: bytes) -> bytes | None:
    """None where it does not open: devices tell that in any way they like."""
    package = binding()
    _require(key, package.DecryptMixin, "decrypt")
    mechanisms = package.Mechanism
    try:
        if transport is Transport.RSA_PKCS1:
            return bytes(key.decrypt(wrapped, mechanism=mechanisms.RSA_PKCS, pin=pin))
        if not transport.value.startswith("rsa-oaep-"):
            return None
        name, mask = _hash_names(transport.value.removeprefix("rsa-oaep-"))
        parameters = (mechanisms[name], package.MGF[mask], None)
        return bytes(
            key.decrypt(wrapped, mechanism=mechanisms.RSA_PKCS_OAEP, mechanism_param=parameters, pin=pin)
        )
    except (
        package.DataInvalid,
        package.DataLenRange,
        package.EncryptedDataInvalid,
        package.EncryptedDataLenRange,
        package.FunctionFailed,
        package.GeneralError,
    ):
        return None


def _require(key: Handle, ability: type, verb: str) -> None:
    if not isinstance(key, ability):
        raise KeyUnavailable(
            f"the key in the token may not {verb}", f"make one whose attributes let it {verb}"
        )


def _digest_info(digest_name: str, digest: bytes) -> bytes:
    """What PKCS#1 v1.5 signs (RFC 8017, section 9.2): the digest under its algorithm's name."""
    identifier = tlv.wrap(tlv.SEQUENCE, tlv.encode_oid(OID_OF_DIGEST[digest_name]) + tlv.wrap(tlv.NULL, b""))
    return tlv.wrap(tlv.SEQUENCE, identifier + tlv.wrap(tlv.OCTET_STRING, digest))


def _hash_names(digest_name: str) -> tuple[str, str]:
    """Names of a hash as mechanism and as mask generation function."""
    upper = digest_name.upper()
    return ("SHA_1" if upper == "SHA1" else upper), upper


def _text(pin: bytes) -> str:
    try:
        return pin.decode("utf-8")
    except UnicodeDecodeError:
        raise KeyUnavailable("the PIN is not UTF-8") from None
