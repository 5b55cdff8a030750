"""What a step can do, how often it is drawn, and plots: steps that belong one after the other."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from tests.simulation.faults import Fault, Given


class Act(StrEnum):
    """What a step does."""

    RUN = "run"
    SUBMIT = "submit"
    REISSUE = "reissue"
    DECIDE = "decide"
    INSIST = "insist"
    """Two persons decide one thing about one file, or answer."""
    BELIEVE = "believe"
    """Persons take what a bank's answers say for the truth, and decide by that."""
    MEDDLE = "meddle"
    """Persons decide about things that do not wait: they hold, withdraw, void."""
    WAIT = "wait"
    TELL = "tell"
    """A bank says something out of turn, true or not."""
    CONFUSE = "confuse"
    """A bank answers about one file in the name of another."""
    TAKE_BACK = "take back"
    """A bank refuses in an acknowledgement what it took."""
    REPEAT = "repeat"
    """A bank posts its answers about a file again."""
    SWEEP = "sweep"
    FAIL_OVER = "fail over"
    BEHAVE = "behave"
    """A bank follows another scenario from now on."""
    ANCHOR_FAILS = "anchor fails"
    """The anchor's server fails over to an older state."""
    ANCHOR_STUCK = "anchor stuck"
    """Nobody reaches the anchor, or it is well again."""
    STRANGE_FILE = "strange file"
    """A bank puts something into its folder that is no answer to us."""
    BACKUP = "backup"
    RESTORE = "restore"
    """Ledger and spool are lost, and restored from the backup."""
    ROLL_BACK = "roll back"
    """Ledger and spool are those of the backup, and nobody says so: the anchor knows."""
    LIST = "list"
    """The district lists the programmes that its catalogue lacked, some of them for others than are paid."""
    DISTRUST = "distrust"
    """A bank's certificate is missing in the ring, or there again."""


SHARES: dict[Act, int] = {
    # Weights; acts that are not here are inserted on purpose.
    Act.RUN: 36,
    Act.SUBMIT: 8,
    Act.REISSUE: 6,
    Act.DECIDE: 12,
    Act.MEDDLE: 6,
    Act.WAIT: 13,
    Act.TELL: 7,
    Act.CONFUSE: 2,
    Act.TAKE_BACK: 2,
    Act.REPEAT: 1,
    Act.SWEEP: 1,
    Act.FAIL_OVER: 2,
    Act.BEHAVE: 3,
    Act.ANCHOR_FAILS: 1,
    Act.ANCHOR_STUCK: 1,
    Act.STRANGE_FILE: 1,
    Act.LIST: 1,
    Act.DISTRUST: 1,
}


class Move(Struct, frozen=True):
    """A step of a plot: what is done, to what, and which word is said."""

    act: Act
    aim: str = ""
    say: str = ""
    faults: tuple[Given, ...] | None = None
    """What goes wrong in it; None: whatever is drawn."""


NEWEST, PICKED, LAST, RIGHT, ALL, LITTLE = "newest", "picked", "last", "right", "all", "little"
SEALED, VOIDED, ANSWER = "sealed", "voided", "answer"
"""Aims: the file that a bank took last, which is kept for later steps; the kept one, or any that is
kept from now on; the file taken last; a reissue without a mistake; everything that waits; a minute;
the last file in a state of the ledger; the last answer that is held.
"""

_WORDS = ("credited", "failed", "returned", "short", "in progress")
_LOOK = (Move(Act.RUN), Move(Act.WAIT, LITTLE), Move(Act.RUN))
_SEND = (Move(Act.SUBMIT), Move(Act.DECIDE, ALL), Move(Act.RUN), Move(Act.WAIT, LITTLE))
_QUIETLY = Move(Act.BEHAVE, say="silent")
"""Banks say only what they are made to say."""


def _denied() -> tuple[Move, ...]:
    """A bank denies what it paid, what replaces that is denied too, and given up on its word; then it
    all comes out.
    """
    return (
        *_LOOK,
        Move(Act.TELL, PICKED, "failed"),
        *_LOOK,
        Move(Act.REISSUE, RIGHT),
        *_LOOK,
        Move(Act.TAKE_BACK, LAST),
        *_LOOK,
        Move(Act.TELL, PICKED, "truth"),
        *_LOOK,
        Move(Act.BELIEVE),
        Move(Act.REPEAT, LAST),
        *_LOOK,
        Move(Act.DECIDE, ALL),
        *_LOOK,
        *(Move(Act.TELL, LAST), *_LOOK, Move(Act.TELL, LAST), *_LOOK),
    )


def _revived() -> tuple[Move, ...]:
    """What was told as failed was paid, as is told when its successor is about to leave."""
    return (
        *_LOOK,
        Move(Act.TELL, PICKED, "failed"),
        *_LOOK,
        Move(Act.REISSUE, RIGHT),
        Move(Act.TELL, PICKED, "credited"),
        *_LOOK,
        *_LOOK,
    )


def _lost() -> tuple[Move, ...]:
    """A backup, a file that leaves after it, the backup's return, and what is handed over again."""
    return (
        Move(Act.BACKUP),
        Move(Act.SUBMIT),
        *_LOOK,
        Move(Act.RESTORE),
        Move(Act.DECIDE, ALL),
        *_LOOK,
    )


def _two_words(first: str, second: str) -> tuple[Move, ...]:
    """A bank says one thing about a file, and then another."""
    return (_QUIETLY, *_SEND, Move(Act.TELL, NEWEST, first), *_LOOK, Move(Act.TELL, PICKED, second), *_LOOK)


def _taken_back(word: str) -> tuple[Move, ...]:
    """A file is refused, its payments are withdrawn, and the bank took it after all."""
    return (
        _QUIETLY,
        *_SEND,
        Move(Act.TAKE_BACK, NEWEST),
        *_LOOK,
        Move(Act.INSIST, PICKED, "withdraw"),
        Move(Act.INSIST, PICKED, "reopen"),
        Move(Act.TELL, PICKED, word),
        *_LOOK,
    )


def _not_needed(word: str) -> tuple[Move, ...]:
    """A successor's file is refused, its predecessor was paid, and the bank took the file after all."""
    return (
        _QUIETLY,
        *_SEND,
        Move(Act.TELL, NEWEST, "failed"),
        *_LOOK,
        Move(Act.REISSUE, RIGHT),
        *_LOOK,
        Move(Act.TAKE_BACK, LAST),
        *_LOOK,
        Move(Act.TELL, PICKED, "credited"),
        *_LOOK,
        Move(Act.INSIST, LAST, "redispatch"),
        Move(Act.INSIST, LAST, "reopen"),
        Move(Act.TELL, LAST, word),
        *_LOOK,
    )


def _listed() -> tuple[Move, ...]:
    """What is held for its programme is judged again, once that is in the catalogue."""
    return (Move(Act.SUBMIT), Move(Act.LIST), *_LOOK)


def _unproved() -> tuple[Move, ...]:
    """A bank that paid nothing for some leaves their codes blank, and has acknowledged nothing."""
    return (
        Move(Act.BEHAVE, say="silent failures"),
        *_SEND,
        Move(Act.TELL, NEWEST, "blank"),
        *_LOOK,
        *_LOOK,
    )


def _given_up() -> tuple[Move, ...]:
    """A file is voided, the bank answers about it all the same, and writes that it paid nothing by it."""
    broken = Given("bank put", 1, Fault.LOST_BEFORE, 0.5)
    return (
        *_SEND,
        Move(Act.SUBMIT),
        Move(Act.DECIDE, ALL),
        Move(Act.RUN, faults=(broken,)),
        Move(Act.INSIST, SEALED, "void"),
        Move(Act.CONFUSE, VOIDED),
        Move(Act.WAIT, LITTLE),
        *_LOOK,
        Move(Act.INSIST, ANSWER, "refuse"),
        Move(Act.INSIST, VOIDED, "resend"),
        *_LOOK,
    )


def _refused_and_paid_by() -> tuple[Move, ...]:
    """A file is refused, its payments are about to go again, the bank answers about it all the same,
    and writes that it paid nothing by it.
    """
    return (
        _QUIETLY,
        *_SEND,
        Move(Act.TAKE_BACK, NEWEST),
        *_LOOK,
        Move(Act.INSIST, PICKED, "redispatch"),
        Move(Act.TELL, PICKED, "truth"),
        *_LOOK,
        Move(Act.INSIST, ANSWER, "refuse"),
        Move(Act.INSIST, PICKED, "resend"),
        *_LOOK,
    )


def _not_processed() -> tuple[Move, ...]:
    """A bank acknowledges a file, and writes that it will not pay by it."""
    return (Move(Act.BEHAVE, say="late"), *_SEND, *_LOOK, Move(Act.INSIST, NEWEST, "not-processed"), *_LOOK)


PLOTS: tuple[tuple[tuple[Move, ...], ...], ...] = (
    (_denied(),),
    (_revived(),),
    (_lost(),),
    (_given_up(),),
    *((_unproved(),),) * 2,
    (_listed(),),
    (_refused_and_paid_by(), _not_processed()),
    tuple(_two_words(first, second) for first in _WORDS for second in _WORDS),
    tuple(_taken_back(word) for word in _WORDS),
    *(tuple(_not_needed(word) for word in _WORDS),) * 3,
)
"""Kinds of plots, each with its variants: moves that chance alone would hardly put one after the other.

Those that seldom come off are there several times.
"""
