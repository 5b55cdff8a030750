"""CMS EnvelopedData (RFC 5652) for one recipient: AES-256-CBC under a key that RSA carries.

`openssl cms -decrypt` opens it. The whole content is in memory: cut large ones into several.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7EnvelopeBuilder, PKCS7Options

from keys.certificates import certificate_sha256
from keys.errors import KeyUnavailable
from keys.private import load_certificates
from keys.public import MINIMUM_RSA_BITS


class Recipient:
    """Whoever holds the private key of a certificate; raises `KeyUnavailable` where it cannot be used."""

    def __init__(self, path: Path) -> None:
        self._certificate = load_certificates(path)[0]
        key = self._certificate.public_key()
        if not isinstance(key, rsa.RSAPublicKey) or key.key_size < MINIMUM_RSA_BITS:
            raise KeyUnavailable(
                f"{path}: only an RSA key of {MINIMUM_RSA_BITS} bits or more can receive",
                "ask the recipient for a certificate with such a key",
            )
        self.certificate_sha256 = certificate_sha256(self._certificate)

    def envelop(self, content: bytes) -> bytes:
        """DER that only the recipient opens. It is not signed: whoever sends it says so elsewhere."""
        builder = PKCS7EnvelopeBuilder().set_data(content).add_recipient(self._certificate)
        builder = builder.set_content_encryption_algorithm(AES256)
        return builder.encrypt(Encoding.DER, [PKCS7Options.Binary])
