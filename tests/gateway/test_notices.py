"""What a bank tells that is no outcome: kept sealed, shown, proved, and acted upon by nobody."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway import ExitCode
from gateway.audit.verify import verify
from tests.evidence.forger import Forger
from tests.gateway.commands import Commands
from tests.gateway.shapes import Shape, Told
from tests.gateway.sites import Ground, credited, current, states

LAYOUT = """
layout  = "answers-told"
version = "1"
purpose = "result"
answers = "rural-credit-request"
syntax  = "delimited"
framing = { encoding = "gb18030", delimiter = "|", eol = "lf", tolerate = ["blank-lines", "final-eol"] }

structure = '''
payment 0..*
    entry
    any 0..*
        correction 0..1
'''

[record.entry]
table = '''
-   text     Mark        !"E"
-   text     Key         attempt.reference  key
-   text     Account     <payment.account
-   yuan.2   Amount      outcome.amount
-   text     Code        outcome.code
-   text     Words       outcome.bank_text  optional
'''

[record.correction]
table = '''
-   text     Mark        !"C"
-   text     Change      notice.code
-   text     Account     notice.account      optional
-   text     Name        notice.payee_name   optional
'''

[codes.outcome]
table = '''
00     credited
41     failed     ACCOUNT_NOT_FOUND
ACWC   unknown    IN_PROGRESS
'''
"""
BLOCK = """
[[inbound]]
kind      = "result"
pattern   = "{stem}_T{number:1}.txt"
complete  = "flag"
layout    = "answers-told"
"""
NEW_ACCOUNT, NEW_NAME = "6231910000009990012", "欧阳新名"


def entry(told: Told, item: int, code: str = "00", words: str = "", account: str = "") -> str:
    payment = told.payments[item - 1]
    minor = payment.amount_minor
    amount = f"{minor // 100}.{minor % 100:02d}"
    return f"E|{told.reference(item)}|{account or payment.account}|{amount}|{code}|{words}"


def correction(code: str = "C01", account: str = NEW_ACCOUNT, name: str = "") -> str:
    return f"C|{code}|{account}|{name}"


def say(told: Told, lines: list[str], number: int = 1) -> None:
    told.say(f"{told.stem}_T{number}.txt", "".join(f"{line}\n" for line in lines))


@pytest.fixture
def shape(ground: Ground) -> Shape:
    return Shape(ground, {"answers-told": LAYOUT}, BLOCK)


def everything(told: Told) -> list[str]:
    """Each payment credited; the second with a correction of account and name."""
    lines = [entry(told, item) for item in (1, 2, 3, 4)]
    lines.insert(2, correction(name=NEW_NAME))
    return lines


def test_a_notice_is_kept_and_changes_nothing(shape: Shape) -> None:
    with shape.open() as told:
        told.send()
        say(told, everything(told))
        assert (current(told.gateway), states(told.gateway)) == (credited(told.payments), ["settled"])
        (notice,) = told.gateway.notices()
        assert (notice.payment_id, notice.item, notice.code) == ("P-00002", 2, "C01")
        assert notice.about == ("account", "payee_name")
        assert told.gateway.notice_values(notice) == {"account": NEW_ACCOUNT, "payee_name": NEW_NAME}
        assert told.gateway.trace("P-00002").notices == [notice]
        assert told.gateway.trace("P-00001").notices == []
        assert list(told.gateway.notices(since=notice.cursor)) == []
        assert told.gateway.needs_person() is False
        for path in told.ground.ledger_path.parent.glob("ledger.sqlite*"):
            raw = path.read_bytes()
            assert NEW_ACCOUNT.encode() not in raw
            assert NEW_NAME.encode() not in raw


def test_a_run_that_brings_notices_tells_a_person(shape: Shape) -> None:
    with shape.open() as told:
        told.send()
        told.put(f"{told.stem}_T1.txt", "".join(f"{line}\n" for line in everything(told)))
        report = told.gateway.run()
        assert report.notices == 1
        assert [item.message for item in report.attention] == [
            f"{told.stem}_T1.txt: the bank tells 1 things that are no outcome"
        ]
        assert report.exit_code is ExitCode.NEEDS_PERSON


def test_the_same_notice_again_is_no_news(shape: Shape) -> None:
    with shape.open() as told:
        told.send()
        say(told, everything(told))
        say(told, [entry(told, 2), correction(name=NEW_NAME), entry(told, 3), correction("C02")], 2)
        assert [(one.item, one.code) for one in told.gateway.notices()] == [(2, "C01"), (3, "C02")]
        assert current(told.gateway) == credited(told.payments)


def test_a_notice_of_nobody_or_of_somebody_else_holds_the_file(shape: Shape) -> None:
    with shape.open() as told:
        told.send()
        strange = entry(told, 1).replace(told.reference(1), told.reference(9))
        say(told, [strange, correction()])
        assert set(told.problems()) == {"unmatched"}
        say(told, [entry(told, 1, account="6231910000000000009"), correction()], 2)
        assert set(told.problems()) == {"unmatched", "other-payment"}
        assert (list(told.gateway.notices()), current(told.gateway)) == ([], {})


def test_an_outcome_may_tell_something_besides(ground: Ground) -> None:
    """As ACWC of pain.002: taken, and changed."""
    shape = Shape(ground, {"answers-told": LAYOUT}, BLOCK + '\n[notices]\ncodes = ["ACWC"]\n')
    with shape.open() as told:
        told.send()
        say(told, [entry(told, 1), entry(told, 2, "ACWC", "执行日改为次日")])
        assert current(told.gateway)["P-00002"] == ("unknown", "IN_PROGRESS", None)
        (notice,) = told.gateway.notices()
        assert (notice.item, notice.code, notice.about) == (2, "ACWC", ("text",))
        assert told.gateway.notice_values(notice) == {"text": "执行日改为次日"}


def test_the_command_shows_no_full_number(shape: Shape, bankgate: Commands) -> None:
    with shape.open() as told:
        told.send()
        say(told, everything(told))
    ended = bankgate("notices")
    assert ended.code == ExitCode.DONE
    assert "P-00002" in ended.out
    assert "***0012" in ended.out
    plain = json.loads(bankgate("notices", "--json").out)
    assert plain["values"] == {"account": "************0012", "payee_name": "欧***"}
    shown = bankgate("trace", "P-00002").out
    assert "notice C01: account, payee_name" in shown
    for said in (ended.out, json.dumps(plain), shown):
        assert NEW_ACCOUNT not in said
        assert NEW_NAME not in said


def test_an_auditor_sees_every_notice_and_no_other(shape: Shape, tmp_path: Path) -> None:
    with shape.open() as told:
        told.send()
        say(told, everything(told))
        bundle = tmp_path / "bundle"
        told.gateway.audit_export(bundle)
    assert verify(bundle).findings == []
    keys = told.ground.site.configuration.parent / "keys" / "journal-1.pem"
    forger = Forger(bundle, keys, keys.with_suffix(".crt"))
    (row,) = forger.rows("notices")
    assert (row["code"], row["about"], row["item"]) == ("C01", "account,payee_name", 2)
    for changed in ([{**row, "code": "C02"}], [], [row, {**row, "notice": 2}]):
        forger.write("notices", changed)
        assert verify(bundle).findings != []
    forger.write("notices", [row])
    assert verify(bundle).findings == []


def test_what_a_notice_tells_goes_at_the_end_of_its_term(shape: Shape) -> None:
    with shape.open() as told:
        told.send()
        say(told, everything(told))
        told.ground.clock.turn(days=365 * 6)
        told.gateway.retain()
        (notice,) = told.gateway.notices()
        assert (notice.code, notice.about, told.gateway.notice_values(notice)) == (
            "C01",
            ("account", "payee_name"),
            {},
        )


def test_what_was_read_over_is_told(shape: Shape) -> None:
    with shape.open() as told:
        told.send()
        lines = everything(told)
        told.say(f"{told.stem}_T1.txt", lines[0] + "\n\n\n" + "\n".join(lines[1:]))
        assert current(told.gateway) == credited(told.payments)
        tolerated = {"blank-lines": {"count": 2, "line": 2}, "final-eol": {"count": 1, "line": 7}}
        (received,) = [one for one in told.gateway.received() if one.kind == "result"]
        assert received.tolerated == tolerated
        ((body,),) = told.ground.rows(
            "SELECT body FROM event WHERE kind = 'received file settled' AND body LIKE '%tolerated%'"
        )
        assert json.loads(str(body))["tolerated"] == tolerated
