"""The HTTP application of the model stand-in: keys, pace, orders, control calls.

Here: the way of one request through all of it. Not here: what is answered (``modes.py``).
"""

from __future__ import annotations

import asyncio
import base64
from html import escape
from typing import Any, Final

from fisio_ayida.simulators.listening import Receive, Scope, Send, SimulatorError
from fisio_ayida.simulators.llm import asked, modes
from fisio_ayida.simulators.llm.world import LlmConfig, World
from fisio_ayida.simulators.serving import (
    CONTROL,
    Reply,
    Request,
    html_reply,
    json_reply,
    left_within,
    read_request,
    send_reply,
)
from fisio_ayida.simulators.sheet import sheet, table

#: Below any prefix, such as ``/v1``.
COMPLETIONS: Final = "/chat/completions"
MODELS: Final = "/models"
#: What it is called where nobody says which models there are.
MODEL: Final = "stand-in"
_FOREVER_SECONDS: Final = 3600.0
_SHOWN: Final = 20


class LlmApp:
    """An ASGI application that answers as a model's server does."""

    def __init__(self, config: LlmConfig) -> None:
        self.world = World.of(config)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            return
        request = await read_request(scope, receive)
        if request.path.startswith(CONTROL):
            await send_reply(self._control(request), send)
        elif request.path == "/":
            await send_reply(html_reply(self._page()), send)
        elif (reply := await self._served(request, receive)) is not None:
            await send_reply(reply, send)

    async def _served(self, request: Request, receive: Receive) -> Reply | None:
        """The answer; None when nobody waits for it any more."""
        world = self.world
        world.requests += 1
        world.received.append(request)
        world.under_way += 1
        world.most_at_once = max(world.most_at_once, world.under_way)
        try:
            return await self._answered(request, receive)
        finally:
            world.under_way -= 1

    async def _answered(self, request: Request, receive: Receive) -> Reply | None:
        world = self.world
        if world.api_key is not None and request.headers.get("authorization") != f"Bearer {world.api_key}":
            return modes.unauthorized()
        if not world.limit.take():
            wait = dict(world.limit.headers())["ratelimit-reset"]
            return modes.too_many(modes.Orders("too_many"), ("retry-after", wait))
        match request.method:
            case "GET" if request.path.endswith(MODELS):
                return self._models()
            case "POST" if request.path.endswith(COMPLETIONS):
                return await self._completed(request, receive)
        return modes.error(404, f"Invalid URL ({request.method} {request.path})")

    async def _completed(self, request: Request, receive: Receive) -> Reply | None:
        try:
            question = asked.read(request.json())
        except SimulatorError:
            question = "body"
        if isinstance(question, str):
            return modes.error(400, f"Missing or wrong: '{question}'.", param=question)
        if not self.world.knows(question.model):
            return modes.no_model(question.model)
        orders = self.world.decide(question)
        make = modes.ANSWERS[orders.mode]
        if make is None:
            await left_within(receive, _FOREVER_SECONDS)
            return None
        reply = make(question, orders)
        if (seconds := orders.seconds + self.world.latency_ms / 1000) > 0:
            await asyncio.sleep(seconds)
        return reply

    def _models(self) -> Reply:
        names = [name for model in self.world.models or (MODEL,) for name in (model, *self._variants(model))]
        rows = [{"id": name, "object": "model", "created": 0, "owned_by": "stand-in"} for name in names]
        return json_reply({"object": "list", "data": rows})

    def _variants(self, model: str) -> list[str]:
        return [f"{model}:{mode}" for mode in modes.ANSWERS if mode not in ("valid", "text")]

    def _control(self, request: Request) -> Reply:
        name = request.path[len(CONTROL) :]
        try:
            return json_reply(self._look(name) if request.method == "GET" else self._act(name, request.json()))
        except (SimulatorError, TypeError, KeyError, AttributeError) as error:
            return json_reply({"error": f"{name}: {error}"}, 400)

    def _look(self, name: str) -> Any:
        world = self.world
        match name:
            case "state":
                return {
                    "requests": world.requests,
                    "under_way": world.under_way,
                    "most_at_once": world.most_at_once,
                    "refused_by_limit": world.limit.refused,
                    "waiting": len(world.waiting),
                    "given": world.given,
                }
            case "received":
                return [
                    {
                        "method": each.method,
                        "path": each.path,
                        "query": each.query,
                        "headers": each.headers,
                        "body": base64.b64encode(each.body).decode(),
                    }
                    for each in world.received
                ]
            case _:
                raise SimulatorError("GET state or received")

    def _act(self, name: str, body: dict[str, Any]) -> Any:
        match name:
            case "answer":
                self.world.order(body)
            case "settings":
                self.world.change(body)
            case "well":
                self.world.waiting.clear()
            case "forget":
                self.world.forget()
            case _:
                raise SimulatorError("POST answer, settings, well or forget")
        return {}

    def _page(self) -> str:
        """What was asked last, word by word: whoever doubts what leaves the house looks here."""
        rows = []
        for request in list(self.world.received)[-_SHOWN:][::-1]:
            question = asked.read(_decoded(request))
            if isinstance(question, asked.Asked):
                said = "".join(f"<pre>{escape(text)}</pre>" for _, text in question.messages)
                rows.append((escape(question.model), str(question.prompt_tokens), said))
        note = "Modelo simulado: nada daqui foi pensado por ninguém."
        return sheet(f"{self.world.requests} perguntas", note, table(("Modelo", "Tokens", "Pergunta"), rows))


def _decoded(request: Request) -> Any:
    try:
        return request.json()
    except SimulatorError:
        return None
