"""The rules about money, whatever a bank signs: results of one file that were changed on the way.

An input says how the records of a true result are changed (dropped, doubled, swapped; other
codes, amounts, accounts, names and keys), then which bytes of the file, for up to three files
after one another. What may have been believed is found by reading each file again, apart from
the settlement.
"""

from __future__ import annotations

import io
from collections import defaultdict

import msgspec
from msgspec import Struct

from formats import EncodeError, RecordChunk, Status, parse_reference
from formats.names import normalize_names
from formats.records import Payment
from gateway import Gateway
from gateway.ledger.files import files_in
from gateway.ledger.received import insert_received, received_by_key
from gateway.settlement.settle import settle
from gateway.settlement.verify import VerifiedFile
from gateway.states import FileState, ReceivedState
from tests.fuzz.pieces import Pieces
from tests.fuzz.scene import BANKS, PAYMENTS, Scene, scene
from tests.fuzz.target import MIB, Target
from tests.gateway.answers import Answers, Row, file_of

_FILES_LIMIT = 3
_CHANGES_LIMIT = 12
_MOVED = (Status.CREDITED, Status.DISCREPANT, Status.RETURNED)


class Told(Struct):
    """What one record of a believed file says of a payment, read again."""

    item: int
    account: str
    name: str
    amount: int | None
    status: Status


class History:
    """One sent file of one bank, and everything the bank says about it."""

    def __init__(self, shared: Scene, gateway: Gateway, bank: str) -> None:
        self._gateway = gateway
        self._installation = gateway.installation
        self._answers = Answers(gateway, bank, file_of(gateway, bank))
        self._payments = shared.payments[bank]
        self._told: dict[int, list[Told]] = defaultdict(list)
        self._number = 0

    def play(self, pieces: Pieces) -> None:
        for _ in range(_FILES_LIMIT):
            kind = pieces.byte() % 4
            if kind == 0:
                self._acknowledge(pieces)
            self._say(pieces)
            self._check()
            if pieces.ended:
                return

    # What the bank says.

    def _acknowledge(self, pieces: Pieces) -> None:
        code = pieces.choose(
            [*(line.code for line in self._answers.layout("acknowledgement").file_codes), "", "ZZ"]
        )
        try:
            content = self._answers.acknowledgement(code)
        except EncodeError:
            return
        self._settle("acknowledgement", edited(content, pieces))

    def _say(self, pieces: Pieces) -> None:
        codes = [*(line.code for line in self._answers.layout("result").outcome_codes), "", "ZZ9"]
        rows = self._answers.paid(self._payments)
        for _ in range(pieces.byte() % _CHANGES_LIMIT):
            _change(rows, codes, pieces)
        try:
            content = edited(self._answers.result(rows), pieces)
        except (EncodeError, OverflowError):
            return
        if self._settle("result", content):
            self._believe(content)

    # What the gateway makes of it.

    def _settle(self, kind: str, content: bytes) -> bool:
        """Hand over bytes whose signature held; whether they were believed."""
        installation, inbound = self._installation, self._answers.inbound(kind)
        self._number += 1
        name = f"in/{self._number:04d}"
        with installation.spool.create(name) as sink:
            sink.write(content)
        with installation.ledger.write() as transaction:
            key = insert_received(
                transaction,
                installation.clock.now(),
                bank=self._answers.profile.bank,
                sha256=sink.sha256,
                signature_sha256=f"{self._number}",
                name=f"answer-{kind}-{self._number}",
                kind=inbound.kind,
                layout=inbound.layout,
                size_bytes=len(content),
                spool_name=name,
                claim="",
            )
            transaction.run("UPDATE received SET state = 'verified' WHERE received_pk = :key", key=key)
            received = received_by_key(transaction, key)
        assert received is not None
        before = len(list(self._gateway.outcomes()))
        settled = settle(
            installation,
            self._answers.profile,
            VerifiedFile(received=received, inbound=inbound, content_name=name, verdict="{}"),
        )
        with installation.ledger.read() as transaction:
            after = received_by_key(transaction, key)
        assert after is not None
        assert after.state is (ReceivedState.HELD if settled.held else ReceivedState.SETTLED)
        if settled.held:
            assert len(list(self._gateway.outcomes())) == before
        return not settled.held

    def _believe(self, content: bytes) -> None:
        """Read a file that was believed again: it adds up, and says this of each payment."""
        decoder = self._answers.codec("result").decode(io.BytesIO(content))
        rows = [row for chunk in decoder for row in self._rows(chunk)]
        assert decoder.problems == []
        items = [row.item for row in rows]
        assert len(set(items)) == len(items)
        for row in rows:
            assert 1 <= row.item <= PAYMENTS
            self._told[row.item].append(row)

    def _rows(self, chunk: RecordChunk) -> list[Told]:
        columns = chunk.columns
        if "outcome.status" not in columns:
            return []
        blank = [""] * chunk.count
        items = columns.get("attempt.item") or [self._item(one) for one in columns["attempt.reference"]]
        return [
            Told(item=item, account=account, name=name, amount=amount, status=status)
            for item, account, name, amount, status in zip(
                items,
                columns.get("payment.account", blank),
                columns.get("payment.payee_name", blank),
                columns.get("outcome.amount", [None] * chunk.count),
                columns["outcome.status"],
                strict=True,
            )
        ]

    def _item(self, reference: str) -> int:
        parsed = parse_reference(reference)
        assert parsed is not None
        assert parsed[0] == self._answers.file.sequence
        return parsed[1]

    # The rules.

    def _check(self) -> None:
        assert all(status.adds_up for status in self._gateway.status())
        current = {one.payment_id: one for one in self._gateway.outcomes(only_current=True)}
        for item, payment in enumerate(self._payments, 1):
            outcome, told = current.get(payment.payment_id), self._told[item]
            assert (outcome is None) == (not told), "an outcome that no believed file tells of, or none"
            if outcome is None:
                continue
            said = [row.status for row in told]
            if outcome.status is Status.CREDITED:
                assert outcome.credited_minor in (None, payment.amount_minor)
                assert any(self._proves_credit(row, payment) for row in told)
                assert Status.DISCREPANT not in said
            elif outcome.status is Status.FAILED:
                # May be paid again: nothing that was believed may say that money moved.
                assert said[-1] is Status.FAILED
                assert not set(said) & set(_MOVED)
                assert all(row.amount in (None, 0, payment.amount_minor) for row in told)
                assert all(self._is_ours(row, payment) for row in told)
            elif outcome.status is Status.RETURNED:
                assert any(
                    row.status is Status.RETURNED and row.amount == payment.amount_minor for row in told
                )
        with self._installation.ledger.read() as transaction:
            (file,) = files_in(transaction, self._answers.profile.bank)
        # A settled file is never opened again, whatever contradicts it later.
        assert file.state is not FileState.SETTLED or all(self._told[item] for item in range(1, PAYMENTS + 1))
        assert file.state is not FileState.REJECTED or not any(self._told.values())

    def _proves_credit(self, row: Told, payment: Payment) -> bool:
        return (
            row.status is Status.CREDITED
            and row.amount in (None, payment.amount_minor)
            and self._is_ours(row, payment)
        )

    def _is_ours(self, row: Told, payment: Payment) -> bool:
        """Account and name are ours, or were not echoed."""
        echoed, written = normalize_names([row.name]), normalize_names([payment.beneficiary_name])
        return row.account in ("", payment.account) and (row.name == "" or echoed == written)


def settlement(content: bytes) -> None:
    """Never credited against amount or echo, never failed where money may have moved, always a sum."""
    pieces = Pieces(content)
    shared = scene()
    bank = pieces.choose(BANKS)
    with shared.copy() as gateway:
        History(shared, gateway, bank).play(pieces)


def _change(rows: list[Row], codes: list[str], pieces: Pieces) -> None:
    step, first, second = pieces.byte() % 14, pieces.byte(), pieces.byte()
    if not rows:
        return
    row, other = rows[first % len(rows)], rows[second % len(rows)]
    match step:
        case 0:
            rows.remove(row)
        case 1:
            rows.insert(second % (len(rows) + 1), msgspec.structs.replace(row))
        case 2:
            first, second = first % len(rows), second % len(rows)
            rows[first], rows[second] = rows[second], rows[first]
        case 3:
            row.code = codes[second % len(codes)]
        case 4:
            row.amount = max(0, (row.amount or 0) + second - 128)
        case 5:
            row.amount = (0, 1, None, 10**12)[second % 4]
        case 6:
            place = second % (len(row.account) or 1)
            row.account = row.account[:place] + str(second % 10) + row.account[place + 1 :]
        case 7:
            row.account = ""
        case 8:
            row.name = other.name
        case 9:
            row.name = ("", "·", row.name + " ", row.name[:1])[second % 4]
        case 10:
            row.item = (other.item, 0, second, 99_999_999)[first % 4]
        case 11:
            row.account, other.account = other.account, row.account
        case 12:
            row.text = ("户名不符", "|", "x" * 60, "\u3000")[second % 4]
        case _:
            for each in rows:
                each.code = codes[second % len(codes)]


def edited(content: bytes, pieces: Pieces) -> bytes:
    """Single bytes and stretches changed, beyond what any bank's program would write."""
    edited = bytearray(content)
    for _ in range(pieces.byte() % 4):
        place, how, value = pieces.number() % (len(edited) + 1), pieces.byte() % 5, pieces.byte()
        if how == 0 and place < len(edited):
            edited[place] = value
        elif how == 1:
            del edited[place : place + value]
        elif how == 2:
            edited[place:place] = edited[place : place + value]
        elif how == 3:
            del edited[place:]
        else:
            edited[place:place] = bytes([value])
    return bytes(edited)


def _seeds() -> list[bytes]:
    """All is well; failures; another amount; a wrong echo; one record twice; then a contradiction."""
    found = []
    for bank in range(len(BANKS)):
        start = bytes([bank, 1])
        found += [
            start + b"\0\0",
            start + b"\1" + b"\3\0\2" + b"\0",
            start + b"\1" + b"\4\1\x90" + b"\0",
            start + b"\1" + b"\6\2\5" + b"\0",
            start + b"\1" + b"\1\3\4" + b"\0",
            start + b"\2" + b"\0\0\0\x03\1\x31" + b"\0",
            start + b"\0\0" + b"\1\1" + b"\3\0\2" + b"\0" + b"\1\0\0",
            bytes([bank, 0, bank * 2, 0]) + b"\0\0" + b"\1\0\1\0\x60\0\x31",
        ]
    return found


TARGETS = [
    Target(
        name="settlement",
        examine=settlement,
        seeds=_seeds,
        input_limit_bytes=512,
        memory_bytes=96 * MIB,
        changes=100,
    )
]
