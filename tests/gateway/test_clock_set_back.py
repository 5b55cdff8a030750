"""A clock that was ahead and is right again: nothing waits until the wrong time has come."""

from __future__ import annotations

from tests.gateway.sites import CITY, Ground, credited, current, payments_of, states


def test_a_bank_that_was_not_reached_by_a_wrong_clock_is_tried_again(ground: Ground) -> None:
    ground.bank(CITY)
    with ground.open() as gateway:
        ground.submit(gateway, payments_of(CITY, 1))
        with gateway.installation.ledger.write() as transaction:
            ahead = ground.clock.now().replace(day=3).isoformat()
            transaction.run(
                "INSERT INTO bank_backoff (bank, tries, next_try_at, message) VALUES (:bank, 1, :at, '')",
                bank=CITY,
                at=ahead,
            )
        gateway.run()
        assert states(gateway) == ["sent"]


def test_a_file_that_was_seen_by_a_wrong_clock_is_fetched(ground: Ground) -> None:
    ground.bank(CITY)
    payments = payments_of(CITY, 2)
    with ground.open() as gateway:
        ground.submit(gateway, payments)
        gateway.run()
        ground.banks_look()
        ground.clock.turn(hours=30)
        gateway.run()
        assert current(gateway) == {}
        ground.clock.turn(hours=-30)
        ground.take(gateway)
        assert current(gateway) == credited(payments)
