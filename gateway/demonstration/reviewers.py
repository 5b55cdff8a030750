"""The demonstration's two persons: where only a bank knows, they ask it, and sign what it wrote.

A process that died between "the release is committed" and the release itself leaves a file of
which nothing is to be seen at the bank. The gateway never sends it again by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.api import Gateway
from gateway.demonstration.plan import PASSBOOK_PLATFORM
from gateway.demonstration.settings_texts import PERSONS
from gateway.demonstration.site import Site
from gateway.ledger.funding import FundingRow, find_funding
from gateway.money import yuan
from gateway.report import FileStatus
from gateway.rules.recoveries import Recovery
from gateway.states import FileState
from keys.private import load_signer
from keys.statement import sign_statement

if TYPE_CHECKING:
    from gateway.simulator.server import BankServer

_LETTERS = {
    "arrived": "我行已收到你单位文件 {name},并已受理。\nWe have your file {name} and took it.\n",
    "not-received": "我行未收到你单位文件 {name},今后亦不受理。\n"
    "We never had your file {name}, and shall not take it.\n",
}
_FINDING = (
    "经复核,该笔金额多录一个零,多发部分应予追回。\nThe amount has a zero too many; the rest is asked back.\n"
)
_TRANSFER = (
    "进账单:财政已将 {amount} 元拨入 {bank} 付款账户。\n"
    "Voucher: {amount} yuan are on the payer account at {bank}.\n"
)
_VOUCHER = "缴款凭证:退回多发款的一部分。\nVoucher: a part of what was paid too much came back.\n"
_FUNDING = "funding:"


class Reviewers:
    """Whoever decides on a demonstration site. `tell` gets a line for each decision."""

    def __init__(
        self, site: Site, gateway: Gateway, banks: Mapping[str, BankServer], tell: Callable[[str], None]
    ) -> None:
        self._department = site.department
        self._gateway = gateway
        self._banks = banks
        self._tell = tell

    def decide(self) -> int:
        """About every file that waits for the bank's word; how many. Call it while the banks rest."""
        waiting = [
            file
            for file in self._gateway.files()
            # Without a remark the next run looks for it first.
            if file.state == FileState.UNCERTAIN and file.attention is not None
        ]
        for file in waiting:
            self._decide(file)
        return len(waiting)

    def unfunded(self) -> list[FundingRow]:
        """What waits for its money."""
        waiting = [item.object for item in self._gateway.held() if item.object.startswith(_FUNDING)]
        with self._gateway.installation.ledger.read() as transaction:
            found = [find_funding(transaction, int(name.removeprefix(_FUNDING))) for name in waiting]
        return [funding for funding in found if funding is not None]

    def fund(self) -> list[FundingRow]:
        """The money for all of it came: one person confirms each transfer on its voucher."""
        waiting = self.unfunded()
        for funding in waiting:
            words = _TRANSFER.format(amount=yuan(funding.missing_minor), bank=funding.bank)
            name = f"{funding.batch_id}-{funding.bank}"
            voucher = self._gateway.attach(self._paper("vouchers", name, words))
            self._sign(f"{_FUNDING}{funding.lane_pk}", "fund", next(iter(PERSONS)), voucher)
        return waiting

    def withdraw_repeat(self, payment_id: str) -> bool:
        """One person takes back what is held since it repeats another payment; False where that is done."""
        about = f"payment:{PASSBOOK_PLATFORM}/{payment_id}"
        # Who may accept it may do so only while it is held.
        held = any(way.decision == "accept" for way in self._gateway.ways(about))
        if held:
            self.sign_one(about, "withdraw")
        return held

    def sign_one(self, about: str, decision: str) -> None:
        """The first of them decides something that takes one person and no letter."""
        self._sign(about, decision, next(iter(PERSONS)))

    def _decide(self, file: FileStatus) -> None:
        about = f"file:{file.bank}/{file.name}"
        decision = "arrived" if self._banks[file.bank].bank.saw(file.name) else "not-received"
        words = _LETTERS[decision].format(name=file.name)
        letter = self._gateway.attach(self._paper("letters", f"{file.bank}-{file.name}", words))
        self._sign_both(about, decision, letter)
        self._tell(f"   {about}: the bank wrote, and {' and '.join(PERSONS)} signed: {decision}")

    def ask_back(self, payment_id: str, amount_minor: int) -> None:
        """What was paid too much, on the department's finding; once."""
        if not self._recoveries(payment_id):
            finding = self._gateway.attach(self._paper("findings", "paid-too-much", _FINDING))
            about = self._gateway.recovery_object(payment_id)
            self._sign_both(about, "recover", finding, amount_minor, "too-much")

    def take_back(self, payment_id: str, amount_minor: int) -> None:
        """A part of it came back, on its voucher; once."""
        if not any(one.recovered_minor for one in self._recoveries(payment_id)):
            voucher = self._gateway.attach(self._paper("findings", "came-back", _VOUCHER))
            about = self._gateway.recovery_object(payment_id)
            self._sign(about, "recovered", next(iter(PERSONS)), voucher, amount_minor)

    def _recoveries(self, payment_id: str) -> list[Recovery]:
        return [one for one in self._gateway.plan.recoveries() if one.payment_id == payment_id]

    def _sign_both(
        self, about: str, decision: str, exhibit: str, amount_minor: int | None = None, ground: str = ""
    ) -> None:
        signed = next(way.persons for way in self._gateway.ways(about) if way.decision == decision)
        for person in PERSONS:
            # One may have signed before the process died.
            if person not in signed:
                self._sign(about, decision, person, exhibit, amount_minor, ground)

    def _sign(
        self,
        about: str,
        decision: str,
        person: str,
        exhibit: str = "",
        amount_minor: int | None = None,
        ground: str = "",
    ) -> None:
        statement = self._gateway.statement(
            about, decision, person, exhibit=exhibit, amount_minor=amount_minor, ground=ground
        )
        signer = load_signer(person, self._department / "persons" / f"{person}.pem")
        self._gateway.decide(statement, sign_statement(signer, statement.to_bytes()))

    def _paper(self, kind: str, name: str, words: str) -> Path:
        """What a decision rests on, in the folder of its kind; the same whenever it is asked for."""
        folder = self._department / kind
        folder.mkdir(exist_ok=True)
        path = folder / f"{name}.txt"
        path.write_text(words, "utf-8")
        return path
