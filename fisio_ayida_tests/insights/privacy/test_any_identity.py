"""Whoever the patient is and however a note says it: nothing of it stays."""

from __future__ import annotations

import random
import re

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from fisio_ayida.insights.model import Identity
from fisio_ayida.insights.privacy import Scrubber, leaks
from fisio_ayida.insights.privacy.clinical_words import CLINICAL
from fisio_ayida.insights.privacy.everyday_words import ORGANISATIONS, PARTICLES
from fisio_ayida.insights.privacy.meant import is_also_a_word
from fisio_ayida.insights.privacy.plain_text import fold
from fisio_ayida_tests.insights.privacy.notes import SENTENCES

_LETTERS = "abcdefghijklmnopqrstuvwxyzáâãçéêíóôõúü"
_STRANGE = st.text(_LETTERS, min_size=3, max_size=10)
_USUAL = st.one_of(
    st.sampled_from(
        ["Ana", "João", "Maria", "Conceição", "Íris", "Ângela", "Thaís", "Kauê", "Zé", "Sá", "Eva", "Lia"]
    ),
    st.sampled_from(
        ["Rosa", "Clara", "Vitória", "Dias", "Campos", "Rocha", "Reis", "Leal", "Dores", "Linda", "Ponte"]
    ),
    st.sampled_from(
        ["D'Ávila", "Sant'Anna", "Jean-Luc", "O'Neil", "A.B.", "(Beto)", "[Duda]", "Nil+", "Ivo*", "$ilva"]
    ),
    st.sampled_from(["\\d{2}", "Esperança", "Bento", "Lima"]),
)
_NAME = st.lists(st.one_of(_USUAL, _STRANGE.map(str.title)), min_size=1, max_size=4).map(" ".join)
_PHONE = st.from_regex(r"[1-9][1-9]9[0-9]{8}", fullmatch=True)
_CPF = st.from_regex(r"[0-9]{11}", fullmatch=True)
_ADDRESS = st.from_regex(r"[a-z]{3,8}[._]?[a-z]{2,8}[0-9]{1,3}@(gmail|uol)\.com(\.br)?", fullmatch=True)
_SPELLED = ["zero", "um", "dois", "três", "quatro", "cinco", "meia", "sete", "oito", "nove"]


@st.composite
def _identities(draw: st.DrawFn) -> Identity:
    return Identity(
        names=tuple(draw(st.lists(_NAME, min_size=1, max_size=2))),
        numbers=(draw(_PHONE), draw(_CPF)),
        addresses=(draw(_ADDRESS),),
    )


def _disguised(text: str, how: int) -> str:
    """A name as notes, and people who want to hide it from a program, write it."""
    match how % 9:
        case 0:
            return text.upper()
        case 1:
            return text.lower()
        case 2:
            return fold(text)
        case 3:
            return " ".join(text)
        case 4:
            return ".".join(text)
        case 5:
            return "\u200b".join(text)
        case 6:
            return text.replace(" ", "-")
        case 7:
            return "<b>" + "</b><i>".join(text) + "</i>"
        case _:
            return text


def _grouped(number: str, how: int) -> str:
    """A number as people write it."""
    match how % 7:
        case 0:
            return f"({number[:2]}) {number[2]} {number[3:7]}-{number[7:]}"
        case 1:
            return f"{number[:3]}.{number[3:6]}.{number[6:9]}-{number[9:]}"
        case 2:
            return " ".join(number)
        case 3:
            return " ".join(_SPELLED[int(digit)] for digit in number)
        case 4:
            return f"+55{number}"
        case 5:
            return number.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)})
        case _:
            return number


def _words(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]+", fold(text)))


def _parts(identity: Identity) -> set[str]:
    return {word for name in identity.names for word in _words(name) if len(word) > 2} - PARTICLES - _ALSO_WORDS


#: "Dias" goes, "há 3 dias" stays (test_known.py).
_ALSO_WORDS = {word for word in _words(" ".join(SENTENCES)) if is_also_a_word(word)}


@given(identity=_identities(), how=st.integers(0, 1000), seed=st.integers(0, 1000))
@example(Identity(names=("Ana Nome", "Data Silva", "Link Número Souza"), numbers=("11987654321",)), 0, 0)
@example(Identity(names=("Clara Dias",), numbers=("11987654321",)), 1, 1)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_nothing_of_an_identity_stays(identity: Identity, how: int, seed: int) -> None:
    # A name of clinical words alone is a clinic's; of it, they stay.
    assume(not any(_words(name) <= CLINICAL | ORGANISATIONS for name in identity.names if " " in name))
    shuffled = random.Random(seed)
    words = " ".join(shuffled.sample(SENTENCES, 4)).split(" ")
    canaries = [
        *(_disguised(name, how) for name in identity.names),
        *(_disguised(part, how) for name in identity.names for part in name.split()),
        *(_grouped(number, how) for number in identity.numbers),
        *identity.addresses,
    ]
    for canary in canaries:
        words.insert(shuffled.randrange(len(words) + 1), f"; {canary};")

    scrubbed = Scrubber(identity, longest=10_000).scrub(" ".join(words)).text

    left = fold(re.sub(r"\[[^\]]*\]", " ", scrubbed))
    assert _parts(identity).isdisjoint(_words(left))
    digits = re.sub(r"\D", "", left)
    assert not any(number[-8:] in digits for number in identity.numbers)
    assert not any(address.partition("@")[0] in left for address in identity.addresses)
    assert leaks(scrubbed, identity) == []


_ANY = st.lists(
    st.one_of(
        st.sampled_from(" ".join(SENTENCES).split()),
        st.sampled_from(
            ["Rosa", "ana", "de", "da", "Dr.", "filha", "[nome]", "[data]", "rua", "dia", "nove", "CPF", "\n"]
        ),
        st.text(st.sampled_from("0123456789 .-/()x"), min_size=1, max_size=14),
        st.text(max_size=8),
    ),
    max_size=30,
).map(" ".join)


@given(_ANY)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_scrubbed_text_stays_as_it_is_and_the_detector_agrees(text: str) -> None:
    identity = Identity(names=("Ana Rosa Conceição",), numbers=("11987654321",))
    scrubber = Scrubber(identity)
    once = scrubber.scrub(text).text
    assert scrubber.scrub(once).text == once
    assert leaks(once, identity) == []
