"""One key for two purposes: what would mix up owners, environments and roles is refused.

A certificate is pinned for one owner and environment; a person's key is that person's alone, for
ever, and no machine's: who can use a machine's key could decide in a person's name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from cryptography import x509

from keys.certificates import certificate_sha256
from keys.certified import public_key_text
from keys.errors import KeyringMistake, KeyUnavailable
from keys.keyring_file import Entry
from keys.keyring_loaded import LoadedKeys
from keys.public import certified_key


def find_shared(path: Path, keys: LoadedKeys) -> list[KeyringMistake]:
    """A certificate pinned for two owners, or in both environments, would mix them up."""
    pinned, received, pgp = [], [], []
    for entry in keys.entries:
        if entry.ca is None:
            found = keys.certificates.get(entry.id, [])
            pinned += [(entry, certificate_sha256(certificate)) for certificate in found]
        if entry.id in keys.recipients:
            received.append((entry, certificate_sha256(keys.recipients[entry.id])))
        if entry.id in keys.pgp_certificates:
            pgp.append((entry, keys.pgp_certificates[entry.id].fingerprint))
    shared = [mistake for pins in (pinned, received, pgp) for mistake in _shared_of(path, pins)]
    return shared + _find_shared_by_persons(path, keys)


def _shared_of(path: Path, pins: Sequence[tuple[Entry, str]]) -> list[KeyringMistake]:
    """`pins`: entries with the digest of a certificate of theirs."""
    mistakes = []
    owners: dict[str, Entry] = {}
    for entry, digest in pins:
        first = owners.setdefault(digest, entry)
        if (first.role, first.owner, first.environment) != (entry.role, entry.owner, entry.environment):
            message = (
                f"{entry.id}: the same certificate is pinned in line {first.line} for {first.owner} "
                f"in {first.environment.value}"
            )
            mistakes.append(KeyringMistake(str(path), entry.line, message))
    return mistakes


def _find_shared_by_persons(path: Path, keys: LoadedKeys) -> list[KeyringMistake]:
    """One key under two names would let one person decide as two."""
    mistakes = []
    owners: dict[str, Entry] = {}
    machines = keys_of_machines(keys)
    for entry in keys.entries:
        person = keys.persons.get(entry.id)
        if person is None:
            continue
        if (machine := machines.get(person.public_key)) is not None:
            message = f"{entry.id}: the same key is in line {machine.line}, where it is {machine.role}"
            hint = "a person's key is no machine's: have the person make one (bankgate operator new-key)"
            mistakes.append(KeyringMistake(str(path), entry.line, message, hint))
        first = owners.setdefault(person.public_key, entry)
        if first.owner != entry.owner:
            message = f"{entry.id}: the same key is enrolled in line {first.line} for {first.owner}"
            hint = "each person makes a key of the own; it stays that person's for ever"
            mistakes.append(KeyringMistake(str(path), entry.line, message, hint))
    return mistakes


def keys_of_machines(keys: LoadedKeys) -> dict[str, Entry]:
    """Entries that are no person's, by public key (as `public_key_text`) of their certificates."""
    return dict(_keys_of_machines(keys))


def _keys_of_machines(keys: LoadedKeys) -> Iterator[tuple[str, Entry]]:
    """The public key of every certificate that the ring has for something else than a person."""
    for entry in keys.entries:
        certificates = list(keys.certificates.get(entry.id, []))
        if entry.id in keys.recipients:
            certificates.append(keys.recipients[entry.id])
        for holder in (keys.signers.get(entry.id), keys.decrypters.get(entry.id)):
            if holder is not None:
                certificates.append(x509.load_der_x509_certificate(holder.certificate_der))
        for certificate in certificates:
            with suppress(KeyUnavailable):
                yield public_key_text(certified_key(certificate)), entry
