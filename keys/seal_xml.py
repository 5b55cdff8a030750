"""XML signatures as steps of a seal: inside the document, or a document beside the file."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta, Struct

from keys.errors import SignatureMalformed
from keys.seal_cms import Algorithm
from keys.seal_parts import Blob, Proof, SealKeys
from keys.signer import Signer
from keys.stages import ByteSink
from keys.xmldsig import LIMIT_BYTES, sign_beside, sign_enveloped, verify_beside, verify_enveloped

ElementName = Annotated[str, Meta(pattern=r"^[^\s/:{}<>]+\Z", description="the local name of an element")]
Reference = Annotated[str, Meta(pattern=r"^[^#\s]+\Z", description="a name without # and white space")]


class _XmlSigning(Struct, frozen=True, kw_only=True):
    """`algorithm` empty: the usual one of the key."""

    algorithm: Algorithm | None = None

    def signer(self, keys: SealKeys) -> Signer:
        (signer,) = keys.signers([self.algorithm] if self.algorithm else [])
        return signer


class XmlSign(_XmlSigning, frozen=True, kw_only=True):
    """A signature inside the document, over all of it.

    `place`: names of the elements from the root's child on, as whose last child it stands; empty:
    as the last child of the root.
    """

    name: ClassVar = "xml-sign"
    roles: ClassVar[tuple[str, ...]] = ("sign",)
    detached: ClassVar = False
    limit_bytes: ClassVar[int | None] = LIMIT_BYTES

    place: list[ElementName] = []

    def transform(self, content: Blob, keys: SealKeys, sink: ByteSink) -> bytes:
        with content.open() as source:
            sign_enveloped(source, self.signer(keys), sink, self.place)
        return b""

    def mirrored(self) -> XmlVerify:
        return XmlVerify(place=self.place)


class XmlSignDetached(_XmlSigning, frozen=True, kw_only=True):
    """A document beside the file. `reference`: what it calls the file."""

    name: ClassVar = "xml-sign-detached"
    roles: ClassVar[tuple[str, ...]] = ("sign",)
    detached: ClassVar = True
    limit_bytes: ClassVar[int | None] = None

    reference: Reference = "file"

    def transform(self, content: Blob, keys: SealKeys, sink: ByteSink) -> bytes:
        with content.open() as source:
            return sign_beside(source, self.signer(keys), self.reference)

    def mirrored(self) -> XmlVerifyDetached:
        return XmlVerifyDetached()


class XmlVerify(Struct, frozen=True, kw_only=True):
    """Checks a signature inside the document; what it covers is passed on in canonical form."""

    name: ClassVar = "xml-verify"
    roles: ClassVar[tuple[str, ...]] = ("verify",)
    detached: ClassVar = False
    proves: ClassVar = True

    place: list[ElementName] = []

    def open(self, content: Blob, signature: bytes, keys: SealKeys, sink: ByteSink) -> Proof:
        with content.open() as source:
            return Proof(self.name, verify_enveloped(source, keys.trust(), keys.at, sink, self.place))

    def mirrored(self) -> XmlSign:
        return XmlSign(place=self.place)


class XmlVerifyDetached(Struct, frozen=True, kw_only=True):
    """Checks a signature that is a document beside the file."""

    name: ClassVar = "xml-verify-detached"
    roles: ClassVar[tuple[str, ...]] = ("verify",)
    detached: ClassVar = True
    proves: ClassVar = True

    def open(self, content: Blob, signature: bytes, keys: SealKeys, sink: ByteSink) -> Proof:
        if not signature:
            raise SignatureMalformed("the signature beside the file is missing")
        with content.open() as source:
            return Proof(self.name, verify_beside(source, signature, keys.trust(), keys.at))

    def mirrored(self) -> XmlSignDetached:
        return XmlSignDetached()
