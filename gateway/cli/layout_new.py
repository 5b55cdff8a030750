"""`bankgate layout new`: a draft from the table of a bank's paper, with every guess marked."""

from __future__ import annotations

import re
from pathlib import Path

import click
from rich.markup import escape

from formats.charset import ENCODING_LABELS
from formats.codec import Purpose
from formats.drafts.draft import DraftOrder, draft_layout
from formats.drafts.paper import read_paper
from formats.errors import LayoutError
from formats.language.layout import parse_layout
from formats.language.model import LINE_ENDS, Syntax
from formats.tools.schema import SCHEMA_NAME, schema_bytes
from gateway.cli.options import JSON
from gateway.errors import Refused
from gateway.screens import screen

_BANK = re.compile(r"[a-z][a-z0-9-]{0,40}")


@click.command()
@click.argument("table", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--bank", required=True, help="The bank's name in layouts and profiles, such as town-bank.")
@click.option(
    "--purpose",
    type=click.Choice([purpose.value for purpose in Purpose]),
    default=Purpose.REQUEST.value,
    show_default=True,
)
@click.option(
    "--sheet", "sheets", multiple=True, help="Of a workbook only this sheet; may be given several times."
)
@click.option(
    "--answers", default="", help="The request that it answers; BANK-request unless said otherwise."
)
@click.option("--syntax", type=click.Choice([syntax.value for syntax in Syntax]), default=None)
@click.option("--encoding", type=click.Choice(list(ENCODING_LABELS)), default=None)
@click.option("--eol", type=click.Choice(list(LINE_ENDS)), default=None)
@click.option("--delimiter", default="")
@click.option("--source", default="", help="Where the table comes from: paper, date, page.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The folder of your layouts.",
)
@JSON
def new(
    table: Path,
    bank: str,
    purpose: str,
    sheets: tuple[str, ...],
    answers: str,
    syntax: str | None,
    encoding: str | None,
    eol: str | None,
    delimiter: str,
    source: str,
    output: Path,
    as_json: bool,
) -> None:
    """Draft a layout from TABLE, the fields of a paper as CSV or XLSX.

    Headings are Chinese or English: name, length, type, required, remark, start; for XML the tag or path of
    each element, its level, how often it comes. What is guessed is marked by `# ?`, what cannot be guessed is
    `???`; the draft loads when a person has confirmed every line.
    """
    if _BANK.fullmatch(bank) is None:
        raise click.UsageError("--bank is letters, digits and -, in lower case, such as town-bank")
    if delimiter and (len(delimiter) != 1 or delimiter in "\"'\\" or not delimiter.isprintable()):
        raise click.UsageError("--delimiter is one sign, such as |")
    name = f"{bank}-{purpose}"
    path = output / f"{name}.toml"
    if path.exists():
        raise Refused(f"{path} is there already", hint="move it away, or draft into another folder")
    wanted = Purpose(purpose)
    is_answer = wanted in (Purpose.RESULT, Purpose.ACKNOWLEDGEMENT)
    draft = draft_layout(
        read_paper(table, sheets),
        DraftOrder(
            name=name,
            purpose=wanted,
            source=source or table.name + "".join(f", {sheet}" for sheet in sheets),
            answers=answers or (f"{bank}-request" if is_answer else ""),
            syntax=syntax or "",
            encoding=encoding or "",
            eol=eol or "",
            delimiter=delimiter,
        ),
    )
    output.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#:schema ./{SCHEMA_NAME}\n{draft.text}", "utf-8")
    (output / SCHEMA_NAME).write_bytes(schema_bytes())
    if draft.codes:
        (output / f"{name}.codes").write_text(draft.codes, "utf-8")
    mistakes = _other_mistakes(path)
    if as_json:
        screen.as_json(
            {"layout": path, "guesses": draft.guesses, "questions": draft.questions, "mistakes": mistakes}
        )
        return
    screen.say(escape(f"{path}: {draft.guesses} guesses to confirm, {len(draft.questions)} questions"))
    for question in draft.questions:
        screen.say(escape(f"  ask: {question}"))
    for mistake in mistakes:
        screen.say(escape(f"  mend: {mistake}"))


def _other_mistakes(path: Path) -> list[str]:
    """What is wrong with the draft besides its guesses and what could not be guessed."""
    text = path.read_text("utf-8")
    lines = text.split("\n")
    try:
        parse_layout(text, path.name)
    except LayoutError as error:
        return [
            problem.message
            for problem in error.problems
            if problem.code != "unconfirmed" and "???" not in problem.message + lines[(problem.line or 1) - 1]
        ]
    return []
