"""What kind and width a field of a paper has, read from its type, its length, its remark and its name.

Papers write `C(20)`, `X(20)`, `N(16,2)`, `9(13)V99`, `an..35`, 字符, 数字, 日期, 金额. Whether an amount is
in yuan or in fen, and whether its point is written, is taken from words only: from digits alone nobody
knows it, and a wrong guess is wrong a hundredfold. Then the kind is `UNKNOWN`, which no layout loads with.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct, field

from formats.drafts.paper import PaperRow
from formats.language.layout import UNKNOWN

_PICTURE = re.compile(r"S?9\((\d+)\)(?:(V|\.)(?:9\((\d+)\)|(9+)))?")
_TYPED = re.compile(r"([A-Z]+|[一-鿿]+)?\s*(?:\(|\.\.|≤|<=)?\s*(\d+)?\s*(?:[,.]\s*(\d+))?\s*\)?")
_LENGTH = re.compile(r"(?:\d+\s*[-~]\s*)?(\d+)(?:\s*[,.]\s*(\d+))?")
_CHARACTERS = re.compile(r"汉字|个字|characters", re.IGNORECASE)
_TEXT_TYPES = {"C", "CHAR", "VARCHAR", "NVARCHAR", "AN", "ANC", "ANS", "A", "X", "STRING", "STR", "TEXT"}
_TEXT_TYPES |= {"字符", "字符型", "字符串", "文本", "文本型", "字母", "字母数字", "汉字", "字母数字型"}
_NUMBER_TYPES = {"N", "NUM", "NUMBER", "NUMERIC", "DECIMAL", "DEC", "INT", "INTEGER", "BIGINT", "LONG"}
_NUMBER_TYPES |= {"数字", "数字型", "数值", "数值型", "整数", "整型"}
_AMOUNT_TYPES = {"M", "MONEY", "AMT", "AMOUNT", "CURRENCY", "金额", "金额型"}
_DATE_TYPES = {"D", "DATE", "日期", "日期型"}
_TIME_TYPES = {"T", "TIME", "时间", "时间型"}
_INSTANT_TYPES = {"DT", "DATETIME", "TIMESTAMP", "日期时间", "时间戳"}
_PATTERN = re.compile(
    r"(?:YYYY|CCYY|YY)[-/.]?MM[-/.]?DD(?:[T ]?(?:HH|hh)[:.]?(?:MM|mm|MI|mi)[:.]?(?:SS|ss))?"
    r"|(?:HH|hh)[:.]?(?:MM|mm|MI|mi)(?:[:.]?(?:SS|ss))?",
)
_AMOUNT_NAMES = re.compile(r"金额|余额|发生额|手续费|款额|amount|\bamt\b|\bfee\b|balance|总额", re.IGNORECASE)
_IN_FEN = re.compile(
    r"单位\s*(?:均|都|统一)?\s*:?\s*[为是]?\s*[\"'“]?分|以\s*[\"'“]?分[\"'”]?\s*为单位|\(分\)|精确到分的整数|(?:in|unit:?)\s*(?:cents?|fen)",
    re.IGNORECASE,
)
_IN_YUAN = re.compile(r"(?<![单万千百多])元(?!素|数据)|\byuan\b", re.IGNORECASE)
"""Wherever it is said: an amount in yuan without a point is asked."""
_NO_POINT = re.compile(
    r"(?:不|无|没|未|勿|禁|略|省|去)[^,。;、]{0,6}小数点|小数点[^,。;、]{0,4}(?:略|不)|隐含[^,。;、]{0,4}小数点?"
    r"|implied(?:\s+decimal(?:s| points?)?)?|\b(?:no|not|without|omit\w*)\b[^.;,]{0,20}decimal point",
    re.IGNORECASE,
)
_POINT = re.compile(
    r"(?:含|带|有|加)\s*小数点|[2两二]\s*位小数|(?:如|例)[^。;]{0,8}\d\.\d\d(?!\d)|\be\.?g\.?[^;]{0,8}\d\.\d\d(?!\d)"
    r"|two decimals|decimal point",
    re.IGNORECASE,
)
"""Looked for in what `_NO_POINT` leaves, as in 不得带小数点. A number with a point may be a section's."""
_TWO_DECIMALS = re.compile(r"[2两二]\s*位小数|two (?:implied )?decimals", re.IGNORECASE)
_ZEROS = re.compile(r"补\s*[0零]|zero", re.IGNORECASE)
_RIGHT = re.compile(r"右对齐|右靠|左补空格|前补空格|right", re.IGNORECASE)
_OF_AMOUNTS = re.compile(
    r"金额|单位\s*:?\s*为?\s*[元分]|小数|\b(?:amounts?|yuan|fen|cents?)\b", re.IGNORECASE
)
_OTHER_UNIT = re.compile(r"[万千百]元|[角厘](?!色)|\b(?:thousand|million)s?\b", re.IGNORECASE)
_SIGNED = re.compile(r"正负号|带符号|signed", re.IGNORECASE)


_WHOLE_OR_FEN = (
    "whole yuan (yuan.0), fen without a point (money.2), or yuan with a point (yuan.2)? "
    "the paper does not tell"
)


class KindGuess(Struct):
    """Kind and width, what of them is guessed, and what should be asked of the bank."""

    kind: str
    width_bytes: int | None = None
    place_suffix: str = ""
    """`>` or `>0` behind the width of a fixed field."""
    guessed: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)

    @property
    def is_amount(self) -> bool:
        """Whether it is one, of whatever kind."""
        return self.kind.startswith(("money", "yuan", UNKNOWN))


def amount_words(sentences: Sequence[str]) -> str:
    """What a paper says of its amounts outside the tables, such as 金额单位均为元."""
    return " ".join(sentence for sentence in sentences if _OF_AMOUNTS.search(sentence))


def guess_kind(row: PaperRow, around: str = "") -> KindGuess:
    """The kind of a field as its paper says it; `around` is what it says of all amounts."""
    letters, width, decimals = _type(row.type)
    said_width, said_decimals = _length(row.length)
    width, decimals = said_width or width, decimals if said_decimals is None else said_decimals
    guess = KindGuess("text", width)
    if _CHARACTERS.search(f"{row.length} {row.remark[:40]}"):
        guess.questions.append("is its length counted in bytes or in characters?")
    if (
        said_width
        and _type(row.type)[1] not in (None, said_width)
        and not _PICTURE.fullmatch(_narrow(row.type))
    ):
        guess.questions.append(f"its length is {said_width} here and {_type(row.type)[1]} in its type")
    words = f"{row.type} {row.remark}"
    pattern = _pattern(words)
    if pattern or letters in _DATE_TYPES | _TIME_TYPES | _INSTANT_TYPES:
        _take_instant(guess, letters, pattern)
    elif letters in _AMOUNT_TYPES or _AMOUNT_NAMES.search(f"{row.name} {row.other_name}".replace("_", " ")):
        _take_amount(guess, row, decimals, around)
    elif letters in _NUMBER_TYPES or _PICTURE.fullmatch(_narrow(row.type)):
        guess.kind = "number"
        guess.guessed.append("kind")
    elif letters not in _TEXT_TYPES:
        guess.guessed.append("kind")
    _take_padding(guess, row.remark)
    if width is None:
        guess.questions.append("how long is it?")
    return guess


def contradicts_point(row: PaperRow, around: str) -> bool:
    """Whether words say fen, no point or another unit of an amount whose type says yuan with a point."""
    words = f"{row.name} {row.remark} {around}"
    return any(pattern.search(words) for pattern in (_IN_FEN, _NO_POINT, _OTHER_UNIT))


def amount_question(decimals: int, says_fen: bool, says_yuan: bool) -> str:
    """What must be asked of an amount whose scale the paper does not say."""
    hint = f"{decimals} decimals alone do not" if decimals else "the paper does not"
    both = "and both are said of it" if says_fen and says_yuan else "and nothing says it"
    return f"money.2 (fen, no point written) or yuan.2 (yuan, point written)? {hint} tell, {both}"


def _narrow(text: str) -> str:
    return text.upper().replace(" ", "")


def _type(text: str) -> tuple[str, int | None, int]:
    """Letters of a type, its width and its decimals."""
    narrow = _narrow(text)
    if match := _PICTURE.fullmatch(narrow):
        decimals = int(match[3]) if match[3] else len(match[4] or "")
        return "9", int(match[1]) + decimals + (match[2] == "."), decimals
    match = _TYPED.match(narrow.replace("VARCHAR2", "VARCHAR"))
    if match is None:
        return "", None, 0
    return match[1] or "", int(match[2]) if match[2] else None, int(match[3] or 0)


def _length(text: str) -> tuple[int | None, int | None]:
    match = _LENGTH.search(text)
    if match is None:
        return None, None
    return int(match[1]) or None, int(match[2]) if match[2] else None


def _pattern(words: str) -> str:
    """A date or time pattern in the paper's words, as the layout language writes it."""
    match = _PATTERN.search(words)
    if match is None:
        return ""
    found = match[0].replace("CCYY", "YYYY").replace("hh", "HH").replace("mm", "MM")
    return re.sub("mi|MI", "MM", found).replace("ss", "SS")


def _take_instant(guess: KindGuess, letters: str, pattern: str) -> None:
    width = guess.width_bytes
    known = {8: "YYYYMMDD", 6: "YYMMDD", 10: "YYYY-MM-DD", 14: "YYYYMMDDHHMMSS", 19: "YYYY-MM-DD HH:MM:SS"}
    if letters in _TIME_TYPES and width in (None, 6, 8):
        known = {6: "HHMMSS", 8: "HH:MM:SS"}
    if not pattern:
        pattern = known.get(width or 0, "")
        guess.guessed.append("pattern")
    if not pattern or (width is not None and len(pattern) != width):
        guess.kind = "text"
        guess.questions.append("in what pattern is it written?")
        return
    has_day, has_clock = "DD" in pattern, "HH" in pattern
    name = "datetime" if has_day and has_clock else "date" if has_day else "time"
    guess.kind = f"{name} {pattern}"
    guess.width_bytes = width or len(pattern)


def _take_amount(guess: KindGuess, row: PaperRow, decimals: int, around: str) -> None:
    """Fen or yuan, and the point: as words say it, else not at all.

    "No point" alone is no fen: where yuan is said, or no decimals are, whole yuan are written so too.
    """
    words = f"{row.name} {row.type} {row.remark} {around}"
    picture = _PICTURE.fullmatch(_narrow(row.type))
    in_fen = bool(_IN_FEN.search(words))
    in_yuan = bool(_IN_YUAN.search(words))
    implied = bool(_NO_POINT.search(words)) or (picture is not None and picture[2] == "V")
    written = bool(_POINT.search(_NO_POINT.sub(" ", words))) or (picture is not None and picture[2] == ".")
    has_fen = decimals == 2 or bool(_TWO_DECIMALS.search(words))
    is_other = bool(_OTHER_UNIT.search(words))
    no_fen = in_yuan or written or is_other
    if (in_fen or (implied and has_fen)) and not no_fen:
        guess.kind = "money.2"
    elif written and decimals in (0, 2) and not (in_fen or implied or is_other):
        guess.kind = "yuan.2"
    else:
        guess.kind = UNKNOWN
        is_whole = not written and not in_fen and (in_yuan or implied)
        guess.questions.append(
            _WHOLE_OR_FEN if is_whole else amount_question(decimals, in_fen or implied, no_fen)
        )
        if is_other:
            guess.questions.append("in what unit is it written?")
    if _SIGNED.search(words):
        guess.questions.append("how is its sign written?")
    guess.guessed.append("kind")


def _take_padding(guess: KindGuess, remark: str) -> None:
    is_number = guess.kind == "number" or guess.is_amount
    if _ZEROS.search(remark):
        guess.place_suffix = ">0"
    elif _RIGHT.search(remark):
        guess.place_suffix = ">"
    elif is_number:
        guess.place_suffix = ">"
        guess.guessed.append("padding")
