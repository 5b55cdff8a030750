"""A result whose payee name is only nearly ours: another payee, unless the profile approves its class."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats import Reason, Status
from gateway import ConfigurationError, Gateway
from gateway.settlement.items import Expected
from gateway.settlement.judge import Columns, foreign_echoes
from gateway.settlement.near_names import NamePolicy, with_echoes
from tests.gateway.answers import Answers, file_of
from tests.gateway.sites import RURAL, Ground, current, payments_of, shipped_desk

OURS = ["古丽·买提江", "古丽·买提江", "王建国", "王建国"]
THEIRS = ["古丽买提江", "古丽·买提", "王建军", "王建国"]
ELSEWHERE = ("discrepant", "CREDITED_ELSEWHERE")
CREDITED = ("credited", "")


def answer(ground: Ground, gateway: Gateway, accounts_differ: bool = False) -> list[tuple[str, str]]:
    """What becomes of four payments whose names the bank echoes as `THEIRS`."""
    payments = [
        payments_of(RURAL, 1, prefix=f"N{n}", start=n, beneficiary_name=name, payee_name="")[0]
        for n, name in enumerate(OURS)
    ]
    ground.submit(gateway, payments)
    gateway.run()
    answers = Answers(gateway, RURAL, file_of(gateway, RURAL))
    rows = answers.paid(payments)
    for row, name in zip(rows, THEIRS, strict=True):
        row.name = name
        if accounts_differ:
            row.account = row.account[:-1] + str((int(row.account[-1]) + 1) % 10)
    name = answers.name("result", 1)
    ground.post(RURAL, name, answers.result(rows))
    (ground.inbox(RURAL) / f"{name}.ok").write_bytes(b"")
    ground.take(gateway)
    found = current(gateway)
    return [found[payment.payment_id][:2] for payment in payments]


def approve(ground: Ground, text: str) -> None:
    path = ground.profile_path(RURAL)
    path.write_text(path.read_text("utf-8") + text, "utf-8")


def test_by_default_a_name_is_ours_or_anothers(ground: Ground) -> None:
    with ground.open() as gateway:
        assert answer(ground, gateway) == [ELSEWHERE, ELSEWHERE, ELSEWHERE, CREDITED]
        texts = [one.bank_text for one in gateway.outcomes(only_current=True)]
        said = [gateway.bank_text(text) for text in texts if text is not None]
        assert [text.partition("]")[0] for text in said][:3] == [
            "[separator: 古丽买提江",
            "[truncated: 古丽·买提",
            "[different: 王建军",
        ]
        assert gateway.needs_person()
        ((told,),) = ground.rows(
            "SELECT json_extract(body, '$.near_names') FROM event WHERE kind = 'received file settled'"
        )
        assert told == '{"not-different":1,"not-separator":1,"not-truncated":1}'


def test_an_approved_class_is_ours_and_told(ground: Ground) -> None:
    approve(ground, '\n[names]\nnear = ["separator"]\napproved_by = "li"\napproved_on = 2026-01-05\n')
    with ground.open() as gateway:
        assert answer(ground, gateway) == [CREDITED, ELSEWHERE, ELSEWHERE, CREDITED]
        ((told,),) = ground.rows(
            "SELECT json_extract(body, '$.near_names.separator') FROM event"
            " WHERE kind = 'received file settled'"
        )
        assert told == 1


def test_an_approved_class_is_no_way_to_another_account(ground: Ground) -> None:
    approve(ground, '\n[names]\nnear = ["separator"]\napproved_by = "li"\napproved_on = 2026-01-05\n')
    with ground.open() as gateway:
        assert answer(ground, gateway, accounts_differ=True) == [ELSEWHERE] * 4


def test_an_alias_is_ours_both_ways(ground: Ground) -> None:
    approve(
        ground,
        '\n[[aliases]]\nname = "王建军"\nwritten = "王建国"\napproved_by = "li"\napproved_on = 2026-01-05\n',
    )
    with ground.open() as gateway:
        assert answer(ground, gateway) == [ELSEWHERE, ELSEWHERE, CREDITED, CREDITED]


@given(
    st.lists(
        st.tuples(st.sampled_from(OURS), st.sampled_from([*OURS, *THEIRS, ""]), st.booleans(), st.booleans()),
        min_size=1,
        max_size=8,
    ),
    st.booleans(),
)
def test_strict_is_what_the_echoes_say(rows: list[tuple[str, str, bool, bool]], blank: bool) -> None:
    """Without an approval the policy decides nothing; the words are only longer."""
    count = len(rows)
    columns = Columns(
        statuses=[Status.CREDITED] * count,
        reasons=[Reason.NONE] * count,
        amounts=[1] * count,
        accounts=["1" if same else "2" for _, _, same, _ in rows],
        names=[theirs for _, theirs, _, _ in rows],
        codes=["0"] * count,
        serials=[""] * count,
        texts=["x" if said else "" for _, _, _, said in rows],
        value_dates=[None] * count,
        fees=[0] * count,
    )
    expected = Expected(["1"] * count, [ours for ours, _, _, _ in rows], [1] * count)
    foreign, near = NamePolicy(shipped_desk(RURAL).profile).foreign(columns, expected, blank_is_foreign=blank)
    assert foreign == foreign_echoes(columns, expected, blank_is_foreign=blank)
    assert all(foreign[one.row] and not one.accepted for one in near)
    told = with_echoes(columns, near)
    assert [text.endswith(old) for text, old in zip(told.texts, columns.texts, strict=True)] == [True] * count


@pytest.mark.parametrize("match", ["equal", "different"])
def test_only_classes_of_nearness_can_be_approved(ground: Ground, match: str) -> None:
    approve(ground, f'\n[names]\nnear = ["{match}"]\napproved_by = "li"\napproved_on = 2026-01-05\n')
    with pytest.raises(ConfigurationError, match="near"), ground.open():
        pass


def test_an_approval_names_who_approved(ground: Ground) -> None:
    approve(ground, '\n[names]\nnear = ["separator"]\n')
    with pytest.raises(ConfigurationError, match="where somebody approved it"), ground.open():
        pass
