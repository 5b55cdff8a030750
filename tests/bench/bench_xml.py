"""XML against lxml, in the same run: writing pain.001 and checking it by a schema, reading pain.002.

The baselines are what one would write first: `xmlfile` with an element for each transaction,
`iterparse` with `findtext`, cleared as it goes, and for the check a plain parse that checks nothing.
Run as a script for the ratios.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from lxml import etree

import formats
from formats import CHUNK_RECORDS, FileIdentity, Reason, RecordChunk, Status
from formats.language.layout import read_layout
from formats.reference import make_references
from formats.xml.codec import compile_xml
from formats.xml.schema import read_schema
from tests.bench.measure import Ratio, compare

SLOW_PART = 5
SCHEMA_CHECK_WANTED = 0.556
"""At most 1.8 times the time of a plain parse."""

LAYOUTS = Path(formats.__file__).parent / "layouts"
SCHEMA = Path(__file__).parents[1] / "formats" / "pain001-written.xsd"
NAMES = ("阿依古丽·买买提", "王小明", "欧阳娜娜", "李&王", "𠮷田一郎")
AGREEMENT = {"payer_name": "财政局", "payer_account": "1500001", "payer_bank_code": "102100099996"}
DAY = date(2026, 11, 23)

_REQUEST = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
_RESULT = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.14"
_RESULT_PATHS = (
    "OrgnlEndToEndId",
    "TxSts",
    "StsRsnInf/Rsn/Cd",
    "StsRsnInf/AddtlInf",
    "ChrgsInf/Amt",
    "AcctSvcrRef",
    "OrgnlTxRef/IntrBkSttlmAmt",
    "OrgnlTxRef/IntrBkSttlmDt",
    "OrgnlTxRef/Cdtr/Pty/Nm",
    "OrgnlTxRef/CdtrAcct/Id/Othr/Id",
)


class Chunks:
    """Chunks made beforehand, so that neither side pays for them."""

    def __init__(self, records: int, columns: Callable[[range], dict[str, list[Any]]]) -> None:
        starts = range(0, records, CHUNK_RECORDS)
        spans = [range(start + 1, min(start + CHUNK_RECORDS, records) + 1) for start in starts]
        self._chunks = [
            RecordChunk(record="payment", count=len(span), columns=columns(span), lines=span)
            for span in spans
        ]

    def __iter__(self) -> Iterator[RecordChunk]:
        return iter(self._chunks)


def request_columns(items: range) -> dict[str, list[Any]]:
    """Columns of a request, for these items."""
    return {
        "attempt.item": list(items),
        "payment.account": [f"623199{item:013d}" for item in items],
        "payment.amount": [100 + item % 900_000 for item in items],
        "payment.bank_code": ["102100099996" for _ in items],
        "payment.payee_name": [NAMES[item % len(NAMES)] for item in items],
        "payment.summary": ["耕地地力保护补贴" for _ in items],
    }


def result_columns(items: range) -> dict[str, list[Any]]:
    """Columns of a result, one in ten refused."""
    failed = [item % 10 == 0 for item in items]
    return {
        "attempt.reference": make_references(7, items, 20),
        "outcome.status": [Status.FAILED if bad else Status.CREDITED for bad in failed],
        "outcome.reason": [Reason.ACCOUNT_NOT_FOUND if bad else Reason.NONE for bad in failed],
        "outcome.bank_text": ["账号不存在" if bad else "" for bad in failed],
        "outcome.amount": [
            None if bad else 100 + item % 900_000 for bad, item in zip(failed, items, strict=True)
        ],
        "outcome.serial": [f"S{item:012d}" for item in items],
        "outcome.value_date": [None if bad else DAY for bad in failed],
        "payment.account": [f"623199{item:013d}" for item in items],
        "payment.payee_name": [NAMES[item % len(NAMES)] for item in items],
    }


def make_identity(records: int) -> FileIdentity:
    """The identity of either file."""
    return FileIdentity(
        bank="bench",
        sequence=7,
        name="bench.xml",
        message_id="BENCH7",
        created_at=datetime(2026, 11, 23, 2, 0, tzinfo=UTC),
        bank_day=DAY,
        count=records,
        total_minor=sum(100 + item % 900_000 for item in range(1, records + 1)),
        agreement=AGREEMENT,
        original_message_id="BENCH7",
    )


def write_with_xmlfile(identity: FileIdentity, chunks: Iterable[RecordChunk]) -> bytes:
    """pain.001 with lxml, an element for each transaction."""
    out = io.BytesIO()
    total = f"{identity.total_minor // 100}.{identity.total_minor % 100:02d}"
    with etree.xmlfile(out, encoding="UTF-8") as file:
        file.write_declaration()
        with file.element(_q("Document"), nsmap={None: _REQUEST}), file.element(_q("CstmrCdtTrfInitn")):
            header = etree.Element(_q("GrpHdr"), nsmap={None: _REQUEST})
            for path, text in (
                ("MsgId", identity.message_id),
                ("CreDtTm", identity.created_at.strftime("%Y-%m-%dT%H:%M:%S")),
                ("NbOfTxs", str(identity.count)),
                ("CtrlSum", total),
                ("InitgPty/Nm", AGREEMENT["payer_name"]),
            ):
                _put(header, path, text)
            file.write(header)
            with file.element(_q("PmtInf")):
                group = etree.Element(_q("PmtInf"), nsmap={None: _REQUEST})
                for path, text in (
                    ("PmtInfId", identity.message_id),
                    ("PmtMtd", "TRF"),
                    ("NbOfTxs", str(identity.count)),
                    ("CtrlSum", total),
                    ("ReqdExctnDt/Dt", identity.bank_day.isoformat()),
                    ("Dbtr/Nm", AGREEMENT["payer_name"]),
                    ("DbtrAcct/Id/Othr/Id", AGREEMENT["payer_account"]),
                    ("DbtrAgt/FinInstnId/ClrSysMmbId/MmbId", AGREEMENT["payer_bank_code"]),
                ):
                    _put(group, path, text)
                for element in group:
                    file.write(element)
                for chunk in chunks:
                    _write_transactions(file, identity, chunk)
    return out.getvalue()


def _write_transactions(file: Any, identity: FileIdentity, chunk: RecordChunk) -> None:
    columns = chunk.columns
    rows = zip(
        make_references(identity.sequence, columns["attempt.item"], 20),
        columns["payment.amount"],
        columns["payment.bank_code"],
        columns["payment.payee_name"],
        columns["payment.account"],
        columns["payment.summary"],
        strict=True,
    )
    for reference, amount, bank_code, name, account, summary in rows:
        transaction = etree.Element(_q("CdtTrfTxInf"), nsmap={None: _REQUEST})
        _put(transaction, "PmtId/EndToEndId", reference)
        _put(transaction, "Amt/InstdAmt", f"{amount // 100}.{amount % 100:02d}").set("Ccy", "CNY")
        _put(transaction, "ChrgBr", "DEBT")
        _put(transaction, "CdtrAgt/FinInstnId/ClrSysMmbId/MmbId", bank_code)
        _put(transaction, "Cdtr/Nm", name)
        _put(transaction, "CdtrAcct/Id/Othr/Id", account)
        _put(transaction, "RmtInf/Ustrd", summary)
        file.write(transaction)


def _q(name: str) -> str:
    return f"{{{_REQUEST}}}{name}"


def _put(parent: Any, path: str, text: str) -> Any:
    for name in path.split("/"):
        parent = etree.SubElement(parent, _q(name))
    parent.text = text
    return parent


def read_with_iterparse(document: bytes) -> int:
    """pain.002 with lxml, ten texts for each transaction."""
    tag = f"{{{_RESULT}}}TxInfAndSts"
    paths = ["/".join(f"{{{_RESULT}}}{name}" for name in path.split("/")) for path in _RESULT_PATHS]
    count = 0
    for _, element in etree.iterparse(io.BytesIO(document), events=("end",), tag=tag):
        texts = [element.findtext(path) for path in paths]
        count += texts[0] is not None
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]
    return count


def with_prefix(document: bytes) -> bytes:
    """The document as some banks write it: a prefix on every tag."""
    named = re.sub(rb"<(/?)(?=[A-Za-z])", rb"<\1ns2:", document)
    return named.replace(b" xmlns=", b" xmlns:ns2=", 1)


def run(records: int = 200_000) -> list[Ratio]:
    """Writing and reading; the baseline over one payment of five, its time is the same for each."""
    request = compile_xml(read_layout(LAYOUTS / "iso20022-pain001-request.toml"))
    result = compile_xml(read_layout(LAYOUTS / "iso20022-pain002-result.toml"))
    few = max(1, records // SLOW_PART)
    identity, few_identity = make_identity(records), make_identity(few)
    payments, few_payments = Chunks(records, request_columns), Chunks(few, request_columns)
    answer = b"".join(result.encode(identity, Chunks(records, result_columns)))
    few_answers = b"".join(result.encode(few_identity, Chunks(few, result_columns)))

    def read_ours(document: bytes) -> None:
        count = sum(chunk.count for chunk in result.decode(io.BytesIO(document)))
        if count != records:
            raise AssertionError(f"{count} records read, wanted {records}")

    def read_with_lxml(document: bytes) -> None:
        count = read_with_iterparse(document)
        if count != few:
            raise AssertionError(f"{count} records read, wanted {few}")

    write = compare(
        lambda: write_with_xmlfile(few_identity, few_payments),
        lambda: sum(map(len, request.encode(identity, payments))),
    )
    read = compare(lambda: read_with_lxml(few_answers), lambda: read_ours(answer))
    named, few_named = with_prefix(answer), with_prefix(few_answers)
    read_named = compare(lambda: read_with_lxml(few_named), lambda: read_ours(named))
    schema = read_schema(SCHEMA)
    written = list(request.encode(few_identity, few_payments))
    document = b"".join(written)
    check = compare(
        lambda: etree.parse(io.BytesIO(document)),
        lambda: sum(map(len, schema.checked(written, "request"))),
    )
    return [
        Ratio(
            name=name,
            baseline=baseline,
            baseline_microseconds=slow / few * 1e6,
            our_microseconds=fast / ours * 1e6,
            wanted=wanted,
        )
        for name, baseline, wanted, ours, (slow, fast) in (
            ("XML write pain.001", "lxml xmlfile, elements", 12, records, write),
            ("XML read pain.002", "lxml iterparse, findtext", 4, records, read),
            ("XML read pain.002 with prefixes", "lxml iterparse, findtext", 4, records, read_named),
            ("XML schema check pain.001", "lxml plain parse, no check", SCHEMA_CHECK_WANTED, few, check),
        )
    ]


if __name__ == "__main__":
    for ratio in run(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000):
        print(ratio.line())
