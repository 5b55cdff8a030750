"""From a bank's profile, or the anchor's settings, and the key ring to an open channel."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from channels.channel import Channel
from channels.folder import open_folder
from channels.settings import FolderSettings, SftpSettings
from channels.sftp import open_sftp
from gateway.configuration.config import AnchorSettings, Configuration
from gateway.configuration.profile import Profile
from gateway.installation import AnchorOpener, ChannelOpener
from gateway.ports import Clock
from keys.keyring import Keyring


def channel_opener(keyring: Keyring, base: Path, clock: Clock) -> ChannelOpener:
    """A function that connects to a bank. Relative folders are below `base`.

    Logins and pins are those in force at the moment of connecting.
    """

    def open_channel(profile: Profile) -> Channel:
        """Raises `channels.errors.ChannelError`, `keys.errors.KeyUnavailable`."""
        settings = profile.channel
        if settings.kind == "folder":
            return open_folder(FolderSettings(root=str(base / settings.root)))
        return open_sftp(sftp_settings(profile, keyring, clock.now()))

    return open_channel


def anchor_opener(configuration: Configuration, keyring: Keyring, clock: Clock) -> AnchorOpener | None:
    """A function that connects to the anchor; None where none is configured."""
    anchor = configuration.anchor
    if anchor is None:
        return None

    def open_anchor() -> Channel:
        """Raises `channels.errors.ChannelError`, `keys.errors.KeyUnavailable`."""
        if anchor.kind == "folder":
            return open_folder(FolderSettings(root=str(configuration.path.parent / anchor.root)))
        return open_sftp(anchor_settings(anchor, keyring, clock.now()))

    return open_anchor


def anchor_settings(anchor: AnchorSettings, keyring: Keyring, at: datetime) -> SftpSettings:
    """The anchor's settings with login and host pins of the ring that are in force at `at`."""
    login = keyring.ssh_login(anchor.login, at)
    return SftpSettings(
        host=anchor.host,
        port=anchor.port,
        user=anchor.user,
        host_keys=tuple(keyring.host_pins(anchor.login, at)),
        key_path="" if login.private_key is None else str(login.private_key),
        key_passphrase=login.passphrase or "",
        password=login.password or "",
        root=anchor.root,
        connect_timeout_seconds=anchor.connect_timeout_seconds,
        operation_timeout_seconds=anchor.timeout_seconds,
    )


def sftp_settings(profile: Profile, keyring: Keyring, at: datetime) -> SftpSettings:
    """The channel's settings with login and host pins of the ring that are in force at `at`."""
    settings = profile.channel
    login = keyring.ssh_login(profile.bank, at)
    return SftpSettings(
        host=settings.host,
        port=settings.port,
        user=settings.user,
        host_keys=tuple(keyring.host_pins(profile.bank, at)),
        key_path="" if login.private_key is None else str(login.private_key),
        key_passphrase=login.passphrase or "",
        password=login.password or "",
        root=settings.root,
        connect_timeout_seconds=settings.connect_timeout_seconds,
        operation_timeout_seconds=settings.timeout_seconds,
        window_bytes=settings.window_bytes,
        prefetch=settings.prefetch,
        name_encoding=settings.name_encoding,
        rename_refuses_existing=settings.rename_refuses_existing,
        exclusive_create=settings.exclusive_create,
    )
