"""What must be true of a history, whatever was killed meanwhile: the words of each rule that is broken.

Pure: it compares what clients were answered with what the tables hold. Not here: sending and killing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from fisio_ayida_tests.events.posting import Planned, Sent

Body = tuple[str, Any]


@dataclass(frozen=True, slots=True)
class Stored:
    """An event of the inbox."""

    state: str
    reason: str | None
    admitted: bool | None
    body: Body


@dataclass(slots=True)
class Tables:
    """What the database holds in the end."""

    inbox: dict[str, Stored] = field(default_factory=dict)
    echoes: Counter[str] = field(default_factory=Counter)
    conflicts: dict[str, list[Body]] = field(default_factory=lambda: defaultdict(list))
    refused: set[bytes] = field(default_factory=set)

    @classmethod
    def read(cls, conn: psycopg.Connection[Any]) -> Tables:
        found = cls()
        for id_, state, reason, admitted, name, data in conn.execute(
            "select id, state, reason, admitted, received_name, data from events.inbox"
        ):
            found.inbox[id_] = Stored(state, reason, admitted, (name, data))
        found.echoes.update(dict(conn.execute("select event_id, count(*) from events.echoes group by 1")))
        for id_, name, data in conn.execute("select event_id, name, data from events.conflicts"):
            found.conflicts[id_].append((name, data))
        found.refused = {bytes(body) for (body,) in conn.execute("select body from events.refused")}
        return found


@dataclass(frozen=True, slots=True)
class Promise:
    """An event that was answered 200: from when it may be there, and since when it must be."""

    body: Body
    began: float
    ended: float


def violations(history: Sequence[Sent], tables: Tables) -> list[str]:
    """Every rule that is broken, in words."""
    found: list[str] = []
    promised: dict[str, list[Promise]] = defaultdict(list)
    for sent in history:
        found += _answers(sent, tables.refused)
        if sent.answers[-1].status == 200:
            for id_, event in zip(sent.post.ids(), sent.post.events, strict=True):
                promised[id_].append(_promise(event, sent))
    for id_, promises in promised.items():
        stored = tables.inbox.get(id_)
        if stored is None:
            found.append(f"{id_} was taken and is lost")
            continue
        found += [f"{id_} {words}" for words in _one_end(stored, tables.echoes[id_])]
        found += [f"{id_} {words}" for words in _first_body_won(stored, promises, tables.conflicts.get(id_, ()))]
    for id_, effects in tables.echoes.items():
        if id_ not in promised:
            found.append(f"{id_} has {effects} effects and nobody was told that it was taken")
    for id_ in tables.inbox.keys() - promised.keys():
        stored = tables.inbox[id_]
        if stored.state != "dead" or stored.admitted is not False or not stored.reason:
            found.append(f"{id_} was refused and is {stored.state}")
    return found


def _answers(sent: Sent, refused: Collection[bytes]) -> list[str]:
    """A good request is taken, a bad one is refused and kept; all answers of one request agree."""
    found = []
    statuses = {answer.status for answer in sent.answers} - {0, 503}
    wanted = 200 if sent.post.acceptable else 400
    if statuses != {wanted}:
        found.append(f"{sent.post.ids()} was answered {sorted(statuses)}, not {wanted}")
    others = [list(a.ids) for a in sent.answers if a.status == 200 and list(a.ids) != sent.post.ids()]
    found += [f"{sent.post.ids()} was answered with the ids {ids}" for ids in others]
    if wanted == 400 and sent.post.body not in refused:
        found.append(f"{sent.post.ids()} was refused and is not kept")
    return found


def _promise(event: Planned, sent: Sent) -> Promise:
    return Promise((event.name, event.data), sent.answers[0].began, sent.answers[-1].ended)


def _one_end(stored: Stored, effects: int) -> list[str]:
    """Done with one effect, or ended without one and with a reason; unknown names are kept."""
    found = []
    if stored.state in ("received", "claimed", "retry"):
        found.append(f"was taken and is still {stored.state}")
    if stored.state in ("dead", "skipped") and not stored.reason:
        found.append(f"is {stored.state} and nothing says why")
    if effects != (stored.state == "done"):
        found.append(f"is {stored.state} and has {effects} effects")
    return found


def _first_body_won(stored: Stored, promises: Sequence[Promise], conflicts: Collection[Body]) -> list[str]:
    """The body is one that was sent before any other was taken; the others are on record."""
    mine = [promise for promise in promises if promise.body == stored.body]
    others = [promise for promise in promises if promise.body != stored.body]
    found = []
    if not mine:
        found.append("has a body that nobody was told was taken")
    elif others and min(p.began for p in mine) > min(p.ended for p in others):
        found.append("has a later body than the first one that was taken")
    bodies: Mapping[str, Body] = {repr(p.body): p.body for p in others}
    found += [f"has a conflict that is not on record: {body}" for body in bodies.values() if body not in conflicts]
    return found
