"""Files of layouts beyond the main job, written by hand, byte for byte, and checked both ways."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formats.errors import DecodeError, EncodeError, LayoutError
from formats.language.layout import parse_layout
from formats.reasons import Reason, Status
from formats.records import RecordChunk
from formats.registry import SHIPPED_FOLDER, Registry
from tests.formats.samples import ACCOUNT_ONE, ACCOUNT_TWO, decode, encode, request_chunk
from tests.formats.second_opinion import Opinion, rows

REGISTRY = Registry()
NACHA_PROFILE = {
    "destination": "231380104",
    "origin": "121042882",
    "file_modifier": "A",
    "destination_name": "TEST BANK",
    "origin_name": "TEST OFFICE",
    "service_class": "220",
    "company_name": "TEST OFFICE",
    "company_id": "1210428820",
    "entry_class": "PPD",
    "description": "SUBSIDY",
    "originator": "1",
    "odfi": "12104288",
    "trace_odfi": "12104288",
    "transaction_code": "22",
}
NACHA_REQUEST = (
    b"101 231380104 1210428822601020930A094101TEST BANK              TEST OFFICE                    \n"
    b"5220TEST OFFICE                         1210428820PPDSUBSIDY         260102   1121042880000001\n"
    b"62223138010412345678         0000150000000000700000001ANA SMITH               1121042880000001\n"
    b"705NOVEMBER                                                                        00010000001\n"
    b"622091400606987654321        0000000050000000700000002BO JONES                0121042880000002\n"
    b"82200000030032278070000000000000000000150050                                   121042880000001\n"
    b"9000001000001000000030032278070000000000000000000150050                                       \n"
    + (b"9" * 94 + b"\n")
    * 3
).replace(b"150050                                   12", b"1500501210428820                         12")
NACHA_RESULT = (
    b"101 231380104 1210428822601050930A094101TEST BANK              TEST OFFICE                    \n"
    b"5220TEST OFFICE                         1210428820PPDSUBSIDY         260105   1121042880000001\n"
    b"62123138010412345678         0000150000               ANA SMITH               1231380100000001\n"
    b"799R03121042880000001      23138010                                            231380100000001\n"
    b"621091400606987654321        0000000000               BO JONES                1091400600000002\n"
    b"798C01121042880000002      0914006055554444                                    091400600000002\n"
    b"82200000040032278070000000000000000000150000121042882                          121042880000001\n"
    b"9000001000001000000040032278070000000000000000000150000                                       \n"
    + (b"9" * 94 + b"\n")
    * 2
).replace(b"150000121042882 ", b"1500001210428820")


def nacha_chunk() -> RecordChunk:
    columns: dict[str, list[Any]] = {
        "payment.bank_code": ["231380104", "091400606"],
        "payment.account": ["12345678", "987654321"],
        "payment.amount": [150_000, 50],
        "payment.payee_name": ["ANA SMITH", "BO JONES"],
        "payment.summary": ["NOVEMBER", ""],
    }
    return RecordChunk(record="payment", count=2, columns=columns, lines=range(1, 3))


def test_nacha_request_is_written_as_by_hand() -> None:
    made = encode(REGISTRY.get("nacha-request"), [nacha_chunk()], profile=NACHA_PROFILE)
    assert made.splitlines() == NACHA_REQUEST.splitlines()
    assert made == NACHA_REQUEST


def test_nacha_request_is_read() -> None:
    columns, facts, problems = decode(REGISTRY.get("nacha-request"), NACHA_REQUEST)
    assert problems == []
    ours = nacha_chunk().columns
    assert {name: columns["payment"][name] for name in ours} == ours
    assert columns["payment"]["attempt.item"] == [1, 2]
    assert facts["declared"]["lines / 10"] == 1
    # 23138010 + 9140060, by hand.
    assert facts["declared"]["sum(entry.RDFI iat_entry.RDFI) mod 10^10"] == 32_278_070


def test_nacha_returns_are_outcomes_and_corrections_are_notices() -> None:
    columns, _, problems = decode(REGISTRY.get("nacha-result"), NACHA_RESULT)
    assert problems == []
    payment, notice = columns["payment"], columns["notice"]
    assert (payment["attempt.item"], payment["outcome.code"]) == ([1], ["R03"])
    assert (payment["outcome.status"], payment["outcome.reason"]) == (
        [Status.FAILED],
        [Reason.ACCOUNT_NOT_FOUND],
    )
    assert (payment["payment.account"], payment["outcome.amount"]) == (["12345678"], [150_000])
    assert (notice["attempt.item"], notice["notice.code"], notice["notice.account"]) == (
        [2],
        ["C01"],
        ["55554444"],
    )


def test_nacha_by_construct() -> None:
    for name, raw in (("nacha-request", NACHA_REQUEST), ("nacha-result", NACHA_RESULT)):
        layout = parse_layout((SHIPPED_FOLDER / f"{name}.toml").read_text("utf-8"), name)
        opinion = Opinion(layout)
        records = opinion.parse(raw)
        assert opinion.build(records) == b"".join(
            line for line in raw.splitlines(keepends=True) if line[:4] != b"9999"
        )
        found = rows(records, "entry", {"addenda", "refusal", "correction"})
        assert [row["payment.bank_code"] for row in found] == ["231380104", "091400606"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["231380104", "091400606", "053200019"]),
            st.text("0123456789", min_size=1, max_size=17),
            st.integers(0, 10**9),
            st.text("ABC -.", min_size=1, max_size=22).filter(lambda text: text == text.strip()),
            st.text("XYZ 1", max_size=80).map(str.strip),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_nacha_round_trip_with_a_second_opinion(payments: list[tuple[str, str, int, str, str]]) -> None:
    names = ("bank_code", "account", "amount", "payee_name", "summary")
    columns = {
        f"payment.{name}": list(values)
        for name, values in zip(names, zip(*payments, strict=True), strict=True)
    }
    chunk = RecordChunk(record="payment", count=len(payments), columns=columns)
    total_minor = sum(columns["payment.amount"])
    codec = REGISTRY.get("nacha-request")
    raw = encode(codec, [chunk], count=len(payments), total_minor=total_minor, profile=NACHA_PROFILE)
    read, _, problems = decode(codec, raw)
    assert problems == []
    assert {name: read["payment"][name] for name in columns} == columns
    layout = parse_layout((SHIPPED_FOLDER / "nacha-request.toml").read_text("utf-8"), "nacha")
    records = Opinion(layout).parse(raw)
    assert len(records) == len(raw.splitlines()) - raw.count(b"9" * 94)
    control = {field.title: value for field, value in zip(records[-1][0].fields, records[-1][1], strict=True)}
    assert control["Entry hash"] == sum(int(code[:8]) for code in columns["payment.bank_code"]) % 10**10
    assert (control["Credits"], control["Debits"]) == (total_minor, 0)
    assert control["Blocks"] * 10 == len(raw.splitlines())


CNAB_PROFILE = {
    "bank_number": "077",
    "payer_id_type": "2",
    "payer_id": "99999999000191",
    "payer_agency": "00001",
    "payer_agency_digit": "9",
    "payer_account": "000009999999",
    "payer_account_digit": "9",
    "payer_name": "SECRETARIA DE TESTE",
    "operation": "C",
    "service": "30",
    "form": "01",
    "layout": "046",
    "movement": "0",
    "instruction": "00",
    "clearing": "018",
    "currency": "BRL",
    "quantity": "0" * 15,
}


def cnab_line(*parts: tuple[int, str]) -> bytes:
    """240 bytes with texts at 1-based places, as the paper counts them."""
    line = bytearray(b" " * 240)
    for place, text in parts:
        line[place - 1 : place - 1 + len(text)] = text.encode("ascii")
    return bytes(line) + b"\r\n"


PAYER = ((18, "2"), (19, "99999999000191"), (53, "00001"), (58, "9"), (59, "000009999999"), (71, "9"))
LOT = (*PAYER, (73, "SECRETARIA DE TESTE"))


def cnab(direction: str, first: tuple[tuple[int, str], ...], second: tuple[tuple[int, str], ...]) -> bytes:
    def detail(
        number: int, account: str, name: str, amount: str, reference: str
    ) -> tuple[tuple[int, str], ...]:
        return (
            (1, f"077000130000{number}A00001807700001 {account}"),
            (44, name),
            (74, reference),
            (94, "02012026BRL000000000000000"),
            (120, amount),
        )

    return b"".join(
        (
            cnab_line((1, "07700000"), *LOT, (143, direction), (144, "02012026"), (152, "093000")),
            cnab_line((1, "07700011C3001046"), *LOT),
            cnab_line(
                *detail(1, "0000123456789", "ANA SOUZA", "000000000150000", "00000000000700000001"), *first
            ),
            cnab_line((1, "0770001300002B"), (33, "RUA DAS FLORES")),
            cnab_line(
                *detail(3, "0000987654321", "BENTO LIMA", "000000000000050", "00000000000700000002"), *second
            ),
            cnab_line((1, "07700015"), (18, "000005"), (24, "000000000000150050"), (42, "0" * 18)),
            cnab_line((1, "07799999"), (18, "000001"), (24, "000007")),
        )
    )


CNAB_REQUEST = cnab("1", (), ())
CNAB_RESULT = cnab(
    "2",
    ((155, "02012026"), (163, "0" * 15), (231, "AN")),
    ((155, "02012026"), (163, "0" * 13 + "50"), (231, "00")),
)


def test_cnab_request_is_written_and_read_as_by_hand() -> None:
    columns: dict[str, list[Any]] = {
        "payment.bank_code": ["07700001", "07700001"],
        "payment.account": ["0000123456789", "0000987654321"],
        "payment.payee_name": ["ANA SOUZA", "BENTO LIMA"],
        "payment.amount": [150_000, 50],
        "item.payee_street": ["RUA DAS FLORES", ""],
    }
    chunk = RecordChunk(record="payment", count=2, columns=columns)
    codec = REGISTRY.get("cnab240-payment-request")
    made = encode(codec, [chunk], profile=CNAB_PROFILE)
    assert made.split(b"\r\n") == CNAB_REQUEST.split(b"\r\n")
    read, _, problems = decode(codec, CNAB_REQUEST)
    assert problems == []
    assert {name: read["payment"][name] for name in columns} == columns


def test_cnab_result_has_up_to_five_codes_a_payment() -> None:
    codec = REGISTRY.get("cnab240-payment-result")
    columns, facts, problems = decode(codec, CNAB_RESULT)
    assert problems == []
    payment = columns["payment"]
    assert payment["attempt.reference"] == ["00000000000700000001", "00000000000700000002"]
    assert payment["outcome.code"] == ["AN", "00"]
    assert payment["outcome.status"] == [Status.FAILED, Status.CREDITED]
    assert payment["outcome.value_date"] == [date(2026, 1, 2)] * 2
    assert facts["declared"]["lines"] == 7
    two = decode(codec, CNAB_RESULT.replace(b"00" + b" " * 8 + b"\r\n", b"00AN" + b" " * 6 + b"\r\n"))[0]
    assert two["payment"]["outcome.code"] == ["AN", "00+AN"]
    # A success and a failure of one payment: nobody knows.
    assert two["payment"]["outcome.status"] == [Status.FAILED, Status.UNKNOWN]


PAYROLL_REQUEST = f"{ACCOUNT_ONE}|阿依古丽·买买提|1500.00|\r\n{ACCOUNT_TWO}|東䶮|0.50|\r\n".encode("gb18030")
PAYROLL_RESULT = (
    f"{ACCOUNT_ONE}|阿依古丽·买买提|1500.00|0000||\r\n{ACCOUNT_TWO}|東䶮|0.50|3031|户名不符|\r\n"
).encode("gb18030")


def test_plain_payroll_is_written_and_read_as_by_hand() -> None:
    codec = REGISTRY.get("plain-payroll-request")
    assert encode(codec, [request_chunk()]) == PAYROLL_REQUEST
    columns, _, problems = decode(codec, PAYROLL_REQUEST)
    assert (problems, columns["payment"]["attempt.item"]) == ([], [1, 2])
    assert columns["payment"]["payment.amount"] == [150_000, 50]


def test_plain_payroll_result_is_found_by_place_with_its_echo() -> None:
    codec = REGISTRY.get("plain-payroll-result")
    columns, _, problems = decode(codec, PAYROLL_RESULT.replace(b"\r\n", b"\n"))
    assert problems == []
    payment = columns["payment"]
    assert payment["attempt.item"] == [1, 2]
    assert payment["payment.account"] == [ACCOUNT_ONE, ACCOUNT_TWO]
    assert payment["outcome.status"] == [Status.CREDITED, Status.FAILED]
    assert encode(codec, [RecordChunk(record="payment", count=2, columns=payment)]) == PAYROLL_RESULT


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("<payment.account", "<payment.village", "key-position"),
        ('key     = "position"', 'key = "position"\nsilence = "credited"', "silence-key"),
        ('key     = "position"', 'key = "place"', "key"),
        ("outcome.bank_text  optional", "attempt.reference  key", "key-twice"),
    ],
)
def test_a_place_is_a_key_only_with_its_echo(old: str, new: str, code: str) -> None:
    text = (SHIPPED_FOLDER / "plain-payroll-result.toml").read_text("utf-8")
    assert old in text
    with pytest.raises(LayoutError) as caught:
        parse_layout(text.replace(old, new, 1), "bad")
    assert code in [problem.code for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("nacha-request", NACHA_REQUEST),
        ("nacha-result", NACHA_RESULT),
        ("cnab240-payment-request", CNAB_REQUEST),
        ("cnab240-payment-result", CNAB_RESULT),
    ],
)
def test_a_file_cut_or_doubled_anywhere_is_never_whole(name: str, raw: bytes) -> None:
    """Whatever lines are lost or doubled: an error, or a problem; never a quiet success."""
    codec = REGISTRY.get(name)
    lines = [line for line in raw.splitlines(keepends=True) if line[:4] != b"9999"]
    for number in range(len(lines)):
        for damaged in (
            lines[:number],
            lines[:number] + lines[number + 1 :],
            [*lines[: number + 1], *lines[number:]],
        ):
            try:
                _, _, problems = decode(codec, b"".join(damaged))
            except DecodeError as refusal:
                problems = refusal.problems
            assert problems, number


def test_what_only_a_trailer_says_of_its_lot_is_a_fact_of_the_file() -> None:
    """The rows of a lot have gone out before its trailer is read; nothing in it is read over."""
    marked = CNAB_RESULT.splitlines(keepends=True)
    marked[5] = marked[5][:230] + b"HA        " + marked[5][240:]
    codec = REGISTRY.get("cnab240-payment-result")
    assert decode(codec, CNAB_RESULT)[1].get("group.trailer_occurrences") is None
    assert decode(codec, b"".join(marked))[1]["group.trailer_occurrences"] == "HA"


@pytest.mark.parametrize(
    ("changes", "code", "found"),
    [
        ({"outcome.code": [None]}, "too-few", "0"),
        ({"notice.code": ["C01"], "notice.account": ["55554444"]}, "too-many", "2"),
    ],
)
def test_records_of_any_are_as_many_in_what_is_written_as_in_what_is_read(
    changes: dict[str, list[str | None]], code: str, found: str
) -> None:
    """`any 1..1`: a return without its reason, or a return that is a correction too, cannot be made."""
    codec = REGISTRY.get("nacha-result")
    known, _, _ = decode(codec, NACHA_RESULT)
    columns = {name: values[:1] for name, values in known["payment"].items()} | changes
    one_row = RecordChunk(record="payment", count=1, columns=columns, lines=[3])
    wanted = "at least 1" if code == "too-few" else "at most 1"
    (problem,) = codec.problems(one_row)
    assert (problem.code, problem.found, problem.line) == (code, found, 3)
    assert problem.wanted == f"{wanted} of refusal or correction in a payment"
    with pytest.raises(EncodeError) as caught:
        encode(codec, [one_row], profile=NACHA_PROFILE)
    assert caught.value.problems == [problem]


def test_any_around_lots_wants_at_least_one() -> None:
    with pytest.raises(EncodeError) as caught:
        encode(REGISTRY.get("nacha-request"), [], count=0, total_minor=0, profile=NACHA_PROFILE)
    (problem,) = caught.value.problems
    assert (problem.code, problem.found, problem.wanted) == (
        "too-few",
        "0 records of batch or iat_batch",
        "at least 1",
    )
