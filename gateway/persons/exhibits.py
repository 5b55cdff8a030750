"""Exhibits: what a decision rests on, as a rule the bank's letter; kept sealed, named by digest.

A person signs the exhibit's SHA-256 within the statement. Exhibits may name people: they
lie in the spool like everything that does, and are in no export.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from typing import BinaryIO

import msgspec

from formats import Problem
from gateway import evidence
from gateway.errors import InputRefused
from gateway.installation import Installation
from gateway.ledger.database import Transaction
from gateway.ledger.decisions import SignedRow, find_exhibit, insert_exhibit
from gateway.persons.decisions import Statement
from gateway.store.locks import writing_spool
from gateway.store.spool import MeasuredSink

LIMIT_BYTES = 64 << 20
WORDS_LIMIT = 300
"""Characters."""
_BLOCK_BYTES = 1 << 20


def attach(installation: Installation, source: BinaryIO, name: str) -> str:
    """Keep an exhibit; its SHA-256 in hex. The same bytes twice are one exhibit.

    `name` is what errors call it. Raises `InputRefused` where it is empty or larger than
    `LIMIT_BYTES`, `StorageFailed`.
    """

    def fill(sink: MeasuredSink) -> None:
        while block := source.read(_BLOCK_BYTES):
            sink.write(block)
            if sink.size_bytes > LIMIT_BYTES:
                raise _refused(name, f"more than {LIMIT_BYTES >> 20} MiB", "attach a smaller scan")
        if not sink.size_bytes:
            raise _refused(name, "it is empty", "attach what the bank wrote")

    return keep(installation, fill)


def keep(installation: Installation, fill: Callable[[MeasuredSink], object]) -> str:
    """Keep what `fill` writes, sealed and durable; its SHA-256 in hex."""
    spool = installation.spool
    stored = f"exhibits/{installation.randomness.token()}"
    with writing_spool(installation):
        with spool.create(stored) as sink:
            fill(sink)
        now = installation.clock.now()
        with installation.ledger.write() as transaction:
            new = insert_exhibit(transaction, sink.sha256, stored, sink.size_bytes, now)
            if new:
                evidence.record(
                    transaction, now, "exhibit kept", sha256=sink.sha256, size_bytes=sink.size_bytes
                )
        if not new:
            spool.remove(stored)
    return sink.sha256


def read_exhibit(installation: Installation, sha256: str, sink: BinaryIO) -> None:
    """Write an exhibit's clear bytes. Raises `InputRefused` where none has that digest."""
    with installation.ledger.read() as transaction:
        row = find_exhibit(transaction, sha256)
    if row is None:
        raise _refused(sha256[:16], "no exhibit with this digest is kept", "`bankgate held` shows digests")
    with installation.spool.open(row.spool_name) as source:
        shutil.copyfileobj(source, sink, _BLOCK_BYTES)


def keep_words(installation: Installation, words: str) -> str:
    """Keep what a person wrote in a line, sealed as an exhibit is: it may name somebody. Its SHA-256.

    Raises `InputRefused` where it is empty, longer than `WORDS_LIMIT` or more than a line.
    """
    line = words.strip()
    if not line or len(line) > WORDS_LIMIT or not line.isprintable():
        raise _refused(
            "the reason", "it is empty, too long or not a line", f"at most {WORDS_LIMIT} characters"
        )
    return attach(installation, io.BytesIO(line.encode()), "the reason")


def read_words(installation: Installation, transaction: Transaction, sha256: str) -> str:
    """A person's words; "" where they were destroyed at the end of their term."""
    row = find_exhibit(transaction, sha256)
    if row is None:
        return ""
    with installation.spool.open(row.spool_name) as source:
        return source.read().decode()


def words_of(installation: Installation, transaction: Transaction, signed: SignedRow) -> str:
    """Why the person decided so, in the own words; "" where none were given or they are destroyed."""
    reason = msgspec.json.decode(signed.statement, type=Statement).reason
    return read_words(installation, transaction, reason) if reason else ""


def require_exhibit(installation: Installation, sha256: str) -> None:
    """Raises `InputRefused` where nothing with that digest is kept here."""
    with installation.ledger.read() as transaction:
        if find_exhibit(transaction, sha256) is None:
            raise _refused(sha256[:16], "no exhibit with this digest is kept", "attach the file first")


def _refused(name: str, why: str, hint: str) -> InputRefused:
    return InputRefused([Problem(code="exhibit", source=name, message=f"{name}: {why}")], hint=hint)
