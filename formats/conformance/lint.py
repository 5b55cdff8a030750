"""What a layout says of itself, beyond what loading refuses: is there enough to hold it against the paper?

Loading a layout refuses what contradicts itself (`formats/language/checks.py`): gaps, widths, code
defaults, padded successes. Here a layout must also say what makes such a mistake visible at all.
"""

from __future__ import annotations

from formats.codec import Purpose
from formats.conformance.report import Part, PartReport
from formats.conformance.subjects import Subject
from formats.language.checks import all_fields
from formats.language.model import Binding, Count, Field, Kind, Layout, Record, Sum, Syntax
from formats.language.source import LayoutSource
from formats.language.tree import Tree
from formats.reasons import Status


def lint(subject: Subject) -> PartReport:
    """Look at a layout without any file."""
    report = PartReport(part=Part.LINT)
    report.problems += subject.problems
    if subject.layout is None:
        report.notes.append(f"a {subject.kind}: nothing can be looked at without files")
        return report
    _Lint(subject, subject.layout, report).look()
    return report


class _Lint:
    """One layout."""

    def __init__(self, subject: Subject, layout: Layout, report: PartReport) -> None:
        self._subject, self._layout, self._report = subject, layout, report
        text = subject.registry.source_text(subject.name)
        self._source = LayoutSource(text, f"{subject.name}.toml")

    def look(self) -> None:
        layout = self._layout
        if not layout.sources:
            hint = 'sources = ["handbook of the branch, 2026-01, page 12"]'
            self._add("source-missing", None, "nothing says which paper this is the table of", hint)
        for record in layout.records:
            self._widths(record)
        for _, field in all_fields(layout):
            self._field(field)
        self._answer()
        self._totals()
        self._counts()

    def _add(self, code: str, line: int | None, message: str, hint: str, *, warns: bool = False) -> None:
        where = self._source.name if line is None else f"{self._source.name} line {line}"
        self._report.add(
            code, f"{where}: {message}", hint=hint, source=self._source.name, line=line, warns=warns
        )

    def _widths(self, record: Record) -> None:
        """A gap shows only where the paper's own sum, or a place of it, is written beside the widths."""
        if self._layout.syntax is not Syntax.FIXED or record.variant:
            return
        line = self._source.line_of("record", record.name)
        if self._source.line_of("record", record.name, "record_bytes") is None:
            hint = f"record_bytes = {record.bytes_}, if that is the sum that the paper prints"
            message = f"record.{record.name}: nothing asserts its width, a gap would not show"
            self._add("width-unasserted", line, message, hint)

    def _field(self, field: Field) -> None:
        kind = field.kind
        if kind is None or field.width is not None or not isinstance(field.meaning, Binding):
            return
        family = field.meaning.name.partition(".")[0]
        own = self._layout.purpose is Purpose.REQUEST and family == "payment"
        if own and kind.name is Kind.TEXT and kind.maximum is None and kind.exact is None:
            hint = "text <=60, as the paper says"
            message = f"{field.title} of any length: what the bank's field cannot hold would be sent"
            self._add("width-missing", field.line, message, hint)

    def _answer(self) -> None:
        layout = self._layout
        if layout.answers:
            self._answered(layout.answers)
        if layout.purpose is not Purpose.RESULT:
            return
        bound = self._bound()
        if not {"payment.account", "payment.payee_name"} & bound.keys():
            hint = "bind <payment.account or <payment.payee_name where the bank writes them"
            message = "no echo: whether it is our payment is told by the key alone"
            self._add("echo-missing", None, message, hint, warns=True)
        credited = [code for code in layout.outcome_codes if code.status is Status.CREDITED]
        if not credited and not layout.silence:
            message = "no code means credited: a payment can only fail or wait"
            hint = "right for a file of failures or returns only"
            line = self._source.line_of("codes", "outcome")
            self._add("code-no-success", line, message, hint, warns=True)

    def _answered(self, name: str) -> None:
        """The request that is answered exists, and what finds a payment again fits."""
        line = self._source.line_of("answers")
        registry = self._subject.registry
        if name not in registry.names():
            hint = "the request's layout lies beside this one, or ships"
            self._add("answers-unknown", line, f"there is no layout {name} to answer", hint)
            return
        codec = registry.get(name)
        if codec.purpose is not Purpose.REQUEST:
            self._add("answers-unknown", line, f"{name} is no request", "name the request's layout")
        key = self._layout.key_field()
        request = getattr(codec, "layout", None)
        if not isinstance(request, Layout) or key is None:
            return
        own = request.key_field()
        same = own is not None and _name(own) == _name(key) == "attempt.reference"
        if own is not None and same and key.room < own.room:
            message = f"the key has room for {key.room}, the request writes {own.room}"
            self._add("key-width", key.line, message, "a key that is cut finds another payment")

    def _totals(self) -> None:
        """A file without count and sum can be cut at any line's end."""
        if self._layout.purpose is Purpose.STATEMENT or self._layout.syntax is Syntax.XML:
            return
        meanings = [field.meaning for _, field in all_fields(self._layout)]
        rows = [node for top in self._layout.structure for node in top.walk() if node.is_row]
        last = self._layout.structure[-1] if self._layout.structure else None
        ends = last is not None and not last.is_row and last.minimum > 0
        if rows and not ends and not any(isinstance(one, Count | Sum) for one in meanings):
            hint = "where the paper has a total or a last line, bind it"
            message = "neither a total nor a last line: a file cut between two lines looks whole"
            self._add("totals-missing", self._source.line_of("structure"), message, hint, warns=True)

    def _counts(self) -> None:
        """A count must have room for as many rows as the structure permits."""
        tree = Tree(self._layout.structure)
        most = {node.name: node.maximum for node in tree.row_nodes}
        for record in self._layout.records:
            place = tree.places.get(record.name)
            for field in record.fields:
                meaning, width = field.meaning, field.width
                if not isinstance(meaning, Count) or width is None or place is None or place.row is not None:
                    continue
                counted = [most.get(name) for name in meaning.records]
                limits = [limit for limit in counted if limit is not None]
                if limits and max(limits) >= 10**width.bytes_:
                    message = f"{field.title}: {width.bytes_} digits for up to {max(limits)} rows"
                    self._add("count-width", field.line, message, "let the structure permit fewer")

    def _bound(self) -> dict[str, Field]:
        return {
            field.meaning.name: field
            for _, field in all_fields(self._layout)
            if isinstance(field.meaning, Binding)
        }


def _name(field: Field) -> str:
    return field.meaning.name if isinstance(field.meaning, Binding) else ""
