"""What a row of the registry of facts says.

Here: types. Not here: the rows (``registry.py``, ``rules.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fisio_ayida.insights.facts.usable import Usable
from fisio_ayida.insights.model import Fact, Flag


@dataclass(frozen=True, slots=True, kw_only=True)
class FactKind:
    """A fact that is computed of every record.

    Args:
        title, portuguese: what it is; the second one is what professionals read.
        unit: of its value; ``…``: of the measurement.
        window: how many civil days it looks at; None: all that is read.
        skipped: how many civil days before today are not of the window.
        least: what there has to be for a value.
        formula, formula_pt: so that it can be done by hand; the second one is what professionals read.
        limits: what it cannot say.
        of: what its further numbers are.
        missing: words of why it may have no value.
        compute: the function; several facts if there may be several of the name.
    """

    name: str
    title: str
    portuguese: str
    unit: str
    window: dt.timedelta | None
    skipped: dt.timedelta = dt.timedelta()
    least: str
    formula: str
    formula_pt: str
    limits: str
    of: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...]
    compute: Callable[[Usable], Fact | tuple[Fact, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagKind:
    """A rule.

    Args:
        rule, rule_pt: when it holds; the second one is what professionals read.
        hint: why a professional may want to know.
    """

    name: str
    portuguese: str
    rule: str
    rule_pt: str
    hint: str
    compute: Callable[[Usable, Mapping[str, Fact]], Flag | None]


@dataclass(frozen=True, slots=True)
class Method:
    """What several formulas rest on, as professionals read it."""

    title: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingWord:
    """Why something is not said.

    Args:
        means: in English.
        portuguese: as professionals read it, after a colon.
        advice: in Portuguese, what to record, so that more can be said; empty: nothing needs to be.
    """

    name: str
    means: str
    portuguese: str
    advice: str = ""
