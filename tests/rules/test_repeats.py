"""The same person, programme and period again is held, wherever the first payment is."""

from __future__ import annotations

import re

import msgspec
import pytest

from formats import AccountKind, Reason
from formats.records import Payment
from gateway import DecisionRefused, Gateway
from keys.master import new_master_key_file
from tests.gateway.sites import CITY, ISO, PERSONS, RURAL, Ground, credited, current, edit, payments_of

A, B = PERSONS


def again(payment: Payment, payment_id: str, **changes: object) -> Payment:
    return msgspec.structs.replace(payment, payment_id=payment_id, **changes)


def held(gateway: Gateway) -> dict[str, str]:
    """Messages of held payments by id."""
    found = {one.object.rpartition("/")[2]: one.message for one in gateway.held()}
    return {key: message for key, message in found.items() if "同期重复" in message}


def test_a_repeat_within_a_batch_is_held_and_the_first_goes(ground: Ground) -> None:
    ground.bank(CITY)
    payments = payments_of(CITY, 2)
    twin = again(payments[0], "P-twin")
    with ground.open() as gateway:
        ground.submit(gateway, [*payments, twin])
        ground.run_to_the_end(gateway)
        assert list(held(gateway)) == ["P-twin"]
        assert current(gateway) == credited(payments)
        ground.decide(gateway, "payment:yikatong/P-twin", "accept", A, B)
        ground.run_to_the_end(gateway)
        assert current(gateway) == credited([*payments, twin])


def test_a_repeat_of_an_earlier_batch_names_the_other_payment(ground: Ground) -> None:
    payments = payments_of(CITY, 1)
    with ground.open() as gateway:
        ground.submit(gateway, payments, "FIRST")
        ground.submit(gateway, [again(payments[0], "Q-1")], "SECOND")
        assert held(gateway) == {
            "Q-1": "100.00 yuan held: 同期重复 repeated within the period:"
            " P-00001 (yikatong/FIRST, 待发 accepted 100.00)"
        }


def test_every_other_payment_is_named_as_it_stands_when_it_is_decided(ground: Ground) -> None:
    """Else two repeats would hide behind one another what was paid, and be let go."""
    ground.bank(CITY)
    (first,) = payments_of(CITY, 1)
    with ground.open() as gateway:
        ground.submit(gateway, [first, again(first, "P-twin")], "FIRST")
        ground.submit(gateway, [again(first, "Q-1")], "SECOND")
        ground.submit(gateway, [again(first, "R-1")], "THIRD")
        about = "payment:yikatong/R-1"
        early = gateway.statement(about, "accept", A)
        ground.run_to_the_end(gateway)
        paid = "P-00001 (yikatong/FIRST, 已入账 credited 100.00)"
        twin, second = (
            f"{name} (yikatong/{batch}, 待定 held 100.00)"
            for name, batch in (("P-twin", "FIRST"), ("Q-1", "SECOND"))
        )
        third = "R-1 (yikatong/THIRD, 待定 held 100.00)"
        told = {key: message.partition("period: ")[2] for key, message in held(gateway).items()}
        assert told == {
            "P-twin": f"{paid}, {second}, {third}",
            "Q-1": f"{paid}, {twin}, {third}",
            "R-1": f"{paid}, {twin}, {second}",
        }
        # The first was paid since the person looked.
        with pytest.raises(DecisionRefused, match="has changed"):
            gateway.decide(early, ground.signature(early))
        ground.decide(gateway, "payment:yikatong/Q-1", "withdraw", A)
        assert [(one.payment_id, one.state) for one in gateway.trace("R-1").others] == [
            ("P-00001", "credited"),
            ("P-twin", "held"),
        ]
        # Why it waited stays to be told: somebody will ask.
        withdrawn = gateway.trace("Q-1")
        assert (withdrawn.state, [hold.reason for hold in withdrawn.holds]) == (
            "withdrawn",
            [Reason.REPEAT_IN_PERIOD],
        )
        assert [one.payment_id for one in withdrawn.others] == ["P-00001", "P-twin", "R-1"]
        ground.decide(gateway, about, "accept", A, B)
        accepted = gateway.trace("R-1")
        assert (accepted.state, len(accepted.holds)) == ("accepted", 1)
        assert [one.payment_id for one in accepted.others] == ["P-00001", "P-twin"]


def test_card_and_passbook_of_two_platforms_are_the_same_subsidy(ground: Ground) -> None:
    configuration = ground.site.configuration
    text = configuration.read_text("utf-8")
    configuration.write_text(text + '\n[platform.yibentong]\nname = "一本通"\nkind = "passbook"\n', "utf-8")
    for path in (configuration.parent / "agreements").glob("*.toml"):
        edit(path, 'platforms         = ["yikatong"]', 'platforms = ["*"]')
    (card,) = payments_of(CITY, 1)
    (other,) = payments_of(RURAL, 1)
    passbook = again(
        card,
        "BB-1",
        bank=RURAL,
        account="6" * 23 if other.account_kind == AccountKind.PASSBOOK else other.account,
        bank_code=other.bank_code,
        bank_name=other.bank_name,
    )
    with ground.open() as gateway:
        ground.submit(gateway, [card], "CARDS")
        batch = ground.batch([passbook], "BOOKS", source_platform="yibentong")
        gateway.submit(ground.write(batch, [passbook]))
        assert "P-00001 (yikatong/CARDS, " in held(gateway)["BB-1"]


def test_another_spelling_of_the_programme_does_not_hide_a_repeat(ground: Ground) -> None:
    configuration = ground.site.configuration
    catalogue = configuration.parent / "catalogue.toml"
    edit(
        catalogue,
        'name      = "学前教育政府助学金"\n',
        'name      = "学前教育政府助学金"\nalso = ["学前助学金"]\n',
    )
    payments = payments_of(CITY, 1)
    with ground.open() as gateway:
        ground.submit(gateway, payments, "FIRST")
        ground.submit(gateway, [again(payments[0], "Q-1", programme="学前助学金")], "SECOND")
        assert list(held(gateway)) == ["Q-1"]


def test_an_old_form_of_the_id_does_not_hide_a_repeat(ground: Ground) -> None:
    (payment,) = payments_of(CITY, 1, beneficiary_id="370902199001011235")
    fifteen = "370902" + "900101" + "123"
    with ground.open() as gateway:
        ground.submit(gateway, [payment], "FIRST")
        ground.submit(gateway, [again(payment, "Q-1", beneficiary_id=fifteen)], "SECOND")
        assert list(held(gateway)) == ["Q-1"]


def test_another_period_person_or_programme_is_no_repeat(ground: Ground) -> None:
    first, second = payments_of(CITY, 2)
    with ground.open() as gateway:
        ground.submit(gateway, [first])
        others = [
            again(first, "Q-1", period="2026-T1"),
            second,
            again(first, "Q-3", programme="普通高中国家助学金"),
        ]
        ground.submit(gateway, others)
        assert held(gateway) == {}


def test_a_programme_that_allows_repeats_is_not_looked_at(ground: Ground) -> None:
    catalogue = ground.site.configuration.parent / "catalogue.toml"
    edit(
        catalogue,
        'name      = "学前教育政府助学金"\n',
        'name      = "学前教育政府助学金"\nrepeats = "allowed"\n',
    )
    payments = payments_of(CITY, 1)
    with ground.open() as gateway:
        ground.submit(gateway, [*payments, again(payments[0], "P-2")])
        assert held(gateway) == {}


def test_what_was_set_aside_or_withdrawn_is_no_rival(ground: Ground) -> None:
    (payment,) = payments_of(CITY, 1)
    with ground.open() as gateway:
        ground.submit(gateway, [again(payment, "W-1")], "WITHDRAWN")
        ground.decide(gateway, "batch:yikatong/WITHDRAWN", "withdraw", A, B)
        ground.submit(gateway, [again(payment, "N-1", account="")], "ASIDE")
        ground.submit(gateway, [payment], "GOOD")
        assert held(gateway) == {}


def test_a_failed_payment_again_without_naming_it_is_held_and_its_reissue_is_not(ground: Ground) -> None:
    ground.bank(CITY, "failures")
    (payment,) = payments_of(CITY, 1)
    with ground.open() as gateway:
        ground.submit(gateway, [payment], "FIRST")
        ground.run_to_the_end(gateway)
        ((status, _, _),) = current(gateway).values()
        assert status == "failed"
        report = gateway.check(ground.write(ground.batch([again(payment, "Q-1")]), [again(payment, "Q-1")]))
        assert [one.code for one in report.problems] == ["once-a-period"]
        ground.submit(gateway, [again(payment, "R-1", reissue_of="P-00001")], "REISSUE")
        assert held(gateway) == {}
        # The reissue is a payment of the period itself.
        ground.submit(gateway, [again(payment, "Q-2")], "THIRD")
        assert "R-1 (yikatong/REISSUE, " in held(gateway)["Q-2"]


def test_a_new_key_of_fingerprints_does_not_hide_what_was_paid_before(ground: Ground) -> None:
    (payment,) = payments_of(ISO, 1)
    with ground.open() as gateway:
        ground.submit(gateway, [payment], "FIRST")
    add_fingerprint_key(ground)
    with ground.open() as gateway:
        assert len(gateway.installation.keyring.fingerprinters()) == 2
        ground.submit(gateway, [again(payment, "Q-1")], "SECOND")
        ground.submit(gateway, [again(payment, "Q-2")], "THIRD")
        assert list(held(gateway)) == ["Q-1", "Q-2"]


@pytest.mark.parametrize("unlisted_first", [True, False])
def test_a_new_key_does_not_hide_a_repeat_from_a_spelling_that_is_listed_later(
    ground: Ground, unlisted_first: bool
) -> None:
    ground.bank(CITY)
    catalogue = ground.site.configuration.parent / "catalogue.toml"
    (payment,) = payments_of(CITY, 1)
    batches = [payment, again(payment, "Q-1", programme="学前助学金")]
    first, second = reversed(batches) if unlisted_first else batches
    for path in (ground.site.configuration.parent / "agreements").glob("*.toml"):
        text = path.read_text("utf-8")
        path.write_text(re.sub(r"(?ms)^programmes +=.*?\]$", 'programmes = ["*"]', text), "utf-8")
    with ground.open() as gateway:
        ground.submit(gateway, [first], "FIRST")
    add_fingerprint_key(ground)
    with ground.open() as gateway:
        ground.submit(gateway, [second], "SECOND")
        ground.run_to_the_end(gateway)
        assert current(gateway) == credited([payment])
    name = 'name      = "学前教育政府助学金"\n'
    edit(catalogue, name, name + 'also = ["学前助学金"]\n')
    with ground.open() as gateway:
        ground.run_to_the_end(gateway)
        assert list(held(gateway)) == ["Q-1"]
        assert current(gateway) == credited([payment])


def add_fingerprint_key(ground: Ground) -> None:
    """A second key of fingerprints, in force from an hour after the tests begin."""
    folder = ground.site.configuration.parent
    new_master_key_file(folder / "keys" / "fingerprint-2.key", "fingerprint-2")
    ring = folder / "keys.toml"
    entry = """
[[key]]
id          = "fingerprint-2"
role        = "fingerprint"
environment = "test"
valid_from  = 2026-09-01T03:00:00Z
key = { file = "keys/fingerprint-2.key" }
"""
    ring.write_text(ring.read_text("utf-8") + entry, "utf-8")
    ground.clock.turn(hours=2)
