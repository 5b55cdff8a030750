"""docs/conformance.md names every part, key and stage."""

from __future__ import annotations

from pathlib import Path

import pytest

from formats.conformance import Part
from formats.conformance.vectors import Expected
from gateway.configuration.profile import Stage
from gateway.configuration.profile_checks import PILOT_CAPS

PAGE = (Path(__file__).parents[2] / "docs" / "conformance.md").read_text("utf-8")


@pytest.mark.parametrize("word", [*Part, *Expected.__struct_fields__, *Stage, *PILOT_CAPS])
def test_every_word_of_the_kit_is_explained(word: str) -> None:
    assert f"`{word}`" in PAGE
