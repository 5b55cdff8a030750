"""One history: a seed decides what is handed over, what the banks do, and what goes wrong when.

First a stormy part in which every I/O may fail and the process may die, then a calm one in
which the process runs on, persons decide what waits for them by what the bank really did,
and the auditor takes the last look.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from io import BytesIO
from random import Random

from msgspec import Struct

from channels.errors import ChannelError
from formats.standard import canonical_batch_bytes
from gateway.api import Gateway
from gateway.demonstration.payments import Order, make_batch, make_payments
from gateway.demonstration.people import BANKS
from gateway.errors import GatewayError
from gateway.exhibits import attach
from gateway.held import HeldItem
from gateway.simulator.scenario import Kind, Scenario
from keys.cms import sign_detached
from keys.statement import sign_statement
from tests.simulation.auditor import Auditor
from tests.simulation.faults import Crash, Faults
from tests.simulation.world import Base, World

_MONTH = date(2026, 8, 1)
_STORM_STEPS = 14
_CALM_STEPS = 40
_QUIET_STEPS = 4


class Told(Struct, frozen=True):
    """What a history came to."""

    seed: int
    faults: int
    crashes: int
    steps: int
    given: dict[tuple[str, str], int]
    states: set[str]


def play(base: Base, seed: int, rate: float = 0.03) -> Told:
    """Play one history to its end. Raises `Violation` with what was broken."""
    random = Random(seed)
    faults = Faults(random, 0.0)
    banks = [bank.bank for bank in BANKS]
    world = World(base, random, faults, random.sample(banks, random.randint(1, 2)))
    try:
        return _History(world, seed, rate).play()
    finally:
        world.close()


class _History:
    def __init__(self, world: World, seed: int, rate: float) -> None:
        self._world = world
        self._seed = seed
        self._rate = rate
        self._random = world.random
        self._auditor = Auditor(world.servers)
        self._orders: list[Order] = []
        self._steps = 0
        self._states: set[str] = set()
        self._gateway: Gateway = world.start()

    def play(self) -> Told:
        self._world.faults.rate = self._rate
        for _ in range(_STORM_STEPS):
            self._step(self._random.choice([self._run, self._run, self._run, self._submit, self._wait]))
        self._world.faults.rate = 0.0
        for server in self._world.servers.values():
            # A bank that refuses everything would be written to for ever.
            if server.bank.scenario.has(Kind.REJECT):
                server.bank.play(Scenario())
        quiet = 0
        for number in range(_CALM_STEPS):
            self._step(self._submit_again)
            before = self._fingerprint()
            self._step(self._run)
            self._step(self._decide)
            self._step(self._wait)
            quiet = quiet + 1 if self._fingerprint() == before else 0
            if quiet >= _QUIET_STEPS and number > _QUIET_STEPS:
                break
        self._auditor.finished(self._gateway)
        self._gateway.close()
        given = self._world.faults.given
        return Told(
            seed=self._seed,
            faults=sum(given.values()),
            crashes=self._world.crashes,
            steps=self._steps,
            given={(point, str(fault)): count for (point, fault), count in given.items()},
            states=self._states,
        )

    def _step(self, act: Callable[[], None]) -> None:
        """Do something, survive what happens, then let the auditor look."""
        self._steps += 1
        try:
            act()
        except Crash:
            self._restart()
        except (GatewayError, ChannelError, OSError):
            # What an operator would see; the next run goes on.
            pass
        rate, self._world.faults.rate = self._world.faults.rate, 0.0
        self._auditor.look(self._gateway)
        with self._gateway.installation.ledger.read() as transaction:
            self._states |= {f"file {row[0]}" for row in transaction.all("SELECT DISTINCT state FROM file")}
            self._states |= {
                f"received {row[0]}" for row in transaction.all("SELECT DISTINCT state FROM received")
            }
        self._world.faults.rate = rate

    def _restart(self) -> None:
        rate, self._world.faults.rate = self._world.faults.rate, 0.0
        self._world.crash()
        self._gateway.installation.ledger.close()
        self._gateway = self._world.start()
        self._world.faults.rate = rate

    def _submit(self) -> None:
        """Hand over a new batch, or an earlier one again."""
        if self._orders and self._random.random() < 0.3:
            self._hand_over(self._random.choice(self._orders))
            return
        banks = tuple(bank for bank in BANKS if bank.bank in self._world.servers)
        order = Order(
            count=self._random.randint(1, 12), seed=self._random.getrandbits(30), month=_MONTH, banks=banks
        )
        self._orders.append(order)
        self._auditor.payments |= {payment.payment_id: payment for payment in make_payments(order)}
        self._hand_over(order)

    def _submit_again(self) -> None:
        """What was handed over is handed over until it is taken: a department does not give up."""
        for order in self._orders:
            self._hand_over(order)

    def _hand_over(self, order: Order) -> None:
        batch, payments = make_batch(order), list(make_payments(order))
        content = BytesIO(b"".join(canonical_batch_bytes(batch, payments)))
        signature = sign_detached(content, self._world.base.platform, self._world.clock.now())
        self._gateway.submit(batch, payments, signature=signature)

    def _run(self) -> None:
        self._gateway.run()

    def _wait(self) -> None:
        """Time passes, a few minutes mostly; once in a while the clock is set back."""
        self._world.advance(self._random.choice([-5, 0.2, 1, 10, 60, 300]))

    def _decide(self) -> None:
        """Persons decide what waits for them, by what the bank really did."""
        for item in self._gateway.held():
            decision = self._decision(item)
            if decision is not None:
                for person in self._world.base.persons:
                    if self._sign(item, decision, person):
                        break

    def _decision(self, item: HeldItem) -> str | None:
        kind, _, rest = item.object.partition(":")
        ways = {way.decision for way in item.ways}
        if kind == "file":
            bank, _, name = rest.partition("/")
            took_it = self._world.servers[bank].bank.took(name)
            if "arrived" in ways and "the next run looks" not in item.message:
                return "arrived" if took_it else "not-received"
            if "redispatch" in ways:
                return None if took_it else "redispatch"
            return "void" if "void" in ways else None
        if kind == "received" and "accept" in ways:
            return self._random.choice(["accept", "refuse"])
        return "clear" if kind == "bank" else None

    def _letter(self, gateway: Gateway, about: str, decision: str) -> str:
        """What the bank has written, where the decision rests on it."""
        if not any(way.needs_exhibit for way in gateway.ways(about) if way.decision == decision):
            return ""
        return attach(gateway.installation, BytesIO(f"{about}: {decision}".encode()), "letter")

    def _sign(self, item: HeldItem, decision: str, person: str) -> bool:
        try:
            exhibit = self._letter(self._gateway, item.object, decision)
            statement = self._gateway.statement(item.object, decision, person, exhibit=exhibit)
            signer = self._world.base.persons[person]
            return self._gateway.decide(statement, sign_statement(signer, statement.to_bytes()))
        except GatewayError:
            return False

    def _fingerprint(self) -> object:
        """What the books say now: a run that changes nothing leaves it alone."""
        with self._gateway.installation.ledger.read() as transaction:
            row = transaction.one("SELECT COUNT(*) AS events FROM event")
        assert row is not None
        return row.events, any(server.waits for server in self._world.servers.values())
