"""Statements: every booking once, charges as findings, and what contradicts the results for a person."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from formats import FeeKind, Payment
from gateway import EntryKind, ExitCode, Gateway
from gateway.audit.verify import verify
from gateway.money import money
from gateway.screens import screen
from gateway.texts import Words
from tests.evidence.forger import Forger
from tests.gateway.answers import Answers, file_of
from tests.gateway.commands import Commands
from tests.gateway.shapes import STATEMENT, Told, add_statements
from tests.gateway.sites import RURAL, Ground, credited, current, payments_of, states

DAY = date(2026, 9, 1)


class Account(Told):
    """The rural bank, which sends statements besides."""

    def __init__(self, ground: Ground, gateway: Gateway, payments: Sequence[Payment]) -> None:
        self.gateway, self.ground, self.payments = gateway, ground, payments

    def line(
        self,
        item: int = 0,
        *,
        direction: str = "D",
        minor: int = 0,
        serial: str = "",
        file: str = "",
        name: str = "",
        text: str = "",
        day: str = "20260901",
    ) -> str:
        amount = minor or self.payments[item - 1].amount_minor
        reference = self.reference(item) if item else ""
        yuan = f"{amount // 100}.{amount % 100:02d}"
        return f"{day},{direction},{yuan},{serial},{reference},{file},{name},{text}"

    def book(self, lines: list[str], number: int = 1) -> None:
        minor = sum(int(line.split(",")[2].replace(".", "")) for line in lines)
        head = f"#,{len(lines)},{minor // 100}.{minor % 100:02d}"
        self.say(f"DZ20260901_{number:03d}.csv", "".join(f"{line}\n" for line in (head, *lines)))

    def result(self, failed: tuple[int, ...] = ()) -> None:
        """The bank's own result, by its shipped layout."""
        answers = Answers(self.gateway, RURAL, file_of(self.gateway, RURAL))
        rows = answers.paid(self.payments)
        for item in failed:
            rows[item - 1].code = "41"
        self.say(answers.name("result", 1), answers.result(rows))

    def told(self) -> list[str]:
        """What waits for a person."""
        return [item.message for item in self.gateway.held()]

    def kinds(self) -> list[tuple[str, str, int | None]]:
        return [(one.kind, one.payment_id, one.amount_minor) for one in self.gateway.statement_entries()]


@pytest.fixture
def account(ground: Ground) -> object:
    add_statements(ground)
    with ground.open() as gateway:
        account = Account(ground, gateway, payments_of(RURAL, 4))
        account.send()
        yield account


def test_bookings_are_matched_and_change_no_outcome(account: Account) -> None:
    account.result(failed=(3,))
    before = current(account.gateway)
    lines = [
        account.line(1, serial="B1"),
        account.line(2, serial="B2", name="张三丰", text="代发"),
        account.line(3, serial="B3"),
        account.line(3, serial="B4", direction="C", text="退汇"),
        account.line(minor=50, serial="B5", text="8月手续费"),
        account.line(minor=700_00, serial="B6", text="购买凭证"),
        account.line(minor=1_000_000_00, serial="B7", direction="C", text="拨款"),
        account.line(minor=5, serial="B8", file=account.gateway.files()[0].name),
    ]
    account.book(lines)
    amounts = [payment.amount_minor for payment in account.payments]
    assert account.kinds() == [
        ("payment", "P-00001", amounts[0]),
        ("payment", "P-00002", amounts[1]),
        ("payment", "P-00003", amounts[2]),
        ("return", "P-00003", amounts[2]),
        ("fee", "", 50),
        ("other", "", 700_00),
        ("other", "", 1_000_000_00),
        ("payment", "", 5),
    ]
    assert (current(account.gateway), states(account.gateway)) == (before, ["settled"])
    findings = [(one.kind, one.amount_minor, one.file_name) for one in account.gateway.findings()]
    assert findings == [(FeeKind.FEE_LINE, 50, ""), (FeeKind.UNEXPLAINED_DEBIT, 700_00, "")]
    assert account.told() == []
    entries = list(account.gateway.statement_entries())
    assert entries[-1].file_name == account.gateway.files()[0].name
    assert entries[1].text is not None
    assert json.loads(account.gateway.bank_text(entries[1].text)) == {
        "text": "代发",
        "party_name": "张三丰",
        "reference": account.reference(2),
    }
    assert "张三丰".encode() not in account.ground.ledger_path.read_bytes()
    assert account.gateway.trace("P-00003").entries == entries[2:4]


def test_a_story_tells_what_statements_book(
    account: Account, bankgate: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of a payment of which no result ever came: the money left."""
    account.book([account.line(1, serial="B1"), account.line(2, serial="B2", direction="C")])
    first, second = (money(payment.amount_minor) for payment in account.payments[:2])
    told = bankgate("trace", account.payments[0].payment_id).out
    assert f"statement of the bank 2026-09-01: money left {first} [evidence " in told
    told = bankgate("trace", account.payments[1].payment_id).out
    assert f"statement of the bank 2026-09-01: money came back {second} [evidence " in told
    monkeypatch.setattr(screen, "_words", Words("zh"))
    assert "银行对账单 2026-09-01:支出 " in bankgate("trace", account.payments[0].payment_id).out


def test_every_booking_is_taken_once(account: Account) -> None:
    """In another statement of the same day, whatever else stands there, alike ones counted."""
    twins = [account.line(minor=100, text="a"), account.line(minor=100, text="b")]
    first = [account.line(1, serial="B1"), twins[0], account.line(2, serial="B2")]
    account.book(first)
    account.book([*reversed(first), twins[1], account.line(3, serial="B3")], 2)
    assert [one.amount_minor for one in account.gateway.statement_entries()] == [
        account.payments[0].amount_minor,
        100,
        account.payments[1].amount_minor,
        100,
        account.payments[2].amount_minor,
    ]
    assert len(list(account.gateway.findings())) == 2
    events = account.ground.rows(
        "SELECT json_extract(body, '$.entries'), json_extract(body, '$.known_entries') FROM event"
        " WHERE kind = 'received file settled' AND body LIKE '%known_entries%'"
    )
    assert events == [(3, 0), (2, 3)]


@pytest.mark.parametrize("results_first", [True, False])
def test_what_contradicts_the_results_is_for_a_person(account: Account, results_first: bool) -> None:
    lines = [
        account.line(1, serial="B1"),
        account.line(2, serial="B2"),
        account.line(2, serial="B3", direction="C"),
        account.line(3, serial="B4"),
        account.line(3, serial="B5"),
        account.line(4, serial="B6", minor=1),
    ]
    if results_first:
        account.result(failed=(1,))
    account.book(lines)
    if not results_first:
        account.result(failed=(1,))
    # Each time that more is known it is told anew.
    assert account.told()[-1] == (
        f"{RURAL} {account.gateway.files()[0].name}: statements and results differ:"
        " booked with less than instructed, and reported as credited: 1 (P-00004);"
        " booked with more than instructed: 1 (P-00003); booked, and reported as failed: 1 (P-00001);"
        " came back, and reported as credited: 1 (P-00002)"
    )
    expected = credited(account.payments) | {"P-00001": ("failed", "ACCOUNT_NOT_FOUND", None)}
    assert current(account.gateway) == expected
    for item in account.gateway.held():
        account.ground.decide(account.gateway, item.object, "close", "reviewer-a")
    account.book([account.line(minor=5, serial="B99", direction="C")], 2)
    assert account.told() == []


def test_a_failure_that_was_booked_and_came_back_fits(account: Account) -> None:
    account.result(failed=(2,))
    account.book([account.line(2, serial="B1"), account.line(2, serial="B2", direction="C")])
    assert account.told() == []


def test_a_reference_of_ours_to_no_item_is_told(account: Account) -> None:
    strange = account.line(1, serial="B1").replace(account.reference(1), account.reference(77))
    account.book([strange])
    assert account.told() == [
        f"{RURAL} DZ20260901_001.csv: 1 entries have references of ours to items that no file of ours has"
    ]


def test_a_statement_that_does_not_add_up_brings_nothing(account: Account) -> None:
    line = account.line(1, serial="B1")
    account.say("DZ20260901_001.csv", f"#,2,1.00\n{line}\n")
    assert set(account.problems()) == {"total-differs"}
    account.say("DZ20260901_002.csv", f"#,1,{line.split(',')[2]}\n{line.replace(',D,', ',X,')}\n")
    assert set(account.problems()) == {"total-differs", "direction-unknown"}
    assert account.kinds() == []
    objects = {item.object: {way.decision for way in item.ways} for item in account.gateway.held()}
    assert sorted(map(sorted, objects.values())) == [
        ["accept", "judge-again", "refuse"],
        ["judge-again", "refuse"],
    ]


def test_what_is_only_announced_or_below_zero_is_no_booking(ground: Ground) -> None:
    add_statements(ground)
    folder = ground.site.configuration.parent / "layouts"
    text = STATEMENT.replace(
        "-   text            Text        statement.text            optional",
        "-   text            Text        statement.text            optional\n"
        "-   text            Status      statement.status",
    ).replace("-   yuan.2          Amount ", "-   yuan.2 signed   Amount ")
    (folder / "account-list.toml").write_text(text, "utf-8")
    with ground.open() as gateway:
        account = Account(ground, gateway, payments_of(RURAL, 4))
        account.send()
        account.result(failed=(2,))
        account.book([account.line(2, serial="B1") + ",PDNG", account.line(minor=5, text="手续费") + ",PDNG"])
        assert [one.booked for one in gateway.statement_entries()] == [False, False]
        assert (list(gateway.findings()), account.told()) == ([], [])
        account.book([account.line(2, serial="B1") + ",BOOK"], 2)
        assert len(account.told()) == 1
        line = account.line(3, serial="B7") + ",BOOK"
        amount = line.split(",")[2]
        account.say("DZ20260901_003.csv", f"#,1,-{amount}\n{line.replace(amount, f'-{amount}')}\n")
        assert set(account.problems()) == {"amount-unclear"}
        assert len(account.kinds()) == 3


def test_numbers_that_are_no_amounts_are_not_booked(account: Account) -> None:
    """Ids where amounts should stand: what an account says of one payment would be more than adds up."""
    account.send()
    account.book([account.line(1, minor=940902199001011235, serial="B1")])
    assert account.problems() == ["amount-absurd"]
    assert account.kinds() == []


def test_entries_by_bank_and_period(account: Account) -> None:
    account.book([account.line(1, serial="B1", day="20260831"), account.line(2, serial="B2")])
    entries = account.gateway.statement_entries
    assert [one.serial for one in entries(RURAL, first=DAY)] == ["B2"]
    assert [one.serial for one in entries(RURAL, last=date(2026, 8, 31))] == ["B1"]
    assert [one.serial for one in entries("city-bank")] == []
    first = next(iter(entries()))
    assert [one.serial for one in entries(since=first.cursor)] == ["B2"]


def test_the_command_adds_up_what_was_booked(account: Account, bankgate: Commands) -> None:
    account.book(
        [account.line(1, serial="B1"), account.line(minor=50, text="手续费"), account.line(1, direction="C")]
    )
    account.gateway.close()
    ended = bankgate("statements", RURAL, "--from", "2026-09-01", "--to", "2026-09-30")
    assert ended.code == ExitCode.DONE
    amount = f"{account.payments[0].amount_minor / 100:,.2f}"
    assert f"payment, debit (yuan): {amount}" in ended.out
    assert f"return, credit (yuan): {amount}" in ended.out
    assert "fee, debit (yuan): 0.50" in ended.out
    assert bankgate("findings").code == ExitCode.NEEDS_PERSON
    lines = bankgate("statements", "--json").out.splitlines()
    assert [json.loads(line)["kind"] for line in lines] == ["payment", "fee", "return"]


def test_an_auditor_sees_every_entry_and_no_other(account: Account, tmp_path: Path) -> None:
    account.book([account.line(1, serial="B1"), account.line(minor=50, text="手续费")])
    bundle = tmp_path / "bundle"
    account.gateway.audit_export(bundle)
    account.gateway.audit_export(tmp_path / "one", batch_id=account.gateway.status()[0].batch_id)
    assert (verify(bundle).findings, verify(tmp_path / "one").findings) == ([], [])
    key = account.ground.site.configuration.parent / "keys" / "journal-1.pem"
    forger = Forger(bundle, key, key.with_suffix(".crt"))
    rows = forger.rows("entries")
    assert [(row["kind"], row["item"]) for row in rows] == [("payment", 1), ("fee", None)]
    for changed in ([{**rows[0], "amount_minor": 1}, rows[1]], rows[:1], [*rows, {**rows[1], "entry": 9}]):
        forger.write("entries", changed)
        assert verify(bundle).findings != []
    forger.write("entries", rows)
    forger.write("fees", [])
    assert verify(bundle).findings != []


def test_what_a_statement_says_goes_at_the_end_of_its_term(account: Account) -> None:
    account.result()
    account.book([account.line(1, serial="B1", name="张三丰"), account.line(minor=50, text="手续费 李四")])
    account.ground.clock.turn(days=365 * 6)
    account.gateway.retain()
    assert [one.text for one in account.gateway.statement_entries()] == [None, None]
    assert [one.label for one in account.gateway.findings()] == [None]
    assert account.ground.rows("SELECT COUNT(*) FROM destroyed_file WHERE spool_name LIKE 'in/%'") != [(0,)]


@pytest.mark.parametrize(
    "scenario",
    [
        "failures,fee-lines",
        *(pytest.param(name, marks=pytest.mark.heavy) for name in ("returned", "statement-differs")),
    ],
)
def test_a_simulated_bank_books_what_it_did(ground: Ground, scenario: str) -> None:
    add_statements(ground)
    with ground.open() as gateway:
        bank = ground.bank(RURAL, scenario, 400, profile_of=gateway)
        ground.submit(gateway, payments_of(RURAL, 12))
        ground.run_to_the_end(gateway)
        truth = bank.truth()
        results = {sha for (sha,) in ground.rows("SELECT sha256 FROM received WHERE kind = 'result'")}
        entries = list(gateway.statement_entries())
        sums = {kind: sum(one.amount_minor or 0 for one in entries if one.kind is kind) for kind in EntryKind}
        assert {one.state for one in gateway.received()} == {"settled"}
        differs = [item.message for item in gateway.held() if "statements and results differ" in item.message]
        if scenario == "statement-differs":
            assert "came back, and reported as credited" in differs[0]
            return
        paid, back = sums[EntryKind.PAYMENT], sums[EntryKind.RETURN]
        assert (paid, back) == (truth.credited_minor, truth.returned_minor)
        assert differs == []
        in_results = sum(one.amount_minor for one in gateway.findings() if one.evidence_sha256 in results)
        charged = sum(one.amount_minor for one in gateway.findings()) - in_results
        assert charged == sums[EntryKind.FEE]
        assert (charged > 0) == ("fee-lines" in scenario)
