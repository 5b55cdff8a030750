"""Funding that persons confirmed, and the budget (programme and period) from which a file takes."""

from alembic import op

revision = "0011"
down_revision = "0010"

STATEMENTS = (
    # `voucher` is the digest of the exhibit that shows the transfer.
    """CREATE TABLE funding (
        funding_pk INTEGER PRIMARY KEY,
        lane_pk INTEGER NOT NULL REFERENCES lane,
        amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
        voucher TEXT NOT NULL,
        persons TEXT NOT NULL,
        confirmed_at TEXT NOT NULL)""",
    "CREATE INDEX funding_by_lane ON funding (lane_pk)",
    # Empty where no limit of a programme holds.
    "ALTER TABLE file ADD COLUMN budget TEXT NOT NULL DEFAULT ''",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("a ledger is never taken back to an older schema; restore a backup instead")
