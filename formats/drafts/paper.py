"""The table of a bank's paper, read from CSV or XLSX as it comes: headers in Chinese or English, merged
cells, titles between tables, remarks that go on in the next row, full-width digits.

What is read is what stands there; what it means is guessed in `meanings.py`. A number cell is the
number that the sheet shows (`20`, `16.2`).
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path

import python_calamine
from msgspec import Struct

from formats.errors import LayoutError
from formats.records import Problem
from formats.standard.workbook import ARCHIVE_ERRORS, look_before

LARGEST_FILE_BYTES = 8 << 20
MOST_ROWS = 20_000
MOST_COLUMNS = 100

_FAR_ROW = re.compile(rb'r=["\'][A-Z]{0,2}(?:[2-9][0-9]{4}|[1-9][0-9]{5,})["\']')
_BLANKS = re.compile(r"\s+")
_BRACKETS = re.compile(r"[(\[【][^)\]】]*[)\]】]")
"""Behind a heading: 是否必输(M/O)."""
_SIGNS = re.compile(r"[\s<>()\[\]【】:*?./_\-]+")


class Heading(StrEnum):
    """What a column of the paper holds."""

    NAME = "name"
    OTHER_NAME = "other name"
    LENGTH = "length"
    TYPE = "type"
    REQUIRED = "required"
    MAY_BE_EMPTY = "may be empty"
    REMARK = "remark"
    START = "start"
    ORDER = "order"
    TAG = "tag"
    LEVEL = "level"
    OCCURS = "occurs"


_HEADINGS: dict[Heading, str] = {
    Heading.NAME: """名称 字段名 字段名称 字段 域名 域名称 域 数据项 数据项名称 数据元 项目 项目名称
        中文名 中文名称 字段中文名 含义 字段含义 报文要素 name field fieldname item itemname element""",
    Heading.OTHER_NAME: """英文名 英文名称 变量名 标识 字段标识 字段英文名 english englishname identifier
        variable""",
    Heading.LENGTH: """长度 字段长度 位数 字节数 字节长度 最大长度 宽度 长度字节 length len size width bytes
        maxlength""",
    Heading.TYPE: """类型 数据类型 字段类型 格式 数据格式 类型长度 类型及长度 字段格式 type datatype format
        kind picture pic""",
    Heading.REQUIRED: """必输 必填 是否必输 是否必填 必选 是否必选 必输项 约束 属性 要求 出现要求 mo moc
        required mandatory presence usage""",
    Heading.MAY_BE_EMPTY: "可空 是否可空 是否为空 允许空 可选 是否可选 optional nullable",
    Heading.REMARK: """备注 说明 取值 取值说明 描述 备注说明 字段说明 取值范围 注释 填写说明 remark remarks
        note notes comment comments description values""",
    Heading.START: """起始 起始位 起始位置 开始位置 位置 起止位置 起始字节 偏移 偏移量 start position pos
        offset from begin startposition""",
    Heading.ORDER: "序号 编号 顺序 序 no seq number",
    Heading.TAG: """标签 标签名 标签名称 xml标签 xml标签名 xml元素 xml元素名 报文标签 元素名 元素名称
        路径 元素路径 标签路径 报文路径 xml路径 tag tagname xmltag xmlelement elementname
        path xpath xmlpath elementpath""",
    Heading.LEVEL: "层级 层次 级别 层 level depth",
    Heading.OCCURS: """属性 出现次数 次数 重复次数 重复 多重性 基数 occurs occurrence occurrences
        mult multiplicity cardinality""",
}
_TITLE_WORDS = {"中文名", "中文名称", "字段中文名", "含义", "字段含义"}
"""Of two columns with names the one that holds what the paper calls a field."""

_BY_WORD = {word: heading for heading, words in _HEADINGS.items() for word in words.split()}


class PaperRow(Struct, frozen=True, kw_only=True):
    """One line of the paper: a field. `place` is where it stands there, for whoever compares."""

    place: str
    name: str
    other_name: str = ""
    length: str = ""
    type: str = ""
    required: str = ""
    may_be_empty: str = ""
    remark: str = ""
    start: str = ""
    tag: str = ""
    """Of an XML element: its tag or path, with what stands before it to show how deep it is."""
    level: str = ""
    occurs: str = ""


class PaperTable(Struct, frozen=True):
    """One record of the paper; `title` is what stands above it, or the sheet's name."""

    title: str
    rows: tuple[PaperRow, ...]


class Paper(Struct, frozen=True):
    """What was read: tables, and every other text, for what it says of encoding and line ends."""

    tables: tuple[PaperTable, ...]
    texts: tuple[str, ...]
    sentences: tuple[str, ...] = ()
    """Of the texts those outside the tables: titles and notes."""
    unread_columns: tuple[str, ...] = ()
    """Headings that are not known, hence columns of which nothing was taken."""


class _Sheet(Struct):
    name: str
    rows: list[list[str]]


def plain(text: str) -> str:
    """Full-width letters, digits and signs made narrow, blanks made one."""
    return _BLANKS.sub(" ", unicodedata.normalize("NFKC", text)).strip()


def read_paper(path: Path, sheet_names: Sequence[str] = ()) -> Paper:
    """The tables of a CSV file (UTF-8 or GB 18030), or of the named sheets (else all) of a workbook.

    Raises `LayoutError` where there is no table or no such sheet, `OSError`.
    """
    if path.stat().st_size > LARGEST_FILE_BYTES:
        raise _refused(path, f"more than {LARGEST_FILE_BYTES >> 20} MiB", "a table of fields is small")
    raw = path.read_bytes()
    sheets = _workbook(path, raw) if raw.startswith(b"PK") else [_Sheet("", _csv_rows(path, raw))]
    missing = [name for name in sheet_names if name not in [sheet.name for sheet in sheets]]
    if missing:
        hint = f"there are {', '.join(sheet.name for sheet in sheets)}"
        raise _refused(path, f"no sheet {missing[0]}", hint)
    readers = [_SheetReader(sheet) for sheet in sheets if not sheet_names or sheet.name in sheet_names]
    tables_by_sheet = {reader.name: reader.tables() for reader in readers}
    with_tables = [name for name, found in tables_by_sheet.items() if found]
    if len(with_tables) > 1 and not sheet_names:
        # A request and its answer in one draft would be one file of both.
        found = f"{len(sheets)} sheets, {len(with_tables)} with tables"
        raise _refused(path, found, f"choose with --sheet those of one file: {', '.join(with_tables)}")
    tables = [table for found in tables_by_sheet.values() for table in found]
    if not tables:
        hint = "a row with headings such as 名称 长度 类型 必输 备注, or name length type required remark"
        raise _refused(path, "no table of fields", hint)
    return Paper(
        tuple(tables),
        tuple(text for reader in readers for text in reader.texts),
        tuple(text for reader in readers for text in reader.sentences),
        tuple(dict.fromkeys(heading for reader in readers for heading in reader.unread)),
    )


def _refused(path: Path, found: str, hint: str) -> LayoutError:
    message = f"{path.name}: {found}"
    return LayoutError([Problem(code="paper", message=message, source=path.name, hint=hint)])


def _csv_rows(path: Path, raw: bytes) -> list[list[str]]:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        try:
            return _divided(text)
        except csv.Error as error:
            raise _refused(path, f"no readable CSV: {error}", "save it as CSV UTF-8") from error
    raise _refused(path, "neither UTF-8 nor GB 18030", "save it as CSV UTF-8")


def _divided(text: str) -> list[list[str]]:
    """The cells, by the delimiter with which there is a row of headings, else by the commonest one."""
    delimiters = sorted(",;\t", key=text[:4096].count, reverse=True)
    divided = (
        list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))[:MOST_ROWS]
        for delimiter in delimiters
    )
    first = next(divided)
    found = (rows for rows in (first, *divided) if any(map(_headings, rows)))
    return next(found, first)


def _workbook(path: Path, raw: bytes) -> list[_Sheet]:
    try:
        found = look_before(raw, _FAR_ROW, MOST_ROWS)
        if found:
            raise _refused(path, found, "a table of fields is small: delete what lies far off")
        workbook = python_calamine.load_workbook(io.BytesIO(raw))
        sheets = [workbook.get_sheet_by_name(name) for name in workbook.sheet_names]
        return [_Sheet(sheet.name, _sheet_rows(sheet)) for sheet in sheets]
    except (python_calamine.CalamineError, *ARCHIVE_ERRORS) as error:
        hint = "save it as XLSX without a password, or as CSV"
        raise _refused(path, f"no readable workbook: {type(error).__name__}", hint) from error


def _sheet_rows(sheet: python_calamine.CalamineSheet) -> list[list[str]]:
    """The cells as texts; what is merged downwards stands in each of its rows."""
    rows = [[_cell(cell) for cell in row[:MOST_COLUMNS]] for row in sheet.to_python(skip_empty_area=False)]
    for (top, left), (bottom, _) in sheet.merged_cell_ranges or ():
        if top < len(rows) and left < len(rows[top]):
            for row in rows[top + 1 : bottom + 1]:
                row[left] = rows[top][left]
    return rows


def _cell(value: object) -> str:
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    return str(value)


class _SheetReader:
    """Reads one sheet from top to bottom: titles, headings, fields."""

    def __init__(self, sheet: _Sheet) -> None:
        self._sheet = sheet
        self.name = sheet.name
        self.texts: list[str] = []
        self.sentences: list[str] = []
        self.unread: list[str] = []
        self._columns: dict[Heading, int] = {}
        self._title = ""
        self._tag = ""
        self._rows: list[PaperRow] = []
        self._tables: list[PaperTable] = []

    def tables(self) -> list[PaperTable]:
        """Every table of the sheet."""
        for number, cells in enumerate(self._sheet.rows, 1):
            tag_at = self._columns.get(Heading.TAG, -1)
            self._tag = cells[tag_at].rstrip() if 0 <= tag_at < len(cells) else ""
            self._take(number, [_BLANKS.sub(" ", cell).strip() for cell in cells])
        self._finish()
        return self._tables

    def _take(self, number: int, cells: list[str]) -> None:
        found = list(dict.fromkeys(filter(None, cells)))
        if not found:
            return
        columns = _headings(cells)
        if columns:
            self._finish()
            self._columns = columns
            known = {place for place, _ in _named(cells)}
            self.unread += [cell for place, cell in enumerate(cells) if cell and place not in known]
            return
        row = self._row(number, cells)
        if len(found) == 1 and (row is None or not (row.length or row.type or row.tag)):
            # One text in a row is a title, or a remark that goes on.
            remark_at = self._columns.get(Heading.REMARK)
            if self._rows and remark_at is not None and remark_at < len(cells) and cells[remark_at]:
                self._go_on(found[0])
                return
            self._finish()
            self._title = found[0]
            self._say(found[0])
        elif row is not None and self._is_rest(row):
            self._go_on(row.remark)
        elif row is not None:
            self._rows.append(row)
        elif self._columns and self._rows:
            self._go_on(" ".join(found))
        else:
            self._say(" ".join(found))

    def _say(self, text: str) -> None:
        """A text outside the tables."""
        self.texts.append(plain(text))
        self.sentences.append(plain(text))

    def _is_rest(self, row: PaperRow) -> bool:
        """Whether a row is a remark that goes on beside a name that is merged downwards."""
        is_bare = not (row.length or row.type or row.tag or row.start or row.required)
        return bool(self._rows) and row.name == self._rows[-1].name and bool(row.remark) and is_bare

    def _row(self, number: int, cells: Sequence[str]) -> PaperRow | None:
        values = {
            heading: cells[place] if place < len(cells) else "" for heading, place in self._columns.items()
        }
        tag = values.get(Heading.TAG, "")
        name = values.get(Heading.NAME, "") or values.get(Heading.OTHER_NAME, "") or tag
        if not name:
            return None
        sheet = f"{self._sheet.name} " if self._sheet.name else ""
        self.texts.append(plain(values.get(Heading.REMARK, "")))
        return PaperRow(
            place=f"{sheet}row {number}",
            name=name.lstrip("*").strip(),
            other_name=values.get(Heading.OTHER_NAME, ""),
            length=plain(values.get(Heading.LENGTH, "")),
            type=plain(values.get(Heading.TYPE, "")),
            required=plain(values.get(Heading.REQUIRED, "")),
            may_be_empty=plain(values.get(Heading.MAY_BE_EMPTY, "")),
            remark=plain(values.get(Heading.REMARK, "")),
            start=plain(values.get(Heading.START, "")),
            tag=unicodedata.normalize("NFKC", self._tag) if tag else "",
            level=plain(values.get(Heading.LEVEL, "")),
            occurs=plain(values.get(Heading.OCCURS, "")),
        )

    def _go_on(self, text: str) -> None:
        """A remark that goes on in the next row."""
        *rest, last = self._rows
        whole = plain(f"{last.remark} {text}")
        changed = {name: getattr(last, name) for name in PaperRow.__struct_fields__} | {"remark": whole}
        self._rows = [*rest, PaperRow(**changed)]
        self.texts.append(plain(text))

    def _finish(self) -> None:
        if self._rows:
            self._tables.append(PaperTable(self._title or self._sheet.name, tuple(self._rows)))
            self._title = ""
        self._rows = []


def _headings(cells: Sequence[str]) -> dict[Heading, int]:
    """The columns by what they hold; {} where the row holds no headings."""
    columns: dict[Heading, int] = {}
    for place, heading in _named(cells):
        if heading is Heading.NAME and heading in columns:
            first = columns[heading]
            is_title = _word(cells[place]) in _TITLE_WORDS or cells[first].isascii()
            columns[heading] = place if is_title else first
            columns.setdefault(Heading.OTHER_NAME, first + place - columns[heading])
        else:
            columns.setdefault(heading, place)
    names = columns.keys() & {Heading.NAME, Heading.OTHER_NAME, Heading.TAG}
    sizes = columns.keys() & {Heading.LENGTH, Heading.TYPE}
    return columns if names and (sizes or {Heading.TAG, Heading.OCCURS} <= columns.keys()) else {}


def _named(cells: Sequence[str]) -> Iterator[tuple[int, Heading]]:
    for place, cell in enumerate(cells):
        for word in (_word(cell), _word(_BRACKETS.sub("", plain(cell)))):
            if word in _BY_WORD:
                yield place, _BY_WORD[word]
                break


def _word(cell: str) -> str:
    """A heading without blanks and signs, such as `长 度(字节)`."""
    return _SIGNS.sub("", plain(cell).lower())
