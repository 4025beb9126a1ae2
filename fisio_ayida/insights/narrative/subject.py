"""From a record and its facts to what may leave: without names, ids and dates, scrubbed, and not too long.

Here: filling the allow-list of ``outgoing.py``, and what an answer will be compared with. Not here: how a text is
scrubbed (``privacy/``), and how a fact is worded (``wording/``).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, Final

from fisio_ayida.insights import privacy
from fisio_ayida.insights.facts.rules import FLAGS
from fisio_ayida.insights.facts.usable import is_usable, pain_of
from fisio_ayida.insights.model import Exercise, Facts, Identity, Record, Session
from fisio_ayida.insights.narrative.lines import one_line
from fisio_ayida.insights.narrative.outgoing import (
    MARKS,
    Alerta,
    Exercicio,
    Fato,
    Medida,
    Outgoing,
    Paciente,
    Sessao,
    free_texts,
)
from fisio_ayida.insights.narrative.rendering import fact_shown, session_shown
from fisio_ayida.insights.narrative.series import Moment, Series, Visits, moments, series, visits
from fisio_ayida.insights.wording import rows

#: Sessions that leave: the newest ones.
MOST_SESSIONS: Final = 12
#: Bytes of everything about one patient: some 8,000 tokens.
MOST_BYTES: Final = 24_000
#: Of these, for facts and alerts.
MOST_FACT_BYTES: Final = 10_000
#: Characters of a note, of the complaint, of a name of something.
LONGEST_NOTE: Final = 1_200
LONGEST_COMPLAINT: Final = 400
LONGEST_NAME: Final = 80
#: Larger numbers have no decimals.
EXACT_BELOW: Final = 1_000
#: Exercises, procedures or measurements of one session.
MOST_IN_SESSION: Final = 12
_SEXES: Final = {"F": "feminino", "M": "masculino", "O": "outro"}
_BANDS: Final = ((0, 11), (12, 17), (18, 29), *((age, age + 9) for age in range(30, 90, 10)))
_OLDEST: Final = "90+"
_ALERTS: Final = {kind.name: kind.portuguese for kind in FLAGS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What leaves about a patient, and what an answer about it is compared with.

    Args:
        text: the JSON that is sent.
        free: what of it somebody wrote, one text a line.
        refs: what may be cited, with how :class:`insights.model.Item` says it.
        shown: for each of these, all that was sent of it but its ref, each number with words that tell its role.
        written: for each of these, what of it somebody wrote.
        alerts: for each alert, the refs it is about, and what was sent of it.
        about_pain: the refs that speak of pain.
        series: how what has a direction goes.
        moments: the sessions' own numbers, oldest first.
        visits: how many were kept and missed; None: too few to say it.
        scrubbed: what was taken out of free texts, by kind.
    """

    text: str = field(repr=False)
    free: str = field(repr=False)
    refs: Mapping[str, str]
    shown: Mapping[str, str] = field(repr=False)
    written: Mapping[str, str] = field(default_factory=dict, repr=False)
    alerts: tuple[tuple[frozenset[str], str], ...] = ()
    about_pain: frozenset[str] = frozenset()
    complaint: str = field(default="", repr=False)
    age_band: str = ""
    scrubbed: Mapping[str, int] = field(default_factory=dict)
    series: tuple[Series, ...] = field(default=(), repr=False)
    moments: tuple[Moment, ...] = field(default=(), repr=False)
    visits: Visits | None = None


def of(record: Record, facts: Facts, scrubber: privacy.Scrubber) -> Subject:
    """What may leave of a record.

    Sessions are the newest ones, oldest first, and their days are counted from the newest session's. What is too
    much is left out from the oldest session on: first notes, then sessions.
    """
    desk = _Desk(scrubber)
    told = _facts(facts, desk)
    alerts = _alerts(facts, {each.ref for each in told})
    patient = Paciente(
        faixa_etaria=age_band(record.age), sexo=_SEXES.get(record.sex, ""),
        queixa=desk.free(record.complaint, LONGEST_COMPLAINT),
    )  # fmt: skip
    room = MOST_BYTES - _size(Outgoing(paciente=patient, fatos=told, alertas=alerts))
    chosen = record.sessions[-MOST_SESSIONS:]
    sessions = _sessions(chosen, desk, room)
    ids = {each.ref: f"session:{session.id}" for each, session in zip(sessions[::-1], chosen[::-1], strict=False)}
    outgoing = Outgoing(paciente=patient, fatos=told, alertas=alerts, sessoes=sessions)
    return Subject(
        text=_json(outgoing),
        free="\n".join(free_texts(outgoing)),
        refs={each.ref: f"fact:{each.ref}" for each in told} | ids,
        shown={each.ref: fact_shown(each) for each in told} | {each.ref: session_shown(each) for each in sessions},
        written={each.ref: "\n".join(free_texts(each)) for each in told}
        | {each.ref: "\n".join(free_texts(each)) for each in sessions},
        alerts=tuple((frozenset(each.fatos), each.titulo) for each in alerts),
        about_pain=frozenset(
            {each.ref for each in told if "pain" in each.ref}
            | {each.ref for each in sessions if each.dor is not None}
        ),
        complaint=patient.queixa, age_band=patient.faixa_etaria, scrubbed=dict(desk.hits),
        series=series(facts, told), moments=moments(sessions), visits=visits(facts),
    )  # fmt: skip


def found(given: Subject, identity: Identity) -> list[str]:
    """What a second detector still finds in what would leave, by kind; then nothing may.

    Names are looked for in what somebody wrote: our own words ("Marco de visitas") are also somebody's name.
    """
    in_all = set(privacy.leaks(given.text, replace(identity, names=()))) - {"listed_name"}
    return sorted(in_all.union(privacy.leaks(given.free, identity)))


def age_band(age: int | None) -> str:
    """Ten years of age or so, in which a person is one of many; empty if the age is not known."""
    if age is None or age < 0:
        return ""
    return next((f"{low}-{high}" for low, high in _BANDS if low <= age <= high), _OLDEST)


class _Desk:
    """Scrubs, each text once."""

    def __init__(self, scrubber: privacy.Scrubber) -> None:
        self.hits: Counter[str] = Counter()
        self._scrubber = scrubber
        self._known: dict[tuple[str, int], str] = {}

    def free(self, written: str, longest: int = LONGEST_NAME) -> str:
        """A text that somebody wrote, as it may leave; at most ``longest`` characters.

        Cut after it was scrubbed: half a telephone number would not be known for one.
        """
        key = (written, longest)
        if key not in self._known:
            scrubbed = self._scrubber.scrub(written)
            self.hits += scrubbed.hits
            text = one_line(scrubbed.text)
            for mark in MARKS:
                text = text.replace(mark, mark[0])
            self._known[key] = cut(text, longest)
        return self._known[key]


def cut(text: str, longest: int) -> str:
    """The beginning of a text, up to a blank, with three dots if something is missing."""
    if len(text) <= longest:
        return text
    kept, blank, _ = text[:longest].rpartition(" ")
    return f"{kept} …" if blank else ""


def _facts(facts: Facts, desk: _Desk) -> tuple[Fato, ...]:
    told: list[Fato] = []
    room = MOST_FACT_BYTES
    for row in rows.rows(facts):
        fact = Fato(
            ref=row.ref, titulo=row.title, assunto=desk.free(row.subject), valor=row.value, intervalo=row.interval,
            janela=row.window, registros=row.count, detalhe=row.detail, motivo=row.reason,
        )  # fmt: skip
        room -= _size(fact)
        if room < 0:
            break
        told.append(fact)
    return tuple(told)


def _alerts(facts: Facts, told: set[str]) -> tuple[Alerta, ...]:
    return tuple(
        Alerta(titulo=_ALERTS[flag.name], fatos=tuple(ref for ref in flag.facts if ref in told))
        for flag in facts.flags
    )


def _sessions(chosen: Sequence[Session], desk: _Desk, room: int) -> tuple[Sessao, ...]:
    """As many of the newest sessions as there is room for, then of their notes; oldest first."""
    if not chosen:
        return ()
    newest = chosen[-1].day
    bare: list[Sessao] = []
    for place in range(len(chosen) - 1, -1, -1):
        session = _session(f"sessao.{place + 1}", (chosen[place].day - newest).days, chosen[place], desk)
        room -= _size(session)
        if room < 0:
            break
        bare.append(session)
    told: list[Sessao] = []
    for session, source in zip(bare, chosen[::-1], strict=False):
        note = desk.free(source.note, LONGEST_NOTE)
        room -= len(json.dumps(note, ensure_ascii=False).encode()) + len(',"nota":')
        if room < 0:
            told += bare[len(told) :]
            break
        told.append(replace(session, nota=note))
    return tuple(told[::-1])


def _session(ref: str, day: int, session: Session, desk: _Desk) -> Sessao:
    return Sessao(
        ref=ref, dia=day, dor=None if pain_of(session) is None else session.pain,
        procedimentos=tuple(desk.free(each) for each in session.procedures[:MOST_IN_SESSION]),
        exercicios=_exercises(session.exercises, desk),
        exercicios_em_casa=_exercises(session.home_exercises, desk),
        medidas=tuple(
            Medida(nome=desk.free(each.name), valor=value, unidade=desk.free(each.unit))
            for each in session.measurements[:MOST_IN_SESSION]
            if (value := _number(each.value)) is not None
        ),
    )  # fmt: skip


def _exercises(exercises: Sequence[Exercise], desk: _Desk) -> tuple[Exercicio, ...]:
    return tuple(
        Exercicio(
            nome=desk.free(each.name), series=_number(each.sets), repeticoes=_number(each.repetitions),
            carga_kg=_number(each.load), segundos=_number(each.seconds),
        )
        for each in exercises[:MOST_IN_SESSION]
    )  # fmt: skip


def _number(value: float | None) -> float | None:
    """As exact as notes are; None also for what is no number of a session's, but may be somebody's."""
    if value is None or not is_usable(value):
        return None
    return round(value, 2 if abs(value) < EXACT_BELOW else 0)


def _json(row: Any) -> str:
    return json.dumps(_plain(row), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _size(row: Any) -> int:
    return len(_json(row).encode()) + 1


def _plain(value: Any) -> Any:
    """As JSON says it; what is empty is left out, and a whole number has no decimals."""
    if is_dataclass(value):
        named = {each.name: getattr(value, each.name) for each in fields(value)}
        return {name: _plain(each) for name, each in named.items() if each is not None and each not in ("", ())}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
