"""The HTTP application of the Evolution stand-in: what is its own in faults, webhooks and control calls.

Here: the pieces put together. Not here: what Evolution answers (``routes.py``).
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from fisio_ayida.simulators.evolution.routes import SENDING, Routes, inbound, refusal
from fisio_ayida.simulators.evolution.webhooks import event, update
from fisio_ayida.simulators.evolution.world import EvolutionConfig, Instance, World
from fisio_ayida.simulators.hooks import CallBack, Habits
from fisio_ayida.simulators.listening import SimulatorError
from fisio_ayida.simulators.messenger import MessengerApp
from fisio_ayida.simulators.mishaps import Mishap
from fisio_ayida.simulators.phones import person
from fisio_ayida.simulators.serving import Reply, Request, json_reply


class EvolutionApp(MessengerApp):
    """An ASGI application that behaves as Evolution API 2.3.6 does."""

    def __init__(self, config: EvolutionConfig) -> None:
        super().__init__(
            "WhatsApp (Evolution API simulada)", SENDING, latency_ms=config.latency_ms, watch_ms=config.watch_ms
        )
        self.world = World(config)
        self.hooks.habits = Habits(statuses=config.statuses)
        self._routes = Routes(self.world, lambda instance, record: self.taken.append((instance, record)))

    @property
    def _talks(self) -> World:
        return self.world

    def account_of(self, path: str) -> str:
        """The instance."""
        return unquote(path.rpartition("/")[2])

    def answer(self, request: Request) -> Reply:
        """What Evolution answers."""
        return self._routes.answer(request)

    def spoilt(self, mishap: Mishap) -> Reply:
        """Evolution's own errors, a proxy's 429, and Meta's error on the Cloud channel."""
        match mishap.kind:
            case "exception":
                return refusal(400, [mishap.text or "Error: Timed Out"])
            case "server_error":
                return refusal(500, mishap.text or "Connection Closed")
            case "unauthorized":
                return refusal(401, "Unauthorized")
            case "meta_error":
                return json_reply(meta_error(mishap.code, mishap.text), 201)
            case _:
                wish = () if mishap.retry_after is None else (("retry-after", str(mishap.retry_after)),)
                return Reply(429, b"Too Many Requests", "text/plain", wish)

    def reports(self, taken: Any) -> Sequence[CallBack]:
        """``send.message``, then a ``messages.update`` for each status."""
        instance, record = taken
        id = record["key"]["id"]
        if not self.world.undelivered(id):
            self.world.statuses[id] += self.hooks.habits.statuses
        calls = [event(instance, "send.message", record, self.url)]
        calls += [
            event(instance, "messages.update", update(instance, record["key"], status), self.url)
            for status in self.world.statuses[id]
        ]
        return [call for call in calls if call is not None]

    async def act(self, name: str, body: dict[str, Any]) -> Any:
        """Changes of the installation and of the phones."""
        world = self.world
        match name:
            case "settings":
                _change(world, body, ("api_key", "stores"))
            case "instance":
                known = world.instances.get(body["name"]) or Instance(body["name"], f"token-of-{body['name']}")
                _change(known, body, ("name", "token", "kind", "state", "dead", "loaded"))
                world.instances[known.name] = known
            case "absent":
                world.absent = {person(number) for number in body["numbers"]}
            case "account":
                world.accounts[person(body.pop("number"))] = body
            case "talking":
                world.talking |= {person(number) for number in body["numbers"]}
            case "receipt":
                return {"answer": await self._receipt(body["id"], body["status"])}
            case "reply":
                return await self._reply(**body)
            case _:
                raise SimulatorError(
                    "POST settings, instance, absent, account, talking, receipt, reply, receipts, fault, well, "
                    "pace, settle or forget"
                )
        return None

    def forget(self) -> None:
        """Nothing was sent, and all numbers are as usual."""
        world = self.world
        for kept in (world.sent, world.replies, world.stored, world.statuses):
            kept.clear()
        for names in (world.found, world.absent, world.accounts, world.talking):
            names.clear()

    async def _receipt(self, id: str, status: str) -> int:
        for sent in self.world.sent:
            if sent["id"] == id:
                instance = self.world.instances[sent["instance"]]
                self.world.statuses[id].append(status)
                data = update(instance, {"id": id, "remoteJid": sent["jid"]}, status)
                return await self._now(event(instance, "messages.update", data, self.url))
        raise SimulatorError("nothing with this id was sent")

    async def _reply(
        self, number: str, text: str, quoted: str = "", account: str = "", id: str = ""
    ) -> dict[str, Any]:
        world = self.world
        instance = world.instances[account or next(iter(world.instances))]
        now, id = time.time(), id or uuid.uuid4().hex[:20].upper()
        world.talking.add(person(number))
        world.replies.append({"number": number, "text": text, "id": id, "at": now})
        data = inbound(instance, world.known_as(number), text, quoted, id, now)
        if world.stores:
            world.stored[instance.name][data["key"]["remoteJid"]].append(data)
        return {"id": id, "answer": await self._now(event(instance, "messages.upsert", data, self.url))}

    async def _now(self, call: CallBack | None) -> int:
        return 0 if call is None else await self.hooks.now(call)


def meta_error(code: int, text: str) -> dict[str, Any]:
    """Meta's error object, which Evolution hands on without its envelope."""
    return {
        "message": f"(#{code}) {text}",
        "type": "OAuthException",
        "code": code,
        "error_subcode": 2494010,
        "error_data": {"messaging_product": "whatsapp", "details": text},
        "fbtrace_id": "Az8or2yhqkZfEZ-_4Qn_Bam",
    }


def _change(thing: object, values: dict[str, Any], allowed: tuple[str, ...]) -> None:
    if unknown := set(values) - set(allowed):
        raise SimulatorError(f"{', '.join(unknown)} cannot be set; {', '.join(allowed)} can")
    for name, value in values.items():
        setattr(thing, name, value)
