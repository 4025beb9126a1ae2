"""Beneficiaries: who stands behind an idPersona, with which identifier, name and spelling.

A person or entity is a pure function of idPersona. Identifiers use the province code 00, which does
not exist, so they belong to nobody. What they receive is decided by awards.py.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from fisio_ayida.simulators.bdns.hashing import I64, U64, below, draw, hits, mix, one_below, one_hit, salt
from fisio_ayida.simulators.bdns.words import APELLIDOS, LUGARES, NOMBRES, OFICIOS, PARTIDOS

NATURAL_BASE: Final = 1_000_000
NATURAL_POOL: Final = 3_000_000
ENTITY_BASE: Final = 10_000_000
ENTITY_POOL: Final = 80_000
SPELLINGS: Final = 8

# Letter and weight in thousandths; the last kinds are the odd identifiers of CONTRACT §5.2.
_KINDS: Final = (
    *("B" * 54),
    *("A" * 12),
    *("G" * 12),
    *("F" * 4),
    *("P" * 6),
    *("Q" * 2),
    "S",
    *("E" * 3),
    "J",
    "N",
    "W",
    "#",
    "Z",
    "D",
)
_DNI_LETTERS: Final = "TRWAGMYFPDXBNJZSQVHLCKE"
_CONTROL_LETTERS: Final = "JABCDEFGHI"
_WHO: Final = salt("persona")
_NOMBRE, _AP1, _AP2, _MASK, _ARTEFACT = (salt("persona", part) for part in ("n", "a1", "a2", "m", "x"))
_MASKS: Final = (b"***00%02d** ", b"***00%02d ", b"****00%02d* ")


def plain(text: str) -> str:
    """The text without accents; ñ and ç are letters and stay."""
    kept = text.replace("Ñ", "\x00").replace("ñ", "\x01").replace("Ç", "\x02").replace("ç", "\x03")
    bare = "".join(c for c in unicodedata.normalize("NFD", kept) if not unicodedata.combining(c))
    return bare.replace("\x00", "Ñ").replace("\x01", "ñ").replace("\x02", "Ç").replace("\x03", "ç")


def _control(letter: str, digits: str) -> str:
    odd = sum(sum(divmod(int(d) * 2, 10)) for d in digits[::2])
    number = (10 - (odd + sum(int(d) for d in digits[1::2])) % 10) % 10
    return _CONTROL_LETTERS[number] if letter in "PQSKNW" else str(number)


def person_key(id_persona: int) -> int:
    """The hash that a person's traits are drawn from."""
    return mix(id_persona ^ _WHO)


def is_natural(id_persona: int) -> bool:
    """True for the masked natural persons."""
    return id_persona < ENTITY_BASE


def identifier(id_persona: int) -> str:
    """The identifier as published: masked for natural persons."""
    key = person_key(id_persona)
    if is_natural(id_persona):
        number = one_below(key, _MASK, 300)
        return (_MASKS[number // 100] % (number % 100)).decode().strip()
    number = id_persona - ENTITY_BASE
    kind = _KINDS[one_below(key, _MASK, len(_KINDS))]
    digits = f"00{number:05d}"
    if kind == "#":
        return f"9900{number:06d}"
    if kind == "Z":
        return "Z" * (9 + number % 3)
    if kind == "D":
        if number % 2:
            return f"X{digits}{_DNI_LETTERS[int(digits) % 23]}"
        return f"0{digits}{_DNI_LETTERS[int(digits) % 23]}"
    return f"{kind}{digits}{_control(kind, digits)}"


def find_by_identifier(text: str) -> int | None:
    """The idPersona that publishes exactly this whole identifier, or None."""
    digits = "".join(c for c in text if c.isdigit())
    for candidate in (digits[-6:-1], digits[-5:], digits[:7][-5:], digits[:8][-5:], digits[-6:]):
        if candidate.isdigit() and int(candidate) < ENTITY_POOL:
            found = ENTITY_BASE + int(candidate)
            if identifier(found) == text:
                return found
    return None


def name_parts(id_persona: int, generation: int = 0) -> tuple[str, str]:
    """Name and legal form; another generation is another name of the same idPersona."""
    key = person_key(id_persona) if not generation else mix(person_key(id_persona) + generation)
    first = APELLIDOS[one_below(key, _AP1, len(APELLIDOS))]
    second = APELLIDOS[one_below(key, _AP2, len(APELLIDOS))]
    if is_natural(id_persona):
        given = NOMBRES[one_below(key, _NOMBRE, len(NOMBRES))]
        if one_hit(key, _ARTEFACT, 0.025):
            first = f"* {first}"
        return f"{given} {first} {second}", ""
    kind = identifier(id_persona)[0]
    place = LUGARES[one_below(key, _NOMBRE, len(LUGARES))]
    trade = OFICIOS[one_below(key, _AP1, len(OFICIOS))]
    if kind == "B":
        return f"{trade} {second} DE {place}", "SL"
    if kind == "A":
        return f"{trade} {place} {second}", "SA"
    if kind == "P":
        return f"AYUNTAMIENTO DE {place} {second}", ""
    if kind in "QS":
        return f"ORGANISMO FICTICIO DE {trade} {place} {second}", ""
    if kind in "EJ":
        return f"COMUNIDAD DE BIENES {first} Y {second} {place}", "CB"
    if kind == "F":
        return f"COOPERATIVA {trade} {place} {second}", ""
    if kind == "G":
        return f"ASOCIACIÓN DE {trade} DE {place} {second}", ""
    if kind.isdigit() and id_persona % 2:
        return f"FOREIGN FICTIONAL {trade} {second} GMBH", ""
    if kind == "Z":
        return f"{identifier(id_persona)} {place} {second}", ""
    return f"{first} {second} {place}", ""


def party_name(number: int) -> tuple[str, str]:
    """Identifier and name of an invented political party."""
    digits = f"00{90000 + number:05d}"
    base = PARTIDOS[number % len(PARTIDOS)]
    return f"G{digits}{_control('G', digits)}", base if number < len(PARTIDOS) else f"{base} {number}"


_FORMS: Final = {"SL": ("S.L.", "SOCIEDAD LIMITADA"), "SA": ("S.A.", "SOCIEDAD ANÓNIMA"), "CB": ("C.B.", "CB")}


def spell(name: str, form: str, spelling: int) -> str:
    """One of the ways in which the source writes a name; all of them are the same name."""
    dotted, whole = _FORMS.get(form, ("", ""))
    tail, dots, full = (f" {part}" if part else "" for part in (form, dotted, whole))
    match spelling % SPELLINGS:
        case 1:
            return plain(name) + dots
        case 2:
            return f"{name}{tail} ."
        case 3:
            return f"{name}{tail} -"
        case 4:
            return name.replace(" ", "  ", 1) + full
        case 5:
            return f"{name}{tail}".title()
        case 6:
            left, _, right = name.rpartition(" ")
            return f"{left}-{right}{dots}" if left else name + dots
        case 7:
            return plain(name) + tail + " "
        case _:
            return name + tail


def full_name(id_persona: int, spelling: int = 0, generation: int = 0) -> str:
    """The whole name in one spelling."""
    return spell(*name_parts(id_persona, generation), spelling)


@dataclass(frozen=True)
class _Pools:
    masks: list[bytes]
    given: list[bytes]
    first: list[bytes]  # the second half carries the artefact of a lone asterisk
    second: list[bytes]


@lru_cache(maxsize=1)
def _pools() -> _Pools:
    surnames = [word.encode() for word in APELLIDOS]
    return _Pools(
        [mask % n for mask in _MASKS for n in range(100)],
        [word.encode() for word in NOMBRES],
        [*surnames, *(b"* " + word for word in surnames)],
        surnames,
    )


@lru_cache(maxsize=100_000)
def _first_text(id_persona: int, separator: str) -> bytes:
    return f"{identifier(id_persona)}{separator}{full_name(id_persona)}".encode()


def choose(keys: U64, purpose: int, natural_share: float) -> I64:
    """An idPersona for each row."""
    natural = hits(keys, purpose ^ _MASK, natural_share)
    return np.where(
        natural,
        NATURAL_BASE + below(keys, purpose, NATURAL_POOL),
        ENTITY_BASE + below(keys, purpose, ENTITY_POOL),
    )


def beneficiary_texts(ids: I64, spellings: I64 | None, generations: I64 | None, separator: str) -> list[bytes]:
    """The `beneficiario` text of each row as JSON-safe UTF-8, in one pass over arrays."""
    pools = _pools()
    masks, given, first, second = pools.masks, pools.given, pools.first, pools.second
    keys = draw(ids.astype(np.uint64), _WHO)
    sep = separator.encode()[1:]
    numbers = below(keys, _MASK, 300).tolist()
    starred = len(second) * hits(keys, _ARTEFACT, 0.025).astype(np.int64)
    texts = [
        b"%b%b%b %b %b" % (masks[m], sep, given[n], first[a], second[b])
        for m, n, a, b in zip(
            numbers,
            below(keys, _NOMBRE, len(given)).tolist(),
            (below(keys, _AP1, len(second)) + starred).tolist(),
            below(keys, _AP2, len(second)).tolist(),
            strict=True,
        )
    ]
    for at in np.nonzero(ids >= ENTITY_BASE)[0].tolist():
        texts[at] = _first_text(int(ids[at]), separator)
    if spellings is not None or generations is not None:
        spelled = np.zeros(len(ids), np.int64) if spellings is None else spellings
        named = np.zeros(len(ids), np.int64) if generations is None else generations
        for at in np.nonzero((spelled != 0) | (named != 0))[0].tolist():
            who = int(ids[at])
            text = full_name(who, int(spelled[at]), int(named[at]))
            texts[at] = f"{identifier(who)}{separator}{text}".encode()
    return texts
