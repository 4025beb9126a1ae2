"""The demo's last part: what changed for made-up patients in treatment, computed, and in a stand-in's words.

Here: the runs, one after another. Nothing leaves the machine. Not here: the patients and what is hidden in their
notes (``demo_insights_patients.py``), and the proof (``demo_insights_proof.py``).
"""

from __future__ import annotations

import asyncio
import datetime as dt
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fisio_ayida.commands.demo_day_clinics import SAO_PAULO
from fisio_ayida.commands.demo_insights_patients import (
    Canary,
    chosen_of,
    finalize_another,
    hide,
    last_day,
    narrated_of,
    set_up,
)  # fmt: skip
from fisio_ayida.settings import Settings
from fisio_ayida.simulators.fisioflow.treatments import treatments
from fisio_ayida.simulators.fisioflow.world import World
from fisio_ayida.telemetry import get_logger

if TYPE_CHECKING:
    from rich.console import Console

    from fisio_ayida.clinic.model import Desk, Outcome
    from fisio_ayida.insights.model import Item
    from fisio_ayida.simulators.llm import LlmSimulator
    from fisio_ayida.warehouse.engine import Warehouse

MODEL: Final = "stand-in"
#: Ways to answer (``simulators/llm/modes.py``), and what must become of the narrative: its state and its reason.
ANSWERS: Final = {
    "number,once": ("written", ""),
    "prose": ("written", ""),
    "number": ("none", "bad_number"),
    "reversed": ("none", "bad_direction"),
    "leaked_name": ("none", "leaked_identifier"),
    "unknown_citation": ("none", "bad_citation"),
    "diagnosis": ("none", "diagnosis"),
    "disease": ("none", "diagnosis"),
    "english": ("none", "bad_language"),
    "bad_json": ("none", "bad_json"),
    "truncated": ("none", "truncated"),
    "refusal": ("none", "refused"),
    "unauthorized": ("waiting", "rejected"),
}
#: No narrative fits into it.
_TOO_LITTLE: Final = 500
_BECAME: Final = """
select g.narrative, g.reason, count(distinct c.id), count(distinct i.id) filter (where i.source = 'facts'),
       count(distinct i.id) filter (where i.source = 'narrative')
from insights.generations g
left join insights.calls c using (key)
left join insights.items i on i.key = g.key and i.superseded_at is null
where g.patient_id = %s and g.superseded_at is null group by g.key
"""
_LIMIT: Final = "update jobs.policies set insights_tokens_per_day = %s where organization_id = %s"


@dataclass(frozen=True, slots=True)
class Became:
    """What became of one narrative. ``facts``, ``words``: items that stand, by where they come from."""

    answer: str
    narrative: str
    reason: str
    calls: int
    facts: int
    words: int


@dataclass(slots=True)
class Story:
    """What was done, and what came of it.

    Args:
        patient: the one whose pages are kept.
        requests: how many the stand-in received; ``received``: all that can be read in them.
        news: whether the sensor would ask for a run: before the new session, after it, and after its run.
    """

    world: World
    patient: str
    canaries: tuple[Canary, ...]
    first: Outcome | None = None
    again: list[Outcome] = field(default_factory=list)
    written: list[Outcome] = field(default_factory=list)
    without: tuple[Item, ...] = ()
    with_words: tuple[Item, ...] = ()
    answers: list[Became] = field(default_factory=list)
    requests: int = 0
    received: str = field(default="", repr=False)
    news: tuple[bool, ...] = ()
    pages: list[Path] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Stage:
    """What it is played on."""

    settings: Settings
    warehouse: Warehouse
    desk: Desk
    world: World


def show_insights(console: Console, settings: Settings, warehouse: Warehouse) -> bool:
    """Play it and prove it; True when everything came as it must."""
    from fisio_ayida.commands.demo import run_jobs
    from fisio_ayida.commands.demo_insights_tables import prove

    story = play(settings, warehouse)
    with warehouse.connect(autocommit=True) as conn:
        is_proven = prove(console, conn, story)
    # There is nothing to do any more; the day's numbers and the checks' results are in Dagster's UI.
    run_jobs(console, settings, {"patient_insights": {}})
    return is_proven


def play(settings: Settings, warehouse: Warehouse) -> Story:
    """Facts of everybody who was treated on the last day; then a session more, and words."""
    return asyncio.run(_play(settings, warehouse))


async def _play(settings: Settings, warehouse: Warehouse) -> Story:
    from fisio_ayida.clinic.service import open_desk
    from fisio_ayida.simulators.llm import LlmSimulator

    started = time.monotonic()
    today = _now().astimezone(SAO_PAULO).date()
    world = treatments(secrets.token_hex(3), today)
    with open_desk(settings, warehouse, log=get_logger("fisio_ayida.insights")) as desk:
        set_up(desk.conn, world)
        patient = chosen_of(world)
        story = Story(world, patient.id, hide(desk.conn, world, patient))
        stage = Stage(settings, warehouse, desk, world)
        await _without_a_model(stage, story)
        with LlmSimulator() as llm:
            await _with_a_model(stage, story, llm)
            await _badly_answered(stage, story, llm)
            story.requests, story.received = llm.count, "\n".join(each.text for each in llm.received)
    story.seconds = time.monotonic() - started
    return story


async def _without_a_model(stage: Stage, story: Story) -> None:
    days = [last_day(stage.world)]
    story.first = await _run(stage, days=days)
    story.again = [await _run(stage, days=days), await _run(stage)]
    story.without, page = _kept(stage, story.patient, "facts")
    story.pages.append(page)


async def _with_a_model(stage: Stage, story: Story, llm: LlmSimulator) -> None:
    """A session more: the sensor sees it, a run collects it. Then words for the clinic's other patients."""
    before = _has_news(stage)
    finalize_another(stage.desk.conn, stage.world, story.patient, _now())
    between = _has_news(stage)
    narrated = narrated_of(stage.world)
    story.written.append(await _run(stage, model=_model(llm, MODEL)))
    story.news = before, between, _has_news(stage)
    others = [each.id for each in narrated.patients if each.id != story.patient]
    story.written.append(await _run(stage, model=_model(llm, MODEL), organization=narrated.id, patients=others))
    story.with_words, page = _kept(stage, story.patient, "narrative")
    story.pages.append(page)


async def _badly_answered(stage: Stage, story: Story, llm: LlmSimulator) -> None:
    """Another model is another insight: each answers one of a patient's in its own way."""
    narrated = narrated_of(stage.world)
    subject = narrated.spoilt
    for answer in ANSWERS:
        await _run(
            stage, model=_model(llm, f"{MODEL}:{answer}"), organization=narrated.id, patients=[subject],
        )  # fmt: skip
        story.answers.append(_became(stage, subject, answer))
    with _little_budget(stage, narrated.id):
        await _run(stage, model=_model(llm, f"{MODEL}-2"), organization=narrated.id, patients=[subject])
    story.answers.append(_became(stage, subject, "over the budget"))


@contextmanager
def _little_budget(stage: Stage, organization: str) -> Iterator[None]:
    stage.desk.conn.execute(_LIMIT, [_TOO_LITTLE, organization])
    yield
    stage.desk.conn.execute(_LIMIT, [None, organization])


async def _run(
    stage: Stage, *, model: dict[str, str] | None = None, organization: str | None = None, **more: Any
) -> Outcome:
    """A run of the job's own function, now."""
    from fisio_ayida.clinic.model import Order
    from fisio_ayida.insights.model import Limits
    from fisio_ayida.insights.running import run

    moment, settings = _now(), stage.settings
    order = Order(
        nominal=moment.astimezone(SAO_PAULO), now=moment, run_id=f"demo-{secrets.token_hex(4)}",
        organization=organization,
    )  # fmt: skip
    async with _writer(stage, model) as writer:
        return await run(
            stage.desk, order, writer, now=_now, limits=Limits.of(settings),
            in_flight=settings.insights_in_flight, **more,
        )  # fmt: skip


@asynccontextmanager
async def _writer(stage: Stage, model: dict[str, str] | None) -> AsyncIterator[Any]:
    from fisio_ayida.insights.narrative.service import open_writer

    settings = stage.settings.model_copy(update=model or {"insights_model": ""})
    async with open_writer(settings, stage.warehouse, now=_now, log=stage.desk.log) as writer:
        yield writer


def _model(llm: LlmSimulator, name: str) -> dict[str, str]:
    return {"openai_base_url": llm.base_url, "insights_model": name}


def _has_news(stage: Stage) -> bool:
    from fisio_ayida.insights.asking import has_news

    return has_news(stage.desk.conn, stage.desk.clinic, now=_now())


def _kept(stage: Stage, patient: str, what: str) -> tuple[tuple[Item, ...], Path]:
    """The patient's items as they stand, and the page, which is written to the home."""
    from fisio_ayida.insights.card import look, page_of, without_names

    seen = look(stage.desk.conn, stage.desk.clinic, narrated_of(stage.world).id, patient, now=_now())
    folder = stage.settings.home / "insights"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{patient}-{what}.html"
    path.write_text(page_of(seen), encoding="utf-8")
    return without_names(seen).items, path


def _became(stage: Stage, patient: str, answer: str) -> Became:
    row = stage.desk.conn.execute(_BECAME, [patient]).fetchone()
    if row is None:
        raise LookupError(f"patient={patient!r} has no insight")
    return Became(answer, *row)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
