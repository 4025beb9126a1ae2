"""A stand-in for Evolution API 2.3.6 (CONTRACT clinic §6.1 to §6.5, §18).

``EvolutionSimulator`` serves in this process; ``fisio-ayida simulate evolution`` serves in one of its own.
"""

from fisio_ayida.simulators.evolution.client import EvolutionControl, EvolutionSimulator
from fisio_ayida.simulators.evolution.world import EvolutionConfig

__all__ = ["EvolutionConfig", "EvolutionControl", "EvolutionSimulator"]
