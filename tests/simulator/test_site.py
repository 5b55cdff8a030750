"""A demonstration site: everything in it fits together before any money moves."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from formats.records import AccountKind, Payment, RecordChunk
from formats.registry import Registry
from formats.standard import open_batch
from gateway.configuration.config import load_configuration
from gateway.demonstration.payments import Order, make_payments
from gateway.demonstration.plan import PLATFORM
from gateway.demonstration.site import Site, create_site, sign_batch, write_demo_batch
from keys.cms import verify_detached
from keys.errors import SignatureInvalid
from keys.keyring import Keyring

NOW = datetime(2026, 9, 1, 2, 0, tzinfo=UTC)
ORDER = Order(count=400, seed=5, defects=8)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    made = create_site(tmp_path_factory.mktemp("site"), NOW, ports={"iso-bank": 2201})
    write_demo_batch(made.batch, ORDER)
    sign_batch(made, NOW)
    return made


def test_the_configuration_has_no_mistake_and_no_warning(site: Site) -> None:
    registry = Registry()
    configuration = load_configuration(
        site.configuration, lambda folders: {name: registry.get(name).purpose for name in registry.names()}
    )
    assert configuration.warnings == []
    assert sorted(configuration.profiles) == site.banks == ["city-bank", "iso-bank", "rural-credit"]
    assert len(configuration.agreements) == 33
    assert configuration.profiles["iso-bank"].channel.port == 2201
    ports = {profile.channel.port for profile in configuration.profiles.values()}
    assert len(ports) == 3


def test_every_key_opens_and_every_secret_is_private(site: Site) -> None:
    ring = Keyring.load(site.configuration.with_name("keys.toml"), "test")
    roles = [listed.role for listed in ring.listed()]
    assert {role: roles.count(role) for role in roles} == {
        "sign": 3,
        "journal-sign": 1,
        "verify": 3,
        "encrypt": 1,
        "decrypt": 1,
        "host-pin": 3,
        "ssh-login": 3,
        "platform-verify": 1,
        "person": 2,
        "spool-master": 1,
        "fingerprint": 1,
    }
    secret = [
        path for path in site.folder.rglob("*") if path.is_file() and b"PRIVATE KEY" in path.read_bytes()
    ]
    assert len(secret) == 3 * 4 + 2 + 1 + 2 + 1 + 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in secret} == {0o600}


def test_every_payment_is_entrusted_to_its_bank(site: Site) -> None:
    configuration = load_configuration(site.configuration)
    for payment in make_payments(ORDER):
        agreements = configuration.agreements[payment.department, payment.bank]
        assert any(one.entrusts(payment.programme, date(2026, 9, 1), PLATFORM) for one in agreements)


def test_the_batch_has_the_ordered_defects_and_no_other_problem(site: Site) -> None:
    reader = open_batch(site.batch, today=date(2026, 9, 1))
    problems = [problem for chunk in reader for problem in chunk.problems]
    assert reader.final_problems == []
    # Bad accounts and long names are mistakes by the bank's profile only.
    assert sorted(problem.code for problem in problems) == ["account_missing"] * 2 + ["id_invalid"] * 2


def test_every_payment_without_a_defect_fits_its_bank(site: Site) -> None:
    configuration, registry = load_configuration(site.configuration), Registry()
    payments = list(make_payments(Order(count=600, seed=5)))
    for bank, profile in configuration.profiles.items():
        codec = registry.get(profile.layouts.request)
        chunk = _chunk([payment for payment in payments if payment.bank == bank])
        assert codec.problems(chunk) == []
        for payment in payments:
            if payment.bank == bank:
                rule = profile.accounts.rule(payment.account_kind)
                assert len(payment.account) in rule.lengths
                assert payment.account_kind is AccountKind.PASSBOOK or payment.account.startswith(
                    tuple(rule.prefixes)
                )


def test_the_platform_signed_exactly_this_batch(site: Site) -> None:
    ring = Keyring.load(site.configuration.with_name("keys.toml"), "test")
    trust = ring.platform_trust(PLATFORM)
    with site.batch.open("rb") as source:
        verdict = verify_detached(source, site.signature.read_bytes(), trust, NOW)
    assert (verdict.subject, verdict.algorithm) == ("CN=yikatong,C=CN", "rsa-pkcs1-sha256")
    changed = site.folder / "changed.csv"
    changed.write_bytes(site.batch.read_bytes().replace(b",7", b",8", 1))
    with changed.open("rb") as source, pytest.raises(SignatureInvalid):
        verify_detached(source, site.signature.read_bytes(), trust, NOW)


def test_the_same_order_gives_the_same_file(site: Site, tmp_path: Path) -> None:
    write_demo_batch(tmp_path / "again.csv", ORDER)
    assert (tmp_path / "again.csv").read_bytes() == site.batch.read_bytes()


def _chunk(payments: list[Payment]) -> RecordChunk:
    def columns() -> Iterator[tuple[str, list[object]]]:
        yield "attempt.item", list(range(1, len(payments) + 1))
        yield "payment.amount", [payment.amount_minor for payment in payments]
        yield "payment.payee_name", [payment.payee_name or payment.beneficiary_name for payment in payments]
        for name in ("account", "bank_code", "bank_name", "province", "city", "region", "summary"):
            yield f"payment.{name}", [getattr(payment, name) for payment in payments]

    return RecordChunk(record="payment", count=len(payments), columns=dict(columns()))
