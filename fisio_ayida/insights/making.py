"""From patients to what is to be made of them: records read, who is withheld kept aside, facts computed, keys.

Here: reading and deciding; nothing is written. Not here: storing (``storing.py``), words (``narrating.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import psycopg
from psycopg.rows import class_row

from fisio_ayida.clinic.model import Clinic, Connection, Desk, Withheld
from fisio_ayida.insights import facts, wording
from fisio_ayida.insights.claiming import Claimed, Later
from fisio_ayida.insights.model import PROMPT_VERSION, Facts, Item, Record, Session, key
from fisio_ayida.insights.reading import Read, read
from fisio_ayida.warehouse.clinic import ClinicError
from fisio_ayida.warehouse.errors import said

Pair = tuple[str, str]

# Faults of one patient's rows: the others go on.
OF_A_PATIENT: Final = (
    psycopg.DataError, psycopg.IntegrityError, ValueError, TypeError, ArithmeticError, LookupError,
)  # fmt: skip
# Faults of a whole clinic: a function or a right is missing.
OF_A_CLINIC: Final = (ClinicError, psycopg.ProgrammingError, psycopg.InternalError)

_LAST: Final = """
select distinct on (patient_id, session_id, model)
       key, patient_id, session_id, finalized_at, model, sessions, edition, narrative, tries, retry_at,
       created_at, superseded_at is not null as is_superseded
from insights.generations where patient_id = any(%s) and prompt_version = %s
order by patient_id, session_id, model, edition desc
"""


@dataclass(frozen=True, slots=True)
class Generation:
    """What there is of a record as of a newest session, for one model."""

    key: str
    patient_id: str
    session_id: str
    finalized_at: dt.datetime
    model: str
    sessions: int
    edition: int
    narrative: str
    tries: int
    retry_at: dt.datetime | None
    created_at: dt.datetime
    is_superseded: bool

    def is_of(self, record: Record, newest: Session) -> bool:
        """Whether the record has the same sessions still.

        The newest one alone does not say it: it may have been finalized again, another one seen late, or deleted.
        """
        return (self.finalized_at, self.sessions) == (newest.finalized_at, len(record.sessions) + record.earlier)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What was computed of a record, to be stored.

    Args:
        model: empty: facts alone, because of ``reason``.
    """

    who: Claimed
    record: Record
    newest: Session
    facts: Facts
    items: tuple[Item, ...]
    key: str
    edition: int
    model: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unsaid:
    """A generation whose words are wanted, and the record that it was made of."""

    who: Claimed
    clinic: Clinic
    record: Record
    generation: Generation

    def later(self, now: dt.datetime) -> Later:
        """The words are due at once, or when they may be tried again."""
        return Later(self.who, max(self.generation.retry_at or now, now), "narrative", self.who.tries)


@dataclass(slots=True)
class Group:
    """What is to be done for some patients.

    Args:
        known: there is nothing new to say.
        troubles: patients for whom it failed, with the error.
        clinics: organisations for which it failed, with the error.
    """

    made: list[Made] = field(default_factory=list)
    known: list[Claimed] = field(default_factory=list)
    unsaid: list[Unsaid] = field(default_factory=list)
    withheld: list[tuple[Claimed, Withheld]] = field(default_factory=list)
    troubles: list[tuple[Claimed, str]] = field(default_factory=list)
    clinics: dict[str, str] = field(default_factory=dict)


def examine(
    desk: Desk, clinics: Mapping[str, Clinic], taken: Sequence[Claimed], now: dt.datetime, model: str
) -> Group:
    """Read the records of these patients, and compute what is new.

    Args:
        model: the writer's; empty: no model is configured.
    """
    group = Group()
    wanted: dict[Pair, Claimed] = {}
    for who in taken:
        if clinics[who.organization_id].rules.insights == "off":
            group.withheld.append((who, withheld(who, "ai_off_clinic")))
        else:
            wanted[who.pair] = who
    reading = _Reading(desk, clinics, now, group)
    reading.all(wanted)
    group.withheld += [(wanted[pair], withheld(wanted[pair], why)) for pair, why in reading.withheld.items()]
    last = _last(desk.conn, [patient for _, patient in reading.records])
    for pair, record in reading.records.items():
        try:
            _decide(wanted[pair], clinics[pair[0]], record, last, model, group)
        except Exception as error:
            # Whatever a record makes the computing do, it is this record's.
            group.troubles.append((wanted[pair], said(error)))
    return group


def _decide(
    who: Claimed, clinic: Clinic, record: Record, last: Mapping[tuple[str, str, str], Generation], model: str,
    group: Group,
) -> None:  # fmt: skip
    newest = record.newest
    if newest is None:
        group.withheld.append((who, withheld(who, "no_session")))
        return
    reason = "facts_only" if clinic.rules.insights == "facts" else "" if model else "no_model"
    used = "" if reason else model
    known = last.get((who.patient_id, newest.id, used))
    if known is not None and known.is_of(record, newest):
        if known.narrative == "waiting" and not known.is_superseded:
            group.unsaid.append(Unsaid(who, clinic, record, known))
        else:
            group.known.append(who)
        return
    edition = 1 if known is None else known.edition + 1
    # Of the same newest session, but not of the same sessions: the key is the contract's, with the edition in it.
    session = newest.id if edition == 1 else f"{newest.id}~{edition}"
    computed = facts.compute(record)
    group.made.append(Made(
        who=who, record=record, newest=newest, facts=computed, items=wording.items(record, computed),
        key=key(who.patient_id, session, PROMPT_VERSION, used), edition=edition, model=used, reason=reason,
    ))  # fmt: skip


def withheld(who: Claimed, reason: str) -> Withheld:
    """One decision a patient; asked for again, it is decided again."""
    return Withheld(
        key=f"insight:{who.patient_id}:-", organization_id=who.organization_id, reason=reason,
        detail=f"asked for at {who.asked_at.astimezone(dt.UTC).isoformat(timespec='seconds')}",
        patient_id=who.patient_id,
    )  # fmt: skip


def _last(ours: Connection, patients: Sequence[str]) -> dict[tuple[str, str, str], Generation]:
    with ours.cursor(row_factory=class_row(Generation)) as cur:
        rows = cur.execute(_LAST, [list(patients), PROMPT_VERSION]).fetchall()
    return {(each.patient_id, each.session_id, each.model): each for each in rows}


class _Reading:
    """Reads records; what cannot be read together is read in halves, until it is known whose fault it is."""

    def __init__(self, desk: Desk, clinics: Mapping[str, Clinic], now: dt.datetime, group: Group) -> None:
        self._desk, self._clinics, self._now, self._group = desk, clinics, now, group
        self.records: dict[Pair, Record] = {}
        self.withheld: dict[Pair, str] = {}

    def all(self, wanted: Mapping[Pair, Claimed]) -> None:
        """Records and reasons of all, by organisation; in groups troubles."""
        desk, organizations = self._desk, sorted({organization for organization, _ in wanted})
        groups = [organizations] if desk.clinic.tenant is None else [[each] for each in organizations]
        for members in filter(None, groups):
            mine = [who for (organization, _), who in wanted.items() if organization in members]
            try:
                desk.clinic.each(desk.conn, members, partial(self._some, mine))
            except OF_A_CLINIC as error:
                self._group.clinics.update(dict.fromkeys(members, said(error)))

    def _some(self, wanted: Sequence[Claimed], there: Connection, _: Sequence[str] = ()) -> None:
        try:
            # Of its own: a failed statement would end the transaction around it.
            with there.transaction():
                found = self._read(there, wanted)
        except OF_A_PATIENT as error:
            if there.closed:
                raise psycopg.OperationalError("the connection was lost") from error
            if len(wanted) == 1:
                self._group.troubles.append((wanted[0], said(error)))
                return
            half = len(wanted) // 2
            self._some(wanted[:half], there)
            self._some(wanted[half:], there)
        else:
            self.records |= found.records
            self.withheld |= found.withheld

    def _read(self, there: Connection, wanted: Sequence[Claimed]) -> Read:
        used: dict[str, Clinic] = {who.organization_id: self._clinics[who.organization_id] for who in wanted}
        values: dict[str, Any] = {
            "today": {id: clinic.day(self._now) for id, clinic in used.items()},
            "zones": {id: clinic.zone for id, clinic in used.items()},
        }  # fmt: skip
        return read(there, [who.pair for who in wanted], **values)
