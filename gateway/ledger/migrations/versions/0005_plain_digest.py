"""The digest of what stood in a file before it was sealed.

A bank that sends our own content back inside its own envelope is recognised by it. Files of
earlier revisions have none: of them only the bytes that were sent are known.
"""

from alembic import op

revision = "0005"
down_revision = "0004"

STATEMENTS = (
    "ALTER TABLE file ADD COLUMN plain_sha256 TEXT",
    "CREATE INDEX file_by_plain_digest ON file (plain_sha256) WHERE plain_sha256 IS NOT NULL",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
