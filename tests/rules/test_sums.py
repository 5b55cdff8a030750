"""The sums of a reconciliation: money that is paid again counts once, a charge stands where it belongs."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.books import BookRow, FoundCharge
from gateway.rules.books import Book, By, Extent, Sum, sum_up, sums_digest
from gateway.states import PaymentState
from tests.gateway.commands import Commands
from tests.gateway.sites import CITY, RURAL, Ground, payments_of
from tests.gateway.test_settle import result, row
from tests.rules.test_reissue import correction, failed

_FEW = st.integers(0, 10**9)
_KEYS = st.sampled_from(("", "A", "B"))
_NAMES = st.sampled_from(("A", "B"))
_ROWS = st.builds(
    BookRow,
    source_platform=_NAMES,
    batch_id=_NAMES,
    bank=_KEYS,
    department=_NAMES,
    programme=_NAMES,
    period=_NAMES,
    account_kind=_NAMES,
    day=_KEYS,
    state=st.sampled_from([str(state) for state in PaymentState]),
    at_the_bank=st.integers(0, 1),
    reissued=st.integers(0, 1),
    count=st.integers(1, 1000),
    instructed_minor=_FEW,
    credited_minor=_FEW,
    returned_minor=_FEW,
    oldest=st.just("2026-09-01T02:00:00+00:00"),
)
_CHARGES = st.builds(
    FoundCharge,
    source_platform=_KEYS,
    batch_id=_KEYS,
    bank=_NAMES,
    department=_KEYS,
    programme=_KEYS,
    period=_KEYS,
    day=_KEYS,
    kind=_NAMES,
    month=_NAMES,
    file_name=_KEYS,
    file_programme=_KEYS,
    file_period=_KEYS,
    count=st.integers(1, 1000),
    amount_minor=_FEW,
)


def total(sums: Iterable[Sum]) -> tuple[int, int]:
    listed = list(sums)
    return sum(one.count for one in listed), sum(one.minor for one in listed)


@given(st.lists(_ROWS, max_size=12), st.lists(_CHARGES, max_size=6), st.sampled_from(By))
def test_by_every_side_the_sums_are_those_of_the_rows(
    rows: list[BookRow], charges: list[FoundCharge], by: By
) -> None:
    books = sum_up(None, by, rows, charges, [], [])
    for reissued, sums in ((0, [book.instructed for book in books]), (1, [book.reissued for book in books])):
        own = [one for one in rows if one.reissued == reissued]
        assert total(sums) == (sum(one.count for one in own), sum(one.instructed_minor for one in own))
    for book in books:
        assert total(book.states.values()) == (book.handed_over.count, book.handed_over.minor)
        assert book.adds_up
    for state in PaymentState:
        own = [one for one in rows if one.state == state]
        told = total(book.states.get(state, Sum()) for book in books)
        assert told == (sum(one.count for one in own), sum(one.instructed_minor for one in own))
    assert total(book.findings for book in books) == (
        sum(one.count for one in charges),
        sum(one.amount_minor for one in charges),
    )
    assert sum(book.kept_minor for book in books) == sum(
        one.credited_minor - one.returned_minor for one in rows
    )
    assert [book for book in books if not book.key and book.extent is not Extent.NONE] == []


def test_a_line_whose_states_lack_a_payment_does_not_add_up() -> None:
    book = Book(key="A", instructed=Sum(count=2, minor=300), reissued=Sum(count=1, minor=100))
    book.state("credited").add(2, 300)
    assert not book.adds_up
    book.state("failed").add(1, 100)
    assert book.adds_up


def test_money_that_is_paid_again_is_instructed_once(ground: Ground) -> None:
    """It fails, its reissue fails too, the next is credited; one that is refused is no new money."""
    with ground.open() as gateway:
        sent = failed(ground, gateway)
        owed_minor = sent.payments[0].amount_minor
        instructed = Sum(count=3, minor=sum(one.amount_minor for one in sent.payments))
        name = "P-00001"
        for number, code in enumerate(("F44", "S")):
            made = gateway.plan.reissue([correction(name)], f"AGAIN-{number}")
            assert made.refused == []
            ground.submit(gateway, made.payments, made.batch.batch_id)
            gateway.run()
            (payment,) = made.payments
            file_name = gateway.files()[-1].name
            answer = f"{file_name.removesuffix('.bxt')}_R1.bxt"
            ground.post(CITY, answer, result(file_name, [row(1, payment, code)]))
            ground.take(gateway)
            name = payment.payment_id
        refused = payments_of(CITY, 1, prefix="Z", reissue_of="P-00001", reissue_ground="x")
        ground.submit(gateway, refused, "REFUSED")
        again = (3, 2 * owed_minor + refused[0].amount_minor)
        for by in By:
            books = gateway.plan.books(by)
            assert total(book.instructed for book in books) == (instructed.count, instructed.minor)
            assert total(book.reissued for book in books) == again
            assert total(book.states.get("credited", Sum()) for book in books) == (
                instructed.count,
                instructed.minor,
            )
            assert total(book.states.get("failed", Sum()) for book in books) == (2, 2 * owed_minor)
            assert all(book.adds_up for book in books)


def charged(ground: Ground) -> None:
    """A bank that takes a fee line for each payment of a file with one programme and two periods."""
    ground.bank(RURAL, "fee-lines")
    other = payments_of(RURAL, 1, prefix="G", start=9, period="2026-T1")
    with ground.open() as gateway:
        ground.submit(gateway, [*payments_of(RURAL, 2, prefix="F"), *other], "CHARGED")
        ground.run_to_the_end(gateway)


def test_a_charge_on_a_whole_file_stands_under_what_its_payments_share(
    ground: Ground, bankgate: Commands
) -> None:
    charged(ground)
    with ground.open() as gateway:
        found = list(gateway.findings())
        minor = sum(one.amount_minor for one in found)
        assert [one.payment_id for one in found] == [""] * len(found) != []
        (programme,) = gateway.plan.books(By.PROGRAMME)
        assert (programme.key, programme.findings.minor) == ("学前教育政府助学金", minor)
        first, second, file = gateway.plan.books(By.PERIOD)
        assert [(one.key, one.findings.count) for one in (first, second)] == [("2026-T1", 0), ("2026-T2", 0)]
        (name,) = {one.name for one in gateway.files()}
        assert (file.extent, file.key) == (Extent.FILE, f"{RURAL}/{name}")
        assert (file.findings.minor, file.handed_over) == (minor, Sum())
    told = bankgate("reconcile", "--by", "period")
    assert f"the whole file {RURAL}/{name} (several periods)\n  charged: {len(found)} / " in told.out


def test_what_was_closed_before_sums_were_told_apart_stays_closed(ground: Ground) -> None:
    """The digests are what the ledger of before signed: neither reissues nor files of charges are in them."""
    with ground.open() as gateway:
        sent = failed(ground, gateway)
        made = gateway.plan.reissue([correction()], "AGAIN")
        gateway.submit(made.batch, made.payments)
    charged(ground)
    with ground.open() as gateway, gateway.installation.ledger.read() as transaction:
        found = {
            name: sums_digest(transaction, gateway._batch(name))
            for name in (sent.batch_id, "AGAIN", "CHARGED")
        }
    assert found == {
        "B-0001": "185b0b876f56514a2be5addfdc03adabf76fe60c12515114a348932328e62af8",
        "AGAIN": "55512cfa9ed61ef1e3c8f4f950bdf668cc45dbda8e5d8f36f9d57cea10c61928",
        "CHARGED": "16ba09cff0f3e6d46dd1091f62284ec96cde43084551099b7a2fe963e5330f6d",
    }
