"""Who may hold the account that is paid: the plan's rules on payees and custodians.

Household subsidies go to the household head's card or to the one the family names together;
custody is of the card, and the account stays the beneficiary's; another person's account
needs a rule that permits it, and the gateway makes it wait for two persons.
"""

from __future__ import annotations

from collections.abc import Iterator

from formats.identity import as_eighteen_digits
from formats.reasons import Reason
from formats.records import PayeeKind, PayeeRole
from formats.standard.findings import Fault, Finding, masked

Columns = dict[str, list[str]]

_OWN_COLUMNS = (
    *("payee_name", "payee_id", "payee_ground", "designation_reference"),
    *("custodian_name", "custodian_id", "custody_ground"),
)
_HOUSEHOLD_ROLES = frozenset({PayeeRole.HOUSEHOLD_HEAD.value, PayeeRole.HOUSEHOLD_DESIGNATED.value})


def _fault(code: str, wanted: str) -> Fault:
    return Fault(code, wanted, reason=Reason.INVALID_PAYEE)


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
    kinds, roles = columns["payee_kind"], columns["payee_role"]
    ordinary = set(kinds) <= {PayeeKind.PERSON.value} and set(roles) <= {PayeeRole.SELF.value}
    if ordinary and not any(any(columns[attribute]) for attribute in _OWN_COLUMNS):
        return
    for index, (kind, role) in enumerate(zip(kinds, roles, strict=True)):
        row = {attribute: columns[attribute][index] for attribute in _OWN_COLUMNS}
        row["payee_kind"], row["payee_role"] = kind, role
        row["beneficiary_name"] = columns["beneficiary_name"][index]
        row["beneficiary_id"] = columns["beneficiary_id"][index]
        for attribute, fault in _faults(row):
            findings.append(Finding(index, attribute, fault, masked(attribute, row[attribute])))


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
