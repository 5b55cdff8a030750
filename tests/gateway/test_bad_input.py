"""Batches and settings that cannot be used: a clear line, the right exit code, nothing stored."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import pytest

from formats import Payment
from formats.standard import FileFormat
from gateway import Conflict, ExitCode, Gateway, InputRefused
from keys.authority import Authority
from keys.cms import sign_detached
from keys.errors import SignerUntrusted
from tests.gateway.commands import Commands
from tests.gateway.sites import CITY, NOW, RURAL, Ground, credited, current, edit, payments_of, states

DONE, PERSON, USAGE, REFUSED, _, INTEGRITY, *_ = ExitCode


def nothing_stored(ground: Ground) -> bool:
    counts = [ground.rows(f"SELECT COUNT(*) FROM {table}")[0][0] for table in ("batch", "payment", "lane")]
    spool = ground.site.configuration.parent / "spool"
    return counts == [0, 0, 0] and [path for path in spool.rglob("*") if path.is_file()] == []


def signed(ground: Ground, path: Path) -> Path:
    path.with_name(f"{path.name}.p7s").write_bytes(ground.sign(path.read_bytes()))
    return path


def test_a_batch_that_does_not_exist(ground: Ground, bankgate: Commands) -> None:
    ended = bankgate("submit", ground.site.folder / "absent.csv")
    assert ended.code == REFUSED
    assert "absent.csv: No such file or directory" in ended.err
    assert "hint: check the path" in ended.err
    assert nothing_stored(ground)


def test_a_folder_in_place_of_a_batch(ground: Ground, bankgate: Commands) -> None:
    ended = bankgate("submit", ground.site.folder)
    assert (ended.code, nothing_stored(ground)) == (REFUSED, True)
    assert "Is a directory" in ended.err


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b"\x00" * 4096, b"PK\x03\x04 no sheet"])
def test_an_empty_batch_or_one_that_is_none(ground: Ground, bankgate: Commands, content: bytes) -> None:
    path = ground.site.folder / "batch.csv"
    path.write_bytes(content)
    for command in ("check", "submit"):
        ended = bankgate(command, path)
        assert ended.code == REFUSED, ended
        assert "error:" in ended.err
        assert "Traceback" not in ended.err
    assert nothing_stored(ground)


@pytest.mark.parametrize("form", list(FileFormat))
def test_a_batch_that_is_cut_anywhere(ground: Ground, form: FileFormat) -> None:
    """Wherever it breaks off: the count, the total or the last row tells."""
    payments = payments_of(CITY, 6)
    content = ground.write(ground.batch(payments), payments, form).read_bytes()
    path = ground.site.folder / f"cut.{form.value}"
    with ground.open() as gateway:
        for size in range(0, len(content) - 2, 97):
            path.write_bytes(content[:size])
            with pytest.raises(InputRefused):
                gateway.submit(path)
    assert nothing_stored(ground)


@pytest.mark.parametrize("more", [1, -1, 100_000])
def test_a_wrong_total(ground: Ground, bankgate: Commands, more: int) -> None:
    payments = payments_of(CITY, 3)
    batch = ground.batch(payments)
    wrong = msgspec.structs.replace(batch, declared_total_minor=batch.declared_total_minor + more)
    path = ground.write(batch, payments)
    text = path.read_text("utf-8-sig")
    declared = f"{batch.declared_total_minor // 100}.{batch.declared_total_minor % 100:02d}"
    assert declared in text
    other = f"{wrong.declared_total_minor // 100}.{wrong.declared_total_minor % 100:02d}"
    path.write_text(text.replace(declared, other), "utf-8")
    ended = bankgate("submit", path)
    assert ended.code == REFUSED
    assert declared in ended.err
    assert other in ended.err
    assert nothing_stored(ground)


def test_the_same_batch_twice_is_once(ground: Ground, bankgate: Commands) -> None:
    payments = payments_of(CITY, 3)
    path = signed(ground, ground.write(ground.batch(payments), payments))
    ground.bank(CITY)
    with ground.open() as gateway:
        first = gateway.submit(path, signature=ground.sign(path.read_bytes()))
        ground.run_to_the_end(gateway)
        second = gateway.submit(path, signature=ground.sign(path.read_bytes()))
        # What has become of it since is told too.
        now = {"credited": 3}
        assert second == msgspec.structs.replace(first, taken_before=True, states=now)
        ground.run_to_the_end(gateway)
        assert current(gateway) == credited(payments)
        assert states(gateway) == ["settled"]
        ground.check_sound(gateway)
    ended = bankgate("submit", path)
    assert ended.code == DONE
    assert "(submitted before)" in ended.out
    assert len(list((ground.site.configuration.parent / "spool" / "batch").iterdir())) == 1


def test_the_same_objects_twice_are_once(ground: Ground) -> None:
    payments = payments_of(CITY, 3)
    batch = ground.batch(payments)
    with ground.open() as gateway:
        first = gateway.submit(batch, payments)
        assert gateway.submit(batch, iter(payments)) == msgspec.structs.replace(first, taken_before=True)


def test_the_same_batch_id_with_other_content(ground: Ground, bankgate: Commands) -> None:
    payments = payments_of(CITY, 3)
    with ground.open() as gateway:
        batch_id = ground.submit(gateway, payments)
        before = gateway.status()
        other = payments_of(CITY, 4, prefix="Q")
        with pytest.raises(Conflict):
            gateway.submit(ground.write(ground.batch(other, batch_id), other))
        assert gateway.status() == before
    ended = bankgate("submit", ground.write(ground.batch(other, batch_id), other))
    assert ended.code == REFUSED
    assert f"error: batch {batch_id} of yikatong was submitted before with other content" in ended.err
    assert "hint: a batch id is used once" in ended.err
    assert len(list((ground.site.configuration.parent / "spool" / "batch").iterdir())) == 1


def test_an_unsigned_batch_stays_until_it_is_released(ground: Ground, bankgate: Commands) -> None:
    payments = payments_of(CITY, 3)
    path = ground.write(ground.batch(payments, "B-unsigned"), payments)
    ground.bank(CITY)
    ended = bankgate("submit", path)
    assert ended.code == PERSON
    for _ in range(3):
        assert bankgate("run").code == PERSON
        ground.banks_look()
    assert list(ground.outbox(CITY).iterdir()) == []
    with ground.open() as gateway:
        assert states(gateway) == []
        assert [item.object for item in gateway.held()] == ["batch:yikatong/B-unsigned"]
        assert gateway.status()[0].adds_up


def test_a_signature_that_comes_later_releases_the_batch(ground: Ground, bankgate: Commands) -> None:
    payments = payments_of(CITY, 3)
    path = ground.write(ground.batch(payments), payments)
    ground.bank(CITY)
    assert bankgate("submit", path).code == PERSON
    assert bankgate("submit", signed(ground, path)).code == DONE
    with ground.open() as gateway:
        ground.run_to_the_end(gateway)
        assert current(gateway) == credited(payments)


def test_a_signature_over_other_bytes(ground: Ground, bankgate: Commands) -> None:
    payments = payments_of(CITY, 3)
    path = ground.write(ground.batch(payments), payments)
    path.with_name(f"{path.name}.p7s").write_bytes(ground.sign(path.read_bytes() + b" "))
    ended = bankgate("submit", path)
    assert ended.code == REFUSED
    assert "error: " in ended.err
    assert nothing_stored(ground)


def test_a_signature_of_nobody_we_know(ground: Ground) -> None:
    payments = payments_of(CITY, 3)
    path = ground.write(ground.batch(payments), payments)
    stranger = Authority.create("CN=stranger", NOW, NOW.replace(year=2030)).identity.signer("stranger")
    with ground.open() as gateway, path.open("rb") as source:
        signature = sign_detached(source, stranger, NOW)
        with pytest.raises(SignerUntrusted):
            gateway.submit(path, signature=signature)
    assert nothing_stored(ground)


@pytest.mark.parametrize("content", [b"", b"no signature", b"\x30\x80" * 500])
def test_bytes_that_are_no_signature(ground: Ground, bankgate: Commands, content: bytes) -> None:
    payments = payments_of(CITY, 3)
    path = ground.write(ground.batch(payments), payments)
    path.with_name(f"{path.name}.p7s").write_bytes(content)
    ended = bankgate("submit", path)
    assert (ended.code, nothing_stored(ground)) == (REFUSED, True)


def test_a_batch_of_a_platform_that_is_not_configured(ground: Ground, bankgate: Commands) -> None:
    payments = payments_of(CITY, 3)
    path = ground.write(ground.batch(payments, source_platform="stranger"), payments)
    for command in ("check", "submit"):
        ended = bankgate(command, path)
        assert ended.code == REFUSED
        assert "stranger" in ended.err + ended.out
    assert nothing_stored(ground)


def test_a_name_over_the_width_is_set_aside_and_the_others_go(ground: Ground) -> None:
    long_name = "阿卜杜热合曼·麦合木提江"
    payments = payments_of(RURAL, 2) + payments_of(RURAL, 1, start=2, beneficiary_name=long_name)
    ground.bank(RURAL)
    with ground.open() as gateway:
        ground.submit(gateway, payments)
        ground.run_to_the_end(gateway)
        assert current(gateway) == {
            **credited(payments[:2]),
            "P-00003": ("set_aside", "NAME_TOO_LONG", None),
        }
        ground.check_sound(gateway)


def test_a_bank_without_profile_is_set_aside_or_refuses_the_batch(ground: Ground, bankgate: Commands) -> None:
    payments = payments_of(CITY, 2) + payments_of(CITY, 1, start=2, bank="post")
    path = ground.write(ground.batch(payments), payments)
    ended = bankgate("submit", path, "--policy", "refuse")
    assert ended.code == REFUSED
    assert "wanted one of city-bank, iso-bank, rural-credit" in ended.err
    assert nothing_stored(ground)
    assert bankgate("submit", signed(ground, path)).code == PERSON
    ground.bank(CITY)
    with ground.open() as gateway:
        ground.run_to_the_end(gateway)
        assert current(gateway) == {**credited(payments[:2]), "P-00003": ("set_aside", "UNKNOWN_BANK", None)}
        ground.check_sound(gateway)


def test_a_profile_with_a_misspelled_key(ground: Ground, bankgate: Commands) -> None:
    path = ground.profile_path(CITY)
    edit(path, "records_per_file = 100000", "record_per_file = 100000")
    line = path.read_text("utf-8").splitlines().index("record_per_file = 100000") + 1
    ended = bankgate("status")
    assert ended.code == USAGE
    assert f"{path} line {line} limits.record_per_file: unknown key" in ended.err
    assert "did you mean records_per_file" in ended.err


def test_limits_of_the_gateway_itself(ground: Ground, bankgate: Commands) -> None:
    edit(
        ground.site.configuration,
        "[intake]",
        "[limits]\npayments_per_batch = 3\namount_per_payment_minor = 10101\n"
        "amount_per_batch_minor = 30303\n\n[intake]",
    )
    many = payments_of(CITY, 4)
    ended = bankgate("submit", ground.write(ground.batch(many), many))
    assert ended.code == REFUSED
    assert "4 payments, wanted at most 3" in ended.err
    assert "406.06 yuan, wanted at most 303.03 yuan" in ended.err
    assert nothing_stored(ground)
    three = payments_of(CITY, 3)
    with ground.open() as gateway:
        ground.submit(gateway, three)
        assert current(gateway) == {"P-00003": ("set_aside", "AMOUNT_LIMIT", None)}


def test_an_account_or_name_in_a_wrong_column_is_not_shown(ground: Ground, bankgate: Commands) -> None:
    """A shifted row must not carry personal data into messages or the database."""
    good = payments_of(CITY, 1)
    shifted: list[Payment] = [
        msgspec.structs.replace(payment, bank=payment.account, programme=payment.beneficiary_name)
        for payment in payments_of(CITY, 2, start=1)
    ]
    path = ground.write(ground.batch(good + shifted), good + shifted)
    ended = bankgate("submit", path)
    assert ended.code == PERSON
    secret = [shifted[0].account, shifted[0].beneficiary_name, shifted[1].beneficiary_name]
    assert [word for word in secret if word in ended.out + ended.err] == []
    for kept in ground.site.configuration.parent.glob("ledger.sqlite*"):
        assert [word for word in secret if word.encode() in kept.read_bytes()] == []


def test_a_payment_id_of_an_earlier_batch_keeps_its_first_outcome(ground: Ground) -> None:
    payments = payments_of(CITY, 3)
    ground.bank(CITY)
    with ground.open() as gateway:
        ground.submit(gateway, payments)
        ground.run_to_the_end(gateway)
        again = [payments[1], *payments_of(CITY, 1, start=3)]
        second = ground.submit(gateway, again)
        ground.run_to_the_end(gateway)
        assert current(gateway) == credited([*payments, again[1]])
        status = gateway.status(second)[0]
        assert (status.left_out_count, status.left_out_minor) == (1, payments[1].amount_minor)
        assert status.adds_up
        ground.check_sound(gateway)


def test_nothing_is_kept_of_a_refused_batch(ground: Ground) -> None:
    payments = payments_of(CITY, 5)
    path = ground.write(ground.batch(payments, declared_count=6), payments)
    with ground.open() as gateway, pytest.raises(InputRefused):
        gateway.submit(path)
    assert nothing_stored(ground)


def test_the_receipt_names_the_digest_of_the_file(ground: Ground) -> None:
    payments = payments_of(CITY, 2)
    path = ground.write(ground.batch(payments), payments)
    with Gateway.open(ground.site.configuration, clock=ground.clock) as gateway:
        receipt = gateway.submit(path)
    assert receipt.content_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (receipt.payments, receipt.accepted, receipt.released) == (2, 2, False)
