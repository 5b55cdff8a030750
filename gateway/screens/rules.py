"""What the commands on the plan's rules print."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.markup import escape

from formats.standard import write_batch
from gateway.intake import Receipt
from gateway.ledger.publication import Compared
from gateway.local_time import local_minute
from gateway.money import yuan
from gateway.output import output_file
from gateway.reports.numbers import count_text, yuan_text
from gateway.rules.deadlines import Breach, Overdue, Spread
from gateway.rules.desk import ListedProgramme
from gateway.rules.lists import ListedPerson
from gateway.rules.messages import BookletEntry, DayOf
from gateway.rules.publication import ListCheck
from gateway.rules.reissue import Reissue
from gateway.rules.warnings import Warned
from gateway.screens import screen
from gateway.screens.listing import Column, Listing

_NAMED = 10

_PROGRAMMES: Listing[ListedProgramme] = Listing(
    "catalogue",
    Column(("编码", "code"), lambda one: one.code, whole=True),
    Column(("补贴项目", "programme"), lambda one: one.name),
    Column(("领域", "field"), lambda one: f"{one.field} {one.field_name}"),
    Column(("部门", "department"), lambda one: one.departments[0]),
    Column(("对象", "payee"), lambda one: ", ".join(one.payee), whole=True),
    Column(("周期", "frequency"), lambda one: one.frequency),
    Column(
        ("同期重复", "repeats"),
        lambda one: screen.pick("涉密,不收", "classified: refused") if one.classified else one.repeats,
    ),
)


def show_programmes(programmes: list[ListedProgramme], json: bool) -> None:
    if json:
        screen.as_json(programmes)
        return
    _PROGRAMMES.show(programmes)
    screen.say(screen.pick(f"共 {len(programmes)} 个项目", f"{len(programmes)} programmes"))


def show_programme(one: ListedProgramme, json: bool) -> None:
    if json:
        screen.as_json(one)
        return
    screen.say(f"{one.code} {escape(one.name)}")
    for title, text in (
        (screen.pick("又名", "also"), ", ".join(one.also)),
        (screen.pick("领域", "field"), f"{one.field} {one.field_name}"),
        (screen.pick("发放部门", "paid by"), ", ".join(one.departments)),
        (screen.pick("对象", "paid to"), ", ".join(one.payee)),
        (screen.pick("周期", "frequency"), one.frequency),
        (screen.pick("发放期限", "due"), one.due),
        (screen.pick("同期重复", "repeats"), one.repeats),
        (screen.pick("标准(元)", "standard (yuan)"), ", ".join(yuan(each) for each in one.standard_minor)),
        (screen.pick("他人账户依据", "another person's account"), one.other_account),
        (screen.pick("涉密", "classified"), screen.pick("是", "yes") if one.classified else ""),
    ):
        if text:
            screen.say(f"  {title}: {escape(text)}")


_BREACHES: Listing[Breach] = Listing(
    "breaches",
    Column(("银行", "bank"), lambda one: one.bank, whole=True),
    Column(("协议", "agreement"), lambda one: one.agreement),
    Column(("文件", "file"), lambda one: one.file_name),
    Column(("应回时间", "due"), lambda one: local_minute(one.due), whole=True),
    Column(("实回时间", "answered"), lambda one: _answered(one), whole=True),
    Column(("逾期(小时)", "hours late"), lambda one: count_text(one.late_hours), number=True),
    Column(("未回笔数", "open"), lambda one: count_text(one.open_count), number=True),
)


def _answered(one: Breach) -> str:
    if one.answered_at is None:
        return screen.pick("未回", "not yet")
    return local_minute(one.answered_at)


def show_breaches(found: list[Breach], output: Path | None, json: bool) -> None:
    if output is not None:
        _BREACHES.write(found, output)
        return
    if json:
        screen.as_json(found)
        return
    _BREACHES.show(found)
    banks = len({one.bank for one in found})
    screen.say(
        screen.pick(
            f"{banks} 家银行逾期反馈 {len(found)} 次", f"{len(found)} deadlines missed, by {banks} banks"
        )
    )


_OVERDUE: Listing[Overdue] = Listing(
    "overdue",
    Column(("补贴项目", "programme"), lambda one: one.programme),
    Column(("期间", "period"), lambda one: one.period),
    Column(("银行", "bank"), lambda one: one.bank, whole=True),
    Column(("期限", "due"), lambda one: one.due.isoformat(), whole=True),
    Column(("未到账笔数", "owed"), lambda one: count_text(one.open_count), number=True),
    Column(("未到账金额(元)", "owed (yuan)"), lambda one: yuan_text(one.open_minor), number=True),
    Column(("状态", "states"), lambda one: _overdue_states(one)),
)


def _overdue_states(one: Overdue) -> str:
    states = [f"{screen.state(state)} {number}" for state, number in one.states.items()]
    if one.credited_late:
        states.append(screen.pick("有逾期到账", "some credited late"))
    return ", ".join(states)


def show_overdue(found: list[Overdue], output: Path | None, json: bool) -> None:
    if output is not None:
        _OVERDUE.write(found, output)
        return
    if json:
        screen.as_json(found)
        return
    _OVERDUE.show(found)
    owed = sum(one.open_count for one in found)
    screen.say(screen.pick(f"逾期未到账 {owed} 笔", f"{owed} payments owed after their due date"))


_SPREADS: Listing[Spread] = Listing(
    "spread",
    Column(("补贴项目", "programme"), lambda one: one.programme),
    Column(("期间", "period"), lambda one: one.period),
    Column(("银行", "bank"), lambda one: one.bank, whole=True),
    Column(("笔数", "payments"), lambda one: count_text(one.count), number=True),
    Column(("最早到账", "first credit"), lambda one: one.first.isoformat(), whole=True),
    Column(("最晚到账", "last credit"), lambda one: one.last.isoformat(), whole=True),
    Column(("相差天数", "days apart"), lambda one: count_text(one.apart_days), number=True),
)


def show_spreads(found: list[Spread], output: Path | None, json: bool) -> None:
    if output is not None:
        _SPREADS.write(found, output)
        return
    if json:
        screen.as_json(found)
        return
    _SPREADS.show(found)
    programmes = {(one.programme, one.period): one.apart_days for one in found}
    apart = sum(days > 0 for days in programmes.values())
    most = max(programmes.values(), default=0)
    screen.say(
        screen.pick(
            f"{len(programmes)} 个项目期间,其中 {apart} 个不在同一天到账,最多相差 {most} 天",
            f"{len(programmes)} programmes and periods; {apart} were not credited on one day, at most {most}"
            " days apart",
        )
    )


_PERSONS: Listing[ListedPerson] = Listing(
    "list",
    Column(("明细编号", "payment"), lambda one: one.payment_id, whole=True),
    Column(("来源平台", "platform"), lambda one: one.source_platform, in_files=True),
    Column(("批次号", "batch"), lambda one: one.batch_id, in_files=True),
    Column(("合作银行", "bank"), lambda one: one.bank),
    Column(("发放部门", "department"), lambda one: one.department, in_files=True),
    Column(("补贴项目", "programme"), lambda one: one.programme),
    Column(("补贴期间", "period"), lambda one: one.period, in_files=True),
    Column(("金额(元)", "amount"), lambda one: yuan_text(one.amount_minor), number=True),
    Column(("原因", "reason"), lambda one: screen.pick(*one.reason.label), in_files=True),
    Column(("姓名", "name"), lambda one: one.name),
    Column(("身份证号", "ID"), lambda one: one.id_number, in_files=True),
    Column(("账号", "account"), lambda one: one.account),
    Column(("村(社区)", "village"), lambda one: one.village),
    Column(("代发文件", "file"), lambda one: one.file_name, in_files=True),
    Column(("文件内序号", "item"), lambda one: "" if one.item is None else str(one.item), in_files=True),
)


def show_work_list(found: Iterator[ListedPerson], output: Path | None, json: bool) -> int:
    """Print, or write to a file; how many."""
    count = _PERSONS.tell(found, output=output, json=json, most=screen.SHOWN_ROWS)
    if output is None and not json:
        screen.say(screen.pick(f"共 {count} 笔", f"{count} payments"))
    return count


_DIFFERENCES = {
    "published twice": "重复公示",
    "published, not credited": "已公示未到账",
    "credited, not published": "已到账未公示",
    "other amount": "金额不一致",
    "credited twice": "重复到账",
}


_COMPARED: Listing[Compared] = Listing(
    "differences",
    Column(("差异", "difference"), lambda one: screen.pick(_DIFFERENCES[one.kind], one.kind)),
    Column(("明细编号", "payment"), lambda one: one.payment_id, whole=True),
    Column(("公示(元)", "published (yuan)"), lambda one: yuan_text(one.published_minor), number=True),
    Column(("到账(元)", "credited (yuan)"), lambda one: yuan_text(one.credited_minor), number=True),
)


def show_list_check(check: ListCheck, output: Path | None, json: bool) -> None:
    if output is not None:
        _COMPARED.write(check.differences, output)
        return
    if json:
        screen.as_json(check)
        return
    _COMPARED.show(check.differences[: screen.SHOWN_ROWS])
    screen.say(
        screen.pick(
            f"公示 {check.published_count} 笔 {yuan(check.published_minor)} 元,"
            f"到账 {check.credited_count} 笔 {yuan(check.credited_minor)} 元",
            f"published {check.published_count}, {yuan(check.published_minor)} yuan;"
            f" credited {check.credited_count}, {yuan(check.credited_minor)} yuan",
        )
    )
    told = [f"{screen.pick(_DIFFERENCES[name], name)} {count}" for name, count in check.counts.items()]
    screen.say("; ".join(told) or screen.pick("双向一致", "list and credits agree"))


def show_reissue(made: Reissue, output: Path | None, receipt: Receipt | None, json: bool) -> None:
    """Write the new batch where that is wanted; tell what was refused. Payments are not printed."""
    if output is not None and made.payments:
        file_format = screen.batch_format(output)
        with output_file(output) as sink:
            write_batch(sink, made.batch, made.payments, file_format)
    if json:
        told = {"batch": made.batch, "refused": made.refused, "hints": made.hints, "receipt": receipt}
        screen.as_json(told)
        return
    screen.show_problems([*made.refused, *made.hints])
    count, total = made.batch.declared_count, yuan(made.batch.declared_total_minor)
    screen.say(
        screen.pick(
            f"{made.batch.batch_id}: 补发 {count} 笔,{total} 元;未予补发 {len(made.refused)} 笔",
            f"{made.batch.batch_id}: {count} payments again, {total} yuan; {len(made.refused)} refused",
        )
    )
    if output is not None and made.payments:
        screen.say(f"{screen.word('written')}: {output}")
    if receipt is not None:
        screen.show_receipt(receipt, False)


_DAYS = {
    DayOf.VALUE: ("银行入账日期", "value date"),
    DayOf.BOOKING: ("对账单记账日期", "booked by the statement"),
    DayOf.REPORT: ("银行回报日期", "reported by the bank"),
}
_BOOKLET: Listing[BookletEntry] = Listing(
    "booklet",
    Column(("明细编号", "payment"), lambda one: one.payment_id),
    Column(("来源平台", "platform"), lambda one: one.source_platform),
    Column(("身份证号", "ID"), lambda one: one.person),
    Column(("补贴项目", "programme"), lambda one: one.programme),
    Column(("补贴期间", "period"), lambda one: one.period),
    Column(("应发(元)", "instructed"), lambda one: yuan_text(one.amount_minor)),
    Column(("实发(元)", "credited"), lambda one: yuan_text(one.credited_minor)),
    Column(("退回", "returned"), lambda one: screen.pick("是", "yes") if one.returned else ""),
    Column(("银行", "bank"), lambda one: one.bank),
    Column(("账号尾号", "account ends in"), lambda one: one.account_ending),
    Column(("日期", "day"), lambda one: one.day.isoformat()),
    Column(("日期类别", "what day"), lambda one: screen.pick(*_DAYS[one.day_of])),
    Column(
        ("备注", "remark"),
        lambda one: screen.pick("金额不符,核实中", "another amount: looked into") * one.in_question,
    ),
)


def write_booklet(entries: Iterator[BookletEntry], output: Path) -> None:
    _BOOKLET.write(entries, output)


_WARNINGS: Listing[Warned] = Listing(
    "warnings",
    Column(("对象", "about"), lambda one: one.about),
    Column(("预警", "warning"), lambda one: screen.pick(*one.reason)),
    Column(("笔数", "payments"), lambda one: count_text(one.count), number=True),
    Column(("明细编号(至多 100 个)", "payment ids (at most 100)"), lambda one: " ".join(one.payment_ids)),
)


def show_warnings(found: list[Warned], output: Path | None, json: bool) -> None:
    if output is not None:
        _WARNINGS.write(found, output)
        return
    if json:
        screen.as_json(found)
        return
    for one in found:
        screen.say(f"{escape(one.about)}: {screen.pick(*one.reason)} ({one.count})")
        if one.payment_ids:
            more = " ..." if one.count > len(one.payment_ids[:_NAMED]) else ""
            screen.say(f"  {escape(', '.join(one.payment_ids[:_NAMED]))}{more}")
    screen.say(screen.pick(f"预警 {len(found)} 条", f"{len(found)} warnings"))
