"""What `reconcile` and `charges` print."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from rich.markup import escape

from formats.standard import write_table
from formats.standard.amounts import format_yuan
from gateway.ledger.books import Gap
from gateway.local_time import local
from gateway.money import yuan
from gateway.output import output_file
from gateway.reports.numbers import count_text, yuan_text
from gateway.rules.books import Aged, Book, Charge, Closed, Sum
from gateway.rules.closing import Standing
from gateway.rules.desk import table_format
from gateway.screens import screen

_STATES = ("credited", "failed", "returned", "unknown", "discrepant", "set_aside", "withdrawn", "held")
_SHOWN_ROWS = 40
_AGAINST = {"results": "回盘文件", "statements": "回盘文件及对账单"}
_KINDS = {
    "fee_line": "手续费行",
    "fee_column": "手续费列",
    "short_credit": "少入账",
    "charge_bearer": "费用承担方",
    "unexplained_debit": "不明扣款",
}


def show_books(
    books: list[Book], closed: Closed | None, rules: Sequence[Standing], output: Path | None, json: bool
) -> None:
    if json:
        told = [
            {**_plain(book), "open": book.open, "adds_up": book.adds_up, "gap_minor": book.gap_minor}
            for book in books
        ]
        screen.as_json({"books": told, "closed": closed, "rules": list(map(_told, rules))})
        return
    waiting = ("dispatched", "accepted")
    headers = [
        screen.pick("对账项", "of"),
        screen.pick("应发", "instructed"),
        screen.pick("已送银行", "sent"),
        *(screen.state(state) for state in _STATES),
        screen.pick("在途", "on the way"),
        screen.pick("实发(元)", "credited (yuan)"),
        screen.pick("退回(元)", "returned (yuan)"),
        screen.pick("违规收费", "charged"),
        screen.pick("已追回(元)", "recovered (yuan)"),
        screen.pick("未追回", "to be recovered"),
        screen.pick("对账单记账(元)", "booked by statements (yuan)"),
        screen.pick("差额(元)", "difference (yuan)"),
    ]
    rows: list[list[str | Sum]] = []
    for book in books:
        way = Sum()
        for state in waiting:
            each = book.states.get(state, Sum())
            way.add(each.count, each.minor)
        sums = [book.instructed, book.sent, *(book.states.get(state, Sum()) for state in _STATES), way]
        moved = [yuan_text(book.credited_minor), yuan_text(book.returned_minor)]
        booked = [yuan_text(book.booked_minor), yuan_text(book.gap_minor)]
        rows.append(
            [
                book.key,
                *sums,
                *moved,
                book.findings,
                yuan_text(book.recovered_minor),
                book.to_recover,
                *booked,
            ]
        )
    if output is not None:
        _write(*_in_columns(headers, rows), output)
        return
    # A screen is narrow: a line of sums a book.
    for row in rows:
        screen.say(f"[bold]{escape(str(row[0])) or '-'}[/]")
        for title, cell in zip(headers[1:], map(_cell, row[1:]), strict=True):
            if cell and cell != "0.00":
                screen.say(f"  {title}: {cell}")
    for one in rules:
        screen.say(f"  {escape(_standing(one))}")
    _say_closed(closed)


def _in_columns(headers: list[str], rows: list[list[str | Sum]]) -> tuple[list[str], list[list[str]]]:
    """For a file: a count and its amount each in a column of its own."""
    sums = [any(isinstance(row[place], Sum) for row in rows) for place in range(len(headers))]
    counted, worth = screen.pick("笔数", "count"), screen.pick("元", "yuan")
    titles = [
        title
        for header, is_sum in zip(headers, sums, strict=True)
        for title in ((f"{header} {counted}", f"{header} {worth}") if is_sum else (header,))
    ]
    cells = [
        [
            text
            for cell in row
            for text in (
                (count_text(cell.count), yuan_text(cell.minor)) if isinstance(cell, Sum) else (cell,)
            )
        ]
        for row in rows
    ]
    return titles, cells


def _both(each: Sum) -> tuple[str, str]:
    return count_text(each.count), yuan_text(each.minor)


def show_standings(found: Sequence[Standing], json: bool) -> None:
    """Books that are not closed, by the day on which agreements want them closed."""
    if json:
        screen.as_json(list(map(_told, found)))
        return
    for one in found:
        screen.say(f"{escape(one.batch_id)}: {escape(_standing(one))}")
    late = sum(one.is_overdue for one in found)
    screen.say(screen.pick(f"未结 {len(found)} 项,逾期 {late} 项", f"{len(found)} open, {late} overdue"))


def _told(one: Standing) -> dict[str, object]:
    """For programs."""
    return {**{name: getattr(one, name) for name in one.__struct_fields__}, "agrees": one.agrees}


def _standing(one: Standing) -> str:
    """One bank's and department's rule, what it wants still, and by when."""
    numbers = ", ".join(one.agreements)
    told = [
        screen.pick(
            f"对账办法({numbers},{one.bank},{one.department}):与{_AGAINST[one.against]}一致,分文不差",
            f"rule of {numbers} ({one.bank}, {one.department}): {one.against} agree to the fen",
        )
    ]
    if one.open_count:
        total = yuan(one.open_minor)
        told.append(
            screen.pick(
                f"{one.open_count} 笔 {total} 元无终态结果",
                f"{one.open_count} payments, {total} yuan, have no final result",
            )
        )
    if one.booked_minor not in (None, one.kept_minor):
        kept, booked = yuan(one.kept_minor), yuan(one.booked_minor or 0)
        told.append(
            screen.pick(
                f"回盘 {kept} 元,对账单记账 {booked} 元",
                f"results say {kept} yuan, statements booked {booked} yuan",
            )
        )
    if one.differing:
        told.append(
            screen.pick(f"{one.differing} 笔与对账单不符", f"{one.differing} payments booked otherwise")
        )
    if one.agrees:
        told.append(screen.pick("相符", "agrees"))
    if one.due is not None:
        told.append(screen.pick(f"应于 {one.due} 前结账", f"to be closed by {one.due}"))
    if one.is_overdue:
        told.append(screen.pick("已逾期", "overdue"))
    return "; ".join(told)


def show_ageing(aged: list[Aged], output: Path | None, json: bool) -> None:
    if json:
        screen.as_json(aged)
        return
    days, count = screen.pick("天数", "days"), screen.pick("笔数", "payments")
    amount, state = screen.pick("金额(元)", "amount (yuan)"), screen.pick("状态", "state")
    batch, bank = screen.pick("批次", "batch"), screen.pick("银行", "bank")
    headers = [
        days,
        batch,
        bank,
        screen.pick("补贴项目", "programme"),
        screen.pick("期间", "period"),
        state,
        count,
        amount,
    ]
    rows = [
        [
            str(one.days),
            one.batch_id,
            one.bank,
            one.programme,
            one.period,
            screen.state(one.state),
            str(one.count),
            format_yuan(one.minor),
        ]
        for one in aged
    ]
    if output is not None:
        _write(headers, rows, output)
        return
    table = screen.titled(*headers, whole=(bank,), right=(days, count, amount))
    for row in rows:
        table.add_row(*map(escape, row))
    if rows:
        screen.show(table)
    total, minor = sum(one.count for one in aged), sum(one.minor for one in aged)
    screen.say(
        screen.pick(f"未终态 {total} 笔,{yuan(minor)} 元", f"{total} payments open, {yuan(minor)} yuan")
    )


def show_differences(found: Iterator[Gap], output: Path | None, json: bool) -> int:
    """Print, or write to a file; how many."""
    headers = [
        screen.pick("明细编号", "payment"),
        screen.pick("批次", "batch"),
        screen.pick("银行", "bank"),
        screen.pick("文件", "file"),
        screen.pick("序号", "item"),
        screen.pick("状态", "state"),
        screen.pick("回盘(元)", "results (yuan)"),
        screen.pick("对账单(元)", "statements (yuan)"),
    ]
    rows = (
        [
            one.payment_id,
            one.batch_id,
            one.bank,
            one.file_name,
            str(one.item),
            screen.state(one.status) if one.status else screen.pick("未回", "no answer"),
            _money(one.by_results_minor),
            _money(one.by_statements_minor),
        ]
        for one in found
    )
    if output is not None:
        return _write(headers, rows, output)
    if json:
        count = 0
        for one in found:
            screen.as_json(one)
            count += 1
        return count
    table = screen.titled(*headers, whole=(headers[0],), right=(headers[4], headers[6], headers[7]))
    for row in islice(rows, _SHOWN_ROWS):
        table.add_row(*map(escape, row))
    if table.row_count:
        screen.show(table)
    count = table.row_count + sum(1 for _ in rows)
    screen.say(screen.pick(f"差异 {count} 笔", f"{count} payments differ"))
    return count


def show_charges(found: list[Charge], output: Path | None, json: bool) -> None:
    if json:
        screen.as_json(found)
        return
    bank, month = screen.pick("银行", "bank"), screen.pick("月份", "month")
    count, amount = screen.pick("笔数", "findings"), screen.pick("金额(元)", "amount (yuan)")
    headers = [bank, month, screen.pick("方式", "kind"), screen.pick("批次", "batch"), count, amount]
    rows = [
        [
            one.bank,
            one.month,
            screen.pick(_KINDS.get(one.kind, one.kind), one.kind),
            one.batch_id,
            count_text(one.count),
            yuan_text(one.minor),
        ]
        for one in found
    ]
    if output is not None:
        _write(headers, rows, output)
        return
    table = screen.titled(*headers, whole=(bank, month), right=(count, amount))
    for row in rows:
        table.add_row(*map(escape, row))
    if rows:
        screen.show(table)
    total, minor = sum(one.count for one in found), sum(one.minor for one in found)
    screen.say(screen.pick(f"违规收费 {total} 笔,{yuan(minor)} 元", f"{total} findings, {yuan(minor)} yuan"))


def _say_closed(closed: Closed | None) -> None:
    if closed is None:
        return
    who = f"{closed.persons} {local(closed.closed_at)}"
    if closed.closed:
        screen.say(screen.pick(f"对账已结:{who}", f"reconciliation closed: {who}"))
    elif closed.reopened:
        screen.say(screen.pick(f"结账后有新情况,已重开:{who}", f"closed, and open again by new facts: {who}"))
    else:
        screen.say(screen.pick("对账未结", "reconciliation open"))


def _plain(book: Book) -> dict[str, object]:
    return {name: getattr(book, name) for name in book.__struct_fields__}


def _cell(each: str | Sum) -> str:
    if isinstance(each, str):
        return each
    return f"{each.count} / {yuan(each.minor)}" if each.count else ""


def _money(minor: int | None) -> str:
    if minor is None:
        return ""
    return f"-{format_yuan(-minor)}" if minor < 0 else format_yuan(minor)


def _write(headers: list[str], rows: Iterable[list[str]], output: Path) -> int:
    file_format = table_format(output)
    with output_file(output) as sink:
        count = write_table(sink, [headers], rows, file_format, "bankgate")
    screen.say(f"{output}: {count}")
    return count
