"""Signatures, certificates and keys as others send them."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keys import tlv
from keys.certificates import parse_certificate
from keys.certified import certificate_text, verify_certified, verify_public
from keys.cms import sign_attached, sign_detached, verify_attached, verify_detached
from keys.errors import KeyUnavailable, SealError, SignatureInvalid, SignatureMalformed, SignerUntrusted
from keys.private import load_certificates, load_public_key
from keys.statement import sign_statement
from tests.fuzz.identities import NOW, VALID, authority, bank, stranger, trust
from tests.fuzz.pieces import Pieces, parts
from tests.fuzz.shared_memory import SHARED_MEMORY
from tests.fuzz.target import Target

CONTENT = "批次|1|1500.00元\n".encode() * 20
_REFUSALS = (SignatureInvalid, SignatureMalformed, SignerUntrusted)
_ALGORITHMS = ("ecdsa-sha256", "rsa-pkcs1-sha256", "rsa-pss-sha256", "", "sm2")


def detached(content: bytes) -> None:
    """A signature that is taken fits what was signed, and nothing else."""
    try:
        verdict = verify_detached(io.BytesIO(CONTENT), content, trust(), NOW)
    except _REFUSALS:
        return
    assert verdict.key_id == "root"
    try:
        verify_detached(io.BytesIO(CONTENT + b"\n"), content, trust(), NOW)
    except SignatureInvalid:
        return
    raise AssertionError("a signature over other bytes was taken")


def attached(content: bytes) -> None:
    """Content that is taken was signed by the bank: here only one content ever was."""
    sink = io.BytesIO()
    try:
        verify_attached(io.BytesIO(content), trust(), NOW, sink)
    except _REFUSALS:
        return
    assert sink.getvalue() == CONTENT


def der(content: bytes) -> None:
    """Elements, their numbers, and the one form of DER."""
    try:
        elements = tlv.read_elements(content)
    except SignatureMalformed:
        return
    readers: tuple[Callable[[tlv.Element], object], ...] = (
        tlv.decode_oid,
        tlv.decode_integer,
        tlv.join_octets,
    )
    for element in elements:
        for read in readers:
            try:
                read(element)
            except SignatureMalformed:
                continue
        try:
            canonical = tlv.to_der(element)
        except SignatureMalformed:
            continue
        (again,) = tlv.read_elements(canonical)
        assert tlv.to_der(again) == canonical


def certificates(content: bytes) -> None:
    """One certificate, by itself and as the signer of something."""
    try:
        parsed = parse_certificate(content)
    except SignatureMalformed:
        return
    try:
        trust().accept(parsed, [parsed, bank().certificate, authority().certificate], NOW)
    except SignerUntrusted as error:
        assert str(error)


def key_files(content: bytes) -> None:
    """A file that somebody enrolled as a certificate or a public key."""
    with tempfile.NamedTemporaryFile(dir=SHARED_MEMORY) as file:
        file.write(content)
        file.flush()
        for load in (load_certificates, load_public_key):
            try:
                load(Path(file.name))
            except KeyUnavailable:
                continue


def certified(content: bytes) -> None:
    """A statement that names its certificate, signed by us, by a stranger, or by nobody."""
    pieces = Pieces(content)
    how, algorithm = pieces.byte(), pieces.choose(_ALGORITHMS)
    statement, signature, certificate = pieces.part(), pieces.part(), pieces.part()
    at = _instant(pieces.byte())
    signer = (bank(), stranger())[how % 2].signer("key")
    if how & 2:
        signature = sign_statement(signer, statement)
    if how & 4:
        certificate = certificate_text(signer).encode()
    text = certificate.decode("utf-8", "replace")
    with suppress(SealError):
        verify_certified(statement, signature, text, algorithm, trust(), at)
    with suppress(SealError):
        verify_public(statement, signature, text, algorithm)


def _instant(choice: int) -> datetime:
    return (NOW, VALID[0], VALID[1], datetime.min.replace(tzinfo=NOW.tzinfo))[choice % 4]


def _detached_seeds() -> list[bytes]:
    rsa = authority().issue("CN=RSA,O=Fuzz,C=CN", *VALID, kind="rsa-2048")
    signers = [
        bank().signer("key"),
        bank().signer("key", chain_der=(authority().identity.certificate_der,)),
        rsa.signer("key"),
        rsa.signer("key", "rsa-pss-sha256"),
        stranger().signer("key"),
    ]
    return [sign_detached(io.BytesIO(CONTENT), signer, NOW) for signer in signers]


def _attached_seeds() -> list[bytes]:
    found = []
    for identity in (bank(), stranger()):
        sink = io.BytesIO()
        sign_attached(io.BytesIO(CONTENT), len(CONTENT), identity.signer("key"), NOW, sink)
        found.append(sink.getvalue())
    return [*found, _indefinite(found[0])]


def _indefinite(content: bytes) -> bytes:
    """The same structure with an indefinite length around it, as streaming signers write it."""
    (whole,) = tlv.read_elements(content)
    return bytes([whole.identifier, 0x80]) + whole.content + b"\0\0"


def _der_seeds() -> list[bytes]:
    deep = b"\x30\x80" * 40 + b"\0\0" * 40
    return [
        bank().certificate_der,
        tlv.wrap(tlv.SET, tlv.wrap(tlv.INTEGER, b"\x01") + tlv.wrap(tlv.NULL, b"")),
        b"\x24\x80" + tlv.wrap(tlv.OCTET_STRING, b"ab") + tlv.wrap(tlv.OCTET_STRING, b"cd") + b"\0\0",
        tlv.wrap(tlv.OBJECT_IDENTIFIER, bytes.fromhex("2A864886F70D010702")),
        deep,
    ]


def _certificate_seeds() -> list[bytes]:
    rsa = authority().issue("CN=RSA,O=Fuzz,C=CN", *VALID, kind="rsa-2048")
    return [identity.certificate_der for identity in (bank(), stranger(), authority().identity, rsa)]


def _key_file_seeds() -> list[bytes]:
    public = bank().private_key.public_key()
    return [
        bank().certificate_der,
        bank().certificate.public_bytes(Encoding.PEM) + authority().certificate.public_bytes(Encoding.PEM),
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    ]


def _certified_seeds() -> list[bytes]:
    signer = bank().signer("key")
    statement = b'{"event":7}'
    signed = sign_statement(signer, statement)
    certificate = certificate_text(signer).encode()
    found = [bytes([how, 0]) + parts(statement, signed, certificate) for how in range(8)]
    return [*found, b"\6\0" + parts(b"", b"", "证书".encode()) + b"\3"]


TARGETS = [
    Target(name="signatures-detached", examine=detached, seeds=_detached_seeds),
    Target(name="signatures-attached", examine=attached, seeds=_attached_seeds),
    Target(name="der", examine=der, seeds=_der_seeds),
    Target(name="certificates", examine=certificates, seeds=_certificate_seeds),
    Target(name="key-files", examine=key_files, seeds=_key_file_seeds),
    Target(name="certified", examine=certified, seeds=_certified_seeds),
]
