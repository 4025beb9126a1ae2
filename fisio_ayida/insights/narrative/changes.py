"""Numbers that a sentence says as a change, or as the current ones.

Here: from what to what, and what is newest. Not here: words of directions (``directions.py``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from fisio_ayida.insights.narrative.lines import bare
from fisio_ayida.insights.narrative.numerals import plain
from fisio_ayida.insights.narrative.roles import Told, topic_before
from fisio_ayida.insights.narrative.series import Series
from fisio_ayida.insights.narrative.subject import Subject

_NOW = re.compile(
    r"\b(?:atual|atualmente|mais recente|ultim[ao] (?:sessao|registro|valor)|hoje|agora|neste momento)\b"
)
_FROM = re.compile(r"\b(?:de|dos?|das?)\s(?:\w+ ){0,2}?-?$")
_TO = re.compile(r"(?:\bpara|->|→)\s(?:\w+ ){0,3}?-?$|->\s*$|→\s*$")
_RAN = re.compile(
    r"\b(?:foi|passou|caiu|subiu|evoluiu|diminuiu|aumentou|reduziu|melhorou|piorou|progrediu|avancou) de\s$"
)
_BECAME = re.compile(
    r"\b(?:caiu|cairam|subiu|subiram|diminuiu|aumentou|reduziu|reduziu-se|melhorou|piorou|baixou|passou|chegou|recuou)"
    r" (?:para|a)\s(?:cerca de )?$"
)
_VALUED: Final = frozenset(
    {"", "pain", "points", "degrees", "kg", "percent", "cm", "repetitions", "sets", "seconds"}
)

Near = Callable[[Decimal, Decimal], bool]


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage with what it is compared with. ``near``: whether a number may be said for another one."""

    refs: tuple[str, ...]
    subject: Subject
    near: Near

    @property
    def cited(self) -> list[Series]:
        """What has a direction, of what is cited."""
        return [each for each in self.subject.series if each.ref in self.refs]

    @property
    def written(self) -> str:
        """What somebody wrote of what is cited, and the complaint."""
        texts = [self.subject.written.get(ref, "") for ref in self.refs]
        return bare("\n".join([*texts, self.subject.complaint]))

    @property
    def cites_session(self) -> bool:
        """Whether a session is cited."""
        return any(self.subject.refs[ref].startswith("session:") for ref in self.refs)


def changes_agree(text: str, start: int, numbers: Sequence[Told], passage: Passage) -> bool:
    """Whether what a sentence tells as first and later, or as what something became, is so.

    Args:
        text: the passage, as :func:`numerals.plain` has it.
        start: where the sentence begins.
        numbers: of the sentence.
    """
    for place, each in enumerate(numbers):
        if each.role not in _VALUED:
            continue
        before = text[start : each.said.start]
        if _BECAME.search(before) and not any(_same(each, pair[1], passage) for pair in _pairs(passage)):
            return False
        following = next((later for later in numbers[place + 1 :] if _leads_to(text, each, later)), None)
        if following is None or not (_FROM.search(before) or _arrow(text, each, following)):
            continue
        if not any(
            _same(each, first, passage) and _same(following, newest, passage) for first, newest in _pairs(passage)
        ) and not _is_written(each, following, passage):
            return False
    return True


def _leads_to(text: str, first: Told, later: Told) -> bool:
    between = text[first.said.end : later.said.start]
    if later.role not in _VALUED or len(between) > 60 or " de " in between.replace(" cerca de ", " "):
        return False
    ran = _RAN.search(text[: first.said.start]) and re.fullmatch(r"\S{0,3}\s(?:pontos? |graus? |kg )?a\s", between)
    return bool(_TO.search(between) or ran)


def _arrow(text: str, first: Told, later: Told) -> bool:
    return bool(re.search(r"->|→|\bpara\b", text[first.said.end : later.said.start]))


def _pairs(passage: Passage) -> Iterator[tuple[Decimal, Decimal]]:
    """From what to what a passage may say that something went."""
    yield from ((each.first, each.newest) for each in passage.cited)
    cited = [each for each in passage.subject.moments if each.ref in passage.refs]
    for place, earlier in enumerate(cited):
        for later in cited[place + 1 :]:
            yield from (
                (value, later.values[name]) for name, value in earlier.values.items() if name in later.values
            )


def _same(said: Told, value: Decimal, passage: Passage) -> bool:
    return any(passage.near(each, abs(value)) for each in said.said.values)


def _is_written(first: Told, later: Told, passage: Passage) -> bool:
    """Whether somebody wrote these two numbers in this order, as a change."""
    one, other = (re.escape(each.said.written) for each in (first, later))
    pattern = rf"\b{one}\b[^.;\n]{{0,40}}(?:para|->|→)[^.;\n]{{0,20}}\b{other}\b"
    return re.search(pattern, plain(passage.written)) is not None


def is_current(text: str, sentence: str, numbers: Sequence[Told], passage: Passage) -> bool:
    """Whether the one pain that a sentence calls the current one is the newest."""
    pains = [
        each
        for each in numbers
        if each.role == "pain" or (each.role == "points" and topic_before(text, each.said) == "pain")
    ]
    newest = newest_pain(passage.subject)
    now = _NOW.search(sentence)
    if not pains or not newest or not now or (len(pains) > 1 and re.search(r"\bpara\b|->|→", sentence)):
        return True
    start = text.index(sentence)
    said = next(
        (each for each in pains if each.said.start >= start + now.end()), pains[0] if len(pains) == 1 else None
    )
    return said is None or any(_same(said, value, passage) for value in newest)


def newest_pain(subject: Subject) -> set[Decimal]:
    """In the series, and in the newest session that has one; both may be said."""
    found = {each.newest for each in subject.series if each.topic == "pain"}
    pains = [each.values["pain"] for each in subject.moments if "pain" in each.values]
    return found | set(pains[-1:])
