"""A stand-in for Expo's push service (CONTRACT clinic §8, §18).

``ExpoSimulator`` serves in this process; ``fisio-ayida simulate expo`` serves in one of its own.
"""

from fisio_ayida.simulators.expo.client import ExpoControl, ExpoSimulator
from fisio_ayida.simulators.expo.world import ExpoConfig

__all__ = ["ExpoConfig", "ExpoControl", "ExpoSimulator"]
