"""Which keys the configuration needs: role and owner, and what for."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from gateway.configuration.config import Configuration
from gateway.configuration.profile import Profile, Stage

_SEAL_PURPOSES = {
    "sign": "files to {bank} are signed",
    "encrypt": "files to {bank} are encrypted",
    "verify": "files from {bank} are signed",
    "decrypt": "files from {bank} are encrypted",
    "pgp-key": "files between us and {bank} are OpenPGP",
    "pgp-certificate": "files between us and {bank} are OpenPGP",
}


class Need(Struct, frozen=True):
    """A key without which something configured does not work."""

    role: str
    owner: str
    """Bank, platform or person; "" for keys of our own house."""
    purpose: str
    urgent: bool = True
    """Whether it is missed today: a bank at the stage `draft` exchanges nothing yet."""


def key_needs(configuration: Configuration) -> list[Need]:
    """Every need once, in the order: house, platforms, persons, banks."""
    needs = [
        Need("spool-master", "", "the spool is sealed with it"),
        Need("fingerprint", "", "IDs are found by it"),
    ]
    for platform, settings in configuration.platforms.items():
        # Without a signature two persons may release a batch, unless the platform must sign.
        needs.append(
            Need("platform-verify", platform, f"batches of {platform} are signed", settings.require_signature)
        )
    needs += [Need("person", person, f"{person} decides") for person in configuration.persons]
    needs += _anchor_needs(configuration)
    for profile in configuration.profiles.values():
        needs += _bank_needs(profile)
    return needs


def _anchor_needs(configuration: Configuration) -> Iterator[Need]:
    anchor = configuration.anchor
    if anchor is None:
        yield Need("journal-sign", "", "exports for audit are signed", urgent=False)
        return
    yield Need("journal-sign", "", "heads of the journal go to the anchor")
    if anchor.kind == "sftp":
        yield Need("ssh-login", anchor.login, "the anchor is reached by SFTP")
        yield Need("host-pin", anchor.login, "the anchor is reached by SFTP")


def _bank_needs(profile: Profile) -> Iterator[Need]:
    bank, urgent = profile.bank, profile.stage is not Stage.DRAFT
    roles = {role for step in profile.seal.out_steps() for role in step.roles}
    for inbound in profile.inbound:
        roles |= {role for step in profile.seal.in_steps(inbound.seal or []) for role in step.roles}
    for role, purpose in _SEAL_PURPOSES.items():
        if role in roles:
            yield Need(role, bank, purpose.format(bank=bank), urgent)
    if profile.channel.kind == "sftp":
        yield Need("ssh-login", bank, f"{bank} is reached by SFTP", urgent)
        yield Need("host-pin", bank, f"{bank} is reached by SFTP", urgent)
