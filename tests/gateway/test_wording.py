"""Which words of a bank stand in the ledger in clear, and which are sealed and described."""

from __future__ import annotations

import msgspec
import pytest

from formats import Reason, Status
from formats.identity import CheckScheme, with_check_digit
from gateway.settlement.judge import Columns
from gateway.wording import Wording, is_code
from tests.gateway.sites import CITY
from tests.simulator.banks import profile

CARD = with_check_digit(CheckScheme.LUHN, "623192000000120867")
OTHER_CARD = with_check_digit(CheckScheme.LUHN, "622848000000120867")
PERSON = "11010519491231002X"
WORDING = Wording(profile(CITY))
NO_PREFIXES = Wording(
    msgspec.structs.replace(
        profile(CITY),
        accounts=msgspec.structs.replace(
            profile(CITY).accounts, card=msgspec.structs.replace(profile(CITY).accounts.card, prefixes=[])
        ),
    )
)


@pytest.mark.parametrize("code", ["", "S", "0130Z1101007", "RJCT/AC01", "-1", "NN1CA999", "E 17", "1234567"])
def test_codes(code: str) -> None:
    assert is_code(code)


@pytest.mark.parametrize("words", ["户名不符", "张三", "12345678", f"RJCT/{CARD}", "x" * 41, "A|B", "A\n"])
def test_words_in_place_of_a_code(words: str) -> None:
    assert not is_code(words)


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("2026090100000017", "2026090100000017"),
        ("DFTS000001_20260901_00000001_R1.bxt", "DFTS000001_20260901_00000001_R1.bxt"),
        (CARD, "(19 characters (digits))"),
        (f"R-{CARD}.txt", "(25 characters (digits, letters, signs))"),
        (PERSON, "(18 characters (digits, letters))"),
        (PERSON.lower(), "(18 characters (digits, letters))"),
        ("110105491231002", "(15 characters (digits))"),
        ("张三.txt", "(6 characters (hanzi, letters, signs))"),
        (OTHER_CARD, OTHER_CARD),
    ],
)
def test_serials_and_names_of_files(word: str, shown: str) -> None:
    assert WORDING.word(word) == shown


def test_without_prefixes_any_card_number_is_hidden() -> None:
    assert [NO_PREFIXES.names_nobody(word) for word in (CARD, OTHER_CARD, "6228480000001208670")] == [
        False,
        False,
        True,
    ]


def test_two_hidden_names_of_files_are_told_apart() -> None:
    first, second = WORDING.file_name("张三.txt"), WORDING.file_name("李四.txt")
    assert first != second
    assert first.startswith("(6 characters (hanzi, letters, signs)) sha256:")


def _columns(codes: list[str], reasons: list[Reason], serials: list[str], texts: list[str]) -> Columns:
    count = len(codes)
    return Columns(
        statuses=[Status.UNKNOWN] * count,
        reasons=reasons,
        amounts=[None] * count,
        accounts=None,
        names=None,
        codes=codes,
        serials=serials,
        texts=texts,
        value_dates=[None] * count,
        fees=[0] * count,
    )


def test_what_names_somebody_moves_into_the_sealed_text() -> None:
    codes = ["S", "张三销户", "户名不符", "ZZ9"]
    reasons = [Reason.NONE, Reason.UNMAPPED, Reason.NAME_MISMATCH, Reason.UNMAPPED]
    serials = ["S1", "", CARD, "90200015550000123456"]
    columns = _columns(codes, reasons, serials, ["", "请核实", "", ""])
    sealed = WORDING.seal_words(columns, ["", "", "", "90200015550000123456"])
    # A listed code stays, whatever it looks like; so does an unlisted one in the shape of a code.
    assert sealed.codes == ["S", "(4 characters (hanzi))", "户名不符", "ZZ9"]
    assert sealed.serials == ["S1", "", "(19 characters (digits))", "(20 characters (digits))"]
    assert sealed.texts == ["", "[张三销户] 请核实", f"[{CARD}]", "[90200015550000123456]"]


def test_plain_columns_stay_the_same_object() -> None:
    columns = _columns(["S", "F44"], [Reason.NONE, Reason.ACCOUNT_CLOSED], ["", "S-17"], ["", "x"])
    assert WORDING.seal_words(columns, ["1", "2"]) is columns
