"""`gateway.plan`: the library's face for the rules of the plan. Nothing here changes anything."""

from __future__ import annotations

from msgspec import Struct

from gateway.errors import Unknown
from gateway.installation import Installation
from gateway.rules.catalogue import Catalogue, Programme
from gateway.rules.deadlines import Breach, Overdue, Spread, breaches, overdue, spreads


class ListedProgramme(Struct, frozen=True, kw_only=True):
    """One programme of the catalogue, as people ask for it."""

    code: str
    name: str
    also: list[str]
    field: int
    field_name: str
    departments: list[str]
    """The field's lead first."""
    payee: list[str]
    frequency: str
    due: str
    repeats: str
    classified: bool
    standard_minor: list[int]
    other_account: str


class PlanDesk:
    """What the plan's rules say about one installation."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation

    def programmes(self, field: int | None = None) -> list[ListedProgramme]:
        """The catalogue, in its order; of one field where `field` is its number. Raises `Unknown`."""
        catalogue = self._catalogue()
        if field is not None and field not in catalogue.fields:
            raise Unknown(f"the catalogue has no field {field}", hint=f"fields: {_numbers(catalogue)}")
        return [
            _listed(catalogue, programme)
            for programme in catalogue.content.programme
            if field in (None, programme.field)
        ]

    def programme(self, name: str) -> ListedProgramme:
        """A programme by name, code or other spelling. Raises `Unknown`."""
        catalogue = self._catalogue()
        found = catalogue.find(name)
        if found is None:
            raise Unknown(
                f"the catalogue has no programme {name!r}", hint="`bankgate catalogue list` shows what it has"
            )
        return _listed(catalogue, found)

    def breaches(self, bank: str | None = None) -> list[Breach]:
        """Deadlines of feedback that banks missed, oldest file first."""
        return list(breaches(self._installation, bank))

    def overdue(self) -> list[Overdue]:
        """Payments after their programme's due date: owed still, or credited late. Raises `Unknown`."""
        return list(overdue(self._installation, self._catalogue()))

    def spreads(self) -> list[Spread]:
        """First and last day of credit by programme, period and bank; widest apart first."""
        return spreads(self._installation, self._installation.configuration.catalogue)

    def _catalogue(self) -> Catalogue:
        catalogue = self._installation.configuration.catalogue
        if catalogue is None:
            raise Unknown(
                "this gateway has no catalogue",
                hint="bankgate catalogue new catalogue.toml, then [gateway] catalogue in bankgate.toml",
            )
        return catalogue


def _listed(catalogue: Catalogue, programme: Programme) -> ListedProgramme:
    due, standard = programme.due, programme.standard
    amounts = [] if standard is None else [*standard.amounts_minor, standard.least_minor, standard.most_minor]
    return ListedProgramme(
        code=programme.code,
        name=programme.name,
        also=programme.also,
        field=programme.field,
        field_name=catalogue.fields[programme.field].name,
        departments=list(catalogue.departments_of(programme)),
        payee=[str(kind) for kind in programme.payee],
        frequency=str(programme.frequency),
        due="" if due is None else f"day {due.day}, {due.months_after} months after",
        repeats=programme.repeats,
        classified=programme.classified,
        standard_minor=[amount for amount in amounts if amount is not None],
        other_account="" if programme.other_account is None else programme.other_account.rule,
    )


def _numbers(catalogue: Catalogue) -> str:
    return ", ".join(map(str, sorted(catalogue.fields)))
