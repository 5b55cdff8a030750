"""The conformance kit inside pytest: for a repository of one's own with layouts and vectors.

    [tool.pytest.ini_options]
    bankgate_layouts = ["layouts"]        # folders, from the root of the project
    testpaths = ["tests", "layouts"]

Each format of such a folder gives one test for each part of the kit. A codec in code gives them where
the folder has vectors of its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

INI = "bankgate_layouts"
CHANGES = "bankgate_changes"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The folders, and how much is done."""
    parser.addini(
        INI, "Folders with layouts and vectors that Bankgate's conformance kit checks.", "paths", []
    )
    parser.addini(CHANGES, "Values that each byte of a golden file is changed to.", default="2")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A layout of such a folder; or the first vector of a codec in code."""
    folders = [Path(folder).resolve() for folder in parent.config.getini(INI)]
    path = file_path.resolve()
    if path.suffix == ".toml" and path.parent in folders:
        return FormatFile.from_parent(parent, path=file_path)
    in_vectors = len(path.parents) > 2 and path.parents[1].name == "vectors" and path.parents[2] in folders
    if in_vectors and path.suffix == ".json" and path == min(path.parent.glob("*.json")):
        has_layout = (path.parents[2] / f"{path.parent.name}.toml").is_file()
        return None if has_layout else FormatFile.from_parent(parent, path=file_path)
    return None


class FormatFile(pytest.File):
    """One format."""

    def collect(self) -> Iterator[pytest.Item]:
        # Imported here: pytest loads this module wherever Bankgate is installed.
        from formats.conformance.kit import Effort, parts_of
        from formats.conformance.report import Part, PartReport
        from formats.conformance.subjects import Broken, load_subject

        code = self.path.suffix == ".json"
        name = self.path.parent.name if code else self.path.stem
        subject = load_subject(name, self.path.parents[2] if code else self.path.parent)
        if isinstance(subject, Broken):
            report = PartReport(part=Part.LOAD, problems=subject.problems)
            yield PartItem.from_parent(self, name=Part.LOAD.value, act=lambda: report)
            return
        effort = Effort(changes=int(self.config.getini(CHANGES)), speed_rows=0)
        for part, act in parts_of(subject, effort).items():
            yield PartItem.from_parent(self, name=part.value, act=act)


class NotConforming(Exception):
    """A part of the kit has found what must be mended."""


class PartItem(pytest.Item):
    """One part of the kit on one format."""

    def __init__(self, *, act: Callable[[], Any], **known: Any) -> None:
        super().__init__(**known)
        self._act = act

    def runtest(self) -> None:
        report = self._act()
        for problem in report.problems:
            self.add_report_section("call", problem.severity.value, problem.message)
        if not report.passed:
            raise NotConforming(_told(report))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What to mend, without a traceback into the kit."""
        if isinstance(excinfo.value, NotConforming):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, f"{self.path.name}: {self.name}"


def _told(report: Any) -> str:
    lines = []
    for problem in report.problems:
        lines.append(f"{problem.severity.value}: {problem.message}")
        lines += [f"  hint: {problem.hint}"] if problem.hint else []
    return "\n".join([*lines, *([f"... {report.more_problems} more"] if report.more_problems else [])])
