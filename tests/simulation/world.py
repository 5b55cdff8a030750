"""One gateway in a simulated world: disk, clock, randomness, banks; it can die and start again."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import msgspec
from sqlalchemy import Connection

from channels.channel import Channel
from formats.registry import Registry
from gateway.api import Gateway
from gateway.config import Configuration, load_configuration
from gateway.demonstration.site import Site, create_site
from gateway.demonstration.site_keys import PLATFORM_CERTIFICATE, PLATFORM_KEY
from gateway.installation import Installation
from gateway.ledger import Ledger, Transaction
from gateway.log import open_log
from gateway.profile import Limits, Profile
from gateway.simulator.bank import SimulatedBank
from gateway.simulator.forms import Desk
from gateway.simulator.scenario import Kind, Scenario
from gateway.simulator.settings import read_desk, read_seals, read_settings
from gateway.simulator.store import MemoryStore
from gateway.simulator.support import supported
from gateway.spool import Spool
from keys.keyring import Keyring
from keys.private import load_signer
from tests.simulation.disk import SimulatedDisk
from tests.simulation.faults import Fault, Faults
from tests.simulation.server import SimulatedChannel, SimulatedServer

START = datetime(2026, 9, 7, 1, 0, tzinfo=UTC)
"""A Monday, 9 o'clock at the banks."""


class SimulatedClock:
    """Stands still until the history moves it, backwards too."""

    def __init__(self) -> None:
        self.instant = START

    def now(self) -> datetime:
        return self.instant


class SimulatedRandomness:
    def __init__(self, random: Random) -> None:
        self._random = random

    def token(self) -> str:
        return f"{self._random.getrandbits(128):032x}"


class SimulatedLedger(Ledger):
    """Real SQLite whose commits can be the process's last act."""

    def __init__(self, path: Path, faults: Faults) -> None:
        self.faults = faults
        super().__init__(path)

    @contextmanager
    def write(self, connection: Connection | None = None) -> Iterator[Transaction]:
        fault = None
        with super().write(connection) as transaction:
            yield transaction
            fault = self.faults.at("ledger commit")
            if fault is Fault.NO_SPACE:
                raise OSError(errno.ENOSPC, "no space left on device")
        if fault is Fault.CRASH_AFTER:
            self.faults.die()


class Base:
    """What all histories share: keys, configuration and an empty ledger, made once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site: Site = create_site(folder / "site", START)
        self.configuration: Configuration = load_configuration(self.site.configuration)
        self.keyring = Keyring.load(self.configuration.keys, self.configuration.environment)
        department = self.site.batch.parent
        self.platform = load_signer("platform", department / PLATFORM_KEY, department / PLATFORM_CERTIFICATE)
        self.persons = {
            name: load_signer(name, department / "persons" / f"{name}.pem")
            for name in self.configuration.persons
        }
        self.empty_ledger = folder / "empty.sqlite"
        Ledger(self.empty_ledger).close()
        self.log, self.log_file = open_log(folder / "log")
        self.codecs = Registry()


class World:
    """One history's world."""

    def __init__(self, base: Base, random: Random, faults: Faults, banks: list[str]) -> None:
        self.base = base
        self.faults = faults
        self.random = random
        self.clock = SimulatedClock()
        self.disk = SimulatedDisk(faults)
        self.path = base.folder / f"ledger-{random.getrandbits(64):016x}.sqlite"
        shutil.copyfile(base.empty_ledger, self.path)
        profiles = {name: self._profile(name) for name in banks}
        self.configuration = msgspec.structs.replace(base.configuration, profiles=profiles)
        self.servers = {name: self._server(name, profiles[name]) for name in banks}
        self.crashes = 0

    def _profile(self, name: str) -> Profile:
        profile = self.base.configuration.profiles[name]
        channel = msgspec.structs.replace(
            profile.channel, archive=None, bank_keeps_files=self.random.random() < 0.5
        )
        limits = msgspec.structs.replace(profile.limits, records_per_file=self.random.choice([1, 3, 7, 100]))
        assert isinstance(limits, Limits)
        return msgspec.structs.replace(profile, channel=channel, limits=limits)

    def _server(self, name: str, profile: Profile) -> SimulatedServer:
        folder = self.base.site.bank(name)
        seals = read_seals(folder, read_settings(folder), profile)
        desk = read_desk(profile)
        bank = SimulatedBank(desk, seals, MemoryStore(), self._scenario(desk))
        return SimulatedServer(bank, profile, self.clock.now())

    def _scenario(self, desk: Desk) -> Scenario:
        """Up to three behaviours that the bank's layouts can write."""
        random = self.random
        possible = [kind for kind in supported(desk) if kind is not Kind.ALL_WELL]
        chosen = random.sample(possible, random.choice([0, 1, 1, 2, 3]))
        return Scenario(
            kinds=frozenset(chosen) or frozenset({Kind.ALL_WELL}),
            seed=random.getrandbits(32),
            share_per_mille=random.choice([50, 200, 400]),
            late_looks=random.randint(1, 4),
        )

    def start(self) -> Gateway:
        """A new process on what the old one left."""
        self.faults.dead = False
        randomness = SimulatedRandomness(self.random)
        masters = self.base.keyring.masters()
        return Gateway(
            Installation(
                configuration=self.configuration,
                ledger=SimulatedLedger(self.path, self.faults),
                spool=Spool(self.disk, masters, randomness),
                masters=masters,
                keyring=self.base.keyring,
                codecs=self.base.codecs,
                clock=self.clock,
                randomness=randomness,
                open_channel=self._open_channel,
                log=self.base.log,
            )
        )

    def crash(self) -> None:
        """Forget what was not durable."""
        self.crashes += 1
        self.disk.crash()

    def advance(self, minutes: float) -> None:
        self.clock.instant += timedelta(minutes=minutes)
        for server in self.servers.values():
            server.now = max(server.now, self.clock.instant)
            server.notice()

    def close(self) -> None:
        for path in self.path.parent.glob(self.path.name + "*"):
            path.unlink()

    def _open_channel(self, profile: Profile) -> Channel:
        return SimulatedChannel(self.servers[profile.bank], self.faults)
