"""Results written by hand: what a bank says, word by word, and what it comes to."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from formats import Payment
from gateway import FeeFinding, Gateway
from gateway.ledger.files import find_file
from keys.authority import Authority
from keys.cms import sign_detached
from tests.gateway.sites import (
    CITY,
    ISO,
    NOW,
    PERSONS,
    RURAL,
    Ground,
    credited,
    current,
    payments_of,
    states,
)

Row = tuple[int, str, str, int, str]
"""item, account, name, minor units, code"""


def row(item: int, payment: Payment, code: str = "S", minor: int | None = None) -> Row:
    amount = payment.amount_minor if minor is None else minor
    return item, payment.account, payment.beneficiary_name, amount, code


def result(file_name: str, rows: list[Row], *, more_minor: int = 0, fee: str = "0.00元") -> bytes:
    """A result of the city bank; `more_minor` falsifies its total."""
    paid = [one for one in rows if one[4] in ("S", "L")]
    lines = [
        "#回盘信息",
        f"#FILE|{file_name}|20260901|",
        f"#RMB|{len(rows)}|{yuan(sum(one[3] for one in rows) + more_minor)}元|{len(paid)}"
        f"|{yuan(sum(one[3] for one in paid))}元|",
        "#序号|收款账号|收款户名|金额|状态|备注|手续费|银行说明|",
        *(
            f"{item}|{account}|{name}|{yuan(minor)}元|{code}||{fee}||"
            for item, account, name, minor, code in rows
        ),
        "*",
    ]
    return "".join(f"{line}\n" for line in lines).encode("gb18030")


def acknowledgement(file_name: str, code: str) -> bytes:
    text = f"#受理回执\n#FILE|{file_name}|20260901|\n#STATUS|{code}||\n*\n"
    return text.encode("gb18030")


def yuan(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"


class Sent:
    """One file of some payments that was sent to the city bank, which answers by hand."""

    def __init__(self, ground: Ground, gateway: Gateway, count: int = 3) -> None:
        self.ground, self.gateway = ground, gateway
        self.payments = payments_of(CITY, count)
        self.batch_id = ground.submit(gateway, self.payments)
        gateway.run()
        self.name = gateway.files()[0].name
        self.stem = self.name.removesuffix(".bxt")

    def say(self, content: bytes, kind: str = "R", number: int = 1) -> None:
        """The bank puts a signed answer; it is taken."""
        self.ground.post(CITY, f"{self.stem}_{kind}{number}.bxt", content)
        self.ground.take(self.gateway)

    def all(self, code: str = "S") -> list[Row]:
        return [row(item, payment, code) for item, payment in enumerate(self.payments, 1)]

    def problems(self) -> list[str]:
        """Codes of what the received files are held or refused for."""
        assert all(status.adds_up for status in self.gateway.status())
        return [problem.code for received in self.gateway.received() for problem in received.problems]

    def unbelieved(self, code: str) -> None:
        """Nothing of it was believed, and a person is told."""
        assert self.problems() == [code]
        assert current(self.gateway) == {}
        assert self.gateway.needs_person()


@pytest.fixture
def sent(ground: Ground) -> object:
    with ground.open() as gateway:
        yield Sent(ground, gateway)


def test_a_result_before_any_acknowledgement_settles_the_file(sent: Sent) -> None:
    sent.say(result(sent.name, sent.all()))
    assert (current(sent.gateway), states(sent.gateway)) == (credited(sent.payments), ["settled"])
    sent.say(acknowledgement(sent.name, "S"), "A")
    assert (states(sent.gateway), sent.problems()) == (["settled"], [])


def test_an_unknown_code_is_unknown_and_never_failed(sent: Sent) -> None:
    rows = [row(1, sent.payments[0], "Z9"), row(2, sent.payments[1]), row(3, sent.payments[2], "F44")]
    sent.say(result(sent.name, rows))
    first, second, third = (payment.amount_minor for payment in sent.payments)
    assert current(sent.gateway) == {
        "P-00001": ("unknown", "UNMAPPED", None),
        "P-00002": ("credited", "", second),
        "P-00003": ("failed", "ACCOUNT_CLOSED", None),
    }
    assert states(sent.gateway) == ["sent"]
    assert [outcome.bank_code for outcome in sent.gateway.outcomes()] == ["Z9", "S", "F44"]
    sent.say(result(sent.name, [row(1, sent.payments[0])]), number=2)
    assert current(sent.gateway)["P-00001"] == ("credited", "", first)
    assert (states(sent.gateway), third) == (["settled"], sent.payments[2].amount_minor)


@pytest.mark.parametrize(("minor", "short"), [(9_998, 2), (10_001, 0), (1, 9_999)])
def test_another_credited_amount_is_discrepant_and_never_paid_again(
    sent: Sent, minor: int, short: int
) -> None:
    sent.say(result(sent.name, [row(1, sent.payments[0], "S", minor), *sent.all()[1:]]))
    assert current(sent.gateway)["P-00001"] == ("discrepant", "AMOUNT_DIFFERS", minor)
    found = [(one.kind, one.amount_minor, one.payment_id) for one in sent.gateway.findings()]
    assert found == ([("short_credit", short, "P-00001")] if short else [])
    again = payments_of(CITY, 1, prefix="Q", amount_minor=sent.payments[0].amount_minor, reissue_of="P-00001")
    sent.ground.submit(sent.gateway, again)
    assert current(sent.gateway)["Q-00001"] == ("set_aside", "REISSUE_REFUSED", None)


def test_a_file_that_we_never_sent(sent: Sent) -> None:
    other = sent.name.replace("00000001", "00000077")
    sent.ground.post(CITY, other.replace(".bxt", "_R1.bxt"), result(other, sent.all()))
    sent.ground.take(sent.gateway)
    sent.unbelieved("unknown-file")


def test_a_name_points_at_our_file_by_its_stem(sent: Sent) -> None:
    """Where nothing in an answer names a file of ours, as in many that come in two files, its name does."""
    stem = sent.name.rpartition(".")[0]
    with sent.gateway.installation.ledger.read() as transaction:
        found = find_file(transaction, CITY, stem=stem)
        assert found is not None
        assert found.name == sent.name
        assert find_file(transaction, RURAL, stem=stem) is None
        assert find_file(transaction, CITY, stem=stem[:-1]) is None
        assert find_file(transaction, CITY, stem=sent.name) is None
    profile = sent.gateway.installation.profile(CITY)
    recognised = profile.recognise(f"{stem}_R1.bxt")
    assert recognised is not None
    assert recognised[1].key == {"stem": stem}


def test_a_result_that_names_two_files_of_ours(sent: Sent) -> None:
    sent.ground.submit(sent.gateway, payments_of(CITY, 1, prefix="Q"))
    sent.gateway.run()
    second = sent.gateway.files()[1].name
    sent.say(result(second, sent.all()))
    # It has the first one's name; name and content must agree.
    assert sent.problems() == ["which-file"]
    assert current(sent.gateway) == {}


def test_another_day_than_our_files(sent: Sent) -> None:
    content = result(sent.name, sent.all()).replace(b"|20260901|", b"|20260831|")
    sent.say(content)
    sent.unbelieved("other-file")


def test_a_wrong_total(sent: Sent) -> None:
    sent.say(result(sent.name, sent.all(), more_minor=100))
    assert len(sent.problems()) == 1
    assert current(sent.gateway) == {}
    assert states(sent.gateway) == ["sent"]


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.99])
def test_half_a_file_that_somebody_signed(sent: Sent, share: float) -> None:
    content = result(sent.name, sent.all())
    sent.say(content[: int(len(content) * share)])
    assert len(sent.problems()) >= 1
    assert current(sent.gateway) == {}
    sent.say(content, number=2)
    assert current(sent.gateway) == credited(sent.payments)


@pytest.mark.parametrize(
    ("code", "rows"),
    [
        ("unmatched", [4]),
        ("unmatched", [0]),
        ("twice", [1]),
        ("unmatched", [99_999_999]),
    ],
)
def test_a_record_too_many(sent: Sent, code: str, rows: list[int]) -> None:
    sent.say(result(sent.name, sent.all() + [row(item, sent.payments[0]) for item in rows]))
    sent.unbelieved(code)


def test_our_own_bytes_with_the_banks_signature(sent: Sent) -> None:
    ours = next(path for path in sent.ground.outbox(CITY).iterdir() if path.name == sent.name)
    sent.say(ours.read_bytes())
    sent.unbelieved("refused")


@pytest.mark.parametrize("account", ["6231920000000000000", ""])
def test_another_account_under_a_position(sent: Sent, account: str) -> None:
    item, _, name, minor, code = row(1, sent.payments[0])
    sent.say(result(sent.name, [(item, account, name, minor, code), *sent.all()[1:]]))
    sent.unbelieved("other-payment")


def test_a_result_in_parts(sent: Sent) -> None:
    sent.say(result(sent.name, sent.all()[:2]))
    assert (current(sent.gateway), states(sent.gateway)) == (credited(sent.payments[:2]), ["sent"])
    sent.say(result(sent.name, sent.all()[2:]), number=2)
    assert (current(sent.gateway), states(sent.gateway)) == (credited(sent.payments), ["settled"])


def test_the_same_words_again_are_nothing_new(sent: Sent) -> None:
    content = result(sent.name, sent.all(), fee="0.50元")
    sent.say(content)
    said = list(sent.gateway.outcomes())
    charged: list[FeeFinding] = list(sent.gateway.findings())
    assert [one.amount_minor for one in charged] == [50, 50, 50]
    sent.say(content, number=2)
    sent.say(content.replace(b"||" + b"0.50", "|重发|".encode("gb18030") + b"0.50"), number=3)
    assert list(sent.gateway.outcomes()) == said
    assert list(sent.gateway.findings()) == charged
    assert [received.state for received in sent.gateway.received()] == ["settled"] * 3


def test_a_contradiction_stays_until_a_person_ends_it(sent: Sent) -> None:
    for number, code in enumerate(("S", "F44", "F44", "S"), 1):
        sent.say(result(sent.name, sent.all(code)).replace(b"*\n", b"*\n" * 1), number=number)
    stated = [(str(one.status), str(one.stated_status or one.status)) for one in sent.gateway.outcomes()]
    assert stated[:6] == [("credited", "credited")] * 3 + [("unknown", "failed")] * 3
    assert set(current(sent.gateway).values()) <= {
        ("unknown", "CONTRADICTED", payment.amount_minor) for payment in sent.payments
    }
    again = payments_of(CITY, 1, prefix="Q", amount_minor=sent.payments[0].amount_minor, reissue_of="P-00001")
    sent.ground.submit(sent.gateway, again)
    assert current(sent.gateway)["Q-00001"] == ("set_aside", "REISSUE_REFUSED", None)


def test_money_that_came_back_days_later(sent: Sent) -> None:
    sent.say(result(sent.name, sent.all()))
    sent.ground.clock.turn(days=4)
    sent.say(result(sent.name, [row(2, sent.payments[1], "R")]), number=2)
    assert current(sent.gateway)["P-00002"] == ("returned", "RETURNED", sent.payments[1].amount_minor)


def test_a_duplicate_file_is_uncertain_and_not_rejected(sent: Sent) -> None:
    sent.say(acknowledgement(sent.name, "D"), "A")
    assert states(sent.gateway) == ["uncertain"]
    sent.gateway.run()
    assert states(sent.gateway) == ["uncertain"]
    assert [item.object for item in sent.gateway.held()] == [f"file:{CITY}/{sent.name}"]
    sent.say(result(sent.name, sent.all()))
    assert (current(sent.gateway), states(sent.gateway)) == (credited(sent.payments), ["settled"])
    assert sent.gateway.held() == []


def test_a_file_code_that_no_table_lists(sent: Sent) -> None:
    sent.say(acknowledgement(sent.name, "Z"), "A")
    sent.unbelieved("unmapped-code")
    assert states(sent.gateway) == ["sent"]


def test_a_rejection_after_results_is_not_believed(sent: Sent) -> None:
    sent.say(result(sent.name, sent.all()[:1]))
    sent.say(acknowledgement(sent.name, "F"), "A")
    assert sent.problems() == ["rejected-after-results"]
    assert states(sent.gateway) == ["sent"]


def test_a_late_word_about_a_rejected_file_is_held(sent: Sent) -> None:
    sent.say(acknowledgement(sent.name, "F"), "A")
    assert states(sent.gateway) == ["rejected"]
    sent.say(result(sent.name, sent.all()))
    assert sent.problems() == ["not-at-the-bank"]
    assert current(sent.gateway) == {}


def test_a_bad_signature_and_then_a_good_one_over_the_same_bytes(sent: Sent) -> None:
    content = result(sent.name, sent.all())
    name = f"{sent.stem}_R1.bxt"
    valid = NOW, NOW.replace(year=2030)
    stranger = Authority.create("CN=city-bank CA,O=city-bank,C=CN", *valid, "sm2")
    sent.ground.post(CITY, name, content, stranger.identity.signer("stranger"))
    sent.ground.take(sent.gateway)
    sent.unbelieved("refused")
    signer = sent.ground.bank_seals(CITY).signs[0]
    signature = sign_detached(io.BytesIO(content), signer, sent.ground.clock.now())
    (sent.ground.inbox(CITY) / f"{name}.p7s").write_bytes(signature)
    sent.ground.take(sent.gateway)
    assert current(sent.gateway) == credited(sent.payments)


def test_a_signature_over_other_bytes(sent: Sent) -> None:
    name = f"{sent.stem}_R1.bxt"
    sent.ground.post(CITY, name, result(sent.name, sent.all("F44")))
    signature = (sent.ground.inbox(CITY) / f"{name}.p7s").read_bytes()
    sent.ground.post(CITY, name, result(sent.name, sent.all("F45")))
    (sent.ground.inbox(CITY) / f"{name}.p7s").write_bytes(signature)
    sent.ground.take(sent.gateway)
    sent.unbelieved("refused")


def test_other_content_under_a_settled_name_is_read_before_it_is_archived(sent: Sent) -> None:
    name = f"{sent.stem}_R1.bxt"
    sent.ground.post(CITY, name, result(sent.name, sent.all()[:2]))
    sent.ground.take(sent.gateway)
    assert current(sent.gateway) == credited(sent.payments[:2])
    archive = sent.ground.inbox(CITY).with_name("archive")
    sent.ground.post(CITY, name, result(sent.name, sent.all()))
    for path in archive.iterdir():
        path.unlink()
    sent.ground.take(sent.gateway)
    sent.ground.take(sent.gateway)
    assert current(sent.gateway) == credited(sent.payments)


BOMB = '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(6)
)


@pytest.mark.parametrize("kind", ["external", "million", "deep"])
def test_a_hostile_xml_result(ground: Ground, kind: str) -> None:
    secret = ground.site.folder / "secret.txt"
    secret.write_text("TOP-SECRET", "utf-8")
    hostile = {
        "external": f'<!DOCTYPE d [<!ENTITY x SYSTEM "file://{secret}">]><Document>&x;</Document>',
        "million": BOMB + "]><Document>&g;</Document>",
        "deep": "<a>" * 200_000,
    }[kind]
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(ISO, 2))
        gateway.run()
        content = f'<?xml version="1.0" encoding="UTF-8"?>{hostile}'.encode()
        stem = gateway.files()[0].name.removesuffix(".xml")
        # Nobody signs such a thing; whoever can write to the inbox puts it there.
        (ground.inbox(ISO) / f"{stem}-RES1.xml").write_bytes(content)
        ground.take(gateway)
        assert [received.state for received in gateway.received()] == ["refused"]
        assert (current(gateway), states(gateway)) == ({}, ["sent"])
        ground.check_sound(gateway)
    folder: Path = ground.site.configuration.parent
    kept = [path for path in folder.rglob("*") if path.is_file() and b"TOP-SECRET" in path.read_bytes()]
    assert kept == []


def test_a_payment_paid_again_and_then_credited_after_all_is_told(sent: Sent) -> None:
    """The successor has left already: nothing can stop it, so a person must hear of it."""
    sent.say(result(sent.name, [row(1, sent.payments[0], "F44"), *sent.all()[1:]]))
    again = payments_of(CITY, 1, prefix="Q", amount_minor=sent.payments[0].amount_minor, reissue_of="P-00001")
    sent.ground.submit(sent.gateway, again)
    sent.gateway.run()
    assert states(sent.gateway) == ["settled", "sent"]
    assert not sent.gateway.needs_person()
    sent.say(result(sent.name, sent.all()[:1]), number=2)
    assert current(sent.gateway)["P-00001"] == ("credited", "", sent.payments[0].amount_minor)
    held = sent.gateway.held()
    second = sent.gateway.files()[1].name
    assert [item.object for item in held] == ["oddity:1"]
    assert second in held[0].message
    assert "Q-00001" in held[0].message
    assert "P-00001" in held[0].message
    # The alarm outlasts the end of the file, and one person does not silence it.
    sent.ground.post(CITY, f"{second[:-4]}_R1.bxt", result(second, [row(1, again[0])]))
    sent.ground.take(sent.gateway)
    assert states(sent.gateway) == ["settled", "settled"]
    assert sent.ground.decide(sent.gateway, "oddity:1", "close", PERSONS[0]) == [False]
    assert sent.gateway.needs_person()
    assert sent.ground.decide(sent.gateway, "oddity:1", "close", PERSONS[1]) == [True]
    assert not sent.gateway.needs_person()


def test_an_amount_that_is_somebodys_number_is_not_believed(ground: Ground) -> None:
    """Columns that slipped: ids of 18 digits as amounts add up to more than a ledger can say."""
    with ground.open() as gateway:
        sent = Sent(ground, gateway, count=12)
        number = 940902199001011235
        rows = [row(item, payment, "F44", number) for item, payment in enumerate(sent.payments, 1)]
        sent.say(result(sent.name, rows, more_minor=100 - 12 * number))
        (held,) = [one.object for one in gateway.held() if one.object.startswith("received:")]
        if "accept" in [way.decision for way in gateway.ways(held)]:
            ground.decide(gateway, held, "accept", *PERSONS)
            gateway.run()
        assert gateway.status()[0].credited_minor == 0
        sent.unbelieved("amount-absurd")
