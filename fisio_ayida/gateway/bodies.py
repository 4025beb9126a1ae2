"""Reading a request's body: never more of it than is allowed, never for longer.

Not here: what is in it (``judging.py``), and the head of a request (``protocol.py``).
"""

from __future__ import annotations

import asyncio

from starlette.requests import Request

from fisio_ayida.gateway.answers import Refused
from fisio_ayida.gateway.limits import Limits


async def read_body(request: Request, limits: Limits) -> bytes:
    """The whole body.

    Raises:
        Refused: 413 as soon as it is too long, whether it says so first or not; 408 if it takes too long; 415 if
            it is compressed.
        starlette.requests.ClientDisconnect: the sender is gone.
    """
    most = limits.request_bytes
    if request.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
        raise Refused(415, "a compressed body is not read: send it without Content-Encoding")
    too_long = Refused(413, f"the body has more than {most} bytes: send the events in several requests")
    if int(request.headers.get("content-length", 0)) > most:
        raise too_long
    body = bytearray()
    try:
        async with asyncio.timeout(limits.body.total_seconds()):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most:
                    raise too_long
    except TimeoutError:
        within = limits.body.total_seconds()
        raise Refused(408, f"the body has not arrived within {within:g} s") from None
    return bytes(body)
