"""What `recoveries` prints: what was asked back, what came back of it, what is outstanding since when."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gateway.ledger.recoveries import Ending
from gateway.local_time import local_minute
from gateway.money import yuan
from gateway.reports.numbers import count_text, yuan_text
from gateway.reports.wording import GROUNDS
from gateway.rules.recoveries import Recovery
from gateway.screens import screen
from gateway.screens.listing import Column, Listing

_ENDING_WORDS = {
    Ending.OPEN: ("追回中", "open"),
    Ending.WHOLE: ("已全额追回", "all came back"),
    Ending.GIVEN_UP: ("余额不再追回", "given up"),
}


def ground_word(ground: str) -> str:
    """Why money is asked back."""
    return screen.pick(*GROUNDS[ground])


_RECOVERIES: Listing[Recovery] = Listing(
    "recoveries",
    Column(("明细编号", "payment"), lambda one: one.payment_id, whole=True),
    Column(("批次", "batch"), lambda one: one.batch_id, in_files=True),
    Column(("银行", "bank"), lambda one: one.bank, in_files=True),
    Column(("补贴项目", "programme"), lambda one: one.programme, in_files=True),
    Column(("期间", "period"), lambda one: one.period, in_files=True),
    Column(("依据", "ground"), lambda one: ground_word(one.ground)),
    Column(("应追回(元)", "asked (yuan)"), lambda one: yuan_text(one.amount_minor), number=True),
    Column(("已追回(元)", "back (yuan)"), lambda one: yuan_text(one.recovered_minor), number=True),
    Column(("未追回(元)", "outstanding (yuan)"), lambda one: yuan_text(one.outstanding_minor), number=True),
    Column(("立案时间", "since"), lambda one: local_minute(one.marked_at)),
    Column(("天数", "days"), lambda one: count_text(one.days), number=True),
    Column(("状态", "state"), lambda one: screen.pick(*_ENDING_WORDS[one.ending])),
)


def show_recoveries(found: Sequence[Recovery], output: Path | None, json: bool) -> None:
    if json:
        screen.as_json(list(found))
        return
    _RECOVERIES.tell(found, output=output, most=screen.SHOWN_ROWS)
    if output is not None:
        return
    for one in found:
        if one.excess_minor:
            screen.warn(
                screen.pick(
                    f"{one.payment_id}:银行退回后,追回款项超出收款人实得 {yuan(one.excess_minor)} 元",
                    f"{one.payment_id}: the bank gave back too; {yuan(one.excess_minor)} yuan more are"
                    " recovered or asked than the payee has",
                )
            )
    opened = [one for one in found if one.ending is Ending.OPEN]
    minor = yuan(sum(one.outstanding_minor for one in opened))
    screen.say(
        screen.pick(
            f"追回中 {len(opened)} 笔,未追回 {minor} 元", f"{len(opened)} open, {minor} yuan outstanding"
        )
    )


def recovery_lines(one: Recovery) -> list[str]:
    """One recovery of a payment's story: who asked back, what came back, how it ended."""
    marked = screen.pick(
        f"{one.marked_at:%Y-%m-%dT%H:%M:%S} 追回 {yuan(one.amount_minor)} 元({ground_word(one.ground)}),"
        f"由 {one.marked_by} 决定,书证 sha256:{one.exhibit_sha256}",
        f"{one.marked_at:%Y-%m-%dT%H:%M:%S} {yuan(one.amount_minor)} yuan asked back"
        f" ({ground_word(one.ground)}) by {one.marked_by}, exhibit sha256:{one.exhibit_sha256}",
    )
    parts = []
    for part in one.receipts:
        parts.append(
            screen.pick(
                f"{part.noted_at:%Y-%m-%dT%H:%M:%S} 追回到账 {yuan(part.amount_minor)} 元,登记人"
                f" {part.noted_by},凭证 sha256:{part.voucher_sha256}",
                f"{part.noted_at:%Y-%m-%dT%H:%M:%S} {yuan(part.amount_minor)} yuan came back, noted by"
                f" {part.noted_by}, voucher sha256:{part.voucher_sha256}",
            )
        )
        if part.struck_at is not None:
            parts.append(
                screen.pick(
                    f"{part.struck_at:%Y-%m-%dT%H:%M:%S} 该笔系误记,由 {part.struck_by} 冲销",
                    f"{part.struck_at:%Y-%m-%dT%H:%M:%S} struck as a mistake by {part.struck_by}",
                )
            )
    if one.closed_at is None:
        ended = screen.pick(
            f"未追回 {yuan(one.outstanding_minor)} 元", f"{yuan(one.outstanding_minor)} yuan outstanding"
        )
    else:
        ended = (
            f"{one.closed_at:%Y-%m-%dT%H:%M:%S} {screen.pick(*_ENDING_WORDS[one.ending])} ({one.closed_by})"
        )
    return [marked, *parts, ended]
