"""Whoever got another key may sign anew what the former key had signed."""

from alembic import op

revision = "0007"
down_revision = "0006"

STATEMENTS = (
    """CREATE TABLE decision_by_key (
        decision_pk INTEGER PRIMARY KEY,
        object TEXT NOT NULL,
        decision TEXT NOT NULL,
        person TEXT NOT NULL,
        key_id TEXT NOT NULL,
        statement BLOB NOT NULL,
        signature BLOB NOT NULL,
        recorded_at TEXT NOT NULL,
        carried_out INTEGER NOT NULL DEFAULT 0,
        UNIQUE (object, decision, person, key_id))""",
    """INSERT INTO decision_by_key (decision_pk, object, decision, person, key_id, statement, signature,
        recorded_at, carried_out)
        SELECT decision_pk, object, decision, person, key_id, statement, signature, recorded_at, carried_out
        FROM decision""",
    "DROP TABLE decision",
    "ALTER TABLE decision_by_key RENAME TO decision",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("a ledger is never taken back to an older schema; restore a backup instead")
