"""CPA 005 as a layout that does not ship: what the language says is enough for it.

The file is put together here field by field from the public table of CPA Standard 005, not by any layout:
logical records of 1464 bytes, here with one segment each.
"""

from __future__ import annotations

import pytest

from formats.errors import DecodeError
from formats.language.layout import parse_layout
from formats.records import RecordChunk
from formats.registry import compile_layout
from tests.formats.samples import decode, identity

CPA005 = """
layout  = "cpa005-credits"
version = "1"
purpose = "request"
sources = ["CPA Standard 005, logical records A, C and Z"]
syntax  = "fixed"
framing = { encoding = "ascii", eol = "lf" }

structure = '''
head
payment 1..*
trailer
'''

[record.head]
record_bytes = 1464
table = '''
1      text          Logical record type     !"A"
9>0    number        Logical record count    = number(head payment trailer)
10     text          Originator's id         profile.originator          @11
4>0    number        File creation number    file.sequence               @21
6      date 0YYDDD   Creation date           file.bank_day               @25
5      digits        Data centre             profile.data_centre         @31
20     text          Reserved                blank
3      text          Currency                file.currency               @56
1406   text          Filler                  blank
'''

[record.payment]
record_bytes = 1464
table = '''
1      text          Logical record type     !"C"
9>0    number        Logical record count    = number(head payment trailer)
10     text          Originator's id         profile.originator
4>0    number        File creation number    file.sequence
3      digits        Transaction type        "450"                       @25
10>0   money.2       Amount                  payment.amount              @28
6      date 0YYDDD   Payable date            file.bank_day
9      digits        Institution             payment.bank_code           @44
12     text          Account                 payment.account             @53
22     text          Item trace                attempt.reference  key      @65
3      digits        Stored type             "000"
15     text          Originator, short       profile.short_name
30     text          Payee                   payment.payee_name          @105
30     text          Originator, long        profile.long_name
10     text          Originator's user id    profile.originator
19     text          Cross reference         blank
9      digits        Institution for return  profile.return_institution
12     text          Account for return      profile.return_account
15     text          Sundry                  payment.summary
22     text          Filler                  blank
2      text          Settlement code         blank
11     digits        Invalid data            "00000000000"               @254
1200   text          Segments 2 to 6         blank                       @265
'''

[record.trailer]
record_bytes = 1464
table = '''
1      text          Logical record type     !"Z"
9>0    number        Logical record count    = number(head payment trailer)
10     text          Originator's id         profile.originator
4>0    number        File creation number    file.sequence
14     digits        Debits                  "00000000000000"
8      digits        Number of debits        "00000000"
14>0   money.2       Credits                 = sum(payment.amount)       @47
8>0    number        Number of credits       = count(payment)            @61
44     digits        Error corrections       "00000000000000000000000000000000000000000000"
1352   text          Filler                  blank
'''
"""

PROFILE = {
    "originator": "ORIG000001",
    "data_centre": "86900",
    "short_name": "CITY TREASURY",
    "long_name": "CITY TREASURY OF TESTVILLE",
    "return_institution": "000100022",
    "return_account": "7654321",
}


def chunk(accounts: list[str], names: list[str], banks: list[str]) -> RecordChunk:
    columns: dict[str, list[object]] = {
        "payment.account": list(accounts),
        "payment.payee_name": list(names),
        "payment.bank_code": list(banks),
        "payment.amount": [150_000, 50],
        "payment.summary": ["AID 2026", "AID 2026"],
        "attempt.item": [1, 2],
    }
    return RecordChunk(record="payment", count=2, columns=columns, lines=range(1, 3))


def cpa005() -> bytes:
    front = [f"{letter}{number:09d}ORIG0000010007" for number, letter in enumerate("ACCZ", 1)]
    head = f"{front[0]}02600286900{'':20}CNY"
    segments = [
        f"450{amount:010d}026002{bank}{account:<12}{7:012d}{item:08d}  000{'CITY TREASURY':<15}{name:<30}"
        f"{'CITY TREASURY OF TESTVILLE':<30}ORIG000001{'':19}000100022{'7654321':<12}{'AID 2026':<15}{'':24}"
        f"{0:011d}"
        for item, (amount, bank, account, name) in enumerate(
            [(150_000, "000300011", "1234567", "ANNA BELL"), (50, "000400099", "98765432", "CARL DEER")], 1
        )
    ]
    assert [len(segment) for segment in segments] == [240, 240]
    trailer = f"{front[3]}{0:022d}{150_050:014d}{2:08d}{0:044d}"
    lines = [head, front[1] + segments[0], front[2] + segments[1], trailer]
    return "".join(f"{line:<1464}\n" for line in lines).encode("ascii")


PAYMENTS = chunk(["1234567", "98765432"], ["ANNA BELL", "CARL DEER"], ["000300011", "000400099"])


def test_it_is_written_and_read() -> None:
    codec = compile_layout(parse_layout(CPA005, "cpa005"))
    written = b"".join(codec.encode(identity(profile=PROFILE), [PAYMENTS]))
    assert written.split(b"\n") == cpa005().split(b"\n")
    columns, _, problems = decode(codec, cpa005())
    assert problems == []
    read = columns["payment"]
    for meaning in ("payment.amount", "payment.payee_name", "payment.account", "payment.bank_code"):
        assert read[meaning] == PAYMENTS.columns[meaning]


def test_a_cut_file_and_a_wrong_total_are_found() -> None:
    codec, raw = compile_layout(parse_layout(CPA005, "cpa005")), cpa005()
    for cut in (1, len(raw) // 3, len(raw) - 1):
        with pytest.raises(DecodeError):
            decode(codec, raw[:cut])
    problems = decode(codec, raw.replace(b"150050", b"150051"))[2]
    assert [problem.code for problem in problems] == ["total-differs"]
