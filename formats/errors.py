"""What goes wrong between records and bytes.

    FormatError                 somebody else's mistake, never a bug of ours
    |-- LayoutError             a layout that cannot be used; carries every mistake in it
    |-- EncodeError             payments that do not fit a layout; nothing was written
    |   `-- SchemaError         what was written does not fit its schema: the layout or the schema is wrong
    |-- DecodeError             bytes that are not what the layout says; the reader stopped
    `-- BatchError              a batch that cannot be read at all (not there, empty, cut)

None is transient: the same input gives the same error.
"""

from __future__ import annotations

from formats.records import Problem


class FormatError(Exception):
    """Carries the problems found, all of them, in the order of the input."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("; ".join(problem.message for problem in problems[:3]))


class LayoutError(FormatError):
    """A layout is wrong; it was not loaded."""


class EncodeError(FormatError):
    """Payments do not fit; no complete file was made."""


class SchemaError(EncodeError):
    """A document that is being made is not valid by its schema; it must not be sent."""


class DecodeError(FormatError):
    """The bytes stop making sense at the problem's place."""


class BatchError(FormatError):
    """The batch as a whole cannot be taken."""
