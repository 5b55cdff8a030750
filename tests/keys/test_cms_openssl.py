"""OpenSSL accepts what we sign, and we accept what OpenSSL signs."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes

from keys.cms import Verdict, sign_attached, sign_detached, verify_attached, verify_detached
from tests.keys.conftest import RECEIVED, Bank, run_openssl

CONTENT = "明细|6231990000001208674|买买提·艾力\r\n".encode("gb18030") * 30_000
"""Bytes that any text conversion would spoil; more than one block."""

SIGNERS = [
    ("rsa-2048", "rsa-pkcs1-sha256"),
    ("rsa-3072", "rsa-pkcs1-sha384"),
    ("rsa-2048", "rsa-pkcs1-sha512"),
    ("rsa-2048", "rsa-pss-sha256"),
    ("rsa-3072", "rsa-pss-sha512"),
    ("ec-p256", "ecdsa-sha256"),
    ("ec-p384", "ecdsa-sha384"),
]
AT_RECEIPT = ("-attime", str(int(RECEIVED.timestamp())))


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def expected_verdict(bank: Bank, kind: str, algorithm: str) -> Verdict:
    """All but the signing time, which stays None."""
    certificate = bank.identities[kind].certificate
    return Verdict(
        certificate_sha256=certificate.fingerprint(hashes.SHA256()).hex(),
        subject=f"CN=Settlement {kind},O=Rural Credit,C=CN",
        serial=f"{certificate.serial_number:X}",
        algorithm=algorithm,
        digest=hashlib.new(algorithm.rpartition("-")[2], CONTENT).hexdigest(),
        signing_time=None,
        key_id="rural-ca",
    )


def without_time(verdict: Verdict) -> Verdict:
    return Verdict(
        verdict.certificate_sha256,
        verdict.subject,
        verdict.serial,
        verdict.algorithm,
        verdict.digest,
        None,
        verdict.key_id,
        verdict.cosigners,
    )


@pytest.mark.parametrize(("kind", "algorithm"), SIGNERS)
def test_openssl_verifies_our_detached_signature(
    bank: Bank, tmp_path: Path, kind: str, algorithm: str
) -> None:
    signer = bank.identities[kind].signer("k", algorithm)
    signature = write(tmp_path / "s.p7s", sign_detached(io.BytesIO(CONTENT), signer, RECEIVED))
    content = write(tmp_path / "content", CONTENT)
    arguments = ["cms", "-verify", "-binary", "-inform", "DER", "-in", signature, "-content", content]
    assert run_openssl(*arguments, "-CAfile", bank.root_path, *AT_RECEIPT) == CONTENT


@pytest.mark.parametrize(("kind", "algorithm"), SIGNERS)
def test_openssl_verifies_our_attached_signature(
    bank: Bank, tmp_path: Path, kind: str, algorithm: str
) -> None:
    sink = io.BytesIO()
    signer = bank.identities[kind].signer("k", algorithm)
    sign_attached(io.BytesIO(CONTENT), len(CONTENT), signer, RECEIVED, sink)
    signed = write(tmp_path / "s.p7m", sink.getvalue())
    arguments = ["cms", "-verify", "-binary", "-inform", "DER", "-in", signed]
    assert run_openssl(*arguments, "-CAfile", bank.root_path, *AT_RECEIPT) == CONTENT


@pytest.mark.parametrize(("kind", "algorithm"), SIGNERS)
def test_we_verify_our_own(bank: Bank, kind: str, algorithm: str) -> None:
    signer = bank.identities[kind].signer("k", algorithm)
    signature = sign_detached(io.BytesIO(CONTENT), signer, RECEIVED)
    detached = verify_detached(io.BytesIO(CONTENT), signature, bank.trust, RECEIVED)
    signed, clear = io.BytesIO(), io.BytesIO()
    sign_attached(io.BytesIO(CONTENT), len(CONTENT), signer, RECEIVED, signed)
    signed.seek(0)
    attached = verify_attached(signed, bank.trust, RECEIVED, clear)
    assert attached == detached
    assert detached.signing_time == RECEIVED
    assert without_time(detached) == expected_verdict(bank, kind, algorithm)
    assert clear.getvalue() == CONTENT


OPENSSL_SIGNERS = [
    ("rsa-2048", "rsa-pkcs1-sha256", ("-md", "sha256")),
    ("rsa-3072", "rsa-pkcs1-sha384", ("-md", "sha384")),
    ("rsa-2048", "rsa-pss-sha256", ("-md", "sha256", "-keyopt", "rsa_padding_mode:pss")),
    ("rsa-2048", "rsa-pss-sha512",
     ("-md", "sha512", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:20")),
    ("ec-p256", "ecdsa-sha256", ("-md", "sha256")),
    ("ec-p384", "ecdsa-sha384", ("-md", "sha384")),
]  # fmt: skip
OPENSSL_WAYS = [(), ("-noattr",), ("-keyid",), ("-nosmimecap",)]


def openssl_sign(bank: Bank, content: Path, kind: str, options: tuple[str, ...], form: str) -> bytes:
    arguments = ["cms", "-sign", "-binary", "-in", content, "-outform", form]
    keys = ["-signer", bank.certificate_path(kind), "-inkey", bank.key_path(kind)]
    return run_openssl(*arguments, *keys, *options)


@pytest.mark.parametrize("way", OPENSSL_WAYS, ids=" ".join)
@pytest.mark.parametrize(("kind", "algorithm", "options"), OPENSSL_SIGNERS)
def test_we_verify_openssl(
    bank: Bank, tmp_path: Path, kind: str, algorithm: str, options: tuple[str, ...], way: tuple[str, ...]
) -> None:
    """Detached in DER and PEM, attached in DER, attached in BER with indefinite lengths."""
    content = write(tmp_path / "content", CONTENT)
    expected = expected_verdict(bank, kind, algorithm)
    for form in ("DER", "PEM"):
        signature = openssl_sign(bank, content, kind, (*options, *way), form)
        verdict = verify_detached(io.BytesIO(CONTENT), signature, bank.trust, RECEIVED)
        assert without_time(verdict) == expected
        assert (verdict.signing_time is None) == (way == ("-noattr",))
    # OpenSSL 3.0 itself fails on PSS with -stream ("illegal zero content").
    for streamed in ((),) if "pss" in algorithm else ((), ("-stream",)):
        signed = openssl_sign(bank, content, kind, (*options, *way, "-nodetach", *streamed), "DER")
        assert (signed[1] == 0x80) == (streamed == ("-stream",))
        sink = io.BytesIO()
        assert without_time(verify_attached(io.BytesIO(signed), bank.trust, RECEIVED, sink)) == expected
        assert sink.getvalue() == CONTENT


def test_two_signers_of_openssl_are_both_named(bank: Bank, tmp_path: Path) -> None:
    content = write(tmp_path / "content", CONTENT)
    second = ("-signer", str(bank.certificate_path("ec-p256")), "-inkey", str(bank.key_path("ec-p256")))
    signature = openssl_sign(bank, content, "rsa-2048", second, "DER")
    verdict = verify_detached(io.BytesIO(CONTENT), signature, bank.trust, RECEIVED)
    named = {verdict.certificate_sha256, *(each.certificate_sha256 for each in verdict.cosigners)}
    wanted = {bank.identities[kind].certificate.fingerprint(hashes.SHA256()).hex() for kind in
              ("rsa-2048", "ec-p256")}  # fmt: skip
    assert named == wanted
