"""What the commands on the plan's rules print."""

from __future__ import annotations

from rich.markup import escape

from gateway import screen
from gateway.money import yuan
from gateway.rules.deadlines import Breach, Overdue, Spread
from gateway.rules.desk import ListedProgramme


def show_programmes(programmes: list[ListedProgramme], json: bool) -> None:
    if json:
        screen.as_json(programmes)
        return
    code, pays = screen.pick("编码", "code"), screen.pick("对象", "payee")
    table = screen.titled(
        code,
        screen.pick("补贴项目", "programme"),
        screen.pick("领域", "field"),
        screen.pick("部门", "department"),
        pays,
        screen.pick("周期", "frequency"),
        screen.pick("同期重复", "repeats"),
        whole=(code, pays),
    )
    for one in programmes:
        table.add_row(
            one.code,
            escape(one.name),
            f"{one.field} {escape(one.field_name)}",
            escape(one.departments[0]),
            ", ".join(one.payee),
            one.frequency,
            screen.pick("涉密,不收", "classified: refused") if one.classified else one.repeats,
        )
    screen.show(table)
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


def show_breaches(found: list[Breach], json: bool) -> None:
    if json:
        screen.as_json(found)
        return
    bank, hours = screen.pick("银行", "bank"), screen.pick("逾期(小时)", "hours late")
    opened, due = screen.pick("未回笔数", "open"), screen.pick("应回时间(UTC)", "due (UTC)")
    answered = screen.pick("实回时间(UTC)", "answered (UTC)")
    table = screen.titled(
        bank,
        screen.pick("协议", "agreement"),
        screen.pick("文件", "file"),
        due,
        answered,
        hours,
        opened,
        whole=(bank, due, answered),
        right=(hours, opened),
    )
    for one in found:
        table.add_row(
            one.bank,
            escape(one.agreement),
            escape(one.file_name),
            f"{one.due:%Y-%m-%d %H:%M}",
            screen.pick("未回", "not yet")
            if one.answered_at is None
            else f"{one.answered_at:%Y-%m-%d %H:%M}",
            str(one.late_hours),
            str(one.open_count),
        )
    if found:
        screen.show(table)
    banks = len({one.bank for one in found})
    screen.say(
        screen.pick(
            f"{banks} 家银行逾期反馈 {len(found)} 次", f"{len(found)} deadlines missed, by {banks} banks"
        )
    )


def show_overdue(found: list[Overdue], json: bool) -> None:
    if json:
        screen.as_json(found)
        return
    bank, due, count = (
        screen.pick("银行", "bank"),
        screen.pick("期限", "due"),
        screen.pick("未到账笔数", "owed"),
    )
    amount = screen.pick("未到账金额(元)", "owed (yuan)")
    table = screen.titled(
        screen.pick("补贴项目", "programme"),
        screen.pick("期间", "period"),
        bank,
        due,
        count,
        amount,
        screen.pick("状态", "states"),
        whole=(bank, due),
        right=(count, amount),
    )
    for one in found:
        states = [f"{screen.state(state)} {number}" for state, number in one.states.items()]
        if one.credited_late:
            states.append(screen.pick("有逾期到账", "some credited late"))
        table.add_row(
            escape(one.programme),
            escape(one.period),
            one.bank,
            one.due.isoformat(),
            str(one.open_count),
            yuan(one.open_minor),
            ", ".join(states),
        )
    if found:
        screen.show(table)
    owed = sum(one.open_count for one in found)
    screen.say(screen.pick(f"逾期未到账 {owed} 笔", f"{owed} payments owed after their due date"))


def show_spreads(found: list[Spread], json: bool) -> None:
    if json:
        screen.as_json(found)
        return
    bank, count = screen.pick("银行", "bank"), screen.pick("笔数", "payments")
    first, last = screen.pick("最早到账", "first credit"), screen.pick("最晚到账", "last credit")
    apart = screen.pick("相差天数", "days apart")
    table = screen.titled(
        screen.pick("补贴项目", "programme"),
        screen.pick("期间", "period"),
        bank,
        count,
        first,
        last,
        apart,
        whole=(bank, first, last),
        right=(count, apart),
    )
    for one in found:
        days = (str(one.count), one.first.isoformat(), one.last.isoformat(), str(one.apart_days))
        table.add_row(escape(one.programme), escape(one.period), one.bank, *days)
    screen.show(table)
