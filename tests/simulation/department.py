"""A department: it hands over lists until they are taken, reads outcomes, and pays again what came back.

Sometimes it is wrong: it pays again what it may not, or uses an id a second time. It keeps its
own books: what it instructed, for whom, and what the gateway told it. Every chain of payments
that replace one another, and every pair of twins, is a `cluster`: money is summed by cluster.
"""

from __future__ import annotations

from datetime import date
from io import BytesIO
from random import Random

from msgspec import Struct
from msgspec.structs import replace

from formats import Batch, Outcome, Payment, Reason, Status
from formats.records import PayeeKind, PayeeRole
from formats.standard import canonical_batch_bytes
from gateway.api import Gateway
from gateway.demonstration.payments import Order, make_payments
from gateway.demonstration.people import BANKS, make_account
from gateway.demonstration.plan import PLATFORM
from gateway.errors import Conflict, InputRefused
from gateway.states import is_over
from keys.cms import sign_detached
from keys.signer import Signer

_MONTH = date(2026, 8, 1)
_LONGEST_CHAIN = 4


class Instructed(Struct, frozen=True, kw_only=True):
    """One payment as the department handed it over. `root` begins its chain of reissues."""

    payment: Payment
    cluster: int
    root: str


class Handed(Struct, kw_only=True):
    """One list, and what the department knows of its fate.

    `signs_from`: the handing over, from 1, that is signed.
    """

    batch: Batch
    payments: list[Payment]
    signs_from: int
    times: int = 0
    taken: bool = False


class Department:
    """Everything that was instructed so far; `books` are by payment id."""

    def __init__(self, seed: int, banks: list[str], signer: Signer, *, must_sign: bool) -> None:
        self.books: dict[str, Instructed] = {}
        self.instructed_minor: dict[int, int] = {}
        self.cluster_of_account: dict[str, int] = {}
        self.lists: list[Handed] = []
        self.latest: dict[str, Outcome] = {}
        self.told = 0
        """How many outcomes it read."""
        self._seed = seed
        self._banks = tuple(bank for bank in BANKS if bank.bank in banks)
        self._signer = signer
        self._must_sign = must_sign
        self._cursor = 0

    def begin_anew(self) -> None:
        """The gateway came back from a backup: everything is handed over and read again."""
        self._cursor = 0
        self.latest.clear()
        for handed in self.lists:
            handed.taken = False

    # What it hands over.

    def new_list(self, random: Random) -> Handed:
        """A list of new payments, some of them odd or wrong."""
        count = random.randint(1, 6)
        order = Order(
            count=count,
            seed=random.getrandbits(30),
            month=_MONTH,
            banks=self._banks,
            defects=random.choice([0, 0, 0, 1]),
        )
        number = len(self.lists) + 1
        payments = [
            replace(payment, payment_id=f"P{number:03d}-{index:03d}")
            for index, payment in enumerate(make_payments(order), 1)
        ]
        for index, payment in enumerate(payments):
            if (
                payment.payee_kind is PayeeKind.PERSON
                and not payment.custody_ground
                and random.random() < 0.15
            ):
                payments[index] = _for_another(payment)
        for payment in payments:
            self._enter(payment, cluster=len(self.instructed_minor) + 1, root=payment.payment_id)
        if random.random() < 0.15:
            payments.append(self._twin(random.choice(payments), f"P{number:03d}-twin"))
        rows = [*payments, *self._used_before(random)]
        return self._keep(number, rows, random)

    def reissues(self, random: Random, *, mistaken: bool | None = None) -> Handed | None:
        """A list that pays again what ended without money; now and then, mistaken, something else."""
        if mistaken is None:
            mistaken = random.random() < 0.3
        chosen = self._wrongly_chosen(random) if mistaken else self.to_pay_again()
        if not chosen:
            return None
        number = len(self.lists) + 1
        payments = []
        for index, payment_id in enumerate(chosen, 1):
            old = self.books[payment_id]
            new = replace(
                old.payment,
                payment_id=f"P{number:03d}-{index:03d}",
                reissue_of=payment_id,
                account=old.payment.account if random.random() < 0.6 else self._other_account(old, random),
                amount_minor=self._missing_minor(payment_id)
                + (100 if mistaken and random.random() < 0.3 else 0),
            )
            self._enter(new, cluster=old.cluster, root=old.root)
            payments.append(new)
        return self._keep(number, payments, random)

    def to_pay_again(self) -> list[str]:
        """The last payment of each chain in which nothing is open and nothing was paid."""
        chains: dict[str, list[str]] = {}
        for payment_id, one in self.books.items():
            chains.setdefault(one.root, []).append(payment_id)
        chosen = []
        for chain in chains.values():
            outcomes = [self.latest.get(payment_id) for payment_id in chain]
            ended = all(outcome is not None and _has_ended(outcome) for outcome in outcomes)
            replaced = {self.books[payment_id].payment.reissue_of for payment_id in chain}
            heads = [
                payment_id
                for payment_id in chain
                if payment_id not in replaced
                and (told := self.latest.get(payment_id)) is not None
                and is_over(told.status, told.reason)
            ]
            if (
                ended
                and heads
                and len(chain) < _LONGEST_CHAIN
                and _may_be_paid(self.books[heads[-1]].payment)
            ):
                chosen.append(heads[-1])
        return chosen

    def _missing_minor(self, payment_id: str) -> int:
        """What the first of a chain was to get, less what others of it were credited for good."""
        root = self.books[payment_id].root
        chain = [self.latest.get(key) for key, one in self.books.items() if one.root == root]
        had = sum(
            (told.credited_minor or 0) - (told.returned_minor or 0)
            for told in chain
            if told is not None and told.reason is Reason.PAID_SHORT
        )
        return self.books[root].payment.amount_minor - had

    def hand_over(self, gateway: Gateway, handed: Handed) -> None:
        """Once more, or for the first time. Raises whatever the gateway does.

        What uses an id of another list comes after that one: else it would be the payment.
        """
        for owner in self._owners(handed):
            if not owner.taken:
                self.hand_over(gateway, owner)
        handed.times += 1
        signature = None
        if self._must_sign or (handed.signs_from and handed.times >= handed.signs_from):
            content = BytesIO(b"".join(canonical_batch_bytes(handed.batch, handed.payments)))
            signature = sign_detached(content, self._signer, gateway.installation.clock.now())
        try:
            receipt = gateway.submit(handed.batch, handed.payments, signature=signature)
        except (InputRefused, Conflict) as error:
            raise AssertionError(f"a list of the department was refused: {error}") from error
        handed.taken = signature is not None or not handed.signs_from or receipt.released

    def _owners(self, handed: Handed) -> list[Handed]:
        """Earlier lists to which ids of this one belong."""
        earlier = self.lists[: self.lists.index(handed)]
        return [other for other in earlier if set(_ids(other)) & set(_ids(handed))]

    # What it hears.

    def read_outcomes(self, gateway: Gateway) -> None:
        """Go on from where it stopped reading."""
        for outcome in gateway.outcomes(since=self._cursor):
            self.latest[outcome.payment_id] = outcome
            self._cursor = outcome.cursor
            self.told += 1

    # Its books.

    def _enter(self, payment: Payment, *, cluster: int, root: str) -> None:
        self.books[payment.payment_id] = Instructed(payment=payment, cluster=cluster, root=root)
        if root == payment.payment_id:
            before = self.instructed_minor.get(cluster, 0)
            self.instructed_minor[cluster] = before + payment.amount_minor
        if payment.account:
            known = self.cluster_of_account.setdefault(payment.account, cluster)
            assert known == cluster, "two people got one account"

    def _twin(self, payment: Payment, payment_id: str) -> Payment:
        """The same person, account and amount once more, rightly."""
        twin = replace(payment, payment_id=payment_id, period="2025-01")
        cluster = self.books[payment.payment_id].cluster
        self._enter(twin, cluster=cluster, root=payment_id)
        return twin

    def _used_before(self, random: Random) -> list[Payment]:
        """A row under the id of a payment that the gateway has: no payment."""
        taken = [handed for handed in self.lists if handed.taken]
        if not taken or random.random() >= 0.1:
            return []
        other = random.choice(random.choice(taken).payments)
        return [replace(other, amount_minor=other.amount_minor + 1, reissue_of="")]

    def _wrongly_chosen(self, random: Random) -> list[str]:
        known = [payment_id for handed in self.lists if handed.taken for payment_id in _ids(handed)]
        return random.sample(known, min(len(known), random.randint(1, 2)))

    def _other_account(self, old: Instructed, random: Random) -> str:
        payment = old.payment
        bank = next(bank for bank in self._banks if bank.bank == payment.bank)
        seed, number = random.getrandbits(30), random.randint(0, 9_999_999)
        return make_account(seed, number, payment.account_kind, bank)

    def _keep(self, number: int, rows: list[Payment], random: Random) -> Handed:
        batch = Batch(
            batch_id=f"B{self._seed}-{number:03d}",
            source_platform=PLATFORM,
            declared_count=len(rows),
            declared_total_minor=sum(row.amount_minor for row in rows),
            summary="惠民补贴",
        )
        # 0: never signed, two persons release it.
        handed = Handed(batch=batch, payments=rows, signs_from=random.choice([1, 1, 1, 2, 0]))
        self.lists.append(handed)
        return handed


def _has_ended(told: Outcome) -> bool:
    """Whether nothing more of it reaches the payee."""
    return told.status is Status.WITHDRAWN or is_over(told.status, told.reason)


def _ids(handed: Handed) -> list[str]:
    return [payment.payment_id for payment in handed.payments]


def _may_be_paid(payment: Payment) -> bool:
    """A row without an account would come back for ever."""
    return bool(payment.account)


def _for_another(payment: Payment) -> Payment:
    return replace(
        payment,
        payee_role=PayeeRole.OTHER,
        payee_name=payment.payee_name or payment.beneficiary_name,
        payee_ground="监护",
    )
