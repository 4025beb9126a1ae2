"""The words that templates may say: an allow-list, shared by all of them.

Here: what a variable is, the variables there are with made-up examples, what follows from them, and what no
template may ever say. Not here: which template has which (``registry.py``) and how they look (``formats.py``).
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final, Literal

from fisio_ayida.messaging.templates import formats

Kind = Literal["text", "person", "day", "clock", "moment", "money", "count", "texts", "rows"]


@dataclass(frozen=True, slots=True)
class Variable:
    """One word of a template.

    Args:
        kind: how it looks and what may be given, see :data:`KINDS`.
        example: made up, for previews and tests.
        noun: for a count, its singular and plural.
        fields: for rows, what each row has.
    """

    name: str
    kind: Kind
    description: str
    example: Any
    required: bool = True
    noun: tuple[str, str] | None = None
    fields: tuple[Variable, ...] = ()


@dataclass(frozen=True, slots=True)
class Derived:
    """A word that follows from a variable and is therefore never given."""

    source: str
    make: Callable[[Any], str]


def optional(variable: Variable) -> Variable:
    """The same variable where the template does without it."""
    return replace(variable, required=False)


def forbidden_words(words: str) -> list[str]:
    """The words that speak of health or identify a person, in a text or a variable's name."""
    plain = unicodedata.normalize("NFKD", words.lower()).encode("ascii", "ignore").decode()
    return sorted({word for word in re.findall(r"[a-z]+", plain) if _FORBIDDEN.match(word)})


#: What may be given for each kind.
KINDS: Final[Mapping[Kind, str]] = {
    "text": "a text; shown on one line",
    "person": "a full or social name; its first word is shown",
    "day": "a date or its ISO text; shown dd/mm/yyyy",
    "clock": "a civil time or its ISO text; shown HH:MM",
    "moment": "a civil date and time or its ISO text; shown dd/mm/yyyy às HH:MM",
    "money": "reais as a decimal, a decimal text or a whole number; shown R$ 1.234,56",
    "count": "a whole number from 0; shown with its noun where it has one",
    "texts": "a list of texts",
    "rows": "a list of objects with the fields named",
}

NOME: Final = Variable("nome", "person", "Who reads it", "Conceição Araújo da Silva")
CLINICA: Final = Variable("clinica", "text", "The clinic's name", "Clínica Movimento & Ação")
PROFISSIONAL: Final = Variable("profissional", "text", "The professional's name", "Dra. Helena Brandão")
DATA: Final = Variable("data", "day", "The civil day", dt.date(2026, 3, 12))
HORA: Final = Variable("hora", "clock", "The civil start", dt.time(14, 30))
ENDERECO: Final = Variable("endereco", "text", "The clinic's address", "Rua das Acácias, 120, sala 4, Vitória")
TELEFONE: Final = Variable("telefone", "text", "The reception's telephone", "(27) 3333-0000")
PACOTE: Final = Variable("pacote", "text", "The package's name", "Pilates 10 sessões")
SALDO: Final = Variable("saldo", "count", "Sessions left", 3, noun=("sessão", "sessões"))
VALOR: Final = Variable("valor", "money", "The amount", Decimal("1234.50"))
VISITAS: Final = Variable(
    "visitas", "rows", "The visits in order",
    ({"hora": dt.time(9, 0), "profissional": "Dra. Helena Brandão"},
     {"hora": dt.time(14, 30), "profissional": "Dr. João Sertão"}),
    fields=(HORA, optional(PROFISSIONAL)),
)  # fmt: skip

INICIO: Final = Variable("inicio", "day", "The week's Monday", dt.date(2026, 3, 9))
FIM: Final = Variable("fim", "day", "The week's Sunday", dt.date(2026, 3, 15))
AGENDADAS: Final = Variable("agendadas", "count", "Visits of the period, whatever became of them", 24)
REALIZADAS: Final = Variable("realizadas", "count", "Visits done", 18)
FALTAS: Final = Variable("faltas", "count", "Visits to which nobody came", 3)
CANCELADAS: Final = Variable("canceladas", "count", "Visits cancelled", 2)
A_REMARCAR: Final = Variable("a_remarcar", "count", "Visits that wait for another day", 1)
SEM_DESFECHO: Final = Variable("sem_desfecho", "count", "Visits of which no status tells what became of them", 0)
NOVOS_PACIENTES: Final = Variable("novos_pacientes", "count", "Patients registered", 4)
NUMEROS: Final = (AGENDADAS, REALIZADAS, FALTAS, CANCELADAS, A_REMARCAR, SEM_DESFECHO, NOVOS_PACIENTES)
_ROTULO: Final = Variable("rotulo", "text", "What is counted", "")
_VALOR: Final = Variable("valor", "count", "How many", 0)
_LARGURA: Final = Variable("largura", "count", "Percent of the longest bar", 0)
GRAFICO: Final = Variable(
    "grafico", "rows", "Bars: what became of the visits",
    ({"rotulo": "Realizadas", "valor": 18, "largura": 100}, {"rotulo": "Faltas", "valor": 3, "largura": 17},
     {"rotulo": "Canceladas", "valor": 2, "largura": 11}, {"rotulo": "A remarcar", "valor": 1, "largura": 6},
     {"rotulo": "Sem desfecho", "valor": 0, "largura": 0}),
    fields=(_ROTULO, _VALOR, _LARGURA),
)  # fmt: skip
PROFISSIONAIS: Final = Variable(
    "profissionais", "rows", "The same for each professional, for administrators",
    ({"profissional": "Dra. Helena Brandão", "agendadas": 10, "realizadas": 8, "faltas": 1, "canceladas": 1,
      "a_remarcar": 0, "sem_desfecho": 0, "novos_pacientes": 2},
     {"profissional": "Dr. João Sertão", "agendadas": 9, "realizadas": 7, "faltas": 1, "canceladas": 1,
      "a_remarcar": 0, "sem_desfecho": 0, "novos_pacientes": 1},
     {"profissional": "Dra. Iara Conceição Guimarães", "agendadas": 5, "realizadas": 3, "faltas": 1,
      "canceladas": 0, "a_remarcar": 1, "sem_desfecho": 0, "novos_pacientes": 1}),
    required=False, fields=(PROFISSIONAL, *NUMEROS),
)  # fmt: skip
# No example: whoever sees all professionals does not need it.
SEUS_NUMEROS: Final = Variable(
    "seus_numeros", "rows", "The reader's own, for who is no administrator", None, required=False,
    fields=(PROFISSIONAL, *NUMEROS),
)  # fmt: skip
SEMANAS: Final = Variable(
    "semanas", "rows", "This week and those before, newest first",
    tuple(
        {"inicio": dt.date(2026, month, day), "fim": dt.date(2026, month, day) + dt.timedelta(days=6),
         "agendadas": booked, "realizadas": done, "faltas": absent, "canceladas": cancelled, "a_remarcar": 0,
         "sem_desfecho": 0, "novos_pacientes": 3, "largura": 4 * done, "resto": 4 * (booked - done)}
        for month, day, booked, done, absent, cancelled in (
            (3, 9, 24, 18, 3, 2), (3, 2, 22, 17, 4, 1), (2, 23, 25, 19, 3, 3), (2, 16, 14, 12, 1, 1),
            (2, 9, 23, 20, 2, 1),
        )
    ),
    fields=(INICIO, FIM, *NUMEROS, _LARGURA, Variable("resto", "count", "The bar's part that was not done", 0)),
)  # fmt: skip
TENDENCIA: Final = Variable(
    "tendencia", "rows", "This week against the mean of those before",
    ({"rotulo": "Agendadas", "valor": 24, "media": "21", "texto": "14% acima"},
     {"rotulo": "Realizadas", "valor": 18, "media": "17", "texto": "6% acima"},
     {"rotulo": "Faltas", "valor": 3, "media": "2,5", "texto": "20% acima"},
     {"rotulo": "Canceladas", "valor": 2, "media": "1,5", "texto": "33% acima"},
     {"rotulo": "Novos pacientes", "valor": 4, "media": "4", "texto": "perto da média"}),
    required=False,
    fields=(_ROTULO, _VALOR, Variable("media", "text", "The mean", ""), Variable("texto", "text", "In words", "")),
)  # fmt: skip
MENSAGENS: Final = Variable(
    "mensagens", "count", "Messages sent", 31, required=False, noun=("enviada", "enviadas")
)
FALHAS: Final = Variable("falhas", "count", "Messages that failed", 1, required=False, noun=("falhou", "falharam"))

PROBLEMAS: Final = Variable("quantidade", "count", "Problems found", 3, noun=("problema", "problemas"))
VERIFICACOES: Final = Variable(
    "verificacoes", "rows", "The checks that failed",
    ({"verificacao": "Sessões que apontam para um agendamento inexistente", "contagem": 2,
      "exemplos": ("5f0c2a71", "c19e44d0")},
     {"verificacao": "Pagamentos sem agendamento", "contagem": 1, "exemplos": ("a7710be3",)}),
    required=False,
    fields=(
        Variable("verificacao", "text", "What was checked", ""),
        Variable("contagem", "count", "How many rows fail", 0),
        Variable("exemplos", "texts", "Ids of some of them", (), required=False),
    ),
)  # fmt: skip
RESOLVIDAS: Final = Variable(
    "resolvidas", "texts", "Checks that find nothing any more", ("Pacientes sem clínica válida",), required=False
)
IMPEDIDAS: Final = Variable(
    "impedidas", "rows", "Checks that could not run",
    ({"verificacao": "Pacotes com saldo impossível", "motivo": "UndefinedColumn", "organizacao": "org-0417"},),
    required=False,
    fields=(
        Variable("verificacao", "text", "What could not be checked", ""),
        Variable("motivo", "text", "The kind of error", ""),
        Variable("organizacao", "text", "The only clinic concerned, by id", "", required=False),
    ),
)  # fmt: skip

ABERTAS: Final = Variable(
    "abertas", "count", "Sessions that nobody has finished", 2,
    noun=("sessão sem finalização", "sessões sem finalização"),
)  # fmt: skip
SESSOES: Final = Variable(
    "sessoes", "rows", "The oldest of them",
    ({"data": dt.date(2026, 2, 26), "sessao": "5f0c2a71"},
     {"data": dt.date(2026, 3, 2), "sessao": "c19e44d0", "situacao": "sem profissional ativo"}),
    fields=(
        DATA,
        Variable("sessao", "text", "The session's id", ""),
        Variable("situacao", "text", "Why it is told to the administrators", "", required=False),
    ),
)  # fmt: skip

CANAL: Final = Variable("canal", "text", "The provider and its account", "evolution vitoria-01")
MOTIVO: Final = Variable(
    "motivo", "text", "What the provider said", "a instância está desconectada", required=False
)
DESDE: Final = Variable(
    "inicio", "moment", "Since when, in civil time", dt.datetime.combine(dt.date(2026, 3, 12), dt.time(7, 40))
)
ORGANIZACAO: Final = Variable(
    "organizacao", "text", "The only clinic concerned, by id", "org-0417", required=False
)

#: Unless a template declares the name itself.
DERIVED: Final[Mapping[str, Derived]] = {
    "dia": Derived("data", lambda value: formats.as_day(value).weekday),
    "dia_do_mes": Derived("data", lambda value: formats.as_day(value).number),
    "mes": Derived("data", lambda value: formats.as_day(value).month),
    "quantidade": Derived("visitas", lambda value: formats.count(len(value), SALDO.noun)),
    "horas": Derived("visitas", lambda value: formats.joined([formats.clock(visit["hora"]) for visit in value])),
}

# CONTRACT clinic §15.3: least data. Stems of words without accents; in Portuguese and in FisioFlow's columns.
_FORBIDDEN: Final = re.compile(
    "|".join(
        (
            "diagnos", "queix", "patolog", "patholog", "doenc", "disease", "sintom", "symptom", "dor$", "dores$",
            "pain$", "lesao", "lesoes", "injur", "condicao", "condition", "medica", "remedio", "alerg", "allerg",
            "prontuario", "anamnes", "laudo", "exame", "cirurg", "surger", "fratura", "hernia", "gravid", "gestac",
            "gestant", "prognos", "evoluc", "complaint", "observac", "observat", "anotac", "notes$", "convenio",
            "cpf$", "rg$", "nascimento", "birthdate", "genero$", "gender",
        )
    )
)  # fmt: skip
