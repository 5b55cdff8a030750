"""What must be true of the steps of a seal, said with lines."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.configuration.profile import Inbound
from gateway.configuration.profile_seal import IN_STEPS, OUT_STEPS, Seal, has_detached, has_proof
from gateway.configuration.toml_places import Place
from gateway.configuration.toml_source import TomlSource
from keys.content_ciphers import CONTENT_CIPHERS


def check_seal(seal: Seal, source: TomlSource) -> None:
    """Report what `[seal]` says twice, in vain, or cannot mean."""
    _check_steps(seal.out, ("seal", "out"), source)
    _check_steps(seal.into, ("seal", "in"), source)
    _check_tables(seal, source)
    envelope = seal.cms_encrypt
    if envelope.national and CONTENT_CIPHERS[envelope.cipher].authenticated:
        source.report(
            ("seal", "cms-encrypt", "cipher"),
            f'GM/T 0010 has no "{envelope.cipher}"',
            hint='take "sm4-cbc", or leave national out',
        )
    if seal.block_sign.line_characters < 0:
        source.report(("seal", "block-sign", "line_characters"), "is below 0")


def check_inbound_seal(inbound: Inbound, place: Place, source: TomlSource) -> None:
    """Report a kind of answer of which nobody can know who signed it, unless the profile says why."""
    names = inbound.seal or []
    if inbound.seal is not None:
        _check_steps(names, (*place, "seal"), source)
    proved = has_proof(names)
    if not proved and not inbound.unsigned_reason.strip():
        source.report(
            (*place, "unsigned_reason"),
            "no step of the seal says who signed: unsigned_reason is wanted, in words",
            code="missing_key",
            hint="or name the steps in [seal] in, or in seal of this block",
        )
    if proved and inbound.unsigned_reason:
        source.report((*place, "unsigned_reason"), "stands beside a signature that is wanted: remove one")


def _check_steps(names: Sequence[str], place: Place, source: TomlSource) -> None:
    for index, name in enumerate(names):
        if name in names[:index]:
            source.report((*place, index), f'"{name}" stands there twice')
    beside = [name for name in names if has_detached([name])]
    if len(beside) > 1:
        source.report(
            place,
            f"{' and '.join(beside)} each want the one signature file",
            hint="several keys sign in one CMS signature: algorithms",
        )


def _check_tables(seal: Seal, source: TomlSource) -> None:
    """A table for a step that is not done would be parameters in vain."""
    used = {*seal.out, *seal.into}
    inbound = (source.document or {}).get("inbound", [])
    for block in inbound if isinstance(inbound, list) else []:
        used |= set(block.get("seal", [])) if isinstance(block, dict) else set()
    written = (source.document or {}).get("seal", {})
    for name in written if isinstance(written, dict) else {}:
        if name in {**OUT_STEPS, **IN_STEPS} and name not in used:
            source.report(("seal", name), "no step of this profile uses it: remove it, or name the step")
