"""Small pieces of JSON text as bytes: escaped strings, amounts, dates, the legal notice.

The fast page writers put these together with bytes formatting instead of a JSON library.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Final

from fisio_ayida.simulators.bdns.config import day_date
from fisio_ayida.simulators.bdns.hashing import I64

ADVERTENCIA: Final = (
    "TEXTO FICTICIO DEL SIMULADOR. Los datos que aquí aparecen son inventados y no describen a ninguna persona "
    "ni entidad. En el servicio real este aviso recuerda que la información publicada procede de los órganos que "
    "conceden las ayudas, que la reutilización debe citar la fuente y la fecha de la última actualización, que no "
    "puede desnaturalizarse su sentido y que los datos de personas físicas solo pueden reutilizarse para el "
    "control de la actuación pública o con fines de archivo, investigación o estadística tras su disociación. "
    "El aviso es idéntico en todas las respuestas de una misma época y remite a "
    "https://www.infosubvenciones.es/bdnstrans/GE/es/avisolegal"
)


def dumps(value: object) -> bytes:
    """Compact JSON as the service writes it: UTF-8, no blanks between tokens."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


@lru_cache(maxsize=20_000)
def quoted(text: str | None) -> bytes:
    """A JSON string with its quotes, or null."""
    return b"null" if text is None else dumps(text)


# 18375 -> 18375, 1200.50 -> 1200.5, 1200.05 -> 1200.05: ints and floats in one column (Q37).
DECIMALS: Final = tuple(
    b"" if not c else (b".%d" % (c // 10) if c % 10 == 0 else b".%02d" % c) for c in range(100)
)


def amounts(cents: I64) -> list[bytes]:
    """JSON numbers of amounts in cents."""
    decimals = DECIMALS
    return [b"%d%b" % (c // 100, decimals[c % 100]) for c in cents.tolist()]


def amount(cents: int) -> int | float:
    """One amount as the JSON library should write it."""
    return cents // 100 if cents % 100 == 0 else cents / 100


@lru_cache(maxsize=1)
def _day_texts() -> list[bytes]:
    return [day_date(n).isoformat().encode() for n in range(16_000)]


def days(numbers: I64) -> list[bytes]:
    """ISO dates of day numbers."""
    texts = _day_texts()
    return [texts[n] for n in numbers.tolist()]


def iso(number: int) -> str:
    """The ISO date of one day number."""
    return day_date(number).isoformat()
