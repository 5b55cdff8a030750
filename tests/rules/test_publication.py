"""Lists that people work through, public lists, and the share that is carried by card."""

from __future__ import annotations

import csv
from pathlib import Path

import msgspec
import pytest
import xlsxwriter

from formats import AccountKind, Payment
from formats.masking import mask_published_id
from gateway import Gateway, InputRefused
from gateway.rules.shares import target_percent
from tests.gateway.commands import Commands
from tests.gateway.sites import CITY, ISO, PERSONS, RURAL, Ground, current, payments_of
from tests.gateway.test_settle import Sent, result, row
from tests.rules.sheets import sheet

A, B = PERSONS


def lines_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.reader(stream))


def paid(ground: Ground, gateway: Gateway, count: int = 3) -> list[Payment]:
    """A batch PAID, all of it credited."""
    ground.bank(CITY)
    payments = payments_of(CITY, count)
    ground.submit(gateway, payments, "PAID")
    ground.run_to_the_end(gateway)
    return payments


# Lists that people work through.


def test_people_without_a_card_are_listed_masked(ground: Ground, bankgate: Commands, tmp_path: Path) -> None:
    none, one = payments_of(CITY, 2)
    with ground.open() as gateway:
        ground.submit(gateway, [msgspec.structs.replace(none, account=""), one], "B-1")
        (listed,) = gateway.plan.work_list("no-card")
        assert (listed.payment_id, listed.batch_id, listed.bank) == (none.payment_id, "B-1", CITY)
        assert listed.name == none.beneficiary_name[0] + "*" * (len(none.beneficiary_name) - 1)
        assert listed.id_number == f"{none.beneficiary_id[:3]}{'*' * 12}{none.beneficiary_id[-3:]}"
        assert list(gateway.plan.work_list("no-card", bank=RURAL)) == []
    told = bankgate("lists", "no-card", "--batch", "B-1", "--output", tmp_path / "none.csv")
    assert told.code == 1
    assert [line[0] for line in lines_of(tmp_path / "none.csv")] == ["payment", none.payment_id]
    assert bankgate("lists", "not-activated").code == 0
    assert none.beneficiary_name not in (tmp_path / "none.csv").read_text("utf-8")


def test_who_has_got_a_card_by_a_reissue_is_on_no_list(ground: Ground) -> None:
    (payment,) = payments_of(CITY, 1)
    with ground.open() as gateway:
        ground.submit(gateway, [msgspec.structs.replace(payment, account="")])
        ground.submit(gateway, [msgspec.structs.replace(payment, payment_id="R-1", reissue_of="P-00001")])
        assert list(gateway.plan.work_list("no-card")) == []


@pytest.mark.parametrize(("code", "kind"), [("F56", "not-activated"), ("F40", "changed-bank")])
def test_accounts_to_activate_and_cards_that_moved_are_listed_with_the_banks_item(
    ground: Ground, code: str, kind: str
) -> None:
    with ground.open() as gateway:
        sent = Sent(ground, gateway)
        sent.say(result(sent.name, [row(1, sent.payments[0], code), *sent.all()[1:]]))
        (listed,) = gateway.plan.work_list(kind)
        assert (listed.payment_id, listed.file_name, listed.item) == ("P-00001", sent.name, 1)


# Public lists.


def test_a_public_list_has_no_account_and_agrees_with_the_credits(
    ground: Ground, bankgate: Commands, tmp_path: Path
) -> None:
    made = tmp_path / "list.csv"
    with ground.open() as gateway:
        payments = paid(ground, gateway)
        assert gateway.plan.publish("PAID", made) == 3
        check = gateway.plan.check_list("PAID", made)
        assert (check.agrees, check.published_count, check.credited_minor) == (
            True,
            3,
            sum(one.amount_minor for one in payments),
        )
    head, _, _, headers, *rows = lines_of(made)
    assert head == ["批次号", "PAID"]
    assert headers == [
        "明细编号",
        "姓名",
        "身份证号",
        "补贴项目",
        "补贴期间",
        "补贴标准",
        "金额(元)",
        "村(社区)",
    ]
    assert [line[1] for line in rows] == [one.beneficiary_name for one in payments]
    text = made.read_text("utf-8")
    for one in payments:
        assert one.account not in text
        assert one.beneficiary_id not in text
        assert mask_published_id(one.beneficiary_id) in text
    assert bankgate("publish-check", "PAID", made).code == 0
    assert bankgate("publish", "PAID", "--output", tmp_path / "list.xlsx").code == 0
    assert bankgate("publish", "PAID", "--output", tmp_path / "list.pdf").code == 3


@pytest.mark.parametrize("number", ["", "12345678", "370902199001011235", "440524880101001"])
def test_a_published_id_shows_three_and_three(number: str) -> None:
    masked = mask_published_id(number)
    assert len(masked) in (12, 18)
    assert masked.strip("*") in ("", number[:3] + "*" * 12 + number[-3:])
    assert len(masked.replace("*", "")) <= 6


def altered(path: Path, old: str, new: str) -> Path:
    text = path.read_text("utf-8")
    assert old in text
    changed = path.with_name("changed.csv")
    changed.write_text(text.replace(old, new, 1), "utf-8")
    return changed


def test_both_ways_every_kind_of_difference_is_named(
    ground: Ground, bankgate: Commands, tmp_path: Path
) -> None:
    made = tmp_path / "list.csv"
    with ground.open() as gateway:
        payments = paid(ground, gateway)
        gateway.plan.publish("PAID", made)
        changed = altered(made, "P-00001", "P-99999")
        check = gateway.plan.check_list("PAID", changed)
        assert check.counts == {"published, not credited": 1, "credited, not published": 1}
        changed = altered(made, "101.01", "101.02")
        (other,) = gateway.plan.check_list("PAID", changed).differences
        assert (other.kind, other.payment_id, other.published_minor, other.credited_minor) == (
            "other amount",
            payments[1].payment_id,
            10102,
            10101,
        )
        line = made.read_text("utf-8").splitlines()[4]
        changed.write_text(made.read_text("utf-8") + line + "\r\n", "utf-8")
        assert gateway.plan.check_list("PAID", changed).counts == {"published twice": 1}
    told = bankgate("publish-check", "PAID", changed)
    assert (told.code, "published twice 1" in told.out) == (1, True)


def test_a_reissue_in_another_batch_pays_what_was_published(ground: Ground, tmp_path: Path) -> None:
    ground.bank(CITY, "failures")
    payment, other = payments_of(CITY, 2)
    with ground.open() as gateway:
        ground.submit(gateway, [payment], "FIRST")
        ground.run_to_the_end(gateway)
        assert gateway.plan.publish("FIRST", tmp_path / "list.csv") == 1
        assert gateway.plan.check_list("FIRST", tmp_path / "list.csv").counts == {
            "published, not credited": 1
        }
        ground.bank(CITY)
        again = msgspec.structs.replace(
            payment, payment_id="R-1", reissue_of=payment.payment_id, account=other.account
        )
        ground.submit(gateway, [again], "SECOND")
        ground.run_to_the_end(gateway)
        assert current(gateway, "SECOND")["R-1"][0] == "credited"
        assert gateway.plan.check_list("FIRST", tmp_path / "list.csv").agrees
        assert gateway.plan.publish("FIRST", tmp_path / "credited.csv", "credited") == 0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("批次号,PAID", "批次号,OTHER", "is the list of batch yikatong/OTHER"),
        ("明细编号", "编号", "has no headers"),
        ("金额(元)", "金额", "has no column"),
        ("100.00", "1e2", "row 5 column 金额(元): is no amount, wanted yuan such as 1234.56"),
        ("100.00", "-100", "is no amount"),
        ("P-00001", "", "row 5 column 明细编号: is empty, wanted the id of a payment"),
    ],
)
def test_what_is_no_list_of_the_batch_is_refused_by_rule(
    ground: Ground, tmp_path: Path, old: str, new: str, message: str
) -> None:
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 1), "PAID")
        gateway.plan.publish("PAID", tmp_path / "list.csv")
        with pytest.raises(InputRefused) as refused:
            gateway.plan.check_list("PAID", altered(tmp_path / "list.csv", old, new))
    (problem,) = refused.value.problems
    assert problem.code == "published-list"
    assert message in problem.message
    assert "plan section 五(二)" in problem.message


def test_all_that_is_wrong_with_a_list_is_told_in_one_pass(ground: Ground, tmp_path: Path) -> None:
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 3), "PAID")
        gateway.plan.publish("PAID", tmp_path / "list.csv")
        text = (tmp_path / "list.csv").read_text("utf-8")
        for old, new in (("P-00001", ""), ("101.01", "一百"), ("102.02", "")):
            text = text.replace(old, new)
        (tmp_path / "list.csv").write_text(text, "utf-8")
        with pytest.raises(InputRefused) as refused:
            gateway.plan.check_list("PAID", tmp_path / "list.csv")
        assert [(one.line, one.column) for one in refused.value.problems] == [
            (5, "明细编号"),
            (6, "金额(元)"),
            (7, "金额(元)"),
        ]
        other = text.replace("批次号,PAID", "批次号,X").replace("金额(元)", "金额")
        (tmp_path / "list.csv").write_text(other, "utf-8")
        with pytest.raises(InputRefused) as refused:
            gateway.plan.check_list("PAID", tmp_path / "list.csv")
        assert len(refused.value.problems) == 2


def test_a_list_in_a_workbook_is_compared_like_one_in_csv(
    ground: Ground, bankgate: Commands, tmp_path: Path
) -> None:
    with ground.open() as gateway:
        paid(ground, gateway)
        for name in ("list.csv", "list.xlsx"):
            gateway.plan.publish("PAID", tmp_path / name)
        found = [gateway.plan.check_list("PAID", tmp_path / name) for name in ("list.csv", "list.xlsx")]
    assert found[0] == found[1]
    assert (found[1].agrees, found[1].published_count > 0) == (True, True)
    assert bankgate("publish-check", "PAID", tmp_path / "list.xlsx").code == 0


def test_wrong_cells_of_a_workbook_are_told_by_their_place(ground: Ground, tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["批次号", "PAID"],
        [],
        ["明细编号", "姓名", "金额(元)"],
        ["P-00001", "张三", 100],
        [6231990000001208674, "张三", 100.5],
        ["P-00003", "张三", "一百"],
        ["", "张三", 0.125],
    ]
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 1), "PAID")
        with pytest.raises(InputRefused) as refused:
            gateway.plan.check_list("PAID", sheet(tmp_path / "list.xlsx", rows))
        good = gateway.plan.check_list("PAID", sheet(tmp_path / "good.xlsx", rows[:4]))
    assert [one.message.partition(",")[0] for one in refused.value.problems] == [
        "cell A5 明细编号: is a number",
        "cell C6 金额(元): is no amount",
        "cell A7 明细编号: is empty",
        "cell C7 金额(元): is no amount",
    ]
    assert (good.published_count, good.published_minor) == (1, 10000)


def test_what_is_no_workbook_is_refused(ground: Ground, tmp_path: Path) -> None:
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 1), "PAID")
        for name, content in (
            ("a.xlsx", b"PK\x03\x04cut"),
            ("b.xls", b"\xd0\xcf\x11\xe0\xa1"),
            ("c.csv", b""),
        ):
            (tmp_path / name).write_bytes(content)
            with pytest.raises(InputRefused, match="rule published-list"):
                gateway.plan.check_list("PAID", tmp_path / name)
        with pytest.raises(InputRefused, match="rule published-list"):
            gateway.plan.check_list("PAID", tmp_path / "none.csv")
        with xlsxwriter.Workbook(str(tmp_path / "two.xlsx")) as workbook:
            workbook.add_worksheet().write(0, 0, "批次号")
            workbook.add_worksheet()
        with pytest.raises(InputRefused, match="it has several sheets, wanted one sheet"):
            gateway.plan.check_list("PAID", tmp_path / "two.xlsx")


# The share by card.


def test_the_share_by_card_is_held_against_the_plans_targets(ground: Ground, bankgate: Commands) -> None:
    assert [target_percent(year) for year in (2020, 2021, 2022, 2023, 2026)] == [None, 70, 90, 100, 100]
    ground.bank(CITY)
    ground.bank(ISO)
    cards = payments_of(CITY, 3)
    book = payments_of(CITY, 1, prefix="B", start=3, account="6" * 23, account_kind=AccountKind.PASSBOOK)
    with ground.open() as gateway:
        profile = gateway.configuration.profiles[CITY].accounts.passbook
        book = [msgspec.structs.replace(book[0], account="6" * profile.lengths[0])]
        both = msgspec.structs.replace(
            cards[0],
            payment_id="X-1",
            period="2026-T1",
            account=book[0].account,
            account_kind=AccountKind.PASSBOOK,
        )
        ground.submit(gateway, [*cards, *book, both])
        ground.run_to_the_end(gateway)
        shares = gateway.plan.shares()
        whole, programme = shares.rows
        assert (whole.programme, whole.year, whole.card_count, whole.passbook_count) == ("", 2026, 3, 2)
        assert (programme.programme, programme.per_mille, programme.target_percent) == (
            "学前教育政府助学金",
            600,
            100,
        )
        assert (programme.reached, shares.both_count) == (False, 1)
        assert programme.card_minor == sum(one.amount_minor for one in cards)
        assert gateway.plan.shares(2025).rows == []
    told = bankgate("share", "--year", 2026)
    assert told.code == 0
    assert told.out.splitlines()[:3] == [
        "2026: 3 of 5 payments by card, 60.0 %; target 100 %: missed",
        f"  {'█' * 30}{'·' * 5}┊{'·' * 9}┊{'·' * 4}",
        f"  {'70%':>38}{'90%':>10}  100%",
    ]
    assert "0 programmes are paid by card alone" in told.out


# Lists and chains that were paid short.


def short(ground: Ground, sent: Sent, file: int, payment: Payment, credited_minor: int) -> None:
    """The bank pays a file's only payment in part, and two persons close that on its letter."""
    name = sent.gateway.files()[file].name
    content = result(name, [row(1, payment, "S", credited_minor)])
    ground.post(CITY, f"{name[:-4]}_R1.bxt", content)
    ground.take(sent.gateway)
    about = f"payment:yikatong/{payment.payment_id}"
    assert ground.decide(sent.gateway, about, "discrepant", A, B) == [False, True]


def rest(ground: Ground, gateway: Gateway, amount_minor: int, batch_id: str, of: str) -> Payment:
    """What is missing, in a batch of its own, in a file of its own."""
    new = payments_of(
        CITY,
        1,
        prefix=batch_id,
        amount_minor=amount_minor,
        reissue_of=of,
        account=payments_of(CITY, 1)[0].account,
    )
    ground.submit(gateway, new, batch_id)
    gateway.run()
    return new[0]


def test_a_short_payment_and_its_rest_agree_with_the_list(ground: Ground, tmp_path: Path) -> None:
    lists = {name: tmp_path / f"{name}.csv" for name in ("FIRST", "Q", "R")}
    with ground.open() as gateway:
        sent = Sent(ground, gateway, 1)
        (first,) = sent.payments
        gateway.plan.publish(sent.batch_id, lists["FIRST"])
        short(ground, sent, 0, first, 6000)

        def told(name: str, batch_id: str = "") -> list[tuple[str, int | None, int | None]]:
            found = gateway.plan.check_list(batch_id or name, lists[name]).differences
            return [(one.kind, one.published_minor, one.credited_minor) for one in found]

        assert told("FIRST", sent.batch_id) == [("other amount", 10000, 6000)]
        second = rest(ground, gateway, 4000, "Q", first.payment_id)
        gateway.plan.publish("Q", lists["Q"])
        short(ground, sent, 1, second, 1500)
        assert told("FIRST", sent.batch_id) == [("other amount", 10000, 7500)]
        assert told("Q") == [("other amount", 4000, 1500)]
        third = rest(ground, gateway, 2500, "R", second.payment_id)
        gateway.plan.publish("R", lists["R"])
        name = gateway.files()[2].name
        ground.post(CITY, f"{name[:-4]}_R1.bxt", result(name, [row(1, third, "S")]))
        ground.take(gateway)
        assert [told("FIRST", sent.batch_id), told("Q"), told("R")] == [[], [], []]
