"""What was submitted: batches and their payments, by what the journal says."""

from __future__ import annotations

import json
from collections import Counter

from msgspec import Struct

from gateway.audit.beside import Beside
from gateway.audit.bundle import (
    BatchLine,
    DecisionLine,
    PaymentLine,
)
from gateway.audit.states import told_dispositions
from gateway.money import money
from gateway.states import BatchState

_AFTER_RELEASE = (BatchState.RELEASED, BatchState.HELD)


class _Sum(Struct):
    count: int = 0
    minor: int = 0


class SubmittedChecks:
    """Batches, then payments."""

    def __init__(self, beside: Beside) -> None:
        self._beside = beside
        self._add = beside.add

    def batches(self) -> None:
        submitted = self._beside.by("batch submitted", "platform", "batch")
        released = self._beside.by("batch released", "platform", "batch")
        for place, batch in self._beside.ascending("batches", BatchLine):
            self._beside.batches[batch.batch] = batch
            name = (batch.platform, batch.batch_id)
            self._beside.agree(
                place,
                submitted.pop(name, None),
                "batch submitted",
                content_sha256=batch.content_sha256,
                count=batch.declared_count,
                total_minor=batch.declared_total_minor,
                left_out=batch.left_out_count,
            )
            self._beside.stands(place, batch.state, self._beside.states.batches.get(name))
            if batch.released_at is not None or batch.state in _AFTER_RELEASE:
                self._beside.agree(
                    place,
                    released.pop(name, None),
                    "batch released",
                    content_sha256=batch.content_sha256,
                    how=batch.release,
                )
                self._check_release(place, batch)
        for kind, left in (("submitted", submitted), ("released", released)):
            for told in left.values():
                self._add(told.place, f"batch {told.body.get('batch')} was {kind} and is not shown so")

    def _check_release(self, place: str, batch: BatchLine) -> None:
        """Two persons' signatures stand behind a release by persons."""
        try:
            how = json.loads(batch.release or "")
            persons = set(how["persons"]) if how["by"] == "persons" else None
        except (ValueError, TypeError, KeyError):
            self._add(place, "does not say by whom it was released")
            return
        if persons is None:
            return
        wanted = f"batch:{batch.platform}/{batch.batch_id}#"
        signed = {
            line.person
            for _, line in self._beside.bundle.lines("decisions", DecisionLine)
            if line.decision == "release"
            and line.object.startswith(wanted)
            and batch.content_sha256 in line.statement
        }
        if len(persons) < 2 or not persons <= signed:
            self._add(
                place, f"was released by {', '.join(sorted(persons))}, signed by {', '.join(sorted(signed))}"
            )

    def payments(self) -> None:
        sums: dict[int, _Sum] = {key: _Sum() for key in self._beside.batches}
        dispositions: Counter[str] = Counter()
        selection = self._beside.bundle.manifest.selection
        department, period = selection.get("department"), selection.get("period")
        fitting: set[int] = set()
        for place, payment in self._beside.ascending("payments", PaymentLine):
            self._beside.payments.append(payment.payment, payment.amount_minor, payment.payment_id)
            total = sums.get(payment.batch)
            if total is None:
                self._add(place, f"is of batch {payment.batch}, which is not in the bundle")
                continue
            total.count += 1
            total.minor += payment.amount_minor
            if payment.department == (department or payment.department) and payment.period == (
                period or payment.period
            ):
                fitting.add(payment.batch)
            dispositions[payment.disposition] += 1
        self._fits(fitting)
        for key, batch in self._beside.batches.items():
            found = (sums[key].count + batch.left_out_count, sums[key].minor + batch.left_out_minor)
            if found != (batch.declared_count, batch.declared_total_minor):
                self._add(
                    "payments.jsonl",
                    f"batch {batch.batch_id} has {found[0]} payments of {money(found[1])}, declared were"
                    f" {batch.declared_count} of {money(batch.declared_total_minor)}",
                )

        if not self._beside.bundle.manifest.selection:
            for disposition, told in told_dispositions(self._beside.journal).items():
                if dispositions[disposition] != told:
                    number = dispositions[disposition]
                    message = f"{number} payments are {disposition}, the journal tells of {told}"
                    self._add("payments.jsonl", message)

    def _fits(self, fitting: set[int]) -> None:
        """No batch is in a selection that is not of it, as far as its payments and times say."""
        selection = self._beside.bundle.manifest.selection
        first, last = selection.get("from", ""), selection.get("to", "9999")
        for key, batch in self._beside.batches.items():
            outside = not first <= batch.submitted_at[:10] <= last
            if outside or (("department" in selection or "period" in selection) and key not in fitting):
                self._add("batches.jsonl", f"batch {batch.batch_id} is not of the selection")
