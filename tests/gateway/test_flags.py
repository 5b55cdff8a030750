"""What a flag says of its file is compared; what replaces a file within one second is seen."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import Gateway
from gateway.settlement.flags import FLAG_FIELDS, Flag, read_flag
from tests.gateway.answers import Answers, file_of
from tests.gateway.sites import PERSONS, RURAL, Ground, credited, current, edit, payments_of, states

TEMPLATE = "{name}|{size}|{sha256}|{count}|{total}"
RESULT = 'pattern   = "{stem}_HP{number:1}.txt"\ncomplete  = "flag"\n'


class Flagged:
    """One file at the rural bank, whose results come with a flag."""

    def __init__(self, ground: Ground, gateway: Gateway) -> None:
        self.ground, self.gateway = ground, gateway
        self.payments = payments_of(RURAL, 3)
        ground.submit(gateway, self.payments)
        gateway.run()
        self.answers = Answers(gateway, RURAL, file_of(gateway, RURAL))
        self.name = self.answers.name("result", 1)
        self.total = sum(payment.amount_minor for payment in self.payments)

    def post(self, code: str = "AAAAAAA") -> bytes:
        """A result in which the second payment has this code; its bytes as they lie there."""
        rows = self.answers.paid(self.payments)
        rows[1].code = code
        self.ground.post(RURAL, self.name, self.answers.result(rows))
        signature = self.ground.inbox(RURAL) / f"{self.name}.p7s"
        os.utime(signature, times=(self.ground.clock.now().timestamp(),) * 2)
        return (self.ground.inbox(RURAL) / self.name).read_bytes()

    def flag(self, text: str = "") -> None:
        path = self.ground.inbox(RURAL) / f"{self.name}.ok"
        path.write_text(text, "utf-8")
        os.utime(path, times=(self.ground.clock.now().timestamp(),) * 2)

    def oddities(self) -> list[str]:
        return [item.message.partition(": ")[2] for item in self.gateway.held()]


@pytest.fixture
def flagged(ground: Ground) -> Iterator[Flagged]:
    edit(ground.profile_path(RURAL), RESULT, f'{RESULT}flag_content = "{TEMPLATE}"\n')
    with ground.open() as gateway:
        yield Flagged(ground, gateway)


def test_a_simulated_bank_writes_flags_that_fit(ground: Ground) -> None:
    edit(ground.profile_path(RURAL), RESULT, f'{RESULT}flag_content = "{TEMPLATE}"\n')
    payments = payments_of(RURAL, 4)
    with ground.open() as gateway:
        ground.bank(RURAL, "fee-lines", profile_of=gateway)
        ground.submit(gateway, payments)
        ground.run_to_the_end(gateway)
        assert (current(gateway), states(gateway)) == (credited(payments), ["settled"])
        assert gateway.needs_person() is False
    assert [said for (said,) in ground.rows("SELECT flag FROM received WHERE kind = 'result'")] == [
        f'{{"count":4,"total":{sum(payment.amount_minor for payment in payments)}}}'
    ]


def test_a_file_that_its_flag_contradicts_is_not_taken_until_one_of_them_changes(flagged: Flagged) -> None:
    content = flagged.post()
    digest = hashlib.sha256(content).hexdigest()
    right = f"{flagged.name}|{len(content)}|{digest}|3|{flagged.total}"
    for number, (wrong, why) in enumerate(
        [
            ("ready", "the flag is not of the form that the profile says: it was not taken"),
            (right.replace("HP1", "HP2"), "the flag names another file: it was not taken"),
            (
                right.replace(f"|{len(content)}|", "|7|"),
                f"the flag says 7 bytes, {len(content)} were fetched: it was not taken",
            ),
            (
                right.replace(digest, "0" * 64),
                "the flag has another SHA-256 than what was fetched: it was not taken",
            ),
        ],
        start=1,
    ):
        flagged.flag(wrong)
        flagged.ground.take(flagged.gateway)
        assert (len(flagged.oddities()), flagged.oddities()[-1]) == (number, why)
        assert current(flagged.gateway) == {}
    flagged.flag(right)
    flagged.ground.take(flagged.gateway)
    assert (current(flagged.gateway), states(flagged.gateway)) == (credited(flagged.payments), ["settled"])


@pytest.mark.parametrize(("count", "more_minor"), [(2, 0), pytest.param(3, 1, marks=pytest.mark.heavy)])
def test_a_flag_that_counts_otherwise_holds_the_file(flagged: Flagged, count: int, more_minor: int) -> None:
    content = flagged.post()
    digest = hashlib.sha256(content).hexdigest()
    flagged.flag(f"{flagged.name}|{len(content)}|{digest}|{count}|{flagged.total + more_minor}")
    flagged.ground.take(flagged.gateway)
    assert [problem.code for row in flagged.gateway.received() for problem in row.problems] == [
        "flag-differs"
    ]
    assert current(flagged.gateway) == {}
    (item,) = flagged.gateway.held()
    flagged.ground.decide(flagged.gateway, item.object, "accept", *PERSONS)
    flagged.gateway.run()
    assert current(flagged.gateway) == credited(flagged.payments)


def test_other_bytes_of_the_same_size_within_one_second_are_seen(ground: Ground) -> None:
    """The server tells whole seconds: size and time of both are the same."""
    with ground.open() as gateway:
        flagged = Flagged(ground, gateway)
        first = flagged.post()
        flagged.flag()
        gateway.run()
        assert current(gateway) == credited(flagged.payments)
        before = (ground.inbox(RURAL) / flagged.name).stat()
        second = flagged.post("41")
        after = (ground.inbox(RURAL) / flagged.name).stat()
        assert (first != second, before.st_size, before.st_mtime) == (True, after.st_size, after.st_mtime)
        ground.clock.turn(seconds=10)
        gateway.run()
        assert current(gateway)["P-00002"] == ("unknown", "CONTRADICTED", flagged.payments[1].amount_minor)
        assert flagged.oddities()[:1] == [
            "other bytes than before lie under this name: both were taken, ask the bank why"
        ]


def test_bytes_that_come_back_are_looked_at_once_more_and_not_for_ever(ground: Ground) -> None:
    """First, other, first again: the last is known, and is not what was known last under that name."""
    events = "SELECT COUNT(*) FROM event WHERE kind IN ('received', 'received again', 'oddity')"
    with ground.open() as gateway:
        flagged = Flagged(ground, gateway)
        inbox, lies = ground.inbox(RURAL), {}
        for code in ("AAAAAAA", "41", "AAAAAAA"):
            if code not in lies:
                flagged.post(code)
                lies[code] = [
                    (inbox / name, (inbox / name).read_bytes())
                    for name in (flagged.name, f"{flagged.name}.p7s")
                ]
            # Signed at another time it would be another file.
            for path, content in lies[code]:
                path.write_bytes(content)
                os.utime(path, times=(ground.clock.now().timestamp(),) * 2)
            flagged.flag()
            gateway.run()
            ground.clock.turn(seconds=10)
        gateway.run()
        seen = ground.rows(events)
        for _ in range(3):
            ground.clock.turn(seconds=10)
            gateway.run()
        assert ground.rows(events) == seen


def test_a_flag_that_lay_alone_before_its_file_does_not_make_it_new_for_ever(ground: Ground) -> None:
    """The flag alone is told as strange; it comes again, later, with its file."""
    events = "SELECT COUNT(*) FROM event WHERE kind IN ('received', 'received again')"
    edit(ground.profile_path(RURAL), 'archive          = "archive"\n', "")
    with ground.open() as gateway:
        flagged = Flagged(ground, gateway)
        flagged.flag()
        ground.take(gateway)
        assert ["no pattern of the profile" in text for text in flagged.oddities()] == [True]
        flagged.post()
        flagged.flag()
        ground.take(gateway)
        assert current(gateway) == credited(flagged.payments)
        for _ in range(3):
            ground.clock.turn(seconds=10)
            gateway.run()
        assert ground.rows(events) == [(1,)]


def test_a_blank_is_no_success_of_a_file_that_only_results_settled(ground: Ground) -> None:
    """Nobody said that the bank took the file; one result calls a payment failed, the next leaves a blank."""
    with ground.open() as gateway:
        flagged = Flagged(ground, gateway)
        flagged.post("41")
        flagged.flag()
        ground.take(gateway)
        assert states(gateway) == ["settled"]
        flagged.post("")
        flagged.flag()
        ground.take(gateway)
        held = [row for row in gateway.received() if row.problems]
        assert [[problem.code for problem in row.problems] for row in held] == [["blank-success"]]
        assert current(gateway)["P-00002"][0] == "failed"


def test_nothing_is_archived_before_its_second_is_over_and_looked_at_once(ground: Ground) -> None:
    fetched = "SELECT fetched FROM sighting WHERE name LIKE '%HP1.txt'"
    with ground.open() as gateway:
        flagged = Flagged(ground, gateway)
        flagged.post()
        flagged.flag()
        gateway.run()
        gateway.run()
        assert ground.rows(fetched) == [(2,)]
        assert (ground.inbox(RURAL) / flagged.name).exists()
        ground.clock.turn(seconds=2)
        gateway.run()
        assert ground.rows(fetched) == [(1,)]
        assert not (ground.inbox(RURAL) / flagged.name).exists()
        kinds = [kind for (kind,) in ground.rows("SELECT kind FROM event")]
        assert (kinds.count("received"), kinds.count("received again")) == (1, 0)


@given(st.binary(max_size=120), st.sampled_from([TEMPLATE, "{size}", "SIZE={size} SUM={total}", "ready"]))
def test_any_flag_is_read_or_is_not_of_the_form(content: bytes, template: str) -> None:
    flag = read_flag(content, template)
    assert flag is None or isinstance(flag, Flag)
    if "{" not in template:
        assert (flag is None) == (content.decode("utf-8", "replace").strip() != template)


@given(
    st.fixed_dictionaries(
        {
            "name": st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=40),
            "size": st.integers(0, 10**12),
            "sha256": st.binary(max_size=8).map(lambda raw: hashlib.sha256(raw).hexdigest()),
            "count": st.integers(0, 10**6),
            "total": st.integers(0, 10**15),
        }
    ),
    st.permutations(FLAG_FIELDS),
)
def test_what_is_written_is_read(values: dict[str, object], order: list[str]) -> None:
    template = "\t".join(f"{{{field}}}" for field in order)
    content = "\t".join(str(values[field]) for field in order)
    assert read_flag(f"{content}\r\n".encode(), template) == Flag(**values)
