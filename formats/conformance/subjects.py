"""What a folder holds to be checked: layouts, codecs in code that have vectors there, lists of codes.

FOLDER/my-bank-request.toml       a layout
FOLDER/my-bank-result.codes       the codes of the bank's paper (see `declared.py`)
FOLDER/vectors/my-bank-result/    golden files of the layout, or of a codec in code of that name
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from formats.choice import is_choice
from formats.codec import Codec
from formats.conformance.declared import SUFFIX, Declared, read_declared
from formats.conformance.vectors import VECTORS, Vector, load_vectors
from formats.errors import LayoutError
from formats.language.layout import parse_layout
from formats.language.model import Layout
from formats.records import Problem
from formats.registry import Registry

LAYOUT, CHOICE, CODE = "layout", "choice", "code"


class Subject(Struct, frozen=True, kw_only=True):
    """A format and what there is to hold it against. `layout` is None for codecs in code and choices.

    `registry` finds the formats that it names. `problems` are mistakes of vectors and lists of codes.
    """

    name: str
    kind: str
    registry: Registry
    codec: Codec
    layout: Layout | None
    vectors: list[Vector]
    declared: Declared | None
    problems: list[Problem]

    @property
    def clean(self) -> list[Vector]:
        """Golden files that are read without any problem: what others are made of."""
        return [
            vector
            for vector in self.vectors
            if vector.content is not None
            and not vector.content.problems
            and not vector.content.tolerated
            and not vector.expected.only_read
        ]


class Broken(Struct, frozen=True, kw_only=True):
    """A format that cannot be loaded, and why."""

    name: str
    kind: str
    problems: list[Problem]


def names_in(folder: Path) -> list[str]:
    """Every format of a folder: its layouts, and what has vectors there."""
    layouts = {path.stem for path in folder.glob("*.toml")}
    vectors = {path.name for path in (folder / VECTORS).glob("*") if path.is_dir()}
    return sorted(layouts | vectors)


def load_subject(name: str, folder: Path, beside: Sequence[Path] = ()) -> Subject | Broken:
    """One format of a folder with all that belongs to it; formats it names may lie in those beside."""
    registry = Registry([folder, *beside])
    path = folder / f"{name}.toml"
    kind = LAYOUT if path.is_file() else CODE
    try:
        codec = registry.get(name)
        text = registry.source_text(name)
    except LayoutError as error:
        return Broken(name=name, kind=kind, problems=error.problems)
    except Exception as error:  # noqa: BLE001 - a codec in code is loaded, and may fail in any way
        return Broken(name=name, kind=kind, problems=[_missing(name, error)])
    layout = None
    if not text:
        kind = CODE
    elif is_choice(text):
        kind = CHOICE
    else:
        kind, layout = LAYOUT, parse_layout(text, f"{name}.toml")
    vectors, problems = load_vectors(folder / VECTORS / name, codec)
    declared, mistakes = read_declared(folder / f"{name}{SUFFIX}")
    return Subject(
        name=name,
        kind=kind,
        registry=registry,
        codec=codec,
        layout=layout,
        vectors=vectors,
        declared=declared,
        problems=problems + mistakes,
    )


def _missing(name: str, error: Exception) -> Problem:
    if isinstance(error, KeyError):
        hint = "the folder's name is that of a layout beside `vectors`, or of a codec in code"
        message = f"{VECTORS}/{name}: there is no format {name}"
    else:
        hint = "a layout is text in UTF-8; an entry point names a callable that gives a codec"
        message = f"{name}: cannot be loaded, {type(error).__name__}: {error}"
    return Problem(code="format-missing", message=message, source=name, hint=hint)
