"""Early warnings: each kind where it is due, none where nothing is unusual."""

from __future__ import annotations

import msgspec

from formats import Payment
from tests.gateway.commands import Commands
from tests.gateway.sites import CITY, Ground, edit, payments_of
from tests.gateway.test_settle import Sent, result, row


def kinds(ground: Ground, payments: list[Payment]) -> list[tuple[str, str, int, list[str]]]:
    with ground.open() as gateway:
        ground.submit(gateway, payments, "WATCHED")
        return [
            (str(one.kind), one.about, one.count, one.payment_ids)
            for one in gateway.plan.early_warnings("WATCHED")
        ]


def test_nothing_unusual_warns_of_nothing(ground: Ground, bankgate: Commands) -> None:
    assert kinds(ground, payments_of(CITY, 6)) == []
    assert bankgate("warnings", "WATCHED").code == 0


def test_an_amount_many_times_the_middle_one(ground: Ground) -> None:
    payments = payments_of(CITY, 5)
    far = msgspec.structs.replace(payments[4], amount_minor=5 * payments[2].amount_minor)
    below = msgspec.structs.replace(payments[3], amount_minor=5 * payments[2].amount_minor - 1)
    found = kinds(ground, [*payments[:3], below, far])
    assert found == [("far_from_middle", far.programme, 1, [far.payment_id])]


def test_an_amount_outside_of_the_standard(ground: Ground) -> None:
    catalogue = ground.site.configuration.parent / "catalogue.toml"
    standard = (
        'standard = { source = "标准", amounts_minor = [10000], least_minor = 10101, most_minor = 10202 }\n'
    )
    edit(catalogue, 'name      = "学前教育政府助学金"\n', f'name      = "学前教育政府助学金"\n{standard}')
    payments = payments_of(CITY, 4)
    assert kinds(ground, payments) == [("off_standard", payments[3].programme, 1, [payments[3].payment_id])]


def test_one_account_for_several_people(ground: Ground, bankgate: Commands) -> None:
    payments = payments_of(CITY, 5)
    account = payments[0].account
    shared = [msgspec.structs.replace(one, account=account) for one in payments[:3]]
    pair = msgspec.structs.replace(payments[4], account=payments[3].account)
    found = kinds(ground, [*shared, payments[3], pair])
    assert found == [("shared_account", f"*{account[-4:]}", 3, [one.payment_id for one in shared])]
    told = bankgate("warnings", "WATCHED")
    assert (told.code, "3 beneficiaries are paid to one account" in told.out, account in told.out) == (
        1,
        True,
        False,
    )


def test_a_person_paid_twice_to_the_own_account_is_one_person(ground: Ground) -> None:
    (one,) = payments_of(CITY, 1)
    periods = ("2026-T1", "2025-T2", "2025-T1")
    again = [msgspec.structs.replace(one, payment_id=f"A-{period}", period=period) for period in periods]
    assert kinds(ground, [one, *again]) == []


def test_many_corrections_and_many_failures(ground: Ground) -> None:
    with ground.open() as gateway:
        sent = Sent(ground, gateway)
        rows = [row(item, one, "F44") for item, one in enumerate(sent.payments[:2], 1)]
        sent.say(result(sent.name, [*rows, *sent.all()[2:]]))
        batch_id = gateway.status()[0].batch_id
        (failures,) = gateway.plan.early_warnings(batch_id)
        assert (str(failures.kind), failures.about, failures.count) == ("failure_rate", CITY, 2)
        again = [
            msgspec.structs.replace(
                new,
                amount_minor=old.amount_minor,
                beneficiary_id=old.beneficiary_id,
                reissue_of=old.payment_id,
            )
            for old, new in zip(sent.payments[:2], payments_of(CITY, 2, prefix="R", start=30), strict=True)
        ]
        ground.submit(gateway, again, "AGAIN")
        (changes,) = gateway.plan.early_warnings("AGAIN")
        assert (str(changes.kind), changes.count) == ("account_changes", 2)
        assert changes.payment_ids == [one.payment_id for one in again]
