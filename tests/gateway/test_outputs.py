"""Files that commands write are there whole or not at all; files that decide are the owner's alone."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway import ConfigurationError, ExitCode, FolderUnusable, Gateway, StorageFailed
from gateway.output import output_file
from gateway.screens import screen
from keys.errors import KeyringInvalid, KeyUnavailable
from keys.keyring import Keyring
from keys.person_key import new_person_key
from keys.secret_sources import write_private_file
from tests.gateway.commands import Commands
from tests.gateway.sites import CITY, Ground, payments_of


@contextmanager
def files_up_to(size_bytes: int) -> Iterator[None]:
    """A disk on which no file has room for more: writing fails as on a full one."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


# What commands write.


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "xlsx"])
def test_a_full_disk_leaves_what_was_there(ground: Ground, bankgate: Commands, suffix: str) -> None:
    output = ground.site.folder / f"outcomes.{suffix}"
    output.write_text("of yesterday", "utf-8")
    ground.bank(CITY)
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 40))
        ground.run_to_the_end(gateway)
        found = list(gateway.outcomes())
    # The ledger needs room too; this is about what is written from it.
    with files_up_to(3000), pytest.raises(StorageFailed, match="cannot be written: file too large"):
        screen.show_outcomes(iter(found), output, False)
    assert output.read_text("utf-8") == "of yesterday"
    assert [path.name for path in ground.site.folder.glob(".*")] == []
    assert bankgate("outcomes", "--output", output).code == ExitCode.DONE
    assert (output.stat().st_mode & 0o777, output.stat().st_size > 3000) == (0o600, True)


def test_an_exhibit_overwrites_nothing(ground: Ground, bankgate: Commands) -> None:
    letter, output = ground.site.folder / "letter.txt", ground.site.folder / "there.txt"
    letter.write_text("words", "utf-8")
    output.write_text("mine", "utf-8")
    with ground.open() as gateway:
        digest = gateway.attach(letter)
    said = bankgate("exhibit", digest, "--output", output)
    assert (said.code, output.read_text("utf-8")) == (ExitCode.BAD_USAGE, "mine")
    assert said.err == f"error: {output} is there already and is not overwritten\nhint: name a new file\n"
    output.unlink()
    unknown = bankgate("exhibit", "0" * 64, "--output", output)
    assert (unknown.code, output.exists()) == (ExitCode.REFUSED_INPUT, False)
    assert bankgate("exhibit", digest, "--output", output).code == ExitCode.DONE
    assert output.read_text("utf-8") == "words"


@pytest.mark.parametrize("name", ["", "absent/file.csv"])
def test_where_no_file_can_be(tmp_path: Path, name: str) -> None:
    with pytest.raises(FolderUnusable), output_file(tmp_path / name):
        pass
    assert list(tmp_path.iterdir()) == []


def test_what_was_not_finished_has_no_name(tmp_path: Path) -> None:
    def stops() -> None:
        with output_file(tmp_path / "x") as sink:
            sink.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        stops()
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_does_not_fit_the_disk_leaves_no_file(tmp_path: Path) -> None:
    with files_up_to(0), pytest.raises(KeyUnavailable, match="cannot be written"):
        write_private_file(tmp_path / "a", b"words")
    # The private half has room, the public one has not.
    with files_up_to(300), pytest.raises(KeyUnavailable, match="cannot be written"):
        new_person_key(tmp_path / "b.pem", "ec-p384", b"word")
    assert list(tmp_path.iterdir()) == []


# Files that decide.


@pytest.mark.parametrize(
    "name", ["bankgate.toml", "profiles/city-bank.toml", "agreements", "profiles", "layouts/own.toml"]
)
def test_what_others_may_write_is_refused(ground: Ground, name: str) -> None:
    folder = ground.site.configuration.parent
    if name == "layouts/own.toml":
        (folder / "layouts").mkdir()
        (folder / name).touch()
        text = ground.site.configuration.read_text("utf-8")
        ground.site.configuration.write_text(
            text.replace("[gateway]\n", '[gateway]\nlayouts = ["layouts"]\n', 1), "utf-8"
        )
    path = folder / name
    path.chmod(path.stat().st_mode | 0o020)
    with pytest.raises(ConfigurationError) as refused:
        Gateway.open(ground.site.configuration)
    assert f"others may write {path}" in str(refused.value)
    assert refused.value.problems[0].hint == f"chmod go-w {path}, and look at it"
    path.chmod(path.stat().st_mode & ~0o022)
    if name != "layouts/own.toml":
        Gateway.open(ground.site.configuration).close()


def test_a_folder_for_all_in_which_each_has_the_own_is_no_danger(ground: Ground) -> None:
    folder = ground.site.configuration.parent
    folder.chmod(0o1777)
    Gateway.open(ground.site.configuration).close()


# A person's key is no machine's.


@pytest.mark.parametrize("name", ["platform.crt", "journal-1.crt", "rural-credit-signing.crt"])
def test_a_machines_key_is_enrolled_for_nobody(ground: Ground, bankgate: Commands, name: str) -> None:
    folder = ground.site.configuration.parent
    public = folder / "keys" / name
    before = (folder / "keys.toml").read_bytes()
    said = bankgate("operator", "add", "li", "--title", "李", "--public-key", public)
    assert (said.code, "in the ring already" in said.err) == (ExitCode.REFUSED_INPUT, True), said.err
    assert (folder / "keys.toml").read_bytes() == before
    # Written by hand, the ring itself refuses it.
    with (folder / "keys.toml").open("a") as ring:
        ring.write(
            '\n[[key]]\nid = "li"\nrole = "person"\nperson = "li"\nenvironment = "test"\n'
            f'public_key = "{public}"\n'
        )
    with pytest.raises(KeyringInvalid, match="li: the same key is in line"):
        Keyring.load(folder / "keys.toml", "test")


def test_a_fingerprint_is_compared(ground: Ground, bankgate: Commands, tmp_path: Path) -> None:
    made, public = new_person_key(tmp_path / "li.pem", "ec-p256", None)
    enrol = ("operator", "add", "li", "--title", "李", "--public-key", public, "--fingerprint")
    for told, complaint in (
        (made.sha256[:15], "is no fingerprint"),
        ("0" * 64, "has the fingerprint"),
    ):
        said = bankgate(*enrol, told)
        assert (said.code, complaint in said.err) == (ExitCode.REFUSED_INPUT, True), said.err
    colons = ":".join(made.sha256[place : place + 2] for place in range(0, 64, 2)).upper()
    assert bankgate(*enrol, colons).code == ExitCode.DONE
    assert "李" in bankgate("operator", "list").out
