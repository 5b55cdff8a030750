"""Two versions of a layout, field by field: what differs, and what of it changes the meaning of money.

`MONEY`: another amount, another payee, another day, another outcome, another payment found again, or a
total that no longer says the same: such a change is for two persons and a test file of the bank. `BYTES`:
the file looks otherwise and says the same. `WORDS`: only names, remarks and sources.
Fields are matched by their names in the paper, then by what they mean; a field whose bytes only moved
because of another one is told as moved, since that is what makes an amount out of an account number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from formats.language.model import (
    Binding,
    Blank,
    Count,
    Field,
    Kind,
    Layout,
    Lines,
    Record,
    Sum,
    Syntax,
)
from formats.language.words import (
    code_words,
    kind_words,
    meaning_words,
    occurrence_words,
    structure_words,
    width_words,
)
from formats.tools.layout_document import framing_words

_MONEY_NAMES = frozenset(
    {
        "payment.account",
        "payment.account_kind",
        "payment.amount",
        "payment.bank_code",
        "payment.payee_name",
        "attempt.reference",
        "attempt.item",
        "file.currency",
        "file.count",
        "file.total",
        "file.code",
        "file.original_name",
        "file.original_message_id",
        "agreement.payer_account",
    }
)
_MONEY_FAMILIES = ("outcome", "fee", "statement")
_MONEY_FRAMING = (
    "encoding",
    "delimiter",
    "quote",
    "rare_form",
    "tolerate",
    "after_each_field",
    "record_multiple",
)
"""Of the framing, what moves the border between two fields or changes a name's characters."""


class Weight(StrEnum):
    """What a difference touches, the heaviest first."""

    MONEY = "money"
    BYTES = "bytes"
    WORDS = "words"


class Difference(Struct, frozen=True, kw_only=True):
    """One difference; `before` and `after` are "" where there is nothing on that side."""

    weight: Weight
    place: str
    what: str
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        sides = f"{self.before or 'nothing'} -> {self.after or 'nothing'}"
        return f"{self.place}: {self.what}: {sides}"


def compare_layouts(before: Layout, after: Layout) -> list[Difference]:
    """Every difference, those that touch money first, then in the order of the layout."""
    found = [
        *_envelope(before, after),
        *_framing(before, after),
        *_structure(before, after),
        *_records(before, after),
        *_xml(before, after),
        *_codes(before, after),
        *_characters(before, after),
    ]
    order = list(Weight)
    return sorted(found, key=lambda difference: order.index(difference.weight))


def _envelope(before: Layout, after: Layout) -> Iterator[Difference]:
    said: list[tuple[str, Weight, Callable[[Layout], str]]] = [
        ("name", Weight.WORDS, lambda layout: layout.name),
        ("version", Weight.WORDS, lambda layout: layout.version),
        ("sources", Weight.WORDS, lambda layout: "; ".join(layout.sources)),
        ("purpose", Weight.MONEY, lambda layout: layout.purpose.value),
        ("answers", Weight.MONEY, lambda layout: layout.answers),
        ("syntax", Weight.MONEY, lambda layout: layout.syntax.value),
        ("decimals", Weight.MONEY, lambda layout: str(layout.decimals)),
        ("silence", Weight.MONEY, lambda layout: layout.silence),
        ("returns", Weight.MONEY, lambda layout: layout.returns),
        ("key", Weight.MONEY, lambda layout: "position" if layout.by_position else ""),
        ("namespaces", Weight.BYTES, lambda layout: " ".join(layout.namespaces)),
        ("xml", Weight.BYTES, lambda layout: str(layout.options or "")),
        ("frame", Weight.BYTES, _frame_words),
    ]
    for name, weight, words in said:
        yield from _changed(weight, name, "says", words(before), words(after))


def _frame_words(layout: Layout) -> str:
    frame = layout.frame
    if frame is None:
        return ""
    return (
        f"signature {frame.signature} over {frame.signed}, {'required' if frame.required else 'not required'}"
    )


def _framing(before: Layout, after: Layout) -> Iterator[Difference]:
    one, other = (dict(framing_words(layout.framing, layout.syntax)) for layout in (before, after))
    for name in _keys(one, other):
        weight = Weight.MONEY if name in _MONEY_FRAMING else Weight.BYTES
        yield from _changed(weight, f"framing {name}", "says", one.get(name, ""), other.get(name, ""))


def _structure(before: Layout, after: Layout) -> Iterator[Difference]:
    one, other = (" / ".join(structure_words(layout.structure)) for layout in (before, after))
    yield from _changed(Weight.MONEY, "structure", "order and occurrence", one, other)


def _records(before: Layout, after: Layout) -> Iterator[Difference]:
    one, other = (_by_label(layout) for layout in (before, after))
    for label in _keys(one, other):
        old, new = one.get(label), other.get(label)
        if old is None or new is None:
            there = old or new
            weight = Weight.MONEY if there and any(map(_touches_money, there.fields)) else Weight.BYTES
            words = [f"{len(record.fields)} fields" if record else "" for record in (old, new)]
            yield Difference(
                weight=weight, place=f"record {label}", what="the record", before=words[0], after=words[1]
            )
            continue
        place = f"record {label}"
        yield from _fields(place, old.fields, new.fields, _places(before, old), _places(after, new))


def _by_label(layout: Layout) -> dict[str, Record]:
    records = {f"{record.name} {record.overlay}".strip(): record for record in layout.shown_records()}
    return records if layout.frame is None else {"frame": layout.frame.record, **records}


def _places(layout: Layout, record: Record) -> list[str]:
    """Where each field stands, as the paper says it."""
    if layout.syntax is not Syntax.FIXED and record.name != "frame":
        return [f"column {number}" for number in range(1, len(record.fields) + 1)]
    separators = len(layout.framing.after_each_field) if record.name != "frame" else 0
    places = []
    for number, field in enumerate(record.fields):
        assert field.width is not None, "a field of a fixed record has a width"
        first = field.width.offset + number * separators + 1
        places.append(f"byte {first}")
    return places


def _xml(before: Layout, after: Layout) -> Iterator[Difference]:
    one, other = (_leaves(layout) for layout in (before, after))
    yield from _fields(
        "elements",
        [field for field, _ in one],
        [field for field, _ in other],
        [path for _, path in one],
        [path for _, path in other],
    )


def _leaves(layout: Layout) -> list[tuple[Field, str]]:
    """The lines of an XML table that carry a value, each with its path and what repeats on the way."""
    above: list[str] = []
    leaves = []
    for field in layout.table:
        del above[field.depth :]
        marker = f"[{field.marker.name} {occurrence_words(field.marker)}]" if field.marker else ""
        above.append(field.place + marker)
        if field.kind is not None:
            leaves.append((field, "/".join(above)))
    return leaves


def _fields(
    place: str,
    old: Sequence[Field],
    new: Sequence[Field],
    old_places: Sequence[str],
    new_places: Sequence[str],
) -> Iterator[Difference]:
    partners = _matched(old, new)
    known = set(partners.values())
    for index, field in enumerate(old):
        if index not in known:
            words = f"{old_places[index]} {_line(field)}"
            yield Difference(
                weight=_weight(field), place=f"{place} {field.title}", what="the field", before=words
            )
    for index, field in enumerate(new):
        if index not in partners:
            words = f"{new_places[index]} {_line(field)}"
            yield Difference(
                weight=_weight(field), place=f"{place} {field.title}", what="the field", after=words
            )
            continue
        other = old[partners[index]]
        yield from _field(
            f"{place} {field.title}", other, field, old_places[partners[index]], new_places[index]
        )


def _matched(old: Sequence[Field], new: Sequence[Field]) -> dict[int, int]:
    """Fields of the new that are one of the old, by place: by title and part, then by meaning, each once."""
    partners: dict[int, int] = {}
    keys: tuple[Callable[[Field], object], ...] = (
        lambda field: (field.title, field.part, meaning_words(field)),
        lambda field: (field.title, field.part),
        lambda field: None if isinstance(field.meaning, Blank | None) else (field.part, meaning_words(field)),
    )
    for key in keys:
        for first, field in enumerate(old):
            if first in partners.values() or key(field) is None:
                continue
            free = (place for place in range(len(new)) if place not in partners)
            second = next((place for place in free if key(new[place]) == key(field)), None)
            if second is not None:
                partners[second] = first
    return partners


def _field(place: str, old: Field, new: Field, old_place: str, new_place: str) -> Iterator[Difference]:
    weight = Weight.MONEY if Weight.MONEY in (_weight(old), _weight(new)) else Weight.BYTES
    yield from _changed(weight, place, "stands at", old_place, new_place)
    if old.width and new.width:
        yield from _changed(weight, place, "width", width_words(old.width), width_words(new.width))
    kinds = [kind_words(field.kind) if field.kind else "" for field in (old, new)]
    is_date = any(field.kind is not None and field.kind.name is Kind.DATE for field in (old, new))
    yield from _changed(Weight.MONEY if is_date else weight, place, "kind", *kinds)
    meanings = [meaning_words(field) for field in (old, new)]
    yield from _changed(weight, place, "means", *meanings)
    yield from _changed(Weight.WORDS, place, "name", old.title, new.title)
    yield from _changed(Weight.WORDS, place, "remark", old.remark, new.remark)


def _line(field: Field) -> str:
    return f"{kind_words(field.kind) if field.kind else ''} {meaning_words(field)}".strip()


def _weight(field: Field) -> Weight:
    return Weight.MONEY if _touches_money(field) else Weight.BYTES


def _touches_money(field: Field) -> bool:
    """Whether the field says how much, to whom, what became of it, or which payment it is."""
    meaning = field.meaning
    if field.key or field.selects or isinstance(meaning, Count | Sum | Lines):
        return True
    if field.kind is not None and field.kind.name in (Kind.MONEY, Kind.YUAN):
        return True
    if isinstance(meaning, Binding):
        return meaning.name in _MONEY_NAMES or meaning.name.partition(".")[0] in _MONEY_FAMILIES
    return False


def _codes(before: Layout, after: Layout) -> Iterator[Difference]:
    for name, one, other in (
        ("outcome", before.outcome_codes, after.outcome_codes),
        ("file", before.file_codes, after.file_codes),
    ):
        old, new = ({words[0]: words for words in map(code_words, codes)} for codes in (one, other))
        for code in _keys(old, new):
            sides = [
                " ".join(codes[code][1:]).strip() if code in codes else "unmapped" for codes in (old, new)
            ]
            yield from _changed(Weight.MONEY, f"{name} code {code}", "means", *sides)
        written = [[words[0] for words in codes.values()] for codes in (old, new)]
        if written[0] != written[1] and sorted(written[0]) == sorted(written[1]):
            # The first code of a pair is what a simulated bank writes; nothing else follows from the order.
            yield from _changed(Weight.WORDS, f"{name} codes", "order", *map(" ".join, written))
    for what, one_text, other_text in (
        ("source of the outcome codes", before.outcome_codes_source, after.outcome_codes_source),
        ("source of the file codes", before.file_codes_source, after.file_codes_source),
    ):
        yield from _changed(Weight.WORDS, "codes", what, one_text, other_text)
    yield from _changed(Weight.MONEY, "codes", "implied code", before.implied_code, after.implied_code)


def _characters(before: Layout, after: Layout) -> Iterator[Difference]:
    yield from _changed(Weight.MONEY, "characters", "permitted", before.permitted, after.permitted)
    old, new = ({one.character: one.written for one in layout.substitutions} for layout in (before, after))
    for character in _keys(old, new):
        sides = old.get(character, ""), new.get(character, "")
        yield from _changed(Weight.MONEY, f"characters {character}", "written as", *sides)


def _changed(weight: Weight, place: str, what: str, before: str, after: str) -> Iterator[Difference]:
    if before != after:
        yield Difference(weight=weight, place=place, what=what, before=before, after=after)


def _keys(one: Mapping[str, object], other: Mapping[str, object]) -> list[str]:
    """The names of both, in the order of the second, then what is gone."""
    return [*other, *(name for name in one if name not in other)]
