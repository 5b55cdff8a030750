"""One gateway in a simulated world: disk, ledger, clock, banks, anchor; it can die and start again."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random

import structlog
from msgspec import Struct
from msgspec.structs import replace
from structlog.typing import FilteringBoundLogger

from channels.channel import Channel
from channels.errors import AuthenticationRefused, Unreachable
from formats.records import PayeeKind
from formats.registry import Registry
from gateway.api import Gateway
from gateway.configuration.agreement import WEEKDAYS, Agreement, Window
from gateway.configuration.config import Configuration, Policy, load_configuration
from gateway.configuration.profile import Limits, Profile
from gateway.demonstration.site import Site, create_site
from gateway.demonstration.site_keys import PLATFORM_CERTIFICATE, PLATFORM_KEY
from gateway.installation import Installation
from gateway.rules.catalogue import Catalogue, Programme
from gateway.simulator.forms import Desk
from gateway.simulator.scenario import Kind, Scenario
from gateway.simulator.seals import BankSeals
from gateway.simulator.settings import read_desk, read_seals, read_settings
from gateway.simulator.support import supported
from gateway.store.spool import Spool
from keys.certificates import Trust
from keys.keyring import Keyring
from keys.private import load_signer
from tests.simulation.bank import TellingBank
from tests.simulation.books import Attempt
from tests.simulation.channel import SimulatedChannel
from tests.simulation.clock import CLOSES, EARLIEST, OPENS, SimulatedClock, SimulatedRandomness
from tests.simulation.disk import SimulatedDisk
from tests.simulation.faults import Faults
from tests.simulation.ledger import SimulatedLedger
from tests.simulation.script import BankTraits, Traits
from tests.simulation.server import BankServer, Folders

ANCHOR = "anchor"


class Base:
    """What all histories of a process share: keys, configuration and an empty ledger, made once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site: Site = create_site(folder / "site", EARLIEST, judged=True)
        self.configuration: Configuration = load_configuration(self.site.configuration)
        self.keyring = Keyring.load(self.configuration.keys, self.configuration.environment)
        department = self.site.batch.parent
        self.platform = load_signer("platform", department / PLATFORM_KEY, department / PLATFORM_CERTIFICATE)
        self.persons = {
            name: load_signer(name, department / "persons" / f"{name}.pem")
            for name in self.configuration.persons
        }
        self.ledger = SimulatedLedger(folder / "ledger.sqlite")
        self.empty_ledger = self.ledger.copy()
        self.log: FilteringBoundLogger = structlog.wrap_logger(
            structlog.ReturnLogger(), wrapper_class=structlog.make_filtering_bound_logger("critical")
        )
        self.codecs = Registry()

    @functools.cache  # noqa: B019  # a base lives as long as its process
    def bank(self, name: str) -> tuple[Desk, BankSeals]:
        """A bank's forms and keys."""
        folder, profile = self.site.bank(name), self.configuration.profiles[name]
        return read_desk(profile), read_seals(folder, read_settings(folder), profile)

    def close(self) -> None:
        self.ledger.close()


class World:
    """One history's world. `meanwhile` is what somebody else does while a line is being used."""

    def __init__(self, base: Base, faults: Faults, traits: Traits) -> None:
        self.base = base
        self.faults = faults
        self.traits = traits
        self.clock = SimulatedClock(faults)
        self.randomness = SimulatedRandomness()
        self.disk = SimulatedDisk(faults)
        self.ledger = base.ledger
        self.ledger.faults = faults
        self.ledger.put(base.empty_ledger)
        profiles = {bank.bank: _profile(base, bank) for bank in traits.banks}
        self.configuration = _configuration(base, traits, profiles)
        self.servers = {bank.bank: self._server(bank, profiles[bank.bank]) for bank in traits.banks}
        self.anchor = Folders()
        self.anchor_stuck = ""
        """Why nobody reaches the anchor; "" while it is well."""
        self.crashes = 0
        self.meanwhile: Callable[[float], None] = _nothing
        self.distrusted: set[str] = set()
        """Banks whose certificate is missing in the ring."""
        self.lost: dict[str, list[Attempt]] = {}
        """Attempts, by payment, in files which the ledger has forgotten."""
        self.lost_files: set[tuple[str, str]] = set()
        self._backup: _Backup | None = None

    def start(self) -> Gateway:
        """A new process on what the old one left."""
        base = self.base
        masters = base.keyring.masters()
        return Gateway(
            Installation(
                configuration=self.configuration,
                ledger=self.ledger,
                spool=Spool(self.disk, masters, self.randomness),
                masters=masters,
                keyring=_Ring(base.keyring, self.distrusted),
                codecs=base.codecs,
                clock=self.clock,
                randomness=self.randomness,
                open_channel=self._open_channel,
                log=base.log,
                open_anchor=self._open_anchor if self.traits.anchor else None,
            )
        )

    def list_programmes(self) -> None:
        """The catalogue has everything from now on."""
        if self.traits.catalogue:
            catalogue = listed(self.base.configuration.catalogue)
            self.configuration = replace(self.configuration, catalogue=catalogue)

    def crash(self, random: Random) -> None:
        """Forget what was not durable."""
        self.crashes += 1
        self.disk.crash(random)

    # Backups.

    def back_up(self) -> None:
        """What `bankgate backup` takes: the ledger, and every finished file of the spool."""
        with self.ledger.read() as transaction:
            row = transaction.one("SELECT COALESCE(MAX(event_pk), 0) AS event FROM event")
        assert row is not None
        self._backup = _Backup(self.ledger.copy(), self.disk.copy(), row.event)

    @property
    def anchor_knows_more(self) -> bool:
        """Whether the anchor has a head of an event that the backup lacks."""
        if self._backup is None or not self.traits.anchor or self.anchor_stuck:
            return False
        known = max(
            (int(name.split("-")[-2]) for name in self.anchor.files if name.endswith(".head")), default=0
        )
        return known > self._backup.event

    def go_back(self) -> bool:
        """Ledger and spool are those of the backup; False where there is none."""
        if self._backup is None:
            return False
        before = self._attempts("")
        self.ledger.put(self._backup.ledger)
        self.disk.put(self._backup.spool)
        # A file that was only planned then may have been made and sent since.
        after = self._attempts(" WHERE file.state <> 'planned'")
        for attempt, payment_id in before.items():
            if attempt not in after:
                self.lost.setdefault(payment_id, []).append(attempt)
                self.lost_files.add(attempt[:2])
        return True

    def _attempts(self, condition: str) -> dict[Attempt, str]:
        with self.ledger.read() as transaction:
            rows = transaction.all(
                "SELECT file.bank, file.name, item, payment_id FROM attempt JOIN file USING (file_pk)"
                f" JOIN payment USING (payment_pk){condition}"
            )
        return {(row.bank, row.name, row.item): row.payment_id for row in rows}

    # Time.

    def advance(self, minutes: float) -> None:
        """Time passes for everybody; negative: only the gateway's clock is set back."""
        self.clock.instant = max(EARLIEST, self.clock.instant + timedelta(minutes=minutes))
        self.pass_time()

    def pass_time(self) -> None:
        """The banks do what they do in their own time."""
        for server in self.servers.values():
            server.snapshot()
            server.pass_time(self.clock.instant)
        self.anchor.snapshot()

    def play(self, bank: str, traits: BankTraits) -> None:
        """The bank behaves like this from now on."""
        server = self.servers[bank]
        server.bank.play(scenario_of(server.bank.desk, traits))

    def _server(self, bank: BankTraits, profile: Profile) -> BankServer:
        desk, seals = self.base.bank(bank.bank)
        desk = replace(desk, profile=profile)
        telling = TellingBank(desk, seals, scenario_of(desk, bank))
        return BankServer(telling, profile, self.faults, self.clock.instant, takes_at_once=bank.takes_at_once)

    def _open_channel(self, profile: Profile) -> Channel:
        traits = next(bank for bank in self.traits.banks if bank.bank == profile.bank)
        hidden = "" if traits.may_be_read else f"{profile.channel.outbox}/"
        return SimulatedChannel(
            self.servers[profile.bank], self.faults, "bank", self._somebody_else, hidden=hidden
        )

    def _open_anchor(self) -> Channel:
        channel = SimulatedChannel(self.anchor, self.faults, ANCHOR, self._somebody_else)
        if self.anchor_stuck == "refused":
            raise AuthenticationRefused("simulated: the anchor refuses us")
        if self.anchor_stuck:
            raise Unreachable("simulated: the anchor is stuck")
        return channel

    def _somebody_else(self, dice: float) -> None:
        with self.faults.suspended():
            self.meanwhile(dice)


class _Backup(Struct, frozen=True):
    """Content of the ledger, finished files of the spool by name, number of the last event."""

    ledger: bytes
    spool: dict[str, bytes]
    event: int


class _Ring(Keyring):
    """The ring of the base, in which the certificates of some banks are missing."""

    def __init__(self, ring: Keyring, distrusted: set[str]) -> None:
        self.__dict__.update(ring.__dict__)
        self._distrusted = distrusted

    def trust(self, bank: str) -> Trust:
        trust = super().trust(bank)
        if bank in self._distrusted:
            return Trust(trust.owner, trust.environment, [])
        return trust


def scenario_of(desk: Desk, traits: BankTraits) -> Scenario:
    """The behaviours that the bank's layouts can write."""
    possible = frozenset(supported(desk)) & frozenset(traits.kinds)
    return Scenario(
        kinds=possible or frozenset({Kind.ALL_WELL}),
        seed=traits.seed,
        share_per_mille=traits.share_per_mille,
        late_looks=traits.late_looks,
        late_hours=traits.late_hours,
    )


def _profile(base: Base, bank: BankTraits) -> Profile:
    profile = base.configuration.profiles[bank.bank]
    limits = replace(profile.limits, records_per_file=bank.records_per_file, file_bytes=bank.file_bytes)
    assert isinstance(limits, Limits)
    return replace(
        profile,
        channel=replace(
            profile.channel,
            archive=profile.channel.archive if bank.archive else None,
            bank_keeps_files=bank.keeps_files,
        ),
        limits=limits,
        retry=replace(profile.retry, bound=bank.retry_bound),
    )


def _configuration(base: Base, traits: Traits, profiles: dict[str, Profile]) -> Configuration:
    configuration = base.configuration
    window = Window(days=list(WEEKDAYS), opens=f"{OPENS:02d}:00", closes=f"{CLOSES:02d}:00")
    agreements: dict[tuple[str, str], list[Agreement]] = {
        key: [replace(one, windows=[window] if traits.windows else []) for one in group]
        for key, group in configuration.agreements.items()
    }
    return replace(
        configuration,
        profiles=profiles,
        agreements=agreements,
        catalogue=lacking(configuration.catalogue) if traits.catalogue else None,
        platforms={
            name: replace(platform, require_signature=traits.platform_must_sign)
            for name, platform in configuration.platforms.items()
        },
        intake=replace(configuration.intake, policy=Policy.SET_ASIDE),
        anchor=configuration.anchor if traits.anchor else None,
    )


def lacking(catalogue: Catalogue | None) -> Catalogue:
    """A catalogue without every other programme."""
    assert catalogue is not None
    return _of(catalogue, catalogue.content.programme[::2])


def listed(catalogue: Catalogue | None) -> Catalogue:
    """The same with what it lacked, half of that for organisations only."""
    assert catalogue is not None
    programmes = [
        replace(programme, payee=[PayeeKind.ORGANISATION]) if place % 4 == 1 else programme
        for place, programme in enumerate(catalogue.content.programme)
    ]
    return _of(catalogue, programmes)


def _of(catalogue: Catalogue, programmes: list[Programme]) -> Catalogue:
    spellings = {spelling: one for one in programmes for spelling in one.spellings}
    return Catalogue(replace(catalogue.content, programme=programmes), spellings)


def _nothing(_dice: float) -> None:
    pass
