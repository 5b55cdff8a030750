"""Sentences that are stored in English are shown in Chinese: all that the modules of a run can make."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import gateway
from gateway.screens import screen
from gateway.sentences import NOT_MET_DAILY, SENTENCES, in_chinese
from gateway.texts import Words
from tests.gateway.commands import Commands
from tests.gateway.sites import CITY, PERSONS, Ground, payments_of
from tests.gateway.test_settle import Sent, acknowledgement

ROOT = Path(gateway.__file__).parent
HAN = re.compile("[一-鿿]")
ENGLISH = re.compile(r"(?:\b[a-z]{2,}\b[ ,;:]+){3}")
"""Three English words in a row."""
MAKERS = (
    "audit/anchor_status",
    "store/behind",
    "settlement/collect",
    "settlement/contradictions",
    "sending/dispatch",
    "settlement/double_payments",
    "settlement/flags",
    "rules/budget",
    "runner",
    "bank_line",
    "settlement/silence",
    "settlement/untaken",
    "settlement/verify",
    "settlement/watching",
    "sending/transmit",
    "verdict",
)
"""Modules whose texts are sentences about what waits and why; of others some are in the table, too."""


def texts_of(path: Path) -> Iterator[tuple[int, str]]:
    """Every text of three words or more, with `{}` for what is put in; no docstrings, no SQL."""
    tree = ast.parse(path.read_text("utf-8"))
    passed: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            passed.add(node.value)
        elif isinstance(node, ast.JoinedStr):
            passed.update(child for child in ast.walk(node) if child is not node)
    for node in ast.walk(tree):
        if node in passed:
            continue
        text = ""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        elif isinstance(node, ast.JoinedStr):
            text = "".join(
                str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
            )
        if len(re.findall("[A-Za-z]+", text)) >= 3 and " " in text and "SELECT" not in text:
            yield getattr(node, "lineno", 0), text


@pytest.mark.parametrize("module", MAKERS)
def test_every_sentence_of_a_run_has_its_chinese_twin(module: str) -> None:
    known = SENTENCES.keys() | NOT_MET_DAILY
    assert [(line, text) for line, text in texts_of(ROOT / f"{module}.py") if text not in known] == []


@pytest.mark.parametrize("english", SENTENCES)
def test_a_twin_has_the_same_places_in_the_same_order(english: str) -> None:
    chinese = SENTENCES[english]
    assert chinese.count("{}") == english.count("{}")
    assert HAN.search(chinese) is not None
    assert HAN.search(english) is None
    values = [f"N-{place}" for place in range(english.count("{}"))]
    assert in_chinese(english.format(*values)) == chinese.format(*values)


def test_sentences_stand_in_one_another() -> None:
    assert in_chinese("city-bank: file DF1.txt waits: sending window closed") == (
        "city-bank:文件 DF1.txt 等待:不在发送时段内"
    )
    assert in_chinese("agreement A-1: one day of 高龄津贴 takes 200.00 yuan, less than one of them") == (
        "协议 A-1:高龄津贴 单日限额 200.00 元,单笔已超过"
    )
    assert in_chinese("its batch is on hold; held by li") == "所属批次已暂停;由 li 暂停"


def test_names_are_no_sentences() -> None:
    words = Words("zh")
    assert [words.told(name) for name in ("data", "files", "parts", "payments")] == [
        "data",
        "files",
        "parts",
        "payments",
    ]


def test_a_very_long_sentence_is_not_searched() -> None:
    long = "held by " + "x: y; " * 100_000
    assert in_chinese(long) == long


@pytest.mark.parametrize("strange", ["", "Permission denied", "X: Y", "a; b", "户名不符: 张", "{} {0} %s"])
def test_what_the_table_does_not_know_stays_as_it_is(strange: str) -> None:
    assert in_chinese(strange).replace(";", "; ") == strange


def test_what_waits_is_told_in_chinese_by_run_and_held(
    ground: Ground, bankgate: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screen, "_words", Words("zh"))
    with ground.open() as gateway_:
        sent = Sent(ground, gateway_)
        sent.say(acknowledgement(sent.name, "D"), "A")
        ground.submit(gateway_, payments_of(CITY, 1, prefix="W"))
        ground.decide(gateway_, f"bank:{CITY}", "hold", PERSONS[0])
        (ground.inbox(CITY) / "strange.txt").write_bytes(b"?")
        ground.take(gateway_)
    told = bankgate("run").out + bankgate("held").out
    assert "不发出任何文件:由" in told
    assert "待查证:银行称已有此文件:请询问其收的是哪一份" in told
    assert "档案中没有规则认得此名:未读取" in told
    # Commands are the same in every language.
    assert [line for line in told.splitlines() if ENGLISH.search(re.sub("bankgate .*", "", line))] == []
