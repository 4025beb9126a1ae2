"""The registry of facts, a row each: what is computed and told, and docs/insights.md, follow from it.

Not here: flags and words for what is missing (``rules.py``), what formulas have in common (``methods.py``), the
numbers (``limits.py``), the formulas' code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fisio_ayida.insights.facts import attendance, exercises, limits, measurements, pain, visits
from fisio_ayida.insights.facts.kinds import FactKind
from fisio_ayida.insights.facts.methods import comma

_PERCENT: Final = f"{limits.CONFIDENCE:.0%}"
_TREND_LEAST: Final = (
    f"{limits.LEAST_TREND_DAYS} days with a value that span {limits.LEAST_TREND_SPAN.days} days, and "
    f"{limits.LEAST_SESSIONS} finalized sessions"
)
_SLOPE: Final = (
    f"[The slope](#how-a-slope-is-made) of the days' values × {limits.PER.days} days, or × the days from the "
    f"first to the newest value, if these are fewer than {limits.PER.days}: the unit says how many they are. "
    "Several sessions of a day count once, with their median. Verdict: `rising` or `falling` if the order of the "
    "values can hardly be chance"
)
_STEADY: Final = "`steady` if the interval is zero on both sides; else `unclear`"
_SLOPE_LIMITS: Final = (
    "It assumes one direction over the window: a curve that goes down and up again is `unclear`. It does not say "
    f"why. It speaks of the days up to the newest value: if that is more than {limits.CURRENT.days} days old, it "
    "is told of the past."
)
_ENDS: Final = {
    "first": "the value of the first day of the series",
    "newest": "the value of its newest day",
}
_OUTCOMES: Final = {
    "done": "visits that are done",
    "absent": "visits that the patient missed, with or without notice",
    "cancelled": "cancelled visits",
    "to_rebook": "visits that are to be booked anew",
    "without_outcome": "visits of days before today that are still expected, and those with a status that nobody "
    "has classified",
    "contradicting": "visits with the status of an absence, of a day on which a session is finalized and no visit "
    "is done",
}
_RATE: Final = (
    "done / (done + absent). Cancelled visits, those to be booked anew, and those that contradict a session count "
    f"on neither side. Interval: [Wilson's for a share](#the-interval-of-a-share), {_PERCENT}"
)
_RATE_PT: Final = (
    "Visitas realizadas ÷ (realizadas + faltas). Não entram as canceladas, as a remarcar, as sem desfecho nem as "
    "marcadas como falta em dia com sessão finalizada"
)
_TREND_PT: Final = "Conta da tendência (veja “Tendência”)"


def _per(unit: str) -> str:
    """A slope's unit; of a short series it has fewer days."""
    return f"{unit}/{limits.PER.days} d"


FACTS: Final = (
    FactKind(
        name="attendance_rate_90d", title="Adherence", portuguese="Comparecimento", unit="ratio",
        window=limits.ATTENDANCE, least=f"{limits.LEAST_VISITS} visits that are done or missed",
        formula=f"{_RATE}.", formula_pt=f"{_RATE_PT}.",
        limits="A booked visit counts once the clinic has said that it is done or missed; without that it is not "
        "in the rate, only in `without_outcome`. It does not say why a visit was missed, nor which is wrong of a "
        "session and the absence that contradict each other.",
        of=_OUTCOMES, missing=("too_few_visits",), compute=attendance.rate,
    ),
    FactKind(
        name="attendance_rate_90d_before", title="Adherence before", portuguese="Comparecimento anterior",
        unit="ratio", window=limits.ATTENDANCE, skipped=limits.ATTENDANCE,
        least=f"{limits.LEAST_VISITS} visits that are done or missed", formula=f"{_RATE}.",
        formula_pt=f"A mesma conta do comparecimento, nos {limits.ATTENDANCE.days} dias anteriores a esses.",
        limits="Two rates of few visits differ by chance: compare their intervals.",
        of=_OUTCOMES, missing=("too_few_visits",), compute=attendance.rate_before,
    ),
    FactKind(
        name="visit_interval", title="Days between visits", portuguese="Intervalo habitual entre atendimentos",
        unit="days", window=limits.INTERVALS,
        least=f"{limits.LEAST_INTERVAL_DAYS} days on which the patient was there",
        formula="The median of the days from one day on which the patient was there to the next such day. The "
        "patient was there if a visit of the day is done or a session of it is finalized; several of a day count "
        "once.",
        formula_pt="Mediana dos dias entre um dia de atendimento e o seguinte. É dia de atendimento o que tem "
        "visita realizada ou sessão finalizada; várias no mesmo dia contam uma vez.",
        limits="A break or a change of frequency inside the window hides in the median; `longest` shows it.",
        of={"longest": "the longest of these intervals, in days"}, missing=("too_few_days",),
        compute=visits.interval,
    ),
    FactKind(
        name="days_since_visit", title="Days since the last visit", portuguese="Tempo desde o último atendimento",
        unit="days", window=None, least="one day on which the patient was there",
        formula="Today minus the last day with a visit that is done or a finalized session.",
        formula_pt="Hoje menos o último dia com visita realizada ou sessão finalizada.",
        limits="It cannot tell a break from the end of the treatment.", missing=("no_visit",),
        compute=visits.since,
    ),
    FactKind(
        name="days_to_next_visit", title="Days until the next visit", portuguese="Próxima visita marcada",
        unit="days", window=None, least="one visit that is booked",
        formula="The first day from today on with a visit that is upcoming or confirmed, minus today; from "
        "tomorrow on, if the patient was there today.",
        formula_pt="Primeiro dia, a partir de hoje, com visita agendada ou confirmada, menos hoje; se já houve "
        "atendimento hoje, a partir de amanhã.",
        limits="Visits with a status that nobody has classified are not counted as booked.",
        missing=("nothing_booked",), compute=visits.ahead,
    ),
    FactKind(
        name="pain_trend", title="Pain trend", portuguese="Tendência da dor", unit=_per("points"),
        window=limits.PAIN, least=_TREND_LEAST,
        formula=f"{_SLOPE}; `steady` if the interval lies within ±{limits.STEADY_PAIN:g} point per "
        f"{limits.PER.days} days; else `unclear`. No end of the interval is told as more than {limits.WORST_PAIN} "
        "points.",
        formula_pt=f"{_TREND_PT} com a dor mediana de cada dia. Estável: o intervalo cabe em ±"
        f"{comma(limits.STEADY_PAIN)} ponto a cada {limits.PER.days} dias.",
        limits=f"{_SLOPE_LIMITS} Pain is what the session recorded, 0 to {limits.WORST_PAIN}; at which moment of "
        "the session is not known.",
        of=_ENDS, missing=("too_few_sessions", "no_pain", "too_few_pain_days", "too_short"),
        compute=pain.pain_trend,
    ),
    FactKind(
        name="pain_newest", title="Newest pain", portuguese="Último registro de dor", unit="points", window=None,
        least="one record", formula="The median of the records of the last day that has one.",
        formula_pt="Mediana dos registros do último dia que tem registro de dor.",
        limits="It is a single day; `days_since_pain` says how old it is.", missing=("no_pain",),
        compute=pain.newest,
    ),
    FactKind(
        name="days_since_pain", title="Days since pain was recorded",
        portuguese="Tempo desde o último registro de dor",
        unit="days", window=None, least="one record", formula="Today minus the last day with a pain record.",
        formula_pt="Hoje menos o último dia com registro de dor.",
        limits="It does not say whether pain was asked for and not written down.", missing=("no_pain",),
        compute=pain.since,
    ),
    FactKind(
        name="pain_record_share", title="Sessions with a pain record", portuguese="Sessões com registro de dor",
        unit="ratio", window=limits.PAIN, least=f"{limits.LEAST_SESSIONS} finalized sessions, one of them in the "
        "window",
        formula="Finalized sessions with a pain record / finalized sessions.",
        formula_pt="Sessões finalizadas com registro de dor ÷ sessões finalizadas.",
        limits="It speaks of the records, not of the patient.",
        of={"recorded": "sessions with a record"}, missing=("too_few_sessions", "no_recent_session"),
        compute=pain.share,
    ),
    FactKind(
        name="measurement_trend", title="Measurement trend", portuguese="Tendência da medida",
        unit=_per("…"), window=limits.MEASUREMENTS, least=_TREND_LEAST,
        formula=f"{_SLOPE}; {_STEADY}. Each name and unit is a series (names that differ only in case, accents or "
        "blanks are one name); values in another unit are another series. Told are the "
        f"{limits.MOST_MEASUREMENTS} series with the most days.",
        formula_pt=f"{_TREND_PT} com os valores de cada medida, à parte para cada nome e unidade; aparecem as "
        f"{limits.MOST_MEASUREMENTS} com mais dias.",
        limits=f"{_SLOPE_LIMITS} It does not know whether more is better, nor who measured and how.",
        of=_ENDS, missing=("too_few_sessions", "no_measurement", "too_few_measurements", "too_short"),
        compute=measurements.trends,
    ),
    FactKind(
        name="exercise_volume", title="Load of the newest session",
        portuguese="Carga da última sessão com registro",
        unit="kg", window=limits.EXERCISES, least=f"one session with a load, and {limits.LEAST_SESSIONS} "
        "finalized sessions",
        formula="The sum of sets × repetitions × load in kg over the exercises that have all three, on the newest "
        "day that has one.",
        formula_pt="Soma de séries × repetições × carga (kg) dos exercícios que têm os três números, no último "
        "dia que tem algum; a mediana anterior é a dos outros dias da janela.",
        limits="Only exercises of the session; those for home are not counted, as nobody knows whether they were "
        "done. Other exercises make another sum: it is no measure of strength.",
        of={"earlier": "the median of the days before it in the window"}, missing=("too_few_sessions", "no_load"),
        compute=exercises.volume,
    ),
    FactKind(
        name="exercise_volume_trend", title="Load trend", portuguese="Tendência da carga",
        unit=_per("kg"), window=limits.EXERCISES, least=_TREND_LEAST,
        formula=f"{_SLOPE}; {_STEADY}. The values are each day's sets × repetitions × load, as for "
        "`exercise_volume`.",
        formula_pt=f"{_TREND_PT} com a soma de séries × repetições × carga (kg) de cada dia.",
        limits=_SLOPE_LIMITS, of=_ENDS, missing=("too_few_sessions", "no_load", "too_few_exercise_days",
        "too_short"),
        compute=exercises.volume_trend,
    ),
    FactKind(
        name="exercise_repetitions", title="Repetitions of the newest session",
        portuguese="Repetições sem carga da última sessão com registro", unit="repetitions",
        window=limits.EXERCISES,
        least=f"one session with repetitions, and {limits.LEAST_SESSIONS} finalized sessions",
        formula="The sum of sets × repetitions over the exercises that have both and no load, on the newest day "
        "that has one.",
        formula_pt="Soma de séries × repetições dos exercícios que têm os dois números e não têm carga, no último "
        "dia que tem algum; a mediana anterior é a dos outros dias da janela.",
        limits="Only exercises of the session; those for home are not counted. Other exercises make another sum. "
        "Seconds for which a position is held are not counted.",
        of={"earlier": "the median of the days before it in the window"},
        missing=("too_few_sessions", "no_repetitions"), compute=exercises.repetitions,
    ),
    FactKind(
        name="exercise_repetitions_trend", title="Repetitions trend",
        portuguese="Tendência das repetições sem carga",
        unit=_per("repetitions"), window=limits.EXERCISES, least=_TREND_LEAST,
        formula=f"{_SLOPE}; {_STEADY}. The values are each day's sets × repetitions, as for "
        "`exercise_repetitions`.",
        formula_pt=f"{_TREND_PT} com a soma de séries × repetições sem carga de cada dia.",
        limits=_SLOPE_LIMITS, of=_ENDS,
        missing=("too_few_sessions", "no_repetitions", "too_few_exercise_days", "too_short"),
        compute=exercises.repetitions_trend,
    ),
    FactKind(
        name="milestone_sessions", title="Milestone of sessions", portuguese="Marco de sessões", unit="sessions",
        window=None, least=f"{limits.SESSION_MILESTONES[0]} finalized sessions",
        formula=f"The largest of {', '.join(map(str, limits.SESSION_MILESTONES))} that is not more than the "
        "number of finalized sessions, of whatever age: sessions are counted, because visits are read of the last "
        f"months only. Professionals are told for {limits.FRESH.days} days.",
        formula_pt=f"O maior de {', '.join(map(str, limits.SESSION_MILESTONES))} que não passa do número de "
        "sessões finalizadas, de qualquer data.",
        limits="It also counts sessions of an earlier treatment, and not those that nobody has finalized.",
        of={"days_since": "days since the session that was that one"}, missing=("not_reached",),
        compute=visits.milestone,
    ),
    FactKind(
        name="milestone_pain_free", title="Milestone of pain", portuguese="Marco de dor zero", unit="points",
        window=limits.PAIN, least=f"{limits.PAIN_FREE_DAYS + 1} days with a record",
        formula=f"The {limits.PAIN_FREE_DAYS} newest days with a record have pain 0, and one before them has "
        f"{limits.PAIN_BEFORE} or more. Its value is the highest of those before. Professionals are told for "
        f"{limits.FRESH.days} days.",
        formula_pt=f"Os {limits.PAIN_FREE_DAYS} últimos dias com registro têm dor 0, e algum dia anterior teve "
        f"{limits.PAIN_BEFORE} ou mais; o valor é a maior dor anterior.",
        limits="It does not say that the cause of the pain is gone.",
        of={"days_since": f"days since the record of pain 0 that was number {limits.PAIN_FREE_DAYS} in a row"},
        missing=("not_reached",), compute=pain.milestone,
    ),
)  # fmt: skip

#: By name.
KINDS: Final[Mapping[str, FactKind]] = {kind.name: kind for kind in FACTS}
