"""A gateway without what makes it safe, for comparison only: no journal, no seals, no syncs.

`strip` changes the process that calls it, and that is a process of the bench. The product has
no such switch. What stays: the banks' own signatures, digests of files, every check, and
transactions of the ledger, whose log nobody syncs.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from gateway import evidence
from gateway.ledger import database as ledger
from gateway.store import bank_texts
from keys.sealed_header import TAG_BYTES, PieceCipher


def strip() -> None:
    """Replace journal, sealing and syncs of this process by no-ops."""
    _strip_journal()
    _strip_seals()
    _strip_syncs()


def _strip_journal() -> None:
    """No event is written and nothing is digested for one, so nothing is signed or anchored either."""
    _put(evidence, "record", lambda *_given, **_named: "")
    _put(evidence, "items_digest", lambda _items: "")
    _put(evidence, "rows_digest", lambda _rows: "")


def _strip_seals() -> None:
    """The spool's files and the banks' words in clear, with room for tags that are none."""
    tag = bytes(TAG_BYTES)
    _put(PieceCipher, "seal", lambda _cipher, _role, _number, clear: bytes(clear) + tag)
    _put(PieceCipher, "open", lambda _cipher, _role, _number, piece: piece[:-TAG_BYTES])
    _put(bank_texts, "seal_texts", _clear_texts)


def _clear_texts(_master: Any, texts: Sequence[str], _context: bytes = b"") -> list[bytes]:
    return [text.encode() for text in texts]


def _strip_syncs() -> None:
    """Nothing waits for a disk."""
    _put(os, "fsync", lambda _handle: None)
    make = ledger._engine

    def unsynced(path: Path) -> Engine:
        engine = make(path)
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
        return engine

    _put(ledger, "_engine", unsynced)


def _put(owner: Any, name: str, value: Any) -> None:
    """A name that is not there any more would leave the gateway as safe as it is."""
    assert hasattr(owner, name), (owner, name)
    setattr(owner, name, value)
