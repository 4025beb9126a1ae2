"""The registry: every name that the two apps use, each with rules that can be obeyed."""

from __future__ import annotations

import datetime as dt
import random
import re
from pathlib import Path

import pytest

from fisio_ayida.events import payloads
from fisio_ayida.events.page import markdown
from fisio_ayida.events.registry import (
    EVENTS,
    RETRY_POLICIES,
    ROWS,
    Batch,
    CancelOn,
    Event,
    Launch,
    UnknownEvent,
    cancelled_by,
    event,
    find,
    jobs_of_batches,
    routes,
)

# The issue's own list.
PROMISED = re.findall(r"\S+", """
convocatorias/sync.requested convocatorias/detail.requested documents/storage.requested
cron/daily.cleanup cron/daily.reports cron/daily.birthdays cron/weekly.summary cron/daily.expiring-vouchers
cron/data-integrity notification/send notification/send-batch email/send email/send-batch whatsapp/send
whatsapp/send-batch ai/patient.insights ai/batch.insights appointment/created appointment/updated
appointment/cancelled appointment/reminder payment/success payment/failed payment/refunded patient/created
patient/updated session/completed session/created
""")  # fmt: skip
DATASETS = ("catalogos-basicos", "ayudas-estado", "concesiones", "grandes-beneficiarios", "minimis", "organos",
            "partidos-politicos", "planes-estrategicos", "regiones", "sanciones", "convocatorias")  # fmt: skip


@pytest.mark.parametrize("name", PROMISED)
def test_every_promised_event_has_a_row(name: str) -> None:
    assert event(name).name == name


@pytest.mark.parametrize("name", ["convocatorias/sync", "convocatorias/detail", "documents/storage"])
def test_what_ayida_s_code_sends_is_the_same_event(name: str) -> None:
    assert event(f"app/{name.replace('/', '.')}.requested") is event(f"{name}.requested")


def test_each_job_of_the_seeds_has_its_route() -> None:
    assert set(routes()) == {f"sync-{name}" for name in DATASETS} | {"sync-convocatoria-individual"}


def test_a_name_means_one_event() -> None:
    names = [name for row in ROWS for name in (row.name, *row.aliases)]
    assert len(names) == len(set(names))
    assert len({row.route for row in ROWS if row.route}) == len([row for row in ROWS if row.route])


def test_an_unknown_name_is_refused_with_those_that_there_are() -> None:
    assert find("convocatorias/sync") is None
    with pytest.raises(UnknownEvent, match=r"name='x/y' is not an event; known: convocatorias/sync.requested, "):
        event("x/y")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_fields_that_rules_compare_are_fields_of_the_payload(row: Event) -> None:
    paths = [rule.key for rule in (row.idempotency, row.debounce) if rule]
    paths += [row.priority_field] if row.priority_field else []
    for path in paths:
        assert path.partition(".")[0] in row.payload.model_fields, path
    for rule in row.cancel_on:
        assert rule.theirs in event(rule.event).payload.model_fields
    if row.debounce:
        assert row.debounce.quiet <= row.debounce.longest


def test_a_cancelling_event_finds_what_it_cancels() -> None:
    found = {(row.name, rule.own) for row, rule in cancelled_by("appointment/cancelled")}
    assert found == {("appointment/created", "appointmentId"), ("appointment/reminder", "appointmentId")}
    assert cancelled_by("appointment/created") == []


def test_every_batch_of_a_job_takes_one_kind_of_claim() -> None:
    by_job = {work.job: work for work in jobs_of_batches()}
    assert len(by_job) == len(jobs_of_batches()), "two kinds of claims for one job could not be told apart"
    launched = {row.work.job for row in ROWS if isinstance(row.work, Launch)}
    assert not launched & set(by_job)
    assert all(isinstance(work, Batch) and events for work, events in jobs_of_batches().items())


def test_the_retry_policies_are_those_of_the_contract() -> None:
    seconds = {
        name: (p.most, p.first.total_seconds(), p.longest.total_seconds()) for name, p in RETRY_POLICIES.items()
    }
    assert seconds == {"api": (3, 1, 30), "database": (5, 0.5, 10)}
    policy = RETRY_POLICIES["api"]
    assert [policy.pause(n, 0).total_seconds() for n in (1, 2, 3, 6, 1000)] == [1, 2, 4, 30, 30]
    chance = random.Random(1)
    for attempt in range(1, 8):
        assert policy.pause(attempt, 0) <= policy.pause(attempt, chance.random()) < policy.pause(attempt, 0) * 1.25


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"batch": 0}, "batch and concurrency must be 1 or more"),
        ({"concurrency": 0}, "batch and concurrency must be 1 or more"),
        ({"cancel_on": (CancelOn("a", "one", "x"), CancelOn("b", "other", "x"))}, "the same field of their own"),
    ],
)
def test_a_row_that_cannot_be_obeyed_is_no_row(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Event("x/y", payloads.Payload, "", **wrong)  # type: ignore[arg-type]


def test_nobody_is_kept_waiting_by_a_rule_for_days() -> None:
    for row in EVENTS.values():
        waits = (row.delay, row.debounce.longest if row.debounce else dt.timedelta(0), row.retry.longest)
        assert max(waits) <= dt.timedelta(hours=1)


def test_the_page_of_events_is_current() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "events.md"
    assert page.read_text(encoding="utf-8") == markdown(), "run: make docs"
