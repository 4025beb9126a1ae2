"""Whether an answer may be shown: it has the right form, rests on what there is, and says nothing beyond.

Here: the rules, as one pure function. Not here: asking (``writing.py``), and what texts look like to each rule
(``numerals.py``, ``speech.py``, ``privacy/``).

The rule of numbers: a passage may say a number that is shown in a fact or a session that it cites, or in an alert
about such a fact, as a number of the same thing (``roles.py``); the summary also those of the complaint. A number
of ten and more, or one said with a decimal, may be rounded. Beside that: how many sessions a passage cites, the
ends of the pain scale, the patient's age band, how long the complaint lasts in the complaint's own words.

What a sentence means beyond that, no rule here knows: a narrative is a draft that a professional reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Final

from fisio_ayida.insights import privacy
from fisio_ayida.insights.model import Identity
from fisio_ayida.insights.narrative import diseases, speech
from fisio_ayida.insights.narrative.answers import NotAnAnswer, answer
from fisio_ayida.insights.narrative.directions import are_directions
from fisio_ayida.insights.narrative.numerals import Said, plain, shares
from fisio_ayida.insights.narrative.roles import Told, may_stand, of_sent, scaled, told
from fisio_ayida.insights.narrative.schema import Narrative, Passage
from fisio_ayida.insights.narrative.subject import Subject

#: From here on the nearest whole number is near enough.
ROUNDED_FROM: Final = 10
#: What lies beyond is no rounded number of a clinic's.
MOST_DECIMALS: Final = 6
MOST: Final = 10**9
#: Faults that the model is told of at once.
_TOLD: Final = 8
# The one by which an answer is known, if it has several: first what must not be repeated.
_ORDER: Final = (
    "leaked_identifier", "bad_json", "bad_language", "bad_citation", "bad_number", "bad_direction", "diagnosis",
)  # fmt: skip
_SINCE = re.compile(r"\bha (?:mais de |cerca de )?[\w]+ (?:mes|mese|ano|semana|dia)s?\b")


@dataclass(frozen=True, slots=True)
class Supported:
    """A passage that was checked. ``citations``: as :class:`insights.model.Item` has them."""

    text: str = field(repr=False)
    citations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """An answer that may be shown."""

    summary: Supported
    trends: tuple[Supported, ...]
    recommendations: tuple[Supported, ...]
    risks: tuple[Supported, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an answer may not be shown.

    Args:
        reason: a word of :data:`insights.model.REASONS`.
        words: for the model, in Portuguese; they repeat nothing of the answer.
        detail: for people: the passages.
    """

    reason: str
    words: str
    detail: str


@dataclass(frozen=True, slots=True)
class _Wrong:
    reason: str
    where: str
    words: str


def check(text: str, subject: Subject, identity: Identity) -> Checked | Fault:
    """The passages of an answer, or everything that is wrong with it.

    Args:
        text: as the model wrote it.
        subject: what it was given.
        identity: of the patient and the clinic; a text in which any of it is found is never shown.
    """
    try:
        read = answer(text)
    except NotAnAnswer as error:
        # Also what cannot be read may name somebody; then it is not sent back for repair.
        reason = "leaked_identifier" if privacy.leaks(text, identity) else "bad_json"
        return Fault(reason, str(error), "")
    wrong = [fault for where, passage in _passages(read) for fault in _faults(where, passage, subject, identity)]
    if wrong:
        wrong.sort(key=lambda each: _ORDER.index(each.reason))
        first = [each.where for each in wrong if each.reason == wrong[0].reason]
        words = "; ".join(f"{each.where}: {each.words}" for each in wrong[:_TOLD])
        return Fault(wrong[0].reason, words, ", ".join(dict.fromkeys(first)))
    return Checked(
        _supported(read.resumo, subject), *(
            tuple(_supported(each, subject) for each in passages)
            for passages in (read.tendencias, read.recomendacoes, read.riscos)
        ),
    )  # fmt: skip


def _supported(passage: Passage, subject: Subject) -> Supported:
    return Supported(passage.texto, tuple(subject.refs[ref] for ref in passage.citacoes))


def _passages(read: Narrative) -> Iterator[tuple[str, Passage]]:
    yield "resumo", read.resumo
    for name in ("tendencias", "recomendacoes", "riscos"):
        passages: list[Passage] = getattr(read, name)
        yield from ((f"{name}[{place}]", passage) for place, passage in enumerate(passages))


def _faults(where: str, passage: Passage, subject: Subject, identity: Identity) -> Iterator[_Wrong]:
    text = passage.texto
    if not text:
        yield _Wrong("bad_json", where, "texto vazio")
        return
    if privacy.leaks(text, identity):
        yield _Wrong("leaked_identifier", where, "contém um nome, contato, data, endereço ou documento")
    if speech.is_machine(text):
        yield _Wrong("bad_json", where, "contém ref, colchetes ou marcação no texto; escreva só frases")
    if not speech.is_portuguese(text):
        yield _Wrong("bad_language", where, "não está em português do Brasil")
    cited = [ref for ref in passage.citacoes if ref in subject.refs]
    written = "\n".join([subject.complaint, *(subject.written.get(ref, "") for ref in cited)])
    if speech.is_verdict(text) or diseases.is_claimed(text, written):
        yield _Wrong(
            "diagnosis", where,
            "afirma doença que a queixa e as notas citadas não trazem assim, prognóstico, ordem, nota ou código",
        )  # fmt: skip
    if not cited or len(cited) != len(passage.citacoes):
        yield _Wrong("bad_citation", where, "citacoes vazias ou com ref que não existe nos dados")
        return
    if not are_shown(text, cited, subject, is_summary=where == "resumo"):
        yield _Wrong(
            "bad_number", where, "traz número que não está, com esse sentido, nos fatos e sessões citados"
        )
    if not are_directions(text, cited, subject, _is_near):
        yield _Wrong("bad_direction", where, "diz direção, ordem ou totalidade que os fatos citados não mostram")


def are_shown(text: str, refs: Iterable[str], subject: Subject, *, is_summary: bool) -> bool:
    """Whether a text says only numbers that the rule of numbers allows. ``refs``: what it cites; they exist."""
    cited = tuple(refs)
    seen = [subject.shown[ref] for ref in cited]
    seen += [shown for facts, shown in subject.alerts if facts & set(cited)]
    if is_summary:
        seen.append(subject.complaint)
    allowed = [each for text in seen for each in of_sent(text)]
    sessions = sum(1 for ref in cited if subject.refs[ref].startswith("session:"))
    # Of several, some may be told apart.
    allowed += [
        Told(Said(str(many), (Decimal(many),)), role)
        for many in range(1, sessions + 1) if sessions for role in ("sessions", "")
    ]  # fmt: skip
    text = plain(text)
    if subject.age_band:
        text = _band(subject.age_band).sub(" ", text)
    if subject.about_pain & set(cited):
        text = scaled(text)
    for lasting in {match[0] for match in _SINCE.finditer(plain(subject.complaint))}:
        text = text.replace(lasting, " ")
    known = frozenset[str]().union(*(shares(each) for each in seen))
    return shares(text) <= known and all(_is_shown(each, allowed) for each in told(text))


def _band(band: str) -> re.Pattern[str]:
    """The ways to say an age band: ``30-39``, ``30 a 39``, ``90+``, ``90 anos ou mais``."""
    low, _, high = band.partition("-")
    if not high:
        return re.compile(rf"\b{low.rstrip('+')}(?:\+| anos ou mais| ou mais)")
    return re.compile(rf"\b{low}\s*(?:-|–|a|e|ate)\s*{high}\b")


def _is_shown(answered: Told, allowed: Sequence[Told]) -> bool:
    return any(
        may_stand(answered, sent) and any(
            _is_near(value, of) for value in answered.said.values for of in sent.said.values
        )
        for sent in allowed
    )  # fmt: skip


def _is_near(value: Decimal, of: Decimal) -> bool:
    """Whether a number may be said for another one."""
    return value == of or _is_rounded(value, of)


def _is_rounded(value: Decimal, of: Decimal) -> bool:
    decimals = -int(value.as_tuple().exponent)
    if decimals > MOST_DECIMALS or of > MOST or (decimals == 0 and of < ROUNDED_FROM):
        return False
    return value in (of.quantize(value, ROUND_HALF_UP), of.quantize(value, ROUND_HALF_EVEN))
