"""Names, numbers and addresses that the clinic knows, in every disguise."""

from __future__ import annotations

import re

import pytest

from fisio_ayida.insights.model import Identity
from fisio_ayida.insights.privacy import Scrubber, leaks

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


_COLLEAGUES = Identity(names=("Bruno Dias", "Rita Costa", "José Leite"))


@pytest.mark.parametrize(
    "note",
    [
        "dor há 3 dias na costa direita",
        "nos últimos dias bem, sem dor nas costas",
        "alguns dias sem dor, costa esquerda dolorida",
        "PACIENTE COM DOR HÁ 3 DIAS",
    ],
)
def test_a_word_of_notes_stays_although_somebody_of_the_clinic_is_named_so(note: str) -> None:
    assert Scrubber(_COLLEAGUES).scrub(note).text == note
    assert leaks(note, _COLLEAGUES) == []


@pytest.mark.parametrize(
    "note",
    [
        "avaliado pelo Dias",
        "a sra. dias avaliou",
        "falei com dias hoje",
        "dias costa avaliou",
        "a filha da costa veio",
        "a costa relatou dor",
        "bruno dias avaliou",
        "d.i.a.s avaliou",
    ],
)
def test_a_word_of_notes_goes_where_it_stands_like_a_name(note: str) -> None:
    left = Scrubber(_COLLEAGUES).scrub(note).text
    assert not re.search("dias|costa|d.i.a.s", left.lower())
    assert leaks(left, _COLLEAGUES) == []


def test_the_scale_stays_although_the_patient_is_named_so() -> None:
    eva = Identity(names=("Eva Xyz",))
    assert Scrubber(eva).scrub("Eva com dor, EVA 7/10, eva bem").text == "[nome] com dor, EVA 7/10, [nome] bem"
    assert leaks("dor, EVA 7/10", eva) == []


def test_a_name_that_notes_do_not_need_goes_everywhere() -> None:
    scrubber = Scrubber(Identity(names=("Rosa Clara",)))
    assert scrubber.scrub("faixa rosa, clara melhora").text == "faixa [nome] melhora"


_CLINICS = Identity(
    names=("Vida Ativa Fisioterapia", "Clínica Corpo em Movimento Vila Nova", "Clínica Coluna Lombar")
)


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        ("Vida Ativa atendeu", "[nome] atendeu"),
        ("tratado na vida ativa", "tratado na [nome]"),
        ("veio da corpo em movimento", "veio da [nome]"),
        ("tratado na Coluna Lombar", "tratado na [nome]"),
        ("movimento do corpo, vida mais ativa", "movimento do corpo, vida mais ativa"),
        ("dor na coluna lombar", "dor na coluna lombar"),
    ],
)
def test_a_clinic_is_also_called_by_the_beginning_of_its_own_name(note: str, expected: str) -> None:
    assert Scrubber(_CLINICS).scrub(note).text == expected


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("José", "zé"),
        ("José", "Zezinho"),
        ("Francisco", "chiquinho"),
        ("Maria", "mariazinha"),
        ("Antônio", "tonho"),
        ("Eduardo", "Dudu"),
        ("Beatriz", "bia"),
        ("Sebastião", "tião"),
        ("Fernanda", "Nanda"),
    ],
)
def test_a_short_name_of_a_known_name_goes(name: str, short: str) -> None:
    assert Scrubber(Identity(names=(f"{name} Xyz",))).scrub(f"dor, {short}, melhor").text == "dor, [nome], melhor"


def test_a_short_name_that_is_a_word_goes_with_a_capital_only() -> None:
    scrubber = Scrubber(Identity(names=("Maurício Xyz",)))
    assert scrubber.scrub("mau jeito, disse Mau").text == "mau jeito, disse [nome]"


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
