"""What a bank permits in texts, and every change that is made for it."""

from __future__ import annotations

import pytest

from formats.characters import Alphabet, read_permitted, read_substitution
from formats.errors import EncodeError, LayoutError
from formats.language.layout import parse_layout
from formats.records import RecordChunk, Severity
from formats.registry import SHIPPED_FOLDER, compile_layout
from tests.formats.samples import decode, encode, request_chunk

CHARACTERS = """
[characters]
permitted  = "U+3400-U+9FFF A-Z 0-9 # * | space . U+20000-U+2FFFF"
substitute = '''
a-z   A-Z            # capitals
·     .
ß     SS
'''
"""
NAMES = ("comment-style-request", "rural-credit-request", "iso20022-pain001-request")


def text_of(name: str, characters: str = CHARACTERS) -> str:
    text = (SHIPPED_FOLDER / f"{name}.toml").read_text("utf-8")
    return text + characters


def chunk() -> RecordChunk:
    made = request_chunk(**{"payment.payee_name": ["阿依古丽·买买提", "Strauß"]})
    made.columns["payment.payment_id"] = ["P1", "P2"]
    made.columns["attempt.item"] = [1, 2]
    return made


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_permitted_is_refused_and_nothing_is_changed_silently(name: str) -> None:
    codec = compile_layout(parse_layout(text_of(name), name))
    found = [(one.code, one.line, one.payment_id) for one in codec.problems(chunk())]
    assert len(found) == 2
    assert {line for _, line, _ in found} == {1, 2}
    agreement = {"payer_name": "财政局", "payer_account": "1", "payer_bank_code": "102100099996"}
    more = {"payer_bank": "农商行", "business_no": "000017", "unit_no": "SD0902"}
    with pytest.raises(EncodeError):
        encode(codec, [chunk()], agreement=agreement | more)


@pytest.mark.parametrize("name", NAMES)
def test_every_change_is_told_and_what_is_written_comes_back(name: str) -> None:
    codec = compile_layout(parse_layout(text_of(name), name))
    ours = chunk()
    written, changes = codec.substitute(ours)
    assert written.columns["payment.payee_name"] == ["阿依古丽.买买提", "STRAUSS"]
    assert ours.columns["payment.payee_name"] == ["阿依古丽·买买提", "Strauß"]
    told = [(one.line, one.found, one.payment_id, one.severity) for one in changes]
    assert told == [(1, "·", "P1", Severity.WARNS), (2, "artuß", "P2", Severity.WARNS)]
    assert changes[1].wanted == "A for a, R for r, T for t, U for u, SS for ß"
    agreement = {"payer_name": "财政局", "payer_account": "1", "payer_bank_code": "102100099996"}
    more = {"payer_bank": "农商行", "business_no": "000017", "unit_no": "SD0902"}
    columns, _, _ = decode(codec, encode(codec, [written], agreement=agreement | more))
    assert columns["payment"]["payment.payee_name"] == ["阿依古丽.买买提", "STRAUSS"]


def test_texts_of_the_file_must_be_permitted_too() -> None:
    codec = compile_layout(parse_layout(text_of("rural-credit-request"), "x"))
    written, _ = codec.substitute(chunk())
    agreement = {"payer_name": "a", "payer_account": "1", "business_no": "000017", "unit_no": "SD0902"}
    with pytest.raises(EncodeError) as caught:
        encode(codec, [written], agreement=agreement)
    assert [(one.code, one.column) for one in caught.value.problems] == [("character", "付款户名")]


def test_without_a_table_the_chunk_is_the_same() -> None:
    codec = compile_layout(parse_layout(text_of("rural-credit-request", ""), "x"))
    ours = chunk()
    same, changes = codec.substitute(ours)
    assert (same is ours, changes) == (True, [])


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("A-Z 0-9", "Z-A 0-9", "permitted"),
        ("A-Z 0-9", "A-Z digits", "permitted"),
        ("a-z   A-Z ", "a-z   A-Y ", "substitution"),
        ("a-z   A-Z ", "z-a   A-Z ", "substitution"),
        ("ß     SS", "ß", "substitution"),
        ("ß     SS", "ß     ss", "substitution"),
        ("ß     SS", "A     B", "substitution"),
        ("ß     SS", "a     A", "substitution"),
        ("0-9 # * | space", "# * | space", "constant"),
        ("permitted ", "allowed ", "key-unknown"),
    ],
)
def test_mistakes_are_found(old: str, new: str, code: str) -> None:
    text = text_of("comment-style-request").replace(old, new, 1)
    with pytest.raises(LayoutError) as caught:
        parse_layout(text, "bad")
    assert code in [problem.code for problem in caught.value.problems]


def test_words_of_permitted() -> None:
    assert read_permitted("A-C space U+00B7 - ]")[1] == []
    alphabet = Alphabet(read_permitted("A-C space U+00B7 - ] ^ \\")[0])
    assert alphabet.permits("AB C\u00b7-]^\\")
    assert not alphabet.permits("D")
    assert read_permitted("AB")[1] == ["AB"]
    assert read_substitution(["a", "b", "c"], 1) is None
