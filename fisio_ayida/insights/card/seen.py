"""What is known of a patient now: the record, the facts and items that stand, or why there are none.

Here: reading it for people's eyes. Not here: making insights (``running.py``), and how a page looks (``page.py``).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

from fisio_ayida.clinic import checking, organizations
from fisio_ayida.clinic.model import BadOrder, Connection
from fisio_ayida.insights import facts, privacy, reading, showing, wording
from fisio_ayida.insights.card.page import Standing, render
from fisio_ayida.insights.model import Facts, Item, Record
from fisio_ayida.insights.showing import Generation
from fisio_ayida.warehouse.clinic import ClinicDoor

#: Kinds of what could tell who somebody is (``privacy.leaks``).
_TELLING: Final = frozenset({"name", "number", "email"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A patient.

    Args:
        withheld: word of the reason why the record may not be read; then there is no record, and nothing of it.
        generation: the one that stands; None: facts and items are of this moment, and stored nowhere.
        is_behind: sessions were finalized that the generation does not know.
    """

    organization_id: str
    patient_id: str
    zone: ZoneInfo
    withheld: str = ""
    record: Record | None = field(default=None, repr=False)
    facts: Facts | None = field(default=None, repr=False)
    items: tuple[Item, ...] = ()
    generation: Generation | None = None
    is_behind: bool = False


def look(conn: Connection, door: ClinicDoor, organization: str, patient: str, *, now: dt.datetime) -> Seen:
    """A patient of an organisation.

    Raises:
        BadOrder: there is no such organisation, or it is inactive.
        ClinicError: the clinic's relations are not as agreed, or hidden.
    """
    there = door.on(conn)
    checking.require(there)
    reading.require(there)
    loaded = organizations.load(conn, door, only=organization)
    if not loaded.clinics:
        raise BadOrder(f"organization={organization!r} is inactive, or its zone cannot be used")
    [clinic] = loaded.clinics
    known = next(iter(showing.generations(conn, organization, patient, limit=1)), None)
    stands = known if known is not None and known.is_current else None
    today = clinic.day(now) if stands is None else stands.today
    who = organization, patient
    read = door.within(
        conn, organization,
        lambda there: reading.read(there, [who], {organization: today}, {organization: clinic.zone}),
    )  # fmt: skip
    record = read.records.get(who)
    if record is None:
        withheld = read.withheld.get(who, "unknown_patient")
        return Seen(organization_id=organization, patient_id=patient, zone=clinic.zone, withheld=withheld)
    if stands is None or (stored := showing.facts(conn, stands.key)) is None:
        computed = facts.compute(record)
        return Seen(
            organization_id=organization, patient_id=patient, zone=clinic.zone, record=record, facts=computed,
            items=wording.items(record, computed),
        )  # fmt: skip
    as_of = _as_of(record, stands)
    is_behind = len(as_of.sessions) < len(record.sessions)
    return Seen(
        organization_id=organization, patient_id=patient, zone=clinic.zone, record=as_of, facts=stored,
        items=showing.current(conn, stands.key), generation=stands, is_behind=is_behind,
    )  # fmt: skip


def without_names(seen: Seen) -> Seen:
    """The same to be shown: what is measured, and texts about it, are the clinic's own and may name somebody."""
    if seen.record is None or seen.facts is None:
        return seen
    identity = seen.record.identity
    scrubber = privacy.Scrubber(identity)

    def safe(text: str) -> str:
        # Days are no secret here.
        return scrubber.scrub(text).text if _TELLING & set(privacy.leaks(text, identity)) else text

    subjects = {each.subject: safe(each.subject) for each in seen.facts.facts}
    told = tuple(dataclasses.replace(each, subject=subjects[each.subject]) for each in seen.facts.facts)
    named = {written: shown for written, shown in subjects.items() if written != shown}
    items = []
    for item in seen.items:
        text = item.text
        for written, shown in named.items():
            text = text.replace(written, shown)
        items.append(dataclasses.replace(item, text=safe(text)))
    return dataclasses.replace(
        seen, facts=dataclasses.replace(seen.facts, facts=told), items=tuple(items)
    )  # fmt: skip


def page_of(seen: Seen, *, shows_id: bool = True) -> str:
    """The page of a patient whose record could be read; it names nobody.

    Raises:
        ValueError: it could not.
    """
    seen = without_names(seen)
    if seen.record is None or seen.facts is None:
        raise ValueError(f"patient={seen.patient_id!r} has no page: {seen.withheld}")
    stands = seen.generation
    standing = Standing(is_stored=False)
    if stands is not None:
        is_waiting = stands.narrative == "waiting"
        standing = Standing(
            model=stands.model, reason=stands.reason, is_waiting=is_waiting, is_behind=seen.is_behind
        )
    return render(seen.record, seen.facts, seen.items, standing, shows_id=shows_id)


def _as_of(record: Record, stands: Generation) -> Record:
    """The record without sessions that were finalized after those that the generation was made of."""
    last = stands.finalized_at, stands.session_id
    sessions = tuple(each for each in record.sessions if (each.finalized_at, each.id) <= last)
    return dataclasses.replace(record, sessions=sessions)
