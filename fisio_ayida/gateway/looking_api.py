"""``GET /api/events/{id}``, ``/healthz``, ``/readyz``: how an event fares, and how the gateway does.

Not here: the queries (``events/look.py``, ``events/pulse.py``) and what makes it ready (``readiness.py``).
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from fisio_ayida.events.look import Seen, find_event
from fisio_ayida.gateway.answers import JSON, PROBLEM, Refused, answer
from fisio_ayida.gateway.bearer import Bearer, admit
from fisio_ayida.gateway.door import Door
from fisio_ayida.gateway.readiness import Readiness
from fisio_ayida.gateway.shapes import AWAY, SECRET, Alive, EventState, Problem, Ready, refusals

_STRICT = "Answer 503 for degraded, too: for an alert, not for a load balancer"


def router(door: Door) -> APIRouter:
    """The routes that only look."""
    found = APIRouter()
    readiness = Readiness(door)

    async def event(
        bearer: Bearer, event_id: Annotated[str, Path(examples=["01KA4Q8ZJ40410G2081G40R40M"])]
    ) -> Response:
        admit(door, bearer)
        seen: Seen | None = await door.look(partial(find_event, id_=event_id))
        if seen is None:
            raise Refused(404, "no event has this id")
        return answer(200, _told(seen, door.settings.dagster_ui_url))

    async def healthz() -> Response:
        return answer(200, {"status": "ok"})

    async def readyz(strict: Annotated[bool, Query(description=_STRICT)] = False) -> Response:
        state = await readiness.now()
        status = 503 if state["status"] == "unavailable" or (strict and state["problems"]) else 200
        return answer(status, state)

    found.add_api_route(
        "/api/events/{event_id:path}",
        event,
        methods=["GET"],
        tags=["Events"],
        summary="Where an event stands, how it got there, and in which run",
        response_model=EventState,
        responses=refusals(Problem, PROBLEM, {**SECRET, 404: "No event has this id", **AWAY}),
    )
    found.add_api_route(
        "/healthz",
        healthz,
        methods=["GET"],
        tags=["Operations"],
        summary="The process answers; the database is not asked",
        response_model=Alive,
    )
    found.add_api_route(
        "/readyz",
        readyz,
        methods=["GET"],
        tags=["Operations"],
        summary="Events are accepted, and worked on",
        description=(
            "503 only for what prevents accepting events: the database, or tables of another release. A daemon "
            "that is not running or an old backlog is `degraded` and still 200: events are safe in the inbox, and "
            "refusing them would lose them. With `strict=true` degraded is 503 too."
        ),
        response_model=Ready,
        responses={
            **refusals(Ready, JSON, {503: "Events are not accepted, or strict and degraded"}),
            **refusals(Problem, PROBLEM, {400: "strict is neither true nor false"}),
        },
    )
    return found


def _told(seen: Seen, ui: str | None) -> dict[str, Any]:
    return {
        "id": seen.id,
        "name": seen.name,
        "state": seen.state,
        "reason": seen.reason,
        "attempts": seen.attempt,
        "receivedAt": seen.received_at,
        "dueAt": seen.due_at,
        "changedAt": seen.changed_at,
        "runId": seen.run_id,
        "runUrl": f"{ui}/runs/{seen.run_id}" if ui and seen.run_id else None,
        "steps": [
            {"at": s.at, "state": s.state, "attempt": s.attempt, "runId": s.run_id, "reason": s.reason}
            for s in seen.steps
        ],
    }
