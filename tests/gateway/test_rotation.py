"""Keys change while everything goes on: which one is used when, and which is accepted when."""

from __future__ import annotations

import contextlib
import re
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from formats.records import Payment
from gateway import DecisionRefused, Gateway
from gateway.configuration.config import load_configuration
from gateway.sending.connect import sftp_settings
from gateway.sending.dispatch import dispatch
from gateway.sending.make import Planned
from gateway.simulator.bank import SimulatedBank
from keys.authority import Authority, Identity, write_ssh_key_pair
from keys.certificates import Anchor, AnchorKind, Trust
from keys.cms import verify_detached
from keys.errors import KeyringInvalid, SealError
from keys.keyring import Keyring
from keys.private import load_certificates, load_private_key, load_signer
from keys.statement import sign_statement
from tests.gateway.sites import NOW, PERSONS, RURAL, Ground, credited, current, edit, payments_of, states

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
        # What was signed with a key that has ended does not count any more: it is signed anew.
        assert decide(ground, gateway, second, SECOND, ground.person_key(SECOND)) is False
        assert decide(ground, gateway, second, FIRST, new) is True


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


# Signatures, both ways, with a whole bank.


def issue(ground: Ground, bank: str, subject: str, suffix: str) -> tuple[Path, Path]:
    """A key certified by the bank's own CA, in the bank's folder."""
    folder = ground.site.bank(bank) / "keys"
    ca = load_certificates(ground.site.configuration.parent / "keys" / f"{bank}-ca.crt")[0]
    authority = Authority(Identity(load_private_key(folder / "ca.pem"), ca))
    identity = authority.issue(subject, NOW - DAY, NOW + 3000 * DAY, "rsa-2048")
    paths = folder / f"{suffix}.pem", folder / f"{suffix}.crt"
    identity.write_pem(*paths)
    return paths


def bank_takes_up_keys(ground: Ground, bank: SimulatedBank, name: str) -> None:
    """The bank starts anew with what lies in its folder; its books stay."""
    bank._seals = bank._writer._seals = ground.bank_seals(name)


def pay(ground: Ground, gateway: Gateway, number: int) -> list[Payment]:
    """One file there and back."""
    payments = payments_of(RURAL, 2, prefix=f"P{number}")
    ground.submit(gateway, payments)
    ground.run_to_the_end(gateway)
    return payments


def signers_of_answers(gateway: Gateway, ground: Ground) -> list[str]:
    """By which entry of the ring each answer was accepted, in the order of receipt."""
    verdicts = ground.rows("SELECT verdict FROM received ORDER BY received_pk")
    found = []
    for (verdict,) in verdicts:
        assert isinstance(verdict, str)
        (key,) = re.findall(r'"key_id":"([^"]*)"', verdict)
        found.append(key)
    return found


def test_a_bank_changes_its_certificate(ground: Ground) -> None:
    """Pinned certificates: the new one is in the ring before the bank signs with it."""
    bank, keys = ground.bank(RURAL), ground.site.bank(RURAL) / "keys"
    new_key, new_certificate = issue(ground, RURAL, f"CN=settlement,O={RURAL},C=CN", "signing-2")
    ours = ground.site.configuration.parent / "keys"
    shutil.copy(keys / "signing.crt", ours / "pin-1.crt")
    shutil.copy(new_certificate, ours / "pin-2.crt")
    remove_entry(ground, f"{RURAL}-ca")
    add_entry(
        ground, "pin-1", "verify", bank=f'"{RURAL}"', certificate='"keys/pin-1.crt"', valid_until=day(10)
    )
    with ground.open() as gateway:
        paid = pay(ground, gateway, 1)
    add_entry(ground, "pin-2", "verify", bank=f'"{RURAL}"', certificate='"keys/pin-2.crt"', valid_from=day(5))
    ground.clock.turn(days=6)
    with ground.open() as gateway:
        # Both are alive: the bank still signs with the old key, and a moment later with the new one.
        paid += pay(ground, gateway, 2)
        shutil.copy(new_key, keys / "signing.pem")
        shutil.copy(new_certificate, keys / "signing.crt")
        bank_takes_up_keys(ground, bank, RURAL)
        paid += pay(ground, gateway, 3)
    ground.clock.turn(days=7)
    with ground.open() as gateway:
        paid += pay(ground, gateway, 4)
        assert current(gateway) == credited(paid)
        assert signers_of_answers(gateway, ground) == ["pin-1"] * 4 + ["pin-2"] * 4
        ground.check_sound(gateway)


def test_an_old_key_is_refused_after_its_day_and_what_came_before_stays_believed(ground: Ground) -> None:
    """The bank goes on with a key that ended; nothing that it says is believed, nothing is lost."""
    ground.bank(RURAL)
    shutil.copy(
        ground.site.bank(RURAL) / "keys" / "signing.crt",
        ground.site.configuration.parent / "keys" / "pin.crt",
    )
    remove_entry(ground, f"{RURAL}-ca")
    add_entry(ground, "pin", "verify", bank=f'"{RURAL}"', certificate='"keys/pin.crt"', valid_until=day(10))
    with ground.open() as gateway:
        first = pay(ground, gateway, 1)
        ground.clock.turn(days=11)
        second = pay(ground, gateway, 2)
        assert current(gateway) == credited(first)
        refused = [received for received in gateway.received() if received.state == "refused"]
        assert len(refused) == 2
    end = day(400)
    edit(ground.site.configuration.parent / "keys.toml", f"valid_until = {day(10)}", f"valid_until = {end}")
    with ground.open() as gateway:
        for item in gateway.held():
            if item.object.startswith("received:"):
                assert ground.decide(gateway, item.object, "judge-again", FIRST) == [True]
        ground.run_to_the_end(gateway)
        assert current(gateway) == credited([*first, *second])
        ground.check_sound(gateway)


def test_the_gateway_changes_its_own_certificate(ground: Ground) -> None:
    """The bank knows the new one first; what is signed by the old one is taken meanwhile."""
    bank, keys = ground.bank(RURAL), ground.site.bank(RURAL) / "keys"
    new_key, new_certificate = issue(ground, RURAL, f"CN=bankgate,O={RURAL} client,C=CN", "client-2")
    ours = ground.site.configuration.parent / "keys"
    shutil.copy(new_key, ours / "sign-2.pem")
    (ours / "sign-2.pem").chmod(0o600)
    shutil.copy(new_certificate, ours / "sign-2.crt")
    end_entry(ground, f"{RURAL}-signing", 10)
    add_entry(ground, "sign-2", "sign", bank=f'"{RURAL}"', private_key='"keys/sign-2.pem"',
              certificate='"keys/sign-2.crt"', valid_from=day(2 + 2 / 24))  # fmt: skip
    old = (keys / "gateway.crt").read_bytes()
    (keys / "gateway.crt").write_bytes(old + new_certificate.read_bytes())
    bank_takes_up_keys(ground, bank, RURAL)
    with ground.open() as gateway:
        paid = pay(ground, gateway, 1)
        # Signed while the old key was alone, and sent when the new one signs already.
        ground.clock.turn(days=2)
        waiting = payments_of(RURAL, 2, prefix="P2")
        ground.submit(gateway, waiting)
        made = list(dispatch(gateway.installation, gateway.installation.profile(RURAL)))
        assert [type(step) for step in made] == [Planned]
        ground.clock.turn(hours=3)
        ground.run_to_the_end(gateway)
        paid += waiting + pay(ground, gateway, 3)
        # The bank drops the old certificate: everything is with it by now.
        (keys / "gateway.crt").write_bytes(new_certificate.read_bytes())
        bank_takes_up_keys(ground, bank, RURAL)
        ground.clock.turn(days=7)
        paid += pay(ground, gateway, 4)
        assert current(gateway) == credited(paid)
        assert signed_by(ground) == [f"{RURAL}-signing", f"{RURAL}-signing", "sign-2", "sign-2"]
        ground.check_sound(gateway)


def test_a_bank_that_does_not_know_our_new_certificate_refuses_and_nothing_is_paid_twice(
    ground: Ground,
) -> None:
    """The order of the steps was wrong: the file comes back, and goes again when the bank has it."""
    bank, keys = ground.bank(RURAL), ground.site.bank(RURAL) / "keys"
    new_key, new_certificate = issue(ground, RURAL, f"CN=bankgate,O={RURAL} client,C=CN", "client-2")
    ours = ground.site.configuration.parent / "keys"
    shutil.copy(new_key, ours / "sign-2.pem")
    (ours / "sign-2.pem").chmod(0o600)
    shutil.copy(new_certificate, ours / "sign-2.crt")
    add_entry(ground, "sign-2", "sign", bank=f'"{RURAL}"', private_key='"keys/sign-2.pem"',
              certificate='"keys/sign-2.crt"', valid_from=day(-1))  # fmt: skip
    with ground.open() as gateway:
        payments = pay(ground, gateway, 1)
        assert states(gateway) == ["rejected"]
        assert bank.files_taken == 0
        (keys / "gateway.crt").write_bytes(new_certificate.read_bytes())
        bank_takes_up_keys(ground, bank, RURAL)
        name = gateway.files()[0].name
        ground.decide(gateway, f"file:{RURAL}/{name}", "redispatch", FIRST, SECOND)
        ground.run_to_the_end(gateway)
        assert current(gateway) == credited(payments)
        assert bank.files_taken == 1
        ground.check_sound(gateway)


def remove_entry(ground: Ground, key_id: str) -> None:
    ring = ground.site.configuration.parent / "keys.toml"
    blocks = ring.read_text("utf-8").split("[[key]]")
    kept = [block for block in blocks if f'id = "{key_id}"\n' not in block]
    assert len(kept) == len(blocks) - 1
    ring.write_text("[[key]]".join(kept), "utf-8")


def signed_by(ground: Ground) -> list[str]:
    """Entries of the ring whose certificates signed our files, in the order of their names."""
    ours = ground.site.configuration.parent / "keys"
    names = {f"{RURAL}-signing.crt": f"{RURAL}-signing", "sign-2.crt": "sign-2"}
    certificates = {name: load_certificates(ours / path)[0] for path, name in names.items()}
    found = []
    for path in sorted(ground.outbox(RURAL).glob("*.p7s")):
        for name, certificate in certificates.items():
            trust = Trust("gateway", "test", [Anchor(name, certificate, AnchorKind.SIGNER)])
            with path.with_suffix("").open("rb") as content, contextlib.suppress(SealError):
                found.append(verify_detached(content, path.read_bytes(), trust, ground.clock.now()).key_id)
    return found
