"""The documentation's tables are the code's table, and its examples are batches."""

from __future__ import annotations

import re
from pathlib import Path

from formats.standard import BATCH_FIELDS, OUTCOME_COLUMNS, PAYMENT_FIELDS
from formats.standard.table import header_index, markdown_table
from tests.standard.samples import read_bytes

PAGE = (Path(__file__).parents[2] / "docs" / "standard-batch.md").read_text(encoding="utf-8")


def example(kind: str) -> str:
    found = re.search(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found.group(1)


def test_the_tables_of_the_page_are_the_table_of_the_code() -> None:
    assert markdown_table(BATCH_FIELDS) in PAGE
    assert markdown_table(PAYMENT_FIELDS) in PAGE
    for column in OUTCOME_COLUMNS:
        assert f"| `{column.english}` | {column.chinese} |\n" in PAGE


def test_no_header_means_two_fields() -> None:
    for fields in (BATCH_FIELDS, PAYMENT_FIELDS):
        headers = [header for field in fields for header in (field.english, *field.chinese)]
        assert len(set(map(str.lower, headers))) == len(headers) == len(header_index(fields))


def test_every_field_of_a_record_is_in_the_table() -> None:
    from formats.records import Batch, Payment

    assert {field.attribute for field in PAYMENT_FIELDS} == set(Payment.__struct_fields__)
    assert {field.attribute for field in BATCH_FIELDS} == set(Batch.__struct_fields__)


def test_the_csv_example_is_a_batch_without_problems(tmp_path: Path) -> None:
    columns, problems, lines = read_bytes(tmp_path, example("csv"))
    assert problems == []
    assert lines == [11, 12, 13]
    assert columns["payment.amount"] == [61728, 50000, 11728]
    assert columns["payment.account_kind"] == ["card", "card", "passbook"]
    assert columns["payment.payee_name"] == ["张三", "阿依古丽·买买提", "李大"]
    assert columns["payment.payee_role"] == ["self", "self", "household_head"]
    assert columns["payment.summary"] == ["低保金"] * 3


def test_the_json_example_is_a_batch_without_problems(tmp_path: Path) -> None:
    columns, problems, lines = read_bytes(tmp_path, example("json"))
    assert (problems, lines) == ([], [2])
    assert columns["payment.payment_id"] == ["P-000004"]
