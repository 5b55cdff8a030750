"""The kit finds what it must find, and says where; what is right passes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from formats import Reason, Status
from formats.conformance import Effort, FormatReport, Part, check_folder
from formats.registry import SHIPPED_FOLDER
from tests.conformance.conftest import QUICK, Bench, told
from tests.formats import dtaus


def part(report: FormatReport, wanted: Part) -> list[str]:
    """Messages of one part."""
    return [problem.message for one in report.parts if one.part is wanted for problem in one.problems]


@pytest.mark.parametrize(
    "name",
    [
        "rural-credit-result",
        "comment-style-result",
        "plain-payroll-result",
        "iso20022-pain002-acknowledgement",
    ],
)
def test_layouts_that_ship_conform(name: str) -> None:
    [report] = check_folder(SHIPPED_FOLDER, [name], QUICK)
    assert told(report) == set()
    tried = {one.part for one in report.parts if one.cases}
    assert {Part.VECTORS, Part.ROUND_TRIP, Part.MUTATION} <= tried


@pytest.mark.heavy
@pytest.mark.timeout(900)
def test_every_layout_that_ships_conforms() -> None:
    assert {report.name: told(report) for report in check_folder(SHIPPED_FOLDER) if told(report)} == {}


# Mistakes in a layout: each is told with its file and, where it has one, its line.


def test_a_gap_is_found(bench: Bench) -> None:
    line = '1      text     业务种类    "4"                           @22\n'
    bench.take("rural-credit-request", (line, ""))
    report = bench.check("rural-credit-request")
    assert ("load", "offset") in told(report)
    assert all(message.startswith("rural-credit-request.toml line ") for message in part(report, Part.LOAD))


def test_a_width_that_nothing_asserts_is_found(bench: Bench) -> None:
    bench.take("rural-credit-result", ("record_bytes = 162\n", ""))
    report = bench.only("rural-credit-result", Part.LINT)
    assert told(report) == {("lint", "width-unasserted")}
    assert "record.payment" in part(report, Part.LINT)[0]


def test_a_wrong_width_is_found_by_the_banks_own_file(bench: Bench) -> None:
    bench.take(
        "rural-credit-result",
        ("record_bytes = 162", "record_bytes = 160"),
        (
            "20     text     户名        <payment.payee_name",
            "18     text     户名        <payment.payee_name",
        ),
    )
    report = bench.check("rural-credit-result")
    assert ("vectors", "vector-refused") in told(report)
    assert "line 2" in part(report, Part.VECTORS)[0]


def test_a_code_of_the_paper_that_is_not_mapped_is_found(bench: Bench) -> None:
    bench.take("rural-credit-result")
    codes = bench.folder / "rural-credit-result.codes"
    codes.write_text(
        codes.read_text("utf-8").replace("[file]", "88   新原因\n\n[file]\n0199   新原因"), "utf-8"
    )
    report = bench.only("rural-credit-result", Part.CODES)
    assert told(report) == {("codes", "code-unmapped")}
    first, second = part(report, Part.CODES)
    assert first.startswith("rural-credit-result.codes line 33: 88 ")
    assert second.startswith("rural-credit-result.codes line 36: 0199 ")


def test_a_code_of_the_paper_may_be_left_to_a_person(bench: Bench) -> None:
    bench.take("rural-credit-result")
    codes = bench.folder / "rural-credit-result.codes"
    codes.write_text(codes.read_text("utf-8").replace("[file]", "88   unmapped   新原因\n[file]"), "utf-8")
    assert told(bench.only("rural-credit-result", Part.CODES)) == set()


def test_a_code_default_is_found(bench: Bench) -> None:
    path = bench.take(
        "rural-credit-result", ("90        unknown      IN_PROGRESS\n", "*   failed   SYSTEM\n")
    )
    report = bench.check("rural-credit-result")
    line = path.read_text("utf-8").split("\n").index("*   failed   SYSTEM") + 1
    assert told(report) == {("load", "code-default")}
    assert part(report, Part.LOAD) == [f"rural-credit-result.toml line {line}: `*` mapped to a meaning"]


def test_a_padded_success_is_found(bench: Bench) -> None:
    bench.take(
        "nacha-result",
        ("R02    failed     ACCOUNT_CLOSED", "blank  credited\nR02    failed     ACCOUNT_CLOSED"),
    )
    report = bench.check("nacha-result")
    assert told(report) == {("load", "code-padded")}
    assert "in a record that may be missing" in part(report, Part.LOAD)[0]


def test_records_of_several_widths_conform(bench: Bench) -> None:
    """Each byte of a file without line ends changed, each record lost or doubled: always found."""
    (bench.folder / "exchange.toml").write_text(dtaus.LAYOUT, "utf-8")
    payments = [
        dtaus.payment_values(1, "1234567", "KRAUSE", 150_000, ["BEIHILFE"]),
        dtaus.payment_values(2, "7654321", "KINDERHILFEZENTRUMBERLINOSTWEST", 50, ["A", "B", "C"]),
    ]
    rows = [
        {
            "attempt.item": one["item"],
            "payment.account": str(one["account"]),
            "payment.bank_code": "10000001",
            "payment.amount": one["amount"],
            "payment.payee_name": one["name"]
            + "".join(part["text"] for part in one["parts"] if part["kind"] == 1),
            "payment.summary": "; ".join(
                [one["purpose"], *(part["text"] for part in one["parts"] if part["kind"] == 2)]
            ),
        }
        for one in payments
    ]
    declared = {"count(payment)": 2, "sum(payment.amount)": 150_050}
    declared |= {"sum(payment.Account)": 8_888_888, "sum(payment.Bank)": 20_000_002}
    facts = {
        "declared": declared,
        "profile.bank_code": "20000002",
        "agreement.payer_name": "STADTKASSE",
        "agreement.payer_account": "998877",
        "file.created_on": "2026-01-02",
        "file.bank_day": "2026-01-02",
    }
    meaning = {"records": {"payment": rows}, "facts": facts}
    bench.write("exchange", "two.dta", dtaus.file_bytes(payments), meaning)
    assert told(bench.check("exchange")) == set()


# Bugs in a codec, one at a time: the part that finds each.


def test_a_codec_in_code_that_is_right_conforms(in_code: Callable[[str], Bench]) -> None:
    bench = in_code("")
    for name in ("line-request", "line-result"):
        report = bench.check(name)
        assert (report.kind, told(report)) == ("code", set())


@pytest.mark.parametrize(
    ("name", "bug", "found"),
    [
        ("line-request", "cut", {("round-trip", "round-trip"), ("limits", "limit")}),
        ("line-result", "default", {("codes", "code-default")}),
        ("line-result", "padded", {("mutation", "cut-padded")}),
        ("line-result", "crash", {("mutation", "crash")}),
        ("line-result", "unseen", {("mutation", "byte-unseen")}),
        ("line-request", "wraps", {("totals", "totals-overflow")}),
        ("line-request", "replaces", {("round-trip", "round-trip"), ("limits", "limit")}),
        ("line-result", "dedupes", {("mutation", "line-unseen")}),
        ("line-request", "columns", {("round-trip", "crash")}),
    ],
)
def test_a_bug_is_found(
    in_code: Callable[[str], Bench], name: str, bug: str, found: set[tuple[str, str]]
) -> None:
    assert found <= told(in_code(bug).check(name, Effort(changes=4, speed_rows=0)))


def test_totals_that_nobody_checks_are_seen_in_the_report(in_code: Callable[[str], Bench]) -> None:
    """A total that may be any number is a byte that means something and that nothing notices."""
    assert ("mutation", "byte-unseen") in told(in_code("forgets").check("line-result"))


def test_a_table_that_maps_what_it_does_not_list_is_found(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.take("rural-credit-result")
    monkeypatch.setattr("formats.codes.UNMAPPED", (Status.FAILED, Reason.ACCOUNT_CLOSED))
    assert {("codes", "code-default"), ("mutation", "code-default")} <= told(
        bench.check("rural-credit-result")
    )


def test_bytes_that_mean_nothing_are_told_with_the_reason(bench: Bench) -> None:
    bench.take("rural-credit-result")
    [mutation] = [one for one in bench.check("rural-credit-result").parts if one.part is Part.MUTATION]
    reasons = {(one.where, one.why) for one in mutation.meaningless}
    assert ("payment 状态", "the layout says `ignored`") in reasons
    assert ("header 总笔数", "a blank or a zero before a number is the same number") in reasons


def test_bytes_of_a_codec_in_code_may_be_listed_as_meaningless(in_code: Callable[[str], Bench]) -> None:
    bench = in_code("unseen")
    path = bench.vectors("line-result") / "two.json"
    stars = [place + 1 for place, byte in enumerate((path.with_suffix(".txt")).read_bytes()) if byte == 0x2A]
    listed = ", ".join(f'{{"first": {place}, "last": {place}, "why": "end mark"}}' for place in stars)
    path.write_text(
        path.read_text("utf-8").replace('{"records"', f'{{"meaningless": [{listed}], "records"'), "utf-8"
    )
    assert told(bench.check("line-result")) == set()


# What belongs to a format.


def test_a_format_without_golden_files_does_not_conform(bench: Bench) -> None:
    (bench.folder / "rural-credit-request.toml").write_text(
        (SHIPPED_FOLDER / "rural-credit-request.toml").read_text("utf-8"), "utf-8"
    )
    assert told(bench.check("rural-credit-request")) == {("vectors", "vector-missing")}


def test_a_result_without_a_failure_in_its_golden_files_does_not_conform(bench: Bench) -> None:
    bench.take("plain-payroll-result")
    path = bench.vectors("plain-payroll-result") / "paid-and-failed.txt"
    for other in bench.vectors("plain-payroll-result").iterdir():
        if other.stem != path.stem:
            other.unlink()
    path.write_bytes(path.read_bytes().split(b"\r\n")[0] + b"\r\n")
    text = path.with_suffix(".json")
    rows = text.read_text("utf-8")
    start, end = rows.index(",", rows.index("}")), rows.index("]")
    text.write_text(rows[:start] + rows[end:], "utf-8")
    report = bench.check("plain-payroll-result")
    assert told(report) == {("vectors", "vector-coverage")}
    assert part(report, Part.VECTORS) == [
        "plain-payroll-result: no golden file has a payment that was not credited"
    ]


def test_vectors_that_belong_to_nothing_are_found(bench: Bench) -> None:
    bench.write("no-such-format", "a.txt", b"a", {})
    [report] = check_folder(bench.folder)
    assert told(report) == {("load", "format-missing")}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda path: path.with_suffix(".json").unlink(), "vector-meaning"),
        (lambda path: path.unlink(), "vector-file"),
        (lambda path: _replace(path, "{", '{"draft": true, '), "vector-draft"),
        (lambda path: _replace(path, '"records"', '"recods"'), "vector-json"),
        (lambda path: _replace(path, "{", '{"identity": {"sequense": 1}, '), "vector-json"),
        (lambda path: _replace(path, "150000", "150001"), "vector-differs"),
        (lambda path: _replace(path, "{", '{"problems": ["total-differs"], '), "vector-differs"),
        (lambda path: _replace(path, "{", '{"refused": {"code": "file-cut"}, '), "vector-differs"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "vector-refused"),
        (lambda path: path.write_bytes(path.read_bytes().replace(b"| |", b"|X|", 1)), "rewritten-differs"),
    ],
)
def test_a_vector_that_is_wrong_is_found(bench: Bench, change: Callable[[Path], object], code: str) -> None:
    bench.take("rural-credit-result")
    change(bench.vectors("rural-credit-result") / "paid-and-failed.txt")
    found = [bench.only("rural-credit-result", part) for part in (Part.LINT, Part.VECTORS)]
    assert code in {one for report in found for _, one in told(report)}


def test_a_file_that_must_be_refused_is_a_vector_too(bench: Bench) -> None:
    bench.take("rural-credit-result")
    raw = (bench.vectors("rural-credit-result") / "paid-and-failed.txt").read_bytes()
    bench.write("rural-credit-result", "cut.txt", raw[:-1], {"refused": {"code": "file-cut", "line": 4}})
    assert told(bench.only("rural-credit-result", Part.VECTORS)) == set()
    bench.write("rural-credit-result", "cut.txt", raw[:-1], {"refused": {"code": "file-cut", "line": 3}})
    assert told(bench.only("rural-credit-result", Part.VECTORS)) == {("vectors", "vector-differs")}


def test_an_answer_to_nothing_and_a_key_that_is_cut_are_found(bench: Bench) -> None:
    bench.take("rural-credit-result", ('answers = "rural-credit-request"', 'answers = "no-request"'))
    assert ("lint", "answers-unknown") in told(bench.only("rural-credit-result", Part.LINT))


def test_a_narrower_key_than_that_of_the_request_is_found(bench: Bench) -> None:
    bench.take("rural-credit-request")
    path = bench.folder / "rural-credit-result.toml"
    text = (SHIPPED_FOLDER / "rural-credit-result.toml").read_text("utf-8")
    text = text.replace("20     text     客户键", "18     text     客户键", 1).replace("= 162", "= 160")
    path.write_text(text, "utf-8")
    assert ("lint", "key-width") in told(bench.only("rural-credit-result", Part.LINT))


def _replace(path: Path, old: str, new: str) -> None:
    text = path.with_suffix(".json")
    text.write_text(text.read_text("utf-8").replace(old, new, 1), "utf-8")


CHOICE = """
layout  = "my-result"
version = "1"
purpose = "result"
answers = "rural-credit-request"
choose  = '''
starts "1|"    rural-credit-result
starts "#"     comment-style-result
'''
"""


def test_of_a_choice_golden_files_are_read(bench: Bench) -> None:
    (bench.folder / "my-result.toml").write_text(CHOICE, "utf-8")
    for name in ("rural-credit-result", "comment-style-result"):
        shipped = SHIPPED_FOLDER / "vectors" / name / "paid-and-failed"
        meaning = shipped.with_suffix(".json").read_bytes()
        bench.write("my-result", f"{name}.txt", shipped.with_suffix(".txt").read_bytes())
        (bench.vectors("my-result") / f"{name}.json").write_bytes(meaning)
    other = bench.vectors("my-result") / "comment-style-result.json"
    report = bench.check("my-result")
    assert (report.kind, told(report)) == ("choice", {("vectors", "rewritten-differs")})
    text = other.read_text("utf-8").rstrip().removesuffix("}") + ', "rewritten": "in the first layout"}'
    other.write_text(text, "utf-8")
    assert told(bench.check("my-result")) == set()


@pytest.mark.parametrize(
    ("name", "old", "new", "code", "line"),
    [
        ("rural-credit-request", "sources = [", "# [", "source-missing", None),
        (
            "comment-style-request",
            "text <=60       收款户名",
            "text            收款户名",
            "width-missing",
            44,
        ),
        ("rural-credit-request", "payment 1..150000", "payment 1..100000000000", "occurrence", 12),
        ("rural-credit-result", "answers = ", 'answers = "rural-credit-result" # ', "answers-unknown", 6),
    ],
)
def test_what_lint_finds(bench: Bench, name: str, old: str, new: str, code: str, line: int | None) -> None:
    bench.take(name, (old, new))
    found = {(problem.code, problem.line) for problem in bench.check(name).problems}
    assert (code, line) in found


def test_a_count_with_too_few_digits_is_found(bench: Bench) -> None:
    bench.take(
        "rural-credit-request",
        (
            "10>    number   总笔数      = count(payment)              @67\n",
            "5>     number   总笔数      = count(payment)\n5      text     留空        blank\n",
        ),
    )
    assert ("lint", "count-width") in told(bench.only("rural-credit-request", Part.LINT))


def test_what_is_only_to_be_known_is_a_warning(bench: Bench) -> None:
    """No echo, no total, no success: right for some banks, and said for all."""
    names = ("plain-payroll-result", "nacha-result", "cnab240-payment-result")
    for name in names:
        bench.take(name)
    (bench.folder / "cnab240-payment-result.codes").unlink()
    warned = {
        problem.code
        for name in names
        for part in (Part.LINT, Part.CODES)
        for problem in bench.only(name, part).problems
    }
    assert {"totals-missing", "code-no-success", "codes-undeclared"} <= warned


def test_a_code_that_can_never_come_is_a_warning(bench: Bench) -> None:
    line = "41        failed       ACCOUNT_NOT_FOUND\n"
    strange = ("０41", "E0*", "otherwise", "其他", '"41 "', "000000041")
    bench.take(
        "rural-credit-result",
        (line, line + "".join(f"{code}  failed  ACCOUNT_RESTRICTED\n" for code in strange)),
    )
    found = [
        problem.message.partition("code ")[2]
        for problem in bench.only("rural-credit-result", Part.CODES).problems
        if problem.code == "code-spelling"
    ]
    assert found == [
        "'０41': full-width signs",
        "'E0*': it looks like a pattern",
        "'otherwise': it looks like a pattern",
        "'其他': it looks like a pattern",
        "'41 ': blanks around it",
        "'000000041': wider than its field of 7",
    ]


def test_a_width_that_the_codec_does_not_keep_is_found(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The layout says one width, and the codec lets more pass."""
    bench.take("comment-style-request")
    monkeypatch.setattr(
        "formats.conformance.limits.width_of", lambda field: field.kind.maximum and field.kind.maximum - 2
    )
    assert ("limits", "limit-differs") in told(bench.only("comment-style-request", Part.LIMITS))


def test_a_success_that_one_byte_makes_is_told(bench: Bench) -> None:
    bench.take("plain-payroll-result", ("3090      unknown", "0001      unknown"))
    (bench.folder / "plain-payroll-result.codes").unlink()
    for path in bench.vectors("plain-payroll-result").iterdir():
        raw = path.read_bytes().replace(b"3031", b"0001").replace(b"failed", b"unknown")
        path.write_bytes(raw.replace(b"NAME_MISMATCH", b"IN_PROGRESS"))
    report = bench.check("plain-payroll-result", Effort(changes=6, speed_rows=0))
    assert "success-by-one-byte" in {problem.code for problem in report.problems}
