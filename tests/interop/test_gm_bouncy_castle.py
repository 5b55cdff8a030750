"""GM/T 0010: Bouncy Castle accepts what we sign and seal, and we accept what it makes."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from keys.cms import decrypt, encrypt, sign_attached, sign_detached, verify_attached, verify_detached
from keys.cms_forms import EnvelopeForm, SignedForm
from keys.private import make_decrypter, make_encrypter
from tests.interop.bouncy_castle import BouncyCastle, Refused
from tests.keys.conftest import RECEIVED, Bank

pytestmark = pytest.mark.interop

CONTENT = "明细|6231990000001208674|买买提·艾力\r\n".encode("gb18030") * 2000
NATIONAL = {True: "national", False: "pkcs7"}
FORMS = [
    SignedForm(national=national, attributes=attributes, signing_time=signing_time)
    for national, attributes, signing_time in itertools.product((False, True), repeat=3)
    if attributes or signing_time
]


@pytest.fixture(scope="module")
def judge() -> Iterator[BouncyCastle]:
    judge = BouncyCastle()
    yield judge
    judge.close()


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    return Bank(tmp_path_factory.mktemp("interop"))


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_bouncy_castle_verifies_ours(
    judge: BouncyCastle, bank: Bank, tmp_path: Path, form: SignedForm
) -> None:
    signer = bank.identities["sm2"].signer("k")
    signed, content, out = tmp_path / "signed", tmp_path / "content", tmp_path / "out"
    content.write_bytes(CONTENT)
    signed.write_bytes(sign_detached(io.BytesIO(CONTENT), signer, RECEIVED, form))
    assert "CN=Settlement sm2" in judge.ask("verify", signed, content, out)
    sink = io.BytesIO()
    sign_attached(io.BytesIO(CONTENT), len(CONTENT), signer, RECEIVED, sink, form)
    signed.write_bytes(sink.getvalue())
    assert "CN=Settlement sm2" in judge.ask("verify", signed, "-", out)
    assert out.read_bytes() == CONTENT


def test_bouncy_castle_sees_a_change(judge: BouncyCastle, bank: Bank, tmp_path: Path) -> None:
    """The judge can say no."""
    signed, content, out = tmp_path / "signed", tmp_path / "content", tmp_path / "out"
    content.write_bytes(CONTENT + b" ")
    signer = bank.identities["sm2"].signer("k")
    for form in (SignedForm(national=True), SignedForm(national=True, attributes=False)):
        signed.write_bytes(sign_detached(io.BytesIO(CONTENT), signer, RECEIVED, form))
        with pytest.raises(Refused):
            judge.ask("verify", signed, content, out)


def test_bouncy_castle_verifies_several_signers(judge: BouncyCastle, bank: Bank, tmp_path: Path) -> None:
    signed, content, out = tmp_path / "signed", tmp_path / "content", tmp_path / "out"
    content.write_bytes(CONTENT)
    signers = [bank.identities[kind].signer(kind) for kind in ("sm2", "rsa-2048", "ec-p256")]
    signed.write_bytes(sign_detached(io.BytesIO(CONTENT), signers, RECEIVED))
    assert judge.ask("verify", signed, content, out).count("CN=Settlement") == 3


@pytest.mark.parametrize("attributes", ["attributes", "direct"])
@pytest.mark.parametrize("kind", ["national", "mixed", "pkcs7"])
def test_we_verify_bouncy_castle(
    judge: BouncyCastle, bank: Bank, tmp_path: Path, kind: str, attributes: str
) -> None:
    content, out = tmp_path / "content", tmp_path / "out"
    content.write_bytes(CONTENT)
    keys = (bank.key_path("sm2"), bank.certificate_path("sm2"))
    judge.ask("sign", *keys, content, out, kind, "detached", attributes)
    verdict = verify_detached(io.BytesIO(CONTENT), out.read_bytes(), bank.trust, RECEIVED)
    assert (verdict.algorithm, verdict.key_id) == ("sm2-sm3", "rural-ca")
    judge.ask("sign", *keys, content, out, kind, "attached", attributes)
    sink = io.BytesIO()
    attached = verify_attached(io.BytesIO(out.read_bytes()), bank.trust, RECEIVED, sink)
    assert (attached.certificate_sha256, sink.getvalue()) == (verdict.certificate_sha256, CONTENT)


@pytest.mark.parametrize("size_bytes", [0, 1, 16, len(CONTENT)])
@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("national", [True, False])
def test_bouncy_castle_opens_ours(
    judge: BouncyCastle, bank: Bank, tmp_path: Path, national: bool, raw: bool, size_bytes: int
) -> None:
    sealed, out = tmp_path / "sealed", tmp_path / "out"
    content = CONTENT[:size_bytes]
    encrypters = [make_encrypter(bank.identities["sm2"].certificate)]
    sink = io.BytesIO()
    form = EnvelopeForm(national=national, cipher="sm4-cbc", raw_cipher=raw)
    encrypt(io.BytesIO(content), len(content), encrypters, sink, form)
    sealed.write_bytes(sink.getvalue())
    kind = judge.ask("decrypt", bank.key_path("sm2"), sealed, out)
    assert kind == ("1.2.156.10197.6.1.4.2.3" if national else "1.2.840.113549.1.7.3")
    assert out.read_bytes() == content


@pytest.mark.parametrize("form", ["der", "raw"])
@pytest.mark.parametrize("national", [True, False])
def test_we_open_bouncy_castle(
    judge: BouncyCastle, bank: Bank, tmp_path: Path, national: bool, form: str
) -> None:
    content, out = tmp_path / "content", tmp_path / "out"
    identity = bank.identities["sm2"]
    decrypter = make_decrypter(identity.private_key, "k", identity.certificate_der)
    for size_bytes in (0, 1, 16, len(CONTENT)):
        content.write_bytes(CONTENT[:size_bytes])
        judge.ask("encrypt", bank.certificate_path("sm2"), content, out, NATIONAL[national], form)
        sink = io.BytesIO()
        decrypt(io.BytesIO(out.read_bytes()), [decrypter], sink, EnvelopeForm())
        assert sink.getvalue() == CONTENT[:size_bytes]
