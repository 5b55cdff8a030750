"""Who may hold the account that is paid: the plan's rules on payees and custodians.

Household subsidies go to the household head's card or to the one the family names together;
custody is of the card, and the account stays the beneficiary's; another person's account
needs a rule that permits it, and the gateway makes it wait for two persons.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import ne

from formats.identity import as_eighteen_digits
from formats.reasons import Reason
from formats.records import PayeeKind, PayeeRole
from formats.standard.findings import Fault, Finding, masked

Columns = dict[str, list[str]]

_READ_COLUMNS = (
    *("payee_kind", "payee_role", "payee_name", "payee_id", "payee_ground", "designation_reference"),
    *("custodian_name", "custodian_id", "custody_ground", "beneficiary_name", "beneficiary_id"),
)
_NOTHING = frozenset({""})
_ORDINARY = {
    "payee_kind": frozenset({PayeeKind.PERSON.value}),
    "payee_role": frozenset({PayeeRole.SELF.value}),
    "custodian_name": _NOTHING,
    "custodian_id": _NOTHING,
    "custody_ground": _NOTHING,
}
_HOUSEHOLD_ROLES = frozenset({PayeeRole.HOUSEHOLD_HEAD.value, PayeeRole.HOUSEHOLD_DESIGNATED.value})


def _fault(code: str, wanted: str) -> Fault:
    return Fault(code, f"{wanted} (rule {code}, plan section 五(二))", reason=Reason.INVALID_PAYEE)


_HOUSEHOLD_PAYEE = _fault("household_payee", "household_head or household_designated for a household payment")
_NOT_HOUSEHOLD = _fault("payee_not_household", "self or other for a payment that is no household payment")
_NO_DESIGNATION = _fault("designation_missing", "the reference of the family's designation")
_NO_GROUND = _fault("payee_ground_missing", "the rule that permits another person's account")
_NO_PAYEE = _fault("payee_name_missing", "the name of the other person")
_OTHER_NAME = _fault("payee_name_differs", "the beneficiary's own name where the role is self")
_OTHER_ID = _fault("payee_id_differs", "the beneficiary's own number where the role is self")
_NO_CUSTODY_GROUND = _fault("custody_ground_missing", "the legal ground of the custody")
_NO_CUSTODIAN = _fault("custodian_missing", "the custodian's name")


def check_payees(columns: Columns, findings: list[Finding]) -> None:
    """`columns` hold canonical choices and normalized names; rows in the ordinary form cost nothing."""
    for index in _unusual_rows(columns):
        row = {attribute: columns[attribute][index] for attribute in _READ_COLUMNS}
        for attribute, fault in _faults(row):
            findings.append(Finding(index, attribute, fault, masked(attribute, row[attribute])))


def _unusual_rows(columns: Columns) -> list[int]:
    """Rows other than a person's own account without custody: only those can break a rule."""
    unusual: set[int] = set()
    for attribute, ordinary in _ORDINARY.items():
        column = columns[attribute]
        if not set(column) <= ordinary:
            unusual.update(index for index, value in enumerate(column) if value not in ordinary)
    for attribute, own in (("payee_name", "beneficiary_name"), ("payee_id", "beneficiary_id")):
        column = columns[attribute]
        if any(column):
            differs = map(ne, column, columns[own])
            unusual.update(index for index, other in enumerate(differs) if other and column[index])
    return sorted(unusual)


def _faults(row: dict[str, str]) -> Iterator[tuple[str, Fault]]:
    role = row["payee_role"]
    if row["payee_kind"] and role:
        household = row["payee_kind"] == PayeeKind.HOUSEHOLD
        if household and role not in _HOUSEHOLD_ROLES:
            yield "payee_role", _HOUSEHOLD_PAYEE
        if not household and role in _HOUSEHOLD_ROLES:
            yield "payee_role", _NOT_HOUSEHOLD
    if role == PayeeRole.HOUSEHOLD_DESIGNATED and not row["designation_reference"]:
        yield "designation_reference", _NO_DESIGNATION
    if role == PayeeRole.OTHER:
        if not row["payee_name"]:
            yield "payee_name", _NO_PAYEE
        if not row["payee_ground"]:
            yield "payee_ground", _NO_GROUND
    if role == PayeeRole.SELF:
        yield from _self_faults(row)
    yield from _custody_faults(row)


def _self_faults(row: dict[str, str]) -> Iterator[tuple[str, Fault]]:
    if row["payee_name"] and row["payee_name"] != row["beneficiary_name"]:
        yield "payee_name", _OTHER_NAME
    own = as_eighteen_digits(row["beneficiary_id"])
    if row["payee_id"] and as_eighteen_digits(row["payee_id"]) != own:
        yield "payee_id", _OTHER_ID


def _custody_faults(row: dict[str, str]) -> Iterator[tuple[str, Fault]]:
    if row["custodian_name"] and not row["custody_ground"]:
        yield "custody_ground", _NO_CUSTODY_GROUND
    if (row["custody_ground"] or row["custodian_id"]) and not row["custodian_name"]:
        yield "custodian_name", _NO_CUSTODIAN
