"""The page on configuration is true: its example loads, and every key stands in it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from msgspec import Struct

from channels.settings import PREFETCH_REQUESTS, WINDOW_BYTES
from formats.codec import Purpose
from gateway.agreement import Agreement
from gateway.config import Settings, load_configuration
from gateway.profile import ChannelSettings, Profile

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
BLOCKS: dict[str, str] = dict(re.findall(r"```toml (\S+)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL))
LAYOUTS = {
    "rural-credit-request": Purpose.REQUEST,
    "rural-credit-result": Purpose.RESULT,
    "rural-credit-acknowledgement": Purpose.ACKNOWLEDGEMENT,
}


def test_the_example_is_a_configuration_without_mistakes(tmp_path: Path) -> None:
    for name, text in BLOCKS.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    configuration = load_configuration(tmp_path / "bankgate.toml", lambda folders: LAYOUTS)
    assert list(configuration.profiles) == ["rural"]
    assert list(configuration.agreements) == [("民政局", "rural")]


@pytest.mark.parametrize(
    ("block", "kind"),
    [("bankgate.toml", Settings), ("profiles/rural.toml", Profile), ("agreements/elderly.toml", Agreement)],
)
def test_every_key_stands_in_the_example(block: str, kind: type[Struct]) -> None:
    assert _absent(kind, tomllib.loads(BLOCKS[block])) == []


def _absent(kind: type[Struct], table: dict[str, Any], place: str = "") -> list[str]:
    """Keys of `kind` that no table here has; lists of tables together have all."""
    absent: list[str] = []
    for known in msgspec.structs.fields(kind):
        name = f"{place}{known.encode_name}"
        if known.encode_name not in table:
            absent.append(name)
        for inner in _structs(known.type):
            value = table.get(known.encode_name, {})
            tables = value if isinstance(value, list) else [value]
            if inner.__name__ in ("PlatformSettings", "PersonSettings"):
                tables = list(value.values())
            missing = [set(_absent(inner, one, f"{name}.")) for one in tables]
            absent += sorted(set.intersection(*missing)) if missing else []
    return absent


def _structs(annotation: Any) -> list[type[Struct]]:
    if isinstance(annotation, type) and issubclass(annotation, Struct):
        return [annotation]
    return [found for part in get_args(annotation) for found in _structs(part)]


@pytest.mark.parametrize(("key", "limits"), [("window_bytes", WINDOW_BYTES), ("prefetch", PREFETCH_REQUESTS)])
def test_a_profile_takes_what_the_channel_takes(key: str, limits: tuple[int, int]) -> None:
    (known,) = [each for each in msgspec.structs.fields(ChannelSettings) if each.name == key]
    (meta,) = [part for part in get_args(known.type) if isinstance(part, msgspec.Meta)]
    assert (meta.ge, meta.le) == limits
