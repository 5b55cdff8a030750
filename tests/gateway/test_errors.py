"""The tree of errors: as drawn, each with one of the six exit codes."""

from __future__ import annotations

import re

import pytest

from formats.records import Problem
from gateway import errors
from gateway.errors import BankUnreachable, ConfigurationError, ExitCode, GatewayError, Locked, summary


def _drawn() -> dict[str, int]:
    """Class and exit code of every line of the drawing."""
    return {
        name: int(code) for name, code in re.findall(r"-- (\w+) +(\d)  ", errors.__doc__ or "", re.MULTILINE)
    }


def _defined(kind: type[GatewayError]) -> dict[str, int]:
    found: dict[str, int] = {}
    for inner in kind.__subclasses__():
        if inner.__module__ == errors.__name__:
            found |= {inner.__name__: int(inner.exit_code)} | _defined(inner)
    return found


def test_the_drawing_is_the_tree() -> None:
    assert _drawn() == _defined(GatewayError)


def test_the_exit_codes() -> None:
    assert {code.name: code.value for code in ExitCode} == {
        "DONE": 0,
        "NEEDS_PERSON": 1,
        "BAD_USAGE": 2,
        "REFUSED_INPUT": 3,
        "BANK_UNREACHABLE": 4,
        "INTEGRITY": 5,
        "KEYS_ENDING": 6,
        "KEYS_MISSING": 7,
    }


def test_only_a_bank_says_by_itself_whether_to_try_again() -> None:
    refused = BankUnreachable("login refused", transient=False)
    assert (BankUnreachable("no answer").transient, refused.transient, Locked("busy").transient) == (
        True,
        False,
        True,
    )


@pytest.mark.parametrize(
    ("messages", "text"),
    [([], "no problem is stated"), (["first"], "first"), (["first", "b", "c"], "first (and 2 more)")],
)
def test_a_list_of_problems_in_one_line(messages: list[str], text: str) -> None:
    problems = [Problem(code="x", message=message) for message in messages]
    assert summary(problems) == text
    assert str(ConfigurationError(problems, "look")) == text
