"""What `held` and the commands of decisions print: what waits, and what a signature came to."""

from __future__ import annotations

from collections.abc import Sequence

from rich.markup import escape

from gateway.ledger.whereabouts import Whereabouts
from gateway.local_time import local
from gateway.money import yuan
from gateway.persons.deciding import Decided
from gateway.persons.decisions import Terms
from gateway.persons.held import HeldItem, Way
from gateway.screens import screen
from gateway.texts import Said


def show_held(items: list[HeldItem], json: bool) -> None:
    if json:
        screen.as_json(items)
        return
    if not items:
        screen.say(screen.word("nothing_held"))
        return
    for item in items[: screen.SHOWN_ROWS]:
        _show_item(item)
    screen.note_more(len(items))
    screen.say(screen.word("held_how"))


def show_decision(decided: Decided, person: str, json: bool) -> None:
    """What the signature came to, and what is where before and after."""
    if json:
        screen.as_json(decided)
        return
    words = screen.words()
    about = f"{escape(decided.object)} {decided.decision}"
    if decided.carried_out:
        screen.say(words.say_line("decided_carried_out", about, ", ".join(decided.persons)))
    else:
        missing = str(decided.persons_needed - len(decided.persons))
        screen.say(words.say_line("decided_begun", about, person, missing))
    for letter in decided.other_letters:
        screen.say(f"[yellow]{words['attention']}:[/] {words.say_line('decided_other_letter', letter)}")
    for terms in decided.other_terms:
        screen.say(f"[yellow]{words['attention']}:[/] {words.say_line('decided_other_terms', _terms(terms))}")
    show_open_points(decided.open_points)
    if decided.before != decided.after:
        _show_places("places_before", decided.before)
        _show_places("places_now", decided.after)
    else:
        _show_places("places", decided.after)


def show_open_points(points: Sequence[Said]) -> None:
    """What books are closed in spite of, and what closing them means."""
    if not points:
        return
    words = screen.words()
    told = "; ".join(map(words.say, points))
    screen.say(f"[yellow]{words['attention']}:[/] {words['still_open']}: {escape(told)}")
    screen.say(f"  {words['closing_means']}")


def _show_item(item: HeldItem) -> None:
    words = screen.words()
    screen.say(f"[bold]{escape(item.object)}[/]  {escape(words.say(item.said))}")
    if item.stopped is not None:
        reason = escape(item.stopped.reason) or words["no_reason"]
        screen.say(
            f"    {words.say_line('stopped_by', item.stopped.person, local(item.stopped.since), reason)}"
        )
    _show_places("places", item.whereabouts)
    if item.exhibit:
        screen.say(f"    {words.say_line('kept_exhibit', item.exhibit)}")
    for problem in item.problems[: screen.SHOWN_ROWS]:
        screen.say(f"    {escape(words.problem(problem.message))}")
    for way in item.ways:
        _show_way(way)


def _show_way(way: Way) -> None:
    words = screen.words()
    needs = [words.say_line("persons_needed", str(way.persons_needed))]
    if way.needs_exhibit:
        needs.append("--evidence FILE")
    if way.most_minor is not None:
        needs.append(f"--amount <= {yuan(way.most_minor)}")
    if way.grounds:
        needs.append(f"--ground {'|'.join(way.grounds)}")
    if way.needs_reason:
        needs.append("--reason TEXT")
    needs += [words.say_line("signed_exhibit", digest) for digest in way.exhibits]
    for one in way.signatures:
        key = "signed_by" if one.counts else "signed_no_more"
        needs.append(words.say_line(key, one.person, local(one.signed_at)) + _terms(one.terms, ": "))
    if way.persons:
        needs.append(words.say_line("still_needed", str(way.persons_needed - len(way.persons))))
    screen.say(f"  -> {way.decision}: {words.meaning(way.meaning)} ({'; '.join(needs)})")


def _terms(terms: Terms, before: str = "") -> str:
    """Amount and ground that somebody signed, "" where none were to be said."""
    said = [] if terms.amount_minor is None else [screen.words().money(terms.amount_minor)]
    said += [terms.ground] if terms.ground else []
    return before + " ".join(said) if said else ""


def _show_places(heading: str, places: Sequence[Whereabouts]) -> None:
    words = screen.words()
    told = "; ".join(
        words.say_line(
            "place_sum", words[f"place_{one.place}"], str(one.count), words.money(one.instructed_minor)
        )
        for one in places
    )
    if told:
        screen.say(f"    {words[heading]}: {told}")
