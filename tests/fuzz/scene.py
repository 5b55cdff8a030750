"""A real gateway that has sent one file to each bank of a scene; every input begins with a copy of it.

Ledger and spool are real and lie in shared memory; the spool's copy is a dictionary.
"""

from __future__ import annotations

import functools
import io
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import BinaryIO, NoReturn

from formats.registry import Registry
from gateway.api import Gateway
from gateway.configuration.config import Configuration, load_configuration
from gateway.demonstration.plan import PLATFORM
from gateway.demonstration.site import Site
from gateway.installation import Installation
from gateway.ledger.database import Ledger
from gateway.log import open_log
from gateway.store.spool import Spool
from keys.keyring import Keyring
from keys.private import load_signer
from keys.signer import Signer
from tests.fuzz.shared_memory import make_folder
from tests.gateway import test_notices as notices
from tests.gateway.shapes import Shape, Told, add_statements
from tests.gateway.sites import CITY, ISO, PERSONS, RURAL, Ground, make_master, payments_of

BANKS = (CITY, ISO, RURAL)
PAYMENTS = 4


class Scene:
    """What all inputs share. `payments` are those of each bank's file, in item order.

    `prepare` changes the site before it is opened.
    """

    def __init__(
        self, folder: Path, banks: Sequence[str] = BANKS, prepare: Callable[[Ground], object] | None = None
    ) -> None:
        self._folder = folder
        self.ground = Ground(make_master(folder / "master"), folder / "site")
        if prepare is not None:
            prepare(self.ground)
        self.payments = {bank: payments_of(bank, PAYMENTS, prefix=bank) for bank in banks}
        with self.ground.open() as gateway:
            for bank in banks:
                self.ground.submit(gateway, self.payments[bank], batch_id=f"B-{bank}")
            gateway.run()
            assert sorted(file.state for file in gateway.files()) == ["sent"] * len(banks)
            gateway.anchor()
        site = self.site
        self.configuration: Configuration = load_configuration(site.configuration)
        self.keyring = Keyring.load(self.configuration.keys, self.configuration.environment)
        self.codecs = Registry(self.configuration.layout_folders)
        self._log, self._log_file = open_log(folder / "log")
        spool = self.configuration.spool
        self._spooled = {
            path.relative_to(spool).as_posix(): path.read_bytes()
            for path in spool.rglob("*")
            if path.is_file()
        }

    @property
    def site(self) -> Site:
        return self.ground.site

    @property
    def anchor(self) -> Path:
        return self.site.folder / "anchor"

    def person(self, name: str = PERSONS[0]) -> Signer:
        return load_signer(name, self.ground.person_key(name))

    @contextmanager
    def copy(self) -> Iterator[Gateway]:
        """A gateway of its own, thrown away afterwards."""
        ledger = self._folder / "copy.sqlite"
        shutil.copyfile(self.configuration.ledger, ledger)
        masters = self.keyring.masters()
        randomness = _Counted()
        gateway = Gateway(
            Installation(
                configuration=self.configuration,
                ledger=Ledger(ledger),
                spool=Spool(_Memory(dict(self._spooled)), masters, randomness),
                masters=masters,
                keyring=self.keyring,
                codecs=self.codecs,
                clock=self.ground.clock,
                randomness=randomness,
                open_channel=_no_channel,
                log=self._log,
            )
        )
        try:
            yield gateway
        finally:
            gateway.close()
            for path in self._folder.glob("copy.sqlite*"):
                path.unlink()


@functools.cache
def scene() -> Scene:
    """Made when it is first asked for, and removed when the process ends."""
    return Scene(make_folder("scene"))


def talkative(ground: Ground) -> Shape:
    """The rural bank tells changes of accounts beside its results, and sends statements."""
    shape = Shape(ground, {"answers-told": notices.LAYOUT}, notices.BLOCK)
    add_statements(ground)
    return shape


@functools.cache
def told_scene() -> Scene:
    """The same with that bank alone."""
    return Scene(make_folder("told"), (RURAL,), talkative)


class Audited:
    """A bundle with something in every table, the anchor beside it, and the journal's key."""

    def __init__(self, folder: Path) -> None:
        ground = Ground(make_master(folder / "master"), folder / "site")
        shape = talkative(ground)
        ground.bank(CITY, "failures,fee-column", 400)
        released = payments_of(CITY, 2, prefix="T")
        with ground.open() as gateway:
            told = Told(shape, gateway)
            self._hear_the_rural_bank(told)
            self._recover(told)
            ground.submit(gateway, payments_of(CITY, 3, prefix="C"))
            batch = ground.batch(released)
            gateway.submit(ground.write(batch, released))
            ground.decide(gateway, gateway.batch_object(batch.batch_id), "release", *PERSONS)
            ground.run_to_the_end(gateway)
            self.bundle = folder / "bundle"
            gateway.audit_export(self.bundle)
        self.anchor = ground.site.folder / "anchor"
        self.key = ground.site.configuration.parent / "keys" / "journal-1.pem"
        self.certificate = self.key.with_suffix(".crt")
        assert [path.name for path in self.bundle.glob("*.jsonl") if not path.stat().st_size] == []

    @staticmethod
    def _hear_the_rural_bank(told: Told) -> None:
        """Its result with a correction of an account, and a statement with a payment and a charge."""
        told.send()
        lines = [notices.entry(told, item) for item in range(1, told.shape.count + 1)]
        notices.say(told, [lines[0], notices.correction(), *lines[1:]])
        amount = told.payments[0].amount_minor
        text = f"{amount // 100}.{amount % 100:02d}"
        lines = [f"20260901,D,{text},B1,{told.reference(1)},,,", "20260901,D,0.50,B2,,,,手续费"]
        total = f"{(amount + 50) // 100}.{(amount + 50) % 100:02d}"
        told.say("DZ20260901_001.csv", "".join(f"{line}\n" for line in (f"#,2,{total}", *lines)))

    @staticmethod
    def _recover(told: Told) -> None:
        """A part of a credit is asked back by two persons, and comes back."""
        ground, gateway = told.ground, told.gateway
        about = f"recovery:{PLATFORM}/{told.payments[0].payment_id}"
        paper = ground.site.folder / "paper.txt"
        paper.write_text("the list was wrong", "utf-8")
        exhibit = gateway.attach(paper)
        for person in PERSONS:
            asked = gateway.statement(
                about, "recover", person, exhibit=exhibit, amount_minor=900, ground="too-much"
            )
            gateway.sign(asked, ground.signature(asked))
        back = gateway.statement(about, "recovered", PERSONS[0], exhibit=exhibit, amount_minor=400)
        gateway.sign(back, ground.signature(back))


@functools.cache
def audited() -> Audited:
    """Made when it is first asked for, and removed when the process ends."""
    return Audited(make_folder("audit"))


class _Counted:
    """Tokens that are the same for the same input."""

    def __init__(self) -> None:
        self._random = Random(0)

    def token(self) -> str:
        return f"{self._random.getrandbits(128):032x}"


class _Memory:
    """Implements `gateway.ports.Disk`."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files
        self._open: dict[str, _Kept] = {}

    def create(self, path: str) -> BinaryIO:
        file = self._open[path] = _Kept()
        return file

    def sync(self, file: BinaryIO) -> None:
        file.flush()

    def publish(self, temporary: str, final: str) -> None:
        self._files[final] = self._open.pop(temporary).content

    def open(self, path: str) -> BinaryIO:
        return io.BytesIO(self._files[path])

    def exists(self, path: str) -> bool:
        return path in self._files

    def remove(self, path: str) -> None:
        self._files.pop(path, None)
        self._open.pop(path, None)

    def walk(self) -> Iterator[str]:
        yield from sorted(self._files)


class _Kept(io.BytesIO):
    """Keeps its bytes when it is closed."""

    content = b""

    def close(self) -> None:
        if not self.closed:
            self.content = self.getvalue()
        super().close()


def _no_channel(profile: object) -> NoReturn:
    raise AssertionError("nothing is sent or fetched here")
