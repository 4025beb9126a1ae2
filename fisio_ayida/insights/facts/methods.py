"""What several formulas have in common, in Portuguese, so that a professional can do it by hand.

Not here: the formulas of single facts (``registry.py``), the same in English (``page_words.py``).
"""

from __future__ import annotations

from typing import Final

from fisio_ayida.insights.facts import limits
from fisio_ayida.insights.facts.kinds import Method
from fisio_ayida.insights.facts.series import Z


def comma(value: float) -> str:
    """A number of ours as Portuguese has it."""
    return f"{value:g}".replace(".", ",")


_Z: Final = comma(round(Z, 2))
_SURE: Final = f"{limits.CONFIDENCE:.0%}"

METHODS: Final = (
    Method(
        "Tendência",
        "Para cada dois dias com valor, divida a diferença pelos dias entre eles; a mediana dessas divisões, "
        f"vezes {limits.PER.days} dias (ou vezes os dias do primeiro ao último valor, se forem menos), é o "
        "resultado, nunca maior que a diferença entre o maior e o menor valor. Só sobe ou cai se ele não é zero e "
        f"os pares que sobem menos os que caem, sem o sinal e menos 1, passam de {_Z} × √V, com V = "
        "[n(n−1)(2n+5) − soma de t(t−1)(2t+5) de cada valor que se repete em t dias] ÷ 18.",
    ),
    Method(
        f"Intervalo de {_SURE} da tendência",
        "Com as N divisões em ordem crescente, vai da de número "
        f"(N − {_Z} × √V) ÷ 2 à de número (N + {_Z} × √V) ÷ 2 + 1, arredondados, vezes os mesmos dias. Na dor, "
        f"nenhum fim passa de {limits.WORST_PAIN} pontos.",
    ),
    Method(
        f"Intervalo de {_SURE} do comparecimento (Wilson)",
        f"Com n = realizadas + faltas, p = realizadas ÷ n e z = {_Z}: "
        "[p + z²/2n ± z √(p(1−p)/n + z²/4n²)] ÷ (1 + z²/n).",
    ),
)  # fmt: skip
