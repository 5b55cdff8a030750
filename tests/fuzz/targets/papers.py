"""Tables of papers: any bytes are a table or a refusal, and no draft of one loads by itself."""

from __future__ import annotations

import tempfile
from pathlib import Path

from formats.codec import Purpose
from formats.drafts.draft import DraftOrder, draft_layout
from formats.drafts.paper import read_paper
from formats.errors import LayoutError
from formats.language.layout import parse_layout
from tests.docs.paper import paper_bytes
from tests.fuzz.target import MIB, Target

_ORDER = DraftOrder(name="town-result", purpose=Purpose.RESULT, source="paper", answers="town-request")
_TABLE = """名称,长度,类型,必输,备注
记录标志,1,C,M,固定“2”
账号,20,C(20),M,
金额,"16,2",N,M,单位：分
返回码,4,C,M,0-成功;1-失败
"""


def examine(content: bytes) -> None:
    """A draft of any bytes is refused as a layout; what is no table is a `LayoutError`."""
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        file.write(content)
        file.flush()
        try:
            draft = draft_layout(read_paper(Path(file.name)), _ORDER)
        except LayoutError as error:
            assert error.problems
            return
    try:
        parse_layout(draft.text, "draft")
    except LayoutError as error:
        assert error.problems
    else:
        raise AssertionError("a draft loaded")


def seeds() -> list[bytes]:
    """A table as CSV in two encodings, and a workbook."""
    return [_TABLE.encode(), _TABLE.encode("gb18030"), paper_bytes()]


TARGETS = [Target(name="papers", examine=examine, seeds=seeds, memory_bytes=128 * MIB, changes=250)]
