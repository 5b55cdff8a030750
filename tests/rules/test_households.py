"""A household is paid once for a programme and period, whichever member's ID the payment has."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from formats import PayeeKind, PayeeRole
from formats.records import Payment
from gateway import Gateway
from tests.gateway.sites import CITY, PERSONS, RURAL, Ground, credited, current, edit, payments_of
from tests.rules.test_repeats import add_fingerprint_key, again, held

A, B = PERSONS
HOUSEHOLD, MEMBER = "H-0417", "370902199001011235"
PROGRAMME = "学前教育政府助学金"


@pytest.fixture
def family(ground: Ground) -> list[Payment]:
    """Payments for a household programme: one to the head, and others of other households."""
    catalogue = ground.site.configuration.parent / "catalogue.toml"
    text = catalogue.read_text("utf-8")
    start = text.index(f'name      = "{PROGRAMME}"')
    line = text.index("payee", start)
    end = text.index("\n", line)
    catalogue.write_text(f'{text[:line]}payee = ["household", "person"]{text[end:]}', "utf-8")
    return [of_household(one, f"{HOUSEHOLD}-{number}") for number, one in enumerate(payments_of(CITY, 2))]


def of_household(payment: Payment, household: str, **changes: object) -> Payment:
    plain: dict[str, object] = {
        "payee_kind": PayeeKind.HOUSEHOLD,
        "payee_role": PayeeRole.HOUSEHOLD_HEAD,
        "household_id": household,
    }
    return msgspec.structs.replace(payment, **(plain | changes))


def messages(ground: Ground, gateway: Gateway, payments: Sequence[Payment], batch_id: str) -> list[str]:
    """What intake says of a batch."""
    batch = ground.batch(payments, batch_id)
    path = ground.write(batch, payments)
    return [one.message for one in gateway.submit(path, signature=ground.sign(path.read_bytes())).problems]


def test_another_member_of_the_same_batch_is_held(ground: Ground, family: list[Payment]) -> None:
    ground.bank(CITY)
    member = again(family[0], "P-member", beneficiary_id=MEMBER)
    with ground.open() as gateway:
        told = messages(ground, gateway, [*family, member], "ONE")
        assert [line for line in told if "the same household, programme and period as row" in line] != []
        ground.run_to_the_end(gateway)
        assert list(held(gateway)) == ["P-member"]
        assert current(gateway) == credited(family)
        ground.decide(gateway, "payment:yikatong/P-member", "accept", A, B)
        ground.run_to_the_end(gateway)
        assert current(gateway) == credited([*family, member])


def test_another_member_in_a_later_batch_is_held_and_names_the_first(
    ground: Ground, family: list[Payment]
) -> None:
    with ground.open() as gateway:
        ground.submit(gateway, family, "FIRST")
        told = messages(ground, gateway, [again(family[0], "M-1", beneficiary_id=MEMBER)], "SECOND")
        assert "same household, programme and period as P-00001 of batch yikatong/FIRST" in " ".join(told)
        assert "P-00001 (yikatong/FIRST, " in held(gateway)["M-1"]
        # The same person is told as such.
        told = messages(ground, gateway, [again(family[1], "S-1")], "THIRD")
        assert "same beneficiary, programme and period" in " ".join(told)


def test_no_repeats_are_other_households_periods_persons_and_rows_without_a_household(
    ground: Ground, family: list[Payment]
) -> None:
    head = family[0]
    others = payments_of(CITY, 4, prefix="N", start=20)
    with ground.open() as gateway:
        ground.submit(gateway, family, "FIRST")
        fresh = [
            of_household(others[0], "H-9999"),
            of_household(others[1], head.household_id, period="2026-T1"),
            of_household(
                others[2], head.household_id, payee_kind=PayeeKind.PERSON, payee_role=PayeeRole.SELF
            ),
            of_household(others[3], ""),
        ]
        ground.submit(gateway, fresh, "SECOND")
        assert held(gateway) == {}


def test_a_reissue_to_another_member_is_no_repeat(ground: Ground, family: list[Payment]) -> None:
    ground.bank(CITY, "failures", 1000)
    with ground.open() as gateway:
        ground.submit(gateway, family[:1], "FIRST")
        ground.run_to_the_end(gateway)
        assert gateway.trace(family[0].payment_id).state == "failed"
        heir = again(
            family[0],
            "R-1",
            beneficiary_id=MEMBER,
            reissue_of=family[0].payment_id,
            reissue_ground="户主去世,变更户主",
        )
        ground.submit(gateway, [heir, again(family[0], "X-1", beneficiary_id=MEMBER)], "AGAIN")
        assert list(held(gateway)) == ["X-1"]


def test_the_household_is_known_under_older_keys_and_is_not_in_clear(
    ground: Ground, family: list[Payment]
) -> None:
    with ground.open() as gateway:
        ground.submit(gateway, family, "FIRST")
    ((value,),) = ground.rows(
        "SELECT household.value FROM household JOIN payment USING (payment_pk) WHERE payment_id = 'P-00001'"
    )
    assert isinstance(value, bytes)
    assert HOUSEHOLD.encode() not in ground.ledger_path.read_bytes()
    add_fingerprint_key(ground)
    with ground.open() as gateway:
        ground.submit(gateway, [again(family[0], "M-1", beneficiary_id=MEMBER)], "SECOND")
        assert list(held(gateway)) == ["M-1"]


def test_a_programme_that_is_listed_later_finds_them_too(ground: Ground, family: list[Payment]) -> None:
    catalogue = ground.site.configuration.parent / "catalogue.toml"
    listed = catalogue.read_text("utf-8")
    edit(catalogue, f'name      = "{PROGRAMME}"', 'name      = "另一项目"')
    with ground.open() as gateway:
        ground.submit(gateway, [*family, again(family[0], "M-1", beneficiary_id=MEMBER)], "WAITS")
        assert held(gateway) == {}
    catalogue.write_text(listed, "utf-8")
    with ground.open() as gateway:
        gateway.run()
        assert list(held(gateway)) == ["M-1"]


def test_a_bank_of_its_own_does_not_hide_it(ground: Ground, family: list[Payment]) -> None:
    (other,) = payments_of(RURAL, 1, prefix="R")
    with ground.open() as gateway:
        ground.submit(gateway, [family[0], of_household(other, family[0].household_id)], "ONE")
        assert list(held(gateway)) == [other.payment_id]
