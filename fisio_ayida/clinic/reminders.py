"""Reminders of visits: by each clinic's rules, once for each start, at their moment or not at all.

Here: which visits are reminded of in a run, together or alone (CONTRACT clinic §5.6). A run plans for the hour
that follows it, so that each message goes at its moment. Not here: the moments (``reminder_dues.py``), who was
told already (``reminded.py``), and reading the visit again, which happens when the message is sent.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any, Final

from psycopg.rows import namedtuple_row

from fisio_ayida.clinic import planning
from fisio_ayida.clinic.model import Clinic, Connection, Desk, Order, Outcome, Proposal
from fisio_ayida.clinic.old_messages import WHY, sent_by_fisioflow
from fisio_ayida.clinic.reminded import APART, Reminded
from fisio_ayida.clinic.reminder_dues import Due, by_day, dues_of
from fisio_ayida.clinic.reminder_rules import Rule, RuleError, rules_of
from fisio_ayida.clinic.telling import PERSON, Telling, tell, withhold
from fisio_ayida.clinic.visits import DAY, manners, new_decisions, staff_names
from fisio_ayida.messaging.model import CHANNELS, Cause

JOB: Final = "appointment_reminders"
TOMORROW: Final = "appointment_reminder"
TODAY: Final = "appointment_reminder_today"
SEVERAL: Final = "appointment_reminder_multi"
SEVERAL_TODAY: Final = "appointment_reminder_today_multi"
#: The next run's moment: until then this one plans.
AHEAD: Final = dt.timedelta(hours=1)
#: A moment that was missed by more is not made up for.
GRACE: Final = dt.timedelta(hours=2)
#: What FisioFlow reminded of longer ago is no reason not to remind.
BEFORE: Final = dt.timedelta(hours=36)

_QUERY: Final = f"""
select a.id, a.organization_id, a.date, a.start_time, a.type, a.therapist_id,
       coalesce(a.created_at, 'epoch') as created_at, {PERSON}
from unnest(%(ids)s::text[], %(firsts)s::date[], %(lasts)s::date[]) o (id, first, last)
join clinic.appointments a on a.organization_id = o.id and a.date between o.first and o.last
join clinic.patients p on p.id = a.patient_id and p.organization_id = a.organization_id and p.deleted_at is null
where a.date between %(first)s and %(last)s and a.start_time is not null and a.deleted_at is null
  and clinic.status_class(a.status, a.organization_id) in ('upcoming', 'confirmed')
  and (%(only)s::text[] is null or a.patient_id in (
    select w.patient_id from clinic.appointments w where w.id = any(%(only)s)))
order by a.organization_id, a.patient_id, a.date, a.start_time, a.id
"""


def run(desk: Desk, order: Order, *, only: Sequence[str] | None = None) -> Outcome:
    """The job. A clinic whose rules cannot be used is a failure of the run, which goes on for the others.

    Args:
        only: of the patients of these appointments alone.
    """
    return planning.plan(JOB, partial(_find, only=only), desk, order)


def _find(
    desk: Desk, there: Connection, clinics: Sequence[Clinic], order: Order, *, only: Sequence[str] | None
) -> Proposal:
    proposal = Proposal()
    rules: dict[str, tuple[Rule, ...]] = {}
    for clinic in clinics:
        try:
            rules[clinic.id] = rules_of(clinic)
        except RuleError as error:
            proposal.failures.append((clinic.id, str(error)))
    by_id = {clinic.id: clinic for clinic in clinics if rules.get(clinic.id)}
    if not by_id:
        return proposal
    rows = _visits(there, list(by_id.values()), order, only)
    names = staff_names(there, list(by_id.values()))
    days = by_day(dues_of(rows, by_id, rules, manners(desk.conn, clinics), names, order))
    # Where nothing is due yet, nobody needs to know who was told.
    horizon = order.nominal + AHEAD
    pressing = [day for day in days if any(due.at <= horizon for due in day)]
    patients = {day[0].row.patient_id for day in pressing}
    reminded = Reminded.read(desk.conn, patients, is_shadow=order.is_shadow)
    theirs = _sent_by_fisioflow(there, pressing, order)
    for day in pressing:
        _Day(day, reminded, theirs, order, proposal).plan()
    return new_decisions(desk.conn, JOB, proposal)


def _visits(there: Connection, clinics: Sequence[Clinic], order: Order, only: Sequence[str] | None) -> list[Any]:
    firsts = [clinic.day(order.nominal) for clinic in clinics]
    lasts = [clinic.day(order.nominal + AHEAD) + DAY for clinic in clinics]
    values = {
        "ids": [clinic.id for clinic in clinics], "firsts": firsts, "lasts": lasts, "first": min(firsts),
        "last": max(lasts), "only": None if only is None else list(only),
    }  # fmt: skip
    with there.cursor(row_factory=namedtuple_row) as cur:
        return cur.execute(_QUERY, values).fetchall()


def _sent_by_fisioflow(there: Connection, days: Sequence[Sequence[Due]], order: Order) -> set[str]:
    """The visits of which FisioFlow reminded since they were booked."""
    visits = {due.row.id: due.row for day in days for due in day}
    sent = sent_by_fisioflow(there, JOB, list(visits.values()), order, since=order.now - BEFORE)
    found = ((visits.get(each.appointment_id or ""), each.sent_at) for each in sent)
    return {row.id for row, at in found if row is not None and at >= row.created_at}


class _Day:
    """All that a patient could be reminded of for one day."""

    def __init__(
        self, dues: Sequence[Due], reminded: Reminded, theirs: Collection[str], order: Order, proposal: Proposal
    ) -> None:
        self.reminded = reminded
        self.theirs = theirs
        self.proposal = proposal
        self.horizon = order.nominal + AHEAD
        self.missed_until = max(order.nominal, order.now) - GRACE
        by_rule: dict[str, list[Due]] = defaultdict(list)
        for due in dues:
            by_rule[due.rule.id].append(due)
        self.rules = list(by_rule.values())

    def plan(self) -> None:
        for dues in self.rules:
            self._eve([due for due in dues if due.moment.is_eve])
            self._same_day([due for due in dues if not due.moment.is_eve])

    def _eve(self, dues: Sequence[Due]) -> None:
        """One message at the first moment for all of them."""
        told = [due for due in dues if self._is_told(due)]
        alive = [due for due in dues if due not in told and self._is_possible(due)]
        self._together(alive, told, SEVERAL, TOMORROW)

    def _same_day(self, dues: Sequence[Due]) -> None:
        """One message for those whose own would go within an hour."""
        told = [due for due in dues if self._is_told(due)]
        group: list[Due] = []
        for due in sorted(dues, key=lambda due: (due.sent_at, due.start, due.row.id)):
            if due in told or not self._is_possible(due):
                continue
            if group and due.sent_at - group[0].sent_at >= APART:
                self._told_today(group, told)
                group = []
            group.append(due)
        self._told_today(group, told)

    def _told_today(self, group: Sequence[Due], told: Sequence[Due]) -> None:
        near = [due for due in told if abs(due.sent_at - group[0].sent_at) < APART] if group else []
        self._together(sorted(group, key=lambda due: (due.start, due.row.id)), near, SEVERAL_TODAY, TODAY)

    def _together(self, alive: Sequence[Due], told: Sequence[Due], several: str, alone: str) -> None:
        """One message for all of them; whoever was told of some hears of the others alone."""
        pressing = [due for due in alive if due.at <= self.horizon]
        if not pressing:
            return
        # Those who were all told, and moved since, have used the joint message up, too.
        if len(alive) > 1 and not told and not self.reminded.has_told(alive[0].joint_key("whatsapp")):
            self._tell(alive, several, min(due.sent_at for due in alive))
            return
        for due in pressing:
            self._tell([due], alone, due.sent_at)

    def _is_told(self, due: Due) -> bool:
        if self.reminded.by(due.row.id, due.start, due.rule.id):
            return True
        if due.row.id in self.theirs:
            reason, detail = WHY
        elif self.reminded.near(due.row.id, due.start, due.sent_at):
            reason, detail = "merged", "another reminder of the visit is within the hour"
        else:
            return False
        if due.at <= self.horizon:
            self._withhold(due, reason, detail)
        return True

    def _is_possible(self, due: Due) -> bool:
        """Whether its moment can be kept; else it is withheld, once."""
        why = ""
        if due.row.created_at > due.at:
            # The grace is for runs that are late, not for visits.
            why = f"booked after its moment, {_stamp(due.at)}"
        elif due.sent_at <= self.missed_until:
            why = f"its moment was {_stamp(due.sent_at)}"
        if why:
            if not self.reminded.was_decided(due.row.id, due.start, due.rule.id):
                self._withhold(due, "stale", why)
            return False
        if due.sent_at < due.moment.useless:
            return True
        if due.at <= self.horizon:
            reason = "quiet_hours" if due.sent_at > due.at else "stale"
            words = f"sent at {_stamp(due.sent_at)}, useless from {_stamp(due.moment.useless)}"
            self._withhold(due, reason, words)
        return False

    def _tell(self, dues: Sequence[Due], template: str, sent_at: dt.datetime) -> None:
        first = dues[0]
        tell(_telling(dues, template, sent_at), first.row, self.proposal)
        for due in dues:
            self.reminded.add(due.row.id, due.start, due.key("whatsapp"), sent_at)

    def _withhold(self, due: Due, reason: str, detail: str) -> None:
        telling = _telling([due], TOMORROW if due.moment.is_eve else TODAY, due.sent_at)
        withhold(telling, due.row.patient_id, reason, detail, self.proposal)


def _telling(dues: Sequence[Due], template: str, sent_at: dt.datetime) -> Telling:
    """One message about one visit, or about several in the order of their starts."""
    first = dues[0]
    several = template in (SEVERAL, SEVERAL_TODAY)
    visits = [_words(due) for due in dues]
    return Telling(
        clinic=first.clinic, job=JOB, template=template, key=first.joint_key if several else first.key,
        cause=Cause(
            "appointments" if several else "appointment", ",".join(due.row.id for due in dues),
            ",".join(due.start for due in dues),
        ),
        variables={
            "data": first.row.date, "endereco": first.manners.address, "telefone": first.manners.phone,
            **({"visitas": visits} if several else visits[0]),
        },
        due_at=sent_at, not_after=min(due.moment.not_after for due in dues), only=first.rule.channels or CHANNELS,
    )  # fmt: skip


def _words(due: Due) -> dict[str, Any]:
    said = {"hora": f"{due.row.start_time:%H:%M}", "profissional": due.professional}
    return {name: value for name, value in said.items() if value}


def _stamp(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="minutes")
