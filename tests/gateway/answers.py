"""Answers of a bank to one of our files, written by hand through the bank's own layouts."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from msgspec import Struct

from formats import FileIdentity, Payment, RecordChunk
from formats.codec import Codec
from formats.language.layout import parse_layout
from formats.language.model import Layout
from gateway import Gateway
from gateway.configuration.profile import Inbound
from gateway.ledger.files import FileRow, files_in


class Row(Struct):
    """One record of a result. `amount` in minor units, None where the bank states none."""

    item: int
    account: str
    name: str
    amount: int | None
    code: str
    text: str = ""
    serial: str = ""
    fee_minor: int = 0
    fee_label: str = ""


class Answers:
    """Everything one bank can say about one file of ours."""

    def __init__(self, gateway: Gateway, bank: str, file: FileRow) -> None:
        self._installation = gateway.installation
        self.profile = gateway.installation.profile(bank)
        self.file = file
        agreements = gateway.configuration.agreements
        self._agreement = next(group[0] for (_, name), group in agreements.items() if name == bank)
        self._written = 0

    def inbound(self, kind: str) -> Inbound:
        """How answers of this kind come: the first that has a layout."""
        return next(one for one in self.profile.inbound if one.kind == kind and one.layout)

    def codec(self, kind: str) -> Codec:
        return self._installation.codecs.get(self.inbound(kind).layout or "")

    def layout(self, kind: str) -> Layout:
        name = self.inbound(kind).layout or ""
        return _parsed(self._installation.codecs.source_text(name), name)

    def paid(self, payments: Sequence[Payment]) -> list[Row]:
        """All is well: every payment in its order, with the first code of success."""
        code = self.layout("result").outcome_codes[0].code
        return [
            Row(item, one.account, one.payee_name or one.beneficiary_name, one.amount_minor, code)
            for item, one in enumerate(payments, 1)
        ]

    def result(self, rows: Sequence[Row]) -> bytes:
        """A result with these records, its totals right. Raises `EncodeError` where one does not fit."""
        codec, count = self.codec("result"), len(rows)
        columns: dict[str, list[Any]] = {
            "attempt.item": [row.item for row in rows],
            "attempt.reference": [f"{self.file.sequence:012d}{row.item:08d}" for row in rows],
            "payment.account": [row.account for row in rows],
            "payment.payee_name": [row.name for row in rows],
            "outcome.amount": [row.amount for row in rows],
            "outcome.code": [row.code for row in rows],
            "outcome.bank_text": [row.text for row in rows],
            "outcome.serial": [row.serial for row in rows],
            "fee.amount": [row.fee_minor or None for row in rows],
            "fee.label": [row.fee_label for row in rows],
            "file.currency": ["CNY"] * count,
        }
        absent = {name: [None] * count for name in codec.columns("payment") - columns.keys()}
        chunks = [
            RecordChunk(record="payment", count=count, columns=columns | absent, lines=range(1, count + 1))
        ]
        charged = [row for row in rows if row.fee_minor]
        if charged and codec.columns("fee"):
            fees: dict[str, list[Any]] = {
                "fee.amount": [row.fee_minor for row in charged],
                "fee.label": [row.fee_label for row in charged],
            }
            chunks.append(RecordChunk(record="fee", count=len(charged), columns=fees))
        accepted = next((line.code for line in self.layout("result").file_codes), "")
        return b"".join(codec.encode(self._identity(accepted, ""), chunks if rows else []))

    def acknowledgement(self, code: str, text: str = "") -> bytes:
        return b"".join(self.codec("acknowledgement").encode(self._identity(code, text), []))

    def name(self, kind: str, number: int) -> str:
        """A file name that the profile takes for this kind of answer; one digit tells them apart."""
        stem = self.file.name.rpartition(".")[0]
        name = self.inbound(kind).pattern.replace("{stem}", stem).replace("{number:1}", str(number % 10))
        found = self.profile.recognise(name)
        assert found is not None
        assert found[0].kind == kind
        return name

    def _identity(self, code: str, text: str) -> FileIdentity:
        file, profile = self.file, self.profile
        now: datetime = self._installation.clock.now()
        self._written += 1
        return FileIdentity(
            bank=profile.bank,
            sequence=self._written,
            name="answer",
            message_id=f"M{self._written}",
            created_at=now.astimezone(profile.time_zone),
            bank_day=date.fromisoformat(file.bank_day),
            count=file.payment_count,
            total_minor=file.total_minor,
            agreement=self._agreement.texts(),
            profile=profile.values,
            original_name=file.name,
            original_message_id=file.message_id,
            code=code,
            text=text,
        )


_parsed = functools.lru_cache(maxsize=64)(parse_layout)


def file_of(gateway: Gateway, bank: str, number: int = 0) -> FileRow:
    """The bank's file of that number, from 0, oldest first."""
    with gateway.installation.ledger.read() as transaction:
        return files_in(transaction, bank)[number]
