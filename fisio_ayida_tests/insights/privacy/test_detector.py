"""The second detector: what it finds, and what it must not take for anything."""

from __future__ import annotations

import json

import pytest

from fisio_ayida.insights.model import Identity
from fisio_ayida.insights.privacy import leaks

_FOUND = [
    ("Ana refere dor", "name"),
    ("a paciente ana refere dor", "name"),
    ("A N A refere dor", "name"),
    ("a.n.a refere dor", "name"),
    ("CONCEIÇÃO", "name"),
    ("concei\u200bcao", "name"),
    ("𝐀𝐧𝐚 refere dor", "name"),
    ("ana pau la concei ção", "name"),
    ("ANAPAULACONCEIÇÃO", "name"),
    ("avaliada por thomas", "name"),
    ("Atendida na Clínica São Judas", "name"),
    ("veio com Fernanda", None),
    ("veio com Mariana", "listed_name"),
    ("Pedro relatou dor", "listed_name"),
    ("veio com a Rosa hoje", "listed_name"),
    ("11 98765-4321", "number"),
    ("fone: 8765 4321", "number"),
    ("oito sete seis cinco quatro três dois um", "number"),
    ("123.456.789-09", "number"),
    ("nove, oito, 7 e 6 depois 5 4 3 2 1", "number"),
    ("registro 74512", "number"),
    ("(21) 91234-0000", "digits"),
    ("111.444.777-35", "digits"),
    ("12 34 56 78", "digits"),
    ("escreva a x@y.com", "email"),
    ("fulana arroba gmail", "email"),
    ("ana.conceicao82", "email"),
    ("ver http://a.b/c", "link"),
    ("site fisio.com", "link"),
    ("em 12/03/2026", "date"),
    ("em 2026-03-12", "date"),
    ("em 12 de março", "date"),
]
_PASSED = [
    "",
    "3x10 3x12 3x15, carga 10 12 15",
    "PA 120/80, 130/85 e 110/70",
    "dor 7, 6, 5, 4, 3, 2, 1, 0",
    "adesão 87.5 %, tendência -0.35 por semana",
    "12-10-08 repetições",
    "Teste de Lachman positivo, doença de Parkinson, exercícios de Kabat",
    "[nome] veio em [data], ligou de [telefone]",
    "Nos últimos 30 dias houve 6 visitas e 2 faltas.",
    "Clara melhora da mobilidade; clara redução da dor",
    "Movimento amplo na clínica, corpo relaxado",
    "PACIENTE REFERE DOR NO OMBRO",
    "Summary, Trends, Recommendations and Risk factors of the sessions s1, s2 and s12",
]


@pytest.mark.parametrize(("text", "kind"), [each for each in _FOUND if each[1]])
def test_it_finds(identity: Identity, text: str, kind: str) -> None:
    assert kind in leaks(text, identity)


@pytest.mark.parametrize("text", _PASSED)
def test_it_lets_pass(identity: Identity, text: str) -> None:
    assert leaks(text, identity) == []


def test_it_never_says_what_it_found(identity: Identity) -> None:
    found = leaks("Ana 11 98765-4321 ana@x.com", identity)
    assert set(found) <= {"name", "listed_name", "number", "digits", "email", "link", "date"}


@pytest.mark.parametrize("ascii_only", [True, False])
def test_it_reads_what_json_escaped(identity: Identity, ascii_only: bool) -> None:
    assert leaks(json.dumps({"n": "dor\nConceição"}, ensure_ascii=ascii_only), identity)[-1:] == ["name"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("dor há 7 dias", []),
        ("Dias desde a última visita: 7", []),
        ("a rocha do jardim", []),
        ("o senhor Dias", ["name"]),
        ("veio o Rocha", ["listed_name", "name"]),
        ("rocha dias", ["name"]),
    ],
)
def test_a_name_that_is_an_everyday_word_is_told_by_its_capital(text: str, found: list[str]) -> None:
    assert leaks(text, Identity(names=("Rocha Dias",))) == found


def test_nothing_is_known_of_an_empty_name() -> None:
    assert leaks("dor lombar", Identity(names=("", " - "), numbers=("", "12"), addresses=("", "@"))) == []
