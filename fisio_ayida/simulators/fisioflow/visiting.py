"""Which messages about visits must come of the made-up Monday, by plain Python over the rows.

Here: reminders, confirmations and questions about how it was. Not here: the other messages (``truth.py``).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from fisio_ayida.simulators.fisioflow.came import Came, withheld
from fisio_ayida.simulators.fisioflow.state import Lives
from fisio_ayida.simulators.fisioflow.world import Book, Manners, Organization, Patient, Visit, World

_DAY: Final = dt.timedelta(days=1)
_HOUR: Final = dt.timedelta(hours=1)
_MINUTE: Final = dt.timedelta(minutes=1)
_DONE: Final = frozenset({"atendido", "completed"})
_UPCOMING: Final = frozenset({"agendado", "presenca_confirmada"})
#: Of a clinic that has said nothing.
_DAY_BEFORE: Final = {"kind": "day_before", "id": "day-before", "at": "10:00"}
#: Of a clinic that has FisioFlow's own reminders: first and last hour, days, clock; else five hours before.
_FISIOFLOW: Final = ((7, 8, -1, "19:00"), (9, 10, 0, "07:00"), (11, 12, 0, "08:00"))
_FIVE_HOURS: Final = 5 * _HOUR


@dataclass(frozen=True, slots=True)
class _Due:
    visit: Visit
    rule: str
    at: dt.datetime
    is_eve: bool


def reminders(world: World, lives: Lives) -> Iterator[Came]:
    """A run an hour plans for the hour after it; what changes meanwhile is seen when it is sent."""
    patients = {patient.id: patient for patient in world.patients}
    told: set[tuple[str, str, dt.date, dt.time]] = set()
    for hour in range(24):
        run = lives.moment(f"{hour:02}:00")
        for dues in _of_patients(world, lives.visits(run), run).values():
            alive = [due for due in dues if _name(due) not in told and run - 2 * _HOUR < due.at]
            pressing = [due for due in alive if due.at <= run + _HOUR]
            if not pressing:
                continue
            several = len(alive) > 1 and alive[0].is_eve
            groups = [alive] if several else [[due] for due in pressing]
            for group in groups:
                told.update(map(_name, group))
                patient = patients[group[0].visit.patient_id or ""]
                yield from _reminder(world, lives, patient, group)


def bookings(world: World, lives: Lives) -> Iterator[Came]:
    """A minute after a visit was booked, unless it begins within an hour of that."""
    patients = {patient.id: patient for patient in world.patients}
    for event in world.script:
        if isinstance(event.act, Book):
            visit, at = event.act.visit, event.at + _MINUTE
            manners, patient = world.manners[visit.organization_id], patients[visit.patient_id or ""]
            start = dt.datetime.combine(visit.date, visit.start_time, ZoneInfo(manners.zone))
            if start - _HOUR <= at:
                yield withheld("appointment_confirmation", visit.id, "stale")
            else:
                channel = _channel(patient)
                became = lives.became(manners, patient, channel, "visit", at)
                yield Came("appointment_confirmation", visit.id, channel, became)


def afterwards(world: World, lives: Lives) -> Iterator[Came]:
    """Two hours after a visit, or in the morning; once a month."""
    patients = {patient.id: patient for patient in world.patients}
    asked: set[str] = set()
    ended = lives.visits(lives.moment("23:59")).values()
    for visit in sorted(ended, key=lambda each: (each.date, each.start_time, each.id)):
        if visit.status not in _DONE or visit.end_time is None or not 0 <= (world.day - visit.date).days <= 1:
            continue
        manners, patient = world.manners[visit.organization_id], patients[visit.patient_id or ""]
        ends = dt.datetime.combine(visit.date, visit.end_time, ZoneInfo(manners.zone))
        at = max(ends, visit.updated_at) + 2 * _HOUR
        if lives.goes(manners, at).date() < world.day:
            yield withheld("feedback_request", visit.id, "stale")
        elif patient.id in asked:
            yield withheld("feedback_request", visit.id, "too_often")
        else:
            asked.add(patient.id)
            became = lives.became(manners, patient, "whatsapp", "care", at)
            yield Came("feedback_request", visit.id, "whatsapp", became)


def _channel(patient: Patient) -> str:
    """The preferred one, or the other."""
    ways = [channel for channel, address in (("whatsapp", patient.phone), ("email", patient.email)) if address]
    return patient.preferred_channel if patient.preferred_channel in ways else ways[0]


def _reminder(world: World, lives: Lives, patient: Patient, dues: list[_Due]) -> Iterator[Came]:
    first = min(dues, key=lambda due: due.at)
    template = "appointment_reminder_today"
    if first.is_eve:
        template = "appointment_reminder_multi" if len(dues) > 1 else "appointment_reminder"
    subject = ",".join(due.visit.id for due in dues)
    channel, now = _channel(patient), lives.visits(first.at)
    became = lives.became(world.manners[first.visit.organization_id], patient, channel, "visit", first.at)
    if not all(_same(due.visit, now[due.visit.id]) for due in dues):
        became = "stale"
    yield Came(template, subject, channel, became)


def _same(planned: Visit, now: Visit) -> bool:
    return now.status in _UPCOMING and (now.date, now.start_time) == (planned.date, planned.start_time)


def _of_patients(
    world: World, visits: dict[str, Visit], run: dt.datetime
) -> dict[tuple[str, dt.date, str], list[_Due]]:
    """What is due of each patient, day and rule, by the visits as they are at a run."""
    found: dict[tuple[str, dt.date, str], list[_Due]] = defaultdict(list)
    for visit in sorted(visits.values(), key=lambda each: (each.date, each.start_time, each.id)):
        manners = world.manners[visit.organization_id]
        start = dt.datetime.combine(visit.date, visit.start_time, ZoneInfo(manners.zone))
        if visit.patient_id is None or visit.status not in _UPCOMING or start <= run:
            continue
        for rule in _rules(world, manners):
            at = _moment(rule, visit, start)
            if at is not None:
                due = _Due(visit, rule["id"], at, at.date() < visit.date)
                found[visit.patient_id, visit.date, rule["id"]].append(due)
    return found


def _rules(world: World, manners: Manners) -> list[Any]:
    if manners.reminder_rules is not None:
        return list(manners.reminder_rules)
    clinic = next(each for each in world.of(Organization) if each.id == manners.organization_id)
    return [{"kind": "fisioflow", "id": "fisioflow"}] if clinic.settings else [_DAY_BEFORE]


def _moment(rule: dict[str, Any], visit: Visit, start: dt.datetime) -> dt.datetime | None:
    if rule.get("types") and visit.type not in rule["types"]:
        return None
    if rule["kind"] == "hours_before":
        return start - int(rule["hours"]) * _HOUR
    if rule["kind"] == "day_before":
        return _clock(start, -1, rule["at"])
    bands = (_clock(start, days, at) for first, last, days, at in _FISIOFLOW if first <= start.hour <= last)
    return next(bands, start - _FIVE_HOURS)


def _clock(start: dt.datetime, days: int, clock: str) -> dt.datetime:
    return dt.datetime.combine(start.date() + days * _DAY, dt.time.fromisoformat(clock), start.tzinfo)


def _name(due: _Due) -> tuple[str, str, dt.date, dt.time]:
    return due.visit.id, due.rule, due.visit.date, due.visit.start_time
