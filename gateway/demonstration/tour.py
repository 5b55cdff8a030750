"""What there is to look at in the folder of a demonstrated month: commands, each as it can be typed."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct
from rich.console import Console

from gateway.demonstration.days import MONTH, YEAR
from gateway.demonstration.month import Month
from gateway.demonstration.month_files import again_file, corrections_file, published_list
from gateway.demonstration.plan import PLATFORM
from gateway.demonstration.site import Site
from gateway.screens import screen

_PROGRAMME = "耕地地力保护补贴"
"""Paid by card and by passbook."""


_STATEMENTS_OF = "rural-credit"
"""Its statements tell of money that came back."""


class Topic(Struct, frozen=True):
    """What a few commands show."""

    chinese: str
    english: str
    commands: list[str]


def tell_what_to_try(site: Site, month: Month, reports: Sequence[Path], console: Console) -> None:
    """Reports to open, and every command about the plan."""
    folder = shown(site.folder)
    everything = screen.pick(
        f"所有文件都在 {folder}:gateway/、department/、banks/;请在浏览器中打开报告:",
        f"Everything lies in {folder}: gateway/, department/ and banks/. Reports, to be opened in a browser:",
    )
    lines = [everything, *(f"   {shown(path)}" for path in reports)]
    lines.append(screen.pick("可继续逐项查看:", "Look at it with these commands:"))
    lines.append(f"   export BANKGATE_CONFIG={shown(site.configuration)}")
    for topic in topics_to_try(site, month):
        lines.append(screen.pick(f"{topic.chinese}:", f"{topic.english}:"))
        lines += [f"   {command}" for command in topic.commands]
    for line in lines:
        console.print(line, soft_wrap=True, markup=False)


def commands_to_try(site: Site, month: Month) -> list[str]:
    """What shows something in the folder of a month, each a whole command line."""
    return [command for topic in topics_to_try(site, month) for command in topic.commands]


def topics_to_try(site: Site, month: Month) -> list[Topic]:
    """The same, by what they are about."""
    batch, mine, reports = month.published.batch_id, shown(site.month), shown(site.reports)
    limited, again = month.limited.batch_id, month.again_id(3)
    period = f"{YEAR}-{MONTH:02d}"
    return [
        Topic(
            "进度与报告",
            "Where everything stands",
            [
                "bankgate status",
                f"bankgate outcomes {batch} --output {mine}/outcomes-02.csv",
                f"bankgate report {batch} --output {reports}/another.html",
                f"bankgate report --month {period} --output {reports}/another.xlsx",
            ],
        ),
        Topic(
            "对账:应发、回盘与对账单",
            "The books: instructed, answered, booked by statements",
            [
                "bankgate reconcile --by bank",
                f"bankgate reconcile {limited}",
                "bankgate reconcile --differences",
                "bankgate reconcile --due",
                "bankgate reconcile --ageing",
                f"bankgate statements {_STATEMENTS_OF} --from {YEAR}-{MONTH:02d}-15",
            ],
        ),
        Topic(
            "银行履约",
            "What banks did and should not have done",
            [
                "bankgate breaches",
                "bankgate charges",
                "bankgate findings",
                "bankgate overdue",
                "bankgate spread",
            ],
        ),
        Topic(
            "社保卡发放占比,谁可改发社保卡",
            "How much is carried by card, and who can move there",
            [
                "bankgate share",
                "bankgate cards list",
                f"bankgate cards movable --output {mine}/movable.csv",
                "bankgate cards offers",
            ],
        ),
        Topic(
            "未到账、核实补发与追回",
            "What did not arrive, is paid again, or is asked back",
            [
                f"bankgate failures {batch}",
                "bankgate lists no-card",
                "bankgate lists not-activated",
                f"bankgate reissue {shown(corrections_file(site, 3))} --platform {PLATFORM} --batch {again}"
                f" --output {shown(again_file(site, 3))}",
                "bankgate recoveries",
            ],
        ),
        Topic(
            "一笔资金的全过程(咨询投诉)",
            "One payment's whole story",
            [f"bankgate trace {_paid_again(site)}", f"bankgate trace {month.repeated.payment_id}"],
        ),
        Topic(
            "公示、短信与对账簿",
            "Public lists, messages and booklets",
            [
                f"bankgate publish {batch} --credited --output {mine}/credited-02.csv",
                f"bankgate publish-check {batch} {shown(published_list(site, month.published))}",
                "bankgate messages --limit 5",
                f"bankgate booklet {batch} --output {mine}/booklet-02.csv",
            ],
        ),
        Topic(
            "目录、预警与监督",
            "The catalogue, warnings and supervision",
            [
                f"bankgate catalogue show {_PROGRAMME}",
                "bankgate catalogue list --field 4",
                f"bankgate warnings {month.batches[0].batch_id}",
                f"bankgate warnings {month.again_id(1)}",
                f"bankgate audit export --programme {_PROGRAMME} --output {shown(site.department)}/audit",
            ],
        ),
        Topic("待人工处理", "What waits for you", ["bankgate held"]),
    ]


def shown(path: Path) -> str:
    """As somebody in this folder would type it."""
    here = Path.cwd()
    return shlex.quote(str(path.relative_to(here)) if path.is_relative_to(here) else str(path))


def _paid_again(site: Site) -> str:
    """The first payment of the last batch that pays again; "" where there is none."""
    for number in (2, 1):
        batch = again_file(site, number)
        if batch.exists():
            ids = (line.partition(",")[0] for line in batch.read_text("utf-8").splitlines())
            found = next((one for one in ids if "-R" in one), "")
            if found:
                return found
    return ""
