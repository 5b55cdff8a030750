"""Which formats there are: layouts that ship, layouts from folders, and codecs in code.

A codec in code is an entry point of the group `bankgate.codecs`: a name, and a callable
without arguments that gives a `Codec`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from formats.choice import is_choice, named_in, read_choice, with_embedded
from formats.codec import Codec, Purpose
from formats.errors import LayoutError
from formats.flat.delimited import compile_delimited
from formats.flat.fixed import compile_fixed
from formats.language.layout import parse_layout, read_layout
from formats.language.model import Layout, Syntax
from formats.records import Problem

ENTRY_POINT_GROUP = "bankgate.codecs"
SHIPPED_FOLDER = Path(__file__).parent / "layouts"
_PURPOSE = re.compile(r'^purpose +?= "(\w+)"$', re.MULTILINE)


def load_layout(path: Path | str) -> Codec:
    """The codec of a layout file. Raises `LayoutError` with every mistake in it, `OSError`.

    A choice finds the layouts it names beside it, and among those that ship.
    """
    path = Path(path)
    text = path.read_bytes().decode("utf-8", "replace")
    if is_choice(text):
        return read_choice(text, path.name, Registry([path.parent]).get, codec_of_text)
    return compile_layout(read_layout(path))


def codec_of_text(text: str, name: str) -> Codec:
    """The codec of a layout given as text; `name` is what its mistakes are told under."""
    if is_choice(text):
        return read_choice(text, name, Registry().get, codec_of_text)
    return compile_layout(parse_layout(text, name))


def compile_layout(layout: Layout) -> Codec:
    """The codec of a checked layout, by its syntax, and behind its frame."""
    codec = _compile_body(layout)
    if layout.frame is None:
        return codec
    # Imported here so that files without blocks need no construct.
    from formats.flat.frames import FramedCodec

    return FramedCodec(layout, codec)


def _compile_body(layout: Layout) -> Codec:
    if layout.syntax is Syntax.FIXED:
        return compile_fixed(layout)
    if layout.syntax is Syntax.DELIMITED:
        return compile_delimited(layout)
    # Imported here so that fixed and delimited files need no lxml.
    from formats.xml.codec import compile_xml

    return compile_xml(layout)


def load_folder(folder: Path | str) -> dict[str, Codec]:
    """Every `*.toml` of a folder by layout name. All mistakes of all files come together."""
    codecs: dict[str, Codec] = {}
    problems: list[Problem] = []
    for path in sorted(Path(folder).glob("*.toml")):
        try:
            codec = load_layout(path)
        except LayoutError as error:
            problems += error.problems
            continue
        if codec.name in codecs:
            message = f"{path.name}: layout {codec.name} is in another file too"
            problems.append(Problem(code="layout-twice", message=message, source=path.name))
        codecs[codec.name] = codec
    if problems:
        raise LayoutError(problems)
    return codecs


@functools.cache
def _shipped_purpose(name: str) -> Purpose:
    """As it stands in a layout that ships. Tests have loaded those: none has a mistake to be told here."""
    found = _PURPOSE.search((SHIPPED_FOLDER / f"{name}.toml").read_text("utf-8"))
    assert found is not None, name
    return Purpose(found[1])


@functools.cache
def _shipped_codec(name: str) -> Codec:
    """What ships never changes while a process runs: it is compiled once."""
    return load_layout(SHIPPED_FOLDER / f"{name}.toml")


def shipped() -> dict[str, Codec]:
    """The layouts that ship with Bankgate, by name."""
    return load_folder(SHIPPED_FOLDER)


class Registry:
    """Codecs by name, loaded when asked for. Folders come before what ships, code before both."""

    def __init__(self, folders: Iterable[Path | str] = ()) -> None:
        self._folders = [*(Path(folder) for folder in folders), SHIPPED_FOLDER]
        self._codecs: dict[str, Codec] = {}
        self._texts: dict[str, str] = {}
        self._loading: list[str] = []

    def get(self, name: str) -> Codec:
        """The codec of that name. KeyError where there is none; `LayoutError` where it is wrong."""
        if name not in self._codecs:
            self._codecs[name] = self._load(name)
        return self._codecs[name]

    def source_text(self, name: str) -> str:
        """The layout's own text, to be kept with the files made by it; "" for a codec in code."""
        if name not in self._texts:
            text = "" if name in self._in_code else self._path(name).read_text("utf-8")
            if is_choice(text):
                text = with_embedded(text, {named: self.source_text(named) for named in named_in(text)})
            self._texts[name] = text
        return self._texts[name]

    def from_text(self, text: str, name: str) -> Codec:
        """The codec of a layout that was kept. Raises `LayoutError`; KeyError for code that is gone."""
        return codec_of_text(text, f"{name}.toml") if text else self.get(name)

    def purposes(self) -> dict[str, Purpose]:
        """Every format and what its files are for. Raises `LayoutError` where one is wrong.

        What ships is not compiled for that: each command would wait for two dozen layouts.
        """
        return {name: self._purpose(name) for name in self.names()}

    def _purpose(self, name: str) -> Purpose:
        if name not in self._in_code and self._path(name).parent == SHIPPED_FOLDER:
            return _shipped_purpose(name)
        return self.get(name).purpose

    def names(self) -> list[str]:
        """Every name that `get` finds, sorted; a layout is found under the name of its file."""
        files = {path.stem for folder in self._folders for path in folder.glob("*.toml")}
        return sorted(files | self._in_code.keys())

    @functools.cached_property
    def _in_code(self) -> dict[str, EntryPoint]:
        """Codecs in code, by name: looking through all that is installed takes its time."""
        return {point.name: point for point in reversed(list(entry_points(group=ENTRY_POINT_GROUP)))}

    def _load(self, name: str) -> Codec:
        if name in self._in_code:
            codec: Codec = self._in_code[name].load()()
            return codec
        path = self._path(name)
        if path.parent == SHIPPED_FOLDER:
            return _shipped_codec(name)
        text = path.read_bytes().decode("utf-8", "replace")
        codec = self._choice(text, name) if is_choice(text) else load_layout(path)
        if codec.name != name:
            message = f"{path.name}: holds layout {codec.name}, wanted {name}"
            raise LayoutError([Problem(code="layout-name", message=message, source=path.name)])
        return codec

    def _choice(self, text: str, name: str) -> Codec:
        """A choice; one that leads back to itself finds no layout there."""
        if name in self._loading:
            raise KeyError(name)
        self._loading.append(name)
        try:
            return read_choice(text, f"{name}.toml", self.get, codec_of_text)
        finally:
            self._loading.pop()

    def _path(self, name: str) -> Path:
        for folder in self._folders:
            path = folder / f"{name}.toml"
            if path.name == f"{name}.toml" and path.is_file():
                return path
        raise KeyError(name)
