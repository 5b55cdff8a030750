"""What is refused: changed, cut, extended, re-made, weak, forged, by others."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from keys import tlv
from keys.armour import SIGNATURE_LIMIT_BYTES
from keys.authority import Authority
from keys.cms import Verdict, sign_attached, sign_detached, verify_attached, verify_detached
from keys.cms_write import encode_attributes, encode_signer_info
from keys.errors import KeyUnavailable, SealError, SignatureInvalid, SignatureMalformed, SignerUntrusted
from keys.private import load_certificates, make_signer
from keys.signer import Signer
from tests.keys.conftest import END, RECEIVED, START, Bank, run_openssl, signer_trust

CONTENT = b"RMB|20260601|2|1|8800|\n*\n"
SAMPLES = 500
"""Bits flipped for each kind of file; a seed reproduces them."""


def detached(signer: Signer, content: bytes = CONTENT) -> bytes:
    return sign_detached(io.BytesIO(content), signer, RECEIVED)


def attached(signer: Signer, content: bytes = CONTENT) -> bytes:
    sink = io.BytesIO()
    sign_attached(io.BytesIO(content), len(content), signer, RECEIVED, sink)
    return sink.getvalue()


def verify(bank: Bank, signature: bytes, content: bytes = CONTENT) -> Verdict:
    return verify_detached(io.BytesIO(content), signature, bank.trust, RECEIVED)


def verify_inside(bank: Bank, signed: bytes) -> Verdict:
    return verify_attached(io.BytesIO(signed), bank.trust, RECEIVED, io.BytesIO())


def signed_data(
    infos: list[bytes], certificates: list[bytes], digest_oid: str = "0609608648016503040201"
) -> bytes:
    """SignedData around signer infos made by hand, detached."""
    data = bytes.fromhex("06092a864886f70d010701")
    parts = [
        b"\x02\x01\x01",
        tlv.wrap(tlv.SET, tlv.wrap(tlv.SEQUENCE, bytes.fromhex(digest_oid))),
        tlv.wrap(tlv.SEQUENCE, data),
        tlv.wrap(tlv.CONTEXT_0, b"".join(certificates)),
        tlv.wrap(tlv.SET, b"".join(infos)),
    ]
    inner = tlv.wrap(tlv.CONTEXT_0, tlv.wrap(tlv.SEQUENCE, b"".join(parts)))
    return tlv.wrap(tlv.SEQUENCE, bytes.fromhex("06092a864886f70d010702") + inner)


def signer_info(signer: Signer, attributes: bytes) -> bytes:
    hasher = signer.hasher()
    hasher.update(attributes)
    return encode_signer_info(signer, attributes, signer.sign_digest(hasher.digest()))


def content_attributes(signer: Signer, content: bytes = CONTENT) -> bytes:
    hasher = signer.hasher()
    hasher.update(content)
    return encode_attributes(hasher.digest(), None)


def test_hand_made_signed_data_verifies(bank: Bank) -> None:
    """The tool of the tests below makes something good when nothing is forged."""
    signer = bank.identities["rsa-2048"].signer("k")
    info = signer_info(signer, content_attributes(signer))
    verify(bank, signed_data([info], [signer.certificate_der]))


@pytest.mark.parametrize("make", [detached, attached])
@pytest.mark.parametrize("kind", ["rsa-2048", "ec-p256"])
def test_every_flipped_bit_is_refused(bank: Bank, kind: str, make: Callable[[Signer], bytes]) -> None:
    good = make(bank.identities[kind].signer("k"))
    check = verify if make is detached else verify_inside
    check(bank, good)
    positions = random.Random(20260601).sample(range(len(good) * 8), SAMPLES)
    accepted = []
    for position in positions:
        bad = bytearray(good)
        bad[position // 8] ^= 1 << position % 8
        try:
            check(bank, bytes(bad))
        except SealError:
            continue
        accepted.append(position)
    assert accepted == []


@pytest.mark.parametrize("make", [detached, attached])
def test_every_truncation_and_extension_is_refused(bank: Bank, make: Callable[[Signer], bytes]) -> None:
    good = make(bank.identities["ec-p256"].signer("k"))
    check = verify if make is detached else verify_inside
    for length in range(len(good)):
        with pytest.raises(SealError):
            check(bank, good[:length])
    for tail in (b"\0", b"\0\0", b"\n", good):
        with pytest.raises(SignatureMalformed, match="bytes follow"):
            check(bank, good + tail)


@pytest.mark.parametrize("content", [b"", CONTENT[:-1], CONTENT + b"\n", CONTENT.replace(b"8800", b"8801")])
def test_other_content_is_refused(bank: Bank, content: bytes) -> None:
    signature = detached(bank.identities["rsa-2048"].signer("k"))
    with pytest.raises(SignatureInvalid, match="digest differs"):
        verify(bank, signature, content)


def test_the_key_must_be_the_one_in_the_certificate(bank: Bank) -> None:
    honest = bank.identities["ec-p256"]
    thief = make_signer(bank.authority.identity.private_key, "thief")
    thief = replace(thief, certificate_der=honest.certificate_der)
    with pytest.raises(SignatureInvalid, match="does not fit"):
        verify(bank, detached(thief))


def test_a_second_forged_signer_spoils_the_file(bank: Bank) -> None:
    first, second = (bank.identities[kind].signer("k") for kind in ("rsa-2048", "ec-p256"))
    good = signer_info(first, content_attributes(first))
    attributes = content_attributes(second)
    forged = encode_signer_info(second, attributes, first.sign_digest(bytes(32)))
    certificates = [first.certificate_der, second.certificate_der]
    with pytest.raises(SignatureInvalid, match="does not fit"):
        verify(bank, signed_data([good, forged], certificates))
    with pytest.raises(SignatureInvalid, match="does not fit"):
        verify(bank, signed_data([forged, good], certificates))


def test_a_second_signer_who_is_a_stranger_spoils_the_file(bank: Bank) -> None:
    other = Authority.create("CN=Other CA", START, END).issue("CN=Stranger", START, END, "ec-p256")
    first, second = bank.identities["rsa-2048"].signer("k"), other.signer("x")
    infos = [signer_info(each, content_attributes(each)) for each in (first, second)]
    with pytest.raises(SignerUntrusted, match="CN=Stranger"):
        verify(bank, signed_data(infos, [first.certificate_der, second.certificate_der]))


def test_nobody_signed(bank: Bank) -> None:
    with pytest.raises(SignatureMalformed, match="0 signatures"):
        verify(bank, signed_data([], [bank.identities["rsa-2048"].certificate_der]))


def test_stripped_attributes_are_no_file(bank: Bank) -> None:
    """The signature over attributes is taken off them and passed off as one over a file."""
    signer = bank.identities["rsa-2048"].signer("k")
    attributes = content_attributes(signer)
    info = signer_info(signer, attributes)
    fields = tlv.read_elements(info)[0].children()
    stripped = tlv.wrap(
        tlv.SEQUENCE, b"".join(each.raw for each in fields if each.identifier != tlv.CONTEXT_0)
    )
    forged = signed_data([stripped], [signer.certificate_der])
    with pytest.raises(SignatureInvalid, match="signed attributes, taken from another signature"):
        verify(bank, forged, attributes)
    with pytest.raises(SignatureInvalid, match="does not fit"):
        verify(bank, forged, CONTENT)


def attribute(oid: str, *values: bytes) -> bytes:
    return tlv.wrap(tlv.SEQUENCE, bytes.fromhex(oid) + tlv.wrap(tlv.SET, b"".join(values)))


CONTENT_TYPE_OID = "06092a864886f70d010903"
DIGEST_OID = "06092a864886f70d010904"
DATA_VALUE = bytes.fromhex("06092a864886f70d010701")
SIGNED_DATA_VALUE = bytes.fromhex("06092a864886f70d010702")
DIGEST_VALUE = b"\x04\x20" + hashlib.sha256(CONTENT).digest()


@pytest.mark.parametrize(
    ("attributes", "error", "text"),
    [
        ([attribute(DIGEST_OID, DIGEST_VALUE)], SignatureMalformed, "1.9.3 has 0 values"),
        ([attribute(CONTENT_TYPE_OID, DATA_VALUE)], SignatureMalformed, "1.9.4 has 0 values"),
        (
            [attribute(CONTENT_TYPE_OID, SIGNED_DATA_VALUE), attribute(DIGEST_OID, DIGEST_VALUE)],
            SignatureInvalid,
            "signed content type is 1.2.840.113549.1.7.2",
        ),
        (
            [attribute(CONTENT_TYPE_OID, DATA_VALUE), attribute(DIGEST_OID, DIGEST_VALUE, DIGEST_VALUE)],
            SignatureMalformed,
            "1.9.4 has 2 values",
        ),
        (
            [attribute(CONTENT_TYPE_OID, DATA_VALUE), *[attribute(DIGEST_OID, DIGEST_VALUE)] * 2],
            SignatureMalformed,
            "twice",
        ),
        (
            [attribute(CONTENT_TYPE_OID, DATA_VALUE), attribute(DIGEST_OID, b"\x04\x20" + bytes(32))],
            SignatureInvalid,
            "digest differs",
        ),
    ],
)  # fmt: skip
def test_signed_attributes_must_be_right(
    bank: Bank, attributes: list[bytes], error: type[SealError], text: str
) -> None:
    """All of these are signed by the right key."""
    signer = bank.identities["rsa-2048"].signer("k")
    info = signer_info(signer, tlv.wrap(tlv.SET, b"".join(sorted(attributes))))
    with pytest.raises(error, match=text):
        verify(bank, signed_data([info], [signer.certificate_der]))


def test_attributes_in_another_order_are_signed_in_der_order(bank: Bank) -> None:
    """Senders of BER need not sort them; what is signed is the sorted set."""
    signer = bank.identities["rsa-2048"].signer("k")
    attributes = [attribute(CONTENT_TYPE_OID, DATA_VALUE), attribute(DIGEST_OID, DIGEST_VALUE)]
    info = signer_info(signer, tlv.wrap(tlv.SET, b"".join(sorted(attributes))))
    ordered, turned = b"".join(sorted(attributes)), b"".join(sorted(attributes, reverse=True))
    verify(bank, signed_data([info.replace(ordered, turned)], [signer.certificate_der]))


def test_versions_must_be_those_of_the_standard(bank: Bank) -> None:
    signer = bank.identities["rsa-2048"].signer("k")
    info = signer_info(signer, content_attributes(signer))
    good = signed_data([info], [signer.certificate_der])
    start = good.index(b"\x02\x01\x01")
    with pytest.raises(SignatureMalformed, match="SignedData of version 3, wanted 1"):
        verify(bank, good[:start] + b"\x02\x01\x03" + good[start + 3 :])
    other = info.replace(b"\x02\x01\x01", b"\x02\x01\x03", 1)
    with pytest.raises(SignatureMalformed, match="signer info of version 3 does not fit"):
        verify(bank, signed_data([other], [signer.certificate_der]))


def test_digest_and_signature_algorithm_must_agree(bank: Bank) -> None:
    signer = bank.identities["ec-p256"].signer("k")
    info = signer_info(signer, content_attributes(signer))
    sha256, sha384 = bytes.fromhex("2a8648ce3d040302"), bytes.fromhex("2a8648ce3d040303")
    with pytest.raises(SignatureInvalid, match="ecdsa-sha384 does not go with digest sha256"):
        verify(bank, signed_data([info.replace(sha256, sha384)], [signer.certificate_der]))


def test_a_certificate_has_one_form(bank: Bank) -> None:
    """The count of unused bits in its signature is not covered by anything."""
    signer = bank.identities["ec-p256"].signer("k")
    whole = signer.certificate_der
    *_, signature = tlv.read_elements(whole)[0].children()
    start = len(whole) - len(signature.content)
    for unused_bits in (1, 2, 3):
        other = whole[:start] + bytes([unused_bits]) + whole[start + 1 :]
        with pytest.raises(SealError):
            verify(bank, signed_data([signer_info(signer, content_attributes(signer))], [other]))


@pytest.mark.parametrize("digest", ["md5", "sha1", "sha224"])
@pytest.mark.parametrize("form", [(), ("-nodetach",), ("-nodetach", "-stream"), ("-noattr",)])
def test_weak_digests_are_refused(bank: Bank, tmp_path: Path, digest: str, form: tuple[str, ...]) -> None:
    path = tmp_path / "content"
    path.write_bytes(CONTENT)
    keys = ["-signer", bank.certificate_path("rsa-2048"), "-inkey", bank.key_path("rsa-2048")]
    arguments = ["cms", "-sign", "-binary", "-in", path, "-outform", "DER", "-md", digest]
    signed = run_openssl(*arguments, *keys, *form)
    check = verify_inside if "-nodetach" in form else verify
    with pytest.raises(SignatureInvalid, match=f"digest {digest} is too weak"):
        check(bank, signed)


def test_small_rsa_is_refused(bank: Bank, tmp_path: Path) -> None:
    key, certificate, path = tmp_path / "k", tmp_path / "c", tmp_path / "content"
    path.write_bytes(CONTENT)
    run_openssl("req", "-x509", "-newkey", "rsa:1024", "-nodes", "-keyout", key, "-out", certificate,
                "-subj", "/CN=Small", "-days", "20000")  # fmt: skip
    signature = run_openssl("cms", "-sign", "-binary", "-in", path, "-outform", "DER",
                            "-signer", certificate, "-inkey", key)  # fmt: skip
    (small,) = load_certificates(certificate)
    with pytest.raises(SignerUntrusted, match="RSA key has 1024 bits"):
        verify_detached(io.BytesIO(CONTENT), signature, signer_trust(small), small.not_valid_before_utc)


def test_detached_and_attached_are_not_mixed_up(bank: Bank) -> None:
    signer = bank.identities["rsa-2048"].signer("k")
    with pytest.raises(SignatureMalformed, match="content of its own"):
        verify(bank, attached(signer))
    with pytest.raises(SignatureMalformed, match="without content"):
        verify_inside(bank, detached(signer))


def test_an_announced_size_must_be_true(bank: Bank) -> None:
    signer = bank.identities["rsa-2048"].signer("k")
    for size_bytes in (len(CONTENT) - 1, len(CONTENT) + 1):
        with pytest.raises(SealError, match="were announced"):
            sign_attached(io.BytesIO(CONTENT), size_bytes, signer, RECEIVED, io.BytesIO())


def test_a_key_without_certificate_signs_no_cms(bank: Bank) -> None:
    signer = make_signer(bank.identities["ec-p256"].private_key, "bare")
    with pytest.raises(KeyUnavailable, match="bare has no certificate"):
        detached(signer)


def test_armour(bank: Bank) -> None:
    """PEM and Base64 in any lines are taken; anything around or inside them is not."""
    der = detached(bank.identities["ec-p256"].signer("k"))
    text = base64.encodebytes(der)
    pem = b"-----BEGIN PKCS7-----\n" + text + b"-----END PKCS7-----\n"
    expected = verify(bank, der)
    for good in (text, text.replace(b"\n", b"\r\n"), base64.b64encode(der), pem, b"\n" + pem):
        assert verify(bank, good) == expected
    for bad in (b"", b"junk" + pem, pem + pem, pem.replace(b"END PKCS7", b"END CMS"), text + b"!", b"M"):
        with pytest.raises(SignatureMalformed):
            verify(bank, bad)
    with pytest.raises(SignatureMalformed, match="at most"):
        verify(bank, b" " * (SIGNATURE_LIMIT_BYTES + 1))


def test_an_octet_string_nested_without_end_is_refused(bank: Bank) -> None:
    good = attached(bank.identities["ec-p256"].signer("k"))
    start = good.index(CONTENT) - 4
    deep = good[:start] + b"\x24\x80" * 1_000_000
    with pytest.raises(SignatureMalformed):
        verify_inside(bank, deep)
    open_ended = b"\x30\x80" + SIGNED_DATA_VALUE + b"\xa0\x80\x30\x80\x02\x01\x01" + b"\x31\x80" * 100_000
    with pytest.raises(SignatureMalformed, match="nested too deeply"):
        verify_inside(bank, open_ended)


def test_a_claimed_length_costs_no_memory(bank: Bank) -> None:
    huge = b"\x30\x88\x7f" + b"\xff" * 7 + SIGNED_DATA_VALUE
    for certificates in (b"\xa0\x88\x7e" + b"\xff" * 7, b"\xa0\x84\xff\xff\xff\xff"):
        with pytest.raises(SignatureMalformed):
            verify_inside(bank, huge + certificates + bytes(1000))


@pytest.fixture(scope="module")
def fuzzed(bank: Bank) -> list[bytes]:
    signer = bank.identities["ec-p256"].signer("k")
    return [detached(signer), attached(signer), b""]


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_bytes_give_a_verdict_or_a_seal_error(
    bank: Bank, fuzzed: list[bytes], data: st.DataObject
) -> None:
    signed = data.draw(st.sampled_from(fuzzed))
    start = data.draw(st.integers(0, len(signed)))
    end = data.draw(st.integers(start, min(len(signed), start + 40)))
    mangled = signed[:start] + data.draw(st.binary(max_size=40)) + signed[end:]
    for check in (verify, verify_inside):
        with contextlib.suppress(SealError):
            check(bank, mangled)
