"""What came back: files of banks, what they said, and what persons stated in their place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from gateway.audit.beside import Beside
from gateway.audit.bundle import (
    AcknowledgementLine,
    DecisionLine,
    EntryLine,
    FeeLine,
    NoticeLine,
    OutcomeLine,
    ReceiptLine,
    ReceivedLine,
    RecoveryLine,
)
from gateway.audit.recoveries import RecoveryChecks
from gateway.evidence import rows_digest
from gateway.states import Disposition, ReceivedState

_OWN = frozenset({str(Disposition.SET_ASIDE), str(Disposition.WITHDRAWN)})
"""What the gateway states by itself, without a bank's file."""


class AnsweredChecks:
    """Received files, then what each brought."""

    def __init__(self, beside: Beside) -> None:
        self._beside = beside
        self._add = beside.add
        self._resolved = iter(beside.journal.of("payment resolved"))

    def received(self) -> None:
        fetched = self._beside.by("received", "bank", "sha256", "name")
        verified = self._beside.by("received file verified", "bank", "sha256")
        settled = self._beside.by("received file settled", "bank", "sha256")
        for place, received in self._beside.ascending("received", ReceivedLine):
            self._beside.received[received.received] = received
            name = (received.bank, received.sha256)
            self._beside.agree(
                place, fetched.pop((*name, received.name), None), "received", size_bytes=received.size_bytes
            )
            self._beside.stands(place, received.state, self._beside.states.received.get(received.received))
            if received.verdict is not None:
                self._beside.agree(
                    place, verified.get(name), "received file verified", verdict=received.verdict
                )
            if received.state == ReceivedState.SETTLED:
                file = self._beside.files.get(received.file or 0)
                our_name = None if file is None else file.name
                self._beside.agree(place, settled.get(name), "received file settled", file=our_name)
        for told in fetched.values():
            if not self._beside.bundle.manifest.selection:
                self._add(told.place, f"{told.body.get('name')} was received and is not in the bundle")

    def answers(self) -> None:
        """Acknowledgements and fee findings, by what the settling of their file told."""
        settled = self._beside.by("received file settled", "bank", "sha256")
        acknowledged, charged = set(), dict.fromkeys(self._beside.received, 0)
        for place, line in self._beside.ascending("acknowledgements", AcknowledgementLine):
            told = settled.get(self._beside.content(line.received))
            self._beside.agree(place, told, "received file settled", verdict=line.verdict, code=line.code)
            acknowledged.add(line.received)
        for place, fee in self._beside.ascending("fees", FeeLine):
            if fee.received not in charged:
                self._add(place, f"comes from received file {fee.received}, which is not in the bundle")
            charged[fee.received] = charged.get(fee.received, 0) + 1
        for key, received in self._beside.received.items():
            told = settled.get((received.bank, received.sha256))
            if told is None or received.state != ReceivedState.SETTLED:
                continue
            if told.body.get("findings", 0) != charged[key]:
                self._add(
                    "fees.jsonl",
                    f"{received.name} has {charged[key]} findings, told were {told.body.get('findings')}",
                )
            if ("verdict" in told.body) is not (key in acknowledged):
                self._add(
                    "acknowledgements.jsonl", f"{received.name} is told of as an acknowledgement, or is none"
                )

    def notices(self) -> None:
        """The rows of each event of notices, in order, have the digest that it tells."""
        self._digested("notices", NoticeLine, "notices")

    def entries(self) -> None:
        """The same of entries of statements, which a selection shows in part."""
        if not self._beside.bundle.manifest.selection:
            self._digested("entries", EntryLine, "statement entries")

    def _digested(self, table: str, line: type[Struct], kind: str) -> None:
        rows = self._beside.ascending(table, line)
        for told in self._beside.journal.of(kind):
            count = told.body.get("count")
            taken = [row for _, row in zip(range(count if isinstance(count, int) else 0), rows, strict=False)]
            told_rows = [msgspec.structs.astuple(row)[1:] for _, row in taken]
            if rows_digest(told_rows) != told.body.get("rows_sha256"):
                self._add(told.place, f"tells of other {table} than the bundle has")
        for place, _ in rows:
            self._add(place, "is told by no event")

    def outcomes(self) -> None:
        """The rows of each event of outcomes, in order, have the digest that it tells."""
        rows = self._bank_outcomes()
        for told in self._beside.journal.of("outcomes"):
            count = told.body.get("count")
            taken = [row for _, row in zip(range(count if isinstance(count, int) else 0), rows, strict=False)]
            if len(taken) != count or _rows_digest(taken) != told.body.get("rows_sha256"):
                first = taken[0].outcome if taken else "none"
                self._add(told.place, f"the {count} outcomes from {first} on are not those that it tells of")
                return
            statuses = told.body.get("statuses")
            if statuses is not None and statuses != Counter(row.status for row in taken):
                self._add(told.place, f"its outcomes are {statuses}, the rows say otherwise")
            for row in taken:
                file, content = self._beside.files.get(row.file or 0), self._beside.content(row.received or 0)
                names = (None if file is None else file.name, content[1])
                if names != (told.body.get("file"), told.body.get("received_sha256")):
                    self._add(told.place, f"outcome {row.outcome} is of another file than it tells of")
                    break
        for row in rows:
            self._add("outcomes.jsonl", f"outcome {row.outcome} is in no event of the journal")

    def _bank_outcomes(self) -> Iterator[OutcomeLine]:
        for place, row in self._beside.ascending("outcomes", OutcomeLine):
            if self._beside.payments.find(row.payment) is None:
                self._add(place, f"payment {row.payment} is not in the bundle")
            if row.received is not None:
                yield row
            elif row.decided is not None:
                self._check_resolved(place, row)
            elif row.status not in _OWN:
                self._add(place, f"payment {row.payment} is {row.status}, and no file of a bank says so")
        for told in self._resolved:
            self._add(told.place, f"payment {told.body.get('payment')} was resolved and is not shown so")

    def _check_resolved(self, place: str, row: OutcomeLine) -> None:
        """Two persons signed exactly this, and the journal tells of it."""
        told = next(self._resolved, None)
        file = self._beside.files.get(row.file or 0)
        self._beside.agree(
            place,
            told,
            "payment resolved",
            payment=row.payment,
            file=None if file is None else file.name,
            item=row.item,
            status=row.status,
            reason=row.reason,
            credited_minor=row.credited_minor,
            returned_minor=row.returned_minor,
            object=row.decided,
        )
        persons = {
            line.person
            for _, line in self._beside.bundle.lines("decisions", DecisionLine)
            if (line.object, line.decision) == (row.decided, row.status)
        }
        if len(persons) < 2:
            signed = ", ".join(sorted(persons)) or "nobody"
            self._add(place, f"payment {row.payment} was resolved as {row.status}, signed by {signed}")

    def recoveries(self) -> None:
        """Money that was asked back, by what persons signed and the journal tells."""
        checks = RecoveryChecks(self._beside.bundle, self._beside.journal, self._beside.payments)
        for place, recovery in self._beside.ascending("recoveries", RecoveryLine):
            checks.recovery(place, recovery)
        for place, receipt in self._beside.ascending("receipts", ReceiptLine):
            checks.receipt(place, receipt)
        checks.finish()


def _rows_digest(rows: list[OutcomeLine]) -> str:
    """As `settle` makes it: one JSON array of arrays, without the outcome's own key and `decided`."""
    return rows_digest([msgspec.structs.astuple(row)[1:-1] for row in rows])
