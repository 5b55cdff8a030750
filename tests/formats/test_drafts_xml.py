"""Drafts of XML layouts: the paper's tree is taken, what repeats and what it means is marked as a guess."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formats.codec import Purpose
from formats.drafts.draft import Draft, DraftOrder, draft_layout
from formats.drafts.paper import Paper, PaperRow, PaperTable, read_paper
from formats.errors import LayoutError
from formats.language.layout import parse_layout
from formats.records import RecordChunk
from formats.registry import codec_of_text
from tests.formats.samples import decode, encode

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "town-bank-xml.csv"
PATHS = """name,path,type,required,remark
Message id,Document/CstmrCdtTrfInitn/GrpHdr/MsgId,Max35Text,M,
Number,Document/CstmrCdtTrfInitn/GrpHdr/NbOfTxs,Max15NumericText,M,
Method,Document/CstmrCdtTrfInitn/PmtInf/PmtMtd,Code,M,always TRF
Payer,Document/CstmrCdtTrfInitn/PmtInf/Dbtr/Nm,Max140Text,M,
Payer account,Document/CstmrCdtTrfInitn/PmtInf/DbtrAcct/Id/Othr/Id,Max34Text,M,
Reference,Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/PmtId/EndToEndId,Max35Text,M,
Amount,Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/Amt/InstdAmt,ActiveOrHistoricCurrencyAndAmount,M,
Currency,Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/Amt/InstdAmt/@Ccy,CurrencyCode,M,
Payee,Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/Cdtr/Nm,Max140Text,M,
Payee account,Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/CdtrAcct/Id/Othr/Id,Max34Text,M,
Purpose,Document/CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/RmtInf/Ustrd,Max140Text,O,
"""
LEVELS = """中文名,XML标签,层级,类型,长度,出现次数
报文,Rpt,1,,,1
批次,Btch,2,,,1..n
原报文号,OrgnlMsgId,3,字符,35,1
明细,Dtl,3,,,0..n
明细号,OrgnlTxId,4,字符,20,1
收款账号,CdtrAcct,4,字符,32,0..1
入账金额,TxAmt,4,金额,18,1
处理状态,TxSts,4,字符,4,1
"""


def drafted(text: str, folder: Path, **changes: Any) -> Draft:
    path = folder / "paper.csv"
    path.write_text(text, "utf-8")
    known: dict[str, Any] = {"name": "draft", "purpose": Purpose.REQUEST, "source": "a paper"}
    return draft_layout(read_paper(path), DraftOrder(**known | changes))


def table_of(draft: Draft) -> list[str]:
    """The lines of the table, blanks between columns made two, without remarks."""
    table = draft.text.partition("table = '''\n")[2].partition("'''")[0]
    return [re.sub(r"(?<=\S) {2,}", "  ", line).partition("  #")[0] for line in table.splitlines()]


def confirmed(draft: Draft, **answers: str) -> str:
    """What a person makes of it: marks away, what could not be guessed said."""
    text = re.sub(r"  # \? .*", "", draft.text)
    for question, answer in answers.items():
        assert question in text
        text = text.replace(question, answer)
    return text


def test_tags_behind_signs_keep_their_tree() -> None:
    draft = draft_layout(
        read_paper(EXAMPLE), DraftOrder(name="draft", purpose=Purpose.REQUEST, source="a paper")
    )
    assert 'namespaces = ["urn:town-bank:pay:2026"]' in draft.text
    assert 'framing = { encoding = "utf-8" }\n' in draft.text
    assert draft.questions == ()
    assert table_of(draft) == [
        "Document",
        "  BtchPay",
        "    GrpHdr",
        "      MsgId  text <=35  报文标识号  file.message_id",
        "      CreDtTm  datetime  报文时间  file.created_at",
        "      NbOfTxs  number  明细总笔数  = count(payment)",
        "      CtrlSum  yuan.2  明细总金额  = sum(payment.amount)",
        "    Pmt",
        '      Knd  text <=4  业务种类  "PAY1"',
        "      DbtrAcct  text <=32  付款人账号  agreement.payer_account",
        "      DbtrNm  text <=60  付款人名称  agreement.payer_name",
        "      Dtl  [payment 1..*]",
        "        TxId  text <=20  明细标识号  attempt.reference  key",
        "        CdtrNm  text <=60  收款人名称  payment.payee_name",
        "        CdtrAcct  text <=32  收款人账号  payment.account",
        "        Amt  yuan.2  金额  payment.amount",
        "        AddtlInf  text <=256  附言  payment.summary  optional",
    ]


def test_a_draft_loads_when_its_guesses_are_confirmed_and_no_sooner() -> None:
    draft = draft_layout(
        read_paper(EXAMPLE), DraftOrder(name="draft", purpose=Purpose.REQUEST, source="a paper")
    )
    with pytest.raises(LayoutError) as caught:
        parse_layout(draft.text, "draft")
    assert {problem.code for problem in caught.value.problems} == {"unconfirmed"}
    assert len(caught.value.problems) == draft.guesses == draft.text.count("# ? ")
    codec = codec_of_text(confirmed(draft), "draft")
    columns: dict[str, list[Any]] = {
        "payment.account": ["6231990000001208674", "90200015550000123456789"],
        "payment.payee_name": ["阿依古丽·买买提", "东䶮"],
        "payment.amount": [150_000, 50],
        "payment.summary": ["低保", ""],
    }
    raw = encode(codec, [RecordChunk(record="payment", count=2, columns=columns)])
    assert b'<Document xmlns="urn:town-bank:pay:2026"><BtchPay><GrpHdr><MsgId>' in raw.replace(b"\n", b"")
    read, facts, problems = decode(codec, raw)
    assert problems == []
    assert {name: read["payment"][name] for name in columns} == columns
    assert facts["declared"]["sum(payment.amount)"] == 150_050


def test_whole_paths_are_taken_apart_where_several_lines_stand_in_one_element(tmp_path: Path) -> None:
    draft = drafted(PATHS, tmp_path)
    assert table_of(draft) == [
        "Document",
        "  CstmrCdtTrfInitn",
        "    GrpHdr",
        "      MsgId  text <=35  Message id  file.message_id",
        "      NbOfTxs  number  Number  = count(payment)",
        "    PmtInf",
        '      PmtMtd  text <=35  Method  "TRF"',
        "      Dbtr/Nm  text <=140  Payer  agreement.payer_name",
        "      DbtrAcct/Id/Othr/Id  text <=34  Payer account  agreement.payer_account",
        "      CdtTrfTxInf  [payment 1..*]",
        "        PmtId/EndToEndId  text <=35  Reference  attempt.reference  key",
        "        Amt",
        "          InstdAmt  yuan.2  Amount  payment.amount",
        "          InstdAmt/@Ccy  text 3  Currency  file.currency",
        "        Cdtr/Nm  text <=140  Payee  payment.payee_name",
        "        CdtrAcct/Id/Othr/Id  text <=34  Payee account  payment.account",
        "        RmtInf/Ustrd  text <=140  Purpose  payment.summary  optional",
    ]
    assert [question.partition(": ")[2] for question in draft.questions] == [
        "which element is one payment? mark it [payment 1..*], and what is around it",
        "what is the namespace of its root element (xmlns)?",
    ]
    assert codec_of_text(confirmed(draft, **{"???": "urn:x"}), "draft").columns("payment")


def test_an_answer_has_levels_echoes_and_what_repeats_around_the_payment(tmp_path: Path) -> None:
    draft = drafted(LEVELS, tmp_path, purpose=Purpose.RESULT, answers="draft-request")
    assert table_of(draft) == [
        "Rpt",
        "  Btch  [group 1..*]",
        "    OrgnlMsgId  text <=35  原报文号  file.original_message_id",
        "    Dtl  [payment 1..*]",
        "      OrgnlTxId  text <=20  明细号  attempt.reference  key",
        "      CdtrAcct  text <=32  收款账号  <payment.account  optional",
        "      TxAmt  ???  入账金额  outcome.amount",
        "      TxSts  text <=4  处理状态  outcome.code",
    ]
    assert any("money.2 (fen, no point written) or yuan.2" in question for question in draft.questions)
    assert "[codes.outcome]" in draft.text


@pytest.mark.parametrize(
    ("type_name", "remark", "kind"),
    [
        ("ActiveCurrencyAndAmount", "", "yuan.2"),
        ("ActiveCurrencyAndAmount", "单位：分", "???"),
        ("Amount", "", "???"),
        ("Amount", "单位：分", "money.2"),
        ("DecimalNumber", "无小数点", "???"),
    ],
)
def test_an_amounts_type_says_yuan_where_no_word_contradicts(
    type_name: str, remark: str, kind: str, tmp_path: Path
) -> None:
    text = f"name,tag,type,remark\n报文,Doc,,\n金额,+TxAmt,{type_name},{remark}\n"
    draft = drafted(text, tmp_path, syntax="xml")
    assert [line.split()[1] for line in table_of(draft) if "TxAmt" in line] == [kind]
    assert bool([one for one in draft.questions if "money.2" in one]) is (kind == "???")


@pytest.mark.parametrize(
    "tags",
    [
        ["Doc", "  Head", "    Id", "    No"],
        ["<Doc>", "-<Head>", "--<Id>", "--<No>"],
        ["Doc", "└Head", "└─Id", "├─No"],
        ["/Doc", "/Doc/Head", "/Doc/Head/Id", "/Doc/Head/No"],
        ["p:Doc", ">p:Head", ">>p:Id", ">>p:No"],
    ],
)
def test_signs_before_a_tag_show_how_deep_it_is(tags: list[str], tmp_path: Path) -> None:
    text = "name,tag,type\n" + "".join(f"n{place},{tag},Max35Text\n" for place, tag in enumerate(tags))
    lines = [line.split("  text")[0] for line in table_of(drafted(text, tmp_path, syntax="xml"))]
    assert lines == ["Doc", "  Head", "    Id", "    No"]


def test_a_paper_of_fixed_records_with_a_column_of_tags_is_none_of_xml(tmp_path: Path) -> None:
    draft = drafted("name,tag,type,length\nAccount,ACC,C,20\nAmount,AMT,C,12\n", tmp_path)
    assert 'syntax  = "fixed"' in draft.text


ROWS = st.builds(
    lambda name, tag, level, kind, occurs, remark: PaperRow(
        place="row 1", name=name, tag=tag, level=level, type=kind, occurs=occurs, remark=remark
    ),
    st.sampled_from(["账号", "金额", "x", "'''", "#", '"']),
    st.text("<>/+ @:aB\"'#=\\é", max_size=8)
    | st.sampled_from(["<Doc>", "+<Acct>", "++<Amt>", "Doc/Acct/Amt"]),
    st.sampled_from(["", "1", "2", "3", "x"]),
    st.sampled_from(["Max35Text", "ISODate", "C(20)", "", "金额"]),
    st.sampled_from(["", "[1..1]", "0..n", "1..*", "[", "0"]),
    st.text(st.characters(codec="utf-8"), max_size=12),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(ROWS, min_size=1, max_size=8))
def test_no_paper_makes_a_layout_that_loads_by_itself(rows: list[PaperRow]) -> None:
    draft = draft_layout(
        Paper((PaperTable("t", tuple(rows)),), ("words",)),
        DraftOrder(name="draft", purpose=Purpose.REQUEST, source="s", syntax="xml"),
    )
    with pytest.raises(LayoutError):
        parse_layout(draft.text, "draft")
