"""Runs the steps of a seal, in order: content to what a bank gets, and back.

Steps that content passes through once are chained, so that a file that is signed and encrypted
is read once and written once. What is between two steps lies in a scratch place and is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from keys.errors import ContentTooLarge, SealError
from keys.seal_cms import CmsDecrypt, CmsEncrypt, CmsSign, CmsSignDetached, CmsVerify, CmsVerifyDetached
from keys.seal_parts import (
    Blob,
    OpeningStep,
    Proof,
    Scratch,
    SealingStep,
    SealKeys,
    StreamingStep,
    WholeStep,
)
from keys.seal_pgp import (
    PgpDecrypt,
    PgpDecryptVerify,
    PgpEncrypt,
    PgpSign,
    PgpSignDetached,
    PgpSignEncrypt,
    PgpVerify,
    PgpVerifyDetached,
)
from keys.seal_plain import BlockSign, BlockVerify, PlainSignDetached, PlainVerifyDetached
from keys.seal_xml import XmlSign, XmlSignDetached, XmlVerify, XmlVerifyDetached
from keys.stages import ByteSink, Stage, connect, finish
from keys.tlv import BLOCK_BYTES

SEALING: tuple[type[SealingStep], ...] = (
    CmsSignDetached,
    CmsSign,
    CmsEncrypt,
    PlainSignDetached,
    BlockSign,
    XmlSign,
    XmlSignDetached,
    PgpSign,
    PgpEncrypt,
    PgpSignEncrypt,
    PgpSignDetached,
)
OPENING: tuple[type[OpeningStep], ...] = (
    CmsVerifyDetached,
    CmsVerify,
    CmsDecrypt,
    PlainVerifyDetached,
    BlockVerify,
    XmlVerify,
    XmlVerifyDetached,
    PgpVerify,
    PgpDecrypt,
    PgpDecryptVerify,
    PgpVerifyDetached,
)
"""Every step that ships. A profile names them by `name`."""


class Sealed(Struct, frozen=True):
    """What a bank gets."""

    data: Blob
    """The plain content itself where no step changes it."""
    signature: bytes
    """Beside it; b"" where none is."""


class Unsealed(Struct, frozen=True):
    """What a bank's file says, and how that is known."""

    content: Blob
    """The file itself where no step changes it."""
    proofs: tuple[Proof, ...]
    """One for each step, in order."""


def seal(plain: Blob, steps: Sequence[SealingStep], keys: SealKeys, scratch: Scratch) -> Sealed:
    """Sign and encrypt `plain`; raises `SealError`. What is made lies in `scratch`."""
    line = _Line(plain, keys, scratch)
    for step in steps:
        line.add(step)
    line.flush()
    return Sealed(line.content, line.signature)


def unseal(
    data: Blob,
    signature: bytes,
    steps: Sequence[OpeningStep],
    keys: SealKeys,
    scratch: Scratch,
    inspect: Callable[[Blob], None],
) -> Unsealed:
    """Verify and decrypt a file, the outermost step first; raises `SealError`.

    `inspect` sees everything that comes out of a step before the next one does, and raises
    where it may not be. What was made lies in `scratch`; nothing does where this raises.
    """
    content, made = data, ""
    proofs = []
    for number, step in enumerate(steps, 1):
        name = "" if step.detached else f"opened-{number}"
        try:
            content, proof = _open(step, content, signature, keys, scratch, name)
            if name:
                inspect(content)
        except SealError:
            for left in {made, name} - {""}:
                scratch.drop(left)
            raise
        if name and made:
            scratch.drop(made)
        made = name or made
        proofs.append(proof)
    return Unsealed(content, tuple(proofs))


def _open(
    step: OpeningStep, content: Blob, signature: bytes, keys: SealKeys, scratch: Scratch, name: str
) -> tuple[Blob, Proof]:
    proofs: list[Proof] = []
    if not name:
        return content, step.open(content, signature, keys, _Nowhere())
    opened = scratch.fill(name, lambda sink: proofs.append(step.open(content, signature, keys, sink)))
    return opened, proofs[0]


class _Line:
    """Content on its way out: what it is now, and the stages that it has still to go through."""

    def __init__(self, plain: Blob, keys: SealKeys, scratch: Scratch) -> None:
        self.content = plain
        self.signature = b""
        self._keys = keys
        self._scratch = scratch
        self._size_bytes = plain.size_bytes
        self._waiting: list[tuple[StreamingStep, list[Stage]]] = []
        self._made = ""
        self._number = 0

    def add(self, step: SealingStep) -> None:
        if isinstance(step, WholeStep):
            self.flush()
            self._run_whole(step)
        else:
            stages = step.stages(self._size_bytes, self._keys)
            self._size_bytes = stages[-1].size_bytes
            self._waiting.append((step, stages))

    def flush(self) -> None:
        """Send the content through all stages that wait, at once."""
        stages = [stage for _, stages in self._waiting for stage in stages]
        if all(step.detached for step, _ in self._waiting):
            # Nothing changes: the content is read for its signatures alone.
            self._pass(stages, _Nowhere())
        else:
            self._replace(lambda sink: self._pass(stages, sink))
        for step, own in self._waiting:
            self.signature = step.signature_of(own) or self.signature
        self._waiting = []

    def _run_whole(self, step: WholeStep) -> None:
        signatures: list[bytes] = []
        content = self.content
        if step.limit_bytes is not None and content.size_bytes > step.limit_bytes:
            raise ContentTooLarge(
                f"{step.name} takes {step.limit_bytes} bytes at once, there are {content.size_bytes}",
                "limits.file_bytes of the profile makes smaller files",
            )
        if step.detached:
            signatures.append(step.transform(content, self._keys, _Nowhere()))
        else:
            self._replace(lambda sink: signatures.append(step.transform(content, self._keys, sink)))
        self.signature = signatures[0] or self.signature
        self._size_bytes = self.content.size_bytes

    def _replace(self, write: Callable[[ByteSink], object]) -> None:
        self._number += 1
        name = f"sealed-{self._number}"
        self.content = self._scratch.fill(name, write)
        if self._made:
            self._scratch.drop(self._made)
        self._made = name

    def _pass(self, stages: Sequence[Stage], sink: ByteSink) -> None:
        if not stages:
            return
        first = connect(stages, sink)
        for block in _blocks(self.content):
            first.write(block)
        finish(stages)


class _Nowhere:
    """Drops what it gets."""

    def write(self, block: bytes, /) -> None:
        pass


def _blocks(content: Blob) -> Iterator[bytes]:
    with content.open() as source:
        while block := source.read(BLOCK_BYTES):
            yield block
