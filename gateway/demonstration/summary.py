"""What a demonstrated month came to."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from rich.console import Console
from rich.table import Table

from gateway.api import Gateway
from gateway.demonstration.watch import Watch
from gateway.money import yuan
from gateway.rules.books import By
from gateway.screens import screen


class DemoResult(Struct, frozen=True, kw_only=True):
    """What a demonstration came to. Amounts are minor units, seconds by stage.

    `credited_minor` is what banks say is with payees, `really_paid_minor` what their own books say;
    `findings` are charges, each once, however many files tell of it.
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
    charges = gateway.plan.charges()
    states: dict[str, tuple[int, int]] = {}
    for book in books:
        for name, each in book.states.items():
            count, minor = states.get(name, (0, 0))
            states[name] = count + each.count, minor + each.minor
    return DemoResult(
        batches=len(gateway.status()),
        payments=sum(book.handed_over.count for book in books),
        instructed_minor=sum(book.handed_over.minor for book in books),
        files=len(gateway.files()),
        states=states,
        credited_minor=sum(book.kept_minor for book in books),
        really_paid_minor=really_paid_minor,
        adds_up=all(book.adds_up for book in books) and all(one.adds_up for one in gateway.status()),
        findings=sum(one.count for one in charges),
        finding_minor=sum(one.minor for one in charges),
        breaches=len(gateway.plan.breaches()),
        seconds=watch.seconds,
    )


def tell_sums(gateway: Gateway, result: DemoResult, console: Console) -> None:
    """Files by bank, states in count and yuan, and what banks did that they may not."""
    console.print(screen.pick("送往各银行的文件与回盘:", "Files to the banks, and what came back:"))
    screen.show_exchange(gateway.files(), gateway.received())
    table = Table(show_edge=False, header_style="bold", pad_edge=False)
    table.add_column(screen.pick("状态", "state"))
    for name in (screen.pick("笔数", "payments"), screen.pick("金额(元)", "amount (yuan)")):
        table.add_column(name, justify="right")
    for name, (count, minor) in result.states.items():
        table.add_row(screen.state(name), f"{count:,}", yuan(minor))
    table.add_section()
    submitted = screen.pick("提交合计", "submitted")
    table.add_row(submitted, f"{result.payments:,}", yuan(result.instructed_minor))
    console.print(table)
    holds = screen.pick("账平。", "The sum holds.")
    broken = screen.pick("账不平。", "The sum does not hold.")
    console.print(holds if result.adds_up else f"[bold red]{broken}[/]")
    for line in _lines(gateway, result):
        console.print(line, soft_wrap=True)


def _lines(gateway: Gateway, result: DemoResult) -> Iterator[str]:
    """What banks say, what they really did, and what waits."""
    credited, paid = screen.money(result.credited_minor), screen.money(result.really_paid_minor)
    unknown = screen.money(result.states.get("unknown", (0, 0))[1])
    charged, held = screen.money(result.finding_minor), len(gateway.held())
    yield screen.pick(
        f"按银行回盘已到账:{credited};按银行自己的账:{paid}(其中结果待查 {unknown})",
        f"With payees by the banks' answers: {credited}; by their own books: {paid}"
        f" (of it perhaps unknown here still: {unknown})",
    )
    yield screen.pick(
        f"违规收费 {result.findings} 笔,{charged},均不计入发放结果;逾期反馈 {result.breaches} 次;"
        f"待人工处理 {held} 项",
        f"Fee findings: {result.findings}, {charged}, in no outcome. Deadlines missed: {result.breaches}."
        f" For persons: {held} items.",
    )
