"""What is written is read back whole, in each format; and written twice it is the same bytes."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from formats.codec import CHUNK_RECORDS
from formats.errors import BatchError, EncodeError
from formats.names import normalize_name
from formats.records import AccountKind, PayeeKind, PayeeRole, Payment, RecordChunk, Severity
from formats.standard import (
    BatchChunk,
    FileFormat,
    Language,
    batch_from_payments,
    canonical_batch_bytes,
    open_batch,
    write_batch,
)
from tests.standard.samples import OTHER_PERSON, batch_of, payment, person_id, read

# A sheet shows no spaces at the ends of a name, and a formula start is refused in CSV.
words = st.text(st.sampled_from("张三李四·•ＡＢab 1（)東䶮𠂇,;\"'|"), min_size=1, max_size=12).map(str.strip)
words = words.filter(lambda word: word and word[0] not in "'\"")


@st.composite
def payments(draw: st.DrawFn) -> list[Payment]:
    made = []
    for order in range(draw(st.integers(1, 4))):
        household = draw(st.booleans())
        made.append(
            payment(
                order,
                amount_minor=draw(st.integers(1, 10**12)),
                account_kind=draw(st.sampled_from(AccountKind)),
                beneficiary_name=draw(words),
                payee_kind=PayeeKind.HOUSEHOLD if household else PayeeKind.PERSON,
                payee_role=PayeeRole.HOUSEHOLD_HEAD if household else PayeeRole.SELF,
                payee_name=draw(words) if household else "",
                payee_id=OTHER_PERSON if household else "",
                custodian_name=draw(st.sampled_from(["", "王五"])),
                summary=draw(st.one_of(st.just(""), words)),
                village=draw(st.one_of(st.just(""), words)),
            )
        )
        if made[-1].custodian_name:
            made[-1] = Payment(
                **{
                    name: getattr(made[-1], name)
                    for name in Payment.__struct_fields__
                    if name != "custody_ground"
                },
                custody_ground="guardian",
            )
    return made


def expected(made: list[Payment], summary: str) -> dict[str, list[object]]:
    inherited = {"department": "civil-affairs", "programme": "subsistence", "period": "2026-09"}
    columns: dict[str, list[object]] = {}
    for name in Payment.__struct_fields__:
        values = [getattr(one, name) for one in made]
        if name == "payee_name":
            values = [one.payee_name or one.beneficiary_name for one in made]
        if name in ("payee_name", "beneficiary_name", "custodian_name"):
            values = [normalize_name(value) for value in values]
        if name in inherited:
            values = [value or inherited[name] for value in values]
        if name == "summary":
            values = [value or summary for value in values]
        columns["payment.amount" if name == "amount_minor" else f"payment.{name}"] = values
    return columns


@pytest.mark.parametrize("file_format", FileFormat)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=payments(), language=st.sampled_from(Language), mark=st.booleans())
def test_a_batch_survives_each_format(
    tmp_path: Path, file_format: FileFormat, made: list[Payment], language: Language, mark: bool
) -> None:
    batch = batch_of(made, summary="补贴")
    path = tmp_path / "batch"
    write_batch(path, batch, made, file_format, language=language, byte_order_mark=mark)
    reader = open_batch(path)
    columns, problems, _ = read(reader)
    assert problems == []
    assert columns == expected(made, "补贴")
    assert reader.batch == batch
    assert reader.digest_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@settings(max_examples=25, deadline=None)
@given(made=payments())
def test_objects_give_the_same_columns_and_the_digest_of_the_canonical_bytes(made: list[Payment]) -> None:
    batch = batch_of(made, summary="补贴")
    reader = batch_from_payments(batch, iter(made))
    columns, problems, lines = read(reader)
    assert problems == []
    assert columns == expected(made, "补贴")
    assert lines == list(range(1, len(made) + 1))
    canonical = b"".join(canonical_batch_bytes(batch, made))
    assert reader.digest_sha256 == hashlib.sha256(canonical).hexdigest()


def test_the_json_lines_file_is_the_canonical_form(tmp_path: Path) -> None:
    made = [payment(order) for order in range(CHUNK_RECORDS + 1)]
    batch = batch_of(made)
    write_batch(tmp_path / "batch", batch, made, "jsonl")
    assert (tmp_path / "batch").read_bytes() == b"".join(canonical_batch_bytes(batch, made))


def test_the_canonical_form_byte_by_byte() -> None:
    made = [payment(7, amount_minor=5, beneficiary_id=person_id(7), account="60000000123")]
    lines = b"".join(canonical_batch_bytes(batch_of(made), made)).decode().split("\n")
    assert lines == [
        '{"batch_id":"B-1","source_platform":"yikatong","department":"civil-affairs",'
        '"programme":"subsistence","period":"2026-09","currency":"CNY","declared_count":"1",'
        '"declared_total":"0.05"}',
        '{"payment_id":"P-0000007","amount":"0.05","bank":"rural-credit","account":"60000000123",'
        f'"account_kind":"card","beneficiary_name":"张三","beneficiary_id":"{person_id(7)}",'
        '"payee_kind":"person","payee_role":"self"}',
        "",
    ]


@pytest.mark.parametrize("file_format", FileFormat)
def test_the_same_batch_gives_the_same_bytes(file_format: FileFormat) -> None:
    made = [payment(order) for order in range(30)]
    written = []
    for _ in range(2):
        stream = io.BytesIO()
        write_batch(stream, batch_of(made), made, file_format, language="zh")
        written.append(stream.getvalue())
    assert written[0] == written[1]
    assert len(written[0]) > 1000


@pytest.mark.parametrize("file_format", FileFormat)
def test_chunks_of_a_reader_are_written_like_objects(tmp_path: Path, file_format: FileFormat) -> None:
    made = [
        payment(order, department="x", programme="y", period="z", payee_name="张三") for order in range(2000)
    ]
    batch = batch_of(made)
    first, second = tmp_path / "first", tmp_path / "second"
    write_batch(first, batch, made, file_format)

    def records() -> list[RecordChunk]:
        with open_batch(first) as reader:
            chunks: list[BatchChunk] = list(reader)
        assert [chunk.records.count for chunk in chunks] == [count for count in counts if count]
        return [chunk.records for chunk in chunks]

    # A sheet's first block begins after the header, like every other source's.
    counts = [CHUNK_RECORDS, 2000 - CHUNK_RECORDS]
    write_batch(second, batch, records(), file_format)
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("start", "=+-@\t")
def test_a_text_that_a_spreadsheet_would_run_is_refused_in_csv_only(tmp_path: Path, start: str) -> None:
    made = [payment(summary=f"{start}1+1")]
    with pytest.raises(EncodeError, match="formula"):
        write_batch(io.BytesIO(), batch_of(made), made, "csv")
    write_batch(tmp_path / "b", batch_of(made), made, "jsonl")
    if start != "\t":
        write_batch(tmp_path / "b", batch_of(made), made, "xlsx")
    columns, _, _ = read(open_batch(tmp_path / "b"))
    assert columns["payment.summary"] == [f"{start}1+1"]


def test_only_the_columns_asked_for_are_written() -> None:
    stream = io.BytesIO()
    made = [payment(1)]
    write_batch(stream, batch_of(made), made, "csv", columns=["payment_id", "amount_minor"], language="zh")
    assert stream.getvalue().decode().split("\r\n")[-3:] == ["明细编号,金额", "P-0000001,100.01", ""]


OBJECT_MISTAKES: list[tuple[dict[str, object], str, Severity]] = [
    ({"amount_minor": -1}, "amount_negative", Severity.REFUSES),
    ({"amount_minor": 1.5}, "amount_unreadable", Severity.REFUSES),
    ({"amount_minor": True}, "amount_unreadable", Severity.REFUSES),
    ({"amount_minor": 0}, "amount_zero", Severity.SETS_ASIDE),
    ({"village": None}, "value_not_text", Severity.REFUSES),
    ({"account": 60000000123}, "value_not_text", Severity.REFUSES),
    ({"beneficiary_name": "张\ud800"}, "control_character", Severity.SETS_ASIDE),
    ({"account": ""}, "account_missing", Severity.SETS_ASIDE),
    ({"payment_id": ""}, "payment_id_unreadable", Severity.REFUSES),
]


@pytest.mark.parametrize(("changes", "code", "severity"), OBJECT_MISTAKES)
def test_mistakes_in_objects_are_problems_too(
    changes: dict[str, object], code: str, severity: Severity
) -> None:
    made = [payment(1), payment(2, **changes)]
    reader = batch_from_payments(batch_of([], declared_count=2, declared_total_minor=10_001), made)
    _, problems, lines = read(reader)
    found = [(problem.line, problem.code, problem.severity) for problem in problems]
    assert found[0] == (2, code, severity)
    assert lines == ([1] if severity is Severity.REFUSES else [1, 2])
    assert len(reader.digest_sha256) == 64


def test_a_wrong_envelope_object_is_a_batch_error_that_names_each_field() -> None:
    batch = batch_of([], batch_id="B 1", declared_count=-1, currency="USD")
    with pytest.raises(BatchError) as caught:
        batch_from_payments(batch, [])
    assert [problem.column for problem in caught.value.problems] == ["batch_id", "currency", "declared_count"]


def test_the_digest_is_not_there_before_the_end() -> None:
    made = [payment(1)]
    reader = batch_from_payments(batch_of(made), made)
    with pytest.raises(RuntimeError):
        _ = reader.digest_sha256
