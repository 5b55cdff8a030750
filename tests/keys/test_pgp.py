"""OpenPGP: GnuPG makes ours and takes ours; who signed and when; what is refused."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pysequoia
import pytest

from keys import pgp_library
from keys.errors import (
    DecryptionFailed,
    KeyUnavailable,
    SealError,
    SignatureInvalid,
    SignatureMalformed,
    SignerUntrusted,
)
from keys.pgp import (
    PgpAnchor,
    PgpCertificate,
    PgpKey,
    PgpTrust,
    load_pgp_certificate,
    load_pgp_key,
    open_message,
    seal_message,
    sign_beside,
    verify_beside,
)
from tests.keys.conftest import RECEIVED
from tests.keys.gnupg import GnuPg

CONTENT = "one payment, 一笔发放\n".encode() * 50
CLOCK = ("--faked-system-time", "20260520T000000!")
"""When the bank signs, by its own clock."""
NAMES = {"bank": "ed25519", "ours": "ed25519", "other": "ed25519", "rsa": "rsa2048", "weak": "rsa1024"}


class Ground:
    """Both sides' keys: those of GnuPG, and what the ring would have of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.gpg = GnuPg(folder / "home")
        for name, kind in NAMES.items():
            self.gpg.make_key(name, kind)
        self.gpg.make_key("past", "ed25519", "2026-05-25")
        self.certificates = {name: self._certificate(name) for name in (*NAMES, "past") if name != "weak"}
        self.ours = self._key("ours")

    def trust(self, *names: str, strangers: dict[str, str] | None = None) -> PgpTrust:
        anchors = [PgpAnchor(f"{name}-pin", self.certificates[name]) for name in names]
        return PgpTrust("rural", "test", anchors, strangers)

    def signs(self, *names: str, more: tuple[str, ...] = ("--sign",), content: bytes = CONTENT) -> bytes:
        users = [argument for name in names for argument in ("-u", name)]
        return self.gpg.run(*CLOCK, *users, *more, content=content)

    def _certificate(self, name: str) -> PgpCertificate:
        path = self.folder / f"{name}.asc"
        path.write_bytes(self.gpg.certificate(name))
        path.chmod(0o644)
        return load_pgp_certificate(path)

    def _key(self, name: str) -> PgpKey:
        path = self.folder / f"{name}.secret"
        path.write_bytes(self.gpg.secret(name))
        path.chmod(0o600)
        return load_pgp_key(name, path, None)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    made = Ground(tmp_path_factory.mktemp("pgp"))
    yield made
    made.gpg.stop()


def refuse(
    kind: type[SealError], text: str, message: bytes, keys: list[PgpKey], trust: PgpTrust | None
) -> None:
    with pytest.raises(kind, match=text) as refused:
        open_message(message, keys, trust, RECEIVED)
    assert "backtrace" not in str(refused.value)


# Both ways.


@pytest.mark.parametrize("armoured", [True, False])
def test_gnupg_accepts_what_we_sign_and_encrypt(ground: Ground, armoured: bool) -> None:
    bank = ground.certificates["bank"]
    for recipients in ([], [bank], [bank, ground.certificates["rsa"]]):
        sealed = seal_message(CONTENT, ground.ours, recipients, RECEIVED, armoured=armoured)
        assert sealed.startswith(b"-----BEGIN PGP MESSAGE-----") is armoured
        status = ground.gpg.run("--status-fd", "2", "--decrypt", content=sealed)
        assert status == CONTENT
    only = seal_message(CONTENT, None, [bank], RECEIVED)
    assert ground.gpg.run("--decrypt", content=only) == CONTENT


def test_gnupg_refuses_ours_when_it_is_changed(ground: Ground) -> None:
    sealed = seal_message(CONTENT, ground.ours, [], RECEIVED)
    place = sealed.index(b"one payment")
    ground.gpg.run("--verify", content=sealed)
    ground.gpg.run("--verify", content=sealed[:place] + b"two" + sealed[place + 3 :], fails=True)


@pytest.mark.parametrize("armoured", [True, False])
def test_gnupg_accepts_ours_beside_the_file(ground: Ground, tmp_path: Path, armoured: bool) -> None:
    (tmp_path / "pay").write_bytes(CONTENT)
    (tmp_path / "sig").write_bytes(sign_beside(CONTENT, ground.ours, armoured=armoured))
    ground.gpg.run("--verify", str(tmp_path / "sig"), str(tmp_path / "pay"))
    (tmp_path / "pay").write_bytes(CONTENT + b".")
    ground.gpg.run("--verify", str(tmp_path / "sig"), str(tmp_path / "pay"), fails=True)


@pytest.mark.parametrize("name", ["bank", "rsa"])
@pytest.mark.parametrize("more", [("--sign",), ("--armor", "--sign"), ("-z", "0", "--sign")])
def test_what_gnupg_signs_is_accepted(ground: Ground, name: str, more: tuple[str, ...]) -> None:
    content, verdict = open_message(ground.signs(name, more=more), [], ground.trust("bank", "rsa"), RECEIVED)
    assert content == CONTENT
    assert verdict is not None
    assert (verdict.key_id, verdict.subject) == (f"{name}-pin", name)
    assert verdict.certificate_sha256 == ground.certificates[name].fingerprint


def test_what_gnupg_encrypts_is_opened(ground: Ground) -> None:
    both = ("--encrypt", "--recipient", "ours")
    signed = ground.signs("bank", more=("-z", "0", "--sign", *both))
    content, verdict = open_message(signed, [ground.ours], ground.trust("bank"), RECEIVED)
    assert content == CONTENT
    assert verdict is not None
    assert verdict.key_id == "bank-pin"
    unsigned = ground.gpg.run(*CLOCK, *both, content=CONTENT)
    assert open_message(unsigned, [ground.ours], None, RECEIVED) == (CONTENT, None)


def test_what_is_signed_first_and_encrypted_as_a_file_is_opened_in_two_steps(ground: Ground) -> None:
    encrypted = ground.gpg.run("--encrypt", "--recipient", "ours", content=ground.signs("bank"))
    inner, _ = open_message(encrypted, [ground.ours], None, RECEIVED)
    content, verdict = open_message(inner, [], ground.trust("bank"), RECEIVED)
    assert content == CONTENT
    assert verdict is not None


def test_a_signature_compressed_inside_an_encryption_is_refused_with_a_way_out(ground: Ground) -> None:
    """The package cannot look at it; it must not pass as unsigned either."""
    message = ground.signs("bank", more=("--sign", "--encrypt", "--recipient", "ours"))
    with pytest.raises(SignatureInvalid) as refused:
        open_message(message, [ground.ours], ground.trust("bank"), RECEIVED)
    assert "gpg --compress-algo none" in refused.value.hint


def test_cleartext_signatures_are_not_taken(ground: Ground) -> None:
    """They change the ends of lines: what is signed would not be the bytes of the file."""
    refuse(
        SignatureMalformed,
        "not a signed",
        ground.signs("bank", more=("--clearsign",)),
        [],
        ground.trust("bank"),
    )


def test_an_old_key_still_opens_while_both_are_alive(ground: Ground) -> None:
    path = ground.folder / "other.secret"
    path.write_bytes(ground.gpg.secret("other"))
    path.chmod(0o600)
    other = load_pgp_key("other", path, None)
    sealed = seal_message(CONTENT, ground.ours, [ground.certificates["other"]], RECEIVED)
    assert open_message(sealed, [ground.ours, other], ground.trust("ours"), datetime.now(UTC))[0] == CONTENT


def test_what_gnupg_signs_beside_a_file_is_accepted(ground: Ground) -> None:
    for more in (("--detach-sign",), ("--armor", "--detach-sign")):
        signature = ground.signs("bank", more=more)
        assert verify_beside(CONTENT, signature, ground.trust("bank"), RECEIVED).key_id == "bank-pin"
        with pytest.raises(SignatureInvalid, match="does not hold"):
            verify_beside(CONTENT + b".", signature, ground.trust("bank"), RECEIVED)


# Who signed, and when.


def test_a_stranger_is_refused_beside_a_good_signer_too(ground: Ground) -> None:
    trust = ground.trust("bank")
    other = ground.certificates["other"].fingerprint.upper()
    refuse(
        SignerUntrusted,
        f"{other} may not sign for rural in test: it is not pinned",
        ground.signs("other"),
        [],
        trust,
    )
    refuse(SignerUntrusted, f"{other} may not sign", ground.signs("bank", "other"), [], trust)
    refuse(SignerUntrusted, f"{other} may not sign", ground.signs("other", "bank"), [], trust)
    both = ground.signs("bank", "other", more=("--detach-sign",))
    with pytest.raises(SignerUntrusted, match=f"{other} may not sign"):
        verify_beside(CONTENT, both, trust, RECEIVED)
    assert verify_beside(CONTENT, both, ground.trust("bank", "other"), RECEIVED).key_id == "bank-pin"


def test_a_second_signature_that_is_forged_spoils_the_file(ground: Ground) -> None:
    """A good one over this content, and one of the same bank over another content."""
    good = ground.signs("bank", more=("--detach-sign",))
    taken = ground.signs("rsa", more=("--detach-sign",), content=b"another file")
    for signatures in (good + taken, taken + good):
        with pytest.raises(SignatureInvalid, match="does not hold"):
            verify_beside(CONTENT, signatures, ground.trust("bank", "rsa"), RECEIVED)


def test_another_banks_certificate_is_refused_by_name(ground: Ground) -> None:
    strangers = {ground.certificates["other"].fingerprint: "city in production (city-pin)"}
    trust = ground.trust("bank", strangers=strangers)
    refuse(
        SignerUntrusted, r"it belongs to city in production \(city-pin\)", ground.signs("other"), [], trust
    )


def test_the_certificate_is_judged_when_we_receive(ground: Ground) -> None:
    """It signed while it was valid; what it claims does not count."""
    message = ground.signs("past")
    assert open_message(message, [], ground.trust("past"), datetime(2026, 5, 24, tzinfo=UTC))[0] == CONTENT
    refuse(SignerUntrusted, "expired at 2026-05-25", message, [], ground.trust("past"))
    with pytest.raises(SignerUntrusted, match="not yet valid"):
        open_message(message, [], ground.trust("past"), datetime(2025, 12, 31, tzinfo=UTC))


def test_the_windows_of_a_pin_are_kept(ground: Ground) -> None:
    day = timedelta(days=1)
    message = ground.signs("bank")
    for begin, end, text in (
        (RECEIVED + day, None, "bank-pin is accepted from"),
        (None, RECEIVED, "bank-pin was accepted until"),
    ):
        anchor = PgpAnchor("bank-pin", ground.certificates["bank"], begin, end)
        refuse(SignerUntrusted, text, message, [], PgpTrust("rural", "test", [anchor]))


def test_a_revoked_certificate_is_refused(ground: Ground, tmp_path: Path) -> None:
    secret = pysequoia.Tsk.from_bytes(ground.gpg.secret("rsa"))
    public = secret.extract_certificate()
    revocation = public.revoke(secret.certifier())
    revoked = pysequoia.Cert.from_bytes(bytes(public) + bytes(revocation))
    (tmp_path / "revoked").write_bytes(bytes(revoked))
    (tmp_path / "revoked").chmod(0o644)
    trust = PgpTrust("rural", "test", [PgpAnchor("pin", load_pgp_certificate(tmp_path / "revoked"))])
    refuse(SignatureInvalid, "does not hold", ground.signs("rsa"), [], trust)


def test_weak_digests_and_keys(ground: Ground) -> None:
    weak = ground.signs("rsa", more=("--digest-algo", "SHA1", "--sign"))
    refuse(SignatureInvalid, "its digest or key is too weak", weak, [], ground.trust("rsa"))
    small = ground.folder / "weak.asc"
    small.write_bytes(ground.gpg.certificate("weak"))
    small.chmod(0o644)
    with pytest.raises(KeyUnavailable, match="the OpenPGP certificate is too weak") as refused:
        load_pgp_certificate(small)
    assert "2048 bits" in refused.value.hint


# Bytes that are none of it.


def test_an_unsigned_message_is_refused_where_a_signature_is_wanted(ground: Ground) -> None:
    sealed = seal_message(CONTENT, None, [ground.certificates["ours"]], RECEIVED)
    refuse(SignatureMalformed, "is not signed", sealed, [ground.ours], ground.trust("bank"))


@pytest.mark.parametrize(
    "content", [b"", b"not OpenPGP", b"-----BEGIN PGP MESSAGE-----\n\nAAAA\n", b"\xa3\x01"]
)
def test_what_is_no_message(ground: Ground, content: bytes) -> None:
    refuse(SignatureMalformed, "not a signed OpenPGP message", content, [], ground.trust("bank"))
    refuse(DecryptionFailed, "does not open", content, [ground.ours], ground.trust("bank"))
    with pytest.raises(SignatureMalformed, match="not an OpenPGP signature"):
        verify_beside(CONTENT, content, ground.trust("bank"), RECEIVED)


def test_a_message_for_somebody_else_fails_like_a_broken_one(ground: Ground) -> None:
    """One error for all that goes wrong before a signature: no oracle."""
    ours = seal_message(CONTENT, ground.ours, [ground.certificates["ours"]], RECEIVED)
    theirs = seal_message(CONTENT, ground.ours, [ground.certificates["bank"]], RECEIVED)
    told = set()
    for message in (theirs, ours[:-100], ours[:200] + b"\0" + ours[201:]):
        with pytest.raises(DecryptionFailed) as failed:
            open_message(message, [ground.ours], ground.trust("ours"), datetime.now(UTC))
        told.add(f"{failed.value} {failed.value.hint}")
    assert len(told) == 1


@pytest.mark.parametrize("encrypted", [False, True])
def test_flipped_bits_are_refused_or_change_nothing(ground: Ground, encrypted: bool) -> None:
    keys = [ground.ours] if encrypted else []
    recipients = [ground.certificates["ours"]] if encrypted else []
    sealed, now = seal_message(CONTENT, ground.ours, recipients, RECEIVED), datetime.now(UTC)
    assert open_message(sealed, keys, ground.trust("ours"), now)[0] == CONTENT
    drawn = random.Random(11)
    unchanged = 0
    for _ in range(400):
        place = drawn.randrange(len(sealed))
        flipped = sealed[:place] + bytes([sealed[place] ^ 1 << drawn.randrange(8)]) + sealed[place + 1 :]
        try:
            content, verdict = open_message(flipped, keys, ground.trust("ours"), now)
        except SealError:
            continue
        assert content == CONTENT
        assert verdict is not None
        assert verdict.key_id == "ours-pin"
        unchanged += 1
    assert unchanged < 100


def test_a_message_that_swells_beyond_the_limit_is_refused(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A compressed million of zeros; only as much as the limit is ever written."""
    monkeypatch.setattr(pgp_library.bounded_output, "__defaults__", (100_000,), raising=False)
    bomb = ground.signs("bank", content=bytes(5_000_000))
    assert len(bomb) < 20_000
    monkeypatch.setattr("keys.pgp.bounded_output", lambda: pgp_library.bounded_output(100_000))
    refuse(SealError, "OpenPGP", bomb, [], ground.trust("bank"))
    assert open_message(ground.signs("bank"), [], ground.trust("bank"), RECEIVED)[0] == CONTENT


def test_more_than_the_limit_is_not_read() -> None:
    class Endless:
        def read(self, size: int = -1, /) -> bytes:
            return bytes(1000)

    with pytest.raises(SealError, match="more than 5000 bytes are not sealed or opened with OpenPGP"):
        pgp_library.read_limited(Endless(), 5000)


# Files of keys.


def test_what_is_no_key_file(ground: Ground, tmp_path: Path) -> None:
    cases = [
        (b"nothing", "is not an OpenPGP certificate"),
        (ground.gpg.secret("bank"), "holds a secret key where a certificate is wanted"),
        (ground.gpg.run("--export"), "holds several OpenPGP certificates, wanted one"),
    ]
    for number, (content, text) in enumerate(cases):
        path = tmp_path / f"case-{number}"
        path.write_bytes(content)
        path.chmod(0o644)
        with pytest.raises(KeyUnavailable, match=text):
            load_pgp_certificate(path)
    public = tmp_path / "public"
    public.write_bytes(ground.gpg.certificate("bank"))
    public.chmod(0o600)
    with pytest.raises(KeyUnavailable, match="is not an OpenPGP secret key"):
        load_pgp_key("k", public, None)
    public.chmod(0o640)
    with pytest.raises(KeyUnavailable, match="may be read or written by others"):
        load_pgp_key("k", public, None)


def test_a_key_with_a_password(ground: Ground, tmp_path: Path) -> None:
    home = tmp_path / "locked.secret"
    secret = pysequoia.Tsk.generate("locked <locked@rural>")
    home.write_bytes(bytes(secret))
    home.chmod(0o600)
    open_key = load_pgp_key("locked", home, b"a word that it does not need")
    with pytest.raises(KeyUnavailable, match="OpenPGP key locked does not sign") as refused:
        seal_message(CONTENT, open_key, [], RECEIVED)
    assert "a word" not in f"{refused.value} {refused.value.hint} {open_key!r}"


def test_who_cannot_receive(ground: Ground) -> None:
    with pytest.raises(KeyUnavailable, match="cannot receive: expired at 2026-05-25"):
        seal_message(CONTENT, ground.ours, [ground.certificates["past"]], RECEIVED)
    with pytest.raises(KeyUnavailable, match="neither signed nor encrypted"):
        seal_message(CONTENT, None, [], RECEIVED)
