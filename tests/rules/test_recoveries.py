"""Recovery: what was wrongly paid is asked back by two persons, comes back in parts, changes no outcome."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from msgspec import Struct

from formats import Payment
from gateway import DecisionRefused, Gateway, NotPermitted
from gateway.demonstration.site import Site
from gateway.ledger.recoveries import Ending
from gateway.money import yuan
from gateway.persons.deciding import Decided
from gateway.persons.decisions import Statement
from gateway.rules.books import By
from gateway.rules.recoveries import Recovery
from tests.gateway.commands import Commands
from tests.gateway.sites import PERSONS, RURAL, Ground, current, payments_of
from tests.gateway.test_query_plans import asked, scans
from tests.gateway.test_settle import Sent, result, row

A, B = PERSONS
_PAYMENTS = 20


class Paid(Struct, frozen=True):
    """A file of which everything was credited, and the payments that no test has used yet."""

    ground: Ground
    gateway: Gateway
    sent: Sent
    unused: list[Payment]


def pay(ground: Ground, gateway: Gateway, count: int = _PAYMENTS) -> Paid:
    sent = Sent(ground, gateway, count)
    sent.say(result(sent.name, sent.all()))
    return Paid(ground, gateway, sent, list(sent.payments))


class Desk:
    """Persons who sign about one payment that was credited."""

    def __init__(self, paid: Paid) -> None:
        self.ground, self.gateway, self.sent = paid.ground, paid.gateway, paid.sent
        self.payment = paid.unused.pop(0)
        self.amount = self.payment.amount_minor
        self.about = f"recovery:yikatong/{self.payment.payment_id}"

    def paper(self, words: str) -> str:
        path = self.ground.site.folder / "paper.txt"
        path.write_text(words, "utf-8")
        return self.gateway.attach(path)

    def statement(
        self, decision: str, person: str, paper: str, minor: int | None = None, ground: str = ""
    ) -> Statement:
        exhibit = self.paper(paper)
        return self.gateway.statement(
            self.about, decision, person, exhibit=exhibit, amount_minor=minor, ground=ground
        )

    def sign(
        self, decision: str, person: str, paper: str, minor: int | None = None, ground: str = ""
    ) -> Decided:
        statement = self.statement(decision, person, paper, minor, ground)
        return self.gateway.sign(statement, self.ground.signature(statement))

    def recover(self, minor: int, ground: str = "too-much", paper: str = "the list was wrong") -> None:
        assert [self.sign("recover", one, paper, minor, ground).carried_out for one in PERSONS] == [
            False,
            True,
        ]

    def recovered(self, minor: int, voucher: str, person: str = A) -> None:
        assert self.sign("recovered", person, voucher, minor).carried_out

    def ways(self) -> dict[str, int | None]:
        return {way.decision: way.most_minor for way in self.gateway.ways(self.about)}

    def found(self) -> list[Recovery]:
        told = self.gateway.plan.recoveries()
        return [one for one in told if one.payment_id == self.payment.payment_id]

    def only(self) -> Recovery:
        (found,) = self.found()
        return found

    def returned_by_the_bank(self) -> None:
        self.ground.decide(self.gateway, f"payment:yikatong/{self.payment.payment_id}", "returned", A, B)


@pytest.fixture(scope="module")
def paid(judged_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Paid]:
    ground = Ground(judged_site, tmp_path_factory.mktemp("paid") / "site")
    with ground.open() as gateway:
        yield pay(ground, gateway)


@pytest.fixture
def desk(paid: Paid) -> Desk:
    """One payment of a gateway that the tests of this page share."""
    return Desk(paid)


@pytest.fixture
def alone(ground: Ground) -> Iterator[Desk]:
    """One payment of a gateway of its own."""
    with ground.open() as gateway:
        yield Desk(pay(ground, gateway, 3))


def test_it_comes_back_in_parts_and_is_whole_with_the_last_one(desk: Desk) -> None:
    before = current(desk.gateway)
    assert desk.ways() == {"recover": desk.amount}
    desk.recover(900)
    assert desk.ways() == {"recovered": 900, "give-up": None}
    desk.ground.clock.turn(days=4)
    desk.recovered(400, "voucher 1")
    first = desk.only()
    assert (first.amount_minor, first.recovered_minor, first.outstanding_minor) == (900, 400, 500)
    assert (first.ending, first.days, first.marked_by, first.ground) == (
        Ending.OPEN,
        4,
        f"{A}, {B}",
        "too-much",
    )
    (part,) = first.receipts
    assert (part.voucher_sha256, part.noted_by) == (desk.paper("voucher 1"), A)
    assert part.noted_at - first.marked_at >= timedelta(days=4)
    desk.recovered(500, "voucher 2", B)
    last = desk.only()
    assert (last.ending, last.outstanding_minor, last.closed_by) == (Ending.WHOLE, 0, B)
    assert [part.amount_minor for part in last.receipts] == [400, 500]
    assert desk.payment.payment_id not in [
        one.payment_id for one in desk.gateway.plan.recoveries(only_open=True)
    ]
    # Nothing of it is an outcome, and what was paid by mistake is not owed again.
    assert current(desk.gateway) == before
    assert desk.gateway.trace(desk.payment.payment_id).state == "credited"


def test_never_more_is_asked_than_is_kept(desk: Desk) -> None:
    for minor in (desk.amount + 1, 0, -1):
        with pytest.raises(NotPermitted, match=r"recover' amount: found .*, wanted 0.01 to "):
            desk.statement("recover", A, "letter", minor, "too-much")
    desk.recover(desk.amount - 1)
    desk.recovered(300, "voucher 1")
    for person in PERSONS:
        desk.sign("give-up", person, "he has nothing")
    given_up = desk.only()
    assert (given_up.ending, given_up.outstanding_minor, given_up.recovered_minor) == (
        Ending.GIVEN_UP,
        0,
        300,
    )
    # What came back is with nobody any more; the rest may be asked for once more.
    assert desk.ways() == {"recover": desk.amount - 300, "strike": None}
    desk.recover(desk.amount - 300)
    desk.recovered(desk.amount - 300, "voucher 2")
    assert desk.ways() == {"strike": None}


def test_what_the_bank_gave_back_is_not_asked_from_the_payee(desk: Desk) -> None:
    desk.returned_by_the_bank()
    assert desk.ways() == {}
    with pytest.raises(NotPermitted):
        desk.statement("recover", A, "letter", 1, "too-much")


def test_a_return_by_the_bank_beside_a_recovery_is_pointed_out(alone: Desk, bankgate: Commands) -> None:
    alone.recover(900)
    alone.recovered(200, "voucher 1")
    assert alone.only().excess_minor == 0
    alone.returned_by_the_bank()
    assert alone.only().excess_minor == 900
    told = bankgate("recoveries")
    assert (told.code, "9.00 yuan more" in told.out) == (1, True)


@pytest.mark.parametrize(
    ("minor", "named", "message"),
    [
        (None, "too-much", "says how much"),
        (100, "", "ground: found ''"),
        (100, "because", "ground: found 'because', wanted wrong-person, too-much"),
    ],
)
def test_amount_and_ground_are_said(desk: Desk, minor: int | None, named: str, message: str) -> None:
    with pytest.raises(NotPermitted, match=message):
        desk.statement("recover", A, "letter", minor, named)


def test_it_rests_on_an_exhibit_and_other_decisions_have_no_terms(desk: Desk) -> None:
    with pytest.raises(NotPermitted, match="rests on a letter or a voucher"):
        desk.gateway.statement(desk.about, "recover", A, amount_minor=100, ground="too-much")
    books = f"books:yikatong/{desk.sent.batch_id}"
    with pytest.raises(NotPermitted, match="takes no amount"):
        desk.gateway.statement(books, "close-books", A, amount_minor=100)
    with pytest.raises(NotPermitted, match="wanted none"):
        desk.gateway.statement(books, "close-books", A, ground="too-much")


def test_two_persons_sign_the_same_amount_and_ground(alone: Desk, bankgate: Commands) -> None:
    alone.sign("recover", A, "letter", 900, "too-much")
    other = alone.sign("recover", B, "letter", 800, "too-much")
    assert (other.carried_out, [terms.amount_minor for terms in other.other_terms]) == (False, [900])
    assert alone.found() == []
    told = bankgate("held")
    assert "9.00 yuan too-much" in told.out
    assert alone.sign("recover", B, "letter", 900, "too-much").carried_out
    assert alone.only().amount_minor == 900


def test_one_person_twice_is_one_person(desk: Desk) -> None:
    desk.sign("recover", A, "letter", 900, "too-much")
    with pytest.raises(DecisionRefused):
        desk.sign("recover", A, "letter", 900, "too-much")
    assert desk.found() == []


def test_a_signature_fits_no_other_amount(desk: Desk) -> None:
    statement = desk.statement("recover", A, "letter", 900, "too-much")
    more = desk.statement("recover", A, "letter", 901, "too-much")
    with pytest.raises(DecisionRefused):
        desk.gateway.sign(more, desk.ground.signature(statement))


def test_terms_that_are_none_are_refused(desk: Desk) -> None:
    good = desk.statement("recover", A, "letter", 900, "too-much")
    about = good.about | {"terms": {"amount_minor": "900", "ground": "too-much"}}
    bad = Statement(object=good.object, decision=good.decision, person=A, at=good.at, about=about)
    with pytest.raises(DecisionRefused, match="terms"):
        desk.gateway.sign(bad, desk.ground.signature(bad))


def test_who_signed_before_something_came_signs_anew(desk: Desk) -> None:
    desk.recover(900)
    late = desk.statement("recovered", B, "voucher 2", 900)
    desk.recovered(400, "voucher 1")
    with pytest.raises((DecisionRefused, NotPermitted)):
        desk.gateway.sign(late, desk.ground.signature(late))
    assert desk.only().recovered_minor == 400


def test_a_voucher_counts_once(desk: Desk) -> None:
    desk.recover(900)
    desk.recovered(400, "voucher 1")
    with pytest.raises(NotPermitted, match="on this voucher already"):
        desk.sign("recovered", B, "voucher 1", 400)
    assert desk.only().recovered_minor == 400


def test_no_more_is_noted_than_is_outstanding(desk: Desk) -> None:
    desk.recover(900)
    with pytest.raises(NotPermitted, match=r"wanted 0.01 to 9\.00"):
        desk.statement("recovered", A, "voucher 1", 901)


def test_a_part_noted_by_mistake_is_struck_by_two_and_opens_it_again(desk: Desk) -> None:
    desk.recover(900)
    desk.recovered(900, "voucher 1")
    with pytest.raises(NotPermitted, match="does not rest on"):
        desk.statement("strike", A, "another paper")
    assert [desk.sign("strike", one, "voucher 1").carried_out for one in PERSONS] == [False, True]
    again = desk.only()
    assert (again.ending, again.outstanding_minor, again.recovered_minor) == (Ending.OPEN, 900, 0)
    assert [part.struck_by for part in again.receipts] == [f"{A}, {B}"]
    assert desk.ways() == {"recovered": 900, "give-up": None}
    desk.recovered(90, "voucher 1")
    assert desk.only().recovered_minor == 90


def test_nothing_is_asked_of_what_was_not_paid(ground: Ground) -> None:
    with ground.open() as gateway:
        sent = Sent(ground, gateway)
        assert gateway.ways("recovery:yikatong/P-00001") == []
        sent.say(result(sent.name, [row(1, sent.payments[0], "F44"), *sent.all()[1:]]))
        assert gateway.ways("recovery:yikatong/P-00001") == []


def test_reconciliations_show_it_beside_what_banks_say(alone: Desk, bankgate: Commands) -> None:
    batch = alone.sent.batch_id
    alone.ground.decide(alone.gateway, f"books:yikatong/{batch}", "close-books", A)
    assert bankgate("reconcile", batch).code == 0
    alone.recover(900)
    alone.recovered(400, "voucher 1")
    total = sum(one.amount_minor for one in alone.sent.payments)
    for by in By:
        (book,) = [book for book in alone.gateway.plan.books(by) if book.recovered_minor]
        assert (book.recovered_minor, book.to_recover.count, book.to_recover.minor) == (400, 1, 500)
        assert (book.credited_minor, book.kept_minor, book.adds_up) == (total, total, True)
    # It is a new fact.
    assert alone.gateway.plan.closed(batch).reopened
    told = bankgate("reconcile", batch)
    assert (told.code, "to be recovered: 1 / 5.00" in told.out, "recovered (yuan): 4.00" in told.out) == (
        1,
        True,
        True,
    )
    alone.recovered(500, "voucher 2")
    assert bankgate("reconcile", batch).code == 0


def test_trace_and_reports_tell_of_it(alone: Desk, bankgate: Commands, tmp_path: Path) -> None:
    alone.recover(900, "wrong-person")
    alone.recovered(400, "voucher 1")
    told = bankgate("trace", "P-00001").out
    assert f"9.00 yuan asked back (paid to the wrong person) by {A}, {B}" in told
    assert f"4.00 yuan came back, noted by {A}" in told
    assert "5.00 yuan outstanding" in told
    assert "recovery" not in bankgate("trace", "P-00002").out
    alone.gateway.plan.report(tmp_path / "report.html", batch_id=alone.sent.batch_id)
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "错发资金追回" in page
    assert "付错人" in page
    assert ">5.00</td>" in page
    assert "P-00001" not in page
    alone.gateway.plan.report(tmp_path / "report.xlsx", batch_id=alone.sent.batch_id)


def test_the_commands_do_all_of_it(alone: Desk, bankgate: Commands, tmp_path: Path) -> None:
    letter, voucher = tmp_path / "letter.txt", tmp_path / "voucher.txt"
    letter.write_text("the list was wrong", "utf-8")
    voucher.write_text("transfer 17", "utf-8")
    keys = {person: ("--as", person, "--key", alone.ground.person_key(person)) for person in PERSONS}
    terms = ("--amount", "9.00", "--ground", "not-entitled", "--evidence", letter)
    assert bankgate("recover", "P-00001", *terms, *keys[A]).code == 1
    assert bankgate("recover", "P-00001", *terms, *keys[B]).code == 0
    bad = bankgate("recovered", "P-00001", "--amount", "4,00", "--evidence", voucher, *keys[A])
    assert (bad.code, "wanted yuan with two decimals" in bad.err) == (2, True)
    note = ("--amount", "4.00", "--evidence", voucher, *keys[A])
    assert bankgate("recovered", "P-00001", "--platform", "yikatong", *note).code == 0
    told = bankgate("recoveries", alone.sent.batch_id, "--open")
    assert (told.code, "1 open, 5.00 yuan outstanding" in told.out) == (1, True)
    assert bankgate("recoveries", "--output", tmp_path / "list.csv").code == 1
    assert "P-00001" in (tmp_path / "list.csv").read_text("utf-8-sig")
    give_up = ("give-up", alone.about, "--evidence", letter)
    assert [bankgate("held", *give_up, *keys[one]).code for one in PERSONS] == [1, 0]
    assert bankgate("recoveries", "--json").code == 0


def test_what_is_open_keeps_personal_data(alone: Desk) -> None:
    alone.recover(900)
    alone.ground.clock.turn(days=4000)
    report = alone.gateway.retain(dry_run=True)
    assert ["payments that are being recovered: 1"] in [one.reasons for one in report.paused]
    alone.recovered(900, "voucher 1")
    assert alone.gateway.retain(dry_run=True).paused == []


def test_papers_of_an_open_recovery_stay_when_its_batch_is_gone(alone: Desk) -> None:
    alone.ground.clock.turn(days=4000)
    alone.gateway.retain()
    alone.recover(900, paper="found late")
    alone.recovered(400, "voucher 1")
    alone.ground.clock.turn(days=4000)
    paused = {one.object: one.reasons for one in alone.gateway.retain(dry_run=True).paused}
    for name in (alone.only().exhibit_sha256, alone.only().receipts[0].voucher_sha256):
        assert paused[f"exhibit:{name}"] == ["what it shows is open"]


def test_the_right_person_is_paid_by_a_payment_of_its_own(desk: Desk) -> None:
    """A credited payment is not reissued, however much of it came back: the new one waits as a repeat."""
    desk.recover(desk.amount)
    desk.recovered(desk.amount, "voucher 1")
    again = msgspec.structs.replace(desk.payment, payment_id="N-00001")
    desk.ground.submit(desk.gateway, [again], "NEW")
    assert desk.gateway.trace("N-00001").state == "held"
    (item,) = [item for item in desk.gateway.held() if item.object == "payment:yikatong/N-00001"]
    assert desk.payment.payment_id in item.message
    assert f"recovered {yuan(desk.amount)}" in item.message


def test_no_query_looks_at_every_payment(desk: Desk) -> None:
    desk.ground.submit(desk.gateway, payments_of(RURAL, 2, prefix="W", start=40), "WAITS")
    with asked(desk.gateway) as statements:
        desk.recover(900)
        desk.recovered(400, "voucher 1")
        for person in PERSONS:
            desk.sign("strike", person, "voucher 1")
        desk.gateway.held()
        desk.gateway.trace(desk.payment.payment_id)
        desk.gateway.plan.recoveries(desk.sent.batch_id)
    assert scans(desk.ground, statements) == []
