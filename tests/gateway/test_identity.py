"""What is signed for one installation counts at no other one, however alike their objects are."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest

from gateway import DecisionRefused, Gateway, InputRefused
from gateway.persons.decisions import Statement, record_decision
from tests.gateway.commands import Commands
from tests.gateway.sites import CITY, PERSONS, Ground, edit, payments_of

A, B = PERSONS
OTHER = "0" * 32


@contextmanager
def another(ground: Ground) -> Iterator[Gateway]:
    """The same ledger under another identity: every object has the name and the digests that it has here."""
    ours = ground.rows("SELECT identity FROM ledger_identity")[0][0]
    rename(ground, OTHER)
    with ground.open() as gateway:
        yield gateway
    rename(ground, str(ours))


def rename(ground: Ground, identity: str) -> None:
    with sqlite3.connect(ground.ledger_path) as database:
        database.execute("UPDATE ledger_identity SET identity = ?", (identity,))
    database.close()


def without_installation(statement: Statement) -> Statement:
    """As it was signed before ledgers had an identity."""
    about = {name: value for name, value in statement.about.items() if name != "installation"}
    return msgspec.structs.replace(statement, about=about)


def test_a_decision_for_another_installation_is_refused(ground: Ground) -> None:
    with ground.open() as gateway:
        about = f"batch:yikatong/{ground.submit(gateway, payments_of(CITY, 2))}"
    with another(ground) as elsewhere:
        statement = elsewhere.statement(about, "hold", A)
    with ground.open() as gateway:
        assert statement.about == gateway.statement(about, "hold", A).about | {"installation": OTHER}
        with pytest.raises(DecisionRefused, match=f"was signed for {OTHER}, this is {gateway.identity}"):
            gateway.decide(statement, ground.signature(statement))
        assert gateway.held() == []


def test_a_decision_that_names_no_installation_is_refused(ground: Ground) -> None:
    with ground.open() as gateway:
        about = f"batch:yikatong/{ground.submit(gateway, payments_of(CITY, 2))}"
        statement = without_installation(gateway.statement(about, "hold", A))
        with pytest.raises(DecisionRefused, match="was signed for no installation"):
            gateway.decide(statement, ground.signature(statement))


def test_what_was_begun_without_an_identity_is_begun_anew(ground: Ground) -> None:
    """A signature from before the ledger had one may be anybody's copy: it does not count towards two."""
    with ground.open() as gateway:
        about = f"batch:yikatong/{ground.submit(gateway, payments_of(CITY, 2))}"
        statement = without_installation(gateway.statement(about, "withdraw", A))
        with gateway.installation.ledger.write() as transaction:
            signature = ground.signature(statement)
            assert record_decision(gateway.installation, transaction, statement, signature, 2) == [A]
        assert gateway.held() == []
        assert ground.decide(gateway, about, "withdraw", B) == [False]
        assert ground.decide(gateway, about, "withdraw", A) == [True]


def test_status_shows_the_identity(ground: Ground, bankgate: Commands) -> None:
    with ground.open() as gateway:
        identity = gateway.identity
    assert len(identity) == 32
    assert f"installation: {identity}" in bankgate("status").out
    assert f'"installation":"{identity}"' in bankgate("status", "--json").out


def test_a_batch_for_another_installation_is_refused(ground: Ground) -> None:
    payments = payments_of(CITY, 2)
    path = ground.write(ground.batch(payments, installation=OTHER), payments)
    with ground.open() as gateway:
        for act in (gateway.check, gateway.submit):
            with pytest.raises(InputRefused, match=f"is for the gateway {OTHER}, this is {gateway.identity}"):
                act(path)
        assert gateway.status() == []


def test_a_signature_over_a_batch_for_this_installation_releases_it(ground: Ground) -> None:
    named(ground)
    payments = payments_of(CITY, 2)
    with ground.open() as gateway:
        path = ground.write(ground.batch(payments, installation=gateway.identity), payments)
        assert gateway.submit(path, signature=ground.sign(path.read_bytes())).released


def test_a_signature_that_names_no_installation_releases_nothing_where_it_must(ground: Ground) -> None:
    named(ground)
    payments = payments_of(CITY, 2)
    path = ground.write(ground.batch(payments), payments)
    with ground.open() as gateway:
        with pytest.raises(InputRefused, match="does not say for which gateway yikatong signed it"):
            gateway.submit(path, signature=ground.sign(path.read_bytes()))
        assert gateway.status() == []
        assert not gateway.submit(path).released, "two persons may still release it"


def named(ground: Ground) -> None:
    """The platform's batches must say for which gateway they are."""
    edit(
        ground.site.configuration,
        "require_signature = false",
        "require_signature = false\nnames_installation = true",
    )
