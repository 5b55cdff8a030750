"""What was wrongly paid and is asked back, and what of it came back, on which voucher."""

from alembic import op

revision = "0017"
down_revision = "0016"

STATEMENTS = (
    # `decided` is the subject of the decision that it rests on, `exhibit` the digest of its letter.
    """CREATE TABLE recovery (
        recovery_pk INTEGER PRIMARY KEY,
        payment_pk INTEGER NOT NULL REFERENCES payment,
        amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
        ground TEXT NOT NULL,
        exhibit TEXT NOT NULL,
        persons TEXT NOT NULL,
        decided TEXT NOT NULL,
        marked_at TEXT NOT NULL,
        ending TEXT NOT NULL DEFAULT '' CHECK (ending IN ('', 'whole', 'given_up')),
        closed_at TEXT,
        closed_by TEXT,
        CHECK ((ending = '') = (closed_at IS NULL)))""",
    # One at a time: so its payment's name is its name too.
    "CREATE UNIQUE INDEX recovery_open ON recovery (payment_pk) WHERE closed_at IS NULL",
    "CREATE INDEX recovery_by_payment ON recovery (payment_pk)",
    """CREATE TABLE recovery_receipt (
        receipt_pk INTEGER PRIMARY KEY,
        recovery_pk INTEGER NOT NULL REFERENCES recovery,
        amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
        voucher TEXT NOT NULL,
        persons TEXT NOT NULL,
        decided TEXT NOT NULL,
        noted_at TEXT NOT NULL,
        struck_at TEXT,
        struck_by TEXT)""",
    # A voucher counts once.
    "CREATE UNIQUE INDEX receipt_voucher ON recovery_receipt (recovery_pk, voucher) WHERE struck_at IS NULL",
    "CREATE INDEX receipt_by_recovery ON recovery_receipt (recovery_pk)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("a ledger is never taken back to an older schema; restore a backup instead")
