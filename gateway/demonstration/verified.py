"""What the departments of a demonstration find when they verify failed payments again: made up, as a CSV.

A name that was wrong is corrected, a card that is closed or lost is replaced, an account that moved to
another bank is taken from there. An account that is not activated waits until its owner was at the bank.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

from formats import Outcome, Reason
from formats.records import PayeeKind, Payment
from formats.standard.table import PAYMENT_BY_ATTRIBUTE
from gateway.demonstration.draw import Draw, citizen_id, credit_code
from gateway.demonstration.month import Month
from gateway.demonstration.people import BANKS, DemonstrationBank, make_account, make_name
from gateway.output import output_file

_OF_ROUND = 500_009
"""Seeds of a round's new accounts lie apart by so much."""
_BANKS = {bank.bank: bank for bank in BANKS}
_MOVED = frozenset({Reason.BANK_MISMATCH, Reason.NAME_TOO_LONG})
_GROUNDS: Mapping[Reason, str] = {
    Reason.NAME_MISMATCH: "凭身份证更正户名",
    Reason.BANK_MISMATCH: "本人已换卡,凭新卡核实",
    Reason.NAME_TOO_LONG: "本人改由可写全姓名的银行领取",
    Reason.INVALID_ID: "凭身份证更正证件号码",
    Reason.INVALID_ACCOUNT: "凭卡面更正卡号",
    Reason.NOT_ACTIVATED: "本人已到柜台激活",
    Reason.RETURNED: "银行来电说明账户异常,本人换卡",
}
_COLUMNS = ("bank", "account", "beneficiary_name", "payee_name", "beneficiary_id")


def verify(month: Month, failed: Iterable[Outcome], path: Path, day: date, number: int) -> None:
    """Write the corrections of a round."""
    headers = ["原明细编号", *(PAYMENT_BY_ATTRIBUTE[name].chinese[0] for name in _COLUMNS)]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*headers, "核实人", "核实日期", "核实依据"])
    for one in failed:
        batch, index = month.original(one.payment_id)
        payment = batch.payment(index)
        changes = _changes(payment, one, index, batch.order.seed + _OF_ROUND * number)
        ground = _GROUNDS.get(one.reason, "本人补办新卡,凭新卡核实")
        cells: Sequence[str] = [changes.get(name, "") for name in _COLUMNS]
        writer.writerow([one.payment_id, *cells, f"{batch.field.department}经办人", day.isoformat(), ground])
    with output_file(path, overwrite=True) as sink:
        sink.write(text.getvalue().encode())


def _changes(payment: Payment, one: Outcome, index: int, seed: int) -> dict[str, str]:
    """By attribute of the payment; it may have gone to another bank than the first one meanwhile."""
    bank = _BANKS[one.bank or payment.bank]
    if one.reason is Reason.NOT_ACTIVATED:
        return {}
    if one.reason is Reason.INVALID_ID:
        valid = credit_code if payment.payee_kind is PayeeKind.ORGANISATION else citizen_id
        return {"beneficiary_id": valid(payment.beneficiary_id[:-1])}
    if one.reason is Reason.NAME_MISMATCH:
        whose = "payee_name" if payment.payee_name else "beneficiary_name"
        return {whose: make_name(Draw(seed, index, "verified"), bank)}
    if one.reason in _MOVED:
        bank = _other(bank)
        return {"bank": bank.bank, "account": make_account(seed, index, payment.account_kind, bank)}
    return {"account": make_account(seed, index, payment.account_kind, bank)}


def _other(bank: DemonstrationBank) -> DemonstrationBank:
    """The bank with the widest names that is not this one."""
    return max(
        (other for other in BANKS if other is not bank), key=lambda candidate: candidate.name_width_bytes
    )
