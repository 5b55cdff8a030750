"""Personal data that was destroyed when its term was over, and files that nothing refers to."""

from alembic import op

revision = "0006"
down_revision = "0005"

STATEMENTS = (
    # A batch whose personal data is being destroyed, or was; or one stored file that belongs to none.
    # While `ended_at` is NULL it goes on at the next turn; `forgotten_at` is when nothing of it was
    # left in the database's own files.
    """CREATE TABLE destruction (
        destruction_pk INTEGER PRIMARY KEY,
        object TEXT NOT NULL,
        batch_pk INTEGER UNIQUE REFERENCES batch,
        begun_at TEXT NOT NULL,
        ended_at TEXT,
        forgotten_at TEXT)""",
    "CREATE INDEX destruction_open ON destruction (destruction_pk) WHERE forgotten_at IS NULL",
    # `sha256` is that of the sealed bytes, as a backup's manifest has it.
    """CREATE TABLE destroyed_file (
        spool_name TEXT PRIMARY KEY,
        destruction_pk INTEGER NOT NULL REFERENCES destruction,
        sha256 TEXT NOT NULL,
        size_bytes INTEGER NOT NULL) WITHOUT ROWID""",
    # The signature of a received file that had its content inside: the proof stays, the content goes.
    """CREATE TABLE kept_signature (
        received_pk INTEGER PRIMARY KEY REFERENCES received,
        spool_name TEXT NOT NULL,
        sha256 TEXT NOT NULL)""",
    # Stored files that nothing refers to, since when they are known.
    "CREATE TABLE stray (spool_name TEXT PRIMARY KEY, seen_at TEXT NOT NULL) WITHOUT ROWID",
    "CREATE INDEX file_by_lane ON file (lane_pk)",
    "CREATE INDEX acknowledgement_by_file ON acknowledgement (file_pk)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("a ledger is never taken back to an older schema; restore a backup instead")
