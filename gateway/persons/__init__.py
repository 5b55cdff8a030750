"""What persons may decide, and what waits for them."""
