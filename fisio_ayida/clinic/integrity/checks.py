"""The registry of integrity checks: one row each, with the query that gives the rows that contradict something.

Light: Dagster's definitions read it. Not here: counting them (``looking.py``), and who is told (``alerts.py``).
Under FisioFlow's row security a parent of another clinic is invisible: there it counts as missing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

#: Only visits of so many civil days are asked for their session: FisioFlow's records begin somewhere.
SESSION_DAYS: Final = 90
#: How long a professional may take for it.
SESSION_AFTER: Final = dt.timedelta(hours=24)
#: Only reminders of this time are looked for in the outbox.
REMINDED_WITHIN: Final = dt.timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check.

    Args:
        relation: of schema ``clinic``, whose rows it finds.
        title: Portuguese, for the e-mail.
        sql: gives (organization_id, id) of each row that is wrong. It may use %(ids)s and %(zones)s (the clinics
            and their zones), %(nominal)s (the run's moment), %(day)s (its civil day), %(session_days)s,
            %(session_after)s, %(reminding)s and %(since)s (clinics that we remind for, and since when).
        in_outbox: what ``sql`` gives is only wrong if the outbox has no reminder of it.
    """

    name: str
    relation: str
    title: str
    description: str
    sql: str
    in_outbox: bool = False


def _missing(child: str, column: str, parent: str, alive: str = "true") -> str:
    """Rows that point to a row that is not there; a deleted one is."""
    return f"""
select c.organization_id, c.id from clinic.{child} c
where {alive} and c.{column} is not null and not exists (select from clinic.{parent} p where p.id = c.{column})
"""


def _elsewhere(child: str, column: str, parent: str, alive: str = "true") -> str:
    """Rows of another organisation than what they point to."""
    return f"""
select c.organization_id, c.id from clinic.{child} c join clinic.{parent} p on p.id = c.{column}
where {alive} and c.organization_id is distinct from p.organization_id
"""


_ALIVE = "c.deleted_at is null"
# The class of a word is asked once for each clinic and word; merged into one step, it would be asked once a visit.
_WORDS = """
with words as materialized (
  select distinct a.organization_id, a.status from clinic.appointments a where a.deleted_at is null and {which})
select coalesce(organization_id, '') as organization, coalesce(status, '') as status
from words where clinic.status_class(coalesce(status, ''), coalesce(organization_id, '')) = '{of_class}'
"""
_SAYS = "w.organization = coalesce(a.organization_id, '') and w.status = coalesce(a.status, '')"
_LATELY = "a.date between %(day)s::date - %(session_days)s::integer and %(day)s::date"

ROWS: Final = (
    Check(
        name="appointments_without_patient", relation="appointments", title="Agendamentos sem paciente",
        description="Visits of no patient, or of one that does not exist.",
        sql="""
select a.organization_id, a.id from clinic.appointments a
where a.deleted_at is null and not exists (select from clinic.patients p where p.id = a.patient_id)
""",
    ),
    Check(
        name="sessions_without_appointment", relation="sessions",
        title="Sessões que apontam para um agendamento inexistente",
        description="Sessions that point to a visit that does not exist.",
        sql=_missing("sessions", "appointment_id", "appointments", _ALIVE),
    ),
    Check(
        name="sessions_with_other_patient", relation="sessions",
        title="Sessões de um paciente diferente do agendamento",
        description="Sessions of another patient than their visit's.",
        sql="""
select s.organization_id, s.id from clinic.sessions s join clinic.appointments a on a.id = s.appointment_id
where s.deleted_at is null and s.patient_id is distinct from a.patient_id
""",
    ),
    Check(
        name="payments_without_appointment", relation="payments",
        title="Pagamentos que apontam para um agendamento inexistente",
        description="Payments that point to a visit that does not exist.",
        sql=_missing("payments", "appointment_id", "appointments"),
    ),
    Check(
        name="payments_without_patient", relation="payments",
        title="Pagamentos que apontam para um paciente inexistente",
        description="Payments that point to a patient who does not exist.",
        sql=_missing("payments", "patient_id", "patients"),
    ),
    Check(
        name="patients_without_organization", relation="patients", title="Pacientes sem clínica válida",
        description="Patients of no organisation, or of one that does not exist.",
        sql="""
select p.organization_id, p.id from clinic.patients p
where p.deleted_at is null and not exists (select from clinic.organizations o where o.id = p.organization_id)
""",
    ),
    Check(
        name="appointments_of_other_organization", relation="appointments",
        title="Agendamentos em clínica diferente da clínica do paciente",
        description="Visits in another organisation than their patient's.",
        sql=_elsewhere("appointments", "patient_id", "patients", _ALIVE),
    ),
    Check(
        name="sessions_of_other_organization", relation="sessions",
        title="Sessões em clínica diferente da clínica do agendamento",
        description="Sessions in another organisation than their visit's.",
        sql=_elsewhere("sessions", "appointment_id", "appointments", _ALIVE),
    ),
    Check(
        name="packages_of_other_organization", relation="packages",
        title="Pacotes em clínica diferente da clínica do paciente",
        description="Packages and vouchers in another organisation than their patient's.",
        sql=_elsewhere("packages", "patient_id", "patients", _ALIVE),
    ),
    Check(
        name="payments_of_other_organization", relation="payments",
        title="Pagamentos em clínica diferente da clínica do agendamento",
        description="Payments in another organisation than their visit's.",
        sql=_elsewhere("payments", "appointment_id", "appointments"),
    ),
    Check(
        name="appointments_of_others_staff", relation="appointments",
        title="Agendamentos com profissional de outra clínica",
        description="Visits to a professional who works in other organisations only.",
        sql="""
select a.organization_id, a.id from clinic.appointments a
where a.deleted_at is null
  and exists (select from clinic.staff s where s.user_id = a.therapist_id)
  and not exists (select from clinic.staff s
                  where s.user_id = a.therapist_id and s.organization_id = a.organization_id)
""",
    ),
    Check(
        name="done_without_session", relation="appointments",
        title="Atendimentos realizados há mais de 24 horas sem sessão registrada",
        description=f"Visits of the last {SESSION_DAYS} days that are done, and of which 24 hours after their end "
        "there is no session.",
        # Without an end it is an hour after the start.
        sql=f"""
select a.organization_id, a.id
from clinic.appointments a
join ({_WORDS.format(which=_LATELY, of_class="done")}) w on {_SAYS}
left join unnest(%(ids)s::text[], %(zones)s::text[]) z (id, zone) on z.id = a.organization_id
where a.deleted_at is null and {_LATELY}
  and (a.date + case when a.end_time >= a.start_time then a.end_time - time '00:00'
                     else a.start_time - time '00:00' + interval '1 hour' end)
      at time zone coalesce(z.zone, 'America/Sao_Paulo') + %(session_after)s <= %(nominal)s
  and not exists (select from clinic.sessions s
                  where s.appointment_id = a.id and s.deleted_at is null and s.status is distinct from 'cancelled')
""",
    ),
    Check(
        name="packages_with_impossible_balance", relation="packages", title="Pacotes com saldo impossível",
        description="Packages and vouchers whose sessions are negative, more than were sold, or do not add up.",
        sql="""
select g.organization_id, g.id from clinic.packages g
where g.deleted_at is null
  and (least(g.total_sessions, g.used_sessions, g.remaining_sessions) < 0
       or greatest(g.used_sessions, g.remaining_sessions) > g.total_sessions
       or g.used_sessions + g.remaining_sessions <> g.total_sessions)
""",
    ),
    Check(
        name="appointments_with_unknown_status", relation="appointments",
        title="Agendamentos com situação desconhecida",
        description="Visits whose status word is neither FisioFlow's nor one of the clinic's own.",
        sql=f"""
select a.organization_id, a.id from clinic.appointments a
join ({_WORDS.format(which="true", of_class="unknown")}) w on {_SAYS}
where a.deleted_at is null
""",
    ),
    Check(
        name="reminders_not_in_outbox", relation="appointments",
        title="Agendamentos marcados como lembrados sem mensagem enviada por nós",
        description=f"Visits marked as reminded in the last {REMINDED_WITHIN.days} days of which the outbox has "
        "no reminder; only since it has one of their clinic. Somebody else reminds, too.",
        sql="""
select a.organization_id, a.id
from unnest(%(reminding)s::text[], %(since)s::timestamptz[]) r (id, since)
join clinic.appointments a on a.organization_id = r.id and a.reminder_sent_at >= r.since
where a.deleted_at is null
""",
        in_outbox=True,
    ),
)  # fmt: skip

#: By name.
CHECKS: Final[Mapping[str, Check]] = {row.name: row for row in ROWS}
