"""What `backup`, `restore` and `retain` print."""

from __future__ import annotations

from pathlib import Path

from rich.markup import escape

from gateway.local_time import local
from gateway.screens import screen
from gateway.store.backup import BackupReport
from gateway.store.backup_folder import BackupCheck
from gateway.store.restore import RestoreReport
from gateway.store.retention import RetentionReport


def show_backup(report: BackupReport, json: bool) -> None:
    if json:
        screen.as_json(report)
        return
    linked = f", {report.linked} of them linked" if report.linked else ""
    screen.say(
        f"{escape(str(report.folder))}: {report.files} files{linked}, {report.size_bytes} bytes,"
        f" journal to event {report.event}"
    )
    screen.say("keys and configuration are not in it: keep copies of them, apart from it")
    if report.warning:
        screen.warn(report.warning)


def show_backup_check(report: BackupCheck, json: bool) -> None:
    if json:
        manifest = report.manifest
        told = {
            "holds": report.holds,
            "made_at": "" if manifest is None else manifest.made_at,
            "event": 0 if manifest is None else manifest.event,
            "files": report.files,
            "size_bytes": report.size_bytes,
            "findings": report.findings,
            "notes": report.notes,
        }
        screen.as_json(told)
        return
    screen.show_findings_of(report)
    made = ""
    if report.manifest is not None:
        made = f"; made at {local(report.manifest.made_at)}, journal to event {report.manifest.event}"
    screen.say(f"{screen.verdict(report)}; {report.files} files, {report.size_bytes} bytes{made}")


def show_begun(ledger: Path, made: bool) -> None:
    screen.say(screen.words().say_line("ledger_begun" if made else "ledger_there", escape(str(ledger))))


def show_restored(report: RestoreReport, json: bool) -> None:
    if json:
        screen.as_json(report)
        return
    before = " (restored before)" if report.again else ""
    screen.say(
        f"restored{before}: the backup of {local(report.made_at)}, {report.files} files,"
        f" {report.size_bytes} bytes, journal to event {report.event}"
    )
    for bank in report.banks:
        last = f"its last number was {bank.last_number}" if bank.last_number else "it had no file"
        screen.say(f"  {bank.bank}: {last}, the next will be {bank.next_number}")
        for name in bank.doubtful:
            screen.say(f"    {escape(name)} may have left since: uncertain")
    for warning in report.warnings:
        screen.warn(warning)
    screen.say("nothing leaves for any bank until a person has reconciled with it: docs/operators.md")


def show_retention(report: RetentionReport, json: bool) -> None:
    if json:
        screen.as_json(report)
        return
    for due in report.due:
        screen.say(f"would be destroyed: {escape(due.object)}, {due.days} days after {due.since[:10]}")
    for ended in report.destroyed:
        screen.say(
            f"destroyed: {escape(ended.object)}, {ended.files} files, {ended.size_bytes} bytes,"
            f" {ended.texts} texts of banks"
        )
    for paused in report.paused:
        screen.warn(f"paused: {paused.object}, over since {paused.days} days after {paused.since[:10]}")
        for reason in paused.reasons:
            screen.say(f"    {escape(reason)}")
    next_due = "" if report.next_due is None else f", the next on {report.next_due:%Y-%m-%d}"
    gone = f"would be destroyed {len(report.due)}" if report.dry_run else f"destroyed {len(report.destroyed)}"
    screen.say(f"{gone}, paused {len(report.paused)}, waiting {report.waiting}{next_due}")
    if not report.is_forgotten:
        screen.warn("another process reads the ledger: run it again, to take what is gone out of its files")
