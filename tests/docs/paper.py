"""The paper of a bank that does not exist, for the tutorial: `python -m tests.docs.paper` writes it.

It is as papers are: titles in merged cells, types in four styles, full-width digits, a remark that goes on.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import xlsxwriter

PAPER = Path(__file__).parents[2] / "docs" / "examples" / "town-bank.xlsx"
SAMPLES = PAPER.with_name("town-bank-samples")

_HEADINGS = ("序号", "字段名称", "类 型", "长度", "起始位置", "是否必输", "备注")
_Row = tuple[str, str, str, str, str]
REQUEST_HEADER: list[_Row] = [
    ("记录标志", "C(1)", "1", "M", "固定“1”"),
    ("单位编号", "C", "14", "M", "由我行分配,左对齐"),
    ("交易日期", "日期", "8", "M", "YYYYMMDD"),
    ("付款账号", "C(23)", "２３", "M", "左对齐,右补空格"),
    ("总笔数", "9(8)", "8", "M", "右对齐,左补零"),
    ("总金额", "9(13)V99", "15", "M", "以分为单位,右对齐,左补零"),
    ("备用", "X(31)", "31", "O", "填空格"),
]
REQUEST_PAYMENT: list[_Row] = [
    ("记录标志", "C(1)", "1", "M", "固定“2”"),
    ("客户流水号", "C(20)", "20", "M", "同一单位内唯一"),
    ("收款账号", "字符", "23", "M", ""),
    ("收款户名", "字符", "40", "M", "按字节计,GBK编码"),
    ("金额", "N(16,2)", "16", "M", "以元为单位,含小数点,右对齐"),
]
RESULT_HEADER: list[_Row] = [
    *REQUEST_HEADER[:5],
    ("总金额", "9(13)V99", "15", "M", "以分为单位,右对齐,左补零"),
    ("成功笔数", "9(8)", "8", "M", "右对齐,左补零"),
    ("成功金额", "9(13)V99", "15", "M", "以分为单位,右对齐,左补零"),
    ("失败笔数", "9(8)", "8", "M", "右对齐,左补零"),
    ("失败金额", "9(13)V99", "15", "M", "以分为单位,右对齐,左补零"),
    ("原文件名", "C(40)", "40", "M", "代发文件的文件名"),
]
RESULT_PAYMENT: list[_Row] = [
    *REQUEST_PAYMENT,
    ("返回码", "C(4)", "4", "M", "0000-成功;3004-账号不存在;3031-户名不符;"),
    ("", "", "", "", "3017-账户冻结;3090-处理中"),
    ("返回信息", "C(60)", "60", "O", "失败原因"),
]


def paper_bytes() -> bytes:
    """The workbook; the same bytes each time."""
    stream = io.BytesIO()
    workbook = xlsxwriter.Workbook(stream, {"in_memory": True})
    workbook.set_properties({"created": datetime(2026, 1, 1, tzinfo=UTC)})
    bold = workbook.add_format({"bold": True})
    for name, header, payment in (
        ("代发文件", REQUEST_HEADER, REQUEST_PAYMENT),
        ("回盘文件", RESULT_HEADER, RESULT_PAYMENT),
    ):
        sheet = workbook.add_worksheet(name)
        sheet.merge_range("A1:G1", f"镇银行代发业务接口规范 V2.3 — {name}", bold)
        sheet.merge_range("A2:G2", "文件为定长文本,GBK编码,每行以回车换行(CRLF)结束,长度均为字节数")
        row = 3
        for title, fields in (("一、文件头记录", header), ("二、明细记录", payment)):
            sheet.merge_range(row, 0, row, 6, title, bold)
            for column, heading in enumerate(_HEADINGS):
                sheet.write_string(row + 1, column, heading, bold)
            row = _write_fields(sheet, row + 2, fields) + 1
        sheet.set_column(6, 6, 40)
    workbook.close()
    return stream.getvalue()


def _write_fields(sheet: xlsxwriter.worksheet.Worksheet, row: int, fields: list[_Row]) -> int:
    """The fields from a row on; where the next thing may stand."""
    start, number = 1, 1
    for name, kind, length, required, remark in fields:
        if name:
            sheet.write_number(row, 0, number)
            sheet.write_string(row, 1, name)
            sheet.write_string(row, 2, kind)
            if length.isascii():
                sheet.write_number(row, 3, int(length))
            else:
                sheet.write_string(row, 3, length)
            sheet.write_number(row, 4, start)
            sheet.write_string(row, 5, required)
            start, number = start + int(length), number + 1
        sheet.write_string(row, 6, remark)
        row += 1
    return row


def sample_files() -> dict[str, bytes]:
    """The annex of the paper: a request and its result, written by hand, by their place in the folder."""
    names = ["王建国", "阿依夏·买买提"]
    accounts = ["6231910000000010011", "6231910000000010037"]
    head = b"1" + b"TS000001".ljust(14) + b"20260102" + b"8862319100000000001".ljust(23) + b"00000002"
    lines = [
        b"2"
        + f"0000000000070000000{number}".encode()
        + account.encode().ljust(23)
        + name.encode("gbk").ljust(40)
        + amount.rjust(16)
        for number, (name, account, amount) in enumerate(
            zip(names, accounts, (b"150.00", b"80.50"), strict=True), 1
        )
    ]
    request = [head + b"000000000023050" + b" " * 31, *lines]
    sums = b"000000000023050" + b"00000001" + b"000000000015000" + b"00000001" + b"000000000008050"
    ends = [b"0000" + b" " * 60, b"3031" + "户名不符".encode("gbk").ljust(60)]
    result = [head + sums + b"TS000001_20260102_000007.txt".ljust(40)]
    result += [line + end for line, end in zip(lines, ends, strict=True)]
    return {
        "town-bank-request/annex-a.txt": b"".join(line + b"\r\n" for line in request),
        "town-bank-result/annex-b.txt": b"".join(line + b"\r\n" for line in result),
    }


if __name__ == "__main__":
    PAPER.write_bytes(paper_bytes())
    for place, content in sample_files().items():
        SAMPLES.joinpath(place).parent.mkdir(parents=True, exist_ok=True)
        SAMPLES.joinpath(place).write_bytes(content)
