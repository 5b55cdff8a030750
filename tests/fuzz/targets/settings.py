"""What integration engineers and operators write: configuration, keyring, layouts, name patterns."""

from __future__ import annotations

import functools
import io
import tempfile
from pathlib import Path

from formats.codec import Codec, Purpose
from formats.errors import DecodeError, LayoutError
from formats.language.layout import read_layout
from formats.registry import SHIPPED_FOLDER, compile_layout
from gateway.configuration.config import load_configuration
from gateway.configuration.name_pattern import PatternError, name_pattern
from gateway.demonstration.people import BANKS
from gateway.demonstration.profile_texts import profile_text
from gateway.demonstration.settings_texts import (
    agreement_numbers,
    agreement_text,
    gateway_text,
)
from gateway.errors import ConfigurationError
from keys.errors import KeyringInvalid, KeyUnavailable
from keys.keyring import Keyring
from tests.fuzz.identities import NOW
from tests.fuzz.pieces import Pieces
from tests.fuzz.shared_memory import SHARED_MEMORY, make_folder
from tests.fuzz.target import Target

_PURPOSES = {path.stem: Purpose(path.stem.rpartition("-")[2]) for path in SHIPPED_FOLDER.glob("*.toml")}
_ENTRIES = (
    'role = "sign"\nbank = "b"\nprivate_key = "k.pem"\ncertificate = "k.crt"\n',
    'role = "verify"\nbank = "b"\nca = "ca.crt"\nsubjects = ["CN=Settlement,C=CN"]\n',
    'role = "ssh-login"\nbank = "b"\nprivate_key = "ssh"\nlogin_password = { env = "WORD" }\n',
    'role = "host-pin"\nbank = "b"\npins = ["SHA256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"]\n',
    'role = "master"\nkey = { file = "master.key" }\nvalid_from = 2026-01-31T00:00:00+08:00\n',
)


class _Site:
    """A configuration of files that an input takes the place of, one at a time."""

    def __init__(self) -> None:
        self._folder = make_folder("settings")
        for name in ("profiles", "agreements"):
            (self._folder / name).mkdir()
        bank = BANKS[0]
        number, department, _ = next(iter(agreement_numbers([bank])))
        self.texts = {
            "bankgate.toml": gateway_text(),
            "profiles/bank.toml": profile_text(bank, 2222),
            "agreements/bank.toml": agreement_text(number, department, bank, NOW.date()),
        }
        for name, text in self.texts.items():
            (self._folder / name).write_text(text, "utf-8")
        self.names = list(self.texts)

    def load(self, name: str, content: bytes) -> None:
        path = self._folder / name
        path.write_bytes(content)
        try:
            load_configuration(self._folder / "bankgate.toml", lambda folders: _PURPOSES)
        except ConfigurationError as error:
            assert error.problems
        finally:
            path.write_text(self.texts[name], "utf-8")


@functools.cache
def _site() -> _Site:
    return _Site()


def configuration(content: bytes) -> None:
    """One of the files of a configuration; every mistake is told, or it is taken."""
    pieces = Pieces(content)
    _site().load(pieces.choose(_site().names), pieces.rest())


def keyring(content: bytes) -> None:
    """The list of keys; none of the files that it names is there."""
    with tempfile.NamedTemporaryFile(dir=SHARED_MEMORY, suffix=".toml") as file:
        file.write(content)
        file.flush()
        try:
            Keyring.load(Path(file.name), "test")
        except KeyringInvalid as error:
            assert error.mistakes
        except KeyUnavailable:
            return


def layout(content: bytes) -> None:
    """A layout is taken, and then reads any bytes as it says, or its mistakes are told."""
    pieces = Pieces(content)
    read = pieces.part()
    with tempfile.NamedTemporaryFile(dir=SHARED_MEMORY, suffix=".toml") as file:
        file.write(pieces.rest())
        file.flush()
        try:
            codec: Codec = compile_layout(read_layout(Path(file.name)))
        except LayoutError as error:
            assert error.problems
            return
    try:
        for _ in codec.decode(io.BytesIO(read)):
            pass
    except DecodeError:
        return


def patterns(content: bytes) -> None:
    """A pattern and a name; a pattern that is taken takes its own sample."""
    text, _, name = content.decode("utf-8", "replace").partition("\n")
    try:
        pattern = name_pattern(text)
    except PatternError as error:
        assert error.mistakes
        return
    assert pattern.match(pattern.sample()) is not None
    pattern.match(name)
    name_pattern.cache_clear()


def _configuration_seeds() -> list[bytes]:
    return [bytes([n]) + text.encode() for n, text in enumerate(_site().texts.values())]


def _keyring_seeds() -> list[bytes]:
    entries = [f'[[key]]\nid = "k{n}"\nenvironment = "test"\n{text}' for n, text in enumerate(_ENTRIES)]
    return [entry.encode() for entry in entries] + ["\n".join(entries).encode()]


def _layout_seeds() -> list[bytes]:
    texts = [path.read_bytes() for path in sorted(SHIPPED_FOLDER.glob("*.toml"))]
    return [b"\0\5ab|1\n" + text for text in texts]


def _pattern_seeds() -> list[bytes]:
    pairs = [
        ("DF{unit_no}{bank_day:%Y%m%d}{sequence:06d}.txt", "DFSD0920260901000007.txt"),
        ("{stem}_R{number}.bxt", "DF1_R1.bxt"),
        ("{name}.{any:3}-{any}", "x.txt.abc-" + "-" * 200),
        ("{created_at:%H%M%S}{bank_day:%y%j}", "12000026244"),
        ("{any}-{any}-{stem}.x", "-" * 190),
    ]
    return [f"{pattern}\n{name}".encode() for pattern, name in pairs]


TARGETS = [
    Target(name="configuration", examine=configuration, seeds=_configuration_seeds, changes=200),
    Target(name="keyring", examine=keyring, seeds=_keyring_seeds),
    Target(name="layouts", examine=layout, seeds=_layout_seeds),
    Target(name="name-patterns", examine=patterns, seeds=_pattern_seeds, input_limit_bytes=1024),
]
