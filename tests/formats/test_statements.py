"""Statements: entries with and without details, their totals, and returns of payments in them."""

# ruff: noqa: E501 - documents are read across

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from formats.errors import LayoutError
from formats.language.layout import parse_layout
from formats.reasons import Reason, Status
from formats.records import RecordChunk
from formats.registry import SHIPPED_FOLDER, Registry
from tests.formats.samples import decode, encode

REGISTRY = Registry()
KINDS = [("053", "BkToCstmrStmt", "Stmt"), ("054", "BkToCstmrDbtCdtNtfctn", "Ntfctn")]

ENTRIES = """
<Ntry><Amt Ccy="CNY">300.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-01-02</Dt></BookgDt>
<AcctSvcrRef>B1</AcctSvcrRef><NtryDtls>
<TxDtls><Refs><EndToEndId>00000000000700000001</EndToEndId></Refs><Amt Ccy="CNY">100.00</Amt>
<RltdPties><Cdtr><Pty><Nm>阿依古丽·买买提</Nm></Pty></Cdtr><CdtrAcct><Id><Othr><Id>6231990000001208674</Id></Othr></Id></CdtrAcct></RltdPties></TxDtls>
<TxDtls><Refs><EndToEndId>00000000000700000002</EndToEndId></Refs><Amt Ccy="CNY">200.00</Amt></TxDtls>
</NtryDtls></Ntry>
<Ntry><Amt Ccy="CNY">200.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-01-05</Dt></BookgDt><NtryDtls>
<TxDtls><Refs><EndToEndId>00000000000700000002</EndToEndId></Refs><Amt Ccy="CNY">200.00</Amt><RtrInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>销户</AddtlInf></RtrInf></TxDtls>
</NtryDtls></Ntry>
<Ntry><Amt Ccy="CNY">5.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><AddtlNtryInf>手续费</AddtlNtryInf></Ntry>
"""


def document(number: str, wrapper: str, scope: str, entries: str = ENTRIES, debits: str = "305.00") -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.{number}.001.08">'
        f"<{wrapper}><GrpHdr><MsgId>S1</MsgId><CreDtTm>2026-01-06T08:00:00</CreDtTm></GrpHdr><{scope}><Id>2026-001</Id>"
        "<Acct><Id><Othr><Id>9020001234567890</Id></Othr></Id></Acct><TxsSummry><TtlCdtNtries><NbOfNtries>1</NbOfNtries>"
        f"<Sum>200.00</Sum></TtlCdtNtries><TtlDbtNtries><NbOfNtries>2</NbOfNtries><Sum>{debits}</Sum></TtlDbtNtries>"
        f"</TxsSummry>{entries}</{scope}></{wrapper}></Document>"
    ).encode()


@pytest.mark.parametrize(("number", "wrapper", "scope"), KINDS)
def test_details_are_rows_and_returns_are_outcomes(number: str, wrapper: str, scope: str) -> None:
    codec = REGISTRY.get(f"iso20022-camt{number}-statement")
    columns, facts, problems = decode(codec, document(number, wrapper, scope))
    assert problems == []
    rows = columns["statement"]
    assert rows["statement.entry"] == [1, 1, 2, 3]
    assert rows["statement.amount"] == [30_000, 30_000, 20_000, 500]
    assert rows["statement.detail_amount"] == [10_000, 20_000, 20_000, None]
    assert rows["statement.direction"] == ["DBIT", "DBIT", "CRDT", "DBIT"]
    assert rows["statement.booked_on"] == [date(2026, 1, 2), date(2026, 1, 2), date(2026, 1, 5), None]
    assert rows["payment.payee_name"] == ["阿依古丽·买买提", "", "", ""]
    assert rows["statement.text"] == ["", "", "", "手续费"]
    assert rows["group.account"] == ["9020001234567890"] * 4
    assert "outcome.code" not in rows
    returned = columns["payment"]
    assert returned["attempt.reference"] == ["00000000000700000002"]
    assert (returned["outcome.status"], returned["outcome.reason"]) == ([Status.RETURNED], [Reason.RETURNED])
    assert (returned["outcome.amount"], returned["outcome.bank_text"]) == ([20_000], ["销户"])
    assert facts["declared"]["sum(statement.amount where statement.direction in DBIT)"] == 30_500


@pytest.mark.parametrize(("number", "wrapper", "scope"), KINDS)
def test_totals_count_each_entry_once(number: str, wrapper: str, scope: str) -> None:
    codec = REGISTRY.get(f"iso20022-camt{number}-statement")
    _, _, problems = decode(codec, document(number, wrapper, scope, debits="605.00"))
    assert [problem.message for problem in problems] == [
        f"iso20022-camt{number}-statement 借方金额: declared 60500 minor units, found 30500"
    ]


def test_an_entry_cut_by_a_block_keeps_its_details_together() -> None:
    """Entries come in blocks of the parser; the last one of a block may be half there."""
    many = ENTRIES.split("<Ntry>")[1]
    entries = "".join(f"<Ntry>{many}" for _ in range(3_000))
    codec = REGISTRY.get("iso20022-camt053-statement")
    raw = document("053", "BkToCstmrStmt", "Stmt", entries)
    columns, _, problems = decode(codec, raw)
    assert columns["statement"]["statement.entry"] == [entry for entry in range(1, 3_001) for _ in range(2)]
    assert {problem.code for problem in problems} == {"total-differs"}


def test_what_a_simulated_bank_writes_comes_back() -> None:
    columns: dict[str, list[Any]] = {
        "statement.amount": [10_000, 500],
        "statement.currency": ["CNY", "CNY"],
        "statement.direction": ["DBIT", "CRDT"],
        "statement.status": ["BOOK", "BOOK"],
        "statement.booked_on": [date(2026, 1, 2), None],
        "attempt.reference": ["00000000000700000001", ""],
        "statement.detail_amount": [10_000, None],
        "payment.payee_name": ["王<东>", ""],
        "outcome.code": ["", ""],
    }
    codec = REGISTRY.get("iso20022-camt054-statement")
    chunk = RecordChunk(record="statement", count=2, columns=columns)
    raw = encode(codec, [chunk], profile={"account": "9020001234567890"}, original_message_id="2026-001")
    read, _, problems = decode(codec, raw)
    assert problems == []
    assert {name: read["statement"][name] for name in columns if name != "outcome.code"} == {
        name: values for name, values in columns.items() if name != "outcome.code"
    }


def test_a_booking_is_never_a_credit() -> None:
    text = (SHIPPED_FOLDER / "iso20022-camt054-statement.toml").read_text("utf-8")
    bad = text.replace("AC01    returned     RETURNED", "AC01    credited", 1)
    with pytest.raises(LayoutError) as caught:
        parse_layout(bad, "bad")
    assert [problem.code for problem in caught.value.problems] == ["code-iso"]


def test_one_detail_in_a_record() -> None:
    text = (SHIPPED_FOLDER / "iso20022-camt054-statement.toml").read_text("utf-8")
    bad = text.replace(
        "      AddtlNtryInf  ",
        "      More    [detail 0..*]\n        X  text  x  statement.text  optional\n      AddtlNtryInf  ",
        1,
    )
    with pytest.raises(LayoutError, match="detail"):
        Registry().from_text(bad, "bad")


def test_a_detail_in_another_currency_than_its_booking_is_for_a_person() -> None:
    entries = ENTRIES.replace('<Amt Ccy="CNY">100.00', '<Amt Ccy="USD">100.00')
    codec = REGISTRY.get("iso20022-camt053-statement")
    _, _, problems = decode(codec, document("053", "BkToCstmrStmt", "Stmt", entries))
    assert [(problem.code, problem.line, problem.column) for problem in problems] == [
        ("record-differs", 1, "明细币种")
    ]
