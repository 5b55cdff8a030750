"""What `share` prints: how much is carried by card, against the plan's targets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gateway.reports.numbers import count_text, yuan_text
from gateway.rules.shares import Share, Shares, earlier_targets
from gateway.screens import screen
from gateway.screens.listing import Column, Listing

_BAR_CELLS = 20
_WIDE_BAR_CELLS = 50
_DONE, _LEFT, _DONE_MARK, _LEFT_MARK = "█", "·", "▓", "┊"
_ALL = 1000


def show_shares(shares: Shares, output: Path | None, json: bool) -> None:
    """By year the whole and its chart, then what passbooks carry still, the least by card first."""
    if output is not None:
        _IN_FILES.write(shares.rows, output)
        return
    if json:
        screen.as_json(shares)
        return
    for year in dict.fromkeys(one.year for one in shares.rows):
        rows = [one for one in shares.rows if one.year == year]
        _show_year(next(one for one in rows if not one.programme), [one for one in rows if one.programme])
    if shares.movable_persons is not None:
        persons = shares.movable_persons
        screen.say(
            screen.pick(
                f"发一本通而社保卡已知的人员 {persons} 人: bankgate cards movable",
                f"{persons} persons were paid by passbook and their card is known: bankgate cards movable",
            )
        )
    both = shares.both_count
    screen.say(
        screen.pick(f"同时有两种账户的人员 {both} 人", f"{both} persons were paid by card and by passbook")
    )


def _show_year(whole: Share, programmes: list[Share]) -> None:
    count, credited = whole.card_count, whole.card_count + whole.passbook_count
    target = _target(whole)
    screen.say(
        screen.pick(
            f"{whole.year} 年: 社保卡 {count:,} 笔,共 {credited:,} 笔,占 {_percent(whole)}{target}",
            f"{whole.year}: {count:,} of {credited:,} payments by card, {_percent(whole)}{target}",
        )
    )
    screen.say(f"  {_bar(whole, _WIDE_BAR_CELLS)}")
    screen.say(f"  {_scale(whole)}")
    by_book = sorted((one for one in programmes if one.passbook_count), key=lambda one: one.per_mille)
    listing = _BY_PROGRAMME if any(one.movable_count is None for one in by_book) else _WITH_KNOWN_CARDS
    listing.show(by_book)
    alone = len(programmes) - len(by_book)
    screen.say(
        screen.pick(f"另有 {alone} 个项目全部由社保卡发放", f"{alone} programmes are paid by card alone")
    )


def _known(one: Share) -> str:
    return "" if one.movable_count is None else count_text(one.movable_count)


def _percent(one: Share) -> str:
    return f"{one.per_mille // 10}.{one.per_mille % 10} %"


def _target(one: Share) -> str:
    if one.target_percent is None:
        return ""
    reached = screen.pick("已达到", "reached") if one.reached else screen.pick("未达到", "missed")
    return screen.pick(
        f";目标 {one.target_percent} %: {reached}", f"; target {one.target_percent} %: {reached}"
    )


def _bar(one: Share, cells: int) -> str:
    """The share as a bar, with a mark at each target of earlier years."""
    done = one.per_mille * cells // _ALL
    marks = {percent * cells // 100 for percent in earlier_targets(one.year).values()}
    return "".join(
        (_DONE_MARK if place in marks else _DONE)
        if place < done
        else (_LEFT_MARK if place in marks else _LEFT)
        for place in range(cells)
    )


def _scale(one: Share) -> str:
    """What the marks of the wide bar are, below them."""
    line = ""
    for percent in _marked(one):
        line = line.ljust(percent * _WIDE_BAR_CELLS // 100) + f"{percent}% "
    return line.rstrip()


def _marked(one: Share) -> Iterator[int]:
    yield from earlier_targets(one.year).values()
    if one.target_percent is not None:
        yield one.target_percent


_PROGRAMME: Column[Share] = Column(("仍有一本通的补贴项目", "programme"), lambda one: one.programme)
_BY_CARD: Column[Share] = Column(
    ("社保卡笔数", "by card"), lambda one: count_text(one.card_count), number=True
)
_BY_BOOK: Column[Share] = Column(
    ("一本通笔数", "passbook"), lambda one: count_text(one.passbook_count), number=True
)
_KNOWN: Column[Share] = Column(("其中已有卡", "card known"), lambda one: _known(one), number=True)
_PART: Column[Share] = Column(("占比", "share"), _percent, number=True)
_CHART: Column[Share] = Column(("社保卡占比图", "of 100 %"), lambda one: _bar(one, _BAR_CELLS), whole=True)
_BY_PROGRAMME: Listing[Share] = Listing("share", _PROGRAMME, _BY_CARD, _BY_BOOK, _PART, _CHART)
_WITH_KNOWN_CARDS: Listing[Share] = Listing("share", _PROGRAMME, _BY_CARD, _BY_BOOK, _KNOWN, _PART, _CHART)
_IN_FILES: Listing[Share] = Listing(
    "share",
    Column(("年度", "year"), lambda one: str(one.year)),
    Column(("补贴项目", "programme"), lambda one: one.programme or screen.pick("全部", "all")),
    Column(("社保卡笔数", "by card"), lambda one: count_text(one.card_count)),
    Column(("社保卡金额(元)", "by card (yuan)"), lambda one: yuan_text(one.card_minor)),
    Column(("一本通笔数", "passbook"), lambda one: count_text(one.passbook_count)),
    Column(("一本通金额(元)", "passbook (yuan)"), lambda one: yuan_text(one.passbook_minor)),
    Column(
        ("其中已有卡", "card known"),
        lambda one: _known(one),
    ),
    Column(("占比(%)", "share (%)"), lambda one: f"{one.per_mille // 10}.{one.per_mille % 10}"),
    Column(
        ("目标(%)", "target (%)"), lambda one: "" if one.target_percent is None else str(one.target_percent)
    ),
)
