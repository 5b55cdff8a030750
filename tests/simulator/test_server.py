"""The simulated bank behind its own SFTP server, spoken to by the gateway's own channel."""

from __future__ import annotations

import io
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from channels import SftpSettings, open_sftp
from channels.errors import AuthenticationRefused, ChannelError, HostKeyRefused, NotFound
from channels.sftp import SftpChannel
from formats.reasons import Status
from gateway.configuration.config import Configuration, load_configuration
from gateway.configuration.profile import Profile
from gateway.demonstration.site import Site, create_site, run_banks
from gateway.simulator.bank import Arrival
from gateway.simulator.errors import SettingsWrong
from gateway.simulator.scenario import Kind, Scenario
from gateway.simulator.seals import StoreScratch
from gateway.simulator.server import BankServer, serve
from gateway.simulator.settings import open_bank
from gateway.simulator.store import MemoryBlob, MemoryStore
from gateway.store.sealing import BankKeys
from keys.cms import sign_detached
from keys.keyring import Keyring
from keys.seal import seal, unseal
from tests.simulator.banks import REGISTRY, make_content

BANKS = ["city-bank", "iso-bank", "rural-credit"]
each_bank = pytest.mark.parametrize("name", BANKS)
COUNT = 60
LIMIT = 1 << 20


class Ground:
    """A site with its configuration and keys, and what a gateway does at a bank's server."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.configuration: Configuration = load_configuration(site.configuration)
        self.ring = Keyring.load(self.configuration.keys, "test")
        self.now = datetime.now(UTC)

    def profile(self, name: str) -> Profile:
        return self.configuration.profiles[name]

    def settings(self, name: str, **changes: str) -> SftpSettings:
        login, own = self.ring.ssh_login(name), self.profile(name).channel
        given = {
            "password": login.password or "",
            "key_path": str(login.private_key or ""),
            "host": own.host,
            "user": own.user,
        }
        return SftpSettings(port=own.port, host_keys=tuple(self.ring.host_pins(name)), **{**given, **changes})

    def open(self, name: str) -> SftpChannel:
        return open_sftp(self.settings(name))

    def seal(self, name: str, content: bytes, file_name: str) -> Arrival:
        steps = self.profile(name).seal.out_steps()
        sealed = seal(MemoryBlob(content), steps, self.keys(name), StoreScratch(MemoryStore(), file_name))
        beside = MemoryBlob(sealed.signature) if sealed.signature else None
        return Arrival(name=file_name, data=sealed.data, signature=beside)

    def keys(self, name: str) -> BankKeys:
        return BankKeys(self.ring, name, self.now)

    def send(self, name: str, channel: SftpChannel, sequence: int = 1) -> str:
        """Put a request the way the bank's profile says, visible by its last step; its name."""
        own = self.profile(name)
        file_name, content = make_content(name, sequence, COUNT)
        arrival = self.seal(name, content, file_name)
        parts = own.part_names(file_name)
        pieces = [(parts.data, arrival.data)]
        if arrival.signature is not None:
            pieces.append((parts.signature, arrival.signature))
        if parts.flag:
            flag = own.flag_content(
                name=file_name,
                size_bytes=len(content),
                sha256=arrival.data.sha256,
                count=COUNT,
                total_minor=0,
            )
            pieces.append((parts.flag, MemoryBlob(flag)))
        folder = own.channel.outbox
        for final, blob in pieces:
            with blob.open() as source:
                channel.put(f"{folder}/{own.temporary_name(final)}", source, blob.size_bytes)
        for final, _ in pieces:
            if own.temporary_name(final) != final:
                channel.rename(f"{folder}/{own.temporary_name(final)}", f"{folder}/{final}")
        return file_name

    def fetch(self, name: str, channel: SftpChannel, path: str) -> bytes:
        sink = io.BytesIO()
        channel.get(f"{self.profile(name).channel.inbox}/{path}", sink, LIMIT)
        return sink.getvalue()

    def listed(self, name: str, channel: SftpChannel) -> list[str]:
        return [entry.name for entry in channel.list(self.profile(name).channel.inbox)]

    def statuses(self, name: str, channel: SftpChannel, result: str) -> list[Status]:
        """Statuses of a fetched result after its signature held."""
        own = self.profile(name)
        recognised = own.recognise(result)
        assert recognised is not None
        inbound = recognised[0]
        content = self.fetch(name, channel, result)
        beside = b""
        if signature_name := inbound.detached_signature_name(result):
            beside = self.fetch(name, channel, signature_name)
        steps, scratch = own.seal.in_steps(inbound.seal or []), StoreScratch(MemoryStore(), result)
        opened = unseal(MemoryBlob(content), beside, steps, self.keys(name), scratch, lambda blob: None)
        assert inbound.layout is not None
        chunks = REGISTRY.get(inbound.layout).decode(opened.content.open())
        return [status for chunk in chunks for status in chunk.columns["outcome.status"]]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return Ground(create_site(tmp_path_factory.mktemp("site"), datetime.now(UTC)))


@pytest.fixture
def clean(ground: Ground) -> Iterator[Ground]:
    """The same site with empty folders at the banks, which remember nothing."""
    yield ground
    for name in BANKS:
        for path in (*ground.site.bank(name).glob("files/*/*"), *ground.site.bank(name).glob("store/*")):
            path.unlink()


def served(name: str, *kinds: Kind, late_looks: int = 2) -> dict[str, Scenario]:
    return {
        name: Scenario(kinds=frozenset(kinds or {Kind.ALL_WELL}), late_looks=late_looks, share_per_mille=200)
    }


@each_bank
def test_a_request_is_answered_under_the_names_of_the_profile(clean: Ground, name: str) -> None:
    with (
        run_banks(clean.site, clean.configuration, served(name)) as servers,
        clean.open(name) as channel,
    ):
        sent = clean.send(name, channel)
        kinds = {}
        for listed in clean.listed(name, channel):
            recognised = clean.profile(name).recognise(listed)
            if recognised:
                kinds[recognised[0].kind] = listed
        assert set(kinds) == {"acknowledgement", "result"}
        assert clean.statuses(name, channel, kinds["result"]) == [Status.CREDITED] * COUNT
        truth = servers[name].bank.truth()
        assert (truth.files, truth.credited_count) == (1, COUNT)
        assert kinds["result"].startswith(sent.rpartition(".")[0])


@each_bank
def test_a_late_result_appears_after_its_looks(clean: Ground, name: str) -> None:
    with (
        run_banks(clean.site, clean.configuration, served(name, Kind.LATE)),
        clean.open(name) as channel,
    ):
        clean.send(name, channel)
        shown = []
        for _ in range(4):
            recognised = map(clean.profile(name).recognise, clean.listed(name, channel))
            shown.append(sorted(found[0].kind for found in recognised if found))
        assert shown == [["acknowledgement"]] * 2 + [["acknowledgement", "result"]] * 2


def test_parts_under_temporary_names_are_not_there_yet(clean: Ground) -> None:
    name = "city-bank"
    with (
        run_banks(clean.site, clean.configuration, served(name)) as servers,
        clean.open(name) as channel,
    ):
        file_name, content = make_content(name, 1, COUNT)
        own = clean.profile(name)
        channel.put(
            f"{own.channel.outbox}/{own.temporary_name(file_name)}", io.BytesIO(content), len(content)
        )
        assert clean.listed(name, channel) == []
        channel.rename(
            f"{own.channel.outbox}/{own.temporary_name(file_name)}", f"{own.channel.outbox}/{file_name}"
        )
        # The signature is still missing.
        assert clean.listed(name, channel) == []
        assert (servers[name].bank.truth().files, servers[name].bank.refusals) == (0, [])


def test_a_request_that_lies_there_at_the_start_is_taken(clean: Ground) -> None:
    name = "rural-credit"
    file_name, content = make_content(name, 1, COUNT)
    arrival = clean.seal(name, content, file_name)
    folder = clean.site.bank(name) / "files" / clean.profile(name).channel.outbox
    folder.mkdir(parents=True, exist_ok=True)
    parts = clean.profile(name).part_names(file_name)
    assert arrival.signature is not None
    (folder / parts.data).write_bytes(arrival.data.open().read())
    (folder / parts.signature).write_bytes(arrival.signature.open().read())
    (folder / parts.flag).write_bytes(b"")
    with run_banks(clean.site, clean.configuration, served(name)) as servers:
        servers[name].wait()
        assert servers[name].bank.truth().credited_count == COUNT


@each_bank
def test_a_bank_that_is_started_again_remembers(clean: Ground, name: str) -> None:
    """It pays nothing twice, says nothing twice, and still says what was due later."""
    inbox = clean.site.bank(name) / "files" / clean.profile(name).channel.inbox

    def said() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in inbox.iterdir()}

    with run_banks(clean.site, clean.configuration, served(name, Kind.LATE, Kind.FAILURES)) as servers:
        with clean.open(name) as channel:
            clean.send(name, channel)
            clean.listed(name, channel)
        truth, before = servers[name].bank.truth(), said()
    diary = clean.site.bank(name) / "store" / "diary.jsonl"
    diary.write_bytes(diary.read_bytes() + b'{"type":"arri')
    for path in inbox.iterdir():
        path.unlink()
    with run_banks(clean.site, clean.configuration, served(name)) as servers:
        with clean.open(name) as channel:
            # Listings that showed nothing new were not written down: all three count anew.
            assert clean.listed(name, channel) == clean.listed(name, channel) == []
            listed = clean.listed(name, channel)
            results = [
                one
                for one in listed
                if (found := clean.profile(name).recognise(one)) and found[0].kind == "result"
            ]
            assert Status.FAILED in clean.statuses(name, channel, results[0])
        assert servers[name].bank.truth() == truth
        assert set(said()).isdisjoint(before)
        assert servers[name].bank.scenario.kinds == {Kind.ALL_WELL}


def test_a_request_by_somebody_else_is_not_paid(clean: Ground) -> None:
    """Sealed for another bank: a good signature, but not one that this bank knows."""
    name = "rural-credit"
    lines: list[str] = []
    with (
        run_banks(clean.site, clean.configuration, served(name), lines.append) as servers,
        clean.open(name) as channel,
    ):
        file_name, content = make_content(name, 1, COUNT)
        own = clean.profile(name)
        parts = own.part_names(file_name)
        stranger = clean.ring.signer("iso-bank", clean.now)
        signature = sign_detached(io.BytesIO(content), stranger, clean.now)
        for part, block in ((parts.data, content), (parts.signature, signature), (parts.flag, b"x")):
            channel.put(f"{own.channel.outbox}/{part}", io.BytesIO(block), len(block))
        listed = clean.listed(name, channel)
        assert [found[0].kind for found in map(own.recognise, listed) if found] == ["acknowledgement"]
        assert servers[name].bank.truth().files == 0
    assert [line.partition(" signature:")[0] for line in lines] == [f"rural-credit: {file_name} rejected:"]


@each_bank
def test_nothing_outside_the_root_can_be_reached(clean: Ground, name: str) -> None:
    with run_banks(clean.site, clean.configuration, served(name)), clean.open(name) as channel:
        raw = channel._session
        for path in (b"/../keys/signing.pem", b"../keys/signing.pem", b"/to-bank/../../keys/signing.pem"):
            with pytest.raises(Exception, match="file"):
                raw.open(path, 1, "open")
        with pytest.raises(NotFound):
            channel.get("keys/signing.pem", io.BytesIO(), LIMIT)


@pytest.mark.parametrize(
    ("name", "change"),
    [("city-bank", {"password": "guess"}), ("rural-credit", {"user": "root"})],
)
def test_nobody_else_comes_in(clean: Ground, name: str, change: dict[str, str]) -> None:
    with (
        run_banks(clean.site, clean.configuration, served(name)),
        pytest.raises(AuthenticationRefused),
    ):
        open_sftp(clean.settings(name, **change))


def test_a_bank_shows_its_own_host_key(clean: Ground) -> None:
    with run_banks(clean.site, clean.configuration) as servers:
        own = clean.ring.host_pins("iso-bank")[0].split()[:2]
        assert servers["iso-bank"].host_key_line.split()[:2] == own
        settings = clean.settings("iso-bank")
        other = tuple(clean.ring.host_pins("city-bank"))
        with pytest.raises(HostKeyRefused):
            open_sftp(
                SftpSettings(
                    host=settings.host,
                    port=settings.port,
                    user=settings.user,
                    key_path=settings.key_path,
                    host_keys=other,
                )
            )


def test_a_port_that_is_taken_is_an_error_at_the_start(clean: Ground) -> None:
    with run_banks(clean.site, clean.configuration):
        second: BankServer = open_bank(clean.site.bank("iso-bank"), clean.configuration)
        with pytest.raises(OSError, match="address already in use"), second:
            pass


def test_serving_in_the_foreground_ends_at_an_interrupt(clean: Ground) -> None:
    server = open_bank(clean.site.bank("iso-bank"), clean.configuration)
    ports: list[int] = []

    def interrupt(port: int) -> None:
        ports.append(port)
        signal.raise_signal(signal.SIGINT)

    serve(server, interrupt)
    assert ports == [clean.profile("iso-bank").channel.port]
    with pytest.raises(ChannelError):
        clean.open("iso-bank")


def _send_and_wait(ground: Ground, name: str, announce: Callable[[str], None]) -> None:
    with run_banks(ground.site, ground.configuration, served(name), announce) as servers:
        with ground.open(name) as channel:
            ground.send(name, channel)
        servers[name].wait()


def test_a_mistake_in_the_bank_itself_is_not_swallowed(clean: Ground) -> None:
    name = "rural-credit"

    def explode(line: str) -> None:
        raise ZeroDivisionError(line)

    with pytest.raises(ZeroDivisionError, match="taken"):
        _send_and_wait(clean, name, explode)


def test_a_folder_that_is_no_bank_is_told_with_its_mistakes(clean: Ground, tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong, match=r"simulator\.toml"):
        open_bank(tmp_path, clean.configuration)
    (tmp_path / "simulator.toml").write_text('bank = "iso-bank"\nscenaro = "late"\n')
    with pytest.raises(SettingsWrong, match="line 2 scenaro") as raised:
        open_bank(tmp_path, clean.configuration)
    assert "keys" in str(raised.value)


def test_after_the_end_nobody_listens(clean: Ground) -> None:
    with run_banks(clean.site, clean.configuration):
        pass
    with pytest.raises(ChannelError):
        clean.open("iso-bank")


def test_a_second_site_does_not_overwrite_the_first(ground: Ground, tmp_path: Path) -> None:
    with pytest.raises(FileExistsError, match="is not empty"):
        create_site(ground.site.folder, ground.now)
