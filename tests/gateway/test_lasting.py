"""What lasts at a bank's is told to a person once; what fails at ours is not blamed on the input."""

from __future__ import annotations

import errno
from typing import BinaryIO

import pytest

from gateway.errors import StorageFailed
from gateway.ports import FolderDisk
from tests.gateway.sites import CITY, PERSONS, Ground, payments_of


def test_an_answer_whose_signature_never_comes_is_told_once(ground: Ground) -> None:
    ground.bank(CITY)
    (ground.inbox(CITY) / "TS000001_20260901_00000001_R1.bxt").write_bytes(b"half of an answer")
    with ground.open() as gateway:
        gateway.run()
        ground.clock.turn(hours=30)
        gateway.run()
        assert [item.object for item in gateway.held()] == ["oddity:1"]
        ground.decide(gateway, "oddity:1", "close", PERSONS[0])
        ground.clock.turn(hours=30)
        gateway.run()
        assert gateway.held() == []


def test_a_disk_that_fails_is_no_mistake_of_the_batch(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = FolderDisk.open

    def failing(disk: FolderDisk, path: str) -> BinaryIO:
        if path.startswith("batch/"):
            raise OSError(errno.EIO, "input/output error")
        return opened(disk, path)

    monkeypatch.setattr(FolderDisk, "open", failing)
    with ground.open() as gateway:
        with pytest.raises(StorageFailed, match="cannot be read: input/output error"):
            ground.submit(gateway, payments_of(CITY, 1))
        assert gateway.status() == []
