"""The conformance kit: every part on a format, every format of a folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from formats.conformance.code_tables import check_codes
from formats.conformance.golden import check_vectors
from formats.conformance.limits import check_limits
from formats.conformance.lint import lint
from formats.conformance.mutation import CHANGES, check_mutations
from formats.conformance.overflow import check_totals
from formats.conformance.report import FormatReport, Part, PartReport
from formats.conformance.round_trip import check_round_trip
from formats.conformance.speed import ROWS, check_speed
from formats.conformance.subjects import CHOICE, Broken, Subject, load_subject, names_in


class Effort(Struct, frozen=True, kw_only=True):
    """How much is done. `changes`: values that each byte of a golden file is changed to.

    `speed_rows` 0: speed is not measured.
    """

    changes: int = CHANGES
    speed_rows: int = ROWS


USUAL_EFFORT = Effort()


def check_folder(
    folder: Path, names: Sequence[str] | None = None, effort: Effort = USUAL_EFFORT
) -> list[FormatReport]:
    """All formats of a folder, or those named, each by every part."""
    return [check_format(name, folder, effort) for name in (names_in(folder) if names is None else names)]


def check_format(
    name: str, folder: Path, effort: Effort = USUAL_EFFORT, beside: Sequence[Path] = ()
) -> FormatReport:
    """One format; those that it names may lie in folders beside. What cannot be loaded has that part only."""
    return check_subject(load_subject(name, folder, beside), effort)


def check_subject(subject: Subject | Broken, effort: Effort = USUAL_EFFORT) -> FormatReport:
    """One format that was loaded already, or could not be."""
    if isinstance(subject, Broken):
        load = PartReport(part=Part.LOAD, problems=subject.problems)
        return FormatReport(name=subject.name, kind=subject.kind, parts=[load])
    return FormatReport(
        name=subject.name,
        kind=subject.kind,
        version=subject.codec.version,
        purpose=subject.codec.purpose.value,
        digest=subject.codec.digest,
        parts=[
            PartReport(part=Part.LOAD),
            *(_guarded(part, act) for part, act in parts_of(subject, effort).items()),
        ],
    )


def _guarded(part: Part, act: Callable[[], PartReport]) -> PartReport:
    """A codec in code may fail where nobody asked it to read or write: that too is told, not raised."""
    try:
        return act()
    except Exception as error:  # noqa: BLE001 - whatever a codec raises is what is looked for
        report = PartReport(part=part)
        report.add("crash", f"{part} ended with {type(error).__name__}: {error}", hint="see formats/codec.py")
        return report


def parts_of(subject: Subject, effort: Effort = USUAL_EFFORT) -> dict[Part, Callable[[], PartReport]]:
    """What is done with a format that could be loaded, in this order.

    Of a choice only golden files are read: the layouts that it names are formats of their own.
    """
    parts: dict[Part, Callable[[], PartReport]] = {
        Part.LINT: lambda: lint(subject),
        Part.VECTORS: lambda: check_vectors(subject),
    }
    if subject.kind == CHOICE:
        return parts
    parts |= {
        Part.ROUND_TRIP: lambda: check_round_trip(subject),
        Part.LIMITS: lambda: check_limits(subject),
        Part.TOTALS: lambda: check_totals(subject),
        Part.CODES: lambda: check_codes(subject),
        Part.MUTATION: lambda: check_mutations(subject, effort.changes),
    }
    if effort.speed_rows:
        parts[Part.SPEED] = lambda: check_speed(subject, effort.speed_rows)
    return parts
