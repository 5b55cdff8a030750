"""The ring: keys by role, owner and time; mistakes with their lines; environments kept apart."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from keys.authority import write_ssh_key_pair
from keys.certificate_make import RECEIVING
from keys.cms import sign_detached, verify_detached
from keys.errors import KeyringInvalid, KeyUnavailable, SignerUntrusted
from keys.keyring import Keyring
from keys.master import new_master_key_file
from keys.new_key import certification, new_signing_key
from keys.sealed import seal_text
from keys.statement import sign_statement, verify_statement
from tests.keys.conftest import END, RECEIVED, START, Bank

CONTENT = b"one payment\n"
HEAD = """# keys of a test site
"""


def write_ring(folder: Path, *blocks: str) -> Path:
    path = folder / "keys.toml"
    path.write_text(HEAD + "".join(f"[[key]]\n{block.strip()}\n\n" for block in blocks), "utf-8")
    return path


def block(**fields: object) -> str:
    """TOML of one entry; texts are quoted, everything else is as it is."""
    fields = {"environment": "test", **fields}
    lines = [f'{name} = "{value}"' if isinstance(value, str) else f"{name} = {value}"
             for name, value in fields.items()]  # fmt: skip
    return "\n".join(lines)


class Raw:
    """TOML that is not quoted."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text


@pytest.fixture
def site(tmp_path: Path, bank: Bank) -> Path:
    """A folder with every kind of key file."""
    for kind in ("rsa-2048", "ec-p256"):
        bank.identities[kind].write_pem(tmp_path / f"{kind}.key", tmp_path / f"{kind}.crt")
    bank.identities["rsa-3072"].write_pem(tmp_path / "locked.key", tmp_path / "locked.crt", b"open sesame")
    bank.identities["rsa-3072"].write_pkcs12(tmp_path / "sign.p12", b"p12 word", [bank.authority.certificate])
    (tmp_path / "ca.crt").write_bytes(bank.authority.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "word").write_bytes(b"open sesame\n")
    (tmp_path / "word").chmod(0o600)
    write_ssh_key_pair(tmp_path / "ssh", "bankgate")
    new_master_key_file(tmp_path / "spool-1.key", "spool-1")
    new_master_key_file(tmp_path / "spool-2.key", "spool-2")
    new_master_key_file(tmp_path / "prints.key", "prints")
    return tmp_path


def sign_block(name: str, **fields: object) -> str:
    paths = {"private_key": "rsa-2048.key", "certificate": "rsa-2048.crt"}
    return block(**{"id": name, "role": "sign", "bank": "rural", **paths, **fields})


def mistakes(path: Path, environment: str = "test") -> list[tuple[int, str]]:
    with pytest.raises(KeyringInvalid) as refused:
        Keyring.load(path, environment)
    assert {mistake.path for mistake in refused.value.mistakes} == {str(path)}
    return [(mistake.line, mistake.message) for mistake in refused.value.mistakes]


def test_signers_from_every_kind_of_file(site: Path, bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P12_WORD", "p12 word")
    path = write_ring(
        site,
        sign_block("plain"),
        sign_block("locked", bank="second", private_key="locked.key", certificate="locked.crt",
                   password=Raw('{ file = "word" }'), algorithm="rsa-pss-sha256"),
        block(id="p12", role="sign", bank="third", pkcs12="sign.p12", password=Raw('{ env = "P12_WORD" }')),
    )  # fmt: skip
    ring = Keyring.load(path, "test")
    signers = [ring.signer(name, RECEIVED) for name in ("rural", "second", "third")]
    assert [(signer.key_id, signer.algorithm) for signer in signers] == [
        ("plain", "rsa-pkcs1-sha256"),
        ("locked", "rsa-pss-sha256"),
        ("p12", "rsa-pkcs1-sha256"),
    ]
    assert signers[2].chain_der == (bank.authority.identity.certificate_der,)
    for signer in signers:
        verify_detached(
            io.BytesIO(CONTENT), sign_detached(io.BytesIO(CONTENT), signer, RECEIVED), bank.trust, RECEIVED
        )


def test_keys_overlap_and_the_newest_in_force_signs(site: Path) -> None:
    path = write_ring(
        site,
        sign_block("old", valid_until=Raw("2026-07-01")),
        sign_block("new", private_key="ec-p256.key", certificate="ec-p256.crt", valid_from=Raw("2026-06-15")),
    )
    ring = Keyring.load(path, "test")
    days = [
        datetime(2026, 6, 14, tzinfo=UTC),
        datetime(2026, 6, 15, tzinfo=UTC),
        datetime(2026, 7, 2, tzinfo=UTC),
    ]
    assert [ring.signer("rural", day).key_id for day in days] == ["old", "new", "new"]
    with pytest.raises(KeyUnavailable) as refused:
        ring.signer("rural", datetime(2030, 1, 1, tzinfo=UTC))
    assert str(refused.value) == (
        "no key of role sign for rural in test at 2030-01-01T00:00:00+00:00: "
        "the ring has old ( to 2026-07-01), new (2026-06-15 to )"
    )
    with pytest.raises(
        KeyUnavailable, match="no key of role sign for nobody in test: the ring has it for rural"
    ):
        ring.signer("nobody", RECEIVED)
    with pytest.raises(KeyUnavailable, match="the ring has none of that role"):
        ring.masters()


def test_trust_is_bound_to_bank_and_environment(site: Path, bank: Bank) -> None:
    pin = {"role": "verify", "bank": "rural"}
    path = write_ring(
        site,
        block(
            id="rural-ca", **pin, ca="ca.crt", subjects=Raw('["CN=Settlement rsa-2048,O=Rural Credit,C=CN"]')
        ),
        block(id="other-pin", role="verify", bank="other", certificate="ec-p256.crt"),
        block(id="live-pin", **pin, environment="production", certificate="locked.crt"),
    )
    ring, live = Keyring.load(path, "test"), Keyring.load(path, "production")
    signatures = {
        kind: sign_detached(io.BytesIO(CONTENT), bank.identities[kind].signer("k"), RECEIVED)
        for kind in ("rsa-2048", "ec-p256", "rsa-3072", "ec-p384")
    }

    def judge(ring: Keyring, kind: str) -> str:
        return verify_detached(io.BytesIO(CONTENT), signatures[kind], ring.trust("rural"), RECEIVED).key_id

    assert (judge(ring, "rsa-2048"), judge(live, "rsa-3072")) == ("rural-ca", "live-pin")
    with pytest.raises(SignerUntrusted, match=r"it belongs to other in test \(other-pin\)"):
        judge(ring, "ec-p256")
    with pytest.raises(SignerUntrusted, match=r"it belongs to rural in production \(live-pin\)"):
        judge(ring, "rsa-3072")
    with pytest.raises(SignerUntrusted, match="not among the subjects"):
        judge(ring, "ec-p384")
    with pytest.raises(SignerUntrusted, match="for rural in production: no chain"):
        judge(live, "rsa-2048")
    with pytest.raises(KeyUnavailable, match="no key of role verify for other in production"):
        live.trust("other")
    with pytest.raises(KeyUnavailable, match="no key of role platform-verify for rural"):
        ring.platform_trust("rural")


def test_a_test_key_is_not_there_in_production(site: Path) -> None:
    path = write_ring(site, sign_block("test-key"))
    with pytest.raises(KeyUnavailable, match="no key of role sign for rural in production"):
        Keyring.load(path, "production").signer("rural", RECEIVED)


def test_platforms_and_persons(site: Path, bank: Bank) -> None:
    path = write_ring(
        site,
        block(id="platform", role="platform-verify", platform="card", ca="ca.crt", any_subject=Raw("true")),
        block(id="zhang-1", role="person", person="zhang", public_key="ec-p256.crt"),
    )
    ring = Keyring.load(path, "test")
    signature = sign_detached(io.BytesIO(CONTENT), bank.identities["ec-p384"].signer("k"), RECEIVED)
    trust = ring.platform_trust("card")
    assert verify_detached(io.BytesIO(CONTENT), signature, trust, RECEIVED).key_id == "platform"
    (verifier,) = ring.person_keys("zhang", RECEIVED)
    assert verifier.key_id == "zhang-1"
    verify_statement(
        verifier, b"release", sign_statement(bank.identities["ec-p256"].signer("zhang"), b"release")
    )


def test_logins_and_host_pins(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(site))
    first, next_line = (write_ssh_key_pair(site / name, "host") for name in ("host-1", "host-2"))
    (site / "known").write_text(f"# bank\nsftp.bank.example {first}\n\n{next_line}\n", "utf-8")
    fingerprint = "SHA256:" + "a" * 43
    path = write_ring(
        site,
        block(id="by-key", role="ssh-login", bank="rural", private_key="ssh"),
        block(id="by-word", role="ssh-login", bank="second", login_password=Raw('{ credential = "word" }')),
        block(
            id="both",
            role="ssh-login",
            bank="third",
            private_key="ssh",
            login_password=Raw('{ file = "word" }'),
        ),
        block(id="pins", role="host-pin", bank="rural", host_keys="known"),
        block(id="next", role="host-pin", bank="rural", pins=Raw(f'["{fingerprint}"]')),
    )
    ring = Keyring.load(path, "test")
    by_key, by_word = ring.ssh_login("rural"), ring.ssh_login("second")
    assert (by_key.private_key, by_key.passphrase, by_key.password) == (site / "ssh", None, None)
    assert (by_word.private_key, by_word.passphrase, by_word.password) == (None, None, "open sesame")
    both = ring.ssh_login("third")
    assert (both.private_key, both.password) == (site / "ssh", "open sesame")
    assert repr(by_word) == "Login('by-word')"
    lines = [line.removesuffix(" host") for line in (first, next_line)]
    assert ring.host_pins("rural") == [*lines, fingerprint]


def test_masters_and_fingerprints(site: Path) -> None:
    path = write_ring(
        site,
        block(
            id="spool-2",
            role="spool-master",
            key=Raw('{ file = "spool-2.key" }'),
            valid_from=Raw("2026-05-01"),
        ),
        block(id="spool-1", role="spool-master", key=Raw('{ file = "spool-1.key" }')),
        block(id="prints", role="fingerprint", key=Raw('{ file = "prints.key" }')),
    )
    ring = Keyring.load(path, "test")
    assert ring.masters().key_ids == ["spool-2", "spool-1"]
    assert ring.masters(datetime(2026, 4, 1, tzinfo=UTC)).key_ids == ["spool-1", "spool-2"]
    assert b"spool-2" in seal_text(ring.masters().current, "text")
    assert ring.fingerprinter().version == "prints"
    assert ring.fingerprinter().of(["370902199001011235"]) == ring.fingerprinters()[0].of(
        ["370902199001011235"]
    )


def test_what_is_listed_ends_with_the_certificate(site: Path, bank: Bank) -> None:
    path = write_ring(site, sign_block("a"), sign_block("b", valid_until=Raw("2026-07-01")))
    end = bank.identities["rsa-2048"].certificate.not_valid_after_utc
    listed = Keyring.load(path, "test").listed()
    assert [(each.key_id, each.role, each.owner, each.valid_until) for each in listed] == [
        ("a", "sign", "rural", end),
        ("b", "sign", "rural", datetime(2026, 7, 1, tzinfo=UTC)),
    ]


def test_all_mistakes_are_told_with_their_lines(site: Path) -> None:
    path = site / "keys.toml"
    path.write_text(
        """\
version = 1
[[key]]
id = "a b"
role = "sign"
environment = "staging"
bank = "rural"
privat_key = "rsa-2048.key"
certificate = "rsa-2048.crt"

[[key]]
id = "twice"
role = "signer"

[[key]]
role = "verify"
id = "twice"
environment = "test"
bank = "rural"
ca = "ca.crt"

[[key]]
id = "gone"
role = "verify"
environment = "test"
bank = "rural"
certificate = "gone.crt"
valid_from = 2026-02-01
valid_until = "2027-02-01"

[[key]]
id = "pin"
role = "host-pin"
environment = "test"
bank = "rural"
pins = ["MD5:00"]

[[key]]
id = "gone"
role = "verify"
environment = "test"
bank = "rural"
certificate = "gone.crt"
""",
        "utf-8",
    )
    assert mistakes(path) == [
        (1, "unknown key version"),
        (2, "exactly one of private_key, pkcs12, pkcs11, service is wanted, found none"),
        (3, "id: wanted up to 48 letters, digits, dots, hyphens and underscores"),
        (5, "environment: found 'staging', wanted one of test, production"),
        (7, "privat_key is not known in an entry of role sign"),
        (12, "role: found 'signer', which is no role"),
        (14, "a CA needs subjects, or any_subject = true"),
        (28, "valid_until: found a value of type str, wanted a date such as 2026-01-31, without quotes"),
        (35, "pins: found 'MD5:00', wanted SHA256:... or a public key line of OpenSSH"),
        (37, f"gone: {site}/gone.crt cannot be read: No such file or directory"),
    ]


def test_the_nearest_name_is_hinted(site: Path) -> None:
    path = write_ring(site, sign_block("a").replace("private_key", "private_kye"))
    with pytest.raises(KeyringInvalid) as refused:
        Keyring.load(path, "test")
    hints = {mistake.hint for mistake in refused.value.mistakes}
    assert "did you mean private_key?" in hints


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"certificate": "ec-p256.crt"}, "a: the certificate belongs to another private key"),
        ({"private_key": "locked.key", "certificate": "locked.crt"}, "is encrypted and no password is given"),
        (
            {
                "private_key": "locked.key",
                "certificate": "locked.crt",
                "password": Raw('{ env = "NO_WORD" }'),
            },
            "environment variable NO_WORD is not set",
        ),
        ({"password": Raw('{ file = "word" }')}, "is not encrypted"),
        ({"private_key": "rsa-2048.crt"}, "may be read or written by others"),
        ({"algorithm": "ecdsa-sha256"}, "algorithm ecdsa-sha256 does not fit the kind of key"),
        ({"password": "open sesame"}, 'password: wanted { file = "..." }, { env = "..." }'),
        ({"valid_from": Raw("2026-07-01"), "valid_until": Raw("2026-06-01")}, "valid_until is not after"),
        ({"valid_from": Raw("2026-07-01T00:00:00")}, "a time without zone"),
        ({"subjects": Raw('["CN=x"]')}, "subjects does not belong to an entry of role sign"),
    ],
)
def test_a_signing_key_that_does_not_open(site: Path, fields: dict[str, object], text: str) -> None:
    path = write_ring(site, sign_block("a", **fields))
    with pytest.raises(KeyringInvalid) as refused:
        Keyring.load(path, "test")
    assert text in str(refused.value)
    assert "open sesame" not in str(refused.value)


def test_a_login_without_key_and_word(site: Path) -> None:
    path = write_ring(
        site,
        block(id="a", role="ssh-login", bank="rural"),
        block(id="b", role="ssh-login", bank="other", login_password=Raw('{ file = "word" }'),
              password=Raw('{ file = "word" }')),
    )  # fmt: skip
    assert mistakes(path) == [
        (2, "private_key or login_password is wanted, or both"),
        (8, "password opens private_key, which is not there"),
    ]


def test_one_certificate_cannot_be_pinned_for_two(site: Path) -> None:
    pins = [
        block(id="a", role="verify", bank="rural", certificate="ec-p256.crt"),
        block(id="b", role="verify", bank="other", certificate="ec-p256.crt"),
        block(id="c", role="verify", bank="rural", environment="production", certificate="ec-p256.crt"),
    ]
    path = write_ring(site, *pins)
    assert [message.split(":")[0] for _, message in mistakes(path)] == ["b", "c"]


def test_a_ring_that_others_may_write_is_refused(site: Path) -> None:
    path = write_ring(site, sign_block("a"))
    path.chmod(0o664)
    assert mistakes(path) == [(1, "others may write this file")]


def test_a_master_key_under_a_false_id_is_refused(site: Path) -> None:
    path = write_ring(site, block(id="spool-9", role="spool-master", key=Raw('{ file = "spool-1.key" }')))
    assert mistakes(path) == [(2, "spool-9: the key file holds 'spool-1'")]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"[[key]]\nid = \n", 2),
        (b'[[key]]\n\nid = "\xff"\n', 3),
        (b"key = 3\n", 1),
        (b"[key]\nid = 'a'\n", 1),
    ],
)
def test_what_is_no_ring(tmp_path: Path, content: bytes, line: int) -> None:
    path = tmp_path / "keys.toml"
    path.write_bytes(content)
    assert [found for found, _ in mistakes(path)] == [line]


def test_no_ring_and_no_environment(tmp_path: Path) -> None:
    with pytest.raises(KeyUnavailable, match=r"keys\.toml cannot be read: No such file"):
        Keyring.load(tmp_path / "keys.toml", "test")
    with pytest.raises(KeyUnavailable, match="no environment 'live'"):
        Keyring.load(tmp_path / "keys.toml", "live")


def test_windows_of_pins_reach_the_trust(site: Path, bank: Bank) -> None:
    path = write_ring(
        site,
        block(
            id="pin", role="verify", bank="rural", certificate="ec-p256.crt", valid_until=Raw("2026-06-02")
        ),
    )
    trust = Keyring.load(path, "test").trust("rural")
    signature = sign_detached(io.BytesIO(CONTENT), bank.identities["ec-p256"].signer("k"), RECEIVED)
    assert verify_detached(io.BytesIO(CONTENT), signature, trust, RECEIVED).key_id == "pin"
    with pytest.raises(SignerUntrusted, match="pin was accepted until 2026-06-02"):
        verify_detached(io.BytesIO(CONTENT), signature, trust, RECEIVED + timedelta(days=1))


def test_what_could_never_be_accepted_is_told_when_the_ring_is_read(site: Path, bank: Bank) -> None:
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    name = x509.Name.from_rfc4514_string("CN=small")
    builder = x509.CertificateBuilder(name, name, small.public_key(), 1)
    certificate = builder.not_valid_before(START).not_valid_after(END).sign(small, hashes.SHA256())
    (site / "small.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
    receives = certification("CN=receives", (START, END), RECEIVING)
    new_signing_key(site, "receives", "rsa-2048", receives)
    path = write_ring(
        site,
        block(id="a", role="verify", bank="rural", certificate="small.crt"),
        block(id="b", role="verify", bank="rural", ca="ec-p256.crt", any_subject=Raw("true")),
        block(id="c", role="verify", bank="rural", certificate="receives.crt"),
        sign_block("d", private_key="receives.key", certificate="receives.crt"),
    )
    told = [message for _, message in mistakes(path)]
    assert [message.partition(": ")[2].removeprefix(f"{site}/") for message in told] == [
        "small.crt cannot be pinned as signer: its RSA key has 1024 bits, at least 2048 are wanted",
        "ec-p256.crt cannot be pinned as root: not a CA",
        "receives.crt cannot be pinned as signer: its key usage allows no signatures",
        "its certificate is not for signing: its key usage allows no signatures",
    ]
