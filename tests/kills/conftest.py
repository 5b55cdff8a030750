"""One sshd, one master site and one launcher for all tests of a session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kills.histories import Theatre, open_theatre


@pytest.fixture(scope="session")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    with open_theatre(tmp_path_factory.mktemp("kills")) as opened:
        yield opened
