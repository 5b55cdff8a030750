"""Doubts that a bank's files do not end: two persons end them on the bank's word, and nothing is hidden."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from formats import Payment
from gateway import ExitCode, InputRefused, NotPermitted
from gateway.audit.verify import verify
from tests.gateway.commands import Commands
from tests.gateway.sites import CITY, PERSONS, Ground, credited, current, payments_of, states
from tests.gateway.test_settle import Sent, acknowledgement, result, row

A, B = PERSONS
BOTH = [False, True]
UNPAID = ("failed", "CONFIRMED_UNPAID", None)


@pytest.fixture
def sent(ground: Ground) -> Iterator[Sent]:
    with ground.open() as gateway:
        yield Sent(ground, gateway)


def about(payment: Payment) -> str:
    return f"payment:yikatong/{payment.payment_id}"


def file_of(sent: Sent) -> str:
    return f"file:{CITY}/{sent.name}"


def decide(sent: Sent, name: str, decision: str, *persons: str) -> list[bool]:
    return sent.ground.decide(sent.gateway, name, decision, *(persons or PERSONS))


def ways(sent: Sent, name: str) -> list[str]:
    return [way.decision for way in sent.gateway.ways(name)]


def waiting(sent: Sent) -> list[str]:
    return [item.object for item in sent.gateway.held()]


def uncertain(sent: Sent) -> None:
    """As after a process that died while the file was being released."""
    with sent.gateway.installation.ledger.write() as transaction:
        transaction.run("UPDATE file SET state = 'uncertain', attention = 'its data cannot be found'")


# Payments.


@pytest.mark.parametrize(
    ("decision", "outcome"),
    [
        ("credited", ("credited", "", 10000)),
        ("failed", UNPAID),
        ("returned", ("returned", "RETURNED", 10000)),
    ],
)
def test_two_persons_resolve_an_unknown_payment(
    sent: Sent, decision: str, outcome: tuple[str, str, int | None]
) -> None:
    first = sent.payments[0]
    sent.say(result(sent.name, [row(1, first, "U"), *sent.all()[1:]]))
    assert states(sent.gateway) == ["sent"]
    assert waiting(sent) == [about(first)]
    assert decide(sent, about(first), decision) == BOTH
    assert current(sent.gateway)["P-00001"] == outcome
    assert (states(sent.gateway), waiting(sent)) == (["settled"], [])
    sent.ground.check_sound(sent.gateway)


def test_a_resolution_rests_on_what_the_bank_wrote(sent: Sent) -> None:
    sent.say(result(sent.name, [row(1, sent.payments[0], "U"), *sent.all()[1:]]))
    with pytest.raises(NotPermitted, match="rests on a letter or a voucher"):
        sent.gateway.statement(about(sent.payments[0]), "failed", A)
    with pytest.raises(InputRefused, match="no exhibit with this digest is kept"):
        sent.gateway.statement(about(sent.payments[0]), "failed", A, exhibit="0" * 64)


def test_two_letters_are_two_decisions(sent: Sent, tmp_path: Path) -> None:
    sent.say(result(sent.name, [row(1, sent.payments[0], "U"), *sent.all()[1:]]))
    digests = []
    for person in PERSONS:
        letter = tmp_path / f"{person}.txt"
        letter.write_text(person)
        digests.append(sent.gateway.attach(letter))
        statement = sent.gateway.statement(about(sent.payments[0]), "failed", person, exhibit=digests[-1])
        assert sent.gateway.decide(statement, sent.ground.signature(statement)) is False
    way = next(way for way in sent.gateway.ways(about(sent.payments[0])) if way.decision == "failed")
    assert (sorted(way.persons), way.exhibits) == (sorted(PERSONS), sorted(digests))
    # The second one reads the first one's letter and signs the same.
    statement = sent.gateway.statement(about(sent.payments[0]), "failed", B, exhibit=digests[0])
    assert sent.gateway.decide(statement, sent.ground.signature(statement)) is True


def test_a_payment_resolved_as_failed_is_paid_again_in_full(sent: Sent) -> None:
    first = sent.payments[0]
    sent.say(result(sent.name, [row(1, first, "U"), *sent.all()[1:]]))
    decide(sent, about(first), "failed")
    again = payments_of(CITY, 1, prefix="Q", amount_minor=first.amount_minor, reissue_of="P-00001")
    sent.ground.submit(sent.gateway, again)
    sent.gateway.run()
    assert states(sent.gateway) == ["settled", "sent"]


def test_a_payment_that_is_not_answered_is_resolved(sent: Sent) -> None:
    sent.say(result(sent.name, sent.all()[1:]))
    assert ways(sent, about(sent.payments[0])) == ["credited", "failed", "returned"]
    assert decide(sent, about(sent.payments[0]), "failed") == BOTH
    assert states(sent.gateway) == ["settled"]


def test_a_payment_whose_money_came_back_before_any_answer_is_paid_again(sent: Sent) -> None:
    """The bank writes that it credited it and that all came back; its file comes later, and says the same."""
    first = sent.payments[0]
    sent.say(result(sent.name, sent.all()[1:]))
    assert decide(sent, about(first), "returned") == BOTH
    assert current(sent.gateway)["P-00001"] == ("returned", "RETURNED", 10000)
    again = payments_of(CITY, 1, prefix="Q", amount_minor=first.amount_minor, reissue_of="P-00001")
    sent.ground.submit(sent.gateway, again)
    # What it did first, told late: nobody is called paid by it who was not, and persons see it.
    sent.say(result(sent.name, sent.all()))
    assert current(sent.gateway)["P-00001"] == ("unknown", "CONTRADICTED", 10000)
    assert about(first) in waiting(sent)
    assert "sent" not in states(sent.gateway)
    sent.ground.check_sound(sent.gateway)


def test_a_discrepant_payment_ends_by_the_exact_amount_or_a_full_return(sent: Sent) -> None:
    short, over, well = sent.payments
    sent.say(result(sent.name, [row(1, short, "S", 9000), row(2, over, "S", 10201), row(3, well)]))
    assert ways(sent, about(short)) == ["credited", "returned", "discrepant"]
    assert ways(sent, about(over)) == ["credited", "returned"]
    decide(sent, about(short), "credited")
    decide(sent, about(over), "returned")
    assert current(sent.gateway)["P-00001"] == ("credited", "", 10000)
    assert current(sent.gateway)["P-00002"] == ("returned", "RETURNED", 10201)


def test_a_discrepant_payment_of_which_nothing_was_credited_may_be_called_a_failure(sent: Sent) -> None:
    """A bank that fails a payment and echoes the account's own name is discrepant, and credited nothing."""
    first = sent.payments[0]
    sent.say(result(sent.name, [row(1, first, "S", 9000), *sent.all()[1:]]))
    assert "failed" not in ways(sent, about(first))
    with sent.gateway.installation.ledger.write() as transaction:
        transaction.run("UPDATE outcome SET credited_minor = NULL WHERE status = 'discrepant'")
    assert decide(sent, about(first), "failed") == BOTH


def test_a_contradiction_ends_by_persons(sent: Sent) -> None:
    first = sent.payments[0]
    sent.say(result(sent.name, sent.all()))
    sent.say(result(sent.name, [row(1, first, "F44")]), number=2)
    assert current(sent.gateway)["P-00001"][:2] == ("unknown", "CONTRADICTED")
    decide(sent, about(first), "credited")
    assert current(sent.gateway)["P-00001"] == ("credited", "", 10000)


def test_what_the_bank_said_before_a_decision_is_no_news_after_it(sent: Sent) -> None:
    """A cumulative result repeats its old rows."""
    first, second, _ = sent.payments
    rows = [row(1, first, "S", 9000), row(2, second, "U"), sent.all()[2]]
    sent.say(result(sent.name, rows))
    decide(sent, about(first), "credited")
    decide(sent, about(second), "failed")
    sent.say(result(sent.name, rows, fee="0.10元"), number=2)
    assert current(sent.gateway)["P-00001"] == ("credited", "", 10000)
    assert current(sent.gateway)["P-00002"] == UNPAID
    assert (states(sent.gateway), waiting(sent)) == (["settled"], [])


def test_another_word_after_a_decision_is_shown_again(sent: Sent) -> None:
    first, second, _ = sent.payments
    sent.say(result(sent.name, [row(1, first, "U"), row(2, second, "U"), sent.all()[2]]))
    decide(sent, about(first), "credited")
    decide(sent, about(second), "failed")
    sent.say(result(sent.name, [row(1, first, "F44"), row(2, second)]), number=2)
    assert current(sent.gateway)["P-00001"][:2] == ("unknown", "CONTRADICTED")
    assert current(sent.gateway)["P-00002"] == ("credited", "", 10101)
    assert waiting(sent) == [about(first)]


def test_a_bank_that_paid_what_two_persons_called_failed(sent: Sent) -> None:
    """The successor has left: it cannot be stopped, so an alarm stands until two persons close it."""
    first = sent.payments[0]
    sent.say(result(sent.name, [row(1, first, "U"), *sent.all()[1:]]))
    decide(sent, about(first), "failed")
    sent.ground.submit(
        sent.gateway,
        payments_of(CITY, 1, prefix="Q", amount_minor=first.amount_minor, reissue_of="P-00001"),
    )
    sent.gateway.run()
    sent.say(result(sent.name, sent.all()[:1]), number=2)
    assert waiting(sent) == ["oddity:1"]
    assert "Q-00001" in sent.gateway.held()[0].message
    assert decide(sent, "oddity:1", "close", A) == [False]
    assert decide(sent, "oddity:1", "close", B) == [True]


def test_a_payment_in_an_uncertain_file_waits_for_the_files_own_word(sent: Sent) -> None:
    uncertain(sent)
    assert ways(sent, about(sent.payments[0])) == []
    assert ways(sent, file_of(sent)) == ["arrived", "not-received"]


# Paid too little, for good.


def short(sent: Sent, credited_minor: int = 6000) -> Payment:
    """A payment of which the bank credited less, and says that it stays so."""
    first = sent.payments[0]
    sent.say(result(sent.name, [row(1, first, "S", credited_minor), *sent.all()[1:]]))
    assert current(sent.gateway)["P-00001"] == ("discrepant", "AMOUNT_DIFFERS", credited_minor)
    return first


def rest(sent: Sent, amount_minor: int, new_id: str = "Q-00001", of: str = "P-00001") -> str | None:
    """The status at once of a payment that would replace another; None where it goes its way."""
    prefix, number = new_id.split("-")
    new = payments_of(CITY, 1, prefix=prefix, start=int(number) - 1, amount_minor=amount_minor, reissue_of=of)
    sent.ground.submit(sent.gateway, new)
    told = current(sent.gateway).get(new_id)
    return None if told is None else told[0]


def answer(sent: Sent, file: int, code: str, payment: Payment, credited_minor: int | None = None) -> None:
    """The bank's result of a file with one payment."""
    name = sent.gateway.files()[file].name
    content = result(name, [row(1, payment, code, credited_minor)])
    sent.ground.post(CITY, f"{name[:-4]}_R1.bxt", content)
    sent.ground.take(sent.gateway)


def test_a_payment_that_stays_short_is_closed_and_its_rest_is_paid(sent: Sent) -> None:
    first = short(sent)
    assert "discrepant" in ways(sent, about(first))
    assert rest(sent, 4000) == "set_aside"
    with pytest.raises(NotPermitted, match="rests on a letter or a voucher"):
        sent.gateway.statement(about(first), "discrepant", A)
    assert decide(sent, about(first), "discrepant") == BOTH
    assert current(sent.gateway)["P-00001"] == ("discrepant", "PAID_SHORT", 6000)
    assert waiting(sent) == []
    # Not a fen more or less than what is missing, and once.
    assert [rest(sent, 4001, "Q-00002"), rest(sent, 10000, "Q-00003")] == ["set_aside", "set_aside"]
    assert rest(sent, 4000, "Q-00004") is None
    assert rest(sent, 4000, "Q-00005") == "set_aside"
    sent.gateway.run()
    assert sent.gateway.files()[-1].total_minor == 4000
    sent.ground.check_sound(sent.gateway)


def test_a_rest_that_stays_short_leaves_a_smaller_rest(sent: Sent) -> None:
    first = short(sent)
    decide(sent, about(first), "discrepant")
    assert rest(sent, 4000) is None
    sent.gateway.run()
    second = payments_of(CITY, 1, prefix="Q", amount_minor=4000)[0]
    answer(sent, 1, "S", second, 1500)
    assert decide(sent, "payment:yikatong/Q-00001", "discrepant") == BOTH
    assert rest(sent, 4000, "R-00002", "Q-00001") == "set_aside"
    assert rest(sent, 2500, "R-00003", "Q-00001") is None


def test_a_bank_that_makes_good_after_all_stops_the_rest(sent: Sent) -> None:
    first = short(sent)
    decide(sent, about(first), "discrepant")
    assert rest(sent, 4000) is None
    sent.say(result(sent.name, sent.all()[:1]), number=2)
    assert current(sent.gateway)["P-00001"][:2] == ("discrepant", "CONTRADICTED")
    assert current(sent.gateway)["Q-00001"] == ("set_aside", "REISSUE_REFUSED", None)
    assert waiting(sent) == [about(first)]


def test_it_stays_short_also_where_the_bank_said_otherwise_in_between(sent: Sent) -> None:
    first = short(sent)
    decide(sent, about(first), "discrepant")
    sent.say(result(sent.name, sent.all()[:1]), number=2)
    assert ways(sent, about(first)) == ["credited", "returned", "discrepant"]
    assert decide(sent, about(first), "discrepant") == BOTH
    assert current(sent.gateway)["P-00001"] == ("discrepant", "PAID_SHORT", 6000)
    assert waiting(sent) == []
    assert rest(sent, 4000) is None


def test_it_stays_short_also_where_the_bank_spoke_of_another_account_in_between(sent: Sent) -> None:
    """Of the amount that went elsewhere nobody says that the payee has it."""
    first = short(sent)
    decide(sent, about(first), "discrepant")
    other = payments_of(CITY, 1, prefix="X", start=70)[0]
    item, _, name, _, code = sent.all()[0]
    sent.say(result(sent.name, [(item, other.account, name, 7_777, code)]), number=2)
    (held,) = [one for one in waiting(sent) if one.startswith("received:")]
    assert decide(sent, held, "accept") == BOTH
    sent.gateway.run()
    assert current(sent.gateway)["P-00001"] == ("discrepant", "CREDITED_ELSEWHERE", 7_777)
    assert ways(sent, about(first)) == ["credited", "returned", "discrepant"]
    assert decide(sent, about(first), "discrepant") == BOTH
    assert current(sent.gateway)["P-00001"] == ("discrepant", "PAID_SHORT", 6000)
    assert rest(sent, 4000) is None


def test_a_rest_that_has_left_when_the_bank_makes_good_is_told(sent: Sent) -> None:
    first = short(sent)
    decide(sent, about(first), "discrepant")
    rest(sent, 4000)
    sent.gateway.run()
    sent.say(result(sent.name, sent.all()[:1]), number=2)
    assert waiting(sent) == ["oddity:1", about(first)]


def test_a_rest_that_has_become_smaller_does_not_leave_as_it_was(sent: Sent) -> None:
    """6,000 of 10,000, a rest of 4,000 that waits; then 7,000, which stays so: 4,000 would be too much."""
    first = short(sent)
    decide(sent, about(first), "discrepant")
    ground = sent.ground
    ground.decide(sent.gateway, f"bank:{CITY}", "hold", A)
    assert rest(sent, 4000) is None
    sent.say(result(sent.name, [row(1, first, "S", 7000)]), number=2)
    assert decide(sent, about(first), "discrepant") == BOTH
    ground.decide(sent.gateway, f"bank:{CITY}", "resume", *PERSONS)
    sent.gateway.run()
    assert current(sent.gateway)["Q-00001"] == ("set_aside", "REISSUE_REFUSED", None)
    assert rest(sent, 3000, "Q-00002", "Q-00001") is None
    sent.gateway.run()
    assert sent.gateway.files()[-1].total_minor == 3000
    ground.check_sound(sent.gateway)


def test_the_same_words_again_open_nothing(sent: Sent) -> None:
    first = short(sent)
    decide(sent, about(first), "discrepant")
    sent.say(result(sent.name, [row(1, first, "S", 6000)], fee="0.10元"), number=2)
    assert waiting(sent) == []


def test_a_reissue_stays_while_an_answer_about_the_first_is_held(sent: Sent) -> None:
    first = failed_first(sent)
    assert rest(sent, first.amount_minor) is None
    sent.say(result(sent.name, sent.all()[:1], more_minor=1), number=2)
    waits = sent.gateway.run().waiting
    assert [line for line in waits if "is not believed yet" in line] != []
    assert states(sent.gateway) == ["settled", "sealed"]
    (held,) = [name for name in waiting(sent) if name.startswith("received:")]
    assert sent.ground.decide(sent.gateway, held, "refuse", A) == [True]
    sent.gateway.run()
    assert states(sent.gateway) == ["settled", "sent"]


@pytest.mark.parametrize("credited_minor", [0, 12000])
def test_only_what_was_paid_short_stays_short(sent: Sent, credited_minor: int) -> None:
    first = sent.payments[0]
    sent.say(result(sent.name, [row(1, first, "S", credited_minor), *sent.all()[1:]]))
    assert "discrepant" not in ways(sent, about(first))


def test_what_was_paid_short_and_came_back_is_not_with_the_payee(sent: Sent) -> None:
    """6,000 of 10,000 were credited and given back: 4,000 would be missing in the books, and all is."""
    first = short(sent)
    back = result(sent.name, [row(1, first, "R", 6000)])
    sent.say(back, number=2)
    assert current(sent.gateway)["P-00001"] == ("discrepant", "AMOUNT_DIFFERS", 6000)
    assert "discrepant" not in ways(sent, about(first))
    assert decide(sent, about(first), "returned") == BOTH
    assert current(sent.gateway)["P-00001"] == ("returned", "RETURNED", 6000)
    sent.say(back + b" ", number=3)
    assert current(sent.gateway)["P-00001"] == ("returned", "RETURNED", 6000)
    assert rest(sent, 4000) == "set_aside"
    assert rest(sent, 10000, "Q-00002") is None


def test_the_bundle_shows_who_closed_what_stays_short(sent: Sent) -> None:
    decide(sent, about(short(sent)), "discrepant")
    exported = sent.gateway.audit_export(sent.ground.site.folder / "bundle")
    assert verify(exported.folder).findings == []


# Chains of reissues.


def failed_first(sent: Sent) -> Payment:
    first = sent.payments[0]
    sent.say(result(sent.name, [row(1, first, "F44"), *sent.all()[1:]]))
    return first


def reissue(sent: Sent, old: Payment, new_id: str, **changes: object) -> Payment:
    prefix, number = new_id.split("-")
    new = payments_of(
        CITY,
        1,
        prefix=prefix,
        start=int(number) - 1,
        amount_minor=old.amount_minor,
        reissue_of=old.payment_id,
        **changes,
    )[0]
    sent.ground.submit(sent.gateway, [new])
    return new


def test_of_two_heirs_of_one_payment_one_is_refused(sent: Sent) -> None:
    """P failed, S was set aside; T replaces S, so U may not replace P."""
    first = failed_first(sent)
    dead = reissue(sent, first, "S-00001", account="")
    assert current(sent.gateway)["S-00001"][0] == "set_aside"
    reissue(sent, dead, "T-00002")
    reissue(sent, first, "U-00003")
    assert current(sent.gateway)["U-00003"] == ("set_aside", "REISSUE_REFUSED", None)
    sent.gateway.run()
    assert states(sent.gateway) == ["settled", "sent"]


def test_and_the_other_way_round(sent: Sent) -> None:
    first = failed_first(sent)
    dead = reissue(sent, first, "S-00001", account="")
    reissue(sent, first, "U-00003")
    reissue(sent, dead, "T-00002")
    assert current(sent.gateway)["T-00002"] == ("set_aside", "REISSUE_REFUSED", None)


def test_two_heirs_of_one_chain_in_one_batch(sent: Sent) -> None:
    first = failed_first(sent)
    dead = reissue(sent, first, "S-00001", account="")
    both = [
        payments_of(CITY, 1, prefix="T", amount_minor=10000, reissue_of=old.payment_id, start=number)[0]
        for number, old in enumerate((first, dead))
    ]
    sent.ground.submit(sent.gateway, both)
    refused = [one for one in both if one.payment_id in current(sent.gateway)]
    assert len(refused) == 1


def test_a_refused_reissue_is_no_way_around_the_refusal(sent: Sent) -> None:
    """P was paid; S may not replace it and is set aside; T names S."""
    sent.say(result(sent.name, sent.all()))
    refused = reissue(sent, sent.payments[0], "S-00001")
    assert current(sent.gateway)["S-00001"] == ("set_aside", "REISSUE_REFUSED", None)
    reissue(sent, refused, "T-00002")
    assert current(sent.gateway)["T-00002"] == ("set_aside", "REISSUE_REFUSED", None)


def test_a_grandchild_stays_when_the_first_was_paid_after_all(sent: Sent) -> None:
    first = failed_first(sent)
    child = reissue(sent, first, "S-00001")
    sent.gateway.run()
    second = sent.gateway.files()[1].name
    sent.ground.post(CITY, f"{second[:-4]}_R1.bxt", result(second, [row(1, child, "F44")]))
    sent.ground.take(sent.gateway)
    assert states(sent.gateway) == ["settled", "settled"]
    reissue(sent, child, "T-00002")
    # The bank's word lies there before the grandchild leaves.
    sent.ground.post(CITY, f"{sent.stem}_R2.bxt", result(sent.name, sent.all()[:1]))
    sent.ground.take(sent.gateway)
    assert current(sent.gateway)["P-00001"] == ("credited", "", 10000)
    assert current(sent.gateway)["T-00002"] == ("set_aside", "REISSUE_REFUSED", None)
    assert "sent" not in states(sent.gateway)


# Files that were given up.


def test_payments_are_not_given_back_against_a_held_answer(sent: Sent) -> None:
    uncertain(sent)
    sent.say(result(sent.name, sent.all(), more_minor=5))
    assert waiting(sent) == [file_of(sent), "received:1"]
    assert ways(sent, file_of(sent)) == ["arrived"]
    decide(sent, "received:1", "refuse", A)
    assert ways(sent, file_of(sent)) == ["arrived", "not-received"]


def test_payments_are_not_given_back_against_a_partial_answer(sent: Sent) -> None:
    sent.say(result(sent.name, sent.all()[:1]))
    sent.say(acknowledgement(sent.name, "D"), "A")
    assert states(sent.gateway) == ["uncertain"]
    assert ways(sent, file_of(sent)) == ["arrived"]


def test_a_rejected_file_that_answers_is_not_sent_again(sent: Sent) -> None:
    sent.say(acknowledgement(sent.name, "F"), "A")
    sent.say(result(sent.name, sent.all()))
    assert ways(sent, file_of(sent)) == ["reopen"]
    assert decide(sent, file_of(sent), "reopen") == BOTH
    sent.ground.take(sent.gateway)
    assert (states(sent.gateway), current(sent.gateway)) == (["settled"], credited(sent.payments))
    assert waiting(sent) == []
    sent.ground.check_sound(sent.gateway)


def test_a_late_answer_stops_what_would_go_again(sent: Sent) -> None:
    sent.say(acknowledgement(sent.name, "F"), "A")
    sent.ground.decide(sent.gateway, file_of(sent), "redispatch", *PERSONS)
    sent.say(result(sent.name, sent.all()))
    # The file that was made again was voided while it waited for what was just arriving.
    assert states(sent.gateway) == ["rejected", "voided"]
    assert len(waiting(sent)) == 2 + len(sent.payments)
    # One person, and no letter, cannot let the payments go again.
    assert [way.persons_needed for way in sent.gateway.ways(about(sent.payments[0]))] == [2, 1]
    with pytest.raises(NotPermitted):
        sent.gateway.statement(about(sent.payments[0]), "accept", A)
    assert [way.persons_needed for way in sent.gateway.ways("received:2") if way.decision == "refuse"] == [2]
    assert decide(sent, file_of(sent), "reopen") == BOTH
    sent.ground.take(sent.gateway)
    assert current(sent.gateway) == credited(sent.payments)
    assert (states(sent.gateway), waiting(sent)) == (["settled", "voided"], [])


def test_stopped_payments_go_again_when_the_bank_paid_nothing(sent: Sent) -> None:
    sent.say(acknowledgement(sent.name, "F"), "A")
    sent.ground.decide(sent.gateway, file_of(sent), "redispatch", *PERSONS)
    sent.say(result(sent.name, sent.all("F44")))
    assert "resend" not in ways(sent, file_of(sent))
    decide(sent, "received:2", "refuse")
    assert decide(sent, file_of(sent), "resend") == BOTH
    sent.gateway.run()
    assert states(sent.gateway) == ["rejected", "voided", "sent"]


def behind(sent: Sent) -> None:
    """As after a restore: the bank may have files of ours that this ledger does not know."""
    with sent.gateway.installation.ledger.write() as transaction:
        transaction.run(
            "INSERT INTO bank_hold (bank, cause, message, recorded_at)"
            " VALUES (:bank, 'behind', 'restored from a backup', '')",
            bank=CITY,
        )


def test_what_a_forgotten_file_paid_is_told_before_a_rejected_one_gives_it_back(sent: Sent) -> None:
    """A withdrawn batch whose file was rejected: else nobody could say that one payment was paid."""
    sent.say(acknowledgement(sent.name, "F"), "A")
    decide(sent, "batch:yikatong/B-0001", "withdraw")
    assert ways(sent, about(sent.payments[0])) == []
    behind(sent)
    assert ways(sent, about(sent.payments[0])) == ["credited"]
    assert decide(sent, about(sent.payments[0]), "credited") == BOTH
    assert decide(sent, file_of(sent), "withdraw") == BOTH
    rest = {payment.payment_id: ("withdrawn", "WITHDRAWN", None) for payment in sent.payments[1:]}
    assert current(sent.gateway) == {"P-00001": ("credited", "", 10000)} | rest
    sent.ground.check_sound(sent.gateway)


def test_an_answer_about_a_file_that_was_given_up_does_not_hold_what_is_known_to_be_paid(sent: Sent) -> None:
    """A payment held there would wait for ever: nothing that a person could decide fits it."""
    sent.say(acknowledgement(sent.name, "F"), "A")
    behind(sent)
    decide(sent, file_of(sent), "redispatch")
    decide(sent, about(sent.payments[0]), "credited")
    sent.say(result(sent.name, sent.all()))
    held = [name for name in waiting(sent) if name.startswith("payment:")]
    assert held == [about(payment) for payment in sent.payments[1:]]
    assert all(ways(sent, name) for name in held)
    sent.ground.check_sound(sent.gateway)


def test_a_file_that_left_a_second_time_is_an_alarm_and_its_sum_is_shown(sent: Sent) -> None:
    """Rejected, sent again, and the bank says that it took the first one after all."""
    sent.say(acknowledgement(sent.name, "F"), "A")
    sent.ground.decide(sent.gateway, file_of(sent), "redispatch", *PERSONS)
    sent.gateway.run()
    second = sent.gateway.files()[1].name
    sent.say(result(sent.name, sent.all()))
    assert any(item.object.startswith("oddity:") for item in sent.gateway.held())
    assert decide(sent, file_of(sent), "reopen") == BOTH
    sent.ground.take(sent.gateway)
    sent.ground.post(CITY, f"{second[:-4]}_R1.bxt", result(second, sent.all()))
    sent.ground.take(sent.gateway)
    assert current(sent.gateway) == {
        one.payment_id: ("discrepant", "PAID_TWICE", 2 * one.amount_minor) for one in sent.payments
    }
    assert [status.adds_up for status in sent.gateway.status()] == [True]


def test_payments_that_the_bank_has_in_a_reopened_file_do_not_go_a_third_time(sent: Sent) -> None:
    """Rejected, sent again, reopened; then the bank writes that it will not pay by the second file."""
    sent.say(acknowledgement(sent.name, "F"), "A")
    sent.ground.decide(sent.gateway, file_of(sent), "redispatch", *PERSONS)
    sent.gateway.run()
    second = sent.gateway.files()[1].name
    assert decide(sent, file_of(sent), "reopen") == BOTH
    assert decide(sent, f"file:{CITY}/{second}", "not-processed") == BOTH
    sent.ground.take(sent.gateway)
    assert states(sent.gateway) == ["sent", "rejected"]
    first, *others = sent.payments
    sent.say(result(sent.name, [row(1, first, "U"), *sent.all()[1:]]))
    assert current(sent.gateway) | {first.payment_id: None} == credited(others) | {first.payment_id: None}
    assert ways(sent, about(first)) == ["credited", "failed", "returned"]
    sent.ground.check_sound(sent.gateway)


def test_a_second_attempt_that_failed_says_nothing_of_the_first(sent: Sent) -> None:
    sent.say(acknowledgement(sent.name, "F"), "A")
    sent.ground.decide(sent.gateway, file_of(sent), "redispatch", *PERSONS)
    sent.gateway.run()
    second = sent.gateway.files()[1].name
    sent.say(result(sent.name, sent.all()))
    decide(sent, file_of(sent), "reopen")
    sent.ground.take(sent.gateway)
    assert current(sent.gateway) == credited(sent.payments)
    sent.ground.post(CITY, f"{second[:-4]}_R1.bxt", result(second, sent.all("F44")))
    sent.ground.take(sent.gateway)
    assert current(sent.gateway) == credited(sent.payments)


def test_a_file_that_the_bank_did_not_process_goes_again(sent: Sent) -> None:
    sent.say(acknowledgement(sent.name, "S"), "A")
    assert decide(sent, file_of(sent), "not-processed") == BOTH
    sent.gateway.run()
    assert states(sent.gateway) == ["rejected", "sent"]
    # What of the first one still lay there was taken away before.
    assert sent.name not in {path.name for path in sent.ground.outbox(CITY).iterdir()}


def test_a_rejection_repeated_after_the_reopening_is_no_news(sent: Sent) -> None:
    sent.say(acknowledgement(sent.name, "F"), "A")
    decide(sent, file_of(sent), "reopen")
    sent.ground.clock.turn(hours=1)
    sent.say(acknowledgement(sent.name, "F"), "A", 2)
    assert states(sent.gateway) == ["sent"]


def test_a_rejection_said_twice_is_said_once(sent: Sent) -> None:
    sent.say(acknowledgement(sent.name, "F"), "A")
    sent.ground.clock.turn(hours=1)
    sent.say(acknowledgement(sent.name, "F"), "A", 2)
    assert (states(sent.gateway), waiting(sent)) == (["rejected"], [file_of(sent)])


def test_more_problems_than_are_shown_are_accepted_only_as_they_are(
    sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gateway.persons import holding

    monkeypatch.setattr(holding, "_KEPT_PROBLEMS", 2)
    strangers = [row(900 + number, sent.payments[0]) for number in range(4)]
    sent.say(result(sent.name, [*sent.all(), *strangers]))
    (item,) = [item for item in sent.gateway.held() if item.object.startswith("received:")]
    assert [problem.code for problem in item.problems] == ["unmatched", "unmatched", "more"]
    assert "2 more problems: 2 unmatched" in item.problems[-1].message
    sent.say(result(sent.name, [*sent.all(), *strangers], more_minor=1), number=2)
    grave = next(item for item in sent.gateway.held() if item.object == "received:2")
    assert "1 total-differs" in grave.problems[-1].message


def test_the_bundle_shows_who_resolved_a_payment(sent: Sent, tmp_path: Path) -> None:
    first = sent.payments[0]
    sent.say(result(sent.name, [row(1, first, "U"), *sent.all()[1:]]))
    decide(sent, about(first), "failed")
    sent.gateway.audit_export(tmp_path / "bundle")
    assert [finding.message for finding in verify(tmp_path / "bundle", None, None).findings] == []
    with sent.gateway.installation.ledger.write() as transaction:
        transaction.run("UPDATE outcome SET status = 'credited', stated = 'credited' WHERE decided <> ''")
    sent.gateway.audit_export(tmp_path / "changed")
    found = " ".join(finding.message for finding in verify(tmp_path / "changed", None, None).findings)
    assert "event" in found
    assert "signed by nobody" in found


def test_the_command_resolve(sent: Sent, bankgate: Commands, tmp_path: Path) -> None:
    sent.say(result(sent.name, [row(1, sent.payments[0], "U"), *sent.all()[1:]]))
    letter = tmp_path / "letter.txt"
    letter.write_text("nothing was paid", "utf-8")
    by_a, by_b = (("--as", name, "--key", sent.ground.person_key(name)) for name in PERSONS)
    name = about(sent.payments[0])
    bare = bankgate("resolve", name, "failed", *by_a)
    assert (bare.code, "hint: attach it: --evidence FILE" in bare.err) == (ExitCode.REFUSED_INPUT, True)
    absent = bankgate("resolve", name, "failed", "--evidence", tmp_path / "none", *by_a)
    assert absent.code == ExitCode.BAD_USAGE
    empty = tmp_path / "empty"
    empty.touch()
    refused = bankgate("resolve", name, "failed", "--evidence", empty, *by_a)
    assert (refused.code, "it is empty" in refused.err) == (ExitCode.REFUSED_INPUT, True)
    first = bankgate("resolve", name, "failed", "--evidence", letter, *by_a)
    assert first.code == ExitCode.NEEDS_PERSON
    shown = bankgate("held").out
    digest = shown.partition("signed evidence sha256:")[2][:64]
    copy = tmp_path / "copy.txt"
    assert bankgate("exhibit", f"sha256:{digest}", "--output", copy).code == ExitCode.DONE
    assert (copy.read_text("utf-8"), copy.stat().st_mode & 0o777) == ("nothing was paid", 0o600)
    assert bankgate("exhibit", digest, "--output", copy).code == ExitCode.BAD_USAGE
    wrong = bankgate("exhibit", "0" * 64, "--output", tmp_path / "other")
    assert (wrong.code, (tmp_path / "other").exists()) == (ExitCode.REFUSED_INPUT, False)
    second = bankgate("resolve", name, "failed", "--evidence", f"sha256:{digest}", *by_b)
    assert second.code == ExitCode.DONE
    assert current(sent.gateway)["P-00001"] == UNPAID
