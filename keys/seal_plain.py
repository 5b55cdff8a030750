"""Plain signatures as steps of a seal: a file beside the data, or a block inside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, ClassVar, Final, Literal

from msgspec import Struct

from keys.cms_forms import SignedForm
from keys.cms_sign import ContentSigning
from keys.cms_verify import DetachedVerifying, Verdict
from keys.errors import SignatureMalformed
from keys.plain_signature import (
    Encoding,
    PlainForm,
    PlainSigning,
    PlainVerifying,
    decode_signature,
    encode_signature,
)
from keys.seal_cms import Algorithm, SignerId
from keys.seal_parts import Blob, Proof, SealKeys, counterpart
from keys.signer import Signer
from keys.stages import ByteSink, Stage, Tap
from keys.tlv import BLOCK_BYTES

_HEAD_LIMIT_BYTES: Final = 64 * 1024
"""Of the first line of a file, and of a signature block."""
_BLOCK_START: Final = b"{S:"
_BLOCK_END: Final = b"}"


class PlainParameters(Struct, frozen=True, kw_only=True):
    """`algorithm` empty: the usual one of the key. `signature`: on curves."""

    algorithm: Algorithm | None = None
    signature: Literal["der", "raw"] = "der"
    signer_id: SignerId = "1234567812345678"

    def form(self) -> PlainForm:
        return PlainForm(self.algorithm or "", self.signature == "raw", self.signer_id.encode())

    def signer(self, keys: SealKeys) -> Signer:
        (signer,) = keys.signers([self.algorithm] if self.algorithm else [])
        return signer


class FileParameters(PlainParameters, frozen=True, kw_only=True):
    encoding: Encoding = Encoding.BASE64


class PlainSignDetached(FileParameters, frozen=True, kw_only=True):
    """The signature alone, beside the file."""

    name: ClassVar = "plain-sign-detached"
    roles: ClassVar[tuple[str, ...]] = ("sign",)
    detached: ClassVar = True

    def stages(self, size_bytes: int, keys: SealKeys) -> list[Stage]:
        return [_PlainTap(size_bytes, PlainSigning(self.signer(keys), self.form()))]

    def signature_of(self, stages: Sequence[Stage]) -> bytes:
        (stage,) = stages
        assert isinstance(stage, _PlainTap)
        return encode_signature(stage.signature(), self.encoding)

    def mirrored(self) -> PlainVerifyDetached:
        return counterpart(self, PlainVerifyDetached)


class PlainVerifyDetached(FileParameters, frozen=True, kw_only=True):
    """Checks a signature alone, which came beside the file, by the pinned certificates."""

    name: ClassVar = "plain-verify-detached"
    roles: ClassVar[tuple[str, ...]] = ("verify",)
    detached: ClassVar = True
    proves: ClassVar = True

    def open(self, content: Blob, signature: bytes, keys: SealKeys, sink: ByteSink) -> Proof:
        if not signature:
            raise SignatureMalformed("the signature beside the file is missing")
        plain = decode_signature(signature, self.encoding)
        verifying = PlainVerifying(keys.trust(), keys.at, self.form())
        with content.open() as source:
            for block in _blocks(source):
                verifying.update(block)
        return Proof(self.name, verifying.verdict(plain))

    def mirrored(self) -> PlainSignDetached:
        return counterpart(self, PlainSignDetached)


class BlockParameters(PlainParameters, frozen=True, kw_only=True):
    """A block `{S:<base64>}` and a line break inside the file.

    `place`: at its start, or after its first line, which is then a header block. `covers`: the
    body behind the block, or the header too; never the block itself, always exact bytes.
    `content`: a plain signature, or CMS without content. `line_characters`: 0 is one line.
    """

    place: Literal["start", "after-first-line"] = "after-first-line"
    covers: Literal["body", "header-and-body"] = "body"
    content: Literal["plain", "cms"] = "plain"
    line_break: Literal["crlf", "lf"] = "crlf"
    line_characters: int = 0

    def break_bytes(self) -> bytes:
        return b"\r\n" if self.line_break == "crlf" else b"\n"

    def read_header(self, source: BinaryIO) -> bytes:
        """The first line, where the block stands behind it; raises `SignatureMalformed`."""
        if self.place == "start":
            return b""
        line = source.readline(_HEAD_LIMIT_BYTES)
        if not line.endswith(self.break_bytes()):
            raise SignatureMalformed("the file has no first line before its signature block")
        return line

    def cms_form(self) -> SignedForm:
        return SignedForm(raw_signature=self.signature == "raw", signer_id=self.signer_id.encode())


class BlockSign(BlockParameters, frozen=True, kw_only=True):
    """Puts the signature into the file, before what it is over."""

    name: ClassVar = "block-sign"
    roles: ClassVar[tuple[str, ...]] = ("sign",)
    detached: ClassVar = False
    limit_bytes: ClassVar[int | None] = None

    def transform(self, content: Blob, keys: SealKeys, sink: ByteSink) -> bytes:
        with content.open() as source:
            header = self.read_header(source)
            signature = self._sign(header, source, keys)
        with content.open() as source:
            source.read(len(header))
            sink.write(header + self._encode(signature))
            for block in _blocks(source):
                sink.write(block)
        return b""

    def mirrored(self) -> BlockVerify:
        return counterpart(self, BlockVerify)

    def _sign(self, header: bytes, source: BinaryIO, keys: SealKeys) -> bytes:
        signer = self.signer(keys)
        signing: PlainSigning | ContentSigning
        if self.content == "cms":
            signing = ContentSigning([signer], keys.at, self.cms_form())
        else:
            signing = PlainSigning(signer, self.form())
        _feed(self, header, source, signing.update)
        return signing.detached() if isinstance(signing, ContentSigning) else signing.signature()

    def _encode(self, signature: bytes) -> bytes:
        text = encode_signature(signature, Encoding.BASE64)
        width = self.line_characters or len(text)
        lines = [text[start : start + width] for start in range(0, len(text), width)]
        return _BLOCK_START + self.break_bytes().join(lines) + _BLOCK_END + self.break_bytes()


class BlockVerify(BlockParameters, frozen=True, kw_only=True):
    """Checks the signature in the file, and takes the block out: header and body stay."""

    name: ClassVar = "block-verify"
    roles: ClassVar[tuple[str, ...]] = ("verify",)
    detached: ClassVar = False
    proves: ClassVar = True

    def open(self, content: Blob, signature: bytes, keys: SealKeys, sink: ByteSink) -> Proof:
        with content.open() as source:
            header = self.read_header(source)
            sink.write(header)
            inner = decode_signature(_read_block(source, self.break_bytes()), Encoding.BASE64)
            verifying: PlainVerifying | DetachedVerifying
            if self.content == "cms":
                verifying = DetachedVerifying(inner, keys.trust(), keys.at, self.cms_form())
            else:
                verifying = PlainVerifying(keys.trust(), keys.at, self.form())
            _feed(self, header, source, verifying.update, sink)
            verdict: Verdict = (
                verifying.verdict(inner) if isinstance(verifying, PlainVerifying) else verifying.verdict()
            )
        return Proof(self.name, verdict)

    def mirrored(self) -> BlockSign:
        return counterpart(self, BlockSign)


class _PlainTap(Tap):
    """Content passes unchanged; its signature is there afterwards."""

    def __init__(self, size_bytes: int, signing: PlainSigning) -> None:
        super().__init__(size_bytes, signing.update)
        self.signature = signing.signature


def _feed(
    parameters: BlockParameters,
    header: bytes,
    source: BinaryIO,
    take: Callable[[bytes], None],
    sink: ByteSink | None = None,
) -> None:
    """Everything that the signature covers, from where `source` stands: the body."""
    if parameters.covers == "header-and-body":
        take(header)
    for block in _blocks(source):
        take(block)
        if sink is not None:
            sink.write(block)


def _read_block(source: BinaryIO, line_break: bytes) -> bytes:
    """What is inside the block; `source` stands behind it then. Raises `SignatureMalformed`."""
    text = b""
    while len(text) <= _HEAD_LIMIT_BYTES:
        line = source.readline(_HEAD_LIMIT_BYTES)
        text += line
        if not line or not text.startswith(_BLOCK_START):
            break
        if text.endswith(_BLOCK_END + line_break):
            return text[len(_BLOCK_START) : -len(_BLOCK_END + line_break)]
    raise SignatureMalformed(
        "there is no signature block where the profile says so",
        "compare place and line_break of the step with the bank's paper",
    )


def _blocks(source: BinaryIO) -> Iterator[bytes]:
    while block := source.read(BLOCK_BYTES):
        yield block
