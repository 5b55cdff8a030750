"""A gateway with three banks that has paid two batches, its bundle, and its anchor; made once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from msgspec import Struct

from formats import Payment, Status
from formats.language.layout import read_layout
from formats.registry import SHIPPED_FOLDER
from gateway import Gateway
from gateway.demonstration.site import Site
from tests.evidence.forger import Forger
from tests.gateway.commands import Commands
from tests.gateway.shapes import add_statements
from tests.gateway.sites import CITY, ISO, PERSONS, RURAL, Ground, make_master, payments_of


class Audited(Struct, frozen=True):
    """What an auditor has: the bundle of everything and that of one batch, the anchor, the certificate."""

    ground: Ground
    everything: Path
    one_batch: Path
    batch_id: str
    payments: list[Payment]

    @property
    def anchor(self) -> Path:
        return self.ground.site.folder / "anchor"

    @property
    def key(self) -> Path:
        return self.ground.site.configuration.parent / "keys" / "journal-1.pem"

    @property
    def certificate(self) -> Path:
        return self.key.with_suffix(".crt")


@pytest.fixture(scope="session")
def master_site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return make_master(tmp_path_factory.mktemp("master") / "site")


@pytest.fixture
def ground(master_site: Site, tmp_path: Path) -> Ground:
    return Ground(master_site, tmp_path / "site")


@pytest.fixture
def bankgate(ground: Ground, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Commands:
    return Commands(ground, monkeypatch, capfd)


@pytest.fixture(scope="session")
def audited(master_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Audited:
    folder = tmp_path_factory.mktemp("audited")
    ground = Ground(master_site, folder / "site")
    with ground.profile_path(CITY).open("a", encoding="utf-8") as profile:
        # Every failure of this bank tells something besides, so that there are notices.
        codes = ", ".join(
            f'"{code.code}"'
            for code in read_layout(SHIPPED_FOLDER / "comment-style-result.toml").outcome_codes[1:]
        )
        profile.write(f"\n[notices]\ncodes = [{codes}]\n")
    add_statements(ground)
    ground.bank(CITY, "failures,fee-column", 400)
    ground.bank(ISO, "all-well")
    payments = [
        payment for bank in (CITY, ISO, RURAL) for payment in payments_of(bank, 8, prefix=f"S-{bank}")
    ]
    released = payments_of(CITY, 4, prefix="T")
    with ground.open() as gateway:
        ground.bank(RURAL, "failures", 300, profile_of=gateway)
        ground.submit(gateway, payments)
        batch = ground.batch(released)
        gateway.submit(ground.write(batch, released))
        assert ground.decide(gateway, gateway.batch_object(batch.batch_id), "release", *PERSONS) == [
            False,
            True,
        ]
        ground.run_to_the_end(gateway)
        assert {file.state for file in gateway.files()} == {"settled"}
        recover_some(ground, gateway)
        gateway.anchor()
        gateway.audit_export(folder / "everything")
        gateway.audit_export(folder / "one", batch_id=batch.batch_id)
    return Audited(ground, folder / "everything", folder / "one", batch.batch_id, payments + released)


def recover_some(ground: Ground, gateway: Gateway) -> None:
    """One that came back in parts, one noted by mistake that is open again, one given up."""
    paid = [outcome for outcome in gateway.outcomes() if outcome.status is Status.CREDITED][:3]
    whole, struck, given_up = (f"recovery:yikatong/{outcome.payment_id}" for outcome in paid)
    for about in (whole, struck, given_up):
        ground.decide(gateway, about, "recover", *PERSONS, amount_minor=900, ground="too-much")
    ground.decide(gateway, whole, "recovered", PERSONS[0], amount_minor=400, paper="one")
    ground.decide(gateway, whole, "recovered", PERSONS[1], amount_minor=500, paper="two")
    ground.decide(gateway, struck, "recovered", PERSONS[0], amount_minor=900, paper="three")
    ground.decide(gateway, struck, "strike", *PERSONS, paper="three")
    ground.decide(gateway, given_up, "give-up", *PERSONS)


@pytest.fixture
def bundle(audited: Audited, tmp_path: Path) -> Path:
    """A copy of the bundle of everything."""
    return shutil.copytree(audited.everything, tmp_path / "bundle")


@pytest.fixture
def forger(audited: Audited, bundle: Path) -> Forger:
    """Somebody inside, who has the journal's key and writes the bundle as he likes."""
    return Forger(bundle, audited.key, audited.certificate)
