"""The lists of names: words of a dictionary, of which notes need none."""

from __future__ import annotations

import pytest
from faker.providers.person.pt_BR import Provider

from fisio_ayida.insights.privacy.clinical_words import CLINICAL
from fisio_ayida.insights.privacy.names import AMBIGUOUS, NAMES, PHRASES
from fisio_ayida.insights.privacy.nicknames import SHORT_NAMES
from fisio_ayida.insights.privacy.plain_text import fold
from fisio_ayida.insights.privacy.vocabulary import KNOWN, NAME, UNCERTAIN, marks
from fisio_ayida_tests.insights.privacy.notes import SENTENCES


def test_a_name_is_listed_once() -> None:
    assert NAMES.isdisjoint(AMBIGUOUS)
    assert NAMES.isdisjoint(CLINICAL)


def test_every_usual_name_is_listed_or_no_word_at_all() -> None:
    people = {fold(part) for name in (*Provider.first_names, *Provider.last_names) for part in name.split()}
    people -= {"da", "de", "do", "das", "dos", "grande"}
    assert [name for name in people if marks(name) & KNOWN and not marks(name) & (NAME | UNCERTAIN)] == []


@pytest.mark.parametrize(
    "place", ["belo horizonte", "porto alegre", "volta redonda", "tres lagoas", "passo fundo"]
)
def test_a_place_of_everyday_words_is_a_phrase(place: str) -> None:
    assert tuple(place.split()) in PHRASES


def test_every_phrase_has_several_folded_words_and_is_in_no_note() -> None:
    notes = fold(" | ".join(SENTENCES))
    assert [phrase for phrase in PHRASES if len(phrase) < 2 or fold(" ".join(phrase)) != " ".join(phrase)] == []
    assert [phrase for phrase in PHRASES if " ".join(phrase) in notes] == []


def test_short_names_are_folded_and_of_two_letters_at_least() -> None:
    short = {each for called in SHORT_NAMES.values() for each in called}
    assert [each for each in (*SHORT_NAMES, *short) if fold(each) != each or len(each) < 2] == []
