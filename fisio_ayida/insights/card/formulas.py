"""How every number and every sign of attention of the page comes about, in Portuguese.

Here: their order on the page. Not here: the formulas themselves (``facts/registry.py``, ``methods.py``,
``rules.py``).
"""

from __future__ import annotations

from collections.abc import Iterator

from fisio_ayida.insights.facts.kinds import Method
from fisio_ayida.insights.facts.methods import METHODS
from fisio_ayida.insights.facts.registry import FACTS
from fisio_ayida.insights.facts.rules import FLAGS
from fisio_ayida.insights.wording.rows import window_of


def formulas() -> Iterator[Method]:
    """Every fact, what several have in common, and every rule, also those of which the page says nothing."""
    for kind in FACTS:
        window = window_of(kind)
        yield Method(kind.portuguese, f"{kind.formula_pt} Janela: {window}." if window else kind.formula_pt)
    yield from METHODS
    for flag in FLAGS:
        yield Method(f"Sinal “{flag.portuguese}”", flag.rule_pt)
