"""A real gateway that has sent one file to each of three banks; every input begins with a copy of it.

Ledger and spool are real and lie in shared memory; the spool's copy is a dictionary.
"""

from __future__ import annotations

import functools
import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import BinaryIO, NoReturn

from formats.registry import Registry
from gateway.api import Gateway
from gateway.config import Configuration, load_configuration
from gateway.demonstration.site import Site
from gateway.installation import Installation
from gateway.ledger import Ledger
from gateway.log import open_log
from gateway.spool import Spool
from keys.keyring import Keyring
from keys.private import load_signer
from keys.signer import Signer
from tests.fuzz.shared_memory import make_folder
from tests.gateway.sites import CITY, ISO, PERSONS, RURAL, Ground, make_master, payments_of

BANKS = (CITY, ISO, RURAL)
PAYMENTS = 4


class Scene:
    """What all inputs share. `payments` are those of each bank's file, in item order."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.ground = Ground(make_master(folder / "master"), folder / "site")
        self.payments = {bank: payments_of(bank, PAYMENTS, prefix=bank) for bank in BANKS}
        with self.ground.open() as gateway:
            for bank in BANKS:
                self.ground.submit(gateway, self.payments[bank], batch_id=f"B-{bank}")
            gateway.run()
            assert sorted(file.state for file in gateway.files()) == ["sent"] * len(BANKS)
            gateway.anchor()
        site = self.site
        self.configuration: Configuration = load_configuration(site.configuration)
        self.keyring = Keyring.load(self.configuration.keys, self.configuration.environment)
        self.codecs = Registry()
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


class Audited:
    """A bundle with something in every table but those of notices and entries, the anchor beside it, and
    the journal's key.
    """

    def __init__(self, folder: Path) -> None:
        ground = Ground(make_master(folder / "master"), folder / "site")
        ground.bank(CITY, "failures,fee-column", 400)
        ground.bank(RURAL, "failures,fee-lines", 300)
        released = payments_of(CITY, 2, prefix="T")
        with ground.open() as gateway:
            ground.submit(gateway, [*payments_of(CITY, 3), *payments_of(RURAL, 3, prefix="R")])
            batch = ground.batch(released)
            gateway.submit(ground.write(batch, released))
            ground.decide(gateway, gateway.batch_object(batch.batch_id), "release", *PERSONS)
            ground.run_to_the_end(gateway)
            self.bundle = folder / "bundle"
            gateway.audit_export(self.bundle)
        self.anchor = ground.site.folder / "anchor"
        self.key = ground.site.configuration.parent / "keys" / "journal-1.pem"
        self.certificate = self.key.with_suffix(".crt")
        empty = {path.name for path in self.bundle.glob("*.jsonl") if not path.stat().st_size}
        # These banks tell nothing besides, and post no statements.
        assert empty == {"notices.jsonl", "entries.jsonl"}


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
