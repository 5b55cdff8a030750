"""What a simulated bank remembers when it is stopped: what arrived when, and what it has said.

The bank is a function of what arrives, so it is enough to write that down and to let the
same things arrive again. One line of JSON an event; a line that was cut by a crash is the last.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from gateway.simulator.scenario import Scenario

DIARY_FILE = "diary.jsonl"


class Arrived(Struct, frozen=True, kw_only=True, tag="arrived"):
    """A request. `data` and `signature` are names in the bank's store."""

    name: str
    data: str
    signature: str = ""
    look: int
    at: datetime
    scenario: Scenario


class Said(Struct, frozen=True, kw_only=True, tag="said"):
    """So many files, in the order in which they came to wait, were put into the outbox by a look."""

    postings: list[int]
    look: int


Event = Arrived | Said


class Diary:
    """Events in a file of the bank's store."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / DIARY_FILE

    def read(self) -> list[Event]:
        """Every event so far; what a crash left half written is taken off the file."""
        if not self._path.exists():
            return []
        content = self._path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:
            self._path.write_bytes(whole)
        return [msgspec.json.decode(line, type=Event) for line in whole.splitlines()]

    def write(self, event: Event) -> None:
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(event) + b"\n")
