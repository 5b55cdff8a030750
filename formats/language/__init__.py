"""The layout language: a bank's paper as TOML, read and checked into one immutable `Layout`."""
