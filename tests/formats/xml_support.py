"""Layouts, identities and small documents for the tests of the XML syntax."""

from __future__ import annotations

import io
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from msgspec.structs import replace

import formats
from formats import Codec, Decoder, FileIdentity, RecordChunk
from formats.language.layout import parse_layout, read_layout
from formats.xml.codec import compile_xml

LAYOUTS = Path(formats.__file__).parent / "layouts"
CHINA = timezone(timedelta(hours=8))
PAIN_002 = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.14"

IDENTITY = FileIdentity(
    bank="taishan",
    sequence=7,
    name="F7.xml",
    message_id="MSG7",
    created_at=datetime(2026, 11, 23, 10, 0, tzinfo=CHINA),
    bank_day=datetime(2026, 11, 23, tzinfo=CHINA).date(),
    count=0,
    total_minor=0,
    agreement={"payer_name": "财政局", "payer_account": "1500001", "payer_bank_code": "102100099996"},
    original_message_id="OUR7",
)


def shipped(name: str) -> Codec:
    """A layout that ships, compiled."""
    return compile_xml(read_layout(LAYOUTS / f"iso20022-{name}.toml"))


REQUEST = shipped("pain001-request")
ACKNOWLEDGEMENT = shipped("pain002-acknowledgement")
RESULT = shipped("pain002-result")


def written(codec: Codec, chunks: list[RecordChunk], **identity: Any) -> bytes:
    """A file of these chunks; count and total are theirs unless given."""
    known = {
        "count": sum(chunk.count for chunk in chunks),
        "total_minor": sum(sum(chunk.columns.get("payment.amount", ())) for chunk in chunks),
        **identity,
    }
    return b"".join(codec.encode(replace(IDENTITY, **known), chunks))


def read(codec: Codec, document: bytes | str) -> tuple[dict[str, list[Any]], Decoder]:
    """All columns of a file in one, and its decoder at the end."""
    raw = document.encode() if isinstance(document, str) else document
    decoder = codec.decode(io.BytesIO(raw))
    columns: dict[str, list[Any]] = {}
    for chunk in decoder:
        for name, values in chunk.columns.items():
            assert len(values) == chunk.count == len(chunk.lines)
            columns.setdefault(name, []).extend(values)
    return columns, decoder


def payments(**columns: list[Any]) -> RecordChunk:
    """Payments by the names of `Payment`; what is not given is usual."""
    count = len(next(iter(columns.values())))
    usual: dict[str, list[Any]] = {
        "attempt.item": list(range(1, count + 1)),
        "payment.amount": [100] * count,
        "payment.account": ["6231990000001208674"] * count,
        "payment.payee_name": ["王小明"] * count,
        "payment.bank_code": [""] * count,
        "payment.summary": [""] * count,
    }
    usual.update({f"payment.{name}": values for name, values in columns.items()})
    return RecordChunk(record="payment", count=count, columns=usual, lines=range(1, count + 1))


def report(body: str, group: str = "", namespace: str = PAIN_002) -> str:
    """A pain.002 with this after the header, `group` inside OrgnlGrpInfAndSts."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="{namespace}"><CstmrPmtStsRpt>'
        "<GrpHdr><MsgId>B1</MsgId><CreDtTm>2026-11-23T10:00:00</CreDtTm></GrpHdr>"
        "<OrgnlGrpInfAndSts><OrgnlMsgId>OUR7</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>"
        f"{group}</OrgnlGrpInfAndSts>{body}</CstmrPmtStsRpt></Document>"
    )


def group(body: str, header: str = "") -> str:
    """An OrgnlPmtInfAndSts."""
    return f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>P1</OrgnlPmtInfId>{header}{body}</OrgnlPmtInfAndSts>"


def transaction(item: int, body: str) -> str:
    """A TxInfAndSts of our file 7."""
    return f"<TxInfAndSts><OrgnlEndToEndId>{7:012d}{item:08d}</OrgnlEndToEndId>{body}</TxInfAndSts>"


def small_layout(table: str, **keys: str) -> Codec:
    """A request layout with this table below `Doc`."""
    extra = "\n".join(f"{key} = {value}" for key, value in keys.items())
    text = (
        'layout = "small"\nversion = "1"\npurpose = "request"\nsyntax = "xml"\n'
        f"namespaces = [\"urn:small\"]\n{extra}\ntable = '''\n{table}\n'''\n"
    )
    return compile_xml(parse_layout(text, "small.toml"))
