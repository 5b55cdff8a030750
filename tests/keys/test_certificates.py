"""Who may sign: pins, chains, time, use. Every case is a file that is signed properly."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from keys.authority import Authority, Identity, new_private_key
from keys.certificates import Anchor, AnchorKind, Trust, certificate_sha256, parse_subjects
from keys.cms import sign_detached, verify_detached
from keys.errors import SignerUntrusted
from tests.keys.conftest import END, RECEIVED, START, Bank, root_trust, signer_trust

CONTENT = b"one payment\n"


def accept(trust: Trust, identity: Identity, *chain: Authority, at: datetime = RECEIVED) -> str:
    """Key id by which a file signed by `identity` is accepted."""
    signer = identity.signer("k", chain_der=tuple(each.identity.certificate_der for each in chain))
    return verify_detached(
        io.BytesIO(CONTENT), sign_detached(io.BytesIO(CONTENT), signer, at), trust, at
    ).key_id


def refuse(text: str, trust: Trust, identity: Identity, *chain: Authority, at: datetime = RECEIVED) -> None:
    with pytest.raises(SignerUntrusted, match=text):
        accept(trust, identity, *chain, at=at)


def make_identity(
    authority: Authority,
    change: Callable[[x509.CertificateBuilder], x509.CertificateBuilder],
    subject: str = "CN=Odd",
) -> Identity:
    """A certificate with nothing in it but what `change` adds."""
    key = new_private_key("ec-p256")
    name = x509.Name.from_rfc4514_string(subject)
    builder = x509.CertificateBuilder(authority.certificate.subject, name, key.public_key(), 77)
    return Identity(key, authority.sign(change(builder.not_valid_before(START).not_valid_after(END))))


def key_usage(**permitted: bool) -> x509.KeyUsage:
    names = ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment"]
    names += ["key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"]
    return x509.KeyUsage(**{name: permitted.get(name, False) for name in names})


def test_a_chain_with_an_intermediate_is_climbed(bank: Bank) -> None:
    below = bank.authority.issue_authority("CN=Branch CA", START, END)
    signer = below.issue("CN=Branch signer", START, END, "ec-p256")
    assert accept(bank.trust, signer, below) == "rural-ca"
    refuse("no certificate of CN=Branch CA", bank.trust, signer)


def test_a_pinned_certificate_needs_no_root(bank: Bank) -> None:
    identity = bank.identities["ec-p256"]
    assert accept(signer_trust(identity.certificate), identity) == "rural-pin"
    refuse("no certificate of CN=Bank CA", signer_trust(identity.certificate), bank.identities["rsa-2048"])


def test_validity_is_judged_when_we_receive(bank: Bank) -> None:
    past = bank.authority.issue("CN=Past", START, START + timedelta(days=30), "ec-p256")
    future = bank.authority.issue("CN=Future", RECEIVED + timedelta(days=1), END, "ec-p256")
    refuse("expired at 2026-01-31", bank.trust, past)
    refuse("not yet valid", bank.trust, future)
    assert accept(bank.trust, past, at=START + timedelta(days=29)) == "rural-ca"
    assert accept(signer_trust(past.certificate), past, at=START) == "rural-pin"
    refuse("expired", signer_trust(past.certificate), past)


def test_the_claimed_signing_time_helps_nobody(bank: Bank) -> None:
    past = bank.authority.issue("CN=Past", START, START + timedelta(days=30), "ec-p256")
    signature = sign_detached(io.BytesIO(CONTENT), past.signer("k"), START)
    with pytest.raises(SignerUntrusted, match="expired"):
        verify_detached(io.BytesIO(CONTENT), signature, bank.trust, RECEIVED)


def test_an_expired_root_or_intermediate_is_refused() -> None:
    root = Authority.create("CN=Old root", START, START + timedelta(days=60))
    refuse("CN=Old root: expired", root_trust(root.certificate), root.issue("CN=S", START, END, "ec-p256"))
    lasting = Authority.create("CN=Root", START, END)
    below = lasting.issue_authority("CN=Old branch", START, START + timedelta(days=60))
    signer = below.issue("CN=S", START, END, "ec-p256")
    refuse("CN=Old branch: expired", root_trust(lasting.certificate), signer, below)


def test_a_root_of_the_same_name_with_another_key_is_refused(bank: Bank) -> None:
    twin = Authority.create(bank.authority.certificate.subject.rfc4514_string(), START, END)
    signer = twin.issue("CN=Settlement rsa-2048,O=Rural Credit,C=CN", START, END, "ec-p256")
    refuse("did not make the signature", bank.trust, signer)
    refuse("did not make the signature", bank.trust, signer, twin)


def test_a_renewed_root_is_found_beside_the_old_one() -> None:
    old = Authority.create("CN=Root", START, START + timedelta(days=60))
    new = Authority.create("CN=Root", START, END)
    trust = root_trust(old.certificate, new.certificate)
    assert accept(trust, new.issue("CN=S", START, END, "ec-p256")) == "rural-ca"


def test_a_signer_is_no_ca(bank: Bank) -> None:
    """A certificate made with a signer's key, as if the signer were a CA."""
    thief = Authority(bank.identities["ec-p256"])
    refuse("not a CA", bank.trust, thief.issue("CN=Made up", START, END, "ec-p256"), thief)


def test_path_length_and_key_usage_bind_the_issuer(bank: Bank) -> None:
    branch = bank.authority.issue_authority("CN=Branch CA", START, END, path_length=0)
    office = branch.issue_authority("CN=Office CA", START, END)
    signer = office.issue("CN=S", START, END, "ec-p256")
    refuse("1 CAs below it, at most 0", bank.trust, signer, branch, office)
    mute = make_identity(
        bank.authority,
        lambda builder: builder.add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        ).add_extension(key_usage(digital_signature=True), critical=True),
        "CN=Mute CA",
    )
    refuse("key usage allows no certificates", bank.trust,
           Authority(mute).issue("CN=S", START, END, "ec-p256"), Authority(mute))  # fmt: skip


@pytest.mark.parametrize(
    ("extension", "critical", "text"),
    [
        (key_usage(key_encipherment=True), True, "key usage allows no signatures"),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False, "servers or time stamps only"),
        (x509.BasicConstraints(ca=True, path_length=None), True, "certificate of a CA, not of a signer"),
        (
            x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\5\0"),
            True,
            "critical extension 1.2.3.4",
        ),
        (x509.NameConstraints([x509.DNSName("example")], None), True, "critical extension 2.5.29.30"),
    ],
)
def test_the_use_of_a_signer_certificate(
    bank: Bank, extension: x509.ExtensionType, critical: bool, text: str
) -> None:
    odd = make_identity(bank.authority, lambda builder: builder.add_extension(extension, critical))
    refuse(text, bank.trust, odd)


@pytest.mark.parametrize(
    "extension",
    [
        key_usage(content_commitment=True),
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.EMAIL_PROTECTION]),
        x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\5\0"),
    ],
)
def test_what_may_be_in_a_signer_certificate(bank: Bank, extension: x509.ExtensionType) -> None:
    odd = make_identity(bank.authority, lambda builder: builder.add_extension(extension, critical=False))
    assert accept(bank.trust, odd) == "rural-ca"


def test_a_certificate_signed_over_sha1_is_refused(bank: Bank) -> None:
    odd = make_identity(bank.authority, lambda builder: builder)
    key = bank.authority.identity.private_key
    builder = x509.CertificateBuilder(
        bank.authority.certificate.subject, odd.certificate.subject, odd.private_key.public_key(), 78
    )
    weak = builder.not_valid_before(START).not_valid_after(END).sign(key, hashes.SHA224())
    refuse("sha224 is too weak", bank.trust, Identity(odd.private_key, weak))


def test_a_certificate_of_the_ca_that_is_not_the_banks_is_refused(bank: Bank) -> None:
    subjects = parse_subjects(["CN=Settlement rsa-2048,O=Rural Credit,C=CN"])
    anchor = Anchor("public-ca", bank.authority.certificate, AnchorKind.ROOT, subjects)
    trust = Trust("rural-credit", "production", [anchor])
    assert accept(trust, bank.identities["rsa-2048"]) == "public-ca"
    refuse("may not sign for rural-credit in production: public-ca certified it, but", trust,
           bank.identities["ec-p256"])  # fmt: skip


def test_a_certificate_of_somebody_else_is_refused_by_name(bank: Bank) -> None:
    """It chains to the pinned root, but the ring knows it as another's."""
    certificate = bank.identities["ec-p256"].certificate
    anchor = Anchor("ca", bank.authority.certificate, AnchorKind.ROOT)
    strangers = {certificate_sha256(certificate): "rural-credit in test (old-pin)"}
    trust = Trust("rural-credit", "production", [anchor], strangers)
    refuse(r"it belongs to rural-credit in test \(old-pin\)", trust, bank.identities["ec-p256"])


def test_the_window_of_a_pin_is_kept(bank: Bank) -> None:
    identity = bank.identities["ec-p256"]
    day = timedelta(days=1)
    anchor = Anchor("pin", identity.certificate, AnchorKind.SIGNER, (), RECEIVED - day, RECEIVED + day)
    trust = Trust("rural-credit", "test", [anchor])
    assert accept(trust, identity, at=RECEIVED - day) == "pin"
    refuse("accepted from", trust, identity, at=RECEIVED - 2 * day)
    refuse("accepted until", trust, identity, at=RECEIVED + day)


def test_many_certificates_of_one_name_end_soon(bank: Bank) -> None:
    """Any of these seems to have certified any other: there are millions of paths."""
    first = Authority.create("CN=Same", START, END)
    twins = [Authority(make_twin(first, serial)) for serial in range(1, 13)]
    refuse("no chain to a pinned root", bank.trust, first.issue("CN=S", START, END, "ec-p256"), *twins)


def make_twin(authority: Authority, serial: int) -> Identity:
    """The same CA with the same key in another certificate."""
    name, key = authority.certificate.subject, authority.identity.private_key
    builder = x509.CertificateBuilder(name, name, key.public_key(), serial)
    builder = builder.not_valid_before(START).not_valid_after(END)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return Identity(key, authority.sign(builder))
