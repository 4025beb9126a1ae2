"""What made-up sessions say: notes in a therapist's Portuguese, exercises whose loads rise, measurements.

Here: words and numbers of one session, by chance. Not here: whose session it is (``treatments.py``).
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, Final, Literal

#: How a clinic's app writes lists: nobody has agreed on it.
Style = Literal["portuguese", "english"]


@dataclass(frozen=True, slots=True)
class Condition:
    """Why somebody is treated.

    Args:
        measured: name, side, unit, and the value at the beginning and at the end.
        exercises: with the load at the beginning, in kg; 0: without one.
    """

    complaint: str
    place: str
    measured: tuple[str, str, str, float, float]
    exercises: tuple[tuple[str, float], ...]
    at_home: tuple[str, ...]


CONDITIONS: Final = (
    Condition(
        "Dor no joelho direito após cirurgia de ligamento", "no joelho direito",
        ("Flexão do joelho", "direito", "graus", 70, 125),
        (("Extensão de joelho na cadeira", 3), ("Leg press", 10), ("Agachamento com apoio", 0), ("Ponte", 0)),
        ("Elevação da perna estendida", "Gelo por 15 minutos após os exercícios"),
    ),
    Condition(
        "Lombalgia há três meses, pior ao ficar sentado", "na lombar",
        ("Flexão lombar (dedos ao chão)", "", "cm", 28, 8),
        (("Prancha frontal", 0), ("Ponte", 0), ("Remada baixa", 5), ("Levantamento terra com halter", 4)),
        ("Caminhada de 20 minutos", "Alongamento dos isquiotibiais"),
    ),
    Condition(
        "Dor no ombro esquerdo ao levantar o braço", "no ombro esquerdo",
        ("Abdução do ombro", "esquerdo", "graus", 85, 165),
        (("Rotação externa com elástico", 1), ("Elevação lateral", 1), ("Remada com elástico", 2)),
        ("Pêndulo de Codman", "Alongamento do peitoral na porta"),
    ),
)  # fmt: skip

_BETTER: Final = (
    "Refere melhora da dor {place} desde a última sessão.", "Dormiu melhor e acordou com menos dor {place}.",
    "Conseguiu subir escadas sem parar.", "Relata dor {pain}/10 {place}, menor que na semana passada.",
)  # fmt: skip
_SAME: Final = (
    "Mantém dor {place}, {pain}/10 ao esforço.", "Sem mudança importante desde a última sessão.",
    "Relata dor {pain}/10 {place} ao fim do dia.",
)  # fmt: skip
_WORSE: Final = (
    "Piora da dor {place} depois do fim de semana, {pain}/10.", "Acordou duas vezes à noite por causa da dor.",
    "Dor {pain}/10 {place} ao trabalhar sentado por muito tempo.",
)  # fmt: skip
_WORK: Final = (
    "Realizados exercícios de fortalecimento com boa execução.", "Carga aumentada sem queixas.",
    "Terapia manual e mobilização articular, boa tolerância.", "Treino de equilíbrio em superfície instável.",
    "Necessitou de pausas entre as séries.", "Orientado quanto à postura no trabalho.",
)  # fmt: skip
_PLAN: Final = (
    "Manter conduta.", "Progredir a carga na próxima sessão.", "Reavaliar a amplitude em duas semanas.",
    "Reforçados os exercícios para casa.",
)  # fmt: skip
#: What must never leave the house.
_PERSONAL: Final = (
    "{first} veio acompanhada da filha.", "Contato da família: {phone}.",
    "Conversado com {therapist} sobre a evolução.",
    "{name} pede declaração para o trabalho.", "Enviar o relatório para {email}.",
)  # fmt: skip
_PROCEDURES: Final = ("Cinesioterapia", "Ultrassom terapêutico", "TENS", "Liberação miofascial", "Crioterapia")


def note(
    chance: random.Random, condition: Condition, pain: int, change: int, persons: dict[str, str] | None
) -> str:
    """A few sentences with FisioFlow's HTML.

    Args:
        change: of the pain since the last session.
        persons: who may be mentioned; None: nobody is.
    """
    first = chance.choice(_BETTER if change < 0 else _WORSE if change > 1 else _SAME)
    sentences = [first.format(place=condition.place, pain=pain), *chance.sample(_WORK, chance.randint(1, 2))]
    if persons is not None:
        sentences.insert(chance.randint(0, 1), chance.choice(_PERSONAL).format(**persons))
    plan = chance.choice(_PLAN)
    if chance.random() < 0.3:
        return f"<p>{'&nbsp;'.join(sentences)}</p><ul><li><strong>Conduta:</strong> {plan}</li></ul>"
    return f"<p>{' '.join(sentences)}<br>{plan}</p>"


def exercises(chance: random.Random, condition: Condition, done: float, style: Style) -> list[Any]:
    """What was done. ``done``: how much of the treatment is over, 0 to 1."""
    return [
        _exercise(name, round(load * (1 + 1.5 * done) * 2) / 2, chance.choice((8, 10, 12)), style)
        for name, load in condition.exercises[: chance.randint(2, len(condition.exercises))]
    ]


def measurements(chance: random.Random, condition: Condition, done: float, style: Style) -> list[Any]:
    """One measurement on its way from its first value to its last."""
    name, side, unit, begin, end = condition.measured
    value = round(begin + (end - begin) * done + chance.uniform(-3, 3))
    if style == "english":
        return [{"name": name, "side": side, "value": value, "unit": unit}]
    return [{"nome": name, "lado": side, "valor": f"{value},0 {unit}"}]


def procedures(chance: random.Random) -> list[Any]:
    """What else was done."""
    return list(chance.sample(_PROCEDURES, 2))


def _exercise(name: str, load: float, repetitions: int, style: Style) -> dict[str, Any]:
    if style == "english":
        return {"name": name, "sets": 3, "reps": repetitions, **({"load": load} if load else {})}
    written = f"{load:.1f} kg".replace(".", ",")
    return {"nome": name, "séries": "3", "repetições": repetitions, **({"carga": written} if load else {})}
