"""Keys in a token of SoftHSM: what they sign and open, and everything that can be wrong with one."""

from __future__ import annotations

import io
import itertools
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pkcs11
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from keys.algorithms import ALGORITHMS, Transport
from keys.certificate_make import SIGNING, SIGNING_AND_RECEIVING, Draft, make_certificate
from keys.cms import sign_detached
from keys.errors import DecryptionFailed, KeyringInvalid, KeyUnavailable
from keys.keyring import Keyring
from keys.new_key import certification, new_key_in_token
from keys.pkcs11 import Token, TokenKey
from keys.pkcs11_new import new_token_key
from keys.pkcs11_pins import RefusedPins
from keys.pkcs11_public import find_public_key, public_key_of
from keys.pkcs11_uri import TokenKeyName, parse_uri
from keys.private import make_decrypter, make_encrypter, make_signer
from keys.public import public_key_der
from keys.secret_sources import SecretSource, SourceKind, parse_source
from keys.signer import Signer
from tests.keys.conftest import END, RECEIVED, START, run_openssl
from tests.keys.tokens import (
    PIN,
    WRONG_PIN,
    SoftToken,
    delete_token,
    look_again,
    make_token,
    pkcs11_spy,
    softhsm,
    token_folder,
)

CONTENT = b"one payment\n"
KINDS = ("rsa-2048", "ec-p256", "ec-p384")
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def softhsm_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("softhsm")
    with token_folder(folder):
        yield folder


@pytest.fixture(scope="module")
def made(softhsm_folder: Path) -> dict[str, TokenKey]:
    """A key of each kind in one token, under its kind as label."""
    token = make_token(softhsm_folder, "shared")
    return {kind: new_key(token, kind, kind, receives=kind.startswith("rsa")) for kind in KINDS}


@pytest.fixture
def token(softhsm_folder: Path, tmp_path: Path) -> SoftToken:
    """A token for one test alone."""
    return make_token(tmp_path, f"own-{next(_numbers)}")


def open_token(token: SoftToken, label: str = "key") -> Token:
    source = SecretSource(SourceKind.FILE, str(token.pin_file))
    return Token(parse_uri(token.uri(label)).token, source, RefusedPins(token.pin_file.parent / "refused"))


def new_key(token: SoftToken, label: str, kind: str = "ec-p256", *, receives: bool = False) -> TokenKey:
    return new_token_key(open_token(token), parse_uri(token.uri(label)), kind, receives=receives)


def certificate_of(key: TokenKey) -> x509.Certificate:
    """Self-signed, by the key in the token itself."""
    draft = Draft(certification("CN=token,C=CN").subject, key.public_key, START, END, SIGNING_AND_RECEIVING)
    return make_certificate(draft, make_signer(key, "token"))


def write_ring(folder: Path, token: SoftToken, key: TokenKey, uri: str = "") -> Path:
    """A ring whose key for files to one bank is in the token."""
    (folder / "own.crt").write_bytes(certificate_of(key).public_bytes(Encoding.PEM))
    ring = folder / "keys.toml"
    ring.write_text(
        f"""[[key]]
id = "in-token"
role = "sign"
bank = "rural"
environment = "test"
pkcs11 = "{uri or token.uri("key")}"
pin = {{ file = "{token.pin_file}" }}
certificate = "own.crt"
""",
        "utf-8",
    )
    return ring


def ring_signer(ring: Path) -> Signer:
    return Keyring.load(ring, "test").signer("rural", RECEIVED)


def refused(act: Callable[[], object]) -> KeyUnavailable:
    with pytest.raises(KeyUnavailable) as raised:
        act()
    told = f"{raised.value} {raised.value.hint}"
    assert PIN not in told
    assert WRONG_PIN not in told
    return raised.value


ALGORITHMS_OF_KINDS = [
    (kind, name)
    for kind in KINDS
    for name in ALGORITHMS
    if name.startswith("rsa") is kind.startswith("rsa") and not name.startswith("sm2")
]


@pytest.mark.parametrize(("kind", "algorithm"), ALGORITHMS_OF_KINDS)
def test_openssl_verifies_what_the_token_signs(
    made: dict[str, TokenKey], tmp_path: Path, kind: str, algorithm: str
) -> None:
    certificate = certificate_of(made[kind])
    signer = make_signer(made[kind], "token", certificate.public_bytes(Encoding.DER), algorithm)
    (tmp_path / "content").write_bytes(CONTENT)
    (tmp_path / "signature").write_bytes(sign_detached(io.BytesIO(CONTENT), signer, RECEIVED))
    (tmp_path / "own.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
    run_openssl("cms", "-verify", "-binary", "-inform", "DER", "-in", tmp_path / "signature",
                "-content", tmp_path / "content", "-CAfile", tmp_path / "own.crt", "-partial_chain",
                "-purpose", "any", "-attime", str(int(RECEIVED.timestamp())))  # fmt: skip


@pytest.mark.parametrize("transport", [Transport.RSA_PKCS1, Transport.RSA_OAEP_SHA1])
def test_the_token_opens_what_was_encrypted_to_it(made: dict[str, TokenKey], transport: Transport) -> None:
    certificate = certificate_of(made["rsa-2048"])
    wrapped = make_encrypter(certificate, transport).wrap(b"k" * 32)
    decrypter = make_decrypter(made["rsa-2048"], "token", certificate.public_bytes(Encoding.DER))
    assert decrypter.unwrap(transport, wrapped) == b"k" * 32
    for broken in (wrapped[:-1] + bytes([wrapped[-1] ^ 1]), wrapped[:-1], b"", b"\xff" * 256, bytes(256)):
        with pytest.raises(DecryptionFailed) as failed:
            decrypter.unwrap(transport, broken)
        assert str(failed.value) == str(DecryptionFailed())


def test_what_the_device_does_not_offer_is_told(made: dict[str, TokenKey]) -> None:
    """SoftHSM has OAEP with SHA-1 alone."""
    wrapped = make_encrypter(certificate_of(made["rsa-2048"]), Transport.RSA_OAEP_SHA256).wrap(b"k" * 32)
    told = refused(lambda: made["rsa-2048"].unwrap(Transport.RSA_OAEP_SHA256, wrapped))
    assert str(told) == ("token 'shared', key 'rsa-2048': the device does not do this (ArgumentsBad)")
    assert "the device does not do this" not in str(DecryptionFailed())


def test_sm2_is_not_offered_by_pkcs11(made: dict[str, TokenKey]) -> None:
    told = refused(lambda: made["ec-p256"].sign_digest(ALGORITHMS["sm2-sm3"], bytes(32)))
    assert str(told) == "PKCS#11 has no mechanism for SM2"


def test_a_private_key_does_not_leave_the_token(made: dict[str, TokenKey], softhsm_folder: Path) -> None:
    token = SoftToken("shared", softhsm_folder / "shared.pin")
    for kind, secret in (("rsa-2048", "PRIVATE_EXPONENT"), ("ec-p256", "VALUE")):
        wanted = parse_uri(token.uri(kind))

        def look(key: dict[int, object], pin: str | None, secret: str = secret) -> tuple[object, object]:
            with pytest.raises(pkcs11.AttributeSensitive):
                _ = key[pkcs11.Attribute[secret]]
            return key[pkcs11.Attribute.EXTRACTABLE], key[pkcs11.Attribute.SENSITIVE]

        assert open_token(token).use(wanted, look) == (False, True)


def test_the_ring_finds_keys_by_label_and_by_id(token: SoftToken, tmp_path: Path) -> None:
    first = parse_uri(token.uri("key", id="%01"))
    second = parse_uri(token.uri("key2", id="%02"))
    keys = [new_token_key(open_token(token), name, "ec-p256") for name in (first, second)]
    base = f"pkcs11:token={token.label}"
    for asked, key in (
        ("object=key", 0),
        ("id=%02", 1),
        ("object=key;id=%01", 0),
        ("object=key2;type=private", 1),
    ):
        ring = write_ring(tmp_path, token, keys[key], f"{base};{asked}?module-path={softhsm()}")
        assert ring_signer(ring).sign_digest(bytes(32))


def test_a_label_that_two_keys_have_is_not_guessed(token: SoftToken, tmp_path: Path) -> None:
    key = new_key(token, "key")
    with open_token(token).writing() as session:
        session.generate_keypair(pkcs11.KeyType.RSA, 2048, label="key", id=b"\2", store=True)
    told = refused(lambda: ring_signer(write_ring(tmp_path, token, key)).sign_digest(bytes(32)))
    assert str(told) == f"token '{token.label}' has 2 private key 'key', wanted one"
    assert told.hint == "name it by object and id"


def test_a_key_that_is_not_there(token: SoftToken, tmp_path: Path) -> None:
    key = new_key(token, "key")
    ring = write_ring(tmp_path, token, key, token.uri("kee"))
    assert str(refused(lambda: ring_signer(ring).sign_digest(bytes(32)))) == (
        f"token '{token.label}' has no private key 'kee', wanted one"
    )


def test_a_key_that_is_another_than_the_certificates(token: SoftToken, tmp_path: Path) -> None:
    """A signature that the bank would refuse is noticed before it leaves."""
    new_key(token, "key")
    other = new_key(token, "other")
    ring = write_ring(tmp_path, token, other)
    assert "is not the key of the certificate beside it" in str(
        refused(lambda: ring_signer(ring).sign_digest(bytes(32)))
    )


def test_a_token_that_is_not_there_and_comes_back(softhsm_folder: Path, tmp_path: Path) -> None:
    token = make_token(tmp_path, "comes-back")
    key = new_key(token, "key")
    signer = ring_signer(write_ring(tmp_path, token, key))
    assert signer.sign_digest(bytes(32))
    delete_token("comes-back")
    look_again()
    told = refused(lambda: signer.sign_digest(bytes(32)))
    assert str(told) == f"{softhsm()} shows no token 'comes-back', wanted one"
    again = new_key(make_token(tmp_path, "comes-back"), "key")
    assert again.public_key != key.public_key
    assert "is not the key of the certificate" in str(refused(lambda: signer.sign_digest(bytes(32))))


def test_a_lost_session_is_opened_anew(token: SoftToken, tmp_path: Path) -> None:
    signer = ring_signer(write_ring(tmp_path, token, new_key(token, "key")))
    assert signer.sign_digest(bytes(32))
    library = pkcs11.lib(str(softhsm()))
    library.finalize()
    library.initialize()
    assert signer.sign_digest(bytes(32))
    library.finalize()
    assert signer.sign_digest(bytes(32))


def test_two_rings_of_one_process_share_the_login(token: SoftToken, tmp_path: Path) -> None:
    ring = write_ring(tmp_path, token, new_key(token, "key"))
    first, second = ring_signer(ring), ring_signer(ring)
    assert [signer.sign_digest(bytes(32)) != b"" for signer in (first, second, first)] == [True] * 3


def test_a_child_process_opens_the_token_for_itself(token: SoftToken, tmp_path: Path) -> None:
    signer = ring_signer(write_ring(tmp_path, token, new_key(token, "key", "rsa-2048")))
    expected = signer.sign_digest(bytes(32))
    generation = signer.key._token._module.generation  # type: ignore[attr-defined]
    child = os.fork()
    if child == 0:
        done = signer.sign_digest(bytes(32)) == expected
        anew = signer.key._token._generation > generation  # type: ignore[attr-defined]
        os._exit(0 if done and anew else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert signer.sign_digest(bytes(32)) == expected


def test_threads_share_a_token(token: SoftToken, tmp_path: Path) -> None:
    """Every signature is verified where it is made; a mixed-up one would raise."""
    signer = ring_signer(write_ring(tmp_path, token, new_key(token, "key", "rsa-2048")))
    signatures: list[bytes] = []

    def sign(number: int) -> None:
        signatures.extend(signer.sign_digest(bytes([number, turn]) * 16) for turn in range(10))

    threads = [threading.Thread(target=sign, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(signatures)) == 60


def test_a_key_that_asks_for_the_pin_at_every_use(token: SoftToken, tmp_path: Path) -> None:
    name = parse_uri(token.uri("key"))
    with open_token(token).writing() as session:
        always = {pkcs11.Attribute.ALWAYS_AUTHENTICATE: True}
        public, _ = session.generate_keypair(
            pkcs11.KeyType.RSA, 2048, label="key", store=True, private_template=always
        )
        key = TokenKey(open_token(token), name, public_key_of(public))
    signer = ring_signer(write_ring(tmp_path, token, key))
    assert signer.sign_digest(bytes(32)) == signer.sign_digest(bytes(32))
    token.pin_file.write_text(WRONG_PIN)
    for _ in range(2):
        assert "PIN" in str(refused(lambda: signer.sign_digest(bytes(32))))
    token.pin_file.write_text(PIN)
    assert signer.sign_digest(bytes(32))


# A wrong PIN. Each try is a process of its own, as a gateway that a timer starts, and every call
# to the token's library is written down by OpenSC's spy.

_TRY = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from keys.keyring import Keyring
from keys.errors import SealError
signer = Keyring.load(Path(sys.argv[1]), "test").signer("rural", datetime(2026, 6, 1, tzinfo=UTC))
for turn in range(3):
    try:
        print(len(signer.sign_digest(bytes(32))) > 0)
    except SealError as error:
        print(f"{error} | {error.hint}")
"""


class Watched:
    """A ring whose token is reached through the spy, and processes that use it."""

    def __init__(self, folder: Path, token: SoftToken) -> None:
        self.token = token
        self.ring = write_ring(folder, token, new_key(token, "key"), token.uri("key", pkcs11_spy()))
        self._log = folder / "calls.log"

    def run(self) -> list[str]:
        """What three signatures of a new process came to."""
        environment = {
            **os.environ,
            "PKCS11SPY": str(softhsm()),
            "PKCS11SPY_OUTPUT": str(self._log),
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", _TRY, str(self.ring)],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    @property
    def logins(self) -> int:
        """Calls of C_Login so far."""
        return self._log.read_text("utf-8", "replace").count(": C_Login\n") if self._log.exists() else 0


@pytest.fixture
def watched(token: SoftToken, tmp_path: Path) -> Watched:
    return Watched(tmp_path, token)


def test_a_wrong_pin_is_presented_exactly_once(watched: Watched) -> None:
    watched.token.pin_file.write_text(WRONG_PIN)
    label = watched.token.label
    first, *later = watched.run()
    assert first == (
        f"token '{label}' refused the PIN from file {watched.token.pin_file}; it is not presented again"
        " | put the right PIN there: after a few wrong ones the token locks"
    )
    for line in [*later, *watched.run(), *watched.run()]:
        assert line.startswith("the token refused this PIN before, and it is not presented again | ")
        assert WRONG_PIN not in line
    assert watched.logins == 1
    kept = watched.ring.with_name("keys.toml.refused-pins")
    assert kept.stat().st_mode & 0o777 == 0o600
    assert WRONG_PIN not in kept.read_text("ascii")


def test_another_pin_is_tried_and_the_right_one_goes_on(watched: Watched) -> None:
    watched.token.pin_file.write_text(WRONG_PIN)
    watched.run()
    watched.token.pin_file.write_text(PIN)
    assert watched.run() == ["True"] * 3
    assert watched.logins == 2


def test_a_right_pin_logs_in_once_for_all_signatures(watched: Watched) -> None:
    assert watched.run() == ["True"] * 3
    assert watched.logins == 1


def test_a_refusal_that_cannot_be_remembered_is_not_risked(watched: Watched) -> None:
    kept = watched.ring.with_name("keys.toml.refused-pins")
    kept.mkdir()
    for line in watched.run():
        assert "so a refused PIN could not be remembered | no PIN was presented" in line
    assert watched.logins == 0


def test_a_pin_that_others_may_read_is_refused_when_the_ring_is_read(
    token: SoftToken, tmp_path: Path
) -> None:
    ring = write_ring(tmp_path, token, new_key(token, "key"))
    token.pin_file.chmod(0o640)
    assert "may be read or written by others" in str(refused(lambda: ring_signer(ring)))


@pytest.mark.parametrize(
    ("flag", "text"),
    [
        (pkcs11.TokenFlag.USER_PIN_FINAL_TRY, "would lock after one more wrong PIN, so none is presented"),
        (pkcs11.TokenFlag.USER_PIN_LOCKED, "is locked"),
    ],
)
def test_a_token_near_its_lock_gets_no_pin(
    token: SoftToken, monkeypatch: pytest.MonkeyPatch, flag: pkcs11.TokenFlag, text: str
) -> None:
    """SoftHSM never locks, so these flags are set by hand; opening would be an AttributeError."""
    opened = open_token(token)
    monkeypatch.setattr(opened, "_device", lambda: SimpleNamespace(flags=flag, serial=b"1"))
    told = refused(lambda: opened.use(parse_uri(token.uri("key")), lambda key, pin: key))
    assert str(told) == f"token '{token.label}' {text}"


def test_a_library_that_is_none(tmp_path: Path, token: SoftToken) -> None:
    library = tmp_path / "lib.so"
    key = new_key(token, "key")
    ring = write_ring(tmp_path, token, key, token.uri("key", library))
    signer = ring_signer(ring)
    assert "No such file" in str(refused(lambda: signer.sign_digest(bytes(32))))
    library.write_bytes(b"no library")
    library.chmod(0o755)
    assert "cannot be used as a PKCS#11 library" in str(refused(lambda: signer.sign_digest(bytes(32))))
    library.chmod(0o775)
    assert "may be written by others (mode 0775)" in str(refused(lambda: signer.sign_digest(bytes(32))))


# New keys in a token.


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_for_a_key_in_the_token(token: SoftToken, tmp_path: Path, kind: str) -> None:
    pin = parse_source(f"file:{token.pin_file}")
    wanted = certification("CN=结算,O=District,C=CN", use=SIGNING)
    result = new_key_in_token(tmp_path, "own", kind, wanted, token.uri("own"), pin)
    assert (result.private, result.public) == (None, tmp_path / "own.csr")
    assert result.public is not None
    run_openssl("req", "-in", result.public, "-verify", "-noout")
    assert result.entry[0] == f'pkcs11 = "{token.uri("own")}"'


def test_nothing_in_a_token_is_overwritten(token: SoftToken) -> None:
    first = new_key(token, "key")
    told = refused(lambda: new_key(token, "key", "rsa-2048"))
    assert str(told) == (
        f"token '{token.label}' has an object like key 'key' already, and nothing is overwritten"
    )
    name = parse_uri(token.uri("key"))
    assert TokenKey(open_token(token), name, first.public_key).sign_digest(
        ALGORITHMS["ecdsa-sha256"], bytes(32)
    )


def test_a_kind_that_no_token_makes(token: SoftToken) -> None:
    assert "no key of kind 'sm2' is made in a token" in str(refused(lambda: new_key(token, "key", "sm2")))


@pytest.mark.parametrize(
    ("uri", "text"),
    [
        ("file:/etc/passwd", "not a PKCS#11 URI"),
        ("pkcs11:token=a;object=b", "module-path in the PKCS#11 URI is not an absolute path"),
        ("pkcs11:token=a;object=b?module-path=lib.so", "module-path in the PKCS#11 URI is not an absolute"),
        ("pkcs11:object=b?module-path=/l.so", "names no token"),
        ("pkcs11:token=a?module-path=/l.so", "names no key"),
        ("pkcs11:token=a;object=b;color=c?module-path=/l.so", "'color', which is not known here"),
        ("pkcs11:token=a;token=b;object=b?module-path=/l.so", "'token', which is not known here or stands"),
        ("pkcs11:token=a;object=b;type=public?module-path=/l.so", "is not private"),
        ("pkcs11:token=a;object=%FF?module-path=/l.so", "object in the PKCS#11 URI is not UTF-8"),
        (f"pkcs11:token=a;object=b?module-path=/l.so&pin-value={PIN}", "pin-value does not belong"),
    ],
)
def test_a_uri_that_names_no_key(uri: str, text: str) -> None:
    assert text in str(refused(lambda: parse_uri(uri)))


def test_a_uri_with_percent_signs() -> None:
    name = parse_uri("pkcs11:token=The%20Token%3B;serial=0a;id=%00%ff;object=%E5%AF%86?module-path=/l.so")
    assert name == TokenKeyName(name.token, "密", b"\x00\xff")
    assert (name.token.label, name.token.serial, name.token.module) == ("The Token;", "0a", Path("/l.so"))


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ('password = { file = "word" }', "password opens a file, and pkcs11 names a token"),
        ('private_key = "a.key"', "exactly one of private_key, pkcs12, pkcs11, service is wanted"),
    ],
)
def test_an_entry_that_mixes_files_and_tokens(tmp_path: Path, line: str, text: str) -> None:
    ring = tmp_path / "keys.toml"
    ring.write_text(
        '[[key]]\nid = "a"\nrole = "sign"\nbank = "b"\nenvironment = "test"\ncertificate = "a.crt"\n'
        f'pkcs11 = "pkcs11:token=a;object=b?module-path=/l.so"\n{line}\n',
        "utf-8",
    )
    with pytest.raises(KeyringInvalid, match=text):
        Keyring.load(ring, "test")


@pytest.mark.parametrize("kind", KINDS)
def test_the_public_half_is_found_in_the_token(token: SoftToken, kind: str) -> None:
    made = new_key(token, "key", kind)
    found = find_public_key(open_token(token), parse_uri(token.uri("key")))
    assert public_key_der(found) == public_key_der(made.public_key)


def test_a_private_key_without_its_public_half(token: SoftToken) -> None:
    new_key(token, "key")
    with open_token(token).writing() as session:
        (public,) = session.get_objects({pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PUBLIC_KEY})
        public.destroy()
    told = refused(lambda: find_public_key(open_token(token), parse_uri(token.uri("key"))))
    assert "has no public key 'key', wanted one" in str(told)
