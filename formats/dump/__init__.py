"""Any bank file, annotated byte by byte; it goes on whatever the bytes are."""
