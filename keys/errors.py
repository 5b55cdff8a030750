"""What goes wrong with keys, signatures and sealed files.

    SealError
    |-- SignatureInvalid        the bytes are not what was signed, or not by that key
    |-- SignerUntrusted         a valid signature by somebody who may not sign here
    |-- SignatureMalformed      not a signature structure at all
    |-- KeyUnavailable          no key for that use and time, or it cannot be opened
    `-- SealedFileDamaged       a sealed file was changed, cut, extended or is under another key

None is transient. No message names a secret.
"""

from __future__ import annotations


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


class KeyUnavailable(SealError):
    pass


class SealedFileDamaged(SealError):
    pass
