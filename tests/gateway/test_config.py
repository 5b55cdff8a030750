"""The configuration as a whole: what is read, and every mistake with file and line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from formats.codec import Purpose
from formats.errors import LayoutError
from formats.records import AccountKind, Problem
from gateway.configuration.agreement import Agreement, Window
from gateway.configuration.config import (
    Configuration,
    PersonSettings,
    PlatformSettings,
    Policy,
    load_configuration,
)
from gateway.configuration.profile import Environment, FileLimits, PartNames, Profile, Retry, Stage
from gateway.configuration.profile_seal import OUT_STEPS
from gateway.errors import ConfigurationError
from keys.content_ciphers import CONTENT_CIPHERS

MAIN = """\
[gateway]
environment = "test"
instance = "district"

[intake]
policy = "set-aside"

[platform.card]
name = "人社一卡通"
kind = "card"
require_signature = true

[person.li]
name = "李"
"""
PROFILE = """\
bank = "rural"
name = "Rural Credit"
stage = "live"
environment = "test"
zone = "Asia/Shanghai"

[layouts]
request = "rural-credit-request"
result = ["rural-credit-result"]

[files]
name = "DF{unit_no}{bank_day:%Y%m%d}{sequence:06d}.txt"
flag = "{name}.ok"
flag_content = "{name}|{size}|{sha256}|{count}|{total}"
temporary_suffix = ".part"

[seal]
out = ["cms-sign-detached"]

[channel]
kind = "sftp"
host = "bank.invalid"
user = "gov"
outbox = "in"
inbox = "out"
release = "rename"
bank_keeps_files = true

[[inbound]]
kind = "result"
pattern = "{stem}.res"
complete = "flag"
seal = ["cms-verify-detached"]
"""
AGREEMENT = """\
number = "A-1"
department = "民政局"
bank = "rural"
payer_account = "370900000000001"
payer_name = "泰山区民政局"
unit_no = "U7"
valid_from = 2026-01-01
valid_until = 2026-12-31
programmes = ["elder", "disabled"]
feedback_deadline = "3 days"
platforms = ["card"]

[[windows]]
days = ["mon", "tue", "wed", "thu", "fri"]
opens = "09:00"
closes = "16:30"
"""
LAYOUTS = {"rural-credit-request": Purpose.REQUEST, "rural-credit-result": Purpose.RESULT}
SHANGHAI = ZoneInfo("Asia/Shanghai")


def site(
    folder: Path, main: str = MAIN, profile: str = PROFILE, agreement: str = AGREEMENT, **more: str
) -> Path:
    """Write a configuration; `more` are further agreements by name."""
    for name in ("profiles", "agreements"):
        (folder / name).mkdir()
    (folder / "profiles" / "rural.toml").write_text(profile, "utf-8")
    for name, text in {"a": agreement, **more}.items():
        (folder / "agreements" / f"{name}.toml").write_text(text, "utf-8")
    path = folder / "bankgate.toml"
    path.write_text(main, "utf-8")
    return path


def find_layouts(folders: Sequence[Path]) -> Mapping[str, Purpose]:
    return LAYOUTS


def load(path: Path) -> Configuration:
    return load_configuration(path, find_layouts)


def mistakes(path: Path) -> list[tuple[str, int | None, str]]:
    """(file, line, message after the place) of every problem."""
    with pytest.raises(ConfigurationError) as caught:
        load(path)
    return [_told(problem, path.parent) for problem in caught.value.problems]


def _told(problem: Problem, folder: Path) -> tuple[str, int | None, str]:
    place = f"{problem.source} line {problem.line}"
    assert problem.message.startswith(place)
    told = problem.message.removeprefix(place).removeprefix(" ").replace(str(folder), "SITE")
    return Path(problem.source).name, problem.line, told


def replaced(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1
    return text.replace(old, new)


def test_a_whole_configuration_is_read(tmp_path: Path) -> None:
    configuration = load(site(tmp_path))
    profile, agreement = configuration.profiles["rural"], configuration.agreements["民政局", "rural"][0]
    assert (profile.name, profile.stage, profile.channel.host) == ("Rural Credit", Stage.LIVE, "bank.invalid")
    assert profile.inbound[0].layout == "rural-credit-result"
    assert agreement.windows == [
        Window(days=["mon", "tue", "wed", "thu", "fri"], opens="09:00", closes="16:30")
    ]
    assert configuration.platforms == {
        "card": PlatformSettings(name="人社一卡通", kind=AccountKind.CARD, require_signature=True)
    }
    assert configuration.persons == {"li": PersonSettings(name="李")}
    assert (configuration.environment, configuration.instance) == (Environment.TEST, "district")
    assert (configuration.intake.policy, configuration.intake.maximum_problems) == (Policy.SET_ASIDE, 1000)
    assert configuration.warnings == []


def test_paths_are_relative_to_the_files_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "site").mkdir()
    main = replaced(MAIN, '"district"\n', '"district"\nspool = "/var/spool/b"\nlog = "../log"\n')
    site(tmp_path / "site", main=main)
    monkeypatch.chdir(tmp_path)
    configuration = load(Path("site/bankgate.toml"))
    assert (configuration.path, configuration.ledger, configuration.keys) == (
        tmp_path / "site" / "bankgate.toml",
        tmp_path / "site" / "ledger.sqlite",
        tmp_path / "site" / "keys.toml",
    )
    assert (configuration.spool, configuration.log) == (
        Path("/var/spool/b"),
        tmp_path / "site" / ".." / "log",
    )


def test_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    path = site(
        tmp_path,
        main=replaced(MAIN, 'policy = "set-aside"', 'policy = "ignore"'),
        profile=replaced(PROFILE, "flag =", "flagg ="),
        agreement=replaced(AGREEMENT, "2026-12-31", "20261231"),
    )
    assert mistakes(path) == [
        (
            "bankgate.toml",
            6,
            'intake.policy: found "ignore", wanted one of "refuse", "set-aside"',
        ),
        ("rural.toml", 13, "files.flagg: unknown key, did you mean flag?"),
        ("a.toml", 8, "valid_until: found ****1231, wanted a date such as 2026-01-31"),
    ]


def test_a_configuration_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path / "bankgate.toml")
    assert str(caught.value) == f"{tmp_path / 'bankgate.toml'}: cannot be read: there is no such file"
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        (
            'instance = "district"\n',
            'instance = "district"\nspool = "log"\n',
            1,
            "gateway.log: is the same place as spool",
        ),
        (
            'instance = "district"\n',
            'instance = "district"\nprofiles = "banks"\n',
            4,
            "gateway.profiles: there is no folder SITE/banks",
        ),
        (
            'instance = "district"\n',
            'instance = "district"\nlayouts = ["mine"]\n',
            4,
            "gateway.layouts[1]: there is no folder SITE/mine",
        ),
    ],
    ids=["same place", "profiles", "layouts"],
)
def test_a_mistake_across_the_main_file(tmp_path: Path, old: str, new: str, line: int, message: str) -> None:
    found = mistakes(site(tmp_path, main=replaced(MAIN, old, new)))
    assert ("bankgate.toml", line, message) in found


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ('bank = "rural"', 'bank = "rurla"', 1, 'bank: the file of bank "rurla" is called rural.toml'),
        ('"test"', '"production"', 4, "environment: this profile is for production, the gateway for test"),
        ("Asia/Shanghai", "Asia/Tai_an", 5, 'zone: there is no time zone "Asia/Tai_an"'),
        ("Asia/Shanghai", "../zoneinfo", 5, 'zone: there is no time zone "../zoneinfo"'),
        (
            'stage = "live"',
            'stage = "pilot"',
            1,
            "limits.pilot: stage pilot wants [limits.pilot] with"
            " amount_per_file_minor, payments_per_day, amount_per_day_minor",
        ),
        (
            "{sequence:06d}",
            "",
            12,
            'files.name: "DF{unit_no}{bank_day:%Y%m%d}.txt" has no {sequence}: names would repeat',
        ),
        (
            "{sequence:06d}",
            "{sequence:06d}{unit}",
            12,
            "files.name: {unit} is not known here: wanted one of "
            "bank, bank_day, business_no, created_at, sequence, unit_no",
        ),
        (
            '"{name}.ok"',
            '"done.ok"',
            13,
            'files.flag: "done.ok" has neither {name} nor {stem}: names would repeat',
        ),
        ('"{name}.ok"', '"{name}"', 13, "files.flag: the flag file has the name of the data file"),
        (
            "|{total}",
            "|{fee}",
            14,
            "files.flag_content: has a field other than {name} {size} {sha256} {count} {total}",
        ),
        (
            'flag = "{name}.ok"\n',
            "",
            13,
            "files.flag_content: there is no flag file to write it to: set flag",
        ),
        (
            'temporary_suffix = ".part"\n',
            "",
            11,
            'files: release = "rename" wants temporary_prefix or temporary_suffix',
        ),
        ('".part"', '".pa/rt"', 15, 'files.temporary_suffix: ".pa/rt" cannot stand in a file name'),
        ('outbox = "in"', 'outbox = "out"', 25, 'channel.inbox: is the folder of outbox too: "out"'),
        (
            'outbox = "in"',
            'outbox = "../in"',
            24,
            'channel.outbox: found "../in", wanted '
            "a folder below the channel's root, with / between names and no ..",
        ),
        (
            'outbox = "in"',
            'outbox = "/in"',
            24,
            'channel.outbox: found "/in", wanted '
            "a folder below the channel's root, with / between names and no ..",
        ),
        ('host = "bank.invalid"\n', "", 20, 'channel.host: missing, kind = "sftp" wants it'),
        ('kind = "sftp"', 'kind = "folder"', 20, 'channel.root: missing, kind = "folder" wants it'),
        (
            'complete = "flag"',
            'complete = "flag"\nlayout = "other"',
            33,
            'inbound[1].layout: "other" does not stand in [layouts] result',
        ),
        (
            'kind = "result"',
            'kind = "acknowledgement"',
            29,
            "inbound[1].layout: missing, wanted one of [layouts] acknowledgement",
        ),
        (
            'seal = ["cms-verify-detached"]',
            'seal = ["cms-decrypt"]',
            29,
            "inbound[1].unsigned_reason: no step of the seal says who signed: unsigned_reason is wanted, in"
            " words",
        ),
        (
            'seal = ["cms-verify-detached"]',
            'seal = ["cms-verify"]\nunsigned_reason = "old"',
            34,
            "inbound[1].unsigned_reason: stands beside a signature that is wanted: remove one",
        ),
        (
            'complete = "flag"',
            'complete = "flag"\npartner = ["_S.", "_F."]',
            33,
            "inbound[1].partner: wanted two texts, the first of which stands once in the pattern",
        ),
        (
            'complete = "flag"',
            'complete = "flag"\npartner = [".", "_F."]',
            33,
            'inbound[1].partner: no result has the pattern "{stem}_F.res" and this one as its partner',
        ),
        (
            '"rural-credit-request"',
            '"rural-request"',
            8,
            'layouts.request: there is no layout "rural-request"',
        ),
        (
            '["rural-credit-result"]',
            '["rural-credit-request"]',
            9,
            'layouts.result[1]: layout "rural-credit-request" is for a request, wanted one for a result',
        ),
        (
            "[seal]",
            "[limits]\nrecords_per_file = 200001\n[seal]",
            18,
            "limits.records_per_file: found 200001, wanted a whole number from 1 to 200000",
        ),
        (
            "[seal]",
            "[retry]\nfirst_delay_seconds = 4000\n[seal]",
            18,
            "retry.first_delay_seconds: is more than maximum_delay_seconds",
        ),
        (
            "[seal]",
            '[values]\nunit_no = "1"\n[seal]',
            18,
            "values.unit_no: is a name that the gateway or an agreement fills: choose another",
        ),
        (
            '["cms-sign-detached"]',
            '["rot13"]',
            18,
            'seal.out[1]: found "rot13", wanted one of ' + ", ".join(OUT_STEPS),
        ),
        (
            '["cms-sign-detached"]',
            '["cms-sign", "cms-encrypt", "cms-sign"]',
            18,
            'seal.out[3]: "cms-sign" stands there twice',
        ),
        (
            '["cms-sign-detached"]',
            '["cms-sign-detached", "plain-sign-detached"]',
            18,
            "seal.out: cms-sign-detached and plain-sign-detached each want the one signature file",
        ),
        (
            '["cms-sign-detached"]',
            '["cms-sign-detached"]\n[seal.cms-encrypt]\ncipher = "sm4-cbc"',
            19,
            "seal.cms-encrypt: no step of this profile uses it: remove it, or name the step",
        ),
        (
            '["cms-sign-detached"]',
            '["cms-encrypt"]\n[seal.cms-encrypt]\ncipher = "sm4-gcm"\nnational = true',
            20,
            'seal.cms-encrypt.cipher: GM/T 0010 has no "sm4-gcm"',
        ),
        (
            '["cms-sign-detached"]',
            '["cms-encrypt"]\n[seal.cms-encrypt]\ncipher = "des"',
            20,
            'seal.cms-encrypt.cipher: found "des", wanted one of ' + ", ".join(CONTENT_CIPHERS),
        ),
        (
            '["cms-sign-detached"]',
            '["cms-sign"]\n[seal.cms-sign]\nmessage_digest = "z"',
            20,
            'seal.cms-sign.message_digest: found "z", wanted one of "plain", "identity"',
        ),
        (
            '["cms-sign-detached"]',
            '["block-sign"]\n[seal.block-sign]\nplaces = "start"',
            20,
            "seal.block-sign.places: unknown key, did you mean place?",
        ),
        (
            'seal = ["cms-verify-detached"]',
            'seal = ["cms-verify", "cms-verify"]',
            33,
            'inbound[1].seal[2]: "cms-verify" stands there twice',
        ),
    ],
)
def test_a_mistake_of_a_profile(tmp_path: Path, old: str, new: str, line: int, message: str) -> None:
    profile = PROFILE.replace(old, new, 1)
    assert profile != PROFILE
    assert mistakes(site(tmp_path, profile=profile)) == [("rural.toml", line, message)]


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ('"rural"', '"urban"', 3, 'bank: no profile of bank "urban"'),
        ('["card"]', '["card", "book"]', 11, "platforms[2]: no [platform.book] in the configuration"),
        (
            '"370900000000001"',
            "370900000000001",
            4,
            "payer_account: found ***********0001, wanted 1 to 35 digits, as text",
        ),
        (
            '"370900000000001"',
            '"3709 0000"',
            4,
            'payer_account: found "3709 0000", wanted 1 to 35 digits, as text',
        ),
        ('unit_no = "U7"\n', "", 1, "unit_no: missing, wanted for {unit_no} of the bank's file names"),
        (
            '"U7"',
            '"U/7"',
            1,
            ": no file name can be made from it: file name 'DFU/720000101000001.txt': "
            "has a character other than letters, digits and ._-+=@,~#",
        ),
        ("2026-12-31", "2025-12-31", 8, "valid_until: ends before it begins on 2026-01-01"),
        ('"3 days"', '"soon"', 10, 'feedback_deadline: found "soon", wanted such as "3 days"'),
        ('"16:30"', '"25:00"', 16, 'windows[1].closes: found "25:00", wanted a time such as "09:30"'),
        ('"16:30"', '"08:30"', 16, "windows[1].closes: closes at 08:30, not after it opens at 09:00"),
        (
            '["mon", ',
            '["monday", ',
            14,
            'windows[1].days[1]: found "monday", wanted one of '
            '"mon", "tue", "wed", "thu", "fri", "sat", "sun", "workday"',
        ),
        (
            "[[windows]]",
            '[values]\ncurrency = "x"\n[[windows]]',
            14,
            "values.currency: is a field of the agreement itself: write it there",
        ),
    ],
)
def test_a_mistake_of_an_agreement(tmp_path: Path, old: str, new: str, line: int, message: str) -> None:
    agreement = replaced(AGREEMENT, old, new)
    assert mistakes(site(tmp_path, agreement=agreement)) == [("a.toml", line, message)]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {},
            [
                (
                    "b.toml",
                    9,
                    "programmes: elder, disabled at the same bank and time by SITE/agreements/a.toml too",
                )
            ],
        ),
        (
            {'["elder", "disabled"]': '["*"]'},
            [
                (
                    "b.toml",
                    9,
                    "programmes: elder, disabled at the same bank and time by SITE/agreements/a.toml too",
                )
            ],
        ),
        (
            {'"A-2"': '"A-1"', '["elder", "disabled"]': '["orphan"]'},
            [("b.toml", 1, "number: the number of SITE/agreements/a.toml too: A-1")],
        ),
        (
            {
                "valid_from = 2026-01-01": "valid_from = 2026-12-31",
                "valid_until = 2026-12-31": "valid_until = 2027-12-31",
            },
            [
                (
                    "b.toml",
                    9,
                    "programmes: elder, disabled at the same bank and time by SITE/agreements/a.toml too",
                )
            ],
        ),
        (
            {
                "valid_from = 2026-01-01": "valid_from = 2025-01-01",
                "valid_until = 2026-12-31": "valid_until = 2026-01-01",
            },
            [
                (
                    "b.toml",
                    9,
                    "programmes: elder, disabled at the same bank and time by SITE/agreements/a.toml too",
                )
            ],
        ),
    ],
    ids=["same", "every", "number", "last day", "first day"],
)
def test_two_agreements_for_the_same_payment(
    tmp_path: Path, changes: dict[str, str], expected: list[tuple[str, int, str]]
) -> None:
    second = replaced(AGREEMENT, '"A-1"', '"A-2"')
    for old, new in changes.items():
        second = replaced(second, old, new)
    assert mistakes(site(tmp_path, b=second)) == expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('["elder", "disabled"]', '["orphan"]'),
        ('"民政局"', '"残联"'),
        (
            "valid_from = 2026-01-01\nvalid_until = 2026-12-31",
            "valid_from = 2027-01-01\nvalid_until = 2027-12-31",
        ),
        ('unit_no = "U7"', 'unit_no = "U7"\ncurrency = "USD"'),
    ],
    ids=["programme", "department", "time", "currency"],
)
def test_two_agreements_that_are_apart(tmp_path: Path, old: str, new: str) -> None:
    second = replaced(replaced(AGREEMENT, '"A-1"', '"A-2"'), old, new)
    configuration = load(site(tmp_path, b=second))
    assert sorted(one.number for group in configuration.agreements.values() for one in group) == [
        "A-1",
        "A-2",
    ]


def test_mistakes_of_the_layouts_themselves_are_told_too(tmp_path: Path) -> None:
    problem = Problem(code="layout", message="own.toml line 3: unknown kind")

    def broken(folders: Sequence[Path]) -> Mapping[str, Purpose]:
        raise LayoutError([problem])

    with pytest.raises(ConfigurationError) as caught:
        load_configuration(site(tmp_path), broken)
    assert caught.value.problems == [problem]


def test_layouts_are_looked_for_in_the_folders_given(tmp_path: Path) -> None:
    asked: list[Path] = []

    def finder(folders: Sequence[Path]) -> Mapping[str, Purpose]:
        asked.extend(folders)
        return LAYOUTS

    (tmp_path / "mine").mkdir()
    main = replaced(MAIN, '"district"\n', '"district"\nlayouts = ["mine"]\n')
    configuration = load_configuration(site(tmp_path, main=main), finder)
    assert asked == configuration.layout_folders == [tmp_path / "mine"]


ACKNOWLEDGEMENT = """
[[inbound]]
kind = "acknowledgement"
pattern = "{stem}.ack"
complete = "stable"
seal = ["cms-verify-detached"]
layout = "rural-ack"
"""


@pytest.mark.parametrize(
    ("result", "acknowledgement", "expected"),
    [
        (
            "{name}",
            "ACK{sequence:06d}{any:2}{number}.a",
            [
                (32, 'takes "sample.ok" too, the flag of a file of inbound[1]'),
                (32, 'takes "sample.p7s" too, the signature of a file of inbound[1]'),
                (32, 'takes "ACK000001111.a" too, a name of inbound[2]'),
                (32, 'takes "ACK000001111.a.p7s" too, the signature of a file of inbound[2]'),
            ],
        ),
        ("{stem}.res", "{bank_day:%Y%m%d}.res", [(32, 'takes "20000101.res" too, a name of inbound[2]')]),
    ],
)
def test_names_that_cannot_be_told_apart(
    tmp_path: Path, result: str, acknowledgement: str, expected: list[tuple[int, str]]
) -> None:
    profile = replaced(PROFILE, "{stem}.res", result) + replaced(
        ACKNOWLEDGEMENT, "{stem}.ack", acknowledgement
    )
    profile = replaced(
        profile, '["rural-credit-result"]\n', '["rural-credit-result"]\nacknowledgement = "rural-ack"\n'
    )
    path = site(tmp_path, profile=profile)
    with pytest.raises(ConfigurationError) as caught:
        load_configuration(path)
    told = [_told(problem, tmp_path) for problem in caught.value.problems]
    assert told == [("rural.toml", line, f"inbound[1].pattern: {message}") for line, message in expected]


# What a profile does.


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    return load(site(tmp_path)).profiles["rural"]


@pytest.fixture
def agreement(tmp_path: Path) -> Agreement:
    return load(site(tmp_path)).agreements["民政局", "rural"][0]


def test_names_of_a_file_and_its_parts(profile: Profile) -> None:
    name = profile.file_name(
        sequence=42,
        bank_day=date(2026, 3, 9),
        created_at=datetime(2026, 3, 9, 12, tzinfo=SHANGHAI),
        texts={"unit_no": "U7", "business_no": ""},
    )
    assert name == "DFU720260309000042.txt"
    assert profile.part_names(name) == PartNames(data=name, signature=f"{name}.p7s", flag=f"{name}.ok")
    assert profile.temporary_name(name) == "DFU720260309000042.txt.part"
    flag = profile.flag_content(name=name, size_bytes=10, sha256="ab", count=2, total_minor=345)
    assert flag == b"DFU720260309000042.txt|10|ab|2|345"


def test_an_answer_is_recognised_and_its_companions_are_not(profile: Profile) -> None:
    recognised = profile.recognise("DF1.res")
    assert recognised is not None
    inbound, match = recognised
    assert (inbound, match.values) == (profile.inbound[0], {"stem": "DF1"})
    assert (inbound.flag_name("DF1.res"), inbound.detached_signature_name("DF1.res")) == (
        "DF1.res.ok",
        "DF1.res.p7s",
    )
    assert [profile.recognise(name) for name in ("DF1.res.ok", "DF1.res.p7s", "DF1.txt")] == [None] * 3


def test_a_digest_is_of_the_content_not_of_its_order(tmp_path: Path, profile: Profile) -> None:
    (tmp_path / "other").mkdir()
    head, rest = PROFILE.split("\n\n", 1)
    shuffled = "# another hand\n" + "\n".join(reversed(head.splitlines())) + "\n\n" + rest
    assert load(site(tmp_path / "other", profile=shuffled)).profiles["rural"].digest == profile.digest
    changed = msgspec.structs.replace(profile, retry=Retry(bound=9))
    assert changed.digest != profile.digest


def test_pinned_content_gives_the_same_profile_and_agreement(profile: Profile, tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    agreement = load(site(tmp_path / "again")).agreements["民政局", "rural"][0]
    assert Profile.from_canonical(profile.canonical()) == profile
    assert Agreement.from_canonical(agreement.canonical()) == agreement


def test_a_pilot_has_the_smaller_of_limit_and_cap(tmp_path: Path) -> None:
    text = PROFILE.replace('"live"', '"pilot"') + (
        "[limits]\nrecords_per_file = 500\namount_per_payment_minor = 900\n"
        "[limits.pilot]\namount_per_file_minor = 10000\namount_per_payment_minor = 1000\n"
        "payments_per_day = 20\namount_per_day_minor = 10000\n"
    )
    pilot = load(site(tmp_path, profile=text)).profiles["rural"]
    limits = {"records_per_file": 500, "amount_per_payment_minor": 900}
    assert pilot.file_limits() == FileLimits(**limits, amount_per_file_minor=10000)
    live = msgspec.structs.replace(pilot, stage=Stage.LIVE)
    assert live.file_limits() == FileLimits(**limits)


def test_delays_double_up_to_a_bound() -> None:
    retry = Retry(bound=5, first_delay_seconds=30, maximum_delay_seconds=100)
    assert [retry.delay_seconds(failures) for failures in (1, 2, 3, 4, 5, 6)] == [
        30,
        60,
        100,
        100,
        None,
        None,
    ]


# What an agreement does.


@pytest.mark.parametrize(
    ("programme", "day", "platform", "entrusted"),
    [
        ("elder", date(2026, 1, 1), "card", True),
        ("elder", date(2026, 12, 31), "card", True),
        ("elder", date(2025, 12, 31), "card", False),
        ("elder", date(2027, 1, 1), "card", False),
        ("orphan", date(2026, 5, 1), "card", False),
        ("elder", date(2026, 5, 1), "book", False),
    ],
)
def test_what_is_entrusted(
    agreement: Agreement, programme: str, day: date, platform: str, entrusted: bool
) -> None:
    assert agreement.entrusts(programme, day, platform) is entrusted


def at(text: str) -> datetime:
    """An instant by Shanghai's clock. 2026-03-09 is a Monday."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-03-09 09:00", "2026-03-09 09:00"),
        ("2026-03-09 16:29:59", "2026-03-09 16:29:59"),
        ("2026-03-09 16:30", "2026-03-10 09:00"),
        ("2026-03-09 08:59:59", "2026-03-09 09:00"),
        ("2026-03-13 17:00", "2026-03-16 09:00"),
        ("2026-03-15 12:00", "2026-03-16 09:00"),
    ],
)
def test_windows(agreement: Agreement, now: str, opens: str) -> None:
    assert agreement.window_open(at(now), SHANGHAI) is (now == opens)
    assert agreement.next_opening(at(now), SHANGHAI) == at(opens)
    assert agreement.next_opening(at(now), SHANGHAI).tzinfo is UTC


def test_a_window_once_a_week_comes_back_in_a_week(agreement: Agreement) -> None:
    weekly = msgspec.structs.replace(agreement, windows=[Window(days=["mon"], opens="09:00", closes="24:00")])
    assert weekly.window_open(at("2026-03-09 23:59"), SHANGHAI)
    assert weekly.next_opening(at("2026-03-10 00:00"), SHANGHAI) == at("2026-03-16 09:00")


def test_todays_window_that_is_over_comes_back_in_seven_days(agreement: Agreement) -> None:
    morning = msgspec.structs.replace(
        agreement, windows=[Window(days=["mon"], opens="09:00", closes="10:00")]
    )
    assert morning.next_opening(at("2026-03-09 11:00"), SHANGHAI) == at("2026-03-16 09:00")


def test_a_window_opens_by_the_clock_on_the_day_the_clock_changes(agreement: Agreement) -> None:
    """Opening is the local time, not midnight plus so many hours: Berlin, 2026-03-29."""
    berlin = ZoneInfo("Europe/Berlin")
    daily: dict[str, Any] = {"days": ["sun"], "opens": "09:00", "closes": "16:00"}
    sundays = msgspec.structs.replace(agreement, windows=[Window(**daily)])
    opening = sundays.next_opening(datetime(2026, 3, 28, 12, tzinfo=berlin), berlin)
    assert opening == datetime(2026, 3, 29, 7, tzinfo=UTC)


def test_no_windows_is_always_open(agreement: Agreement) -> None:
    free = msgspec.structs.replace(agreement, windows=[])
    assert free.window_open(at("2026-03-15 03:00"), SHANGHAI)


@pytest.mark.parametrize(
    ("deadline", "due"),
    [("3 days", "2026-03-12 15:00"), ("1 day", "2026-03-10 15:00"), ("36 hours", "2026-03-11 03:00")],
)
def test_feedback_is_due(agreement: Agreement, deadline: str, due: str) -> None:
    other = msgspec.structs.replace(agreement, feedback_deadline=deadline)
    assert other.feedback_due(at("2026-03-09 15:00"), SHANGHAI) == at(due)


def test_what_layouts_and_names_may_take(agreement: Agreement) -> None:
    agreement = msgspec.structs.replace(agreement, values={"remark": "x"})
    assert agreement.name_texts() == {"remark": "x", "business_no": "", "unit_no": "U7"}
    assert agreement.texts() == {
        "remark": "x",
        "number": "A-1",
        "department": "民政局",
        "bank": "rural",
        "payer_account": "370900000000001",
        "payer_name": "泰山区民政局",
        "payer_bank": "",
        "payer_bank_code": "",
        "business_no": "",
        "unit_no": "U7",
        "currency": "CNY",
    }
