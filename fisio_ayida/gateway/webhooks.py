"""``POST /webhooks/…``: what Resend, Evolution and Meta tell us, stored before it is answered.

What is not theirs is refused and not stored. Not here: proving it (``signatures.py``), reading it
(``messaging/reports/``), and acting on it, which the dispatcher does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

from fisio_ayida.gateway.answers import Refused, answer
from fisio_ayida.gateway.bodies import read_body
from fisio_ayida.gateway.door import Door, visit
from fisio_ayida.gateway.line import Connection
from fisio_ayida.gateway.signatures import FixedToken, HubSignature, StandardWebhooks
from fisio_ayida.messaging import inbound, receipts
from fisio_ayida.messaging.inbound import Desk
from fisio_ayida.messaging.reports import evolution, meta, resend
from fisio_ayida.messaging.reports.reading import Delivery, digest, word

TOKEN_HEADER = "x-webhook-token"  # noqa: S105  the header's name
# Reading more than this takes longer than anybody else should wait for the event loop.
_AT_ONCE_BYTES = 64 * 1024
_LONGEST_CHALLENGE = 256


def router(door: Door) -> APIRouter:
    """The providers' doors. Their shapes are theirs, and therefore not on our page of the API."""
    routes = APIRouter(include_in_schema=False, prefix="/webhooks")
    s = door.settings
    by_resend = StandardWebhooks.of("RESEND_WEBHOOK_SECRET", s.resend_webhook_secret)
    by_evolution = FixedToken.of("EVOLUTION_WEBHOOK_TOKEN", TOKEN_HEADER, s.evolution_webhook_token)
    by_meta = HubSignature.of(
        "WHATSAPP_APP_SECRET", s.whatsapp_app_secret, "WHATSAPP_VERIFY_TOKEN", s.whatsapp_verify_token
    )
    if by_resend.fault:
        door.log.error(by_resend.fault)

    async def from_resend(request: Request) -> Response:
        body = await read_body(request, door.limits)
        _admit(by_resend.problem(request.headers, body, door.now()))
        event_id = word(request.headers.get("svix-id") or request.headers["webhook-id"]) or digest(body)
        return await _take(door, request, body, partial(resend.read, event_id=event_id))

    async def from_evolution(request: Request) -> Response:
        # Its proof is in the head: what is not its own need not be read.
        _admit(by_evolution.problem(request.headers, door.now()))
        return await _take(door, request, await read_body(request, door.limits), evolution.read)

    async def from_meta(request: Request) -> Response:
        body = await read_body(request, door.limits)
        _admit(by_meta.problem(request.headers, body))
        return await _take(door, request, body, meta.read)

    async def set_up_meta(request: Request) -> Response:
        asked = request.query_params
        if problem := by_meta.setup_problem(asked.get("hub.mode", ""), asked.get("hub.verify_token", "")):
            raise Refused(403, problem)
        challenge = asked.get("hub.challenge", "")[:_LONGEST_CHALLENGE]
        return PlainTextResponse(challenge, headers={"x-content-type-options": "nosniff"})

    routes.add_api_route("/resend", from_resend, methods=["POST"])
    routes.add_api_route("/evolution", from_evolution, methods=["POST"])
    routes.add_api_route("/evolution/{event:path}", from_evolution, methods=["POST"])
    routes.add_api_route("/meta", from_meta, methods=["POST"])
    routes.add_api_route("/meta", set_up_meta, methods=["GET"])
    return routes


def _admit(problem: str | None) -> None:
    if problem:
        raise Refused(401, problem)


async def _take(door: Door, request: Request, body: bytes, read: Callable[[bytes], Delivery]) -> Response:
    """Store what a body says; answered once that is committed.

    Raises:
        Refused: 503 if that is not known: the provider comes again.
    """
    told = await asyncio.to_thread(read, body) if len(body) > _AT_ONCE_BYTES else read(body)
    visit(request).events = len(told.reports) + len(told.inbound)
    now = door.now()

    def store(conn: Connection) -> None:
        s = door.settings
        hasher = door.hasher(conn)
        accounts = {
            evolution.PROVIDER: s.evolution_instance,
            meta.PROVIDER: s.whatsapp_phone_number_id or "",
        }
        with conn.transaction():
            receipts.store(conn, told.reports, hasher=hasher, now=now)
            inbound.store(conn, told.inbound, Desk(hasher, door.sealer, accounts), now=now)

    await door.keep(store)
    return answer(200, {"status": "ok"})
