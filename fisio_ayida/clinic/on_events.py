"""What FisioFlow's events about visits and ready-made messages lead to: the jobs' code, for one visit or patient.

Here: reading an event's payload, and what its result says. Not here: the events' shapes and retries
(``events/registry.py``), and binding names to these functions (``defs/events/handlers.py``).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from fisio_ayida.clinic import by_request, confirmations, feedback, reminders, reports
from fisio_ayida.clinic.model import Connection, Desk, Order, Outcome
from fisio_ayida.clinic.registry import EARLIEST, JOBS, ZONE
from fisio_ayida.messaging.model import CHANNELS, Channel
from fisio_ayida.messaging.requests import Asking
from fisio_ayida.warehouse.clinic import ClinicDoor

Result = dict[str, Any]

_REPORTS: Final = "daily_reports"

_OF: Final = {
    "appointment": "select organization_id from clinic.appointments where id = %s",
    "patient": "select organization_id from clinic.patients where id = %s",
}
_CLASSES: Final = "select clinic.status_class(%s::text, %s), clinic.status_class(%s::text, %s)"
_PLANNED: Final = "select id from messaging.messages where key = any(%s) order by id"
_WAITING: Final = """
select id from messaging.messages
where state in ('planned', 'deferred', 'retry') and (
  cause_kind = 'appointment' and cause_id = %(id)s
  or cause_kind = 'appointments' and patient_id = %(patient)s and %(id)s = any(string_to_array(cause_id, ',')))
order by id
"""
_PATIENT_OF: Final = "select patient_id from clinic.appointments where id = %s"
# Who has left a clinic for another one is the other one's.
_USERS: Final = """
select distinct on (user_id, organization_id) user_id, id, organization_id from (
  select user_id, id, organization_id,
         rank() over (partition by user_id order by (is_active is true) desc) as place
  from clinic.patients
  where user_id = any(%(users)s) and deleted_at is null and (%(only)s = '' or organization_id = %(only)s)) p
where place = 1 order by user_id, organization_id, id desc
"""


class Unusable(ValueError):
    """The payload names nothing that can be acted on; the text names the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event to be handled. ``shadowed``: jobs that send nothing."""

    name: str
    data: Mapping[str, Any] = field(repr=False)
    now: dt.datetime
    run_id: str
    shadowed: Collection[str] = ()

    def order(self, job: str, organization: str | None) -> Order:
        """What is asked of a job."""
        return Order(
            nominal=self.now.astimezone(ZoneInfo(ZONE)), now=self.now, run_id=self.run_id,
            organization=organization, is_shadow=job in self.shadowed,
        )  # fmt: skip


def created(desk: Desk, event: Event) -> Result:
    """A visit was booked: its confirmation."""
    id = _id(event, "appointmentId")
    order = event.order(confirmations.JOB, _clinic_of(desk, event, "appointment", "appointmentId", id))
    return _result(desk, confirmations.confirm(desk, order, [id]))


def updated(desk: Desk, event: Event) -> Result:
    """A visit's row changed: what is done now is asked about, what was moved is announced if its moment is now."""
    record, old = event.data["record"], event.data.get("old_record")
    id = record.get("id")
    if not isinstance(id, str) or not id:
        raise Unusable(f"record.id={id!r} is no appointment")
    organization = _checked(
        desk, "appointment", "record.id", id, "record.organization_id", record.get("organization_id")
    )
    now_class, old_class = _classes(desk, organization, record, old or {})
    # A save of a visit that was done before is none of ours (D-40).
    if now_class == "done" and old_class != "done":
        return _result(desk, feedback.ask(desk, event.order(feedback.JOB, organization), [id]))
    is_moved = old is not None and any(record.get(name) != old.get(name) for name in ("date", "start_time"))
    if is_moved and now_class in ("upcoming", "confirmed"):
        return _result(desk, reminders.run(desk, event.order(reminders.JOB, organization), only=[id]))
    return {"ignored": f"neither done now nor moved: {now_class}"}


def cancelled(desk: Desk, event: Event) -> Result:
    """A visit was cancelled: nobody is told; what waits for it stops when it would be sent."""
    id = _id(event, "appointmentId")
    organization = _clinic_of(desk, event, "appointment", "appointmentId", id)

    def patient(there: Connection) -> str | None:
        row = there.execute(_PATIENT_OF, [id]).fetchone()
        return row[0] if row else None

    values = {"id": id, "patient": desk.clinic.within(desk.conn, organization, patient)}
    return {"stops": [message for (message,) in desk.conn.execute(_WAITING, values)]}


def reminder(desk: Desk, event: Event) -> Result:
    """A reminder by hand: of one visit, or the whole job."""
    if event.data.get("appointmentId") is not None:
        return _wished(desk, event, by_request.REMINDER, "appointment", CHANNELS, among=True)
    organization = event.data.get("organizationId")
    outcome = reminders.run(desk, event.order(reminders.JOB, organization))
    return {
        "clinics": outcome.clinics, "new": sum(outcome.planned.values()), "known": outcome.known,
        "withheld": dict(outcome.withheld), **_refused(outcome),
    }  # fmt: skip


def ready_made(desk: Desk, event: Event) -> Result:
    """A message that the event's name says, on the channel that it says."""
    start, _, what = event.name.partition("/")
    channel: Literal["email", "whatsapp"] = "email" if start == "email" else "whatsapp"
    wish = by_request.WISHES[what]
    kind: Literal["appointment", "patient"] = "appointment" if wish.cause == "appointment" else "patient"
    return _wished(desk, event, wish, kind, (channel,), among=False)


def daily_report(desk: Desk, event: Event) -> Result:
    """The report of a clinic's civil day, yesterday's if no ``date`` is given, to those of its staff who asked."""
    id, day = _id(event, "organizationId"), event.data.get("date")
    order = event.order(_REPORTS, id)
    if day is not None:
        try:
            following = dt.date.fromisoformat(day) + dt.timedelta(days=1)
        except (TypeError, ValueError, OverflowError):
            raise Unusable(f"date={day!r} is no day: YYYY-MM-DD") from None
        if following <= EARLIEST:
            raise Unusable(f"date={day!r} is before {EARLIEST}")
        order = replace(order, nominal=JOBS[_REPORTS].when.of(following))
        if following > event.now.astimezone(ZoneInfo(ZONE)).date():
            raise Unusable(f"date={day!r} is not over yet")
    return _result(desk, reports.run_daily(desk, order))


def to_people(conn: Connection, door: ClinicDoor, asking: Asking, organization: str) -> Asking:
    """The messages of a multicast: those to users go to them as patients, whose devices are read when it is sent.

    Raises:
        Unusable: under row security the event has to say whose patients they are.
    """
    users = sorted({draft.user_id for draft in asking.drafts.values() if draft.user_id})
    if not users:
        return asking
    if not organization and door.tenant is not None:
        raise Unusable("organizationId is missing: row security hides the patients of all clinics")

    def patients(there: Connection) -> list[tuple[str, str, str | None]]:
        return there.execute(_USERS, {"users": users, "only": organization}).fetchall()

    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for user, id, clinic in door.within(conn, organization, patients):
        found[user].append((id, clinic or ""))
    drafts, refused = {}, dict(asking.refused)
    for place, draft in asking.drafts.items():
        if draft.user_id is None:
            drafts[place] = draft
        elif draft.user_id not in found:
            refused[place] = f"userId={draft.user_id!r} is no patient's"
        elif len(found[draft.user_id]) > 1:
            who = f"userId={draft.user_id!r} is a patient of several organisations"
            refused[place] = f"{who}: organizationId is needed"
        else:
            [(patient, organization_id)] = found[draft.user_id]
            drafts[place] = replace(draft, patient_id=patient, organization_id=organization_id)
    return Asking(drafts, refused)


Handler = Callable[[Desk, Event], Result]

#: By the event's name. A multicast is a message that an app words itself: ``messaging/requests.py``.
HANDLERS: Final[Mapping[str, Handler]] = {
    "appointment/created": created,
    "appointment/updated": updated,
    "appointment/cancelled": cancelled,
    "appointment/reminder": reminder,
    "email/daily.report": daily_report,
    **{f"{channel}/{what}": ready_made for channel in ("email", "whatsapp") for what in by_request.WISHES},
}


def _wished(
    desk: Desk, event: Event, wish: by_request.Wish, kind: Literal["appointment", "patient"],
    channels: Collection[Channel], *, among: bool,
) -> Result:  # fmt: skip
    name = f"{kind}Id"
    id = _id(event, name)
    order = event.order(wish.job, _clinic_of(desk, event, kind, name, id))
    try:
        return _result(desk, by_request.plan(wish, desk, order, id, channels, among=among))
    except by_request.NotNow as error:
        return {"messages": [], "new": 0, "ignored": str(error)}


def _id(event: Event, name: str) -> str:
    id = event.data.get(name)
    if not isinstance(id, str) or not id:
        raise Unusable(f"{name}={id!r}: without it nobody knows whom the message is for")
    return id


def _clinic_of(desk: Desk, event: Event, kind: str, name: str, id: str) -> str:
    return _checked(desk, kind, name, id, "organizationId", event.data.get("organizationId"))


def _checked(desk: Desk, kind: str, name: str, id: str, clinic_name: str, given: Any) -> str:
    """The organisation of a row; an event that names another one is not believed (D-39)."""
    if given is not None and not isinstance(given, str):
        raise Unusable(f"{clinic_name}={given!r} is no id")
    if not given and desk.clinic.tenant is not None:
        raise Unusable(f"{clinic_name} is missing: row security hides the rows of all clinics")
    row = desk.clinic.within(desk.conn, given or "", lambda there: there.execute(_OF[kind], [id]).fetchone())
    if row is None or row[0] is None or (given and row[0] != given):
        raise Unusable(f"{name}={id!r} is no {kind} of {f'organization {given!r}' if given else 'any clinic'}")
    return str(row[0])


def _classes(desk: Desk, organization: str, record: Mapping[str, Any], old: Mapping[str, Any]) -> tuple[str, str]:
    def ask(there: Connection) -> tuple[str, str]:
        words = [_word(record), organization, _word(old), organization]
        row = there.execute(_CLASSES, words).fetchone()
        return row if row is not None else ("unknown", "unknown")

    return desk.clinic.within(desk.conn, organization, ask)


def _word(record: Mapping[str, Any]) -> str | None:
    """The status word of a row that is still there."""
    status = record.get("status")
    return status if isinstance(status, str) and record.get("deleted_at") is None else None


def _result(desk: Desk, outcome: Outcome) -> Result:
    """What an event's result says: which messages there are now, and why there are no others."""
    ids = [id for (id,) in desk.conn.execute(_PLANNED, [outcome.planned_keys])] if outcome.planned_keys else []
    result: Result = {"messages": ids, "new": sum(outcome.planned.values()), "known": outcome.known}
    if outcome.withheld_keys:
        result["withheld"] = [
            f"{key}: {reason}: {detail}".removesuffix(": ") for key, reason, detail in outcome.withheld_keys
        ]
    if not outcome.clinics and not outcome.failures:
        result["ignored"] = "the organisation is inactive"
    return result | _refused(outcome)


def _refused(outcome: Outcome) -> Result:
    reasons = [f"{organization}: {why}" for organization, why in outcome.failures]
    return {"refused": reasons} if reasons else {}
