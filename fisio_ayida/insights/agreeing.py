"""Whether narratives that stand still say what the records say: a sample of them is read and computed again.

A difference is explained if what a fact was made from was edited since; then it is told apart. Not here: computing
(``facts/``), what a difference is (``comparing.py``), which numbers a narrative may say
(``narrative/validation.py``).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec
from psycopg.rows import namedtuple_row

from fisio_ayida.clinic import organizations
from fisio_ayida.clinic.model import Clinic, Connection, Desk
from fisio_ayida.insights import facts as computing
from fisio_ayida.insights import privacy, reading
from fisio_ayida.insights.checks import NARRATIVES, SAMPLE, Finding
from fisio_ayida.insights.comparing import Difference, as_of, differences
from fisio_ayida.insights.model import PROMPT_VERSION, REASONS, Facts, Item, Record
from fisio_ayida.insights.narrative import subject
from fisio_ayida.insights.narrative.validation import are_shown

RECENT: Final = dt.timedelta(days=7)

_SAMPLE: Final = """
select key, organization_id, patient_id, session_id, finalized_at, today, facts, created_at
from insights.generations
where created_at >= %(since)s and narrative = 'written' and superseded_at is null and facts is not null
  and prompt_version = %(version)s
order by md5(key || %(salt)s) limit %(many)s
"""
_ITEMS: Final = """
select key, insight_type, insight_text, citations from insights.items
where key = any(%s) and source = 'narrative' and superseded_at is null order by key, insight_type
"""
_CHANGED: Final = """
select id, 'session', updated_at from clinic.sessions where id = any(%(ids)s) and deleted_at is null
union all
select id, 'visit', updated_at from clinic.appointments where id = any(%(ids)s) and deleted_at is null
"""

#: By id: what a row is, session or visit, and when it was last changed.
Changes = Mapping[str, tuple[str, dt.datetime]]


#: What became of a narrative: it agrees; the records give another result and nobody changed them; a session was
#: edited since; nothing may be said of its patient any more; only visits were booked or changed since, of which it
#: does not claim to know; it was not compared.
Verdict = Literal["agrees", "different", "edited", "withheld", "moved", "not_compared"]


@dataclass(frozen=True, slots=True)
class Compared:
    """A narrative and what became of it, in words if it does not agree."""

    verdict: Verdict
    words: str = ""


def look(desk: Desk, *, now: dt.datetime, salt: str) -> Finding:
    """Compare a sample of recent narratives with the records as they are.

    Args:
        salt: which ones follows from it.
    """
    values = {"since": now - RECENT, "salt": salt, "many": NARRATIVES, "version": PROMPT_VERSION}
    with desk.conn.cursor(row_factory=namedtuple_row) as cur:
        sample: list[Any] = cur.execute(_SAMPLE, values).fetchall()
    items = _items(desk.conn, [row.key for row in sample])
    clinics = {clinic.id: clinic for clinic in organizations.load(desk.conn, desk.clinic).clinics}
    by_day: dict[dt.date, list[Any]] = defaultdict(list)
    for row in sample:
        if row.organization_id in clinics:
            by_day[row.today].append(row)
    found: list[Compared] = []
    for rows in by_day.values():

        def compare(there: Connection, ids: list[str], rows: Sequence[Any] = rows) -> list[Compared]:
            own = [row for row in rows if row.organization_id in ids]
            return _compare(there, own, items, {id: clinics[id] for id in ids})

        parts = desk.clinic.each(desk.conn, sorted({row.organization_id for row in rows}), compare)
        found += [each for part in parts for each in part]
    many = Counter(each.verdict for each in found)
    # First what nothing explains.
    lines = [
        each.words for verdict in ("different", "withheld", "edited") for each in found if each.verdict == verdict
    ]
    return Finding(
        check="narratives_agree", problems=len(lines), lines=tuple(lines[:SAMPLE]),
        is_grave=many["different"] > 0,
        facts={
            "compared": len(found) - many["not_compared"] - many["withheld"], "different": many["different"],
            "edited_since": many["edited"], "visits_changed_since": many["moved"],
            "to_be_withdrawn": many["withheld"],
            "not_compared": len(sample) - len(found) + many["not_compared"],
        },
    )  # fmt: skip


def _compare(
    there: Connection, rows: Sequence[Any], items: Mapping[str, Sequence[Item]], clinics: Mapping[str, Clinic]
) -> list[Compared]:
    """Compare narratives whose facts were computed on one civil day."""
    pairs = [(row.organization_id, row.patient_id) for row in rows]
    today = dict.fromkeys(clinics, rows[0].today)
    read = reading.read(there, pairs, today, {id: clinic.zone for id, clinic in clinics.items()})
    both: dict[str, list[Difference]] = {}
    for row in rows:
        stored = msgspec.convert(row.facts, Facts)
        whole = read.records.get((row.organization_id, row.patient_id))
        if (
            whole is not None
            and (record := as_of(whole, row.finalized_at, row.session_id, row.today)).newest is not None
        ):
            anew = computing.compute(record)
            if anew.version == stored.version:
                # What rests on facts that changed is not looked at.
                both[row.key] = list(differences(stored, anew)) or list(_wrong(items[row.key], record, anew))
    changes = _changes(there, {id for found in both.values() for each in found for id in each.inputs})
    return [
        _verdict(row, both.get(row.key), read.withheld.get((row.organization_id, row.patient_id)), changes)
        for row in rows
    ]


def _verdict(row: Any, found: Sequence[Difference] | None, withheld: str | None, changes: Changes) -> Compared:
    if withheld is not None:
        return Compared("withheld", f"`{row.key}`: {withheld}: it is to be withdrawn. {REASONS[withheld]}")
    if found is None:
        # Its newest session is gone, or the formulas are others.
        return Compared("not_compared")
    if not found:
        return Compared("agrees")
    kinds = [_changed(each, changes, row.created_at) for each in found]
    names = ", ".join(each.name for each in found)
    if not all(kinds):
        return Compared("different", f"`{row.key}`: {names}: the records give another result")
    if any("session" in each for each in kinds):
        return Compared("edited", f"`{row.key}`: {names}: a session was edited since")
    return Compared("moved")


def _changes(there: Connection, ids: Iterable[str]) -> Changes:
    """What these rows are, and when they were last changed; without those that are gone."""
    wanted = sorted(ids)
    return {id: (kind, at) for id, kind, at in there.execute(_CHANGED, {"ids": wanted})} if wanted else {}


def _changed(difference: Difference, changes: Changes, since: dt.datetime) -> set[str]:
    """Of what a fact is made from, the kinds of what was changed since; what is gone counts as a session."""
    return {
        changes[id][0] if id in changes else "session"
        for id in difference.inputs if id not in changes or changes[id][1] > since
    }  # fmt: skip


def _wrong(items: Sequence[Item], record: Record, facts: Facts) -> Iterator[Difference]:
    """The items that say a number which nothing they cite shows, by the rule by which answers are checked."""
    given = subject.of(record, facts, privacy.Scrubber(record.identity))
    refs = {citation: ref for ref, citation in given.refs.items()}
    for item in items:
        cited = frozenset(refs[each] for each in item.citations if each in refs)
        sessions = [each for each in item.citations if each.startswith("session:")]
        # An item has several passages, and each may say how many of the sessions it cites.
        counts = "; ".join(f"{many} sessões" for many in range(1, len(sessions) + 1))
        allowing = dataclasses.replace(given, alerts=(*given.alerts, (cited, counts)))
        # The last line says that it is a draft, and from which day on days are counted.
        text = item.text.rsplit("\n", 1)[0]
        if not are_shown(text, cited, allowing, is_summary=item.type == "progress_summary"):
            yield Difference(f"{item.type}'s numbers", frozenset(each.partition(":")[2] for each in sessions))


def _items(conn: Connection, keys: Sequence[str]) -> dict[str, list[Item]]:
    found: dict[str, list[Item]] = {key: [] for key in keys}
    for key, kind, text, citations in conn.execute(_ITEMS, [keys]):
        found[key].append(Item(source="narrative", type=kind, text=text, citations=tuple(citations)))
    return found
