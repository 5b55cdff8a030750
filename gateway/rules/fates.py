"""What became of money: each sum once, however often it was handed over.

A sum of money is instructed by the payment that begins a chain of reissues. Until something of the chain
is credited it has not arrived: what replaces a failed payment is under way until then, not paid. So what
is instructed, and what a report has only reissues of, adds up from arrived, under way again, open,
unpaid and withdrawn, in count and in fen. What was paid short for good has arrived by what was credited,
and its rest is where the chain is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Struct

from formats import Reason, Status
from gateway.ledger.books import BookRow
from gateway.ledger.reissues import ChainPayment
from gateway.rules.books import FINAL, Sum

UNDER_WAY = "under_way"
"""Handed over again, and no word that it arrived."""
SHORT = "short"
"""Credited in part, the bank makes up nothing, and nothing is under way for the rest."""
UNPAID = ("failed", "returned", "set_aside", SHORT)
"""Somebody waits for it, and nothing is under way: a department verifies a payment, and pays it again."""


class Followed(Struct, kw_only=True):
    """What followed on payments that ended alike: paid again and arrived, under way, or counted elsewhere.

    `elsewhere` are those that later ones took the place of, and that did not arrive either, and repeats
    that were refused, since other payments carry the same money.
    """

    again: Sum = msgspec.field(default_factory=Sum)
    under_way: Sum = msgspec.field(default_factory=Sum)
    elsewhere: Sum = msgspec.field(default_factory=Sum)


class Fates(Struct, kw_only=True):
    """`instructed` and `earlier` are all of `states`, in count and fen.

    `earlier` was instructed outside of what is looked at, and handed over again in it; `refused` are repeats
    of money that another payment carries: of them nothing is to be paid. Of what arrived, `short_minor` is
    of payments that were credited too little for good, and `outside` came by reissues outside.
    """

    instructed: Sum = msgspec.field(default_factory=Sum)
    earlier: Sum = msgspec.field(default_factory=Sum)
    refused: Sum = msgspec.field(default_factory=Sum)
    states: dict[str, Sum] = msgspec.field(default_factory=dict)
    again: Sum = msgspec.field(default_factory=Sum)
    """What of the credited came by reissues."""
    outside: Sum = msgspec.field(default_factory=Sum)
    short_minor: int = 0
    followed: dict[tuple[Status, Reason], Followed] = msgspec.field(default_factory=dict)

    def state(self, name: str) -> Sum:
        """The money in a state; to be added to."""
        return self.states.setdefault(name, Sum())

    @property
    def arrived(self) -> Sum:
        return self.states.get("credited", Sum())

    @property
    def under_way(self) -> Sum:
        return self.states.get(UNDER_WAY, Sum())

    @property
    def unpaid(self) -> Sum:
        return self._sum(UNPAID)

    @property
    def withdrawn(self) -> Sum:
        return self.states.get("withdrawn", Sum())

    @property
    def open(self) -> Sum:
        """Without a final state, and handed over for the first time."""
        return self._sum(state for state in self.states if state not in (*FINAL, *UNPAID, UNDER_WAY))

    def _sum(self, states: Iterable[str]) -> Sum:
        total = Sum()
        for each in (self.states.get(state, Sum()) for state in states):
            total.add(each.count, each.minor)
        return total


def fates(rows: Iterable[BookRow], chains: Iterable[Sequence[ChainPayment]]) -> Fates:
    """Of the payments in `rows`; `chains` has each chain that one of them is of, and what was paid short."""
    found = Fates()
    for row in rows:
        found.instructed.add(row.count, row.instructed_minor)
        found.state(row.state).add(row.count, row.instructed_minor)
    for chain in chains:
        for one in chain:
            if one.ours:
                found.instructed.add(-1, -one.amount_minor)
                found.state(one.state).add(-1, -one.amount_minor)
        _follow(found, chain)
    return found


def _follow(found: Fates, chain: Sequence[ChainPayment]) -> None:
    """One chain, the first payment first, at its end: its living member, or where it ended without one."""
    living = next((at for at in reversed(range(len(chain))) if chain[at].alive), None)
    ours = [at for at, one in enumerate(chain) if one.ours and not (at and _is_refused(one))]
    if ours and living is not None and living < ours[0]:
        ours = []
    for at, one in enumerate(chain):
        if one.ours and at not in ours:
            found.refused.add(1, one.amount_minor)
            _followed(found, one).elsewhere.add(1, one.amount_minor)
    if not ours:
        return
    first, rest = chain[ours[0]], chain[ours[0] :]
    (found.earlier if ours[0] else found.instructed).add(1, first.amount_minor)
    short = [one for one in rest if one.reason is Reason.PAID_SHORT]
    short_minor = sum(one.kept_minor for one in short)
    missing_minor = first.amount_minor - short_minor
    found.short_minor += sum(one.kept_minor for one in short if one.ours)
    found.outside.add(0, sum(one.kept_minor for one in short if not one.ours))
    found.state("credited").add(0, short_minor)
    end = max((at for at in ours if chain[at].state != "withdrawn"), default=ours[-1])
    if living is not None:
        end = living
    state = _state(chain[end], replaces=end > 0)
    found.state(state).add(1, missing_minor)
    if state == "credited" and end > 0:
        found.again.add(1, missing_minor)
    if state == "credited" and not chain[end].ours:
        found.outside.add(1, missing_minor)
    for one in (chain[at] for at in ours if at != end):
        followed = _followed(found, one)
        place = {"credited": followed.again, UNDER_WAY: followed.under_way}.get(state, followed.elsewhere)
        place.add(1, one.amount_minor)


def _is_refused(one: ChainPayment) -> bool:
    """A repeat that never was to be paid."""
    return one.reason is Reason.REISSUE_REFUSED


def _state(one: ChainPayment, replaces: bool) -> str:
    """The state in which the money of a chain is that ends with this payment."""
    if one.reason is Reason.PAID_SHORT:
        return SHORT
    if not one.alive or one.state == "credited":
        return one.state
    if replaces:
        return UNDER_WAY
    # Set aside or withdrawn, and yet a bank may have it.
    return "dispatched" if one.state in FINAL else one.state


def _followed(found: Fates, one: ChainPayment) -> Followed:
    """Of those that ended like this one; one without a result is in no line, and its own is thrown away."""
    if one.status is None:
        return Followed()
    return found.followed.setdefault((one.status, one.reason), Followed())
