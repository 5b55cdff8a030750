"""A site of its own for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.demonstration import site_keys
from gateway.demonstration.site import Site
from tests.gateway.commands import Commands
from tests.gateway.sites import Ground, make_master


@pytest.fixture(scope="session")
def master_site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """With short keys: an RSA key is checked whenever an installation is opened, which is done often here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site_keys, "_SIGNING_KEY", "ec-p256")
        return make_master(tmp_path_factory.mktemp("master") / "site")


@pytest.fixture
def ground(master_site: Site, tmp_path: Path) -> Ground:
    return Ground(master_site, tmp_path / "site")


@pytest.fixture
def bankgate(ground: Ground, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Commands:
    return Commands(ground, monkeypatch, capfd)
