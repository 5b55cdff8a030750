"""After a whole life of a batch no byte of ledger, spool, log or output names a person."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.demonstration.payments import Order, make_payments
from gateway.demonstration.site import sign_batch, write_demo_batch
from tests.gateway.commands import Commands
from tests.gateway.sites import CITY, ISO, NOW, RURAL, Ground, make_master


def secrets(order: Order) -> set[str]:
    """Every name, ID and account of the batch that is long enough to be told from chance."""
    found: set[str] = set()
    for payment in make_payments(order):
        found |= {
            payment.account,
            payment.beneficiary_name,
            payment.beneficiary_id,
            payment.payee_name,
            payment.payee_id,
            payment.custodian_name,
            payment.custodian_id,
        }
    return {word for word in found if len(word) >= 3}


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    """All departments: most of the batch goes to the banks."""
    return Ground(make_master(tmp_path / "master", every_department=True), tmp_path / "site")


@pytest.mark.heavy
def test_nothing_of_a_person_is_left_in_clear(ground: Ground, bankgate: Commands) -> None:
    order = Order(count=300, seed=11, defects=8)
    for bank, scenario in ((CITY, "failures,fee-column,short-credit"), (ISO, "failures,unknown-code")):
        ground.bank(bank, scenario, share_per_mille=150)
    ground.bank(RURAL, "failures,fee-lines,unmatched", share_per_mille=150)
    write_demo_batch(ground.site.batch, order)
    sign_batch(ground.site, NOW)
    words = secrets(order)
    assert len(words) > 600
    said = [bankgate("check", ground.site.batch), bankgate("submit", ground.site.batch)]
    for _ in range(6):
        said.append(bankgate("run"))
        ground.banks_look()
    for command in ("status", "outcomes", "failures", "findings", "held"):
        said += [bankgate(command), bankgate(command, "--json")]
    said += [bankgate("trace", f"{order.batch_id}-{number:07d}") for number in (1, 38, 76)]
    spoken = "".join(ended.out + ended.err for ended in said)
    assert len(spoken) > 20_000
    assert {word for word in words if word in spoken} == set()
    own = ground.site.configuration.parent
    kept = [
        path
        for path in own.rglob("*")
        if path.is_file() and path.relative_to(own).parts[0] not in ("profiles", "agreements", "keys")
    ]
    assert {"ledger.sqlite", "log", "spool"} <= {path.relative_to(own).parts[0] for path in kept}
    encoded = {
        form for word in words for form in (word.encode(), word.encode("gb18030"), word.encode("utf-16-le"))
    }
    leaks = {
        path.relative_to(own).as_posix()
        for path in kept
        for content in [path.read_bytes()]
        for form in encoded
        if form in content
    }
    assert leaks == set()
    with ground.open() as gateway:
        assert sum(file.payments for file in gateway.files()) > 250
        ground.check_sound(gateway)
