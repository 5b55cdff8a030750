"""The configuration: `bankgate.toml`, the profiles and the agreements, checked as a whole.

`load_configuration` gives everything or raises with every mistake of every file. Folders
and files are named relative to the folder of `bankgate.toml`. No secret stands in TOML:
those are in the key ring's files.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

from formats.codec import Purpose
from formats.errors import FormatError
from formats.records import AccountKind, Problem, Severity
from gateway.configuration.agreement import EVERY, Agreement, RetentionDays, overlapping
from gateway.configuration.name_pattern import name_pattern
from gateway.configuration.profile import Environment, Inbound, Key, PositiveInteger, Profile, Text
from gateway.configuration.profile_checks import AGREEMENT_NAME_FIELDS, check_agreement, check_profile
from gateway.configuration.toml_places import Place
from gateway.configuration.toml_source import TomlSource
from gateway.errors import ConfigurationError
from gateway.rules.calendar import WorkingCalendar
from gateway.rules.catalogue import Catalogue, CatalogueFile, check_entrusted, check_limited, read_catalogue
from gateway.rules.warning_settings import WarningSettings
from gateway.store.folders import writable_by_others

if TYPE_CHECKING:
    from formats.xml.schema import Schema

LayoutFinder = Callable[[Sequence[Path]], Mapping[str, Purpose]]
"""Names and purposes of all layouts: those that ship and those in the given folders.

May raise `formats.errors.FormatError` with the mistakes of the layouts themselves.
"""


class Policy(StrEnum):
    """What happens to a batch with mistakes: all of it comes back, or the bad payments only."""

    REFUSE = "refuse"
    SET_ASIDE = "set-aside"


class GatewaySettings(Struct, frozen=True, kw_only=True):
    """`[gateway]`: this instance and where its things are."""

    environment: Environment
    instance: Key
    ledger: Text = "ledger.sqlite"
    spool: Text = "spool"
    log: Text = "log"
    profiles: Text = "profiles"
    agreements: Text = "agreements"
    layouts: list[Text] = field(default_factory=list)
    verdicts: Text = "verdicts"
    keys: Text = "keys.toml"
    catalogue: Text | None = None
    """Without one, programmes, departments and repeats are not judged."""
    language: Literal["zh", "en", "auto"] = "auto"


class IntakeSettings(Struct, frozen=True, kw_only=True):
    """`[intake]`: how batches are taken. `maximum_problems` bounds what is reported, not what is found."""

    policy: Policy = Policy.REFUSE
    maximum_problems: Annotated[int, Meta(ge=1, le=1_000_000)] = 1000


class PlatformSettings(Struct, frozen=True, kw_only=True):
    """`[platform.NAME]`: who may hand over batches. Its verifying key is in the key ring.

    `require_signature`: two persons cannot stand in for the platform's signature. `names_installation`:
    its signature counts only over a batch that says for which gateway it is, so that what it signed for
    a test installation does not count here.
    """

    name: Text
    kind: AccountKind
    require_signature: bool = False
    names_installation: bool = False


class PersonSettings(Struct, frozen=True, kw_only=True):
    """`[person.NAME]`: who may release and decide. The verifying key is in the key ring."""

    name: Text


class LimitSettings(Struct, frozen=True, kw_only=True):
    """`[limits]`: bounds of what this gateway takes at all; None is no bound."""

    payments_per_batch: PositiveInteger = 2_000_000
    amount_per_payment_minor: PositiveInteger | None = None
    amount_per_batch_minor: PositiveInteger | None = None


class RetentionSettings(Struct, frozen=True, kw_only=True):
    """`[retention]`: days after the last word about a batch until its personal data may be destroyed.

    The default is three years: the general limitation of claims (Civil Code of the PRC, article
    188). An agreement may say otherwise.
    """

    days: RetentionDays = 1095


class CardListSettings(Struct, frozen=True, kw_only=True):
    """`[card_lists]`: for how many days from the day on which it was drawn a card list counts.

    People change cards and banks: an old list is a worse hint than none.
    """

    valid_days: Annotated[int, Meta(ge=1, le=3660)] = 366


class AnchorSettings(Struct, frozen=True, kw_only=True):
    """`[anchor]`: where signed heads of the journal go, outside this machine.

    `root` is the folder itself for kind `folder`, else the starting folder on the server.
    Login and host pins stand in the key ring under the bank name `login`.
    """

    kind: Literal["sftp", "folder"]
    folder: str = ""
    root: str = ""
    host: str = ""
    port: Annotated[int, Meta(ge=1, le=65535)] = 22
    user: str = ""
    login: Key = "anchor"
    connect_timeout_seconds: Annotated[int, Meta(ge=1, le=600)] = 20
    timeout_seconds: Annotated[int, Meta(ge=1, le=3600)] = 60

    @property
    def place(self) -> str:
        """For messages."""
        return self.root if self.kind == "folder" else f"{self.host}:{self.port} {self.user}"


class Settings(Struct, frozen=True, kw_only=True):
    """`bankgate.toml` as written."""

    gateway: GatewaySettings
    intake: IntakeSettings = field(default_factory=IntakeSettings)
    limits: LimitSettings = field(default_factory=LimitSettings)
    platform: dict[Key, PlatformSettings] = field(default_factory=dict)
    person: dict[Key, PersonSettings] = field(default_factory=dict)
    anchor: AnchorSettings | None = None
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    calendar: WorkingCalendar = field(default_factory=WorkingCalendar)
    warnings: WarningSettings = field(default_factory=WarningSettings)
    card_lists: CardListSettings = field(default_factory=CardListSettings)


class Configuration(Struct, frozen=True, kw_only=True):
    """Everything that was configured, checked; all paths absolute. `warnings` stop nothing."""

    path: Path
    environment: Environment
    instance: str
    ledger: Path
    spool: Path
    log: Path
    keys: Path
    layout_folders: list[Path]
    verdicts: Path
    """Where `layout check --bank` keeps its verdicts; the folder need not be there."""
    request_schemas: dict[str, Schema]
    """By bank, where its profile names one."""
    language: Literal["zh", "en", "auto"]
    intake: IntakeSettings
    limits: LimitSettings
    platforms: dict[str, PlatformSettings]
    persons: dict[str, PersonSettings]
    profiles: dict[str, Profile]
    agreements: dict[tuple[str, str], list[Agreement]]
    """By (department, bank)."""
    anchor: AnchorSettings | None = None
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    catalogue: Catalogue | None = None
    calendar: WorkingCalendar = field(default_factory=WorkingCalendar)
    warnings_from: WarningSettings = field(default_factory=WarningSettings)
    card_lists: CardListSettings = field(default_factory=CardListSettings)
    warnings: list[Problem] = field(default_factory=list)


def load_configuration(path: Path, find_layouts: LayoutFinder | None = None) -> Configuration:
    """Read and check everything. Raises `ConfigurationError` with every mistake.

    Without `find_layouts` the names of layouts are not looked up.
    """
    return _Loading(path.absolute()).configuration(find_layouts)


class _Loading:
    """One loading: the sources read so far, in order, with their problems."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sources: list[TomlSource] = []
        self._layout_problems: list[Problem] = []

    def configuration(self, find_layouts: LayoutFinder | None) -> Configuration:
        main = self._open(self._path)
        settings = main.read_as(Settings)
        if settings is None:
            self._read_alone(main.document or {})
            raise ConfigurationError(self._problems())
        profiles = self._profiles(main, settings)
        agreements = self._agreements(main, settings, profiles)
        catalogue = self._catalogue(settings)
        _check_pairs(agreements, catalogue)
        for agreement, source in agreements:
            check_limited(agreement, catalogue, source)
            if catalogue is not None:
                check_entrusted(agreement, catalogue, source)
        self._check_places(main, settings)
        schemas = self._schemas(profiles)
        self._look_at_layouts(settings)
        if find_layouts is not None:
            self._check_layouts(main, settings, profiles, find_layouts)
        self._stop_on_problems()
        grouped: dict[tuple[str, str], list[Agreement]] = {}
        for agreement, _ in agreements:
            grouped.setdefault((agreement.department, agreement.bank), []).append(agreement)
        own = settings.gateway
        return Configuration(
            path=self._path,
            environment=own.environment,
            instance=own.instance,
            ledger=self._resolve(own.ledger),
            spool=self._resolve(own.spool),
            log=self._resolve(own.log),
            keys=self._resolve(own.keys),
            layout_folders=[self._resolve(folder) for folder in own.layouts],
            verdicts=self._resolve(own.verdicts),
            language=own.language,
            intake=settings.intake,
            limits=settings.limits,
            platforms=settings.platform,
            persons=settings.person,
            profiles={profile.bank: profile for profile, _ in profiles},
            request_schemas=schemas,
            agreements=grouped,
            anchor=settings.anchor,
            retention=settings.retention,
            catalogue=catalogue,
            calendar=settings.calendar,
            warnings_from=settings.warnings,
            card_lists=settings.card_lists,
            warnings=self._problems(),
        )

    def _open(self, path: Path) -> TomlSource:
        source = TomlSource(path)
        self._sources.append(source)
        for writable in writable_by_others(path):
            source.report(
                (),
                f"others may write {writable}",
                code="writable",
                hint=f"chmod go-w {writable}, and look at it",
            )
        return source

    def _look_at_layouts(self, settings: Settings) -> None:
        """Layouts of the own say what counts as paid: they are kept as the rest is."""
        for folder in settings.gateway.layouts:
            for path in sorted(self._resolve(folder).glob("*.toml")):
                for writable in writable_by_others(path):
                    self._layout_problems.append(
                        Problem(
                            code="configuration.writable",
                            message=f"{path}: others may write {writable}",
                            source=str(path),
                            hint=f"chmod go-w {writable}, and look at it",
                        )
                    )

    def _read_alone(self, document: Mapping[str, Any]) -> None:
        """Find the mistakes within the other files too, where the main one cannot be used."""
        own = document.get("gateway")
        kinds: dict[str, type[Struct]] = {"profiles": Profile, "agreements": Agreement}
        for folder, kind in kinds.items():
            name = own.get(folder, folder) if isinstance(own, dict) else folder
            if isinstance(name, str):
                for path in sorted(self._resolve(name).glob("*.toml")):
                    self._open(path).read_as(kind)
        if isinstance(own, dict) and isinstance(own.get("catalogue"), str):
            self._open(self._resolve(own["catalogue"])).read_as(CatalogueFile)

    def _resolve(self, name: str) -> Path:
        return self._path.parent / name

    def _problems(self) -> list[Problem]:
        return [problem for source in self._sources for problem in source.problems] + self._layout_problems

    def _stop_on_problems(self) -> None:
        problems = self._problems()
        if any(problem.severity is not Severity.WARNS for problem in problems):
            raise ConfigurationError(problems)

    def _files(self, main: TomlSource, place: Place, folder_name: str) -> list[Path]:
        folder = self._resolve(folder_name)
        # Not `Path.is_dir`: a name that no file system takes is no folder, and no error.
        if not os.path.isdir(folder):
            main.report(place, f"there is no folder {folder}", code="folder", found=folder_name)
            return []
        return sorted(folder.glob("*.toml"))

    def _profiles(self, main: TomlSource, settings: Settings) -> list[tuple[Profile, TomlSource]]:
        profiles: list[tuple[Profile, TomlSource]] = []
        for path in self._files(main, ("gateway", "profiles"), settings.gateway.profiles):
            source = self._open(path)
            read = source.read_as(Profile)
            if read is not None:
                profile = _completed(read)
                check_profile(profile, source, settings.gateway.environment)
                profiles.append((profile, source))
        return profiles

    def _agreements(
        self, main: TomlSource, settings: Settings, profiles: list[tuple[Profile, TomlSource]]
    ) -> list[tuple[Agreement, TomlSource]]:
        banks = {profile.bank: profile for profile, source in profiles if not source.problems}
        # A profile with mistakes of its own is there all the same.
        present = {source.path.stem for source in self._sources[1:]}
        agreements: list[tuple[Agreement, TomlSource]] = []
        for path in self._files(main, ("gateway", "agreements"), settings.gateway.agreements):
            source = self._open(path)
            agreement = source.read_as(Agreement)
            if agreement is None:
                continue
            check_agreement(agreement, source)
            _check_parties(agreement, source, settings, present)
            if agreement.bank in banks:
                _check_name_texts(agreement, banks[agreement.bank], source)
            agreements.append((agreement, source))
        return agreements

    def _catalogue(self, settings: Settings) -> Catalogue | None:
        if settings.gateway.catalogue is None:
            return None
        return read_catalogue(self._open(self._resolve(settings.gateway.catalogue)))

    def _check_places(self, main: TomlSource, settings: Settings) -> None:
        own = settings.gateway
        names = ("ledger", "spool", "log", "profiles", "agreements", "verdicts", "keys")
        seen: dict[Path, str] = {}
        for name in names:
            resolved = self._resolve(getattr(own, name)).resolve()
            if resolved in seen:
                main.report(("gateway", name), f"is the same place as {seen[resolved]}", code="same_folder")
            seen.setdefault(resolved, name)
        for index, folder in enumerate(own.layouts):
            if not self._resolve(folder).is_dir():
                place = ("gateway", "layouts", index)
                main.report(place, f"there is no folder {self._resolve(folder)}", code="folder", found=folder)

        anchor = settings.anchor
        wanted = () if anchor is None else ("root",) if anchor.kind == "folder" else ("host", "user")
        for name in wanted:
            if not getattr(anchor, name):
                main.report(("anchor", name), "missing", code="missing_key", wanted=f"{name} of the anchor")

    def _schemas(self, profiles: list[tuple[Profile, TomlSource]]) -> dict[str, Schema]:
        """The schemas that requests must be valid by."""
        schemas: dict[str, Schema] = {}
        for profile, source in profiles:
            name = profile.layouts.request_schema
            if not name:
                continue
            # Imported here so that banks without a schema need no lxml.
            from formats.xml.schema import read_schema

            place, path = ("layouts", "request_schema"), self._resolve(name)
            try:
                schemas[profile.bank] = read_schema(path)
            except OSError as error:
                source.report(place, f"cannot be read: {error.strerror}", code="schema", found=str(path))
            except FormatError as error:
                source.report(place, str(error), code="schema", wanted="an XML schema (XSD)")
        return schemas

    def _check_layouts(
        self,
        main: TomlSource,
        settings: Settings,
        profiles: list[tuple[Profile, TomlSource]],
        find_layouts: LayoutFinder,
    ) -> None:
        folders = [self._resolve(folder) for folder in settings.gateway.layouts]
        try:
            known = find_layouts([folder for folder in folders if folder.is_dir()])
        except FormatError as error:
            self._layout_problems += error.problems
            return
        for profile, source in profiles:
            wanted: list[tuple[Place, str, Purpose]] = [
                (("layouts", "request"), profile.layouts.request, Purpose.REQUEST)
            ]
            for index, name in enumerate(profile.layouts.result):
                wanted.append((("layouts", "result", index), name, Purpose.RESULT))
            if profile.layouts.acknowledgement:
                place = ("layouts", "acknowledgement")
                wanted.append((place, profile.layouts.acknowledgement, Purpose.ACKNOWLEDGEMENT))
            for index, name in enumerate(profile.layouts.statement):
                wanted.append((("layouts", "statement", index), name, Purpose.STATEMENT))
            for layout_place, name, purpose in wanted:
                _check_layout(layout_place, name, purpose, known, source)


def _completed(profile: Profile) -> Profile:
    """Each `[[inbound]]` that leaves out its layout or seal gets what the profile says of all."""
    of_kind = {"result": profile.layouts.result, "statement": profile.layouts.statement}

    def filled(inbound: Inbound) -> Inbound:
        names = of_kind.get(inbound.kind, [profile.layouts.acknowledgement])
        only = names[0] if len(names) == 1 else None
        seal = profile.seal.into if inbound.seal is None else inbound.seal
        return msgspec.structs.replace(inbound, layout=inbound.layout or only, seal=seal)

    return msgspec.structs.replace(profile, inbound=[filled(inbound) for inbound in profile.inbound])


def _check_parties(agreement: Agreement, source: TomlSource, settings: Settings, banks: set[str]) -> None:
    if agreement.bank not in banks:
        source.report(
            ("bank",),
            f'no profile of bank "{agreement.bank}"',
            code="unknown_bank",
            found=agreement.bank,
            wanted=", ".join(sorted(banks)) or "a profile in the folder of profiles",
        )
    for index, platform in enumerate(agreement.platforms):
        if platform != EVERY and platform not in settings.platform:
            source.report(
                ("platforms", index),
                f"no [platform.{platform}] in the configuration",
                code="unknown_platform",
                found=platform,
                wanted=", ".join(sorted(settings.platform)) or "a [platform.NAME]",
            )


def _check_name_texts(agreement: Agreement, profile: Profile, source: TomlSource) -> None:
    """Make a file's name once, so that no agreement finds out on the day of payment."""
    needed = name_pattern(profile.files.name).fields
    missing = [name for name in sorted(AGREEMENT_NAME_FIELDS & needed) if not getattr(agreement, name)]
    for name in missing:
        wanted = f"{{{name}}} of the bank's file names"
        source.report((name,), f"missing, wanted for {wanted}", code="missing_key", wanted=wanted)
    if missing:
        return
    day = datetime(2000, 1, 1, tzinfo=UTC)
    try:
        profile.file_name(sequence=1, bank_day=day.date(), created_at=day, texts=agreement.name_texts())
    except ValueError as error:
        source.report((), f"no file name can be made from it: {error}", code="pattern")


def _check_pairs(agreements: list[tuple[Agreement, TomlSource]], catalogue: Catalogue | None) -> None:
    def name_of(programme: str) -> str:
        known = None if catalogue is None else catalogue.find(programme)
        return programme if known is None else known.name

    for (earlier, other), (agreement, source) in combinations(agreements, 2):
        _check_pair(agreement, source, earlier, other, name_of)


def _check_pair(
    agreement: Agreement,
    source: TomlSource,
    earlier: Agreement,
    other: TomlSource,
    name_of: Callable[[str], str],
) -> None:
    if agreement.number == earlier.number:
        source.report(("number",), f"the number of {other.path} too: {agreement.number}", code="repeated")
    if common := overlapping(earlier, agreement, name_of):
        source.report(
            ("programmes",),
            f"{', '.join(common)} at the same bank and time by {other.path} too",
            code="overlap",
            hint="end the earlier agreement before the later begins, or divide the programmes",
        )


def _check_layout(
    place: Place, name: str, purpose: Purpose, known: Mapping[str, Purpose], source: TomlSource
) -> None:
    if name not in known:
        available = sorted(other for other, its in known.items() if its is purpose)
        source.report(
            place, f'there is no layout "{name}"', code="layout", found=name, wanted=", ".join(available)
        )
    elif known[name] is not purpose:
        source.report(
            place,
            f'layout "{name}" is for a {known[name]}, wanted one for a {purpose}',
            code="layout",
            found=name,
        )
