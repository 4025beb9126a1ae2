"""A webhook receiver on loopback for the tests of the stand-ins.

Here: it keeps what comes and answers as it is told. Not here: expectations.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl

from fisio_ayida.simulators.listening import Receive, Scope, Send, ServerThread
from fisio_ayida.simulators.serving import Reply, Request, read_request, send_reply


class Receiver:
    """What came, and what is answered: the first of ``answers``, then 200 for ever."""

    def __init__(self) -> None:
        self.url = ""
        self.came: list[Request] = []
        self.answers: list[int] = []

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The JSON of every call."""
        return [json.loads(one.body) for one in self.came]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one call; a question for a challenge is answered with it."""
        request = await read_request(scope, receive)
        self.came.append(request)
        query = dict(parse_qsl(request.query))
        challenge = query.get("hub.challenge", "") if query.get("hub.verify_token") == "meta-verify-token" else ""
        await send_reply(Reply(self.answers.pop(0) if self.answers else 200, challenge.encode()), send)


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A receiver that listens."""
    made = Receiver()
    with ServerThread(made) as serving:
        made.url = serving.url
        yield made
