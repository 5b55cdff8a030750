"""Scopes, rows, overlays, framing: every mistake in a layout or a file is told, nothing wrong taken for right."""

# ruff: noqa: E501 - tables are read across

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formats.charset import UNWRITABLE
from formats.codec import Codec
from formats.errors import DecodeError, EncodeError, LayoutError
from formats.language.layout import parse_layout
from formats.records import Problem, RecordChunk
from formats.registry import compile_layout
from tests.formats.samples import decode, identity
from tests.formats.test_layouts_page import FILES, LAYOUTS

LOTS, ANSWERS, KINDS = LAYOUTS["example-lots"], LAYOUTS["example-answers"], LAYOUTS["example-kinds"]
BLOCKS, SUCCESSES, FAILURES = (LAYOUTS[f"example-{name}"] for name in ("blocks", "successes", "failures"))
STATEMENT = LAYOUTS["example-statement"]


@pytest.mark.parametrize(
    ("base", "old", "new", "code"),
    [
        (LOTS, "    lot_header\n", "  lot_header\n", "structure-scope"),
        (LOTS, "        detail\n", "        detail 0..1\n", "structure-row"),
        (LOTS, "        address 0..1", '        line "x"', "structure-row"),
        (LOTS, "        address 0..1", "        inner\n            address 0..1", "structure-row"),
        (LOTS, "lot 1..99\n", "any\n", "structure-repeat"),
        (LOTS, "    lot_header\n", "    lot_header 1..2\n", "structure-repeat"),
        (LOTS, "lot 1..99\n    lot_header", "lot_header 1..99\n    lot", "structure-scope"),
        (LOTS, "file_trailer\n'''", "file_trailer\npayment 0..1\n'''", "structure-twice"),
        (LOTS, '!"B"', '!"A"', "structure-ambiguous"),
        (LOTS, '!"A"', '"A"', "structure-ambiguous"),
        (LOTS, "= number(lot)\n10", "= number(file)\n10", "total"),
        (LOTS, "= number(detail address)\n1      text          Segment       !\"A\"", "= number(detail lot)\n1      text          Segment       !\"A\"", "total"),
        (LOTS, "= has(address)", "= has(detail)", "total"),
        (LOTS, "= has(address)", "= has(lot)", "total"),
        (LOTS, "= count(lot)", "= count(file_header)", "total"),
        (LOTS, "= count(lot)", "= count(lots)", "total"),
        (LOTS, "sum(detail.Branch)", "sum(detail.Brunch)", "total"),
        (LOTS, "sum(detail.Branch)", "sum(detail.Amount)", "total"),
        (LOTS, "item.currency in R", "outcome.status in credited", "total"),
        (LOTS, "item.currency in R", "item.money in R", "total"),
        (LOTS, "= lines / 5", "= lines / 0", "total"),
        (LOTS, "17     text          Filler        blank", "3>0  number  L  = lines", "total"),
        (LOTS, "check.luhn(Mark)", "check.luhm(Mark)", "check"),
        (LOTS, "check.luhn(Mark)", "check.luhn(Mork)", "check"),
        (LOTS, "check.luhn(Mark)", "check.luhn(Hash)", "check"),
        (LOTS, "check luhn  Digit", "check lunh  Digit", "kind-argument"),
        (LOTS, "payment.bank_code[7-7]", "payment.bank_code[7-6]", "slice"),
        (LOTS, "payment.bank_code[7-7]", "payment.bank_code", "meaning-twice"),
        (LOTS, "group.kind\n", "payment.summary\n", "meaning-scope"),
        (LOTS, "profile.payer", "group.payer", "meaning-scope"),
        (LOTS, "{ to = 5, line = \"9\" }", "{ to = 1, line = \"9\" }", "fill-lines"),
        (LOTS, "{ to = 5, line = \"9\" }", "{ to = 5, line = \"99\" }", "fill-lines"),
        (LOTS, "{ to = 5, line = \"9\" }", "{ till = 5 }", "fill-lines"),
        (ANSWERS, "25     case          Corrected     notice.code", "25     case          Corrected     notice.kind", "case"),
        (ANSWERS, "25     case ", "24     case ", "case"),
        (ANSWERS, "    8    text        Reserved      blank\n", "", "case"),
        (ANSWERS, "  C02 C03\n", "  C01 C03\n", "case"),
        (ANSWERS, "  C02 C03\n", "  *\n", "case"),
        (ANSWERS, "repeat 3 until blank", "repeat 1 until blank", "repeat"),
        (ANSWERS, "repeat 3 until blank", "repeat 3 or so", "kind"),
        (ANSWERS, "  2      text        Code ", "2      text        Code ", "repeat"),
        (ANSWERS, "12>0   money.2       Refused", "  12>0   money.2       Refused", "indentation"),
        (ANSWERS, "01    failed", "blank    failed", "code-padded"),
        (ANSWERS, "refusal 0..1", "refusal 1..0", "occurrence"),
        (KINDS, "date MMDD near file.bank_day", "date MMDD", "pattern"),
        (KINDS, "date MMDD near file.bank_day", "date MMDD near file.name", "pattern"),
        (KINDS, "date MMDD near file.bank_day", "date YYMMDD near file.bank_day", "pattern"),
        (KINDS, "yuan.2 comma signed", "yuan.2 coma signed", "kind-argument"),
        (KINDS, "money.3 overpunch", "money.4 overpunch", "decimals"),
        (KINDS, "money.3 overpunch", "money.0", "decimals"),
        (KINDS, "number                        Item", "number comma  Item", "kind-argument"),
        (KINDS, "quote = '\"'", "quote = '*'", "quote"),
        (BLOCKS, "record_multiple = 32", 'record_multiple = 32, after_each_field = "|"', "eol"),
        (BLOCKS, "record_multiple = 32", "record_multiple = 0", "record-multiple"),
        (BLOCKS, 'eol = "none"', 'eol = "lf"', "eol"),
        (BLOCKS, "record_multiple = 32", 'record_multiple = 32, comment = "#"', "eol"),
        (BLOCKS, "head\npayment", 'line "x"\nhead\npayment', "eol"),
        (BLOCKS, "= length\n1      text          Mark          !\"A\"", "= length(x)\n1      text          Mark          !\"A\"", "meaning"),
        (SUCCESSES, 'implied = "OK"', 'implied = "NO"', "code-implied"),
        (SUCCESSES, "= sum(outcome.amount)", "file.total", "code-implied"),
        (SUCCESSES, "-   yuan.2    Amount    outcome.amount", "-  text  Code  outcome.code", "code-implied"),
        (FAILURES, "= sum(silent)", "file.total", "silence"),
        (FAILURES, 'silence = "credited"\n', "", "silence"),
        (FAILURES, 'silence = "credited"', 'silence = "failed"', "silence"),
        (FAILURES, 'silence = "credited"', 'silence = "credited"\nreturns = "some"', "returns"),
        (STATEMENT, 'version = "1"', 'version = "1"\nreturns = "each"', "returns"),
        (FAILURES, "20     text     Key         attempt.reference  key", "20>    number   Key         attempt.item  key", "silence-key"),
        (FAILURES, "framing = {", 'framing = { tolerate = ["everything"],', "tolerance"),
        (STATEMENT, "statement.direction", "statement.text", "meaning-missing"),
        (STATEMENT, "statement 0..*", "statement 0..*\ndecimals 1", "record-missing"),
    ],
)  # fmt: skip
def test_mistake_is_found(base: str, old: str, new: str, code: str) -> None:
    assert old in base
    with pytest.raises(LayoutError) as caught:
        parse_layout(base.replace(old, new, 1), "bad.toml")
    assert code in [problem.code for problem in caught.value.problems]
    assert all(
        problem.line is not None or problem.code.endswith("missing") for problem in caught.value.problems
    )


def lots(raw: str) -> bytes:
    return raw.replace("\n", "\r\n").encode("ascii")


LOT_LINES = FILES["example-lots"].splitlines(keepends=True)


def without(*numbers: int) -> str:
    return "".join(line for number, line in enumerate(LOT_LINES, start=1) if number not in numbers)


def twice(number: int) -> str:
    return "".join(LOT_LINES[:number] + LOT_LINES[number - 1 :])


@pytest.mark.parametrize(
    ("text", "code", "line", "found"),
    [
        (without(1), "record-unexpected", 1, "record lot_header"),
        (without(2), "record-unexpected", 2, "record payment"),
        (without(3), "record-unexpected", 3, "record address"),
        (without(6), "record-unexpected", 6, "record lot_header"),
        (without(9), "record-unexpected", 9, "record file_trailer"),
        (without(10), "file-cut", 10, "the end of the file"),
        (without(9, 10), "file-cut", 9, "the end of the file"),
        (twice(2), "record-unexpected", 3, "record lot_header"),
        (twice(4), "record-unexpected", 5, "record address"),
        (twice(6), "record-unexpected", 7, "record lot_trailer"),
        (twice(10), "trailing-bytes", 11, "more lines after the end"),
        (without(7, 8, 9) + "9" * 30 + "\n" + LOT_LINES[9], "trailing-bytes", 9, "another line after a fill line"),
    ],
)  # fmt: skip
def test_a_file_out_of_order_stops_at_its_line(text: str, code: str, line: int, found: str) -> None:
    codec = compile_layout(parse_layout(LOTS, "lots"))
    with pytest.raises(DecodeError) as caught:
        list(codec.decode(io.BytesIO(lots(text))))
    (problem,) = caught.value.problems
    assert (problem.code, problem.line, problem.found) == (code, line, found)


@pytest.mark.parametrize(
    ("number", "old", "new", "codes"),
    [
        (6, "5010", "5020", {"number-differs"}),
        (6, "005", "004", {"total-differs"}),
        (6, "9854", "9855", {"total-differs"}),
        (6, "00150000", "00150001", {"total-differs"}),
        (6, "0509", "0508", {"check-differs", "total-differs"}),
        (3, "7199276", "7199275", {"check-differs"}),
        (3, "R101", "R001", {"child-differs"}),
        (5, "01003A", "01004A", {"number-differs"}),
        (10, "9020008", "9030008", {"total-differs"}),
        (10, "9020008002", "9020008003", {"total-differs"}),
    ],
)
def test_what_does_not_add_up_is_told_and_the_rows_kept(
    number: int, old: str, new: str, codes: set[str]
) -> None:
    codec = compile_layout(parse_layout(LOTS, "lots"))
    lines = list(LOT_LINES)
    assert old in lines[number - 1]
    lines[number - 1] = lines[number - 1].replace(old, new, 1)
    columns, _, problems = decode(codec, lots("".join(lines)))
    assert {problem.code for problem in problems} <= codes
    assert problems
    assert all(problem.line == number for problem in problems)
    assert len(columns["payment"]["payment.account"]) == 3


def test_missing_fill_lines_are_told() -> None:
    codec = compile_layout(parse_layout(LOTS.replace("to = 5", "to = 4"), "lots"))
    decoder = codec.decode(io.BytesIO(lots("".join(LOT_LINES))))
    list(decoder)
    assert [problem.code for problem in decoder.problems] == ["fill-lines"]


def chunk(**changes: list[Any]) -> RecordChunk:
    columns: dict[str, list[Any]] = {
        "payment.bank_code": ["7199276", "7199276"],
        "payment.account": ["654321", "654322"],
        "payment.amount": [150_000, 50],
        "payment.payee_name": ["ANA SOUZA", ""],
        "item.currency": ["R", "X"],
    }
    columns |= changes
    return RecordChunk(record="payment", count=2, columns=columns, lines=range(1, 3))


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("payment.bank_code", "71992766", "too-long"),
        ("payment.bank_code", "7199275", "check-digit"),
        ("payment.bank_code", "719927X", "not-digits"),
        ("item.currency", "RX", "too-long"),
        ("payment.payee_name", "ANA MARIA DA SILVA E SOUZA", "too-long"),
    ],
)
def test_what_does_not_fit_its_places_is_refused(name: str, value: str, code: str) -> None:
    codec = compile_layout(parse_layout(LOTS, "lots"))
    bad = chunk(**{name: [value, chunk().columns[name][1]]})
    ours = identity(profile={"payer": "CITY", "kind": "PAYROLL"})
    assert code in [problem.code for problem in codec.problems(bad, ours)]
    assert codec.problems(bad, ours)[0].line == 1
    with pytest.raises(EncodeError):
        list(codec.encode(ours, [bad]))
    assert codec.problems(chunk(), ours) == []


def test_a_full_scope_begins_the_next_one() -> None:
    """`payment 1..3`: the fourth payment goes into a lot of its own, whose totals are its own."""
    codec = compile_layout(parse_layout(LOTS, "lots"))
    parts = [chunk(), chunk()]
    ours = identity(count=4, total_minor=300_100, profile={"payer": "CITY", "kind": "PAYROLL"})
    raw = b"".join(codec.encode(ours, parts))
    columns, facts, problems = decode(codec, raw)
    assert (problems, columns["payment"]["group.item"]) == ([], [1, 1, 1, 2])
    assert facts["declared"]["count(lot)"] == 2


def test_repeats_that_do_not_fit_are_refused() -> None:
    codec = compile_layout(parse_layout(ANSWERS, "answers"))
    columns: dict[str, list[Any]] = {
        "payment.account": ["1"],
        "outcome.amount": [1],
        "attempt.item": [1],
        "outcome.code": ["01+02+03+01"],
    }
    four = RecordChunk(record="payment", count=1, columns=columns)
    assert [problem.code for problem in codec.problems(four)] == ["too-many"]


def notices() -> RecordChunk:
    columns: dict[str, list[Any]] = {
        "payment.account": ["1", "2", "3"],
        "attempt.item": [1, 2, 3],
        "outcome.amount": [1, 2, 3],
        "notice.code": ["C01", "C03", "C99"],
        "notice.account": ["11", "22", ""],
        "notice.bank_code": ["", "123456789", ""],
        "notice.text": ["", "", "SEE LETTER"],
    }
    return RecordChunk(record="notice", count=3, columns=columns)


def test_notices_are_written_by_the_branch_of_their_code() -> None:
    codec = compile_layout(parse_layout(ANSWERS, "answers"))
    raw = b"".join(codec.encode(identity(), [notices()]))
    assert [line[2:] for line in raw.decode().splitlines() if line.startswith("78")] == [
        "C01" + "11".ljust(25),
        "C03" + "123456789" + "22".ljust(16),
        "C99" + "SEE LETTER".ljust(25),
    ]
    columns, _, _ = decode(codec, raw)
    assert columns["notice"]["notice.account"] == ["11", "22", ""]
    assert columns["notice"]["notice.text"] == ["", "", "SEE LETTER"]


def test_two_records_of_one_row_that_contradict_each_other_are_told() -> None:
    text = ANSWERS.replace(
        "22     text          Text          outcome.bank_text",
        "8  digits  Account  <payment.account\n14  text  Text  outcome.bank_text",
    )
    codec = compile_layout(parse_layout(text, "answers"))
    raw = (
        FILES["example-answers"]
        .replace("NO SUCH ACCOUNT       ", "87654322NO ACCOUNT    ")
        .replace("7903    TRY AGAIN             ", "7903    87654323TRY AGAIN     ")
    )
    columns, _, problems = decode(codec, raw.encode())
    assert [(problem.code, problem.line) for problem in problems] == [("record-differs", 2)]
    assert columns["payment"]["payment.account"] == ["87654321", "87654323"]


TOLERANT = '''
layout = "tolerant"
version = "1"
purpose = "result"
answers = "x"
syntax = "fixed"
framing = { encoding = "ascii", eol = "EOL", comment = "#", tolerate = ["short", "long", "any-eol", "final-eol", "blank-lines", "ctrl-z"] }
structure = """
payment 1..*
tail
"""
[record.payment]
table = """
1   text     M     !"D"
6>   number   Item  attempt.item  key
6>0  money.2  Sum   outcome.amount
2   text     Code  outcome.code
4   text     Text  outcome.bank_text  optional
3   text     Rest  blank
"""
[record.tail]
table = """
1   text     M     !"T"
6>   number   N     = count(payment)
15  text     Rest  blank
"""
[codes.outcome]
table = """
00  credited
"""
'''.replace('"""', "'''")
WHOLE = "D     100010000OK     \nD     200020000       \nT     2               \n"


@pytest.mark.parametrize("eol", ["lf", "crlf"])
@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (WHOLE, set()),
        (WHOLE.replace("\n", "\r\n"), set()),
        (WHOLE.replace("\n", "\r"), set()),
        (WHOLE.replace("\n", ""), set()),
        (WHOLE.replace("\n", "") + "\r\n", set()),
        (WHOLE.replace("     \n", "\n"), {"short"}),
        (WHOLE.replace(" \n", "    \n"), {"long"}),
        (WHOLE.removesuffix("\n"), {"final-eol"}),
        (WHOLE.replace("D     2", "\n  \nD     2"), {"blank-lines"}),
        ("# a remark\n" + WHOLE.replace("T", "# another\nT"), {"comments"}),
        (WHOLE + "\x1a", {"ctrl-z"}),
    ],
)
def test_tolerated_is_told(eol: str, raw: str, told: set[str]) -> None:
    codec = compile_layout(parse_layout(TOLERANT.replace("EOL", eol), "tolerant"))
    columns, facts, problems = decode(codec, raw.encode())
    assert problems == []
    assert columns["payment"]["outcome.amount"] == [100, 200]
    assert columns["payment"]["outcome.bank_text"] == ["OK", ""]
    assert set(facts.get("tolerated", {})) - {"any-eol"} == told
    assert columns["payment"]["outcome.code"] == ["00", "00"]


@pytest.mark.parametrize("cut", range(1, 16))
def test_a_cut_line_is_never_padded_into_an_amount_or_a_code(cut: int) -> None:
    codec = compile_layout(parse_layout(TOLERANT.replace("EOL", "lf"), "tolerant"))
    line = WHOLE.splitlines()[1]
    raw = WHOLE.replace(line, line[:cut])
    if cut >= 15:
        assert decode(codec, raw.encode())[2] == []
        return
    with pytest.raises(DecodeError) as caught:
        decode(codec, raw.encode())
    assert caught.value.problems[0].line == 2


CHILDREN = """
layout  = "children"
version = "1"
purpose = "result"
answers = "example-request"
syntax  = "delimited"
framing = { encoding = "gb18030", delimiter = "|", eol = "lf" }
structure = '''
payment 0..*
    entry
    any 0..*
        refusal 0..1
'''
[record.entry]
table = '''
-   text     Mark      !"E"
-   text     Key       attempt.reference  key
-   yuan.2   Amount    outcome.amount
-   text     Code      outcome.code
'''
[record.refusal]
table = '''
-   text     Mark      !"R"
-   text     Words     outcome.bank_text  optional
'''
[codes.outcome]
table = '''
00      credited
0012    failed  ACCOUNT_CLOSED
'''
"""


@pytest.mark.parametrize("last", ["E|00000000000700000002|1.00|0012", "R|no such account"])
def test_a_last_line_that_is_cut_says_nothing(last: str) -> None:
    """`0012` cut to `00` would be a success."""
    codec = compile_layout(parse_layout(CHILDREN, "children"))
    first = "E|00000000000700000001|1.00|0012\n"
    whole = (first + last + "\n").encode()
    assert decode(codec, whole)[2] == []
    for cut in range(len(first) + 1, len(whole)):
        with pytest.raises(DecodeError) as caught:
            decode(codec, whole[:cut])
        assert caught.value.problems[0].line == 2


def read_or_refuse(codec: Codec, raw: bytes) -> tuple[Any, list[Problem]] | list[Problem]:
    """Columns and problems of a file, or the problems of its refusal; any other exception is a bug."""
    try:
        columns, _, problems = decode(codec, raw)
    except DecodeError as refusal:
        return refusal.problems
    return columns, problems


FILES_OF = {
    name: (
        compile_layout(parse_layout(LAYOUTS[name], name)),
        text.encode("gb18030"),
    )
    for name, text in FILES.items()
}


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(sorted(FILES_OF)), st.data())
def test_a_damaged_file_gives_records_or_a_decode_error(name: str, data: st.DataObject) -> None:
    codec, whole = FILES_OF[name]
    raw = bytearray(whole.replace(b"\n", b"\r\n") if name == "example-lots" else whole)
    if name == "example-blocks":
        raw = raw.removesuffix(b"\n")
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(raw) - 1))
        change = data.draw(st.sampled_from(["set", "drop", "double", "cut", "swap"]))
        if change == "set":
            raw[place] = data.draw(st.integers(0, 255))
        elif change == "drop":
            del raw[place : place + data.draw(st.integers(1, 40))]
        elif change == "double":
            raw[place:place] = raw[place : place + data.draw(st.integers(1, 120))]
        elif change == "cut":
            del raw[place + 1 :]
        else:
            raw = raw[place:] + raw[:place]
        if not raw:
            break
    read = read_or_refuse(codec, bytes(raw))
    if isinstance(read, list):
        assert [problem.line is not None for problem in read] == [True]
        return
    columns, problems = read
    assert all(problem.line is not None for problem in problems)
    for record in columns.values():
        for values in record.values():
            assert all(not isinstance(value, str) or not UNWRITABLE.search(value) for value in values)


def many(count: int) -> RecordChunk:
    """Every other row has a record below it."""
    return RecordChunk(
        record="payment",
        count=count,
        columns={
            "payment.account": [f"{item:08d}" for item in range(1, count + 1)],
            "outcome.amount": list(range(1, count + 1)),
            "attempt.item": list(range(1, count + 1)),
            "outcome.code": ["01" if item % 3 else "" for item in range(count)],
            "outcome.bank_text": [f"TEXT {item}" if item % 3 else "" for item in range(count)],
        },
    )


def test_rows_longer_than_a_block_of_lines_stay_whole() -> None:
    """Records below a row may come in the next block of what is read."""
    codec = compile_layout(parse_layout(ANSWERS, "answers"))
    ours = many(9_001)
    raw = b"".join(codec.encode(identity(), [ours]))
    decoder = codec.decode(io.BytesIO(raw))
    chunks = list(decoder)
    assert decoder.problems == []
    assert max(one.count for one in chunks) <= 1_024
    for name in ("attempt.item", "outcome.bank_text", "outcome.code"):
        assert [value for one in chunks for value in one.columns[name]] == ours.columns[name]
    lines = [line for one in chunks for line in one.lines]
    entries = [number for number, line in enumerate(raw.split(b"\n"), start=1) if line[:1] == b"6"]
    assert lines == entries


def test_a_row_without_end_is_refused() -> None:
    text = ANSWERS.replace("        refusal 0..1\n", "        refusal\n")
    codec = compile_layout(parse_layout(text, "answers"))
    lines = FILES["example-answers"].splitlines(keepends=True)
    raw = (lines[0] + lines[1] * 50_000).encode()
    with pytest.raises(DecodeError) as caught:
        list(codec.decode(io.BytesIO(raw)))
    assert caught.value.problems[0].code == "row-too-long"


def test_lines_that_are_read_over_are_not_counted() -> None:
    codec = compile_layout(parse_layout(LOTS.replace('"crlf"', '"crlf", comment = "#"'), "lots"))
    lines = list(LOT_LINES)
    lines.insert(9, "# before the trailer of the file\n")
    lines.insert(4, "# inside a lot\n")
    lines.insert(0, "# before everything\n")
    columns, facts, problems = decode(codec, lots("".join(lines)))
    assert problems == []
    assert facts["tolerated"] == {"comments": {"count": 3, "line": 1}}
    assert len(columns["payment"]["payment.account"]) == 3


BALANCED = """
layout = "balanced"
version = "1"
purpose = "request"
syntax = "fixed"
framing = { encoding = "ascii" }
structure = '''
head
payment 1..*
balance
total
'''
[record.head]
table = '''
1     text     Mark     !"0"
28    text     Name     agreement.payer_name
'''
[record.payment]
table = '''
1     text     Mark     !"1"
9     text     Account  payment.account
2     digits   Kind     !item.kind in 50 53
12>0  money.2  Amount   payment.amount
5>0   number   Item     = number  key
'''
[record.balance]
table = '''
1     text     Mark     !"1"
9     text     Account  agreement.payer_account
2     digits   Kind     !"13"
12>0  money.2  Amount   = sum(payment.amount)
5     text     Item     "BAL"
'''
[record.total]
table = '''
1     text     Mark     !"7"
12>0  money.2  Credits  = sum(payment.amount)
12>0  money.2  Debits   = sum(payment.amount)
4>0   number   Records  = count(payment balance)
'''
"""


def test_a_balancing_record_is_made_and_checked() -> None:
    """It looks like a payment, takes back what all of them pay, and is none."""
    codec = compile_layout(parse_layout(BALANCED, "balanced"))
    columns: dict[str, list[Any]] = {
        "payment.account": ["123456789", "99"],
        "payment.amount": [15_000, 50],
        "item.kind": ["50", "53"],
    }
    ours = identity(
        count=2, total_minor=15_050, agreement={"payer_name": "CITY TREASURY", "payer_account": "900000001"}
    )
    raw = b"".join(codec.encode(ours, [RecordChunk(record="payment", count=2, columns=columns)]))
    assert raw.splitlines()[3] == b"190000000113000000015050BAL  "
    assert raw.splitlines()[4] == b"70000000150500000000150500003"
    read, _, problems = decode(codec, raw)
    assert (read["payment"]["payment.amount"], problems) == ([15_000, 50], [])
    damaged = raw.replace(b"13000000015050BAL", b"13000000015051BAL")
    assert [(one.code, one.record) for one in decode(codec, damaged)[2]] == [("total-differs", "balance")]
    lines = raw.splitlines(keepends=True)
    with pytest.raises(DecodeError) as caught:
        decode(codec, b"".join([*lines[:3], lines[4]]))
    assert "wanted record payment or record balance" in caught.value.problems[0].message
