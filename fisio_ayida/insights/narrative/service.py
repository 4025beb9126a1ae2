"""The writer of narratives as a run uses it: made from the settings, with its ledger, and closed afterwards.

Here: putting the parts together. Not here: the parts.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from fisio_ayida.insights.model import Writer
from fisio_ayida.insights.narrative.client import Model
from fisio_ayida.insights.narrative.ledger import Ledger
from fisio_ayida.insights.narrative.prices import Prices
from fisio_ayida.insights.narrative.writing import NarrativeWriter
from fisio_ayida.settings import Settings, SettingsError
from fisio_ayida.telemetry import Log
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida.warehouse.session import Session

#: A call that is still open so long after its timeout is of a process that died.
SURELY_OVER: Final = dt.timedelta(minutes=5)
_OFFICIAL: Final = Settings.model_fields["openai_base_url"].default


class NoKeyError(SettingsError):
    """A model is named at a server that wants a key, and there is none."""


def model_of(settings: Settings) -> str:
    """Which model would be asked; empty: none is configured. Enough for a dry run, which asks nobody.

    Raises:
        NoKeyError: INSIGHTS_MODEL is set, and OPENAI_API_KEY is not, for OpenAI's own server.
    """
    if settings.insights_model and settings.openai_api_key is None and settings.openai_base_url == _OFFICIAL:
        raise NoKeyError(
            f"INSIGHTS_MODEL is set, and OPENAI_API_KEY is not: {_OFFICIAL} answers nobody without one. Set it, "
            "or set OPENAI_BASE_URL to a server of your own, or unset INSIGHTS_MODEL for facts alone"
        )
    return settings.insights_model


@asynccontextmanager
async def open_writer(
    settings: Settings, warehouse: Warehouse, *, now: Callable[[], dt.datetime], log: Log
) -> AsyncIterator[Writer | None]:
    """Who writes narratives; None if no model is configured. Calls that a kill left open are settled first.

    Args:
        now: with a zone; for the ledger.

    Raises:
        NoKeyError: as :func:`model_of`.
        PricesError: INSIGHTS_PRICES cannot be read.
    """
    if not model_of(settings):
        yield None
        return
    prices = Prices.parse(settings.insights_prices)
    session = Session(
        lambda: warehouse.connect(autocommit=True), lambda pause: time.sleep(pause.total_seconds()), log
    )
    ledger = Ledger(session, prices, now)
    try:
        timeout = dt.timedelta(seconds=settings.insights_timeout_seconds)
        if lost := await asyncio.to_thread(ledger.lose_open, timeout + SURELY_OVER):
            log.warning("%s calls of the model were cut off; they count with all that they reserved", lost)
        async with Model(settings, ledger, now=now) as model:
            yield NarrativeWriter(model, log)
    finally:
        await asyncio.to_thread(ledger.close)
