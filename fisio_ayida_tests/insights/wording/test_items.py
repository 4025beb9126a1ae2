"""What facts say to professionals: at most one text of a kind, every number a fact's, nothing without evidence."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given, settings

from fisio_ayida.insights.facts import compute
from fisio_ayida.insights.facts.rules import FLAGS
from fisio_ayida.insights.model import Item, Measurement, Record, Session, Visit
from fisio_ayida.insights.wording import items
from fisio_ayida_tests.insights.facts.records import arbitrary, day, flag, record, session, visit, weekly
from fisio_ayida_tests.insights.wording.said import strange

#: Ten visits of which eight were kept, before that five of which two were.
VISITS = (
    *(visit(ago, "absent" if ago in (56, 63) else "done") for ago in range(0, 70, 7)),
    *(visit(ago, "done" if ago >= 130 else "absent") for ago in range(100, 150, 10)),
)
FALLING = weekly([8, 7, 7, 6, 5, 5, 4, 3])


def of_type(of: Record, type: str) -> Item | None:
    found = [item for item in items(of, compute(of)) if item.type == type]
    return found[0] if found else None


def text(of: Record, type: str) -> str:
    item = of_type(of, type)
    assert item is not None
    return item.text


def measured(*values: float) -> tuple[Session, ...]:
    return tuple(
        session(7 * place, measurements=(Measurement(name="Flexão L5", value=value, unit="graus"),))
        for place, value in enumerate(reversed(values))
    )


@given(arbitrary())
@settings(max_examples=25, deadline=None, derandomize=True)
def test_any_record_has_one_summary_and_at_most_one_text_of_each_kind(of: Record) -> None:
    facts = compute(of)
    found = items(of, facts)
    refs = {f"fact:{each.ref}" for each in facts.facts} | {f"session:{each.id}" for each in of.sessions}

    kinds = Counter(item.type for item in found)
    assert kinds["progress_summary"] == 1
    assert max(kinds.values()) == 1
    assert all(item.citations and set(item.citations) <= refs for item in found)
    assert all(item.source == "facts" and item.text.endswith(".") for item in found)
    assert all((item.metric is None) == (item.value is None) for item in found)


@given(arbitrary())
@settings(max_examples=25, deadline=None, derandomize=True)
def test_every_number_and_day_of_a_text_is_a_facts(of: Record) -> None:
    facts = compute(of)

    assert [each for item in items(of, facts) for each in strange(item.text, of, facts)] == []


def test_a_number_that_no_fact_has_would_be_noticed() -> None:
    of = record(visits=VISITS, sessions=FALLING)

    assert strange("Dor 3 em 12/03; adesão de 81%; há 71 dias em 13/04.", of, compute(of)) == [
        "13/04",
        "81%",
        "71",
    ]


def test_the_summary_says_what_happened_since_when() -> None:
    of = record(visits=[*VISITS, visit(-2, "confirmed")], sessions=FALLING)

    item = of_type(of, "progress_summary")

    assert item is not None
    assert item.text == (
        "Desde 13/12 (últimos 90 dias): 8 visitas realizadas e 2 faltas (comparecimento de 80%). "
        "Último atendimento hoje; próxima visita em 2 dias. "
        "Dor (0 a 10): 8 em 22/01, 3 em 12/03; caindo. "
        "Para dizer mais: registrar medidas (amplitude, força, perimetria) com a mesma unidade; "
        "registrar séries, repetições e carga dos exercícios."
    )
    assert (item.metric, item.value, item.comparison) == ("attendance_rate_90d", 0.8, 0.4)


def test_a_trend_that_ended_is_told_of_the_past_and_in_the_summary_alone() -> None:
    pains = [3, 4, 5, 6, 7, 8]
    sessions = [
        session(120 + 7 * place, 8 - place, measurements=(Measurement(name="Flexão", value=90 - place, unit="°"),))
        for place in range(len(pains))
    ]
    of = record(visits=[visit(1)], sessions=[*sessions, session(1)])

    said = text(of, "progress_summary")

    assert "Dor (0 a 10): 3 em 08/10, 8 em 12/11; subiu até 12/11." in said
    assert "Flexão: 85° em 08/10, 90° em 12/11; subiu até 12/11." in said
    assert of_type(of, "trend_alert") is None


def test_sessions_without_visits_are_told_as_such() -> None:
    seen = text(record(sessions=[session(5), session(0)]), "progress_summary")
    today = text(record(visits=[visit(0, "upcoming")], sessions=[session(0)]), "progress_summary")

    assert "nenhuma visita na agenda; 2 sessões finalizadas ao todo. Último atendimento hoje" in seen
    assert "nenhuma visita com desfecho; 1 sessão finalizada ao todo. Último atendimento hoje" in today


def test_visits_without_an_outcome_and_contradicting_ones_have_their_noun() -> None:
    visits = [*(visit(ago, "confirmed") for ago in range(1, 6)), visit(9, "absent")]
    said = text(record(visits=visits, sessions=[session(9)]), "progress_summary")

    assert "5 visitas sem desfecho registrado e 1 visita marcada como falta em dia com sessão finalizada." in said
    assert "corrigir o status das visitas marcadas como falta" in said


def test_too_little_is_said_with_what_to_record() -> None:
    said = text(record(sessions=[session(3)]), "progress_summary")

    assert said.startswith("Há 1 sessão finalizada: é pouco para descrever a evolução.")
    assert said.endswith(
        "Para dizer mais: finalizar o registro de cada sessão; registrar a dor (0 a 10) em cada sessão."
    )


def test_a_clear_trend_is_told_with_its_interval_and_its_ends() -> None:
    item = of_type(record(sessions=FALLING), "trend_alert")

    assert item is not None
    assert item.text == (
        "Dor registrada caindo cerca de 2,9 pontos a cada 30 dias (entre 2,1 e 4,3, com 95% de confiança); "
        "8 em 22/01, 3 em 12/03; 8 dias com registro."
    )
    assert item.citations == ("fact:pain_trend", "session:session-49", "session:session-0")


def test_a_short_series_is_told_for_its_days() -> None:
    sessions = [session(ago, pain) for ago, pain in ((15, 5), (12, 5), (9, 4), (6, 4), (3, 3), (0, 3))]

    assert text(record(sessions=sessions), "trend_alert").startswith(
        "Dor registrada caindo cerca de 2 pontos em 15 dias (entre 0 e 3,3, com 95% de confiança); "
    )


def test_an_interval_of_one_number_is_not_told() -> None:
    assert "cerca de 21,4° a cada 30 dias; 90° em" in text(
        record(sessions=measured(90, 95, 100, 105, 110, 115)), "trend_alert"
    )


@pytest.mark.parametrize("pains", [[8, 3], [8, 7, 6, 5], [2, 8, 3, 7, 4, 6, 5], [5] * 8])
def test_without_a_clear_direction_there_is_no_alert(pains: list[int]) -> None:
    assert of_type(record(sessions=weekly(pains)), "trend_alert") is None


def test_a_measurement_that_rises_is_told_without_a_judgement() -> None:
    said = text(record(sessions=measured(90, 95, 100, 104, 111, 115)), "trend_alert")

    assert said.startswith("Flexão L5: subindo cerca de ")
    assert "90° em 05/02, 115° em 12/03; 6 dias com registro." in said


def test_a_comparison_begins_with_adherence() -> None:
    item = of_type(record(visits=VISITS, sessions=measured(90, 110)), "comparison")

    assert item is not None
    assert item.text == (
        "Comparecimento: 80% (8 de 10 visitas) nos últimos 90 dias; 40% (2 de 5 visitas) nos 90 dias anteriores. "
        "Flexão L5: 90° em 05/03, 110° em 12/03."
    )
    assert (item.metric, item.value, item.comparison) == ("attendance_rate_90d", 0.8, 0.4)


def test_a_comparison_of_a_measurement_has_its_two_values() -> None:
    item = of_type(record(sessions=measured(90, 110)), "comparison")

    assert item is not None
    assert (item.metric, item.value, item.comparison) == ("measurement_trend", 110, 90)


def test_nothing_earlier_is_no_comparison() -> None:
    assert of_type(record(sessions=measured(90)), "comparison") is None


#: A record in which the flag holds.
RISKS: dict[str, tuple[list[Visit], list[Session], str]] = {
    "missed_last_two": (
        [visit(21, "absent"), visit(14, "absent")], [],
        "as duas últimas visitas com desfecho foram faltas (19/02 e 26/02)",
    ),
    "long_gap": ([visit(30)], [], "último atendimento há 30 dias, mais que 14 dias, sem visita marcada"),
    "early_dropout": ([visit(14), visit(7)], [],
    "2 atendimentos até agora, o último há 7 dias, sem visita marcada"),
    "low_adherence": (
        [visit(1), *(visit(ago, "absent") for ago in (8, 15, 22))], [],
        "comparecimento de 25% (1 de 4 visitas com desfecho; entre 5% e 70%, com 95% de confiança) nos últimos 90 "
        "dias",
    ),
    "pain_rising": ([], list(weekly([2, 3, 4, 5, 6, 7])), "dor registrada subindo (2 em 05/02, 7 em 12/03)"),
    "no_pain_record": (
        [], [session(ago) for ago in (20, 10, 0)], "nenhum registro de dor em 3 sessões dos últimos 30 dias",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", [kind.name for kind in FLAGS])
def test_a_flag_is_told_with_its_evidence_and_a_suggestion(name: str) -> None:
    visits, sessions, evidence = RISKS[name]
    of = record(visits=visits, sessions=sessions)

    assert flag(of, name) is not None
    said = text(of, "risk_detected")
    assert said.startswith("Pontos de atenção para avaliação do profissional: ")
    assert evidence in said
    assert re.search(r"Sugestão: \w", said)


def test_who_may_have_ended_the_treatment_is_contacted_only_if_not() -> None:
    gone = text(record(visits=[visit(30)]), "risk_detected")
    missed = [visit(ago, "absent") for ago in (22, 15)]

    assert gone.endswith(
        "Sugestão: se o tratamento não foi concluído, entrar em contato e combinar o próximo horário."
    )
    assert text(record(visits=[visit(30), *missed]), "risk_detected").count("entrar em contato") == 1


def test_a_risk_without_a_number_names_no_metric() -> None:
    item = of_type(record(visits=RISKS["missed_last_two"][0]), "risk_detected")

    assert item is not None
    assert (item.metric, item.value) == (None, None)


def test_without_a_flag_there_is_no_risk() -> None:
    assert of_type(record(visits=[*VISITS, visit(-2, "confirmed")], sessions=FALLING), "risk_detected") is None


def test_a_milestone_is_told_while_it_is_news() -> None:
    sessions = [session(29 + 3 * place) for place in range(10)]

    assert text(record(sessions=sessions), "milestone_achieved") == (
        f"Marco alcançado em {day(29):%d/%m}: 10 sessões finalizadas."
    )
    older = [session(30 + 3 * place) for place in range(10)]
    assert of_type(record(sessions=older), "milestone_achieved") is None


def test_pain_that_has_gone_is_a_milestone() -> None:
    said = text(record(sessions=weekly([6, 3, 0, 0])), "milestone_achieved")

    assert said == "Dor 0 nos registros mais recentes, pela segunda vez seguida em 12/03; antes, até 6 em 19/02."


def test_a_long_name_is_cut() -> None:
    sessions = [
        session(ago, measurements=(Measurement(name="x" * 500, value=1.0 + ago, unit="cm"),)) for ago in (7, 0)
    ]

    assert "x" * 58 + "…: 8 cm em" in text(record(sessions=sessions), "comparison")
