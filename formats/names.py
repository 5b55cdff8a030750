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
    left, right = left.translate(_LEGACY_FOLDS), right.translate(_LEGACY_FOLDS)
    if left == right:
        return NameMatch.LEGACY
    shorter, longer = sorted((left.rstrip(_CUT_MARKS), right.rstrip(_CUT_MARKS)), key=len)
    if len(shorter) >= _SHORTEST_PREFIX and longer.startswith(shorter):
        return NameMatch.TRUNCATED
    return NameMatch.DIFFERENT


def legacy_characters(name: str) -> list[tuple[str, str]]:
    """Private-use characters of older systems in a name, each with the standard character meant."""
    return [
        (character, chr(_LEGACY_FOLDS[ord(character)]))
        for character in name
        if ord(character) in _LEGACY_FOLDS
    ]


def _without_separators(name: str) -> str:
    return _LOOSE_SEPARATORS.sub("", name)


def _legacy_folds() -> dict[int, int]:
    """Private-use code points of GB 18030-2000 and of older GBK systems to the standard ones.

    GB 18030-2022 moved 24 characters out of the private use area. Systems without FE50..FEA0
    keep those 80 characters at U+E815..E864, in the order of the bytes.
    """
    moved = dict(zip(_MOVED_FROM, _MOVED_TO, strict=True))
    extension = {}
    trail_bytes = [*range(0x50, 0x7F), *range(0x80, 0xA1)]
    for place, trail_byte in enumerate(trail_bytes):
        standard = ord(bytes((0xFE, trail_byte)).decode("gb18030"))
        extension[0xE815 + place] = moved.get(standard, standard)
    return extension | moved


_MOVED_FROM = (
    *(0xE7C7, 0xE78D, 0xE78E, 0xE78F, 0xE790, 0xE791, 0xE792, 0xE793, 0xE794, 0xE795, 0xE796),
    *(0xE81E, 0xE826, 0xE82B, 0xE82C, 0xE832, 0xE843, 0xE854, 0xE864),
    *(0xE816, 0xE817, 0xE818, 0xE831, 0xE83B, 0xE855),
)
_MOVED_TO = (
    *(0x1E3F, 0xFE10, 0xFE12, 0xFE11, 0xFE13, 0xFE14, 0xFE15, 0xFE16, 0xFE17, 0xFE18, 0xFE19),
    *(0x9FB4, 0x9FB5, 0x9FB6, 0x9FB7, 0x9FB8, 0x9FB9, 0x9FBA, 0x9FBB),
    *(0x20087, 0x20089, 0x200CC, 0x215D7, 0x2298F, 0x241FE),
)
_LEGACY_FOLDS = _legacy_folds()
