"""The examples of docs/layouts.md are layouts that load and work together."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from formats.codec import Purpose
from formats.records import RecordChunk
from formats.registry import Registry, load_layout
from tests.formats.samples import decode, identity, request_chunk

PAGE = (Path(__file__).parents[2] / "docs" / "layouts.md").read_text("utf-8")
LAYOUTS = {text.split('"')[1]: text for text in re.findall(r"```toml\n(layout .*?)```", PAGE, re.DOTALL)}
CODE = re.findall(r"```python\n(.*?)```", PAGE, re.S)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in LAYOUTS.items():
        (tmp_path / f"{name}.toml").write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_example_loads(folder: Path) -> None:
    assert {name: load_layout(folder / f"{name}.toml").purpose for name in LAYOUTS} == {
        "example-request": Purpose.REQUEST,
        "example-result": Purpose.RESULT,
    }


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
