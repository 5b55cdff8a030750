"""Heads at the anchor, bundles of an audit, and statements of persons: what outsiders may forge."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Any

import msgspec

from channels.folder import FolderChannel, open_folder
from channels.settings import FolderSettings
from gateway.audit import anchor
from gateway.audit.bundle import MANIFEST, SIGNATURE
from gateway.audit.heads import head_file, read_head
from gateway.audit.verify import verify
from gateway.errors import GatewayError
from gateway.persons.decisions import Statement
from keys.certified import certificate_text
from keys.statement import sign_statement
from tests.evidence.forger import Forger
from tests.fuzz.identities import stranger
from tests.fuzz.pieces import Pieces, parts
from tests.fuzz.scene import Scene, audited, scene
from tests.fuzz.shared_memory import make_folder
from tests.fuzz.target import MIB, Target
from tests.gateway.sites import CITY, PERSONS

_HEAD_NAME = "{instance}-000000000099-0123456789abcdef.head"


def heads(content: bytes) -> None:
    """The file of a head has one spelling, or is none."""
    try:
        head, statement, signature = read_head(content)
    except ValueError:
        return
    assert head_file(statement, signature) == content
    assert head.to_bytes() == statement


def anchored(content: bytes) -> None:
    """A strange head at the anchor, by whoever: the ledger is held, or the head is nothing to it."""
    pieces = Pieces(content)
    how, statement, signature = pieces.byte(), pieces.part(), pieces.rest()
    if how & 1:
        signature = sign_statement(stranger().signer("stranger"), statement)
    shared = scene()
    instance = shared.configuration.instance
    folder = _folder() / "anchor"
    name = _HEAD_NAME.format(instance=instance)
    (folder / name).write_bytes(head_file(statement, signature))
    with shared.copy() as gateway:
        installation = msgspec.structs.replace(gateway.installation, open_anchor=_open_anchor)
        settings = msgspec.structs.replace(_anchor_settings(shared), folder="")
        configuration = msgspec.structs.replace(installation.configuration, anchor=settings)
        turn = anchor.compare(msgspec.structs.replace(installation, configuration=configuration))
        assert bool(turn.found) == bool(gateway.held())


def bundles(content: bytes) -> None:
    """A bundle of which one file was changed, by somebody outside or by one who has the journal's key."""
    pieces = Pieces(content)
    how, path = pieces.byte(), pieces.choose(_bundle_files())
    before = path.read_bytes()
    place, count = pieces.number(3) % (len(before) + 1), pieces.number()
    after = before[:place] + pieces.rest() + before[place + count :]
    kept = {name: (audited().bundle / name).read_bytes() for name in (MANIFEST, SIGNATURE)}
    try:
        path.write_bytes(after)
        inside = bool(how & 1) and path.name not in kept
        if inside:
            _list_again(path.name, after)
        report = verify(
            audited().bundle,
            audited().anchor if how & 2 else None,
            audited().certificate if how & 4 else None,
        )
    finally:
        path.write_bytes(before)
        for name, text in kept.items():
            (audited().bundle / name).write_bytes(text)
    assert inside or after == before or not report.holds


def statements(content: bytes) -> None:
    """A decision that was not signed by the person it names changes nothing."""
    pieces = Pieces(content)
    how = pieces.byte()
    about, decision, person = (pieces.part().decode("utf-8", "replace") for _ in range(3))
    signature = pieces.part()
    with scene().copy() as gateway:
        statement = Statement(
            object=about, decision=decision, person=person, at="", about=_seen(pieces.rest())
        )
        if how & 1:
            try:
                statement = gateway.statement(about, decision, person)
            except GatewayError as error:
                assert str(error)
        if how & 2:
            signature = sign_statement(scene().person(), statement.to_bytes())
        try:
            gateway.decide(statement, signature)
        except GatewayError as error:
            assert str(error)
        else:
            assert how & 2
            assert person == PERSONS[0]


def _seen(content: bytes) -> dict[str, Any]:
    try:
        return dict(msgspec.json.decode(content, type=dict[str, str | int | list[str]]))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}


@functools.cache
def _folder() -> Path:
    made = make_folder("evidence")
    (made / "anchor").mkdir()
    return made


def _open_anchor() -> FolderChannel:
    return open_folder(FolderSettings(root=str(_folder() / "anchor")))


def _anchor_settings(shared: Scene) -> Any:
    assert shared.configuration.anchor is not None
    return shared.configuration.anchor


@functools.cache
def _bundle_files() -> list[Path]:
    return sorted(audited().bundle.iterdir())


@functools.cache
def _forger() -> Forger:
    return Forger(audited().bundle, audited().key, audited().certificate)


def _list_again(name: str, content: bytes) -> None:
    """Put the changed file into the manifest, and sign it with the journal's own key."""
    manifest = _forger().manifest()
    manifest["files"][name] = {
        "rows": content.count(b"\n"),
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_bytes": len(content),
    }
    _forger().sign(manifest)


def _real_head() -> bytes:
    return next(iter(sorted(scene().anchor.glob("*.head")))).read_bytes()


def _head_seeds() -> list[bytes]:
    real = _real_head()
    return [real, real.replace(b'"event":', b'"event": ')]


def _anchored_seeds() -> list[bytes]:
    """The gateway's own head under another name; a stranger's, with his certificate, of that name."""
    head, statement, signature = read_head(_real_head())
    strange = msgspec.structs.replace(
        head, event=99, hash="0123456789abcdef" * 4, certificate=certificate_text(stranger().signer("s"))
    )
    return [
        b"\0" + parts(statement) + signature,
        b"\1" + parts(strange.to_bytes()),
        b"\1" + parts(msgspec.structs.replace(strange, at="2026-09-01").to_bytes()),
    ]


def _bundle_seeds() -> list[bytes]:
    found = []
    for number, path in enumerate(_bundle_files()):
        start = bytes([number]) + b"\0\0\5\0\3"
        found += [b"\0" + start + b'"x"', b"\7" + start, b"\1" + bytes([number]) + b"\0\0\0\0\0"]
        if path.suffix == ".jsonl" and path.stat().st_size:
            line = path.read_bytes().splitlines(keepends=True)[0]
            found += [b"\7" + bytes([number]) + bytes(3) + len(line).to_bytes(2, "big") + line[:9000]]
    return found


def _statement_seeds() -> list[bytes]:
    person = PERSONS[0].encode()
    with scene().copy() as gateway:
        names = [f"file:{CITY}/{gateway.files()[0].name}", f"batch:yikatong/B-{CITY}"]
    objects = [
        *names,
        "received:1",
        "payment:yikatong/city-bank-00001",
        "bank:city-bank",
        "nothing",
        "received:²",
        f"received:{10**30}",
    ]
    return [
        bytes([how]) + parts(name.encode(), decision, person, b"AAAA") + b'{"state":"sent"}'
        for how in (0, 3)
        for name in objects
        for decision in (b"clear", b"release")
    ]


TARGETS = [
    Target(name="heads", examine=heads, seeds=_head_seeds, input_limit_bytes=4096),
    Target(
        name="heads-at-the-anchor",
        examine=anchored,
        seeds=_anchored_seeds,
        input_limit_bytes=4096,
        changes=100,
    ),
    Target(name="audit-bundles", examine=bundles, seeds=_bundle_seeds, memory_bytes=96 * MIB, changes=200),
    Target(
        name="statements", examine=statements, seeds=_statement_seeds, input_limit_bytes=2048, changes=200
    ),
]
