"""The line to a bank for one turn: not opened while the bank rests; a fault ends it, and the bank rests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from channels.channel import Channel
from channels.errors import ChannelError
from gateway import evidence
from gateway.configuration.profile import Profile, Stage
from gateway.errors import ExitCode
from gateway.installation import Installation
from gateway.ledger.backoff import backoff, clear_backoff, set_backoff
from gateway.ledger.holds import bank_hold, hold_bank
from gateway.run_report import Attention, RunReport

Talk = Callable[[Installation, Profile, Channel, RunReport], None]


class BankLine:
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

    def talk(self, stage: str, talk: Talk) -> None:
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
                hint=f"mend the cause, then: {clearing(profile)}",
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
            hint=error.hint or (f"mend the cause, then: {clearing(profile)}" if delay is None else ""),
            code=ExitCode.BANK_UNREACHABLE,
            by_itself=delay is not None,
        )
    )
    if delay is not None:
        report.wait_until(now + timedelta(seconds=delay))


def clearing(profile: Profile, decision: str = "clear") -> str:
    return f"bankgate held {decision} bank:{profile.bank} --as NAME --key FILE"
