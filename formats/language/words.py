"""Values of a layout as the words of the language: the reverse of `meanings` and `kinds`.

What is written here reads back to the same value (the tests hold every shipped layout to it), so
that tables that are shown, compared and drafted speak as a layout file does.
"""

from __future__ import annotations

from formats.language.model import (
    Binding,
    Blank,
    Constant,
    Field,
    FieldKind,
    FileCode,
    Kind,
    Marker,
    Meaning,
    Node,
    OutcomeCode,
    Width,
)

_SIGNS = {"leading": "signed", "trailing": "trailing-sign", "overpunch": "overpunch"}


def width_words(width: Width) -> str:
    """`20`, `17>` or `10>0`."""
    return f"{width.bytes_}{'>' if width.right else ''}{'0' if width.fill == '0' else ''}"


def kind_words(kind: FieldKind) -> str:
    """`yuan.2 comma suffix "元"`."""
    words = [kind.name.value]
    if kind.name in (Kind.MONEY, Kind.YUAN):
        words = [f"{kind.name.value}.{kind.decimals}"]
    if kind.pattern:
        words.append(f'"{kind.pattern}"' if kind.pattern != kind.pattern.strip() else kind.pattern)
    if kind.near:
        words.append(f"near {kind.near}")
    if kind.maximum is not None:
        words.append(f"<={kind.maximum}")
    if kind.exact is not None:
        words.append(str(kind.exact))
    words += [name for name in ("comma", "thousands") if getattr(kind, name)]
    if kind.suffix:
        words.append(f'suffix "{kind.suffix}"')
    if kind.sign:
        words.append(_SIGNS[kind.sign])
    if kind.check:
        words.append(f"check {kind.check}")
    return " ".join(words)


def meaning_words(field: Field) -> str:
    """The last column of a table, with what selects and the flags behind it."""
    words = _plain(field.meaning, field.values)
    flags = "".join(
        f"  {flag}" for flag, there in (("key", field.key), ("optional", field.optional)) if there
    )
    return words + flags


def _plain(meaning: Meaning | None, values: tuple[str, ...]) -> str:
    if meaning is None:
        return ""
    if isinstance(meaning, Constant):
        return f'{"!" if meaning.selects else ""}"{meaning.text}"'
    if isinstance(meaning, Blank):
        words = "ignored" if meaning.ignored else "blank"
    elif isinstance(meaning, Binding):
        part = f"[{meaning.first}-{meaning.last}]" if meaning.is_slice else ""
        words = f"{'<' if meaning.echo else ''}{meaning.name}{part}"
    else:
        return f"= {meaning.text}"
    return f"!{words} in {' '.join(map(_quoted, values))}" if values else words


def _quoted(value: str) -> str:
    return value if value and not set(value) & {" ", '"', "#"} else f'"{value}"'


def occurrence_words(thing: Node | Marker) -> str:
    """`1`, `0..1`, `1..*`; "" for once."""
    if thing.maximum == thing.minimum:
        return "" if thing.minimum == 1 else str(thing.minimum)
    return f"{thing.minimum}..{'*' if thing.maximum is None else thing.maximum}"


def structure_words(nodes: tuple[Node, ...], depth: int = 0) -> list[str]:
    """The lines of `structure`."""
    lines = []
    for node in nodes:
        name = f'line "{node.literal}"' if node.literal is not None else node.name
        occurrence = occurrence_words(node)
        lines.append(f"{'    ' * depth}{name}{' ' if occurrence else ''}{occurrence}")
        lines += structure_words(node.children, depth + 1)
    return lines


def code_words(code: OutcomeCode | FileCode) -> tuple[str, str, str]:
    """A line of a code table: the code, what it means, the reason."""
    meaning = code.status.value if isinstance(code, OutcomeCode) else code.verdict.value
    return (code.code or "blank", meaning, code.reason.value)
