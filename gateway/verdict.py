"""Verdicts of conformance: with real money nothing is made or sent on formats that were not checked.

A verdict is a file `verdicts/BANK.json`, made by `bankgate layout check --bank BANK` (`conformance.py`)
and bound to the digests of profile and formats. The stages `pilot` and `live` want one that passed
and is of what is in force; a change of either ends it.

In the environment `test` none is wanted: no money moves there, and a bank's golden files come
from its test system.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from formats.registry import Registry
from gateway.configuration.config import Configuration
from gateway.configuration.profile import Environment, Profile, Stage
from gateway.output import output_file
from gateway.store.folders import make_private, writable_by_others


class Verdict(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the kit said of one bank. `profile` and `layouts` are the digests it said it of."""

    bank: str
    passed: bool
    checked_at: datetime
    bankgate: str
    profile: str
    layouts: dict[str, str]
    cases: int
    warnings: int
    problems: int

    @property
    def digest(self) -> str:
        """SHA-256 of the verdict, lower-case hex: pinned with each file made under it."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()


class Doubt(Struct, frozen=True):
    """Why nothing may leave for a bank, and what ends it."""

    message: str
    hint: str


def layouts_of(profile: Profile) -> list[str]:
    """Every format that the profile names, each once."""
    named = [profile.layouts.request, *profile.layouts.result, profile.layouts.acknowledgement]
    named += [inbound.layout for inbound in profile.inbound]
    return list(dict.fromkeys(name for name in named if name))


def doubt_of(configuration: Configuration, profile: Profile, codecs: Registry) -> Doubt | None:
    """Why nothing may be made or sent for a bank at its stage; None where it may."""
    if configuration.environment is Environment.TEST or profile.stage is Stage.DRAFT:
        return None
    hint = f"bankgate layout check --bank {profile.bank}"
    verdict = read_verdict(configuration, profile.bank)
    if verdict is None:
        return Doubt(f"stage {profile.stage} without a verdict of conformance", hint)
    for writable in writable_by_others(_path(configuration, profile.bank)):
        return Doubt(f"others may write {writable}", f"chmod go-w {writable}, then {hint}")
    day = verdict.checked_at.date().isoformat()
    if not verdict.passed:
        return Doubt(f"the check of {day} found problems in its formats", hint)
    if verdict.bank != profile.bank or verdict.profile != profile.checked_digest:
        return Doubt(f"the profile is not the one that was checked on {day}", hint)
    for name in layouts_of(profile):
        if verdict.layouts.get(name) != codecs.get(name).digest:
            return Doubt(f"layout {name} is not the one that was checked on {day}", hint)
    return None


def verdict_digest(configuration: Configuration, bank: str) -> str:
    """That of the verdict in force, to be pinned with a file; "" where there is none."""
    verdict = read_verdict(configuration, bank)
    return "" if verdict is None else verdict.digest


def read_verdict(configuration: Configuration, bank: str) -> Verdict | None:
    """The recorded verdict; one that cannot be read is none."""
    try:
        content = _path(configuration, bank).read_bytes()
        return msgspec.json.decode(content, type=Verdict)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _path(configuration: Configuration, bank: str) -> Path:
    return configuration.verdicts / f"{bank}.json"


def record_verdict(configuration: Configuration, verdict: Verdict) -> Path:
    """Whole or not at all, and lasting; in place of the one before."""
    path = _path(configuration, verdict.bank)
    make_private(path.parent)
    with output_file(path, overwrite=True) as sink:
        sink.write(msgspec.json.format(msgspec.json.encode(verdict), indent=2) + b"\n")
    return path
