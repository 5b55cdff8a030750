"""A bank that tells more than outcomes, and everything by which people are shown what was paid to them.

Statements and notices with marked people in each of their places; then the commands that print, write or
read persons' data. A public list names people, as the plan wants: it lies apart, and names are all
that it has of them.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from formats import Payment
from formats.records import PayeeRole
from formats.standard import FileFormat
from gateway.rules.catalogue import shipped_text
from gateway.rules.corrections import CORRECTABLE
from tests.canary import marks
from tests.canary.life import Life
from tests.canary.search import Leak, leaks_below
from tests.canary.stories import decide_everything
from tests.fuzz.scene import talkative
from tests.gateway.shapes import Told
from tests.gateway.sites import CITY, RURAL, edit
from tests.gateway.test_notices import correction, entry, say

BATCH = "shown"
_TABLES = (
    *(("notices",), ("notices", BATCH), ("statements",), ("statements", RURAL), ("share",)),
    *(("warnings", BATCH), ("breaches",), ("charges",), ("reconcile",), ("overdue",), ("spread",)),
    *(("lists", "no-card"), ("lists", "not-activated"), ("lists", "changed-bank"), ("catalogue",)),
)
_HEADERS = ("payment_id", "amount", *CORRECTABLE, "verified_by", "verified_on", "ground")
_STATEMENT_CELLS = 8


def plain(payments: Iterable[Payment]) -> list[Payment]:
    """Marked people who are paid themselves: their payments leave without anybody's decision."""
    changes: dict[str, object] = {
        "payee_role": PayeeRole.SELF,
        **dict.fromkeys(("payee_name", "payee_id", "payee_ground"), ""),
        **dict.fromkeys(("custodian_name", "custodian_id", "custody_ground"), ""),
    }
    return [msgspec.structs.replace(one, **changes) for one in payments]


def told_and_shown(life: Life) -> set[Leak]:
    """All of it; what of the public list is more than names."""
    shape = talkative(life.ground)
    _list_programmes(life)
    shape.payments = plain(marks.payments(RURAL, 4))
    city = plain(marks.payments(CITY, 4, start=30))
    life.submit([*shape.payments, *city], BATCH, FileFormat.CSV)
    life.run()
    with life.ground.open() as gateway:
        told = Told(shape, gateway)
        told.acknowledge()
        _results(life, told)
        _statements(life, told)
        answers = life.answers(gateway, CITY)
        rows = answers.paid(city)
        codes = ("F55", "F40", "F49")
        failed = [
            msgspec.structs.replace(row, code=code, text=marks.bank_text(CITY, row.item))
            for row, code in zip(rows, codes, strict=False)
        ]
        life.say(answers, [*failed, *rows[len(codes) :]])
        life.take(gateway)
        assert len(list(gateway.notices())) > 1
        assert len(list(gateway.statement_entries())) > _STATEMENT_CELLS
    decide_everything(life, most=5)
    _show(life)
    _pay_again(life, city)
    return _publish(life)


def _list_programmes(life: Life) -> None:
    folder = life.ground.site.configuration.parent
    (folder / "catalogue.toml").write_text(shipped_text(), "utf-8")
    edit(
        life.ground.site.configuration,
        'keys        = "keys.toml"\n',
        'keys = "keys.toml"\ncatalogue = "catalogue.toml"\n',
    )


# What the bank tells.


def _results(life: Life, told: Told) -> None:
    """Corrections with other accounts and names, codes that are words, files that end in the middle."""
    words = marks.bank_text(RURAL, 60)
    lines = [
        entry(told, 1),
        correction(account=marks.account(RURAL, 61), name=marks.name(61)),
        entry(told, 2, "41", words),
        entry(told, 3, "ACWC", words),
        correction(code=marks.name(62)),
        entry(told, 4),
        correction(code=marks.account(RURAL, 63), account=marks.citizen_id(63), name=marks.name(65)),
    ]
    for number, said in enumerate((lines[:6], lines, [lines[0], lines[4][:9]], [*lines, marks.name(64)]), 1):
        say(told, said, number)
        life.take(told.gateway)


def _statements(life: Life, told: Told) -> None:
    """A true statement that names people, then each value in each place of one, then broken ones."""
    number = itertools.count(1)
    words = marks.bank_text(RURAL, 70).replace(",", " ")
    names = marks.name(71), marks.account(RURAL, 72), marks.citizen_id(73)
    true = [
        _line(told, 1, serial=names[1], name=names[0], text=words),
        _line(told, 2, serial=names[2], file=names[0], text=f"手续费 {names[0]}"),
        _line(told, 3, reference=names[2], name=names[1], text=names[2]),
        _line(told, 4, reference=names[1], file=names[1]),
    ]
    for posted, text in enumerate([_book(true), *_each_place(told), *_broken(true)]):
        told.put(f"DZ20260901_{next(number):03d}.csv", text)
        if posted % 9 == 0:
            life.take(told.gateway)
    life.take(told.gateway)


def _line(
    told: Told,
    item: int,
    *,
    serial: str = "",
    reference: str = "",
    file: str = "",
    name: str = "",
    text: str = "",
) -> list[str]:
    minor = told.payments[item - 1].amount_minor
    amount = f"{minor // 100}.{minor % 100:02d}"
    return ["20260901", "D", amount, serial, reference or told.reference(item), file, name, text]


def _book(rows: list[list[str]]) -> str:
    minor = sum(int(row[2].replace(".", "")) for row in rows)
    lines = [f"#,{len(rows)},{minor // 100}.{minor % 100:02d}", *(",".join(row) for row in rows)]
    return "".join(f"{line}\n" for line in lines)


def _each_place(told: Told) -> Iterator[str]:
    for place in range(_STATEMENT_CELLS):
        for value in marks.values(RURAL, 80 + place):
            row = _line(told, 1, serial=f"S{place}")
            amount, row[place] = row[2], value
            yield f"#,1,{amount}\n{','.join(row)}\n"
    for place in range(3):
        for value in marks.values(RURAL, 90 + place):
            head = ["#", "1", "1.00"]
            head[place] = value
            yield f"{','.join(head)}\n{','.join(_line(told, 1))}\n"


def _broken(rows: list[list[str]]) -> Iterator[str]:
    text = _book(rows)
    for mark in (marks.NAME_CORE, marks.ACCOUNT_CORE, marks.TEXT_CORE):
        place = text.index(mark)
        yield text[: place + 1]
        yield text[:place] + "\n" + text[place:]
        yield text[:place] + "\0" + text[place:]
    yield text + marks.bank_text(RURAL, 95)


# What people are shown.


def _show(life: Life) -> None:
    for words in _TABLES:
        life.command(*words)
        life.command(*words, "--json")
    life.command("messages")
    for ending in ("csv", "xlsx"):
        assert life.command("booklet", BATCH, "--output", life.out / f"booklet.{ending}").code == 0
        for kind in ("not-activated", "changed-bank"):
            assert life.command("lists", kind, "--output", life.out / f"{kind}.{ending}").code in (0, 1)
    for ending in ("html", "xlsx"):
        assert life.command("report", BATCH, "--output", life.out / f"report.{ending}").code == 0
        month = ("report", "--month", "2026-09", "--output", life.out / f"month.{ending}")
        assert life.command(*month).code == 0
    life.show_everything()


def _pay_again(life: Life, payments: list[Payment]) -> None:
    """Corrections as a department writes them, then each value in each column; what is wrong is told."""
    folder = life.ground.site.batch.parent
    good = _correction(payments[2], account=marks.account(CITY, 110), beneficiary_name=marks.name(110))
    path = _rows(folder / "corrections.csv", [good])
    assert life.command("reissue", path, "--batch", "again", "--output", folder / "again.csv").code in (0, 1)
    life.command("reissue", path, "--batch", "again", "--submit", "--json")
    misplaced = [
        {**_correction(payments[number % 3]), header: value}
        for number, header in enumerate(_HEADERS)
        for value in marks.values(CITY, 120 + number)
    ]
    for number, rows in enumerate((misplaced, misplaced[3:], misplaced[:1])):
        path = _rows(folder / f"misplaced-{number}.csv", rows)
        for option in ("--submit", "--json"):
            life.command("reissue", path, "--batch", f"again-{number}", option)
    for number, content in enumerate((path.read_bytes()[:-20], path.read_bytes().replace(b",", b";"))):
        path = folder / f"broken-{number}.csv"
        path.write_bytes(content)
        life.command("reissue", path, "--batch", "again-broken")
    life.run()


def _correction(payment: Payment, **changes: str) -> dict[str, str]:
    told = {"verified_by": "核实人甲", "verified_on": "2026-09-01", "ground": "户口簿"}
    return {"payment_id": payment.payment_id, **told, **changes}


def _rows(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, _HEADERS)
        writer.writeheader()
        writer.writerows(rows)
    return path


def _publish(life: Life) -> set[Leak]:
    """Lists of all that is paid and of what was credited; each compared, and so are strange ones."""
    public = life.folder / "public"
    public.mkdir(mode=0o700)
    for options in ((), ("--credited",)):
        for ending in ("csv", "xlsx"):
            path = public / f"list{len(options)}.{ending}"
            assert life.command("publish", BATCH, "--output", path, *options).code == 0
    text = (public / "list0.csv").read_text("utf-8-sig")
    folder = life.ground.site.batch.parent
    path = folder / "published.csv"
    with life.ground.open() as gateway:
        for strange in _strange_lists(text):
            path.write_text(strange, "utf-8")
            life.attempt(lambda: gateway.plan.check_list(BATCH, path))
    for number, strange in enumerate([*_strange_lists(text)][:8]):
        path = folder / f"published-{number}.csv"
        path.write_text(strange, "utf-8")
        life.command("publish-check", BATCH, path, *(("--json",) if number % 2 else ()))
    found = leaks_below(public)
    assert {leak.core for leak in found} >= {marks.NAME_CORE}, "names are what is published"
    return {leak for leak in found if leak.core != marks.NAME_CORE}


def _strange_lists(text: str) -> Iterator[str]:
    yield text
    lines = text.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("明细编号"))
    cells = lines[at + 1].split(",")
    for place in range(len(cells)):
        for value in marks.values(RURAL, 140 + place):
            changed = ",".join([*cells[:place], value, *cells[place + 1 :]])
            yield "\n".join([*lines[: at + 1], changed])
            yield "\n".join([*lines[: at + 1], changed + f',"{value}'])
    yield text.replace(BATCH, marks.name(150))
    yield text.replace("明细编号", marks.name(151))
