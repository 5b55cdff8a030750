"""One gateway with its banks for one history: real folders, real SQLite, banks behind a real sshd.

The gateway's commands run as processes (`launcher`); the banks are models that work on the
folders that sshd shows. Persons decide by what the bank really did, as the bank would tell
them in writing. At the end the auditor of the simulated histories compares the books.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import msgspec
import pytest
from msgspec import Struct

from formats.records import Batch
from formats.standard import FileFormat, write_batch
from gateway import Gateway
from gateway.demonstration import site_keys
from gateway.demonstration.plan import PLATFORM
from gateway.demonstration.site import Site, create_site
from gateway.demonstration.site_keys import PLATFORM_CERTIFICATE, PLATFORM_KEY
from gateway.errors import GatewayError
from gateway.persons.exhibits import attach
from gateway.persons.held import HeldItem
from gateway.simulator.bank import SimulatedBank
from gateway.simulator.diary import Arrived, Diary
from gateway.simulator.front import STORE, Front
from gateway.simulator.scenario import Scenario, make_scenario
from gateway.simulator.settings import read_seals, read_settings
from gateway.simulator.store import FolderStore
from keys.cms import sign_detached
from keys.private import load_signer
from keys.statement import sign_statement
from tests.gateway.sites import CITY, ISO, RURAL, edit, payments_of
from tests.kills.auditor import Auditor
from tests.kills.launcher import Ended, Launcher, Process
from tests.kills.process import Order
from tests.servers import OpenSshServer
from tests.simulation.auditor import Violation
from tests.simulator.banks import desk

BANKS = (RURAL, CITY, ISO)
NOW = datetime(2026, 9, 1, 2, 0, tzinfo=UTC)
PERSONS = ("reviewer-a", "reviewer-b")
MIGRATED = "migrated.sqlite"
HUNG_UP = "the server closed the connection instead of answering"
"""A connection that ends while a login waits for its answer counts as a refusal: a person decides."""
_TURN = timedelta(minutes=7)
"""Between two runs: longer than the first waits after a fault, and than two looks at a file."""
_MOST_TURNS = 40
_QUIET_TURNS = 2
_FAILURES_PER_MILLE = 250


class Habits(Struct, frozen=True):
    """How the banks of a history treat what is put there."""

    keeps: bool = True
    """What we put stays visible; else it is gone once the bank has taken it."""
    eager: bool = False
    """The bank looks at its folder all the time; else only between two of our commands."""


def make_master(folder: Path, server: OpenSshServer) -> Site:
    """A site whose banks are folders of one sshd, and which has no ledger yet."""
    site = _create_site(folder)
    gateway = site.configuration.parent
    for path in (gateway / "agreements").glob("*.toml"):
        if payments_of(RURAL, 1)[0].department not in path.read_text("utf-8"):
            path.unlink()
    shutil.copyfile(server.client_key_path, gateway / "keys" / "login")
    (gateway / "keys" / "login").chmod(0o600)
    ring = site.configuration.with_name("keys.toml")
    text = re.sub(r'pins = \[".*"\]', f'pins = ["{server.host_key_line}"]', ring.read_text("utf-8"))
    text = re.sub(r'private_key = "keys/[a-z-]+-login"', 'private_key = "keys/login"', text)
    text = re.sub(r"login_password = \{.*\}", 'private_key = "keys/login"', text)
    ring.write_text(text, "utf-8")
    # A history that is not about the first start begins with this ledger.
    Gateway.open(site.configuration).close()
    site.configuration.with_name("ledger.sqlite").rename(folder / MIGRATED)
    shutil.rmtree(gateway / "spool")
    return site


def _create_site(folder: Path) -> Site:
    """With short keys: an RSA key is checked whenever a process loads it, longer than all the rest takes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site_keys, "_SIGNING_KEY", "ec-p256")
        return create_site(folder, NOW)


class Scene:
    """A copy of the master site with some of its banks, and a clock that is turned by hand."""

    def __init__(
        self,
        master: Site,
        folder: Path,
        launcher: Launcher,
        server: OpenSshServer,
        *,
        banks: Sequence[str] = BANKS,
        habits: Habits | None = None,
        port: int | None = None,
        payments: int = 3,
        per_file: int = 2,
        timeout_seconds: int = 30,
        bug: str = "",
    ) -> None:
        shutil.copytree(master.folder, folder)
        self.site = Site(folder)
        self.configuration = self.site.configuration
        self.gateway_folder = self.configuration.parent
        self.ledger_path = self.gateway_folder / "ledger.sqlite"
        self.habits = habits or Habits()
        self.now = NOW
        self.fronts: dict[str, Front] = {}
        self.decided: Counter[str] = Counter()
        """Decisions that persons had to make, by kind of object and decision."""
        self._launcher = launcher
        self._bug = bug
        self._settings = (
            f"port             = {port or server.port}\n"
            f'user             = "{server.user}"\n'
            f"timeout_seconds  = {timeout_seconds}\n"
            f"connect_timeout_seconds = {timeout_seconds}\n"
        )
        self._per_file = per_file
        for bank in BANKS:
            if bank in banks:
                self._open_bank(bank)
            else:
                self._forget(bank)
        self.payments = [one for bank in banks for one in payments_of(bank, payments, prefix=bank)]
        self.batch = self._write_batch()
        self.auditor = Auditor(self.fronts)
        self.auditor.payments = {payment.payment_id: payment for payment in self.payments}

    # Before the history begins.

    def _open_bank(self, name: str) -> None:
        profile = self.profile_path(name)
        text = profile.read_text("utf-8")
        text = re.sub(r"port +=.*\nuser +=.*\nauthentication +=.*\n", self._settings, text)
        text = text.replace(
            "[channel]\n", f'[channel]\nroot             = "{self.site.bank(name) / "files"}"\n'
        )
        profile.write_text(text, "utf-8")
        edit(profile, "records_per_file = 100000", f"records_per_file = {self._per_file}")
        if not self.habits.keeps:
            edit(profile, "bank_keeps_files = true", "bank_keeps_files = false")
        self.restart_bank(name)

    def restart_bank(self, name: str) -> None:
        """The bank as it is from its folder; it knows what it took before."""
        shipped = desk(name)
        channel = msgspec.structs.replace(shipped.profile.channel, bank_keeps_files=self.habits.keeps)
        own = msgspec.structs.replace(
            shipped, profile=msgspec.structs.replace(shipped.profile, channel=channel)
        )
        folder = self.site.bank(name)
        bank = SimulatedBank(
            own,
            read_seals(folder, read_settings(folder), own.profile),
            FolderStore(folder / STORE),
            self._scenario(),
        )
        self.fronts[name] = Front(bank, folder, lambda: self.now)

    def _scenario(self) -> Scenario:
        return make_scenario("failures", share_per_mille=_FAILURES_PER_MILLE)

    def _forget(self, bank: str) -> None:
        self.profile_path(bank).unlink()
        for path in (self.gateway_folder / "agreements").glob(f"{bank}-*.toml"):
            path.unlink()
        ring = self.gateway_folder / "keys.toml"
        entries = ring.read_text("utf-8").split("[[key]]")
        ring.write_text("[[key]]".join(one for one in entries if f'bank = "{bank}"' not in one), "utf-8")

    def _write_batch(self) -> Path:
        batch = Batch(
            batch_id="B-0001",
            source_platform=PLATFORM,
            declared_count=len(self.payments),
            declared_total_minor=sum(payment.amount_minor for payment in self.payments),
        )
        path = self.site.batch
        write_batch(path, batch, self.payments, FileFormat.CSV)
        folder = path.parent
        signer = load_signer("platform", folder / PLATFORM_KEY, folder / PLATFORM_CERTIFICATE)
        with path.open("rb") as source:
            self.site.signature.write_bytes(sign_detached(source, signer, self.now))
        return path

    def use_migrated_ledger(self) -> None:
        shutil.copyfile(self.site.folder / MIGRATED, self.ledger_path)

    def profile_path(self, bank: str) -> Path:
        return self.gateway_folder / "profiles" / f"{bank}.toml"

    # What happens in it.

    def arguments(self, command: str) -> list[str]:
        given = [str(self.batch)] if command == "submit" else []
        return [command, *given, "--config", str(self.configuration)]

    def start(self, command: str, *, stepped: bool = True, largest_file_bytes: int | None = None) -> Process:
        """A command as a process."""
        order = Order(
            arguments=self.arguments(command),
            at=self.now,
            stepped=stepped,
            largest_file_bytes=largest_file_bytes,
            bug=self._bug,
        )
        return Process(self._launcher, order)

    def command(self, command: str, largest_file_bytes: int | None = None) -> Ended:
        """The same from its start to its end, without steps."""
        return self.start(command, stepped=False, largest_file_bytes=largest_file_bytes).end()

    def banks_work(self) -> None:
        """Every bank takes what is complete; files of which a part is missing are not there yet."""
        for front in self.fronts.values():
            front.notice()

    def pass_time(self) -> None:
        """The banks work and answer, and some minutes go by."""
        self.banks_work()
        for front in self.fronts.values():
            front.look()
        self.now += _TURN

    def finish(self) -> None:
        """From wherever a crash left it to the end, without any flag or repair; then audit.

        The department hands the batch over until it is taken. Raises `Violation`.
        """
        self._expect(self.command("submit"), "submit")
        quiet = 0
        before: object = None
        with self.open() as gateway:
            for _ in range(_MOST_TURNS):
                self._expect(self.command("run"), "run")
                self.pass_time()
                after = self._look(gateway)
                quiet = quiet + 1 if after == before else 0
                before = after
                if quiet == _QUIET_TURNS:
                    break
            else:
                raise Violation("the history does not come to rest")
            self._expect(self.command("submit"), "submit")
            self._audit(gateway)

    def _expect(self, ended: Ended, command: str) -> None:
        """In calm weather: 0, 1 where a person is needed, or a bank on hold since a login broke off."""
        if ended.code not in (0, 1) and not (ended.code == 4 and HUNG_UP in ended.output):
            raise Violation(f"{command} ended with {ended.code}: {ended.output}")

    def _look(self, gateway: Gateway) -> object:
        """Persons decide, the auditor looks; what would change if anything still happened."""
        for item in gateway.held():
            self._decide(gateway, item)
        self.auditor.look(gateway)
        with gateway.installation.ledger.read() as transaction:
            row = transaction.one("SELECT COUNT(*) AS events FROM event")
        assert row is not None
        return row.events, sum(front.waiting for front in self.fronts.values())

    def files(self) -> list[tuple[str, str]]:
        """Names and states of our files, oldest first."""
        with closing(sqlite3.connect(self.ledger_path)) as database:
            return database.execute("SELECT name, state FROM file ORDER BY file_pk").fetchall()

    def states(self) -> list[str]:
        return [state for _, state in self.files()]

    def open(self) -> Gateway:
        """The gateway as a library in this process, for persons and the auditor."""
        return Gateway.open(self.configuration, clock=_Clock(self))

    # Persons.

    def _decide(self, gateway: Gateway, item: HeldItem) -> None:
        decision = self._decision(item)
        if decision is None:
            return
        self.decided[f"{item.object.partition(':')[0]} {decision}"] += 1
        for person in PERSONS:
            if self.sign(gateway, item.object, decision, person):
                return

    def _decision(self, item: HeldItem) -> str | None:
        """What a person who asked the bank would sign; None while the next run may still see for itself."""
        kind, _, name = item.object.partition(":")
        ways = {way.decision for way in item.ways}
        if kind == "bank":
            return "clear"
        if kind == "file" and "arrived" in ways:
            if "the next run looks" in item.message:
                return None
            bank, _, file_name = name.partition("/")
            return "arrived" if self.fronts[bank].bank.took(file_name) else "not-received"
        raise Violation(f"a person is asked about {item.object}: {item.message}")

    def _letter(self, gateway: Gateway, about: str, decision: str) -> str:
        """What the bank has written, where the decision rests on it."""
        if not any(way.needs_exhibit for way in gateway.ways(about) if way.decision == decision):
            return ""
        return attach(gateway.installation, BytesIO(f"{about}: {decision}".encode()), "letter")

    def sign(self, gateway: Gateway, about: str, decision: str, person: str) -> bool:
        try:
            exhibit = self._letter(gateway, about, decision)
            statement = gateway.statement(about, decision, person, exhibit=exhibit)
            signer = load_signer(person, self.batch.parent / "persons" / f"{person}.pem")
            return gateway.decide(statement, sign_statement(signer, statement.to_bytes()))
        except GatewayError:
            return False

    # The end.

    def _audit(self, gateway: Gateway) -> None:
        self.auditor.finished(gateway)
        self._everything_is_answered(gateway)
        self._every_file_went_once(gateway)
        self._nothing_half_done_lies_about()

    def _everything_is_answered(self, gateway: Gateway) -> None:
        """Each payment ended as the bank's own books say, and every yuan of it is there."""
        truth = {
            paid.account: paid.credited_minor
            for front in self.fronts.values()
            for paid in front.bank.paid()
            if paid.credited_minor
        }
        told = {
            one.payment_id: one.credited_minor if one.status == "credited" else 0
            for one in gateway.outcomes(only_current=True)
            if one.status in ("credited", "failed")
        }
        meant = {payment.payment_id: truth.get(payment.account, 0) for payment in self.payments}
        if told != meant:
            raise Violation(f"the outcomes {told} are not what the banks did: {meant}")

    def _every_file_went_once(self, gateway: Gateway) -> None:
        for name, front in self.fronts.items():
            arrived = Counter(
                event.name
                for event in Diary(self.site.bank(name) / STORE).read()
                if isinstance(event, Arrived)
            )
            settled = {file.name for file in gateway.files() if file.bank == name and file.state == "settled"}
            if arrived != Counter(settled):
                raise Violation(f"{name}: settled are {sorted(settled)}, arrived are {dict(arrived)}")
            if front.bank.refusals:
                raise Violation(f"{name} refused {front.bank.refusals}")

    def _nothing_half_done_lies_about(self) -> None:
        left = list((self.gateway_folder / "spool" / "temporary").glob("*"))
        if left:
            raise Violation(f"the spool keeps unfinished files: {left}")


class _Clock:
    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def now(self) -> datetime:
        return self._scene.now
