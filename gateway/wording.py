"""Which of a bank's words may stand in ledger, log and messages in clear, and which are only described.

Codes, serial numbers and names of files are kept as they are: a person compares them with the
bank's own. But a bank may write anything where its paper says "code": a name, an account. What
is not in the shape of such a word, or holds a number that may be somebody's, is described here;
the caller seals the words themselves.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence

import msgspec

from formats import Reason
from formats.identity import PROVINCES, citizen_id_valid, luhn_valid, old_citizen_id_valid
from formats.masking import mask_account, mask_id, mask_name, mask_text
from gateway.configuration.profile import Profile
from gateway.settlement.judge import Columns

_CODE = re.compile(r"(?!.*[0-9]{8})[0-9A-Za-z ._/+*#:=-]{0,40}")
_WORD = re.compile(r"[0-9A-Za-z._+=@,~#/:-]{0,200}")
_NUMBER = re.compile(r"(?<![0-9])[0-9]{12,31}[Xx]?(?![0-9])")
_WORD_COLUMN = re.compile(r"[0-9A-Za-z._+=@,~#/:\n-]*")
_LONG_NUMBER = re.compile(r"[0-9]{12}")
_CARD_DIGITS = range(16, 20)
_CARD_BEGINNINGS = ("3", "4", "5", "6")
_DIGEST_DIGITS = 12
_LONG_DIGITS = re.compile(r"\d(?:[ -]?\d){6,}[Xx]?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_ID_DIGITS = (15, 18)
_PROGRAMME = re.compile(
    r"[\u4e00-\u9fff]{4,26}"
    r"(?:补贴|补助|补助金|津贴|补偿|资金|助学金|奖学金|奖励金|救助金|慰问金|保障金|抚恤金|生活费)"
)
"""More characters before the kind of money than a person's name mostly has."""
_OFFICE = re.compile(
    r"[省市县区旗镇乡村][^\W\d]{1,18}(?:局|中心|办公室|委员会|居委会|村委会|工作站|服务站|银行|支行|信用社)"
)
"""An office by its level and kind; a surname begins none."""
_SECTION = re.compile(r"[^\W\d]{3,8}[科股室]")
"""Of an office, behind it; by itself it may be a name."""
_DUTY = re.compile(r"经办人|工作人员|负责人|窗口")


class Wording:
    """What may be shown, by one bank's card prefixes."""

    def __init__(self, profile: Profile) -> None:
        self._prefixes = tuple(profile.accounts.card.prefixes)

    def code(self, text: str) -> str:
        """A code as the bank wrote it, or what kind of text stands in its place."""
        return text if is_code(text) else described(text)

    def word(self, text: str) -> str:
        """A serial number, message id or name of a file; or what kind of text stands in its place."""
        return text if self.names_nobody(text) else described(text)

    def names_nobody(self, text: str) -> bool:
        """Short, ASCII, without blanks, and no number in it that may be an ID or a card."""
        return _names_nobody(text, self._prefixes)

    def file_name(self, name: str) -> str:
        """A name that nobody agreed on; a description tells names apart by their digest."""
        if self.names_nobody(name):
            return name
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
        return f"{described(name)} sha256:{digest[:_DIGEST_DIGITS]}"

    def seal_words(self, columns: Columns, accounts: Sequence[str]) -> Columns:
        """The columns with every code and serial that may name a person moved into the bank's text.

        `accounts` are what we wrote, row by row. The same columns where there is nothing to move.
        """
        distinct = set(zip(columns.codes, columns.reasons, strict=True))
        # A code that the bank's table lists is a word of that table, whatever it looks like.
        odd_codes = {code for code, reason in distinct if reason is Reason.UNMAPPED and not is_code(code)}
        odd_serials = self._odd_serials(columns.serials, accounts)
        if not odd_codes and not odd_serials:
            return columns
        codes, serials, texts = list(columns.codes), list(columns.serials), list(columns.texts)
        for row, code in enumerate(columns.codes):
            moved = []
            if code in odd_codes:
                moved.append(code)
                codes[row] = described(code)
            if row in odd_serials:
                moved.append(serials[row])
                serials[row] = described(serials[row])
            if moved:
                texts[row] = " ".join([*(f"[{word}]" for word in moved), texts[row]]).rstrip()
        return msgspec.structs.replace(columns, codes=codes, serials=serials, texts=texts)

    def _odd_serials(self, serials: list[str], accounts: Sequence[str]) -> set[int]:
        """Rows whose serial may name a person; the whole column is looked at first."""
        joined = "\n".join(serials)
        if _WORD_COLUMN.fullmatch(joined) and not _LONG_NUMBER.search(joined):
            return set()
        return {
            row
            for row, (serial, account) in enumerate(zip(serials, accounts, strict=True))
            if not self.names_nobody(serial) or (account and account in serial)
        }


def shown_id(text: str) -> str:
    """An id out of somebody's table, or what kind of text stands in its place: it may be another column's."""
    return text if _names_nobody(text, ()) else described(text)


def is_programme_name(text: str) -> bool:
    """Whether it reads as what money is paid for: hanzi only that end in a kind of money, so that no name,
    ID, account, village or bank that slipped into its column is taken for one.
    """
    return _PROGRAMME.fullmatch(text) is not None


def masked_words(text: str, names: Iterable[str] = ()) -> str:
    """Somebody's own words with these names masked, and with every number that may be an ID, account or
    telephone; a day stays.
    """
    for name in sorted(filter(None, names), key=len, reverse=True):
        text = text.replace(name, mask_name(name))
    return _LONG_DIGITS.sub(_masked_number, text)


def masked_official(text: str, offices: Iterable[str]) -> str:
    """Who acted, where a text begins with an office (区农业农村局经办人): office and duty as they are, and
    what stands behind them as a person's name, as any other text is. `offices` are known by name.
    """
    known = [office for office in offices if office and text.startswith(office)]
    found = _OFFICE.match(text)
    end = max([len(office) for office in known] + ([found.end()] if found else []), default=0)
    for part in (_SECTION, _DUTY) if end else (_DUTY,):
        if behind := part.match(text, end):
            end = behind.end()
    return masked_words(text[:end]) + mask_name(text[end:])


def _masked_number(found: re.Match[str]) -> str:
    if _DAY.fullmatch(found[0]):
        return found[0]
    number = re.sub("[ -]", "", found[0])
    return mask_id(number) if len(number) in _ID_DIGITS else mask_account(number)


def is_code(text: str) -> bool:
    """Whether it has the shape of a code: short, ASCII, no number long enough to be anybody's."""
    return _CODE.fullmatch(text) is not None


def described(text: str) -> str:
    """Length and kinds of characters, in brackets so that it is taken for no word of the bank."""
    return f"({mask_text(text)})"


def _names_nobody(text: str, prefixes: tuple[str, ...]) -> bool:
    return _WORD.fullmatch(text) is not None and not any(
        _is_personal(number, prefixes) for number in _NUMBER.findall(text)
    )


def _is_personal(number: str, prefixes: tuple[str, ...]) -> bool:
    """Whether it may be somebody's ID or card; without prefixes any card."""
    upper = number.upper()
    if citizen_id_valid(upper) or (old_citizen_id_valid(number) and number[:2] in PROVINCES):
        return True
    if prefixes:
        return number.startswith(prefixes)
    return len(number) in _CARD_DIGITS and number.startswith(_CARD_BEGINNINGS) and luhn_valid(number)
