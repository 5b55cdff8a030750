"""What is written otherwise than handed over is kept sealed beside the file, and compared with."""

from __future__ import annotations

import msgspec

from formats import Problem
from formats.registry import SHIPPED_FOLDER
from tests.gateway.sites import CITY, Ground, current, edit, payments_of

SUBSTITUTING = '''
[characters]
substitute = """
王   WANG
"""

[record.total]'''


def test_aliases_and_substitutions_are_told_and_their_echo_is_ours(ground: Ground) -> None:
    names = ["王𠮷田", "王建国", "李秀兰"]
    payments = [
        payments_of(CITY, 1, prefix=f"{number}", start=number, beneficiary_name=name, payee_name="")[0]
        for number, name in enumerate(names)
    ]
    layouts = ground.site.configuration.parent / "layouts"
    layouts.mkdir(exist_ok=True)
    text = (SHIPPED_FOLDER / "comment-style-request.toml").read_text("utf-8")
    text = text.replace("\n[record.total]", SUBSTITUTING.replace('"""', "'''"), 1)
    (layouts / "comment-style-request.toml").write_text(text, "utf-8")
    edit(ground.site.configuration, "[gateway]\n", '[gateway]\nlayouts = ["layouts"]\n')
    profile = ground.profile_path(CITY)
    alias = (
        f'\n[[aliases]]\nname = "{names[0]}"\nwritten = "吉田"\n'
        'approved_by = "reviewer-a"\napproved_on = 2026-01-05\n'
    )
    profile.write_text(profile.read_text("utf-8") + alias, "utf-8")
    ground.bank(CITY)
    with ground.open() as gateway:
        ground.submit(gateway, payments)
        ground.run_to_the_end(gateway)
        spool = gateway.installation.spool
        (name,) = [name for (name,) in ground.rows("SELECT items_name FROM file")]
        with spool.open(str(name).replace("/items", "/changes")) as stream:
            told = [msgspec.json.decode(line, type=Problem) for line in stream.read().splitlines()]
        assert {key: status for key, (status, *_) in current(gateway).items()} == {
            payment.payment_id: "credited" for payment in payments
        }
    assert [(change.code, change.line, change.payment_id) for change in told] == [
        ("alias", 1, payments[0].payment_id),
        ("substituted", 2, payments[1].payment_id),
    ]
    assert told[1].message == "comment-style-request payment 2 收款户名: written WANG for 王"
    ((body,),) = ground.rows("SELECT body FROM event WHERE kind = 'file sealed'")
    counts = msgspec.json.decode(str(body))
    assert (counts["aliases"], counts["substituted"]) == (1, 1)
