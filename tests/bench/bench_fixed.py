"""Fixed-width files against compiled `construct`, in one run: `python -m tests.bench.bench_fixed`.

200,000 records of 256 bytes and 12 fields in GB18030. The baseline is the compiled
`Struct` with adapters that convert text, integers and GB18030, its dicts prebuilt; records
are sequenced by a plain loop. Ours keeps every check and total on. Prints ratios, fails never.
"""

from __future__ import annotations

import gc
import io
import random
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import construct

from formats.language.layout import parse_layout
from formats.records import FileIdentity, RecordChunk
from formats.registry import compile_layout
from tests.bench.measure import Ratio, compare

CHUNK = 1024
SLOW_PART = 10
"""The baseline works through one record of so many; its time is the same for each."""

_TABLE = """
1      text     mark        !"2"
20     text     reference   attempt.reference  key
1      text     kind        "4"
23     text     account     <payment.account
40     text     name        <payment.payee_name
12     digits   bank code   <payment.bank_code
40     text     bank name   <payment.bank_name
20     text     region      <payment.region
17>    yuan.2   amount      outcome.amount
7      text     code        outcome.code
12     text     serial      outcome.serial
63     text     text        outcome.bank_text
"""
LAYOUT = f"""
layout = "bench"
version = "1"
purpose = "result"
answers = "bench-request"
syntax = "fixed"
framing = {{ encoding = "gb18030", eol = "lf" }}
structure = '''
header
payment 0..*
'''
[record.header]
table = '''
1      text     mark        !"1"
10>    number   count       = count(payment)
17>    yuan.2   total       = sum(outcome.amount)
10>    number   paid        = count(payment where status in credited)
17>    yuan.2   paid total  = sum(outcome.amount where status in credited)
'''
[record.payment]
table = '''{_TABLE}'''
[codes.outcome]
table = '''
AAAAAAA  credited
49       failed  NAME_MISMATCH
41       failed  ACCOUNT_NOT_FOUND
'''
"""
_WIDTHS = [
    ("mark", 1), ("reference", 20), ("kind", 1), ("account", 23), ("name", 40), ("bank_code", 12),
    ("bank_name", 40), ("region", 20), ("amount", 17), ("code", 7), ("serial", 12), ("text", 63),
]  # fmt: skip
_MEANINGS = {
    "reference": "attempt.reference",
    "account": "payment.account",
    "name": "payment.payee_name",
    "bank_code": "payment.bank_code",
    "bank_name": "payment.bank_name",
    "region": "payment.region",
    "amount": "outcome.amount",
    "code": "outcome.code",
    "serial": "outcome.serial",
    "text": "outcome.bank_text",
}


class _Text(construct.Adapter):
    def _decode(self, obj: bytes, context: Any, path: Any) -> str:
        return obj.rstrip(b" ").decode("gb18030")

    def _encode(self, obj: str, context: Any, path: Any) -> bytes:
        raw: bytes = obj.encode("gb18030")
        width = self.subcon.sizeof()
        if len(raw) > width:
            raise construct.StringError("too long")
        return raw.ljust(width)


class _Amount(construct.Adapter):
    def _decode(self, obj: bytes, context: Any, path: Any) -> int:
        return int(obj.replace(b".", b""))

    def _encode(self, obj: int, context: Any, path: Any) -> bytes:
        return b"%14d.%02d" % divmod(obj, 100)


def run(records: int = 200_000) -> list[Ratio]:
    """Both ways, over the same records."""
    rows = list(_rows(records))
    chunks = list(_chunks(rows))
    codec = compile_layout(parse_layout(LAYOUT, "bench"))
    identity = make_identity(records)
    fields = [
        name / (_Amount if name == "amount" else _Text)(construct.Bytes(width)) for name, width in _WIDTHS
    ]
    baseline = construct.Struct(*fields, construct.Const(b"\n")).compile()
    encoded = b"".join(codec.encode(identity, chunks))
    body = encoded[56:]
    slow_rows = rows[: max(1, records // SLOW_PART)]
    stride = len(body) // records
    slow_records = [body[start : start + stride] for start in range(0, stride * len(slow_rows), stride)]
    if b"".join(map(baseline.build, slow_rows)) != body[: stride * len(slow_rows)]:
        sys.exit("construct and the layout disagree")
    gc.freeze()  # what the set-up left behind is nobody's cost
    encode = compare(
        lambda: [baseline.build(row) for row in slow_rows],
        lambda: sum(map(len, codec.encode(identity, chunks))),
    )
    decode = compare(
        lambda: [baseline.parse(record) for record in slow_records],
        lambda: _drain(codec, encoded, records),
    )
    gc.unfreeze()
    return [
        Ratio(
            name=name,
            baseline="construct, compiled",
            baseline_microseconds=slow / len(slow_rows) * 1e6,
            our_microseconds=fast / records * 1e6,
            wanted=8,
        )
        for name, (slow, fast) in (("fixed-width encode", encode), ("fixed-width decode", decode))
    ]


def _drain(codec: Any, encoded: bytes, records: int) -> None:
    decoder = codec.decode(io.BytesIO(encoded))
    if sum(chunk.count for chunk in decoder) != records or decoder.problems:
        sys.exit("the file was not read back whole")


def _rows(records: int) -> Iterator[dict[str, Any]]:
    generator = random.Random(1)
    family, given = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超兰霞平"
    for item in range(records):
        failed = item % 20 == 0
        yield {
            "mark": "2",
            "reference": f"{item + 1:020d}",
            "kind": "4",
            "account": str(generator.randrange(6 * 10**18, 7 * 10**18)),
            "name": generator.choice(family) + "".join(generator.choices(given, k=generator.randrange(1, 3))),
            "bank_code": "102100099996",
            "bank_name": "测试农村商业银行股份有限公司",
            "region": "岱庙街道" if item % 3 else "省庄镇",
            "amount": generator.randrange(1, 500_000),
            "code": "49" if failed else "AAAAAAA",
            "serial": f"{item:012d}",
            "text": "户名不符" if failed else "",
        }


def _chunks(rows: list[dict[str, Any]]) -> Iterator[RecordChunk]:
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        columns = {meaning: [row[name] for row in part] for name, meaning in _MEANINGS.items()}
        yield RecordChunk(record="payment", count=len(part), columns=columns)


def make_identity(records: int) -> FileIdentity:
    """The file's identity."""
    return FileIdentity(
        bank="bench",
        sequence=1,
        name="BENCH.TXT",
        message_id="1",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        bank_day=date(2026, 1, 1),
        count=records,
        total_minor=0,
    )


if __name__ == "__main__":
    for ratio in run():
        print(ratio.line())
