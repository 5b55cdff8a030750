"""A bundle names nobody; identities leave it in an envelope for one recipient alone."""

from __future__ import annotations

import json
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.audit.verify import verify
from keys.authority import Authority
from keys.certificate_make import RECEIVING
from keys.envelope import Recipient
from keys.errors import KeyUnavailable
from tests.evidence.conftest import Audited
from tests.gateway.sites import NOW


def personal(audited: Audited) -> set[str]:
    found = {
        text
        for payment in audited.payments
        for text in (payment.account, payment.beneficiary_name, payment.beneficiary_id)
    }
    assert all(len(text) > 1 for text in found)
    return found


def test_no_name_no_id_no_account_is_in_a_bundle_or_at_the_anchor(audited: Audited) -> None:
    folders = (audited.everything, audited.one_batch, audited.anchor)
    texts = {path: path.read_text("utf-8") for folder in folders for path in folder.iterdir()}
    assert [
        (path.name, word) for path, text in texts.items() for word in personal(audited) if word in text
    ] == []


def test_only_the_recipient_opens_the_identities(audited: Audited, tmp_path: Path) -> None:
    valid = NOW - timedelta(days=1), NOW + timedelta(days=1)
    auditor = Authority.create("CN=Auditors", *valid).issue(
        "CN=Auditor", *valid, kind="rsa-2048", use=RECEIVING
    )
    key, certificate = tmp_path / "auditor.pem", tmp_path / "auditor.crt"
    auditor.write_pem(key, certificate)
    folder = tmp_path / "bundle"
    with audited.ground.open() as gateway:
        gateway.audit_export(folder, recipient=Recipient(certificate))
    assert verify(folder, audited.anchor, audited.certificate).findings == []
    content = (folder / "identities-00001.p7m").read_bytes()
    assert [word for word in personal(audited) if word.encode() in content] == []
    command = ["openssl", "cms", "-decrypt", "-inform", "DER", "-inkey", str(key), "-binary"]
    opened = subprocess.run(command, input=content, capture_output=True, check=True).stdout
    rows = {row["payment_id"]: row for row in map(json.loads, opened.splitlines())}
    assert {
        (name, row["account"], row["beneficiary_name"], row["beneficiary_id"]) for name, row in rows.items()
    } == {
        (payment.payment_id, payment.account, payment.beneficiary_name, payment.beneficiary_id)
        for payment in audited.payments
    }
    (folder / "identities-00001.p7m").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert [one.place for one in verify(folder).findings] == ["identities-00001.p7m"]


def test_a_certificate_for_signatures_cannot_receive(audited: Audited) -> None:
    with pytest.raises(KeyUnavailable, match="its key usage allows no encryption"):
        Recipient(audited.certificate)
