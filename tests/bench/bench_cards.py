"""Time and memory of a card list of as many rows as wanted: checked, and asked whose card is known.

    python -m tests.bench.bench_cards [ROWS]

The list is made in a process of its own; the peak is of the one that reads it.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from formats import AccountKind
from gateway import Gateway
from gateway.demonstration.people import BANKS, make_account, make_person
from gateway.demonstration.plan import PLATFORM
from gateway.demonstration.site import Site, create_site
from gateway.rules.known_cards import KnownCards
from keys.private import load_signer
from keys.statement import sign_statement

_KIBIBYTE = 1 << 10
_SEED = 5
_PERSON = "reviewer-a"
_HEADERS = "姓名,身份证号,一本通银行,一本通账号,社保卡银行,社保卡银行账号\n"


def make(folder: Path, rows: int) -> None:
    """A site, and a list of people who do not exist."""
    now = datetime.now(UTC)
    site = create_site(folder, now)
    Gateway.begin(site.configuration)
    bank = BANKS[0]
    with _list_of(folder).open("w", encoding="utf-8") as sink:
        sink.write(f"来源平台,{PLATFORM}\n导出日期,{now.date()}\n总行数,{rows}\n\n{_HEADERS}")
        for number in range(rows):
            person = make_person(_SEED, number, (20, 80), now.date(), bank)
            accounts = (
                make_account(_SEED, number, kind, bank) for kind in (AccountKind.PASSBOOK, AccountKind.CARD)
            )
            book, card = accounts
            sink.write(f"{person.name},{person.id_number},{bank.bank},{book},{bank.bank},{card}\n")


def measure(folder: Path) -> None:
    """Print CPU seconds and peak of each, in this process."""
    site = Site(folder)
    with Gateway.open(site.configuration) as gateway:
        _print("opened", time.process_time())
        start = time.process_time()
        checked = gateway.plan.check_card_list(_list_of(folder))
        _print(f"check of {checked.persons} persons", start)
        brought = gateway.bring_card_list(_list_of(folder))
        statement = gateway.statement(brought.object, "take-list", _PERSON)
        signer = load_signer(_PERSON, site.department / "persons" / f"{_PERSON}.pem")
        gateway.decide(statement, sign_statement(signer, statement.to_bytes()))
        start = time.process_time()
        with KnownCards(gateway.installation) as known:
            assert known.any
        _print("whose card is known", start)


def _list_of(folder: Path) -> Path:
    return folder / "department" / "cards.csv"


def _print(what: str, start: float) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // _KIBIBYTE
    print(f"  {what}: {time.process_time() - start:.1f} s CPU, peak {peak} MiB", flush=True)


def run(rows: int) -> None:
    """Make and measure, in processes of their own."""
    with tempfile.TemporaryDirectory(prefix="bench-cards-") as name:
        for step in (["make", name + "/site", str(rows)], ["measure", name + "/site"]):
            subprocess.run([sys.executable, "-m", "tests.bench.bench_cards", *step], check=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["make", folder, rows]:
            make(Path(folder), int(rows))
        case ["measure", folder]:
            measure(Path(folder))
        case [rows]:
            run(int(rows))
        case _:
            run(300_000)
