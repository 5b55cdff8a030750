"""The ledger: tables, and the questions that are asked of them. SQL is nowhere else."""
