"""What clients send to the gateway, drawn at random, and what they were answered: the history that is checked.

Clients behave like the SDKs: they repeat a request with the same bytes and seed until they have an answer. Not
here: what is true of the history (``checker.py``).
"""

from __future__ import annotations

import base64
import http.client
import json
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fisio_ayida.events import canary
from fisio_ayida.events.ids import Seed
from fisio_ayida_tests.events.daemon import FLAKY, NEVER, UNWANTED

UNKNOWN = "no/such.event"
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Planned:
    """One event of a post. ``good`` unless its payload is none."""

    id: str | None
    name: str
    data: dict[str, Any]
    good: bool = True


@dataclass(frozen=True, slots=True)
class Post:
    """One request: an array or a single event, with a seed if its events have no ids."""

    events: tuple[Planned, ...]
    seed: str | None = None

    @property
    def body(self) -> bytes:
        made = [{"name": e.name, "data": e.data, **({"id": e.id} if e.id else {})} for e in self.events]
        return json.dumps(made if len(made) != 1 else made[0]).encode()

    @property
    def acceptable(self) -> bool:
        return all(event.good for event in self.events)

    def ids(self) -> list[str]:
        """The ids that its events must get."""
        seed = Seed.parse(self.seed) if self.seed else None
        return [event.id or (seed.id(at) if seed else "") for at, event in enumerate(self.events)]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back of one try; status 0 if nothing did. Times are of one monotonic clock."""

    status: int
    ids: tuple[str, ...]
    began: float
    ended: float


@dataclass(slots=True)
class Sent:
    """A post and all its answers."""

    post: Post
    answers: list[Answer] = field(default_factory=list)


def plan(draw: random.Random, count: int) -> list[Post]:
    """So many posts; neighbours are sent by different clients at the same time."""
    posts: list[Post] = []
    numbers = iter(range(1_000_000))
    while len(posts) < count:
        kind, earlier = draw.random(), posts[-min(len(posts), draw.choice((3, 300))) :]
        if kind < 0.20 and earlier:
            posts.append(draw.choice(earlier))
        elif kind < 0.24 and earlier:
            posts.append(_changed(draw, draw.choice(earlier)))
        elif kind < 0.28 and earlier:
            posts.append(_corrected(draw.choice([p for p in posts[-300:] if not p.acceptable] or earlier)))
        else:
            posts.append(_new(draw, next(numbers)))
    return posts


def _new(draw: random.Random, number: int) -> Post:
    seeded = draw.random() < 0.15
    size = 1 if draw.random() < 0.7 else draw.randint(2, 8)
    events = [_event(draw, None if seeded else f"e-{number}-{place}") for place in range(size)]
    if size > 1 and not seeded and draw.random() < 0.1:
        events.append(events[0])
    seed = f"{1_767_225_600_000 + number},{base64.b64encode(draw.randbytes(10)).decode()}" if seeded else None
    return Post(tuple(events), seed)


def _event(draw: random.Random, id_: str | None) -> Planned:
    kind = draw.random()
    if kind < 0.02:
        return Planned(id_, canary.NAME, {"note": 5}, good=False)
    if kind < 0.05:
        return Planned(id_, UNKNOWN, {"number": draw.randint(1, 9)})
    note = FLAKY if kind < 0.08 else NEVER if kind < 0.10 else UNWANTED if kind < 0.12 else "plain"
    organization = draw.choice(("large", "large", "large", "small", "middle"))
    return Planned(id_, canary.NAME, {"note": f"{note} {draw.randint(1, 9999)}", "organizationId": organization})


def _changed(draw: random.Random, post: Post) -> Post:
    """Other bodies under the same ids."""
    events = tuple(Planned(e.id, e.name, {**e.data, "changed": draw.randint(1, 9)}, e.good) for e in post.events)
    return Post(events, post.seed)


def _corrected(post: Post) -> Post:
    """The same with payloads that are ones."""
    events = tuple(e if e.good else Planned(e.id, e.name, {"note": "corrected"}) for e in post.events)
    return Post(events, post.seed)


def send_all(posts: Sequence[Post], clients: int, port: int, key: str) -> list[Sent]:
    """Send them with so many clients, each to its answer; in the order in which they were planned."""
    history = [Sent(post) for post in posts]
    waiting = iter(history)
    lock = threading.Lock()
    errors: list[BaseException] = []

    def client() -> None:
        sender = _Client(port, key)
        try:
            while not errors:
                with lock:
                    sent = next(waiting, None)
                if sent is None:
                    return
                sender.send(sent)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return history


class _Client:
    """One connection, made anew when it breaks."""

    def __init__(self, port: int, key: str) -> None:
        self._port, self._path = port, f"/e/{key}"
        self._http: http.client.HTTPConnection | None = None

    def send(self, sent: Sent) -> None:
        """Until there is an answer that is one; 503 and silence are none."""
        limit = time.monotonic() + PATIENCE_SECONDS
        body = sent.post.body
        headers = {"content-type": "application/json"}
        if sent.post.seed:
            headers["x-inngest-event-id-seed"] = sent.post.seed
        while True:
            began = time.monotonic()
            status, ids = self._once(body, headers)
            sent.answers.append(Answer(status, ids, began, time.monotonic()))
            if status not in (0, 503):
                return
            assert time.monotonic() < limit, f"no answer for {PATIENCE_SECONDS:g} s"
            time.sleep(0.05)

    def _once(self, body: bytes, headers: dict[str, str]) -> tuple[int, tuple[str, ...]]:
        try:
            if self._http is None:
                self._http = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
            self._http.request("POST", self._path, body, headers)
            answer = self._http.getresponse()
            return answer.status, tuple(json.loads(answer.read()).get("ids", ()))
        except (OSError, http.client.HTTPException, json.JSONDecodeError):
            if self._http is not None:
                self._http.close()
            self._http = None
            return 0, ()
