"""Failures only, or answers in two files: what is not listed is paid only where it is proved."""

from __future__ import annotations

import pytest

from formats import Status
from gateway.simulator.scenario import Kind
from gateway.simulator.support import supported
from tests.gateway.shapes import Shape, Told
from tests.gateway.sites import PERSONS, RURAL, Ground, credited, current, states

FAILURES = """
layout  = "failures-only"
version = "1"
purpose = "result"
answers = "rural-credit-request"
silence = "credited"
syntax  = "delimited"
framing = { encoding = "gb18030", delimiter = "|", eol = "lf" }

structure = '''
head
payment 0..*
'''

[record.head]
table = '''
-   text     Mark        !"H"
-   text     File        file.original_name
-   text     State       file.code
-   number   Paid        = count(silent)
-   yuan.2   Paid sum    = sum(silent)
'''

[record.payment]
table = '''
-   text     Mark        !"F"
-   text     Key         attempt.reference  key
-   yuan.2   Amount      outcome.amount
-   text     Code        outcome.code
'''

[codes.outcome]
table = '''
41     failed     ACCOUNT_NOT_FOUND
44     failed     ACCOUNT_CLOSED
A105   returned   RETURNED
90     unknown    IN_PROGRESS
'''

[codes.file]
table = '''
E      complete
P      in_progress
'''
"""
FAILURES_BLOCK = """
[[inbound]]
kind      = "result"
pattern   = "{stem}_SB{number:1}.txt"
complete  = "flag"
layout    = "failures-only"
"""
UNSIGNED_END = FAILURES.replace("-   text     State       file.code\n", "").partition("[codes.file]")[0]


def half(name: str, mark: str, code: str) -> str:
    """A layout whose records all mean the same."""
    return f"""
layout  = "{name}"
version = "1"
purpose = "result"
answers = "rural-credit-request"
syntax  = "delimited"
framing = {{ encoding = "gb18030", delimiter = "|", eol = "lf" }}

structure = '''
head
payment 0..*
'''

[record.head]
table = '''
-   text      Mark      !"{mark}"
-   text      File      file.original_name
-   text      State     file.code  optional
-   number    Count     = count(payment)
-   yuan.2    Sum       = sum(outcome.amount)
'''

[record.payment]
table = '''
-   text      Key       attempt.reference  key
-   yuan.2    Amount    outcome.amount
'''

[codes.outcome]
implied = "{mark}"
table = '''
{mark}    {code}
'''

[codes.file]
table = '''
P         accepted
E         complete
'''
"""


PAIR = {
    "successes": half("successes", "OK", "credited"),
    "failures": half("failures", "NO", "failed    ACCOUNT_NOT_FOUND"),
}
PAIR_BLOCKS = """
[[inbound]]
kind      = "result"
pattern   = "{stem}_{number:1}_S.TXT"
complete  = "flag"
layout    = "successes"
partner   = ["_S.", "_F."]

[[inbound]]
kind      = "result"
pattern   = "{stem}_{number:1}_F.TXT"
complete  = "flag"
layout    = "failures"
partner   = ["_F.", "_S."]
"""


def yuan(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"


class FailuresOnly:
    """A bank that returns only failures, told by hand."""

    def __init__(self, told: Told) -> None:
        self.told, self.payments = told, told.payments

    def say(
        self,
        failed: dict[int, str],
        *,
        state: str = "E",
        number: int = 1,
        paid: int | None = None,
        paid_minor: int | None = None,
    ) -> None:
        """`failed` are codes by item; what the bank paid is the rest, unless it is said otherwise."""
        rest = [one for item, one in enumerate(self.payments, 1) if item not in failed]
        count = len(rest) if paid is None else paid
        total = sum(one.amount_minor for one in rest) if paid_minor is None else paid_minor
        lines = [f"H|{self.told.gateway.files()[0].name}|{state}|{count}|{yuan(total)}"]
        lines += [
            f"F|{self.told.reference(item)}|{yuan(self.payments[item - 1].amount_minor)}|{code}"
            for item, code in failed.items()
        ]
        self.told.say(f"{self.told.stem}_SB{number}.txt", "".join(f"{line}\n" for line in lines))

    def statuses(self) -> list[str]:
        """By item; "" where nothing was said."""
        found = current(self.told.gateway)
        return [found.get(one.payment_id, ("",))[0] for one in self.payments]


@pytest.fixture
def shape(ground: Ground) -> Shape:
    return Shape(ground, {"failures-only": FAILURES}, FAILURES_BLOCK)


@pytest.mark.parametrize(
    ("scenario", "share"),
    [
        ("failures", 500),
        pytest.param("all-well", 0, marks=pytest.mark.heavy),
        pytest.param("failures", 1000, marks=pytest.mark.heavy),
    ],
)
def test_only_failures_are_returned(ground: Ground, scenario: str, share: int) -> None:
    shape = Shape(ground, {"failures-only": FAILURES}, FAILURES_BLOCK, count=12)
    with shape.open() as told:
        bank = told.play(scenario, share)
        really = [Status.CREDITED if paid.credited_minor else Status.FAILED for paid in bank.paid()]
        assert FailuresOnly(told).statuses() == really
        assert (states(told.gateway), told.problems()) == (["settled"], [])
        assert told.gateway.status()[0].credited_minor == bank.truth().credited_minor
        told_of = ground.rows(
            "SELECT json_extract(body, '$.unlisted') FROM event"
            " WHERE kind = 'received file settled' AND body LIKE '%open_items%'"
        )
        assert told_of == [(really.count(Status.CREDITED) or None,)]


def test_what_an_interim_answer_does_not_list_is_open(shape: Shape) -> None:
    with shape.open() as told:
        told.send()
        bank = FailuresOnly(told)
        bank.say({2: "41"}, state="P")
        assert bank.statuses() == ["", "failed", "", ""]
        assert states(told.gateway) == ["acknowledged"]
        # Those that were told before are in no sum of what was paid, whether listed again or not.
        bank.say({3: "44"}, number=2, paid=2, paid_minor=sum(told.payments[i].amount_minor for i in (0, 3)))
        assert bank.statuses() == ["credited", "failed", "failed", "credited"]
        assert (states(told.gateway), told.problems()) == (["settled"], [])
        assert current(told.gateway)["P-00001"] == credited(told.payments)["P-00001"]


def test_silence_beside_another_sum_pays_nobody(shape: Shape) -> None:
    """One more, one less, a fen more or less, nothing; a list that lost its second failure."""
    with shape.open() as told:
        told.send()
        bank = FailuresOnly(told)
        rest = sum(one.amount_minor for one in told.payments[1:])
        last_two = sum(one.amount_minor for one in told.payments[2:])
        sums = [(2, rest), (4, rest), (3, rest + 1), (3, rest - 1), (0, 0), (2, last_two)]
        for number, (paid, minor) in enumerate(sums, start=1):
            bank.say({1: "41"}, paid=paid, paid_minor=minor, number=number)
            assert (bank.statuses(), told.problems()) == ([""] * 4, ["silence-differs"] * number)
        ways = [{way.decision for way in item.ways} for item in told.gateway.held()]
        assert ways == [{"refuse", "judge-again"}] * len(sums)


def test_silence_counts_once_the_file_is_acknowledged(shape: Shape) -> None:
    with shape.open() as told:
        told.send(acknowledged=False)
        bank = FailuresOnly(told)
        bank.say({4: "41"})
        assert (bank.statuses(), told.problems()) == (["", "", "", ""], ["silence-unproved"])
        told.acknowledge()
        assert (bank.statuses(), told.problems()) == (["credited"] * 3 + ["failed"], [])


def test_a_later_failure_contradicts_what_was_paid_by_silence(shape: Shape) -> None:
    with shape.open() as told:
        told.send()
        bank = FailuresOnly(told)
        bank.say({4: "41"})
        bank.say({3: "41", 4: "41"}, number=2)
        assert bank.statuses() == ["credited", "credited", "unknown", "failed"]
        assert current(told.gateway)["P-00003"][1] == "CONTRADICTED"


def test_what_is_in_progress_is_not_paid_by_silence(shape: Shape) -> None:
    with shape.open() as told:
        told.send()
        bank = FailuresOnly(told)
        bank.say({2: "90"})
        assert bank.statuses() == ["credited", "unknown", "credited", "credited"]
        assert states(told.gateway) == ["acknowledged"]
        bank.say({}, number=2)
        assert (bank.statuses(), states(told.gateway)) == (["credited"] * 4, ["settled"])


def test_beside_accepted_problems_nothing_is_proved(shape: Shape) -> None:
    with shape.open() as told:
        told.send()
        bank = FailuresOnly(told)
        name = told.gateway.files()[0].name
        rest = sum(one.amount_minor for one in told.payments[1:])
        text = (
            f"H|{name}|E|3|{yuan(rest)}\n"
            f"F|{told.reference(1)}|{yuan(told.payments[0].amount_minor)}|41\n"
            f"F|{told.reference(9)}|1.00|41\n"
        )
        told.say(f"{told.stem}_SB1.txt", text)
        assert told.problems() == ["unmatched"]
        (item,) = told.gateway.held()
        told.ground.decide(told.gateway, item.object, "accept", *PERSONS)
        told.gateway.run()
        assert (bank.statuses(), told.problems()) == (["failed", "", "", ""], ["unmatched"])


def test_the_last_word_may_be_said_by_the_kind_of_file(ground: Ground) -> None:
    block = FAILURES_BLOCK + 'final_reason = "handbook 2026, 4.2: SB files come when all is done"\n'
    shape = Shape(ground, {"failures-only": UNSIGNED_END}, block)
    with shape.open() as told:
        told.play("failures", 300)
        assert set(FailuresOnly(told).statuses()) <= {"credited", "failed"}
        assert states(told.gateway) == ["settled"]


def test_without_a_last_word_silence_says_nothing(ground: Ground) -> None:
    shape = Shape(ground, {"failures-only": UNSIGNED_END}, FAILURES_BLOCK)
    with shape.open() as told:
        told.play("all-well")
        assert FailuresOnly(told).statuses() == [""] * 4
        assert (states(told.gateway), told.problems()) == (["acknowledged"], [])


# Two halves of one answer.


def say_half(told: Told, mark: str, items: list[int], *, state: str = "P", put_only: bool = False) -> None:
    amounts = [told.payments[item - 1].amount_minor for item in items]
    lines = [f"{mark}|{told.gateway.files()[0].name}|{state}|{len(items)}|{yuan(sum(amounts))}"]
    lines += [f"{told.reference(i)}|{yuan(amount)}" for i, amount in zip(items, amounts, strict=True)]
    name = f"{told.stem}_1_{'S' if mark == 'OK' else 'F'}.TXT"
    text = "".join(f"{line}\n" for line in lines)
    if put_only:
        told.put(name, text)
    else:
        told.say(name, text)


def half_of(told: Told) -> str:
    """The first half that the bank put there."""
    rows = told.ground.rows(
        "SELECT received_pk FROM received WHERE kind = 'result' ORDER BY received_pk LIMIT 1"
    )
    return f"received:{rows[0][0]}"


@pytest.fixture
def pair(ground: Ground) -> Shape:
    return Shape(ground, PAIR, PAIR_BLOCKS)


@pytest.mark.parametrize("share", [500, *(pytest.param(n, marks=pytest.mark.heavy) for n in (0, 1000))])
def test_two_halves_are_one_answer(ground: Ground, share: int) -> None:
    shape = Shape(ground, PAIR, PAIR_BLOCKS, count=12)
    with shape.open() as told:
        bank = told.play("failures", share)
        really = [Status.CREDITED if paid.credited_minor else Status.FAILED for paid in bank.paid()]
        assert FailuresOnly(told).statuses() == really
        assert (states(told.gateway), told.problems()) == (["settled"], [])


@pytest.mark.parametrize("first", ["OK", pytest.param("NO", marks=pytest.mark.heavy)])
def test_half_an_answer_waits_for_the_other(pair: Shape, first: str) -> None:
    items = {"OK": [1, 2, 4], "NO": [3]}
    second = "NO" if first == "OK" else "OK"
    with pair.open() as told:
        told.send()
        say_half(told, first, items[first])
        assert current(told.gateway) == {}
        report = told.gateway.run()
        assert [line for line in report.waiting if "waits for" in line] != []
        assert (told.problems(), told.gateway.needs_person()) == ([], False)
        say_half(told, second, items[second])
        assert FailuresOnly(told).statuses() == ["credited", "credited", "failed", "credited"]
        assert states(told.gateway) == ["settled"]


def test_a_waiting_half_is_shown_and_needs_a_person_after_a_day(pair: Shape) -> None:
    with pair.open() as told:
        told.send()
        say_half(told, "OK", [1, 2, 4])
        pair.ground.clock.turn(hours=23)
        (item,) = told.gateway.held()
        assert (item.object, item.said.key) == (half_of(told), "held_half")
        assert item.said.values[2:] == [f"{told.stem}_1_F.TXT", "2026-09-01 10:00:20+08", "23:00:20"]
        assert [way.decision for way in item.ways] == ["accept", "refuse"]
        assert not told.gateway.needs_person()
        pair.ground.clock.turn(hours=2)
        assert told.gateway.needs_person()
        say_half(told, "NO", [3])
        assert (told.gateway.held(), states(told.gateway)) == ([], ["settled"])


def test_a_refused_half_waits_for_nothing(pair: Shape) -> None:
    with pair.open() as told:
        told.send()
        say_half(told, "OK", [1, 2, 4])
        name = f"file:{RURAL}/{told.gateway.files()[0].name}"
        assert "not-processed" not in [way.decision for way in told.gateway.ways(name)]
        assert pair.ground.decide(told.gateway, half_of(told), "refuse", PERSONS[0]) == [True]
        told.gateway.run()
        assert (told.gateway.held(), current(told.gateway)) == ([], {})
        assert "not-processed" in [way.decision for way in told.gateway.ways(name)]
        pair.ground.check_sound(told.gateway)


def test_a_half_of_payments_that_were_made_is_believed_alone_on_the_banks_letter(pair: Shape) -> None:
    with pair.open() as told:
        told.send()
        say_half(told, "OK", [1, 2, 4])
        assert pair.ground.decide(told.gateway, half_of(told), "accept", *PERSONS) == [False, True]
        assert told.gateway.held() == []
        told.gateway.run()
        assert FailuresOnly(told).statuses() == ["credited", "credited", "", "credited"]
        assert states(told.gateway) == ["acknowledged"]
        say_half(told, "NO", [2, 3])
        assert FailuresOnly(told).statuses() == ["credited", "unknown", "failed", "credited"]
        assert current(told.gateway)["P-00002"][1] == "CONTRADICTED"
        pair.ground.check_sound(told.gateway)


def test_a_half_of_failures_is_never_believed_alone(pair: Shape) -> None:
    """Who is in it may be in the other half, too: to pay them again would be to pay twice."""
    with pair.open() as told:
        told.send()
        say_half(told, "NO", [3])
        pair.ground.decide(told.gateway, half_of(told), "accept", *PERSONS)
        told.gateway.run()
        assert (told.problems(), current(told.gateway)) == (["half-alone"], {})
        (item,) = told.gateway.held()
        assert [way.decision for way in item.ways] == ["refuse", "judge-again"]
        say_half(told, "OK", [1, 2, 4])
        pair.ground.decide(told.gateway, half_of(told), "judge-again", PERSONS[0])
        told.gateway.run()
        assert FailuresOnly(told).statuses() == ["credited", "credited", "failed", "credited"]
        pair.ground.check_sound(told.gateway)


def test_a_file_is_not_given_up_against_half_an_answer(pair: Shape) -> None:
    with pair.open() as told:
        told.send()
        name = f"file:{RURAL}/{told.gateway.files()[0].name}"
        assert "not-processed" in [way.decision for way in told.gateway.ways(name)]
        say_half(told, "OK", [1, 2, 4])
        assert "not-processed" not in [way.decision for way in told.gateway.ways(name)]


@pytest.mark.parametrize("first", ["OK", "NO"])
def test_a_payment_in_both_halves_is_contradicted(pair: Shape, first: str) -> None:
    with pair.open() as told:
        told.send()
        for mark in (first, "NO" if first == "OK" else "OK"):
            say_half(told, mark, [1, 2, 3, 4] if mark == "OK" else [2], put_only=True)
        told.ground.take(told.gateway)
        assert FailuresOnly(told).statuses() == ["credited", "unknown", "credited", "credited"]
        assert current(told.gateway)["P-00002"][1] == "CONTRADICTED"


def test_a_half_that_comes_after_a_last_word_ends_no_doubt(pair: Shape) -> None:
    """What its own other half calls paid is contradicted; another answer could say so and be believed."""
    with pair.open() as told:
        told.send()
        say_half(told, "NO", [2], state="E")
        assert FailuresOnly(told).statuses() == ["", "failed", "", ""]
        say_half(told, "OK", [1, 2, 3, 4])
        assert FailuresOnly(told).statuses() == ["credited", "unknown", "credited", "credited"]
        assert current(told.gateway)["P-00002"][1] == "CONTRADICTED"


def test_a_half_may_say_that_there_is_no_other(pair: Shape) -> None:
    with pair.open() as told:
        told.send()
        say_half(told, "OK", [1, 2, 3, 4], state="E")
        assert (FailuresOnly(told).statuses(), states(told.gateway)) == (["credited"] * 4, ["settled"])


def test_a_half_whose_other_half_is_held_waits(pair: Shape) -> None:
    with pair.open() as told:
        told.send()
        say_half(told, "NO", [3])
        name = f"{told.stem}_1_S.TXT"
        told.say(name, f"OK|{told.gateway.files()[0].name}|P|3|1.00\n{told.reference(1)}|1.00\n")
        assert set(told.problems()) == {"total-differs"}
        assert current(told.gateway) == {}


def test_what_a_bank_that_lists_failures_only_cannot_play(shape: Shape) -> None:
    with shape.open() as told:
        bank = told.ground.bank(RURAL, "all-well", profile_of=told.gateway)
        cannot = set(Kind) - set(supported(bank.desk))
    assert {Kind.SHORT_CREDIT, Kind.OTHER_ACCOUNT, Kind.UNMATCHED, Kind.IN_PARTS} <= cannot
    assert {Kind.FAILURES, Kind.RETURNED, Kind.LATE, Kind.TWICE}.isdisjoint(cannot)
