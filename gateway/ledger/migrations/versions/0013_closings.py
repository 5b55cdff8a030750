"""Reconciliations that persons closed, each with a digest of the sums as they were."""

from alembic import op

revision = "0013"
down_revision = "0012"

STATEMENTS = (
    # A batch is closed while its sums are those of the last closing: a new fact opens it by itself.
    """CREATE TABLE closing (
        closing_pk INTEGER PRIMARY KEY,
        batch_pk INTEGER NOT NULL REFERENCES batch,
        sums_sha256 TEXT NOT NULL,
        persons TEXT NOT NULL,
        closed_at TEXT NOT NULL)""",
    "CREATE INDEX closing_by_batch ON closing (batch_pk)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("a ledger is never taken back to an older schema; restore a backup instead")
