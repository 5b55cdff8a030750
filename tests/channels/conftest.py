"""One channel after the other for the conformance suite: a folder and two real servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from channels import FolderChannel, open_sftp
from channels.probe import ProbeChannel
from tests.servers import AsyncSshServer, OpenSshServer

Ground = tuple[ProbeChannel, Path]
"""An open channel, and the folder behind it as the other side sees it."""


@pytest.fixture(scope="session")
def openssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenSshServer]:
    with OpenSshServer(tmp_path_factory.mktemp("openssh")) as server:
        yield server


@pytest.fixture(scope="session")
def asyncssh_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AsyncSshServer]:
    with AsyncSshServer(tmp_path_factory.mktemp("asyncssh")) as server:
        yield server


def _folder(request: pytest.FixtureRequest, root: Path) -> ProbeChannel:
    return FolderChannel(root)


def _openssh(request: pytest.FixtureRequest, root: Path) -> ProbeChannel:
    return open_sftp(request.getfixturevalue("openssh").settings(root=str(root)))


def _asyncssh(request: pytest.FixtureRequest, root: Path) -> ProbeChannel:
    return open_sftp(request.getfixturevalue("asyncssh_server").settings(root=str(root)))


Opener = Callable[[pytest.FixtureRequest, Path], ProbeChannel]


@pytest.fixture(params=[_folder, _openssh, _asyncssh], ids=["folder", "openssh", "asyncssh"])
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    opener: Opener = request.param
    root = tmp_path / "bank"
    root.mkdir()
    with opener(request, root) as channel:
        yield channel, root
