"""Inputs that once were findings: files under `findings/TARGET/`, named by their SHA-256."""

from __future__ import annotations

import hashlib
from pathlib import Path

FOLDER = Path(__file__).parent / "findings"
_NAME_DIGITS = 16


def findings_of(target: str) -> list[Path]:
    """The kept inputs of a target, in the order of their names."""
    return sorted(path for path in (FOLDER / target).glob("*") if path.is_file())


def keep(target: str, content: bytes, folder: Path = FOLDER) -> Path:
    """Keep an input; the same input twice is once."""
    path = folder / target / hashlib.sha256(content).hexdigest()[:_NAME_DIGITS]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
