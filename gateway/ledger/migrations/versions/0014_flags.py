"""What a bank's flag says of the records of its file."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    # JSON: `count` and `total`, as far as the flag has them.
    op.execute("ALTER TABLE received ADD COLUMN flag TEXT NOT NULL DEFAULT '{}'")


def downgrade() -> None:
    raise RuntimeError("a ledger is never taken back to an older schema; restore a backup instead")
