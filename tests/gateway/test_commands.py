"""Commands as a whole: what they show, how they end, and that runs and interruptions are safe."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import threading
from pathlib import Path

import msgspec
import pytest

from formats.standard import FileFormat
from gateway import ExitCode, Gateway, Locked
from tests.gateway.commands import Commands, start
from tests.gateway.sites import CITY, Ground, credited, current, payments_of, states

HEADER = (
    "payment_id,amount,bank,account,account_kind,beneficiary_name,beneficiary_id,department,programme,"
    "period,payee_kind,payee_role,payee_name,payee_ground,custodian_name,custody_ground,bank_code"
)


def test_check_lists_twenty_different_mistakes_with_row_and_column(
    ground: Ground, bankgate: Commands
) -> None:
    good = payments_of(CITY, 30)
    # What is changed in each row, and the column that must be named.
    mistakes: list[tuple[dict[str, str], str]] = [
        ({"payment_id": ""}, "payment_id"),
        ({"payment_id": "-P1"}, "payment_id"),
        ({"payment_id": "has space"}, "payment_id"),
        ({"amount": "0"}, "amount"),
        ({"amount": "-5"}, "amount"),
        ({"amount": "1.234"}, "amount"),
        ({"amount": "1,000"}, "amount"),
        ({"amount": "abc"}, "amount"),
        ({"account": ""}, "account"),
        ({"account": "6231 9200"}, "account"),
        ({"account": good[9].account[:-1] + str((int(good[9].account[-1]) + 1) % 10)}, "account"),
        ({"account_kind": "wallet"}, "account_kind"),
        ({"beneficiary_name": ""}, "beneficiary_name"),
        ({"beneficiary_id": "110105194912310021"}, "beneficiary_id"),
        ({"bank": "post"}, "bank"),
        ({"programme": "不存在的项目"}, "programme"),
        ({"payee_role": "household_head"}, "payee_role"),
        ({"payee_role": "other"}, "payee_name"),
        ({"custodian_name": "李四"}, "custody_ground"),
        ({"bank_code": "102100099997"}, "bank_code"),
        ({"beneficiary_name": "很" * 61}, "户名"),
    ]
    names = HEADER.split(",")
    lines = [
        "batch_id,B-bad",
        "source_platform,yikatong",
        "declared_count,30",
        "declared_total,1.00",
        "",
        HEADER,
    ]
    for number, payment in enumerate(good):
        cells = msgspec.to_builtins(payment) | {"amount": f"{payment.amount_minor / 100:.2f}"}
        changes = mistakes[number][0] if number < len(mistakes) else {}
        quoted = [f'"{(cells | changes)[name]}"' for name in names]
        lines.append(",".join(quoted))
    path = ground.site.folder / "bad.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    ended = bankgate("check", path, "--json")
    assert ended.code == ExitCode.REFUSED_INPUT
    report = json.loads(ended.out)
    found = {(problem["line"], problem["column"]) for problem in report["problems"]}
    missing = [
        (7 + number, column)
        for number, (_, column) in enumerate(mistakes)
        if not any(line == 7 + number and column in other for line, other in found)
    ]
    assert missing == []
    assert len({problem["code"] for problem in report["problems"]}) >= 12
    shown = bankgate("check", path)
    assert shown.code == ExitCode.REFUSED_INPUT
    columns = columns_by_row(shown.out)
    unseen = [
        (row, column) for row, (_, column) in enumerate(mistakes, 7) if column not in columns.get(row, "")
    ]
    assert unseen == []
    assert ground.rows("SELECT COUNT(*) FROM batch") == [(0,)]


def columns_by_row(shown: str) -> dict[int, str]:
    """The second cell of each row of the table, with what was folded below it."""
    found: dict[int, str] = {}
    row = 0
    for line in shown.splitlines():
        cells = [cell.strip() for cell in line.split("│")]
        if len(cells) == 3:
            row = int(cells[0]) if cells[0] else row
            found[row] = found.get(row, "") + cells[1]
    return found


def test_warnings_alone_refuse_nothing(ground: Ground, bankgate: Commands) -> None:
    payments = payments_of(CITY, 2)
    path = ground.write(ground.batch(payments), payments)
    path.write_bytes(path.read_bytes().rstrip(b"\r\n"))
    ended = bankgate("check", path)
    assert (ended.code, "1 problems" in ended.out) == (ExitCode.DONE, True)


def test_check_says_what_submit_would(ground: Ground, bankgate: Commands) -> None:
    payments = payments_of(CITY, 2) + payments_of(CITY, 1, start=2, account="")
    path = ground.write(ground.batch(payments), payments)
    assert bankgate("check", path).code == ExitCode.NEEDS_PERSON
    good = ground.write(ground.batch(payments[:2]), payments[:2])
    assert bankgate("check", good).code == ExitCode.DONE


def test_every_form_comes_to_the_same(ground: Ground) -> None:
    ground.bank(CITY)
    with ground.open() as gateway:
        for number, form in enumerate(FileFormat):
            payments = payments_of(CITY, 2, prefix=f"F{number}", start=10 * number)
            path = ground.write(ground.batch(payments), payments, form)
            gateway.submit(path, signature=ground.sign(path.read_bytes()))
            ground.run_to_the_end(gateway)
            assert {**current(gateway)}.items() >= credited(payments).items()


def test_outcomes_go_on_from_a_cursor(ground: Ground, bankgate: Commands) -> None:
    ground.bank(CITY)
    payments = payments_of(CITY, 5)
    with ground.open() as gateway:
        ground.submit(gateway, payments)
        ground.run_to_the_end(gateway)
        every = list(gateway.outcomes())
        assert [one.cursor for one in every] == sorted({one.cursor for one in every})
        taken, cursor = [], 0
        while following := next(iter(gateway.outcomes(since=cursor)), None):
            taken.append(following)
            cursor = following.cursor
        assert taken == every
        more = payments_of(CITY, 2, prefix="N")
        ground.submit(gateway, more)
        ground.run_to_the_end(gateway)
        assert {one.payment_id for one in gateway.outcomes(since=cursor)} == {"N-00001", "N-00002"}
    lines = bankgate("outcomes", "--json", "--since", cursor).out.splitlines()
    assert [json.loads(line)["payment_id"] for line in lines] == ["N-00001", "N-00002"]


def test_a_run_with_nothing_to_do_changes_nothing(ground: Ground) -> None:
    ground.bank(CITY)
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 3))
        ground.run_to_the_end(gateway)
        events = ground.rows("SELECT MAX(event_pk) FROM event")
        for _ in range(3):
            report = gateway.run()
            assert not report.did_something
            assert (report.attention, report.waiting) == ([], [])
        assert ground.rows("SELECT MAX(event_pk) FROM event") == events


def test_a_run_beside_a_run_is_locked(ground: Ground, bankgate: Commands) -> None:
    entered, leave = threading.Event(), threading.Event()
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 1))
        opener = gateway.installation.open_channel

        def slow(profile: object) -> object:
            entered.set()
            leave.wait(30)
            return opener(profile)  # type: ignore[arg-type]

        gateway.installation.open_channel = slow  # type: ignore[assignment]
        runner = threading.Thread(target=gateway.run)
        runner.start()
        assert entered.wait(30)
        with ground.open() as other:
            with pytest.raises(Locked):
                other.run()
            # Submitting and looking go on beside it.
            ground.submit(other, payments_of(CITY, 1, prefix="N"))
            assert len(other.status()) == 2
        ended = bankgate("run")
        assert ended.code == ExitCode.BAD_USAGE
        assert "another process is running this instance" in ended.err
        leave.set()
        runner.join(30)
        gateway.run()
        # What was submitted beside the run has left too, in this run or in the one before.
        assert states(gateway) == ["sent", "sent"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["nonsense"], ExitCode.BAD_USAGE),
        (["submit"], ExitCode.BAD_USAGE),
        (["status", "no-such-batch"], ExitCode.BAD_USAGE),
        (["trace", "no-such-payment"], ExitCode.BAD_USAGE),
        (["run", "--bank", "no-such-bank"], ExitCode.BAD_USAGE),
        (["held", "release"], ExitCode.BAD_USAGE),
        (["outcomes", "--output", "x.doc"], ExitCode.REFUSED_INPUT),
        (["status", "--config", "/no/such/bankgate.toml"], ExitCode.BAD_USAGE),
    ],
)
def test_bad_usage(bankgate: Commands, arguments: list[str], code: ExitCode) -> None:
    ended = bankgate(*arguments)
    assert ended.code == code
    assert "rror" in ended.err
    assert "Traceback" not in ended.err


def test_a_damaged_ledger_is_not_used(ground: Ground, bankgate: Commands) -> None:
    ground.ledger_path.write_bytes(b"no database" * 1000)
    for leftover in ("-wal", "-shm"):
        Path(f"{ground.ledger_path}{leftover}").unlink(missing_ok=True)
    ended = bankgate("status")
    assert (ended.code, "restore a backup" in ended.err) == (ExitCode.INTEGRITY, True)


def test_a_full_disk_stores_nothing_and_the_next_try_goes(ground: Ground) -> None:
    """A limit on the size of files stands for a full disk: the same error at the same call."""
    payments = payments_of(CITY, 2_000)
    path = ground.write(ground.batch(payments), payments)
    path.with_name(f"{path.name}.p7s").write_bytes(ground.sign(path.read_bytes()))
    limited = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, -1));"
        " from gateway.cli.root import main; main()"
    )
    process = start("submit", path, "--config", ground.site.configuration, program=limited)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (ExitCode.INTEGRITY, "")
    assert "error: " in err
    assert "hint: " in err
    assert "Traceback" not in err
    assert ground.rows("SELECT COUNT(*) FROM batch") == [(0,)]
    spool = ground.site.configuration.parent / "spool"
    assert [kept for kept in spool.rglob("*") if kept.is_file()] == []
    with ground.open() as gateway:
        receipt = gateway.submit(path, signature=path.with_name(f"{path.name}.p7s").read_bytes())
        assert (receipt.payments, receipt.taken_before) == (2_000, False)


@pytest.mark.parametrize("after_lines", [0, 1])
def test_ctrl_c_in_the_middle(ground: Ground, tmp_path: Path, after_lines: int) -> None:
    """Submit, then run, interrupted: 130, a clear line, and the next start goes on."""
    payments = payments_of(CITY, 3_000)
    path = ground.write(ground.batch(payments), payments)
    path.with_name(f"{path.name}.p7s").write_bytes(ground.sign(path.read_bytes()))
    command = ["submit", path] if after_lines == 0 else ["run", "--bank", CITY]
    if after_lines:
        with ground.open() as gateway:
            gateway.submit(path, signature=path.with_name(f"{path.name}.p7s").read_bytes())
    # The moment is given by the work itself: the first file that is begun in the spool.
    interrupting = (
        "import os, signal\n"
        "from gateway.ports import FolderDisk\n"
        "create, done = FolderDisk.create, []\n"
        "def interrupted(self, path):\n"
        "    done.append(path)\n"
        "    if len(done) == 2: os.kill(os.getpid(), signal.SIGINT)\n"
        "    return create(self, path)\n"
        "FolderDisk.create = interrupted\n"
        "from gateway.cli.root import main; main()"
    )
    process = start(*command, "--config", ground.site.configuration, program=interrupting)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "error: interrupted" in err
    assert "hint: nothing is lost: start the command again" in err
    assert "Traceback" not in err
    ground.bank(CITY)
    with Gateway.open(ground.site.configuration, clock=ground.clock) as gateway:
        gateway.submit(path, signature=path.with_name(f"{path.name}.p7s").read_bytes())
        ground.run_to_the_end(gateway)
        assert current(gateway) == credited(payments)
        assert [state for state in states(gateway) if state != "voided"] == ["settled"]
        ground.check_sound(gateway)


def test_a_signal_from_outside_ends_a_waiting_command(ground: Ground) -> None:
    """A real Ctrl-C to a process that waits for another one's lock on the ledger."""
    payments = payments_of(CITY, 3)
    path = ground.write(ground.batch(payments), payments)
    blocker = sqlite3.connect(ground.ledger_path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    telling = (
        "from gateway import intake\n"
        "take = intake._take\n"
        "def told(*arguments):\n"
        "    print('taking', flush=True)\n"
        "    return take(*arguments)\n"
        "intake._take = told\n"
        "from gateway.cli.root import main; main()"
    )
    process = start("submit", path, "--config", ground.site.configuration, program=telling)
    assert process.stdout is not None
    assert process.stdout.readline() == "taking\n"
    os.kill(process.pid, signal.SIGINT)
    blocker.execute("ROLLBACK")
    blocker.close()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "error: interrupted" in err
    assert ground.rows("SELECT COUNT(*) FROM batch")[0][0] in (0, 1)
    with ground.open() as gateway:
        receipt = gateway.submit(path)
        assert receipt.payments == 3
