"""A stand-in for a server that speaks OpenAI's protocol (CONTRACT clinic §9.1, §18).

``LlmSimulator`` serves in this process; ``fisio-ayida simulate llm`` serves in one of its own.
"""

from fisio_ayida.simulators.llm.client import LlmControl, LlmSimulator, Received
from fisio_ayida.simulators.llm.world import LlmConfig

__all__ = ["LlmConfig", "LlmControl", "LlmSimulator", "Received"]
