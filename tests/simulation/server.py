"""A bank's server and the line to it: folders in memory, and everything that can break between."""

from __future__ import annotations

import hashlib
from datetime import datetime
from types import TracebackType
from typing import BinaryIO, Self

from channels.channel import ByteSink, Entry, Traits, Upload
from channels.errors import (
    AlreadyExists,
    AuthenticationRefused,
    ConnectionLost,
    NoSpace,
    NotFound,
    ServerFault,
    TimedOut,
    Unreachable,
)
from gateway.profile import Profile
from gateway.simulator.bank import Arrival, SimulatedBank
from gateway.simulator.front import complete_requests
from gateway.simulator.moments import Moment, Posting
from gateway.simulator.store import MemoryBlob
from tests.simulation.faults import Fault, Faults


class SimulatedServer:
    """One bank with its folders. Its time passes by listings and by the world's clock."""

    def __init__(self, bank: SimulatedBank, profile: Profile, now: datetime) -> None:
        self.bank = bank
        self.profile = profile
        self.files: dict[str, tuple[bytes, int]] = {}
        self.now = now
        self._looks = 0
        self._waiting: list[Posting] = []
        self._handled: set[str] = set()
        self._written = 0

    def write(self, path: str, content: bytes) -> None:
        self._written += 1
        self.files[path] = content, self._written

    def notice(self) -> None:
        """Take what is complete, and say what is due."""
        outbox = self.profile.channel.outbox + "/"
        present = {path.removeprefix(outbox) for path in self.files if path.startswith(outbox)}
        complete = complete_requests(self.profile, present)
        for name in sorted(complete.keys() - self._handled):
            self._handled.add(name)
            parts = complete[name]
            signature = self.files[outbox + parts.signature][0] if parts.signature else None
            arrival = Arrival(
                name=name,
                data=MemoryBlob(self.files[outbox + parts.data][0]),
                signature=None if signature is None else MemoryBlob(signature),
            )
            self._waiting += self.bank.arrive(arrival, Moment(look=self._looks, at=self.now))
            if not self.profile.channel.bank_keeps_files:
                for part in filter(None, (parts.data, parts.signature, parts.flag)):
                    del self.files[outbox + part]
                self._handled.discard(name)
        self._post()

    def look(self) -> None:
        self._looks += 1
        self._post()

    @property
    def waits(self) -> bool:
        return bool(self._waiting)

    def _post(self) -> None:
        moment = Moment(look=self._looks, at=self.now)
        for posting in [posting for posting in self._waiting if posting.is_due(moment)]:
            with posting.content.open() as source:
                self.write(f"{self.profile.channel.inbox}/{posting.name}", source.read())
        self._waiting = [posting for posting in self._waiting if not posting.is_due(moment)]


class SimulatedChannel:
    """Implements `channels.channel.Channel`. A broken line stays broken."""

    traits = Traits(rename_refuses_existing=True, exclusive_create=True, sync=True)

    def __init__(self, server: SimulatedServer, faults: Faults) -> None:
        fault = faults.at("channel open")
        if fault is Fault.UNREACHABLE:
            raise Unreachable("simulated: no route")
        if fault is Fault.REFUSED:
            raise AuthenticationRefused("simulated: login refused")
        self._server = server
        self._faults = faults
        self._broken = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._broken = True

    def list(self, folder: str) -> list[Entry]:
        fault = self._begin("channel list")
        self._server.look()
        found = [
            Entry(path.removeprefix(f"{folder}/"), len(content), version)
            for path, (content, version) in sorted(self._server.files.items())
            if path.startswith(f"{folder}/")
        ]
        self._end(fault)
        return found

    def stat(self, path: str) -> Entry | None:
        fault = self._begin("channel stat")
        found = self._server.files.get(path)
        self._end(fault)
        return None if found is None else Entry(path, len(found[0]), found[1])

    def put(self, path: str, source: BinaryIO, size_bytes: int) -> Upload:
        fault = self._begin("channel put")
        content = source.read()
        if path in self._server.files:
            raise AlreadyExists(path)
        if fault is Fault.NO_SPACE:
            self._server.write(path, content[: len(content) // 2])
            raise NoSpace(path)
        if fault in (Fault.CRASH_DURING, Fault.LOST_AFTER, Fault.TIMED_OUT):
            # The line breaks in the middle: some of the bytes arrived.
            content = content[: self._faults.random.randint(0, len(content))]
        self._server.write(path, content)
        self._server.notice()
        if fault is Fault.CRASH_DURING:
            self._faults.die()
        self._end(fault)
        return Upload(path, size_bytes, hashlib.sha256(content).hexdigest(), True, 0.0)

    def rename(self, old: str, new: str) -> None:
        fault = self._begin("channel rename")
        if new in self._server.files:
            raise AlreadyExists(new)
        if old not in self._server.files:
            raise NotFound(old)
        self._server.write(new, self._server.files.pop(old)[0])
        self._server.notice()
        self._end(fault)

    def remove(self, path: str) -> None:
        fault = self._begin("channel remove")
        self._server.files.pop(path, None)
        self._end(fault)

    def get(self, path: str, sink: ByteSink, limit_bytes: int) -> int:
        fault = self._begin("channel get")
        if path not in self._server.files:
            raise NotFound(path)
        content = self._server.files[path][0]
        if fault is not None:
            sink.write(content[: len(content) // 2])
        else:
            sink.write(content)
        self._end(fault)
        return len(content)

    def _begin(self, point: str) -> Fault | None:
        if self._broken:
            raise ConnectionLost("simulated: the line is down")
        fault = self._faults.at(point)
        if fault is Fault.LOST_BEFORE or (fault is Fault.TIMED_OUT and self._faults.random.random() < 0.5):
            self._break()
        if fault is Fault.SERVER_FAULT:
            raise ServerFault("simulated: failure")
        return fault

    def _end(self, fault: Fault | None) -> None:
        if fault is Fault.CRASH_AFTER:
            self._faults.die()
        if fault is Fault.TIMED_OUT:
            self._broken = True
            raise TimedOut("simulated: no answer")
        if fault is Fault.LOST_AFTER:
            self._break()

    def _break(self) -> None:
        self._broken = True
        raise ConnectionLost("simulated: the line broke")
