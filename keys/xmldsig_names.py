"""Names of XML Signature (W3C xmldsig-core1, RFC 9231) and what they stand for here."""

from __future__ import annotations

from keys.errors import SignatureInvalid

NAMESPACE = "http://www.w3.org/2000/09/xmldsig#"
ENVELOPED = f"{NAMESPACE}enveloped-signature"
EXCLUSIVE_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
INCLUSIVE_C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
INCLUSIVE_C14N_11 = "http://www.w3.org/2006/12/xml-c14n11"
C14N = (EXCLUSIVE_C14N, INCLUSIVE_C14N, INCLUSIVE_C14N_11)
"""Without comments: they are not signed, and not passed on. Versions 1.0 and 1.1 of the inclusive
one differ only in what a part inherits of the attributes `xml:...` above it; there are none."""

_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_MORE_2007 = "http://www.w3.org/2007/05/xmldsig-more#"
SIGNATURE_METHODS = {
    f"{_MORE}rsa-sha256": "rsa-pkcs1-sha256",
    f"{_MORE}rsa-sha384": "rsa-pkcs1-sha384",
    f"{_MORE}rsa-sha512": "rsa-pkcs1-sha512",
    f"{_MORE_2007}sha256-rsa-MGF1": "rsa-pss-sha256",
    f"{_MORE_2007}sha384-rsa-MGF1": "rsa-pss-sha384",
    f"{_MORE_2007}sha512-rsa-MGF1": "rsa-pss-sha512",
    f"{_MORE}ecdsa-sha256": "ecdsa-sha256",
    f"{_MORE}ecdsa-sha384": "ecdsa-sha384",
    f"{_MORE}ecdsa-sha512": "ecdsa-sha512",
}
METHOD_OF_ALGORITHM = {algorithm: uri for uri, algorithm in SIGNATURE_METHODS.items()}
DIGEST_METHODS = {
    "http://www.w3.org/2001/04/xmlenc#sha256": "sha256",
    f"{_MORE}sha384": "sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512": "sha512",
}
METHOD_OF_DIGEST = {digest: uri for uri, digest in DIGEST_METHODS.items()}
_WEAK_WORDS = ("sha1", "md5", "ripemd160", "sha224", "dsa-sha256", "hmac")


def named(uri: str, table: dict[str, str], what: str) -> str:
    """What a URI stands for; raises `SignatureInvalid` for what is weak or not known."""
    if uri in table:
        return table[uri]
    last = uri.rpartition("#")[2]
    if any(last.lower().startswith(word) or last.lower().endswith(word) for word in _WEAK_WORDS):
        raise SignatureInvalid(
            f"{what} {last[:40]} of the XML signature is too weak", "ask the signer for SHA-256 or stronger"
        )
    raise SignatureInvalid(f"{what} {uri[:80]!r} of the XML signature is not known here")
