"""How a bank's files are signed and encrypted, both ways: steps in order, with their parameters.

`out` is done to what we made, in order; `in` undoes what the bank did, the outermost first. A
step's parameters are a table of its name below `[seal]`. What the steps do is in `keys`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated

from msgspec import Meta, Struct, field

from keys.seal import OPENING, SEALING
from keys.seal_cms import CmsDecrypt, CmsEncrypt, CmsSign, CmsSignDetached, CmsVerify, CmsVerifyDetached
from keys.seal_parts import OpeningStep, SealingStep
from keys.seal_pgp import (
    PgpDecrypt,
    PgpDecryptVerify,
    PgpEncrypt,
    PgpSign,
    PgpSignDetached,
    PgpSignEncrypt,
    PgpVerify,
    PgpVerifyDetached,
)
from keys.seal_plain import BlockSign, BlockVerify, PlainSignDetached, PlainVerifyDetached
from keys.seal_xml import XmlSign, XmlSignDetached, XmlVerify, XmlVerifyDetached

OUT_STEPS = {step.name: step for step in SEALING}
IN_STEPS = {step.name: step for step in OPENING}
STEPS_MAXIMUM = 8


def _one_of(names: Iterable[str]) -> Meta:
    known = list(names)
    return Meta(pattern=rf"^({'|'.join(known)})\Z", description=f"one of {', '.join(known)}")


OutName = Annotated[str, _one_of(OUT_STEPS)]
InName = Annotated[str, _one_of(IN_STEPS)]


class Seal(Struct, frozen=True, kw_only=True):
    """`[seal]` of a profile. A table that no step uses is a mistake."""

    out: Annotated[list[OutName], Meta(max_length=STEPS_MAXIMUM)]
    into: Annotated[list[InName], Meta(max_length=STEPS_MAXIMUM)] = field(name="in", default_factory=list)
    cms_sign: CmsSign = field(name="cms-sign", default_factory=CmsSign)
    cms_sign_detached: CmsSignDetached = field(name="cms-sign-detached", default_factory=CmsSignDetached)
    cms_encrypt: CmsEncrypt = field(name="cms-encrypt", default_factory=CmsEncrypt)
    plain_sign_detached: PlainSignDetached = field(
        name="plain-sign-detached", default_factory=PlainSignDetached
    )
    block_sign: BlockSign = field(name="block-sign", default_factory=BlockSign)
    cms_verify: CmsVerify = field(name="cms-verify", default_factory=CmsVerify)
    cms_verify_detached: CmsVerifyDetached = field(
        name="cms-verify-detached", default_factory=CmsVerifyDetached
    )
    cms_decrypt: CmsDecrypt = field(name="cms-decrypt", default_factory=CmsDecrypt)
    plain_verify_detached: PlainVerifyDetached = field(
        name="plain-verify-detached", default_factory=PlainVerifyDetached
    )
    block_verify: BlockVerify = field(name="block-verify", default_factory=BlockVerify)
    xml_sign: XmlSign = field(name="xml-sign", default_factory=XmlSign)
    xml_sign_detached: XmlSignDetached = field(name="xml-sign-detached", default_factory=XmlSignDetached)
    xml_verify: XmlVerify = field(name="xml-verify", default_factory=XmlVerify)
    xml_verify_detached: XmlVerifyDetached = field(
        name="xml-verify-detached", default_factory=XmlVerifyDetached
    )
    pgp_sign: PgpSign = field(name="pgp-sign", default_factory=PgpSign)
    pgp_encrypt: PgpEncrypt = field(name="pgp-encrypt", default_factory=PgpEncrypt)
    pgp_sign_encrypt: PgpSignEncrypt = field(name="pgp-sign-encrypt", default_factory=PgpSignEncrypt)
    pgp_sign_detached: PgpSignDetached = field(name="pgp-sign-detached", default_factory=PgpSignDetached)
    pgp_verify: PgpVerify = field(name="pgp-verify", default_factory=PgpVerify)
    pgp_decrypt: PgpDecrypt = field(name="pgp-decrypt", default_factory=PgpDecrypt)
    pgp_decrypt_verify: PgpDecryptVerify = field(name="pgp-decrypt-verify", default_factory=PgpDecryptVerify)
    pgp_verify_detached: PgpVerifyDetached = field(
        name="pgp-verify-detached", default_factory=PgpVerifyDetached
    )

    def out_steps(self) -> list[SealingStep]:
        """What is done to a file of ours, in order."""
        return [getattr(self, _attribute(name)) for name in self.out]

    def in_steps(self, names: Sequence[str]) -> list[OpeningStep]:
        """What undoes a bank's seal, in order."""
        return [getattr(self, _attribute(name)) for name in names]


def _attribute(step_name: str) -> str:
    return step_name.replace("-", "_")


def has_detached(names: Iterable[str]) -> bool:
    """Whether one of the steps has its signature in a file of its own."""
    return any((OUT_STEPS.get(name) or IN_STEPS[name]).detached for name in names)


def has_proof(names: Iterable[str]) -> bool:
    """Whether one of these steps of opening says who signed."""
    return any(IN_STEPS[name].proves for name in names)
