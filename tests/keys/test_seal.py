"""Every combination of steps that ships, sealed by one party and opened by the other."""

from __future__ import annotations

import io
import itertools
import random
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any, BinaryIO

import pytest
from cryptography import x509
from msgspec.structs import replace

from keys.algorithms import ALGORITHMS, Transport
from keys.armour import Armour
from keys.authority import Authority, Identity
from keys.certificate_make import SIGNING_AND_RECEIVING
from keys.certificates import Trust
from keys.cms_forms import MessageDigest
from keys.errors import SealError, SignatureInvalid, SignatureMalformed, SignerUntrusted
from keys.plain_signature import Encoding
from keys.private import make_decrypter
from keys.public import fits
from keys.seal import OPENING, SEALING, Sealed, Unsealed, seal, unseal
from keys.seal_cms import (
    CmsDecrypt,
    CmsEncrypt,
    CmsSign,
    CmsSignDetached,
    CmsVerify,
    CmsVerifyDetached,
)
from keys.seal_plain import BlockSign, BlockVerify, PlainSignDetached, PlainVerifyDetached
from keys.signer import Decrypter, Signer
from keys.stages import ByteSink
from tests.keys.conftest import END, RECEIVED, START, signer_trust

CONTENT = b"{H:02" + b"9" * 120 + b"}\r\n" + "<付款>6231990000001208674</付款>\r\n".encode() * 20_000


class Bytes:
    """A blob in memory."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.size_bytes = len(content)
        self.sha256 = sha256(content).hexdigest()

    def open(self) -> BinaryIO:
        return io.BytesIO(self.content)


class Memory:
    """A scratch place in memory that knows what is left in it."""

    def __init__(self) -> None:
        self.kept: dict[str, Bytes] = {}

    def fill(self, name: str, write: Callable[[ByteSink], object]) -> Bytes:
        sink = io.BytesIO()
        write(sink)
        assert name not in self.kept
        self.kept[name] = Bytes(sink.getvalue())
        return self.kept[name]

    def drop(self, name: str) -> None:
        self.kept.pop(name, None)


class Party:
    """One side: its keys, and what it accepts of the other."""

    def __init__(self, own: Sequence[Identity], other: Sequence[Identity], at: datetime = RECEIVED) -> None:
        self.at = at
        self._own, self._other = own, other

    def signers(self, algorithms: Sequence[str]) -> list[Signer]:
        if not algorithms:
            return [self._own[0].signer("usual")]
        return [
            next(
                identity.signer(name, name)
                for identity in self._own
                if fits(identity.private_key.public_key(), ALGORITHMS[name])
            )
            for name in algorithms
        ]

    def recipients(self) -> list[x509.Certificate]:
        return [self._other[0].certificate]

    def decrypters(self) -> list[Decrypter]:
        return [make_decrypter(each.private_key, "k", each.certificate_der) for each in self._own[:1]]

    def trust(self) -> Trust:
        return signer_trust(*(identity.certificate for identity in self._other))


class Pair:
    """Both sides, for one kind of key that signs and receives; an EC key signs beside it."""

    def __init__(self, kind: str) -> None:
        root = Authority.create("CN=Root,C=CN", START, END)

        def issue(name: str, kind: str) -> Identity:
            return root.issue(f"CN={name} {kind},C=CN", START, END, kind, SIGNING_AND_RECEIVING)

        ours = [issue("gateway", kind), issue("gateway", "ec-p256")]
        theirs = [issue("bank", kind), issue("bank", "ec-p256")]
        self.ours, self.theirs = Party(ours, theirs), Party(theirs, ours)
        self.identities = ours
        self.stranger = Party([issue("stranger", kind)], theirs)


@pytest.fixture(scope="module", params=["rsa-2048", "sm2"])
def pair(request: pytest.FixtureRequest) -> Pair:
    return Pair(request.param)


def forward(pair: Pair, steps: Sequence[Any], content: bytes = CONTENT) -> tuple[Sealed, Memory]:
    scratch = Memory()
    return seal(Bytes(content), steps, pair.ours, scratch), scratch


def back(
    pair: Pair, data: bytes, signature: bytes, steps: Sequence[Any], party: Party | None = None
) -> tuple[Unsealed, Memory]:
    scratch = Memory()
    opened = unseal(Bytes(data), signature, steps, party or pair.theirs, scratch, lambda blob: None)
    return opened, scratch


def read(blob: Any) -> bytes:
    with blob.open() as source:
        return bytes(source.read())


def mirrored(steps: Sequence[Any]) -> list[Any]:
    return [step.mirrored() for step in reversed(steps)]


_OF_ANY_CONTENT = [step for step in SEALING if not step.name.startswith(("xml-", "pgp-"))]
COMBINATIONS = [
    steps
    for length in (1, 2, 3)
    for steps in itertools.permutations(_OF_ANY_CONTENT, length)
    if sum(step.detached for step in steps) < 2
]
"""In any order, each step once, and one signature at most beside the file. Steps for XML and
OpenPGP have a table of their own, in `test_seal_xml_pgp.py`."""


@pytest.mark.parametrize("kinds", COMBINATIONS, ids=lambda kinds: " ".join(kind.name for kind in kinds))
def test_every_combination_that_ships(pair: Pair, kinds: Sequence[type[Any]]) -> None:
    if BlockSign in kinds[1:]:
        # A block at the start: what the other steps make has no header before it.
        steps = [kind(place="start") if kind is BlockSign else kind() for kind in kinds]
    else:
        steps = [kind() for kind in kinds]
    sealed, scratch = forward(pair, steps)
    assert bool(sealed.signature) == any(step.detached for step in steps)
    changed = [step for step in steps if not step.detached]
    assert len(scratch.kept) == (1 if changed else 0)
    data = read(sealed.data)
    assert (data == CONTENT) == (not changed)
    opened, left = back(pair, data, sealed.signature, mirrored(steps))
    assert read(opened.content) == CONTENT
    assert len(left.kept) == (1 if changed else 0)
    assert [proof.step for proof in opened.proofs] == [step.name for step in mirrored(steps)]
    signers = [proof.verdict.key_id for proof in opened.proofs if proof.verdict]
    assert signers == ["rural-pin"] * sum(kind is not CmsEncrypt for kind in kinds)


VARIANTS: list[Any] = [
    CmsSign(algorithms=["ecdsa-sha256"]),
    CmsSign(armour=Armour.PEM),
    CmsSign(armour=Armour.BASE64),
    CmsSign(attributes=False),
    CmsSign(signing_time=False, national=True, armour=Armour.BASE64_LINE),
    CmsSignDetached(armour=Armour.BASE64_LINE),
    CmsSignDetached(armour=Armour.PEM, algorithms=["ecdsa-sha256"], signature="raw"),
    CmsEncrypt(cipher="aes-256-cbc"),
    CmsEncrypt(cipher="sm4-cbc", national=True, armour=Armour.BASE64),
    CmsEncrypt(cipher="sm4-gcm", armour=Armour.PEM),
    PlainSignDetached(encoding=Encoding.HEX),
    PlainSignDetached(encoding=Encoding.BINARY),
    PlainSignDetached(algorithm="ecdsa-sha256", signature="raw"),
    BlockSign(covers="header-and-body"),
    BlockSign(place="start", line_characters=76),
    BlockSign(content="cms", line_characters=64),
    BlockSign(content="cms", covers="header-and-body", algorithm="ecdsa-sha256", signature="raw"),
]
SM2_VARIANTS: list[Any] = [
    CmsSign(message_digest=MessageDigest.IDENTITY, national=True, signature="raw"),
    CmsSign(signer_id="bank-0042", attributes=False),
    CmsSign(algorithms=["sm2-sm3", "ecdsa-sha256"]),
    CmsSignDetached(signer_id="bank-0042", signature="raw"),
    CmsEncrypt(cipher="sm4-cbc", national=True, wrapped_key="raw"),
    PlainSignDetached(signature="raw", signer_id="bank-0042", encoding=Encoding.HEX),
    BlockSign(signature="raw", signer_id="bank-0042"),
]
RSA_VARIANTS: list[Any] = [
    CmsSign(algorithms=["rsa-pss-sha384"]),
    CmsSign(algorithms=["rsa-pkcs1-sha512", "ecdsa-sha256", "rsa-pss-sha256"]),
    *(CmsEncrypt(transport=transport) for transport in Transport if transport is not Transport.SM2),
    PlainSignDetached(algorithm="rsa-pss-sha256"),
]


@pytest.fixture(scope="module")
def pairs() -> dict[str, Pair]:
    return {kind: Pair(kind) for kind in ("rsa-2048", "sm2")}


@pytest.mark.parametrize(
    ("kind", "step"),
    [
        *(("rsa-2048", step) for step in VARIANTS + RSA_VARIANTS),
        *(("sm2", step) for step in VARIANTS + SM2_VARIANTS),
    ],
    ids=str,
)
def test_every_parameter(pairs: dict[str, Pair], kind: str, step: Any) -> None:
    pair = pairs[kind]
    sealed, _ = forward(pair, [step])
    opened, _ = back(pair, read(sealed.data), sealed.signature, mirrored([step]))
    assert read(opened.content) == CONTENT
    assert step.mirrored().mirrored().mirrored() == step.mirrored()


def test_names_are_unique_and_each_way_has_its_counterpart() -> None:
    names = [step.name for step in (*SEALING, *OPENING)]
    assert len(set(names)) == len(names)
    for sealing in SEALING:
        step: Any = sealing()
        assert type(step.mirrored()) in OPENING
        assert type(step.mirrored().mirrored()) is sealing


def test_a_chain_reads_and_writes_the_content_once(pair: Pair) -> None:
    """Signed, encrypted and armoured: one pass, nothing between."""
    scratch = Memory()
    reads = 0

    class Counted(Bytes):
        def open(self) -> BinaryIO:
            nonlocal reads
            reads += 1
            return super().open()

    steps = [CmsSignDetached(), CmsSign(), CmsEncrypt(armour=Armour.PEM)]
    seal(Counted(CONTENT), steps, pair.ours, scratch)
    assert (reads, list(scratch.kept)) == (1, ["sealed-1"])


WRONG_STEPS: list[tuple[Any, Any]] = [
    (CmsSign(), CmsVerify()),
    (CmsSignDetached(), CmsVerifyDetached()),
    (PlainSignDetached(), PlainVerifyDetached()),
    (BlockSign(), BlockVerify()),
    (BlockSign(content="cms"), BlockVerify(content="cms")),
]


@pytest.mark.parametrize(("out", "into"), WRONG_STEPS, ids=str)
def test_a_valid_signature_of_somebody_else_is_refused(pair: Pair, out: Any, into: Any) -> None:
    """By a key of the same CA that is not this bank's."""
    scratch = Memory()
    sealed = seal(Bytes(CONTENT), [out], pair.stranger, scratch)
    with pytest.raises((SignerUntrusted, SignatureInvalid)):
        back(pair, read(sealed.data), sealed.signature, [into])


@pytest.mark.parametrize(("out", "into"), WRONG_STEPS, ids=str)
def test_a_certificate_is_judged_at_receipt(pair: Pair, out: Any, into: Any) -> None:
    sealed, _ = forward(pair, [out])
    for at, word in ((END + timedelta(seconds=1), "expired"), (START - timedelta(days=1), "not yet valid")):
        late = Party(pair.theirs._own, pair.theirs._other, at)
        with pytest.raises(SignerUntrusted, match=word):
            back(pair, read(sealed.data), sealed.signature, [into], late)


@pytest.mark.parametrize(("out", "into"), WRONG_STEPS, ids=str)
def test_changed_content_is_refused_and_leaves_nothing(pair: Pair, out: Any, into: Any) -> None:
    content = CONTENT[:2000]
    sealed, _ = forward(pair, [out], content)
    data = read(sealed.data)
    assert read(back(pair, data, sealed.signature, [into])[0].content) == content
    generator = random.Random(11)
    accepted = []
    for position in generator.sample(range(8 * len(data)), 300):
        bad = bytearray(data)
        bad[position // 8] ^= 1 << position % 8
        scratch = Memory()
        try:
            opened = unseal(Bytes(bytes(bad)), sealed.signature, [into], pair.theirs, scratch, lambda _: None)
        except SealError:
            assert scratch.kept == {}
            continue
        accepted.append((position, read(opened.content)))
    header = content[: content.index(b"\n") + 1]
    if isinstance(out, BlockSign):
        # What the block does not cover may change: the header, and white space in Base64 cannot come
        # about by one bit in its alphabet. The header is covered where the profile says so.
        accepted = [(at, found) for at, found in accepted if found[len(header) :] != content[len(header) :]]
    assert accepted == []


def test_a_signature_that_covers_the_header_protects_it(pair: Pair) -> None:
    sealed, _ = forward(pair, [BlockSign(covers="header-and-body")])
    data = read(sealed.data).replace(b"{H:02", b"{H:03", 1)
    with pytest.raises(SignatureInvalid):
        back(pair, data, b"", [BlockVerify(covers="header-and-body")])


def test_the_block_stands_where_the_paper_says(pair: Pair) -> None:
    sealed, _ = forward(pair, [BlockSign(line_characters=64)])
    data = read(sealed.data)
    header, block, *wrapped = data.split(b"\r\n", 3)
    assert header + b"\r\n" == CONTENT[:128]
    assert block.startswith(b"{S:")
    assert len(block) == 67
    end = data.index(b"}\r\n", 130) + 3
    assert data[:128] + data[end:] == CONTENT
    assert wrapped


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data.replace(b"{S:", b"{T:", 1),
        lambda data: data.replace(b"{S:", b"{S:!", 1),
        lambda data: CONTENT,
        lambda data: data[:140],
        lambda data: b"",
        lambda data: b"no line break at all",
        lambda data: data.replace(b"}\r\n", b"}\n", 1),
        lambda data: CONTENT[:128] + b"{S:" + b"A" * 70_000 + b"}\r\n" + CONTENT[128:],
    ],
)
def test_a_missing_or_damaged_block(pair: Pair, damage: Callable[[bytes], bytes]) -> None:
    data = read(forward(pair, [BlockSign()])[0].data)
    with pytest.raises(SignatureMalformed):
        back(pair, damage(data), b"", [BlockVerify()])


@pytest.mark.parametrize("step", [CmsVerifyDetached(), PlainVerifyDetached()])
def test_a_missing_signature_beside_the_file(pair: Pair, step: Any) -> None:
    with pytest.raises(SignatureMalformed, match="missing"):
        back(pair, CONTENT, b"", [step])


@pytest.mark.parametrize("text", [b"!", b"abc", b"zz", b"A" * 17_000])
@pytest.mark.parametrize("encoding", [Encoding.BASE64, Encoding.HEX])
def test_text_that_is_no_signature(pair: Pair, text: bytes, encoding: Encoding) -> None:
    with pytest.raises((SignatureMalformed, SignatureInvalid)):
        back(pair, CONTENT, text, [PlainVerifyDetached(encoding=encoding)])


def test_a_plain_signature_needs_a_pin(pair: Pair) -> None:
    sealed, _ = forward(pair, [PlainSignDetached()])

    class Unpinned(Party):
        def trust(self) -> Trust:
            return Trust("rural-credit", "test", [])

    unpinned = Unpinned([], [])
    with pytest.raises(SignerUntrusted, match="no certificate is pinned"):
        back(pair, read(sealed.data), sealed.signature, [PlainVerifyDetached()], unpinned)


def test_what_an_inner_step_refuses_leaves_nothing(pair: Pair) -> None:
    """The envelope opens, what is in it is signed by nobody who may."""
    scratch = Memory()
    stranger = pair.stranger
    sealed = seal(Bytes(CONTENT), [CmsSign(), CmsEncrypt()], stranger, scratch)
    left = Memory()
    with pytest.raises(SignerUntrusted):
        unseal(sealed.data, b"", [CmsDecrypt(), CmsVerify()], pair.theirs, left, lambda _: None)
    assert left.kept == {}


def test_what_comes_out_is_inspected_before_the_next_step(pair: Pair) -> None:
    sealed, _ = forward(pair, [CmsSign(), CmsEncrypt()])
    seen = []

    def refuse(blob: Any) -> None:
        seen.append(blob.size_bytes)
        raise SealError("our own")

    left = Memory()
    with pytest.raises(SealError, match="our own"):
        unseal(sealed.data, b"", [CmsDecrypt(), CmsVerify()], pair.theirs, left, refuse)
    assert (len(seen), left.kept) == (1, {})


def test_sha1_beside_listed_algorithms() -> None:
    step = CmsVerify(algorithms=["sm2-sm3"], sha1_until=date(2027, 1, 1))
    assert step.form().algorithms == ("sm2-sm3", "rsa-pkcs1-sha1")
    assert replace(step, sha1_until=None).form().algorithms == ("sm2-sm3",)
