"""Early warnings (预警): what somebody should look at before, or after, it is paid.

Plan, section 五(三): the supervised chain has warnings. Each says why, and from when on is the site's
to set (`[warnings]`). A warning stops nothing; rules that stop are elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct

from gateway.installation import Installation
from gateway.ledger.books import book_rows
from gateway.ledger.intake import BatchRow
from gateway.ledger.people import payments_of_batch
from gateway.ledger.warnings import Watch, WatchedRow
from gateway.money import yuan
from gateway.rules.known_cards import OWN_COLUMNS, KnownCards, holds_own_account
from gateway.rules.people import with_people
from gateway.rules.warning_settings import WarningSettings

_PERCENT = 100
_NAMED = 100
_ADDED_TOGETHER = 1000
_ENDING = 4
_FEWEST_FOR_A_MIDDLE = 5
_WANTED = ("account", "reissue_of", *OWN_COLUMNS)
_ANSWERED = ("credited", "failed", "returned")


_BESIDE_LISTS = {
    "anothers_account": (
        "{} 笔的账户在卡折对照清单中属于他人",
        "{} payments go to accounts that a card list gives to other persons",
    ),
    "other_card": (
        "{} 笔的社保卡账户与卡折对照清单不同",
        "{} payments go to other cards than a card list names of the beneficiaries",
    ),
    "other_name": (
        "{} 笔的姓名与卡折对照清单不同",
        "of {} payments a card list names the beneficiary otherwise",
    ),
    "card_known": (
        "{} 笔仍发一本通,其社保卡已知,下批可改发社保卡",
        "{} payments go to passbooks of persons whose card is known: they may be paid by card",
    ),
}
"""Chinese and English of what differs from card lists."""


class WarningKind(StrEnum):
    """Why somebody should look."""

    OFF_STANDARD = "off_standard"
    FAR_FROM_MIDDLE = "far_from_middle"
    SHARED_ACCOUNT = "shared_account"
    ACCOUNT_CHANGES = "account_changes"
    FAILURE_RATE = "failure_rate"
    ANOTHERS_ACCOUNT = "anothers_account"
    OTHER_CARD = "other_card"
    OTHER_NAME = "other_name"
    CARD_KNOWN = "card_known"


class Warned(Struct, frozen=True, kw_only=True):
    """One warning: `count` payments, of which `payment_ids` names at most a hundred.

    `about` is a programme, the last four characters of an account, a batch or a bank.
    """

    kind: WarningKind
    about: str
    reason: tuple[str, str]
    """Chinese and English."""
    count: int
    payment_ids: list[str] = []


def early_warnings(installation: Installation, batch: BatchRow) -> Iterator[Warned]:
    """All warnings about a batch: amounts, accounts, changes of accounts, banks."""
    settings = installation.configuration.warnings_from
    with Watch(installation.ledger) as watch, KnownCards(installation, watch.connection) as known:
        _fill(installation, batch, watch)
        yield from _amounts(installation, settings, watch)
        for ending, persons, count, names in watch.shared_accounts(settings.payees_per_account, _NAMED):
            reason = (f"{persons} 人共用一个账户", f"{persons} beneficiaries are paid to one account")
            yield Warned(
                kind=WarningKind.SHARED_ACCOUNT,
                about=f"*{ending}",
                reason=reason,
                count=count,
                payment_ids=names,
            )
        total, again = watch.totals()
        if again > 1 and again * _PERCENT >= settings.changed_percent * total:
            reason = (
                f"{total} 笔中有 {again} 笔为更正账户后的补发",
                f"{again} of {total} payments replace others, with accounts that were corrected",
            )
            yield Warned(
                kind=WarningKind.ACCOUNT_CHANGES,
                about=batch.batch_id,
                reason=reason,
                count=again,
                payment_ids=watch.replacing(_NAMED),
            )
        for kind, count, names in watch.beside_lists(_NAMED) if known.any else ():
            chinese, english = _BESIDE_LISTS[kind]
            yield Warned(
                kind=WarningKind(kind),
                about=batch.batch_id,
                reason=(chinese.format(count), english.format(count)),
                count=count,
                payment_ids=names,
            )
    yield from _failures(installation, settings, batch)


def _fill(installation: Installation, batch: BatchRow, watch: Watch) -> None:
    """Accounts and persons by keyed digests alone."""
    digests = installation.keyring.fingerprinter(installation.clock.now())
    block: list[WatchedRow] = []
    with installation.ledger.read() as transaction:
        payments = payments_of_batch(transaction, batch.batch_pk)
        for payment, person in with_people(installation, payments, _WANTED):
            account, who = person.get("account", ""), person.get("beneficiary_id", "")
            block.append(
                (
                    payment.payment_id,
                    payment.programme,
                    payment.amount_minor,
                    digests.of_accounts([(payment.bank, account)])[0] if account else b"",
                    digests.of([who])[0],
                    account[-_ENDING:],
                    int(bool(person.get("reissue_of"))),
                    digests.of_names([person.get("beneficiary_name", "")])[0],
                    payment.account_kind if holds_own_account(person) else "",
                )
            )
            if len(block) == _ADDED_TOGETHER:
                watch.add(block)
                block = []
    watch.add(block)


def _amounts(installation: Installation, settings: WarningSettings, watch: Watch) -> Iterator[Warned]:
    catalogue = installation.configuration.catalogue
    for programme, number, middle in watch.programmes():
        known = None if catalogue is None else catalogue.find(programme)
        standard = None if known is None else known.standard
        far = middle * settings.times_of_middle
        for amount, count in watch.amounts(programme):
            kind, reason = None, ("", "")
            if standard is not None and not standard.permits(amount):
                kind = WarningKind.OFF_STANDARD
                reason = (f"{yuan(amount)} 元不在补贴标准内", f"{yuan(amount)} yuan is not in the standard")
            elif number >= _FEWEST_FOR_A_MIDDLE and amount >= far:
                kind = WarningKind.FAR_FROM_MIDDLE
                times, found, usual = settings.times_of_middle, yuan(amount), yuan(middle)
                reason = (
                    f"{found} 元,为本批该项目中位数 {usual} 元的 {times} 倍以上",
                    f"{found} yuan is at least {times} times the middle one, {usual}",
                )
            if kind is not None:
                names = watch.payments_of(programme, amount, _NAMED)
                yield Warned(kind=kind, about=programme, reason=reason, count=count, payment_ids=names)


def _failures(installation: Installation, settings: WarningSettings, batch: BatchRow) -> Iterator[Warned]:
    answered: dict[str, list[int]] = {}
    with installation.ledger.read() as transaction:
        for row in book_rows(transaction, batch.batch_pk):
            if row.at_the_bank and row.state in _ANSWERED:
                sums = answered.setdefault(row.bank, [0, 0])
                sums[0] += row.count
                sums[1] += row.count * (row.state != "credited")
    for bank, (total, failed) in sorted(answered.items()):
        if failed and failed * _PERCENT >= settings.failed_percent * total:
            reason = (f"已回 {total} 笔中失败 {failed} 笔", f"{failed} of {total} answered payments failed")
            yield Warned(kind=WarningKind.FAILURE_RATE, about=bank, reason=reason, count=failed)
