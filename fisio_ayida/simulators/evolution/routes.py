"""The routes of Evolution: who may ask, what a body must be, what is answered (CONTRACT clinic §6.1 to §6.4).

Here: requests to answers. Not here: faults, webhooks, the state itself.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from itertools import chain
from typing import Any, Final
from urllib.parse import unquote

from fisio_ayida.simulators.evolution.world import Instance, Webhook, World
from fisio_ayida.simulators.listening import SimulatorError
from fisio_ayida.simulators.phones import person
from fisio_ayida.simulators.serving import Reply, Request, json_reply

SENDING: Final = "/message/"
_PAGE: Final = 50
_MEDIA: Final = ("image", "document", "video", "audio")
_NAMES: Final = {400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 500: "Internal Server Error"}
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]{4,}={0,2}")


class Refused(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, message: Any) -> None:
        super().__init__(status)
        self.reply = refusal(status, message)


def refusal(status: int, message: Any) -> Reply:
    """The envelope of an error."""
    return json_reply(
        {"status": status, "error": _NAMES.get(status, "Error"), "response": {"message": message}}, status
    )


class Routes:
    """Answers calls.

    Args:
        sent: told of every message that was taken, with its answer.
    """

    def __init__(self, world: World, sent: Callable[[Instance, dict[str, Any]], None]) -> None:
        self._world = world
        self._sent = sent
        self._routes: dict[tuple[str, str], Callable[[Instance, dict[str, Any]], Reply]] = {
            ("POST", "message/sendText"): self._text,
            ("POST", "message/sendMedia"): self._media,
            ("POST", "message/sendTemplate"): self._template,
            ("POST", "chat/whatsappNumbers"): self._numbers,
            ("POST", "chat/findMessages"): self._find,
            ("POST", "chat/findStatusMessage"): self._find_status,
            ("POST", "webhook/set"): self._set_webhook,
            ("GET", "instance/connectionState"): self._state,
        }

    def answer(self, request: Request) -> Reply:
        """The answer of one call, and everything that follows from it."""
        try:
            route, _, name = request.path.strip("/").rpartition("/")
            handler = self._routes.get((request.method, route))
            if handler is None:
                raise Refused(404, [f"Cannot {request.method} {request.path}"])
            return handler(self._admit(unquote(name), request.headers.get("apikey")), _body(request))
        except Refused as refused:
            return refused.reply

    def _admit(self, name: str, key: str | None) -> Instance:
        # The instance is looked for before the key is looked at.
        instance = self._world.instances.get(name)
        if instance is None:
            raise Refused(404, [f'The "{name}" instance does not exist'])
        if key not in (self._world.api_key, instance.token):
            raise Refused(401, "Unauthorized")
        return instance

    def _text(self, instance: Instance, body: dict[str, Any]) -> Reply:
        number = _required(body, number=str, text=str)["number"]
        if "delay" in body and not isinstance(body["delay"], int):
            raise Refused(400, [["delay is not of a type(s) integer"]])
        if "linkPreview" in body and not isinstance(body["linkPreview"], bool):
            raise Refused(400, [["linkPreview is not of a type(s) boolean"]])
        if not body["text"].strip():
            raise Refused(400, ["Text is required"])
        return self._send(instance, number, "conversation", {"conversation": body["text"]})

    def _media(self, instance: Instance, body: dict[str, Any]) -> Reply:
        number = _required(body, number=str, mediatype=str)["number"]
        kind, media = body["mediatype"], body.get("media")
        if kind not in _MEDIA:
            raise Refused(400, [[f"mediatype is not one of enum values: {','.join(_MEDIA)}"]])
        url = isinstance(media, str) and media.startswith(("http://", "https://"))
        base64 = isinstance(media, str) and not url and _BASE64.fullmatch(media) is not None
        if base64 and kind == "document" and not body.get("fileName"):
            raise Refused(400, ["For base64 the file name must be informed."])
        if not url and not base64:
            raise Refused(400, ["Owned media must be a url or base64"])
        content: dict[str, Any] = {
            "url": media,
            **{name: body[name] for name in ("caption", "mimetype", "fileName") if name in body},
        }
        return self._send(instance, number, f"{kind}Message", {f"{kind}Message": content})

    def _template(self, instance: Instance, body: dict[str, Any]) -> Reply:
        _required(body, name=str, language=str)
        if instance.kind != "cloud":
            raise Refused(500, "Method not available in the Baileys service")
        number = _required(body, number=str)["number"]
        template: dict[str, Any] = {
            name: body[name] for name in ("name", "language", "components") if name in body
        }
        shown = {"conversation": f"▶️{body['name']}◀️"}
        return self._send(instance, number, "conversation", shown, template)

    def _send(
        self,
        instance: Instance,
        number: str,
        kind: str,
        message: dict[str, Any],
        template: dict[str, Any] | None = None,
    ) -> Reply:
        if not instance.loaded:
            raise Refused(500, "Cannot read properties of undefined (reading 'textMessage')")
        if instance.kind == "baileys":
            known = person(number) in self._world.found
            if not instance.connected and not known:
                raise Refused(500, "Connection Closed")
            found = self._world.look_up(number)
            if not found["exists"]:
                raise Refused(400, [found])
            if not instance.connected:
                raise Refused(400, ["Error: Connection Closed"])
        record = self._world.record(instance, number, kind, message, template)
        self._sent(instance, record)
        return json_reply(record, 201)

    def _numbers(self, instance: Instance, body: dict[str, Any]) -> Reply:
        numbers = body.get("numbers")
        if not isinstance(numbers, list) or not numbers or len(set(numbers)) < len(numbers):
            raise Refused(400, [["numbers does not meet minimum length of 1"]])
        # What was found once is not asked again, whatever has become of the session.
        fresh = any(person(str(number)) not in self._world.found for number in numbers)
        if not instance.loaded or (fresh and not instance.connected):
            return json_reply({}, 400)
        return json_reply([self._world.look_up(str(number)) for number in numbers])

    def _state(self, instance: Instance, _: dict[str, Any]) -> Reply:
        state = {"state": instance.state} if instance.loaded else {}
        return json_reply({"instance": {"instanceName": instance.name, **state}})

    def _find(self, instance: Instance, body: dict[str, Any]) -> Reply:
        where = body.get("where") or {}
        key = where.get("key") or {}
        stored = self._world.stored[instance.name]
        records = (
            stored.get(key["remoteJid"], [])
            if key.get("remoteJid")
            else list(chain.from_iterable(stored.values()))
        )
        since, until = _window(where.get("messageTimestamp") or {})
        found = [
            record
            for record in records
            if since <= record["messageTimestamp"] <= until
            and key.get("id") in (None, record["key"]["id"])
            # false is as good as nothing said
            and (not key.get("fromMe") or record["key"]["fromMe"])
            and where.get("messageType") in (None, record["messageType"])
            and where.get("source") in (None, record["source"])
        ]
        found.sort(key=lambda record: -record["messageTimestamp"])
        size, number = int(body.get("offset") or _PAGE), int(body.get("page") or 1)
        shown = [self._remembered(record) for record in found[(number - 1) * size : number * size]]
        pages = -(-len(found) // size)
        return json_reply(
            {"messages": {"total": len(found), "pages": pages, "currentPage": number, "records": shown}}
        )

    def _remembered(self, record: dict[str, Any]) -> dict[str, Any]:
        shown = {name: value for name, value in record.items() if name != "status"}
        updates = [{"status": status} for status in self._world.statuses.get(record["key"]["id"], [])]
        return {"id": record["key"]["id"].lower(), "contextInfo": None, **shown, "MessageUpdate": updates}

    def _find_status(self, instance: Instance, body: dict[str, Any]) -> Reply:
        where = body.get("where") or {}
        rows = [
            {
                "keyId": record["key"]["id"],
                "remoteJid": jid,
                "fromMe": record["key"]["fromMe"],
                "status": status,
                "instanceId": instance.id,
            }
            for jid, records in self._world.stored[instance.name].items()
            for record in records
            for status in self._world.statuses.get(record["key"]["id"], [])
            if where.get("id") in (None, record["key"]["id"]) and where.get("remoteJid") in (None, jid)
        ]
        return json_reply(rows)

    def _set_webhook(self, instance: Instance, body: dict[str, Any]) -> Reply:
        webhook = body.get("webhook")
        if not isinstance(webhook, dict) or not isinstance(webhook.get("url"), str):
            raise Refused(400, [['requires property "webhook"']])
        instance.webhook = None
        if webhook.get("enabled", True):
            instance.webhook = Webhook(
                webhook["url"],
                dict(webhook.get("headers") or {}),
                bool(webhook.get("byEvents")),
                tuple(webhook.get("events") or ()),
            )
        return json_reply({**webhook, "instanceId": instance.id}, 201)


def inbound(instance: Instance, jid: str, text: str, quoted: str, id: str, at: float) -> dict[str, Any]:
    """A message that a phone wrote, as the webhook tells it."""
    context = {"contextInfo": {"stanzaId": quoted}} if quoted else {}
    return {
        "key": {"remoteJid": jid, "fromMe": False, "id": id},
        "pushName": "Paciente",
        "message": {"conversation": text},
        "messageType": "conversation",
        "messageTimestamp": int(at),
        "instanceId": instance.id,
        "source": "android",
        **context,
    }


def _body(request: Request) -> dict[str, Any]:
    try:
        body = request.json()
    except SimulatorError as error:
        raise Refused(400, str(error)) from None
    return body if isinstance(body, dict) else {}


def _required(body: dict[str, Any], **types: type) -> dict[str, Any]:
    wrong = [
        f"{name} is not of a type(s) string" if name in body else f'requires property "{name}"'
        for name, kind in types.items()
        if not isinstance(body.get(name), kind)
    ]
    if wrong:
        raise Refused(400, [wrong])
    return body


def _window(stamp: dict[str, Any]) -> tuple[float, float]:
    if not (stamp.get("gte") and stamp.get("lte")):
        return float("-inf"), float("inf")
    # Stored in whole seconds, and compared so.
    first, last = (dt.datetime.fromisoformat(str(stamp[side])).timestamp() for side in ("gte", "lte"))
    return int(first), int(last)
