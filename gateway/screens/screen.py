"""What commands print: tables for people, JSON for programs, `error:` and `hint:` lines."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from formats import Outcome, Problem, Severity
from formats.standard import FileFormat, Language, write_outcomes
from gateway.audit.anchor import AnchorTurn
from gateway.audit.anchor_status import AnchorStatus
from gateway.audit.export import Exported
from gateway.audit.report import Verification
from gateway.errors import InputRefused
from gateway.intake import CheckReport, Receipt
from gateway.local_time import local
from gateway.money import yuan
from gateway.output import output_file
from gateway.report import BatchStatus, FileStatus, ReceivedStatus
from gateway.run_report import RunReport
from gateway.screens.blocks import blocks, keep_readable
from gateway.states import BatchState, FileState, ReceivedState
from gateway.texts import Words, language

SHOWN_ROWS = 40
_MANY_FILES = 15
"""So many and fewer files are shown one by one; of more only those of which something is still to come."""
_OVER = frozenset({FileState.SETTLED, FileState.REJECTED, FileState.VOIDED})
_WAITS = frozenset({ReceivedState.RECEIVED, ReceivedState.VERIFIED, ReceivedState.HELD})
_NUMERIC = ("payments", "amount", "credited", "files", "decisions")
"""Headers of columns that hold numbers: to the right. They and a payment's id are never broken."""
_FORMATS = {".csv": FileFormat.CSV, ".jsonl": FileFormat.JSON_LINES, ".xlsx": FileFormat.XLSX}

_console = Console(highlight=False, soft_wrap=False)
_errors = Console(stderr=True, highlight=False, soft_wrap=True)
_words = Words(language())


def speak(configured: str) -> None:
    """Use the configured language from now on."""
    global _words
    _words = Words(language(configured))


def error(message: str, hint: str = "") -> None:
    _errors.print(f"[bold red]{_words['error']}:[/] {escape(_words.problem(message))}")
    if hint:
        _errors.print(f"[bold]{_words['hint']}:[/] {escape(_words.problem(hint))}")


def error_as_json(message: str, hint: str, problems: list[Problem], exit_code: int) -> None:
    """One JSON document on standard error: what a person reads as `error:` and `hint:`."""
    told = {"error": message, "hint": hint, "problems": problems, "exit_code": int(exit_code)}
    sys.stderr.write(msgspec.json.encode(plain(told)).decode() + "\n")


def warn(message: str) -> None:
    """Something that a person should look at."""
    say(f"[yellow]{_words['attention']}:[/] {escape(message)}")


def as_json(value: Any) -> None:
    """One JSON document, built of plain types; sealed texts stay out."""
    sys.stdout.write(msgspec.json.encode(plain(value)).decode() + "\n")


def plain(value: Any) -> Any:
    """Builtin types only; sealed texts stay sealed."""
    return msgspec.to_builtins(value, enc_hook=_plain_path)


def words() -> Words:
    """The texts in the language that is spoken."""
    return _words


def word(name: str) -> str:
    """A word of the table in the language that is spoken."""
    return _words[name]


def state(name: str) -> str:
    """A state of a payment, file or batch in the language that is spoken."""
    return _words.state(name)


def money(amount_minor: int) -> str:
    """An amount in the language that is spoken."""
    return _words.money(amount_minor)


def pick(chinese: str, english: str) -> str:
    """The text in the language that is spoken."""
    return _words.pick(chinese, english)


def titled(*titles: str, whole: tuple[str, ...] = (), right: tuple[str, ...] = ()) -> Table:
    """An empty table under these titles; columns of `whole` and `right` (numbers) are never broken."""
    made = Table(show_edge=False, header_style="bold", pad_edge=False)
    for title in titles:
        side: Literal["left", "right"] = "right" if title in right else "left"
        made.add_column(title, no_wrap=title in (*whole, *right), justify=side, overflow="fold")
    return made


def table(*names: str, whole: tuple[str, ...] = ()) -> Table:
    """An empty table; columns are named by words of the table of texts, those of `whole` never broken."""
    made = _table(*(_words[name] for name in names))
    for name, column in zip(names, made.columns, strict=True):
        column.no_wrap = column.no_wrap or name in whole
    return made


def show(shown: Table) -> None:
    """A table; where the screen has no room for it, its rows one after the other."""
    if keep_readable(shown, _console.width):
        _console.print(shown)
        return
    for line in blocks(shown):
        _console.print(line, soft_wrap=True)


def say(line: str) -> None:
    """One line, marked up; broken only by the screen itself."""
    _console.print(line, soft_wrap=True)


def show_problems(problems: list[Problem]) -> None:
    """Every problem on standard error, a line each, with its hint where it is a new one."""
    told = ""
    for problem in problems:
        warns = problem.severity is Severity.WARNS
        mark = f"[yellow]{_words['warning']}[/]" if warns else f"[red]{_words['a_problem']}[/]"
        source = f"{problem.source}: " if problem.source and problem.source not in problem.message else ""
        _errors.print(f"{mark} {escape(source + _words.problem(problem.message))}")
        if problem.hint and problem.hint != told:
            _errors.print(f"  [bold]{_words['hint']}:[/] {escape(_words.problem(problem.hint))}")
        told = problem.hint


def show_check(report: CheckReport, json: bool) -> None:
    if json:
        as_json({"rows": report.rows, "total": report.total, "problems": report.problems})
        return
    table = _table(_words["row"], _words["column"], _words["problem"])
    for problem in report.problems:
        line = "" if problem.line is None else str(problem.line)
        table.add_row(line, escape(_words.column(problem.column)), escape(_words.problem(problem.message)))
    if report.problems:
        show(table)
    # An id that is refused for naming somebody is not told either.
    personal = any(problem.code == "batch_id_personal" for problem in report.problems)
    told = _words["batch"] if personal else report.batch.batch_id
    rows = pick(f"{report.rows} 行,{report.total} 个问题", f"{report.rows} rows, {report.total} problems")
    _console.print(f"{escape(told)}: {rows}")


def show_receipt(receipt: Receipt, json: bool, *, signed_only: bool = False) -> None:
    if json:
        as_json(receipt)
        return
    show_problems(receipt.problems)
    before = pick("(此前已提交)", " (submitted before)") if receipt.taken_before else ""
    parts = pick(
        f"待发 {receipt.accepted},待定 {receipt.held},退回核实 {receipt.set_aside},"
        f"未收入 {receipt.left_out_count}",
        f"accepted {receipt.accepted}, held {receipt.held}, set aside {receipt.set_aside},"
        f" left out {receipt.left_out_count}",
    )
    _console.print(
        f"{_words['batch']} {receipt.batch_id}{before}: {receipt.payments} {_words['payments_unit']},"
        f" {_words.money(receipt.total_minor)}; {parts}"
    )
    if receipt.taken_before:
        counted = ", ".join(f"{_words.state(state)} {count}" for state, count in receipt.states.items())
        _console.print(f"{_words['stands']}: {counted}")
    waits = "not_signed" if signed_only else "not_released"
    said = {BatchState.SUBMITTED: waits, BatchState.HELD: "on_hold", BatchState.WITHDRAWN: "taken_back"}
    _console.print(_words[said.get(receipt.state, "released")])


def show_run(report: RunReport, json: bool, needs_person: bool = False) -> None:
    if json:
        as_json({**plain(report), "needs_person": needs_person})
        return
    _console.print(
        pick(
            f"组文件 {report.files_made},发出 {report.files_sent},收到 {report.files_received},"
            f"处理 {report.results_settled};结果 {report.outcomes},违规收费 {report.findings}",
            f"made {report.files_made}, sent {report.files_sent}, received {report.files_received},"
            f" settled {report.results_settled}; outcomes {report.outcomes}, fee findings {report.findings}",
        )
    )
    for line in report.warnings:
        _console.print(f"[yellow]{_words['warning']}:[/] {escape(_words.told(line))}")
    for line in report.waiting:
        _console.print(f"  {_words['waits']}: {escape(_words.told(line))}")
    for item in report.attention:
        heading = _words["again"] if item.by_itself else _words["attention"]
        _console.print(f"[yellow]{heading}:[/] {escape(item.about)}: {escape(_words.told(item.message))}")
        if item.hint:
            _console.print(f"  {_words['hint']}: {escape(_words.told(item.hint))}")
    if needs_person:
        _console.print(_words["held_waits"])
    if report.next_due is not None:
        _console.print(f"  {_words['next_due']}: {report.next_due.isoformat(timespec='seconds')}")


def show_status(
    batches: list[BatchStatus],
    files: list[FileStatus],
    received: list[ReceivedStatus],
    anchor: AnchorStatus,
    identity: str,
    json: bool,
) -> None:
    if json:
        told = {"installation": identity, "batches": batches, "files": files, "received": received}
        as_json(told | {"anchor": anchor})
        return
    for batch in batches:
        show_sum(batch)
    if len(files) > _MANY_FILES:
        show_exchange(files, received)
        say(
            pick(
                "银行尚未答复完毕的文件(全部文件:bankgate status 批次号):",
                "Files that are not answered for good (all of a batch's: bankgate status BATCH):",
            )
        )
        files = [file for file in files if file.state not in _OVER]
        received = [one for one in received if one.state in _WAITS]
    show_files(files, received)
    _console.print(f"{_words['installation']}: {identity}")
    show_anchor(anchor)


def show_anchor(anchor: AnchorStatus) -> None:
    """How far the journal is, and how far the anchor knows it."""
    known = pick("尚无记录", "nothing")
    if anchor.delivered_at:
        at = f"{anchor.delivered_event}", local(anchor.delivered_at)
        known = pick(f"事件 {at[0]}({at[1]})", f"event {at[0]} at {at[1]}")
    where = pick(f"{anchor.where} 已存 {known}", f"{anchor.where} knows {known}")
    signed = pick(f",已签至事件 {anchor.signed_event}", f", signed to event {anchor.signed_event}")
    _console.print(
        f"{_words['journal']}: {pick('事件', 'event')} {anchor.event}{signed if anchor.signed_event else ''};"
        f" {_words['anchor']}: {escape(where if anchor.where else _words['no_anchor'])}"
    )
    if anchor.unknown_events:
        _console.print(
            _words.say_line("anchor_unknown", str(anchor.unknown_events), local(anchor.unknown_since))
        )
    if anchor.warning:
        warn(_words.told(anchor.warning))
    if anchor.fault:
        warn(f"{anchor.fault} ({local(anchor.fault_at)})")
        say(f"  {_words['hint']}: {_words['anchor_refused' if anchor.refused else 'anchor_again']}")


def show_anchored(turn: AnchorTurn) -> None:
    """What a talk with the anchor came to."""
    for message in turn.found:
        error(message, _words["anchor_found"])
    if turn.fault:
        error(turn.fault, turn.hint)
    elif turn.delivered:
        say(_words.say_line("anchor_delivered", escape(turn.delivered)))
    elif not turn.found:
        say(_words["anchor_nothing_new"])


def show_files(files: list[FileStatus], received: list[ReceivedStatus]) -> None:
    """Outgoing and received files; of many only the first."""
    if files:
        table = _table(
            _words["bank"],
            _words["file"],
            _words["state"],
            _words["payments"],
            _words["amount"],
            _words["sent"],
        )
        for file in files[:SHOWN_ROWS]:
            table.add_row(
                file.bank,
                escape(file.name),
                _words.state(file.state),
                str(file.payments),
                yuan(file.total_minor),
                local(file.sent_at),
            )
        show(table)
        note_more(len(files))
    if received:
        table = _table(_words["bank"], _words["received"], _words["kind"], _words["file"], _words["state"])
        for row in received[:SHOWN_ROWS]:
            shown = _words.state(row.state)
            table.add_row(row.bank, local(row.received_at), row.kind, escape(row.name), shown)
        show(table)
        note_more(len(received))


def show_exchange(files: list[FileStatus], received: list[ReceivedStatus]) -> None:
    """What went to each bank and came back, a line a bank; of how many files something is still to come."""
    bank_title, still_open = _words["bank"], pick("未了结", "open")
    numbers = [_words[name] for name in ("files", "payments", "amount", "results", "account_statements")]
    table = titled(bank_title, *numbers, still_open, whole=(bank_title,), right=(*numbers, still_open))
    for bank in sorted({file.bank for file in files}):
        own = [file for file in files if file.bank == bank]
        kinds = Counter(row.kind for row in received if row.bank == bank)
        table.add_row(
            bank,
            str(len(own)),
            str(sum(file.payments for file in own)),
            yuan(sum(file.total_minor for file in own)),
            str(kinds["result"]),
            str(kinds["statement"]),
            str(sum(file.state not in _OVER for file in own)),
        )
    show(table)


def show_sum(batch: BatchStatus) -> None:
    """The sum of a batch, in count and yuan; and whether it holds."""
    table = _table(_words["state"], _words["payments"], _words["amount"], _words["credited"])
    for total in batch.states:
        credited = yuan(total.credited_minor) if total.credited_minor else ""
        table.add_row(_words.state(total.state), str(total.count), yuan(total.instructed_minor), credited)
    table.add_section()
    table.add_row(
        _words["submitted"],
        str(batch.submitted_count),
        yuan(batch.submitted_minor),
        yuan(batch.credited_minor),
    )
    verdict = _words["sum_holds"] if batch.adds_up else f"[bold red]{_words['sum_broken']}[/]"
    left_out = ""
    if batch.left_out_count:
        left = _words.money(batch.left_out_minor)
        left_out = pick(
            f";未收入 {batch.left_out_count} 行 {left}", f"; left out {batch.left_out_count} rows, {left}"
        )
    stands = _words.state(batch.state)
    _console.print(f"{_words['batch']} {escape(batch.batch_id)} ({stands}{left_out}): {verdict}")
    show(table)


def show_reasons(batch: BatchStatus) -> None:
    """Outcomes by reason, in both languages."""
    table = _table("结果 outcome", "原因 reason", _words["payments"], _words["amount"])
    for status, reason, count, instructed_minor in batch.reasons:
        table.add_row(" ".join(status.label), " ".join(reason.label), str(count), yuan(instructed_minor))
    show(table)


def batch_format(output: Path) -> FileFormat:
    """By the file's name. Raises `InputRefused` for a name that says none."""
    if output.suffix.lower() not in _FORMATS:
        raise InputRefused(
            [Problem(code="output-format", message=f"{output}: wanted a name in {', '.join(_FORMATS)}")]
        )
    return _FORMATS[output.suffix.lower()]


def show_outcomes(outcomes: Iterator[Outcome], output: Path | None, json: bool) -> int:
    """Print, or write to a file in the format of its name; how many."""
    if output is not None:
        file_format = batch_format(output)
        chosen = Language.ENGLISH if _words["bank"] == "bank" else Language.CHINESE
        with output_file(output, overwrite=True) as sink:
            count = write_outcomes(sink, outcomes, file_format, language=chosen)
        _console.print(f"{output}: {count}")
        return count
    if json:
        count = 0
        for outcome in outcomes:
            as_json(outcome)
            count += 1
        return count
    return _print_outcomes(outcomes)


def _print_outcomes(outcomes: Iterable[Outcome]) -> int:
    table = _table(
        _words["payment"],
        _words["outcome"],
        _words["reason"],
        _words["amount"],
        _words["bank"],
        _words["file"],
    )
    count = 0
    for outcome in outcomes:
        count += 1
        if count <= SHOWN_ROWS:
            table.add_row(
                escape(outcome.payment_id),
                _words.status(outcome.status),
                _words.reason_by_rule(outcome.reason),
                yuan(outcome.amount_minor),
                outcome.bank,
                escape(outcome.file_name),
            )
    show(table)
    if count > SHOWN_ROWS:
        _console.print(
            pick(
                f"…… 还有 {count - SHOWN_ROWS} 条;--output FILE 写出全部",
                f"... {count - SHOWN_ROWS} more; --output FILE writes all",
            )
        )
    return count


def show_exported(exported: Exported, json: bool) -> None:
    if json:
        as_json(exported)
        return
    rows = ", ".join(f"{name} {count}" for name, count in exported.rows.items())
    _console.print(f"{escape(str(exported.folder))}: {rows}")
    for note in exported.notes:
        say(f"  note: {escape(note)}")
    if exported.warning:
        _console.print(f"[yellow]{_words['attention']}:[/] {escape(exported.warning)}")


def show_verification(report: Verification, json: bool) -> None:
    """The verdict of an audit: each finding with its place, then what could not be known."""
    if json:
        as_json(report)
        return
    show_findings_of(report)
    rows = ", ".join(f"{name} {count}" for name, count in report.rows.items())
    say(f"{verdict(report)}; {rows}")


def show_findings_of(report: Verification) -> None:
    """What a check found, each with its place, and what it could not know."""
    for finding in report.findings:
        say(f"[red]finding[/] {escape(finding.place)}: {escape(finding.message)}")
    if report.more_findings:
        say(f"... {report.more_findings} more")
    for note in report.notes:
        say(f"  note: {escape(note)}")


def verdict(report: Verification) -> str:
    """One word, or how many findings."""
    count = len(report.findings) + report.more_findings
    return "[green]holds[/]" if report.holds else f"[bold red]does not hold: {count} findings[/]"


def note_more(count: int) -> None:
    if count > SHOWN_ROWS:
        more = count - SHOWN_ROWS
        _console.print(pick(f"…… 还有 {more} 条;--json 给出全部", f"... {more} more; --json gives all"))


def _table(*headers: str) -> Table:
    table = Table(show_edge=False, header_style="bold", pad_edge=False)
    for header in headers:
        numeric = header in {_words[word] for word in _NUMERIC}
        whole = numeric or header in {_words[word] for word in ("payment", "file")}
        table.add_column(header, justify="right" if numeric else "left", overflow="fold", no_wrap=whole)
    return table


def _plain_path(value: Any) -> str:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(f"{type(value).__name__} is not to be shown")
