"""Whether what persons signed names the installation whose journal a bundle has."""

from __future__ import annotations

from gateway.audit.chain import Journal, Told
from gateway.audit.report import Bundle
from gateway.ledger.identity import NAMED


class IdentityChecks:
    """The event that tells the ledger's identity, and what is held against it.

    What was signed before that event names no installation: ledgers had no identity then.
    """

    def __init__(self, bundle: Bundle, journal: Journal) -> None:
        self._bundle = bundle
        events = journal.of(NAMED)
        self._named = events[0] if events else None
        for again in events[1:]:
            bundle.report.add(again.place, "tells the ledger's identity a second time")
        if self._named is not None and not self._identity:
            bundle.report.add(self._named.place, "does not tell the ledger's identity")

    @property
    def _identity(self) -> str:
        found = "" if self._named is None else self._named.body.get("identity")
        return found if isinstance(found, str) else ""

    def check(self, place: str, told: Told | None, installation: str) -> None:
        """A decision that `told` tells of was signed for this ledger."""
        wanted = ""
        if self._named is not None and told is not None and told.event > self._named.event:
            wanted = self._identity
        if told is not None and installation != wanted:
            self._bundle.report.add(
                place,
                f"was signed for {installation[:80] or 'no installation'},"
                f" the journal is that of {wanted or 'a ledger without identity'} then",
            )
