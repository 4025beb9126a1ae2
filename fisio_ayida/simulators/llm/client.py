"""The control calls of the model stand-in as methods, for one in a thread and for one in a process.

Speaks HTTP to a running stand-in and knows nothing of its insides.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from fisio_ayida.simulators.llm.app import LlmApp
from fisio_ayida.simulators.llm.world import LlmConfig
from fisio_ayida.simulators.serving import ControlClient, StandIn

_DECODER: Final = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came. ``raw``: its line, headers and body, byte by byte."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = field(repr=False)
    raw: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        """The decoded body."""
        return msgspec.json.decode(self.body)

    @property
    def text(self) -> str:
        """Everything that can be read in it: as it came, and every text of its JSON, also of JSON within texts."""
        return "\n".join((self.raw.decode("utf-8", "replace"), *_texts_in(self.body.decode("utf-8", "replace"))))


class LlmControl(ControlClient):
    """Directs a running stand-in."""

    @property
    def base_url(self) -> str:
        """For OPENAI_BASE_URL."""
        return f"{self.url}/v1"

    @property
    def received(self) -> list[Received]:
        """Every request of a client's, in order; the newest ones if there were very many."""
        return [_received(row) for row in self.control("received")]

    @property
    def count(self) -> int:
        """How many requests came."""
        return int(self.state()["requests"])

    def state(self) -> dict[str, Any]:
        """requests, under_way, most_at_once, refused_by_limit, waiting, and given (mode to number)."""
        found: dict[str, Any] = self.control("state")
        return found

    def next(self, *names: str) -> None:
        """The next requests are answered so, one mode of ``modes.ANSWERS`` each; then as before."""
        for mode in names:
            self.answer(mode)

    def answer(self, mode: str, **settings: Any) -> None:
        """The next request, or ``times`` of them, is answered so: see :class:`llm.modes.Orders`."""
        self.control("answer", {"mode": mode, **settings})

    def settings(self, **settings: Any) -> None:
        """Change api_key, models, rates, latency_ms or requests_per_second."""
        self.control("settings", settings)

    def well(self) -> None:
        """No more orders: answers are valid again."""
        self.control("well", {})

    def forget(self) -> None:
        """As on the first day; settings stay."""
        self.control("forget", {})


class LlmSimulator(LlmControl, StandIn):
    """A stand-in on a daemon thread of this process; use it in a ``with`` block."""

    def __init__(self, config: LlmConfig | None = None, port: int = 0) -> None:
        StandIn.__init__(self, LlmApp(config or LlmConfig()), port)


def _received(row: dict[str, Any]) -> Received:
    method, path, headers, body = row["method"], row["path"], row["headers"], base64.b64decode(row["body"])
    head = (f"{method} {path}?{row['query']}", *(f"{name}: {value}" for name, value in headers.items()), "", "")
    return Received(method, path, headers, body, "\r\n".join(head).encode("latin-1") + body)


def _texts_in(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
            at = value.find("{")
            while at >= 0:
                try:
                    found, at = _DECODER.raw_decode(value, at)
                except ValueError:
                    found, at = None, at + 1
                yield from _texts_in(found)
                at = value.find("{", at)
        case dict():
            for name, each in value.items():
                yield name
                yield from _texts_in(each)
        case list():
            for each in value:
                yield from _texts_in(each)
