"""The conformance kit: is a format what its paper says, and safe for money whatever comes?

For layouts and for codecs in code alike; `bankgate layout check`, and a plug-in for pytest. Nothing
that serves payments imports this package.
"""

from __future__ import annotations

from formats.conformance.kit import Effort, check_folder, check_format
from formats.conformance.report import FormatReport, Part, PartReport, all_passed

__all__ = ["Effort", "FormatReport", "Part", "PartReport", "all_passed", "check_folder", "check_format"]
