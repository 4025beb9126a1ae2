"""What is true at a time of the made-up Monday: which visits there are, who has said no, and where it is night.

Here: visits, permissions and quiet hours for the truth. Not here: which messages there are (``truth.py``).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Final, Literal
from zoneinfo import ZoneInfo

from fisio_ayida.simulators.fisioflow.world import Book, Change, Manners, Patient, Say, Visit, World

_SAO_PAULO: Final = ZoneInfo("America/Sao_Paulo")
_QUIET_FROM, _QUIET_TO = dt.time(21), dt.time(8)


class Lives:
    """The people of a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._said = {(word.patient_id, word.channel, word.category): word.allowed for word in world.words}
        self._stopped = {
            event.patient_id: event.at
            for event in world.script if isinstance(event.act, Say) and event.act.text.lower() == "parar"
        }  # fmt: skip

    def became(
        self, manners: Manners, patient: Patient, channel: str, category: Literal["marketing", "care", "visit"],
        clock: str | dt.datetime,
    ) -> str:  # fmt: skip
        """What becomes of a message that is due at a time: sent, waits, or the reason why it does not go.

        Args:
            clock: an instant, or a civil time of the day in São Paulo.
        """
        at = clock if isinstance(clock, dt.datetime) else self.moment(clock)
        goes = self.goes(manners, at)
        if channel == "whatsapp" and patient.phone is not None and not _is_whole(patient.phone):
            return "address_invalid"
        if self._no(patient, channel, "all") or self._stopped.get(patient.id, goes) < goes:
            return "opted_out_channel"
        if category == "marketing" and (
            self._no(patient, channel, "marketing")
            or (manners.marketing_basis == "consent" and (patient.id, channel, "marketing") not in self._said)
        ):
            return "opted_out_category"
        # Who opts out before the morning gets nothing then; until then it waits.
        return "sent" if goes.astimezone(_SAO_PAULO).date() == self._world.day else "waits"

    def goes(self, manners: Manners, at: dt.datetime) -> dt.datetime:
        """When what is due at an instant may go, in the clinic's zone: then, or in the morning."""
        return _allowed_from(at.astimezone(ZoneInfo(manners.zone)))

    def visits(self, at: dt.datetime) -> dict[str, Visit]:
        """All visits as they are at an instant."""
        found = {visit.id: visit for visit in self._world.of(Visit)}
        for event in self._world.script:
            if event.at <= at and isinstance(event.act, Book):
                found[event.act.visit.id] = event.act.visit
            elif event.at <= at and isinstance(event.act, Change):
                found[event.act.visit_id] = replace(found[event.act.visit_id], **event.act.columns)
        return found

    def moment(self, clock: str) -> dt.datetime:
        """The instant of a civil time of the day in São Paulo."""
        return dt.datetime.combine(self._world.day, dt.time.fromisoformat(clock), _SAO_PAULO)

    def _no(self, patient: Patient, channel: str, category: str) -> bool:
        return any(
            (id, way, what) == (patient.id, channel, category) and not allowed
            for (id, way, what), allowed in self._said.items()
        )


def _allowed_from(civil: dt.datetime) -> dt.datetime:
    """A civil moment, or the morning after it where it is night."""
    if civil.time() >= _QUIET_FROM:
        return dt.datetime.combine(civil.date() + dt.timedelta(days=1), _QUIET_TO, civil.tzinfo)
    return dt.datetime.combine(civil.date(), _QUIET_TO, civil.tzinfo) if civil.time() < _QUIET_TO else civil


def _is_whole(phone: str) -> bool:
    return sum(sign.isdigit() for sign in phone) >= 10
