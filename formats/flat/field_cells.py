"""What every kind of field must do: the protocol, faults, and where a cell stands.

While a record is made, each character of its text stands for one byte (Latin-1 of the
bytes), so that `%`-templates pad in bytes whatever the encoding. A column is written by
one call; only when a value in it is unusual is it looked at cell by cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from msgspec import Struct

from formats.language.model import Width
from formats.reasons import Reason


class Fault(Struct, frozen=True):
    """Why a value cannot be written. `code` names the kind of mistake, `wanted` the rule."""

    code: str
    wanted: str
    reason: Reason = Reason.FIELD_INVALID


class CellError(Exception):
    """A cell that is not what its kind says; the message is what was wanted."""


class Cells(Protocol):
    """One kind of field at one place, both ways. Immutable."""

    template: str
    """`%`-template of the cell, padding included, in characters that stand for bytes."""

    def write(self, values: Sequence[Any]) -> list[Sequence[Any]] | None:
        """Arguments of the template for each record; None where some value has a fault."""
        ...

    def fault(self, value: Any) -> Fault | None:
        """What is wrong with one value, or None."""
        ...

    def read(self, joined: str, count: int) -> list[Any] | None:
        """Values of `count` cells, with or without padding, joined by line feeds.

        Besides those line feeds they hold no `charset.UNWRITABLE`; who reads lines sees to that.
        None where a cell is unusual or wrong; `parse` then says which.
        """
        ...

    def parse(self, cell: str) -> Any:
        """The value of one cell, padding included. Raises `CellError`."""
        ...


def pad_template(width: Width | None, argument: str = "s") -> str:
    """The `%`-template that pads to a width in blanks: `%-20s`, `%17d`."""
    if width is None:
        return f"%{argument}"
    return f"%{'' if width.right else '-'}{width.bytes_}{argument}"


def pad(text: str, width: Width | None) -> str:
    """A text padded to its width; the text itself outside fixed records."""
    if width is None:
        return text
    return text.rjust(width.bytes_, width.fill) if width.right else text.ljust(width.bytes_, width.fill)


def unpad(cell: str, width: Width | None) -> str:
    """A cell without its padding: only the padded side and only the fill is taken off."""
    if width is None:
        return cell.strip(" ")
    return cell.lstrip(width.fill) if width.right else cell.rstrip(width.fill)
