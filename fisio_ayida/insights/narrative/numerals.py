"""The numbers that a Portuguese text says, in figures or in words.

Here: finding them. Not here: of what they are numbers (``roles.py``), which may be said (``validation.py``).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from fisio_ayida.insights.narrative.lines import bare

_UNITS: Final = {
    "zero": 0, "tres": 3, "quatro": 4, "cinco": 5, "seis": 6, "sete": 7, "oito": 8, "nove": 9, "dez": 10,
    "onze": 11, "doze": 12, "treze": 13, "quatorze": 14, "catorze": 14, "quinze": 15, "dezesseis": 16,
    "dezessete": 17, "dezoito": 18, "dezenove": 19,
}  # fmt: skip
_TENS: Final = {
    "vinte": 20, "trinta": 30, "quarenta": 40, "cinquenta": 50, "sessenta": 60, "setenta": 70, "oitenta": 80,
    "noventa": 90,
}  # fmt: skip
_HUNDREDS: Final = {
    "cem": 100, "cento": 100, "duzentos": 200, "duzentas": 200, "trezentos": 300, "trezentas": 300,
    "quatrocentos": 400, "quatrocentas": 400, "quinhentos": 500, "quinhentas": 500, "seiscentos": 600,
    "seiscentas": 600, "setecentos": 700, "setecentas": 700, "oitocentos": 800, "oitocentas": 800,
    "novecentos": 900, "novecentas": 900,
}  # fmt: skip
_THOUSAND: Final = {"mil": 1000}
# Words are compared without accents and in lower case.
# Ordinals count only before what is counted: "quinta" alone is a day of the week, "quarto" a room.
_ORDINALS: Final = {
    "terceir": 3, "quart": 4, "quint": 5, "sext": 6, "setim": 7, "oitav": 8, "non": 9, "decim": 10,
}  # fmt: skip
#: Words, without accents, that say a number which was computed anew.
SHARES: Final = (
    "metade", "terco", "tercos", "dobro", "dobrou", "dobraram", "triplo", "triplicou", "triplicaram", "quadruplo",
    "quadruplicou", "dezena", "dezenas", "duzia", "duzias", "centena", "centenas", "decada", "decadas",
)  # fmt: skip

# "um" and "dois" are as often no numbers at all ("um pouco", "os dois joelhos"): in words, they count as the last
# part of another numeral, and before what is counted.
_SMALL: Final = {"um": 1, "uma": 1, "dois": 2, "duas": 2}
_NOUNS: Final = (
    r"(?:faltas?|ausencias?|visitas?|sess(?:ao|oes)|consultas?|atendimentos?|avaliac(?:ao|oes)|dias?|semanas?|mes(?:es)?"
    r"|anos?|horas?|minutos?|quilos?|kg|series?|repetic(?:ao|oes)|graus?(?! (?:de|maior|menor)\b)"
    r"|pontos?(?! (?:de|da|do) (?:atencao|partida|apoio|vista|referencia|contato|corte|equilibrio)\b)"
    r"|vez(?:es)?(?! (?:que|mais)\b))"
)
_COUNTS = re.compile(rf" (?:(?:ultim|primeir|proxim)[ao]s? )?{_NOUNS}\b")
_HALVES = re.compile(rf"\bmei[ao] {_NOUNS}\b|\b{_NOUNS} e mei[ao]\b")
# "Um quarto" is a room, "um quinto das visitas" a share; the slash is that of "⅓".
_FRACTIONS = re.compile(
    r"\b(?:um|uma|dois|duas|tres|quatro|\d) (?:quart|quint|sext|setim|oitav|non|decim)[oa]s? (?:parte )?d[aeo]s?\b"
    r"|\d\u2044\d"
)
_ROMAN = re.compile(r"(?<![^\W_])(?=[IVX]{2})X{0,3}(?:IX|IV|V?I{0,3})(?![^\W_])")
_ROMAN_VALUES: Final = {"I": 1, "V": 5, "X": 10}
_FIGURES = re.compile(r"\d+(?:[.,]\d+)*")
# "Por cento" is a unit.
_WORD = re.compile(r"(?<!\bpor )cento\b|(?!cento\b)[^\W\d_]+")
_COUNTED = ("sess", "visita", "semana", "dia", "mes", "consulta", "avalia", "atendimento", "vez", "serie")


@dataclass(frozen=True, slots=True)
class Said:
    """A number as a text says it.

    Args:
        values: what it may mean; ``1.200`` is read in two ways.
        start, end: where it stands in the text as :func:`plain` has it.
    """

    written: str
    values: tuple[Decimal, ...]
    start: int = 0
    end: int = 0


def plain(text: str) -> str:
    """A text as numbers are looked for in it: as words are compared, and Roman numerals in figures.

    Figures of other scripts, of circles and of superscripts are figures too.
    """
    return bare(_ROMAN.sub(lambda match: str(_roman(match[0])), unicodedata.normalize("NFKC", text)))


def numbers(text: str) -> tuple[Said, ...]:
    """All numbers of a text, without signs, in their order: a range has two, ``3x10`` two, ``L5`` one.

    Words count from three upwards, and zero; one and two only before what is counted, ordinals too.
    """
    found = plain(text)
    return tuple(sorted((*_in_figures(found), *_in_words(found)), key=lambda each: each.start))


def shares(text: str) -> frozenset[str]:
    """The words of :data:`SHARES` that a text has, without accents, and its fractions."""
    found = plain(text)
    parts = (match[0] for each in (_HALVES, _FRACTIONS) for match in each.finditer(found))
    return (frozenset(_WORD.findall(found)) & frozenset(SHARES)) | frozenset(parts)


def _roman(written: str) -> int:
    values = [_ROMAN_VALUES[each] for each in written]
    return sum(
        -value if following > value else value for value, following in zip(values, [*values[1:], 0], strict=True)
    )


def _in_figures(text: str) -> Iterator[Said]:
    for match in _FIGURES.finditer(text):
        readings = tuple(_readings(match[0]))
        if readings:
            yield Said(match[0], readings, match.start(), match.end())
        else:
            # No number at all, as 1.2.3: each part is one.
            for part in re.finditer(r"\d+", match[0]):
                start = match.start() + part.start()
                yield Said(part[0], (Decimal(part[0]),), start, start + len(part[0]))


def _readings(written: str) -> Iterator[Decimal]:
    """What it may mean: with a decimal comma or point, with points or commas between thousands, or both."""
    first, *rest = re.split(r"[.,]", written)
    are_thousands = bool(rest) and len(first) <= 3 and first != "0" and all(len(part) == 3 for part in rest)
    signs = set(re.findall(r"[.,]", written))
    if not rest:
        yield Decimal(first)
    elif len(rest) == 1:
        yield Decimal(f"{first}.{rest[0]}")
        if are_thousands:
            yield Decimal(first + rest[0])
    elif are_thousands and len(signs) == 1:
        yield Decimal(first + "".join(rest))
    elif len(signs) == 2 and all(len(part) == 3 for part in rest[:-1]):
        yield Decimal(f"{first}{''.join(rest[:-1])}.{rest[-1]}")


def _in_words(text: str) -> Iterator[Said]:
    words = list(_WORD.finditer(text))
    place = 0
    while place < len(words):
        word = words[place]
        value = _ordinal(
            words[place - 1][0] if place else "", word[0], words[place + 1][0] if place + 1 < len(words) else ""
        )
        used = 1
        if value is None and word[0] in _SMALL and _COUNTS.match(text, word.end()):
            value = _SMALL[word[0]]
        if value is None:
            value, used = _numeral([each[0] for each in words[place : place + 8]])
        if used:
            end = words[place + used - 1].end()
            yield Said(text[word.start() : end], (Decimal(value),), word.start(), end)
        place += used or 1


def _numeral(words: list[str]) -> tuple[int, int]:
    """The numeral that the words begin with, as in "cento e vinte e três", and how many words it has."""
    value, used, place = 0, 0, 0
    rank = 5
    while place < len(words):
        found = _ranked(words[place])
        if found is None or found[1] >= rank or (used == 0 and words[place] in _SMALL):
            break
        value, rank = value + found[0], found[1]
        place += 1
        used = place
        if place < len(words) and words[place] == "e":
            place += 1
    return value, used


def _ranked(word: str) -> tuple[int, int] | None:
    for rank, table in ((4, _THOUSAND), (3, _HUNDREDS), (2, _TENS), (1, _UNITS), (1, _SMALL)):
        if word in table:
            return table[word], rank
    return None


def _ordinal(before: str, word: str, following: str) -> int | None:
    # "Uma terceira" leaves out what is counted; "um quarto" is a room.
    if not following.startswith(_COUNTED) and before != "uma":
        return None
    return next((value for stem, value in _ORDINALS.items() if re.fullmatch(stem + "[oa]s?", word)), None)
