"""A stand-in for Meta's WhatsApp Cloud API (CONTRACT clinic §6.6, §18).

``MetaSimulator`` serves in this process; ``fisio-ayida simulate meta`` serves in one of its own.
"""

from fisio_ayida.simulators.meta.client import MetaControl, MetaSimulator
from fisio_ayida.simulators.meta.world import MetaConfig

__all__ = ["MetaConfig", "MetaControl", "MetaSimulator"]
