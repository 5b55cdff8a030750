"""A bank's file that does not add up is kept for a person, with everything that is wrong with it."""

from __future__ import annotations

import hashlib
from collections import Counter

import msgspec

from formats import Problem
from gateway import evidence
from gateway.installation import Installation, canonical
from gateway.ledger.received import hold_again, move_received
from gateway.settlement.verify import VerifiedFile
from gateway.states import ReceivedState

_KEPT_PROBLEMS = 1000
_MORE = "more"

_ACCEPTABLE = frozenset(
    {
        *("total-differs", "number-differs", "constant-differs", "not-blank", "groups-differ"),
        *("identity-differs", "fact-differs", "file-value-varies"),
        *("unmatched", "twice", "other-payment", "other-file", "blank-success", "flag-differs", _MORE),
    }
)
"""What a person may believe in spite of; with anything else there is nothing to go on with."""


def problems_digest(problems: str) -> str:
    """What a person who accepts a held file signs: exactly the problems that were shown."""
    return hashlib.sha256(problems.encode()).hexdigest()


def may_be_accepted(problems: str) -> bool:
    """Whether settling would go through once these problems (as stored) are accepted."""
    return all(problem.code in _ACCEPTABLE for problem in msgspec.json.decode(problems, type=list[Problem]))


def kept(problems: list[Problem]) -> list[Problem]:
    """All problems, or the first ones and a last one that stands for the rest, exactly."""
    if len(problems) <= _KEPT_PROBLEMS:
        return problems
    rest = problems[_KEPT_PROBLEMS:]
    counts = Counter(problem.code for problem in rest)
    told = ", ".join(f"{count} {code}" for code, count in sorted(counts.items()))
    digest = hashlib.sha256(canonical(rest).encode()).hexdigest()
    more = Problem(
        code=_MORE if _ACCEPTABLE.issuperset(counts) else f"{_MORE}-grave",
        source=problems[0].source,
        message=f"{problems[0].source}: {len(rest)} more problems: {told} (SHA-256 {digest})",
    )
    return [*problems[:_KEPT_PROBLEMS], more]


def hold_received(
    installation: Installation, verified: VerifiedFile, problems: list[Problem], file_pk: int | None
) -> None:
    """Keep a verified file with its problems; `file_pk` is our file that it is about, where that is known."""
    received = verified.received
    with installation.ledger.write() as transaction:
        text = canonical(kept(problems))
        if received.state is ReceivedState.HELD:
            hold_again(transaction, received.received_pk, text, file_pk)
        else:
            move_received(
                transaction,
                received.received_pk,
                ReceivedState.VERIFIED,
                ReceivedState.HELD,
                problems=text,
                accepted_problems=0,
                file_pk=file_pk,
            )
        evidence.record(
            transaction,
            installation.clock.now(),
            "received file held",
            bank=received.bank,
            received=received.received_pk,
            sha256=received.sha256,
            problems_sha256=problems_digest(text),
        )
