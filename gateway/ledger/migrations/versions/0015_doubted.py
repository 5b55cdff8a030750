"""Files of a ledger that went back to a backup: what it forgot may have paid the same payments."""

from alembic import op

revision = "0015"
down_revision = "0014"

STATEMENTS = (
    "ALTER TABLE file ADD COLUMN doubted INTEGER NOT NULL DEFAULT 0",
    # Lost when the table was made anew.
    "CREATE INDEX IF NOT EXISTS fee_by_file ON fee_finding (file_pk)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("a ledger is never taken back to an older schema; restore a backup instead")
