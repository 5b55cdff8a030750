"""With real money nothing leaves on formats that were not checked, or that changed since."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from formats.registry import SHIPPED_FOLDER, Registry
from gateway import Gateway
from gateway.errors import ExitCode
from gateway.verdict import Verdict, layouts_of, record_verdict
from tests.gateway.commands import Commands, Ended
from tests.gateway.sites import CITY, PERSONS, Ground, credited, current, edit, payments_of

LAYOUTS = ("comment-style-request", "comment-style-result", "comment-style-acknowledgement")


@pytest.fixture
def production(ground: Ground) -> Ground:
    """The same site where money is real, with the formats of one bank in a folder of its own."""
    home = ground.site.configuration.parent
    for path in (ground.site.configuration, home / "keys.toml", *(home / "profiles").glob("*.toml")):
        text = re.sub(r'(environment +=) "test"', r'\1 "production"', path.read_text("utf-8"))
        path.write_text(text, "utf-8")
    folder = home / "layouts"
    for name in LAYOUTS:
        shutil.copytree(SHIPPED_FOLDER / "vectors" / name, folder / "vectors" / name)
        for path in SHIPPED_FOLDER.glob(f"{name}.*"):
            shutil.copy(path, folder)
    edit(ground.site.configuration, "[gateway]", '[gateway]\nlayouts = ["layouts"]')
    for path in (home / "profiles").glob("*.toml"):
        if path.stem != CITY:
            set_stage(path, "draft")
    return ground


@pytest.fixture
def check(production: Ground, bankgate: Commands) -> Callable[[], Ended]:
    """`bankgate layout check --bank`, and what it said."""

    def checked() -> Ended:
        return bankgate("layout", "check", "--bank", CITY, "--changes", 1, "--json")

    return checked


def record(ground: Ground) -> None:
    """The verdict that a check of what is in force would give, without its work."""
    with ground.open() as gateway:
        configuration = gateway.configuration
    profile = configuration.profiles[CITY]
    registry = Registry(configuration.layout_folders)
    verdict = Verdict(
        bank=CITY,
        passed=True,
        checked_at=ground.clock.now(),
        bankgate="0",
        profile=profile.checked_digest,
        layouts={name: registry.get(name).digest for name in layouts_of(profile)},
        cases=1,
        warnings=0,
        problems=0,
    )
    record_verdict(configuration, verdict)


def set_stage(path: Path, stage: str) -> None:
    text, count = re.subn(r'(stage +=) "\w+"', rf'\1 "{stage}"', path.read_text("utf-8"))
    assert count == 1
    path.write_text(text, "utf-8")


def layout_path(ground: Ground, name: str = LAYOUTS[0]) -> Path:
    return ground.site.configuration.parent / "layouts" / f"{name}.toml"


def stopped(gateway: Gateway) -> list[str]:
    """Why nothing leaves, by a run; [] where a file left."""
    report = gateway.run()
    told = [item for item in report.attention if item.message.startswith("nothing leaves")]
    assert all(item.code is ExitCode.NEEDS_PERSON for item in told)
    assert all(item.hint == f"bankgate layout check --bank {CITY}" for item in told)
    assert (report.files_made == 0) == bool(told)
    return [item.message.removeprefix("nothing leaves: ") for item in told]


def test_what_was_never_checked_does_not_leave(production: Ground) -> None:
    production.bank(CITY)
    with production.open() as gateway:
        production.submit(gateway, payments_of(CITY, 2))
        assert stopped(gateway) == ["stage live without a verdict of conformance"]
        assert list(production.outbox(CITY).iterdir()) == []


def test_what_was_checked_leaves_and_its_verdict_is_pinned(
    production: Ground, check: Callable[[], Ended]
) -> None:
    production.bank(CITY)
    ended = check()
    said = json.loads(ended.out)
    assert (ended.code, said["verdict"]["passed"], sorted(said["verdict"]["layouts"])) == (
        ExitCode.DONE,
        True,
        sorted(LAYOUTS),
    )
    payments = payments_of(CITY, 2)
    with production.open() as gateway:
        production.submit(gateway, payments)
        production.run_to_the_end(gateway)
        assert current(gateway) == credited(payments)
    [(pins,)] = production.rows("SELECT pins FROM file")
    assert len(json.loads(str(pins))["verdict"]) == 64


def test_a_layout_that_changed_stops_what_is_made_and_what_is_sealed(production: Ground) -> None:
    record(production)
    with production.open() as gateway:
        production.submit(gateway, payments_of(CITY, 2))
        # Made and sealed, and not sent: no channel is open at a bank whose folders are away.
        shutil.move(production.outbox(CITY), production.outbox(CITY).with_name("away"))
        gateway.run()
    assert production.rows("SELECT state FROM file") == [("sealed",)]
    shutil.move(production.outbox(CITY).with_name("away"), production.outbox(CITY))
    for name in (LAYOUTS[0], LAYOUTS[1]):
        path = layout_path(production, name)
        text = path.read_text("utf-8")
        path.write_text(text + "\n# another hand\n", "utf-8")
        with production.open() as gateway:
            [why] = stopped(gateway)
        assert why.startswith(f"layout {name} is not the one that was checked on ")
        assert list(production.outbox(CITY).iterdir()) == []
        path.write_text(text, "utf-8")
    with production.open() as gateway:
        production.decide(gateway, f"bank:{CITY}", "clear", PERSONS[0])
        gateway.run()
    assert production.rows("SELECT state FROM file") == [("sent",)]


def test_a_profile_that_changed_is_checked_again_and_its_stage_alone_is_not(production: Ground) -> None:
    path = production.profile_path(CITY)
    set_stage(path, "draft")
    record(production)
    set_stage(path, "live")
    with production.open() as gateway:
        production.submit(gateway, payments_of(CITY, 1))
        assert stopped(gateway) == []
    path.write_text(path.read_text("utf-8") + '\n[charges]\nfree_bearers = ["SHAR"]\n', "utf-8")
    with production.open() as gateway:
        production.submit(gateway, payments_of(CITY, 1, prefix="Q"))
        [why] = stopped(gateway)
    assert why.startswith("the profile is not the one that was checked on ")


def test_a_check_that_finds_something_ends_the_verdict_before(
    production: Ground, check: Callable[[], Ended]
) -> None:
    record(production)
    codes = layout_path(production, LAYOUTS[1]).with_suffix(".codes")
    codes.write_text(codes.read_text("utf-8") + "Z9   新原因\n", "utf-8")
    ended = check()
    assert (ended.code, json.loads(ended.out)["verdict"]["problems"]) == (ExitCode.REFUSED_INPUT, 1)
    with production.open() as gateway:
        production.submit(gateway, payments_of(CITY, 1))
        [why] = stopped(gateway)
    assert why.endswith("found problems in its formats")


def test_values_that_the_layout_has_no_room_for_are_found(
    production: Ground, check: Callable[[], Ended]
) -> None:
    for path in (production.site.configuration.parent / "agreements").glob("*.toml"):
        text = path.read_text("utf-8")
        path.write_text(re.sub(r'(payer_name +=) ".*"', r'\1 "' + "泰" * 31 + '"', text), "utf-8")
    said = json.loads(check().out)
    found = [
        problem["code"]
        for report in said["formats"]
        for part in report["parts"]
        if part["part"] == "profile"
        for problem in part["problems"]
    ]
    assert set(found) == {"values"}


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"bank": "city-bank"}'])
def test_a_verdict_that_cannot_be_read_is_none(production: Ground, content: bytes) -> None:
    record(production)
    (production.site.configuration.parent / "verdicts" / f"{CITY}.json").write_bytes(content)
    with production.open() as gateway:
        production.submit(gateway, payments_of(CITY, 1))
        assert stopped(gateway) == ["stage live without a verdict of conformance"]


def test_a_verdict_that_others_may_write_is_none(production: Ground) -> None:
    record(production)
    path = production.site.configuration.parent / "verdicts" / f"{CITY}.json"
    path.chmod(0o666)
    with production.open() as gateway:
        production.submit(gateway, payments_of(CITY, 1))
        report = gateway.run()
    [told] = [item for item in report.attention if item.message.startswith("nothing leaves")]
    assert (report.files_made, told.message) == (0, f"nothing leaves: others may write {path}")
    assert told.hint == f"chmod go-w {path}, then bankgate layout check --bank {CITY}"


def test_the_verdict_of_another_bank_is_none_of_ours(production: Ground) -> None:
    record(production)
    path = production.site.configuration.parent / "verdicts" / f"{CITY}.json"
    path.write_text(path.read_text("utf-8").replace(f'"{CITY}"', '"other-bank"'), "utf-8")
    with production.open() as gateway:
        production.submit(gateway, payments_of(CITY, 1))
        [why] = stopped(gateway)
    assert why.startswith("the profile is not the one that was checked on ")


def test_a_bank_without_a_profile_is_bad_usage(bankgate: Commands) -> None:
    assert bankgate("layout", "check", "--bank", "no-bank").code == ExitCode.BAD_USAGE
    assert bankgate("layout", "check", "--bank", CITY, "--draft").code == ExitCode.BAD_USAGE


@pytest.mark.parametrize(
    ("caps", "counts", "waits"),
    [
        ("payments_per_day = 3\namount_per_day_minor = 90000000", [3], "the pilot's number of payments"),
        (
            "payments_per_day = 9\namount_per_day_minor = 30300",
            [2],
            "over the amount that the pilot leaves for today",
        ),
        (
            "payments_per_day = 9\namount_per_day_minor = 90000000\nfiles_per_day = 2",
            [2, 2],
            "number of files",
        ),
    ],
)
def test_a_pilot_sends_no_more_than_it_says_of_a_day(
    ground: Ground, caps: str, counts: list[int], waits: str
) -> None:
    ground.bank(CITY)
    path = ground.profile_path(CITY)
    set_stage(path, "pilot")
    cap = "records_per_file = 2" if "files_per_day" in caps else ""
    limits = f"\n[limits.pilot]\namount_per_file_minor = 1000000\n{cap}\n{caps}\n"
    path.write_text(path.read_text("utf-8") + limits, "utf-8")
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 5))
        waiting = gateway.run().waiting
        assert [
            count for (count,) in ground.rows("SELECT payment_count FROM file ORDER BY file_pk")
        ] == counts
        assert waits in waiting[0]
        gateway.run()
        assert len(ground.rows("SELECT 1 FROM file")) == len(counts)
        ground.clock.turn(days=1)
        gateway.run()
        assert len(ground.rows("SELECT 1 FROM file")) > len(counts)
