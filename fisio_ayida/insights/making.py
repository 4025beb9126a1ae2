"""From patients to what is to be made of them: what of their records is new, what is known, who is withheld.

Here: reading and deciding; nothing is written. Not here: storing (``storing.py``), words (``narrating.py``).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

import msgspec
import psycopg
from psycopg.rows import class_row

from fisio_ayida.clinic.model import Clinic, Connection, Desk, Withheld
from fisio_ayida.insights import facts, wording
from fisio_ayida.insights.claiming import Claimed, Later
from fisio_ayida.insights.comparing import as_of, differences
from fisio_ayida.insights.model import PROMPT_VERSION, Facts, Item, Record, Session, key
from fisio_ayida.insights.reading import Pair, Read, read
from fisio_ayida.warehouse.clinic import ClinicError
from fisio_ayida.warehouse.errors import said

# Faults of one patient's rows: the others go on.
OF_A_PATIENT: Final = (
    psycopg.DataError, psycopg.IntegrityError, ValueError, TypeError, ArithmeticError, LookupError,
)  # fmt: skip
# Faults of a whole clinic: a function or a right is missing.
OF_A_CLINIC: Final = (ClinicError, psycopg.ProgrammingError, psycopg.InternalError)

#: Because of these what was said of a patient is withdrawn.
WITHDRAWING: Final = frozenset({"ai_off_clinic", "ai_off_patient", "no_consent", "unknown_patient", "no_session"})

# Whoever made it: keys do not say the organisation, and a patient may have changed it.
_LAST: Final = """
select distinct on (patient_id, session_id, model)
       key, organization_id, patient_id, session_id, finalized_at, model, sessions, edition, narrative, tries,
       retry_at, created_at, superseded_at is not null as is_superseded
from insights.generations where patient_id = any(%s) and prompt_version = %s
order by patient_id, session_id, model, edition desc
"""
_FACTS: Final = "select key, facts::text from insights.generations where key = any(%s) and facts is not null"


@dataclass(frozen=True, slots=True)
class Generation:
    """What there is of a record as of a newest session, for one model."""

    key: str
    organization_id: str
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

    def stands_for(self, record: Record, newest: Session) -> bool:
        """Whether it is what is said of the record, which has the same sessions still.

        The newest one alone does not say it: it may have been finalized again, another one seen late, or deleted.
        """
        made = self.organization_id, self.finalized_at, self.sessions
        read = record.organization_id, newest.finalized_at, len(record.sessions) + record.earlier
        return made == read and not self.is_superseded


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
    """A generation whose words are wanted, and the record that it was made of.

    Args:
        facts: as they are stored.
        is_anew: somebody asked for them: what came of earlier tries does not count any more.
    """

    who: Claimed
    clinic: Clinic
    record: Record
    generation: Generation
    facts: Facts
    is_anew: bool = False

    def later(self, now: dt.datetime) -> Later:
        """The words are due at once, or when they may be tried again."""
        return Later(self.who, max(self.generation.retry_at or now, now), "narrative", self.who.tries)


@dataclass(slots=True)
class Group:
    """What is to be done for some patients.

    Args:
        known: there is nothing new to say.
        withheld: there is nothing to say, because of the reason that each has.
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
    # Of others it is not asked whether the facts are still the same.
    stored = _stored(desk.conn, [
        each.key for own in last.values() for each in own if each.narrative != "written" and not each.is_superseded
    ])  # fmt: skip
    for pair, record in reading.records.items():
        try:
            _decide(wanted[pair], clinics[pair[0]], record, last.get(pair[1], ()), stored, model, group)
        except Exception as error:
            # Whatever a record makes the computing do, it is this record's.
            group.troubles.append((wanted[pair], said(error)))
    return group


def _decide(
    who: Claimed, clinic: Clinic, record: Record, last: Sequence[Generation], stored: Mapping[str, Facts],
    model: str, group: Group,
) -> None:  # fmt: skip
    newest = record.newest
    if newest is None:
        group.withheld.append((who, withheld(who, "no_session")))
        return
    reason = "facts_only" if clinic.rules.insights == "facts" else "" if model else "no_model"
    used = "" if reason else model
    if reason == "no_model" and any(
        each.narrative == "written" and each.stands_for(record, newest) for each in last
    ):
        # Somebody's shell without INSIGHTS_MODEL takes no words back that still stand.
        group.known.append(who)
        return
    known = next((each for each in last if (each.session_id, each.model) == (newest.id, used)), None)
    if known is not None and known.stands_for(record, newest):
        is_anew = who.by_hand and used != "" and known.narrative != "written"
        if not is_anew and known.narrative != "waiting":
            group.known.append(who)
            return
        made = stored.get(known.key)
        if made is not None and _is_as_it_was(record, known, made):
            wanted = replace(known, tries=0, retry_at=None) if is_anew else known
            group.unsaid.append(Unsaid(who, clinic, record, wanted, made, is_anew))
            return
    edition = 1 if known is None else known.edition + 1
    # Of the same newest session, but not of the same sessions: the key is the contract's, with the edition in it.
    session = newest.id if edition == 1 else f"{newest.id}~{edition}"
    computed = facts.compute(record)
    group.made.append(Made(
        who=who, record=record, newest=newest, facts=computed, items=wording.items(record, computed),
        key=key(who.patient_id, session, PROMPT_VERSION, used), edition=edition, model=used, reason=reason,
    ))  # fmt: skip


def _is_as_it_was(record: Record, known: Generation, stored: Facts) -> bool:
    """Whether words about the stored facts would agree with the record: a session may have been edited since."""
    anew = facts.compute(as_of(record, known.finalized_at, known.session_id, stored.today))
    return anew.version == stored.version and not any(differences(stored, anew))


def withheld(who: Claimed, reason: str) -> Withheld:
    """One decision a patient; asked for again, it is decided again."""
    return Withheld(
        key=f"insight:{who.organization_id}:{who.patient_id}:-", organization_id=who.organization_id,
        reason=reason,
        detail=f"asked for at {who.asked_at.astimezone(dt.UTC).isoformat(timespec='seconds')}",
        patient_id=who.patient_id,
    )  # fmt: skip


def _last(ours: Connection, patients: Sequence[str]) -> dict[str, list[Generation]]:
    """By patient, the last edition for each newest session and model."""
    found: dict[str, list[Generation]] = defaultdict(list)
    with ours.cursor(row_factory=class_row(Generation)) as cur:
        for each in cur.execute(_LAST, [list(patients), PROMPT_VERSION]):
            found[each.patient_id].append(each)
    return found


def _stored(ours: Connection, keys: Sequence[str]) -> dict[str, Facts]:
    """The facts of generations, as they were computed."""
    rows = ours.execute(_FACTS, [list(keys)]).fetchall()
    return {key: msgspec.json.decode(text, type=Facts) for key, text in rows}


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
