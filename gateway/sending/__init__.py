"""From released batches to files at a bank."""
