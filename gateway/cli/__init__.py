"""The commands of `bankgate`."""

from gateway.cli.root import cli, main

__all__ = ["cli", "main"]
