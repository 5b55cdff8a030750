"""A bank whose files are OpenPGP, both ways, from the batch to the outcomes; its roles in the ring."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from gateway.configuration.config import load_configuration
from gateway.configuration.key_check import check_keys
from gateway.configuration.key_needs import key_needs
from gateway.simulator.bank import SimulatedBank
from gateway.simulator.front import Front
from gateway.simulator.scenario import make_scenario
from keys.errors import KeyringInvalid, KeyUnavailable
from keys.keyring import Keyring
from keys.pgp import load_pgp_key
from tests.gateway.sites import (
    NOW,
    RURAL,
    Ground,
    credited,
    current,
    edit,
    payments_of,
    shipped_desk,
    states,
)
from tests.keys.gnupg import GnuPg

OLD_SEAL = 'out = ["cms-sign-detached"]\nin  = ["cms-verify-detached"]\n'
NEW_SEAL = 'out = ["pgp-sign-encrypt"]\nin  = ["pgp-decrypt-verify"]\n'


@pytest.fixture(scope="module")
def gpg(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GnuPg]:
    made = GnuPg(tmp_path_factory.mktemp("gpg") / "home")
    for name in ("gateway", "bank", "stranger"):
        made.make_key(name, "ed25519")
    yield made
    made.stop()


def put(folder: Path, name: str, content: bytes, mode: int) -> None:
    (folder / name).write_bytes(content)
    (folder / name).chmod(mode)


@pytest.fixture
def site(ground: Ground, gpg: GnuPg) -> Ground:
    """The ground with keys of OpenPGP on both sides, and a profile that wants them."""
    ours, theirs = ground.site.configuration.parent / "keys", ground.site.bank(RURAL) / "keys"
    put(ours, "own.asc", gpg.secret("gateway"), 0o600)
    put(ours, "bank.asc", gpg.certificate("bank"), 0o644)
    put(theirs, "own.asc", gpg.secret("bank"), 0o600)
    put(theirs, "gateway.asc", gpg.certificate("gateway"), 0o644)
    edit(ground.profile_path(RURAL), OLD_SEAL, NEW_SEAL)
    settings = ground.site.bank(RURAL) / "simulator.toml"
    edit(
        settings,
        "[keys]\n",
        '[keys]\npgp_key = "keys/own.asc"\ngateway_pgp_certificate = "keys/gateway.asc"\n',
    )
    enter(ground, "pgp-own", "pgp-key", RURAL, 'private_key = "keys/own.asc"')
    enter(ground, "pgp-bank", "pgp-certificate", RURAL, 'certificate = "keys/bank.asc"')
    return ground


def enter(ground: Ground, key_id: str, role: str, bank: str, line: str, environment: str = "test") -> None:
    with (ground.site.configuration.parent / "keys.toml").open("a", encoding="utf-8") as ring:
        ring.write(f'\n[[key]]\nid = "{key_id}"\nrole = "{role}"\nbank = "{bank}"\n')
        ring.write(f'environment = "{environment}"\n{line}\n')


def start_bank(site: Ground) -> SimulatedBank:
    """The simulated bank by the site's own profile."""
    shipped = shipped_desk(RURAL)
    own = load_configuration(site.site.configuration).profiles[RURAL]
    # The bank's folders lie below its own; all else is as the gateway's profile says.
    profile = msgspec.structs.replace(own, channel=shipped.profile.channel)
    inbound = {each.kind: each for each in profile.inbound}
    forms = [msgspec.structs.replace(form, inbound=inbound["result"]) for form in shipped.results]
    assert shipped.acknowledgement is not None
    told = msgspec.structs.replace(shipped.acknowledgement, inbound=inbound["acknowledgement"])
    desk = msgspec.structs.replace(shipped, profile=profile, results=tuple(forms), acknowledgement=told)
    scenario = make_scenario("all-well", share_per_mille=1000)
    bank = SimulatedBank(desk, site.bank_seals(RURAL), site._store(RURAL), scenario)
    site.fronts[RURAL] = Front(bank, site.site.bank(RURAL), site.clock.now)
    return bank


def test_files_go_there_and_back_signed_and_encrypted(site: Ground, gpg: GnuPg) -> None:
    start_bank(site)
    payments = payments_of(RURAL, 3)
    with site.open() as gateway:
        site.submit(gateway, payments)
        gateway.run()
        (sent,) = (path for path in site.outbox(RURAL).iterdir() if path.suffix == ".txt")
        assert payments[0].account.encode() not in sent.read_bytes()
        assert payments[0].account.encode() in gpg.run("--decrypt", content=sent.read_bytes())
        site.run_to_the_end(gateway)
        assert current(gateway) == credited(payments)
        assert states(gateway) == ["settled"]
        site.check_sound(gateway)


def test_an_answer_of_a_stranger_is_refused(site: Ground, gpg: GnuPg) -> None:
    put(site.site.bank(RURAL) / "keys", "own.asc", gpg.secret("bank"), 0o600)
    start_bank(site)
    stranger = site.site.bank(RURAL) / "keys" / "stranger.asc"
    with site.open() as gateway:
        site.submit(gateway, payments_of(RURAL, 2))
        gateway.run()
        put(stranger.parent, stranger.name, gpg.secret("stranger"), 0o600)
        bank = site.fronts[RURAL].bank
        forged = msgspec.structs.replace(bank._seals, pgp_key=load_pgp_key("stranger", stranger, None))
        bank._writer._seals = forged
        site.run_to_the_end(gateway)
        assert {received.state for received in gateway.received()} == {"refused"}
        assert current(gateway) == {}


def test_the_ring_keeps_banks_and_environments_apart(site: Ground, gpg: GnuPg) -> None:
    path = site.site.configuration.parent / "keys.toml"
    ring = Keyring.load(path, "test")
    assert [key.key_id for key in ring.pgp_keys(RURAL, NOW)] == ["pgp-own"]
    assert ring.pgp_recipient(RURAL, NOW).subject == "bank"
    assert [anchor.key_id for anchor in ring.pgp_trust(RURAL).anchors] == ["pgp-bank"]
    for ask in (
        ring.pgp_trust,
        lambda bank: ring.pgp_keys(bank, NOW),
        lambda bank: ring.pgp_recipient(bank, NOW),
    ):
        with pytest.raises(KeyUnavailable, match=r"no key of role pgp-.* for other"):
            ask("other")
    rows = {row.key_id: row for row in ring.listed() if row.kind == "OpenPGP"}
    assert set(rows) == {"pgp-own", "pgp-bank"}
    assert rows["pgp-bank"].valid_until is not None
    enter(site, "other-bank", "pgp-certificate", "city-bank", 'certificate = "keys/bank.asc"', "production")
    with pytest.raises(KeyringInvalid, match="the same certificate is pinned in line"):
        Keyring.load(path, "test")


def test_key_check_knows_what_a_bank_with_openpgp_needs(site: Ground) -> None:
    configuration = load_configuration(site.site.configuration)
    listed = Keyring.load(configuration.keys, "test").listed()
    needs = key_needs(configuration)
    assert {"pgp-key", "pgp-certificate"} <= {need.role for need in needs if need.owner == RURAL}
    report = check_keys(needs, listed, "test", NOW, 30)
    of_the_bank = [finding.key_id for finding in report.findings if finding.owner == RURAL]
    assert [key for key in of_the_bank if "pgp" in key] == []
    assert {f"{RURAL}-signing", f"{RURAL}-ca"} <= set(of_the_bank)
    assert report.exit_code == 0
    without = [row for row in listed if row.key_id != "pgp-bank"]
    (missing, *_) = check_keys(needs, without, "test", NOW, 30).findings
    assert (missing.state, missing.role, missing.urgent) == ("missing", "pgp-certificate", True)
