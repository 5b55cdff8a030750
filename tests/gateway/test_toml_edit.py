"""Changes of TOML files that people keep: what was meant, and nothing else."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.configuration.toml_edit import with_block, with_end
from gateway.errors import Refused

AT = datetime(2026, 9, 1, 2, 3, 4, tzinfo=UTC)
RING = """\
# whose signatures count
[[key]]
id = "li"            # since the beginning
role = "person"      # two of them are needed

# the second one
[[key]]
valid_until = 2030-01-01   # the end of his term
id = "wang"

[[key]]
id = "zhao"
subjects = [
    "CN=a",
    "CN=b",
]
"""


@pytest.mark.parametrize(
    ("index", "after", "line"),
    [
        (0, 'role = "person"      # two of them are needed\n', "valid_until = 2026-09-01T02:03:04Z\n"),
        (1, "[[key]]\n", "valid_until = 2026-09-01T02:03:04Z   # the end of his term\n"),
    ],
)
def test_an_end_is_set_where_it_belongs(index: int, after: str, line: str) -> None:
    changed = with_end(RING, index, AT)
    assert after + line in changed
    left = changed.replace(line, "valid_until = 2030-01-01   # the end of his term\n" if index else "")
    assert left == RING


@pytest.mark.parametrize(
    "text",
    [
        'key = [{ id = "li" }]\n',
        '[[key]]\nid = "li"\nvalid_until = """\n2030"""\n',
    ],
)
def test_what_is_written_otherwise_is_left_to_a_person(text: str) -> None:
    with pytest.raises(Refused, match="cannot be made safely") as refused:
        with_end(text, 0, AT)
    assert "valid_until = 2026-09-01T02:03:04Z" in refused.value.hint


def test_a_block_at_the_end_of_a_list() -> None:
    text = RING.removesuffix("\n")
    changed = with_block(text, ("key",), {"id": "new", "valid_from": AT}, of_list=True)
    assert changed == f'{RING}\n[[key]]\nid = "new"\nvalid_from = 2026-09-01T02:03:04Z\n'


@pytest.mark.parametrize("text", ['person = { li = { name = "x" } }\n', '[person.li]\nname = "x"\n'])
def test_a_block_that_cannot_be_added(text: str) -> None:
    with pytest.raises(Refused, match="cannot be made safely"):
        with_block(text, ("person", "li"), {"name": "李"})


@given(st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1))
def test_any_title_is_quoted_or_refused(title: str) -> None:
    if title.isprintable():
        changed = with_block("", ("person", "li"), {"name": title})
        assert tomllib.loads(changed) == {"person": {"li": {"name": title}}}
    else:
        with pytest.raises(Refused, match="characters"):
            with_block("", ("person", "li"), {"name": title})


def test_control_characters_are_refused() -> None:
    with pytest.raises(Refused, match="characters"):
        with_block("", ("person", "li"), {"name": 'a"\n[person.eve]\nname = "b'})
