"""Random fixed layouts: what we write, `construct` reads the same, and what it builds is what we wrote."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from formats.language.layout import parse_layout
from formats.records import RecordChunk
from formats.registry import compile_layout
from tests.formats.samples import identity
from tests.formats.second_opinion import Opinion, rows

OFTEN = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
ALPHABET = "ABCXYZ019 .-王東䶮·"

DATES = st.dates(date(2000, 1, 1), date(2060, 12, 31))
AMOUNTS = st.integers(0, 99_999_999)
SIGNED = st.integers(-99_999_999, 99_999_999)
TEXTS = st.text(ALPHABET, max_size=6).map(str.strip)
KINDS: dict[str, tuple[str, st.SearchStrategy[Any]]] = {
    "20   text": ("item.t", TEXTS),
    "20>  text": ("item.u", TEXTS),
    "9    digits": ("item.d", st.text("0123456789", max_size=9)),
    "12>0 money.2 signed": ("outcome.amount", SIGNED),
    "12>  money.2": ("outcome.amount", AMOUNTS),
    "14>0 money.3": ("outcome.amount", AMOUNTS),
    "16>0 money.5": ("outcome.amount", AMOUNTS),
    "9>   money.2 overpunch": ("outcome.amount", SIGNED),
    "9>0  money.2 overpunch": ("outcome.amount", SIGNED),
    "14>  yuan.2 trailing-sign": ("outcome.amount", SIGNED),
    "14>  yuan.2 comma thousands": ("outcome.amount", AMOUNTS),
    "14>  yuan.2": ("outcome.amount", AMOUNTS),
    "14   yuan.3": ("outcome.amount", AMOUNTS),
    "8    date YYYYMMDD": ("outcome.value_date", DATES),
    "6    date DDMMYY": ("outcome.value_date", DATES),
    "5    date YYDDD": ("outcome.value_date", DATES),
}
CHILD_KINDS = {
    "20   text": ("outcome.bank_text", TEXTS.filter(bool)),
    "10   text": ("outcome.serial", st.text("ABC123", min_size=1, max_size=10)),
    "9>0  money.2": ("fee.amount", st.integers(1, 9999)),
}


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, RecordChunk]:
    """A layout and a chunk of rows for it."""
    chosen: dict[str, tuple[str, Any]] = {}
    for kind in draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=6)):
        name, values = KINDS[kind]
        if name not in chosen:
            chosen[name] = kind, values
    children = draw(st.lists(st.sampled_from(sorted(CHILD_KINDS)), max_size=2, unique=True))
    scoped = draw(st.booleans())
    count = draw(st.integers(1, 12))
    columns: dict[str, list[Any]] = {
        name: draw(st.lists(values, min_size=count, max_size=count)) for name, (_, values) in chosen.items()
    }
    columns["attempt.item"] = draw(st.lists(st.integers(1, 9999), min_size=count, max_size=count))
    columns["outcome.code"] = draw(st.lists(st.sampled_from(["00", "41"]), min_size=count, max_size=count))
    for kind in children:
        name, values = CHILD_KINDS[kind]
        absent = "" if name != "fee.amount" else None
        columns[name] = draw(st.lists(values | st.just(absent), min_size=count, max_size=count))
    if scoped:
        marks = sorted(draw(st.lists(st.integers(1, 3), min_size=count, max_size=count)))
        columns["group.item"] = [sorted(set(marks)).index(mark) + 1 for mark in marks]
        columns["group.kind"] = [f"K{mark}" for mark in columns["group.item"]]
    in_any = draw(st.booleans())
    return _layout(chosen, children, scoped=scoped, in_any=in_any), RecordChunk(
        record="payment", count=count, columns=columns
    )


def _layout(chosen: dict[str, tuple[str, Any]], children: list[str], *, scoped: bool, in_any: bool) -> str:
    below = [f"child{number}" for number in range(len(children))]
    names = " ".join(["entry", *below])
    row = ["payment 1..*", "    entry"]
    row += ["    any 0..*", *(f"        {name} 0..1" for name in below)] if in_any and below else []
    row += [] if in_any and below else [f"    {name} 0..1" for name in below]
    inside = ["lot 1..*", *(f"    {line}" for line in ["lot_head", *row, "lot_tail"])] if scoped else row
    structure = "\n".join(["head", *inside, "tail"])
    has = f"1  number  Has  = has({' '.join(below)})\n" if below else ""
    amount = "12>0  money.2 signed  Sum  = sum(outcome.amount)\n" if "outcome.amount" in chosen else ""
    failed = "9>0  number  Bad  = count(payment where status in failed)\n"
    tables = {
        "head": '1  text  M  !"H"\n9  text  B  blank\n',
        "entry": '1  text  M  !"E"\n'
        + "".join(
            f"{kind.split()[0]}  {' '.join(kind.split()[1:])}  {name}  {name}\n"
            for name, (kind, _) in chosen.items()
        )
        + "4>0  number  Item  attempt.item  key\n4  digits  Hash  item.hash  optional\n"
        + "2  text  Code  outcome.code\n"
        + has,
        "tail": '1  text  M  !"T"\n9>0  number  N  = count('
        + names
        + ")\n6>0  number  L  = lines\n"
        + amount
        + failed,
    }
    for number, kind in enumerate(children):
        name = CHILD_KINDS[kind][0]
        place, words = kind.split(maxsplit=1)
        tables[f"child{number}"] = f'1  text  M  !"{number}"\n{place}  {words.strip()}  {name}  {name}\n'
    if scoped:
        tables["lot_head"] = (
            '1  text  M  !"L"\n4>0  number  Lot  = number(lot)\n6  text  Kind  group.kind\n' + amount
        )
        tables["lot_tail"] = (
            '1  text  M  !"Z"\n4>0  number  Lot  = number(lot)\n9>0  number  N  = count(' + names + ")\n"
            "6>0  number  L  = lines\n" + amount
        )
    body = "".join(f"[record.{name}]\ntable = '''\n{table}'''\n" for name, table in tables.items())
    return (
        'layout = "random"\nversion = "1"\npurpose = "result"\nanswers = "x"\nsyntax = "fixed"\n'
        'framing = { encoding = "gb18030" }\n'
        f"structure = '''\n{structure}\n'''\n{body}"
        "[codes.outcome]\ntable = '''\n00  credited\n41  failed  ACCOUNT_NOT_FOUND\n'''\n"
    )


@OFTEN
@given(cases())
def test_construct_reads_and_builds_the_same(case: tuple[str, RecordChunk]) -> None:
    text, chunk = case
    chunk.columns["item.hash"] = [f"{item:04d}" for item in chunk.columns["attempt.item"]]
    layout = parse_layout(text, "random")
    codec = compile_layout(layout)
    raw = b"".join(codec.encode(identity(), [chunk]))
    opinion = Opinion(layout)
    records = opinion.parse(raw)
    assert opinion.build(records) == raw
    children = {record.name for record in layout.records if record.name.startswith("child")}
    theirs = rows(records, "entry", children)
    decoder = codec.decode(io.BytesIO(raw))
    ours = list(decoder)
    assert decoder.problems == []
    assert sum(one.count for one in ours) == len(theirs) == chunk.count
    for name, values in chunk.columns.items():
        found = [value for one in ours for value in one.columns[name]]
        assert found == values, name
        if not name.startswith("group."):
            assert [row.get(name) or None for row in theirs] == [value or None for value in values], name
    _check_totals(layout.records[-1].name, records, chunk)


def _check_totals(_: str, records: list[Any], chunk: RecordChunk) -> None:
    """Totals by the plainest of ways."""
    by_title = {
        field.title: value
        for record, values in records
        if record.name == "tail"
        for field, value in zip(record.fields, values, strict=True)
    }
    lines = sum(1 for record, _ in records if record.name == "entry" or record.name.startswith("child"))
    assert by_title["N"] == lines
    assert by_title["L"] == len(records)
    assert by_title["Bad"] == chunk.columns["outcome.code"].count("41")
    if "Sum" in by_title:
        assert by_title["Sum"] == sum(chunk.columns["outcome.amount"])
