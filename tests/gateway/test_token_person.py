"""A person whose key is in a token decides by command, as anybody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway import ExitCode
from tests.gateway.commands import Commands
from tests.gateway.sites import PERSONS, RURAL, Ground, payments_of
from tests.keys.tokens import PIN, WRONG_PIN, SoftToken, look_again, make_token, token_folder


@pytest.fixture(scope="module")
def softhsm_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("softhsm")
    with token_folder(folder):
        yield folder


@pytest.fixture
def token(softhsm_folder: Path, tmp_path: Path, request: pytest.FixtureRequest) -> SoftToken:
    return make_token(tmp_path, f"person-{abs(hash(request.node.name)) % 10**8}")


@pytest.fixture
def enrolled(ground: Ground, bankgate: Commands, token: SoftToken, monkeypatch: pytest.MonkeyPatch) -> str:
    """The first person's key is in the token from now on; its URI."""
    home = ground.site.folder / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    uri = token.uri("own")
    made = bankgate(
        "key", "new", "own", "--kind", "ec-p256", "--subject", "CN=own", "--self-signed", 400,
        "--folder", home, "--pkcs11", uri, "--pin", f"file:{token.pin_file}",
    )  # fmt: skip
    assert made.code == 0, made.err
    renewed = bankgate("operator", "add", PERSONS[0], "--public-key", home / "own.crt", "--renew")
    assert renewed.code == 0, renewed.err
    # Logins belong to the process; the commands that follow are others.
    look_again()
    return uri


def release(ground: Ground, bankgate: Commands, uri: str, source: str) -> tuple[int, str]:
    batch = ground.batch(payments_of(RURAL, 2, prefix="T"), "B-token")
    bankgate("submit", ground.write(batch, payments_of(RURAL, 2, prefix="T")))
    ended = bankgate("release", "B-token", "--as", PERSONS[0], "--key", uri, "--passphrase", source)
    return ended.code, ended.err


def test_a_key_in_a_token_decides(
    ground: Ground, bankgate: Commands, token: SoftToken, enrolled: str
) -> None:
    code, told = release(ground, bankgate, enrolled, f"file:{token.pin_file}")
    assert (code, told) == (ExitCode.NEEDS_PERSON, "")
    second = bankgate("release", "B-token", "--as", PERSONS[1], "--key", ground.person_key(PERSONS[1]))
    assert second.code == ExitCode.DONE, second.err


def test_a_wrong_pin_is_remembered_in_the_persons_home(
    ground: Ground, bankgate: Commands, token: SoftToken, enrolled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORD", WRONG_PIN)
    first = release(ground, bankgate, enrolled, "env:WORD")
    second = release(ground, bankgate, enrolled, "env:WORD")
    assert [code for code, _ in (first, second)] == [ExitCode.BAD_USAGE] * 2
    assert "refused the PIN from environment variable WORD; it is not presented again" in first[1]
    assert "the token refused this PIN before" in second[1]
    assert (ground.site.folder / "home" / ".bankgate-refused-pins").exists()
    monkeypatch.setenv("WORD", PIN)
    assert release(ground, bankgate, enrolled, "env:WORD")[0] == ExitCode.NEEDS_PERSON


def test_without_a_terminal_the_pin_must_be_named(ground: Ground, bankgate: Commands, enrolled: str) -> None:
    ended = bankgate("release", "B-none", "--as", PERSONS[0], "--key", enrolled)
    assert (ended.code, "PIN of the token is wanted, and there is no terminal" in ended.err) == (2, True)
