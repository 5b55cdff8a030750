"""Released payments become files: which payments, under which name and sequence, and when.

A file that was planned but not sealed when a process died is voided and its payments
planned anew: nothing of it ever left. Its bytes are made in `make`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from msgspec import Struct

from formats import EncodeError, FileIdentity, Reason
from gateway import evidence
from gateway.configuration.agreement import Agreement, closed_window
from gateway.configuration.profile import PilotLimits, Profile, Stage
from gateway.errors import LedgerBehind
from gateway.installation import Installation, canonical
from gateway.ledger.attempts import insert_attempts
from gateway.ledger.database import Transaction
from gateway.ledger.files import files_in, insert_file, move_file
from gateway.ledger.lanes import DuePayment, LaneRow, close_lane, due_lanes, due_payments, due_subjects
from gateway.ledger.parts import pin_layout
from gateway.ledger.sequences import SentToday, last_sequence, sent_today, take_sequence
from gateway.ledger.unfit import forget_unfit, set_down_rest, set_down_unfit, unfit_of
from gateway.money import money
from gateway.rules.budget import Ceiling, Left, Load, Loads, bounds_of, ceiling_of, least_left
from gateway.rules.rule import by_rule
from gateway.sending.give_back import give_back
from gateway.sending.make import FileTooLarge, Planned, make_file
from gateway.sending.set_aside import set_aside
from gateway.states import Disposition, FileState
from gateway.store.behind import spool_ahead
from gateway.store.sealing import require_seal_keys
from gateway.verdict import verdict_digest


class Waiting(Struct, frozen=True):
    """Why payments stay where they are, and when that may change (None: a person must act)."""

    bank: str
    cause: str
    until: datetime | None = None


def void_unfinished(installation: Installation, bank: str) -> int:
    """Void files that were planned and never sealed; how many. Their payments wait again."""
    with installation.ledger.write() as transaction:
        unfinished = files_in(transaction, bank, FileState.PLANNED)
        now = installation.clock.now()
        for file in unfinished:
            move_file(transaction, file.file_pk, FileState.PLANNED, FileState.VOIDED)
            give_back(transaction, file.file_pk, file.lane_pk, now)
            evidence.record(transaction, now, "file voided", bank=bank, file=file.name, why="not sealed")
    return len(unfinished)


def dispatch(installation: Installation, profile: Profile) -> Iterator[Planned | Waiting]:
    """Make every file that is due for a bank, one at a time; say what waits and why."""
    if profile.stage is Stage.DRAFT:
        yield Waiting(profile.bank, "the bank's profile is a draft")
        return
    void_unfinished(installation, profile.bank)
    with installation.ledger.read() as transaction:
        lanes = due_lanes(transaction, profile.bank)
    if lanes:
        require_seal_keys(installation, profile)
    for lane in lanes:
        yield from _dispatch_lane(installation, profile, lane)


def _dispatch_lane(
    installation: Installation, profile: Profile, lane: LaneRow
) -> Iterator[Planned | Waiting]:
    now = installation.clock.now()
    with installation.ledger.read() as transaction:
        subjects = due_subjects(transaction, lane.lane_pk)
    loads = Loads()
    complete = True
    for subject_pk, subject in subjects:
        agreement = installation.agreement(
            lane.bank, lane.department, subject.programme, lane.source_platform, lane.currency, now
        )
        if agreement is None:
            told = f"no agreement entrusts {subject.programme} of {lane.department} today"
            yield Waiting(lane.bank, by_rule(told, "entrusted", "四(四)"))
            complete = False
        else:
            loads.add(agreement, subject_pk, subject, installation.spellings(subject.programme))
    for load in loads.all():
        agreement = load.agreement
        calendar = installation.configuration.calendar
        if not agreement.window_open(now, profile.time_zone, calendar):
            opening = agreement.next_opening(now, profile.time_zone, calendar)
            yield Waiting(lane.bank, f"agreement {agreement.number}: {closed_window(opening)}", opening)
            complete = False
            continue
        for step in _dispatch_load(installation, profile, lane, load):
            complete = complete and not isinstance(step, Waiting)
            yield step
    if complete:
        with installation.ledger.write() as transaction:
            if not due_subjects(transaction, lane.lane_pk):
                close_lane(transaction, lane.lane_pk)


def _dispatch_load(
    installation: Installation, profile: Profile, lane: LaneRow, load: Load
) -> Iterator[Planned | Waiting]:
    codec = installation.request_codec(profile)
    most = records_limit(profile, load.agreement)
    alone = 0
    while True:
        planned = _plan(installation, profile, lane, load, most)
        if planned is None:
            return
        if isinstance(planned, Waiting):
            yield planned
            return
        try:
            make_file(installation, profile, codec, planned)
        except EncodeError as error:
            _void_and_set_aside(installation, planned, error)
            continue
        except FileTooLarge as error:
            _void(installation, planned, str(error))
            if len(planned.payments) > 1:
                most = len(planned.payments) // 2
                continue
            alone += 1
            _set_down(installation, planned, load.subjects, str(error), rest=alone > 1)
            most = records_limit(profile, load.agreement)
            continue
        alone = 0
        yield planned


def records_limit(profile: Profile, agreement: Agreement) -> int:
    """The most records that a file may have."""
    most = profile.file_limits().records_per_file
    return min(most, agreement.limits.records_per_file or most)


def _reached(caps: PilotLimits, today: SentToday) -> str:
    """Of what a pilot has had enough today; "" for nothing."""
    if caps.files_per_day is not None and today.files >= caps.files_per_day:
        return "files"
    if caps.payments_per_day is not None and today.payments >= caps.payments_per_day:
        return "payments"
    return ""


def _of_file(profile: Profile, agreement: Agreement) -> Left:
    """The bound of bank and agreement for one file."""
    limits = (profile.file_limits().amount_per_file_minor, agreement.limits.amount_per_file_minor)
    least = min((limit for limit in limits if limit is not None), default=None)
    number = f"agreement {agreement.number}"
    why = f"{number}: the next payment is over the amount of one file"
    return Left(least, why, least, f"{number}: one file")


def _of_payment(profile: Profile, agreement: Agreement) -> list[Left]:
    """What one payment may be: looked at when the batch was taken, and since then perhaps less."""
    limits = (profile.file_limits().amount_per_payment_minor, agreement.limits.amount_per_payment_minor)
    least = min((limit for limit in limits if limit is not None), default=None)
    return [] if least is None else [Left(None, "", least, f"agreement {agreement.number}: one payment")]


def _of_pilot(caps: PilotLimits | None, today: SentToday) -> list[Left]:
    """What a pilot leaves of its amount of the day."""
    if caps is None or caps.amount_per_day_minor is None:
        return []
    why = "the next payment is over the amount that the pilot leaves for today"
    whole = "one day of the pilot"
    return [Left(caps.amount_per_day_minor - today.total_minor, why, caps.amount_per_day_minor, whole)]


class _Room(Struct, frozen=True):
    """What the next file of a load may hold: so many payments, and what is left of each amount."""

    most: int
    bounds: list[Left]


def _room(
    transaction: Transaction, profile: Profile, lane: LaneRow, load: Load, day: date, most: int
) -> _Room | Waiting:
    """By the bounds of file, payment, pilot and budget; where nothing is left of a number, why."""
    agreement = load.agreement
    today = sent_today(transaction, lane.bank, agreement.number, day)
    caps = profile.limits.pilot if profile.stage is Stage.PILOT else None
    if caps is not None and (reached := _reached(caps, today)):
        return Waiting(lane.bank, f"the pilot's number of {reached} for today is reached")
    if caps is not None and caps.payments_per_day is not None:
        most = min(most, caps.payments_per_day - today.payments)
    bounds = [_of_file(profile, agreement), *_of_payment(profile, agreement), *_of_pilot(caps, today)]
    return _Room(most, bounds + bounds_of(transaction, lane, load, day))


def _plan(
    installation: Installation,
    profile: Profile,
    lane: LaneRow,
    load: Load,
    most: int,
) -> Planned | Waiting | None:
    """Sequence, name and attempts of the next file, in one transaction; None when nothing waits."""
    now = installation.clock.now()
    day = installation.bank_day(profile, now)
    with installation.ledger.write() as transaction:
        room = _room(transaction, profile, lane, load, day, most)
        if isinstance(room, Waiting):
            return room
        pins = _pin(installation, transaction, profile, load.agreement)
        payments = _choose(transaction, lane, load, room, pins)
        if isinstance(payments, Waiting):
            return payments
        if not payments:
            return _what_fits_nothing(transaction, lane)
        _check_spool_is_not_ahead(installation, lane.bank, last_sequence(transaction, lane.bank) + 1)
        sequence = take_sequence(transaction, lane.bank)
        identity = _identity(installation, profile, load.agreement, lane, sequence, payments, (now, day))
        file_pk = _set_down_file(transaction, lane, load, identity, payments, pins, now)
    return Planned(file_pk, identity, lane, payments, pins)


def _choose(
    transaction: Transaction, lane: LaneRow, load: Load, room: _Room, pins: str
) -> list[DuePayment] | Waiting:
    """The next payments that fit a file; what no file and no day can carry is set down as unfit."""
    left, ceiling = least_left(room.bounds), ceiling_of(room.bounds)
    forget_unfit(transaction, lane.lane_pk, load.subjects, pins)
    over: list[int] = []
    due = _within(due_payments(transaction, lane.lane_pk, load.subjects), ceiling, over)
    payments = _cut(due, room.most, left.minor)
    if ceiling is not None:
        set_down_unfit(transaction, over, pins, ceiling.why)
    return Waiting(lane.bank, left.why) if payments is None else payments


def _set_down_file(
    transaction: Transaction,
    lane: LaneRow,
    load: Load,
    identity: FileIdentity,
    payments: list[DuePayment],
    pins: str,
    now: datetime,
) -> int:
    """The planned file with its attempts, and the event that tells of them; its key."""
    file_pk = insert_file(
        transaction,
        bank=lane.bank,
        lane_pk=lane.lane_pk,
        sequence=identity.sequence,
        name=identity.name,
        message_id=identity.message_id,
        payment_count=identity.count,
        total_minor=identity.total_minor,
        currency=identity.currency,
        bank_day=identity.bank_day.isoformat(),
        created_at=now.isoformat(),
        agreement=load.agreement.number,
        budget=load.budget,
        pins=pins,
    )
    insert_attempts(transaction, file_pk, [payment.payment_pk for payment in payments])
    evidence.record(
        transaction,
        now,
        "file planned",
        bank=lane.bank,
        file=identity.name,
        sequence=identity.sequence,
        count=identity.count,
        total_minor=identity.total_minor,
        items_sha256=evidence.items_digest(
            (item, payment.payment_pk, payment.payment_id, payment.amount_minor)
            for item, payment in enumerate(payments, start=1)
        ),
    )
    return file_pk


def _within(payments: Iterator[DuePayment], ceiling: Ceiling | None, over: list[int]) -> Iterator[DuePayment]:
    """Those that a file and a day can carry at all; the keys of the others go to `over`."""
    for payment in payments:
        if ceiling is not None and payment.amount_minor > ceiling.minor:
            over.append(payment.payment_pk)
        else:
            yield payment


def _cut(payments: Iterator[DuePayment], most: int, limit: int | None) -> list[DuePayment] | None:
    """As many payments as one file may hold; None where even the first is over the limit."""
    chosen: list[DuePayment] = []
    total = 0
    for payment in payments:
        total += payment.amount_minor
        if len(chosen) == most or (limit is not None and total > limit):
            return chosen or None
        chosen.append(payment)
    return chosen


def _check_spool_is_not_ahead(installation: Installation, bank: str, sequence: int) -> None:
    if ahead := spool_ahead(installation, bank, sequence):
        raise LedgerBehind(ahead, hint="reconcile with the bank before anything is sent")


def _identity(
    installation: Installation,
    profile: Profile,
    agreement: Agreement,
    lane: LaneRow,
    sequence: int,
    payments: list[DuePayment],
    moment: tuple[datetime, date],
) -> FileIdentity:
    now, day = moment
    local = now.astimezone(profile.time_zone)
    return FileIdentity(
        bank=lane.bank,
        sequence=sequence,
        name=profile.file_name(
            sequence=sequence, bank_day=day, created_at=local, texts=agreement.name_texts()
        ),
        # Random digits: two ledgers that both believe in the same sequence never share an id.
        message_id=f"BG{day:%Y%m%d}{sequence:010d}{installation.randomness.token()[:12].upper()}",
        created_at=local,
        bank_day=day,
        count=len(payments),
        total_minor=sum(payment.amount_minor for payment in payments),
        currency=lane.currency,
        agreement=agreement.texts(),
        profile=dict(profile.values),
    )


def _pin(installation: Installation, transaction: Transaction, profile: Profile, agreement: Agreement) -> str:
    layouts = {}
    names = [profile.layouts.request, *profile.layouts.result]
    if profile.layouts.acknowledgement is not None:
        names.append(profile.layouts.acknowledgement)
    for name in names:
        codec = installation.codecs.get(name)
        layouts[name] = codec.digest
        pin_layout(transaction, codec.digest, name, installation.codecs.source_text(name))
    pins = {"profile": profile.digest, "agreement": agreement.digest, "layouts": layouts}
    if verdict := verdict_digest(installation.configuration, profile.bank):
        pins["verdict"] = verdict
    return canonical(pins)


def _void(installation: Installation, planned: Planned, why: str) -> None:
    now = installation.clock.now()
    with installation.ledger.write() as transaction:
        move_file(transaction, planned.file_pk, FileState.PLANNED, FileState.VOIDED)
        give_back(transaction, planned.file_pk, planned.lane.lane_pk, now)
        evidence.record(
            transaction, now, "file voided", bank=planned.lane.bank, file=planned.identity.name, why=why
        )


def _set_down(
    installation: Installation, planned: Planned, subjects: list[int], message: str, *, rest: bool
) -> None:
    """A payment that fits no file alone waits until something changes; `rest`: so do all after it."""
    with installation.ledger.write() as transaction:
        set_down_unfit(transaction, [planned.payments[0].payment_pk], planned.pins, message)
        if rest:
            set_down_rest(transaction, planned.lane.lane_pk, subjects, planned.pins, message)


def _what_fits_nothing(transaction: Transaction, lane: LaneRow) -> Waiting | None:
    """What is left of a lane when all that fits is in files."""
    for unfit in unfit_of(transaction, lane.lane_pk):
        told = f"{unfit.count} payments, {money(unfit.instructed_minor)}, fit no file: {unfit.message}"
        return Waiting(lane.bank, f"{told}; they are tried again when profile, agreement or layout change")
    return None


def _void_and_set_aside(installation: Installation, planned: Planned, error: EncodeError) -> None:
    """Payments that do not fit are set aside; the others go into another file."""
    _void(installation, planned, "payments do not fit the layout")
    now = installation.clock.now()
    unfit = {problem.line: problem.reason for problem in error.problems if problem.line is not None}
    if not unfit:
        raise error
    with installation.ledger.write() as transaction:
        for item, reason in sorted(unfit.items()):
            key = planned.payments[item - 1].payment_pk
            named = reason if reason is not Reason.NONE else Reason.FIELD_INVALID
            set_aside(transaction, [key], Disposition.ACCEPTED, named, now)
