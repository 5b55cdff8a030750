"""Whose personal data is over its term, what still needs it, and what was destroyed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

import msgspec
from msgspec import Struct

from gateway.ledger.database import Transaction
from gateway.ledger.texts import SEALED_TEXTS


class StoredBatch(Struct, frozen=True, kw_only=True):
    """A batch whose personal data is there."""

    batch_pk: int
    source_platform: str
    batch_id: str
    state: str
    content_sha256: str
    submitted_at: str

    @property
    def object(self) -> str:
        return f"batch:{self.source_platform}/{self.batch_id}"


class LooseFile(Struct, frozen=True, kw_only=True):
    """A stored file that belongs to no batch, and since when nothing needs it."""

    object: str
    names: list[str]
    since: str


class Destruction(Struct, frozen=True, kw_only=True):
    """One that was begun; `batch_pk` is None where it is not about a batch."""

    destruction_pk: int
    object: str
    batch_pk: int | None
    begun_at: str


class Destroyed(Struct, frozen=True, kw_only=True):
    """One stored file; `sha256` is that of its sealed bytes, "" where it was not there any more."""

    spool_name: str
    sha256: str
    size_bytes: int


class Texts(Struct, frozen=True, kw_only=True):
    """Sealed texts of banks: how many, and the digest over all of them."""

    count: int
    sha256: str


_FILES = "SELECT file_pk FROM file JOIN lane USING (lane_pk) WHERE batch_pk = :batch"
_PAYMENTS = "SELECT payment_pk FROM payment WHERE batch_pk = :batch"


def stored_batches(transaction: Transaction) -> list[StoredBatch]:
    """Batches that nobody has begun to destroy, oldest first."""
    names = ", ".join(StoredBatch.__struct_fields__)
    rows = transaction.all(
        f"SELECT {names} FROM batch WHERE batch_pk NOT IN"
        " (SELECT batch_pk FROM destruction WHERE batch_pk IS NOT NULL) ORDER BY batch_pk"
    )
    return [StoredBatch(**row._mapping) for row in rows]


def last_word(transaction: Transaction, batch_pk: int) -> datetime:
    """When something last became known of a batch: outcomes, charges, answers, recoveries, its release."""
    row = transaction.one(
        "SELECT MAX(at) AS at FROM ("
        " SELECT MAX(submitted_at, COALESCE(released_at, '')) AS at FROM batch WHERE batch_pk = :batch"
        f" UNION ALL SELECT MAX(recorded_at) FROM outcome WHERE payment_pk IN ({_PAYMENTS})"
        f" UNION ALL SELECT MAX(recorded_at) FROM fee_finding WHERE file_pk IN ({_FILES})"
        f" UNION ALL SELECT MAX(recorded_at) FROM acknowledgement WHERE file_pk IN ({_FILES})"
        f" UNION ALL SELECT MAX(recorded_at) FROM notice WHERE file_pk IN ({_FILES})"
        " UNION ALL SELECT MAX(COALESCE(closed_at, marked_at)) FROM recovery"
        f" WHERE payment_pk IN ({_PAYMENTS})"
        f" UNION ALL SELECT MAX(MAX(received_at, COALESCE(closed_at, ''))) FROM received"
        f" WHERE file_pk IN ({_FILES}))",
        batch=batch_pk,
    )
    assert row is not None
    return datetime.fromisoformat(row.at)


def agreements_of(transaction: Transaction, batch_pk: int) -> list[str]:
    """Numbers of the agreements under which files were made of a batch."""
    rows = transaction.all(
        f"SELECT DISTINCT agreement FROM file WHERE file_pk IN ({_FILES}) ORDER BY 1", batch=batch_pk
    )
    return [row.agreement for row in rows]


def open_files(transaction: Transaction, batch_pk: int) -> list[tuple[str, str, str]]:
    """(bank, name, state) of a batch's files that are not done with, or that a person must look at."""
    rows = transaction.all(
        f"SELECT bank, name, state FROM file WHERE file_pk IN ({_FILES})"
        " AND (state NOT IN ('settled', 'rejected', 'voided') OR attention IS NOT NULL OR leftovers <> 0)"
        " ORDER BY file_pk",
        batch=batch_pk,
    )
    return [(row.bank, row.name, row.state) for row in rows]


def open_answers(transaction: Transaction, batch_pk: int) -> list[tuple[str, str, str]]:
    """(bank, name, state) of banks' files that nobody has closed and that may be about a batch."""
    rows = transaction.all(
        "SELECT bank, name, state FROM received WHERE"
        " (state IN ('received', 'verified', 'held') OR (state = 'refused' AND closed_at IS NULL))"
        f" AND (file_pk IN ({_FILES}) OR (file_pk IS NULL AND EXISTS (SELECT 1 FROM file"
        f" WHERE file.bank = received.bank AND file_pk IN ({_FILES}) AND created_at <= received_at)))"
        " ORDER BY received_pk",
        batch=batch_pk,
    )
    return [(row.bank, row.name, row.state) for row in rows]


def open_successors(transaction: Transaction, batch_pk: int) -> int:
    """How many later payments in the chains of a batch's payments have no final outcome."""
    row = transaction.one(
        "SELECT COUNT(*) AS number FROM reissue"
        " LEFT JOIN outcome AS latest ON latest.outcome_pk = (SELECT MAX(outcome_pk) FROM outcome"
        "  WHERE outcome.payment_pk = successor_pk)"
        f" WHERE chain_pk IN ({_PAYMENTS}"
        f"  UNION SELECT chain_pk FROM reissue WHERE successor_pk IN ({_PAYMENTS}))"
        " AND (latest.status IS NULL OR latest.status IN ('unknown', 'discrepant')"
        "  AND latest.reason <> 'PAID_SHORT')",
        batch=batch_pk,
    )
    assert row is not None
    return int(row.number)


def open_oddities_of(transaction: Transaction, batch_pk: int) -> list[tuple[str, str, str]]:
    """(bank, kind, name) of oddities about a batch's files that nobody has closed."""
    rows = transaction.all(
        "SELECT bank, kind, name FROM oddity WHERE closed_at IS NULL AND EXISTS (SELECT 1 FROM file"
        f" WHERE file.bank = oddity.bank AND file.name = oddity.name AND file_pk IN ({_FILES}))"
        " ORDER BY oddity_pk",
        batch=batch_pk,
    )
    return [(row.bank, row.kind, row.name) for row in rows]


def content_names(transaction: Transaction, batch_pk: int) -> list[str]:
    """Stored files of a batch that hold personal data; signatures and flags hold none and stay."""
    rows = transaction.all(
        "SELECT stored_as AS name FROM batch WHERE batch_pk = :batch"
        " UNION SELECT spool_name FROM lane WHERE batch_pk = :batch"
        f" UNION SELECT items_name FROM file WHERE items_name IS NOT NULL AND file_pk IN ({_FILES})"
        f" UNION SELECT spool_name FROM file_part WHERE part = 'data' AND file_pk IN ({_FILES})"
        f" UNION SELECT spool_name FROM received WHERE file_pk IN ({_FILES})"
        " ORDER BY name",
        batch=batch_pk,
    )
    return [row.name for row in rows]


def kept_names(transaction: Transaction, batch_pk: int) -> set[str]:
    """Stored files of a batch that stay: signatures, ours and the banks', and flags."""
    rows = transaction.all(
        f"SELECT spool_name AS name FROM file_part WHERE part <> 'data' AND file_pk IN ({_FILES})"
        " UNION SELECT signature_spool_name FROM received WHERE signature_spool_name IS NOT NULL"
        f" AND file_pk IN ({_FILES})",
        batch=batch_pk,
    )
    return {row.name for row in rows}


def numbers_of(transaction: Transaction, batch_pk: int) -> list[tuple[str, int]]:
    """(bank, sequence) of every file that was made, or only planned, of a batch."""
    rows = transaction.all(
        f"SELECT bank, sequence FROM file WHERE file_pk IN ({_FILES}) ORDER BY file_pk", batch=batch_pk
    )
    return [(row.bank, int(row.sequence)) for row in rows]


def enclosing_signatures(transaction: Transaction, batch_pk: int) -> list[tuple[int, str]]:
    """(received_pk, stored name) of a batch's received files that have their signature around them."""
    rows = transaction.all(
        "SELECT received_pk, spool_name FROM received WHERE signature_spool_name IS NULL"
        f" AND verdict IS NOT NULL AND json_extract(verdict, '$.unsigned') IS NULL AND file_pk IN ({_FILES})"
        " ORDER BY received_pk",
        batch=batch_pk,
    )
    return [(int(row.received_pk), row.spool_name) for row in rows]


# What belongs to no batch.


def loose_answers(transaction: Transaction) -> list[LooseFile]:
    """Banks' files that were refused and closed, and are of no batch whose data is still there; statements
    that were taken, which are of no batch at all.
    """
    rows = transaction.all(
        "SELECT received_pk, spool_name, COALESCE(closed_at, received_at) AS since FROM received"
        " WHERE spool_name NOT IN (SELECT spool_name FROM destroyed_file)"
        " AND ((kind = 'statement' AND state = 'settled') OR (state = 'refused' AND closed_at IS NOT NULL"
        "  AND (file_pk IS NULL OR file_pk IN (SELECT file_pk FROM file JOIN lane USING (lane_pk)"
        "   JOIN destruction USING (batch_pk))))) ORDER BY received_pk"
    )
    return [
        LooseFile(object=f"received:{row.received_pk}", names=[row.spool_name], since=row.since)
        for row in rows
    ]


class ExhibitUse(Struct, frozen=True, kw_only=True):
    """An exhibit with the names of what was decided by it. `since` is the latest of its dates."""

    sha256: str
    spool_name: str
    objects: list[str]
    since: str
    is_open: bool


def exhibit_uses(transaction: Transaction) -> list[ExhibitUse]:
    """Every exhibit, with the decisions and oddities that refer to it."""
    found = []
    for exhibit in transaction.all(
        "SELECT sha256, spool_name, recorded_at FROM exhibit ORDER BY recorded_at"
    ):
        decided = transaction.all(
            "SELECT object, recorded_at FROM decision WHERE CAST(statement AS TEXT) LIKE :pattern",
            pattern=f"%{exhibit.sha256}%",
        )
        odd = transaction.all(
            "SELECT recorded_at, closed_at FROM oddity WHERE exhibit = :sha256", sha256=exhibit.sha256
        )
        recovering = transaction.one(
            "SELECT 1 FROM recovery WHERE closed_at IS NULL AND (exhibit = :sha256 OR recovery_pk IN"
            " (SELECT recovery_pk FROM recovery_receipt WHERE voucher = :sha256)) LIMIT 1",
            sha256=exhibit.sha256,
        )
        dates = [exhibit.recorded_at, *(row.recorded_at for row in decided)]
        dates += [row.closed_at or row.recorded_at for row in odd]
        found.append(
            ExhibitUse(
                sha256=exhibit.sha256,
                spool_name=exhibit.spool_name,
                objects=sorted({row.object.rpartition("#")[0] for row in decided}),
                since=max(dates),
                is_open=recovering is not None or any(row.closed_at is None for row in odd),
            )
        )
    return found


def batch_of_object(transaction: Transaction, name: str) -> int | None:
    """The batch to which a decided object belongs; None where it belongs to none."""
    kind, _, key = name.partition(":")
    owner, _, rest = key.partition("/")
    queries = {
        **dict.fromkeys(
            ("batch", "books"),
            "SELECT batch_pk FROM batch WHERE source_platform = :owner AND batch_id = :rest",
        ),
        "payment": "SELECT batch_pk FROM payment_key JOIN payment USING (payment_pk)"
        " WHERE payment_key.source_platform = :owner AND payment_key.payment_id = :rest",
        "recovery": "SELECT batch_pk FROM payment_key JOIN payment USING (payment_pk)"
        " WHERE payment_key.source_platform = :owner AND payment_key.payment_id = :rest",
        "file": "SELECT batch_pk FROM file JOIN lane USING (lane_pk)"
        " WHERE file.bank = :owner AND file.name = :rest",
        "received": "SELECT batch_pk FROM received JOIN file USING (file_pk) JOIN lane USING (lane_pk)"
        " WHERE received_pk = CAST(:owner AS INTEGER)",
        "funding": "SELECT batch_pk FROM lane WHERE lane_pk = CAST(:owner AS INTEGER)",
    }
    if kind not in queries:
        return None
    row = transaction.one(queries[kind], owner=owner, rest=rest)
    return None if row is None else int(row.batch_pk)


def is_batch_destroyed(transaction: Transaction, batch_pk: int) -> bool:
    row = transaction.one(
        "SELECT 1 FROM destruction WHERE batch_pk = :batch AND ended_at IS NOT NULL", batch=batch_pk
    )
    return row is not None


def forget_exhibit(transaction: Transaction, sha256: str) -> None:
    """The same letter may be attached once more later: it is kept anew then."""
    transaction.run("DELETE FROM exhibit WHERE sha256 = :sha256", sha256=sha256)


def note_strays(transaction: Transaction, names: Iterable[str], at: datetime) -> None:
    """Remember stored files that nothing refers to; those that are referred to by now are forgotten."""
    present = sorted(names)
    transaction.run(
        "DELETE FROM stray WHERE spool_name NOT IN (SELECT value FROM json_each(:names))",
        names=msgspec.json.encode(present).decode(),
    )
    transaction.many(
        "INSERT INTO stray (spool_name, seen_at) VALUES (?, ?) ON CONFLICT (spool_name) DO NOTHING",
        [(name, at.isoformat()) for name in present],
    )


def strays(transaction: Transaction) -> list[LooseFile]:
    """Stored files that nothing refers to, with the time since which that is known."""
    rows = transaction.all("SELECT spool_name, seen_at FROM stray ORDER BY spool_name")
    return [
        LooseFile(object=f"stray:{row.spool_name}", names=[row.spool_name], since=row.seen_at) for row in rows
    ]


# Destroying.


def begin_destruction(
    transaction: Transaction, name: str, batch_pk: int | None, files: Iterable[Destroyed], at: datetime
) -> int:
    """Commit to destroy these files; from now on nobody opens them. The destruction's key."""
    key = transaction.insert(
        "INSERT INTO destruction (object, batch_pk, begun_at) VALUES (:object, :batch, :at)",
        object=name,
        batch=batch_pk,
        at=at.isoformat(),
    )
    transaction.many(
        "INSERT INTO destroyed_file (spool_name, destruction_pk, sha256, size_bytes) VALUES (?,?,?,?)",
        [(file.spool_name, key, file.sha256, file.size_bytes) for file in files],
    )
    return key


def begun_destructions(transaction: Transaction) -> list[Destruction]:
    """Those that have not ended."""
    rows = transaction.all(
        "SELECT destruction_pk, object, batch_pk, begun_at FROM destruction"
        " WHERE forgotten_at IS NULL AND ended_at IS NULL"
        " ORDER BY destruction_pk"
    )
    return [Destruction(**row._mapping) for row in rows]


def destroyed_files(transaction: Transaction, destruction_pk: int) -> list[Destroyed]:
    """What a destruction is about, by name."""
    rows = transaction.all(
        "SELECT spool_name, sha256, size_bytes FROM destroyed_file WHERE destruction_pk = :pk"
        " ORDER BY spool_name",
        pk=destruction_pk,
    )
    return [Destroyed(**row._mapping) for row in rows]


def end_destruction(transaction: Transaction, destruction_pk: int, at: datetime) -> None:
    transaction.run(
        "UPDATE destruction SET ended_at = :at WHERE destruction_pk = :pk AND ended_at IS NULL",
        at=at.isoformat(),
        pk=destruction_pk,
    )


def is_anything_to_forget(transaction: Transaction) -> bool:
    """Whether the database's files may still have something of what was destroyed."""
    row = transaction.one(
        "SELECT 1 FROM destruction WHERE forgotten_at IS NULL AND ended_at IS NOT NULL LIMIT 1"
    )
    return row is not None


def note_forgotten(transaction: Transaction, at: datetime) -> None:
    transaction.run(
        "UPDATE destruction SET forgotten_at = :at WHERE forgotten_at IS NULL AND ended_at IS NOT NULL",
        at=at.isoformat(),
    )


def keep_signature(transaction: Transaction, received_pk: int, spool_name: str, sha256: str) -> None:
    transaction.run(
        "INSERT INTO kept_signature (received_pk, spool_name, sha256) VALUES (:pk, :name, :sha256)",
        pk=received_pk,
        name=spool_name,
        sha256=sha256,
    )


_TEXTS_OF_BATCH = {
    "outcome": f"payment_pk IN ({_PAYMENTS})",
    "fee_finding": f"file_pk IN ({_FILES})",
    "acknowledgement": f"file_pk IN ({_FILES})",
    "notice": f"file_pk IN ({_FILES})",
    "statement_entry": f"payment_pk IN ({_PAYMENTS})",
}


def destroy_texts(transaction: Transaction, batch_pk: int) -> Texts:
    """Take banks' words, and problems that may quote a list or an answer, out of the ledger."""
    count, running = 0, hashlib.sha256()
    for texts in SEALED_TEXTS:
        where = f"{texts.column} IS NOT NULL AND {_TEXTS_OF_BATCH[texts.table]}"
        for row in transaction.stream(
            f"SELECT {texts.column} AS sealed FROM {texts.table} WHERE {where} ORDER BY {texts.key}",
            batch=batch_pk,
        ):
            count += 1
            running.update(len(row.sealed).to_bytes(8, "big") + row.sealed)
        transaction.run(f"UPDATE {texts.table} SET {texts.column} = NULL WHERE {where}", batch=batch_pk)
    transaction.run("UPDATE batch SET problems = '[]' WHERE batch_pk = :batch", batch=batch_pk)
    transaction.run(f"UPDATE received SET problems = '[]' WHERE file_pk IN ({_FILES})", batch=batch_pk)
    return Texts(count=count, sha256=running.hexdigest())


def destroy_statement_texts(transaction: Transaction, received_pk: int) -> None:
    """Take a bank's words in a statement out of the ledger: those of its entries and of its charges."""
    for table, column in (("statement_entry", "text"), ("fee_finding", "label")):
        transaction.run(
            f"UPDATE {table} SET {column} = NULL WHERE received_pk = :pk AND {column} IS NOT NULL",
            pk=received_pk,
        )
