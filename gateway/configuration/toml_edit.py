"""Small changes to TOML files that people keep: blocks added at the end, one key's end set.

The text stays as it is but for that, comments and order included. Each change is held against
the parsed document: it comes to exactly what was meant, or raises.
"""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from gateway.configuration.toml_places import find_places
from gateway.errors import Refused

_ESCAPES = {'"': '\\"', "\\": "\\\\"}
_UNTIL = re.compile(r"(?P<name>\s*valid_until\s*=\s*)[^#\n]*?(?P<rest>\s*(#.*)?)")


def with_block(
    text: str, place: tuple[str, ...], values: Mapping[str, str | datetime], *, of_list: bool = False
) -> str:
    """The text with one more table at its end: `[place]`, or one more `[[place]]` of a list."""
    header = f"[[{'.'.join(place)}]]" if of_list else f"[{'.'.join(place)}]"
    block = "\n".join([header, *(f"{name} = {_value(value)}" for name, value in values.items()), ""])
    wanted = tomllib.loads(text)
    outer: Any = wanted
    for name in place[:-1]:
        outer = outer.setdefault(name, {})
    if of_list:
        outer.setdefault(place[-1], []).append(dict(values))
    else:
        outer[place[-1]] = dict(values)
    separator = "" if not text or text.endswith("\n") else "\n"
    return _checked(f"{text}{separator}\n{block}", wanted, f"this block at its end:\n{block}")


def with_end(text: str, index: int, at: datetime) -> str:
    """The text in which the `[[key]]` block of that place (from 0) ends `at`, to the second."""
    wanted = copy.deepcopy(tomllib.loads(text))
    wanted["key"][index]["valid_until"] = at
    lines = text.split("\n")
    places = find_places(text)
    present = places.get(("key", index, "valid_until"))
    if present is None:
        last = max(line for place, line in places.items() if place[:2] == ("key", index))
        lines.insert(last, f"valid_until = {_value(at)}")
    else:
        found = _UNTIL.fullmatch(lines[present - 1])
        if found is not None:
            lines[present - 1] = f"{found['name']}{_value(at)}{found['rest']}"
    return _checked("\n".join(lines), wanted, f"valid_until = {_value(at)} in block {index + 1} of [[key]]")


def _value(value: str | datetime) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    if not value.isprintable():
        raise Refused(f"{value!r} has characters that do not belong into a file of settings")
    return '"' + "".join(_ESCAPES.get(letter, letter) for letter in value) + '"'


def _checked(text: str, wanted: dict[str, Any], change: str) -> str:
    """The text where it says just what is wanted."""
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        found = {}
    if found != wanted:
        raise Refused(
            "the file is written in a way in which this change cannot be made safely",
            hint=f"make it by hand: {change}",
        )
    return text
