"""What is wrong with a file is told with its place; nothing wrong is taken for right."""

# ruff: noqa: E501 - tables are read across

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Iterator
from typing import BinaryIO, cast

import pytest

from formats.errors import DecodeError
from formats.flat.lines import MAXIMUM_LINE_BYTES
from formats.reasons import Reason, Status
from formats.records import Problem, RecordChunk
from formats.registry import Registry
from tests.formats.samples import ACCOUNT_ONE, decode, encode, identity, request_chunk
from tests.formats.test_vectors import COMMENT_REQUEST, COMMENT_RESULT, RURAL_REQUEST, RURAL_RESULT

REGISTRY = Registry()
LINES = RURAL_REQUEST.splitlines(keepends=True)


def error(name: str, raw: bytes) -> Problem:
    with pytest.raises(DecodeError) as caught:
        decode(REGISTRY.get(name), raw)
    (problem,) = caught.value.problems
    assert problem.found
    assert problem.wanted
    return problem


@pytest.mark.parametrize(
    ("name", "raw", "code", "line"),
    [
        ("rural-credit-request", b"", "file-empty", 1),
        ("rural-credit-request", LINES[0], "file-cut", 2),
        ("rural-credit-request", RURAL_REQUEST[:-1], "file-cut", 3),
        ("rural-credit-request", RURAL_REQUEST[:150], "file-cut", 2),
        ("rural-credit-request", LINES[0] * 2 + LINES[1], "record-unexpected", 2),
        ("rural-credit-request", LINES[1] + LINES[0], "record-unexpected", 1),
        ("rural-credit-request", RURAL_REQUEST + LINES[0], "record-unexpected", 4),
        ("rural-credit-request", RURAL_REQUEST + b"\n", "record-unknown", 4),
        ("rural-credit-request", RURAL_REQUEST + b"\x1a", "file-cut", 4),
        ("rural-credit-request", RURAL_REQUEST.replace(b"\n", b"\r\n"), "line-end", 1),
        ("rural-credit-request", LINES[0] + LINES[1][:-2] + b"\n" + LINES[2], "line-length", 2),
        ("rural-credit-request", LINES[0] + LINES[1][:-1] + b" \n" + LINES[2], "line-length", 2),
        ("rural-credit-request", b"1" * (MAXIMUM_LINE_BYTES + 9), "line-too-long", 1),
        ("rural-credit-request", LINES[0] + b"2" * 10 * MAXIMUM_LINE_BYTES, "line-too-long", 2),
        ("rural-credit-request", RURAL_REQUEST.replace("阿".encode("gbk"), b"\x96 "), "field-invalid", 2),
        ("rural-credit-request", RURAL_REQUEST.replace(b"1500.00", b"150O.00"), "field-invalid", 2),
        ("rural-credit-request", RURAL_REQUEST.replace(b"1500.00", b"-500.00"), "field-invalid", 2),
        ("rural-credit-request", RURAL_REQUEST.replace(b"1500.00", b"15_0.00"), "field-invalid", 2),
        ("rural-credit-request", RURAL_REQUEST.replace(b"1500.00", b"15000.0"), "field-invalid", 2),
        ("rural-credit-request", RURAL_REQUEST.replace(b"1500.00", b"15 0.00"), "field-invalid", 2),
        ("rural-credit-request", RURAL_REQUEST.replace(b"1500.00", b"       "), "field-invalid", 2),
        ("rural-credit-request", RURAL_REQUEST.replace(b"00000000000700000001", b" " * 20), "field-invalid", 2),
        ("rural-credit-request", RURAL_REQUEST.replace(b"6231990000001208674", b" " * 19), "field-invalid", 2),
        ("rural-credit-request", RURAL_REQUEST.replace(b"6231990000001208674", b"6231990000\t01208674"), "field-invalid", 2),
        ("rural-credit-result", RURAL_RESULT.replace(b"|AAAAAAA|  ", b" AAAAAAA|  "), "field-invalid", 2),
        ("rural-credit-result", RURAL_RESULT[:-1] + b"\n4|\n", "record-unknown", 5),
        ("comment-style-request", COMMENT_REQUEST[:-2], "file-cut", 7),
        ("comment-style-request", COMMENT_REQUEST + b"*\n", "trailing-bytes", 8),
        ("comment-style-request", COMMENT_REQUEST + b"x", "file-cut", 8),
        ("comment-style-request", COMMENT_REQUEST.replace(b"|\n*", b"\n*"), "field-count", 6),
        ("comment-style-request", COMMENT_REQUEST.replace(b"|50|", b"|50||"), "field-count", 6),
        ("comment-style-request", COMMENT_REQUEST.replace(b"|\n*", b"|x\n*"), "field-count", 6),
        ("comment-style-request", COMMENT_REQUEST.replace(b"|1|150050|2|", b"|1|150050|2|x"), "field-count", 3),
        ("comment-style-request", COMMENT_REQUEST.replace("养老".encode("gbk"), b"a\x01b"), "character", 6),
        ("comment-style-request", COMMENT_REQUEST.replace("养老".encode("gbk"), b"a\rb"), "character", 6),
        ("comment-style-request", COMMENT_REQUEST.replace(b"|50|", b"|\xff|"), "encoding", 6),
        ("comment-style-request", COMMENT_REQUEST.replace(b"|50|", b"|5\x000|"), "character", 6),
        ("comment-style-request", COMMENT_REQUEST.replace(b"|50|", b"|5\xa30|"), "encoding", 6),
        ("comment-style-request", COMMENT_REQUEST.replace(b"|50|", "|５0|".encode("gbk")), "field-invalid", 6),
        ("comment-style-request", COMMENT_REQUEST.replace(b"|20260102|1|", b"|20261302|1|"), "field-invalid", 3),
        ("comment-style-request", COMMENT_REQUEST.replace(b"RMB|20260102|2|2|", b"RMB|20260102|3|2|"), "record-unknown", 6),
        ("comment-style-result", COMMENT_RESULT.replace(b"*\n", b"#x\n"), "field-count", 7),
        ("comment-style-result", COMMENT_RESULT.replace(b"\n2|9", b"\n|9"), "field-invalid", 6),
    ],
)  # fmt: skip
def test_error_has_its_place(name: str, raw: bytes, code: str, line: int) -> None:
    problem = error(name, raw)
    assert (problem.code, problem.line) == (code, line)


@pytest.mark.parametrize("row", [1, 2])
def test_a_line_feed_within_a_row_puts_no_cell_to_another_row(row: int) -> None:
    start = sum(map(len, LINES[:row]))
    for place in range(start, start + len(LINES[row]) - 1):
        raw = RURAL_REQUEST[:place] + b"\n" + RURAL_REQUEST[place + 1 :]
        assert error("rural-credit-request", raw).line == row + 1, place - start


def test_message_names_bytes_record_field_found_and_wanted() -> None:
    problem = error("rural-credit-request", RURAL_REQUEST.replace(b"1500.00", b"150O.00"))
    assert problem.message == (
        "rural-credit-request line 2 bytes 77-93 payment 金额: "
        "found '150O.00', wanted yuan with a point and two decimals"
    )
    assert (problem.record, problem.column) == ("payment", "金额")


def test_delimited_message_counts_bytes_not_characters() -> None:
    problem = error("comment-style-result", COMMENT_RESULT.replace("|0.50元".encode("gbk"), b"|0,50"))
    assert problem.message == (
        "comment-style-result line 6 bytes 32-35 payment 金额: "
        "found '0,50', wanted yuan with a point and two decimals"
    )


def test_messages_are_masked() -> None:
    raw = RURAL_REQUEST.replace(b"6231990000001208674    ", b"6231990000001208674\x01   ")
    assert ACCOUNT_ONE not in error("rural-credit-request", raw).message
    shifted = RURAL_REQUEST.replace(b"          1500.00", b"62319900001208674")
    assert "62319900001208674" not in error("rural-credit-request", shifted).message


@pytest.mark.parametrize(
    ("name", "raw", "old", "new", "column"),
    [
        ("rural-credit-request", RURAL_REQUEST, b"          1500.50", b"          1500.51", "总金额"),
        ("rural-credit-request", RURAL_REQUEST, b"         2", b"         3", "总笔数"),
        ("comment-style-request", COMMENT_REQUEST, b"|150050|2|", b"|150050|1|", "总笔数"),
        ("comment-style-result", COMMENT_RESULT, "|1500.00元|\n#".encode("gbk"), "|1500.01元|\n#".encode("gbk"), "成功金额"),
        ("rural-credit-result", RURAL_RESULT, b"|             0.50|DF", b"|             0.00|DF", "失败金额"),
    ],
)  # fmt: skip
def test_wrong_total_is_told_and_the_records_kept(
    name: str, raw: bytes, old: bytes, new: bytes, column: str
) -> None:
    assert raw.count(old) >= 1
    columns, _, problems = decode(REGISTRY.get(name), raw.replace(old, new, 1))
    assert [(problem.code, problem.column) for problem in problems] == [("total-differs", column)]
    assert columns["payment"]["payment.account"][0] == ACCOUNT_ONE
    assert len(columns["payment"]["payment.account"]) == 2


def test_an_id_in_place_of_a_total_is_not_shown() -> None:
    raw = COMMENT_RESULT.replace(b"#RMB|2|", b"#RMB|370902199001011235|")
    _, _, problems = decode(REGISTRY.get("comment-style-result"), raw)
    assert [problem.found for problem in problems] == ["18 characters (digits) declared"]
    assert "370902" not in problems[0].message


def test_a_lost_record_shows_in_the_totals() -> None:
    columns, _, problems = decode(REGISTRY.get("rural-credit-request"), LINES[0] + LINES[1])
    assert len(columns["payment"]["payment.account"]) == 1
    assert [problem.column for problem in problems] == ["总笔数", "总金额"]


def test_unlisted_code_is_unmapped_and_verbatim() -> None:
    raw = RURAL_RESULT.replace(b"|49     |", b"|0000   |")
    columns, _, _ = decode(REGISTRY.get("rural-credit-result"), raw)
    payment = columns["payment"]
    assert payment["outcome.code"] == ["AAAAAAA", "0000"]
    assert payment["outcome.status"] == [Status.CREDITED, Status.UNKNOWN]
    assert payment["outcome.reason"] == [Reason.NONE, Reason.UNMAPPED]


def test_a_code_with_a_blank_before_it_is_another_code() -> None:
    columns, _, _ = decode(
        REGISTRY.get("rural-credit-result"), RURAL_RESULT.replace(b"|49     |", b"| 49    |")
    )
    assert columns["payment"]["outcome.code"][1] == " 49"
    assert columns["payment"]["outcome.status"][1] is Status.UNKNOWN
    columns, _, _ = decode(REGISTRY.get("comment-style-result"), COMMENT_RESULT.replace(b"|S|", b"|S |"))
    assert columns["payment"]["outcome.status"][0] is Status.UNKNOWN


def test_thousands_commas_and_bare_points_are_read() -> None:
    raw = RURAL_REQUEST.replace(b"          1500.00", b"         1,500.00").replace(b" 0.50", b"  .50")
    columns, _, problems = decode(REGISTRY.get("rural-credit-request"), raw)
    assert columns["payment"]["payment.amount"] == [150_000, 50]
    assert problems == []
    assert (
        error("rural-credit-request", RURAL_REQUEST.replace(b"  1500.00", b" 15,00.00")).code
        == "field-invalid"
    )


def test_a_file_of_another_unit_is_told() -> None:
    other = identity(agreement=identity().agreement | {"unit_no": "SD9999"})
    _, _, problems = decode(REGISTRY.get("rural-credit-request"), RURAL_REQUEST, other)
    assert [(problem.code, problem.column) for problem in problems] == [("identity-differs", "单位编号")]


def test_a_result_that_names_another_file_is_told() -> None:
    _, _, problems = decode(REGISTRY.get("rural-credit-result"), RURAL_RESULT, identity(name="OTHER.TXT"))
    assert [problem.column for problem in problems] == ["原文件名"]


def test_other_constants_are_told_once_and_the_records_kept() -> None:
    raw = RURAL_RESULT.replace(b"|         1|          1500.00|A", b"|         7|          1500.00|A")
    columns, _, problems = decode(REGISTRY.get("rural-credit-result"), raw)
    assert [(problem.code, problem.line, problem.column) for problem in problems] == [
        ("constant-differs", 2, "笔数")
    ]
    assert columns["payment"]["outcome.amount"] == [150_000, 50]


def test_our_own_request_is_no_result() -> None:
    assert error("rural-credit-result", RURAL_REQUEST).code == "line-length"


def test_a_jump_in_our_numbers_is_told() -> None:
    raw = COMMENT_REQUEST.replace(b"RMB|20260102|2|2|", b"RMB|20260102|2|3|")
    columns, _, problems = decode(REGISTRY.get("comment-style-request"), raw)
    assert columns["payment"]["attempt.item"] == [1, 3]
    assert [problem.code for problem in problems] == ["number-differs"]


class Endless:
    """A source of many records, none of which is kept."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts

    def read(self, size: int = -1) -> bytes:
        return next(self._parts, b"")


@pytest.mark.parametrize(
    ("name", "raw"), [("rural-credit-result", RURAL_RESULT), ("comment-style-result", COMMENT_RESULT)]
)
def test_memory_is_bounded(name: str, raw: bytes) -> None:
    lines = raw.splitlines(keepends=True)
    place = 1 if name.startswith("rural") else 4
    body = lines[place] * 1000

    def parts() -> Iterator[bytes]:
        yield b"".join(lines[:place])
        for _ in range(40):
            yield body
        yield b"".join(lines[place:])

    tracemalloc.start()
    count = sum(chunk.count for chunk in REGISTRY.get(name).decode(cast(BinaryIO, Endless(parts()))))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 40_000 + len(lines) - place - (not name.startswith("rural"))
    assert peak < 6 * 1024 * 1024


def test_writing_streams() -> None:
    """Blocks come out while chunks go in; none is bigger than a chunk."""
    codec = REGISTRY.get("rural-credit-request")
    chunk = request_chunk()

    class Chunks:
        def __iter__(self) -> Iterator[RecordChunk]:
            for _ in range(2_000):
                yield chunk

    sizes = [len(block) for block in codec.encode(identity(4_000, 2_000 * 150_050), Chunks())]
    assert sizes == [101] + [202] * 2_000


def test_chunks_hold_about_a_thousand() -> None:
    chunk = request_chunk(
        **{
            "payment.account": [ACCOUNT_ONE] * 3_000,
            "payment.payee_name": ["王东"] * 3_000,
            "payment.amount": list(range(1, 3_001)),
            **{
                f"payment.{name}": [""] * 3_000
                for name in ("bank_name", "province", "city", "region", "summary")
            },
        }
    )
    for name in ("rural-credit-request", "comment-style-request"):
        codec = REGISTRY.get(name)
        raw = encode(codec, [chunk], count=3_000, total_minor=4_501_500)
        chunks = list(codec.decode(io.BytesIO(raw)))
        first = chunks[0].lines[0]
        assert [line for part in chunks for line in part.lines] == list(range(first, first + 3_000))
        assert max(part.count for part in chunks) <= 1_024
        assert [value for part in chunks for value in part.columns["payment.amount"]] == list(range(1, 3_001))
