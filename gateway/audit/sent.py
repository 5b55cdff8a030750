"""What went out: files, the parts that were sealed, and which payment stood where in them."""

from __future__ import annotations

from itertools import groupby

from gateway.audit.beside import Beside, plain
from gateway.audit.bundle import (
    AttemptLine,
    FileLine,
    PartLine,
)
from gateway.audit.chain import Told
from gateway.evidence import items_digest
from gateway.money import money
from gateway.states import FileState

_OUTSIDE = frozenset(
    {
        FileState.RELEASING,
        FileState.UNCERTAIN,
        FileState.SENT,
        FileState.ACKNOWLEDGED,
        FileState.SETTLED,
        FileState.REJECTED,
    }
)
"""States that a file reaches only by being released, which is an event."""


class SentChecks:
    """Files, then their parts and their items."""

    def __init__(self, beside: Beside) -> None:
        self._beside = beside
        self._add = beside.add

    def files(self) -> None:
        planned = self._beside.by("file planned", "bank", "file")
        releasing = {plain(told.body.get("file")) for told in self._beside.journal.of("file releasing")}
        for place, file in self._beside.ascending("files", FileLine):
            self._beside.files[file.file] = file
            if file.batch not in self._beside.batches:
                self._add(place, f"is of batch {file.batch}, which is not in the bundle")
            self._beside.agree(
                place,
                planned.pop((file.bank, file.name), None),
                "file planned",
                sequence=file.sequence,
                count=file.payment_count,
                total_minor=file.total_minor,
            )
            self._beside.stands(place, file.state, self._beside.states.files.get((file.bank, file.name)))
            if file.sequence > self._beside.bundle.manifest.sequences.get(file.bank, 0):
                self._add(place, f"has sequence {file.sequence}, beyond the bank's last one")
            if file.state in _OUTSIDE and file.name not in releasing:
                self._add(place, f"is {file.state}, but the journal does not say that it was released")
        for told in planned.values():
            self._add(told.place, f"file {told.body.get('file')} was planned and is not in the bundle")

    def parts(self) -> None:
        sealed: dict[object, list[object]] = {}
        for told in self._beside.journal.of("file sealed"):
            sealed.setdefault(plain(told.body.get("file")), []).append(told.body.get("parts"))
        found: dict[int, dict[str, str]] = {}
        for place, part in self._beside.ascending("file_parts", PartLine, keys=2):
            if part.file not in self._beside.files:
                self._add(place, f"is of file {part.file}, which is not in the bundle")
            found.setdefault(part.file, {})[part.name] = part.sha256
        for key, file in self._beside.files.items():
            told_parts = sealed.get(file.name, [])
            if (key in found or told_parts) and found.get(key, {}) not in told_parts:
                self._add("file_parts.jsonl", f"file {file.name}: its parts are not those that were sealed")

    def attempts(self) -> None:
        planned = self._beside.by("file planned", "bank", "file")
        seen = set()
        lines = self._beside.ascending("attempts", AttemptLine, keys=2)
        for key, group in groupby(lines, key=lambda pair: pair[1].file):
            seen.add(key)
            file = self._beside.files.get(key)
            if file is None:
                self._add("attempts.jsonl", f"file {key} is not in the bundle")
                continue
            self._check_items(file, planned.get((file.bank, file.name)), list(group))
        for key in self._beside.files.keys() - seen:
            self._add("attempts.jsonl", f"file {self._beside.files[key].name} has no items")

    def _check_items(self, file: FileLine, told: Told | None, group: list[tuple[str, AttemptLine]]) -> None:
        total_minor = 0
        items = []
        for number, (place, attempt) in enumerate(group, start=1):
            payment = self._beside.payments.find(attempt.payment)
            if payment is None:
                self._add(place, f"payment {attempt.payment} is not in the bundle")
                return
            if attempt.item != number:
                self._add(place, f"item {attempt.item} stands where item {number} is due")
            if attempt.live and not self._beside.payments.take_live(attempt.payment):
                self._add(place, f"payment {payment[0]} has a live attempt already")
            total_minor += payment[1]
            items.append((attempt.item, attempt.payment, *payment))
        live = sum(attempt.live for _, attempt in group)
        told_live = self._beside.states.live.get((file.bank, file.name), live)
        if live != told_live:
            self._add(
                "attempts.jsonl",
                f"file {file.name} has {live} live attempts, the journal leaves it {told_live}",
            )
        if (len(items), total_minor) != (file.payment_count, file.total_minor):
            self._add(
                "attempts.jsonl",
                f"file {file.name} has {len(items)} items of {money(total_minor)}, it says"
                f" {file.payment_count} of {money(file.total_minor)}",
            )
        digest = None if told is None else told.body.get("items_sha256")
        if digest is not None and digest != items_digest(items):
            self._add("attempts.jsonl", f"file {file.name}: its items are not those that were planned")
