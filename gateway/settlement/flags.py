"""What a bank's flag file says of the file beside it: compared where the profile says what it holds.

Name, size and digest are compared when the file is fetched; count and sum of amounts when its
records are read. A flag is not signed: it completes a file, and proves nothing.
"""

from __future__ import annotations

import re

from msgspec import Struct

FLAG_LIMIT_BYTES = 1 << 16
FLAG_FIELDS = ("name", "size", "sha256", "count", "total")
"""`total` is the sum of the amounts of all records, in minor units."""

_FIELD = re.compile(r"\{(\w+)\}")
_VALUES = {"name": r"[^\r\n]{1,200}", "sha256": "[0-9A-Fa-f]{64}"}
_NUMBER = "[0-9]{1,18}"


class Flag(Struct, frozen=True, omit_defaults=True):
    """What a flag says; None where it does not."""

    name: str | None = None
    size: int | None = None
    sha256: str | None = None
    count: int | None = None
    total: int | None = None

    def differs(self, name: str, size_bytes: int, sha256: str) -> str:
        """What it says otherwise than the file that was fetched; "" where nothing."""
        if self.name not in (None, name):
            return "the flag names another file"
        if self.size not in (None, size_bytes):
            return f"the flag says {self.size} bytes, {size_bytes} were fetched"
        if self.sha256 not in (None, sha256):
            return "the flag has another SHA-256 than what was fetched"
        return ""

    def miscounts(self, count: int, total_minor: int) -> str:
        """What it says otherwise than the records; "" where nothing."""
        if self.count not in (None, count):
            return f"the flag counts {self.count} records, {count} were read"
        if self.total not in (None, total_minor):
            return "the flag says another sum of amounts than the records"
        return ""


def read_flag(content: bytes, template: str) -> Flag | None:
    """What a flag says by the profile's template; None where it is not of that form."""
    try:
        text = content.decode("utf-8").strip()
    except UnicodeDecodeError:
        return None
    match = re.fullmatch(_expression(template.strip()), text)
    if match is None:
        return None
    said = match.groupdict()
    numbers = {field: int(said[field]) for field in ("size", "count", "total") if said.get(field)}
    digest = said.get("sha256")
    return Flag(name=said.get("name"), sha256=digest.lower() if digest else None, **numbers)


def _expression(template: str) -> str:
    """`{name}|{size}` as an expression; what is no field stands for itself."""
    parts = []
    for index, part in enumerate(_FIELD.split(template)):
        field = bool(index % 2)
        parts.append(f"(?P<{part}>{_VALUES.get(part, _NUMBER)})" if field else re.escape(part))
    return "".join(parts)
