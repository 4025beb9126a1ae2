"""One event from a name and a payload, as an operator sends it: judged like any other, stored like any other.

Not here: requests of apps (``gateway/``) and the door for SQL (``events.send`` in the migration).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import msgspec
import psycopg

from fisio_ayida.events import registry
from fisio_ayida.events.admission import BadEvent, judge, read
from fisio_ayida.events.ids import ENTROPY_BYTES, new_id
from fisio_ayida.events.inbox import Accepted, accept


def send(
    conn: psycopg.Connection[Any],
    name: str,
    data: bytes,
    *,
    id_: str | None,
    now: dt.datetime,
    chance: Callable[[int], bytes],
) -> Accepted:
    """Put one event into the inbox. One with a wrong payload is kept as dead, and the answer says why.

    Args:
        data: the payload as JSON.
        chance: so many random bytes, for its id if it has none.

    Raises:
        UnknownEvent: the registry does not know the name; nothing is stored.
        BadEvent: not JSON, not an object, too large, or an id that is none; nothing is stored.
    """
    registry.event(name)
    try:
        msgspec.json.decode(data, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadEvent(f"data is not JSON: {error}") from None
    body = msgspec.json.encode({"name": name, "id": id_, "data": msgspec.Raw(data)})
    ((incoming, raw),) = read(body)
    candidate = judge(incoming, raw, own_id=new_id(now, chance(ENTROPY_BYTES)), seed=None, now=now)
    return accept(conn, [candidate], source="cli", now=now)[0]
