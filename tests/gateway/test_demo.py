"""The demonstrated month: what it shows to each command, and that a kill changes nothing of it."""

from __future__ import annotations

import json
import random
import shlex
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from msgspec import Struct

from gateway import Gateway, Outcome, Reason
from gateway.demonstration.month import Month, Size
from gateway.demonstration.plan import PASSBOOK_PLATFORM
from gateway.demonstration.site import Site
from gateway.demonstration.tour import commands_to_try
from gateway.rules.books import By
from tests.browser import show
from tests.docs.markdown import ROOT, run_in_order
from tests.gateway.commands import start

COUNT = 180
SEED = 7
MONTH = Month(Size(COUNT, SEED))
_ENHANCED_CONTRAST = 7
"""WCAG 2.1, 1.4.6: what people with weak eyes read."""


def demo(folder: Path) -> subprocess.Popen[str]:
    return start("demo", "--payments", COUNT, "--seed", SEED, "--folder", folder, "--json")


def ended(folder: Path, said: str) -> dict[str, Outcome]:
    """The last outcome of each payment, after the sum and the banks' own books were compared."""
    result = json.loads(said)
    with Gateway.open(Site(folder).configuration) as gateway:
        assert {one.adds_up for one in gateway.status()} == {True}
        last = {one.payment_id: one for one in gateway.outcomes(only_current=True)}
    # A payment under a code that no table lists was paid, and says so nowhere.
    unsaid = sum(one.amount_minor for one in last.values() if one.reason is Reason.UNMAPPED)
    assert result["adds_up"]
    assert result["really_paid_minor"] == result["credited_minor"] + unsaid
    return last


class Played(Struct):
    """A month that nobody disturbed, and the JSON that it ended with."""

    site: Site
    said: str

    def month_file(self, name: str) -> Path:
        return self.site.month / name


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    folder = tmp_path_factory.mktemp("played") / "demo"
    process = demo(folder)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, out + err
    return Played(Site(folder), out)


@pytest.mark.heavy
@pytest.mark.timeout(300)
def test_the_month_has_what_a_month_has(played: Played) -> None:
    """Twelve fields at three banks, some by passbook too; failures and a return paid again in full."""
    result = json.loads(played.said)
    last = ended(played.site.folder, played.said)
    again = {name for name in last if "-R" in name}
    assert len(last) - len(again) == COUNT
    assert result["batches"] == len(MONTH.batches) + len({last[name].batch_id for name in again})
    with Gateway.open(played.site.configuration) as gateway:
        files = gateway.files()
        submitted = {one.batch_id for one in gateway.status()}
        charges = {(one.bank, one.kind, one.count, one.minor) for one in gateway.plan.charges()}
        breaches = [(one.bank, one.answered_at is not None) for one in gateway.plan.breaches()]
        closed = Counter(gateway.plan.closed(batch_id).closed for batch_id in submitted)
        recoveries = [
            (one.payment_id, one.amount_minor, one.recovered_minor) for one in gateway.plan.recoveries()
        ]
        overdue = {(one.programme, one.credited_late) for one in gateway.plan.overdue()}
    assert {file.bank for file in files} == {"city-bank", "iso-bank", "rural-credit"}
    # The return: credited, back, and credited again.
    (returned,) = [one for one in last.values() if one.reason is Reason.RETURNED]
    assert str(last[f"{returned.payment_id}-R1"].status) == "credited"
    for name in again:
        assert last[name].amount_minor == last[name.partition("-R")[0]].amount_minor
    assert Counter(str(last[name].status) for name in again)["credited"] >= 5
    assert {MONTH.again_id(1), MONTH.again_id(2), MONTH.again_id(1, PASSBOOK_PLATFORM)} < submitted
    # What the result tells and the statement books is one charge; another stands in a statement only.
    assert charges == {
        ("rural-credit", "fee_line", 1, 50),
        ("city-bank", "short_credit", 1, 200),
        ("city-bank", "unexplained_debit", 1, 50),
    }
    # The late one was answered; of the other the bank has not said a word that is in its table.
    assert breaches == [("city-bank", True), ("iso-bank", False)]
    assert closed[True] > closed[False] > 0
    paid_minor = MONTH.overpaid.amount_minor
    assert recoveries == [(MONTH.overpaid.payment_id, paid_minor * 9 // 10, paid_minor // 10)]
    assert str(last[MONTH.overpaid.payment_id].status) == "credited"
    assert {programme for programme, _ in overdue} == {"城乡居民最低生活保障补贴"}
    assert any(late for _, late in overdue)


@pytest.mark.heavy
@pytest.mark.timeout(300)
def test_statements_agree_with_results_but_for_what_is_unknown(played: Played) -> None:
    """Each bank's statements; the payment under a strange code was paid, and only they say so."""
    with Gateway.open(played.site.configuration) as gateway:
        entries = list(gateway.statement_entries())
        differences = list(gateway.plan.differences())
        unknown = [one for one in gateway.outcomes(only_current=True) if one.reason is Reason.UNMAPPED]
        gaps = {book.key: book.gap_minor for book in gateway.plan.books(By.BANK)}
        standing = [one.agrees for one in gateway.plan.standings()]
        bookings = {str(one.kind) for one in gateway.trace(_returned(gateway)).entries}
    assert {one.bank for one in entries} == {"city-bank", "iso-bank", "rural-credit"}
    assert {str(one.kind) for one in entries} == {"payment", "return", "fee", "other"}
    ((payment_id, amount_minor),) = [(one.payment_id, one.amount_minor) for one in unknown]
    assert [(one.payment_id, one.by_results_minor, one.by_statements_minor) for one in differences] == [
        (payment_id, 0, amount_minor)
    ]
    assert gaps == {"city-bank": 0, "iso-bank": -amount_minor, "rural-credit": 0}
    assert (True in standing, False in standing) == (True, True)
    assert bookings == {"payment", "return"}


def _returned(gateway: Gateway) -> str:
    (returned,) = [one for one in gateway.outcomes(only_current=True) if one.reason is Reason.RETURNED]
    return returned.payment_id


@pytest.mark.heavy
@pytest.mark.timeout(300)
def test_money_is_waited_for_and_nobody_is_paid_on_both_platforms(played: Played) -> None:
    setting = MONTH.setting()
    ((limited, limit_minor),) = setting.day_limits_minor.items()
    with Gateway.open(played.site.configuration) as gateway:
        last = {one.payment_id: one for one in gateway.outcomes(only_current=True)}
        with gateway.installation.ledger.read() as transaction:
            files = transaction.all(
                "SELECT lane.department, lane.bank, file.bank_day, SUM(total_minor) AS minor,"
                " (SELECT COUNT(*) FROM funding WHERE funding.lane_pk = lane.lane_pk) AS vouchers"
                " FROM file JOIN lane USING (lane_pk) WHERE file.state <> 'voided' GROUP BY 1, 2, 3, 5"
            )
    funded = [row for row in files if row.department == setting.funded]
    assert funded
    assert all(row.bank_day >= "2026-09-04" and row.vouchers == 1 for row in funded)
    assert all(row.vouchers == 0 for row in files if row not in funded)
    days = {row.bank_day: row.minor for row in files if (row.department, row.bank) == limited}
    assert {"2026-09-01", "2026-09-02"} <= set(days)
    assert max(days.values()) <= limit_minor
    repeated = MONTH.repeated
    assert str(last[repeated.payment_id].status) == "withdrawn"
    assert played.site.month.joinpath("field-04-passbook.csv").exists()


@pytest.mark.heavy
@pytest.mark.timeout(300)
def test_every_command_that_it_names_shows_something_of_it(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As typed, on the folder as it lies there, by the machine's own clock."""
    monkeypatch.setenv("BANKGATE_CONFIG", str(played.site.configuration))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("COLUMNS", "200")
    told: dict[str, str] = {}
    stories: dict[str, str] = {}
    for command in commands_to_try(played.site, MONTH):
        program, name, *arguments = shlex.split(command)
        assert program == "bankgate"
        process = start(name, *arguments)
        out, err = process.communicate(timeout=60)
        # Done, or done and a person is needed.
        assert process.returncode in (0, 1), (command, out, err)
        assert err == "", (command, err)
        told[" ".join([name, *arguments[:1]])] = out
        if name == "trace":
            stories[arguments[0]] = out
    batch = MONTH.published.batch_id
    for key, wanted in {
        "status": "the sum holds",
        "reconcile --by": "rural-credit",
        "reconcile --ageing": "2 payments open",
        "breaches": "2 deadlines missed, by 2 banks",
        "overdue": "城乡居民最低生活保障补贴",
        "spread": "days apart",
        "reconcile --differences": "1 payments differ",
        "reconcile --due": "statements agree to the fen",
        "statements rural-credit": "return, credit (yuan)",
        f"reconcile {MONTH.limited.batch_id}": "booked by statements (yuan)",
        "share": "2 persons were paid by card and by passbook",
        "cards list": "1 lists count",
        "cards movable": "movable.csv: ",
        "cards offers": "each card must be verified",
        "charges": "3 findings, 3.00 yuan",
        "catalogue show": "0401 耕地地力保护补贴",
        "lists no-card": "1 payments",
        "lists not-activated": "rural-credit",
        f"warnings {MONTH.again_id(1)}": "with accounts that were corrected",
        f"publish-check {batch}": "published, not credited",
        f"reissue {played.month_file('corrections-3.csv')}": "0 refused",
        "recoveries": MONTH.overpaid.payment_id,
        "held": "oddity:1  city-bank",
    }.items():
        assert wanted in told[key], (key, told[key])
    story = next(out for payment_id, out in stories.items() if payment_id != MONTH.repeated.payment_id)
    assert ": returned\n" in story
    assert " credited: success" in story
    taken_back = stories[MONTH.repeated.payment_id]
    assert "withdrawn" in taken_back
    assert "was held: repeated within the period" in taken_back
    assert len([json.loads(line) for line in told["messages --limit"].splitlines()]) == 5
    assert (played.site.reports / "another.html").read_text("utf-8").startswith("<!DOCTYPE html>")
    for name in ("credited-02.csv", "booklet-02.csv", "again-3.csv", "outcomes-02.csv"):
        assert len(played.month_file(name).read_text("utf-8").splitlines()) > 1, name


@pytest.mark.heavy
@pytest.mark.timeout(300)
def test_reports_lie_in_its_folder(played: Played) -> None:
    names = {path.name for path in played.site.reports.iterdir()} - {"another.html", "another.xlsx"}
    stems = ("2026-09", MONTH.published.batch_id)
    assert names == {f"{stem}{ending}" for stem in stems for ending in (".html", ".xlsx")}


@pytest.mark.heavy
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("width_pixels", "letters_percent"), [(1280, 100), (760, 100), (360, 100), (360, 150)]
)
def test_reports_are_readable_in_a_browser(
    played: Played, tmp_path: Path, width_pixels: int, letters_percent: int
) -> None:
    """On a desk, a tablet and a phone, large letters too: nothing sticks out, is small, pale or fetched."""
    pages = sorted(played.site.reports.glob("*.html"))
    assert len(pages) > 1
    for path in pages:
        text = path.read_text("utf-8")
        shown = show(text, width_pixels, tmp_path, letters_percent=letters_percent)
        assert (shown.scrolled_pixels, shown.sticking_out) == (width_pixels, []), path
        assert shown.smallest_text_pixels >= 16 * letters_percent / 100
        assert shown.least_contrast >= _ENHANCED_CONTRAST
        assert shown.texts > 100
        assert (shown.faults, shown.requests) == ([], [])


@pytest.mark.heavy
@pytest.mark.timeout(600)
def test_a_page_that_is_not_so_is_seen(tmp_path: Path) -> None:
    page = (
        "<html><head></head><body><img src='http://127.0.0.1:9/a.png'><script>nobody()</script>"
        "<p style='width: 500px; font-size: 9px; color: #bbb'>small and pale</p></body></html>"
    )
    shown = show(page, 360, tmp_path)
    assert (shown.scrolled_pixels > 500, shown.sticking_out) == (True, ["P small and pale"])
    assert (shown.smallest_text_pixels, shown.least_contrast < 2) == (9, True)
    faults = " ".join(shown.faults)
    assert ("nobody is not defined" in faults, "http://127.0.0.1:9/a.png" in faults) == (True, True)


@pytest.mark.heavy
@pytest.mark.timeout(300)
def test_the_platforms_page_runs_on_what_it_leaves(
    played: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(played.site.folder, tmp_path / "demo")
    shutil.copytree(ROOT / "docs" / "examples", tmp_path / "docs" / "examples")
    monkeypatch.chdir(tmp_path)
    assert run_in_order(ROOT / "docs" / "platform.md") > 5


@pytest.mark.heavy
@pytest.mark.timeout(900)
def test_killed_at_any_moment_it_goes_on(played: Played, tmp_path: Path) -> None:
    expected = ended(played.site.folder, played.said)
    draw = random.Random(SEED)
    folder = tmp_path / "disturbed"
    for _ in range(7):
        process = demo(folder)
        try:
            process.communicate(timeout=draw.uniform(0.5, 14))
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
    process = demo(folder)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, out + err
    found = ended(folder, out)
    assert {name: _told(one) for name, one in found.items()} == {
        name: _told(one) for name, one in expected.items()
    }


def _told(outcome: Outcome) -> tuple[str, str, int | None]:
    return outcome.status, outcome.reason, outcome.credited_minor
