"""`bankgate layout dump`: any bank file, annotated field by field, with gaps and doubtful places marked."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import click
import msgspec
from rich.markup import escape

from formats.dump.annotate import Tally, dump, verdict
from formats.dump.model import Passage, Piece
from formats.dump.recognition import LOOK_BYTES, recognise
from formats.language.model import Layout
from formats.tools.documents import aligned
from formats.tools.files import all_layouts
from gateway.cli.layout_options import LAYOUT_FOLDERS, one_layout
from gateway.cli.options import JSON
from gateway.errors import ExitCode, Refused
from gateway.screens import screen

_GZIP = b"\x1f\x8b"
_UNMASKED = "names, accounts and IDs are shown as they stand: handle what is printed as the file itself"
_MOST_TOLD = 20
"""Of what the decoder says; the rest is counted."""


@click.command("dump")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--layout", "layout_name", help="A name or a file; without it the file is recognised.")
@click.option("--unmasked", is_flag=True, help="Show personal data. What is shown is then personal data too.")
@click.option("--doubtful", is_flag=True, help="Only lines and elements with a doubtful place.")
@LAYOUT_FOLDERS
@JSON
def dump_file(
    file: Path,
    layout_name: str | None,
    unmasked: bool,
    doubtful: bool,
    folders: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Annotate FILE field by field: `?` before what is doubtful, `.` before what no field describes.

    `offset` is the byte of the file from 0, `bytes` are those of the line from 1, as papers print them.
    It goes on whatever the bytes are. Exit code 1 where something is doubtful.
    """
    if unmasked:
        # Not among what is printed, which may be JSON for a program.
        click.echo(f"warning: {_UNMASKED}", err=True)
    try:
        layout = _layout(file, layout_name, folders, as_json)
        with _opened(file) as source:
            tally = _show(dump(source, layout, masked=not unmasked), doubtful, as_json)
        doubts = tally.doubts + _tell(file, layout, tally, as_json)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Refused(
            f"{file} is a damaged gzip file", hint="unpack what can be unpacked, then look at that"
        ) from error
    sys.exit(ExitCode.NEEDS_PERSON if doubts else ExitCode.DONE)


def _opened(file: Path) -> BinaryIO:
    """The file's bytes; a gzip file is unpacked on the way."""
    with file.open("rb") as source:
        packed = source.read(len(_GZIP)) == _GZIP
    return cast(BinaryIO, gzip.open(file, "rb")) if packed else file.open("rb")


def _layout(file: Path, name: str | None, folders: tuple[Path, ...], as_json: bool) -> Layout | None:
    """The layout that is named, or the one that the file is recognised by."""
    if name is not None:
        return one_layout(name, folders)
    with _opened(file) as source:
        guesses = recognise(source.read(LOOK_BYTES), all_layouts(folders))
    if not as_json and not guesses:
        screen.say("no layout fits: what can be seen without one")
    elif not as_json:
        first, others = guesses[0], ", ".join(guess.layout.name for guess in guesses[1:3])
        also = f"; it could be {others} too" if others else ""
        clear = f"{first.per_mille} of 1000 bytes are clear"
        screen.say(f"layout {first.layout.name}, by the looks of it ({clear}){also}")
    return guesses[0].layout if guesses else None


def _show(passages: Iterator[Passage], doubtful: bool, as_json: bool) -> Tally:
    tally = Tally()
    for passage in passages:
        tally.add(passage)
        if doubtful and not any(passage.all_doubts()):
            continue
        if as_json:
            sys.stdout.write(msgspec.json.encode(passage).decode() + "\n")
        else:
            sys.stdout.write("\n".join(_lines(passage)) + "\n")
    return tally


def _lines(passage: Passage) -> Iterator[str]:
    last = max(passage.end - 1, passage.start)
    yield f"line {passage.line}  offset {passage.start}-{last}  {passage.name or 'unknown'}"
    yield from (f"? {doubt}" for doubt in passage.doubts)
    yield from aligned([_cells(piece) for piece in passage.pieces], right=(1, 2))


def _cells(piece: Piece) -> tuple[str, ...]:
    mark = "?" if piece.doubts else "." if piece.is_gap else " "
    size = piece.end - piece.start
    span = f"{piece.first}-{piece.first + size - 1}" if piece.first and size else str(piece.first or "")
    note = "; ".join(piece.doubts)
    return (
        mark,
        str(piece.start),
        span,
        piece.title,
        piece.shown,
        piece.meaning + (f"  <- {note}" if note else ""),
    )


def _tell(file: Path, layout: Layout | None, tally: Tally, as_json: bool) -> int:
    """The sum of it, and what reading by the layout says; how many problems that were."""
    problems = []
    if layout is not None:
        with _opened(file) as source:
            problems = verdict(source, layout)
    if as_json:
        name = "" if layout is None else layout.name
        summary = {"layout": name, "passages": tally.passages, "gaps": tally.gaps, "doubts": tally.doubts}
        sys.stdout.write(msgspec.json.encode({**summary, "problems": problems}).decode() + "\n")
        return len(problems)
    counts = ", ".join(f"{count} {name}" for name, count in tally.passages.items())
    screen.say(
        escape(
            f"{tally.end} bytes: {counts}; {tally.pieces} fields, {tally.gaps} gaps, {tally.doubts} doubts"
        )
    )
    if layout is not None:
        screen.say(
            escape(f"read by {layout.name}: {len(problems) or 'no'} problem{'s' * (len(problems) != 1)}")
        )
    for problem in problems[:_MOST_TOLD]:
        screen.say(escape(f"  {problem.message}"))
    return len(problems)
