"""Files of banks by each layout that ships: results, acknowledgements, statements, and requests read back."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from formats.codec import Codec, Purpose
from formats.conformance.vectors import VECTORS
from formats.errors import DecodeError, EncodeError
from formats.language.layout import parse_layout
from formats.language.model import Constant, Field, Kind, Layout, Syntax
from formats.reasons import Reason, Status
from formats.records import AcknowledgementVerdict, RecordChunk
from formats.registry import SHIPPED_FOLDER, Registry, compile_layout
from tests.formats.samples import ACCOUNT_ONE, ACCOUNT_TWO, AGREEMENT, encode
from tests.fuzz.pieces import Pieces
from tests.fuzz.target import MIB, Target
from tests.gateway.shapes import STATEMENT

REGISTRY = Registry()
_COLUMNS: dict[str, list[Any]] = {
    "attempt.item": [1, 2],
    "attempt.reference": ["00000000000700000001", "00000000000700000002"],
    "payment.account": [ACCOUNT_ONE, ACCOUNT_TWO],
    "payment.payee_name": ["阿依古丽·买买提", "東䶮"],
    "payment.amount": [150_000, 50],
    "payment.bank_code": ["102100099996", "105100000017"],
    "outcome.amount": [150_000, 50],
    "outcome.bank_text": ["", "户名不符"],
    "outcome.serial": ["S1", ""],
    "outcome.value_date": [date(2026, 9, 2), None],
    "fee.amount": [0, 120],
    "fee.label": ["", "手续费"],
    "fee.bearer": ["SLEV", "CRED"],
}
_TEXT = ["测试", ""]
_AMOUNTS = (
    *("payment.amount", "outcome.amount", "fee.amount"),
    *("statement.amount", "statement.detail_amount", "attempt.item", "statement.entry"),
)
"""Whole numbers, or nothing."""
_IDENTITY: dict[str, Any] = {
    "agreement": AGREEMENT | {"payer_bank_code": "102100099996"},
    "original_message_id": "M0007",
}


class Layouts:
    """The layouts of one target; the first byte of an input says which is meant."""

    def __init__(self, *names: str, own: Sequence[tuple[Codec, bytes]] = ()) -> None:
        self.codecs: list[Codec] = [*(REGISTRY.get(name) for name in names), *(codec for codec, _ in own)]
        self._own = {codec.name: content for codec, content in own}

    def examine(self, content: bytes) -> None:
        """Records of known kinds, or a `DecodeError` that says where."""
        pieces = Pieces(content)
        codec = pieces.choose(self.codecs)
        decoder = codec.decode(io.BytesIO(pieces.rest()))
        try:
            for chunk in decoder:
                _check_chunk(codec, chunk)
        except DecodeError as error:
            assert error.problems
            assert all(problem.message for problem in error.problems)
            return
        assert isinstance(decoder.problems, list)
        if "file.verdict" in decoder.facts:
            AcknowledgementVerdict(decoder.facts["file.verdict"])

    def seeds(self) -> list[bytes]:
        return [
            bytes([number]) + content
            for number, codec in enumerate(self.codecs)
            for content in self._files(codec)
        ]

    def _files(self, codec: Codec) -> list[bytes]:
        if codec.name in self._own:
            return [self._own[codec.name]]
        return list(dict.fromkeys([*files_of(codec), *golden_files(codec.name)]))


def _check_chunk(codec: Codec, chunk: RecordChunk) -> None:
    assert all(len(values) == chunk.count for values in chunk.columns.values())
    assert len(chunk.lines) == chunk.count
    for name in _AMOUNTS:
        assert all(value is None or type(value) is int for value in chunk.columns.get(name, []))
    for status, reason in zip(
        chunk.columns.get("outcome.status", []), chunk.columns.get("outcome.reason", []), strict=True
    ):
        assert isinstance(status, Status)
        assert isinstance(reason, Reason)
        assert reason is not Reason.UNMAPPED or status is Status.UNKNOWN


def golden_files(name: str) -> list[bytes]:
    """What the layout's vectors are: every shape of answer."""
    paths = sorted((SHIPPED_FOLDER / VECTORS / name).iterdir())
    return [path.read_bytes() for path in paths if path.suffix != ".json"]


def files_of(codec: Codec) -> list[bytes]:
    """Well-formed files, written by the codec itself; drawn from the layout where it wants other values."""
    if codec.purpose is Purpose.STATEMENT:
        return golden_files(codec.name)
    try:
        return _written(codec)
    except EncodeError:
        return [_drawn(_layout(codec.name))]


def _written(codec: Codec) -> list[bytes]:
    if codec.purpose is Purpose.ACKNOWLEDGEMENT:
        return [encode(codec, [], code=code, text="说明", **_IDENTITY) for code in _file_codes(codec)[:3]]
    columns = {name: _COLUMNS.get(name, _TEXT) for name in codec.columns("payment")}
    if codec.purpose is Purpose.REQUEST:
        return [encode(codec, [_chunk(columns)], **_IDENTITY)]
    return [
        encode(codec, [_chunk(columns | {"outcome.code": codes})], **_IDENTITY)
        for codes in _code_pairs(codec)
    ]


def _drawn(layout: Layout) -> bytes:
    """A line of each record, in the order of the layout: constants as they are, plain values elsewhere."""
    return b"\n".join(b"".join(_cell(field) for field in record.fields) for record in layout.records) + b"\n"


def _cell(field: Field) -> bytes:
    width = field.width.bytes_ if field.width else 1
    if isinstance(field.meaning, Constant):
        return field.meaning.text.encode().ljust(width)[:width]
    kind = None if field.kind is None else field.kind.name
    if kind is Kind.DATE:
        return b"20260901"[-width:]
    return (b"A" if kind is Kind.TEXT else b"0") * width


def _chunk(columns: dict[str, list[Any]]) -> RecordChunk:
    return RecordChunk(record="payment", count=2, columns=columns, lines=[1, 2])


def _layout(name: str) -> Layout:
    return parse_layout(REGISTRY.source_text(name), name)


def _code_pairs(codec: Codec) -> list[list[str]]:
    codes = [line.code for line in _layout(codec.name).outcome_codes]
    return [codes[:2], codes[-2:], [codes[0], "ZZZ"]]


def _file_codes(codec: Codec) -> list[str]:
    return [line.code for line in _layout(codec.name).file_codes]


def names_of(syntax: Syntax, *purposes: Purpose) -> list[str]:
    """Layouts that ship, of a syntax and purposes."""
    found = REGISTRY.purposes()
    return sorted(
        name for name, purpose in found.items() if purpose in purposes and _layout(name).syntax is syntax
    )


def _target(name: str, layouts: Layouts) -> Target:
    examine: Callable[[bytes], None] = layouts.examine
    return Target(name=name, examine=examine, seeds=layouts.seeds, memory_bytes=96 * MIB)


def _account_list() -> tuple[Codec, bytes]:
    """A delimited statement, as banks in China give it."""
    lines = "#,2,100.50\n20260901,D,100.00,B1,{0:012d}{1:08d},,张三,代发\n20260901,C,0.50,,,DF1.TXT,,退汇\n"
    return compile_layout(parse_layout(STATEMENT, "account-list")), lines.format(7, 1).encode("gb18030")


_DATA = (Purpose.RESULT, Purpose.REQUEST)
TARGETS = [
    _target("fixed-files", Layouts(*names_of(Syntax.FIXED, *_DATA))),
    _target("delimited-files", Layouts(*names_of(Syntax.DELIMITED, *_DATA))),
    _target("xml-files", Layouts(*names_of(Syntax.XML, *_DATA))),
    _target(
        "acknowledgements",
        Layouts(*(name for syntax in Syntax for name in names_of(syntax, Purpose.ACKNOWLEDGEMENT))),
    ),
    _target(
        "statement-files",
        Layouts(
            *names_of(Syntax.XML, Purpose.STATEMENT),
            *names_of(Syntax.DELIMITED, Purpose.STATEMENT),
            own=[_account_list()],
        ),
    ),
]
