"""Each sum of money is in one place of a report, however often it was handed over: in count and in fen."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from formats import Payment, Reason, Status
from gateway import Gateway
from gateway.ledger.books import BookRow
from gateway.ledger.reissues import ChainPayment
from gateway.reports.contents import Contents, batch_contents, month_contents
from gateway.reports.wording import KINDS_OF_STATES, Words
from gateway.rules.books import Sum
from gateway.rules.fates import UNDER_WAY, Fates, fates
from gateway.rules.reissue import Reissue
from tests.gateway.sites import CITY, Ground
from tests.gateway.test_doubts import about, decide, rest, short
from tests.gateway.test_settle import Sent, result, row
from tests.rules.test_reissue import correction

_REFUSED = ("set_aside", Status.SET_ASIDE, Reason.REISSUE_REFUSED)
_DEAD = (
    ("failed", Status.FAILED, Reason.ACCOUNT_CLOSED),
    ("returned", Status.RETURNED, Reason.RETURNED),
    ("set_aside", Status.SET_ASIDE, Reason.NO_CARD),
    ("withdrawn", Status.WITHDRAWN, Reason.WITHDRAWN),
    ("discrepant", Status.DISCREPANT, Reason.PAID_SHORT),
    _REFUSED,
)
_ALIVE = (
    ("accepted", None, Reason.NONE),
    ("held", None, Reason.NONE),
    ("dispatched", None, Reason.NONE),
    ("unknown", Status.UNKNOWN, Reason.NONE),
    ("discrepant", Status.DISCREPANT, Reason.AMOUNT_DIFFERS),
    ("credited", Status.CREDITED, Reason.NONE),
)


@st.composite
def chains(draw: st.DrawFn) -> list[ChainPayment]:
    """One chain: any dead members, at most one alive; each is to pay what was short before it."""
    dead = draw(st.lists(st.sampled_from(_DEAD), max_size=4).filter(lambda found: found[:1] != [_REFUSED]))
    ends = draw(st.lists(st.sampled_from(_ALIVE), min_size=0 if dead else 1, max_size=1))
    members = [*((one, False) for one in dead), *((one, True) for one in ends)]
    refused = draw(st.booleans())
    if refused:
        members.append((_REFUSED, False))
    missing_minor, found = 10_000, []
    for at, ((state, status, reason), alive) in enumerate(members):
        kept = draw(st.integers(1, missing_minor - 1)) if state == "discrepant" else 0
        found.append(
            ChainPayment(
                payment_pk=at,
                ours=draw(st.booleans()),
                amount_minor=missing_minor,
                state=state,
                status=status,
                reason=reason,
                kept_minor=missing_minor if state == "credited" else kept,
                alive=alive,
            )
        )
        missing_minor -= kept
        if missing_minor < 2:
            break
    return found


def book_row(one: ChainPayment, at: int) -> BookRow:
    sides = dict.fromkeys(
        ("source_platform", "batch_id", "bank", "department", "programme", "period", "account_kind", "day"),
        "",
    )
    return BookRow(
        **sides,
        state=one.state,
        at_the_bank=0,
        reissued=int(at > 0),
        several_programmes=0,
        several_periods=0,
        count=1,
        instructed_minor=one.amount_minor,
        credited_minor=one.kept_minor,
        returned_minor=0,
        oldest="",
    )


def total(money: Fates) -> Sum:
    found = Sum()
    for each in (money.arrived, money.under_way, money.open, money.unpaid, money.withdrawn):
        found.add(each.count, each.minor)
    return found


def to_be_paid(money: Fates) -> Sum:
    return Sum(
        count=money.instructed.count + money.earlier.count,
        minor=money.instructed.minor + money.earlier.minor,
    )


@given(st.lists(chains(), max_size=4))
def test_what_is_to_be_paid_is_in_one_place_each(found: list[list[ChainPayment]]) -> None:
    rows = [book_row(one, at) for chain in found for at, one in enumerate(chain) if one.ours]
    money = fates(rows, found)
    assert total(money) == to_be_paid(money)
    assert all(each.count >= 0 and each.minor >= 0 for each in money.states.values())


@given(chains())
def test_what_no_payee_has_is_never_called_arrived(chain: list[ChainPayment]) -> None:
    """Whatever the report looks at: arrived is at most what the banks credited."""
    rows = [book_row(one, at) for at, one in enumerate(chain) if one.ours]
    money = fates(rows, [chain])
    assert money.arrived.count <= len([one for one in chain if one.state == "credited"])
    assert money.arrived.minor == _kept_minor(one for one in chain if one.ours) + money.outside.minor
    if chain[0].ours:
        assert money.instructed == Sum(count=1, minor=chain[0].amount_minor)
        assert money.arrived.minor == _kept_minor(chain)


def _kept_minor(payments: Iterable[ChainPayment]) -> int:
    """What was credited for good."""
    return sum(
        one.kept_minor for one in payments if one.state == "credited" or one.reason is Reason.PAID_SHORT
    )


def reissue(gateway: Gateway, batch_id: str, *numbers: int) -> Reissue:
    made = gateway.plan.reissue([correction(f"P-{number:05d}") for number in numbers], batch_id)
    assert made.refused == []
    return made


def sign(ground: Ground, gateway: Gateway, batch_id: str, *numbers: int) -> list[Payment]:
    made = reissue(gateway, batch_id, *numbers)
    ground.submit(gateway, made.payments, batch_id)
    return made.payments


def told_of(gateway: Gateway) -> dict[str, Contents]:
    """The reports of every batch, and of the month as "month"."""
    found = {
        status.batch_id: batch_contents(gateway.installation, gateway._batch(status.batch_id))
        for status in gateway.status()
    }
    return found | {"month": month_contents(gateway.installation, 2026, 9)}


def test_reports_add_up_with_reissues_in_every_state(ground: Ground) -> None:
    """Money that waits, has left, is unknown, failed again, came short or arrived is called just that."""
    with ground.open() as gateway:
        sent = Sent(ground, gateway, count=7)
        sent.say(result(sent.name, [*sent.all("F44")[:6], sent.all()[6]]))
        assert told_of(gateway)["month"].fates.unpaid.count == 6
        again = sign(ground, gateway, "ANSWERED", 1, 2, 3, 4)
        gateway.run()
        file = gateway.files()[-1]
        answers = [
            row(1, again[0]),
            row(2, again[1], "F44"),
            row(3, again[2], "Z9"),
            row(4, again[3], "S", 5),
        ]
        ground.post(CITY, f"{file.name[:-4]}_R1.bxt", result(file.name, answers))
        ground.take(gateway)
        sign(ground, gateway, "SENT", 5)
        gateway.run()
        # Nobody signed or released this one.
        made = reissue(gateway, "WAITING", 6)
        gateway.submit(made.batch, made.payments)
        reports = told_of(gateway)
    for contents in reports.values():
        money = contents.fates
        assert total(money) == to_be_paid(money)
        lines = [line for line in contents.reasons if line.status in ("failed", "returned", "set_aside")]
        assert sum(line.remaining_count for line in lines) == money.unpaid.count
    minor = [one.amount_minor for one in sent.payments]
    month = reports["month"].fates
    assert month.instructed == Sum(count=7, minor=sum(minor))
    assert month.arrived == Sum(count=2, minor=minor[0] + minor[6])
    assert month.again == Sum(count=1, minor=minor[0])
    assert month.unpaid == Sum(count=1, minor=minor[1])
    assert month.under_way == Sum(count=4, minor=sum(minor[2:6]))
    first = reports[sent.batch_id].fates
    assert (first.arrived, first.under_way, first.unpaid) == (month.arrived, month.under_way, month.unpaid)
    assert first.outside == Sum(count=1, minor=minor[0])
    waiting = reports["WAITING"].fates
    assert (waiting.instructed, waiting.earlier) == (Sum(), Sum(count=1, minor=minor[5]))
    assert (waiting.arrived, waiting.under_way) == (Sum(), Sum(count=1, minor=minor[5]))


def test_money_under_way_has_a_colour_of_its_own() -> None:
    assert KINDS_OF_STATES[Words.UNDER_WAY][1] == (UNDER_WAY,)


def test_what_was_paid_short_for_good_has_arrived_by_what_was_credited(ground: Ground) -> None:
    """6,000 fen of 10,000 were credited: the rest is unpaid, then under way, and never arrived twice."""
    with ground.open() as gateway:
        sent = Sent(ground, gateway)
        first = short(sent)
        doubted = told_of(gateway)["month"]
        decide(sent, about(first), "discrepant")
        closed = told_of(gateway)["month"].fates
        assert rest(sent, 4000) is None
        reports = told_of(gateway)
    others = Sum(count=2, minor=sum(one.amount_minor for one in sent.payments[1:]))
    assert doubted.fates.arrived == others
    assert (doubted.fates.open, doubted.part_of_open_minor) == (Sum(count=1, minor=10000), 6000)
    assert closed.arrived == Sum(count=2, minor=others.minor + 6000)
    assert (closed.open, closed.unpaid) == (Sum(), Sum(count=1, minor=4000))
    month = reports["month"].fates
    assert (month.arrived, month.under_way) == (closed.arrived, Sum(count=1, minor=4000))
    for contents in reports.values():
        assert total(contents.fates) == to_be_paid(contents.fates)
