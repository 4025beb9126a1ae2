"""The HTTP application of the Meta stand-in: routes, errors, control calls.

Here: who may ask and what is answered. Not here: what Meta makes of a message (``world.py``).
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from typing import Any, Final

from fisio_ayida.simulators.hooks import CallBack, Habits
from fisio_ayida.simulators.listening import SimulatorError
from fisio_ayida.simulators.messenger import MessengerApp
from fisio_ayida.simulators.meta.webhooks import inbound_call, status_call, verify
from fisio_ayida.simulators.meta.world import MetaConfig, MetaError, World
from fisio_ayida.simulators.mishaps import Mishap
from fisio_ayida.simulators.phones import person
from fisio_ayida.simulators.serving import Reply, Request, json_reply

_SENDING: Final = "/messages"
_TOKEN_INVALID: Final = 190
_TOO_MANY: Final = 130429


class MetaApp(MessengerApp):
    """An ASGI application that behaves as Meta's Cloud API does; any version in front of the path is accepted."""

    def __init__(self, config: MetaConfig) -> None:
        super().__init__(
            "WhatsApp (Meta Cloud API simulada)", _SENDING, latency_ms=config.latency_ms, watch_ms=config.watch_ms
        )
        self.world = World(config)
        self.hooks.habits = Habits(statuses=config.statuses)

    @property
    def _talks(self) -> World:
        return self.world

    def account_of(self, path: str) -> str:
        """The phone number id."""
        return path.rpartition(_SENDING)[0].rpartition("/")[2]

    def answer(self, request: Request) -> Reply:
        """A message, or the phone number itself."""
        try:
            if request.headers.get("authorization") != f"Bearer {self.world.access_token}":
                raise MetaError(_TOKEN_INVALID, "Invalid OAuth access token", 401)
            sending = request.method == "POST" and request.path.endswith(_SENDING)
            account = self.account_of(request.path) if sending else request.path.rpartition("/")[2]
            if account not in self.world.phone_number_ids:
                raise MetaError(100, f"Unsupported {request.method.lower()} request.", subcode=33)
            if not sending:
                return json_reply({"id": account})
            accepted = self.world.take(account, request.json())
        except SimulatorError as error:
            return _refusal(MetaError(100, str(error)))
        except MetaError as error:
            return _refusal(error)
        self.taken.append(accepted["messages"][0]["id"])
        return json_reply(accepted)

    def spoilt(self, mishap: Mishap) -> Reply:
        """Meta's errors: ``meta_error`` with its code, and the common ones."""
        match mishap.kind:
            case "unauthorized":
                return _refusal(MetaError(_TOKEN_INVALID, "Error validating access token: session expired", 401))
            case "server_error" | "exception":
                return _refusal(MetaError(131000, mishap.text or "Something went wrong", 500))
            case "too_many":
                wish = () if mishap.retry_after is None else (("retry-after", str(mishap.retry_after)),)
                return _refusal(MetaError(_TOO_MANY, "Rate limit hit", 429), wish)
            case _:
                return _refusal(MetaError(mishap.code, mishap.text or "Refused"))

    def reports(self, taken: Any) -> Sequence[CallBack]:
        """The message's statuses: what the habits say, or that it failed."""
        failed = taken in self.world.errors
        return [
            call
            for status in (("sent", "failed") if failed else self.hooks.habits.statuses)
            for call in self._status(taken, status)
        ]

    async def act(self, name: str, body: dict[str, Any]) -> Any:
        """Changes of the account and of the phones."""
        world = self.world
        match name:
            case "absent":
                world.absent = {person(number) for number in body["numbers"]}
            case "talking":
                world.talking |= {person(number) for number in body["numbers"]}
            case "receipt":
                if body["id"] not in world.taken:
                    raise SimulatorError("no message has this id")
                return {"answer": await self._now(self._status(body["id"], body["status"]))}
            case "reply":
                return await self._reply(**body)
            case "webhook":
                world.webhook_url = body["url"]
            case "verify":
                return {"verified": await verify(world)}
            case _:
                raise SimulatorError(
                    "POST absent, talking, receipt, reply, webhook, verify, receipts, fault, well, pace, settle "
                    "or forget"
                )
        return None

    def forget(self) -> None:
        """Nothing was sent, and all numbers are as usual."""
        world = self.world
        for kept in (world.sent, world.replies, world.taken, world.statuses, world.errors):
            kept.clear()
        for names in (world.absent, world.talking):
            names.clear()

    def _status(self, id: str, status: str) -> list[CallBack]:
        self.world.statuses[id].append(status)
        return status_call(self.world, id, status)

    async def _reply(
        self, number: str, text: str, quoted: str = "", account: str = "", id: str = ""
    ) -> dict[str, Any]:
        world = self.world
        account, id = account or min(world.phone_number_ids), id or f"wamid.{uuid.uuid4().hex.upper()}"
        world.talking.add(person(number))
        world.replies.append({"number": number, "text": text, "id": id, "at": time.time()})
        return {"id": id, "answer": await self._now(inbound_call(world, account, number, text, quoted, id))}

    async def _now(self, calls: list[CallBack]) -> int:
        return await self.hooks.now(calls[0]) if calls else 0


def _refusal(error: MetaError, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    body = {
        "message": f"(#{error.code}) {error.text}",
        "type": "OAuthException",
        "code": error.code,
        "error_subcode": error.subcode,
        "error_data": {"messaging_product": "whatsapp", "details": error.text},
        "fbtrace_id": "Az8or2yhqkZfEZ-_4Qn_Bam",
    }
    reply = json_reply({"error": body}, error.status)
    return Reply(reply.status, reply.body, headers=headers)
