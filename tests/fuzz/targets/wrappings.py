"""Other ways in which others wrap what they send: envelopes, XML signatures, OpenPGP, lists of revoked."""

from __future__ import annotations

import functools
import io
import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pysequoia
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from keys.armour import Armour, apply_armour
from keys.authority import Identity
from keys.cms import decrypt, encrypt, sign_detached, verify_detached
from keys.cms_forms import EnvelopeForm, SignedForm
from keys.errors import (
    DecryptionFailed,
    KeyUnavailable,
    SealError,
    SignatureInvalid,
    SignatureMalformed,
    SignerUntrusted,
)
from keys.pgp import (
    PgpAnchor,
    PgpKey,
    PgpTrust,
    load_pgp_certificate,
    load_pgp_key,
    open_message,
    seal_message,
)
from keys.pgp import sign_beside as sign_beside_pgp
from keys.pgp import verify_beside as verify_beside_pgp
from keys.private import make_decrypter, make_encrypter
from keys.revocation import RevocationFile, Revocations
from keys.xmldsig import sign_beside, sign_enveloped, verify_beside, verify_enveloped
from tests.fuzz.identities import NOW, VALID, authority, bank, stranger, trust
from tests.fuzz.pieces import Pieces
from tests.fuzz.shared_memory import SHARED_MEMORY
from tests.fuzz.target import MIB, Target

CONTENT = "批次|1|1500.00元\n".encode() * 20
DOCUMENT = '<?xml version="1.0"?><Document xmlns="urn:d"><Report><Status>ACSC</Status></Report></Document>'
_REFUSALS = (SignatureInvalid, SignatureMalformed, SignerUntrusted)
_FORM = EnvelopeForm()
# An error of the OpenPGP package that carries a stack of Rust costs a tenth of a second.
os.environ["RUST_LIB_BACKTRACE"] = "0"


def national(content: bytes) -> None:
    """Signatures of GM/T 0010 with SM2, in every form; what is taken fits what was signed."""
    pieces = Pieces(content)
    form = SignedForm(national=True, raw_signature=bool(pieces.byte() & 1))
    signature = pieces.rest()
    try:
        verify_detached(io.BytesIO(CONTENT), signature, trust(), NOW, form)
    except _REFUSALS:
        return
    try:
        verify_detached(io.BytesIO(CONTENT + b"\n"), signature, trust(), NOW, form)
    except SignatureInvalid:
        return
    raise AssertionError("a signature over other bytes was taken")


def envelopes(content: bytes) -> None:
    """What opens was closed for us; whoever has our certificate may close anything, so no more is known."""
    try:
        opened = decrypt(io.BytesIO(content), _decrypters(), io.BytesIO(), _FORM)
    except SealError as error:
        assert type(error) in (SignatureMalformed, KeyUnavailable, SealError, DecryptionFailed)
        return
    assert opened.key_id in ("rsa", "sm2")


def xml_signatures(content: bytes) -> None:
    """What is passed on was signed by the bank: here only one document ever was."""
    sink = io.BytesIO()
    try:
        verify_enveloped(io.BytesIO(content), trust(), NOW, sink)
    except _REFUSALS:
        return
    assert sink.getvalue() == _canonical()


def xml_signatures_beside(content: bytes) -> None:
    """A signature of a file that is taken fits what was signed."""
    try:
        verify_beside(io.BytesIO(CONTENT), content, trust(), NOW)
    except _REFUSALS:
        return
    try:
        verify_beside(io.BytesIO(CONTENT + b"\n"), content, trust(), NOW)
    except SignatureInvalid:
        return
    raise AssertionError("an XML signature over other bytes was taken")


def revocation_lists(content: bytes) -> None:
    """A list says who is revoked, or is none; its signature is looked at before it is believed."""
    with tempfile.NamedTemporaryFile(dir=SHARED_MEMORY) as file:
        file.write(content)
        file.flush()
        try:
            listed = Revocations([RevocationFile(Path(file.name))])
        except KeyUnavailable as error:
            assert str(error)
            return
        assert isinstance(listed.object(bank().certificate, authority().certificate, NOW), str)
        for one in listed.lists:
            if one.object_signature(authority().certificate):
                continue
            since = one.revoked_since(bank().certificate)
            assert since is None or since == NOW - timedelta(days=1)


def openpgp(content: bytes) -> None:
    """A message and a detached signature; what opens is signed by the bank."""
    key, party, at = _pgp()
    pieces = Pieces(content)
    how, rest = pieces.byte() % 3, pieces.rest()
    try:
        if how == 0:
            assert open_message(rest, [key], party, at)[0] == CONTENT
        elif how == 1:
            assert open_message(rest, [], party, at)[0] == CONTENT
        else:
            verify_beside_pgp(CONTENT, rest, party, at)
    except (*_REFUSALS, DecryptionFailed):
        return


def openpgp_files(content: bytes) -> None:
    """A certificate that somebody enrolled."""
    with tempfile.NamedTemporaryFile(dir=SHARED_MEMORY) as file:
        file.write(content)
        file.flush()
        try:
            load_pgp_certificate(Path(file.name))
        except KeyUnavailable:
            return


@functools.cache
def _receivers() -> dict[str, Identity]:
    """Keys to receive with, made anew in each run: an envelope that is kept is for nobody then."""
    return {
        name: authority().issue(f"CN=Receiver {name},O=Fuzz,C=CN", *VALID, kind=kind)
        for name, kind in (("rsa", "rsa-2048"), ("sm2", "sm2"))
    }


@functools.cache
def _decrypters() -> list[object]:
    return [
        make_decrypter(identity.private_key, name, identity.certificate_der)
        for name, identity in _receivers().items()
    ]


def _envelope_seeds() -> list[bytes]:
    found = []
    for identity in _receivers().values():
        for form in (EnvelopeForm(), EnvelopeForm(cipher="aes-256-gcm"), EnvelopeForm(cipher="sm4-cbc")):
            sink = io.BytesIO()
            encrypters = [make_encrypter(identity.certificate, form.transport)]
            encrypt(io.BytesIO(CONTENT), len(CONTENT), encrypters, sink, form)
            found.append(sink.getvalue())
    return [*found, apply_armour(found[0], Armour.PEM), apply_armour(found[-1], Armour.BASE64)]


def _national_seeds() -> list[bytes]:
    signer = authority().issue("CN=SM2,O=Fuzz,C=CN", *VALID, kind="sm2").signer("key")
    return [
        bytes([raw])
        + sign_detached(io.BytesIO(CONTENT), signer, NOW, SignedForm(national=True, raw_signature=bool(raw)))
        for raw in (0, 1)
    ]


@functools.cache
def _signed_document() -> bytes:
    sink = io.BytesIO()
    sign_enveloped(io.BytesIO(DOCUMENT.encode()), bank().signer("key"), sink)
    return sink.getvalue()


@functools.cache
def _canonical() -> bytes:
    sink = io.BytesIO()
    verify_enveloped(io.BytesIO(_signed_document()), trust(), NOW, sink)
    return sink.getvalue()


def _xml_seeds() -> list[bytes]:
    sink = io.BytesIO()
    sign_enveloped(io.BytesIO(DOCUMENT.encode()), stranger().signer("key"), sink)
    return [_signed_document(), sink.getvalue(), DOCUMENT.encode()]


def _xml_beside_seeds() -> list[bytes]:
    return [
        sign_beside(io.BytesIO(CONTENT), identity.signer("key"), "R1.txt")
        for identity in (bank(), stranger())
    ]


def _list_seeds() -> list[bytes]:
    found = []
    for serials in ((), (bank().certificate.serial_number,), (1, 2, 3)):
        builder = x509.CertificateRevocationListBuilder(
            authority().certificate.subject, NOW - timedelta(days=1), NOW + timedelta(days=7)
        )
        for serial in serials:
            entry = x509.RevokedCertificateBuilder(serial, NOW - timedelta(days=1))
            builder = builder.add_revoked_certificate(entry.build())
        signed = builder.sign(authority().identity.private_key, hashes.SHA256())  # type: ignore[arg-type]
        found += [signed.public_bytes(Encoding.DER), signed.public_bytes(Encoding.PEM)]
    return found


@functools.cache
def _pgp() -> tuple[PgpKey, PgpTrust, datetime]:
    """A key, who trusts it, and when: such a key is made now, and counts from then on."""
    with tempfile.TemporaryDirectory(dir=SHARED_MEMORY) as name:
        path = Path(name) / "secret"
        path.touch(mode=0o600)
        path.write_bytes(bytes(pysequoia.Tsk.generate("bank <bank@fuzz>")))
        key = load_pgp_key("pgp", path, None)
    trusted = PgpTrust("fuzz-bank", "test", [PgpAnchor("pgp", key.certificate)])
    return key, trusted, datetime.now(UTC) + timedelta(minutes=1)


def _pgp_seeds() -> list[bytes]:
    key, _, at = _pgp()
    return [
        b"\0" + seal_message(CONTENT, key, [key.certificate], at),
        b"\0" + seal_message(CONTENT, None, [key.certificate], at, armoured=True),
        b"\1" + seal_message(CONTENT, key, [], at),
        b"\2" + sign_beside_pgp(CONTENT, key),
        b"\2" + sign_beside_pgp(CONTENT, key, armoured=True),
    ]


def _pgp_file_seeds() -> list[bytes]:
    return [bytes(_pgp()[0].certificate.certificate)]


TARGETS = [
    Target(name="signatures-national", examine=national, seeds=_national_seeds),
    Target(name="envelopes", examine=envelopes, seeds=_envelope_seeds, changes=400),
    Target(name="xml-signatures", examine=xml_signatures, seeds=_xml_seeds),
    Target(name="xml-signatures-beside", examine=xml_signatures_beside, seeds=_xml_beside_seeds),
    Target(name="revocation-lists", examine=revocation_lists, seeds=_list_seeds),
    Target(name="openpgp", examine=openpgp, seeds=_pgp_seeds, memory_bytes=192 * MIB, changes=300),
    Target(
        name="openpgp-files",
        examine=openpgp_files,
        seeds=_pgp_file_seeds,
        memory_bytes=192 * MIB,
        changes=100,
    ),
]
