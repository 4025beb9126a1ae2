"""Names of tests stay, people who bear the same name go."""

from __future__ import annotations

import pytest

from fisio_ayida.insights.model import Identity
from fisio_ayida.insights.privacy import Scrubber, leaks
from fisio_ayida.insights.privacy.clinical_words import EPONYMS, METHODS

_PEOPLE = [
    ("Fratura do Jackson consolidou", "Jackson"),
    ("Posicionamento do Patrick no leito", "Patrick"),
    ("Exercício com Wright ontem", "Wright"),
    ("Tratamento de Allen segue", "Allen"),
    ("Protocolo para James hoje", "James"),
    ("Lesão do Denis melhorou", "Denis"),
    ("teste do Thomas foi bom", "Thomas"),
    ("teste com Lou", "Lou"),
    ("série feita por Bell", "Bell"),
    ("técnica aplicada em Robert", "Robert"),
    ("protocolo do patrick", "patrick"),
    ("Thomas - dor lombar", "Thomas"),
    ("Thomas + Ana vieram", "Thomas"),
    ("Bell 3x10", "Bell"),
]
_TESTS = [
    "Lasègue +",
    "Spurling positivo",
    "Neer +, Jobe +",
    "Hawkins",
    "Berg 46/56",
    "Oswestry 34%",
    "Roland Morris 11/24",
    "Cobb 24°",
    "Bobath",
    "McKenzie em extensão",
    "Constant 70",
    "Dix-Hallpike",
    "teste de Thomas",
    "sinal clínico de Patrick",
    "Teste de Neer e Thomas",
    "Thomas à D positivo",
    "Adson + à E",
    "Kemp 30°",
]


@pytest.mark.parametrize(("note", "name"), _PEOPLE)
def test_a_person_goes(stranger: Scrubber, note: str, name: str) -> None:
    assert name not in stranger.scrub(note).text


@pytest.mark.parametrize("note", _TESTS)
def test_a_test_stays(stranger: Scrubber, note: str) -> None:
    assert stranger.scrub(note).text == note


def test_a_patient_who_is_named_like_a_test_goes() -> None:
    assert Scrubber(Identity(names=("Ana Berg",))).scrub("Escala de Berg 46/56").text == "Escala de [nome] 46/56"


@pytest.mark.parametrize("template", ["teste de {} hoje", "{} + à D", "{} 12%", "com {} ontem", "{} positivo"])
def test_the_detector_lets_every_name_pass_that_stays(stranger: Scrubber, template: str) -> None:
    notes = [stranger.scrub(template.format(name.title())).text for name in sorted(EPONYMS | METHODS)]
    assert [note for note in notes if leaks(note, Identity())] == []
