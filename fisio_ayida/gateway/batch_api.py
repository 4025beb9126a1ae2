"""``POST /api/batch/sync-…``: Ayida's routes, one for each event of the registry that has one.

The request becomes an event and is answered at once. Not here: looking at it afterwards (``looking_api.py``).
"""

from __future__ import annotations

import datetime as dt
import uuid
from functools import partial
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Header, Request
from starlette.responses import Response

from fisio_ayida.events import payloads as p
from fisio_ayida.events.admission import LONGEST_EVENT_BYTES, LONGEST_ID, BadEvent, Incoming, TooLarge, judge
from fisio_ayida.events.ids import ENTROPY_BYTES, new_id
from fisio_ayida.events.look import trace_of
from fisio_ayida.events.registry import Event, routes
from fisio_ayida.events.storable import mended
from fisio_ayida.gateway.answers import PROBLEM, Refused, answer
from fisio_ayida.gateway.bearer import Bearer, admit
from fisio_ayida.gateway.bodies import read_body
from fisio_ayida.gateway.door import Door, visit
from fisio_ayida.gateway.shapes import AWAY, BODY, SECRET, Meanings, Problem, Queued, refusals

SOURCE = "batch"
_REFUSALS: Meanings = {
    400: "Something is wrong with the body; the answer names the field",
    **SECRET,
    **BODY,
    422: "This Idempotency-Key was used with another body",
    **AWAY,
}
_EXAMPLES: dict[type[p.Payload], dict[str, str]] = {
    p.Detail: {"bdns": "123456"},
    p.SyncDays: {"dateFrom": "2026-11-01", "dateTo": "2026-11-02"},
    p.Sync: {},
}


def router(door: Door) -> APIRouter:
    """One route for each row of the registry that has one."""
    found = APIRouter(tags=["Batch jobs"], prefix="/api/batch")
    for path, event in routes().items():
        _add(found, door, path, event)
    return found


def _add(found: APIRouter, door: Door, path: str, event: Event) -> None:
    async def ask(
        request: Request,
        bearer: Bearer,
        idempotency_key: Annotated[
            str | None,
            Header(
                description="The same key again gives the first answer and does nothing", max_length=LONGEST_ID
            ),
        ] = None,
    ) -> Response:
        admit(door, bearer)
        body = await read_body(request, door.limits)
        return await _queue(door, request, event, body, idempotency_key or None)

    found.add_api_route(
        f"/{path}",
        ask,
        methods=["POST"],
        status_code=202,
        name=path,
        operation_id=path,
        summary=event.description,
        description=f"Queues the event `{event.name}`. At most {LONGEST_EVENT_BYTES} bytes.",
        response_model=Queued,
        responses=refusals(Problem, PROBLEM, _REFUSALS),
        openapi_extra={"requestBody": _body_of(event)},
    )


async def _queue(door: Door, request: Request, event: Event, body: bytes, key: str | None) -> Response:
    now = door.now()
    visit(request).events = 1
    trace = str(uuid.UUID(bytes=door.chance(16), version=4))
    try:
        incoming = _event(event, body, key, trace, now)
        own_id = new_id(now, door.chance(ENTROPY_BYTES))
        candidate = judge(incoming, msgspec.json.encode(incoming), own_id=own_id, seed=None, now=now)
    except BadEvent as error:
        status = 413 if isinstance(error, TooLarge) else 400
        raise await door.turn_away((), body, status, str(error), source=SOURCE, now=now) from None
    if candidate.problem is not None:
        raise await door.turn_away((candidate,), body, 400, candidate.problem, source=SOURCE, now=now)
    (accepted,) = await door.take((candidate,), body=body, source=SOURCE, now=now)
    if accepted.conflict:
        raise Refused(422, "this Idempotency-Key was used with another body; it is kept beside the first one")
    # Of a repeated request it is the first one's; of any, the caller's own if it gave one.
    first: str | None = await door.look(partial(trace_of, id_=accepted.id))
    return answer(
        202,
        {
            "eventId": accepted.id,
            "runId": first or trace,
            "status": "queued",
            "repeated": not accepted.new,
            "statusUrl": f"/api/events/{quote(accepted.id, safe='')}",
        },
    )


def _event(event: Event, body: bytes, key: str | None, trace: str, now: dt.datetime) -> Incoming:
    """The event that the body stands for, with what Ayida's own routes add to it."""
    data = _object(body)
    moment = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    for name, value in {"runId": trace, "timestamp": moment}.items():
        if bytes(data.get(name, b"null")) == b"null":
            data[name] = msgspec.Raw(msgspec.json.encode(value))
    return Incoming(name=event.name, id=key, data=msgspec.Raw(msgspec.json.encode(data)))


def _object(body: bytes) -> dict[str, msgspec.Raw]:
    """The fields of the body, undecoded, so that no number loses a digit; none if there is no body."""
    if not body.strip():
        return {}
    try:
        return msgspec.json.decode(mended(body), type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadEvent(f"the body is not a JSON object: {error}") from None


def _body_of(event: Event) -> dict[str, Any]:
    schema = event.payload.model_json_schema()
    media = {"schema": schema, "example": _EXAMPLES[event.payload]}
    return {"required": bool(schema.get("required")), "content": {"application/json": media}}
