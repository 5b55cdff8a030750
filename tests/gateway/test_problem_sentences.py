"""What is wrong with batches, lists and decisions is told in Chinese where Chinese is spoken."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import formats
import gateway
from gateway.problem_phrases import FAMILIES
from gateway.problem_sentences import column_in_chinese, problem_in_chinese
from gateway.screens import screen
from gateway.texts import _MEANINGS, Words
from tests.gateway.commands import Commands
from tests.gateway.sites import CITY, PERSONS, Ground, payments_of
from tests.gateway.test_sentences import ENGLISH, HAN, texts_of

MAKERS = (
    *("standard/bytestream", "standard/csv_source", "standard/envelope", "standard/examine"),
    *("standard/jsonl_source", "standard/numbers", "standard/object_source", "standard/payees"),
    *("standard/read_tables", "standard/sheet_reader", "standard/texts", "standard/workbook"),
    "standard/xlsx_source",
    *("configuration/toml_source", "rules/catalogue"),
    *("screening", "intake", "output", "ledger/reissues"),
    *("rules/verdict", "rules/subjects", "rules/repeats", "rules/corrections", "rules/reissue"),
    *("rules/accounts", "rules/card_list_file", "rules/card_lists", "rules/card_offers"),
    *("rules/publication", "rules/desk", "rules/periods"),
    *("api", "installation", "persons/enrolment", "ways/files", "ways/received", "ways/recoveries"),
    *("ways/permitted", "persons/deciding", "persons/decisions", "persons/exhibits", "persons/targets"),
)
"""Modules whose problems, errors and hints operators and department heads read."""
PUT_TOGETHER = frozenset(
    {
        # Told as parts of others, which are tried below.
        *("{} {}: no header row here, {} cells of which {} name a column", "{} {} {}: the same as in {} {}"),
        *(
            "declared total {}, but the payments add up to ",
            "another value in ",
            "{}, none of them full-width",
        ),
        *(
            "{} (rule {}, plan section 五(二))",
            "row {} {} (column B): found a cell that is no text, wanted a text cell",
        ),
        *("{} does not name platform {}", "{} is in force from {} until {} only"),
        *("programme: no agreement entrusts {} to {}", "has unknown columns", "has a column twice"),
        # No problems: words of journal and codec, and what a programme of the catalogue is shown with.
        *("file given up", "received file accepted", "received file refused", "received file closed"),
        *("received file judged again", "recovery receipt struck", "recovery given up"),
        *(" of at least {}", " of at most {}"),
        *("no payment has the id", "several platforms have a payment"),
        *("card list brought", "unexpected end of data", "day {}, {} months after"),
    }
)
WHOLE = (
    '/site/catalogue.toml line 84 programme[1].frequency: found "termx", wanted one of "month", "quarter"',
    '/site/catalogue.toml line 9 programme[3].name: found "", wanted text that is not empty',
    "/site/catalogue.toml line 9 programme[3].field: found 13, wanted the number of a [[field]]: 1, 2",
    "/site/catalogue.toml line 9 field[3].number: found 11, the number of 科技 too",
    "/site/catalogue.toml line 9 programme[3].also: found '低保', which names 农村低保 too",
    "/site/catalogue.toml line 9 programme[3].code: missing, wanted a code such as 0101",
    "/site/catalogue.toml line 9 programme[3].payee: found 0 elements, wanted a list of at least 1",
    "/site/catalogue.toml line 9 programme[3].frequncy: unknown key, did you mean frequency?",
    "/site/catalogue.toml line 9 programme[3].due.day: found 32, wanted a whole number from 1 to 31",
    "row 7: no header row here, 3 cells of which 1 name a column",
    "row 3 payment_id: the same as in row 2",
    "declared total 5.00, but the payments add up to 7.00",
    "line 2 amount: found another value in row, wanted text in quotes, also for amounts",
    "row 7 account: found 9 characters (digits, full-width characters), wanted 8 to 32 digits,"
    " none of them full-width",
    "row 12 payee_role: found self, wanted household_head or household_designated for a household payment"
    " (rule household_payee, plan section 五(二))",
    "row 3 batch_id (column B): found a cell that is no text, wanted a text cell",
    "row 8 programme: agreement A-1 with city-bank does not name platform 'x'"
    " (rule entrusted, plan section 四(四))",
    "row 8 programme: agreement A-1 with city-bank is in force from 2020-01-01 until 2020-12-31 only"
    " (rule entrusted, plan section 四(四))",
    "row 9 programme: no agreement entrusts 5 characters (hanzi) of '区民政局' to city-bank"
    " (rule entrusted, plan section 四(四))",
    "c.csv: row 1: has unknown columns: 2 工资, wanted a table with payment_id, verified_by,"
    " verified_on, ground and what has changed (rule reissue-verified, plan section 四(五))",
    "c.csv: row 1: has a column twice: ground, wanted a table with payment_id, verified_by,"
    " verified_on, ground and what has changed (rule reissue-verified, plan section 四(五))",
    "row 3 P-2: it is unknown, and only set aside, failed or returned payments are paid again, wanted"
    " a payment that was set aside, failed or returned, and that no other replaces"
    " (rule reissue, plan section 四(五))",
    "books:yikatong/B: 'close-books' wants an explanation while this is open: 1 payments, 100.00 yuan:"
    " unknown; 3 charges of banks, 1.50 yuan",
    "row 3 beneficiary_id: the same person, programme and period as P-1 of batch a/B-1, wanted one payment a"
    " person, programme and period (rule once-a-period, plan section 四(五))",
)
NOT_CHINESE = re.compile(r"[a-z]{3,} (?:[a-z]{1,2} )?[a-z]{3,}")
"""Two English words."""
COMMAND = re.compile(r"bankgate(?: [a-z-]+)+|CSV UTF-8|JSON Lines")


def said(text: str) -> str:
    """A text of the code as a person would read it, without commands; each place holds something else."""
    for place in range(text.count("{}")):
        text = text.replace("{}", str(place + 7), 1)
    return COMMAND.sub("", problem_in_chinese(text))


def texts(module: str) -> list[tuple[int, str]]:
    """Texts of a module that stand by themselves; no SQL, no patterns."""
    root = Path((formats if module.startswith("standard/") else gateway).__file__).parent
    return [
        (line, text)
        for line, text in texts_of(root / f"{module}.py")
        if text[:6] not in _SQL and "\\" not in text
    ]


_SQL = ("INSERT", "UPDATE", "DELETE")


@pytest.mark.parametrize("module", MAKERS)
def test_every_problem_and_hint_has_its_chinese_twin(module: str) -> None:
    elsewhere = PUT_TOGETHER | _MEANINGS.keys()
    alone = [(line, text) for line, text in texts(module) if text not in elsewhere]
    assert [(line, text) for line, text in alone if NOT_CHINESE.search(said(text))] == []


def test_what_is_left_out_of_that_is_in_the_code_still() -> None:
    assert PUT_TOGETHER - {text for module in MAKERS for _, text in texts(module)} == set()


@pytest.mark.parametrize("english", WHOLE)
def test_whole_problems_are_told_in_chinese(english: str) -> None:
    chinese = said(english)
    assert HAN.search(chinese) is not None
    assert NOT_CHINESE.search(chinese) is None


def test_every_part_of_a_problem_is_where_it_was() -> None:
    assert problem_in_chinese(WHOLE[-3]) == (
        "第 3 行 P-2:该笔处于“结果待查”,只有退回核实、发放失败或退汇的才可补发,"
        "应为 退回核实、发放失败或退汇、且未经补发的明细(规则 reissue,方案 四(五))"
    )
    assert problem_in_chinese(
        "row 7 amount: found 1,000.00 yuan, wanted at most 500.00 yuan for one payment"
    ) == ("第 7 行 金额:现为 1,000.00 元,应为 单笔至多 500.00 元")
    assert (column_in_chinese("payee_role"), column_in_chinese("自定")) == ("收款人身份", "自定")


@pytest.mark.parametrize("family", FAMILIES)
def test_twins_have_the_same_places(family: str) -> None:
    for english, chinese in FAMILIES[family].items():
        places = english.count("{}")
        assert len(re.findall(r"\{[0-9]?\}", chinese)) == places or "同" in chinese, english
        assert chinese.format(*map(str, range(places)))


@pytest.mark.parametrize(
    "strange", ["", "户名不符:张", "Connection refused", "line 3 of some bank's own text: it is odd"]
)
def test_what_no_table_knows_stays_as_it_is(strange: str) -> None:
    assert problem_in_chinese(strange) == strange


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        (
            "/nowhere/a.csv cannot be written: no such file or directory",
            "/nowhere/a.csv 无法写入:没有此文件或文件夹",
        ),
        ("nofile.pem cannot be read: No such file or directory", "nofile.pem 无法读取:没有此文件或文件夹"),
        (
            "no.csv: No such file or directory (rule published-list, plan section 五(二))",
            "no.csv:没有此文件或文件夹(规则 published-list,方案 五(二))",
        ),
        (
            "the signature is not reviewer-a's: the signature does not fit the bytes and the key",
            "不是 reviewer-a 的签名:签名与内容及密钥不符",
        ),
        ("interrupted", "已中断"),
        ("nothing is lost: start the command again", "未丢失任何内容:请重新执行命令"),
    ],
)
def test_what_the_system_and_signatures_say_is_told_in_chinese(english: str, chinese: str) -> None:
    assert problem_in_chinese(english) == chinese


def test_half_a_sentence_is_not_told() -> None:
    """Where only a part of a problem has a twin, all of it stays in English."""
    text = "row 7 amount: found nothing, wanted what nobody ever wrote into the tables"
    assert problem_in_chinese(text) == text


@pytest.mark.parametrize("piece", ["x: ", "; ", "a or b and ", "x: y; ", "(", "1 payments, 2 yuan: "])
@pytest.mark.parametrize("length", [900, 1_990, 600_000])
def test_what_a_bank_writes_is_looked_up_only_so_far(piece: str, length: int) -> None:
    """It may be as long and as twisted as it likes: this ends at once."""
    text = "row 7 amount: found " + (piece * (length // len(piece)))
    assert isinstance(problem_in_chinese(text), str)


def test_a_refused_batch_and_a_refused_decision_are_told_in_chinese(
    ground: Ground, bankgate: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screen, "_words", Words("zh"))
    payments = payments_of(CITY, 3)
    wrong = [payments[0], *payments_of(CITY, 1, prefix="W", start=5, account="12"), payments[2]]
    path = ground.write(ground.batch(wrong, "BAD", declared_count=7), wrong)
    told = bankgate("check", path)
    assert "第 9 行 账号:现为" in told.out.replace("\n", "")
    assert "申报 7 笔,实有 3 笔" in told.out
    assert ENGLISH.search(told.out) is None
    refused = bankgate("submit", path)
    assert (refused.code, "错误: " in refused.err, ENGLISH.search(refused.err)) == (3, True, None)
    with ground.open() as gateway_:
        ground.submit(gateway_, payments, "OPEN")
    key = ("--as", PERSONS[0], "--key", ground.person_key(PERSONS[0]))
    decided = bankgate("held", "close-books", "books:yikatong/OPEN", *key)
    assert "'close-books' 须说明,因尚未了结:3 笔" in decided.err
    assert "提示: 用 --reason 说明核对了什么" in decided.err
