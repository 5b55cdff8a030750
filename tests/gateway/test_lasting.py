"""What lasts at a bank's is told to a person once; what fails at ours is not blamed on the input."""

from __future__ import annotations

import errno
from typing import BinaryIO

import pytest

from channels.channel import ByteSink
from channels.errors import PermissionRefused
from channels.folder import FolderChannel
from gateway.errors import StorageFailed
from gateway.ports import FolderDisk
from tests.gateway.sites import CITY, PERSONS, Ground, credited, current, payments_of


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


def test_an_answer_that_could_not_be_fetched_is_fetched_once_a_person_has_looked(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank, payments = ground.bank(CITY), payments_of(CITY, 2)
    fetched = FolderChannel.get

    def refusing(channel: FolderChannel, path: str, sink: ByteSink, limit_bytes: int) -> int:
        if path.endswith("_R1.bxt"):
            raise PermissionRefused(f"{path}: permission denied")
        return fetched(channel, path, sink, limit_bytes)

    with ground.open() as gateway:
        ground.submit(gateway, payments)
        with monkeypatch.context() as patched:
            patched.setattr(FolderChannel, "get", refusing)
            ground.run_to_the_end(gateway)
        assert bank.files_taken == 1
        ground.run_to_the_end(gateway)
        assert [item.object for item in gateway.held()] == ["oddity:1"]
        assert current(gateway) == {}
        ground.decide(gateway, "oddity:1", "close", PERSONS[0])
        ground.run_to_the_end(gateway)
        assert (gateway.held(), current(gateway)) == ([], credited(payments))


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
