"""Which scenarios a bank's layouts and profile can play."""

from __future__ import annotations

from collections.abc import Callable

from formats.reasons import Reason, Status
from formats.records import AcknowledgementVerdict
from gateway.configuration.profile_seal import has_proof
from gateway.simulator.answers import echo_that_differs
from gateway.simulator.forms import AnswerForm, Desk
from gateway.simulator.scenario import Kind, Scenario

REFUSED = (Status.FAILED, Reason.BATCH_REJECTED)
GIVEN_BACK = (Status.RETURNED, Reason.RETURNED)


def unsupported(desk: Desk, scenario: Scenario) -> list[str]:
    """What of the scenario the bank cannot write, each as `kind: why`; [] when it can do all."""
    kinds = [f"{kind}: {_NEEDS[kind][0]}" for kind in Kind if scenario.plays(kind) and not _can(desk, kind)]
    reasons = {*scenario.reasons, *(one.reason for one in scenario.named)} - {Reason.NONE}
    unsaid = sorted(reason for reason in reasons if not desk.can_say(Status.FAILED, reason))
    return [*kinds, *(f"{Kind.FAILURES}: no code says {reason}" for reason in unsaid)]


def supported(desk: Desk) -> list[Kind]:
    """Every scenario that the bank can play."""
    return [kind for kind in Kind if _can(desk, kind)]


def _can(desk: Desk, kind: Kind) -> bool:
    return kind not in _NEEDS or _NEEDS[kind][1](desk)


def _can_refuse(desk: Desk) -> bool:
    form = desk.acknowledgement
    told = form is not None and form.codes.file(AcknowledgementVerdict.REJECTED) is not None
    return told or desk.can_say(*REFUSED)


def _any_form(test: Callable[[AnswerForm], bool]) -> Callable[[Desk], bool]:
    """Whether some file of an answer can do it."""
    return lambda desk: any(map(test, desk.result_forms))


def _credits(test: Callable[[AnswerForm], bool]) -> Callable[[Desk], bool]:
    """Whether a file that tells of credited payments can do it."""
    return lambda desk: any(form.tells(Status.CREDITED) and test(form) for form in desk.result_forms)


def _writes(meaning: str) -> Callable[[Desk], bool]:
    return _credits(lambda form: meaning in form.columns["payment"])


_NEEDS: dict[Kind, tuple[str, Callable[[Desk], bool]]] = {
    Kind.FAILURES: ("no code says that a payment failed", _any_form(lambda form: bool(form.codes.failures))),
    Kind.CONTRADICTING: (
        "no code says that a payment failed",
        _any_form(lambda form: bool(form.codes.failures)),
    ),
    Kind.FEE_LINES: ("no record of a fee", lambda desk: bool(desk.result.columns["fee"])),
    Kind.FEE_COLUMN: ("no field for a fee", _writes("fee.amount")),
    Kind.SHORT_CREDIT: ("no field for the credited amount", _writes("outcome.amount")),
    Kind.WRONG_TOTAL: ("no sum stands in a result", lambda desk: desk.result.declares_totals),
    Kind.UNKNOWN_CODE: (
        "every code that fits is in the table",
        _credits(lambda form: form.codes.unlisted is not None and "outcome.code" in form.columns["payment"]),
    ),
    Kind.OTHER_ACCOUNT: (
        "neither account nor name is echoed",
        _credits(lambda form: bool(echo_that_differs(form))),
    ),
    Kind.UNMATCHED: ("no record of a credited payment", _credits(lambda _form: True)),
    Kind.IN_PARTS: (
        "what is not listed would be told as paid by each part",
        lambda desk: all(form.is_of_all for form in desk.result_forms),
    ),
    Kind.TWICE: ("an answer is two files", lambda desk: len(desk.result_forms) == 1),
    Kind.RETURNED: (
        "no code says that a payment was given back",
        lambda desk: desk.can_say(*GIVEN_BACK),
    ),
    Kind.STATEMENT_DEBIT: ("no statements", lambda desk: desk.statement is not None),
    Kind.STATEMENT_DIFFERS: ("no statements", lambda desk: desk.statement is not None),
    Kind.REJECT: ("no code refuses a file", _can_refuse),
    Kind.RESULT_FIRST: ("no acknowledgement", lambda desk: desk.acknowledgement is not None),
    Kind.BAD_SIGNATURE: (
        "results are not signed",
        lambda desk: has_proof(desk.result.inbound.seal or []),
    ),
}
"""What a kind needs, in words for the message, and the test. Kinds that need nothing are absent."""
