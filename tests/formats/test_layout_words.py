"""What is shown of a layout is its own language: words that are written back read to the same value."""

from __future__ import annotations

import pytest

from formats.language.kinds import read_kind
from formats.language.meanings import parse_meaning, parse_selection
from formats.language.model import Field, FieldKind, Kind, Layout, Node, Syntax, Width
from formats.language.source import LayoutSource
from formats.language.structure import read_structure
from formats.language.words import (
    code_words,
    kind_words,
    meaning_words,
    occurrence_words,
    structure_words,
    width_words,
)
from formats.tools.files import all_layouts

LAYOUTS = {layout.name: layout for layout in all_layouts()}


def fields_of(layout: Layout) -> list[Field]:
    framed = layout.frame.record.fields if layout.frame else ()
    return [*layout.table, *framed, *(field for record in layout.records for field in record.fields)]


def without_flags(words: str) -> str:
    return words.removesuffix("  optional").removesuffix("  key")


@pytest.mark.parametrize("name", LAYOUTS)
def test_meanings_of_what_ships_read_back(name: str) -> None:
    fields = [field for field in fields_of(LAYOUTS[name]) if field.meaning is not None]
    assert fields
    for field in fields:
        plain, values = parse_selection(without_flags(meaning_words(field)))
        assert parse_meaning(plain) == field.meaning
        assert values == field.values


@pytest.mark.parametrize("name", LAYOUTS)
def test_kinds_of_what_ships_read_back(name: str) -> None:
    layout = LAYOUTS[name]
    for field in fields_of(layout):
        if field.kind is not None:
            source = LayoutSource("", name)
            syntax = Syntax.FIXED if field.width else layout.syntax
            assert read_kind(source, 1, kind_words(field.kind), syntax) == field.kind
            assert source.problems == []


@pytest.mark.parametrize(
    "words",
    [
        "text",
        "text <=20",
        "text 12",
        "digits check luhn",
        "number",
        "money.3 overpunch",
        "yuan.2 comma thousands trailing-sign",
        'yuan.2 suffix "元" signed',
        'date " YYDDD"',
        "date MMDD near file.bank_day",
        "datetime YYYY-MM-DDTHH:MM:SS",
        "blank",
    ],
)
def test_every_argument_of_a_kind_reads_back(words: str) -> None:
    source = LayoutSource("", "test")
    kind = read_kind(source, 1, words, Syntax.FIXED)
    assert kind is not None
    assert read_kind(source, 1, kind_words(kind), Syntax.FIXED) == kind


def without_lines(node: Node) -> tuple[object, ...]:
    below = tuple(map(without_lines, node.children))
    return (node.name, node.literal, node.prefix, node.minimum, node.maximum, node.any_order, below)


@pytest.mark.parametrize("name", [name for name, layout in LAYOUTS.items() if layout.structure])
def test_structures_of_what_ships_read_back(name: str) -> None:
    layout = LAYOUTS[name]
    lines = structure_words(layout.structure)
    text = "structure = '''\n" + "\n".join(lines) + "\n'''\n"
    source = LayoutSource(text, name)
    again = read_structure(source, "\n".join(lines) + "\n")
    assert source.problems == []
    assert list(map(without_lines, again)) == list(map(without_lines, layout.structure))


def test_places_and_codes_as_the_language_writes_them() -> None:
    assert width_words(Width(bytes_=20)) == "20"
    assert width_words(Width(bytes_=17, right=True)) == "17>"
    assert width_words(Width(bytes_=10, right=True, fill="0")) == "10>0"
    assert occurrence_words(Node(line=1, name="a")) == ""
    assert occurrence_words(Node(line=1, name="a", minimum=0, maximum=None)) == "0..*"
    assert occurrence_words(Node(line=1, name="a", minimum=3, maximum=3)) == "3"
    codes = [code_words(code) for code in LAYOUTS["rural-credit-result"].outcome_codes[:3]]
    assert codes == [
        ("AAAAAAA", "credited", ""),
        ("blank", "credited", ""),
        ("3006", "credited", "CARD_LOST"),
    ]
    assert kind_words(FieldKind(name=Kind.TEXT)) == "text"
