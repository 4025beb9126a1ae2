"""Which numbers a Portuguese text says."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fisio_ayida.insights.narrative.numerals import numbers, shares


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("de 7/10 para 3,5 em 90 dias", "7 10 3.5 90"),
        ("entre 3-4 e 5–6", "3 4 5 6"),
        ("3x10 com 12.5 kg", "3 10 12.5"),
        ("83%, ou 83,3 %", "83 83.3"),
        ("protrusão L4-L5", "4 5"),
        ("1.234,5 m", "1234.5"),
        ("versão 1.2.3", "1 2 3"),
        ("②, 7² e ٣", "2 72 3"),
        ("vinte e um dias", "21"),
        ("cento e vinte e três visitas", "123"),
        ("mil e duzentos metros", "1200"),
        ("cem por cento das visitas", "100"),
        ("oitenta e tres por cento", "83"),
        ("de Três a CINCO", "3 5"),
        ("cinco e seis", "5 6"),
        ("na terceira sessão", "3"),
        ("zero", "0"),
        ("um pouco, uma redução, um exercício, as duas pernas, os dois joelhos", ""),
        ("uma vez que, um ponto de atenção, dois pontos de apoio", ""),
        ("uma falta, duas vezes, dois pontos, um quilo, um mês", "1 2 2 1 1"),
        ("nas duas últimas sessões", "2"),
        ("duas faltas e uma terceira", "2 3"),
        ("III pontos, grau IV e MMII", "3 4"),
        ("quinta-feira no quarto, por cento", ""),
        ("a oitava maravilha", ""),
    ],
)
def test_numbers_are_found_in_figures_and_in_words(text: str, values: str) -> None:
    assert [said.values[0] for said in numbers(text)] == [Decimal(each) for each in values.split()]


def test_three_figures_after_a_point_are_read_both_ways() -> None:
    assert numbers("1.200")[0].values == (Decimal("1.2"), Decimal(1200))


@pytest.mark.parametrize(
    "text",
    [
        "caiu pela metade",
        "o dobro",
        "um terço das visitas",
        "uma dúzia",
        "um quarto das visitas",
        "três quintos do valor",
        "⅓ do valor",
        "meio ponto",
        "um mês e meio",
        "três semanas e meia",
    ],
)
def test_words_of_a_share_are_found(text: str) -> None:
    assert shares(text)


def test_a_room_is_no_share() -> None:
    assert not shares("Fica no quarto da paciente, na quinta-feira, e meio cansada.")


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    assert all(said.values for said in numbers(text))


@given(st.lists(st.decimals(0, 9999, places=2), max_size=5))
def test_every_decimal_that_is_written_is_found(written: list[Decimal]) -> None:
    text = " e depois ".join(str(each).replace(".", ",") for each in written)

    assert [said.values[0] for said in numbers(text)] == written
