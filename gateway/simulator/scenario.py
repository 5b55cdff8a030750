"""How a simulated bank behaves, by rule: what it pays, what it says, when and how often.

Which payment meets which fate is decided by a keyed hash of (seed, reference), so that a run
can be repeated and does not depend on how a file is cut into chunks. Where it is drawn by the
payment (its account, amount and name) instead, it does not depend on the file's number either: a
payment that goes again in another file meets the same fate. Single payments can be named by
their account and meet the fate that is written down for them, whatever the draws say.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from hashlib import blake2b
from typing import Literal

from msgspec import Struct

from formats.reasons import Reason
from gateway.simulator.errors import ScenarioUnsupported


class Kind(StrEnum):
    """One behaviour. Several combine."""

    ALL_WELL = "all-well"
    FAILURES = "failures"
    """A share of payments fails, each for one of the reasons the layout can write."""
    FEE_LINES = "fee-lines"
    FEE_COLUMN = "fee-column"
    SHORT_CREDIT = "short-credit"
    """Some are credited with less than instructed."""
    LATE = "late"
    TWICE = "twice"
    """The same result again under another name, then its name again with other content."""
    CONTRADICTING = "contradicting"
    """A second result turns some credited into failed and some failed into credited."""
    WRONG_TOTAL = "wrong-total"
    BAD_SIGNATURE = "bad-signature"
    HALF_FILE = "half-file"
    """Half of the result without signature or flag; the rest later."""
    ECHO = "echo"
    """Our own file comes back in place of a result."""
    UNKNOWN_CODE = "unknown-code"
    UNMATCHED = "unmatched"
    """One record more than was asked for, under a reference that nobody gave."""
    OTHER_ACCOUNT = "other-account"
    """Some are credited to another account (or, where no account is echoed, another name)."""
    IN_PARTS = "in-parts"
    RESULT_FIRST = "result-before-acknowledgement"
    STATEMENT_DEBIT = "statement-debit"
    """Some are charged a fee that stands in the statement only, for no file and under no word for a fee."""
    STATEMENT_DIFFERS = "statement-differs"
    """The statement books what the results call failed, and has credited payments come back."""
    RETURNED = "returned"
    """Some credited payments are given back in a later file."""
    REJECT = "reject"
    """The file is refused as a whole; nothing is paid."""
    SILENT = "silent"
    """Everything is paid and nothing is ever said."""


class Fate(StrEnum):
    """What a simulated bank does with one payment."""

    CREDITED = "credited"
    FAILED = "failed"
    SHORT = "short"
    ELSEWHERE = "elsewhere"
    UNKNOWN_CODE = "unknown_code"
    """Paid in full, under a code that no table lists."""
    RETURNED = "returned"


_FATES: tuple[tuple[Kind, Fate], ...] = (
    (Kind.FAILURES, Fate.FAILED),
    (Kind.SHORT_CREDIT, Fate.SHORT),
    (Kind.OTHER_ACCOUNT, Fate.ELSEWHERE),
    (Kind.UNKNOWN_CODE, Fate.UNKNOWN_CODE),
    (Kind.RETURNED, Fate.RETURNED),
)
_TOLD_IN_RESULTS = frozenset[str]({Kind.FEE_LINES, Kind.FEE_COLUMN})
_PER_MILLE = 1000
_REASONS = tuple(Reason)


class DrawnBy(StrEnum):
    """What of a payment decides over it."""

    REFERENCE = "reference"
    """Each attempt anew."""
    PAYMENT = "payment"
    """Account, amount and name: the same in whatever file."""


class NamedPayment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What becomes of the payments to one account, as test accounts of real banks do.

    `reason` is for failures, "" for any. `charged` is how a fee is told, "" for none; statements book any.
    `result_after_hours`: the result of a whole file with such a payment comes so late.
    `returned_after_hours`: so long after the result the money comes back.
    """

    account: str
    fate: Fate = Fate.CREDITED
    reason: Reason = Reason.NONE
    charged: Literal["", "fee-lines", "fee-column", "statement-debit"] = ""
    result_after_hours: int = 0
    returned_after_hours: int = 0

    @property
    def kinds(self) -> frozenset[Kind]:
        """Behaviours that the bank must be able to write for it."""
        told = {kind for kind, fate in _FATES if fate is self.fate}
        return frozenset({*told, Kind(self.charged)} if self.charged else told)


class Scenario(Struct, frozen=True, kw_only=True):
    """Behaviours and their parameters.

    `share_per_mille` of the payments meets each fate that the kinds bring (they exclude one
    another), and the same share, drawn apart, is charged a fee or contradicted. `late_looks`
    counts listings of the outbox that do not show the late file yet, `late_hours` hours of
    the moments passed in; `shortfall_minor` and `fee_minor` are minor units.
    """

    kinds: frozenset[Kind] = frozenset({Kind.ALL_WELL})
    seed: int = 1
    share_per_mille: int = 20
    drawn_by: DrawnBy = DrawnBy.REFERENCE
    late_looks: int = 3
    late_hours: int = 0
    fee_minor: int = 50
    shortfall_minor: int = 200
    reasons: tuple[Reason, ...] = ()
    """Why payments fail, where no name says it; empty: for every reason that the layout can write."""
    named: tuple[NamedPayment, ...] = ()

    def has(self, kind: Kind) -> bool:
        """Whether the share of payments meets it."""
        return kind in self.kinds

    def plays(self, kind: Kind) -> bool:
        """Whether a share of payments or a named one meets it."""
        return self.has(kind) or any(kind in one.kinds for one in self.named)

    def deciders(self) -> Deciders:
        """What decides over single payments; make one for each file."""
        return Deciders(self)


def make_scenario(
    text: str,
    seed: int = 1,
    share_per_mille: int = 20,
    late_looks: int = 3,
    drawn_by: DrawnBy = DrawnBy.REFERENCE,
) -> Scenario:
    """From names with commas between, as a command line gives them.

    Raises `ScenarioUnsupported` for a name that there is not.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in set(Kind)]
    if unknown:
        raise ScenarioUnsupported(f"no scenario {', '.join(unknown)}", hint=f"there are {', '.join(Kind)}")
    kinds = frozenset(map(Kind, names)) or frozenset({Kind.ALL_WELL})
    return Scenario(
        kinds=kinds, seed=seed, share_per_mille=share_per_mille, late_looks=late_looks, drawn_by=drawn_by
    )


class Deciders:
    """The scenario's draws over references, prepared."""

    def __init__(self, scenario: Scenario) -> None:
        self._key = f"simulated bank {scenario.seed}".encode()
        self._share = scenario.share_per_mille
        self._fates = [fate for kind, fate in _FATES if scenario.has(kind)]
        self._charges = scenario.has(Kind.FEE_LINES) or scenario.has(Kind.FEE_COLUMN)
        self._debits = scenario.has(Kind.STATEMENT_DEBIT)
        self._named = {one.account: one for one in scenario.named}

    @property
    def pays_all(self) -> bool:
        """Whether every payment is credited, with nothing to decide."""
        return not (self._fates or self._named)

    def fates(self, draws: Iterable[str]) -> list[tuple[Fate, int]]:
        """The fate of each, with a number below 2^31 to choose a reason by; below 0 it names one.

        `draws` are texts that decide over payments: references, or what `DrawnBy` says.
        """
        if self.pays_all:
            return [(Fate.CREDITED, 0) for _ in draws]
        return [self._fate_of(text) for text in draws]

    def named(self, draws: Iterable[str]) -> list[NamedPayment]:
        """Those of them that are written down."""
        return [self._named[account] for account in map(_account, draws) if account in self._named]

    def charged(self, draws: Iterable[str]) -> list[bool]:
        """Which of them are charged a fee of which their result tells."""
        return self._charged(list(draws), self._charges, "fee", _TOLD_IN_RESULTS)

    def debited(self, draws: Iterable[str]) -> list[bool]:
        """Which of them are charged a fee that only the statement has."""
        return self._charged(list(draws), self._debits, "debit", frozenset({Kind.STATEMENT_DEBIT}))

    def _charged(self, texts: list[str], drawn: bool, purpose: str, told: frozenset[str]) -> list[bool]:
        """By draw where the scenario says so; of those that are named, who is charged one of these ways."""
        struck = self.struck(texts, purpose) if drawn else [False] * len(texts)
        if not self._named:
            return struck
        found = [self._named.get(_account(text)) for text in texts]
        return [
            one_struck if one is None else one.charged in told
            for one_struck, one in zip(struck, found, strict=True)
        ]

    def struck(self, draws: Iterable[str], purpose: str) -> list[bool]:
        """Which of them a purpose ("fee", "debit", "contradiction") strikes."""
        person = purpose.encode()
        return [self._draw(text, person) % _PER_MILLE < self._share for text in draws]

    def halves(self, draws: Iterable[str]) -> list[int]:
        """In which of two parts the result of each stands: 0 or 1."""
        return [self._draw(text, b"half") & 1 for text in draws]

    def _fate_of(self, text: str) -> tuple[Fate, int]:
        named = self._named.get(_account(text)) if self._named else None
        if named is None:
            return self._fate(self._draw(text, b"fate"))
        return named.fate, choice_of(named.reason)

    def _fate(self, draw: int) -> tuple[Fate, int]:
        choice, position = divmod(draw, _PER_MILLE)
        place = position // self._share if self._share else len(self._fates)
        fate = self._fates[place] if place < len(self._fates) else Fate.CREDITED
        return fate, choice & 0x7FFF_FFFF

    def _draw(self, text: str, person: bytes) -> int:
        digest = blake2b(text.encode(), key=self._key, person=person, digest_size=8).digest()
        return int.from_bytes(digest, "big")


def draw_text(account: str, amount_minor: int, payee_name: str) -> str:
    """What decides over a payment by `DrawnBy.PAYMENT`."""
    return f"{account}/{amount_minor}/{payee_name}"


def choice_of(reason: Reason) -> int:
    """A choice that names a reason; 0 for none."""
    return -_REASONS.index(reason) if reason else 0


def chosen_reason(choice: int) -> Reason:
    """The reason that a choice below 0 names; `Reason.NONE` for any other."""
    return _REASONS[-choice] if choice < 0 else Reason.NONE


def _account(text: str) -> str:
    return text.partition("/")[0]
