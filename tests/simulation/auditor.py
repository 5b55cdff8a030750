"""Knows the truth (what the banks really paid) and holds the gateway's books against it.

It looks after every step, at every release in the transaction that commits it, and whenever a
bank finds a request complete. What a bank's own false statement explains, and nothing else does,
is counted apart: no gateway can see through a bank that lies before it says otherwise.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date

from formats import Status
from formats.records import AcknowledgementVerdict
from gateway.api import Gateway
from gateway.evidence import FIRST_HASH, event_hash
from gateway.ledger.database import Transaction
from gateway.simulator.books import Paid
from gateway.states import REISSUABLE
from keys.errors import SealError
from tests.simulation.bank import BLANK_SUCCESS, told_money
from tests.simulation.books import Attempt, Row, ledger_rows
from tests.simulation.clock import CLOSES, OPENS, ZONE
from tests.simulation.department import Department
from tests.simulation.ledger import Judgement
from tests.simulation.moves import Move, permitted
from tests.simulation.replay import Replay
from tests.simulation.server import BankServer
from tests.simulation.world import World

_HERE = frozenset({"planned", "sealed", "uploading", "voided"})
"""States of a file that no bank can have."""
_THERE = frozenset({"sent", "acknowledged", "settled"})
_UNTROUBLED = frozenset({"releasing", "sent", "acknowledged", "settled"})
"""States in which a file never waits for a person: there is nothing that one could decide."""
_NO_MONEY = frozenset({"accepted", "held", "set_aside", "withdrawn"})
_DIGESTS = re.compile(r"[0-9a-f]{16,}|\"size_bytes\":\d+")


class Violation(Exception):
    """The one promise was broken."""


_PARTS = """SELECT file.bank, file.name AS file_name, file_part.name, file_part.sha256
    FROM file_part JOIN file USING (file_pk)"""


class Auditor:
    """One history's auditor. Everything that it finds is raised as `Violation`."""

    def __init__(self, world: World, department: Department) -> None:
        self.banks_own: Counter[str] = Counter()
        self._world = world
        self._department = department
        self._permitted = permitted()
        self._seen: object = None
        self._checked_files: set[tuple[str, str]] = set()
        self._parts: dict[tuple[str, str], dict[str, str]] = {}
        self._chain = (0, FIRST_HASH)
        self._replay = Replay(world.servers)
        self._blamed: set[tuple[str, str]] = set()
        self._arrived: dict[tuple[str, str], dict[str, str]] = {}
        self._numbers: dict[tuple[str, int], str] = {}
        world.ledger.observers.clear()
        world.ledger.observers.append(self._before_commit)
        for bank, server in world.servers.items():
            server.on_complete = self._door(bank)

    # The looks.

    def look(self, gateway: Gateway) -> None:
        """After a step: the books, the truth and the journal agree."""
        seen = (
            self._world.ledger.commits,
            [(server.bank.files_taken, len(server.told)) for server in self._world.servers.values()],
        )
        if seen == self._seen:
            return
        self._seen = seen
        for batch in gateway.status():
            if not batch.adds_up:
                raise Violation(f"the sum of {batch.batch_id} does not hold: {batch}")
        with gateway.installation.ledger.read() as transaction:
            rows = ledger_rows(transaction)
            self._clusters_hold()
            held = transaction.all("SELECT bank FROM bank_hold WHERE cause = 'behind'")
            self._payments_are_true(rows, {row.bank for row in held})
            self._files_are_true(transaction)
            self._files_are_ours(rows)
            self._journal_holds(transaction)

    def went_back(self) -> None:
        """The ledger is an older one: what was known of the later one is forgotten."""
        self._seen = None
        self._chain = (0, FIRST_HASH)
        self._replay = Replay(self._world.servers)
        self._parts.clear()

    def restarted(self, gateway: Gateway) -> None:
        """After a crash: every name in the ledger refers to a complete file of the spool."""
        installation = gateway.installation
        with installation.ledger.read() as transaction:
            parts = transaction.all("SELECT spool_name, sha256 FROM file_part")
            received = transaction.all("SELECT spool_name, sha256 FROM received")
            lanes = transaction.all("SELECT spool_name FROM lane")
        for row in (*parts, *received):
            try:
                with installation.spool.open(row.spool_name) as stream:
                    found = hashlib.sha256(stream.read()).hexdigest()
            except (OSError, SealError) as error:
                raise Violation(
                    f"the ledger knows spool file {row.spool_name}, and it is lost: {error}"
                ) from error
            if found != row.sha256:
                raise Violation(f"spool file {row.spool_name} is not what the ledger says")
        for row in lanes:
            try:
                with installation.spool.open_columns(row.spool_name):
                    pass
            except (OSError, SealError) as error:
                raise Violation(f"the ledger knows lane {row.spool_name}, and it is lost: {error}") from error

    def finished(self, gateway: Gateway) -> None:
        """After the calm: nothing is lost, nothing hangs, nothing waits, everybody was told."""
        self.look(gateway)
        with gateway.installation.ledger.read() as transaction:
            rows = ledger_rows(transaction)
            files = transaction.all("SELECT bank, name, state, attention FROM file")
            contents = {
                (row.bank, row.sha256) for row in transaction.all("SELECT bank, sha256 FROM received")
            }
        known = {row.payment_id for row in rows}
        if missing := sorted(self._department.books.keys() - known):
            raise Violation(f"payments lost: {missing[:3]}")
        ended = (*_THERE, "voided", "rejected")
        if stuck := [(row.name, row.state, row.attention) for row in files if row.state not in ended]:
            raise Violation(f"files hang: {stuck}")
        if open_ := [(row.payment_id, row.state) for row in rows if row.state in _OPEN]:
            raise Violation(f"payments hang: {open_[:5]}")
        if waiting := [(item.object, item.message) for item in gateway.held()]:
            raise Violation(f"nobody can end: {waiting[:3]}")
        self._everything_was_fetched(contents)
        self._everybody_was_told(rows)
        unfinished = [name for name in self._world.disk.walk() if name.startswith("temporary/")]
        if unfinished:
            raise Violation(f"unfinished files in the spool: {unfinished}")

    def journal_digest(self, gateway: Gateway) -> bytes:
        """The journal without what differs with each signature: digests and sizes."""
        running = hashlib.sha256()
        with gateway.installation.ledger.read() as transaction:
            for row in transaction.all("SELECT recorded_at, kind, body FROM event ORDER BY event_pk"):
                running.update(f"{row.recorded_at} {row.kind} {_DIGESTS.sub('#', row.body)}\n".encode())
        return running.digest()

    # Money.

    def _clusters_hold(self) -> None:
        """No chain of reissues and no pair of twins got more than was instructed for it."""
        kept: defaultdict[int, int] = defaultdict(int)
        for bank, server in self._world.servers.items():
            for paid in server.bank.paid():
                cluster = self._department.cluster_of_account.get(paid.account)
                if cluster is None:
                    raise Violation(f"{bank} paid account ...{paid.account[-4:]}, which nobody instructed")
                kept[cluster] += paid.credited_minor - paid.returned_minor
        for cluster, amount in kept.items():
            instructed = self._department.instructed_minor[cluster]
            if amount > instructed:
                self._blame(
                    "paid twice",
                    f"cluster {cluster}",
                    self._bank_denied_paying(cluster),
                    f"cluster {cluster} has {amount}, instructed {instructed}",
                )

    def _bank_denied_paying(self, cluster: int) -> bool:
        """Whether a bank said of a payment that the cluster has that it has it not."""
        for bank, server in self._world.servers.items():
            for paid in server.bank.paid():
                kept = paid.credited_minor - paid.returned_minor
                ours = kept and self._department.cluster_of_account[paid.account] == cluster
                if ours and self._was_told((bank, paid.file_name, paid.item), money=False):
                    return True
        return False

    def _was_told(self, attempt: Attempt, *, money: bool) -> bool:
        """Whether the bank ever posted that the payee has the money, or has not, be it of a file that
        it never took.
        """
        bank, name, item = attempt
        server = self._world.servers[bank]
        told = server.told.get((name, item), [])
        if any(told_money(status) is money for status in told):
            return True
        # A blank says so where the bank's totals count it as paid, and only of a file that it took.
        accepted = AcknowledgementVerdict.ACCEPTED in server.verdicts.get(name, [])
        if money and accepted and BLANK_SUCCESS in told:
            return True
        return not money and self._was_denied(server, name)

    def _was_denied(self, server: BankServer, name: str) -> bool:
        """Whether the bank refused the file in an answer, or wrote that it has it not."""
        return (
            AcknowledgementVerdict.REJECTED in server.verdicts.get(name, []) or name in server.false_letters
        )

    def _blame(self, what: str, whom: str, explained: bool, message: str) -> None:
        """A broken promise is the bank's own where its false statement explains it."""
        if not explained:
            raise Violation(f"{what}: {message}")
        if (what, whom) not in self._blamed:
            self._blamed.add((what, whom))
            self.banks_own[what] += 1

    # Payments.

    def _payments_are_true(self, rows: list[Row], behind: set[str]) -> None:
        """`behind` are the banks for which nothing leaves before a person has reconciled."""
        for row in rows:
            if row.payment_id not in self._department.books:
                raise Violation(f"payment {row.payment_id} was never handed over")
            lost = self._world.lost.get(row.payment_id, [])
            attempts = dict.fromkeys([*row.attempts, *lost])
            paid = [one for attempt in attempts if (one := self._paid(attempt)) is not None]
            credited = sum(one.credited_minor for one in paid)
            kept = credited - sum(one.returned_minor for one in paid)
            if row.state in ("accepted", "held") and lost and {bank for bank, _, _ in lost} <= behind:
                # A ledger that was restored does not know yet what it forgot, and sends nothing.
                continue
            if lost and row.asks_the_bank:
                # And later, of what one of its files gives back, it does not say either.
                continue
            if row.state in _NO_MONEY and kept:
                self._check_told(row, f"is {row.state}", f"the bank paid {kept}", money=False)
            elif row.state == "failed" and kept:
                self._check_told(row, "failed", f"the bank paid {kept}", money=False)
            elif row.state == "returned" and kept:
                self._check_told(row, "returned", f"the bank paid {kept}", money=False)
            elif row.state == "credited" and row.amount_minor != credited and row.amount_minor > kept:
                # More than that is what the look at all of its cluster is for.
                self._check_told(row, "credited", f"the bank paid {credited}", money=True)

    def _check_told(self, row: Row, what: str, truth: str, *, money: bool) -> None:
        explained = any(self._was_told(attempt, money=money) for attempt in row.attempts)
        self._blame(what, row.payment_id, explained, f"{row.payment_id} {what}, and {truth}")

    def _paid(self, attempt: Attempt) -> Paid | None:
        bank, name, item = attempt
        truth = self._world.servers[bank].bank.truth_of(name)
        return truth[item - 1] if truth else None

    # Files.

    def _files_are_true(self, transaction: Transaction) -> None:
        for row in transaction.all("SELECT bank, name, state, attention FROM file"):
            server = self._world.servers[row.bank]
            if row.attention is not None and row.state in _UNTROUBLED:
                raise Violation(f"file {row.name} is {row.state}, and waits for a person: {row.attention}")
            arrived = row.name in server.arrived
            if row.state in _THERE and not arrived:
                message = f"file {row.name} is {row.state}, and was never whole at the bank"
                self._blame("swept before it was whole", row.name, server.took_away(row.name), message)
            forgotten = (row.bank, row.name) in self._world.lost_files
            if row.state in _HERE and arrived and not forgotten:
                raise Violation(f"file {row.name} is {row.state}, and the bank could see it")
            if row.state == "rejected" and server.bank.took(row.name):
                denied = self._was_denied(server, row.name)
                self._blame(
                    "rejected", row.name, denied, f"file {row.name} is rejected, and the bank took it"
                )
        sealed: defaultdict[tuple[str, str], dict[str, str]] = defaultdict(dict)
        for row in transaction.all(_PARTS):
            sealed[row.bank, row.file_name][row.name] = row.sha256
        for file, parts in sealed.items():
            if self._parts.setdefault(file, parts) != parts:
                raise Violation(f"file {file[1]} was sealed a second time")

    def _files_are_ours(self, rows: list[Row]) -> None:
        """What the bank read in a file is what the department wrote, item by item."""
        whose = {attempt: row.payment_id for row in rows for attempt in row.attempts}
        whose |= {attempt: key for key, attempts in self._world.lost.items() for attempt in attempts}
        for bank, server in self._world.servers.items():
            for name in server.bank.names_taken:
                if (bank, name) in self._checked_files:
                    continue
                self._checked_files.add((bank, name))
                for paid in server.bank.truth_of(name):
                    payment_id = whose.get((bank, name, paid.item))
                    if payment_id is None:
                        raise Violation(
                            f"{bank} paid item {paid.item} of {name}, which the ledger does not know"
                        )
                    meant = self._department.books[payment_id].payment
                    holder = meant.payee_name or meant.beneficiary_name
                    if (paid.account, paid.instructed_minor) != (meant.account, meant.amount_minor):
                        raise Violation(f"item {paid.item} of {name} is not {payment_id} as instructed")
                    if paid.payee_name and paid.payee_name != holder:
                        raise Violation(f"item {paid.item} of {name} has another name than {payment_id}")

    # At the moment of a release.

    def _before_commit(self, transaction: Transaction, moves: list[Move], _judged: list[Judgement]) -> None:
        for move in moves:
            known = self._permitted[move.kind]
            if move.before not in ("", move.after) and (move.before, move.after) not in known:
                raise Violation(f"{move.kind} {move.key} went from {move.before} to {move.after}")
            if move.kind == "file" and move.after == "releasing":
                self._may_leave(transaction, move.key)

    def _may_leave(self, transaction: Transaction, file_pk: int) -> None:
        file = transaction.one(
            "SELECT file.bank, file.name, bank_day, batch.state FROM file JOIN lane USING (lane_pk)"
            " JOIN batch USING (batch_pk) WHERE file_pk = :pk AND file.state = 'releasing'",
            pk=file_pk,
        )
        if file is None:
            # A restored ledger only doubts whether it left, within this transaction.
            return
        if file.state != "released":
            raise Violation(f"file {file.name} leaves, and its batch is {file.state}")
        if transaction.one("SELECT 1 FROM bank_hold WHERE bank = :bank LIMIT 1", bank=file.bank):
            raise Violation(f"file {file.name} leaves, and {file.bank} is on hold")
        if not any(self._in_time(file.bank_day, number) for number in range(len(self._world.clock.shown))):
            raise Violation(f"file {file.name} leaves outside its day or window")
        leaving = transaction.all(
            "SELECT payment_id, live, disposition FROM attempt JOIN payment USING (payment_pk)"
            " WHERE file_pk = :pk",
            pk=file_pk,
        )
        states = {row.payment_id: row for row in ledger_rows(transaction)}
        for row in leaving:
            if not row.live or row.disposition != "accepted":
                raise Violation(f"{row.payment_id} leaves, and is {row.disposition}")
            self._nobody_else_was_paid(row.payment_id, states)

    def _in_time(self, bank_day: str, number: int) -> bool:
        local = self._world.clock.shown[number].astimezone(ZONE)
        in_window = not self._world.traits.windows or OPENS <= local.hour < CLOSES
        return in_window and date.fromisoformat(bank_day) == local.date()

    def _nobody_else_was_paid(self, leaving: str, states: dict[str, Row]) -> None:
        """Every other payment of its chain ended, and leaves room for it, as far as the ledger knows."""
        root = self._department.books[leaving].root
        room = self._department.books[root].payment.amount_minor
        for payment_id, row in states.items():
            if payment_id == leaving or self._department.books[payment_id].root != root:
                continue
            if row.is_short:
                room -= row.kept_minor
            elif row.state not in (*_NO_MONEY, *map(str, REISSUABLE), str(Status.WITHDRAWN)):
                raise Violation(f"{leaving} leaves, and {payment_id} of its chain is {row.state}")
        if states[leaving].amount_minor > room:
            raise Violation(f"{leaving} leaves, and {room} of its chain are missing")

    def _door(self, bank: str) -> Callable[[str, dict[str, bytes]], None]:
        def arrived(name: str, contents: dict[str, bytes]) -> None:
            with self._world.faults.suspended(), self._world.ledger.read() as transaction:
                row = transaction.one(
                    "SELECT file_pk, state, sequence FROM file WHERE bank = :bank AND name = :name",
                    bank=bank,
                    name=name,
                )
                if row is None or row.state not in ("releasing", "uncertain"):
                    state = "unknown here" if row is None else row.state
                    raise Violation(f"{bank} finds file {name} whole, and it is {state}")
                parts = transaction.all(
                    "SELECT part, name, sha256 FROM file_part WHERE file_pk = :pk", pk=row.file_pk
                )
            # A flag is seen while it is being written: that it is there says it all.
            sealed = {part.name: part.sha256 for part in parts if part.part != "flag"}
            found = {part: hashlib.sha256(contents[part]).hexdigest() for part in sealed}
            if found != sealed:
                raise Violation(f"{bank} has other bytes of file {name} than were sealed")
            if self._arrived.setdefault((bank, name), found) != found:
                raise Violation(f"{bank} got another file under the name {name}")
            if (before := self._numbers.setdefault((bank, row.sequence), name)) != name:
                raise Violation(f"{bank} got number {row.sequence} as {before} and as {name}")

        return arrived

    # The journal.

    def _journal_holds(self, transaction: Transaction) -> None:
        """The chain follows, also from what was there at the last look."""
        last, previous = self._chain
        if last:
            row = transaction.one("SELECT hash FROM event WHERE event_pk = :pk", pk=last)
            if row is None or row.hash != previous:
                raise Violation(f"event {last} of the journal was changed")
        rows = transaction.all(
            "SELECT event_pk, recorded_at, kind, body, hash FROM event WHERE event_pk > :last"
            " ORDER BY event_pk",
            last=last,
        )
        for row in rows:
            if (
                row.event_pk != last + 1
                or event_hash(previous, row.recorded_at, row.kind, row.body) != row.hash
            ):
                raise Violation(f"the journal is broken at event {row.event_pk}")
            last, previous = row.event_pk, row.hash
            self._replay.take(row.kind, json.loads(row.body))
        self._chain = last, previous
        if differences := self._replay.differences(transaction):
            raise Violation(f"the ledger is not what the journal says: {'; '.join(differences[:3])}")

    # The end.

    def _everything_was_fetched(self, contents: set[tuple[str, str]]) -> None:
        """What lies complete in a bank's folder, and is an answer, is in the ledger by its content."""
        for bank, server in self._world.servers.items():
            inbox = server.profile.channel.inbox + "/"
            for path, (content, _) in server.files.items():
                name = path.removeprefix(inbox)
                if not path.startswith(inbox) or not server.is_whole(name, content):
                    continue
                if (bank, server.posted[name][0]) not in contents:
                    raise Violation(f"{bank} put {name} there, and nobody fetched it")

    def _everybody_was_told(self, rows: list[Row]) -> None:
        """A department that reads on from its cursor knows every payment's last outcome."""
        for row in rows:
            told = self._department.latest.get(row.payment_id)
            if row.state != ("" if told is None else str(told.status)):
                raise Violation(f"{row.payment_id} is {row.state}, and its department was told {told}")


_OPEN = frozenset({"accepted", "held", "dispatched", "unknown"})
