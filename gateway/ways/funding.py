"""What persons decide about the money of a batch: it is on the payer account (资金到位)."""

from __future__ import annotations

from gateway import evidence
from gateway.installation import Installation
from gateway.ledger.database import Transaction
from gateway.ledger.funding import FundingRow, insert_funding
from gateway.ways.way import Carried, Decision, Ways


def funding_ways(installation: Installation, funding: FundingRow) -> Ways:
    """Where an agreement wants it, and something is missing."""
    agreements = installation.configuration.agreements.get((funding.department, funding.bank), [])
    wanted = any(agreement.funding.required for agreement in agreements)
    return _WAYS if wanted and funding.missing_minor else {}


def _fund(
    _installation: Installation, transaction: Transaction, funding: FundingRow, carried: Carried
) -> None:
    insert_funding(
        transaction,
        funding.lane_pk,
        funding.missing_minor,
        carried.exhibit,
        ", ".join(carried.persons),
        carried.at,
    )
    evidence.record(
        transaction,
        carried.at,
        "funding confirmed",
        platform=funding.source_platform,
        batch=funding.batch_id,
        bank=funding.bank,
        lane=funding.lane_pk,
        amount_minor=funding.missing_minor,
        voucher_sha256=carried.exhibit,
        by=carried.persons,
    )


_WAYS: Ways = {
    "fund": Decision(1, "the voucher shows that the money is on the payer account", _fund, needs_exhibit=True)
}
TABLES: tuple[Ways, ...] = (_WAYS,)
"""Every decision about funding."""
