"""A batch is read, every problem found, and each payment put into its lane.

A lane is what one agreement (department and bank) gets of a batch. Rows go to it in the
order of the batch and keep their position for ever. What only the bank's side knows is
checked here: whether the bank has a profile, whether an agreement entrusts the programme,
whether every value fits the bank's format.
Not here: what becomes of the findings (`intake`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import itemgetter
from typing import Any

from formats import CHUNK_RECORDS, Batch, PayeeKind, Problem, Reason, RecordChunk, Severity
from formats.masking import mask_account, mask_text
from formats.standard import BatchChunk
from gateway.configuration.agreement import EVERY, Agreement
from gateway.configuration.config import Configuration
from gateway.configuration.profile import Profile
from gateway.installation import Installation
from gateway.ledger.holds import is_behind
from gateway.ledger.intake import hidden
from gateway.ledger.staging import StagedRow, Staging
from gateway.money import money
from gateway.problems import ProblemList, order_of_reason
from gateway.rules.accounts import unlike
from gateway.rules.rule import PlanRule, by_rule
from gateway.rules.subjects import NO_TOPIC, Subjects
from gateway.rules.verdict import CLASSIFIED_HINT
from gateway.states import Disposition
from gateway.store.spool import Columns, ColumnsWriter
from gateway.wording import is_programme_name
from keys.fingerprint import Fingerprinter

NOBODY = ""
"""The department of a lane that no agreement takes: kept sealed with the others, never sent."""

_SPREAD_ROWS = 8 * CHUNK_RECORDS
"""Rows looked at together: with dozens of lanes a single chunk leaves too few for each."""

_ENTRUSTED = (PlanRule.ENTRUSTED.value.name, PlanRule.ENTRUSTED.value.section)
_LIKE_A_BANK = re.compile(r"(?=.*[a-z])(?!.*[0-9]{6})[a-z0-9][a-z0-9_-]{0,31}\Z")
_LIKE_A_PERIOD = re.compile(r"(?=.*[0-9])(?!.*[0-9]{9}).{1,20}\Z")
"""A cell moved into the wrong column may be a name, an ID or an account: shown only if it cannot be."""

_SUBJECT_COLUMNS = (
    "payment.department",
    "payment.programme",
    "payment.period",
    "payment.account_kind",
    "payment.payee_kind",
)


class Lane:
    """Rows on their way into one sealed file; flushed a chunk at a time."""

    def __init__(
        self,
        number: int,
        bank: str,
        department: str,
        writer: ColumnsWriter | None,
    ) -> None:
        self.amount_limits: dict[str, int | None] = {}
        """The most minor units of one payment by programme: each has an agreement of its own."""
        self.number = number
        self.bank = bank
        self.department = department
        self.writer = writer
        self.rows = 0
        self.pending: defaultdict[str, list[Any]] = defaultdict(list)
        self.lines: list[int] = []

    def take(self, columns: Columns, rows: list[int], lines: list[int]) -> None:
        """Rows of the columns, in their order."""
        if len(rows) == 1:
            for name, values in columns.items():
                self.pending[name].append(values[rows[0]])
            self.lines.append(lines[rows[0]])
            return
        pick = itemgetter(*rows)
        for name, values in columns.items():
            self.pending[name].extend(pick(values))
        self.lines.extend(pick(lines))

    def next_chunk(self) -> RecordChunk:
        """Up to a thousand of the waiting rows."""
        count = min(CHUNK_RECORDS, len(self.lines))
        columns = {name: values[:count] for name, values in self.pending.items()}
        chunk = RecordChunk(record="payment", count=count, columns=columns, lines=self.lines[:count])
        for values in self.pending.values():
            del values[:count]
        del self.lines[:count]
        return chunk


class Screening:
    """One batch being read. `lanes`, `problems`, `subjects` are complete after `finish`."""

    def __init__(
        self,
        installation: Installation,
        staging: Staging,
        batch: Batch,
        open_writer: Callable[[int], ColumnsWriter] | None,
    ) -> None:
        with installation.ledger.read() as transaction:
            in_doubt = is_behind(transaction)
        self.problems = ProblemList(installation.configuration.intake.maximum_problems, in_doubt=in_doubt)
        self.lanes: list[Lane] = []
        self.subjects: dict[tuple[str, ...], int] = {}
        self._profiles = installation.configuration.profiles
        self._installation = installation
        self._staging = staging
        self._batch = batch
        self._now = installation.clock.now()
        self._open_writer = open_writer
        self._fingerprinter: Fingerprinter = installation.keyring.fingerprinter(self._now)
        self._older_fingerprinters = [
            other
            for other in installation.keyring.fingerprinters()
            if other.version != self._fingerprinter.version
        ]
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._subject_of: dict[tuple[str, ...], int] = {}
        self._roads: dict[tuple[str, str, str], tuple[Lane, Problem | None]] = {}
        self._bad: dict[int, Reason] = {}
        self._waiting: defaultdict[str, list[Any]] = defaultdict(list)
        self._waiting_lines: list[int] = []
        self._known = {
            name for group in installation.configuration.agreements.values() for name in _named(group)
        }
        catalogue = installation.configuration.catalogue
        if catalogue is not None:
            self._known.update(catalogue.words())
        self.judged = Subjects(catalogue, self._shown)
        """What the catalogue says of the subjects, and which payments would be repeats of one another."""
        self.problems.add(_envelope_problems(batch, installation.configuration))

    def take(self, chunk: BatchChunk) -> None:
        """Take one chunk of the batch; rows are spread over the lanes many chunks at a time."""
        self._note(chunk.problems)
        for name, values in chunk.records.columns.items():
            self._waiting[name].extend(values)
        self._waiting_lines.extend(chunk.records.lines)
        if len(self._waiting_lines) >= _SPREAD_ROWS:
            self._spread()

    def finish(self, final_problems: Iterable[Problem]) -> None:
        """Write what still waits; the envelope's problems come last."""
        self._spread()
        for lane in self.lanes:
            while lane.lines:
                self._flush(lane)
        self._note(final_problems)

    def _spread(self) -> None:
        """Move the waiting rows into their lanes, each lane's rows at once."""
        columns, lines = self._waiting, self._waiting_lines
        rows_of: defaultdict[int, list[int]] = defaultdict(list)
        roads = zip(
            columns["payment.bank"],
            columns["payment.department"],
            columns["payment.programme"],
            strict=True,
        )
        for row, road in enumerate(roads):
            lane, problem = self._roads.get(road) or self._find_road(road)
            if problem is not None:
                self._note([_placed(problem, lines[row], columns["payment.payment_id"][row])])
            rows_of[lane.number].append(row)
        for number, rows in rows_of.items():
            lane = self.lanes[number]
            lane.take(columns, rows, lines)
            while len(lane.lines) >= CHUNK_RECORDS:
                self._flush(lane)
        self._waiting = defaultdict(list)
        self._waiting_lines = []

    def _note(self, problems: Iterable[Problem]) -> None:
        found = list(problems)
        self.problems.add(found)
        for problem in found:
            if problem.severity is Severity.SETS_ASIDE and problem.line is not None:
                known = self._bad.setdefault(problem.line, problem.reason)
                self._bad[problem.line] = min(known, problem.reason, key=order_of_reason)

    def _find_road(self, road: tuple[str, str, str]) -> tuple[Lane, Problem | None]:
        bank, department, programme = road
        agreement = self._installation.agreement(
            bank, department, programme, self._batch.source_platform, self._batch.currency, self._now
        )
        problem = None if agreement is not None else self._obstacle(bank, department, programme)
        place = (
            (bank, department) if agreement is not None else (bank if bank in self._profiles else "", NOBODY)
        )
        lane = self._lanes.get(place)
        if lane is None:
            number = len(self.lanes)
            writer = None if self._open_writer is None else self._open_writer(number)
            lane = self._lanes[place] = Lane(number, *place, writer)
            self.lanes.append(lane)
        lane.amount_limits[programme] = _smallest(
            self._installation.configuration.limits.amount_per_payment_minor,
            None if agreement is None else agreement.limits.amount_per_payment_minor,
        )
        self._roads[road] = lane, problem
        return lane, problem

    def _obstacle(self, bank: str, department: str, programme: str) -> Problem:
        if bank not in self._profiles:
            known = ", ".join(sorted(self._profiles)) or "none"
            found = repr(bank) if _LIKE_A_BANK.match(bank) else mask_text(bank)
            return Problem(
                code="unknown-bank",
                severity=Severity.SETS_ASIDE,
                reason=Reason.UNKNOWN_BANK,
                column="bank",
                found=found,
                wanted=f"one of the banks with a profile: {known}",
                message=f"bank: {found} has no profile, wanted one of {known}",
                hint="correct the bank, or add its profile",
            )
        if nearly := self._nearly(bank, department, programme):
            return Problem(
                code="agreement-not-in-force",
                severity=Severity.SETS_ASIDE,
                reason=Reason.NOT_ENTRUSTED,
                column="programme",
                found=nearly,
                wanted=f"an agreement with {bank} that entrusts it today, to this platform",
                message=by_rule(f"programme: {nearly}", *_ENTRUSTED),
                hint=self._entrusting_hint(
                    department,
                    programme,
                    "renew or extend the agreement, or correct department, programme or bank",
                ),
            )
        shown = [
            repr(name) if self._may_be_told(name) else mask_text(name) for name in (programme, department)
        ]
        return Problem(
            code="not-entrusted",
            severity=Severity.SETS_ASIDE,
            reason=Reason.NOT_ENTRUSTED,
            column="programme",
            found=" of ".join(shown),
            wanted=f"an agreement of the department with {bank} that entrusts the programme today",
            message=by_rule(f"programme: no agreement entrusts {' of '.join(shown)} to {bank}", *_ENTRUSTED),
            hint=self._entrusting_hint(
                department, programme, "add the agreement, or correct department, programme or bank"
            ),
        )

    def _entrusting_hint(self, department: str, programme: str, agreeing: str) -> str:
        """No agreement is advised where a rule of the plan would refuse the payment all the same."""
        catalogue = self._installation.configuration.catalogue
        known = None if catalogue is None else catalogue.find(programme)
        if catalogue is not None and known is not None:
            if known.classified:
                return CLASSIFIED_HINT
            if department not in catalogue.departments_of(known):
                return "correct department, programme or bank"
        return agreeing

    def _nearly(self, bank: str, department: str, programme: str) -> str:
        """Which agreement entrusts the programme, and why not this batch's today; "" where none does."""
        today = self._installation.bank_day(self._profiles[bank], self._now)
        spellings = {*self._installation.spellings(programme), EVERY}
        for agreement in self._installation.configuration.agreements.get((department, bank), []):
            if not spellings.isdisjoint(agreement.programmes):
                named = f"agreement {agreement.number} with {bank}"
                if not agreement.valid_from <= today <= agreement.valid_until:
                    return (
                        f"{named} is in force from {agreement.valid_from} until {agreement.valid_until} only"
                    )
                if agreement.currency != self._batch.currency:
                    return f"{named} is for {agreement.currency} only"
                # A cell moved into the wrong column may be a name, an ID or an account.
                platform = self._batch.source_platform
                known = platform in self._installation.configuration.platforms
                return f"{named} does not name platform {platform if known else mask_text(platform)}"
        return ""

    def _flush(self, lane: Lane) -> None:
        chunk = lane.next_chunk()
        if lane.bank:
            profile = self._profiles[lane.bank]
            self._note(self._installation.request_codec(profile).problems(chunk))
            self._note(payment_problems(chunk, profile, lane.amount_limits))
        if lane.writer is not None:
            lane.writer.append(chunk.columns, chunk.count)
        keys = list(zip(*(chunk.columns[name] for name in _SUBJECT_COLUMNS), strict=True))
        problems = self.judged.problems(chunk, keys)
        self._note(problems)
        held = [(one.line, one.reason) for one in problems if one.severity is Severity.HOLDS and one.line]
        topics = self.judged.topics(keys)
        rows = self._staged_rows(lane, chunk, keys, topics, dict(reversed(held)))
        self._staging.add(rows, held, self._aliases(chunk, topics), self._households(chunk, keys, topics))
        lane.rows += chunk.count

    def _shown(self, word: str) -> str:
        """A word that is nobody's; of anything else only what kind of text it is."""
        return word if self._may_be_told(word) else mask_text(word)

    def _may_be_told(self, word: str) -> bool:
        """Words of the configuration, and what reads as a programme: whoever adds it must know its name."""
        return word in self._known or is_programme_name(word)

    def _aliases(self, chunk: RecordChunk, topics: list[int]) -> list[tuple[int, bytes, int]]:
        """(topic, fingerprint, row) of the same persons by the keys of before."""
        found: list[tuple[int, bytes, int]] = []
        for older in self._older_fingerprinters:
            fingerprints = older.of(chunk.columns["payment.beneficiary_id"])
            rows = zip(topics, fingerprints, range(chunk.count), strict=True)
            found += [row for row in rows if row[0] != NO_TOPIC]
        return found

    def _households(
        self, chunk: RecordChunk, keys: list[tuple[str, ...]], topics: list[int]
    ) -> list[tuple[int, bytes, int, int]]:
        """(topic, fingerprint, row, 1 by the present key) of the households that payments are for.

        Those of programmes that are not judged yet too: they may be compared later.
        """
        numbers = chunk.columns.get("payment.household_id")
        if numbers is None or not any(numbers):
            return []
        rows = [row for row, number in enumerate(numbers) if number and keys[row][-1] == PayeeKind.HOUSEHOLD]
        found: list[tuple[int, bytes, int, int]] = []
        for fingerprinter in (self._fingerprinter, *self._older_fingerprinters):
            values = fingerprinter.of_households(numbers[row] for row in rows)
            now = int(fingerprinter is self._fingerprinter)
            found += [(topics[row], value, row, now) for row, value in zip(rows, values, strict=True)]
        return found

    def _staged_rows(
        self,
        lane: Lane,
        chunk: RecordChunk,
        keys: list[tuple[str, ...]],
        topics: list[int],
        held: dict[int, Reason],
    ) -> list[StagedRow]:
        columns = chunk.columns
        subjects = self._subject_numbers(lane, keys)
        dispositions, reasons = self._dispositions(chunk, held)
        first = lane.rows
        return list(
            zip(
                columns["payment.payment_id"],
                chunk.lines,
                [lane.number] * chunk.count,
                range(first, first + chunk.count),
                columns["payment.amount"],
                subjects,
                dispositions,
                reasons,
                columns["payment.reissue_of"],
                self._fingerprinter.of(columns["payment.beneficiary_id"]),
                topics,
                strict=True,
            )
        )

    def _subject_numbers(self, lane: Lane, keys: list[tuple[str, ...]]) -> list[int]:
        """Numbers of what the rows are for; words that no agreement knows are kept unreadable."""
        numbers = self.subjects
        for key in set(keys):
            if key not in self._subject_of:
                kept = self._readable(key, entrusted=bool(lane.department))
                self._subject_of[key] = numbers.setdefault(kept, len(numbers))
        return [self._subject_of[key] for key in keys]

    def _readable(self, key: tuple[str, ...], *, entrusted: bool) -> tuple[str, ...]:
        department, programme, period, *kinds = key
        if not entrusted:
            department, programme = (
                name if name in self._known else self._unreadable(name) for name in (department, programme)
            )
        if period and not _LIKE_A_PERIOD.match(period):
            period = self._unreadable(period)
        return department, programme, period, *kinds

    def _unreadable(self, value: str) -> str:
        """The same for the same value, and no way back to it."""
        return hidden(self._fingerprinter.of([value])[0]) if value else ""

    def _dispositions(self, chunk: RecordChunk, held: dict[int, Reason]) -> tuple[list[str], list[str]]:
        dispositions = [Disposition.ACCEPTED.value] * chunk.count
        reasons = [""] * chunk.count
        for row, line in enumerate(chunk.lines) if held else ():
            if line in held:
                dispositions[row] = Disposition.HELD.value
                reasons[row] = held[line].value
        for row, line in enumerate(chunk.lines) if self._bad else ():
            reason = self._bad.pop(line, None)
            if reason is not None:
                dispositions[row] = Disposition.SET_ASIDE.value
                reasons[row] = reason.value
        return dispositions, reasons


def _named(agreements: Iterable[Agreement]) -> Iterator[str]:
    """Departments and programmes that agreements name: words of the configuration, of no person."""
    for agreement in agreements:
        yield agreement.department
        yield from agreement.programmes


def _envelope_problems(batch: Batch, configuration: Configuration) -> Iterator[Problem]:
    """What only the gateway's own configuration can say of a batch as a whole."""
    platforms, limits = configuration.platforms, configuration.limits
    if batch.source_platform not in platforms:
        known = ", ".join(sorted(platforms)) or "none"
        found = batch.source_platform
        shown = repr(found) if _LIKE_A_BANK.match(found) else mask_text(found)
        yield _envelope_problem("source_platform", shown, f"one of {known}")
    if batch.declared_count > limits.payments_per_batch:
        yield _envelope_problem(
            "declared_count", f"{batch.declared_count} payments", f"at most {limits.payments_per_batch}"
        )
    most = limits.amount_per_batch_minor
    if most is not None and batch.declared_total_minor > most:
        yield _envelope_problem("declared_total", money(batch.declared_total_minor), f"at most {money(most)}")


def _envelope_problem(column: str, found: str, wanted: str) -> Problem:
    return Problem(
        code=f"{column}-not-taken",
        column=column,
        found=found,
        wanted=wanted,
        message=f"{column}: found {found}, wanted {wanted}",
        hint="see bankgate.toml",
    )


def payment_problems(
    chunk: RecordChunk, profile: Profile, amount_limits: Mapping[str, int | None]
) -> list[Problem]:
    """What profile and agreement say of each payment: its account number and its amount.

    `amount_limits`: the most minor units of one payment, by programme.
    """
    problems = []
    accounts = chunk.columns["payment.account"]
    kinds = chunk.columns["payment.account_kind"]
    for kind in set(kinds):
        rule = profile.accounts.card if kind == "card" else profile.accounts.passbook
        rows = [row for row, other in enumerate(kinds) if other == kind and accounts[row]]
        for row, wanted in unlike(rule, [accounts[row] for row in rows], rows):
            found = mask_account(accounts[row])
            problems.append(_problem(chunk, row, "account", Reason.INVALID_ACCOUNT, found, wanted))
    return problems + _amount_problems(chunk, profile, amount_limits)


def _amount_problems(
    chunk: RecordChunk, profile: Profile, amount_limits: Mapping[str, int | None]
) -> list[Problem]:
    amounts, programmes = chunk.columns["payment.amount"], chunk.columns["payment.programme"]
    own = profile.file_limits().amount_per_payment_minor
    limits = {name: _smallest(own, amount_limits[name]) for name in set(programmes)}
    least = _smallest(*limits.values())
    if least is None or max(amounts) <= least:
        return []
    found = []
    for row, (amount, name) in enumerate(zip(amounts, programmes, strict=True)):
        highest = limits[name]
        if highest is not None and amount > highest:
            wanted = f"at most {money(highest)} for one payment"
            found.append(_problem(chunk, row, "amount", Reason.AMOUNT_LIMIT, money(amount), wanted))
    return found


def _smallest(*limits: int | None) -> int | None:
    return min((limit for limit in limits if limit is not None), default=None)


def _problem(chunk: RecordChunk, row: int, column: str, reason: Reason, found: str, wanted: str) -> Problem:
    line = chunk.lines[row]
    return Problem(
        code=f"{column}-not-for-bank",
        severity=Severity.SETS_ASIDE,
        reason=reason,
        line=line,
        column=column,
        found=found,
        wanted=wanted,
        message=f"row {line} {column}: found {found}, wanted {wanted}",
        payment_id=chunk.columns["payment.payment_id"][row],
    )


def _placed(problem: Problem, line: int, payment_id: str) -> Problem:
    return Problem(
        code=problem.code,
        severity=problem.severity,
        reason=problem.reason,
        line=line,
        column=problem.column,
        found=problem.found,
        wanted=problem.wanted,
        message=f"row {line} {problem.message}",
        hint=problem.hint,
        payment_id=payment_id,
    )
