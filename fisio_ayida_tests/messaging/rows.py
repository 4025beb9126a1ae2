"""Messages written straight into the outbox, in any state: for what only looks at them.

Here: one row, what makes rows break what touches them, and how much a query reads. Not here: how messages come
to be so (``lab.py``).
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from fisio_ayida_tests.messaging.lab import CLINIC, Lab

_ACCEPTED = ("accepted", "delivered", "read")


def put(lab: Lab, **columns: Any) -> int:
    """One message of a clinic by WhatsApp, planned unless ``state`` says otherwise; gives its id."""
    state, at = columns.get("state", "planned"), columns.get("changed_at", lab.moment)
    values: dict[str, Any] = {
        "key": f"test:{uuid.uuid4()}", "organization_id": CLINIC, "job": "test", "category": "care",
        "channel": "whatsapp", "heeds_quiet": False, "state": state, "due_at": at, "planned_at": at,
        "changed_at": at, "reason": None, "accepted_at": at if state in _ACCEPTED else None,
        "lease_until": at + dt.timedelta(minutes=2) if state == "claimed" else None,
    }  # fmt: skip
    values |= columns
    row = lab.conn.execute(
        f"insert into messaging.messages ({', '.join(values)}) "
        f"values ({', '.join(['%s'] * len(values))}) returning id",
        list(values.values()),
    ).fetchone()
    assert row is not None
    return int(row[0])


def pages_read(lab: Lab, query: str, values: Mapping[str, Any]) -> int:
    """Pages of 8 kB that a query touches, once the tables are as tidy as they are by themselves after a while."""
    lab.conn.execute("vacuum (analyze) messaging.messages, messaging.replies")
    plan = lab.conn.execute(f"explain (analyze, buffers, costs off) {query}", values).fetchall()
    # The first line of buffers is that of the whole.
    whole = next(line for (line,) in plan if "Buffers: shared" in line)
    return sum(int(pages) for pages in re.findall(r"(?:hit|read)=(\d+)", whole))


@contextmanager
def broken_lane(lab: Lab, channel: str) -> Iterator[None]:
    """A fault of ours that only the messages of this channel meet."""
    lab.conn.execute(f"""
        create function public.break_it() returns trigger language plpgsql as $$ begin
          raise exception 'value of % is out of range', new.key using errcode = 'numeric_value_out_of_range';
        end $$;
        create trigger break_it before update on messaging.messages for each row
          when (new.channel = '{channel}') execute function public.break_it()
    """)
    try:
        yield
    finally:
        lab.conn.execute("drop function public.break_it cascade")
