"""The page on evidence is true: its example is recomputed from the page's words, with nothing of ours."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from gateway.audit.bundle import TABLES
from gateway.evidence import FIRST_HASH, chain_hash, items_digest

PAGE = (Path(__file__).parents[2] / "docs" / "audit.md").read_text("utf-8")


def block(kind: str, name: str) -> str:
    (found,) = re.findall(rf"```{kind} {name}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in block("jsonl", name).splitlines()]


def compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_the_chain_of_the_example_follows() -> None:
    previous = sha256("bankgate journal")
    assert f"hash(0) is `{previous}`" in PAGE
    for number, event in enumerate(lines("events"), start=1):
        if event["body"] is not None:
            assert sha256(event["body"]) == event["body_sha256"]
            body = json.loads(event["body"])
            assert event["body"] == compact(dict(sorted(body.items())))
        covered = b""
        for part in (previous, event["recorded_at"], event["kind"], event["body_sha256"]):
            covered += len(part).to_bytes(8, "big") + part.encode()
        assert (event["event"], hashlib.sha256(covered).hexdigest()) == (number, event["hash"])
        previous = event["hash"]
    assert [event["body"] is None for event in lines("events")] == [False, True, False]


def test_the_items_of_the_example_have_their_digest() -> None:
    payments = {row["payment"]: row for row in lines("payments")}
    items = [
        [
            row["item"],
            row["payment"],
            payments[row["payment"]]["payment_id"],
            payments[row["payment"]]["amount_minor"],
        ]
        for row in lines("attempts")
    ]
    text = "".join(compact(item) + "\n" for item in items)
    planned = json.loads(lines("events")[0]["body"])
    assert (text, sha256(text)) == (block("text", "items"), planned["items_sha256"])
    assert (len(items), sum(item[3] for item in items)) == (planned["count"], planned["total_minor"])


def test_the_outcomes_of_the_example_have_their_digest() -> None:
    rows = [list(row.values())[1:-1] for row in lines("outcomes")]
    told = json.loads(lines("events")[2]["body"])
    assert compact(rows) + "\n" == block("text", "rows")
    assert (len(rows), sha256(compact(rows))) == (told["count"], told["rows_sha256"])


def test_the_gateway_reckons_as_the_page_does() -> None:
    previous = FIRST_HASH
    for event in lines("events"):
        previous = chain_hash(previous, event["recorded_at"], event["kind"], event["body_sha256"])
        assert previous == event["hash"]
    items = [tuple(json.loads(line)) for line in block("text", "items").splitlines()]
    assert items_digest(items) == json.loads(lines("events")[0]["body"])["items_sha256"]


def test_the_columns_of_every_table_stand_on_the_page() -> None:
    told = dict(re.findall(r"^\| `([a-z_]+)` \| `([a-z0-9_ ]+)` \|", PAGE, re.MULTILINE))
    assert told == {name: " ".join(kind.__struct_fields__) for name, kind in TABLES.items()}


def test_the_examples_rows_have_the_columns_of_their_tables() -> None:
    for name in ("payments", "attempts", "outcomes", "events"):
        assert {tuple(row) for row in lines(name)} == {TABLES[name].__struct_fields__}
