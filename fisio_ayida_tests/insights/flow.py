"""Runs of ``patient_insights`` in the lab, with a writer whose answers tests choose.

Here: what the tests of the flow do. Not here: expectations.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from fisio_ayida.clinic.model import Desk, Outcome
from fisio_ayida.insights.model import Commission, Facts, Item, Limits, NotWritten, Record, Writer, Written
from fisio_ayida.insights.running import run
from fisio_ayida_tests.clinic.lab import PATIENT
from fisio_ayida_tests.insights.lab import InsightsLab

MODEL = "model-1"
LIMITS = Limits(500_000, None)
MINUTE = dt.timedelta(minutes=1)
HOUR = 60 * MINUTE
#: Of the session that the lab makes if nothing else is said.
KEY = f"insight:{PATIENT}:session-1:p1:{MODEL}"

Answer = Written | NotWritten | Exception


def words(text: str = "A dor caiu.", type: Any = "progress_summary") -> Written:
    """A narrative of one item."""
    return Written((Item(source="narrative", type=type, text=text, citations=("fact:pain_trend",)),), {"phone": 2})


class Script:
    """A writer that answers what it is told to, by patient; everybody else gets words.

    ``keeps``: whether it remembers the records that it wrote about.
    """

    def __init__(self, answers: dict[str, Answer] | None = None, *, keeps: bool = True) -> None:
        self.model = MODEL
        self._keeps = keeps
        self.answers = answers or {}
        self.asked: list[Commission] = []
        self.records: list[Record] = []
        self.under_way = self.most = 0
        #: Awaited in the middle of each call.
        self.meanwhile: Callable[[Commission], Awaitable[None]] | None = None

    async def write(self, record: Record, facts: Facts, commission: Commission) -> Written | NotWritten:
        """What was chosen for the patient."""
        self.asked.append(commission)
        if self._keeps:
            self.records.append(record)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0)
        try:
            if self.meanwhile is not None:
                await self.meanwhile(commission)
        finally:
            self.under_way -= 1
        answer = self.answers.get(record.patient_id, words())
        if isinstance(answer, Exception):
            raise answer
        return answer


def insights(
    lab: InsightsLab, writer: Writer | None = None, *, patients: Sequence[str] = (), days: Sequence[dt.date] = (),
    desk: Desk | None = None, in_flight: int = 3, now: Callable[[], dt.datetime] | None = None,
    longest: dt.timedelta | None = None, model: str = "", **order: Any,
) -> Outcome:  # fmt: skip
    """A run that begins at the lab's moment. ``now``: time stands still if left out."""
    return asyncio.run(run(
        desk or lab.desk, lab.order(**order), writer, now=now or (lambda: lab.moment), limits=LIMITS,
        in_flight=in_flight, patients=patients, days=days, longest=longest, model=model,
    ))  # fmt: skip


def finalized(
    lab: InsightsLab, id: str = "session-1", *, ago: dt.timedelta = 10 * MINUTE, patient: str = PATIENT,
    **columns: Any,
) -> str:  # fmt: skip
    """A session of today that was finalized so long ago."""
    columns.setdefault("day", lab.moment.date())
    return lab.session(id, patient=patient, finalized_at=lab.moment - ago, **columns)


def generations(lab: InsightsLab) -> list[dict[str, Any]]:
    """All of them, in the order in which they were made."""
    return lab.rows("select * from insights.generations order by created_at, key")


def only(lab: InsightsLab) -> dict[str, Any]:
    """The one that there is."""
    [row] = generations(lab)
    return row


def items(lab: InsightsLab, key: str = KEY) -> dict[str, list[str]]:
    """The types of a generation's current items, by source."""
    rows = lab.rows(
        "select source, array_agg(insight_type order by insight_type) as types from insights.items "
        "where key = %s and superseded_at is null group by source",
        key,
    )
    return {row["source"]: row["types"] for row in rows}


def current(lab: InsightsLab) -> dict[str, str]:
    """The keys of generations that nothing supersedes, by patient."""
    found = lab.rows("select patient_id, key from insights.generations where superseded_at is null")
    assert len(found) == len({row["patient_id"] for row in found}), "one patient has two"
    return {row["patient_id"]: row["key"] for row in found}


def queue(lab: InsightsLab) -> list[dict[str, Any]]:
    """Who waits."""
    return lab.rows("select * from insights.queue order by organization_id, patient_id")


def shown(lab: InsightsLab, patient: str = PATIENT) -> list[tuple[str, str]]:
    """The clinic's rows that a professional sees now, as type and text."""
    rows = lab.rows(
        "select insight_type, insight_text from clinic.patient_insights where patient_id = %s and expires_at > %s "
        "order by insight_type", patient, lab.moment,
    )  # fmt: skip
    return [(row["insight_type"], row["insight_text"]) for row in rows]
