"""Names of payees: one way to write them, a strict comparison, and what nearly matches.

`normalize_names` unites separators of minority names to U+00B7, folds full-width letters and
the ideographic space, and collapses spaces. Hanzi are never folded: 龑 and 䶮 are two
characters. Nothing decides here that a near match is good enough; the class only helps
whoever verifies.
"""

from __future__ import annotations

import re
from enum import StrEnum
from operator import ne

from formats.charset import LEGACY_CODE_POINTS

SEPARATOR = "\u00b7"
SEPARATOR_VARIANTS = "\u2022\u30fb\u2027\u22c5\uff0e\u25cf\u2219\uff65"
_SPACES = "\u3000\u00a0"

_FOLDS = str.maketrans(
    dict.fromkeys(SEPARATOR_VARIANTS, SEPARATOR)
    | dict.fromkeys(_SPACES, " ")
    | {chr(0xFF21 + place): chr(0x41 + place) for place in range(26)}
    | {chr(0xFF41 + place): chr(0x61 + place) for place in range(26)}
)
_WIDTH_FOLDS = str.maketrans({chr(0xFF01 + place): chr(0x21 + place) for place in range(94)})
_SPECIAL = re.compile(rf"[{SEPARATOR_VARIANTS}{_SPACES}Ａ-Ｚａ-ｚ]|  |\n | \n| \Z|\A ")
_SPACE_RUN = re.compile(" +")
_LOOSE_SEPARATORS = re.compile(rf"[{SEPARATOR}{SEPARATOR_VARIANTS}.\s\-‐-―。]")
_CUT_MARKS = "?\ufffd*"
_SHORTEST_PREFIX = 2
"""Characters that must remain of a cut name: one family name alone proves nothing."""


class NameMatch(StrEnum):
    """How two names compare after normalization; all but EQUAL are a mismatch."""

    EQUAL = "equal"
    SEPARATOR = "separator"
    WIDTH = "width"
    LEGACY = "legacy"
    TRUNCATED = "truncated"
    DIFFERENT = "different"


def normalize_names(names: list[str]) -> list[str]:
    """Every name in its one form; the same list where nothing had to change."""
    if not _SPECIAL.search("\n".join(names)):
        return names
    return list(map(normalize_name, names))


def normalize_name(name: str) -> str:
    """One name; spaces at either end go, runs of spaces become one."""
    return _SPACE_RUN.sub(" ", name.translate(_FOLDS)).strip(" ")


def differing_names(ours: list[str], theirs: list[str]) -> list[int]:
    """Positions where the two names differ after normalization."""
    left, right = normalize_names(ours), normalize_names(theirs)
    if left == right:
        return []
    return [place for place, differs in enumerate(map(ne, left, right)) if differs]


def compare_names(ours: str, theirs: str) -> NameMatch:
    """The class of a match: each fold is tried on top of those before it."""
    left, right = normalize_name(ours), normalize_name(theirs)
    if left == right:
        return NameMatch.EQUAL
    left, right = _without_separators(left), _without_separators(right)
    if left == right:
        return NameMatch.SEPARATOR
    left, right = left.translate(_WIDTH_FOLDS), right.translate(_WIDTH_FOLDS)
    if left == right:
        return NameMatch.WIDTH
    left, right = left.translate(LEGACY_CODE_POINTS), right.translate(LEGACY_CODE_POINTS)
    if left == right:
        return NameMatch.LEGACY
    shorter, longer = sorted((left.rstrip(_CUT_MARKS), right.rstrip(_CUT_MARKS)), key=len)
    if len(shorter) >= _SHORTEST_PREFIX and longer.startswith(shorter):
        return NameMatch.TRUNCATED
    return NameMatch.DIFFERENT


def legacy_characters(name: str) -> list[tuple[str, str]]:
    """Private-use characters of older systems in a name, each with the standard character meant."""
    return [
        (character, chr(LEGACY_CODE_POINTS[ord(character)]))
        for character in name
        if ord(character) in LEGACY_CODE_POINTS
    ]


def _without_separators(name: str) -> str:
    return _LOOSE_SEPARATORS.sub("", name)
