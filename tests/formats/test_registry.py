"""Formats by name: what ships is known without being compiled, and compiled once."""

from __future__ import annotations

from pathlib import Path

import pytest

from formats import LayoutError
from formats.registry import SHIPPED_FOLDER, Registry, shipped


def test_the_purposes_of_what_ships_are_those_of_its_codecs() -> None:
    assert Registry().purposes() == {name: codec.purpose for name, codec in shipped().items()}


def test_to_know_what_there_is_compiles_nothing_that_ships(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("formats.registry.load_layout", None)
    assert "rural-credit-request" in Registry().purposes()


def test_what_ships_is_compiled_once() -> None:
    assert Registry().get("rural-credit-result") is Registry().get("rural-credit-result")


def test_a_layout_of_the_own_comes_before_one_that_ships(tmp_path: Path) -> None:
    text = (SHIPPED_FOLDER / "rural-credit-result.toml").read_text("utf-8")
    own = tmp_path / "rural-credit-result.toml"
    own.write_text(text.replace('version = "1"', 'version = "2"'), "utf-8")
    registry = Registry([tmp_path])
    assert registry.purposes() == Registry().purposes()
    assert (registry.get("rural-credit-result").version, Registry().get("rural-credit-result").version) == (
        "2",
        "1",
    )


def test_a_mistake_in_a_layout_of_the_own_is_told_before_it_is_used(tmp_path: Path) -> None:
    text = (SHIPPED_FOLDER / "rural-credit-result.toml").read_text("utf-8")
    (tmp_path / "rural-credit-result.toml").write_text(text.replace("60     text", "61     text", 1), "utf-8")
    with pytest.raises(LayoutError):
        Registry([tmp_path]).purposes()
