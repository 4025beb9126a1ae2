"""What is recognised by its shape, of anybody; and what only looks like it."""

from __future__ import annotations

import pytest

from fisio_ayida.insights.model import Identity
from fisio_ayida.insights.privacy import Scrubber

_GONE = {
    "email": [
        "ana@x.com.br",
        "a.b-c@gmail.com",
        "ana @ gmail . com",
        "ana arroba gmail ponto com",
        "ana (at) uol.com",
    ],
    "more email": ["ana ponto silva arroba gmail ponto com ponto br", "@fulana.fisio", "ANA@GMAIL.COM"],
    "link": ["https://x.com/p/1?a=b", "http ://x.y/z", "www.site.com.br/a", "meusite.com.br", "drive ponto com"],
    "file": ["foto_ana.jpg", "IMG-2231.jpeg", "exame.pdf", "s3://balde/chave"],
    "telephone": [
        "(11) 91234-5678",
        "11912345678",
        "+55 11 91234 5678",
        "3456-7890",
        "91234.5678",
        "11 9 1234-5678",
    ],
    "document": ["111.444.777-35", "11144477735", "111 444 777 35", "12.345.678-9", "12.345.678/0001-95"],
    "more documents": [
        "898 0011 4420 2233",
        "CREFITO 3/12345-F",
        "CREFITO-3 12345 F",
        "CRM SP 98.765",
        "crm/sp 98765",
    ],
    "card": [
        "carteirinha 0 123 4567",
        "carteirinha nº 00123",
        "prontuário 4512",
        "matrícula: 991",
        "protocolo 2231",
    ],
    "address": [
        "13010-100",
        "13.010-100",
        "13010100",
        "Rua das Flores, 123",
        "av. Brasil 1500",
        "R. XV, 10 apto 45",
    ],
    "more addresses": [
        "bairro Jardim Europa",
        "condomínio solar 3",
        "alameda santos 12",
        "Travessa Boa Vista nº 7",
    ],
    "date": [
        "12/03/2026",
        "12-03-26",
        "12.03.2026",
        "2026-03-12",
        "12 / 03 / 2026",
        "12 de março",
        "março de 2026",
    ],
    "more dates": [
        "dia 12",
        "dia doze",
        "12/03",
        "05/11",
        "doze de março de 2019",
        "12 mar 2026",
        "em 2019",
        "mar/26",
    ],
    "vehicle": ["ABC1D23", "ABC-1234", "abc-1234", "ABC 1234"],
    "machine": ["192.168.0.1", "2001:db8::1", "550e8400-e29b-41d4-a716-446655440000"],
    "digits": [
        "12345",
        "98 76 54 32 10",
        "nove oito sete seis cinco",
        "onze nove oitenta e sete sessenta e cinco",
    ],
    "money": ["R$ 150,00", "150 reais", "cartão final 4321", "pix 123"],
    "letters as digits": ["J0ão", "4na", "m4r14"],
}
_STAYS = [
    "dor 7/10",
    "EVA 10/10",
    "força 4/5",
    "3x10 3x12 4x8",
    "3 séries de 12, 15, 20 rep",
    "90°",
    "12,5 kg",
    "45 min",
    "L4-L5",
    "às 14h30",
    "às 14:30",
    "PA 120/80",
    "PA 12/8",
    "2x/sem",
    "0-120°",
    "10.000 passos",
    "2000 m",
    "3x ao dia 10 rep",
    "segunda e sexta",
    "há 7 dias",
    "56 anos",
    "89 anos",
]


@pytest.mark.parametrize("piece", [piece for pieces in _GONE.values() for piece in pieces])
def test_it_goes(stranger: Scrubber, piece: str) -> None:
    left = stranger.scrub(f"paciente, {piece}, dor").text
    assert "[" in left
    assert not any(
        part in left.lower()
        for part in (
            "123",
            "456",
            "2026",
            "2019",
            "4321",
            "9876",
            "ana",
            "gmail",
            "flores",
            "europa",
            "brasil",
            "márc",
        )
    )


@pytest.mark.parametrize("piece", _STAYS)
def test_a_measure_stays(stranger: Scrubber, piece: str) -> None:
    assert stranger.scrub(f"hoje {piece} sem dor").text == f"hoje {piece} sem dor"


@pytest.mark.parametrize("age", ["90 anos", "92 anos", "103 anos", "noventa e dois anos", "cem anos"])
def test_an_age_above_89_is_90_and_more(stranger: Scrubber, age: str) -> None:
    assert stranger.scrub(f"paciente de {age}").text == "paciente de 90+ anos"


def test_a_note_is_cut_at_a_word() -> None:
    left = Scrubber(Identity(), longest=50).scrub("dor lombar " * 100).text
    assert len(left) <= 50
    assert left.endswith(("dor...", "lombar..."))


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "piece", ["a", "a.", "1", "1 ", "a@", "a ponto ", "nove ", "R$1", "12/0", "cpf ", "Rua a "]
)
def test_a_note_made_to_cost_time_costs_little(stranger: Scrubber, piece: str) -> None:
    assert len(stranger.scrub(piece * 20_000).text) <= 1_500
