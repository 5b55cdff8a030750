"""What a file says of itself, by the names that a layout binds."""

from __future__ import annotations

from datetime import date, datetime

from formats.codec import Purpose
from formats.records import FileIdentity


def identity_value(identity: FileIdentity, name: str, purpose: Purpose) -> str | int | date | datetime:
    """The value of `file.x`, `agreement.x`, `profile.x` or `group.x`; "" where there is none.

    A file has one group. Its reference is the message it was sent as: our own in a request,
    the original one in an answer. Other names of the group come from the profile.
    """
    family, _, key = name.partition(".")
    if family == "agreement":
        return identity.agreement.get(key, "")
    if name == "group.reference":
        return identity.message_id if purpose is Purpose.REQUEST else identity.original_message_id
    if family in ("profile", "group"):
        return identity.profile.get(key, "")
    if key == "created_on":
        return identity.created_at.date()
    if key == "total":
        return identity.total_minor
    value: str | int | date | datetime = getattr(identity, key)
    return value
