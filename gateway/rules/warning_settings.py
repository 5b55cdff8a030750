"""From when on something is unusual enough for an early warning."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class WarningSettings(Struct, frozen=True, kw_only=True):
    """`[warnings]`: what a site finds unusual; all have defaults."""

    times_of_middle: Annotated[int, Meta(ge=2, le=1000)] = 5
    """An amount so many times the middle one of its programme in the batch."""
    payees_per_account: Annotated[int, Meta(ge=2, le=1000)] = 3
    """So many beneficiaries paid to one account."""
    changed_percent: Annotated[int, Meta(ge=1, le=100)] = 20
    """So many of a batch's payments replace others, with corrected accounts."""
    failed_percent: Annotated[int, Meta(ge=1, le=100)] = 10
    """So many of the payments that a bank has answered failed or came back."""
