"""Whether what a journal tells of card lists was signed: who took which list, in whose place, who dropped it.

There is no table of them: nothing is paid by a list. A selection shows none of these events.
"""

from __future__ import annotations

import msgspec

from gateway.audit.beside import Beside, plain
from gateway.audit.bundle import DecisionLine
from gateway.audit.chain import Told
from gateway.persons.decisions import Statement

BROUGHT, TAKEN, DROPPED = "card list brought", "card list taken", "card list dropped"
_DECISIONS = {TAKEN: "take-list", DROPPED: "drop-list"}


def check_card_lists(beside: Beside) -> None:
    """Each list was brought once, then taken or dropped by whoever signed just that."""
    signed = _signed(beside)
    brought: dict[object, Told] = {}
    for told in beside.journal.of(BROUGHT):
        number = plain(told.body.get("card_list"))
        if not isinstance(number, int) or brought.setdefault(number, told) is not told:
            beside.add(told.place, f"tells of no card list, or of {number} a second time")
    in_force: dict[object, object] = {}
    decided = [(told, kind) for kind in _DECISIONS for told in beside.journal.of(kind)]
    for told, kind in sorted(decided, key=lambda pair: pair[0].event):
        number, platform = (plain(told.body.get(name)) for name in ("card_list", "platform"))
        content = plain(told.body.get("content_sha256"))
        first = brought.get(number)
        if first is None or first.event > told.event:
            beside.add(told.place, f"tells of card list {number}, which nobody had brought")
        else:
            beside.agree(told.place, first, BROUGHT, platform=platform, content_sha256=content)
        if (plain(told.body.get("object")), _DECISIONS[kind], content) not in signed:
            beside.add(told.place, f"{_DECISIONS[kind]} of card list {number} was signed by nobody")
        if kind == TAKEN and told.body.get("replaces") != in_force.get(platform):
            beside.add(told.place, f"card list {number} takes the place of another one than was in force")
        if kind == TAKEN:
            in_force[platform] = number
        elif in_force.get(platform) == number:
            del in_force[platform]


def _signed(beside: Beside) -> set[tuple[object, str, object]]:
    """(subject, decision, SHA-256 of the list) of everything that persons signed about lists."""
    found: set[tuple[object, str, object]] = set()
    for _, line in beside.bundle.lines("decisions", DecisionLine):
        if line.object.startswith("card-list:"):
            try:
                statement = msgspec.json.decode(line.statement, type=Statement)
            except msgspec.DecodeError:
                # What cannot be read is told where decisions are checked.
                continue
            found.add((line.object, line.decision, plain(statement.about.get("content_sha256"))))
    return found
