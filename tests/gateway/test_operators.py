"""Persons enrolled, renewed and ended: by commands, by hand, and through a crash between the files."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from gateway import DecisionRefused, ExitCode, Gateway
from gateway.errors import Conflict, Locked, StorageFailed
from gateway.persons import enrolment as enrolment_module
from gateway.settlement.replacement import Replacement, only_one
from keys.keyring import Keyring
from keys.person_key import new_person_key, read_person_key
from keys.private import load_signer
from keys.statement import sign_statement
from tests.gateway.commands import Commands, at_a_terminal
from tests.gateway.sites import CITY, NOW, PERSONS, Ground, payments_of

A, B = PERSONS
WORD = "correct horse"


class Home:
    """Where persons make their keys."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def new(self, name: str, word: bytes | None = None) -> Path:
        """The public half, to be handed in."""
        return new_person_key(self.folder / f"{name}.pem", "ec-p256", word)[1]

    def word(self) -> Path:
        path = self.folder / "word"
        path.touch(0o600)
        path.write_text(f"{WORD}\n", "utf-8")
        return path


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def texts(ground: Ground) -> dict[str, str]:
    folder = ground.site.configuration.parent
    return {name: (folder / name).read_text("utf-8") for name in ("bankgate.toml", "keys.toml")}


def may_decide(ground: Ground) -> list[str]:
    with ground.open() as gateway:
        return sorted(one.person for one in gateway.operators() if one.state == "in_force")


def enrolled_events(ground: Ground) -> list[set[str]]:
    """Who could decide by each event that tells of it: persons whose keys have no end there."""
    bodies = ground.rows("SELECT body FROM event WHERE kind = 'persons enrolled' ORDER BY event_pk")
    return [
        {key["person"] for key in json.loads(str(body))["persons"] if key["valid_until"] is None}
        for (body,) in bodies
    ]


def decide(gateway: Gateway, about: str, person: str, key: Path) -> bool:
    statement = gateway.statement(about, "release", person)
    return gateway.decide(statement, sign_statement(load_signer(person, key), statement.to_bytes()))


def waiting_batch(ground: Ground, gateway: Gateway, batch_id: str = "B-1") -> str:
    payments = payments_of(CITY, 2, prefix=batch_id)
    gateway.submit(ground.write(ground.batch(payments, batch_id), payments))
    return f"batch:yikatong/{batch_id}"


# Enrolling.


def test_an_enrolled_person_decides(ground: Ground, bankgate: Commands, home: Home) -> None:
    public = home.new("li")
    before = texts(ground)
    said = bankgate("operator", "add", "li", "--title", "李", "--public-key", public)
    assert (said.code, said.err) == (ExitCode.DONE, "")
    assert f"may decide now: li, {A}, {B}" in said.out
    for name, text in texts(ground).items():
        assert text.startswith(before[name])
    folder = ground.site.configuration.parent
    assert tomllib.loads(texts(ground)["bankgate.toml"])["person"]["li"] == {"name": "李"}
    assert (folder / "keys" / "li.pub").read_bytes() == public.read_bytes()
    with ground.open() as gateway:
        about = waiting_batch(ground, gateway)
        assert decide(gateway, about, "li", home.folder / "li.pem") is False
        assert ground.decide(gateway, about, "release", A) == [True]


def test_modes_and_line_ends_of_the_files_stay(ground: Ground, bankgate: Commands, home: Home) -> None:
    folder = ground.site.configuration.parent
    main, ring = folder / "bankgate.toml", folder / "keys.toml"
    main.write_bytes(b"\xef\xbb\xbf" + main.read_bytes().replace(b"\n", b"\r\n"))
    main.chmod(0o640)
    ring.chmod(0o604)
    before = main.read_bytes()
    assert bankgate("operator", "add", "li", "--title", "李", "--public-key", home.new("li")).code == 0
    assert [path.stat().st_mode & 0o777 for path in (main, ring)] == [0o640, 0o604]
    added = main.read_bytes().removeprefix(before)
    assert (added.count(b"\r\n"), added.count(b"\n"), main.read_bytes().startswith(before)) == (3, 3, True)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["Li", "--title", "李"], "cannot be a person's name"),
        (["li"], "the title is wanted"),
        (["li", "--title", "a\nb"], "characters that do not belong"),
        ([A, "--title", "李"], f"{A} is called"),
        ([A], "has another key in force"),
    ],
)
def test_what_is_not_enrolled(
    ground: Ground, bankgate: Commands, home: Home, arguments: list[str], complaint: str
) -> None:
    before = texts(ground)
    said = bankgate("operator", "add", *arguments, "--public-key", home.new("li"))
    assert (said.code, complaint in said.err) == (ExitCode.REFUSED_INPUT, True), said.err
    assert texts(ground) == before
    assert list((ground.site.configuration.parent / "keys").glob("*li*.pub")) == []


def test_one_key_is_one_person(ground: Ground, bankgate: Commands, home: Home) -> None:
    public = home.new("li")
    assert bankgate("operator", "add", "li", "--title", "李", "--public-key", public).code == 0
    for name, title in (("li", "李"), ("wang", "王")):
        said = bankgate("operator", "add", name, "--title", title, "--public-key", public)
        assert (said.code, "enrolled" in said.err) == (ExitCode.REFUSED_INPUT, True)
    # Written by hand, the ring itself refuses it.
    with (ground.site.configuration.parent / "keys.toml").open("a") as ring:
        ring.write(
            '\n[[key]]\nid = "w"\nrole = "person"\nperson = "wang"\nenvironment = "test"\n'
            'public_key = "keys/li.pub"\n'
        )
    said = bankgate("operator", "list")
    assert (said.code, "the same key is enrolled" in said.err) == (ExitCode.BAD_USAGE, True)


def test_a_configuration_with_mistakes_is_not_changed(ground: Ground, bankgate: Commands, home: Home) -> None:
    with ground.site.configuration.open("a") as main:
        main.write("\n[persons]\n")
    before = texts(ground)
    said = bankgate("operator", "add", "li", "--title", "李", "--public-key", home.new("li"))
    assert (said.code, "unknown key" in said.err, texts(ground)) == (ExitCode.BAD_USAGE, True, before)


def test_what_would_not_load_is_not_put_in_place(
    ground: Ground, bankgate: Commands, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is wrong with the new files shows before they are anybody's."""
    monkeypatch.setattr(enrolment_module, "with_block", lambda text, *_, **__: text + "\n[nonsense]\n")
    before = texts(ground)
    said = bankgate("operator", "add", "li", "--title", "李", "--public-key", home.new("li"))
    assert (said.code, texts(ground)) == (ExitCode.BAD_USAGE, before)
    folder = ground.site.configuration.parent
    assert [*folder.glob(".*.new"), *folder.glob("keys/li.pub")] == []


# Ending, and another key.


def test_a_removed_person_decides_no_more_and_what_he_signed_stays(
    ground: Ground, bankgate: Commands, home: Home
) -> None:
    assert bankgate("operator", "add", "li", "--title", "李", "--public-key", home.new("li")).code == 0
    ground.clock.turn(seconds=1)
    with ground.open() as gateway:
        about = waiting_batch(ground, gateway)
        decide(gateway, about, "li", home.folder / "li.pem")
    ground.clock.turn(hours=1)
    said = bankgate("operator", "remove", "li")
    assert (said.code, f"may decide now: {A}, {B}" in said.out) == (ExitCode.DONE, True)
    with ground.open() as gateway:
        other = waiting_batch(ground, gateway, "B-2")
        with pytest.raises(DecisionRefused, match="no key of role person for li"):
            decide(gateway, other, "li", home.folder / "li.pem")
        (li,) = [one for one in gateway.operators() if one.person == "li"]
        assert (li.state, li.decisions, li.valid_until) == ("ended", 1, ground.clock.now())
        gateway.audit_export(home.folder / "bundle")
    said = bankgate("audit", "verify", home.folder / "bundle")
    assert (said.code, "holds" in said.out) == (ExitCode.DONE, True), said.out
    assert bankgate("operator", "remove", "li").code == ExitCode.REFUSED_INPUT
    assert bankgate("operator", "remove", "nobody").code == ExitCode.BAD_USAGE


def test_enrolled_and_removed_within_a_second(ground: Ground, bankgate: Commands, home: Home) -> None:
    assert bankgate("operator", "add", "li", "--title", "李", "--public-key", home.new("li")).code == 0
    said = bankgate("operator", "remove", "li")
    assert (said.code, f"may decide now: {A}, {B}" in said.out) == (ExitCode.DONE, True), said.err
    ground.clock.turn(seconds=1)
    assert may_decide(ground) == [A, B]


def test_a_renewed_key_takes_over(ground: Ground, bankgate: Commands, home: Home) -> None:
    for number in (1, 2):
        home.new(f"li-{number}")
    first, second = home.folder / "li-1.pub", home.folder / "li-2.pub"
    assert bankgate("operator", "add", "li", "--title", "李", "--public-key", first).code == 0
    ground.clock.turn(days=30)
    assert bankgate("operator", "add", "li", "--public-key", second, "--renew").code == 0
    with ground.open() as gateway:
        about = waiting_batch(ground, gateway)
        with pytest.raises(DecisionRefused, match="not li's"):
            decide(gateway, about, "li", home.folder / "li-1.pem")
        assert decide(gateway, about, "li", home.folder / "li-2.pem") is False
        told = [(one.key_id, one.state, one.decisions) for one in gateway.operators() if one.person == "li"]
    assert told == [("li", "ended", 0), ("li-2", "in_force", 1)]


def test_somebody_who_comes_back(ground: Ground, bankgate: Commands, home: Home) -> None:
    public = home.new("li")
    assert bankgate("operator", "add", "li", "--title", "李", "--public-key", public).code == 0
    ground.clock.turn(days=1)
    assert bankgate("operator", "remove", "li").code == 0
    ground.clock.turn(days=1)
    assert bankgate("operator", "add", "li", "--public-key", public).code == 0
    assert may_decide(ground) == ["li", A, B]


def test_fewer_than_two_is_told(ground: Ground, bankgate: Commands) -> None:
    said = bankgate("operator", "remove", A)
    assert (said.code, "fewer than two" in said.out) == (ExitCode.DONE, True)


# Crashes and others.


def _crash_at(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The process dies where this file would be put in place."""
    publish: Callable[[Replacement], None] = Replacement.publish

    def dying(self: Replacement) -> None:
        if self.path.name == name:
            raise SystemExit(137)
        publish(self)

    monkeypatch.setattr(Replacement, "publish", dying)
    # A dead process cleans nothing up.
    monkeypatch.setattr(Replacement, "discard", lambda self: None)


@pytest.mark.parametrize("name", ["keys.toml", "bankgate.toml"])
def test_a_crash_between_the_files_is_completed_by_the_same_command(
    ground: Ground, bankgate: Commands, home: Home, name: str
) -> None:
    public = home.new("li")
    with pytest.MonkeyPatch.context() as patch:
        _crash_at(patch, name)
        assert bankgate("operator", "add", "li", "--title", "李", "--public-key", public).code == 137
    assert may_decide(ground) == [A, B]
    with ground.open() as gateway:
        about = waiting_batch(ground, gateway)
        with pytest.raises(DecisionRefused, match="not enrolled"):
            decide(gateway, about, "li", home.folder / "li.pem")
    said = bankgate("operator", "add", "li", "--title", "李", "--public-key", public)
    assert (said.code, "interrupted enrolment was completed" in said.out) == (0, name == "bankgate.toml")
    assert may_decide(ground) == ["li", A, B]
    assert texts(ground)["keys.toml"].count('person = "li"') == 1
    assert list(ground.site.configuration.parent.glob(".*.new")) == []


def test_somebody_edits_the_ring_meanwhile(
    ground: Ground, bankgate: Commands, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = ground.site.configuration.with_name("keys.toml")
    look_at = enrolment_module._Change._look_at

    def edited(change: enrolment_module._Change, drafts: list[Replacement]) -> None:
        look_at(change, drafts)
        ring.write_text(f"{ring.read_text('utf-8')}# a note\n", "utf-8")

    monkeypatch.setattr(enrolment_module._Change, "_look_at", edited)
    said = bankgate("operator", "add", "li", "--title", "李", "--public-key", home.new("li"))
    assert (said.code, "changed by somebody else" in said.err) == (ExitCode.REFUSED_INPUT, True)
    assert (ring.read_text("utf-8").endswith("# a note\n"), may_decide(ground)) == (True, [A, B])


def test_one_change_at_a_time(ground: Ground, bankgate: Commands, home: Home) -> None:
    with only_one(ground.site.configuration.parent):
        said = bankgate("operator", "add", "li", "--title", "李", "--public-key", home.new("li"))
    assert (said.code, "another process changes files" in said.err) == (ExitCode.BAD_USAGE, True)
    with (
        only_one(ground.site.configuration.parent),
        pytest.raises(Locked),
        only_one(ground.site.configuration.parent),
    ):
        pass


def test_a_link_is_left_to_a_person(ground: Ground, bankgate: Commands, home: Home, tmp_path: Path) -> None:
    ring = ground.site.configuration.with_name("keys.toml")
    ring.rename(ring.with_name("elsewhere.toml"))
    ring.symlink_to("elsewhere.toml")
    said = bankgate("operator", "add", "li", "--title", "李", "--public-key", home.new("li"))
    assert (said.code, "is not a file by itself" in said.err) == (ExitCode.REFUSED_INPUT, True)
    assert ring.is_symlink()


def test_a_folder_that_takes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "keys.toml"
    path.write_text("old", "utf-8")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFailed, match="No space left"):
        Replacement(path, b"old", b"new")
    monkeypatch.undo()
    assert ([one.name for one in tmp_path.iterdir()], path.read_text("utf-8")) == (["keys.toml"], "old")
    draft = Replacement(path, b"other", b"new")
    with pytest.raises(Conflict):
        draft.publish()


# What the journal says.


def test_the_journal_tells_of_every_change_once(ground: Ground, bankgate: Commands, home: Home) -> None:
    ground.bank(CITY)
    for _ in range(2):
        assert bankgate("run").code == 0
    assert enrolled_events(ground) == [{A, B}]
    assert bankgate("operator", "add", "li", "--title", "李", "--public-key", home.new("li")).code == 0
    ground.clock.turn(days=1)
    assert bankgate("operator", "remove", "li").code == 0
    assert bankgate("run").code == 0
    assert enrolled_events(ground) == [{A, B}, {A, B, "li"}, {A, B}]


def test_a_change_by_hand_is_told_before_anything_is_decided(ground: Ground, home: Home) -> None:
    """Whoever edits the files enrols himself, decides, and takes himself out again."""
    folder = ground.site.configuration.parent
    with ground.open() as gateway:
        gateway.run()
        about = waiting_batch(ground, gateway)
    before = texts(ground)
    home.new("eve")
    (folder / "keys" / "eve.pub").write_bytes((home.folder / "eve.pub").read_bytes())
    (folder / "keys.toml").write_text(
        before["keys.toml"] + '\n[[key]]\nid = "eve"\nrole = "person"\nperson = "eve"\nenvironment = "test"\n'
        'public_key = "keys/eve.pub"\n',
        "utf-8",
    )
    (folder / "bankgate.toml").write_text(f'{before["bankgate.toml"]}\n[person.eve]\nname = "E"\n', "utf-8")
    with ground.open() as gateway:
        decide(gateway, about, "eve", home.folder / "eve.pem")
    for name, text in before.items():
        (folder / name).write_text(text, "utf-8")
    with ground.open() as gateway:
        report = gateway.run()
    assert enrolled_events(ground) == [{A, B}, {A, B, "eve"}, {A, B}]
    kinds = [kind for (kind,) in ground.rows("SELECT kind FROM event ORDER BY event_pk")]
    assert (
        kinds.index("decision") == [at for at, kind in enumerate(kinds) if kind == "persons enrolled"][1] + 1
    )
    assert [warning for warning in report.warnings if "eve's key" in warning and "is gone" in warning]


def test_the_first_look_is_no_change(ground: Ground) -> None:
    with ground.open() as gateway:
        assert [line for line in gateway.run().warnings if "may decide" in line] == []


# Keys with a passphrase.


def test_a_passphrase_from_a_file(
    ground: Ground, bankgate: Commands, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, word = home.folder / "li.pem", home.word()
    assert bankgate("operator", "new-key", "--output", key, "--passphrase", f"file:{word}").code == 0
    assert (
        bankgate("operator", "add", "li", "--title", "李", "--public-key", key.with_suffix(".pub")).code == 0
    )
    with ground.open() as gateway:
        waiting_batch(ground, gateway)
    as_li = ("release", "B-1", "--as", "li", "--key", key)
    said = bankgate(*as_li)
    assert (said.code, "no terminal to ask at" in said.err) == (ExitCode.BAD_USAGE, True)
    monkeypatch.setenv("LI_WORD", "wrong")
    said = bankgate(*as_li, "--passphrase", "env:LI_WORD")
    assert (said.code, "does not open" in said.err, WORD in said.err) == (ExitCode.BAD_USAGE, True, False)
    assert bankgate(*as_li, "--passphrase", f"file:{word}").code == ExitCode.NEEDS_PERSON
    said = bankgate("held", "--json")
    assert [way["persons"] for way in json.loads(said.out)[0]["ways"] if way["decision"] == "release"] == [
        ["li"]
    ]


def test_new_keys_are_protected_unless_one_says_otherwise(home: Home, bankgate: Commands) -> None:
    said = bankgate("operator", "new-key", "--output", home.folder / "a.pem")
    assert (said.code, "no terminal" in said.err, [*home.folder.iterdir()]) == (ExitCode.BAD_USAGE, True, [])
    said = bankgate("operator", "new-key", "--output", home.folder / "a.pem", "--no-passphrase")
    assert (said.code, "hand it in" in said.out) == (ExitCode.DONE, True)
    both = ("--no-passphrase", "--passphrase", "env:X")
    assert (
        bankgate("operator", "new-key", "--output", home.folder / "b.pem", *both).code == ExitCode.BAD_USAGE
    )


def test_the_terminal_is_asked(ground: Ground, home: Home) -> None:
    """At a real terminal: twice for a new key, once to sign; what is typed is not shown."""
    key = home.folder / "li.pem"
    code, shown = at_a_terminal(["operator", "new-key", "--output", str(key)], [WORD, WORD])
    assert (code, WORD in shown, "hand it in" in shown) == (0, False, True), shown
    again = ["operator", "new-key", "--output", str(home.folder / "wang.pem")]
    code, shown = at_a_terminal(again, [WORD, "another", WORD, WORD])
    assert (code, "do not match" in shown) == (0, True), shown
    config = ["--config", str(ground.site.configuration)]
    added = ["operator", "add", "li", "--title", "李", "--public-key", str(key.with_suffix(".pub"))]
    code, shown = at_a_terminal([*added, *config], ["00" * 8])
    assert (code, "not the key that its owner reads out" in shown) == (3, True), shown
    told = read_person_key(key.with_suffix(".pub")).sha256[:16].upper()
    assert at_a_terminal([*added, *config], [" ".join([told[:8], told[8:]])])[0] == 0
    with ground.open() as gateway:
        waiting_batch(ground, gateway)
    released = ["release", "B-1", "--as", "li", "--key", str(key), *config]
    code, shown = at_a_terminal(released, [WORD])
    assert (code, WORD in shown, "another person must decide" in shown) == (1, False, True), shown


def test_lists_are_json_too(ground: Ground, bankgate: Commands) -> None:
    said = bankgate("operator", "list", "--json")
    told = json.loads(said.out)
    ring = Keyring.load(ground.site.configuration.with_name("keys.toml"), "test")
    assert [(one["person"], one["state"], one["decisions"]) for one in told] == [
        (A, "in_force", 0),
        (B, "in_force", 0),
    ]
    assert [told[0]["algorithm"]] == [key.algorithm for key in ring.person_keys(A, NOW)]
    assert msgspec.json.encode(told)


def test_who_left_between_the_signatures_does_not_count(
    ground: Ground, bankgate: Commands, home: Home
) -> None:
    assert bankgate("operator", "add", "li", "--title", "李", "--public-key", home.new("li")).code == 0
    with ground.open() as gateway:
        about = waiting_batch(ground, gateway)
        assert decide(gateway, about, "li", home.folder / "li.pem") is False
    ground.clock.turn(hours=1)
    assert bankgate("operator", "remove", "li").code == 0
    with ground.open() as gateway:
        assert ground.decide(gateway, about, "release", A, B) == [False, True]
