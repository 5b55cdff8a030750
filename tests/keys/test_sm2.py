"""SM2 with SM3: the known answer of GM/T 0003.5, key files, and OpenSSL as the judge."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from msgspec.structs import replace

from keys import tlv
from keys.algorithms import ALGORITHMS, Transport
from keys.authority import Authority, new_private_key, private_key_pem
from keys.certificate_make import SIGNING, make_request
from keys.certificates import certificate_sha256, parse_certificate
from keys.digests import digest_of
from keys.errors import DecryptionFailed, KeyUnavailable, SealError, SignatureInvalid, SignerUntrusted
from keys.private import (
    load_certificates,
    load_private_key,
    load_public_key,
    load_signer,
    make_decrypter,
    make_encrypter,
    make_signer,
)
from keys.signature_forms import decode_pair, encode_pair, to_der, to_raw
from keys.signer import Signer
from keys.sm2 import Sm2PrivateKey, raw_cipher
from keys.sm2_public import N, Sm2PublicKey, decode_point
from keys.verifier import make_verifier
from tests.keys.conftest import END, RECEIVED, START, Bank, root_trust, run_openssl, signer_trust

SM2 = ALGORITHMS["sm2-sm3"]
MESSAGE = b"message digest"
D = bytes.fromhex("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8")
K = 0x59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21
Z = "b2e14c5c79c6df5b85f4fe7ed8db7a262b9da7e07ccb0ea9f4747b8ccda8a4f3"
R = 0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3
S = 0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA
DISTID = "distid:1234567812345678"


def sign(signer: Signer, message: bytes) -> bytes:
    hasher = signer.hasher()
    hasher.update(message)
    return signer.sign_digest(hasher.digest())


def verify(key: Sm2PublicKey, signature: bytes, message: bytes, signer_id: bytes = SM2.signer_id) -> None:
    verifier = make_verifier(key, replace(SM2, signer_id=signer_id))
    hasher = verifier.hasher()
    hasher.update(message)
    verifier.verify_digest(signature, hasher.digest())


def test_sm3_of_abc() -> None:
    assert digest_of("sm3", b"abc").hex() == (
        "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    )


def test_the_known_answer() -> None:
    """Z, the digest, and (r, s) of the standard; k cannot be given to the library, so s is computed."""
    key = Sm2PrivateKey(D)
    public_key = key.public_key()
    assert public_key.identity_digest(SM2.signer_id).hex() == Z
    verify(public_key, encode_pair(R, S), MESSAGE)
    d = int.from_bytes(D, "big")
    assert pow(1 + d, -1, N) * (K - R * d) % N == S
    verify(public_key, sign(make_signer(key, "known"), MESSAGE), MESSAGE)


def test_numbers_out_of_range_are_no_signature() -> None:
    public_key = Sm2PrivateKey(D).public_key()
    for pair in ((0, S), (R, 0), (R + N, S), (R, S + N), (R, N), (R, N - S), (S, R)):
        with pytest.raises(SignatureInvalid, match="does not fit"):
            verify(public_key, encode_pair(*pair), MESSAGE)


def test_a_signature_has_one_form() -> None:
    """Other encodings of the same two numbers are refused: the library is strict, and must stay so."""
    public_key = Sm2PrivateKey(D).public_key()
    good = encode_pair(R, S)
    numbers = b"".join(each.raw for each in tlv.read_elements(good)[0].children())
    padded = tlv.wrap(tlv.INTEGER, b"\0\0" + R.to_bytes(32, "big")) + tlv.encode_integer(S)
    negative = tlv.wrap(tlv.INTEGER, R.to_bytes(32, "big")) + tlv.encode_integer(S)
    others = [
        b"\x30\x80" + numbers + b"\0\0",
        b"\x30\x81" + good[1:],
        tlv.wrap(tlv.SEQUENCE, padded),
        tlv.wrap(tlv.SEQUENCE, negative),
        good + b"\0",
        tlv.wrap(tlv.SEQUENCE, numbers + numbers),
        b"",
    ]
    for other in others:
        with pytest.raises(SignatureInvalid):
            verify(public_key, other, MESSAGE)


def test_the_signer_id_is_part_of_what_is_signed() -> None:
    signer = make_signer(new_private_key("sm2"), "k")
    public_key = signer.public_key
    assert isinstance(public_key, Sm2PublicKey)
    mine = signer.using(replace(SM2, signer_id=b"bank-0042"))
    verify(public_key, sign(mine, MESSAGE), MESSAGE, b"bank-0042")
    for other in (SM2.signer_id, b"bank-0043", b""):
        with pytest.raises(SignatureInvalid):
            verify(public_key, sign(mine, MESSAGE), MESSAGE, other)
    with pytest.raises(KeyUnavailable, match="signer id of 8192 bytes"):
        signer.using(replace(SM2, signer_id=bytes(8192))).hasher()


def test_raw_and_der_are_the_same_signature() -> None:
    key = Sm2PrivateKey(D).public_key()
    raw = to_raw(encode_pair(R, S), key)
    assert raw == R.to_bytes(32, "big") + S.to_bytes(32, "big")
    assert to_der(raw, key) == encode_pair(R, S)
    assert decode_pair(to_der(bytes(63) + b"\x05", key)) == (0, 5)
    for wrong in (raw[:-1], raw + b"\0", b""):
        with pytest.raises(SignatureInvalid, match="wanted 64"):
            to_der(wrong, key)


def test_a_signer_takes_no_algorithm_of_another_kind(bank: Bank) -> None:
    for kind, algorithm in (("sm2", "ecdsa-sha256"), ("ec-p256", "sm2-sm3"), ("rsa-2048", "sm2-sm3")):
        with pytest.raises(KeyUnavailable, match=f"{algorithm} does not fit the kind of key"):
            bank.identities[kind].signer("k", algorithm)


def test_openssl_verifies_our_signature(bank: Bank, tmp_path: Path) -> None:
    message, signature = tmp_path / "message", tmp_path / "signature"
    message.write_bytes(MESSAGE * 1000)
    signature.write_bytes(sign(bank.identities["sm2"].signer("k"), MESSAGE * 1000))
    arguments = ["-rawin", "-digest", "sm3", "-in", message, "-sigfile", signature]
    pkey = ["pkeyutl", "-verify", "-certin", "-inkey", bank.certificate_path("sm2"), *arguments]
    assert b"Verified Successfully" in run_openssl(*pkey, "-pkeyopt", DISTID)
    public = tmp_path / "public"
    public.write_bytes(run_openssl("x509", "-in", bank.certificate_path("sm2"), "-noout", "-pubkey"))
    dgst = ["dgst", "-sm3", "-verify", public, "-sigopt", DISTID, "-signature", signature, message]
    assert b"Verified OK" in run_openssl(*dgst)


def test_we_verify_openssl(bank: Bank, tmp_path: Path) -> None:
    message = tmp_path / "message"
    message.write_bytes(MESSAGE * 1000)
    key = load_public_key(bank.certificate_path("sm2"))
    assert isinstance(key, Sm2PublicKey)
    by_dgst = run_openssl("dgst", "-sm3", "-sign", bank.key_path("sm2"), "-sigopt", DISTID, message)
    verify(key, by_dgst, MESSAGE * 1000)
    arguments = ["-rawin", "-digest", "sm3", "-in", message, "-pkeyopt", "distid:bank-0042"]
    by_pkeyutl = run_openssl("pkeyutl", "-sign", "-inkey", bank.key_path("sm2"), *arguments)
    verify(key, by_pkeyutl, MESSAGE * 1000, b"bank-0042")
    with pytest.raises(SignatureInvalid):
        verify(key, by_pkeyutl, MESSAGE * 1000)


def test_openssl_and_we_encrypt_to_each_other(bank: Bank, tmp_path: Path) -> None:
    clear, sealed = tmp_path / "clear", tmp_path / "sealed"
    clear.write_bytes(b"0123456789abcdef")
    encrypter = make_encrypter(bank.identities["sm2"].certificate)
    assert encrypter.transport is Transport.SM2
    sealed.write_bytes(encrypter.wrap(clear.read_bytes()))
    decrypt = ["pkeyutl", "-decrypt", "-inkey", bank.key_path("sm2"), "-in", sealed]
    assert run_openssl(*decrypt) == clear.read_bytes()
    encrypt = ["pkeyutl", "-encrypt", "-certin", "-inkey", bank.certificate_path("sm2"), "-in", clear]
    theirs = run_openssl(*encrypt)
    opener = make_decrypter(
        load_private_key(bank.key_path("sm2")), "k", bank.identities["sm2"].certificate_der
    )
    for form in (theirs, raw_cipher(theirs)):
        assert opener.unwrap(Transport.SM2, form) == clear.read_bytes()


def test_a_changed_wrapped_key_does_not_open(bank: Bank) -> None:
    wrapped = make_encrypter(bank.identities["sm2"].certificate).wrap(bytes(16))
    identity = bank.identities["sm2"]
    opener = make_decrypter(identity.private_key, "k", identity.certificate_der)
    for position in range(len(wrapped)):
        changed = bytearray(wrapped)
        changed[position] ^= 1
        with pytest.raises(DecryptionFailed):
            opener.unwrap(Transport.SM2, bytes(changed))
    for other in (b"", b"\x04", wrapped[:-1], wrapped + b"\0"):
        with pytest.raises(DecryptionFailed):
            opener.unwrap(Transport.SM2, other)


OPENSSL_FORMS = [
    ("PKCS#8", ("genpkey", "-algorithm", "SM2"), None),
    ("encrypted PKCS#8", ("genpkey", "-algorithm", "SM2", "-aes-256-cbc", "-pass", "pass:word"), b"word"),
    ("PKCS#8 under SM4", ("genpkey", "-algorithm", "SM2", "-sm4-cbc", "-pass", "pass:word"), b"word"),
]


@pytest.mark.parametrize(("name", "command", "password"), OPENSSL_FORMS)
def test_key_files_of_openssl(
    tmp_path: Path, name: str, command: tuple[str, ...], password: bytes | None
) -> None:
    path = tmp_path / "key"
    path.write_bytes(run_openssl(*command))
    path.chmod(0o600)
    signer = load_signer("k", path, password=password)
    public = tmp_path / "public"
    word = () if password is None else ("-passin", f"pass:{password.decode()}")
    public.write_bytes(run_openssl("pkey", "-in", path, "-pubout", *word))
    assert load_public_key(public) == signer.public_key
    assert signer.algorithm == "sm2-sm3"


def test_a_sec1_file_of_openssl(tmp_path: Path) -> None:
    """OpenSSL 3.0 writes this form only where it is asked in this way."""
    path, converted = tmp_path / "key", tmp_path / "sec1"
    path.write_bytes(run_openssl("genpkey", "-algorithm", "SM2"))
    path.chmod(0o600)
    der = tlv.unwrap_pem(path.read_bytes(), b"PRIVATE KEY")
    sec1 = tlv.read_elements(der)[0].children()[2].content
    version, secret, point = tlv.read_elements(sec1)[0].children()
    curve = tlv.wrap(tlv.CONTEXT_0, tlv.encode_oid("1.2.156.10197.1.301"))
    whole = tlv.wrap(tlv.SEQUENCE, version.raw + secret.raw + curve + point.raw)
    converted.write_bytes(tlv.wrap_pem(whole, "EC PRIVATE KEY"))
    converted.chmod(0o600)
    assert b"SM2" in run_openssl("pkey", "-in", converted, "-text", "-noout")
    assert load_signer("k", converted).public_key == load_signer("k", path).public_key
    bare = tlv.wrap(tlv.SEQUENCE, version.raw + secret.raw + curve)
    converted.write_bytes(tlv.wrap_pem(bare, "EC PRIVATE KEY"))
    assert load_signer("k", converted).public_key == load_signer("k", path).public_key


def test_openssl_opens_our_key_files(tmp_path: Path) -> None:
    key, path = Sm2PrivateKey(D), tmp_path / "key"
    for password in (None, b"word"):
        path.write_bytes(private_key_pem(key, password))
        path.chmod(0o600)
        shown = run_openssl("pkey", "-in", path, "-text", "-noout", "-passin", "pass:word")
        assert D.hex()[:20] in shown.replace(b":", b"").replace(b" ", b"").decode()
        again = load_private_key(path, password)
        assert again.public_key() == key.public_key()


def test_a_key_file_that_does_not_open(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(private_key_pem(Sm2PrivateKey(D), b"word"))
    path.chmod(0o600)
    with pytest.raises(KeyUnavailable, match="encrypted and no password"):
        load_private_key(path)
    with pytest.raises(KeyUnavailable, match="does not open"):
        load_private_key(path, b"other")
    path.write_bytes(private_key_pem(Sm2PrivateKey(D)))
    with pytest.raises(KeyUnavailable, match="is not encrypted"):
        load_private_key(path, b"word")


def test_a_private_key_with_another_public_key_is_refused() -> None:
    other = new_private_key("sm2").public_key()
    assert isinstance(other, Sm2PublicKey)
    with pytest.raises(KeyUnavailable, match="do not belong together"):
        Sm2PrivateKey(D, other)
    for secret in (bytes(32), N.to_bytes(32, "big"), (N - 1).to_bytes(32, "big"), D[:-1]):
        with pytest.raises(KeyUnavailable, match="out of range"):
            Sm2PrivateKey(secret)


def test_points_compressed_and_not() -> None:
    key = Sm2PrivateKey(D).public_key()
    x, y = key.point[:32], key.point[32:]
    assert decode_point(bytes([2 + y[-1] % 2]) + x) == key
    assert decode_point(b"\x04" + key.point) == key
    for wrong in (b"\x04" + x + x, b"\x04" + key.point[:-1], b"\x00", b"", b"\x06" + key.point):
        with pytest.raises(KeyUnavailable, match="no point on the curve"):
            decode_point(wrong)


def test_a_site_without_the_extra_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gmssl_pyx", None)
    with pytest.raises(KeyUnavailable, match="not installed") as raised:
        new_private_key("sm2")
    assert raised.value.hint == "pip install 'bankgate[gm]'"
    assert "secret" not in repr(raised.value)


def test_openssl_makes_certificates_that_we_verify(tmp_path: Path) -> None:
    """A root and a certificate of OpenSSL: chain, self-signed pin, and the signature itself."""
    for name in ("root", "leaf"):
        (tmp_path / name).write_bytes(run_openssl("genpkey", "-algorithm", "SM2"))
        (tmp_path / name).chmod(0o600)
    root, leaf = tmp_path / "root.crt", tmp_path / "leaf.crt"
    distid = ["-sm3", "-sigopt", DISTID]
    run_openssl("req", "-x509", *distid, "-key", tmp_path / "root", "-subj", "/C=CN/O=Rural/CN=Root",
                "-days", "30000", "-out", root)  # fmt: skip
    run_openssl("req", "-new", *distid, "-key", tmp_path / "leaf", "-subj", "/C=CN/O=Rural/CN=Leaf",
                "-out", tmp_path / "leaf.csr")  # fmt: skip
    run_openssl("x509", "-req", *distid, "-vfyopt", DISTID, "-in", tmp_path / "leaf.csr", "-CA", root,
                "-CAkey", tmp_path / "root", "-set_serial", "77", "-days", "30000", "-out", leaf)  # fmt: skip
    (root_certificate,), (leaf_certificate,) = load_certificates(root), load_certificates(leaf)
    at = leaf_certificate.not_valid_before_utc
    assert root_trust(root_certificate).accept(leaf_certificate, [], at) == "rural-ca"
    assert signer_trust(leaf_certificate).accept(leaf_certificate, [], at) == "rural-pin"
    signer = load_signer("k", tmp_path / "leaf", leaf)
    assert certificate_sha256(leaf_certificate) == certificate_sha256(load_certificates(leaf)[0])
    assert signer.certificate_der


def test_openssl_verifies_our_chain(bank: Bank, tmp_path: Path) -> None:
    root = Authority.create("CN=SM Root,O=Rural,C=CN", START, END, "sm2")
    middle = root.issue_authority("CN=SM Middle,O=Rural,C=CN", START, END, "sm2")
    leaf = middle.issue("CN=SM Leaf,O=Rural,C=CN", START, END, "sm2")
    paths = {}
    for name, certificate in (
        ("root", root.certificate),
        ("middle", middle.certificate),
        ("leaf", leaf.certificate),
    ):
        paths[name] = tmp_path / name
        paths[name].write_bytes(certificate.public_bytes(Encoding.PEM))
    at = ["-attime", str(int(RECEIVED.timestamp()))]
    # OpenSSL 3.0 takes the identity for the last certificate alone, so it looks at each link.
    for above, below in (("root", "middle"), ("middle", "leaf")):
        link = ["-partial_chain", "-trusted", paths[above], paths[below]]
        verified = run_openssl("verify", "-x509_strict", "-vfyopt", DISTID, *at, *link)
        assert verified.endswith(b"OK\n")
    assert root_trust(root.certificate).accept(leaf.certificate, [middle.certificate], RECEIVED) == "rural-ca"
    request = tmp_path / "request"
    request.write_bytes(make_request(leaf.certificate.subject, leaf.signer("k"), SIGNING))
    checked = run_openssl("req", "-inform", "DER", "-in", request, "-verify", "-noout", "-vfyopt", DISTID,
                          "-text")  # fmt: skip
    assert b"Digital Signature, Non Repudiation" in checked


def test_a_changed_sm2_certificate_reaches_no_root(bank: Bank) -> None:
    root = Authority.create("CN=SM Root,O=Rural,C=CN", START, END, "sm2")
    leaf = root.issue("CN=SM Leaf,O=Rural,C=CN", START, END, "sm2")
    trust = root_trust(root.certificate)
    good = leaf.certificate_der
    assert trust.accept(parse_certificate(good), [], RECEIVED) == "rural-ca"
    accepted = []
    for position in range(0, 8 * len(good), 7):
        changed = bytearray(good)
        changed[position // 8] ^= 1 << position % 8
        try:
            trust.accept(parse_certificate(bytes(changed)), [], RECEIVED)
        except SealError:
            continue
        accepted.append(position)
    assert accepted == []
    stranger = Authority.create("CN=SM Root,O=Rural,C=CN", START, END, "sm2")
    with pytest.raises(SignerUntrusted, match="did not make the signature"):
        root_trust(stranger.certificate).accept(leaf.certificate, [], RECEIVED)
