"""The registry of flags, and of words for what is missing: one row each.

Not here: the facts (``registry.py``), the numbers (``limits.py``), the rules' code (``flags.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fisio_ayida.insights.facts import flags, limits
from fisio_ayida.insights.facts.kinds import FlagKind, MissingWord

_CONTACT: Final = "The patient may have a reason that the clinic can do something about, if it asks early."

FLAGS: Final = (
    FlagKind(
        name="missed_last_two", portuguese="As duas últimas visitas foram faltas",
        rule=f"The {limits.MISSED_IN_A_ROW} newest days with an outcome, within {limits.ATTENDANCE.days} days, "
        "were missed: a visit of the day has the status of an absence, none is done, and no session of it is "
        "finalized.",
        rule_pt=f"Os {limits.MISSED_IN_A_ROW} últimos dias com desfecho, em {limits.ATTENDANCE.days} dias, foram "
        "faltas: sem visita realizada e sem sessão finalizada no dia.",
        hint=_CONTACT, compute=flags.missed_last_two,
    ),
    FlagKind(
        name="long_gap", portuguese="Intervalo longo sem visita marcada",
        rule=f"Nothing is booked, and the patient was not there for more than {limits.LEAST_GAP.days} days and "
        f"more than {limits.GAP_INTERVALS} times the usual interval (`visit_interval`, if there is one), but not "
        f"for more than {limits.GAP_ENDS.days} days: then the treatment is taken to have ended. Not beside "
        "`early_dropout`, which says the same.",
        rule_pt=f"Nada marcado, e o último atendimento foi há mais de {limits.LEAST_GAP.days} dias e há mais de "
        f"{limits.GAP_INTERVALS} vezes o intervalo habitual, mas não há mais de {limits.GAP_ENDS.days} dias. Não "
        "aparece junto com “Possível abandono no início”.",
        hint=_CONTACT, compute=flags.long_gap,
    ),
    FlagKind(
        name="early_dropout", portuguese="Possível abandono no início",
        rule=f"The patient was there on {limits.EARLY_DAYS[0]} to {limits.EARLY_DAYS[1]} days in all, the last "
        f"time {limits.EARLY_GAP[0].days} to {limits.EARLY_GAP[1].days} days ago, nothing is booked, and there "
        "are no finalized sessions beside those that are read.",
        rule_pt=f"De {limits.EARLY_DAYS[0]} a {limits.EARLY_DAYS[1]} dias de atendimento ao todo, o último há "
        f"{limits.EARLY_GAP[0].days} a {limits.EARLY_GAP[1].days} dias, e nada marcado.",
        hint=_CONTACT, compute=flags.early_dropout,
    ),
    FlagKind(
        name="low_adherence", portuguese="Comparecimento baixo",
        rule=f"`attendance_rate_90d` is less than {limits.LOW_ADHERENCE:.0%}, and it is made of "
        f"{limits.ENOUGH_VISITS} or more visits, or the upper end of its interval is less than "
        f"{limits.SURELY_LOW:.0%}.",
        rule_pt=f"Comparecimento menor que {limits.LOW_ADHERENCE:.0%}, com {limits.ENOUGH_VISITS} ou mais visitas "
        "(realizadas + faltas), ou com menos visitas se o fim de cima do intervalo é menor que "
        f"{limits.SURELY_LOW:.0%}.",
        hint=_CONTACT, compute=flags.low_adherence,
    ),
    FlagKind(
        name="pain_rising", portuguese="Dor em alta", rule=f"The verdict of `pain_trend` is `rising`, and "
        f"`days_since_pain` is {limits.CURRENT.days} or less.",
        rule_pt="A tendência da dor é de subida, e o último registro de dor tem "
        f"{limits.CURRENT.days} dias ou menos.",
        hint="The professional may want to look at it again.", compute=flags.pain_rising,
    ),
    FlagKind(
        name="no_pain_record", portuguese="Sem registro recente de dor",
        rule=f"In the last {limits.NO_PAIN.days} days there are {limits.NO_PAIN_SESSIONS} or more finalized "
        "sessions, and none has a pain record.",
        rule_pt=f"{limits.NO_PAIN_SESSIONS} ou mais sessões finalizadas nos últimos {limits.NO_PAIN.days} dias, "
        "nenhuma com registro de dor.",
        hint="Without records nothing can be said about pain.", compute=flags.no_pain_record,
    ),
)  # fmt: skip

_ASK_PAIN: Final = f"registrar a dor (0 a {limits.WORST_PAIN}) em cada sessão"

MISSING: Final = (
    MissingWord(
        name="contradicting_visits",
        means="visits that are said to be missed, of days on which a session is finalized and no visit is done",
        portuguese="há visitas marcadas como falta em dias com sessão finalizada",
        advice="corrigir o status das visitas marcadas como falta em dias com sessão finalizada",
    ),
    MissingWord(
        name="too_few_sessions", means=f"fewer than {limits.LEAST_SESSIONS} finalized sessions",
        portuguese=f"há menos de {limits.LEAST_SESSIONS} sessões finalizadas",
        advice="finalizar o registro de cada sessão",
    ),
    MissingWord(
        name="no_pain", means="no session of the window has a pain record", portuguese="não há registro de dor",
        advice=_ASK_PAIN,
    ),
    MissingWord(
        name="too_few_pain_days", means=f"fewer than {limits.LEAST_TREND_DAYS} days with a pain record",
        portuguese=f"há menos de {limits.LEAST_TREND_DAYS} dias com registro de dor", advice=_ASK_PAIN,
    ),
    MissingWord(
        name="visits_without_outcome",
        means="visits of days before today of which nobody said what became of them",
        portuguese="há visitas passadas sem desfecho",
        advice="informar o desfecho das visitas passadas (realizada, falta ou cancelada)",
    ),
    MissingWord(
        name="too_few_visits", means=f"fewer than {limits.LEAST_VISITS} visits of the window are done or missed",
        portuguese=f"há menos de {limits.LEAST_VISITS} visitas com desfecho",
    ),
    MissingWord(
        name="too_few_days", means=f"fewer than {limits.LEAST_INTERVAL_DAYS} days on which the patient was there",
        portuguese=f"há menos de {limits.LEAST_INTERVAL_DAYS} dias de atendimento",
    ),
    MissingWord(
        name="too_short", means=f"the days with a value span less than {limits.LEAST_TREND_SPAN.days} days",
        portuguese=f"os registros cobrem menos de {limits.LEAST_TREND_SPAN.days} dias",
    ),
    MissingWord(
        name="no_recent_session", means="no session of the window", portuguese="não há sessão no período",
    ),
    MissingWord(
        name="no_visit", means="no visit is done, and no session is finalized",
        portuguese="não há atendimento registrado",
    ),
    MissingWord(name="nothing_booked", means="no visit is booked", portuguese="não há visita marcada"),
    MissingWord(
        name="no_measurement", means="no session of the window has a measurement",
        portuguese="não há medida registrada",
        advice="registrar medidas (amplitude, força, perimetria) com a mesma unidade",
    ),
    MissingWord(
        name="too_few_measurements", means=f"fewer than {limits.LEAST_TREND_DAYS} days with a value of the series",
        portuguese=f"há menos de {limits.LEAST_TREND_DAYS} dias com a mesma medida",
        advice="repetir as mesmas medidas, com o mesmo nome e a mesma unidade",
    ),
    MissingWord(
        name="no_load", means="no exercise of the window has sets, repetitions and load",
        portuguese="não há exercício com séries, repetições e carga",
        advice="registrar séries, repetições e carga dos exercícios",
    ),
    MissingWord(
        name="no_repetitions", means="no exercise of the window has sets and repetitions, and no load",
        portuguese="não há exercício sem carga com séries e repetições",
    ),
    MissingWord(
        name="too_few_exercise_days", means=f"fewer than {limits.LEAST_TREND_DAYS} days with such exercises",
        portuguese=f"há menos de {limits.LEAST_TREND_DAYS} dias com esse registro",
    ),
    MissingWord(
        name="unreadable_content", means="some of a session's content is not as it is expected, and was not used",
        portuguese="há conteúdo de sessão que não pôde ser lido",
        advice="conferir os campos preenchidos das sessões (números e unidades)",
    ),
    MissingWord(name="not_reached", means="there is no such milestone yet", portuguese="ainda não alcançado"),
)  # fmt: skip

#: By name.
WORDS: Final[Mapping[str, MissingWord]] = {word.name: word for word in MISSING}
