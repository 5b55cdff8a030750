"""Kills of the real process, against real SQLite, real folders and a real sshd."""
