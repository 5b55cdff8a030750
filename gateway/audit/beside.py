"""A bundle's tables beside its journal: what the checks of its tables share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gateway.audit.bundle import BatchLine, FileLine, ReceivedLine
from gateway.audit.chain import Journal, Told
from gateway.audit.payments import PackedPayments
from gateway.audit.report import Bundle
from gateway.audit.states import told_states


class Beside:
    """What earlier tables said, for those behind them; findings go to the bundle's report."""

    def __init__(self, bundle: Bundle, journal: Journal) -> None:
        self.bundle = bundle
        self.add = bundle.report.add
        self.journal = journal
        self.batches: dict[int, BatchLine] = {}
        self.files: dict[int, FileLine] = {}
        self.received: dict[int, ReceivedLine] = {}
        self.payments = PackedPayments()
        self.states = told_states(journal)

    def stands(self, place: str, state: str, told: str | None) -> None:
        """The row's state is where the journal leaves it; what older events do not tell is not judged."""
        if told and state != told:
            self.add(place, f"is {state}, the journal leaves it {told}")

    def by(self, kind: str, *names: str) -> dict[tuple[Any, ...], Told]:
        """The last shown event of a kind for each value of these."""
        return {tuple(plain(told.body.get(name)) for name in names): told for told in self.journal.of(kind)}

    def content(self, key: int) -> tuple[str | None, str | None]:
        received = self.received.get(key)
        return (None, None) if received is None else (received.bank, received.sha256)

    def agree(self, place: str, told: Told | None, kind: str, **values: object) -> None:
        """The row's values are those of its event."""
        if told is None:
            self.add(place, f"no event '{kind}' of the journal tells of it")
            return
        for name, value in values.items():
            if told.body.get(name) != value:
                self.add(
                    place, f"{name} is {_shown(value)}, event {told.event} says {_shown(told.body.get(name))}"
                )

    def ascending(self, name: str, kind: type[Any], keys: int = 1) -> Iterator[tuple[str, Any]]:
        """The rows of a table; their keys must grow."""
        before: tuple[Any, ...] = ()
        for place, line in self.bundle.lines(name, kind):
            key = tuple(getattr(line, field) for field in line.__struct_fields__[:keys])
            if key <= before:
                self.add(place, f"{key} stands after {before}")
            before = key
            yield place, line


def plain(value: Any) -> Any:
    """A value that names something; what is none of these (a forger writes what he likes) names nothing."""
    return value if isinstance(value, str | int | float | None) else repr(value)


def _shown(value: object) -> str:
    return str(value)[:80]
