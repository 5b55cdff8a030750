"""`trace` says who verified a payment before it was paid again, when and why, and what was corrected."""

from __future__ import annotations

from datetime import date

import pytest

from gateway import Gateway
from gateway.rules.verifications import Corrected, Verification, read_ground, verified_ground
from gateway.screens import screen
from gateway.texts import Words
from gateway.wording import masked_official, masked_words
from tests.gateway.commands import Commands
from tests.gateway.sites import CITY, ISO, Ground, payments_of
from tests.gateway.test_settle import Sent, result, row
from tests.rules.test_reissue import correction, failed

OLD, NEW = payments_of(CITY, 1)[0], payments_of(CITY, 1, start=50)[0]


def again(site: Ground, gateway: Gateway, **changes: object) -> Sent:
    """Payment P-00001 failed, and is handed over again as it was verified."""
    sent = failed(site, gateway)
    made = gateway.plan.reissue([correction(**changes)], "AGAIN")
    gateway.submit(made.batch, made.payments)
    return sent


def test_both_ends_of_the_chain_tell_who_verified_what(ground: Ground) -> None:
    corrected = {"account": NEW.account, "beneficiary_name": "欧阳小倩"}
    with ground.open() as gateway:
        again(ground, gateway, ground=f"{OLD.beneficiary_name}到场,电话13800138000", changes=corrected)
        told = gateway.trace("P-00001").verifications
        assert told == gateway.trace("P-00001-R1").verifications
        assert gateway.trace("P-00002").verifications == []
    assert told == [
        Verification(
            payment_id="P-00001-R1",
            replaces="P-00001",
            verified_by="王**",
            verified_on=date(2026, 9, 1),
            ground=f"{OLD.beneficiary_name[0]}{'*' * (len(OLD.beneficiary_name) - 1)}到场,电话*******8000",
            corrected=[
                Corrected("account", f"{'*' * 12}{OLD.account[-4:]}", f"{'*' * 12}{NEW.account[-4:]}"),
                Corrected(
                    "beneficiary_name",
                    f"{OLD.beneficiary_name[0]}{'*' * (len(OLD.beneficiary_name) - 1)}",
                    "欧***",
                ),
            ],
        )
    ]


@pytest.mark.parametrize(
    ("language", "line"),
    [
        (
            "en",
            "P-00001-R1 replaces P-00001: verified by 王** on 2026-09-01; ground: 换卡后核实;"
            " corrected: bank city-bank -> iso-bank, account {old} -> {new}",
        ),
        (
            "zh",
            "P-00001-R1 补发 P-00001:由 王** 于 2026-09-01 核实; 依据:换卡后核实;"
            " 更正:合作银行 city-bank -> iso-bank, 账号 {old} -> {new}",
        ),
    ],
)
def test_the_enquiry_line_reads_it_in_its_language(
    ground: Ground, bankgate: Commands, monkeypatch: pytest.MonkeyPatch, language: str, line: str
) -> None:
    monkeypatch.setattr(screen, "_words", Words(language))
    account = payments_of(ISO, 1)[0].account
    with ground.open() as gateway:
        sent = again(ground, gateway, changes={"bank": ISO, "account": account})
    masks = [f"{'*' * 12}{one[-4:]}" for one in (sent.payments[0].account, account)]
    told = bankgate("trace", "P-00001-R1").out
    assert line.format(old=masks[0], new=masks[1]) in told
    document = bankgate("trace", "P-00001", "--json").out
    for secret in (sent.payments[0].account, account, "王科员", sent.payments[0].beneficiary_name):
        assert secret not in told + document


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("区农业农村局经办人", "区农业农村局经办人"),
        ("区农业农村局经办人王小明", "区农业农村局经办人王**"),
        ("市民政局社会救助科李四", "市民政局社会救助科李*"),
        ("某单位经办人", "某单位经办人"),
        ("王小明", "王**"),
        ("王科员", "王**"),
        ("王小明区民政局", "王******"),
        ("李局", "李*"),
        ("欧阳小科", "欧***"),
        ("经办人李四", "经办人李*"),
        ("阿依古丽·买买提", "阿*******"),
        ("区财政局330102199001011234", "区财政局3************"),
    ],
)
def test_the_office_that_verified_is_told_and_whoever_sat_there_is_not(written: str, told: str) -> None:
    assert masked_official(written, ["某单位"]) == told


def test_an_auditor_reads_which_office_verified(ground: Ground) -> None:
    with ground.open() as gateway:
        failed(ground, gateway)
        made = gateway.plan.reissue([correction(verified_by="区民政局经办人")], "AGAIN")
        gateway.submit(made.batch, made.payments)
        (told,) = gateway.trace("P-00001").verifications
    assert told.verified_by == "区民政局经办人"


def test_a_ground_of_another_form_is_told_as_it_is(ground: Ground) -> None:
    with ground.open() as gateway:
        failed(ground, gateway)
        own = payments_of(CITY, 1, prefix="Z", reissue_of="P-00001", reissue_ground="已补办社保卡")
        ground.submit(gateway, own, "OWN")
        (told,) = gateway.trace("Z-00001").verifications
    assert (told.verified_by, told.verified_on, told.ground, told.corrected) == ("", None, "已补办社保卡", [])


def test_what_is_destroyed_is_not_known_any_more(ground: Ground, bankgate: Commands) -> None:
    with ground.open() as gateway:
        sent = again(ground, gateway)
        ground.decide(gateway, "batch:yikatong/AGAIN", "release", "reviewer-a", "reviewer-b")
        gateway.run()
        name = gateway.files()[-1].name
        answer = f"{name.removesuffix('.bxt')}_R1.bxt"
        ground.post(CITY, answer, result(name, [row(1, sent.payments[0])]))
        ground.take(gateway)
    ground.clock.turn(days=1096)
    assert bankgate("retain").code == 0
    with ground.open() as gateway:
        (told,) = gateway.trace("P-00001").verifications
    assert told == Verification(payment_id="P-00001-R1", replaces="P-00001", is_destroyed=True)
    assert "is destroyed with its personal data" in bankgate("trace", "P-00001").out


@pytest.mark.parametrize(
    ("ground", "by", "read"),
    [
        ("换卡", "王科员", ("换卡", "王**", date(2026, 9, 1))),
        ("换卡;核实人李四;2026-01-01", "王科员", ("换卡;核实人李四;2026-01-01", "王**", date(2026, 9, 1))),
    ],
)
def test_a_ground_that_looks_like_another_is_read_as_written(
    ground: str, by: str, read: tuple[str, str, date]
) -> None:
    found = read_ground(verified_ground(ground, by, date(2026, 9, 1)))
    assert (found[0], f"{found[1][0]}**", found[2]) == read
    assert read_ground("换卡;核实人王;2026-13-01") == ("换卡;核实人王;2026-13-01", "", None)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("身份证11010519491231002X已核对", "身份证110************02X已核对"),
        ("卡6231 9900 0000 1208 674", "卡************8674"),
        ("２０２６年电话１３８００１３８０００", "２０２６年电话*******８０００"),
        ("2026-11-20 到场,第12组", "2026-11-20 到场,第12组"),
        ("张三丰与张三到场", "张**与张*到场"),
    ],
)
def test_free_words_name_nobody(text: str, told: str) -> None:
    assert masked_words(text, ("张三", "张三丰", "")) == told
