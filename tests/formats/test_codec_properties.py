"""decode(encode(x)) == x; any bytes give records or a `DecodeError`; `construct` reads the same."""

from __future__ import annotations

import io
from typing import Any

import construct
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from formats.charset import UNWRITABLE, to_standard
from formats.errors import DecodeError, LayoutError
from formats.language.layout import parse_layout
from formats.records import Problem, RecordChunk
from formats.registry import SHIPPED_FOLDER, Registry, compile_layout
from tests.formats.samples import decode, encode
from tests.formats.test_vectors import COMMENT_REQUEST, COMMENT_RESULT, RURAL_REQUEST, RURAL_RESULT

REGISTRY = Registry()
FILES = {
    "rural-credit-request": RURAL_REQUEST,
    "rural-credit-result": RURAL_RESULT,
    "comment-style-request": COMMENT_REQUEST,
    "comment-style-result": COMMENT_RESULT,
}
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def texts(size_bytes: int, *, empty: bool = True) -> st.SearchStrategy[str]:
    """Texts that fit a width in GB 18030 and come back as they are."""

    def fits(text: str) -> bool:
        return (
            not UNWRITABLE.search(text)
            and text == text.strip(" ")
            and "|" not in text
            and text == to_standard(text)
            and len(text.encode("gb18030")) + 2 * text.count("\u1e3f") <= size_bytes
        )

    common = st.sampled_from("王李東䶮·阿依古丽㐂𠀀A9 ")
    anything = st.characters(exclude_categories=["Cc", "Cs"])
    text = st.text(st.one_of(common, anything), min_size=0 if empty else 1, max_size=size_bytes // 2)
    return text.filter(fits).filter(lambda value: empty or value != "")


def payments(accounts_bytes: int, name_bytes: int, amount_limit: int) -> st.SearchStrategy[Any]:
    row = st.tuples(
        st.text("0123456789", min_size=1, max_size=accounts_bytes),
        texts(name_bytes, empty=False),
        st.integers(0, amount_limit - 1),
        texts(20),
    )
    return st.lists(row, min_size=1, max_size=8)


@QUICK
@given(payments(23, 20, 10**16))
def test_rural_request_round_trip(rows: list[tuple[str, str, int, str]]) -> None:
    accounts, names, amounts, _ = map(list, zip(*rows, strict=True))
    columns = {"payment.account": accounts, "payment.payee_name": names, "payment.amount": amounts}
    chunk = RecordChunk(record="payment", count=len(rows), columns=columns)
    codec = REGISTRY.get("rural-credit-request")
    if sum(amounts) >= 10**16:
        return
    raw = encode(codec, [chunk], count=len(rows), total_minor=sum(amounts))
    read, _, problems = decode(codec, raw)
    references = [f"{7:012d}{item:08d}" for item in range(1, len(rows) + 1)]
    assert read == {"payment": columns | {"attempt.reference": references}}
    assert problems == []


@QUICK
@given(payments(32, 60, 10**15))
def test_comment_request_round_trip(rows: list[tuple[str, str, int, str]]) -> None:
    accounts, names, amounts, others = map(list, zip(*rows, strict=True))
    columns = {
        "payment.account": accounts,
        "payment.payee_name": names,
        "payment.amount": amounts,
        **{f"payment.{name}": others for name in ("bank_name", "province", "city", "region", "summary")},
    }
    chunk = RecordChunk(record="payment", count=len(rows), columns=columns)
    codec = REGISTRY.get("comment-style-request")
    raw = encode(codec, [chunk], count=len(rows), total_minor=sum(amounts))
    read, _, problems = decode(codec, raw)
    assert read == {"payment": columns | {"attempt.item": list(range(1, len(rows) + 1))}}
    assert problems == []


@QUICK
@given(
    rows=st.lists(
        st.tuples(
            st.integers(1, 10**6),
            st.sampled_from(["AAAAAAA", "", "41", "0106", "ZZZ", "-1"]),
            texts(62),
            st.integers(0, 10**12),
        ),
        max_size=20,
    ),
    fees=st.lists(st.tuples(st.integers(0, 10**6), texts(62)), max_size=3),
)
def test_rural_result_round_trip(rows: list[tuple[int, str, str, int]], fees: list[tuple[int, str]]) -> None:
    columns: dict[str, list[Any]] = {
        "attempt.reference": [f"{item:020d}" for item, _, _, _ in rows],
        "payment.account": [str(item) for item, _, _, _ in rows],
        "payment.payee_name": ["王東"] * len(rows),
        "outcome.amount": [amount for _, _, _, amount in rows],
        "outcome.code": [code for _, code, _, _ in rows],
        "outcome.bank_text": [text for _, _, text, _ in rows],
    }
    fee_columns: dict[str, list[Any]] = {
        "fee.amount": [amount for amount, _ in fees],
        "fee.label": [label for _, label in fees],
    }
    chunks = [
        RecordChunk(record="payment", count=len(rows), columns=columns),
        RecordChunk(record="fee", count=len(fees), columns=fee_columns),
    ]
    codec = REGISTRY.get("rural-credit-result")
    read, _, problems = decode(codec, encode(codec, chunks))
    payment = read.get("payment", {name: [] for name in columns})
    assert {name: payment[name] for name in columns} == columns
    assert read.get("fee", {"fee.amount": [], "fee.label": []}) == fee_columns
    assert problems == []


def read_or_refuse(name: str, raw: bytes) -> dict[str, dict[str, list[Any]]] | list[Problem]:
    """The columns of a file, or the problems of its refusal; any other exception is a bug."""
    try:
        columns, _, _ = decode(REGISTRY.get(name), raw)
    except DecodeError as error:
        return error.problems
    return columns


@QUICK
@given(st.sampled_from(sorted(FILES)), st.binary(max_size=300))
def test_any_bytes_give_records_or_a_decode_error(name: str, raw: bytes) -> None:
    read = read_or_refuse(name, raw)
    assert isinstance(read, dict) or len(read) == 1


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(FILES)), st.data())
def test_a_damaged_file_gives_records_or_a_decode_error(name: str, data: st.DataObject) -> None:
    raw = bytearray(FILES[name])
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(raw) - 1))
        change = data.draw(st.sampled_from(["set", "drop", "double", "cut"]))
        if change == "set":
            raw[place] = data.draw(st.integers(0, 255))
        elif change == "drop":
            del raw[place]
        elif change == "double":
            raw[place:place] = raw[place : place + data.draw(st.integers(1, 120))]
        else:
            del raw[place + 1 :]
        if not raw:
            break
    read = read_or_refuse(name, bytes(raw))
    if isinstance(read, list):
        assert [problem.line is not None for problem in read] == [True]
        return
    for values in read.get("payment", {}).values():
        assert all(value is None or not UNWRITABLE.search(str(value)) for value in values)


KINDS = {
    "text": texts(12),
    "digits": st.text("0123456789", min_size=1, max_size=9),
    "number": st.integers(0, 10**8),
    "money.2": st.integers(0, 10**8),
    "yuan.2": st.integers(0, 10**8),
    "yuan.0": st.integers(0, 10**6).map(lambda value: value * 100),
}
NAMES = {
    "text": ["payment.summary", "payment.region", "payment.city", "payment.village"],
    "digits": ["payment.bank_code", "payment.household_id"],
    "number": [],
    "money.2": ["payment.amount"],
    "yuan.2": ["payment.amount"],
    "yuan.0": ["payment.amount"],
}


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_small_random_layouts_round_trip(data: st.DataObject) -> None:
    fixed = data.draw(st.booleans())
    amount_kind = data.draw(st.sampled_from(["money.2", "yuan.2", "yuan.0"]))
    lines, values = [], {}
    count = data.draw(st.integers(1, 5))
    chosen = [(amount_kind, "payment.amount"), ("text", "payment.account")]
    for kind in data.draw(st.lists(st.sampled_from(["text", "digits"]), max_size=4)):
        free = [name for name in NAMES[kind] if name not in {taken for _, taken in chosen}]
        chosen += [(kind, free[0])] if free else []
    for kind, name in data.draw(st.permutations(chosen)):
        place = data.draw(st.sampled_from(["13", "13>"])) if fixed else "-"
        lines.append(f"{place}  {kind}  {name}  {name}")
        values[name] = data.draw(
            st.lists(
                texts(12, empty=False) if name == "payment.account" else KINDS[kind],
                min_size=count,
                max_size=count,
            )
        )
    lines.insert(
        data.draw(st.integers(0, len(lines))), f"{'13' if fixed else '-'}  text  key  attempt.reference  key"
    )
    framing = {
        "encoding": data.draw(st.sampled_from(["gb18030", "utf-8"])),
        "eol": data.draw(st.sampled_from(["lf", "crlf"])),
    }
    if fixed and data.draw(st.booleans()):
        framing["after_each_field"] = "|"
    if not fixed:
        framing["delimiter"] = "|"
    inline = ", ".join(f'{key} = "{value}"' for key, value in framing.items())
    source = (
        'layout = "r"\nversion = "1"\npurpose = "request"\n'
        f'syntax = "{"fixed" if fixed else "delimited"}"\nframing = {{ {inline} }}\n'
        "structure = '''\npayment 1..*\n'''\n[record.payment]\ntable = '''\n" + "\n".join(lines) + "\n'''\n"
    )
    codec = compile_layout(parse_layout(source, "r"))
    chunk = RecordChunk(record="payment", count=count, columns=values)
    if codec.problems(chunk):  # what GB 18030 fits, UTF-8 need not
        assert framing["encoding"] == "utf-8"
        return
    raw = encode(codec, [chunk], count=count, total_minor=sum(values["payment.amount"]))
    read, _, problems = decode(codec, raw)
    assert {name: read["payment"][name] for name in values} == values
    assert problems == []


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_damaged_layout_gives_a_layout_or_a_layout_error(data: st.DataObject) -> None:
    text = (SHIPPED_FOLDER / "comment-style-result.toml").read_text("utf-8")
    place = data.draw(st.integers(0, len(text) - 1))
    size = data.draw(st.integers(0, 12))
    text = text[:place] + data.draw(st.text('ab01 ."=\n|#<>*[]', max_size=4)) + text[place + size :]
    assert is_layout_or_refused(text)


def is_layout_or_refused(text: str) -> bool:
    """True, unless a refusal names no mistake; any other exception is a bug."""
    try:
        compile_layout(parse_layout(text, "damaged"))
    except LayoutError as error:
        return bool(error.problems)
    return True


class _Text(construct.Adapter):
    def _decode(self, obj: bytes, context: Any, path: Any) -> str:
        return obj.rstrip(b" ").decode("gb18030")

    def _encode(self, obj: str, context: Any, path: Any) -> bytes:
        return obj.encode("gb18030").ljust(self.subcon.sizeof())


class _Fen(construct.Adapter):
    def _decode(self, obj: bytes, context: Any, path: Any) -> int:
        return int(obj.replace(b".", b""))

    def _encode(self, obj: int, context: Any, path: Any) -> bytes:
        return (b"%d.%02d" % divmod(obj, 100)).rjust(self.subcon.sizeof())


DETAIL = construct.Struct(
    construct.Const(b"2"),
    "reference" / _Text(construct.Bytes(20)),
    construct.Const(b"4"),
    "account" / _Text(construct.Bytes(23)),
    "name" / _Text(construct.Bytes(20)),
    construct.Const(b" "),
    construct.Const(b"         1"),
    "amount" / _Fen(construct.Bytes(17)),
    construct.Const(b"       \n"),
)


@QUICK
@given(payments(23, 20, 10**14))
def test_construct_reads_the_same(rows: list[tuple[str, str, int, str]]) -> None:
    """A second opinion, written apart from ours, on records of the rural layout."""
    rows = [row for row in rows if "\u1e3f" not in row[1]] or [("1", "王", 1, "")]
    accounts, names, amounts, _ = map(list, zip(*rows, strict=True))
    columns = {"payment.account": accounts, "payment.payee_name": names, "payment.amount": amounts}
    chunk = RecordChunk(record="payment", count=len(rows), columns=columns)
    raw = encode(REGISTRY.get("rural-credit-request"), [chunk], count=len(rows), total_minor=sum(amounts))
    stream = io.BytesIO(raw[101:])
    parsed = [DETAIL.parse_stream(stream) for _ in rows]
    assert stream.read() == b""
    assert [to_standard(record.name) for record in parsed] == names
    assert [(record.account, record.amount) for record in parsed] == list(zip(accounts, amounts, strict=True))
    assert [record.reference for record in parsed] == [f"{7:012d}{n:08d}" for n in range(1, len(rows) + 1)]
    rebuilt = b"".join(
        DETAIL.build(
            {"reference": record.reference, "account": account, "name": record.name, "amount": amount}
        )
        for record, account, amount in zip(parsed, accounts, amounts, strict=True)
    )
    assert rebuilt == raw[101:]
