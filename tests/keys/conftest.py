"""A bank with a CA of its own, made anew for each run, and OpenSSL as the judge."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from keys.authority import Authority, Identity
from keys.certificate_make import SIGNING_AND_RECEIVING
from keys.certificates import Anchor, AnchorKind, Trust

START = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2028, 1, 1, tzinfo=UTC)
RECEIVED = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)
"""When files of these tests arrive."""


class Bank:
    """A CA, signers of each kind under it, and the files that OpenSSL wants."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority.create("CN=Bank CA,O=Rural Credit,C=CN", START, END)
        self.root_path = folder / "root.pem"
        self.root_path.write_bytes(self.authority.certificate.public_bytes(Encoding.PEM))
        kinds = ("rsa-2048", "rsa-3072", "ec-p256", "ec-p384", "sm2")
        self.identities = {kind: self._issue(kind) for kind in kinds}
        self.trust = root_trust(self.authority.certificate)

    def _issue(self, kind: str) -> Identity:
        subject = f"CN=Settlement {kind},O=Rural Credit,C=CN"
        identity = self.authority.issue(subject, START, END, kind, SIGNING_AND_RECEIVING)
        identity.write_pem(self.key_path(kind), self.certificate_path(kind))
        return identity

    def key_path(self, kind: str) -> Path:
        return self.folder / f"{kind}.key"

    def certificate_path(self, kind: str) -> Path:
        return self.folder / f"{kind}.crt"


@pytest.fixture(scope="session")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    return Bank(tmp_path_factory.mktemp("bank"))


def root_trust(*certificates: x509.Certificate) -> Trust:
    anchors = [Anchor("rural-ca", certificate, AnchorKind.ROOT) for certificate in certificates]
    return Trust("rural-credit", "test", anchors)


def signer_trust(*certificates: x509.Certificate) -> Trust:
    anchors = [Anchor("rural-pin", certificate, AnchorKind.SIGNER) for certificate in certificates]
    return Trust("rural-credit", "test", anchors)


def run_openssl(*arguments: str | Path) -> bytes:
    """Standard output; a failure raises with what OpenSSL said."""
    command = ["openssl", *map(str, arguments)]
    finished = subprocess.run(command, capture_output=True, check=False)
    assert finished.returncode == 0, finished.stderr.decode()
    return finished.stdout
