"""What `recoveries` prints: what was asked back, what came back of it, what is outstanding since when."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.markup import escape

from formats.standard import write_table
from formats.standard.amounts import format_yuan
from gateway.ledger.recoveries import Ending
from gateway.money import yuan
from gateway.output import output_file
from gateway.reports.wording import GROUNDS
from gateway.rules.desk import table_format
from gateway.rules.recoveries import Recovery
from gateway.screens import screen

_ENDING_WORDS = {
    Ending.OPEN: ("追回中", "open"),
    Ending.WHOLE: ("已全额追回", "all came back"),
    Ending.GIVEN_UP: ("余额不再追回", "given up"),
}


def ground_word(ground: str) -> str:
    """Why money is asked back."""
    return screen.pick(*GROUNDS[ground])


def show_recoveries(found: Sequence[Recovery], output: Path | None, json: bool) -> None:
    if json:
        screen.as_json(list(found))
        return
    payment, days = screen.pick("明细编号", "payment"), screen.pick("天数", "days")
    amount, back = screen.pick("应追回(元)", "asked (yuan)"), screen.pick("已追回(元)", "back (yuan)")
    left = screen.pick("未追回(元)", "outstanding (yuan)")
    since, state = screen.pick("立案日(UTC)", "since (UTC)"), screen.pick("状态", "state")
    ground = screen.pick("依据", "ground")
    if output is not None:
        headers = [
            payment,
            screen.pick("批次", "batch"),
            screen.pick("银行", "bank"),
            screen.pick("补贴项目", "programme"),
            screen.pick("期间", "period"),
            ground,
            amount,
            back,
            left,
            since,
            days,
            state,
        ]
        file_format = table_format(output)
        with output_file(output) as sink:
            count = write_table(sink, [headers], map(_cells, found), file_format, "recoveries")
        screen.say(f"{output}: {count}")
        return
    table = screen.titled(
        payment,
        ground,
        amount,
        back,
        left,
        since,
        days,
        state,
        whole=(payment,),
        right=(amount, back, left, days),
    )
    for one in found[: screen.SHOWN_ROWS]:
        cells = _cells(one)
        table.add_row(*map(escape, [cells[0], *cells[5:]]))
    if found:
        screen.show(table)
        screen.note_more(len(found))
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


def _cells(one: Recovery) -> list[str]:
    return [
        one.payment_id,
        one.batch_id,
        one.bank,
        one.programme,
        one.period,
        ground_word(one.ground),
        format_yuan(one.amount_minor),
        format_yuan(one.recovered_minor),
        format_yuan(one.outstanding_minor),
        f"{one.marked_at:%Y-%m-%d}",
        str(one.days),
        screen.pick(*_ENDING_WORDS[one.ending]),
    ]
