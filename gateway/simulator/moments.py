"""Time as it enters a simulated bank, and what waits for it."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from gateway.simulator.store import Blob


class Moment(Struct, frozen=True, kw_only=True):
    """When something happens: after so many listings of the outbox, at an aware instant."""

    look: int
    at: datetime

    def after(self, looks: int, hours: int = 0) -> Moment:
        """The moment that `looks` more listings do not show yet, and no listing for `hours`."""
        more = looks + 1 if looks else 0
        return Moment(look=self.look + more, at=self.at + timedelta(hours=hours))


class Posting(Struct, frozen=True, kw_only=True):
    """A file for the outbox; postings are in the order in which files must appear.

    A name that is there already is replaced.
    """

    name: str
    content: Blob
    due: Moment

    def is_due(self, moment: Moment) -> bool:
        return moment.look >= self.due.look and moment.at >= self.due.at
