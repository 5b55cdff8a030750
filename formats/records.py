"""The shared words: what a platform hands over, and what it gets back.

Amounts are integers in minor units (fen for CNY). No record of a payment or an outcome
has a place for a fee: what a bank charges is a `FeeFinding` and nothing else.
Names, ID and account numbers occur in `Payment` only; an `Outcome` carries the bank's
own words sealed.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from formats.reasons import Reason, Status


class AccountKind(StrEnum):
    """Which of the two platforms' accounts is credited (社保卡 or 一本通存折)."""

    CARD = "card"
    PASSBOOK = "passbook"


class PayeeKind(StrEnum):
    """Who is entitled."""

    PERSON = "person"
    HOUSEHOLD = "household"
    ORGANISATION = "organisation"


class PayeeRole(StrEnum):
    """Why this payee holds the account. `OTHER` waits for two persons."""

    SELF = "self"
    HOUSEHOLD_HEAD = "household_head"
    HOUSEHOLD_DESIGNATED = "household_designated"
    OTHER = "other"


class Batch(Struct, frozen=True, kw_only=True):
    """One list of payments, handed over together.

    `department`, `programme` and `period` are what a payment inherits that does not state
    its own. The declared count and total cover every row of the list, good and bad. `installation` is
    the identity of the gateway that it is for (`bankgate status`), "" where it names none.
    """

    batch_id: str
    source_platform: str
    declared_count: int
    declared_total_minor: int
    department: str = ""
    programme: str = ""
    period: str = ""
    currency: str = "CNY"
    summary: str = ""
    installation: str = ""


class Payment(Struct, frozen=True, kw_only=True):
    """One amount to one account. `payment_id` is unique for ever within its source platform."""

    payment_id: str
    amount_minor: int
    bank: str
    account: str
    account_kind: AccountKind
    beneficiary_name: str
    beneficiary_id: str
    department: str = ""
    programme: str = ""
    period: str = ""
    summary: str = ""
    payee_kind: PayeeKind = PayeeKind.PERSON
    payee_role: PayeeRole = PayeeRole.SELF
    payee_name: str = ""
    """Holder of the account; empty means the beneficiary."""
    payee_id: str = ""
    payee_ground: str = ""
    """For `OTHER`: the rule that lets another person's account be paid."""
    designation_reference: str = ""
    """For `HOUSEHOLD_DESIGNATED`: the family's joint designation."""
    household_id: str = ""
    custodian_name: str = ""
    """Who keeps the *card* (代管代持); the account stays the beneficiary's."""
    custodian_id: str = ""
    custody_ground: str = ""
    bank_code: str = ""
    """12-digit bank code (联行号), where the bank's format asks for it."""
    bank_name: str = ""
    province: str = ""
    city: str = ""
    region: str = ""
    village: str = ""
    social_card_number: str = ""
    reissue_of: str = ""
    """`payment_id` that this payment replaces (补发)."""
    reissue_ground: str = ""


class SealedText(Struct, frozen=True):
    """A bank's own words, personal data too ("户名不符:张三"): readable only with the data key."""

    blob: bytes


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of one payment by one piece of evidence. Appended, never overwritten.

    `cursor` grows with every outcome of the ledger: ask for `outcomes(since=cursor)`.
    `file_name` and `item` name the attempt; both are empty where nothing was sent.
    """

    cursor: int
    batch_id: str
    payment_id: str
    source_platform: str
    status: Status
    reason: Reason
    amount_minor: int
    credited_minor: int | None
    recorded_at: datetime
    returned_minor: int | None = None
    """What came back, where the bank says so; in full or the outcome is discrepant."""
    bank: str = ""
    bank_code: str = ""
    """The bank's own result code, verbatim; words in its place are sealed in `bank_text`."""
    bank_serial: str = ""
    bank_text: SealedText | None = None
    value_date: date | None = None
    file_name: str = ""
    item: int | None = None
    evidence_sha256: str = ""
    """Digest of the received file that says so, as lower-case hex."""
    evidence_line: int | None = None
    stated_status: Status | None = None
    """What this evidence alone says, where earlier evidence makes the outcome another."""


class FeeKind(StrEnum):
    """How a charge showed."""

    FEE_LINE = "fee_line"
    FEE_COLUMN = "fee_column"
    SHORT_CREDIT = "short_credit"
    CHARGE_BEARER = "charge_bearer"
    UNEXPLAINED_DEBIT = "unexplained_debit"
    """A statement shows money that left for no payment of ours, and is called no charge."""


class FeeFinding(Struct, frozen=True, kw_only=True):
    """Evidence that a bank charged something (违规收费). Never changes an outcome."""

    cursor: int
    bank: str
    kind: FeeKind
    amount_minor: int
    recorded_at: datetime
    file_name: str
    evidence_sha256: str
    evidence_line: int | None
    payment_id: str = ""
    item: int | None = None
    label: SealedText | None = None


class Notice(Struct, frozen=True, kw_only=True):
    """Something a bank tells us that is no outcome: a corrected account number, a changed order.

    Nothing acts on it. `about` names what is told (`account`, `bank_code`, `text`); the values are
    sealed in `text`. `payment_id` and `item` are empty where it is about a file as a whole.
    """

    cursor: int
    bank: str
    code: str
    recorded_at: datetime
    evidence_sha256: str
    evidence_line: int | None = None
    about: tuple[str, ...] = ()
    batch_id: str = ""
    source_platform: str = ""
    payment_id: str = ""
    file_name: str = ""
    item: int | None = None
    text: SealedText | None = None


class AcknowledgementVerdict(StrEnum):
    """What a bank says of a file as a whole. `DUPLICATE` makes our file uncertain, not rejected.

    `COMPLETE`: it is done with every payment of the file, and this answer is its last word. Only
    beside that can a payment that is not listed count as paid.
    """

    ACCEPTED = "accepted"
    COMPLETE = "complete"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"
    IN_PROGRESS = "in_progress"
    UNMAPPED = "unmapped"


class Acknowledgement(Struct, frozen=True, kw_only=True):
    """The bank took, or refused, a file as a whole (受理回执)."""

    bank: str
    file_name: str
    verdict: AcknowledgementVerdict
    bank_code: str
    recorded_at: datetime
    evidence_sha256: str
    reason: Reason = Reason.NONE
    text: SealedText | None = None


class Severity(StrEnum):
    """What a problem does: stops the whole batch or file, or one payment, or is only told.

    A payment that is set aside comes back; one that is held waits for a person.
    """

    REFUSES = "refuses"
    SETS_ASIDE = "sets_aside"
    HOLDS = "holds"
    WARNS = "warns"


class Problem(Struct, frozen=True, kw_only=True):
    """One mistake, with its place. A value, so that all of them can be reported together.

    `message` is complete for a person (where, field, found, wanted), masked, lower case,
    without full stop. `line` is 1-based: a line of a text file, a row of a sheet.
    `column` is the field's name as the file's author wrote it.
    """

    code: str
    message: str
    severity: Severity = Severity.REFUSES
    reason: Reason = Reason.NONE
    source: str = ""
    line: int | None = None
    column: str = ""
    record: str = ""
    found: str = ""
    wanted: str = ""
    hint: str = ""
    payment_id: str = ""


class FileIdentity(Struct, frozen=True, kw_only=True):
    """What a file says of itself before its first record; makes encoding a pure function.

    `sequence` never restarts for a bank, so every reference derived from it is unique for
    ever. `created_at` is aware and in the bank's zone. `agreement` and `profile` are what
    a layout may bind as `agreement.x` and `profile.x`.
    An answer names what it answers in `original_name` and `original_message_id`.
    """

    bank: str
    sequence: int
    name: str
    message_id: str
    created_at: datetime
    bank_day: date
    count: int
    total_minor: int
    currency: str = "CNY"
    agreement: dict[str, str] = field(default_factory=dict)
    profile: dict[str, str] = field(default_factory=dict)
    original_name: str = ""
    original_message_id: str = ""
    code: str = ""
    text: str = ""


class RecordChunk(Struct, kw_only=True):
    """About a thousand records of one kind, as columns: the currency of every codec.

    `record` is the layout's name for the kind: `payment`, `fee`, `notice`. `columns` maps
    a meaning of the layout language (`payment.account`, `outcome.amount`) to a list of
    `count` values: text as `str`, amounts as `int` minor units, dates as `date`, absent
    values as "" or None. `lines` gives each record's place (1-based line, or ordinal in XML).
    """

    record: str
    count: int
    columns: dict[str, list[Any]]
    lines: list[int] | range = field(default_factory=list)
