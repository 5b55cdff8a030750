"""What a bank tells that is no outcome; what a decoder read over."""

from alembic import op

revision = "0010"
down_revision = "0009"

STATEMENTS = (
    # `about` has the names of what is told, in clear; the values are sealed in `text`. `item` and
    # `payment_pk` are NULL where it is about a file as a whole.
    """CREATE TABLE notice (
        notice_pk INTEGER PRIMARY KEY,
        bank TEXT NOT NULL,
        code TEXT NOT NULL,
        about TEXT NOT NULL,
        file_pk INTEGER NOT NULL REFERENCES file,
        item INTEGER,
        payment_pk INTEGER REFERENCES payment,
        received_pk INTEGER NOT NULL REFERENCES received,
        line INTEGER,
        recorded_at TEXT NOT NULL,
        text BLOB)""",
    "CREATE INDEX notice_by_file ON notice (file_pk)",
    "CREATE INDEX notice_by_payment ON notice (payment_pk)",
    # JSON: by name of a tolerance how often, and where first.
    "ALTER TABLE received ADD COLUMN tolerated TEXT NOT NULL DEFAULT '{}'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("a ledger is never taken back to an older schema; restore a backup instead")
