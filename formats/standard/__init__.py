"""The platform's own batch and outcome files; the format is in `docs/standard-batch.md`."""

from __future__ import annotations

from formats.standard.canonical import canonical_batch_bytes
from formats.standard.examine import BatchChunk
from formats.standard.outcomes import OUTCOME_COLUMNS, write_outcomes
from formats.standard.read_tables import TableReader, TypedCell
from formats.standard.reader import BatchReader, batch_from_payments, open_batch
from formats.standard.sheets import NumberText
from formats.standard.table import BATCH_FIELDS, PAYMENT_FIELDS
from formats.standard.tables import write_table
from formats.standard.write_batch import FileFormat, Language, write_batch

__all__ = [
    "BATCH_FIELDS",
    "OUTCOME_COLUMNS",
    "PAYMENT_FIELDS",
    "BatchChunk",
    "BatchReader",
    "FileFormat",
    "Language",
    "NumberText",
    "TableReader",
    "TypedCell",
    "batch_from_payments",
    "canonical_batch_bytes",
    "open_batch",
    "write_batch",
    "write_outcomes",
    "write_table",
]
