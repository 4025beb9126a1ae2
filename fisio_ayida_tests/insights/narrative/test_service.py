"""The writer as a run opens it from the settings."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging

import pytest

from fisio_ayida.insights import facts
from fisio_ayida.insights.model import NotWritten, Written
from fisio_ayida.insights.narrative.ledger import Ledger
from fisio_ayida.insights.narrative.prices import Prices, PricesError
from fisio_ayida.insights.narrative.service import NoKeyError, open_writer
from fisio_ayida.settings import Settings
from fisio_ayida.simulators.llm import LlmSimulator
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida.warehouse.session import Session
from fisio_ayida_tests.insights.narrative.people import commission, record

LOG = logging.getLogger("test")
NOW = dt.datetime(2026, 3, 12, 15, tzinfo=dt.UTC)


def opened(warehouse: Warehouse, **given: str) -> str | None:
    """Open and close a writer with these settings: its model's name."""

    async def run() -> str | None:
        async with open_writer(Settings.load(given), warehouse, now=lambda: NOW, log=LOG) as writer:
            return None if writer is None else writer.model

    return asyncio.run(run())


def test_without_a_model_nobody_writes(insights_warehouse: Warehouse) -> None:
    assert opened(insights_warehouse, OPENAI_API_KEY="k") is None


def test_a_model_at_openai_without_a_key_is_told_before_anything_is_done(insights_warehouse: Warehouse) -> None:
    with pytest.raises(NoKeyError, match="OPENAI_API_KEY"):
        opened(insights_warehouse, INSIGHTS_MODEL="m")


def test_a_server_of_ones_own_needs_no_key(insights_warehouse: Warehouse) -> None:
    assert opened(insights_warehouse, INSIGHTS_MODEL="m", OPENAI_BASE_URL="http://127.0.0.1:9/v1") == "m"


def test_prices_that_cannot_be_read_are_told_before_anything_is_done(insights_warehouse: Warehouse) -> None:
    with pytest.raises(PricesError, match="INSIGHTS_PRICES"):
        opened(insights_warehouse, INSIGHTS_MODEL="m", OPENAI_API_KEY="k", INSIGHTS_PRICES="{}")


def test_calls_that_a_kill_left_open_count_as_lost(insights_warehouse: Warehouse) -> None:
    with insights_warehouse.connect(autocommit=True) as conn:
        ledger = Ledger(Session(lambda: conn, lambda _: None, LOG), Prices(), lambda: NOW - dt.timedelta(hours=1))
        ledger.reserve(commission(), model="m", purpose="first", attempt=1, prompt=10, completion=10)
        opened(insights_warehouse, INSIGHTS_MODEL="m", OPENAI_BASE_URL="http://127.0.0.1:9/v1")

        assert conn.execute("select distinct state from insights.calls where outcome <> 'ok'").fetchall() == [
            ("lost",)
        ]


def test_what_it_writes_is_in_the_ledger(insights_warehouse: Warehouse, llm: LlmSimulator) -> None:
    settings = Settings.load({"INSIGHTS_MODEL": "m", "OPENAI_BASE_URL": llm.base_url})

    async def run() -> Written | NotWritten:
        async with open_writer(settings, insights_warehouse, now=lambda: NOW, log=LOG) as writer:
            assert writer is not None
            return await writer.write(record(), facts.compute(record()), commission())

    assert isinstance(asyncio.run(run()), Written)
    with insights_warehouse.connect() as conn:
        row = conn.execute(
            "select key, model, state, outcome, started_at from insights.calls order by id desc"
        ).fetchone()
    assert row == (commission().key, "m", "answered", "ok", NOW)
