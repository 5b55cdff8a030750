"""What `key check` finds: gaps in a role rather than ends of keys; commands on a real ring."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gateway import ExitCode
from gateway.configuration.config import load_configuration
from gateway.configuration.key_check import KeyState, check_keys, covered_until
from gateway.configuration.key_needs import Need, key_needs
from gateway.demonstration.people import BANKS
from keys.authority import Authority
from keys.keyring import Keyring
from keys.keyring_listed import Listed
from keys.private import load_certificates
from tests.gateway.commands import Commands
from tests.gateway.sites import NOW, RURAL, Ground, edit
from tests.keys.test_revocation import make_list

DAY = timedelta(days=1)
SIGN = Need("sign", "rural", "files to rural are signed")


def row(
    key_id: str, begins: int | None, ends: int | None, role: str = "sign", owner: str = "rural"
) -> Listed:
    """A key in force from and until so many days after `NOW`."""
    return Listed(
        key_id=key_id,
        role=role,
        owner=owner,
        kind="",
        subject="",
        fingerprint="",
        valid_from=None if begins is None else NOW + begins * DAY,
        valid_until=None if ends is None else NOW + ends * DAY,
    )


@pytest.mark.parametrize(
    ("rows", "days"),
    [
        ([], 0),
        ([row("a", None, None)], None),
        ([row("a", None, 10)], 10),
        ([row("a", None, 10), row("b", 10, 20)], 20),
        ([row("a", None, 10), row("b", 5, 20), row("c", 19, None)], None),
        ([row("a", None, 10), row("b", 11, 20)], 10),
        ([row("a", 1, 10)], 0),
        ([row("a", -20, -1)], 0),
        ([row("b", 3, 7), row("a", None, 5)], 7),
    ],
)
def test_coverage_ends_at_the_first_gap(rows: list[Listed], days: int | None) -> None:
    assert covered_until(rows, NOW) == (None if days is None else NOW + days * DAY)


@pytest.mark.parametrize(
    ("rows", "found", "code"),
    [
        ([], [("missing", "", None)], ExitCode.KEYS_MISSING),
        ([row("a", -9, -1)], [("missing", "a", None)], ExitCode.KEYS_MISSING),
        ([row("a", 1, 90)], [("missing", "a", None)], ExitCode.KEYS_MISSING),
        ([row("a", None, 31)], [], ExitCode.DONE),
        ([row("a", None, 30)], [("ends", "a", 30)], ExitCode.KEYS_ENDING),
        ([row("a", None, 10), row("b", 11, 90)], [("ends", "a", 10)], ExitCode.KEYS_ENDING),
        ([row("a", None, 10), row("b", 9, 90)], [("replaced", "a", 10)], ExitCode.DONE),
        (
            [row("a", None, 5), row("b", 4, 12)],
            [("ends", "b", 12), ("replaced", "a", 5)],
            ExitCode.KEYS_ENDING,
        ),
    ],
)
def test_what_is_found_within_thirty_days(
    rows: list[Listed], found: list[tuple[str, str, int | None]], code: ExitCode
) -> None:
    report = check_keys([SIGN], rows, "test", NOW, 30)
    assert [(one.state.value, one.key_id, one.days) for one in report.findings] == found
    assert report.exit_code is code


def test_a_bank_at_the_stage_draft_alarms_nobody() -> None:
    need = Need("sign", "rural", "files to rural are signed", urgent=False)
    report = check_keys([need], [], "test", NOW, 30)
    assert [(one.state, one.urgent) for one in report.findings] == [(KeyState.MISSING, False)]
    assert report.exit_code is ExitCode.DONE


def test_a_key_of_nobody_is_told_and_alarms_nobody() -> None:
    rows = [row("a", None, None), row("old", None, 3, owner="rurall")]
    report = check_keys([SIGN], rows, "test", NOW, 30)
    assert [(one.state, one.key_id) for one in report.findings] == [(KeyState.UNUSED, "old")]
    assert report.exit_code is ExitCode.DONE


def test_the_demonstrations_ring_has_all_that_its_configuration_needs(ground: Ground) -> None:
    configuration = load_configuration(ground.site.configuration)
    ring = Keyring.load(configuration.keys, "test")
    needed = {(need.role, need.owner) for need in key_needs(configuration)}
    assert needed == {(listed.role, listed.owner) for listed in ring.listed()} - {
        # Folders take the place of SFTP in these tests.
        (role, bank.bank) for role in ("ssh-login", "host-pin") for bank in BANKS
    }  # fmt: skip


def test_a_bank_by_sftp_needs_login_and_host_pin(ground: Ground) -> None:
    edit(
        ground.profile_path(RURAL), 'kind = "folder"', 'kind = "sftp"\nhost = "sftp.bank.invalid"\nuser = "u"'
    )
    needs = key_needs(load_configuration(ground.site.configuration))
    assert {need.role for need in needs if need.owner == RURAL} == {"sign", "verify", "ssh-login", "host-pin"}


def _with_certificate_of(ground: Ground, days: float) -> None:
    """The gateway's key for one bank gets a certificate that ends in so many days."""
    folder = ground.site.configuration.parent / "keys"
    authority = Authority.create("CN=short CA,C=CN", NOW - 400 * DAY, NOW + 4000 * DAY)
    identity = authority.issue("CN=short,C=CN", NOW - 300 * DAY, NOW + days * DAY, "ec-p256")
    for name in ("pem", "crt"):
        (folder / f"{RURAL}-signing.{name}").unlink()
    identity.write_pem(folder / f"{RURAL}-signing.pem", folder / f"{RURAL}-signing.crt")


def test_a_certificate_that_expires_in_ten_days(ground: Ground, bankgate: Commands) -> None:
    _with_certificate_of(ground, 10)
    ended = bankgate("key", "check", "--json")
    assert ended.code == 6
    report = json.loads(ended.out)
    urgent = [finding for finding in report["findings"] if finding["urgent"]]
    assert [(one["state"], one["key_id"], one["days"]) for one in urgent] == [
        ("ends", f"{RURAL}-signing", 10)
    ]
    assert urgent[0]["ends_at"] == "2026-09-11T02:00:00Z"
    told = bankgate("key", "check")
    assert (
        told.code,
        f"ends: {RURAL}-signing ends in 10 days, 2026-09-11, and nothing follows" in told.out,
    ) == (
        6,
        True,
    )
    assert bankgate("key", "check", "--days", 9).code == 0


def test_an_expired_certificate_is_a_missing_key(ground: Ground, bankgate: Commands) -> None:
    _with_certificate_of(ground, -1)
    ended = bankgate("key", "check")
    assert ended.code == 7
    assert f"no key of role sign for {RURAL} is in force: {RURAL}-signing ended 2026-08-31" in ended.out


def test_a_second_key_beside_it_silences_the_alarm(ground: Ground, bankgate: Commands) -> None:
    _with_certificate_of(ground, 10)
    folder = ground.site.configuration.parent
    made = bankgate("key", "new", "next", "--kind", "ec-p256", "--subject", "CN=next,C=CN",
                    "--self-signed", 400, "--folder", folder / "keys")  # fmt: skip
    assert made.code == 0, made.err
    entry = made.out[made.out.index("[[key]]") :].replace('role = "..."', f'role = "sign"\nbank = "{RURAL}"')
    ring = folder / "keys.toml"
    ring.write_text(ring.read_text("utf-8") + entry.replace('environment = "..."', 'environment = "test"'))
    ended = bankgate("key", "check")
    assert ended.code == 0
    assert f"replaced: {RURAL}-signing ends in 10 days, 2026-09-11; next goes on" in ended.out


def test_list_shows_every_key_until_when_it_is_in_force(ground: Ground, bankgate: Commands) -> None:
    listed = json.loads(bankgate("key", "list", "--json").out)
    ring = Keyring.load(ground.site.configuration.parent / "keys.toml", "test")
    assert [one["key_id"] for one in listed] == [one.key_id for one in ring.listed()]
    path = ground.site.configuration.parent / "keys" / f"{RURAL}-signing.crt"
    (own,) = [one for one in listed if one["key_id"] == f"{RURAL}-signing"]
    end = load_certificates(path)[0].not_valid_after_utc
    assert (own["role"], own["owner"], own["kind"], own["state"]) == ("sign", RURAL, "RSA 2048", "in_force")
    assert datetime.fromisoformat(own["valid_until"]) == end
    table = bankgate("key", "list").out
    assert [line.split()[0] for line in table.splitlines() if f"{end:%Y-%m-%d}" in line].count(
        f"{RURAL}-signing"
    ) == 1


def test_check_works_without_a_ledger(ground: Ground, bankgate: Commands) -> None:
    """A monitor looks beside a run, and where the ledger cannot be opened."""
    ground.ledger_path.write_bytes(b"no database")
    assert bankgate("key", "check").code == 0


def test_a_ring_with_mistakes_is_bad_usage(ground: Ground, bankgate: Commands) -> None:
    folder = ground.site.configuration.parent / "keys"
    (folder / f"{RURAL}-signing.pem").chmod(0o640)
    ended = bankgate("key", "check")
    assert (ended.code, "may be read or written by others" in ended.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--kind", "rsa-2048"), "--subject is wanted for a key of kind rsa-2048"),
        (("--kind", "ssh", "--subject", "CN=a"), "do not go with a key of kind ssh"),
        (("--kind", "master", "--password", "env:WORD"), "a master key has no password"),
        (
            ("--kind", "rsa-2048", "--subject", "CN=a", "--password", "open sesame"),
            "wanted file:PATH, env:NAME",
        ),
        (("--kind", "rsa-1024", "--subject", "CN=a"), "'rsa-1024' is not one of"),
    ],
)
def test_new_is_asked_wrongly(
    tmp_path: Path, bankgate: Commands, arguments: tuple[str, ...], text: str
) -> None:
    ended = bankgate("key", "new", "own", "--folder", tmp_path, *arguments)
    assert (ended.code, text in ended.err) == (2, True)
    assert "open sesame" not in ended.err
    assert list(tmp_path.iterdir()) == [] or [path.name for path in tmp_path.iterdir()] == ["site"]


def test_new_overwrites_nothing(tmp_path: Path, bankgate: Commands) -> None:
    made = ("key", "new", "own", "--kind", "ec-p256", "--subject", "CN=own", "--folder", tmp_path)
    assert bankgate(*made).code == 0
    before = (tmp_path / "own.key").read_bytes()
    again = bankgate(*made)
    assert (again.code, "is there already and is not overwritten" in again.err) == (2, True)
    assert (tmp_path / "own.key").read_bytes() == before
    assert (tmp_path / "own.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("hours", "code"), [(-1, 7), (23, 6), (25, 0)])
def test_a_revocation_list_that_ends(ground: Ground, bankgate: Commands, hours: int, code: int) -> None:
    """Lists live for days: they are told a day before, whatever the horizon of keys."""
    folder = ground.site.configuration.parent
    authority = Authority.create("CN=listed CA", NOW - 400 * DAY, NOW + 4000 * DAY)
    authority.identity.write_pem(folder / "keys" / "listed.key", folder / "keys" / "listed.crt")
    revocations = make_list(authority, issued=NOW - DAY, until=NOW + timedelta(hours=hours))
    (folder / "keys" / "listed.crl").write_bytes(revocations)
    with (folder / "keys.toml").open("a", encoding="utf-8") as ring:
        ring.write(f'[[key]]\nid = "listed"\nrole = "verify"\nbank = "{RURAL}"\nenvironment = "test"\n'
                   'ca = "keys/listed.crt"\nany_subject = true\ncrls = ["keys/listed.crl"]\n')  # fmt: skip
    ended = bankgate("key", "check")
    assert ended.code == code
    assert ("revocation list listed.crl of listed end" in ended.out) is (code != 0)


@pytest.mark.parametrize(
    ("windows", "code"),
    [
        ([], ExitCode.KEYS_MISSING),
        ([(None, -1)], ExitCode.DONE),
        ([(-9, -1), (None, -3)], ExitCode.DONE),
        ([(None, -1), (1, None)], ExitCode.KEYS_MISSING),
        ([(None, 5)], ExitCode.KEYS_ENDING),
    ],
)
def test_nobody_waits_for_a_person_who_has_left(
    windows: list[tuple[int | None, int | None]], code: ExitCode
) -> None:
    rows = [row(f"li-{number}", *window, "person", "li") for number, window in enumerate(windows)]
    report = check_keys([Need("person", "li", "li decides")], rows, "test", NOW, 30)
    assert report.exit_code == code
