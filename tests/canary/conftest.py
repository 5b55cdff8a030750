"""A fresh gateway for each test, with temporary files in a folder of its own."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from gateway.demonstration import site_keys
from gateway.demonstration.site import Site
from tests.canary.life import Life
from tests.gateway.commands import Commands
from tests.gateway.sites import Ground, make_master


@pytest.fixture(scope="session")
def master_site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """With short keys: a process checks an RSA key when it loads it, and commands are processes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site_keys, "_SIGNING_KEY", "ec-p256")
        return make_master(tmp_path_factory.mktemp("master") / "site")


@pytest.fixture
def life(
    master_site: Site,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Life:
    temporary = tmp_path / "temporary"
    temporary.mkdir(mode=0o700)
    for name in ("TMPDIR", "SQLITE_TMPDIR"):
        monkeypatch.setenv(name, str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    ground = Ground(master_site, tmp_path / "site")
    return Life(ground, Commands(ground, monkeypatch, capfd), tmp_path)
