"""Whether a passage tells the directions that the facts have: rising and falling, from what to what, all or none.

Here: what a sentence says of something that has a direction. Not here: numbers by themselves (``roles.py``), and
what has a direction (``series.py``). What cannot be told of a sentence is no fault: people read it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from fisio_ayida.insights.narrative.changes import Near, Passage, changes_agree, is_current, newest_pain
from fisio_ayida.insights.narrative.direction_words import (
    DOWN,
    GENERIC,
    LEVEL,
    NOT,
    NOUNS,
    PASSING,
    SITUATION,
    SUGGESTS,
    TOLD_BY,
    UNSURE,
    UP,
    is_idle,
    sense,
)
from fisio_ayida.insights.narrative.numerals import plain
from fisio_ayida.insights.narrative.roles import scaled, told
from fisio_ayida.insights.narrative.series import Series, Topic, topic_words
from fisio_ayida.insights.narrative.subject import Subject

_PAIN: Final = topic_words("pain")
_CLAUSES = re.compile(
    r",|:|\(|\)|\be(?= (?:a|o|as|os|houve|ha|de|da|do)\b)|\b(?:enquanto|mas|porem|embora|apesar|contudo|com)\b"
)
_SENTENCES = re.compile(r"[.!?](?=\s|$)|[;\n•]")
_TOKEN = re.compile(r"[a-z]+(?:-[a-z]+)*|\d+(?:[.,]\d+)*")
_ARTICLE = re.compile(r"\b(?:a|o|as|os|sua|seu)\s+([a-z]+)")
_GONE = re.compile(
    r"\b(?:dor|dores) (?:\w+ ){0,3}?(?:desapareceu|desapareceram|cessou|cessaram|sumiu|sumiram|zerou|resolvida"
    r"|eliminada|foi embora|esta ausente)\b|\b(?:livre de|nao sente mais|nao tem mais|nao apresenta mais) dor\b"
)
_KEPT_ALL = re.compile(
    r"\b(?:compareceu|compareceram|comparece|presente|presenca)\b(?!.*\bquase\b).*\b(?:todas|todos|sempre)\b"
    r"|\bsempre (?:compareceu|comparece|presente)\b"
    r"|\btodas as (?:visitas|consultas|sessoes)(?: \w+){0,3} realizadas\b"
    r"|\btodos os atendimentos(?: \w+){0,3} realizados\b"
    r"|\b(?:nao|nunca|jamais) (?:se )?(?:faltou|falta|ausentou)\b|\bnenhuma (?:falta|ausencia)\b"
    r"|\bsem (?:nenhuma |qualquer )?(?:faltas?|ausencias?)\b(?! de)|\bnao (?:houve|teve|ha|apresenta|apresentou"
    r"|registra|registrou|tem|constam) (?:\w+ )?(?:faltas?|ausencias?)\b(?! de)"
    r"|\bassiduidade (?:total|completa|plena)\b"
)
_MISSED_ALL = re.compile(
    r"\bfaltou\b.*\btodas\b|\b(?:nunca|jamais) (?:compareceu|comparece)\b|\bnao compareceu a nenhuma\b"
    r"|\bnenhuma (?:visita|sessao|consulta)(?: \w+){0,2} realizada\b|\bnenhum comparecimento\b"
)


def are_directions(text: str, refs: Iterable[str], subject: Subject, near: Near) -> bool:
    """Whether nothing that a passage says of a direction is against the facts.

    Args:
        refs: what it cites; they exist.
        near: whether a number may be said for another one.
    """
    passage = Passage(tuple(refs), subject, near)
    found = plain(scaled(text) if set(passage.refs) & subject.about_pain else text)
    numbers = told(found)
    starts = [0, *(match.end() for match in _SENTENCES.finditer(found)), len(found) + 1]
    for start, end in pairwise(starts):
        sentence = found[start:end]
        inside = [each for each in numbers if start <= each.said.start < end]
        if (
            not _visits_agree(sentence, subject)
            or not _words_agree(sentence, passage)
            or not changes_agree(found, start, inside, passage)
            or not is_current(found, sentence, inside, passage)
        ):
            return False
    return True


def _visits_agree(sentence: str, subject: Subject) -> bool:
    counted = subject.visits
    if counted is None:
        return True
    if counted.absent and _KEPT_ALL.search(sentence):
        return False
    return not (counted.done and _MISSED_ALL.search(sentence))


def _words_agree(sentence: str, passage: Passage) -> bool:
    if _GONE.search(sentence):
        newest = newest_pain(passage.subject)
        if newest and 0 not in newest:
            return False
    before: list[str] = []
    start = 0
    for match in [*_CLAUSES.finditer(sentence), None]:
        clause = sentence[start : match.start() if match else len(sentence)]
        if not _clause_agrees(clause, before, sentence, passage):
            return False
        before += _TOKEN.findall(clause)
        start = match.end() if match else len(sentence)
    return True


def _clause_agrees(clause: str, before: Sequence[str], sentence: str, passage: Passage) -> bool:
    tokens = [(match[0].removesuffix("-se"), match.end()) for match in _TOKEN.finditer(clause)]
    words = [word for word, _ in tokens]
    for place, (word, end) in enumerate(tokens):
        said = sense(words, place)
        if said and not is_idle(words, place, clause[end:]):
            about = _about(words, place, clause, before, sentence, passage)
            negated = bool(NOT & set(words[max(place - 4, 0) : place]))
            if about and not _agrees(said, about, sentence, clause[end:], passage, word, words[:place], negated):
                return False
    return True


def _about(
    words: Sequence[str], place: int, clause: str, before: Sequence[str], sentence: str, passage: Passage
) -> list[Series]:
    """What has the direction that a word says; empty: nothing that is known to have one."""
    known = {word for each in passage.subject.series for word in each.words} | _PAIN
    word = words[place]
    if word in NOUNS:
        after = list(words[place + 1 : place + 7])
        at = next(
            (i for i, each in enumerate(after[:4]) if each in ("da", "do", "das", "dos", "de", "na", "no")), None
        )
        if at is not None:
            named = [each for each in after[at + 1 : at + 4] if each in known]
            if named:
                return _series(named[0], passage)
            following = after[at + 1] if at + 1 < len(after) else ""
            if following and not following[0].isdigit() and following not in PASSING:
                return []
    named = [each for each in words[:place] if each in known]
    if named:
        return _series(named[-1], passage)
    subject_words = _ARTICLE.findall(clause[: clause.find(word)])
    if any(each not in GENERIC and each not in PASSING for each in subject_words):
        return []
    named = [each for each in before if each in known] or [each for each in words[place + 1 :] if each in known]
    if named:
        return _series(named[-1], passage)
    is_generic = bool(GENERIC & set(_TOKEN.findall(sentence))) or place == 0
    return passage.cited if is_generic and len({each.topic for each in passage.cited}) == 1 else []


def _series(word: str, passage: Passage) -> list[Series]:
    """Those of a word that are cited; if no session is cited either, those that there are."""
    found = [each for each in passage.subject.series if word in each.words]
    cited = [each for each in found if each.ref in passage.refs]
    if cited or not passage.cites_session:
        return cited or found
    return [_of_sessions(passage)] if word in _PAIN and _of_sessions(passage) else []  # type: ignore[list-item]


def _of_sessions(passage: Passage) -> Series | None:
    """How pain went in the sessions that are cited."""
    values = [
        each.values["pain"]
        for each in passage.subject.moments
        if each.ref in passage.refs and "pain" in each.values
    ]
    return Series("", "pain", _PAIN, None, values[0], values[-1]) if len(values) > 1 else None


def _agrees(
    sense: str, about: Sequence[Series], sentence: str, after: str, passage: Passage, word: str,
    earlier: Sequence[str], negated: bool,
) -> bool:  # fmt: skip
    topic = about[0].topic
    direction = _direction(sense, topic)
    if not direction:
        return True
    suggested = bool(SUGGESTS & set(_TOKEN.findall(sentence))) and not _CLAUSES.search(
        sentence[: sentence.find(word)]
    )
    if suggested and (topic in ("load", "repetitions", "measurement") or direction == DOWN):
        return True
    # What a note tells of a moment is no direction of the whole.
    if passage.cites_session and not negated:
        if SITUATION.match(after) and any(each in passage.written for each in _PAIN):
            return True
        if TOLD_BY.search(sentence) and word[:5] in passage.written:
            return True
    return any(_is_so(direction, each, sentence, negated) for each in about)


def _direction(sense: str, topic: Topic) -> str:
    if sense in ("better", "worse"):
        if topic == "pain":
            return DOWN if sense == "better" else UP
        return {"better": UP, "worse": DOWN}[sense] if topic == "attendance" else ""
    return sense


def _is_so(direction: str, series: Series, sentence: str, negated: bool) -> bool:
    verdict = series.verdict
    moved = UP if series.newest > series.first else DOWN if series.newest < series.first else LEVEL
    if verdict is None:
        # Two values alone: they only contradict.
        return negated or direction in (moved, LEVEL)
    if negated:
        return direction != verdict
    if verdict in ("unclear", "steady") and direction != verdict:
        return verdict == "unclear" and direction == moved and UNSURE.search(sentence) is not None
    return direction == verdict
