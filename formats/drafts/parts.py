"""What drafts of lines and of XML have in common: what is ordered and asked, the envelope, words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from formats.codec import Purpose
from formats.drafts.paper import Paper, PaperRow
from formats.language.layout import UNKNOWN

ENCODINGS = (
    ("gb18030", r"GB\s*-?18030"),
    ("gbk", r"GBK"),
    ("gb2312", r"GB\s*-?2312"),
    ("utf-8", r"UTF-?8"),
)
_YES = re.compile(r"^(?:M|Y|YES|1|√|是|必输|必填|必选|必|TRUE|REQUIRED|MANDATORY)$", re.IGNORECASE)
_NO = re.compile(r"^(?:O|N|NO|0|×|否|选输|选填|可选|非必输|非必填|FALSE|OPTIONAL)$", re.IGNORECASE)
_CONDITIONAL = re.compile(r"^(?:C|条件|条件必输|CONDITIONAL)$", re.IGNORECASE)


class DraftOrder(Struct, frozen=True, kw_only=True):
    """What the person says beforehand; "" where the paper shall say it, or a guess."""

    name: str
    purpose: Purpose
    source: str
    answers: str = ""
    syntax: str = ""
    encoding: str = ""
    eol: str = ""
    delimiter: str = ""


class Draft(Struct, frozen=True, kw_only=True):
    """The text of the layout, how many lines hold guesses, and what is to be asked."""

    text: str
    guesses: int
    questions: tuple[str, ...]
    codes: str = ""
    """The codes that the paper lists, as the conformance kit reads them; "" where it lists none."""


class Written(Struct):
    """What was written so far of a draft; `amount_words` is what the paper says of all amounts."""

    guesses: int = 0
    questions: list[str] = []
    amount_words: str = ""

    def ask(self, where: str, question: str) -> None:
        self.questions.append(f"{where}: {question}")


_SAID_OUTSIDE = (
    (
        r"签名|签章|加签|验签|\bsign(?:ed|ature)?\b",
        "how, over which bytes, and where does the signature stand? the profile's seal says it; a block"
        " inside the file is at its start or behind its first line (block-sign); at its end no step puts it",
    ),
    (r"加密|密文|\bencrypt", "how is it encrypted? the profile's seal says it"),
    (r"压缩|\bg?zip", "how is it compressed? the profile's seal says it"),
    (
        r"校验值|校验文件|摘要值|摘要算法|MD5|\bchecksum\b",
        "what is the checksum over, and where does it stand?",
    ),
    (
        r"(?:未列|未返回|不返回|未包含|没有返回).{0,12}成功|[仅只](?:返回|包?含|列|有)?.{0,4}(?:失败|成功)"
        r"|\bonly\b.{0,20}\b(?:fail|success|reject|return)",
        "what became of payments that are not listed? if the bank writes that they were credited, and when"
        ' the file is complete, silence = "credited" says so',
    ),
)


def ask_of_texts(paper: Paper, written: Written) -> None:
    """What the paper says outside its tables and money hangs on, and the columns that were not read."""
    for sentence in dict.fromkeys(paper.sentences):
        for words, question in _SAID_OUTSIDE:
            if re.search(words, sentence, re.IGNORECASE):
                written.ask("the paper", f"“{sentence[:100]}”: {question}")
    for heading in paper.unread_columns:
        written.ask("the paper", f"what does its column {heading} say? it was not read")


def assembled(order: DraftOrder, written: Written, body: Sequence[str], listed_codes: str) -> Draft:
    """The whole text: what is to be asked, the envelope, what the syntax makes with its code tables."""
    opening = [
        f"# A draft of {one_line(order.source)}.",
        "# A remark with a question mark: a guess. Compare the line with the paper, then take the mark away.",
        "# Three question marks: what could not be guessed. The layout loads when none of either is left.",
        *(f"# Ask: {one_line(question)}" for question in written.questions),
        "",
    ]
    head = [
        f'layout  = "{order.name}"',
        'version = "1"',
        f'purpose = "{order.purpose.value}"',
        *([f'answers = "{order.answers}"'] if order.answers else []),
        f'sources = ["{one_line(order.source)}"]',
    ]
    return Draft(
        text="\n".join([*opening, *head, *body]) + "\n",
        guesses=written.guesses,
        questions=tuple(written.questions),
        codes=listed_codes,
    )


def one_line(text: str) -> str:
    """A text that stands in a remark or between quotation marks, and ends neither that nor its block."""
    return re.sub(r'[\s"\\#]+', " ", _printable(text)).strip()


def _printable(text: str) -> str:
    return "".join(one if one.isprintable() else " " for one in text).replace("'", "’")


def said_of(words: str, known: Sequence[tuple[str, str]]) -> str:
    return next((name for name, pattern in known if re.search(pattern, words, re.IGNORECASE)), "")


def fitting(kind: str, meaning: str) -> str:
    """A kind that can carry the meaning: digits that are counted are a number, an account is none.

    An amount whose scale no word says is `UNKNOWN`.
    """
    name = meaning.partition("  ")[0]
    if name.endswith(".amount") or name.startswith("= sum("):
        return kind if kind.startswith(("money", "yuan")) else UNKNOWN
    if name.startswith("=") or name in ("attempt.item", "file.sequence"):
        return kind if kind.startswith(("money", "yuan", UNKNOWN)) else "number"
    if kind == "number":
        return "blank" if name == "blank" else "digits"
    return "blank" if name == "blank" else kind


def optional_words(row: PaperRow, meaning: str, constant: str, guessed: list[str]) -> str:
    """`optional` where the paper says that the field may be empty."""
    may_be_empty = bool(_NO.match(row.required) or _YES.match(row.may_be_empty))
    conditional = bool(_CONDITIONAL.match(row.required))
    plain = meaning.partition("  ")[0]
    if constant or plain in ("blank", UNKNOWN) or plain.startswith("=") or meaning.endswith("key"):
        return ""
    if plain in ("payment.account", "payment.payee_name", "payment.amount", "outcome.amount", "outcome.code"):
        return ""
    if conditional:
        guessed.append("optional")
    return "  optional" if may_be_empty or conditional else ""


def title_of(name: str) -> str:
    """The name as a cell: blanks made one, no signs that the language takes for itself."""
    return one_line(name) or "-"
