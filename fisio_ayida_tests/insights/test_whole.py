"""The whole way: FisioFlow's rows, the real writer over loopback, the clinic's table."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterator

import pytest

from fisio_ayida.clinic.model import Outcome
from fisio_ayida.insights.model import Limits
from fisio_ayida.insights.narrative.service import open_writer
from fisio_ayida.insights.running import run
from fisio_ayida.settings import Settings
from fisio_ayida.simulators.llm import LlmSimulator
from fisio_ayida_tests.clinic.lab import LOG, PATIENT
from fisio_ayida_tests.insights.flow import current, generations, queue, shown
from fisio_ayida_tests.insights.lab import InsightsLab


@pytest.fixture(scope="module")
def llm() -> Iterator[LlmSimulator]:
    """The stand-in for a model server."""
    with LlmSimulator() as simulator:
        yield simulator


def insights(lab: InsightsLab, llm: LlmSimulator, **variables: str) -> Outcome:
    """A run as Dagster's step makes it."""
    given = {"OPENAI_BASE_URL": llm.base_url, "INSIGHTS_MODEL": "stand-in"}
    settings = Settings.load({"FISIO_AYIDA_HOME": str(lab.settings.home), **given, **variables})

    async def work() -> Outcome:
        async with open_writer(settings, lab.warehouse, now=lambda: lab.moment, log=LOG) as writer:
            limits, in_flight = Limits.of(settings), settings.insights_in_flight
            return await run(
                lab.desk, lab.order(), writer, now=lambda: lab.moment, limits=limits, in_flight=in_flight
            )

    return asyncio.run(work())


@pytest.fixture
def treated(lab: InsightsLab, llm: LlmSimulator) -> InsightsLab:
    """A patient with three sessions that say something."""
    llm.forget()
    lab.patient()
    notes = {
        5: "Dor ao subir escadas.",
        4: "Ana Beatriz Souza relata melhora, tel. 11 98765-4321.",
        2: "Sem queixas.",
    }
    for number, (pain, note) in enumerate(notes.items()):
        lab.session(
            f"session-{number}",
            lab.moment.date() - dt.timedelta(days=7 * (2 - number)),
            finalized_at=lab.moment - dt.timedelta(hours=3 - number),
            pain=pain,
            note=f"<p>{note}</p>",
        )
    return lab


def test_a_narrative_is_written_checked_shown_and_paid_for_once(treated: InsightsLab, llm: LlmSimulator) -> None:
    outcome = insights(treated, llm)
    assert {name: outcome.facts[name] for name in ("generated", "narratives", "calls")} == {
        "generated": 1, "narratives": 1, "calls": 1,
    }  # fmt: skip
    assert outcome.facts["tokens"] > 0 and outcome.facts["scrubbed"] > 0
    assert current(treated) == {PATIENT: f"insight:{PATIENT}:session-2:p1:stand-in"}
    assert any("Rascunho" in text for _, text in shown(treated))
    [asked] = llm.received
    assert "Souza" not in asked.text and "98765" not in asked.text
    assert insights(treated, llm).facts["calls"] == 1, "the calls of the run's id, and no more of them"
    assert (llm.count, queue(treated)) == (1, [])


def test_an_answer_that_cannot_be_shown_leaves_the_facts_and_the_reason(
    treated: InsightsLab, llm: LlmSimulator
) -> None:
    llm.next("refusal")
    outcome = insights(treated, llm)
    [row] = generations(treated)
    assert (row["narrative"], row["reason"], outcome.facts["facts_only"]) == ("none", "refused", 1)
    assert shown(treated) != [] and not any("Rascunho" in text for _, text in shown(treated))


def test_without_a_budget_the_facts_are_shown_and_the_words_wait_for_tomorrow(
    treated: InsightsLab, llm: LlmSimulator
) -> None:
    insights(treated, llm, INSIGHTS_TOKENS_PER_DAY="10")
    [row] = generations(treated)
    assert (row["narrative"], row["reason"], llm.count) == ("waiting", "over_budget", 0)
    assert shown(treated) != []
    treated.moment = row["retry_at"]
    assert insights(treated, llm).facts["narratives"] == 1
