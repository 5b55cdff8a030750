"""Which scenarios a bank's layouts and profile can play."""

from __future__ import annotations

from collections.abc import Callable

from formats.reasons import Reason, Status
from formats.records import AcknowledgementVerdict
from gateway.profile_seal import has_proof
from gateway.simulator.answers import echo_that_differs
from gateway.simulator.forms import Desk
from gateway.simulator.scenario import Kind, Scenario

REFUSED = (Status.FAILED, Reason.BATCH_REJECTED)
GIVEN_BACK = (Status.RETURNED, Reason.RETURNED)


def unsupported(desk: Desk, scenario: Scenario) -> list[str]:
    """What of the scenario the bank cannot write, each as `kind: why`; [] when it can do all."""
    return [f"{kind}: {_NEEDS[kind][0]}" for kind in Kind if scenario.has(kind) and not _can(desk, kind)]


def supported(desk: Desk) -> list[Kind]:
    """Every scenario that the bank can play."""
    return [kind for kind in Kind if _can(desk, kind)]


def _can(desk: Desk, kind: Kind) -> bool:
    return kind not in _NEEDS or _NEEDS[kind][1](desk)


def _can_refuse(desk: Desk) -> bool:
    form = desk.acknowledgement
    told = form is not None and form.codes.file(AcknowledgementVerdict.REJECTED) is not None
    return told or desk.result.codes.can_say(*REFUSED)


def _writes(meaning: str) -> Callable[[Desk], bool]:
    return lambda desk: meaning in desk.result.columns["payment"]


_NEEDS: dict[Kind, tuple[str, Callable[[Desk], bool]]] = {
    Kind.FAILURES: ("no code says that a payment failed", lambda desk: bool(desk.result.codes.failures)),
    Kind.CONTRADICTING: ("no code says that a payment failed", lambda desk: bool(desk.result.codes.failures)),
    Kind.FEE_LINES: ("no record of a fee", lambda desk: bool(desk.result.columns["fee"])),
    Kind.FEE_COLUMN: ("no field for a fee", _writes("fee.amount")),
    Kind.SHORT_CREDIT: ("no field for the credited amount", _writes("outcome.amount")),
    Kind.WRONG_TOTAL: ("no sum stands in a result", lambda desk: desk.result.declares_totals),
    Kind.UNKNOWN_CODE: (
        "every code that fits is in the table",
        lambda desk: desk.result.codes.unlisted is not None,
    ),
    Kind.OTHER_ACCOUNT: (
        "neither account nor name is echoed",
        lambda desk: bool(echo_that_differs(desk.result)),
    ),
    Kind.RETURNED: (
        "no code says that a payment was given back",
        lambda desk: desk.result.codes.can_say(*GIVEN_BACK),
    ),
    Kind.REJECT: ("no code refuses a file", _can_refuse),
    Kind.RESULT_FIRST: ("no acknowledgement", lambda desk: desk.acknowledgement is not None),
    Kind.BAD_SIGNATURE: (
        "results are not signed",
        lambda desk: has_proof(desk.result.inbound.seal or []),
    ),
}
"""What a kind needs, in words for the message, and the test. Kinds that need nothing are absent."""
