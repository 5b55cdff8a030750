"""Settings report every mistake at once and keep their secrets."""

from __future__ import annotations

import subprocess
from pathlib import Path

import msgspec
import pytest

import channels
from channels import FolderSettings, SftpSettings, open_folder, open_sftp
from channels.errors import NotFound, SettingsInvalid
from channels.hostkeys import Pin, fingerprint, is_pinned, parse_pin, signature_order
from tests.servers import make_key

PIN = "SHA256:" + "A" * 43
GOOD = SftpSettings(host="sftp.bank.example", user="u", host_keys=(PIN,), password="p4ssw0rd")


def test_good_settings_have_no_problems() -> None:
    assert GOOD.problems() == []


def test_every_mistake_is_reported() -> None:
    bad = SftpSettings(
        host="",
        user="",
        host_keys=("ssh-ed25519 !!", "SHA256:AAAA", "nonsense"),
        key_passphrase="p4ss",
        port=0,
        name_encoding="klingon",
        window_bytes=1,
        prefetch=0,
        keepalive_seconds=-1,
        connect_timeout_seconds=0.0,
    )
    assert bad.problems() == [
        "host: empty",
        "user: empty",
        "key_path, password: both empty, wanted at least one",
        "key_passphrase: given without key_path",
        "name_encoding: 'klingon' is not an encoding",
        "host_keys 1: the key is not base64",
        "host_keys 2: the fingerprint holds 3 bytes, wanted 32",
        "host_keys 3: neither a public key line nor a SHA256: fingerprint",
        "port: 0, wanted 1 to 65535",
        "keepalive_seconds: -1, wanted 0 to 3600",
        "window_bytes: 1, wanted 2097152 to 16777216",
        "prefetch: 0, wanted 1 to 1024",
        "connect_timeout_seconds: 0.0, wanted 0.05 to 3600.0",
    ]
    with pytest.raises(SettingsInvalid) as caught:
        open_sftp(bad)
    assert str(caught.value) == "; ".join(bad.problems())


def test_no_pin_no_connection() -> None:
    bad = msgspec.structs.replace(GOOD, host_keys=())
    assert bad.problems() == ["host_keys: empty, wanted the key that the bank gave on paper"]


def test_secrets_are_never_printed() -> None:
    settings = msgspec.structs.replace(GOOD, key_path="/k", key_passphrase="s3same")
    shown = f"{settings!r} {settings!s} {settings}"
    assert "p4ssw0rd" not in shown
    assert "s3same" not in shown


def test_misspelled_settings_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"root": "/x", "rooot": "/y"}, FolderSettings)


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"])
def test_a_key_line_and_its_fingerprint_are_the_same_pin(tmp_path: Path, kind: str) -> None:
    line = make_key(tmp_path / "key", kind)
    shown = subprocess.run(["ssh-keygen", "-lf", "-"], input=line, capture_output=True, text=True, check=True)
    by_line, by_print = parse_pin(line + " the bank's comment"), parse_pin(shown.stdout.split()[1])
    assert by_line == Pin(digest=by_print.digest, kind=kind)


def test_a_key_that_is_not_of_its_type(tmp_path: Path) -> None:
    line = make_key(tmp_path / "key").replace("ssh-ed25519", "ssh-rsa")
    with pytest.raises(ValueError, match="not of the type"):
        parse_pin(line)


def test_only_the_pinned_bytes_are_pinned() -> None:
    pins = [parse_pin(fingerprint(b"key"))]
    assert is_pinned(b"key", pins)
    assert not is_pinned(b"kez", pins)
    assert not is_pinned(b"key", [])


def test_algorithms_of_the_pinned_keys_come_first() -> None:
    available = ("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256")
    assert signature_order([Pin(digest=b"", kind="ssh-rsa")], available) == (
        "rsa-sha2-512",
        "rsa-sha2-256",
        "ssh-ed25519",
        "ecdsa-sha2-nistp256",
    )
    assert signature_order([Pin(digest=b"")], available) == available


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        open_folder(FolderSettings(root=str(tmp_path / "missing")))


def test_the_public_face_is_what_it_says() -> None:
    assert channels.__all__ == sorted(channels.__all__)
    assert [name for name in channels.__all__ if not hasattr(channels, name)] == []
