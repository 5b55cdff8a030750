"""One gateway's opened parts: configuration, ledger, spool, codecs, keys, clock.

Everything that acts gets it as its first argument; nothing here acts.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import msgspec
from msgspec import Struct
from structlog.typing import FilteringBoundLogger

from channels.channel import Channel
from formats import Codec
from formats.registry import Registry
from gateway.configuration.agreement import Agreement
from gateway.configuration.config import Configuration
from gateway.configuration.profile import Profile
from gateway.errors import Unknown
from gateway.ledger.database import Ledger
from gateway.ledger.lanes import banks_of_lanes
from gateway.ledger.shares import subjects_paid
from gateway.ports import Clock, Randomness
from gateway.store.spool import Spool
from keys.keyring import Keyring
from keys.sealed import Masters

ChannelOpener = Callable[[Profile], Channel]
AnchorOpener = Callable[[], Channel]


class Installation(Struct, kw_only=True):
    """What one open gateway works with. `open_channel` connects to a bank's server."""

    configuration: Configuration
    ledger: Ledger
    spool: Spool
    masters: Masters
    keyring: Keyring
    codecs: Registry
    clock: Clock
    randomness: Randomness
    open_channel: ChannelOpener
    log: FilteringBoundLogger
    open_anchor: AnchorOpener | None = None
    """Connects to where heads of the journal go; None: there is no such place."""

    def profile(self, bank: str) -> Profile:
        try:
            return self.configuration.profiles[bank]
        except KeyError:
            known = ", ".join(sorted(self.configuration.profiles)) or "none"
            raise Unknown(f"bank {bank!r} has no profile", hint=f"banks with a profile: {known}") from None

    def require_bank(self, bank: str | None) -> None:
        """Raises `Unknown` for a bank that has no profile and never had payments; None is all of them."""
        if bank is None or bank in self.configuration.profiles:
            return
        with self.ledger.read() as transaction:
            if bank in banks_of_lanes(transaction):
                return
        self.profile(bank)

    def require_department(self, department: str) -> None:
        """Raises `Unknown` for a department that has neither an agreement nor payments; "" is all of them."""
        with self.ledger.read() as transaction:
            known = {paid_by for _, paid_by, _ in subjects_paid(transaction)}
        known |= {one.department for each in self.configuration.agreements.values() for one in each}
        if department and department not in known:
            raise Unknown(
                f"there is no department {department!r}", hint=f"name one of {', '.join(sorted(known))}"
            )

    def require_platform(self, platform: str) -> None:
        """Raises `Unknown` for a platform that is not configured."""
        known = sorted(self.configuration.platforms)
        if platform not in known:
            raise Unknown(f"there is no platform {platform!r}", hint=f"name one of {', '.join(known)}")

    def request_codec(self, profile: Profile) -> Codec:
        return self.codecs.get(profile.layouts.request)

    def bank_day(self, profile: Profile, at: datetime) -> date:
        """The day it is at the bank."""
        return at.astimezone(profile.time_zone).date()

    def agreement(
        self, bank: str, department: str, programme: str, platform: str, currency: str, at: datetime
    ) -> Agreement | None:
        """The agreement in force that lets this bank pay this programme, or None.

        An agreement that names the programme means each of its spellings in the catalogue; no two that are
        in force entrust the same programme, whatever they call it.
        """
        profile = self.configuration.profiles.get(bank)
        if profile is None:
            return None
        day = self.bank_day(profile, at)
        agreements = self.configuration.agreements.get((department, bank), [])
        for name in self.spellings(programme):
            for agreement in agreements:
                if agreement.currency == currency and agreement.entrusts(name, day, platform):
                    return agreement
        return None

    def spellings(self, programme: str) -> tuple[str, ...]:
        """The programme as named, then every other name that the catalogue has for it."""
        catalogue = self.configuration.catalogue
        known = None if catalogue is None else catalogue.find(programme)
        return (programme,) if known is None else tuple(dict.fromkeys((programme, *known.spellings)))


def canonical(value: object) -> str:
    """JSON with sorted keys: the form that digests and the ledger's text columns hold."""
    return msgspec.json.encode(value, order="sorted").decode()
