"""A file on its way over real SFTP: cut, refused, interrupted. Never twice, never lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncssh
import pytest

from channels.folder import FolderChannel
from gateway import ExitCode
from gateway.simulator import server as server_module
from gateway.simulator.server import BankServer, Login, ServerSettings
from gateway.simulator.settings import read_settings
from keys.authority import write_ssh_key_pair
from tests.gateway.commands import Commands
from tests.gateway.sites import CITY, PERSONS, RURAL, Ground, credited, current, payments_of, states
from tests.proxy import Direction, Fault, Proxy
from tests.servers import AsyncSshServer

_CHANNEL = re.compile(r'kind = "folder"\nroot = ".*"\n')


def behind_sftp(ground: Ground, bank: str, port: int, root: object = "") -> None:
    """The bank's profile says SFTP at a port of this machine."""
    path = ground.profile_path(bank)
    login = "password" if bank == CITY else "key"
    sftp = (
        f'kind = "sftp"\nroot = "{root}"\nhost = "127.0.0.1"\nport = {port}\nuser = "yikatong"\n'
        f'authentication = "{login}"\n'
        "connect_timeout_seconds = 5\ntimeout_seconds = 5\n"
    )
    text, changed = _CHANNEL.subn(sftp, path.read_text("utf-8"))
    assert changed == 1
    path.write_text(text, "utf-8")


@contextmanager
def served(ground: Ground, bank: str) -> Iterator[tuple[BankServer, Proxy]]:
    """The bank behind its own SFTP server and a proxy that can cut."""
    simulated = ground.bank(bank)
    ground.fronts.pop(bank)
    folder = ground.site.bank(bank)
    login = Login(user="yikatong", **_login(ground, bank))
    server = BankServer(
        simulated,
        ServerSettings(folder=folder, host_key=folder / "keys" / "host-key", logins=(login,)),
        clock=ground.clock.now,
    )
    with server, Proxy("127.0.0.1", server.port) as proxy:
        behind_sftp(ground, bank, proxy.port)
        ground.fronts[bank] = server.front
        yield server, proxy


def _login(ground: Ground, bank: str) -> dict[str, object]:
    table = read_settings(ground.site.bank(bank)).login[0]
    if table.credential_file:
        return {"password": (ground.site.bank(bank) / table.credential_file).read_text().strip()}
    return {"public_keys": tuple(table.public_keys)}


CUTS = [
    pytest.param(size, marks=[pytest.mark.heavy] if size % 2_500 else []) for size in range(3_000, 8_300, 250)
]


@pytest.mark.parametrize("after_bytes", CUTS)
def test_an_upload_that_breaks_off_anywhere(ground: Ground, after_bytes: int) -> None:
    """Cut after so many bytes of a whole exchange: paid once, whatever was seen of it."""
    payments = payments_of(RURAL, 4)
    with served(ground, RURAL) as (server, proxy), ground.open() as gateway:
        ground.submit(gateway, payments)
        proxy.arm(Direction.TO_SERVER, after_bytes, Fault.CUT)
        for _ in range(12):
            gateway.run(RURAL)
            server.wait()
            ground.clock.turn(seconds=120)
            for item in gateway.held():
                # Only where the release itself was cut does a person have to ask the bank.
                assert item.object.startswith("file:"), item
                word = "arrived" if server.bank.truth().files else "not-received"
                ground.decide(gateway, item.object, word, *PERSONS)
            if states(gateway)[-1] == "settled":
                break
        assert current(gateway) == credited(payments)
        assert server.bank.truth().credited_count == len(payments)
        assert proxy.struck.is_set()
        ground.check_sound(gateway)


def test_a_release_whose_answer_is_lost_is_found_and_not_sent_again(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    payments = payments_of(CITY, 3)
    rename = server_module._Files.rename
    with served(ground, CITY) as (server, proxy), ground.open() as gateway:

        def rename_and_cut(files: server_module._Files, old: bytes, new: bytes) -> None:
            rename(files, old, new)
            if new.endswith(b".bxt"):
                proxy.sever()

        ground.submit(gateway, payments)
        monkeypatch.setattr(server_module._Files, "rename", rename_and_cut)
        report = gateway.run(CITY)
        monkeypatch.setattr(server_module._Files, "rename", rename)
        assert (states(gateway), report.files_sent) == (["uncertain"], 0)
        server.wait()
        ground.clock.turn(seconds=120)
        report = gateway.run(CITY)
        assert (states(gateway), report.files_sent, report.files_made) == (["sent"], 1, 0)
        for _ in range(3):
            ground.clock.turn(seconds=120)
            gateway.run(CITY)
        assert current(gateway) == credited(payments)
        assert server.bank.truth().files == 1
        assert server.bank.refusals == []
        ground.check_sound(gateway)


def test_a_refused_login_is_tried_once_until_a_person_clears_it(
    ground: Ground, bankgate: Commands, tmp_path: Path
) -> None:
    login_word = ground.site.configuration.parent / "keys" / f"{CITY}-login-word"
    right = login_word.read_text()
    with AsyncSshServer(tmp_path, password=right, takes_key=False) as server:
        _pin(ground, CITY, server.host_key_line)
        for folder in ("to-bank", "from-bank", "archive"):
            (server.root / folder).mkdir()
        behind_sftp(ground, CITY, server.port, server.root)
        login_word.write_text("wrong")
        payments = payments_of(CITY, 2)
        with ground.open() as gateway:
            ground.submit(gateway, payments)
        for _ in range(3):
            ended = bankgate("run", "--bank", CITY)
            assert ended.code == ExitCode.BANK_UNREACHABLE
            ground.clock.turn(hours=1)
        assert f"bankgate held clear bank:{CITY}" in ended.out
        assert server.logins.passwords == 1
        assert _secret_is_absent(ground, "wrong")
        login_word.write_text(right)
        assert bankgate("run", "--bank", CITY).code == ExitCode.BANK_UNREACHABLE
        assert server.logins.passwords == 1
        key = ground.person_key("reviewer-a")
        cleared = bankgate("held", "clear", f"bank:{CITY}", "--as", "reviewer-a", "--key", key)
        assert cleared.code == ExitCode.DONE
        assert bankgate("run", "--bank", CITY).code == ExitCode.DONE
        assert server.logins.passwords == 2
        assert len(list((server.root / "to-bank").iterdir())) == 2


def _secret_is_absent(ground: Ground, word: str) -> bool:
    log = ground.site.configuration.parent / "log" / "bankgate.log"
    return f'"{word}"' not in log.read_text("utf-8")


def _pin(ground: Ground, bank: str, line: str) -> None:
    ring = ground.site.configuration.with_name("keys.toml")
    entry = re.compile(rf'(id = "{bank}-host"\n.*?pins = \[")[^"]*', re.DOTALL)
    text, changed = entry.subn(lambda found: found[1] + line, ring.read_text("utf-8"))
    assert changed == 1
    ring.write_text(text, "utf-8")


def test_a_wrong_host_key_gets_nothing_not_even_a_login(
    ground: Ground, bankgate: Commands, tmp_path: Path
) -> None:
    with AsyncSshServer(tmp_path, password="anything", takes_key=False) as server:
        _pin(ground, CITY, write_ssh_key_pair(tmp_path / "other", "other"))
        behind_sftp(ground, CITY, server.port, server.root)
        with ground.open() as gateway:
            ground.submit(gateway, payments_of(CITY, 2))
        for _ in range(2):
            ended = bankgate("run", "--bank", CITY)
            assert ended.code == ExitCode.BANK_UNREACHABLE
        assert (server.logins.begun, server.logins.passwords) == (0, 0)
        with ground.open() as gateway:
            assert states(gateway) == ["sealed"]
            assert [item.object for item in gateway.held()] == [f"bank:{CITY}"]
            assert gateway.status()[0].adds_up


def test_a_server_that_is_not_there_is_tried_again_later_and_not_for_ever(ground: Ground) -> None:
    with Proxy("127.0.0.1", 1) as nobody:
        behind_sftp(ground, CITY, nobody.port)
        with ground.open() as gateway:
            ground.submit(gateway, payments_of(CITY, 2))
            first = gateway.run(CITY)
            assert [item.code for item in first.attention] == [ExitCode.BANK_UNREACHABLE]
            gateway.run(CITY)
            assert ground.rows("SELECT tries FROM bank_backoff") == [(1,)]
            assert first.next_due is not None
            for _ in range(7):
                ground.clock.turn(hours=2)
                gateway.run(CITY)
            assert [item.object for item in gateway.held()] == [f"bank:{CITY}"]
            assert states(gateway) == ["sealed"]


class _LyingServer(asyncssh.SFTPServer):
    """Lists a file whose name leaves the folder."""

    async def scandir(self, path: bytes) -> object:
        async for name in super().scandir(path):
            yield name
        if path.endswith(b"from-bank"):
            yield asyncssh.SFTPName(
                b"../../escape_R1.bxt", attrs=asyncssh.SFTPAttrs(size=3, permissions=0o100644)
            )


def test_a_name_that_leaves_the_folder(ground: Ground, bankgate: Commands, tmp_path: Path) -> None:
    login_word = (ground.site.configuration.parent / "keys" / f"{CITY}-login-word").read_text()
    with AsyncSshServer(tmp_path, sftp=_LyingServer, password=login_word, takes_key=False) as server:
        _pin(ground, CITY, server.host_key_line)
        for folder in ("to-bank", "from-bank", "archive"):
            (server.root / folder).mkdir()
        behind_sftp(ground, CITY, server.port, server.root)
        with ground.open() as gateway:
            ground.submit(gateway, payments_of(CITY, 2))
        ended = bankgate("run", "--bank", CITY)
        assert ended.code == ExitCode.BANK_UNREACHABLE
        assert "../../escape_R1.bxt" in ended.out + ended.err
        with ground.open() as gateway:
            # Nothing came from that server, and nothing goes there before a person has looked.
            assert (states(gateway), gateway.received()) == (["sealed"], [])
            assert gateway.status()[0].adds_up
        assert list(ground.site.folder.rglob("*escape*")) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("method", ["put", "rename"])
def test_a_process_that_dies_while_it_sends(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, method: str, error: type[BaseException]
) -> None:
    """Before the release it starts again; after it the file is looked for and never sent again."""
    ground.bank(CITY)
    payments = payments_of(CITY, 3)
    real = getattr(FolderChannel, method)

    def dies(self: FolderChannel, *arguments: object) -> object:
        real(self, *arguments)
        raise error

    with ground.open() as gateway:
        ground.submit(gateway, payments)
        monkeypatch.setattr(FolderChannel, method, dies)
        with pytest.raises(error):
            gateway.run()
        monkeypatch.setattr(FolderChannel, method, real)
        assert states(gateway) == [{"put": "uploading", "rename": "releasing"}[method]]
    with ground.open() as gateway:
        gateway.run()
        if method == "rename":
            # The signature is there, the data is not: a person asks the bank.
            assert states(gateway) == ["uncertain"]
            about = gateway.held()[0].object
            assert ground.decide(gateway, about, "not-received", *PERSONS) == [False, True]
        ground.run_to_the_end(gateway)
        assert current(gateway) == credited(payments)
        ground.check_sound(gateway)


def test_the_wrong_word_about_an_uncertain_file_does_not_pay_twice_unseen(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two persons say "not received" of a file that the bank has: its answer is held, not lost."""
    ground.bank(CITY)
    renamed = []
    real = FolderChannel.rename

    def dies(self: FolderChannel, old: str, new: str) -> None:
        real(self, old, new)
        renamed.append(new)
        if not new.endswith(".p7s"):
            raise KeyboardInterrupt

    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 2))
        monkeypatch.setattr(FolderChannel, "rename", dies)
        with pytest.raises(KeyboardInterrupt):
            gateway.run()
        monkeypatch.setattr(FolderChannel, "rename", real)
        moved = [path.rename(ground.site.folder / path.name) for path in ground.outbox(CITY).iterdir()]
        gateway.run()
        assert states(gateway) == ["uncertain"]
        ground.decide(gateway, gateway.held()[0].object, "not-received", *PERSONS)
        for path in moved:
            path.rename(ground.outbox(CITY) / path.name)
        ground.banks_look()
        ground.take(gateway)
        assert "rejected" in states(gateway)
        held = {item.object.partition(":")[0] for item in gateway.held()}
        assert {"file", "received"} <= held
