"""What can be said of the anchor without asking it: from the ledger, the key ring and the configuration."""

from __future__ import annotations

import os

from msgspec import Struct

from gateway.configuration.config import AnchorSettings
from gateway.installation import Installation
from gateway.ledger.anchor import (
    anchor_fault,
    fault_noted_at,
    last_event,
    last_head,
    recorded_at_of,
    sequences,
)
from gateway.store.behind import spool_ahead
from gateway.texts import ENGLISH
from keys.errors import KeyUnavailable


class AnchorStatus(Struct, frozen=True, kw_only=True):
    """How far the journal is, how far it is signed, and how far the anchor knows it.

    `unknown_events` are those of which the anchor does not know: the tail that could be cut unseen; the
    oldest of them is of `unknown_since`, "" where there is none. `fault` is what went wrong at the last
    talk, at `fault_at`; `refused`: nobody knocks again before a person has mended it. `hint` says how.
    """

    where: str
    event: int
    signed_event: int
    delivered_event: int
    delivered_at: str
    fault: str
    warning: str
    unknown_events: int = 0
    unknown_since: str = ""
    fault_at: str = ""
    refused: bool = False
    hint: str = ""


def anchor_status(installation: Installation) -> AnchorStatus:
    with installation.ledger.read() as transaction:
        event = last_event(transaction)
        head, delivered = last_head(transaction), last_head(transaction, delivered=True)
        fault, refused = anchor_fault(transaction)
        used = sequences(transaction)
        last = 0 if event is None else event[0]
        known = 0 if delivered is None else delivered.event_pk
        unknown_since = recorded_at_of(transaction, known + 1) if last > known else ""
        fault_at = fault_noted_at(transaction) if fault else ""
    ahead = [
        spool_ahead(installation, bank, used.get(bank, 0) + 1) for bank in installation.configuration.profiles
    ]
    anchor = installation.configuration.anchor
    warnings = [*ahead, _signing(installation), "" if anchor is None else _reaching(installation, anchor)]
    return AnchorStatus(
        where="" if anchor is None else anchor.place,
        event=last,
        signed_event=0 if head is None else head.event_pk,
        delivered_event=known,
        delivered_at="" if delivered is None else delivered.delivered_at or "",
        fault=fault,
        warning="; ".join(filter(None, warnings)),
        unknown_events=0 if anchor is None else max(0, last - known),
        unknown_since="" if anchor is None else unknown_since,
        fault_at=fault_at,
        refused=refused,
        hint=ENGLISH["anchor_refused" if refused else "anchor_again"] if fault else "",
    )


def _signing(installation: Installation) -> str:
    try:
        installation.keyring.journal_signer(installation.clock.now())
    except KeyUnavailable as error:
        return f"the journal's head is not signed: {error}"
    return ""


def _reaching(installation: Installation, anchor: AnchorSettings) -> str:
    """What will stop the next talk with the anchor, as far as it can be seen from here."""
    if anchor.kind == "folder":
        folder = installation.configuration.path.parent / anchor.root / anchor.folder
        return "" if os.path.isdir(folder) else f"the anchor's folder {folder} is not there"
    try:
        now = installation.clock.now()
        installation.keyring.ssh_login(anchor.login, now)
        installation.keyring.host_pins(anchor.login, now)
    except KeyUnavailable as error:
        return f"the anchor cannot be reached: {error}"
    return ""
