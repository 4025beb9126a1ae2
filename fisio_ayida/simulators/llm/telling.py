"""What the stand-in's model says: a narrative made from the facts and sessions it is given, and ways to spoil it.

Here: words. Not here: which way is taken, and how it is sent (``modes.py``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

NAME: Final = "Maria Aparecida Nogueira"
TELEPHONE: Final = "(11) 98765-4321"
STRANGER: Final = "Joana"
DISEASES: Final = ("osteoartrose", "condropatia", "tendinite", "bursite")
#: Facts and sessions of which one answer tells.
_TOLD: Final = 3
Narrative = dict[str, Any]


def narrative(subject: Mapping[str, Any]) -> Narrative:
    """An answer that says nothing beside what it was given, in Portuguese, with what it rests on."""
    facts = [fact for fact in _rows(subject, "fatos") if fact.get("valor")]
    sessions = _rows(subject, "sessoes")
    refs = [str(each["ref"]) for each in (*facts, *sessions)][:_TOLD]
    told = " ".join(_of_fact(fact) for fact in facts[:_TOLD]) or "Ainda há poucos dados calculados."
    return {
        "resumo": _passage(f"O acompanhamento do paciente segue em andamento. {told}", refs),
        "tendencias": [_passage(_of_fact(fact), [fact["ref"]]) for fact in facts[:_TOLD]]
        + [_passage(_of_session(each), [each["ref"]]) for each in sessions[-1:] if each.get("dor") is not None],
        "recomendacoes": [
            _passage("Sugere-se ao profissional conversar com o paciente sobre a evolução do tratamento.", refs)
        ],
        "riscos": [_passage("Recomenda-se observar a frequência das próximas visitas do paciente.", refs[:1])],
    }


def in_english(answer: Narrative) -> None:
    """The same kind of answer in another language."""
    _say(answer, "The patient is doing well and should keep the exercises that were agreed upon with the clinic.")


def in_spanish(answer: Narrative) -> None:
    """The same in a language that looks much like Portuguese."""
    _say(
        answer,
        "El paciente evoluciona bien y hay que seguir con los ejercicios que se han hecho hasta el día de hoy.",
    )


def with_number(answer: Narrative, subject: Mapping[str, Any]) -> None:
    """A number that nobody gave it."""
    given, number = json.dumps(subject), 47
    while str(number) in given:
        number += 11
    _add(answer, f"A força muscular melhorou {number} % desde a avaliação.")


def with_name(answer: Narrative, name: str) -> None:
    """Somebody's name."""
    _add(answer, f"A paciente {name or NAME} relatou melhora.")


def with_telephone(answer: Narrative, number: str) -> None:
    """A telephone number."""
    _add(answer, f"O contato é o telefone {number or TELEPHONE}.")


def with_diagnosis(answer: Narrative) -> None:
    """What only a professional may say."""
    _add(answer, "O paciente tem hérnia de disco lombar, o que confirma o diagnóstico de lombociatalgia.")


def reversing(answer: Narrative, subject: Mapping[str, Any]) -> None:
    """A trend of the facts, told the other way round; of visits, if no fact has a direction."""
    for fact in _rows(subject, "fatos"):
        told = str(fact.get("detalhe", ""))
        for direction, other in (("caindo", "subindo"), ("subindo", "caindo")):
            if direction in told:
                what = str(fact.get("assunto") or fact.get("titulo", "")).removeprefix("Tendência da ")
                _cite(answer, f"{what.capitalize()} vem {other} de forma consistente.", fact)
                return
    _add(answer, "O paciente compareceu a todas as visitas e nunca faltou.")


def with_wrong_unit(answer: Narrative, subject: Mapping[str, Any]) -> None:
    """A number that was given, as one of something else: the days of a window as missed visits."""
    for fact in _rows(subject, "fatos"):
        days = [word for word in str(fact.get("janela", "")).split() if word.isdigit()]
        if days:
            _cite(answer, f"O paciente faltou {days[0]} vezes no período.", fact)
            return
    _add(answer, "O paciente faltou 90 vezes no período.")


def with_disease(answer: Narrative, subject: Mapping[str, Any]) -> None:
    """A disease of which nobody wrote."""
    given = json.dumps(subject, ensure_ascii=False).lower()
    named = next((each for each in DISEASES if each not in given), DISEASES[0])
    _add(answer, f"Os achados sugerem {named}.")


def with_stranger(answer: Narrative) -> None:
    """A name that is nobody's of the clinic."""
    _add(answer, f"A paciente {STRANGER} relatou melhora.")


def citing_nothing(answer: Narrative) -> None:
    """No passage says what it rests on."""
    for passage in passages(answer):
        passage["citacoes"] = []


def citing_unknown(answer: Narrative) -> None:
    """One passage rests on a session that there is not."""
    answer["resumo"]["citacoes"] = ["S999"]


def passages(answer: Narrative) -> list[dict[str, Any]]:
    """All passages of an answer."""
    lists = (answer["tendencias"], answer["recomendacoes"], answer["riscos"])
    return [answer["resumo"], *(passage for each in lists for passage in each)]


def _passage(text: str, refs: list[str]) -> dict[str, Any]:
    return {"texto": text, "citacoes": list(refs)}


def _of_fact(fact: Mapping[str, Any]) -> str:
    return f"De acordo com o que a clínica registrou, {str(fact.get('titulo', '')).lower()}: {fact['valor']}."


def _of_session(session: Mapping[str, Any]) -> str:
    return f"Na última sessão registrada, o paciente informou dor de intensidade {session['dor']}."


def _say(answer: Narrative, text: str) -> None:
    for passage in passages(answer):
        passage["texto"] = text


def _cite(answer: Narrative, sentence: str, fact: Mapping[str, Any]) -> None:
    """As the last trend, resting on that fact."""
    answer["tendencias"].append(_passage(sentence, [str(fact["ref"])]))


def _add(answer: Narrative, sentence: str) -> None:
    answer["resumo"]["texto"] += f" {sentence}"


def _rows(subject: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    rows = subject.get(name)
    return [row for row in rows if isinstance(row, Mapping) and "ref" in row] if isinstance(rows, list) else []
