"""What the steps of a seal work with: bytes that can be read again, a place for them, and keys.

A step that seals, and the one that opens what it made, are two classes with the same
parameters. `keys/seal.py` runs lists of them; a new kind of seal is two classes more, entered
in the tables there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, BinaryIO, ClassVar, Protocol, TypeVar, runtime_checkable

from cryptography import x509
from msgspec import Struct

from keys.algorithms import Transport
from keys.certificates import Trust
from keys.cms_open import Opened
from keys.cms_verify import Verdict
from keys.pgp import PgpCertificate, PgpKey, PgpTrust
from keys.private import make_encrypter
from keys.signer import Decrypter, Encrypter, Signer
from keys.stages import ByteSink, Stage


class Blob(Protocol):
    """Bytes that are complete and can be read again and again."""

    @property
    def size_bytes(self) -> int: ...

    @property
    def sha256(self) -> str:
        """Digest of all bytes, lower-case hex."""
        ...

    def open(self) -> BinaryIO: ...


class Scratch(Protocol):
    """Where steps put what they make. Names are unique within one seal."""

    def fill(self, name: str, write: Callable[[ByteSink], object]) -> Blob:
        """Keep what `write` writes; it need not fit into memory. Nothing is kept where it raises."""
        ...

    def drop(self, name: str) -> None:
        """What was kept under the name is wanted no more."""
        ...


class SealKeys(Protocol):
    """The keys of one party, for one instant, as far as a seal asks for them.

    All raise `keys.errors.KeyUnavailable` where there is none.
    """

    @property
    def at(self) -> datetime:
        """When signatures are made, or the time of receipt by which certificates are judged."""
        ...

    def signers(self, algorithms: Sequence[str]) -> list[Signer]:
        """A signer for each algorithm; without algorithms the usual one alone."""
        ...

    def recipients(self) -> list[x509.Certificate]:
        """To whom we encrypt."""
        ...

    def decrypters(self) -> list[Decrypter]: ...

    def trust(self) -> Trust: ...

    def pgp_keys(self) -> list[PgpKey]:
        """Our OpenPGP keys, the one that signs first."""
        ...

    def pgp_recipients(self) -> list[PgpCertificate]:
        """To whom we encrypt with OpenPGP."""
        ...

    def pgp_trust(self) -> PgpTrust: ...


def encrypters(keys: SealKeys, transport: Transport | None) -> list[Encrypter]:
    """Encrypts to every recipient; without `transport` in the usual way of the recipient's key."""
    return [make_encrypter(certificate, transport) for certificate in keys.recipients()]


@runtime_checkable
class StreamingStep(Protocol):
    """A step of sealing through which content passes once."""

    name: ClassVar[str]
    roles: ClassVar[tuple[str, ...]]
    """Of the keyring: whose key it needs."""
    detached: ClassVar[bool]
    """Whether the content passes unchanged, and the signature is a file of its own."""

    def mirrored(self) -> Any:
        """The other side's step, with the same parameters."""
        ...

    def stages(self, size_bytes: int, keys: SealKeys) -> list[Stage]:
        """What content of that length goes through; the last one tells the length of what comes out."""
        ...

    def signature_of(self, stages: Sequence[Stage]) -> bytes:
        """Once they are finished: the signature beside the file; b"" where it is inside."""
        ...


@runtime_checkable
class WholeStep(Protocol):
    """A step of sealing that reads its content more than once, or as a whole."""

    name: ClassVar[str]
    roles: ClassVar[tuple[str, ...]]
    detached: ClassVar[bool]
    limit_bytes: ClassVar[int | None]
    """The most content that it takes; None: any."""

    def mirrored(self) -> Any:
        """The other side's step, with the same parameters."""
        ...

    def transform(self, content: Blob, keys: SealKeys, sink: ByteSink) -> bytes:
        """Write what the content becomes; the signature beside the file, b"" where it is inside.

        A detached step writes nothing.
        """
        ...


SealingStep = StreamingStep | WholeStep


class Proof(Struct, frozen=True):
    """What one step found. Only one with a verdict says who signed."""

    step: str
    verdict: Verdict | None = None
    opened: Opened | None = None


class OpeningStep(Protocol):
    """Undoes one step of sealing."""

    name: ClassVar[str]
    roles: ClassVar[tuple[str, ...]]
    detached: ClassVar[bool]
    """Whether it checks a signature that is a file of its own; the content stays as it is."""
    proves: ClassVar[bool]
    """Whether it says who made the file."""

    def mirrored(self) -> Any:
        """The other side's step, with the same parameters."""
        ...

    def open(self, content: Blob, signature: bytes, keys: SealKeys, sink: ByteSink) -> Proof:
        """Write what is inside to `sink`; a detached step writes nothing. Raises `SealError`.

        What was written is worth nothing where it raises.
        """
        ...


_Step = TypeVar("_Step", bound=Struct)


def counterpart(step: Struct, kind: type[_Step]) -> _Step:
    """The other side's step, with every parameter that both have."""
    shared = set(kind.__struct_fields__) & set(step.__struct_fields__)
    return kind(**{name: getattr(step, name) for name in shared})
