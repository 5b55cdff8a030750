"""Records of one width taken apart many at a time, against each line by itself: both say the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from formats import Codec, RecordChunk
from formats.language.layout import parse_layout
from formats.registry import Registry, compile_layout
from tests.bench import bench_fixed
from tests.bench.bench_nacha import make_identity
from tests.bench.big_file import fixed_columns
from tests.formats.both_ways import rows_agree

NACHA: Codec = Registry().get("nacha-request")
RESULT: Codec = compile_layout(parse_layout(bench_fixed.LAYOUT, "bench"))
NAMES = ("王小明", "阿依古丽·买买提", "𠮷田", "A", "")
ABA_ROUTING = ("231380104", "091400606", "053200019", "121042882", "011000015", "026009593")
SETTINGS = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """NACHA files: few banks or many, addenda seldom or often, some batches."""
    count = draw(st.integers(1, 200))
    banks = ABA_ROUTING[: draw(st.integers(1, len(ABA_ROUTING)))]
    share, batch = draw(st.sampled_from([0, 1, 2, 3, 9])), draw(st.sampled_from([1, 7, 40, 1000]))
    items = range(1, count + 1)
    columns: dict[str, list[Any]] = {
        "attempt.item": list(items),
        "payment.bank_code": [banks[item % len(banks)] for item in items],
        "payment.account": [f"{item % draw(st.sampled_from([1, 5, 1000])):012d}" for item in items],
        "payment.amount": [100 + item * 7 % 90_000 for item in items],
        "payment.payee_name": [f"PAYEE {item % 3}" for item in items],
        "payment.summary": [f"NOTE {item}" if share and item % share == 0 else "" for item in items],
        "group.item": [item // batch for item in items],
    }
    chunk = RecordChunk(record="payment", count=count, columns=columns)
    total = sum(columns["payment.amount"])
    return b"".join(NACHA.encode(make_identity(count, total), [chunk]))


@SETTINGS
@given(files())
def test_whole_files_say_the_same(raw: bytes) -> None:
    found = rows_agree(NACHA, raw)
    assert not isinstance(found, list)
    assert found[3] == []


@SETTINGS
@given(files(), st.data())
def test_damaged_files_say_the_same(raw: bytes, data: st.DataObject) -> None:
    faults = data.draw(st.integers(1, 2))
    for _ in range(faults):
        place = data.draw(st.integers(0, len(raw) - 1))
        line = place // 95 * 95
        byte = bytes([data.draw(st.sampled_from(b"0 9A\n\r\x00\xff7"))])
        ways = [
            raw[:place] + byte + raw[place + 1 :],
            raw[:line] + raw[line + 95 :],
            raw[:line] + raw[line : line + 95] + raw[line:],
            raw[:place] + raw[place + 1 :],
            raw[: place + 1],
        ]
        raw = data.draw(st.sampled_from(ways))
    rows_agree(NACHA, raw, faults)


@pytest.mark.parametrize("place", [0, 1, 3, 10, 11, 12, 28, 38, 39, 54, 76, 78, 79, 87, 93, 94])
def test_each_field_of_a_run_changed_says_the_same(place: int) -> None:
    """In one record of many: a column that was alike in all is so no more."""
    count = 140
    columns: dict[str, list[Any]] = {
        "attempt.item": list(range(1, count + 1)),
        "payment.bank_code": ["231380104"] * count,
        "payment.account": ["000000000007"] * count,
        "payment.amount": [100] * count,
        "payment.payee_name": ["PAYEE"] * count,
        "payment.summary": [""] * count,
    }
    chunk = RecordChunk(record="payment", count=count, columns=columns)
    raw = b"".join(NACHA.encode(make_identity(count, 100 * count), [chunk]))
    for record in (2, 129, 141):
        at = record * 95 + place
        for byte in (b"0", b" ", b"X"):
            rows_agree(NACHA, raw[:at] + byte + raw[at + 1 :])


@SETTINGS
@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=150), st.data())
def test_records_in_gb18030_say_the_same(names: list[str], data: st.DataObject) -> None:
    count = len(names)
    columns = fixed_columns(range(1, count + 1)) | {"payment.payee_name": names}
    chunk = RecordChunk(record="payment", count=count, columns=columns)
    raw = b"".join(RESULT.encode(bench_fixed.make_identity(count), [chunk]))
    assert not isinstance(rows_agree(RESULT, raw), list)
    place = data.draw(st.integers(0, len(raw) - 1))
    rows_agree(RESULT, raw[:place] + bytes([data.draw(st.integers(0, 255))]) + raw[place + 1 :])


FEW_ROWS = compile_layout(
    parse_layout(
        """
layout = "few"
version = "1"
purpose = "request"
syntax = "fixed"
framing = { encoding = "ascii", eol = "lf" }
structure = '''
batch 1..*
    head
    payment 1..3
        entry
        note 0..*
'''
[record.head]
table = '''
1  text  mark  !"H"
'''
[record.entry]
table = '''
1    text     mark     !"E"
4>0  number   item     attempt.item  key
9>0  money.2  amount   payment.amount
1    number   noted    = has(note)
1    text     account  payment.account
1    text     name     payment.payee_name
'''
[record.note]
table = '''
1  text  mark  !"N"
5  text  text  payment.summary  optional
'''
""",
        "few.toml",
    )
)


def few_rows(notes: list[int]) -> bytes:
    """One batch, with so many notes for each entry."""
    entries = [
        f"E{item:04d}000000100{int(number > 0)}AB\n" + "NTEXT \n" * number
        for item, number in enumerate(notes, start=1)
    ]
    return ("H\n" + "".join(entries)).encode()


@pytest.mark.parametrize("notes", [[0, 0, 0], [0, 1, 0], [1, 2, 3], [2, 0, 0]])
def test_a_flag_says_whether_there_is_any(notes: list[int]) -> None:
    found = rows_agree(FEW_ROWS, few_rows(notes))
    assert (found[0]["payment attempt.item"], found[3]) == ([1, 2, 3], [])


@pytest.mark.parametrize("notes", [[0, 0, 0, 0], [0, 1, 0, 1], [1, 2, 3, 0], [1, 1, 1, 1, 1]])
def test_more_rows_than_the_structure_has_room_for(notes: list[int]) -> None:
    (problem,) = rows_agree(FEW_ROWS, few_rows(notes))
    assert problem[:2] == ("record-unexpected", 5 + sum(notes[:3]))
