"""Names that a bank echoes nearly as we wrote them: ours only where the profile approves it.

Only a name is ever taken for ours; another account is another payee, whatever the name. What is
taken, and what is nearly ours and is not, is told by its class to whoever verifies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from formats.names import NameMatch, compare_names, normalize_name
from gateway.configuration.profile import Profile
from gateway.settlement.items import Expected
from gateway.settlement.judge import Columns, foreign_echoes, other_accounts


class NearName(Struct, frozen=True):
    """One record whose name is not ours as it stands. `accepted`: the profile takes it for ours."""

    row: int
    match: str
    accepted: bool


class NamePolicy:
    """What one bank's profile approves."""

    def __init__(self, profile: Profile) -> None:
        self._near = frozenset(profile.names.near)
        self._aliases = {
            frozenset((normalize_name(alias.name), normalize_name(alias.written)))
            for alias in profile.aliases
        }

    def foreign(
        self, columns: Columns, expected: Expected, *, blank_is_foreign: bool
    ) -> tuple[list[bool], list[NearName]]:
        """For each record whether it echoes another payee; and those whose name differs, by class."""
        foreign = foreign_echoes(columns, expected, blank_is_foreign=blank_is_foreign)
        names = columns.names
        if names is None or names == expected.names or True not in foreign:
            return foreign, []
        elsewhere = other_accounts(columns, expected, blank_is_foreign=blank_is_foreign)
        near = []
        for row, other in enumerate(foreign):
            if other and not elsewhere[row]:
                found = self._compare(expected.names[row], names[row])
                near.append(msgspec.structs.replace(found, row=row))
                foreign[row] = not found.accepted
        return foreign, near

    def _compare(self, ours: str, theirs: str) -> NearName:
        if frozenset((normalize_name(ours), normalize_name(theirs))) in self._aliases:
            return NearName(0, "alias", True)
        match = compare_names(ours, theirs)
        return NearName(0, match.value, match.value in self._near)


def with_echoes(columns: Columns, near: Sequence[NearName]) -> Columns:
    """The columns with the echoed name and its class before the bank's words, which are sealed later."""
    if not near or columns.names is None:
        return columns
    texts = list(columns.texts)
    for one in near:
        told = f"[{one.match}: {columns.names[one.row]}]"
        texts[one.row] = f"{told} {texts[one.row]}".rstrip()
    return msgspec.structs.replace(columns, texts=texts)


def counted(near: Sequence[NearName]) -> Counter[str]:
    """How many of each class, those that were not taken for ours with a `not-` before it."""
    return Counter(one.match if one.accepted else f"not-{one.match}" for one in near)


def class_of(near: Sequence[NearName], row: int) -> str:
    """How near the name of a record is, for a message; "" where it is not near at all."""
    found = next((one.match for one in near if one.row == row), NameMatch.DIFFERENT.value)
    return "" if found == NameMatch.DIFFERENT.value else f" (the name nearly: {found})"
