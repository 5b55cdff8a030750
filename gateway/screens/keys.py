"""What `bankgate key` prints. No secret is ever among it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.markup import escape

from gateway.configuration.key_check import KeyFinding, KeyReport, KeyState
from gateway.screens import screen
from gateway.store.rewrap import Rewrapped
from keys.keyring_listed import Listed
from keys.new_key import MadeKey

_COLOURS = {KeyState.MISSING: "bold red", KeyState.ENDS: "yellow"}


def show_keys(listed: Sequence[Listed], at: datetime, json: bool) -> None:
    if json:
        screen.as_json([{**screen.plain(row), "state": _state(row, at)} for row in listed])
        return
    names = ("key", "role", "owner", "kind", "in_force_until")
    table = screen.table(*names, whole=("key", "role", "in_force_until"))
    for row in listed:
        table.add_row(escape(row.key_id), row.role, escape(row.owner), row.kind, _window(row, at))
    screen.show(table)


def show_check(report: KeyReport, json: bool) -> None:
    if json:
        screen.as_json({**screen.plain(report), "exit_code": int(report.exit_code)})
        return
    for finding in report.findings:
        screen.say(f"{_marked(finding)}: {escape(finding.message)}")
        if finding.hint:
            screen.say(f"  {screen.word('hint')}: {escape(finding.hint)}")
    urgent = sum(finding.urgent for finding in report.findings)
    verdict = screen.word("keys_urgent") if urgent else screen.word("keys_well")
    screen.say(f"{report.environment}: {report.keys} {screen.word('keys_unit')}, {verdict}")


def show_rewrapped(done: Rewrapped, json: bool) -> None:
    if json:
        screen.as_json(screen.plain(done))
        return
    screen.say(screen.word("rewrapped").format(done.files, done.texts, escape(done.master)))
    for master, count in done.left.items():
        screen.say(screen.word("rewrap_left").format(count, escape(master)))
    for name in done.damaged:
        screen.say(screen.word("rewrap_damaged").format(escape(name)))


def show_made(name: str, made: MadeKey) -> None:
    """The new files, and the entry that the ring wants."""
    for path in (made.private, made.public):
        if path is not None:
            screen.say(escape(str(path)))
    screen.say("")
    for line in ("[[key]]", f'id = "{name}"', 'role = "..."', 'environment = "..."', *made.entry):
        screen.say(escape(line))


def _marked(finding: KeyFinding) -> str:
    label = screen.word(f"key_{finding.state.value}")
    colour = _COLOURS.get(finding.state, "dim") if finding.urgent else "dim"
    return f"[{colour}]{label}[/]"


def _state(row: Listed, at: datetime) -> str:
    if row.in_force(at):
        return "in_force"
    return "later" if row.valid_from is not None and at < row.valid_from else "ended"


def _window(row: Listed, at: datetime) -> str:
    """Until when; and what there is to say beside the day where the key is not in force."""
    state = _state(row, at)
    if state == "later":
        return f"{screen.word('key_later')} {row.valid_from:%Y-%m-%d}"
    day = "" if row.valid_until is None else f"{row.valid_until:%Y-%m-%d}"
    return day if state == "in_force" else f"{screen.word('key_ended')} {day}"
