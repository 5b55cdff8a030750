"""A gateway with real ledger, spool and keys, and simulated banks behind folders or real SFTP.

The clock is turned by hand; banks look at their folders when they are told to. Nothing here
replaces a part of the gateway.
"""

from __future__ import annotations

import functools
import io
import os
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec

from formats.records import AccountKind, Batch, PayeeKind, PayeeRole, Payment
from formats.standard import FileFormat, write_batch
from gateway import Gateway, Outcome, Statement, Status
from gateway.configuration.profile import Profile
from gateway.demonstration.payments import Order, make_payment
from gateway.demonstration.people import BANKS, make_account
from gateway.demonstration.plan import FIELDS, PLATFORM
from gateway.demonstration.site import Site, create_site
from gateway.simulator.bank import SimulatedBank
from gateway.simulator.forms import Desk
from gateway.simulator.front import STORE, Front
from gateway.simulator.scenario import Scenario, make_scenario
from gateway.simulator.seals import BankSeals
from gateway.simulator.settings import read_desk, read_seals, read_settings
from gateway.simulator.store import FolderStore, MemoryBlob, MemoryStore
from keys.cms import sign_detached
from keys.private import load_signer
from keys.signer import Signer
from keys.statement import sign_statement
from tests.simulator.banks import desk

NOW = datetime(2026, 9, 1, 2, 0, tzinfo=UTC)
CITY, ISO, RURAL = "city-bank", "iso-bank", "rural-credit"
DEPARTMENT = FIELDS[0].department
PROGRAMME = FIELDS[0].programmes[0].name
PERIOD = "2026-T2"
PERSONS = ("reviewer-a", "reviewer-b")
_HOUSEHOLD_FIELDS = (
    "payee_name",
    "payee_id",
    "household_id",
    "designation_reference",
    "custodian_name",
    "custodian_id",
    "custody_ground",
)
_SFTP_BLOCK = re.compile(r'kind +?= "sftp"\n.*?(?=outbox)', re.DOTALL)


class HandClock:
    """A clock that stands until it is turned."""

    def __init__(self, now: datetime = NOW) -> None:
        self.moment = now

    def now(self) -> datetime:
        return self.moment

    def turn(self, **delta: float) -> None:
        self.moment += timedelta(**delta)


def make_master(folder: Path, *, every_department: bool = False) -> Site:
    """A site whose banks are folders, with a ledger that is migrated already."""
    site = create_site(folder, NOW)
    profiles = site.configuration.parent / "profiles"
    for path in profiles.glob("*.toml"):
        root = f"../banks/{path.stem}/files"
        path.write_text(
            _SFTP_BLOCK.sub(f'kind = "folder"\nroot = "{root}"\n', path.read_text("utf-8")), "utf-8"
        )
        for name in ("to-bank", "from-bank", "archive"):
            (site.bank(path.stem) / "files" / name).mkdir(parents=True)
    for path in (site.configuration.parent / "agreements").glob("*.toml"):
        if not every_department and DEPARTMENT not in path.read_text("utf-8"):
            path.unlink()
    edit(site.configuration, "require_signature = true", "require_signature = false")
    Gateway.open(site.configuration).close()
    return site


def edit(path: Path, old: str, new: str) -> None:
    """Replace the one place where the file says `old`."""
    text = path.read_text("utf-8")
    assert text.count(old) == 1, (path, old, text.count(old))
    path.write_text(text.replace(old, new), "utf-8")


class Ground:
    """One copy of the site, with everything a test does to it."""

    def __init__(self, master: Site, folder: Path) -> None:
        shutil.copytree(master.folder, folder)
        self.site = Site(folder)
        self.clock = HandClock()
        self.fronts: dict[str, Front] = {}
        self._batches = 0

    # The gateway.

    @contextmanager
    def open(self) -> Iterator[Gateway]:
        with Gateway.open(self.site.configuration, clock=self.clock) as gateway:
            yield gateway

    def profile_path(self, bank: str) -> Path:
        return self.site.configuration.parent / "profiles" / f"{bank}.toml"

    @property
    def ledger_path(self) -> Path:
        return self.site.configuration.parent / "ledger.sqlite"

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """What the ledger's tables say."""
        with sqlite3.connect(self.ledger_path) as database:
            found = database.execute(query, values).fetchall()
        database.close()
        return found

    # The banks.

    def bank(
        self,
        name: str,
        scenario: str | Scenario = "all-well",
        share_per_mille: int = 1000,
        profile_of: Gateway | None = None,
    ) -> SimulatedBank:
        """A simulated bank that looks at its folders in each `turn`.

        `profile_of`: whose seals, layouts and names of files it mirrors, where they are not those that ship.
        """
        desk = shipped_desk(name)
        if profile_of is not None:
            own = profile_of.configuration.profiles[name]
            mirrored = msgspec.structs.replace(
                desk.profile, seal=own.seal, inbound=own.inbound, layouts=own.layouts
            )
            desk = read_desk(mirrored, profile_of.configuration.layout_folders)
        if isinstance(scenario, str):
            scenario = make_scenario(scenario, share_per_mille=share_per_mille)
        bank = SimulatedBank(desk, self.bank_seals(name), self._store(name), scenario)
        self.fronts[name] = Front(bank, self.site.bank(name), self.clock.now)
        return bank

    def _store(self, name: str) -> FolderStore:
        return FolderStore(self.site.bank(name) / STORE)

    def bank_signer(self, name: str) -> Signer:
        folder = self.site.bank(name) / "keys"
        return load_signer(name, folder / "signing.pem", folder / "signing.crt")

    def banks_look(self) -> None:
        """Every bank takes what is there and says what is due."""
        for front in self.fronts.values():
            front.notice()
            front.look()
        self.clock.turn(seconds=10)

    def run_to_the_end(self, gateway: Gateway, turns: int = 12) -> None:
        """Run and let the banks look until three turns in a row brought nothing."""
        idle = 0
        for _ in range(turns):
            idle = 0 if gateway.run().did_something else idle + 1
            self.banks_look()
            if idle == 3:
                return

    def outbox(self, bank: str) -> Path:
        return self.site.bank(bank) / "files" / "to-bank"

    def inbox(self, bank: str) -> Path:
        return self.site.bank(bank) / "files" / "from-bank"

    def post(
        self,
        bank: str,
        name: str,
        content: bytes,
        signer: Signer | None = None,
        profile: Profile | None = None,
    ) -> None:
        """Put a file into a bank's inbox, sealed as the bank would, by its key or another one.

        `profile` where it is not the one that ships.
        """
        profile = profile or shipped_desk(bank).profile
        inbound = next((found[0] for found in [profile.recognise(name)] if found), profile.inbound[-1])
        seals = self.bank_seals(bank)
        if signer is not None:
            seals = msgspec.structs.replace(seals, signs=(signer,))
        store = MemoryStore()
        sealed = seals.seal(profile, inbound, MemoryBlob(content), self.clock.now(), store, name)
        posted = self.inbox(bank) / name
        with sealed.data.open() as source:
            posted.write_bytes(source.read())
        # A server tells whole seconds: by this machine's clock two posts of a test may be of one.
        os.utime(posted, times=(self.clock.now().timestamp(),) * 2)
        if sealed.signature:
            (self.inbox(bank) / inbound.detached_signature_name(name)).write_bytes(sealed.signature)

    def bank_seals(self, name: str) -> BankSeals:
        folder = self.site.bank(name)
        return read_seals(folder, read_settings(folder), shipped_desk(name).profile)

    def take(self, gateway: Gateway) -> list[object]:
        """Two looks, so that a file without a flag counts as complete; the attentions of both."""
        found: list[object] = []
        for _ in range(2):
            found += gateway.run().attention
            self.clock.turn(seconds=10)
        return found

    # Batches.

    def batch(self, payments: Sequence[Payment], batch_id: str = "", **changes: object) -> Batch:
        self._batches += 1
        envelope = Batch(
            batch_id=batch_id or f"B-{self._batches:04d}",
            source_platform=PLATFORM,
            declared_count=len(payments),
            declared_total_minor=sum(payment.amount_minor for payment in payments),
        )
        return msgspec.structs.replace(envelope, **changes)

    def write(self, batch: Batch, payments: Iterable[Payment], form: FileFormat = FileFormat.CSV) -> Path:
        path = self.site.batch.parent / f"{batch.batch_id}.{form.value}"
        write_batch(path, batch, payments, form)
        return path

    def sign(self, content: bytes) -> bytes:
        """The platform's signature."""
        return sign_detached(io.BytesIO(content), self.platform_signer(), self.clock.now())

    def platform_signer(self) -> Signer:
        folder = self.site.batch.parent
        return load_signer("platform", folder / "platform.pem", folder / "platform.crt")

    def submit(self, gateway: Gateway, payments: Sequence[Payment], batch_id: str = "") -> str:
        """A batch that the platform signed; its id."""
        batch = self.batch(payments, batch_id)
        path = self.write(batch, payments)
        receipt = gateway.submit(path, signature=self.sign(path.read_bytes()))
        assert receipt.released
        return receipt.batch_id

    # Persons.

    def person_key(self, person: str) -> Path:
        return self.site.batch.parent / "persons" / f"{person}.pem"

    def signature(self, statement: Statement, key_of: str = "") -> bytes:
        person = key_of or statement.person
        return sign_statement(load_signer(person, self.person_key(person)), statement.to_bytes())

    def decide(
        self,
        gateway: Gateway,
        about: str,
        decision: str,
        *persons: str,
        amount_minor: int | None = None,
        ground: str = "",
        paper: str = "",
        reason: str = "",
    ) -> list[bool]:
        """Each person signs what is there now; for each whether the decision was carried out.

        Where a decision rests on the bank's word, the bank has written a letter, with `paper` in it.
        """
        done = []
        for person in persons:
            exhibit = self.letter(gateway, about, decision, paper)
            statement = gateway.statement(
                about,
                decision,
                person,
                exhibit=exhibit,
                reason=gateway.keep_reason(reason) if reason else "",
                amount_minor=amount_minor,
                ground=ground,
            )
            done.append(gateway.decide(statement, self.signature(statement)))
        return done

    def letter(self, gateway: Gateway, about: str, decision: str, paper: str = "") -> str:
        """The digest of a letter of the bank, where the decision needs one."""
        if not any(way.needs_exhibit for way in gateway.ways(about) if way.decision == decision):
            return ""
        letter = self.site.folder / "letter.txt"
        letter.write_text(paper or f"{about}: {decision}", "utf-8")
        return gateway.attach(letter)

    # What must always hold.

    def check_sound(self, gateway: Gateway) -> None:
        """Every batch adds up, nobody was paid twice, and "credited" is what the bank did."""
        assert [status.batch_id for status in gateway.status() if not status.adds_up] == []
        attempts = {
            (bank, name, item): payment
            for bank, name, item, payment in self.rows(
                "SELECT bank, name, item, payment_pk FROM attempt JOIN file USING (file_pk)"
            )
        }
        credited: Counter[object] = Counter()
        for bank, front in self.fronts.items():
            for paid in front.bank.paid():
                if paid.credited_minor > paid.returned_minor:
                    credited[attempts[bank, paid.file_name, paid.item]] += 1
        assert [payment for payment, times in credited.items() if times > 1] == []
        predecessors = dict(self.rows("SELECT successor_pk, predecessor_pk FROM reissue"))
        both = [key for key, other in predecessors.items() if credited[key] and credited[other]]
        assert both == []


def payments_of(
    owner_bank: str, count: int, *, prefix: str = "P", start: int = 0, **changes: object
) -> list[Payment]:
    """Payments of one department, programme and bank, so that they make one file."""
    owner = next(one for one in BANKS if one.bank == owner_bank)
    order = Order(count=1_000_000, seed=3, month=date(2026, 9, 1), banks=(owner,))
    found = []
    number = start * 7
    while len(found) < count:
        payment = make_payment(order, number)
        number += 1
        if payment.payee_kind is PayeeKind.ORGANISATION:
            continue
        plain: dict[str, object] = {
            "payment_id": f"{prefix}-{start + len(found) + 1:05d}",
            "account": make_account(3, number, AccountKind.CARD, owner),
            "account_kind": AccountKind.CARD,
            "amount_minor": 100_00 + 1_01 * (start + len(found)),
            "department": DEPARTMENT,
            "programme": PROGRAMME,
            "period": PERIOD,
            "summary": "助学",
            "payee_kind": PayeeKind.PERSON,
            "payee_role": PayeeRole.SELF,
        }
        blank = dict.fromkeys(_HOUSEHOLD_FIELDS, "")
        found.append(msgspec.structs.replace(payment, **(blank | plain | changes)))
    return found


def current(gateway: Gateway, batch_id: str | None = None) -> dict[str, tuple[str, str, int | None]]:
    """Status, reason and credited amount of each payment's latest outcome."""
    return {one.payment_id: told(one) for one in gateway.outcomes(batch_id, only_current=True)}


def told(outcome: Outcome) -> tuple[str, str, int | None]:
    return str(outcome.status), str(outcome.reason), outcome.credited_minor


def credited(payments: Iterable[Payment]) -> dict[str, tuple[str, str, int | None]]:
    """What `current` says when all is well."""
    return {one.payment_id: (str(Status.CREDITED), "", one.amount_minor) for one in payments}


def states(gateway: Gateway) -> list[str]:
    """States of the outgoing files, oldest first."""
    return [file.state for file in gateway.files()]


@functools.cache
def shipped_desk(bank: str) -> Desk:
    """The bank's side of its shipped profile; its folders lie right below its own."""
    return desk(bank)
