"""One run of a job that writes to people: find, withhold what is stale, plan the rest, keep every decision.

Here: what all such jobs share, so that each of them is only a question to the clinic's data. Not here: the
questions (``birthdays.py`` and its neighbours), and sending.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec
import psycopg

from fisio_ayida.clinic import checking, organizations, telling
from fisio_ayida.clinic.model import SHOWN, Clinic, Connection, Desk, Order, Outcome, Proposal, Withheld
from fisio_ayida.messaging.model import Draft
from fisio_ayida.messaging.quiet import DEFAULT
from fisio_ayida.telemetry import excerpt
from fisio_ayida.warehouse.clinic import ClinicError
from fisio_ayida.warehouse.errors import said

#: What a job asks: on a connection where these clinics' rows are visible.
Finder = Callable[[Desk, Connection, Sequence[Clinic], Order], Proposal]
#: What is done for some clinics; it counts into an outcome that is forgotten if it fails.
Work = Callable[[Connection, Sequence[Clinic], Outcome], None]

CHUNK: Final = 1000
# Faults of a clinic's rows, not of the database as a whole: the other clinics go on.
OF_SOMEBODYS_ROWS: Final = (
    psycopg.DataError, psycopg.IntegrityError, psycopg.InternalError, psycopg.ProgrammingError, ValueError,
    TypeError, ArithmeticError,
)  # fmt: skip

# In the order of keys: two runs that decide the same at once never wait for each other. A message that is withheld
# for another reason than before is decided anew.
_DECIDE = """
insert into jobs.decisions (job, key, outcome, day, organization_id, patient_id, cause_kind, cause_id, channel,
                            template, due_at, reason, detail, run_id, at)
select %(job)s, d.key, d.outcome, (%(nominal)s::timestamptz at time zone coalesce(y.zone, %(zone)s))::date,
       d.organization_id, d.patient_id, d.cause_kind, d.cause_id, d.channel, d.template, d.due_at, d.reason,
       d.detail, %(run_id)s, %(now)s
from json_to_recordset(convert_from(%(rows)b, 'UTF8')::json)
  as d (key text, outcome text, organization_id text, patient_id text, cause_kind text, cause_id text,
        channel text, template text, due_at timestamptz, reason text, detail text)
left join messaging.policies y on y.organization_id = d.organization_id
order by d.key
on conflict (job, key, outcome) do update set
  reason = excluded.reason, detail = excluded.detail, run_id = excluded.run_id, at = excluded.at,
  day = excluded.day, due_at = excluded.due_at
where (jobs.decisions.reason, jobs.decisions.detail) is distinct from (excluded.reason, excluded.detail)
returning key
"""
# The database's own order, in which the outbox plans each thousand.
_ORDERED = "select key from unnest(%s::text[]) key order by key"
_SHADOWED = "select key, true from jobs.decisions where job = %s and outcome = 'shadow' and key = any(%s)"
_FAILED = """
insert into jobs.failures (job, nominal, organization_id, error, run_id, at)
select %(job)s, %(nominal)s, f.organization_id, f.error, %(run_id)s, %(now)s
from unnest(%(organizations)s::text[], %(errors)s::text[]) f (organization_id, error)
"""


def plan(job: str, find: Finder, desk: Desk, order: Order) -> Outcome:
    """Do a run of ``job`` for all of its clinics.

    Raises:
        ClinicError: the relations are not as agreed, or hidden: nothing was done.
        BadOrder: the organisation that is asked for does not exist.
    """
    outcome, clinics = begin(job, desk, order)

    def work(there: Connection, members: Sequence[Clinic], part: Outcome) -> None:
        proposal = find(desk, there, members, order)
        keep(desk, order, proposal, part)
        part.failures += proposal.failures
        part.clinics -= len(proposal.failures)

    for_each_group(desk, clinics, work, outcome)
    finish(desk, order, outcome)
    return outcome


def begin(job: str, desk: Desk, order: Order) -> tuple[Outcome, list[Clinic]]:
    """The clinics of a run, and its outcome with those that cannot be worked for.

    Raises:
        ClinicError, BadOrder: as :func:`plan`.
    """
    if not desk.clinic.is_checked:
        # Once for each way in: a run of many days, or of many events, asks the same catalogue.
        checking.require(desk.clinic.on(desk.conn))
        desk.clinic.is_checked = True
    loaded = organizations.load(desk.conn, desk.clinic, only=order.organization)
    outcome = Outcome(job, failures=list(loaded.unusable))
    outcome.facts["inactive organizations"] = loaded.inactive
    return outcome, loaded.clinics


def for_each_group(desk: Desk, clinics: Sequence[Clinic], work: Work, outcome: Outcome) -> None:
    """``work`` for all clinics at once, or one by one under row security, each time in a transaction of ours.

    If it fails for all of them because of somebody's rows, it is done for each half, and so on: those whose rows
    they are are failures of the run, the others are done.
    """
    by_id = {clinic.id: clinic for clinic in clinics}

    def attempt(there: Connection, ids: Sequence[str]) -> None:
        part = Outcome(outcome.job, clinics=len(ids))
        try:
            # Both: a failed statement spoils the clinic's transaction, too, where there is one.
            with desk.conn.transaction(), there.transaction():
                work(there, [by_id[id] for id in ids], part)
        except OF_SOMEBODYS_ROWS as error:
            if there.closed or desk.conn.closed:
                raise psycopg.OperationalError("the connection was lost") from error
            if len(ids) == 1:
                outcome.failures.append((ids[0], said(error)))
                return
            half = len(ids) // 2
            attempt(there, ids[:half])
            attempt(there, ids[half:])
        else:
            outcome.add(part)

    if desk.clinic.tenant is None:
        desk.clinic.each(desk.conn, list(by_id), attempt)
        return
    for id in by_id:
        try:
            desk.clinic.each(desk.conn, [id], attempt)
        except ClinicError as error:
            outcome.failures.append((id, str(error)))


def finish(desk: Desk, order: Order, outcome: Outcome) -> None:
    """Keep the failures of a run."""
    if outcome.failures and not order.is_dry:
        desk.conn.execute(_FAILED, {
            "job": outcome.job, "nominal": order.nominal, "run_id": order.run_id, "now": order.now,
            "organizations": [id for id, _ in outcome.failures],
            "errors": [error for _, error in outcome.failures],
        })  # fmt: skip


def keep(desk: Desk, order: Order, proposal: Proposal, outcome: Outcome) -> list[Draft]:
    """Plan what is asked for, in as many statements as there are thousands; keep the other decisions.

    Gives the messages that the outbox has now and had not before: none in shadow mode and of a dry run. An
    organisation of which no message can be is a failure; single messages that cannot be are only withheld.
    """
    if order.is_shadow and proposal.is_once:
        proposal = _once_in_shadow(desk, outcome.job, proposal)
    drafts = {draft.key: draft for draft in proposal.drafts}
    stale = {key for key, draft in drafts.items() if draft.not_after is not None and draft.not_after <= order.now}
    withheld = {each.key: each for each in proposal.withheld if each.key not in drafts or each.key in stale}
    withheld |= {key: _stale(drafts[key]) for key in stale}
    wanted = _ordered(desk, [draft for key, draft in drafts.items() if key not in stale])
    new: list[Draft] = []
    refused: dict[str, str] = {}
    for first in range(0, len(wanted), CHUNK):
        new += _plan(desk, order, wanted[first : first + CHUNK], refused, outcome)
    withheld |= {key: Withheld.of(drafts[key], "unusable", excerpt(why)) for key, why in refused.items()}
    _note_refused(wanted, refused, outcome)
    decided = _decide(desk, order, outcome, [_row(each) for each in withheld.values()])
    if proposal.is_news:
        withheld = {key: each for key, each in withheld.items() if key in decided}
    for each in withheld.values():
        outcome.withheld[each.reason] += 1
        if len(outcome.withheld_keys) < SHOWN:
            outcome.withheld_keys.append((each.key, each.reason, each.detail))
    return new


def _once_in_shadow(desk: Desk, job: str, proposal: Proposal) -> Proposal:
    """What a message in the outbox forbids when the job sends, a shadow decision forbids here."""

    def decided(keys: Sequence[str]) -> dict[str, bool]:
        return dict(desk.conn.execute(_SHADOWED, [job, keys]).fetchall())

    return telling.without_told(proposal, decided)


def _ordered(desk: Desk, drafts: Sequence[Draft]) -> Sequence[Draft]:
    """All chunks are of one transaction: in any other order two runs at once could wait for each other."""
    if len(drafts) <= CHUNK:
        return drafts
    by_key = {draft.key: draft for draft in drafts}
    return [by_key[key] for (key,) in desk.conn.execute(_ORDERED, [list(by_key)])]


def _plan(
    desk: Desk, order: Order, drafts: Sequence[Draft], refused: dict[str, str], outcome: Outcome
) -> list[Draft]:
    by_key = {draft.key: draft for draft in drafts}
    keeps = not order.is_dry and not order.is_shadow
    with desk.conn.transaction(force_rollback=not keeps):
        planned, unfit = desk.outbox.plan_what_can_be(desk.conn, drafts, now=order.now)
    refused |= unfit
    new = [by_key[each.key] for each in planned if each.is_new]
    if order.is_shadow:
        decided = _decide(desk, order, outcome, [_shadow(draft) for draft in new])
        new = [draft for draft in new if draft.key in decided]
    outcome.known += len(planned) - len(new)
    outcome.planned.update(draft.channel for draft in new)
    outcome.planned_keys += [draft.key for draft in new][: SHOWN - len(outcome.planned_keys)]
    return new if keeps else []


def _note_refused(wanted: Sequence[Draft], refused: Mapping[str, str], outcome: Outcome) -> None:
    """A clinic of which no message can be has a fault of its own, such as no name; told once a run."""
    if not refused:
        return
    outcome.facts["unusable messages"] = len(refused)
    of_clinics: dict[str, list[Draft]] = defaultdict(list)
    for draft in wanted:
        of_clinics[draft.organization_id].append(draft)
    for organization, own in of_clinics.items():
        if all(draft.key in refused for draft in own) and not _are_one_patients(own):
            many = "1 message is" if len(own) == 1 else f"all {len(own)} messages are"
            outcome.failures.append((organization, excerpt(f"{many} unusable, the first: {refused[own[0].key]}")))


def _are_one_patients(drafts: Sequence[Draft]) -> bool:
    """Whether what is wrong with them all may be the patient's: the clinic itself has a name."""
    patients = {draft.patient_id for draft in drafts}
    return len(patients) == 1 and None not in patients and all(each.variables.get("clinica") for each in drafts)


def _decide(desk: Desk, order: Order, outcome: Outcome, rows: Sequence[Mapping[str, object]]) -> set[str]:
    """Keep decisions, unless the run is dry; gives the keys of which this was not decided before."""
    if not rows:
        return set()
    values = {
        "job": outcome.job, "nominal": order.nominal, "zone": DEFAULT.zone, "run_id": order.run_id,
        "now": order.now, "rows": msgspec.json.encode(rows),
    }  # fmt: skip
    with desk.conn.transaction(force_rollback=order.is_dry):
        return {key for (key,) in desk.conn.execute(_DECIDE, values)}


def _stale(draft: Draft) -> Withheld:
    until = draft.not_after.astimezone(dt.UTC).isoformat(timespec="minutes") if draft.not_after else ""
    return Withheld.of(draft, "stale", f"useless since {until}")


def _row(each: Withheld) -> dict[str, object]:
    return {
        "key": each.key, "outcome": "withheld", "organization_id": each.organization_id,
        "patient_id": each.patient_id, "cause_kind": each.cause and each.cause.kind,
        "cause_id": each.cause and each.cause.id, "channel": each.channel, "template": each.template,
        "due_at": None, "reason": each.reason, "detail": each.detail,
    }  # fmt: skip


def _shadow(draft: Draft) -> dict[str, object]:
    return {
        "key": draft.key, "outcome": "shadow", "organization_id": draft.organization_id,
        "patient_id": draft.patient_id, "cause_kind": draft.cause and draft.cause.kind,
        "cause_id": draft.cause and draft.cause.id, "channel": draft.channel, "template": draft.template,
        "due_at": draft.due_at, "reason": "", "detail": "",
    }  # fmt: skip
