"""A fresh gateway with folder banks for each test, copied from one that was made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.demonstration.site import Site
from tests.gateway.commands import Commands
from tests.gateway.sites import Ground, make_master


@pytest.fixture(scope="session")
def master_site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return make_master(tmp_path_factory.mktemp("master") / "site")


@pytest.fixture
def ground(master_site: Site, tmp_path: Path) -> Ground:
    return Ground(master_site, tmp_path / "site")


@pytest.fixture
def bankgate(ground: Ground, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Commands:
    """The command line on `ground`."""
    return Commands(ground, monkeypatch, capfd)
