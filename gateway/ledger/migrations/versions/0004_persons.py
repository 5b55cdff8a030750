"""The last event that tells who is enrolled, found among millions of others."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("CREATE INDEX event_of_persons ON event (event_pk) WHERE kind = 'persons enrolled'")


def downgrade() -> None:
    raise RuntimeError("a ledger is never taken back to an older schema; restore a backup instead")
