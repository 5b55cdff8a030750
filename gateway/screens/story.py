"""What `trace` prints: one payment from its batch to its last outcome."""

from __future__ import annotations

from rich.markup import escape

from formats import FeeFinding, Outcome, Status
from formats.standard.table import PAYMENT_BY_ATTRIBUTE
from gateway.ledger.statements import StatementEntry
from gateway.local_time import local
from gateway.report import Story
from gateway.rules.verifications import Corrected, Verification
from gateway.screens import screen
from gateway.screens.findings import charge_word
from gateway.screens.recoveries import recovery_lines
from gateway.states import PaymentState

_WAYS = (("支出", "money left"), ("退回", "money came back"))


def show_story(story: Story, json: bool) -> None:
    if json:
        screen.as_json(story)
        return
    words, pick = screen.words(), screen.pick
    screen.say(
        f"{escape(story.payment_id)}: {words.money(story.amount_minor)}, {escape(story.programme)}"
        f" {escape(story.period)} ({escape(story.department)}): {words.state(story.state)}"
    )
    for hold in story.holds:
        waits = words.state("held") if story.state == PaymentState.HELD else pick("曾待定", "was held")
        screen.say(f"  {waits}: {words.reason_by_rule(hold.reason)}")
    for other in story.others:
        screen.say(
            f"    {pick('另有', 'beside')} {escape(other.payment_id)} ({escape(other.batch)}):"
            f" {words.state(other.state)} {words.money(other.amount_minor)}"
        )
    for member in story.chain:
        screen.say(
            f"  {pick('补发链', 'chain')}: {escape(member.payment_id)} ({escape(member.batch_id)}):"
            f" {words.state(member.state)}"
        )
    for verified in story.verifications:
        screen.say(f"    {escape(_verified(verified))}")
    batch, platform = escape(story.batch_id), escape(story.source_platform)
    if story.replaces:
        screen.say(f"  {pick('补发自', 'replaces')} {escape(story.replaces)}")
    screen.say(f"  {pick(f'批次 {batch},来自 {platform}', f'batch {batch} of {platform}')}")
    for decision in story.decisions:
        about, what, who = (escape(decision[name]) for name in ("object", "decision", "person"))
        told = pick(f"{about} {what},签署人 {who}", f"{about} {what} by {who}")
        screen.say(f"  {local(decision['recorded_at'])} {told}")
    for attempt in story.attempts:
        _show_attempt(attempt)
    for outcome in story.outcomes:
        rests = escape(f"[{_evidence(story, outcome)}]")
        screen.say(
            f"  {local(outcome.recorded_at)} {words.status(outcome.status)}:"
            f" {words.reason_by_rule(outcome.reason)} {escape(outcome.bank_code)}{_amounts(outcome)} {rests}"
        )
    for charge in story.charges:
        screen.say(f"  {local(charge.recorded_at)} {_charge(charge)}")
    for entry in story.entries:
        screen.say(f"  {_booked(entry)}")
    for notice in story.notices:
        rests = escape(f"[{pick('证据', 'evidence')} {notice.evidence_sha256[:16]}]")
        screen.say(
            f"  {local(notice.recorded_at)} {words['notice']} {escape(notice.code)}:"
            f" {escape(', '.join(notice.about))} {rests}"
        )
    for recovery in story.recoveries:
        for line in recovery_lines(recovery):
            screen.say(f"  {escape(line)}")
    if story.replaced_by:
        screen.say(f"  {pick('已由其补发', 'replaced by')} {escape(story.replaced_by)}")


def _amounts(outcome: Outcome) -> str:
    """What was credited and came back, where that is not simply all or nothing."""
    words, pick, told = screen.words(), screen.pick, []
    credited, instructed = outcome.credited_minor, outcome.amount_minor
    if credited is not None and (credited != instructed or outcome.status is Status.DISCREPANT):
        told.append(pick("入账 ", "credited ") + words.money(credited))
        gap = words.money(abs(instructed - credited))
        if credited < instructed:
            told.append(pick(f"少 {gap}", f"{gap} short"))
        elif credited > instructed:
            told.append(pick(f"多 {gap}", f"{gap} too much"))
    if outcome.returned_minor is not None:
        told.append(pick("退回 ", "returned ") + words.money(outcome.returned_minor))
    return f" {', '.join(told)}" if told else ""


def _charge(charge: FeeFinding) -> str:
    money = screen.words().money(charge.amount_minor)
    proof = escape(f"[{screen.pick('证据', 'evidence')} {charge.evidence_sha256[:16]}]")
    return f"{screen.pick('收费', 'charge')}: {charge_word(charge.kind)} {money} {proof}"


def _booked(entry: StatementEntry) -> str:
    """What a statement of the bank books of the payment: never an outcome, but a trace of money."""
    pick = screen.pick
    day = "" if entry.booked_on is None else f" {entry.booked_on.isoformat()}"
    way = pick(*_WAYS[entry.direction == "credit"])
    amount = entry.entry_minor if entry.amount_minor is None else entry.amount_minor
    money = "" if amount is None else f" {screen.words().money(amount)}"
    stands = "" if entry.booked else pick("(未记账)", " (not booked yet)")
    proof = escape(f"[{pick('证据', 'evidence')} {entry.evidence_sha256[:16]}]")
    colon = pick(":", ": ")
    return f"{pick('银行对账单', 'statement of the bank')}{day}{colon}{way}{money}{stands} {proof}"


def _verified(one: Verification) -> str:
    """Why one payment could replace another: who looked, when, on what ground, and what was corrected."""
    pick = screen.pick
    if one.is_destroyed:
        return pick(
            f"{one.payment_id} 补发 {one.replaces}:个人数据已销毁,核实情况不再可知",
            f"{one.payment_id} replaces {one.replaces}: who verified it is destroyed with its personal data",
        )
    by, ground = one.verified_by, one.ground or pick("未说明", "none is given")
    day = "" if one.verified_on is None else one.verified_on.isoformat()
    who = pick(f"由 {by} 于 {day} 核实", f"verified by {by} on {day}") if by else ""
    parts = [
        *([who] if who else []),
        pick(f"依据:{ground}", f"ground: {ground}"),
        pick("未作更正", "nothing was corrected"),
    ]
    if one.corrected:
        changes = ", ".join(map(_change, one.corrected))
        parts[-1] = pick(f"更正:{changes}", f"corrected: {changes}")
    told = "; ".join(parts)
    return pick(
        f"{one.payment_id} 补发 {one.replaces}:{told}", f"{one.payment_id} replaces {one.replaces}: {told}"
    )


def _change(one: Corrected) -> str:
    field = PAYMENT_BY_ATTRIBUTE[one.attribute]
    nothing = screen.pick("(空)", "(none)")
    title = screen.pick(field.chinese[0], field.english.replace("_", " "))
    return f"{title} {one.before or nothing} -> {one.after or nothing}"


def _show_attempt(attempt: dict[str, object]) -> None:
    words, pick = screen.words(), screen.pick
    sent = local(str(attempt["sent_at"] or ""))
    when = pick(f",发出于 {sent}", f", sent {sent}") if sent else ""
    item, name, bank = attempt["item"], escape(str(attempt["name"])), attempt["bank"]
    told = pick(f"{name} 第 {item} 笔,发往 {bank}", f"item {item} of {name} to {bank}")
    screen.say(f"  {told} ({words.state(str(attempt['state']))}{when})")


def _evidence(story: Story, outcome: Outcome) -> str:
    """What an outcome rests on: a bank's file, persons with a letter, or what the gateway did itself."""
    if outcome.evidence_sha256:
        return f"{screen.pick('证据', 'evidence')} {outcome.evidence_sha256[:16]}"
    decided = next((one for one in story.decided if one.cursor == outcome.cursor), None)
    if decided is None:
        return screen.pick("网关自身", "the gateway itself")
    persons = ", ".join(decided.persons)
    letter = f" sha256:{decided.exhibit}" if decided.exhibit else ""
    return screen.pick(f"由 {persons} 决定,书证{letter}", f"decided by {persons}, exhibit{letter}")
