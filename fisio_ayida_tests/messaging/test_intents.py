"""What people mean: the words of the contract in all their spellings, and what only looks like them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fisio_ayida.messaging.intents import Intent, Kind, read

SAID: dict[Kind, list[str]] = {
    "confirm": [
        "1", "1️⃣", "１", " 1. ", "Sim", "SIM!", "sim, obrigada 🙏", "s", "confirmo", "CONFIRMAR", "Confirmado ✅",
        "ok", "Ok!!!", "okay", "👍", "👍🏽", "👍🏿👍🏿", "1 - sim", "sim sim", "Oi, bom dia! Confirmo sim",
        "Confirmo a presença",
        "Sim\u200b", "ｓｉｍ", "sim, até amanhã", "1 confirmo",
    ],
    "reschedule": [
        "2", "2️⃣", "remarcar", "Remarcar, por favor", "Não posso", "nao posso", "NÃO POSSO IR", "reagendar",
        "Posso remarcar?", "quero remarcar a consulta", "preciso reagendar", "2 remarcar", "não vou conseguir ir",
    ],
    "stop": [
        "PARAR", "parar.", "Párar", "pare", "sair", "Sair!", "STOP", "stop", "cancelar mensagens",
        "Cancelar as mensagens", "cancelar lembretes", "não quero mais receber mensagens",
        "parar de receber mensagens",
        "descadastrar", "quero parar de receber", "não me mande mais mensagens",
    ],
    "start": ["VOLTAR", "voltar", "Voltar.", "start", "START", "quero voltar a receber mensagens"],
    "ambiguous_cancel": ["cancelar", "Cancelar", "CANCELAR!", "quero cancelar", "cancela", "cancelamento"],
    "other": [
        "", " ", "😀", "não", "Ok?", "confirmar?", "sim, mas preciso remarcar", "sim 2", "cancelar a consulta",
        "quero voltar", "quero parar o tratamento", "vou sair de férias", "11", "100", "8,5", "3.5", "10h30",
        "quem é?", "obrigada", "s i m", "não confirmo", "parar não", "bom dia",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in SAID.items() for text in texts])
def test_words_mean_what_they_say(kind: Kind, text: str) -> None:
    assert read(text).kind == kind


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("0", 0), ("1", 1), ("2", 2), ("7", 7), ("10", 10), ("10/10", 10), ("9 muito bom!", 9), ("nota 8", 8),
        ("dou nota 9", 9), ("dez", 10), ("7 de 10", 7), ("Oi! 9, obrigada", 9), ("10\nAdorei", 10), ("8️⃣", 8),
        ("8,5", None), ("11", None), ("100", None), ("sim", None), ("foi bom", None), ("10h30", None),
    ],
)  # fmt: skip
def test_a_number_may_be_a_score(text: str, score: int | None) -> None:
    assert read(text).score == score


def test_one_confirms_and_is_a_score_and_the_message_decides() -> None:
    assert read("1") == Intent("confirm", 1)
    assert read("2") == Intent("reschedule", 2)
    assert read("9") == Intent("score", 9)


def test_a_button_says_more_than_what_is_written_on_it() -> None:
    assert read("Não sei", "confirm_appt_17").kind == "confirm"
    assert read("Sim", "reschedule_appt_17").kind == "reschedule"
    assert read("Cancelar", "Cancelar").kind == "ambiguous_cancel"


WORDS = st.sampled_from([(kind, text) for kind in ("confirm", "stop", "reschedule") for text in SAID[kind]])


@given(
    WORDS, st.sampled_from([str.upper, str.lower, str.title]), st.sampled_from(["", "!", " 😊", "...", "\n", "🏽"])
)
def test_case_and_decoration_change_nothing(said: tuple[Kind, str], spell, decoration: str) -> None:  # type: ignore[no-untyped-def]
    kind, text = said
    assert read(spell(text) + decoration).kind == kind


@given(st.text())
def test_any_text_has_a_meaning(text: str) -> None:
    found = read(text)
    assert found.score is None or 0 <= found.score <= 10
