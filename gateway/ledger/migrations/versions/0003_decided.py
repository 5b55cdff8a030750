"""Outcomes by decision, exhibits, oddities; which signature carried a decision out.

What a person decides in doubt (an uncertain file, an unknown payment) rests on the bank's
word: the exhibit. What a bank put there and nothing takes is an oddity until a person has
looked at it.
"""

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    # Subject of the decision that an outcome rests on; NULL where a bank's file or the gateway said it.
    "ALTER TABLE outcome ADD COLUMN decided TEXT",
    "CREATE INDEX outcome_decided ON outcome (file_pk) WHERE decided IS NOT NULL",
    "CREATE INDEX fee_by_file ON fee_finding (file_pk)",
    # Payments in doubt wait for a person: found without a look at all the others.
    """CREATE INDEX outcome_in_doubt ON outcome (payment_pk, outcome_pk)
        WHERE status IN ('unknown', 'discrepant')""",
    "CREATE INDEX payment_held ON payment (payment_pk) WHERE disposition = 'held'",
    # `closed_at`: a refused file that a person has looked at is not shown any more. `claim` is what
    # the name says of our file: the same bytes under a name that claims another one are another word.
    """CREATE TABLE received_anew (
        received_pk INTEGER PRIMARY KEY,
        bank TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        signature_sha256 TEXT NOT NULL,
        claim TEXT NOT NULL,
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
        closed_at TEXT,
        UNIQUE (bank, sha256, signature_sha256, claim))""",
    "INSERT INTO received_anew SELECT received_pk, bank, sha256, signature_sha256, '', name, kind, layout,"
    " size_bytes, state, spool_name, signature_spool_name, received_at, file_pk, verdict, problems,"
    " accepted_problems, NULL FROM received",
    "DROP TABLE received",
    "ALTER TABLE received_anew RENAME TO received",
    "CREATE INDEX received_by_name ON received (bank, name)",
    "CREATE INDEX received_by_file ON received (file_pk)",
    # A chain of reissues keeps its members: a successor that died makes room and stays known.
    """CREATE TABLE reissue_anew (
        successor_pk INTEGER PRIMARY KEY REFERENCES payment (payment_pk),
        predecessor_pk INTEGER NOT NULL REFERENCES payment (payment_pk),
        chain_pk INTEGER NOT NULL REFERENCES payment (payment_pk),
        live INTEGER NOT NULL)""",
    """INSERT INTO reissue_anew
        WITH RECURSIVE chain (successor_pk, predecessor_pk, chain_pk) AS (
            SELECT successor_pk, predecessor_pk, predecessor_pk FROM reissue
                WHERE predecessor_pk NOT IN (SELECT successor_pk FROM reissue)
            UNION ALL
            SELECT reissue.successor_pk, reissue.predecessor_pk, chain.chain_pk
                FROM reissue JOIN chain ON reissue.predecessor_pk = chain.successor_pk)
        SELECT successor_pk, predecessor_pk, chain_pk, 1 FROM chain""",
    "DROP TABLE reissue",
    "ALTER TABLE reissue_anew RENAME TO reissue",
    "CREATE UNIQUE INDEX reissue_one_live ON reissue (predecessor_pk) WHERE live = 1",
    "CREATE INDEX reissue_by_chain ON reissue (chain_pk)",
    # 1: parts of a file that was given up may still lie at the bank, and are to be removed.
    "ALTER TABLE file ADD COLUMN leftovers INTEGER NOT NULL DEFAULT 0",
    # What persons attach to their decisions, sealed in the spool; the statement names its digest.
    """CREATE TABLE exhibit (
        sha256 TEXT PRIMARY KEY,
        spool_name TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        recorded_at TEXT NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE oddity (
        oddity_pk INTEGER PRIMARY KEY,
        bank TEXT NOT NULL,
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        message TEXT NOT NULL,
        evidence TEXT NOT NULL,
        exhibit TEXT NOT NULL,
        recorded_at TEXT NOT NULL,
        closed_at TEXT)""",
    "CREATE INDEX oddity_by_name ON oddity (bank, name, kind)",
    "CREATE INDEX oddity_open ON oddity (oddity_pk) WHERE closed_at IS NULL",
    # 1 on the signature with which a decision was carried out.
    "ALTER TABLE decision ADD COLUMN carried_out INTEGER NOT NULL DEFAULT 0",
    # Until now a decision was carried out as soon as the persons that it needed had signed.
    """UPDATE decision SET carried_out = 1 WHERE decision_pk IN (
        SELECT MAX(decision_pk) FROM decision GROUP BY object, decision HAVING COUNT(*) >=
            CASE WHEN decision IN ('withdraw', 'clear', 'void', 'refuse', 'judge-again')
                AND NOT (decision = 'withdraw' AND object LIKE 'file:%') THEN 1 ELSE 2 END)""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("a ledger is never taken back to an older schema; restore a backup instead")
