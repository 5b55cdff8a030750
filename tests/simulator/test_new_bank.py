"""A bank of one's own beside the demonstration's: set up whole, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from formats.codec import Purpose
from formats.errors import LayoutError
from formats.registry import SHIPPED_FOLDER
from gateway.configuration.config import load_configuration
from gateway.demonstration.new_bank import add_bank
from gateway.demonstration.plan import DEPARTMENTS
from gateway.demonstration.site import Site, create_site
from gateway.errors import Refused
from gateway.simulator.settings import open_bank

NOW = datetime(2026, 9, 1, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return create_site(tmp_path_factory.mktemp("site"), NOW)


@pytest.fixture
def layouts(tmp_path: Path) -> Path:
    """Rural-credit style under the name of another bank."""
    for purpose in (Purpose.REQUEST, Purpose.RESULT, Purpose.ACKNOWLEDGEMENT):
        text = (SHIPPED_FOLDER / f"rural-credit-{purpose.value}.toml").read_text("utf-8")
        renamed = text.replace("rural-credit-", "new-bank-")
        (tmp_path / f"new-bank-{purpose.value}.toml").write_text(renamed, "utf-8")
    return tmp_path


def everything(site: Site) -> set[tuple[str, bytes]]:
    return {
        (str(path.relative_to(site.folder)), path.read_bytes())
        for path in site.folder.rglob("*")
        if path.is_file()
    }


def test_without_its_layouts_nothing_is_written(made: Site, layouts: Path) -> None:
    before = everything(made)
    (layouts / "new-bank-result.toml").unlink()
    with pytest.raises(Refused, match="has no layout new-bank-result") as refused:
        add_bank(made, "new-bank", layouts, NOW)
    assert "bankgate layout new TABLE --bank new-bank --purpose result" in refused.value.hint
    assert everything(made) == before


def test_a_draft_is_not_taken(made: Site, layouts: Path) -> None:
    before = everything(made)
    path = layouts / "new-bank-request.toml"
    text = path.read_text("utf-8")
    path.write_text(text.replace('!"2"', '!"2"  # ? meaning', 1), "utf-8")
    with pytest.raises(LayoutError, match="a guess that nobody has confirmed"):
        add_bank(made, "new-bank", layouts, NOW)
    assert everything(made) == before


def test_a_bank_is_added_beside_those_that_are_there(made: Site, layouts: Path) -> None:
    ring = (made.configuration.parent / "keys.toml").read_text("utf-8")
    add_bank(made, "new-bank", layouts, NOW)
    configuration = load_configuration(made.configuration)
    assert sorted(configuration.profiles) == ["city-bank", "iso-bank", "new-bank", "rural-credit"]
    assert configuration.layout_folders == [layouts]
    profile = configuration.profiles["new-bank"]
    assert (profile.layouts.request, profile.layouts.result) == ("new-bank-request", ["new-bank-result"])
    assert [one.layout for one in profile.inbound] == ["new-bank-acknowledgement", "new-bank-result"]
    assert (made.configuration.parent / "keys.toml").read_text("utf-8").startswith(ring)
    agreements = list((made.configuration.parent / "agreements").glob("new-bank-*.toml"))
    assert len(agreements) == len(DEPARTMENTS)
    with open_bank(made.bank("new-bank"), configuration) as server:
        assert server.bank.truth().credited_minor == 0
    # And a second one beside the first: no agreement has another's number.
    for path in list(layouts.glob("new-bank-*.toml")):
        renamed = path.read_text("utf-8").replace("new-bank-", "next-bank-")
        (layouts / path.name.replace("new-bank", "next-bank")).write_text(renamed, "utf-8")
    add_bank(made, "next-bank", layouts, NOW)
    assert "next-bank" in load_configuration(made.configuration).profiles


def test_another_folder_of_layouts_is_for_a_person_to_enter(made: Site, layouts: Path) -> None:
    text = made.configuration.read_text("utf-8")
    if "layouts " not in text:
        add_bank(made, "new-bank", layouts, NOW)
    elsewhere = layouts / "elsewhere"
    elsewhere.mkdir()
    for path in layouts.glob("*.toml"):
        renamed = path.read_text("utf-8").replace("new-bank-", "third-bank-")
        (elsewhere / path.name.replace("new-bank", "third-bank")).write_text(renamed, "utf-8")
    with pytest.raises(Refused, match="names other layout folders"):
        add_bank(made, "third-bank", elsewhere, NOW)
    assert "third-bank" not in made.banks
