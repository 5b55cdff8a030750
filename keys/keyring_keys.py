"""Opens the keys that the entries of a ring name, and collects what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from keys.algorithms import ALGORITHMS
from keys.certificates import AnchorKind, object_anchor
from keys.certified import public_key_text
from keys.cms_recipients import require_receiving
from keys.errors import KeyringMistake, KeyUnavailable
from keys.fingerprint import Fingerprinter
from keys.keyring_file import Entry, Environment, Role, parse_host_keys
from keys.keyring_loaded import LoadedKeys, Login, PersonVerifier
from keys.keyring_shared import find_shared
from keys.keyring_tokens import Tokens
from keys.master import MasterKey, SymmetricKey, load_symmetric_key
from keys.pgp import load_pgp_certificate, load_pgp_key
from keys.pkcs11 import TokenKey
from keys.pkcs11_uri import TokenKeyName
from keys.private import (
    PrivateKey,
    load_certificates,
    load_pkcs12,
    load_pkcs12_signer,
    load_private_key,
    load_signer,
    make_decrypter,
    make_encrypter,
    make_signer,
    parse_certificates,
    parse_public_key,
)
from keys.public import certified_key
from keys.revocation import RevocationFile, Revocations
from keys.secret_sources import SecretSource, read_pinned_file, read_private_file
from keys.services import ServiceKey, open_service_key
from keys.signer import Signer
from keys.verifier import make_verifier


def load_keys(
    path: Path, entries: Sequence[Entry], environment: Environment
) -> tuple[LoadedKeys, list[KeyringMistake]]:
    """Open the keys of `environment`; every one that does not open is a mistake at its entry."""
    keys = LoadedKeys(list(entries), Tokens(path))
    mistakes = []
    for entry in entries:
        try:
            if entry.environment is environment:
                _LOADERS[entry.role](keys, entry)
            else:
                _load_foreign(keys, entry)
        except KeyUnavailable as error:
            mistakes.append(KeyringMistake(str(path), entry.line, f"{entry.id}: {error}", error.hint))
    return keys, mistakes + find_shared(path, keys)


def _load_sign(keys: LoadedKeys, entry: Entry) -> None:
    _open_signer(keys, entry)
    own = x509.load_der_x509_certificate(keys.signers[entry.id].certificate_der)
    if objection := object_anchor(own, AnchorKind.SIGNER):
        raise KeyUnavailable(f"its certificate is not for signing: {objection}", "no bank should accept it")


def _open_signer(keys: LoadedKeys, entry: Entry) -> None:
    password = _read_optional(entry.password)
    if entry.pkcs12 is not None:
        keys.signers[entry.id] = load_pkcs12_signer(entry.id, entry.pkcs12, password, entry.algorithm)
    elif entry.pkcs11 is not None and entry.certificate is not None:
        keys.signers[entry.id] = _load_token_key(keys, entry, entry.pkcs11, entry.certificate)
    elif entry.service and entry.certificate is not None:
        keys.signers[entry.id] = _load_service_key(entry, entry.certificate)
    elif entry.private_key is not None:
        keys.signers[entry.id] = load_signer(
            entry.id, entry.private_key, entry.certificate, password, entry.algorithm
        )


def _load_service_key(entry: Entry, certificate: Path) -> Signer:
    own, *chain = load_certificates(certificate)
    chain_der = tuple(each.public_bytes(Encoding.DER) for each in chain)
    key = _service_key(entry, own)
    return make_signer(key, entry.id, own.public_bytes(Encoding.DER), entry.algorithm, chain_der)


def _service_key(entry: Entry, certificate: x509.Certificate) -> ServiceKey:
    secret = _read_optional(entry.service_secret)
    return open_service_key(entry.service, entry.service_key, certified_key(certificate), secret)


def _load_token_key(keys: LoadedKeys, entry: Entry, name: TokenKeyName, certificate: Path) -> Signer:
    own, *chain = load_certificates(certificate)
    key = keys.tokens.key(name, entry.pin, certified_key(own))
    chain_der = tuple(each.public_bytes(Encoding.DER) for each in chain)
    return make_signer(key, entry.id, own.public_bytes(Encoding.DER), entry.algorithm, chain_der)


def _load_decrypt(keys: LoadedKeys, entry: Entry) -> None:
    password = _read_optional(entry.password)
    key: PrivateKey | TokenKey | ServiceKey
    if entry.pkcs12 is not None:
        key, certificate, _ = load_pkcs12(entry.pkcs12, password)
    elif entry.certificate is None:
        return
    else:
        certificate = load_certificates(entry.certificate)[0]
        if entry.pkcs11 is not None:
            key = keys.tokens.key(entry.pkcs11, entry.pin, certified_key(certificate))
        elif entry.service:
            key = _service_key(entry, certificate)
        else:
            key = load_private_key(entry.private_key or Path(), password)
    keys.decrypters[entry.id] = make_decrypter(key, entry.id, certificate.public_bytes(Encoding.DER))


def _load_encrypt(keys: LoadedKeys, entry: Entry) -> None:
    if entry.certificate is not None:
        certificate = parse_certificates(read_pinned_file(entry.certificate), entry.certificate)[0]
        require_receiving(certificate)
        make_encrypter(certificate)
        keys.recipients[entry.id] = certificate


def _load_verify(keys: LoadedKeys, entry: Entry) -> None:
    path = entry.ca or entry.certificate
    if path is not None:
        keys.certificates[entry.id] = parse_certificates(read_pinned_file(path), path)
        kind = AnchorKind.SIGNER if entry.ca is None else AnchorKind.ROOT
        for certificate in keys.certificates[entry.id]:
            if objection := object_anchor(certificate, kind):
                raise KeyUnavailable(
                    f"{path} cannot be pinned as {kind.value}: {objection}",
                    "no file would ever be accepted by it",
                )
    if entry.crls:
        lists = [RevocationFile(each) for each in entry.crls]
        keys.revocations[entry.id] = Revocations(lists, entry.crl_grace or timedelta())


def _load_foreign(keys: LoadedKeys, entry: Entry) -> None:
    """Certificates of the other environment: what is not on this machine is no mistake."""
    path = entry.certificate
    if entry.role in {Role.VERIFY, Role.PLATFORM_VERIFY} and path is not None and path.exists():
        keys.certificates[entry.id] = load_certificates(path)
    if entry.role is Role.PGP_CERTIFICATE and path is not None and path.exists():
        _load_pgp_certificate(keys, entry)


def _load_pgp_key(keys: LoadedKeys, entry: Entry) -> None:
    if entry.private_key is not None:
        keys.pgp_keys[entry.id] = load_pgp_key(entry.id, entry.private_key, _read_optional(entry.password))


def _load_pgp_certificate(keys: LoadedKeys, entry: Entry) -> None:
    if entry.certificate is not None:
        keys.pgp_certificates[entry.id] = load_pgp_certificate(entry.certificate)


def _load_login(keys: LoadedKeys, entry: Entry) -> None:
    if entry.private_key is not None:
        # Only looked at here; the SSH library reads it again by its path.
        read_private_file(entry.private_key)
    passphrase, password = _read_text(entry.password), _read_text(entry.login_password)
    keys.logins[entry.id] = Login(entry.id, entry.private_key, passphrase, password)


def _load_host_pins(keys: LoadedKeys, entry: Entry) -> None:
    keys.host_pins[entry.id] = list(entry.pins)
    if entry.host_keys is not None:
        try:
            keys.host_pins[entry.id] = parse_host_keys(read_pinned_file(entry.host_keys).decode("utf-8"))
        except ValueError as error:
            raise KeyUnavailable(f"{entry.host_keys}: {error}") from None


def _load_master(keys: LoadedKeys, entry: Entry) -> None:
    key = _read_symmetric(entry)
    keys.masters[entry.id] = MasterKey(entry.id, key.secret, key.suite)


def _load_fingerprint(keys: LoadedKeys, entry: Entry) -> None:
    keys.fingerprinters[entry.id] = Fingerprinter(_read_symmetric(entry).secret, entry.id)


def _load_person(keys: LoadedKeys, entry: Entry) -> None:
    if entry.public_key is not None:
        algorithm = ALGORITHMS[entry.algorithm] if entry.algorithm else None
        public_key = parse_public_key(read_pinned_file(entry.public_key), entry.public_key)
        verifier = make_verifier(public_key, algorithm)
        keys.persons[entry.id] = PersonVerifier(entry.id, verifier, public_key_text(public_key))


_LOADERS: dict[Role, Callable[[LoadedKeys, Entry], Any]] = {
    Role.SIGN: _load_sign,
    Role.VERIFY: _load_verify,
    Role.DECRYPT: _load_decrypt,
    Role.ENCRYPT: _load_encrypt,
    Role.PGP_KEY: _load_pgp_key,
    Role.PGP_CERTIFICATE: _load_pgp_certificate,
    Role.PLATFORM_VERIFY: _load_verify,
    Role.SSH_LOGIN: _load_login,
    Role.HOST_PIN: _load_host_pins,
    Role.SPOOL_MASTER: _load_master,
    Role.FINGERPRINT: _load_fingerprint,
    Role.PERSON: _load_person,
    Role.JOURNAL_SIGN: _load_sign,
}


def _read_symmetric(entry: Entry) -> SymmetricKey:
    if entry.key is None:
        raise KeyUnavailable("key is missing")
    key = load_symmetric_key(entry.key)
    if key.key_id != entry.id:
        raise KeyUnavailable(
            f"the key file holds {key.key_id!r}", "the entry's id must be the one inside the key file"
        )
    return key


def _read_optional(source: SecretSource | None) -> bytes | None:
    return None if source is None else source.read()


def _read_text(source: SecretSource | None) -> str | None:
    if source is None:
        return None
    try:
        return source.read().decode("utf-8")
    except UnicodeDecodeError:
        raise KeyUnavailable(f"the secret in {source} is not UTF-8") from None
