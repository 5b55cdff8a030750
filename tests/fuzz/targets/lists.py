"""What departments hand in besides batches, as CSV: published lists, and corrections of payments."""

from __future__ import annotations

import functools
from pathlib import Path

from gateway import Gateway
from gateway.errors import InputRefused
from gateway.ledger.intake import BatchRow, batches
from gateway.rules.corrections import read_corrections
from gateway.rules.publication import Published, check_list, head_of, public_rows
from tests.fuzz.scene import told_scene
from tests.fuzz.shared_memory import make_folder
from tests.fuzz.target import Target


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


TARGETS = [
    Target(name="public-lists", examine=public_lists, seeds=_list_seeds, input_limit_bytes=4096, changes=60),
    Target(name="corrections", examine=corrections, seeds=_correction_seeds, input_limit_bytes=4096),
]
