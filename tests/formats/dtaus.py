"""The exchange format of German banks on tape and disk, through `construct` and as a layout of ours.

Records of 128 bytes and of 187 with up to fifteen parts of 29 behind them, in blocks of 128, without line
ends: the shape of DTAUS, with its widths as they are commonly published. No layout that ships.
"""

from __future__ import annotations

from typing import Any

import construct

LAYOUT = '''
layout  = "exchange"
version = "1"
purpose = "request"
sources = ["the shape of DTAUS"]
syntax  = "fixed"
framing = { encoding = "din-66003", eol = "none", record_multiple = 128 }

structure = """
header
payment 1..*
trailer
"""

[record.header]
record_bytes = 128
table = """
4>0    number         Length        = length
1      text           Mark          !"A"                         @5
2      text           Kind          "GK"
8>0    digits         Bank          profile.bank_code            @8
8      digits         Filler        "00000000"
27     text           Payer         agreement.payer_name         @24
6      date DDMMYY    Made          file.created_on              @51
4      text           Filler        blank
10>0   digits         Account       agreement.payer_account      @61
10     digits         Reference     "0000000000"
15     text           Filler        blank
8      date DDMMYYYY  Pay           file.bank_day                @96
24     text           Filler        blank
1      text           Currency      "1"                          @128
"""

[record.payment]
record_bytes = 187
table = """
4>0    number        Length        = length
1      text          Mark          !"C"
8>0    digits        First bank    profile.bank_code
8>0    digits        Bank          payment.bank_code             @14
10>0   digits        Account       payment.account               @22
13>0   number        Item          = number  key                 @32
5      digits        Key           "51000"
1      text          Filler        blank
11     digits        Old amount    "00000000000"
8>0    digits        Our bank      profile.bank_code             @62
10>0   digits        Our account   agreement.payer_account       @70
11>0   money.2       Amount        payment.amount                @80
3      text          Filler        blank
27     text          Name          payment.payee_name[1-27]      @94
8      text          Filler        blank
27     text          Payer         agreement.payer_name          @129
27     text          Purpose       payment.summary  optional     @156
1      text          Currency      "1"
2      text          Filler        blank
2>0    number        Parts         = parts                       @186
repeat 0..1
  2    digits        Kind          !"01"
  27   text          Name          payment.payee_name[28-54]
repeat 0..13
  2    digits        Kind          !"02"
  27   text          Purpose       payment.summary
"""

[record.trailer]
record_bytes = 128
table = """
4>0    number        Length        = length
1      text          Mark          !"E"
5      text          Filler        blank
7>0    number        Payments      = count(payment)
13     digits        Old sum       "0000000000000"
17>0   number        Accounts      = sum(payment.Account)
17>0   number        Banks         = sum(payment.Bank)
13>0   money.2       Sum           = sum(payment.amount)
51     text          Filler        blank
"""
'''

BLOCK_BYTES = 128
PART_BYTES = 29


def _digits(size: int) -> Any:
    return construct.ExprAdapter(
        construct.Bytes(size), lambda raw, _: int(raw), lambda number, _: b"%0*d" % (size, number)
    )


def _text(size: int) -> Any:
    return (
        construct.PaddedString(size, "ascii")
        if size == 0
        else construct.ExprAdapter(
            construct.Bytes(size),
            lambda raw, _: raw.decode("ascii").rstrip(" "),
            lambda text, _: text.encode("ascii").ljust(size),
        )
    )


def _fill(context: Any) -> int:
    """Blanks before a part that the rest of its block has no room for."""
    used = context.at % BLOCK_BYTES
    return BLOCK_BYTES - used if used and BLOCK_BYTES - used < PART_BYTES else 0


_PART = construct.Struct(
    "at" / construct.Tell,
    "fill" / construct.Padding(_fill, b" "),
    "kind" / _digits(2),
    "text" / _text(27),
)
PAYMENT = construct.Struct(
    "length" / _digits(4),
    "mark" / construct.Const(b"C"),
    "first_bank" / _digits(8),
    "bank" / _digits(8),
    "account" / _digits(10),
    "item" / _digits(13),
    "key" / construct.Const(b"51000"),
    construct.Const(b" " + b"0" * 11),
    "our_bank" / _digits(8),
    "our_account" / _digits(10),
    "amount" / _digits(11),
    construct.Const(b"   "),
    "name" / _text(27),
    construct.Const(b" " * 8),
    "payer" / _text(27),
    "purpose" / _text(27),
    construct.Const(b"1  "),
    "parts" / construct.PrefixedArray(_digits(2), _PART),
    "end" / construct.Tell,
    construct.Padding(lambda context: -context.end % BLOCK_BYTES, b" "),
)
HEADER = construct.Struct(
    construct.Const(b"0128AGK"),
    "bank" / _digits(8),
    construct.Const(b"00000000"),
    "payer" / _text(27),
    "made" / _text(6),
    construct.Const(b"    "),
    "account" / _digits(10),
    construct.Const(b"0" * 10 + b" " * 15),
    "pay" / _text(8),
    construct.Const(b" " * 24 + b"1"),
)
TRAILER = construct.Struct(
    construct.Const(b"0128E     "),
    "count" / _digits(7),
    construct.Const(b"0" * 13),
    "accounts" / _digits(17),
    "banks" / _digits(17),
    "amounts" / _digits(13),
    construct.Const(b" " * 51),
)
FILE = construct.Struct(
    "header" / HEADER,
    "payments" / construct.GreedyRange(PAYMENT),
    "trailer" / TRAILER,
    construct.Terminated,
)


def payment_values(item: int, account: str, name: str, amount: int, lines: list[str]) -> dict[str, Any]:
    """One payment as `PAYMENT` builds it."""
    parts = [{"kind": 1, "text": name[27:]}] if len(name) > 27 else []
    parts += [{"kind": 2, "text": line} for line in lines[1:]]
    return {
        "length": 187 + PART_BYTES * len(parts),
        "first_bank": 20000002,
        "bank": 10000001,
        "account": int(account),
        "item": item,
        "our_bank": 20000002,
        "our_account": 998877,
        "amount": amount,
        "name": name[:27],
        "payer": "STADTKASSE",
        "purpose": lines[0] if lines else "",
        "parts": parts,
    }


def file_bytes(payments: list[dict[str, Any]]) -> bytes:
    """A whole file of `payment_values`, built by `construct`."""
    header = {"bank": 20000002, "payer": "STADTKASSE", "made": "020126", "account": 998877, "pay": "02012026"}
    trailer = {
        "count": len(payments),
        "accounts": sum(one["account"] for one in payments),
        "banks": sum(one["bank"] for one in payments),
        "amounts": sum(one["amount"] for one in payments),
    }
    raw: bytes = FILE.build({"header": header, "payments": payments, "trailer": trailer})
    return raw
