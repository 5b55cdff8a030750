"""What is told in which language and form: both languages everywhere, JSON for programs."""

from __future__ import annotations

import json
import re
from string import Formatter

import pytest

from gateway import ExitCode, texts
from gateway.screens import screen
from gateway.sending.dispatch import dispatch
from gateway.state_words import STATE_LABELS
from gateway.states import BatchState, FileState, PaymentState, ReceivedState
from gateway.texts import Words
from gateway.ways import banks, batches, begun, card_lists, files, payments, received
from tests.gateway.commands import Commands
from tests.gateway.sites import CITY, PERSONS, Ground, payments_of
from tests.gateway.test_settle import Sent, result, row

CHINESE = Words("zh")
HAN = re.compile("[一-鿿]")
A, B = PERSONS


# Both languages.


@pytest.mark.parametrize("key", texts._TEXTS)
def test_every_text_has_both_languages(key: str) -> None:
    chinese, english = texts._TEXTS[key]
    fields = [
        [name for _, name, _, _ in Formatter().parse(text) if name is not None] for text in (chinese, english)
    ]
    assert len(fields[0]) == len(fields[1]), key
    has_words = re.search("[A-Za-z]", english)
    assert HAN.search(english) is None, key
    assert HAN.search(chinese) or not has_words, key


def test_every_state_has_a_label_in_both_languages() -> None:
    every = {str(state) for kind in (BatchState, FileState, PaymentState, ReceivedState) for state in kind}
    assert every - STATE_LABELS.keys() == set()
    assert [name for name, (chinese, _) in STATE_LABELS.items() if not HAN.search(chinese)] == []


def test_every_decision_says_what_it_means_in_both_languages() -> None:
    meanings = {
        way.meaning
        for module in (batches, payments, files, received, banks, begun, card_lists)
        for table in module.TABLES
        for way in table.values()
    }
    assert meanings - texts._MEANINGS.keys() == set()
    assert [text for text in texts._MEANINGS.values() if not HAN.search(text)] == []


def test_the_commands_of_every_day_speak_chinese(
    ground: Ground, bankgate: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screen, "_words", CHINESE)
    ground.bank(CITY, "unmatched")
    payments = payments_of(CITY, 2)
    path = ground.write(ground.batch(payments, "B-1"), payments)
    assert "201.01 元; 待发 2,待定 0,退回核实 0,未收入 0" in bankgate("submit", path).out
    held = bankgate("held").out
    assert "batch:yikatong/B-1  待放行:没有平台签名" in held
    assert "release: 其各笔可发出 (需 2 人)" in held
    by = [("--as", name, "--key", ground.person_key(name)) for name in PERSONS]
    assert "的签署已记录,还需 1 人作出相同决定" in bankgate("release", "B-1", *by[0]).out
    done = bankgate("release", "B-1", *by[1]).out
    assert "已执行" in done
    assert "此前: 未放行 2 笔 201.01 元" in done
    assert "组文件 1,发出 1" in bankgate("run").out
    with ground.open() as gateway:
        ground.run_to_the_end(gateway)
    told = [bankgate("status").out, bankgate("held").out, bankgate("trace", "P-00001").out]
    assert all(HAN.search(text) for text in told)
    assert re.search("received:[12]  city-bank", told[1])
    assert "待定" in told[1]
    assert bankgate("trace", "none").err.startswith("错误: ")
    # Sentences of the gateway itself, of a person's way, of a table: nothing of these is left in English.
    english = ("signed by", "person(s)", "as it stands", "carried out", "next due", "event ", "by reviewer")
    assert [word for word in english for text in (*told, done, held) if word in text] == []


# JSON.


def test_errors_are_json_where_json_is_wanted(ground: Ground, bankgate: Commands) -> None:
    said = bankgate("trace", "none", "--json")
    assert (said.code, said.out) == (ExitCode.BAD_USAGE, "")
    told = json.loads(said.err)
    assert told == {
        "error": "no payment has the id 'none'",
        "hint": "ids are those of the lists that were handed over",
        "problems": [],
        "exit_code": 2,
    }
    usage = json.loads(bankgate("trace", "--json").err)
    assert (usage["exit_code"], "PAYMENT_ID" in usage["error"]) == (2, True)
    payments = payments_of(CITY, 1)
    path = ground.write(ground.batch(payments, "B-1", declared_count=2), payments)
    refused = bankgate("submit", path, "--json")
    told = json.loads(refused.err)
    assert (refused.code, told["exit_code"], len(told["problems"])) == (3, 3, 1)
    assert told["problems"][0]["message"]


def test_a_run_says_in_json_that_something_waits(ground: Ground, bankgate: Commands) -> None:
    assert json.loads(bankgate("run", "--json").out)["needs_person"] is False
    payments = payments_of(CITY, 1)
    bankgate("submit", ground.write(ground.batch(payments, "B-1"), payments))
    said = bankgate("run", "--json")
    assert (said.code, json.loads(said.out)["needs_person"]) == (ExitCode.NEEDS_PERSON, True)


def test_an_error_of_the_machine_is_told_without_its_number(ground: Ground, bankgate: Commands) -> None:
    said = bankgate("resolve", "payment:yikatong/x", "failed", "--evidence", ground.site.folder / "none",
                    "--as", A, "--key", ground.person_key(A))  # fmt: skip
    assert (said.code, "Errno" in said.err) == (ExitCode.BAD_USAGE, False)
    assert f"error: {ground.site.folder / 'none'}: no such file or directory" in said.err


# One payment's story, and what waits no more.


def test_a_story_tells_decisions_about_files(ground: Ground, bankgate: Commands) -> None:
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 1))
        list(dispatch(gateway.installation, gateway.installation.profile(CITY)))
        about = f"file:{CITY}/{gateway.files()[0].name}"
        ground.decide(gateway, about, "hold", B)
    assert f"{about} hold by {B}" in bankgate("trace", "P-00001").out


@pytest.mark.parametrize(
    ("language", "credited", "charge"),
    [
        (
            "en",
            "credited 99.98 yuan, 0.02 yuan short [evidence ",
            "charge: credited short 0.02 yuan [evidence ",
        ),
        ("zh", "入账 99.98 元, 少 0.02 元 [证据 ", "收费: 少入账 0.02 元 [证据 "),
    ],
)
def test_a_story_tells_how_much_came_and_what_is_missing(
    ground: Ground,
    bankgate: Commands,
    monkeypatch: pytest.MonkeyPatch,
    language: str,
    credited: str,
    charge: str,
) -> None:
    monkeypatch.setattr(screen, "_words", Words(language))
    with ground.open() as gateway:
        sent = Sent(ground, gateway)
        assert sent.payments[0].amount_minor == 100_00
        sent.say(result(sent.name, [row(1, sent.payments[0], "S", 99_98), *sent.all()[1:]]))
        assert [one.amount_minor for one in gateway.trace("P-00001").charges] == [2]
        assert gateway.trace("P-00002").charges == []
    told = bankgate("trace", "P-00001").out
    assert credited in told
    assert charge in told
    assert "99.98" not in bankgate("trace", "P-00002").out


def test_a_story_tells_who_stated_an_outcome(ground: Ground, bankgate: Commands) -> None:
    with ground.open() as gateway:
        sent = Sent(ground, gateway)
        sent.say(result(sent.name, [row(1, sent.payments[0], "U"), *sent.all()[1:]]))
        ground.decide(gateway, "payment:yikatong/P-00001", "failed", A, B)
        (decided,) = gateway.trace("P-00001").decided
        assert (decided.persons, len(decided.exhibit)) == ([A, B], 64)
    said = bankgate("trace", "P-00001").out
    assert f"[decided by {A}, {B}, exhibit sha256:{decided.exhibit}]" in said
    assert "the gateway itself" not in said


def test_a_result_that_two_persons_accepted_waits_for_nobody(ground: Ground) -> None:
    ground.bank(CITY, "unmatched")
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 2))
        ground.run_to_the_end(gateway)
        (item,) = gateway.held()
        assert ground.decide(gateway, item.object, "accept", A, B) == [False, True]
        assert gateway.held() == []
        gateway.run()
        assert {one.state for one in gateway.received()} == {"settled"}


def test_the_status_of_a_batch_shows_its_files_whole(ground: Ground, bankgate: Commands) -> None:
    with ground.open() as gateway:
        for prefix in "AB":
            ground.submit(gateway, payments_of(CITY, 1, prefix=prefix), f"B-{prefix}")
            gateway.run()
        first, second = (file.name for file in gateway.files())
        assert [file.name for file in gateway.files("B-B")] == [second]
    said = bankgate("status", "B-A").out
    assert (first in said, second in said) == (True, False)
    assert {file["name"] for file in json.loads(bankgate("status", "--json").out)["files"]} == {first, second}
