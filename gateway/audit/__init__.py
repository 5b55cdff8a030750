"""Evidence for others: what is exported, and how it is verified without this installation."""
