"""Which answers may be shown, and what is wrong with the others."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fisio_ayida.insights.model import REASONS, Identity
from fisio_ayida.insights.narrative.diseases import is_claimed
from fisio_ayida.insights.narrative.series import Series
from fisio_ayida.insights.narrative.speech import is_machine, is_portuguese, is_verdict
from fisio_ayida.insights.narrative.subject import Subject
from fisio_ayida.insights.narrative.validation import Checked, Fault, are_shown, check

IDENTITY = Identity(names=("Rosângela Quintanilha",), numbers=("529.982.247-25",))
SHOWN = {
    "attendance_rate_90d": "Comparecimento: 83% ; faixa 65% a 93% ; últimos 90 dias ; 24 registros ; "
    "Comparecimento: 20 realizadas ; Comparecimento: 4 faltas",
    "pain_trend": "Tendência da dor: -2,1 pontos a cada 30 dias ; Tendência da dor: 7 há 56 dias, 2 ontem",
    "sessao.1": "dia 56 dias ; dor 7 ; Refere dor ao subir escadas, L4-L5. Fez 12 pontes.",
    "sessao.2": "dia 0 dias ; dor 2 ; Ponte ; 3 séries ; 12 repetições ; 2.5 kg ; amplitude: 112,46 graus",
}
SUBJECT = Subject(
    text="{}", free="", shown=SHOWN, complaint="Dor lombar há 6 meses", age_band="50-59",
    refs={ref: f"fact:{ref}" if "_" in ref else f"session:{ref[-1]}-id" for ref in SHOWN},
    alerts=((frozenset({"pain_trend"}), "Nenhum registro de dor em 45 dias"),),
    about_pain=frozenset({"pain_trend", "sessao.1", "sessao.2"}),
    series=(Series("pain_trend", "pain", frozenset({"dor", "dores"}), "falling", Decimal(7), Decimal(2)),),
)  # fmt: skip
GOOD = "A dor relatada diminuiu ao longo das sessões."


def passage(text: str = GOOD, *refs: str) -> dict[str, Any]:
    return {"texto": text, "citacoes": list(refs or ("pain_trend",))}


def checked(**changes: Any) -> Checked | Fault:
    answer = {"resumo": passage(), "tendencias": [], "recomendacoes": [], "riscos": []} | changes
    return check(json.dumps(answer), SUBJECT, IDENTITY)


def reason(text: str, *refs: str) -> str:
    """Of an answer with this as its only trend; empty if it may be shown."""
    found = checked(tendencias=[passage(text, *refs)])
    return found.reason if isinstance(found, Fault) else ""


def test_a_good_answer_is_shown_with_what_it_cites() -> None:
    found = checked(
        resumo=passage("A dor caiu de 7 para 2.", "pain_trend", "sessao.1"),
        riscos=[passage("Houve 4 faltas nos últimos 90 dias.", "attendance_rate_90d")],
    )

    assert isinstance(found, Checked)
    assert found.summary.citations == ("fact:pain_trend", "session:1-id")
    assert [each.text for each in found.risks] == ["Houve 4 faltas nos últimos 90 dias."]
    assert found.trends == found.recommendations == ()


@pytest.mark.parametrize("refs", [[], ["nada"], ["pain_trend", "sessao.3"], ["fact:pain_trend"], [""]])
def test_citations_must_be_there_and_exist(refs: list[str]) -> None:
    found = checked(riscos=[{"texto": GOOD, "citacoes": refs}])

    assert isinstance(found, Fault)
    assert (found.reason, found.detail) == ("bad_citation", "riscos[0]")


@pytest.mark.parametrize(
    ("text", "refs"),
    [
        ("A dor caiu de 7/10 para 2/10 em 56 dias.", ["pain_trend"]),
        ("Na escala de 0 a 10, a dor passou de sete para 2.", ["pain_trend"]),
        ("A dor caiu 2,1 pontos a cada 30 dias.", ["pain_trend"]),
        ("Compareceu a 83% das visitas, 20 de 24.", ["attendance_rate_90d"]),
        ("Compareceu a oitenta e três por cento das visitas.", ["attendance_rate_90d"]),
        ("Fez 3x12 com 2,5 kg na sessão mais recente.", ["sessao.2"]),
        ("A amplitude foi de 112,5 graus, cerca de 112 graus.", ["sessao.2"]),
        ("As 2 sessões citadas mostram melhora, uma delas há 56 dias.", ["sessao.1", "sessao.2"]),
        ("Paciente de 50 a 59 anos com melhora da dor.", ["pain_trend"]),
        ("Não há registro de dor há 45 dias.", ["pain_trend"]),
        ("Refere dor ao subir escadas, nível L4-L5.", ["sessao.1"]),
    ],
)  # fmt: skip
def test_numbers_of_what_is_cited_may_be_said(text: str, refs: list[str]) -> None:
    assert reason(text, *refs) == ""


@pytest.mark.parametrize(
    ("text", "refs"),
    [
        ("A dor caiu de 7 para 3 nas últimas sessões.", ["pain_trend"]),
        ("A dor caiu 5 pontos nas últimas sessões.", ["pain_trend"]),
        ("A dor caiu cinco pontos nas últimas sessões.", ["pain_trend"]),
        ("A dor caiu 71% desde a primeira sessão.", ["pain_trend"]),
        ("Compareceu a 83% das visitas marcadas.", ["pain_trend"]),
        ("A dor caiu para menos da metade desde o início.", ["pain_trend"]),
        ("A carga foi de 3 kg na sessão mais recente, 2 vezes.", ["sessao.1"]),
        ("Houve melhora da dor na terceira sessão.", ["pain_trend"]),
        ("A dor foi de 2,1 para dois vírgula cinco.", ["pain_trend"]),
        ("Há 8 semanas a dor era mais forte.", ["pain_trend"]),
        ("Fez a ponte com cerca de 2 kg, em 3 séries.", ["sessao.1"]),
        ("A amplitude foi de 113 graus.", ["sessao.2"]),
        ("A adesão foi de 8/10 nas últimas semanas.", ["attendance_rate_90d"]),
        ("A dor tem uma queda de ② pontos e ½.", ["attendance_rate_90d"]),
    ],
)  # fmt: skip
def test_any_other_number_may_not(text: str, refs: list[str]) -> None:
    assert reason(text, *refs) == "bad_number"


def test_numbers_of_the_complaint_are_the_summarys() -> None:
    text = "Em 6 meses houve melhora da função."

    assert isinstance(checked(resumo=passage(text)), Checked)
    assert reason(text) == "bad_number"


def test_how_long_the_complaint_lasts_may_be_said_in_its_own_words() -> None:
    assert reason("Dor lombar há 6 meses, com melhora recente.") == ""


@pytest.mark.parametrize(
    "text",
    [
        "El dolor bajó de manera progresiva en las últimas sesiones.",
        "The pain went down over the last sessions.",
        "Le patient va mieux depuis les dernières séances.",
        "Buena evolución.",
        "…",
    ],
)
def test_a_passage_in_another_language_is_a_fault(text: str) -> None:
    assert reason(text) == "bad_language"


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        "Boa adesão.",
        "Considerar progressão de carga no agachamento e na ponte.",
        "Sugere-se reavaliar a amplitude de movimento do joelho direito.",
        "Avaliar TENS, crioterapia e kinesio taping como apoio ao tratamento.",
        "Sem registro de dor nas últimas sessões; pode ser útil retomar a avaliação.",
        "Flexão de ombro em melhora; manter mobilização e fortalecimento do manguito rotador.",
    ],
)
def test_what_physiotherapists_write_is_portuguese_and_no_diagnosis(text: str) -> None:
    assert (is_portuguese(text), is_verdict(text), is_machine(text), is_claimed(text, "")) == (
        True, False, False, False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "O quadro tem diagnóstico de hérnia de disco.",
        "A paciente sofre de lombalgia há muito tempo.",
        "O teste confirma a presença de tendinite no ombro.",
        "O quadro é compatível com M54.5 e segue em melhora.",
        "Trata-se de um quadro de ruptura parcial do tendão.",
        "O paciente tem hérnia de disco lombar.",
    ],
)
def test_a_diagnosis_is_a_fault(text: str) -> None:
    assert is_verdict(text) or is_claimed(text, "")
    assert reason(text, "sessao.1") in ("diagnosis", "bad_number")


def test_a_vertebra_is_no_code_of_a_disease() -> None:
    assert not is_verdict("Dor à palpação de T12 e de L5-S1.")


@pytest.mark.parametrize(
    "text",
    [
        "A dor caiu, conforme pain_trend, nas sessões.",
        "Como em sessao.1, a dor diminuiu bastante.",
        "O relato de [nome] mostra melhora da dor.",
        "**Melhora** importante da dor nas sessões.",
        "Melhora <b>importante</b> da dor nas sessões.",
        "- Melhora importante da dor nas sessões.",
        "",
    ],
)
def test_refs_placeholders_and_mark_up_are_no_text(text: str) -> None:
    assert reason(text) == "bad_json"


@pytest.mark.parametrize(
    "text",
    [
        "Rosângela relatou melhora da dor nas sessões.",
        "A senhora QUINTANILHA relatou melhora da dor.",
        "O contato do paciente é (11) 98765-4321.",
        "O CPF informado é 529.982.247-25, com melhora.",
        "Escrever para contato@example.com sobre a melhora.",
    ],
)
def test_whoever_is_named_is_never_shown(text: str) -> None:
    assert reason(text) == "leaked_identifier"


def test_a_name_in_what_cannot_be_read_is_told_as_such() -> None:
    found = check("Rosângela Quintanilha está melhor.", SUBJECT, IDENTITY)

    assert isinstance(found, Fault)
    assert found.reason == "leaked_identifier"


def test_all_faults_are_told_at_once_the_worst_gives_the_reason() -> None:
    found = checked(
        resumo=passage("A dor caiu para 99 pontos.", "pain_trend"),
        tendencias=[passage("Rosângela relatou melhora da dor.")],
    )

    assert isinstance(found, Fault)
    assert (found.reason, found.detail) == ("leaked_identifier", "tendencias[0]")
    assert "resumo:" in found.words
    assert "tendencias[0]:" in found.words


@pytest.mark.parametrize(
    "text", ["Rosângela relatou 99 pontos, diagnóstico sessao.1.", "El dolor bajó 99 puntos."]
)
def test_what_is_told_of_a_fault_repeats_nothing_of_the_answer(text: str) -> None:
    found = checked(resumo=passage(text, "Rosângela"))

    assert isinstance(found, Fault)
    assert found.reason in REASONS
    assert not {"Rosângela", "99", "dolor", "sessao.1"} & set(
        f"{found.words} {found.detail}".replace(".", " ").split()
    )


NUMBERS = st.decimals(0, 999, places=1) | st.integers(0, 999).map(Decimal)


def written(value: Decimal) -> str:
    return str(value).replace(".", ",")


def subject_of(shown: list[Decimal]) -> Subject:
    text = " ; ".join(map(written, shown))
    return Subject(text="{}", free="", refs={"f_f": "fact:f_f"}, shown={"f_f": text})


@given(st.lists(NUMBERS, min_size=1, max_size=6), st.data())
def test_a_text_of_shown_numbers_alone_is_within_the_rule(shown: list[Decimal], data: st.DataObject) -> None:
    said = data.draw(st.lists(st.sampled_from(shown)))

    assert are_shown(" e ".join(map(written, said)), ["f_f"], subject_of(shown), is_summary=True)


@settings(max_examples=200)
@given(st.lists(NUMBERS, max_size=6), NUMBERS, st.data())
def test_a_text_with_one_number_that_is_not_shown_is_not(
    shown: list[Decimal], other: Decimal, data: st.DataObject
) -> None:
    near = any(abs(other - each) <= 1 for each in shown)
    said = [*data.draw(st.lists(st.sampled_from(shown))), other] if shown else [other]
    text = " e ".join(map(written, data.draw(st.permutations(said))))

    assert near or not are_shown(text, ["f_f"], subject_of(shown), is_summary=True)


@given(st.text(max_size=300))
def test_any_text_at_all_is_judged(text: str) -> None:
    assert isinstance(check(text, SUBJECT, IDENTITY), Fault)
