"""The search finds what it looks for, in every form; a mask is not taken for a leak."""

from __future__ import annotations

import base64
import io
import urllib.parse
import zipfile
from pathlib import Path

import pytest

from formats.masking import mask_account, mask_id, mask_name
from tests.canary.marks import CORES, account, bank_text, citizen_id, name
from tests.canary.search import leaks_below, leaks_in, open_to_others
from tests.gateway.sites import CITY

LEAKED = (name(1), citizen_id(1), account(CITY, 1), bank_text(CITY, 1))
FORMS = {
    "utf-8": str.encode,
    "gb18030": lambda text: text.encode("gb18030"),
    "utf-16-le": lambda text: text.encode("utf-16-le"),
    "utf-16-be": lambda text: text.encode("utf-16-be"),
    "base64-0": lambda text: base64.b64encode(text.encode()),
    "base64-1": lambda text: base64.b64encode(b"x" + text.encode() + b"yz"),
    "base64-2": lambda text: base64.urlsafe_b64encode(b"xy" + text.encode("gb18030") + b"z"),
    "hex": lambda text: text.encode("gb18030").hex().encode(),
    "HEX": lambda text: text.encode().hex().upper().encode(),
    "percent": lambda text: urllib.parse.quote(text).encode(),
    "percent-every": lambda text: "".join(f"%{octet:02x}" for octet in text.encode("gb18030")).encode(),
    "repr": lambda text: repr(text.encode("gb18030")).encode(),
    "json": lambda text: text.encode("unicode_escape"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("leaked", range(len(LEAKED)))
def test_a_leak_is_found_in_every_form(form: str, leaked: int) -> None:
    content = b"before" + FORMS[form](LEAKED[leaked]) + b"after"
    assert leaks_in("somewhere", content)


def test_a_leak_is_found_inside_a_workbook() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", f"<t>{name(3)}</t>" * 100)
    assert [leak.place for leak in leaks_in("out.xlsx", packed.getvalue())] == [
        "out.xlsx!xl/sharedStrings.xml"
    ]


@pytest.mark.parametrize("shown", [name(1)[:2], name(2)[1:2], account(CITY, 1)[7:15], citizen_id(1)[6:14]])
def test_a_piece_is_found_where_people_read(shown: str) -> None:
    assert leaks_in("screen", f"found {shown}, wanted".encode(), text=True)


def test_masks_are_no_leaks() -> None:
    shown = " ".join(
        masked
        for number in range(100)
        for masked in (
            mask_name(name(number)),
            mask_id(citizen_id(number)),
            mask_account(account(CITY, number)),
        )
    )
    assert leaks_in("screen", shown.encode(), text=True) == set()


def test_names_of_files_are_searched_and_their_modes_looked_at(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    folder.mkdir(mode=0o700)
    (folder / account(CITY, 1)).touch(mode=0o600)
    (folder / "open").touch(mode=0o640)
    assert {leak.place for leak in leaks_below(folder)} == {f"name of spool/{account(CITY, 1)}"}
    assert [found.rpartition(" ")[0] for found in open_to_others(folder)] == ["spool/open"]


def test_no_two_cores_hold_one_another() -> None:
    assert [(one, other) for one in CORES for other in CORES if one != other and one in other] == []
