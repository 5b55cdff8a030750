"""What is wrong with a batch, a list or a decision, as a person reads it in Chinese.

A problem is told in one language where it is found: place, found, wanted, then the rule
(`row 9 programme: X is not in the catalogue, wanted Y (rule R, plan section S)`). Each of these parts has
its Chinese twin here. What stands in a place is said again as it is. Where a part is in no table the
whole stays in English: half a sentence helps nobody. A test holds the tables against the modules that
make problems.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from formats.standard.table import BATCH_FIELDS, PAYMENT_FIELDS
from gateway.problem_phrases import FAMILIES
from gateway.sentences import RULE, Twins, in_chinese
from gateway.state_words import STATE_LABELS

_COLUMNS = {field.english: field.chinese[0] for field in (*BATCH_FIELDS, *PAYMENT_FIELDS)}
_KINDS = {
    "digits": "数字",
    "letters": "字母",
    "hanzi": "汉字",
    "spaces": "空格",
    "signs": "符号",
    "control characters": "控制字符",
    "full-width characters": "全角字符",
}
"""Of characters, as masked texts are described."""
_STATES = {state: labels[0] for state, labels in STATE_LABELS.items()}
_TABLE = _KINDS | _STATES | {name: text for family in FAMILIES.values() for name, text in family.items()}
_PHRASES = Twins(_TABLE)
_LONG = Twins({english: chinese for english, chinese in _TABLE.items() if "; " in english})
"""Those that are not to be taken for several."""
_COLUMN = r"(?: (?P<column>[^:]{1,120}?))?: "
_PLACES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(rf"(?:row|line) ([0-9]{{1,9}})(?: column)?{_COLUMN}"), lambda at: f"第 {at[1]} 行"),
    (re.compile(rf"(\S{{1,300}}) line ([0-9]{{1,9}}){_COLUMN}"), lambda at: f"{at[1]} 第 {at[2]} 行"),
    (re.compile(rf"payment ([0-9]{{1,9}}){_COLUMN}"), lambda at: f"第 {at[1]} 笔"),
    (re.compile(rf"cell ([A-Z]{{1,3}}[0-9]{{1,9}}){_COLUMN}"), lambda at: f"单元格 {at[1]}"),
    (re.compile(r"batch (?P<column>[^\s:]{1,60}): "), lambda at: "批次信息"),
)
"""Where something is: of each form how it is told."""
_BYTE = re.compile(r"byte ([0-9]{1,9})(?: of the line)?")
_COMMAND = re.compile(r"bankgate(?: [a-z-]+)+")
_ENGLISH = re.compile(r"(?:\b[a-z]{2,}\b[ ,;:]+){2}[a-z]{2,}\b")
"""Three English words in a row."""
_WANTED, _BETWEEN = ", wanted ", "; "
_LONGEST = 2000
"""Characters."""
_DEEPEST = 8
"""Parts in parts: a problem has fewer, and a bank's words in it may have as many as it likes."""


def problem_in_chinese(english: str) -> str:
    """A problem, error or hint in Chinese; as it is where the tables do not know all of it."""
    chinese = _whole(english, _DEEPEST)
    return english if _ENGLISH.search(_COMMAND.sub("", chinese)) else chinese


def column_in_chinese(name: str) -> str:
    """The name of a column where it is one of the standard's, and what stands behind it."""
    first, blank, rest = name.partition(" ")
    return f"{_COLUMNS.get(first, first)}{blank}{rest}"


def _whole(english: str, depth: int) -> str:
    """Rule, place, wanted and found are told apart first, then each is looked up."""
    if not depth or len(english) > _LONGEST:
        return english
    if ruled := RULE.search(english):
        return f"{_whole(english[: ruled.start()], depth - 1)}(规则 {ruled[1]},方案 {ruled[2]})"
    for form, told in _PLACES:
        if placed := form.match(english):
            rest = _whole(english[placed.end() :], depth - 1)
            return f"{told(placed)}{_column(placed['column'])}:{rest}"
    if _WANTED in english:
        found, _, wanted = english.rpartition(_WANTED)
        return f"{_whole(found, depth - 1)},应为 {_whole(wanted, depth - 1)}"
    if (said := _PHRASES.exact(english)) is not None:
        return said
    for word, chinese in (("found ", "现为 "), ("wanted ", "应为 ")):
        if english.startswith(word):
            return chinese + _whole(english.removeprefix(word), depth - 1)
    if _BETWEEN in english:
        if (said := _LONG.find(english, lambda inner: _whole(inner, depth - 1))) is not None:
            return said
        return ";".join(_whole(part, depth - 1) for part in english.split(_BETWEEN))
    return _part(english, depth)


def _part(english: str, depth: int) -> str:
    """One part by the tables; else what stands behind its colon; else a sentence of what waits and why."""
    kinds = english.split(", ")
    if all(kind in _KINDS for kind in kinds):
        return "、".join(map(_KINDS.__getitem__, kinds))
    if (said := _PHRASES.find(english, lambda inner: _whole(inner, depth - 1))) is not None:
        return said
    before, colon, after = english.partition(": ")
    if colon and (rest := _whole(after, depth - 1)) != after:
        return f"{column_in_chinese(before)}:{rest}"
    return in_chinese(english)


def _column(name: str | None) -> str:
    if not name:
        return ""
    byte = _BYTE.fullmatch(name)
    return f" {column_in_chinese(name)}" if byte is None else f"第 {byte[1]} 字节"
