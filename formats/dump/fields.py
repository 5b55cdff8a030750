"""One field of a line, annotated: where it stands, what it is, what may be shown, what is doubtful."""

from __future__ import annotations

from msgspec.structs import replace

from formats.charset import UNWRITABLE, Charset
from formats.check_digits import invalid_values
from formats.dump.model import Piece, Showing
from formats.dump.split import Cut, unquoted
from formats.flat.compiler import Column, Plan, RecordPlan, Role
from formats.flat.field_cells import CellError
from formats.flat.record_reader import wanted_digit
from formats.language.words import meaning_words

_CODE_TABLES = {"outcome.code": "codes.outcome", "file.code": "codes.file"}


class FieldAnnotator:
    """Annotates the fields of a layout's records. Immutable."""

    def __init__(self, plan: Plan, showing: Showing) -> None:
        layout = plan.layout
        self._charset = plan.charset
        self._showing = showing
        self._quote = layout.framing.quote
        self._codes = {
            "outcome.code": {code.code for code in layout.outcome_codes},
            "file.code": {code.code for code in layout.file_codes},
        }

    def pieces(
        self, plan: RecordPlan, body: bytes, cuts: list[Cut], start: int, *, is_whole: bool
    ) -> list[Piece]:
        """The fields of a line that begins at byte `start`; `cuts` are those that are there at all.

        `is_whole`: the line is as long as its record says, so that a field holds what it should.
        """
        texts = [self._text(body[cut.start : cut.end]) for cut in cuts]
        found = []
        for column, cut, text in zip(plan.columns, cuts, texts, strict=False):
            raw = body[cut.start : cut.end]
            shown, doubts = self._undecodable(raw) if text is None else self._read(column, text, is_whole)
            wide = column.end - column.start
            if len(raw) < wide:
                doubts.append(f"cut: {len(raw)} of {wide} bytes")
            found.append(
                Piece(
                    start=start + cut.start,
                    end=start + cut.end,
                    first=cut.start + 1,
                    title=_title(column),
                    shown=shown,
                    meaning=meaning_words(column.field),
                    doubts=tuple(doubts),
                    is_gap=column.role is Role.IGNORED,
                )
            )
        self._check_digits(plan, texts, found)
        return found

    def _undecodable(self, raw: bytes) -> tuple[str, list[str]]:
        return self._showing.undecodable(raw), [f"bytes that are no characters of {self._charset.label}"]

    def _text(self, raw: bytes) -> str | None:
        try:
            return unquoted(self._charset.decode(raw), self._quote)
        except UnicodeDecodeError:
            return None

    def _read(self, column: Column, text: str, is_whole: bool) -> tuple[str, list[str]]:
        """What is shown of a field, and what is doubtful."""
        doubts = ["a control character"] if UNWRITABLE.search(text) else []
        if column.cells is None:
            return self._read_constant(column, text, doubts)
        try:
            value = column.cells.parse(text)
        except (CellError, ValueError) as error:
            if not doubts:
                doubts.append(f"wanted {error}")
            return self._showing.value(column.field, text, is_valid=False), doubts
        is_listed = self._check_code(column, text, doubts)
        kind = column.field.kind
        if kind is not None and kind.check and column.span is None and invalid_values(kind.check, [value]):
            doubts.append(f"wanted a check digit by {kind.check}")
        shown = self._showing.value(column.field, text, is_valid=is_whole and not doubts, is_listed=is_listed)
        return shown, doubts

    def _read_constant(self, column: Column, text: str, doubts: list[str]) -> tuple[str, list[str]]:
        wanted = self._charset.decode(column.text.encode("latin-1")).strip(" ")
        if column.role is Role.IGNORED:
            return self._showing.unknown(text.strip(" ")), doubts
        accepted = {self._charset.decode(one.encode("latin-1")).strip(" ") for one in column.selecting}
        as_wanted = text.strip(" ") in (accepted or {wanted})
        if not as_wanted and not doubts:
            words = " or ".join(map(repr, sorted(accepted))) or repr(wanted)
            doubts.append(f"wanted {words}" if wanted or accepted else "wanted blank")
        return self._showing.constant(text.strip(" "), as_wanted=as_wanted), doubts

    def _check_code(self, column: Column, text: str, doubts: list[str]) -> bool:
        """Whether the layout lists a code; a code that it does not list means nothing."""
        known = self._codes.get(column.name)
        if not known:
            return False
        code = text if column.field.width is None else text.strip(" ")
        is_listed = code in known
        may_be_blank = column.field.optional or column.field.part > 0
        if not is_listed and not (may_be_blank and not code.strip(" ")):
            doubts.append(f"not in [{_CODE_TABLES[column.name]}]")
        return is_listed and bool(code)

    def _check_digits(self, plan: RecordPlan, texts: list[str | None], pieces: list[Piece]) -> None:
        """Check digits over other fields of the line."""
        plain = {index: (text or "").strip(" ") for index, text in enumerate(texts)}
        for index, column in enumerate(plan.columns[: len(pieces)]):
            if column.role is not Role.CHECK or not all(place in plain for place in column.checked):
                continue
            wanted = wanted_digit(column, plain, plan)
            if wanted is not None and plain[index] != wanted:
                piece = pieces[index]
                doubts = (*piece.doubts, f"wanted check digit {wanted}")
                pieces[index] = replace(piece, doubts=doubts)


def _title(column: Column) -> str:
    field = column.field
    return f"{field.title} ({field.part + 1}/{field.parts})" if field.parts > 1 else field.title


def stray(
    body: bytes, cut: Cut, start: int, charset: Charset, showing: Showing, doubt: str, title: str = "-"
) -> Piece:
    """Bytes that no field takes; without a doubt they are a gap."""
    raw = body[cut.start : cut.end]
    try:
        shown = showing.unknown(charset.decode(raw))
    except UnicodeDecodeError:
        shown = showing.undecodable(raw)
    return Piece(
        start=start + cut.start,
        end=start + cut.end,
        first=cut.start + 1,
        title=title,
        shown=shown,
        doubts=(doubt,) if doubt else (),
        is_gap=True,
    )
