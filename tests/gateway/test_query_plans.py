"""No query of a run, of settling or of what waits looks at every payment or outcome of the ledger.

A ledger grows for years: what is asked in each run may cost by what is open, not by what there is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from gateway import Gateway
from tests.gateway.sites import CITY, PERSONS, Ground, payments_of
from tests.gateway.test_settle import Sent, result, row

_SMALL = ("batch", "lane", "file", "received", "oddity", "decision", "sighting", "CONSTANT ROW")
"""Tables with a row a batch, file or decision; whatever else is scanned, under whatever alias, is large."""
_SCAN = re.compile(
    rf"^SCAN (?!({'|'.join(_SMALL)}|bank_|anchor_|journal_|enrol|\(|sqlite_))(?!.*USING INDEX)"
)

_PERMITTED = (
    # The sums of a batch are asked for by a person, for that batch.
    "GROUP BY",
    # What was just staged, not the ledger.
    "staged",
    # The last row by its key is one row.
    "DESC LIMIT 1",
    "MAX(payment_pk)",
)


@contextmanager
def asked(gateway: Gateway) -> Iterator[list[tuple[str, object]]]:
    """Every statement that the gateway's ledger is asked meanwhile, with its values."""
    found: list[tuple[str, object]] = []
    engine = gateway.installation.ledger._engine

    def note(_connection: object, _cursor: object, statement: str, values: object, *_rest: object) -> None:
        found.append((statement, values))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


def scans(ground: Ground, statements: list[tuple[str, object]]) -> list[str]:
    """Those that look at a whole large table, with their plans."""
    found = []
    for statement, values in statements:
        if not statement.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
            continue
        if any(word in statement for word in _PERMITTED):
            continue
        first = values[0] if isinstance(values, list) else values
        plan = [str(step[3]) for step in ground.rows(f"EXPLAIN QUERY PLAN {statement}", *(first or ()))]  # type: ignore[misc]
        found += [f"{statement}: {step}" for step in plan if _SCAN.match(step)]
    return found


def test_the_measure_itself_finds_a_scan(ground: Ground) -> None:
    with ground.open():
        pass
    assert scans(ground, [("SELECT 1 FROM outcome WHERE code = ?", ("x",))]) != []
    assert scans(ground, [("SELECT 1 FROM outcome WHERE outcome_pk = ?", (1,))]) == []


def test_a_run_with_an_answer_and_doubts(ground: Ground) -> None:
    with ground.open() as gateway:
        sent = Sent(ground, gateway)
        with asked(gateway) as statements:
            sent.say(result(sent.name, [row(1, sent.payments[0], "U"), *sent.all()[1:]]))
            gateway.needs_person()
            gateway.held()
            ground.decide(gateway, "payment:yikatong/P-00001", "credited", *PERSONS)
            sent.say(result(sent.name, sent.all()), number=2)
        assert scans(ground, statements) == []


@pytest.mark.parametrize("decision", ["hold", "withdraw"])
def test_decisions_about_what_has_not_left(ground: Ground, decision: str) -> None:
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 3))
        with asked(gateway) as statements:
            ground.decide(gateway, "payment:yikatong/P-00001", decision, *PERSONS[: 2 - (decision == "hold")])
            gateway.run()
            gateway.held()
        assert scans(ground, statements) == []
