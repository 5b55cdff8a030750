"""The tables of states: what is not listed does not exist, and "paid" never becomes "failed"."""

from __future__ import annotations

from itertools import product

import pytest

from formats import Reason, Status
from formats.reasons import PERMITTED
from gateway.errors import NotPermitted
from gateway.ledger.files import move_file
from gateway.ledger.intake import move_batch, move_payment
from gateway.ledger.received import move_received
from gateway.states import (
    AT_THE_BANK,
    BATCH_MOVES,
    BEFORE_RELEASE,
    DISPOSITION_MOVES,
    FILE_MOVES,
    OUTCOME_MOVES,
    RECEIVED_MOVES,
    REISSUABLE,
    BatchState,
    Disposition,
    FileState,
    ReceivedState,
    effective_outcome,
    outcome_across_files,
)
from tests.gateway.sites import CITY, Ground, payments_of

BANK_STATUSES = [Status.CREDITED, Status.DISCREPANT, Status.FAILED, Status.RETURNED, Status.UNKNOWN]
SAYS_PAID = [Status.CREDITED, Status.DISCREPANT, Status.RETURNED]


@pytest.mark.parametrize(
    ("table", "states"),
    [
        (BATCH_MOVES, BatchState),
        (DISPOSITION_MOVES, Disposition),
        (FILE_MOVES, FileState),
        (RECEIVED_MOVES, ReceivedState),
    ],
)
def test_every_state_has_its_row(table: dict[object, object], states: type) -> None:
    assert set(table) == set(states)


def test_a_file_makes_every_listed_move_and_no_other(ground: Ground) -> None:
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 1))
        gateway.run()
        made, refused = set(), set()
        for before, after in product(FileState, FileState):
            with gateway.installation.ledger.write() as transaction:
                transaction.run("UPDATE file SET state = :state", state=before)
                try:
                    move_file(transaction, 1, before, after)
                    made.add((before, after))
                except NotPermitted:
                    refused.add((before, after))
    assert made == {(before, after) for before, afters in FILE_MOVES.items() for after in afters}
    assert len(made) + len(refused) == len(FileState) ** 2


def test_a_received_file_makes_every_listed_move_and_no_other(ground: Ground) -> None:
    ground.bank(CITY)
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 1))
        ground.run_to_the_end(gateway)
        made = set()
        for before, after in product(ReceivedState, ReceivedState):
            with gateway.installation.ledger.write() as transaction:
                transaction.run("UPDATE received SET state = :state", state=before)
                try:
                    move_received(transaction, 1, before, after)
                    made.add((before, after))
                except NotPermitted:
                    pass
    assert made == {(before, after) for before, afters in RECEIVED_MOVES.items() for after in afters}


def test_a_batch_makes_every_listed_move_and_no_other(ground: Ground) -> None:
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 1))
        made = set()
        for before, after in product(BatchState, BatchState):
            with gateway.installation.ledger.write() as transaction:
                transaction.run("UPDATE batch SET state = :state", state=before)
                try:
                    move_batch(transaction, 1, before, after)
                    made.add((before, after))
                except NotPermitted:
                    pass
    assert made == {(before, after) for before, afters in BATCH_MOVES.items() for after in afters}


def test_a_payment_makes_every_listed_move_and_no_other(ground: Ground) -> None:
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 1))
        made = set()
        for before, after in product(Disposition, Disposition):
            with gateway.installation.ledger.write() as transaction:
                transaction.run("UPDATE payment SET disposition = :state", state=before)
                try:
                    move_payment(transaction, 1, before, after, Reason.NONE)
                    made.add((before, after))
                except NotPermitted:
                    pass
    assert made == {(before, after) for before, afters in DISPOSITION_MOVES.items() for after in afters}


def test_a_payment_that_a_bank_may_have_is_not_moved(ground: Ground) -> None:
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 1))
        gateway.run()
        with gateway.installation.ledger.write() as transaction, pytest.raises(NotPermitted):
            move_payment(transaction, 1, Disposition.ACCEPTED, Disposition.HELD, Reason.ON_HOLD)


def test_a_move_from_another_state_than_the_present_one_is_refused(ground: Ground) -> None:
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 1))
        gateway.run()
        with gateway.installation.ledger.write() as transaction, pytest.raises(NotPermitted):
            move_file(transaction, 1, FileState.SEALED, FileState.UPLOADING)
        assert [file.state for file in gateway.files()] == ["sent"]


def test_a_file_that_the_bank_may_have_is_never_sendable_again() -> None:
    reachable = set(AT_THE_BANK)
    while True:
        further = {after for state in reachable for after in FILE_MOVES[state]} - reachable
        if not further:
            break
        reachable |= further
    assert reachable & BEFORE_RELEASE == set()


def test_outcome_moves_are_total() -> None:
    assert set(OUTCOME_MOVES) == set(Status)
    assert all(set(row) == set(BANK_STATUSES) for row in OUTCOME_MOVES.values())


@pytest.mark.parametrize(("current", "stated"), list(product(SAYS_PAID, BANK_STATUSES)))
def test_nothing_that_says_paid_becomes_failed(current: Status, stated: Status) -> None:
    status, _ = effective_outcome((current, PERMITTED_REASON[current]), (stated, PERMITTED_REASON[stated]))
    assert status is not Status.FAILED


def test_what_follows_is_a_permitted_pair() -> None:
    for current, stated in product(Status, BANK_STATUSES):
        status, reason = effective_outcome(
            (current, PERMITTED_REASON[current]), (stated, PERMITTED_REASON[stated])
        )
        assert status in PERMITTED[reason], (current, stated)


@pytest.mark.parametrize("stated", BANK_STATUSES)
@pytest.mark.parametrize("current", [Status.UNKNOWN, Status.DISCREPANT])
def test_a_contradiction_is_ended_by_no_further_statement(current: Status, stated: Status) -> None:
    before = (current, Reason.CONTRADICTED)
    assert effective_outcome(before, (stated, PERMITTED_REASON[stated])) == before


def test_credited_then_failed_then_failed_may_not_be_paid_again() -> None:
    now = effective_outcome(None, (Status.CREDITED, Reason.NONE))
    for _ in range(2):
        now = effective_outcome(now, (Status.FAILED, Reason.ACCOUNT_CLOSED))
    assert now == (Status.UNKNOWN, Reason.CONTRADICTED)
    assert now[0] not in REISSUABLE


def test_money_that_moved_after_a_payment_was_taken_back_is_shown() -> None:
    withdrawn = (Status.WITHDRAWN, Reason.WITHDRAWN)
    assert effective_outcome(withdrawn, (Status.CREDITED, Reason.NONE))[0] is Status.DISCREPANT
    assert effective_outcome(withdrawn, (Status.FAILED, Reason.ACCOUNT_CLOSED)) == withdrawn


@pytest.mark.parametrize(("current", "stated"), list(product(BANK_STATUSES, BANK_STATUSES)))
def test_two_files_of_one_payment_never_hide_money_that_moved_twice(current: Status, stated: Status) -> None:
    before, now = (current, PERMITTED_REASON[current]), (stated, PERMITTED_REASON[stated])
    status, reason = outcome_across_files(before, now)
    assert status in PERMITTED[reason]
    credits = [current, stated].count(Status.CREDITED)
    if credits == 2:
        assert (status, reason) == (Status.DISCREPANT, Reason.PAID_TWICE)
    if credits == 1:
        assert status not in REISSUABLE
    if {current, stated} <= {Status.FAILED, Status.RETURNED}:
        assert status in REISSUABLE


def test_only_what_was_surely_not_paid_may_be_replaced() -> None:
    assert {Status.SET_ASIDE, Status.FAILED, Status.RETURNED} == REISSUABLE


PERMITTED_REASON = {
    Status.CREDITED: Reason.NONE,
    Status.DISCREPANT: Reason.AMOUNT_DIFFERS,
    Status.FAILED: Reason.ACCOUNT_CLOSED,
    Status.RETURNED: Reason.RETURNED,
    Status.UNKNOWN: Reason.UNMAPPED,
    Status.WITHDRAWN: Reason.WITHDRAWN,
    Status.SET_ASIDE: Reason.NO_CARD,
}
