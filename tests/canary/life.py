"""One gateway's life with marked people in it, everything it says, and the search afterwards."""

from __future__ import annotations

import functools
import hashlib
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from formats import FormatError, Payment
from formats.standard import FileFormat
from gateway import Gateway, GatewayError
from keys.errors import SealError, SignatureMalformed
from tests.canary.marks import bank_text, citizen_id
from tests.canary.search import Leak, leaks_below, leaks_in, open_to_others
from tests.gateway.answers import Answers, Row, file_of
from tests.gateway.commands import Commands, Ended
from tests.gateway.sites import CITY, PERSONS, Ground

_GIVEN = ("profiles", "agreements", "layouts", "catalogue.toml", "keys", "keys.toml", "bankgate.toml")
"""What was there before: the settings and keys that somebody set up."""
TABLES = (
    ("status",),
    ("outcomes", "--all"),
    ("failures",),
    ("findings",),
    ("held",),
    ("run",),
)
"""Commands that show what there is, by themselves."""


class Life:
    """Commands and library calls on one site. `said` is everything that was shown, by command."""

    def __init__(self, ground: Ground, bankgate: Commands, folder: Path) -> None:
        self.ground = ground
        self.folder = folder
        self.out = folder / "out"
        self.out.mkdir(mode=0o700)
        self.said: list[tuple[str, str]] = []
        self._bankgate = bankgate
        self._posted = 0
        self._files = 0

    @property
    def gateway_folder(self) -> Path:
        return self.ground.site.configuration.parent

    # What is done.

    def command(self, *arguments: object) -> Ended:
        """Run a command; remember what it said."""
        ended = self.command_of_which_nothing_is_kept(*arguments)
        self.said.append((" ".join(map(str, arguments)), ended.out + ended.err))
        return ended

    def command_of_which_nothing_is_kept(self, *arguments: object) -> Ended:
        """A command that may say what was typed: only what it leaves is looked at."""
        ended = self._bankgate(*arguments)
        assert "Traceback" not in ended.err, ended.err
        return ended

    def note(self, about: str, said: object) -> None:
        """Something that the library said."""
        self.said.append((about, str(said)))

    def hand_over(self, name: str, content: bytes, *options: object) -> None:
        """A batch as a file, looked at and submitted, by commands."""
        path = self._batch_file(name, content)
        self.command("check", path)
        self.command("check", path, "--json")
        self.command("submit", path, *options, "--json")
        self.command("submit", path, *options)

    def hand_over_to(self, gateway: Gateway, name: str, content: bytes) -> None:
        """The same by the library, for many of them: what it gives and what it raises."""
        path = self._batch_file(name, content)
        # The report's envelope is the platform's own, and goes back to it alone.
        self.attempt(lambda: gateway.check(path).problems)
        self.attempt(lambda: gateway.submit(path))

    def _batch_file(self, name: str, content: bytes) -> Path:
        path = self.ground.site.batch.parent / name
        path.write_bytes(content)
        return path

    def attempt(self, call: Callable[[], object]) -> None:
        """Note what a call of the library gives, or the whole of its error."""
        try:
            self.note("library", call())
        except (GatewayError, FormatError, SealError) as error:
            problems = getattr(error, "problems", [])
            self.note("library", f"{error} {error!r} {getattr(error, 'hint', '')} {problems}")

    def submit(self, payments: Sequence[Payment], batch_id: str, form: FileFormat) -> None:
        """A good batch that its platform signed."""
        path = self.ground.write(self.ground.batch(payments, batch_id), payments, form)
        path.with_name(f"{path.name}.p7s").write_bytes(self.ground.sign(path.read_bytes()))
        self.hand_over(path.name, path.read_bytes())

    def run(self, turns: int = 1) -> None:
        for _ in range(turns):
            self.command("run")
            self.ground.clock.turn(seconds=10)

    def run_in(self, gateway: Gateway) -> None:
        """Two looks at what banks put there, by the library."""
        for _ in range(2):
            self.note("library", gateway.run())
            self.ground.clock.turn(seconds=10)

    def answers(self, gateway: Gateway, bank: str, number: int = 0) -> Answers:
        return Answers(gateway, bank, file_of(gateway, bank, number))

    def post(self, answers: Answers, kind: str, content: bytes, *, spoil: bool = False) -> None:
        """The bank puts a sealed answer where we look; `spoil`: its signature does not hold."""
        bank, inbound = answers.profile.bank, answers.inbound(kind)
        inbox, name = self.ground.inbox(bank), answers.name(kind, self._posted)
        self._posted += 1
        try:
            self.ground.post(bank, name, content)
        except SignatureMalformed:
            # What is no document cannot be signed within itself: it comes as it is.
            (inbox / name).write_bytes(content)
        if spoil:
            signed = inbox / (inbound.detached_signature_name(name) or name)
            signed.write_bytes(_spoilt(signed.read_bytes()))
        if flag := inbound.flag_name(name):
            (inbox / flag).touch()

    def say(self, answers: Answers, rows: Sequence[Row]) -> None:
        self.post(answers, "result", answers.result(rows))

    def take(self, gateway: Gateway | None = None) -> None:
        """Two looks at what banks put there; then their folders are empty again."""
        if gateway is None:
            self.run(2)
        else:
            self.run_in(gateway)
        for name in self.ground.site.banks:
            for folder in ("from-bank", "archive"):
                for path in (self.ground.site.bank(name) / "files" / folder).iterdir():
                    path.unlink()

    def decide(self, about: str, decision: str) -> None:
        """As two persons do it on the bank's letter, by the command; the second may find it done."""
        for person in PERSONS:
            self.decide_as(person, "held", decision, about)

    def decide_as(self, person: str, *words: object) -> Ended:
        who = ("--as", person, "--key", self.ground.person_key(person))
        return self.command(*words, *who, "--evidence", self.letter)

    @functools.cached_property
    def letter(self) -> Path:
        """What a bank wrote, naming people."""
        path = self.ground.site.batch.parent / "letter.txt"
        path.write_text(f"{bank_text(CITY, 1)}\n{citizen_id(1)}\n", "utf-8")
        return path

    def show_everything(self) -> None:
        """Every table and every JSON document; each payment's story; exports and outcome files."""
        self._files += 1
        for words in TABLES:
            self.command(*words)
            self.command(*words, "--json")
        with self.ground.open() as gateway:
            payments = [str(row[0]) for row in self.ground.rows("SELECT payment_id FROM payment")]
            batches = [status.batch_id for status in gateway.status()]
            self.note("library", [gateway.files(), gateway.received(), gateway.held(), gateway.status()])
            self.note("library", [list(gateway.outcomes()), list(gateway.findings())])
        for payment in payments[:12]:
            self.command("trace", payment)
        for payment in payments[:4]:
            self.command("trace", payment, "--json")
        for batch in batches[:2]:
            self.command("status", batch)
        for form in FileFormat:
            target = self.out / f"outcomes-{self._files}.{form.value}"
            self.command("outcomes", "--all", "--output", target)
            self.command("failures", "--output", target.with_stem(f"failures-{self._files}"))
        self.command("audit", "anchor")
        bundle = self.out / f"bundle-{self._files}"
        self.command("audit", "export", "--output", bundle)
        self.command("audit", "verify", bundle)
        self.command("audit", "verify", bundle, "--anchor", self.ground.site.folder / "anchor", "--json")

    def back_up_and_restore(self) -> None:
        """A backup, another that links to it, and the first put back in place of what is gone."""
        first, second = self.out / "backup-1", self.out / "backup-2"
        self.command("backup", first)
        self.command("backup", second, "--earlier", first, "--json")
        self.command("backup", first, "--check", "--json")
        for path in self.gateway_folder.glob("ledger.sqlite*"):
            path.unlink()
        shutil.rmtree(self.gateway_folder / "spool")
        assert self.command("restore", first).code in (0, 1)
        self.command("held")
        self.command("held", "--json")
        self.command("run")
        self.command("retain", "--dry-run")
        self.command("retain", "--json")
        self.command("operator", "list")

    def read_the_letter(self) -> None:
        """What a decision rests on goes to whoever asks for it, and to nobody else: thrown away again."""
        copy = self.out / "letter.txt"
        digest = hashlib.sha256(self.letter.read_bytes()).hexdigest()
        assert self.command("exhibit", digest, "--output", copy).code == 0
        assert copy.read_bytes() == self.letter.read_bytes()
        copy.unlink()

    # What is looked for.

    def leaks(self) -> list[Leak]:
        """Marked values in clear: in what was said, and in whatever lies on the disk."""
        found = {
            leak
            for about, said in self.said
            for leak in leaks_in(f"said by {about}", said.encode(), text=True)
        }
        assert sum(len(said) for _, said in self.said) > 1000
        for folder in self._kept():
            found |= leaks_below(folder, self._given())
        return sorted(found)

    def open_to_others(self) -> list[str]:
        """Modes of all that was made. The anchor is where another party reads: its folder's rule holds."""
        own = [folder for folder in self._kept() if folder != self._anchor()]
        return [place for folder in own for place in open_to_others(folder, self._given())]

    def _kept(self) -> list[Path]:
        """Where the gateway leaves anything; the platform's and the banks' own folders are their affair."""
        return [
            self.gateway_folder,
            self.out,
            self.folder / "temporary",
            self._anchor(),
        ]

    def _anchor(self) -> Path:
        return self.ground.site.folder / "anchor"

    def _given(self) -> list[Path]:
        return [self.gateway_folder / name for name in _GIVEN]


def _spoilt(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])
