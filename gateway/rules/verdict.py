"""What the catalogue says of what a payment is for: department, programme, period and payee kind.

A batch has few of these subjects and many payments, so each is judged once. Not here: what
depends on a single row (`repeats`, and another person's account in `screening`).
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec import Struct

from formats import Problem, Severity
from formats.records import PayeeKind
from gateway.rules.catalogue import Catalogue, Programme
from gateway.rules.periods import fits, wanted_form
from gateway.rules.rule import PlanRule

CLASSIFIED_HINT = "pay it on the way that is laid down for classified matters"


class Verdict(Struct, frozen=True):
    """`problems` have no place yet. `topic` is the same for what would be a repeat of one another."""

    problems: tuple[Problem, ...] = ()
    topic: tuple[str, str] | None = None
    programme: Programme | None = None

    def placed(self, line: int, payment_id: str) -> list[Problem]:
        """The problems of one payment."""
        return [
            msgspec.structs.replace(
                problem, line=line, message=f"row {line} {problem.message}", payment_id=payment_id
            )
            for problem in self.problems
        ]


def judge(
    catalogue: Catalogue,
    department: str,
    programme: str,
    period: str,
    payee_kind: str,
    shown: Callable[[str], str],
) -> Verdict:
    """What the rules of section three say. `shown` masks words that may be somebody's."""
    known = catalogue.find(programme)
    if known is None:
        return Verdict(
            (
                PlanRule.LISTED.problem(
                    Severity.HOLDS,
                    "programme",
                    f"{shown(programme)} is not in the catalogue",
                    "a programme of the catalogue",
                    hint="add the programme to the catalogue: what an agreement entrusts then goes on",
                ),
            )
        )
    problems = tuple(_against(catalogue, known, (department, period, payee_kind), shown))
    topic = None if known.repeats == "allowed" else topic_of(known, period)
    return Verdict(problems, topic, known)


def topic_of(programme: Programme, period: str) -> tuple[str, str]:
    """Programme and period, by whatever spelling a batch names the programme."""
    return programme.code, period


def _against(
    catalogue: Catalogue,
    programme: Programme,
    subject: tuple[str, str, str],
    shown: Callable[[str], str],
) -> list[Problem]:
    department, period, payee_kind = subject
    problems = []
    permitted = catalogue.departments_of(programme)
    if programme.classified:
        problems.append(
            PlanRule.CLASSIFIED.problem(
                Severity.SETS_ASIDE,
                "programme",
                f"{programme.name} is classified",
                "nothing classified through this gateway",
                hint=CLASSIFIED_HINT,
            )
        )
    if department not in permitted:
        problems.append(
            PlanRule.DEPARTMENT.problem(
                Severity.SETS_ASIDE,
                "department",
                f"{shown(department)} does not pay {programme.name}",
                " or ".join(permitted),
                hint="correct the department, or permit it in the catalogue",
            )
        )
    if payee_kind not in programme.payee:
        problems.append(_payee_problem(programme, payee_kind))
    if not fits(programme.frequency, period):
        problems.append(
            PlanRule.PERIOD.problem(
                Severity.HOLDS,
                "period",
                f"{shown(period)} for what is paid by the {programme.frequency}",
                wanted_form(programme.frequency),
                hint="write the period in the programme's form, so that a second payment of it is found",
            )
        )
    return problems


def _payee_problem(programme: Programme, payee_kind: str) -> Problem:
    household = programme.payee == [PayeeKind.HOUSEHOLD]
    return PlanRule.PAYEE_KIND.problem(
        Severity.SETS_ASIDE,
        "payee_kind",
        f"{payee_kind} for {programme.name}",
        " or ".join(str(kind) for kind in programme.payee),
        hint="pay it to the household's head, or to the account that the family named together"
        if household
        else "",
    )
