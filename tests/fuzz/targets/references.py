"""What comes back from a bank in a few words: references, ours or anybody's; names; flags."""

from __future__ import annotations

from formats.names import normalize_names
from formats.reference import items_of_sequence, make_references, parse_reference
from gateway.settlement.flags import read_flag
from tests.fuzz.pieces import Pieces
from tests.fuzz.target import Target

_FLAGS = (
    "",
    "{name}",
    "{name}|{size}",
    "{count},{total}",
    "{sha256}  {name}",
    "({name}) {size} {count}\n{total}",
)


def references(content: bytes) -> None:
    """The bulk reading is the reading one by one; what is ours comes back as it was made."""
    pieces = Pieces(content)
    sequence = pieces.number(5)
    found = pieces.rest().decode("utf-8", "replace").split("\n")
    parsed = [parse_reference(reference) for reference in found]
    one_by_one = [None if pair is None or pair[0] != sequence else pair[1] for pair in parsed]
    assert items_of_sequence(found, sequence) == one_by_one
    for reference, pair in zip(found, parsed, strict=True):
        if pair is not None:
            assert make_references(pair[0], [pair[1]], len(reference)) == [reference]


def names(content: bytes) -> None:
    """Names as banks echo them: normalizing twice is normalizing once."""
    found = content.decode("gb18030", "replace").split("\n")
    once = normalize_names(found)
    assert normalize_names(once) == once


def flags(content: bytes) -> None:
    """A flag says what its template has places for, as it stands there; or it is of another form."""
    pieces = Pieces(content)
    template = pieces.choose(_FLAGS)
    said = pieces.rest()
    flag = read_flag(said, template)
    if flag is None:
        return
    text = said.decode("utf-8")
    for field in flag.__struct_fields__:
        value = getattr(flag, field)
        assert (value is not None) == (f"{{{field}}}" in template)
        assert value is None or str(value) in text.lower() or str(value) in text


def _reference_seeds() -> list[bytes]:
    ours = "\n".join(make_references(7, range(1, 4), 20))
    return [
        b"\0\0\0\0\7" + ours.encode(),
        b"\0\0\0\0\7" + f"{ours}\n７\n-1\n".encode(),
        b"\0\0\0\0\7" + "\n".join(make_references(7, range(1, 3), 12)).encode(),
    ]


def _name_seeds() -> list[bytes]:
    lines = "阿依古丽·买买提\n阿依古丽・买买提\n東䶮\nＡＢ　Ｃ\n张  三"
    return [lines.encode("gb18030"), b"\xa8\xbc\xfe\x59\x95\x32\x90\x31\n\xa6\xd9"]


def _flag_seeds() -> list[bytes]:
    texts = ("", "DF1.TXT", "DF1.TXT|214", "7,150050", f"{'a1' * 32}  DF1.TXT", "(DF1.TXT) 214 7\n150050")
    return [bytes([number]) + text.encode() for number, text in enumerate(texts)]


TARGETS = [
    Target(name="flags", examine=flags, seeds=_flag_seeds, input_limit_bytes=1024),
    Target(name="references", examine=references, seeds=_reference_seeds, input_limit_bytes=4096),
    Target(name="echoed-names", examine=names, seeds=_name_seeds, input_limit_bytes=4096),
]
