"""What every channel promises, on a folder, OpenSSH and asyncssh alike."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import msgspec
import pytest

from channels import Entry, ServerFacts, Traits, Upload, probe
from channels.errors import AlreadyExists, NotFound, TooLarge, UnsafeName
from tests.channels.conftest import Ground

BLOCKS = bytes(range(256)) * 1024
"""256 KiB: many packets."""


def put(ground: Ground, path: str, content: bytes) -> Upload:
    return ground[0].put(path, io.BytesIO(content), len(content))


def get(ground: Ground, path: str, limit_bytes: int = 1 << 20) -> bytes:
    sink = io.BytesIO()
    count = ground[0].get(path, sink, limit_bytes)
    assert count == len(sink.getvalue())
    return sink.getvalue()


def test_traits(ground: Ground) -> None:
    assert ground[0].traits == Traits(rename_refuses_existing=True, exclusive_create=True, sync=True)


@pytest.mark.parametrize(
    "content",
    [b"", b"x", BLOCKS, BLOCKS[:-1], BLOCKS * 12 + b"odd"],
    ids=["empty", "one byte", "blocks", "blocks less one", "3 MiB"],
)
def test_put_then_get_gives_the_same_bytes(ground: Ground, content: bytes) -> None:
    upload = put(ground, "a.tmp", content)
    assert msgspec.structs.replace(upload, seconds=0.0) == Upload(
        path="a.tmp",
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        synced=True,
        seconds=0.0,
    )
    assert (ground[1] / "a.tmp").read_bytes() == content
    assert get(ground, "a.tmp", len(content)) == content


def test_put_never_overwrites(ground: Ground) -> None:
    (ground[1] / "a").write_bytes(b"first")
    with pytest.raises(AlreadyExists):
        put(ground, "a", b"second")
    assert (ground[1] / "a").read_bytes() == b"first"


def test_put_into_a_missing_folder(ground: Ground) -> None:
    with pytest.raises(NotFound):
        put(ground, "nowhere/a", b"x")
    assert list(ground[1].iterdir()) == []


@pytest.mark.parametrize("announced", [2, 4])
def test_put_refuses_a_source_of_another_size(ground: Ground, announced: int) -> None:
    with pytest.raises(ValueError, match=f"holds 3 bytes, announced were {announced}"):
        ground[0].put("a", io.BytesIO(b"abc"), announced)
    # The channel goes on.
    assert put(ground, "b", b"abc").size_bytes == 3


class BreakingSource(io.BytesIO):
    """A local file that cannot be read to its end."""

    def read(self, size: int | None = -1, /) -> bytes:
        block = super().read(size)
        if not block:
            raise OSError("local disk")
        return block


def test_a_fault_of_the_local_source_is_not_the_servers(ground: Ground) -> None:
    with pytest.raises(OSError, match="local disk"):
        ground[0].put("a", BreakingSource(BLOCKS), len(BLOCKS))
    put(ground, "b", b"after")
    assert get(ground, "b") == b"after"


class BreakingSink(io.BytesIO):
    def write(self, block: object, /) -> int:
        raise OSError("local disk full")


def test_a_fault_of_the_local_sink_is_not_the_servers(ground: Ground) -> None:
    put(ground, "a", BLOCKS)
    with pytest.raises(OSError, match="local disk full"):
        ground[0].get("a", BreakingSink(), len(BLOCKS))
    assert get(ground, "a") == BLOCKS


def test_rename(ground: Ground) -> None:
    put(ground, "a.tmp", b"payments")
    ground[0].rename("a.tmp", "a")
    assert {path.name: path.read_bytes() for path in ground[1].iterdir()} == {"a": b"payments"}


def test_rename_across_folders(ground: Ground) -> None:
    (ground[1] / "in").mkdir()
    put(ground, "a.tmp", b"payments")
    ground[0].rename("a.tmp", "in/a")
    assert (ground[1] / "in" / "a").read_bytes() == b"payments"
    assert ground[0].list("") == []


def test_rename_refuses_an_existing_target(ground: Ground) -> None:
    put(ground, "a.tmp", b"new")
    put(ground, "a", b"old")
    with pytest.raises(AlreadyExists):
        ground[0].rename("a.tmp", "a")
    assert {path.name: path.read_bytes() for path in ground[1].iterdir()} == {"a.tmp": b"new", "a": b"old"}


def test_the_other_side_itself_refuses_an_existing_target(ground: Ground) -> None:
    """Without our look beforehand: what stands between two writers who race."""
    put(ground, "a.tmp", b"new")
    put(ground, "a", b"old")
    assert not ground[0].try_rename("a.tmp", "a")
    assert not ground[0].try_create("a")
    assert (ground[1] / "a").read_bytes() == b"old"


def test_rename_refuses_a_dangling_link_as_target(ground: Ground) -> None:
    put(ground, "a.tmp", b"new")
    (ground[1] / "a").symlink_to("nothing")
    with pytest.raises(AlreadyExists):
        ground[0].rename("a.tmp", "a")


def test_rename_of_nothing(ground: Ground) -> None:
    with pytest.raises(NotFound):
        ground[0].rename("a.tmp", "a")


def test_stat(ground: Ground) -> None:
    (ground[1] / "a").write_bytes(b"12345")
    os.utime(ground[1] / "a", (1_700_000_000, 1_700_000_001))
    assert ground[0].stat("a") == Entry(name="a", size_bytes=5, modified=1_700_000_001)
    assert ground[0].stat("b") is None


def test_list_is_sorted_and_holds_plain_files_only(ground: Ground) -> None:
    root = ground[1]
    (root / "box").mkdir()
    for name in ("b.txt", "a.txt", "代发回盘_001.txt"):
        (root / "box" / name).write_bytes(name.encode())
        os.utime(root / "box" / name, (1_700_000_000, 1_700_000_000))
    (root / "box" / "folder").mkdir()
    (root / "box" / "link").symlink_to("a.txt")
    os.mkfifo(root / "box" / "pipe")
    assert ground[0].list("box") == [
        Entry(name="a.txt", size_bytes=5, modified=1_700_000_000),
        Entry(name="b.txt", size_bytes=5, modified=1_700_000_000),
        Entry(name="代发回盘_001.txt", size_bytes=20, modified=1_700_000_000),
    ]
    assert ground[0].list("") == []


def test_list_of_many(ground: Ground) -> None:
    names = [f"{number:04d}" for number in range(1000)]
    for name in names:
        (ground[1] / name).touch()
    assert [entry.name for entry in ground[0].list("")] == names


def test_list_of_a_missing_folder(ground: Ground) -> None:
    with pytest.raises(NotFound):
        ground[0].list("nowhere")


@pytest.mark.parametrize("name", ["a\x1b[31mb", "a\nb", "a\x7f", "a\\b", "a\u202eb"])
def test_list_refuses_unsafe_names(ground: Ground, name: str) -> None:
    (ground[1] / name).touch()
    with pytest.raises(UnsafeName) as caught:
        ground[0].list("")
    assert ascii(name) in str(caught.value)
    assert str(caught.value).isprintable()


def test_an_unsafe_name_that_names_somebody_is_starred(ground: Ground) -> None:
    (ground[1] / "张三\u202e6231990000001208674.txt").touch()
    with pytest.raises(UnsafeName) as caught:
        ground[0].list("")
    assert rf"'**\u202e{'*' * 19}.txt'" in str(caught.value)


def test_list_refuses_a_name_in_another_encoding(ground: Ground) -> None:
    Path(os.fsdecode(os.fsencode(ground[1]) + b"/\xb4\xfa\xb7\xa2")).touch()
    with pytest.raises(UnsafeName):
        ground[0].list("")


def test_remove_twice_is_once(ground: Ground) -> None:
    put(ground, "a", b"x")
    ground[0].remove("a")
    ground[0].remove("a")
    assert ground[0].list("") == []


def test_get_refuses_more_than_the_limit(ground: Ground) -> None:
    put(ground, "a", b"12345")
    sink = io.BytesIO()
    with pytest.raises(TooLarge):
        ground[0].get("a", sink, 4)
    assert sink.getvalue() == b""


@pytest.mark.parametrize("path", ["missing", "folder", "pipe", "link"])
def test_get_of_what_is_no_file(ground: Ground, path: str) -> None:
    (ground[1] / "folder").mkdir()
    os.mkfifo(ground[1] / "pipe")
    (ground[1] / "link").symlink_to("/etc/hostname")
    with pytest.raises((NotFound, UnsafeName)):
        ground[0].get(path, io.BytesIO(), 1 << 20)


@pytest.mark.parametrize(
    "path", ["", "..", "../a", "a/../../b", "/etc/passwd", "a//b", "./a", "a\x00b", "a\nb"]
)
def test_paths_stay_below_the_root(ground: Ground, path: str) -> None:
    channel = ground[0]
    for act in (
        lambda: channel.put(path, io.BytesIO(b"x"), 1),
        lambda: channel.get(path, io.BytesIO(), 1),
        lambda: channel.rename("a", path),
        lambda: channel.rename(path, "a"),
        lambda: channel.remove(path),
        lambda: channel.stat(path),
    ):
        with pytest.raises(UnsafeName):
            act()


def test_probe_sees_a_sound_server_and_leaves_nothing(ground: Ground) -> None:
    (ground[1] / "in").mkdir()
    assert probe(ground[0], "in") == ServerFacts(
        folder="in",
        rename_refuses_existing=True,
        exclusive_create=True,
        sync=True,
        sizes_kept=True,
        left_behind=(),
    )
    assert list((ground[1] / "in").iterdir()) == []
