"""XML layouts against public schemas and public files; collected only where these are."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from lxml import etree
from msgspec.structs import replace

from formats import Reason, RecordChunk, Status
from formats.language.layout import read_layout
from formats.reference import make_references
from formats.xml.codec import compile_xml
from tests.formats.xml_support import ACKNOWLEDGEMENT, LAYOUTS, REQUEST, RESULT, payments, read, written


def _schema(samples: Path, name: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(samples / "iso20022" / "xsd" / name)))


def test_results_and_acknowledgements_are_valid(samples: Path) -> None:
    schema = _schema(samples, "pain.002.001.14.xsd")
    chunk = RecordChunk(
        record="payment",
        count=2,
        columns={
            "attempt.reference": make_references(7, [1, 2], 20),
            "outcome.code": ["ACSC", "RJCT/AC01+AM05+HOUSE RULE"],
            "outcome.bank_text": ["", "户名不符"],
            "outcome.amount": [9950, None],
            "outcome.serial": ["S1", ""],
            "outcome.value_date": [date(2026, 11, 24), None],
            "fee.amount": [50, None],
            "fee.label": ["手续费", ""],
            "payment.account": ["6231990000001208674", ""],
            "payment.payee_name": ["阿依古丽·买买提", "𠮷"],
        },
        lines=range(1, 3),
    )
    schema.assertValid(etree.fromstring(written(RESULT, [chunk])))
    schema.assertValid(etree.fromstring(written(ACKNOWLEDGEMENT, [], code="RJCT/FF01+NARR", text="格式")))
    schema.assertValid(etree.fromstring(written(ACKNOWLEDGEMENT, [], code="ACTC")))


def test_requests_are_valid_but_for_what_switzerland_adds(samples: Path) -> None:
    """The public schema of this version is a national one, narrower than ISO's."""
    schema = _schema(samples, "pain.001.001.09.ch.03.xsd")
    document = etree.fromstring(
        written(REQUEST, [payments(amount=[100], bank_code=["102100099996"], summary=["x"])])
    )
    schema.validate(document)
    strange = [entry.message for entry in schema.error_log if "not expected" in entry.message]
    assert strange == []


def _public(samples: Path, name: str) -> tuple[list[str], list[Status], list[Reason], dict[str, object]]:
    layout = read_layout(LAYOUTS / "iso20022-pain002-result.toml")
    swiss = "http://www.six-interbank-clearing.com/de/pain.002.001.03.ch.02.xsd"
    codec = compile_xml(replace(layout, namespaces=(*layout.namespaces, swiss)))
    columns, decoder = read(codec, (samples / "iso20022" / "pain002" / name).read_bytes())
    names = ("outcome.code", "outcome.status", "outcome.reason")
    codes, statuses, reasons = (columns.get(name, []) for name in names)
    return codes, statuses, reasons, decoder.facts


def test_public_reports_of_version_3_are_read(samples: Path) -> None:
    found = {
        path.name: _public(samples, path.name)
        for path in sorted((samples / "iso20022" / "pain002").glob("*.xml"))
    }
    records = {name: reading[:3] for name, reading in found.items() if reading[0]}
    assert records == {
        "pain002-epo_p_ch2909000000250094239_1109800799_0_2018032612092784.xml": (
            ["RJCT/AC01"],
            [Status.FAILED],
            [Reason.ACCOUNT_NOT_FOUND],
        ),
        "pain_002_v3_accepted.xml": (["ACCP/NARR"], [Status.UNKNOWN], [Reason.IN_PROGRESS]),
    }
    names = ("file.code", "file.level")
    assert {
        name: tuple(reading[3].get(key) for key in names) for name, reading in found.items() if not reading[0]
    } == {
        "pain_002_v3_group_accepted.xml": ("ACTC", "file"),
        "pain_002_v3_group_reject.xml": ("RJCT/DU01", "file"),
        "pain_002_v3_payment_accepted.xml": ("ACCP/NARR", "group"),
        "pain_002_v3_payment_reject.xml": ("RJCT/NARR", "group"),
    }
