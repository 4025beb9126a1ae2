"""Dates and ages however they are written, and the numbers of notes that only look like them."""

from __future__ import annotations

import pytest

from fisio_ayida.insights.model import Identity
from fisio_ayida.insights.privacy import Scrubber, leaks

_DATES = {
    "nasceu em 15/4": "nasceu em [data]",
    "nasceu em 15.04": "nasceu em [data]",
    "nasceu 15 do 4 de 82": "nasceu [data]",
    "nascida em 62": "nascida em [data]",
    "nascido em quinze do quatro de oitenta e dois": "nascido em [data]",
    "nasceu mil novecentos e sessenta e dois": "nasceu [data]",
    "cirurgia em dois mil e dezenove": "cirurgia em [data]",
    "operou 15/4": "operou [data]",
    "voltar em 3/5": "voltar em [data]",
    "cirurgia 25-12": "cirurgia [data]",
    "desde o natal": "desde o [data]",
    "caiu no carnaval": "caiu no [data]",
    "dor desde o dia das mães": "dor desde o [data]",
    "alta em 3/5": "alta em [data]",
    "cirurgia de LCA em 5/8": "cirurgia de LCA em [data]",
    "viaja em 15/4": "viaja em [data]",
    "sessão 25/12": "sessão [data]",
}
_NO_DATES = [
    "retorno em 30 dias",
    "retorno em 10-12 dias",
    "nasceu de trinta e duas semanas",
    "andou dois mil passos",
    "pré-natal sem intercorrências",
    "força 3/5 e EVA 7/10",
    "10/12 sessões feitas",
    "sessão 8/12",
    "sessão n° 12",
    "2000 pulsos",
    "US 1,0W/cm2",
    "volta 2.5 km",
]
_AGES = {
    "Pcte, 95a, dor": "Pcte, 90+ anos, dor",
    "95 a, dor": "90+ anos, dor",
    "idade 93": "90+ anos",
    "caiu aos 93": "caiu com 90+ anos",
    "94 aninhos": "90+ aninhos",
    "97 primaveras": "90+ primaveras",
    "aos noventa e três": "com 90+ anos",
}
_NO_AGES = ["FC 95 a 110 bpm", "dor aos 95° de flexão", "dor aos 95 graus", "completou 95 repetições", "idade 45"]


@pytest.mark.parametrize(("note", "expected"), [*_DATES.items(), *_AGES.items()])
def test_it_goes(stranger: Scrubber, note: str, expected: str) -> None:
    left = stranger.scrub(note).text
    assert left == expected
    assert leaks(left, Identity()) == []
    assert stranger.scrub(left).text == left


@pytest.mark.parametrize("note", [*_NO_DATES, *_NO_AGES])
def test_it_stays(stranger: Scrubber, note: str) -> None:
    assert stranger.scrub(note).text == note


@pytest.mark.parametrize("note", ["séries 10 12 10 12", "séries 10-12-10-12"])
def test_repetitions_get_commas_so_that_they_are_no_telephone(stranger: Scrubber, note: str) -> None:
    left = stranger.scrub(note).text
    assert left == "séries 10, 12, 10, 12"
    assert leaks(left, Identity()) == []
