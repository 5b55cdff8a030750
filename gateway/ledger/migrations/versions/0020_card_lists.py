"""Lists of platforms that say which card corresponds to a person's passbook; what is in them is sealed."""

from alembic import op

revision = "0020"
down_revision = "0019"

STATEMENTS = (
    # `stored_as` is the list as it was brought, `spool_name` its readable rows; both name people.
    """CREATE TABLE card_list (
        list_pk INTEGER PRIMARY KEY,
        source_platform TEXT NOT NULL,
        content_sha256 TEXT NOT NULL,
        stored_as TEXT NOT NULL,
        spool_name TEXT NOT NULL,
        drawn_on TEXT NOT NULL,
        row_count INTEGER NOT NULL,
        person_count INTEGER NOT NULL,
        left_out_count INTEGER NOT NULL,
        doubted_count INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('brought', 'in_force', 'ended')),
        brought_at TEXT NOT NULL,
        taken_at TEXT,
        taken_by TEXT,
        ended_at TEXT,
        CHECK ((state = 'ended') = (ended_at IS NOT NULL)),
        CHECK (state <> 'in_force' OR taken_at IS NOT NULL))""",
    # One at a time: two lists of one platform would be two answers to one question.
    "CREATE UNIQUE INDEX card_list_in_force ON card_list (source_platform) WHERE state = 'in_force'",
    "CREATE UNIQUE INDEX card_list_alive ON card_list (source_platform, content_sha256)"
    " WHERE state <> 'ended'",
    "CREATE INDEX card_list_brought ON card_list (list_pk) WHERE state = 'brought'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("a ledger is never taken back to an older schema; restore a backup instead")
