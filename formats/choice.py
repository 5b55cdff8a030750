"""Several layouts under one name: which one a file is in is told by the file itself.

    choose = '''
    bytes 164-166 "103"            bank-result-103       # of the first line, 1-based
    starts "{H:02"                 bank-result-framed
    namespace "urn:iso:...08"      bank-camt-08
    otherwise                      bank-result-040
    '''

The first line that fits decides; without `otherwise` a file that none fits is refused. What is
written is the layout named first.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct

from formats.behind import Behind
from formats.codec import Codec, Decoder, Purpose
from formats.errors import DecodeError, LayoutError
from formats.language.source import LayoutSource
from formats.language.table import split_cells
from formats.records import FileIdentity, Problem, RecordChunk

LOOK_BYTES = 1 << 16
"""Looked at of each file: its first line, or its XML up to the root element."""

EMBEDDED = "embedded"
"""The table of a kept text that holds the texts of the layouts it names."""

_CHOICE = re.compile(r"^choose\s*=", re.MULTILINE)
_BYTES = re.compile(r'bytes (\d{1,5})-(\d{1,5}) "([^"]+)"')
_WORD = re.compile(r'(starts|namespace) "([^"]+)"')
_KEYS = {"layout": str, "version": str, "purpose": str, "answers": str, "sources": list, "choose": str}
_ROOT = re.compile(rb"<[A-Za-z_][^>]*>")


class _Way(Struct, frozen=True):
    """One line: how a file is told, and the layout it is in."""

    line: int
    layout: str
    kind: str
    text: bytes = b""
    first: int = 0
    last: int = 0

    def fits(self, head: bytes) -> bool:
        """Whether the beginning of a file says so."""
        if self.kind == "bytes":
            return head[self.first - 1 : self.last] == self.text
        if self.kind == "starts":
            return head.startswith(self.text)
        if self.kind == "namespace":
            root = _ROOT.search(head)
            return root is not None and b'"%s"' % self.text in root[0].replace(b"'", b'"')
        return True


def is_choice(text: str) -> bool:
    """Whether a layout's text names others to choose from."""
    return _CHOICE.search(text) is not None


def named_in(text: str) -> list[str]:
    """The layouts that a choice names, each once, in their order."""
    source = LayoutSource(text, "")
    return list(dict.fromkeys(way.layout for way in _ways(source, tomllib.loads(text))))


def with_embedded(text: str, texts: dict[str, str]) -> str:
    """The text of a choice together with those of the layouts it names: to be kept as one."""
    lines = [
        f"{msgspec.json.encode(name).decode()} = {msgspec.json.encode(one).decode()}"
        for name, one in texts.items()
    ]
    return text.rstrip("\n") + f"\n\n[{EMBEDDED}]\n" + "\n".join(lines) + "\n"


def read_choice(
    text: str, name: str, load: Callable[[str], Codec], of_text: Callable[[str, str], Codec]
) -> ChoiceCodec:
    """The codec of a choice. `load` finds the codecs it names; `of_text` makes those whose text it holds
    itself, from that and a name for their mistakes. Raises `LayoutError`.
    """
    source = LayoutSource(text, name)
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        source.add("toml", None, f"not TOML: {error}")
        raise LayoutError(source.problems) from error
    texts = document.pop(EMBEDDED, {})
    for key, value in document.items():
        if key not in _KEYS or type(value) is not _KEYS[key]:
            hint = f"one of {', '.join(_KEYS)}"
            source.add("key-unknown", source.line_of(key), f"no such key in a choice: {key}", hint=hint)
    ways = _ways(source, document)

    def found(layout: str) -> Codec:
        return of_text(texts[layout], f"{layout}.toml") if layout in texts else load(layout)

    codecs = {way.layout: _load(source, way, found) for way in ways}
    known = {layout: codec for layout, codec in codecs.items() if codec is not None}
    _check(source, document, ways, known)
    if source.problems:
        raise LayoutError(source.problems)
    return ChoiceCodec(document, text, ways, known)


def _ways(source: LayoutSource, document: dict[str, Any]) -> list[_Way]:
    ways: list[_Way] = []
    for line, content in source.block(document.get("choose"), "choose"):
        cells, _ = split_cells(content)
        if not cells:
            continue
        way = _way(line, cells) if len(cells) == 2 else None
        if way is None:
            hint = 'bytes 1-3 "x", starts "x", namespace "x" or otherwise, then the layout'
            source.add("choice", line, f"not understood: {content.strip()}", hint=hint)
        else:
            ways.append(way)
    return ways


def _way(line: int, cells: list[str]) -> _Way | None:
    told, layout = cells
    if match := _BYTES.fullmatch(told):
        text, first, last = match[3].encode(), int(match[1]), int(match[2])
        return _Way(line, layout, "bytes", text, first, last) if last - first + 1 == len(text) else None
    if match := _WORD.fullmatch(told):
        return _Way(line, layout, match[1], match[2].encode())
    return _Way(line, layout, "otherwise") if told == "otherwise" else None


def _load(source: LayoutSource, way: _Way, load: Callable[[str], Codec]) -> Codec | None:
    try:
        return load(way.layout)
    except KeyError:
        source.add("choice", way.line, f"there is no layout {way.layout}")
    except LayoutError as error:
        source.problems += error.problems
    return None


def _check(
    source: LayoutSource, document: dict[str, Any], ways: list[_Way], codecs: dict[str, Codec]
) -> None:
    purpose = document.get("purpose")
    if purpose not in [word.value for word in Purpose] or not ways:
        source.add("choice", source.line_of("purpose"), "a choice without purpose or layouts")
    for way in ways:
        codec = codecs.get(way.layout)
        if codec is not None and codec.purpose.value != purpose:
            source.add("choice", way.line, f"{way.layout} is a {codec.purpose.value}, not a {purpose}")
    for way in ways[:-1]:
        if way.kind == "otherwise":
            source.add("choice", way.line, "lines behind otherwise are never reached")


class ChoiceCodec:
    """Several codecs under one name; see `formats.codec.Codec`."""

    def __init__(
        self, document: dict[str, Any], text: str, ways: list[_Way], codecs: dict[str, Codec]
    ) -> None:
        self.name = str(document.get("layout", ""))
        self.version = str(document.get("version", ""))
        self.purpose = Purpose(document["purpose"])
        self._ways = ways
        self._codecs = codecs
        self._first = codecs[ways[0].layout]
        self.encoding = self._first.encoding
        self.highest_sequence = self._first.highest_sequence
        digests = "".join(codec.digest for codec in codecs.values())
        own = text.partition(f"\n\n[{EMBEDDED}]\n")[0].rstrip("\n")
        self.digest = hashlib.sha256(f"choice\n{own}\n{digests}".encode()).hexdigest()

    def columns(self, record: str = "payment") -> frozenset[str]:
        """Those of the layout that is written."""
        return self._first.columns(record)

    def problems(self, chunk: RecordChunk, identity: FileIdentity | None = None) -> list[Problem]:
        """Those of the layout that is written."""
        return self._first.problems(chunk, identity)

    def substitute(self, chunk: RecordChunk) -> tuple[RecordChunk, list[Problem]]:
        """As the layout that is written does."""
        return self._first.substitute(chunk)

    def encode(self, identity: FileIdentity, chunks: Iterable[RecordChunk]) -> Iterator[bytes]:
        """In the layout named first."""
        return self._first.encode(identity, chunks)

    def decode(self, source: BinaryIO, identity: FileIdentity | None = None) -> Decoder:
        """In the layout that the file says. Raises `DecodeError` where no line fits it."""
        head = source.read(LOOK_BYTES)
        way = next((way for way in self._ways if way.fits(head)), None)
        if way is None:
            found, wanted = "a file of another layout", " or ".join(self._codecs)
            message = f"{self.name} line 1: found {found}, wanted {wanted}"
            problem = Problem(
                code="choice", message=message, source=self.name, line=1, found=found, wanted=wanted
            )
            raise DecodeError([problem])
        return self._codecs[way.layout].decode(Behind(head, source), identity)  # type: ignore[arg-type]
