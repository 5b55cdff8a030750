"""One TOML file read against a struct: every mistake, with the line where it stands."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct, field

from gateway.configuration.toml_places import Place, find_places
from gateway.configuration.toml_source import TomlSource, dotted, shown


class Part(Struct, kw_only=True):
    name: str
    width: Annotated[int, Meta(ge=1, le=20)] = 1


class House(Struct, kw_only=True):
    colour: Literal["red", "blue"]
    built: date
    rooms: int
    lit: bool = False
    walls: list[Part] = field(default_factory=list)
    door: Part | None = None
    labels: dict[Annotated[str, Meta(pattern="^[a-z]+$", description="small letters")], str] = field(
        default_factory=dict
    )
    windows: Annotated[list[str], Meta(min_length=1, max_length=2)] = field(default_factory=lambda: ["one"])


GOOD = 'colour = "red"\nbuilt = 2026-01-31\nrooms = 3\n'


def mistakes(folder: Path, text: str | bytes) -> list[tuple[int | None, str, str]]:
    """(line, column, message without the file's name) of every problem of `text` as a House."""
    path = folder / "house.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    source = TomlSource(path)
    value = source.read_as(House)
    assert (value is None) == bool(source.problems)
    assert {problem.source for problem in source.problems} <= {str(path)}
    return [
        (problem.line, problem.column, problem.message.removeprefix(f"{path} "))
        for problem in source.problems
    ]


def test_a_good_file_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "house.toml"
    path.write_text(
        GOOD + 'door = { name = "oak" }\n[[walls]]\nname = "north"\nwidth = 20\n[labels]\na = "b"\n'
    )
    assert TomlSource(path).read_as(House) == House(
        colour="red",
        built=date(2026, 1, 31),
        rooms=3,
        door=Part(name="oak"),
        walls=[Part(name="north", width=20)],
        labels={"a": "b"},
    )


def test_windows_line_ends_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    path = tmp_path / "house.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert TomlSource(path).read_as(House) == House(colour="red", built=date(2026, 1, 31), rooms=3)


def test_all_mistakes_of_a_file_are_reported_at_once(tmp_path: Path) -> None:
    text = """\
# a house
colour = "green"
built = 2026-01-31T10:00:00

lit = 1
widht = 3
windows = []

[[walls]]
name = "north"
width = 21

[[walls]]
nane = "south"

[labels]
Big = "no"

[door]
width = "3"
"""
    assert mistakes(tmp_path, text) == [
        (2, "colour", 'line 2 colour: found "green", wanted one of "red", "blue"'),
        (3, "built", "line 3 built: found 2026-01-31 10:00:00, wanted a date such as 2026-01-31"),
        (5, "lit", "line 5 lit: found 1, wanted true or false"),
        (6, "widht", "line 6 widht: unknown key"),
        (7, "windows", "line 7 windows: found 0 elements, wanted a list of at least 1 of at most 2"),
        (11, "walls[1].width", "line 11 walls[1].width: found 21, wanted a whole number from 1 to 20"),
        (14, "walls[2].nane", "line 14 walls[2].nane: unknown key, did you mean name?"),
        (17, "labels.Big", "line 17 labels.Big: the name does not fit: wanted small letters"),
        (20, "door.width", 'line 20 door.width: found "3", wanted a whole number from 1 to 20'),
        (19, "door.name", "line 19 door.name: missing, wanted text in quotes"),
        (1, "rooms", "line 1 rooms: missing, wanted a whole number"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            GOOD + 'door = "oak"\n',
            [(4, "door", 'line 4 door: found "oak", wanted a table')],
            id="text for table",
        ),
        pytest.param(
            GOOD + "walls = 3\n", [(4, "walls", "line 4 walls: found 3, wanted a list")], id="number for list"
        ),
        pytest.param(
            GOOD + "labels = [1]\n",
            [(4, "labels", "line 4 labels: found a list, wanted a table")],
            id="list for table",
        ),
        pytest.param(
            GOOD + 'windows = [\n  "a",\n  3,\n]\n',
            [(6, "windows[2]", "line 6 windows[2]: found 3, wanted text in quotes")],
            id="element of a list over lines",
        ),
        pytest.param(
            GOOD + 'door = { name = "oak", wide = 3 }\n',
            [(4, "door.wide", "line 4 door.wide: unknown key, did you mean width?")],
            id="inline table",
        ),
        pytest.param(
            GOOD + 'door.name = "oak"\ndoor.width = 0\n',
            [(5, "door.width", "line 5 door.width: found 0, wanted a whole number from 1 to 20")],
            id="dotted key",
        ),
        pytest.param(
            GOOD.replace("rooms = 3", "rooms = 3.0"),
            [(3, "rooms", "line 3 rooms: found 3.0, wanted a whole number")],
            id="float",
        ),
        pytest.param(
            GOOD.replace("rooms = 3", 'rooms = "6231990000001208674"'),
            [(3, "rooms", 'line 3 rooms: found "***************8674", wanted a whole number')],
            id="long numbers are masked",
        ),
    ],
)
def test_a_mistake_and_its_line(tmp_path: Path, text: str, expected: list[tuple[int, str, str]]) -> None:
    assert mistakes(tmp_path, text) == expected


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (GOOD + 'password = "geheim"\n', 4),
        (GOOD + 'key_passphrase = "geheim"\n', 4),
        (GOOD + '[labels]\nsecret = "geheim"\n', 5),
        (GOOD + '[labels]\na = """\n-----BEGIN PRIVATE KEY-----\ngeheim\n"""\n', 5),
    ],
)
def test_a_secret_is_refused_and_not_repeated(tmp_path: Path, text: str, line: int) -> None:
    (found,) = mistakes(tmp_path, text)
    assert (found[0], found[2].partition(": ")[2]) == (line, "a secret never stands in TOML")
    assert "geheim" not in repr(found)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('colour = "red"\nbuilt = \n', 2, "line 2: is not TOML: invalid value"),
        ('colour = "red"\ncolour = "blue"\n', 2, "line 2: is not TOML: cannot overwrite a value"),
        ("a = 1\n\nb = [1,\n2\n", 4, "line 4: is not TOML: unclosed array"),
        ("a = 1\nb = '\xe9'\n".encode("latin-1"), 2, "line 2: byte 0xe9 is not UTF-8"),
        ("a = 1\n# 贝\nb = 2\n".encode("gb18030"), 2, "line 2: byte 0xb1 is not UTF-8"),
    ],
    ids=["syntax", "twice", "unclosed", "latin-1", "gb18030"],
)
def test_a_file_that_is_no_toml(tmp_path: Path, text: str | bytes, line: int, message: str) -> None:
    assert mistakes(tmp_path, text) == [(line, "", message)]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    source = TomlSource(tmp_path / "house.toml")
    assert source.read_as(House) is None
    assert [(p.code, p.line, p.message) for p in source.problems] == [
        (
            "configuration.unreadable",
            None,
            f"{tmp_path / 'house.toml'}: cannot be read: there is no such file",
        )
    ]


def test_a_folder_in_place_of_a_file(tmp_path: Path) -> None:
    (problem,) = TomlSource(tmp_path).problems
    assert problem.message == f"{tmp_path}: cannot be read: Is a directory"


def test_places_of_all_shapes_of_keys() -> None:
    text = '''\
top = 1          # "not = a key"
"quoted key" = """
not = a key
[not.a.table]
"""
[a.b]            # a comment ] = [
'lit' = 'x = y'
dotted . inner = [ 1, "]", # comment ]
  [2],
  { deep = 3 },
]
[[many]]
x = 1
[many.sub]
y = 2
[[many]]
[many.sub]
y = """a"""
[a]
late = 2026-01-01
'''
    tomllib.loads(text)
    assert find_places(text) == {
        ("top",): 1,
        ("quoted key",): 2,
        ("a",): 19,
        ("a", "b"): 6,
        ("a", "b", "lit"): 7,
        ("a", "b", "dotted"): 8,
        ("a", "b", "dotted", "inner"): 8,
        ("a", "b", "dotted", "inner", 0): 8,
        ("a", "b", "dotted", "inner", 1): 8,
        ("a", "b", "dotted", "inner", 2): 9,
        ("a", "b", "dotted", "inner", 2, 0): 9,
        ("a", "b", "dotted", "inner", 3): 10,
        ("a", "b", "dotted", "inner", 3, "deep"): 10,
        ("many",): 12,
        ("many", 0): 12,
        ("many", 0, "x"): 13,
        ("many", 0, "sub"): 14,
        ("many", 0, "sub", "y"): 15,
        ("many", 1): 16,
        ("many", 1, "sub"): 17,
        ("many", 1, "sub", "y"): 18,
        ("a", "late"): 20,
    }


def _places(value: Any, place: Place = ()) -> set[Place]:
    inner: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    found = {place} if place else set()
    return found.union(*(_places(part, (*place, key)) for key, part in inner))


_TEXTS = st.text(st.sampled_from("ab\"'\\#=[]{}, .\n金"), max_size=6)
_VALUES = st.recursive(
    st.one_of(st.integers(), st.booleans(), _TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=8,
)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        if "'" not in value and "\\" not in value:
            return f"'''\n{value}'''"
        return _quoted(value)
    if isinstance(value, list):
        return "[" + ",\n".join(_written(part) for part in value) + "]"
    return "{" + ", ".join(f"{_quoted(key)} = {_written(part)}" for key, part in value.items()) + "}"


@given(st.dictionaries(_TEXTS, _VALUES, max_size=4))
def test_every_value_of_any_document_has_a_place(document: dict[str, Any]) -> None:
    text = "".join(f"{_quoted(key)} = {_written(value)} # ]\n" for key, value in document.items())
    assert tomllib.loads(text) == document
    assert set(find_places(text)) == _places(document)


def test_places_are_written_as_people_count() -> None:
    assert dotted(("inbound", 0, "pattern")) == "inbound[1].pattern"


def test_shown_values_are_short() -> None:
    assert [shown("a" * 80), shown(["x"]), shown(True)] == ['"' + "a" * 59 + "...", "a list", "true"]
