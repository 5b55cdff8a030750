"""A whole site to look at: a gateway, a department with its batch, and three simulated banks.

gateway/       bankgate.toml, catalogue.toml, profiles/, agreements/, keys.toml, keys/; ledger and spool later
department/    month/ or batch.csv, what is handed over, signed; the keys of the platform and two persons
anchor/        signed heads of the gateway's journal; in earnest this is another machine
banks/BANK/    simulator.toml, keys/; files/ is what the bank's SFTP server shows
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from formats.records import Batch
from formats.standard import FileFormat, write_batch
from gateway.api import Gateway
from gateway.configuration.config import Configuration
from gateway.demonstration.payments import Order, make_batch, make_payments
from gateway.demonstration.people import BANKS
from gateway.demonstration.plan import PASSBOOK_PLATFORM, PLATFORM
from gateway.demonstration.profile_texts import profile_text
from gateway.demonstration.settings_texts import (
    LEAST,
    Conduct,
    Terms,
    agreement_numbers,
    agreement_text,
    gateway_text,
)
from gateway.demonstration.site_keys import SiteKeys, platform_files
from gateway.output import output_file
from gateway.rules.catalogue import shipped_text
from gateway.simulator.scenario import Scenario
from keys.cms import sign_detached
from keys.private import load_signer

if TYPE_CHECKING:
    from gateway.simulator.server import BankServer

SIGNATURE_SUFFIX = ".p7s"
_BOTH_PLATFORMS = (PLATFORM, PASSBOOK_PLATFORM)


class Site(Struct, frozen=True):
    """A site's folder and what lies where in it."""

    folder: Path

    @property
    def configuration(self) -> Path:
        return self.folder / "gateway" / "bankgate.toml"

    @property
    def department(self) -> Path:
        return self.folder / "department"

    @property
    def month(self) -> Path:
        """Where the batches of a whole month lie, each beside its signature."""
        return self.department / "month"

    @property
    def month_size(self) -> Path:
        """Of which size the month is: written last, so that there is a whole month where it is."""
        return self.month / "size.json"

    @property
    def reports(self) -> Path:
        return self.department / "reports"

    @property
    def batch(self) -> Path:
        """The only batch of a site that has no month."""
        return self.department / "batch.csv"

    @property
    def signature(self) -> Path:
        return signature_of(self.batch)

    def bank(self, name: str) -> Path:
        return self.folder / "banks" / name

    @property
    def banks(self) -> list[str]:
        """Names of the simulated banks."""
        return sorted(path.name for path in (self.folder / "banks").iterdir() if path.is_dir())


def signature_of(batch: Path) -> Path:
    """The platform's detached CMS signature over the bytes of a batch."""
    return batch.with_name(batch.name + SIGNATURE_SUFFIX)


class Setting(Struct, frozen=True, kw_only=True):
    """What is special about the site of a month in the past.

    Keys and agreements are in force `since` then, and banks behave as `conducts` says. Agreements go by
    working days and close their books by statements, except those of the `unbound` department; of a
    `funded` department money must be confirmed first. `day_limits_minor` are by department and bank. There
    are two platforms, and banks send statements.
    """

    since: datetime
    unbound: str
    conducts: Mapping[str, Conduct]
    funded: str
    day_limits_minor: Mapping[tuple[str, str], int]

    def terms(self, department: str, bank: str) -> Terms:
        """Of the agreement between the two."""
        bound = department != self.unbound
        return Terms(
            platforms=_BOTH_PLATFORMS,
            by_working_days=bound,
            funded=department == self.funded,
            statements_agree=bound,
            amount_per_day_minor=self.day_limits_minor.get((department, bank)),
        )


def create_site(
    folder: Path,
    now: datetime,
    ports: Mapping[str, int] | None = None,
    *,
    judged: bool = False,
    setting: Setting | None = None,
) -> Site:
    """Everything except what is handed over, in a folder that does not exist yet or is empty.

    Each bank listens on its port of `ports`, else on one that is free now. `judged`: payments
    are held to the catalogue that ships. Raises
    `FileExistsError` where there is something already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty")
    site = Site(folder.absolute())
    since = None if setting is None else setting.since
    conducts = None if setting is None else setting.conducts
    platforms = (PLATFORM,) if setting is None else _BOTH_PLATFORMS
    SiteKeys(site.folder, now, since, conducts, platforms).make()
    gateway = site.configuration.parent
    text = gateway_text(judged=judged, platforms=platforms, lists_last=setting is not None)
    site.configuration.write_text(text, "utf-8")
    if judged:
        (gateway / "catalogue.toml").write_text(shipped_text(), "utf-8")
    (site.folder / "anchor").mkdir()
    (gateway / "profiles").mkdir()
    (gateway / "agreements").mkdir()
    chosen = {**_free_ports(), **(ports or {})}
    for bank in BANKS:
        text = profile_text(bank, chosen[bank.bank], statements=setting is not None)
        (gateway / "profiles" / f"{bank.bank}.toml").write_text(text, "utf-8")
    for number, department, bank in agreement_numbers(BANKS):
        text = agreement_text(
            number,
            department,
            bank,
            now.date(),
            None if since is None else since.date(),
            LEAST if setting is None else setting.terms(department, bank.bank),
        )
        (gateway / "agreements" / f"{bank.bank}-{number:02d}.toml").write_text(text, "utf-8")
    Gateway.begin(site.configuration)
    return site


def write_demo_batch(path: Path, order: Order) -> Batch:
    """Write the order's payments as a standard CSV batch; the envelope that it declares."""
    batch = make_batch(order)
    write_batch(path, batch, make_payments(order), FileFormat.CSV)
    return batch


def sign_batch(site: Site, now: datetime, batch: Path | None = None, platform: str = PLATFORM) -> None:
    """The platform signs the bytes of a batch, else of the site's only one.

    The signature is there whole or not at all: a batch that has one was handed over to be paid.
    """
    path = batch or site.batch
    department = site.department
    key, certificate = (department / name for name in platform_files(platform))
    signer = load_signer("platform", key, certificate)
    with path.open("rb") as source, output_file(signature_of(path), overwrite=True) as sink:
        sink.write(sign_detached(source, signer, now))


@contextmanager
def run_banks(
    site: Site,
    configuration: Configuration,
    scenarios: Mapping[str, Scenario] | None = None,
    announce: Callable[[str], None] | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[dict[str, BankServer]]:
    """All simulated banks of a site, listening, by name; stopped at the end of the block.

    They go by `clock`. A bank without a scenario of its own plays the one of its `simulator.toml`.
    """
    # The only place that needs the extra [simulator].
    from gateway.simulator.settings import open_bank

    chosen = scenarios or {}
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(
                open_bank(site.bank(name), configuration, chosen.get(name), announce, clock)
            )
            for name in site.banks
        }


def _free_ports() -> dict[str, int]:
    """A free port for each bank; all are held until the last one is found, so they differ."""
    with ExitStack() as stack:
        sockets = {bank.bank: stack.enter_context(socket.socket()) for bank in BANKS}
        for listener in sockets.values():
            listener.bind(("127.0.0.1", 0))
        return {bank: listener.getsockname()[1] for bank, listener in sockets.items()}
