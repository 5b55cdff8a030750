"""The twelve fields of the plan with their lead departments and programmes, as data.

Fields, departments and programme names are those of the district's plan of 2021-11-17
(泰山政办字〔2021〕17号, section three). Amounts, ages and frequencies are plausible and
made up: they serve demonstration data and bind nobody.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from formats.records import PayeeKind

PLATFORM = "yikatong"
"""The source platform of demonstration batches (人社"一卡通"平台)."""
PASSBOOK_PLATFORM = "yibentong"
"""The platform beside it, of subsidies that passbooks still carry (财政"一本通"平台)."""


class Frequency(StrEnum):
    """How often a programme pays."""

    MONTH = "month"
    QUARTER = "quarter"
    TERM = "term"
    YEAR = "year"
    ONCE = "once"


class Programme(Struct, frozen=True):
    """One subsidy.

    Amounts lie between `low_minor` and `high_minor` (fen) in steps of `step_minor`; ages of
    beneficiaries between the two years of `ages`. `short` fits a summary of 10 bytes in GB18030.
    """

    code: str
    name: str
    short: str
    payee_kind: PayeeKind
    ages: tuple[int, int]
    low_minor: int
    high_minor: int
    step_minor: int
    frequency: Frequency


class Field(Struct, frozen=True):
    """One field of the plan with the department that leads it."""

    number: int
    name: str
    department: str
    programmes: tuple[Programme, ...]


def period_of(frequency: Frequency, year: int, month: int) -> str:
    """The period that contains a month, as batches write it: 2026-09, 2026-Q3, 2026-T2, 2026."""
    if frequency is Frequency.QUARTER:
        return f"{year:04d}-Q{(month + 2) // 3}"
    if frequency is Frequency.TERM:
        return f"{year:04d}-T{1 if month < 8 else 2}"
    if frequency in (Frequency.YEAR, Frequency.ONCE):
        return f"{year:04d}"
    return f"{year:04d}-{month:02d}"


# A line is: name, summary, payee kind (p person, h household, o organisation), ages, yuan from,
# yuan to, step in fen, frequency.
_LINES: tuple[tuple[str, str, str], ...] = (
    (
        "教育",
        "区教育和体育局",
        """
学前教育政府助学金              学前助学    p  3 6      600    600    1      term
普通高中国家助学金              高中助学    p  15 18    750    1500   25000  term
中等职业学校国家助学金          中职助学    p  15 18    1000   1000   1      term
中等职业学校国家奖学金          中职奖学    p  15 18    6000   6000   1      year
本/专科国家奖学金               国家奖学    p  18 23    10000  10000  1      year
国家励志奖学金                  励志奖学    p  18 23    6000   6000   1      year
省政府奖学金                    省奖学金    p  18 23    6000   6000   1      year
省政府励志奖学金                省励志奖    p  18 23    5000   5000   1      year
本/专科国家助学金               国家助学    p  18 23    1100   2200   55000  term
原民办代课教师工龄补贴          工龄补贴    p  60 88    150    900    3000   month
""",
    ),
    (
        "民政",
        "区民政局",
        """
城乡居民最低生活保障补贴        低保补贴    h  20 85    320    2400   100    month
价格临时补贴                    价格补贴    p  20 85    12     48     150    month
孤儿基本生活费                  孤儿生活    p  1 17     1300   2100   5000   month
事实无人抚养儿童基本生活费      儿童生活    p  1 17     1300   1700   5000   month
重点困境儿童基本生活费          困境儿童    p  1 17     900    1300   5000   month
孤儿助学金                      孤儿助学    p  7 18     1000   5000   50000  year
分散供养特困人员基本生活费      特困供养    p  60 92    980    1450   100    month
临时救助补贴                    临时救助    h  20 85    500    9000   5000   once
经济困难老年人生活补贴          老年生活    p  60 95    80     300    1000   month
经济困难老年人护理补贴          老年护理    p  60 95    45     150    500    month
困难残疾人生活补贴              残疾生活    p  5 90     128    190    100    month
重度残疾人护理补贴              残疾护理    p  5 90     128    190    100    month
""",
    ),
    (
        "住房公积金",
        "市住房公积金中心泰山区管理部",
        """
个人申请提取的住房公积金        公积金      p  22 62    1000   120000 1      once
""",
    ),
    (
        "农业",
        "区农业农村局",
        """
耕地地力保护补贴                地力补贴    h  25 85    100    3800   1      year
农机购置补贴                    农机补贴    p  25 70    1200   48000  1000   once
棉花目标价格补贴                棉花补贴    h  25 80    200    6000   1      year
""",
    ),
    (
        "林业",
        "区自然资源局",
        """
森林生态效益补贴                生态补贴    h  25 85    20     900    1      year
造林补贴                        造林补贴    p  25 75    300    9000   100    year
""",
    ),
    (
        "扶贫补助",
        "区农业农村局",
        """
扶贫项目收益分配资金            扶贫收益    h  25 88    100    1800   100    year
雨露计划资金                    雨露计划    p  15 22    1500   1500   1      term
特困基金                        特困基金    p  25 85    500    3000   10000  once
""",
    ),
    (
        "卫生健康",
        "区卫生健康局",
        """
农村部分计划生育家庭奖励扶助资金  计生奖扶  p  60 92    960    1200   24000  year
计划生育特殊家庭特别扶助资金    特别扶助    p  49 90    3600   14400  3600   year
""",
    ),
    (
        "人力资源社会保障",
        "区人力资源和社会保障局",
        """
职工和居民养老保险              养老待遇    p  60 96    173    5600   1      month
失业保险                        失业待遇    p  20 58    1260   1890   1      month
工伤保险                        工伤待遇    p  20 70    800    9600   1      month
就业困难人员灵活就业社保补贴    就困社保    p  40 59    380    760    1      quarter
高校毕业生灵活就业社保补贴      毕业社保    p  22 27    380    760    1      quarter
高学历青年人才购房补贴          购房补贴    p  24 40    50000  150000 500000 once
全日制普通本科以上毕业生租房和生活补贴  租房补贴  p  22 35  700  5000  10000  month
失业动态监测补贴                监测补贴    p  25 55    100    200    1000   quarter
""",
    ),
    (
        "医疗保险",
        "区医疗保障局",
        """
基本医疗保险统筹个人账户手工报销  医疗报销  p  1 95     30     28000  1      once
生育津贴                        生育津贴    p  22 45    8000   32000  1      once
离休人员医疗费手工报销          离休医疗    p  88 99    100    16000  1      once
""",
    ),
    (
        "退役军人",
        "区退役军人事务局",
        """
自主择业军转干部生活补助金      军转补助    p  38 62    3200   8600   1      month
住房补贴                        住房补贴    p  38 90    300    2600   1      month
冬季采暖补贴                    采暖补贴    p  38 95    1000   2600   10000  year
烈士褒扬金                      褒扬金      h  30 85    80000  180000 100000 once
义务兵家庭优待金                优待金      h  40 60    12000  26000  10000  year
优抚对象物价补贴                物价补贴    p  40 95    20     90     100    month
离退休费和津贴补贴              离退休费    p  55 96    3000   9800   1      month
""",
    ),
    (
        "残疾人",
        "区残联",
        """
残疾学生教育资助金              残疾助学    p  6 24     1000   5000   50000  year
残疾人自主创业标兵和致富能手奖励  创业奖励  p  22 65    3000   10000  100000 once
盲人按摩机构扶持资金            机构扶持    o  0 0      10000  50000  500000 year
""",
    ),
    (
        "工会",
        "区总工会",
        """
困难职工帮扶补助                帮扶补助    p  22 60    500    6000   10000  year
职工医疗互助金                  医疗互助    p  22 75    80     12000  1      once
劳模荣誉津贴                    劳模津贴    p  45 95    100    800    5000   month
""",
    ),
)

_KINDS = {"p": PayeeKind.PERSON, "h": PayeeKind.HOUSEHOLD, "o": PayeeKind.ORGANISATION}


def _programme(code: str, line: str) -> Programme:
    name, short, kind, youngest, oldest, low, high, step, frequency = line.split()
    return Programme(
        code=code,
        name=name,
        short=short,
        payee_kind=_KINDS[kind],
        ages=(int(youngest), int(oldest)),
        low_minor=int(low) * 100,
        high_minor=int(high) * 100,
        step_minor=int(step),
        frequency=Frequency(frequency),
    )


def _field(number: int, name: str, department: str, lines: str) -> Field:
    programmes = tuple(
        _programme(f"{number:02d}{ordinal:02d}", line)
        for ordinal, line in enumerate(lines.strip().splitlines(), start=1)
    )
    return Field(number, name, department, programmes)


FIELDS: tuple[Field, ...] = tuple(
    _field(number, name, department, lines) for number, (name, department, lines) in enumerate(_LINES, 1)
)
"""The plan's fields, in its order."""

DEPARTMENTS: tuple[str, ...] = tuple(dict.fromkeys(field.department for field in FIELDS))
"""Lead departments, in the plan's order; one of them leads two fields."""


def programmes_of(department: str) -> tuple[Programme, ...]:
    """What a department pays, over all its fields."""
    return tuple(
        programme for field in FIELDS if field.department == department for programme in field.programmes
    )
