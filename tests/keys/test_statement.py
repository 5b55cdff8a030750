"""Statements, with OpenSSL signing and verifying the same bytes; fingerprints of IDs."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from keys.algorithms import ALGORITHMS
from keys.authority import new_private_key
from keys.errors import KeyUnavailable, SignatureInvalid, SignatureMalformed
from keys.fingerprint import Fingerprinter, normalize_citizen_id
from keys.private import load_public_key, load_signer, make_signer
from keys.statement import sign_statement, verify_statement
from keys.verifier import make_verifier
from tests.keys.conftest import Bank, run_openssl

STATEMENT = b'{"decision":"release","object":"batch:card/2026-06","person":"zhang"}'
KINDS = ["rsa-2048", "ec-p256", "sm2"]
DIGESTS: dict[str, tuple[str, ...]] = {"sm2": ("-sm3", "-sigopt", "distid:1234567812345678")}
"""How OpenSSL is told of the algorithm."""


@pytest.mark.parametrize("kind", KINDS)
def test_openssl_verifies_our_statement(bank: Bank, tmp_path: Path, kind: str) -> None:
    signer = load_signer("zhang", bank.key_path(kind))
    (tmp_path / "statement").write_bytes(STATEMENT)
    (tmp_path / "signature").write_bytes(base64.b64decode(sign_statement(signer, STATEMENT)))
    public = run_openssl("x509", "-in", bank.certificate_path(kind), "-noout", "-pubkey")
    (tmp_path / "public").write_bytes(public)
    said = run_openssl("dgst", *DIGESTS.get(kind, ("-sha256",)), "-verify", tmp_path / "public", "-signature",
                       tmp_path / "signature", tmp_path / "statement")  # fmt: skip
    assert said == b"Verified OK\n"


@pytest.mark.parametrize("kind", KINDS)
def test_we_verify_a_statement_of_openssl(bank: Bank, tmp_path: Path, kind: str) -> None:
    (tmp_path / "statement").write_bytes(STATEMENT)
    digest = DIGESTS.get(kind, ("-sha256",))
    raw = run_openssl("dgst", *digest, "-sign", bank.key_path(kind), tmp_path / "statement")
    verifier = make_verifier(load_public_key(bank.certificate_path(kind)))
    verify_statement(verifier, STATEMENT, base64.encodebytes(raw))
    with pytest.raises(SignatureInvalid):
        verify_statement(verifier, STATEMENT.replace(b"release", b"withdraw"), base64.b64encode(raw))
    with pytest.raises(SignatureInvalid):
        verify_statement(verifier, STATEMENT, base64.b64encode(raw[:-1]))
    with pytest.raises(SignatureMalformed):
        verify_statement(verifier, STATEMENT, b"not base64!")


def test_the_statement_of_another_person_is_refused(bank: Bank) -> None:
    signature = sign_statement(bank.identities["rsa-3072"].signer("li"), STATEMENT)
    verifier = make_verifier(load_public_key(bank.certificate_path("rsa-2048")))
    with pytest.raises(SignatureInvalid):
        verify_statement(verifier, STATEMENT, signature)


@pytest.mark.parametrize("name", sorted(ALGORITHMS))
def test_every_algorithm_signs_and_verifies(name: str, bank: Bank) -> None:
    algorithm = ALGORITHMS[name]
    kind = {"ecdsa": "ec-p256", "sm2": "sm2"}.get(algorithm.scheme.value, "rsa-2048")
    key = bank.identities[kind].private_key
    signer = make_signer(key, "k", algorithm=name)
    signature = sign_statement(signer, STATEMENT)
    verify_statement(make_verifier(key.public_key(), algorithm), STATEMENT, signature)
    assert signer.algorithm == name


def test_small_rsa_and_unknown_kinds_make_no_signer(tmp_path: Path) -> None:
    path = tmp_path / "small.pem"
    run_openssl("genrsa", "-out", path, "1024")
    path.chmod(0o600)
    with pytest.raises(KeyUnavailable, match="1024 bits, at least 2048"):
        load_signer("small", path)
    run_openssl("genpkey", "-algorithm", "ed25519", "-out", path)
    with pytest.raises(KeyUnavailable, match="neither an RSA nor an EC nor an SM2 key"):
        load_signer("odd", path)
    run_openssl("ecparam", "-name", "secp256k1", "-genkey", "-noout", "-out", path)
    with pytest.raises(KeyUnavailable, match="on the curve secp256k1"):
        load_signer("odd", path)
    with pytest.raises(KeyUnavailable, match="no such kind of key: 'rsa-1024'"):
        new_private_key("rsa-1024")


FINGERPRINTER = Fingerprinter(bytes(range(32)), "2026")
ID = "370902199001011235"


@pytest.mark.parametrize(
    ("short", "long"),
    [("110105491231002", "11010519491231002X"), ("370902900101123", "370902199001011235")],
)
def test_both_forms_of_one_id_have_one_fingerprint(short: str, long: str) -> None:
    """Long forms as published; the short ones by leaving out century and check."""
    assert normalize_citizen_id(short) == long
    first, *others = FINGERPRINTER.of([long, short, long.lower(), f" {short}\u3000"])
    assert others == [first] * 3
    assert len(first) == 16


def test_other_ids_and_other_keys_have_other_fingerprints() -> None:
    ids = ["11010519491231002X", "440524188001010014", "370902199001011235", "H01234567", ""]
    ours, theirs = FINGERPRINTER.of(ids), Fingerprinter(bytes(32)).of(ids)
    assert len({*ours, *theirs}) == 10
    assert repr(FINGERPRINTER) == "Fingerprinter('2026')"


def test_a_household_is_never_a_person_of_the_same_digits() -> None:
    person, household = FINGERPRINTER.of([ID]), FINGERPRINTER.of_households([ID])
    assert household != person
    assert FINGERPRINTER.of_households([f" {ID} "]) == household
    assert Fingerprinter(bytes(32)).of_households([ID]) != household


def test_a_short_fingerprint_key_is_refused() -> None:
    with pytest.raises(KeyUnavailable, match="31 bytes, wanted 32 to 64"):
        Fingerprinter(bytes(31))
