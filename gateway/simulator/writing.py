"""How a simulated bank's answers become files: encoded, signed, flagged, and due at a moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec.structs import replace

from formats.records import AcknowledgementVerdict, FileIdentity, RecordChunk
from gateway.simulator.answers import ResultChunks, Variant
from gateway.simulator.books import Taken
from gateway.simulator.entries import EntryChunks, Part
from gateway.simulator.forms import AnswerForm, Desk
from gateway.simulator.moments import Moment, Posting
from gateway.simulator.scenario import Kind, Scenario
from gateway.simulator.seals import BankSeals
from gateway.simulator.store import Blob, Store, keep, read_blocks

_EXCESS_MINOR = 100


class AnswerWriter:
    """Writes one bank's answers by its present `scenario`.

    Every answer takes a sequence number of the bank's own.
    """

    def __init__(self, desk: Desk, seals: BankSeals, store: Store, scenario: Scenario) -> None:
        self._desk = desk
        self._seals = seals
        self._store = store
        self.scenario = scenario
        self._sequence = 0
        self._acknowledged: dict[str, int] = {}

    def acknowledgement(
        self,
        name: str,
        verdict: AcknowledgementVerdict,
        text: str,
        moment: Moment,
        due: Moment,
        taken: Taken | None = None,
    ) -> list[Posting]:
        """What the bank says of a file as a whole; [] where it has no such answer."""
        form = self._desk.acknowledgement
        code = form.codes.file(verdict) if form else None
        if form is None or code is None:
            return []
        # A file that comes again gets an acknowledgement beside the first one, where names allow.
        serial = self._acknowledged.get(name, 0) + 1
        self._acknowledged[name] = serial
        identity = self._identity(form, name, taken, moment, serial)
        content = self._encode(form, replace(identity, code=code, text=text), [])
        return self._post(form, identity.name, content, moment.at, due)

    def result(
        self, taken: Taken, variant: Variant, serial: int, moment: Moment, due: Moment
    ) -> list[Posting]:
        """The files of one answer; [] where it would tell of no payment."""
        postings: list[Posting] = []
        for form in self._desk.result_forms:
            postings += self._result(form, taken, variant, serial, moment, due)
        return postings

    def _result(
        self, form: AnswerForm, taken: Taken, variant: Variant, serial: int, moment: Moment, due: Moment
    ) -> list[Posting]:
        chunks = self._written(form, taken, variant, moment)
        # An answer that need not list everything says something by being empty.
        if chunks.empty() and (form.is_of_all or not variant.is_whole):
            return []
        identity = self._identity(form, taken.name, taken, moment, serial)
        identity = replace(identity, code=_word_of(form, variant))
        if self.scenario.has(Kind.WRONG_TOTAL):
            content = self._encode_wrongly(form, identity, taken, variant, moment)
        else:
            content = self._encode(form, identity, chunks)
        return self._post(form, identity.name, content, moment.at, due)

    def statement(self, taken: Taken, moment: Moment, due: Moment, part: Part = Part.ALL) -> list[Posting]:
        """What was booked on the payer's account for one file, on the day of `moment`.

        [] where the bank sends no statements.
        """
        form = self._desk.statement
        if form is None:
            return []
        identity = self._identity(form, taken.name, taken, moment, taken.ordinal)
        # Whose statement it is: what a layout calls the group's account.
        account = identity.agreement.get("payer_account", "")
        identity = replace(identity, profile={**identity.profile, "account": account})
        day = moment.at.astimezone(self._desk.profile.time_zone).date()
        entries = EntryChunks(taken, self._desk.request, form, self._desk.profile.statements, day, part)
        content = self._encode(form, identity, entries)
        return self._post(form, identity.name, content, moment.at, due)

    def _chunks(self, taken: Taken, variant: Variant, moment: Moment) -> ResultChunks:
        """The records of the first file of an answer."""
        return self._chunks_of(self._desk.result, taken, variant, moment)

    def _chunks_of(self, form: AnswerForm, taken: Taken, variant: Variant, moment: Moment) -> ResultChunks:
        day = moment.at.astimezone(self._desk.profile.time_zone).date()
        return ResultChunks(taken, self._desk.request, form, variant, day)

    def _written(self, form: AnswerForm, taken: Taken, variant: Variant, moment: Moment) -> ResultChunks:
        if form is self._desk.result:
            return self._chunks(taken, variant, moment)
        return self._chunks_of(form, taken, variant, moment)

    def echo(
        self, taken: Taken, data: Blob, signature: Blob | None, moment: Moment, due: Moment
    ) -> list[Posting]:
        """Our own bytes (and signature) under the name of a result."""
        form = self._desk.result
        name = self._identity(form, taken.name, taken, moment, 1).name
        postings = [Posting(name=name, content=data, due=due)]
        signature_name = form.inbound.detached_signature_name(name)
        if signature_name and signature is not None:
            postings.append(Posting(name=signature_name, content=signature, due=due))
        return [*postings, *self._flag(form, name, due, data, data)]

    def again(
        self, postings: list[Posting], taken: Taken, serial: int, moment: Moment, due: Moment
    ) -> list[Posting]:
        """The content of a result that was posted, under another name."""
        form = self._desk.result
        name = self._identity(form, taken.name, taken, moment, serial).name
        parts = (name, form.inbound.detached_signature_name(name), form.inbound.flag_name(name))
        names = [part for part in parts if part]
        # Of a result that came in halves, the whole is repeated: its parts are the last ones.
        whole = postings[-len(names) :]
        return [replace(posting, name=new, due=due) for posting, new in zip(whole, names, strict=True)]

    def _encode(self, form: AnswerForm, identity: FileIdentity, chunks: Iterable[RecordChunk]) -> Blob:
        name = f"answer-{identity.sequence:06d}-{identity.name}"
        return keep(self._store, name, form.codec.encode(identity, chunks))

    def _encode_wrongly(
        self, form: AnswerForm, identity: FileIdentity, taken: Taken, variant: Variant, moment: Moment
    ) -> Blob:
        """Records as they are, between totals of records of which one says a yuan too much.

        No codec writes totals that do not add up, so two files are written and spliced.
        """
        wrong = replace(identity, total_minor=identity.total_minor + _EXCESS_MINOR)
        liar = self._written(form, taken, replace(variant, excess_minor=_EXCESS_MINOR), moment)
        right = form.codec.encode(identity, self._written(form, taken, variant, moment))
        name = f"answer-{identity.sequence:06d}-{identity.name}"
        return keep(self._store, name, _spliced(right, form.codec.encode(wrong, liar), liar))

    def _identity(
        self, form: AnswerForm, request_name: str, taken: Taken | None, moment: Moment, serial: int
    ) -> FileIdentity:
        """Who the answer says it is; what the request said of its agreement is echoed."""
        self._sequence += 1
        profile = self._desk.profile
        facts = taken.facts if taken else {}
        agreement = {
            meaning.removeprefix("agreement."): str(value)
            for meaning, value in facts.items()
            if meaning.startswith("agreement.")
        }
        local = moment.at.astimezone(profile.time_zone)
        texts = {**profile.values, **agreement}
        return FileIdentity(
            bank=profile.bank,
            sequence=self._sequence,
            name=form.name(request_name, serial=serial, sequence=self._sequence, moment=local, texts=texts),
            message_id=f"{profile.bank.upper()}{self._sequence:012d}",
            created_at=local,
            bank_day=local.date(),
            count=taken.count if taken else 0,
            total_minor=taken.total_minor if taken else 0,
            currency=str(facts.get("file.currency") or "CNY"),
            agreement=agreement,
            profile=profile.values,
            original_name=request_name,
            original_message_id=str(facts.get("file.message_id") or request_name),
        )

    def _post(self, form: AnswerForm, name: str, content: Blob, at: datetime, due: Moment) -> list[Posting]:
        """The physical files of one answer, sealed as the profile says, flag last."""
        inbound, stored = form.inbound, f"answer-{self._sequence:06d}"
        postings = []
        damaged = self.scenario.has(Kind.BAD_SIGNATURE) and inbound.kind == "result"
        sealed = self._seals.seal(self._desk.profile, inbound, content, at, self._store, stored)
        data, signature = sealed.data, sealed.signature
        if damaged and not signature:
            data = keep(self._store, f"{stored}-damaged", _damaged(data))
        postings.append(Posting(name=name, content=data, due=due))
        if signature_name := inbound.detached_signature_name(name):
            beside = keep(self._store, f"{stored}-signature", [signature])
            if damaged:
                beside = keep(self._store, f"{stored}-damaged", _damaged(beside))
            postings.append(Posting(name=signature_name, content=beside, due=due))
        postings += self._flag(form, name, due, data, content)
        if self.scenario.has(Kind.HALF_FILE) and inbound.kind == "result":
            return self._halved(form, postings, due)
        return postings

    def _flag(self, form: AnswerForm, name: str, due: Moment, data: Blob, plain: Blob) -> list[Posting]:
        """The flag of a file: empty, or what the profile says that it holds. `plain` is what was sealed."""
        flag = form.inbound.flag_name(name)
        if not flag:
            return []
        said = form.inbound.flag_content
        values = {"name": name, "size": data.size_bytes, "sha256": data.sha256}
        if "{count}" in said or "{total}" in said:
            values["count"], values["total"] = _counted(form, plain)
        for field, value in values.items():
            said = said.replace(f"{{{field}}}", str(value))
        content = keep(self._store, f"flag-{flag}", [said.encode()] if said else [])
        return [Posting(name=flag, content=content, due=due)]

    def _halved(self, form: AnswerForm, postings: list[Posting], due: Moment) -> list[Posting]:
        """First half of the data without signature and flag; everything at a later moment.

        Where only an unchanged size says that a file is complete, the half is shown once.
        """
        data = postings[0]
        half = keep(self._store, f"answer-{self._sequence:06d}-half", _half(data.content))
        later = due.after(1 if form.inbound.complete == "stable" else self.scenario.late_looks)
        whole = [replace(posting, due=later) for posting in postings]
        return [replace(data, content=half), *whole]


def _word_of(form: AnswerForm, variant: Variant) -> str:
    """The code of the file as a whole; "" where it has none."""
    if variant.refused:
        return form.codes.file(AcknowledgementVerdict.REJECTED) or ""
    last = form.codes.file(AcknowledgementVerdict.COMPLETE) if variant.is_whole else None
    return last or form.codes.file(AcknowledgementVerdict.ACCEPTED) or ""


def _counted(form: AnswerForm, plain: Blob) -> tuple[int, int]:
    """Records of a file and the sum of their amounts, in minor units."""
    count = total_minor = 0
    with plain.open() as source:
        for chunk in form.codec.decode(source):
            if chunk.record not in ("payment", "statement"):
                continue
            amounts = chunk.columns.get("outcome.amount") or chunk.columns.get("statement.amount") or ()
            count, total_minor = count + chunk.count, total_minor + sum(filter(None, amounts))
    return count, total_minor


def _spliced(right: Iterable[bytes], wrong: Iterable[bytes], liar: ResultChunks) -> Iterator[bytes]:
    """What is written of a chunk from the right file, everything around it from the wrong one."""
    for true_block, false_block in zip(right, wrong, strict=True):
        yield true_block if liar.gave else false_block


def _damaged(blob: Blob) -> Iterator[bytes]:
    """The same bytes with one bit of the last one changed: the end of the signature value."""
    before = b""
    with blob.open() as source:
        for block in read_blocks(source):
            yield before
            before = block
    yield before[:-1] + bytes([before[-1] ^ 1])


def _half(blob: Blob) -> Iterator[bytes]:
    rest = blob.size_bytes // 2
    with blob.open() as source:
        for block in read_blocks(source):
            yield block[:rest]
            rest -= min(rest, len(block))
