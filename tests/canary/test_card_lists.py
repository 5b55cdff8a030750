"""Nothing of a card list comes out in clear: good ones, each value in each column and line, broken ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from formats import AccountKind, Payment
from formats.standard import FileFormat
from gateway.rules import card_list_file, card_offers
from tests.canary import marks
from tests.canary.life import Life
from tests.canary.test_canary import nothing_leaked
from tests.canary.told import plain
from tests.gateway.sites import CITY, PERSONS
from tests.rules.card_lists import HEADERS, cells, listed

COLUMNS = HEADERS.split(",")


def passbook(number: int) -> str:
    """A passbook of the city's bank, with the core of marked accounts."""
    return f"90192{marks.ACCOUNT_CORE}{number:05d}"


def row(payment: Payment, number: int) -> dict[str, str]:
    marked = {"一本通账号": passbook(number), "社保卡银行账号": marks.account(CITY, 500 + number)}
    return cells(payment, number, **marked)


def listed_people(life: Life) -> None:
    """People paid to passbooks, one without an account; a list of them, and all that is wrong with one."""
    people = plain(marks.payments(CITY, 5))
    books = [
        msgspec.structs.replace(one, account=passbook(number), account_kind=AccountKind.PASSBOOK)
        for number, one in enumerate(people)
    ]
    books[4] = msgspec.structs.replace(books[4], account="")
    path = life.ground.write(life.ground.batch(books, "books"), books, FileFormat.CSV)
    life.hand_over(path.name, path.read_bytes(), "--policy", "set-aside")
    folder = life.ground.site.batch.parent
    rows = [row(one, number) for number, one in enumerate(people)]
    who = ("--as", PERSONS[0], "--key", life.ground.person_key(PERSONS[0]))
    for number, lines in enumerate([rows, *_wrong_rows(rows)]):
        told = listed(folder, lines, name=f"cards-{number}.csv")
        life.command("cards", "check", told)
        life.command("cards", "check", told, "--json")
    with life.ground.open() as gateway:
        for number, content in enumerate(_broken(folder, rows)):
            path = folder / f"broken-{number}.csv"
            path.write_bytes(content)
            life.attempt(lambda path=path: gateway.plan.check_card_list(path))  # type: ignore[misc]
            life.attempt(lambda path=path: gateway.bring_card_list(path))  # type: ignore[misc]
    for path in sorted(folder.glob("broken-*.csv"))[::8]:
        life.command("cards", "check", path)
        life.command("cards", "take", path, *who, "--json")
    assert life.command("cards", "take", folder / "cards-1.csv", *who).code == 0
    life.command("held")
    assert life.command("cards", "take", folder / "cards-0.csv", *who).code == 0
    _show(life, rows, folder)


def _wrong_rows(rows: list[dict[str, str]]) -> Iterator[list[dict[str, str]]]:
    """Each kind of value in each column; then rows that contradict one another."""
    yield [
        {**rows[0], column: value}
        for number, column in enumerate(COLUMNS)
        for value in marks.values(CITY, 100 + number)
    ]
    mixed = [rows[0], {**rows[1], "社保卡银行账号": rows[0]["社保卡银行账号"]}]
    yield [*mixed, rows[2], {**rows[2], "姓名": rows[3]["姓名"]}]


def _broken(folder: Path, rows: list[dict[str, str]]) -> Iterator[bytes]:
    text = listed(folder, rows, name="whole.csv").read_text("utf-8")
    for value in marks.values(CITY, 200):
        for head in ("yikatong", "2026-08-20", ",5\n"):
            yield text.replace(head, f",{value}\n" if head[0] == "," else value, 1).encode()
        yield text.replace("姓名", value, 1).encode()
        yield text.replace("\n\n", f"\n{value},{value}\n\n", 1).encode()
    whole = text.encode()
    for mark in (marks.NAME_CORE, marks.ID_CORE, marks.ACCOUNT_CORE):
        place = whole.index(mark.encode())
        yield whole[: place + 4]
        yield whole[:place] + b'"' + whole[place:]
        yield whole[:place] + b"\0" + whole[place:]
        yield whole[:place] + b"\xff" + whole[place:]
    yield text.encode("gb18030")
    yield text.replace(",", ";").encode()


def _show(life: Life, rows: list[dict[str, str]], folder: Path) -> None:
    for words in (
        ("cards", "list"),
        ("cards", "movable"),
        ("cards", "offers"),
        ("share",),
        ("warnings", "books"),
    ):
        life.command(*words)
        life.command(*words, "--json")
    for kind in ("movable", "offers"):
        for ending in ("csv", "xlsx"):
            life.command("cards", kind, "--output", life.out / f"{kind}.{ending}")
    header = "原明细编号,已知社保卡尾号,核实人,核实日期,核实依据"
    (aside,) = [
        str(name)
        for (name,) in life.ground.rows("SELECT payment_id FROM payment WHERE disposition = 'set_aside'")
    ]
    for number, ending in enumerate((rows[4]["社保卡银行账号"][-4:], "0000", *marks.values(CITY, 300))):
        text = f"{header}\n{aside},{ending},核实人甲,2026-09-01,户口簿\n"
        (folder / "corrections.csv").write_text(text, "utf-8")
        told = life.command("reissue", folder / "corrections.csv", "--batch", f"again-{number}", "--submit")
        assert (told.code == 1) == (number == 0), told
    life.command("trace", f"{aside}-R1")
    bundle = life.out / "cards-bundle"
    assert life.command("audit", "export", "--output", bundle).code == 0
    assert life.command("audit", "verify", bundle).code == 0


@pytest.mark.timeout(400)
def test_nothing_of_a_card_list_comes_out_in_clear(life: Life) -> None:
    listed_people(life)
    nothing_leaked(life)


def whole_cards_in_lists(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(card_offers, "mask_account", lambda account: account)


def names_in_problems(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(card_list_file, "mask_name", lambda name: name)


@pytest.mark.heavy
@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("plant", "place"),
    [(whole_cards_in_lists, "said by cards movable"), (names_in_problems, "said by cards check")],
)
def test_a_planted_leak_is_found(
    life: Life, monkeypatch: pytest.MonkeyPatch, plant: Callable[[pytest.MonkeyPatch], None], place: str
) -> None:
    plant(monkeypatch)
    listed_people(life)
    assert any(leak.place.startswith(place) for leak in life.leaks())
