"""Steps for XML and OpenPGP, alone and with others, sealed by one party and opened by the other."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pysequoia
import pytest

from keys.errors import DecryptionFailed, SealError, SignatureInvalid, SignatureMalformed, SignerUntrusted
from keys.pgp import PgpAnchor, PgpCertificate, PgpKey, PgpTrust, load_pgp_certificate, load_pgp_key
from keys.seal import SEALING, Sealed, Unsealed, seal, unseal
from keys.seal_cms import CmsEncrypt, CmsSign
from keys.seal_pgp import (
    PgpDecrypt,
    PgpDecryptVerify,
    PgpEncrypt,
    PgpSign,
    PgpSignDetached,
    PgpSignEncrypt,
    PgpVerify,
)
from keys.seal_xml import XmlSign, XmlSignDetached, XmlVerify
from tests.keys.test_seal import Bytes, Memory, Pair, Party, mirrored, read

CONTENT = "<Document><More><Envelope></Envelope></More><Name>张三</Name></Document>".encode()
"""In canonical form, so that it comes back as the same bytes."""


class PgpParty(Party):
    """A party with OpenPGP keys beside its others."""

    def __init__(self, plain: Party, own: PgpKey, other: PgpCertificate, at: Any) -> None:
        self._own, self._other, self.at = plain._own, plain._other, at
        self._pgp, self._pgp_other = own, other

    def pgp_keys(self) -> list[PgpKey]:
        return [self._pgp]

    def pgp_recipients(self) -> list[PgpCertificate]:
        return [self._pgp_other]

    def pgp_trust(self) -> PgpTrust:
        return PgpTrust("rural", "test", [PgpAnchor("rural-pin", self._pgp_other)])


class PgpPair:
    """Two parties; the clock stands a little after their OpenPGP keys were made."""

    def __init__(self, folder: Any) -> None:
        plain = Pair("rsa-2048")
        keys, certificates = [], []
        for name in ("gateway", "bank"):
            secret = pysequoia.Tsk.generate(f"{name} <{name}@rural>")
            for suffix, content, mode in (
                ("secret", bytes(secret), 0o600),
                ("public", bytes(secret.extract_certificate()), 0o644),
            ):
                (folder / f"{name}.{suffix}").write_bytes(content)
                (folder / f"{name}.{suffix}").chmod(mode)
            keys.append(load_pgp_key(name, folder / f"{name}.secret", None))
            certificates.append(load_pgp_certificate(folder / f"{name}.public"))
        at = certificates[1].valid_from
        self.ours = PgpParty(plain.ours, keys[0], certificates[1], at)
        self.theirs = PgpParty(plain.theirs, keys[1], certificates[0], at)
        self.stranger = PgpParty(plain.stranger, keys[1], certificates[1], at)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> PgpPair:
    return PgpPair(tmp_path_factory.mktemp("pgp"))


def forward(pair: PgpPair, steps: Sequence[Any]) -> Sealed:
    return seal(Bytes(CONTENT), steps, pair.ours, Memory())


def back(pair: PgpPair, data: bytes, signature: bytes, steps: Sequence[Any]) -> Unsealed:
    return unseal(Bytes(data), signature, steps, pair.theirs, Memory(), lambda blob: None)


def _fits(kinds: Sequence[type[Any]]) -> bool:
    """XML is signed before it is anything else; one signature at most is a file of its own."""
    before = kinds[: kinds.index(XmlSign)] if XmlSign in kinds else ()
    return all(kind.detached for kind in before) and sum(kind.detached for kind in kinds) < 2


OWN = [step for step in SEALING if step.name.startswith(("xml-", "pgp-"))]
COMBINATIONS = [
    kinds
    for length in (1, 2, 3)
    for kinds in itertools.permutations([*OWN, CmsSign, CmsEncrypt], length)
    if set(kinds) & set(OWN) and _fits(kinds) and not (length == 3 and XmlSign not in kinds)
]


def test_every_step_of_ours_is_in_the_table() -> None:
    assert {step.name for step in OWN} == {
        "xml-sign", "xml-sign-detached", "pgp-sign", "pgp-encrypt", "pgp-sign-encrypt", "pgp-sign-detached",
    }  # fmt: skip


@pytest.mark.parametrize("kinds", COMBINATIONS, ids=lambda kinds: " ".join(kind.name for kind in kinds))
def test_every_combination_comes_back(pair: PgpPair, kinds: Sequence[type[Any]]) -> None:
    steps = [kind() for kind in kinds]
    sealed = forward(pair, steps)
    assert bool(sealed.signature) == any(step.detached for step in steps)
    opened = back(pair, read(sealed.data), sealed.signature, mirrored(steps))
    assert read(opened.content) == CONTENT
    assert [proof.step for proof in opened.proofs] == [step.name for step in mirrored(steps)]
    signing = [kind for kind in kinds if kind not in (CmsEncrypt, PgpEncrypt)]
    assert [proof.verdict.key_id for proof in opened.proofs if proof.verdict] == ["rural-pin"] * len(signing)


VARIANTS: list[Any] = [
    XmlSign(algorithm="rsa-pss-sha512"),
    XmlSign(algorithm="ecdsa-sha256", place=["More", "Envelope"]),
    XmlSignDetached(algorithm="ecdsa-sha256", reference="pay.xml"),
    PgpSign(armour=True),
    PgpEncrypt(armour=True),
    PgpSignEncrypt(armour=True),
    PgpSignDetached(armour=True),
]


@pytest.mark.parametrize("step", VARIANTS, ids=repr)
def test_what_a_step_may_vary(pair: PgpPair, step: Any) -> None:
    sealed = forward(pair, [step])
    opened = back(pair, read(sealed.data), sealed.signature, [step.mirrored()])
    assert read(opened.content) == CONTENT


@pytest.mark.parametrize("kind", [XmlSign, XmlSignDetached, PgpSign, PgpSignEncrypt, PgpSignDetached])
def test_a_stranger_is_refused(pair: PgpPair, kind: type[Any]) -> None:
    """Whoever sealed it is somebody that the other side does not know."""
    stranger = PgpParty(pair.stranger, pair.theirs._pgp, pair.theirs._pgp.certificate, pair.ours.at)
    sealed = seal(Bytes(CONTENT), [kind()], stranger, Memory())
    with pytest.raises(SignerUntrusted):
        back(pair, read(sealed.data), sealed.signature, [kind().mirrored()])


@pytest.mark.parametrize("kind", [XmlSignDetached, PgpSignDetached])
def test_a_signature_that_did_not_come(pair: PgpPair, kind: type[Any]) -> None:
    with pytest.raises(SignatureMalformed, match="the signature beside the file is missing"):
        back(pair, CONTENT, b"", [kind().mirrored()])


@pytest.mark.parametrize(
    ("made", "opened", "error"),
    [
        (PgpSign(), PgpDecryptVerify(), SignatureMalformed),
        (PgpEncrypt(), PgpVerify(), SealError),
        (PgpEncrypt(), PgpDecryptVerify(), SignatureMalformed),
        (XmlSign(), PgpDecrypt(), DecryptionFailed),
        (PgpSign(), XmlVerify(), SignatureMalformed),
        (XmlSign(place=["More"]), XmlVerify(), SignatureMalformed),
    ],
)
def test_a_seal_of_another_kind_than_the_profile_says(
    pair: PgpPair, made: Any, opened: Any, error: type[SealError]
) -> None:
    sealed = forward(pair, [made])
    with pytest.raises(error):
        back(pair, read(sealed.data), sealed.signature, [opened])


def test_a_changed_document_is_not_passed_on(pair: PgpPair) -> None:
    sealed = forward(pair, [XmlSign()])
    changed = read(sealed.data).replace("张三".encode(), "张四".encode())
    with pytest.raises(SignatureInvalid, match="its digest differs"):
        back(pair, changed, b"", [XmlVerify()])
