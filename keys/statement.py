"""Signed statements: what a person or a machine decided, as bytes, with a plain signature.

The signature is Base64 of what `openssl dgst -sign` makes over the same bytes, so that a
person's key can be used with any tool.
"""

from __future__ import annotations

import base64
import binascii

from keys.errors import SignatureMalformed
from keys.signer import Signer, Verifier

_LIMIT_BYTES = 16 * 1024


def sign_statement(signer: Signer, statement: bytes) -> bytes:
    """Base64 in one line, without a line break; `keys.private.load_signer` opens a key file."""
    hasher = signer.hasher()
    hasher.update(statement)
    return base64.b64encode(signer.sign_digest(hasher.digest()))


def verify_statement(verifier: Verifier, statement: bytes, signature: bytes) -> None:
    """Returns where the signature holds; raises `SignatureInvalid` or `SignatureMalformed`."""
    hasher = verifier.hasher()
    hasher.update(statement)
    verifier.verify_digest(_decode(signature), hasher.digest())


def _decode(signature: bytes) -> bytes:
    if len(signature) > _LIMIT_BYTES:
        raise SignatureMalformed(f"a signature of {len(signature)} bytes; at most {_LIMIT_BYTES}")
    try:
        # Tools break Base64 into lines; white space carries nothing.
        return base64.b64decode(b"".join(signature.split()), validate=True)
    except binascii.Error:
        raise SignatureMalformed("the signature of the statement is not Base64") from None
