"""What the tests of documents read out of Markdown."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

_BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)


def blocks(page: Path, kind: str) -> list[str]:
    """The contents of fenced blocks whose first line is exactly `kind`."""
    return [body for found, body in _BLOCK.findall(page.read_text("utf-8")) if found == kind]


def run_in_order(page: Path) -> int:
    """Run the Python blocks of a page in one program, in the current folder; how many."""
    names: dict[str, object] = {}
    examples = blocks(page, "python")
    for number, example in enumerate(examples, 1):
        exec(compile(example, f"{page.name} example {number}", "exec"), names)
    return len(examples)


def commands(page: Path) -> list[str]:
    """What a reader types: lines after `$ ` of console blocks, without remarks."""
    lines = [line for block in blocks(page, "console") for line in block.splitlines()]
    return [line[2:].split("  #")[0].strip() for line in lines if line.startswith("$ ")]


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return _BLOCK.sub("", page.read_text("utf-8"))


def links(page: Path) -> list[str]:
    return _LINK.findall(prose(page))


def heading_levels(page: Path) -> list[int]:
    return [len(marks) for marks, _ in _HEADING.findall(prose(page))]


def anchors(page: Path) -> set[str]:
    """Names under which headings can be linked, as GitHub makes them."""
    titles = [title for _, title in _HEADING.findall(prose(page))]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
