"""`LAYOUT.codes`: the codes that a bank's paper lists, one a line, to be held against the layout.

    [outcome]
    00                 交易成功
    41                 账号不存在
    77     unmapped    other reasons            # for a person each time
    [file]
    0112               文件格式错误

Columns are two or more spaces apart: the code (`blank` for blanks), then the bank's words.
`unmapped` in between says that the layout leaves the code to a person on purpose.
"""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct, field

from formats.language.table import split_cells
from formats.records import Problem

SUFFIX = ".codes"
OUTCOME, FILE = "outcome", "file"
_UNMAPPED = "unmapped"


class DeclaredCode(Struct, frozen=True):
    """One code of the paper."""

    code: str
    line: int
    unmapped: bool = False


class Declared(Struct, kw_only=True):
    """The lists of one layout; `source` is the file's name."""

    source: str
    codes: dict[str, list[DeclaredCode]] = field(default_factory=dict)

    def of(self, table: str) -> list[DeclaredCode]:
        """Codes of payments (`outcome`) or of whole files (`file`)."""
        return self.codes.get(table, [])


def read_declared(path: Path) -> tuple[Declared | None, list[Problem]]:
    """The lists, None where there is no such file, and what is wrong in it."""
    if not path.is_file():
        return None, []
    declared = Declared(source=path.name)
    problems: list[Problem] = []
    table = OUTCOME
    for number, line in enumerate(path.read_bytes().decode("utf-8", "replace").split("\n"), start=1):
        cells, _ = split_cells(line)
        if not cells:
            continue
        if cells[0] in (f"[{OUTCOME}]", f"[{FILE}]"):
            table = cells[0].strip("[]")
            continue
        code = "" if cells[0] == "blank" else cells[0].strip('"')
        known = declared.codes.setdefault(table, [])
        if any(other.code == code for other in known):
            message = f"{path.name} line {number}: {cells[0]} is listed twice"
            problems.append(Problem(code="codes-file", message=message, source=path.name, line=number))
        known.append(DeclaredCode(code, number, unmapped=_UNMAPPED in cells[1:2]))
    return declared, problems
