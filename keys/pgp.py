"""OpenPGP (RFC 4880, RFC 9580): signed, encrypted, both, and signatures beside a file.

Keys are pinned as whole certificates; there is no web of trust. Every signature of a message
must verify and be by somebody who may sign: the package is content with one. It judges by the
time that a signature claims; here the certificate, and the very key in it that signed, are judged
at our time of receipt as well. Digests and keys that the package holds too weak are refused by it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import Struct

from keys.cms_verify import Verdict
from keys.errors import (
    DecryptionFailed,
    KeyUnavailable,
    SignatureInvalid,
    SignatureMalformed,
    SignerUntrusted,
)
from keys.pgp_library import Failed, attempt, bounded_output, content_of, in_memory, library
from keys.secret_sources import read_pinned_file, read_private_file

_SIGNATURE_LIMIT_BYTES = 256 * 1024
_Certificate = Any
"""Objects of the package, which is asked for only where it is used."""


class PgpCertificate(Struct, frozen=True):
    """A public certificate, and when each key in it may be used."""

    certificate: _Certificate
    fingerprint: str
    """Of the primary key, lower-case hex."""
    subject: str
    """Its first user id."""
    windows: dict[str, tuple[datetime, datetime | None]]
    """By fingerprint of a key in it: when it was made, and when it expires."""

    @property
    def valid_from(self) -> datetime:
        return self.windows[self.fingerprint][0]

    @property
    def valid_until(self) -> datetime | None:
        return self.windows[self.fingerprint][1]

    def object(self, key: str, at: datetime) -> str:
        """Why the key of that fingerprint cannot be used at `at`; empty where it can."""
        if self.certificate.is_revoked:
            return "it is revoked"
        for fingerprint in (self.fingerprint, key):
            begin, end = self.windows.get(fingerprint, (at, None))
            if at < begin:
                return f"not yet valid at {at}, from {begin}"
            if end is not None and at >= end:
                return f"expired at {end}, looked at {at}"
        return ""


class PgpKey:
    """Our secret key: signs, and opens what was encrypted to it. Nothing secret is shown."""

    def __init__(self, key_id: str, secret: Any, password: str | None, certificate: PgpCertificate) -> None:
        self.key_id = key_id
        self.certificate = certificate
        self._secret = secret
        self._password = password

    def __repr__(self) -> str:
        return f"PgpKey({self.key_id!r}, {self.certificate.fingerprint!r})"

    def signer(self) -> Any:
        return self._ability("signer", "sign")

    def decryptor(self) -> Any:
        return self._ability("decryptor", "decrypt")

    def _ability(self, name: str, verb: str) -> Any:
        try:
            return attempt(lambda: getattr(self._secret, name)(self._password))
        except Failed:
            raise KeyUnavailable(
                f"OpenPGP key {self.key_id} does not {verb}",
                "it has no such subkey, or the password is another, or there is one and it needs none",
            ) from None


class PgpAnchor(Struct, frozen=True):
    """One pinned certificate of a ring."""

    key_id: str
    certificate: PgpCertificate
    valid_from: datetime | None = None
    valid_until: datetime | None = None


class PgpTrust:
    """The certificates by which one party's signatures are accepted, in one environment."""

    def __init__(
        self,
        owner: str,
        environment: str,
        anchors: Sequence[PgpAnchor],
        strangers: Mapping[str, str] | None = None,
    ) -> None:
        """`strangers`: fingerprints of certificates of others in the ring, and whose they are."""
        self.owner = owner
        self.environment = environment
        self.anchors = tuple(anchors)
        self._strangers = dict(strangers or {})

    def accept(self, fingerprint: str, key: str, at: datetime) -> PgpAnchor:
        """The pin of that certificate, whose `key` signed; raises `SignerUntrusted`."""
        refusals = []
        for anchor in self.anchors:
            if anchor.certificate.fingerprint == fingerprint:
                refusal = _refuse(anchor, key, at)
                if not refusal:
                    return anchor
                refusals.append(refusal)
        raise self.untrusted(fingerprint, "; ".join(refusals) or "it is not pinned")

    def untrusted(self, fingerprint: str, why: str) -> SignerUntrusted:
        whose = self._strangers.get(fingerprint)
        return SignerUntrusted(
            f"OpenPGP key {fingerprint.upper()} may not sign for {self.owner} in {self.environment}: "
            + (f"it belongs to {whose}" if whose else why),
            "compare with the bank; a new certificate goes into the keyring first",
        )


def load_pgp_certificate(path: Path) -> PgpCertificate:
    """The one public certificate in a file, armoured or not; raises `KeyUnavailable`."""
    return _certificate(_parse(read_pinned_file(path), path, "Cert"), path)


def load_pgp_key(key_id: str, path: Path, password: bytes | None) -> PgpKey:
    """The secret key in a file of mode 0600; raises `KeyUnavailable`."""
    secret = _parse(read_private_file(path), path, "Tsk")
    try:
        word = None if password is None else password.decode("utf-8")
    except UnicodeDecodeError:
        raise KeyUnavailable(f"the password of {path} is not UTF-8") from None
    return PgpKey(key_id, secret, word, _certificate(secret.extract_certificate(), path))


def seal_message(
    content: bytes,
    signer: PgpKey | None,
    recipients: Sequence[PgpCertificate],
    at: datetime,
    *,
    armoured: bool = False,
) -> bytes:
    """A message, signed where there is a signer, encrypted where there are recipients; not neither.

    Raises `KeyUnavailable` where a recipient's certificate cannot receive at `at`.
    """
    package = library()
    for recipient in recipients:
        if objection := recipient.object(recipient.fingerprint, at):
            raise KeyUnavailable(f"OpenPGP key {recipient.fingerprint.upper()} cannot receive: {objection}")
    if not recipients:
        if signer is None:
            raise KeyUnavailable("an OpenPGP message that is neither signed nor encrypted")
        held = signer.signer()
        return bytes(attempt(lambda: package.sign(held, content, armor=armoured)))
    certificates = [recipient.certificate for recipient in recipients]
    maker = None if signer is None else signer.signer()
    try:
        return bytes(
            attempt(lambda: package.encrypt(content, recipients=certificates, signer=maker, armor=armoured))
        )
    except Failed:
        raise KeyUnavailable(
            "an OpenPGP certificate of the recipients cannot receive", "it has no subkey to encrypt to"
        ) from None


def sign_beside(content: bytes, signer: PgpKey, *, armoured: bool = False) -> bytes:
    """A detached signature."""
    package = library()
    held = signer.signer()
    mode = package.SignatureMode.DETACHED
    return bytes(attempt(lambda: package.sign(held, content, mode=mode, armor=armoured)))


def open_message(
    message: bytes, keys: Sequence[PgpKey], trust: PgpTrust | None, at: datetime
) -> tuple[bytes, Verdict | None]:
    """What is in a message, and who signed it.

    With `keys` it is decrypted by the first of them that can; without, it is only signed. Without
    a `trust` nobody asks who made it. Raises `DecryptionFailed` for everything that goes wrong
    before a signature is looked at, `SignatureMalformed`, `SignatureInvalid`, `SignerUntrusted`.
    """
    asked: list[list[str]] = []
    store = None if trust is None else _store(trust, asked)
    # What is not encrypted opens with anything; the package wants to be given something.
    ways = [{"decryptor": key.decryptor()} for key in keys] or [{"passwords": [""]}]
    with in_memory(message) as (_, source), in_memory() as (made, sink), bounded_output():
        if keys and _first_that_opens(source, sink, None, [{"passwords": [""]}], []) is not None:
            raise SignatureMalformed(
                "the OpenPGP message is not encrypted, and it is wanted so",
                "ask the bank to encrypt it to our key",
            )
        result = _first_that_opens(source, sink, store, ways, asked)
        content = content_of(made)
    if result is None:
        raise _failure(asked, bool(keys), trust)
    if trust is None:
        return content, None
    return content, _judge(result.valid_sigs, asked, trust, at, content)


def _first_that_opens(
    source: str, sink: str, store: Any, ways: Sequence[dict[str, Any]], asked: list[list[str]]
) -> Any:
    for way in ways:
        try:
            return attempt(partial(library().decrypt_file, source, sink, store=store, **way))
        except Failed:
            if asked:
                # It did open, and its signatures are what is wrong.
                return None
    return None


def verify_beside(content: bytes, signature: bytes, trust: PgpTrust, at: datetime) -> Verdict:
    """Verify every detached signature in `signature`, armoured or not; raises as `open_message`."""
    package = library()
    if len(signature) > _SIGNATURE_LIMIT_BYTES:
        raise SignatureMalformed(f"an OpenPGP signature of {len(signature)} bytes")
    try:
        packets = list(attempt(lambda: package.packet.PacketPile.from_bytes(signature)))
        signatures = [attempt(partial(_signature, each)) for each in packets]
    except Failed:
        signatures = []
    if not signatures:
        raise SignatureMalformed("not an OpenPGP signature")
    verdicts = []
    for each in signatures:
        asked: list[list[str]] = []
        try:
            verify = partial(package.verify, bytes=content, store=_store(trust, asked), signature=each)
            result = attempt(verify)
        except Failed:
            raise _failure(asked, False, trust) from None
        verdicts.append(_judge(result.valid_sigs, asked, trust, at, content))
    return verdicts[0]


def _signature(packet: Any) -> Any:
    """Both steps refuse what they do not know."""
    return library().Sig.from_bytes(bytes(packet))


def _store(trust: PgpTrust, asked: list[list[str]]) -> Any:
    """Gives the package all pinned certificates, and remembers whose signatures it met."""

    def certificates(issuers: list[str]) -> list[_Certificate]:
        asked.append(list(issuers))
        return [anchor.certificate.certificate for anchor in trust.anchors]

    return certificates


def _failure(
    asked: list[list[str]], decrypts: bool, trust: PgpTrust | None
) -> DecryptionFailed | SignatureInvalid | SignatureMalformed | SignerUntrusted:
    if not asked:
        return DecryptionFailed() if decrypts else SignatureMalformed("not a signed OpenPGP message")
    if not asked[0]:
        return SignatureMalformed("the OpenPGP message is not signed")
    known = {key for anchor in trust.anchors for key in anchor.certificate.windows} if trust else set()
    for issuer in asked[0]:
        if trust is not None and not _is_known(issuer, known):
            return trust.untrusted(issuer, "it is not pinned")
    return SignatureInvalid(
        "an OpenPGP signature does not hold, or its digest or key is too weak",
        "the content may be another; SHA-1, MD5 and RSA below 2048 bits are too weak; and a signature that is"
        " compressed inside an encryption cannot be looked at: gpg --compress-algo none",
    )


def _judge(
    valid: Sequence[Any], asked: list[list[str]], trust: PgpTrust, at: datetime, content: bytes
) -> Verdict:
    """Every signature that was met must be among those that hold, each by a pin."""
    made = {signature.signing_key for signature in valid}
    for issuer in asked[0]:
        if not _is_known(issuer, made):
            raise _failure(asked, False, trust)
    anchors = [trust.accept(signature.certificate, signature.signing_key, at) for signature in valid]
    first = anchors[0]
    return Verdict(
        first.certificate.fingerprint,
        first.certificate.subject,
        valid[0].signing_key.upper(),
        "openpgp",
        hashlib.sha256(content).hexdigest(),
        None,
        first.key_id,
    )


def _is_known(issuer: str, fingerprints: set[str]) -> bool:
    """An issuer is told by fingerprint, or by the shorter key id that it ends with."""
    return any(fingerprint == issuer or fingerprint.endswith(issuer) for fingerprint in fingerprints)


def _refuse(anchor: PgpAnchor, key: str, at: datetime) -> str:
    if anchor.valid_from is not None and at < anchor.valid_from:
        return f"{anchor.key_id} is accepted from {anchor.valid_from}, looked at {at}"
    if anchor.valid_until is not None and at >= anchor.valid_until:
        return f"{anchor.key_id} was accepted until {anchor.valid_until}, looked at {at}"
    return anchor.certificate.object(key, at)


def _parse(content: bytes, path: Path, kind: str) -> Any:
    package = library()
    what = "an OpenPGP certificate" if kind == "Cert" else "an OpenPGP secret key"
    try:
        tags = attempt(lambda: [each.tag for each in package.packet.PacketPile.from_bytes(content)])
    except Failed:
        tags = []
    secrets = tags.count(package.packet.Tag.SecretKey)
    if secrets + tags.count(package.packet.Tag.PublicKey) > 1:
        raise KeyUnavailable(f"{path} holds several OpenPGP certificates, wanted one")
    try:
        parsed = attempt(lambda: getattr(package, kind).from_bytes(content))
    except Failed:
        raise KeyUnavailable(f"{path} is not {what}") from None
    if kind == "Tsk" and not secrets:
        raise KeyUnavailable(f"{path} is not {what}")
    if kind == "Cert" and secrets:
        raise KeyUnavailable(
            f"{path} holds a secret key where a certificate is wanted",
            "consider the key known to others; ask for the public certificate",
        )
    return parsed


def _certificate(certificate: _Certificate, path: Path) -> PgpCertificate:
    try:
        windows = attempt(lambda: _windows(certificate))
    except Failed:
        raise KeyUnavailable(
            f"{path}: the OpenPGP certificate is too weak, or says nothing about itself that holds",
            "its keys need 2048 bits of RSA or a curve, and its own signatures SHA-256 or stronger",
        ) from None
    names = [str(each) for each in certificate.user_ids]
    return PgpCertificate(certificate, certificate.fingerprint, names[0] if names else "", windows)


def _windows(certificate: _Certificate) -> dict[str, tuple[datetime, datetime | None]]:
    """When each key was made, and until when its newest binding says that it is used."""
    packets = library().packet
    primary = certificate.fingerprint
    windows: dict[str, tuple[datetime, datetime | None]] = {}
    current, newest = "", datetime.min.replace(tzinfo=UTC)
    for each in packets.PacketPile.from_bytes(bytes(certificate)):
        if each.tag in (packets.Tag.PublicKey, packets.Tag.PublicSubkey):
            current, newest = each.fingerprint, datetime.min.replace(tzinfo=UTC)
            windows[current] = (each.key_created, None)
        elif each.tag == packets.Tag.Signature and each.signature_type == packets.SignatureType.SubkeyBinding:
            made = each.signature_created
            if made is not None and made > newest:
                period = each.key_validity_period
                windows[current] = (
                    windows[current][0],
                    None if period is None else windows[current][0] + period,
                )
                newest = made
    windows[primary] = (windows[primary][0], certificate.expiration)
    return windows
