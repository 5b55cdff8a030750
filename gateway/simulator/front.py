"""A simulated bank's folders: what is put there becomes a request, what is due appears.

No network here: `server.py` calls it when a file was closed or renamed and when the folder
of answers is listed, one call at a time. Below the bank's folder lie `files`, which the
gateway sees, and `store`, which it does not. Started again on the same folder, the bank
knows what it took and does not say anything twice.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from gateway.configuration.name_pattern import name_pattern
from gateway.configuration.profile import PartNames, Profile
from gateway.simulator.bank import Arrival, SimulatedBank
from gateway.simulator.diary import Arrived, Diary, Said
from gateway.simulator.moments import Moment, Posting
from gateway.simulator.store import FileBlob, FolderStore, keep, read_blocks

FILES = "files"
STORE = "store"


class Front:
    """The folders of one bank. `announce` gets a line for an operator, without personal data."""

    def __init__(
        self,
        bank: SimulatedBank,
        folder: Path,
        clock: Callable[[], datetime],
        announce: Callable[[str], None] | None = None,
    ) -> None:
        self.bank = bank
        self.root = folder / FILES
        self.looks = 0
        self._profile = bank.desk.profile
        self._store = FolderStore(folder / STORE)
        self._staging = folder / STORE
        self._clock = clock
        self._announce = announce or _say_nothing
        self._waiting: list[tuple[int, Posting]] = []
        """Files that are still to appear, each with its number among all that ever waited."""
        self._handled: set[str] = set()
        self._arrivals = 0
        self._posted = 0
        self._diary = Diary(self._staging)
        channel = self._profile.channel
        below = self.root / channel.root
        self.requests, self.answers = below / channel.outbox, below / channel.inbox
        self.requests.mkdir(parents=True, exist_ok=True)
        self.answers.mkdir(parents=True, exist_ok=True)
        if channel.archive:
            (below / channel.archive).mkdir(parents=True, exist_ok=True)
        self._remember()

    def notice(self, writing: frozenset[Path] = frozenset()) -> None:
        """Take every request that is complete; files that somebody still writes are not there yet."""
        present = {path.name for path in self.requests.iterdir() if path.is_file() and path not in writing}
        complete = complete_requests(self._profile, present)
        self._handled &= complete.keys()
        for name in sorted(complete.keys() - self._handled):
            self._handled.add(name)
            self._take(name, complete[name])
        self._publish()

    def look(self) -> None:
        """The folder of answers is about to be listed: what is due by now appears."""
        self.looks += 1
        self._publish()

    @property
    def waiting(self) -> int:
        """Files that are still to appear."""
        return len(self._waiting)

    def _take(self, name: str, parts: PartNames) -> None:
        self._arrivals += 1
        arrived = Arrived(
            name=name,
            data=self._copy(parts.data),
            signature=self._copy(parts.signature) if parts.signature else "",
            look=self.looks,
            at=self._clock(),
            scenario=self.bank.scenario,
        )
        self._diary.write(arrived)
        refused = len(self.bank.refusals)
        self._arrive(arrived)
        if not self._profile.channel.bank_keeps_files:
            for part in filter(None, (parts.data, parts.signature, parts.flag)):
                (self.requests / part).unlink()
        for refusal in self.bank.refusals[refused:]:
            self._announce(f"{self._profile.bank}: {name} {refusal.verdict}: {refusal.why}")
        if len(self.bank.refusals) == refused:
            self._announce(f"{self._profile.bank}: {name} taken")

    def _arrive(self, arrived: Arrived) -> None:
        signature = FileBlob(self._staging / arrived.signature) if arrived.signature else None
        arrival = Arrival(name=arrived.name, data=FileBlob(self._staging / arrived.data), signature=signature)
        for posting in self.bank.arrive(arrival, Moment(look=arrived.look, at=arrived.at)):
            self._posted += 1
            self._waiting.append((self._posted, posting))

    def _remember(self) -> None:
        """Let everything arrive again that arrived before; what was said then is not said again."""
        present = self.bank.scenario
        for event in self._diary.read():
            self.looks = max(self.looks, event.look)
            if isinstance(event, Arrived):
                self._arrivals += 1
                self._handled.add(event.name)
                self.bank.play(event.scenario)
                self._arrive(event)
            else:
                said = set(event.postings)
                self._waiting = [pair for pair in self._waiting if pair[0] not in said]
        self.bank.play(present)

    def _copy(self, part: str) -> str:
        """The name under which the part is kept."""
        kept = f"request-{self._arrivals:06d}-{part}"
        with (self.requests / part).open("rb") as source:
            keep(self._store, kept, read_blocks(source))
        return kept

    def _publish(self) -> None:
        moment = self._moment()
        due = [pair for pair in self._waiting if pair[1].is_due(moment)]
        if not due:
            return
        for _, posting in due:
            staged = self._staging / f".{posting.name}.out"
            with posting.content.open() as source, staged.open("wb") as sink:
                shutil.copyfileobj(source, sink)
            staged.replace(self.answers / posting.name)
        self._diary.write(Said(postings=[number for number, _ in due], look=self.looks))
        self._waiting = [pair for pair in self._waiting if not pair[1].is_due(moment)]

    def _moment(self) -> Moment:
        return Moment(look=self.looks, at=self._clock())


def complete_requests(profile: Profile, present: set[str]) -> dict[str, PartNames]:
    """Names of the files of which every part is there, with the parts' names."""
    found: dict[str, PartNames] = {}
    data_pattern, names = name_pattern(profile.files.data), name_pattern(profile.files.name)
    for listed in present:
        match = data_pattern.match(listed)
        if match is None or names.match(match.name) is None:
            continue
        parts = profile.part_names(match.name)
        if {part for part in (parts.data, parts.signature, parts.flag) if part} <= present:
            found[match.name] = parts
    return found


def _say_nothing(_line: str) -> None:
    pass
