"""In which state the journal leaves each batch, file and received file, and what is still in a file.

Each event of a kind below leaves its object in one state, whatever it was in before; so the
last one says where it stands. Events of ledgers older than these rules say less: what they
do not tell is not judged.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from gateway.audit.chain import Journal
from gateway.states import BatchState, Disposition, FileState, ReceivedState

Name = tuple[str, str]
"""Platform and batch, or bank and file."""

BATCH_EVENTS: dict[str, BatchState] = {
    "batch submitted": BatchState.SUBMITTED,
    "batch released": BatchState.RELEASED,
    "batch held": BatchState.HELD,
    "batch resumed": BatchState.RELEASED,
    "batch withdrawn": BatchState.WITHDRAWN,
}
FILE_EVENTS: dict[str, FileState] = {
    "file planned": FileState.PLANNED,
    "file sealed": FileState.SEALED,
    "file uploading": FileState.UPLOADING,
    "file not uploaded": FileState.SEALED,
    "file releasing": FileState.RELEASING,
    "file sent": FileState.SENT,
    "file uncertain": FileState.UNCERTAIN,
    "file voided": FileState.VOIDED,
    "file given up": FileState.REJECTED,
    "file reopened": FileState.SENT,
}
RECEIVED_EVENTS: dict[str, ReceivedState] = {
    "received": ReceivedState.RECEIVED,
    "received file verified": ReceivedState.VERIFIED,
    "received file held": ReceivedState.HELD,
    "received file refused": ReceivedState.REFUSED,
    "received file settled": ReceivedState.SETTLED,
    "received file judged again": ReceivedState.RECEIVED,
}
_SAYS_WHERE_ITS_FILE_STANDS = ("received file settled", "payment resolved")
_GIVES_BACK = ("file voided", "file given up", "file redispatched", "file withdrawn")
"""After these the file has no payment any more."""
_UNTOLD = ""


class ToldStates(Struct):
    """`live` counts the payments that are in a file, `received` is by the ledger's number."""

    batches: dict[Name, str] = field(default_factory=dict)
    files: dict[Name, str] = field(default_factory=dict)
    live: dict[Name, int] = field(default_factory=dict)
    received: dict[int, str] = field(default_factory=dict)


def told_states(journal: Journal) -> ToldStates:
    """The fold over all shown events, in their order."""
    states = ToldStates()
    events = [(told.event, kind, told.body) for kind, each in journal.told.items() for told in each]
    for _, kind, body in sorted(events, key=lambda event: event[0]):
        _take(states, kind, body)
    return states


def told_dispositions(journal: Journal) -> dict[str, int]:
    """How many payments were set aside and withdrawn, where every event of a journal is shown.

    Empty where the journal has submissions of before these rules.
    """
    submitted = [told.body.get("set_aside") for told in journal.of("batch submitted")]
    if None in submitted:
        return {}
    set_aside = sum(count for count in submitted if isinstance(count, int))
    listed = [told.body.get("payments") for told in journal.of("payments set aside")]
    set_aside += sum(len(payments) for payments in listed if isinstance(payments, list))
    set_aside += len(journal.of("payment set aside"))
    counted = ("batch withdrawn", "file withdrawn", "payments withdrawn")
    withdrawn = len(journal.of("payment withdrawn"))
    counts = [told.body.get("count") for kind in counted for told in journal.of(kind)]
    withdrawn += sum(count for count in counts if isinstance(count, int))
    return {Disposition.SET_ASIDE: set_aside, Disposition.WITHDRAWN: withdrawn}


def _take(states: ToldStates, kind: str, body: dict[str, Any]) -> None:
    file = (str(body.get("bank", _UNTOLD)), str(body.get("file", _UNTOLD)))
    if kind in BATCH_EVENTS:
        states.batches[str(body.get("platform")), str(body.get("batch"))] = BATCH_EVENTS[kind]
    if kind in FILE_EVENTS:
        states.files[file] = FILE_EVENTS[kind]
    if kind in _SAYS_WHERE_ITS_FILE_STANDS and body.get("file") is not None:
        states.files[file] = str(body.get("file_state", _UNTOLD))
    if kind in RECEIVED_EVENTS and isinstance(body.get("received"), int):
        states.received[body["received"]] = RECEIVED_EVENTS[kind]
    if kind == "file planned" and isinstance(body.get("count"), int):
        states.live[file] = body["count"]
    if kind in ("file reopened", "attempts renewed") and isinstance(body.get("live"), int):
        states.live[file] = body["live"]
    if kind in _GIVES_BACK:
        states.live[file] = 0
