"""The pages that are made from the code's tables: `python -m tests.docs.pages` writes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from formats.reasons import NEEDS_SOURCE, PERMITTED, Reason, Status
from gateway.states import (
    AT_THE_BANK,
    BATCH_MOVES,
    BEFORE_RELEASE,
    DISPOSITION_MOVES,
    FILE_MOVES,
    OUTCOME_MOVES,
    RECEIVED_MOVES,
    REISSUABLE,
)
from tests.docs.advice import ADVICE

State = TypeVar("State", bound=StrEnum)

DOCS = Path(__file__).parents[2] / "docs"

_MADE = "<!-- Made by `python -m tests.docs.pages` from the code's tables; do not edit. -->"


def states_page() -> str:
    """docs/states.md."""
    return f"""{_MADE}
# States

Every state and every permitted move, from the tables of `gateway/states.py`. A move that is not
drawn does not exist: the ledger makes each one as a compare-and-set, so two workers cannot both make it.
What leads to a decision of a person is in [operators.md](operators.md).

## A batch

{_diagram(BATCH_MOVES, "submitted")}

Nothing of a batch leaves before it is `released`: by the platform's signature or by two persons.

## A payment before it is in a file

{_diagram(DISPOSITION_MOVES, "accepted", "held", "set_aside")}

The rest of a payment's state is derived, never stored beside its outcomes: `dispatched` while it is in
a file without an outcome yet, then the status of its latest outcome.

## A file on its way out

{_diagram(FILE_MOVES, "planned")}

* The bank cannot have it: {_names(BEFORE_RELEASE)}. A crash here is harmless.
* A result is believed: {_names(AT_THE_BANK)}.
* `releasing` is committed before the first step that the bank can see. After a crash or a lost line in it
  the file is `uncertain`, and is never sent again whole by itself.
* The payments of a `voided` file go into another one. Those of a `rejected` file do so after
  two persons decided it.

## A file that a bank put there

{_diagram(RECEIVED_MOVES, "received")}

Only `verified` files are read. What does not add up is `held` as a whole; a bad signature is `refused`.

## An outcome when new evidence comes

Rows: what the payment is. Columns: what the new evidence states. Cells: what the payment is then.

{_outcome_table()}

"contradicted" stands for the reason `{Reason.CONTRADICTED}`. It is sticky: no further statement of the
bank ends it. Outcomes after which a payment may be replaced: {_names(REISSUABLE)}.
"""


def reasons_page() -> str:
    """docs/reasons.md."""
    statuses = "".join(f"| `{status}` | {status.label[0]} | {status.label[1]} |\n" for status in Status)
    reasons = "".join(_reason_row(reason) for reason in Reason)
    return f"""{_MADE}
# Statuses and reasons

The closed lists of `formats/reasons.py`. A bank's own codes are mapped into them by its layout; the code
itself is kept verbatim beside them. A code that no layout lists is `{Reason.UNMAPPED}`, hence unknown and
never "failed": a wrong "failed" would be paid twice.

## Statuses

| status | 中文 | English |
|---|---|---|
{statuses}
## Reasons

"May be" lists the statuses that may stand beside the reason; a layout's code table is held to it.
{_sources()}

| reason | 中文 | English | may be | what to do | 处理 |
|---|---|---|---|---|---|
{reasons}"""


PAGES = {"states.md": states_page, "reasons.md": reasons_page}


def _diagram(moves: Mapping[State, Iterable[State]], *first: str) -> str:
    lines = [f"    [*] --> {name}" for name in first]
    for before, afters in moves.items():
        lines += [f"    {before} --> {after}" for after in afters]
        lines += [] if afters else [f"    {before} --> [*]"]
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```"])


def _names(states: Iterable[StrEnum]) -> str:
    return ", ".join(f"`{state}`" for state in sorted(states))


def _outcome_table() -> str:
    columns = [status for status in OUTCOME_MOVES if status not in (Status.SET_ASIDE, Status.WITHDRAWN)]
    lines = ["| is | " + " | ".join(f"states {status}" for status in columns) + " |"]
    lines.append("|---" * (len(columns) + 1) + "|")
    for current, moves in OUTCOME_MOVES.items():
        cells = []
        for stated in columns:
            status, reason = moves[stated]
            cells.append(f"{status}, contradicted" if reason is Reason.CONTRADICTED else str(status))
        lines.append(f"| **{current}** | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _sources() -> str:
    named = " and ".join(f"`{reason}`" for reason in sorted(NEEDS_SOURCE))
    return (
        f'{named} may be "failed" only where the layout cites the bank\'s written word that nothing was paid.'
    )


def _reason_row(reason: Reason) -> str:
    name = f"`{reason}`" if reason.value else "(empty)"
    permitted = ", ".join(f"`{status}`" for status in PERMITTED[reason])
    english, chinese = ADVICE[reason]
    return f"| {name} | {reason.label[0]} | {reason.label[1]} | {permitted} | {english} | {chinese} |\n"


def main() -> None:
    for name, make in PAGES.items():
        (DOCS / name).write_text(make(), "utf-8")


if __name__ == "__main__":
    main()
