"""A batch comes in: stored, read, screened, taken or refused as a whole, once.

The order is what makes a crash harmless: the batch's bytes and its lanes are sealed files,
durable before the one ledger transaction that makes them a batch. Before that transaction
nothing exists; after it everything does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec
from msgspec import Struct

from formats import Batch, BatchError, Payment, Problem, Reason, Severity
from formats.standard import BatchReader, canonical_batch_bytes, open_batch
from gateway import evidence
from gateway.configuration.config import Policy
from gateway.errors import Conflict, InputRefused
from gateway.installation import Installation, canonical
from gateway.ledger.database import Transaction
from gateway.ledger.holds import is_behind
from gateway.ledger.intake import (
    BatchRow,
    Subject,
    find_batch,
    has_payments,
    held_count,
    insert_batch,
    insert_lane,
    insert_set_aside_outcomes,
    next_payment_key,
    subject_key,
)
from gateway.ledger.payments import state_totals
from gateway.ledger.reissues import link_reissues, refuse_reissues
from gateway.ledger.staging import Staging
from gateway.problems import NEVER_PAID, ProblemList
from gateway.rules.catalogue import Catalogue
from gateway.rules.repeats import find_repeats
from gateway.screening import Screening
from gateway.sending.release import (
    PlatformSignature,
    release_by_platform,
    require_ours,
    verify_platform_signature,
)
from gateway.states import BatchState, PaymentState
from gateway.store.locks import writing_spool
from gateway.store.spool import ColumnsWriter, StoredFile

_COPY_BYTES = 1 << 20
_STORED_PROBLEMS = 1000


class Receipt(Struct, frozen=True, kw_only=True):
    """What the gateway took. The same batch handed over twice is taken once.

    `left_out_count` rows are no payments: their `payment_id` is used already. `problems`
    are those of the first submission. `state` is the batch's, `states` counts its payments by
    what has become of them so far: a batch that was taken before may be paid already.
    """

    batch_id: str
    source_platform: str
    content_sha256: str
    state: BatchState
    states: dict[str, int]
    released: bool
    payments: int
    total_minor: int
    accepted: int
    held: int
    set_aside: int
    left_out_count: int
    left_out_minor: int
    problems: list[Problem]
    taken_before: bool = False


class CheckReport(Struct, frozen=True, kw_only=True):
    """Every problem of a batch; nothing was stored. `total` counts those beyond the list too."""

    batch: Batch
    rows: int
    problems: list[Problem]
    total: int
    refused: bool
    sets_aside: bool
    """Some payments would come back by themselves."""
    holds: bool = False
    """Some payments would wait for a person."""


class Source(Struct, frozen=True):
    """A batch to be read: a file, or objects of the platform."""

    path: Path | None = None
    batch: Batch | None = None
    payments: Iterable[Payment] = ()

    @property
    def name(self) -> str:
        return "payments.jsonl" if self.path is None else self.path.name


def check(installation: Installation, source: Source) -> CheckReport:
    """Find every problem and store nothing.

    Raises `InputRefused` where the batch cannot be read at all.
    """
    with writing_spool(installation), ExitStack() as cleanup:
        staging = cleanup.enter_context(Staging(installation.ledger))
        name, _ = _store(installation, source)
        cleanup.callback(installation.spool.remove, name)
        with _reading(installation, name, source.name) as reader:
            screening = _screen(installation, reader, staging, None)
            with staging.read() as transaction:
                _judge_by_ledger(installation, transaction, reader.batch, staging, screening)
            return CheckReport(
                batch=reader.batch,
                rows=sum(lane.rows for lane in screening.lanes),
                problems=screening.problems.sorted(),
                total=screening.problems.total,
                refused=screening.problems.counts[Severity.REFUSES] > 0,
                sets_aside=screening.problems.counts[Severity.SETS_ASIDE] > 0,
                holds=screening.problems.counts[Severity.HOLDS] > 0,
            )


def submit(
    installation: Installation,
    source: Source,
    signature: bytes | None = None,
    policy: Policy | None = None,
) -> Receipt:
    """Take a batch; idempotent by (platform, batch id, content).

    Raises `InputRefused` with every problem, `Conflict` where the same batch id came before
    with other content, `keys.errors.SealError` where a given signature does not hold. In
    each case nothing was stored.
    """
    policy = policy or installation.configuration.intake.policy
    with writing_spool(installation):
        name, sha256 = _store(installation, source)
        draft = Draft(installation, name)
        with draft, _reading(installation, name, source.name) as reader:
            signed = verify_platform_signature(installation, name, reader.batch, signature)
            before = _submitted_before(installation, reader.batch, sha256)
            if before is None:
                _take(installation, draft, reader, sha256, signed, policy)
    with installation.ledger.read() as transaction:
        row = find_batch(transaction, reader.batch.batch_id, reader.batch.source_platform)[0]
        if before is None:
            return _receipt(transaction, row)
    return _taken_before(installation, row, signed)


def _store(installation: Installation, source: Source) -> tuple[str, str]:
    """Keep the batch's own bytes, sealed; (name in the spool, SHA-256)."""
    name = f"batch/{installation.randomness.token()}"
    with installation.spool.create(name) as sink:
        if source.path is None:
            assert source.batch is not None
            for block in canonical_batch_bytes(source.batch, source.payments):
                sink.write(block)
        else:
            with _open_input(source.path) as stream:
                while block := stream.read(_COPY_BYTES):
                    sink.write(block)
    return name, sink.sha256


def _open_input(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        problem = Problem(
            code="unreadable", source=str(path), message=f"{path}: {error.strerror}", hint="check the path"
        )
        raise InputRefused([problem], hint="check the path") from error


@contextmanager
def _reading(installation: Installation, name: str, source_name: str) -> Iterator[BatchReader]:
    """Read the stored bytes: what is checked is what was digested, whatever happens to the file."""
    try:
        stored = StoredFile(installation.spool, name, source_name)
        today = installation.clock.now().date()
        with open_batch(stored, today=today) as reader:
            require_ours(installation, reader.batch)
            yield reader
    except BatchError as error:
        raise InputRefused(error.problems, hint="nothing was stored") from error


def _screen(
    installation: Installation, reader: BatchReader, staging: Staging, draft: Draft | None
) -> Screening:
    screening = Screening(installation, staging, reader.batch, None if draft is None else draft.open_lane)
    for chunk in reader:
        screening.take(chunk)
    screening.finish(reader.final_problems)
    return screening


class Draft:
    """The sealed files of a batch that is not taken yet; all go when it is not.

    From `offered` on the ledger may know them, whatever an interrupted commit reported:
    then they stay.
    """

    def __init__(self, installation: Installation, stored: str) -> None:
        self.stored = stored
        self.offered = False
        self._spool = installation.spool
        self._writers: list[ColumnsWriter] = []

    def open_lane(self, number: int) -> ColumnsWriter:
        writer = self._spool.create_columns(f"{self.stored.replace('batch/', 'lane/')}-{number}")
        self._writers.append(writer)
        return writer

    def commit_lanes(self) -> None:
        for writer in self._writers:
            writer.commit()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.offered and not isinstance(error, InputRefused):
            return
        for writer in self._writers:
            writer.discard()
            self._spool.remove(writer.name)
        self._spool.remove(self.stored)


def _take(
    installation: Installation,
    draft: Draft,
    reader: BatchReader,
    sha256: str,
    signed: PlatformSignature | None,
    policy: Policy,
) -> None:
    with Staging(installation.ledger) as staging:
        screening = _screen(installation, reader, staging, draft)
        _refuse_if_needed(screening.problems, policy)
        draft.commit_lanes()
        batch = reader.batch
        draft.offered = True
        with staging.write() as transaction:
            left_out = _judge_by_ledger(installation, transaction, batch, staging, screening)
            _refuse_if_needed(screening.problems, policy)
            batch_pk = _insert(
                installation, transaction, batch, (draft.stored, sha256), screening, staging, left_out
            )
            if signed is not None:
                release_by_platform(installation, transaction, batch_pk, signed)


def _judge_by_ledger(
    installation: Installation,
    transaction: Transaction,
    batch: Batch,
    staging: Staging,
    screening: Screening,
) -> tuple[int, int]:
    """Judge the staged rows by what is in the ledger; (rows, minor units) left out as repeated."""
    problems, platform = screening.problems, batch.source_platform
    left_out = _find_repeated(transaction, platform, staging, problems)
    problems.add(refuse_reissues(transaction, platform, staging))
    problems.add(find_repeats(transaction, installation.configuration.catalogue, batch, screening.judged))
    if is_behind(transaction):
        staging.hold_refused(NEVER_PAID)
    return left_out


def _refuse_if_needed(problems: ProblemList, policy: Policy) -> None:
    refused = problems.counts[Severity.REFUSES]
    if policy == "refuse":
        refused += problems.counts[Severity.SETS_ASIDE]
    if refused:
        raise InputRefused(
            problems.sorted(), hint="correct the batch and submit it again; nothing was stored"
        )


def _find_repeated(
    transaction: Transaction, source_platform: str, staging: Staging, problems: ProblemList
) -> tuple[int, int]:
    """Take rows with an id of an earlier batch out; (rows, minor units) left out.

    A payment that has the id already keeps its outcome; the row is no payment. An id that
    occurs twice within the batch has refused the batch before.
    """
    count = total = 0
    if has_payments(transaction, source_platform):
        for payment_id, line, amount_minor in staging.leave_out_repeated(transaction, source_platform):
            problems.add([_repeated_problem(payment_id, line)])
            count += 1
            total += amount_minor
    return count, total


def _repeated_problem(payment_id: str, line: int) -> Problem:
    return Problem(
        code="repeated-payment-id",
        severity=Severity.SETS_ASIDE,
        reason=Reason.FIELD_INVALID,
        line=line,
        column="payment_id",
        found=payment_id,
        wanted="an id that no other payment of the platform has",
        message=f"row {line} payment_id: {payment_id} is used by an earlier batch, wanted an id of its own",
        hint="give each payment its own id; a payment that is paid again gets a new one and names the old",
        payment_id=payment_id,
    )


def _insert(
    installation: Installation,
    transaction: Transaction,
    batch: Batch,
    stored: tuple[str, str],
    screening: Screening,
    staging: Staging,
    left_out: tuple[int, int],
) -> int:
    now = installation.clock.now()
    problems = canonical(screening.problems.sorted()[:_STORED_PROBLEMS])
    batch_pk = insert_batch(transaction, batch, stored, problems, left_out, now)
    lanes = []
    next_key = next_payment_key(transaction)
    for lane in screening.lanes:
        assert lane.writer is not None
        lane_pk = insert_lane(transaction, batch_pk, lane.bank, lane.department, lane.writer.name, lane.rows)
        lanes.append((lane_pk, next_key))
        next_key += lane.rows
    subject_keys = [subject_key(transaction, Subject(*subject)) for subject in screening.subjects]
    staging.insert_payments(transaction, batch_pk, batch.source_platform, lanes, subject_keys)
    link_reissues(transaction, batch.source_platform, staging)
    set_aside = insert_set_aside_outcomes(transaction, batch_pk, now)
    evidence.record(
        transaction,
        now,
        "batch submitted",
        platform=batch.source_platform,
        batch=batch.batch_id,
        content_sha256=stored[1],
        count=batch.declared_count,
        total_minor=batch.declared_total_minor,
        left_out=left_out[0],
        held=held_count(transaction, batch_pk),
        catalogue=_digest_of(installation.configuration.catalogue),
        set_aside=set_aside,
    )
    return batch_pk


def _digest_of(catalogue: Catalogue | None) -> str:
    """By which catalogue the batch was judged; "" for none."""
    return "" if catalogue is None else catalogue.digest


def _submitted_before(installation: Installation, batch: Batch, sha256: str) -> BatchRow | None:
    with installation.ledger.read() as transaction:
        found = find_batch(transaction, batch.batch_id, batch.source_platform)
    if not found:
        return None
    if found[0].content_sha256 != sha256:
        raise Conflict(
            f"batch {batch.batch_id} of {batch.source_platform} was submitted before with other content",
            hint="a batch id is used once: give the changed list a new one",
        )
    return found[0]


def _taken_before(installation: Installation, before: BatchRow, signed: PlatformSignature | None) -> Receipt:
    """The receipt once more; a signature that comes later releases the batch."""
    if signed is not None and before.state is BatchState.SUBMITTED:
        with installation.ledger.write() as transaction:
            release_by_platform(installation, transaction, before.batch_pk, signed)
    with installation.ledger.read() as transaction:
        row = find_batch(transaction, before.batch_id, before.source_platform)[0]
        return msgspec.structs.replace(_receipt(transaction, row), taken_before=True)


def _receipt(transaction: Transaction, row: BatchRow) -> Receipt:
    totals = {total.state: total for total in state_totals(transaction, row.batch_pk)}
    held = totals.get(PaymentState.HELD)
    set_aside = totals.get(PaymentState.SET_ASIDE)
    payments = sum(total.count for total in totals.values())
    kept_back = sum(total.count for total in (held, set_aside) if total is not None)
    return Receipt(
        batch_id=row.batch_id,
        source_platform=row.source_platform,
        content_sha256=row.content_sha256,
        state=row.state,
        states={str(state): total.count for state, total in totals.items()},
        released=row.state is BatchState.RELEASED,
        payments=payments,
        total_minor=sum(total.instructed_minor for total in totals.values()),
        accepted=payments - kept_back,
        held=0 if held is None else held.count,
        set_aside=0 if set_aside is None else set_aside.count,
        left_out_count=row.left_out_count,
        left_out_minor=row.left_out_minor,
        problems=msgspec.json.decode(row.problems, type=list[Problem]),
    )
