"""Checks of accounts, ID numbers, bank codes and amounts, a column at a time."""

from __future__ import annotations

import re
from datetime import date
from operator import contains

from formats.identity import (
    PROVINCES,
    bank_code_valid,
    birth_date,
    citizen_id_valid,
    invalid_person_ids,
    person_id_valid,
    region_known,
    social_credit_code_valid,
)
from formats.masking import mask_id, mask_text
from formats.reasons import Reason
from formats.records import Severity
from formats.standard.amounts import YUAN_DIGITS
from formats.standard.findings import Fault, Finding, masked

SHORTEST_ACCOUNT = 8
LONGEST_ACCOUNT = 32
LARGEST_AMOUNT_MINOR = 10 ** (YUAN_DIGITS + 2) - 1
BUSINESS_YEARS_FROM = 2020
"""Eighteen digits with a later "birth date" are taken for a business key: region, day, number."""

_SHORTEST_NAME = 2
_CITIZEN_DIGITS = 18
_ACCOUNT = re.compile(rf"[0-9]{{{SHORTEST_ACCOUNT},{LONGEST_ACCOUNT}}}")
_EMBEDDED = re.compile(r"(?<![0-9])[1-9][0-9]{16}[0-9Xx](?![0-9])")
_MORE_DECIMALS = re.compile(r"[0-9]+\.[0-9]{3,}")

_DIGITS = f"{SHORTEST_ACCOUNT} to {LONGEST_ACCOUNT} digits"
_TEXT_COLUMN = "format the column as text before typing or pasting numbers"
_NO_CARD = Fault("account_missing", "an account", reason=Reason.NO_CARD)
_ACCOUNT_SPACES = Fault("account_spaces", f"{_DIGITS} without spaces", reason=Reason.INVALID_ACCOUNT)
_ACCOUNT_WIDTH = Fault(
    "account_full_width", f"{_DIGITS}, none of them full-width", reason=Reason.INVALID_ACCOUNT
)
_ACCOUNT_ROUNDED = Fault("account_rounded", _DIGITS, reason=Reason.INVALID_ACCOUNT, hint=_TEXT_COLUMN)
_ACCOUNT_FORM = Fault("account_invalid", _DIGITS, reason=Reason.INVALID_ACCOUNT)
_PERSON = Fault("id_invalid", "an ID number with a birth date and check digit", reason=Reason.INVALID_ID)
_CREDIT = Fault("credit_code_invalid", "a credit code with its check character", reason=Reason.INVALID_ID)
_EITHER = Fault("id_invalid", "an ID number or a credit code", reason=Reason.INVALID_ID)
_REGION = Fault("id_region_unknown", "an ID number of a known province", Severity.WARNS)
_FUTURE = Fault("id_birth_in_future", "an ID number with a birth date in the past", Severity.WARNS)
_LOWER_CASE = Fault("id_lower_case", "a capital X; it is taken as that", Severity.WARNS)
_BANK_CODE = Fault("bank_code_invalid", "12 digits with the right check digit")
_IMPERSONAL = "an id without a name, ID or account number in it"
_PERSONAL_ID = Fault("payment_id_personal", _IMPERSONAL, Severity.REFUSES)
_PERSONAL_REFERENCE = Fault("reference_personal", _IMPERSONAL)

_NEGATIVE = Fault("amount_negative", "an amount above 0", Severity.REFUSES)
_DECIMALS = Fault(
    "amount_decimals", "at most two decimals", Severity.REFUSES, hint="round the amount in the sheet itself"
)
_COMMAS = Fault("amount_separators", "yuan such as 1234.56, without separators", Severity.REFUSES)
_UNREADABLE = Fault("amount_unreadable", "yuan such as 1234.56", Severity.REFUSES)
_ZERO = Fault("amount_zero", "an amount above 0", reason=Reason.AMOUNT_INVALID)


def check_accounts(column: list[str], findings: list[Finding]) -> None:
    """Only digits, in number neither too few nor too many; an empty one is a person without card."""
    joined = "".join(column)
    lengths = list(map(len, column))
    digits_only = joined.isascii() and joined.isdigit()
    if digits_only and min(lengths) >= SHORTEST_ACCOUNT and max(lengths) <= LONGEST_ACCOUNT:
        return
    for index, account in enumerate(column):
        if not _ACCOUNT.fullmatch(account):
            found = masked("account", account)
            findings.append(Finding(index, "account", _account_fault(account), found))


def capital_check_letters(attribute: str, column: list[str], findings: list[Finding]) -> list[str]:
    """The column with a final lower-case `x` as `X`, told as a warning; nothing else is folded."""
    if "x" not in "".join(column):
        return column
    changed = list(column)
    for index, number in enumerate(column):
        if number.endswith("x"):
            changed[index] = number[:-1] + "X"
            findings.append(Finding(index, attribute, _LOWER_CASE, mask_id(number)))
    return changed


def check_beneficiary_ids(
    column: list[str], payee_kinds: list[str], today: date | None, findings: list[Finding]
) -> None:
    """Persons' numbers for persons and households, credit codes for organisations."""
    organisations = "organisation" in payee_kinds
    for index in invalid_person_ids(column):
        if organisations and payee_kinds[index] == "organisation":
            continue
        if column[index]:
            findings.append(Finding(index, "beneficiary_id", _PERSON, mask_id(column[index])))
    if organisations:
        for index, kind in enumerate(payee_kinds):
            if kind == "organisation" and column[index] and not social_credit_code_valid(column[index]):
                findings.append(Finding(index, "beneficiary_id", _CREDIT, mask_id(column[index])))
    _warn_about_ids(column, payee_kinds, today, findings)


def check_other_ids(attribute: str, column: list[str], findings: list[Finding]) -> None:
    """Numbers of payees and custodians, who may be persons or institutions; empty is fine."""
    for index, number in enumerate(column):
        if number and not person_id_valid(number) and not social_credit_code_valid(number):
            findings.append(Finding(index, attribute, _EITHER, mask_id(number)))


def check_bank_codes(column: list[str], findings: list[Finding]) -> None:
    """12-digit bank codes where given."""
    wrong = {code for code in set(column) if code and not bank_code_valid(code)}
    for index, code in enumerate(column if wrong else ()):
        if code in wrong:
            findings.append(Finding(index, "bank_code", _BANK_CODE, mask_text(code)))


def check_amounts(amounts: list[int | None], texts: list[str], findings: list[Finding]) -> None:
    """`texts` are what the file says, in the same order, for the message."""
    if None not in amounts and 0 not in amounts:
        return
    for index, amount in enumerate(amounts):
        if not amount:
            text = texts[index]
            fault = _ZERO if amount == 0 else _amount_fault(text)
            findings.append(Finding(index, "amount_minor", fault, masked("amount_minor", text)))


def check_personal_ids(
    attribute: str,
    identifiers: list[str],
    numbers: list[list[str]],
    names: list[list[str]],
    findings: list[Finding],
) -> None:
    """An id goes into database and logs in clear: no name or number of a person may be in it.

    `numbers` and `names` are columns of the same rows. Besides the row's own numbers any 18 digits
    that are a valid citizen number are refused, unless their date is a business date.
    """
    fault = _PERSONAL_ID if attribute == "payment_id" else _PERSONAL_REFERENCE
    suspects: set[int] = set()
    for column in numbers:
        if any(map(contains, identifiers, column)):
            suspects.update(
                index
                for index, number in enumerate(column)
                if len(number) >= SHORTEST_ACCOUNT and number in identifiers[index]
            )
    if not "".join(identifiers).isascii():
        suspects.update(
            index
            for column in names
            for index, name in enumerate(column)
            if len(name) >= _SHORTEST_NAME and name in identifiers[index]
        )
    if max(map(len, identifiers)) >= _CITIZEN_DIGITS and _EMBEDDED.search("\n".join(identifiers)):
        suspects.update(index for index, identifier in enumerate(identifiers) if holds_citizen_id(identifier))
    for index in sorted(suspects):
        findings.append(Finding(index, attribute, fault, mask_text(identifiers[index])))


def holds_citizen_id(text: str) -> bool:
    """Whether exactly 18 digits in a row are the valid number of somebody born before 2020."""
    for found in _EMBEDDED.findall(text):
        number = found.upper()
        born = birth_date(number)
        if born and born.year < BUSINESS_YEARS_FROM and citizen_id_valid(number) and region_known(number):
            return True
    return False


def _account_fault(account: str) -> Fault:
    if not account:
        return _NO_CARD
    if any(map(str.isspace, account)):
        return _ACCOUNT_SPACES
    if not account.isascii() and account.isdecimal():
        return _ACCOUNT_WIDTH
    if re.fullmatch(r"[0-9.]+[eE]\+?[0-9]+", account):
        return _ACCOUNT_ROUNDED
    return _ACCOUNT_FORM


def _amount_fault(text: str) -> Fault:
    if text.startswith("-"):
        return _NEGATIVE
    if _MORE_DECIMALS.fullmatch(text):
        return _DECIMALS
    if re.fullmatch(r"[0-9.,，]+", text) and ("," in text or "，" in text):
        return _COMMAS
    return _UNREADABLE


def _warn_about_ids(
    column: list[str], payee_kinds: list[str], today: date | None, findings: list[Finding]
) -> None:
    unknown = {number[:2] for number in column} - PROVINCES
    for index, number in enumerate(column if unknown else ()):
        if number[:2] not in unknown or not number or payee_kinds[index] == "organisation":
            continue
        if not region_known(number):
            findings.append(Finding(index, "beneficiary_id", _REGION, mask_id(number)))
    if today is None:
        return
    limit = f"{today:%Y%m%d}"
    for index in [index for index, number in enumerate(column) if number[6:14] > limit]:
        born = birth_date(column[index])
        if born and born > today and payee_kinds[index] != "organisation":
            findings.append(Finding(index, "beneficiary_id", _FUTURE, mask_id(column[index])))
