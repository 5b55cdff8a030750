"""What varies between banks in a CMS structure, as values: a profile chooses, code does not."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from keys.algorithms import Transport
from keys.sm2_public import DEFAULT_SIGNER_ID


class MessageDigest(StrEnum):
    """What the signed attribute `messageDigest` holds, where there are signed attributes."""

    PLAIN = "plain"
    """The digest of the content."""
    IDENTITY = "identity"
    """SM2 only: SM3(Z || content), Z as in the signature itself."""


class Sm2Oid(StrEnum):
    """Under which identifier an SM2 signature is written; all are read."""

    WITH_SM3 = "1.2.156.10197.1.501"
    SIGN = "1.2.156.10197.1.301.1"
    CURVE = "1.2.156.10197.1.301"


class SignedForm(Struct, frozen=True):
    """How SignedData is written, and what of it cannot be told from the bytes when it is read."""

    national: bool = False
    """Writing: content types of GM/T 0010 in place of PKCS#7. Both are read."""
    attributes: bool = True
    """Writing: signed attributes. With and without them is read."""
    signing_time: bool = True
    """Writing: the attribute with our time."""
    message_digest: MessageDigest = MessageDigest.PLAIN
    raw_signature: bool = False
    """On curves: r and s side by side in place of DER."""
    sm2_oid: Sm2Oid = Sm2Oid.WITH_SM3
    """Writing."""
    signer_id: bytes = DEFAULT_SIGNER_ID
    """SM2 only."""
    algorithms: tuple[str, ...] = ()
    """Reading: those that are accepted; empty: all that are strong enough."""
    sha1_until: datetime | None = None
    """Reading: until when (exclusive) SHA-1 under RSA is accepted of a bank that cannot do better yet."""


USUAL_FORM = SignedForm()


class EnvelopeForm(Struct, frozen=True):
    """How an envelope is written, or what is accepted of it."""

    national: bool = False
    """Writing: content types of GM/T 0010 in place of PKCS#7. Both are read."""
    cipher: str = "aes-256-gcm"
    """Writing; a name of `keys.content_ciphers`."""
    transport: Transport | None = None
    """Writing: how the content key travels; None: OAEP with SHA-256, or SM2."""
    raw_cipher: bool = False
    """Writing, SM2 only: the wrapped key as C1 || C3 || C2 in place of DER. Both are read."""
    ciphers: tuple[str, ...] = ()
    """Reading: those that are accepted; empty: all."""
    transports: tuple[str, ...] = ()
    """Reading: those that are accepted; empty: all."""
