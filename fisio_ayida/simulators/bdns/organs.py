"""The bodies that grant aid: four trees of realistic size, and their DIR3-like codes.

Ids are unique inside one level only, so the same number is a ministry, a province and a municipality
(CONTRACT §3.15). Which body grants which call is decided by calls.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from fisio_ayida.simulators.bdns.catalogues import Node
from fisio_ayida.simulators.bdns.words import COMPLEMENTOS, LUGARES, MATERIAS, REGIONES_NOMBRE

ADMINISTRATIONS: Final = ("C", "A", "L", "O")
NIVEL1: Final = {"C": "ESTADO", "A": "AUTONOMICA", "L": "LOCAL", "O": "OTROS"}
_SHARE_PERCENT: Final = {"C": 10, "A": 30, "L": 55, "O": 5}


@dataclass(frozen=True)
class Organ:
    """A body that can be asked for by its leaf id."""

    administration: str
    id: int
    first_level: int
    nivel1: str
    nivel2: str
    nivel3: str | None
    invente: str | None


def _odd_blanks(text: str, number: int) -> str:
    match number % 41:
        case 7:
            return f"{text} "
        case 11:
            return f" {text}"
        case 17:
            return text.replace(" ", "  ", 1)
        case 23:
            return text.replace(" ", "\u00a0", 1)
        case _:
            return text


def _place(number: int) -> str:
    names, extras = len(LUGARES), len(COMPLEMENTOS)
    turn = number // (names * extras)
    tail = f" {turn + 1}" if turn else ""
    return f"{LUGARES[number % names]}{COMPLEMENTOS[(number // names) % extras]}{tail}".replace("-", " ")


_UNITS: Final = ("AGENCIA FICTICIA DE", "DIRECCIÓN GENERAL DE", "INSTITUTO SUPUESTO DE", "SECRETARÍA GENERAL DE")


@lru_cache(maxsize=1)
def trees() -> dict[str, tuple[Node, ...]]:
    """The four trees with the sizes of CONTRACT §3.15."""
    leaf = iter(range(1, 20_000))
    state = []
    for at in range(22):
        bodies = tuple(
            Node(next(leaf), _odd_blanks(f"{_UNITS[n % 4]} {MATERIAS[(at + n) % 22]} {n // 4 + 1}", n * 5 + at))
            for n in range(327 // 22 + (1 if at < 327 % 22 else 0))
        )
        state.append(Node(at + 1, _odd_blanks(f"MINISTERIO FICTICIO DE {MATERIAS[at]}", at), bodies))
    regions = []
    for at in range(19):
        size = 1857 // 19 + (1 if at < 1857 % 19 else 0)
        # Under one parent a few texts repeat under other ids: 88 of them in all.
        repeats = 88 // 19 + (1 if at < 88 % 19 else 0)
        bodies = tuple(
            Node(
                next(leaf),
                _odd_blanks(f"CONSEJERÍA DE {MATERIAS[k % 22]} - {_UNITS[k % 4]} {MATERIAS[(k * 7) % 22]} {k}", k),
            )
            for n in range(size)
            for k in (n if n < size - repeats else n - (size - repeats),)
        )
        regions.append(Node(at + 1, REGIONES_NOMBRE[at], bodies))
    local, town, body = [], 0, 0
    for at in range(50):
        towns = []
        for _ in range(2854 // 50 + (1 if at < 2854 % 50 else 0)):
            name = _place(town)
            count = 2 if town < 3475 - 2854 else 1
            bodies = tuple(
                Node(
                    next(leaf),
                    _odd_blanks(
                        f"AYUNTAMIENTO DE {name}" if not n else f"PATRONATO DE DEPORTES DE {name}", body + n
                    ),
                )
                for n in range(count)
            )
            body += count
            towns.append(Node(town + 1, _odd_blanks(name, town * 3), bodies))
            town += 1
        local.append(Node(at + 1, f"PROVINCIA FICTICIA DE {_place(at * 31)}", tuple(towns)))
    others = tuple(
        Node(
            next(leaf),
            _odd_blanks(f"{('CONSORCIO', 'UNIVERSIDAD', 'FUNDACIÓN', 'CÁMARA')[n % 4]} {_place(n * 13)} {n}", n),
        )
        for n in range(212)
    )
    return {"C": tuple(state), "A": tuple(regions), "L": tuple(local), "O": others}


def _walk(nodes: tuple[Node, ...], administration: str) -> list[Organ]:
    nivel1 = NIVEL1[administration]
    found = []
    for top in nodes:
        if top.children is None:
            found.append(Organ(administration, top.id, top.id, nivel1, top.descripcion, None, None))
        for mid in top.children or ():
            invente = f"INV000{mid.id:05d}" if mid.id % 4 == 0 else None
            if mid.children is None:
                text = mid.descripcion
                found.append(Organ(administration, mid.id, top.id, nivel1, top.descripcion, text, invente))
            for leaf in mid.children or ():
                text = leaf.descripcion
                found.append(Organ(administration, leaf.id, top.id, nivel1, mid.descripcion, text, invente))
    return found


@lru_cache(maxsize=1)
def organs() -> tuple[Organ, ...]:
    """Every leaf body, repeated so that a uniform pick gives each administration its share of calls."""
    picked: list[Organ] = []
    for administration in ADMINISTRATIONS:
        leaves = _walk(trees()[administration], administration)
        slots = _SHARE_PERCENT[administration] * 100
        picked.extend(leaves[at * len(leaves) // slots] for at in range(slots))
    return tuple(picked)


@lru_cache(maxsize=1)
def leaf_ids() -> dict[str, tuple[int, ...]]:
    """Leaf ids of each administration, the only ones that the `organos` filter knows."""
    return {name: tuple(organ.id for organ in _walk(trees()[name], name)) for name in ADMINISTRATIONS}


def by_dir3(code: str) -> tuple[str, tuple[int, ...]] | None:
    """What `/organos/codigo` knows: a code like L02000034 names one leaf; None when unknown."""
    administration = {"E": "C", "A": "A", "L": "L", "U": "O"}.get(code[0])
    if administration is None or not code[1:].isdigit():
        return None
    wanted = int(code[3:])
    return (administration, (wanted,)) if wanted in leaf_ids()[administration] else None


def by_administration(code: str) -> tuple[str, tuple[int, ...]] | None:
    """What `/organos/codigoAdmin` knows: C31 or A05 name a first-level node and give all its leaves."""
    administration, digits = code[0], code[1:]
    if administration not in ADMINISTRATIONS or not digits.isdigit():
        return None
    wanted = int(digits)
    found = tuple(o.id for o in _walk(trees()[administration], administration) if o.first_level == wanted)
    return (administration, found) if found else None
