"""Card lists: what is wrong with one is told, and no payment ever follows one by itself."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import msgspec
import pytest

from formats import AccountKind, Problem
from gateway import Conflict, DecisionRefused, Gateway, InputRefused, NotPermitted, Unknown
from gateway.ledger.card_lists import CardListState
from gateway.rules.card_offers import Remark
from gateway.rules.reissue import _to_known_card
from keys.master import new_master_key_file
from tests.gateway.commands import Commands
from tests.gateway.sites import CITY, DEPARTMENT, ISO, PERSONS, Ground, credited, current, edit, payments_of
from tests.rules.card_lists import by_passbook, card, cells, listed, stored, taken
from tests.rules.test_reissue import HEADER, correction, failed, written

A, B = PERSONS
# A person signs for it.


def test_a_list_counts_when_somebody_has_signed_for_it(ground: Ground, tmp_path: Path) -> None:
    people = payments_of(CITY, 2)
    path = listed(tmp_path, [cells(one, number) for number, one in enumerate(people)])
    with ground.open() as gateway:
        brought = gateway.bring_card_list(path)
        assert (brought.object, brought.state) == ("card-list:1", CardListState.BROUGHT)
        (waits,) = gateway.held()
        assert (waits.object, [way.decision for way in waits.ways]) == (
            "card-list:1",
            ["take-list", "drop-list"],
        )
        with pytest.raises(Unknown, match="no card list counts"):
            list(gateway.plan.movable())
        ground.decide(gateway, brought.object, "take-list", A)
        (one,) = gateway.plan.card_lists()
        assert (one.state, one.counts, one.taken_by, one.persons) == (CardListState.IN_FORCE, True, A, 2)
        assert (gateway.held(), gateway.needs_person()) == ([], False)
        again = gateway.bring_card_list(path)
        assert (again.object, again.state, again.brought_before) == (
            "card-list:1",
            CardListState.IN_FORCE,
            True,
        )
        assert len(stored(ground)) == 2
        kinds = [kind for (kind,) in ground.rows("SELECT kind FROM event WHERE kind LIKE 'card list%'")]
        assert kinds == ["card list brought", "card list taken"]


def test_the_newest_list_of_a_platform_takes_the_place_of_the_one_before(
    ground: Ground, tmp_path: Path
) -> None:
    first, second, third = payments_of(CITY, 3)
    old = listed(tmp_path, [cells(first, 1), cells(second, 2)], name="old.csv")
    new = listed(tmp_path, [cells(first, 9), cells(third, 3)], name="new.csv", drawn_on="2026-08-25")
    with ground.open() as gateway:
        taken(ground, gateway, old)
        check = gateway.plan.check_card_list(new)
        assert (check.gone, check.moved) == (1, 1)
        taken(ground, gateway, new)
        assert [(one.object, one.counts) for one in gateway.plan.card_lists()] == [
            ("card-list:1", False),
            ("card-list:2", True),
        ]
        with pytest.raises(Conflict, match="of 2026-08-25 counts already"):
            gateway.bring_card_list(old)


def test_a_list_that_was_overtaken_while_it_waited_can_only_be_dropped(
    ground: Ground, tmp_path: Path
) -> None:
    (first,) = payments_of(CITY, 1)
    with ground.open() as gateway:
        old = gateway.bring_card_list(listed(tmp_path, [cells(first, 1)])).object
        seen = gateway.statement(old, "take-list", A)
        taken(ground, gateway, listed(tmp_path, [cells(first, 2)], drawn_on="2026-08-25"))
        with pytest.raises((NotPermitted, DecisionRefused)):
            gateway.decide(seen, ground.signature(seen))
        assert [way.decision for way in gateway.ways(old)] == ["drop-list"]


def test_a_list_that_was_dropped_counts_no_more_and_may_be_brought_again(
    ground: Ground, tmp_path: Path
) -> None:
    path = listed(tmp_path, [cells(payments_of(CITY, 1)[0], 1)])
    with ground.open() as gateway:
        about = taken(ground, gateway, path)
        ground.decide(gateway, about, "drop-list", B)
        assert [one.counts for one in gateway.plan.card_lists()] == [False]
        assert gateway.ways(about) == []
        assert gateway.bring_card_list(path).object == "card-list:2"


def test_the_signature_is_of_this_list_alone(ground: Ground, tmp_path: Path) -> None:
    first, second = payments_of(CITY, 2)
    with ground.open() as gateway:
        one = gateway.bring_card_list(listed(tmp_path, [cells(first, 1)])).object
        other = gateway.bring_card_list(listed(tmp_path, [cells(second, 1)])).object
        signed = gateway.statement(one, "take-list", A)
        carried = msgspec.structs.replace(signed, object=other)
        with pytest.raises(DecisionRefused, match="has changed"):
            gateway.decide(carried, ground.signature(carried))


def test_two_lists_of_a_platform_cannot_be_in_force_even_for_the_database(
    ground: Ground, tmp_path: Path
) -> None:
    (first,) = payments_of(CITY, 1)
    with ground.open() as gateway:
        taken(ground, gateway, listed(tmp_path, [cells(first, 1)]))
        gateway.bring_card_list(listed(tmp_path, [cells(first, 2)]))
        with pytest.raises(Exception, match="UNIQUE constraint failed"):
            ground.rows("UPDATE card_list SET state = 'in_force', taken_at = 'x' WHERE list_pk = 2")


def test_nothing_is_kept_of_a_list_that_is_refused(ground: Ground, tmp_path: Path) -> None:
    (first,) = payments_of(CITY, 1)
    with ground.open() as gateway:
        with pytest.raises(InputRefused):
            gateway.bring_card_list(listed(tmp_path, [cells(first, 1)], count=2))
        taken(ground, gateway, listed(tmp_path, [cells(first, 1)]))
        with pytest.raises(Conflict):
            gateway.bring_card_list(listed(tmp_path, [cells(first, 1)], drawn_on="2026-08-19"))
        assert [one.object for one in gateway.plan.card_lists()] == ["card-list:1"]
    assert len(stored(ground)) == 2


# Whom it lets move.


def test_the_share_tells_how_many_passbook_payments_might_go_by_card(
    ground: Ground, bankgate: Commands, tmp_path: Path
) -> None:
    ground.bank(CITY)
    people = payments_of(CITY, 4)
    with ground.open() as gateway:
        ground.submit(gateway, [*by_passbook(people[:3]), people[3]])
        ground.run_to_the_end(gateway)
        assert [one.movable_count for one in gateway.plan.shares().rows] == [None, None]
        rows = [cells(people[0], 1), cells(people[1], 2), cells(people[3], 3)]
        taken(ground, gateway, listed(tmp_path, rows))
        shares = gateway.plan.shares()
        assert [(one.passbook_count, one.movable_count) for one in shares.rows] == [(3, 2), (3, 2)]
        assert shares.rows[0].movable_minor == people[0].amount_minor + people[1].amount_minor
        assert (shares.movable_persons, gateway.plan.shares(2025).movable_persons) == (2, 0)
    told = bankgate("share").out
    assert "card known" in told
    assert "2 persons were paid by passbook and their card is known" in told


def test_whoever_is_paid_by_passbook_and_has_a_card_is_listed_until_paid_by_card(
    ground: Ground, bankgate: Commands, tmp_path: Path
) -> None:
    people = payments_of(CITY, 3)
    books = by_passbook(people)
    with ground.open() as gateway:
        ground.submit(gateway, books, "BOOKS")
        rows = [cells(people[0], 1), cells(people[1], 2, 姓名="别名")]
        taken(ground, gateway, listed(tmp_path, rows))
        first, second = gateway.plan.movable()
        assert (first.payment_id, first.card, first.card_bank) == ("P-00001", "*" * 12 + card(1)[-4:], CITY)
        assert (first.card_list, first.drawn_on, first.remarks) == ("card-list:1", date(2026, 8, 20), [])
        assert (second.payment_id, second.remarks) == ("P-00002", [Remark.OTHER_NAME])
        assert list(gateway.plan.movable("区民政局")) == []
        later = msgspec.structs.replace(
            people[0], payment_id="C-1", account=card(1), period="2026-T1", reissue_of=""
        )
        ground.submit(gateway, [later], "CARDS")
        assert [one.payment_id for one in gateway.plan.movable(DEPARTMENT)] == ["P-00002"]
    out = tmp_path / "movable.csv"
    assert bankgate("cards", "movable", "--output", out).code == 0
    text = out.read_text("utf-8-sig")
    assert ("P-00002" in text, card(2) in text, people[1].beneficiary_id in text) == (True, False, False)


def test_a_card_at_a_bank_without_an_agreement_is_pointed_out(ground: Ground, tmp_path: Path) -> None:
    (one,) = payments_of(CITY, 1)
    for path in (ground.site.configuration.parent / "agreements").glob("*.toml"):
        text = path.read_text("utf-8")
        if f'"{DEPARTMENT}"' in text and f'"{ISO}"' in text:
            path.unlink()
    with ground.open() as gateway:
        ground.submit(gateway, by_passbook([one]))
        moved = {"社保卡银行": ISO, "社保卡银行账号": card(4, ISO)}
        taken(ground, gateway, listed(tmp_path, [cells(one, 1, **moved)]))
        (offer,) = gateway.plan.movable()
        assert (offer.card_bank, offer.remarks) == (ISO, [Remark.NOT_ENTRUSTED])


def test_an_account_that_is_not_the_beneficiarys_is_no_matter_of_a_list(
    ground: Ground, tmp_path: Path
) -> None:
    """It is the head's, or whom the family named: the card of somebody else of it is not asked for."""
    family = {
        "department": "区民政局",
        "programme": "城乡居民最低生活保障补贴",
        "period": "2026-09",
        "payee_kind": "household",
    }
    roles = (
        {"payee_role": "household_head"},
        {"payee_role": "household_head", "payee_name": "户主"},
        {"payee_role": "household_designated", "payee_name": "别人", "designation_reference": "D-1"},
    )
    books = [
        by_passbook(payments_of(CITY, 1, start=number, **family, **role), number)[0]
        for number, role in enumerate(roles)
    ]
    with ground.open() as gateway:
        ground.submit(gateway, books, "BOOKS")
        assert current(gateway) == {}
        taken(ground, gateway, listed(tmp_path, [cells(one, number) for number, one in enumerate(books)]))
        assert [one.payment_id for one in gateway.plan.movable()] == [books[0].payment_id]
        assert warned(gateway, "BOOKS") == {"card_known": [books[0].payment_id]}


def test_lists_of_two_platforms_that_disagree_know_nothing_of_the_person(
    ground: Ground, tmp_path: Path
) -> None:
    configuration = ground.site.configuration
    text = configuration.read_text("utf-8")
    configuration.write_text(text + '\n[platform.yibentong]\nname = "一本通"\nkind = "passbook"\n', "utf-8")
    people = payments_of(CITY, 3)
    with ground.open() as gateway:
        ground.submit(gateway, by_passbook(people))
        rows = [cells(one, number) for number, one in enumerate(people)]
        taken(ground, gateway, listed(tmp_path, rows))
        assert len(list(gateway.plan.movable())) == 3
        # Of the second another card; of the third the card is the first one's.
        others = [rows[0], cells(people[1], 8), cells(people[2], 2, 社保卡银行账号=card(0))]
        taken(ground, gateway, listed(tmp_path, others, platform="yibentong"))
        assert list(gateway.plan.movable()) == []
        ground.decide(gateway, "card-list:2", "drop-list", A)
        assert len(list(gateway.plan.movable())) == 3


def test_a_list_that_is_too_old_does_not_count(ground: Ground, tmp_path: Path) -> None:
    (one,) = payments_of(CITY, 1)
    with ground.open() as gateway:
        ground.submit(gateway, by_passbook([one]))
        taken(ground, gateway, listed(tmp_path, [cells(one, 1)], drawn_on="2026-08-31"))
        ground.clock.turn(days=365)
        assert len(list(gateway.plan.movable())) == 1
        ground.clock.turn(days=1)
        with pytest.raises(Unknown):
            list(gateway.plan.movable())
        assert gateway.plan.shares().movable_persons is None


def test_a_new_key_of_fingerprints_hides_nobody(ground: Ground, tmp_path: Path) -> None:
    """What was paid before it, and lists that were taken before it, are found."""
    first, second = payments_of(CITY, 2)
    with ground.open() as gateway:
        ground.submit(gateway, by_passbook([first]), "OLD")
        taken(ground, gateway, listed(tmp_path, [cells(first, 1), cells(second, 2)]))
    home = ground.site.configuration.parent
    new_master_key_file(home / "keys" / "fingerprint-2.key", "fingerprint-2")
    text = (home / "keys.toml").read_text("utf-8")
    added = (
        '\n[[key]]\nid = "fingerprint-2"\nrole = "fingerprint"\nenvironment = "test"\n'
        'valid_from = 2026-08-01T00:00:00Z\nkey = { file = "keys/fingerprint-2.key" }\n'
    )
    (home / "keys.toml").write_text(text + added, "utf-8")
    with ground.open() as gateway:
        ground.submit(gateway, by_passbook([second], 1), "NEW")
        assert [one.payment_id for one in gateway.plan.movable()] == [first.payment_id, second.payment_id]


# What did not arrive.


def test_a_failed_payment_goes_to_the_known_card_where_its_ending_was_read_from_the_card(
    ground: Ground, tmp_path: Path
) -> None:
    with ground.open() as gateway:
        old = failed(ground, gateway).payments[0]
        moved = {"社保卡银行": ISO, "社保卡银行账号": card(7, ISO)}
        taken(ground, gateway, listed(tmp_path, [cells(old, 1, **moved)]))
        (offer,) = gateway.plan.card_offers()
        assert (offer.payment_id, offer.state, offer.reason) == ("P-00001", "failed", "ACCOUNT_CLOSED")
        assert (offer.card_bank, offer.card[-4:]) == (ISO, card(7, ISO)[-4:])
        header = HEADER.replace("账号", "已知社保卡尾号")
        text = f"{header}P-00001,{card(7, ISO)[-4:]},王科员,2026-09-01,持卡人到场核实\n"
        made = gateway.plan.reissue(written(tmp_path, text), "AGAIN")
        (payment,) = made.payments
        assert (payment.bank, payment.account, payment.account_kind) == (ISO, card(7, ISO), AccountKind.CARD)
        assert (payment.bank_code, payment.social_card_number) == ("", "A00000001")
        assert payment.reissue_ground == "持卡人到场核实;卡折对照清单 card-list:1;核实人王科员;2026-09-01"
        assert (made.refused, made.hints) == ([], [])
        # It waits for two persons, as every corrected account without the platform's signature.
        receipt = gateway.submit(made.batch, made.payments)
        assert (receipt.accepted, receipt.released) == (1, False)
        assert list(gateway.plan.card_offers()) == []
        (verified,) = gateway.trace("P-00001-R1").verifications
        assert "card-list:1" in verified.ground
        assert {one.attribute for one in verified.corrected} >= {"bank", "account", "social_card_number"}


def test_a_known_card_is_never_taken_for_more_than_was_said_of_it(ground: Ground, tmp_path: Path) -> None:
    with ground.open() as gateway:
        old = failed(ground, gateway).payments[0]
        right = card(1)[-4:]
        others = {"payee_role": "other", "payee_name": "别人", "payee_ground": "依据"}
        for day, (cells_of, ending, changes, found) in enumerate(
            (
                ({}, "0000", {}, "ends otherwise"),
                ({"姓名": "别名"}, right, {}, "names the beneficiary otherwise"),
                ({"身份证号": "370902199001011235"}, right, {}, "no card list names"),
                ({}, right, {"beneficiary_name": "别名"}, "names the beneficiary otherwise"),
                ({}, right, others, "not the beneficiary's own"),
            ),
            start=10,
        ):
            path = listed(tmp_path, [cells(old, 1, **cells_of)], drawn_on=f"2026-08-{day}")
            taken(ground, gateway, path)
            made = gateway.plan.reissue([correction(card_ending=ending, changes=changes)], "AGAIN")
            (problem,) = made.refused
            assert (made.payments, problem.code) == ([], "known-card")
            assert found in problem.message


@pytest.mark.parametrize(("ending", "changes"), [("7", {}), ("", {"account": "6231920000000000017"})])
def test_an_ending_is_enough_digits_and_stands_alone(ending: str, changes: dict[str, str]) -> None:
    """Looked at before any list is asked."""
    own = {"bank": CITY, "beneficiary_id": "370902199001011235", "beneficiary_name": "王二"}
    found = _to_known_card(None, own | changes, correction(card_ending=ending or "0017", changes=changes))  # type: ignore[arg-type]
    assert isinstance(found, Problem)
    assert found.code == "known-card"


def test_without_a_list_that_counts_an_ending_says_nothing(ground: Ground) -> None:
    with ground.open() as gateway:
        failed(ground, gateway)
        made = gateway.plan.reissue([correction(card_ending="0017")], "AGAIN")
        assert ([one.code for one in made.refused], made.payments) == (["known-card"], [])


def test_an_account_stays_what_the_person_said_and_another_known_card_is_a_hint(
    ground: Ground, bankgate: Commands, tmp_path: Path
) -> None:
    with ground.open() as gateway:
        old = failed(ground, gateway).payments[0]
        taken(ground, gateway, listed(tmp_path, [cells(old, 1)]))
        made = gateway.plan.reissue([correction()], "AGAIN")
        (hint,) = made.hints
        assert made.payments[0].account == old.account
        assert (str(hint.severity), hint.code, card(1)[-4:] in hint.message) == ("warns", "known-card", True)
        assert card(1) not in hint.message
        said = gateway.plan.reissue([correction(changes={"account": card(1)})], "AGAIN")
        assert (said.payments[0].account, said.hints) == (card(1), [])
    path = written(tmp_path, f"{HEADER}P-00001,,王,2026-09-01,账户已解冻\n")
    told = bankgate("reissue", path, "--batch", "AGAIN", "--output", tmp_path / "again.jsonl")
    assert (told.code, "names the card" in told.err) == (0, True)


def test_the_card_that_failed_itself_is_not_offered(ground: Ground, tmp_path: Path) -> None:
    with ground.open() as gateway:
        old = failed(ground, gateway).payments[0]
        taken(ground, gateway, listed(tmp_path, [cells(old, 1, 社保卡银行账号=old.account)]))
        assert list(gateway.plan.card_offers()) == []


def test_whoever_had_no_card_and_has_one_now_is_offered(
    ground: Ground, bankgate: Commands, tmp_path: Path
) -> None:
    (one,) = payments_of(CITY, 1, account="")
    with ground.open() as gateway:
        gateway.submit(ground.write(ground.batch([one], "NONE"), [one]))
        taken(ground, gateway, listed(tmp_path, [cells(one, 1)]))
        (offer,) = gateway.plan.card_offers(batch_id="NONE")
        assert (offer.reason, offer.account) == ("NO_CARD", "")
        assert list(gateway.plan.card_offers(bank=ISO)) == []
    told = bankgate("cards", "offers")
    assert (told.code, "P-00001" in told.out, card(1) in told.out) == (1, True, False)


# Nothing follows a list by itself.


def test_a_payment_is_made_as_it_was_instructed_whatever_a_list_says(ground: Ground, tmp_path: Path) -> None:
    ground.bank(CITY)
    people = payments_of(CITY, 2)
    books = by_passbook(people)
    with ground.open() as gateway:
        taken(ground, gateway, listed(tmp_path, [cells(one, number) for number, one in enumerate(people)]))
        ground.submit(gateway, books)
        ground.run_to_the_end(gateway)
        assert current(gateway) == credited(books)
        paid = {one.account for one in ground.fronts[CITY].bank.paid()}
        assert paid == {one.account for one in books}


def warned(gateway: Gateway, batch_id: str) -> dict[str, list[str]]:
    return {str(one.kind): one.payment_ids for one in gateway.plan.early_warnings(batch_id)}


def test_early_warnings_tell_what_differs_from_a_list(
    ground: Ground, bankgate: Commands, tmp_path: Path
) -> None:
    people = payments_of(CITY, 6)
    rows = [cells(one, number) for number, one in enumerate(people)]
    rows[3]["姓名"] = "别名"
    right = [msgspec.structs.replace(one, account=card(number)) for number, one in enumerate(people)]
    right[1] = msgspec.structs.replace(right[1], account=card(77))  # a card that the list does not know
    right[2] = msgspec.structs.replace(right[2], account=card(5))  # the sixth one's
    right[4] = by_passbook([people[4]], 4)[0]
    with ground.open() as gateway:
        ground.submit(gateway, right[:5], "WATCHED")
        assert warned(gateway, "WATCHED") == {}
        taken(ground, gateway, listed(tmp_path, rows))
        assert warned(gateway, "WATCHED") == {
            "anothers_account": ["P-00003"],
            "other_card": ["P-00002"],
            "other_name": ["P-00004"],
            "card_known": ["P-00005"],
        }
    told = bankgate("warnings", "WATCHED")
    assert (told.code, "1 payments go to accounts that a card list gives to other persons" in told.out) == (
        1,
        True,
    )


def test_card_and_passbook_of_one_person_are_repeats_whatever_a_list_says(
    ground: Ground, tmp_path: Path
) -> None:
    """The same person is told by the ID: 15 and 18 digits, by card and by passbook, of either platform."""
    configuration = ground.site.configuration
    text = configuration.read_text("utf-8")
    configuration.write_text(text + '\n[platform.yibentong]\nname = "一本通"\nkind = "passbook"\n', "utf-8")
    for path in (configuration.parent / "agreements").glob("*.toml"):
        edit(path, 'platforms         = ["yikatong"]', 'platforms = ["*"]')
    (one,) = payments_of(CITY, 1, beneficiary_id="370902199001011235")
    (book,) = by_passbook([msgspec.structs.replace(one, payment_id="BB-1", beneficiary_id="370902900101123")])
    with ground.open() as gateway:
        ground.submit(gateway, [one], "CARDS")
        batch = ground.batch([book], "BOOKS", source_platform="yibentong")
        receipt = gateway.submit(ground.write(batch, [book]))
        assert receipt.held == 1


# Commands.


def test_the_commands_check_take_and_list(ground: Ground, bankgate: Commands, tmp_path: Path) -> None:
    people = payments_of(CITY, 2)
    path = listed(tmp_path, [cells(people[0], 1), cells(people[1], 2, 身份证号="1")])
    checked = bankgate("cards", "check", path)
    assert (checked.code, "1 rows, 1 persons; 1 rows left out" in checked.out) == (1, True)
    assert "row 7 column beneficiary_id" in checked.err
    who = ("--as", A, "--key", ground.person_key(A))
    assert bankgate("cards", "list").out.strip() == "0 lists count"
    told = bankgate("cards", "take", path, *who)
    assert (told.code, f"card-list:1 take-list: carried out, signed by {A}" in told.out) == (0, True)
    again = bankgate("cards", "take", path, *who, "--json")
    assert (again.code, json.loads(again.out)["brought_before"]) == (0, True)
    assert "1 lists count" in bankgate("cards", "list").out
    dropped = bankgate("held", "drop-list", "card-list:1", *who)
    assert dropped.code == 0
    assert bankgate("cards", "movable").code == 2
    (one,) = json.loads(bankgate("cards", "list", "--json").out)
    assert (one["state"], one["counts"]) == ("ended", False)
    assert bankgate("cards", "check", tmp_path / "absent.csv").code == 3
