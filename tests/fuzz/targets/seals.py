"""A bank's file on its way through the steps that a profile names: verify, decrypt, blocks inside."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import BinaryIO

from cryptography import x509

from keys.authority import Identity
from keys.certificate_make import SIGNING_AND_RECEIVING
from keys.certificates import Trust
from keys.errors import DecryptionFailed, SealError
from keys.private import make_decrypter
from keys.seal import SealingStep, seal, unseal
from keys.seal_cms import CmsDecrypt, CmsVerify, CmsVerifyDetached
from keys.seal_parts import OpeningStep
from keys.seal_plain import BlockVerify, PlainVerifyDetached
from keys.signer import Decrypter, Signer
from keys.stages import ByteSink
from tests.fuzz.identities import NOW, VALID, authority, bank, trust
from tests.fuzz.pieces import Pieces, parts
from tests.fuzz.target import MIB, Target

CONTENT = b"{H:02" + b"9" * 120 + b"}\r\n" + "<付款>1500.00</付款>\r\n".encode() * 20
WAYS: tuple[tuple[OpeningStep, ...], ...] = (
    (CmsVerify(),),
    (CmsVerifyDetached(),),
    (CmsDecrypt(),),
    (CmsDecrypt(), CmsVerify()),
    (CmsVerify(), CmsDecrypt()),
    (PlainVerifyDetached(),),
    (BlockVerify(covers="header-and-body"),),
    (BlockVerify(place="start"),),
    (BlockVerify(covers="header-and-body", content="cms", line_characters=64),),
)


class _Bytes:
    """Implements `keys.seal_parts.Blob`."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.size_bytes = len(content)
        self.sha256 = sha256(content).hexdigest()

    def open(self) -> BinaryIO:
        return io.BytesIO(self.content)


class _Scratch:
    """Implements `keys.seal_parts.Scratch`; knows what is left in it."""

    def __init__(self) -> None:
        self.kept: dict[str, _Bytes] = {}

    def fill(self, name: str, write: Callable[[ByteSink], object]) -> _Bytes:
        sink = io.BytesIO()
        write(sink)
        self.kept[name] = _Bytes(sink.getvalue())
        return self.kept[name]

    def drop(self, name: str) -> None:
        self.kept.pop(name, None)


class _Keys:
    """Implements `keys.seal_parts.SealKeys`: the bank signs, and what it encrypts is for us."""

    at: datetime = NOW

    def signers(self, algorithms: Sequence[str]) -> list[Signer]:
        return [bank().signer("key")]

    def recipients(self) -> list[x509.Certificate]:
        return [_receiver().certificate]

    def decrypters(self) -> list[Decrypter]:
        receiver = _receiver()
        return [make_decrypter(receiver.private_key, "receiver", receiver.certificate_der)]

    def trust(self) -> Trust:
        return trust()


@functools.cache
def _receiver() -> Identity:
    return authority().issue("CN=Receiver,O=Fuzz,C=CN", *VALID, kind="rsa-2048", use=SIGNING_AND_RECEIVING)


@functools.cache
def _keys() -> _Keys:
    return _Keys()


def seals(content: bytes) -> None:
    """What comes out of a way that proves who signed is what was signed; a refusal leaves nothing."""
    pieces = Pieces(content)
    steps = pieces.choose(WAYS)
    signature, sealed = pieces.part(), pieces.rest()
    scratch = _Scratch()
    try:
        opened = unseal(_Bytes(sealed), signature, steps, _keys(), scratch, lambda blob: None)
    except (SealError, DecryptionFailed):
        assert scratch.kept == {}
        return
    signed = [proof for proof in opened.proofs if proof.verdict is not None]
    assert len(signed) == sum(not isinstance(step, CmsDecrypt) for step in steps)
    with opened.content.open() as source:
        assert not signed or isinstance(steps[-1], CmsDecrypt) or source.read() == CONTENT


def _seed(number: int, steps: Sequence[OpeningStep]) -> bytes:
    ways: list[SealingStep] = [step.mirrored() for step in reversed(steps)]
    sealed = seal(_Bytes(CONTENT), ways, _keys(), _Scratch())
    with sealed.data.open() as source:
        return bytes([number]) + parts(sealed.signature) + source.read()


TARGETS = [
    Target(
        name="seals",
        examine=seals,
        seeds=lambda: [_seed(number, steps) for number, steps in enumerate(WAYS)],
        memory_bytes=96 * MIB,
    )
]
