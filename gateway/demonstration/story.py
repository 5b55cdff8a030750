"""The demonstrated month, day by day: handed over, paid, answered, verified, paid again, closed.

Each act asks the ledger and the folder what was done already, so that all of them can be played
again from the first after the process died: what was done is not done twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from formats import Outcome, Reason, Status
from formats.standard import FileFormat, write_batch
from gateway.api import Gateway
from gateway.demonstration.batches import FieldBatch
from gateway.demonstration.days import BEGINS, ZONE, moment
from gateway.demonstration.month import Month
from gateway.demonstration.month_clock import MonthClock
from gateway.demonstration.month_files import (
    again_file,
    card_list_file,
    corrections_file,
    next_id,
    published_list,
)
from gateway.demonstration.plan import PASSBOOK_PLATFORM, PLATFORM
from gateway.demonstration.reviewers import Reviewers
from gateway.demonstration.site import Site, sign_batch, signature_of
from gateway.demonstration.verified import verify
from gateway.demonstration.watch import Watch
from gateway.ledger.card_lists import CardListState
from gateway.rules.books import By, Sum
from gateway.run_report import RunReport
from gateway.screens import screen

if TYPE_CHECKING:
    from gateway.simulator.server import BankServer

HALF = 6
"""Fields of which the departments are ready on the first day."""
_IDLE_TURNS = 2
"""Turns in a row in which nothing happened before a day is over."""
_MOST_TURNS = 200
_VERIFIABLE = (Status.FAILED, Status.RETURNED, Status.SET_ASIDE)
_WAITS_FOR_ITS_OWNER = frozenset({Reason.NO_CARD, Reason.NOT_ACTIVATED})
"""Nobody but the owner can mend these, at the card office and at the bank's counter."""

Tell = Callable[[str], None]


class Story:
    """One playing of the month. `tell` gets a line for what happens, without personal data."""

    def __init__(
        self,
        site: Site,
        month: Month,
        gateway: Gateway,
        banks: Mapping[str, BankServer],
        clock: MonthClock,
        watch: Watch,
        tell: Tell,
    ) -> None:
        self._site = site
        self._month = month
        self._gateway = gateway
        self._banks = banks
        self._clock = clock
        self._watch = watch
        self._tell = tell
        self._reviewers = Reviewers(site, gateway, banks, tell)
        self._day = BEGINS.date()
        """The day that is played."""

    def play(self) -> RunReport:
        """Everything, in order. The last run's report: what went wrong in it goes wrong still."""
        last = RunReport()
        for at, act in (
            (moment(1, 9), self._first_half),
            (moment(2, 9), self._passbooks),
            (moment(3, 9), self._second_half),
            (moment(4, 10), self._fund),
            (moment(8, 10), self._late_answer),
            (moment(11, 9, 30), lambda: self._pay_again(1)),
            (moment(15, 10), self._return),
            (moment(20, 9, 30), lambda: self._pay_again(2)),
            (moment(22, 10), self._cards),
            (moment(28, 10), self._look_again),
            (moment(30, 15), self._close),
        ):
            self._day = at.date()
            self._clock.go_to(at)
            act()
            last = self._run()
        return last

    def _first_half(self) -> None:
        self._hand_over(self._month.cards[:HALF])
        published = self._month.published
        path = published_list(self._site, published)
        if not path.exists():
            count = self._gateway.plan.publish(published.batch_id, path)
            self._say(
                f"{path.name}: 公示 {count:,} 笔",
                f"{path.name}: the list of {count:,} payments is published (公示)",
            )

    def _passbooks(self) -> None:
        """What a limit left behind goes today, and the other platform hands over what passbooks carry."""
        waiting = self._left_behind()
        if waiting.count:
            total = screen.money(waiting.minor)
            self._say(
                f"昨日超过协议单日限额的 {waiting.count:,} 笔 {total},今日发出",
                f"{waiting.count:,} payments, {total}, were over an agreement's limit of a day: they leave"
                " now",
            )
        self._hand_over(self._month.passbooks)

    def _left_behind(self) -> Sum:
        """What of the batch with a limited bank has not left."""
        left = Sum()
        for book in self._gateway.plan.books(By.BATCH, self._month.limited.batch_id):
            waiting = book.states.get("accepted", Sum())
            left.add(waiting.count, waiting.minor)
        return left

    def _second_half(self) -> None:
        self._hand_over(self._month.cards[HALF:])
        waiting = self._reviewers.unfunded()
        if waiting:
            total = screen.money(sum(one.missing_minor for one in waiting))
            department = waiting[0].department
            self._say(
                f"{department}的协议要求资金到位后发放:{total} 待确认",
                f"{department}: by its agreement {total} wait until the money is there",
            )

    def _fund(self) -> None:
        """The money is there; and a person looks at what both platforms would pay."""
        self._confirm_money()
        if self._reviewers.withdraw_repeat(self._month.repeated.payment_id):
            amount = screen.money(self._month.repeated.amount_minor)
            self._say(
                f"一笔 {amount} 一本通与一卡通重复发放,经核实撤回",
                f"one payment, {amount}, would have been paid by card and by passbook: it is taken back",
            )

    def _confirm_money(self) -> None:
        """A person has the voucher of each transfer to a payer account."""
        funded = self._reviewers.fund()
        if funded:
            total = screen.money(sum(one.missing_minor for one in funded))
            self._say(
                f"资金到位 {total},凭 {len(funded)} 张凭证确认",
                f"{total} are on the payer accounts, as a person confirms on each voucher ({len(funded)})",
            )

    def _late_answer(self) -> None:
        self._say(
            "一家银行超过两个工作日的期限才反馈",
            "a bank's answer comes after its deadline of two working days",
        )

    def _return(self) -> None:
        self._say("一笔已到账的款项退汇", "money that was credited comes back")

    def _hand_over(self, batches: tuple[FieldBatch, ...]) -> None:
        count = minor = aside = held = 0
        for batch in batches:
            path = batch.file(self._site.month)
            with self._watch.stage("submit"):
                receipt = self._gateway.submit(path, signature=signature_of(path).read_bytes())
            count, minor = count + receipt.payments, minor + receipt.total_minor
            aside, held = aside + receipt.set_aside, held + receipt.held
        first, last = batches[0].field.number, batches[-1].field.number
        by_book = batches[0].platform == PASSBOOK_PLATFORM
        total = screen.money(minor)
        way = screen.pick("一本通", "passbook") if by_book else screen.pick("一卡通", "card")
        chinese = [f"第 {first} 至 {last} 领域提交{way} {count:,} 笔,{total}"]
        english = [f"fields {first} to {last} hand over {count:,} payments by {way}, {total}"]
        if aside:
            chinese.append(f"退回核实 {aside} 笔")
            english.append(f"{aside} set aside")
        if held:
            chinese.append(f"待定 {held} 笔")
            english.append(f"{held} held")
        self._say(";".join(chinese), "; ".join(english))

    def _pay_again(self, number: int) -> None:
        """The departments verified what failed; each platform signs a batch that pays it again."""
        count = minor = 0
        for platform in (PLATFORM, PASSBOOK_PLATFORM):
            path = again_file(self._site, number, platform)
            if signature_of(path).exists() or self._write_again(number, platform):
                receipt = self._gateway.submit(path, signature=signature_of(path).read_bytes())
                count, minor = count + receipt.payments, minor + receipt.total_minor
        total = screen.money(minor)
        self._say(
            f"核实后足额补发 {count:,} 笔,{total}",
            f"{count:,} payments were verified and are paid again in full, {total}",
        )
        self._confirm_money()

    def _write_again(self, number: int, platform: str) -> bool:
        """The batch of a platform that pays again, signed; False where there is nothing to pay."""
        path, corrections = (named(self._site, number, platform) for named in (again_file, corrections_file))
        failed = list(self._failed(platform))
        if not failed:
            return False
        verify(self._month, failed, corrections, self._day, number)
        made = self._gateway.plan.reissue(corrections, self._month.again_id(number, platform), platform)
        waiting = len(made.refused)
        if waiting:
            self._say(
                f"{waiting} 笔失败的暂不能补发:所在文件尚未了结,银行仍可能更改",
                f"{waiting} failed payments must wait: their file is open, the bank may say otherwise yet",
            )
        if not made.payments:
            return False
        write_batch(path, made.batch, made.payments, FileFormat.CSV)
        sign_batch(self._site, self._clock.now(), path, platform)
        return True

    def _cards(self) -> None:
        """The passbook platform says whose card it knows; a person signs that its list counts."""
        brought = self._gateway.bring_card_list(card_list_file(self._site))
        if brought.state is CardListState.BROUGHT:
            self._reviewers.sign_one(brought.object, "take-list")
        persons, doubted = brought.check.persons, brought.check.doubted
        movable = sum(1 for _ in self._gateway.plan.movable())
        self._say(
            f"卡折对照清单 {persons:,} 人(自相矛盾 {doubted} 人):{movable:,} 笔下批可改发社保卡",
            f"a card list of {persons:,} persons, {doubted} in contradiction: {movable:,} payments can move"
            " to cards",
        )

    def _look_again(self) -> None:
        """What was paid too much is asked back; and some owners were at the counter since: their
        corrections are left for whoever looks."""
        path = corrections_file(self._site, 3)
        if not path.exists():
            verify(self._month, self._failed(PLATFORM, again=True), path, self._day, 3)
        overpaid = self._month.overpaid
        asked_minor = overpaid.amount_minor - overpaid.amount_minor // 10
        self._reviewers.ask_back(overpaid.payment_id, asked_minor)
        asked = screen.money(asked_minor)
        self._say(f"一笔多发的款项追回 {asked}", f"one payment had a zero too many: {asked} are asked back")

    def _close(self) -> None:
        """A part of what was asked back came; a person closes the books of every batch that is clean."""
        overpaid = self._month.overpaid
        self._reviewers.take_back(overpaid.payment_id, overpaid.amount_minor // 10)
        plan, closed = self._gateway.plan, 0
        self._check_statements()
        for status in self._gateway.status():
            (book,) = plan.books(By.BATCH, status.batch_id)
            open_ends = (book.open.count, book.findings.count, book.to_recover.count, book.gap_minor)
            agree = all(one.agrees for one in plan.standings(status.batch_id))
            clean = book.adds_up and agree and not any(open_ends)
            if clean and not plan.closed(status.batch_id).closed:
                self._reviewers.sign_one(f"books:{status.source_platform}/{status.batch_id}", "close-books")
            closed += clean
        self._check_list()
        batches = len(self._gateway.status())
        self._say(
            f"{batches} 个批次中 {closed} 个账平,已办结对账",
            f"the books of {closed} of {batches} batches are clean and closed",
        )

    def _check_statements(self) -> None:
        """What the banks' statements booked, against what their results said."""
        bookings = sum(1 for _ in self._gateway.statement_entries())
        differ = sum(1 for _ in self._gateway.plan.differences())
        self._say(
            f"对账单 {bookings:,} 笔记账与回盘逐笔核对,{differ} 笔不一致",
            f"{bookings:,} bookings of the banks' statements are held against their results: payments that"
            f" differ {differ}",
        )

    def _check_list(self) -> None:
        """The published list against what was credited, both ways."""
        published = self._month.published
        path = published_list(self._site, published)
        check = self._gateway.plan.check_list(published.batch_id, path)
        published_sum, credited_sum = screen.money(check.published_minor), screen.money(check.credited_minor)
        differ = sum(check.counts.values())
        self._say(
            f"{path.name}:公示 {check.published_count:,} 笔,{published_sum};到账 {check.credited_count:,} 笔,"
            f"{credited_sum};不一致 {differ} 笔",
            f"{path.name}: published {check.published_count:,}, {published_sum}; credited"
            f" {check.credited_count:,}, {credited_sum}; they differ in {differ}",
        )

    def _failed(self, platform: str, *, again: bool = False) -> Iterator[Outcome]:
        """What of a platform may be paid again and was not.

        `again`: only what waited for its owner, who was there.
        """
        failed: list[Outcome] = []
        paid_again: set[str] = set()
        # One by one: of a large month only these are kept.
        for one in self._gateway.outcomes(only_current=True):
            if "-R" in one.payment_id:
                paid_again.add(one.payment_id)
            if one.status in _VERIFIABLE and self._month.platform_of(one.payment_id) == platform:
                failed.append(one)
        for one in sorted(failed, key=lambda each: each.payment_id):
            waits = one.reason is Reason.NOT_ACTIVATED if again else one.reason not in _WAITS_FOR_ITS_OWNER
            if waits and next_id(one.payment_id) not in paid_again:
                yield one

    def _run(self) -> RunReport:
        """Run as a scheduler would, until nothing is due; the banks work on their own meanwhile."""
        idle = 0
        report = RunReport()
        for _ in range(_MOST_TURNS):
            report = self._gateway.run()
            for stage, seconds in report.seconds.items():
                self._watch.add(stage, seconds)
            with self._watch.stage("wait"):
                for bank in self._banks.values():
                    bank.wait()
                waited = self._wait_until(report.next_due)
            decided = self._reviewers.decide()
            idle = 0 if decided or report.did_something or waited else idle + 1
            if idle == _IDLE_TURNS:
                break
        return report

    def _wait_until(self, due: datetime | None) -> bool:
        """Whether it is due today: what is due on another day waits for that day's act."""
        today = max(self._day, self._clock.now().astimezone(ZONE).date())
        if due is None or due.astimezone(ZONE).date() > today:
            return False
        self._clock.wait_until(due)
        return True

    def _say(self, chinese: str, english: str) -> None:
        self._tell(f"{self._day}: {screen.pick(chinese, english)}")
