"""Folders of a bank engineer: layouts with their vectors, and codecs in code beside them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import msgspec
import pytest
from msgspec import Struct

from formats import Purpose
from formats.conformance import Effort, FormatReport, Part, check_format
from formats.conformance.kit import parts_of
from formats.conformance.subjects import Subject, load_subject
from formats.registry import SHIPPED_FOLDER
from tests.conformance.line_codec import LineCodec

QUICK = Effort(changes=1, speed_rows=0)


class Bench(Struct, frozen=True):
    """A folder to put formats in, and to check them there."""

    folder: Path

    def take(self, name: str, *changes: tuple[str, str]) -> Path:
        """A layout that ships with its vectors and codes, its text changed."""
        text = (SHIPPED_FOLDER / f"{name}.toml").read_text("utf-8")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        path = self.folder / f"{name}.toml"
        path.write_text(text, "utf-8")
        shutil.copytree(SHIPPED_FOLDER / "vectors" / name, self.vectors(name))
        if (codes := SHIPPED_FOLDER / f"{name}.codes").exists():
            shutil.copy(codes, self.folder)
        return path

    def vectors(self, name: str) -> Path:
        return self.folder / "vectors" / name

    def write(self, name: str, file: str, raw: bytes, meaning: object = None) -> None:
        """A vector; without a meaning only its bytes."""
        self.vectors(name).mkdir(parents=True, exist_ok=True)
        path = self.vectors(name) / file
        path.write_bytes(raw)
        if meaning is not None:
            path.with_suffix(".json").write_bytes(msgspec.json.encode(meaning))

    def only(self, name: str, part: Part) -> FormatReport:
        """One part of the kit, where the others have nothing to do with it."""
        subject = load_subject(name, self.folder)
        assert isinstance(subject, Subject)
        return FormatReport(name=name, kind=subject.kind, parts=[parts_of(subject, QUICK)[part]()])

    def check(self, name: str, effort: Effort = QUICK) -> FormatReport:
        return check_format(name, self.folder, effort)


def told(report: FormatReport) -> set[tuple[str, str]]:
    """Part and code of everything that must be mended."""
    return {
        (part.part.value, problem.code)
        for part in report.parts
        for problem in part.problems
        if problem.severity.value == "refuses"
    }


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def in_code(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Bench]:
    """Codecs in code, found as entry points are, with a bug or none; and golden files of both."""

    def installed(bug: str = "") -> Bench:
        made = {
            "line-request": LineCodec("line-request", Purpose.REQUEST, bug),
            "line-result": LineCodec("line-result", Purpose.RESULT, bug),
        }

        def find(*, group: str, name: str = "") -> EntryPoints:
            known = [one for one in made if not name or one == name]
            return EntryPoints(_Made(one, group, made[one]) for one in known)

        monkeypatch.setattr("formats.registry.entry_points", find)
        one = {"attempt.reference": "00000000000700000001", "payment.account": "6231"}
        two = {"attempt.reference": "00000000000700000002", "payment.account": "6232"}
        bench.write(
            "line-request",
            "two.txt",
            b"REQ;2;150050\nP;00000000000700000001;6231;ANA;150000\nP;00000000000700000002;6232;BO;50\n",
            {
                "records": {
                    "payment": [
                        {**one, "payment.payee_name": "ANA", "payment.amount": 150_000},
                        {**two, "payment.payee_name": "BO", "payment.amount": 50},
                    ]
                },
                "facts": {"declared": {}},
            },
        )
        bench.write(
            "line-result",
            "two.txt",
            b"RES;2;150050\nR;00000000000700000001;6231;150000;00;*\nR;00000000000700000002;6232;50;41;*\n",
            {
                "records": {
                    "payment": [
                        {
                            **one,
                            "outcome.amount": 150_000,
                            "outcome.code": "00",
                            "outcome.status": "credited",
                        },
                        {
                            **two,
                            "outcome.amount": 50,
                            "outcome.code": "41",
                            "outcome.status": "failed",
                            "outcome.reason": "ACCOUNT_NOT_FOUND",
                        },
                    ]
                },
                "facts": {"declared": {}},
            },
        )
        return bench

    return installed


class _Made(EntryPoint):
    """An entry point that leads to an object of this process."""

    def __init__(self, name: str, group: str, made: LineCodec) -> None:
        super().__init__(name, "tests.conformance", group)
        vars(self)["made"] = made

    def load(self) -> Callable[[], LineCodec]:
        made: LineCodec = vars(self)["made"]
        return lambda: made
