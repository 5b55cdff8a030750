"""Records to bytes and back: the shared words, the layout language, the standard batch.

A bank engineer with a code codec imports this package; it imports nothing of ours.
"""

from formats.codec import CHUNK_RECORDS, Codec, Decoder, Purpose
from formats.errors import BatchError, DecodeError, EncodeError, FormatError, LayoutError
from formats.reasons import NEEDS_SOURCE, PERMITTED, Reason, Status
from formats.records import (
    AccountKind,
    Acknowledgement,
    AcknowledgementVerdict,
    Batch,
    FeeFinding,
    FeeKind,
    FileIdentity,
    Notice,
    Outcome,
    PayeeKind,
    PayeeRole,
    Payment,
    Problem,
    RecordChunk,
    SealedText,
    Severity,
)
from formats.reference import items_of_sequence, make_references, parse_reference

__all__ = [
    "CHUNK_RECORDS",
    "NEEDS_SOURCE",
    "PERMITTED",
    "AccountKind",
    "Acknowledgement",
    "AcknowledgementVerdict",
    "Batch",
    "BatchError",
    "Codec",
    "DecodeError",
    "Decoder",
    "EncodeError",
    "FeeFinding",
    "FeeKind",
    "FileIdentity",
    "FormatError",
    "LayoutError",
    "Notice",
    "Outcome",
    "PayeeKind",
    "PayeeRole",
    "Payment",
    "Problem",
    "Purpose",
    "Reason",
    "RecordChunk",
    "SealedText",
    "Severity",
    "Status",
    "items_of_sequence",
    "make_references",
    "parse_reference",
]
