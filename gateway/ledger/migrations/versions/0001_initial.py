"""The first ledger.

No column holds a name, an ID number or an account number in clear. Rows are keyed by
integers that grow in the order of insertion; what must be unique by text has a table of
its own that is filled in sorted order.
"""

from alembic import op

revision = "0001"
down_revision = None

TABLES = (
    # One list of payments. `content_sha256` is what "submitted again" is judged by.
    """CREATE TABLE batch (
        batch_pk INTEGER PRIMARY KEY,
        source_platform TEXT NOT NULL,
        batch_id TEXT NOT NULL,
        stored_as TEXT NOT NULL,
        content_sha256 TEXT NOT NULL,
        declared_count INTEGER NOT NULL,
        declared_total_minor INTEGER NOT NULL,
        currency TEXT NOT NULL,
        summary TEXT NOT NULL,
        state TEXT NOT NULL,
        submitted_at TEXT NOT NULL,
        released_at TEXT,
        release_evidence TEXT,
        problems TEXT NOT NULL,
        left_out_count INTEGER NOT NULL,
        left_out_minor INTEGER NOT NULL,
        UNIQUE (source_platform, batch_id))""",
    # What payments of one kind share, so that a payment's row stays narrow.
    """CREATE TABLE subject (
        subject_pk INTEGER PRIMARY KEY,
        department TEXT NOT NULL,
        programme TEXT NOT NULL,
        period TEXT NOT NULL,
        account_kind TEXT NOT NULL,
        payee_kind TEXT NOT NULL,
        UNIQUE (department, programme, period, account_kind, payee_kind))""",
    # The payments of one batch for one department and bank, in one sealed spool file. `due` is 0
    # once nothing of it waits for a file.
    """CREATE TABLE lane (
        lane_pk INTEGER PRIMARY KEY,
        batch_pk INTEGER NOT NULL REFERENCES batch,
        bank TEXT NOT NULL,
        department TEXT NOT NULL,
        spool_name TEXT NOT NULL,
        row_count INTEGER NOT NULL,
        due INTEGER NOT NULL,
        UNIQUE (batch_pk, bank, department))""",
    """CREATE TABLE payment (
        payment_pk INTEGER PRIMARY KEY,
        batch_pk INTEGER NOT NULL REFERENCES batch,
        lane_pk INTEGER REFERENCES lane,
        position INTEGER,
        source_line INTEGER NOT NULL,
        payment_id TEXT NOT NULL,
        amount_minor INTEGER NOT NULL CHECK (amount_minor >= 0),
        subject_pk INTEGER NOT NULL REFERENCES subject,
        disposition TEXT NOT NULL,
        reason TEXT NOT NULL)""",
    "CREATE INDEX payment_by_lane ON payment (lane_pk, position)",
    "CREATE INDEX payment_by_batch ON payment (batch_pk)",
    """CREATE TABLE payment_key (
        source_platform TEXT NOT NULL,
        payment_id TEXT NOT NULL,
        payment_pk INTEGER NOT NULL,
        PRIMARY KEY (source_platform, payment_id)) WITHOUT ROWID""",
    # Which payments concern the same person, programme and period, without naming the person.
    """CREATE TABLE fingerprint (
        subject_pk INTEGER NOT NULL,
        value BLOB NOT NULL,
        payment_pk INTEGER NOT NULL,
        PRIMARY KEY (subject_pk, value, payment_pk)) WITHOUT ROWID""",
    # At most one successor may be alive for a payment; a dead one makes room.
    """CREATE TABLE reissue (
        predecessor_pk INTEGER PRIMARY KEY REFERENCES payment (payment_pk),
        successor_pk INTEGER NOT NULL UNIQUE REFERENCES payment (payment_pk))""",
    "CREATE TABLE bank_sequence (bank TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID",
    # Layouts as they were when a file was made with them.
    "CREATE TABLE pinned_layout (digest TEXT PRIMARY KEY, name TEXT NOT NULL, text TEXT NOT NULL)",
    """CREATE TABLE file (
        file_pk INTEGER PRIMARY KEY,
        bank TEXT NOT NULL,
        lane_pk INTEGER NOT NULL REFERENCES lane,
        sequence INTEGER NOT NULL,
        name TEXT NOT NULL,
        message_id TEXT NOT NULL,
        state TEXT NOT NULL,
        payment_count INTEGER NOT NULL,
        total_minor INTEGER NOT NULL,
        currency TEXT NOT NULL,
        bank_day TEXT NOT NULL,
        created_at TEXT NOT NULL,
        agreement TEXT NOT NULL,
        pins TEXT NOT NULL,
        items_name TEXT,
        releasing_rank INTEGER NOT NULL DEFAULT 0,
        tries INTEGER NOT NULL DEFAULT 0,
        attention TEXT,
        sent_at TEXT,
        evidence TEXT,
        UNIQUE (bank, sequence),
        UNIQUE (bank, name),
        UNIQUE (bank, message_id))""",
    "CREATE INDEX file_by_state ON file (bank, state)",
    # The exact bytes of each part, as stored in the spool; `rank` is the order of release.
    """CREATE TABLE file_part (
        file_pk INTEGER NOT NULL REFERENCES file,
        rank INTEGER NOT NULL,
        part TEXT NOT NULL,
        name TEXT NOT NULL,
        spool_name TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        PRIMARY KEY (file_pk, rank)) WITHOUT ROWID""",
    "CREATE INDEX file_part_by_digest ON file_part (sha256)",
    # `live` ends only when the file is voided before it left, or a signed redispatch gives its
    # payments back: while it is 1 the database itself refuses a second attempt.
    """CREATE TABLE attempt (
        file_pk INTEGER NOT NULL REFERENCES file,
        item INTEGER NOT NULL,
        payment_pk INTEGER NOT NULL REFERENCES payment,
        live INTEGER NOT NULL,
        PRIMARY KEY (file_pk, item)) WITHOUT ROWID""",
    "CREATE INDEX attempt_by_payment ON attempt (payment_pk)",
    "CREATE UNIQUE INDEX attempt_one_live ON attempt (payment_pk) WHERE live = 1",
    # A bank that refused us (login, host key, permission): nobody knocks again until a person
    # clears it, since a further try can lock the account.
    """CREATE TABLE bank_hold (
        bank TEXT PRIMARY KEY,
        cause TEXT NOT NULL,
        message TEXT NOT NULL,
        recorded_at TEXT NOT NULL) WITHOUT ROWID""",
    # Transient faults of a bank: when to knock again.
    """CREATE TABLE bank_backoff (
        bank TEXT PRIMARY KEY,
        tries INTEGER NOT NULL,
        next_try_at TEXT NOT NULL,
        message TEXT NOT NULL) WITHOUT ROWID""",
    # What a bank's folder showed at the last look: a file is complete when it stopped changing.
    """CREATE TABLE sighting (
        bank TEXT NOT NULL,
        name TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        modified INTEGER NOT NULL,
        first_seen_at TEXT NOT NULL,
        looks INTEGER NOT NULL,
        fetched INTEGER NOT NULL,
        PRIMARY KEY (bank, name)) WITHOUT ROWID""",
    """CREATE TABLE received (
        received_pk INTEGER PRIMARY KEY,
        bank TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        signature_sha256 TEXT NOT NULL,
        name TEXT NOT NULL,
        kind TEXT NOT NULL,
        layout TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        state TEXT NOT NULL,
        spool_name TEXT NOT NULL,
        signature_spool_name TEXT,
        received_at TEXT NOT NULL,
        file_pk INTEGER REFERENCES file,
        verdict TEXT,
        problems TEXT NOT NULL DEFAULT '[]',
        accepted_problems INTEGER NOT NULL DEFAULT 0,
        UNIQUE (bank, sha256, signature_sha256))""",
    """CREATE TABLE outcome (
        outcome_pk INTEGER PRIMARY KEY,
        payment_pk INTEGER NOT NULL,
        file_pk INTEGER,
        item INTEGER,
        received_pk INTEGER,
        line INTEGER,
        stated TEXT NOT NULL,
        status TEXT NOT NULL,
        reason TEXT NOT NULL,
        credited_minor INTEGER,
        returned_minor INTEGER,
        code TEXT NOT NULL,
        serial TEXT NOT NULL,
        value_date TEXT,
        bank_text BLOB,
        recorded_at TEXT NOT NULL)""",
    "CREATE INDEX outcome_by_payment ON outcome (payment_pk, outcome_pk)",
    """CREATE TABLE fee_finding (
        fee_pk INTEGER PRIMARY KEY,
        bank TEXT NOT NULL,
        kind TEXT NOT NULL,
        amount_minor INTEGER NOT NULL,
        file_pk INTEGER NOT NULL,
        item INTEGER,
        payment_pk INTEGER,
        received_pk INTEGER NOT NULL,
        line INTEGER,
        label BLOB,
        recorded_at TEXT NOT NULL)""",
    """CREATE TABLE acknowledgement (
        acknowledgement_pk INTEGER PRIMARY KEY,
        file_pk INTEGER NOT NULL,
        received_pk INTEGER NOT NULL,
        verdict TEXT NOT NULL,
        reason TEXT NOT NULL,
        code TEXT NOT NULL,
        bank_text BLOB,
        recorded_at TEXT NOT NULL)""",
    # Signed statements of enrolled persons.
    """CREATE TABLE decision (
        decision_pk INTEGER PRIMARY KEY,
        object TEXT NOT NULL,
        decision TEXT NOT NULL,
        person TEXT NOT NULL,
        key_id TEXT NOT NULL,
        statement BLOB NOT NULL,
        signature BLOB NOT NULL,
        recorded_at TEXT NOT NULL,
        UNIQUE (object, decision, person))""",
    # The journal: each row's hash covers the row before.
    """CREATE TABLE event (
        event_pk INTEGER PRIMARY KEY,
        recorded_at TEXT NOT NULL,
        kind TEXT NOT NULL,
        body TEXT NOT NULL,
        hash TEXT NOT NULL)""",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("a ledger is never taken back to an older schema; restore a backup instead")
