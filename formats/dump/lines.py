"""A fixed or delimited file, annotated line by line; it goes on whatever a line is.

Which record a line is, is told by its selecting fields alone. What may come after the last one is looked
up without counting (`language.follow`), so that one line out of order is one doubt. A line that no record
takes is annotated as the one that was expected, where there is only one that could be meant.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from msgspec.structs import replace

from formats.behind import Behind
from formats.dump.fields import FieldAnnotator, stray
from formats.dump.model import BESIDE, Passage, Piece, Showing
from formats.dump.split import Cut, RawLine, cells_with_places, raw_lines, read_head, separator_of
from formats.flat.compiler import Plan, RecordPlan, compile_plan, line_width
from formats.flat.delimited import DelimitedReader
from formats.flat.fixed import FixedReader
from formats.flat.lines import MAXIMUM_LINE_BYTES
from formats.flat.record_widths import widths_of
from formats.language.follow import Follow, node_words
from formats.language.model import LINE_ENDS, Layout, Node, Syntax

FILL, COMMENT, BLANK, CTRL_Z = BESIDE

_CTRL_Z = b"\x1a"
_MARK = b"\xef\xbb\xbf"


class LineAnnotator:
    """Annotates files of one fixed or delimited layout. Immutable."""

    def __init__(self, layout: Layout, showing: Showing) -> None:
        self._layout = layout
        self._framing = layout.framing
        self._showing = showing
        self._plan: Plan = compile_plan(layout)
        self._is_fixed = layout.syntax is Syntax.FIXED
        self._reader = FixedReader(self._plan) if self._is_fixed else DelimitedReader(self._plan)
        self._fields = FieldAnnotator(self._plan, showing)
        self._follow = Follow(layout.structure)
        self._width = line_width(self._plan) if self._is_fixed else 0
        widths = widths_of(self._plan)
        self._measure = None if widths is None else widths.size_at
        framing, charset = self._framing, self._plan.charset
        self._fill = charset.encode(framing.fill_line * self._width) if framing.fill_to else b""
        self._comment = charset.encode(framing.comment) if framing.comment else b""

    def passages(self, source: BinaryIO, start: int = 0) -> Iterator[Passage]:
        """Every line; `source` stands at byte `start` of the file."""
        head = read_head(source)
        skipped = len(_MARK) if head.startswith(_MARK) and self._plan.charset.codec == "utf-8" else 0
        separator = self._separator(head)
        rest: BinaryIO = Behind(head[skipped:], source)  # type: ignore[assignment]
        last: Node | None = None
        told_end = False
        line = None
        in_parts = False
        for line in raw_lines(rest, start + skipped, separator, self._width, self._measure):
            in_parts = in_parts or line.continues
            node, passage = self._part(line) if in_parts else self._line(line, last)
            in_parts = line.continues
            end_doubt = "" if told_end else self._line_end_doubt(line)
            told_end = told_end or bool(end_doubt)
            if end_doubt:
                passage = replace(passage, doubts=(*passage.doubts, end_doubt))
            last = node or last
            yield passage
        yield from self._end(line, last, start)

    def _separator(self, head: bytes) -> bytes:
        """How lines end: as the layout says, else as the file shows."""
        if self._measure is not None:
            return b""
        found = separator_of(head)
        widths = {plan.size_bytes for plans in self._plan.records.values() for plan in plans}
        if not self._is_fixed or len(widths) > 1 or len(head) < self._width:
            return found
        # A line end behind the first record is one; one behind several of one width is the file's own end.
        return found if found and found in head[: 2 * self._width] else b""

    def _line_end_doubt(self, line: RawLine) -> str:
        """Told once: another line end than the layout's."""
        wanted, found = self._framing.line_end, line.line_end
        if found == wanted or line.continues or (not found and not self._framing.final_eol):
            return ""
        names = {raw: name.upper() for name, raw in LINE_ENDS.items()} | {b"": "none"}
        return f"line end: found {names[found]}, wanted {names[wanted]}"

    def _end(self, line: RawLine | None, last: Node | None, start: int) -> Iterator[Passage]:
        """What the end of the file leaves open."""
        number, end = (1, start) if line is None else (line.number, _end_of(line))
        if line is None:
            yield Passage(line=1, start=end, end=end, name="end of file", doubts=("an empty file",))
        elif last is None or not self._follow.may_end(last):
            wanted = self._wanted(last)
            doubt = f"the file ends here, wanted {wanted}"
            yield Passage(line=number, start=end, end=end, name="end of file", doubts=(doubt,))

    def _wanted(self, last: Node | None) -> str:
        names = list(dict.fromkeys(map(node_words, self._follow.after(last))))
        if last is not None and self._follow.may_end(last):
            names.append("the end of the file")
        return " or ".join(names)

    # One line.

    def _part(self, line: RawLine) -> tuple[None, Passage]:
        """A part of a line that is too long to be one."""
        doubt = f"a part of a line of more than {MAXIMUM_LINE_BYTES} bytes"
        return None, replace(self._plain(line, "", (doubt,)), is_guess=True)

    def _line(self, line: RawLine, last: Node | None) -> tuple[Node | None, Passage]:
        """The leaf of the structure that a line is (None for none), and the line annotated."""
        beside = self._beside(line)
        if beside:
            return None, self._plain(line, beside, ())
        expected = self._follow.after(last)
        node = self._identify(line.body, expected)
        if node is None:
            return None, self._unknown(line, expected, last)
        doubts = (
            () if node in expected else (f"out of order: {node_words(node)}, wanted {self._wanted(last)}",)
        )
        if node.literal is not None:
            return node, self._plain(line, node_words(node), doubts, is_known=not node.prefix)
        return node, self._record(line, self._matching(node, line.body), doubts)

    def _beside(self, line: RawLine) -> str:
        """What a line is that is none of the structure's."""
        body = line.body.rstrip(b" \r\n")
        if self._fill and body == self._fill:
            return FILL
        if self._comment and line.body.startswith(self._comment):
            return COMMENT
        if not body:
            return BLANK
        return CTRL_Z if body == _CTRL_Z and not line.line_end else ""

    def _identify(self, body: bytes, expected: list[Node]) -> Node | None:
        """The leaf that a line is: an expected one rather than another, one that selects rather than any."""
        others = [node for node in self._follow.leaves if node not in expected]
        for nodes in (expected, others):
            for node in nodes:
                if self._is(node, body):
                    return node
        return next((node for node in expected if self._takes_any(node, body)), None)

    def _is(self, node: Node, body: bytes) -> bool:
        if node.literal is not None:
            text = self._plan.charset.encode(node.literal[:-1] if node.prefix else node.literal)
            return body.startswith(text) if node.prefix else body.rstrip(b" ") == text.rstrip(b" ")
        return any(
            plan.selectors() and self._reader.matches(plan, body) for plan in self._plan.records[node.name]
        )

    def _takes_any(self, node: Node, body: bytes) -> bool:
        """Whether the record has nothing that selects, and the line has its form, more or less."""
        if node.literal is not None or any(plan.selectors() for plan in self._plan.records[node.name]):
            return False
        plan = self._plan.records[node.name][0]
        if self._is_fixed:
            return plan.least_bytes <= len(body)
        return len(self._cells(body)) == len(plan.columns) + self._framing.after_last

    def _matching(self, node: Node, body: bytes) -> RecordPlan:
        plans = self._plan.records[node.name]
        return next((plan for plan in plans if self._reader.matches(plan, body)), plans[-1])

    def _unknown(self, line: RawLine, expected: list[Node], last: Node | None) -> Passage:
        doubt = f"no record begins so, wanted {self._wanted(last)}"
        plans = [self._plan.records[node.name][0] for node in expected if node.literal is None]
        # One that has the line's form; else one that could be told by nothing else.
        for likely in (
            [plan for plan in plans if self._has_form(plan, line.body)],
            [plan for plan in plans if not plan.selectors()],
        ):
            if len(likely) == 1:
                return replace(self._record(line, likely[0], (doubt,)), is_guess=True)
        return replace(self._plain(line, "", (doubt,)), is_guess=True)

    def _has_form(self, plan: RecordPlan, body: bytes) -> bool:
        if self._is_fixed:
            return len(body) == plan.size_bytes
        return len(self._cells(body)) == len(plan.columns) + self._framing.after_last

    # Its pieces.

    def _plain(self, line: RawLine, name: str, doubts: tuple[str, ...], *, is_known: bool = False) -> Passage:
        """A line without fields. `is_known`: it is word for word what the layout says."""
        cut = Cut(0, len(line.body))
        if is_known:
            text = self._showing.constant(self._plan.charset.decode(line.body), as_wanted=True)
            pieces = [Piece(start=line.start, end=_end_of(line), first=1, title="line", shown=text)]
        else:
            pieces = [stray(line.body, cut, line.start, self._plan.charset, self._showing, "")]
        if not line.body:
            pieces = []
        return _passage(line, name, pieces, doubts)

    def _record(self, line: RawLine, plan: RecordPlan, doubts: tuple[str, ...]) -> Passage:
        take = self._fixed_pieces if self._is_fixed else self._delimited_pieces
        pieces, more = take(line, plan)
        return _passage(line, f"record {plan.label}", pieces, doubts + more)

    def _fixed_pieces(self, line: RawLine, plan: RecordPlan) -> tuple[list[Piece], tuple[str, ...]]:
        body, size = line.body, len(line.body)
        cuts = [Cut(one.start, min(one.end, size)) for one in plan.columns if one.start < size]
        is_whole = size == plan.size_bytes
        pieces = self._fields.pieces(plan, body, cuts, line.start, is_whole=is_whole)
        doubts = [f"{size} bytes, wanted {plan.size_bytes}"] if not is_whole else []
        missing = [column.title for column in plan.columns[len(cuts) :]]
        if missing:
            doubts.append(f"not there: {', '.join(missing)}")
        separator = self._framing.after_each_field.encode("ascii")
        wrong = [
            one.end + 1
            for one in plan.columns
            if separator and body[one.end : one.end + 1] not in (separator, b"")
        ]
        if wrong:
            doubts.append(f"no {separator.decode()} in bytes {', '.join(map(str, wrong))}")
        pieces += self._behind(line, min(plan.columns[-1].end + len(separator), size), plan.size_bytes)
        return pieces, tuple(doubts)

    def _behind(self, line: RawLine, first: int, size_bytes: int) -> Iterator[Piece]:
        """Bytes behind the last field: padding of the record, then what is too much."""
        for begin, end, doubt in (
            (first, min(size_bytes, len(line.body)), "wanted blanks up to the record's end"),
            (max(size_bytes, first), len(line.body), "behind the record"),
        ):
            if begin < end:
                blank = not line.body[begin:end].strip(b" ")
                told = "" if blank and begin < size_bytes else doubt
                yield stray(line.body, Cut(begin, end), line.start, self._plan.charset, self._showing, told)

    def _cells(self, body: bytes) -> list[Cut]:
        return cells_with_places(body, self._plan.charset, self._framing.delimiter, self._framing.quote)

    def _delimited_pieces(self, line: RawLine, plan: RecordPlan) -> tuple[list[Piece], tuple[str, ...]]:
        cuts, fields = self._cells(line.body), len(plan.columns)
        doubts = []
        wanted = fields + self._framing.after_last
        if len(cuts) != wanted:
            doubts.append(f"{len(cuts) - 1} delimiters, wanted {wanted - 1}")
        is_whole = len(cuts) == wanted
        pieces = self._fields.pieces(plan, line.body, cuts[:fields], line.start, is_whole=is_whole)
        missing = [column.title for column in plan.columns[len(cuts) :]]
        if missing:
            doubts.append(f"not there: {', '.join(missing)}")
        for cut in cuts[fields:]:
            if cut.start < cut.end or cut.end < len(line.body):
                pieces.append(
                    stray(line.body, cut, line.start, self._plan.charset, self._showing, "behind the fields")
                )
        return pieces, tuple(doubts)


def _passage(line: RawLine, name: str, pieces: list[Piece], doubts: tuple[str, ...]) -> Passage:
    return Passage(
        line=line.number, start=line.start, end=_end_of(line), name=name, pieces=tuple(pieces), doubts=doubts
    )


def _end_of(line: RawLine) -> int:
    return line.start + len(line.body) + len(line.line_end)
