"""What `findings` prints: each charge with its evidence."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from formats import FeeFinding
from gateway.reports.numbers import yuan_text
from gateway.screens import screen
from gateway.screens.listing import Column, Listing

_KINDS = {
    "fee_line": ("手续费行", "fee line"),
    "fee_column": ("手续费列", "fee column"),
    "short_credit": ("少入账", "credited short"),
    "charge_bearer": ("费用承担方", "bearer of charges"),
    "unexplained_debit": ("不明扣款", "unexplained debit"),
}


def charge_word(kind: str) -> str:
    """How a charge showed, in the language that is spoken."""
    return screen.pick(*_KINDS.get(kind, (kind, kind)))


def show_findings(findings: Iterator[FeeFinding], output: Path | None, json: bool) -> int:
    """Charges, with their evidence; how many."""
    if output is not None:
        return _IN_FILES.write(findings, output)
    if json:
        count = 0
        for finding in findings:
            screen.as_json(finding)
            count += 1
        return count
    shown = _FINDINGS.show(list(islice(findings, screen.SHOWN_ROWS)))
    count = shown + sum(1 for _ in findings)
    screen.note_more(count)
    if count:
        screen.say(
            screen.pick(
                f"违规收费证据 {count} 条;同一笔收费可有多条证据,合计见 bankgate charges",
                f"{count} pieces of evidence; a charge may have several: bankgate charges adds up",
            )
        )
    return count


def _evidence(one: FeeFinding) -> str:
    return f"{one.evidence_sha256[:8]} {screen.pick('行', 'line')} {one.evidence_line}"


_BANK: Column[FeeFinding] = Column(("银行", "bank"), lambda one: one.bank, whole=True)
_KIND: Column[FeeFinding] = Column(("方式", "kind"), lambda one: charge_word(one.kind), whole=True)
_AMOUNT: Column[FeeFinding] = Column(
    ("金额(元)", "amount (yuan)"), lambda one: yuan_text(one.amount_minor), number=True
)
_FINDINGS: Listing[FeeFinding] = Listing(
    "findings",
    _BANK,
    _KIND,
    _AMOUNT,
    # A payment says its file: `trace` tells it.
    Column(("明细或文件", "payment or file"), lambda one: one.payment_id or one.file_name, whole=True),
    Column(("证据", "evidence"), _evidence, whole=True),
)
_IN_FILES: Listing[FeeFinding] = Listing(
    "findings",
    _BANK,
    _KIND,
    _AMOUNT,
    Column(("明细编号", "payment"), lambda one: one.payment_id),
    Column(("代发文件", "file"), lambda one: one.file_name),
    Column(("文件内序号", "item"), lambda one: _number(one.item)),
    Column(("登记时间", "recorded at"), lambda one: one.recorded_at.isoformat()),
    Column(("证据文件摘要", "evidence SHA-256"), lambda one: one.evidence_sha256),
    Column(("证据行号", "evidence line"), lambda one: _number(one.evidence_line)),
)
"""The evidence whole, as the bank or its supervisor looks it up."""


def _number(value: int | None) -> str:
    return "" if value is None else str(value)
