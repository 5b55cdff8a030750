"""Revocation lists (CRLs, RFC 5280, section 5) out of files that somebody fetches for us.

A list is read again when its file changes. It counts only where the CA that it is about signed
it, and until its own `nextUpdate` (with the days of grace that the ring gives): beyond that
nobody knows who was revoked since, and nobody under that CA is believed.

A certificate is refused from the instant on from which its key may have been somebody else's:
the revocation, or the earlier date of invalidity that the CA states. Lists that are a part of
others (deltas, indirect ones, some reasons only) are not known here and refused when they are
loaded; a list for a distribution point covers the certificates that name the point.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from keys.errors import KeyUnavailable
from keys.secret_sources import read_pinned_file
from keys.x509_signatures import CERTIFICATE_ERRORS, find_extension, object_signature

LIMIT_BYTES = 32 << 20
"""Lists of large CAs have some megabytes."""
_KNOWN_CRITICAL = (x509.IssuingDistributionPoint, x509.AuthorityKeyIdentifier, x509.CRLNumber)


class RevocationList:
    """One list, parsed; whether its signature holds is asked for each CA."""

    def __init__(self, content: bytes, place: str) -> None:
        """Raises `KeyUnavailable` for what is no list, or none that can be judged by itself."""
        self.place = place
        try:
            self._list = _parse(content)
            self.issuer = self._list.issuer
            begin, end = self._list.last_update_utc, self._list.next_update_utc
            self._point = _point(self._list, place)
            self._points = frozenset() if self._point is None else _texts(self._point.full_name)
        except (*CERTIFICATE_ERRORS, UnsupportedAlgorithm):
            raise KeyUnavailable(f"{place} is not a revocation list, neither PEM nor DER") from None
        if end is None:
            raise KeyUnavailable(f"{place} does not say until when it holds (nextUpdate)")
        self.this_update: datetime = begin
        self.next_update: datetime = end
        self._signed_by: dict[bytes, str] = {}

    def covers(self, certificate: x509.Certificate) -> bool:
        """Whether the certificate would be on this list if it were revoked."""
        constraints = find_extension(certificate.extensions, x509.BasicConstraints)
        authority = constraints is not None and constraints.ca
        if self._point is not None and (
            (authority and self._point.only_contains_user_certs)
            or (not authority and self._point.only_contains_ca_certs)
        ):
            return False
        return not self._points or not self._points.isdisjoint(_named_points(certificate))

    def object_signature(self, issuer: x509.Certificate) -> str:
        """Why this list is not the issuer's; empty where it is."""
        key = issuer.public_bytes(Encoding.DER)
        if key not in self._signed_by:
            usage = find_extension(issuer.extensions, x509.KeyUsage)
            if usage is not None and not usage.crl_sign:
                self._signed_by[key] = f"{self.place}: its CA's key usage allows no revocation lists"
            else:
                objection = object_signature(self._list, issuer)
                self._signed_by[key] = f"{self.place}: {objection}" if objection else ""
        return self._signed_by[key]

    def revoked_since(self, certificate: x509.Certificate) -> datetime | None:
        """From when on the certificate counts no more; None: it is not on the list."""
        found = self._list.get_revoked_certificate_by_serial_number(certificate.serial_number)
        if found is None:
            return None
        since = found.revocation_date_utc
        stated = find_extension(found.extensions, x509.InvalidityDate)
        return since if stated is None else min(since, stated.invalidity_date_utc)


class RevocationFile:
    """A list in a file; what was read last stays in force while a new one cannot be read."""

    def __init__(self, path: Path) -> None:
        """Raises `KeyUnavailable`."""
        self.path = path
        self._seen = self._stamp()
        self._list = self._read()

    def current(self) -> RevocationList:
        stamp = self._stamp()
        if stamp != self._seen:
            # Half written, or gone: the old list is judged by its own end.
            with contextlib.suppress(KeyUnavailable):
                self._list, self._seen = self._read(), stamp
        return self._list

    def _read(self) -> RevocationList:
        return RevocationList(read_pinned_file(self.path, LIMIT_BYTES), self.path.name)

    def _stamp(self) -> tuple[int, int, int]:
        try:
            found = os.stat(self.path)
        except OSError:
            return (0, 0, 0)
        return (found.st_ino, found.st_size, found.st_mtime_ns)


class Revocations:
    """The lists that stand beside a pinned CA: every certificate under it must be covered by one."""

    def __init__(self, files: Sequence[RevocationFile], grace: timedelta = timedelta()) -> None:
        self._files = tuple(files)
        self.grace = grace

    @property
    def lists(self) -> list[RevocationList]:
        return [file.current() for file in self._files]

    def object(self, certificate: x509.Certificate, issuer: x509.Certificate, at: datetime) -> str:
        """Why `certificate` counts no more at `at`, or why nobody can know; empty where it counts."""
        name = f"{certificate.subject.rfc4514_string()} (serial {certificate.serial_number:X})"
        about = [one for one in self.lists if one.issuer == issuer.subject and one.covers(certificate)]
        refusals = [one.object_signature(issuer) for one in about]
        own = [one for one, refusal in zip(about, refusals, strict=True) if not refusal]
        for one in own:
            since = one.revoked_since(certificate)
            if since is not None and since <= at:
                return f"{name} is revoked since {since}, says {one.place}"
        if not own:
            return "; ".join(refusals) or f"no revocation list in the ring covers {name}"
        last = max(own, key=lambda one: one.next_update)
        if at > last.next_update + self.grace:
            return (
                f"revocation list {last.place} ended at {last.next_update}: nobody knows about {name} since"
            )
        return ""


def _parse(content: bytes) -> x509.CertificateRevocationList:
    if content.lstrip().startswith(b"-----"):
        return x509.load_pem_x509_crl(content)
    return x509.load_der_x509_crl(content)


def _point(found: x509.CertificateRevocationList, place: str) -> x509.IssuingDistributionPoint | None:
    """For which certificates the list is; None: for all of its CA."""
    for extension in found.extensions:
        if extension.critical and not isinstance(extension.value, _KNOWN_CRITICAL):
            raise KeyUnavailable(
                f"{place} has the critical extension {extension.oid.dotted_string}, which is not known here",
                "ask the CA for its complete list",
            )
    point = find_extension(found.extensions, x509.IssuingDistributionPoint)
    if point is not None and (
        point.indirect_crl
        or point.only_some_reasons
        or point.only_contains_attribute_certs
        or point.relative_name is not None
    ):
        raise KeyUnavailable(
            f"{place} is an indirect list or a part of one", "ask the CA for its complete list"
        )
    return point


def _named_points(certificate: x509.Certificate) -> set[str]:
    points = find_extension(certificate.extensions, x509.CRLDistributionPoints)
    return {text for point in points or () for text in _texts(point.full_name)}


def _texts(names: list[x509.GeneralName] | None) -> frozenset[str]:
    return frozenset(str(name.value) for name in names or ())
