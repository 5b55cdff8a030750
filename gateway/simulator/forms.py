"""The files that a simulated bank reads and writes: its profile's layouts, codes and names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import cached_property

from msgspec import Struct

from formats.codec import Codec
from formats.language.model import Binding, Layout, Sum, Syntax
from formats.reasons import Reason, Status
from formats.records import AcknowledgementVerdict
from gateway.configuration.name_pattern import name_pattern
from gateway.configuration.profile import Inbound, Profile

UNLISTED_CODES = ("QZ97", "QZ9", "Q9", "Q", "9999997", "97")
"""Tried in this order for a code that a table does not list."""

_WIDEST_CODE = 4
_RECORD_FAMILIES = ("payment", "attempt", "outcome", "fee", "statement")
_NOT_A_FAILURE = frozenset({Reason.BATCH_REJECTED})
_VARIABLE = re.compile(r"\{(any|number)(?::(\d+))?\}")


class CodeBook:
    """A layout's code tables from the bank's side: what to write for a meaning.

    The first line for a pair of status and reason is what is written.
    """

    def __init__(self, layout: Layout) -> None:
        self._outcomes: dict[tuple[Status, Reason], str] = {}
        for line in layout.outcome_codes:
            self._outcomes.setdefault((line.status, line.reason), line.code)
        self._files: dict[AcknowledgementVerdict, str] = {}
        for file_line in layout.file_codes:
            self._files.setdefault(file_line.verdict, file_line.code)
        self._listed = {line.code for line in layout.outcome_codes}
        self._shortest, self._widest = _code_widths(layout)

    @cached_property
    def failures(self) -> list[Reason]:
        """Every reason for which a single payment can be told to have failed."""
        failed = [reason for status, reason in self._outcomes if status is Status.FAILED]
        return [reason for reason in failed if reason not in _NOT_A_FAILURE]

    def lists(self, code: str) -> bool:
        """Whether the table says what the code means; "" is a blank."""
        return code in self._listed

    def can_say(self, status: Status, reason: Reason) -> bool:
        return (status, reason) in self._outcomes

    def outcome(self, status: Status, reason: Reason) -> str:
        """The code to write. KeyError where the table has no line for the pair."""
        return self._outcomes[status, reason]

    def file(self, verdict: AcknowledgementVerdict) -> str | None:
        """The code of a file as a whole; None where the table has no line for it."""
        return self._files.get(verdict)

    @cached_property
    def unlisted(self) -> str | None:
        """A code that the table does not list and the field can hold; None if there is none."""
        fitting = (code for code in UNLISTED_CODES if self._shortest <= len(code) <= self._widest)
        return next((code for code in fitting if code not in self._listed), None)


class AnswerForm(Struct, frozen=True, kw_only=True):
    """One kind of answer: how it is named and completed, its layout and its codes."""

    inbound: Inbound
    codec: Codec
    codes: CodeBook
    declares_totals: bool
    """A sum of amounts stands in the file."""
    columns: dict[str, frozenset[str]]
    """Every meaning that a record of the file has, those too that may be left out."""
    may_omit: frozenset[str]
    """Meanings that the file can leave out where they have no value."""
    lists: frozenset[Status] | None = None
    """Of which payments it tells, where not of all: failures only, or one half of an answer."""

    @property
    def is_of_all(self) -> bool:
        """Whether it has a record for every payment of ours."""
        return self.lists is None

    def tells(self, status: Status) -> bool:
        """Whether a payment of which this is to be said stands in it."""
        return self.lists is None or status in self.lists

    def name(
        self,
        request_name: str,
        *,
        serial: int,
        sequence: int,
        moment: datetime,
        texts: Mapping[str, str | int | date | datetime],
    ) -> str:
        """The file's name; `serial` is written where the pattern leaves something to the bank.

        Where it leaves nothing, all answers of this kind to one file have the same name.
        """
        pattern = _VARIABLE.sub(lambda found: _digits(serial, found[2]), self.inbound.pattern)
        values: dict[str, str | int | date | datetime] = {
            **texts,
            "name": request_name,
            "stem": request_name.rpartition(".")[0] or request_name,
            "sequence": sequence,
            "bank_day": moment.date(),
            "created_at": moment,
        }
        return name_pattern(pattern).format(values)


class Desk(Struct, frozen=True, kw_only=True):
    """Everything a simulated bank knows of its own files, taken from its profile."""

    profile: Profile
    request: Codec
    results: tuple[AnswerForm, ...]
    acknowledgement: AnswerForm | None = None
    statement: AnswerForm | None = None

    @property
    def result(self) -> AnswerForm:
        """The form in which results are written: the first one of the profile."""
        return self.results[0]

    @property
    def result_forms(self) -> tuple[AnswerForm, ...]:
        """Every file of one answer: the first form, and its other half where it has one."""
        first = self.result
        pattern = first.inbound.partner_name(first.inbound.pattern) if first.inbound.partner else ""
        return first, *(form for form in self.results if form.inbound.pattern == pattern)

    def can_say(self, status: Status, reason: Reason) -> bool:
        """Whether some file of an answer has a code for it."""
        return any(form.codes.can_say(status, reason) for form in self.result_forms)


def make_desk(profile: Profile, codecs: Mapping[str, Codec], layouts: Mapping[str, Layout]) -> Desk:
    """A desk from a profile, with codecs and layouts by the names that the profile uses."""

    def forms(kind: str) -> Iterable[AnswerForm]:
        for inbound in profile.inbound:
            if inbound.kind == kind and inbound.layout is not None:
                layout = layouts[inbound.layout]
                yield AnswerForm(
                    inbound=inbound,
                    codec=codecs[inbound.layout],
                    codes=CodeBook(layout),
                    declares_totals=_declares_totals(layout),
                    columns=_columns(layout, codecs[inbound.layout]),
                    may_omit=_may_omit(layout),
                    lists=_lists(layout, inbound),
                )

    return Desk(
        profile=profile,
        request=codecs[profile.layouts.request],
        results=tuple(forms("result")),
        acknowledgement=next(iter(forms("acknowledgement")), None),
        statement=next(iter(forms("statement")), None),
    )


def _lists(layout: Layout, inbound: Inbound) -> frozenset[Status] | None:
    """Of which payments a file tells; None of all of them."""
    if not layout.silence and not inbound.partner:
        return None
    told = {line.status for line in layout.outcome_codes}
    return frozenset(told - {Status.CREDITED} if layout.silence else told)


def _declares_totals(layout: Layout) -> bool:
    """Whether a sum of amounts stands in the file."""
    fields = [*layout.table, *(field for record in layout.records for field in record.fields)]
    return any(
        isinstance(field.meaning, Sum)
        or (isinstance(field.meaning, Binding) and field.meaning.name == "file.total")
        for field in fields
    )


def _columns(layout: Layout, codec: Codec) -> dict[str, frozenset[str]]:
    """What the codec needs, and what the layout has besides."""
    bound = {
        record.name: {
            field.meaning.name
            for field in record.fields
            if isinstance(field.meaning, Binding) and field.meaning.name.partition(".")[0] in _RECORD_FAMILIES
        }
        for record in layout.records
    }
    return {
        record: codec.columns(record) | bound.get(record, set())
        for record in ("payment", *bound, "fee", "statement")
    }


def _may_omit(layout: Layout) -> frozenset[str]:
    fields = [*layout.table, *(field for record in layout.records for field in record.fields)]
    bound = {
        field.meaning.name: field.optional or layout.syntax is Syntax.XML
        for field in fields
        if isinstance(field.meaning, Binding)
    }
    return frozenset(name for name, optional in bound.items() if optional)


def _code_widths(layout: Layout) -> tuple[int, int]:
    """Fewest and most characters that an outcome's code may have."""
    fields = [*layout.table, *(field for record in layout.records for field in record.fields)]
    for field in fields:
        if isinstance(field.meaning, Binding) and field.meaning.name == "outcome.code":
            exact = field.kind.exact if field.kind else None
            maximum = field.kind.maximum if field.kind else None
            widest = exact or maximum or (field.width.bytes_ if field.width else _WIDEST_CODE)
            return exact or 1, min(widest, _WIDEST_CODE)
    return 1, _WIDEST_CODE


def _digits(serial: int, width: str | None) -> str:
    return f"{serial:0{width}d}" if width else str(serial)
