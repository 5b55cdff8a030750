"""Drafts from papers: what is said is taken, what is guessed is marked, what money hangs on is asked."""

from __future__ import annotations

import csv
import io
import re
import tempfile
import tomllib
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from formats.codec import Purpose
from formats.drafts.codes import propose_codes
from formats.drafts.draft import Draft, DraftOrder, draft_layout
from formats.drafts.kinds import guess_kind
from formats.drafts.meanings import Part, guess_constant, guess_meaning, guess_part
from formats.drafts.paper import Paper, PaperRow, PaperTable, plain, read_paper
from formats.errors import LayoutError
from formats.language.layout import parse_layout
from formats.reasons import Reason, Status
from formats.registry import codec_of_text
from tests.docs.paper import PAPER, SAMPLES, paper_bytes, sample_files
from tests.formats.samples import ACCOUNT_ONE, decode, encode, request_chunk

FEN = "money.2"
YUAN = "yuan.2"


def row(name: str = "字段", **said: str) -> PaperRow:
    return PaperRow(place="row 1", name=name, **{key: plain(value) for key, value in said.items()})


# Kinds and widths.


@pytest.mark.parametrize(
    ("kind", "length", "wanted"),
    [
        ("C(20)", "", ("text", 20)),
        ("CHAR(20)", "20", ("text", 20)),
        ("VARCHAR2(60)", "", ("text", 60)),
        ("X(8)", "", ("text", 8)),
        ("an..35", "", ("text", 35)),
        ("字符型", "２３", ("text", 23)),
        ("字符", "23字节", ("text", 23)),
        ("String", "≤ 40", ("text", 40)),
        ("9(8)", "", ("number", 8)),
        ("N(10)", "", ("number", 10)),
        ("数字", "6", ("number", 6)),
        ("NUMBER", "6", ("number", 6)),
        ("日期", "8", ("date YYYYMMDD", 8)),
        ("D", "10", ("date YYYY-MM-DD", 10)),
        ("DATE", "6", ("date YYMMDD", 6)),
        ("YYYYMMDD", "", ("date YYYYMMDD", 8)),
        ("T", "6", ("time HHMMSS", 6)),
        ("DT", "14", ("datetime YYYYMMDDHHMMSS", 14)),
        ("C", "14", ("text", 14)),
    ],
)
def test_types_and_lengths_as_papers_write_them(kind: str, length: str, wanted: tuple[str, int]) -> None:
    guess = guess_kind(row(type=kind, length=length))
    assert (guess.kind, guess.width_bytes) == wanted


@pytest.mark.parametrize(
    ("kind", "remark", "wanted", "width"),
    [
        ("9(13)V99", "", FEN, 15),
        ("9(13)V9(2)", "", FEN, 15),
        ("9(13).99", "", YUAN, 16),
        ("N(16,2)", "以分为单位", FEN, 16),
        ("N(16,2)", "单位：分", FEN, 16),
        ("N(16,2)", "单位：元，保留两位小数", YUAN, 16),
        ("C(16)", "以元为单位,含小数点", YUAN, 16),
        ("N(16,2)", "不含小数点", FEN, 16),
        ("N(16,2)", "如 1234.50", YUAN, 16),
        ("N(16,2)", "不得带小数点", FEN, 16),
        ("N(16)", "隐含两位小数", FEN, 16),
        ("N(16,2)", "amount in cents, implied decimal point", FEN, 16),
    ],
)
def test_an_amount_is_fen_or_yuan_where_words_say_so(
    kind: str, remark: str, wanted: str, width: int | None
) -> None:
    guess = guess_kind(row("交易金额", type=kind, remark=remark))
    assert (guess.kind, guess.width_bytes) == (wanted, width)
    assert "kind" in guess.guessed


@pytest.mark.parametrize(
    ("kind", "remark"),
    [
        ("N(16,2)", ""),
        ("金额", ""),
        ("NUMBER(16,2)", "必须大于0"),
        ("N(16)", "单位：元"),
        ("N(16,2)", "以分为单位,含小数点"),
        ("N(16)", "单位:元,以分为单位"),
        ("9(13)V99", "以元为单位,两位小数"),
        ("C(16)", "实发金额"),
        ("金额", "不含小数点"),
        ("N(12)", "以元为单位的整数，无小数点"),
        ("N(12)", "整数，单位：元，不含小数点"),
        ("N(16,2)", "单位：元，不含小数点"),
        ("N(16,2)", "单位：万元，含小数点"),
        ("N(12)", "单位：角，无小数点"),
        ("N(16,4)", "含小数点"),
        ("9(13)V9", "以元为单位"),
        ("9(13)V9", ""),
        ("N(16,2)", "见附录3.12"),
        ("N(16,2)", "人民币元,不含小数点"),
        ("N(16)", "不得带小数点"),
        ("N(16)", "小数点省略"),
        ("N(16)", "do not write a decimal point"),
        ("N(16,2)", "精确到两位小数,小数点不写"),
    ],
)
def test_else_it_is_not_guessed_but_asked(kind: str, remark: str) -> None:
    """A wrong guess would be wrong a hundredfold."""
    guess = guess_kind(row("金额", type=kind, remark=remark))
    assert guess.kind == "???"
    assert [question for question in guess.questions if "money.2" in question]


def test_whole_yuan_are_asked_by_name() -> None:
    for remark in ("以元为单位的整数,无小数点", "整数,不含小数点"):
        (question,) = guess_kind(row("金额", type="N(12)", remark=remark)).questions
        assert "whole yuan (yuan.0), fen without a point (money.2)" in question


def test_a_name_that_only_the_meaning_takes_for_an_amount_gets_no_kind_by_its_digits() -> None:
    rows = (row("发放款", other_name="PAY_AMOUNT", type="N", length="12"),)
    draft = draft_layout(Paper((PaperTable("明细", rows),), ()), order("town", syntax="fixed"))
    assert [line.split()[1] for line in draft.text.splitlines() if "发放款  " in line] == ["???"]
    assert [question for question in draft.questions if "发放款" in question and "money.2" in question]
    total = (row("Total", type="N", length="12"), row("Id", type="C", length="2"))
    draft = draft_layout(
        Paper((PaperTable("header", total), PaperTable("detail", rows)), ()), order("town", syntax="fixed")
    )
    assert [line.split()[1] for line in draft.text.splitlines() if " Total  " in line] == ["???"]
    assert [question for question in draft.questions if "Total" in question and "money.2" in question]


@pytest.mark.parametrize(
    ("remark", "suffix"),
    [("右对齐,左补零", ">0"), ("左补0", ">0"), ("右对齐", ">"), ("左补空格", ">"), ("", ">")],
)
def test_padding_of_numbers(remark: str, suffix: str) -> None:
    guess = guess_kind(row(type="9(8)", remark=remark))
    assert guess.place_suffix == suffix
    assert ("padding" in guess.guessed) is (remark == "")


def test_what_contradicts_itself_or_is_missing_is_asked() -> None:
    assert "its length is 20 here and 18 in its type" in guess_kind(row(type="C(18)", length="20")).questions
    assert "how long is it?" in guess_kind(row(type="C")).questions
    assert "in bytes or in characters?" in guess_kind(row(type="C", length="30个汉字")).questions[0]
    assert "in what pattern is it written?" in guess_kind(row(type="日期", length="9")).questions


# Meanings and codes.


@pytest.mark.parametrize(
    ("name", "request_meaning", "result_meaning"),
    [
        ("收款账号", "payment.account", "<payment.account"),
        ("户名", "payment.payee_name", "<payment.payee_name"),
        ("金额", "payment.amount", "outcome.amount"),
        ("客户流水号", "attempt.reference  key", "attempt.reference  key"),
        ("序号", "= number  key", "attempt.item  key"),
        ("付款账号", "agreement.payer_account", "agreement.payer_account"),
        ("摘要", "payment.summary", "<payment.summary"),
        ("返回码", "blank", "outcome.code"),
        ("失败代码", "blank", "outcome.code"),
        ("失败原因", "blank", "outcome.bank_text"),
        ("手续费", "blank", "fee.amount"),
        ("备用", "blank", "blank"),
        ("身份证号码", "payment.beneficiary_id", "<payment.beneficiary_id"),
        ("Account No", "payment.account", "<payment.account"),
        ("神秘字段", "???", "???"),
        ("收款人账(卡)号", "payment.account", "<payment.account"),
        ("收款人（户名）", "payment.payee_name", "<payment.payee_name"),
    ],
)
def test_meanings_by_names(name: str, request_meaning: str, result_meaning: str) -> None:
    assert guess_meaning(row(name), Part.PAYMENT, Purpose.REQUEST) == request_meaning
    assert guess_meaning(row(name), Part.PAYMENT, Purpose.RESULT) == result_meaning


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("总笔数", "= count(payment)"),
        ("总金额", "= sum(outcome.amount)"),
        ("成功笔数", "= count(payment where status in credited)"),
        ("失败金额", "= sum(outcome.amount where status not in credited)"),
        ("交易日期", "file.bank_day"),
        ("原文件名", "file.original_name"),
    ],
)
def test_totals_of_a_header(name: str, wanted: str) -> None:
    assert guess_meaning(row(name), Part.HEADER, Purpose.RESULT) == wanted


@pytest.mark.parametrize(
    ("remark", "wanted"),
    [
        ("固定“2”", "2"),
        ("固定值：2", "2"),
        ("填2", "2"),
        ("1-文件头;2-明细", "2"),
        ("1：汇总，2：明细", "2"),
        ("2", "2"),
        ("为“2”", "2"),
        ("固定值 A", "A"),
        ("fixed 2", "2"),
        ("固定填写2", "2"),
        ("默认为空", ""),
        ("固定19位", ""),
        ("fixed length 19", ""),
    ],
)
def test_the_mark_of_a_record(remark: str, wanted: str) -> None:
    assert guess_constant(row("记录标志", remark=remark), Part.PAYMENT) == wanted


@pytest.mark.parametrize(
    ("name", "remark"),
    [
        ("业务种类", "长度为19位"),
        ("业务种类", "最大为50000"),
        ("业务种类", "为空填0"),
        ("卡号", "卡号长度为19位"),
        ("户名", "不足右补空格，为空填0"),
        ("户名", "填0"),
        ("金额", "固定为0"),
        ("金额", "单位：元，带2位小数，最大为50000"),
    ],
)
def test_no_remark_about_a_length_or_a_limit_is_a_constant(name: str, remark: str) -> None:
    assert guess_constant(row(name, remark=remark), Part.PAYMENT) == ""


@pytest.mark.parametrize(
    "remark",
    [
        "0-成功;1-账号不存在;2-处理中",
        "0：成功，1：账号不存在，2：处理中",
        "0成功 1账号不存在 2处理中",
        "0 成功 1 账号不存在 2 处理中",
        "0=成功、1=账号不存在、2=处理中".replace("、", ";"),
        "“0”-成功; “1”-账号不存在; “2”-处理中",
        "0-success; 1-account not found; 2-processing",
    ],
)
def test_codes_that_a_remark_lists(remark: str) -> None:
    found = propose_codes([row("返回码", remark=remark)])
    assert [(one.code, one.status, one.reason) for one in found] == [
        ("0", Status.CREDITED.value, ""),
        ("1", Status.FAILED.value, Reason.ACCOUNT_NOT_FOUND.value),
        ("2", Status.UNKNOWN.value, Reason.IN_PROGRESS.value),
    ]


def test_a_code_that_is_no_success_or_says_nothing_is_not_called_one() -> None:
    found = propose_codes([row("返回码", remark="0-不成功;1-其它;2-重复提交;3-交易失败")])
    assert [(one.code, one.status, one.reason) for one in found] == [
        ("0", "failed", "???"),
        ("1", "???", "???"),
        ("2", "unknown", "DUPLICATE"),
        ("3", "failed", "???"),
    ]


PLAIN = [
    "成功",
    "交易成功",
    "处理成功",
    "入账成功",
    "发放成功",
    "Success",
    "successful",
    "paid",
    "Credited",
    "OK",
]
MIXED = [
    "部分成功",
    "冲正成功",
    "撤销成功",
    "扣款成功入账失败",
    "退款成功",
    "受理成功",
    "疑似成功",
    "未能成功",
    "户名不符已入账",
    "非本人账户",
    "无效账户状态",
    "无法入账",
    "冲正成功,户名不符",
    "扣款成功",
]
MIXED += [
    "Authorization revoked",
    "Invalid token",
    "Booking failed",
    "accepted",
    "connection lost",
    "partly paid",
]


@pytest.mark.parametrize("words", PLAIN)
def test_a_plain_success_may_be_one(words: str) -> None:
    (found,) = propose_codes([row("返回码", remark=f"0000-{words}")])
    assert (found.status, found.reason) == ("credited", "")


@pytest.mark.parametrize("words", MIXED)
def test_what_says_two_things_is_nothing(words: str) -> None:
    """A wrong "credited" hides a failure, a wrong "failed" is paid twice: the reason is for a person."""
    (found,) = propose_codes([row("返回码", remark=f"07-{words}")])
    assert found.words == f"{words} (返回码)"
    assert found.status in ("failed", "???")
    assert found.reason == "???"
    said = any(sign in words for sign in ("成功", "已入账", "paid"))
    assert not said or found.status == "???" or words == "未能成功"


@pytest.mark.parametrize(
    ("words", "status", "reason"),
    [
        ("accepted for processing", "unknown", "IN_PROGRESS"),
        ("成功后退汇", "returned", "RETURNED"),
        ("退汇失败", "???", "???"),
        ("户名不符", "failed", "NAME_MISMATCH"),
        ("账户余额不足", "failed", "PAYER_FUNDS"),
        ("账号不存在或户名不符", "failed", "???"),
        ("户名不符,待核实", "???", "???"),
        ("成功,但未入账", "???", "???"),
        ("成功,入账待查", "???", "???"),
    ],
)
def test_words_beside_a_success_or_a_failure_count(words: str, status: str, reason: str) -> None:
    found = propose_codes([row("返回码", remark=f"07-{words};99-其它")])
    assert [(one.code, one.status, one.reason) for one in found] == [
        ("07", status, reason),
        ("99", "???", "???"),
    ]


def answer_with_two_lists(header: str, payment: str) -> Paper:
    """A header and payments that list codes of their own."""
    payments = (
        row("流水号", type="C", length="20"),
        row("账号", type="C", length="32"),
        row("金额", type="N(16,2)", remark="单位：分"),
        row("处理结果", type="C", length="1", remark=payment),
    )
    head = (row("处理状态", type="C", length="1", remark=header),)
    return Paper((PaperTable("文件头", head), PaperTable("明细", payments)), ())


def test_codes_of_the_header_are_none_of_payments() -> None:
    paper = answer_with_two_lists("0-成功;1-处理中", "0-账号不存在;1-成功")
    draft = draft_layout(paper, order("town", Purpose.RESULT, delimiter="|"))
    outcome = [line.split() for line in draft.text.splitlines() if line.startswith("#? ")]
    assert outcome == [
        ["#?", "0", "failed", "ACCOUNT_NOT_FOUND", "#", "paper:", "账号不存在", "(处理结果)"],
        ["#?", "1", "credited", "#", "paper:", "成功", "(处理结果)"],
        ["#?", "0", "???", "???", "#", "paper:", "成功", "(处理状态)"],
        ["#?", "1", "???", "???", "#", "paper:", "处理中", "(处理状态)"],
    ]
    assert draft.text.index("[codes.outcome]") < draft.text.index("[codes.file]")
    assert [" ".join(line.split()) for line in draft.codes.splitlines()] == [
        "[outcome]",
        "0 账号不存在 (处理结果)",
        "1 成功 (处理结果)",
        "",
        "[file]",
        "0 成功 (处理状态)",
        "1 处理中 (处理状态)",
    ]
    taken = order("town", Purpose.ACKNOWLEDGEMENT, delimiter="|")
    assert draft_layout(paper, taken).codes == "[file]\n0  成功 (处理状态)\n1  处理中 (处理状态)\n"


def test_of_a_code_that_two_fields_tell_differently_nothing_is_proposed() -> None:
    fields = [row("处理状态", remark="0-成功;1-失败"), row("错误码", remark="0-账号不存在;2-户名不符")]
    assert [(one.code, one.words, one.status) for one in propose_codes(fields)] == [
        ("0", "成功 (处理状态); 账号不存在 (错误码)", "???"),
        ("1", "失败 (处理状态)", "failed"),
        ("2", "户名不符 (错误码)", "failed"),
    ]


@pytest.mark.parametrize(
    ("title", "part"),
    [
        ("Detail", Part.PAYMENT),
        ("Tail", Part.TRAILER),
        ("File header", Part.HEADER),
        ("Trailer", Part.TRAILER),
    ],
)
def test_a_title_is_read_by_words(title: str, part: Part) -> None:
    assert guess_part(PaperTable(title, (row("x"),)), 1, 3) is part


# Papers.

MESSY = """镇银行代发接口,,,,
,,,,
编码：ＧＢＫ　分隔符为“|”,,,,
明细,,,,
"序 号",字 段 名 称,类型（长度）,是否必填,备　注
1,收款
账号,C(23),是,
２,户名,字符(40),必输,
3,金额,"N(16,2)",M,单位：分
4,,,,右对齐
5,附言,C(20),否,可为空
"""


def test_a_messy_table_is_read(tmp_path: Path) -> None:
    """Full-width digits, blanks in headings, a line feed in a name, a remark that goes on, GB 18030."""
    text = MESSY.replace("1,收款\n账号", '1,"收款\n账号"')
    for encoding in ("utf-8-sig", "gb18030"):
        path = tmp_path / f"{encoding}.csv"
        path.write_text(text, encoding)
        paper = read_paper(path)
        (table,) = paper.tables
        assert table.title == "明细"
        assert [one.name for one in table.rows] == ["收款 账号", "户名", "金额", "附言"]
        assert table.rows[2].remark == "单位:分 4 右对齐"
        assert any("GBK 分隔符为“|”" in one for one in paper.texts)
    text = draft_layout(paper, order("town")).text
    assert 'encoding = "gbk", eol = "lf", delimiter = "|"' in text
    assert "-  text <=23  收款 账号  payment.account" in text


def order(bank: str, purpose: Purpose = Purpose.REQUEST, **said: str) -> DraftOrder:
    answers = f"{bank}-request" if purpose is Purpose.RESULT else ""
    name = f"{bank}-{purpose.value}"
    return DraftOrder(name=name, purpose=purpose, source="paper", answers=answers, **said)


def test_english_headings_two_name_columns_and_semicolons(tmp_path: Path) -> None:
    path = tmp_path / "paper.csv"
    headings = "No.;Field;字段名称;Data Type;Len.;M/O;Remarks\n"
    path.write_text(f"{headings}1;ACCT_NO;账号;AN;20;M;\n2;AMT;金额;N;12;M;in cents\n", "utf-8")
    (table,) = read_paper(path).tables
    assert [(one.name, one.other_name, one.length) for one in table.rows] == [
        ("账号", "ACCT_NO", "20"),
        ("金额", "AMT", "12"),
    ]


def test_the_delimiter_is_the_one_that_divides_the_headings(tmp_path: Path) -> None:
    """Remarks that list codes have more `;` than the table has commas."""
    path = tmp_path / "paper.csv"
    listed = ";".join(f"{code:02}-原因" for code in range(60))
    path.write_text(f"name,type,length,remark\n返回码,C,4,{listed}\n", "utf-8")
    (table,) = read_paper(path).tables
    assert (table.rows[0].length, len(table.rows[0].remark.split(";"))) == ("4", 60)


def test_merged_cells_of_a_workbook_hold_for_all_their_rows(tmp_path: Path) -> None:
    path = tmp_path / "paper.xlsx"
    workbook = xlsxwriter.Workbook(path)
    sheet = workbook.add_worksheet("明细")
    for column, heading in enumerate(("字段", "长度", "类型", "备注")):
        sheet.write(0, column, heading)
    sheet.write(1, 0, "账号")
    sheet.write(2, 0, "户名")
    sheet.merge_range("B2:B3", 40)
    sheet.merge_range("C2:C3", "字符")
    sheet.write(3, 0, "金额")
    sheet.write(3, 1, 16.2)
    sheet.write(3, 2, "N")
    sheet.write(3, 3, "含小数点")
    workbook.close()
    (table,) = read_paper(path).tables
    assert [(one.name, one.length, one.type) for one in table.rows] == [
        ("账号", "40", "字符"),
        ("户名", "40", "字符"),
        ("金额", "16.2", "N"),
    ]
    assert table.title == "明细"
    assert guess_kind(table.rows[2]).width_bytes == 16


def test_a_remark_beside_a_name_that_is_merged_downwards_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "paper.xlsx"
    workbook = xlsxwriter.Workbook(path)
    sheet = workbook.add_worksheet("明细")
    sheet.write_row(0, 0, ("序号", "字段", "类型", "长度", "是否必输(M/O)", "备注"))
    sheet.write_row(1, 2, ("C", "20", "O", "如:低保"))
    sheet.merge_range("B2:B3", "用途")
    sheet.write(2, 5, "不超过10个汉字")
    workbook.close()
    (table,) = read_paper(path).tables
    assert [(one.name, one.required, one.remark) for one in table.rows] == [
        ("用途", "O", "如:低保 不超过10个汉字")
    ]


def test_sheets_of_several_files_are_not_mixed(tmp_path: Path) -> None:
    with pytest.raises(LayoutError) as refused:
        read_paper(PAPER)
    (problem,) = refused.value.problems
    assert problem.message == "town-bank.xlsx: 2 sheets, 2 with tables"
    assert problem.hint == "choose with --sheet those of one file: 代发文件, 回盘文件"
    assert len(read_paper(PAPER, ["代发文件", "回盘文件"]).tables) == 4


@pytest.mark.parametrize(
    ("sentence", "asked"),
    [
        ("注:文件末尾另附签名块 {S:<base64>}", "where does the signature stand?"),
        ("文件采用SM4加密", "how is it encrypted?"),
        ("仅返回失败明细,未列明细即为成功", "what became of payments that are not listed?"),
        ("Only failed payments are listed", "what became of payments that are not listed?"),
        ("文件以gzip压缩", "how is it compressed?"),
    ],
)
def test_what_stands_outside_the_tables_is_asked(sentence: str, asked: str, tmp_path: Path) -> None:
    path = tmp_path / "paper.csv"
    path.write_text(
        f"明细,,,\n名称,长度,类型,说明\n户名,40,C,不签名\n\n{sentence.replace(',', '，')},,,\n", "utf-8"
    )
    draft = draft_layout(read_paper(path), order("town"))
    (question,) = [one for one in draft.questions if one.startswith("the paper: “")]
    assert asked in question
    assert f"# Ask: {question}"[:30] in draft.text


@pytest.mark.parametrize(
    ("sentence", "remark", "kind"),
    [
        ("金额单位均为元", "不含小数点", "???"),
        ("金额单位均为元", "含小数点", YUAN),
        ("金额单位：分", "", FEN),
        ("金额单位：分", "含小数点", "???"),
        ("本接口V2.35", "", "???"),
        ("", "不含小数点", FEN),
    ],
)
def test_what_a_paper_says_of_all_amounts_counts(
    sentence: str, remark: str, kind: str, tmp_path: Path
) -> None:
    path = tmp_path / "paper.csv"
    path.write_text(f'{sentence},,,\n名称,长度,类型,说明\n金额,16,"N(16,2)",{remark}\n', "utf-8")
    (line,) = [
        line
        for line in draft_layout(read_paper(path), order("town")).text.splitlines()
        if "payment.amount" in line
    ]
    assert line.split()[1] == kind


def test_a_column_that_was_not_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "paper.csv"
    path.write_text("名称,长度,类型,是否必输(M/O),出处\n摘要,40,C,O,x\n", "utf-8")
    draft = draft_layout(read_paper(path), order("town"))
    assert [question for question in draft.questions if "column" in question] == [
        "the paper: what does its column 出处 say? it was not read"
    ]
    assert "payment.summary  optional" in draft.text


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"PK\x03\x04 not a workbook", b"\xff\xfe\x00" * 9])
def test_what_holds_no_table_is_refused_with_what_to_do(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "paper.csv"
    path.write_bytes(content)
    with pytest.raises(LayoutError) as refused:
        read_paper(path)
    (problem,) = refused.value.problems
    assert problem.hint


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [("XFD2", "cells beyond column CZ"), ("A20001", "more than 20000 rows"), ("DA1", "beyond")],
)
def test_a_cell_far_off_is_told_before_it_fills_the_memory(tmp_path: Path, cell: str, wanted: str) -> None:
    path = tmp_path / "paper.xlsx"
    workbook = xlsxwriter.Workbook(path)
    sheet = workbook.add_worksheet("明细")
    sheet.write("A1", "名称")
    sheet.write("B1", "长度")
    sheet.write(cell, "x")
    workbook.close()
    with pytest.raises(LayoutError, match=wanted):
        read_paper(path)


# Drafts.


def town(sheet: str, purpose: Purpose) -> Draft:
    return draft_layout(read_paper(PAPER, [sheet]), order("town-bank", purpose))


def confirmed(text: str) -> str:
    """What a person does who has compared every line, and agrees."""
    text = re.sub(r"# \? [^;\n]*; ", "# ", text)
    text = re.sub(r" *# \? .*", "", text)
    return re.sub(r"^#\? ", "", text, flags=re.MULTILINE)


def test_the_tutorials_paper_is_the_one_that_is_made_here() -> None:
    """Else run `python -m tests.docs.paper`."""
    assert PAPER.read_bytes() == paper_bytes()
    assert {
        path.relative_to(SAMPLES).as_posix(): path.read_bytes()
        for path in SAMPLES.rglob("*")
        if path.is_file()
    } == sample_files()


@pytest.mark.parametrize(
    ("sheet", "purpose", "guesses"), [("代发文件", Purpose.REQUEST, 13), ("回盘文件", Purpose.RESULT, 24)]
)
def test_a_draft_loads_when_every_guess_is_confirmed_and_not_before(
    sheet: str, purpose: Purpose, guesses: int
) -> None:
    draft = town(sheet, purpose)
    assert (draft.guesses, draft.questions) == (guesses, ())
    with pytest.raises(LayoutError) as refused:
        parse_layout(draft.text, "draft")
    told = [problem for problem in refused.value.problems if problem.code == "unconfirmed"]
    assert len(told) == draft.text.count("# ?")
    assert parse_layout(confirmed(draft.text), "draft").name == f"town-bank-{purpose.value}"


def test_one_guess_left_is_enough_to_refuse_it() -> None:
    text = confirmed(town("代发文件", Purpose.REQUEST).text)
    lines = text.splitlines()
    number = next(place for place, line in enumerate(lines) if "payment.account" in line)
    lines[number] += "  # ? meaning; 左对齐"
    with pytest.raises(LayoutError) as refused:
        parse_layout("\n".join(lines), "draft")
    (problem,) = refused.value.problems
    assert problem.message == f"draft line {number + 1}: a guess that nobody has confirmed: meaning"


def test_no_code_means_anything_before_a_person_says_so() -> None:
    text = town("回盘文件", Purpose.RESULT).text
    table = text.partition("[codes.outcome]")[2]
    in_force = [line for line in table.splitlines() if line and not line.startswith(("#", "'''", "table"))]
    assert in_force == ["*        unmapped"]
    assert "#? 0000  credited" in table
    only_lines = re.sub(r" *# \? .*", "", text)
    with pytest.raises(LayoutError, match=r"outcome\.code without a table"):
        parse_layout(only_lines, "draft")


def test_what_the_file_as_a_whole_is_guessed_to_be_is_marked_too() -> None:
    rows = (row("账号", type="C", length="20"), row("流水号", type="C", length="20"))
    draft = draft_layout(Paper((PaperTable("明细", rows),), ()), order("town"))
    lines = draft.text.splitlines()
    assert 'syntax  = "fixed"  # ? syntax' in lines
    assert 'framing = { encoding = "gb18030", eol = "lf" }  # ? encoding, eol' in lines
    assert "payment 1..*    # ? occurrence" in lines
    assert [question for question in draft.questions if "--syntax says it" in question]
    said = draft_layout(
        Paper((PaperTable("明细", rows),), ("定长,GBK,CRLF",)),
        order("town", syntax="delimited", delimiter="^"),
    )
    assert 'delimiter = "^", after_last = false }  # ? after_last' in said.text


def test_the_papers_codes_are_listed_for_the_kit_and_the_width_is_asserted() -> None:
    draft = town("回盘文件", Purpose.RESULT)
    assert draft.codes.splitlines()[:3] == ["[outcome]", "0000  成功 (返回码)", "3004  账号不存在 (返回码)"]
    assert "record_bytes = 155\n" in draft.text
    assert "record_bytes = 164\n" in draft.text
    assert town("代发文件", Purpose.REQUEST).codes == ""
    rows = (row("账号", type="C", length="20"), row("户名", type="C", length="40"))
    assert (
        "record_bytes = 60  # ? record_bytes\n"
        in draft_layout(Paper((PaperTable("明细", rows),), ()), order("town", syntax="fixed")).text
    )


def test_a_confirmed_draft_writes_and_reads_files() -> None:
    request = codec_of_text(confirmed(town("代发文件", Purpose.REQUEST).text), "request")
    raw = encode(request, [request_chunk()])
    header, first, _ = raw.split(b"\r\n", 2)
    assert (len(header), len(first)) == (100, 100)
    name = "阿依古丽·买买提".encode("gbk").ljust(40)
    assert first == b"200000000000700000001" + ACCOUNT_ONE.ljust(23).encode() + name + b"1500.00".rjust(16)
    columns, _, problems = decode(request, raw)
    assert problems == []
    assert columns["payment"]["payment.amount"] == [150_000, 50]


def test_a_start_of_the_paper_that_disagrees_is_asked() -> None:
    rows = (
        row("账号", type="C", length="20", start="1"),
        row("户名", type="C", length="40", start="22"),
        row("摘要", type="C", length="10", start="62"),
    )
    draft = draft_layout(Paper((PaperTable("明细", rows),), ()), order("town"))
    assert "户名 (row 1): the paper begins it at 22, the widths above at 21" in draft.questions
    assert [" ".join(line.split()) for line in draft.text.splitlines() if "摘要" in line] == [
        "10 text 摘要 payment.summary @62 # ? meaning"
    ]


def test_what_could_not_be_guessed_is_said_and_does_not_load() -> None:
    rows = (row("神秘字段", type="C", length="5"), row("金额", type="N(16,2)"))
    draft = draft_layout(Paper((PaperTable("明细", rows),), ()), order("town"))
    assert [question for question in draft.questions if "神秘字段" in question]
    assert [question for question in draft.questions if "money.2 (fen" in question]
    assert "payment: which field finds a payment again? none is the key" in draft.questions
    with pytest.raises(LayoutError) as refused:
        parse_layout(confirmed(draft.text), "draft")
    codes = {problem.code for problem in refused.value.problems}
    assert {"kind", "meaning"} <= codes


def test_what_only_follows_from_what_is_open_is_not_told_as_a_mistake() -> None:
    """Widths behind a field without one, and a payment without an amount: the question is told already."""
    rows = (
        row("账号", type="C", length="20", start="1"),
        row("户名", type="C", start="21"),
        row("金额", type="N(16,2)", start="61"),
    )
    text = confirmed(draft_layout(Paper((PaperTable("明细", rows),), ()), order("town")).text)
    with pytest.raises(LayoutError) as refused:
        parse_layout(text, "draft")
    lines = text.split("\n")
    assert all("???" in lines[(problem.line or 1) - 1] for problem in refused.value.problems)
    closed = re.sub(r"\?\?\?( +text)", r"41\1", re.sub(r"\?\?\?( +金额)", r"yuan.2\1", text))
    with pytest.raises(LayoutError) as refused:
        parse_layout(closed, "draft")
    assert "key-missing" in {problem.code for problem in refused.value.problems}


def test_a_name_ends_no_block_of_the_draft() -> None:
    rows = (row("户名'''\"#", type="C", length="20", remark="''' \"x\""),)
    text = draft_layout(Paper((PaperTable("明细", rows),), ()), order("town", syntax="fixed")).text
    (line,) = [line for line in text.splitlines() if "户" in line and not line.startswith("#")]
    assert " ".join(line.split()) == "20 text 户名’’’ payment.payee_name # ? meaning; ’’’ x"
    assert tomllib.loads(text)["layout"] == "town-request"


CELLS = st.text(
    st.sampled_from(
        "账号户名金额返回码 0123456789-;:()CNX9V.,'\"#\\\n\r\t|!=<>[]{}长度类型备注　￥\x00\u2028A"
    ),
    max_size=14,
)


def draft_of(rows: list[list[str]]) -> str:
    """The draft of a CSV with these rows."""
    stream = io.StringIO()
    csv.writer(stream).writerows([["名称", "长度", "类型", "备注"], *rows])
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        file.write(stream.getvalue().encode())
        file.flush()
        return draft_layout(read_paper(Path(file.name)), order("town")).text


@given(st.lists(st.lists(CELLS, min_size=1, max_size=7), min_size=1, max_size=8))
@settings(max_examples=150, deadline=None)
def test_any_cells_give_a_draft_that_is_refused_or_were_no_table(rows: list[list[str]]) -> None:
    """No text of a paper becomes anything but a title or a remark, and no draft loads by itself."""
    try:
        text = draft_of(rows)
    except LayoutError:
        return
    keys = {line.partition("=")[0].strip() for line in text.splitlines() if re.match(r"[a-z]+ +=", line)}
    assert keys == {"layout", "version", "purpose", "sources", "syntax", "framing", "structure", "table"}
    with pytest.raises(LayoutError):
        parse_layout(text, "draft")
