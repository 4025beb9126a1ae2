"""The demo's made-up clinics on the embedded database: their rows, what they want, and what their patients said.

Here: making room for them, and giving back what the scripted day borrows. Not here: the day (``demo_day.py``), and
who the people are (``simulators/fisioflow``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from zoneinfo import ZoneInfo

import psycopg
from psycopg.types.json import Jsonb

from fisio_ayida.simulators.fisioflow.tables import TABLES, remove, write
from fisio_ayida.simulators.fisioflow.world import World

Connection = psycopg.Connection[Any]

SAO_PAULO: Final = ZoneInfo("America/Sao_Paulo")
#: Jobs that go on where they last looked begin anew.
FORGET: Final = "delete from jobs.passes"
_DAY: Final = dt.timedelta(days=1)
_EARLIER: Final = """
select substring(id from '^clinica-ipe-(.+)$') from clinic.organizations where id like 'clinica-ipe-%'
"""


def set_up(conn: Connection, world: World) -> None:
    """The clinics with their manners; those of an earlier demo, with the same people, make room."""
    from fisio_ayida.messaging import preferences

    with conn.transaction():
        for (mark,) in conn.execute(_EARLIER).fetchall():
            remove(conn, mark)
        write(conn, world)
        for manners in world.manners.values():
            conn.execute(
                "insert into messaging.policies (organization_id, zone, marketing_basis) values (%s, %s, %s)",
                [manners.organization_id, manners.zone, manners.marketing_basis],
            )
            conn.execute(
                "insert into jobs.policies (organization_id, birthday_channels, leap_birthday, reminder_rules) "
                "values (%s, %s, %s, %s)",
                [manners.organization_id, manners.birthday_channels, manners.leap_birthday,
                 None if manners.reminder_rules is None else Jsonb(list(manners.reminder_rules))],
            )  # fmt: skip
        for word in world.words:
            preferences.record(
                conn, organization_id=word.organization_id, patient_id=word.patient_id, channel=word.channel,
                category=word.category, allowed=word.allowed, source="form", evidence="demo",
                at=dt.datetime.combine(world.day, dt.time(), SAO_PAULO) - _DAY,
            )  # fmt: skip
    # A table without statistics is planned for as if it were large.
    conn.execute(f"analyze {', '.join(f'clinic.{table}' for table in TABLES)}")


@contextmanager
def looked_before(conn: Connection) -> Iterator[None]:
    """A job that goes on where it last looked begins with the scripted day, and afterwards where it was."""
    columns = "job, up_to, since, run_id"
    before = conn.execute(f"select {columns} from jobs.passes").fetchall()
    conn.execute(FORGET)
    try:
        yield
    finally:
        with conn.transaction():
            conn.execute(FORGET)
            with conn.cursor() as cur:
                cur.executemany(f"insert into jobs.passes ({columns}) values (%s, %s, %s, %s)", before)
