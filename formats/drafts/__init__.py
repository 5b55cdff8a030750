"""From the table of a bank's paper to a draft of a layout, which a person confirms line by line."""
