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
from gateway.configuration.agreement import Agreement
from gateway.configuration.config import Settings, load_configuration
from gateway.configuration.profile import ChannelSettings, Profile
from gateway.configuration.profile_seal import IN_STEPS, OUT_STEPS, Seal
from gateway.rules.catalogue import CatalogueFile

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
BLOCKS: dict[str, str] = dict(re.findall(r"```toml (\S+)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL))
STEPS = [*OUT_STEPS, *IN_STEPS]
LAYOUTS = {
    "rural-credit-request": Purpose.REQUEST,
    "rural-credit-result": Purpose.RESULT,
    "rural-credit-acknowledgement": Purpose.ACKNOWLEDGEMENT,
    "iso20022-camt053-statement": Purpose.STATEMENT,
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
    [
        ("bankgate.toml", Settings),
        ("catalogue.toml", CatalogueFile),
        ("profiles/rural.toml", Profile),
        ("agreements/elderly.toml", Agreement),
    ],
)
def test_every_key_stands_in_the_example(block: str, kind: type[Struct]) -> None:
    assert _absent(kind, tomllib.loads(BLOCKS[block])) == []


@pytest.mark.parametrize("name", STEPS)
def test_every_step_and_parameter_of_a_seal_is_named(name: str) -> None:
    section = PAGE.read_text("utf-8").partition("### Seals")[2].partition("\n## ")[0]
    example = tomllib.loads(BLOCKS["profiles/rural.toml"])["seal"]
    assert f"`{name}`" in section
    (parameters,) = [field.type for field in msgspec.structs.fields(Seal) if field.encode_name == name]
    unnamed = {
        known.name
        for known in msgspec.structs.fields(parameters)
        if f"`{known.name}`" not in section and known.name not in example["cms-sign-detached"]
    }
    assert unnamed == set()


def _absent(kind: type[Struct], table: dict[str, Any], place: str = "") -> list[str]:
    """Keys of `kind` that no table here has; lists of tables together have all."""
    absent: list[str] = []
    for known in msgspec.structs.fields(kind):
        if known.encode_name in STEPS and known.encode_name not in table:
            # Parameters of a step that the example does not use stand in the page's list of steps.
            continue
        name = f"{place}{known.encode_name}"
        if known.encode_name not in table:
            absent.append(name)
        for inner in _structs(known.type):
            value = table.get(known.encode_name, {})
            tables = value if isinstance(value, list) else [value]
            if inner.__name__ in ("PlatformSettings", "PersonSettings", "ProgrammeLimits"):
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
