"""The second detector: what it finds, and what it must not take for anything."""

from __future__ import annotations

import json

import pytest
from faker.providers.person.pt_BR import Provider

from fisio_ayida.insights.facts.registry import KINDS
from fisio_ayida.insights.facts.rules import FLAGS
from fisio_ayida.insights.model import Identity
from fisio_ayida.insights.privacy import Scrubber, leaks
from fisio_ayida_tests.insights.privacy.notes import SENTENCES

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
    ("veio com Fernanda", "name"),
    ("Wesley refere dor", "name"),
    ("paciente do Unimed", "name"),
    ("WESLEY REFERE DOR", "name"),
    ("MARIANA REFERE DOR", "listed_name"),
    ("tratamento com Patrick hoje", "name"),
    ("veio de Belo Horizonte", "listed_name"),
    ("veio a Nanda buscar", "name"),
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
    ("em março de 2019", "date"),
    ("desde 2019", "date"),
    ("mar/19", "date"),
    ("em 12/03 melhorou", "date"),
    ("nasceu em 15/4", "date"),
    ("cirurgia 20/12", "date"),
    ("Rua Sete de Setembro, 120", "address"),
    ("mora na rua das Flores", "address"),
    ("av. Brasil 1500", "address"),
    ("placa ABC1D23", "document"),
    ("placa ABC-1234", "document"),
    ("CREFITO 3 12345-F", "document"),
    ("cpf 529.982", "document"),
    ("RG: 12.345", "document"),
    ("93 anos", "age"),
    ("idade: 93", "age"),
    ("aos 93 caiu", "age"),
    ("tem noventa e três anos", "age"),
    ("95a", "age"),
]
_PASSED = [
    "Pós cirurgia, EVA 5/10",
    "retorno: força 4/5",
    "dor aos 100 metros",
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
    "summary, trends, recommendations and risk factors of the sessions s1, s2 and s12",
    "dor 7/10 e 10/10, força 3/5, de 9/10 para 3/10",
    "12/20 visitas, 10/12 sessões, dipirona 12/12h",
    "PA 12/8, pressão de 14/9, PA: 19/11",
    "flexão até 95°, aos 95°, 2000 m em 2000 passos",
    "90+ anos, 89 anos, 90 graus, 97% de saturação",
    "SpO2 97%, VO2, VEF1, dor em L4-L5",
    "Recomenda-se manter. Sugere-se progressão; Observa-se melhora. Buena evolución.",
    "caminha na rua, na Rua [endereço], [endereço]",
]


@pytest.mark.parametrize(("text", "kind"), [each for each in _FOUND if each[1]])
def test_it_finds(identity: Identity, text: str, kind: str) -> None:
    assert kind in leaks(text, identity)


@pytest.mark.parametrize("text", _PASSED)
def test_it_lets_pass(identity: Identity, text: str) -> None:
    assert leaks(text, identity) == []


def test_it_never_says_what_it_found(identity: Identity) -> None:
    found = leaks("Ana Mariana 11 98765-4321 ana@x.com 93 anos em 12/03/2019 cpf 123 Rua Oscar Freire", identity)
    kinds = "address, age, date, digits, document, email, link, listed_name, name, number"
    assert ", ".join(found) == kinds


def test_a_clinics_own_name_is_found_without_the_words_that_say_what_it_is() -> None:
    clinic = Identity(names=("Vida Ativa Fisioterapia",))
    assert leaks("atendida na Vida Ativa", clinic) == ["name"]
    assert leaks("tem uma vida ativa", clinic) == []


@pytest.mark.parametrize("ascii_only", [True, False])
def test_it_reads_what_json_escaped(identity: Identity, ascii_only: bool) -> None:
    assert leaks(json.dumps({"n": "dor\nConceição"}, ensure_ascii=ascii_only), identity)[-1:] == ["name"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("dor há 7 dias", []),
        ("Dias desde a última visita: 7", []),
        ("a rocha do jardim", []),
        ("o senhor Dias", ["listed_name", "name"]),
        ("veio o Rocha", ["listed_name", "name"]),
        ("rocha dias", ["name"]),
    ],
)
def test_a_name_that_is_an_everyday_word_is_told_by_its_capital(text: str, found: list[str]) -> None:
    assert leaks(text, Identity(names=("Rocha Dias",))) == found


@pytest.mark.parametrize("template", ["A paciente {} evolui bem.", "{} relatou dor."])
def test_it_finds_every_name_of_a_list_that_we_did_not_write(template: str) -> None:
    people = {*Provider.first_names, *Provider.last_names}
    assert [name for name in people if not leaks(template.format(name), Identity())] == []


def test_our_own_words_about_facts_and_alerts_name_nobody() -> None:
    titles = [*(kind.portuguese for kind in KINDS.values()), *(flag.portuguese for flag in FLAGS)]
    assert [title for title in titles if leaks(f"{title}: 12 de 20", Identity())] == []


@pytest.mark.parametrize("note", SENTENCES)
def test_a_scrubbed_note_passes(stranger: Scrubber, note: str) -> None:
    named = f"Wesley, 93 anos, CPF 529.982, {note} Rua Sete de Setembro, 120, em 12/03."
    assert leaks(stranger.scrub(named).text, Identity()) == []


def test_nothing_is_known_of_an_empty_name() -> None:
    assert leaks("dor lombar", Identity(names=("", " - "), numbers=("", "12"), addresses=("", "@"))) == []
