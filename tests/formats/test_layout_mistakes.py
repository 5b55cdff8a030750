"""Every mistake of a layout is found at load, told with its line, and all of them together."""

# ruff: noqa: E501 - tables are read across

from __future__ import annotations

import re
from pathlib import Path

import pytest

from formats.errors import LayoutError
from formats.language.layout import parse_layout, read_layout
from formats.language.model import Binding, Condition, Count
from formats.registry import SHIPPED_FOLDER, Registry, load_folder

GOOD = (SHIPPED_FOLDER / "rural-credit-result.toml").read_text("utf-8")
REQUEST = (SHIPPED_FOLDER / "rural-credit-request.toml").read_text("utf-8")
COMMENT = (SHIPPED_FOLDER / "comment-style-request.toml").read_text("utf-8")
ACKNOWLEDGEMENT = (SHIPPED_FOLDER / "comment-style-acknowledgement.toml").read_text("utf-8")


def mistakes(text: str) -> list[tuple[str, int | None]]:
    with pytest.raises(LayoutError) as caught:
        parse_layout(text, "bad.toml")
    return [(problem.code, problem.line) for problem in caught.value.problems]


def line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.split("\n"), start=1) if part in line)


@pytest.mark.parametrize(
    ("base", "old", "new", "code"),
    [
        (REQUEST, "23     text     账号", "22     text     账号", "offset"),
        (REQUEST, "record_bytes = 100", "record_bytes = 101", "record-bytes"),
        (REQUEST, "20     text     客户键", "20     txt      客户键", "kind"),
        (REQUEST, "20     text     客户键", "2o     text     客户键", "place"),
        (REQUEST, "20     text     客户键", "200    text     客户键", "offset"),
        (REQUEST, "17>    yuan.2   金额", "17>    yuan.4   金额", "decimals"),
        (REQUEST, "17>    yuan.2   金额", "17>    money.0  金额", "decimals"),
        (REQUEST, "17>    yuan.2   金额", "17>    text     金额", "kind-meaning"),
        (REQUEST, "17>    yuan.2   金额", "3>     yuan.2   金额", "width"),
        (REQUEST, '10>    number   笔数        "1" ', "10>    number   笔数        = count(payment) ", "total"),
        (REQUEST, "payment.account  ", "payment.acount  ", "meaning-unknown"),
        (REQUEST, "payment.account  ", "outcome.code  ", "meaning-purpose"),
        (REQUEST, "payment.account  ", "sometimes  ", "meaning"),
        (REQUEST, "payment.account  ", "payment.payee_name  ", "meaning-twice"),
        (REQUEST, "payment.payee_name  ", "payment.payee_name  key  ", "key"),
        (REQUEST, "attempt.reference  key", "attempt.reference  key  optional", "key"),
        (REQUEST, "attempt.reference  key", "attempt.reference", "key-missing"),
        (REQUEST, '!"2"', '!"22"', "constant"),
        (REQUEST, '"4" ', '"东" ', "constant"),
        (REQUEST, "= count(payment)", "= count(paiment)", "total"),
        (REQUEST, "= sum(payment.amount)", "= sum(payment.account)", "total"),
        (REQUEST, "= sum(payment.amount)", "= sum(outcome.amount)", "total"),
        (REQUEST, "payment 1..150000", "payment 1..many", "occurrence"),
        (REQUEST, "payment 1..150000", "payment 5..2", "occurrence"),
        (REQUEST, "payment 1..150000", "  payment 1..150000", "structure-scope"),
        (REQUEST, "payment 1..150000", "payments 1..150000", "record-missing"),
        (REQUEST, "payment 1..150000", "header\npayment 1..150000", "structure-twice"),
        (REQUEST, "header\n", "header 1..2\n", "structure-repeat"),
        (REQUEST, "payment 1..150000", "payment 1..150000\n?", "structure-line"),
        (REQUEST, 'syntax  = "fixed"', 'syntax  = "fixd"', "syntax-unknown"),
        (REQUEST, 'purpose = "request"', 'purpose = "reqest"', "purpose-unknown"),
        (REQUEST, 'purpose = "request"', 'purposes = "request"', "key-unknown"),
        (REQUEST, 'version = "1"', "version = 1", "key-type"),
        (REQUEST, 'encoding = "gb18030"', 'encoding = "utf-16"', "encoding-unknown"),
        (REQUEST, 'eol = "lf"', 'eol = "nel"', "eol-unknown"),
        (REQUEST, 'eol = "lf"', 'eol = "lf", byte_order_mark = true', "byte-order-mark"),
        (COMMENT, '"gb18030", delimiter = "|"', '"din-66003", delimiter = "|"', "delimiter"),
        (REQUEST, 'eol = "lf"', 'eol = "lf", delimiter = "|"', "key-unknown"),
        (REQUEST, 'eol = "lf"', 'eol = "lf", rare_form = "both"', "rare-form"),
        (REQUEST, "[record.payment]\n", "[record.payment]\nfee = 1\n", "key-unknown"),
        (REQUEST, 'version = "1"', 'version = "1"\nanswers = "x"', "answers"),
        (COMMENT, 'delimiter = "|"', 'delimiter = "||"', "delimiter"),
        (COMMENT, 'delimiter = "|"', 'delimiter = "0"', "delimiter"),
        (COMMENT, 'line "*"', 'line "*" 0..1', "occurrence"),
        (COMMENT, 'line "#总计信息"', 'line "#总*"', "occurrence"),
        (COMMENT, "-   text            备注", "3   text            备注", "place"),
        (COMMENT, '-   text            备注      blank', '-   text            备注      "a|b"', "constant"),
        (COMMENT, "-   text <=20       用途", "-   text ~20        用途", "kind-argument"),
        (COMMENT, "date YYYYMMDD   日期      file.bank_day\n-   text            总", "date YYYYQQ   日期      file.bank_day\n-   text            总", "pattern"),
        (COMMENT, "payment.summary", "payment.summary  [x 0..*]", "marker"),
        (GOOD, "<payment.account", "payment.account", "meaning-purpose"),
        (GOOD, "attempt.reference  key", "attempt.reference", "key-missing"),
        (GOOD, "attempt.reference  key", "<attempt.reference  key", "echo"),
        (GOOD, "fee.amount", "outcome.fee", "fee-in-outcome"),
        (GOOD, "fee.label  optional", 'fee.label  optional\n1  text  x  "a" optional', "meaning"),
        (GOOD, "where status in credited)\n10>", "where status in paid)\n10>", "total"),
        (GOOD, '!"3"', '!"2"', "structure-ambiguous"),
        (GOOD, "41        failed       ACCOUNT_NOT_FOUND", "41   failed", "code-pair"),
        (GOOD, "41        failed       ACCOUNT_NOT_FOUND", "41   credited    ACCOUNT_NOT_FOUND", "code-pair"),
        (GOOD, "41        failed       ACCOUNT_NOT_FOUND", "41   set_aside   NO_CARD", "code-pair"),
        (GOOD, "41        failed       ACCOUNT_NOT_FOUND", "41   fail        ACCOUNT_NOT_FOUND", "code-word"),
        (GOOD, "41        failed       ACCOUNT_NOT_FOUND", "41   failed      NO_SUCH_THING", "code-word"),
        (GOOD, "41        failed       ACCOUNT_NOT_FOUND", "42   failed      ACCOUNT_NOT_FOUND", "code-twice"),
        (GOOD, "41        failed       ACCOUNT_NOT_FOUND", "*    failed      ACCOUNT_NOT_FOUND", "code-default"),
        (GOOD, "41        failed       ACCOUNT_NOT_FOUND", "*    credited", "code-default"),
        (GOOD, "41        failed       ACCOUNT_NOT_FOUND", "41", "code-columns"),
        (GOOD, "0106      unknown      DUPLICATE", "0106      failed      DUPLICATE", "code-uncited"),
        (GOOD, "9999      unknown      SYSTEM", "9999      failed      SYSTEM", "code-uncited"),
        (GOOD, "0106      duplicate    DUPLICATE", "0106      rejected    DUPLICATE", "code-uncited"),
        (GOOD, "0112      rejected     BATCH_REJECTED", "0112      refused", "code-word"),
        (GOOD, "[codes.outcome]", "[codes.outcomes]", "key-unknown"),
        (GOOD, 'answers = "rural-credit-request"\n', "", "answers-missing"),
        (ACKNOWLEDGEMENT, "file.code", "file.message_id", "codes-missing"),
    ],
)  # fmt: skip
def test_mistake_is_found(base: str, old: str, new: str, code: str) -> None:
    assert base.count(old) >= 1
    text = base.replace(old, new, 1)
    assert code in [found for found, _ in mistakes(text)]


def test_mistakes_are_told_together_with_their_lines() -> None:
    text = (
        REQUEST.replace("payment.account  ", "payment.acount   ")
        .replace("= count(payment)", "= count(people)")
        .replace('version = "1"', 'version = "1"\ncolour = "red"')
    )
    found = mistakes(text)
    assert ("key-unknown", line_of(text, "colour")) in found
    assert ("total", line_of(text, "count(people)")) in found
    assert ("meaning-unknown", line_of(text, "payment.acount")) in found


def test_a_cited_source_permits_duplicate_as_failure() -> None:
    text = GOOD.replace("0106      unknown      DUPLICATE", "0106      failed      DUPLICATE").replace(
        "[codes.outcome]\n", '[codes.outcome]\nsource = "letter of the branch, 2026-01-05"\n'
    )
    assert parse_layout(text, "cited").outcome_codes_source == "letter of the branch, 2026-01-05"


def test_star_may_say_unmapped() -> None:
    text = GOOD.replace("41        failed       ACCOUNT_NOT_FOUND", "*         unmapped")
    assert "*" not in {code.code for code in parse_layout(text, "star").outcome_codes}


def test_not_toml_and_not_utf8(tmp_path: Path) -> None:
    assert mistakes("layout = ") == [("toml", 1)]
    path = tmp_path / "x.toml"
    path.write_bytes("layout = '账'".encode("gbk"))
    with pytest.raises(LayoutError) as caught:
        read_layout(path)
    assert [problem.code for problem in caught.value.problems] == ["layout-encoding"]


LINE_41 = "41        failed       ACCOUNT_NOT_FOUND"


def hints(text: str, code: str) -> str:
    with pytest.raises(LayoutError) as caught:
        parse_layout(text, "bad.toml")
    return "\n".join(problem.hint for problem in caught.value.problems if problem.code == code)


@pytest.mark.parametrize(
    ("line", "code", "said", "unsaid"),
    [
        ("41  failed", "code-pair", ["write the reason behind it", "ACCOUNT_NOT_FOUND", "reasons.md"], "credited"),
        ("41  returned", "code-pair", ["for returned: RETURNED;"], "credited"),
        ("41  credited  ACCOUNT_NOT_FOUND", "code-pair", ["failed  ACCOUNT_NOT_FOUND", "no reason"], "unknown"),
        ("41  failed  IN_PROGRESS", "code-pair", ["unknown  IN_PROGRESS", "failed with another"], "CONFIRMED"),
        ("41  set_aside  NO_CARD", "code-pair", ["one of credited, failed, returned, unknown"], "set_aside"),
        ("41  unmapped", "code-word", ["drop the line", "LAYOUT.codes"], "did you mean"),
        ("41  failed  ACCT_CLOSED", "code-word", ["did you mean ACCOUNT_CLOSED?", "docs/reasons.md"], "status"),
        ("41  failed  account_closed", "code-word", ["did you mean ACCOUNT_CLOSED?"], "status"),
        ("41  fail  ACCOUNT_CLOSED", "code-word", ["did you mean failed?"], "ACCOUNT"),
        ("41  success", "code-word", ["the status is one of credited, failed"], "did you mean"),
    ],
)  # fmt: skip
def test_a_code_that_is_refused_says_every_way_out(
    line: str, code: str, said: list[str], unsaid: str
) -> None:
    hint = hints(GOOD.replace(LINE_41, line), code)
    assert [words for words in said if words not in hint] == []
    assert unsaid not in hint


def test_hints_name_what_was_perhaps_meant() -> None:
    meaning = REQUEST.replace("payment.payee_name", "payment.payee")
    assert re.search("did you mean .*payment.payee_name.*[?]", hints(meaning, "meaning-unknown"))
    account = REQUEST.replace("payment.account  ", "payment.acount   ")
    assert "did you mean payment.account?" in hints(account, "meaning-unknown")
    total = REQUEST.replace("= sum(payment.amount)", "= sum(payment.Amount)")
    assert "did you mean sum(payment.amount)?" in hints(total, "total")
    condition = REQUEST.replace("= count(payment)", "= count(payment where status in credited)")
    assert "bind outcome.code and its table [codes.outcome] in payment" in hints(condition, "total")


def test_a_block_without_an_end_is_told_with_a_line() -> None:
    text = REQUEST.rstrip().removesuffix("'''")
    begun = [number for number, line in enumerate(text.split("\n"), 1) if "'''" in line][-1]
    assert mistakes(text) == [("toml", begun)]
    assert "that line is missing" in hints(text, "toml")


def test_missing_keys_are_all_named() -> None:
    assert [code for code, _ in mistakes("sources = []")] == ["key-missing"] * 4


def test_position_is_no_key_of_an_answer() -> None:
    text = (SHIPPED_FOLDER / "comment-style-result.toml").read_text("utf-8")
    assert "key-position" in [
        code for code, _ in mistakes(text.replace("attempt.item  key", "= number  key"))
    ]


def test_a_condition_is_read() -> None:
    layout = parse_layout(GOOD, "good")
    fields = {field.title: field.meaning for field in layout.record("header").fields}
    assert fields["失败笔数"] == Count(
        ("payment",),
        Condition("outcome.status", ("credited",), negated=True),
        "count(payment where status not in credited)",
    )
    assert layout.record("payment").fields[3].meaning == Binding("payment.account", echo=True)


def test_a_folder_reports_the_mistakes_of_all_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text(REQUEST.replace("yuan.2", "yuan.9"), "utf-8")
    with pytest.raises(LayoutError) as caught:
        load_folder(tmp_path)
    assert {problem.source for problem in caught.value.problems} == {"a.toml", "b.toml"}


def test_two_layouts_of_one_name_are_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text(REQUEST, "utf-8")
    with pytest.raises(LayoutError) as caught:
        load_folder(tmp_path)
    assert [problem.code for problem in caught.value.problems] == ["layout-twice"]


def test_registry_finds_by_name_and_refuses_paths(tmp_path: Path) -> None:
    (tmp_path / "rural-credit-request.toml").write_text(
        REQUEST.replace('version = "1"', 'version = "9"'), "utf-8"
    )
    registry = Registry([tmp_path])
    assert registry.get("rural-credit-request").version == "9"
    assert registry.get("comment-style-request").version == "1"
    with pytest.raises(KeyError):
        registry.get("../layouts/rural-credit-request")
    with pytest.raises(KeyError):
        registry.get("nothing")


def test_digest_changes_with_every_word() -> None:
    first = parse_layout(GOOD, "a").digest
    assert first == parse_layout(GOOD, "b").digest
    assert first != parse_layout(GOOD.replace("NAME_MISMATCH", "ID_MISMATCH", 1), "a").digest


def test_trailing_blanks_mean_nothing() -> None:
    padded = "\n".join(line + "   " for line in REQUEST.split("\n"))
    assert parse_layout(padded, "padded").records == parse_layout(REQUEST, "plain").records
