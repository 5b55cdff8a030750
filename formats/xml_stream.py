"""Reads an XML file in blocks and hands out the elements that hold complete records.

The parser builds a tree while it reads; what has been handed out is removed from it, so that
memory stays bounded: by one block, one record, and `MAXIMUM_PENDING_BYTES` of anything that
is no record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from lxml import etree
from msgspec import Struct

from formats.charset import canonical_encoding
from formats.errors import DecodeError
from formats.layout_model import Layout
from formats.xml_guard import Prologue, Transcoder, parser_error, refuse
from formats.xml_plan import Level, Plan

BLOCK_BYTES = 1 << 18
"""About a thousand transactions of ISO 20022."""

MAXIMUM_PENDING_BYTES = 4 << 20
"""A header, a record, or ignored elements between two records, at most."""

MARK = b"<?bankgate?>"
"""Goes before the root element: the parser reports it, and the root is its neighbour. To be
told of every start tag, or of one only, costs a third of the parsing."""


class Part(Struct, frozen=True):
    """An element that holds records, of which all but the last `open_records` are complete."""

    element: etree._Element
    is_group: bool
    open_records: int
    closed: bool


class RecordStream:
    """One file. Iterate `parts()` once; `root` and `namespace` are known from the first one on."""

    def __init__(self, layout: Layout, plan: Plan, source: BinaryIO) -> None:
        self._name = layout.name
        self._namespaces = layout.namespaces
        self._plan = plan
        self._source = source
        encoding = layout.framing.encoding
        self._prologue = Prologue(layout.name, encoding, plan.root.name)
        utf8 = canonical_encoding(encoding) == "utf-8"
        self._transcoder = None if utf8 else Transcoder(layout.name, encoding)
        self._parser = etree.XMLPullParser(
            events=("pi",),
            encoding="utf-8",
            resolve_entities=False,
            load_dtd=False,
            no_network=True,
            huge_tree=False,
            remove_comments=True,
            collect_ids=False,
        )
        self._mark: etree._Element | None = None
        self._root: etree._Element | None = None
        self._pending = 0
        self._late: dict[Level, frozenset[str]] = {}
        self._strangers: Callable[[etree._Element], Any]
        self._later_strangers: Callable[[etree._Element], Any]
        self._with_records: etree._Element | None = None
        self._groups_seen = False
        self.namespace = ""

    @property
    def root(self) -> etree._Element:
        if self._root is None:
            raise refuse("xml-cut", "the file ends inside its root element", name=self._name)
        return self._root

    def parts(self) -> Iterator[Part]:
        """Elements with records, in the order of the file; the taker calls `taken` for each."""
        started = False
        while block := self._source.read(BLOCK_BYTES):
            if not started:
                first = self._prologue.take(block)
                if first is None:
                    continue
                block, started = MARK + first, True
            self._feed(block)
            yield from self._parts(final=False)
        if not started:
            raise self._prologue.finish()
        self._close()
        self._check_way()
        yield from self._parts(final=True)

    def taken(self, part: Part, records: int) -> None:
        """Forget the complete records of a part, and whatever ignored elements stand between them."""
        element = part.element
        if not records:
            return
        self._check_late(element)
        del element[: len(element) - (0 if part.closed else 1)]
        self._with_records = element
        self._pending = 0

    def _feed(self, block: bytes) -> None:
        self._pending += len(block)
        if self._pending > MAXIMUM_PENDING_BYTES + BLOCK_BYTES:
            what = f"more than {MAXIMUM_PENDING_BYTES} bytes without a complete record"
            raise refuse("xml-limit", what, name=self._name)
        if self._transcoder is not None:
            block = self._transcoder.convert(block)
        try:
            self._parser.feed(block)
        except etree.XMLSyntaxError as error:
            raise parser_error(error, self._name, at_end=False) from None
        self._find_root()

    def _close(self) -> None:
        try:
            if self._transcoder is not None:
                self._parser.feed(self._transcoder.convert(b"", final=True))
            self._parser.close()
        except etree.XMLSyntaxError as error:
            raise parser_error(error, self._name, at_end=True) from None
        self._find_root()

    def _find_root(self) -> None:
        for _, instruction in self._parser.read_events():
            if self._mark is None and isinstance(instruction, etree._Element):
                self._mark = instruction
        if self._root is not None or self._mark is None:
            return
        self._root = self._mark.getnext()
        if self._root is None:
            return
        # Not by QName: it takes no namespace with a brace in it, as a hostile file may have.
        self.namespace = str(self._root.tag).rpartition("}")[0].removeprefix("{")
        if self.namespace not in self._namespaces:
            found = self.namespace[:100] or "none"
            wanted = " or ".join(self._namespaces)
            raise refuse("xml-namespace", f"namespace {found}, wanted {wanted}", name=self._name)
        self._prepare()

    def _prepare(self) -> None:
        """What depends on the namespace found."""
        record = f"n:{self._plan.record}" if self._plan.record else "n:*"
        names = {"n": self.namespace}
        strangers = f"*[not(self::{record})]"
        self._strangers = etree.XPath(strangers, namespaces=names)
        self._later_strangers = etree.XPath(f"{record}[1]/following-sibling::{strangers}", namespaces=names)
        above = len(self._plan.way)
        for level in (Level.FILE, Level.GROUP):
            skip = above if level is Level.FILE else 0
            steps = [way.steps[skip:] for leaf in self._plan.at(level) for way in leaf.paths]
            self._late[level] = frozenset(self._tag(rest[0]) for rest in steps if rest)

    def _tag(self, name: str) -> str:
        return f"{{{self.namespace}}}{name}"

    def _holder(self) -> etree._Element | None:
        """The innermost element of the way from the root, as far as it has been read."""
        element = self._root
        for name in self._plan.way[1:]:
            if element is None:
                return None
            element = next(element.iterchildren(self._tag(name)), None)
        return element

    def _parts(self, final: bool) -> Iterator[Part]:
        """What holds records; the last child of an open element may itself be incomplete."""
        holder = self._holder()
        if holder is None or not (self._plan.record or self._plan.group):
            return
        if not self._plan.group:
            yield self._part(holder, closed=final, is_group=False)
            return
        for child in list(holder):
            closed = final or child.getnext() is not None
            if child.tag == self._tag(self._plan.group):
                if not closed and not self._has_record(child):
                    break
                yield self._part(child, closed=closed, is_group=True)
                self._pending = 0 if closed else self._pending
                self._forget_header(holder, child)
            elif not self._groups_seen:
                continue
            elif child.tag in self._late[Level.FILE]:
                raise self._late_error(child)
            if closed:
                holder.remove(child)

    def _has_record(self, group: etree._Element) -> bool:
        record = self._plan.record
        return bool(record) and next(group.iterchildren(self._tag(record)), None) is not None

    def _forget_header(self, holder: etree._Element, group: etree._Element) -> None:
        """Whoever took the first group has read what stands before it."""
        if self._groups_seen:
            return
        self._groups_seen = True
        for earlier in list(group.itersiblings(preceding=True)):
            holder.remove(earlier)

    def _part(self, element: etree._Element, *, closed: bool, is_group: bool) -> Part:
        last = None if closed or not len(element) else element[-1]
        is_open = last is not None and last.tag == self._tag(self._plan.record)
        return Part(element, is_group, int(is_open), closed)

    def _check_way(self) -> None:
        """Each element on the way to the records stands once."""
        element = self.root
        for name in self._plan.way[1:]:
            found = list(element.iterchildren(self._tag(name)))
            if len(found) != 1:
                what = f"{len(found)} elements {name}, wanted 1"
                raise refuse("xml-structure", what, name=self._name, column=name)
            element = found[0]

    def _check_late(self, element: etree._Element) -> None:
        """A header element after a record was not there when the header was read."""
        record = self._tag(self._plan.record)
        late = self._late[Level.GROUP if self._plan.group else Level.FILE]
        strangers = self._strangers if self._with_records is element else self._later_strangers
        for child in strangers(element):
            if child.tag in late and child.tag != record:
                raise self._late_error(child)

    def _late_error(self, child: etree._Element) -> DecodeError:
        local = str(child.tag).rpartition("}")[2]
        return refuse("xml-structure", f"{local} after the first record", name=self._name, column=local)
