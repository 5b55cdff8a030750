"""Signatures that are nothing but a signature: no certificate, no attributes, no structure.

In Base64, in hex, or as the bytes themselves, over everything of a file. They do not tell who
signed, so they are verified with pinned certificates alone, each by its own key.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Final

from cryptography import x509
from msgspec import Struct
from msgspec.structs import replace

from keys.algorithms import ALGORITHMS, Algorithm, Scheme
from keys.certificates import Trust, certificate_sha256, serial_hex
from keys.cms_verify import Verdict
from keys.digests import Hasher, new_digest
from keys.errors import KeyUnavailable, SealError, SignatureInvalid, SignatureMalformed, SignerUntrusted
from keys.public import certified_key, usual_algorithm
from keys.signature_forms import to_der, to_raw
from keys.signer import Signer, Verifier
from keys.sm2_public import DEFAULT_SIGNER_ID
from keys.verifier import make_verifier

LIMIT_BYTES: Final = 16 * 1024


class Encoding(StrEnum):
    BASE64 = "base64"
    """One line, without a line break; read with white space anywhere."""
    HEX = "hex"
    """Lower case; read in either."""
    BINARY = "binary"


class PlainForm(Struct, frozen=True):
    """How a plain signature is made and read."""

    algorithm: str = ""
    """Empty: the usual one of the key."""
    raw: bool = False
    """On curves: r and s side by side in place of DER."""
    signer_id: bytes = DEFAULT_SIGNER_ID
    """SM2 only."""

    def mechanism(self, signer: Signer) -> Signer:
        """The signer with the algorithm and the identity of this form."""
        mechanism = ALGORITHMS[self.algorithm] if self.algorithm else signer.mechanism
        return signer.using(self.identified(mechanism))

    def identified(self, mechanism: Algorithm) -> Algorithm:
        if mechanism.scheme is not Scheme.SM2:
            return mechanism
        return replace(mechanism, signer_id=self.signer_id)


class PlainSigning:
    """The running digest of one content, and the signature over it."""

    def __init__(self, signer: Signer, form: PlainForm) -> None:
        self._signer = form.mechanism(signer)
        self._form = form
        self._hasher: Hasher = self._signer.hasher()

    def update(self, block: bytes) -> None:
        self._hasher.update(block)

    def signature(self) -> bytes:
        signature = self._signer.sign_digest(self._hasher.digest())
        return to_raw(signature, self._signer.public_key) if self._form.raw else signature


class PlainVerifying:
    """The running digests of one content, for every signer who may have signed it."""

    def __init__(self, trust: Trust, at: datetime, form: PlainForm) -> None:
        self._form = form
        self._candidates: list[_Candidate] = []
        self._refusals: list[SignerUntrusted] = []
        for certificate in trust.pinned:
            try:
                key_id = trust.accept(certificate, [], at)
                self._candidates += _candidates(certificate, key_id, form)
            except SignerUntrusted as error:
                self._refusals.append(error)
        if not self._candidates:
            raise self._nobody(trust)

    def update(self, block: bytes) -> None:
        for candidate in self._candidates:
            candidate.hasher.update(block)
            candidate.plain.update(block)

    def verdict(self, signature: bytes) -> Verdict:
        """By whom it is; raises `SignatureInvalid` where it is by none of them."""
        for candidate in self._candidates:
            try:
                key = certified_key(candidate.certificate)
                der = to_der(signature, key) if self._form.raw else signature
                candidate.verifier.verify_digest(der, candidate.hasher.digest())
            except SignatureInvalid:
                continue
            return candidate.verdict()
        raise SignatureInvalid("the signature does not fit the bytes and any pinned certificate")

    def _nobody(self, trust: Trust) -> SealError:
        if self._refusals:
            return self._refusals[-1]
        return SignerUntrusted(
            f"no certificate is pinned for {trust.owner} whose key fits; a signature without certificate"
            " is verified by a pinned one",
            "pin the bank's certificate in the keyring",
        )


class _Candidate(Struct):
    certificate: x509.Certificate
    key_id: str
    verifier: Verifier
    hasher: Hasher
    plain: Hasher
    """Of the content alone, for the verdict."""

    def verdict(self) -> Verdict:
        return Verdict(
            certificate_sha256(self.certificate),
            self.certificate.subject.rfc4514_string(),
            serial_hex(self.certificate),
            self.verifier.algorithm,
            self.plain.digest().hex(),
            None,
            self.key_id,
        )


def _candidates(certificate: x509.Certificate, key_id: str, form: PlainForm) -> Iterator[_Candidate]:
    key = certified_key(certificate)
    mechanism = ALGORITHMS[form.algorithm] if form.algorithm else usual_algorithm(key)
    try:
        verifier = make_verifier(key, form.identified(mechanism))
    except KeyUnavailable:
        # A key of another kind than the algorithm's did not make this signature.
        return
    yield _Candidate(certificate, key_id, verifier, verifier.hasher(), new_digest(mechanism.digest))


def encode_signature(signature: bytes, encoding: Encoding) -> bytes:
    if encoding is Encoding.BASE64:
        return base64.b64encode(signature)
    return signature.hex().encode() if encoding is Encoding.HEX else signature


def decode_signature(text: bytes, encoding: Encoding) -> bytes:
    """Raises `SignatureMalformed`."""
    if len(text) > LIMIT_BYTES:
        raise SignatureMalformed(f"a signature of {len(text)} bytes; at most {LIMIT_BYTES}")
    if encoding is Encoding.BINARY:
        return text
    compact = b"".join(text.split())
    try:
        if encoding is Encoding.HEX:
            return binascii.unhexlify(compact)
        return base64.b64decode(compact, validate=True)
    except binascii.Error:
        raise SignatureMalformed(f"the signature is not {encoding.value}") from None
