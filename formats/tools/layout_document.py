"""A layout as tables to lay beside the bank's paper, with the offsets that the paper prints.

Fixed records have the bytes of each field, 1-based as banks print them, counted with the separators
after fields; delimited ones the number of the column; XML the path from the root. Repeats and overlays
are written out: what stands at byte 57 is said once for every meaning that it can have. Headings are in
English and Chinese, since both sides of the table read them.
"""

from __future__ import annotations

from collections.abc import Iterator

from formats.language.model import Field, Framing, Layout, Node, Record, Syntax
from formats.language.words import (
    code_words,
    kind_words,
    meaning_words,
    occurrence_words,
    structure_words,
    width_words,
)
from formats.tools.documents import Document, Table

_FIXED_COLUMNS = (
    "no. 序号",
    "bytes 位置",
    "width 长度",
    "kind 类型",
    "name 名称",
    "meaning 含义",
    "remark 备注",
)
_DELIMITED_COLUMNS = ("column 列", "kind 类型", "name 名称", "meaning 含义", "remark 备注")
_XML_COLUMNS = ("path 路径", "occurs 次数", "kind 类型", "name 名称", "meaning 含义", "remark 备注")
_CODE_COLUMNS = ("code 返回码", "means 含义", "reason 原因")


def layout_document(layout: Layout) -> Document:
    """The whole layout: what it is, its structure, a table a record, its codes and characters."""
    return Document(
        title=f"{layout.name} {layout.version}",
        facts=tuple(_facts(layout)),
        tables=tuple(_tables(layout)),
    )


def _facts(layout: Layout) -> Iterator[tuple[str, str]]:
    yield "purpose 用途", layout.purpose.value
    if layout.answers:
        yield "answers 对应请求", layout.answers
    yield "syntax 形式", layout.syntax.value
    yield from ((f"framing {name}", value) for name, value in framing_words(layout.framing, layout.syntax))
    for namespace in layout.namespaces:
        yield "namespace 命名空间", namespace
    if layout.decimals != 2:
        yield "decimals 货币小数位", str(layout.decimals)
    if layout.silence:
        yield "silence 未列明细视为", layout.silence
    if layout.returns:
        yield "returns 退汇金额为", layout.returns
    if layout.by_position:
        yield "key 明细定位", "position"
    if layout.implied_code:
        yield "implied code 隐含返回码", layout.implied_code
    for source in layout.sources:
        yield "source 依据", source
    yield "digest 摘要", layout.digest


def framing_words(framing: Framing, syntax: Syntax) -> Iterator[tuple[str, str]]:
    """The entries of `framing` that say something, as the language writes them."""
    yield "encoding", framing.encoding
    if syntax is not Syntax.XML:
        yield "eol", framing.eol
    plain = Framing()
    for name in Framing.__struct_fields__:
        value = getattr(framing, name)
        if name not in ("encoding", "eol") and value != getattr(plain, name):
            yield name, " ".join(value) if isinstance(value, tuple) else _said(value)


def _said(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _tables(layout: Layout) -> Iterator[Table]:
    if layout.frame is not None:
        yield _record_table(layout.frame.record, Syntax.FIXED, "", "")
    if layout.structure:
        lines = tuple((line,) for line in structure_words(layout.structure))
        yield Table(title="structure 结构", columns=("records in their order 记录顺序",), rows=lines)
    occurrences = {node.name: occurrence_words(node) for node in _nodes(layout.structure)}
    for record in layout.shown_records():
        separator = layout.framing.after_each_field
        yield _record_table(record, layout.syntax, separator, occurrences.get(record.name, ""))
    if layout.table:
        yield Table(title="elements 元素", columns=_XML_COLUMNS, rows=tuple(_xml_rows(layout.table)))
    for name, codes, source in (
        ("outcome codes 明细返回码", layout.outcome_codes, layout.outcome_codes_source),
        ("file codes 文件返回码", layout.file_codes, layout.file_codes_source),
    ):
        if codes:
            note = f"source 依据: {source}" if source else ""
            yield Table(title=name, columns=_CODE_COLUMNS, rows=tuple(map(code_words, codes)), note=note)
    if layout.permitted:
        rows = tuple((one.character, one.written) for one in layout.substitutions)
        yield Table(
            title="characters 字符",
            columns=("character 字符", "written as 写作"),
            rows=rows,
            note=f"permitted 允许: {layout.permitted}",
        )


def _nodes(structure: tuple[Node, ...]) -> Iterator[Node]:
    for node in structure:
        yield from node.walk()


def _record_table(record: Record, syntax: Syntax, separator: str, occurrence: str) -> Table:
    title = f"record {record.name}" + (f", where {record.overlay}" if record.overlay else "")
    notes = [f"occurs 次数: {occurrence}"] if occurrence else []
    if record.repetitions:
        notes.append(
            f"up to {record.parts} parts, of which those stand that are needed 至多如此, 用几段写几段"
        )
    if syntax is not Syntax.FIXED:
        columns = tuple((str(number), *_words(field)) for number, field in enumerate(record.fields, 1))
        return Table(title=title, columns=_DELIMITED_COLUMNS, rows=columns, note="; ".join(notes), right=(0,))
    size_bytes = record.bytes_ + len(separator) * len(record.fields)
    notes.insert(0, f"{size_bytes} bytes 字节")
    if separator:
        notes.append(f"{separator} after each field 每域之后")
    rows = tuple(_fixed_rows(record, len(separator)))
    return Table(title=title, columns=_FIXED_COLUMNS, rows=rows, note="; ".join(notes), right=(0, 1))


def _fixed_rows(record: Record, separator_bytes: int) -> Iterator[tuple[str, ...]]:
    for number, field in enumerate(record.fields):
        width = field.width
        assert width is not None, "a field of a fixed record has a width"
        first = width.offset + number * separator_bytes + 1
        span = str(first) if width.bytes_ == 1 else f"{first}-{first + width.bytes_ - 1}"
        yield (str(number + 1), span, width_words(width), *_words(field))


def _words(field: Field) -> tuple[str, str, str, str]:
    kind = kind_words(field.kind) if field.kind else ""
    part = f" ({field.part + 1}/{field.parts})" if field.parts > 1 else ""
    return kind, field.title + part, meaning_words(field), field.remark


def _xml_rows(fields: tuple[Field, ...]) -> Iterator[tuple[str, ...]]:
    above: list[str] = []
    for field in fields:
        del above[field.depth :]
        before = "/".join(above)
        places = [place.strip() for place in field.place.split("|")]
        path = " | ".join(f"{before}/{place}" if before else place for place in places)
        marker = f"{field.marker.name} {occurrence_words(field.marker) or 1}" if field.marker else ""
        above.append(field.place)
        yield (path, marker, *_words(field))
