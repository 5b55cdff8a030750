"""Whether the tables of a bundle tell what its journal says, and add up.

Each check reads one table once, in its order. What is kept meanwhile grows with the files and
events; of payments some forty bytes each.
"""

from __future__ import annotations

from gateway.audit.answered import AnsweredChecks
from gateway.audit.beside import Beside
from gateway.audit.card_lists import check_card_lists
from gateway.audit.chain import Journal
from gateway.audit.decided import DecidedChecks
from gateway.audit.report import Bundle
from gateway.audit.sent import SentChecks
from gateway.audit.submitted import SubmittedChecks


def check_tables(bundle: Bundle, journal: Journal) -> None:
    """Every check of every table, in the order in which they lean on each other."""
    beside = Beside(bundle, journal)
    submitted, sent, answered = SubmittedChecks(beside), SentChecks(beside), AnsweredChecks(beside)
    submitted.batches()
    submitted.payments()
    sent.files()
    sent.parts()
    sent.attempts()
    answered.received()
    answered.answers()
    answered.notices()
    answered.entries()
    answered.outcomes()
    answered.recoveries()
    DecidedChecks(beside).decisions()
    check_card_lists(beside)
