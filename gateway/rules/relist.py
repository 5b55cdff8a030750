"""A programme was added to the catalogue: what was held for it is judged again, by itself.

Whoever edits the catalogue decides about a programme once, not about each of its payments:
those that the other rules permit go on, the others are set aside or stay held for their own
reason.
"""

from __future__ import annotations

from datetime import datetime

from formats import PayeeKind, Reason, Severity
from gateway import evidence
from gateway.installation import Installation
from gateway.ledger.database import Transaction
from gateway.ledger.intake import Subject, move_payment
from gateway.ledger.lanes import reopen_lane
from gateway.ledger.people import payments_by_key
from gateway.ledger.rule_holds import (
    add_hold,
    end_hold,
    holds_of,
    name_hold,
    repeated_by,
    unlisted_payments,
    unlisted_subjects,
)
from gateway.rules.catalogue import Catalogue
from gateway.rules.people import with_people
from gateway.rules.repeats import rivals_of
from gateway.rules.verdict import Verdict, judge
from gateway.sending.set_aside import TOLD_TOGETHER, set_aside
from gateway.states import Disposition


def take_up_listed(installation: Installation) -> int:
    """Judge again what waits for the catalogue; how many payments do not wait for it any more."""
    catalogue = installation.configuration.catalogue
    if catalogue is None:
        return 0
    with installation.ledger.read() as transaction:
        waiting = unlisted_subjects(transaction)
    count = 0
    for subject_pk, subject in waiting:
        verdict = _judged(catalogue, subject)
        if verdict.programme is not None:
            with installation.ledger.write() as transaction:
                at = installation.clock.now()
                count += _take_up(installation, transaction, subject_pk, verdict, at)
    return count


def _judged(catalogue: Catalogue, subject: Subject) -> Verdict:
    return judge(
        catalogue,
        subject.department,
        subject.programme,
        subject.period,
        subject.payee_kind,
        lambda word: word,
    )


def _take_up(
    installation: Installation, transaction: Transaction, subject_pk: int, verdict: Verdict, at: datetime
) -> int:
    catalogue = installation.configuration.catalogue
    assert catalogue is not None
    assert verdict.programme is not None
    payments = unlisted_payments(transaction, subject_pk)
    refused = [one.reason for one in verdict.problems if one.severity is Severity.SETS_ASIDE]
    held = [one.reason for one in verdict.problems if one.severity is Severity.HOLDS]
    repeats: dict[int, int] = {}
    if verdict.topic is not None:
        rivals = rivals_of(transaction, catalogue, {verdict.topic: 0})
        subjects = [subject for _, subject in rivals]
        persons, households = _by_other_keys(installation, transaction, [key for key, _ in payments])
        repeats = repeated_by(transaction, subject_pk, subjects, households, households=True)
        repeats |= repeated_by(transaction, subject_pk, subjects, persons)
    fates: dict[Reason, list[int]] = {}
    for payment_pk, lane_pk in payments:
        end_hold(transaction, payment_pk, Reason.PROGRAMME_NOT_LISTED, at)
        others = [hold.reason for hold in holds_of(transaction, payment_pk)]
        no_rule = Reason.OTHER_PERSONS_ACCOUNT in others and verdict.programme.other_account is None
        own = [*refused, *([Reason.OTHER_PERSONS_ACCOUNT] if no_rule else [])]
        if own:
            fates.setdefault(own[0], []).append(payment_pk)
            continue
        for reason in held:
            add_hold(transaction, payment_pk, reason)
        if payment_pk in repeats:
            add_hold(transaction, payment_pk, Reason.REPEAT_IN_PERIOD, repeats[payment_pk])
        left = [hold.reason for hold in holds_of(transaction, payment_pk)]
        if left:
            name_hold(transaction, payment_pk, left[0])
            continue
        move_payment(transaction, payment_pk, Disposition.HELD, Disposition.ACCEPTED, Reason.NONE)
        reopen_lane(transaction, lane_pk)
        fates.setdefault(Reason.NONE, []).append(payment_pk)
    told = {"programme": verdict.programme.code, "catalogue": catalogue.digest}
    listed = fates.pop(Reason.NONE, [])
    for first in range(0, len(listed), TOLD_TOGETHER):
        together = listed[first : first + TOLD_TOGETHER]
        evidence.record(transaction, at, "payments listed", payments=together, reason=Reason.NONE, **told)
    for reason, keys in fates.items():
        set_aside(transaction, keys, Disposition.HELD, reason, at, told=told)
    return len(payments)


def _by_other_keys(
    installation: Installation, transaction: Transaction, keys: list[int]
) -> tuple[list[tuple[int, bytes]], list[tuple[int, bytes]]]:
    """Fingerprints of payments by every key, where there was more than one: of whom they are is sealed.

    Those of persons, and those of households.
    """
    fingerprinters = installation.keyring.fingerprinters()
    persons: list[tuple[int, bytes]] = []
    households: list[tuple[int, bytes]] = []
    if len(fingerprinters) < 2:
        return persons, households
    wanted = ("beneficiary_id", "household_id", "payee_kind")
    for payment, person in with_people(installation, payments_by_key(transaction, keys), wanted):
        of_household = person.get("payee_kind") == PayeeKind.HOUSEHOLD and person.get("household_id")
        for fingerprinter in fingerprinters if person else ():
            persons.append((payment.payment_pk, fingerprinter.of([person["beneficiary_id"]])[0]))
            if of_household:
                value = fingerprinter.of_households([person["household_id"]])[0]
                households.append((payment.payment_pk, value))
    return persons, households
