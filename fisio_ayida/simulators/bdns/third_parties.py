"""`/terceros`: beneficiaries by fragment of name, identifier or idPersona, capped at 150 without a word.

One item per spelling, so an id repeats (Q29). Never a way to sweep the population.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from fisio_ayida.simulators.bdns import people
from fisio_ayida.simulators.bdns.catalogues import AMBITOS
from fisio_ayida.simulators.bdns.text import ADVERTENCIA

CAP: Final = 150
_LOOKED_AT: Final = 4_000


def third_parties(values: Mapping[str, str]) -> dict[str, object]:
    """The answer of `/terceros`."""
    found: list[dict[str, object]] = []
    if values.get("ambito", "C") in AMBITOS:
        for id_ in _matching(values):
            first = people.full_name(id_)
            texts = dict.fromkeys((first, people.full_name(id_, 1) + " ", people.full_name(id_, 2)))
            shown = texts if id_ % 3 == 0 else (first,)
            found += [{"id": id_, "descripcion": f"{people.identifier(id_)} - {text}"} for text in shown]
            if len(found) >= CAP:
                break
    return {"terceros": found[:CAP], "advertencia": ADVERTENCIA}


def _matching(values: Mapping[str, str]) -> Iterator[int]:
    wanted = values.get("idPersona", "")
    if wanted:
        if wanted.isdigit() and _exists(int(wanted)):
            yield int(wanted)
        return
    text = values.get("busqueda", "")
    if len(text) < 3:
        return
    exact = people.find_by_identifier(text)
    if exact is not None:
        yield exact
        return
    sought = people.plain(text).casefold()
    for base in (people.ENTITY_BASE, people.NATURAL_BASE):
        for id_ in range(base, base + _LOOKED_AT):
            if sought in people.plain(people.full_name(id_)).casefold():
                yield id_


def _exists(id_: int) -> bool:
    natural = people.NATURAL_BASE <= id_ < people.NATURAL_BASE + people.NATURAL_POOL
    return natural or people.ENTITY_BASE <= id_ < people.ENTITY_BASE + people.ENTITY_POOL
