"""Bytes to a bank and back: SFTP servers and folders behind one protocol.

Not here: what a file means, when to send, whether to try again.
"""

from channels.channel import Channel, Entry, Traits, Upload
from channels.errors import ChannelError
from channels.folder import FolderChannel, open_folder
from channels.probe import ServerFacts, probe
from channels.settings import FolderSettings, SftpSettings
from channels.sftp import SftpChannel, open_sftp

__all__ = [
    "Channel",
    "ChannelError",
    "Entry",
    "FolderChannel",
    "FolderSettings",
    "ServerFacts",
    "SftpChannel",
    "SftpSettings",
    "Traits",
    "Upload",
    "open_folder",
    "open_sftp",
    "probe",
]
