"""The HTTP application of the Resend stand-in: pace, faults, webhooks, control calls.

Here: the way of one request through all of it. Not here: what Resend answers (``routes.py``).
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import msgspec

from fisio_ayida.simulators.hooks import CallBacks
from fisio_ayida.simulators.limits import RateLimit
from fisio_ayida.simulators.listening import Receive, Scope, Send, SimulatorError
from fisio_ayida.simulators.mishaps import Mishap, Mishaps, go_wrong
from fisio_ayida.simulators.resend import pages
from fisio_ayida.simulators.resend.routes import KEY, PATH, Routes
from fisio_ayida.simulators.resend.rules import refusal
from fisio_ayida.simulators.resend.webhooks import EVENTS, event, fated
from fisio_ayida.simulators.resend.world import Mail, ResendConfig, World
from fisio_ayida.simulators.serving import (
    CONTROL,
    Reply,
    Request,
    html_reply,
    json_reply,
    read_request,
    send_reply,
)

_TOO_MANY: Final = (429, "rate_limit_exceeded", "Too many requests. Please limit the number of requests.")
#: Kind of fault to status, name and message of the answer.
FAULTS: Final[Mapping[str, tuple[int, str, str]]] = {
    "too_many": _TOO_MANY,
    "daily_quota": (429, "daily_quota_exceeded", "You have reached your daily email sending quota."),
    "monthly_quota": (429, "monthly_quota_exceeded", "You have reached your monthly email sending quota."),
    "unauthorized": (401, "restricted_api_key", "This API key is restricted to only send emails."),
    "forbidden": (403, "invalid_api_key", "API key is invalid"),
    "test_mode": (403, "validation_error", "You can only send testing emails to your own email address."),
    "concurrent": (409, "concurrent_idempotent_requests", "The first request is still in progress."),
    "other_body": (409, "invalid_idempotent_request", "Same idempotency key used with another body."),
    "invalid": (422, "invalid_parameter", "The parameter must be a valid UUID."),
    "security": (451, "security_error", "We may have found a security issue with the request."),
    "server_error": (500, "internal_server_error", "An unexpected error occurred."),
}
_SETTINGS: Final = ("api_key", "latency_ms", "requests_per_second", "webhook_url", "webhook_secret")


class ResendApp:
    """An ASGI application that behaves as Resend does."""

    def __init__(self, config: ResendConfig) -> None:
        self.world = World.of(config)
        self.faults = Mishaps(tuple(FAULTS), PATH)
        self.hooks = CallBacks()
        self.hooks.habits = replace(self.hooks.habits, statuses=("email.sent", "email.delivered"))
        self._taken: list[Mail] = []
        self._routes = Routes(self.world, self._taken.append)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            return
        request = await read_request(scope, receive)
        if request.path == "/":
            await send_reply(html_reply(pages.listing(self.world.mails)), send)
        elif request.path.startswith(pages.MAIL):
            mail = self.world.find(request.path.removeprefix(pages.MAIL))
            await send_reply(html_reply(pages.shown(mail), 200 if mail else 404), send)
        elif request.path.startswith(CONTROL):
            await send_reply(await self._control(request), send)
        elif (reply := await self._serve(request, receive)) is not None:
            await send_reply(reply, send)

    async def _serve(self, request: Request, receive: Receive) -> Reply | None:
        self.world.requests += 1
        if not self.world.limit.take():
            headers = self.world.limit.headers()
            wait = dict(headers)["ratelimit-reset"]
            return replace(refusal(*_TOO_MANY), headers=(*headers, ("retry-after", wait)))
        mishap = self.faults.take(request.path)
        if mishap is None:
            reply: Reply | None = await self._answered(request)
        else:
            reply = await go_wrong(mishap, lambda: self._routes.answer(request), _spoilt, receive)
            self._end(request)
            await self._tell()
        if reply is None or not self.world.limit.per_second:
            return reply
        return replace(reply, headers=(*self.world.limit.headers(), *reply.headers))

    async def _answered(self, request: Request) -> Reply:
        reply = self._routes.answer(request)
        await self._tell()
        if self.world.latency_ms:
            await asyncio.sleep(self.world.latency_ms / 1000)
        kept = self.world.keys.get(request.headers.get(KEY, ""))
        if kept is not None and kept.reply is reply:
            kept.running = False
        return reply

    def _end(self, request: Request) -> None:
        kept = self.world.keys.get(request.headers.get(KEY, ""))
        if kept is not None:
            kept.running = False

    async def _tell(self) -> None:
        """Webhooks of what was taken since."""
        while self._taken:
            mail, url = self._taken.pop(0), self.world.webhook_url
            if url is not None:
                events = fated(mail, self.hooks.habits.statuses)
                await self.hooks.after([event(self.world, url, mail, kind) for kind in events])

    async def _control(self, request: Request) -> Reply:
        name = request.path[len(CONTROL) :]
        try:
            if request.method == "GET":
                return json_reply(self._look(name))
            return json_reply(await self._act(name, request.json()))
        except (SimulatorError, TypeError, KeyError, ValueError) as error:
            return json_reply({"error": f"{name}: {error}"}, 400)

    def _look(self, name: str) -> Any:
        match name:
            case "state":
                return {
                    "now": self.world.now().isoformat(),
                    "requests": self.world.requests,
                    "sent": len(self.world.mails),
                    "refused_by_limit": self.world.limit.refused,
                    "keys": len(self.world.keys),
                    "faults": len(self.faults.waiting),
                }
            case "sent":
                return msgspec.to_builtins(self.world.mails)
            case "webhooks":
                return self.hooks.report()
            case _:
                raise SimulatorError("GET state, sent or webhooks")

    async def _act(self, name: str, body: dict[str, Any]) -> Any:
        match name:
            case "settings":
                self._set(body)
            case "fault":
                self.faults.add(body)
            case "well":
                self.faults.waiting.clear()
            case "advance":
                self.world.ahead += dt.timedelta(seconds=body["seconds"])
            case "receipts":
                self.hooks.habits = self.hooks.habits.changed(body)
            case "receipt":
                return {"answer": await self._receipt(body["id"], body["status"])}
            case "settle":
                await self.hooks.settle()
            case "forget":
                self.world.forget()
                self.hooks.made.clear()
            case _:
                raise SimulatorError("POST settings, fault, well, advance, receipts, receipt, settle or forget")
        return {}

    def _set(self, body: dict[str, Any]) -> None:
        if set(body) - set(_SETTINGS):
            raise SimulatorError(f"settings are {', '.join(_SETTINGS)}")
        for key, value in body.items():
            if key == "requests_per_second":
                self.world.limit = RateLimit(value)
            else:
                setattr(self.world, key, value)

    async def _receipt(self, id: str, kind: str) -> int:
        """Tell the webhook of one more event; what it answered."""
        mail, url = self.world.find(id), self.world.webhook_url
        if mail is None or url is None or kind not in EVENTS:
            raise SimulatorError(
                f"an id of what was sent, a webhook_url, and one of {', '.join(EVENTS)} are needed"
            )
        return await self.hooks.now(event(self.world, url, mail, kind))


def _spoilt(mishap: Mishap) -> Reply:
    status, name, message = FAULTS[mishap.kind]
    reply = refusal(status, name, mishap.text or message)
    if mishap.retry_after is None:
        return reply
    return replace(reply, headers=(("retry-after", str(mishap.retry_after)),))
