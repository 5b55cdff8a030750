"""Every rule of the plan that the gateway enforces, named after its section.

The plan is 泰山政办字〔2021〕17号 of 2021-11-17. A payment that a rule stops says so: the rule's
name is the code of its problem, and the section stands in the message.
"""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from formats import Problem, Reason, Severity


def by_rule(told: str, name: str, section: str) -> str:
    """What is wrong, with the rule that says so and the plan's section that the rule is of."""
    return f"{told} (rule {name}, plan section {section})"


class Rule(Struct, frozen=True):
    """`section` is the plan's heading; `reason` is what the payment's outcome or hold says."""

    name: str
    section: str
    reason: Reason


class PlanRule(Enum):
    """The rules that judge single payments."""

    LISTED = Rule("programme-listed", "三", Reason.PROGRAMME_NOT_LISTED)
    CLASSIFIED = Rule("not-classified", "三(十)", Reason.PROGRAMME_CLASSIFIED)
    DEPARTMENT = Rule("paying-department", "三", Reason.DEPARTMENT_NOT_PERMITTED)
    PAYEE_KIND = Rule("payee-kind", "五(二)", Reason.INVALID_PAYEE)
    PERIOD = Rule("period-of-programme", "四(三)", Reason.PERIOD_UNUSUAL)
    REPEAT = Rule("once-a-period", "四(五)", Reason.REPEAT_IN_PERIOD)
    OTHER_ACCOUNT = Rule("own-account", "五(二)", Reason.OTHER_PERSONS_ACCOUNT)
    ENTRUSTED = Rule("entrusted", "四(四)", Reason.NOT_ENTRUSTED)

    def problem(
        self,
        severity: Severity,
        column: str,
        found: str,
        wanted: str,
        *,
        line: int | None = None,
        payment_id: str = "",
        hint: str = "",
    ) -> Problem:
        """What the rule says of a payment; `found` must be masked. Without a line it has no place yet."""
        rule: Rule = self.value
        place = "" if line is None else f"row {line} "
        return Problem(
            code=rule.name,
            severity=severity,
            reason=rule.reason,
            line=line,
            column=column,
            found=found,
            wanted=wanted,
            message=by_rule(f"{place}{column}: {found}, wanted {wanted}", rule.name, rule.section),
            hint=hint,
            payment_id=payment_id,
        )


def rule_of(reason: Reason) -> Rule | None:
    """By which rule a payment has this reason; None for what no rule of the plan says.

    Without a name where several rules of one section have the reason.
    """
    return _RULES.get(reason)


_RULES = {rule.value.reason: rule.value for rule in PlanRule} | {
    # Beside `payee-kind` all that batches are held against: household_payee, payee_name_differs and so on.
    Reason.INVALID_PAYEE: Rule("", PlanRule.PAYEE_KIND.value.section, Reason.INVALID_PAYEE)
}
