"""What the journal alone says that the ledger holds: a fold over its events, compared with the tables.

Written from `docs/audit.md`, with nothing of the product's: an event that it does not know, a state
that no event tells, a count that does not add up are all broken promises.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from gateway.ledger.database import Transaction

Body = dict[str, Any]
File = tuple[str, str]
"""Bank and name."""

_FILE_STATES = {
    "file planned": "planned",
    "file sealed": "sealed",
    "file uploading": "uploading",
    "file not uploaded": "sealed",
    "file releasing": "releasing",
    "file sent": "sent",
    "file uncertain": "uncertain",
    "file voided": "voided",
    "file given up": "rejected",
    "file reopened": "sent",
}
_GIVES_BACK = frozenset({"file voided", "file given up", "file redispatched", "file withdrawn"})
"""After these no payment of the file is in it any more."""
_BATCH_STATES = {
    "batch submitted": "submitted",
    "batch released": "released",
    "batch held": "held",
    "batch resumed": "released",
    "batch withdrawn": "withdrawn",
}
_RECEIVED_STATES = {
    "received": "received",
    "received file verified": "verified",
    "received file held": "held",
    "received file refused": "refused",
    "received file settled": "settled",
    "received file judged again": "received",
}
_SAY_NO_STATE = frozenset(
    {
        *("received again", "received file accepted", "received file closed", "received file shown again"),
        *("file held", "file cleared", "backup made", "persons enrolled", "ledger named"),
    }
)
"""Events about what is no state, count or number here."""
_OPERATOR, _BEHIND, _FAULT = "operator", "behind", "fault"
_ROW = (
    "payment_pk, file_pk, item, received_pk, line, stated, status, reason, credited_minor, returned_minor,"
    " code, serial, value_date, recorded_at"
)


class Replay:
    """The fold. `banks` are all that a gateway has: what holds every bank names none."""

    def __init__(self, banks: Iterable[str]) -> None:
        self.files: dict[File, str] = {}
        self.live: dict[File, int] = {}
        self.batches: dict[tuple[str, str], str] = {}
        self.received: dict[int, str] = {}
        self.sequences: dict[str, int] = {}
        self.holds: defaultdict[str, set[str]] = defaultdict(set)
        self.payments: Counter[str] = Counter()
        """Payments that may leave or wait (`here`), were set aside, were withdrawn."""
        self.outcomes: Counter[str] = Counter()
        """Outcomes that banks or persons state, by status."""
        self.rows: Counter[str] = Counter()
        """Rows of other tables."""
        self.mistakes: list[str] = []
        self._banks = sorted(banks)
        self._chunks: list[Body] = []
        self._told_rows = 0
        """Key of the last outcome whose event was compared."""

    # Taking events.

    def take(self, kind: str, body: Body) -> None:
        """The next event."""
        known = kind in _SAY_NO_STATE
        for table, take in (
            (_FILE_STATES, self._take_file_state),
            (_BATCH_STATES, self._take_batch_state),
            (_RECEIVED_STATES, self._take_received_state),
        ):
            if kind in table:
                take(table[kind], body)
                known = True
        if kind in _GIVES_BACK:
            self.live[_file(body)] = 0
            known = True
        more: Callable[[Body], None] | None = getattr(self, f"_{kind.replace(' ', '_')}", None)
        if more is not None:
            more(body)
        elif not known:
            self.mistakes.append(f"nobody knows what an event {kind!r} says")

    def _take_file_state(self, state: str, body: Body) -> None:
        self.files[_file(body)] = state

    def _take_batch_state(self, state: str, body: Body) -> None:
        self.batches[body["platform"], body["batch"]] = state

    def _take_received_state(self, state: str, body: Body) -> None:
        self.received[body["received"]] = state

    def _file_planned(self, body: Body) -> None:
        bank, sequence = body["bank"], body["sequence"]
        if sequence <= self.sequences.get(bank, 0):
            self.mistakes.append(f"number {sequence} of {bank} was used before")
        self.sequences[bank] = sequence
        self.live[_file(body)] = body["count"]

    def _file_reopened(self, body: Body) -> None:
        self.live[_file(body)] = body["live"]

    _attempts_renewed = _file_reopened

    def _received_file_settled(self, body: Body) -> None:
        self.files[_file(body)] = body["file_state"]
        self.rows["acknowledgement"] += "verdict" in body
        self.rows["fee_finding"] += body.get("findings", 0)

    def _batch_submitted(self, body: Body) -> None:
        self.payments["set_aside"] += body["set_aside"]
        self.payments["here"] += body["count"] - body["left_out"] - body["set_aside"]

    def _batch_withdrawn(self, body: Body) -> None:
        self._withdraw(body["count"])

    def _file_withdrawn(self, body: Body) -> None:
        self._withdraw(body["count"])

    def _payments_withdrawn(self, body: Body) -> None:
        self._withdraw(body["count"])

    def _payment_withdrawn(self, _body: Body) -> None:
        self._withdraw(1)

    def _withdraw(self, count: int) -> None:
        self.payments["here"] -= count
        self.payments["withdrawn"] += count

    def _payments_set_aside(self, body: Body) -> None:
        self.payments["here"] -= len(body["payments"])
        self.payments["set_aside"] += len(body["payments"])

    def _payment_set_aside(self, _body: Body) -> None:
        self.payments["here"] -= 1
        self.payments["set_aside"] += 1

    def _payment_held(self, _body: Body) -> None:
        """It stays here."""

    _payment_accepted = _payments_held = _payments_accepted = _payments_listed = _payment_held
    _payments_refused_in_doubt = _payment_held

    def _outcomes(self, body: Body) -> None:
        self.outcomes.update(body["statuses"])
        if sum(body["statuses"].values()) != body["count"]:
            self.mistakes.append(f"{body['count']} outcomes are not {body['statuses']}")
        self._chunks.append(body)

    def _payment_resolved(self, body: Body) -> None:
        self.outcomes[body["status"]] += 1
        if body["file"] is not None:
            self.files[_file(body)] = body["file_state"]

    def _decision(self, _body: Body) -> None:
        self.rows["decision"] += 1

    def _exhibit_kept(self, _body: Body) -> None:
        self.rows["exhibit"] += 1

    def _oddity(self, _body: Body) -> None:
        self.rows["oddity"] += 1
        self.rows["open oddity"] += 1

    def _oddity_closed(self, _body: Body) -> None:
        self.rows["open oddity"] -= 1

    def _bank_fault(self, body: Body) -> None:
        if body["held"]:
            self.holds[body["bank"]].add(_FAULT)

    def _bank_held(self, body: Body) -> None:
        self.holds[body["bank"]].add(_OPERATOR)

    def _bank_hold_cleared(self, body: Body) -> None:
        self.holds[body["bank"]] &= {_BEHIND}

    def _bank_reconciled(self, body: Body) -> None:
        self.holds[body["bank"]] -= {_BEHIND}

    def _ledger_behind_its_anchor(self, body: Body) -> None:
        self._hold_all()
        self.sequences |= body["raised_to"]

    def _ledger_restored(self, body: Body) -> None:
        self._hold_all()
        self.sequences |= {bank: number + body["margin"] for bank, number in body["sequences"].items()}

    def _hold_all(self) -> None:
        for bank in self._banks:
            self.holds[bank].add(_BEHIND)

    # Comparing.

    def differences(self, transaction: Transaction) -> list[str]:
        """Where the tables say something else than the events; [] where they agree."""
        found = [*self.mistakes, *self._differing_rows(transaction)]
        for what, told, kept in (
            ("files", self.files, _files(transaction)),
            ("live attempts", self.live, _live(transaction)),
            ("batches", self.batches, _batches(transaction)),
            ("received files", self.received, _received(transaction)),
            ("sequences", self.sequences, _sequences(transaction)),
            ("holds", {bank: held for bank, held in self.holds.items() if held}, _holds(transaction)),
            ("payments", +self.payments, _payments(transaction)),
            ("outcomes", +self.outcomes, _outcomes(transaction)),
            ("rows", +self.rows, _rows(transaction)),
        ):
            if told != kept:
                found.append(f"{what}: {_apart(told, kept)}")
        return found

    def _differing_rows(self, transaction: Transaction) -> list[str]:
        """Events of outcomes whose digest is not that of the ledger's next rows."""
        found = []
        for body in self._chunks:
            rows = transaction.tuples(
                f"SELECT outcome_pk, {_ROW} FROM outcome WHERE received_pk IS NOT NULL AND outcome_pk > ?"
                " ORDER BY outcome_pk LIMIT ?",
                (self._told_rows, body["count"]),
            )
            text = json.dumps([list(row[1:]) for row in rows], ensure_ascii=False, separators=(",", ":"))
            if hashlib.sha256(text.encode()).hexdigest() != body["rows_sha256"]:
                found.append(f"outcomes after {self._told_rows} are not those that the journal tells of")
            self._told_rows = rows[-1][0] if rows else self._told_rows
        self._chunks.clear()
        return found


def _file(body: Body) -> File:
    return body["bank"], body["file"]


def _apart(told: Any, kept: Any) -> str:
    """What differs, of the journal and of the ledger."""
    keys = sorted({*told, *kept}, key=str)
    return ", ".join(
        f"{key} is {told.get(key)} by the journal, {kept.get(key)} in the ledger"
        for key in keys
        if told.get(key) != kept.get(key)
    )


def _files(transaction: Transaction) -> dict[File, str]:
    return {(row.bank, row.name): row.state for row in transaction.all("SELECT bank, name, state FROM file")}


def _live(transaction: Transaction) -> dict[File, int]:
    rows = transaction.all(
        "SELECT bank, name, SUM(live) AS live FROM file JOIN attempt USING (file_pk) GROUP BY file_pk"
    )
    return {(row.bank, row.name): row.live for row in rows}


def _batches(transaction: Transaction) -> dict[tuple[str, str], str]:
    rows = transaction.all("SELECT source_platform, batch_id, state FROM batch")
    return {(row.source_platform, row.batch_id): row.state for row in rows}


def _received(transaction: Transaction) -> dict[int, str]:
    return {row.received_pk: row.state for row in transaction.all("SELECT received_pk, state FROM received")}


def _sequences(transaction: Transaction) -> dict[str, int]:
    return {row.bank: row.last for row in transaction.all("SELECT bank, last FROM bank_sequence")}


def _holds(transaction: Transaction) -> dict[str, set[str]]:
    held: defaultdict[str, set[str]] = defaultdict(set)
    for row in transaction.all("SELECT bank, cause FROM bank_hold"):
        held[row.bank].add(row.cause if row.cause in (_OPERATOR, _BEHIND) else _FAULT)
    return dict(held)


def _payments(transaction: Transaction) -> Counter[str]:
    counts: Counter[str] = Counter()
    for row in transaction.all("SELECT disposition, COUNT(*) AS number FROM payment GROUP BY disposition"):
        here = row.disposition in ("accepted", "held")
        counts["here" if here else row.disposition] += row.number
    return counts


def _outcomes(transaction: Transaction) -> Counter[str]:
    rows = transaction.all(
        "SELECT status, COUNT(*) AS number FROM outcome WHERE received_pk IS NOT NULL"
        " OR status NOT IN ('set_aside', 'withdrawn') GROUP BY status"
    )
    return Counter({row.status: row.number for row in rows})


def _rows(transaction: Transaction) -> Counter[str]:
    counts: Counter[str] = Counter()
    for table in ("acknowledgement", "fee_finding", "decision", "exhibit", "oddity"):
        row = transaction.one(f"SELECT COUNT(*) AS number FROM {table}")
        counts[table] = 0 if row is None else row.number
    row = transaction.one("SELECT COUNT(*) AS number FROM oddity WHERE closed_at IS NULL")
    counts["open oddity"] = 0 if row is None else row.number
    return +counts
