"""The bank model: what it pays, what it says of it, and every way in which it misbehaves."""

from __future__ import annotations

from datetime import timedelta

import pytest

from formats.reasons import Reason, Status
from formats.records import AcknowledgementVerdict
from gateway.simulator.bank import Arrival
from gateway.simulator.books import References
from gateway.simulator.errors import ScenarioUnsupported
from gateway.simulator.forms import CodeBook
from gateway.simulator.moments import Moment
from gateway.simulator.scenario import DrawnBy, Fate, Kind, Scenario, make_scenario
from gateway.simulator.store import MemoryBlob
from gateway.simulator.support import supported
from keys.errors import SignatureInvalid, SignatureMalformed
from tests.simulator.banks import (
    BANK_NAMES,
    NOW,
    START,
    Answer,
    answers,
    data_postings,
    desk,
    make_bank,
    make_request,
    payments,
    profile,
    read,
    results,
    sealed_arrival,
)

COUNT = 150
each_bank = pytest.mark.parametrize("name", BANK_NAMES)


def instructed(name: str) -> list[int]:
    return [payment.amount_minor for payment in payments(name, COUNT)]


def only_result(name: str, *kinds: Kind) -> Answer:
    (result,) = results(name, make_bank(name, *kinds).arrive(make_request(name), START))
    return result


@each_bank
def test_all_well_is_acknowledged_and_credited_in_full(name: str) -> None:
    bank = make_bank(name)
    request = make_request(name)
    acknowledgement, result = answers(name, bank.arrive(request, START))
    assert acknowledgement.decoder.facts["file.verdict"] is AcknowledgementVerdict.ACCEPTED
    assert (result.decoder.problems, acknowledgement.decoder.problems) == ([], [])
    assert result.items() == list(range(1, COUNT + 1))
    assert result.column("outcome.amount") == instructed(name)
    assert set(result.column("outcome.status")) == {Status.CREDITED}
    assert set(result.column("outcome.reason")) == {Reason.NONE}
    truth = bank.truth()
    assert (truth.files, truth.instructed_count, truth.credited_count) == (1, COUNT, COUNT)
    assert truth.credited_minor == sum(instructed(name))


@each_bank
def test_answers_name_the_file_that_they_answer(name: str) -> None:
    request = make_request(name, sequence=77)
    for answer in answers(name, make_bank(name).arrive(request, START)):
        facts = answer.decoder.facts
        named = facts.get("file.original_name") or facts.get("file.original_message_id")
        assert named in (request.name, "BG000000000077")
        recognised = profile(name).recognise(answer.name)
        assert recognised is not None
        assert recognised[1].values["stem"] == request.name.rpartition(".")[0]


@each_bank
def test_failures_are_told_for_every_reason_and_only_those_paid_are_in_the_truth(name: str) -> None:
    bank = make_bank(name, Kind.FAILURES, share_per_mille=400)
    (result,) = results(name, bank.arrive(make_request(name), START))
    statuses = result.column("outcome.status")
    paid = [status is Status.CREDITED for status in statuses]
    assert set(statuses) == {Status.CREDITED, Status.FAILED}
    reasons = {reason for reason in result.column("outcome.reason") if reason}
    assert reasons == set(bank.desk.result.codes.failures)
    truth = bank.truth()
    assert truth.credited_count == sum(paid)
    assert truth.credited_minor == sum(
        amount for amount, was_paid in zip(instructed(name), paid, strict=True) if was_paid
    )
    items = [item.credited_minor for item in bank.paid()]
    assert items == [
        amount if was_paid else 0 for amount, was_paid in zip(instructed(name), paid, strict=True)
    ]


@each_bank
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(name: str) -> None:
    def content(seed: int) -> list[bytes]:
        bank = make_bank(name, Kind.FAILURES, Kind.IN_PARTS, seed=seed)
        return [answer.content for answer in answers(name, bank.arrive(make_request(name), START))]

    assert content(1) == content(1)
    assert content(1) != content(2)


@each_bank
def test_what_happens_does_not_depend_on_how_the_request_was_cut(name: str) -> None:
    def statuses(chunk: int) -> list[Status]:
        bank = make_bank(name, Kind.FAILURES)
        (result,) = results(name, bank.arrive(make_request(name, chunk=chunk), START))
        return result.column("outcome.status")

    assert statuses(7) == statuses(150)


def _said(name: str, sequence: int, drawn_by: DrawnBy) -> list[tuple[object, ...]]:
    """Of each payment what is said and charged, in a file of this number."""
    kinds = [
        Kind.FAILURES,
        *(one for one in (Kind.FEE_LINES, Kind.FEE_COLUMN) if one in supported(desk(name))),
    ]
    bank = make_bank(name, *kinds[:2], drawn_by=drawn_by)
    (result,) = results(name, bank.arrive(make_request(name, sequence=sequence), START))
    fees = dict(
        zip(result.column("attempt.reference", "fee"), result.column("fee.amount", "fee"), strict=True)
    )
    charged = [fee or fees.get(reference) for fee, reference in zip(
        result.column("fee.amount"), result.column("attempt.reference"), strict=True)]  # fmt: skip
    words = (result.column(f"outcome.{word}") for word in ("status", "reason", "amount"))
    return list(zip(*words, charged, strict=True))


@each_bank
def test_a_fate_may_be_the_payments_own_whatever_file_it_goes_in(name: str) -> None:
    by_payment = [_said(name, sequence, DrawnBy.PAYMENT) for sequence in (1, 2)]
    by_reference = [_said(name, sequence, DrawnBy.REFERENCE) for sequence in (1, 2)]
    assert by_payment[0] == by_payment[1]
    # Where the bank knows the number only, and no reference, its file's name has it.
    assert by_reference[0] != by_reference[1]


def test_fee_lines_stand_beside_payments_credited_in_full() -> None:
    name = "rural-credit"
    result = only_result(name, Kind.FEE_LINES)
    fees = result.column("fee.amount", "fee")
    assert fees
    assert set(fees) == {50}
    assert result.column("outcome.amount") == instructed(name)
    assert result.decoder.problems == []


@pytest.mark.parametrize("name", ["city-bank", "iso-bank"])
def test_a_fee_column_is_not_zero_for_some(name: str) -> None:
    result = only_result(name, Kind.FEE_COLUMN)
    if name == "city-bank":
        fees = [fee for fee in result.column("fee.amount") if fee]
    else:
        fees = [fee for fee in result.column("fee.amount", "fee") + result.column("fee.amount") if fee]
    assert 10 < len(fees) < 60
    assert set(fees) == {50}
    assert result.column("outcome.amount") == instructed(name)


@each_bank
def test_a_short_credit_says_credited_and_less_than_instructed(name: str) -> None:
    bank = make_bank(name, Kind.SHORT_CREDIT)
    (result,) = results(name, bank.arrive(make_request(name), START))
    differences = [
        ours - theirs for ours, theirs in zip(instructed(name), result.column("outcome.amount"), strict=True)
    ]
    assert set(differences) == {0, 200}
    assert set(result.column("outcome.status")) == {Status.CREDITED}
    assert sum(instructed(name)) - bank.truth().credited_minor == sum(differences)


@each_bank
def test_a_late_result_is_due_after_its_looks_and_hours(name: str) -> None:
    bank = make_bank(name, Kind.LATE)
    late = results(name, bank.arrive(make_request(name), START))[0].due
    assert [late.look > look for look in (0, 1, 2, 3)] == [True] * 4
    assert late.look == 4
    posting = bank.arrive(make_request(name, sequence=2, count=120), Moment(look=5, at=NOW))[-1]
    assert not posting.is_due(Moment(look=8, at=NOW))
    assert posting.is_due(Moment(look=9, at=NOW))
    slow = Scenario(kinds=frozenset({Kind.LATE}), late_looks=0, late_hours=2)
    assert START.after(slow.late_looks, slow.late_hours) == Moment(look=0, at=NOW + timedelta(hours=2))


@each_bank
def test_twice_is_the_same_bytes_under_another_name_then_other_bytes_under_the_first(name: str) -> None:
    postings = make_bank(name, Kind.TWICE).arrive(make_request(name), START)
    first, again, other = results(name, postings)
    assert (again.content, again.name != first.name) == (first.content, True)
    assert (other.name, other.content != first.content) == (first.name, True)
    assert other.column("outcome.status") == first.column("outcome.status")
    assert first.due.look < again.due.look < other.due.look


@each_bank
def test_a_contradicting_result_turns_credited_into_failed_and_failed_into_credited(name: str) -> None:
    bank = make_bank(name, Kind.FAILURES, Kind.CONTRADICTING, share_per_mille=400)
    first, second = results(name, bank.arrive(make_request(name), START))
    before = dict(zip(first.items(), first.column("outcome.status"), strict=True))
    after = dict(zip(second.items(), second.column("outcome.status"), strict=True))
    turned = {(before[item], status) for item, status in after.items()}
    assert turned == {(Status.CREDITED, Status.FAILED), (Status.FAILED, Status.CREDITED)}
    assert 0 < len(after) < len(before)
    assert second.due.look > first.due.look


@pytest.mark.parametrize("name", ["rural-credit", "city-bank"])
def test_wrong_totals_are_noticed_and_the_records_are_true(name: str) -> None:
    result = only_result(name, Kind.WRONG_TOTAL)
    assert result.decoder.problems
    assert result.column("outcome.amount") == instructed(name)


def test_a_wrong_original_total_in_xml_is_not_ours() -> None:
    result = only_result("iso-bank", Kind.WRONG_TOTAL)
    assert result.decoder.facts["file.total"] == sum(instructed("iso-bank")) + 100
    assert result.column("outcome.amount") == instructed("iso-bank")


@each_bank
def test_a_bad_signature_is_invalid_on_the_result_and_good_on_the_acknowledgement(name: str) -> None:
    postings = make_bank(name, Kind.BAD_SIGNATURE).arrive(make_request(name), START)
    acknowledgement, result = data_postings(name, postings)
    assert Answer(name, acknowledgement, postings).kind == "acknowledgement"
    with pytest.raises((SignatureInvalid, SignatureMalformed)):
        Answer(name, result, postings)


@each_bank
def test_half_a_file_comes_alone_and_the_whole_later(name: str) -> None:
    postings = make_bank(name, Kind.HALF_FILE).arrive(make_request(name), START)
    _, half, whole = data_postings(name, postings)
    assert (half.name, half.due.look < whole.due.look) == (whole.name, True)
    assert read(whole.content).startswith(read(half.content))
    assert half.content.size_bytes == whole.content.size_bytes // 2
    at_first = [posting.name for posting in postings if posting.due == half.due]
    assert at_first[-1] == half.name
    assert Answer(name, whole, postings).items() == list(range(1, COUNT + 1))


@each_bank
def test_echo_brings_our_own_bytes_and_signature_back(name: str) -> None:
    request = make_request(name)
    postings = make_bank(name, Kind.ECHO).arrive(request, START)
    result = list(data_postings(name, postings))[-1]
    assert read(result.content) == read(request.data)
    if request.signature is not None:
        signature = next(posting for posting in postings if posting.name == f"{result.name}.p7s")
        assert read(signature.content) == read(request.signature)


@each_bank
def test_an_unknown_code_is_unmapped_and_was_paid(name: str) -> None:
    bank = make_bank(name, Kind.UNKNOWN_CODE)
    (result,) = results(name, bank.arrive(make_request(name), START))
    statuses = result.column("outcome.status")
    assert set(statuses) == {Status.CREDITED, Status.UNKNOWN}
    assert bank.truth().by_fate[Fate.UNKNOWN_CODE][0] == statuses.count(Status.UNKNOWN)
    assert bank.truth().credited_minor == sum(instructed(name))


@each_bank
def test_an_unmatched_record_has_a_reference_that_nobody_gave(name: str) -> None:
    result = only_result(name, Kind.UNMATCHED)
    assert result.items() == [*range(1, COUNT + 1), 99_999_999]
    assert result.decoder.problems == []


@each_bank
def test_other_account_shows_in_the_echo(name: str) -> None:
    bank = make_bank(name, Kind.OTHER_ACCOUNT)
    (result,) = results(name, bank.arrive(make_request(name), START))
    ours = [payment.account for payment in payments(name, COUNT)]
    theirs = result.column("payment.account")
    different = sum(1 for one, other in zip(ours, theirs, strict=True) if one != other)
    assert different == bank.truth().by_fate[Fate.ELSEWHERE][0] > 0
    assert set(result.column("outcome.status")) == {Status.CREDITED}


@each_bank
def test_two_parts_together_tell_of_every_payment_once(name: str) -> None:
    one, two = results(name, make_bank(name, Kind.IN_PARTS).arrive(make_request(name), START))
    assert sorted(one.items() + two.items()) == list(range(1, COUNT + 1))
    assert one.items()
    assert two.items()
    assert one.name != two.name
    assert (one.decoder.problems, two.decoder.problems) == ([], [])


@each_bank
def test_a_result_can_come_before_the_acknowledgement(name: str) -> None:
    acknowledgement, result = answers(
        name, make_bank(name, Kind.RESULT_FIRST).arrive(make_request(name), START)
    )
    assert result.due.look < acknowledgement.due.look


@pytest.mark.parametrize("name", ["rural-credit", "city-bank"])
def test_returned_payments_were_credited_first(name: str) -> None:
    bank = make_bank(name, Kind.RETURNED)
    first, second = results(name, bank.arrive(make_request(name), START))
    assert set(first.column("outcome.status")) == {Status.CREDITED}
    assert set(second.column("outcome.status")) == {Status.RETURNED}
    truth = bank.truth()
    assert truth.returned_count == len(second.items()) > 0
    assert truth.returned_minor == sum(instructed(name)[item - 1] for item in second.items())
    assert truth.credited_minor == sum(instructed(name))
    assert second.due.look > first.due.look


@each_bank
def test_a_rejected_file_is_not_paid(name: str) -> None:
    bank = make_bank(name, Kind.REJECT)
    (acknowledgement,) = answers(name, bank.arrive(make_request(name), START))
    assert acknowledgement.decoder.facts["file.verdict"] is AcknowledgementVerdict.REJECTED
    assert (bank.truth().files, bank.truth().credited_minor) == (0, 0)


@each_bank
def test_a_silent_bank_pays_and_says_nothing(name: str) -> None:
    bank = make_bank(name, Kind.SILENT)
    assert bank.arrive(make_request(name), START) == []
    assert bank.truth().credited_minor == sum(instructed(name))


@each_bank
def test_the_same_file_again_is_a_duplicate_and_paid_once(name: str) -> None:
    bank = make_bank(name)
    request = make_request(name)
    bank.arrive(request, START)
    (acknowledgement,) = answers(name, bank.arrive(request, START))
    assert acknowledgement.decoder.facts["file.verdict"] is AcknowledgementVerdict.DUPLICATE
    assert bank.truth().credited_minor == sum(instructed(name))


@pytest.mark.parametrize("name", ["rural-credit", "iso-bank"])
def test_references_seen_before_are_not_paid_again_in_another_file(name: str) -> None:
    bank = make_bank(name)
    bank.arrive(make_request(name, sequence=5), START)
    shorter = make_request(name, sequence=5, count=120)
    (acknowledgement,) = answers(name, bank.arrive(shorter, START))
    assert acknowledgement.decoder.facts["file.verdict"] is AcknowledgementVerdict.DUPLICATE
    assert bank.truth().files == 1
    bank.arrive(make_request(name, sequence=6, count=120), START)
    assert bank.truth().files == 2


def test_the_same_content_under_another_name_is_not_paid_again() -> None:
    """The comment style has no reference of its own: only the digest tells."""
    name = "city-bank"
    bank = make_bank(name)
    first = make_request(name)
    bank.arrive(first, START)
    other_name = make_request(name, sequence=2).name
    renamed = Arrival(name=other_name, data=first.data, signature=first.signature)
    (acknowledgement,) = answers(name, bank.arrive(renamed, START))
    assert acknowledgement.decoder.facts["file.verdict"] is AcknowledgementVerdict.DUPLICATE
    assert bank.truth().files == 1


@each_bank
def test_a_result_that_came_in_halves_is_repeated_whole(name: str) -> None:
    postings = make_bank(name, Kind.TWICE, Kind.HALF_FILE).arrive(make_request(name), START)
    _, half, whole, again, *_ = data_postings(name, postings)
    assert half.name == whole.name != again.name
    assert read(again.content) == read(whole.content)
    assert Answer(name, again, postings).items() == list(range(1, COUNT + 1))


@each_bank
def test_a_request_with_a_bad_signature_is_rejected(name: str) -> None:
    bank = make_bank(name)
    request = make_request(name)
    blob = request.signature or request.data
    damaged = MemoryBlob(read(blob)[:-1] + bytes([read(blob)[-1] ^ 1]))
    if request.signature is None:
        spoiled = Arrival(name=request.name, data=damaged)
    else:
        spoiled = Arrival(name=request.name, data=request.data, signature=damaged)
    (acknowledgement,) = answers(name, bank.arrive(spoiled, START))
    assert acknowledgement.decoder.facts["file.verdict"] is AcknowledgementVerdict.REJECTED
    assert bank.truth().files == 0
    bank.arrive(request, START)
    assert bank.truth().files == 1


@pytest.mark.parametrize("name", ["rural-credit", "city-bank"])
def test_a_request_without_signature_is_rejected(name: str) -> None:
    bank = make_bank(name)
    request = make_request(name)
    bank.arrive(Arrival(name=request.name, data=request.data), START)
    assert [refusal.verdict for refusal in bank.refusals] == [AcknowledgementVerdict.REJECTED]
    assert bank.truth().files == 0


def test_a_scenario_that_the_layouts_cannot_write_is_refused_by_name() -> None:
    with pytest.raises(ScenarioUnsupported, match="returned: no code says that a payment was given back"):
        make_bank("iso-bank", Kind.RETURNED, Kind.FAILURES)
    with pytest.raises(ScenarioUnsupported, match="fee-column"):
        make_bank("rural-credit", Kind.FEE_COLUMN)


@each_bank
def test_every_supported_scenario_can_be_played_with_all_others_that_leave_a_result(name: str) -> None:
    """Combined, they still give files that read back."""
    alone = {Kind.ECHO, Kind.SILENT, Kind.REJECT, Kind.BAD_SIGNATURE, Kind.HALF_FILE}
    kinds = [kind for kind in supported(desk(name)) if kind not in alone]
    bank = make_bank(name, *kinds, share_per_mille=100)
    told = results(name, bank.arrive(make_request(name), START))
    assert len(told) >= 4
    assert set(bank.truth().by_fate) == {
        fate for fate in Fate if fate is not Fate.RETURNED or Kind.RETURNED in kinds
    }


def test_scenarios_are_named_on_a_command_line() -> None:
    assert make_scenario("failures, late", seed=3) == Scenario(
        kinds=frozenset({Kind.FAILURES, Kind.LATE}), seed=3
    )
    assert make_scenario("") == Scenario()
    with pytest.raises(ScenarioUnsupported, match="no scenario lost, late-ish"):
        make_scenario("lost,late-ish")


@each_bank
def test_an_unlisted_code_is_in_no_table(name: str) -> None:
    codes: CodeBook = desk(name).result.codes
    assert codes.unlisted is not None
    result = only_result(name, Kind.UNKNOWN_CODE)
    assert codes.unlisted in result.column("outcome.code")


def test_bytes_that_are_no_request_are_rejected() -> None:
    """Signed by the gateway, and still nonsense: the rural bank cannot even say whose file it is."""
    bank = make_bank("rural-credit")
    name = make_request("rural-credit").name
    nonsense = b"not a request\n"
    assert bank.arrive(sealed_arrival("rural-credit", name, nonsense), START) == []
    (refusal,) = bank.refusals
    assert (refusal.verdict, refusal.why[:9]) == (AcknowledgementVerdict.REJECTED, "content: ")


def test_references_of_our_make_take_a_bit_and_others_are_kept_as_text() -> None:
    seen, other = References(), References()
    assert seen.add(["00000000000100000001", "00000000000100000009", "X-1"]) == 0
    assert seen.add(["00000000000100000009", "X-1", "X-2"]) == 2
    # The same numbers in another width are another reference.
    assert other.add(["000100000001", "00000000000100000009", "X-2", "X-3"]) == 0
    assert seen.common(other) == 2
    seen.update(other)
    assert seen.common(other) == 4
