"""One bank more on a demonstration site: a bank of one's own, to try its layouts against a simulated one.

From the layouts BANK-request, BANK-result and, where there is one, BANK-acknowledgement in a folder come
a profile, an agreement with every department, keys for both sides, and the simulated bank's own folder.
All of it is the beginning of what the real bank gets; the profile is the bank's only in its layouts.
"""

from __future__ import annotations

import re
import socket
from datetime import datetime
from pathlib import Path

from formats.codec import Purpose
from formats.registry import Registry
from gateway.demonstration.draw import bank_code
from gateway.demonstration.people import DemonstrationBank
from gateway.demonstration.plan import DEPARTMENTS
from gateway.demonstration.profile_texts import added_profile_text
from gateway.demonstration.settings_texts import agreement_text
from gateway.demonstration.site import Site
from gateway.demonstration.site_keys import SiteKeys
from gateway.errors import Refused

FIRST_AGREEMENT = 901
"""Numbers of its agreements, beyond those of the demonstration's own banks."""

_GATEWAY_TABLE = re.compile(r"^\[gateway\]\n", re.MULTILINE)
_LAYOUTS = re.compile(r"^layouts\s*=", re.MULTILINE)


def add_bank(site: Site, name: str, layouts: Path, now: datetime) -> None:
    """Set the bank up. Raises `Refused` where a layout is missing, `LayoutError` where one is wrong."""
    found = _layouts_of(name, layouts)
    bank = DemonstrationBank(
        bank=name,
        title=name,
        code=bank_code("40246309999"),
        card_prefix="",
        passbook_digits=23,
        charset="gb18030",
        name_width_bytes=20,
    )
    _enter_folder(site.configuration, layouts.absolute())
    SiteKeys(site.folder, now).add(bank)
    gateway = site.configuration.parent
    for number, department in enumerate(DEPARTMENTS, _next_agreement(gateway)):
        text = agreement_text(number, department, bank, now.date())
        (gateway / "agreements" / f"{name}-{number}.toml").write_text(text, "utf-8")
    # Last, since a bank is there when its profile is.
    profile = added_profile_text(bank, _free_port(), acknowledged=Purpose.ACKNOWLEDGEMENT in found)
    (gateway / "profiles" / f"{name}.toml").write_text(profile, "utf-8")


def _next_agreement(gateway: Path) -> int:
    """The first number that no agreement of an added bank has."""
    ends = (path.stem.rpartition("-")[2] for path in (gateway / "agreements").glob("*.toml"))
    taken = [int(end) for end in ends if end.isdecimal()]
    return max([FIRST_AGREEMENT - 1, *taken]) + 1


def _layouts_of(name: str, folder: Path) -> dict[Purpose, str]:
    """The bank's layouts by purpose; each is loaded, so that a mistake is told before anything is written."""
    registry = Registry([folder])
    found: dict[Purpose, str] = {}
    for purpose in (Purpose.REQUEST, Purpose.RESULT, Purpose.ACKNOWLEDGEMENT):
        layout = f"{name}-{purpose.value}"
        try:
            registry.get(layout)
        except KeyError:
            if purpose is Purpose.ACKNOWLEDGEMENT:
                continue
            hint = f"bankgate layout new TABLE --bank {name} --purpose {purpose.value} --output {folder}"
            raise Refused(f"{folder} has no layout {layout}", hint=hint) from None
        found[purpose] = layout
    return found


def _enter_folder(configuration: Path, layouts: Path) -> None:
    """`layouts` of bankgate.toml: where the gateway finds layouts of one's own."""
    text = configuration.read_text("utf-8")
    if str(layouts) in text:
        return
    if _LAYOUTS.search(text) or not _GATEWAY_TABLE.search(text):
        hint = f"[gateway] layouts = [..., {str(layouts)!r}]"
        raise Refused(f"{configuration} names other layout folders", hint=hint)
    line = f'[gateway]\nlayouts     = ["{layouts}"]\n'
    configuration.write_text(_GATEWAY_TABLE.sub(lambda _: line, text, count=1), "utf-8")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
