"""What must come of the made-up Monday: every message and what becomes of it, by plain Python over the rows.

Here: a second opinion, written without the project's code and without SQL. Not here: the clinics (``clinics.py``),
and what really came.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Final
from zoneinfo import ZoneInfo

from fisio_ayida.simulators.fisioflow.came import Came, withheld
from fisio_ayida.simulators.fisioflow.state import Lives
from fisio_ayida.simulators.fisioflow.visiting import afterwards, bookings, reminders
from fisio_ayida.simulators.fisioflow.world import (
    Log,
    Manners,
    Package,
    Patient,
    Payment,
    Say,
    Session,
    Staff,
    Visit,
    World,
)

_DAY: Final = dt.timedelta(days=1)
_OLDEST: Final = 120
_WORDS: Final = {
    "agendado": "upcoming", "presenca_confirmada": "upcoming", "atendido": "done", "completed": "done",
    "faltou": "absent", "cancelado": "cancelled", "remarcar": "to_rebook",
}  # fmt: skip
_ADMINISTRATORS: Final = frozenset({"admin", "owner"})


def expected(world: World) -> set[Came]:
    """All messages of the day."""
    lives = Lives(world)
    return {
        *_birthdays(world, lives), *_packages(world, lives), *_invitations(world, lives), *_reports(world),
        *reminders(world, lives), *bookings(world, lives), *afterwards(world, lives), *_answers(world),
        *_alerts(world), *_unfinished(world),
    }  # fmt: skip


def faults(world: World) -> dict[str, dict[str, int]]:
    """By clinic and check, the rows that contradict something; only what is made up as a fault is one."""
    visits = {visit.id: visit for visit in world.of(Visit)}
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for session in world.of(Session):
        visit = visits.get(session.appointment_id or "")
        if visit is None:
            found[session.organization_id]["sessions_without_appointment"] += 1
        elif visit.patient_id != session.patient_id:
            found[session.organization_id]["sessions_with_other_patient"] += 1
    for payment in world.of(Payment):
        if payment.appointment_id not in visits:
            found[payment.organization_id]["payments_without_appointment"] += 1
    for package in world.of(Package):
        if package.remaining_sessions < 0:
            found[package.organization_id]["packages_with_impossible_balance"] += 1
    for visit in visits.values():
        if visit.status not in _WORDS:
            found[visit.organization_id]["appointments_with_unknown_status"] += 1
    return found


def numbers(world: World) -> dict[str, Counter[str]]:
    """By clinic, what yesterday's report must say."""
    found: dict[str, Counter[str]] = {id: Counter() for id in world.manners}
    for visit in world.of(Visit):
        if visit.date == world.day - _DAY:
            found[visit.organization_id].update(["scheduled", _WORDS[visit.status]])
    for patient in world.patients:
        zone = ZoneInfo(world.manners[patient.organization_id or ""].zone)
        if patient.created_at.astimezone(zone).date() == world.day - _DAY:
            found[patient.organization_id or ""]["new_patients"] += 1
    return found


def tomorrow(world: World) -> list[Visit]:
    """The visits that are booked for tomorrow when the day begins."""
    return [visit for visit in world.of(Visit) if visit.date == world.day + _DAY]


def _birthdays(world: World, lives: Lives) -> Iterator[Came]:
    for patient, manners in _living(world):
        born = patient.date_of_birth
        if born is None or world.day.year - born.year > _OLDEST:
            continue
        kept = f"{born:%m-%d}"
        if kept == "02-29" and not calendar.isleap(world.day.year):
            kept = manners.leap_birthday
        if kept == f"{world.day:%m-%d}":
            both = manners.birthday_channels == "both"
            yield from _told(lives, manners, patient, "birthday", patient.id, "09:00", both=both)


def _packages(world: World, lives: Lives) -> Iterator[Came]:
    patients = {patient.id: patient for patient in world.patients}
    for package in world.of(Package):
        patient, manners = patients[package.patient_id], world.manners[package.organization_id]
        ends = _expiry(package, manners)
        if ends is None or package.remaining_sessions <= 0 or not package.is_active:
            continue
        if world.day < ends <= world.day + 7 * _DAY:
            yield from _told(lives, manners, patient, "voucher_expiring", package.id, "10:00", both=True)


def _invitations(world: World, lives: Lives) -> Iterator[Came]:
    """Who was last here in the week that began 36 days ago, and comes no more."""
    first, last = world.day - 36 * _DAY, world.day - 30 * _DAY
    for patient, manners in _living(world):
        visits = [visit for visit in world.of(Visit) if visit.patient_id == patient.id]
        done = [visit.date for visit in visits if _WORDS.get(visit.status) == "done"]
        if not done or not first <= max(done) <= last:
            continue
        if any(_WORDS.get(visit.status) == "upcoming" and visit.date >= world.day for visit in visits):
            yield withheld("reactivation", patient.id, "booked")
        else:
            yield from _told(lives, manners, patient, "reactivation", patient.id, "10:00")


def _reports(world: World) -> Iterator[Came]:
    """The day before, and the week before, to those who asked; nothing where nothing happened."""
    for person in world.of(Staff):
        manners = world.manners[person.organization_id]
        if not person.is_active:
            continue
        for wants, template, days in (
            (person.wants_daily_report, "daily_report", 1),
            (person.wants_weekly_summary, "weekly_summary", 7),
        ):
            if wants:
                first = world.day - days * _DAY
                if _happened(world, manners, first):
                    yield Came(template, person.user_id, "email", "sent")
                else:
                    yield withheld(template, person.user_id, "nothing_happened")


def _answers(world: World) -> Iterator[Came]:
    """What patients are told who have answered."""
    for event in world.script:
        if isinstance(event.act, Say):
            template = "reply_confirmed" if event.act.text == "1" else "reply_opt_out"
            yield Came(template, event.patient_id, "whatsapp", "sent")


def _alerts(world: World) -> Iterator[Came]:
    """Clinics with faults, to their administrators; once, for nothing changes during the day."""
    for person in world.of(Staff):
        if person.organization_id in faults(world) and not _ADMINISTRATORS.isdisjoint(person.roles):
            yield Came("integrity_alert", person.user_id, "email", "sent")


def _unfinished(world: World) -> Iterator[Came]:
    """Records that nobody closed for a week, to their author."""
    for session in world.of(Session):
        if session.status == "draft" and session.updated_at.date() < world.day - 7 * _DAY:
            yield Came("unfinished_sessions", session.therapist_id or "", "email", "sent")


def kept_logs(world: World) -> set[str]:
    """The rows of FisioFlow's logs that are still there in the evening: those of yesterday."""
    return {log.id for log in world.of(Log) if log.created_at.date() >= world.day - _DAY}


def _happened(world: World, manners: Manners, first: dt.date) -> bool:
    """Whether there were visits or new patients from ``first`` to yesterday."""
    zone = ZoneInfo(manners.zone)
    return any(
        visit.organization_id == manners.organization_id and first <= visit.date < world.day
        for visit in world.of(Visit)
    ) or any(
        patient.organization_id == manners.organization_id
        and first <= patient.created_at.astimezone(zone).date() < world.day
        for patient in world.patients
    )


def _living(world: World) -> Iterator[tuple[Patient, Manners]]:
    for patient in world.patients:
        if patient.is_active and patient.deleted_at is None and patient.organization_id is not None:
            yield patient, world.manners[patient.organization_id]


def _expiry(package: Package, manners: Manners) -> dt.date | None:
    if package.expires_on is not None:
        return package.expires_on
    return None if package.expires_at is None else package.expires_at.astimezone(ZoneInfo(manners.zone)).date()


def _told(
    lives: Lives, manners: Manners, patient: Patient, template: str, subject: str, clock: str, *,
    both: bool = False,
) -> Iterator[Came]:  # fmt: skip
    """On the preferred channel, or on both; ``clock``: when, in São Paulo."""
    ways = [channel for channel, address in (("whatsapp", patient.phone), ("email", patient.email)) if address]
    ways.sort(key=lambda channel: channel != patient.preferred_channel)
    if not ways:
        yield withheld(template, subject, "no_address")
    for channel in ways if both else ways[:1]:
        yield Came(template, subject, channel, lives.became(manners, patient, channel, "marketing", clock))
