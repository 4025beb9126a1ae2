"""``POST /e/{event_key}``: Inngest's event API, as its SDKs speak it.

Not here: what makes an event good (``judging.py``), and what happens to it afterwards (``events/``).
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from fisio_ayida.events.admission import LONGEST_EVENT_BYTES, LONGEST_NAME
from fisio_ayida.events.ids import BadSeed, Seed
from fisio_ayida.gateway.answers import EVENT_API, JSON, Refused, taken
from fisio_ayida.gateway.bodies import read_body
from fisio_ayida.gateway.door import Door, visit
from fisio_ayida.gateway.judging import judge_request
from fisio_ayida.gateway.shapes import AWAY, BODY, SECRET, NotTaken, Taken, refusals

SEED_HEADER = "x-inngest-event-id-seed"
SOURCE = "http"
# Judging more than this takes longer than anybody else should wait for the event loop.
_AT_ONCE_BYTES = 64 * 1024

_EVENT: dict[str, Any] = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": LONGEST_NAME},
        "data": {"type": "object", "description": "The payload; its shape depends on the name."},
        "id": {"type": "string", "description": "The same id again does nothing: a key for idempotency."},
        "ts": {"type": "integer", "description": "Milliseconds since 1970; in the future: not before then."},
        "user": {"type": "object"},
        "v": {"type": "string"},
        "meta": {"type": "object"},
    },
}
_ONE = {"name": "convocatorias/detail.requested", "data": {"bdns": "123456"}}
_MANY = [
    {"name": "patient/created", "data": {"patientId": "p-1", "organizationId": "o-1"}},
    {"name": "session/completed", "data": {"patientId": "p-1", "organizationId": "o-1"}, "id": "session-77"},
]
_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {"oneOf": [_EVENT, {"type": "array", "items": _EVENT}]},
            "examples": {
                "one": {"summary": "One event", "value": _ONE},
                "many": {"summary": "Several events", "value": _MANY},
            },
        }
    },
}
# Declared for the page alone: reading them from the request is a tenth of what FastAPI's way costs.
_KEY = {
    "name": "event_key",
    "in": "path",
    "required": True,
    "schema": {"type": "string"},
    "description": "INNGEST_EVENT_KEY, URL-encoded",
    "example": "my-event-key",
}
_SEED = {
    "name": SEED_HEADER,
    "in": "header",
    "schema": {"type": "string"},
    "description": "Milliseconds, a comma and 10 bytes as base64: makes the ids of a repeated request the same.",
    "example": "1767225600000,AAECAwQFBgcICQ==",
}


def router(door: Door) -> APIRouter:
    """The event API over these parts."""
    routes = APIRouter(tags=["Events"])

    async def send(request: Request) -> Response:
        if problem := door.event_keys.problem(request.path_params["event_key"].encode()):
            raise Refused(401, problem)
        body = await read_body(request, door.limits)
        now = door.now()
        seed = _seed(request, door)
        judging = partial(
            judge_request, body, seed=seed, now=now, chance=door.chance, most=door.limits.events
        )  # fmt: skip
        judged = await asyncio.to_thread(judging) if len(body) > _AT_ONCE_BYTES else judging()
        visit(request).events = judged.events
        if judged.reason is not None:
            raise await door.turn_away(
                judged.candidates, body, judged.status, judged.reason, source=SOURCE, now=now
            )
        if judged.candidates:
            await door.take(judged.candidates, body=body, source=SOURCE, now=now)
        return taken([candidate.id for candidate in judged.candidates])

    async def send_without_key() -> Response:
        raise Refused(401, door.event_keys.problem(b"") or "")

    routes.add_api_route(
        f"{EVENT_API}/{{event_key:path}}",
        send,
        methods=["POST"],
        summary="Send one event or several",
        description=(
            "All of a request's events are taken, or none: a bad one refuses them all, and the answer names each "
            f"fault. At most {door.limits.events} events, {LONGEST_EVENT_BYTES} bytes an event and "
            f"{door.limits.request_bytes} bytes in all. 200 is answered once they are committed. The same ids "
            "again do nothing."
        ),
        response_model=Taken,
        responses=refusals(NotTaken, JSON, {400: "Something is wrong with an event", **SECRET, **BODY, **AWAY}),
        openapi_extra={"requestBody": _BODY, "parameters": [_KEY, _SEED]},
    )
    routes.add_api_route(EVENT_API, send_without_key, methods=["POST"], include_in_schema=False)
    return routes


def _seed(request: Request, door: Door) -> Seed | None:
    """The request's seed. As Inngest does, a malformed one is not a reason to refuse events; the log says so."""
    header = request.headers.get(SEED_HEADER)
    try:
        return None if header is None else Seed.parse(header)
    except BadSeed as error:
        door.log.warning("seed ignored", extra={"reason": str(error), "requestId": visit(request).id})
        return None
