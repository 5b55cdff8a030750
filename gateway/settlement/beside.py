"""What a bank says beside outcomes: what it charged, and what it merely tells.

A charge is a finding and changes no outcome. A notice (an account has another number now, the
order was changed) is kept and shown, and nothing acts on it: whoever pays next time decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from formats import FeeKind, RecordChunk
from gateway import evidence
from gateway.configuration.profile import Profile
from gateway.installation import Installation
from gateway.ledger.database import Transaction
from gateway.ledger.notices import NoticeValues, append_notices, told_notices
from gateway.ledger.outcomes import append_fee_findings, charged_items
from gateway.ledger.received import ReceivedRow
from gateway.settlement.judge import Columns, Verdicts, charges_beside
from gateway.settlement.matching import Book, Mistake
from gateway.store.bank_texts import TEXT_CONTEXT, seal_words
from gateway.wording import Wording
from keys.sealed import open_texts

_Charge = tuple[FeeKind, int, "int | None", "int | None", int, "bytes | None"]
"""kind, amount in minor units, item, payment_pk, line, sealed label"""

_Told = tuple["int | None", str, str]
"""Item, code and values of a notice, in clear."""

_FAMILY = "notice."
_CODE = "notice.code"


class Beside:
    """Takes them from the chunks of one received file into the ledger; counts them."""

    def __init__(
        self, installation: Installation, profile: Profile, received: ReceivedRow, now: datetime
    ) -> None:
        self._installation = installation
        self._profile = profile
        self._received = received
        self._now = now
        self._wording = Wording(profile)
        self._charged: set[tuple[str, int, int]] = set()
        self._told: set[_Told] | None = None
        self.findings = 0
        self.notices = 0

    def open(self, transaction: Transaction, file_pk: int) -> None:
        """Know what was told of our file before."""
        self._charged = charged_items(transaction, file_pk)

    # Charges.

    def take_fee_lines(self, transaction: Transaction, book: Book, chunk: RecordChunk) -> None:
        """Lines of the file that are nothing but a charge."""
        amounts = chunk.columns["fee.amount"]
        labels = seal_words(self._installation, chunk.columns.get("fee.label") or [""] * chunk.count)
        findings: list[_Charge] = []
        for row, item in enumerate(book.items_of(chunk)):
            known = item if item is not None and 1 <= item <= book.file.payment_count else None
            key = None if known is None else book.keys[known]
            findings.append((FeeKind.FEE_LINE, amounts[row], known, key, chunk.lines[row], labels[row]))
        self._append_findings(transaction, book, findings)

    def take_charges(
        self,
        transaction: Transaction,
        book: Book,
        chunk: RecordChunk,
        items: Sequence[int],
        columns: Columns,
        verdicts: Verdicts,
    ) -> None:
        """What stands beside outcomes, or is missing from what was credited."""
        bearers = chunk.columns.get("fee.bearer", [])
        findings = charges_beside(columns, verdicts, bearers, self._profile.charges.free_bearers)
        self._append_findings(
            transaction,
            book,
            [
                (kind, amount, items[row], book.keys[items[row]], chunk.lines[row], None)
                for kind, amount, row in findings
            ],
        )

    def _append_findings(self, transaction: Transaction, book: Book, charges: Sequence[_Charge]) -> None:
        """Findings of this file; a charge for an item that was told before is the same charge."""
        findings = [one for one in charges if one[2] is None or (one[0], one[1], one[2]) not in self._charged]
        append_fee_findings(
            transaction,
            [
                (
                    self._profile.bank,
                    kind,
                    amount,
                    book.file.file_pk,
                    item,
                    key,
                    self._received.received_pk,
                    line,
                    label,
                    self._now.isoformat(),
                )
                for kind, amount, item, key, line, label in findings
            ],
        )
        self.findings += len(findings)

    # Notices.

    def take_notices(self, transaction: Transaction, book: Book, chunk: RecordChunk) -> list[Mistake]:
        """Records that are notices; what is wrong with those that are about no payment of ours.

        A layout without a key tells something of the file as a whole.
        """
        columns = chunk.columns
        keyed = "attempt.reference" in columns or "attempt.item" in columns
        items = book.items_of(chunk)
        right = [not keyed or (item is not None and 1 <= item <= book.file.payment_count) for item in items]
        mistakes = [
            ("unmatched", f"line {chunk.lines[row]} is a notice of no payment of file {book.file.name}")
            for row, known in enumerate(right)
            if not known
        ]
        mistakes += self._foreign(book, chunk, [row for row, known in enumerate(right) if known and keyed])
        names = [name for name in columns if name.startswith(_FAMILY) and name != _CODE]
        codes = columns.get(_CODE) or [""] * chunk.count
        told: list[tuple[int | None, str, dict[str, str], int]] = []
        for row, item in enumerate(items):
            if right[row]:
                values = {name.removeprefix(_FAMILY): str(columns[name][row] or "") for name in names}
                told.append((item, codes[row] or "", values, chunk.lines[row]))
        self._append_notices(transaction, book, told)
        return mistakes

    def take_told(
        self, transaction: Transaction, book: Book, chunk: RecordChunk, items: Sequence[int]
    ) -> None:
        """Outcomes whose code tells something besides, as the profile says."""
        known = self._profile.notices.codes
        if not known:
            return
        codes = chunk.columns.get("outcome.code") or [""] * chunk.count
        texts = chunk.columns.get("outcome.bank_text") or [""] * chunk.count
        tells = {code for code in set(codes) if code in known or code.partition("/")[0] in known}
        self._append_notices(
            transaction,
            book,
            [
                (item, codes[row], {"text": texts[row] or ""}, chunk.lines[row])
                for row, item in enumerate(items)
                if codes[row] in tells
            ],
        )

    def _foreign(self, book: Book, chunk: RecordChunk, rows: list[int]) -> list[Mistake]:
        """A notice that echoes another account than ours is about somebody else."""
        accounts = chunk.columns.get("payment.account")
        if accounts is None or not rows:
            return []
        items = book.items_of(chunk)
        numbers = [item for row in rows if (item := items[row]) is not None]
        expected = book.written.expected(numbers).accounts
        return [
            ("other-payment", f"line {chunk.lines[row]} echoes another payment than item {number}")
            for row, number, account in zip(rows, numbers, expected, strict=True)
            if accounts[row] not in ("", None, account)
        ]

    def _append_notices(
        self, transaction: Transaction, book: Book, told: list[tuple[int | None, str, dict[str, str], int]]
    ) -> None:
        """Keep what was not told before; the values are sealed, the journal has all but them."""
        if not told:
            return
        known = self._known(transaction, book)
        rows: list[tuple[int | None, str, str, int, str]] = []
        for item, code, values, line in told:
            shown, values = self._wording.code(code), {k: v for k, v in sorted(values.items()) if v}
            if shown != code:
                values = {"code": code, **values}
            clear = msgspec.json.encode(values).decode()
            if (item, shown, clear) not in known:
                known.add((item, shown, clear))
                rows.append((item, shown, clear, line, ",".join(values)))
        sealed = seal_words(self._installation, [clear for _, _, clear, _, _ in rows])
        stored: list[NoticeValues] = [
            (
                self._profile.bank,
                code,
                about,
                book.file.file_pk,
                item,
                None if item is None else book.keys[item],
                self._received.received_pk,
                line,
                self._now.isoformat(),
                blob,
            )
            for (item, code, _, line, about), blob in zip(rows, sealed, strict=True)
        ]
        if stored:
            append_notices(transaction, stored)
            self.notices += len(stored)
            evidence.record(
                transaction,
                self._now,
                "notices",
                file=book.file.name,
                received_sha256=self._received.sha256,
                count=len(stored),
                rows_sha256=evidence.rows_digest([row[:-1] for row in stored]),
            )

    def _known(self, transaction: Transaction, book: Book) -> set[_Told]:
        """What was told of our file before, opened: the same words again are no news."""
        if self._told is None:
            before = told_notices(transaction, book.file.file_pk)
            blobs = [text for _, _, text in before if text is not None]
            clear = iter(open_texts(self._installation.masters, blobs, TEXT_CONTEXT) if blobs else [])
            self._told = {(item, code, "{}" if text is None else next(clear)) for item, code, text in before}
        return self._told
