"""What may be paid, by whom and to whom: the catalogue of programmes (plan, section three).

A catalogue is one TOML file that a district edits; the one that ships has the plan's twelve
fields. A programme is found by its name, its code or another of its spellings.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date
from functools import cached_property
from importlib.resources import files
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct, field

from formats.records import PayeeKind, Severity
from gateway.configuration.agreement import EVERY, Agreement
from gateway.configuration.profile import PositiveInteger, Text
from gateway.configuration.toml_source import TomlSource
from gateway.rules.periods import Frequency, day_after_period, last_day

SHIPPED = "plan-2021.toml"

Code = Annotated[str, Meta(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,31}\Z", description="a code such as 0101")]


class Field(Struct, frozen=True, kw_only=True):
    """One field of the plan, the department that leads it and others that may pay in it."""

    number: Annotated[int, Meta(ge=1, le=999)]
    name: Text
    lead: Text
    permitted: list[Text] = []
    note: str = ""


class Due(Struct, frozen=True, kw_only=True):
    """By when a period is to be paid: day `day` of the month `months_after` its last month.

    `months_after = 0` is the period's own last month, as for what is paid in advance.
    """

    day: Annotated[int, Meta(ge=1, le=31)]
    months_after: Annotated[int, Meta(ge=0, le=24)] = 0
    source: str = ""

    def on(self, last: date) -> date:
        """The due date of a period whose last day is `last`."""
        return day_after_period(last, self.months_after, self.day)


class Standard(Struct, frozen=True, kw_only=True):
    """What one payment may come to, in minor units: these amounts, or anything in between two."""

    source: Text
    amounts_minor: list[PositiveInteger] = []
    least_minor: PositiveInteger | None = None
    most_minor: PositiveInteger | None = None

    def permits(self, amount_minor: int) -> bool:
        """Whether an amount is one of the standard."""
        if amount_minor in self.amounts_minor:
            return True
        if self.least_minor is None and self.most_minor is None:
            return False
        return (self.least_minor or 0) <= amount_minor <= (self.most_minor or amount_minor)


class OtherAccount(Struct, frozen=True, kw_only=True):
    """The rule that lets another person's account be paid; two persons look at each such payment."""

    rule: Text


class Programme(Struct, frozen=True, kw_only=True):
    """One subsidy. `permitted` adds departments to those of its field."""

    code: Code
    name: Text
    field: Annotated[int, Meta(ge=1, le=999)]
    payee: Annotated[list[PayeeKind], Meta(min_length=1)]
    frequency: Frequency
    also: list[Text] = []
    permitted: list[Text] = []
    repeats: Literal["held", "allowed"] = "held"
    classified: bool = False
    due: Due | None = None
    standard: Standard | None = None
    other_account: OtherAccount | None = None

    @property
    def spellings(self) -> tuple[str, ...]:
        """Everything that a batch may call it."""
        return (self.name, self.code, *self.also)

    def due_on(self, period: str) -> date | None:
        """By when a period is to be paid; None where nothing says so."""
        last = last_day(self.frequency, period)
        return None if last is None or self.due is None else self.due.on(last)


class CatalogueFile(Struct, frozen=True, kw_only=True):
    """A catalogue as written."""

    title: Text
    source: Text
    version: Text
    field: Annotated[list[Field], Meta(min_length=1)]
    programme: Annotated[list[Programme], Meta(min_length=1)]


class Catalogue(Struct, frozen=True, dict=True):
    """A checked catalogue. Immutable; `digest` stands in the journal beside what was judged by it."""

    content: CatalogueFile
    by_spelling: dict[str, Programme] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the whole content as JSON, lower-case hex; comments and order of keys do not count."""
        return hashlib.sha256(msgspec.json.encode(self.content, order="sorted")).hexdigest()

    @cached_property
    def fields(self) -> dict[int, Field]:
        return {one.number: one for one in self.content.field}

    def find(self, programme: str) -> Programme | None:
        """The programme of that name, code or spelling."""
        return self.by_spelling.get(programme)

    def departments_of(self, programme: Programme) -> tuple[str, ...]:
        """Who may pay it: the field's lead, then whom field and programme permit."""
        own = self.fields[programme.field]
        return tuple(dict.fromkeys((own.lead, *own.permitted, *programme.permitted)))

    def words(self) -> Iterator[str]:
        """Departments and programmes by every spelling: words of the configuration, of no person."""
        yield from self.by_spelling
        for programme in self.content.programme:
            yield from self.departments_of(programme)


def read_catalogue(source: TomlSource) -> Catalogue | None:
    """The catalogue of a file; None where anything is wrong: see `source.problems`, which has all of it.

    What is wrong with the one programme does not hide what is wrong with another.
    """
    before = len(source.problems)
    content = source.read_as(CatalogueFile)
    _check_fields(source)
    programmes = source.well_formed("programme", Programme)
    spellings = _spellings(programmes, source)
    numbers = _field_numbers(source)
    for index, programme in programmes.items():
        _check_programme(programme, index, numbers, source)
    if content is None or len(source.problems) > before:
        return None
    return Catalogue(content, spellings)


def check_entrusted(agreement: Agreement, catalogue: Catalogue, source: TomlSource) -> None:
    """Tell what an agreement entrusts and the catalogue would hold or refuse all the same."""
    for index, name in enumerate(agreement.programmes):
        programme = catalogue.find(name)
        if name == EVERY:
            continue
        if programme is None:
            message, hint = (
                f"{name} is not in the catalogue: its payments will be held",
                "add it to the catalogue",
            )
        elif agreement.department not in catalogue.departments_of(programme):
            message = f"{agreement.department} may not pay {name}: its payments will be set aside"
            hint = f"permitted: {', '.join(catalogue.departments_of(programme))}"
        else:
            continue
        place = ("programmes", index)
        source.report(place, message, code="catalogue", found=name, hint=hint, severity=Severity.WARNS)


def check_limited(agreement: Agreement, catalogue: Catalogue | None, source: TomlSource) -> None:
    """Refuse a limit that bounds nothing, or that one programme has twice by two of its names."""
    programmes = {_name(catalogue, name) for name in agreement.programmes}
    seen: dict[str, str] = {}
    for key in agreement.limits.programme:
        place, name = ("limits", "programme", key), _name(catalogue, key)
        unknown = catalogue is not None and catalogue.find(key) is None
        if name in seen:
            source.report(
                place,
                f"is the programme of {seen[name]} too: it would have two limits",
                code="repeated",
                found=key,
                hint=f"write one limit, for {name}",
            )
        elif (name not in programmes and EVERY not in programmes) or (EVERY in programmes and unknown):
            source.report(
                place,
                "is a limit of nothing that the agreement entrusts",
                code="limit",
                found=key,
                hint="name the programme as `programmes` and the catalogue do",
            )
        seen.setdefault(name, key)


def _name(catalogue: Catalogue | None, programme: str) -> str:
    """The one name of all spellings."""
    known = None if catalogue is None else catalogue.find(programme)
    return programme if known is None else known.name


def shipped_text() -> str:
    """The catalogue of the plan as it ships, to be copied and edited."""
    return (files("gateway.rules") / "catalogues" / SHIPPED).read_text("utf-8")


def _check_fields(source: TomlSource) -> None:
    """One number is one field's."""
    seen: dict[int, str] = {}
    for index, one in source.well_formed("field", Field).items():
        if one.number in seen:
            source.report(
                ("field", index, "number"),
                f"found {one.number}, the number of {seen[one.number]} too",
                code="repeated",
                found=str(one.number),
                wanted="a number of its own",
            )
        seen.setdefault(one.number, one.name)


def _field_numbers(source: TomlSource) -> set[int] | None:
    """Numbers of all fields; None where one is unreadable or there twice: no programme is wrong for that."""
    fields = source.listed("field")
    numbers = {one.number for one in source.well_formed("field", Field).values()}
    return numbers if len(numbers) == len(fields) else None


def _spellings(programmes: dict[int, Programme], source: TomlSource) -> dict[str, Programme]:
    found: dict[str, Programme] = {}
    for index, programme in programmes.items():
        for spelling in programme.spellings:
            if spelling in found:
                key = {programme.name: "name", programme.code: "code"}.get(spelling, "also")
                source.report(
                    ("programme", index, key),
                    f"found {spelling!r}, which names {found[spelling].name} too",
                    code="repeated",
                    found=spelling,
                    wanted="a name, code or spelling of one programme alone",
                )
            found.setdefault(spelling, programme)
    return found


def _check_programme(programme: Programme, index: int, numbers: set[int] | None, source: TomlSource) -> None:
    def report(key: str, code: str, found: str, wanted: str) -> None:
        message = f"found {found}, wanted {wanted}"
        source.report(("programme", index, key), message, code=code, found=found, wanted=wanted)

    if numbers is not None and programme.field not in numbers:
        known = ", ".join(map(str, sorted(numbers)))
        report("field", "unknown_field", str(programme.field), f"the number of a [[field]]: {known}")
    if programme.due is not None and programme.frequency is Frequency.REQUEST:
        report("due", "due", "a due date", "none: what is paid on request has no period that ends")
    if (standard := programme.standard) is None:
        return
    if not (standard.amounts_minor or standard.least_minor or standard.most_minor):
        report("standard", "value", "no amount", "amounts_minor, or least_minor and most_minor")
    elif (standard.least_minor or 0) > (standard.most_minor or standard.least_minor or 0):
        bounds = f"{standard.least_minor} to {standard.most_minor}"
        report("standard", "value", bounds, "least_minor that is not above most_minor")
