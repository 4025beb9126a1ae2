"""The HTTP application: from an ASGI request through quirks and faults to an answer that is sent.

Content comes from routes.py and control.py. One process, one event loop.
"""

from __future__ import annotations

import asyncio
import json
from typing import Final
from urllib.parse import parse_qsl

from fisio_ayida.simulators.bdns.answers import JSON, Answer, as_xml, not_found, send_answer
from fisio_ayida.simulators.bdns.config import SimulatorConfig
from fisio_ayida.simulators.bdns.control import PREFIX, Control
from fisio_ayida.simulators.bdns.routes import Pairs, Routes
from fisio_ayida.simulators.bdns.world import World
from fisio_ayida.simulators.listening import Receive, Scope, Send

BASE_PATH: Final = "/bdnstrans/api"
_HANG_SECONDS: Final = 3600.0


class BdnsApp:
    """An ASGI application that behaves as the BDNS does."""

    def __init__(self, config: SimulatorConfig) -> None:
        self.world = World(config)
        self.routes = Routes(self.world)
        self.control = Control(self.world)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request (or the server's start and stop)."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        path = scope["path"]
        if path.startswith(PREFIX):
            await send_answer(await self.control.answer(scope, receive), send)
            return
        await self._serve(scope, path, receive, send)

    async def _serve(self, scope: Scope, path: str, receive: Receive, send: Send) -> None:
        statistics = self.control.statistics
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = scope["query_string"].decode("latin-1")
        url = f"{path}?{query}" if query else path
        gap = statistics.start(path, url, headers)
        status = 499
        try:
            answer = self._refusal(scope["method"], path, gap)
            if answer is None:
                answer = await self._answer(path[len(BASE_PATH) + 1 :], url, query, headers, receive)
            if answer is not None:
                status = answer.status
                await send_answer(answer, send)
        finally:
            statistics.end(status)

    def _refusal(self, method: str, path: str, gap: float | None) -> Answer | None:
        """The answer of a request that is not even looked at."""
        quirks = self.world.quirks
        if quirks.on("Q14") and gap is not None and gap < (quirks.number("Q14", "window_ms") or 100):
            retry = quirks.number("Q14", "retry_after")
            body = self.world.config.choices.burst_body.encode()
            return Answer(body, 429, "text/plain", () if retry is None else (("Retry-After", f"{retry:g}"),))
        if not path.startswith(f"{BASE_PATH}/"):
            return not_found()
        return None if method == "GET" else Answer(b"", 403, None)

    async def _answer(
        self, name: str, url: str, query: str, headers: dict[str, str], receive: Receive
    ) -> Answer | None:
        """The answer below the base path; None when the client hung up while it waited."""
        quirks = self.world.quirks
        pairs: Pairs = parse_qsl(query, keep_blank_values=True)
        faults = self.control.faults.hit(url, _page(pairs)) if self.control.faults.all else []
        for fault in faults:
            delay = fault.delay()
            if delay != 0.0 and await _left_within(receive, _HANG_SECONDS if delay is None else delay):
                return None
        if quirks.on("Q41"):
            await asyncio.sleep(self._latency(name, pairs))
        answer = self.routes.answer(name, pairs)
        if quirks.on("Q13") and b"ERR_MANTENIMIENTO_BBDD" in answer.body[:40]:
            await asyncio.sleep(quirks.number("Q13", "delay") or 0.0)
        if answer.media == JSON and answer.body and "application/xml" in headers.get("accept", ""):
            text = as_xml(json.loads(answer.body))
            answer = Answer(text.encode(), answer.status, "application/xml;charset=UTF-8")
        for fault in faults:
            answer = fault.apply(answer)
        return answer

    def _latency(self, name: str, pairs: Pairs) -> float:
        # CONTRACT §1.4: about 2.5 s for 10,000 rows near the start, about 20 s at offset 1,000,000.
        offset, size = self.routes.offset(name, pairs)
        seconds = 0.1 if not size else size / 10_000 * 2.5 + 17.5 * offset / 1_000_000
        return seconds * (self.world.quirks.number("Q41", "scale") or 0.0)


async def _left_within(receive: Receive, seconds: float) -> bool:
    """Wait; true when the client hung up meanwhile."""
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return False
    return True


def _page(pairs: Pairs) -> int:
    text = dict(pairs).get("page", "0")
    return int(text) if text.isascii() and text.isdigit() else 0


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
