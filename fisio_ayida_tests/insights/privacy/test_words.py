"""Names of whom nobody knew, and the clinical words that must stay."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from faker.providers.person.pt_BR import Provider

from fisio_ayida.insights.model import Identity
from fisio_ayida.insights.privacy import Scrubber, leaks
from fisio_ayida_tests.insights.privacy.notes import SENTENCES

_PEOPLE = sorted({*Provider.first_names, *Provider.last_names})
_JOINTS = {"da", "de", "do", "das", "dos"}


def _left(scrubber: Scrubber, template: str, name: str) -> bool:
    text = scrubber.scrub(template.format(name)).text
    parts = [part for part in re.findall(r"\w+", name) if part.lower() not in _JOINTS]
    return any(re.search(rf"(?<!\w){part}(?!\w)", text) for part in parts)


@pytest.mark.parametrize(
    "template",
    [
        "Paciente e {} vieram hoje com dor lombar.",
        "Veio com a filha {} hoje.",
        "Dr. {} solicitou exame.",
        "acompanhante: {}",
        "{} relatou dor lombar.",
    ],
)
def test_every_name_of_a_list_that_we_did_not_write_goes(stranger: Scrubber, template: str) -> None:
    assert [name for name in _PEOPLE if _left(stranger, template, name)] == []


@pytest.mark.parametrize(
    ("template", "change"),
    [
        ("veio com a filha {} hoje", str.lower),
        ("{} relatou dor", str.lower),
        ("falei com {} hoje", str.lower),
        ("VEIO COM O ESPOSO {} HOJE", str.upper),
    ],
    ids=["relative", "deed", "talk", "shouted"],
)
def test_hardly_a_name_stays_where_it_has_no_capital(
    stranger: Scrubber, template: str, change: Callable[[str], str]
) -> None:
    # "Pastor" is who came; what it is the name of is told by a capital alone.
    assert {name for name in _PEOPLE if _left(stranger, template, change(name))} <= {"Pastor"}


def test_nine_of_ten_names_go_even_where_nothing_announces_them(stranger: Scrubber) -> None:
    stay = [name for name in _PEOPLE if _left(stranger, "atendimento de {} hoje sem dor", name.lower())]
    assert len(stay) < len(_PEOPLE) / 10


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        ("Filha Joana trouxe a paciente", "Filha [nome] trouxe a paciente"),
        ("esposo carlos relatou queda", "esposo [nome] relatou queda"),
        ("Dr. Fulano solicitou RM", "Dr. [nome] solicitou RM"),
        ("dra helena avaliou", "dra [nome] avaliou"),
        ("vizinha dona Maria", "vizinha dona [nome]"),
        ("mãe trouxe, pai mora longe", "mãe trouxe, pai mora longe"),
        ("chamado Zé", "chamado [nome]"),
        ("Rosa relatou dor", "[nome] relatou dor"),
        ("violeta chegou cedo", "[nome] chegou cedo"),
        ("paciente rosa apresenta dor", "paciente [nome] apresenta dor"),
        ("maria clara rocha, dor", "[nome], dor"),
        ("faixa rosa e bola verde", "faixa rosa e bola verde"),
        ("dor nas costas e na costa", "dor nas costas e na costa"),
        ("Trabalha na padaria pão quente", "Trabalha na padaria [omitido]"),
        ("estuda no colégio estrela da manhã", "estuda no colégio [omitido] da manhã"),
        ("trabalha no computador sentada", "trabalha no computador sentada"),
        ("convênio bradesco", "convênio [omitido]"),
        ("plano de saúde porto seguro hoje", "plano de saúde [omitido] hoje"),
        ("plano de tratamento mantido", "plano de tratamento mantido"),
        ("mora em campinas", "mora em [omitido]"),
        ("fala do Corinthians", "fala do [omitido]"),
        ("teste de Thomas e sinal de Lasègue", "teste de Thomas e sinal de Lasègue"),
        ("veio com Thomas", "veio com [omitido]"),
        ("ANA ROSA REFERE DOR NO OMBRO", "[nome] REFERE DOR NO OMBRO"),
        ("dor no Ombro Direito, fez Pilates", "dor no Ombro Direito, fez Pilates"),
        ("dor após Feijoada", "dor após [omitido]"),
        ("xptozw doeu", "[omitido] doeu"),
        ("M. S. relatou dor", "[omitido]. [omitido]. relatou dor"),
        ("nao fez extensao na sessao", "nao fez extensao na sessao"),
        ("Анна relatou dor", "[omitido] relatou dor"),
    ],
)
def test_a_word_goes_or_stays_by_where_it_stands(stranger: Scrubber, note: str, expected: str) -> None:
    assert stranger.scrub(note).text == expected


def test_clinical_content_stays(scrubber: Scrubber) -> None:
    before = after = 0
    for sentence in SENTENCES:
        before += len(re.findall(r"\w+", sentence))
        after += len(re.findall(r"\w+", re.sub(r"\[[^\]]*\]", " ", scrubber.scrub(sentence).text)))
    assert after / before > 0.98


@pytest.mark.parametrize("sentence", SENTENCES)
def test_the_detector_lets_clinical_text_pass(identity: Identity, sentence: str) -> None:
    assert leaks(sentence, identity) == []
