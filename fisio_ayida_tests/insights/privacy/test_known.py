"""Names, numbers and addresses that the clinic knows, in every disguise."""

from __future__ import annotations

import re

import pytest

from fisio_ayida.insights.model import Identity
from fisio_ayida.insights.privacy import Scrubber

_NAMES = (
    "Ana refere dor",
    "ANA refere dor",
    "dor da ana melhorou",
    "A.n.a refere dor",
    "A n a refere dor",
    "a-n-a refere dor",
    "An-a refere dor",
    "A\u200bna refere dor",
    "𝐀𝐧𝐚 refere dor",
    "<b>A</b>na refere dor",
    "conceicao refere dor",
    "CONCEIÇÃO refere dor",
    "C o n c e i ç ã o refere dor",
    "C.O.N.C.E.I.C.A.O refere dor",
    "Ana-Paula refere dor",
    "anapaulaconceição refere dor",
    "a n a p a u l a refere dor",
    "ana pau la concei ção refere dor",
    "Aninha refere dor",
    "paulinha refere dor",
    "Thomas avaliou",
    "D'Ávila avaliou",
    "davila avaliou",
    "teste de força com thomas",
)


@pytest.mark.parametrize("note", _NAMES)
def test_a_known_name_goes(scrubber: Scrubber, note: str) -> None:
    letters = re.sub(r"[\W_]", "", re.sub(r"\[[^\]]*\]", "", scrubber.scrub(note).text)).lower()
    assert not re.search("ana|paul|concei|thomas|vila|inha", letters)


@pytest.mark.parametrize("note", ["banana e semana", "a na perna", "panaceia analgesia"])
def test_a_name_inside_a_word_is_none(scrubber: Scrubber, note: str) -> None:
    assert "[nome]" not in scrubber.scrub(note).text


def test_signs_of_a_name_are_no_pattern() -> None:
    scrubber = Scrubber(Identity(names=("A.* (B+", "[x", "\\d{3}", "Zé|a")))
    assert scrubber.scrub("ADM de 120 graus").text == "ADM de 120 graus"


def test_words_that_notes_need_stay_although_the_clinic_is_named_so(scrubber: Scrubber) -> None:
    note = "corpo em tensão, movimento amplo na clínica"
    assert scrubber.scrub(note).text == note


@pytest.mark.parametrize(
    "note", ["Clínica São Judas", "clinica sao judas", "CORPO EM MOVIMENTO", "corpo-em-movimento"]
)
def test_the_whole_name_of_a_clinic_goes(scrubber: Scrubber, note: str) -> None:
    assert scrubber.scrub(f"veio da {note} hoje").text == "veio da [nome] hoje"


def test_a_word_that_is_a_patients_name_goes_everywhere() -> None:
    scrubber = Scrubber(Identity(names=("Maria das Dores Costa",)))
    assert scrubber.scrub("dores na costa das mãos").text == "[nome] na [nome] das mãos"


@pytest.mark.parametrize(
    "number",
    [
        "11987654321",
        "(11)98765 4321",
        "11 9 8765-4321",
        "+55 11 98765-4321",
        "98765-4321",
        "8765.4321",
        "11 98 76 54 32 1",
        "9 8 7 6 5 4 3 2 1",
        "1/1/9/8/7/6/5/4/3/2/1",
        "11 traço 9876 ponto 54321",
        "onze, nove oito sete seis, cinco quatro três dois um",
        "nove oito 7 6 cinco 4321",
        "１１９８７６５４３２１",
        "123.456.789-09",
        "123 456 789 09",
        "123456789-09",
        "um dois três 456 789 zero nove",
        "12.345.678",
        "12345678",
        "74512",
        "74-512",
        "7 4 5 1 2",
    ],
)
def test_a_known_number_goes(scrubber: Scrubber, number: str) -> None:
    left = scrubber.scrub(f"fone {number} da paciente").text
    assert not re.search(r"\d", left.replace("11", "").replace("+55", ""))
    assert not re.search("nove|oito|sete|cinco|quatro", left)


def test_a_handle_of_a_known_address_goes(scrubber: Scrubber) -> None:
    assert scrubber.scrub("perfil ana.conceicao82 hoje").text == "perfil [e-mail] hoje"


def test_it_counts_by_kind(scrubber: Scrubber) -> None:
    assert scrubber.scrub("Ana (98765-4321) disse").hits == {"name": 1, "number": 1}
