"""What `bankgate operator` prints: names, fingerprints, times; never a key."""

from __future__ import annotations

from pathlib import Path

from rich.markup import escape

from gateway.persons.enrolled import Operator
from gateway.persons.enrolment import EnrolmentChange
from gateway.screens import screen
from keys.person_key import PersonKey

_FINGERPRINT_GROUP = 4
_SHOWN_DIGITS = 16
"""Of a fingerprint in a list; `--json` has all of it."""
_PERSONS_NEEDED = 2
"""Decisions that can cost money need so many."""


def show_made(private: Path, public: Path, key: PersonKey) -> None:
    """Both files, and what is compared when the public half is handed in."""
    screen.say(f"{escape(str(private))}  {screen.word('keep_private')}")
    screen.say(f"{escape(str(public))}  {screen.word('hand_in')}")
    screen.say(f"{key.kind}, {screen.word('fingerprint')} {_grouped(key.sha256)}")


def show_changed(changed: EnrolmentChange, json: bool) -> None:
    if json:
        screen.as_json(changed)
        return
    for key in changed.keys:
        word = screen.word("key_begins" if key.begins else "key_ends_now")
        screen.say(f"{changed.person}: {word} {key.key_id}, {changed.at:%Y-%m-%d %H:%M:%S} UTC")
        screen.say(f"  {screen.word('fingerprint')} {_grouped(key.sha256)}")
    if changed.completed:
        screen.say(f"  {screen.word('completed')}")
    for path in changed.files:
        screen.say(f"  {screen.word('written')}: {escape(str(path))}")
    screen.say(f"{screen.word('may_decide')}: {', '.join(changed.may_decide) or '-'}")
    if len(changed.may_decide) < _PERSONS_NEEDED:
        screen.say(f"[yellow]{screen.word('attention')}:[/] {screen.word('too_few_persons')}")
    screen.say(screen.word("open_again"))


def show_operators(operators: list[Operator], json: bool) -> None:
    if json:
        screen.as_json(operators)
        return
    shown = screen.table(
        "person",
        "title",
        "key",
        "fingerprint",
        "in_force_from",
        "in_force_until",
        "decisions",
        whole=("person", "key"),
    )
    for one in operators:
        begin = "" if one.valid_from is None else f"{one.valid_from:%Y-%m-%d}"
        end = "" if one.valid_until is None else f"{one.valid_until:%Y-%m-%d}"
        shown.add_row(
            escape(one.person),
            escape(one.title),
            escape(one.key_id),
            one.key_sha256[:_SHOWN_DIGITS],
            begin,
            end if one.state == "in_force" else f"{screen.word(f'person_{one.state}')} {end}".strip(),
            str(one.decisions),
        )
    screen.show(shown)


def _grouped(digest: str) -> str:
    """In groups, as it is read out on the telephone."""
    places = range(0, len(digest), _FINGERPRINT_GROUP)
    return " ".join(digest[place : place + _FINGERPRINT_GROUP] for place in places)
