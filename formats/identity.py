"""Check digits and forms of ID numbers, credit codes, bank codes and card numbers. Pure.

Sources: GB 11643-1999 (citizen number, ISO 7064 MOD 11-2), GB 32100-2015 (unified social
credit code), ISO 7064 MOD 11,10 as used by 12-digit bank codes, ISO/IEC 7812-1 annex B (Luhn).
Functions over columns exist where a million rows pass through: they give the same verdicts
as the single ones. Nothing is trimmed or folded here; the caller decides what a lower-case
`x` means. Not here: whether such a person, firm or account exists.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from enum import StrEnum
from functools import cache

_PROVINCE_NUMBERS = (
    *(*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66)),
    *(71, 81, 82, 83),
)
PROVINCES = frozenset(map(str, _PROVINCE_NUMBERS))
"""First two digits of GB/T 2260 in use, and 81 to 83 of the residence permits."""
EARLIEST_BIRTH_YEAR = 1800
CREDIT_CODE_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"

_CITIZEN_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CITIZEN_CHECKS = "10X98765432"
_CREDIT_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_EIGHTEEN = re.compile(r"[1-9][0-9]{16}[0-9X]")
_FIFTEEN = re.compile(r"[1-9][0-9]{14}")
_FOREIGN_OLD = re.compile(r"[A-Z]{3}[0-9]{12}")
_CREDIT_CODE = re.compile(rf"[{CREDIT_CODE_ALPHABET}]{{18}}")
_EIGHTEEN_COLUMN = re.compile(r"(?:[1-9][0-9]{16}[0-9X]\n)*+")
_BANK_CODE = re.compile(r"[0-9]{12}")
_LUHN_WIDTH = 20
_CACHE_LIMIT = 10_000
"""Entries that a cache of number parts may hold: all regions fit, and all parts of dates."""


class CheckScheme(StrEnum):
    """Which rule makes the check character."""

    CITIZEN = "citizen"
    SOCIAL_CREDIT = "social_credit"
    BANK_CODE = "bank_code"
    LUHN = "luhn"


def with_check_digit(scheme: CheckScheme, body: str) -> str:
    """`body` with its check character: 17 digits, 17 of the credit alphabet, 11 digits, any digits.

    Raises `ValueError` where the body does not fit the scheme.
    """
    pattern, check_of = _SCHEMES[scheme]
    if not re.fullmatch(pattern, body):
        raise ValueError(f"not a body for a {scheme} number: {len(body)} characters")
    return body + check_of(body)


def citizen_id_valid(number: str) -> bool:
    """18 characters with a birth date that exists and the right check character (GB 11643).

    Residence permits (81, 82, 83) and foreigners' cards since 2023 (9) follow the same rule.
    """
    return (
        _EIGHTEEN.fullmatch(number) is not None
        and _calendar_date(number[6:14]) is not None
        and _citizen_check(number[:17]) == number[17]
    )


def old_citizen_id_valid(number: str) -> bool:
    """15 digits of before 1999: no century, no check digit, a birth date that exists."""
    return _FIFTEEN.fullmatch(number) is not None and _calendar_date("19" + number[6:12]) is not None


def person_id_valid(number: str) -> bool:
    """Any ID a natural person may have here: 18 or 15 digits, or three letters and 12 digits."""
    return (
        citizen_id_valid(number) or old_citizen_id_valid(number) or _FOREIGN_OLD.fullmatch(number) is not None
    )


def social_credit_code_valid(code: str) -> bool:
    """18 characters of the reduced alphabet with the right check character (GB 32100)."""
    return _CREDIT_CODE.fullmatch(code) is not None and _credit_check(code[:17]) == code[17]


def bank_code_valid(code: str) -> bool:
    """12 digits that satisfy ISO 7064 MOD 11,10."""
    return _BANK_CODE.fullmatch(code) is not None and _bank_code_check(code[:11]) == code[11]


def luhn_valid(account: str) -> bool:
    """Only digits, at least two, and the last one is the Luhn check digit of the others."""
    if len(account) < 2 or not (account.isascii() and account.isdigit()):
        return False
    return _luhn_check(account[:-1]) == account[-1]


def invalid_person_ids(numbers: list[str]) -> list[int]:
    """Positions of the numbers that `person_id_valid` refuses."""
    odd = _not_eighteen_digits(numbers)
    if odd:
        numbers = list(numbers)
    invalid = []
    for place in odd:
        if not person_id_valid(numbers[place]):
            invalid.append(place)
        numbers[place] = _STAND_IN
    heads, years, days, tails = _HEADS, _YEARS, _DAYS, _TAILS
    checks = _CHECK_OF_SUM
    suspects = [
        place
        for place, number in enumerate(numbers)
        if checks[heads[number[:6]] + years[number[6:10]] + days[number[10:14]] + tails[number[14:17]]]
        != number[17]
    ]
    # A 29th of February is a suspect too, and is looked at with its year.
    return sorted(invalid + [place for place in suspects if not citizen_id_valid(numbers[place])])


def _not_eighteen_digits(numbers: list[str]) -> list[int]:
    """Positions of the numbers that have another form than a citizen number of today."""
    joined = "\n".join(numbers) + "\n"
    # The length excludes a line end inside a number.
    if len(joined) == 19 * len(numbers) and _EIGHTEEN_COLUMN.fullmatch(joined):
        return []
    return [place for place, number in enumerate(numbers) if not _EIGHTEEN.fullmatch(number)]


def luhn_valid_column(accounts: list[str]) -> list[bool]:
    """`luhn_valid` of every account."""
    joined = "".join(accounts)
    lengths = set(map(len, accounts))
    if not accounts or not (joined.isascii() and joined.isdigit()):
        return list(map(luhn_valid, accounts))
    if min(lengths) < 2 or max(lengths) > _LUHN_WIDTH:
        return list(map(luhn_valid, accounts))
    sums = _luhn_sums()
    padded = [account.zfill(_LUHN_WIDTH) for account in accounts]
    return [
        not (sums[text[:4]] + sums[text[4:8]] + sums[text[8:12]] + sums[text[12:16]] + sums[text[16:]]) % 10
        for text in padded
    ]


def birth_date(number: str) -> date | None:
    """Birth date that a valid 18- or 15-digit number states; None for other forms."""
    if len(number) == 18 and _EIGHTEEN.fullmatch(number):
        return _calendar_date(number[6:14])
    if len(number) == 15 and _FIFTEEN.fullmatch(number):
        return _calendar_date("19" + number[6:12])
    return None


def region_known(number: str) -> bool:
    """Whether the first two digits are a province in use; true for forms that state no region."""
    return number[:2] in PROVINCES or not number[:1].isdigit() or (len(number) == 18 and number[0] == "9")


def as_eighteen_digits(number: str) -> str:
    """A 15-digit citizen number as its 18-character successor; any other number unchanged.

    The successor has the century 19 and the check character (GB 11643-1999).
    """
    if not old_citizen_id_valid(number):
        return number
    return with_check_digit(CheckScheme.CITIZEN, number[:6] + "19" + number[6:])


def _citizen_check(body: str) -> str:
    return _CITIZEN_CHECKS[sum(map(int.__mul__, map(int, body), _CITIZEN_WEIGHTS)) % 11]


def _credit_check(body: str) -> str:
    values = map(CREDIT_CODE_ALPHABET.index, body)
    return CREDIT_CODE_ALPHABET[-sum(map(int.__mul__, values, _CREDIT_WEIGHTS)) % 31]


def _bank_code_check(body: str) -> str:
    product = 10
    for digit in body:
        product = 2 * ((product + int(digit)) % 10 or 10) % 11
    return str((11 - product) % 10)


def _luhn_check(body: str) -> str:
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in body[::-2])
    return str(-(doubled + sum(map(int, body[-2::-2]))) % 10)


_SCHEMES: dict[CheckScheme, tuple[str, Callable[[str], str]]] = {
    CheckScheme.CITIZEN: (r"[1-9][0-9]{16}", _citizen_check),
    CheckScheme.SOCIAL_CREDIT: (rf"[{CREDIT_CODE_ALPHABET}]{{17}}", _credit_check),
    CheckScheme.BANK_CODE: (r"[0-9]{11}", _bank_code_check),
    CheckScheme.LUHN: (r"[0-9]+", _luhn_check),
}


def _calendar_date(digits: str) -> date | None:
    try:
        day = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
    return day if day.year >= EARLIEST_BIRTH_YEAR else None


class _WeightedParts(dict[str, int]):
    """Weighted sum modulo 11 of one part of a citizen number, computed once for each value.

    Parts are short, so that the tables stay small: whole birth dates would be 50,000
    entries, and each look-up a walk to the main memory. A part that cannot be in every
    valid number counts so much that the whole sum has no check character.
    """

    def __init__(self, start: int, in_doubt: Callable[[str], bool] | None = None) -> None:
        self._start = start
        self._in_doubt = in_doubt
        super().__init__()

    def __missing__(self, part: str) -> int:
        weights = _CITIZEN_WEIGHTS[self._start : self._start + len(part)]
        value = sum(map(int.__mul__, map(int, part), weights)) % 11
        if self._in_doubt is not None and self._in_doubt(part):
            value = _IN_DOUBT
        if len(self) < _CACHE_LIMIT:
            self[part] = value
        return value


_STAND_IN = "11010519491231002X"
"""The standard's own example: holds the place of a number that was looked at by itself."""
_IN_DOUBT = 41
"""More than the sum of four parts, each at most 10."""
_HEADS = _WeightedParts(0)
_YEARS = _WeightedParts(6, lambda year: int(year) < EARLIEST_BIRTH_YEAR)
_DAYS = _WeightedParts(10, lambda day: _calendar_date("2001" + day) is None)
_TAILS = _WeightedParts(14)
_CHECK_OF_SUM = tuple(_CITIZEN_CHECKS[total % 11] for total in range(_IN_DOUBT)) + ("",) * 3 * _IN_DOUBT


@cache
def _luhn_sums() -> dict[str, int]:
    """Sum of four digits as they count on even places from the right, by their text."""
    doubled = [sum(divmod(2 * digit, 10)) for digit in range(10)]
    pairs = {f"{pair:02d}": doubled[pair // 10] + pair % 10 for pair in range(100)}
    return {high + low: pairs[high] + pairs[low] for high in pairs for low in pairs}
