"""Several layouts under one name: the file tells which one it is in."""

from __future__ import annotations

from pathlib import Path

import pytest

from formats.codec import Purpose
from formats.errors import DecodeError, LayoutError
from formats.registry import SHIPPED_FOLDER, Registry, load_layout
from tests.formats.samples import decode, encode, identity, request_chunk
from tests.formats.test_vectors import COMMENT_RESULT, RURAL_RESULT, result_chunk

CHOICE = '''
layout  = "either-result"
version = "1"
purpose = "result"
answers = "rural-credit-request"
choose  = """
bytes 1-2 "1|"                                               rural-credit-result
starts "#"                                                   comment-style-result
namespace "urn:iso:std:iso:20022:tech:xsd:pain.002.001.03"   iso20022-pain002-v03-result
namespace "urn:iso:std:iso:20022:tech:xsd:pain.002.001.14"   iso20022-pain002-result
"""
'''.replace('"""', "'''")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "either-result.toml").write_text(CHOICE, "utf-8")
    return tmp_path


def test_a_file_is_read_by_the_layout_that_it_says(folder: Path) -> None:
    codec = Registry([folder]).get("either-result")
    for raw in (RURAL_RESULT, COMMENT_RESULT):
        columns, _, problems = decode(codec, raw, identity())
        assert (problems, columns["payment"]["outcome.amount"]) == ([], [150_000, 50])
    xml = Registry().get("iso20022-pain002-v03-result")
    chunk = result_chunk()
    chunk.columns["outcome.code"] = ["ACSC", "RJCT/AC01"]
    raw = encode(xml, [chunk], original_message_id="M0007")
    columns, _, _ = decode(codec, raw)
    assert columns["payment"]["outcome.code"] == ["ACSC", "RJCT/AC01"]


def test_what_is_written_is_the_first_layout(folder: Path) -> None:
    codec = load_layout(folder / "either-result.toml")
    assert codec.purpose is Purpose.RESULT
    made = encode(codec, [result_chunk()], code="AAAAAAA")
    assert made == encode(Registry().get("rural-credit-result"), [result_chunk()], code="AAAAAAA")


def test_a_file_of_no_layout_is_refused(folder: Path) -> None:
    codec = Registry([folder]).get("either-result")
    for raw in (b"", b"x" * 100_000, b"<Document/>"):
        with pytest.raises(DecodeError) as caught:
            decode(codec, raw)
        assert caught.value.problems[0].code == "choice"


def test_a_kept_choice_holds_the_layouts_it_names(folder: Path) -> None:
    """A result is read with the layouts of the day its file was made, whatever they are today."""
    registry = Registry([folder])
    codec, text = registry.get("either-result"), registry.source_text("either-result")
    other = (
        (SHIPPED_FOLDER / "rural-credit-result.toml")
        .read_text("utf-8")
        .replace("AAAAAAA   credited", "AAAAAAB   credited")
    )
    (folder / "rural-credit-result.toml").write_text(other, "utf-8")
    kept = Registry([folder]).from_text(text, "either-result")
    assert kept.digest == codec.digest
    assert Registry([folder]).get("either-result").digest != codec.digest
    assert decode(kept, RURAL_RESULT)[0]["payment"]["outcome.status"] == ["credited", "failed"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("comment-style-result", "no-such-layout"),
        ("comment-style-result", "comment-style-request"),
        ("comment-style-result", "either-result"),
        ('bytes 1-2 "1|"', 'bytes 1-3 "1|"'),
        ('starts "#" ', "otherwise "),
        ('starts "#" ', 'ends "#" '),
        ('purpose = "result"', 'purpose = "results"'),
        ('answers = "rural-credit-request"', 'syntax = "fixed"'),
    ],
)
def test_mistakes_of_a_choice_are_found(folder: Path, old: str, new: str) -> None:
    assert old in CHOICE
    (folder / "either-result.toml").write_text(CHOICE.replace(old, new, 1), "utf-8")
    with pytest.raises(LayoutError) as caught:
        Registry([folder]).get("either-result")
    assert caught.value.problems
    assert request_chunk().count == 2
