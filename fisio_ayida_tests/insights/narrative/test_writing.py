"""From a record to a checked narrative, with a real server that answers well, badly, and not at all."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from fisio_ayida.insights import facts
from fisio_ayida.insights.model import REASONS, Commission, NotWritten, Record, Written
from fisio_ayida.insights.narrative.client import Model
from fisio_ayida.insights.narrative.ledger import Ledger
from fisio_ayida.insights.narrative.prices import Prices
from fisio_ayida.insights.narrative.writing import NarrativeWriter
from fisio_ayida.insights.privacy import Scrubbed, Scrubber
from fisio_ayida.settings import Settings
from fisio_ayida.simulators.llm import LlmSimulator
from fisio_ayida.simulators.llm.modes import ANSWERS
from fisio_ayida.telemetry import get_logger
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida.warehouse.session import Session
from fisio_ayida_tests.insights.narrative.people import (
    CANARIES,
    commission,
    planted,
    record,
    session,
)

NOW = dt.datetime(2026, 3, 12, 15, tzinfo=dt.UTC)
#: Modes of the stand-in whose answer may be shown as it is.
FINE = ("valid", "no_usage", "prose", "fence", "json_object_only", "no_format", "new_limit")
#: The others, with the reason that there is no narrative if every answer is so.
SPOILT = {
    "bad_json": "bad_json", "empty": "bad_json", "missing_property": "bad_json", "english": "bad_language",
    "spanish": "bad_language", "number": "bad_number", "leaked_name": "leaked_identifier",
    "leaked_phone": "leaked_identifier", "diagnosis": "diagnosis", "no_citation": "bad_citation",
    "unknown_citation": "bad_citation", "reversed": "bad_direction", "unit": "bad_number", "disease": "diagnosis",
    "stranger": "leaked_identifier",
}  # fmt: skip
#: What is no answer at all is never repaired; the model's server is asked again by the rules of calls.
UNANSWERED = {
    "truncated": ("truncated", False), "refusal": ("refused", False), "content_filter": ("refused", False),
    "invalid": ("rejected", False), "unprocessable": ("rejected", False), "unauthorized": ("rejected", True),
    "forbidden": ("rejected", True), "no_model": ("rejected", True), "too_many": ("rate_limited", True),
    "too_many_date": ("rate_limited", True), "too_many_ms": ("rate_limited", True),
    "no_quota": ("rate_limited", True), "server_error": ("server_error", True),
    "bad_gateway": ("server_error", True), "unavailable": ("server_error", True),
    "gateway_timeout": ("server_error", True), "page": ("server_error", True), "no_choice": ("server_error", True),
    "huge": ("bad_json", False), "cut": ("unreachable", True), "hang": ("unreachable", True),
}  # fmt: skip

Write = Callable[..., Written | NotWritten]


@pytest.fixture
def write(llm: LlmSimulator, insights_warehouse: Warehouse) -> Iterator[Write]:
    """Writes about a record with the stand-in as the model; waits between tries take no time."""
    with insights_warehouse.connect(autocommit=True) as conn:
        conn.execute("delete from insights.calls; delete from insights.spending")

    def run(of: Record | None = None, *, timeout: float = 10.0, **changes: Any) -> Written | NotWritten:
        return asyncio.run(_written(llm, insights_warehouse, of or record(), commission(**changes), timeout))

    yield run


async def _written(
    llm: LlmSimulator, warehouse: Warehouse, of: Record, order: Commission, timeout: float
) -> Written | NotWritten:
    async with _writer(llm, warehouse, timeout) as writer:
        return await writer.write(of, facts.compute(of), order)


@asynccontextmanager
async def _writer(llm: LlmSimulator, warehouse: Warehouse, timeout: float) -> AsyncIterator[NarrativeWriter]:
    given = {"OPENAI_BASE_URL": llm.base_url, "INSIGHTS_MODEL": "m", "INSIGHTS_TIMEOUT_SECONDS": str(timeout)}
    log = get_logger("fisio_ayida.test")
    ledger = Ledger(
        Session(lambda: warehouse.connect(autocommit=True), lambda _: None, log), Prices(), lambda: NOW
    )
    try:
        async with Model(Settings.load(given), ledger, now=lambda: NOW, sleep=_at_once) as model:
            yield NarrativeWriter(model, log)
    finally:
        ledger.close()


async def _at_once(_: float) -> None:
    await asyncio.sleep(0)


def calls(warehouse: Warehouse) -> list[tuple[str, str]]:
    """Purpose and outcome of each call, in order."""
    with warehouse.connect() as conn:
        return conn.execute("select purpose, outcome from insights.calls order by id").fetchall()


@pytest.mark.parametrize("mode", FINE)
def test_an_answer_is_shown_whatever_stands_around_it(mode: str, write: Write, llm: LlmSimulator) -> None:
    llm.answer(mode, times=3)

    assert isinstance(write(), Written)


def test_insights_have_their_types_citations_and_numbers(write: Write) -> None:
    of = record()
    written = write(of)

    assert isinstance(written, Written)
    assert [item.type for item in written.items] == [
        "progress_summary", "trend_alert", "recommendation", "risk_detected",
    ]  # fmt: skip
    known = {f"fact:{fact.ref}" for fact in facts.compute(of).facts} | {
        f"session:{each.id}" for each in of.sessions
    }
    for item in written.items:
        assert item.citations
        assert set(item.citations) <= known
    assert (written.items[0].metric, written.items[0].value) == ("attendance_rate_90d", 0.9)


def test_insights_say_that_they_are_drafts_of_a_model_and_of_which_days_record(write: Write) -> None:
    written = write()

    assert isinstance(written, Written)
    assert all(
        "Rascunho" in (last := item.text.splitlines()[-1]) and "12/03/2026" in last and "11/03/2026" in last
        for item in written.items
    )


def test_several_passages_of_a_type_are_lines_of_one_insight(write: Write) -> None:
    written = write()

    assert isinstance(written, Written)
    trends = next(item for item in written.items if item.type == "trend_alert")
    assert [line[:2] for line in trends.text.splitlines()[:-1]] == ["• "] * (trends.text.count("\n"))


def test_what_is_empty_gives_no_insight(write: Write, llm: LlmSimulator) -> None:
    passage = {"texto": "A dor diminuiu ao longo das sessões.", "citacoes": ["pain_trend"]}
    answer = {"resumo": passage, "tendencias": [], "recomendacoes": [], "riscos": []}
    llm.answer("text", text=json.dumps(answer))
    written = write()

    assert isinstance(written, Written)
    assert [(item.type, item.metric) for item in written.items] == [("progress_summary", "pain_trend")]


@pytest.mark.parametrize(("mode", "reason"), SPOILT.items())
def test_a_spoilt_answer_is_repaired_once(
    mode: str, reason: str, write: Write, llm: LlmSimulator, insights_warehouse: Warehouse
) -> None:
    llm.next(mode, "valid")

    assert isinstance(write(), Written)
    assert calls(insights_warehouse) == [("first", reason), ("repair", "ok")]


@pytest.mark.parametrize(("mode", "reason"), SPOILT.items())
def test_an_answer_that_is_spoilt_twice_leaves_the_facts_alone_with_the_reason(
    mode: str, reason: str, write: Write, llm: LlmSimulator, insights_warehouse: Warehouse
) -> None:
    llm.answer(mode, times=3)
    found = write()

    assert isinstance(found, NotWritten)
    assert (found.reason, found.is_transient) == (reason, False)
    assert calls(insights_warehouse) == [("first", reason), ("repair", reason)]


@pytest.mark.parametrize("mode", UNANSWERED)
def test_what_is_no_answer_is_told_with_its_reason(mode: str, write: Write, llm: LlmSimulator) -> None:
    llm.answer(mode, times=9, **({"retry_after": 600} if mode.startswith("too_many") else {}))
    found = write(timeout=0.2 if mode == "hang" else 10.0)

    assert isinstance(found, NotWritten)
    assert (found.reason, found.is_transient) == UNANSWERED[mode]


def test_the_repair_tells_what_was_wrong_and_repeats_the_answer(write: Write, llm: LlmSimulator) -> None:
    llm.next("number", "valid")
    write()

    _, second = llm.received
    assert [each["role"] for each in second.json["messages"]] == ["system", "user", "assistant", "user"]
    assert "número" in second.json["messages"][-1]["content"]


def test_an_answer_that_names_somebody_does_not_leave_a_second_time(write: Write, llm: LlmSimulator) -> None:
    llm.answer("leaked_name", text="Rosângela Quintanilha")
    assert isinstance(write(), Written)

    _, second = llm.received
    assert "Quintanilha" not in second.text


def test_nothing_that_was_planted_in_any_field_reaches_the_server(write: Write, llm: LlmSimulator) -> None:
    of = planted()
    llm.next("number", "valid")
    written = write(of)

    said = "\n".join(each.text for each in llm.received).lower()
    ids = [of.organization_id, of.patient_id, *(each.id for each in of.sessions), *(each.id for each in of.visits)]
    assert isinstance(written, Written)
    assert len(llm.received) == 2
    assert [each for each in (*CANARIES, *ids) if each.lower() in said] == []
    assert sum(written.scrubbed.values()) > 10


def test_what_the_second_detector_finds_stops_everything(
    write: Write, llm: LlmSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fisio_ayida.insights.privacy.Scrubber.scrub", lambda _, text: Scrubbed(text))
    found = write(planted())

    assert isinstance(found, NotWritten)
    assert (found.reason, found.is_transient) == ("identifier_found", False)
    assert llm.count == 0


@pytest.mark.parametrize(
    "notes", [(), ("<p>Refere melhora.</p>",), ("<p>Refere melhora.</p>", "<p> &nbsp;</p>", "")]
)
def test_with_fewer_than_two_notes_the_model_is_not_asked(
    notes: tuple[str, ...], write: Write, llm: LlmSimulator
) -> None:
    found = write(record(sessions=tuple(session(place + 1, note=note) for place, note in enumerate(notes))))

    assert found == NotWritten("insufficient_data")
    assert llm.count == 0


def test_a_spent_budget_is_told_and_nothing_leaves(write: Write, llm: LlmSimulator) -> None:
    found = write(tokens_per_day=10)

    assert isinstance(found, NotWritten)
    assert (found.reason, found.is_transient) == ("over_budget", True)
    assert llm.count == 0


def test_where_the_budget_is_spent_no_note_is_looked_at(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def scrub(_: Scrubber, text: str) -> Scrubbed:
        seen.append(text)
        return Scrubbed(text, Counter())

    monkeypatch.setattr(Scrubber, "scrub", scrub)
    write(tokens_per_day=10)
    assert seen == []


def test_nothing_of_question_or_answer_is_in_the_logs(
    write: Write, llm: LlmSimulator, caplog: pytest.LogCaptureFixture
) -> None:
    logger = get_logger("fisio_ayida.test")
    logger.addHandler(caplog.handler)
    logger.setLevel(logging.DEBUG)
    llm.next("leaked_name", "english")
    with caplog.at_level(logging.DEBUG):
        write(planted())
    logger.removeHandler(caplog.handler)

    lines = "\n".join(f"{each.getMessage()} {each.exc_text}" for each in caplog.records)
    assert "leaked_identifier" in lines
    assert [
        each for each in (*CANARIES, "patient is doing well", "Segundo os registros", "Ponte") if each in lines
    ] == []


def test_every_way_to_answer_is_tried_here_and_has_words_for_its_reason() -> None:
    assert {"text", *FINE, *SPOILT, *UNANSWERED} == set(ANSWERS)
    assert {*SPOILT.values(), *(reason for reason, _ in UNANSWERED.values())} <= set(REASONS)
