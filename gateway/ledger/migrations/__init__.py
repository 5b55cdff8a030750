"""The ledger's schema, one revision a change. The schema stands here and nowhere else."""
