"""References on the wire: how a bank's answer finds our attempt again.

A reference is the file's sequence number followed by the item number, both in decimal and
padded with zeros, so that it is unique for ever (sequences never restart) and fits the
narrowest alphabet. The item takes eight digits; the sequence what the field leaves, at
most twelve.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

ITEM_DIGITS = 8
MAXIMUM_WIDTH = 20
MINIMUM_WIDTH = ITEM_DIGITS + 4


def make_references(sequence: int, items: Iterable[int], width: int) -> list[str]:
    """References of one file's items for a field of `width` characters.

    Raises `OverflowError` where the sequence does not fit: a reference is never shortened.
    """
    digits = min(width, MAXIMUM_WIDTH) - ITEM_DIGITS
    prefix = f"{sequence:0{digits}d}"
    if width < MINIMUM_WIDTH or len(prefix) > digits:
        raise OverflowError(f"sequence {sequence} does not fit a reference of {width} characters")
    return [f"{prefix}{item:08d}" for item in items]


def highest_sequence(width: int) -> int:
    """The highest sequence that a reference of `width` characters has room for; 0 where there is none."""
    return 10 ** (min(width, MAXIMUM_WIDTH) - ITEM_DIGITS) - 1 if width >= MINIMUM_WIDTH else 0


def parse_reference(reference: str) -> tuple[int, int] | None:
    """(sequence, item) of a reference, or None where it cannot be one of ours."""
    if not (MINIMUM_WIDTH <= len(reference) <= MAXIMUM_WIDTH):
        return None
    if not (reference.isascii() and reference.isdigit()):
        return None
    return int(reference[:-ITEM_DIGITS]), int(reference[-ITEM_DIGITS:])


def items_of_sequence(references: Sequence[str], sequence: int) -> list[int | None]:
    """The item of each reference that is of this sequence's file; None for any other text.

    The same as `parse_reference` on each, in bulk where all have one width and only digits.
    """
    widths = set(map(len, references))
    if len(widths) == 1 and MINIMUM_WIDTH <= min(widths) <= MAXIMUM_WIDTH and _only_digits(references):
        first = sequence * 10**ITEM_DIGITS
        items = [int(reference) - first for reference in references]
        if min(items) >= 0 and max(items) < 10**ITEM_DIGITS:
            return list(items)
    parsed = map(parse_reference, references)
    return [None if pair is None or pair[0] != sequence else pair[1] for pair in parsed]


def _only_digits(references: Sequence[str]) -> bool:
    joined = "".join(references)
    return joined.isascii() and joined.isdigit()
