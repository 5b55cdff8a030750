"""New keys: what is written, that OpenSSL agrees, and that nothing is overwritten."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from keys.authority import KEY_KINDS
from keys.certificate_make import RECEIVING, SIGNING, Use
from keys.certificates import Anchor, AnchorKind, Trust
from keys.cms import sign_detached, verify_detached
from keys.errors import KeyUnavailable
from keys.master import load_master_key
from keys.new_key import certification, new_login_key, new_master_key, new_signing_key
from keys.private import load_certificates, load_signer
from tests.keys.conftest import END, RECEIVED, START, run_openssl

SUBJECT = "CN=结算,O=District,C=CN"


@pytest.mark.parametrize("kind", KEY_KINDS)
def test_openssl_accepts_the_request_and_opens_the_key(tmp_path: Path, kind: str) -> None:
    made = new_signing_key(tmp_path, "rural-2026", kind, certification(SUBJECT))
    assert (made.private, made.public) == (tmp_path / "rural-2026.key", tmp_path / "rural-2026.csr")
    judge = ["req", "-in", made.public, "-verify", "-noout", "-subject", "-nameopt", "utf8"]
    told = run_openssl(*judge, *(["-vfyopt", "distid:1234567812345678"] if kind == "sm2" else []))
    assert told.decode() == "subject=C=CN, O=District, CN=结算\n"
    requested = run_openssl("req", "-in", made.public, "-pubkey", "-noout")
    assert requested == run_openssl("pkey", "-in", made.private, "-pubout")
    assert (tmp_path / "rural-2026.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", KEY_KINDS)
def test_a_self_signed_certificate_signs_for_whoever_pins_it(tmp_path: Path, kind: str) -> None:
    made = new_signing_key(tmp_path, "own", kind, certification(SUBJECT, (START, END)))
    assert made.private is not None
    assert made.public is not None
    (certificate,) = load_certificates(made.public)
    assert (certificate.not_valid_before_utc, certificate.not_valid_after_utc) == (START, END)
    signature = sign_detached(io.BytesIO(b"pay"), load_signer("own", made.private, made.public), RECEIVED)
    trust = Trust("district", "test", [Anchor("own", certificate, AnchorKind.SIGNER)])
    assert verify_detached(io.BytesIO(b"pay"), signature, trust, RECEIVED).key_id == "own"


def test_a_self_signed_certificate_is_no_authority(tmp_path: Path) -> None:
    made = new_signing_key(tmp_path, "own", "ec-p256", certification(SUBJECT, (START, END)))
    assert made.public is not None
    certificate = load_certificates(made.public)[0]
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert (usage.critical, usage.value.digital_signature, usage.value.key_cert_sign) == (True, True, False)


@pytest.mark.parametrize(
    ("use", "permitted"),
    [
        (SIGNING, "Digital Signature, Non Repudiation"),
        (RECEIVING, "Key Encipherment, Data Encipherment"),
    ],
    ids=["sign", "receive"],
)
def test_a_request_says_what_the_key_is_for(tmp_path: Path, use: Use, permitted: str) -> None:
    made = new_signing_key(tmp_path, "own", "rsa-2048", certification(SUBJECT, use=use))
    assert made.public is not None
    assert permitted in run_openssl("req", "-in", made.public, "-noout", "-text").decode()


def test_a_certificate_that_ends_after_2049(tmp_path: Path) -> None:
    """From 2050 on times have four digits of the year (RFC 5280, section 4.1.2.5)."""
    end = datetime(2060, 2, 3, 4, 5, 6, tzinfo=UTC)
    made = new_signing_key(tmp_path, "own", "ec-p256", certification(SUBJECT, (START, end)))
    assert made.public is not None
    assert run_openssl("x509", "-in", made.public, "-noout", "-enddate") == (
        b"notAfter=Feb  3 04:05:06 2060 GMT\n"
    )


def test_a_password_encrypts_the_key(tmp_path: Path) -> None:
    made = new_signing_key(tmp_path, "own", "ec-p256", certification(SUBJECT), b"open sesame")
    assert made.private is not None
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in made.private.read_bytes()
    assert load_signer("own", made.private, password=b"open sesame").key_id == "own"
    assert made.entry[-1] == 'password = { file = "..." }'


@pytest.mark.parametrize("taken", ["own.key", "own.csr"])
def test_nothing_is_overwritten_and_nothing_is_left_behind(tmp_path: Path, taken: str) -> None:
    (tmp_path / taken).write_bytes(b"here before")
    with pytest.raises(KeyUnavailable, match=rf"{taken} is there already and is not overwritten"):
        new_signing_key(tmp_path, "own", "ec-p256", certification(SUBJECT))
    assert [path.name for path in tmp_path.iterdir()] == [taken]
    assert (tmp_path / taken).read_bytes() == b"here before"


@pytest.mark.parametrize("name", ["../own", "", "a/b", ".hidden", "a" * 49])
def test_a_name_that_is_a_path_is_refused(tmp_path: Path, name: str) -> None:
    for make in (new_master_key, new_login_key):
        with pytest.raises(KeyUnavailable, match="is no name of a key"):
            make(tmp_path, name)
    assert list(tmp_path.iterdir()) == []


def test_masters_and_logins(tmp_path: Path) -> None:
    master, login = new_master_key(tmp_path, "spool-2026"), new_login_key(tmp_path, "login")
    assert master.private is not None
    assert load_master_key(master.private).key_id == "spool-2026"
    assert (login.private, login.public) == (tmp_path / "login", tmp_path / "login.pub")
    assert (tmp_path / "login.pub").read_text("ascii").startswith("ssh-ed25519 ")
    assert {path.stat().st_mode & 0o777 for path in (master.private, tmp_path / "login")} == {0o600}


@pytest.mark.parametrize("subject", ["", "settlement", "XX=1"])
def test_a_subject_that_is_no_name(subject: str) -> None:
    with pytest.raises(KeyUnavailable) as refused:
        certification(subject)
    assert refused.value.hint == "write it as CN=settlement,O=District,C=CN"
