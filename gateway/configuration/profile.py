"""A bank, technically: layouts, names of files, seal, channel, limits, retries.

One bank (one branch, if needed) is one TOML file, named after the bank's key. What a
department and the bank agreed is in `configuration/agreement.py`; keys and pins are in the key ring.
Amounts are minor units. What is checked across fields is in `configuration/profile_checks.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta, Struct, field

from formats.records import AccountKind
from gateway.configuration.name_pattern import NameMatch, name_pattern, unsafe
from gateway.configuration.profile_seal import STEPS_MAXIMUM, InName, Seal, has_detached

RECORDS_PER_FILE_MAXIMUM = 200_000
MIB = 1024 * 1024

Key = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9][a-z0-9_-]{0,31}\Z",
        description="lower-case letters, digits, - and _, at most 32 characters",
    ),
]
Text = Annotated[str, Meta(min_length=1, description="text that is not empty")]
PositiveInteger = Annotated[int, Meta(ge=1)]
RemoteFolder = Annotated[
    str,
    Meta(
        pattern=r"^(?!/)(?!.*(^|/)\.\.?(/|\Z))[^\\]*[^/\\]\Z",
        description="a folder below the channel's root, with / between names and no ..",
    ),
]


class Environment(StrEnum):
    """Whose money: keys and profiles of one are refused in the other."""

    TEST = "test"
    PRODUCTION = "production"


class Stage(StrEnum):
    """How far a bank is. `draft`: nothing is sent; `pilot`: small caps; `live`: the limits.

    With real money the last two want a verdict of conformance: see `conformance.py`.
    """

    DRAFT = "draft"
    PILOT = "pilot"
    LIVE = "live"


class Layouts(Struct, frozen=True, kw_only=True):
    """Names of the layouts that this bank's files have.

    `request_schema`: the schema (XSD) that a request in XML must be valid by before it is sealed; its
    path is relative to the configuration's folder, "" for none.
    """

    request: Key
    request_schema: str = ""
    result: Annotated[list[Key], Meta(min_length=1)]
    acknowledgement: Key | None = None
    statement: list[Key] = field(default_factory=list)


class FileLimits(Struct, frozen=True, kw_only=True):
    """Upper limits of one outgoing file; None is no limit."""

    records_per_file: Annotated[int, Meta(ge=1, le=RECORDS_PER_FILE_MAXIMUM)] = RECORDS_PER_FILE_MAXIMUM
    amount_per_file_minor: PositiveInteger | None = None
    amount_per_payment_minor: PositiveInteger | None = None


class PilotLimits(FileLimits, frozen=True, kw_only=True):
    """Caps while the stage is `pilot`; they are added to the limits, the smaller one holds.

    Those of a day are for the bank, whatever the agreement; a day is one of the bank.
    """

    files_per_day: PositiveInteger | None = None
    payments_per_day: PositiveInteger | None = None
    amount_per_day_minor: PositiveInteger | None = None


class Limits(FileLimits, frozen=True, kw_only=True):
    """What the bank takes. `inbound_bytes` bounds what we fetch of one file."""

    file_bytes: PositiveInteger | None = None
    inbound_bytes: PositiveInteger = 512 * MIB
    pilot: PilotLimits | None = None


class Files(Struct, frozen=True, kw_only=True):
    """Names of what we put. `name` is the file's identity; the parts are made from it.

    `flag` empty: no flag file. `flag_content` knows {name} {size} {sha256} {count} {total}.
    """

    name: Text
    data: Text = "{name}"
    signature: Text = "{name}.p7s"
    flag: str = ""
    flag_content: str = ""
    temporary_prefix: str = ""
    temporary_suffix: str = ""


class PartNames(Struct, frozen=True, kw_only=True):
    """Final names of one file's parts; `signature` and `flag` are "" where there is none."""

    data: str
    signature: str = ""
    flag: str = ""


class Inbound(Struct, frozen=True, kw_only=True):
    """One kind of file that the bank puts for us. `layout` and `seal` are always filled after loading.

    `seal` are the steps that undo the bank's seal, those of `[seal] in` where it is left out.
    `partner`: successes and failures come in two files; a file's name with the second text in place
    of the first is the name of its other half. `final_reason` says in the bank's words that such a
    file is its last one about a file of ours, where the file itself has no code for that.
    `flag_content` is what the flag holds: {name} {size} {sha256} {count} {total}; "" is not looked at.
    """

    kind: Literal["acknowledgement", "result", "statement"]
    pattern: Text
    complete: Literal["flag", "stable"]
    seal: Annotated[list[InName], Meta(max_length=STEPS_MAXIMUM)] | None = None
    layout: Key | None = None
    flag: Text = "{name}.ok"
    flag_content: str = ""
    signature_name: Text = "{name}.p7s"
    unsigned_reason: str = ""
    partner: Annotated[list[Text], Meta(max_length=2)] = field(default_factory=list)
    final_reason: str = ""

    def partner_name(self, name: str) -> str:
        """The name of the other half of the answer `name`."""
        ours, theirs = self.partner
        before, _, after = name.rpartition(ours)
        return f"{before}{theirs}{after}"

    def match(self, name: str) -> NameMatch | None:
        """What a listed name says, None where it is not of this kind."""
        return name_pattern(self.pattern).match(name)

    def flag_name(self, name: str) -> str:
        """The flag that says `name` is complete; "" where completeness is told by size."""
        return _derived(self.flag, name) if self.complete == "flag" else ""

    def detached_signature_name(self, name: str) -> str:
        """The detached signature over `name`; "" where there is none."""
        return _derived(self.signature_name, name) if has_detached(self.seal or []) else ""


class ChannelSettings(Struct, frozen=True, kw_only=True):
    """Where the bank takes and gives. Login keys, passwords and host pins are in the key ring.

    `root` is the folder itself for kind `folder`, else the starting folder on the server.
    `bank_keeps_files`: the bank declared that what we put stays visible in `outbox`.
    `rename_refuses_existing`, `exclusive_create`: traits of the server as probed or declared.
    """

    kind: Literal["sftp", "folder"]
    outbox: RemoteFolder
    inbox: RemoteFolder
    release: Literal["rename", "flag"]
    bank_keeps_files: bool
    host: str = ""
    port: Annotated[int, Meta(ge=1, le=65535)] = 22
    user: str = ""
    authentication: Literal["key", "password"] = "key"
    root: str = ""
    archive: RemoteFolder | None = None
    connect_timeout_seconds: Annotated[int, Meta(ge=1, le=600)] = 20
    timeout_seconds: Annotated[int, Meta(ge=1, le=3600)] = 60
    window_bytes: Annotated[int, Meta(ge=2 * MIB, le=16 * MIB)] = 4 * MIB
    prefetch: Annotated[int, Meta(ge=1, le=1024)] = 64
    name_encoding: Text = "utf-8"
    rename_refuses_existing: bool = True
    exclusive_create: bool = True


class Retry(Struct, frozen=True, kw_only=True):
    """Back-off after transient faults; after `bound` tries the bank is on hold for a person."""

    bound: Annotated[int, Meta(ge=1, le=100)] = 8
    first_delay_seconds: Annotated[int, Meta(ge=1, le=86_400)] = 30
    maximum_delay_seconds: Annotated[int, Meta(ge=1, le=86_400)] = 3600

    def delay_seconds(self, failures: int) -> int | None:
        """Wait after so many failures in a row (1, 2, ...); None: no more by itself."""
        if failures >= self.bound:
            return None
        # 2 ** 17 seconds is more than a day: no need for numbers beyond.
        doubled = self.first_delay_seconds * 2 ** min(failures - 1, 17)
        return int(min(doubled, self.maximum_delay_seconds))


class AccountRule(Struct, frozen=True, kw_only=True):
    """What this bank's account numbers look like; empty lists permit everything."""

    luhn: bool = False
    prefixes: list[Annotated[str, Meta(pattern=r"^[0-9]{1,12}\Z", description="1 to 12 digits")]] = field(
        default_factory=list
    )
    lengths: list[Annotated[int, Meta(ge=1, le=35)]] = field(default_factory=list)


class Accounts(Struct, frozen=True, kw_only=True):
    """A rule for each kind of account."""

    card: AccountRule = field(default_factory=AccountRule)
    passbook: AccountRule = field(default_factory=AccountRule)

    def rule(self, kind: AccountKind) -> AccountRule:
        return self.card if kind is AccountKind.CARD else self.passbook


class Charges(Struct, frozen=True, kw_only=True):
    """`free_bearers`: codes of "who bears charges" that cost nobody anything; others are findings."""

    free_bearers: list[Text] = field(default_factory=list)


class Notices(Struct, frozen=True, kw_only=True):
    """`codes`: outcome codes that tell something besides, kept as a notice too.

    Of a code with a reason (`ACWC/NARR`) the first part alone may stand.
    """

    codes: list[Text] = field(default_factory=list)


class Names(Struct, frozen=True, kw_only=True):
    """`near`: classes of nearly our name (`formats/names.py`) that somebody approved to be ours when the
    bank echoes them. Empty: a name is ours or another's.
    """

    near: list[Literal["separator", "width", "legacy", "truncated"]] = field(default_factory=list)
    approved_by: str = ""
    approved_on: date | None = None


class Statements(Struct, frozen=True, kw_only=True):
    """How the bank's statements speak: words of `statement.direction` and `statement.status`, and what
    is a charge by its code (the whole of it) or by its text (a part of it).
    """

    debit: list[Text] = field(default_factory=lambda: ["DBIT", "D", "借"])
    credit: list[Text] = field(default_factory=lambda: ["CRDT", "C", "贷"])
    booked: list[Text] = field(default_factory=lambda: ["BOOK"])
    fee_codes: list[Text] = field(default_factory=list)
    fee_words: list[Text] = field(default_factory=lambda: ["手续费", "工本费"])


class Alias(Struct, frozen=True, kw_only=True):
    """How a name is written that the bank's charset lacks, and who approved it."""

    name: Text
    written: Text
    approved_by: Text
    approved_on: date


class Profile(Struct, frozen=True, kw_only=True):
    """One bank. Immutable; `digest` is pinned with every file."""

    bank: Key
    name: Text
    stage: Stage
    environment: Environment
    zone: Text
    layouts: Layouts
    files: Files
    seal: Seal
    channel: ChannelSettings
    inbound: Annotated[list[Inbound], Meta(min_length=1)]
    limits: Limits = field(default_factory=Limits)
    retry: Retry = field(default_factory=Retry)
    accounts: Accounts = field(default_factory=Accounts)
    charges: Charges = field(default_factory=Charges)
    names: Names = field(default_factory=Names)
    notices: Notices = field(default_factory=Notices)
    statements: Statements = field(default_factory=Statements)
    values: dict[Key, str] = field(default_factory=dict)
    aliases: list[Alias] = field(default_factory=list)

    @property
    def time_zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @property
    def digest(self) -> str:
        """SHA-256 of `canonical`, lower-case hex."""
        return hashlib.sha256(self.canonical()).hexdigest()

    @property
    def checked_digest(self) -> str:
        """SHA-256 of everything but the stage: what a verdict of conformance is bound to."""
        return msgspec.structs.replace(self, stage=Stage.DRAFT).digest

    def canonical(self) -> bytes:
        """The whole content as JSON, defaults too, whatever the order and comments of its TOML."""
        return msgspec.json.encode(self, order="sorted")

    @classmethod
    def from_canonical(cls, content: bytes) -> Self:
        """What `canonical` gave, also by an earlier version. Raises `msgspec.ValidationError`."""
        return msgspec.json.decode(content, type=cls)

    def file_limits(self) -> FileLimits:
        """The limits in force at the present stage: in `pilot` the smaller of limit and cap."""
        caps = self.limits.pilot if self.stage is Stage.PILOT else None
        if caps is None:
            caps = PilotLimits()
        return FileLimits(
            records_per_file=min(self.limits.records_per_file, caps.records_per_file),
            amount_per_file_minor=_smaller(self.limits.amount_per_file_minor, caps.amount_per_file_minor),
            amount_per_payment_minor=_smaller(
                self.limits.amount_per_payment_minor, caps.amount_per_payment_minor
            ),
        )

    def file_name(
        self, *, sequence: int, bank_day: date, created_at: datetime, texts: Mapping[str, str]
    ) -> str:
        """`FileIdentity.name` of a new file. `created_at` in the bank's zone.

        `texts` is what the agreement offers (`Agreement.name_texts`); the profile's values are
        added. Raises `ValueError` where a value does not fit or makes an unsafe name.
        """
        values: dict[str, str | int | date | datetime] = {**self.values, **texts}
        values |= {"bank": self.bank, "sequence": sequence, "bank_day": bank_day, "created_at": created_at}
        return name_pattern(self.files.name).format(values)

    def part_names(self, name: str) -> PartNames:
        """Final names of the parts of the file called `name`."""
        return PartNames(
            data=_derived(self.files.data, name),
            signature=_derived(self.files.signature, name) if has_detached(self.seal.out) else "",
            flag=_derived(self.files.flag, name) if self.files.flag else "",
        )

    def temporary_name(self, final: str) -> str:
        """The name that the bank ignores while `final` is being written."""
        return f"{self.files.temporary_prefix}{final}{self.files.temporary_suffix}"

    def flag_content(self, *, name: str, size_bytes: int, sha256: str, count: int, total_minor: int) -> bytes:
        """What stands in the flag file: UTF-8, empty where the profile has no template."""
        content = self.files.flag_content
        values = {"name": name, "size": size_bytes, "sha256": sha256, "count": count, "total": total_minor}
        for key, value in values.items():
            content = content.replace(f"{{{key}}}", str(value))
        return content.encode()

    @property
    def highest_sequence(self) -> int | None:
        """The highest sequence that our names and the bank's have room for; None where none holds one."""
        patterns = [self.files.name, *(inbound.pattern for inbound in self.inbound)]
        rooms = [name_pattern(pattern).highest_sequence for pattern in patterns]
        return min((room for room in rooms if room is not None), default=None)

    def recognise(self, name: str) -> tuple[Inbound, NameMatch] | None:
        """Which kind of answer a listed name is; None for anything else (flags, signatures too)."""
        for inbound in self.inbound:
            if match := inbound.match(name):
                return inbound, match
        return None


def _smaller(one: int | None, other: int | None) -> int | None:
    present = [amount for amount in (one, other) if amount is not None]
    return min(present, default=None)


def _derived(pattern: str, name: str) -> str:
    """`{name}` and `{stem}` of a given name put into a part's pattern."""
    derived = name_pattern(pattern).format({"name": name, "stem": name.rpartition(".")[0] or name})
    if mistake := unsafe(derived):
        raise ValueError(f"file name {derived!r}: {mistake}")
    return derived
