"""Reads an XML file in blocks and hands out the elements that hold complete records.

The parser builds a tree while it reads; what has been handed out is removed from it, so that
memory stays bounded: by one block, one record, and `MAXIMUM_PENDING_BYTES` of anything that
is no record.

Plain records (`runs.py`) are read without it. In their place it gets a processing instruction,
and where it reports that is where they stood: directly in the element that holds the records,
with the namespace in force that theirs must be. Anywhere else their source is put into the tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final
from xml.sax.saxutils import quoteattr

from lxml import etree
from msgspec import Struct

from formats.charset import canonical_encoding
from formats.errors import DecodeError
from formats.language.model import Layout
from formats.xml.columns import Columns
from formats.xml.guard import LineCount, Prologue, Transcoder, parser_error, refuse
from formats.xml.plan import Level, Plan
from formats.xml.runs import Run, RunFinder

BLOCK_BYTES = 1 << 18
"""About a thousand transactions of ISO 20022."""

MAXIMUM_PENDING_BYTES = 4 << 20
"""A header, a record, or ignored elements between two records, at most."""

MARK = b"<?bankgate?>"
"""Goes before the root element: the parser reports it, and the root is its neighbour. To be
told of every start tag, or of one only, costs a third of the parsing."""

RUN_MARK = MARK
"""Goes where a run of plain records was: a file with instructions of its own has no runs from there on."""


_SAFE: Final[dict[str, Any]] = {
    "encoding": "utf-8",
    "resolve_entities": False,
    "load_dtd": False,
    "no_network": True,
    "huge_tree": False,
    "remove_comments": True,
    "collect_ids": False,
}
"""What a parser of foreign bytes may do: nothing but to parse."""


class Part(Struct, frozen=True):
    """An element that holds records, of which all but the last `open_records` are complete.

    Where there is a `run`, its records are meant and not those in the tree.
    """

    element: etree._Element
    is_group: bool
    open_records: int
    closed: bool
    run: Run | None = None


class RecordStream:
    """One file. Iterate `parts()` once; `root` and `namespace` are known from the first one on.

    `columns`: those that a run of plain records has.
    """

    def __init__(self, layout: Layout, plan: Plan, source: BinaryIO, columns: Columns) -> None:
        self._name = layout.name
        self._namespaces = layout.namespaces
        self._plan = plan
        self._source = source
        encoding = layout.framing.encoding
        self._prologue = Prologue(layout.name, encoding, plan.root.name)
        utf8 = canonical_encoding(encoding) == "utf-8"
        self._transcoder = None if utf8 else Transcoder(layout.name, encoding)
        self._parser = etree.XMLPullParser(events=("pi",), **_SAFE)
        self._columns = columns
        self._runs: RunFinder
        """Known when the root element is: records are looked for with its prefix."""
        self._prefix = ""
        self._lines = LineCount()
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
                self._feed(MARK)
                block, started = first, True
                self._prefix = self._prologue.prefix
                self._runs = RunFinder(
                    self._plan.record,
                    self._columns.from_record,
                    self._prefix,
                    self._plan.detail,
                    self._columns.behind,
                )
            if self._transcoder is not None:
                block = self._transcoder.convert(block)
            yield from self._read(block)
        if not started:
            raise self._prologue.finish()
        if self._transcoder is not None:
            yield from self._read(self._transcoder.convert(b"", final=True))
        self._feed(self._runs.take_rest())
        self._close()
        self._check_way()
        yield from self._parts(final=True)

    def taken(self, part: Part, records: int) -> None:
        """Forget the complete records of a part, and whatever ignored elements stand between them."""
        element = part.element
        if records or self._with_records is element:
            # Behind a run there may be no record in the tree any more, and a header all the same.
            self._check_late(element)
        if not records:
            return
        # The last child may still grow; the mark of a run stays, so that no text is joined to an older one.
        del element[: len(element) - (0 if part.closed else 1)]
        self._with_records = element
        self._pending = 0

    def _read(self, block: bytes) -> Iterator[Part]:
        for piece in self._runs.pieces(block):
            if isinstance(piece, bytes):
                self._feed(piece)
                yield from self._parts(final=False)
            else:
                yield from self._run(piece)

    def _run(self, run: Run) -> Iterator[Part]:
        """The run as a part, where it stands among the records; else into the tree with it."""
        marks = self._feed(RUN_MARK)
        yield from self._parts(final=False)
        parent = marks[-1].getparent() if marks else None
        if parent is None:
            # Inside a tag, or behind the root element: the parser has an error for it.
            self._lines.skip("", len(RUN_MARK) if marks else 0)
            self._feed(run.source.encode("utf-8"))
            return
        self._feed(b"\n" * run.source.count("\n"))
        self._lines.skip(run.source, len(RUN_MARK))
        holder, group = self._holder(), bool(self._plan.group)
        if holder is None or not self._is_holder(parent, holder):
            self._restore(run, marks[-1], parent)
            return
        yield Part(parent, group, 0, closed=False, run=run)
        if group:
            self._forget_header(holder, parent)

    def _is_holder(self, element: etree._Element, holder: etree._Element) -> bool:
        """Whether elements with the file's prefix in this one are records."""
        if element.nsmap.get(self._prefix or None) != self.namespace:
            return False
        if not self._plan.group:
            return element is holder
        return element.getparent() is holder and element.tag == self._tag(self._plan.group)

    def _restore(self, run: Run, mark: etree._Element, parent: etree._Element) -> None:
        """Put the run's elements where they would stand had the parser seen them."""
        source = run.source.encode("utf-8")
        self._pending += len(source)
        around = "<around>"
        if name := parent.nsmap.get(self._prefix or None):
            declared = f"xmlns:{self._prefix}" if self._prefix else "xmlns"
            around = f"<around {declared}={quoteattr(name)}>"
        document = around.encode("utf-8") + source + b"</around>"
        for element in list(etree.fromstring(document, etree.XMLParser(**_SAFE))):
            mark.addprevious(element)

    def _feed(self, block: bytes) -> list[etree._Element]:
        """Have the parser read; the marks that it found."""
        if not block:
            return []
        self._pending += len(block)
        if self._pending > MAXIMUM_PENDING_BYTES + BLOCK_BYTES:
            what = f"more than {MAXIMUM_PENDING_BYTES} bytes without a complete record"
            raise refuse("xml-limit", what, name=self._name)
        try:
            self._parser.feed(block)
        except etree.XMLSyntaxError as error:
            raise parser_error(error, self._name, at_end=False, lines=self._lines) from None
        self._lines.read(block)
        return self._find_root()

    def _close(self) -> None:
        try:
            self._parser.close()
        except etree.XMLSyntaxError as error:
            raise parser_error(error, self._name, at_end=True, lines=self._lines) from None
        self._find_root()

    def _find_root(self) -> list[etree._Element]:
        """Have the root element as soon as it is there; what was read of processing instructions."""
        found = [element for _, element in self._parser.read_events() if isinstance(element, etree._Element)]
        if self._mark is None and found:
            self._mark = found[0]
        if self._root is not None or self._mark is None:
            return found
        self._root = self._mark.getnext()
        if self._root is None:
            return found
        # Not by QName: it takes no namespace with a brace in it, as a hostile file may have.
        self.namespace = str(self._root.tag).rpartition("}")[0].removeprefix("{")
        if self.namespace not in self._namespaces:
            found_name = self.namespace[:100] or "none"
            wanted = " or ".join(self._namespaces)
            raise refuse("xml-namespace", f"namespace {found_name}, wanted {wanted}", name=self._name)
        self._prepare()
        return found

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
