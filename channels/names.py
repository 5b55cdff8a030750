"""Which paths may be asked for and which names may come from a server.

A name out of a listing ends up in paths, journals and screens, so one rule holds for both
directions. Not here: what a name means to a bank.
"""

from __future__ import annotations

import re
import unicodedata

from channels.errors import UnsafeName
from channels.faults import HINTS

NAME_CHARACTERS = 255
"""The longest name that common file systems take."""

_SHOWN_CHARACTERS = 120
_LONG_NUMBER = re.compile("[0-9]{8,}")
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Control, formatting (text direction among them), lone surrogates, line and paragraph ends."""


def check_name(name: str) -> str:
    """The name itself, if it is one plain component of a path; raises `UnsafeName` otherwise."""
    fault = _fault(name)
    if fault:
        raise UnsafeName(f"file name {escaped(name)}: {fault}", HINTS[UnsafeName])
    return name


def check_path(path: str) -> str:
    """The path itself, if it stays below the channel's root; raises `UnsafeName` otherwise."""
    for part in path.split("/"):
        fault = _fault(part)
        if fault:
            raise UnsafeName(f"path {escaped(path)}: {fault}", "use a path below the channel's root")
    return path


def check_folder(folder: str) -> str:
    """As `check_path`; "" and "." are the channel's root, returned as ""."""
    return "" if folder in ("", ".") else check_path(folder)


def escaped(name: str | bytes) -> str:
    """A form that is safe to print, within quotes, in ASCII, at most 120 characters of the name.

    A name of somebody else's choosing may name a person: letters beyond ASCII and long numbers
    are starred; what makes the name unsafe stays to be seen.
    """
    text = name.decode("latin-1") if isinstance(name, bytes) else name
    shown = _LONG_NUMBER.sub(lambda found: "*" * len(found[0]), text[:_SHOWN_CHARACTERS])
    return ascii("".join("*" if _may_be_a_letter(char) else char for char in shown))


def _may_be_a_letter(char: str) -> bool:
    """Bytes of another encoding are taken for one: which letters they are is not known."""
    return not char.isascii() and (char.isalnum() or "\x80" <= char <= "\xff")


def _fault(name: str) -> str:
    if not name:
        return "empty"
    if name in (".", ".."):
        return "leads out of the folder"
    if "/" in name or "\\" in name:
        return "holds a separator of folders"
    if len(name) > NAME_CHARACTERS:
        return f"longer than {NAME_CHARACTERS} characters"
    if any(unicodedata.category(char) in _UNSAFE_CATEGORIES for char in name):
        return "holds a control or formatting character"
    return ""
