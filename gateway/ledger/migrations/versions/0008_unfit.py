"""Payments that fit no file, as profile, agreement and layouts are."""

from alembic import op

revision = "0008"
down_revision = "0007"

STATEMENTS = (
    # `pins` are the digests of what a file would be made with: with others it is tried again.
    """CREATE TABLE unfit (
        payment_pk INTEGER PRIMARY KEY REFERENCES payment,
        pins TEXT NOT NULL,
        message TEXT NOT NULL)""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("a ledger is never taken back to an older schema; restore a backup instead")
