"""Bad files, each by its name: every one has an error of its own, in lines, in blocks, in XML."""

# ruff: noqa: E501 - cases are read across

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

import pytest

from formats.codec import Codec
from formats.errors import DecodeError
from formats.registry import SHIPPED_FOLDER, Registry
from tests.formats.test_parts import CODEC as EXCHANGE
from tests.formats.test_parts import RAW as EXCHANGE_FILE
from tests.formats.test_vectors import COMMENT_REQUEST, RURAL_REQUEST
from tests.formats.test_vectors_world import NACHA_REQUEST

REGISTRY = Registry()
NAMES = "欧阳娜娜、司马相如、诸葛孔明"
FIXED = REGISTRY.get("rural-credit-request")
DELIMITED = REGISTRY.get("comment-style-request")
NACHA = REGISTRY.get("nacha-request")
RESULT = REGISTRY.get("iso20022-pain002-result")
RURAL_LINES = RURAL_REQUEST.splitlines(keepends=True)
NACHA_LINES = NACHA_REQUEST.splitlines(keepends=True)
COMMENT_LINES = COMMENT_REQUEST.splitlines(keepends=True)
(PAIN_002_FILE,) = [
    path.read_bytes()
    for path in sorted((SHIPPED_FOLDER / "vectors" / "iso20022-pain002-result").glob("*.xml"))
][:1]

Case = tuple[Codec, bytes, str, str]
CASES: dict[str, Case] = {
    "cut in the middle of a line": (FIXED, RURAL_REQUEST[:150], "file-cut", "inside a line"),
    "cut between two lines": (FIXED, RURAL_LINES[0], "file-cut", "wanted record payment"),
    "cut before the last line": (DELIMITED, b"".join(COMMENT_LINES[:-1]), "file-cut", "found the end of the file, wanted line *"),
    "cut in the middle of a record without line end": (EXCHANGE, EXCHANGE_FILE[:300], "file-cut", "172 bytes"),
    "cut in the middle of XML": (RESULT, PAIN_002_FILE[:900], "xml-cut", ""),
    "a doubled trailer": (NACHA, b"".join([*NACHA_LINES[:7], NACHA_LINES[6]]), "trailing-bytes", "more lines after the end"),
    "a doubled last line": (DELIMITED, COMMENT_REQUEST + b"*\n", "trailing-bytes", "more lines after the end"),
    "a doubled trailer without line ends": (EXCHANGE, EXCHANGE_FILE + EXCHANGE_FILE[-128:], "trailing-bytes", "more lines"),
    "wrong order": (NACHA, b"".join([*NACHA_LINES[:5], NACHA_LINES[6], NACHA_LINES[5]]), "record-unexpected", "found record file_control"),
    "a missing header": (FIXED, b"".join(RURAL_LINES[1:]), "record-unexpected", "found record payment, wanted record header"),
    "a missing header without line ends": (EXCHANGE, EXCHANGE_FILE[128:], "record-unexpected", "found record payment, wanted record header"),
    "a missing header line": (DELIMITED, b"".join(COMMENT_LINES[1:]), "record-unexpected", "wanted line #总计信息"),
    "UTF-8 in place of GB 18030": (DELIMITED, COMMENT_REQUEST.decode("gb18030").replace("养老", NAMES).encode(), "encoding", "found UTF-8"),
    "UTF-8 with its mark": (FIXED, b"\xef\xbb\xbf" + RURAL_REQUEST, "encoding", "found UTF-8"),
    "UTF-16": (FIXED, RURAL_REQUEST.decode("gb18030").encode("utf-16"), "encoding", "found UTF-16"),
    "half a character": (FIXED, RURAL_REQUEST.replace("阿".encode("gbk"), b"\x96 "), "field-invalid", "characters of"),
    "NUL bytes in a field": (FIXED, RURAL_REQUEST.replace("阿".encode("gbk"), b"\0\0"), "field-invalid", "no control characters"),
    "NUL bytes between delimiters": (DELIMITED, COMMENT_REQUEST.replace("养老".encode("gbk"), b"\0\0"), "character", ""),
    "nothing but NUL bytes": (FIXED, b"\0" * 300, "file-cut", ""),
    "NUL bytes without line ends": (EXCHANGE, b"\0" * 512, "record-framing", "wanted '0128'"),
    "NUL bytes in XML": (RESULT, PAIN_002_FILE.replace(b"<MsgId>", b"<MsgId>\0", 1), "xml-character", ""),
    "nested XML": (RESULT, PAIN_002_FILE.replace(b"<GrpHdr>", b"<a>" * 100_000 + b"<GrpHdr>", 1), "xml-limit", ""),
    "an empty file": (FIXED, b"", "file-empty", "an empty file"),
    "an empty file without line ends": (EXCHANGE, b"", "file-empty", "an empty file"),
    "an empty XML file": (RESULT, b"", "xml-empty", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_has_its_own_clear_error(name: str) -> None:
    codec, raw, code, words = CASES[name]
    with pytest.raises(DecodeError) as caught:
        list(codec.decode(io.BytesIO(raw)))
    (problem,) = caught.value.problems
    assert problem.code == code, problem.message
    assert words in problem.message


def test_what_is_a_little_like_utf8_is_read() -> None:
    """Characters whose bytes happen to be UTF-8 too: a few of them prove nothing."""
    text = COMMENT_REQUEST.decode("gb18030").replace("养老", "拢")
    assert "拢".encode("gb18030").decode("utf-8")
    assert sum(chunk.count for chunk in DELIMITED.decode(io.BytesIO(text.encode("gb18030")))) == 2


class Endless(io.RawIOBase):
    """So many bytes of one kind, behind a beginning."""

    def __init__(self, beginning: bytes, size_bytes: int) -> None:
        self._beginning, self._left = beginning, size_bytes
        self.read_bytes = 0

    def read(self, size: int = -1) -> bytes:
        found, self._beginning = self._beginning, b""
        if not found:
            found = b"2" * min(self._left, size)
            self._left -= len(found)
        self.read_bytes += len(found)
        return found


@pytest.mark.parametrize(
    ("codec", "beginning", "codes"),
    [
        (FIXED, RURAL_LINES[0], {"line-too-long"}),
        (DELIMITED, b"".join(COMMENT_LINES[:5]), {"line-too-long"}),
        (EXCHANGE, EXCHANGE_FILE[:128], {"record-framing"}),
        (RESULT, PAIN_002_FILE.partition(b"</MsgId>")[0], {"xml-limit"}),
    ],
)
def test_a_line_of_100_megabytes_is_refused_in_little_memory(
    codec: Codec, beginning: bytes, codes: set[str]
) -> None:
    source = Endless(beginning, 100_000_000)
    tracemalloc.start()
    with pytest.raises(DecodeError) as caught:
        list(codec.decode(source))  # type: ignore[arg-type]
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert {problem.code for problem in caught.value.problems} == codes
    assert peak_bytes < 16 << 20
    assert source.read_bytes < 16 << 20


SAME_MESSAGE = [
    {f"iso20022-pain002{version}-{purpose}" for purpose in ("acknowledgement", "result")}
    for version in ("", "-v03")
]
"""Two layouts of one bank for one message: of the file as a whole, and of its payments."""


def golden_files() -> list[tuple[str, Path]]:
    """A file of each layout that ships, as its bank would give it."""
    folders = sorted(path for path in (SHIPPED_FOLDER / "vectors").iterdir() if path.is_dir())
    found = []
    for folder in folders:
        files = sorted(path for path in folder.iterdir() if path.suffix not in (".json", ".md"))
        found += [(folder.name, files[0])] if files else []
    return found


@pytest.mark.parametrize(("name", "path"), golden_files(), ids=lambda each: str(getattr(each, "name", each)))
def test_the_right_file_of_the_wrong_bank_is_never_read_quietly(name: str, path: Path) -> None:
    """Read with the layout of any other bank it is an error, or problems that hold it for a person."""
    raw = path.read_bytes()
    quiet = []
    for other in REGISTRY.names():
        if other == name or {other, name} in SAME_MESSAGE:
            continue
        decoder = REGISTRY.get(other).decode(io.BytesIO(raw))
        try:
            count = sum(chunk.count for chunk in decoder)
        except DecodeError:
            continue
        if not decoder.problems:
            quiet.append((other, count))
    assert quiet == []
