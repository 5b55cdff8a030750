"""Status on three levels, several reasons for one item, a status that changes with time: pain.002."""

from __future__ import annotations

from collections.abc import Sequence

from formats import Payment
from gateway import Gateway
from tests.gateway.answers import Answers, file_of
from tests.gateway.sites import ISO, Ground, current, payments_of, states

PROGRESS = ("unknown", "IN_PROGRESS", None)


class Reports:
    """Status reports about one file, each under a name of its own."""

    def __init__(self, ground: Ground, gateway: Gateway, payments: Sequence[Payment]) -> None:
        self.ground, self.gateway, self.payments = ground, gateway, payments
        ground.submit(gateway, payments)
        gateway.run()
        self.answers = Answers(gateway, ISO, file_of(gateway, ISO))
        self.number = 0

    def say(self, group: str, items: dict[int, str]) -> list[tuple[str, str, int | None]]:
        """A report with this status of the group and these of items ("" for none); all outcomes after it."""
        self.number += 1
        rows = [row for row in self.answers.paid(self.payments) if row.item in items]
        text = self.answers.result(rows).decode()
        text = text.replace("<GrpSts>ACTC</GrpSts>", "")
        at = text.index("<TxInfAndSts>")
        text = text[:at] + group + text[at:]
        for item, status in items.items():
            key = f"<OrgnlEndToEndId>{self.answers.file.sequence:012d}{item:08d}</OrgnlEndToEndId>"
            assert f"{key}<TxSts>ACSC</TxSts>" in text
            text = text.replace(f"{key}<TxSts>ACSC</TxSts>", key + status)
        self.ground.post(ISO, self.answers.name("result", self.number), text.encode())
        self.ground.take(self.gateway)
        assert [problem.code for row in self.gateway.received() for problem in row.problems] == []
        found = current(self.gateway)
        return [found[payment.payment_id] for payment in self.payments]


def group(status: str) -> str:
    return f"<PmtInfSts>{status}</PmtInfSts>"


def item(status: str, *reasons: str) -> str:
    told = "".join(f"<StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn></StsRsnInf>" for reason in reasons)
    return f"<TxSts>{status}</TxSts>{told}"


def test_the_most_specific_status_wins_and_changes_with_time(ground: Ground) -> None:
    payments = payments_of(ISO, 4)
    paid = [("credited", "", payment.amount_minor) for payment in payments]
    failed = ("failed", "ACCOUNT_NOT_FOUND", None)
    with ground.open() as gateway:
        reports = Reports(ground, gateway, payments)
        everything = dict.fromkeys((1, 2, 3, 4), "")
        assert reports.say(group("ACSP"), everything) == [PROGRESS] * 4
        assert states(gateway) == ["sent"]
        told = reports.say(group("ACSP"), everything | {1: item("ACSC")})
        assert told == [paid[0], PROGRESS, PROGRESS, PROGRESS]
        # The first reason decides; one that the table calls unknown makes it unknown.
        told = reports.say(
            group("ACSC"), {2: item("RJCT", "AC01", "NARR"), 3: "", 4: item("RJCT", "AC01", "AM05")}
        )
        assert told[:3] == [paid[0], failed, paid[2]]
        assert told[3][0] == "unknown"
        assert states(gateway) == ["sent"]
        # Accepted, later refused: what was called paid is never called failed by itself.
        told = reports.say("", {3: item("RJCT", "AC04"), 4: item("RJCT", "AC01")})
        assert told == [paid[0], failed, ("unknown", "CONTRADICTED", payments[2].amount_minor), failed]
        told = reports.say("", {2: item("ACSC"), 3: item("ACSC")})
        assert told == [paid[0], paid[1], ("unknown", "CONTRADICTED", payments[2].amount_minor), failed]
        assert gateway.needs_person()
