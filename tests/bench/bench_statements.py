"""Statements, read: camt.053 with details, and a delimited one (对账文件), each against what one would write.

    python -m tests.bench --only statements

The baselines check nothing and add nothing up: `iterparse` with `findtext` over entries and details, cleared
as it goes, and `csv` with `Decimal`. Ours reads totals, codes, charsets and amounts as in any file of a bank.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from lxml import etree

from formats import Codec
from formats.registry import Registry, codec_of_text
from tests.bench.measure import Ratio, compare

_BLOCK_ROWS = 1000
_RETURNS_EACH = 10
_CAMT_053 = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
_ENTRY_PATHS = ("Amt", "CdtDbtInd", "Sts/Cd", "BookgDt/Dt", "ValDt/Dt", "AcctSvcrRef", "AddtlNtryInf")
_DETAIL_PATHS = (
    "Refs/EndToEndId",
    "Amt",
    "RltdPties/Cdtr/Pty/Nm",
    "RltdPties/CdtrAcct/Id/Othr/Id",
    "RmtInf/Ustrd",
    "RtrInf/Rsn/Cd",
    "RtrInf/AddtlInf",
)
LAYOUT = """
layout  = "bench-statement"
version = "1"
purpose = "statement"
syntax  = "delimited"
framing = { encoding = "gb18030", delimiter = "|", after_last = true, eol = "lf" }

structure = '''
head
statement 0..*
'''

[record.head]
table = '''
-   text            标志      !"H"
-   date YYYYMMDD   日期      file.bank_day
-   number          笔数      = count(statement)
-   yuan.2          借方      = sum(statement.amount where statement.direction in D)
-   yuan.2          贷方      = sum(statement.amount where statement.direction in C)
'''

[record.statement]
table = '''
-   text            标志      !"D"
-   date YYYYMMDD   日期      statement.booked_on
-   text            借贷      statement.direction
-   yuan.2          金额      statement.amount
-   text            流水号    statement.serial
-   text            对方账号  statement.party_account  optional
-   text            对方户名  statement.party_name     optional
-   text            明细号    attempt.reference        optional
-   text            摘要      statement.text           optional
'''
"""


def camt_codec() -> Codec:
    """The statement that ships."""
    return Registry().get("iso20022-camt053-statement")


def delimited_codec() -> Codec:
    """A statement in lines, in GB18030."""
    return codec_of_text(LAYOUT, "bench-statement")


def _amount_minor(item: int) -> int:
    return 100 + item % 90_000


def _is_return(item: int) -> bool:
    return item % _RETURNS_EACH == 0


def _yuan(amount_minor: int) -> str:
    return f"{amount_minor // 100}.{amount_minor % 100:02d}"


def _totals(entries: int) -> tuple[list[int], list[int]]:
    """Count and sum of what went out, and of what came back."""
    items = range(1, entries + 1)
    back = range(_RETURNS_EACH, entries + 1, _RETURNS_EACH)
    came_minor = sum(map(_amount_minor, back))
    return [entries - len(back), sum(map(_amount_minor, items)) - came_minor], [len(back), came_minor]


def camt_blocks(entries: int) -> Iterator[bytes]:
    """A camt.053 of entries with one detail each, every tenth a return."""
    (debits, debited), (credits, credited) = _totals(entries)
    yield (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{_CAMT_053}"><BkToCstmrStmt><GrpHdr>'
        "<MsgId>S1</MsgId><CreDtTm>2026-01-06T08:00:00</CreDtTm></GrpHdr><Stmt><Id>2026-001</Id><Acct><Id><Othr>"
        f"<Id>9020001234567890</Id></Othr></Id></Acct><TxsSummry><TtlCdtNtries><NbOfNtries>{credits}</NbOfNtries>"
        f"<Sum>{_yuan(credited)}</Sum></TtlCdtNtries><TtlDbtNtries><NbOfNtries>{debits}</NbOfNtries>"
        f"<Sum>{_yuan(debited)}</Sum></TtlDbtNtries></TxsSummry>"
    ).encode()
    for start in range(1, entries + 1, _BLOCK_ROWS):
        yield "".join(map(_entry, range(start, min(start + _BLOCK_ROWS, entries + 1)))).encode()
    yield b"</Stmt></BkToCstmrStmt></Document>"


def _entry(item: int) -> str:
    amount = _yuan(_amount_minor(item))
    direction, reason = "DBIT", ""
    if _is_return(item):
        direction, reason = "CRDT", "<RtrInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>销户</AddtlInf></RtrInf>"
    return (
        f'<Ntry><Amt Ccy="CNY">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>'
        f"<BookgDt><Dt>2026-01-02</Dt></BookgDt><ValDt><Dt>2026-01-02</Dt></ValDt><AcctSvcrRef>B{item:011d}"
        f"</AcctSvcrRef><NtryDtls><TxDtls><Refs><EndToEndId>{7:012d}{item:08d}</EndToEndId></Refs>"
        f'<Amt Ccy="CNY">{amount}</Amt><RltdPties><Cdtr><Pty><Nm>阿依古丽·买买提</Nm></Pty></Cdtr><CdtrAcct>'
        f"<Id><Othr><Id>623199{item:013d}</Id></Othr></Id></CdtrAcct></RltdPties><RmtInf><Ustrd>耕地地力保护补贴"
        f"</Ustrd></RmtInf>{reason}</TxDtls></NtryDtls></Ntry>"
    )


def delimited_blocks(entries: int) -> Iterator[bytes]:
    """The same bookings in lines."""
    (_, debited), (_, credited) = _totals(entries)
    yield f"H|20260106|{entries}|{_yuan(debited)}|{_yuan(credited)}|\n".encode("gb18030")
    for start in range(1, entries + 1, _BLOCK_ROWS):
        items = range(start, min(start + _BLOCK_ROWS, entries + 1))
        yield "".join(map(_line, items)).encode("gb18030")


def _line(item: int) -> str:
    direction = "C" if _is_return(item) else "D"
    return (
        f"D|20260102|{direction}|{_yuan(_amount_minor(item))}|B{item:011d}|623199{item:013d}|阿依古丽·买买提|"
        f"{7:012d}{item:08d}|耕地地力保护补贴|\n"
    )


def _with_iterparse(document: bytes) -> int:
    """camt.053 with lxml: seven texts for each entry and for each detail."""
    qualified = "{" + _CAMT_053 + "}"
    entries, details = (
        ["/".join(f"{qualified}{name}" for name in path.split("/")) for path in paths]
        for paths in (_ENTRY_PATHS, _DETAIL_PATHS)
    )
    way = f"{qualified}NtryDtls/{qualified}TxDtls"
    count = 0
    for _, element in etree.iterparse(io.BytesIO(document), events=("end",), tag=f"{qualified}Ntry"):
        said = [element.findtext(path) for path in entries]
        for detail in element.iterfind(way):
            texts = [detail.findtext(path) for path in details]
            count += None not in (said[0], texts[0])
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]
    return count


def _with_csv(raw: bytes) -> int:
    """The lines with the standard library: text, amount and day of each."""
    count = 0
    for cells in csv.reader(io.TextIOWrapper(io.BytesIO(raw), "gb18030", newline=""), delimiter="|"):
        if cells[0] == "D":
            amount_minor = int(Decimal(cells[3]) * 100)
            day = int(cells[1][:4]), int(cells[1][4:6]), int(cells[1][6:])
            count += amount_minor > 0 and day[0] > 0
    return count


def run(entries: int = 200_000) -> list[Ratio]:
    """Both, as they come from a bank's file."""
    found = []
    cases: list[tuple[str, str, Codec, Callable[[int], Iterator[bytes]], Callable[[bytes], int]]] = [
        ("statement read camt.053", "lxml iterparse, findtext", camt_codec(), camt_blocks, _with_iterparse),
        ("statement read delimited", "csv, Decimal", delimited_codec(), delimited_blocks, _with_csv),
    ]  # fmt: skip
    for name, baseline, codec, blocks, read in cases:
        raw = b"".join(blocks(entries))
        slow, fast = _compared(codec, raw, read, entries)
        found.append(
            Ratio(
                name=name,
                baseline=baseline,
                baseline_microseconds=slow / entries * 1e6,
                our_microseconds=fast / entries * 1e6,
                unit="entry",
            )
        )
    return found


def _compared(codec: Codec, raw: bytes, read: Callable[[bytes], int], entries: int) -> tuple[float, float]:
    return compare(lambda: _whole(read(raw), entries), lambda: _whole(_ours(codec, raw), entries))


def _ours(codec: Codec, raw: bytes) -> int:
    decoder: Any = codec.decode(io.BytesIO(raw))
    count = sum(chunk.count for chunk in decoder if chunk.record == "statement")
    if decoder.problems:
        raise AssertionError(decoder.problems[:3])
    return count


def _whole(count: int, entries: int) -> None:
    if count != entries:
        raise AssertionError(f"{count} entries read, wanted {entries}")


if __name__ == "__main__":
    for ratio in run(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000):
        print(ratio.line())
