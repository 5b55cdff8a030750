"""XML signatures: two judges both ways, every known way of wrapping, and what is refused."""

from __future__ import annotations

import io
import random
import re
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from signxml import (  # type: ignore[attr-defined]
    CanonicalizationMethod,
    SignatureConfiguration,
    SignatureMethod,
    XMLSigner,
    XMLVerifier,
)

from keys import xmldsig
from keys.authority import Authority, Identity
from keys.certificates import Anchor, AnchorKind, Trust, certificate_sha256
from keys.errors import KeyUnavailable, SealError, SignatureInvalid, SignatureMalformed, SignerUntrusted
from keys.private import make_signer
from keys.xmldsig import sign_beside, sign_enveloped, verify_beside, verify_enveloped
from keys.xmldsig_names import EXCLUSIVE_C14N, INCLUSIVE_C14N, NAMESPACE
from tests.keys.conftest import END, RECEIVED, START, Bank, root_trust, signer_trust

DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10" xmlns:q="urn:q">
  <!-- nobody signs a comment -->
  <Report Id="r1"><Status q:kind="full">ACSC</Status><Name>结算 &amp; 发放</Name></Report>
  <More><Envelope/></More>
</Document>
""".encode()
CANONICAL = """<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10">
{blank}
  <Report Id="r1"><Status xmlns:q="urn:q" q:kind="full">ACSC</Status><Name>结算 &amp; 发放</Name></Report>
  <More><Envelope></Envelope></More>
</Document>""".replace("{blank}", "  ").encode()
PLACE = ("More", "Envelope")
KINDS = ("rsa-2048", "ec-p256", "ec-p384")


def sign(bank: Bank, kind: str = "ec-p256", document: bytes = DOCUMENT, **how: object) -> bytes:
    sink = io.BytesIO()
    sign_enveloped(io.BytesIO(document), bank.identities[kind].signer("k"), sink, **how)  # type: ignore[arg-type]
    return sink.getvalue()


def open_signed(signed: bytes, trust: Trust, place: tuple[str, ...] = ()) -> tuple[bytes, str]:
    """What is passed on, and by which pin."""
    sink = io.BytesIO()
    verdict = verify_enveloped(io.BytesIO(signed), trust, RECEIVED, sink, place)
    return sink.getvalue(), verdict.key_id


def refuse(
    kind: type[SealError], text: str, signed: bytes, trust: Trust, place: tuple[str, ...] = ()
) -> None:
    with pytest.raises(kind, match=text):
        open_signed(signed, trust, place)


def change(signed: bytes, old: str, new: str) -> bytes:
    assert signed.count(old.encode()) == 1, old
    return signed.replace(old.encode(), new.encode())


def xmlsec1(folder: Path, bank: Bank, name: str, *arguments: str) -> bool:
    command = ["xmlsec1", "--verify", "--enabled-key-data", "x509", "--trusted-pem", str(bank.root_path)]
    command += ["--verification-time", "2026-06-01 00:00:00", *arguments, name]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("place", [(), PLACE], ids=["root", "inside"])
@pytest.mark.parametrize("kind", KINDS)
def test_xmlsec1_accepts_ours_and_nothing_changed(
    tmp_path: Path, bank: Bank, kind: str, place: tuple[str, ...]
) -> None:
    signed = sign(bank, kind, place=place)
    (tmp_path / "signed.xml").write_bytes(signed)
    assert xmlsec1(tmp_path, bank, "signed.xml")
    (tmp_path / "changed.xml").write_bytes(change(signed, "ACSC", "RJCT"))
    assert not xmlsec1(tmp_path, bank, "changed.xml")


@pytest.mark.parametrize(
    ("kind", "algorithm"),
    [("rsa-2048", "rsa-pkcs1-sha512"), ("rsa-2048", "rsa-pss-sha256"), ("ec-p256", ""), ("ec-p384", "")],
)
def test_signxml_accepts_ours(bank: Bank, kind: str, algorithm: str) -> None:
    identity, sink = bank.identities[kind], io.BytesIO()
    sign_enveloped(io.BytesIO(DOCUMENT), identity.signer("k", algorithm), sink)
    verified = XMLVerifier().verify(
        sink.getvalue(),
        x509_cert=identity.certificate,
        expect_config=SignatureConfiguration(location="./", verification_time=RECEIVED),
    )
    assert verified.signed_data == CANONICAL


@pytest.mark.parametrize("place", [(), PLACE], ids=["root", "inside"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_passed_on_is_the_document_in_canonical_form(
    bank: Bank, kind: str, place: tuple[str, ...]
) -> None:
    content, key_id = open_signed(sign(bank, kind, place=place), bank.trust, place)
    assert (content, key_id) == (CANONICAL, "rural-ca")


_TEMPLATE = """<Signature xmlns="{ds}"><SignedInfo><CanonicalizationMethod Algorithm="{c14n}"/>
<SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#{method}"/>
<Reference URI=""><Transforms><Transform Algorithm="{ds}enveloped-signature"/>{second}</Transforms>
<DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><DigestValue/></Reference>
</SignedInfo><SignatureValue/><KeyInfo><X509Data/></KeyInfo></Signature>"""


def xmlsec1_signs(
    folder: Path, bank: Bank, kind: str, c14n: str, *, second: bool = True, inner: str = ""
) -> bytes:
    """The judge signs the document; white space and line breaks are its own."""
    method = f"{'rsa' if kind.startswith('rsa') else 'ecdsa'}-sha256"
    transform = f'<Transform Algorithm="{c14n}">{inner}</Transform>' if second else ""
    template = _TEMPLATE.format(ds=NAMESPACE, c14n=c14n, method=method, second=transform)
    (folder / "template.xml").write_bytes(
        DOCUMENT.replace(b"</Document>", f"{template}\n</Document>".encode())
    )
    pair = f"{bank.key_path(kind)},{bank.certificate_path(kind)}"
    command = ["xmlsec1", "--sign", "--privkey-pem", pair, "--output", "made.xml", "template.xml"]
    subprocess.run(command, cwd=folder, capture_output=True, check=True)
    return (folder / "made.xml").read_bytes()


@pytest.mark.parametrize("second", [True, False], ids=["named", "usual"])
@pytest.mark.parametrize("c14n", [EXCLUSIVE_C14N, INCLUSIVE_C14N], ids=["exclusive", "inclusive"])
@pytest.mark.parametrize("kind", ["rsa-2048", "ec-p256"])
def test_what_xmlsec1_signs_is_accepted(
    tmp_path: Path, bank: Bank, kind: str, c14n: str, second: bool
) -> None:
    made = xmlsec1_signs(tmp_path, bank, kind, c14n, second=second)
    content, key_id = open_signed(made, bank.trust)
    assert key_id == "rural-ca"
    inclusive = c14n == INCLUSIVE_C14N or not second
    expected = etree.tostring(
        etree.ElementTree(etree.fromstring(DOCUMENT)),
        method="c14n",
        exclusive=not inclusive,
        with_comments=False,
    )
    # The judge's signature stood before a line break of its own.
    assert content == expected.replace(b"\n</Document>", b"\n\n</Document>")
    refuse(SignatureInvalid, "its digest differs", change(made, "ACSC", "RJCT"), bank.trust)


@pytest.mark.parametrize("c14n", [each for each in CanonicalizationMethod if "Comments" not in each.value])
@pytest.mark.parametrize("kind", ["rsa-2048", "ec-p256"])
def test_what_signxml_signs_is_accepted(bank: Bank, kind: str, c14n: CanonicalizationMethod) -> None:
    identity = bank.identities[kind]
    method = SignatureMethod.RSA_SHA256 if kind.startswith("rsa") else SignatureMethod.ECDSA_SHA256
    signer = XMLSigner(signature_algorithm=method, c14n_algorithm=c14n)
    made = signer.sign(etree.fromstring(DOCUMENT), key=identity.private_key, cert=[identity.certificate])
    content, _ = open_signed(etree.tostring(made), bank.trust)
    assert b"<Status" in content


def test_prefixes_that_exclusive_canonicalization_keeps(tmp_path: Path, bank: Bank) -> None:
    """As web services sign: the list of prefixes is part of what is signed."""
    kept = f'<InclusiveNamespaces xmlns="{EXCLUSIVE_C14N}" PrefixList="q #default"/>'
    made = xmlsec1_signs(tmp_path, bank, "ec-p256", EXCLUSIVE_C14N, inner=kept)
    content, _ = open_signed(made, bank.trust)
    assert content.startswith(
        b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10" xmlns:q="urn:q">'
    )


# Wrapping: somebody takes a signature that holds, and builds another document around it.


def wrapped(signed: bytes, build: Callable[[etree._Element, etree._Element], etree._Element]) -> bytes:
    """`build` gets the signed root and its signature, and gives the attacker's root."""
    root = etree.fromstring(signed)
    (signature,) = root.iter(f"{{{NAMESPACE}}}Signature")
    return etree.tostring(build(root, signature))


def _forged(root: etree._Element) -> etree._Element:
    forged = etree.fromstring(DOCUMENT.replace(b"ACSC", b"RJCT"))
    assert forged.tag == root.tag
    return forged


def _around(root: etree._Element, signature: etree._Element) -> etree._Element:
    """The signed document as a child of a forged one, the signature where it belongs."""
    forged = _forged(root)
    forged.append(root)
    forged.append(signature)
    return forged


def _inside(root: etree._Element, signature: etree._Element) -> etree._Element:
    """The signed document hidden inside the signature."""
    forged = _forged(root)
    forged.append(signature)
    hidden = etree.SubElement(signature, f"{{{NAMESPACE}}}Object")
    hidden.append(root)
    etree.strip_tags(signature, etree.Comment)
    return forged


def _second(root: etree._Element, signature: etree._Element) -> etree._Element:
    """Two signatures: one holds somewhere, the other is looked at."""
    signature.addprevious(etree.fromstring(etree.tostring(signature)))
    return root


def _moved(root: etree._Element, signature: etree._Element) -> etree._Element:
    root[1].append(signature)
    return root


@pytest.mark.parametrize(
    ("build", "kind", "text"),
    [
        (_around, SignatureInvalid, "its digest differs"),
        (_inside, SignatureMalformed, "has Object where none belongs"),
        (_second, SignatureMalformed, "2 XML signatures in the document, wanted one"),
        (_moved, SignatureMalformed, "is not where the profile says"),
    ],
)
def test_a_signed_document_wrapped_in_another(
    bank: Bank,
    build: Callable[[etree._Element, etree._Element], etree._Element],
    kind: type[SealError],
    text: str,
) -> None:
    refuse(kind, text, wrapped(sign(bank), build), bank.trust)


def test_a_signature_over_a_part_is_refused_wherever_the_part_is(bank: Bank) -> None:
    """The classic: a part that is found by its id may stand anywhere."""
    identity = bank.identities["ec-p256"]
    signer = XMLSigner(signature_algorithm=SignatureMethod.ECDSA_SHA256)
    made = signer.sign(
        etree.fromstring(DOCUMENT), key=identity.private_key, cert=[identity.certificate], reference_uri="r1"
    )
    refuse(SignatureInvalid, "covers '#r1', not the whole document", etree.tostring(made), bank.trust)


INVALID, MALFORMED = SignatureInvalid, SignatureMalformed
XPATH = (
    'enveloped-signature"/><ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116">'
    "<ds:XPath>self::q</ds:XPath></ds:Transform>"
)
XSLT = 'enveloped-signature"/><ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"/>'
STRANGE = "<ds:X509Data><ds:X509Certificate>AAAA</ds:X509Certificate>"


@pytest.mark.parametrize(
    ("old", "new", "kind", "text"),
    [
        ('URI=""', 'URI="#r1"', INVALID, "covers '#r1'"),
        ('URI=""', "", MALFORMED, "has no URI"),
        ('URI=""', 'URI="file:///etc/passwd"', INVALID, "covers 'file:///etc/passwd'"),
        ("enveloped-signature", "base64", INVALID, "#base64' of the XML signature is not taken here"),
        ('enveloped-signature"/>', XPATH, INVALID, "REC-xpath-19991116' of the XML signature is not taken"),
        ('enveloped-signature"/>', XSLT, INVALID, "REC-xslt-19991116' of the XML signature is not taken"),
        (
            "</ds:SignedInfo>",
            "<ds:Reference/></ds:SignedInfo>",
            MALFORMED,
            "has Reference where none belongs",
        ),
        ("<ds:KeyInfo>", "<ds:Object/><ds:KeyInfo>", MALFORMED, "has Object where none belongs"),
        ("#rsa-sha256", "#rsa-sha1", INVALID, "method rsa-sha1 of the XML signature is too weak"),
        ("#rsa-sha256", "#rsa-md5", INVALID, "method rsa-md5 of the XML signature is too weak"),
        ("#rsa-sha256", "#hmac-sha256", INVALID, "method hmac-sha256 of the XML signature is too weak"),
        ("xmlenc#sha256", "xmldsig#sha1", INVALID, "digest method sha1 of the XML signature is too weak"),
        ("#rsa-sha256", "#gost", INVALID, "is not known here"),
        (
            "<ds:DigestValue>",
            "<ds:DigestValue>-",
            MALFORMED,
            "DigestValue of the XML signature is not Base64",
        ),
        ("<ds:DigestValue>", "<ds:DigestValue><x/>", MALFORMED, "elements inside DigestValue"),
        ("<ds:DigestValue>", "<ds:DigestValue><!-- -->", MALFORMED, "comments inside"),
        ("<ds:SignatureValue>", "<ds:SignatureValue>AAAA", INVALID, "does not fit the bytes and the key"),
        ("<ds:X509Data>", STRANGE, MALFORMED, "certificate in the XML signature cannot be read"),
    ],
)
def test_a_signature_of_another_shape(
    bank: Bank, old: str, new: str, kind: type[SealError], text: str
) -> None:
    refuse(kind, text, change(sign(bank, "rsa-2048"), old, new), bank.trust)


@pytest.mark.parametrize("suffix", ["WithComments", ""])
def test_canonicalization_with_comments_is_not_taken(bank: Bank, suffix: str) -> None:
    signed = sign(bank)
    refuse_if = SignatureInvalid if suffix else None
    changed = signed.replace(EXCLUSIVE_C14N.encode(), (EXCLUSIVE_C14N + suffix).encode())
    if refuse_if is None:
        open_signed(changed, bank.trust)
    else:
        refuse(refuse_if, "ask|is not taken here", changed, bank.trust)


def test_a_comment_cuts_no_value_in_two(bank: Bank) -> None:
    """A comment may be slipped in, it is not signed; what is passed on has none."""
    signed = change(sign(bank), "ACSC", "AC<!-- not -->SC")
    assert open_signed(signed, bank.trust)[0] == CANONICAL


def test_flipped_bits_are_refused_or_change_nothing(bank: Bank) -> None:
    signed = sign(bank)
    drawn = random.Random(7)
    unchanged = 0
    for _ in range(2500):
        place, bit = drawn.randrange(len(signed)), 1 << drawn.randrange(8)
        flipped = signed[:place] + bytes([signed[place] ^ bit]) + signed[place + 1 :]
        try:
            assert open_signed(flipped, bank.trust) == (CANONICAL, "rural-ca")
            unchanged += 1
        except SealError:
            pass
    # Comments, white space in Base64 and in tags; nearly everything else is refused.
    assert unchanged < 250


@pytest.mark.parametrize("cut", [0, 1, 40, -1, -20, -400])
def test_a_truncated_document(bank: Bank, cut: int) -> None:
    refuse(SignatureMalformed, "not well-formed", sign(bank)[:cut], bank.trust)


def test_an_extended_document(bank: Bank) -> None:
    refuse(SignatureMalformed, "not well-formed", sign(bank) + b"<More/>", bank.trust)
    refuse(SignatureInvalid, "its digest differs", sign(bank) + b"<?more?>", bank.trust)


def test_a_document_without_a_signature(bank: Bank) -> None:
    refuse(SignatureMalformed, "no XML signatures in the document", DOCUMENT, bank.trust)
    refuse(
        SignatureMalformed, "has no element Elsewhere at Elsewhere", sign(bank), bank.trust, ("Elsewhere",)
    )


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE Document SYSTEM "http://bank.invalid/x.dtd">',
        '<!DOCTYPE Document [<!ENTITY a "ACSC">]>',
        '<!DOCTYPE Document [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        "<!DOCTYPE Document [<!ENTITY a '&#38;b;&#38;b;'><!ENTITY b '&#38;c;&#38;c;'><!ENTITY c 'x'>]>",
        '<!DOCTYPE Document [<!ATTLIST Document Id ID "r1">]>',
    ],
)
def test_a_document_type_is_refused(bank: Bank, declaration: str) -> None:
    signed = change(sign(bank), "<Document", declaration + "<Document")
    refuse(SignatureMalformed, "with a document type is refused", signed, bank.trust)
    with pytest.raises(SignatureMalformed, match="with a document type is refused"):
        sign(bank, document=change(DOCUMENT, "<Document", declaration + "<Document"))


def test_a_document_beyond_the_limit_is_not_looked_at(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    signed = sign(bank)
    monkeypatch.setattr(xmldsig, "LIMIT_BYTES", len(signed) - 1)
    refuse(SignatureMalformed, f"more than {len(signed) - 1} bytes is not looked at", signed, bank.trust)
    monkeypatch.setattr(xmldsig, "LIMIT_BYTES", len(signed))
    open_signed(signed, bank.trust)


def test_depth_is_bounded(bank: Bank) -> None:
    deep = b"<a>" * 5000 + b"</a>" * 5000
    refuse(SignatureMalformed, "not well-formed", deep, bank.trust)


def test_no_payload_reaches_a_log(bank: Bank, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        open_signed(sign(bank), bank.trust)
    assert caplog.text == ""


# Who signed.


def test_a_stranger_and_a_certificate_put_in_place_of_the_signers(bank: Bank) -> None:
    thief = Authority.create("CN=Bank CA,O=Rural Credit,C=CN", START, END)
    identity, sink = (
        thief.issue("CN=Settlement ec-p256,O=Rural Credit,C=CN", START, END, "ec-p256"),
        io.BytesIO(),
    )
    sign_enveloped(io.BytesIO(DOCUMENT), identity.signer("k"), sink)
    refuse(SignerUntrusted, "may not sign for rural-credit", sink.getvalue(), bank.trust)
    own = bank.identities["ec-p256"].certificate.public_bytes(Encoding.PEM).decode().split("-----")[2]
    borrowed = re.sub(rb"(<ds:X509Certificate>)[^<]*", lambda found: found[1] + own.encode(), sink.getvalue())
    refuse(SignatureInvalid, "does not fit the bytes and the key", borrowed, bank.trust)


def test_a_key_value_is_nobody(bank: Bank) -> None:
    """Without a certificate only pinned ones are tried; a key that comes along is never believed."""
    signed = re.sub(rb"<ds:X509Data>.*</ds:X509Data>", b"<ds:KeyName>bank</ds:KeyName>", sign(bank))
    refuse(SignerUntrusted, "brings no certificate, and none that is pinned", signed, bank.trust)
    pinned = signer_trust(bank.identities["rsa-2048"].certificate, bank.identities["ec-p256"].certificate)
    assert open_signed(signed, pinned) == (CANONICAL, "rural-pin")


def test_a_chain_comes_along_in_any_order(bank: Bank) -> None:
    branch = bank.authority.issue_authority("CN=Branch CA", START, END)
    identity, sink = branch.issue("CN=Branch signer", START, END, "ec-p256"), io.BytesIO()
    sign_enveloped(
        io.BytesIO(DOCUMENT), identity.signer("k", chain_der=(branch.identity.certificate_der,)), sink
    )
    signed = sink.getvalue()
    assert open_signed(signed, bank.trust)[1] == "rural-ca"
    swapped = re.sub(
        rb"(<ds:X509Data>)(<ds:X509Certificate>.*?</ds:X509Certificate>)(.*)(</ds:X509Data>)",
        rb"\1\3\2\4",
        signed,
    )
    assert swapped != signed
    assert open_signed(swapped, bank.trust)[1] == "rural-ca"


def _trust_of_other_bank(bank: Bank, identity: Identity) -> Trust:
    strangers = {certificate_sha256(identity.certificate): "other in test (other-pin)"}
    return Trust(
        "rural-credit", "test", [Anchor("ca", bank.authority.certificate, AnchorKind.ROOT)], strangers
    )


def test_certificates_are_judged_as_everywhere(bank: Bank) -> None:
    identity = bank.identities["ec-p256"]
    refuse(SignerUntrusted, "belongs to other in test", sign(bank), _trust_of_other_bank(bank, identity))
    expired, sink = bank.authority.issue("CN=Past", START, START + timedelta(days=9), "ec-p256"), io.BytesIO()
    sign_enveloped(io.BytesIO(DOCUMENT), expired.signer("k"), sink)
    refuse(SignerUntrusted, "expired at 2026-01-10", sink.getvalue(), bank.trust)


def test_a_small_key(bank: Bank) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    name = x509.Name.from_rfc4514_string("CN=small")
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1)
    certificate = builder.not_valid_before(START).not_valid_after(END).sign(key, hashes.SHA256())
    made = XMLSigner().sign(etree.fromstring(DOCUMENT), key=key, cert=[certificate])
    signed = etree.tostring(made).replace(b"http://www.w3.org/2006/12/xml-c14n11", EXCLUSIVE_C14N.encode())
    refuse(
        SignatureInvalid, "an RSA key of 1024 bits, at least 2048 are wanted", signed, root_trust(certificate)
    )


# Signing.


def test_what_cannot_sign_xml(bank: Bank) -> None:
    sm2 = bank.authority.issue("CN=s", START, END, "sm2").signer("national")
    with pytest.raises(KeyUnavailable, match="XML signatures have no name for sm2-sm3"):
        sign_enveloped(io.BytesIO(DOCUMENT), sm2, io.BytesIO())
    bare = make_signer(bank.identities["ec-p256"].private_key, "bare")
    with pytest.raises(KeyUnavailable, match="key bare has no certificate"):
        sign_enveloped(io.BytesIO(DOCUMENT), bare, io.BytesIO())
    with pytest.raises(SealError, match="has a signature already"):
        sign(bank, document=sign(bank))
    with pytest.raises(SignatureMalformed, match="has no element Elsewhere"):
        sign(bank, place=("Elsewhere",))


def test_the_encoding_of_the_document_stays(bank: Bank) -> None:
    national = DOCUMENT.replace(b"UTF-8", b"GB18030").decode().encode("gb18030")
    signed = sign(bank, document=national)
    assert "结算".encode("gb18030") in signed
    assert open_signed(signed, bank.trust)[0] == CANONICAL


# Beside the file.


@pytest.mark.parametrize("kind", KINDS)
def test_xmlsec1_accepts_ours_beside_the_file(tmp_path: Path, bank: Bank, kind: str) -> None:
    content = b"any bytes, not XML\r\n\x00\xff"
    (tmp_path / "pay.bin").write_bytes(content)
    (tmp_path / "pay.sig").write_bytes(
        sign_beside(io.BytesIO(content), bank.identities[kind].signer("k"), "pay.bin")
    )
    assert xmlsec1(tmp_path, bank, "pay.sig")
    (tmp_path / "pay.bin").write_bytes(content + b".")
    assert not xmlsec1(tmp_path, bank, "pay.sig")


def test_what_xmlsec1_signs_beside_a_file_is_accepted(tmp_path: Path, bank: Bank) -> None:
    (tmp_path / "pay.bin").write_bytes(b"any bytes")
    template = _TEMPLATE.format(
        ds=NAMESPACE, c14n=EXCLUSIVE_C14N, method="rsa-sha256", second="", digest="sha256"
    )
    template = re.sub("<Transforms>.*</Transforms>", "", template).replace('URI=""', 'URI="pay.bin"')
    (tmp_path / "template.xml").write_text(template)
    pair = f"{bank.key_path('rsa-2048')},{bank.certificate_path('rsa-2048')}"
    command = ["xmlsec1", "--sign", "--privkey-pem", pair, "--output", "made.xml", "template.xml"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    made = (tmp_path / "made.xml").read_bytes()
    assert verify_beside(io.BytesIO(b"any bytes"), made, bank.trust, RECEIVED).key_id == "rural-ca"
    with pytest.raises(SignatureInvalid, match="its digest differs"):
        verify_beside(io.BytesIO(b"other bytes"), made, bank.trust, RECEIVED)


@pytest.mark.parametrize(
    ("old", "new", "kind", "text"),
    [
        ('URI="pay.bin"', 'URI=""', SignatureInvalid, "does not cover the bytes of a file"),
        ('URI="pay.bin"', 'URI="#x"', SignatureInvalid, "does not cover the bytes of a file"),
        ('URI="pay.bin"', 'URI="b"', SignatureInvalid, "does not fit the bytes and the key"),
        (
            "<ds:DigestMethod",
            f'<ds:Transforms><ds:Transform Algorithm="{EXCLUSIVE_C14N}"/></ds:Transforms><ds:DigestMethod',
            SignatureInvalid,
            "does not cover the bytes of a file",
        ),
        ("<ds:Signature ", "<ds:Signatures ", SignatureMalformed, "not well-formed"),
        ("<ds:KeyInfo>", " " * 300_000 + "<ds:KeyInfo>", SignatureMalformed, "at most 262144"),
    ],
)
def test_a_signature_beside_a_file_of_another_shape(
    bank: Bank, old: str, new: str, kind: type[SealError], text: str
) -> None:
    made = sign_beside(io.BytesIO(b"x"), bank.identities["ec-p256"].signer("k"), "pay.bin")
    with pytest.raises(kind, match=text):
        verify_beside(io.BytesIO(b"x"), change(made, old, new), bank.trust, RECEIVED)


def test_another_root_is_no_signature(bank: Bank) -> None:
    for content in (DOCUMENT, sign(bank)):
        with pytest.raises(SignatureMalformed, match="not a plain XML signature"):
            verify_beside(io.BytesIO(b"x"), content, bank.trust, RECEIVED)


@pytest.mark.parametrize("name", ["", "a#b"])
def test_a_name_that_would_be_read_otherwise(bank: Bank, name: str) -> None:
    with pytest.raises(SealError, match="cannot be named by an XML signature"):
        sign_beside(io.BytesIO(b"x"), bank.identities["ec-p256"].signer("k"), name)
