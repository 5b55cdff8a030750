"""Runs of plain records against the parser: whoever reads a file, it says the same."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from formats.xml.forms import MAXIMUM_FORMS, Tags, take_apart
from tests.formats.both_ways import PLAIN, xml_agrees, xml_says
from tests.formats.xml_support import (
    PAIN_002,
    RESULT,
    group,
    payments,
    report,
    shipped,
    small_layout,
    written,
)

REQUEST_V03 = shipped("pain001-v03-request")
ROOMS = small_layout(
    """
Doc
  Head
    MsgId         text <=35   message   file.message_id
  Rec             [payment 1..*]
    @Seq          text        mark      payment.summary  optional
    Ref           text        ref       attempt.reference  key
    Amt           yuan.2      amount    payment.amount
    Amt/@Ccy      text 3      currency  file.currency
    Acct | Old/Acct   text    account   payment.account
    Nm            text        name      payment.payee_name
    Note          text        note      payment.region  [text 0..*]
"""
)
"""Records directly below the root: no groups."""

SETTINGS = settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])


# Documents.

TEXTS = st.one_of(
    st.sampled_from(
        [
            "王小明",
            "a",
            "",
            " x ",
            "李&amp;王",
            "&lt;b&gt;",
            "&quot;&apos;",
            "a>b",
            "\n y",
            "\r\n",
            "𠮷",
            "é",
            "!?",
            "]]",
        ]
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="<&>", exclude_categories=["Cc"]), max_size=6),
)
_INNER = "<X><TxInfAndSts><OrgnlEndToEndId>1</OrgnlEndToEndId></TxInfAndSts></X>"
STRANGE = st.sampled_from(
    [
        *("<!--x-->", "<![CDATA[z]]>", "<?p q?>", "&#65;", "&#x4e2d;", "&secret;", "&amp", "]]>", "text"),
        *("\x00", "\x01", "\ufdd0", "\ufffe", "\ufeff", "\r", "<", ">", '"', "<!DOCTYPE x>", _INNER),
        *("<X/>", "<X a='b'/>", '<X a="<"/>', '<X a="1" a="2"/>', "<p:TxInfAndSts/>", "<TxInfAndSts>"),
        *("</TxInfAndSts>", "<OrgnlPmtInfAndSts>", "</OrgnlPmtInfAndSts>"),
        '<X xmlns="urn:x"><TxInfAndSts/></X>',
        *(
            "<PmtInfSts>RJCT</PmtInfSts>",
            "<OrgnlPmtInfId>P2</OrgnlPmtInfId>",
            "<GrpHdr><MsgId>x</MsgId></GrpHdr>",
        ),
        "<OrgnlGrpInfAndSts><GrpSts>RJCT</GrpSts></OrgnlGrpInfAndSts>",
    ]
)
BLANKS = st.sampled_from(["", "", "", "\n", "\r\n  ", "\t"])


@st.composite
def transactions(draw: st.DrawFn) -> str:
    """A TxInfAndSts, usual or strange in what it holds."""
    text = lambda name: f"<{name}>{draw(TEXTS)}</{name}>"  # noqa: E731
    blank = draw(BLANKS)
    parts = [f"<OrgnlEndToEndId>{draw(st.integers(0, 10**6)):020d}</OrgnlEndToEndId>"]
    if draw(st.booleans()):
        parts.append(f"<TxSts>{draw(st.sampled_from(['ACSC', 'RJCT', ' ACSC ', '']))}</TxSts>")
    for _ in range(draw(st.integers(0, 2))):
        parts.append(
            f"<StsRsnInf><Rsn>{text('Cd')}</Rsn>{text('AddtlInf') * draw(st.integers(0, 2))}</StsRsnInf>"
        )
    for _ in range(draw(st.integers(0, 2))):
        parts.append(f'<ChrgsInf><Amt Ccy="CNY">{draw(st.integers(0, 99))}.0</Amt></ChrgsInf>')
    if draw(st.booleans()):
        currency, fen = draw(st.sampled_from(["CNY"] * 9 + ["EUR"])), draw(st.integers(10, 99))
        amount = f'<IntrBkSttlmAmt Ccy="{currency}">1.{fen}</IntrBkSttlmAmt>'
        parts.append(f"<OrgnlTxRef>{amount}<Cdtr>{text('Nm')}<X/>{draw(BLANKS)}</Cdtr></OrgnlTxRef>")
    if draw(st.integers(0, 19)) == 19:
        parts.insert(draw(st.integers(0, len(parts))), draw(STRANGE))
    return "<TxInfAndSts>" + blank + blank.join(parts) + "</TxInfAndSts>"


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A pain.002 with some groups; now and then something strange anywhere."""
    groups = []
    for _ in range(draw(st.integers(1, 2))):
        records = draw(st.lists(transactions(), max_size=8)) * draw(st.integers(1, 3))
        groups.append(
            group(
                draw(BLANKS).join(["", *records, ""]),
                draw(st.sampled_from(["", "<PmtInfSts>RJCT</PmtInfSts>"])),
            )
        )
    document = report(draw(BLANKS).join(groups))
    if draw(st.integers(0, 3)) == 3:
        place = draw(st.integers(0, len(document)))
        document = document[:place] + draw(STRANGE) + document[place:]
    return document


def with_prefix(document: str, prefix: str = "ns2") -> str:
    """The document with a prefix on every tag, its namespace declared for that."""
    named = re.sub(r"<(/?)(?=[A-Za-z])", rf"<\1{prefix}:", document)
    return named.replace(" xmlns=", f" xmlns:{prefix}=", 1)


PREFIXES = st.sampled_from(["", "", "ns2", "a.b-c", "é"])


@SETTINGS
@given(documents(), st.sampled_from([1 << 18, 1000, 150, 7]), PREFIXES)
def test_any_document_says_the_same(document: str, most: int, prefix: str) -> None:
    named = with_prefix(document, prefix) if prefix else document
    xml_agrees(RESULT, named.encode("utf-8", "surrogatepass"), most, faults=2)


@SETTINGS
@given(st.data())
def test_any_changed_byte_says_the_same(data: st.DataObject) -> None:
    document = report(group("".join(map(_transaction, range(5)))))
    raw = (with_prefix(document) if data.draw(st.booleans()) else document).encode()
    place = data.draw(st.integers(raw.index(b"OrgnlPmtInfAndSts>"), len(raw) - 1))
    changed = raw[:place] + bytes([data.draw(st.integers(0, 255))]) + raw[place + 1 :]
    xml_agrees(RESULT, changed)


@SETTINGS
@given(st.lists(transactions(), min_size=1, max_size=6), st.sampled_from([1 << 18, 90]))
def test_records_directly_in_the_root_say_the_same(bodies: list[str], most: int) -> None:
    records = [
        f'<Rec Seq="{place}&amp;"><Ref>{7:012d}{place:08d}</Ref><Amt Ccy="CNY">1.{place:02d}</Amt>'
        f"<Acct>1</Acct><Nm>{body.count('e')}</Nm><Note>a</Note><Note/><Note>{place}</Note></Rec>"
        for place, body in enumerate(bodies, start=1)
    ]
    document = f'<Doc xmlns="urn:small"><Head><MsgId>M</MsgId></Head>{"".join(records)}</Doc>'
    spared = xml_agrees(ROOMS, document.encode(), most)
    assert spared == len(records) or most < len(document)


# Prefixes.


def test_the_parser_is_spared_all_of_a_file_with_prefixes() -> None:
    raw = with_prefix(report(group("".join(_transaction(item) for item in range(40))))).encode()
    assert xml_agrees(RESULT, raw) == 40
    columns, *_ = xml_says(RESULT, raw, PLAIN, 1 << 18)[0]
    assert columns["outcome.amount"] == [100 + item for item in range(40)]


@pytest.mark.parametrize(
    ("old", "new", "spared"),
    [
        ("<ns2:TxSts>ACSC</ns2:TxSts>", "<TxSts>ACSC</TxSts>", 0),
        ("<ns2:TxSts>ACSC</ns2:TxSts>", "<ns3:TxSts>ACSC</ns3:TxSts>", 0),
        ("<ns2:TxInfAndSts>", '<ns2:TxInfAndSts xmlns:ns2="urn:other">', 0),
        ("<ns2:TxInfAndSts>", '<ns2:TxInfAndSts ns2:a="1">', 0),
        ("<ns2:Cdtr>", '<ns2:Cdtr xmlns:ns2="urn:other">', 0),
        ("<ns2:OrgnlPmtInfAndSts>", '<ns2:OrgnlPmtInfAndSts xmlns:ns2="urn:other">', 0),
        ("<ns2:OrgnlPmtInfAndSts>", '<ns2:OrgnlPmtInfAndSts xmlns="urn:other">', 8),
        ("ns2:TxInfAndSts", "TxInfAndSts", 0),
        ("ns2:TxInfAndSts", "ns3:TxInfAndSts", 0),
        ("<ns2:Document ", f'<ns2:Document xmlns:ns3="{PAIN_002}" xmlns="{PAIN_002}" ', 8),
    ],
)
@pytest.mark.parametrize("most", [1 << 18, 90])
def test_a_prefix_counts_for_what_it_is_declared(old: str, new: str, spared: int, most: int) -> None:
    """Another prefix, none, or the same for another namespace: what is read is what the parser would read."""
    document = with_prefix(report(group("".join(_transaction(item) for item in range(8)))))
    assert old in document
    found = xml_agrees(RESULT, document.replace(old, new).encode(), most)
    assert found <= spared
    assert most < 1000 or found == spared


@pytest.mark.parametrize("prefix", ["", "ns2"])
def test_a_group_that_gives_the_files_prefix_another_meaning_holds_no_records(prefix: str) -> None:
    """What stands in it looks like records, and is of another namespace."""
    document = report(group("".join(_transaction(item) for item in range(8))))
    named = with_prefix(document, prefix) if prefix else document
    tag = f"{prefix}:OrgnlPmtInfAndSts" if prefix else "OrgnlPmtInfAndSts"
    declared = f'xmlns:{prefix}="urn:other"' if prefix else 'xmlns="urn:other"'
    other = named.replace(f"<{tag}>", f'<g:OrgnlPmtInfAndSts xmlns:g="{PAIN_002}" {declared}>')
    other = other.replace(f"</{tag}>", "</g:OrgnlPmtInfAndSts>")
    assert other.count("g:OrgnlPmtInfAndSts") == 2
    xml_agrees(RESULT, other.encode())
    said = xml_says(RESULT, other.encode(), PLAIN, 1 << 18)[0]
    assert isinstance(said[0], str) or not said[1]


def test_two_prefixes_of_one_namespace_are_told_apart() -> None:
    """Records with another prefix than the root's are the parser's, and are records all the same."""
    declared = f'<ns2:Document xmlns:ns3="{PAIN_002}" '
    document = with_prefix(report(group("".join(_transaction(item) for item in range(8)))))
    other = document.replace("<ns2:Document ", declared).replace("ns2:TxInfAndSts", "ns3:TxInfAndSts")
    assert xml_agrees(RESULT, other.encode()) == 0
    assert len(xml_says(RESULT, other.encode(), PLAIN, 1 << 18)[0][1]) == 8


# What must be the parser's.


def test_the_parser_is_spared_all_of_a_file_of_ours() -> None:
    raw = report(group("".join(_transaction(item) for item in range(40)))).encode()
    assert xml_agrees(RESULT, raw) == 40


@pytest.mark.parametrize(
    "strange",
    ["<!--x-->", "<![CDATA[x]]>", "<?x y?>", "&#65;", "&bank;", "]]>", "\ufdd0", "\ufffe", "\x01"],
)
@pytest.mark.parametrize("place", ["text", "between"])
def test_a_block_with_anything_unusual_is_the_parsers(strange: str, place: str) -> None:
    name = strange if place == "text" else "x"
    records = [_transaction(1), _transaction(2, name), strange if place == "between" else "", _transaction(3)]
    assert xml_agrees(RESULT, report(group("".join(records))).encode()) == 0


def test_a_wanted_value_with_elements_within_it_is_the_parsers() -> None:
    record = _transaction(1).replace("王小明", "<X>x</X>")
    assert xml_agrees(RESULT, report(group(record * 3)).encode()) == 0


def test_records_inside_a_comment_are_no_records() -> None:
    inner = "".join(_transaction(item) for item in range(9))
    assert xml_agrees(RESULT, report(group(f"{_transaction(1)}<!--{inner}-->")).encode(), 300) <= 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('<X xmlns="urn:other">', "</X>"),
        ("<X>", "</X>"),
        ("<TxInfAndSts><OrgnlEndToEndId>1</OrgnlEndToEndId><TxSts>RJCT", "</TxSts></TxInfAndSts>"),
        ("</OrgnlPmtInfAndSts><X>", "</X><OrgnlPmtInfAndSts><OrgnlPmtInfId>P2</OrgnlPmtInfId>"),
        ("</OrgnlPmtInfAndSts>", "<OrgnlPmtInfAndSts><OrgnlPmtInfId>P2</OrgnlPmtInfId>"),
        ('<X a="', '"/>'),
        ("</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>", "<Document><CstmrPmtStsRpt><OrgnlPmtInfAndSts>"),
    ],
)
@pytest.mark.parametrize("most", [1 << 18, 400, 11])
def test_records_that_stand_where_none_are_read(before: str, after: str, most: int) -> None:
    """Whatever the parser would make of them: another namespace, no record's place, not well-formed."""
    inner = "".join(_transaction(item) for item in range(4))
    records = f"{_transaction(9)}{before}{inner}{after}{_transaction(8)}"
    xml_agrees(RESULT, report(group(records)).encode(), most)


@pytest.mark.parametrize("late", ["<PmtInfSts>RJCT</PmtInfSts>", "<OrgnlPmtInfId>P2</OrgnlPmtInfId>"])
@pytest.mark.parametrize("most", [1 << 18, 400, 11])
def test_a_header_behind_a_run_is_late(late: str, most: int) -> None:
    """A status of the whole group that comes last would be read over, and another one believed."""
    inner = "".join(_transaction(item) for item in range(4))
    for document in (report(group(f"{inner}{late}")), report(group(f"{inner}{late}") + group(inner))):
        assert "after the first record" in str(xml_says(RESULT, document.encode(), PLAIN, most))
        xml_agrees(RESULT, document.encode(), most, faults=2)
    direct = (
        '<Doc xmlns="urn:small"><Head><MsgId>M</MsgId></Head>'
        f'<Rec><Ref>{7:012d}{1:08d}</Ref><Amt Ccy="CNY">1.00</Amt><Acct>1</Acct><Nm>x</Nm></Rec>'
        "<Head><MsgId>Z</MsgId></Head></Doc>"
    )
    xml_agrees(ROOMS, direct.encode(), most, faults=2)


def test_a_namespace_declared_on_the_group_is_the_one_that_counts() -> None:
    inner = "".join(_transaction(item) for item in range(4))
    document = report(group(inner)).replace("<OrgnlPmtInfAndSts>", '<OrgnlPmtInfAndSts xmlns="urn:other">')
    xml_agrees(RESULT, document.encode())


def test_a_default_namespace_that_prefixed_elements_hide_is_not_taken_for_theirs() -> None:
    inner = "".join(_transaction(item) for item in range(4))
    document = report(group(inner)).replace("<OrgnlPmtInfAndSts>", '<OrgnlPmtInfAndSts xmlns="">')
    prefixed = (
        document.replace(f'xmlns="{PAIN_002}"', f'xmlns:p="{PAIN_002}" xmlns="urn:other"')
        .replace("<", "<p:")
        .replace("<p:/", "</p:")
        .replace("<p:?", "<?")
    )
    plain_records = prefixed.replace("<p:TxInf", "<TxInf").replace("</p:TxInf", "</TxInf")
    for each in (document, prefixed, plain_records):
        xml_agrees(RESULT, each.encode())


@pytest.mark.parametrize("end", ["<X>", "\n\n<X></Y>", "\x02", "<X a=1/>", "王<X></Y>", "</Document>x"])
@pytest.mark.parametrize("between", ["", "\n", "\r\n\t"])
def test_an_error_behind_runs_has_its_line_and_column(end: str, between: str) -> None:
    records = between.join(_transaction(item) for item in range(12))
    xml_agrees(RESULT, report(group(records + end)).encode())


@pytest.mark.parametrize("between", ["", "\n"])
def test_an_error_between_runs_that_is_told_at_the_end_has_its_column(between: str) -> None:
    """An unknown prefix ends nothing until the end; the runs behind it move no column before them."""
    records = [_transaction(item) for item in range(6)]
    records[2] = records[2].replace("<TxSts>", "<x:TxSts>").replace("</TxSts>", "</x:TxSts>")
    assert xml_says(RESULT, report(group(between.join(records))).encode(), PLAIN, 1 << 18)[0][0] == "xml-cut"
    xml_agrees(RESULT, report(group(between.join(records))).encode())


def test_forms_beyond_the_limit_are_the_parsers() -> None:
    records = [
        f"<TxInfAndSts><OrgnlEndToEndId>{item:020d}</OrgnlEndToEndId><TxSts>ACSC</TxSts><X{item}/></TxInfAndSts>"
        for item in range(MAXIMUM_FORMS + 5)
    ]
    assert xml_agrees(RESULT, report(group("".join(records))).encode()) == MAXIMUM_FORMS


def test_other_encodings_and_a_request_say_the_same() -> None:
    chunk = payments(payee_name=["王小明", "李&王", "<𠮷>\r田"], amount=[1, 2, 3])
    for codec in (shipped("pain001-request"), REQUEST_V03):
        xml_agrees(codec, written(codec, [chunk]))


# Records taken apart.


@pytest.mark.parametrize(
    "text",
    [
        "<R>",
        "<R></r>",
        "<R><A></R></A>",
        "<R><A>x<B/></A></R>",
        "<R>x<A/></R>",
        "<R a='1'/>",
        '<R a="1"b="2"/>',
        '<R a="1" a="2"/>',
        '<R xmlns="urn:x"/>',
        '<R p:a="1"/>',
        "<R><p:A/></R>",
        "<R><R/></R>",
        "<R><A></A ></R>",
        "<R ><A/></R>",
        "<R/ >",
        '</R a="1">',
        "<R>" + "<A>" * 40 + "</A>" * 40 + "</R>",
        f"<R>{'x' * 20_000}</R>",
        "<S/>",
    ],
)
def test_what_is_not_plain(text: str) -> None:
    assert take_apart(text, 0, "R", Tags("")) is None
    assert take_apart(with_prefix(text, "p"), 0, "R", Tags("p")) is None


def test_a_plain_record_tag_by_tag() -> None:
    taken = take_apart('..<R a="1"><A>\n<B>x</B><C/></A></R>tail', 2, "R", Tags(""))
    assert taken is not None
    assert taken.parts == ('<R a="', '"><A>\n<B>', "</B><C/></A></R>")
    assert taken.values == ["1", "x"]
    assert taken.places == [((), "a", 0, 0), (("A", "B"), "", 1, 0), (("A", "C"), "", -1, 0)]
    assert taken.inner == {(), ("A",)}
    assert taken.end == 2 + len('<R a="1"><A>\n<B>x</B><C/></A></R>')


def test_places_say_in_which_detail_they_are() -> None:
    taken = take_apart("<R><A/><D><B>x</B></D><D/><D><B>y</B></D><C>z</C></R>", 0, "R", Tags(""), ("D",))
    assert taken is not None
    assert [(steps, inside) for steps, _, _, inside in taken.places] == [
        (("A",), 0),
        (("D", "B"), 1),
        (("D",), 2),
        (("D", "B"), 3),
        (("C",), 0),
    ]
    assert taken.details == 3


# Entries with details.

STATEMENT = shipped("camt053-statement")


@st.composite
def entries(draw: st.DrawFn) -> str:
    """An entry with some details, usual or strange in what it holds."""
    status = draw(
        st.sampled_from(["<Sts><Cd>BOOK</Cd></Sts>"] * 6 + ["<Sts>BOOK</Sts>", "<Sts><Cd></Cd></Sts>"])
    )
    details = []
    for _ in range(draw(st.integers(0, 3))):
        parts = [f"<Refs><EndToEndId>{draw(st.integers(0, 99)):020d}</EndToEndId></Refs>"]
        if draw(st.booleans()):
            amount = f'<Amt Ccy="{draw(st.sampled_from(["CNY", "CNY", "EUR"]))}">1.00</Amt>'
            parts.append(draw(st.sampled_from([amount, f"<AmtDtls><TxAmt>{amount}</TxAmt></AmtDtls>"])))
        parts += [f"<RmtInf><Ustrd>{draw(TEXTS)}</Ustrd></RmtInf>"] * draw(st.integers(0, 2))
        if draw(st.booleans()):
            parts.append(f"<RtrInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>{draw(TEXTS)}</AddtlInf></RtrInf>")
        if draw(st.integers(0, 19)) == 19:
            parts.insert(draw(st.integers(0, len(parts))), draw(STRANGE))
        details.append("<TxDtls>" + draw(BLANKS).join(parts) + "</TxDtls>")
    inside = draw(BLANKS).join(details)
    wrapped = f"<NtryDtls>{inside}</NtryDtls>" if details or draw(st.booleans()) else ""
    if details and draw(st.integers(0, 4)) == 4:
        wrapped = "".join(f"<NtryDtls>{detail}</NtryDtls>" for detail in details)
    batch = draw(st.sampled_from(["", "<NtryDtls><Btch><MsgId>M1</MsgId></Btch></NtryDtls>"]))
    return (
        f'<Ntry><Amt Ccy="CNY">1.0{draw(st.integers(0, 9))}</Amt><CdtDbtInd>DBIT</CdtDbtInd>{status}'
        f"{draw(BLANKS)}<BookgDt><Dt>2026-01-02</Dt></BookgDt>{batch}{wrapped}<AddtlNtryInf>{draw(TEXTS)}"
        "</AddtlNtryInf></Ntry>"
    )


def statement_of(bodies: str) -> str:
    return (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr>'
        "<MsgId>S1</MsgId><CreDtTm>2026-01-06T08:00:00</CreDtTm></GrpHdr><Stmt><Id>1</Id><Acct><Id><Othr><Id>9</Id></Othr></Id></Acct>"
        f"{bodies}</Stmt></BkToCstmrStmt></Document>"
    )


@SETTINGS
@given(st.lists(entries(), max_size=6), st.integers(1, 3), st.sampled_from([1 << 18, 700, 90]), PREFIXES)
def test_any_statement_says_the_same(bodies: list[str], times: int, most: int, prefix: str) -> None:
    document = statement_of("".join(bodies * times))
    named = with_prefix(document, prefix) if prefix else document
    xml_agrees(STATEMENT, named.encode("utf-8", "surrogatepass"), most, faults=2)


@pytest.mark.parametrize(
    ("status", "spared"),
    [
        ("<Sts><Cd>BOOK</Cd></Sts>", 12),
        ("<Sts>BOOK</Sts>", 12),
        ("<Sts><Cd></Cd></Sts>", 0),
        ("<Sts><Cd/></Sts>", 0),
        ("<Sts><Prtry>X</Prtry></Sts>", 0),
        ("<Sts><Cd>BOOK</Cd></Sts><Sts>PDNG</Sts>", 0),
        ("<Sts><Cd>BOOK</Cd></Sts><Sts><Cd>PDNG</Cd></Sts>", 0),
    ],
)
def test_an_element_that_is_wanted_itself_and_within(status: str, spared: int) -> None:
    """`Sts/Cd | Sts`: the second counts where the first says nothing; then the parser says what it holds."""
    entry = (
        f'<Ntry><Amt Ccy="CNY">1.00</Amt><CdtDbtInd>DBIT</CdtDbtInd>{status}<NtryDtls>'
        + "".join(f"<TxDtls><Refs><EndToEndId>{item}</EndToEndId></Refs></TxDtls>" for item in (1, 2, 3))
        + "</NtryDtls></Ntry>"
    )
    assert xml_agrees(STATEMENT, statement_of(entry * 4).encode()) == spared


def _transaction(item: int, name: str = "王小明") -> str:
    return (
        f"<TxInfAndSts><OrgnlEndToEndId>{item:020d}</OrgnlEndToEndId><TxSts>ACSC</TxSts><OrgnlTxRef>"
        f'<IntrBkSttlmAmt Ccy="CNY">1.{item:02d}</IntrBkSttlmAmt><Cdtr><Nm>{name}</Nm></Cdtr>'
        "</OrgnlTxRef></TxInfAndSts>"
    )
