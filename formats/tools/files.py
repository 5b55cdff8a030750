"""Layouts by name or by file, as tables and not as codecs: for the tools of an engineer."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from formats.choice import is_choice, named_in
from formats.errors import LayoutError
from formats.language.layout import read_layout
from formats.language.model import Layout
from formats.records import Problem
from formats.registry import SHIPPED_FOLDER


def find_layouts(named: str, folders: Iterable[Path] = ()) -> list[Layout]:
    """The layout of a file or of a name; of a choice all that it names, in their order.

    A file is anything that exists. Names are looked for in `folders`, then among what ships.
    Raises KeyError where there is none, `LayoutError`, `OSError`.
    """
    path = Path(named)
    if path.is_file():
        return _read(path, [path.parent, *folders, SHIPPED_FOLDER])
    places = [*folders, SHIPPED_FOLDER]
    return _read(_path_of(named, places), places)


def all_layouts(folders: Iterable[Path] = ()) -> list[Layout]:
    """Every layout that loads, by name; of one name the first folder's. Choices are left out."""
    found: dict[str, Layout] = {}
    for folder in (*folders, SHIPPED_FOLDER):
        for path in sorted(folder.glob("*.toml")):
            if path.stem in found or is_choice(path.read_text("utf-8", "replace")):
                continue
            try:
                found[path.stem] = read_layout(path)
            except LayoutError:
                continue
    return [found[name] for name in sorted(found)]


def _read(path: Path, folders: list[Path], above: tuple[str, ...] = ()) -> list[Layout]:
    text = path.read_text("utf-8", "replace")
    if not is_choice(text):
        return [read_layout(path)]
    found: list[Layout] = []
    for name in named_in(text):
        if name in above:
            message = f"{path.name}: the choice leads back to {name}"
            raise LayoutError([Problem(code="choice", message=message, source=path.name)])
        found += _read(_path_of(name, folders), folders, (*above, name))
    return found


def _path_of(name: str, folders: list[Path]) -> Path:
    for folder in folders:
        path = folder / f"{name}.toml"
        if path.name == f"{name}.toml" and path.is_file():
            return path
    raise KeyError(name)
