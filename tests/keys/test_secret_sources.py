"""Secrets: from a file of ours alone, a variable, a credential; never from where others can look."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from keys.errors import KeyUnavailable
from keys.secret_sources import (
    SecretSource,
    SourceKind,
    parse_source,
    read_pinned_file,
    read_private_file,
    write_private_file,
    write_public_file,
)

WORD = b"open sesame"


def write(path: Path, mode: int, content: bytes = WORD) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def refuse(source: SecretSource, **environment: str) -> KeyUnavailable:
    with pytest.raises(KeyUnavailable) as refused:
        source.read(environment)
    assert WORD.decode() not in f"{refused.value} {refused.value.hint}"
    return refused.value


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n"])
def test_the_three_places_give_the_same_secret(tmp_path: Path, ending: bytes) -> None:
    path = write(tmp_path / "word", 0o600, WORD + ending)
    environment = {"WORD": (WORD + ending).decode(), "CREDENTIALS_DIRECTORY": str(tmp_path)}
    sources = [parse_source(text) for text in (f"file:{path}", "env:WORD", "credential:word")]
    assert [source.read(environment) for source in sources] == [WORD, WORD, WORD]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o660, 0o666, 0o644])
def test_a_secret_file_that_others_may_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    path = write(tmp_path / "word", mode)
    refused = refuse(SecretSource(SourceKind.FILE, str(path)))
    assert str(refused) == f"{path} may be read or written by others (mode {mode:04o}, wanted 0600)"
    assert refused.hint == f"chmod 600 {path}, and consider what is in it known to others"


@pytest.mark.parametrize("mode", [0o444, 0o460, 0o462])
def test_a_credential_that_everybody_may_read_or_others_may_write_is_refused(
    tmp_path: Path, mode: int
) -> None:
    path = write(tmp_path / "word", mode)
    refused = refuse(parse_source("credential:word"), CREDENTIALS_DIRECTORY=str(tmp_path))
    assert str(refused) == (
        f"{path} may be read by everybody or written by others (mode {mode:04o}, wanted 0400)"
    )
    assert refused.hint.startswith(f"chmod 400 {path}")


def test_a_credential_as_systemd_gives_it_is_taken(tmp_path: Path) -> None:
    write(tmp_path / "word", 0o440)
    assert parse_source("credential:word").read({"CREDENTIALS_DIRECTORY": str(tmp_path)}) == WORD


@pytest.mark.parametrize("name", ["../word", "/etc/passwd", "..", "."])
def test_a_credential_is_a_name_and_no_path(tmp_path: Path, name: str) -> None:
    source = SecretSource(SourceKind.CREDENTIAL, name)
    assert "is not the name of a credential" in str(refuse(source, CREDENTIALS_DIRECTORY=str(tmp_path)))


def test_places_that_are_not_there(tmp_path: Path) -> None:
    assert str(refuse(parse_source("env:WORD"))) == "environment variable WORD is not set"
    assert "CREDENTIALS_DIRECTORY is not set" in str(refuse(parse_source("credential:word")))
    assert "No such file" in str(refuse(parse_source(f"file:{tmp_path}/word")))


def test_an_empty_secret_is_none(tmp_path: Path) -> None:
    path = write(tmp_path / "word", 0o600, b"\n")
    assert str(refuse(parse_source(f"file:{path}"))) == f"file {path} is empty"
    assert str(refuse(parse_source("env:WORD"), WORD="")) == "environment variable WORD is empty"


def test_a_folder_and_a_pipe_are_no_files(tmp_path: Path) -> None:
    """A pipe would have us wait until somebody writes into it."""
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(KeyUnavailable, match="is not a file"):
            read_private_file(path)


def test_more_than_a_key_is_not_read(tmp_path: Path) -> None:
    path = write(tmp_path / "large", 0o600, bytes((1 << 20) + 1))
    with pytest.raises(KeyUnavailable, match="larger than 1048576 bytes"):
        read_private_file(path)


@pytest.mark.parametrize("text", ["open sesame", "file:", "files:word", ":word", "env"])
def test_a_source_that_is_none_is_not_repeated(text: str) -> None:
    """Somebody may have typed the secret itself."""
    with pytest.raises(ValueError, match=r"^wanted file:PATH, env:NAME or credential:NAME$"):
        parse_source(text)


@pytest.mark.parametrize("mode", [0o664, 0o646])
def test_a_pinned_file_that_others_may_write_is_refused(tmp_path: Path, mode: int) -> None:
    path = write(tmp_path / "bank.crt", mode)
    with pytest.raises(KeyUnavailable, match=f"may be written by others .mode {mode:04o}, wanted 0644") as no:
        read_pinned_file(path)
    assert no.value.hint.startswith(f"chmod go-w {path}")


def test_new_files_have_their_modes_and_replace_nothing(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_private_file(tmp_path / "key", b"key")
        write_public_file(tmp_path / "crt", b"crt")
    finally:
        os.umask(before)
    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("key", "crt")]
    assert modes == [0o600, 0o644]
    for name in ("key", "crt"):
        with pytest.raises(KeyUnavailable, match="is there already and is not overwritten"):
            write_private_file(tmp_path / name, b"other")
        assert (tmp_path / name).read_bytes() == name.encode()
