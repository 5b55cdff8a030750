"""Revocation lists: who is refused from when on, and what counts as a list. OpenSSL judges too."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from keys import tlv
from keys.authority import Authority, Identity
from keys.certificate_make import signature_identifier
from keys.certificates import Anchor, AnchorKind, Trust
from keys.cms import sign_detached, verify_detached
from keys.errors import KeyringInvalid, KeyUnavailable, SignerUntrusted
from keys.keyring import Keyring
from keys.revocation import RevocationFile, Revocations
from tests.keys.conftest import END, RECEIVED, START

CONTENT = b"one payment\n"
DAY = timedelta(days=1)
ISSUED, NEXT = RECEIVED - DAY, RECEIVED + 7 * DAY
POINT = "http://crl.bank.invalid/1.crl"


def full_name(uri: str) -> list[x509.GeneralName]:
    return [x509.UniformResourceIdentifier(uri)]


def issuing_point(**said: object) -> x509.IssuingDistributionPoint:
    fields: dict[str, object] = {
        "full_name": None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    return x509.IssuingDistributionPoint(**(fields | said))  # type: ignore[arg-type]


def make_list(
    authority: Authority,
    *revoked: tuple[Identity, datetime],
    issued: datetime = ISSUED,
    until: datetime = NEXT,
    invalid_since: datetime | None = None,
    extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
    digest: hashes.HashAlgorithm | None = None,
) -> bytes:
    """A list in PEM, signed by the authority."""
    builder = x509.CertificateRevocationListBuilder(authority.certificate.subject, issued, until)
    for identity, since in revoked:
        entry = x509.RevokedCertificateBuilder(identity.certificate.serial_number, since)
        if invalid_since is not None:
            entry = entry.add_extension(x509.InvalidityDate(invalid_since), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    made = builder.sign(authority.identity.private_key, digest or hashes.SHA256())  # type: ignore[arg-type]
    return made.public_bytes(Encoding.PEM)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.create("CN=Bank CA,C=CN", START, END)


@pytest.fixture(scope="module")
def signer(authority: Authority) -> Identity:
    return authority.issue("CN=Settlement,C=CN", START, END, "ec-p256")


def trust_with(folder: Path, authority: Authority, *lists: bytes, grace: timedelta = timedelta()) -> Trust:
    files = []
    for number, content in enumerate(lists):
        path = folder / f"list-{number}.crl"
        path.write_bytes(content)
        path.chmod(0o644)
        files.append(RevocationFile(path))
    anchor = Anchor("ca", authority.certificate, AnchorKind.ROOT, revocations=Revocations(files, grace))
    return Trust("rural", "test", [anchor])


def accept(trust: Trust, identity: Identity, *chain: Authority, at: datetime = RECEIVED) -> str:
    """By which pin a file signed by `identity` and received then is taken; "" and why otherwise."""
    held = identity.signer("k", chain_der=tuple(each.identity.certificate_der for each in chain))
    signature = sign_detached(io.BytesIO(CONTENT), held, at)
    return verify_detached(io.BytesIO(CONTENT), signature, trust, at).key_id


def refuse(text: str, trust: Trust, identity: Identity, *chain: Authority, at: datetime = RECEIVED) -> None:
    with pytest.raises(SignerUntrusted, match=text):
        accept(trust, identity, *chain, at=at)


def openssl_takes(
    folder: Path, authority: Authority, identity: Identity, revocations: bytes, at: datetime
) -> bool:
    (folder / "ca.pem").write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    (folder / "crl.pem").write_bytes(revocations)
    (folder / "own.pem").write_bytes(identity.certificate.public_bytes(Encoding.PEM))
    command = ["openssl", "verify", "-crl_check", "-CAfile", folder / "ca.pem"]
    command += ["-CRLfile", folder / "crl.pem", "-attime", str(int(at.timestamp())), folder / "own.pem"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_who_is_on_no_list_is_taken(tmp_path: Path, authority: Authority, signer: Identity) -> None:
    other = authority.issue("CN=Other", START, END, "ec-p256")
    revocations = make_list(authority, (other, START))
    assert accept(trust_with(tmp_path, authority, revocations), signer) == "ca"
    assert openssl_takes(tmp_path, authority, signer, revocations, RECEIVED)


def test_who_was_revoked_before_the_receipt_is_refused(
    tmp_path: Path, authority: Authority, signer: Identity
) -> None:
    revocations = make_list(authority, (signer, RECEIVED))
    refuse(
        rf"CN=Settlement,C=CN .serial {signer.certificate.serial_number:X}. is revoked since"
        r" 2026-06-01 09:30:00\+00:00, says list-0.crl",
        trust_with(tmp_path, authority, revocations),
        signer,
    )
    assert not openssl_takes(tmp_path, authority, signer, revocations, RECEIVED)


def test_who_was_revoked_after_the_receipt_was_right_then(
    tmp_path: Path, authority: Authority, signer: Identity
) -> None:
    """What was received in time stays valid when it is judged again with a newer list."""
    trust = trust_with(
        tmp_path, authority, make_list(authority, (signer, RECEIVED + DAY), issued=RECEIVED + DAY)
    )
    assert accept(trust, signer) == "ca"
    refuse("is revoked since", trust, signer, at=RECEIVED + DAY)


def test_the_date_of_invalidity_counts_where_it_is_earlier(
    tmp_path: Path, authority: Authority, signer: Identity
) -> None:
    """The key was stolen a week before the bank told its CA."""
    stolen = make_list(authority, (signer, RECEIVED + DAY), invalid_since=RECEIVED - 7 * DAY)
    refuse("is revoked since 2026-05-25", trust_with(tmp_path, authority, stolen), signer)


def test_a_list_that_ended_speaks_for_nobody(tmp_path: Path, authority: Authority, signer: Identity) -> None:
    ended = make_list(authority, until=RECEIVED - timedelta(seconds=1), issued=START)
    refuse(
        "revocation list list-0.crl ended at 2026-06-01 09:29:59",
        trust_with(tmp_path, authority, ended),
        signer,
    )
    assert not openssl_takes(tmp_path, authority, signer, ended, RECEIVED)
    graced = trust_with(tmp_path, authority, ended, grace=2 * DAY)
    assert accept(graced, signer) == "ca"
    refuse("ended at", graced, signer, at=RECEIVED + 2 * DAY)


def test_a_list_that_ended_still_says_who_is_revoked(
    tmp_path: Path, authority: Authority, signer: Identity
) -> None:
    ended = make_list(authority, (signer, START), issued=START, until=START + DAY)
    refuse(
        "is revoked since 2026-01-01", trust_with(tmp_path, authority, ended, make_list(authority)), signer
    )


def test_no_list_of_its_ca(tmp_path: Path, authority: Authority, signer: Identity) -> None:
    other = Authority.create("CN=Other CA", START, END)
    refuse(
        "no revocation list in the ring covers CN=Settlement",
        trust_with(tmp_path, authority, make_list(other)),
        signer,
    )
    refuse("no revocation list in the ring covers", trust_with(tmp_path, authority), signer)


def test_a_list_that_another_key_signed(tmp_path: Path, authority: Authority, signer: Identity) -> None:
    """Somebody makes a list under the CA's name, on which nobody is."""
    twin = Authority.create("CN=Bank CA,C=CN", START, END)
    trust = trust_with(tmp_path, authority, make_list(twin))
    refuse("list-0.crl: its key did not make the signature of the revocation list below", trust, signer)
    assert not openssl_takes(tmp_path, authority, signer, make_list(twin), RECEIVED)
    both = trust_with(tmp_path, authority, make_list(twin), make_list(authority))
    assert accept(both, signer) == "ca"


def test_a_list_signed_over_a_weak_digest(tmp_path: Path, authority: Authority, signer: Identity) -> None:
    weak = make_list(authority, digest=hashes.SHA224())
    refuse("a revocation list signed over sha224 is too weak", trust_with(tmp_path, authority, weak), signer)


def test_every_certificate_of_the_chain_must_be_covered(tmp_path: Path, authority: Authority) -> None:
    branch = authority.issue_authority("CN=Branch CA", START, END)
    signer = branch.issue("CN=Branch signer", START, END, "ec-p256")
    root_list, branch_list = make_list(authority), make_list(branch)
    refuse("covers CN=Branch signer", trust_with(tmp_path, authority, root_list), signer, branch)
    refuse("covers CN=Branch CA", trust_with(tmp_path, authority, branch_list), signer, branch)
    assert accept(trust_with(tmp_path, authority, root_list, branch_list), signer, branch) == "ca"
    revoked = make_list(authority, (branch.identity, RECEIVED))
    refuse("CN=Branch CA .*is revoked", trust_with(tmp_path, authority, revoked, branch_list), signer, branch)


def test_a_ca_that_may_not_sign_lists(tmp_path: Path) -> None:
    from tests.keys.test_certificates import key_usage, make_identity

    root = Authority.create("CN=Root", START, END)
    mute = Authority(
        make_identity(
            root,
            lambda builder: builder.add_extension(
                x509.BasicConstraints(ca=True, path_length=None), critical=True
            ).add_extension(key_usage(key_cert_sign=True), critical=True),
            "CN=Mute CA",
        )
    )
    signer = mute.issue("CN=S", START, END, "ec-p256")
    trust = trust_with(tmp_path, root, make_list(root), make_list(mute))
    refuse("its CA's key usage allows no revocation lists", trust, signer, mute)


def test_a_list_of_sm2(tmp_path: Path) -> None:
    """Made by hand: the builder of the library has no SM2."""
    authority = Authority.create("CN=国密 CA", START, END, "sm2")
    signer = authority.issue("CN=结算", START, END, "sm2")
    held = authority.identity.signer("ca")
    plain = make_list(Authority.create("CN=国密 CA", START, END), (signer, RECEIVED))
    inner, _, _ = tlv.read_elements(x509.load_pem_x509_crl(plain).public_bytes(Encoding.DER))[0].children()
    version, _, *fields = inner.children()
    algorithm = signature_identifier(held.mechanism)
    body = tlv.wrap(tlv.SEQUENCE, version.raw + algorithm + b"".join(field.raw for field in fields))
    hasher = held.hasher()
    hasher.update(body)
    bits = tlv.wrap(tlv.BIT_STRING, b"\0" + held.sign_digest(hasher.digest()))
    revocations = tlv.wrap(tlv.SEQUENCE, body + algorithm + bits)
    trust = trust_with(tmp_path, authority, revocations)
    assert accept(trust, signer, at=RECEIVED - timedelta(hours=1)) == "ca"
    refuse("is revoked since", trust, signer)
    broken = revocations[:-1] + bytes([revocations[-1] ^ 1])
    refuse("did not make the signature", trust_with(tmp_path, authority, broken), signer)


@pytest.mark.parametrize(
    ("extension", "text"),
    [
        (x509.DeltaCRLIndicator(1), "critical extension 2.5.29.27, which is not known here"),
        (issuing_point(indirect_crl=True), "an indirect list or a part of one"),
        (
            issuing_point(only_some_reasons=frozenset([x509.ReasonFlags.key_compromise])),
            "an indirect list or a part of one",
        ),
        (issuing_point(only_contains_attribute_certs=True), "an indirect list or a part of one"),
    ],
)
def test_a_part_of_a_list_is_none(
    tmp_path: Path, authority: Authority, extension: x509.ExtensionType, text: str
) -> None:
    with pytest.raises(KeyUnavailable, match=text) as refused:
        trust_with(tmp_path, authority, make_list(authority, extensions=[(extension, True)]))
    assert refused.value.hint == "ask the CA for its complete list"


def test_a_list_for_a_distribution_point_covers_who_names_it(tmp_path: Path, authority: Authority) -> None:
    from tests.keys.test_certificates import make_identity

    def named(uri: str) -> Identity:
        points = x509.CRLDistributionPoints([x509.DistributionPoint(full_name(uri), None, None, None)])
        return make_identity(authority, lambda builder: builder.add_extension(points, critical=False))

    part = make_list(authority, extensions=[(issuing_point(full_name=full_name(POINT)), True)])
    trust = trust_with(tmp_path, authority, part)
    assert accept(trust, named(POINT)) == "ca"
    refuse("no revocation list in the ring covers", trust, named("http://crl.bank.invalid/2.crl"))


def test_a_list_of_cas_does_not_cover_signers(tmp_path: Path, authority: Authority, signer: Identity) -> None:
    only = make_list(authority, extensions=[(issuing_point(only_contains_ca_certs=True), True)])
    refuse("no revocation list in the ring covers", trust_with(tmp_path, authority, only), signer)
    users = make_list(authority, extensions=[(issuing_point(only_contains_user_certs=True), True)])
    assert accept(trust_with(tmp_path, authority, users), signer) == "ca"


def test_a_new_list_is_noticed_and_half_a_one_is_not_believed(
    tmp_path: Path, authority: Authority, signer: Identity
) -> None:
    trust = trust_with(tmp_path, authority, make_list(authority))
    assert accept(trust, signer) == "ca"
    path = tmp_path / "list-0.crl"
    path.write_bytes(make_list(authority, (signer, START))[:200])
    assert accept(trust, signer) == "ca"
    path.unlink()
    assert accept(trust, signer) == "ca"
    path.write_bytes(make_list(authority, (signer, START)))
    refuse("is revoked since", trust, signer)


@pytest.mark.parametrize(
    "content", [b"", b"no list", b"0\x00", b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"]
)
def test_what_is_no_list(tmp_path: Path, authority: Authority, content: bytes) -> None:
    with pytest.raises(KeyUnavailable, match="is not a revocation list, neither PEM nor DER"):
        trust_with(tmp_path, authority, content)


def write_ring(folder: Path, authority: Authority, lines: str) -> Path:
    (folder / "ca.crt").write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    ring = folder / "keys.toml"
    ring.write_text(
        '[[key]]\nid = "ca"\nrole = "verify"\nbank = "rural"\nenvironment = "test"\n' + lines, "utf-8"
    )
    return ring


def test_the_ring_names_lists_beside_a_ca(tmp_path: Path, authority: Authority, signer: Identity) -> None:
    (tmp_path / "ca.crl").write_bytes(make_list(authority, (signer, RECEIVED)))
    ring = write_ring(
        tmp_path, authority, 'ca = "ca.crt"\nany_subject = true\ncrls = ["ca.crl"]\ncrl_grace_days = 2\n'
    )
    loaded = Keyring.load(ring, "test")
    assert accept(loaded.trust("rural"), signer, at=RECEIVED - DAY) == "ca"
    refuse("is revoked since", loaded.trust("rural"), signer)
    own, listed = loaded.listed()
    assert (own.role, listed.role, listed.kind) == ("verify", "crl", "ca.crl")
    assert (listed.valid_from, listed.valid_until) == (ISSUED, NEXT + 2 * DAY)


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ('certificate = "ca.crt"\ncrls = ["ca.crl"]\n', "crls go with ca; a pinned certificate is withdrawn"),
        ('ca = "ca.crt"\nany_subject = true\ncrl_grace_days = 2\n', "crl_grace_days goes with crls"),
        ('ca = "ca.crt"\nany_subject = true\ncrls = ["no.crl"]\n', "no.crl cannot be read: No such file"),
        ('ca = "ca.crt"\nany_subject = true\ncrls = ["ca.crl"]\ncrl_grace_days = 31\n', "days, 0 to 30"),
        ('ca = "ca.crt"\nany_subject = true\ncrls = ["open.crl"]\n', "open.crl may be written by others"),
    ],
)
def test_mistakes_about_lists(tmp_path: Path, authority: Authority, lines: str, text: str) -> None:
    for name, mode in (("ca.crl", 0o644), ("open.crl", 0o666)):
        (tmp_path / name).write_bytes(make_list(authority))
        (tmp_path / name).chmod(mode)
    with pytest.raises(KeyringInvalid, match=text):
        Keyring.load(write_ring(tmp_path, authority, lines), "test")
