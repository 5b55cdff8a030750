"""XML signatures (W3C xmldsig-core1): enveloped over a whole document, or beside a file.

    sign_enveloped      document -> the same document with a signature inside
    verify_enveloped    document -> exactly what was signed, in canonical form, and a Verdict
    sign_beside         source -> a small XML document that names the file and its digest
    verify_beside       source and such a document -> Verdict
    strip_document      document -> its signature alone, which outlives it
    verify_stripped     such a signature -> Verdict over a digest

Only one shape is read, the one that is written: one signature at the place that the caller
names, one reference, over the whole document (`URI=""`, the enveloped transform, one
canonicalization) or over the bytes of a file. Nothing in a document is ever looked up by an id,
so a signed part cannot be moved to where it says something else; and what is passed on is not
the document but the canonical bytes that the digest was made of.

A document is a tree in memory: about twelve times its size, so there is a limit.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, BinaryIO, Final

from cryptography import x509
from lxml import etree
from msgspec import Struct

from keys.algorithms import ALGORITHMS
from keys.certificates import Trust, certificate_sha256, parse_certificate, serial_hex
from keys.cms_verify import Verdict
from keys.digests import Hasher, new_digest
from keys.errors import KeyUnavailable, SealError, SignatureInvalid, SignatureMalformed, SignerUntrusted
from keys.public import certified_key
from keys.signature_forms import to_der, to_raw
from keys.signer import Signer
from keys.stages import ByteSink
from keys.tlv import BLOCK_BYTES, ByteSource, BytesSource
from keys.verifier import make_verifier
from keys.xmldsig_names import (
    C14N,
    DIGEST_METHODS,
    ENVELOPED,
    EXCLUSIVE_C14N,
    INCLUSIVE_C14N,
    METHOD_OF_ALGORITHM,
    METHOD_OF_DIGEST,
    NAMESPACE,
    SIGNATURE_METHODS,
    named,
)

LIMIT_BYTES: Final = 64 << 20
"""Of a document with a signature inside: about 800 MB of memory while it is looked at."""
BESIDE_LIMIT_BYTES: Final = 256 * 1024
"""Of a signature that is a document of its own."""
_CERTIFICATES_LIMIT: Final = 16

_Element = Any
_lxml: Any = etree
"""The stubs of lxml do not know all of its calls that are used here."""


class _Claim(Struct, frozen=True):
    """A signature element, read but not believed."""

    signed_info: _Element
    signed_info_c14n: str
    prefixes: tuple[str, ...]
    algorithm: str
    value: bytes
    certificates: tuple[x509.Certificate, ...]
    uri: str
    transforms: tuple[tuple[str, tuple[str, ...]], ...]
    digest: str
    digest_value: bytes


def sign_enveloped(
    document: BinaryIO, signer: Signer, sink: ByteSink, place: Sequence[str] = (), digest: str = ""
) -> None:
    """Write the document with a signature as the last child of the element at `place`.

    `place`: local names of elements from the root's child on; () is the root itself. `digest`:
    of `keys.digests`; the algorithm's own where it is empty. Raises `SealError`.
    """
    tree = _parse(document, LIMIT_BYTES)
    if _signatures(tree):
        raise SealError("the document has a signature already", "it is signed once, as a whole")
    parent = _find_place(tree, place)
    running = new_digest(digest or ALGORITHMS[signer.algorithm].digest)
    _canonicalize(tree, EXCLUSIVE_C14N, (), running.update)
    transforms = [ENVELOPED, EXCLUSIVE_C14N]
    parent.append(_make_signature(signer, "", transforms, digest, running.digest()))
    tree.write(_Writer(sink.write), encoding=tree.docinfo.encoding or "UTF-8", xml_declaration=True)


def verify_enveloped(
    document: BinaryIO, trust: Trust, at: datetime, sink: ByteSink, place: Sequence[str] = ()
) -> Verdict:
    """Write what the signature covers, in canonical form (UTF-8), and say who signed it.

    `at` is our time of receipt. The sink gets bytes before the digest is compared: they are
    worth nothing where this raises: `SignatureMalformed`, `SignatureInvalid`, `SignerUntrusted`.
    """
    tree = _parse(document, LIMIT_BYTES)
    signature = _only_signature(tree, place)
    claim = _read_claim(signature)
    if claim.uri != "":
        raise SignatureInvalid(
            f"the XML signature covers {claim.uri[:40]!r}, not the whole document",
            "nothing of it was believed",
        )
    canonical, prefixes = _enveloped_transforms(claim)
    verdict = _judge(claim, trust, at)
    _take_out(signature)
    running = new_digest(claim.digest)

    def pass_on(block: bytes) -> None:
        running.update(block)
        sink.write(block)

    _canonicalize(tree, canonical, prefixes, pass_on)
    return _compare(claim, running, verdict)


def sign_beside(source: ByteSource, signer: Signer, file_name: str, digest: str = "") -> bytes:
    """A signature over the bytes that are left in `source`, as an XML document of its own."""
    if not file_name or "#" in file_name:
        raise SealError(f"{file_name!r} cannot be named by an XML signature")
    running = new_digest(digest or ALGORITHMS[signer.algorithm].digest)
    while block := source.read(BLOCK_BYTES):
        running.update(block)
    signature = _make_signature(signer, file_name, [], digest, running.digest())
    return etree.tostring(signature, encoding="UTF-8", xml_declaration=True)


def verify_beside(source: ByteSource, signature: bytes, trust: Trust, at: datetime) -> Verdict:
    """Verify such a document over the bytes that are left in `source`; raises as `verify_enveloped`.

    The name in it is the signer's word for the file and is not compared: names are the profile's.
    """
    if len(signature) > BESIDE_LIMIT_BYTES:
        raise SignatureMalformed(f"an XML signature of {len(signature)} bytes; at most {BESIDE_LIMIT_BYTES}")
    claim = _read_claim(_parse(BytesSource(signature), BESIDE_LIMIT_BYTES).getroot())
    if not claim.uri or claim.uri.startswith("#") or claim.transforms:
        raise SignatureInvalid("the XML signature beside the file does not cover the bytes of a file")
    verdict = _judge(claim, trust, at)
    running = new_digest(claim.digest)
    while block := source.read(BLOCK_BYTES):
        running.update(block)
    return _compare(claim, running, verdict)


def strip_document(document: BinaryIO) -> bytes:
    """The signature of a document that has exactly one inside, without the document.

    What it names is the digest of the content, which may be gone; see `verify_stripped`.
    Nothing is verified here. Raises `SignatureMalformed`.
    """
    found = _signatures(_parse(document, LIMIT_BYTES))
    if len(found) != 1:
        raise SignatureMalformed(f"{len(found) or 'no'} XML signatures in the document, wanted one")
    return bytes(_lxml.tostring(found[0], with_tail=False))


def verify_stripped(signature: bytes, trust: Trust, at: datetime) -> Verdict:
    """Who signed which digest; the content is not there and nothing is compared. Raises as the others."""
    tree = _parse(BytesSource(signature), BESIDE_LIMIT_BYTES)
    return _judge(_read_claim(tree.getroot()), trust, at)


def _judge(claim: _Claim, trust: Trust, at: datetime) -> Verdict:
    """Whose key made the signature over SignedInfo, and whether that one may sign here."""
    held: list[bytes] = []
    _canonicalize(claim.signed_info, claim.signed_info_c14n, claim.prefixes, held.append)
    signed = b"".join(held)
    reasons = []
    for certificate in claim.certificates or trust.pinned:
        reason = _object_maker(certificate, claim, signed)
        if not reason:
            key_id = trust.accept(certificate, claim.certificates, at)
            return _verdict(certificate, claim, key_id)
        reasons.append(reason)
    if not claim.certificates:
        raise SignerUntrusted(
            f"the XML signature brings no certificate, and none that is pinned for {trust.owner} made it",
            "ask the bank to send its certificate along, or pin it",
        )
    raise SignatureInvalid(reasons[0])


def _object_maker(certificate: x509.Certificate, claim: _Claim, signed: bytes) -> str:
    """Why the key of this certificate did not make the signature; empty where it did."""
    try:
        key = certified_key(certificate)
        verifier = make_verifier(key, ALGORITHMS[claim.algorithm])
        hasher = verifier.hasher()
        hasher.update(signed)
        # RFC 9231, section 2.3.6: r and s side by side.
        verifier.verify_digest(to_der(claim.value, key), hasher.digest())
    except (KeyUnavailable, SignatureInvalid) as error:
        return str(error)
    return ""


def _verdict(certificate: x509.Certificate, claim: _Claim, key_id: str) -> Verdict:
    return Verdict(
        certificate_sha256(certificate),
        certificate.subject.rfc4514_string(),
        serial_hex(certificate),
        claim.algorithm,
        claim.digest_value.hex(),
        None,
        key_id,
    )


def _compare(claim: _Claim, running: Hasher, verdict: Verdict) -> Verdict:
    if running.digest() != claim.digest_value:
        raise SignatureInvalid("the content is not what was signed: its digest differs")
    return verdict


def _make_signature(
    signer: Signer, uri: str, transforms: Sequence[str], digest: str, value: bytes
) -> _Element:
    if signer.algorithm not in METHOD_OF_ALGORITHM:
        raise KeyUnavailable(
            f"key {signer.key_id}: XML signatures have no name for {signer.algorithm}",
            "choose RSA or EC for this bank",
        )
    if not signer.certificate_der:
        raise KeyUnavailable(
            f"key {signer.key_id} has no certificate, so it signs no XML", "name it in the entry of the ring"
        )
    signature = etree.Element(_tag("Signature"), nsmap={"ds": NAMESPACE})
    signed_info = _child(signature, "SignedInfo")
    _child(signed_info, "CanonicalizationMethod", Algorithm=EXCLUSIVE_C14N)
    _child(signed_info, "SignatureMethod", Algorithm=METHOD_OF_ALGORITHM[signer.algorithm])
    reference = _child(signed_info, "Reference", URI=uri)
    if transforms:
        listed = _child(reference, "Transforms")
        for transform in transforms:
            _child(listed, "Transform", Algorithm=transform)
    _child(
        reference, "DigestMethod", Algorithm=METHOD_OF_DIGEST[digest or ALGORITHMS[signer.algorithm].digest]
    )
    _child(reference, "DigestValue").text = _base64(value)
    hasher = signer.hasher()
    _canonicalize(signed_info, EXCLUSIVE_C14N, (), hasher.update)
    raw = to_raw(signer.sign_digest(hasher.digest()), signer.public_key)
    _child(signature, "SignatureValue").text = _base64(raw)
    data = _child(_child(signature, "KeyInfo"), "X509Data")
    for der in (signer.certificate_der, *signer.chain_der):
        _child(data, "X509Certificate").text = _base64(der)
    return signature


# Reading. Every element is asked for by name and place; what is not expected is refused.


def _parse(document: ByteSource, limit_bytes: int) -> Any:
    """The document's tree; without document type, entities, and anything from outside."""
    parser = _lxml.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        tree = _lxml.parse(_Limited(document, limit_bytes), parser)
    except (etree.XMLSyntaxError, LookupError, UnicodeError):
        raise SignatureMalformed("not well-formed XML, so there is no XML signature in it") from None
    if tree.docinfo.doctype or tree.docinfo.internalDTD is not None:
        raise SignatureMalformed(
            "an XML document with a document type is refused", "ask for it without DOCTYPE"
        )
    return tree


def _signatures(tree: Any) -> list[_Element]:
    return list(tree.getroot().iter(_tag("Signature")))


def _only_signature(tree: Any, place: Sequence[str]) -> _Element:
    """The one signature of the document, where it belongs."""
    found = _signatures(tree)
    if len(found) != 1:
        raise SignatureMalformed(f"{len(found) or 'no'} XML signatures in the document, wanted one")
    if found[0].getparent() is not _find_place(tree, place):
        raise SignatureMalformed(
            "the XML signature is not where the profile says",
            f"wanted below {'/'.join(place) or 'the root'}; compare with the bank's paper",
        )
    return found[0]


def _find_place(tree: Any, place: Sequence[str]) -> _Element:
    element = tree.getroot()
    for name in place:
        inside = list(element.iterchildren("{*}" + name))
        if len(inside) != 1:
            raise SignatureMalformed(
                f"the document has {len(inside) or 'no'} element {name} at {'/'.join(place)}, wanted one",
                "compare the place of the signature with the bank's paper",
            )
        element = inside[0]
    return element


def _read_claim(signature: _Element) -> _Claim:
    if signature.tag != _tag("Signature") or any(not isinstance(each.tag, str) for each in signature.iter()):
        # A comment would cut the text of an element in two.
        raise SignatureMalformed("not a plain XML signature: another element, or comments inside")
    signed_info, value, *key_info = _children(signature, "SignedInfo", "SignatureValue", "KeyInfo?")
    method, how, reference = _children(signed_info, "CanonicalizationMethod", "SignatureMethod", "Reference")
    *listed, digest_method, digest_value = _children(reference, "Transforms?", "DigestMethod", "DigestValue")
    _children(how)
    _children(digest_method)
    canonical, prefixes = _read_c14n(method)
    uri = reference.get("URI")
    if uri is None:
        raise SignatureMalformed("the reference of the XML signature has no URI")
    return _Claim(
        signed_info,
        canonical,
        prefixes,
        named(how.get("Algorithm", ""), SIGNATURE_METHODS, "signature method"),
        _read_base64(value),
        tuple(_read_certificates(key_info)),
        uri,
        tuple(_read_transform(each) for each in _transforms(listed)),
        named(digest_method.get("Algorithm", ""), DIGEST_METHODS, "digest method"),
        _read_base64(digest_value),
    )


def _transforms(listed: list[_Element]) -> list[_Element]:
    return [] if not listed else list(listed[0])


def _read_transform(transform: _Element) -> tuple[str, tuple[str, ...]]:
    if transform.tag != _tag("Transform"):
        raise SignatureMalformed("something else among the transforms of the XML signature")
    if transform.get("Algorithm") == ENVELOPED:
        _children(transform)
        return ENVELOPED, ()
    return _read_c14n(transform)


def _enveloped_transforms(claim: _Claim) -> tuple[str, tuple[str, ...]]:
    """How the document is canonicalized once its signature is taken out."""
    kinds = [transform for transform, _ in claim.transforms]
    if kinds == [ENVELOPED]:
        # What a node-set becomes where nothing is said (xmldsig-core1, section 4.4.3.2).
        return INCLUSIVE_C14N, ()
    if len(kinds) == 2 and kinds[0] == ENVELOPED and kinds[1] in C14N:
        return claim.transforms[1]
    raise SignatureInvalid(
        "the transforms of the XML signature are others than enveloped and canonicalization",
        "other transforms could hide a part of the document from the signature",
    )


def _read_c14n(method: _Element) -> tuple[str, tuple[str, ...]]:
    uri = method.get("Algorithm", "")
    if uri not in C14N:
        raise SignatureInvalid(
            f"canonicalization or transform {uri[:80]!r} of the XML signature is not taken here",
            "ask the bank for exclusive canonicalization without comments",
        )
    if len(method) == 0:
        return uri, ()
    (prefixes,) = list(method) if len(method) == 1 else [method]
    if uri != EXCLUSIVE_C14N or prefixes.tag != f"{{{EXCLUSIVE_C14N}}}InclusiveNamespaces" or len(prefixes):
        raise SignatureMalformed("parameters of a canonicalization that are not known here")
    return uri, tuple(prefixes.get("PrefixList", "").split())


def _read_certificates(key_info: list[_Element]) -> Iterable[x509.Certificate]:
    """Those that came along; key values and names beside them say nothing that is believed."""
    found = [each for info in key_info for each in info.iter(_tag("X509Certificate"))]
    if len(found) > _CERTIFICATES_LIMIT:
        raise SignatureMalformed(f"{len(found)} certificates in one XML signature")
    try:
        return [parse_certificate(_read_base64(each)) for each in found]
    except SignatureMalformed:
        raise SignatureMalformed("a certificate in the XML signature cannot be read") from None


def _children(element: _Element, *wanted: str) -> list[_Element]:
    """The children, which are exactly those; `?` marks one that may be missing."""
    left = list(element)
    found = []
    for name in wanted:
        tag = _tag(name.removesuffix("?"))
        if left and left[0].tag == tag:
            found.append(left.pop(0))
        elif not name.endswith("?"):
            raise SignatureMalformed(f"the XML signature has no {name} where one belongs")
    if left:
        unexpected = etree.QName(left[0]).localname[:40]
        raise SignatureMalformed(
            f"the XML signature has {unexpected} where none belongs",
            "one reference, to the whole document, is taken; no objects, manifests or properties",
        )
    return found


def _read_base64(element: _Element) -> bytes:
    if len(element):
        raise SignatureMalformed(f"elements inside {etree.QName(element).localname} of the XML signature")
    try:
        return base64.b64decode("".join((element.text or "").split()), validate=True)
    except (ValueError, binascii.Error):
        raise SignatureMalformed(
            f"{etree.QName(element).localname} of the XML signature is not Base64"
        ) from None


# Trees and bytes.


def _take_out(signature: _Element) -> None:
    """Remove the element; the text behind it stays."""
    parent, before, tail = signature.getparent(), signature.getprevious(), signature.tail or ""
    if before is not None:
        before.tail = (before.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail
    parent.remove(signature)


def _canonicalize(part: Any, method: str, prefixes: Sequence[str], write: Callable[[bytes], object]) -> None:
    """Canonical bytes of a tree, or of an element as it stands in its document."""
    tree: Any = part if isinstance(part, _lxml._ElementTree) else _alone(part, method)
    try:
        tree.write_c14n(
            _Writer(write),
            exclusive=method == EXCLUSIVE_C14N,
            with_comments=False,
            inclusive_ns_prefixes=list(prefixes) or None,
        )
    except _lxml.C14NError:
        raise SignatureMalformed("XML that has no canonical form, for its namespaces") from None


def _alone(element: _Element, method: str) -> Any:
    """The element as a document, with the namespaces that it sees."""
    if method != EXCLUSIVE_C14N and any(
        name.startswith("{http://www.w3.org/XML/1998/namespace}")
        for ancestor in element.iterancestors()
        for name in ancestor.attrib
    ):
        # Inclusive canonicalization would copy them down (xml-c14n, section 2.4).
        raise SignatureMalformed(
            "attributes such as xml:lang above the XML signature",
            "ask the bank for exclusive canonicalization",
        )
    return etree.ElementTree(etree.fromstring(etree.tostring(element, with_tail=False)))


def _child(parent: _Element, name: str, **attributes: str) -> _Element:
    return etree.SubElement(parent, _tag(name), attributes)


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


class _Writer:
    """A file for lxml around a function that takes blocks."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write

    def write(self, block: bytes) -> None:
        self._write(block)


class _Limited:
    """A file for lxml that refuses to be longer than it may."""

    def __init__(self, source: ByteSource, limit_bytes: int) -> None:
        self._source = source
        self._left = limit_bytes
        self._limit_bytes = limit_bytes

    def read(self, size: int = -1) -> bytes:
        block = self._source.read(BLOCK_BYTES)
        self._left -= len(block)
        if self._left < 0:
            raise SignatureMalformed(
                f"an XML document of more than {self._limit_bytes} bytes is not looked at for a signature",
                "agree on smaller files, or on a signature beside the file",
            )
        return block
