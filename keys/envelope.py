"""An envelope for one recipient of an export: whoever holds the private key of a certificate.

AES-256-GCM under a key that RSA-OAEP carries (`openssl cms -decrypt` opens it), or SM4-GCM under
one that SM2 carries.
"""

from __future__ import annotations

import io
from pathlib import Path

from keys.algorithms import Transport
from keys.certificates import certificate_sha256
from keys.cms import encrypt
from keys.cms_forms import EnvelopeForm
from keys.cms_recipients import require_receiving
from keys.errors import KeyUnavailable
from keys.private import load_certificates, make_encrypter


class Recipient:
    """Whoever holds the private key of a certificate; raises `KeyUnavailable` where it cannot be used."""

    def __init__(self, path: Path) -> None:
        certificate = load_certificates(path)[0]
        try:
            require_receiving(certificate)
            self._encrypter = make_encrypter(certificate)
        except KeyUnavailable as error:
            raise KeyUnavailable(f"{path}: {error}", error.hint) from None
        national = self._encrypter.transport is Transport.SM2
        self._form = EnvelopeForm(cipher="sm4-gcm" if national else "aes-256-gcm")
        self.certificate_sha256 = certificate_sha256(certificate)

    def envelop(self, content: bytes) -> bytes:
        """DER that only the recipient opens. It is not signed: whoever sends it says so elsewhere."""
        sink = io.BytesIO()
        encrypt(io.BytesIO(content), len(content), [self._encrypter], sink, self._form)
        return sink.getvalue()
