"""What happens to marked people: good batches, bad ones, and everything a bank may answer."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path

import msgspec

from formats import EncodeError, Payment
from formats.standard import FileFormat
from formats.standard.table import BATCH_FIELDS, PAYMENT_FIELDS
from tests.canary import marks
from tests.canary.life import Life
from tests.gateway.answers import Answers, Row
from tests.gateway.sites import CITY, ISO, PERSONS, RURAL

BANKS = (CITY, ISO, RURAL)
FORMS = dict(zip(BANKS, FileFormat, strict=True))


def good_batches(life: Life) -> None:
    """A batch for each bank, in each format; one of objects; one that two persons release."""
    for bank in BANKS:
        life.submit(marks.payments(bank, 6), f"good-{bank}", FORMS[bank])
    objects = marks.payments(CITY, 3, start=10, prefix="O")
    waiting = marks.payments(CITY, 2, start=20, prefix="W")
    with life.ground.open() as gateway:
        life.note("objects", gateway.submit(life.ground.batch(objects), objects))
        gateway.submit(life.ground.write(life.ground.batch(waiting, "waits"), waiting))
    life.command("release", "waits", "--as", PERSONS[0], "--key", life.ground.person_key(PERSONS[0]))
    life.command("release", "waits", "--as", PERSONS[1], "--key", life.ground.person_key(PERSONS[1]))
    with life.ground.open() as gateway:
        others = [item.object for item in gateway.held() if item.object.startswith("payment:")]
    assert others
    for about in others:
        life.decide(about, "accept")


def misplaced_values(life: Life) -> None:
    """Each kind of personal value in each column where it does not belong, one column a row."""
    rows = _plain_rows()
    header = list(rows[0])
    lines = []
    for number, field in enumerate(PAYMENT_FIELDS):
        if field.english not in header:
            header.append(field.english)
        for kind in range(3):
            own = marks.values(CITY, 100 + number * 3 + kind)
            row = dict(rows[0]) | {
                "payment_id": f"M-{number:02d}-{kind}",
                "beneficiary_name": own[0],
                "beneficiary_id": own[1],
                "account": own[2],
                field.english: own[kind],
            }
            lines.append(row)
    for identifier in (False, True):
        chosen = [row for row in lines if row["payment_id"].startswith("M-") is not identifier]
        content = _csv(life, f"misplaced-{identifier}", header, chosen)
        life.hand_over(f"misplaced-{identifier}.csv", content, "--policy", "set-aside")
        life.hand_over(f"misplaced-{identifier}-refused.csv", content, "--policy", "refuse")


def misplaced_in_the_envelope(life: Life) -> None:
    """The same for the lines before the header row, one batch each."""
    rows = _plain_rows()
    own = rows[0]["beneficiary_name"], rows[0]["beneficiary_id"], rows[0]["account"]
    contents = [
        _csv(life, f"envelope-{field.english}-{kind}", list(rows[0]), rows, {field.english: value})
        for field in BATCH_FIELDS
        for kind, value in enumerate(own)
    ]
    with life.ground.open() as gateway:
        for number, content in enumerate(contents):
            life.hand_over_to(gateway, f"envelope-{number}.csv", content)
    for number, content in enumerate(contents[:6]):
        life.hand_over(f"envelope-{number}.csv", content)


def broken_batches(life: Life) -> None:
    """Files that break in the middle of a person: every way of breaking, every format."""
    contents = list(_broken(life))
    with life.ground.open() as gateway:
        for number, content in enumerate(contents):
            life.hand_over_to(gateway, f"broken-{number}.batch", content)
    for number, content in enumerate(contents[::8]):
        life.hand_over(f"told-{number}.batch", content)


def _broken(life: Life) -> Iterator[bytes]:
    payments = marks.payments(CITY, 4, start=70, prefix="B")
    batch = life.ground.batch(payments, "broken")
    csv, jsonl, xlsx = (life.ground.write(batch, payments, form).read_bytes() for form in FileFormat)
    name, number, account = payments[0].beneficiary_name, payments[0].beneficiary_id, payments[0].account
    for content in (csv, jsonl):
        for mark in (name, number, account):
            place = content.index(mark.encode())
            yield content[: place + 4]
            yield content[:place] + b'"' + content[place:]
            yield content[:place] + b"\n" + content[place:]
            yield content[:place] + b"\0" + content[place:]
            yield content[:place] + b"\xff" + content[place:]
            yield content.replace(mark.encode(), mark.encode() * 20)
            yield content.replace(mark.encode(), "\u200b".join(mark).encode())
            yield content.replace(mark.encode(), f" {mark} ".encode())
    yield csv.decode().encode("gb18030")
    yield csv.decode().encode("utf-16")
    header = csv.split(b"\n")[-6 if csv.endswith(b"\n") else -5]
    yield csv.replace(header, header.rstrip() + f",{name},{number}\r".encode())
    yield csv.replace(b",", b";")
    yield csv.replace(b"\r\n", f",{name},{account}\r\n".encode())
    yield jsonl.replace(b'"beneficiary_name"', f'"{name}"'.encode())
    yield jsonl.replace(f'"{name}"'.encode(), f'{{"{name}": ["{number}"]}}'.encode())
    yield jsonl.replace(f'"{account}"'.encode(), account.encode())
    yield jsonl.replace(f'"{number}"'.encode(), f"{number[:17]}.5".encode())
    yield xlsx[: len(xlsx) // 2]
    yield _numeric_workbook(payments)


def _numeric_workbook(payments: list[Payment]) -> bytes:
    """Accounts and IDs typed as numbers, names as formulas."""
    import xlsxwriter

    packed = io.BytesIO()
    book = xlsxwriter.Workbook(packed, {"in_memory": True})
    sheet = book.add_worksheet()
    lines: list[list[object]] = [
        ["batch_id", "numeric"],
        ["source_platform", "yikatong"],
        ["declared_count", str(len(payments))],
        ["declared_total", "1.00"],
        [],
        ["payment_id", "amount", "bank", "account", "account_kind", "beneficiary_name", "beneficiary_id"],
        *(
            [
                one.payment_id,
                1,
                one.bank,
                float(one.account),
                "card",
                f"={one.beneficiary_name}",
                one.beneficiary_id,
            ]
            for one in payments
        ),
    ]
    for row, cells in enumerate(lines):
        for column, cell in enumerate(cells):
            sheet.write(row, column, cell)
    book.close()
    return packed.getvalue()


def mistaken_calls(life: Life) -> None:
    """Objects and arguments of the library that are wrong in every way."""
    payments = marks.payments(CITY, 2, start=80, prefix="L")
    batch = life.ground.batch(payments, "library")
    wrong = [
        msgspec.structs.replace(payments[0], **{name: value})
        for name in (
            "payment_id",
            "bank",
            "account",
            "account_kind",
            "beneficiary_id",
            "reissue_of",
            "period",
        )
        for value in (marks.name(80), marks.citizen_id(80), marks.account(CITY, 80))
    ]
    with life.ground.open() as gateway:
        for one in wrong:
            life.attempt(lambda one=one: gateway.submit(batch, [one]))  # type: ignore[misc]
        life.attempt(lambda: gateway.submit(batch, payments, signature=marks.name(1).encode()))


def answers_of_all_kinds(life: Life, bank: str) -> None:
    """Failures in words, fee labels, unknown codes that are words, then whatever does not add up."""
    payments = marks.payments(bank, 6)
    with life.ground.open() as gateway:
        answers = life.answers(gateway, bank)
        true = answers.paid(payments)
        life.post(
            answers,
            "acknowledgement",
            answers.acknowledgement(_file_code(answers), marks.bank_text(bank, 1)[:30]),
        )
        said = [_spoken(row, bank, answers) for row in true]
        life.say(answers, said[:2])
        life.take(gateway)
        for rows in _odd_rows(true, bank):
            try:
                life.say(answers, rows)
            except EncodeError:
                continue
        life.take(gateway)
        content = answers.result(said)
        life.post(answers, "result", content, spoil=True)
        life.post(answers, "result", content[: len(content) * 2 // 3])
        life.post(answers, "result", content.replace(b"0", b"1", 3))
        life.post(answers, "result", content + marks.bank_text(bank, 2).encode("gb18030"))
        life.post(answers, "acknowledgement", answers.acknowledgement("", marks.bank_text(bank, 3)[:30]))
        life.take(gateway)


def _file_code(answers: Answers) -> str:
    return answers.layout("acknowledgement").file_codes[0].code


def _spoken(row: Row, bank: str, answers: Answers) -> Row:
    """A failure in words that name the person, and a charge whose label does."""
    failed = [line.code for line in answers.layout("result").outcome_codes if line.status == "failed"]
    return msgspec.structs.replace(
        row,
        code=failed[row.item % len(failed)],
        text=marks.bank_text(bank, row.item)[:20],
        fee_minor=50,
        fee_label=f"手续费 {marks.name(row.item)}",
    )


def _odd_rows(true: list[Row], bank: str) -> Iterator[list[Row]]:
    """A result for each way in which one record may be odd."""
    other = marks.account(bank, 200)
    changes: tuple[dict[str, object], ...] = (
        {"account": other},
        {"name": marks.name(201)},
        {"name": f"{marks.name(1)} "},
        {"amount": 1},
        {"item": 99},
        {"code": marks.name(2)},
        {"code": marks.account(bank, 2)[:7]},
        {"code": f"RJCT/{marks.name(3)}"},
        {"code": f"RJCT/{marks.account(bank, 3)}"},
        {"serial": marks.account(bank, 4)},
        {"serial": marks.citizen_id(4)},
        {"text": marks.bank_text(bank, 5)[:20], "code": "ZZ9"},
    )
    for number, change in enumerate(changes):
        row = msgspec.structs.replace(true[2 + number % 4], **change)
        yield [row]
    yield [true[2], true[2]]
    yield [msgspec.structs.replace(true[2], account=""), true[3]]


def misplaced_in_answers(life: Life, bank: str) -> None:
    """Each personal value in each place of a result and of an acknowledgement, one file a place."""
    with life.ground.open() as gateway:
        answers = life.answers(gateway, bank)
        rows = [_spoken(row, bank, answers) for row in answers.paid(marks.payments(bank, 6))[:2]]
        posted = 0
        for kind, content in (
            ("result", answers.result(rows)),
            ("acknowledgement", answers.acknowledgement(_file_code(answers), "words")),
        ):
            for changed in _each_place(answers, kind, content, bank):
                life.post(answers, kind, changed)
                posted += 1
                if posted % 9 == 0:
                    life.take(gateway)
        life.take(gateway)
    assert posted > 20


def _each_place(answers: Answers, kind: str, content: bytes, bank: str) -> Iterator[bytes]:
    layout = answers.layout(kind)
    encoding = layout.framing.encoding
    for value in marks.values(bank, 300):
        written = value.encode(encoding)
        if layout.syntax == "xml":
            text = content.decode()
            starts = [
                at
                for at in range(len(text))
                if text[at] == ">" and text[at + 1 : at + 2] not in ("<", "", "\n")
            ]
            for start in starts:
                end = text.index("<", start)
                yield (text[: start + 1] + value + text[end:]).encode()
            continue
        lines = content.split(b"\n")
        for number, line in enumerate(lines):
            # A `|` may be half a hanzi in these encodings; cut before or after it, the file is odd anyway.
            cells = line.split(b"|")
            for place in range(len(cells) - 1):
                cell = (
                    written.ljust(len(cells[place]))[: len(cells[place])]
                    if layout.syntax == "fixed"
                    else written
                )
                changed = b"|".join([*cells[:place], cell, *cells[place + 1 :]])
                yield b"\n".join([*lines[:number], changed, *lines[number + 1 :]])


def strange_names(life: Life) -> None:
    """Files whose names name a person."""
    for bank in BANKS:
        for value in marks.values(bank, 400):
            (life.ground.inbox(bank) / f"{value}.txt").write_bytes(b"x")
        life.take()
    for bank, encoding in zip(BANKS, ("utf-8", "gb18030", "utf-8"), strict=True):
        # These put the bank on hold, with a message.
        unsafe = f"{marks.name(401)}\u202e{marks.account(bank, 401)}".encode(encoding)
        Path(os.fsdecode(os.fsencode(life.ground.inbox(bank)) + b"/" + unsafe)).write_bytes(b"x")
    life.run()


def wrong_arguments(life: Life) -> None:
    """Commands that are given a person where they want something else: error texts are told too."""
    for value in marks.values(CITY, 500):
        for words in (
            ("status", value),
            ("outcomes", value),
            ("trace", value),
            ("held", "accept", f"payment:yikatong/{value}", "--as", value, "--key", "absent.pem"),
            ("release", value, "--as", value, "--key", "absent.pem"),
        ):
            # What was typed may be said again, to whoever typed it: only the disk is looked at.
            life.command_of_which_nothing_is_kept(*words)


def decide_everything(life: Life, most: int = 25) -> None:
    """A way out of everything that waits, on a letter that names people; then read that letter."""
    with life.ground.open() as gateway:
        items = gateway.held()
    for item in items[:most]:
        ways = [way.decision for way in item.ways]
        if ways:
            life.decide(item.object, ways[len(life.said) % len(ways)])
    life.run(2)
    life.read_the_letter()


def hold_and_withdraw(life: Life) -> None:
    """What persons do of themselves: hold, resolve, withdraw, send again; most of it refused here."""
    with life.ground.open() as gateway:
        file = gateway.files()[0]
    payment = f"payment:{life.ground.batch([]).source_platform}/P-{CITY}-00001"
    name = f"file:{file.bank}/{file.name}"
    for words in (
        ("hold", f"bank:{ISO}"),
        ("hold", payment),
        ("withdraw", payment),
        ("withdraw", f"good-{CITY}"),
        ("redispatch", name),
        ("resolve", payment, "failed"),
        ("resolve", name, "arrived"),
        ("held", "clear", f"bank:{ISO}"),
    ):
        for person in PERSONS:
            life.decide_as(person, *words)
    for words in (("list",), ("check",)):
        life.command("key", *words)
        life.command("key", *words, "--json")


def _plain_rows() -> list[dict[str, str]]:
    return [
        {
            "payment_id": one.payment_id,
            "amount": f"{one.amount_minor // 100}.{one.amount_minor % 100:02d}",
            "bank": one.bank,
            "account": one.account,
            "account_kind": "card",
            "beneficiary_name": one.beneficiary_name,
            "beneficiary_id": one.beneficiary_id,
            "department": one.department,
            "programme": one.programme,
            "period": one.period,
        }
        for one in marks.payments(CITY, 1, start=30, prefix="M")
    ]


def _csv(
    life: Life,
    batch_id: str,
    header: list[str],
    rows: list[dict[str, str]],
    envelope: dict[str, str] | None = None,
) -> bytes:
    total = 0
    for row in rows:
        try:
            total += int(Decimal(row["amount"]) * 100)
        except InvalidOperation:
            continue
    lines = {
        "batch_id": batch_id,
        "source_platform": life.ground.batch([]).source_platform,
        "declared_count": str(len(rows)),
        "declared_total": f"{total // 100}.{total % 100:02d}",
    } | (envelope or {})
    written = [f"{name},{value}" for name, value in lines.items()]
    written += ["", ",".join(header)]
    written += [",".join(row.get(name, "") for name in header) for row in rows]
    return ("\n".join(written) + "\n").encode()
