"""A faithful stand-in for the BDNS: the real paths, shapes and quirks over invented data.

Use `BdnsSimulator` in tests and the demo, `SimulatorProcess` in benchmarks. It imports nothing else
of the project.
"""

from fisio_ayida.simulators.bdns.config import Choices, SimulatorConfig, SimulatorError
from fisio_ayida.simulators.bdns.server import BdnsSimulator, SimulatorProcess

__all__ = ["BdnsSimulator", "Choices", "SimulatorConfig", "SimulatorError", "SimulatorProcess"]
