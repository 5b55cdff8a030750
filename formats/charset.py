"""Characters and bytes: GB 18030-2022 over a codec of the 2000 edition, and widths in bytes.

`gb18030`, `gbk` and `gb2312` are read alike, as GB 18030; the narrower codecs of Python
lose characters or read others. A layout that says `gbk` or `gb2312` is written without
four-byte characters, since the bank could not read them. Texts in columns are joined,
converted by one call and split again; what is rare (renewed code points) costs only where
it occurs. UTF-8 is read with or without a byte order mark. `cp932` is what Japanese banks
call Shift JIS, half-width kana included; `din-66003` is the German seven-bit set, where
eight ASCII signs are Ä Ö Ü ä ö ü ß § and cannot be written themselves.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

from formats.characters import Alphabet

ENCODING_LABELS = {
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "utf-8": "utf-8",
    "ascii": "ascii",
    "latin-1": "latin-1",
    "cp932": "cp932",
    "din-66003": "ascii",
}
"""Labels a layout may use, with the codec of Python that does the work."""

XML_ENCODINGS = frozenset({"gb18030", "gbk", "gb2312", "utf-8", "ascii", "latin-1"})
"""Those an XML file may declare."""

_DIN_66003 = dict(zip("@[\\]{|}~", "§ÄÖÜäöüß", strict=True))
_FROM_DIN_66003 = str.maketrans(_DIN_66003)
_TO_DIN_66003 = str.maketrans(
    # A sign that the set has not becomes one that ASCII cannot write.
    {letter: sign for sign, letter in _DIN_66003.items()} | dict.fromkeys(_DIN_66003, "\uffff")
)

_TWO_BYTE_LABELS = ("gbk", "gb2312")

_RENEWED_TWO_BYTE = {
    0xE7C7: 0x1E3F,
    **dict(zip(range(0xE78D, 0xE794), (0xFE10, 0xFE12, 0xFE11, 0xFE13, 0xFE14, 0xFE15, 0xFE16), strict=True)),
    **dict(zip(range(0xE794, 0xE797), (0xFE17, 0xFE18, 0xFE19), strict=True)),
    **dict(
        zip(
            (0xE81E, 0xE826, 0xE82B, 0xE82C, 0xE832, 0xE843, 0xE854, 0xE864),
            range(0x9FB4, 0x9FBC),
            strict=True,
        )
    ),
}
_RENEWED_FOUR_BYTE = {
    0xE816: 0x20087,
    0xE817: 0x20089,
    0xE818: 0x200CC,
    0xE831: 0x215D7,
    0xE83B: 0x2298F,
    0xE855: 0x241FE,
}
_RENEWED = _RENEWED_TWO_BYTE | _RENEWED_FOUR_BYTE
"""Private code points of the 2000 edition -> the characters of the 2022 edition (25)."""

# Older systems keep the 80 characters at FE50..FE7E, FE80..FEA0 in U+E815..E864, in that order.
_OLDER_SYSTEMS = {
    0xE815 + index: ord(bytes((0xFE, trail)).decode("gb18030"))
    for index, trail in enumerate((*range(0x50, 0x7F), *range(0x80, 0xA1)))
}
LEGACY_CODE_POINTS = {
    private: _RENEWED.get(character, character) for private, character in (_OLDER_SYSTEMS | _RENEWED).items()
} | _RENEWED
"""Private code points that older systems write -> the standard character that is meant."""
_PRIVATE = re.compile("[\ue78d-\ue796\ue7c7\ue815-\ue864]")


class RareForm(StrEnum):
    """How the 25 renewed characters are written.

    `STANDARD` as GB 18030-2022 says: 19 in two bytes, 6 in four. `TWO_BYTE` all in two, as
    systems of before 2022 show them; `FOUR_BYTE` all in four.
    """

    STANDARD = "standard"
    TWO_BYTE = "two-byte"
    FOUR_BYTE = "four-byte"


_BEFORE_ENCODING = {
    RareForm.STANDARD: {character: private for private, character in _RENEWED_TWO_BYTE.items()},
    RareForm.TWO_BYTE: {character: private for private, character in _RENEWED.items()},
    RareForm.FOUR_BYTE: {},
}
_RENEWED_CHARACTERS = re.compile("[" + "".join(map(chr, sorted(_RENEWED.values()))) + "]")

UNWRITABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")
"""Characters that no field may hold: controls, line separators, byte order mark, surrogates."""

_WIDE_UNWRITABLE = re.compile("[\x80-\x9f\u2028\u2029\ufeff\ud800-\udfff]")

_SPECIAL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u1e3f\u2028\u2029\u9fb4-\u9fbb\ud800-\udfff\ue78d-\ue796\ue7c7\ue815-\ue864"
    "\ufe10-\ufe19\ufeff\U00020087\U00020089\U000200cc\U000215d7\U0002298f\U000241fe]"
)


def canonical_encoding(label: str) -> str | None:
    """Python's codec for a label, or None where the label is not supported."""
    return ENCODING_LABELS.get(label)


def to_standard(text: str) -> str:
    """The text with private code points of older systems replaced by the standard characters."""
    return text.translate(LEGACY_CODE_POINTS) if _PRIVATE.search(text) else text


class Charset:
    """One encoding as a layout names it, and what it permits. Immutable; ValueError for an unknown label."""

    def __init__(
        self, label: str, rare_form: RareForm = RareForm.STANDARD, alphabet: Alphabet | None = None
    ) -> None:
        codec = canonical_encoding(label)
        if codec is None:
            raise ValueError(f"no such encoding: {label}")
        self.label = label
        self.alphabet = alphabet or Alphabet()
        self.codec = codec
        self.two_byte_only = label in _TWO_BYTE_LABELS
        self.ascii_as_is = label != "din-66003"
        """Whether a character of ASCII is written as its own byte."""
        self._is_gb18030 = codec == "gb18030"
        form = RareForm.TWO_BYTE if self.two_byte_only else rare_form
        self._before = _BEFORE_ENCODING[form] if self._is_gb18030 else {}

    def encode(self, text: str) -> bytes:
        """The bytes of a text. UnicodeEncodeError where a character cannot be written."""
        if not self.ascii_as_is:
            return text.translate(_TO_DIN_66003).encode("ascii")
        if text.isascii():
            return text.encode("ascii")
        text = to_standard(text)
        if self._before and _RENEWED_CHARACTERS.search(text):
            text = text.translate(self._before)
        raw = text.encode(self.codec)
        if self.two_byte_only and _has_four_byte(text, len(raw)):
            position = next(index for index, char in enumerate(text) if len(char.encode(self.codec)) == 4)
            raise UnicodeEncodeError(self.label, text, position, position + 1, "four bytes in GB 18030")
        return raw

    def decode(self, raw: bytes) -> str:
        """The text of some bytes, in standard characters. UnicodeDecodeError where they are none."""
        text = raw.decode(self.codec)
        if not self.ascii_as_is:
            return text.translate(_FROM_DIN_66003)
        return to_standard(text) if self._is_gb18030 else text

    def encode_column(self, cells: Sequence[str]) -> list[str] | None:
        """The cells as texts in which each character stands for one byte (Latin-1 of the bytes).

        So `len` is the width in bytes. None where a cell needs a closer look: a character
        that cannot be written, a control character, or a renewed code point.
        """
        flat = "".join(cells)
        if not flat.isprintable() and _SPECIAL.search(flat):
            return None
        joined = "\n".join(cells)
        if not self.ascii_as_is:
            joined = joined.translate(_TO_DIN_66003)
        try:
            raw = joined.encode(self.codec)
        except UnicodeEncodeError:
            return None
        # The codec writes the renewed characters in four bytes, so that without any such there is none.
        if self._is_gb18030 and _has_four_byte(flat, len(raw) - max(len(cells) - 1, 0)):
            renewed = bool(self._before) and _RENEWED_CHARACTERS.search(flat) is not None
            if renewed or self.two_byte_only:
                return None
        return raw.decode("latin-1").split("\n")

    def decode_joined(self, raw: bytes) -> str | None:
        """Many cells at once, with line feeds between them, in standard characters.

        None where bytes are malformed or a character beyond ASCII is one that no field may
        hold. ASCII control characters are for the caller to find, more cheaply in the bytes.
        A line feed is never part of a longer character, so that malformed cells cannot hide.
        """
        try:
            if raw.isascii():
                text = raw.decode("ascii")
                return text if self.ascii_as_is else text.translate(_FROM_DIN_66003)
            text = raw.decode(self.codec)
        except UnicodeDecodeError:
            return None
        if text.replace("\n", "").isprintable():
            return text
        if _WIDE_UNWRITABLE.search(text):
            return None
        return to_standard(text) if self._is_gb18030 else text


def _has_four_byte(text: str, size_bytes: int) -> bool:
    ascii_count = len(text.encode("ascii", "ignore"))
    return size_bytes != 2 * len(text) - ascii_count
