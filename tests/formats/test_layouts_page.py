"""The examples of docs/layouts.md are layouts that load and work together."""

from __future__ import annotations

import io
import re
import tomllib
from codecs import BOM_UTF8
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, get_args

import pytest

from formats.charset import ENCODING_LABELS
from formats.check_digits import SCHEMES
from formats.codec import Codec, Purpose
from formats.language.layout import ENVELOPE_KEYS, FRAMING_KEYS, parse_layout
from formats.language.meanings import MEANINGS, OPEN_FAMILIES
from formats.language.model import (
    LINE_ENDS,
    ROW_NAMES,
    TOLERANCES,
    Binding,
    Blank,
    Field,
    Kind,
    Layout,
    Lines,
    Meaning,
    Number,
    Sum,
    Syntax,
)
from formats.reasons import Reason, Status
from formats.records import AcknowledgementVerdict, RecordChunk, Severity
from formats.registry import Registry, codec_of_text, load_layout
from tests.formats.samples import decode, identity, request_chunk

DOCS = Path(__file__).parents[2] / "docs"
XML_PAGE = (DOCS / "iso20022.md").read_text("utf-8")
PAGE = (DOCS / "layouts.md").read_text("utf-8")
LAYOUTS = {
    text.split('"')[1]: text
    for text in re.findall(r"```toml\n(layout .*?)```", PAGE, re.DOTALL)
    if "\nchoose " not in text
}
XML_LAYOUTS = {
    text.split('"')[1]: text for text in re.findall(r"```toml\n(layout .*?)```", XML_PAGE, re.DOTALL)
}
(CHOICE,) = re.findall(r"```toml\n(layout [^`]*\nchoose .*?)```", PAGE, re.DOTALL)
(FRAME,) = re.findall(r"```toml\n(\[frame\].*?)```", PAGE, re.DOTALL)
_WITH_FILE = re.compile(r"```toml\n(layout (?:(?!```).)*)```\n\n```file\n(.*?)```", re.DOTALL)
FILES = {text.split('"')[1]: file for text, file in _WITH_FILE.findall(PAGE)}
XML_FILES = {text.split('"')[1]: file for text, file in _WITH_FILE.findall(XML_PAGE)}
CODE = re.findall(r"```python\n(.*?)```", PAGE, re.S)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in LAYOUTS.items():
        (tmp_path / f"{name}.toml").write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def bytes_of(name: str, codec: Codec) -> bytes:
    """The file as it stands on the page, in the layout's encoding and with its line ends."""
    text = FILES[name]
    if name in ("example-blocks", "example-parts"):
        return text.rstrip("\n").encode("ascii")
    if name == "example-receipt":
        return text.rstrip("\n").replace("\n", "\r").encode("gb18030")
    if name == "example-characters":
        return BOM_UTF8 + text.encode("utf-8")
    if name == "example-lots":
        return text.replace("\n", "\r\n").encode("ascii")
    return text.encode(codec.encoding)


def all_chunks(codec: Codec, raw: bytes) -> tuple[list[RecordChunk], Any]:
    decoder = codec.decode(io.BytesIO(raw))
    return list(decoder), decoder


def test_every_example_loads(folder: Path) -> None:
    purposes = {name: load_layout(folder / f"{name}.toml").purpose for name in LAYOUTS}
    assert purposes == {
        "example-request": Purpose.REQUEST,
        "example-lots": Purpose.REQUEST,
        "example-kinds": Purpose.RESULT,
        "example-answers": Purpose.RESULT,
        "example-blocks": Purpose.REQUEST,
        "example-parts": Purpose.REQUEST,
        "example-result": Purpose.RESULT,
        "example-successes": Purpose.RESULT,
        "example-failures": Purpose.RESULT,
        "example-returns": Purpose.RESULT,
        "example-statement": Purpose.STATEMENT,
        "example-two-kinds": Purpose.REQUEST,
        "example-numbers": Purpose.REQUEST,
        "example-characters": Purpose.REQUEST,
        "example-receipt": Purpose.ACKNOWLEDGEMENT,
        "example-yen": Purpose.RESULT,
    }


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_read_and_written_again(folder: Path, name: str) -> None:
    codec = load_layout(folder / f"{name}.toml")
    raw = bytes_of(name, codec)
    chunks, decoder = all_chunks(codec, raw)
    assert decoder.problems == []
    payments = [chunk for chunk in chunks if chunk.record == "payment"]
    count, total_minor = sum(chunk.count for chunk in payments), 0
    for chunk in payments:
        total_minor += sum(chunk.columns.get("payment.amount", ()))
    if name == "example-failures":
        count, total_minor = 2, 150_050
    profile = {
        key.removeprefix("profile."): value for key, value in decoder.facts.items() if "profile" in key
    }
    said = {each: str(decoder.facts.get(f"file.{each}", "")) for each in ("code", "text", "original_name")}
    ours = identity(count=count, total_minor=total_minor, profile=profile, **said)
    if name == "example-answers":
        # Rows of two kinds come in two chunks: each is written whole, one kind after the other.
        chunks = [chunk for chunk in chunks if chunk.record == "payment"]
        kept = [
            line for line in raw.split(b"\n") if line[:9] in (b"687654321", b"687654323") or line[:2] == b"79"
        ]
        trailer = b"9000004000000001000"
        raw = b"\n".join([*kept, trailer, b""])
    assert b"".join(codec.encode(ours, chunks)) == raw


def test_the_python_example_writes_a_file(folder: Path) -> None:
    (code,) = CODE
    names = {"identity": identity(), "chunks": [request_chunk()]}
    exec(compile(code, "docs/layouts.md", "exec"), names)
    raw = b"".join(names["blocks"])
    assert raw.decode("gb18030") == (
        "1202601029020001234567890             2          1500.50\n"
        "2000000000007000000016231990000001208674    阿依古丽·买买提              1500.00\n"
        "20000000000070000000290200015550000123456789東䶮                             0.50\n"
        "*\n"
    )


def test_the_result_example_reads_what_a_bank_writes(folder: Path) -> None:
    raw = "#any\r\n#thing\r\n00000000000700000001|6231|王東|1,500.00元|00|||\r\n*\r\n".encode("gb18030")
    columns, _, problems = decode(Registry([folder]).get("example-result"), raw)
    assert columns["payment"]["outcome.amount"] == [150_000]
    assert columns["payment"]["fee.amount"] == [None]
    assert problems == []


def test_a_kept_layout_reads_the_same(folder: Path) -> None:
    registry = Registry([folder])
    codec = registry.get("example-request")
    kept = registry.from_text(registry.source_text("example-request"), "example-request")
    assert kept.digest == codec.digest
    raw = b"".join(codec.encode(identity(), [request_chunk()]))
    chunks = list(kept.decode(io.BytesIO(raw)))
    assert [isinstance(chunk, RecordChunk) and chunk.count for chunk in chunks] == [2]


def test_rows_of_scopes_are_one_stream_with_their_scope(folder: Path) -> None:
    codec = load_layout(folder / "example-lots.toml")
    (chunk,), _ = all_chunks(codec, bytes_of("example-lots", codec))
    assert chunk.columns["payment.bank_code"] == ["7199276"] * 3
    assert chunk.columns["payment.payee_name"] == ["ANA SOUZA", "", ""]
    assert chunk.columns["group.kind"] == ["PAYROLL", "PAYROLL", "PENSION"]
    assert chunk.columns["group.item"] == [1, 1, 2]
    assert chunk.columns["item.currency"] == ["R", "X", "R"]
    assert list(chunk.lines) == [3, 5, 8]


def test_kinds_are_values(folder: Path) -> None:
    codec = load_layout(folder / "example-kinds.toml")
    (chunk,), decoder = all_chunks(codec, bytes_of("example-kinds", codec))
    assert chunk.columns["payment.payee_name"] == ["李", 'O\'Neil; Ann "A"']
    assert chunk.columns["outcome.amount"] == [123_300, 150]
    assert chunk.columns["outcome.value_date"] == [date(2025, 12, 31), date(2026, 1, 2)]
    assert chunk.columns["fee.amount"] == [None, 50]
    assert decoder.facts["declared"] == {"sum(outcome.amount)": 123_450}


def test_outcomes_and_notices_come_apart(folder: Path) -> None:
    codec = load_layout(folder / "example-answers.toml")
    chunks, _ = all_chunks(codec, bytes_of("example-answers", codec))
    payment, notice = chunks
    assert (payment.record, notice.record) == ("payment", "notice")
    assert payment.columns["attempt.item"] == [1, 3]
    assert payment.columns["outcome.code"] == ["01+02", "03"]
    assert payment.columns["outcome.status"] == [Status.FAILED, Status.UNKNOWN]
    assert payment.columns["outcome.reason"] == [Reason.ACCOUNT_NOT_FOUND, Reason.IN_PROGRESS]
    assert notice.columns["attempt.item"] == [2, 4]
    assert notice.columns["notice.code"] == ["C01", "C02"]
    assert notice.columns["notice.account"] == ["87654399", "987654321"]
    assert notice.columns["notice.bank_code"] == ["", "123456789"]


def test_what_is_not_listed_is_held_against_our_file(folder: Path) -> None:
    codec = load_layout(folder / "example-failures.toml")
    raw = bytes_of("example-failures", codec)
    decoder = codec.decode(io.BytesIO(raw), identity(count=2, total_minor=150_050))
    assert sum(chunk.count for chunk in decoder) == 1
    assert (decoder.problems, decoder.facts["declared"]["count(silent)"]) == ([], 1)
    wrong = codec.decode(io.BytesIO(raw), identity(count=3, total_minor=150_050))
    assert sum(chunk.count for chunk in wrong) == 1
    assert [problem.message.partition(": ")[2] for problem in wrong.problems] == [
        "found 1 declared, wanted 2 as count(silent) of the records"
    ]


def test_what_the_amount_of_a_return_is_of_is_a_fact(folder: Path) -> None:
    codec = load_layout(folder / "example-returns.toml")
    (chunk,), decoder = all_chunks(codec, bytes_of("example-returns", codec))
    assert decoder.facts["returns"] == "each"
    assert chunk.columns["outcome.amount"] == [3_000, 500]
    assert chunk.columns["outcome.serial"] == ["T-0451", "T-0466"]


def test_a_kind_of_file_is_a_code(folder: Path) -> None:
    codec = load_layout(folder / "example-successes.toml")
    (chunk,), _ = all_chunks(codec, bytes_of("example-successes", codec))
    assert chunk.columns["outcome.status"] == [Status.CREDITED] * 2


def test_the_choice_example_chooses(folder: Path) -> None:
    result = LAYOUTS["example-result"]
    for name in ("my-bank-result-103", "my-bank-result-framed", "my-bank-result-xml", "my-bank-result-040"):
        (folder / f"{name}.toml").write_text(result.replace("example-result", name, 1), "utf-8")
    (folder / "my-bank-result.toml").write_text(CHOICE, "utf-8")
    codec = Registry([folder]).get("my-bank-result")
    raw = "00000000000700000001|6231|王東|1,500.00元|00|||\r\n*\r\n".encode("gb18030")
    assert decode(codec, raw)[0]["payment"]["outcome.amount"] == [150_000]


def test_the_frame_example_frames_a_file(folder: Path) -> None:
    text = LAYOUTS["example-request"].replace("example-request", "framed") + "\n" + FRAME
    (folder / "framed.toml").write_text(text, "utf-8")
    codec = load_layout(folder / "framed.toml")
    raw = b"".join(codec.encode(identity(profile={"sender": "SD0902"}), [request_chunk()]))
    assert raw.startswith(b"{H:SD0902   00000000000000000007}\r\n120260102")
    columns, facts, problems = decode(codec, raw)
    assert (problems, facts["frame.body_offset"]) == ([], 35)
    assert columns["payment"]["payment.amount"] == [150_000, 50]


def test_an_amount_without_minor_unit_and_a_fee_that_was_given_back(folder: Path) -> None:
    codec = load_layout(folder / "example-yen.toml")
    (payments, fees), _ = all_chunks(codec, bytes_of("example-yen", codec))
    assert payments.columns["payment.payee_name"] == ["ﾔﾏﾀﾞ ﾀﾛｳ", "ｽｽﾞｷ ﾊﾅｺ"]
    assert payments.columns["outcome.amount"] == [1500, 80]
    assert payments.columns["attempt.item"] == [1, 2]
    assert (fees.record, fees.columns["fee.amount"]) == ("fee", [-120])


def test_a_wrong_check_digit_of_any_rule_is_told(folder: Path) -> None:
    codec = load_layout(folder / "example-numbers.toml")
    raw = bytes_of("example-numbers", codec)
    for number in (
        b"021000021",
        b"102100099996",
        b"11010519491231002X",
        b"123456789",
        b"DE89370400440532013000",
    ):
        wrong = number[:-2] + bytes([48 + (number[-2] - 47) % 10]) + number[-1:]
        decoder = codec.decode(io.BytesIO(raw.replace(number, wrong)))
        assert [chunk.count for chunk in decoder] == [1]
        assert [problem.code for problem in decoder.problems] == ["check-differs"], number


def test_what_is_not_permitted_is_substituted_or_refused(folder: Path) -> None:
    codec = load_layout(folder / "example-characters.toml")
    columns: dict[str, list[Any]] = {
        "payment.account": ["1234567"],
        "payment.payee_name": ["Är·Li"],
        "payment.amount": [150_000],
    }
    chunk = RecordChunk(record="payment", count=1, columns=columns, lines=[1])
    assert [problem.reason for problem in codec.problems(chunk)] == [Reason.NAME_NOT_ENCODABLE]
    written, changes = codec.substitute(chunk)
    assert written.columns["payment.payee_name"] == ["AER·LI"]
    assert [problem.severity for problem in changes] == [Severity.WARNS]


def test_an_acknowledgement_has_a_verdict(folder: Path) -> None:
    codec = load_layout(folder / "example-receipt.toml")
    _, decoder = all_chunks(codec, bytes_of("example-receipt", codec))
    assert decoder.facts["file.verdict"] is AcknowledgementVerdict.REJECTED
    assert decoder.facts["file.original_name"] == "DF20260102.TXT"


def test_the_report_in_xml_is_read_and_comes_back() -> None:
    codec = codec_of_text(XML_LAYOUTS["example-report"], "example-report")
    columns, _, problems = decode(codec, XML_FILES["example-report"].encode())
    read = columns["payment"]
    assert problems == []
    assert read["outcome.code"] == ["ACSC", "RJCT/CLOSED+AC01"]
    assert read["outcome.reason"] == [Reason.NONE, Reason.ACCOUNT_CLOSED]
    assert read["fee.amount"] == [150, None]
    assert read["payment.payee_name"] == ["李", ""]
    ours = identity(count=2, original_message_id="M0007", profile={"name": "A"})
    chunk = RecordChunk(record="payment", count=2, columns=read, lines=[1, 2])
    raw = b"".join(codec.encode(ours, [chunk]))
    assert b'xmlns="urn:example:report:2"' in raw
    assert decode(codec, raw)[0]["payment"] == read


def test_entries_have_details() -> None:
    codec = codec_of_text(XML_LAYOUTS["example-bookings"], "example-bookings")
    columns, _, problems = decode(codec, XML_FILES["example-bookings"].encode())
    assert problems == []
    assert columns["statement"]["statement.entry"] == [1, 1, 2]
    assert columns["statement"]["statement.serial"] == ["P1", "P2", ""]
    assert columns["statement"]["statement.detail_amount"] == [150_000, 50, None]


# Complete: what the language can say is shown.

MODELS = [parse_layout(text, name) for name, text in (LAYOUTS | XML_LAYOUTS).items()]
FRAMED = parse_layout(LAYOUTS["example-request"] + "\n" + FRAME, "framed")


def fields_of(layout: Layout) -> Iterator[Field]:
    yield from layout.table
    for record in layout.records:
        yield from record.fields


EVERY_FIELD = [field for layout in [*MODELS, FRAMED] for field in fields_of(layout)]
KINDS = [field.kind for field in EVERY_FIELD if field.kind is not None]
MEANINGS_SHOWN = [field.meaning for field in EVERY_FIELD if field.meaning is not None]
NODES = [node for layout in MODELS for top in layout.structure for node in top.walk()]


def test_every_key_is_in_an_example() -> None:
    texts = [tomllib.loads(text) for text in (LAYOUTS | XML_LAYOUTS).values()]
    assert {key for text in texts for key in text} | {"frame"} == ENVELOPE_KEYS.keys() - {"xml"}
    framing = {key for text in texts for key in text.get("framing", {})}
    assert framing == FRAMING_KEYS.keys()
    assert {layout.purpose for layout in MODELS} == set(Purpose)
    assert {layout.syntax for layout in MODELS} == set(Syntax)
    assert {layout.framing.eol for layout in MODELS} == LINE_ENDS.keys()
    assert {word for layout in MODELS for word in layout.framing.tolerate} == set(TOLERANCES)
    assert {layout.framing.encoding for layout in MODELS} == ENCODING_LABELS.keys()


def test_every_kind_with_every_argument_is_in_an_example() -> None:
    assert {kind.name for kind in KINDS} == set(Kind)
    assert {kind.sign for kind in KINDS} == {"", "leading", "trailing", "overpunch"}
    assert {kind.check for kind in KINDS} == {"", *SCHEMES}
    for argument in ("suffix", "comma", "thousands", "near", "maximum", "exact"):
        assert [kind for kind in KINDS if getattr(kind, argument)], argument
    places = {(field.width.right, field.width.fill) for field in EVERY_FIELD if field.width}
    assert places == {(False, " "), (True, " "), (True, "0")}


def test_every_meaning_is_in_an_example() -> None:
    shown = {type(meaning) for meaning in MEANINGS_SHOWN}
    assert shown == set(get_args(Meaning))
    bindings = [meaning for meaning in MEANINGS_SHOWN if isinstance(meaning, Binding)]
    families = {meaning.name.partition(".")[0] for meaning in bindings}
    assert families == {name.partition(".")[0] for name in MEANINGS} | set(OPEN_FAMILIES)
    assert [meaning for meaning in bindings if meaning.echo]
    assert [meaning for meaning in bindings if meaning.is_slice]
    assert {meaning.ignored for meaning in MEANINGS_SHOWN if isinstance(meaning, Blank)} == {True, False}
    sums = [meaning for meaning in MEANINGS_SHOWN if isinstance(meaning, Sum)]
    conditions = {meaning.condition.negated for meaning in sums if meaning.condition}
    assert conditions == {True, False}
    assert [meaning for meaning in sums if meaning.fields]
    assert [meaning for meaning in sums if meaning.modulus]
    assert [meaning for meaning in MEANINGS_SHOWN if isinstance(meaning, Lines) and meaning.divisor > 1]
    assert {len(meaning.of) for meaning in MEANINGS_SHOWN if isinstance(meaning, Number)} == {0, 1, 2}
    for flag in ("key", "optional", "values", "until_blank", "repeat", "filler"):
        assert [field for field in EVERY_FIELD if getattr(field, flag)], flag


def test_every_form_of_structure_is_in_an_example() -> None:
    assert {node.name for node in NODES} >= set(ROW_NAMES) - {"notice"}
    assert {node.prefix for node in NODES if node.literal is not None} == {True, False}
    assert [node for node in NODES if node.any_order]
    assert [node for node in NODES if node.children and not node.is_row and not node.any_order]
    assert [node for node in NODES if node.children and node.is_row]
    assert [layout for layout in MODELS if layout.silence]
    assert [layout for layout in MODELS if layout.by_position]
    assert [layout for layout in MODELS if layout.implied_code]
    assert [layout for layout in MODELS if layout.file_codes]
    assert [record for layout in MODELS for record in layout.records if record.variant]
    assert {field.marker.name for field in EVERY_FIELD if field.marker} >= {
        "group",
        "payment",
        "statement",
        "detail",
    }
