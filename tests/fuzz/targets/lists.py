"""What is handed in besides batches, as tables: published lists, corrections of payments, card lists."""

from __future__ import annotations

import functools
from datetime import date
from pathlib import Path

from formats.identity import person_id_valid
from gateway import Gateway
from gateway.demonstration.plan import PLATFORM
from gateway.errors import InputRefused
from gateway.ledger.intake import BatchRow, batches
from gateway.rules.card_list_file import ROW_COLUMNS, CardListFile
from gateway.rules.corrections import read_corrections
from gateway.rules.publication import Published, check_list, head_of, public_rows
from tests.fuzz.scene import told_scene
from tests.fuzz.shared_memory import make_folder
from tests.fuzz.target import Target
from tests.gateway.sites import CITY, RURAL, payments_of
from tests.rules.card_lists import HEADERS, cells

_TODAY = date(2026, 9, 1)


def public_lists(content: bytes) -> None:
    """A published list is compared, or refused as what it is not; as many rows as it has are counted."""
    path = _folder() / "list.csv"
    path.write_bytes(content)
    with told_scene().copy() as gateway:
        try:
            checked = check_list(gateway.installation, _batch(gateway), path)
        except InputRefused as error:
            assert error.problems
            return
    assert checked.published_count <= content.count(b"\n") + content.count(b"\r") + 1
    assert checked.published_minor >= 0
    assert checked.credited_count == 0
    assert checked.agrees == (checked.published_count == 0)


def corrections(content: bytes) -> None:
    """Corrections of payments, with the problems of the other rows; or it is refused as a whole."""
    path = _folder() / "corrections.csv"
    path.write_bytes(content)
    try:
        found, problems = read_corrections(path)
    except InputRefused as error:
        assert error.problems
        return
    assert all(one.payment_id and one.verified_by and one.ground for one in found)
    assert all(one.amount_minor is None or one.amount_minor >= 0 for one in found)
    assert all(problem.message for problem in problems)


def card_lists(content: bytes) -> None:
    """Rows that are in order, with the problems of the others; or the list is refused as a whole."""
    path = _folder() / "cards.csv"
    path.write_bytes(content)
    file = CardListFile(path, told_scene().configuration, _TODAY)
    try:
        rows = [dict(zip(ROW_COLUMNS, row, strict=True)) for block in file.blocks() for row in block]
    except InputRefused as error:
        assert error.problems
        return
    assert file.head.drawn_on <= _TODAY
    assert len(rows) + file.left_out <= content.count(b"\n") + content.count(b"\r") + 1
    assert bool(file.left_out) == bool(file.problems.total)
    for row in rows:
        assert row["beneficiary_name"]
        assert person_id_valid(str(row["beneficiary_id"]))
        assert str(row["card_account"]).isdigit()
        assert (row["passbook_bank"], row["passbook_account"]) != (row["card_bank"], row["card_account"])


@functools.cache
def _folder() -> Path:
    return make_folder("lists")


def _batch(gateway: Gateway) -> BatchRow:
    with gateway.installation.ledger.read() as transaction:
        return batches(transaction)[0]


def _list_seeds() -> list[bytes]:
    with told_scene().copy() as gateway:
        batch = _batch(gateway)
        rows = [*head_of(batch), *public_rows(gateway.installation, batch, Published.INTENDED)]
    text = "\r\n".join(",".join(row) for row in rows)
    # A number out of another column, as an amount.
    slipped = text.replace(rows[-1][6], "370902199001011235")
    return [
        text.encode(),
        b"\xef\xbb\xbf" + text.encode(),
        text.replace("明细编号", "编号").encode(),
        slipped.encode(),
    ]


def _correction_seeds() -> list[bytes]:
    head = "payment_id,account,beneficiary_name,amount,verified_by,verified_on,ground\n"
    row = "P-00001,6231990000001208674,王五,100.00,李四,2026-09-02,户口簿\n"
    return [
        (head + row).encode(),
        (head + row * 3 + ",,,,,,\n").encode(),
        head.replace("account", "账号").encode(),
    ]


def _card_list_seeds() -> list[bytes]:
    people = payments_of(CITY, 3)
    head = f"来源平台,{PLATFORM}\n导出日期,2026-08-20\n总行数,{len(people)}\n\n{HEADERS}\n"
    rows = [",".join(cells(one, number).values()) for number, one in enumerate(people)]
    text = head + "\n".join(rows) + "\n"
    return [
        text.encode(),
        text.replace("\n", "\r\n").encode("utf-8-sig"),
        text.replace(CITY, RURAL, 1).encode(),
    ]


TARGETS = [
    Target(name="card-lists", examine=card_lists, seeds=_card_list_seeds, input_limit_bytes=4096),
    Target(name="public-lists", examine=public_lists, seeds=_list_seeds, input_limit_bytes=4096, changes=60),
    Target(name="corrections", examine=corrections, seeds=_correction_seeds, input_limit_bytes=4096),
]
