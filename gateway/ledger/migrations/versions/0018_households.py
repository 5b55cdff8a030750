"""Which payments concern the same household, programme and period, without naming the household."""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    # Apart from `fingerprint`, which has each payment once. What was taken before has none.
    op.execute(
        """CREATE TABLE household (
            subject_pk INTEGER NOT NULL,
            value BLOB NOT NULL,
            payment_pk INTEGER NOT NULL,
            PRIMARY KEY (subject_pk, value, payment_pk)) WITHOUT ROWID"""
    )


def downgrade() -> None:
    raise RuntimeError("a ledger is never taken back to an older schema; restore a backup instead")
