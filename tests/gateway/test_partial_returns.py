"""Money that comes back in parts, told in several result files: summed as the layout says, never guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.settlement.partial_returns import Return, returned_together
from tests.gateway.shapes import Shape, Told
from tests.gateway.sites import PERSONS, RURAL, Ground, current, payments_of

CREDITED = 100
A_DAY, NEXT_DAY = "2026-09-01", "2026-09-02"


def back(minor: int, serial: str = "", day: str | None = A_DAY) -> Return:
    return Return(minor, serial, day)


@pytest.mark.parametrize(
    ("returns", "told", "now", "together"),
    [
        # Each part.
        ("each", [back(30, "S1")], back(50, "S2"), 80),
        ("each", [back(30, "S1")], back(30, "S2"), 60),
        ("each", [back(30, "S1")], back(30, "S1"), 30),
        ("each", [back(30, "S1"), back(80, "S2")], back(30, "S1", NEXT_DAY), 80),
        ("each", [back(30, "S1"), back(80, "S2")], back(50, "S2"), 80),
        ("each", [back(30, "S1"), back(80, "S2")], back(20, "S3"), 100),
        ("each", [back(30)], back(30, day=NEXT_DAY), 60),
        ("each", [back(30)], back(50), 80),
        # One number for two amounts; the same or as much again; more than was credited.
        ("each", [back(30, "S1")], back(40, "S1"), None),
        ("each", [back(30)], back(30), None),
        ("each", [back(30), back(80)], back(50), None),
        ("each", [back(30, "S1")], back(80, "S2"), None),
        # All so far.
        ("total", [back(30)], back(80), 80),
        ("total", [back(30)], back(30, day=NEXT_DAY), 30),
        ("total", [back(30), back(80)], back(30), 80),
        ("total", [back(30)], back(100), 100),
        ("total", [back(80)], back(30), None),
        ("total", [back(30)], back(101), None),
        # Nobody says.
        ("", [back(30, "S1")], back(30, "S1"), 30),
        ("", [back(30, "S1")], back(30, "S2"), None),
        ("", [back(30)], back(30, day=NEXT_DAY), None),
        ("", [back(30)], back(80), None),
        ("", [back(30)], back(100), None),
        # All of it cannot come back twice.
        *((returns, [back(100, "S1")], back(100, "S2", NEXT_DAY), 100) for returns in ("each", "total", "")),
    ],
)
def test_what_came_back_in_all(returns: str, told: list[Return], now: Return, together: int | None) -> None:
    assert returned_together(returns, CREDITED, told, now) == together


@given(
    st.sampled_from(("each", "total", "")),
    st.lists(
        st.builds(
            Return,
            st.integers(1, 2 * CREDITED),
            st.sampled_from(("", "S1", "S2")),
            st.sampled_from((None, A_DAY, NEXT_DAY)),
        ),
        max_size=6,
    ),
)
def test_it_never_falls_and_is_never_more_than_was_credited(returns: str, words: list[Return]) -> None:
    told = [back(30)]
    for now in words:
        together = returned_together(returns, CREDITED, told, now)
        if together is not None:
            assert told[-1].returned_minor <= together <= CREDITED
            told.append(Return(together, now.serial, now.day))


# As files tell it.


def layout(returns: str) -> str:
    said = f'returns = "{returns}"\n' if returns else ""
    return f"""
layout  = "parts-result"
version = "1"
purpose = "result"
answers = "rural-credit-request"
{said}syntax  = "delimited"
framing = {{ encoding = "gb18030", delimiter = "|", eol = "lf" }}

structure = '''
head
payment 0..*
'''

[record.head]
table = '''
-   text     Mark        !"H"
-   text     File        file.original_name
-   number   Records     = count(payment)
'''

[record.payment]
table = '''
-   text     Mark        !"D"
-   text     Key         attempt.reference  key
-   yuan.2   Amount      outcome.amount
-   text     Code        outcome.code
-   text     Number      outcome.serial
'''

[codes.outcome]
table = '''
OK     credited
BACK   returned   RETURNED
'''
"""


BLOCK = """
[[inbound]]
kind      = "result"
pattern   = "{stem}_SB{number:1}.txt"
complete  = "flag"
layout    = "parts-result"
"""


def bank(ground: Ground, returns: str) -> Shape:
    return Shape(ground, {"parts-result": layout(returns)}, BLOCK, 1)


def say(told: Told, number: int, amount: str, code: str, serial: str) -> None:
    (file,) = told.gateway.files()
    line = f"D|{told.reference(1)}|{amount}|{code}|{serial}"
    told.say(f"{told.stem}_SB{number}.txt", f"H|{file.name}|1\n{line}\n")


def known(told: Told) -> tuple[str, str, int | None, int | None]:
    (outcome,) = told.gateway.outcomes(only_current=True)
    return str(outcome.status), str(outcome.reason), outcome.credited_minor, outcome.returned_minor


IN_PART = ("discrepant", "AMOUNT_DIFFERS", 100_00)
UNCLEAR = ("discrepant", "CONTRADICTED", 100_00)


@pytest.mark.parametrize(
    ("returns", "after"),
    [("each", (*IN_PART, 80_00)), ("total", (*IN_PART, 50_00)), ("", (*UNCLEAR, 30_00))],
)
def test_two_parts_in_two_files(ground: Ground, returns: str, after: tuple[str, str, int, int]) -> None:
    with bank(ground, returns).open() as told:
        told.send()
        say(told, 1, "100.00", "OK", "A1")
        say(told, 2, "30.00", "BACK", "B1")
        assert known(told) == (*IN_PART, 30_00)
        say(told, 3, "50.00", "BACK", "B2")
        assert known(told) == after
        say(told, 4, "50.00", "BACK", "B2")
        assert known(told) == after, "told again it is no news"
        ground.check_sound(told.gateway)


@pytest.mark.parametrize("returns", ["each", "total", ""])
def test_more_than_was_credited_never_comes_back(ground: Ground, returns: str) -> None:
    with bank(ground, returns).open() as told:
        told.send()
        say(told, 1, "100.00", "OK", "A1")
        say(told, 2, "130.00", "BACK", "B1")
        assert known(told) == (*UNCLEAR, None)
        assert ground.decide(told.gateway, "payment:yikatong/P-00001", "returned", *PERSONS) == [False, True]


def test_of_a_short_payment_not_more_than_it_was(ground: Ground) -> None:
    with bank(ground, "total").open() as told:
        told.send()
        say(told, 1, "60.00", "OK", "A1")
        say(told, 2, "80.00", "BACK", "B1")
        assert known(told) == ("discrepant", "CONTRADICTED", 60_00, None)


def test_all_of_it_in_parts_is_returned_by_two_persons_only(ground: Ground) -> None:
    with bank(ground, "each").open() as told:
        told.send()
        say(told, 1, "100.00", "OK", "A1")
        say(told, 2, "30.00", "BACK", "B1")
        say(told, 3, "70.00", "BACK", "B2")
        assert known(told) == (*IN_PART, 100_00)
        about = "payment:yikatong/P-00001"
        assert [way.decision for way in told.gateway.ways(about)] == ["credited", "returned"]
        assert ground.decide(told.gateway, about, "returned", *PERSONS) == [False, True]
        assert current(told.gateway)["P-00001"] == ("returned", "RETURNED", 100_00)
        say(told, 4, "70.00", "BACK", "B2")
        assert current(told.gateway)["P-00001"] == ("returned", "RETURNED", 100_00)


def test_what_stays_with_the_payee_is_what_did_not_come_back(ground: Ground) -> None:
    """Its rest is what is missing after all parts; one that comes after persons closed it is seen."""
    with bank(ground, "each").open() as told:
        told.send()
        say(told, 1, "100.00", "OK", "A1")
        say(told, 2, "30.00", "BACK", "B1")
        about = "payment:yikatong/P-00001"
        assert ground.decide(told.gateway, about, "discrepant", *PERSONS) == [False, True]
        assert known(told) == ("discrepant", "PAID_SHORT", 100_00, 30_00)
        say(told, 3, "30.00", "BACK", "B2")
        assert known(told) == (*IN_PART, 60_00)
        assert ground.decide(told.gateway, about, "discrepant", *PERSONS) == [False, True]
        missing = payments_of(RURAL, 1, prefix="Q", amount_minor=60_00, reissue_of="P-00001")
        ground.submit(told.gateway, missing)
        assert "Q-00001" not in current(told.gateway), "exactly what is missing goes"


def test_what_came_back_stays_known_whatever_is_said_after(ground: Ground) -> None:
    with bank(ground, "").open() as told:
        told.send()
        say(told, 1, "100.00", "OK", "A1")
        say(told, 2, "100.00", "BACK", "B1")
        say(told, 3, "100.00", "OK", "A1")
        assert known(told) == ("unknown", "CONTRADICTED", 100_00, 100_00)
