"""Patterns of file names: made, read back, and refused."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.configuration.name_pattern import NameMatch, PatternError, name_pattern

DAY = date(2026, 3, 9)
NOON = datetime(2026, 3, 9, 12, 34, 56, tzinfo=UTC)
VALUES: dict[str, str | int | date | datetime] = {
    "sequence": 42,
    "bank_day": DAY,
    "created_at": NOON,
    "bank": "rural",
    "unit_no": "U7",
}


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("DF{unit_no}{bank_day:%Y%m%d}{sequence:06d}.txt", "DFU720260309000042.txt"),
        ("{bank_day:%y%j}-{sequence}.xml", "26068-42.xml"),
        ("{bank}_{created_at:%H%M%S}_{sequence:04d}", "rural_123456_0042"),
        ("代发{sequence:03d}.bxt", "代发042.bxt"),
    ],
)
def test_a_name_is_made(pattern: str, name: str) -> None:
    assert name_pattern(pattern).format(VALUES) == name


@pytest.mark.parametrize(
    ("pattern", "values", "message"),
    [
        ("{sequence:02d}", {"sequence": 100}, "sequence 100 does not fit {sequence:02d}"),
        ("{unit_no}{sequence:02d}", {"sequence": 1}, "no value for {unit_no}"),
        ("{unit_no}{sequence:02d}", {"sequence": 1, "unit_no": ""}, "{unit_no} is empty"),
        (
            "{unit_no}{sequence:02d}",
            {"sequence": 1, "unit_no": "../up"},
            "file name '../up01': is empty or starts with a dot",
        ),
        (
            "{unit_no}{sequence:02d}",
            {"sequence": 1, "unit_no": "a/b"},
            "file name 'a/b01': has a character other than letters, digits and ._-+=@,~#",
        ),
        (
            "{unit_no}{sequence:02d}",
            {"sequence": 1, "unit_no": "U" * 199},
            f"file name '{'U' * 199}01': is longer than 200 bytes",
        ),
    ],
    ids=["too wide", "absent", "empty", "dots", "slash", "long"],
)
def test_a_name_that_cannot_be_made(pattern: str, values: dict[str, str | int], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        name_pattern(pattern).format(values)


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        (
            "DF{unit_no}{bank_day:%Y%m%d}{sequence:06d}.res",
            "DFU720260309000042.res",
            NameMatch(
                values={"unit_no": "U7", "bank_day": "20260309", "sequence": "000042"},
                sequence=42,
                bank_day=DAY,
            ),
        ),
        ("{name}.res", "DF1.txt.res", NameMatch(values={"name": "DF1.txt"})),
        ("R{stem}_{number:3}.TXT", "RDF.1_007.TXT", NameMatch(values={"stem": "DF.1"})),
        ("R_{any}_{sequence}", "R_x-9_12", NameMatch(values={"sequence": "12"}, sequence=12)),
        (
            "{bank_day:%m%d}{sequence:02d}",
            "030901",
            NameMatch(values={"bank_day": "0309", "sequence": "01"}, sequence=1),
        ),
        ("{bank_day:%y%j}.r", "26068.r", NameMatch(values={"bank_day": "26068"}, bank_day=DAY)),
        ("A.{sequence}", "AB1", None),
        ("A{sequence:02d}", "A001", None),
        ("A{sequence:02d}", "A01\n", None),
        ("A{sequence:02d}", "A٠١", None),
        ("A{sequence:02d}", "xA01", None),
        ("A{bank_day:%Y%m%d}", "A20260230", None),
        ("A{any}", "A../x", None),
        ("A{name}", "A../x", None),
        ("A{name}", "A.x", None),
        ("A{any}", f"A{'x' * 200}", None),
    ],
)
def test_a_name_is_read_back(pattern: str, name: str, expected: NameMatch | None) -> None:
    assert name_pattern(pattern).match(name) == expected


@pytest.mark.parametrize("fields", [4, 9])
def test_a_pattern_that_a_hostile_name_could_keep_busy_is_refused(fields: int) -> None:
    """Twenty seconds and more for one name of dashes, with five fields of any length."""
    with pytest.raises(PatternError, match="at most 3 fields without a width"):
        name_pattern("-".join(["{any}"] * fields))


def test_a_pattern_of_which_every_name_is_too_long_is_refused() -> None:
    with pytest.raises(PatternError, match="no name of at most 200 characters"):
        name_pattern("x" * 199 + "{sequence:02d}")


def test_a_name_of_ours_may_have_any_number_of_fields() -> None:
    assert name_pattern("{a}-{b}-{c}-{d}").format({"a": "1", "b": "2", "c": "3", "d": "4"}) == "1-2-3-4"


@given(
    st.integers(0, 999_999),
    st.dates(min_value=date(1000, 1, 1)),
    st.from_regex("[A-Za-z0-9_-]{1,9}", fullmatch=True),
)
def test_what_is_made_is_read_back(sequence: int, day: date, unit_no: str) -> None:
    pattern = name_pattern("x{unit_no}{bank_day:%Y%m%d}{sequence:06d}.txt")
    match = pattern.match(pattern.format({"unit_no": unit_no, "bank_day": day, "sequence": sequence}))
    assert match is not None
    assert (match.values["unit_no"], match.bank_day, match.sequence) == (unit_no, day, sequence)


@given(st.text(max_size=12))
def test_any_pattern_is_parsed_or_refused_in_words(text: str) -> None:
    try:
        mistakes = [] if name_pattern(text).text == text else ["another pattern"]
    except PatternError as error:
        mistakes = [] if error.mistakes else ["refused without a word"]
    assert mistakes == []


@pytest.mark.parametrize(
    ("pattern", "mistakes"),
    [
        ("", ["the pattern is empty"]),
        (".x{sequence}", ["a file name may not start with a dot"]),
        ("a/b{sequence}", ["'/' may not stand in a file name"]),
        ("a{sequence", ["'{' may not stand in a file name"]),
        ("a{sequence.real}", ["{sequence.real} is no field: wanted a name of lower-case letters"]),
        ("a{sequence[0]}", ["{sequence[0]} is no field: wanted a name of lower-case letters"]),
        ("a{sequence!r}", ["{sequence!r} is no field: wanted a name of lower-case letters"]),
        ("a{sequence:x}", ["{sequence:x}: wanted a width such as 06d"]),
        ("a{bank_day}", ["{bank_day:}: wanted a format made of %Y %y %m %d %j"]),
        ("a{bank_day:%H}", ["{bank_day:%H}: wanted a format made of %Y %y %m %d %j"]),
        ("a{bank_day:%Y-%m}", ["{bank_day:%Y-%m}: wanted a format made of %Y %y %m %d %j"]),
        ("a{bank_day:%m%m}", ["{bank_day:%m%m}: a part of the date occurs twice"]),
        ("a{unit_no:5}", ["{unit_no:5}: this field takes no format"]),
        ("a{any:x}", ["{any:x}: wanted a number of characters such as 3"]),
        ("a{sequence}-{sequence}", ["{sequence} occurs twice"]),
        ("{unit_no}{sequence}", ["{unit_no} runs into {sequence}: put a separator between, or give a width"]),
    ],
)
def test_a_pattern_that_is_refused(pattern: str, mistakes: list[str]) -> None:
    with pytest.raises(PatternError) as caught:
        name_pattern(pattern)
    assert caught.value.mistakes == mistakes


def test_a_field_that_is_not_known_here_is_refused() -> None:
    with pytest.raises(PatternError) as caught:
        name_pattern("{secuence:06d}", frozenset({"sequence", "bank"}))
    assert caught.value.mistakes == ["{secuence} is not known here: wanted one of bank, sequence"]
