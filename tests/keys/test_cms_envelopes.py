"""Envelopes: OpenSSL opens ours and we open its own; what does not open is one error."""

from __future__ import annotations

import contextlib
import io
import itertools
import random
from pathlib import Path

import pytest

from keys import tlv
from keys.algorithms import Transport
from keys.armour import Armour, apply_armour
from keys.authority import Authority
from keys.certificate_make import SIGNING
from keys.cms import decrypt, encrypt, sign_attached, verify_attached
from keys.cms_forms import EnvelopeForm
from keys.cms_recipients import require_receiving
from keys.content_ciphers import CONTENT_CIPHERS
from keys.errors import DecryptionFailed, KeyUnavailable, SealError, SignatureMalformed
from keys.private import make_decrypter, make_encrypter
from keys.signer import Decrypter
from tests.keys.conftest import END, RECEIVED, START, Bank, run_openssl

CONTENT = "明细|6231990000001208674|买买提·艾力\r\n".encode("gb18030") * 20_000
SIZES = [0, 1, 15, 16, 17, len(CONTENT)]
RSA_WAYS = [
    EnvelopeForm(cipher=cipher, transport=transport)
    for cipher, transport in itertools.product(
        ("aes-256-cbc", "aes-256-gcm"), [each for each in Transport if each is not Transport.SM2]
    )
]
SM2_WAYS = [
    EnvelopeForm(national=national, cipher=cipher, raw_cipher=raw)
    for national, cipher, raw in itertools.product((False, True), CONTENT_CIPHERS, (False, True))
    if not (national and CONTENT_CIPHERS[cipher].authenticated)
]
WAYS = [*(("rsa-2048", form) for form in RSA_WAYS), *(("sm2", form) for form in SM2_WAYS)]


def decrypter(bank: Bank, kind: str) -> Decrypter:
    identity = bank.identities[kind]
    return make_decrypter(identity.private_key, f"open-{kind}", identity.certificate_der)


def seal(bank: Bank, kinds: str | list[str], form: EnvelopeForm, content: bytes = CONTENT) -> bytes:
    names = [kinds] if isinstance(kinds, str) else kinds
    encrypters = [make_encrypter(bank.identities[kind].certificate, form.transport) for kind in names]
    sink = io.BytesIO()
    encrypt(io.BytesIO(content), len(content), encrypters, sink, form)
    return sink.getvalue()


def open_envelope(bank: Bank, sealed: bytes, kind: str, form: EnvelopeForm | None = None) -> bytes:
    sink = io.BytesIO()
    opened = decrypt(io.BytesIO(sealed), [decrypter(bank, kind)], sink, form or EnvelopeForm())
    assert opened.key_id == f"open-{kind}"
    return sink.getvalue()


@pytest.mark.parametrize("size_bytes", SIZES)
@pytest.mark.parametrize(("kind", "form"), WAYS, ids=str)
def test_every_way_opens_again(bank: Bank, kind: str, form: EnvelopeForm, size_bytes: int) -> None:
    content = CONTENT[:size_bytes]
    assert open_envelope(bank, seal(bank, kind, form, content), kind) == content


@pytest.mark.parametrize("form", RSA_WAYS, ids=str)
def test_openssl_opens_ours(bank: Bank, tmp_path: Path, form: EnvelopeForm) -> None:
    path = tmp_path / "sealed"
    for content in (CONTENT, b""):
        path.write_bytes(seal(bank, "rsa-2048", form, content))
        keys = ["-inkey", bank.key_path("rsa-2048"), "-recip", bank.certificate_path("rsa-2048")]
        opened = run_openssl("cms", "-decrypt", "-binary", "-inform", "DER", "-in", path, *keys)
        assert opened == content


OPENSSL_OPTIONS = [
    (),
    ("-keyid",),
    ("-keyopt", "rsa_padding_mode:oaep"),
    ("-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha256"),
    ("-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha384", "-keyopt", "rsa_mgf1_md:sha384"),
]


@pytest.mark.parametrize("cipher", ["-aes-256-cbc", "-aes-256-gcm"])
@pytest.mark.parametrize("options", OPENSSL_OPTIONS, ids=" ".join)
def test_we_open_what_openssl_makes(
    bank: Bank, tmp_path: Path, options: tuple[str, ...], cipher: str
) -> None:
    """In DER, PEM, and BER with indefinite lengths."""
    path = tmp_path / "content"
    path.write_bytes(CONTENT)
    for form in (("-outform", "DER"), ("-outform", "PEM"), ("-outform", "DER", "-stream")):
        arguments = ["cms", "-encrypt", "-binary", cipher, "-in", path, *form]
        sealed = run_openssl(*arguments, "-recip", bank.certificate_path("rsa-2048"), *options)
        assert open_envelope(bank, sealed, "rsa-2048") == CONTENT


def test_openssl_seals_for_several(bank: Bank, tmp_path: Path) -> None:
    """A recipient on a curve travels by key agreement, which is for others."""
    path = tmp_path / "content"
    path.write_bytes(CONTENT)
    recipients = []
    for kind in ("ec-p256", "rsa-3072", "rsa-2048"):
        recipients += ["-recip", bank.certificate_path(kind)]
    sealed = run_openssl("cms", "-encrypt", "-binary", "-in", path, "-outform", "DER", "-aes-256-cbc",
                         *recipients)  # fmt: skip
    for kind in ("rsa-2048", "rsa-3072"):
        assert open_envelope(bank, sealed, kind) == CONTENT
    with pytest.raises(KeyUnavailable, match="for other certificates than ours"):
        open_envelope(bank, sealed, "sm2")


def test_several_recipients_of_ours(bank: Bank) -> None:
    kinds = ["rsa-2048", "sm2", "rsa-3072"]
    sealed = seal(bank, kinds, EnvelopeForm())
    for kind in kinds:
        assert open_envelope(bank, sealed, kind) == CONTENT
    with pytest.raises(KeyUnavailable, match="without recipients"):
        encrypt(io.BytesIO(b""), 0, [], io.BytesIO(), EnvelopeForm())


def test_an_old_key_beside_the_new_one_opens(bank: Bank) -> None:
    sealed = seal(bank, "rsa-3072", EnvelopeForm())
    sink = io.BytesIO()
    keys = [decrypter(bank, "sm2"), decrypter(bank, "rsa-2048"), decrypter(bank, "rsa-3072")]
    assert decrypt(io.BytesIO(sealed), keys, sink, EnvelopeForm()).key_id == "open-rsa-3072"
    with pytest.raises(KeyUnavailable, match=r"keys to decrypt: open-sm2, open-rsa-2048$"):
        decrypt(io.BytesIO(sealed), keys[:2], io.BytesIO(), EnvelopeForm())


@pytest.mark.parametrize("armour", [Armour.PEM, Armour.BASE64, Armour.BASE64_LINE])
def test_envelopes_in_armour(bank: Bank, armour: Armour) -> None:
    sealed = seal(bank, "sm2", EnvelopeForm(national=True, cipher="sm4-cbc"))
    assert open_envelope(bank, apply_armour(sealed, armour), "sm2") == CONTENT


def test_only_accepted_ciphers_and_transports(bank: Bank) -> None:
    sealed = seal(bank, "rsa-2048", EnvelopeForm(cipher="aes-256-cbc", transport=Transport.RSA_PKCS1))
    good = EnvelopeForm(ciphers=("aes-256-cbc",), transports=("rsa-pkcs1",))
    assert open_envelope(bank, sealed, "rsa-2048", good) == CONTENT
    with pytest.raises(SealError, match="encrypted with aes-256-cbc, wanted aes-256-gcm"):
        open_envelope(bank, sealed, "rsa-2048", EnvelopeForm(ciphers=("aes-256-gcm",)))
    with pytest.raises(SealError, match="travels by rsa-pkcs1, wanted rsa-oaep-sha256"):
        open_envelope(bank, sealed, "rsa-2048", EnvelopeForm(transports=("rsa-oaep-sha256",)))


def test_the_national_standard_has_no_gcm(bank: Bank) -> None:
    with pytest.raises(KeyUnavailable, match="no envelope with GCM"):
        seal(bank, "sm2", EnvelopeForm(national=True, cipher="sm4-gcm"))


def test_keys_that_cannot_receive(bank: Bank) -> None:
    with pytest.raises(KeyUnavailable, match="only RSA and SM2 keys receive"):
        seal(bank, "ec-p256", EnvelopeForm())
    with pytest.raises(KeyUnavailable, match="only RSA and SM2 keys receive"):
        decrypter(bank, "ec-p256")
    for kind, transport in (("rsa-2048", Transport.SM2), ("sm2", Transport.RSA_PKCS1)):
        with pytest.raises(KeyUnavailable, match="does not fit the kind of key"):
            make_encrypter(bank.identities[kind].certificate, transport)
    root = Authority.create("CN=Signing only,C=CN", START, END)
    with pytest.raises(KeyUnavailable, match="allows no encryption"):
        require_receiving(root.issue("CN=S,C=CN", START, END, "rsa-2048", SIGNING).certificate)
    require_receiving(bank.identities["rsa-2048"].certificate)


def replace_wrapped(sealed: bytes, wrapped: bytes) -> bytes:
    """The same envelope with another wrapped key of the same length."""
    envelope = tlv.read_elements(sealed)[0].children()[1].children()[0]
    old = envelope.children()[1].children()[0].children()[-1].content
    assert len(old) == len(wrapped)
    return sealed.replace(old, wrapped)


@pytest.mark.parametrize("cipher", ["aes-256-cbc", "aes-256-gcm"])
def test_a_padding_oracle_learns_nothing(bank: Bank, cipher: str) -> None:
    """A wrapped key with right padding and a wrong key, with wrong padding, with a key of another
    length, a spoilt padding or tag of the content: one error, of the same words."""
    form = EnvelopeForm(cipher=cipher, transport=Transport.RSA_PKCS1)
    good = seal(bank, "rsa-2048", form, b"content of some length")
    certificate = bank.identities["rsa-2048"].certificate
    wrap = make_encrypter(certificate, Transport.RSA_PKCS1).wrap
    bad = [
        replace_wrapped(good, wrap(bytes(32))),
        replace_wrapped(good, wrap(bytes(16))),
        replace_wrapped(good, wrap(b"")),
        replace_wrapped(good, make_encrypter(certificate, Transport.RSA_OAEP_SHA256).wrap(bytes(32))),
        replace_wrapped(good, b"\x01" * 256),
        replace_wrapped(good, b"\xff" * 256),
        replace_wrapped(good, bytes(256)),
        good[:-1] + bytes([good[-1] ^ 1]),
        good[:-20] + bytes([good[-20] ^ 0x80]) + good[-19:],
    ]
    told = set()
    for envelope in bad:
        # Under a random key one padding in 256 looks right: then the content is other bytes.
        try:
            assert open_envelope(bank, envelope, "rsa-2048") != b"content of some length"
        except DecryptionFailed as error:
            told.add((str(error), error.hint, str(error.__cause__)))
    assert len(told) == 1


@pytest.mark.parametrize("transport", [Transport.RSA_PKCS1, Transport.RSA_OAEP_SHA256])
def test_a_wrapped_key_that_does_not_open_takes_the_same_way(bank: Bank, transport: Transport) -> None:
    """The content is decrypted all the same, under a random key: no short cut tells of the padding."""
    good = seal(bank, "rsa-2048", EnvelopeForm(transport=transport))
    bad = replace_wrapped(good, b"\x01" * 256)
    written = []
    for envelope in (good, bad):
        sink = io.BytesIO()
        with contextlib.suppress(DecryptionFailed):
            decrypt(io.BytesIO(envelope), [decrypter(bank, "rsa-2048")], sink, EnvelopeForm())
        written.append(sink.getvalue())
    assert [len(content) for content in written] == [len(CONTENT)] * 2
    assert written[0] != written[1]


@pytest.mark.parametrize("kind", ["rsa-2048", "sm2"])
def test_a_wrong_key_of_ours_is_the_same_error(bank: Bank, kind: str) -> None:
    sealed = seal(bank, kind, EnvelopeForm())
    identity = bank.identities[kind]
    stranger = Authority.create("CN=X", START, END).issue("CN=X", START, END, kind)
    wrong = Decrypter(
        make_decrypter(stranger.private_key, "x", stranger.certificate_der).key, "x", identity.certificate_der
    )
    with pytest.raises(DecryptionFailed):
        decrypt(io.BytesIO(sealed), [wrong], io.BytesIO(), EnvelopeForm())


@pytest.mark.parametrize(("kind", "form"), WAYS[1::3], ids=str)
def test_flipped_bits_around_something_signed_are_refused(bank: Bank, kind: str, form: EnvelopeForm) -> None:
    """Sign, then encrypt: what is between the two cannot be changed either."""
    signed = io.BytesIO()
    content = b"RMB|20260601|2|1|8800|\n*\n"
    sign_attached(io.BytesIO(content), len(content), bank.identities[kind].signer("k"), RECEIVED, signed)
    good = seal(bank, kind, form, signed.getvalue())
    accepted = []
    for position in random.Random(20260601).sample(range(len(good) * 8), 400):
        bad = bytearray(good)
        bad[position // 8] ^= 1 << position % 8
        try:
            inner = open_envelope(bank, bytes(bad), kind, form)
            verify_attached(io.BytesIO(inner), bank.trust, RECEIVED, io.BytesIO())
        except SealError:
            continue
        accepted.append(position)
    assert accepted == []


@pytest.mark.parametrize(("kind", "form"), WAYS[::5], ids=str)
def test_cut_and_extended_envelopes(bank: Bank, kind: str, form: EnvelopeForm) -> None:
    good = seal(bank, kind, form, b"content")
    for length in range(0, len(good), 3):
        with pytest.raises(SealError):
            open_envelope(bank, good[:length], kind)
    for tail in (b"\0", b"\0\0", good):
        with pytest.raises(SignatureMalformed, match="bytes follow"):
            open_envelope(bank, good + tail, kind)


def test_an_announced_size_must_be_true(bank: Bank) -> None:
    encrypters = [make_encrypter(bank.identities["sm2"].certificate)]
    for size_bytes in (len(CONTENT) - 1, len(CONTENT) + 1):
        with pytest.raises(SealError, match="were announced"):
            encrypt(io.BytesIO(CONTENT), size_bytes, encrypters, io.BytesIO(), EnvelopeForm())


def test_short_tags_and_foreign_ciphers_are_refused(bank: Bank, tmp_path: Path) -> None:
    good = seal(bank, "rsa-2048", EnvelopeForm(), b"content")
    short = good.replace(b"\x02\x01\x10", b"\x02\x01\x0c")
    assert short != good
    with pytest.raises(SealError, match="a tag of 12 bytes"):
        open_envelope(bank, short, "rsa-2048")
    path = tmp_path / "content"
    path.write_bytes(CONTENT)
    for cipher in ("-des3", "-aes-128-cbc"):
        arguments = ["cms", "-encrypt", "-binary", cipher, "-in", path, "-outform", "DER"]
        sealed = run_openssl(*arguments, "-recip", bank.certificate_path("rsa-2048"))
        with pytest.raises(SealError, match="too weak or not supported"):
            open_envelope(bank, sealed, "rsa-2048")


def test_what_is_no_envelope(bank: Bank) -> None:
    signed = io.BytesIO()
    sign_attached(io.BytesIO(b"x"), 1, bank.identities["rsa-2048"].signer("k"), RECEIVED, signed)
    for other in (signed.getvalue(), b"", b"junk", b"\x30\x00", b"RMB|20260601|2|1|8800|\n*\n"):
        with pytest.raises(SignatureMalformed):
            open_envelope(bank, other, "rsa-2048")
