"""A profile that names a schema: requests are valid by it, or nothing leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway import ExitCode, Gateway
from gateway.errors import ConfigurationError
from tests.gateway.sites import ISO, Ground, credited, current, edit, payments_of, states

SCHEMA = Path(__file__).parents[1] / "formats" / "pain001-written.xsd"
REQUEST = 'request         = "iso20022-pain001-request"\n'


def put_schema(ground: Ground, old: str = "", new: str = "") -> Path:
    """The schema in the configuration's folder, perhaps with one place changed."""
    path = ground.site.configuration.parent / "schemas" / "pain001.xsd"
    path.parent.mkdir()
    path.write_text(SCHEMA.read_text("utf-8"), "utf-8")
    if old:
        edit(path, old, new)
    edit(ground.profile_path(ISO), REQUEST, f'{REQUEST}request_schema = "schemas/pain001.xsd"\n')
    return path


def test_a_valid_request_leaves_and_is_paid(ground: Ground) -> None:
    put_schema(ground)
    payments = payments_of(ISO, 3)
    with ground.open() as gateway:
        ground.bank(ISO)
        batch_id = ground.submit(gateway, payments)
        ground.run_to_the_end(gateway)
        assert current(gateway, batch_id) == credited(payments)
        ground.check_sound(gateway)


def test_a_request_that_is_not_valid_does_not_leave(ground: Ground) -> None:
    put_schema(ground, '<xs:maxLength value="34"/>', '<xs:maxLength value="4"/>')
    payments = payments_of(ISO, 3)
    with ground.open() as gateway:
        ground.bank(ISO)
        batch_id = ground.submit(gateway, payments)
        (told,) = gateway.run().attention
        assert (told.bank, told.code) == (ISO, ExitCode.INTEGRITY)
        assert "Id: found a value that its type does not take (maxLength); schema pain001.xsd" in told.message
        assert "nothing was sent" in told.hint
        assert not any(payment.account in told.message for payment in payments)
        assert set(states(gateway)) <= {"planned", "voided"}
        assert list(ground.outbox(ISO).iterdir()) == []
        assert current(gateway, batch_id) == {}


def test_with_the_right_schema_it_leaves_after_all(ground: Ground) -> None:
    path = put_schema(ground, '<xs:maxLength value="34"/>', '<xs:maxLength value="4"/>')
    payments = payments_of(ISO, 3)
    with ground.open() as gateway:
        batch_id = ground.submit(gateway, payments)
        gateway.run()
    path.write_text(SCHEMA.read_text("utf-8"), "utf-8")
    with ground.open() as gateway:
        ground.bank(ISO)
        ground.run_to_the_end(gateway)
        assert current(gateway, batch_id) == credited(payments)
        ground.check_sound(gateway)


@pytest.mark.parametrize(("content", "words"), [(None, "cannot be read"), ("<x/>", "no schema")])
def test_a_schema_that_is_not_there_or_none_is_a_mistake(
    ground: Ground, content: str | None, words: str
) -> None:
    path = put_schema(ground)
    path.unlink() if content is None else path.write_text(content, "utf-8")
    with pytest.raises(ConfigurationError) as caught:
        Gateway.open(ground.site.configuration)
    (problem,) = caught.value.problems
    assert "layouts.request_schema: " in problem.message
    assert words in problem.message
    assert problem.line is not None
