"""The examples of docs/layouts.md are layouts that load and work together."""

from __future__ import annotations

import io
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from formats.codec import Codec, Purpose
from formats.reasons import Reason, Status
from formats.records import RecordChunk
from formats.registry import Registry, load_layout
from tests.formats.samples import decode, identity, request_chunk

PAGE = (Path(__file__).parents[2] / "docs" / "layouts.md").read_text("utf-8")
LAYOUTS = {
    text.split('"')[1]: text
    for text in re.findall(r"```toml\n(layout .*?)```", PAGE, re.DOTALL)
    if "\nchoose " not in text
}
(CHOICE,) = re.findall(r"```toml\n(layout [^`]*\nchoose .*?)```", PAGE, re.DOTALL)
(FRAME,) = re.findall(r"```toml\n(\[frame\].*?)```", PAGE, re.DOTALL)
FILES = {
    text.split('"')[1]: file
    for text, file in re.findall(r"```toml\n(layout (?:(?!```).)*)```\n\n```file\n(.*?)```", PAGE, re.DOTALL)
}
CODE = re.findall(r"```python\n(.*?)```", PAGE, re.S)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in LAYOUTS.items():
        (tmp_path / f"{name}.toml").write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def bytes_of(name: str, codec: Codec) -> bytes:
    """The file as it stands on the page, in the layout's encoding and with its line ends."""
    text = FILES[name]
    if name == "example-blocks":
        return text.rstrip("\n").encode("ascii")
    if name == "example-lots":
        return text.replace("\n", "\r\n").encode("ascii")
    return text.encode(codec.encoding)


def all_chunks(codec: Codec, raw: bytes) -> tuple[list[RecordChunk], Any]:
    decoder = codec.decode(io.BytesIO(raw))
    return list(decoder), decoder


def test_every_example_loads(folder: Path) -> None:
    purposes = {name: load_layout(folder / f"{name}.toml").purpose for name in LAYOUTS}
    assert purposes == {
        "example-request": Purpose.REQUEST,
        "example-lots": Purpose.REQUEST,
        "example-kinds": Purpose.RESULT,
        "example-answers": Purpose.RESULT,
        "example-blocks": Purpose.REQUEST,
        "example-result": Purpose.RESULT,
        "example-successes": Purpose.RESULT,
        "example-failures": Purpose.RESULT,
        "example-statement": Purpose.STATEMENT,
    }


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_read_and_written_again(folder: Path, name: str) -> None:
    codec = load_layout(folder / f"{name}.toml")
    raw = bytes_of(name, codec)
    chunks, decoder = all_chunks(codec, raw)
    assert decoder.problems == []
    payments = [chunk for chunk in chunks if chunk.record == "payment"]
    count, total_minor = sum(chunk.count for chunk in payments), 0
    for chunk in payments:
        total_minor += sum(chunk.columns.get("payment.amount", ()))
    if name == "example-failures":
        count, total_minor = 2, 150_050
    profile = {
        key.removeprefix("profile."): value for key, value in decoder.facts.items() if "profile" in key
    }
    said = str(decoder.facts.get("file.code", ""))
    ours = identity(count=count, total_minor=total_minor, profile=profile, code=said)
    if name == "example-answers":
        # Rows of two kinds come in two chunks: each is written whole, one kind after the other.
        chunks = [chunk for chunk in chunks if chunk.record == "payment"]
        kept = [
            line for line in raw.split(b"\n") if line[:9] in (b"687654321", b"687654323") or line[:2] == b"79"
        ]
        trailer = b"9000004000000001000"
        raw = b"\n".join([*kept, trailer, b""])
    assert b"".join(codec.encode(ours, chunks)) == raw


def test_the_python_example_writes_a_file(folder: Path) -> None:
    (code,) = CODE
    names = {"identity": identity(), "chunks": [request_chunk()]}
    exec(compile(code, "docs/layouts.md", "exec"), names)
    raw = b"".join(names["blocks"])
    assert raw.decode("gb18030") == (
        "1202601029020001234567890             2          1500.50\n"
        "2000000000007000000016231990000001208674    阿依古丽·买买提              1500.00\n"
        "20000000000070000000290200015550000123456789東䶮                             0.50\n"
        "*\n"
    )


def test_the_result_example_reads_what_a_bank_writes(folder: Path) -> None:
    raw = "#any\r\n#thing\r\n00000000000700000001|6231|王東|1,500.00元|00|||\r\n*\r\n".encode("gb18030")
    columns, _, problems = decode(Registry([folder]).get("example-result"), raw)
    assert columns["payment"]["outcome.amount"] == [150_000]
    assert columns["payment"]["fee.amount"] == [None]
    assert problems == []


def test_a_kept_layout_reads_the_same(folder: Path) -> None:
    registry = Registry([folder])
    codec = registry.get("example-request")
    kept = registry.from_text(registry.source_text("example-request"), "example-request")
    assert kept.digest == codec.digest
    raw = b"".join(codec.encode(identity(), [request_chunk()]))
    chunks = list(kept.decode(io.BytesIO(raw)))
    assert [isinstance(chunk, RecordChunk) and chunk.count for chunk in chunks] == [2]


def test_rows_of_scopes_are_one_stream_with_their_scope(folder: Path) -> None:
    codec = load_layout(folder / "example-lots.toml")
    (chunk,), _ = all_chunks(codec, bytes_of("example-lots", codec))
    assert chunk.columns["payment.bank_code"] == ["7199276"] * 3
    assert chunk.columns["payment.payee_name"] == ["ANA SOUZA", "", ""]
    assert chunk.columns["group.kind"] == ["PAYROLL", "PAYROLL", "PENSION"]
    assert chunk.columns["group.item"] == [1, 1, 2]
    assert chunk.columns["item.currency"] == ["R", "X", "R"]
    assert list(chunk.lines) == [3, 5, 8]


def test_kinds_are_values(folder: Path) -> None:
    codec = load_layout(folder / "example-kinds.toml")
    (chunk,), decoder = all_chunks(codec, bytes_of("example-kinds", codec))
    assert chunk.columns["payment.payee_name"] == ["李", 'O\'Neil; Ann "A"']
    assert chunk.columns["outcome.amount"] == [123_300, 150]
    assert chunk.columns["outcome.value_date"] == [date(2025, 12, 31), date(2026, 1, 2)]
    assert chunk.columns["fee.amount"] == [None, 50]
    assert decoder.facts["declared"] == {"sum(outcome.amount)": 123_450}


def test_outcomes_and_notices_come_apart(folder: Path) -> None:
    codec = load_layout(folder / "example-answers.toml")
    chunks, _ = all_chunks(codec, bytes_of("example-answers", codec))
    payment, notice = chunks
    assert (payment.record, notice.record) == ("payment", "notice")
    assert payment.columns["attempt.item"] == [1, 3]
    assert payment.columns["outcome.code"] == ["01+02", "03"]
    assert payment.columns["outcome.status"] == [Status.FAILED, Status.UNKNOWN]
    assert payment.columns["outcome.reason"] == [Reason.ACCOUNT_NOT_FOUND, Reason.IN_PROGRESS]
    assert notice.columns["attempt.item"] == [2, 4]
    assert notice.columns["notice.code"] == ["C01", "C02"]
    assert notice.columns["notice.account"] == ["87654399", "987654321"]
    assert notice.columns["notice.bank_code"] == ["", "123456789"]


def test_what_is_not_listed_is_held_against_our_file(folder: Path) -> None:
    codec = load_layout(folder / "example-failures.toml")
    raw = bytes_of("example-failures", codec)
    decoder = codec.decode(io.BytesIO(raw), identity(count=2, total_minor=150_050))
    assert sum(chunk.count for chunk in decoder) == 1
    assert (decoder.problems, decoder.facts["declared"]["count(silent)"]) == ([], 1)
    wrong = codec.decode(io.BytesIO(raw), identity(count=3, total_minor=150_050))
    assert sum(chunk.count for chunk in wrong) == 1
    assert [problem.message.partition(": ")[2] for problem in wrong.problems] == [
        "found 1 declared, wanted 2 as count(silent) of the records"
    ]


def test_a_kind_of_file_is_a_code(folder: Path) -> None:
    codec = load_layout(folder / "example-successes.toml")
    (chunk,), _ = all_chunks(codec, bytes_of("example-successes", codec))
    assert chunk.columns["outcome.status"] == [Status.CREDITED] * 2


def test_the_choice_example_chooses(folder: Path) -> None:
    result = LAYOUTS["example-result"]
    for name in ("my-bank-result-103", "my-bank-result-framed", "my-bank-result-xml", "my-bank-result-040"):
        (folder / f"{name}.toml").write_text(result.replace("example-result", name, 1), "utf-8")
    (folder / "my-bank-result.toml").write_text(CHOICE, "utf-8")
    codec = Registry([folder]).get("my-bank-result")
    raw = "00000000000700000001|6231|王東|1,500.00元|00|||\r\n*\r\n".encode("gb18030")
    assert decode(codec, raw)[0]["payment"]["outcome.amount"] == [150_000]


def test_the_frame_example_frames_a_file(folder: Path) -> None:
    text = LAYOUTS["example-request"].replace("example-request", "framed") + "\n" + FRAME
    (folder / "framed.toml").write_text(text, "utf-8")
    codec = load_layout(folder / "framed.toml")
    raw = b"".join(codec.encode(identity(profile={"sender": "SD0902"}), [request_chunk()]))
    assert raw.startswith(b"{H:SD0902   00000000000000000007}\r\n120260102")
    columns, facts, problems = decode(codec, raw)
    assert (problems, facts["frame.body_offset"]) == ([], 35)
    assert columns["payment"]["payment.amount"] == [150_000, 50]
