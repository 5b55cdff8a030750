"""What only a local folder can show: order of syncs, and the rename where the kernel has no help."""

from __future__ import annotations

import errno
import io
import os
import stat
from pathlib import Path

import pytest

from channels import FolderChannel
from channels import folder as folder_module
from channels.errors import AlreadyExists, ConnectionLost
from channels.folder import move_by_link


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of what was synced, in order; the real sync is done."""
    names: list[str] = []
    real = os.fsync

    def record(descriptor: int) -> None:
        names.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")).name)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", record)
    return names


def test_put_syncs_the_file_and_then_its_folder(tmp_path: Path, synced: list[str]) -> None:
    (tmp_path / "in").mkdir()
    FolderChannel(tmp_path).put("in/a", io.BytesIO(b"x"), 1)
    assert synced == ["a", "in"]


def test_rename_syncs_both_folders(tmp_path: Path, synced: list[str]) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").touch()
    FolderChannel(tmp_path).rename("out/a", "in/a")
    assert sorted(synced) == ["in", "out"]


def test_a_rename_that_cannot_be_synced_is_neither_done_nor_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").touch()

    def fail(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(ConnectionLost):
        FolderChannel(tmp_path).rename("a", "b")


def test_rename_by_link_refuses_an_existing_target(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("new")
    (tmp_path / "b").write_text("old")
    with pytest.raises(FileExistsError):
        move_by_link(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_text() == "old"


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP])
def test_where_the_file_system_has_no_such_rename_a_link_does_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(folder_module, "_find_rename", lambda: lambda source, target: number)
    channel = FolderChannel(tmp_path)
    (tmp_path / "a").write_text("new")
    channel.rename("a", "b")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("b", "new")]
    (tmp_path / "a").write_text("newer")
    with pytest.raises(AlreadyExists):
        channel.rename("a", "b")
    assert (tmp_path / "b").read_text() == "new"


def test_rename_without_the_call_in_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_module, "_find_rename", lambda: None)
    (tmp_path / "a").touch()
    FolderChannel(tmp_path).rename("a", "b")
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_files_are_not_for_everybody(tmp_path: Path) -> None:
    FolderChannel(tmp_path).put("a", io.BytesIO(b"x"), 1)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) & 0o007 == 0
