"""What the documents tell a reader to type is typed here, in order, on a demonstration site."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from gateway import Gateway
from gateway.cli.root import main
from gateway.demonstration.payments import Order
from gateway.demonstration.people import BANKS
from gateway.demonstration.site import (
    Site,
    create_site,
    run_banks,
    sign_batch,
    signature_of,
    write_demo_batch,
)
from gateway.screens import screen
from keys.authority import Authority, write_ssh_key_pair
from keys.person_key import read_person_key
from keys.secret_sources import write_public_file
from tests.docs.markdown import ROOT, blocks, commands, run_in_order
from tests.gateway.commands import at_a_terminal

DOCS = ROOT / "docs"
ENDINGS = {
    "bankgate failures": 1,
    "bankgate findings": 1,
    "bankgate check docs/examples/batch-with-mistakes.csv": 3,
    "bankgate submit docs/examples/batch.csv": 1,
    "bankgate release MZ-2026-11-001 --as reviewer-a --key demo/department/persons/reviewer-a.pem": 1,
}
"""Exit codes of the README's commands that do not end with 0."""
_PRINTED_IN_THE_TOUR = ("batch MZ-", "not released", "batch:yikatong/MZ-", "as it stands", "before:", "now:")
"""How lines begin of the README's output that does not depend on the demonstration's size."""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder like a checkout, with a small demonstration site in `demo`."""
    now = datetime.now(UTC)
    site = create_site(tmp_path / "demo", now, judged=True)
    # One bank, whose answers have flags: complete at the first look.
    batch = site.month / "field-02.csv"
    batch.parent.mkdir()
    write_demo_batch(batch, Order(count=12, seed=20211117, defects=3, banks=BANKS[:1]))
    sign_batch(site, now, batch)
    shutil.copytree(DOCS / "examples", tmp_path / "docs" / "examples")
    return tmp_path


def _environment() -> dict[str, str]:
    """A reader's shell: our commands first, English, the documented configuration."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    configuration = "demo/gateway/bankgate.toml"
    return {
        **os.environ,
        "PATH": path,
        "LC_ALL": "C.UTF-8",
        "COLUMNS": "120",
        "BANKGATE_CONFIG": configuration,
        "PYTHONPATH": str(ROOT),
    }


def _type(command: str, place: Path) -> subprocess.CompletedProcess[str]:
    """As a process of its own; a plain `bankgate` command in this one, which is much quicker."""
    words = shlex.split(command)
    if words[0] == "bankgate" and "$(" not in command:
        return _call(words)
    return subprocess.run(
        ["bash", "-c", command],
        cwd=place,
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def _call(words: list[str]) -> subprocess.CompletedProcess[str]:
    told, complained = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(told),
        contextlib.redirect_stderr(complained),
    ):
        patch.setattr(sys, "argv", words)
        # One that was made before would keep the width of that time.
        patch.setattr(screen, "_console", Console(highlight=False, soft_wrap=False))
        with pytest.raises(SystemExit) as ended:
            main()
    return subprocess.CompletedProcess(words, ended.value.code or 0, told.getvalue(), complained.getvalue())


@contextlib.contextmanager
def _second_terminal(command: str, place: Path) -> Iterator[None]:
    """A command that serves until Ctrl-C; the block begins when it listens."""
    process = subprocess.Popen(
        ["bash", "-c", f"exec {command}"],
        cwd=place,
        env={**_environment(), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        told = []
        for line in process.stdout:
            told.append(line)
            if "listens on" in line:
                break
        assert "listens on" in "".join(told[-1:]), "".join(told)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


def test_the_readmes_tour(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command of the README but `make` and the activation, in order, with its exit code.

    The demonstration itself is played in `tests/gateway/test_demo.py`; here its folder has one small batch.
    """
    monkeypatch.chdir(place)
    for name, value in _environment().items():
        monkeypatch.setenv(name, value)
    typed = [
        command
        for command in commands(ROOT / "README.md")
        if not command.startswith(("make ", ". ", "export ", "bankgate demo "))
    ]
    assert set(ENDINGS) <= set(typed)
    _pay(Site(place / "demo"))
    (served,) = [command for command in typed if command.startswith("bankgate simulate")]
    before, after = typed[: typed.index(served)], typed[typed.index(served) + 1 :]
    told = _type_all(before, place)
    with _second_terminal(served, place):
        told |= _type_all(after, place)
    printed = {line for output in told.values() for line in output.splitlines()}
    shown = [line for block in blocks(ROOT / "README.md", "") for line in block.splitlines()]
    typed_here = [line for line in shown if line.strip().startswith(_PRINTED_IN_THE_TOUR)]
    assert len(typed_here) == 7
    assert [line for line in typed_here if line not in printed] == []
    assert "the sum holds" in told["bankgate status"]
    assert "MZ-2026-11-001-3" in told["bankgate outcomes MZ-2026-11-001"]
    assert told["python docs/examples/hand_over.py"].splitlines()[-1] == "0 still open"
    assert (place / "outcomes.csv").read_text("utf-8").startswith("cursor,")


def _pay(site: Site) -> None:
    """Its batch goes to its bank, and comes back."""
    batch = site.month / "field-02.csv"
    with Gateway.open(site.configuration) as gateway, run_banks(site, gateway.configuration) as banks:
        gateway.submit(batch, signature=signature_of(batch).read_bytes())
        for _ in range(3):
            gateway.run()
            for bank in banks.values():
                bank.wait()


def _type_all(typed: list[str], place: Path) -> dict[str, str]:
    told = {}
    for command in typed:
        done = _type(command, place)
        assert done.returncode == _ending(command, place), f"{command}\n{done.stdout}{done.stderr}"
        told[command] = done.stdout
    return told


def _ending(command: str, place: Path) -> int:
    """`findings` needs a person only where there are some: a small batch may meet none."""
    if command == "bankgate findings":
        with Gateway.open(Site(place / "demo").configuration) as gateway:
            return int(any(gateway.findings()))
    return ENDINGS.get(command, 0)


def test_the_platforms_page(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its Python blocks, in order and in one program; no bank is there to be reached."""
    monkeypatch.chdir(place)
    assert run_in_order(DOCS / "platform.md") > 5


def test_the_operators_first_site(tmp_path: Path) -> None:
    """The page's shell blocks in order; its files and those of the others put where it says."""
    page = DOCS / "operators.md"
    folder, scripts = tmp_path / "bankgate", blocks(page, "sh")
    *making, enrol, look = scripts
    for script in making:
        _typed_well(script, tmp_path)
    _hand_in_keys(folder / "keys")
    _make_keys_at_home(page, tmp_path)
    for name in ("keys.toml", "bankgate.toml", "profiles/rural.toml", "agreements/elderly.toml"):
        (text,) = blocks(page, f"toml {name}")
        (folder / name).write_text(text, "utf-8")
        (folder / name).chmod(0o600)
    environment = {**_environment(), **{name.upper(): _read_out(tmp_path, name) for name in ("li", "wang")}}
    del environment["BANKGATE_CONFIG"]
    enrolled = subprocess.run(
        ["bash", "-ec", enrol], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (enrolled.returncode, enrolled.stderr) == (0, ""), enrolled.stderr
    assert "may decide now: li, wang" in enrolled.stdout
    looked = subprocess.run(
        ["bash", "-ec", look], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (looked.returncode, looked.stderr) == (0, "")
    *checked, status = looked.stdout.splitlines()
    assert checked[-1] == "production: 9 keys, nothing to do"
    told = json.loads(status)
    assert {name: told[name] for name in ("batches", "files", "received")} == {
        "batches": [],
        "files": [],
        "received": [],
    }


def _read_out(home: Path, name: str) -> str:
    """The fingerprint as its owner reads it from his own file."""
    digest = read_person_key(home / f"{name}.pub").sha256
    return " ".join(digest[place : place + 4] for place in range(0, 16, 4))


def _make_keys_at_home(page: Path, home: Path) -> None:
    """Each person at a terminal, with a passphrase of the own."""
    (script,) = blocks(page, "sh home")
    for number, command in enumerate(script.splitlines()):
        words = shlex.split(command)
        assert words[0] == "bankgate"
        word = f"correct horse {number}"
        assert at_a_terminal(words[1:], [word, word], folder=home)[0] == 0


def _typed_well(script: str, place: Path, more: dict[str, str] | None = None) -> str:
    """What a script said that ended well."""
    done = subprocess.run(
        ["bash", "-ec", script],
        cwd=place,
        env={**_environment(), **(more or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _hand_in_keys(folder: Path) -> None:
    """What bank and platform hand over on paper or by telephone."""
    window = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC))
    elsewhere = folder.parent.parent / "elsewhere"
    elsewhere.mkdir()
    bank = Authority.create("CN=rural CA,O=rural,C=CN", *window)
    bank.identity.write_pem(elsewhere / "rural-ca.pem", folder / "rural-ca.crt")
    platform = Authority.create("CN=platform CA,C=CN", *window).issue("CN=platform,C=CN", *window)
    platform.write_pem(elsewhere / "platform.pem", folder / "platform.crt")
    write_ssh_key_pair(elsewhere / "rural-host", "host")
    write_public_file(folder / "rural-host.pub", (elsewhere / "rural-host.pub").read_bytes())


def test_the_operators_token(tmp_path: Path) -> None:
    """A token of SoftHSM, a key in it, its entry, and one signature, as the page has them."""
    page = DOCS / "operators.md"
    making, trying = blocks(page, "sh token")
    (entry,) = blocks(page, "toml token")
    create_site(tmp_path / "site", datetime.now(UTC))
    folder = tmp_path / "site" / "gateway"
    (tmp_path / "tokens").mkdir()
    (tmp_path / "softhsm2.conf").write_text(f"directories.tokendir = {tmp_path / 'tokens'}\n", "utf-8")
    token = {
        "SOFTHSM2_CONF": str(tmp_path / "softhsm2.conf"),
        "PIN": "4711-right",
        "SO_PIN": "0815-officer",
        "BANKGATE_CONFIG": str(folder / "bankgate.toml"),
    }
    printed = _typed_well(making, folder, token)
    told = {line for line in entry.splitlines() if not line.startswith(("role", "bank", "environment"))}
    assert told <= set(printed.splitlines())
    filled = entry.replace('"rural"', '"rural-credit"').replace('"production"', '"test"')
    with (folder / "keys.toml").open("a", encoding="utf-8") as ring:
        ring.write(filled)
    assert _typed_well(trying, folder, token).endswith("test: 21 keys, nothing to do\n")
