"""`bankgate reissue`: failed payments again, from what is stored and what was verified."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from formats import Reason
from gateway import Gateway, InputRefused
from gateway.rules.corrections import Correction, read_corrections
from tests.gateway.commands import Commands
from tests.gateway.sites import CITY, ISO, PERSONS, Ground, current, payments_of
from tests.gateway.test_settle import Sent, result, row
from tests.rules.sheets import sheet

A, B = PERSONS
HEADER = "原明细编号,账号,核实人,核实日期,核实依据\n"


def failed(ground: Ground, gateway: Gateway, code: str = "F44") -> Sent:
    """Payment P-00001 has failed, the others are credited."""
    sent = Sent(ground, gateway)
    sent.say(result(sent.name, [row(1, sent.payments[0], code), *sent.all()[1:]]))
    return sent


def written(folder: Path, text: str) -> Path:
    path = folder / "corrections.csv"
    path.write_text(text, "utf-8")
    return path


def correction(payment_id: str = "P-00001", **changes: object) -> Correction:
    whole: dict[str, object] = {
        "payment_id": payment_id,
        "verified_by": "王科员",
        "verified_on": date(2026, 9, 1),
        "ground": "换卡后核实",
    }
    return Correction(**{**whole, **changes})  # type: ignore[arg-type]


def test_a_failed_payment_goes_again_to_the_corrected_account(ground: Ground, tmp_path: Path) -> None:
    with ground.open() as gateway:
        sent = failed(ground, gateway)
        other = payments_of(CITY, 1, start=50)[0].account
        path = written(tmp_path, f"{HEADER}P-00001,{other},王科员,2026-09-01,换卡后核实\n")
        made = gateway.plan.reissue(path, "AGAIN")
        (payment,) = made.payments
        old = sent.payments[0]
        assert made.refused == []
        assert (payment.payment_id, payment.reissue_of, payment.account) == ("P-00001-R1", "P-00001", other)
        assert payment.reissue_ground == "换卡后核实;核实人王科员;2026-09-01"
        assert (payment.amount_minor, payment.beneficiary_id, payment.period) == (
            old.amount_minor,
            old.beneficiary_id,
            old.period,
        )
        receipt = gateway.submit(made.batch, made.payments)
        assert (receipt.accepted, receipt.held, receipt.set_aside) == (1, 0, 0)
        story = gateway.trace("P-00001-R1")
        assert [(one.payment_id, one.state) for one in story.chain] == [
            ("P-00001", "failed"),
            ("P-00001-R1", "accepted"),
        ]


def test_another_bank_is_not_reached_by_the_number_of_the_old_one(ground: Ground) -> None:
    """People may change their bank (plan, section 五(四)): a code that stays would lead to the old one."""
    with ground.open() as gateway:
        old = failed(ground, gateway).payments[0]
        assert old.bank_code != ""
        new = payments_of(ISO, 1)[0]
        moved = {"bank": ISO, "account": new.account}
        (payment,) = gateway.plan.reissue([correction(changes=moved)], "AGAIN").payments
        assert (payment.bank, payment.bank_code, payment.bank_name) == (ISO, "", "")
        told = moved | {"bank_code": new.bank_code}
        (payment,) = gateway.plan.reissue([correction(changes=told)], "AGAIN").payments
        assert payment.bank_code == new.bank_code
        (payment,) = gateway.plan.reissue([correction(changes={"bank": CITY})], "AGAIN").payments
        assert payment.bank_code == old.bank_code


@pytest.mark.parametrize(("day", "goes"), [(31, False), (1, True), (2, False)])
def test_nobody_verifies_before_it_failed_or_tomorrow(ground: Ground, day: int, goes: bool) -> None:
    """It failed on the first of September, and that is today."""
    verified = date(2026, 8, 31) if day == 31 else date(2026, 9, day)
    with ground.open() as gateway:
        failed(ground, gateway)
        made = gateway.plan.reissue([correction(verified_on=verified)], "AGAIN")
        assert len(made.payments) == goes
        assert ["wanted a day from 2026-09-01" in one.message for one in made.refused] == [True] * (not goes)


def test_one_that_failed_again_gets_the_next_number(ground: Ground) -> None:
    with ground.open() as gateway:
        failed(ground, gateway)
        made = gateway.plan.reissue([correction(changes={"account": ""})], "AGAIN")
        gateway.submit(made.batch, made.payments)
        assert current(gateway)["P-00001-R1"] == ("set_aside", str(Reason.NO_CARD), None)
        (second,) = gateway.plan.reissue([correction("P-00001-R1")], "THIRD").payments
        assert (second.payment_id, second.reissue_of) == ("P-00001-R2", "P-00001-R1")


@pytest.mark.parametrize(
    ("code", "payment_id", "amount_minor", "rule"),
    [
        ("F44", "P-00002", None, "reissue"),  # credited
        ("F44", "P-77777", None, "reissue"),  # nobody's
        ("Z9", "P-00001", None, "reissue"),  # unknown
        ("F44", "P-00001", 1, "reissue-amount"),
    ],
)
def test_what_may_not_be_paid_again_is_refused_by_rule_and_the_rest_goes_on(
    ground: Ground, code: str, payment_id: str, amount_minor: int | None, rule: str
) -> None:
    with ground.open() as gateway:
        failed(ground, gateway, code)
        ground.submit(gateway, payments_of(CITY, 1, prefix="N", start=60, account=""), "NONE")
        wanted = [correction(payment_id, amount_minor=amount_minor), correction("N-00061")]
        made = gateway.plan.reissue(wanted, "AGAIN")
        assert [one.reissue_of for one in made.payments] == ["N-00061"]
        assert made.batch.declared_total_minor == made.payments[0].amount_minor
        (problem,) = made.refused
        assert (problem.code, "plan section 四(五)" in problem.message) == (rule, True)


def test_a_payment_that_is_replaced_already_is_refused(ground: Ground) -> None:
    with ground.open() as gateway:
        failed(ground, gateway)
        made = gateway.plan.reissue([correction()], "AGAIN")
        gateway.submit(made.batch, made.payments)
        second = gateway.plan.reissue([correction()], "THIRD")
        assert second.payments == []
        assert "another payment replaces it already: P-00001-R1" in second.refused[0].message


def test_two_corrections_of_one_payment_are_both_refused(ground: Ground) -> None:
    with ground.open() as gateway:
        failed(ground, gateway)
        made = gateway.plan.reissue([correction(line=2), correction(line=3)], "AGAIN")
        assert (made.payments, [one.line for one in made.refused]) == ([], [2, 3])


@pytest.mark.parametrize(
    ("row_text", "message"),
    [
        ("P-00001,,,2026-09-01,换卡\n", "verified_by is empty"),
        ("P-00001,,王,2026-13-02,换卡\n", "verified_on is no date"),
        ("P-00001,,王,2026-09-01\n", "too many or too few cells"),
        (",,王,2026-09-01,换卡\n", "payment_id is empty"),
    ],
)
def test_a_correction_without_who_when_or_why_is_refused(tmp_path: Path, row_text: str, message: str) -> None:
    good = "P-00002,,王,2026-09-01,换卡\n"
    corrections, problems = read_corrections(written(tmp_path, HEADER + row_text + good))
    assert [one.payment_id for one in corrections] == ["P-00002"]
    assert message in problems[0].message
    assert problems[0].line == 2


@pytest.mark.parametrize(
    "text", ["", "payment_id,verified_by\n", HEADER.replace("账号", "工资"), "原明细编号," + HEADER, "\udcff"]
)
def test_what_is_no_list_of_corrections_is_refused_as_a_whole(tmp_path: Path, text: str) -> None:
    path = tmp_path / "corrections.csv"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputRefused, match=r"1 problem|wanted|reissue"):
        read_corrections(path)


def test_corrections_in_a_workbook_are_read_and_refused_by_cell(tmp_path: Path) -> None:
    """An account that was typed as a number has lost digits; a day may be a day, an amount a number."""
    rows: list[list[object]] = [
        ["原明细编号", "账号", "金额", "核实人", "核实日期", "核实依据"],
        ["P-1", "6231990000001208674", 12.5, "王", date(2026, 9, 1), "换卡"],
        ["P-2", 6231990000001208674, "", "", "九月", "换卡"],
        ["P-3", "", "十元", "王", "2026-09-01", "换卡"],
    ]
    corrections, problems = read_corrections(sheet(tmp_path / "corrections.xlsx", rows))
    assert [(one.payment_id, one.verified_on, one.amount_minor) for one in corrections] == [
        ("P-1", date(2026, 9, 1), 1250)
    ]
    assert [one.message.partition(",")[0] for one in problems] == [
        "cell D3 verified_by P-2: verified_by is empty or too long",
        "cell E3 verified_on P-2: verified_on is no date",
        "cell B3 account P-2: account is a number",
        "cell C4 amount P-3: the amount is unreadable",
    ]


def test_all_that_is_wrong_with_the_headers_is_told_in_one_pass(tmp_path: Path) -> None:
    path = written(tmp_path, "原明细编号,工资,核实人,核实人,核实日期\n")
    with pytest.raises(InputRefused) as refused:
        read_corrections(path)
    told = [one.message.partition("row 1: ")[2].partition(", wanted")[0] for one in refused.value.problems]
    assert [one.partition(":")[0] for one in told] == ["has unknown columns", "lacks", "has a column twice"]
    assert told[1:] == ["lacks: ground", "has a column twice: verified_by"]


def test_words_of_choices_are_read_as_in_a_batch(tmp_path: Path) -> None:
    header = HEADER.replace("账号", "账户类型,金额")
    text = (
        f"{header}P-1,一本通,12.5,王,2026-09-01,换\nP-2,信用卡,,王,2026-09-01,换\nP-3,,1e2,王,2026-09-01,换\n"
    )
    corrections, problems = read_corrections(written(tmp_path, text))
    assert [(one.changes, one.amount_minor) for one in corrections] == [({"account_kind": "passbook"}, 1250)]
    assert [one.line for one in problems] == [3, 4]


def test_the_command_writes_or_submits(ground: Ground, bankgate: Commands, tmp_path: Path) -> None:
    with ground.open() as gateway:
        failed(ground, gateway)
    path = written(tmp_path, f"{HEADER}P-00001,,王,2026-09-01,账户已解冻\n")
    out = tmp_path / "again.jsonl"
    assert bankgate("reissue", path, "--batch", "AGAIN").code == 2
    assert bankgate("reissue", path, "--batch", "AGAIN", "--output", out).code == 0
    checked = bankgate("check", out)
    assert (checked.code, "1 rows, 0 problems" in checked.out) == (0, True)
    told = bankgate("reissue", path, "--batch", "AGAIN", "--submit")
    assert (told.code, "1 payments again" in told.out, "not released" in told.out) == (1, True, True)
    refused = bankgate("reissue", path, "--batch", "MORE", "--submit")
    assert (refused.code, "replaces it already" in refused.err) == (3, True)


def test_what_was_for_a_programme_that_nobody_knows_is_not_handed_over_under_a_word_of_ours(
    ground: Ground,
) -> None:
    """The ledger keeps no word of a batch that may be somebody's name."""
    payments = payments_of(CITY, 1, programme="王小明")
    with ground.open() as gateway:
        ground.submit(gateway, payments)
        assert current(gateway)["P-00001"][:2] == ("set_aside", "NOT_ENTRUSTED")
        made = gateway.plan.reissue([correction()], "AGAIN")
        assert made.payments == []
        assert "names it in reissue_of" in made.refused[0].message


def test_the_payment_of_another_platform_is_told_to_be_that(ground: Ground) -> None:
    configuration = ground.site.configuration
    text = configuration.read_text("utf-8")
    configuration.write_text(f'{text}\n[platform.yibentong]\nname = "一本通"\nkind = "passbook"\n', "utf-8")
    with ground.open() as gateway:
        failed(ground, gateway)
        made = gateway.plan.reissue([correction()], "AGAIN", platform="yibentong")
    (refused,) = made.refused
    assert "is a payment of yikatong, wanted a payment of yibentong" in refused.message
