"""A person's own key: OpenSSL opens it, its public half is what is handed in, nothing is overwritten."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from keys.authority import new_private_key, private_key_pem
from keys.errors import KeyUnavailable
from keys.person_key import PERSON_KEY_KINDS, is_protected, new_person_key, read_person_key
from keys.private import load_public_key, load_signer
from keys.secret_sources import write_private_file
from keys.statement import sign_statement, verify_statement
from keys.verifier import make_verifier
from tests.keys.conftest import run_openssl

WORD = b"correct horse"


@pytest.mark.parametrize("kind", PERSON_KEY_KINDS)
@pytest.mark.parametrize("word", [None, WORD])
def test_what_is_handed_in_checks_what_is_signed(tmp_path: Path, kind: str, word: bytes | None) -> None:
    path = tmp_path / "li.pem"
    made, public = new_person_key(path, kind, word)
    assert (public, path.stat().st_mode & 0o777) == (tmp_path / "li.pub", 0o600)
    assert (is_protected(path), read_person_key(public)) == (word is not None, made)
    signature = sign_statement(load_signer("li", path, password=word), b"release")
    verify_statement(make_verifier(load_public_key(public)), b"release", signature)


@pytest.mark.parametrize("kind", PERSON_KEY_KINDS)
def test_openssl_agrees_about_key_and_fingerprint(tmp_path: Path, kind: str) -> None:
    made, public = new_person_key(tmp_path / "li.pem", kind, WORD)
    opened = run_openssl(
        "pkey", "-in", tmp_path / "li.pem", "-passin", f"pass:{WORD.decode()}", "-pubout", "-outform", "DER"
    )
    handed_in = run_openssl("pkey", "-pubin", "-in", public, "-outform", "DER")
    assert opened == handed_in
    assert made.sha256 == hashlib.sha256(handed_in).hexdigest()


def test_a_protected_key_says_what_is_missing(tmp_path: Path) -> None:
    new_person_key(tmp_path / "li.pem", "ec-p256", WORD)
    with pytest.raises(KeyUnavailable, match="is encrypted and no password is given"):
        load_signer("li", tmp_path / "li.pem")
    with pytest.raises(KeyUnavailable, match="does not open"):
        load_signer("li", tmp_path / "li.pem", password=b"another")


@pytest.mark.parametrize("there", ["li.pem", "li.pub"])
def test_nothing_is_overwritten(tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("precious", "utf-8")
    with pytest.raises(KeyUnavailable, match="is not overwritten"):
        new_person_key(tmp_path / "li.pem", "ec-p256", None)
    assert [(path.name, path.read_text("utf-8")) for path in tmp_path.iterdir()] == [(there, "precious")]


def test_the_private_file_is_not_named_like_the_public_one(tmp_path: Path) -> None:
    with pytest.raises(KeyUnavailable, match="name of the public half"):
        new_person_key(tmp_path / "li.pub", "ec-p256", None)


def test_what_cannot_be_handed_in(tmp_path: Path) -> None:
    new_person_key(tmp_path / "li.pem", "ec-p256", None)
    with pytest.raises(KeyUnavailable, match="holds a private key"):
        read_person_key(tmp_path / "li.pem")
    (tmp_path / "text").write_text("no key", "utf-8")
    with pytest.raises(KeyUnavailable, match="neither a PEM public key"):
        read_person_key(tmp_path / "text")
    weak = run_openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024")
    (tmp_path / "weak.pem").write_bytes(weak)
    run_openssl("pkey", "-in", tmp_path / "weak.pem", "-pubout", "-out", tmp_path / "weak.pub")
    with pytest.raises(KeyUnavailable, match="1024 bits"):
        read_person_key(tmp_path / "weak.pub")


def test_keys_of_old_tools_are_seen_to_be_protected(tmp_path: Path) -> None:
    write_private_file(tmp_path / "plain.pem", private_key_pem(new_private_key("ec-p256")))
    run_openssl(
        "ec", "-in", tmp_path / "plain.pem", "-aes256", "-passout", "pass:word", "-out", tmp_path / "old.pem"
    )
    (tmp_path / "old.pem").chmod(0o600)
    assert (is_protected(tmp_path / "plain.pem"), is_protected(tmp_path / "old.pem")) == (False, True)
    assert load_signer("old", tmp_path / "old.pem", password=b"word").algorithm == "ecdsa-sha256"
