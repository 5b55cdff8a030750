"""What goes wrong when a simulated bank is set up or asked for.

    SimulatorError
    |-- ScenarioUnsupported     the bank's layouts cannot write what the scenario asks for
    |-- SimulatorUnavailable    the extra [simulator] is not installed
    `-- SettingsWrong           the bank's settings cannot be used; carries every mistake

All are the caller's to mend; none is transient.
"""

from __future__ import annotations

from gateway.errors import GatewayError


class SimulatorError(GatewayError):
    """Bad usage of a command; `hint` says what a person can do."""


class ScenarioUnsupported(SimulatorError):
    pass


class SimulatorUnavailable(SimulatorError):
    pass


class SettingsWrong(SimulatorError):
    pass
