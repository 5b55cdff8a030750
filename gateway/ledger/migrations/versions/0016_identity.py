"""The ledger's own identity: what is signed names it, so that it counts at no other installation."""

from alembic import op

revision = "0016"
down_revision = "0015"

STATEMENTS = (
    "CREATE TABLE ledger_identity ("
    " one INTEGER PRIMARY KEY CHECK (one = 1),"
    " identity TEXT NOT NULL,"
    # Whether the journal has told it.
    " told INTEGER NOT NULL DEFAULT 0)",
    "INSERT INTO ledger_identity (one, identity) VALUES (1, lower(hex(randomblob(16))))",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("a ledger is never taken back to an older schema; restore a backup instead")
