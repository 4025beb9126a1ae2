"""What leaves the house about a patient: an allow-list. What has no field here stays.

Here: the shape, as it is sent. No id, no date and no name has a field; free texts come in scrubbed
(``subject.py``). A new field is a decision about people's data: a test compares the fields with a literal list.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Final

#: What stands around the data in a request; no text of a clinic's may look like it.
MARKS: Final = ("<<<", ">>>")
#: Fields with what somebody wrote.
FREE: Final = ("queixa", "assunto", "procedimentos", "nome", "unidade", "nota")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paciente:
    """Who is treated. ``faixa_etaria``: ten years, or "90+"; ``queixa``: free text."""

    faixa_etaria: str = ""
    sexo: str = ""
    queixa: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fato:
    """A computed fact in our own words.

    Args:
        assunto: what was measured, free text of the clinic's.
        intervalo: with 95 % certainty.
        janela: which days it looks at.
        registros: how many records it was made from.
        motivo: why there is no value.
    """

    ref: str
    titulo: str
    assunto: str = field(default="", repr=False)
    valor: str = ""
    intervalo: str = ""
    janela: str = ""
    registros: int = 0
    detalhe: str = ""
    motivo: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerta:
    """A rule about a risk that holds, in our own words. ``fatos``: refs."""

    titulo: str
    fatos: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercicio:
    """``nome``: free text; ``carga_kg``: kilograms; ``segundos``: of one repetition."""

    nome: str = field(repr=False)
    series: float | None = None
    repeticoes: float | None = None
    carga_kg: float | None = None
    segundos: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Medida:
    """``nome`` and ``unidade``: free text."""

    nome: str = field(repr=False)
    valor: float
    unidade: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessao:
    """A finalized session.

    Args:
        dia: days after the newest session's; never more than 0.
        dor: 0 to 10.
        procedimentos, nota: free text.
    """

    ref: str
    dia: int
    dor: int | None = None
    procedimentos: tuple[str, ...] = field(default=(), repr=False)
    exercicios: tuple[Exercicio, ...] = ()
    exercicios_em_casa: tuple[Exercicio, ...] = ()
    medidas: tuple[Medida, ...] = ()
    nota: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """All of it. ``sessoes``: newest last."""

    paciente: Paciente
    fatos: tuple[Fato, ...] = ()
    alertas: tuple[Alerta, ...] = ()
    sessoes: tuple[Sessao, ...] = ()


def free_texts(row: Any) -> Iterator[str]:
    """What somebody wrote, of everything in a row."""
    if isinstance(row, tuple):
        for each in row:
            yield from free_texts(each)
    elif is_dataclass(row):
        for each in fields(row):
            value = getattr(row, each.name)
            if each.name not in FREE:
                yield from free_texts(value)
            else:
                yield from (value if isinstance(value, tuple) else (value,) if value else ())
