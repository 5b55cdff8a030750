"""The signature outlives what was signed: without its content it is a detached one, as OpenSSL says too."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from keys.armour import Armour, apply_armour
from keys.cms import sign_attached, sign_detached
from keys.cms_strip import strip_content
from keys.cms_verify import verify_attached, verify_detached
from keys.errors import SignatureMalformed
from tests.keys.conftest import RECEIVED, Bank, run_openssl
from tests.keys.test_cms_openssl import AT_RECEIPT, CONTENT


def attached(bank: Bank, kind: str) -> bytes:
    sink = io.BytesIO()
    sign_attached(io.BytesIO(CONTENT), len(CONTENT), bank.identities[kind].signer("k"), RECEIVED, sink)
    return sink.getvalue()


@pytest.mark.parametrize("kind", ["rsa-2048", "ec-p256"])
def test_it_verifies_beside_the_content(bank: Bank, tmp_path: Path, kind: str) -> None:
    whole = attached(bank, kind)
    stripped = strip_content(io.BytesIO(whole))
    assert len(stripped) < len(whole) - len(CONTENT)
    found = verify_detached(io.BytesIO(CONTENT), stripped, bank.trust, RECEIVED)
    assert found == verify_attached(io.BytesIO(whole), bank.trust, RECEIVED, io.BytesIO())
    (tmp_path / "content").write_bytes(CONTENT)
    (tmp_path / "signature").write_bytes(stripped)
    run_openssl(
        *("cms", "-verify", "-binary", "-inform", "DER", "-in", tmp_path / "signature"),
        *("-content", tmp_path / "content", "-CAfile", bank.root_path, *AT_RECEIPT),
    )


@pytest.mark.parametrize("armour", list(Armour))
def test_any_armour_comes_off(bank: Bank, armour: Armour) -> None:
    whole = attached(bank, "ec-p256")
    assert strip_content(io.BytesIO(apply_armour(whole, armour))) == strip_content(io.BytesIO(whole))


def test_without_content_there_is_nothing_to_leave_out(bank: Bank) -> None:
    detached = sign_detached(io.BytesIO(CONTENT), bank.identities["ec-p256"].signer("k"), RECEIVED)
    with pytest.raises(SignatureMalformed, match="without content"):
        strip_content(io.BytesIO(detached))


def test_what_is_no_signature_is_refused() -> None:
    for content in (b"", b"text", bytes(50)):
        with pytest.raises(SignatureMalformed):
            strip_content(io.BytesIO(content))
