"""What a demonstrated month came to, and what to look at in its folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct
from rich.console import Console
from rich.table import Table

from gateway import screen
from gateway.api import Gateway
from gateway.demonstration.month import Month
from gateway.demonstration.site import Site
from gateway.demonstration.story import published_list
from gateway.demonstration.watch import Watch
from gateway.money import money
from gateway.rules.books import By


class DemoResult(Struct, frozen=True, kw_only=True):
    """What a demonstration came to. Amounts are minor units, seconds by stage.

    `credited_minor` is what banks say is with payees, `really_paid_minor` what their own books say.
    """

    batches: int
    payments: int
    instructed_minor: int
    files: int
    states: dict[str, tuple[int, int]]
    """Count and instructed amount."""
    credited_minor: int
    really_paid_minor: int
    adds_up: bool
    findings: int
    finding_minor: int
    breaches: int
    seconds: dict[str, float]


def sum_up(gateway: Gateway, really_paid_minor: int, watch: Watch) -> DemoResult:
    """The sums over all batches of the ledger."""
    books = gateway.plan.books(By.BATCH)
    findings = list(gateway.findings())
    states: dict[str, tuple[int, int]] = {}
    for book in books:
        for name, each in book.states.items():
            count, minor = states.get(name, (0, 0))
            states[name] = count + each.count, minor + each.minor
    return DemoResult(
        batches=len(books),
        payments=sum(book.instructed.count for book in books),
        instructed_minor=sum(book.instructed.minor for book in books),
        files=len(gateway.files()),
        states=states,
        credited_minor=sum(book.kept_minor for book in books),
        really_paid_minor=really_paid_minor,
        adds_up=all(book.adds_up for book in books) and all(one.adds_up for one in gateway.status()),
        findings=len(findings),
        finding_minor=sum(finding.amount_minor for finding in findings),
        breaches=len(gateway.plan.breaches()),
        seconds=watch.seconds,
    )


def tell_sums(gateway: Gateway, result: DemoResult, console: Console) -> None:
    """Files by bank, states in count and fen, and what banks did that they may not."""
    console.print("Files to the banks, and what came back:")
    screen.show_exchange(gateway.files(), gateway.received())
    table = Table(title="submitted = all that follows, in count and fen", title_justify="left")
    for name in ("", "payments", "fen"):
        table.add_column(name, justify="left" if not name else "right")
    for name, (count, minor) in result.states.items():
        table.add_row(screen.state(name), f"{count:,}", f"{minor:,}")
    table.add_section()
    table.add_row("submitted", f"{result.payments:,}", f"{result.instructed_minor:,}")
    console.print(table)
    console.print("The sum holds." if result.adds_up else "[bold red]The sum does not hold.[/]")
    unknown = result.states.get("unknown", (0, 0))[1]
    among = f"; {money(unknown)} of it may be unknown here still" if unknown else ""
    console.print(f"With payees by the banks' answers: {money(result.credited_minor)}")
    console.print(f"By the banks' own books: {money(result.really_paid_minor)}{among}")
    console.print(
        f"Fee findings: {result.findings}, {money(result.finding_minor)}; none is in an outcome."
        f" Deadlines missed: {result.breaches}. For persons: {len(gateway.held())} items."
    )
    told = ", ".join(f"{name} {seconds:.2f}" for name, seconds in result.seconds.items())
    console.print(f"Seconds by stage: {told}")


def tell_what_to_try(site: Site, month: Month, reports: Sequence[Path], console: Console) -> None:
    """Every command about the plan, as it can be typed."""
    console.print(f"Everything lies in {site.folder}: look at gateway/, department/ and banks/.")
    for path in reports:
        console.print(f"   {path}", soft_wrap=True)
    console.print("Go on with:")
    console.print(f"   export BANKGATE_CONFIG={site.configuration}", soft_wrap=True)
    for command in commands_to_try(site, month):
        console.print(f"   {command}", soft_wrap=True)


def commands_to_try(site: Site, month: Month) -> list[str]:
    """What shows something in the folder of a month, each a whole command line."""
    batch = month.published.batch_id
    mine = site.month
    paid_again = _paid_again(mine / "again-2.csv") or _paid_again(mine / "again-1.csv")
    return [
        "bankgate status",
        f"bankgate report {batch} --output {site.reports / 'another.html'}",
        "bankgate reconcile --by bank",
        "bankgate reconcile --ageing",
        "bankgate breaches",
        "bankgate overdue",
        "bankgate spread",
        "bankgate share",
        "bankgate charges",
        "bankgate lists no-card",
        "bankgate lists not-activated",
        f"bankgate warnings {month.again_id(1)}",
        f"bankgate trace {paid_again}",
        f"bankgate publish {batch} --credited --output {mine / 'credited-02.csv'}",
        f"bankgate publish-check {batch} {published_list(site, month.published)}",
        "bankgate messages",
        f"bankgate booklet {batch} --output {mine / 'booklet-02.csv'}",
        f"bankgate reissue {mine / 'corrections-3.csv'} --batch {month.again_id(3)}"
        f" --output {mine / 'again-3.csv'}",
        "bankgate held",
    ]


def _paid_again(batch: Path) -> str:
    """The first payment of a batch that pays again; "" where there is none."""
    if not batch.exists():
        return ""
    ids = (line.partition(",")[0] for line in batch.read_text("utf-8").splitlines())
    return next((one for one in ids if "-R" in one), "")
