"""Generated payments with valid check digits; nobody real."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from formats.identity import CheckScheme, with_check_digit
from formats.records import AccountKind, Batch, Payment, Problem
from formats.standard import BatchReader, open_batch

PERSON = "11010519491231002X"
OTHER_PERSON = "370902199001011235"
FIRM = "91350100M000100Y43"
CARD = "6231990000001208674"
HEADER = "payment_id,amount,bank,account,account_kind,beneficiary_name,beneficiary_id"


def person_id(order: int) -> str:
    day = f"19{40 + order % 60}{1 + order % 12:02d}{1 + order % 28:02d}"
    return with_check_digit(CheckScheme.CITIZEN, f"370902{day}{order % 1000:03d}")


def payment(order: int = 1, **changes: object) -> Payment:
    values: dict[str, object] = {
        "payment_id": f"P-{order:07d}",
        "amount_minor": 10_000 + order,
        "bank": "rural-credit",
        "account": with_check_digit(CheckScheme.LUHN, f"62319900{order:010d}"),
        "account_kind": AccountKind.CARD,
        "beneficiary_name": "张三",
        "beneficiary_id": person_id(order),
    }
    return Payment(**(values | changes))  # type: ignore[arg-type]


def batch_of(payments: Sequence[Payment], **changes: object) -> Batch:
    values: dict[str, object] = {
        "batch_id": "B-1",
        "source_platform": "yikatong",
        "department": "civil-affairs",
        "programme": "subsistence",
        "period": "2026-09",
        "declared_count": len(payments),
        "declared_total_minor": sum(payment.amount_minor for payment in payments),
    }
    return Batch(**(values | changes))  # type: ignore[arg-type]


def csv_text(rows: Iterable[str], count: int, total: str, header: str = HEADER) -> str:
    envelope = (
        "batch_id,B-1\nsource_platform,yikatong\ndepartment,civil-affairs\nprogramme,subsistence\n"
        f"period,2026-09\ndeclared_count,{count}\ndeclared_total,{total}\n\n"
    )
    return envelope + "\n".join([header, *rows]) + "\n"


def read(reader: BatchReader) -> tuple[dict[str, list[object]], list[Problem], list[int]]:
    """All columns, all problems (the final ones last) and all lines of a reader."""
    columns: dict[str, list[object]] = {}
    problems: list[Problem] = []
    lines: list[int] = []
    with reader:
        for chunk in reader:
            for meaning, values in chunk.records.columns.items():
                assert len(values) == chunk.records.count
                columns.setdefault(meaning, []).extend(values)
            problems += chunk.problems
            lines += chunk.records.lines
        return columns, problems + reader.final_problems, lines


def read_bytes(
    folder: Path, content: bytes | str
) -> tuple[dict[str, list[object]], list[Problem], list[int]]:
    path = folder / "batch"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read(open_batch(path))


def brief(problems: Iterable[Problem]) -> list[tuple[int | None, str, str]]:
    return [(problem.line, problem.column, problem.code) for problem in problems]
