"""The canary can fail: leaks that are planted in the product are found, each where it is."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from formats.standard import FileFormat, findings
from gateway import Gateway
from gateway.rules import messages, publication
from gateway.settlement import statements
from gateway.store import bank_texts, folders
from keys import sealed_header
from tests.canary import marks
from tests.canary.life import Life
from tests.canary.told import told_and_shown
from tests.gateway.sites import CITY


def _short_life(life: Life) -> None:
    """A batch with a mistake, a good one, and a failure in words."""
    payments = marks.payments(CITY, 2)
    mistaken = [
        msgspec.structs.replace(payments[0], beneficiary_name=f"{payments[0].beneficiary_name}\u200b")
    ]
    path = life.ground.write(life.ground.batch(mistaken, "mistaken"), mistaken)
    life.hand_over(path.name, path.read_bytes(), "--policy", "refuse")
    life.submit(payments, "good", FileFormat.CSV)
    life.run()
    with life.ground.open() as gateway:
        answers = life.answers(gateway, CITY)
        rows = answers.paid(payments)
        words = marks.bank_text(CITY, 1)
        life.say(answers, [msgspec.structs.replace(rows[0], code="F49", text=words), rows[1]])
        life.take(gateway)
        assert [str(one.status) for one in gateway.outcomes(only_current=True)] == ["failed", "credited"]
    life.command("held")


def unsealed_texts(patch: pytest.MonkeyPatch) -> None:
    def keep(_master: object, texts: Sequence[str], _context: bytes = b"") -> list[bytes]:
        return [text.encode("gb18030") for text in texts]

    patch.setattr(bank_texts, "seal_texts", keep)


def unsealed_spool(patch: pytest.MonkeyPatch) -> None:
    def seal(_cipher: object, _role: object, _number: int, clear: bytes) -> bytes:
        return bytes(clear) + bytes(sealed_header.TAG_BYTES)

    def unseal(_cipher: object, _role: object, _number: int, piece: bytes) -> bytes:
        return piece[: -sealed_header.TAG_BYTES]

    patch.setattr(sealed_header.PieceCipher, "seal", seal)
    patch.setattr(sealed_header.PieceCipher, "open", unseal)


def talkative_log(patch: pytest.MonkeyPatch) -> None:
    _after_submit(patch, lambda gateway, text: gateway.installation.log.info("taken", content=text))


def forgotten_temporary_file(patch: pytest.MonkeyPatch) -> None:
    def forget(_gateway: Gateway, text: str) -> None:
        with tempfile.NamedTemporaryFile("w", delete=False) as file:
            file.write(text)

    _after_submit(patch, forget)


def unmasked_name(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(findings, "mask_name", lambda name: name)


def _after_submit(patch: pytest.MonkeyPatch, leak: Callable[[Gateway, str], object]) -> None:
    original = Gateway.submit

    def submit(gateway: Gateway, batch: Any, *given: Any, **named: Any) -> Any:
        if isinstance(batch, Path):
            leak(gateway, batch.read_text("utf-8"))
        return original(gateway, batch, *given, **named)

    patch.setattr(Gateway, "submit", submit)


PLANTED: dict[Callable[[pytest.MonkeyPatch], None], str] = {
    unsealed_texts: "gateway/ledger.sqlite",
    unsealed_spool: "gateway/spool/",
    talkative_log: "gateway/log/",
    forgotten_temporary_file: "temporary/",
    unmasked_name: "said by ",
}


@pytest.mark.parametrize(("plant", "place"), PLANTED.items(), ids=[plant.__name__ for plant in PLANTED])
def test_a_planted_leak_is_found(
    life: Life, monkeypatch: pytest.MonkeyPatch, plant: Callable[[pytest.MonkeyPatch], None], place: str
) -> None:
    plant(monkeypatch)
    _short_life(life)
    found = life.leaks()
    assert found
    assert {leak.place for leak in found if not leak.place.startswith(place)} == set()


def clear_words_of_bookings(patch: pytest.MonkeyPatch) -> None:
    def keep(_installation: object, texts: Sequence[str]) -> list[bytes | None]:
        return [text.encode() if text else None for text in texts]

    patch.setattr(statements, "seal_words", keep)


def whole_accounts_in_booklets(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(messages, "_ending", lambda account: account)


def names_out_of_lists(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(publication, "shown_id", lambda text: text)


BESIDES: dict[Callable[[pytest.MonkeyPatch], None], str] = {
    clear_words_of_bookings: "gateway/ledger.sqlite",
    whole_accounts_in_booklets: "out/booklet.csv",
    names_out_of_lists: "said by publish-check",
}


@pytest.mark.heavy
@pytest.mark.parametrize(("plant", "place"), BESIDES.items(), ids=[plant.__name__ for plant in BESIDES])
def test_a_leak_in_what_is_told_besides_or_shown_is_found(
    life: Life, monkeypatch: pytest.MonkeyPatch, plant: Callable[[pytest.MonkeyPatch], None], place: str
) -> None:
    plant(monkeypatch)
    told_and_shown(life)
    assert any(leak.place.startswith(place) for leak in life.leaks())


def test_a_folder_that_others_may_enter_is_found(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "_OWNER_ONLY", 0o750)
    _short_life(life)
    assert "gateway/spool/in 0750" in life.open_to_others()


def test_the_short_life_leaks_nothing_by_itself(life: Life) -> None:
    _short_life(life)
    assert life.leaks() == []
    assert life.open_to_others() == []
