"""What Resend answers: sending one, sending a batch, one e-mail, the list (CONTRACT clinic §7.1, §7.2).

Here: from a request to an answer and what it changes. Not here: pace, faults, webhooks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec

from fisio_ayida.simulators.resend.rules import LARGEST_BYTES, refusal, wrong
from fisio_ayida.simulators.resend.world import Mail, World
from fisio_ayida.simulators.serving import Reply, Request, json_reply

PATH: Final = "/emails"
KEY: Final = "idempotency-key"
_LONGEST_KEY: Final = 256
_BATCH: Final = 100


class Routes:
    """Answers requests.

    Args:
        taken: told of every e-mail that goes out.
    """

    def __init__(self, world: World, taken: Callable[[Mail], None]) -> None:
        self._world = world
        self._taken = taken

    def answer(self, request: Request) -> Reply:
        """The answer, once what was asked for is done."""
        if (refused := self._stranger(request)) is not None:
            return refused
        match request.method, request.path:
            case "POST", "/emails":
                return self._once(request, self._one)
            case "POST", "/emails/batch":
                return self._once(request, self._batch)
            case "GET", "/emails":
                return self._list(request)
            case "GET", path if path.startswith(f"{PATH}/"):
                return self._show(path.removeprefix(f"{PATH}/"))
            case _, path if path == PATH or path.startswith(f"{PATH}/"):
                return refusal(405, "method_not_allowed", "Method is not allowed for the requested path.")
            case _:
                return refusal(404, "not_found", "The requested endpoint does not exist.")

    def _stranger(self, request: Request) -> Reply | None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key:
            return refusal(401, "missing_api_key", "Missing API Key")
        if self._world.api_key not in (None, key):
            return refusal(403, "invalid_api_key", "API key is invalid")
        return None

    def _once(self, request: Request, serve: Callable[[Request, Any], Reply]) -> Reply:
        """Serve a request under its key: once, however often it comes."""
        key = request.headers.get(KEY)
        if key is not None and not 1 <= len(key) <= _LONGEST_KEY:
            return refusal(400, "invalid_idempotency_key", "The key must be between 1-256 chars.")
        known = None if key is None else self._world.remembered(key)
        if known is not None:
            if known.digest != hashlib.sha256(request.body).digest():
                return refusal(409, "invalid_idempotent_request", "Same idempotency key used with another body.")
            if known.running or known.reply is None:
                return refusal(409, "concurrent_idempotent_requests", "The first request is still in progress.")
            return known.reply
        if len(request.body) > LARGEST_BYTES:
            return refusal(422, "invalid_attachment", "The email is larger than 40MB.")
        try:
            body = msgspec.json.decode(request.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return refusal(400, "validation_error", "The body is not valid JSON.")
        reply = serve(request, body)
        # What was refused left no trace: the key may be used again.
        if key is not None and reply.status == 200:
            self._world.remember(key, request.body).reply = reply
        return reply

    def _one(self, request: Request, body: Any) -> Reply:
        if (problem := wrong(body)) is not None:
            return refusal(422, *problem)
        return json_reply({"id": self._send(body, request.headers.get(KEY)).id})

    def _batch(self, request: Request, body: Any) -> Reply:
        if not isinstance(body, list) or not 1 <= len(body) <= _BATCH:
            return refusal(422, "validation_error", f"A batch has 1 to {_BATCH} emails.")
        problems = [(place, problem) for place, each in enumerate(body) if (problem := wrong(each)) is not None]
        permissive = request.headers.get("x-batch-validation") == "permissive"
        if problems and not permissive:
            place, (name, message) = problems[0]
            return refusal(422, name, f"emails[{place}]: {message}")
        refused = {place for place, _ in problems}
        # A batch has no attachments: they are ignored, not refused.
        sent = [
            self._send({**each, "attachments": ()}, request.headers.get(KEY))
            for place, each in enumerate(body)
            if place not in refused
        ]
        answer: dict[str, Any] = {"data": [{"id": mail.id} for mail in sent]}
        if permissive:
            answer["errors"] = [{"index": place, "message": message} for place, (_, message) in problems]
        return json_reply(answer)

    def _send(self, body: dict[str, Any], key: str | None) -> Mail:
        mail = self._world.send(body, key)
        self._taken(mail)
        return mail

    def _show(self, id: str) -> Reply:
        mail = self._world.find(id)
        if mail is None:
            return refusal(404, "not_found", "Email not found")
        more = {
            "object": "email",
            "html": mail.html,
            "text": mail.text,
            "tags": [{"name": name, "value": value} for name, value in mail.tags.items()],
        }
        return json_reply({**listed(mail), **more})

    def _list(self, request: Request) -> Reply:
        query = parse_qs(request.query)
        limit = query.get("limit", ["20"])[0]
        if not (limit.isascii() and limit.isdigit() and 1 <= int(limit) <= 100):
            return refusal(422, "validation_error", "The `limit` must be between 1 and 100.")
        page = self._world.page(int(limit), query.get("after", [None])[0])
        if page is None:
            return refusal(422, "validation_error", "The `after` cursor is unknown.")
        mails, more = page
        return json_reply({"object": "list", "has_more": more, "data": [listed(mail) for mail in mails]})


def listed(mail: Mail) -> dict[str, Any]:
    """An e-mail as the list shows it."""
    return {
        "id": mail.id,
        "to": mail.to,
        "from": mail.sender,
        "created_at": mail.at.isoformat(),
        "subject": mail.subject,
        "bcc": None,
        "cc": mail.cc or None,
        "reply_to": mail.reply_to or None,
        "last_event": mail.last_event,
        "scheduled_at": None,
    }
