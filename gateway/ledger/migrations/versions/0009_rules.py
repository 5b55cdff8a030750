"""Why a payment is held: each reason, and the payment that it repeats."""

from alembic import op

revision = "0009"
down_revision = "0008"

STATEMENTS = (
    # A reason ends by itself where the catalogue changes (`ended_at`); a payment that persons let go
    # keeps its reasons, and is not held any more.
    """CREATE TABLE hold (
        payment_pk INTEGER NOT NULL REFERENCES payment,
        reason TEXT NOT NULL,
        other_pk INTEGER REFERENCES payment (payment_pk),
        ended_at TEXT,
        PRIMARY KEY (payment_pk, reason)) WITHOUT ROWID""",
    "CREATE INDEX hold_by_reason ON hold (reason, payment_pk) WHERE ended_at IS NULL",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("a ledger is never taken back to an older schema; restore a backup instead")
