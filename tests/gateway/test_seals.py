"""Profiles with other seals: whole files there and back, and what is refused on the way in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway import Gateway
from gateway.simulator.store import MemoryBlob, MemoryStore
from keys.authority import Authority
from keys.certificate_make import SIGNING_AND_RECEIVING
from tests.gateway.sites import CITY, NOW, Ground, payments_of

SEALS = {
    "signed inside an envelope": """
out = ["cms-sign", "cms-encrypt"]
in = ["cms-decrypt", "cms-verify"]
""",
    "an envelope, signed around": """
out = ["cms-encrypt", "cms-sign"]
in = ["cms-verify", "cms-decrypt"]
[seal.cms-sign]
attributes = false
signature = "raw"
signer_id = "city"
[seal.cms-verify]
signature = "raw"
signer_id = "city"
""",
    "an envelope, signed beside": """
out = ["cms-encrypt", "cms-sign-detached"]
in = ["cms-verify-detached", "cms-decrypt"]
[seal.cms-encrypt]
armour = "base64"
cipher = "sm4-gcm"
[seal.cms-sign-detached]
armour = "pem"
message_digest = "identity"
[seal.cms-verify-detached]
message_digest = "identity"
""",
    "a plain signature beside": """
out = ["plain-sign-detached"]
in = ["plain-verify-detached"]
[seal.plain-sign-detached]
signature = "raw"
encoding = "hex"
[seal.plain-verify-detached]
signature = "raw"
encoding = "hex"
""",
    "a block inside an envelope": """
out = ["block-sign", "cms-encrypt"]
in = ["cms-decrypt", "block-verify"]
[seal.block-sign]
place = "start"
line_characters = 64
[seal.block-verify]
place = "start"
""",
    "a block in CMS after the first line": """
out = ["block-sign"]
in = ["block-verify"]
[seal.block-sign]
content = "cms"
covers = "header-and-body"
line_break = "lf"
[seal.block-verify]
content = "cms"
covers = "header-and-body"
line_break = "lf"
""",
    "encrypted twice and signed twice": """
out = ["cms-sign-detached", "cms-encrypt", "cms-sign"]
in = ["cms-verify", "cms-decrypt", "cms-verify-detached"]
""",
}


def use_seal(ground: Ground, seal: str) -> None:
    path = ground.profile_path(CITY)
    text = path.read_text("utf-8")
    changed = re.sub(r"\[seal\]\n(.*?)(?=\n\[\[inbound\]\])", f"[seal]{seal}", text, count=1, flags=re.DOTALL)
    assert changed != text
    path.write_text(changed, "utf-8")


def pin_bank(ground: Ground) -> None:
    """A plain signature has no certificate along: the bank's own is pinned beside its CA."""
    ring = ground.site.configuration.with_name("keys.toml")
    certificate = ring.parent / "keys" / "city-pin.crt"
    certificate.write_bytes((ground.site.bank(CITY) / "keys" / "signing.crt").read_bytes())
    entry = (
        f'\n[[key]]\nid = "city-pin"\nrole = "verify"\nbank = "{CITY}"\nenvironment = "test"\n'
        'certificate = "keys/city-pin.crt"\n'
    )
    ring.write_text(ring.read_text("utf-8") + entry, "utf-8")


@pytest.fixture(params=SEALS.values(), ids=SEALS)
def sealed(request: pytest.FixtureRequest, ground: Ground) -> Ground:
    use_seal(ground, request.param)
    if "plain-" in request.param or "block-" in request.param:
        pin_bank(ground)
    return ground


def verdicts(ground: Ground) -> list[dict[str, object]]:
    return [json.loads(str(row[0])) for row in ground.rows("SELECT verdict FROM received")]


def test_a_batch_goes_there_and_back(sealed: Ground) -> None:
    """The simulated bank undoes our seal and makes its own by the same profile."""
    with sealed.open() as gateway:
        sealed.bank(CITY, "failures", 300, profile_of=gateway)
        batch_id = sealed.submit(gateway, payments_of(CITY, 6))
        sealed.run_to_the_end(gateway)
        assert [file.state for file in gateway.files()] == ["settled"]
        (status,) = gateway.status(batch_id)
        assert (status.open_count, status.adds_up) == (0, True)
        sealed.check_sound(gateway)
    for verdict in verdicts(sealed):
        steps = verdict["steps"]
        assert isinstance(steps, list)
        proved = [step["verdict"] for step in steps if step.get("verdict")]
        assert [(each["algorithm"], len(each["digest"])) for each in proved] == [("sm2-sm3", 64)] * len(
            proved
        )
        assert {each["key_id"] for each in proved} <= {"city-bank-ca", "city-pin"}
        assert proved


@pytest.fixture
def answering(ground: Ground) -> Iterator[tuple[Ground, Gateway, str]]:
    """One file was sent; its name without the extension."""
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 2))
        gateway.run()
        yield ground, gateway, gateway.files()[0].name.removesuffix(".bxt")


def refusals(gateway: Gateway) -> list[str]:
    return [problem.message for received in gateway.received() for problem in received.problems]


def test_our_own_content_in_the_banks_envelope_is_refused(answering: tuple[Ground, Gateway, str]) -> None:
    """The bank took our file out of its envelope, and sealed the very same as its answer."""
    ground, gateway, stem = answering
    sent, beside = (ground.outbox(CITY) / f"{stem}.bxt{end}" for end in ("", ".p7s"))
    opened = ground.bank_seals(CITY).open(
        gateway.configuration.profiles[CITY],
        MemoryBlob(sent.read_bytes()),
        MemoryBlob(beside.read_bytes()),
        ground.clock.now(),
        MemoryStore(),
        "opened",
    )
    assert ground.rows("SELECT plain_sha256 FROM file") == [(opened.sha256,)]
    with opened.open() as source:
        ground.post(CITY, f"{stem}_R1.bxt", source.read())
    ground.take(gateway)
    assert [received.state for received in gateway.received()] == ["refused"]
    (why,) = refusals(gateway)
    assert "our own bytes, sent as" in why
    ground.check_sound(gateway)


def test_signed_by_a_certificate_of_the_same_ca_that_is_not_the_banks(
    answering: tuple[Ground, Gateway, str],
) -> None:
    """Our own client certificate: valid, of the bank's CA, and nobody who may answer."""
    ground, gateway, stem = answering
    ours = gateway.installation.keyring.signer(CITY, ground.clock.now())
    ground.post(CITY, f"{stem}_R1.bxt", b"content", ours)
    ground.take(gateway)
    (why,) = refusals(gateway)
    assert "not among the subjects" in why


def test_an_envelope_for_somebody_else(answering: tuple[Ground, Gateway, str], tmp_path: Path) -> None:
    ground, gateway, stem = answering
    valid = NOW, NOW.replace(year=2030)
    other = Authority.create("CN=Other,C=CN", *valid, "sm2").issue(
        "CN=Other,C=CN", *valid, "sm2", SIGNING_AND_RECEIVING
    )
    (ground.site.bank(CITY) / "keys" / "gateway-encryption.crt").unlink()
    other.write_pem(tmp_path / "other.pem", ground.site.bank(CITY) / "keys" / "gateway-encryption.crt")
    ground.post(CITY, f"{stem}_R1.bxt", b"content")
    ground.take(gateway)
    (why,) = refusals(gateway)
    assert "for other certificates than ours; keys to decrypt: city-bank-decryption" in why


def test_a_changed_envelope_names_no_cause(answering: tuple[Ground, Gateway, str]) -> None:
    ground, gateway, stem = answering
    name = f"{stem}_R1.bxt"
    ground.post(CITY, name, b"content of some length")
    path = ground.inbox(CITY) / name
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    ground.take(gateway)
    (why,) = refusals(gateway)
    assert why.endswith(("the envelope does not open with our key", "its digest differs"))


@pytest.mark.parametrize("role", ["sign", "encrypt"])
def test_a_missing_key_takes_no_number(ground: Ground, role: str) -> None:
    """Run after run: it is told, nothing is planned, and the file is made once the key is there."""
    ring = ground.site.configuration.with_name("keys.toml")
    text = ring.read_text("utf-8")
    blocks = text.split("[[key]]")
    without = [block for block in blocks if not (f'role = "{role}"' in block and CITY in block)]
    assert len(without) == len(blocks) - 1
    ring.write_text("[[key]]".join(without), "utf-8")
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 2))
        for _ in range(3):
            report = gateway.run()
            assert any(f"no key of role {role} for {CITY}" in item.message for item in report.attention)
        assert gateway.files() == []
    ring.write_text(text, "utf-8")
    with ground.open() as gateway:
        gateway.run()
        (file,) = gateway.files()
        assert file.name.endswith("00000001.bxt")


def test_the_envelope_counts_in_the_limit_of_bytes(ground: Ground) -> None:
    """What the bank takes is what it gets: the plain bytes fit the limit, sealed they do not."""
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 8, prefix="A"))
        gateway.run()
    ((whole_bytes,),) = ground.rows("SELECT size_bytes FROM file_part WHERE part = 'data'")
    assert isinstance(whole_bytes, int)
    # An envelope adds some hundred bytes; names differ in length by less than fifty altogether.
    limit_bytes = whole_bytes - 100
    path = ground.profile_path(CITY)
    text = path.read_text("utf-8")
    path.write_text(text.replace("[limits]\n", f"[limits]\nfile_bytes = {limit_bytes}\n"), "utf-8")
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 8, prefix="B"))
        gateway.run()
    sizes = [size for (size,) in ground.rows("SELECT size_bytes FROM file_part WHERE part = 'data'")]
    assert len(sizes) > 2
    assert max(int(str(size)) for size in sizes[1:]) <= limit_bytes
