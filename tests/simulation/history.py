"""One history: a stormy part in which anything may go wrong at any I/O, then a calm one.

In the storm batches are handed over, the process runs and dies, banks answer or do not, persons
decide. In the calm nothing fails any more: what was left undone is done, persons and banks finish
what is open, and the auditor takes the last look. Everything follows from the script.
"""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Callable
from pathlib import Path
from random import Random

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from channels.errors import ChannelError
from gateway.api import Gateway
from gateway.errors import GatewayError
from gateway.simulator.scenario import Kind, Scenario
from gateway.store import restore
from gateway.store.backup_folder import Manifest
from keys.errors import SealError
from tests.simulation.acts import ALL, ANSWER, LAST, LITTLE, NEWEST, PICKED, RIGHT, SEALED, VOIDED, Act
from tests.simulation.auditor import Auditor, Violation
from tests.simulation.bank import Told
from tests.simulation.department import Department
from tests.simulation.faults import Crash, Faults, Given, crashes
from tests.simulation.observation import Visited, observing
from tests.simulation.persons import Persons
from tests.simulation.script import Script, Step, draw_bank, draw_script
from tests.simulation.server import BankServer
from tests.simulation.world import Base, World

CALM_FROM = 10_000
"""Number of the first calm step."""

_DAY_MINUTES = 1440

_CALM_ROUNDS = 90
_QUIET_ROUNDS = 3
_PATIENCE_ROUNDS = 3
"""Rounds after which persons stop waiting for a bank that says nothing."""

_OFTEN_TOLD = (Told.TRUTH, Told.TRUTH, Told.TRUTH, *Told)


class Ended(Struct, kw_only=True):
    """What a history came to. `script` has every step with the faults that it met."""

    script: Script
    violation: str = ""
    at_step: int = 0
    steps: int = 0
    faults: int = 0
    crashes: int = 0
    visited: Visited
    banks_own: dict[str, int]
    """Broken promises that only a bank's false statement explains, by what they were."""
    trace: str = ""
    """Digest of every step's faults and of the journal's events."""


def play_seed(base: Base, seed: int, rate: float = 1.0) -> Ended:
    """Play the history of a seed to its end."""
    return play(base, draw_script(seed, rate))


def play(base: Base, script: Script) -> Ended:
    """Play a script to its end, or to the first violation."""
    faults = Faults(script.seed)
    world = World(base, faults, script.traits)
    history = _History(world, script)
    try:
        with observing(world.ledger, history.visited):
            return history.play()
    finally:
        world.ledger.observers.clear()


def _manifest(world: World) -> Manifest:
    """What a backup of this moment says of itself, as far as a restored ledger is told."""
    return Manifest(
        format="",
        instance=world.configuration.instance,
        environment=world.configuration.environment,
        made_at=world.clock.instant.isoformat(),
        schema="",
        event=0,
        hash="",
        sequences={},
        files={},
        key_id="",
        algorithm="",
        certificate="",
    )


def _place(error: Exception) -> str:
    """Where it was raised: file and line."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name}:{last.lineno}"


class _History:
    def __init__(self, world: World, script: Script) -> None:
        self.visited = Visited()
        self._world = world
        self._seed = script.seed
        self._script = script
        self._done: list[Step] = []
        self._trace = hashlib.sha256()
        self._department = Department(
            script.seed,
            [bank.bank for bank in script.traits.banks],
            world.base.platform,
            must_sign=script.traits.platform_must_sign,
        )
        self._persons = Persons(world, self._department)
        self._auditor = Auditor(world, self._department)
        self._gateway: Gateway = world.start()
        self._number, self._aim, self._say = 0, "", ""
        self._picked: tuple[str, str] | None = None
        """Bank and name of the file that a plot is about."""
        world.meanwhile = self._meanwhile

    def play(self) -> Ended:
        violation = ""
        try:
            for step in self._script.steps:
                self._do(step)
            self._calm()
            self._auditor.finished(self._gateway)
        except Violation as found:
            violation = str(found)
        except Exception as error:  # noqa: BLE001  # whatever comes out of the gateway is a finding
            violation = f"{type(error).__name__}: {error}, {_place(error)}"
        with self._world.faults.suspended():
            self._trace.update(self._auditor.journal_digest(self._gateway))
        self.visited.ways.update(self._persons.ways)
        self.visited.faults.update(self._world.faults.given)
        given = self._world.faults.given
        return Ended(
            script=replace(self._script, steps=self._done),
            violation=violation,
            at_step=self._number,
            steps=len(self._done),
            faults=sum(given.values()),
            crashes=crashes(given),
            visited=self.visited,
            banks_own=dict(self._auditor.banks_own),
            trace=self._trace.hexdigest(),
        )

    # Steps.

    def _do(self, step: Step) -> None:
        """Do something, survive what happens, then let the auditor look."""
        self._number, self._aim, self._say = step.number, step.aim, step.say
        faults = self._world.faults
        faults.begin(step.number, step.rate, step.faults)
        given = self._attempt(step.number, self._acts()[step.act])
        self._done.append(replace(step, faults=given))
        self._trace.update(msgspec.json.encode([step.number, step.act, given]))
        with faults.suspended():
            self._auditor.look(self._gateway)

    def _attempt(self, number: int, act: Callable[[Random], None]) -> list[Given]:
        self._world.randomness.random = Random(f"{self._seed}/tokens/{number}")
        self._world.clock.shown = [self._world.clock.instant]
        try:
            act(Random(f"{self._seed}/step/{number}"))
        except Crash:
            given = self._world.faults.log
            self._restart(number)
            return given
        except (GatewayError, ChannelError, SealError, OSError) as error:
            # What an operator would see; the next run goes on. Where nothing fails, nothing is to be seen.
            if number >= CALM_FROM:
                raise Violation(f"in the calm: {type(error).__name__}: {error}") from error
        return self._world.faults.log

    def _restart(self, number: int) -> None:
        self._world.faults.dead = False
        with self._world.faults.suspended():
            self._world.crash(Random(f"{self._seed}/crash/{number}"))
            self._gateway = self._world.start()
            self._auditor.restarted(self._gateway)

    def _meanwhile(self, dice: float) -> None:
        """Another process of the same gateway, while this one waits for a server."""
        random = Random(f"{self._seed}/meanwhile/{self._number}/{dice}")
        aim, self._aim = self._aim, ""
        act = random.choice([self._decide, self._meddle, self._meddle, self._submit, self._reissue])
        try:
            act(random)
        except GatewayError:
            return
        finally:
            self._aim = aim
            self._auditor.look(self._gateway)

    def _acts(self) -> dict[Act, Callable[[Random], None]]:
        return {
            Act.RUN: self._run,
            Act.SUBMIT: self._submit,
            Act.REISSUE: self._reissue,
            Act.DECIDE: self._decide,
            Act.INSIST: self._insist,
            Act.BELIEVE: lambda random: self._persons.decide(self._gateway, random, deceived=True),
            Act.MEDDLE: self._meddle,
            Act.WAIT: self._wait,
            Act.TELL: self._tell,
            Act.CONFUSE: self._confuse,
            Act.TAKE_BACK: self._take_back,
            Act.REPEAT: self._repeat,
            Act.SWEEP: lambda random: self._any_server(random).sweep(),
            Act.FAIL_OVER: lambda random: self._any_server(random).fail_over(random.random()),
            Act.BEHAVE: self._behave,
            Act.ANCHOR_FAILS: lambda random: self._world.anchor.fail_over(random.random()),
            Act.ANCHOR_STUCK: self._anchor_stuck,
            Act.STRANGE_FILE: self._strange_file,
            Act.BACKUP: self._back_up,
            Act.RESTORE: self._restore,
            Act.ROLL_BACK: self._roll_back,
            Act.LIST: self._list,
            Act.DISTRUST: self._distrust,
        }

    # What the gateway's people do.

    def _run(self, _random: Random) -> None:
        self._gateway.run()

    def _submit(self, random: Random) -> None:
        """Hand over a new list, or an earlier one again."""
        lists = self._department.lists
        if lists and random.random() < 0.35:
            self._department.hand_over(self._gateway, random.choice(lists))
        else:
            self._department.hand_over(self._gateway, self._department.new_list(random))

    def _reissue(self, random: Random) -> None:
        self._department.read_outcomes(self._gateway)
        handed = self._department.reissues(random, mistaken=False if self._aim == RIGHT else None)
        if handed is not None:
            self._department.hand_over(self._gateway, handed)

    def _decide(self, random: Random) -> None:
        self._persons.decide(self._gateway, random, all_of_it=self._aim == ALL)

    def _insist(self, random: Random) -> None:
        about = self._held_answer() if self._aim == ANSWER else self._file_to_decide(random)
        if about:
            self._persons.insist(self._gateway, about, self._say, random)

    def _file_to_decide(self, random: Random) -> str:
        found = self._any_in(self._aim) if self._aim in (SEALED, VOIDED) else self._any_taken(random)
        return "" if found is None else f"file:{found[0].profile.bank}/{found[1]}"

    def _held_answer(self) -> str:
        with self._world.faults.suspended(), self._world.ledger.read() as transaction:
            row = transaction.one("SELECT MAX(received_pk) AS pk FROM received WHERE state = 'held'")
        return "" if row is None or row.pk is None else f"received:{row.pk}"

    def _meddle(self, random: Random) -> None:
        self._persons.meddle(self._gateway, random)

    def _wait(self, random: Random) -> None:
        """Time passes, a few minutes mostly; once in a while the clock is set back."""
        choices = [1] if self._aim == LITTLE else [-7, -600, 0.2, 1, 10, 10, 60, 60, 300, 1500]
        self._world.advance(random.choice(choices))

    def _back_up(self, _random: Random) -> None:
        with self._world.faults.suspended():
            self._world.back_up()

    def _restore(self, _random: Random) -> None:
        """As `bankgate restore` does it: in one transaction every bank is held, every doubtful file too."""
        with self._world.faults.suspended():
            if not self._go_back():
                return
            installation = self._gateway.installation
            with installation.ledger.write() as transaction:
                restore._hold(installation, transaction, _manifest(self._world), None)

    def _roll_back(self, _random: Random) -> None:
        """Somebody put an old ledger there; the anchor knows better at the next look."""
        with self._world.faults.suspended():
            if self._world.anchor_knows_more and self._go_back():
                self._gateway.anchor()

    def _go_back(self) -> bool:
        if not self._world.go_back():
            return False
        self._gateway = self._world.start()
        self._department.begin_anew()
        self._auditor.went_back()
        return True

    def _list(self, _random: Random) -> None:
        """The district edits its catalogue, and the next run begins with that."""
        self._world.list_programmes()
        self._gateway = self._world.start()

    def _distrust(self, random: Random) -> None:
        self._world.distrusted ^= {random.choice(sorted(self._world.servers))}

    # What banks and anchor do.

    def _any_server(self, random: Random) -> BankServer:
        return self._world.servers[random.choice(sorted(self._world.servers))]

    def _any_taken(self, random: Random) -> tuple[BankServer, str] | None:
        """A file that a bank took, by the step's aim; None where there is none."""
        server = self._any_server(random)
        if self._say == Told.BLANK:
            # Elsewhere a blank says nothing at all.
            server = next((one for one in self._world.servers.values() if one.bank.has_blank_success), server)
        if self._aim == PICKED and self._picked is not None:
            bank, name = self._picked
            return self._world.servers[bank], name
        taken = server.bank.names_taken
        if self._say == Told.BLANK:
            # And where all was paid, it is not wrong.
            taken = [
                name for name in taken if any(not one.credited_minor for one in server.bank.truth_of(name))
            ]
        if not taken:
            return None
        name = taken[-1] if self._aim in (LAST, NEWEST) else random.choice(taken)
        if self._aim in (PICKED, NEWEST):
            self._picked = server.profile.bank, name
        return server, name

    def _any_file(self, random: Random) -> tuple[BankServer, str] | None:
        """Any file of a bank that the ledger has; None where there is none."""
        server = self._any_server(random)
        with self._world.faults.suspended(), self._world.ledger.read() as transaction:
            rows = transaction.all(
                "SELECT name FROM file WHERE bank = :bank ORDER BY file_pk", bank=server.profile.bank
            )
        return (server, random.choice(rows).name) if rows else None

    def _any_in(self, state: str) -> tuple[BankServer, str] | None:
        """The last file that the ledger has in a state; None where there is none."""
        with self._world.faults.suspended(), self._world.ledger.read() as transaction:
            row = transaction.one(
                "SELECT bank, name FROM file WHERE state = :state ORDER BY file_pk DESC LIMIT 1", state=state
            )
        return None if row is None else (self._world.servers[row.bank], row.name)

    def _tell(self, random: Random) -> None:
        found = self._any_taken(random)
        if found is None:
            return
        server, name = found
        items = [paid.item for paid in server.bank.truth_of(name)]
        chosen = items if random.random() < 0.5 else random.sample(items, random.randint(1, len(items)))
        # One word for all, or one for each.
        one = Told(self._say) if self._say else random.choice(_OFTEN_TOLD)
        each = not self._say and random.random() < 0.5
        told = {item: random.choice(_OFTEN_TOLD) if each else one for item in chosen}
        server.say(server.bank.tell(name, told, server.moment))

    def _confuse(self, random: Random) -> None:
        """What is true of one file is said of another, whatever became of that one."""
        found = self._any_in(self._aim) if self._aim else self._any_file(random)
        if found is not None and found[0].bank.names_taken:
            server, other = found
            name = random.choice(server.bank.names_taken)
            truths = {paid.item: Told.TRUTH for paid in server.bank.truth_of(name)}
            server.say(server.bank.tell(name, truths, server.moment, other_name=other))

    def _take_back(self, random: Random) -> None:
        found = self._any_taken(random)
        if found is not None:
            server, name = found
            server.say(server.bank.pretend_refused(name, server.moment))

    def _repeat(self, random: Random) -> None:
        found = self._any_taken(random)
        if found is not None:
            found[0].say_again(found[1])

    def _behave(self, random: Random) -> None:
        if self._say:
            kinds = frozenset(Kind(kind) for kind in self._say.split())
            for server in self._world.servers.values():
                server.bank.play(Scenario(kinds=kinds, share_per_mille=500))
            return
        bank = random.choice(sorted(self._world.servers))
        self._world.play(bank, draw_bank(random, bank))

    def _anchor_stuck(self, random: Random) -> None:
        self._world.anchor_stuck = random.choice(["", "refused", "unreachable"])

    def _strange_file(self, random: Random) -> None:
        server = self._any_server(random)
        inbox = server.profile.channel.inbox
        server.write(f"{inbox}/notice-{random.randint(1, 3)}.pdf", random.randbytes(8))

    # The calm.

    def _calm(self) -> None:
        world = self._world
        world.faults.calm()
        world.anchor_stuck = ""
        world.distrusted.clear()
        self._aim = self._say = ""
        for server in world.servers.values():
            server.bank.play(Scenario())
        quiet = 0
        for number in range(CALM_FROM, CALM_FROM + _CALM_ROUNDS):
            self._number = number
            before = self._fingerprint()
            self._attempt(number, self._calm_round)
            self._auditor.look(self._gateway)
            quiet = quiet + 1 if self._fingerprint() == before else 0
            if quiet >= _QUIET_ROUNDS and number - CALM_FROM > _PATIENCE_ROUNDS:
                if not self._waits_for_time():
                    return
                # The clock was set back, by a day perhaps: what was put off until then is still put off.
                world.advance(_DAY_MINUTES)
                quiet = 0
        raise Violation(f"no rest after {_CALM_ROUNDS} calm rounds")

    def _waits_for_time(self) -> bool:
        """Whether a file could leave, and nobody has to decide about it."""
        with self._gateway.installation.ledger.read() as transaction:
            row = transaction.one(
                "SELECT 1 FROM file WHERE state IN ('planned', 'sealed') AND attention IS NULL LIMIT 1"
            )
        return row is not None

    def _calm_round(self, random: Random) -> None:
        department = self._department
        for handed in department.lists:
            if not handed.taken:
                department.hand_over(self._gateway, handed)
        department.read_outcomes(self._gateway)
        self._pay_again(random)
        if self._world.traits.anchor:
            self._gateway.anchor()
        self._gateway.run()
        self._persons.decide(self._gateway, random, all_of_it=True)
        if self._number - CALM_FROM >= _PATIENCE_ROUNDS:
            self._persons.ask_for_answers(self._gateway, random)
        self._world.advance(random.choice([1, 10, 60, 200]))
        if self._world.traits.windows:
            self._world.clock.next_opening()
            self._world.pass_time()

    def _pay_again(self, random: Random) -> None:
        if self._department.to_pay_again():
            handed = self._department.reissues(random, mistaken=False)
            if handed is not None:
                self._department.hand_over(self._gateway, handed)

    def _fingerprint(self) -> object:
        """What the books say now: a round that changes nothing leaves it alone."""
        with self._gateway.installation.ledger.read() as transaction:
            row = transaction.one("SELECT COUNT(*) AS events FROM event")
        assert row is not None
        return row.events, [(server.waits, server.written) for server in self._world.servers.values()]
