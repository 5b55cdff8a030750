"""A simulated bank's folders: what is put there becomes a request, what is due appears.

No network here: `server.py` calls it when a file was closed or renamed and when the folder
of answers is listed, one call at a time. Below the bank's folder lie `files`, which the
gateway sees, and `store`, which it does not.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from gateway.name_pattern import name_pattern
from gateway.profile import PartNames, Profile
from gateway.simulator.bank import Arrival, SimulatedBank
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
        self._waiting: list[Posting] = []
        self._handled: set[str] = set()
        self._arrivals = 0
        channel = self._profile.channel
        below = self.root / channel.root
        self.requests, self.answers = below / channel.outbox, below / channel.inbox
        self.requests.mkdir(parents=True, exist_ok=True)
        self.answers.mkdir(parents=True, exist_ok=True)
        if channel.archive:
            (below / channel.archive).mkdir(parents=True, exist_ok=True)

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
        refused = len(self.bank.refusals)
        signature = self._copy(parts.signature) if parts.signature else None
        arrival = Arrival(name=name, data=self._copy(parts.data), signature=signature)
        self._waiting += self.bank.arrive(arrival, self._moment())
        if not self._profile.channel.bank_keeps_files:
            for part in filter(None, (parts.data, parts.signature, parts.flag)):
                (self.requests / part).unlink()
        for refusal in self.bank.refusals[refused:]:
            self._announce(f"{self._profile.bank}: {name} {refusal.verdict}: {refusal.why}")
        if len(self.bank.refusals) == refused:
            self._announce(f"{self._profile.bank}: {name} taken")

    def _copy(self, part: str) -> FileBlob:
        kept = f"request-{self._arrivals:06d}-{part}"
        with (self.requests / part).open("rb") as source:
            keep(self._store, kept, read_blocks(source))
        return FileBlob(self._staging / kept)

    def _publish(self) -> None:
        moment = self._moment()
        due = [posting for posting in self._waiting if posting.is_due(moment)]
        self._waiting = [posting for posting in self._waiting if not posting.is_due(moment)]
        for posting in due:
            staged = self._staging / f".{posting.name}.out"
            with posting.content.open() as source, staged.open("wb") as sink:
                shutil.copyfileobj(source, sink)
            staged.replace(self.answers / posting.name)

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
