"""What goes wrong when a simulated bank is set up or asked for.

    SimulatorError
    |-- ScenarioUnsupported     the bank's layouts cannot write what the scenario asks for
    |-- SimulatorUnavailable    the extra [simulator] is not installed
    `-- SettingsWrong           the bank's settings cannot be used; carries every mistake

All are the caller's to mend; none is transient.
"""

from __future__ import annotations


class SimulatorError(Exception):
    """`hint` says what a person can do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class ScenarioUnsupported(SimulatorError):
    pass


class SimulatorUnavailable(SimulatorError):
    pass


class SettingsWrong(SimulatorError):
    pass
