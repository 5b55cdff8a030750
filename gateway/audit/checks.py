"""Whether the tables of a bundle tell what its journal says, and add up.

Each check reads one table once, in its order. What is kept meanwhile grows with the files and
events; of payments some forty bytes each.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import msgspec
from msgspec import Struct

from gateway.audit.bundle import (
    AcknowledgementLine,
    AttemptLine,
    BatchLine,
    DecisionLine,
    EntryLine,
    FeeLine,
    FileLine,
    NoticeLine,
    OutcomeLine,
    PartLine,
    PaymentLine,
    PersonLine,
    ReceiptLine,
    ReceivedLine,
    RecoveryLine,
)
from gateway.audit.chain import Journal, Told
from gateway.audit.identity import IdentityChecks
from gateway.audit.payments import PackedPayments
from gateway.audit.persons import EnrolmentChecks, SignedBy
from gateway.audit.recoveries import RecoveryChecks
from gateway.audit.report import Bundle
from gateway.audit.states import told_dispositions, told_states
from gateway.evidence import items_digest, rows_digest
from gateway.money import money
from gateway.persons.decisions import Statement
from gateway.states import BatchState, Disposition, FileState, ReceivedState
from keys.certified import decode_base64, verify_public
from keys.errors import SealError

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
_AFTER_RELEASE = (BatchState.RELEASED, BatchState.HELD)
_OWN = frozenset({str(Disposition.SET_ASIDE), str(Disposition.WITHDRAWN)})
"""What the gateway states by itself, without a bank's file."""


def check_tables(bundle: Bundle, journal: Journal) -> None:
    """Every check of this page; findings go to the bundle's report."""
    check = _Checks(bundle, journal)
    check.batches()
    check.payments()
    check.files()
    check.parts()
    check.attempts()
    check.received()
    check.answers()
    check.notices()
    check.entries()
    check.outcomes()
    check.recoveries()
    check.decisions()


class _Sum(Struct):
    count: int = 0
    minor: int = 0


class _Checks:
    def __init__(self, bundle: Bundle, journal: Journal) -> None:
        self._bundle = bundle
        self._add = bundle.report.add
        self._journal = journal
        self._batches: dict[int, BatchLine] = {}
        self._files: dict[int, FileLine] = {}
        self._received: dict[int, ReceivedLine] = {}
        self._payments = PackedPayments()
        self._states = told_states(journal)
        self._resolved = iter(journal.of("payment resolved"))

    # What was submitted.

    def batches(self) -> None:
        submitted = self._by("batch submitted", "platform", "batch")
        released = self._by("batch released", "platform", "batch")
        for place, batch in self._ascending("batches", BatchLine):
            self._batches[batch.batch] = batch
            name = (batch.platform, batch.batch_id)
            self._agree(
                place,
                submitted.pop(name, None),
                "batch submitted",
                content_sha256=batch.content_sha256,
                count=batch.declared_count,
                total_minor=batch.declared_total_minor,
                left_out=batch.left_out_count,
            )
            self._stands(place, batch.state, self._states.batches.get(name))
            if batch.released_at is not None or batch.state in _AFTER_RELEASE:
                self._agree(
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
            for _, line in self._bundle.lines("decisions", DecisionLine)
            if line.decision == "release"
            and line.object.startswith(wanted)
            and batch.content_sha256 in line.statement
        }
        if len(persons) < 2 or not persons <= signed:
            self._add(
                place, f"was released by {', '.join(sorted(persons))}, signed by {', '.join(sorted(signed))}"
            )

    def payments(self) -> None:
        sums: dict[int, _Sum] = {key: _Sum() for key in self._batches}
        dispositions: Counter[str] = Counter()
        selection = self._bundle.manifest.selection
        department, period = selection.get("department"), selection.get("period")
        fitting: set[int] = set()
        for place, payment in self._ascending("payments", PaymentLine):
            self._payments.append(payment.payment, payment.amount_minor, payment.payment_id)
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
        for key, batch in self._batches.items():
            found = (sums[key].count + batch.left_out_count, sums[key].minor + batch.left_out_minor)
            if found != (batch.declared_count, batch.declared_total_minor):
                self._add(
                    "payments.jsonl",
                    f"batch {batch.batch_id} has {found[0]} payments of {money(found[1])}, declared were"
                    f" {batch.declared_count} of {money(batch.declared_total_minor)}",
                )

        if not self._bundle.manifest.selection:
            for disposition, told in told_dispositions(self._journal).items():
                if dispositions[disposition] != told:
                    number = dispositions[disposition]
                    message = f"{number} payments are {disposition}, the journal tells of {told}"
                    self._add("payments.jsonl", message)

    def _fits(self, fitting: set[int]) -> None:
        """No batch is in a selection that is not of it, as far as its payments and times say."""
        selection = self._bundle.manifest.selection
        first, last = selection.get("from", ""), selection.get("to", "9999")
        for key, batch in self._batches.items():
            outside = not first <= batch.submitted_at[:10] <= last
            if outside or (("department" in selection or "period" in selection) and key not in fitting):
                self._add("batches.jsonl", f"batch {batch.batch_id} is not of the selection")

    # What went out.

    def files(self) -> None:
        planned = self._by("file planned", "bank", "file")
        releasing = {_plain(told.body.get("file")) for told in self._journal.of("file releasing")}
        for place, file in self._ascending("files", FileLine):
            self._files[file.file] = file
            if file.batch not in self._batches:
                self._add(place, f"is of batch {file.batch}, which is not in the bundle")
            self._agree(
                place,
                planned.pop((file.bank, file.name), None),
                "file planned",
                sequence=file.sequence,
                count=file.payment_count,
                total_minor=file.total_minor,
            )
            self._stands(place, file.state, self._states.files.get((file.bank, file.name)))
            if file.sequence > self._bundle.manifest.sequences.get(file.bank, 0):
                self._add(place, f"has sequence {file.sequence}, beyond the bank's last one")
            if file.state in _OUTSIDE and file.name not in releasing:
                self._add(place, f"is {file.state}, but the journal does not say that it was released")
        for told in planned.values():
            self._add(told.place, f"file {told.body.get('file')} was planned and is not in the bundle")

    def parts(self) -> None:
        sealed: dict[object, list[object]] = {}
        for told in self._journal.of("file sealed"):
            sealed.setdefault(_plain(told.body.get("file")), []).append(told.body.get("parts"))
        found: dict[int, dict[str, str]] = {}
        for place, part in self._ascending("file_parts", PartLine, keys=2):
            if part.file not in self._files:
                self._add(place, f"is of file {part.file}, which is not in the bundle")
            found.setdefault(part.file, {})[part.name] = part.sha256
        for key, file in self._files.items():
            told_parts = sealed.get(file.name, [])
            if (key in found or told_parts) and found.get(key, {}) not in told_parts:
                self._add("file_parts.jsonl", f"file {file.name}: its parts are not those that were sealed")

    def attempts(self) -> None:
        planned = self._by("file planned", "bank", "file")
        seen = set()
        lines = self._ascending("attempts", AttemptLine, keys=2)
        for key, group in groupby(lines, key=lambda pair: pair[1].file):
            seen.add(key)
            file = self._files.get(key)
            if file is None:
                self._add("attempts.jsonl", f"file {key} is not in the bundle")
                continue
            self._check_items(file, planned.get((file.bank, file.name)), list(group))
        for key in self._files.keys() - seen:
            self._add("attempts.jsonl", f"file {self._files[key].name} has no items")

    def _check_items(self, file: FileLine, told: Told | None, group: list[tuple[str, AttemptLine]]) -> None:
        total_minor = 0
        items = []
        for number, (place, attempt) in enumerate(group, start=1):
            payment = self._payments.find(attempt.payment)
            if payment is None:
                self._add(place, f"payment {attempt.payment} is not in the bundle")
                return
            if attempt.item != number:
                self._add(place, f"item {attempt.item} stands where item {number} is due")
            if attempt.live and not self._payments.take_live(attempt.payment):
                self._add(place, f"payment {payment[0]} has a live attempt already")
            total_minor += payment[1]
            items.append((attempt.item, attempt.payment, *payment))
        live = sum(attempt.live for _, attempt in group)
        told_live = self._states.live.get((file.bank, file.name), live)
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

    # What came back.

    def received(self) -> None:
        fetched = self._by("received", "bank", "sha256", "name")
        verified = self._by("received file verified", "bank", "sha256")
        settled = self._by("received file settled", "bank", "sha256")
        for place, received in self._ascending("received", ReceivedLine):
            self._received[received.received] = received
            name = (received.bank, received.sha256)
            self._agree(
                place, fetched.pop((*name, received.name), None), "received", size_bytes=received.size_bytes
            )
            self._stands(place, received.state, self._states.received.get(received.received))
            if received.verdict is not None:
                self._agree(place, verified.get(name), "received file verified", verdict=received.verdict)
            if received.state == ReceivedState.SETTLED:
                file = self._files.get(received.file or 0)
                our_name = None if file is None else file.name
                self._agree(place, settled.get(name), "received file settled", file=our_name)
        for told in fetched.values():
            if not self._bundle.manifest.selection:
                self._add(told.place, f"{told.body.get('name')} was received and is not in the bundle")

    def answers(self) -> None:
        """Acknowledgements and fee findings, by what the settling of their file told."""
        settled = self._by("received file settled", "bank", "sha256")
        acknowledged, charged = set(), dict.fromkeys(self._received, 0)
        for place, line in self._ascending("acknowledgements", AcknowledgementLine):
            told = settled.get(self._content(line.received))
            self._agree(place, told, "received file settled", verdict=line.verdict, code=line.code)
            acknowledged.add(line.received)
        for place, fee in self._ascending("fees", FeeLine):
            if fee.received not in charged:
                self._add(place, f"comes from received file {fee.received}, which is not in the bundle")
            charged[fee.received] = charged.get(fee.received, 0) + 1
        for key, received in self._received.items():
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
        if not self._bundle.manifest.selection:
            self._digested("entries", EntryLine, "statement entries")

    def _digested(self, table: str, line: type[Struct], kind: str) -> None:
        rows = self._ascending(table, line)
        for told in self._journal.of(kind):
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
        for told in self._journal.of("outcomes"):
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
                file, content = self._files.get(row.file or 0), self._content(row.received or 0)
                names = (None if file is None else file.name, content[1])
                if names != (told.body.get("file"), told.body.get("received_sha256")):
                    self._add(told.place, f"outcome {row.outcome} is of another file than it tells of")
                    break
        for row in rows:
            self._add("outcomes.jsonl", f"outcome {row.outcome} is in no event of the journal")

    def _bank_outcomes(self) -> Iterator[OutcomeLine]:
        for place, row in self._ascending("outcomes", OutcomeLine):
            if self._payments.find(row.payment) is None:
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
        file = self._files.get(row.file or 0)
        self._agree(
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
            for _, line in self._bundle.lines("decisions", DecisionLine)
            if (line.object, line.decision) == (row.decided, row.status)
        }
        if len(persons) < 2:
            signed = ", ".join(sorted(persons)) or "nobody"
            self._add(place, f"payment {row.payment} was resolved as {row.status}, signed by {signed}")

    def recoveries(self) -> None:
        """Money that was asked back, by what persons signed and the journal tells."""
        checks = RecoveryChecks(self._bundle, self._journal, self._payments)
        for place, recovery in self._ascending("recoveries", RecoveryLine):
            checks.recovery(place, recovery)
        for place, receipt in self._ascending("receipts", ReceiptLine):
            checks.receipt(place, receipt)
        checks.finish()

    # Who decided.

    def decisions(self) -> None:
        persons = self._persons()
        digests = {key_id: _key_digest(person) for key_id, person in persons.items()}
        enrolments = EnrolmentChecks(self._bundle, self._journal)
        identity = IdentityChecks(self._bundle, self._journal)
        used = set()
        signed: dict[tuple[str, str], list[SignedBy]] = {}
        events = iter(self._journal.of("decision"))
        for place, line in self._ascending("decisions", DecisionLine):
            used.add(line.key_id)
            person = persons.get(line.key_id)
            if person is None or person.person != line.person:
                self._add(place, f"the key {line.key_id} of {line.person} is not in the bundle")
            else:
                self._check_signature(place, line, person)
            told = next(events, None)
            self._check_statement(place, line, told, identity)
            self._agree(
                place, told, "decision", object=line.object, decision=line.decision, person=line.person
            )
            self._agree_digests(place, told, line, person)
            enrolments.check_decision(place, told, line.person, line.key_id, digests.get(line.key_id, ""))
            signed.setdefault((line.object, line.decision), []).append((line.person, line.key_id))
            if told is not None and "carried_out_by" in told.body:
                counted = self._counted(place, told, signed[line.object, line.decision])
                enrolments.check_completion(place, told, counted, digests)
        enrolments.check_persons(persons, digests)
        for key_id in persons.keys() - used:
            self._add("persons.jsonl", f"no decision was signed with the key {key_id}")
        for told in events:
            self._add(told.place, f"a decision about {told.body.get('object')} is not in the bundle")

    def _counted(self, place: str, told: Told, signed: list[SignedBy]) -> list[SignedBy]:
        """Whose signatures carried a decision out: the last one, and those of others before it."""
        try:
            counted = msgspec.convert(told.body["carried_out_by"], list[SignedBy])
        except msgspec.ValidationError:
            self._add(told.place, "does not tell whose signatures carried it out")
            return []
        if len({person for person, _ in counted}) < len(counted):
            self._add(told.place, "counts a person twice")
        if signed[-1] not in counted:
            self._add(told.place, f"does not count the signature of {signed[-1][0]} that completed it")
        for person, key_id in counted:
            if (person, key_id) not in signed:
                self._add(place, f"was carried out by {person} with the key {key_id}, who had not signed it")
        return counted

    def _persons(self) -> dict[str, PersonLine]:
        persons: dict[str, PersonLine] = {}
        for place, line in self._bundle.lines("persons", PersonLine):
            if persons.setdefault(line.key_id, line) is not line:
                self._add(place, f"the key {line.key_id} stands there a second time")
        return persons

    def _check_signature(self, place: str, line: DecisionLine, person: PersonLine) -> None:
        try:
            signature = b"".join(line.signature.encode().split())
            verify_public(line.statement.encode(), signature, person.public_key, person.algorithm)
        except SealError as error:
            self._add(place, f"the signature is not {line.person}'s: {error}")

    def _check_statement(
        self, place: str, line: DecisionLine, told: Told | None, identity: IdentityChecks
    ) -> None:
        try:
            statement = msgspec.json.decode(line.statement, type=Statement)
        except msgspec.DecodeError as error:
            self._add(place, f"the statement cannot be read: {error}")
            return
        if (statement.subject, statement.decision, statement.person) != (
            line.object,
            line.decision,
            line.person,
        ):
            self._add(place, "the statement that was signed says something else")
        identity.check(place, told, statement.installation)

    def _agree_digests(
        self, place: str, told: Told | None, line: DecisionLine, person: PersonLine | None
    ) -> None:
        if told is None or "statement_sha256" not in told.body:
            return
        key = "" if person is None else _key_digest(person)
        self._agree(
            place,
            told,
            "decision",
            statement_sha256=hashlib.sha256(line.statement.encode()).hexdigest(),
            signature_sha256=hashlib.sha256(line.signature.encode()).hexdigest(),
            key_sha256=key,
        )

    # Common parts.

    def _stands(self, place: str, state: str, told: str | None) -> None:
        """The row's state is where the journal leaves it; what older events do not tell is not judged."""
        if told and state != told:
            self._add(place, f"is {state}, the journal leaves it {told}")

    def _by(self, kind: str, *names: str) -> dict[tuple[Any, ...], Told]:
        """The last shown event of a kind for each value of these."""
        return {tuple(_plain(told.body.get(name)) for name in names): told for told in self._journal.of(kind)}

    def _content(self, key: int) -> tuple[str | None, str | None]:
        received = self._received.get(key)
        return (None, None) if received is None else (received.bank, received.sha256)

    def _agree(self, place: str, told: Told | None, kind: str, **values: object) -> None:
        """The row's values are those of its event."""
        if told is None:
            self._add(place, f"no event '{kind}' of the journal tells of it")
            return
        for name, value in values.items():
            if told.body.get(name) != value:
                self._add(
                    place, f"{name} is {_shown(value)}, event {told.event} says {_shown(told.body.get(name))}"
                )

    def _ascending(self, name: str, kind: type[Any], keys: int = 1) -> Iterator[tuple[str, Any]]:
        """The rows of a table; their keys must grow."""
        before: tuple[Any, ...] = ()
        for place, line in self._bundle.lines(name, kind):
            key = tuple(getattr(line, field) for field in line.__struct_fields__[:keys])
            if key <= before:
                self._add(place, f"{key} stands after {before}")
            before = key
            yield place, line


def _key_digest(person: PersonLine) -> str:
    """ "" where there is no key in it, which its signatures tell."""
    try:
        return hashlib.sha256(decode_base64(person.public_key.encode())).hexdigest()
    except SealError:
        return ""


def _rows_digest(rows: list[OutcomeLine]) -> str:
    """As `settle` makes it: one JSON array of arrays, without the outcome's own key and `decided`."""
    return rows_digest([msgspec.structs.astuple(row)[1:-1] for row in rows])


def _plain(value: Any) -> Any:
    """A value that names something; what is none of these (a forger writes what he likes) names nothing."""
    return value if isinstance(value, str | int | float | None) else repr(value)


def _shown(value: object) -> str:
    return str(value)[:80]
