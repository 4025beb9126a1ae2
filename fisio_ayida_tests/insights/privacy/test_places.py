"""Places, employers, schools, insurers and house numbers; and where the same words announce none."""

from __future__ import annotations

import pytest

from fisio_ayida.insights.privacy import Scrubber

_GONE = {
    "veio de belo horizonte": "veio de [omitido]",
    "foi a salvador": "foi a [omitido]",
    "foi para vitória": "foi para [omitido]",
    "mora na Saúde": "mora na [omitido]",
    "mora na barra": "mora na [omitido]",
    "perto da Sé": "perto da [omitido]",
    "escola pequeno príncipe": "escola [omitido]",
    "Igreja Vida Nova": "Igreja [omitido]",
    "colégio objetivo": "colégio [omitido]",
    "aluno do objetivo": "aluno do [omitido]",
    "Academia Corpo Livre": "Academia [omitido]",
    "trabalha no corpo de bombeiros": "trabalha no [omitido]",
    "comissária da gol": "comissária da [omitido]",
    "consultora natura": "consultora [omitido]",
    "caixa do extra": "caixa do [omitido]",
    "bar do zé": "bar do [omitido]",
    "operado na santa casa": "operado na [omitido]",
    "operado no hospital das clínicas": "operado no [omitido]",
    "plano Boa Saúde": "plano [omitido]",
    "plano porto seguro": "plano [omitido]",
    "Clínica Bem Estar": "Clínica [omitido]",
    "a vereadora veio": "a [omitido] veio",
    "ator da globo": "[omitido] da [omitido]",
    "casa 45": "casa [número]",
    "mora no número 45": "mora no número [número]",
    "casa número vinte e três": "casa número [número]",
    "sala 302": "sala [número]",
}
_STAYS = [
    "foi para casa",
    "foi a fisioterapia",
    "flexão foi para 95",
    "clínica médica",
    "hospital para cirurgia",
    "em casa 3x ao dia",
    "melhora clínica importante",
    "ondas de choque 2.0 bar 2000 pulsos",
    "voltou à academia sem dor",
    "academia 3x por semana",
    "mora em apartamento com escada",
    "trabalha em pé",
    "plano terapêutico",
    "pé plano bilateral",
    "aluna do pilates",
    "escola de coluna",
    "caminha na esteira",
    "caiu da escada",
    "sala de espera",
]
_PEOPLE = {
    "Sol fez os exercícios": "[nome] fez os exercícios",
    "lua chorou": "[nome] chorou",
    "Ali veio": "[nome] veio",
    "dias tem dor": "[nome] tem dor",
    "há 3 dias tem dor": "há 3 dias tem dor",
    "atendimento de clara": "atendimento de [nome]",
    "o zé da padaria": "o [nome] da padaria",
    "conhecido como baixinho": "conhecido como [nome]",
    "todos chamam de careca": "todos chamam de [nome]",
    "J o a o chegou": "[nome] chegou",
    "dor à D e E": "dor à D e E",
    "Eva sente dor": "[nome] sente dor",
    "EVA melhorou para 4": "EVA melhorou para 4",
    "redução da EVA": "redução da EVA",
}


@pytest.mark.parametrize(("note", "expected"), [*_GONE.items(), *_PEOPLE.items()])
def test_what_words_announce_goes(stranger: Scrubber, note: str, expected: str) -> None:
    assert stranger.scrub(note).text == expected


@pytest.mark.parametrize("note", _STAYS)
def test_what_is_no_name_of_a_place_stays(stranger: Scrubber, note: str) -> None:
    assert stranger.scrub(note).text == note
