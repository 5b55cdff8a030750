"""What the plan forbids, in one batch: each is refused by its rule and section, and the rest is paid.

Corrections that are refused are in `test_reissue`, lists of another batch in `test_publication`.
"""

from __future__ import annotations

import re

from formats import Payment
from formats.records import PayeeKind, PayeeRole
from gateway.rules.catalogue import shipped_text
from tests.gateway.sites import CITY, ISO, Ground, current, edit, payments_of
from tests.rules.test_agreements import agreement_path
from tests.rules.test_reissue import correction, failed

_RULE = re.compile(r"\(rule ([a-z_-]+), plan section ([三四五](?:\([一二三四五十]\))?)\)")
CIVIL, ALLOWANCE = "区民政局", "城乡居民最低生活保障补贴"
CLASSIFIED = "普通高中国家助学金"
HOUSEHOLD = PayeeKind.HOUSEHOLD

FORBIDDEN: dict[str, tuple[dict[str, object], tuple[str, str]]] = {
    "a programme that is not in the catalogue": ({"programme": "没有的项目"}, ("programme-listed", "三")),
    "a department that does not lead it": ({"department": CIVIL}, ("paying-department", "三")),
    "a household programme paid to a person": (
        {"department": CIVIL, "programme": ALLOWANCE, "period": "2026-09"},
        ("payee-kind", "五(二)"),
    ),
    "a household programme paid to a member who is no head": (
        {"department": CIVIL, "programme": ALLOWANCE, "period": "2026-09", "payee_kind": HOUSEHOLD},
        ("household_payee", "五(二)"),
    ),
    "a custodian without ground": ({"custodian_name": "李四"}, ("custody_ground_missing", "五(二)")),
    "another person's account without a rule": (
        {"payee_role": PayeeRole.OTHER, "payee_name": "李四", "payee_ground": "口头"},
        ("own-account", "五(二)"),
    ),
    "a classified programme": ({"programme": CLASSIFIED}, ("not-classified", "三(十)")),
}


def forbidden() -> dict[str, Payment]:
    """A payment for each thing that is forbidden."""
    return {
        name: payments_of(CITY, 1, prefix=f"X{place}", start=place, **changes)[0]
        for place, (name, (changes, _)) in enumerate(FORBIDDEN.items())
    }


def told(problems: list[tuple[str, str]]) -> dict[str, set[tuple[str, str]]]:
    """Rules and sections by payment, of its problems' messages."""
    found: dict[str, set[tuple[str, str]]] = {}
    for payment_id, message in problems:
        rule = _RULE.search(message)
        assert rule is not None, message
        found.setdefault(payment_id, set()).add((rule[1], rule[2]))
    return found


def test_each_is_refused_by_rule_and_section_and_the_rest_is_paid(ground: Ground) -> None:
    catalogue = ground.site.configuration.parent / "catalogue.toml"
    named = f'name      = "{CLASSIFIED}"\n'
    catalogue.write_text(shipped_text().replace(named, f"{named}classified = true\n"), "utf-8")
    ground.bank(CITY)
    wrong, good = forbidden(), payments_of(CITY, 2, prefix="G", start=50)
    payments = [good[0], *wrong.values(), good[1]]
    with ground.open() as gateway:
        path = ground.write(ground.batch(payments, "BAD"), payments)
        receipt = gateway.submit(path, signature=ground.sign(path.read_bytes()))
        found = told([(one.payment_id, one.message) for one in receipt.problems])
        for name, payment in wrong.items():
            assert FORBIDDEN[name][1] in found.pop(payment.payment_id), name
        assert found == {}
        ground.run_to_the_end(gateway)
        paid = [name for name, (status, _, _) in current(gateway).items() if status == "credited"]
        assert sorted(paid) == [one.payment_id for one in good]


def test_an_agreement_that_has_ended_takes_no_new_payments(ground: Ground) -> None:
    """And what it had taken before waits, by the same rule; another bank's payments go on."""
    ground.bank(ISO)
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 1), "BEFORE")
    path = agreement_path(ground)
    edit(path, "valid_until       = 2027-12-31", "valid_until = 2026-08-31")
    late, other = payments_of(CITY, 1, prefix="L", start=1), payments_of(ISO, 1, prefix="O", start=2)
    with ground.open() as gateway:
        batch = ground.batch([*late, *other], "AFTER")
        content = ground.write(batch, [*late, *other])
        receipt = gateway.submit(content, signature=ground.sign(content.read_bytes()))
        assert told([(one.payment_id, one.message) for one in receipt.problems]) == {
            late[0].payment_id: {("entrusted", "四(四)")}
        }
        assert receipt.accepted == 1
        (waits,) = gateway.run().waiting
        assert told([("BEFORE", waits)]) == {"BEFORE": {("entrusted", "四(四)")}}
        ground.run_to_the_end(gateway)
        assert current(gateway)[other[0].payment_id][0] == "credited"


def test_reissues_of_a_platforms_own_batch_are_refused_by_the_same_rule(ground: Ground) -> None:
    with ground.open() as gateway:
        failed(ground, gateway)
        made = gateway.plan.reissue([correction()], "AGAIN")
        gateway.submit(made.batch, made.payments)
        named = {"P-00001": 100_00, "P-00002": 101_01, "P-77777": 100}
        wrong = [
            payments_of(CITY, 1, prefix=f"R{place}", start=place, reissue_of=name, amount_minor=minor)[0]
            for place, (name, minor) in enumerate(named.items(), 10)
        ]
        good = payments_of(CITY, 1, prefix="G", start=50)
        content = ground.write(ground.batch([*wrong, *good], "OWN"), [*wrong, *good])
        receipt = gateway.submit(content, signature=ground.sign(content.read_bytes()))
        assert (receipt.accepted, receipt.set_aside) == (1, 3)
        found = told([(one.payment_id, one.message) for one in receipt.problems])
        assert found == {one.payment_id: {("reissue", "四(五)")} for one in wrong}
