"""What the gateway refuses to do, and why; each class knows the exit code of a command.

    GatewayError
    |-- ConfigurationError      2  configuration, profile or agreement cannot be used; carries every problem
    |-- FolderUnusable          2  a folder that was named cannot be made, read or written
    |-- Unknown                 2  no such batch, payment, file, bank, platform or person
    |-- Locked                  2  another process runs this instance, or holds this bank's upload; transient
    |-- Refused                 3  somebody's input is not taken; nothing was stored
    |   |-- InputRefused        3  a batch or an answer has mistakes; carries every problem
    |   |-- Conflict            3  the same identity came before with other content
    |   |-- NotPermitted        3  the state of a file, payment or folder does not allow this step
    |   `-- DecisionRefused     3  a person's signed statement does not count (who, what, twice)
    |-- NotReleased             1  payments wait for a platform's signature or for two persons
    |-- BankUnreachable         4  a bank cannot be reached or refuses us; `transient` says which
    `-- IntegrityError          5  what is stored is not what was stored, or cannot be kept
        |-- JournalBroken       5  the chain of evidence does not add up
        |-- LedgerBehind        5  the ledger is older than its anchor; the gateway is on hold
        |-- LedgerMissing       5  there is no ledger where the configuration has it
        `-- StorageFailed       5  disk full or faulty; the step was not taken

Exit codes: 0 done, 1 some payments need a person, 2 bad usage, 3 refused input,
4 bank unreachable, 5 integrity; of `key check` alone: 6 a key ends soon, 7 a key is missing.
A configuration counts as usage: whoever submits a batch has nothing to mend, whoever set up
the gateway has.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from formats.records import Problem


class ExitCode(IntEnum):
    """How a command ends."""

    DONE = 0
    NEEDS_PERSON = 1
    BAD_USAGE = 2
    REFUSED_INPUT = 3
    BANK_UNREACHABLE = 4
    INTEGRITY = 5
    KEYS_ENDING = 6
    KEYS_MISSING = 7


class GatewayError(Exception):
    """`hint` says what a person can do; `transient` whether the same call may succeed later."""

    exit_code = ExitCode.BAD_USAGE
    transient = False

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class ConfigurationError(GatewayError):
    """Every mistake of the configuration, in the order of the files."""

    def __init__(self, problems: Sequence[Problem], hint: str = "") -> None:
        self.problems = list(problems)
        super().__init__(summary(self.problems), hint)


class Unknown(GatewayError):
    pass


class FolderUnusable(GatewayError):
    pass


class Locked(GatewayError):
    transient = True


class Refused(GatewayError):
    exit_code = ExitCode.REFUSED_INPUT


class InputRefused(Refused):
    """Every mistake of the input, in its order."""

    def __init__(self, problems: Sequence[Problem], hint: str = "") -> None:
        self.problems = list(problems)
        super().__init__(summary(self.problems), hint)


class Conflict(Refused):
    pass


class NotPermitted(Refused):
    pass


class DecisionRefused(Refused):
    pass


class NotReleased(GatewayError):
    exit_code = ExitCode.NEEDS_PERSON


class BankUnreachable(GatewayError):
    """`transient` is false for a refusal (login, host key, permission): never retried by itself."""

    exit_code = ExitCode.BANK_UNREACHABLE

    def __init__(self, message: str, hint: str = "", *, transient: bool = True) -> None:
        super().__init__(message, hint)
        self.transient = transient


class IntegrityError(GatewayError):
    exit_code = ExitCode.INTEGRITY


class JournalBroken(IntegrityError):
    pass


class LedgerBehind(IntegrityError):
    pass


class LedgerMissing(IntegrityError):
    pass


class StorageFailed(IntegrityError):
    transient = True


def summary(problems: Sequence[Problem]) -> str:
    """The first problem in full, and how many more there are."""
    if not problems:
        return "no problem is stated"
    more = len(problems) - 1
    return problems[0].message + (f" (and {more} more)" if more else "")
