"""What one person has begun: shown, completed by keys that may decide, ended; and what decisions reach."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway import DecisionRefused, ExitCode, Gateway, Place
from gateway.audit.verify import verify
from gateway.ledger.holds import hold_bank
from gateway.persons import decisions
from gateway.sending.dispatch import dispatch
from gateway.texts import ENGLISH, Words
from keys.person_key import new_person_key
from keys.private import load_signer
from keys.statement import sign_statement
from tests.gateway.commands import Commands
from tests.gateway.sites import CITY, PERSONS, Ground, edit, payments_of

A, B = PERSONS


def by(ground: Ground, person: str) -> tuple[object, ...]:
    return "--as", person, "--key", ground.person_key(person)


def renew(ground: Ground, bankgate: Commands, person: str, name: str = "second") -> Path:
    """Another key for somebody; the private half."""
    private = ground.site.folder / f"{name}.pem"
    new_person_key(private, "ec-p256", None)
    arguments = ("--public-key", private.with_suffix(".pub"), "--renew")
    assert bankgate("operator", "add", person, *arguments).code == ExitCode.DONE
    ground.clock.turn(seconds=2)
    return private


def sign(gateway: Gateway, about: str, decision: str, person: str, key: Path) -> bool:
    statement = gateway.statement(about, decision, person)
    return gateway.decide(statement, sign_statement(load_signer(person, key), statement.to_bytes()))


# What was begun is shown.


def test_a_begun_withdrawal_of_a_released_batch_is_shown(ground: Ground, bankgate: Commands) -> None:
    with ground.open() as gateway:
        about = f"batch:yikatong/{ground.submit(gateway, payments_of(CITY, 2))}"
        assert (gateway.held(), gateway.needs_person()) == ([], False)
        assert ground.decide(gateway, about, "withdraw", A) == [False]
        assert gateway.needs_person()
        (item,) = gateway.held()
        way = next(way for way in item.ways if way.decision == "withdraw")
        assert (item.object, way.persons, way.persons_needed) == (about, [A], 2)
        assert [(one.person, one.signed_at, one.counts) for one in way.signatures] == [
            (A, ground.clock.now().isoformat(), True)
        ]
    shown = bankgate("held")
    assert shown.code == ExitCode.NEEDS_PERSON
    assert f"{about}  begun, and wants another person: withdraw" in shown.out
    assert f"signed by {A} on 2026-09-01 10:00:00+08; still needed: 1" in shown.out
    (told,) = json.loads(bankgate("held", "--json").out)
    assert told["said"] == {"key": "held_begun", "values": ["withdraw"]}
    assert bankgate("run").code == ExitCode.NEEDS_PERSON


def test_a_begun_decision_about_a_paid_payment_is_shown(ground: Ground) -> None:
    ground.bank(CITY)
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 1))
        ground.run_to_the_end(gateway)
        about = "payment:yikatong/P-00001"
        assert ground.decide(gateway, about, "returned", A) == [False]
        assert [item.object for item in gateway.held()] == [about]
        assert ground.decide(gateway, about, "returned", B) == [True]
        assert gateway.held() == []


def test_what_waits_anyway_is_not_shown_twice(ground: Ground) -> None:
    with ground.open() as gateway:
        payments = payments_of(CITY, 2)
        gateway.submit(ground.write(ground.batch(payments, "B-1"), payments))
        ground.decide(gateway, "batch:yikatong/B-1", "release", A)
        assert [item.said.key for item in gateway.held()] == ["held_batch_not_released"]


def test_a_begun_decision_about_what_has_changed_since_is_over(ground: Ground) -> None:
    with ground.open() as gateway:
        about = f"batch:yikatong/{ground.submit(gateway, payments_of(CITY, 2))}"
        ground.decide(gateway, about, "withdraw", A)
        ground.decide(gateway, about, "hold", A)
        ground.decide(gateway, about, "resume", A, B)
        assert gateway.held() == []
        assert ground.decide(gateway, about, "withdraw", B) == [False]


def test_who_does_not_agree_ends_what_was_begun(ground: Ground) -> None:
    with ground.open() as gateway:
        about = f"batch:yikatong/{ground.submit(gateway, payments_of(CITY, 2))}"
        assert "drop" not in [way.decision for way in gateway.ways(about)]
        ground.decide(gateway, about, "withdraw", A)
        assert ground.decide(gateway, about, "drop", B) == [True]
        assert gateway.held() == []
        # The first signature is over: both are wanted anew.
        assert ground.decide(gateway, about, "withdraw", B, A) == [False, True]


def test_another_letter_is_told_to_the_second_person(ground: Ground, bankgate: Commands) -> None:
    ground.bank(CITY)
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 1))
        ground.run_to_the_end(gateway)
    about, letters = "payment:yikatong/P-00001", []
    for person in PERSONS:
        letter = ground.site.folder / f"{person}.txt"
        letter.write_text(person)
        letters.append(letter)
    first = bankgate("resolve", about, "returned", "--evidence", letters[0], *by(ground, A))
    assert (first.code, "another letter" in first.out) == (ExitCode.NEEDS_PERSON, False)
    (item,) = json.loads(bankgate("held", "--json").out)
    (digest,) = item["ways"][0]["exhibits"]
    second = bankgate("resolve", about, "returned", "--evidence", letters[1], *by(ground, B))
    assert second.code == ExitCode.NEEDS_PERSON
    assert f"another letter, sha256:{digest}" in second.out
    third = bankgate("resolve", about, "returned", "--evidence", f"sha256:{digest}", *by(ground, B))
    assert (third.code, f"carried out, signed by {A}, {B}" in third.out) == (ExitCode.DONE, True)


# Whose signature counts.


@pytest.fixture
def waiting(ground: Ground) -> str:
    with ground.open() as gateway:
        payments = payments_of(CITY, 2)
        gateway.submit(ground.write(ground.batch(payments, "B-1"), payments))
        ground.decide(gateway, "batch:yikatong/B-1", "release", A)
    return "batch:yikatong/B-1"


def test_a_signature_counts_no_more_when_its_key_has_ended(
    ground: Ground, bankgate: Commands, waiting: str
) -> None:
    renew(ground, bankgate, A)
    with ground.open() as gateway:
        way = next(way for way in gateway.ways(waiting) if way.decision == "release")
        assert (way.persons, [one.counts for one in way.signatures]) == ([], [False])
        assert ground.decide(gateway, waiting, "release", B) == [False]
    assert f"signed by {A} on 2026-09-01 10:00:00+08 with a key that may not decide" in bankgate("held").out


def test_who_has_another_key_signs_anew(ground: Ground, bankgate: Commands, waiting: str) -> None:
    key = renew(ground, bankgate, A)
    with ground.open() as gateway:
        assert sign(gateway, waiting, "release", A, key) is False
        with pytest.raises(DecisionRefused, match="has decided this already"):
            sign(gateway, waiting, "release", A, key)
        assert ground.decide(gateway, waiting, "release", B) == [True]
        assert [row[0] for row in ground.rows("SELECT person FROM decision ORDER BY decision_pk")] == [
            A,
            A,
            B,
        ]
        exported = gateway.audit_export(ground.site.folder / "bundle")
    assert verify(exported.folder).findings == []


def test_who_left_and_came_back_signs_anew(ground: Ground, bankgate: Commands, waiting: str) -> None:
    assert bankgate("operator", "remove", A).code == ExitCode.DONE
    ground.clock.turn(seconds=2)
    key = ground.site.folder / "third.pem"
    new_person_key(key, "ec-p256", None)
    assert bankgate("operator", "add", A, "--public-key", key.with_suffix(".pub")).code == ExitCode.DONE
    with ground.open() as gateway:
        assert sign(gateway, waiting, "release", A, key) is False
        assert ground.decide(gateway, waiting, "release", B) == [True]


def test_an_auditor_finds_a_decision_that_rests_on_an_ended_key(
    ground: Ground, bankgate: Commands, waiting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    renew(ground, bankgate, A)

    def whoever(installation: object, at: object) -> set[tuple[str, str]]:
        return {(name, name) for name in PERSONS}

    monkeypatch.setattr(decisions, "keys_in_force", whoever)
    with ground.open() as gateway:
        assert ground.decide(gateway, waiting, "release", B) == [True]
        exported = gateway.audit_export(ground.site.folder / "bundle")
    (finding,) = verify(exported.folder).findings
    assert f"by a signature of {A}, whose key {A} was not in force then" in finding.message


# What a decision reaches, in count and money.


def test_a_withdrawal_says_what_had_left(ground: Ground, bankgate: Commands) -> None:
    edit(ground.profile_path(CITY), "records_per_file = 100000", "records_per_file = 2")
    ground.bank(CITY)
    payments = payments_of(CITY, 4)
    with ground.open() as gateway:
        batch = ground.submit(gateway, payments)
        list(dispatch(gateway.installation, gateway.installation.profile(CITY)))
        ground.decide(gateway, f"file:{CITY}/{gateway.files()[1].name}", "hold", A)
        gateway.run()
    held = bankgate("hold", batch, *by(ground, A))
    assert held.code == ExitCode.DONE
    assert "as it stands: stopped here 2, 205.05 yuan; left, with the bank 2, 201.01 yuan" in held.out
    bankgate("withdraw", batch, *by(ground, A))
    second = bankgate("withdraw", batch, *by(ground, B), "--json")
    told = json.loads(second.out)
    assert told["carried_out"] is True
    assert told["before"] == [
        {"place": "stopped", "count": 2, "instructed_minor": 205_05},
        {"place": "with_bank", "count": 2, "instructed_minor": 201_01},
    ]
    assert told["after"] == [
        {"place": "with_bank", "count": 2, "instructed_minor": 201_01},
        {"place": "taken_back", "count": 2, "instructed_minor": 205_05},
    ]


def test_a_release_says_what_may_leave_and_a_hold_what_was_paid(ground: Ground, bankgate: Commands) -> None:
    ground.bank(CITY)
    payments = payments_of(CITY, 2)
    path = ground.write(ground.batch(payments, "B-1"), payments)
    bankgate("submit", path)
    assert "not released 2, 201.01 yuan" in bankgate("held").out
    assert "as it stands: not released 2, 201.01 yuan" in bankgate("release", "B-1", *by(ground, A)).out
    said = bankgate("release", "B-1", *by(ground, B)).out
    assert "before: not released 2, 201.01 yuan" in said
    assert "now: may leave 2, 201.01 yuan" in said
    with ground.open() as gateway:
        ground.run_to_the_end(gateway)
    assert "as it stands: paid 2, 201.01 yuan" in bankgate("hold", "B-1", *by(ground, A)).out


def test_a_redispatched_file_says_what_goes_again(ground: Ground) -> None:
    ground.bank(CITY, "reject")
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 2))
        ground.run_to_the_end(gateway)
        (item,) = gateway.held()
        assert [(one.place, one.count) for one in item.whereabouts] == [(Place.REFUSED, 2)]
        ground.decide(gateway, item.object, "redispatch", A)
        statement = gateway.statement(item.object, "redispatch", B)
        decided = gateway.sign(statement, ground.signature(statement))
        assert [(one.place, one.instructed_minor) for one in decided.after] == [(Place.MAY_LEAVE, 201_01)]


@pytest.mark.parametrize("name", [f"place_{place}" for place in Place])
def test_every_place_has_a_word(name: str) -> None:
    assert ENGLISH[name] != Words("zh")[name]


# Holds of a bank, one for each cause.


def fault(ground: Ground, gateway: Gateway) -> None:
    with gateway.installation.ledger.write() as transaction:
        hold_bank(transaction, CITY, "refused", "the login was refused", ground.clock.now())


def causes(ground: Ground) -> list[object]:
    return [row[0] for row in ground.rows("SELECT cause FROM bank_hold ORDER BY cause")]


def test_clearing_a_fault_leaves_a_colleagues_hold(ground: Ground) -> None:
    about = f"bank:{CITY}"
    with ground.open() as gateway:
        ground.decide(gateway, about, "hold", A)
        fault(ground, gateway)
        assert [way.decision for way in gateway.ways(about)] == ["resume", "clear"]
        assert ground.decide(gateway, about, "clear", B) == [True]
        assert causes(ground) == ["operator"]
        fault(ground, gateway)
        assert ground.decide(gateway, about, "resume", A, B) == [False, True]
        assert causes(ground) == ["refused"]
        events = ground.rows("SELECT kind, body FROM event WHERE kind LIKE 'bank %' ORDER BY event_pk")
        # What stays is told once more after `bank hold cleared`.
        assert [kind for kind, _ in events] == [
            "bank held",
            "bank hold cleared",
            "bank held",
            "bank hold cleared",
            "bank fault",
        ]


def test_the_reason_of_a_hold_is_kept_sealed_and_shown(ground: Ground, bankgate: Commands) -> None:
    with ground.open() as gateway:
        batch = ground.submit(gateway, payments_of(CITY, 1))
    reason = "张三 asked to wait"
    assert bankgate("hold", batch, "--reason", reason, *by(ground, A)).code == ExitCode.DONE
    assert f"held by {A} since 2026-09-01 10:00:00+08, because: {reason}" in bankgate("held").out
    assert bankgate("hold", f"bank:{CITY}", *by(ground, B)).code == ExitCode.DONE
    shown = bankgate("held").out
    assert f"held by {B} since 2026-09-01 10:00:00+08, because: no reason was given" in shown
    (bank, held) = json.loads(bankgate("held", "--json").out)
    assert (bank["stopped"]["person"], held["stopped"]["reason"]) == (B, reason)
    for path in ground.site.configuration.parent.rglob("*"):
        assert not path.is_file() or reason.encode() not in path.read_bytes(), path
    long = bankgate("hold", f"bank:{CITY}", "--reason", "x" * 301, *by(ground, B))
    assert (long.code, "at most 300 characters" in long.err) == (ExitCode.REFUSED_INPUT, True)
    wrong = bankgate("held", "resume", f"bank:{CITY}", "--reason", "x", *by(ground, B))
    assert (wrong.code, "takes no reason" in wrong.err) == (ExitCode.REFUSED_INPUT, True)


def test_an_oddity_shows_what_is_kept_of_it(ground: Ground, bankgate: Commands) -> None:
    (ground.inbox(CITY) / "strange.txt").write_bytes(b"words")
    with ground.open() as gateway:
        ground.take(gateway)
        (item,) = gateway.held()
        ((digest,),) = ground.rows("SELECT exhibit FROM oddity")
        assert item.exhibit == digest != ""
    assert f"bankgate exhibit sha256:{digest} --output FILE" in bankgate("held").out
