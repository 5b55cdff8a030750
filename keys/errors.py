"""What goes wrong with keys, signatures and sealed files.

    SealError
    |-- SignatureInvalid        the bytes are not what was signed, or not by that key
    |-- SignerUntrusted         a valid signature by somebody who may not sign here
    |-- SignatureMalformed      not a signature structure at all
    |-- DecryptionFailed        an envelope does not open; never said why
    |-- ContentTooLarge         more than one kind of seal takes at once; smaller pieces may pass
    |-- KeyUnavailable          no key for that use and time, or it cannot be opened
    |   `-- KeyringInvalid      the file that lists the keys has mistakes; carries all of them
    `-- SealedFileDamaged       a sealed file was changed, cut, extended or is under another key

None is transient. No message names a secret.
"""

from __future__ import annotations

from msgspec import Struct

NO_FIT = "the signature does not fit the bytes and the key"
"""Of `SignatureInvalid`, where only that is known."""


class SealError(Exception):
    """`hint` says what a person can do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class SignatureInvalid(SealError):
    pass


class SignerUntrusted(SealError):
    pass


class SignatureMalformed(SealError):
    pass


class DecryptionFailed(SealError):
    """One error for every cause: whoever sends envelopes must learn nothing from the difference."""

    def __init__(self) -> None:
        super().__init__(
            "the envelope does not open with our key",
            "ask the sender to encrypt to the certificate that is in force",
        )


class ContentTooLarge(SealError):
    pass


class KeyUnavailable(SealError):
    pass


class KeyringMistake(Struct, frozen=True):
    """One mistake in a keyring, with its place."""

    path: str
    line: int
    """From 1."""
    message: str
    hint: str = ""


class KeyringInvalid(KeyUnavailable):
    def __init__(self, mistakes: list[KeyringMistake]) -> None:
        self.mistakes = mistakes
        places = [f"{mistake.path}:{mistake.line}: {mistake.message}" for mistake in mistakes]
        super().__init__("; ".join(places), mistakes[0].hint)


class SealedFileDamaged(SealError):
    pass
