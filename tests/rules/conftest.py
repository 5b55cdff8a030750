"""A gateway whose payments are held to a catalogue, for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.demonstration.site import Site
from gateway.rules.catalogue import shipped_text
from tests.gateway.commands import Commands
from tests.gateway.sites import Ground, edit, make_master

DEPARTMENTS = ("区教育和体育局", "区民政局")


@pytest.fixture(scope="session")
def judged_site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = make_master(tmp_path_factory.mktemp("judged") / "site", every_department=True)
    folder = site.configuration.parent
    for path in (folder / "agreements").glob("*.toml"):
        # What no test pays takes time at each opening.
        if not any(f'"{name}"' in path.read_text("utf-8") for name in DEPARTMENTS):
            path.unlink()
    (folder / "catalogue.toml").write_text(shipped_text(), "utf-8")
    edit(
        site.configuration,
        'keys        = "keys.toml"\n',
        'keys = "keys.toml"\ncatalogue = "catalogue.toml"\n',
    )
    return site


@pytest.fixture
def ground(judged_site: Site, tmp_path: Path) -> Ground:
    return Ground(judged_site, tmp_path / "site")


@pytest.fixture
def bankgate(ground: Ground, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Commands:
    """The command line on `ground`."""
    return Commands(ground, monkeypatch, capfd)
