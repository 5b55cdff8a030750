"""What the commands on the plan's rules print."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from rich.markup import escape

from formats.standard import write_batch, write_table
from formats.standard.amounts import format_yuan
from gateway.intake import Receipt
from gateway.money import yuan
from gateway.output import output_file
from gateway.rules.deadlines import Breach, Overdue, Spread
from gateway.rules.desk import ListedProgramme, table_format
from gateway.rules.lists import ListedPerson
from gateway.rules.messages import BookletEntry
from gateway.rules.publication import ListCheck
from gateway.rules.reissue import Reissue
from gateway.rules.shares import Share, Shares
from gateway.rules.warnings import Warned
from gateway.screens import screen

_SHOWN_ROWS = 40
_BAR_CELLS = 20
_NAMED = 10
_LIST_HEADERS = (
    ("明细编号", "payment"),
    ("来源平台", "platform"),
    ("批次号", "batch"),
    ("合作银行", "bank"),
    ("发放部门", "department"),
    ("补贴项目", "programme"),
    ("补贴期间", "period"),
    ("金额(元)", "amount"),
    ("原因", "reason"),
    ("姓名", "name"),
    ("身份证号", "ID"),
    ("账号", "account"),
    ("村(社区)", "village"),
    ("代发文件", "file"),
    ("文件内序号", "item"),
)


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


def show_work_list(found: Iterator[ListedPerson], output: Path | None, json: bool) -> int:
    """Print, or write to a file; how many."""
    if output is not None:
        headers = [screen.pick(*header) for header in _LIST_HEADERS]
        file_format = table_format(output)
        with output_file(output) as sink:
            count = write_table(sink, [headers], map(_listed_cells, found), file_format, "list")
        screen.say(f"{output}: {count}")
        return count
    if json:
        count = 0
        for one in found:
            screen.as_json(one)
            count += 1
        return count
    payment, amount = screen.pick("明细编号", "payment"), screen.pick("金额(元)", "amount (yuan)")
    table = screen.titled(
        payment,
        screen.pick("姓名", "name"),
        screen.pick("补贴项目", "programme"),
        amount,
        screen.pick("银行", "bank"),
        screen.pick("账号", "account"),
        screen.pick("村(社区)", "village"),
        whole=(payment,),
        right=(amount,),
    )
    for one in islice(found, _SHOWN_ROWS):
        table.add_row(
            escape(one.payment_id),
            one.name,
            escape(one.programme),
            yuan(one.amount_minor),
            one.bank,
            one.account,
            escape(one.village),
        )
    more = sum(1 for _ in found)
    if table.row_count:
        screen.show(table)
    if more:
        screen.say(screen.pick(f"另有 {more} 笔,见 --output", f"{more} more: --output writes them all"))
    count = table.row_count + more
    screen.say(screen.pick(f"共 {count} 笔", f"{count} payments"))
    return count


def _listed_cells(one: ListedPerson) -> list[str]:
    return [
        one.payment_id,
        one.source_platform,
        one.batch_id,
        one.bank,
        one.department,
        one.programme,
        one.period,
        format_yuan(one.amount_minor),
        screen.pick(*one.reason.label),
        one.name,
        one.id_number,
        one.account,
        one.village,
        one.file_name,
        "" if one.item is None else str(one.item),
    ]


_DIFFERENCES = {
    "published twice": "重复公示",
    "published, not credited": "已公示未到账",
    "credited, not published": "已到账未公示",
    "other amount": "金额不一致",
    "credited twice": "重复到账",
}


def show_list_check(check: ListCheck, json: bool) -> None:
    if json:
        screen.as_json(check)
        return
    kind, payment = screen.pick("差异", "difference"), screen.pick("明细编号", "payment")
    published, credited = (
        screen.pick("公示(元)", "published (yuan)"),
        screen.pick("到账(元)", "credited (yuan)"),
    )
    table = screen.titled(kind, payment, published, credited, whole=(payment,), right=(published, credited))
    for one in check.differences[:_SHOWN_ROWS]:
        amounts = ["" if each is None else yuan(each) for each in (one.published_minor, one.credited_minor)]
        table.add_row(screen.pick(_DIFFERENCES[one.kind], one.kind), escape(one.payment_id), *amounts)
    if check.differences:
        screen.show(table)
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


def show_shares(shares: Shares, json: bool) -> None:
    if json:
        screen.as_json(shares)
        return
    year, card = screen.pick("年度", "year"), screen.pick("社保卡笔数", "by card")
    passbook, part = screen.pick("一本通笔数", "by passbook"), screen.pick("占比", "share")
    target = screen.pick("目标", "target")
    bar = screen.pick("社保卡占比图", "of 100 %")
    table = screen.titled(
        year,
        screen.pick("补贴项目", "programme"),
        card,
        passbook,
        part,
        target,
        bar,
        whole=(year, bar),
        right=(card, passbook, part, target),
    )
    for one in shares.rows:
        table.add_row(
            str(one.year),
            escape(one.programme) or screen.pick("全部", "all"),
            str(one.card_count),
            str(one.passbook_count),
            f"{one.per_mille // 10}.{one.per_mille % 10} %",
            _target(one),
            "█" * (one.per_mille * _BAR_CELLS // 1000),
        )
    screen.show(table)
    both = shares.both_count
    screen.say(
        screen.pick(f"同时有两种账户的人员 {both} 人", f"{both} persons were paid by card and by passbook")
    )


def _target(one: Share) -> str:
    if one.target_percent is None:
        return ""
    reached = screen.pick("已达", "reached") if one.reached else screen.pick("未达", "missed")
    return f"{one.target_percent} % {reached}"


def show_reissue(made: Reissue, output: Path | None, receipt: Receipt | None, json: bool) -> None:
    """Write the new batch where that is wanted; tell what was refused. Payments are not printed."""
    if output is not None and made.payments:
        file_format = screen.batch_format(output)
        with output_file(output) as sink:
            write_batch(sink, made.batch, made.payments, file_format)
    if json:
        screen.as_json({"batch": made.batch, "refused": made.refused, "receipt": receipt})
        return
    screen.show_problems(made.refused)
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


_BOOKLET_HEADERS = (
    ("明细编号", "payment"),
    ("来源平台", "platform"),
    ("身份证号", "ID"),
    ("补贴项目", "programme"),
    ("补贴期间", "period"),
    ("应发(元)", "instructed"),
    ("实发(元)", "credited"),
    ("退回", "returned"),
    ("银行", "bank"),
    ("账号尾号", "account ends in"),
    ("入账日期", "value date"),
)


def write_booklet(entries: Iterator[BookletEntry], output: Path) -> None:
    headers = [screen.pick(*header) for header in _BOOKLET_HEADERS]
    file_format = table_format(output)
    with output_file(output) as sink:
        count = write_table(sink, [headers], map(_booklet_cells, entries), file_format, "booklet")
    screen.say(f"{output}: {count}")


def _booklet_cells(one: BookletEntry) -> list[str]:
    return [
        one.payment_id,
        one.source_platform,
        one.person,
        one.programme,
        one.period,
        format_yuan(one.amount_minor),
        format_yuan(one.credited_minor),
        screen.pick("是", "yes") if one.returned else "",
        one.bank,
        one.account_ending,
        one.day,
    ]


def show_warnings(found: list[Warned], json: bool) -> None:
    if json:
        screen.as_json(found)
        return
    for one in found:
        screen.say(f"{escape(one.about)}: {screen.pick(*one.reason)} ({one.count})")
        if one.payment_ids:
            more = " ..." if one.count > len(one.payment_ids[:_NAMED]) else ""
            screen.say(f"  {escape(', '.join(one.payment_ids[:_NAMED]))}{more}")
    screen.say(screen.pick(f"预警 {len(found)} 条", f"{len(found)} warnings"))
