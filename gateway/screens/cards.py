"""What the commands on card lists print."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.markup import escape

from gateway.ledger.card_lists import CardListState
from gateway.reports.numbers import yuan_text
from gateway.rules.card_lists import BroughtCards, CardList, CardListCheck
from gateway.rules.card_offers import CardOffer, Remark
from gateway.screens import screen
from gateway.screens.listing import Column, Listing

_STATES = {
    CardListState.BROUGHT: ("待签署", "not taken yet"),
    CardListState.IN_FORCE: ("采用中", "in force"),
    CardListState.ENDED: ("已终止", "ended"),
}
_REMARKS = {
    Remark.NONE: ("", ""),
    Remark.OTHER_NAME: ("清单姓名不同", "the list has another name"),
    Remark.NOT_ENTRUSTED: ("该行未受委托", "no agreement with that bank"),
}
_OFFERS: Listing[CardOffer] = Listing(
    "cards",
    Column(("明细编号", "payment"), lambda one: one.payment_id, whole=True),
    Column(("来源平台", "platform"), lambda one: one.source_platform, in_files=True),
    Column(("批次号", "batch"), lambda one: one.batch_id, in_files=True),
    Column(("姓名", "name"), lambda one: one.name),
    Column(("身份证号", "ID"), lambda one: one.id_number, in_files=True),
    Column(("发放部门", "department"), lambda one: one.department),
    Column(("补贴项目", "programme"), lambda one: one.programme),
    Column(("补贴期间", "period"), lambda one: one.period, in_files=True),
    Column(("金额(元)", "amount"), lambda one: yuan_text(one.amount_minor), number=True, in_files=True),
    Column(("状态", "state"), lambda one: screen.state(one.state), in_files=True),
    Column(("原银行", "bank"), lambda one: one.bank, in_files=True),
    Column(("原账号", "account"), lambda one: one.account),
    Column(("村(社区)", "village"), lambda one: one.village, in_files=True),
    Column(("社保卡银行", "bank of the card"), lambda one: one.card_bank),
    Column(("社保卡", "card"), lambda one: one.card, whole=True),
    Column(("清单", "card list"), lambda one: one.card_list, in_files=True),
    Column(("清单日期", "list drawn on"), lambda one: one.drawn_on.isoformat(), whole=True),
    Column(("备注", "remarks"), lambda one: _remarks(one)),
)
_LISTS: Listing[CardList] = Listing(
    "lists",
    Column(("清单", "card list"), lambda one: one.object, whole=True),
    Column(("平台", "platform"), lambda one: one.source_platform),
    Column(("导出日期", "drawn on"), lambda one: one.drawn_on.isoformat(), whole=True),
    Column(("人数", "persons"), lambda one: str(one.persons), number=True),
    Column(("矛盾人数", "contradicting"), lambda one: str(one.doubted), number=True),
    Column(("未收入行", "left out"), lambda one: str(one.left_out), number=True),
    Column(("状态", "state"), lambda one: _state(one)),
    Column(("有效至", "counts until"), lambda one: one.counts_until.isoformat(), whole=True),
    Column(("采用人", "taken by"), lambda one: one.taken_by),
)


def show_check(found: CardListCheck, json: bool) -> None:
    if json:
        screen.as_json(found)
        return
    screen.show_problems(found.problems)
    if found.total > len(found.problems):
        more = found.total - len(found.problems)
        screen.say(screen.pick(f"另有 {more} 个问题", f"{more} more problems"))
    for line in (
        screen.pick(
            f"{found.source_platform} {found.drawn_on}: {found.rows} 行,{found.persons} 人;"
            f"未收入 {found.left_out} 行,自相矛盾 {found.doubted} 人",
            f"{found.source_platform} {found.drawn_on}: {found.rows} rows, {found.persons} persons;"
            f" {found.left_out} rows left out, {found.doubted} persons contradicting",
        ),
        screen.pick(
            f"与现行清单相比:不再列出 {found.gone} 人,换卡 {found.moved} 人",
            f"beside the list in force: {found.gone} persons gone, {found.moved} with another card",
        ),
    ):
        screen.say(escape(line))


def show_brought(brought: BroughtCards, json: bool) -> None:
    if json:
        screen.as_json(brought)
        return
    show_check(brought.check, json)
    before = screen.pick(",此前已提交", ", brought before") if brought.brought_before else ""
    screen.say(f"{brought.object}: {screen.pick(*_STATES[brought.state])}{before}")


def show_lists(found: list[CardList], json: bool) -> None:
    if json:
        screen.as_json(found)
        return
    _LISTS.show(found)
    count = sum(one.counts for one in found)
    screen.say(screen.pick(f"现行有效清单 {count} 份", f"{count} lists count"))


def show_offers(found: Iterator[CardOffer], output: Path | None, json: bool) -> int:
    """Print, or write to a file; how many."""
    count = _OFFERS.tell(found, output=output, json=json, most=screen.SHOWN_ROWS)
    if output is None and not json:
        screen.say(
            screen.pick(f"共 {count} 笔;社保卡须经核实", f"{count} payments; each card must be verified")
        )
    return count


def _state(one: CardList) -> str:
    too_old = one.state is CardListState.IN_FORCE and not one.counts
    return screen.pick(*_STATES[one.state]) + (screen.pick(",已过期", ", too old") if too_old else "")


def _remarks(one: CardOffer) -> str:
    return "; ".join(screen.pick(*_REMARKS[remark]) for remark in one.remarks)
