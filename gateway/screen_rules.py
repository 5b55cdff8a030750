"""What the commands on the plan's rules print."""

from __future__ import annotations

from rich.markup import escape

from gateway import screen
from gateway.money import yuan
from gateway.rules.desk import ListedProgramme


def show_programmes(programmes: list[ListedProgramme], json: bool) -> None:
    if json:
        screen.as_json(programmes)
        return
    code, pays = screen.pick("编码", "code"), screen.pick("对象", "payee")
    table = screen.titled(
        code,
        screen.pick("补贴项目", "programme"),
        screen.pick("领域", "field"),
        screen.pick("部门", "department"),
        pays,
        screen.pick("周期", "frequency"),
        screen.pick("同期重复", "repeats"),
        whole=(code, pays),
    )
    for one in programmes:
        table.add_row(
            one.code,
            escape(one.name),
            f"{one.field} {escape(one.field_name)}",
            escape(one.departments[0]),
            ", ".join(one.payee),
            one.frequency,
            screen.pick("涉密,不收", "classified: refused") if one.classified else one.repeats,
        )
    screen.show(table)
    screen.say(screen.pick(f"共 {len(programmes)} 个项目", f"{len(programmes)} programmes"))


def show_programme(one: ListedProgramme, json: bool) -> None:
    if json:
        screen.as_json(one)
        return
    screen.say(f"{one.code} {escape(one.name)}")
    for title, text in (
        (screen.pick("又名", "also"), ", ".join(one.also)),
        (screen.pick("领域", "field"), f"{one.field} {one.field_name}"),
        (screen.pick("发放部门", "paid by"), ", ".join(one.departments)),
        (screen.pick("对象", "paid to"), ", ".join(one.payee)),
        (screen.pick("周期", "frequency"), one.frequency),
        (screen.pick("发放期限", "due"), one.due),
        (screen.pick("同期重复", "repeats"), one.repeats),
        (screen.pick("标准(元)", "standard (yuan)"), ", ".join(yuan(each) for each in one.standard_minor)),
        (screen.pick("他人账户依据", "another person's account"), one.other_account),
        (screen.pick("涉密", "classified"), screen.pick("是", "yes") if one.classified else ""),
    ):
        if text:
            screen.say(f"  {title}: {escape(text)}")
