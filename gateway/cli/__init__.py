"""The commands of `bankgate`."""
