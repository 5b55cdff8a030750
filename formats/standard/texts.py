"""Checks of one text column: control characters, lengths, spaces, choices, identifiers.

A column is looked at whole first, with a few calls that run at C speed; single values are
looked at only where that says that something is unusual.
"""

from __future__ import annotations

import re
import unicodedata

from formats.reasons import Reason
from formats.records import Severity
from formats.standard.findings import Fault, Finding, masked
from formats.standard.table import PAYMENT_BY_ATTRIBUTE, Field, Kind

_JOINT = "\u00a6"
_REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Control and invisible characters, halves of surrogate pairs, line and paragraph separators.

Private-use and unassigned characters are no mistake: older systems keep rare hanzi there,
and new hanzi are unassigned in an older Python.
"""
_REPEATING = frozenset({Kind.CODE, Kind.TEXT, Kind.CHOICE, Kind.BANK_CODE})
"""Kinds with few distinct values: only those are looked at."""
_IDENTIFIER_BODY = r"[0-9A-Za-z\u3400-\u9fff][0-9A-Za-z\u3400-\u9fff._:/#-]{0,63}"
_IDENTIFIER = re.compile(_IDENTIFIER_BODY)
_IDENTIFIER_COLUMN = re.compile(rf"(?:{_IDENTIFIER_BODY}\n)*+")
IDENTIFIER_WANTED = "1 to 64 letters, digits, hanzi or . _ : / # - that begin with a letter, digit or hanzi"

_CONTROL = Fault("control_character", "text without control or invisible characters")
_SPACES = Fault("spaces_around", "no spaces before or after")
_SPACES_TOLD = Fault("spaces_around", "no spaces before or after", Severity.WARNS)
_UNREADABLE_ID = Fault("payment_id_unreadable", IDENTIFIER_WANTED, Severity.REFUSES)
_BAD_REFERENCE = Fault("identifier_invalid", IDENTIFIER_WANTED)


def identifier_valid(text: str) -> bool:
    """Whether a text can name a payment or a batch."""
    return _IDENTIFIER.fullmatch(text) is not None


def text_fault(field: Field, value: str) -> Fault | None:
    """The first fault of one text by the rules that hold for every kind."""
    if not value.isprintable() and any(map(_refused, value)):
        return _CONTROL
    if len(value) > field.limit:
        return _too_long(field)
    if field.kind is not Kind.NAME and value != value.strip():
        return _SPACES_TOLD if field.kind is Kind.TEXT else _SPACES
    return None


def check_text(attribute: str, column: list[str], findings: list[Finding]) -> None:
    """Characters, lengths and surrounding spaces of one column."""
    field = PAYMENT_BY_ATTRIBUTE[attribute]
    distinct = list(set(column)) if field.kind in _REPEATING else column
    if _plain(distinct, field.limit):
        return
    for index, value in enumerate(column):
        fault = text_fault(field, value)
        if fault is not None:
            findings.append(Finding(index, attribute, fault, masked(attribute, value)))


def check_identifiers(attribute: str, column: list[str], findings: list[Finding]) -> None:
    """A payment without a readable id can neither be set aside nor reported: that refuses."""
    joined = "\n".join(column) + "\n"
    if joined.count("\n") == len(column) and _IDENTIFIER_COLUMN.fullmatch(joined):
        return
    required = attribute == "payment_id"
    fault = _UNREADABLE_ID if required else _BAD_REFERENCE
    for index, value in enumerate(column):
        if not _IDENTIFIER.fullmatch(value) and (value or required):
            findings.append(Finding(index, attribute, fault, masked(attribute, value)))


def canonical_choices(
    attribute: str, column: list[str], optional: list[str], findings: list[Finding]
) -> list[str]:
    """What each cell means; the default where empty, "" (and a finding) where unknown.

    `optional` is a column of the same rows: where it is empty, an empty choice is no mistake.
    """
    field = PAYMENT_BY_ATTRIBUTE[attribute]
    if set(column) <= set(field.choices.values()):
        return column
    known = field.choices | ({"": field.default} if field.default else {})
    fault = Fault("choice_unknown", " or ".join(sorted(set(field.choices.values()))))
    for index, value in enumerate(column):
        if value not in known and (value or optional[index]):
            findings.append(Finding(index, attribute, fault, masked(attribute, value)))
    return [known.get(value, "") for value in column]


def check_present(attribute: str, column: list[str], needed: list[str], findings: list[Finding]) -> None:
    """No empty value where `needed`, a column of the same rows, holds one."""
    if "" not in column:
        return
    reason = Reason.INVALID_ID if attribute == "beneficiary_id" else Reason.FIELD_INVALID
    fault = Fault("value_missing", "a value", reason=reason)
    for index, value in enumerate(column):
        if not value and needed[index]:
            findings.append(Finding(index, attribute, fault, "nothing"))


def _plain(column: list[str], limit: int) -> bool:
    joined = _JOINT.join(["", *column, ""])
    return (
        joined.isprintable()
        and f"{_JOINT} " not in joined
        and f" {_JOINT}" not in joined
        and max(map(len, column)) <= limit
    )


def _refused(character: str) -> bool:
    return unicodedata.category(character) in _REFUSED_CATEGORIES


def _too_long(field: Field) -> Fault:
    return Fault("too_long", f"at most {field.limit} characters")
