"""Do what is due: make, seal, send, fetch, verify, settle; bank by bank; nothing sleeps.

A fault at one bank never stops the others. Transient faults of a bank's server back off
with a bound; a refusal (login, host key, permission) puts the bank on hold at once, since
another try can lock the account. What happened, what waits and when something is due next
comes back as a report.
"""

from __future__ import annotations

from collections.abc import Callable

from channels.channel import Channel
from formats import FormatError
from gateway.audit.anchor import AnchorTurn, compare, publish
from gateway.bank_line import BankLine, clearing
from gateway.configuration.profile import Profile
from gateway.errors import ExitCode, IntegrityError, NotPermitted
from gateway.installation import Installation
from gateway.ledger.files import FileRow, files_in
from gateway.ledger.holds import BEHIND, sending_stopped
from gateway.ledger.received import ReceivedRow, received_by_key, received_in
from gateway.persons.enrolled import note_enrolled
from gateway.rules.relist import take_up_listed
from gateway.run_report import Attention, RunReport
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
            hint=f"reconcile with the bank what it has from us, then: {clearing(profile, 'reconciled')}"
            if behind
            else f"when it may go on: {clearing(profile, 'resume')}",
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
        with BankLine(installation, profile, report) as line:
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


def _anything_to_send(installation: Installation, profile: Profile) -> bool:
    with installation.ledger.read() as transaction:
        return bool(files_in(transaction, profile.bank, FileState.SEALED, FileState.UNCERTAIN))


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
