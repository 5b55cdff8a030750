"""Servers as folders in memory, and a bank behind one: it takes, sweeps, posts, forgets, fails over.

What a bank's machine room does to its folders is here; what the bank pays and says is in `bank`,
the line to it in `channel`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct

from formats.records import AcknowledgementVerdict
from gateway.configuration.name_pattern import name_pattern
from gateway.configuration.profile import PartNames, Profile
from gateway.simulator.bank import Arrival
from gateway.simulator.moments import Moment, Posting
from gateway.simulator.store import MemoryBlob
from tests.simulation.bank import Item, Meant, Statement, TellingBank
from tests.simulation.faults import Fault, Faults

_SNAPSHOTS = 6
_LATE_LOOKS = 2

Stored = tuple[bytes, int]
"""Content, and a number that no other writing has: what a server's time stamp stands for."""


class Folders:
    """Files by path. Keeps some older states of itself, to which it may fail over."""

    def __init__(self) -> None:
        self.files: dict[str, Stored] = {}
        self.written = 0
        self._snapshots: list[dict[str, Stored]] = []

    def write(self, path: str, content: bytes) -> None:
        self.written += 1
        self.files[path] = content, self.written

    def snapshot(self) -> None:
        """What a standby machine knows from here on."""
        self._snapshots = [*self._snapshots[1 - _SNAPSHOTS :], dict(self.files)]

    def fail_over(self, dice: float) -> None:
        """An older state is the present one; what was written since is gone, what went is back."""
        if self._snapshots:
            self.files = dict(self._snapshots[int(dice * len(self._snapshots))])

    def notice(self) -> None:
        """Something was written or moved."""

    def look(self) -> None:
        """A folder is about to be listed."""

    def sweep(self) -> None:
        """Whoever owns the server tidies up."""


class _Answer(Struct):
    """The postings of one answer, in the order in which they must appear."""

    postings: list[Posting]
    due: Moment
    half_shown: bool = False


class BankServer(Folders):
    """One bank with its folders. Its time passes by listings and by the world's clock.

    `on_complete` is called when every part of a request is there for the first time, with the
    parts' contents by final name.
    """

    def __init__(
        self, bank: TellingBank, profile: Profile, faults: Faults, now: datetime, *, takes_at_once: bool
    ) -> None:
        super().__init__()
        self.bank = bank
        self.profile = profile
        self.now = now
        self.arrived: dict[str, dict[str, bytes]] = {}
        """Every request that was complete at some moment, with its parts."""
        self.told: dict[Item, list[Meant]] = {}
        """What was posted about each payment, in order."""
        self.verdicts: dict[str, list[AcknowledgementVerdict]] = {}
        self.false_letters: set[str] = set()
        """Files of which the bank wrote that it has them not, while it had them or was to take them."""
        self.posted: dict[str, tuple[str, bytes]] = {}
        """Every answer's data as posted, by name: SHA-256 of the whole content and the content."""
        self.gone: set[str] = set()
        """Paths that the bank took away otherwise than by taking a request."""
        self.on_complete: Callable[[str, dict[str, bytes]], None] = _ignore
        self._faults = faults
        self._takes_at_once = takes_at_once
        self._looks = 0
        self._answers: list[_Answer] = []
        self._said: list[_Answer] = []
        self._handled: set[str] = set()
        self._not_before: dict[str, int] = {}
        self._parts: dict[str, tuple[str, PartNames] | None] = {}

    # What happens at the line.

    def notice(self) -> None:
        for name, parts in self._complete().items():
            contents = self._contents(parts)
            if self.arrived.get(name) != contents:
                self.arrived[name] = contents
                self.on_complete(name, contents)
        if self._takes_at_once:
            self.take()

    def look(self) -> None:
        self._looks += 1
        self.post()

    # What the bank does in its own time.

    def pass_time(self, now: datetime) -> None:
        self.now = max(self.now, now)
        self.take()
        self.post()

    def take(self, *, everything: bool = False) -> None:
        """Take what is complete; `everything` waits for nothing."""
        for name, parts in self._complete().items():
            if name in self._handled or (not everything and self._not_before.get(name, 0) > self._looks):
                continue
            fault = None if everything or name in self._not_before else self._faults.at("bank takes")
            if fault is Fault.LATE:
                self._not_before[name] = self._looks + _LATE_LOOKS
                continue
            self._handled.add(name)
            contents = self._contents(parts)
            self._arrive(name, parts, contents)
            if fault is Fault.TWICE:
                self._arrive(name, parts, contents)
            if not self.profile.channel.bank_keeps_files:
                self._clear(parts)

    def sweep(self) -> None:
        """The bank takes what is complete, and everything else in its folder goes too."""
        self.take(everything=True)
        swept = {path for path in self.files if path.startswith(self._outbox)}
        self.gone |= swept
        for path in swept:
            del self.files[path]
        self._handled.clear()

    def fail_over(self, dice: float) -> None:
        before = set(self.files)
        super().fail_over(dice)
        self.gone |= before - self.files.keys()
        # The machine that took over reads whatever it finds, taken before or not.
        self._handled.clear()
        self.notice()

    def say(self, postings: list[Posting]) -> None:
        """Answers for the gateway, each of one or more parts."""
        for posting in postings:
            if self._answers_open(posting):
                self._answers.append(_Answer([posting], posting.due))
            else:
                self._answers[-1].postings.append(posting)

    def say_again(self, name: str) -> None:
        """Post every answer about one of our files once more, those too that never came."""
        for answer in self._said:
            statement = self._statement(answer)
            if statement is not None and statement.file_name == name:
                self._write(answer)

    @property
    def waits(self) -> bool:
        """Whether answers are still to come."""
        return bool(self._answers)

    @property
    def moment(self) -> Moment:
        return Moment(look=self._looks, at=self.now)

    def post(self) -> None:
        """Show the answers that are due."""
        moment = self.moment
        due = [answer for answer in self._answers if _is_due(answer, moment)]
        for answer in due:
            if answer not in self._answers:
                continue
            following = self._answers[self._answers.index(answer) + 1 :]
            fault = None if answer.half_shown else self._faults.at("bank posts")
            if fault is Fault.LATE:
                answer.due = moment.after(_LATE_LOOKS)
                continue
            if fault is Fault.HALF:
                data = answer.postings[0]
                content = _read(data)
                self.write(self._inbox + data.name, content[: int(len(content) * self._faults.dice)])
                answer.half_shown, answer.due = True, moment.after(1)
                continue
            self._answers.remove(answer)
            self._said.append(answer)
            if fault is Fault.FORGOTTEN:
                continue
            if fault is Fault.REORDERED and following:
                # What was to come after it comes first.
                self._answers.remove(following[0])
                self._said.append(following[0])
                self._write(following[0])
            self._write(answer)
            if fault is Fault.TWICE:
                again = _Answer(list(answer.postings), moment.after(_LATE_LOOKS), half_shown=True)
                self._answers.append(again)

    def is_whole(self, name: str, content: bytes) -> bool:
        """Whether an answer lies there as it was posted, with everything that belongs to it."""
        recognised = self.profile.recognise(name)
        if recognised is None or self.posted.get(name, ("", b""))[1] != content:
            return False
        inbound = recognised[0]
        others = filter(None, (inbound.flag_name(name), inbound.detached_signature_name(name)))
        return all(self._inbox + other in self.files for other in others)

    def took_away(self, name: str) -> bool:
        """Whether a part of the request went before the bank could read all of it."""
        parts = _named(self.profile.part_names(name))
        return any(self._outbox + part in self.gone for part in parts)

    def will_take(self, name: str) -> bool:
        """Whether the request lies there whole and waits to be taken."""
        known = self.bank.took(name) or self.bank.refused_once(name) or name in self.bank.attested
        return not known and name in self._complete()

    # Private.

    @property
    def _outbox(self) -> str:
        return self.profile.channel.outbox + "/"

    @property
    def _inbox(self) -> str:
        return self.profile.channel.inbox + "/"

    def _answers_open(self, posting: Posting) -> bool:
        return self.profile.recognise(posting.name) is not None or not self._answers

    def _statement(self, answer: _Answer) -> Statement | None:
        return self.bank.statements.get(answer.postings[0].content.sha256)

    def _write(self, answer: _Answer) -> None:
        for posting in answer.postings:
            self.write(self._inbox + posting.name, _read(posting))
        data = answer.postings[0]
        self.posted[data.name] = data.content.sha256, _read(data)
        statement = self._statement(answer)
        if statement is None:
            return
        for item, status in statement.items.items():
            self.told.setdefault((statement.file_name, item), []).append(status)
        if statement.verdict is not None:
            self.verdicts.setdefault(statement.file_name, []).append(statement.verdict)

    def _arrive(self, name: str, parts: PartNames, contents: dict[str, bytes]) -> None:
        signature = MemoryBlob(contents[parts.signature]) if parts.signature else None
        arrival = Arrival(name=name, data=MemoryBlob(contents[parts.data]), signature=signature)
        self.say(self.bank.arrive(arrival, self.moment))

    def _clear(self, parts: PartNames) -> None:
        for part in filter(None, (parts.data, parts.signature, parts.flag)):
            del self.files[self._outbox + part]

    def _contents(self, parts: PartNames) -> dict[str, bytes]:
        names = filter(None, (parts.data, parts.signature, parts.flag))
        return {part: self.files[self._outbox + part][0] for part in names}

    def _complete(self) -> dict[str, PartNames]:
        """Requests of which every part lies in the folder."""
        length = len(self._outbox)
        present = {path[length:] for path in self.files if path.startswith(self._outbox)}
        found = {}
        for listed in present:
            if listed not in self._parts:
                self._parts[listed] = self._parts_of(listed)
            known = self._parts[listed]
            if known is not None and _named(known[1]) <= present:
                found[known[0]] = known[1]
        return dict(sorted(found.items()))

    def _parts_of(self, listed: str) -> tuple[str, PartNames] | None:
        """Name and parts of the request whose data has the listed name."""
        match = name_pattern(self.profile.files.data).match(listed)
        if match is None or name_pattern(self.profile.files.name).match(match.name) is None:
            return None
        return match.name, self.profile.part_names(match.name)


def _named(parts: PartNames) -> set[str]:
    return {part for part in (parts.data, parts.signature, parts.flag) if part}


def _is_due(answer: _Answer, moment: Moment) -> bool:
    return moment.look >= answer.due.look and moment.at >= answer.due.at


def _read(posting: Posting) -> bytes:
    with posting.content.open() as source:
        return source.read()


def _ignore(_name: str, _contents: dict[str, bytes]) -> None:
    pass
