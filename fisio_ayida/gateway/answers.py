"""What a caller is told: Inngest's shape on the event API, problem details (RFC 9457) everywhere else.

Not here: deciding; a route raises :class:`Refused`, and the shape follows from the path.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.responses import Response

from fisio_ayida.gateway.limits import RETRY_AFTER

EVENT_API = "/e"
JSON, PROBLEM = "application/json", "application/problem+json"


class Refused(Exception):
    """The request is not taken; the message is for the caller, who may read it: no secrets, no internals."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}


def not_now(detail: str) -> Refused:
    """Nothing was taken, and the same request may be taken later."""
    return Refused(503, detail, {"retry-after": str(int(RETRY_AFTER.total_seconds()))})


def answer(status: int, content: Any, headers: Mapping[str, str] | None = None, kind: str = JSON) -> Response:
    """Any JSON."""
    return Response(msgspec.json.encode(content), status, dict(headers or {}), kind)


def taken(ids: Sequence[str]) -> Response:
    """Inngest's 200: the ids in the order of the events."""
    return answer(200, {"ids": ids, "status": 200})


def refusal(path: str, refused: Refused, request_id: str) -> Response:
    """A refusal in the shape of its part of the API."""
    if path == EVENT_API or path.startswith(f"{EVENT_API}/"):
        return answer(
            refused.status, {"ids": [], "status": refused.status, "error": refused.detail}, refused.headers
        )
    content = {
        "type": "about:blank",
        "title": HTTPStatus(refused.status).phrase,
        "status": refused.status,
        "detail": refused.detail,
        "requestId": request_id,
    }
    return answer(refused.status, content, refused.headers, PROBLEM)
