"""What `reconcile` and `charges` print."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from rich.markup import escape

from formats.standard import write_table
from gateway.ledger.books import Gap
from gateway.local_time import local
from gateway.money import yuan
from gateway.output import output_file
from gateway.reports.numbers import count_text, for_eyes, yuan_text
from gateway.reports.wording import state_words
from gateway.rules.books import Aged, Book, By, Charge, Closed, Extent, Sum
from gateway.rules.closing import Standing
from gateway.rules.desk import table_format
from gateway.screens import screen
from gateway.screens.decisions import show_open_points
from gateway.screens.findings import charge_word
from gateway.screens.listing import Column, Listing
from gateway.texts import Said

_STATES = ("credited", "failed", "returned", "unknown", "discrepant", "set_aside", "withdrawn", "held")
_AGAINST = {"results": "回盘文件", "statements": "回盘文件及对账单"}


def show_books(
    by: By,
    books: list[Book],
    closed: Closed | None,
    rules: Sequence[Standing],
    points: Sequence[Said],
    output: Path | None,
    json: bool,
) -> None:
    if json:
        told = [
            {**_plain(book), "open": book.open, "adds_up": book.adds_up, "gap_minor": book.gap_minor}
            for book in books
        ]
        screen.as_json(
            {"books": told, "closed": closed, "rules": list(map(_told, rules)), "open_points": points}
        )
        return
    headers = [screen.pick("对账项", "of"), *(screen.pick(*title) for title, _ in _SUMS)]
    rows = [[_of(by, book), *(cell(book) for _, cell in _SUMS)] for book in books]
    if output is not None:
        _write(*_in_columns(headers, rows), output)
        return
    # A screen is narrow: a line of sums a book.
    for row in rows:
        screen.say(f"[bold]{escape(str(row[0]))}[/]")
        for title, cell in zip(headers[1:], map(_cell, row[1:]), strict=True):
            if cell and cell != "0.00":
                screen.say(f"  {title}: {cell}")
    for one in rules:
        screen.say(f"  {escape(_standing(one))}")
    _say_closed(closed)
    show_open_points(points)


def _way(book: Book) -> Sum:
    """What is on its way still."""
    total = Sum()
    for state in ("dispatched", "accepted"):
        each = book.states.get(state, Sum())
        total.add(each.count, each.minor)
    return total


def _in_state(name: str) -> Callable[[Book], Sum]:
    return lambda book: book.states.get(name, Sum())


_SUMS: tuple[tuple[tuple[str, str], Callable[[Book], str | Sum]], ...] = (
    (("应发", "instructed"), lambda book: book.instructed),
    (("补发(同一款项再次交付)", "the same money again (reissued)"), lambda book: book.reissued),
    (("已送银行", "sent"), lambda book: book.sent),
    *((state_words(state), _in_state(state)) for state in _STATES),
    (("在途", "on the way"), _way),
    (
        ("银行入账合计,含金额不符及后来退回(元)", "credited by banks, short and returned too (yuan)"),
        lambda book: yuan_text(book.credited_minor),
    ),
    (("退回(元)", "returned (yuan)"), lambda book: yuan_text(book.returned_minor)),
    (("违规收费", "charged"), lambda book: book.findings),
    (("已追回(元)", "recovered (yuan)"), lambda book: yuan_text(book.recovered_minor)),
    (("未追回", "to be recovered"), lambda book: book.to_recover),
    (("对账单记账(元)", "booked by statements (yuan)"), lambda book: yuan_text(book.booked_minor)),
    (
        ("整份记账、未能分属(元)", "booked with whole files, not to be assigned (yuan)"),
        lambda book: yuan_text(book.unassigned_minor),
    ),
    (("差额(元)", "difference (yuan)"), lambda book: yuan_text(book.gap_minor)),
)
"""What is told of each line of a reconciliation, under its Chinese and English title."""
_NO_DAY = ("尚未入文件", "in no file yet")
_NO_BANK = ("无合作银行(未入文件即退回)", "no bank (set aside before it had one)")
_WHOLE_FILE = {
    By.PROGRAMME: ("整份文件 {}(不止一个项目)", "the whole file {} (several programmes)"),
    By.PERIOD: ("整份文件 {}(不止一个期间)", "the whole file {} (several periods)"),
}


def _of(by: By, book: Book) -> str:
    """What a line is of; where a thing has no such key, or a charge is of more than one, that in words."""
    if book.extent is Extent.FILE:
        return screen.pick(*_WHOLE_FILE[by]).format(book.key)
    if book.extent is Extent.BANK:
        return screen.pick(
            f"{book.key} 整行(对账单未指明文件或明细)",
            f"the bank {book.key} as a whole (its statement names neither file nor payment)",
        )
    if book.extent is Extent.NONE:
        return screen.pick(*(_NO_DAY if by is By.DAY else _NO_BANK))
    return book.key


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


_AGED: Listing[Aged] = Listing(
    "ageing",
    Column(("天数", "days"), lambda one: str(one.days), number=True),
    Column(("批次", "batch"), lambda one: one.batch_id),
    Column(("银行", "bank"), lambda one: one.bank, whole=True),
    Column(("补贴项目", "programme"), lambda one: one.programme),
    Column(("期间", "period"), lambda one: one.period),
    Column(("状态", "state"), lambda one: screen.state(one.state)),
    Column(("笔数", "payments"), lambda one: count_text(one.count), number=True),
    Column(("金额(元)", "amount (yuan)"), lambda one: yuan_text(one.minor), number=True),
)


def show_ageing(aged: list[Aged], output: Path | None, json: bool) -> None:
    if json:
        screen.as_json(aged)
        return
    _AGED.tell(aged, output=output)
    if output is None:
        total, minor = sum(one.count for one in aged), sum(one.minor for one in aged)
        screen.say(
            screen.pick(f"未终态 {total} 笔,{yuan(minor)} 元", f"{total} payments open, {yuan(minor)} yuan")
        )


_GAPS: Listing[Gap] = Listing(
    "differences",
    Column(("明细编号", "payment"), lambda one: one.payment_id, whole=True),
    Column(("批次", "batch"), lambda one: one.batch_id),
    Column(("银行", "bank"), lambda one: one.bank),
    Column(("文件", "file"), lambda one: one.file_name),
    Column(("序号", "item"), lambda one: str(one.item), number=True),
    Column(
        ("状态", "state"),
        lambda one: screen.state(one.status) if one.status else screen.pick("未回", "no answer"),
    ),
    Column(("回盘(元)", "results (yuan)"), lambda one: yuan_text(one.by_results_minor), number=True),
    Column(("对账单(元)", "statements (yuan)"), lambda one: yuan_text(one.by_statements_minor), number=True),
)


def show_differences(found: Iterator[Gap], output: Path | None, json: bool) -> int:
    """Print, or write to a file; how many."""
    count = _GAPS.tell(found, output=output, json=json, most=screen.SHOWN_ROWS)
    if output is None and not json:
        screen.say(screen.pick(f"差异 {count} 笔", f"{count} payments differ"))
    return count


_CHARGES: Listing[Charge] = Listing(
    "charges",
    Column(("银行", "bank"), lambda one: one.bank, whole=True),
    Column(("月份", "month"), lambda one: one.month, whole=True),
    Column(("方式", "kind"), lambda one: charge_word(one.kind)),
    Column(("批次", "batch"), lambda one: one.batch_id),
    Column(("笔数", "findings"), lambda one: count_text(one.count), number=True),
    Column(("金额(元)", "amount (yuan)"), lambda one: yuan_text(one.minor), number=True),
)


def show_charges(found: list[Charge], output: Path | None, json: bool) -> None:
    if json:
        screen.as_json(found)
        return
    _CHARGES.tell(found, output=output)
    if output is None:
        total, minor = sum(one.count for one in found), sum(one.minor for one in found)
        screen.say(
            screen.pick(f"违规收费 {total} 笔,{yuan(minor)} 元", f"{total} findings, {yuan(minor)} yuan")
        )


def _say_closed(closed: Closed | None) -> None:
    if closed is None:
        return
    who = f"{closed.persons} {local(closed.closed_at)}"
    if closed.closed:
        screen.say(screen.pick(f"对账已结:{who}", f"reconciliation closed: {who}"))
        if closed.explanation:
            screen.say(f"  {screen.pick('说明', 'explained')}: {escape(closed.explanation)}")
    elif closed.reopened:
        screen.say(screen.pick(f"结账后有新情况,已重开:{who}", f"closed, and open again by new facts: {who}"))
    else:
        screen.say(screen.pick("对账未结", "reconciliation open"))


def _plain(book: Book) -> dict[str, object]:
    return {name: getattr(book, name) for name in book.__struct_fields__}


def _cell(each: str | Sum) -> str:
    if isinstance(each, str):
        return for_eyes(each)
    return f"{each.count:,} / {yuan(each.minor)}" if each.count else ""


def _write(headers: list[str], rows: Iterable[list[str]], output: Path) -> int:
    file_format = table_format(output)
    with output_file(output) as sink:
        count = write_table(sink, [headers], rows, file_format, "bankgate")
    screen.say(f"{output}: {count} {screen.pick('行', 'rows')}")
    return count
