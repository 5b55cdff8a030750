"""An XML file, annotated element by element from its bytes; it goes on whatever the bytes are.

No parser is used, since a parser stops at the first mistake: the bytes are cut at `<` and `>`, which are
never part of a longer character in any encoding that an XML layout may have. Nothing is expanded, looked
up or fetched; what a reader would refuse (a document type, entities, tags that do not match) is a doubt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from msgspec import Struct

from formats.charset import XML_ENCODINGS, Charset
from formats.check_digits import invalid_values
from formats.dump.model import Passage, Piece, Showing
from formats.language.model import Blank, Constant, Field, FieldKind, FileCode, Kind, Layout, OutcomeCode
from formats.language.words import meaning_words
from formats.xml.plan import Alternative, Leaf, Level, Plan, build_plan
from formats.xml.values import ValueFault, read_column

MAXIMUM_TOKEN_BYTES = 1 << 16
"""Longer texts and tags come in parts."""
MAXIMUM_DEPTH = 200
"""Deeper elements are read, but their names are not kept."""
MAXIMUM_PIECES = 100
"""Of one passage; what follows is another one of the same name."""

_READ_BYTES = 1 << 18
_NAME = re.compile(r"[A-Za-z_](?![\w.:-]*[0-9]{7})[\w.-]{0,60}")
_TAG = re.compile(rb"<(/?)([^\s/<>=\"']++)((?:[^<>\"']|\"[^\"<]*+\"|'[^'<]*+')*+)>")
_ATTRIBUTE = re.compile(rb"(?<![^\s\"'])([^\s=\"'<>/]++)\s*+=\s*+(\"([^\"]*+)\"|'([^']*+)')")
_DECLARED = re.compile(rb"encoding\s*=\s*[\"']([A-Za-z0-9._-]+)")
_REFERENCE = re.compile(r"&(?:#(\d{1,7})|#x([0-9A-Fa-f]{1,6})|(lt|gt|amp|quot|apos));|&")
_ENTITIES = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_BLANKS = b" \t\r\n"
_SHOWN_STEPS = 12
_UNSEEN = "?"
"""In place of a name that may hold more than a name."""


class _Token(Struct, frozen=True):
    """A tag, a comment, or text between two; `start` is its byte in the file."""

    start: int
    raw: bytes
    line: int
    is_whole: bool = True

    @property
    def end(self) -> int:
        return self.start + len(self.raw)


class XmlAnnotator:
    """Annotates XML files of one layout, or of none. Immutable."""

    def __init__(self, layout: Layout | None, showing: Showing) -> None:
        self._layout = layout
        self._showing = showing
        self._leaves: dict[tuple[str, ...], Leaf] = {}
        self._names: set[str] = set()
        self._ways: dict[tuple[str, ...], str] = {}
        self._code_parts: set[str] = set()
        if layout is not None:
            plan = build_plan(layout)
            self._leaves, self._ways = _by_path(plan)
            self._names = {name for path in self._leaves for name in path}
            codes = [*map(_code, layout.outcome_codes), *map(_code, layout.file_codes)]
            self._code_parts = {part for code in codes for part in code.split("/")}

    def passages(self, source: BinaryIO, start: int = 0) -> Iterator[Passage]:
        """Every element that says something; `source` stands at byte `start` of the file."""
        return _Walk(self, source, start).passages()

    @property
    def showing(self) -> Showing:
        return self._showing

    @property
    def encoding(self) -> str:
        return "utf-8" if self._layout is None else self._layout.framing.encoding

    @property
    def namespaces(self) -> tuple[str, ...]:
        return () if self._layout is None else self._layout.namespaces

    def leaf(self, path: tuple[str, ...]) -> Leaf | None:
        return self._leaves.get(path)

    def passage_name(self, path: tuple[str, ...]) -> str:
        """What begins at an element; "" where nothing does."""
        return self._ways.get(path, "")

    def seen(self, name: str) -> str:
        """A name from the file, where it can be no more than a name."""
        is_plain = name in self._names or _NAME.fullmatch(name) is not None
        return name if is_plain or not self._showing.masked else _UNSEEN

    def read(self, leaf: Leaf, text: str) -> tuple[str, list[str]]:
        """What is shown of a value, and what is doubtful."""
        field, plain = _field(leaf), text.strip()
        if isinstance(leaf.meaning, Constant):
            as_wanted = plain == leaf.meaning.text
            doubts = [] if as_wanted else [f"wanted {leaf.meaning.text!r}"]
            return self._showing.constant(plain, as_wanted=as_wanted), doubts
        if isinstance(leaf.meaning, Blank):
            return self._showing.unknown(plain), [] if leaf.meaning.ignored or not plain else [
                "wanted nothing"
            ]
        doubts = list(_value_doubts(leaf.kind, plain, lenient=leaf.is_total))
        is_listed = leaf.is_code and plain in self._code_parts
        if leaf.is_code and plain and self._code_parts and not is_listed:
            doubts.append("not in a code table")
        if not plain and not leaf.optional:
            doubts.append("nothing, wanted a value")
        return self._showing.value(field, plain, is_valid=not doubts, is_listed=is_listed), doubts


def _code(line: OutcomeCode | FileCode) -> str:
    return line.code


def _value_doubts(kind: FieldKind, text: str, *, lenient: bool) -> Iterator[str]:
    try:
        read_column(kind, [text], lenient=lenient)
    except ValueFault as fault:
        yield f"wanted {fault.wanted}"
        return
    most, length = kind.maximum or kind.exact, len(text)
    is_text = kind.name in (Kind.TEXT, Kind.DIGITS)
    if (
        text
        and is_text
        and ((most is not None and length > most) or (kind.exact is not None and length < kind.exact))
    ):
        yield f"{length} characters, wanted {'at most ' if kind.exact is None else ''}{most}"
    if kind.check and invalid_values(kind.check, [text]):
        yield f"wanted a check digit by {kind.check}"


def _field(leaf: Leaf) -> Field:
    return Field(
        place="",
        line=leaf.line,
        kind=leaf.kind,
        title=leaf.title,
        meaning=leaf.meaning,
        key=leaf.key,
        optional=leaf.optional,
    )


def _by_path(plan: Plan) -> tuple[dict[tuple[str, ...], Leaf], dict[tuple[str, ...], str]]:
    """The lines of a table by their paths from the root, and what begins at which element."""
    group = (*plan.way, plan.group) if plan.group else plan.way
    record = (*group, plan.record) if plan.record else group
    before = {Level.FILE: (), Level.GROUP: group, Level.RECORD: record}
    leaves: dict[tuple[str, ...], Leaf] = {}
    for leaf in plan.leaves:
        base = (*before[leaf.level], *(plan.detail if leaf.detail else ()))
        for way in leaf.paths:
            leaves.setdefault(_steps(base, way), leaf)
    ways = {record: f"record {plan.row}"} if plan.record else {}
    if plan.group:
        ways[group] = "group"
    if plan.detail:
        ways[(*record, *plan.detail)] = "detail"
    return leaves, ways


def _steps(base: tuple[str, ...], way: Alternative) -> tuple[str, ...]:
    return (*base, *way.steps, f"@{way.attribute}") if way.attribute else (*base, *way.steps)


class _Walk:
    """One file being annotated."""

    def __init__(self, annotator: XmlAnnotator, source: BinaryIO, start: int) -> None:
        self._annotator = annotator
        self._showing = annotator.showing
        self._source = source
        self._charset = Charset(annotator.encoding)
        self._path: list[str] = []
        self._said: list[bool] = []
        """For each open element whether something stood in it already."""
        self._hidden = 0
        """Open elements below `MAXIMUM_DEPTH`."""
        self._had_root = False
        self._ready: list[Passage] = []
        self._pieces: list[Piece] = []
        self._doubts: list[str] = []
        self._names = ["file"]
        self._line, self._begins, self._end = 1, start, start

    def passages(self) -> Iterator[Passage]:
        """Everything, from the first byte to the last."""
        for token in _tokens(self._source, self._begins):
            self._take(token)
            self._end = token.end
            if len(self._pieces) >= MAXIMUM_PIECES:
                self._flush(token.end, token.line)
            yield from self._ready
            self._ready.clear()
        if self._path:
            self._doubts.append(f"the file ends inside {self._shown(self._path)}")
        elif not self._had_root:
            self._doubts.append("no root element")
        if not self._pieces and not self._doubts:
            self._names[-1] = "end of file"
        self._flush(self._end, self._line, is_end=True)
        yield from self._ready

    def _flush(self, end: int, line: int, *, is_end: bool = False) -> None:
        """What was gathered becomes a passage that ends here; at the end also what holds nothing."""
        if self._pieces or self._doubts or is_end:
            self._ready.append(
                Passage(
                    line=self._line,
                    start=self._begins,
                    end=end,
                    name=self._names[-1],
                    pieces=tuple(self._pieces),
                    doubts=tuple(self._doubts),
                )
            )
        self._pieces, self._doubts = [], []
        self._begins, self._line = end, line

    def _take(self, token: _Token) -> None:
        raw = token.raw
        if not raw.startswith(b"<"):
            self._take_text(token.start, raw, token)
        elif raw.startswith(b"<![CDATA[") and raw.endswith(b"]]>"):
            self._take_text(token.start + 9, raw[9:-3], token, is_verbatim=True)
        elif raw.startswith((b"<?", b"<!")):
            self._take_other(token)
        elif not token.is_whole or (match := _TAG.fullmatch(raw)) is None:
            self._stray(token.start, raw, "a tag that is none")
        elif match[1]:
            self._close(_local(match[2]), token)
        else:
            self._open(_local(match[2]), match, token)

    # Tags.

    def _open(self, name: str, match: re.Match[bytes], token: _Token) -> None:
        if self._had_root and not self._path:
            self._doubts.append(f"an element {self._annotator.seen(name)} behind the root element")
        if len(self._path) >= MAXIMUM_DEPTH:
            if not self._hidden:
                self._doubts.append("elements nested too deeply")
            self._hidden += not _is_empty(match)
            return
        if self._said:
            self._said[-1] = True
        path = (*self._path, name)
        begins = self._annotator.passage_name(path)
        if begins:
            self._flush(token.start, token.line)
            self._names.append(begins)
        self._path.append(name)
        self._said.append(False)
        self._attributes(match, token, is_root=not self._had_root)
        self._had_root = True
        if _is_empty(match):
            self._end_element(token.end, token.line)

    def _close(self, name: str, token: _Token) -> None:
        if self._hidden:
            self._hidden -= 1
            return
        if name not in self._path:
            self._doubts.append(f"an end tag {self._annotator.seen(name)} that ends nothing")
            return
        while self._path[-1] != name:
            self._doubts.append(f"{self._annotator.seen(self._path[-1])} has no end tag")
            self._end_element(token.start, token.line)
        self._end_element(token.end, token.line, text_end=token.start)

    def _end_element(self, end: int, line: int, text_end: int | None = None) -> None:
        """Behind the element that was opened last."""
        path = tuple(self._path)
        leaf = self._annotator.leaf(path)
        if not self._said[-1] and leaf is not None:
            self._add_value(end if text_end is None else text_end, b"", "", path)
        self._path.pop()
        self._said.pop()
        if self._annotator.passage_name(path):
            self._flush(end, line)
            self._names.pop()

    def _attributes(self, match: re.Match[bytes], token: _Token, *, is_root: bool) -> None:
        for one in _ATTRIBUTE.finditer(match[3]):
            value = one[3] if one[3] is not None else one[4]
            name, start = one[1].decode("utf-8", "replace"), token.start + match.start(3) + one.start(2) + 1
            if name == "xmlns" or name.startswith("xmlns:"):
                self._namespace(value, is_root=is_root and name == "xmlns")
            elif ":" not in name:
                self._add_value(start, value, self._decoded(value), (*self._path, f"@{name}"))

    def _namespace(self, value: bytes, *, is_root: bool) -> None:
        known = self._annotator.namespaces
        if is_root and known and value.decode("utf-8", "replace") not in known:
            self._doubts.append(f"a namespace of another layout, wanted {' or '.join(known)}")

    # Texts.

    def _take_text(self, start: int, raw: bytes, token: _Token, *, is_verbatim: bool = False) -> None:
        body = raw.strip(_BLANKS)
        if not body:
            return
        start += raw.index(body)
        if not self._path:
            plain = body.removeprefix(b"\xef\xbb\xbf")
            if plain:
                self._stray(start, plain, "text outside the root element")
            return
        self._said[-1] = True
        text = self._decoded(body)
        if text is not None and not is_verbatim:
            text = self._resolved(text)
        doubt = (
            () if token.is_whole else (f"a text of more than {MAXIMUM_TOKEN_BYTES} bytes; this is a part",)
        )
        self._add_value(start, body, text, tuple(self._path), doubt)

    def _decoded(self, raw: bytes) -> str | None:
        try:
            return self._charset.decode(raw)
        except UnicodeDecodeError:
            return None

    def _resolved(self, text: str) -> str:
        """The text with what XML itself defines; any other entity stays, and is doubtful."""

        def character(match: re.Match[str]) -> str:
            if match[3]:
                return _ENTITIES[match[3]]
            number = int(match[1]) if match[1] else int(match[2], 16) if match[2] else 0x110000
            if 0 < number < 0x110000:
                return chr(number)
            self._doubts.append("an entity that XML does not define")
            return match[0]

        return _REFERENCE.sub(character, text) if "&" in text else text

    def _add_value(
        self, start: int, raw: bytes, text: str | None, path: tuple[str, ...], doubts: tuple[str, ...] = ()
    ) -> None:
        leaf = self._annotator.leaf(path)
        found: list[str] = []
        if text is None:
            shown = self._showing.undecodable(raw)
            found = [f"bytes that are no characters of {self._charset.label}"]
        elif leaf is not None:
            shown, found = self._annotator.read(leaf, text)
        else:
            shown = self._showing.unknown(text.strip())
        path_shown = self._shown(path)
        meaning = "" if leaf is None else meaning_words(_field(leaf))
        self._pieces.append(
            Piece(
                start=start,
                end=start + len(raw),
                first=0,
                title=path_shown if leaf is None else f"{leaf.title} {path_shown}",
                shown=shown,
                meaning=meaning,
                doubts=(*doubts, *found),
                is_gap=leaf is None,
            )
        )

    def _shown(self, path: Sequence[str]) -> str:
        """A path as it may be shown; of a long one its end."""
        names = [self._annotator.seen(name.lstrip("@")) for name in path]
        if path and path[-1].startswith("@"):
            names[-1] = f"@{names[-1]}"
        return ("" if len(names) <= _SHOWN_STEPS else ".../") + "/".join(names[-_SHOWN_STEPS:])

    def _stray(self, start: int, raw: bytes, doubt: str) -> None:
        text = self._decoded(raw)
        shown = self._showing.undecodable(raw) if text is None else self._showing.unknown(text)
        self._pieces.append(
            Piece(
                start=start,
                end=start + len(raw),
                first=0,
                title="-",
                shown=shown,
                doubts=(doubt,),
                is_gap=True,
            )
        )

    def _take_other(self, token: _Token) -> None:
        """A declaration, a comment, or what readers refuse."""
        raw = token.raw
        if raw.startswith(b"<?xml") and (declared := _DECLARED.search(raw)):
            self._declare(declared[1].decode("ascii").lower())
        elif raw.upper().startswith(b"<!DOCTYPE"):
            self._stray(token.start, raw, "a document type declaration: readers refuse it")
        elif not token.is_whole:
            self._stray(token.start, raw, "a comment or declaration without end")

    def _declare(self, label: str) -> None:
        wanted = self._annotator.encoding
        if label not in XML_ENCODINGS:
            self._doubts.append("an encoding that no layout may have")
            return
        declared = Charset(label)
        if declared.codec != Charset(wanted).codec:
            self._doubts.append(f"the file says {label}, wanted {wanted}")
        self._charset = declared


def _is_empty(match: re.Match[bytes]) -> bool:
    """Whether a tag is its own end tag."""
    return match[3].endswith(b"/")


def _local(raw: bytes) -> str:
    """A name without its prefix."""
    return raw.rpartition(b":")[2].decode("utf-8", "replace")


def _tokens(source: BinaryIO, start: int) -> Iterator[_Token]:
    """The bytes cut into tags, comments and texts, none longer than `MAXIMUM_TOKEN_BYTES`."""
    buffer, line, at_end = b"", 1, False
    while True:
        if len(buffer) < 2 * MAXIMUM_TOKEN_BYTES and not at_end:
            part = source.read(_READ_BYTES)
            at_end = not part
            buffer += part
            continue
        if not buffer:
            return
        position = 0
        while position < len(buffer) and (at_end or len(buffer) - position >= MAXIMUM_TOKEN_BYTES):
            end, is_whole = _token_end(buffer, position)
            raw = buffer[position:end]
            yield _Token(start + position, raw, line, is_whole)
            line += raw.count(b"\n")
            position = end
        buffer, start = buffer[position:], start + position


def _token_end(buffer: bytes, position: int) -> tuple[int, bool]:
    """Where the token at a position ends, and whether it is all there."""
    most = min(position + MAXIMUM_TOKEN_BYTES, len(buffer))
    if buffer[position : position + 1] != b"<":
        end = buffer.find(b"<", position, most)
        return (end, True) if end >= 0 else (most, most == len(buffer))
    for opening, closing in ((b"<!--", b"-->"), (b"<![CDATA[", b"]]>"), (b"<?", b"?>")):
        if buffer.startswith(opening, position):
            end = buffer.find(closing, position + len(opening), most)
            return (end + len(closing), True) if end >= 0 else (most, False)
    other = buffer.find(b"<", position + 1, most)
    end = buffer.find(b">", position, other if other >= 0 else most)
    if end >= 0:
        return end + 1, True
    return (other if other >= 0 else most), False
