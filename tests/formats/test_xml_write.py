"""Writing XML layouts: bytes, escapes, what does not fit."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec.structs import replace

from formats import EncodeError, LayoutError, Reason, RecordChunk, Status
from formats.reference import make_references
from tests.formats.xml_support import (
    ACKNOWLEDGEMENT,
    IDENTITY,
    REQUEST,
    RESULT,
    payments,
    read,
    small_layout,
    written,
)


def test_request_is_written_byte_for_byte() -> None:
    chunk = payments(
        amount=[12345], payee_name=["阿依古丽·买买提"], bank_code=["102100099996"], summary=["A&B"]
    )
    header = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"><CstmrCdtTrfInitn>'
        "<GrpHdr><MsgId>MSG7</MsgId><CreDtTm>2026-11-23T10:00:00</CreDtTm><NbOfTxs>1</NbOfTxs>"
        "<CtrlSum>123.45</CtrlSum><InitgPty><Nm>财政局</Nm></InitgPty></GrpHdr>"
        "<PmtInf><PmtInfId>MSG7</PmtInfId><PmtMtd>TRF</PmtMtd><NbOfTxs>1</NbOfTxs><CtrlSum>123.45</CtrlSum>"
        "<ReqdExctnDt><Dt>2026-11-23</Dt></ReqdExctnDt><Dbtr><Nm>财政局</Nm></Dbtr>"
        "<DbtrAcct><Id><Othr><Id>1500001</Id></Othr></Id></DbtrAcct>"
        "<DbtrAgt><FinInstnId><ClrSysMmbId><MmbId>102100099996</MmbId></ClrSysMmbId></FinInstnId></DbtrAgt>"
    )
    record = (
        "<CdtTrfTxInf><PmtId><EndToEndId>00000000000700000001</EndToEndId></PmtId>"
        '<Amt><InstdAmt Ccy="CNY">123.45</InstdAmt></Amt><ChrgBr>DEBT</ChrgBr>'
        "<CdtrAgt><FinInstnId><ClrSysMmbId><MmbId>102100099996</MmbId></ClrSysMmbId></FinInstnId></CdtrAgt>"
        "<Cdtr><Nm>阿依古丽·买买提</Nm></Cdtr>"
        "<CdtrAcct><Id><Othr><Id>6231990000001208674</Id></Othr></Id></CdtrAcct>"
        "<RmtInf><Ustrd>A&amp;B</Ustrd></RmtInf></CdtTrfTxInf>"
    )
    expected = f"{header}{record}</PmtInf></CstmrCdtTrfInitn></Document>"
    assert written(REQUEST, [chunk]).decode() == expected


def test_absent_optional_elements_are_not_written_in_some_records_only() -> None:
    chunk = payments(bank_code=["", "102100099996"], summary=["100%s", ""])
    document = written(REQUEST, [chunk]).decode()
    first, second = document.split("<CdtTrfTxInf>")[1:]
    assert ("<CdtrAgt>" in first, "<RmtInf><Ustrd>100%s</Ustrd></RmtInf>" in first) == (False, True)
    assert ("<CdtrAgt>" in second, "<RmtInf>" in second) == (True, False)


def test_result_states_several_reasons_text_fee_and_credit() -> None:
    chunk = RecordChunk(
        record="payment",
        count=3,
        columns={
            "attempt.reference": make_references(7, [1, 2, 3], 20),
            "outcome.code": ["", "RJCT/AC01+HOUSE RULE", ""],
            "outcome.status": [Status.CREDITED, None, Status.FAILED],
            "outcome.reason": [Reason.NONE, None, Reason.NOT_ACTIVATED],
            "outcome.bank_text": ["", "账号", ""],
            "outcome.amount": [9950, None, None],
            "outcome.value_date": [date(2026, 11, 24), None, None],
            "fee.amount": [50, None, None],
        },
        lines=range(1, 4),
    )
    document = written(RESULT, [chunk]).decode()
    assert [part.partition("</TxInfAndSts>")[0] for part in document.split("<TxInfAndSts>")[1:]] == [
        "<OrgnlEndToEndId>00000000000700000001</OrgnlEndToEndId><TxSts>ACSC</TxSts>"
        '<ChrgsInf><Amt Ccy="CNY">0.50</Amt><Agt><FinInstnId><Nm>BANK</Nm></FinInstnId></Agt></ChrgsInf>'
        '<OrgnlTxRef><IntrBkSttlmAmt Ccy="CNY">99.50</IntrBkSttlmAmt>'
        "<IntrBkSttlmDt>2026-11-24</IntrBkSttlmDt></OrgnlTxRef>",
        "<OrgnlEndToEndId>00000000000700000002</OrgnlEndToEndId><TxSts>RJCT</TxSts>"
        "<StsRsnInf><Rsn><Cd>AC01</Cd></Rsn><AddtlInf>账号</AddtlInf></StsRsnInf>"
        "<StsRsnInf><Rsn><Prtry>HOUSE RULE</Prtry></Rsn></StsRsnInf>",
        "<OrgnlEndToEndId>00000000000700000003</OrgnlEndToEndId><TxSts>RJCT</TxSts>"
        "<StsRsnInf><Rsn><Prtry>NOTACTIVATED</Prtry></Rsn></StsRsnInf>",
    ]


def test_acknowledgement_is_the_status_of_the_file() -> None:
    document = written(ACKNOWLEDGEMENT, [], code="RJCT/FF01+NARR", text="格式").decode()
    assert document.partition("</OrgnlMsgNmId>")[2] == (
        "<OrgnlNbOfTxs>0</OrgnlNbOfTxs><OrgnlCtrlSum>0.00</OrgnlCtrlSum><GrpSts>RJCT</GrpSts>"
        "<StsRsnInf><Rsn><Cd>FF01</Cd></Rsn><AddtlInf>格式</AddtlInf></StsRsnInf>"
        "<StsRsnInf><Rsn><Cd>NARR</Cd></Rsn></StsRsnInf></OrgnlGrpInfAndSts></CstmrPmtStsRpt></Document>"
    )


def test_every_payment_that_does_not_fit_is_named() -> None:
    chunk = payments(
        payee_name=["王" * 141, "王\x0b", "好", "", "王\ud800"],
        bank_code=["", "12345", "", "", ""],
        amount=[1, 1, -1, 1, 10**18],
        summary=["", "", "", "", "长" * 141],
    )
    found = [(problem.line, problem.column, problem.reason) for problem in REQUEST.problems(chunk)]
    assert found == [
        (1, "收款人", Reason.NAME_TOO_LONG),
        (2, "收款行号", Reason.FIELD_INVALID),
        (2, "收款人", Reason.NAME_NOT_ENCODABLE),
        (3, "金额", Reason.AMOUNT_INVALID),
        (4, "收款人", Reason.FIELD_INVALID),
        (5, "金额", Reason.AMOUNT_INVALID),
        (5, "收款人", Reason.NAME_NOT_ENCODABLE),
        (5, "摘要", Reason.FIELD_INVALID),
    ]


def test_widths_are_characters_not_bytes() -> None:
    assert REQUEST.problems(payments(payee_name=["\U00030edd" * 140])) == []


def test_encoding_names_the_payments_of_later_chunks_too() -> None:
    good, bad = payments(amount=[1]), payments(amount=[-1])
    with pytest.raises(EncodeError) as caught:
        written(REQUEST, [good, bad, bad], count=3, total_minor=1)
    assert [problem.column for problem in caught.value.problems] == ["金额", "金额"]


@pytest.mark.parametrize(("count", "total"), [(3, 200), (2, 201)])
def test_a_request_is_refused_whose_records_are_not_what_it_declares(count: int, total: int) -> None:
    with pytest.raises(EncodeError):
        written(REQUEST, [payments(amount=[100, 100])], count=count, total_minor=total)


def test_a_missing_agreement_is_refused() -> None:
    with pytest.raises(EncodeError, match="付款账号"):
        b"".join(REQUEST.encode(replace(IDENTITY, agreement={"payer_name": "财政局"}), []))


def test_an_outcome_without_a_code_is_named() -> None:
    columns = {
        "attempt.reference": ["1"],
        "outcome.status": [Status.RETURNED],
        "outcome.reason": [Reason.RETURNED],
    }
    chunk = RecordChunk(record="payment", count=1, columns=columns, lines=[9])
    assert [(problem.line, problem.column) for problem in RESULT.problems(chunk)] == [(9, "状态")]


def test_a_reference_is_never_shortened() -> None:
    with pytest.raises(EncodeError, match="does not fit"):
        written(REQUEST, [payments(amount=[1])], sequence=10**12)


def test_items_count_through_the_file_where_chunks_do_not_say_them() -> None:
    chunks = [payments(amount=[1, 2]), payments(amount=[3])]
    for chunk in chunks:
        del chunk.columns["attempt.item"]
    columns, _ = read(REQUEST, written(REQUEST, chunks))
    assert columns["attempt.reference"] == make_references(7, [1, 2, 3], 20)


def test_encoding_is_pure() -> None:
    chunks = [payments(amount=[1, 2]), payments(amount=[3])]
    assert written(REQUEST, chunks) == written(REQUEST, chunks)


def test_gbk_refuses_a_name_that_gbk_lacks_and_declares_itself() -> None:
    codec = small_layout(
        "Doc/Msg\n  Tx                  [payment 1..*]\n    Ref  text <=20  号  attempt.reference  key\n"
        "    Nm   text <=40  名  payment.payee_name\n    Acc  text  账  payment.account\n"
        "    Amt  yuan.2  额  payment.amount",
        framing='{ encoding = "gbk" }',
    )
    document = written(codec, [payments(payee_name=["阿·東"])])
    assert document.startswith(b'<?xml version="1.0" encoding="GBK"?>')
    assert "阿·東".encode("gbk") in document
    columns, _ = read(codec, document)
    assert columns["payment.payee_name"] == ["阿·東"]
    problems = codec.problems(payments(payee_name=["好", "𠮷"]))
    assert [(problem.line, problem.reason) for problem in problems] == [(2, Reason.NAME_NOT_ENCODABLE)]


RECORD = (
    "  T                       [payment 1..*]\n    R  text  x  attempt.reference  key\n"
    "    A  text    x  payment.account\n    B  yuan.2  x  payment.amount\n"
)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('  A B  text  x  "1"\n' + RECORD, "no path: A B"),
        (
            '  A/X  text  x  "1"\n  B  text  y  "1"\n  A/Y  text  z  "1"\n' + RECORD,
            "A is opened a second time",
        ),
        ('  A  text  x  "1"\n    B  text  y  "1"\n' + RECORD, "indented under a line that carries a value"),
        (RECORD + "  U   [payment 1..*]\n    V  text  x  payment.summary\n", "a second [payment]"),
        ("  C  number  x  = sum(payment.A) mod 10\n" + RECORD, "a hash total"),
        (
            RECORD.replace("[payment 1..*]", "[charge 0..*]"),
            "no line is marked [payment ...] or [statement ...]",
        ),
    ],
)
def test_mistakes_in_the_table_are_told(lines: str, message: str) -> None:
    with pytest.raises(LayoutError) as caught:
        small_layout(f"Doc/M\n{lines}")
    assert f"small.toml: {message}" in [problem.message for problem in caught.value.problems]


def test_items_are_numbered_by_whoever_asks_whether_they_fit() -> None:
    """`problems` and `encode` say the same of a chunk that leaves its items to us."""
    chunk = payments(amount=[100])
    del chunk.columns["attempt.item"]
    assert REQUEST.problems(chunk, replace(IDENTITY, count=1, total_minor=100)) == []
    assert b"<EndToEndId>00000000000700000001</EndToEndId>" in written(REQUEST, [chunk])


def test_each_payment_has_its_own_attributes() -> None:
    """One value for all of them would send every payment in the currency of the first."""
    codec = small_layout(
        "Doc/Msg\n"
        "  Id          text       编号  file.message_id\n"
        "  Pay                          [payment 1..*]\n"
        "    Key       text 20    键    attempt.reference  key\n"
        "    Amt       yuan.2     金额  payment.amount\n"
        "    Amt/@Ccy  text 3     币种  item.currency\n"
        "    Acc       text       账号  payment.account\n"
        "    Note      text       附言  item.note  optional\n"
        "    Note/@Of  text       项    item.of  optional\n"
    )
    chunk = payments(amount=[100, 200, 300], account=["1", "2", "3"])
    chunk.columns["item.currency"] = ["CNY", "HKD", "A\tB"]
    chunk.columns["item.note"] = ["", "a", "b"]
    chunk.columns["item.of"] = ["x", "y", ""]
    document = written(codec, [chunk])
    assert (
        document.count(b'Ccy="CNY"') == document.count(b'Ccy="HKD"') == document.count(b'Ccy="A&#9;B"') == 1
    )
    assert [part.partition(b"</Pay>")[0] for part in document.split(b"</Acc>")[1:]] == [
        b"",
        b'<Note Of="y">a</Note>',
        b"<Note>b</Note>",
    ]
    columns, decoder = read(codec, document)
    assert decoder.problems == []
    assert columns["item.currency"] == ["CNY", "HKD", "A\tB"]
