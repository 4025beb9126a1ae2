"""The shapes of the gateway's answers, for its OpenAPI page. The routes write JSON themselves.

Not here: the shapes of events' payloads (``events/payloads.py``).
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Taken(BaseModel):
    """Every event of the request is committed."""

    ids: list[str] = Field(description="In the order of the events")
    status: Literal[200]

    model_config = ConfigDict(
        json_schema_extra={"example": {"ids": ["01KA4Q8ZJ40410G2081G40R40M"], "status": 200}}
    )


class NotTaken(BaseModel):
    """Nothing of the request was taken."""

    ids: list[str] = Field(max_length=0)
    status: int
    error: str

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "ids": [],
                "status": 400,
                "error": "event 0 (convocatorias/detail.requested): data.bdns: Field required",
            }
        }
    )


class Problem(BaseModel):
    """Problem details (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    requestId: str = Field(description="The log's line of this request has it too")

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "about:blank",
                "title": "Unauthorized",
                "status": 401,
                "detail": "this is not the CRON_SECRET",
                "requestId": "5f2a7c1e9b3d4a60",
            }
        }
    )


class Queued(BaseModel):
    """The work is in the inbox; it was not begun yet."""

    eventId: str
    runId: str = Field(description="Follows the request through the logs; it is no Dagster run's id")
    status: Literal["queued"]
    repeated: bool = Field(description="True where an earlier request had the same Idempotency-Key")
    statusUrl: str

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "eventId": "01KA4Q8ZJ40410G2081G40R40M",
                "runId": "0c2b1f9e-52a7-4f0e-9d34-6c3a1c0f8f5e",
                "status": "queued",
                "repeated": False,
                "statusUrl": "/api/events/01KA4Q8ZJ40410G2081G40R40M",
            }
        }
    )


class Step(BaseModel):
    """A state that an event entered."""

    at: dt.datetime
    state: str
    attempt: int
    runId: str | None
    reason: str | None


class EventState(BaseModel):
    """Where an event stands; never its payload."""

    id: str
    name: str
    state: Literal["received", "claimed", "done", "retry", "dead", "skipped", "unmatched"]
    reason: str | None = Field(description="The last error, or why it was skipped or refused")
    attempts: int
    receivedAt: dt.datetime
    dueAt: dt.datetime = Field(description="Not handled before then")
    changedAt: dt.datetime
    runId: str | None = Field(description="The Dagster run that has it, or had it last")
    runUrl: str | None = Field(description="That run's page, if DAGSTER_UI_URL is set")
    steps: list[Step]

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "01KA4Q8ZJ40410G2081G40R40M",
                "name": "convocatorias/detail.requested",
                "state": "done",
                "reason": None,
                "attempts": 1,
                "receivedAt": "2026-11-22T09:00:00Z",
                "dueAt": "2026-11-22T09:00:00Z",
                "changedAt": "2026-11-22T09:00:06Z",
                "runId": "4d3c7c1b-1f53-4d3e-9a49-0a6f4c1d2b3e",
                "runUrl": "https://dagster.example/runs/4d3c7c1b-1f53-4d3e-9a49-0a6f4c1d2b3e",
                "steps": [
                    {
                        "at": "2026-11-22T09:00:00Z",
                        "state": "received",
                        "attempt": 0,
                        "runId": None,
                        "reason": None,
                    }
                ],
            }
        }
    )


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"]

    model_config = ConfigDict(json_schema_extra={"example": {"status": "ok"}})


class Ready(BaseModel):
    """Whether events are accepted, and whether they are worked on."""

    status: Literal["ready", "degraded", "unavailable"]
    problems: list[str]
    database: bool = Field(description="It answers")
    migrations: bool = Field(description="Its tables are those of this release")
    daemonSeenSecondsAgo: float | None = Field(description="The sensor that starts runs; null: never seen")
    oldestWaitingSeconds: float | None = Field(description="The longest-due event with work; null: none is due")

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "status": "degraded",
                "problems": ["the sensor events_inbox was last seen 312 s ago: is the Dagster daemon running?"],
                "database": True,
                "migrations": True,
                "daemonSeenSecondsAgo": 312.4,
                "oldestWaitingSeconds": 298.0,
            }
        }
    )


Responses = dict[int | str, dict[str, Any]]
Meanings = dict[int | str, str]


def refusals(model: type[BaseModel], kind: str, meanings: Meanings) -> Responses:
    """The OpenAPI entries of answers that are no success, all of one shape and media type."""
    schema = model.model_json_schema()
    entries = {**meanings, "default": "A fault of the gateway, which its log knows"}
    return {
        status: {"description": meaning, "content": {kind: {"schema": schema}}}
        for status, meaning in entries.items()
    }


SECRET: Meanings = {401: "A wrong secret, none, or none configured"}
BODY: Meanings = {
    408: "The body arrives too slowly",
    413: "The body is too long",
    415: "The body is compressed",
}
AWAY: Meanings = {503: "The database does not answer; the same again later"}
