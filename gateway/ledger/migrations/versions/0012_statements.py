"""Entries of statements, and charges that are in no answer to a file of ours."""

from alembic import op

revision = "0012"
down_revision = "0011"

STATEMENTS = (
    # One booking of an account, or one payment in a booking. `identity` is made of what tells bookings
    # apart and names nobody; `occurrence` counts those that are alike within a statement. Names,
    # accounts and words are sealed in `text`.
    """CREATE TABLE statement_entry (
        entry_pk INTEGER PRIMARY KEY,
        bank TEXT NOT NULL,
        account TEXT NOT NULL,
        statement TEXT NOT NULL,
        received_pk INTEGER NOT NULL REFERENCES received,
        line INTEGER NOT NULL,
        direction TEXT NOT NULL,
        amount_minor INTEGER,
        entry_minor INTEGER,
        currency TEXT NOT NULL,
        booked_on TEXT,
        value_date TEXT,
        booked INTEGER NOT NULL,
        kind TEXT NOT NULL,
        serial TEXT NOT NULL,
        code TEXT NOT NULL,
        file_pk INTEGER REFERENCES file,
        item INTEGER,
        payment_pk INTEGER REFERENCES payment,
        identity TEXT NOT NULL,
        occurrence INTEGER NOT NULL,
        recorded_at TEXT NOT NULL,
        text BLOB,
        UNIQUE (bank, identity, occurrence))""",
    "CREATE INDEX statement_entry_by_received ON statement_entry (received_pk, line)",
    "CREATE INDEX statement_entry_by_file ON statement_entry (file_pk, item) WHERE file_pk IS NOT NULL",
    "CREATE INDEX statement_entry_by_payment ON statement_entry (payment_pk) WHERE payment_pk IS NOT NULL",
    "CREATE INDEX statement_entry_by_day ON statement_entry (bank, booked_on)",
    """CREATE TABLE charge (
        fee_pk INTEGER PRIMARY KEY,
        bank TEXT NOT NULL,
        kind TEXT NOT NULL,
        amount_minor INTEGER NOT NULL,
        file_pk INTEGER,
        item INTEGER,
        payment_pk INTEGER,
        received_pk INTEGER NOT NULL,
        line INTEGER,
        label BLOB,
        recorded_at TEXT NOT NULL)""",
    """INSERT INTO charge (fee_pk, bank, kind, amount_minor, file_pk, item, payment_pk, received_pk, line,
        label, recorded_at) SELECT fee_pk, bank, kind, amount_minor, file_pk, item, payment_pk, received_pk,
        line, label, recorded_at FROM fee_finding""",
    "DROP TABLE fee_finding",
    "ALTER TABLE charge RENAME TO fee_finding",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("a ledger is never taken back to an older schema; restore a backup instead")
