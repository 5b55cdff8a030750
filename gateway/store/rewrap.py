"""Brings everything that is sealed at rest under the current master key, so that old ones can go.

Of a file only its header changes, but it is written anew beside the old one and put in its
place by a rename: whoever reads has the old file to its end, and a crash leaves one of the two
whole. Banks' own words in the ledger are sealed anew. It goes on where it stopped: what is
under the current master is left alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from msgspec import Struct, field

from gateway import evidence
from gateway.installation import Installation
from gateway.ledger.texts import SEALED_TEXTS, TextColumn, store_texts, texts_under_others
from gateway.store.locks import keeping_files, running, writing_spool
from gateway.store.spool import TEMPORARY
from keys.errors import SealError
from keys.sealed import open_texts, seal_texts

TEXTS_AT_A_TIME = 2000


class Rewrapped(Struct, kw_only=True):
    """What was done, and what is left under old masters."""

    master: str
    """Key id of the current master."""
    files: int = 0
    bytes: int = 0
    texts: int = 0
    left: dict[str, int] = field(default_factory=dict)
    """Files and texts that are still under another master, by its key id."""
    damaged: list[str] = field(default_factory=list)
    """Names of spool files that no key of the ring opens, or that are no sealed files."""


def rewrap(installation: Installation, limit_bytes: int | None, context: bytes) -> Rewrapped:
    """Re-wrap up to about `limit_bytes` of files (None: all), and all texts, sealed under `context`.

    Raises `Locked` beside a run; submissions and everything that only looks go on.
    """
    done = Rewrapped(master=installation.masters.current.key_id)
    with running(installation), keeping_files(installation), writing_spool(installation):
        left: Counter[str] = Counter()
        for name, size_bytes, master in _files(installation, done):
            if limit_bytes is not None and done.bytes + size_bytes > limit_bytes and done.files:
                left[master] += 1
                continue
            if _rewrap_file(installation, name, done):
                done.files += 1
                done.bytes += size_bytes
        done.left = dict(left)
        for column in SEALED_TEXTS:
            done.texts += _rewrap_texts(installation, column, context)
        if done.files or done.texts:
            _record(installation, done)
    return done


def _files(installation: Installation, done: Rewrapped) -> Iterator[tuple[str, int, str]]:
    """Every file that is not under the current master: name, size and the master's key id."""
    for name in sorted(installation.spool.names()):
        if name.startswith(TEMPORARY):
            continue
        try:
            size_bytes, master = installation.spool.sealed_under(name)
        except SealError:
            done.damaged.append(name)
            continue
        if master != done.master:
            yield name, size_bytes, master


def _rewrap_file(installation: Installation, name: str, done: Rewrapped) -> bool:
    try:
        installation.spool.rewrap(name)
    except SealError:
        done.damaged.append(name)
        return False
    return True


def _rewrap_texts(installation: Installation, column: TextColumn, context: bytes) -> int:
    masters, count = installation.masters, 0
    while True:
        with installation.ledger.write() as transaction:
            rows = texts_under_others(transaction, column, masters.current, TEXTS_AT_A_TIME)
            if not rows:
                return count
            clear = open_texts(masters, [blob for _, blob in rows], context)
            sealed = seal_texts(masters.current, clear, context)
            keys = [key for key, _ in rows]
            store_texts(transaction, column, list(zip(sealed, keys, strict=True)))
            count += len(rows)


def _record(installation: Installation, done: Rewrapped) -> None:
    with installation.ledger.write() as transaction:
        evidence.record(
            transaction,
            installation.clock.now(),
            "sealed anew",
            master=done.master,
            files=done.files,
            texts=done.texts,
            left=sum(done.left.values()),
        )
