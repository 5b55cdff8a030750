"""A bank whose answers have a shape of their own: layouts, names of files, and what it says by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from formats import Payment
from gateway import Gateway
from gateway.configuration.profile import Profile
from gateway.simulator.bank import SimulatedBank
from tests.gateway.answers import Answers, file_of
from tests.gateway.sites import RURAL, Ground, edit, payments_of

_RESULT_BLOCK = """\
[[inbound]]
kind      = "result"
pattern   = "{stem}_HP{number:1}.txt"
complete  = "flag"
"""

STATEMENT = """
layout  = "account-list"
version = "1"
purpose = "statement"
syntax  = "delimited"
framing = { encoding = "gb18030", delimiter = ",", eol = "lf" }

structure = '''
head
statement 0..*
'''

[record.head]
table = '''
-   text            Mark        !"#"
-   number          Count       = count(statement)
-   yuan.2 signed   Sum         = sum(statement.amount)
'''

[record.statement]
table = '''
-   date YYYYMMDD   Date        statement.booked_on
-   text            Direction   statement.direction
-   yuan.2          Amount      statement.amount
-   text            Serial      statement.serial          optional
-   text            Reference   attempt.reference         optional
-   text            File        statement.file_reference  optional
-   text            Name        statement.party_name      optional
-   text            Text        statement.text            optional
'''
"""
_STATEMENT_BLOCK = """
[[inbound]]
kind      = "statement"
pattern   = "DZ{bank_day:%Y%m%d}_{number:3}.csv"
complete  = "flag"
layout    = "account-list"
"""


def add_layouts(ground: Ground, layouts: dict[str, str]) -> None:
    """Layouts of the own, by their names."""
    folder = ground.site.configuration.parent / "layouts"
    if not folder.exists():
        folder.mkdir()
        edit(ground.site.configuration, "[gateway]\n", '[gateway]\nlayouts = ["layouts"]\n')
    for name, text in layouts.items():
        (folder / f"{name}.toml").write_text(text, "utf-8")


def add_statements(ground: Ground) -> None:
    """Let the rural bank send statements besides."""
    add_layouts(ground, {"account-list": STATEMENT})
    profile = ground.profile_path(RURAL)
    edit(profile, 'acknowledgement = "rural', 'statement = ["account-list"]\nacknowledgement = "rural')
    edit(profile, "\n[channel]", f"{_STATEMENT_BLOCK}\n[channel]")


class Shape:
    """The rural bank with other results. `blocks` are its `[[inbound]]` for them, `layouts` their texts."""

    def __init__(self, ground: Ground, layouts: dict[str, str], blocks: str, count: int = 4) -> None:
        self.ground = ground
        add_layouts(ground, layouts)
        names = ", ".join(f'"{name}"' for name in layouts)
        edit(ground.profile_path(RURAL), '["rural-credit-result"]', f"[{names}]")
        edit(ground.profile_path(RURAL), _RESULT_BLOCK, blocks)
        self.count = count
        self.payments: Sequence[Payment] = payments_of(RURAL, count)

    @contextmanager
    def open(self) -> Iterator[Told]:
        with self.ground.open() as gateway:
            yield Told(self, gateway)


class Told:
    """The same with an open gateway."""

    def __init__(self, shape: Shape, gateway: Gateway) -> None:
        self.shape, self.gateway, self.ground = shape, gateway, shape.ground
        self.payments = shape.payments

    @property
    def profile(self) -> Profile:
        return self.gateway.configuration.profiles[RURAL]

    def play(self, scenario: str, share_per_mille: int = 1000) -> SimulatedBank:
        """The simulated bank answers everything."""
        bank = self.ground.bank(RURAL, scenario, share_per_mille, profile_of=self.gateway)
        self.ground.submit(self.gateway, self.payments)
        self.ground.run_to_the_end(self.gateway)
        return bank

    def send(self, *, acknowledged: bool = True) -> None:
        """Our file leaves, and is acknowledged; the rest is said by hand."""
        self.ground.submit(self.gateway, self.payments)
        self.gateway.run()
        if acknowledged:
            self.acknowledge()

    def acknowledge(self) -> None:
        answers = Answers(self.gateway, RURAL, file_of(self.gateway, RURAL))
        code = answers.layout("acknowledgement").file_codes[0].code
        self.say(answers.name("acknowledgement", 1), answers.acknowledgement(code))

    @property
    def stem(self) -> str:
        """Of the bank's first file."""
        return next(file.name for file in self.gateway.files() if file.bank == RURAL).rpartition(".")[0]

    def reference(self, item: int) -> str:
        query = "SELECT sequence FROM file WHERE bank = ? ORDER BY file_pk LIMIT 1"
        ((sequence,),) = self.ground.rows(query, RURAL)
        assert isinstance(sequence, int)
        return f"{sequence:012d}{item:08d}"

    def put(self, name: str, text: str) -> None:
        """A signed answer lies there, with its flag where it has one."""
        self.ground.post(RURAL, name, text.encode("gb18030"), profile=self.profile)
        found = self.profile.recognise(name)
        if found is not None and (flag := found[0].flag_name(name)):
            (self.ground.inbox(RURAL) / flag).write_bytes(b"")

    def say(self, name: str, content: str | bytes) -> None:
        text = content if isinstance(content, str) else content.decode("gb18030")
        self.put(name, text)
        self.ground.take(self.gateway)

    def problems(self) -> list[str]:
        assert all(status.adds_up for status in self.gateway.status())
        return [problem.code for received in self.gateway.received() for problem in received.problems]
