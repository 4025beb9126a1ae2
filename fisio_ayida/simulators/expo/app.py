"""The HTTP application of the Expo stand-in: tickets in order, receipts later (CONTRACT clinic §8).

Here: routes, pace, faults, control calls. Not here: state (``world.py``).
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from html import escape
from typing import Any, Final

import msgspec

from fisio_ayida.simulators.expo.world import ExpoConfig, World, failed
from fisio_ayida.simulators.listening import Receive, Scope, Send, SimulatorError
from fisio_ayida.simulators.mishaps import Mishap, Mishaps, go_wrong
from fisio_ayida.simulators.serving import (
    CONTROL,
    Reply,
    Request,
    html_reply,
    json_reply,
    read_request,
    send_reply,
)
from fisio_ayida.simulators.sheet import sheet, table

_PATH: Final = "/--/api/v2/push/"
_MOST_MESSAGES: Final = 100
_MOST_RECEIPTS: Final = 1000
_SHOWN: Final = 200
#: Kind of fault to status, code and message of the answer; ``ticket`` is 200 with a ticket of the error ``text``.
FAULTS: Final[Mapping[str, tuple[int, str, str]]] = {
    "too_many": (429, "TOO_MANY_REQUESTS", "Too many requests."),
    "unauthorized": (401, "UNAUTHORIZED", "Insufficient permissions to send push notifications."),
    "invalid": (400, "VALIDATION_ERROR", "The request was invalid."),
    "server_error": (500, "INTERNAL_SERVER_ERROR", "An unknown error occurred."),
}


class ExpoApp:
    """An ASGI application that behaves as Expo's push service does."""

    def __init__(self, config: ExpoConfig) -> None:
        self.world = World.of(config)
        self.faults = Mishaps((*FAULTS, "ticket"), _PATH)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            return
        request = await read_request(scope, receive)
        if request.path == "/":
            await send_reply(html_reply(self._page()), send)
        elif request.path.startswith(CONTROL):
            await send_reply(self._control(request), send)
        elif (reply := await self._serve(request, receive)) is not None:
            await send_reply(reply, send)

    async def _serve(self, request: Request, receive: Receive) -> Reply | None:
        self.world.requests += 1
        if not self.world.limit.take():
            return replace(_refusal(*FAULTS["too_many"]), headers=(("retry-after", "1"),))
        mishap = self.faults.take(request.path)
        if mishap is not None:
            return await go_wrong(mishap, lambda: self._answer(request), _spoilt, receive)
        reply = self._answer(request)
        if self.world.latency_ms:
            await asyncio.sleep(self.world.latency_ms / 1000)
        return reply

    def _answer(self, request: Request) -> Reply:
        token = self.world.access_token
        if token is not None and request.headers.get("authorization") != f"Bearer {token}":
            return _refusal(*FAULTS["unauthorized"])
        try:
            body = request.json()
        except SimulatorError:
            return _refusal(*FAULTS["invalid"])
        match request.method, request.path.removeprefix(_PATH), body:
            case "POST", "send", dict():
                return json_reply({"data": self.world.take(body)})
            case "POST", "send", list() if len(body) > _MOST_MESSAGES:
                return _refusal(400, "PUSH_TOO_MANY_NOTIFICATIONS", f"{_MOST_MESSAGES} messages are allowed.")
            case "POST", "send", list():
                return json_reply({"data": [self.world.take(message) for message in body]})
            case "POST", "getReceipts", {"ids": list(ids)} if len(ids) <= _MOST_RECEIPTS:
                found = {id: self.world.receipt(id) for id in ids}
                return json_reply({"data": {id: receipt for id, receipt in found.items() if receipt is not None}})
            case "POST", "getReceipts", {"ids": list()}:
                return _refusal(400, "PUSH_TOO_MANY_RECEIPTS", f"{_MOST_RECEIPTS} receipts are allowed.")
            case "POST", "send" | "getReceipts", _:
                return _refusal(*FAULTS["invalid"])
        return _refusal(404, "NOT_FOUND", "There is nothing here.")

    def _page(self) -> str:
        newest = list(self.world.sent.values())[-_SHOWN:]
        rows = [
            (f"{push.at.astimezone():%d/%m %H:%M:%S}", *map(escape, (push.to, push.title, push.body)))
            for push in reversed(newest)
        ]
        note = "Expo simulado: nada daqui chega a um telefone."
        return sheet(f"{len(self.world.sent)} avisos", note, table(("Hora", "Aparelho", "Título", "Texto"), rows))

    def _control(self, request: Request) -> Reply:
        name = request.path[len(CONTROL) :]
        try:
            return json_reply(self._look(name) if request.method == "GET" else self._act(name, request.json()))
        except (SimulatorError, TypeError, KeyError) as error:
            return json_reply({"error": f"{name}: {error}"}, 400)

    def _look(self, name: str) -> Any:
        match name:
            case "state":
                world = self.world
                counts = {"sent": len(world.sent), "requests": world.requests}
                return {**counts, "refused_by_limit": world.limit.refused, "faults": len(self.faults.waiting)}
            case "sent":
                return msgspec.to_builtins(list(self.world.sent.values()))
            case _:
                raise SimulatorError("GET state or sent")

    def _act(self, name: str, body: dict[str, Any]) -> Any:
        match name:
            case "fault":
                self.faults.add(body)
            case "well":
                self.faults.waiting.clear()
            case "advance":
                self.world.ahead += dt.timedelta(seconds=body["seconds"])
            case "refused":
                self.world.refused[body["token"]] = body["error"]
            case "undelivered":
                self.world.undelivered[body["token"]] = body["error"]
            case "forget":
                self.world.forget()
            case _:
                raise SimulatorError("POST fault, well, advance, refused, undelivered or forget")
        return {}


def _refusal(status: int, code: str, message: str) -> Reply:
    return json_reply({"errors": [{"code": code, "message": message, "isTransient": status >= 429}]}, status)


def _spoilt(mishap: Mishap) -> Reply:
    if mishap.kind == "ticket":
        return json_reply({"data": [failed(mishap.text, "ExponentPushToken[stand-in]")]})
    status, code, message = FAULTS[mishap.kind]
    reply = _refusal(status, code, mishap.text or message)
    if mishap.retry_after is None:
        return reply
    return replace(reply, headers=(("retry-after", str(mishap.retry_after)),))
