"""The proof of the demo's insights: what is in the tables, and at the stand-in's socket, against plain Python.

Here: comparing; adherence and slopes are recounted from the rows without the project's own functions. Not here:
the runs (``demo_insights.py``), and showing them (``demo_insights_tables.py``).
"""

from __future__ import annotations

import datetime as dt
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

import psycopg

from fisio_ayida.commands.demo_day_clinics import SAO_PAULO
from fisio_ayida.commands.demo_day_proof import Proof
from fisio_ayida.commands.demo_insights import ANSWERS
from fisio_ayida.commands.demo_insights_patients import Searched, last_day, narrated_of
from fisio_ayida.simulators.fisioflow.world import Profile, Session, SessionContent, World

if TYPE_CHECKING:
    from fisio_ayida.commands.demo_insights import Story
    from fisio_ayida.insights.model import Facts

Connection = psycopg.Connection[Any]

_A_DAY: Final = dt.timedelta(days=1)
#: So many days are told as an outcome, and looked at for pain (docs/insights.md).
_ATTENDANCE, _PAIN = 90 * _A_DAY, 180 * _A_DAY
#: Sessions of a patient that count, the newest ones.
_READ: Final = 40
_LEAST_VISITS, _LEAST_DAYS, _LEAST_SPAN = 4, 5, 14 * _A_DAY
#: Days for which a slope is told; a series that spans fewer is told for these.
_MONTH: Final = 30
#: Facts keep four decimals.
_EXACT: Final = 0.0001
_STANDING: Final = """
select key, patient_id, facts::text, today from insights.generations
where organization_id = any(%s) and superseded_at is null order by patient_id
"""
_ITEMS: Final = """
select i.key, i.citations from insights.items i
where i.organization_id = any(%s) and i.superseded_at is null
"""
_PUBLISHED: Final = """
select (select count(*) from clinic.patient_insights
        where organization_id = any(%(all)s) and expires_at > now()),
       (select count(*) from insights.items where organization_id = any(%(all)s) and superseded_at is null)
"""
_VISITS: Final = "select patient_id, date, status from clinic.appointments where organization_id = any(%s)"
_SESSIONS: Final = """
select s.patient_id, s.id, a.date, c.pain_scale from clinic.sessions s
join clinic.appointments a on a.id = s.appointment_id
join clinic.session_contents c on c.session_id = s.id
where s.organization_id = any(%s) and s.status = 'finalized' order by a.date desc, s.finalized_at desc
"""
_CALLS: Final = """
select patient_id, count(*), sum(prompt_tokens + completion_tokens) from insights.calls
where organization_id = any(%s) group by patient_id
"""
_SPENT: Final = "select coalesce(sum(tokens), 0) from insights.spending where organization_id = any(%s)"
_WRITTEN: Final = """
select patient_id, narrative, reason from insights.generations
where organization_id = %s and superseded_at is null and model = %s
"""


def proven(conn: Connection, story: Story) -> list[Proof]:
    """What must be so, and whether it is."""
    return [
        _first(story), _again(story), *_recounted(conn, story), _sensor(story), _narratives(conn, story),
        _citations(conn, story), _canaries(story), _asked(conn, story), _answers(story), _published(conn, story),
        _budget(conn, story),
    ]  # fmt: skip


def _first(story: Story) -> Proof:
    """Everybody whose session was finalized on the last day, and why not."""
    due = Counter(_due(story.world).values())
    outcome = story.first
    came = Counter({"facts": outcome.facts.get("generated", 0)} | outcome.withheld) if outcome else Counter[str]()
    return _same(f"patients with a session on {last_day(story.world)}", _counted(due), _counted(+came))


def _due(world: World) -> dict[str, str]:
    """What must come of each patient of the last day: facts, or the reason why nothing does."""
    day = last_day(world)
    profiles = {row.patient_id: row for row in world.of(Profile)}
    found: dict[str, str] = {}
    for row in world.of(Session):
        patient, at = row.patient_id, row.finalized_at
        if patient is None or at is None or at.astimezone(SAO_PAULO).date() != day:
            continue
        profile = profiles[patient]
        if world.manners[row.organization_id].insights == "off":
            found[patient] = "ai_off_clinic"
        elif not profile.allows_insights:
            found[patient] = "ai_off_patient"
        else:
            found[patient] = "facts" if profile.consents else "no_consent"
    return found


def _again(story: Story) -> Proof:
    new = sum(each.facts.get("generated", 0) for each in story.again)
    return _same("made when the same sessions are looked at again", "0", f"{new}")


def _recounted(conn: Connection, story: Story) -> Iterator[Proof]:
    """Adherence and pain slopes of every patient, by arithmetic that anybody can read."""
    visits, pains = _visits(conn, story), _pains(conn, story)
    standing = _standing(conn, story)
    rates = {patient: _rate(visits[patient], today) for patient, (_, _, today) in standing.items()}
    slopes = {patient: _slope(pains[patient], today) for patient, (_, _, today) in standing.items()}
    for what, name, due in (
        ("adherence, recounted from the visits", "attendance_rate_90d", rates),
        ("slopes of pain, recounted pair by pair", "pain_trend", slopes),
    ):
        came = {patient: _fact(facts, name) for patient, (_, facts, _) in standing.items()}
        differing = tuple(
            f"{each}: {due[each]} is due, {came[each]} came" for each in due if not _is(due[each], came[each])
        )
        told = sum(value is not None for value in due.values())
        yield Proof(
            what, f"{told} of {len(due)}", f"{sum(v is not None for v in came.values())} of {len(came)}", differing
        )


def _rate(visits: list[tuple[dt.date, str]], today: dt.date) -> float | None:
    kept = [status for day, status in visits if today - _ATTENDANCE < day <= today]
    done, absent = kept.count("atendido"), kept.count("faltou")
    return done / (done + absent) if done + absent >= _LEAST_VISITS else None


def _slope(pains: Mapping[dt.date, list[int]], today: dt.date) -> float | None:
    days = sorted((day, statistics.median(said)) for day, said in pains.items() if today - _PAIN < day <= today)
    if len(days) < _LEAST_DAYS or days[-1][0] - days[0][0] < _LEAST_SPAN:
        return None
    told, seen = min((days[-1][0] - days[0][0]).days, _MONTH), max(b for _, b in days) - min(a for _, a in days)
    change = statistics.median((b - a) / (to - of).days for (of, a), (to, b) in combinations(days, 2)) * told
    return max(-seen, min(change, seen))


def _sensor(story: Story) -> Proof:
    words = {True: "asks", False: "rests"}
    due = "rests, asks, rests"
    return _same(
        "the sensor before, after and past a new session", due, ", ".join(words[each] for each in story.news)
    )


def _narratives(conn: Connection, story: Story) -> Proof:
    """Whoever may be told of and has two notes; the one whose answers were spoilt is told of below."""
    from fisio_ayida.commands.demo_insights import MODEL

    narrated, world = narrated_of(story.world), story.world
    allowed = {row.patient_id for row in world.of(Profile) if row.allows_insights and row.consents}
    notes = Counter(row.patient_id for row in world.of(SessionContent) if row.note)
    due = {
        each.id: "written" if notes[each.id] > 1 else "insufficient_data"
        for each in narrated.patients
        if each.id in allowed and notes[each.id] and each.id != narrated.spoilt
    }
    rows = conn.execute(_WRITTEN, [narrated.id, MODEL]).fetchall()
    came = {patient: reason or narrative for patient, narrative, reason in rows}
    differing = tuple(
        f"{id}: {due.get(id)} is due, {came.get(id)} came"
        for id in sorted(due.keys() | came.keys())
        if due.get(id) != came.get(id)
    )
    return Proof(
        "narratives of the stand-in", _counted(Counter(due.values())), _counted(Counter(came.values())), differing
    )


def _citations(conn: Connection, story: Story) -> Proof:
    """Each leads to a fact with a value, or to a session that there is."""
    sessions = {id for _, id, *_ in _rows_of_sessions(conn, story)}
    facts = {key: {each.ref for each in facts.facts} for key, facts, _ in _standing(conn, story).values()}
    many, lost = 0, []
    for key, citations in conn.execute(_ITEMS, [_clinics(story)]).fetchall():
        lost += [f"{key} cites nothing"] if not citations else []
        for each in citations:
            kind, _, ref = each.partition(":")
            many += 1
            if ref not in (sessions if kind == "session" else facts[key]):
                lost.append(f"{key} cites {each}")
    return Proof("citations that lead to a fact or a session", f"{many}", f"{many - len(lost)}", tuple(lost))


def _canaries(story: Story) -> Proof:
    """In all that came to the stand-in's socket: bodies, JSON within JSON, headers."""
    received = Searched.of(story.received)
    seen = [each.kind for each in story.canaries if received.has(each)]
    what = f"hidden in every free text and seen at the socket ({', '.join(each.kind for each in story.canaries)})"
    return Proof(what, "0", f"{len(seen)}", tuple(f"{kind} was seen" for kind in seen))


def _asked(conn: Connection, story: Story) -> Proof:
    """Who may not be told of is not in the ledger, and the stand-in got what the ledger says."""
    calls = conn.execute(_CALLS, [_clinics(story)]).fetchall()
    narrated = narrated_of(story.world)
    allowed = {row.patient_id for row in story.world.of(Profile) if row.allows_insights and row.consents}
    wrong = [id for id, *_ in calls if id not in allowed or id not in {each.id for each in narrated.patients}]
    made = sum(many for _, many, _ in calls)
    differing = [f"{id} was asked about" for id in wrong]
    differing += [] if made == story.requests else [f"{story.requests} requests came, the ledger has {made}"]
    return Proof("requests, by the ledger and at the socket", f"{made}", f"{story.requests}", tuple(differing))


def _answers(story: Story) -> Proof:
    due = {**ANSWERS, "over the budget": ("waiting", "over_budget")}
    differing = []
    for each in story.answers:
        state, reason = due[each.answer]
        stands = each.words > 0 if state == "written" else each.facts > 0 and each.words == 0
        if (each.narrative, each.reason) != (state, reason) or not stands:
            differing.append(f"{each.answer}: {state} {reason} is due; {each.narrative} {each.reason} came")
    return Proof(
        "ways to answer, and what must become of each",
        f"{len(due)}",
        f"{len(story.answers) - len(differing)}",
        tuple(differing),
    )


def _published(conn: Connection, story: Story) -> Proof:
    row = conn.execute(_PUBLISHED, {"all": _clinics(story)}).fetchone() or (0, 0)
    return _same("insights that stand, and those in the clinics' own table", f"{row[1]}", f"{row[0]}")


def _budget(conn: Connection, story: Story) -> Proof:
    tokens = sum(used or 0 for *_, used in conn.execute(_CALLS, [_clinics(story)]).fetchall())
    (spent,) = conn.execute(_SPENT, [_clinics(story)]).fetchone() or (0,)
    return _same("tokens of all calls, and of the clinics' budgets", f"{tokens:,}", f"{spent:,}")


def _standing(conn: Connection, story: Story) -> dict[str, tuple[str, Facts, dt.date]]:
    """Key, facts and day of what stands, by patient."""
    import msgspec

    from fisio_ayida.insights.model import Facts

    rows = conn.execute(_STANDING, [_clinics(story)]).fetchall()
    return {patient: (key, msgspec.json.decode(text, type=Facts), today) for key, patient, text, today in rows}


def _fact(facts: Facts, name: str) -> float | None:
    return next(each.value for each in facts.facts if each.name == name)


def _visits(conn: Connection, story: Story) -> dict[str, list[tuple[dt.date, str]]]:
    found: dict[str, list[tuple[dt.date, str]]] = defaultdict(list)
    for patient, day, status in conn.execute(_VISITS, [_clinics(story)]).fetchall():
        found[patient].append((day, status))
    return found


def _pains(conn: Connection, story: Story) -> dict[str, dict[dt.date, list[int]]]:
    found: dict[str, dict[dt.date, list[int]]] = defaultdict(lambda: defaultdict(list))
    read: Counter[str] = Counter()
    for patient, _, day, pain in _rows_of_sessions(conn, story):
        read[patient] += 1
        if pain is not None and read[patient] <= _READ:
            found[patient][day].append(pain)
    return found


def _rows_of_sessions(conn: Connection, story: Story) -> list[tuple[Any, ...]]:
    return conn.execute(_SESSIONS, [_clinics(story)]).fetchall()


def _clinics(story: Story) -> list[str]:
    return list(story.world.manners)


def _is(due: float | None, came: float | None) -> bool:
    if due is None or came is None:
        return due is came
    return abs(due - came) < _EXACT


def _same(what: str, due: str, came: str) -> Proof:
    return Proof(what, due, came, () if due == came else (f"{due} is due, {came} came",))


def _counted(counter: Counter[str]) -> str:
    return ", ".join(f"{many} {word}" for word, many in sorted(counter.items())) or "–"
