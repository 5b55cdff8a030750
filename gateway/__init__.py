"""Bankgate: batches of payments in, banks' files out, outcomes back. The platform imports this.

from gateway import Gateway

with Gateway.open("bankgate.toml") as gateway:
    receipt = gateway.submit("batch.csv", signature=signature)
    gateway.run()
    for outcome in gateway.outcomes(receipt.batch_id):
        ...
"""

from gateway import _interrupt, _packaging  # noqa: F401, I001  first: what the others import takes long

from formats import (
    AccountKind,
    Batch,
    FeeFinding,
    Notice,
    Outcome,
    PayeeKind,
    PayeeRole,
    Payment,
    Problem,
    Reason,
    SealedText,
    Status,
)
from gateway.api import Gateway
from gateway.store.backup import BackupReport
from gateway.configuration.config import Policy
from gateway.persons.deciding import Decided
from gateway.persons.decisions import Signed, Statement
from gateway.persons.enrolled import Operator
from gateway.persons.enrolment import EnrolmentChange, end_enrolment, enrol
from gateway.errors import (
    BankUnreachable,
    ConfigurationError,
    Conflict,
    DecisionRefused,
    ExitCode,
    FolderUnusable,
    GatewayError,
    InputRefused,
    IntegrityError,
    LedgerMissing,
    Locked,
    NotPermitted,
    Refused,
    StorageFailed,
    Unknown,
)
from gateway.persons.held import HeldItem, Way
from gateway.intake import CheckReport, Receipt
from gateway.ledger.statements import EntryKind, StatementEntry
from gateway.ledger.whereabouts import Place, Whereabouts
from gateway.report import BatchStatus, FileStatus, ReceivedStatus, Story
from gateway.store.restore import RestoreReport
from gateway.store.retention import RetentionReport
from gateway.run_report import Attention, RunReport
from gateway.sending.stops import Stop

__all__ = [
    "AccountKind",
    "Attention",
    "BackupReport",
    "BankUnreachable",
    "Batch",
    "BatchStatus",
    "CheckReport",
    "ConfigurationError",
    "Conflict",
    "Decided",
    "DecisionRefused",
    "EnrolmentChange",
    "EntryKind",
    "ExitCode",
    "FeeFinding",
    "FileStatus",
    "FolderUnusable",
    "Gateway",
    "GatewayError",
    "HeldItem",
    "InputRefused",
    "IntegrityError",
    "LedgerMissing",
    "Locked",
    "NotPermitted",
    "Notice",
    "Operator",
    "Outcome",
    "PayeeKind",
    "PayeeRole",
    "Payment",
    "Place",
    "Policy",
    "Problem",
    "Reason",
    "Receipt",
    "ReceivedStatus",
    "Refused",
    "RestoreReport",
    "RetentionReport",
    "RunReport",
    "SealedText",
    "Signed",
    "Statement",
    "StatementEntry",
    "Status",
    "Stop",
    "StorageFailed",
    "Story",
    "Unknown",
    "Way",
    "Whereabouts",
    "end_enrolment",
    "enrol",
]
