"""Keys change while everything goes on: which one is used when, and which is accepted when."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from gateway import DecisionRefused, Gateway
from gateway.config import load_configuration
from gateway.connect import sftp_settings
from keys.authority import Authority, write_ssh_key_pair
from keys.errors import KeyringInvalid
from keys.keyring import Keyring
from keys.private import load_signer
from keys.statement import sign_statement
from tests.gateway.sites import NOW, PERSONS, RURAL, Ground, edit, payments_of

DAY = timedelta(days=1)
FIRST, SECOND = PERSONS


def add_entry(ground: Ground, key_id: str, role: str, **fields: str) -> None:
    """One more entry in the ring; values are TOML as it is."""
    lines = "".join(f"{name} = {value}\n" for name, value in fields.items())
    with (ground.site.configuration.parent / "keys.toml").open("a", encoding="utf-8") as ring:
        ring.write(f'\n[[key]]\nid = "{key_id}"\nrole = "{role}"\nenvironment = "test"\n{lines}')


def end_entry(ground: Ground, key_id: str, days: float) -> None:
    """The entry of that id ends so many days after the tests begin."""
    ring = ground.site.configuration.parent / "keys.toml"
    until = (NOW + days * DAY).isoformat()
    edit(ring, f'id = "{key_id}"\n', f'id = "{key_id}"\nvalid_until = {until}\n')


def day(days: float) -> str:
    return (NOW + days * DAY).isoformat()


# Persons.


def new_person_key(ground: Ground, name: str) -> Path:
    """A key at home, and its public half in the gateway's folder."""
    authority = Authority.create("CN=Persons CA", NOW - 400 * DAY, NOW + 4000 * DAY)
    identity = authority.issue(f"CN={name}", NOW - 300 * DAY, NOW + 3000 * DAY, "ec-p256")
    private = ground.site.folder / f"{name}-2.pem"
    identity.write_pem(private, ground.site.configuration.parent / "keys" / f"{name}-2.crt")
    return private


def decide(ground: Ground, gateway: Gateway, about: str, person: str, key: Path) -> bool:
    statement = gateway.statement(about, "release", person)
    return gateway.decide(statement, sign_statement(load_signer(person, key), statement.to_bytes()))


def unsigned_batch(ground: Ground, gateway: Gateway, batch_id: str) -> str:
    batch = ground.batch(payments_of(RURAL, 2, prefix=batch_id), batch_id)
    gateway.submit(ground.write(batch, payments_of(RURAL, 2, prefix=batch_id)))
    return gateway.batch_object(batch_id)


def test_both_keys_of_a_person_decide_while_both_are_alive(ground: Ground) -> None:
    new = new_person_key(ground, FIRST)
    end_entry(ground, FIRST, 10)
    add_entry(ground, f"{FIRST}-2", "person", person=f'"{FIRST}"', public_key=f'"keys/{FIRST}-2.crt"',
              valid_from=day(5))  # fmt: skip
    old = ground.person_key(FIRST)
    with ground.open() as gateway:
        first, second, third, fourth = (unsigned_batch(ground, gateway, f"B{number}") for number in range(4))
        with pytest.raises(DecisionRefused, match=f"the signature is not {FIRST}'s"):
            decide(ground, gateway, first, FIRST, new)
        assert decide(ground, gateway, first, FIRST, old) is False
        ground.clock.turn(days=6)
        assert decide(ground, gateway, second, FIRST, old) is False
        assert decide(ground, gateway, third, FIRST, new) is False
        ground.clock.turn(days=5)
        with pytest.raises(DecisionRefused, match=f"the signature is not {FIRST}'s"):
            decide(ground, gateway, fourth, FIRST, old)
        assert decide(ground, gateway, fourth, FIRST, new) is False
        # What was signed while the old key was alive counts beside the second person's consent.
        assert decide(ground, gateway, second, SECOND, ground.person_key(SECOND)) is True


def test_a_person_whose_key_has_ended_decides_nothing_any_more(ground: Ground) -> None:
    end_entry(ground, FIRST, 1)
    with ground.open() as gateway:
        about = unsigned_batch(ground, gateway, "B1")
        assert decide(ground, gateway, about, FIRST, ground.person_key(FIRST)) is False
        ground.clock.turn(days=2)
        # The consent of somebody who may not decide any more is none; the second is the first now.
        assert decide(ground, gateway, about, SECOND, ground.person_key(SECOND)) is False


def test_two_names_do_not_share_any_key(ground: Ground) -> None:
    """The second name has a key of its own and, still, one of the first."""
    new_person_key(ground, SECOND)
    add_entry(ground, f"{SECOND}-2", "person", person=f'"{SECOND}"', public_key=f'"keys/{SECOND}-2.crt"')
    add_entry(ground, "shared", "person", person=f'"{SECOND}"', public_key=f'"keys/{FIRST}.crt"')
    with (
        pytest.raises(KeyringInvalid, match=f"the same key is enrolled in line [0-9]+ for {FIRST}"),
        ground.open(),
    ):
        pass


# Logins, host pins, masters.


def test_logins_and_host_pins_are_those_of_the_moment_of_connecting(ground: Ground) -> None:
    folder = ground.site.configuration.parent / "keys"
    new_line = write_ssh_key_pair(folder / "rural-login-2", "subsidy").removesuffix(" subsidy")
    end_entry(ground, f"{RURAL}-login", 10)
    end_entry(ground, f"{RURAL}-host", 10)
    add_entry(
        ground,
        "login-2",
        "ssh-login",
        bank=f'"{RURAL}"',
        private_key='"keys/rural-login-2"',
        valid_from=day(5),
    )
    add_entry(ground, "host-2", "host-pin", bank=f'"{RURAL}"', pins=f'["{new_line}"]', valid_from=day(5))
    configuration = load_configuration(ground.site.configuration)
    ring, profile = Keyring.load(configuration.keys, "test"), configuration.profiles[RURAL]
    used = [sftp_settings(profile, ring, NOW + days * DAY) for days in (0, 6, 11)]
    assert [Path(settings.key_path).name for settings in used] == [
        f"{RURAL}-login", "rural-login-2", "rural-login-2",
    ]  # fmt: skip
    assert [new_line in settings.host_keys for settings in used] == [False, True, True]
    assert [len(settings.host_keys) for settings in used] == [1, 2, 1]


def test_a_master_key_writes_from_its_own_day_on(ground: Ground) -> None:
    from keys.master import new_master_key_file

    new_master_key_file(ground.site.configuration.parent / "keys" / "spool-2.key", "spool-2")
    add_entry(ground, "spool-2", "spool-master", key='{ file = "keys/spool-2.key" }', valid_from=day(5))
    written = []
    for _ in range(2):
        with ground.open() as gateway:
            written.append(gateway.installation.masters.current.key_id)
        ground.clock.turn(days=6)
    assert written == ["spool-1", "spool-2"]
