"""A simulated bank from its folder: `simulator.toml`, its keys, and the gateway's profile of it.

    banks/city-bank/simulator.toml
    banks/city-bank/keys/...          private: host key, signing key; public: whom it accepts
    banks/city-bank/files/            what the gateway sees over SFTP
    banks/city-bank/store/            what the bank keeps for itself

How the bank's files look comes from the gateway's own profile: one source, no copy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct, field
from msgspec.structs import replace

from formats.language.layout import read_layout
from formats.language.model import Layout
from formats.reasons import Reason
from formats.records import Problem
from formats.registry import SHIPPED_FOLDER, Registry
from gateway.configuration.config import Configuration
from gateway.configuration.profile import Key, Profile, Text
from gateway.configuration.toml_source import TomlSource
from gateway.simulator.bank import SimulatedBank
from gateway.simulator.errors import SettingsWrong
from gateway.simulator.forms import Desk, make_desk
from gateway.simulator.front import STORE
from gateway.simulator.scenario import DrawnBy, NamedPayment, Scenario, make_scenario
from gateway.simulator.seals import BankSeals
from gateway.simulator.server import BankServer, Login, ServerSettings
from gateway.simulator.store import FolderStore
from keys.certificates import Anchor, AnchorKind, Certificate, Trust
from keys.pgp import PgpCertificate, load_pgp_certificate, load_pgp_key
from keys.private import load_certificates, load_decrypter, load_signer
from keys.signer import Decrypter

SETTINGS_FILE = "simulator.toml"


class KeyFiles(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[keys]`: files relative to the bank's folder. The gateway's certificate is pinned.

    `decryption_...` and `gateway_encryption_...` are for banks with envelopes, the last two for
    banks with OpenPGP.
    """

    host_key: Text
    signing_key: Text
    signing_certificate: Text
    gateway_certificate: Text
    decryption_key: str = ""
    decryption_certificate: str = ""
    gateway_encryption_certificate: str = ""
    pgp_key: str = ""
    gateway_pgp_certificate: str = ""


class LoginTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[login]]`: who may log in. `public_keys` are OpenSSH lines; the password lies in a file."""

    user: Text
    credential_file: str = ""
    public_keys: list[Text] = field(default_factory=list)


class SimulatorSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`simulator.toml` as written."""

    bank: Key
    keys: KeyFiles
    login: Annotated[list[LoginTable], Meta(min_length=1)]
    scenario: Text = "all-well"
    seed: int = 1
    share_per_mille: Annotated[int, Meta(ge=0, le=1000)] = 20
    late_looks: Annotated[int, Meta(ge=0, le=1000)] = 3
    drawn_by: DrawnBy = DrawnBy.REFERENCE
    reasons: list[Reason] = field(default_factory=list)
    """Why payments fail; empty: for every reason that the bank's layout can write."""
    payment: list[NamedPayment] = field(default_factory=list)
    """`[[payment]]`: what becomes of single ones; wants `drawn_by = "payment"`."""

    def as_scenario(self) -> Scenario:
        """How the bank behaves. Raises `ScenarioUnsupported` for a name that there is not."""
        drawn = make_scenario(
            self.scenario,
            seed=self.seed,
            share_per_mille=self.share_per_mille,
            late_looks=self.late_looks,
            drawn_by=self.drawn_by,
        )
        return replace(drawn, reasons=tuple(self.reasons), named=tuple(self.payment))


def open_bank(
    folder: Path,
    configuration: Configuration,
    scenario: Scenario | None = None,
    announce: Callable[[str], None] | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> BankServer:
    """The server of the bank in a folder, not started; `scenario` comes before the file's own.

    Raises `SettingsWrong`, `ScenarioUnsupported`, `formats.errors.LayoutError`, and
    `keys.errors.KeyUnavailable`.
    """
    settings = read_settings(folder)
    profile = configuration.profiles.get(settings.bank)
    if profile is None:
        raise SettingsWrong(
            f"{folder / SETTINGS_FILE}: bank {settings.bank!r} has no profile",
            hint=f"there are {', '.join(sorted(configuration.profiles)) or 'none'}",
        )
    bank = SimulatedBank(
        read_desk(profile, configuration.layout_folders),
        read_seals(folder, settings, profile),
        FolderStore(folder / STORE),
        scenario or settings.as_scenario(),
    )
    server = ServerSettings(
        folder=folder,
        host_key=folder / settings.keys.host_key,
        logins=tuple(_login(folder, table) for table in settings.login),
        port=profile.channel.port,
    )
    return BankServer(bank, server, clock, announce)


def read_settings(folder: Path) -> SimulatorSettings:
    """`simulator.toml` of a bank's folder. Raises `SettingsWrong` with every mistake."""
    source = TomlSource(folder / SETTINGS_FILE)
    settings = source.read_as(SimulatorSettings)
    if settings is None or source.problems:
        raise SettingsWrong(_told(source.problems), hint="see docs/simulator.md")
    if settings.payment and settings.drawn_by is not DrawnBy.PAYMENT:
        raise SettingsWrong(
            f"{folder / SETTINGS_FILE}: [[payment]] names accounts, but references decide",
            hint='drawn_by = "payment"',
        )
    return settings


def read_desk(profile: Profile, layout_folders: Iterable[Path] = ()) -> Desk:
    """The bank's side of a profile. Raises `SettingsWrong` for a format that is code, `LayoutError`."""
    folders = [*layout_folders, SHIPPED_FOLDER]
    registry = Registry(folders)
    names = [inbound.layout for inbound in profile.inbound if inbound.layout]
    layouts = {name: _find_layout(name, folders) for name in names}
    codecs = {name: registry.get(name) for name in (profile.layouts.request, *names)}
    return make_desk(profile, codecs, layouts)


def _find_layout(name: str, folders: list[Path]) -> Layout:
    for folder in folders:
        if (path := folder / f"{name}.toml").is_file():
            return read_layout(path)
    raise SettingsWrong(
        f"there is no layout {name}", hint="a bank whose format is code has to be simulated in code"
    )


def read_seals(folder: Path, settings: SimulatorSettings, profile: Profile) -> BankSeals:
    """The bank's keys, and those that it accepts and encrypts to; raises `KeyUnavailable`."""
    keys = settings.keys
    signer = load_signer(settings.bank, folder / keys.signing_key, folder / keys.signing_certificate)
    anchors = [
        Anchor("gateway", certificate, AnchorKind.SIGNER)
        for certificate in load_certificates(folder / keys.gateway_certificate)
    ]
    return BankSeals(
        accepts=Trust("gateway", profile.environment, anchors),
        signs=(signer,),
        opens=_decrypters(folder, keys),
        encrypts_to=_recipients(folder, keys),
        pgp_key=load_pgp_key("pgp", folder / keys.pgp_key, None) if keys.pgp_key else None,
        pgp_encrypts_to=_pgp_recipient(folder, keys),
    )


def _decrypters(folder: Path, keys: KeyFiles) -> tuple[Decrypter, ...]:
    if not keys.decryption_key:
        return ()
    return (load_decrypter("decryption", folder / keys.decryption_key, folder / keys.decryption_certificate),)


def _recipients(folder: Path, keys: KeyFiles) -> tuple[Certificate, ...]:
    if not keys.gateway_encryption_certificate:
        return ()
    return (load_certificates(folder / keys.gateway_encryption_certificate)[0],)


def _pgp_recipient(folder: Path, keys: KeyFiles) -> PgpCertificate | None:
    if not keys.gateway_pgp_certificate:
        return None
    return load_pgp_certificate(folder / keys.gateway_pgp_certificate)


def _login(folder: Path, table: LoginTable) -> Login:
    password = ""
    if table.credential_file:
        password = (folder / table.credential_file).read_text("utf-8").strip()
    return Login(user=table.user, password=password, public_keys=tuple(table.public_keys))


def _told(problems: list[Problem]) -> str:
    return "; ".join(problem.message for problem in problems)
