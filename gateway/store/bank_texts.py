"""A bank's own words: personal data too ("户名不符:张三"), sealed before they are stored."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.installation import Installation
from keys.sealed import seal_texts

TEXT_CONTEXT = b"bank text"
"""What a bank's words are sealed under."""


def seal_words(installation: Installation, texts: Sequence[str]) -> list[bytes | None]:
    """Each text sealed; None where nothing was said.

    What many of them say is sealed once for all: a ledger shows which of them have the same
    words, as their codes do, and not which words.
    """
    spoken = list(dict.fromkeys(filter(None, texts)))
    sealed = seal_texts(installation.masters.current, spoken, TEXT_CONTEXT) if spoken else []
    blobs = dict(zip(spoken, sealed, strict=True))
    return list(map(blobs.get, texts))
