"""`Gateway`: the library's face. Every verb is idempotent and says what it raises."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO, overload

import msgspec

from formats import Batch, FeeFinding, Notice, Outcome, Payment, SealedText, Status
from formats.registry import Registry
from gateway import intake, report, runner
from gateway.audit import anchor
from gateway.audit.anchor import AnchorTurn
from gateway.audit.anchor_status import AnchorStatus, anchor_status
from gateway.audit.export import Exported, export
from gateway.audit.tables import Selection
from gateway.configuration.config import Configuration, Policy, load_configuration
from gateway.errors import Unknown
from gateway.installation import ChannelOpener, Installation
from gateway.intake import CheckReport, Receipt, Source
from gateway.ledger.database import Ledger
from gateway.ledger.identity import identity_of
from gateway.ledger.intake import BatchRow, batches, find_batch
from gateway.ledger.notices import notices
from gateway.ledger.outcomes import fee_findings, outcomes
from gateway.ledger.payments import find_payment
from gateway.ledger.statements import StatementEntry, statement_entries
from gateway.log import open_log
from gateway.output import output_file
from gateway.persons import deciding, enrolled, exhibits, held
from gateway.persons.deciding import Decided
from gateway.persons.decisions import Basis, Statement, Terms
from gateway.persons.enrolled import Operator
from gateway.persons.held import HeldItem, Way
from gateway.ports import Clock, FolderDisk, Randomness, SystemClock, SystemRandomness
from gateway.report import BatchStatus, FileStatus, ReceivedStatus, Story
from gateway.rules.card_lists import BroughtCards, bring_card_list
from gateway.rules.desk import PlanDesk
from gateway.run_report import RunReport
from gateway.sending.connect import anchor_opener, channel_opener
from gateway.store import retention
from gateway.store.backup import BackupReport, make_backup
from gateway.store.bank_texts import TEXT_CONTEXT
from gateway.store.locks import running
from gateway.store.new_ledger import begin_ledger
from gateway.store.restore import RestoreReport, refuse_begun_restore, restore_backup
from gateway.store.retention import RetentionReport
from gateway.store.rewrap import Rewrapped, rewrap
from gateway.store.spool import Spool
from keys.envelope import Recipient
from keys.keyring import Keyring
from keys.sealed import open_text


class Gateway:
    """One open installation. Use it in a `with` block; not shared between threads."""

    def __init__(self, installation: Installation, log_file: TextIO | None = None) -> None:
        self.installation = installation
        self._log_file = log_file

    @classmethod
    def open(
        cls,
        path: Path | str,
        *,
        clock: Clock | None = None,
        randomness: Randomness | None = None,
        open_channel: ChannelOpener | None = None,
    ) -> Self:
        """Open the installation whose `bankgate.toml` this is.

        Raises `ConfigurationError` with every mistake of configuration, profiles and
        agreements, `keys.errors.KeyUnavailable`, `StorageFailed`, `IntegrityError`, and `LedgerMissing`
        where its ledger is not there: a lost one is never taken for a new one.
        """
        configuration, keyring = _load(Path(path))
        refuse_begun_restore(configuration)
        return cls._open_with(configuration, keyring, configuration.ledger, clock, randomness, open_channel)

    @classmethod
    def _open_with(
        cls,
        configuration: Configuration,
        keyring: Keyring,
        ledger: Path,
        clock: Clock | None,
        randomness: Randomness | None,
        open_channel: ChannelOpener | None,
    ) -> Self:
        clock = clock or SystemClock()
        masters = keyring.masters(clock.now())
        randomness = randomness or SystemRandomness()
        opened = Ledger(ledger, create=False)
        spool = Spool(FolderDisk(configuration.spool), masters, randomness)
        log, log_file = open_log(configuration.log)
        return cls(
            Installation(
                log=log,
                configuration=configuration,
                ledger=opened,
                spool=spool,
                masters=masters,
                keyring=keyring,
                codecs=Registry(configuration.layout_folders),
                clock=clock,
                randomness=randomness,
                open_channel=open_channel or channel_opener(keyring, configuration.path.parent, clock),
                open_anchor=anchor_opener(configuration, keyring, clock),
            ),
            log_file,
        )

    @classmethod
    def begin(cls, path: Path | str) -> bool:
        """Make the empty ledger of a new installation; False where it has one, which stays as it is.

        Raises `NotPermitted` where its spool has files, which a ledger knew once, and as `open` for
        configuration and keys.
        """
        configuration, _ = _load(Path(path))
        refuse_begun_restore(configuration)
        return begin_ledger(configuration)

    @classmethod
    def restore(
        cls,
        path: Path | str,
        folder: Path | str,
        *,
        margin: int | None = None,
        clock: Clock | None = None,
        randomness: Randomness | None = None,
    ) -> RestoreReport:
        """Put the backup in `folder` back where the installation `path` has no ledger and no spool yet.

        Every bank is then on hold until persons have reconciled with it (`docs/operators.md`),
        and so many numbers of each are left out (`margin`; None: as many as the backup's age
        makes likely). The same restore twice, or after a crash, is once. Raises as
        `gateway.store.restore.restore_backup` says, and as `open` for configuration and keys.
        """
        configuration, keyring = _load(Path(path))

        @contextmanager
        def open_with(ledger: Path) -> Iterator[Installation]:
            with cls._open_with(configuration, keyring, ledger, clock, randomness, None) as gateway:
                yield gateway.installation

        report = restore_backup(Path(folder), configuration, keyring, open_with, margin)
        with cls.open(path, clock=clock, randomness=randomness) as gateway:
            compared = gateway._compare_with_anchor()
        told = [f"the anchor could not be asked: {compared.fault}"] if compared.fault else compared.found
        return msgspec.structs.replace(report, warnings=[*report.warnings, *told])

    def backup(self, folder: Path | str, *, earlier: Path | str | None = None) -> BackupReport:
        """Write ledger and spool, as they are at one moment, to a new folder; others may go on working.

        Keys and configuration are not in it. Files that `earlier`, another backup on the same
        disk, has already are linked from there. Raises `FolderUnusable` where the folder has
        something in it or cannot be written, `Locked`, `StorageFailed`, and `IntegrityError` where
        a stored file is missing or damaged.
        """
        before = None if earlier is None else Path(earlier)
        return make_backup(self.installation, Path(folder), before)

    def close(self) -> None:
        self.installation.ledger.close()
        if self._log_file is not None:
            self._log_file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def configuration(self) -> Configuration:
        return self.installation.configuration

    @property
    def plan(self) -> PlanDesk:
        """What the rules of the plan say: the catalogue, and what was found against it."""
        return PlanDesk(self.installation, self._batch)

    def check(self, path: Path | str) -> CheckReport:
        """Every problem of a batch file; nothing is stored. Raises `InputRefused` if unreadable."""
        return intake.check(self.installation, Source(path=Path(path)))

    @overload
    def submit(
        self, batch: Path | str, payments: None = None, *, signature: bytes | None = None,
        policy: Policy | None = None,
    ) -> Receipt: ...  # fmt: skip

    @overload
    def submit(
        self, batch: Batch, payments: Iterable[Payment], *, signature: bytes | None = None,
        policy: Policy | None = None,
    ) -> Receipt: ...  # fmt: skip

    def submit(
        self,
        batch: Path | str | Batch,
        payments: Iterable[Payment] | None = None,
        *,
        signature: bytes | None = None,
        policy: Policy | None = None,
    ) -> Receipt:
        """Take a batch: a file, or an envelope and its payments. The same twice is once.

        `signature` is the platform's detached CMS signature over the file's bytes, or over
        `formats.standard.canonical_batch_bytes` of the objects. Without it the batch waits
        for two persons. `policy` overrides the configured one.
        Raises `InputRefused` with every problem, `Conflict`, `keys.errors.SealError`; in each
        case nothing was stored.
        """
        if isinstance(batch, Batch):
            source = Source(batch=batch, payments=payments or ())
        else:
            source = Source(path=Path(batch))
        return intake.submit(self.installation, source, signature, policy)

    def run(self, bank: str | None = None) -> RunReport:
        """Do all that is due now, for one bank or all. Raises `Locked` beside another run."""
        return runner.run(self.installation, bank)

    def outcomes(
        self,
        batch_id: str | None = None,
        *,
        since: int = 0,
        only_current: bool = False,
        statuses: tuple[Status, ...] = (),
    ) -> Iterator[Outcome]:
        """Outcomes in the order recorded; give the last `cursor` as `since` to go on from there.

        A payment may have several, as evidence comes in; `only_current` gives the last of each.
        """
        batch_pk = None if batch_id is None else self._batch(batch_id).batch_pk
        with self.installation.ledger.read() as transaction:
            yield from outcomes(
                transaction, batch_pk=batch_pk, since=since, only_current=only_current, statuses=statuses
            )

    def findings(self, batch_id: str | None = None) -> Iterator[FeeFinding]:
        """Charges that banks made, with their evidence."""
        batch_pk = None if batch_id is None else self._batch(batch_id).batch_pk
        with self.installation.ledger.read() as transaction:
            yield from fee_findings(transaction, batch_pk)

    def notices(self, batch_id: str | None = None, *, since: int = 0) -> Iterator[Notice]:
        """What banks told that is no outcome, in the order recorded; resumable like `outcomes`.

        Nothing acts on them. `notice_values` says what was told.
        """
        batch_pk = None if batch_id is None else self._batch(batch_id).batch_pk
        with self.installation.ledger.read() as transaction:
            yield from notices(transaction, batch_pk=batch_pk, since=since)

    def notice_values(self, notice: Notice) -> dict[str, str]:
        """What a notice tells, by name, in clear: `account`, `bank_code`, `text` ...

        They name a person: do not log them. Empty where the personal data was destroyed.
        """
        if notice.text is None:
            return {}
        return msgspec.json.decode(self.bank_text(notice.text), type=dict[str, str])

    def statement_entries(
        self, bank: str | None = None, *, first: date | None = None, last: date | None = None, since: int = 0
    ) -> Iterator[StatementEntry]:
        """What banks' statements say was booked on days of the bank, ends included; constant memory.

        Entries without a day are in every period. Each is taken once, however many statements have it.
        Raises `Unknown` for a bank that is none.
        """
        self.installation.require_bank(bank)
        with self.installation.ledger.read() as transaction:
            yield from statement_entries(transaction, bank=bank, first=first, last=last, since=since)

    def bank_text(self, sealed: SealedText) -> str:
        """A bank's own words, in clear. They may name a person: do not log them."""
        return open_text(self.installation.masters, sealed.blob, TEXT_CONTEXT)

    def rewrap(self, limit_bytes: int | None = None) -> Rewrapped:
        """Bring what is sealed at rest under the current master key; raises `Locked` beside a run.

        Goes on where it stopped, also after a crash; stops after about `limit_bytes` of files.
        """
        return rewrap(self.installation, limit_bytes, TEXT_CONTEXT)

    @property
    def identity(self) -> str:
        """Its ledger's identity, which persons and platforms sign: 32 hex digits."""
        with self.installation.ledger.read() as transaction:
            return identity_of(transaction)

    def status(self, batch_id: str | None = None) -> list[BatchStatus]:
        """Where the batches stand, in count and minor units."""
        if batch_id is not None:
            rows = [self._batch(batch_id)]
        else:
            with self.installation.ledger.read() as transaction:
                rows = batches(transaction)
        return [report.batch_status(self.installation, row) for row in rows]

    def files(self, batch_id: str | None = None) -> list[FileStatus]:
        """Every outgoing file, or those of a batch, oldest first."""
        return report.file_statuses(self.installation, None if batch_id is None else self._batch(batch_id))

    def received(self, batch_id: str | None = None) -> list[ReceivedStatus]:
        """Every file that banks put there, or those that answer a batch, oldest first."""
        return report.received_statuses(
            self.installation, None if batch_id is None else self._batch(batch_id)
        )

    def anchor_status(self) -> AnchorStatus:
        """How far the journal is, signed and anchored, and what stands in the way; nobody is asked for it."""
        return anchor_status(self.installation)

    def anchor(self) -> AnchorTurn:
        """Compare with the anchor, sign the journal's head and put it there, now.

        Raises `Locked` beside a run, and `Unknown` where no anchor is configured.
        """
        if self.configuration.anchor is None:
            raise Unknown(
                "no anchor is configured: a journal that was cut or restored would not be noticed",
                hint="enter [anchor] in bankgate.toml: docs/configuration.md",
            )
        with running(self.installation):
            anchor.try_again(self.installation)
            compared = anchor.compare(self.installation)
            if compared.fault:
                anchor.sign_head(self.installation)
                return compared
            published = anchor.publish(self.installation)
            return msgspec.structs.replace(published, found=compared.found)

    def audit_export(
        self,
        folder: Path | str,
        *,
        batch_id: str | None = None,
        first: date | None = None,
        last: date | None = None,
        programme: str = "",
        department: str = "",
        period: str = "",
        recipient: Recipient | None = None,
    ) -> Exported:
        """Write a signed bundle (`docs/audit.md`) to a new folder: everything, or whole batches.

        One batch, or those that fit all that is said: `first` and `last` are UTC days of submission,
        `programme` (in any spelling of the catalogue), `department` and `period` (as `2026-09`) what a
        payment of it is for. Only with a `recipient` are identities written, enveloped for
        him, of the payments that the selection is about. Raises `InputRefused` where the folder has
        something in it, `Unknown`.
        """
        batch = None if batch_id is None else self._batch(batch_id)
        catalogue = self.configuration.catalogue
        known = None if catalogue is None else catalogue.find(programme)
        selection = Selection(
            batch_pk=None if batch is None else batch.batch_pk,
            batch="" if batch is None else f"{batch.source_platform}/{batch.batch_id}",
            first=first,
            last=last,
            programme=programme if known is None else known.name,
            spellings=frozenset({programme} if known is None else {known.name, known.code, *known.also}),
            department=department,
            period=period,
        )
        return export(self.installation, Path(folder), selection, recipient)

    def retain(self, *, dry_run: bool = False) -> RetentionReport:
        """Destroy personal data whose term is over and that nothing needs (`docs/retention.md`).

        With `dry_run` only say what that is. Started again after a crash it goes on. Raises
        `Locked` beside a run, a backup or an export, `StorageFailed`.
        """
        return retention.retain(self.installation, dry_run=dry_run)

    def trace(self, payment_id: str, source_platform: str | None = None) -> Story:
        """One payment's whole story. Raises `Unknown`, also where two platforms use the id."""
        with self.installation.ledger.read() as transaction:
            found = find_payment(transaction, payment_id, source_platform)
        if not found and source_platform is not None:
            self.installation.require_platform(source_platform)
        if len(found) != 1:
            what = "no payment has the id" if not found else "several platforms have a payment"
            raise Unknown(
                f"{what} {payment_id!r}",
                hint="name the platform: --platform NAME"
                if found
                else "ids are those of the lists that were handed over",
            )
        return report.story(self.installation, found[0])

    def held(self) -> list[HeldItem]:
        """What waits for a person, with the decisions that end it."""
        return list(held.held_items(self.installation))

    def needs_person(self) -> bool:
        """Whether anything waits for a person."""
        return held.anything_held(self.installation)

    def ways(self, about: str) -> list[Way]:
        """What may be decided now about any object, waiting or not. Raises `Unknown`."""
        return held.ways_out(self.installation, about)

    def attach(self, exhibit: Path | str) -> str:
        """Keep what a decision rests on, as a rule the bank's letter, sealed; its SHA-256.

        Raises `InputRefused` where it is empty or over 64 MiB.
        """
        path = Path(exhibit)
        with path.open("rb") as source:
            return exhibits.attach(self.installation, source, str(path))

    def exhibit(self, sha256: str, output: Path | str) -> None:
        """Write an exhibit to a new file, readable by its owner only. It may name people.

        Raises `InputRefused` where none has that digest, `FolderUnusable` where the file is there or
        cannot be, `StorageFailed`.
        """
        with output_file(Path(output)) as sink:
            exhibits.read_exhibit(self.installation, sha256, sink)

    def bring_card_list(self, path: Path | str) -> BroughtCards:
        """Keep a platform's card list (CSV or .xlsx), sealed. It counts when a person decides `take-list`.

        The same bytes twice are one list. Raises `InputRefused` with every problem of a list that is none,
        and `Conflict` where a later one of its platform counts.
        """
        return bring_card_list(self.installation, Path(path))

    def keep_reason(self, words: str) -> str:
        """Keep why a person holds something, or closes books with something open; its SHA-256.

        It is a line of the person's own, and is kept sealed.
        Raises `InputRefused` where it is empty, more than a line or longer than 300 characters.
        """
        return exhibits.keep_words(self.installation, words)

    def statement(
        self,
        about: str,
        decision: str,
        person: str,
        *,
        exhibit: str = "",
        reason: str = "",
        amount_minor: int | None = None,
        ground: str = "",
    ) -> Statement:
        """What a person signs (`Statement.to_bytes`) to decide about an object as it is now.

        `exhibit` is what `attach` gave; decisions that rest on the bank's word need one. `reason` is
        what `keep_reason` gave; a hold may have one, and closing books with something open must.
        `amount_minor` and `ground` are said in decisions about recoveries (`ways` tells which).
        """
        terms = Terms(amount_minor=amount_minor, ground=ground)
        basis = Basis(exhibit=exhibit, reason=reason, terms=terms)
        return deciding.statement_for(self.installation, about, decision, person, basis)

    def decide(self, statement: Statement, signature: bytes) -> bool:
        """Record a signed decision; True when it was carried out, False when another is needed."""
        return self.sign(statement, signature).carried_out

    def sign(self, statement: Statement, signature: bytes) -> Decided:
        """The same, and all of what it came to: who else signed, and what is where before and after."""
        return deciding.decide(self.installation, statement, signature)

    def operators(self) -> list[Operator]:
        """Every person and key that may, might or might have decided."""
        return enrolled.operators(self.installation)

    def note_operators(self) -> list[str]:
        """Let the journal tell who may decide, where it does not yet; what has changed, in words.

        `run` and `decide` do so by themselves.
        """
        with self.installation.ledger.write() as transaction:
            return enrolled.note_enrolled(self.installation, transaction)

    def batch_object(self, batch_id: str) -> str:
        """The name under which a batch is decided about."""
        row = self._batch(batch_id)
        return f"batch:{row.source_platform}/{row.batch_id}"

    def recovery_object(self, payment_id: str, source_platform: str | None = None) -> str:
        """The name under which a payment's recovery is decided about. Raises `Unknown`."""
        story = self.trace(payment_id, source_platform)
        return f"recovery:{story.source_platform}/{story.payment_id}"

    def _compare_with_anchor(self) -> AnchorTurn:
        with running(self.installation):
            return anchor.compare(self.installation)

    def _batch(self, batch_id: str) -> BatchRow:
        platform, separator, rest = batch_id.partition("/")
        with self.installation.ledger.read() as transaction:
            found = (
                find_batch(transaction, rest, platform) if separator else find_batch(transaction, batch_id)
            )
        if len(found) == 1:
            return found[0]
        if found:
            raise Unknown(f"several platforms have a batch {batch_id!r}", hint=f"write PLATFORM/{batch_id}")
        raise Unknown(f"there is no batch {batch_id!r}", hint="`bankgate status` lists the batches")


def _load(path: Path) -> tuple[Configuration, Keyring]:
    configuration = load_configuration(path, lambda folders: Registry(folders).purposes())
    return configuration, Keyring.load(configuration.keys, configuration.environment)
