"""Documents agree with the code, with one another, and with the files that they name."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import click
import pytest

from formats import Reason, Status
from gateway import errors
from gateway.cli.root import cli
from gateway.ways import (
    banks,
    batches,
    begun,
    books,
    card_lists,
    files,
    funding,
    payments,
    received,
    recoveries,
)
from tests.docs.advice import ADVICE
from tests.docs.markdown import DOCUMENTS, ROOT, anchors, blocks, commands, heading_levels, links
from tests.docs.pages import DOCS, PAGES

ENGLISH, CHINESE = ROOT / "README.md", ROOT / "README.zh-CN.md"


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("name", PAGES)
def test_generated_pages_are_those_of_the_tables(name: str) -> None:
    """Else run `python -m tests.docs.pages`."""
    assert (DOCS / name).read_text("utf-8") == PAGES[name]()


def test_every_reason_has_advice() -> None:
    assert set(ADVICE) == set(Reason)


@pytest.mark.parametrize("page", DOCUMENTS, ids=_name)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in links(page):
        if re.match(r"https?://", link):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", DOCUMENTS, ids=_name)
def test_no_document_names_a_developers_machine_or_a_package_host(page: Path) -> None:
    text = page.read_text("utf-8")
    assert (
        re.findall(r"(?<![\w.])/(?:home|work|root|Users|mnt)/\S*|\bpypi\b|\bfiles\.pythonhosted\S*", text)
        == []
    )


def test_every_page_is_on_the_map() -> None:
    mapped = {link.partition("#")[0] for link in links(ENGLISH)}
    pages = {page.relative_to(ROOT).as_posix() for page in DOCS.glob("*.md")}
    assert pages - mapped == set()


def test_the_chinese_readme_has_the_same_headings_commands_examples_and_links() -> None:
    assert heading_levels(CHINESE) == heading_levels(ENGLISH)
    english, chinese = (
        [command.split("#")[0].strip() for command in commands(page)] for page in (ENGLISH, CHINESE)
    )
    assert chinese == english
    assert blocks(CHINESE, "python") == blocks(ENGLISH, "python")
    swapped = {"README.zh-CN.md": "README.md"}
    assert links(CHINESE) == [swapped.get(link, link) for link in links(ENGLISH)]


def test_the_readmes_example_is_the_file_beside_it() -> None:
    example = (DOCS / "examples" / "hand_over.py").read_text("utf-8")
    assert blocks(ENGLISH, "python") == [example]


def test_make_targets_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    wanted = [command.split()[1] for command in commands(ENGLISH) if command.startswith("make ")]
    assert wanted == ["demo", "test"]
    assert [target for target in wanted if f"\n{target}:" not in makefile] == []


@pytest.mark.parametrize("page", [ENGLISH, DOCS / "platform.md"], ids=_name)
def test_every_status_is_explained(page: Path) -> None:
    if page != ENGLISH:
        text = page.read_text("utf-8")
        assert [status for status in Status if f"| `{status}` |" not in text] == []


def test_operators_read_of_every_decision_and_how_many_persons_it_needs() -> None:
    text = (DOCS / "operators.md").read_text("utf-8")
    modules = (batches, payments, files, received, banks, begun, books, funding, recoveries, card_lists)
    ways = {
        (decision, way.persons_needed, way.needs_exhibit)
        for module in modules
        for table in module.TABLES
        for decision, way in table.items()
    }
    told = {
        (decision, int(count), bool(letter))
        for decision, count, letter in re.findall(r"\| `([a-z-]+)` \| ([12])( \+ letter)? \|", text)
    }
    assert told == ways


def test_operators_read_of_every_exit_code() -> None:
    text = (DOCS / "operators.md").read_text("utf-8")
    assert [code for code in errors.ExitCode if f"\n| {int(code)} | " not in text] == []


def test_every_command_is_told_of() -> None:
    assert isinstance(cli, click.Group)
    text = "".join(page.read_text("utf-8") for page in DOCUMENTS)
    assert [name for name in cli.commands if f"bankgate {name}" not in text] == []


def test_errors_that_the_platform_reads_of_exist() -> None:
    text = (DOCS / "platform.md").read_text("utf-8").partition("## Errors")[2]
    named = re.findall(r"^\| `([A-Za-z]+)` \|", text, re.MULTILINE)
    assert named
    assert [name for name in named if not hasattr(errors, name)] == []


def test_decisions_are_numbered_without_a_gap_and_listed() -> None:
    pages = sorted(page.name for page in (DOCS / "decisions").glob("[0-9]*.md"))
    assert [name[:4] for name in pages] == [f"{number:04d}" for number in range(1, len(pages) + 1)]
    assert [link for link in links(DOCS / "decisions" / "README.md") if link in pages] == pages


def test_modules_that_decisions_cite_exist() -> None:
    cited = {
        name
        for page in (DOCS / "decisions").glob("[0-9]*.md")
        for name in re.findall(r"See `([^`]+)`", page.read_text("utf-8"))
    }
    assert cited
    assert [name for name in sorted(cited) if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", [ENGLISH, CHINESE, DOCS / "architecture.md"], ids=_name)
def test_the_picture_of_the_house_has_the_imports_of_the_code(page: Path) -> None:
    (picture,) = blocks(page, "mermaid")
    rooms = ("gateway", "formats", "keys", "channels")
    drawn = {pair for pair in re.findall(r"(\w+)(?:\[.*\])? --> (\w+)", picture) if set(pair) <= set(rooms)}
    assert drawn == {(room, other) for room in rooms for other in _imported(room) & set(rooms) - {room}}


def _imported(room: str) -> set[str]:
    """The packages that the modules of a room import."""
    found: set[str] = set()
    for path in (ROOT / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
            elif isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
    return found


def test_the_rows_of_the_plan_name_code_and_tests_that_are_there() -> None:
    """A row without code says so (none:), and has no test."""
    found = []
    for line in (DOCS / "plan.md").read_text("utf-8").splitlines():
        if not line.startswith(("| 二", "| 三", "| 四", "| 五")):
            continue
        section, sentence, rule, code, tests = (cell.strip() for cell in line.strip("|").split("|"))
        found.append(section)
        named = [ROOT / path for path in re.findall("`([^`]+)`", code)]
        named += [ROOT / "tests" / path for path in re.findall("`([^`]+)`", tests)]
        assert [path for path in named if not path.exists()] == [], sentence
        assert (code == "") is (tests == "") is rule.startswith("none: "), sentence
    wanted = [*(f"四({part})" for part in "一二三四五"), *(f"五({part})" for part in "一二三四")]
    assert sorted({*wanted} - {*found}) == []
