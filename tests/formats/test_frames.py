"""Header and signature blocks around a body: written as by hand, by construct too, refused when damaged."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formats.errors import DecodeError, EncodeError, LayoutError
from formats.flat.frames import FramedCodec, describe
from formats.language.layout import parse_layout, read_layout
from formats.reasons import Reason, Status
from formats.records import RecordChunk
from formats.registry import SHIPPED_FOLDER, Registry, compile_layout
from tests.formats.samples import ACCOUNT_ONE, ACCOUNT_TWO, decode, identity, request_chunk

REGISTRY = Registry()
PROFILE = {
    "sender": "313463000993",
    "sender_system": "BEPS",
    "receiver": "102100099996",
    "receiver_system": "BEPS",
    "reply_days": "01",
    "purpose": "00402",
}
HEADER = (
    b"{H:02313463000993  BEPS102100099996  BEPS20260102093000XML"
    b"beps.382.001.01     00000000000000000007                    3U         }\r\n"
)
TEXT = (SHIPPED_FOLDER / "xml-block-pay-request.toml").read_text("utf-8")
SIGNATURE = base64.b64encode(bytes(range(200))).decode()


def request() -> FramedCodec:
    codec = REGISTRY.get("xml-block-pay-request")
    assert isinstance(codec, FramedCodec)
    return codec


def encoded(codec: Any = None, **changes: Any) -> bytes:
    ours = identity(profile=PROFILE, **changes)
    columns = {**request_chunk().columns, "attempt.item": [1, 2]}
    return b"".join(
        (codec or request()).encode(ours, [RecordChunk(record="payment", count=2, columns=columns)])
    )


def test_the_header_block_is_written_as_by_hand() -> None:
    raw = encoded()
    assert raw[:132] == HEADER
    assert raw[132:].startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:cnaps')


def test_construct_sees_the_same_header() -> None:
    layout = read_layout(SHIPPED_FOLDER / "xml-block-pay-request.toml")
    parsed = describe(layout).parse(encoded())
    assert parsed["发起方"] == b"313463000993  "
    assert parsed["报文标识号"] == b"00000000000000000007"
    fields = {name: value for name, value in parsed.items() if not name.startswith("_")}
    assert describe(layout).build(fields) == HEADER


def test_an_unsigned_file_is_read_back() -> None:
    columns, facts, problems = decode(request(), encoded())
    assert problems == []
    assert columns["payment"]["payment.account"] == [ACCOUNT_ONE, ACCOUNT_TWO]
    assert columns["payment"]["attempt.reference"] == ["0000000700000001", "0000000700000002"]
    assert facts["profile.sender"] == "313463000993"
    assert (facts["frame.signature"], facts["frame.body_offset"]) == ("", 132)


@pytest.mark.parametrize("form", ["line", "wrapped"])
def test_a_signature_block_goes_between_header_and_body(form: str) -> None:
    codec = compile_layout(parse_layout(TEXT.replace('"line"', f'"{form}"'), "framed"))
    assert isinstance(codec, FramedCodec)
    raw = encoded(codec)
    signed = codec.signed(raw[:132], SIGNATURE) + raw[132:]
    assert signed.count(b"\r\n") == (2 if form == "line" else 5)
    columns, facts, problems = decode(codec, signed)
    assert (problems, facts["frame.signature"]) == ([], SIGNATURE)
    assert signed[facts["frame.body_offset"] :] == raw[132:]
    assert columns["payment"]["payment.amount"] == [150_000, 50]


def test_a_required_signature_is_missed() -> None:
    text = TEXT.replace('signature    = "line"', 'signature    = "line"\nrequired = true')
    codec = compile_layout(parse_layout(text, "framed"))
    with pytest.raises(DecodeError) as caught:
        decode(codec, encoded(codec))
    assert caught.value.problems[0].code == "frame-signature"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "frame-header"),
        (HEADER[:100], "frame-header"),
        (HEADER.replace(b"\r\n", b"  "), "frame-header"),
        (HEADER.replace(b"{H:", b"{I:"), "frame-header"),
        (HEADER + b"{S:" + b"A" * 100_000, "frame-signature"),
        (HEADER + b"{S:not base64!}\r\n", "frame-signature"),
        (HEADER + b"{S:AAAA}", "frame-signature"),
        (HEADER.replace(b"20260102", b"20261302"), "field-invalid"),
        (HEADER, "xml-empty"),
    ],
)
def test_a_damaged_block_is_refused(raw: bytes, code: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(request(), raw)
    assert caught.value.problems[0].code == code


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 200), st.booleans())
def test_any_bytes_give_records_or_a_decode_error(noise: bytes, place: int, behind: bool) -> None:
    whole = encoded()
    raw = whole[:place] + noise + (whole[place:] if behind else b"")
    decoder = request().decode(io.BytesIO(raw))
    try:
        count = sum(chunk.count for chunk in decoder)
    except DecodeError as refusal:
        count = -len(refusal.problems)
    assert count in (2, -1)


def test_another_constant_in_the_header_is_told_and_the_records_kept() -> None:
    raw = encoded().replace(b"beps.382", b"beps.383", 1)
    columns, _, problems = decode(request(), raw, identity(profile=PROFILE))
    wanted = (
        "DF20260102.TXT line 1 bytes 59-78 frame 报文类型: found 'beps.383.001.01', wanted 'beps.382.001.01'"
    )
    assert [problem.message for problem in problems] == [wanted]
    assert len(columns["payment"]["payment.amount"]) == 2
    _, _, problems = decode(request(), encoded(), identity(profile=PROFILE | {"sender": "9"}))
    assert [problem.code for problem in problems] == ["identity-differs"]


def test_a_value_that_the_header_cannot_hold_is_refused() -> None:
    with pytest.raises(EncodeError) as caught:
        b"".join(request().encode(identity(profile=PROFILE | {"sender": "1" * 15}), []))
    assert caught.value.problems[0].column == "发起方"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('!"{H:"', '"{H:"', "frame"),
        ("record_bytes = 130", "record_bytes = 126", "record-bytes"),
        ('signature    = "line"', 'signature    = "lines"', "frame"),
        ('signed       = "body"', 'signed       = "all"', "frame"),
        ("profile.sender  ", "payment.account  ", "frame"),
        ("file.sequence                 @79", "= count(payment)              @79", "frame"),
        ("@20", "@21", "offset"),
    ],
)
def test_mistakes_of_a_frame_are_found(old: str, new: str, code: str) -> None:
    assert old in TEXT
    with pytest.raises(LayoutError) as caught:
        parse_layout(TEXT.replace(old, new, 1), "bad")
    assert code in [problem.code for problem in caught.value.problems]
    assert all(problem.line is not None for problem in caught.value.problems)


def test_an_answer_says_what_became_of_the_file_and_of_each_payment() -> None:
    codec = REGISTRY.get("xml-block-pay-result")
    columns: dict[str, list[Any]] = {
        "attempt.reference": ["0000000700000001", "0000000700000002"],
        "payment.account": [ACCOUNT_ONE, ACCOUNT_TWO],
        "payment.payee_name": ["阿依古丽·买买提", "東䶮"],
        "outcome.amount": [150_000, 50],
        "outcome.code": ["PR00", "PR09/1043"],
        "outcome.bank_text": ["", "户名不符"],
    }
    chunk = RecordChunk(record="payment", count=2, columns=columns)
    ours = identity(profile=PROFILE, code="PR00", original_message_id="M0007")
    raw = b"".join(codec.encode(ours, [chunk]))
    read, facts, problems = decode(codec, raw)
    assert problems == []
    assert {name: read["payment"][name] for name in columns} == columns
    assert read["payment"]["outcome.status"] == [Status.CREDITED, Status.FAILED]
    assert read["payment"]["outcome.reason"] == [Reason.NONE, Reason.NAME_MISMATCH]
    assert (facts["file.code"], facts["file.original_message_id"]) == ("PR00", "M0007")
    assert facts["declared"]["count(payment where status in credited)"] == 1
    wrong = raw.replace(b"<SndTtlNb>1</SndTtlNb>", b"<SndTtlNb>2</SndTtlNb>")
    assert [problem.code for problem in decode(codec, wrong)[2]] == ["total-differs"]
