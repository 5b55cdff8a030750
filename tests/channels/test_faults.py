"""The table of faults: complete, most specific first, and it tells refusals from broken lines."""

from __future__ import annotations

import errno
import importlib
import inspect
import pkgutil
import socket

import paramiko
import pytest
from paramiko.ssh_exception import PartialAuthentication

from channels import errors
from channels.errors import ChannelError
from channels.faults import EXCEPTIONS, HINTS, STATUSES, Boundary, class_of, printable, translate


def classes_of_paramiko() -> list[type[BaseException]]:
    """Every exception class that a module of paramiko defines; agents and Windows left out."""
    found: set[type[BaseException]] = set()
    for module in pkgutil.iter_modules(paramiko.__path__):
        if module.name.startswith(("win_", "_winapi")):
            continue
        members = vars(importlib.import_module(f"paramiko.{module.name}")).values()
        found |= {
            member
            for member in members
            if inspect.isclass(member)
            and issubclass(member, BaseException)
            and member.__module__.startswith("paramiko")
        }
    return sorted(found, key=lambda one: one.__qualname__)


def test_there_is_something_to_map() -> None:
    assert len(classes_of_paramiko()) > 15


@pytest.mark.parametrize("theirs", classes_of_paramiko(), ids=lambda one: one.__qualname__)
def test_every_exception_class_of_paramiko_has_its_row(theirs: type[BaseException]) -> None:
    assert theirs in [row[0] for row in EXCEPTIONS]


def test_no_row_is_hidden_by_a_more_general_one_above() -> None:
    rows = [row[0] for row in EXCEPTIONS]
    hidden = [low for at, low in enumerate(rows) for high in rows[:at] if issubclass(low, high)]
    assert hidden == []


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (paramiko.AuthenticationException("no"), errors.AuthenticationRefused),
        (PartialAuthentication(["password"]), errors.AuthenticationRefused),
        (paramiko.BadAuthenticationType("no", ["publickey"]), errors.AuthenticationRefused),
        (paramiko.SSHException("Mismatched MAC"), errors.ConnectionLost),
        (paramiko.ChannelException(1, "prohibited"), errors.PermissionRefused),
        (paramiko.ChannelException(3, "unknown"), errors.ProtocolUnsupported),
        (paramiko.ChannelException(99, "?"), errors.ServerFault),
        (EOFError(), errors.ConnectionLost),
        (TimeoutError(), errors.TimedOut),
        (socket.gaierror(-2, "Name or service not known"), errors.Unreachable),
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), errors.Unreachable),
        (ConnectionResetError(errno.ECONNRESET, "reset"), errors.ConnectionLost),
        (OSError("Socket is closed"), errors.ConnectionLost),
        (OSError(errno.EHOSTUNREACH, "no route"), errors.Unreachable),
        (OSError(errno.ENOSPC, "full"), errors.NoSpace),
        (OSError(errno.EDQUOT, "quota"), errors.NoSpace),
        (OSError(errno.EACCES, "denied"), errors.PermissionRefused),
        (OSError(errno.EROFS, "read-only"), errors.PermissionRefused),
        (OSError(errno.EEXIST, "exists"), errors.AlreadyExists),
        (OSError(errno.ENOENT, "missing"), errors.NotFound),
        (OSError(errno.EIO, "input/output"), errors.ServerFault),
        (ValueError("a malformed packet"), errors.ConnectionLost),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else f"{type(value).__name__}{value.args}",
)
def test_what_an_exception_stands_for(error: Exception, kind: type[ChannelError]) -> None:
    assert class_of(error) is kind


def test_every_status_code_of_the_drafts_is_mapped() -> None:
    assert sorted(STATUSES) == list(range(1, 32))


def test_codes_that_say_a_disk_is_full() -> None:
    assert {code for code, kind in STATUSES.items() if kind is errors.NoSpace} == {13, 14, 15}


def leaves() -> list[type[ChannelError]]:
    return [one for one in vars(errors).values() if inspect.isclass(one) and one.__base__ is ChannelError]


def test_which_errors_are_transient() -> None:
    assert {one.__name__ for one in leaves() if one.transient} == {
        "Unreachable",
        "ConnectionLost",
        "TimedOut",
        "ServerFault",
    }


@pytest.mark.parametrize("kind", [one for one in leaves() if one is not errors.TooLarge])
def test_every_error_has_a_hint(kind: type[ChannelError]) -> None:
    assert HINTS[kind]


def test_a_boundary_lets_nothing_but_a_channel_error_out() -> None:
    with pytest.raises(errors.NoSpace) as caught, Boundary("folder /x: put a"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert str(caught.value) == "folder /x: put a: No space left on device"


def test_what_a_server_says_is_made_printable() -> None:
    assert printable("a\x1b[2Jb\r\nc\u202ed") == "a\\x1b[2Jb\\r\\nc\\u202ed"
    assert printable("x" * 300) == "x" * 200 + "..."


def test_an_exception_without_words_is_named() -> None:
    assert str(translate(EOFError(), "h:22 u: get a")) == "h:22 u: get a: EOFError"
