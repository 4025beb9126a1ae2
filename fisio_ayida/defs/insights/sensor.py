"""The sensor that starts a run of ``patient_insights`` when sessions were completed or insights are asked for.

Not here: what all such sensors do (``defs/clinic/news.py``), and what is news (``insights/asking.py``).
"""

import datetime as dt
from typing import TYPE_CHECKING

import dagster as dg

from fisio_ayida.defs.clinic.news import news_sensor

if TYPE_CHECKING:
    from fisio_ayida.clinic.model import Connection
    from fisio_ayida.warehouse.clinic import ClinicDoor

JOB = "patient_insights"
#: A patient's record is left to come to rest for minutes anyway, and under row security each clinic is asked.
EVERY = dt.timedelta(minutes=1)
#: Ten thousand narratives, three at once, take longer: the next run goes on.
LONGEST = dt.timedelta(hours=2)


def sessions_sensor() -> dg.SensorDefinition:
    """The sensor over the job."""
    return news_sensor(
        "sessions_completed", JOB, _has_news, every=EVERY, longest=LONGEST,
        description=(
            f"Starts one run of `{JOB}` when sessions were completed that no run has collected, or patients' "
            "insights are due, and none is queued or under way. Its cursor is for people: up to which session "
            "they were collected."
        ),
        nothing="no session was completed that no run has collected, and nobody's insights are due",
        cursor=_cursor,
    )  # fmt: skip


def _has_news(conn: "Connection", door: "ClinicDoor", now: dt.datetime) -> bool:
    from fisio_ayida.insights.asking import has_news

    return has_news(conn, door, now=now)


def _cursor(conn: "Connection") -> str | None:
    from fisio_ayida.insights.numbers import collected

    return collected(conn)
