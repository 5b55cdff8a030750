"""A verified result becomes outcomes and findings; an acknowledgement moves its file.

One received file is one transaction: every outcome of it, its findings, its events and its
state, or nothing. What does not add up (totals, unmatched or doubled records, echoes under
a key that is only a position, blanks that mean success) holds the whole file for a person;
who accepts it accepts exactly the problems that were shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from formats import (
    AcknowledgementVerdict,
    DecodeError,
    Decoder,
    Problem,
    Reason,
    RecordChunk,
    Status,
)
from gateway import evidence
from gateway.configuration.profile import Profile
from gateway.installation import Installation, canonical
from gateway.ledger.database import Transaction
from gateway.ledger.files import FileRow, file_by_key
from gateway.ledger.outcomes import (
    append_acknowledgement,
    append_outcomes,
    latest_outcomes,
    payment_keys,
    returns_told,
    said_before_decisions,
    was_accepted,
)
from gateway.ledger.received import move_received, note_file, note_tolerated
from gateway.money import money
from gateway.persons.holding import hold_received, kept
from gateway.settlement.beside import Beside
from gateway.settlement.completion import settle_if_complete
from gateway.settlement.contradictions import tell_of_contradictions
from gateway.settlement.correlate import Hold, find_our_file, pinned_codec, problem_of
from gateway.settlement.double_payments import tell_of_heirs
from gateway.settlement.file_verdict import move_by_verdict
from gateway.settlement.flags import Flag
from gateway.settlement.items import Items
from gateway.settlement.judge import Columns, Verdicts, judge, result_columns
from gateway.settlement.matching import Book
from gateway.settlement.near_names import NamePolicy, class_of, counted, with_echoes
from gateway.settlement.outcome_rows import Place, outcome_rows
from gateway.settlement.pairs import Partner, note_paired, partner_of
from gateway.settlement.unlisted import (
    contradicts,
    credited_chunks,
    is_last_word,
    lists_failures_only,
    unlisted,
)
from gateway.settlement.verify import VerifiedFile
from gateway.states import REISSUABLE, FileState, ReceivedState
from gateway.store.bank_texts import seal_words
from gateway.wording import Wording

MOST_MINOR = 10**12
"""Ten thousand million yuan: nobody's payment, and a number that is no amount where columns have slipped.
A million such still add up to what a ledger can say.
"""


class Settled(Struct, frozen=True, kw_only=True):
    """How one received file's turn ended; `problems` say why it is held, `waiting` for what it waits."""

    received_pk: int
    name: str
    outcomes: int = 0
    findings: int = 0
    notices: int = 0
    entries: int = 0
    file_name: str = ""
    problems: list[Problem] = []
    waiting: str = ""

    @property
    def held(self) -> bool:
        return bool(self.problems)


def settle(installation: Installation, profile: Profile, verified: VerifiedFile) -> Settled:
    """Believe a verified file as far as it adds up. Never raises for what a bank wrote."""
    received = verified.received
    settlement = _Settlement(installation, profile, verified)
    try:
        with installation.spool.open(verified.content_name) as stream:
            return settlement.run(stream)
    except DecodeError as error:
        return _held(installation, verified, error.problems, settlement.file_pk)
    except _Waits as waits:
        with installation.ledger.write() as transaction:
            # Undone was all but this: what is known to answer a file stands against giving it up.
            note_file(transaction, received.received_pk, settlement.file_pk)
        return Settled(received_pk=received.received_pk, name=received.name, waiting=str(waits))
    except Hold as hold:
        return _held(installation, verified, hold.problems, hold.file_pk or settlement.file_pk)
    finally:
        if verified.content_name != received.spool_name:
            installation.spool.remove(verified.content_name)


class _Waits(Exception):
    """Undo everything of this received file: nothing is wrong, and something is still to come."""


def _held(
    installation: Installation, verified: VerifiedFile, problems: list[Problem], file_pk: int | None
) -> Settled:
    hold_received(installation, verified, problems, file_pk)
    received = verified.received
    return Settled(received_pk=received.received_pk, name=received.name, problems=problems)


class _Settlement:
    """One received file on its way into the ledger."""

    def __init__(self, installation: Installation, profile: Profile, verified: VerifiedFile) -> None:
        self._installation = installation
        self._profile = profile
        self._verified = verified
        self._received = verified.received
        self._now = installation.clock.now()
        self._problems: list[Problem] = []
        self._outcomes = 0
        self._beside = Beside(installation, profile, verified.received, self._now)
        self._blank_successes = 0
        self._unlisted = 0
        self._frees_payments = False
        """Whether it says of a payment what lets another one stand for it."""
        self._read = self._read_minor = 0
        self._names = NamePolicy(profile)
        self._near: Counter[str] = Counter()
        self._paid_after_all: list[int] = []
        self._wording = Wording(profile)
        self.file_pk: int | None = None
        """Our file that it is about, once that is known."""
        received = verified.received
        self._accepted = received.problems if received.accepted_problems else ""

    def run(self, stream: Any) -> Settled:
        """Read it to its end, and believe all of it or nothing. Raises `Hold`, `DecodeError`."""
        codec = self._installation.codecs.get(self._received.layout)
        decoder = codec.decode(stream)
        chunks = iter(decoder)
        first = next(chunks, None)
        file, self._problems = find_our_file(
            self._installation, self._profile, self._received, decoder, first
        )
        self.file_pk = file.file_pk
        pinned = pinned_codec(self._installation, self._received, file, codec)
        if pinned is not codec:
            stream.seek(0)
            decoder = pinned.decode(stream)
            chunks = iter(decoder)
            first = next(chunks, None)
        if first is None and not self._may_be_empty(decoder.facts):
            return self._whole_file(decoder, file)
        return self._records(decoder, [] if first is None else [first], chunks, file)

    def _may_be_empty(self, facts: Mapping[str, Any]) -> bool:
        """Whether an answer without any record speaks of payments all the same."""
        verdict = AcknowledgementVerdict(facts.get("file.verdict", AcknowledgementVerdict.COMPLETE))
        if self._verified.inbound.partner:
            return verdict in (AcknowledgementVerdict.COMPLETE, AcknowledgementVerdict.ACCEPTED)
        return lists_failures_only(facts) and verdict is AcknowledgementVerdict.COMPLETE

    # A statement about the file as a whole.

    def _whole_file(self, decoder: Decoder, file: FileRow) -> Settled:
        self._problems += decoder.problems
        self._hold_unless_accepted()
        verdict = AcknowledgementVerdict(decoder.facts.get("file.verdict", AcknowledgementVerdict.UNMAPPED))
        code, text = str(decoder.facts.get("file.code", "")), str(decoder.facts.get("file.text", ""))
        if verdict is AcknowledgementVerdict.UNMAPPED:
            # Held below: only the message needs a word for it.
            code = self._wording.code(code)
        with self._installation.ledger.write() as transaction:
            file = file_by_key(transaction, file.file_pk)
            move_by_verdict(transaction, file, verdict, code, self._received, self._now)
            (sealed,) = seal_words(self._installation, [text])
            reason = Reason(decoder.facts.get("file.reason", Reason.NONE))
            append_acknowledgement(
                transaction,
                file.file_pk,
                self._received.received_pk,
                verdict,
                reason,
                code,
                sealed,
                self._now,
            )
            self._close(transaction, file, decoder, {"verdict": verdict, "code": code})
        return self._done(file)

    # Statements about payments.

    def _records(self, decoder: Decoder, first: list[RecordChunk], chunks: Any, file: FileRow) -> Settled:
        installation = self._installation
        assert file.items_name is not None
        with (
            installation.spool.open_columns(file.items_name) as reader,
            installation.ledger.write() as transaction,
        ):
            file = file_by_key(transaction, file.file_pk)
            book = Book.open(
                file,
                Items(reader, file.payment_count),
                payment_keys(transaction, file.file_pk, file.payment_count),
                latest_outcomes(transaction, file.file_pk),
                said_before_decisions(transaction, file.file_pk),
            )
            note_paired(transaction, self._verified.inbound, self._received, book)
            book.returns = str(decoder.facts.get("returns", ""))
            if any(known.returned_minor is not None for known in book.current.values()):
                book.returned = returns_told(transaction, file.file_pk)
            self._beside.open(transaction, file.file_pk)
            for source in (first, chunks):
                for chunk in source:
                    self._take(transaction, book, chunk)
            self._problems += decoder.problems
            self._check_flag()
            self._check_blanks(transaction, decoder, file)
            self._hold_unless_accepted()
            self._wait_for_partner(decoder)
            self._take_unlisted(transaction, book, decoder, file)
            tell_of_heirs(transaction, self._paid_after_all, self._now)
            self._finish_file(transaction, file, decoder, book.open_items)
        return self._done(file)

    def _wait_for_partner(self, decoder: Decoder) -> None:
        """Of two halves of an answer none is believed alone, unless it says that there is no other, or
        persons know that from the bank and nothing in it would let a payment go again.
        """
        partner = partner_of(self._installation, self._verified.inbound, self._received)
        if partner is not Partner.MISSING or is_last_word(decoder.facts, said_by_its_name=False):
            return
        missing = self._verified.inbound.partner_name(self._received.name)
        if not self._received.accepted_problems:
            raise _Waits(f"waits for {missing}")
        if self._frees_payments:
            message = f"says that payments failed or came back, and {missing} may say that they were paid"
            raise Hold([self._problem("half-alone", message)])

    def _take_unlisted(self, transaction: Transaction, book: Book, decoder: Decoder, file: FileRow) -> None:
        """Credit what an answer of failures does not list, where the bank proves that it paid just that.

        Beside problems that persons accepted nothing is proved: what is not listed stays open.
        """
        inbound, facts = self._verified.inbound, decoder.facts
        if not lists_failures_only(facts) or not is_last_word(facts, bool(inbound.final_reason)):
            return
        if self._problems:
            return
        silent = unlisted(book)
        if message := contradicts(facts, silent):
            raise Hold([self._problem("silence-differs", message)])
        if not self._is_acknowledged(transaction, file):
            message = f"file {file.name} is not acknowledged: what is not listed may not have been taken"
            raise Hold([self._problem("silence-unproved", message)])
        for items, columns, verdicts in credited_chunks(book, silent):
            self._append(transaction, book, items, [None] * len(items), columns, verdicts)
        self._unlisted = silent.count

    def _is_acknowledged(self, transaction: Transaction, file: FileRow) -> bool:
        """Whether the bank said that it took the file, where it has a way to say so before its results."""
        acknowledges = any(inbound.kind == "acknowledgement" for inbound in self._profile.inbound)
        return not acknowledges or was_accepted(transaction, file.file_pk)

    def _hold_unless_accepted(self) -> None:
        """Go on only without problems, or with exactly those that two persons accepted."""
        if self._problems and canonical(kept(self._problems)) != self._accepted:
            raise Hold(self._problems)

    def _check_flag(self) -> None:
        """Count and sum that the bank's flag says, where it says any."""
        flag = msgspec.json.decode(self._received.flag, type=Flag)
        if message := flag.miscounts(self._read, self._read_minor):
            self._problems.append(self._problem("flag-differs", message))

    def _take(self, transaction: Transaction, book: Book, chunk: RecordChunk) -> None:
        for name in ("outcome.amount", "fee.amount"):
            amounts = chunk.columns.get(name) or ()
            if max(filter(None, amounts), default=0) > max(MOST_MINOR, book.file.total_minor):
                message = f"{name} of a record is more than {money(MOST_MINOR)}: it is no amount"
                raise Hold([self._problem("amount-absurd", message)])
        if chunk.record == "fee":
            self._beside.take_fee_lines(transaction, book, chunk)
        elif chunk.record == "notice":
            mistakes = self._beside.take_notices(transaction, book, chunk)
            self._problems += [self._problem(code, message) for code, message in mistakes]
        elif "outcome.status" in chunk.columns:
            self._read += chunk.count
            if self._received.flag != "{}":
                self._read_minor += sum(filter(None, chunk.columns.get("outcome.amount", ())))
            self._take_outcomes(transaction, book, chunk)

    def _take_outcomes(self, transaction: Transaction, book: Book, chunk: RecordChunk) -> None:
        chunk, items, mistakes = book.match(chunk)
        self._problems += [self._problem(code, message) for code, message in mistakes]
        if not items:
            return
        self._beside.take_told(transaction, book, chunk, items)
        expected = book.written.expected(items)
        columns = result_columns(chunk)
        by_position = "attempt.reference" not in chunk.columns
        if by_position and (columns.accounts is None or "outcome.amount" not in chunk.columns):
            message = "finds payments by position only: account and amount must be echoed too"
            raise Hold([self._problem("weak-key", f"layout {self._received.layout} {message}")])
        foreign, near = self._names.foreign(columns, expected, blank_is_foreign=by_position)
        self._near += counted(near)
        if any(foreign) and by_position:
            # A position proves nothing by itself: the echoes are what makes it a key.
            self._problems += [
                self._problem(
                    "other-payment",
                    f"line {chunk.lines[row]} echoes another payment than item {items[row]}"
                    + class_of(near, row),
                )
                for row, other in enumerate(foreign)
                if other
            ]
        verdicts = judge(columns, expected, foreign)
        self._frees_payments |= not REISSUABLE.isdisjoint(verdicts.statuses)
        if "" in columns.codes:
            self._blank_successes += sum(
                status is Status.CREDITED and not code
                for status, code in zip(columns.statuses, columns.codes, strict=True)
            )
        columns = self._wording.seal_words(with_echoes(columns, near), expected.accounts)
        self._append(transaction, book, items, chunk.lines, columns, verdicts)
        self._beside.take_charges(transaction, book, chunk, items, columns, verdicts)

    def _append(
        self,
        transaction: Transaction,
        book: Book,
        items: Sequence[int],
        lines: Sequence[int | None],
        columns: Columns,
        verdicts: Verdicts,
    ) -> None:
        """Outcomes of one chunk, with the event that tells of them."""
        place = Place(self._received.received_pk, self._now.isoformat())
        texts = seal_words(self._installation, columns.texts)
        told = outcome_rows(book, items, lines, columns, verdicts, texts, place)
        append_outcomes(transaction, told.rows)
        book.note(items, told.statuses)
        self._outcomes += len(told.rows)
        self._paid_after_all += told.paid_after_all
        evidence.record(
            transaction,
            self._now,
            "outcomes",
            file=book.file.name,
            received_sha256=self._received.sha256,
            count=len(told.rows),
            statuses=told.counts,
            rows_sha256=told.sha256,
        )

    def _check_blanks(self, transaction: Transaction, decoder: Decoder, file: FileRow) -> None:
        """A blank means paid only where the bank's own count and sum of successes say so too."""
        if not self._blank_successes:
            return
        declared = decoder.facts.get("declared", {})
        proved = any("status" in total and "credited" in total for total in declared)
        # A file is settled by results too, which may have come without any word about the file.
        acknowledged = was_accepted(transaction, file.file_pk)
        if not (proved and acknowledged):
            self._problems.append(
                self._problem(
                    "blank-success",
                    f"{self._blank_successes} records have a blank where the code of success would be,"
                    " and nothing else proves that they were paid",
                )
            )

    def _finish_file(
        self, transaction: Transaction, file: FileRow, decoder: Decoder, open_items: int
    ) -> None:
        if file.state is FileState.RELEASING:
            raise Hold([self._problem("not-sent", f"file {file.name} is just being released")])
        settle_if_complete(transaction, file, open_items)
        tell_of_contradictions(transaction, file, self._now)
        told: dict[str, object] = {
            "outcomes": self._outcomes,
            "findings": self._beside.findings,
            "open_items": open_items,
        }
        if self._near:
            told["near_names"] = dict(sorted(self._near.items()))
        if self._unlisted:
            told["unlisted"] = self._unlisted
        if self._beside.notices:
            told["notices"] = self._beside.notices
        self._close(transaction, file, decoder, told)

    def _close(
        self, transaction: Transaction, file: FileRow, decoder: Decoder, body: Mapping[str, object]
    ) -> None:
        if tolerated := decoder.facts.get("tolerated"):
            body = {**body, "tolerated": tolerated}
            note_tolerated(transaction, self._received.received_pk, canonical(tolerated))
        move_received(
            transaction,
            self._received.received_pk,
            self._received.state if self._received.state is ReceivedState.HELD else ReceivedState.VERIFIED,
            ReceivedState.SETTLED,
            file_pk=file.file_pk,
        )
        evidence.record(
            transaction,
            self._now,
            "received file settled",
            bank=self._profile.bank,
            file=file.name,
            received=self._received.received_pk,
            sha256=self._received.sha256,
            file_state=file_by_key(transaction, file.file_pk).state,
            **body,
        )

    def _done(self, file: FileRow) -> Settled:
        return Settled(
            received_pk=self._received.received_pk,
            name=self._received.name,
            outcomes=self._outcomes,
            findings=self._beside.findings,
            notices=self._beside.notices,
            file_name=file.name,
        )

    def _problem(self, code: str, message: str) -> Problem:
        return problem_of(self._received, code, message)
