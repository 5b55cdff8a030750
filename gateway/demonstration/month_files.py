"""What lies in a district's folder of a demonstrated month: batches, lists, reports."""

from __future__ import annotations

from pathlib import Path

import msgspec

from formats.standard import FileFormat, write_table
from gateway.api import Gateway
from gateway.demonstration.batches import FieldBatch, suffix_of
from gateway.demonstration.card_list import card_list_lines
from gateway.demonstration.days import BEGINS, MONTH, YEAR
from gateway.demonstration.month import Month
from gateway.demonstration.plan import PLATFORM
from gateway.demonstration.site import Site, sign_batch, write_demo_batch


def write_month(site: Site, month: Month) -> None:
    """Everything that is handed over on its days, signed."""
    site.month.mkdir()
    for batch in month.batches:
        path = batch.file(site.month)
        write_demo_batch(path, batch.order)
        sign_batch(site, BEGINS, path, batch.platform)
    with card_list_file(site).open("wb") as sink:
        write_table(sink, [], card_list_lines(month), FileFormat.CSV, "")
    site.month_size.write_bytes(msgspec.json.encode(month.size))


def published_list(site: Site, batch: FieldBatch) -> Path:
    """Where the public list of a batch lies."""
    return site.month / f"published-{batch.field.number:02d}.csv"


def card_list_file(site: Site) -> Path:
    """Where the passbook platform's list of cards lies."""
    return site.month / "cards.csv"


def again_file(site: Site, number: int, platform: str = PLATFORM) -> Path:
    """Where the batch lies that pays a platform's payments again, for the first or second time."""
    return site.month / f"again-{number}{suffix_of(platform)}.csv"


def corrections_file(site: Site, number: int, platform: str = PLATFORM) -> Path:
    """Where it says what was verified for that batch."""
    return site.month / f"corrections-{number}{suffix_of(platform)}.csv"


def next_id(payment_id: str) -> str:
    """The id under which a payment of the month is paid again."""
    stem, again, number = payment_id.rpartition("-R")
    return f"{stem}-R{int(number) + 1}" if again else f"{payment_id}-R1"


def write_reports(site: Site, gateway: Gateway, batch_id: str) -> list[Path]:
    """The month's report and one batch's, as a page and as a workbook, as things stand."""
    site.reports.mkdir(exist_ok=True)
    month = f"{YEAR}-{MONTH:02d}"
    written = []
    for name, chosen in ((month, {"month": month}), (batch_id, {"batch_id": batch_id})):
        for ending in (".html", ".xlsx"):
            path = site.reports / f"{name}{ending}"
            path.unlink(missing_ok=True)
            gateway.plan.report(path, **chosen)
            written.append(path)
    return written
