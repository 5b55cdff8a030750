"""Rules of check digits, by the name that a layout gives them. Pure; over texts.

Sources: ABA routing number (weights 3 7 1), ISO/IEC 7812-1 annex B (Luhn), ISO 7064 MOD 11,10
(12-digit bank codes) and MOD 11-2, the weights 2 to 9 from the right over 11 of Brazilian and
other European papers, ISO 13616 (IBAN).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from formats.identity import CheckScheme, with_check_digit


def check_digit(scheme: str, body: str) -> str | None:
    """The check digit of a body; None where the body is not of the scheme's form."""
    if not body or not (body.isascii() and body.isdigit()):
        return None
    return SCHEMES[scheme](body)


def is_valid(scheme: str, text: str) -> bool:
    """Whether the last character of a whole number is its check digit."""
    if scheme == IBAN:
        return _iban_valid(text)
    return len(text) > 1 and check_digit(scheme, text[:-1]) == text[-1]


def invalid_values(scheme: str, values: Sequence[str | None]) -> set[str]:
    """Those of some values whose check digit is wrong; absent ones have none. Each is looked at once."""
    return {value for value in set(values) if value and not is_valid(scheme, value)}


def _aba(body: str) -> str | None:
    if len(body) != 8:
        return None
    one, two, three, four, five, six, seven, eight = map(int, body)
    return str(-(3 * (one + four + seven) + 7 * (two + five + eight) + three + six) % 10)


def _mod11(body: str) -> str | None:
    """Weights 2 3 ... 9 2 3 ... from the right; a rest of 0 or 1 makes 0."""
    total = sum(int(digit) * (2 + place % 8) for place, digit in enumerate(reversed(body)))
    rest = total % 11
    return "0" if rest < 2 else str(11 - rest)


def _identity(scheme: CheckScheme) -> Callable[[str], str | None]:
    def check(body: str) -> str | None:
        try:
            return with_check_digit(scheme, body)[-1]
        except ValueError:
            return None

    return check


def _iban_valid(text: str) -> bool:
    turned = text[4:] + text[:4]
    if len(text) < 15 or not (turned.isascii() and turned.isalnum() and turned == turned.upper()):
        return False
    return int("".join(str(int(character, 36)) for character in turned)) % 97 == 1


IBAN = "iban"

SCHEMES: dict[str, Callable[[str], str | None]] = {
    "aba": _aba,
    "luhn": _identity(CheckScheme.LUHN),
    "bank-code": _identity(CheckScheme.BANK_CODE),
    "citizen": _identity(CheckScheme.CITIZEN),
    "mod11": _mod11,
    IBAN: lambda body: None,
}
"""The digit of a body, by scheme. An IBAN's stands in the middle: it is only ever checked as a whole."""
