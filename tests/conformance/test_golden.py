"""What ships is held against golden files of every shape of answer; each code of the papers is in one."""

from __future__ import annotations

import functools

import pytest

from formats.conformance import Part
from formats.conformance.declared import OUTCOME
from formats.conformance.golden import check_vectors
from formats.conformance.subjects import Subject, load_subject, names_in
from formats.language.model import Layout
from formats.registry import SHIPPED_FOLDER
from tests.conformance.conftest import Bench, told

NAMES = names_in(SHIPPED_FOLDER)


@functools.cache
def subject(name: str) -> Subject:
    loaded = load_subject(name, SHIPPED_FOLDER)
    assert isinstance(loaded, Subject)
    return loaded


def layout(name: str) -> Layout:
    found = subject(name).layout
    assert found is not None
    return found


WITH_CODES = [name for name in NAMES if layout(name).outcome_codes or layout(name).file_codes]


@pytest.mark.parametrize("name", NAMES)
def test_golden_files_say_what_their_json_says(name: str) -> None:
    assert len(subject(name).vectors) > 1
    assert subject(name).problems == []
    assert check_vectors(subject(name)).problems == []


@pytest.mark.parametrize("name", WITH_CODES)
def test_each_code_of_the_paper_occurs_in_a_golden_file(name: str) -> None:
    declared = subject(name).declared
    assert declared is not None
    codes = {code.code for code in declared.of(OUTCOME)}
    assert {code.code for code in layout(name).outcome_codes} <= codes
    seen = {
        row.get("outcome.code")
        for vector in subject(name).vectors
        if vector.content is not None
        for rows in vector.content.records.values()
        for row in rows
    }
    assert codes - seen == set()


def test_a_file_that_is_only_read_is_compared_and_neither_damaged_nor_varied(bench: Bench) -> None:
    name = "comment-style-acknowledgement"
    bench.take(name)
    path = bench.vectors(name) / "accepted.json"
    path.write_text(path.read_text("utf-8").replace("受理成功", "受理失败"), "utf-8")
    report = bench.check(name)
    assert told(report) == {("vectors", "vector-differs")}
    (vectors,) = (part for part in report.parts if part.part is Part.VECTORS)
    (mutation,) = (part for part in report.parts if part.part is Part.MUTATION)
    assert vectors.cases == len(list(bench.vectors(name).glob("*.txt")))
    assert [note.partition(":")[0] for note in mutation.notes] == [f"{name}/rejected.txt"]


def test_files_that_are_only_read_are_not_enough(bench: Bench) -> None:
    name = "comment-style-acknowledgement"
    bench.take(name)
    for path in bench.vectors(name).glob("rejected.*"):
        path.unlink()
    assert ("vectors", "vector-missing") in told(bench.check(name))


@pytest.mark.parametrize("change", [("[1, ", "["), ("[1, ", "[1, 1, ")])
def test_a_row_of_a_table_has_a_cell_for_each_column(bench: Bench, change: tuple[str, str]) -> None:
    name = "plain-payroll-result"
    bench.take(name)
    path = bench.vectors(name) / "all-paid.json"
    text = path.read_text("utf-8")
    assert change[0] in text
    path.write_text(text.replace(*change), "utf-8")
    report = bench.only(name, Part.LINT)
    assert told(report) == {("lint", "vector-json")}
    assert any("row 1 of a table has not 8 cells" in one.message for one in report.parts[0].problems)
