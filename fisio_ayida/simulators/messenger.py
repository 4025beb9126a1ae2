"""What the stand-ins of both WhatsApp services do alike: faults, latency, webhooks after a message, control calls.

Here: the way of one request through all of it, and the control calls as methods. Not here: what a service answers.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Protocol

from fisio_ayida.simulators.bubbles import Bubble, page
from fisio_ayida.simulators.hooks import CallBack, CallBacks
from fisio_ayida.simulators.listening import Receive, Scope, Send, SimulatorError
from fisio_ayida.simulators.mishaps import Mishap, Mishaps, go_wrong
from fisio_ayida.simulators.serving import (
    CONTROL,
    ControlClient,
    Reply,
    Request,
    html_reply,
    json_reply,
    read_request,
    send_reply,
)

#: The service's own errors, beside those of :mod:`mishaps`.
ERRORS: Final = ("exception", "server_error", "unauthorized", "meta_error", "too_many")
_REMEMBERED: Final = 1000


@dataclass(slots=True)
class Watch:
    """When the sends of one account started."""

    starts: int = 0
    too_close: int = 0
    closest_ms: float | None = None
    last: float | None = None

    def start(self, at: float, watch_ms: float) -> None:
        """One more start."""
        self.starts += 1
        if self.last is not None:
            gap = (at - self.last) * 1000
            self.closest_ms = gap if self.closest_ms is None else min(gap, self.closest_ms)
            self.too_close += gap < watch_ms
        self.last = at


class Talks(Protocol):
    """What a service has carried, both ways."""

    sent: list[dict[str, Any]]
    replies: list[dict[str, Any]]

    def shown_status(self, id: str) -> str:
        """What the page says of a message."""
        ...


class MessengerApp(ABC):
    """An ASGI application that sends messages and tells a webhook what became of them.

    Args:
        title: of the page that people look at.
        sending: what the path of a call that sends holds.
        latency_ms: how long such a call takes at least.
        watch_ms: two such calls of one account closer than this are counted.
    """

    def __init__(self, title: str, sending: str, *, latency_ms: float, watch_ms: float) -> None:
        self.latency_ms = latency_ms
        self.watch_ms = watch_ms
        self.watches: dict[str, Watch] = defaultdict(Watch)
        self.faults = Mishaps(ERRORS, sending)
        self.hooks = CallBacks()
        self.url = ""
        #: The latest calls, as they came.
        self.calls: deque[Request] = deque(maxlen=_REMEMBERED)
        #: What was sent since the webhook was last told.
        self.taken: list[Any] = []
        self._title = title
        self._sending = sending

    @property
    @abstractmethod
    def _talks(self) -> Talks:
        """What the service has carried."""

    @abstractmethod
    def answer(self, request: Request) -> Reply:
        """Do what is asked; what is sent goes to ``taken``."""

    @abstractmethod
    def spoilt(self, mishap: Mishap) -> Reply:
        """The service's own error."""

    @abstractmethod
    def reports(self, taken: Any) -> Sequence[CallBack]:
        """What the webhook is told of one message."""

    @abstractmethod
    async def act(self, name: str, body: dict[str, Any]) -> Any:
        """A POST control call."""

    @abstractmethod
    def forget(self) -> None:
        """Nothing was ever sent."""

    @abstractmethod
    def account_of(self, path: str) -> str:
        """The account that a call sends from."""

    def bubbles(self) -> Iterable[Bubble]:
        """Both sides of every talk."""
        for one in self._talks.sent:
            yield Bubble(one["number"], one["text"], one["at"], one["id"], self._talks.shown_status(one["id"]))
        for one in self._talks.replies:
            yield Bubble(one["number"], one["text"], one["at"], one["id"])

    def look(self, name: str) -> Any:
        """What was sent, and how much."""
        match name:
            case "sent":
                return self._talks.sent
            case "count":
                return {"sent": len(self._talks.sent)}
            case _:
                raise SimulatorError("GET sent, count, calls, watch or webhooks")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            return
        at = time.monotonic()
        self.url = "http://{}:{}".format(*scope["server"])
        request = await read_request(scope, receive)
        if request.path == "/":
            await send_reply(html_reply(page(self._title, self.bubbles())), send)
        elif request.path.startswith(CONTROL):
            await send_reply(await self._control(request), send)
        elif (reply := await self._serve(request, receive, at)) is not None:
            await send_reply(reply, send)

    async def _serve(self, request: Request, receive: Receive, at: float) -> Reply | None:
        if self._sending in request.path:
            self.watches[self.account_of(request.path)].start(at, self.watch_ms)
            if self.latency_ms:
                await asyncio.sleep(self.latency_ms / 1000)
        self.calls.append(request)
        telling: list[asyncio.Task[None]] = []

        def serve() -> Reply:
            reply = self.answer(request)
            if self.taken:
                taken, self.taken = self.taken, []
                telling.append(asyncio.create_task(self._tell(taken)))
            return reply

        mishap = self.faults.take(request.path)
        reply = serve() if mishap is None else await go_wrong(mishap, serve, self.spoilt, receive)
        await asyncio.gather(*telling)
        return reply

    async def _tell(self, taken: list[Any]) -> None:
        for one in taken:
            await self.hooks.after(self.reports(one))

    async def _control(self, request: Request) -> Reply:
        name = request.path[len(CONTROL) :]
        try:
            if request.method == "GET":
                return json_reply(self._look(name))
            return json_reply(await self._common(name, request.json()) or {})
        except (SimulatorError, TypeError, KeyError) as error:
            return json_reply({"error": f"{name}: {error}"}, 400)

    def _look(self, name: str) -> Any:
        match name:
            case "webhooks":
                return self.hooks.report()
            case "watch":
                return self.watches
            case "calls":
                return [{**asdict(call), "body": call.body.decode(errors="replace")} for call in self.calls]
            case _:
                return self.look(name)

    async def _common(self, name: str, body: dict[str, Any]) -> Any:
        match name:
            case "fault":
                self.faults.add(body)
            case "well":
                self.faults.waiting.clear()
            case "pace":
                self.latency_ms = float(body.get("latency_ms", self.latency_ms))
                self.watch_ms = float(body.get("watch_ms", self.watch_ms))
            case "receipts":
                self.hooks.habits = self.hooks.habits.changed(body)
            case "settle":
                await self.hooks.settle()
            case "forget":
                self.hooks.made.clear()
                self.calls.clear()
                self.watches.clear()
                self.forget()
            case _:
                return await self.act(name, body)
        return None


class MessengerControl(ControlClient):
    """Directs a running stand-in."""

    @property
    def sent(self) -> list[dict[str, Any]]:
        """What has really gone out to phones, in order."""
        found: list[dict[str, Any]] = self.control("sent")
        return found

    @property
    def count(self) -> int:
        """How many messages have gone out."""
        return int(self.control("count")["sent"])

    @property
    def calls(self) -> list[dict[str, Any]]:
        """The latest calls as they came: method, path, query, headers and body."""
        found: list[dict[str, Any]] = self.control("calls")
        return found

    def absent(self, *numbers: str) -> None:
        """These, and no others, are not on WhatsApp."""
        self.control("absent", {"numbers": numbers})

    def talking(self, *numbers: str) -> None:
        """These wrote in the last 24 hours."""
        self.control("talking", {"numbers": numbers})

    def pace(self, **milliseconds: float) -> None:
        """How long a call that sends takes (``latency_ms``), and how close is too close (``watch_ms``)."""
        self.control("pace", milliseconds)

    def watch(self, account: str) -> dict[str, Any]:
        """The calls of an account that send: starts, too_close, closest_ms."""
        nothing = {"starts": 0, "too_close": 0, "closest_ms": None}
        found: dict[str, Any] = self.control("watch").get(account, nothing)
        return found

    def fault(self, kind: str, **settings: Any) -> None:
        """Let the next send go wrong: see :class:`fisio_ayida.simulators.mishaps.Mishap`."""
        self.control("fault", {"kind": kind, **settings})

    def well(self) -> None:
        """Nothing goes wrong any more."""
        self.control("well", {})

    def receipts(self, **habits: Any) -> None:
        """How the webhook is called: see :class:`fisio_ayida.simulators.hooks.Habits`."""
        self.control("receipts", habits)

    def receipt(self, id: str, status: str) -> int:
        """Report a status of a message; what the webhook answered, 0 if nothing."""
        return int(self.control("receipt", {"id": id, "status": status})["answer"])

    def reply(self, number: str, text: str, **more: str) -> dict[str, Any]:
        """A phone writes (``quoted``, ``account``, ``id``): the message's id and the webhook's answer."""
        found: dict[str, Any] = self.control("reply", {"number": number, "text": text, **more})
        return found

    def webhooks(self) -> list[dict[str, Any]]:
        """Every call of the webhook: event, url, answers; waits for those under way."""
        self.control("settle", {})
        found: list[dict[str, Any]] = self.control("webhooks")
        return found

    def forget(self) -> None:
        """As on the first day; accounts and settings stay."""
        self.control("forget", {})
