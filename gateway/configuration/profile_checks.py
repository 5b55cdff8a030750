"""What must be true across the fields of a profile and of an agreement, said with lines."""

from __future__ import annotations

import codecs
import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.configuration.agreement import Agreement
from gateway.configuration.name_pattern import MATCH_ONLY, PatternError, name_pattern, unsafe
from gateway.configuration.profile import Environment, Files, Inbound, PilotLimits, Profile, Stage
from gateway.configuration.profile_seal import has_detached
from gateway.configuration.profile_seal_checks import check_inbound_seal, check_seal
from gateway.configuration.toml_places import Place
from gateway.configuration.toml_source import TomlSource
from gateway.settlement.flags import FLAG_FIELDS

OWN_NAME_FIELDS = frozenset({"sequence", "bank_day", "created_at", "bank"})
AGREEMENT_NAME_FIELDS = frozenset({"unit_no", "business_no"})
PART_FIELDS = frozenset({"name", "stem"})
PILOT_CAPS = ("amount_per_file_minor", "payments_per_day", "amount_per_day_minor")
"""What a pilot must state: the most that a mistake in it can cost."""

FLAG_CONTENT_FIELDS = ("name", "size", "sha256", "count", "total")


def check_profile(profile: Profile, source: TomlSource, environment: Environment) -> None:
    """Report every contradiction within a profile, and with the gateway's environment."""
    if profile.bank != source.path.stem:
        source.report(
            ("bank",),
            f'the file of bank "{profile.bank}" is called {source.path.name}',
            found=profile.bank,
            wanted=source.path.stem,
            hint=f"call it {profile.bank}.toml",
        )
    if profile.environment is not environment:
        source.report(
            ("environment",),
            f"this profile is for {profile.environment}, the gateway for {environment}",
            code="environment",
            found=profile.environment,
            wanted=environment,
        )
    _check_zone(profile, source)
    _check_stage(profile, source)
    _check_files(profile, source)
    check_seal(profile.seal, source)
    for index, inbound in enumerate(profile.inbound):
        _check_inbound(profile, inbound, ("inbound", index), source)
    if not source.problems:
        _check_told_apart(profile, source)
    _check_channel(profile, source)
    _check_rest(profile, source)


def check_agreement(agreement: Agreement, source: TomlSource) -> None:
    """Report every contradiction within an agreement."""
    if agreement.valid_from > agreement.valid_until:
        source.report(("valid_until",), f"ends before it begins on {agreement.valid_from}")
    for index, window in enumerate(agreement.windows):
        if window.opens_minute >= window.closes_minute:
            source.report(
                ("windows", index, "closes"),
                f"closes at {window.closes}, not after it opens at {window.opens}",
                hint="a window over midnight is written as two",
            )
    for name in sorted(set(agreement.values) & set(Agreement.__struct_fields__)):
        source.report(("values", name), "is a field of the agreement itself: write it there")


def _check_zone(profile: Profile, source: TomlSource) -> None:
    try:
        ZoneInfo(profile.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        source.report(
            ("zone",),
            f'there is no time zone "{profile.zone}"',
            code="zone",
            found=profile.zone,
            wanted="an IANA name such as Asia/Shanghai",
            hint="if the name is right, the system lacks the package tzdata",
        )


def _check_stage(profile: Profile, source: TomlSource) -> None:
    if profile.stage is not Stage.PILOT:
        return
    caps = profile.limits.pilot or PilotLimits()
    missing = [name for name in PILOT_CAPS if getattr(caps, name) is None]
    if missing:
        source.report(
            ("limits", "pilot"),
            f"stage pilot wants [limits.pilot] with {', '.join(missing)}",
            code="pilot",
            hint="or set the stage to draft or live",
        )


def _check_files(profile: Profile, source: TomlSource) -> None:
    files = profile.files
    known = OWN_NAME_FIELDS | AGREEMENT_NAME_FIELDS | set(profile.values)
    fields = _check_pattern(files.name, known, ("files", "name"), source)
    if fields is not None and "sequence" not in fields:
        source.report(
            ("files", "name"),
            f'"{files.name}" has no {{sequence}}: names would repeat',
            code="name_not_unique",
            found=files.name,
            wanted="a pattern with {sequence}",
        )
    for part in ("data", "signature", "flag"):
        if text := getattr(files, part):
            _check_part(text, ("files", part), source)
    _check_parts_differ(profile, source)
    _check_temporary(profile, source)
    _check_flag_content(files, source)


def _check_part(text: str, place: Place, source: TomlSource) -> None:
    fields = _check_pattern(text, PART_FIELDS, place, source)
    if fields is not None and not fields:
        source.report(
            place, f'"{text}" has neither {{name}} nor {{stem}}: names would repeat', code="name_not_unique"
        )


def _check_parts_differ(profile: Profile, source: TomlSource) -> None:
    files = profile.files
    parts = {"data": files.data}
    if has_detached(profile.seal.out):
        parts["signature"] = files.signature
    if files.flag:
        parts["flag"] = files.flag
    seen: dict[str, str] = {}
    for part, text in parts.items():
        if text in seen:
            source.report(("files", part), f"the {part} file has the name of the {seen[text]} file")
        seen[text] = part


def _check_temporary(profile: Profile, source: TomlSource) -> None:
    files, release = profile.files, profile.channel.release
    marks = files.temporary_prefix + files.temporary_suffix
    # A leading dot is usual here, and forbidden in final names only.
    if marks and unsafe("x" + marks):
        source.report(("files", "temporary_suffix"), f'"{marks}" cannot stand in a file name')
    if release == "rename" and not marks:
        source.report(
            ("files",),
            'release = "rename" wants temporary_prefix or temporary_suffix',
            code="missing_key",
            hint="ask the bank which names it promises to ignore",
        )
    if release == "flag" and not files.flag:
        source.report(("channel", "release"), 'release = "flag" wants files.flag', code="missing_key")


def _check_flag_content(files: Files, source: TomlSource) -> None:
    rest = files.flag_content
    for name in FLAG_CONTENT_FIELDS:
        rest = rest.replace(f"{{{name}}}", "")
    if "{" in rest or "}" in rest:
        wanted = " ".join(f"{{{name}}}" for name in FLAG_CONTENT_FIELDS)
        source.report(("files", "flag_content"), f"has a field other than {wanted}", wanted=wanted)
    if files.flag_content and not files.flag:
        source.report(("files", "flag_content"), "there is no flag file to write it to: set flag")


def _check_inbound(profile: Profile, inbound: Inbound, place: Place, source: TomlSource) -> None:
    known = OWN_NAME_FIELDS | AGREEMENT_NAME_FIELDS | PART_FIELDS | MATCH_ONLY | set(profile.values)
    _check_pattern(inbound.pattern, known, (*place, "pattern"), source)
    if inbound.complete == "flag":
        _check_part(inbound.flag, (*place, "flag"), source)
    _check_inbound_flag(inbound, (*place, "flag_content"), source)
    check_inbound_seal(inbound, place, source)
    if has_detached(inbound.seal or []):
        _check_part(inbound.signature_name, (*place, "signature_name"), source)
    _check_inbound_layout(profile, inbound, place, source)
    _check_partner(profile, inbound, (*place, "partner"), source)


def _check_inbound_flag(inbound: Inbound, place: Place, source: TomlSource) -> None:
    fields = re.findall(r"\{([^{}]*)\}", inbound.flag_content)
    if unknown := [field for field in fields if field not in FLAG_FIELDS]:
        wanted = " ".join(f"{{{name}}}" for name in FLAG_FIELDS)
        source.report(place, f"{{{unknown[0]}}} is no field of a flag", wanted=wanted)
    elif len(fields) != len(set(fields)):
        source.report(place, "a field stands twice")
    if inbound.flag_content and inbound.complete != "flag":
        source.report(place, 'there is no flag to read: complete = "flag"')


def _check_partner(profile: Profile, inbound: Inbound, place: Place, source: TomlSource) -> None:
    """The other half must be a kind of answer too, and must name this one as its own other half."""
    if not inbound.partner:
        return
    if len(inbound.partner) != 2 or inbound.pattern.count(inbound.partner[0]) != 1:
        source.report(
            place,
            "wanted two texts, the first of which stands once in the pattern",
            found=", ".join(inbound.partner),
            hint='as ["_S.", "_F."] beside pattern = "{stem}_S.TXT"',
        )
        return
    pattern, reverse = inbound.partner_name(inbound.pattern), inbound.partner[::-1]
    halves = [other for other in profile.inbound if other.pattern == pattern and other.partner == reverse]
    if not halves or inbound.kind != "result" or halves[0].kind != "result":
        source.report(
            place,
            f'no result has the pattern "{pattern}" and this one as its partner',
            wanted=f"a result with partner = {reverse}",
        )


def _check_inbound_layout(profile: Profile, inbound: Inbound, place: Place, source: TomlSource) -> None:
    layouts = profile.layouts
    if inbound.kind == "result":
        own = layouts.result
    elif inbound.kind == "statement":
        own = layouts.statement
    else:
        own = [layouts.acknowledgement] if layouts.acknowledgement else []
    if inbound.layout is None:
        wanted = f"one of [layouts] {inbound.kind}"
        source.report((*place, "layout"), f"missing, wanted {wanted}", code="missing_key", wanted=wanted)
    elif inbound.layout not in own:
        source.report(
            (*place, "layout"),
            f'"{inbound.layout}" does not stand in [layouts] {inbound.kind}',
            code="layout",
            found=inbound.layout,
            wanted=", ".join(own) or f"a name in [layouts] {inbound.kind}",
        )


def _check_told_apart(profile: Profile, source: TomlSource) -> None:
    """A name in the inbox is of one kind, and no flag or signature is taken for an answer."""
    for index, inbound in enumerate(profile.inbound):
        sample = name_pattern(inbound.pattern).sample()
        companions = {
            "flag": inbound.flag_name(sample),
            "signature": inbound.detached_signature_name(sample),
        }
        for number, other in enumerate(profile.inbound):
            place = ("inbound", number, "pattern")
            if number < index and other.match(sample):
                source.report(
                    place, f'takes "{sample}" too, a name of inbound[{index + 1}]', code="ambiguous"
                )
            for role, name in companions.items():
                if name and other.match(name):
                    source.report(
                        place,
                        f'takes "{name}" too, the {role} of a file of inbound[{index + 1}]',
                        code="ambiguous",
                    )


def _check_channel(profile: Profile, source: TomlSource) -> None:
    channel = profile.channel
    folders = {"outbox": channel.outbox, "inbox": channel.inbox, "archive": channel.archive}
    seen: dict[str, str] = {}
    for role, folder in folders.items():
        if folder is not None and folder in seen:
            source.report(
                ("channel", role),
                f'is the folder of {seen[folder]} too: "{folder}"',
                code="same_folder",
                found=folder,
            )
        elif folder is not None:
            seen[folder] = role
    needed = ("host", "user") if channel.kind == "sftp" else ("root",)
    for name in needed:
        if not getattr(channel, name):
            source.report(("channel", name), f'missing, kind = "{channel.kind}" wants it', code="missing_key")
    try:
        codecs.lookup(channel.name_encoding)
    except LookupError:
        source.report(("channel", "name_encoding"), f'there is no encoding "{channel.name_encoding}"')


def _check_rest(profile: Profile, source: TomlSource) -> None:
    names = profile.names
    if names.near and not (names.approved_by.strip() and names.approved_on):
        source.report(
            ("names", "near"),
            "names that are nearly ours are ours only where somebody approved it",
            code="missing_key",
            wanted="approved_by and approved_on",
        )
    for word in sorted(set(profile.statements.debit) & set(profile.statements.credit)):
        source.report(("statements", "debit"), f'"{word}" is a credit too', found=word)
    if profile.retry.first_delay_seconds > profile.retry.maximum_delay_seconds:
        source.report(("retry", "first_delay_seconds"), "is more than maximum_delay_seconds")
    seen: dict[str, int] = {}
    for index, alias in enumerate(profile.aliases):
        if alias.name in seen:
            line = source.line(("aliases", seen[alias.name]))
            source.report(("aliases", index, "name"), f"this name has an alias already, on line {line}")
        seen.setdefault(alias.name, index)
    for name in sorted(set(profile.values) & (OWN_NAME_FIELDS | AGREEMENT_NAME_FIELDS)):
        source.report(("values", name), "is a name that the gateway or an agreement fills: choose another")


def _check_pattern(
    text: str, known: frozenset[str] | set[str], place: Place, source: TomlSource
) -> frozenset[str] | None:
    """The pattern's fields, or None with its mistakes reported."""
    try:
        return name_pattern(text, frozenset(known)).fields
    except PatternError as error:
        for mistake in error.mistakes:
            source.report(place, mistake, code="pattern", found=text)
        return None
