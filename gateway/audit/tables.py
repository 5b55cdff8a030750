"""Which rows of the ledger an export shows, and in which form; everything in one view of the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import msgspec
from msgspec import Struct

from gateway.audit.bundle import (
    AcknowledgementLine,
    AttemptLine,
    BatchLine,
    DecisionLine,
    EntryLine,
    EventLine,
    FeeLine,
    FileLine,
    HeadLine,
    NoticeLine,
    OutcomeLine,
    PartLine,
    PaymentLine,
    PersonLine,
    ReceiptLine,
    ReceivedLine,
    RecoveryLine,
)
from gateway.evidence import body_digest
from gateway.ledger.database import Transaction
from gateway.ledger.identity import NAMED
from gateway.ledger.persons import ENROLLED
from keys.keyring import Keyring


class Selection(Struct, frozen=True, kw_only=True):
    """Which batches: one, or those that all of the others fit; nothing said is everything.

    `first` and `last` are UTC days of submission, ends included. A batch fits a programme, department
    and period where one of its payments has all that is said of them; `spellings` are the programme's.
    """

    batch_pk: int | None = None
    batch: str = ""
    first: date | None = None
    last: date | None = None
    programme: str = ""
    spellings: frozenset[str] = frozenset()
    department: str = ""
    period: str = ""

    @property
    def everything(self) -> bool:
        return not self.told()

    @property
    def by_subject(self) -> bool:
        """Whether it says what payments are for."""
        return bool(self.programme or self.department or self.period)

    def told(self) -> dict[str, str]:
        """As the manifest says it."""
        said = {
            "batch": self.batch,
            "from": "" if self.first is None else self.first.isoformat(),
            "to": "" if self.last is None else self.last.isoformat(),
            "programme": self.programme,
            "department": self.department,
            "period": self.period,
        }
        return {name: value for name, value in said.items() if value}


class Tables:
    """The rows of every table, of the chosen batches and what hangs on them."""

    def __init__(self, keyring: Keyring, transaction: Transaction, selection: Selection) -> None:
        self.selection = selection
        self._keyring = keyring
        self._transaction = transaction
        self._everything = selection.everything
        self._subjects = _subject_keys(transaction, selection) if selection.by_subject else None
        self._key_ids: set[str] = set()
        self._decided: set[str] = set()
        keys = "" if selection.everything else _batch_keys(transaction, selection, self._subjects)
        self.chosen = "1" if selection.everything else f"batch.batch_pk IN ({keys})"
        self._files = (
            "SELECT file_pk FROM file JOIN lane USING (lane_pk) JOIN batch USING (batch_pk)"
            f" WHERE {self.chosen}"
        )
        self._names = _Names(transaction, self.chosen, self._files)

    def all(self) -> Iterator[tuple[str, Iterator[Struct]]]:
        """Name and rows of each table; decisions come before the persons and events that they choose."""
        yield "batches", self._rows(BatchLine, _BATCHES)
        yield "payments", self._rows(PaymentLine, _PAYMENTS)
        yield "files", self._rows(FileLine, _FILES)
        yield "file_parts", self._rows(PartLine, _PARTS)
        yield "attempts", self._rows(AttemptLine, _ATTEMPTS)
        # A file of a bank that could not be tied to one of ours belongs to no batch.
        received = "1" if self._everything else f"file_pk IN ({self._files})"
        yield "received", self._rows(ReceivedLine, _RECEIVED.format(received=received))
        yield "acknowledgements", self._rows(AcknowledgementLine, _ACKNOWLEDGEMENTS)
        yield "outcomes", self._rows(OutcomeLine, _OUTCOMES)
        yield "fees", self._rows(FeeLine, _FEES.format(received=received))
        yield "notices", self._rows(NoticeLine, _NOTICES)
        # A booking of a statement that is for no file of ours belongs to no batch.
        yield "entries", self._rows(EntryLine, _ENTRIES.format(received=received))
        yield "recoveries", self._rows(RecoveryLine, _RECOVERIES)
        yield "receipts", self._rows(ReceiptLine, _RECEIPTS)
        yield "decisions", self._decisions()
        yield "persons", self._persons()
        yield "events", self._events()
        yield "heads", self._heads()

    def destroyed_batches(self) -> list[str]:
        """Chosen batches whose identities are not there any more."""
        rows = self._transaction.all(
            "SELECT source_platform, batch_id FROM destruction JOIN batch USING (batch_pk)"
            f" WHERE {self.chosen} ORDER BY batch_pk"
        )
        return [f"{row.source_platform}/{row.batch_id}" for row in rows]

    @property
    def nothing(self) -> bool:
        """Whether no batch fits."""
        return self._transaction.one(f"SELECT 1 FROM batch WHERE {self.chosen} LIMIT 1") is None

    def positions(self, lane_pk: int) -> set[int] | None:
        """Rows of a lane that the selection is about, from 0; None for all of them."""
        if self._subjects is None:
            return None
        rows = self._transaction.all(
            f"SELECT position FROM payment WHERE lane_pk = :lane AND subject_pk IN ({self._subjects})"
            " AND position IS NOT NULL",
            lane=lane_pk,
        )
        return {int(row.position) for row in rows}

    def _rows(self, kind: type[Struct], query: str) -> Iterator[Struct]:
        filled = query.replace("{chosen}", self.chosen).replace("{files}", self._files)
        for row in self._transaction.stream(filled):
            yield kind(*row)

    def _decisions(self) -> Iterator[Struct]:
        for row in self._transaction.stream(
            "SELECT decision_pk, object, decision, person, key_id, statement, signature, recorded_at"
            " FROM decision ORDER BY decision_pk"
        ):
            if self._everything or self._names.decided_about(row.object):
                self._key_ids.add(row.key_id)
                self._decided.add(row.object)
                yield DecisionLine(
                    row.decision_pk,
                    row.object,
                    row.decision,
                    row.person,
                    row.key_id,
                    row.statement.decode(),
                    row.signature.decode("ascii"),
                    row.recorded_at,
                )

    def _persons(self) -> Iterator[Struct]:
        for person, key in self._keyring.persons():
            if key.key_id in self._key_ids:
                yield PersonLine(key.key_id, person, key.algorithm, key.public_key)

    def _events(self) -> Iterator[Struct]:
        for row in self._transaction.stream(
            "SELECT event_pk, recorded_at, kind, hash, body FROM event ORDER BY event_pk"
        ):
            # Who could decide, and where, belongs to every selection: decisions are held against it.
            always = self._everything or row.kind in (ENROLLED, NAMED)
            shown = always or self._concerns(msgspec.json.decode(row.body))
            body = row.body if shown else None
            yield EventLine(row.event_pk, row.recorded_at, row.kind, body_digest(row.body), row.hash, body)

    def _concerns(self, body: dict[str, Any]) -> bool:
        if "object" in body:
            return body["object"] in self._decided
        return self._names.told_by(body)

    def _heads(self) -> Iterator[Struct]:
        for row in self._transaction.stream(
            "SELECT event_pk, name, statement, signature, delivered_at FROM journal_head ORDER BY head_pk"
        ):
            statement, signature = row.statement.decode(), row.signature.decode("ascii")
            yield HeadLine(row.event_pk, row.name, statement, signature, row.delivered_at)


class _Names:
    """By which names events and decisions speak of the chosen batches."""

    def __init__(self, transaction: Transaction, chosen: str, files: str) -> None:
        self._transaction = transaction
        self._chosen = chosen
        rows = transaction.all(f"SELECT source_platform, batch_id FROM batch WHERE {chosen}")
        self._batches = {(row.source_platform, row.batch_id) for row in rows}
        rows = transaction.all(f"SELECT lane_pk FROM lane JOIN batch USING (batch_pk) WHERE {chosen}")
        self._lanes = {row.lane_pk for row in rows}
        rows = transaction.all(f"SELECT bank, name FROM file WHERE file_pk IN ({files})")
        self._files = {(row.bank, row.name) for row in rows}
        self._file_names = {name for _, name in self._files}
        rows = transaction.all(f"SELECT received_pk, sha256 FROM received WHERE file_pk IN ({files})")
        self._received = {row.received_pk for row in rows}
        self._contents = {row.sha256 for row in rows}

    def decided_about(self, subject: str) -> bool:
        kind, _, key = subject.rpartition("#")[0].partition(":")
        owner, _, rest = key.partition("/")
        if kind in ("payment", "recovery"):
            return self._is_chosen_payment(owner, rest)
        if kind == "received":
            return key.isdigit() and int(key) in self._received
        if kind == "funding":
            return key.isdigit() and int(key) in self._lanes
        return (kind in ("batch", "books") and (owner, rest) in self._batches) or (
            kind == "file" and (owner, rest) in self._files
        )

    def told_by(self, body: dict[str, Any]) -> bool:
        if "batch" in body:
            return (body.get("platform"), body["batch"]) in self._batches
        content = body.get("received_sha256", body.get("sha256"))
        if "file" in body:
            # Two banks may have files of one name: what names its bank, or the bank's own file,
            # is taken exactly; of the rest a stranger's may be shown, which hides nothing.
            if "bank" in body and (body["bank"], body["file"]) not in self._files:
                return False
            return body["file"] in self._file_names and (content is None or content in self._contents)
        return content is not None and content in self._contents

    def _is_chosen_payment(self, platform: str, payment_id: str) -> bool:
        found = self._transaction.one(
            "SELECT 1 FROM payment_key JOIN payment USING (payment_pk) JOIN batch USING (batch_pk)"
            " WHERE payment_key.source_platform = :platform AND payment_key.payment_id = :id"
            f" AND {self._chosen}",
            platform=platform,
            id=payment_id,
        )
        return found is not None


def _subject_keys(transaction: Transaction, selection: Selection) -> str:
    """Keys of what the selection is about, for SQL."""
    rows = transaction.all(
        "SELECT subject_pk, department, programme, period FROM subject ORDER BY subject_pk"
    )
    fitting = [
        str(int(row.subject_pk))
        for row in rows
        if (not selection.programme or row.programme in selection.spellings)
        and selection.department in ("", row.department)
        and selection.period in ("", row.period)
    ]
    return ",".join(fitting) or "NULL"


def _batch_keys(transaction: Transaction, selection: Selection, subjects: str | None) -> str:
    if selection.batch_pk is not None:
        return str(int(selection.batch_pk))
    about = (
        ""
        if subjects is None
        else (
            " AND EXISTS (SELECT 1 FROM payment WHERE payment.batch_pk = batch.batch_pk"
            f" AND subject_pk IN ({subjects}))"
        )
    )
    rows = transaction.all(
        f"SELECT batch_pk FROM batch WHERE substr(submitted_at, 1, 10) BETWEEN :first AND :last{about}",
        first="" if selection.first is None else selection.first.isoformat(),
        last="9999" if selection.last is None else selection.last.isoformat(),
    )
    return ",".join(str(int(row.batch_pk)) for row in rows) or "NULL"


_BATCHES = """SELECT batch_pk, source_platform, batch_id, content_sha256, declared_count,
    declared_total_minor, currency, state, submitted_at, released_at, release_evidence,
    left_out_count, left_out_minor FROM batch WHERE {chosen} ORDER BY batch_pk"""
_PAYMENTS = """SELECT payment_pk, payment.batch_pk, payment_id, amount_minor, subject.department, programme,
    period, account_kind, payee_kind, COALESCE(lane.bank, ''), disposition, reason,
    (SELECT predecessor_pk FROM reissue WHERE successor_pk = payment_pk)
    FROM payment JOIN subject USING (subject_pk) LEFT JOIN lane USING (lane_pk)
    WHERE payment.batch_pk IN (SELECT batch_pk FROM batch WHERE {chosen}) ORDER BY payment_pk"""
_FILES = """SELECT file_pk, lane.batch_pk, file.bank, sequence, name, message_id, state, payment_count,
    total_minor, currency, bank_day, agreement, created_at, sent_at, pins, evidence
    FROM file JOIN lane USING (lane_pk) WHERE file_pk IN ({files}) ORDER BY file_pk"""
_PARTS = """SELECT file_pk, rank, part, name, size_bytes, sha256 FROM file_part
    WHERE file_pk IN ({files}) ORDER BY file_pk, rank"""
_ATTEMPTS = """SELECT file_pk, item, payment_pk, live FROM attempt
    WHERE file_pk IN ({files}) ORDER BY file_pk, item"""
_RECEIVED = """SELECT received_pk, bank, sha256, signature_sha256, name, kind, layout, size_bytes, state,
    received_at, file_pk, verdict, accepted_problems FROM received WHERE {received} ORDER BY received_pk"""
_ACKNOWLEDGEMENTS = """SELECT acknowledgement_pk, file_pk, received_pk, verdict, reason, code, recorded_at
    FROM acknowledgement WHERE file_pk IN ({files}) ORDER BY acknowledgement_pk"""
_OUTCOMES = """SELECT outcome_pk, payment_pk, file_pk, item, received_pk, line, stated, status,
    outcome.reason, credited_minor, returned_minor, code, serial, value_date, recorded_at, decided
    FROM outcome JOIN payment USING (payment_pk) JOIN batch USING (batch_pk)
    WHERE {chosen} ORDER BY outcome_pk"""
_FEES = """SELECT fee_pk, bank, kind, amount_minor, file_pk, item, payment_pk, received_pk, line, recorded_at
    FROM fee_finding WHERE {received} ORDER BY fee_pk"""
_NOTICES = """SELECT notice_pk, bank, code, about, file_pk, item, payment_pk, received_pk, line, recorded_at
    FROM notice WHERE file_pk IN ({files}) ORDER BY notice_pk"""
_RECOVERIES = """SELECT recovery_pk, payment_pk, recovery.amount_minor, ground, exhibit, marked_at, ending,
    closed_at, decided FROM recovery JOIN payment USING (payment_pk) JOIN batch USING (batch_pk)
    WHERE {chosen} ORDER BY recovery_pk"""
_RECEIPTS = """SELECT receipt_pk, recovery_pk, recovery_receipt.amount_minor, voucher, noted_at, struck_at,
    recovery_receipt.decided FROM recovery_receipt JOIN recovery USING (recovery_pk)
    JOIN payment USING (payment_pk) JOIN batch USING (batch_pk) WHERE {chosen} ORDER BY receipt_pk"""
_ENTRIES = """SELECT entry_pk, bank, account, statement, received_pk, line, direction, amount_minor,
    entry_minor, currency, booked_on, value_date, booked, kind, serial, code, file_pk, item, payment_pk,
    recorded_at
    FROM statement_entry WHERE {received} ORDER BY entry_pk"""
