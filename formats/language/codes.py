"""Reads the code tables of a layout, and holds them to the permitted pairs of words."""

from __future__ import annotations

from typing import TypeVar

from formats.language.model import FileCode, OutcomeCode
from formats.language.source import LayoutSource, did_you_mean
from formats.language.table import split_cells
from formats.reasons import NEEDS_SOURCE, PERMITTED, Reason, Status
from formats.records import AcknowledgementVerdict

_Code = TypeVar("_Code", OutcomeCode, FileCode)
_Word = TypeVar("_Word", Status, Reason, AcknowledgementVerdict)

_DEFAULT_FILE_REASONS = {
    AcknowledgementVerdict.ACCEPTED: Reason.NONE,
    AcknowledgementVerdict.COMPLETE: Reason.NONE,
    AcknowledgementVerdict.REJECTED: Reason.BATCH_REJECTED,
    AcknowledgementVerdict.DUPLICATE: Reason.DUPLICATE,
    AcknowledgementVerdict.IN_PROGRESS: Reason.IN_PROGRESS,
    AcknowledgementVerdict.UNMAPPED: Reason.UNMAPPED,
}
_FILE_REASONS = {
    AcknowledgementVerdict.ACCEPTED: (Status.CREDITED,),
    AcknowledgementVerdict.COMPLETE: (Status.CREDITED,),
    AcknowledgementVerdict.REJECTED: (Status.FAILED,),
    AcknowledgementVerdict.DUPLICATE: (Status.UNKNOWN,),
    AcknowledgementVerdict.IN_PROGRESS: (Status.UNKNOWN,),
    AcknowledgementVerdict.UNMAPPED: (Status.UNKNOWN,),
}


_OF_PERSONS = frozenset(
    {
        Reason.CONFIRMED_UNPAID,
        Reason.PAID_SHORT,
        Reason.PAID_TWICE,
        Reason.CREDITED_ELSEWHERE,
        Reason.CONTRADICTED,
        Reason.UNMAPPED,
    }
)
"""Reasons that persons state or the gateway finds, and no code of a bank says."""

_OF_BANKS = (Status.CREDITED, Status.FAILED, Status.RETURNED, Status.UNKNOWN, Status.DISCREPANT)
_UNLISTED = (
    "a code that is not listed is unmapped: drop the line, and write the code behind which a person shall"
    " look into LAYOUT.codes, as `9999  unmapped`"
)
_PAGE = "see docs/reasons.md"


def read_outcome_codes(source: LayoutSource, text: object, cited: bool) -> tuple[OutcomeCode, ...]:
    """`[codes.outcome]`: code, status, reason. `cited`: the table has a `source`."""
    codes: dict[str, OutcomeCode] = {}
    for line, cells in _code_lines(source, text, "outcome"):
        status = _word(Status, cells[1])
        reason = _word(Reason, cells[2] if len(cells) > 2 else "")
        if cells[0] == "*":
            if cells[1:] not in (["unmapped"], ["unknown", "UNMAPPED"]):
                source.add(
                    "code-default", line, "`*` mapped to a meaning", hint="`*  unmapped`, or no such line"
                )
        elif status is None or reason is None:
            found = f"no such status or reason: {' '.join(cells[1:])}"
            source.add("code-word", line, found, hint=_word_hint(cells))
        elif status not in PERMITTED[reason] or status in (Status.SET_ASIDE, Status.WITHDRAWN):
            source.add(
                "code-pair",
                line,
                f"{status.value} cannot stand beside {reason.value or 'no reason'}",
                hint=_pair_hint(status, reason),
            )
        elif reason in NEEDS_SOURCE and status is Status.FAILED and not cited:
            _add_uncited(source, line, reason)
        else:
            _add_once(
                source, codes, OutcomeCode(code=_code(cells[0]), status=status, reason=reason, line=line)
            )
    return tuple(codes.values())


def read_file_codes(source: LayoutSource, text: object, cited: bool) -> tuple[FileCode, ...]:
    """`[codes.file]`: code, verdict, reason. A verdict has a reason of its own where none is written."""
    codes: dict[str, FileCode] = {}
    for line, cells in _code_lines(source, text, "file"):
        verdict = _word(AcknowledgementVerdict, cells[1])
        if cells[0] == "*":
            if cells[1:] != ["unmapped"]:
                source.add(
                    "code-default", line, "`*` mapped to a meaning", hint="`*  unmapped`, or no such line"
                )
            continue
        if verdict is None:
            words = ", ".join(word.value for word in AcknowledgementVerdict)
            hint = _UNLISTED if cells[1] == "unmapped" else f"one of {words}"
            source.add("code-word", line, f"no such verdict: {cells[1]}", hint=hint)
            continue
        reason = _word(Reason, cells[2]) if len(cells) > 2 else _DEFAULT_FILE_REASONS[verdict]
        if reason is None:
            source.add("code-word", line, f"no such reason: {cells[2]}", hint=_word_hint(["", "", cells[2]]))
        elif not set(_FILE_REASONS[verdict]) & set(PERMITTED[reason]):
            source.add(
                "code-pair", line, f"{verdict.value} cannot stand beside {reason.value or 'no reason'}"
            )
        elif verdict is AcknowledgementVerdict.REJECTED and reason in NEEDS_SOURCE and not cited:
            _add_uncited(source, line, reason)
        else:
            _add_once(
                source, codes, FileCode(code=_code(cells[0]), verdict=verdict, reason=reason, line=line)
            )
    return tuple(codes.values())


def _word_hint(cells: list[str]) -> str:
    """What was perhaps meant by a status or reason that there is not."""
    status, reason = cells[1], cells[2] if len(cells) > 2 else ""
    if status == "unmapped":
        return _UNLISTED
    hints = []
    if status and _word(Status, status) is None:
        words = [word.value for word in _OF_BANKS]
        hints.append(did_you_mean(status.lower(), words) or f"the status is one of {', '.join(words)}")
    if _word(Reason, reason) is None:
        hints.append(did_you_mean(reason.upper(), [word.value for word in Reason if word.value]))
    return "; ".join(filter(None, [*hints, _PAGE]))


def _pair_hint(status: Status, reason: Reason) -> str:
    """Every way out of a status and a reason that cannot stand side by side."""
    if status not in _OF_BANKS:
        return f"a bank's code says one of {', '.join(word.value for word in _OF_BANKS)}"
    fitting = [word.value for word in Reason if status in PERMITTED[word] and word not in _OF_PERSONS]
    if reason is Reason.NONE:
        return f"write the reason behind it; for {status.value}: {', '.join(fitting)}; {_PAGE}"
    ways = [f"`{word.value}  {reason.value}`" for word in PERMITTED[reason] if word in _OF_BANKS]
    if status is Status.CREDITED:
        ways.append("`credited` and no reason")
    else:
        ways.append(f"{status.value} with another reason: {', '.join(fitting)}")
    return f"{', or '.join(ways)}; {_PAGE}"


def _code_lines(source: LayoutSource, text: object, name: str) -> list[tuple[int, list[str]]]:
    lines = []
    for line, content in source.block(text, "codes", name, "table"):
        cells, _ = split_cells(content)
        if len(cells) == 1:
            source.add(
                "code-columns", line, f"code {cells[0]} without a meaning", hint="code, status, reason"
            )
        elif len(cells) > 3:
            source.add("code-columns", line, f"{len(cells)} columns", hint="code, status, reason")
        elif cells:
            lines.append((line, cells))
    if not lines:
        source.add("table-empty", source.line_of("codes", name), f"codes.{name} has no line")
    return lines


def _code(cell: str) -> str:
    return "" if cell == "blank" else cell.strip('"')


def _add_once(source: LayoutSource, codes: dict[str, _Code], code: _Code) -> None:
    if code.code in codes:
        shown = code.code or "blank"
        source.add("code-twice", code.line, f"{shown} is listed in line {codes[code.code].line} too")
    codes.setdefault(code.code, code)


def _add_uncited(source: LayoutSource, line: int, reason: Reason) -> None:
    source.add(
        "code-uncited",
        line,
        f"{reason.value} as a failure, and no source that says nothing was paid",
        hint="a duplicate may prove that the first was taken: say unknown, or cite the bank's word",
    )


def _word(words: type[_Word], text: str) -> _Word | None:
    try:
        return words(text)
    except ValueError:
        return None
