"""Do what is due: make, seal, send, fetch, verify, settle; bank by bank; nothing sleeps.

A fault at one bank never stops the others. Transient faults of a bank's server back off
with a bound; a refusal (login, host key, permission) puts the bank on hold at once, since
another try can lock the account. What happened, what waits and when something is due next
comes back as a report.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from msgspec import Struct, field

from channels.channel import Channel
from channels.errors import ChannelError
from formats import FormatError
from gateway import evidence
from gateway.audit.anchor import AnchorTurn, compare, publish
from gateway.configuration.profile import Profile, Stage
from gateway.errors import ExitCode, IntegrityError, NotPermitted
from gateway.installation import Installation
from gateway.ledger.backoff import backoff, clear_backoff, set_backoff
from gateway.ledger.files import FileRow, files_in
from gateway.ledger.holds import BEHIND, bank_hold, hold_bank, sending_stopped
from gateway.ledger.received import ReceivedRow, received_by_key, received_in
from gateway.persons.enrolled import note_enrolled
from gateway.rules.relist import take_up_listed
from gateway.sending.dispatch import dispatch
from gateway.sending.make import Planned
from gateway.sending.transmit import Delivery, Transmission, probe, recover, remove_leftovers, transmit
from gateway.settlement.collect import collect
from gateway.settlement.settle import Settled, settle
from gateway.settlement.silence import tell_of_silence
from gateway.settlement.statements import take_statement
from gateway.settlement.verify import verify
from gateway.settlement.watching import INCOMPLETE, next_look
from gateway.states import FileState, ReceivedState
from gateway.store.locks import running, sweep_if_idle
from gateway.verdict import doubt_of
from keys.errors import SealError


class Attention(Struct, frozen=True, kw_only=True):
    """Something that a person must look at. `hint` says what can be done, `code` how grave it is."""

    bank: str
    about: str
    message: str
    hint: str = ""
    code: ExitCode = ExitCode.NEEDS_PERSON
    by_itself: bool = False
    """A later run tries again; nobody needs to do anything yet."""


class RunReport(Struct, kw_only=True):
    """What one run did. `next_due` is when a further run may find work; None: nothing waits by itself.

    `seconds` are by stage (make, send, fetch, settle), of this process's clock.
    """

    files_made: int = 0
    files_sent: int = 0
    files_received: int = 0
    results_settled: int = 0
    outcomes: int = 0
    findings: int = 0
    listed: int = 0
    """Payments that waited for their programme to be in the catalogue, and do not any more."""
    notices: int = 0
    entries: int = 0
    attention: list[Attention] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    next_due: datetime | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def did_something(self) -> bool:
        done = (self.files_made, self.files_sent, self.files_received, self.results_settled, self.listed)
        return any(done)

    @property
    def exit_code(self) -> ExitCode:
        """How a command that did this run ends: the gravest of what needs a person."""
        return max((item.code for item in self.attention), default=ExitCode.DONE)

    def wait_until(self, instant: datetime | None) -> None:
        if instant is not None and (self.next_due is None or instant < self.next_due):
            self.next_due = instant

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


def run(installation: Installation, bank: str | None = None) -> RunReport:
    """Do all that is due now, for one bank or all. Raises `Locked` beside another run."""
    report = RunReport()
    profiles = (
        [installation.profile(bank)]
        if bank is not None
        else [
            installation.configuration.profiles[name] for name in sorted(installation.configuration.profiles)
        ]
    )
    with running(installation):
        sweep_if_idle(installation)
        compared = compare(installation)
        _note_anchor(compared, report)
        report.warnings += [problem.message for problem in installation.configuration.warnings]
        _note_persons(installation, report)
        report.listed = take_up_listed(installation)
        for profile in profiles:
            _serve(installation, profile, report)
        published = publish(installation)
        _note_anchor(published, report, told=compared.fault)
    return report


def _note_anchor(turn: AnchorTurn, report: RunReport, told: str = "") -> None:
    """Faults of the anchor need a person; they never stop a payment."""
    if turn.warning:
        report.warnings.append(turn.warning)
    if turn.fault and turn.fault != told:
        report.attention.append(Attention(bank="", about="anchor", message=turn.fault, hint=turn.hint))


def _note_persons(installation: Installation, report: RunReport) -> None:
    with installation.ledger.write() as transaction:
        changes = note_enrolled(installation, transaction)
    report.warnings += [f"who may decide has changed: {change}" for change in changes]


def _sends(installation: Installation, profile: Profile, report: RunReport) -> bool:
    """Whether anything may leave for the bank; a person is told where it may not."""
    with installation.ledger.read() as transaction:
        stopped = sending_stopped(transaction, profile.bank)
    if stopped is None:
        return _conforms(installation, profile, report)
    cause, message = stopped
    behind = cause == BEHIND
    report.attention.append(
        Attention(
            bank=profile.bank,
            about=f"bank:{profile.bank}",
            message=f"nothing leaves: {message}",
            hint=f"reconcile with the bank what it has from us, then: {_clearing(profile, 'reconciled')}"
            if behind
            else f"when it may go on: {_clearing(profile, 'resume')}",
            code=ExitCode.INTEGRITY if behind else ExitCode.NEEDS_PERSON,
        )
    )
    return False


def _conforms(installation: Installation, profile: Profile, report: RunReport) -> bool:
    """Whether what is in force was checked; a person is told where it was not."""
    doubt = doubt_of(installation.configuration, profile, installation.codecs)
    if doubt is None:
        return True
    report.attention.append(
        Attention(
            bank=profile.bank,
            about=f"bank:{profile.bank}",
            message=f"nothing leaves: {doubt.message}",
            hint=doubt.hint,
            code=ExitCode.NEEDS_PERSON,
        )
    )
    return False


def _serve(installation: Installation, profile: Profile, report: RunReport) -> None:
    """One bank's turn. What cannot be read or kept here does not stop the other banks."""
    try:
        recover(installation, profile)
        with _Line(installation, profile, report) as line:
            # What the bank said comes first: it may stop a payment that is about to leave.
            line.talk("fetch", _fetch)
            _settle(installation, profile, report)
            tell_of_silence(installation, profile)
            if _sends(installation, profile, report):
                _make(installation, profile, report)
                if _anything_to_send(installation, profile):
                    line.talk("send", _send)
    except (IntegrityError, SealError, FormatError, OSError) as error:
        installation.log.error("bank's turn ended", bank=profile.bank, kind=type(error).__name__)
        report.attention.append(
            Attention(
                bank=profile.bank,
                about=f"bank:{profile.bank}",
                message=str(error),
                hint=getattr(error, "hint", "") or "the next run goes on where this one stopped",
                code=ExitCode.INTEGRITY,
            )
        )


def _make(installation: Installation, profile: Profile, report: RunReport) -> None:
    with report.stage("make"):
        for step in dispatch(installation, profile):
            if isinstance(step, Planned):
                report.files_made += 1
                installation.log.info(
                    "file made", bank=profile.bank, file=step.identity.name, count=step.identity.count
                )
            else:
                report.waiting.append(f"{step.bank}: {step.cause}")
                report.wait_until(step.until)


_Talk = Callable[[Installation, Profile, Channel, RunReport], None]


class _Line:
    """One connection to a bank for a whole turn; a fault ends it, and the rest of the turn goes on."""

    def __init__(self, installation: Installation, profile: Profile, report: RunReport) -> None:
        self._installation = installation
        self._profile = profile
        self._report = report
        self._channel: Channel | None = None

    def __enter__(self) -> Self:
        if self._profile.stage is Stage.DRAFT or _resting(self._installation, self._profile, self._report):
            return self
        try:
            with self._report.stage("connect"):
                self._channel = self._installation.open_channel(self._profile)
        except ChannelError as error:
            _fault(self._installation, self._profile, error, self._report)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._channel is None:
            return
        self._channel.close()
        if kind is None:
            with self._installation.ledger.write() as transaction:
                clear_backoff(transaction, self._profile.bank)

    def talk(self, stage: str, talk: _Talk) -> None:
        """Do something over the line, if it is up."""
        if self._channel is None:
            return
        try:
            with self._report.stage(stage):
                talk(self._installation, self._profile, self._channel, self._report)
        except ChannelError as error:
            self._channel.close()
            self._channel = None
            _fault(self._installation, self._profile, error, self._report)


def _anything_to_send(installation: Installation, profile: Profile) -> bool:
    with installation.ledger.read() as transaction:
        return bool(files_in(transaction, profile.bank, FileState.SEALED, FileState.UNCERTAIN))


def _resting(installation: Installation, profile: Profile, report: RunReport) -> bool:
    """Whether the bank is on hold, or must not be tried again yet."""
    with installation.ledger.read() as transaction:
        held = bank_hold(transaction, profile.bank)
        waits = backoff(transaction, profile.bank)
    if held is not None:
        report.attention.append(
            Attention(
                bank=profile.bank,
                about=f"bank:{profile.bank}",
                message=held,
                hint=f"mend the cause, then: {_clearing(profile)}",
                code=ExitCode.BANK_UNREACHABLE,
            )
        )
        return True
    if waits is not None and _is_resting(profile, waits[1], installation.clock.now()):
        report.attention.append(
            Attention(
                bank=profile.bank,
                about=f"bank:{profile.bank}",
                message=f"not reached at the last {waits[0]} tries",
                hint=f"a run at or after {waits[1].isoformat(timespec='seconds')} tries again by itself",
                code=ExitCode.BANK_UNREACHABLE,
                by_itself=True,
            )
        )
        report.wait_until(waits[1])
        return True
    return False


def _is_resting(profile: Profile, until: datetime, now: datetime) -> bool:
    """Whether `until` is still to come; farther away than any rest is long the clock was set back."""
    return now < until <= now + timedelta(seconds=profile.retry.maximum_delay_seconds)


def _clearing(profile: Profile, decision: str = "clear") -> str:
    return f"bankgate held {decision} bank:{profile.bank} --as NAME --key FILE"


def _fault(installation: Installation, profile: Profile, error: ChannelError, report: RunReport) -> None:
    """Back off after a transient fault; hold the bank after a refusal or the last try."""
    now = installation.clock.now()
    with installation.ledger.write() as transaction:
        before = backoff(transaction, profile.bank)
        tries = 1 if before is None else before[0] + 1
        delay = profile.retry.delay_seconds(tries) if error.transient else None
        if delay is None:
            cause = "refused" if not error.transient else "unreachable"
            hold_bank(transaction, profile.bank, cause, str(error), now)
            clear_backoff(transaction, profile.bank)
        else:
            set_backoff(transaction, profile.bank, tries, now + timedelta(seconds=delay), str(error))
        evidence.record(
            transaction,
            now,
            "bank fault",
            bank=profile.bank,
            kind=type(error).__name__,
            tries=tries,
            held=delay is None,
        )
    installation.log.warning("bank fault", bank=profile.bank, kind=type(error).__name__, error=str(error))
    report.attention.append(
        Attention(
            bank=profile.bank,
            about=f"bank:{profile.bank}",
            message=str(error),
            hint=error.hint or (f"mend the cause, then: {_clearing(profile)}" if delay is None else ""),
            code=ExitCode.BANK_UNREACHABLE,
            by_itself=delay is not None,
        )
    )
    if delay is not None:
        report.wait_until(now + timedelta(seconds=delay))


def _send(installation: Installation, profile: Profile, channel: Channel, report: RunReport) -> None:
    with installation.ledger.read() as transaction:
        uncertain = files_in(transaction, profile.bank, FileState.UNCERTAIN)
        sealed = files_in(transaction, profile.bank, FileState.SEALED)
    remove_leftovers(installation, profile, channel)
    for file in uncertain:
        if file.attention is None:
            _turn(installation, profile, channel, file, report, probe)
    for file in sealed:
        _turn(installation, profile, channel, file, report, transmit)


_Step = Callable[[Installation, Profile, Channel, FileRow], Delivery]


def _turn(
    installation: Installation,
    profile: Profile,
    channel: Channel,
    file: FileRow,
    report: RunReport,
    step: _Step,
) -> None:
    """One file's turn. What a person decides about it meanwhile counts; the others go on."""
    try:
        delivery = step(installation, profile, channel, file)
    except NotPermitted as error:
        report.attention.append(
            Attention(
                bank=profile.bank,
                about=f"file:{profile.bank}/{file.name}",
                message=str(error),
                hint="somebody decided about it meanwhile: the next run sees it as it is now",
            )
        )
        return
    _note(installation, profile, delivery, report)


def _note(installation: Installation, profile: Profile, delivery: Delivery, report: RunReport) -> None:
    name = delivery.file.name
    installation.log.info(
        "file turn", bank=profile.bank, file=name, ended=delivery.ended, cause=delivery.cause
    )
    if delivery.ended is Transmission.SENT:
        report.files_sent += 1
    elif delivery.ended is Transmission.UNCERTAIN:
        report.attention.append(
            Attention(
                bank=profile.bank,
                about=f"file:{name}",
                message=f"file {name} is uncertain: {delivery.cause}",
                hint="the next run looks whether it arrived; it is never sent again by itself",
            )
        )
    else:
        report.waiting.append(f"{profile.bank}: file {name} {delivery.ended}: {delivery.cause}")
        voided = delivery.ended is Transmission.VOIDED
        report.wait_until(installation.clock.now() if voided else delivery.until)


def _fetch(installation: Installation, profile: Profile, channel: Channel, report: RunReport) -> None:
    for fetched in collect(installation, profile, channel):
        installation.log.info("received", bank=profile.bank, name=fetched.name, what=fetched.what)
        if fetched.what == "fetched":
            report.files_received += 1
        else:
            report.waiting.append(f"{profile.bank}: {fetched.name}: {fetched.what}")
        if fetched.what is INCOMPLETE:
            report.wait_until(next_look(installation, installation.clock.now()))


def _settle(installation: Installation, profile: Profile, report: RunReport) -> None:
    with report.stage("settle"):
        with installation.ledger.read() as transaction:
            waiting = received_in(transaction, profile.bank, ReceivedState.RECEIVED, ReceivedState.VERIFIED)
            held = received_in(transaction, profile.bank, ReceivedState.HELD)
        # Acknowledgements first: a result may rest on one that came in the same look.
        accepted = [row for row in held if row.accepted_problems]
        rows = sorted([*waiting, *accepted], key=lambda row: (_TURNS.index(row.kind), row.received_pk))
        # What waits for another file of the bank is looked at once more when all were: it may be here.
        early = [row for row in rows if _settle_one(installation, profile, row, report)]
        with installation.ledger.read() as transaction:
            again = [received_by_key(transaction, row.received_pk) for row in early]
        for row in filter(None, again):
            if still := _settle_one(installation, profile, row, report):
                report.waiting.append(f"{profile.bank}: {row.name}: {still}")


_TURNS = ("acknowledgement", "result", "statement")
"""A statement is compared with what the results say."""


def _settle_one(
    installation: Installation, profile: Profile, received: ReceivedRow, report: RunReport
) -> str:
    """One received file's turn; for what it waits, "" where it is done with."""
    verified = verify(installation, profile, received)
    if verified is None:
        report.attention.append(
            Attention(
                bank=profile.bank,
                about=f"received:{received.received_pk}",
                message=f"{received.name}: refused, see `bankgate held`",
            )
        )
        return ""
    try:
        take = take_statement if received.kind == "statement" else settle
        settled = take(installation, profile, verified)
    except NotPermitted as error:
        report.attention.append(
            Attention(
                bank=profile.bank,
                about=f"received:{received.received_pk}",
                message=f"{received.name}: {error}",
                hint="somebody decided about it meanwhile: the next run sees it as it is now",
            )
        )
        return ""
    if not settled.waiting:
        _note_settled(profile, settled, report)
    return settled.waiting


def _note_settled(profile: Profile, settled: Settled, report: RunReport) -> None:
    if settled.held:
        report.attention.append(
            Attention(
                bank=profile.bank,
                about=f"received:{settled.received_pk}",
                message=f"{settled.name} is held: {settled.problems[0].message}",
                hint="bankgate held shows all of it",
            )
        )
        return
    report.results_settled += 1
    report.outcomes += settled.outcomes
    report.findings += settled.findings
    report.notices += settled.notices
    report.entries += settled.entries
    if settled.notices:
        report.attention.append(
            Attention(
                bank=profile.bank,
                about=f"received:{settled.received_pk}",
                message=f"{settled.name}: the bank tells {settled.notices} things that are no outcome",
                hint="bankgate notices; nothing was changed by them",
            )
        )
