"""What is looked at before and beside the XML parser: the prologue, encodings, its errors.

A document type declaration is refused before a parser sees it, so that no entity is ever
declared. Messages are our own: the parser's may quote what stands in the file.
"""

from __future__ import annotations

import codecs
import re

from lxml import etree

from formats.charset import canonical_encoding, to_standard
from formats.errors import DecodeError
from formats.records import Problem

MAXIMUM_PROLOGUE_BYTES = 65_536
"""Declaration, comments and processing instructions before the root element."""

_DECLARATION = re.compile(
    rb"""<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:"1\.[0-9]"|'1\.[0-9]')"""
    rb"""(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*["']([A-Za-z][A-Za-z0-9._-]*)["'])?"""
    rb"""(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*["'](?:yes|no)["'])?[ \t\r\n]*\?>"""
)
_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, b"\0<", b"<\0", b"\0\0")
_LABELS = {"utf8": "utf-8", "us-ascii": "utf-8", "ascii": "utf-8", "gb_2312-80": "gb2312", "cp936": "gbk"}

_ERRORS = {
    etree.ErrorTypes.ERR_UNDECLARED_ENTITY: ("xml-entity", "an entity that XML does not define"),
    etree.ErrorTypes.ERR_ENTITY_LOOP: ("xml-entity", "an entity that contains itself"),
    etree.ErrorTypes.ERR_TAG_NAME_MISMATCH: ("xml-tags", "an end tag that does not match its start tag"),
    etree.ErrorTypes.ERR_INVALID_CHAR: ("xml-character", "a character or byte that XML does not allow"),
    etree.ErrorTypes.ERR_INVALID_CHARREF: ("xml-character", "a reference to a character XML does not allow"),
    etree.ErrorTypes.ERR_INVALID_ENCODING: ("xml-character", "bytes that are not in the file's encoding"),
    etree.ErrorTypes.ERR_DOCUMENT_END: ("xml-trailing", "something after the end of the root element"),
    etree.ErrorTypes.ERR_RESOURCE_LIMIT: ("xml-limit", "a text, a nesting or a name beyond all limits"),
    etree.ErrorTypes.ERR_NAME_TOO_LONG: ("xml-limit", "a name beyond all limits"),
    etree.ErrorTypes.ERR_ATTRIBUTE_REDEFINED: ("xml-syntax", "an attribute that stands twice"),
    etree.ErrorTypes.ERR_RESERVED_XML_NAME: ("xml-syntax", "an XML declaration where none may stand"),
}


def refuse(code: str, message: str, *, name: str, line: int | None = None, column: str = "") -> DecodeError:
    """The error to raise: `message` says what and where, `name` is the layout's."""
    return DecodeError(
        [Problem(code=code, message=f"{name}: {message}", source=name, line=line, column=column)]
    )


class LineCount:
    """Where the parser's places are in the file: it does not see what `skip` was told of."""

    def __init__(self) -> None:
        self._line = 1
        self._seen_columns = 0
        """That the parser has read of this line."""
        self._skips: list[tuple[int, int]] = []
        """In this line: the parser's column behind which columns are missing, and how many."""

    def read(self, raw: bytes) -> None:
        """The parser read this."""
        lines = raw.count(b"\n")
        if lines:
            self._line += lines
            self._seen_columns = 0
            self._skips.clear()
        self._seen_columns += len(raw[raw.rfind(b"\n") + 1 :].decode("utf-8", "ignore"))

    def skip(self, text: str, instead_columns: int) -> None:
        """It read so many columns instead of this, and then as many line ends as this has."""
        if "\n" in text:
            self._skips.append((0, len(text) - text.rfind("\n") - 1))
        else:
            self._skips.append((self._seen_columns - instead_columns, len(text) - instead_columns))

    def column(self, line: int, column: int) -> int:
        """The column of the file, for one of the parser's."""
        missing = self._skips if line == self._line else []
        return column + sum(columns for behind, columns in missing if column > behind)


def parser_error(error: etree.XMLSyntaxError, name: str, at_end: bool, lines: LineCount) -> DecodeError:
    """A parser's error in our words, with line and column of the file."""
    line, position = error.position if error.position else (0, 0)
    number = int(getattr(error, "code", 0))
    last = getattr(error.error_log, "last_error", None)
    if number == etree.ErrorTypes.ERR_INTERNAL_ERROR and last is not None:
        # Of an undeclared entity the parser speaks only in its log.
        line, position, number = last.line, last.column, last.type
    position = lines.column(line, position)
    code, what = _ERRORS.get(number, ("xml-syntax", f"not well-formed XML (parser code {number})"))
    # Entities are looked at last, when nothing was declared that could have been one.
    if at_end and code not in ("xml-trailing", "xml-entity"):
        code, what = "xml-cut", "the file ends before its root element does"
    return refuse(code, f"line {line} column {position}: {what}", name=name, line=line or None)


class Prologue:
    """Collects the bytes before the root element and checks them.

    `take` returns None until the root element begins, then what the parser is to read: the
    file from the root on, in the file's encoding, after as many line ends as came before.
    """

    def __init__(self, name: str, encoding: str, root: str) -> None:
        self._name = name
        self._encoding = encoding
        self._root = root
        self._buffer = b""
        self.prefix = ""
        """Of the root element, once that is known."""

    def take(self, block: bytes) -> bytes | None:
        """Add bytes. Raises `DecodeError` for anything but a declaration, comments and the root."""
        self._buffer += block
        start = self._after_declaration()
        if start is None:
            return None
        position = self._after_miscellany(start)
        if position is None:
            if len(self._buffer) > MAXIMUM_PROLOGUE_BYTES:
                raise self._refuse("xml-limit", f"more than {MAXIMUM_PROLOGUE_BYTES} bytes before the root")
            return None
        lines = self._buffer.count(b"\n", 0, position)
        return b"\n" * lines + self._buffer[position:]

    def finish(self) -> DecodeError:
        """Why there is no root element."""
        if not self._buffer.strip():
            return self._refuse("xml-empty", "an empty file")
        return self._refuse("xml-cut", "the file ends before its root element begins")

    def _refuse(self, code: str, message: str) -> DecodeError:
        return refuse(code, message, name=self._name, line=self._buffer.count(b"\n") + 1)

    def _after_declaration(self) -> int | None:
        buffer = self._buffer
        if buffer.startswith(_WIDE_MARKS):
            raise self._refuse("xml-encoding", f"bytes of UTF-16 or UTF-32, wanted {self._encoding}")
        start = len(codecs.BOM_UTF8) if buffer.startswith(codecs.BOM_UTF8) else 0
        if start and canonical_encoding(self._encoding) != "utf-8":
            raise self._refuse("xml-encoding", f"a byte order mark of UTF-8, wanted {self._encoding}")
        if not buffer.startswith(b"<?xml", start):
            return start if len(buffer) > start + 6 or b">" in buffer else None
        if b"?>" not in buffer:
            return None if len(buffer) < 1024 else self._raise_declaration()
        match = _DECLARATION.match(buffer, start)
        if match is None:
            if buffer[start + 5 : start + 6] in (b" ", b"\t", b"\r", b"\n"):
                self._raise_declaration()
            return start
        declared = (match[1] or b"utf-8").decode("ascii").lower()
        if canonical_encoding(_LABELS.get(declared, declared)) != canonical_encoding(self._encoding):
            raise self._refuse("xml-encoding", f"the file says {declared}, wanted {self._encoding}")
        return match.end()

    def _raise_declaration(self) -> int:
        raise self._refuse("xml-syntax", "an XML declaration that is none")

    def _after_miscellany(self, position: int) -> int | None:
        """Where the root element begins, or None while that is not known."""
        buffer = self._buffer
        while True:
            while buffer[position : position + 1] in (b" ", b"\t", b"\r", b"\n"):
                position += 1
            head = buffer[position : position + 9]
            if head[:4] == b"<!--" or head[:2] == b"<?":
                end = b"-->" if head[:2] == b"<!" else b"?>"
                found = buffer.find(end, position + (4 if head[:2] == b"<!" else 2))
                if found < 0:
                    return None
                position = found + len(end)
            elif head[:2] == b"<!":
                if (len(head) < 9 and b"<!DOCTYPE".startswith(head)) or b"<!--".startswith(head):
                    return None
                raise self._refuse("xml-dtd", "a document type declaration, which is never read")
            elif len(head) < 2:
                if head not in (b"", b"<"):
                    raise self._refuse("xml-syntax", "text before the root element")
                return None
            elif head[:1] == b"<":
                return position if self._check_root(position) else None
            else:
                raise self._refuse("xml-syntax", "text before the root element, or no XML at all")

    def _check_root(self, position: int) -> bool:
        match = re.compile(rb"<([^ \t\r\n/>]+)[ \t\r\n/>]").match(self._buffer, position)
        if match is None:
            if len(self._buffer) - position > 1024:
                raise self._refuse("xml-root", f"no element {self._root}")
            return False
        prefix, _, local = match[1].rpartition(b":")
        self.prefix = prefix.decode("utf-8", "replace")
        if local != self._root.encode():
            found = local[:40].decode("ascii", "replace")
            raise self._refuse("xml-root", f"root element {found}, wanted {self._root}")
        return True


class Transcoder:
    """Bytes of another encoding to UTF-8, block by block. Raises `DecodeError`."""

    def __init__(self, name: str, encoding: str) -> None:
        self._name = name
        self._encoding = encoding
        self._decoder = codecs.getincrementaldecoder(canonical_encoding(encoding) or "utf-8")("strict")

    def convert(self, block: bytes, final: bool = False) -> bytes:
        try:
            text = self._decoder.decode(block, final)
        except UnicodeDecodeError as error:
            raise refuse("xml-character", f"bytes that are not {self._encoding}", name=self._name) from error
        return to_standard(text).encode("utf-8")
