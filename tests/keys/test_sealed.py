"""Sealed files and texts: what goes in comes out, and nothing else ever does."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.errors import KeyUnavailable, SealedFileDamaged
from keys.master import MasterKey, Masters, load_master_key, new_master_key_file
from keys.rest_ciphers import AES_256_GCM, SM4_GCM, SUITES, Suite
from keys.sealed import (
    CHUNK_BYTES,
    HEADER_BYTES,
    FrameReader,
    FrameWriter,
    SealedReader,
    SealedWriter,
    open_text,
    open_texts,
    rewrap_header,
    seal_text,
    seal_texts,
)

MASTER = MasterKey("spool-1", bytes(range(32)))
OTHER = MasterKey("spool-2", bytes(range(32, 64)))
MASTERS = Masters(MASTER)
CONTEXT = b"batch:district/2026-06"
STRIDE = CHUNK_BYTES + 16
_FIRST_FILE = (
    "42414e4b474154450153010700010000bc5b1e4555700bb82f98f30a20ecd32773706f6f6c2d31000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000b5006d2c7a6dca8acfbb14d4287ba7d9"
    "bc4ddee5f5b2b839f776a6cdb0c48da95b8d774159a33969473ed82fded18858deee49bb5666cf6b77f9d0d4f9790a67"
    "debb0fc194f04c3b7e1cd376731ba03354829b"
)
_FIRST_TEXT = (
    "010773706f6f6c2d31c6a112588050810bccf0c6bb4a712f5a00000000a4c7e28fd529b6cc1ddb8be9eb316f11fde6c0"
    "77434a0eb25581ee70"
)


@pytest.fixture(autouse=True, params=SUITES.values(), ids=SUITES)
def suite(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Suite:
    """Every test runs with each cipher."""
    chosen: Suite = request.param
    master = MasterKey("spool-1", bytes(range(32)), chosen)
    monkeypatch.setitem(globals(), "MASTER", master)
    monkeypatch.setitem(globals(), "OTHER", MasterKey("spool-2", bytes(range(32, 64)), chosen))
    monkeypatch.setitem(globals(), "MASTERS", Masters(master))
    return chosen


def seal(content: bytes, context: bytes = CONTEXT, master: MasterKey | None = None) -> bytes:
    sink = io.BytesIO()
    with SealedWriter(sink, master or MASTER, context) as writer:
        writer.write(content)
    return sink.getvalue()


def unseal(sealed: bytes, context: bytes = CONTEXT, masters: Masters | None = None) -> bytes:
    return SealedReader(io.BytesIO(sealed), masters or MASTERS, context).read()


def seal_frames(*frames: bytes, context: bytes = CONTEXT) -> bytes:
    sink = io.BytesIO()
    with FrameWriter(sink, MASTER, context) as writer:
        for frame in frames:
            writer.append(frame)
    return sink.getvalue()


def unseal_frames(sealed: bytes, context: bytes = CONTEXT) -> list[bytes]:
    return list(FrameReader(io.BytesIO(sealed), MASTERS, context))


def pattern(size: int) -> bytes:
    return random.Random(size).randbytes(size)


@pytest.mark.parametrize(
    "size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 3 * CHUNK_BYTES + 7]
)
def test_a_stream_comes_back(size: int) -> None:
    content = pattern(size)
    reader = SealedReader(io.BytesIO(seal(content)), MASTERS, CONTEXT)
    assert reader.size_bytes == size
    assert b"".join(reader.blocks()) == content


def test_nothing_is_in_clear_and_no_two_files_are_alike() -> None:
    content = b"6231990000001208674" * 10_000
    first, second = seal(content), seal(content)
    assert b"623199" not in first
    assert first[HEADER_BYTES:] != second[HEADER_BYTES:]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 200_000), max_size=6), st.data())
def test_any_part_can_be_read(sizes: list[int], data: st.DataObject) -> None:
    """Written in any blocks, read at any place in any length."""
    content = pattern(sum(sizes))
    sink, start = io.BytesIO(), 0
    with SealedWriter(sink, MASTER, CONTEXT) as writer:
        for size in sizes:
            assert writer.write(content[start : start + size]) == size
            start += size
    reader = SealedReader(sink, MASTERS, CONTEXT)
    for _ in range(4):
        offset = data.draw(st.integers(0, len(content) + 10))
        length = data.draw(st.integers(0, 150_000))
        assert reader.seek(offset) == offset
        assert reader.read(length) == content[offset : offset + length]
        assert reader.tell() == max(offset, min(offset + length, len(content)))


def test_a_block_that_raises_leaves_no_file() -> None:
    sink, frames_sink = io.BytesIO(), io.BytesIO()

    def write_half() -> None:
        with (
            SealedWriter(sink, MASTER, CONTEXT) as writer,
            FrameWriter(frames_sink, MASTER, CONTEXT) as frames,
        ):
            writer.write(pattern(CHUNK_BYTES * 2))
            frames.append(b"frame")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    with pytest.raises(SealedFileDamaged):
        unseal(sink.getvalue())
    with pytest.raises(SealedFileDamaged):
        unseal_frames(frames_sink.getvalue())


def test_a_closed_writer_takes_nothing() -> None:
    writer, frames = SealedWriter(io.BytesIO(), MASTER), FrameWriter(io.BytesIO(), MASTER)
    writer.close()
    frames.close()
    with pytest.raises(ValueError, match="closed"):
        writer.write(b"more")
    with pytest.raises(ValueError, match="closed"):
        frames.append(b"more")


def test_frames_come_back_by_number_and_in_order() -> None:
    frames = [pattern(size) for size in (0, 1, 100_000, 17)]
    reader = FrameReader(io.BytesIO(seal_frames(*frames)), MASTERS, CONTEXT)
    assert [reader[number] for number in (2, 0, 3, 1)] == [frames[2], frames[0], frames[3], frames[1]]
    assert (reader.count, list(reader)) == (4, frames)
    for number in (-1, 4):
        with pytest.raises(IndexError):
            reader[number]
    assert unseal_frames(seal_frames()) == []


def test_every_flipped_bit_of_a_stream_is_refused() -> None:
    sealed = seal(pattern(CHUNK_BYTES + 500))
    everywhere = range(len(sealed) * 8)
    header = range(HEADER_BYTES * 8)
    positions = {*header, *random.Random(7).sample(everywhere, 400)}
    accepted = [position for position in positions if not is_damaged_stream(flip(sealed, position))]
    assert accepted == []


def test_every_flipped_bit_of_frames_is_refused() -> None:
    sealed = seal_frames(b"first", b"", b"third")
    positions = range(len(sealed) * 8)
    assert [position for position in positions if not is_damaged_frames(flip(sealed, position))] == []


def flip(content: bytes, position: int) -> bytes:
    changed = bytearray(content)
    changed[position // 8] ^= 1 << position % 8
    return bytes(changed)


def is_damaged_stream(sealed: bytes) -> bool:
    try:
        unseal(sealed)
    except (SealedFileDamaged, KeyUnavailable):
        # Another key id is a key that the ring does not have.
        return True
    return False


def is_damaged_frames(sealed: bytes) -> bool:
    try:
        unseal_frames(sealed)
    except (SealedFileDamaged, KeyUnavailable):
        return True
    return False


def test_truncation_is_refused_at_once() -> None:
    sealed = seal(pattern(2 * CHUNK_BYTES + 100))
    body = HEADER_BYTES
    lengths = [0, 1, body - 1, body, body + 15, body + 16, body + STRIDE, body + 2 * STRIDE, len(sealed) - 1]
    for length in lengths:
        with pytest.raises(SealedFileDamaged):
            SealedReader(io.BytesIO(sealed[:length]), MASTERS, CONTEXT)
    frames = seal_frames(b"first", b"second")
    for length in range(len(frames)):
        with pytest.raises(SealedFileDamaged):
            FrameReader(io.BytesIO(frames[:length]), MASTERS, CONTEXT)


def test_extension_is_refused_at_once() -> None:
    sealed, frames = seal(pattern(CHUNK_BYTES)), seal_frames(b"first")
    for tail in (b"\0", bytes(16), bytes(STRIDE), sealed[-STRIDE:]):
        with pytest.raises(SealedFileDamaged):
            SealedReader(io.BytesIO(sealed + tail), MASTERS, CONTEXT)
    for tail in (b"\0", frames[-8:], frames[HEADER_BYTES:]):
        with pytest.raises(SealedFileDamaged):
            FrameReader(io.BytesIO(frames + tail), MASTERS, CONTEXT)


def test_reordering_repetition_and_removal_are_refused() -> None:
    sealed = seal(pattern(4 * CHUNK_BYTES))
    header = sealed[:HEADER_BYTES]
    chunks = [sealed[start : start + STRIDE] for start in range(HEADER_BYTES, len(sealed), STRIDE)]
    first, second, third, last = chunks
    for order in ([second, first, third, last], [first, first, third, last], [first, third, last]):
        with pytest.raises(SealedFileDamaged):
            unseal(header + b"".join(order))
    with pytest.raises(SealedFileDamaged):
        unseal(header + b"".join([first, second, third]))


def test_frames_that_change_places_are_refused() -> None:
    sealed = seal_frames(b"one", b"two")
    first, second = (sealed[HEADER_BYTES + 19 * number :][:19] for number in (0, 1))
    swapped = sealed.replace(first + second, second + first)
    with pytest.raises(SealedFileDamaged):
        unseal_frames(swapped)
    dropped = sealed.replace(second, b"")
    with pytest.raises(SealedFileDamaged):
        unseal_frames(dropped)


def test_parts_of_another_file_are_refused() -> None:
    first, second = seal(pattern(2 * CHUNK_BYTES)), seal(pattern(2 * CHUNK_BYTES))
    with pytest.raises(SealedFileDamaged):
        unseal(first[:HEADER_BYTES] + second[HEADER_BYTES:])
    with pytest.raises(SealedFileDamaged):
        unseal(first[:-STRIDE] + second[-STRIDE:])


def test_a_file_under_another_name_or_of_another_kind_is_refused() -> None:
    with pytest.raises(SealedFileDamaged):
        unseal(seal(b"content"), b"batch:district/2026-07")
    with pytest.raises(SealedFileDamaged):
        unseal_frames(seal_frames(b"frame"), b"batch:district/2026-07")
    with pytest.raises(SealedFileDamaged):
        unseal(seal_frames(b"frame"))
    with pytest.raises(SealedFileDamaged):
        unseal_frames(seal(b"content"))


def test_an_unknown_or_false_master_opens_nothing() -> None:
    with pytest.raises(KeyUnavailable, match="no master key 'spool-1'; there are spool-2"):
        unseal(seal(b"content"), masters=Masters(OTHER))
    false = MasterKey("spool-1", bytes(32))
    with pytest.raises(SealedFileDamaged, match="does not open with key spool-1"):
        unseal(seal(b"content"), masters=Masters(false))


def test_rotation_wraps_the_header_again_and_nothing_else() -> None:
    content = pattern(CHUNK_BYTES + 9)
    sealed = seal(content)
    both = Masters(OTHER, [MASTER])
    header = rewrap_header(sealed[:HEADER_BYTES], both)
    rotated = header + sealed[HEADER_BYTES:]
    assert unseal(rotated, masters=Masters(OTHER)) == content
    assert (unseal(sealed, masters=both), both.key_ids) == (content, ["spool-2", "spool-1"])
    with pytest.raises(KeyUnavailable):
        unseal(rotated)


def test_a_master_of_the_other_suite_takes_over() -> None:
    """The pieces stay under the cipher that they were made with; the header is wrapped by the new one."""
    content = pattern(CHUNK_BYTES + 9)
    other = AES_256_GCM if MASTER.suite is SM4_GCM else SM4_GCM
    new = MasterKey("spool-3", bytes(32), other)
    sealed = seal(content)
    rotated = rewrap_header(sealed[:HEADER_BYTES], Masters(new, [MASTER])) + sealed[HEADER_BYTES:]
    assert rotated[10] == sealed[10] == MASTER.suite.number
    assert unseal(rotated, masters=Masters(new)) == content


def test_one_secret_in_two_suites_is_two_keys() -> None:
    other = AES_256_GCM if MASTER.suite is SM4_GCM else SM4_GCM
    same = MasterKey("spool-1", bytes(range(32)), other)
    with pytest.raises(SealedFileDamaged, match="does not open with key spool-1"):
        unseal(seal(b"content"), masters=Masters(same))


def test_files_of_the_first_version_open_for_ever() -> None:
    """Sealed by the program as it was before there was a second cipher."""
    master = MasterKey("spool-1", bytes(range(32)))
    assert unseal(bytes.fromhex(_FIRST_FILE), masters=Masters(master)) == b"content"
    assert open_text(Masters(master), bytes.fromhex(_FIRST_TEXT), b"c") == "户名不符"


def test_texts_come_back() -> None:
    texts = ["户名不符:张三", "", "买买提·艾力", "x" * 5000]
    sealed = seal_texts(MASTER, texts, b"bank text")
    assert open_texts(MASTERS, sealed, b"bank text") == texts
    assert open_texts(MASTERS, reversed(sealed), b"bank text") == texts[::-1]
    assert open_text(Masters(OTHER, [MASTER]), seal_text(MASTER, "一", b"c"), b"c") == "一"
    assert "张三".encode() not in sealed[0]
    assert len(set(seal_texts(MASTER, ["same"] * 100))) == 100


def test_every_changed_text_is_refused() -> None:
    sealed = seal_text(MASTER, "户名不符", b"c")
    for position in range(len(sealed) * 8):
        with pytest.raises((SealedFileDamaged, KeyUnavailable)):
            open_text(MASTERS, flip(sealed, position), b"c")
    for length in range(len(sealed)):
        with pytest.raises((SealedFileDamaged, KeyUnavailable)):
            open_text(MASTERS, sealed[:length], b"c")
    with pytest.raises(SealedFileDamaged):
        open_text(MASTERS, sealed, b"d")


def test_master_key_files(tmp_path: Path, suite: Suite) -> None:
    path = tmp_path / "master.key"
    made = new_master_key_file(path, "spool-2026", suite.name)
    assert path.stat().st_mode & 0o777 == 0o600
    assert unseal(seal(b"content", master=made), masters=Masters(load_master_key(path))) == b"content"
    with pytest.raises(KeyUnavailable, match="is there already and is not overwritten"):
        new_master_key_file(path)
    path.chmod(0o640)
    with pytest.raises(KeyUnavailable, match=r"may be read or written by others \(mode 0640") as refused:
        load_master_key(path)
    assert refused.value.hint.startswith(f"chmod 600 {path}")


def test_no_message_and_no_repr_shows_a_master_key(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    new_master_key_file(path, "spool-2026")
    line = path.read_bytes()
    secret = line.split()[2].decode()
    for bad in (line[:-6], line.replace(b" spool-2026 ", b" "), line.replace(b"=", b"!"), b""):
        path.write_bytes(bad)
        with pytest.raises(KeyUnavailable) as refused:
            load_master_key(path)
        assert secret[:12] not in str(refused.value) + refused.value.hint
    assert repr(MASTER) == "MasterKey('spool-1')"
