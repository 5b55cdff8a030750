"""The catalogue: what ships is the plan's, what is wrong in one is told, what it says is done."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from formats import PayeeRole, Reason
from formats.records import PayeeKind
from gateway.configuration.toml_source import TomlSource
from gateway.demonstration.plan import FIELDS
from gateway.rules.catalogue import Catalogue, read_catalogue, shipped_text
from gateway.rules.periods import Frequency, fits, last_day
from gateway.screens import screen
from gateway.texts import Words
from tests.gateway.commands import Commands
from tests.gateway.sites import CITY, PERSONS, Ground, credited, current, edit, payments_of

LISTED_IN_THE_PLAN = [
    "学前教育政府助学金",
    "普通高中国家助学金",
    "中等职业学校国家助学金",
    "中等职业学校国家奖学金",
    "本/专科国家奖学金",
    "国家励志奖学金",
    "省政府奖学金",
    "省政府励志奖学金",
    "本/专科国家助学金",
    "原民办代课教师工龄补贴",
    "城乡居民最低生活保障补贴",
    "价格临时补贴",
    "孤儿基本生活费",
    "事实无人抚养儿童基本生活费",
    "重点困境儿童基本生活费",
    "孤儿助学金",
    "分散供养特困人员基本生活费",
    "临时救助补贴",
    "经济困难老年人生活补贴",
    "经济困难老年人护理补贴",
    "困难残疾人生活补贴",
    "重度残疾人护理补贴",
    "个人申请提取的住房公积金",
    "耕地地力保护补贴",
    "农机购置补贴",
    "棉花目标价格补贴",
    "森林生态效益补贴",
    "造林补贴",
    "扶贫项目收益分配资金",
    "雨露计划资金",
    "特困基金",
    "农村部分计划生育家庭奖励扶助资金",
    "计划生育特殊家庭特别扶助资金",
    "职工和居民养老保险",
    "失业保险",
    "工伤保险",
    "就业困难人员灵活就业社保补贴",
    "高校毕业生灵活就业社保补贴",
    "高学历青年人才购房补贴",
    "全日制普通本科以上毕业生租房和生活补贴",
    "失业动态监测补贴",
    "基本医疗保险统筹个人账户手工报销",
    "生育津贴",
    "离休人员医疗费手工报销",
    "自主择业军转干部生活补助金",
    "住房补贴",
    "冬季采暖补贴",
    "烈士褒扬金",
    "义务兵家庭优待金",
    "优抚对象物价补贴",
    "离退休费和津贴补贴",
    "残疾学生教育资助金",
    "残疾人自主创业标兵和致富能手奖励",
    "盲人按摩机构扶持资金",
    "困难职工帮扶补助",
    "职工医疗互助金",
    "劳模荣誉津贴",
]
"""Section three, read by a person; where it names several by one noun they stand apart."""
LEADS = [
    "区教育和体育局",
    "区民政局",
    "市住房公积金中心泰山区管理部",
    "区农业农村局",
    "区自然资源局",
    "区农业农村局",
    "区卫生健康局",
    "区人力资源和社会保障局",
    "区医疗保障局",
    "区退役军人事务局",
    "区残联",
    "区总工会",
]
HOUSEHOLD = "城乡居民最低生活保障补贴"
CIVIL = "区民政局"


def read(path: Path, text: str) -> tuple[Catalogue | None, list[str]]:
    path.write_text(text, "utf-8")
    source = TomlSource(path)
    found = read_catalogue(source)
    return found, [problem.message.removeprefix(f"{path} ") for problem in source.problems]


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    found, problems = read(tmp_path_factory.mktemp("shipped") / "catalogue.toml", shipped_text())
    assert problems == []
    assert found is not None
    return found


def test_the_twelve_fields_and_their_leads_are_the_plans(shipped: Catalogue) -> None:
    assert [one.number for one in shipped.content.field] == list(range(1, 13))
    assert [one.lead for one in shipped.content.field] == LEADS


def test_every_programme_that_the_plan_names_is_listed(shipped: Catalogue) -> None:
    assert [one.name for one in shipped.content.programme] == LISTED_IN_THE_PLAN


def test_demonstration_payments_are_for_listed_programmes(shipped: Catalogue) -> None:
    for field in FIELDS:
        for programme in field.programmes:
            listed = shipped.find(programme.name)
            assert listed is not None
            assert field.department in shipped.departments_of(listed)
            assert programme.payee_kind in listed.payee


def test_nothing_is_repeated_unless_the_catalogue_says_so(shipped: Catalogue) -> None:
    allowed = [one.name for one in shipped.content.programme if one.repeats == "allowed"]
    assert allowed == [
        "个人申请提取的住房公积金",
        "基本医疗保险统筹个人账户手工报销",
        "离休人员医疗费手工报销",
    ]


MISTAKES = {
    "field: found 13, wanted the number of a [[field]]: 1, 2, 3": ("field     = 12\n", "field = 13\n"),
    "number: found 11, the number of 残疾人 too": ("number = 12\n", "number = 11\n"),
    "name: found '特困基金', which names 特困基金 too": ('name      = "劳模荣誉津贴"', 'name = "特困基金"'),
    'found "company"': ('payee     = ["organisation"]', 'payee = ["company"]'),
    'wanted one of "held", "allowed"': ('repeats   = "allowed"', 'repeats = "sometimes"'),
    "standard: found no amount, wanted amounts_minor": ("amounts_minor = [600000], ", ""),
    "day: found 32": ("due       = { day = 10,", "due = { day = 32,"),
    "standard: found 600000 to 500000, wanted least_minor that is not above": (
        "amounts_minor = [600000], ",
        "least_minor = 600000, most_minor = 500000, ",
    ),
    "due: found a due date, wanted none: what is paid on request": (
        'name      = "临时救助补贴"',
        'name = "临时救助补贴"\ndue = { day = 1 }',
    ),
}


@pytest.mark.parametrize(("message", "change"), MISTAKES.items())
def test_a_mistake_in_a_catalogue_is_told_with_its_place(
    tmp_path: Path, message: str, change: tuple[str, str]
) -> None:
    old, new = change
    assert old in shipped_text()
    found, problems = read(tmp_path / "catalogue.toml", shipped_text().replace(old, new, 1))
    assert found is None
    (told,) = problems
    assert message in told
    assert told.startswith("line ")


def test_all_mistakes_of_a_catalogue_are_told_in_one_pass(tmp_path: Path) -> None:
    """What is wrong with the form of the one programme does not hide what is wrong with another's content."""
    text, made = shipped_text(), []
    for message, (old, new) in MISTAKES.items():
        # A number that is there twice leaves open which field a programme means.
        if old in text and not message.startswith("number: "):
            text = text.replace(old, new, 1)
            made.append(message)
    found, problems = read(tmp_path / "catalogue.toml", text)
    assert found is None
    assert [len([one for one in problems if message in one]) for message in made] == [1] * len(made)
    assert len(made) == len(MISTAKES) - 2


def test_a_file_that_is_there_is_no_place_for_a_new_catalogue(bankgate: Commands, tmp_path: Path) -> None:
    path = tmp_path / "catalogue.toml"
    assert bankgate("catalogue", "new", path).code == 0
    assert path.read_text("utf-8") == shipped_text()
    path.write_text("mine", "utf-8")
    told = bankgate("catalogue", "new", path)
    assert (told.code, "is there already and is not overwritten" in told.err) == (2, True)
    assert path.read_text("utf-8") == "mine"


@pytest.mark.parametrize(
    ("frequency", "period", "last"),
    [
        (Frequency.MONTH, "2026-02", date(2026, 2, 28)),
        (Frequency.QUARTER, "2026-Q3", date(2026, 9, 30)),
        (Frequency.TERM, "2026-T2", date(2026, 12, 31)),
        (Frequency.YEAR, "2026", date(2026, 12, 31)),
    ],
)
def test_a_period_ends(frequency: Frequency, period: str, last: date) -> None:
    assert fits(frequency, period)
    assert last_day(frequency, period) == last


@pytest.mark.parametrize(
    "period", ["2026-13", "2026-9", "202609", "2026年9月", "2026-09 ", "", "２０２６-09"]
)
def test_another_form_of_a_month_does_not_fit(period: str) -> None:
    assert not fits(Frequency.MONTH, period)
    assert last_day(Frequency.MONTH, period) is None


def test_a_due_date_is_at_most_the_months_end(shipped: Catalogue) -> None:
    listed = shipped.find("农村低保")
    assert listed is not None
    assert listed.name == HOUSEHOLD
    assert listed.due_on("2026-02") == date(2026, 2, 10)
    assert listed.due_on("spring") is None


# What a batch comes to.


def problems_of(ground: Ground, **changes: object) -> list[tuple[str, str, str]]:
    payments = payments_of(CITY, 1, **changes)
    with ground.open() as gateway:
        report = gateway.check(ground.write(ground.batch(payments), payments))
    return [(str(one.severity), str(one.reason), one.code) for one in report.problems]


def test_what_is_in_order_has_no_problem(ground: Ground) -> None:
    assert problems_of(ground) == []


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        (
            {"department": CIVIL, "programme": "学前教育政府助学金"},
            ("sets_aside", "DEPARTMENT_NOT_PERMITTED", "paying-department"),
        ),
        (
            {"department": CIVIL, "programme": HOUSEHOLD, "period": "2026-09"},
            ("sets_aside", "INVALID_PAYEE", "payee-kind"),
        ),
        ({"period": "2026-09"}, ("holds", "PERIOD_UNUSUAL", "period-of-programme")),
        (
            {"payee_role": PayeeRole.OTHER, "payee_name": "李四", "payee_ground": "某办法第九条"},
            ("sets_aside", "OTHER_PERSONS_ACCOUNT", "own-account"),
        ),
    ],
)
def test_each_rule_names_itself(
    ground: Ground, changes: dict[str, object], found: tuple[str, str, str]
) -> None:
    assert found in problems_of(ground, **changes)


def test_a_household_programme_goes_to_the_head(ground: Ground) -> None:
    found = problems_of(
        ground,
        department=CIVIL,
        programme="农村低保",
        period="2026-09",
        payee_kind=PayeeKind.HOUSEHOLD,
        payee_role=PayeeRole.HOUSEHOLD_HEAD,
    )
    # The agreement names it otherwise; the catalogue says that it is the same.
    assert found == []


def test_a_classified_programme_is_refused_and_the_rest_goes_on(ground: Ground) -> None:
    catalogue = ground.site.configuration.parent / "catalogue.toml"
    edit(
        catalogue,
        'name      = "学前教育政府助学金"\n',
        'name      = "学前教育政府助学金"\nclassified = true\n',
    )
    ground.bank(CITY)
    refused = payments_of(CITY, 1, prefix="S")
    others = payments_of(CITY, 2, prefix="G", start=1, programme="普通高中国家助学金")
    with ground.open() as gateway:
        ground.submit(gateway, refused + others)
        ground.run_to_the_end(gateway)
        assert current(gateway) == {
            "S-00001": ("set_aside", "PROGRAMME_CLASSIFIED", None),
            **credited(others),
        }


FOREST = "森林生态效益补贴"
"""No agreement of the tests entrusts it."""


def classify(ground: Ground, programme: str) -> None:
    catalogue = ground.site.configuration.parent / "catalogue.toml"
    line = f'name      = "{programme}"\n'
    edit(catalogue, line, f"{line}classified = true\n")


def first_of(ground: Ground, **changes: object) -> tuple[str, str, set[str]]:
    """Reason and hint of what is told first of a payment, and the reasons of everything that is."""
    payments = payments_of(CITY, 1, **changes)
    with ground.open() as gateway:
        problems = gateway.check(ground.write(ground.batch(payments), payments)).problems
    return str(problems[0].reason), problems[0].hint, {str(one.reason) for one in problems}


def test_no_agreement_is_advised_for_what_is_classified(ground: Ground) -> None:
    classify(ground, FOREST)
    advised = "pay it on the way that is laid down for classified matters"
    reason, hint, reasons = first_of(ground, department=CIVIL, programme=FOREST, account="1")
    assert (reason, hint) == ("PROGRAMME_CLASSIFIED", advised)
    assert {"NOT_ENTRUSTED", "INVALID_ACCOUNT"} < reasons
    payments = payments_of(CITY, 1, department=CIVIL, programme=FOREST)
    with ground.open() as gateway:
        problems = gateway.check(ground.write(ground.batch(payments), payments)).problems
    assert not [one.hint for one in problems if "agreement" in one.hint]


def test_a_department_that_may_not_pay_is_the_reason_before_the_agreement(ground: Ground) -> None:
    reason, hint, reasons = first_of(ground, department=CIVIL, programme=FOREST)
    assert (reason, hint) == (
        "DEPARTMENT_NOT_PERMITTED",
        "correct the department, or permit it in the catalogue",
    )
    assert "NOT_ENTRUSTED" in reasons


@pytest.mark.parametrize(
    ("classified", "reason", "english", "chinese"),
    [
        (
            True,
            "PROGRAMME_CLASSIFIED",
            "classified programme (rule not-classified, plan section 三(十))",
            "涉密项目(规则 not-classified,方案 三(十))",
        ),
        (
            False,
            "DEPARTMENT_NOT_PERMITTED",
            "department may not pay this programme (rule paying-department, plan section 三)",
            "部门无权发放该项目(规则 paying-department,方案 三)",
        ),
    ],
)
def test_what_a_rule_refused_is_stored_and_told_by_that_rule(
    ground: Ground,
    bankgate: Commands,
    monkeypatch: pytest.MonkeyPatch,
    classified: bool,
    reason: str,
    english: str,
    chinese: str,
) -> None:
    if classified:
        classify(ground, FOREST)
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 1, department=CIVIL, programme=FOREST))
        assert current(gateway) == {"P-00001": ("set_aside", reason, None)}
        assert [str(rule.reason) for rule in gateway.trace("P-00001").rules] == [reason]
    for language, told in (("en", english), ("zh", chinese)):
        monkeypatch.setattr(screen, "_words", Words(language))
        assert told in bankgate("trace", "P-00001").out
        assert told in " ".join(bankgate("outcomes").out.split())


def test_several_rules_about_payees_have_their_section_told() -> None:
    words = Words("en")
    assert words.reason_by_rule(Reason.INVALID_PAYEE).endswith(" (plan section 五(二))")
    assert words.reason_by_rule(Reason.NOT_ENTRUSTED).endswith(" (rule entrusted, plan section 四(四))")
    assert words.reason_by_rule(Reason.NAME_MISMATCH) == words.reason(Reason.NAME_MISMATCH)


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("秸秆综合利用补贴", "秸秆综合利用补贴"),
        ("王小明", "3 characters (hanzi)"),
        ("张三丰补贴", "5 characters (hanzi)"),
        ("泰山区某某村民委员会", "10 characters (hanzi)"),
        ("6231910000000010029补贴", "21 characters (digits, hanzi)"),
        ("330102199001011234", "18 characters (digits)"),
    ],
)
def test_a_programme_that_is_not_listed_is_told_by_its_name(ground: Ground, cell: str, told: str) -> None:
    """What may be somebody's, because a column slipped, is only described."""
    payments = payments_of(CITY, 1, programme=cell)
    with ground.open() as gateway:
        problems = gateway.check(ground.write(ground.batch(payments), payments)).problems
    messages = {one.code: one.message for one in problems}
    assert f"programme: {told} is not in the catalogue" in messages["programme-listed"]
    assert told in messages["not-entrusted"]
    assert told == cell or cell not in str(problems)


def unlisted(ground: Ground) -> Path:
    """Take the programme of the tests' payments out of the catalogue, and give back where it was."""
    catalogue = ground.site.configuration.parent / "catalogue.toml"
    edit(catalogue, 'name      = "学前教育政府助学金"\n', 'name      = "另一个项目"\n')
    return catalogue


def test_an_unlisted_programme_is_held_until_somebody_adds_it(ground: Ground) -> None:
    catalogue = unlisted(ground)
    ground.bank(CITY)
    payments = payments_of(CITY, 2)
    with ground.open() as gateway:
        ground.submit(gateway, payments)
        ground.run_to_the_end(gateway)
        assert current(gateway) == {}
        items = [one for one in gateway.held() if one.object.startswith("payment:")]
        assert [[way.decision for way in one.ways] for one in items] == [["withdraw"], ["withdraw"]]
    edit(catalogue, 'name      = "另一个项目"\n', 'name      = "学前教育政府助学金"\n')
    with ground.open() as gateway:
        assert gateway.run().listed == 2
        ground.run_to_the_end(gateway)
        assert current(gateway) == credited(payments)
        assert gateway.run().listed == 0


def test_a_programme_listed_for_another_department_sets_aside_what_was_held(ground: Ground) -> None:
    catalogue = unlisted(ground)
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 1))
    text = catalogue.read_text("utf-8").replace(
        'name      = "另一个项目"\nfield     = 1', 'name = "学前教育政府助学金"\nfield = 2'
    )
    catalogue.write_text(text, "utf-8")
    with ground.open() as gateway:
        gateway.run()
        assert current(gateway) == {"P-00001": ("set_aside", "DEPARTMENT_NOT_PERMITTED", None)}
        assert gateway.held() == []


def test_what_was_held_unlisted_is_looked_at_for_repeats_when_it_is_listed(ground: Ground) -> None:
    catalogue = unlisted(ground)
    first, second = payments_of(CITY, 1, prefix="A"), payments_of(CITY, 1, prefix="B")
    with ground.open() as gateway:
        ground.submit(gateway, first)
        ground.submit(gateway, second)
    edit(catalogue, 'name      = "另一个项目"\n', 'name      = "学前教育政府助学金"\n')
    with ground.open() as gateway:
        gateway.run()
        held = {one.object: one.message for one in gateway.held()}
        assert list(held) == ["payment:yikatong/B-00001"]
        assert "A-00001 (yikatong/B-0001, " in held["payment:yikatong/B-00001"]
        assert ground.decide(gateway, "payment:yikatong/B-00001", "accept", *PERSONS) == [False, True]


def test_the_journal_says_by_which_catalogue_a_batch_was_judged(ground: Ground) -> None:
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 1))
        catalogue = gateway.configuration.catalogue
        assert catalogue is not None
        ((body,),) = ground.rows("SELECT body FROM event WHERE kind = 'batch submitted'")
        assert f'"catalogue":"{catalogue.digest}"' in str(body)


def test_an_agreement_beyond_the_catalogue_is_told(ground: Ground) -> None:
    unlisted(ground)
    with ground.open() as gateway:
        warnings = [one.message for one in gateway.configuration.warnings]
        assert gateway.run().warnings == warnings
    assert {one.partition(": ")[2] for one in warnings} == {
        "学前教育政府助学金 is not in the catalogue: its payments will be held"
    }


def test_commands_show_the_catalogue(bankgate: Commands, tmp_path: Path) -> None:
    shown = bankgate("catalogue", "list", "--field", 3)
    assert (shown.code, "个人申请提取的住房公积金" in shown.out, "1 programmes" in shown.out) == (
        0,
        True,
        True,
    )
    assert "农村低保" in bankgate("catalogue", "show", "农村低保").out
    assert bankgate("catalogue", "show", "无此项目").code == 2
    made = tmp_path / "own.toml"
    assert bankgate("catalogue", "new", made).code == 0
    assert made.read_text("utf-8") == shipped_text()
    assert bankgate("catalogue", "new", made).code != 0
