"""Draws that depend on a seed and a number only, and the check digits of made-up identities.

A draw needs no state from the one before it, so the millionth payment can be made alone
and a stream of a million takes no memory. Not random in any sense that protects a secret.
"""

from __future__ import annotations

from hashlib import blake2b
from operator import mul

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
_DOUBLED = str.maketrans("0123456789", "0246813579")
_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)

# A prime above every space that it permutes and so without a common divisor with any of them.
_STRIDE = 2_305_843_009_213_693_951


class Draw:
    """About 500 bits to pick from, for one number under one seed."""

    __slots__ = ("_rest",)

    def __init__(self, seed: int, number: int, purpose: str = "") -> None:
        text = f"{seed}/{number}/{purpose}".encode()
        self._rest = int.from_bytes(blake2b(text, digest_size=64).digest(), "big")

    def below(self, limit: int) -> int:
        """A number from 0 to `limit` - 1."""
        self._rest, picked = divmod(self._rest, limit)
        return picked

    def one_in(self, many: int) -> bool:
        """True for one number of `many`."""
        return self.below(many) == 0

    def choose(self, choices: tuple[str, ...] | str) -> str:
        """One of the strings, or one character of a string."""
        return choices[self.below(len(choices))]


def permute(number: int, space: int, seed: int) -> int:
    """A number below `space`, another one for every `number` below `space`."""
    return (number * _STRIDE + seed * 1_000_003) % space


def citizen_id(first_17: str) -> str:
    """An ID number with its check character (GB 11643, MOD 11-2)."""
    total = sum(map(mul, map(int, first_17), _ID_WEIGHTS))
    return first_17 + _ID_CHECKS[total % 11]


def card_number(body: str) -> str:
    """A card number with its check digit (Luhn)."""
    total = sum(map(int, body[-1::-2].translate(_DOUBLED))) + sum(map(int, body[-2::-2]))
    return f"{body}{-total % 10}"


def credit_code(first_17: str) -> str:
    """A unified social credit code with its check character (GB 32100)."""
    total = sum(
        _CREDIT_ALPHABET.index(character) * weight
        for character, weight in zip(first_17, _CREDIT_WEIGHTS, strict=True)
    )
    return first_17 + _CREDIT_ALPHABET[-total % 31]


def bank_code(first_11: str) -> str:
    """A 12-digit bank code with its check digit (ISO 7064 MOD 11,10)."""
    product = 10
    for digit in first_11:
        product = 2 * ((product + int(digit)) % 10 or 10) % 11
    return f"{first_11}{(11 - product) % 10}"
