"""The codec of fixed and delimited layouts: lines, records and rows, both ways, a chunk at a time."""
