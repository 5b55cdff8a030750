"""Every target, by its name."""

from __future__ import annotations

from tests.fuzz.target import Target
from tests.fuzz.targets import (
    backups,
    bank_files,
    batches,
    bookings,
    dumps,
    evidence,
    lists,
    papers,
    quick_readers,
    references,
    sealed,
    seals,
    servers,
    settings,
    settlement,
    signatures,
    wrappings,
)

_MODULES = (
    servers,
    bank_files,
    dumps,
    signatures,
    wrappings,
    seals,
    sealed,
    evidence,
    quick_readers,
    backups,
    batches,
    settings,
    papers,
    references,
    settlement,
    bookings,
    lists,
)

TARGETS: dict[str, Target] = {target.name: target for module in _MODULES for target in module.TARGETS}
