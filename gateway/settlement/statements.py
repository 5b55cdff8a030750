"""A verified statement becomes entries: what was booked, kept apart from what became of payments.

An entry finds our payment by its reference, or our file by the file's; what is neither and left the
account is a charge or unexplained, a finding either way. One received file is one transaction.
Memory does not grow with it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import date
from typing import Any

import msgspec

from formats import CHUNK_RECORDS, DecodeError, Problem, RecordChunk, parse_reference
from formats.masking import mask_account
from gateway import evidence
from gateway.configuration.profile import Profile
from gateway.installation import Installation, canonical
from gateway.ledger.database import Transaction
from gateway.ledger.files import FileRow, file_by_key, find_file
from gateway.ledger.oddities import OddityKind, note_oddity
from gateway.ledger.received import move_received, note_tolerated
from gateway.ledger.statements import (
    EntryKind,
    StagedEntry,
    files_of_entries,
    stage_entries,
    staged_entries,
    take_entries,
    told_rows,
)
from gateway.money import money
from gateway.persons.holding import hold_received, kept
from gateway.settlement.contradictions import tell_of_contradictions
from gateway.settlement.correlate import Hold, problem_of
from gateway.settlement.flags import Flag
from gateway.settlement.settle import MOST_MINOR, Settled
from gateway.settlement.verify import VerifiedFile
from gateway.states import ReceivedState
from gateway.store.bank_texts import seal_words
from gateway.wording import Wording

_SEALED = {
    "text": "statement.text",
    "party_name": "statement.party_name",
    "party_account": "statement.party_account",
    "account": "statement.account",
    "payee_name": "payment.payee_name",
    "payee_account": "payment.account",
    "return_reason": "statement.return_reason",
    "reference": "attempt.reference",
}
"""What may name a person, by the name under which it is sealed."""
_READ = (
    *("statement.direction", "statement.detail_direction", "statement.amount", "statement.detail_amount"),
    *("statement.entry", "statement.currency", "statement.booked_on", "statement.value_date"),
    *("statement.status", "statement.reversal", "statement.serial", "statement.code", "statement.text"),
    *("statement.account", "statement.file_reference", "attempt.reference", "group.account"),
    "group.reference",
)
"""What is read of each row; a layout need not have all."""
_TRUE = ("true", "1", "Y", "是")


def take_statement(installation: Installation, profile: Profile, verified: VerifiedFile) -> Settled:
    """Take the entries that are new. Never raises for what a bank wrote."""
    received = verified.received
    try:
        with installation.spool.open(verified.content_name) as stream:
            return _Taking(installation, profile, verified).run(stream)
    except DecodeError as error:
        problems = error.problems
    except Hold as hold:
        problems = hold.problems
    finally:
        if verified.content_name != received.spool_name:
            installation.spool.remove(verified.content_name)
    hold_received(installation, verified, problems, None)
    return Settled(received_pk=received.received_pk, name=received.name, problems=problems)


class _Taking:
    """One statement on its way into the ledger."""

    def __init__(self, installation: Installation, profile: Profile, verified: VerifiedFile) -> None:
        self._installation = installation
        self._bank = profile.bank
        self._rules = profile.statements
        self._received = verified.received
        self._wording = Wording(profile)
        self._now = installation.clock.now()
        self._files: dict[tuple[str, Any], FileRow | None] = {}
        self._entry = 0
        self._strangers = 0
        self._accepted = verified.received.problems if verified.received.accepted_problems else ""

    def run(self, stream: Any) -> Settled:
        """Read it to its end, and take all of it or nothing. Raises `Hold`, `DecodeError`."""
        decoder = self._installation.codecs.get(self._received.layout).decode(stream)
        with self._installation.ledger.write() as transaction, staged_entries(transaction):
            read = total_minor = 0
            for chunk in decoder:
                if chunk.record == "statement":
                    stage_entries(transaction, self._rows(transaction, chunk, decoder.facts))
                    read += chunk.count
                    total_minor += sum(filter(None, chunk.columns["statement.amount"]))
            problems = [*decoder.problems, *self._flag_problems(read, total_minor)]
            if problems and canonical(kept(problems)) != self._accepted:
                raise Hold(problems)
            new, findings = take_entries(transaction, self._bank, self._received.received_pk, self._now)
            self._tell(transaction)
            self._close(
                transaction,
                {"entries": new, "known_entries": read - new, "findings": findings},
                decoder.facts.get("tolerated"),
            )
        return Settled(
            received_pk=self._received.received_pk,
            name=self._received.name,
            entries=new,
            findings=findings,
        )

    def _flag_problems(self, count: int, total_minor: int) -> list[Problem]:
        """Count and sum that the bank's flag says, where it says any."""
        message = msgspec.json.decode(self._received.flag, type=Flag).miscounts(count, total_minor)
        return [self._problem("flag-differs", message)] if message else []

    # Rows.

    def _rows(self, transaction: Transaction, chunk: RecordChunk, facts: dict[str, Any]) -> list[StagedEntry]:
        count = chunk.count
        columns = {name: chunk.columns.get(name) or [None] * count for name in _READ}
        entries = columns["statement.entry"]
        firsts = self._firsts(entries)
        amounts = self._amounts(columns["statement.detail_amount"], columns["statement.amount"], entries)
        labels = [text or "" for text in columns["statement.text"]]
        sealed = seal_words(self._installation, self._clear_texts(chunk))
        charged = seal_words(self._installation, labels)
        currency, account = str(facts.get("file.currency", "")), str(facts.get("group.account", ""))
        rows: list[StagedEntry] = []
        for row, values in enumerate(zip(*columns.values(), strict=True)):
            said = dict(zip(_READ, values, strict=True))
            reference, code = said["attempt.reference"] or "", said["statement.code"] or ""
            word = said["statement.detail_direction"] or said["statement.direction"] or ""
            direction = self._direction(word, chunk.lines[row])
            self._require_amount(said["statement.amount"], said["statement.detail_amount"], chunk.lines[row])
            file, item = self._find(transaction, reference, said["statement.file_reference"] or "")
            entry: tuple[Any, ...] = (
                mask_account(said["statement.account"] or said["group.account"] or account),
                self._plain(said["group.reference"]),
                direction,
                amounts[row],
                said["statement.amount"] if firsts[row] else None,
                said["statement.currency"] or currency,
                _iso(said["statement.booked_on"]),
                _iso(said["statement.value_date"]),
                int(self._is_booked(said["statement.status"] or "")),
                self._kind(direction, (file, item), code, labels[row]),
                self._plain(said["statement.serial"]),
                self._wording.code(code),
                None if file is None else file.file_pk,
                item,
            )
            reversal = said["statement.reversal"] in _TRUE
            identity = _identity(entry, self._plain(reference), reversal)
            rows.append((chunk.lines[row], *entry, identity, sealed[row], charged[row]))
        return rows

    def _firsts(self, entries: list[int | None]) -> list[bool]:
        """Of each row whether it is the first of its booking; without numbers each is one of its own."""
        firsts = []
        for entry in entries:
            firsts.append(entry is None or entry != self._entry)
            self._entry = entry or 0
        return firsts

    @staticmethod
    def _amounts(details: list[int | None], whole: list[int], entries: list[int | None]) -> list[int | None]:
        """Each row's own amount: its detail's, or that of a booking of which it is the only row."""
        sizes = Counter(entries)
        return [
            detail if detail is not None else (amount if entry is None or sizes[entry] == 1 else None)
            for detail, amount, entry in zip(details, whole, entries, strict=True)
        ]

    @staticmethod
    def _clear_texts(chunk: RecordChunk) -> list[str]:
        """Everything of each row that may name a person, as JSON; "" where there is nothing."""
        columns = chunk.columns
        present = {name: columns[meaning] for name, meaning in _SEALED.items() if meaning in columns}
        texts = []
        for row in range(chunk.count):
            said = {name: str(values[row]) for name, values in present.items() if values[row]}
            texts.append(msgspec.json.encode(said).decode() if said else "")
        return texts

    def _direction(self, word: str, line: int) -> str:
        """Raises `Hold` for a word that the profile does not list: nothing is guessed."""
        if word in self._rules.debit:
            return "debit"
        if word in self._rules.credit:
            return "credit"
        message = (
            f"line {line}: direction {self._wording.code(word)!r} is neither debit nor credit in the profile"
        )
        raise Hold([self._problem("direction-unknown", message)])

    def _require_amount(self, whole: int | None, detail: int | None, line: int) -> None:
        """Raises `Hold` for a booking without an amount, or with one below zero: which way did it go?"""
        if whole is None or whole < 0 or (detail is not None and detail < 0):
            message = f"line {line}: an amount is missing, or below zero beside a direction"
            raise Hold([self._problem("amount-unclear", message)])
        if max(whole, detail or 0) > MOST_MINOR:
            message = f"line {line}: an amount of more than {money(MOST_MINOR)} is no amount"
            raise Hold([self._problem("amount-absurd", message)])

    def _is_booked(self, status: str) -> bool:
        return not status or status in self._rules.booked

    def _kind(
        self, direction: str, ours: tuple[FileRow | None, int | None], code: str, text: str
    ) -> EntryKind:
        """A charge for a file of ours is a charge; a summary of a payment may speak of charges, too."""
        file, item = ours
        charge = code in self._rules.fee_codes or any(word in text for word in self._rules.fee_words)
        if charge and (item is None or code in self._rules.fee_codes):
            return EntryKind.FEE
        if file is None:
            return EntryKind.OTHER
        return EntryKind.PAYMENT if direction == "debit" else EntryKind.RETURN

    def _find(
        self, transaction: Transaction, reference: str, file_reference: str
    ) -> tuple[FileRow | None, int | None]:
        """Our file and the item that a row is about, as far as its references are ours."""
        parsed = parse_reference(reference)
        if parsed is not None:
            file = self._file(transaction, "sequence", parsed[0])
            if file is not None:
                known = 1 <= parsed[1] <= file.payment_count
                self._strangers += not known
                return (file, parsed[1]) if known else (None, None)
        for text in filter(None, (file_reference, reference)):
            file = self._file(transaction, "name", text) or self._file(transaction, "message_id", text)
            if file is not None:
                return file, None
        return None, None

    def _file(self, transaction: Transaction, by: str, value: Any) -> FileRow | None:
        key = by, value
        if key not in self._files:
            if len(self._files) >= CHUNK_RECORDS:
                self._files.clear()
            self._files[key] = find_file(transaction, self._bank, **{by: value})
        return self._files[key]

    def _plain(self, text: str | None) -> str:
        return self._wording.word(text) if text else ""

    # The end.

    def _tell(self, transaction: Transaction) -> None:
        """What the journal tells of the entries, and what a person must look at."""
        rows: list[tuple[Any, ...]] = []
        for row in told_rows(transaction, self._received.received_pk):
            rows.append(row)
            if len(rows) == CHUNK_RECORDS:
                self._record(transaction, rows)
                rows = []
        self._record(transaction, rows)
        for file_pk in files_of_entries(transaction, self._received.received_pk):
            tell_of_contradictions(transaction, file_by_key(transaction, file_pk), self._now)
        if self._strangers:
            note_oddity(
                transaction,
                self._now,
                OddityKind.STATEMENT_DIFFERS,
                self._bank,
                self._received.name,
                f"{self._strangers} entries have references of ours to items that no file of ours has",
                once=True,
                sha256=self._received.sha256,
            )

    def _record(self, transaction: Transaction, rows: list[tuple[Any, ...]]) -> None:
        if rows:
            evidence.record(
                transaction,
                self._now,
                "statement entries",
                bank=self._bank,
                received_sha256=self._received.sha256,
                count=len(rows),
                rows_sha256=evidence.rows_digest(rows),
            )

    def _close(
        self, transaction: Transaction, body: dict[str, Any], tolerated: dict[str, Any] | None
    ) -> None:
        received = self._received
        if tolerated:
            body["tolerated"] = tolerated
            note_tolerated(transaction, received.received_pk, canonical(tolerated))
        held = received.state is ReceivedState.HELD
        before = ReceivedState.HELD if held else ReceivedState.VERIFIED
        move_received(transaction, received.received_pk, before, ReceivedState.SETTLED)
        evidence.record(
            transaction,
            self._now,
            "received file settled",
            bank=self._bank,
            received=received.received_pk,
            sha256=received.sha256,
            **body,
        )

    def _problem(self, code: str, message: str) -> Problem:
        return problem_of(self._received, code, message)


def _identity(entry: tuple[Any, ...], reference: str, reversal: bool) -> str:
    """What tells a booking apart from others, whichever statement it stands in: SHA-256, 32 hex digits.

    It names nobody. A bank's own number for a booking tells more than the day on which it was booked,
    which a notification may lack.
    """
    account, _, direction, amount, whole, currency, booked_on, _, booked, _, serial, *_ = entry
    day = None if serial else booked_on
    told = [account, direction, amount, whole, currency, day, booked, serial, reference, reversal]
    return hashlib.sha256(msgspec.json.encode(told)).hexdigest()[:32]


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
