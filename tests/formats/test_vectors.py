"""Files written by hand, byte for byte, checked both ways for each layout that ships."""

from __future__ import annotations

from datetime import date

import pytest

from formats.reasons import Reason, Status
from formats.records import AcknowledgementVerdict, RecordChunk
from formats.registry import Registry
from tests.formats.samples import ACCOUNT_ONE, ACCOUNT_TWO, decode, encode, identity, request_chunk

REGISTRY = Registry()

RURAL_REQUEST = (
    b"1" b"000017" b"SD0902        " b"4" b"9020001234567890       "
    + "测试区财政局".encode("gbk") + b"        " b" " b"         2" b"          1500.50" b"       \n"
    b"2" b"00000000000700000001" b"4" b"6231990000001208674    "
    + "阿依古丽·买买提".encode("gbk") + b"    " b" " b"         1" b"          1500.00" b"       \n"
    b"2" b"00000000000700000002" b"4" b"90200015550000123456789"
    b"\x96\x7c\xfe\x9f                " b" " b"         1" b"             0.50" b"       \n"
)  # fmt: skip

COMMENT_REQUEST = (
    "#总计信息\n"
    "#币种|日期|总计标志|总金额|总笔数|\n"
    "RMB|20260102|1|150050|2|\n"
    "#明细指令信息\n"
    "RMB|20260102|2|1|||测试农商行|9020001234567890|测试区财政局|测试农商行|测试省|||"
    "6231990000001208674|阿依古丽·买买提|150000|低保||\n"
    "RMB|20260102|2|2|||测试农商行|9020001234567890|测试区财政局||||东区|"
    "90200015550000123456789|"
).encode("gbk") + b"\x96\x7c\xfe\x9f" + "|50|养老||\n*\n".encode("gbk")  # fmt: skip

RURAL_RESULT = (
    b"1|000017|SD0902        |4|9020001234567890       |" + "测试区财政局".encode("gbk")
    + b"        | |         2|          1500.50|         1|          1500.00|         1|             0.50|"
    b"DF20260102.TXT                                              |AAAAAAA|\n"
    b"2|00000000000700000001|4|6231990000001208674    |" + "阿依古丽·买买提".encode("gbk")
    + b"    | |         1|          1500.00|AAAAAAA|" + b" " * 62 + b"|\n"
    b"2|00000000000700000002|4|90200015550000123456789|\x96\x7c\xfe\x9f                "
    b"| |         1|             0.50|49     |" + "户名不符".encode("gbk") + b" " * 54 + b"|\n"
    b"3|             1.20|" + "手续费".encode("gbk") + b" " * 56 + b"|\n"
)  # fmt: skip

COMMENT_RESULT = (
    "#回盘信息\n"
    "#FILE|DF20260102.TXT|20260102|\n"
    "#RMB|2|1500.50元|1|1500.00元|\n"
    "#序号|收款账号|收款户名|金额|状态|备注|手续费|银行说明|\n"
    "1|6231990000001208674|阿依古丽·买买提|1500.00元|S||||\n"
    "2|90200015550000123456789|"
).encode("gbk") + b"\x96\x7c\xfe\x9f" + "|0.50元|F49||1.20元|户名不符|\n*\n".encode("gbk")  # fmt: skip

RURAL_ACKNOWLEDGEMENT = (
    b"1" b"000017" b"SD0902        " b"4" b"9020001234567890       "
    + "测试区财政局".encode("gbk") + b"        " b" " b"         2" b"          1500.50" b"0106   "
    + b"DF20260102.TXT".ljust(60) + "批号重复".encode("gbk").ljust(62) + b"\n"
)  # fmt: skip

COMMENT_ACKNOWLEDGEMENT = (
    "#受理回执\n#FILE|DF20260102.TXT|20260102|\n#STATUS|F03|付款账户余额不足|\n*\n"
).encode("gbk")


def result_chunk() -> RecordChunk:
    columns = {
        "attempt.reference": ["00000000000700000001", "00000000000700000002"],
        "attempt.item": [1, 2],
        "payment.account": [ACCOUNT_ONE, ACCOUNT_TWO],
        "payment.payee_name": ["阿依古丽·买买提", "東䶮"],
        "outcome.amount": [150_000, 50],
        "outcome.status": [Status.CREDITED, Status.FAILED],
        "outcome.reason": [Reason.NONE, Reason.NAME_MISMATCH],
        "outcome.bank_text": ["", "户名不符"],
        "fee.amount": [None, 120],
    }
    return RecordChunk(record="payment", count=2, columns=columns)


FEE_CHUNK = RecordChunk(record="fee", count=1, columns={"fee.amount": [120], "fee.label": ["手续费"]})


@pytest.mark.parametrize(
    ("name", "chunks", "changes", "raw"),
    [
        ("rural-credit-request", [request_chunk()], {}, RURAL_REQUEST),
        ("comment-style-request", [request_chunk()], {}, COMMENT_REQUEST),
        (
            "rural-credit-result",
            [result_chunk(), FEE_CHUNK],
            {"code": "AAAAAAA", "original_name": "DF20260102.TXT"},
            RURAL_RESULT,
        ),
        ("comment-style-result", [result_chunk()], {"original_name": "DF20260102.TXT"}, COMMENT_RESULT),
        (
            "rural-credit-acknowledgement",
            [],
            {"code": "0106", "text": "批号重复", "original_name": "DF20260102.TXT"},
            RURAL_ACKNOWLEDGEMENT,
        ),
        (
            "comment-style-acknowledgement",
            [],
            {"code": "F03", "text": "付款账户余额不足", "original_name": "DF20260102.TXT"},
            COMMENT_ACKNOWLEDGEMENT,
        ),
    ],
)
def test_written_as_by_hand(
    name: str, chunks: list[RecordChunk], changes: dict[str, str], raw: bytes
) -> None:
    assert encode(REGISTRY.get(name), chunks, **changes) == raw


def test_rural_request_is_read() -> None:
    columns, facts, problems = decode(REGISTRY.get("rural-credit-request"), RURAL_REQUEST, identity())
    assert columns == {
        "payment": {
            "attempt.reference": ["00000000000700000001", "00000000000700000002"],
            "payment.account": [ACCOUNT_ONE, ACCOUNT_TWO],
            "payment.payee_name": ["阿依古丽·买买提", "東䶮"],
            "payment.amount": [150_000, 50],
        }
    }
    assert facts == {
        "declared": {"count(payment)": 2, "sum(payment.amount)": 150_050},
        "agreement.business_no": "000017",
        "agreement.unit_no": "SD0902",
        "agreement.payer_account": "9020001234567890",
        "agreement.payer_name": "测试区财政局",
    }
    assert problems == []


def test_comment_request_is_read() -> None:
    columns, facts, problems = decode(REGISTRY.get("comment-style-request"), COMMENT_REQUEST, identity())
    assert columns == {"payment": request_chunk(**{"attempt.item": [1, 2]}).columns}
    assert facts == {
        "declared": {"count(payment)": 2, "sum(payment.amount)": 150_050},
        "file.bank_day": date(2026, 1, 2),
        "agreement.payer_bank": "测试农商行",
        "agreement.payer_account": "9020001234567890",
        "agreement.payer_name": "测试区财政局",
    }
    assert problems == []


def test_rural_result_is_read() -> None:
    columns, facts, problems = decode(REGISTRY.get("rural-credit-result"), RURAL_RESULT, identity())
    assert columns == {
        "payment": {
            "attempt.reference": ["00000000000700000001", "00000000000700000002"],
            "payment.account": [ACCOUNT_ONE, ACCOUNT_TWO],
            "payment.payee_name": ["阿依古丽·买买提", "東䶮"],
            "outcome.amount": [150_000, 50],
            "outcome.code": ["AAAAAAA", "49"],
            "outcome.bank_text": ["", "户名不符"],
            "outcome.status": [Status.CREDITED, Status.FAILED],
            "outcome.reason": [Reason.NONE, Reason.NAME_MISMATCH],
        },
        "fee": {"fee.amount": [120], "fee.label": ["手续费"]},
    }
    assert facts["file.original_name"] == "DF20260102.TXT"
    assert facts["declared"] == {
        "count(payment)": 2,
        "sum(outcome.amount)": 150_050,
        "count(payment where status in credited)": 1,
        "sum(outcome.amount where status in credited)": 150_000,
        "count(payment where status not in credited)": 1,
        "sum(outcome.amount where status not in credited)": 50,
    }
    assert problems == []


def test_comment_result_is_read() -> None:
    columns, facts, problems = decode(REGISTRY.get("comment-style-result"), COMMENT_RESULT, identity())
    assert columns == {
        "payment": {
            "attempt.item": [1, 2],
            "payment.account": [ACCOUNT_ONE, ACCOUNT_TWO],
            "payment.payee_name": ["阿依古丽·买买提", "東䶮"],
            "outcome.amount": [150_000, 50],
            "outcome.code": ["S", "F49"],
            "fee.amount": [None, 120],
            "outcome.bank_text": ["", "户名不符"],
            "outcome.status": [Status.CREDITED, Status.FAILED],
            "outcome.reason": [Reason.NONE, Reason.NAME_MISMATCH],
        }
    }
    assert facts["file.original_name"] == "DF20260102.TXT"
    assert problems == []


@pytest.mark.parametrize(
    ("name", "raw", "verdict", "reason"),
    [
        (
            "rural-credit-acknowledgement",
            RURAL_ACKNOWLEDGEMENT,
            AcknowledgementVerdict.DUPLICATE,
            Reason.DUPLICATE,
        ),
        (
            "comment-style-acknowledgement",
            COMMENT_ACKNOWLEDGEMENT,
            AcknowledgementVerdict.REJECTED,
            Reason.PAYER_FUNDS,
        ),
        (
            "rural-credit-acknowledgement",
            RURAL_ACKNOWLEDGEMENT.replace(b"0106   ", b"       "),
            AcknowledgementVerdict.UNMAPPED,
            Reason.UNMAPPED,
        ),
    ],
)
def test_acknowledgement_is_read(
    name: str, raw: bytes, verdict: AcknowledgementVerdict, reason: Reason
) -> None:
    _, facts, problems = decode(REGISTRY.get(name), raw, identity())
    assert (facts["file.verdict"], facts["file.reason"], problems) == (verdict, reason, [])
    assert facts["file.original_name"] == "DF20260102.TXT"
