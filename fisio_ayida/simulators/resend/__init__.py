"""A stand-in for Resend (CONTRACT clinic §7, §18).

``ResendSimulator`` serves in this process; ``fisio-ayida simulate resend`` serves in one of its own.
"""

from fisio_ayida.simulators.resend.client import ResendControl, ResendSimulator
from fisio_ayida.simulators.resend.world import ResendConfig

__all__ = ["ResendConfig", "ResendControl", "ResendSimulator"]
