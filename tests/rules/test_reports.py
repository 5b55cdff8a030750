"""Reports: one page that stands alone, with the ledger's own figures, in two languages; and as a workbook."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest
import python_calamine

from formats import PayeeRole, Reason, Status
from gateway import Gateway, InputRefused
from gateway.money import yuan
from gateway.reports import sections
from gateway.reports.contents import batch_contents, month_contents
from gateway.reports.page import report_page
from gateway.reports.sections import Both, Cell, Count, Section, Yuan
from gateway.reports.wording import KINDS_OF_STATES, Words
from gateway.rules.books import Sum
from gateway.rules.fates import SHORT, UNDER_WAY
from gateway.states import PaymentState
from tests.gateway.commands import Commands
from tests.gateway.shapes import add_statements
from tests.gateway.sites import CITY, ISO, PERSONS, RURAL, Ground, payments_of
from tests.gateway.test_settle import Sent, result, row
from tests.gateway.test_statements import Account
from tests.rules.test_reissue import correction, failed

_VOID = {"meta", "br"}


class Page(HTMLParser):
    """Tags that are open, what is written, and every address that is asked for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str | None] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.ids += [value for name, value in attrs if name == "id"]
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action", "data")]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data + " "


def settled(ground: Ground, gateway: Gateway) -> Sent:
    sent = Sent(ground, gateway)
    rows = [row(1, sent.payments[0], "F44"), row(2, sent.payments[1], "Z9"), *sent.all()[2:]]
    sent.say(result(sent.name, rows))
    return sent


def test_a_page_is_whole_stands_alone_and_says_the_ledgers_figures(ground: Ground, tmp_path: Path) -> None:
    with ground.open() as gateway:
        sent = settled(ground, gateway)
        batch_id = gateway.status()[0].batch_id
        gateway.plan.report(tmp_path / "report.html", batch_id=batch_id)
        book = gateway.plan.books()[0]
    text = (tmp_path / "report.html").read_text("utf-8")
    page = Page(text)
    assert page.open == []
    # Its contents lead to each of its headings, in their order, and nothing leads out.
    assert page.addresses == [f"#{place}" for place in page.ids]
    assert page.tags.count("h2") == len(set(page.ids)) > 3
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert "url(" not in text
    words = re.sub(r"\s+", " ", page.words)
    assert f"To be paid {len(sent.payments)}" in words
    assert f"{yuan(book.states['credited'].minor)} 元" in words
    for told in (
        "账号不存在" if "账号不存在" in words else "已销户",
        "结果待查",
        "已达到",
        "学前教育政府助学金",
    ):
        assert told in words
    for payment in sent.payments:
        assert payment.beneficiary_name not in text
        assert payment.account not in text
        assert payment.beneficiary_id not in text


def test_what_is_paid_again_is_under_way_and_not_paid(ground: Ground, tmp_path: Path) -> None:
    """A correction was handed over, nobody signed or released it: not a fen of it is called paid."""
    with ground.open() as gateway:
        first = failed(ground, gateway)
        batch_id = gateway.status()[0].batch_id
        before = batch_contents(gateway.installation, gateway._batch(batch_id))
        made = gateway.plan.reissue([correction()], "AGAIN")
        gateway.submit(made.batch, made.payments)
        after = batch_contents(gateway.installation, gateway._batch(batch_id))
        again = batch_contents(gateway.installation, gateway._batch("AGAIN"))
        gateway.plan.report(tmp_path / "both.xlsx", month="2026-09")
        page = report_page(after)
    amount_minor = first.payments[0].amount_minor
    money = Sum(count=1, minor=amount_minor)
    assert (before.fates.unpaid, before.fates.under_way) == (money, Sum())
    assert (after.fates.unpaid, after.fates.under_way, after.fates.again) == (Sum(), money, Sum())
    closed = {line.reason: line for line in after.reasons}[Reason.ACCOUNT_CLOSED]
    assert (closed.count, closed.followed.under_way, closed.remaining_count) == (1, money, 0)
    assert (again.fates.instructed, again.fates.earlier, again.fates.under_way) == (Sum(), money, money)
    words = re.sub(r"\s+", " ", Page(page).words)
    assert f"补发在途 Being paid again, not arrived yet 1 笔 {yuan(amount_minor)} 元" in words
    assert "仍未发放 Not paid, and nothing is under way 0 笔 0.00 元" in words
    assert "已补发" not in words.partition("发放情况")[0]
    rows = python_calamine.load_workbook(str(tmp_path / "both.xlsx")).get_sheet_by_index(0).to_python()
    told = [row[:3] for row in rows]
    assert ["应发 To be paid", 3, 303.03] in told
    assert ["补发在途 Being paid again, not arrived yet", 1, amount_minor / 100] in told
    assert ["仍未发放 Not paid, and nothing is under way", 0, 0] in told


def test_each_cell_has_its_header_with_it_for_narrow_screens(ground: Ground) -> None:
    with ground.open() as gateway:
        settled(ground, gateway)
        page = report_page(batch_contents(gateway.installation, gateway._batch(gateway.status()[0].batch_id)))
    cells, labelled = page.count("<td"), re.findall(r'<td[^>]* data-label="([^"]+)"', page)
    assert cells == len(labelled) > 20
    assert {
        "原因 Reason",
        "尚待处理 Still to be paid or cleared up",
        "合作银行 Bank",
        "已到账笔数 Credited, payments",
    } < set(labelled)
    assert "@media (max-width:" in page


def test_what_a_batch_says_is_text_and_never_markup(ground: Ground) -> None:
    odd = "<b>&\"'项目"
    catalogue = ground.site.configuration.parent / "catalogue.toml"
    text = catalogue.read_text("utf-8").replace('name      = "学前教育政府助学金"', f"name = '''{odd}'''")
    catalogue.write_text(
        text.replace(f"name = '''{odd}'''", f"name = '''{odd}'''\nalso = [\"学前教育政府助学金\"]"), "utf-8"
    )
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(RURAL, 1), "ODD")
        batch = gateway._batch("ODD")
        page = report_page(batch_contents(gateway.installation, batch))
    assert "&lt;b&gt;&amp;" in page
    assert "<b>&" not in page
    assert Page(page).open == []


def test_every_state_has_a_colour_and_only_one() -> None:
    shown = [state for _, states in KINDS_OF_STATES.values() for state in states]
    assert sorted(shown) == sorted([*PaymentState, SHORT, UNDER_WAY])


def test_a_month_has_the_batches_that_were_handed_over_in_it(
    ground: Ground, bankgate: Commands, tmp_path: Path
) -> None:
    """By the district's clock: 2026-09-30 16:30 UTC is October there."""
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(RURAL, 2), "SEPTEMBER")
        ground.clock.turn(days=29, hours=14, minutes=30)
        ground.submit(gateway, payments_of(RURAL, 1, prefix="O", start=5), "OCTOBER")
        gateway.plan.report(tmp_path / "09.xlsx", month="2026-09")
        gateway.plan.report(tmp_path / "10.html", month="2026-10")
        with pytest.raises(InputRefused, match="is no month"):
            gateway.plan.report(tmp_path / "bad.html", month="2026-13")
    rows = python_calamine.load_workbook(str(tmp_path / "09.xlsx")).get_sheet_by_index(0).to_python()
    assert ["应发 To be paid", 2, 201.01] in [row[:3] for row in rows]
    assert "To be paid 1" in re.sub(r"\s+", " ", Page((tmp_path / "10.html").read_text("utf-8")).words)
    assert bankgate("report", "OCTOBER", "--output", tmp_path / "one.html").code == 0
    assert bankgate("report", "--output", tmp_path / "two.html").code == 2
    assert bankgate("report", "OCTOBER", "--output", tmp_path / "two.pdf").code == 3


def test_a_report_tells_of_charges_deadlines_and_what_is_held(ground: Ground, tmp_path: Path) -> None:
    ground.bank(RURAL, "fee-lines")
    other = payments_of(
        RURAL, 1, prefix="H", start=9, payee_role=PayeeRole.OTHER, payee_name="李四", payee_ground="某办法"
    )
    catalogue = ground.site.configuration.parent / "catalogue.toml"
    text = catalogue.read_text("utf-8")
    catalogue.write_text(
        text.replace('frequency = "term"\n', 'frequency = "term"\nother_account = { rule = "某办法" }\n', 1),
        "utf-8",
    )
    with ground.open() as gateway:
        ground.submit(gateway, [*payments_of(RURAL, 2), *other], "CHARGED")
        gateway.run()
        ground.banks_look()
        ground.clock.turn(days=4)
        ground.run_to_the_end(gateway)
        gateway.plan.report(tmp_path / "report.html", batch_id="CHARGED")
    words = Page((tmp_path / "report.html").read_text("utf-8")).words
    for told in ("违规收费", "银行逾期反馈", "待定", "Held for a person"):
        assert told in words


def test_a_month_tells_what_statements_booked_and_charged(ground: Ground) -> None:
    """What only a statement charged is for no batch: it is told of the month in which it came."""
    add_statements(ground)
    with ground.open() as gateway:
        account = Account(ground, gateway, payments_of(RURAL, 4))
        account.send()
        account.result(failed=(3,))
        lines = [account.line(item, serial=f"B{item}") for item in (1, 2)]
        account.book([*lines, account.line(minor=700, serial="B9", text="账户服务")])
        batch = batch_contents(gateway.installation, gateway._batch(gateway.status()[0].batch_id))
        month = month_contents(gateway.installation, 2026, 9)
        after = month_contents(gateway.installation, 2026, 10)
        page = report_page(month)
    one, two, _, four = (payment.amount_minor for payment in account.payments)
    assert (batch.total.findings, month.total.findings) == (Sum(), Sum(count=1, minor=700))
    assert after.total.findings == Sum()
    (book,) = month.by_bank
    assert (book.kept_minor, book.booked_minor) == (one + two + four, one + two)
    words = re.sub(r"\s+", " ", Page(page).words)
    told = words.partition("回盘与对账单核对")[2]
    assert f"{yuan(one + two + four)} {yuan(one + two)} {yuan(four)}" in told
    assert "阶段目标 earlier targets 2021: 70 %, 2022: 90 %" in words


def cells(section: Section[Any]) -> list[list[Cell]]:
    return list(section.cells())


def added(rows: list[list[Cell]], column: int) -> int:
    """Fen, or payments, of a column, the total left out."""
    values = [row[column] for row in rows[:-1]]
    return sum(value.minor if isinstance(value, Yuan) else value.count for value in values)  # type: ignore[union-attr]


def test_a_table_adds_up_along_and_down_and_leads_to_the_first_page(ground: Ground) -> None:
    """A reissue moved to another bank, a payment was credited in part: both stand in the table itself."""
    with ground.open() as gateway:
        sent = Sent(ground, gateway, count=4)
        first, second, third, fourth = sent.payments
        rows = [
            row(1, first, "F44"),
            row(2, second, "S", second.amount_minor - 200),
            row(3, third),
            row(4, fourth),
        ]
        sent.say(result(sent.name, rows))
        moved = {"bank": ISO, "account": payments_of(ISO, 1)[0].account}
        made = gateway.plan.reissue([correction(changes=moved)], "AGAIN")
        gateway.submit(made.batch, made.payments)
        month = month_contents(gateway.installation, 2026, 9)
    table = cells(sections.sums(month, Words.BANK, month.by_bank))
    assert len(table) == 3
    total = table[-1]
    assert total[0] == Both(*Words.ALL.value)
    assert (
        [added(table, at) for at in range(1, 10)]
        == [
            cell.minor if isinstance(cell, Yuan) else cell.count  # type: ignore[union-attr]
            for cell in total[1:]
        ]
    )
    for line in table:
        _, count, minor, again, again_minor, credited, credited_minor, others, others_minor, _ = line
        assert count.count + again.count == credited.count + others.count  # type: ignore[union-attr]
        assert minor.minor + again_minor.minor == credited_minor.minor + others_minor.minor  # type: ignore[union-attr]
    assert total[2] == Yuan(month.fates.instructed.minor)
    assert total[6] == Yuan(month.fates.arrived.minor) == Yuan(third.amount_minor + fourth.amount_minor)
    assert total[9] == Yuan(second.amount_minor - 200) == Yuan(month.part_of_open_minor)
    assert sections.to_first_page(month).rows == []
    words = re.sub(r"\s+", " ", Page(report_page(month)).words)
    assert f"其中已部分入账 of that, credited in part {yuan(second.amount_minor - 200)} 元" in words


def test_what_other_batches_paid_again_leads_from_the_tables_to_the_first_page(ground: Ground) -> None:
    with ground.open() as gateway:
        sent = failed(ground, gateway)
        made = gateway.plan.reissue([correction()], "AGAIN")
        ground.submit(gateway, made.payments, "AGAIN")
        gateway.run()
        name = gateway.files()[-1].name
        ground.post(CITY, f"{name[:-4]}_R1.bxt", result(name, [row(1, made.payments[0])]))
        ground.take(gateway)
        contents = batch_contents(gateway.installation, gateway._batch(sent.batch_id))
    first, second, third = (one.amount_minor for one in sent.payments)
    assert [each for _, each in sections.to_first_page(contents).rows] == [
        Sum(count=2, minor=second + third),
        Sum(),
        Sum(count=1, minor=first),
        Sum(count=3, minor=first + second + third),
    ]


def test_a_charge_that_a_payee_bore_is_told_from_one_that_changed_no_credit(ground: Ground) -> None:
    with ground.open() as gateway:
        sent = Sent(ground, gateway)
        first = sent.payments[0]
        rows = [row(1, first, "S", first.amount_minor - 200), *sent.all()[1:]]
        sent.say(result(sent.name, rows, fee="0.50元"))
        contents = batch_contents(gateway.installation, gateway._batch(sent.batch_id))
    (line,) = cells(sections.charged(contents))
    assert line[1:] == [Count(4), Yuan(3 * 50 + 200), Yuan(200)]
    assert contents.total.findings == Sum(count=4, minor=350)


def test_nothing_remains_of_what_was_withdrawn(ground: Ground) -> None:
    with ground.open() as gateway:
        twin = payments_of(CITY, 1)[0]
        ground.submit(gateway, [twin, msgspec.structs.replace(twin, payment_id="P-twin")], "TWINS")
        held = next(one.object for one in gateway.held() if one.object.endswith("P-twin"))
        assert ground.decide(gateway, held, "withdraw", PERSONS[0]) == [True]
        contents = batch_contents(gateway.installation, gateway._batch("TWINS"))
    (line,) = [line for line in contents.reasons if line.status is Status.WITHDRAWN]
    assert (line.count, line.remaining_count) == (1, 0)
    assert contents.fates.withdrawn == Sum(count=1, minor=twin.amount_minor)
    assert contents.fates.unpaid == Sum()


def test_a_month_in_which_nothing_was_handed_over_is_told_to_be_empty(
    ground: Ground, bankgate: Commands, tmp_path: Path
) -> None:
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(RURAL, 1), "ONE")
    for name in ("none.html", "none.xlsx"):
        told = bankgate("report", "--month", "2026-01", "--output", tmp_path / name)
        assert (told.code, "the report is empty" in told.out) == (0, True)
    assert "没有任何批次" in Page((tmp_path / "none.html").read_text("utf-8")).words
    rows = python_calamine.load_workbook(str(tmp_path / "none.xlsx")).get_sheet_by_index(0).to_python()
    assert any("没有任何批次" in str(row[0]) for row in rows)
    some = bankgate("report", "--month", "2026-09", "--output", tmp_path / "some.html")
    assert (some.code, "empty" in some.out) == (0, False)
    assert "没有任何批次" not in (tmp_path / "some.html").read_text("utf-8")
