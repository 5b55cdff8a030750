"""Platform, persons and the journal on SM2: released, decided, exported and verified offline."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.audit.verify import verify
from keys.authority import Authority, Identity
from keys.private import load_certificates
from tests.gateway.sites import CITY, NOW, PERSONS, Ground, payments_of

VALID = NOW.replace(year=2020), NOW.replace(year=2040)


def replace_pair(identity: Identity, key: Path, *certificates: Path) -> None:
    """A key and its certificate in place of others; copies of the certificate elsewhere."""
    for path in (key, *certificates):
        path.unlink()
    first, *copies = certificates
    identity.write_pem(key, first)
    for copy in copies:
        copy.write_bytes(first.read_bytes())


@pytest.fixture
def national(ground: Ground) -> Ground:
    """The site with SM2 for everybody who signs, the banks aside."""
    authority = Authority.create("CN=SM2 CA,C=CN", *VALID, "sm2")
    keys, department = ground.site.configuration.parent / "keys", ground.site.batch.parent

    def issue(name: str) -> Identity:
        return authority.issue(f"CN={name},C=CN", *VALID, "sm2")

    platform = department / "platform.crt"
    replace_pair(issue("platform"), department / "platform.pem", platform, keys / "platform.crt")
    replace_pair(issue("journal"), keys / "journal-1.pem", keys / "journal-1.crt")
    for person in PERSONS:
        replace_pair(issue(person), department / "persons" / f"{person}.pem", keys / f"{person}.crt")
    return ground


def test_an_export_of_sm2_signatures_holds(national: Ground, tmp_path: Path) -> None:
    national.bank(CITY, "failures", 300)
    released = payments_of(CITY, 4, prefix="T")
    with national.open() as gateway:
        national.submit(gateway, payments_of(CITY, 6, prefix="S"))
        batch = national.batch(released)
        gateway.submit(national.write(batch, released))
        decided = national.decide(gateway, gateway.batch_object(batch.batch_id), "release", *PERSONS)
        assert decided == [False, True]
        national.run_to_the_end(gateway)
        assert {file.state for file in gateway.files()} == {"settled"}
        gateway.audit_export(tmp_path / "bundle")
    manifest = json.loads((tmp_path / "bundle" / "manifest.json").read_bytes())
    assert manifest["algorithm"] == "sm2-sm3"
    anchor = national.site.folder / "anchor"
    certificate = national.site.configuration.parent / "keys" / "journal-1.crt"
    report = verify(tmp_path / "bundle", anchor, certificate)
    assert report.findings == []
    persons = (tmp_path / "bundle" / "persons.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["algorithm"] for line in persons] == ["sm2-sm3"] * len(PERSONS)
    released_by = [
        str(how) for (how,) in national.rows("SELECT release_evidence FROM batch ORDER BY batch_pk")
    ]
    assert ["sm2-sm3" in how for how in released_by] == [True, False]
    assert load_certificates(certificate)[0].signature_algorithm_oid.dotted_string == "1.2.156.10197.1.501"


def test_a_changed_decision_signed_in_sm2_is_found(national: Ground, tmp_path: Path) -> None:
    released = payments_of(CITY, 3)
    with national.open() as gateway:
        batch = national.batch(released)
        gateway.submit(national.write(batch, released))
        national.decide(gateway, gateway.batch_object(batch.batch_id), "release", *PERSONS)
        gateway.run()
        gateway.audit_export(tmp_path / "bundle")
    lines = tmp_path / "bundle" / "decisions.jsonl"
    content = lines.read_text("utf-8")
    assert content.count("\n") == 2
    row = json.loads(content.splitlines()[0])
    spoiled = row["signature"][:-6] + ("AAAA" if row["signature"][-6:-2] != "AAAA" else "BBBB") + "=="
    lines.write_text(content.replace(row["signature"], spoiled), "utf-8")
    report = verify(tmp_path / "bundle", national.site.folder / "anchor",
                    national.site.configuration.parent / "keys" / "journal-1.crt")  # fmt: skip
    assert any("decisions.jsonl" in str(finding) for finding in report.findings)
