"""What `bankgate layout check` prints: a line a format, below it what to mend and what to know."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape

from formats.conformance import FormatReport, all_passed
from formats.records import Severity
from gateway.conformance import BankCheck
from gateway.screens import screen


def show_format(report: FormatReport) -> None:
    """One format, as soon as it was looked at."""
    verdict = "[green]conforms[/]" if report.passed else "[bold red]does not conform[/]"
    version = f" {report.version}" if report.version else ""
    about = f"{report.kind}, {report.purpose}" if report.purpose else report.kind
    screen.say(f"[bold]{escape(report.name)}[/]{escape(version)} ({about}): {verdict}, {report.cases} cases")
    for part in report.parts:
        told = ""
        for problem in part.problems:
            mark = "[yellow]warning[/]" if problem.severity is Severity.WARNS else "[red]problem[/]"
            screen.say(f"  {mark} {part.part.value}: {escape(problem.message)}")
            if problem.hint and problem.hint != told:
                screen.say(f"    [bold]hint:[/] {escape(problem.hint)}")
            told = problem.hint
        if part.more_problems:
            screen.say(f"  ... {part.more_problems} more of {part.part.value}")
        for note in part.notes:
            screen.say(f"  [dim]{part.part.value}: {escape(note)}[/]")
        for one in part.meaningless:
            screen.say(
                f"  [dim]means nothing: {escape(one.where)}, {one.count} changes: {escape(one.why)}[/]"
            )


def show_verdict(reports: Sequence[FormatReport], json: bool) -> None:
    """The last line; for programs everything, with the verdict of each format and of all."""
    if json:
        screen.as_json(_plain(reports))
        return
    failing = [report.name for report in reports if not report.passed]
    if all_passed(reports):
        screen.say(f"[green]{len(reports)} formats conform[/]")
    else:
        screen.say(
            f"[bold red]{len(failing)} of {len(reports)} formats do not conform:[/] {', '.join(failing)}"
        )


def show_bank_check(done: BankCheck, json: bool) -> None:
    """What was found for a bank, and what its verdict permits."""
    if json:
        screen.as_json({**_plain(done.reports), "verdict": done.verdict, "path": done.path})
        return
    for report in done.reports:
        show_format(report)
    show_verdict(done.reports, json)
    permits = "pilot and live may send" if done.verdict.passed else "nothing leaves at pilot or live"
    screen.say(f"verdict of {escape(done.verdict.bank)} in {escape(str(done.path))}: {permits}")
    screen.say("it ends when profile or formats change")


def show_draft(path: Path, json: bool) -> None:
    if not json:
        screen.say(f"draft: {escape(str(path))}")


def _plain(reports: Sequence[FormatReport]) -> dict[str, Any]:
    formats = [{**screen.plain(report), "passed": report.passed} for report in reports]
    return {"passed": all_passed(reports), "formats": formats}
