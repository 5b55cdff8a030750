"""By what a held payment repeats others: so that all of them are found when it is decided."""

from alembic import op

revision = "0019"
down_revision = "0018"

STATEMENTS = (
    # Fingerprints of its person and of its household, by every key; none for what was held before.
    """CREATE TABLE repeat_key (
        payment_pk INTEGER NOT NULL REFERENCES payment,
        by_household INTEGER NOT NULL,
        value BLOB NOT NULL,
        PRIMARY KEY (payment_pk, by_household, value)) WITHOUT ROWID""",
    "CREATE INDEX subject_by_period ON subject (period)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("a ledger is never taken back to an older schema; restore a backup instead")
