"""What a bank's account numbers look like, by its profile."""

from __future__ import annotations

from collections.abc import Iterator

from formats.identity import luhn_valid_column
from gateway.configuration.profile import AccountRule


def unlike(rule: AccountRule, accounts: list[str], rows: list[int]) -> Iterator[tuple[int, str]]:
    """(row, what was wanted) of the accounts that are not what the rule says."""
    prefixes = tuple(rule.prefixes)
    if rule.luhn:
        good = luhn_valid_column(accounts)
        yield from (
            (row, "a card number with a valid check digit")
            for row, valid in zip(rows, good, strict=True)
            if not valid
        )
    if prefixes:
        yield from (
            (row, "a card prefix of this bank")
            for row, account in zip(rows, accounts, strict=True)
            if not account.startswith(prefixes)
        )
    if rule.lengths and not set(map(len, accounts)) <= set(rule.lengths):
        lengths = ", ".join(map(str, rule.lengths))
        yield from (
            (row, f"a length of {lengths} digits")
            for row, account in zip(rows, accounts, strict=True)
            if len(account) not in rule.lengths
        )
