"""Whose certificate may sign here: pinned certificates, and chains to pinned roots.

A `Trust` belongs to one bank (or platform) in one environment. Validity is judged at the
instant that the caller names, which is our time of receipt, never a time that a file claims.
Where the ring has revocation lists for a CA, every certificate of the chain must be covered by
one and be on none (`keys.revocation`); a pinned certificate is withdrawn by ending its entry.

The walk is our own and small, since national algorithms and pins have to fit it. RFC 5280,
section 6.1 without policies and name constraints: a chain in which these are critical is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID
from msgspec import Struct

from keys import tlv
from keys.errors import KeyUnavailable, SignatureMalformed, SignerUntrusted
from keys.public import MINIMUM_RSA_BITS, certified_key
from keys.revocation import Revocations
from keys.x509_signatures import CERTIFICATE_ERRORS, find_extension, object_signature

Certificate = x509.Certificate
"""For those outside who pass certificates on."""
CHAIN_LIMIT = 8
"""Certificates between signer and root; real chains have one or two."""
_CHECK_LIMIT = 64
"""Signatures looked at for one signer: many certificates of one name must not cost hours."""
_KNOWN_CRITICAL = {
    ExtensionOID.BASIC_CONSTRAINTS,
    ExtensionOID.KEY_USAGE,
    ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
}
_FOREIGN_PURPOSES = {
    ExtendedKeyUsageOID.SERVER_AUTH,
    ExtendedKeyUsageOID.TIME_STAMPING,
    ExtendedKeyUsageOID.OCSP_SIGNING,
}
"""A certificate for these alone was not given to sign files."""


class AnchorKind(StrEnum):
    ROOT = "root"
    SIGNER = "signer"


class Anchor(Struct, frozen=True):
    """One pinned certificate of a ring."""

    key_id: str
    certificate: x509.Certificate
    kind: AnchorKind
    subjects: tuple[x509.Name, ...] = ()
    """Roots only: who may sign among those that the CA certified; empty: all of them."""
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    revocations: Revocations | None = None
    """Roots only; None: nobody asks for lists."""


class Trust:
    """The certificates by which one party's signatures are accepted, in one environment."""

    def __init__(
        self,
        owner: str,
        environment: str,
        anchors: Sequence[Anchor],
        strangers: Mapping[str, str] | None = None,
    ) -> None:
        """`strangers`: SHA-256 (hex) of certificates of others in the ring, and whose they are."""
        self.owner = owner
        self.environment = environment
        self._anchors = tuple(anchors)
        self._strangers = dict(strangers or {})

    @property
    def is_empty(self) -> bool:
        """Whether nobody's signature counts."""
        return not self._anchors

    @property
    def pinned(self) -> list[x509.Certificate]:
        """Signers' own certificates that are pinned."""
        return [anchor.certificate for anchor in self._anchors if anchor.kind is AnchorKind.SIGNER]

    def accept(self, certificate: x509.Certificate, others: Sequence[x509.Certificate], at: datetime) -> str:
        """Key id of the pin or root by which `certificate` may sign; raises `SignerUntrusted`.

        `others` are the certificates that came along; none of them is trusted by itself.
        """
        digest = certificate_sha256(certificate)
        if digest in self._strangers:
            raise self._untrusted(certificate, f"it belongs to {self._strangers[digest]}")
        pins = [anchor for anchor in self._anchors if anchor.kind is AnchorKind.SIGNER]
        pins = [anchor for anchor in pins if anchor.certificate == certificate]
        self._require_signer(certificate, at, pinned=bool(pins))
        roots = [anchor for anchor in self._anchors if anchor.kind is AnchorKind.ROOT]
        reached = pins or self._reach(roots, certificate, others, at)
        refusals = [_refuse_anchor(anchor, certificate, at) for anchor in reached]
        for anchor, refusal in zip(reached, refusals, strict=True):
            if not refusal:
                return anchor.key_id
        raise self._untrusted(certificate, "; ".join(refusals))

    def _reach(
        self,
        roots: Sequence[Anchor],
        certificate: x509.Certificate,
        others: Sequence[x509.Certificate],
        at: datetime,
    ) -> list[Anchor]:
        """The roots that a chain leads to; more than one where a CA is pinned twice or renewed."""
        reached, objections = [], []
        for anchor in roots:
            walk = _Walk(anchor, others, at)
            if walk.climb([certificate]):
                reached.append(anchor)
            objections += walk.objections
        if not reached:
            why = "; ".join(objections) or f"no certificate of {certificate.issuer.rfc4514_string()}"
            raise self._untrusted(certificate, f"no chain to a pinned root: {why}")
        return reached

    def _require_signer(self, certificate: x509.Certificate, at: datetime, pinned: bool) -> None:
        objection = _object_validity(certificate, at) or _object_key(certificate)
        objection = objection or _object_signer_use(certificate, pinned)
        if objection:
            raise self._untrusted(certificate, objection)

    def _untrusted(self, certificate: x509.Certificate, why: str) -> SignerUntrusted:
        return SignerUntrusted(
            f"{certificate.subject.rfc4514_string()} (serial {serial_hex(certificate)}) may not sign for "
            f"{self.owner} in {self.environment}: {why}",
            "compare with the bank; a new certificate goes into the keyring first",
        )


class _Walk:
    """Looks for a chain to one root, and remembers why candidates were refused."""

    def __init__(self, anchor: Anchor, others: Sequence[x509.Certificate], at: datetime) -> None:
        self.objections: list[str] = []
        self._root = anchor.certificate
        self._revocations = anchor.revocations
        self._others = others
        self._at = at
        self._checks = 0

    def climb(self, path: list[x509.Certificate]) -> bool:
        """Whether the last certificate of `path` leads to the root; `path` begins with the signer."""
        if self._issued(self._root, path):
            return True
        if len(path) > CHAIN_LIMIT:
            return False
        return any(
            other not in path and self._issued(other, path) and self.climb([*path, other])
            for other in self._others
        )

    def _issued(self, issuer: x509.Certificate, path: list[x509.Certificate]) -> bool:
        if issuer.subject != path[-1].issuer or self._checks >= _CHECK_LIMIT:
            return False
        self._checks += 1
        objection = _object_issuer(issuer, path, self._at)
        if not objection and self._revocations is not None:
            objection = self._revocations.object(path[-1], issuer, self._at)
        if objection:
            self.objections.append(f"{issuer.subject.rfc4514_string()}: {objection}")
        return not objection


def parse_certificate(der: bytes) -> x509.Certificate:
    """A certificate that somebody sent along; raises `SignatureMalformed`."""
    _require_strict(der)
    try:
        certificate = x509.load_der_x509_certificate(der)
        # These are parsed when they are asked for: ask now, so that no later step can fail.
        _ = certificate.subject, certificate.issuer, certificate.extensions
        _ = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    except CERTIFICATE_ERRORS:
        raise SignatureMalformed("a certificate in the signature cannot be read") from None
    return certificate


def _require_strict(der: bytes) -> None:
    """What the library lets pass: bits that are left over, and serial numbers below one.

    The former would let one certificate have several forms of bytes.
    """
    whole = tlv.read_elements(der)
    fields = whole[0].children() if len(whole) == 1 else []
    if len(fields) != 3 or fields[2].content[:1] != b"\0":
        raise SignatureMalformed("a certificate in the signature is not DER")
    inner = fields[0].children()
    serial = next((field for field in inner if field.identifier == tlv.INTEGER), None)
    if serial is None or tlv.decode_integer(serial) <= 0:
        raise SignatureMalformed("a certificate in the signature has no serial number above 0")


def certificate_sha256(certificate: x509.Certificate) -> str:
    """SHA-256 of the whole certificate, in hex."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def serial_hex(certificate: x509.Certificate) -> str:
    return f"{certificate.serial_number:X}"


def parse_subjects(subjects: Iterable[str]) -> tuple[x509.Name, ...]:
    """Names as `CN=...,O=...,C=CN` (RFC 4514); raises `ValueError`."""
    return tuple(x509.Name.from_rfc4514_string(subject) for subject in subjects)


def object_anchor(certificate: x509.Certificate, kind: AnchorKind) -> str:
    """Why this certificate could never be used as a pin, or as a root; empty where it could."""
    if kind is AnchorKind.SIGNER:
        return _object_key(certificate) or _object_signer_use(certificate, pinned=True)
    return _object_key(certificate) or _object_authority(certificate)


def _refuse_anchor(anchor: Anchor, certificate: x509.Certificate, at: datetime) -> str:
    """Why this pin does not take the certificate; empty where it does."""
    if anchor.valid_from is not None and at < anchor.valid_from:
        return f"{anchor.key_id} is accepted from {anchor.valid_from}, looked at {at}"
    if anchor.valid_until is not None and at >= anchor.valid_until:
        return f"{anchor.key_id} was accepted until {anchor.valid_until}, looked at {at}"
    if anchor.subjects and certificate.subject not in anchor.subjects:
        return f"{anchor.key_id} certified it, but it is not among the subjects listed there"
    return ""


def _object_validity(certificate: x509.Certificate, at: datetime) -> str:
    if at < certificate.not_valid_before_utc:
        return f"not yet valid at {at}, from {certificate.not_valid_before_utc}"
    if at > certificate.not_valid_after_utc:
        return f"expired at {certificate.not_valid_after_utc}, looked at {at}"
    return ""


def _object_key(certificate: x509.Certificate) -> str:
    """What is wrong with the key, or with extensions that must be understood."""
    try:
        key = certified_key(certificate)
    except KeyUnavailable as error:
        return str(error)
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < MINIMUM_RSA_BITS:
        return f"its RSA key has {key.key_size} bits, at least {MINIMUM_RSA_BITS} are wanted"
    for extension in certificate.extensions:
        if extension.critical and extension.oid not in _KNOWN_CRITICAL:
            return f"it has the critical extension {extension.oid.dotted_string}, which is not known here"
    return ""


def _object_signer_use(certificate: x509.Certificate, pinned: bool) -> str:
    usage = find_extension(certificate.extensions, x509.KeyUsage)
    if usage is not None and not (usage.digital_signature or usage.content_commitment):
        return "its key usage allows no signatures"
    purposes = find_extension(certificate.extensions, x509.ExtendedKeyUsage)
    if purposes is not None and _FOREIGN_PURPOSES.issuperset(purposes):
        return "its extended key usage is for servers or time stamps only"
    constraints = find_extension(certificate.extensions, x509.BasicConstraints)
    if constraints is not None and constraints.ca and not pinned:
        return "it is the certificate of a CA, not of a signer"
    return ""


def _object_authority(certificate: x509.Certificate) -> str:
    constraints = find_extension(certificate.extensions, x509.BasicConstraints)
    usage = find_extension(certificate.extensions, x509.KeyUsage)
    if constraints is None or not constraints.ca:
        return "not a CA"
    if usage is not None and not usage.key_cert_sign:
        return "its key usage allows no certificates"
    return ""


def _object_issuer(issuer: x509.Certificate, path: list[x509.Certificate], at: datetime) -> str:
    """Why `issuer` cannot have certified the last of `path`; empty where it did."""
    objection = _object_authority(issuer)
    constraints = find_extension(issuer.extensions, x509.BasicConstraints)
    if objection or constraints is None:
        return objection
    between = sum(1 for certificate in path[1:] if certificate.subject != certificate.issuer)
    if constraints.path_length is not None and between > constraints.path_length:
        return f"{between} CAs below it, at most {constraints.path_length} are allowed"
    return _object_validity(issuer, at) or _object_key(issuer) or object_signature(path[-1], issuer)
