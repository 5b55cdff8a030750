"""The schema for editors says what the loader says: of keys, types and words, never of text blocks."""

from __future__ import annotations

import tomllib
from typing import Any

import jsonschema
import pytest

from formats.errors import LayoutError
from formats.language.layout import ENVELOPE_KEYS, FRAMING_KEYS, parse_layout
from formats.registry import SHIPPED_FOLDER
from formats.tools.schema import SHIPPED_SCHEMA, schema, schema_bytes
from tests.formats.test_layouts_page import CHOICE
from tests.formats.test_layouts_page import LAYOUTS as EXAMPLES

VALIDATOR = jsonschema.Draft7Validator(schema())
SHIPPED = {path.stem: path.read_text("utf-8") for path in SHIPPED_FOLDER.glob("*.toml")}
TEXT = EXAMPLES["example-result"]


def test_what_ships_is_up_to_date() -> None:
    """Else run `python -m formats.tools.schema`."""
    assert SHIPPED_SCHEMA.read_bytes() == schema_bytes()
    jsonschema.Draft7Validator.check_schema(schema())


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_layout_is_valid(name: str) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(tomllib.loads(SHIPPED[name]))] == []


@pytest.mark.parametrize("name", [*EXAMPLES, "choice"])
def test_every_example_of_the_reference_is_valid(name: str) -> None:
    text = CHOICE if name == "choice" else EXAMPLES[name]
    assert [error.message for error in VALIDATOR.iter_errors(tomllib.loads(text))] == []


def refused_by_schema(document: dict[str, Any]) -> bool:
    return not VALIDATOR.is_valid(document)


def refused_by_loader(text: str) -> set[str]:
    try:
        parse_layout(text, "test")
    except LayoutError as error:
        return {problem.code for problem in error.problems}
    return set()


@pytest.mark.parametrize("key", ENVELOPE_KEYS)
def test_a_key_of_another_type_is_refused_by_both(key: str) -> None:
    assert refused_by_schema(tomllib.loads(TEXT) | {key: 3.5})
    # Before the first table, and in place of the key that may be there; what is left of its block is no TOML.
    lines = [line for line in TEXT.splitlines() if not line.startswith((f"{key} ", f"[{key}."))]
    assert refused_by_loader(f"{key} = 3.5\n" + "\n".join(lines))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('purpose = "result"', 'purpose = "results"'),
        ('syntax  = "delimited"', 'syntax  = "csv"'),
        ('layout  = "example-result"', 'layuot  = "example-result"'),
        ('version = "1"', ""),
        ('delimiter = "|"', 'delimiter = "|", after_each_field = "|"'),
        ('encoding = "gb2312"', 'encoding = "ebcdic"'),
        ("after_last = true", 'after_last = "yes"'),
        ('eol = "crlf"', 'eol = "crlf", tolerate = ["everything"]'),
        ('eol = "crlf"', 'eol = "crlf", fill_lines = { to = 10, line = "9" }'),
        ("[codes.outcome]", "[codes.outcomes]"),
        ('version = "1"', 'version = "1"\ndecimals = 7'),
        ('version = "1"', 'version = "1"\nsilence = "failed"'),
        ('version = "1"', 'version = "1"\nnamespaces = ["urn:x"]'),
    ],
)
def test_what_the_loader_refuses_of_words_and_keys_the_schema_refuses(before: str, after: str) -> None:
    assert before in TEXT
    text = TEXT.replace(before, after, 1)
    assert refused_by_loader(text)
    assert refused_by_schema(tomllib.loads(text))


def test_every_key_is_explained() -> None:
    entries = schema()["properties"]
    assert entries.keys() == ENVELOPE_KEYS.keys() | {"choose"}
    framing = entries["framing"]["properties"]
    assert framing.keys() == FRAMING_KEYS.keys()
    assert all(entry["description"] for entry in [*entries.values(), *framing.values()])
