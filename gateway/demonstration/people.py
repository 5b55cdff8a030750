"""Made-up people with valid check digits, for banks that do not exist.

ID numbers use district codes that no district has, so none can be a real person's. Names
are combined from common syllables; some carry the separator U+00B7, some a rare character,
as far as the bank's charset and width can write them.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

from msgspec import Struct

from formats.records import AccountKind
from gateway.demonstration.draw import Draw, bank_code, card_number, citizen_id, credit_code, permute

REGIONS: tuple[str, ...] = tuple(f"3709{district}" for district in range(90, 100))
"""District codes in the shape of a real city's, none of them in use."""

_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
    "苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯"
)
_COMPOUND_SURNAMES = ("欧阳", "诸葛", "司马", "上官", "皇甫", "令狐", "尉迟", "公孙")
_GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红梅玲燕辉建国志海峰文斌波宁鹏飞"
    "云清林春生福来喜德旺长顺和庆祥瑞昌盛家兴成栋立本安康宝珍淑贤凤莲雪晴雨欣怡佳琪子涵梓轩"
)
_RARE = "堃喆犇珺玥祎翀頔燚龑䶮㛃㙦𫖮𠅤𬱖"
_MINORITY = ("艾力", "买买提", "阿依夏", "吐尔逊", "古丽娜", "热合曼", "帕提曼", "扎西", "卓玛", "巴特尔")
_MINORITY_LONG = ("阿卜杜热合曼", "阿卜杜克里木", "麦合木提江", "古丽加娜提", "阿依努尔汗")
_VILLAGES = (
    "东岭村",
    "西河村",
    "南关社区",
    "北庄村",
    "柳林村",
    "石桥村",
    "杏园社区",
    "大汶村",
    "上峪村",
    "下峪村",
)
_TOWNS = ("城东街道", "城西街道", "河口镇", "岭前镇", "石桥镇")
_SHOPS = ("康和", "明心", "济仁", "清源", "同德", "广济", "和顺", "福安")

_SEQUENCES = 999
_DAYS_IN_YEAR = 365


class DemonstrationBank(Struct, frozen=True, kw_only=True):
    """What the generator must know of a bank to make payments that it could pay.

    `name_width_bytes` counts bytes of `charset`.
    """

    bank: str
    title: str
    code: str
    card_prefix: str
    passbook_digits: int
    charset: str
    name_width_bytes: int


BANKS: tuple[DemonstrationBank, ...] = (
    DemonstrationBank(
        bank="rural-credit",
        title="示例农村信用社",
        code=bank_code("40246309901"),
        card_prefix="623191",
        passbook_digits=23,
        charset="gb18030",
        name_width_bytes=20,
    ),
    DemonstrationBank(
        bank="city-bank",
        title="示例城市银行",
        code=bank_code("31346309902"),
        card_prefix="623192",
        passbook_digits=19,
        charset="gb18030",
        name_width_bytes=60,
    ),
    DemonstrationBank(
        bank="iso-bank",
        title="示例标准银行",
        code=bank_code("10246309903"),
        card_prefix="623193",
        passbook_digits=19,
        charset="utf-8",
        name_width_bytes=140,
    ),
)
"""The banks of the demonstration; none of them exists."""


class Person(Struct, frozen=True):
    """Somebody who does not exist. `id_number` has a valid check character."""

    name: str
    id_number: str


def make_person(seed: int, number: int, ages: tuple[int, int], on: date, bank: DemonstrationBank) -> Person:
    """A person of an age within `ages` (years, both included) on a day.

    Under one seed, day and `ages`, numbers below ten million give different ID numbers.
    """
    youngest, oldest = ages
    days = (oldest - youngest + 1) * _DAYS_IN_YEAR
    place = permute(number, days * _SEQUENCES * len(REGIONS), seed)
    place, sequence = divmod(place, _SEQUENCES)
    day, region = divmod(place, len(REGIONS))
    born = on - timedelta(days=youngest * _DAYS_IN_YEAR + youngest // 4 + 1 + day)
    id_number = citizen_id(
        f"{REGIONS[region]}{born.year:04d}{born.month:02d}{born.day:02d}{sequence + 1:03d}"
    )
    return Person(make_name(Draw(seed, number, "name"), bank), id_number)


def make_name(draw: Draw, bank: DemonstrationBank) -> str:
    """A name that the bank can write."""
    name = _any_name(draw, bank)
    return name if _width(name, bank.charset) <= bank.name_width_bytes else _plain_name(draw)


def make_long_name(draw: Draw, bank: DemonstrationBank) -> str:
    """A name that is too long for the bank."""
    parts = [draw.choose(_MINORITY_LONG)]
    while _width("·".join(parts), bank.charset) <= bank.name_width_bytes:
        parts.append(draw.choose(_MINORITY_LONG))
    return "·".join(parts)


def make_organisation(seed: int, number: int) -> Person:
    """A massage shop of blind masseurs with a valid unified social credit code."""
    draw = Draw(seed, number, "organisation")
    region = draw.choose(REGIONS)
    code = credit_code(f"92{region}MA{permute(number, 10_000_000, seed):07d}")
    return Person(f"{draw.choose(_SHOPS)}盲人按摩店", code)


def make_account(seed: int, number: int, kind: AccountKind, bank: DemonstrationBank) -> str:
    """A card number that passes Luhn, or a passbook account of the bank's length.

    Different for every number below ten million under one seed.
    """
    if kind is AccountKind.CARD:
        return card_number(f"{bank.card_prefix}{permute(number, 10**12, seed):012d}")
    digits = bank.passbook_digits - 5
    return f"90{bank.card_prefix[-3:]}{permute(number, 10**digits, seed):0{digits}d}"


def make_place(draw: Draw) -> tuple[str, str]:
    """A town and a village."""
    return draw.choose(_TOWNS), draw.choose(_VILLAGES)


def _any_name(draw: Draw, bank: DemonstrationBank) -> str:
    if draw.one_in(25):
        parts = _MINORITY_LONG + _MINORITY if bank.name_width_bytes >= 50 else _MINORITY
        return f"{draw.choose(parts)}·{draw.choose(parts)}"
    if draw.one_in(40):
        return draw.choose(_SURNAMES) + draw.choose(_rare_characters(bank.charset))
    return _plain_name(draw)


def _plain_name(draw: Draw) -> str:
    surname = draw.choose(_COMPOUND_SURNAMES) if draw.one_in(60) else draw.choose(_SURNAMES)
    given = draw.choose(_GIVEN)
    return f"{surname}{given}" if draw.one_in(4) else f"{surname}{given}{draw.choose(_GIVEN)}"


@lru_cache(maxsize=16)
def _rare_characters(charset: str) -> str:
    """Those that the charset has; "堃" is in all of them."""
    return "".join(character for character in _RARE if _width(character, charset) < 10**6)


def _width(text: str, charset: str) -> int:
    """Bytes of the text, or more than any field holds where the charset cannot write it."""
    try:
        return len(text.encode(charset))
    except UnicodeEncodeError:
        return 10**6
