"""Whether two computations of a patient's facts say the same, and a record as it was when one of them was made.

Pure. Not here: computing (``facts/``), and what follows from a difference (``agreeing.py``, ``making.py``).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec

from fisio_ayida.insights.model import Facts, Record

T = TypeVar("T")
#: Facts are computed with binary fractions, and another machine's may end otherwise.
_NEARLY: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Difference:
    """A fact or flag that is not what it was, or an item with a wrong number.

    Args:
        inputs: the sessions and visits that it was, or is now, made from.
    """

    name: str
    inputs: frozenset[str]


def differences(stored: Facts, anew: Facts) -> Iterator[Difference]:
    """The facts and flags that are not the same in both."""
    facts = [{each.ref: each for each in both.facts} for both in (stored, anew)]
    for ref, pair in _unequal(*facts):
        yield Difference(ref, frozenset(id for fact in pair for id in fact.inputs))
    rules = [{each.name: each for each in both.flags} for both in (stored, anew)]
    for name, flags in _unequal(*rules):
        # A flag that is gone may rest on a fact of what is new.
        under = [each[ref].inputs for each in facts for flag in flags for ref in flag.facts if ref in each]
        yield Difference(name, frozenset(id for ids in (*(each.inputs for each in flags), *under) for id in ids))


def as_of(record: Record, finalized_at: dt.datetime, session: str, today: dt.date) -> Record:
    """The record without the sessions that were finalized later than this one, on the day ``today``."""
    newest = finalized_at, session
    sessions = tuple(each for each in record.sessions if (each.finalized_at, each.id) <= newest)
    return dataclasses.replace(record, sessions=sessions, today=today)


def _unequal(stored: Mapping[str, T], anew: Mapping[str, T]) -> Iterator[tuple[str, list[T]]]:
    for name in dict.fromkeys((*stored, *anew)):
        pair = [each[name] for each in (stored, anew) if name in each]
        if len(pair) == 1 or not _same(*map(msgspec.to_builtins, pair)):
            yield name, pair


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=_NEARLY, abs_tol=_NEARLY)
    return bool(one == other)
