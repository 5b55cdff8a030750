"""From a bank's profile and the key ring to an open channel."""

from __future__ import annotations

from pathlib import Path

from channels.channel import Channel
from channels.folder import open_folder
from channels.settings import FolderSettings, SftpSettings
from channels.sftp import open_sftp
from gateway.installation import ChannelOpener
from gateway.profile import Profile
from keys.keyring import Keyring


def channel_opener(keyring: Keyring, base: Path) -> ChannelOpener:
    """A function that connects to a bank. Relative folders are below `base`."""

    def open_channel(profile: Profile) -> Channel:
        """Raises `channels.errors.ChannelError`, `keys.errors.KeyUnavailable`."""
        settings = profile.channel
        if settings.kind == "folder":
            return open_folder(FolderSettings(root=str(base / settings.root)))
        return open_sftp(sftp_settings(profile, keyring))

    return open_channel


def sftp_settings(profile: Profile, keyring: Keyring) -> SftpSettings:
    """The channel's settings with login and host pins of the ring."""
    settings = profile.channel
    login = keyring.ssh_login(profile.bank)
    return SftpSettings(
        host=settings.host,
        port=settings.port,
        user=settings.user,
        host_keys=tuple(keyring.host_pins(profile.bank)),
        key_path="" if login.private_key is None else str(login.private_key),
        key_passphrase=login.passphrase or "",
        password=login.password or "",
        root=settings.root,
        connect_timeout_seconds=settings.connect_timeout_seconds,
        operation_timeout_seconds=settings.timeout_seconds,
        window_bytes=settings.window_bytes,
        prefetch=settings.prefetch,
    )
