"""Every mistake is found in one pass, with its place, and says what follows from it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from formats.errors import BatchError
from formats.identity import CheckScheme, with_check_digit
from formats.reasons import Reason
from formats.records import Severity
from formats.standard import open_batch
from tests.standard.samples import (
    CARD,
    FIRM,
    HEADER,
    OTHER_PERSON,
    PERSON,
    brief,
    csv_text,
    read,
    read_bytes,
)

WIDE = (
    HEADER
    + ",payee_kind,payee_role,payee_name,payee_id,payee_ground,designation_reference"
    + ",custodian_name,custody_ground,bank_code,village"
)
WIDE_NAMES = WIDE.split(",")


def row(identifier: str, **cells: str) -> str:
    values = {
        "payment_id": identifier,
        "amount": "1.00",
        "bank": "rural-credit",
        "account": CARD,
        "account_kind": "card",
        "beneficiary_name": "张三",
        "beneficiary_id": PERSON,
    } | cells
    return ",".join(values.get(name, "") for name in WIDE_NAMES)


TWENTY_FIVE = [
    (row("P 01"), "payment_id", "payment_id_unreadable"),
    (row(f"P{PERSON}"), "payment_id", "payment_id_personal"),
    (row("P03", amount="-1.00"), "amount", "amount_negative"),
    (row("P04", amount="1.005"), "amount", "amount_decimals"),
    (row("P05", amount='"1,000.00"'), "amount", "amount_separators"),
    (row("P06", amount="壹元"), "amount", "amount_unreadable"),
    (row("P07", amount="0.00"), "amount", "amount_zero"),
    (row("P08", bank=""), "bank", "value_missing"),
    (row("P09", account=""), "account", "account_missing"),
    (row("P10", account=f" {CARD}"), "account", "account_spaces"),
    (row("P11", account="６２３１９９００００００１２０８６７４"), "account", "account_full_width"),
    (row("P12", account="6.23199E+18"), "account", "account_rounded"),
    (row("P13", account="1234567"), "account", "account_invalid"),
    (row("P14", account_kind="gold"), "account_kind", "choice_unknown"),
    (row("P15", beneficiary_name=""), "beneficiary_name", "value_missing"),
    (row("P16", beneficiary_name="张\u200b三"), "beneficiary_name", "control_character"),
    (row("P17", beneficiary_id=PERSON[:17] + "1"), "beneficiary_id", "id_invalid"),
    (row("P18", payee_kind="organisation"), "beneficiary_id", "credit_code_invalid"),
    (row("P19", payee_kind="household"), "payee_role", "household_payee"),
    (
        row("P20", payee_kind="household", payee_role="household_designated"),
        "designation_reference",
        "designation_missing",
    ),
    (row("P21", payee_role="other", payee_name="李四"), "payee_ground", "payee_ground_missing"),
    (row("P22", payee_name="李四"), "payee_name", "payee_name_differs"),
    (row("P23", custodian_name="王五"), "custody_ground", "custody_ground_missing"),
    (row("P24", bank_code="102100099997"), "bank_code", "bank_code_invalid"),
    (row("P25", village="村" * 101), "village", "too_long"),
    ("P26,1.00,rural-credit", "", "row_too_short"),
    (row("P27") + ",more", "", "row_too_long"),
    (row("P03"), "payment_id", "none"),
]


def test_many_different_mistakes_in_one_file_are_all_listed_with_row_and_column(tmp_path: Path) -> None:
    rows = [text for text, _, _ in TWENTY_FIVE]
    first_row = 10
    expected = [
        (first_row + place, column, code)
        for place, (_, column, code) in enumerate(TWENTY_FIVE)
        if code != "none"
    ]
    _, problems, _ = read_bytes(tmp_path, csv_text(rows, 99, "1.00", WIDE))
    whole = [(None, "", "count_differs")]
    assert brief(problems) == expected + whole
    assert len({code for _, _, code in expected}) > 20


def test_no_message_shows_a_name_an_account_or_an_id(tmp_path: Path) -> None:
    rows = [text for text, _, _ in TWENTY_FIVE]
    _, problems, _ = read_bytes(tmp_path, csv_text(rows, 99, "1.00", WIDE))
    for problem in problems:
        shown = repr(problem)
        for secret in (PERSON, PERSON[:17], CARD, "张三", "李四", "王五"):
            assert secret not in shown, problem.code


def test_rows_that_refuse_are_not_among_the_records_and_the_others_are(tmp_path: Path) -> None:
    rows = [row("P1"), row("P 2"), row("P3", amount="x"), row("P4", account=""), "P5", row("P6")]
    columns, problems, lines = read_bytes(tmp_path, csv_text(rows, 6, "5.00", WIDE))
    assert columns["payment.payment_id"] == ["P1", "P4", "P6"]
    assert lines == [10, 13, 15]
    assert [(problem.payment_id, problem.severity) for problem in problems] == [
        ("", Severity.REFUSES),
        ("P3", Severity.REFUSES),
        ("P4", Severity.SETS_ASIDE),
        ("", Severity.REFUSES),
    ]


SET_ASIDE = [
    ({"amount": "0"}, Reason.AMOUNT_INVALID),
    ({"account": ""}, Reason.NO_CARD),
    ({"account": "12 345678901"}, Reason.INVALID_ACCOUNT),
    ({"account": "1" * 33}, Reason.INVALID_ACCOUNT),
    ({"beneficiary_id": ""}, Reason.INVALID_ID),
    ({"beneficiary_id": FIRM}, Reason.INVALID_ID),
    (
        {"payee_kind": "household", "payee_role": "household_head", "payee_id": PERSON[:17]},
        Reason.INVALID_ID,
    ),
    ({"payee_role": "household_head"}, Reason.INVALID_PAYEE),
    ({"payee_role": "other", "payee_ground": "rule 7"}, Reason.INVALID_PAYEE),
    ({"payee_id": OTHER_PERSON}, Reason.INVALID_PAYEE),
    ({"custody_ground": "guardian"}, Reason.INVALID_PAYEE),
    ({"beneficiary_name": ""}, Reason.FIELD_INVALID),
    ({"bank_code": "12"}, Reason.FIELD_INVALID),
    ({"payee_kind": "alien"}, Reason.FIELD_INVALID),
    ({"bank": " rural-credit"}, Reason.FIELD_INVALID),
]


@pytest.mark.parametrize(("cells", "reason"), SET_ASIDE)
def test_what_sets_one_payment_aside_and_why(tmp_path: Path, cells: dict[str, str], reason: Reason) -> None:
    total = "2.00" if "amount" not in cells else "1.00"
    _, problems, lines = read_bytes(tmp_path, csv_text([row("P1", **cells), row("P2")], 2, total, WIDE))
    assert lines == [10, 11]
    aside = [problem for problem in problems if problem.severity is Severity.SETS_ASIDE]
    assert {problem.reason for problem in aside} == {reason}
    assert {(problem.line, problem.payment_id) for problem in problems} == {(10, "P1")}


ACCEPTED = [
    {"amount": "1"},
    {"amount": "1.0"},
    {"beneficiary_id": "110105491231002"},
    {"beneficiary_id": "USA123456789012"},
    {"payee_kind": "organisation", "beneficiary_id": FIRM},
    {"payee_kind": "household", "payee_role": "household_head", "payee_name": "李四"},
    {
        "payee_kind": "household",
        "payee_role": "household_designated",
        "payee_name": "李四",
        "payee_id": OTHER_PERSON,
        "designation_reference": "D-1",
    },
    {"payee_role": "other", "payee_name": "李四", "payee_ground": "rule 7"},
    {"payee_name": "张三", "payee_id": PERSON},
    {"beneficiary_name": "阿•里", "payee_name": "阿·里"},
    {"beneficiary_id": PERSON, "payee_id": "110105491231002"},
    {"custodian_name": "王五", "custody_ground": "guardian"},
    {"bank_code": "102100099996"},
    {"account_kind": "一本通"},
]


@pytest.mark.parametrize("cells", ACCEPTED)
def test_what_is_no_mistake(tmp_path: Path, cells: dict[str, str]) -> None:
    _, problems, lines = read_bytes(tmp_path, csv_text([row("P1", **cells), row("P2")], 2, "2.00", WIDE))
    assert (problems, lines) == ([], [10, 11])


def test_ids_that_look_strange_only_warn(tmp_path: Path) -> None:
    unknown = with_check_digit(CheckScheme.CITIZEN, "16010519491231002")
    unborn = with_check_digit(CheckScheme.CITIZEN, "11010520991231002")
    rows = [
        row("P1", beneficiary_id=unknown),
        row("P2", beneficiary_id=unborn),
        row("P3", beneficiary_id=PERSON.lower()),
        row("P4", village=" east"),
        row("P5", beneficiary_name="李\ue863"),
    ]
    path = tmp_path / "batch.csv"
    path.write_text(csv_text(rows, 5, "5.00", WIDE), encoding="utf-8")
    columns, problems, _ = read(open_batch(path, today=date(2026, 9, 1)))
    assert [(problem.line, problem.code, problem.severity) for problem in problems] == [
        (10, "id_region_unknown", Severity.WARNS),
        (11, "id_birth_in_future", Severity.WARNS),
        (12, "id_lower_case", Severity.WARNS),
        (13, "spaces_around", Severity.WARNS),
        (14, "legacy_character", Severity.WARNS),
    ]
    assert columns["payment.beneficiary_id"] == [unknown, unborn, PERSON, PERSON, PERSON]
    assert read(open_batch(path))[1] == [problem for problem in problems if problem.line != 11]


PERSONAL = [
    (f"X{CARD}", True),
    (f"2026-{OTHER_PERSON}", True),
    (f"2026-{OTHER_PERSON.replace('X', 'x')}-1", True),
    ("370902202609010017", False),
    ("37090219900101123", False),
    ("P-20260901-000001", False),
    ("2026-张三-1", True),
    ("低保-2026-1", False),
]


@pytest.mark.parametrize(("identifier", "personal"), PERSONAL)
def test_names_and_personal_numbers_in_a_payment_id(tmp_path: Path, identifier: str, personal: bool) -> None:
    _, problems, _ = read_bytes(tmp_path, csv_text([row(identifier)], 1, "1.00", WIDE))
    assert brief(problems) == ([(10, "payment_id", "payment_id_personal")] if personal else [])
    assert all(problem.payment_id == "" for problem in problems)


def test_repeated_ids_are_named_with_both_rows_even_in_different_chunks(tmp_path: Path) -> None:
    rows = [row(f"P{number}") for number in range(3000)]
    rows[2500], rows[2501] = row("P7"), row("P7")
    _, problems, _ = read_bytes(tmp_path, csv_text(rows, 3000, "3000.00", WIDE))
    assert [(problem.code, problem.line, problem.message) for problem in problems] == [
        ("payment_id_repeated", 2510, "row 2510 payment_id: the same as in row 17"),
        ("payment_id_repeated", 2511, "row 2511 payment_id: the same as in row 17"),
    ]


@pytest.mark.parametrize(
    ("count", "total", "codes"),
    [
        (2, "2.00", []),
        (3, "2.00", ["count_differs"]),
        (2, "2.01", ["total_differs"]),
        (1, "1.00", ["count_differs", "total_differs"]),
    ],
)
def test_count_and_total_cover_good_and_bad_rows(
    tmp_path: Path, count: int, total: str, codes: list[str]
) -> None:
    rows = [row("P1", account="1"), row("P2")]
    _, problems, _ = read_bytes(tmp_path, csv_text(rows, count, total, WIDE))
    assert [problem.code for problem in problems] == ["account_invalid", *codes]


BROKEN_HEADS = {
    "": ["file_empty"],
    "payment_id,amount\nP1,1.00\n": ["envelope_missing"],
    csv_text([], 1, "1.00").replace("B-1", "B 1"): ["envelope_value_invalid"],
    csv_text([], 1, "1.00").replace("B-1", f"B{PERSON}"): ["envelope_value_invalid"],
    csv_text([], 1, "1.00").replace("declared_total,1.00", "declared_total,1"): [],
    csv_text([], 1, "1.00").replace("declared_total,1.00", "declared_total,¥1"): ["envelope_value_invalid"],
    csv_text([], 1, "1.00").replace("declared_count,1", "declared_count,one"): ["envelope_value_invalid"],
    csv_text([], 1, "1.00").replace("period", "fee"): ["envelope_key_unknown"],
    csv_text([], 1, "1.00").replace("period", "programme"): ["envelope_key_repeated"],
    csv_text([], 1, "1.00").replace("declared_total,1.00\n", "").replace("source_platform,yikatong\n", ""): [
        "envelope_key_missing",
        "envelope_key_missing",
    ],
    csv_text([], 1, "1.00").replace("\n\n", "\n"): ["envelope_row_invalid"],
    csv_text([], 1, "1.00").split(HEADER)[0]: ["header_missing"],
    csv_text([row("P1")], 1, "1.00").replace(HEADER + "\n", ""): ["header_missing"],
    csv_text([], 1, "1.00", HEADER.replace("account,", "acount,")): ["column_unknown", "column_missing"],
    csv_text([], 1, "1.00", HEADER + ",手机,fee"): ["column_unknown", "column_unknown"],
    csv_text([], 1, "1.00", HEADER + ",姓名"): ["column_repeated"],
    csv_text([], 1, "1.00", HEADER.replace("amount", "amount_minor")): ["column_unknown", "column_missing"],
}


@pytest.mark.parametrize(
    ("batch_id", "personal"),
    [(f"B-{CARD}", True), ("张三", True), (CARD[:8], False), ("低保-2026", False), ("20260901000000", False)],
)
def test_a_batch_id_that_names_one_of_its_payees(tmp_path: Path, batch_id: str, personal: bool) -> None:
    content = csv_text([row("P1")], 1, "1.00", WIDE).replace("batch_id,B-1", f"batch_id,{batch_id}")
    _, problems, _ = read_bytes(tmp_path, content)
    assert [problem.code for problem in problems] == ["batch_id_personal"] * personal
    assert [problem.message for problem in problems if batch_id in problem.message] == []


def test_a_persons_cell_among_the_headers_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "batch.csv"
    path.write_text(csv_text([], 1, "1.00", f"{HEADER},李四,手机,{CARD}"), encoding="utf-8")
    with pytest.raises(BatchError) as caught:
        open_batch(path)
    assert [problem.message for problem in caught.value.problems] == [
        "row 9 column 8, 2 characters (hanzi): no such column",
        "row 9 手机: no such column",
        f"row 9 {'*' * len(CARD)}: no such column",
    ]


@pytest.mark.parametrize(("content", "codes"), BROKEN_HEADS.items(), ids=range(len(BROKEN_HEADS)))
def test_a_broken_envelope_or_header_says_everything_at_once(
    tmp_path: Path, content: str, codes: list[str]
) -> None:
    path = tmp_path / "batch.csv"
    path.write_text(content, encoding="utf-8")
    if not codes:
        open_batch(path).close()
        return
    with pytest.raises(BatchError) as caught:
        open_batch(path)
    assert [problem.code for problem in caught.value.problems] == codes
    assert all(problem.severity is Severity.REFUSES for problem in caught.value.problems)
    assert PERSON not in str(caught.value)


def test_a_file_that_is_not_there_is_a_batch_error(tmp_path: Path) -> None:
    with pytest.raises(BatchError, match=r"nowhere\.csv: No such file or directory"):
        open_batch(tmp_path / "nowhere.csv")
    with pytest.raises(BatchError, match="Is a directory"):
        open_batch(tmp_path)


def test_a_gbk_file_is_refused_with_line_byte_and_hint(tmp_path: Path) -> None:
    path = tmp_path / "batch.csv"
    rows = [row(f"P{number}", beneficiary_name="John") for number in range(2000)]
    content = csv_text([*rows, row("P2000")], 2001, "2001.00", WIDE)
    path.write_bytes(content.encode("gbk"))
    _, problems, _ = read(open_batch(path))
    content = path.read_bytes()
    offset = content.index("张三".encode("gbk"))
    line = content.count(b"\n", 0, offset) + 1
    assert [(problem.code, problem.line, problem.message) for problem in problems] == [
        ("encoding_invalid", line, f"line {line} byte {offset + 1}: found 0xd5, wanted UTF-8")
    ]
    assert "GBK" in problems[0].hint


def test_a_gbk_header_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "batch.csv"
    path.write_bytes("批次号,B1\r\n".encode("gbk"))
    with pytest.raises(BatchError, match="line 1 byte 1: found 0xc5, wanted UTF-8"):
        open_batch(path)


def test_nul_bytes_are_named(tmp_path: Path) -> None:
    content = csv_text([row("P1"), row("P2", village="a\0b")], 2, "2.00", WIDE)
    _, problems, _ = read_bytes(tmp_path, content)
    offset = content.encode().index(b"\0") + 1
    assert [(problem.code, problem.line) for problem in problems] == [
        ("control_character", 11),
        ("nul_byte", 11),
    ]
    assert problems[-1].message == f"line 11 byte {offset}: found a NUL byte, wanted text"
    assert problems[-1].severity is Severity.REFUSES


@pytest.mark.parametrize("cut", range(1, 400, 7))
def test_a_file_cut_anywhere_never_passes(tmp_path: Path, cut: int) -> None:
    rows = [row(f"P{number}", village='"east, 1"') for number in range(4)]
    content = csv_text(rows, 4, "4.00", WIDE).encode()
    path = tmp_path / "batch.csv"
    path.write_bytes(content[:-cut])
    try:
        _, problems, _ = read(open_batch(path))
    except BatchError:
        return
    if cut == 1:
        assert [problem.code for problem in problems] == ["line_end_missing"]
    else:
        assert Severity.REFUSES in {problem.severity for problem in problems}


def test_an_open_quote_that_swallows_the_rest_is_a_cut_file(tmp_path: Path) -> None:
    rows = [row("P1"), row("P2", village='"east'), row("P3")]
    _, problems, lines = read_bytes(tmp_path, csv_text(rows, 3, "3.00", WIDE))
    assert brief(problems) == [(11, "", "file_cut")]
    assert lines == [10]


def test_broken_quotes_in_one_row_do_not_hide_the_mistakes_after_it(tmp_path: Path) -> None:
    rows = [row("P1"), row("P2", village='"east"side'), row("P3", account="1")]
    _, problems, lines = read_bytes(tmp_path, csv_text(rows, 3, "3.00", WIDE))
    assert brief(problems) == [(11, "", "quoting_invalid"), (12, "account", "account_invalid")]
    assert lines == [10, 12]


def test_a_batch_without_payments_is_refused(tmp_path: Path) -> None:
    _, problems, _ = read_bytes(tmp_path, csv_text([], 0, "0.00"))
    assert [problem.code for problem in problems] == ["batch_empty"]


def test_a_payment_that_neither_row_nor_envelope_places_is_set_aside(tmp_path: Path) -> None:
    content = csv_text([row("P1")], 1, "1.00", WIDE).replace("programme,subsistence\n", "")
    _, problems, _ = read_bytes(tmp_path, content)
    assert brief(problems) == [(9, "programme", "value_missing")]
    assert problems[0].severity is Severity.SETS_ASIDE
