"""What a bank tells that is no outcome: bookings of its statements, notices beside its results.

An input says how lines of a true statement, or of a true result with corrections, are changed; then
which bytes of the file. Whatever comes: nothing is known of a payment that no believed result tells,
what is held brings nothing, and what was believed once is not taken twice.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

from formats import RecordChunk, parse_reference
from formats.codec import Codec
from gateway import Gateway
from gateway.ledger.received import insert_received, received_by_key
from gateway.settlement.settle import Settled, settle
from gateway.settlement.statements import take_statement
from gateway.settlement.verify import VerifiedFile
from gateway.states import ReceivedState
from tests.fuzz.pieces import Pieces
from tests.fuzz.scene import PAYMENTS, Scene, told_scene
from tests.fuzz.target import MIB, Target
from tests.fuzz.targets.settlement import edited
from tests.gateway import test_notices as told_notices
from tests.gateway.answers import Answers, file_of
from tests.gateway.sites import RURAL

_FILES_LIMIT = 3
_CHANGES_LIMIT = 10
_DIRECTIONS = ("D", "C", "X", "", "DBIT")
_WORDS = ("", "手续费", "代发", "退汇", "|", "\u3000", "张三丰,6231990000001208674")
_PLAIN = ("C01", "C02", "ZZ9")
_CHANGED = (*_PLAIN, "", "张三丰")
_STATEMENT, _RESULT = "statement", "result"
_ENCODING = "gb18030"


class _Bank:
    """The talkative bank, about its one file; `gateway` is thrown away afterwards."""

    def __init__(self, shared: Scene, gateway: Gateway) -> None:
        self.payments = shared.payments[RURAL]
        self.gateway = gateway
        self._installation = gateway.installation
        self._answers = Answers(gateway, RURAL, file_of(gateway, RURAL))
        self._number = 0

    def reference(self, item: int) -> str:
        return f"{self._answers.file.sequence:012d}{item:08d}"

    def item(self, reference: str) -> int:
        parsed = parse_reference(reference)
        assert parsed is not None
        return parsed[1]

    @property
    def file_name(self) -> str:
        return self._answers.file.name

    def codec(self, kind: str) -> Codec:
        return self._answers.codec(kind)

    def hand_over(self, kind: str, content: bytes) -> Settled:
        """Bytes whose signature held. Held or settled, and the ledger says so."""
        installation, inbound = self._installation, self._answers.inbound(kind)
        self._number += 1
        name = f"in/{self._number:04d}"
        with installation.spool.create(name) as sink:
            sink.write(content)
        with installation.ledger.write() as transaction:
            key = insert_received(
                transaction,
                installation.clock.now(),
                bank=RURAL,
                sha256=sink.sha256,
                signature_sha256=f"{self._number}",
                name=f"told-{self._number}",
                kind=inbound.kind,
                layout=inbound.layout,
                size_bytes=len(content),
                spool_name=name,
                claim="",
            )
            transaction.run("UPDATE received SET state = 'verified' WHERE received_pk = :key", key=key)
            received = received_by_key(transaction, key)
        assert received is not None
        verified = VerifiedFile(received=received, inbound=inbound, content_name=name, verdict="{}")
        take = take_statement if kind == _STATEMENT else settle
        settled = take(installation, self._answers.profile, verified)
        with installation.ledger.read() as transaction:
            after = received_by_key(transaction, key)
        assert after is not None
        assert after.state is (ReceivedState.HELD if settled.held else ReceivedState.SETTLED)
        assert all(status.adds_up for status in self.gateway.status())
        return settled

    def chunks(self, kind: str, content: bytes) -> Iterator[RecordChunk]:
        """A file that was believed, read again: it adds up."""
        decoder = self.codec(kind).decode(io.BytesIO(content))
        yield from decoder
        assert decoder.problems == []


@contextmanager
def _bank() -> Iterator[_Bank]:
    shared = told_scene()
    with shared.copy() as gateway:
        yield _Bank(shared, gateway)


def bookings(content: bytes) -> None:
    """Entries are those of believed statements, each once, and say nothing of an outcome."""
    pieces = Pieces(content)
    with _bank() as bank:
        for _ in range(_FILES_LIMIT):
            said = edited(_statement(bank, pieces), pieces)
            before = list(bank.gateway.statement_entries())
            settled = bank.hand_over(_STATEMENT, said)
            entries = list(bank.gateway.statement_entries())
            assert len(entries) == len(before) + settled.entries
            assert entries[: len(before)] == before
            if not settled.held:
                rows = sum(
                    chunk.count for chunk in bank.chunks(_STATEMENT, said) if chunk.record == "statement"
                )
                assert settled.entries <= rows
                again = bank.hand_over(_STATEMENT, said)
                assert (again.held, again.entries, again.findings) == (False, 0, 0)
            assert all(one.item is None or 1 <= one.item <= PAYMENTS for one in entries)
            assert all(one.amount_minor is None or one.amount_minor >= 0 for one in entries)
            assert list(bank.gateway.outcomes()) == []
            if pieces.ended:
                return


def notices(content: bytes) -> None:
    """Notices are those of believed results, in their number, and about the payments that these name."""
    pieces = Pieces(content)
    with _bank() as bank:
        expected: list[tuple[int, str]] = []
        for _ in range(_FILES_LIMIT):
            said = edited(_result(bank, pieces), pieces)
            settled = bank.hand_over(_RESULT, said)
            if not settled.held and not settled.waiting:
                told = list(_told(bank, said))
                assert settled.notices == len(told)
                expected += told
            found = list(bank.gateway.notices())
            # Other codes may name somebody, and are masked.
            plain = [(one.item, one.code) for one in found if one.code in _PLAIN]
            assert plain == [pair for pair in expected if pair[1] in _PLAIN]
            assert len(found) == len(expected)
            if pieces.ended:
                return


def _told(bank: _Bank, content: bytes) -> Iterator[tuple[int, str]]:
    for chunk in bank.chunks(_RESULT, content):
        if chunk.record == "notice":
            columns = chunk.columns
            for reference, code in zip(columns["attempt.reference"], columns["notice.code"], strict=True):
                yield bank.item(reference), code


def _statement(bank: _Bank, pieces: Pieces) -> bytes:
    """A booking of each payment, then lines that are changed; count and sum as the lines have them."""
    rows = [
        ["20260901", "D", payment.amount_minor, f"B{item}", bank.reference(item), "", "", ""]
        for item, payment in enumerate(bank.payments, 1)
    ]
    for _ in range(pieces.byte() % _CHANGES_LIMIT):
        _change_booking(bank, rows, pieces)
    total = sum(int(str(row[2])) for row in rows)
    lines = [f"#,{len(rows)},{_yuan(total)}"]
    for row in rows:
        lines.append(
            ",".join(_yuan(int(str(cell))) if place == 2 else str(cell) for place, cell in enumerate(row))
        )
    return "".join(f"{line}\n" for line in lines).encode(_ENCODING)


def _change_booking(bank: _Bank, rows: list[list[object]], pieces: Pieces) -> None:
    step, first, second = pieces.byte() % 9, pieces.byte(), pieces.byte()
    if not rows:
        return
    row = rows[first % len(rows)]
    match step:
        case 0:
            rows.remove(row)
        case 1:
            rows.insert(second % (len(rows) + 1), [*row])
        case 2:
            row[1] = _DIRECTIONS[second % len(_DIRECTIONS)]
        case 3:
            row[2] = (0, 1, 50, 10**12, 10**12 + 1, 940902199001011235)[second % 6]
        case 4:
            row[3] = ("", "B1", "x" * 40, "6231990000001208674")[second % 4]
        case 5:
            row[4] = ("", bank.reference(second), "1" * 20, bank.file_name)[first % 4]
        case 6:
            row[5] = ("", bank.file_name, "DF1.TXT")[second % 3]
        case 7:
            row[7] = _WORDS[second % len(_WORDS)].replace(",", "")
        case _:
            row[0] = ("20260831", "20270101", "00000000", "20260230")[second % 4]


def _result(bank: _Bank, pieces: Pieces) -> bytes:
    """A record of each payment, then corrections and other changes."""
    lines = []
    for item, payment in enumerate(bank.payments, 1):
        lines.append([f"E|{bank.reference(item)}|{payment.account}|{_yuan(payment.amount_minor)}|00|"])
    for _ in range(pieces.byte() % _CHANGES_LIMIT):
        step, first, second = pieces.byte() % 5, pieces.byte(), pieces.byte()
        if not lines:
            break
        group = lines[first % len(lines)]
        match step:
            case 0:
                lines.remove(group)
            case 1:
                code = _CHANGED[second % len(_CHANGED)]
                group.append(told_notices.correction(code, name=_WORDS[first % 4]))
            case 2:
                group.append(told_notices.correction(account=("", "1", "x" * 40)[second % 3]))
            case 3:
                group[0] = group[0].replace("|00|", ("|41|", "|ACWC|", "|ZZ|")[second % 3])
            case _:
                lines.append([*group])
    return "".join(f"{line}\n" for group in lines for line in group).encode(_ENCODING)


def _yuan(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"


def _booking_seeds() -> list[bytes]:
    steps = [bytes([step, first, second]) for step in range(9) for first, second in ((0, 1), (1, 4))]
    return [
        b"\0\0",
        *(b"\1" + step + b"\0" for step in steps),
        b"\3" + b"".join(steps[2:5]) + b"\0" + b"\2" + b"".join(steps[6:8]) + b"\0",
        b"\0" + b"\1\0\x14\4\x31",
    ]


def _notice_seeds() -> list[bytes]:
    steps = [bytes([step, first, second]) for step in range(5) for first, second in ((0, 0), (2, 1))]
    return [
        b"\0\0",
        *(b"\1" + step + b"\0" for step in steps),
        b"\4" + b"".join(steps[2:6]) + b"\0" + b"\2" + b"".join(steps[6:8]) + b"\0",
        b"\1\1\0\1" + b"\1\0\x50\0\x31",
    ]


TARGETS = [
    Target(
        name="bookings",
        examine=bookings,
        seeds=_booking_seeds,
        input_limit_bytes=256,
        memory_bytes=96 * MIB,
        changes=20,
    ),
    Target(
        name="notices",
        examine=notices,
        seeds=_notice_seeds,
        input_limit_bytes=256,
        memory_bytes=96 * MIB,
        changes=20,
    ),
]
