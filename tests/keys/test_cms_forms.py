"""Every way in which SignedData is written is read again, and nothing else by the same rules."""

from __future__ import annotations

import io
import itertools
import random
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from keys import tlv
from keys.armour import Armour, ArmourWriter, apply_armour
from keys.cms import sign_attached, sign_detached, verify_attached, verify_detached
from keys.cms_forms import USUAL_FORM, MessageDigest, SignedForm, Sm2Oid
from keys.cms_verify import Verdict
from keys.digests import digest_of
from keys.errors import SealError, SignatureInvalid, SignatureMalformed
from keys.signer import Signer
from keys.stages import connect, finish
from tests.keys.conftest import RECEIVED, Bank, run_openssl

CONTENT = "明细|6231990000001208674|买买提·艾力\r\n".encode("gb18030") * 20_000
SM2_FORMS = [
    SignedForm(national, attributes, signing_time, message_digest, raw, oid, signer_id)
    for national, attributes, signing_time, message_digest, raw, oid, signer_id in itertools.product(
        (False, True),
        (False, True),
        (True,),
        MessageDigest,
        (False, True),
        Sm2Oid,
        (b"1234567812345678", b"bank-0042"),
    )
    if attributes or message_digest is MessageDigest.PLAIN
]
"""All choices of GM/T 0010 that banks make (96 less those that differ in nothing)."""
SAMPLES = 400


def attached(signers: Signer | list[Signer], form: SignedForm, content: bytes = CONTENT) -> bytes:
    sink = io.BytesIO()
    sign_attached(io.BytesIO(content), len(content), signers, RECEIVED, sink, form)
    return sink.getvalue()


def detached(signers: Signer | list[Signer], form: SignedForm, content: bytes = CONTENT) -> bytes:
    return sign_detached(io.BytesIO(content), signers, RECEIVED, form)


def open_attached(bank: Bank, signed: bytes, form: SignedForm = USUAL_FORM) -> tuple[Verdict, bytes]:
    sink = io.BytesIO()
    verdict = verify_attached(io.BytesIO(signed), bank.trust, RECEIVED, sink, form)
    return verdict, sink.getvalue()


@pytest.mark.parametrize("form", SM2_FORMS, ids=str)
def test_every_sm2_form_is_read_again(bank: Bank, form: SignedForm) -> None:
    signer = bank.identities["sm2"].signer("k")
    verdict = verify_detached(io.BytesIO(CONTENT), detached(signer, form), bank.trust, RECEIVED, form)
    assert (verdict.algorithm, verdict.key_id) == ("sm2-sm3", "rural-ca")
    assert verdict.digest == digest_of("sm3", CONTENT).hex()
    assert verdict.signing_time == (RECEIVED if form.attributes else None)
    assert open_attached(bank, attached(signer, form), form) == (verdict, CONTENT)


def test_a_form_is_not_taken_for_another(bank: Bank) -> None:
    """What cannot be told from the bytes must be as the profile says."""
    signer = bank.identities["sm2"].signer("k")
    pairs = list(itertools.permutations(SM2_FORMS, 2))
    for written, read in random.Random(3).sample(pairs, 400):
        different = (written.raw_signature, written.signer_id) != (read.raw_signature, read.signer_id)
        if written.attributes:
            different = different or written.message_digest is not read.message_digest
        signature = detached(signer, written, b"content")
        if different:
            with pytest.raises(SignatureInvalid):
                verify_detached(io.BytesIO(b"content"), signature, bank.trust, RECEIVED, read)
        else:
            verify_detached(io.BytesIO(b"content"), signature, bank.trust, RECEIVED, read)


def test_the_other_message_digest_is_named(bank: Bank) -> None:
    signer = bank.identities["sm2"].signer("k")
    identity = SignedForm(message_digest=MessageDigest.IDENTITY)
    for written, read, word in ((identity, USUAL_FORM, "identity"), (USUAL_FORM, identity, "plain")):
        with pytest.raises(SignatureInvalid, match="digest differs") as raised:
            verify_detached(io.BytesIO(CONTENT), detached(signer, written), bank.trust, RECEIVED, read)
        assert f'message_digest = "{word}"' in raised.value.hint
    with pytest.raises(SignatureInvalid, match="digest differs") as raised:
        verify_detached(io.BytesIO(b"other"), detached(signer, identity), bank.trust, RECEIVED, identity)
    assert raised.value.hint == ""
    rsa = bank.identities["rsa-2048"].signer("k")
    with pytest.raises(SignatureInvalid, match="digest differs") as raised:
        verify_detached(io.BytesIO(b"other"), detached(rsa, USUAL_FORM), bank.trust, RECEIVED)
    assert raised.value.hint == ""


@pytest.mark.parametrize(
    "form", [USUAL_FORM, SignedForm(national=True, message_digest=MessageDigest.IDENTITY)]
)
def test_stripped_attributes_are_no_file(bank: Bank, form: SignedForm) -> None:
    """SM2: the signature over the attributes is taken off them and passed off as one over a file."""
    signer = bank.identities["sm2"].signer("k")
    whole = detached(signer, form)
    signed_data = tlv.read_elements(whole)[0].children()[1].children()[0]
    info = signed_data.children()[-1].children()[0]
    fields = info.children()
    (attributes,) = [each for each in fields if each.identifier == tlv.CONTEXT_0]
    file = bytes([tlv.SET]) + attributes.raw[1:]
    stripped = tlv.wrap(tlv.SEQUENCE, b"".join(each.raw for each in fields if each is not attributes))
    parts = [each.raw for each in signed_data.children()[:-1]] + [tlv.wrap(tlv.SET, stripped)]
    kind = tlv.read_elements(whole)[0].children()[0].raw
    inner = tlv.wrap(tlv.CONTEXT_0, tlv.wrap(tlv.SEQUENCE, b"".join(parts)))
    forged = tlv.wrap(tlv.SEQUENCE, kind + inner)
    with pytest.raises(SignatureInvalid, match="signed attributes, taken from another signature"):
        verify_detached(io.BytesIO(file), forged, bank.trust, RECEIVED, form)
    with pytest.raises(SignatureInvalid, match="does not fit"):
        verify_detached(io.BytesIO(CONTENT), forged, bank.trust, RECEIVED, form)


@pytest.mark.parametrize("national", [False, True])
def test_content_types_of_the_standards(bank: Bank, national: bool) -> None:
    signed = attached(bank.identities["sm2"].signer("k"), SignedForm(national=national), b"x")
    outer, wrapped = tlv.read_elements(signed)[0].children()
    inner = wrapped.children()[0].children()[2].children()[0]
    found = tlv.decode_oid(outer), tlv.decode_oid(inner)
    gm = ("1.2.156.10197.6.1.4.2.2", "1.2.156.10197.6.1.4.2.1")
    assert found == (gm if national else ("1.2.840.113549.1.7.2", "1.2.840.113549.1.7.1"))


def test_without_attributes_the_signature_is_over_the_content(bank: Bank, tmp_path: Path) -> None:
    """So OpenSSL, which has no CMS with SM2, verifies what is inside."""
    signature = detached(bank.identities["sm2"].signer("k"), SignedForm(attributes=False))
    infos = tlv.read_elements(signature)[0].children()[1].children()[0].children()[-1]
    content, raw = tmp_path / "content", tmp_path / "raw"
    content.write_bytes(CONTENT)
    raw.write_bytes(infos.children()[0].children()[-1].content)
    public = tmp_path / "public"
    public.write_bytes(run_openssl("x509", "-in", bank.certificate_path("sm2"), "-noout", "-pubkey"))
    distid = "distid:1234567812345678"
    run_openssl("dgst", "-sm3", "-verify", public, "-sigopt", distid, "-signature", raw, content)


def named(verdict: Verdict) -> set[str]:
    return {verdict.certificate_sha256, *(each.certificate_sha256 for each in verdict.cosigners)}


def test_several_signers(bank: Bank, tmp_path: Path) -> None:
    kinds = ("rsa-2048", "sm2", "ec-p384", "ec-p256")
    signers = [bank.identities[kind].signer(kind) for kind in kinds]
    for form in (USUAL_FORM, SignedForm(attributes=False), SignedForm(raw_signature=True)):
        verdict, content = open_attached(bank, attached(signers, form), form)
        assert content == CONTENT
        algorithms = {verdict.algorithm, *(each.algorithm for each in verdict.cosigners)}
        assert algorithms == {signer.algorithm for signer in signers}
        assert {each.key_id for each in verdict.cosigners} == {"rural-ca"}
        beside = verify_detached(io.BytesIO(CONTENT), detached(signers, form), bank.trust, RECEIVED, form)
        # Signer infos stand in the order of their bytes, so any of them may be the first.
        assert named(beside) == named(verdict)
        assert len(named(verdict)) == len(signers)
    without_sm2 = [signer for signer in signers if signer.algorithm != "sm2-sm3"]
    path, content_path = tmp_path / "s", tmp_path / "c"
    path.write_bytes(detached(without_sm2, USUAL_FORM))
    content_path.write_bytes(CONTENT)
    at = ("-attime", str(int(RECEIVED.timestamp())))
    arguments = ["cms", "-verify", "-binary", "-inform", "DER", "-in", path, "-content", content_path]
    assert run_openssl(*arguments, "-CAfile", bank.root_path, *at) == CONTENT


def test_only_accepted_algorithms(bank: Bank) -> None:
    form = SignedForm(algorithms=("sm2-sm3",))
    signer = bank.identities["sm2"].signer("k")
    verify_detached(io.BytesIO(CONTENT), detached(signer, form), bank.trust, RECEIVED, form)
    rsa = bank.identities["rsa-2048"].signer("r")
    for signers in ([rsa], [signer, rsa]):
        with pytest.raises(SignatureInvalid, match="signed with rsa-pkcs1-sha256, wanted sm2-sm3"):
            verify_detached(io.BytesIO(CONTENT), detached(signers, USUAL_FORM), bank.trust, RECEIVED, form)


@pytest.mark.parametrize("form", [(), ("-nodetach",), ("-noattr",)])
def test_sha1_only_until_the_day_that_the_profile_names(
    bank: Bank, tmp_path: Path, form: tuple[str, ...]
) -> None:
    path = tmp_path / "content"
    path.write_bytes(CONTENT)
    keys = ["-signer", bank.certificate_path("rsa-2048"), "-inkey", bank.key_path("rsa-2048")]
    arguments = ["cms", "-sign", "-binary", "-in", path, "-outform", "DER"]
    signed = {
        digest: run_openssl(*arguments, "-md", digest, *keys, *form) for digest in ("sha1", "md5", "sha256")
    }

    def check(digest: str, rules: SignedForm) -> Verdict:
        if "-nodetach" in form:
            return open_attached(bank, signed[digest], rules)[0]
        return verify_detached(io.BytesIO(CONTENT), signed[digest], bank.trust, RECEIVED, rules)

    until = SignedForm(sha1_until=RECEIVED + timedelta(seconds=1))
    assert check("sha1", until).algorithm == "rsa-pkcs1-sha1"
    assert check("sha256", until).algorithm == "rsa-pkcs1-sha256"
    with pytest.raises(SignatureInvalid, match="md5 is too weak"):
        check("md5", until)
    with pytest.raises(SignatureInvalid, match="sha1 is too weak"):
        check("sha1", replace(until, sha1_until=RECEIVED))


@pytest.mark.parametrize("form", SM2_FORMS[::7], ids=str)
def test_every_flipped_bit_is_refused(bank: Bank, form: SignedForm) -> None:
    signer = bank.identities["sm2"].signer("k")
    good = attached(signer, form, b"RMB|20260601|2|1|8800|\n*\n")
    open_attached(bank, good, form)
    accepted = []
    for position in random.Random(20260601).sample(range(len(good) * 8), SAMPLES):
        bad = bytearray(good)
        bad[position // 8] ^= 1 << position % 8
        try:
            verdict, content = open_attached(bank, bytes(bad), form)
        except SealError:
            continue
        accepted.append((position, verdict, content))
    assert accepted == []


ARMOURS = [Armour.PEM, Armour.BASE64, Armour.BASE64_LINE]


@pytest.mark.parametrize("size_bytes", [0, 1, 47, 48, 49, 100_000, len(CONTENT)])
@pytest.mark.parametrize("armour", ARMOURS)
def test_armour_around_what_passes_through(bank: Bank, armour: Armour, size_bytes: int) -> None:
    signed = attached(bank.identities["sm2"].signer("k"), USUAL_FORM, CONTENT[:size_bytes])
    writer, sink = ArmourWriter(len(signed), armour), io.BytesIO()
    first = connect([writer], sink)
    for start in range(0, len(signed), 1000):
        first.write(signed[start : start + 1000])
    finish([writer])
    text = sink.getvalue()
    assert len(text) == writer.size_bytes
    assert text == apply_armour(signed, armour)
    assert open_attached(bank, text)[1] == CONTENT[:size_bytes]
    spaced = text.replace(b"\n", b"\r\n") + b"  \r\n"
    assert open_attached(bank, spaced)[1] == CONTENT[:size_bytes]


@pytest.mark.parametrize("armour", ARMOURS)
def test_damaged_armour_is_refused_or_changes_nothing(bank: Bank, armour: Armour) -> None:
    signer = bank.identities["ec-p256"].signer("k")
    text = apply_armour(attached(signer, USUAL_FORM, b"content"), armour)
    expected = open_attached(bank, text)
    taken = 0
    for position in random.Random(7).sample(range(len(text) * 8), 1500):
        bad = bytearray(text)
        bad[position // 8] ^= 1 << position % 8
        try:
            found = open_attached(bank, bytes(bad))
        except SealError:
            continue
        assert found == expected
        taken += 1
    assert taken < 100
    for bad_text in (text + text, text + b"AAAA", text[:-40], b"=" + text, b"x" * 300):
        with pytest.raises(SealError):
            open_attached(bank, bad_text)


def test_a_stray_line_after_pem_is_refused(bank: Bank) -> None:
    pem = apply_armour(attached(bank.identities["ec-p256"].signer("k"), USUAL_FORM, b"x"), Armour.PEM)
    for bad in (pem + b"\njunk", pem.replace(b"END CMS", b"END PKCS7"), pem + b" " * 300, pem[:-20]):
        with pytest.raises(SignatureMalformed):
            open_attached(bank, bad)
