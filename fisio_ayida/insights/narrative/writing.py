"""From a record and its facts to a narrative that was checked: asked once, repaired at most once.

Here: the order of the steps, and the insights that an answer gives. Not here: calls and their budget
(``client.py``), what may leave (``subject.py``), what may be shown (``validation.py``).
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from fisio_ayida.insights import privacy
from fisio_ayida.insights.model import (
    Commission,
    Facts,
    Identity,
    InsightType,
    Item,
    NotWritten,
    Record,
    Written,
)
from fisio_ayida.insights.narrative import prompt, subject
from fisio_ayida.insights.narrative.client import Answer, Model
from fisio_ayida.insights.narrative.ledger import Purpose
from fisio_ayida.insights.narrative.schema import strict_schema
from fisio_ayida.insights.narrative.subject import Subject
from fisio_ayida.insights.narrative.validation import Checked, Fault, Supported, check
from fisio_ayida.telemetry import Log

#: Finalized sessions with a note. CONTRACT clinic §9.5
LEAST_NOTES: Final = 2
#: What an insight can be about, as its metric, if it cites one of these alone.
METRICS: Final = ("attendance_rate_90d", "pain_trend")
_TYPES: Final[Mapping[str, InsightType]] = {
    "trends": "trend_alert", "recommendations": "recommendation", "risks": "risk_detected",
}  # fmt: skip
_DRAFT: Final = (
    "Rascunho escrito por um modelo de linguagem, para conferência do profissional: prontuário de "
    "{today:%d/%m/%Y}, sessão mais recente em {newest:%d/%m/%Y}."
)


class NarrativeWriter:
    """Writes with one model. Of what is asked and answered nothing is logged or kept but the checked insights."""

    def __init__(self, model: Model, log: Log) -> None:
        self._model = model
        self._log = log
        self._schema = strict_schema()

    @property
    def model(self) -> str:
        """The model's name, as part of keys."""
        return self._model.name

    async def write(self, record: Record, facts: Facts, commission: Commission) -> Written | NotWritten:
        """A checked narrative, or why there is none."""
        if (refused := await self._model.refuses(commission)) is not None:
            return refused
        # Scrubbing and checking take the time of a few thousand expressions: other calls go on meanwhile.
        given = await asyncio.to_thread(_given, record, facts)
        if isinstance(given, NotWritten):
            return given
        written = await self._write(record, facts, given, commission)
        return dataclasses.replace(written, scrubbed=dict(given.scrubbed))

    async def _write(
        self, record: Record, facts: Facts, given: Subject, commission: Commission
    ) -> Written | NotWritten:
        first = await self._ask(given, prompt.first(given.text), commission, record.identity, "first")
        if isinstance(first, NotWritten):
            return first
        answer, checked = first
        if isinstance(checked, Fault):
            # What names somebody does not leave a second time, wherever in the answer it stands.
            is_named = checked.reason == "leaked_identifier" or privacy.leaks(answer.text, record.identity)
            messages = prompt.again(given.text, None if is_named else answer.text, checked.words)
            second = await self._ask(given, messages, commission, record.identity, "repair")
            if isinstance(second, NotWritten):
                return second
            _, checked = second
        if isinstance(checked, Fault):
            return NotWritten(checked.reason, checked.detail)
        return Written(tuple(_items(checked, record, facts)), {})

    async def _ask(
        self,
        given: Subject,
        messages: prompt.Messages,
        commission: Commission,
        identity: Identity,
        purpose: Purpose,
    ) -> tuple[Answer, Checked | Fault] | NotWritten:
        answer = await self._model.ask(messages, self._schema, commission, purpose)
        if isinstance(answer, NotWritten):
            return answer
        checked = await asyncio.to_thread(check, answer.text, given, identity)
        if isinstance(checked, Fault):
            await self._model.judge(answer, checked.reason)
            self._log.info("the %s answer for %s is not used: %s", purpose, commission.key, checked.reason)
        return answer, checked


def _given(record: Record, facts: Facts) -> Subject | NotWritten:
    """What may leave, or why nothing does."""
    notes = sum(bool(privacy.plain(session.note).strip()) for session in record.sessions)
    if notes < LEAST_NOTES:
        return NotWritten("insufficient_data")
    given = subject.of(record, facts, privacy.Scrubber(record.identity))
    kinds = subject.found(given, record.identity)
    return NotWritten("identifier_found", ", ".join(kinds), scrubbed=dict(given.scrubbed)) if kinds else given


def _items(checked: Checked, record: Record, facts: Facts) -> Iterator[Item]:
    yield _item("progress_summary", [checked.summary], record, facts)
    for name, type in _TYPES.items():
        passages: tuple[Supported, ...] = getattr(checked, name)
        if passages:
            yield _item(type, passages, record, facts)


def _item(type: InsightType, passages: Sequence[Supported], record: Record, facts: Facts) -> Item:
    """One insight of all passages of a type; its number is that of the one metric that they cite, if it is one."""
    lines = [each.text for each in passages]
    if len(lines) > 1:
        lines = [f"• {line}" for line in lines]
    citations = tuple(dict.fromkeys(each for passage in passages for each in passage.citations))
    cited = [each for each in facts.facts if each.name in METRICS and f"fact:{each.ref}" in citations]
    about = cited[0] if len(cited) == 1 and cited[0].value is not None else None
    return Item(
        source="narrative", type=type, citations=citations,
        text="\n".join([*lines, _DRAFT.format(today=record.today, newest=record.sessions[-1].day)]),
        metric=None if about is None else about.name, value=None if about is None else about.value,
    )  # fmt: skip
