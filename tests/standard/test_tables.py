"""Tables for people: in CSV numbers stay numbers, and nothing that a spreadsheet would run comes through."""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from formats.standard import FileFormat, write_table
from formats.standard.amounts import format_yuan

_STARTS = "=+-@\t\r"
_BEGUN = st.tuples(st.sampled_from(_STARTS), st.text(st.characters(exclude_categories=["Cs"]))).map("".join)
_ALMOST = st.from_regex(r"\A[-+][0-9.,eE()+*/ -]+\Z")


def _cell(text: str) -> str:
    """A text as whoever opens the CSV meets it."""
    sink = io.BytesIO()
    write_table(sink, [["title"]], [[text]], FileFormat.CSV, "sheet")
    rows = csv.reader(io.StringIO(sink.getvalue().decode("utf-8-sig"), newline=""))
    return list(rows)[1][0]


@settings(deadline=None)
@given(st.integers(-(10**15), 10**15))
def test_an_amount_is_a_number_whatever_its_sign(amount_minor: int) -> None:
    assert Decimal(_cell(format_yuan(amount_minor))) * 100 == amount_minor


@settings(deadline=None)
@given(_BEGUN | _ALMOST)
def test_what_begins_as_a_formula_is_none_or_a_number(text: str) -> None:
    cell = _cell(text)
    assert cell in (text, "'" + text)
    assert cell[0] == "'" or re.fullmatch(r"-[0-9]+(\.[0-9]+)?", cell, re.ASCII)


def test_a_number_with_anything_beside_it_is_guarded() -> None:
    for text in (
        "-1+1",
        "-1\n",
        "-.5",
        "-1.",
        "-1,000.00",
        "-1e3",
        "-\uff11",
        "--1",
        "-",
        "- 1",
        "+1",
        "-1=A1",
    ):
        assert _cell(text) == "'" + text
