"""Reading XML layouts: columns, statuses on three levels, totals, what is not ours."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from msgspec.structs import replace

from formats import AcknowledgementVerdict, DecodeError, Reason, RecordChunk, Status
from formats.reference import make_references
from tests.formats.xml_support import (
    ACKNOWLEDGEMENT,
    IDENTITY,
    REQUEST,
    RESULT,
    group,
    payments,
    read,
    report,
    small_layout,
    transaction,
    written,
)

RARE = st.sampled_from(
    ["·", "𠮷", "\U00030edd", "䶮", "&", "<", ">", "]]>", '"', "'", "%s", "%", "\r", "\n", "\t", "&#13;"]
)
TEXT = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=20)
NAMES = st.builds("".join, st.lists(st.one_of(TEXT, RARE), min_size=1, max_size=6)).filter(
    lambda name: name != ""
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(NAMES, st.integers(0, 10**16), st.sampled_from(["", "102100099996"])),
        min_size=1,
        max_size=30,
    )
)
def test_what_was_written_is_read(rows: list[tuple[str, int, str]]) -> None:
    names, amounts, codes = map(list, zip(*rows, strict=True))
    chunk = payments(payee_name=names, amount=amounts, bank_code=codes, summary=names[::-1])
    columns, decoder = read(REQUEST, written(REQUEST, [chunk]))
    assert columns == {
        "attempt.reference": make_references(7, range(1, len(rows) + 1), 20),
        "payment.payee_name": names,
        "payment.amount": amounts,
        "payment.bank_code": codes,
        "payment.summary": names[::-1],
        "payment.account": chunk.columns["payment.account"],
    }
    assert decoder.problems == []
    assert decoder.facts["declared"] == {"count(payment)": len(rows), "sum(payment.amount)": sum(amounts)}


def test_a_file_longer_than_many_blocks_is_read_whole_and_in_order() -> None:
    chunks = [payments(amount=list(range(1, 1001)), summary=["x" * 100] * 1000) for _ in range(3)]
    columns, decoder = read(REQUEST, written(REQUEST, chunks))
    assert columns["payment.amount"] == [*range(1, 1001)] * 3
    assert decoder.problems == []


def test_results_come_back_with_everything_they_said() -> None:
    said: dict[str, list[Any]] = {
        "attempt.reference": make_references(7, [1, 2], 20),
        "outcome.code": ["ACSC", "RJCT/AC01+AM05+HOUSE"],
        "outcome.bank_text": ["", "户名不符:张三"],
        "outcome.amount": [9950, None],
        "outcome.serial": ["S1", ""],
        "outcome.value_date": [date(2026, 11, 24), None],
        "fee.amount": [50, None],
        "fee.label": ["手续费", ""],
        "payment.account": ["6231990000001208674", ""],
        "payment.payee_name": ["阿依古丽·买买提", "𠮷"],
    }
    chunk = RecordChunk(record="payment", count=2, columns=said, lines=range(1, 3))
    columns, decoder = read(RESULT, written(RESULT, [chunk]))
    assert columns == {
        **said,
        "fee.bearer": ["", ""],
        "outcome.status": [Status.CREDITED, Status.UNKNOWN],
        "outcome.reason": [Reason.NONE, Reason.DUPLICATE],
    }
    assert (decoder.problems, decoder.facts["file.original_message_id"]) == ([], "OUR7")


RSN = "<StsRsnInf><Rsn><Cd>{}</Cd></Rsn></StsRsnInf>"


@pytest.mark.parametrize(
    ("above", "between", "own", "code", "status", "reason"),
    [
        ("", "", "<TxSts>ACSC</TxSts>", "ACSC", Status.CREDITED, Reason.NONE),
        ("", "", "<TxSts>ACCC</TxSts>", "ACCC", Status.CREDITED, Reason.NONE),
        *[
            ("", "", f"<TxSts>{code}</TxSts>", code, Status.UNKNOWN, Reason.IN_PROGRESS)
            for code in ("ACCP", "ACSP", "ACTC", "PDNG", "RCVD", "PART")
        ],
        *[
            (f"<GrpSts>{code}</GrpSts>", "", "", code, Status.UNKNOWN, Reason.IN_PROGRESS)
            for code in ("ACCP", "ACSP", "ACTC", "PDNG", "RCVD", "PART")
        ],
        ("<GrpSts>RJCT</GrpSts>", "", "<TxSts>ACSC</TxSts>", "ACSC", Status.CREDITED, Reason.NONE),
        (
            "<GrpSts>ACSC</GrpSts>",
            "<PmtInfSts>PDNG</PmtInfSts>",
            "",
            "PDNG",
            Status.UNKNOWN,
            Reason.IN_PROGRESS,
        ),
        (
            f"<GrpSts>RJCT</GrpSts>{RSN.format('AM04')}",
            "",
            "",
            "RJCT/AM04",
            Status.FAILED,
            Reason.PAYER_FUNDS,
        ),
        (
            "",
            f"<PmtInfSts>RJCT</PmtInfSts>{RSN.format('AM04')}",
            RSN.format("AC01"),
            "RJCT/AC01",
            Status.FAILED,
            Reason.ACCOUNT_NOT_FOUND,
        ),
        (
            "",
            f"<PmtInfSts>RJCT</PmtInfSts>{RSN.format('AM04')}",
            "<TxSts>RJCT</TxSts>",
            "RJCT",
            Status.UNKNOWN,
            Reason.UNMAPPED,
        ),
        ("", "", f"<TxSts>RJCT</TxSts>{RSN.format('NARR')}", "RJCT/NARR", Status.UNKNOWN, Reason.UNMAPPED),
        ("", "", f"<TxSts>RJCT</TxSts>{RSN.format('AM05')}", "RJCT/AM05", Status.UNKNOWN, Reason.DUPLICATE),
        ("", "", f"<TxSts>ACSC</TxSts>{RSN.format('AC01')}", "ACSC/AC01", Status.UNKNOWN, Reason.UNMAPPED),
        ("", "", f"<TxSts>ACSP</TxSts>{RSN.format('NARR')}", "ACSP/NARR", Status.UNKNOWN, Reason.IN_PROGRESS),
        ("", "", "<TxSts>FRSH</TxSts>", "FRSH", Status.UNKNOWN, Reason.UNMAPPED),
        ("", "", "", "", Status.UNKNOWN, Reason.UNMAPPED),
        (
            "",
            "",
            f"<TxSts>RJCT</TxSts>{RSN.format('AC04')}{RSN.format('NARR')}",
            "RJCT/AC04+NARR",
            Status.FAILED,
            Reason.ACCOUNT_CLOSED,
        ),
        (
            "",
            "",
            f"<TxSts>RJCT</TxSts>{RSN.format('AC01')}{RSN.format('DU04')}",
            "RJCT/AC01+DU04",
            Status.UNKNOWN,
            Reason.DUPLICATE,
        ),
    ],
)
def test_the_most_specific_status_wins(
    above: str, between: str, own: str, code: str, status: Status, reason: Reason
) -> None:
    columns, _ = read(RESULT, report(group(transaction(1, own), between), above))
    found = columns["outcome.code"], columns["outcome.status"], columns["outcome.reason"]
    assert found == ([code], [status], [reason])


@pytest.mark.parametrize("codec", [ACKNOWLEDGEMENT, RESULT], ids=["acknowledgement", "result"])
@pytest.mark.parametrize(
    ("code", "verdict", "reason"),
    [
        ("RJCT/FF01", AcknowledgementVerdict.REJECTED, Reason.BATCH_REJECTED),
        ("RJCT/DU01", AcknowledgementVerdict.DUPLICATE, Reason.DUPLICATE),
        ("RJCT/FF01+DU01", AcknowledgementVerdict.DUPLICATE, Reason.DUPLICATE),
        ("RJCT/NARR", AcknowledgementVerdict.UNMAPPED, Reason.UNMAPPED),
        ("RJCT", AcknowledgementVerdict.UNMAPPED, Reason.UNMAPPED),
        ("ACTC", AcknowledgementVerdict.ACCEPTED, Reason.NONE),
        ("PDNG", AcknowledgementVerdict.IN_PROGRESS, Reason.IN_PROGRESS),
    ],
)
@pytest.mark.parametrize("level", ["file", "group"])
def test_a_status_without_records_is_of_the_file(
    codec: Any, code: str, verdict: AcknowledgementVerdict, reason: Reason, level: str
) -> None:
    status, _, reasons = code.partition("/")
    said = "".join(RSN.format(each) for each in reasons.split("+") if each)
    if level == "file":
        document = report("", f"<GrpSts>{status}</GrpSts>{said}")
    else:
        document = report(group("", f"<PmtInfSts>{status}</PmtInfSts>{said}"))
    columns, decoder = read(codec, document)
    assert columns == {}
    names = ("file.code", "file.verdict", "file.reason", "file.level")
    assert [decoder.facts[name] for name in names] == [code, verdict, reason, level]


def test_a_list_of_records_is_told_from_a_status_of_the_file() -> None:
    _, decoder = read(RESULT, report(group(transaction(1, "<TxSts>ACSC</TxSts>")), "<GrpSts>PART</GrpSts>"))
    assert (decoder.facts["file.code"], decoder.facts["file.level"]) == ("PART", "payment")


def test_groups_without_records_that_disagree_are_for_a_person() -> None:
    groups = group("", "<PmtInfSts>RJCT</PmtInfSts>") + group("", "<PmtInfSts>ACTC</PmtInfSts>")
    _, decoder = read(RESULT, report(groups, "<GrpSts>PART</GrpSts>"))
    assert [problem.code for problem in decoder.problems] == ["groups-differ"]


def test_a_charge_is_a_fee_and_never_an_amount() -> None:
    charge = '<ChrgsInf><Amt Ccy="CNY">{}</Amt><Agt><FinInstnId/></Agt></ChrgsInf>'
    bearer = "<OrgnlTxRef><ChrgBr>SHAR</ChrgBr></OrgnlTxRef>"
    first = transaction(1, "<TxSts>ACSC</TxSts>" + charge.format("2.50") + charge.format("0.10") + bearer)
    columns, _ = read(RESULT, report(group(first + transaction(2, "<TxSts>ACSC</TxSts>"))))
    names = ("fee.amount", "fee.bearer", "outcome.amount")
    assert [columns[name] for name in names] == [[260, None], ["SHAR", ""], [None, None]]


@pytest.mark.parametrize(
    ("text", "minor"),
    [("12", 1200), ("12.3", 1230), ("12.30", 1230), (".5", 50), ("0007.", 700), (" 1.00\n", 100)],
)
def test_amounts_are_read_exactly(text: str, minor: int) -> None:
    amount = f'<TxSts>ACSC</TxSts><OrgnlTxRef><Amt><InstdAmt Ccy="CNY">{text}</InstdAmt></Amt></OrgnlTxRef>'
    columns, _ = read(RESULT, report(group(transaction(1, amount))))
    assert columns["outcome.amount"] == [minor]


@pytest.mark.parametrize(
    "text", ["12.301", "12.300", "1,234.50", "1e3", "-1.00", "十", "1" * 19, ".", "12.3.0"]
)
def test_what_is_no_amount_of_the_currency_is_refused_with_its_place(text: str) -> None:
    amount = f'<TxSts>ACSC</TxSts><OrgnlTxRef><Amt><InstdAmt Ccy="CNY">{text}</InstdAmt></Amt></OrgnlTxRef>'
    with pytest.raises(DecodeError) as caught:
        read(RESULT, report(group(transaction(1, "") + transaction(2, amount))))
    (problem,) = caught.value.problems
    assert (problem.code, problem.line, problem.column) == ("field-invalid", 2, "入账金额")


def test_the_settled_amount_goes_before_the_instructed_one() -> None:
    amounts = (
        '<IntrBkSttlmAmt Ccy="CNY">99.00</IntrBkSttlmAmt><Amt><InstdAmt Ccy="CNY">100.00</InstdAmt></Amt>'
    )
    columns, _ = read(RESULT, report(group(transaction(1, f"<OrgnlTxRef>{amounts}</OrgnlTxRef>"))))
    assert columns["outcome.amount"] == [9900]


def test_two_currencies_are_refused() -> None:
    amount = '<OrgnlTxRef><Amt><InstdAmt Ccy="{}">1.00</InstdAmt></Amt></OrgnlTxRef>'
    both = transaction(1, amount.format("CNY")) + transaction(2, amount.format("HKD"))
    with pytest.raises(DecodeError, match="two currencies"):
        read(RESULT, report(group(both)))


def test_declared_totals_that_differ_are_told_and_nothing_is_lost() -> None:
    document = written(REQUEST, [payments(amount=[100, 200])]).decode()
    changed = document.replace("<NbOfTxs>2<", "<NbOfTxs>3<", 1).replace("<CtrlSum>3.00<", "<CtrlSum>3.01<")
    columns, decoder = read(REQUEST, changed)
    assert columns["payment.amount"] == [100, 200]
    assert [(problem.code, problem.column) for problem in decoder.problems] == [
        ("total-differs", "金额"),
        ("total-differs", "总笔数"),
        ("total-differs", "总金额"),
    ]


def test_unknown_elements_comments_instructions_and_cdata_break_nothing() -> None:
    own = (
        "<!-- </TxInfAndSts> --><StsId>x</StsId><?p </TxInfAndSts>?><TxSts>AC<!-- c -->SC</TxSts>"
        "<New><TxSts>RJCT</TxSts><OrgnlEndToEndId>0</OrgnlEndToEndId></New>"
        "<OrgnlTxRef><Cdtr><Pty><Nm><![CDATA[A & </Nm> B]]>&#x20BB7;<?p q?>!</Nm></Pty></Cdtr></OrgnlTxRef>"
    )
    body = group(f"<!-- a -->{transaction(1, own)}<?b?><Other/>") + "<SplmtryData/><!-- end -->"
    columns, decoder = read(RESULT, f"{report(body)}<!-- after --><?after?>\n")
    found = [columns[name] for name in ("attempt.reference", "outcome.code", "payment.payee_name")]
    assert found == [["00000000000700000001"], ["ACSC"], ["A & </Nm> B𠮷!"]]
    assert decoder.problems == []


@pytest.mark.parametrize("version", ["03", "10", "14"])
def test_every_listed_namespace_is_read_with_or_without_prefix(version: str) -> None:
    namespace = f"urn:iso:std:iso:20022:tech:xsd:pain.002.001.{version}"
    plain = report(group(transaction(1, "<TxSts>ACSC</TxSts>")), namespace=namespace)
    tree = etree.fromstring(plain.encode())
    prefixed = etree.Element(tree.tag, nsmap={"p": namespace})
    prefixed.extend(list(tree))
    etree.cleanup_namespaces(prefixed)
    raw = etree.tostring(prefixed)
    assert b"<p:TxSts>" in raw
    assert read(RESULT, plain)[0] == read(RESULT, raw)[0]


def test_a_duplicate_element_is_refused_with_its_record() -> None:
    twice = transaction(2, "<TxSts>ACSC</TxSts><TxSts>RJCT</TxSts>")
    with pytest.raises(DecodeError, match="payment 2 状态: found 2 elements"):
        read(RESULT, report(group(transaction(1, "") + twice + transaction(3, ""))))


def test_a_record_without_its_key_is_for_a_person() -> None:
    nameless = "<TxInfAndSts><TxSts>ACSC</TxSts></TxInfAndSts>"
    columns, decoder = read(RESULT, report(group(transaction(1, "<TxSts>ACSC</TxSts>") + nameless)))
    assert columns["attempt.reference"] == ["00000000000700000001", ""]
    assert [(problem.code, problem.line, problem.column) for problem in decoder.problems] == [
        ("field-missing", 2, "明细号")
    ]


def test_an_answer_to_another_kind_of_message_is_for_a_person() -> None:
    document = report(group(transaction(1, ""))).replace("pain.001.001.09", "pain.008.001.02")
    _, decoder = read(RESULT, document)
    assert [problem.code for problem in decoder.problems] == ["constant-differs"]


def test_what_the_identity_says_is_checked() -> None:
    document = written(REQUEST, [payments(amount=[1])])
    other = replace(IDENTITY, currency="HKD", agreement={"payer_account": "999"})
    decoder = REQUEST.decode(io.BytesIO(document), other)
    assert sum(chunk.count for chunk in decoder) == 1
    assert [problem.column for problem in decoder.problems] == ["付款账号", ""]


def test_a_report_that_says_nothing_is_refused() -> None:
    with pytest.raises(DecodeError, match="neither a record nor a status"):
        read(RESULT, report(""))


def test_a_request_without_records_is_refused() -> None:
    document = written(REQUEST, [payments(amount=[1])]).decode()
    start, end = document.index("<CdtTrfTxInf>"), document.index("</PmtInf>")
    with pytest.raises(DecodeError, match="0 records, wanted at least 1"):
        read(REQUEST, document[:start] + document[end:])


STATUSES = st.sampled_from(["", "<TxSts>ACSC</TxSts>", "<TxSts>RJCT</TxSts>", "<TxSts> RJCT\n</TxSts>"])
REASONS = st.lists(st.sampled_from(["Cd>AC01<", "Cd>NARR<", "Prtry>HOUSE<", "Cd><"]), max_size=3)
NOISE = st.sampled_from(["", "<!-- x -->", "<Junk><TxSts>X</TxSts></Junk>", "\n  ", "<?pi?>"])


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(STATUSES, REASONS, NOISE, TEXT), max_size=25), st.integers(1, 400))
def test_columns_agree_with_a_plain_walk_of_the_tree(rows: list[Any], block: int) -> None:
    records = [
        transaction(
            item,
            f"{noise}{status}"
            + "".join(f"<StsRsnInf><Rsn><{r}/{r.split('>')[0]}></Rsn></StsRsnInf>" for r in reasons)
            + f"<AcctSvcrRef>{text.replace('&', '&amp;').replace('<', '&lt;')}</AcctSvcrRef>{noise}",
        )
        for item, (status, reasons, noise, text) in enumerate(rows, start=1)
    ]
    raw = report(group("".join(records)), "<GrpSts>PDNG</GrpSts>").encode()
    decoder = RESULT.decode(_Dribble(raw, block))
    columns: dict[str, list[Any]] = {}
    for chunk in decoder:
        for name, values in chunk.columns.items():
            columns.setdefault(name, []).extend(values)
    q = "{urn:iso:std:iso:20022:tech:xsd:pain.002.001.14}"
    wanted: dict[str, list[str]] = {"outcome.code": [], "outcome.serial": [], "attempt.reference": []}
    for element in etree.fromstring(raw).iter(f"{q}TxInfAndSts"):
        status = (element.findtext(f"{q}TxSts") or "").strip()
        reasons = [node.text for rsn in element.iterfind(f"{q}StsRsnInf/{q}Rsn") for node in rsn if node.text]
        wanted["outcome.code"].append("/".join(filter(None, [status or "PDNG", "+".join(reasons)])))
        wanted["outcome.serial"].append(element.findtext(f"{q}AcctSvcrRef") or "")
        wanted["attempt.reference"].append(element.findtext(f"{q}OrgnlEndToEndId"))
    assert {name: columns.get(name, []) for name in wanted} == wanted


class _Dribble(io.BytesIO):
    """Gives at most `block` bytes at a time."""

    def __init__(self, raw: bytes, block: int) -> None:
        super().__init__(raw)
        self._block = block

    def read(self, size: int | None = -1) -> bytes:
        return super().read(self._block)


def credited(charge: str, settled: str) -> str:
    """One credited payment with a charge and an amount, each with these attributes."""
    charges = "".join(f"<ChrgsInf><Amt{charge}>{amount}</Amt></ChrgsInf>" for amount in ("1.00", "2.00"))
    body = f"<TxSts>ACSC</TxSts>{charges}"
    amount = f"<OrgnlTxRef><IntrBkSttlmAmt{settled}>10.00</IntrBkSttlmAmt></OrgnlTxRef>"
    return report(group(transaction(1, body + amount)))


def test_charges_that_add_up_to_more_than_a_ledger_holds_are_refused() -> None:
    charge = '<ChrgsInf><Amt Ccy="CNY">9999999999999999.99</Amt></ChrgsInf>'
    with pytest.raises(DecodeError, match="a sum of at most 18 digits"):
        read(RESULT, report(group(transaction(1, f"<TxSts>ACSC</TxSts>{charge * 2}"))))
    whole = small_layout(
        "Doc\n  Rec  [payment 1..*]\n    Ref  text  ref  attempt.reference  key\n"
        "    Acct  text  account  payment.account\n    Amt  yuan.0  amount  payment.amount"
    )
    record = f"<Rec><Ref>{7:012d}{1:08d}</Ref><Acct>1</Acct><Amt>{10**17}</Amt></Rec>"
    with pytest.raises(DecodeError, match="at most 18 digits"):
        read(whole, f'<Doc xmlns="urn:small">{record}</Doc>')


@pytest.mark.parametrize(("charge", "settled"), [(' Ccy="USD"', ' Ccy="CNY"'), (' Ccy="CNY"', ' Ccy="USD"')])
def test_the_currency_of_no_amount_hides_behind_that_of_another(charge: str, settled: str) -> None:
    with pytest.raises(DecodeError, match="amounts in two currencies"):
        read(RESULT, credited(charge, settled))


def test_several_charges_in_one_currency_are_one_currency() -> None:
    columns, decoder = read(RESULT, credited(' Ccy="CNY"', ' Ccy="CNY"'))
    assert (columns["fee.amount"], decoder.facts["file.currency"], decoder.problems) == ([300], "CNY", [])


def test_an_amount_without_its_currency_is_for_a_person() -> None:
    _, decoder = read(RESULT, credited(' Ccy="CNY"', ""))
    assert [(problem.code, problem.column) for problem in decoder.problems] == [("field-missing", "币种")]


@pytest.mark.parametrize("instant", ["2026-11-23t10:00:00", "2026-11-23 10:00:00", "2026-11-23"])
def test_an_instant_has_a_t_between_date_and_time(instant: str) -> None:
    with pytest.raises(DecodeError):
        read(RESULT, credited("", "").replace("2026-11-23T10:00:00", instant))
