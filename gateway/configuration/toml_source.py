"""One TOML file read against a struct; every mistake in it is reported, with its line.

Found in one pass: unknown keys (with the nearest known one), missing keys, wrong types,
values out of range, and secrets, which never stand in TOML. What a file means is not
here: its owner checks that and adds problems with `TomlSource.report`.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date
from difflib import get_close_matches
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

from formats.records import Problem, Severity
from gateway.configuration.toml_places import Place, find_places

StructType = TypeVar("StructType", bound=Struct)

_SYNTAX_PLACE = re.compile(r" \(at line (\d+), column \d+\)$| \(at end of document\)$")
_SECRET_KEY = re.compile("password|passphrase|secret|private_key|token|(^|_)pin$", re.IGNORECASE)
_SECRET_VALUE = re.compile("-----BEGIN [A-Z ]*PRIVATE KEY-----")
_LONG_NUMBER = re.compile("[0-9Xx]{8,}")
_SHOWN_CHARACTERS = 60
_KINDS: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    str: "text in quotes",
    date: "a date such as 2026-01-31",
    list: "a list",
    dict: "a table",
}


class TomlSource:
    """A file, its document where it could be read, and its problems so far, in order found."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self.document: dict[str, Any] | None = None
        self._places: dict[Place, int] = {}
        text = self._text()
        if text is not None:
            self._parse(text)

    def read_as(self, kind: type[StructType]) -> StructType | None:
        """The document as `kind`; None where anything is wrong: see `problems`."""
        if self.document is None:
            return None
        before = len(self.problems)
        self._check(self.document, kind, ())
        if len(self.problems) > before:
            return None
        return msgspec.convert(self.document, kind)

    def well_formed(self, key: str, kind: type[StructType]) -> dict[int, StructType]:
        """Elements of a list of tables that are as `kind` wants them, by their index.

        What is wrong with the others `read_as` tells; of these the rest can be told in the same pass.
        """
        found = {}
        for index, value in enumerate(self.listed(key)):
            with suppress(msgspec.ValidationError):
                found[index] = msgspec.convert(value, kind)
        return found

    def listed(self, key: str) -> list[object]:
        """A list of the document as it is written; empty where there is none."""
        return _as_list((self.document or {}).get(key))

    def report(
        self,
        place: Place,
        message: str,
        *,
        code: str = "value",
        found: str = "",
        wanted: str = "",
        hint: str = "",
        severity: Severity = Severity.REFUSES,
    ) -> None:
        """Add a problem at a key. `message` says what is wrong there, without the place."""
        line = self.line(place)
        column = dotted(place)
        where = f"{self.path} line {line}" if line else str(self.path)
        self.problems.append(
            Problem(
                code=f"configuration.{code}",
                message=f"{where} {column}: {message}" if column else f"{where}: {message}",
                severity=severity,
                source=str(self.path),
                line=line,
                column=column,
                found=found,
                wanted=wanted,
                hint=hint,
            )
        )

    def line(self, place: Place) -> int | None:
        """Line of a key, or of the table that should have it; None where the file cannot be read."""
        for length in range(len(place), 0, -1):
            if place[:length] in self._places:
                return self._places[place[:length]]
        return 1 if self.document is not None else None

    def _text(self) -> str | None:
        try:
            content = self.path.read_bytes()
        except OSError as error:
            reason = "there is no such file" if isinstance(error, FileNotFoundError) else error.strerror
            self.report((), f"cannot be read: {reason}", code="unreadable")
            return None
        try:
            # Editors on Windows put a byte order mark before the first line.
            return content.decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            self._report_line(line, f"byte {error.object[error.start]:#04x} is not UTF-8", "encoding")
            return None

    def _parse(self, text: str) -> None:
        try:
            self.document = tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            # Numbers of thousands of digits and deep nesting are no TOMLDecodeError.
            found = _SYNTAX_PLACE.search(str(error))
            line = int(found[1]) if found and found[1] else text.rstrip("\n").count("\n") + 1
            reason = _SYNTAX_PLACE.sub("", str(error))
            self._report_line(line, f"is not TOML: {reason[:1].lower()}{reason[1:]}", "syntax")
            return
        self._places = find_places(text)

    def _report_line(self, line: int, message: str, code: str) -> None:
        self._places[()] = line
        self.problems.append(
            Problem(
                code=f"configuration.{code}",
                message=f"{self.path} line {line}: {message}",
                source=str(self.path),
                line=line,
            )
        )

    def _check(self, value: object, annotation: Any, place: Place) -> None:
        """Compare one value with its type, and go into tables and lists."""
        plain = _plain(annotation)
        wanted_container = _container(plain)
        if isinstance(value, str) and _SECRET_VALUE.search(value):
            self._report_secret(place)
        elif wanted_container is not None and not isinstance(value, wanted_container):
            self._report_type(place, value, annotation)
        elif isinstance(plain, type) and issubclass(plain, Struct):
            self._check_table(_as_table(value), plain, place)
        elif wanted_container is dict:
            self._check_names(_as_table(value), get_args(plain), place)
        elif wanted_container is list:
            self._check_list(_as_list(value), annotation, get_args(plain)[0], place)
        elif not _fits(value, annotation):
            self._report_type(place, value, annotation)

    def _check_table(self, table: dict[str, object], kind: type[Struct], place: Place) -> None:
        fields = _fields(kind)
        meant: set[str] = set()
        for key, value in table.items():
            if key in fields:
                self._check(value, fields[key].type, (*place, key))
            else:
                meant |= self._report_unknown((*place, key), [name for name in fields if name not in table])
        for key, field in fields.items():
            if field.required and key not in table and key not in meant:
                self._report_missing((*place, key), field.type)

    def _check_names(self, table: dict[str, object], types: tuple[Any, ...], place: Place) -> None:
        key_type, value_type = types
        for key, value in table.items():
            inner = (*place, key)
            if _SECRET_KEY.search(key) and isinstance(value, str):
                self._report_secret(inner)
            elif not _fits(key, key_type):
                self.report(inner, f"the name does not fit: wanted {_described(key_type)}", code="name")
            else:
                self._check(value, value_type, inner)

    def _check_list(self, values: list[object], annotation: Any, item: Any, place: Place) -> None:
        for index, value in enumerate(values):
            self._check(value, item, (*place, index))
        metas = list(_metas(annotation))
        if not _length_fits(len(values), metas):
            found, wanted = str(len(values)), _list_length(metas)
            message = f"found {found} elements, wanted {wanted}"
            self.report(place, message, code="length", found=found, wanted=wanted)

    def _report_unknown(self, place: Place, free: list[str]) -> set[str]:
        """Report a key that nobody knows; the missing key that was probably meant."""
        if _SECRET_KEY.search(str(place[-1])):
            self._report_secret(place)
            return set()
        near = get_close_matches(str(place[-1]), free, n=1, cutoff=0.6)
        hint = f"did you mean {near[0]}?" if near else ""
        self.report(place, "unknown key" + (f", {hint}" if hint else ""), code="unknown_key", hint=hint)
        return set(near)

    def _report_secret(self, place: Place) -> None:
        self.report(
            place,
            "a secret never stands in TOML",
            code="secret",
            hint="put it into the key ring's file, environment variable or credentials folder, and change it",
        )

    def _report_missing(self, place: Place, annotation: Any) -> None:
        wanted = _described(annotation)
        self.report(place, f"missing, wanted {wanted}", code="missing_key", wanted=wanted)

    def _report_type(self, place: Place, value: object, annotation: Any) -> None:
        found, wanted = shown(value), _described(annotation)
        self.report(place, f"found {found}, wanted {wanted}", code="value", found=found, wanted=wanted)


@functools.cache
def _fields(kind: type[Struct]) -> Mapping[str, msgspec.structs.FieldInfo]:
    """By name in a file. msgspec reads the annotations each time that it is asked: most of a file's time."""
    return {field.encode_name: field for field in msgspec.structs.fields(kind)}


def dotted(place: Place) -> str:
    """A place as people write it: `inbound[1].pattern`, counting elements from 1."""
    text = ""
    for part in place:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        else:
            text += f".{part}" if text else part
    return text


def shown(value: object) -> str:
    """A value for a message: short, and long numbers (accounts, IDs) by their last four digits."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    text = _LONG_NUMBER.sub(lambda found: "*" * (len(found[0]) - 4) + found[0][-4:], text)
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "..."


def _plain(annotation: Any) -> Any:
    """The type without its `Annotated` and without `| None`: TOML has no null."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        present = [part for part in get_args(annotation) if part is not NoneType]
        return _plain(present[0]) if len(present) == 1 else annotation
    return annotation


def _metas(annotation: Any) -> Iterable[Meta]:
    if get_origin(annotation) in (Union, UnionType):
        for part in get_args(annotation):
            yield from _metas(part)
    elif get_origin(annotation) is Annotated:
        inner, *notes = get_args(annotation)
        yield from _metas(inner)
        yield from (note for note in notes if isinstance(note, Meta))


def _container(plain: Any) -> type | None:
    if isinstance(plain, type) and issubclass(plain, Struct):
        return dict
    origin = get_origin(plain)
    return origin if origin in (list, dict) else None


def _as_table(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _fits(value: object, annotation: Any) -> bool:
    try:
        msgspec.convert(value, annotation)
    except msgspec.ValidationError:
        return False
    return True


def _described(annotation: Any) -> str:
    """What is wanted, in words."""
    plain, metas = _plain(annotation), list(_metas(annotation))
    for meta in metas:
        if meta.description:
            return meta.description
    if get_origin(plain) is Literal:
        return "one of " + ", ".join(f'"{choice}"' for choice in get_args(plain))
    if isinstance(plain, type) and issubclass(plain, Enum):
        return "one of " + ", ".join(f'"{choice.value}"' for choice in plain)
    container = _container(plain)
    if container is list:
        return _list_length(metas)
    return _KINDS.get(container or plain, "another kind of value") + _range(metas)


def _list_length(metas: Iterable[Meta]) -> str:
    text = "a list"
    for meta in metas:
        if meta.min_length is not None:
            text += f" of at least {meta.min_length}"
        if meta.max_length is not None:
            text += f" of at most {meta.max_length}"
    return text


def _range(metas: Iterable[Meta]) -> str:
    text = ""
    for meta in metas:
        if meta.ge is not None and meta.le is not None:
            text += f" from {meta.ge} to {meta.le}"
        elif meta.ge is not None:
            text += f", at least {meta.ge}"
    return text


def _length_fits(length: int, metas: Iterable[Meta]) -> bool:
    return all(
        (meta.min_length is None or length >= meta.min_length)
        and (meta.max_length is None or length <= meta.max_length)
        for meta in metas
    )
